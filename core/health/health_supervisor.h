/* health_supervisor.h - what may be ailing, what is done about it and when: a table, and nothing that is not in it.
 *
 * Each check has its own interval and a ladder: what is tried, from how long an ailment lasts, and whose it is. A
 * rung of the supervisor's own is *tried* here; those of other mechanisms stand in the table so that it can be
 * read whole, and are theirs to act on. Behind a healing the next check alone says whether it helped: it is
 * counted as healed or as failed then, never before. What was good stays as it is: no healing removes or
 * rewrites anything.
 *
 *   broker   reads of the trading host are unanswered or 5xx, and none is answered: asked again later each time
 *            (retry_backoff); a fresh connection after health.reconnect_s, and again each health.again_s, because
 *            one that hangs on a broken proxy or address stays there; degraded_mode; its alerts
 *   data     the same of the data host; data_guard lets no symbol be entered
 *   log      a line was refused, or log.jsonl is not what is written to (it was moved or removed): opened anew;
 *            an alert after ten minutes
 *   journal  takes no row: probed each tick, entries latched at once, paged (atomic_state) */
#ifndef CORE_HEALTH_HEALTH_SUPERVISOR_H
#define CORE_HEALTH_HEALTH_SUPERVISOR_H

#include "core/base/utc.h"
#include "core/config/config.h"

#define HEALTH_CHECKS(X)                                                                           \
    X(HEALTH_BROKER, "broker")                                                                     \
    X(HEALTH_DATA, "data")                                                                         \
    X(HEALTH_LOG, "log")                                                                           \
    X(HEALTH_JOURNAL, "journal")

enum health_check {
#define X(check, word) check,
    HEALTH_CHECKS(X)
#undef X
        HEALTH_CHECK_COUNT
};
const char *health_check_word(enum health_check check);

enum health_step {
    HEALTH_NOTHING,
    HEALTH_RETRY,     /* ask again */
    HEALTH_RECONNECT, /* by another way: a fresh connection, a file opened anew */
    HEALTH_DEGRADE,   /* no entries while it lasts */
    HEALTH_FREEZE,    /* no entries until a person looked */
    HEALTH_ALERT      /* tell a person */
};
const char *health_step_word(enum health_step step);

/* How a check came out: NO_NEWS where nothing was asked since the last. */
enum health_news { HEALTH_NO_NEWS, HEALTH_WELL, HEALTH_AILING };

struct health_rung {
    enum health_step step;
    const char *owner; /* the mechanism that acts on it; NULL: this one */
    struct span after; /* from the first ailing check on */
    struct span again; /* likewise from the last time; 0: once an ailment */
};

enum { HEALTH_RUNGS_MAX = 4 };

struct health_row {
    enum health_check check;
    struct span every;
    size_t rung_count;
    struct health_rung rungs[HEALTH_RUNGS_MAX];
};

/* The row of a check, with what the settings say of it. */
struct health_row health_row_of(enum health_check check, const struct config *config);

struct health_state {       /* zero-initialise */
    bool is_checked;        /* ever */
    struct mono checked_at; /* last */
    bool is_ailing;
    struct mono since;                      /* the first ailing check in a row */
    struct mono tried_at[HEALTH_RUNGS_MAX]; /* last in this ailment; {0}: not yet */
    bool is_tried;                          /* a healing waits for the next check */
    int64_t healed, failed;                 /* healings, since the start */
};

enum health_outcome { HEALING_NONE, HEALING_HELPED, HEALING_FAILED };

/* True if the check's interval is over. */
bool health_is_due(const struct health_state *state, const struct health_row *row, struct mono now);
/* Files what a check found; what came of the healing before it. No news is no check: it stays due. */
enum health_outcome health_note(struct health_state *state, enum health_news news, struct mono now);
/* Behind a check that found it ailing: the step of our own that is due, taken as done now. One at a call, the first
 * rung first, until HEALTH_NOTHING. */
enum health_step health_next(struct health_state *state, const struct health_row *row,
                             struct mono now);

#endif
