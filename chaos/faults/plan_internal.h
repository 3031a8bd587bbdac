/* plan_internal.h - what the gate, and nobody else, does to a plan. */
#ifndef CHAOS_FAULTS_PLAN_INTERNAL_H
#define CHAOS_FAULTS_PLAN_INTERNAL_H

#include "chaos/faults/plan.h"

bool plan_armed(const struct plan *plan);
void plan_set_armed(struct plan *plan, bool is_armed);
/* Tells the observer the newest line of the schedule; not from inside libfiu's callback, where its
 * lock is held. */
void plan_tell_last(struct plan *plan);
const struct virtual_clock *plan_clock(const struct plan *plan);

#endif
