/* plan.c - see plan.h. */
#include "chaos/faults/plan.h"

#include "chaos/faults/plan_internal.h"
#include "chaos/faults/schedule.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point_row {
    const char *name, *seam, *breaks, *parameters;
};

static const struct point_row points[] = {
#define X(point, name, seam, breaks, parameters) [point] = {name, seam, breaks, parameters},
    FAULT_POINTS(X)
#undef X
};

#define LAG_MAX                                                                                    \
    SPAN_S(10) /* what Alpaca users saw: https://github.com/alpacahq/Alpaca-API/issues/276 */

#define COUNTERS 512 /* entities asked about in one tick; those beyond share plan.overflow */

struct counter {
    uint64_t key; /* 0: free */
    uint64_t count;
};

struct fault_state {
    uint64_t asked; /* fitting questions inside the window */
    uint64_t fired;
};

struct plan {
    uint64_t seed;
    struct virtual_clock *clock;
    struct observer *observer;
    struct utc start;
    int64_t tick;
    bool is_armed;
    bool uses[FAULT_POINT_COUNT];
    uint64_t point_fired[FAULT_POINT_COUNT];
    struct fault faults[PLAN_FAULTS_MAX];
    struct fault_state states[PLAN_FAULTS_MAX];
    size_t count;
    struct counter counters[COUNTERS]; /* of this tick */
    size_t counter_count;
    uint64_t overflow;
    struct fault_fired *fired; /* owned */
    size_t fired_count, fired_cap;
    bool is_replay;
    struct schedule replay; /* what fires, if it is one */
};

const char *fault_point_name(enum fault_point point) {
    return points[point].name;
}
const char *fault_point_seam(enum fault_point point) {
    return points[point].seam;
}
const char *fault_point_breaks(enum fault_point point) {
    return points[point].breaks;
}
const char *fault_point_parameters(enum fault_point point) {
    return points[point].parameters;
}

bool fault_point_holds(enum fault_point point) {
    const char *seam = fault_point_seam(point);
    return strcmp(seam, "market") == 0 || strcmp(seam, "asset") == 0 ||
           strcmp(seam, "clock") == 0 || strcmp(seam, "account") == 0;
}

bool fault_point_find(const char *name, enum fault_point *out) {
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        if (strcmp(points[i].name, name) == 0) {
            *out = (enum fault_point)i;
            return true;
        }
    }
    return false;
}

bool fault_point_reads(enum fault_point point, const char *parameter) {
    const size_t n = strlen(parameter);
    for (const char *at = strstr(points[point].parameters, parameter); at != NULL;
         at = strstr(at + 1, parameter)) {
        const bool is_begin = at == points[point].parameters || at[-1] == ' ';
        if (is_begin && (at[n] == '\0' || at[n] == ',' || at[n] == ' ')) {
            return true;
        }
    }
    return strcmp(parameter, "target") == 0;
}

void chaos_list_print(FILE *out) {
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        const struct point_row *row = &points[i];
        (void)fprintf(out, "%-24s %-8s %s [%s]\n", row->name, row->seam, row->breaks,
                      row->parameters);
    }
    (void)fprintf(out,
                  "\nEach takes at|after, until, count, nth, probability and params.target; with "
                  "count or until it is\ntransient, with neither persistent. In brackets: the "
                  "params it reads.\n");
}

struct plan *plan_create(uint64_t seed, struct virtual_clock *clock, struct observer *observer) {
    struct plan *plan = calloc(1, sizeof *plan);
    CHECK(plan != NULL);
    plan->seed = seed;
    plan->clock = clock;
    plan->observer = observer;
    plan->start = virtual_clock_now(clock);
    return plan;
}

void plan_destroy(struct plan *plan) {
    if (plan != NULL) {
        CHECK(!plan->is_armed);
        schedule_release(&plan->replay);
        free(plan->fired);
        free(plan);
    }
}

/* A lag holds for its window: drawn here, keyed by the point and the fault's rank among its kind. */
static void draw_lag(const struct plan *plan, struct fault *fault) {
    const bool is_lag = fault->point == POINT_VIEW_LAG_ACCOUNT ||
                        fault->point == POINT_VIEW_LAG_POSITIONS ||
                        fault->point == POINT_VIEW_LAG_ORDERS;
    if (!is_lag || fault->delay.ns != 0) {
        return;
    }
    uint64_t rank = 0;
    for (size_t i = 0; i < plan->count; i++) {
        rank += plan->faults[i].point == fault->point;
    }
    struct random random =
        random_stream(plan->seed, fault_point_name(fault->point), UINT64_MAX, rank, 0);
    const struct span most = LAG_MAX;
    fault->delay.ns = random_between(&random, 1, most.ns);
}

static bool is_in_bounds(const struct fault *fault) {
    const struct span most = FAULT_SPAN_MAX;
    const struct ratio least = FAULT_FACTOR_MIN;
    const struct ratio greatest =
        fault->point == POINT_CLOCK_SKEW ? FAULT_SKEW_MAX : FAULT_FACTOR_MAX;
    return fault->delay.ns >= 0 && fault->delay.ns <= most.ns && fault->offset.ns >= -most.ns &&
           fault->offset.ns <= most.ns &&
           (fault->factor.nanos == 0 ||
            (fault->factor.nanos >= least.nanos && fault->factor.nanos <= greatest.nanos));
}

enum err_code plan_add(struct plan *plan, const struct fault *fault, struct err *err) {
    if (plan->is_armed) {
        return err_set(err, ERR_USAGE, "an armed plan takes no more faults");
    }
    if (plan->count == PLAN_FAULTS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d faults in a plan", PLAN_FAULTS_MAX);
    }
    const char *name = fault_point_name(fault->point);
    if (fault->probability.nanos < 0 || fault->probability.nanos > NANOS) {
        return err_set(err, ERR_USAGE, "%s: probability must be from 0 to 1", name);
    }
    if (!is_in_bounds(fault)) {
        return err_set(err, ERR_RANGE,
                       "%s: delay is 0 to a day, offset a day either way, factor 0 (the point's "
                       "own) or 0.000001 to 1000 (clock.skew: 10)",
                       name);
    }
    if (fault->has_until && plan_until(plan, fault).ns <= plan_from(plan, fault).ns) {
        return err_set(err, ERR_USAGE, "%s: until must be later than at", name);
    }
    plan->faults[plan->count] = *fault;
    draw_lag(plan, &plan->faults[plan->count]);
    plan->count++;
    plan->uses[fault->point] = true;
    return ERR_OK;
}

enum err_code plan_replay(struct plan *plan, struct err *err) {
    if (plan->is_armed) {
        return err_set(err, ERR_USAGE, "an armed plan does not become a replay");
    }
    plan->is_replay = true;
    return ERR_OK;
}

enum err_code plan_replay_add(struct plan *plan, const struct fault_fired *line, struct err *err) {
    if (!plan->is_replay || plan->is_armed) {
        return err_set(err, ERR_USAGE, "the plan takes no schedule");
    }
    if (line->fault >= plan->count || plan->faults[line->fault].point != line->point) {
        return err_set(err, ERR_USAGE, "fault %zu of the plan is no %s", line->fault,
                       fault_point_name(line->point));
    }
    return schedule_add(&plan->replay, line, err);
}

bool plan_replay_fired(const struct plan *plan, size_t index) {
    CHECK(index < plan->replay.count);
    return plan->replay.lines[index].is_done;
}

size_t plan_count(const struct plan *plan) {
    return plan->count;
}

const struct fault *plan_fault(const struct plan *plan, size_t index) {
    CHECK(index < plan->count);
    return &plan->faults[index];
}

bool plan_uses(const struct plan *plan, enum fault_point point) {
    return plan->uses[point];
}

void plan_set_tick(struct plan *plan, int64_t tick) {
    plan->tick = tick;
    schedule_set_tick(&plan->replay, tick);
    if (plan->counter_count > 0) {
        memset(plan->counters, 0, sizeof plan->counters);
        plan->counter_count = 0;
        plan->overflow = 0;
    }
}

uint64_t plan_seed(const struct plan *plan) {
    return plan->seed;
}

bool plan_armed(const struct plan *plan) {
    return plan->is_armed;
}
void plan_set_armed(struct plan *plan, bool is_armed) {
    plan->is_armed = is_armed;
}
const struct virtual_clock *plan_clock(const struct plan *plan) {
    return plan->clock;
}

/* How often this key was asked in this tick before now. */
static uint64_t count_up(struct plan *plan, uint64_t key) {
    key |= 1; /* 0 means free */
    size_t i = (size_t)(key >> 32) % COUNTERS;
    while (plan->counters[i].key != 0 && plan->counters[i].key != key) {
        i = (i + 1) % COUNTERS;
    }
    if (plan->counters[i].key == 0) {
        if (plan->counter_count ==
            COUNTERS - 1) { /* the last slot stays free: it ends the search */
            return plan->overflow++;
        }
        plan->counter_count++;
        plan->counters[i].key = key;
    }
    return plan->counters[i].count++;
}

uint64_t plan_draw(struct plan *plan, const char *name, uint64_t bound) {
    const uint64_t ordinal = count_up(plan, hash64(name, strlen(name), 1));
    struct random random =
        random_stream(plan->seed, name, (uint64_t)plan->tick, UINT64_MAX, ordinal);
    return random_below(&random, bound);
}

static struct utc instant(const struct plan *plan, struct fault_time time) {
    return time.is_utc ? (struct utc){time.ns} : utc_add(plan->start, (struct span){time.ns});
}

struct utc plan_from(const struct plan *plan, const struct fault *fault) {
    return instant(plan, fault->from);
}

struct utc plan_until(const struct plan *plan, const struct fault *fault) {
    return fault->has_until ? instant(plan, fault->until) : UTC_NEVER;
}

void plan_calm(struct plan *plan, struct utc at) {
    for (size_t i = 0; i < plan->count; i++) {
        struct fault *fault = &plan->faults[i];
        if (!fault_point_holds(fault->point) && fault->has_until &&
            utc_is_before(plan_from(plan, fault), at) &&
            utc_is_before(at, plan_until(plan, fault))) {
            fault->until = fault_at(at);
        }
    }
}

bool plan_reached(const struct plan *plan, const struct fault *fault) {
    return virtual_clock_now(plan->clock).ns >= plan_from(plan, fault).ns;
}

/* Equal, or equal up to the pattern's final '*'. */
static bool word_fits(const char *pattern, const char *word, size_t n) {
    const size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*') {
        return n >= length - 1 && memcmp(pattern, word, length - 1) == 0;
    }
    return n == length && memcmp(pattern, word, n) == 0;
}

static bool target_fits(const char *target, const char *entity) {
    const char *space = strchr(entity, ' ');
    if (target[0] == '\0' || word_fits(target, entity, strlen(entity))) {
        return true;
    }
    return space != NULL && (word_fits(target, entity, (size_t)(space - entity)) ||
                             word_fits(target, space + 1, strlen(space + 1)));
}

static void write_down(struct plan *plan, size_t index, const char *entity, uint64_t ordinal) {
    if (plan->fired_count == plan->fired_cap) {
        plan->fired_cap = plan->fired_cap == 0 ? 64 : plan->fired_cap * 2;
        plan->fired = realloc(plan->fired, plan->fired_cap * sizeof *plan->fired);
        CHECK(plan->fired != NULL);
    }
    const struct fault *fault = &plan->faults[index];
    struct fault_fired *fired = &plan->fired[plan->fired_count++];
    *fired = (struct fault_fired){.at = virtual_clock_now(plan->clock),
                                  .tick = plan->tick,
                                  .point = fault->point,
                                  .fault = index,
                                  .ordinal = ordinal};
    (void)snprintf(fired->entity, sizeof fired->entity, "%s", entity); /* cut as the asker's was */
    plan->point_fired[fault->point]++;
}

void plan_tell_last(struct plan *plan) {
    const struct fault_fired *fired = &plan->fired[plan->fired_count - 1];
    char entity[FAULT_TARGET_MAX]; /* a copy: the observer may cause further decisions */
    memcpy(entity, fired->entity, sizeof entity);
    observe(plan->observer, &(struct event){.kind = EVENT_FAULT,
                                            .at = fired->at,
                                            .subject = fault_point_name(fired->point),
                                            .what = entity,
                                            .symbol = plan->faults[fired->fault].symbol,
                                            .number = (int64_t)fired->fault});
}

/* Orders, markets and assets are asked about by symbol; a view finds its symbol in the answer. */
static bool symbol_fits(const struct fault *fault, const char *entity) {
    const char *seam = fault_point_seam(fault->point);
    bool names_one =
        strcmp(seam, "order") == 0 || strcmp(seam, "market") == 0 || strcmp(seam, "asset") == 0;
    if (fault->symbol[0] == '\0' || !names_one) {
        return true;
    }
    const char *last = strrchr(entity, ' ');
    return strcmp(fault->symbol, last == NULL ? entity : last + 1) == 0;
}

/* Whether one fault fires on the ordinal-th question of its kind in this tick. */
static bool fires(struct plan *plan, size_t index, const char *entity, uint64_t entity_hash,
                  uint64_t ordinal, size_t rank) {
    const struct fault *fault = &plan->faults[index];
    struct fault_state *state = &plan->states[index];
    const struct utc now = virtual_clock_now(plan->clock);
    if (now.ns < plan_from(plan, fault).ns || now.ns >= plan_until(plan, fault).ns ||
        !target_fits(fault->target, entity) || !symbol_fits(fault, entity)) {
        return false;
    }
    state->asked++;
    if ((fault->nth != 0 && state->asked != fault->nth) ||
        (fault->count != 0 && state->fired >= fault->count)) {
        return false;
    }
    if (fault->probability.nanos != 0 && fault->probability.nanos != NANOS) {
        struct random random =
            random_stream(random_mix(plan->seed, rank), fault_point_name(fault->point),
                          (uint64_t)plan->tick, entity_hash, ordinal);
        if (!random_chance(&random, fault->probability.nanos)) {
            return false;
        }
    }
    state->fired++;
    return true;
}

const struct fault *plan_decide(struct plan *plan, enum fault_point point, size_t only,
                                const char *entity) {
    if (!plan->uses[point]) {
        return NULL;
    }
    const char *name = fault_point_name(point); /* keyed by name: the table may grow anywhere */
    const uint64_t entity_hash = hash64(entity, strlen(entity), hash64(name, strlen(name), 0));
    const uint64_t ordinal = count_up(plan, entity_hash);
    if (plan->is_replay) {
        const struct schedule_line *line =
            schedule_take(&plan->replay, point, only, entity, ordinal);
        if (line == NULL) {
            return NULL;
        }
        write_down(plan, line->fired.fault, entity, ordinal);
        return &plan->faults[line->fired.fault];
    }
    size_t rank = 0; /* among the faults of this point */
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->faults[i].point != point) {
            continue;
        }
        if ((only == PLAN_ANY_FAULT || only == i) &&
            fires(plan, i, entity, entity_hash, ordinal, rank)) {
            write_down(plan, i, entity, ordinal);
            return &plan->faults[i];
        }
        rank++;
    }
    return NULL;
}

size_t plan_fired_count(const struct plan *plan) {
    return plan->fired_count;
}

const struct fault_fired *plan_fired(const struct plan *plan, size_t index) {
    CHECK(index < plan->fired_count);
    return &plan->fired[index];
}

uint64_t plan_point_fired(const struct plan *plan, enum fault_point point) {
    return plan->point_fired[point];
}
