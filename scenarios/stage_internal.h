/* stage_internal.h - the stage's parts, shared by its files alone. */
#ifndef SCENARIOS_STAGE_INTERNAL_H
#define SCENARIOS_STAGE_INTERNAL_H

#include "chaos/faults/gate.h"
#include "replay/oracle/oracle.h"
#include "scenarios/fanout.h"
#include "scenarios/instance.h"
#include "scenarios/logbook.h"
#include "scenarios/messenger.h"
#include "scenarios/sea.h"
#include "scenarios/shelf.h"
#include "scenarios/stage.h"
#include "scenarios/trace.h"
#include "scenarios/watch.h"

struct due { /* an operator's row and when it happens */
    struct utc at;
    size_t row;
};

struct company {       /* of the core: another instance, if any */
    struct utc until;  /* its window's end */
    bool is_inside;    /* it acts, inside one of the core's effects */
    bool is_due;       /* it waits for an effect to act in */
    uint64_t patience; /* effects that it still waits */
};

struct stage {
    const struct stage_options *options;
    const struct scenario *scenario;
    struct config config;
    struct market *market;
    struct broker *broker;
    struct virtual_clock *clock;
    struct sim_disk *disk;
    struct plan *plan;
    struct sea *sea; /* what befalls orders, prices and the wall */
    struct late_queue *late;
    struct direct_http direct;
    struct instance instances[2];
    struct instance *core; /* the one the run is about */
    struct company company;
    struct messenger *messenger; /* NULL: nobody delivers alerts */
    struct sim_entropy operator_entropy;
    struct sim_host operator_host;
    struct world operator_world; /* the operator's shell: another port of the same disk */
    struct fanout fanout;
    struct shelf shelf;
    struct logbook logbook;
    struct trace trace;
    struct collect *collect;
    struct oracle *oracle;
    struct watch watch;
    struct observer rules; /* operator rows that wait for an event */
    struct session first_session;
    struct utc start, end;
    struct due due[SCENARIO_OPERATOR_MAX]; /* each row at most once */
    size_t due_count;
    const char *reload_settings; /* JSON that the next reload reads; NULL: the scenario's own */
    bool is_reload_key_wrong;    /* and whether the key pair it reads is one that nobody issued */
    int key_number; /* of the pair that the broker knows: 0, and one more each rotation */
    bool is_woken;  /* something was left for the core: it looks within 250 ms */
    int64_t tick;
    uint64_t life;
    struct span wall_told;       /* its offset from true time, as the judges know it */
    struct utc heals_at;         /* EVENT_HEALED is due; UTC_NEVER: never, or told */
    struct engine_totals totals; /* of the lives before this one */
};

/* operator.c: rows with a time are put into `due`, rows with `on` wait. */
enum err_code operator_plan(struct stage *stage, struct err *err) MUST_USE;
struct utc operator_next_at(const struct stage *stage);
void operator_run_due(struct stage *stage, struct utc now);
void operator_rules_init(struct stage *stage);

/* The instant of a scenario's time; UTC_NEVER if that session does not exist. */
struct utc stage_when(const struct stage *stage, const struct when *when, struct utc event_at);

/* company.c: plays what befalls the core's process, and lets the other instance act. */
void company_befall(void *context, enum process_ordeal ordeal, struct span delay, struct utc until);
/* At each effect of an instance. */
void company_at_effect(void *context, enum process_site site);
/* Between the core's calls: the other acts if it is overdue, and goes when it is fenced or its time is up. */
void company_look(struct stage *stage);
/* When that is due; UTC_NEVER for never. */
struct utc company_next_at(struct stage *stage);
/* The run is over: nobody stays but the core. */
void company_end(struct stage *stage);
/* The instance that is not the core; NULL if nobody is there. */
struct instance *company_other(struct stage *stage);

/* stage.c: one step of an instance: to its next thing, or to the end, and that. */
void stage_step(struct stage *stage, struct instance *instance, struct utc end);
/* A new stretch of seam calls begins; keys the draws. */
void stage_next_tick(struct stage *stage, struct instance *instance);
void stage_tell_equity(struct stage *stage);
/* What is under backups/ now; is_whole: looked into, where the disk may have changed by itself. */
void stage_tell_copies(struct stage *stage, bool is_whole);
struct span stage_restart_delay(const struct stage *stage);

/* build.c, in the order of need, for who stages a part of it: market, first session with start and
 * end, what the broker is created with, and the armed plan (wants clock and fanout). */
enum err_code stage_build_market(struct stage *stage, struct err *err) MUST_USE;
enum err_code stage_build_sessions(struct stage *stage, struct err *err) MUST_USE;
struct broker_options stage_broker_options(const struct stage *stage);
enum err_code stage_build_plan(struct stage *stage, struct err *err) MUST_USE;

/* keys.c: the key pair that the broker knows now, and what a core that is told to reload reads. */
struct stage_key {
    char key_id[32], secret[32];
};
struct stage_key stage_key(const struct stage *stage);
enum err_code stage_reread(void *stage, struct engine_news *out, struct text *faults,
                           struct err *err) MUST_USE;
/* The core took it: restarts read the same, and the judges are told its limits. */
void stage_reloaded(struct stage *stage);

/* frame.c: what the judges must know of the run, and when its faults are over. */
void tell_frame(struct observer *observer, const char *key, const char *value);
void frame_tell_limits(struct stage *stage);
void frame_tell(struct stage *stage);
/* Tells the judges how far the wall is from true time, if that changed. */
void frame_tell_wall(struct stage *stage);
void frame_heal(struct stage *stage);

/* build.c: everything but the engine. */
enum err_code stage_build(struct stage *stage, struct err *err) MUST_USE;
void stage_release(struct stage *stage);

#endif
