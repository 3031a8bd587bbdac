/* rate_budget.h - how many requests may still go out this minute, in three lanes.
 *
 * A request spends a token of its lane and the token comes back one minute later, so that no minute,
 * wherever it starts, holds more requests than the lanes' sum (Alpaca: 200 a minute and account).
 * Exits spend their own lane first and core's when theirs is empty; nobody else borrows. */
#ifndef CORE_ALPACA_RATE_BUDGET_H
#define CORE_ALPACA_RATE_BUDGET_H

#include "core/alpaca/alpaca.h"

#define RATE_LANES 3
#define RATE_LANE_MAX 10000 /* requests a minute */
/* A 429 without Retry-After closes the core lane this long; no answer closes it longer than MAX,
 * because an absurd header must not silence the core for a day. */
#define RATE_PAUSE SPAN_S(5)
#define RATE_PAUSE_MAX SPAN_S(120)

struct rate_lane {
    struct mono *spent; /* owned ring: when each token was spent */
    size_t size;        /* tokens a minute */
    size_t next;        /* the token spent longest ago */
    size_t used;        /* tokens ever spent, at most size */
};

struct rate_budget { /* zero-initialise, then rate_budget_init() */
    struct rate_lane lanes[RATE_LANES];
    struct mono core_closed_until, other_closed_until;
};

/* per_minute holds one rate for each enum alpaca_lane. ERR_USAGE outside 1..RATE_LANE_MAX, ERR_MEMORY. */
enum err_code rate_budget_init(struct rate_budget *budget, const int64_t per_minute[RATE_LANES],
                               struct err *err) MUST_USE;
void rate_budget_release(struct rate_budget *budget);

/* Spends a token for one request. ERR_NOT_SENT says which lane is spent, and until when. */
enum err_code rate_budget_take(struct rate_budget *budget, enum alpaca_lane lane, struct mono now,
                               struct err *err) MUST_USE;

/* The broker said 429 to a request of the lane: closes the core lane for retry_after_s, or RATE_PAUSE when
 * negative; what is not urgent closes its own alone, because it may be another limit than that of the polls. */
void rate_budget_throttle(struct rate_budget *budget, enum alpaca_lane lane, struct mono now,
                          int64_t retry_after_s);

#endif
