/* gate.h - the one gate between the wrappers and libfiu.
 *
 * libfiu is process-global: its table of points and what its callback can see are shared by all
 * worlds of the process. The gate therefore holds the one mutable static of this room: which
 * question is being asked right now, and how many armed plans use each point. It is saved and
 * restored around every question, so worlds may nest and follow each other. Points are enabled by
 * exact name, only those of armed plans, with fiu_enable_external(); libfiu's own generator is
 * never used. libfiu is linked statically: no preloaded library can take its place. */
#ifndef CHAOS_FAULTS_GATE_H
#define CHAOS_FAULTS_GATE_H

#include "chaos/faults/plan.h"

/* Arms a plan. simulated is the token of a simulated world: nobody but virtual_clock_create() can
 * make one, so a live process cannot arm. It must be the plan's own clock. ERR_REFUSED without it,
 * ERR_USAGE if the plan is armed, ERR_IO if libfiu says no. */
enum err_code chaos_arm(struct plan *plan, const struct virtual_clock *simulated,
                        struct err *err) MUST_USE;
/* Undoes chaos_arm(); a plan that is not armed stays so. plan_destroy() wants it disarmed. */
void chaos_disarm(struct plan *plan);
bool chaos_is_armed(const struct plan *plan);

/* Asks one point about one entity: the fault that fires, or NULL; at once NULL if plan is NULL, not
 * armed, or has no such point. The fault lives as long as the plan. */
const struct fault *chaos_ask(struct plan *plan, enum fault_point point, const char *entity);

/* The same about one fault of the plan alone: for points whose faults hold for their window, asked
 * at its begin. */
bool chaos_ask_fault(struct plan *plan, size_t fault, const char *entity);

#endif
