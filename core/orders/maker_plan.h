/* maker_plan.h - what is known of each entry that maker_execution works: a fold of journal rows. In two points it is
 * more than they say: maker_execution.c gives up an order of which no word comes, and counts by the wall.
 *
 * A plan begins with the durable intent of its first order and ends with a row `maker`, with the row that not a
 * byte of that order left, or with an orderly stop: what is still live then, the next life cancels. Its later orders say of which
 * first one they are ("of"). What is filled is every buy of the symbol that was booked since: an order that was
 * given up and turns up counts too. Rows are told once they are durable, so that an end that is known here is
 * known to the next life. */
#ifndef CORE_ORDERS_MAKER_PLAN_H
#define CORE_ORDERS_MAKER_PLAN_H

#include "core/alpaca/alpaca.h"
#include "core/config/config.h"
#include "core/state/journal.h"

#define MAKER_ROW "maker"      /* key: id of the first order; body {"symbol", "end"} */
#define MAKER_CROSS "cross"    /* the reason of an order that may take what is offered */
#define MAKER_AGAIN "repriced" /* of any other but the first */

enum maker_state {
    MAKER_LEAVING,  /* journaled; its outcome is not known here yet */
    MAKER_LIVE,     /* the broker has it */
    MAKER_UNKNOWN,  /* it may exist at the broker */
    MAKER_OVER,     /* the broker said that it ended, or no byte of it left */
    MAKER_REJECTED, /* by the broker */
    MAKER_DOUBTED   /* given up without the broker's word that it ended: it may turn up */
};

struct maker_plan {
    char id[CLIENT_ID_MAX];   /* of the first order; "": no plan */
    char last[CLIENT_ID_MAX]; /* of the newest */
    struct qty wished, filled;
    /* of the newest: fewer shares than are left where its price makes them dearer */
    struct qty ordered;
    struct ratio score;
    struct utc began_at; /* the first was decided */
    int64_t tries;       /* orders that left, or may yet; a crossing one apart */
    bool is_crossed;
    enum maker_state state; /* of the newest */
};

struct maker_plans { /* zero-initialise; by index of the universe */
    struct maker_plan items[CONFIG_SYMBOLS_MAX];
};

/* Takes a row in order; other kinds, and symbols that are not of the universe, are passed by. */
void maker_plans_take(struct maker_plans *plans, const struct config *config,
                      const struct journal_row *row);
/* The symbol's plan, or NULL. */
struct maker_plan *maker_plans_find(struct maker_plans *plans, const struct config *config,
                                    const char *symbol);
/* Shares of what was wished that are still to be bought, with all that was filled taken off. */
struct qty maker_plan_left(const struct maker_plan *plan);

#endif
