/* clock_system.h - the machine's own clocks behind the clock seam.
 *
 * Wall time is CLOCK_REALTIME. Monotonic time is CLOCK_BOOTTIME, not CLOCK_MONOTONIC: it also counts
 * while the machine is suspended, so that after a suspend a last look, a deadline or a lease is as old
 * as it really is. */
#ifndef CORE_LIVE_CLOCK_SYSTEM_H
#define CORE_LIVE_CLOCK_SYSTEM_H

#include "core/base/err.h"
#include "core/world/clock.h"

struct clock_system;

/* Owned by the caller. ERR_IO when the kernel does not tell its boot id. */
enum err_code clock_system_create(struct clock_system **out, struct err *err) MUST_USE;
void clock_system_destroy(struct clock_system *system);
/* Lives as long as system. */
struct clock *clock_system_seam(struct clock_system *system);

#endif
