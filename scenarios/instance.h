/* instance.h - one core process of the stage: its life, its seams, its loop of ticks.
 *
 * The stage has a core, the process whose story is told as the run's own, and sometimes another:
 * a successor, a second on the same state directory, or one elsewhere. What an instance says goes
 * through its voice: of any but the core it is told as EVENT_OTHER. A younger process
 * that writes to the core's state directory has its lease: it becomes the core. */
#ifndef SCENARIOS_INSTANCE_H
#define SCENARIOS_INSTANCE_H

#include "chaos/faults/faulty_disk.h"
#include "chaos/faults/faulty_http.h"
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/sim_host.h"
#include "core/engine/engine.h"
#include "scenarios/stage_seams.h"

struct stage;

struct voice { /* between the instance's words and who listens */
    struct observer seam;
    struct instance *instance;
    struct text what; /* scratch */
};

struct own_boot { /* the clock of another machine: the same wall, a boot of its own */
    struct clock seam;
    struct clock *inner;
    const struct virtual_clock *machine;
    struct utc since;
};

struct instance {
    struct stage *stage; /* NULL: nobody is here */
    bool is_elsewhere;
    unsigned port;
    struct sim_disk *disk;
    struct sim_disk *own_disk; /* elsewhere: owned */
    struct own_boot own_boot;
    struct process process;
    struct voice voice;
    struct faulty_disk *faulty_disk;
    struct faulty_http *faulty_http;
    struct sim_http sim_http;
    struct tap tap;
    struct mortal_clock mortal_clock;
    struct mortal_entropy mortal_entropy;
    struct mortal_host mortal_host;
    struct mortal_observer mortal_observer; /* its events, while it lives */
    struct sim_entropy entropy;
    struct sim_host host;
    struct world world;
    struct engine *engine;
    struct utc restart_at; /* UTC_NEVER: none planned */
    int lives;             /* starts, refused ones too */
    int refused_starts;
    bool is_stopping, stays_down, has_given_up;
};

/* Puts an instance into one of the stage's two places; elsewhere: on an empty disk of its own, which
 * no fault of the plan touches. It starts at restart_at. */
void instance_open(struct instance *instance, struct stage *stage, unsigned port,
                   bool is_elsewhere);
/* Its process ends at once; nothing for a place where nobody is. */
void instance_close(struct instance *instance);

/* When it has something to do next, by true time; UTC_NEVER for never. */
struct utc instance_next_at(const struct instance *instance);
/* Does what is due: starts it, or lets it tick. */
void instance_act(struct instance *instance);
/* Between ticks: lets it look at its inbox, and tick if there is a command. */
void instance_look(struct instance *instance);
/* A graceful stop. */
void instance_stop(struct instance *instance);
/* True once another has its state directory: then it must end. */
bool instance_is_fenced(const struct instance *instance);
/* Tells an event in its name. */
void instance_tell(struct instance *instance, const struct event *event);

#endif
