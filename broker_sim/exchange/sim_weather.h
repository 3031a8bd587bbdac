/* sim_weather.h - what befalls orders from outside the rules: set by whoever plays the sea.
 *
 * The exchange asks at two moments of an order's life and does what it is told by legal moves alone;
 * it never asks why. Zero everywhere: nothing unusual. */
#ifndef BROKER_SIM_EXCHANGE_SIM_WEATHER_H
#define BROKER_SIM_EXCHANGE_SIM_WEATHER_H

#include "broker_sim/market/market.h"

struct sim_weather_order { /* what is asked about; borrowed for the call */
    const char *side, *type, *symbol, *client_id;
};

struct sim_fate {             /* of an order that is being accepted */
    struct span accept_delay; /* pending_new this much longer */
    bool is_rejected;
    struct span reject_delay; /* rejected this long after it became new; it never fills */
    bool is_silent;      /* half of what its first execution would be, then none for `silence` */
    struct span silence; /* zero: for good */
};

struct sim_cancel_fate { /* of an order that is asked to be cancelled */
    struct span delay;   /* pending_cancel this much longer */
    bool fills_first;    /* all that is left is executed when the cancel is due */
};

struct sim_asset { /* what is said of a symbol, calm weather filled in */
    bool is_tradable;
    bool is_otc;
    bool is_hard_to_borrow; /* nobody lends it: it cannot be sold short */
    struct ratio
        house_margin;  /* that a long of it is maintained with, if it is more than the rule's */
    bool has_dividend; /* a cash dividend, */
    struct date ex_date;
    bool has_split; /* is announced, or was */
    struct date split_date;
    struct ratio new_rate, old_rate; /* old_rate shares become new_rate */
    bool has_spin_off;               /* is announced, or was: new_shares of spun for each share */
    struct date spin_date;
    size_t spun;
    struct ratio new_shares;
};

struct sim_weather {
    void *context;
    void (*entered)(void *context, const struct sim_weather_order *order, struct sim_fate *fate);
    void (*cancelled)(void *context, const struct sim_weather_order *order,
                      struct sim_cancel_fate *fate);
    /* A quote that is about to be told by the data API; the exchange's own is another. */
    void (*told)(void *context, size_t symbol, struct market_quote *quote);
    /* An asset as it is told; one that is not tradable may not be bought. */
    void (*asset)(void *context, size_t symbol, struct sim_asset *asset);
};

#endif
