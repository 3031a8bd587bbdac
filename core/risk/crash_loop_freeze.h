/* crash_loop_freeze.h - a core that dies again and again opens nothing more until a person has looked: what
 * killed it will be there in the next life too, and a supervisor would go on for ever.
 *
 * An *unclean start* is one before which the life that started last journaled no clean stop: it was killed,
 * a CHECK ended it, its machine went down, or it stands still and was succeeded. A *failed tick* is one that
 * could not write down or read what the core itself must remember: the journal, a document, the inbox. The
 * broker, its silence and a symbol's data fail neither. A stop by SIGTERM is clean, as often as it comes.
 *
 * So many of one kind within the window latch crash_loop_freeze, REDUCE_ONLY, which binds no exit. Both are
 * folded from the journal: rows `start` and `tick_failed` hold a stamp (stamp.h). A wall that was set back
 * counts as no time at all, so that it hides no loop. A wall that was set forward
 * while the machine was down is believed: nothing here can tell it from a night. What fails while the
 * journal takes no row is counted by this life alone. A life that dies before its `start` row has done
 * nothing, and is not counted. A clear by an operator begins both counts anew.
 *
 * CRASH_LOOP_FLAG in the state directory tells people and other tools that the cause is set; what binds is
 * the cause. The file binds only when a start finds it: there by a hand, empty or unreadable alike, it
 * latches. A resume of the cause removes it first. */
#ifndef CORE_RISK_CRASH_LOOP_FREEZE_H
#define CORE_RISK_CRASH_LOOP_FREEZE_H

#include "core/config/config.h"
#include "core/risk/causes.h"
#include "core/state/stamp.h"

#define CRASH_LOOP_CAUSE "crash_loop_freeze"
#define CRASH_LOOP_FLAG "pre_market_freeze.flag"
#define CRASH_TIMES_MAX 100 /* the most that a limit may be */

struct crash_times { /* when the newest of a kind were, by the loop's own time */
    struct span at[CRASH_TIMES_MAX];
    size_t count; /* ever; a ring */
};

struct crash_loop { /* zero-initialise */
    struct stamp last;
    bool has_last;
    struct span elapsed; /* since the first stamp; never falls */
    struct crash_times starts, ticks;
    bool is_running; /* a start, and no clean stop since */
    bool is_due;     /* by a row, and not latched since */
    char why[96];
    bool is_flag_shown;
};

/* Takes a durable row; at the fold all, in a life the clears. */
void crash_loop_take(struct crash_loop *loop, const struct journal_row *row);
/* Journals this start, and latches what it makes due; causes' journal is open and folded. Errors: as
 * journal_commit(). */
enum err_code crash_loop_start(struct crash_loop *loop, const struct config *config,
                               struct causes *causes, const char *build, struct err *err) MUST_USE;
/* At a full tick's end: why it failed, NULL if it did not. */
void crash_loop_tick(struct crash_loop *loop, const struct config *config, struct causes *causes,
                     const char *why);
/* Latches if the flag lies there; behind the fold. */
void crash_loop_look(struct crash_loop *loop, struct causes *causes);
/* Writes the flag if the cause is set and it was not written yet; a failure is tried again. */
void crash_loop_show(struct crash_loop *loop, struct causes *causes);
/* Removes the flag, durably; then the cause may be cleared. */
enum err_code crash_loop_remove_flag(struct crash_loop *loop, struct causes *causes,
                                     struct err *err) MUST_USE;

#endif
