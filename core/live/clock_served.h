/* clock_served.h - the time of a simulated Alpaca that is served over HTTP (`--clock served`).
 *
 * Served wall time = anchor + speed x wall time since the anchor. Served monotonic time is the inner
 * monotonic time x speed, so that deadlines and leases age at the market's pace and two processes
 * of one boot agree; it is counted from the last multiple of 2^52 ns of uptime (52 days) to stay in range
 * at the highest speed, and the boot id says which multiple. A sleep of s seconds takes s / speed. */
#ifndef CORE_LIVE_CLOCK_SERVED_H
#define CORE_LIVE_CLOCK_SERVED_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/world/clock.h"

#define CLOCK_SERVED_SPEED_MIN ((struct ratio){NANOS / 1000})
#define CLOCK_SERVED_SPEED_MAX ((struct ratio){1000 * NANOS})

struct clock_served;

/* served is what the server's clock showed (X-Seatrial-Time) when the inner one showed wall. inner is
 * borrowed. Owned by the caller. ERR_RANGE for a speed outside the limits above. */
enum err_code clock_served_create(struct clock *inner, struct utc served, struct utc wall,
                                  struct ratio speed, struct clock_served **out,
                                  struct err *err) MUST_USE;
void clock_served_destroy(struct clock_served *clock);
/* Lives as long as clock. */
struct clock *clock_served_seam(struct clock_served *clock);

#endif
