/* replay_file.c - see replay_file.h. */
#include "scenarios/replay_file.h"

#include <stdio.h>

enum err_code replay_plan(const struct scenario *scenario, struct plan *plan, struct err *err) {
    enum err_code code = plan_replay(plan, err);
    for (size_t i = 0; code == ERR_OK && i < scenario->schedule_count; i++) {
        const struct scenario_line *line = &scenario->schedule[i];
        struct fault_fired fired = {.tick = line->tick,
                                    .point = plan_fault(plan, line->fault)->point,
                                    .fault = line->fault,
                                    .ordinal = line->ordinal};
        (void)snprintf(fired.entity, sizeof fired.entity, "%s", line->entity);
        code = plan_replay_add(plan, &fired, err);
        if (code != ERR_OK) {
            return err_wrap(err, "schedule[%zu]", i);
        }
    }
    return code;
}

void replay_print(const struct plan *plan, struct text *out) {
    text_add(out, "[");
    for (size_t i = 0; i < plan_fired_count(plan); i++) {
        const struct fault_fired *fired = plan_fired(plan, i);
        text_add(out, i == 0 ? "\n{" : ",\n{");
        text_member_int(out, "tick", fired->tick);
        text_member_utc(out, "at", fired->at);
        text_member_string(out, "point", fault_point_name(fired->point));
        text_member_int(out, "fault", (int64_t)fired->fault);
        text_member_string(out, "entity", fired->entity);
        text_member_int(out, "ordinal", (int64_t)fired->ordinal);
        text_add_char(out, '}');
    }
    text_add(out, "]");
}
