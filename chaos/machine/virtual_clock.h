/* virtual_clock.h - time as the world of a simulation has it, and the clock seam on top of it.
 *
 * True time only moves forward, only through the functions here, and is what stage, broker and plan
 * go by. The wall a process reads is true time plus an offset that chaos may step or skew; its
 * monotonic clock is true time since the boot. A new boot restarts the latter and has a new id. */
#ifndef CHAOS_MACHINE_VIRTUAL_CLOCK_H
#define CHAOS_MACHINE_VIRTUAL_CLOCK_H

#include "core/world/clock.h"

#include <stdbool.h>

struct virtual_clock;

/* How the stage takes part in an advance. An advance to T first stops at every next_at() <= T, in
 * order, and calls moved() there, then once at T itself. Time moved inside moved() (a second
 * instance at work) only moves time: no hook is called again, and the outer advance ends later by
 * as much. */
struct virtual_clock_hook {
    void (*moved)(void *context, struct utc now);
    /* The next instant at which something is due; UTC_NEVER for none. May be NULL. After moved(now)
     * it must be later than now: the same instant VIRTUAL_CLOCK_STALL_MAX times running is a bug.
     */
    struct utc (*next_at)(void *context);
    void *context;
};

#define UTC_NEVER ((struct utc){INT64_MAX})
#define VIRTUAL_CLOCK_STALL_MAX 10000

/* A machine switched on at `start`; boot_name ("seed-7") goes into its boot ids. Never NULL; owned
 * by the caller, and outlives everything that was given it. */
struct virtual_clock *virtual_clock_create(struct utc start, const char *boot_name);
void virtual_clock_destroy(struct virtual_clock *clock);

/* The seam, as a process sees it: wall with offset, monotonic since boot; sleep advances time.
 * Lives as long as the virtual clock. */
struct clock *virtual_clock_seam(struct virtual_clock *clock);

/* Replaces the hook; NULL for none. The hook is copied. */
void virtual_clock_set_hook(struct virtual_clock *clock, const struct virtual_clock_hook *hook);

struct utc virtual_clock_now(const struct virtual_clock *clock);
/* Moves true time by a span (>= 0), or to an instant (nothing if that is past). */
void virtual_clock_advance(struct virtual_clock *clock, struct span span);
void virtual_clock_advance_to(struct virtual_clock *clock, struct utc at);

/* The wall's offset from true time: a step is another offset. */
void virtual_clock_set_offset(struct virtual_clock *clock, struct span offset);
struct span virtual_clock_offset(const struct virtual_clock *clock);

/* A new boot now: monotonic restarts at zero, the boot id changes, the wall keeps its offset. */
void virtual_clock_reboot(struct virtual_clock *clock);

#endif
