/* clock.h - the seam to time.
 *
 * Wall and monotonic time are apart: the wall may step, monotonic never goes back within one boot.
 * boot_id names the boot; a persisted monotonic reading means nothing under another one. */
#ifndef CORE_WORLD_CLOCK_H
#define CORE_WORLD_CLOCK_H

#include "core/base/utc.h"

#define CLOCK_BOOT_MAX 40
/* clock_sleep() takes at most this long a span, so that host and inbox are looked at in between. */
#define CLOCK_SLEEP_MAX SPAN_MS(250)

struct clock;

struct clock_ops {
    struct utc (*utc_now)(struct clock *clock);
    struct mono (*mono_now)(struct clock *clock);
    void (*boot_id)(struct clock *clock, char out[static CLOCK_BOOT_MAX]);
    void (*sleep)(struct clock *clock, struct span span);
};

struct clock {
    const struct clock_ops *ops;
};

static inline struct utc clock_utc(struct clock *clock) {
    return clock->ops->utc_now(clock);
}
static inline struct mono clock_mono(struct clock *clock) {
    return clock->ops->mono_now(clock);
}
static inline void clock_boot_id(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    clock->ops->boot_id(clock, out);
}
/* Sleeps for span, at most CLOCK_SLEEP_MAX; may return early on a signal. */
static inline void clock_sleep(struct clock *clock, struct span span) {
    clock->ops->sleep(clock, span);
}

#endif
