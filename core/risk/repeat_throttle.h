/* repeat_throttle.h - a program that does the same again and again is stopped until a person has looked:
 * RTS 6 article 15(3), for what Knight's servers did on 2012-08-01.
 *
 * Counted are times that something was decided, of one symbol and side, whatever its size: an entry is
 * one with as many re-prices as execution.tries and one that crosses are, an exit transaction is one with
 * all its re-prices, children and tries, a stop that replaces no other is one. Stops count apart from
 * sales, because each sale begins with a stop's end and is followed by a new one; one that was rejected
 * does not count. So many sends, or so many of them with a fill, within the window: due. So is an exit
 * that filled more than was held when it was decided and came in since. What is due latches REDUCE_ONLY, which
 * binds no exit. It is a fold of journal rows, live and behind a restart the same one; a clear by an
 * operator begins the counts anew, a restart does not. */
#ifndef CORE_RISK_REPEAT_THROTTLE_H
#define CORE_RISK_REPEAT_THROTTLE_H

#include "core/config/config.h"
#include "core/portfolio/book.h"
#include "core/risk/causes.h"

/* More than the broker takes in the longest window, so that none is forgotten inside it. */
#define REPEAT_EVENTS_MAX 2048

enum repeat_kind {
    REPEAT_NONE, /* a free place, or a send that never left */
    REPEAT_BUY,
    REPEAT_SALE,
    REPEAT_STOP,
    REPEAT_BUY_FILLED,
    REPEAT_SALE_FILLED
};

struct repeat_event {
    char symbol[SYMBOL_MAX];
    enum repeat_kind kind;
    uint64_t id; /* of the order, or of the entry or exit transaction that it belongs to */
    uint64_t by; /* the order that was counted; of an exit, its transaction */
    struct utc at;
};

struct repeat_exit { /* an exit transaction that is not over */
    char symbol[SYMBOL_MAX];
    uint64_t id;
    struct utc decided_at;
    struct qty most; /* held when it was decided, and what came in since */
    struct qty sold;
};

struct repeat_throttle {                           /* zero-initialise */
    struct repeat_event events[REPEAT_EVENTS_MAX]; /* a ring */
    size_t next;
    struct repeat_exit exits[BOOK_MAX];
    size_t exit_count;
    bool is_due;
    uint64_t due_id; /* `by` of the event that made it due; 0: an exit sold too much */
    char why[160];
};

/* Takes a durable row, in order. A "start" row says that all before it was latched if it was due. */
void repeat_throttle_take(struct repeat_throttle *throttle, const struct config *config,
                          const struct journal_row *row);
/* Latches what is due: behind each send, at each tick's end, and before a start is journaled. */
void repeat_throttle_step(const struct repeat_throttle *throttle, struct causes *causes);

#endif
