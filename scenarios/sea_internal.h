/* sea_internal.h - the sea's parts, shared by its files alone. */
#ifndef SCENARIOS_SEA_INTERNAL_H
#define SCENARIOS_SEA_INTERNAL_H

#include "scenarios/sea.h"

struct swell { /* a fault in force for one symbol, or for the wall */
    const struct fault *fault;
    size_t symbol;
    struct utc from, until;
    bool has_quote, has_trade; /* as they were at its begin */
    struct market_quote quote;
    struct market_trade trade;
    bool is_done; /* of a split, a spin-off, a dividend, a fee: the broker has made it */
    bool is_told; /* of a spin-off: by activities */
    struct sim_spun given;
    struct ratio left; /* of the source's price behind it; 0: not made yet */
};

enum { ACCOUNT_POINTS = 2 };

struct swayed { /* the account's configuration, by a fault in force */
    bool is_on;
    struct sim_configuration before; /* its own members of it, at its begin */
};

struct sea {
    struct plan *plan;
    struct virtual_clock *clock;
    struct market *market;
    struct broker *broker;
    bool is_asked[PLAN_FAULTS_MAX];
    struct utc next_at;
    struct swell *swells; /* owned; none is taken out: bars of the past keep what befell them */
    size_t count, cap;
    size_t of_symbol[MARKET_SYMBOLS_MAX]; /* how many */
    size_t of_wall;
    size_t of_account;
    struct swayed account[ACCOUNT_POINTS]; /* drift, suspension */
};

/* sea.c: true if the plan has a fault of a seam; calm costs nothing. */
bool sea_has(const struct sea *sea, const char *seam);
/* sea_prices.c */
void sea_prices_init(struct sea *sea);
void sea_told(void *context, size_t symbol, struct market_quote *quote);
void sea_asset(void *context, size_t symbol, struct sim_asset *asset);
/* sea_splits.c: a fault that splits a symbol, and when it does */
bool is_split(const struct fault *fault);
struct utc split_at(const struct sea *sea, const struct fault *fault);
/* What prices are multiplied with from then on. */
struct ratio split_factor(const struct fault *fault);
/* What is announced of it. */
void split_announce(const struct swell *swell, struct sim_asset *asset);
/* Makes those whose hour has come. */
void sea_make_splits(struct sea *sea);
/* sea_spin_offs.c */
bool is_spin_off(const struct fault *fault);
size_t spun_symbol(const struct sea *sea, const struct swell *swell);
struct utc spin_off_next(const struct swell *swell);
void spin_off_announce(const struct sea *sea, const struct swell *swell, struct sim_asset *asset);
void sea_make_spin_offs(struct sea *sea);
/* sea_cash.c: pays and takes what has come due */
void sea_post_cash(struct sea *sea);
/* The next day but a Saturday or a Sunday. */
struct date next_weekday(struct date date);
/* sea_account.c: as the windows say now */
void sea_set_account(struct sea *sea);
/* sea_orders.c */
void sea_orders_init(struct sea *sea);

#endif
