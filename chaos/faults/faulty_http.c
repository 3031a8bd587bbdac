/* faulty_http.c - see faulty_http.h. */
#include "chaos/faults/faulty_http.h"

#include "chaos/faults/exchange.h"
#include "chaos/faults/gate.h"
#include "chaos/faults/process_faults.h"
#include "chaos/faults/views.h"
#include "core/base/check.h"
#include "core/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct faulty_http {
    struct http seam; /* first: the seam's pointer is ours */
    struct http *inner;
    struct plan *plan;
    struct process *process;
    struct virtual_clock *clock;
    struct late_queue *late;
    struct views views;
    enum fault_flight flight; /* of the death that was just planned */
    bool
        is_bad[HTTP_ELSEWHERE + 1]; /* the connection for reads of a host ends at a broken server */
    uint64_t life;                  /* whose connections they are */
};

/* --- death --- */

static uint64_t draw(struct faulty_http *faulty, const char *name, uint64_t bound) {
    if (faulty->plan != NULL) {
        return plan_draw(faulty->plan, name, bound);
    }
    struct random random = random_stream(0, name, faulty->process->effects_ever, 0, 0);
    return random_below(&random, bound);
}

static void fly_on(struct faulty_http *faulty, struct exchange *x) {
    enum fault_flight flight = faulty->flight;
    if (flight == FLIGHT_DRAWN) {
        flight = (enum fault_flight)(FLIGHT_LOST + draw(faulty, "http.flight", 3));
    }
    if (flight == FLIGHT_DELIVERED) {
        const enum err_code unseen = exchange_pass(x);
        (void)unseen;
    } else if (flight == FLIGHT_LATE) {
        const struct span longest = FAULTY_HTTP_FLIGHT_MAX;
        const uint64_t ns = draw(faulty, "http.flight_delay", (uint64_t)longest.ns);
        exchange_send_late(x, (struct span){(int64_t)ns + 1});
    }
}

static void plan_death(struct faulty_http *faulty, const struct exchange *x) {
    faulty->flight = FLIGHT_DRAWN;
    if (faulty->process == NULL || process_is_dead(faulty->process)) {
        return;
    }
    process_faults_meet(faulty->plan, faulty->process, x->entity);
    if (process_is_dead(faulty->process)) {
        return;
    }
    const struct fault *before = chaos_ask(faulty->plan, POINT_PROCESS_CRASH_BEFORE, x->entity);
    if (before != NULL) {
        faulty->flight = before->flight;
        process_die_next(faulty->process, PROCESS_DURING);
    } else if (chaos_ask(faulty->plan, POINT_PROCESS_CRASH_AFTER, x->entity) != NULL) {
        process_die_next(faulty->process, PROCESS_AFTER);
    }
}

void faulty_http_force_flight(struct faulty_http *faulty, enum fault_flight flight) {
    faulty->flight = flight;
}

/* True if the process lives on through this call. */
static bool lives(struct faulty_http *faulty, struct exchange *x) {
    if (faulty->process == NULL) {
        return true;
    }
    plan_death(faulty, x);
    switch (process_enter(faulty->process, PROCESS_HTTP)) {
    case PROCESS_ALIVE:
        return true;
    case PROCESS_DEAD:
    case PROCESS_CRASH_BEFORE:
        break;
    case PROCESS_CRASH_AFTER: {
        const enum err_code unseen = exchange_pass(x);
        (void)unseen;
        break;
    }
    case PROCESS_CRASH_DURING:
        fly_on(faulty, x);
        break;
    }
    return false;
}

/* --- connections --- */

static void reconnect(struct http *seam) {
    struct faulty_http *faulty = (struct faulty_http *)seam;
    memset(faulty->is_bad, 0, sizeof faulty->is_bad);
}

/* Where the kept connection leads; what changes something has one of its own. A death ends them all. */
static bool is_bad_backend(struct faulty_http *faulty, const struct exchange *x) {
    bool *is_bad = &faulty->is_bad[x->request->host];
    if (faulty->process != NULL && faulty->process->life != faulty->life) {
        faulty->life = faulty->process->life;
        memset(faulty->is_bad, 0, sizeof faulty->is_bad);
    }
    if (x->request->is_change) {
        return false;
    }
    *is_bad = *is_bad || chaos_ask(faulty->plan, POINT_HTTP_BAD_BACKEND, x->entity) != NULL;
    return *is_bad;
}

static enum err_code perform(struct http *seam, const struct http_request *request,
                             struct span deadline, struct http_response *response,
                             struct err *err) {
    struct faulty_http *faulty = (struct faulty_http *)seam;
    struct exchange x = {.inner = faulty->inner,
                         .plan = faulty->plan,
                         .clock = faulty->clock,
                         .late = faulty->late,
                         .request = request,
                         .deadline = deadline,
                         .start = virtual_clock_now(faulty->clock),
                         .response = response,
                         .err = err};
    (void)snprintf(x.entity, sizeof x.entity, "%s %s", request->method, request->path);
    if (!lives(faulty, &x)) {
        return exchange_fail(&x, ERR_NOT_SENT, "not connected");
    }
    if (is_bad_backend(faulty, &x)) {
        return transport_unavailable(&x);
    }
    const enum err_code code = transport_perform(&x);
    if (faulty->process != NULL && process_is_dead(faulty->process)) { /* killed while waiting */
        return exchange_fail(&x, ERR_NOT_SENT, "not connected");
    }
    if (code == ERR_OK) {
        views_distort(&faulty->views, &x);
    }
    return code;
}

static const struct http_ops faulty_ops = {.perform = perform, .reconnect = reconnect};

struct faulty_http *faulty_http_create(struct http *inner, struct plan *plan,
                                       struct process *process, struct virtual_clock *clock,
                                       struct late_queue *late) {
    struct faulty_http *faulty = calloc(1, sizeof *faulty);
    CHECK(faulty != NULL && clock != NULL);
    faulty->seam.ops = &faulty_ops;
    faulty->inner = inner;
    faulty->plan = plan;
    faulty->process = process;
    faulty->clock = clock;
    faulty->late = late;
    return faulty;
}

void faulty_http_destroy(struct faulty_http *faulty) {
    if (faulty != NULL) {
        views_release(&faulty->views);
        free(faulty);
    }
}

struct http *faulty_http_seam(struct faulty_http *faulty) {
    return &faulty->seam;
}
