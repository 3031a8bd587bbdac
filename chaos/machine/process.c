/* process.c - see process.h. */
#include "chaos/machine/process.h"

void process_start(struct process *process, struct virtual_clock *clock) {
    *process = (struct process){.clock = clock,
                                .life = process->life + 1,
                                .effects_ever = process->effects_ever,
                                .at_effect = process->at_effect,
                                .at_effect_context = process->at_effect_context,
                                .befall = process->befall,
                                .befall_context = process->befall_context};
}

void process_die_at_effect(struct process *process, uint64_t ordinal, enum process_moment moment) {
    process->die_at_effect = ordinal;
    process->moment = moment;
}

void process_die_next(struct process *process, enum process_moment moment) {
    process_die_at_effect(process, process->effects + 1, moment);
}

static struct utc true_now(const struct process *process) {
    return process->clock == NULL ? (struct utc){0} : virtual_clock_now(process->clock);
}

void process_kill(struct process *process) {
    if (!process->is_dead) {
        process->is_dead = true;
        process->died_at = true_now(process);
    }
}

static enum process_verdict verdict_of(enum process_moment moment) {
    switch (moment) {
    case PROCESS_BEFORE:
        return PROCESS_CRASH_BEFORE;
    case PROCESS_AFTER:
        return PROCESS_CRASH_AFTER;
    case PROCESS_DURING:
        break;
    }
    return PROCESS_CRASH_DURING;
}

enum process_verdict process_enter(struct process *process, enum process_site site) {
    if (process->is_dead) {
        process->calls_after_death++;
        return PROCESS_DEAD;
    }
    if (site == PROCESS_LOOK) {
        return PROCESS_ALIVE;
    }
    if (process->at_effect != NULL) {
        process->at_effect(process->at_effect_context, site);
    }
    if (process->is_dead) { /* killed meanwhile */
        return PROCESS_CRASH_BEFORE;
    }
    process->effects++;
    process->effects_ever++;
    if (process->effects != process->die_at_effect) {
        return PROCESS_ALIVE;
    }
    process_kill(process);
    return verdict_of(process->moment);
}
