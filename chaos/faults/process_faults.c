/* process_faults.c - see process_faults.h. */
#include "chaos/faults/process_faults.h"

#include "chaos/faults/gate.h"

static const struct row {
    enum fault_point point;
    enum process_ordeal ordeal;
    struct span delay; /* if the fault says none */
} rows[] = {
    {POINT_PROCESS_HANG, PROCESS_HANG, {60 * NANOS}},
    {POINT_PROCESS_PAUSE, PROCESS_PAUSE, {120 * NANOS}},
    {POINT_PROCESS_SECOND, PROCESS_SECOND, {0}},
    {POINT_PROCESS_SECOND_ELSEWHERE, PROCESS_SECOND_ELSEWHERE, {0}},
};

void process_faults_meet(struct plan *plan, struct process *process, const char *entity) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (process->befall == NULL || process_is_dead(process)) {
            return;
        }
        const struct fault *fault = chaos_ask(plan, rows[i].point, entity);
        if (fault != NULL) {
            const struct span delay = fault->delay.ns == 0 ? rows[i].delay : fault->delay;
            process->befall(process->befall_context, rows[i].ordeal, delay,
                            plan_until(plan, fault));
        }
    }
}
