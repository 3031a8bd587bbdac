/* watch.h - what a scenario expects of its run: mechanisms and their events, in time.
 *
 * What must never be is replay/oracle's to judge. */
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
};

void watch_init(struct watch *watch, const struct scenario *scenario);
/* How many expectations were not met; each as a line in out. */
size_t watch_missed(const struct watch *watch, struct text *out);

#endif
