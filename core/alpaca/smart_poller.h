/* smart_poller.h - when quotes, trades, bars and snapshots may be asked for, and for whom.
 *
 * Each of them has an interval of its own, engine.cycle_s: what nothing is held of is asked once a cycle. A failure doubles
 * it, up to poller.most times, less a drawn part of a fifth (read_backoff.h); the first success ends that, and one of
 * symbols that are held alone does where the host was at fault (no answer, 5xx): else the others may be what failed. So a
 * request with others that fails in another way is followed by one of what is held alone, and failures of such make no
 * wait longer. A minute and a day hold so many requests, and half of the minute is kept: what neither is held nor has an
 * order may spend the other half alone. Symbols of the universe that are held or have an order are never refused, by any
 * of this: an exit is decided and priced by them. They are counted.
 *
 * A read that failed changes nothing but this: how fresh a price or bar is, its own time says. The day's count is of this
 * process and of 24 hours from its first request on: no wall moves it. Snapshots (signal_cache.h) are asked for what is
 * not held alone. Zero-initialise; no failure, all due. */
#ifndef CORE_ALPACA_SMART_POLLER_H
#define CORE_ALPACA_SMART_POLLER_H

#include "core/alpaca/read_backoff.h"
#include "core/config/config.h"

enum poll_line { POLL_QUOTES, POLL_TRADES, POLL_BARS, POLL_SNAPSHOTS, POLL_LINES };
const char *poll_line_word(enum poll_line line);

/* Why a symbol that is not held must wait. */
enum poll_hold { POLL_FREE, POLL_BACKOFF, POLL_MINUTE, POLL_DAY };
const char *poll_hold_word(enum poll_hold hold);

/* What an outcome changed: nothing, the first failure in a row, its end. */
enum poll_news { POLL_SAME, POLL_SLOWED, POLL_BACK };

enum { POLL_MINUTE_MAX = 1000 }; /* the highest poller.minute */

struct poll_window { /* a ring */
    struct mono at[POLL_MINUTE_MAX];
    int64_t count; /* ever */
};

struct smart_poller {
    struct read_backoff backoffs[POLL_LINES];
    bool is_hurried[POLL_LINES];  /* in this run of failures */
    bool is_of_spare[POLL_LINES]; /* the failures may be of symbols that are not held */
    struct poll_window all, spare;
    struct mono day_began;
    int64_t day_count;
};

enum poll_hold smart_poller_holds(const struct smart_poller *poller, enum poll_line line,
                                  const struct config *config, struct mono now);
/* An attempt begins; smart_poller_note() follows. */
void smart_poller_start(struct smart_poller *poller, enum poll_line line, struct mono now);

struct poll_outcome {
    enum err_code code;
    const struct alpaca_reply *reply;
    int64_t requests; /* that left for it: pages */
    bool is_spare;    /* it asked for a symbol that is not held */
};
enum poll_news smart_poller_note(struct smart_poller *poller, enum poll_line line,
                                 const struct config *config, const struct poll_outcome *outcome,
                                 struct entropy *entropy);
/* How many pages one read may take: what is left of the half of the minute, at least 1. */
int64_t smart_poller_pages(const struct smart_poller *poller, const struct config *config,
                           struct mono now);
/* A failure that what is held need not share: it is asked apart at once. */
bool smart_poller_asks_apart(const struct poll_outcome *outcome);
/* The way to the host is a new one: what fails may be asked at once, once in a run of failures. */
void smart_poller_hurry(struct smart_poller *poller, struct mono now);

#endif
