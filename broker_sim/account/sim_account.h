/* sim_account.h - the simulated account's books: cash, positions at cost, and every activity.
 *
 * A position below zero is short: its cost is below zero too, minus what its shares brought. Only an account
 * that may be short gets there; selling credits cash at once, covering takes it.
 *
 * This is the truth. Cash moves with each execution, never below what was executed; a position's
 * average is its exact cost over its shares. Values of positions come from the market's last trade.
 * All memory is the account's; pointers into it hold until the next posting. */
#ifndef BROKER_SIM_ACCOUNT_SIM_ACCOUNT_H
#define BROKER_SIM_ACCOUNT_SIM_ACCOUNT_H

#include "broker_sim/market/market.h"

#define SIM_UUID_MAX 37

/* Writes a version-4 UUID of a stream; same key, same UUID. */
void sim_uuid(uint64_t seed, const char *name, uint64_t number, char out[static SIM_UUID_MAX]);

struct sim_position {
    struct qty qty;  /* < 0: short */
    struct usd cost; /* of the shares held; of a short one, minus what they brought */
    struct usd
        intraday_basis; /* value at the last close of shares held since, cost of newer ones */
};

enum sim_activity_kind {
    SIM_ACTIVITY_FILL,
    SIM_ACTIVITY_CSD,
    SIM_ACTIVITY_CSW,
    SIM_ACTIVITY_SPLIT,
    SIM_ACTIVITY_DIV,
    SIM_ACTIVITY_FEE,
    SIM_ACTIVITY_SPIN,
    SIM_ACTIVITY_CIL
};

struct sim_activity {
    enum sim_activity_kind kind;
    struct utc at;
    char id[64]; /* "YYYYMMDDHHMMSSmmm::uuid", New York time */
    /* of a fill */
    size_t symbol;
    const char *order_id; /* the order's; orders are never freed before the account */
    bool is_buy, is_short,
        is_last; /* is_short: a sale of what is not held; is_last: the order is filled */
    struct qty qty, cum_qty, leaves_qty;
    struct usd price; /* of a dividend: a share's */
    /* of a cash movement: signed; of a split or a CIL: what its fraction of a share was paid out with */
    struct usd amount;
};

struct sim_split { /* old_rate shares become new_rate */
    struct ratio new_rate, old_rate;
    bool is_told; /* by an activity, and by whoever tells of corporate actions */
};

struct sim_spin_off { /* who holds `source` is given so many shares of `spun` for each */
    size_t source, spun;
    struct ratio new_shares;
};

struct sim_spun {        /* what the account is given of it */
    struct qty qty;      /* whole shares */
    struct qty fraction; /* of one, that is paid for in cash */
    struct usd paid;
};

struct sim_configuration {     /* what the user set, of what the simulator obeys */
    bool no_shorting;          /* no order opens a short position */
    bool suspend_trade;        /* no new order, and no new price of one */
    int max_margin_multiplier; /* 1, 2 or 4 */
};

struct sim_account {
    struct market *market; /* borrowed */
    uint64_t seed;
    int approved;      /* the most that the account may have: 1, 2 or 4 */
    int multiplier;    /* the lesser of that and of what the user set */
    bool may_be_short; /* approved for it: shorting_enabled, unless its user says no_shorting */
    struct sim_configuration configuration;
    struct usd cash;
    struct sim_position positions[MARKET_SYMBOLS_MAX]; /* by symbol index */
    struct sim_activity *activities;                   /* oldest first */
    size_t activity_count, activity_room;
    int64_t fill_count;
    struct usd last_equity; /* at balance_asof's close */
    struct usd last_maintenance;
    struct date balance_asof;
};

void sim_account_init(struct sim_account *account, struct market *market, uint64_t seed,
                      struct usd cash, int multiplier, struct utc start);
void sim_account_release(struct sim_account *account);
/* Holds from now on, for what is asked next. */
void sim_account_configure(struct sim_account *account,
                           const struct sim_configuration *configuration);

struct sim_fill {
    size_t symbol;
    const char *order_id;
    bool is_buy, is_short;
    struct qty qty, cum_qty, leaves_qty;
    struct usd price;
};
/* Books one execution. A sale of more than is held is a bug of the caller (CHECK), but where the account may
 * be short. */
void sim_account_fill(struct sim_account *account, struct utc at, const struct sim_fill *fill);
/* Undoes one execution: its shares and cash go back, at its price; no activity tells of it. Undoing a
 * purchase of more than is held leaves a short position; where the account may not be short it is a bug of
 * the caller (CHECK). */
void sim_account_undo(struct sim_account *account, size_t symbol, bool is_buy, struct qty qty,
                      struct usd price);
/* Books a deposit or withdrawal. */
void sim_account_move_cash(struct sim_account *account, struct utc at, struct usd amount);
/* Pays so much a share of what is held; who is short pays it. Nothing where nothing is held. */
void sim_account_pay_dividend(struct sim_account *account, struct utc at, size_t symbol,
                              struct usd per_share);
/* Takes a fee, an amount above zero. */
void sim_account_charge(struct sim_account *account, struct utc at, struct usd fee);
/* What is held becomes whole shares by the rates, at the cost it had; what is left of one is paid out at a price,
 * that of the new shares. Returns by how many more they are: below zero, fewer. */
struct qty sim_account_split(struct sim_account *account, struct utc at, size_t symbol,
                             const struct sim_split *split, struct usd price);
/* What a spin-off gives for what is held now, at a price of its shares; nothing to who is short. */
struct sim_spun sim_account_spin_due(const struct sim_account *account,
                                     const struct sim_spin_off *spin, struct usd price);
/* Gives it: the new shares cost what they are worth, and the old ones that much less. */
struct sim_spun sim_account_spin_off(struct sim_account *account, const struct sim_spin_off *spin,
                                     struct usd price);
/* Tells of it by activities: SPIN of the shares, CIL of a fraction. */
void sim_account_tell_spin_off(struct sim_account *account, struct utc at, size_t spun,
                               const struct sim_spun *given);
/* The session of a date closed at `at`: what is told as last_equity and balance_asof from now on.
 */
void sim_account_close_day(struct sim_account *account, struct date date, struct utc at);

/* Last trade, else the last quote's bid; false when the symbol has no price yet. */
bool sim_price(struct market *market, size_t symbol, struct utc at, struct usd *out);

struct sim_values {
    struct usd long_value;  /* positions at their last trade, at cost where there is none */
    struct usd short_value; /* likewise; <= 0 */
    struct usd equity;      /* cash + long_value + short_value */
    struct usd initial_margin, maintenance_margin;
};
struct sim_values sim_account_values(const struct sim_account *account, struct utc at);

/* The intraday rule since 2026-06-04 as one formula for all multipliers, never below zero:
 * multiplier x equity - gross value - reserved. For 1 it is cash, for 2 the Reg T sum; for 4 the
 * documented (last equity - last margin) x 4 turned dynamic. */
struct usd sim_buying_power(const struct sim_values *values, int multiplier, struct usd reserved);
/* Long and short value together, both counted up. */
struct usd sim_gross_value(const struct sim_values *values);

/* FINRA and house maintenance of a long: below 2.50 USD all, to 6.00 half, else 30 %. */
struct ratio sim_maintenance_rate(struct usd price);
/* Of one share sold short: below 5 USD the larger of 2.50 USD and all, else of 5 USD and 30 %. */
struct usd sim_short_maintenance(struct usd price);

#endif
