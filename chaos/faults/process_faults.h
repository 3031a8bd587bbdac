/* process_faults.h - what befalls a process at an effect, besides death: asked by the wrappers of disk and
 * http, played by the stage (struct process, befall). */
#ifndef CHAOS_FAULTS_PROCESS_FAULTS_H
#define CHAOS_FAULTS_PROCESS_FAULTS_H

#include "chaos/faults/plan.h"
#include "chaos/machine/process.h"

/* Before an effect: asks the plan, and has what fires played at once; the process may be dead afterwards. */
void process_faults_meet(struct plan *plan, struct process *process, const char *entity);

#endif
