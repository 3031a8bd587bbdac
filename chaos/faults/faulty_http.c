/* faulty_http.c - see faulty_http.h. */
#include "chaos/faults/faulty_http.h"

#include "chaos/faults/gate.h"
#include "chaos/faults/views.h"
#include "core/base/check.h"
#include "core/base/random.h"

#include <stdio.h>
#include <stdlib.h>

struct faulty_http {
    struct http seam; /* first: the seam's pointer is ours */
    struct http *inner;
    struct plan *plan;
    struct process *process;
    struct virtual_clock *clock;
    struct late_queue *late;
    struct views views;
    enum fault_flight flight; /* of the death that was just planned */
};

struct exchange { /* one call, as all steps see it */
    struct faulty_http *faulty;
    const struct http_request *request;
    struct span deadline;
    struct utc start;
    struct http_response *response;
    struct err *err;
    char entity[FAULT_TARGET_MAX];
};

static enum err_code pass(struct exchange *x) {
    return http_perform(x->faulty->inner, x->request, x->deadline, x->response, x->err);
}

/* What a failed call leaves of the answer: nothing. */
static enum err_code fail(struct exchange *x, enum err_code code, const char *why) {
    http_response_clear(x->response);
    return err_set(x->err, code, "%s: %s", x->entity, why);
}

static void wait_for_deadline(struct exchange *x) {
    virtual_clock_advance_to(x->faulty->clock, utc_add(x->start, x->deadline));
}

static void send_late(struct exchange *x, struct span delay) {
    if (x->faulty->late != NULL) {
        (void)late_queue_add(x->faulty->late, x->request, utc_add(x->start, delay));
    }
}

/* --- death --- */

static uint64_t draw(struct faulty_http *faulty, const char *name, uint64_t bound) {
    if (faulty->plan != NULL) {
        return plan_draw(faulty->plan, name, bound);
    }
    struct random random = random_stream(0, name, faulty->process->effects_ever, 0, 0);
    return random_below(&random, bound);
}

static void fly_on(struct exchange *x) {
    struct faulty_http *faulty = x->faulty;
    enum fault_flight flight = faulty->flight;
    if (flight == FLIGHT_DRAWN) {
        flight = (enum fault_flight)(FLIGHT_LOST + draw(faulty, "http.flight", 3));
    }
    if (flight == FLIGHT_DELIVERED) {
        const enum err_code unseen = pass(x);
        (void)unseen;
    } else if (flight == FLIGHT_LATE) {
        const struct span longest = FAULTY_HTTP_FLIGHT_MAX;
        const uint64_t ns = draw(faulty, "http.flight_delay", (uint64_t)longest.ns);
        send_late(x, (struct span){(int64_t)ns + 1});
    }
}

static void plan_death(struct exchange *x) {
    struct faulty_http *faulty = x->faulty;
    faulty->flight = FLIGHT_DRAWN;
    if (faulty->process == NULL || process_is_dead(faulty->process)) {
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

/* True if the process lives on through this call. */
static bool lives(struct exchange *x) {
    if (x->faulty->process == NULL) {
        return true;
    }
    plan_death(x);
    switch (process_enter(x->faulty->process, PROCESS_HTTP)) {
    case PROCESS_ALIVE:
        return true;
    case PROCESS_DEAD:
    case PROCESS_CRASH_BEFORE:
        break;
    case PROCESS_CRASH_AFTER: {
        const enum err_code unseen = pass(x);
        (void)unseen;
        break;
    }
    case PROCESS_CRASH_DURING:
        fly_on(x);
        break;
    }
    return false;
}

/* --- transport faults: each performs the exchange its own way --- */

static enum err_code answer_lost(struct exchange *x, const struct fault *fault) {
    (void)fault;
    if (pass(x) == ERR_NOT_SENT) {
        return ERR_NOT_SENT;
    }
    wait_for_deadline(x);
    return fail(x, ERR_UNKNOWN, "no answer before the deadline");
}

static enum err_code answer_504(struct exchange *x, const struct fault *fault) {
    (void)fault;
    const enum err_code code = pass(x);
    if (code != ERR_OK) {
        return code;
    }
    http_response_clear(x->response);
    x->response->status = 504;
    text_add(&x->response->body, "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n"
                                 "<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n"
                                 "</body>\r\n</html>\r\n");
    return ERR_OK;
}

static enum err_code reset_mid_body(struct exchange *x, const struct fault *fault) {
    (void)fault;
    const enum err_code code = pass(x);
    return code != ERR_OK ? code : fail(x, ERR_UNKNOWN, "connection reset inside the answer");
}

static enum err_code timeout_before(struct exchange *x, const struct fault *fault) {
    (void)fault;
    wait_for_deadline(x);
    return fail(x, ERR_UNKNOWN, "no answer before the deadline");
}

static enum err_code late_arrival(struct exchange *x, const struct fault *fault) {
    send_late(x, fault->delay.ns == 0 ? SPAN_S(20) : fault->delay);
    wait_for_deadline(x);
    return fail(x, ERR_UNKNOWN, "no answer before the deadline");
}

struct transport {
    enum fault_point point;
    enum err_code (*perform)(struct exchange *x, const struct fault *fault);
};

static const struct transport transports[] = {
    {POINT_HTTP_ANSWER_LOST, answer_lost},       {POINT_HTTP_ANSWER_504, answer_504},
    {POINT_HTTP_RESET_MID_BODY, reset_mid_body}, {POINT_HTTP_TIMEOUT_BEFORE, timeout_before},
    {POINT_HTTP_LATE_ARRIVAL, late_arrival},
};

static enum err_code meet_transport(struct exchange *x) {
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        const struct fault *fault = chaos_ask(x->faulty->plan, transports[i].point, x->entity);
        if (fault != NULL) {
            return transports[i].perform(x, fault);
        }
    }
    return pass(x);
}

static enum err_code perform(struct http *seam, const struct http_request *request,
                             struct span deadline, struct http_response *response,
                             struct err *err) {
    struct faulty_http *faulty = (struct faulty_http *)seam;
    struct exchange x = {.faulty = faulty,
                         .request = request,
                         .deadline = deadline,
                         .start = virtual_clock_now(faulty->clock),
                         .response = response,
                         .err = err};
    (void)snprintf(x.entity, sizeof x.entity, "%s %s", request->method, request->path);
    if (!lives(&x)) {
        return fail(&x, ERR_NOT_SENT, "not connected");
    }
    const enum err_code code = meet_transport(&x);
    if (faulty->process != NULL && process_is_dead(faulty->process)) { /* killed while waiting */
        return fail(&x, ERR_NOT_SENT, "not connected");
    }
    if (code == ERR_OK) {
        views_distort(&faulty->views, faulty->plan, x.entity, response);
    }
    return code;
}

static const struct http_ops faulty_ops = {.perform = perform};

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
    free(faulty);
}

struct http *faulty_http_seam(struct faulty_http *faulty) {
    return &faulty->seam;
}
