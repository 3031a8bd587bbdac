/* stage_internal.h - the stage's parts, shared by its files alone. */
#ifndef SCENARIOS_STAGE_INTERNAL_H
#define SCENARIOS_STAGE_INTERNAL_H

#include "broker_sim/api/broker.h"
#include "chaos/faults/faulty_disk.h"
#include "chaos/faults/faulty_http.h"
#include "chaos/faults/gate.h"
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/sim_host.h"
#include "replay/oracle/oracle.h"
#include "scenarios/fanout.h"
#include "scenarios/sea.h"
#include "scenarios/stage.h"
#include "scenarios/trace.h"
#include "scenarios/watch.h"

struct sim_http { /* the network between core and broker */
    struct http seam;
    struct broker *broker;
    struct virtual_clock *clock;
    uint64_t seed;
    int64_t tick; /* keys the draws, with the ordinal within the tick */
    uint64_t ordinal;
};
void sim_http_init(struct sim_http *http, struct broker *broker, struct virtual_clock *clock,
                   uint64_t seed);

struct direct_http { /* handles at once, at the broker's door: late requests, foreign programs */
    struct http seam;
    struct broker *broker;
    struct virtual_clock *clock;
};
void direct_http_init(struct direct_http *http, struct broker *broker, struct virtual_clock *clock);

struct tap { /* tells what the core is about to do (EVENT_SEND), and what it saw (EVENT_HTTP) */
    struct http seam;
    struct http *inner;
    struct clock *clock;
    struct observer *observer;
    const struct process *process;
    struct text what, body; /* scratch */
};
void tap_init(struct tap *tap, struct http *inner, struct clock *clock, struct observer *observer,
              const struct process *process);
void tap_release(struct tap *tap);

#define STAGE_DUE_MAX 128

struct due { /* an operator's row and when it happens */
    struct utc at;
    size_t row;
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
    struct process process;
    struct faulty_disk *faulty_disk;
    struct faulty_http *faulty_http;
    struct late_queue *late;
    struct sim_http sim_http;
    struct direct_http direct;
    struct tap tap;
    struct mortal_clock mortal_clock;
    struct mortal_entropy mortal_entropy;
    struct mortal_host mortal_host;
    struct sim_entropy entropy;
    struct sim_host host;
    struct world world; /* the core's */
    struct sim_entropy operator_entropy;
    struct sim_host operator_host;
    struct world operator_world; /* the operator's shell: another port of the same disk */
    struct fanout fanout;
    struct trace trace;
    struct collect *collect;
    struct oracle *oracle;
    struct watch watch;
    struct mortal_observer mortal_observer; /* the core's events, while it lives */
    struct observer rules; /* operator rows that wait for an event */
    struct engine *engine;
    struct session first_session;
    struct utc start, end;
    struct utc restart_at; /* UTC_NEVER: none planned */
    struct due due[STAGE_DUE_MAX];
    size_t due_count;
    bool is_woken; /* something was left for the core: it looks within 250 ms */
    bool is_stopping;
    bool stays_down;
    int64_t tick;
    uint64_t life;
    int refused_starts;
    bool has_given_up; /* nobody starts the core again */
    struct utc heals_at; /* EVENT_HEALED is due; UTC_NEVER: never, or told */
    struct engine_totals totals; /* of the lives before this one */
};

/* operator.c: rows with a time are put into `due`, rows with `on` wait. */
enum err_code operator_plan(struct stage *stage, struct err *err) MUST_USE;
struct utc operator_next_at(const struct stage *stage);
void operator_run_due(struct stage *stage, struct utc now);
void operator_rules_init(struct stage *stage);

/* The instant of a scenario's time; UTC_NEVER if that session does not exist. */
struct utc stage_when(const struct stage *stage, const struct when *when, struct utc event_at);

/* build.c, in the order of need, for who stages a part of it: market, first session with start and
 * end, what the broker is created with, and the armed plan (wants clock and fanout). */
enum err_code stage_build_market(struct stage *stage, struct err *err) MUST_USE;
enum err_code stage_build_sessions(struct stage *stage, struct err *err) MUST_USE;
struct broker_options stage_broker_options(const struct stage *stage);
enum err_code stage_build_plan(struct stage *stage, struct err *err) MUST_USE;

/* frame.c: what the judges must know of the run, and when its faults are over. */
void tell_frame(struct observer *observer, const char *key, const char *value);
void frame_tell(struct stage *stage);
void frame_heal(struct stage *stage);

/* build.c: everything but the engine. */
enum err_code stage_build(struct stage *stage, struct err *err) MUST_USE;
void stage_release(struct stage *stage);

#endif
