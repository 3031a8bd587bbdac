/* universe_guard.h - what may be bought at all: entries alone are asked, an exit never is.
 *
 * RTS 6 article 15(4): no order of an algorithm for what it has no permission to trade, nor one that its firm's
 * thresholds of risk and size forbid. A symbol may be bought if the broker takes orders for it, it is listed on an
 * exchange, on no list of ours that restricts it, and no split, merger, dividend or other corporate action makes it
 * another stock within a few days of trading; if its price is no penny stock's; if enough of it changes hands, by the
 * mean dollar volume of the last UNIVERSE_SESSIONS sessions - one that the feed has no bar of had no trade -, of which an order is a small part;
 * and if its spread is narrow. A short needs a stock that is easy to borrow.
 *
 * What the broker and the feed say of a day is read once, from an hour before its open on
 * (engine/universe_reads.c), and holds for that session: older is not known, and what is not known is not bought. It
 * persists nothing: a start reads it again. An entry that the broker refused as an order it would not take (422) makes
 * what is known of its symbol doubtful, until the broker is asked again: a stock that may be traded no longer during a
 * day costs one order. */
#ifndef CORE_ORDERS_UNIVERSE_GUARD_H
#define CORE_ORDERS_UNIVERSE_GUARD_H

#include "core/config/config.h"
#include "core/portfolio/truth.h"

enum { UNIVERSE_SESSIONS = 20 };

struct universe_facts {  /* of a symbol */
    struct utc asset_at; /* when it was read; {0}: not known */
    bool is_tradable, is_otc, is_easy_to_borrow;
    int64_t dollars[UNIVERSE_SESSIONS]; /* whole dollars that changed hands in a session, a ring */
    size_t sessions;                    /* sessions ever taken into it */
    struct date last_session;
    bool has_action;
    struct date action; /* the nearest to the day it was read for */
};

struct universe_guard { /* zero-initialise: nothing is known */
    struct universe_facts facts[CONFIG_SYMBOLS_MAX];
    struct utc volumes_at, actions_at; /* as asset_at; of all symbols at once */
    bool is_doubted;                   /* something of it, since its reader last looked */
};

enum universe_flaw {
    UNIVERSE_GOOD,
    UNIVERSE_UNKNOWN,    /* why: what was not read */
    UNIVERSE_BARRED,     /* why */
    UNIVERSE_CHEAP,      /* is below bound, in dollars, as are those that follow */
    UNIVERSE_ILLIQUID,   /* is below bound */
    UNIVERSE_TOO_LARGE,  /* is above bound */
    UNIVERSE_WIDE_SPREAD /* is above bound */
};

struct universe_verdict {
    enum universe_flaw flaw;
    const char *why; /* static */
    struct usd is, bound;
};

struct universe_candidate { /* an order that would open or enlarge a position */
    size_t index;           /* in the universe */
    const char *symbol;
    bool is_short;
    struct usd limit, notional;
    const struct broker_quote *quote; /* both sides above zero, not crossed */
};

/* The first flaw, or UNIVERSE_GOOD; `session` is the one that runs. */
struct universe_verdict universe_guard_check(const struct universe_guard *guard,
                                             const struct config *config,
                                             const struct session *session, struct utc now,
                                             const struct universe_candidate *candidate);

/* From when on what is read says something of a session. */
struct utc universe_guard_opens(const struct session *session);
/* True if what was read at an instant is known of a session now. */
bool universe_fact_is_fresh(struct utc at, const struct session *session, struct utc now);
/* Trading days from one date to another, Mondays to Fridays, either way. */
int universe_days_apart(struct date one, struct date other);

void universe_guard_take_asset(struct universe_guard *guard, size_t index,
                               const struct broker_asset *asset, struct utc at);
/* What is known of a symbol may no longer be so. */
void universe_guard_doubt(struct universe_guard *guard, size_t index);
/* Forgets, takes and dates volumes: all bars of a reading, oldest first. */
void universe_guard_forget_volumes(struct universe_guard *guard);
void universe_guard_take_day(struct universe_facts *facts, const struct broker_bar *bar);
/* Mean dollars of a session; false if none is known, or the newest lies too far before the day. */
bool universe_dollar_volume(const struct universe_facts *facts, struct date day, struct usd *out);
/* Likewise actions; of two the nearer to the day is kept. */
void universe_guard_forget_actions(struct universe_guard *guard);
void universe_guard_take_action(struct universe_facts *facts, struct date action, struct date day);

#endif
