/* stage_seams.h - the http seams of the stage: the network, the broker's door, and the tap. */
#ifndef SCENARIOS_STAGE_SEAMS_H
#define SCENARIOS_STAGE_SEAMS_H

#include "broker_sim/api/broker.h"
#include "chaos/machine/process.h"
#include "core/world/http.h"

struct sim_http { /* the network between core and broker */
    struct http seam;
    struct broker *broker;
    struct virtual_clock *clock;
    struct clock *core_clock; /* by which the core says when a request expires */
    uint64_t seed;
    int64_t tick; /* keys the draws, with the ordinal within the tick */
    uint64_t ordinal;
};
void sim_http_init(struct sim_http *http, struct broker *broker, struct virtual_clock *clock,
                   struct clock *core_clock, uint64_t seed);

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

#endif
