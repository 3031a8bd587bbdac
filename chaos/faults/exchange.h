/* exchange.h - one HTTP exchange on its way through the faults: what faulty_http and transport
 * share. */
#ifndef CHAOS_FAULTS_EXCHANGE_H
#define CHAOS_FAULTS_EXCHANGE_H

#include "chaos/faults/late_queue.h"
#include "chaos/faults/plan.h"
#include "core/world/http.h"

struct exchange { /* one call, as all steps see it; everything is borrowed */
    struct http *inner;
    struct plan *plan;           /* NULL: no faults */
    struct virtual_clock *clock; /* where waiting is spent */
    struct late_queue *late;     /* NULL: late requests are lost */
    const struct http_request *request;
    struct span deadline;
    struct utc start;
    struct http_response *response;
    struct err *err;
    char entity[FAULT_TARGET_MAX]; /* "METHOD path" */
};

/* The exchange as the world has it. */
static inline enum err_code exchange_pass(struct exchange *x) {
    return http_perform(x->inner, x->request, x->deadline, x->response, x->err);
}
/* What a failed call leaves of the answer: nothing. */
static inline enum err_code exchange_fail(struct exchange *x, enum err_code code, const char *why) {
    http_response_clear(x->response);
    return err_set(x->err, code, "%s: %s", x->entity, why);
}
static inline void exchange_send_late(struct exchange *x, struct span delay) {
    if (x->late != NULL) {
        (void)late_queue_add(x->late, x->request, utc_add(x->start, delay));
    }
}

/* Performs the exchange as the first transport or API fault that fires has it, in the order of
 * points.def; as the world has it if none does. */
enum err_code transport_perform(struct exchange *x) MUST_USE;
/* A broken server's 503; the broker does not act. */
enum err_code transport_unavailable(struct exchange *x) MUST_USE;

#endif
