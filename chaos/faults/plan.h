/* plan.h - which fault, when: decided, never random in passing, and written down.
 *
 * A plan is a list of faults. A wrapper that could misbehave asks for its points; the answer
 * depends on the seed, the point, the tick, the entity asked about and how often it was asked in
 * this tick, so that a new fault or one more call changes nothing else. Every fault that fires goes
 * into the schedule and to the observer as EVENT_FAULT. Questions reach the plan through the gate
 * (chaos/faults/gate.h), and only when it is armed. */
#ifndef CHAOS_FAULTS_PLAN_H
#define CHAOS_FAULTS_PLAN_H

#include "chaos/faults/points.def"
#include "chaos/machine/virtual_clock.h"
#include "core/base/decimal.h"
#include "core/base/text.h"
#include "core/world/observe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum fault_point {
#define X(point, name, seam, breaks, parameters) point,
    FAULT_POINTS(X)
#undef X
        FAULT_POINT_COUNT
};

/* "http.answer_lost"; static storage. */
const char *fault_point_name(enum fault_point point);
const char *fault_point_seam(enum fault_point point);
const char *fault_point_breaks(enum fault_point point);
const char *fault_point_parameters(enum fault_point point);
/* False: no point has exactly this name. */
bool fault_point_find(const char *name, enum fault_point *out);
/* True if the point reads a parameter of this name ("delay_s"); every point reads "target". */
bool fault_point_reads(enum fault_point point, const char *parameter);
/* True if the point holds for its whole window once it has begun (a price, a halt, a clock); the others are asked
 * about each time. */
bool fault_point_holds(enum fault_point point);
/* Prints every point with its seam, what it breaks and what it reads, for `chaos list`. */
void chaos_list_print(FILE *out);

/* What becomes of a request that is in flight when its process dies. */
enum fault_flight { FLIGHT_DRAWN, FLIGHT_LOST, FLIGHT_DELIVERED, FLIGHT_LATE };

struct fault_time { /* an instant, or a span since the plan's start; zero: the start */
    bool is_utc;
    int64_t ns;
};
static inline struct fault_time fault_at(struct utc at) {
    return (struct fault_time){.is_utc = true, .ns = at.ns};
}
static inline struct fault_time fault_after(struct span span) {
    return (struct fault_time){.ns = span.ns};
}

#define FAULT_TARGET_MAX 128
#define FAULT_SYMBOL_MAX 16

struct fault {
    enum fault_point point;
    struct fault_time from;
    bool has_until;
    struct fault_time until;  /* not at or after this */
    uint64_t count;           /* fires at most this often; 0 without limit */
    uint64_t nth;             /* only the nth fitting question inside the window, from 1; 0 any */
    struct ratio probability; /* zero means 1: always */
    /* What is asked about must fit; "" fits all. For http "METHOD path" ("POST /v2/orders"), for
     * the disk "verb name" ("sync journal.db-wal"); either word alone fits too, and a final '*'
     * fits any rest. A path fits only whole: "/v2/orders" is not "/v2/orders/7". */
    char target[FAULT_TARGET_MAX];
    /* view.mark_absurd: "" is the first position. Seams order and market: the entity's last word
     * must be this; "" fits all. */
    char symbol[FAULT_SYMBOL_MAX];
    char new_symbol
        [FAULT_SYMBOL_MAX]; /* market.spin_off: what is given; "" the next of the market */
    struct span delay;      /* zero means what the point's row says */
    struct ratio factor;    /* likewise */
    struct span offset;     /* clock.step: signed; zero means 60 s */
    bool has_bytes;
    int64_t bytes;            /* http.truncated: without it half of the body */
    int64_t status;           /* api.error_after: zero means 500 */
    enum fault_flight flight; /* crash_before at an http exchange */
    bool is_forged;           /* disk.wrong_number */
    bool cancels_stops;       /* market.halt */
};

/* What the fault says, or what its point's row says where it says nothing. */
static inline struct span fault_delay(const struct fault *fault, struct span otherwise) {
    return fault->delay.ns == 0 ? otherwise : fault->delay;
}
static inline struct ratio fault_factor(const struct fault *fault, struct ratio otherwise) {
    return fault->factor.nanos == 0 ? otherwise : fault->factor;
}

struct fault_fired { /* one line of the schedule */
    struct utc at;   /* true time */
    int64_t tick;
    enum fault_point point;
    size_t fault;     /* index in the plan */
    uint64_t ordinal; /* how often the point was asked about the entity in this tick before */
    char entity[FAULT_TARGET_MAX];
};

/* What a fault's parameters may be at most; amounts and times stay far inside their types. */
#define FAULT_FACTOR_MIN ((struct ratio){NANOS / 1000000})
#define FAULT_FACTOR_MAX ((struct ratio){1000 * NANOS})
#define FAULT_SKEW_MAX ((struct ratio){10 * NANOS}) /* clock.skew runs for years */
#define FAULT_SPAN_MAX SPAN_S(86400)                /* delay; offset either way */

struct plan;

/* start is what spans count from. observer (may be NULL) and clock are borrowed. Never NULL. */
struct plan *plan_create(uint64_t seed, struct virtual_clock *clock, struct observer *observer);
void plan_destroy(struct plan *plan);

#define PLAN_FAULTS_MAX 256

/* Adds a fault. What it leaves to the seed for its whole window (the lag of a view) is drawn here,
 * and told by plan_fault(). ERR_USAGE (bad window, probability outside 0..1), ERR_RANGE (delay, factor
 * or offset beyond its limit), ERR_LIMIT; ERR_USAGE once armed. */
enum err_code plan_add(struct plan *plan, const struct fault *fault, struct err *err) MUST_USE;
size_t plan_count(const struct plan *plan);
const struct fault *plan_fault(const struct plan *plan, size_t index);
/* True if some fault of the plan is of this point. */
bool plan_uses(const struct plan *plan, enum fault_point point);

/* Makes the plan a replay: from now on nothing fires but what plan_replay_add() names; draws,
 * probability, count and nth of its faults mean nothing. ERR_USAGE once armed. */
enum err_code plan_replay(struct plan *plan, struct err *err) MUST_USE;
/* One line of the schedule to replay, identified by (point of the fault, tick, entity, ordinal);
 * `at` is ignored. Lines come in the order of their ticks, each fires at most once. ERR_USAGE
 * (no replay, no such fault, an earlier tick than the last line's), ERR_LIMIT. */
enum err_code plan_replay_add(struct plan *plan, const struct fault_fired *line,
                              struct err *err) MUST_USE;
/* True if the nth line of the schedule being replayed has fired. */
bool plan_replay_fired(const struct plan *plan, size_t index);

/* Ticks key the draws; the stage says when one begins. */
void plan_set_tick(struct plan *plan, int64_t tick);
/* A number of this plan's own, for what a fired fault leaves open (fates, delays); keyed like the
 * decisions. */
uint64_t plan_draw(struct plan *plan, const char *name, uint64_t bound);
uint64_t plan_seed(const struct plan *plan);

/* The instants of a fault's window in true time; until is UTC_NEVER for none. */
struct utc plan_from(const struct plan *plan, const struct fault *fault);
struct utc plan_until(const struct plan *plan, const struct fault *fault);

/* Faults that are at work at that instant, or begin before it, and would end later, end then; not those that hold
 * for their window. Also once armed. */
void plan_calm(struct plan *plan, struct utc at);

/* True once the fault's window has begun. */
bool plan_reached(const struct plan *plan, const struct fault *fault);

#define PLAN_ANY_FAULT SIZE_MAX
/* Decides one question: the fault that fires now, or NULL. entity is what it is about; `only` is
 * the index of the one fault that is asked about, or PLAN_ANY_FAULT. Called by the gate; wrappers
 * call chaos_ask(). */
const struct fault *plan_decide(struct plan *plan, enum fault_point point, size_t only,
                                const char *entity);

/* The schedule so far: valid until the next decision. */
size_t plan_fired_count(const struct plan *plan);
const struct fault_fired *plan_fired(const struct plan *plan, size_t index);
/* How often a point fired. */
uint64_t plan_point_fired(const struct plan *plan, enum fault_point point);

#endif
