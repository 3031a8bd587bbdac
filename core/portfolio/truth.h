/* truth.h - what the broker last said, and how old it is. Filled by the engine each tick, read by all;
 * ages are on the monotonic clock. */
#ifndef CORE_PORTFOLIO_TRUTH_H
#define CORE_PORTFOLIO_TRUTH_H

#include "core/alpaca/alpaca.h"
#include "core/config/config.h"

struct reference { /* a price two sources agree on */
    bool is_trusted;
    struct usd price;
};

struct truth {
    bool has_account, has_positions, has_orders; /* heard at least once since start */
    struct mono account_at, positions_at, orders_at;
    struct broker_account account;
    bool is_equity_explained; /* equity = cash + marks, within data.equity_step */
    struct usd good_equity;   /* as explained at the cycle before; 0 none yet in this life */
    bool has_clock;
    struct broker_clock clock;
    struct session session; /* the current one, or the next */
    struct date day;        /* its date: the exchange day */
    bool is_open;
    struct broker_quote quotes[CONFIG_SYMBOLS_MAX];
    struct broker_trade trades[CONFIG_SYMBOLS_MAX];
    struct usd last_close[CONFIG_SYMBOLS_MAX]; /* of the newest minute bar */
    struct utc last_bar_at[CONFIG_SYMBOLS_MAX];
    struct reference references[CONFIG_SYMBOLS_MAX];
};

/* The broker's clock as he last told it; {0}: not yet. */
static inline struct utc truth_broker_time(const struct truth *truth) {
    return truth->has_clock ? truth->clock.timestamp : (struct utc){0};
}

/* Index of a symbol in the configured universe, or -1. */
static inline int universe_find(const struct config *config, const char *symbol) {
    for (size_t i = 0; i < config->symbol_count; i++) {
        if (strcmp(config->symbols[i], symbol) == 0) {
            return (int)i;
        }
    }
    return -1;
}

#endif
