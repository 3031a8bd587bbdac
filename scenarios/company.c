/* company.c - what befalls the core's process besides death, and the other instance that may be there.
 *
 * The other acts inside the core's seam calls, before an effect, where nobody is inside broker or disk:
 * while the core stands still, or at an effect drawn from the seed once it is due. It is never left
 * alone inside the other's: calls nest one deep. */
#include "core/base/check.h"
#include "core/base/random.h"
#include "scenarios/exhaust.h"
#include "scenarios/stage_internal.h"

#define PATIENCE 40             /* a tick has some fifty effects */
#define OVERDUE_AFTER SPAN_S(2) /* then it acts between the core's calls */
#define SECOND_PORT 2           /* 1 is the operator's */

struct instance *company_other(struct stage *stage) {
    struct instance *other = &stage->instances[stage->core == &stage->instances[0] ? 1 : 0];
    return other->stage == NULL ? NULL : other;
}

/* Who has company, or is company, is spared further ordeals. */
static void spare(struct stage *stage, bool is_spared) {
    stage->core->process.befall = is_spared ? NULL : company_befall;
    stage->core->process.befall_context = stage->core;
}

static struct instance *open_other(struct stage *stage, bool is_elsewhere, struct utc start_at,
                                   struct utc until) {
    const size_t place = stage->core == &stage->instances[0] ? 1 : 0;
    struct instance *other = &stage->instances[place];
    CHECK(other->stage == NULL);
    instance_open(other, stage, place == 0 ? 0 : SECOND_PORT, is_elsewhere);
    other->restart_at = start_at;
    stage->company = (struct company){.until = until};
    spare(stage, true);
    return other;
}

static void close_other(struct stage *stage, struct instance *other) {
    instance_close(other);
    spare(stage, false);
}

/* --- standing still --- */

static void tell_pause(struct instance *instance, const char *word) {
    instance_tell(instance, &(struct event){.kind = EVENT_PAUSE,
                                            .at = virtual_clock_now(instance->stage->clock),
                                            .subject = word});
}

/* Time goes on, and with it the other (may be NULL), until then or until the sleeper is dead. */
static void stand_still(struct instance *instance, struct utc until, struct instance *other) {
    struct stage *stage = instance->stage;
    tell_pause(instance, "begin");
    stage->company.is_inside = true;
    while (utc_is_before(virtual_clock_now(stage->clock), until) &&
           !process_is_dead(&instance->process)) {
        if (other == NULL) {
            virtual_clock_advance_to(stage->clock, until);
        } else {
            stage_step(stage, other, until);
        }
    }
    stage->company.is_inside = false;
    tell_pause(instance, "end");
    stage_next_tick(stage, instance);
    if (other != NULL && stage->core == instance) {
        close_other(stage, other); /* it came too early */
    }
}

void company_befall(void *context, enum process_ordeal ordeal, struct span delay,
                    struct utc until) {
    struct instance *instance = context;
    struct stage *stage = instance->stage;
    const struct utc now = virtual_clock_now(stage->clock);
    const struct utc end = utc_add(now, delay);
    switch (ordeal) {
    case PROCESS_HANG:
        stand_still(instance, end, NULL);
        break;
    case PROCESS_PAUSE:
        stand_still(instance, end,
                    open_other(stage, false, utc_add(now, stage_restart_delay(stage)), UTC_NEVER));
        break;
    case PROCESS_SECOND:
    case PROCESS_SECOND_ELSEWHERE:
        (void)open_other(stage, ordeal == PROCESS_SECOND_ELSEWHERE, now, until);
        break;
    }
}

/* --- side by side --- */

static void act(struct stage *stage, struct instance *other) {
    stage->company.is_inside = true;
    instance_act(other);
    stage->company.is_inside = false;
    stage->company.is_due = false;
}

/* True when the other's moment has come: some effects after it was due. */
static bool is_its_moment(struct stage *stage) {
    struct company *company = &stage->company;
    if (!company->is_due) {
        struct random random =
            random_stream(stage->scenario->seed, "company", (uint64_t)stage->tick, 0, 0);
        company->is_due = true;
        company->patience = random_below(&random, PATIENCE);
    }
    return company->patience-- == 0;
}

void company_at_effect(void *context, enum process_site site) {
    struct instance *instance = context;
    struct stage *stage = instance->stage;
    struct exhaust *exhaust = stage->options->exhaust;
    struct instance *other = &stage->instances[instance == &stage->instances[0] ? 1 : 0];
    if (exhaust != NULL && instance == stage->core) {
        exhaust_at_effect(exhaust, site);
    }
    const struct utc now = virtual_clock_now(stage->clock);
    if (stage->company.is_inside || other->stage == NULL ||
        utc_is_before(now, instance_next_at(other)) || !is_its_moment(stage)) {
        return;
    }
    act(stage, other);
    stage_next_tick(stage, instance);
}

/* Its process looks at its lease before it goes on (engine_run()), and must find it lost. */
static void see_out(struct stage *stage, struct instance *other) {
    const bool is_here = !other->is_elsewhere && other->engine != NULL;
    if (is_here && !process_is_dead(&other->process) && !instance_is_fenced(other)) {
        instance_tell(other, &(struct event){.kind = EVENT_START,
                                             .at = virtual_clock_now(stage->clock),
                                             .subject = "unfenced"});
    }
    close_other(stage, other);
}

void company_look(struct stage *stage) {
    struct instance *other = company_other(stage);
    const struct utc now = virtual_clock_now(stage->clock);
    if (other == NULL) {
        return;
    }
    if (!utc_is_before(now, stage->company.until)) {
        see_out(stage, other);
    } else if (!utc_is_before(now, utc_add(instance_next_at(other), OVERDUE_AFTER))) {
        act(stage, other);
    }
}

struct utc company_next_at(struct stage *stage) {
    const struct instance *other = company_other(stage);
    if (other == NULL) {
        return UTC_NEVER;
    }
    const struct utc overdue = instance_next_at(other).ns == UTC_NEVER.ns
                                   ? UTC_NEVER
                                   : utc_add(instance_next_at(other), OVERDUE_AFTER);
    return utc_is_before(overdue, stage->company.until) ? overdue : stage->company.until;
}

void company_end(struct stage *stage) {
    struct instance *other = company_other(stage);
    if (other != NULL) {
        see_out(stage, other);
    }
}
