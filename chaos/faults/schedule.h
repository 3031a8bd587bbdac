/* schedule.h - the lines of a schedule that a plan replays: found by what was asked, each once.
 *
 * A line is known by (point, tick, entity, ordinal in the tick), never by its place: what else is
 * asked, and what else fired, does not matter. */
#ifndef CHAOS_FAULTS_SCHEDULE_H
#define CHAOS_FAULTS_SCHEDULE_H

#include "chaos/faults/plan.h"

#define SCHEDULE_LINES_MAX 100000

struct schedule_line {
    struct fault_fired fired; /* what is to be; `at` means nothing */
    bool is_done;
};

struct schedule {                /* zero-initialise; schedule_release() */
    struct schedule_line *lines; /* owned, by tick */
    size_t count, cap;
    size_t first, end; /* the lines of the present tick */
};

void schedule_release(struct schedule *schedule);
/* Copies a line. ERR_USAGE if its tick lies before the last one's, ERR_LIMIT. */
enum err_code schedule_add(struct schedule *schedule, const struct fault_fired *line,
                           struct err *err) MUST_USE;
/* Ticks ascend. */
void schedule_set_tick(struct schedule *schedule, int64_t tick);
/* The line of this tick that says so (of the fault `only`, or PLAN_ANY_FAULT), which is then done;
 * NULL if there is none. */
const struct schedule_line *schedule_take(struct schedule *schedule, enum fault_point point,
                                          size_t only, const char *entity, uint64_t ordinal);

#endif
