/* fanout.c - one observer that tells many. */
#include "scenarios/fanout.h"

#include "core/base/check.h"

static void fanout_observe(struct observer *observer, const struct event *event) {
    struct fanout *fanout = (struct fanout *)observer;
    for (size_t i = 0; i < fanout->count; i++) {
        fanout->observers[i]->ops->observe(fanout->observers[i], event);
    }
}

static const struct observer_ops fanout_ops = {fanout_observe};

void fanout_init(struct fanout *fanout) {
    *fanout = (struct fanout){.seam = {&fanout_ops}};
}

void fanout_add(struct fanout *fanout, struct observer *observer) {
    if (observer != NULL) {
        CHECK(fanout->count < FANOUT_MAX);
        fanout->observers[fanout->count++] = observer;
    }
}
