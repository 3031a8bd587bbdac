/* watch.h - what a scenario expects of its run: mechanisms and their events, in time, and those that must
 * stay quiet.
 *
 * What must never be of the rest is replay/oracle's to judge. */
#ifndef SCENARIOS_WATCH_H
#define SCENARIOS_WATCH_H

#include "core/base/text.h"
#include "core/world/observe.h"
#include "scenarios/scenario.h"

struct watch { /* watch_init() */
    struct observer seam;
    const struct scenario *scenario; /* borrowed */
    bool has_plan;                   /* a fault or a command has a time of its own */
    struct utc first_disturbance;    /* {0}: none yet */
    bool is_met[SCENARIO_EXPECT_MAX];
    struct utc met_at[SCENARIO_EXPECT_MAX]; /* first */
    struct utc unwanted_from[SCENARIO_EXPECT_MAX],
        unwanted_at[SCENARIO_EXPECT_MAX]; /* first; {0} never */
};

void watch_init(struct watch *watch, const struct scenario *scenario);
/* True once what happens may meet an expectation: where something is planned at a time of its own, behind the
 * first disturbance. */
bool watch_has_begun(const struct watch *watch);
/* What is unwanted from an instant on is allowed before it. */
void watch_allow_until(struct watch *watch, size_t unwanted, struct utc from);
/* How many expectations were not met, and how many mechanisms were not quiet; each as a line in out. */
size_t watch_missed(const struct watch *watch, struct text *out);

#endif
