/* exit_rules.h - when the strategy leaves: hard stop, trailing, profit targets, decay, time, stale,
 * in this order. Pure: the caller turns the answer into an exit transaction. Prices are trusted marks;
 * without one time alone decides, and the resting stop keeps the watch over the price. */
#ifndef CORE_ORDERS_EXIT_RULES_H
#define CORE_ORDERS_EXIT_RULES_H

#include "core/config/config.h"
#include "core/portfolio/book.h"

struct exit_wish {
    bool is_wished;
    bool is_part; /* a scale-out of qty; else all */
    struct qty qty;
    unsigned target;    /* bit of the target hit, 0 for none */
    const char *reason; /* "hard_stop", "trailing", "target", "decay", "time", "stale" */
};

/* score: of this cycle; is_score_known false leaves decay out. */
struct exit_wish exit_rules(const struct holding *holding, const struct config *config,
                            struct utc now, bool is_score_known, struct ratio score);

#endif
