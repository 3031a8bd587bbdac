/* daily_volume.h - how much one exchange day, and one hour of it, may see: RTS 6 article 15(1), maximum
 * values and volumes of what is sent and traded.
 *
 * Counted are orders sent (a new price of one is none), orders that ended cancelled, dollars traded, bought
 * and sold together, of the day and of the last hour in whole minutes, and round trips of each symbol.
 * At 80 % of a limit it alerts, at the limit it latches REDUCE_ONLY, which binds no exit. Shares are of
 * the day's baseline; before there is one they are not judged. The day is New York's and only goes
 * forward. All of it is a fold of journal rows, live and behind a restart the same one; a clear by an
 * operator grants the day's allowance anew, a restart does not. */
#ifndef CORE_RISK_DAILY_VOLUME_H
#define CORE_RISK_DAILY_VOLUME_H

#include "core/config/config.h"
#include "core/portfolio/book.h"
#include "core/risk/causes.h"

#define VOLUME_SYMBOLS_MAX 256
#define VOLUME_ENDED_MAX 256

enum volume_measure {
    VOLUME_DAY,
    VOLUME_HOUR,
    VOLUME_ORDERS,
    VOLUME_CANCELS,
    VOLUME_TRIPS,
    VOLUME_MEASURES
};

struct volume_symbol {
    char symbol[SYMBOL_MAX];
    struct qty held;
    int64_t trips;       /* of the day: what was held is sold */
    struct utc ended;    /* the newest, by its row; {0}: none of the day */
    bool is_end_doubted; /* by a wall that may have been wrong */
};

struct volume_minute {
    int64_t minute; /* since 1970 */
    struct usd traded;
};

struct daily_volume {  /* zero-initialise */
    struct date day;   /* of the counts */
    struct usd equity; /* the baseline: of the previous close; 0 unknown */
    struct usd traded;
    struct volume_minute minutes[60];
    int64_t orders, cancels;
    struct volume_symbol symbols[VOLUME_SYMBOLS_MAX];
    size_t symbol_count;
    uint64_t ended[VOLUME_ENDED_MAX]; /* whose cancel is counted, a ring */
    size_t ended_next;
    bool is_clock_doubted; /* clock_guard, by its rows */
    bool is_due;
    uint64_t due_id; /* of the order that made it due; 0: something else did */
    char why[160];
    bool is_near[VOLUME_MEASURES], is_told[VOLUME_MEASURES]; /* of 80 %, and alerted */
};

/* Takes a durable row, in order. A "start" row says that all before it was latched and alerted. */
void daily_volume_take(struct daily_volume *volume, const struct config *config,
                       const struct journal_row *row);
/* Round trips of a symbol in the exchange day of that instant, since an operator granted it anew; *ended (may be
 * NULL): the newest of them; {0}: there is none. */
int64_t daily_volume_trips(const struct daily_volume *volume, const char *symbol, struct utc at,
                           struct utc *ended);
/* Alerts and latches what is due: behind each send, at each tick's end, before a start is journaled. */
void daily_volume_step(struct daily_volume *volume, struct causes *causes);

#endif
