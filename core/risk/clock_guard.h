/* clock_guard.h - no entry while the wall clock may be wrong: entry windows, quote ages and cooldowns go
 * by it.
 *
 * Two readings of /v2/clock behind each other that differ from the wall by more than clock.agreement_s in
 * the same direction, or a step of the wall against the monotonic clock of more than clock.step_s between
 * two looks, put it in doubt; so do a new boot, and a start that does not at once find them to agree.
 * Doubt is REDUCE_ONLY, and ends when two readings behind each other agree and the session is the same by
 * both clocks. Nothing here is timed by the wall, and nothing ends by time.
 *
 * A reading is known to half its round trip. One whose round trip is above clock.agreement_s, or whose
 * error leaves both possible, says nothing; that none comes is degraded_mode's matter.
 *
 * Rows `clock` say when doubt began and ended. It survives a restart, and a cooldown that began within it
 * runs again from its end (gateway.h). */
#ifndef CORE_RISK_CLOCK_GUARD_H
#define CORE_RISK_CLOCK_GUARD_H

#include "core/config/config.h"
#include "core/risk/causes.h"

#define CLOCK_GUARD_CAUSE "clock_guard"
#define CLOCK_ROW "clock" /* its key is one of these */
#define CLOCK_DOUBTED "doubted"
#define CLOCK_AGREES "agrees"

struct clock_reading {
    bool is_answered;
    struct utc broker; /* what it says */
    struct utc wall;   /* when it arrived */
    struct span round_trip;
};

struct clock_guard {
    bool is_on;
    bool is_verified; /* a reading agreed since the start */
    bool has_look;
    struct span lead; /* of the wall before the monotonic clock, at the last look */
    int astray;       /* readings behind each other that put the broker ahead (+) or behind (-) */
    int agreeing;     /* readings behind each other */
    bool was_doubted; /* by the rows */
    char boot[CLOCK_BOOT_MAX]; /* of the last start; "": none is known */
};

/* Rows `start` and `clock` of earlier lives. */
void clock_guard_fold(struct clock_guard *guard, const struct journal_row *row);
/* Behind the fold. */
void clock_guard_start(struct clock_guard *guard, struct causes *causes);
/* Looks at the wall: at each tick. */
void clock_guard_look(struct clock_guard *guard, struct causes *causes,
                      const struct config *config);
/* The reading of a tick, answered or not; is_same_day: the session by the broker's clock is the one in
 * use. */
void clock_guard_judge(struct clock_guard *guard, struct causes *causes,
                       const struct config *config, const struct clock_reading *reading,
                       bool is_same_day);

#endif
