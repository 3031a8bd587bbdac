/* gate.c - see gate.h. The only file that sees libfiu. */
#include "chaos/faults/gate.h"

#include "chaos/faults/plan_internal.h"
#include "core/base/check.h"

#include <string.h>

#define FIU_ENABLE
#include <fiu-control.h>
#include <fiu.h>

struct question {
    struct plan *plan;
    enum fault_point point;
    size_t only;
    const char *entity;
    const struct fault *answer;
};

/* The one mutable static of this room: libfiu's table is process-global, and its callback gets no
 * context but the point's name. */
static struct {
    struct question *asking;          /* NULL between questions */
    unsigned uses[FAULT_POINT_COUNT]; /* armed plans per point */
} gate;

/* Never a decision of libfiu's: the plan whose question this is decides. Failure number and info
 * are set each time, because libfiu keeps them. */
static int decide(const char *name, int *failnum, void **failinfo, unsigned int *flags) {
    (void)flags;
    struct question *question = gate.asking;
    *failnum = 1;
    *failinfo = NULL;
    if (question == NULL) {
        return 0;
    }
    CHECK(strcmp(name, fault_point_name(question->point)) == 0);
    question->answer =
        plan_decide(question->plan, question->point, question->only, question->entity);
    return question->answer != NULL;
}

static void release_points(const struct plan *plan, int end) {
    for (int i = 0; i < end; i++) {
        if (plan_uses(plan, (enum fault_point)i) && --gate.uses[i] == 0) {
            (void)fiu_disable(fault_point_name((enum fault_point)i));
        }
    }
}

enum err_code chaos_arm(struct plan *plan, const struct virtual_clock *simulated, struct err *err) {
    if (simulated == NULL || simulated != plan_clock(plan)) {
        return err_set(err, ERR_REFUSED, "faults can be armed in a simulated world only");
    }
    if (plan_armed(plan)) {
        return err_set(err, ERR_USAGE, "the plan is armed already");
    }
    if (fiu_init(0) != 0) {
        return err_set(err, ERR_IO, "libfiu does not start");
    }
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        const enum fault_point point = (enum fault_point)i;
        if (!plan_uses(plan, point) || gate.uses[i]++ > 0) {
            continue;
        }
        if (fiu_enable_external(fault_point_name(point), 1, NULL, 0, decide) != 0) {
            gate.uses[i]--;
            release_points(plan, i);
            return err_set(err, ERR_IO, "libfiu refuses %s", fault_point_name(point));
        }
    }
    plan_set_armed(plan, true);
    return ERR_OK;
}

void chaos_disarm(struct plan *plan) {
    if (plan_armed(plan)) {
        plan_set_armed(plan, false);
        release_points(plan, FAULT_POINT_COUNT);
    }
}

bool chaos_is_armed(const struct plan *plan) {
    return plan != NULL && plan_armed(plan);
}

static const struct fault *ask(struct plan *plan, enum fault_point point, size_t only,
                               const char *entity) {
    if (!chaos_is_armed(plan) || !plan_uses(plan, point)) {
        return NULL;
    }
    struct question question = {.plan = plan, .point = point, .only = only, .entity = entity};
    struct question *outer = gate.asking;
    gate.asking = &question;
    const int failed = fiu_fail(fault_point_name(point));
    gate.asking = outer;
    if (failed == 0) {
        return NULL;
    }
    plan_tell_last(plan);
    return question.answer;
}

const struct fault *chaos_ask(struct plan *plan, enum fault_point point, const char *entity) {
    return ask(plan, point, PLAN_ANY_FAULT, entity);
}

bool chaos_ask_fault(struct plan *plan, size_t fault, const char *entity) {
    return ask(plan, plan_fault(plan, fault)->point, fault, entity) != NULL;
}
