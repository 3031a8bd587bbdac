/* fanout.h - one observer that tells many, in the order they were added. */
#ifndef SCENARIOS_FANOUT_H
#define SCENARIOS_FANOUT_H

#include "core/world/observe.h"

#define FANOUT_MAX 8

struct fanout { /* zero-initialise, then fanout_init() */
    struct observer seam;
    struct observer *observers[FANOUT_MAX]; /* borrowed */
    size_t count;
};

void fanout_init(struct fanout *fanout);
/* NULL is ignored. */
void fanout_add(struct fanout *fanout, struct observer *observer);

#endif
