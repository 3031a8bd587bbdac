/* process.h - the life of one core process, and its death at a chosen effect.
 *
 * Death is the world gone dead: from the chosen effect on every seam call has no side effect and
 * returns the seam's ordinary failure (disk ERR_IO, http ERR_NOT_SENT, entropy ERR_IO; the clock
 * stands still, the host says terminate). The core unwinds by its own error paths; one that makes
 * more than PROCESS_CALLS_AFTER_DEATH_MAX further calls "does not stop", which is a finding.
 *
 * An effect is a call that may change the world outside: an HTTP exchange or a changing disk call.
 * Looks (reads, clock, host, entropy) see death but are not counted as effects. */
#ifndef CHAOS_MACHINE_PROCESS_H
#define CHAOS_MACHINE_PROCESS_H

#include "chaos/machine/virtual_clock.h"

#include <stdbool.h>
#include <stdint.h>

#define PROCESS_CALLS_AFTER_DEATH_MAX 10000

enum process_site { PROCESS_LOOK, PROCESS_DISK, PROCESS_HTTP };

enum process_moment {
    PROCESS_BEFORE, /* the effect does not happen */
    PROCESS_AFTER,  /* the effect happens, its result is never seen */
    PROCESS_DURING, /* http: the request is in flight, its fate drawn; disk: as PROCESS_AFTER */
};

/* What else may befall the living at an effect; whoever plays it lets time pass and others act. */
enum process_ordeal {
    PROCESS_HANG,             /* stands still, nobody takes over */
    PROCESS_PAUSE,            /* stands still, and its supervisor starts another */
    PROCESS_SECOND,           /* another is started beside it */
    PROCESS_SECOND_ELSEWHERE, /* likewise, on a state directory of its own */
};

enum process_verdict {
    PROCESS_ALIVE,        /* go on */
    PROCESS_DEAD,         /* fail, touch nothing */
    PROCESS_CRASH_BEFORE, /* this is the effect: as dead */
    PROCESS_CRASH_AFTER,  /* this is the effect: do it, then fail */
    PROCESS_CRASH_DURING, /* as said at PROCESS_DURING */
};

struct process { /* zero-initialise, then process_start() */
    struct virtual_clock *clock;
    uint64_t life;         /* 1 for the first start */
    uint64_t effects;      /* of this life */
    uint64_t effects_ever; /* of all lives */
    uint64_t calls_after_death;
    uint64_t die_at_effect; /* ordinal in this life, from 1; 0 none */
    enum process_moment moment;
    bool is_dead;
    struct utc died_at; /* true time */
    /* Told before each effect of the living, and may plan its death; NULL for nobody. Stays over lives. */
    void (*at_effect)(void *context, enum process_site site);
    void *at_effect_context;
    /* Plays an ordeal before the effect it was drawn for; NULL: none is drawn. Stays over lives. */
    void (*befall)(void *context, enum process_ordeal ordeal, struct span delay, struct utc until);
    void *befall_context;
};

/* A new life: alive, no death planned. clock (borrowed) is where times of death come from. */
void process_start(struct process *process, struct virtual_clock *clock);

/* Plans death at the ordinal-th effect of this life (from 1), or at the very next effect. The last plan
 * counts. */
void process_die_at_effect(struct process *process, uint64_t ordinal, enum process_moment moment);
void process_die_next(struct process *process, enum process_moment moment);
/* Death now, between two calls. */
void process_kill(struct process *process);

/* Every wrapped seam call asks this once, before it does anything. */
enum process_verdict process_enter(struct process *process, enum process_site site);

static inline bool process_is_dead(const struct process *process) {
    return process->is_dead;
}
static inline bool process_does_not_stop(const struct process *process) {
    return process->calls_after_death > PROCESS_CALLS_AFTER_DEATH_MAX;
}

#endif
