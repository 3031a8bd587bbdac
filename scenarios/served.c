/* served.c - the stage without a core: faults between the wire and the served broker.
 *
 * The plan goes by a virtual clock that follows served time, and nothing waits here: an exchange gets no
 * deadline, and what the fault would have let the client see in its time becomes a manner of the
 * connection. */
#include "scenarios/served.h"

#include "core/base/check.h"
#include "scenarios/stage_internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TICK_S 5 /* keys the draws, as the core's ticks do on the stage */

#define SLOW SPAN_S(2) /* http.slow without a delay */

struct served_scenario {
    struct serve_door door; /* first: the door's pointer is ours */
    struct stage_options options;
    struct stage stage;
    struct faulty_http *faulty_http;
    struct http tap;            /* behind the faults */
    struct http *broker;        /* behind the tap */
    struct http_response truth; /* of the exchange under way, as the broker said it */
};

/* How a connection shows a fault that leaves no whole answer. A point that is not here and cannot wait
 * either (nothing waits at a door) ends in silence. */
struct manner_row {
    enum fault_point point;
    enum serve_manner manner;
};

static const struct manner_row manners[] = {
    {POINT_HTTP_TIMEOUT_BEFORE, SERVE_HANG_UP},
    {POINT_HTTP_RESET_MID_BODY, SERVE_CUT},
    {POINT_HTTP_SLOW, SERVE_ANSWER},
};

/* The fault that has just fired, or NULL. */
static const struct fault *last_fired(const struct plan *plan) {
    size_t fired = plan_fired_count(plan);
    return fired == 0 ? NULL : plan_fault(plan, plan_fired(plan, fired - 1)->fault);
}

static enum serve_manner manner_of(const struct fault *fault) {
    for (size_t i = 0; fault != NULL && i < sizeof manners / sizeof manners[0]; i++) {
        if (manners[i].point == fault->point) {
            return manners[i].manner;
        }
    }
    return SERVE_SILENT;
}

static void copy_response(struct http_response *to, const struct http_response *from) {
    struct text body = to->body;
    text_clear(&body);
    text_add_bytes(&body, text_get(&from->body), from->body.len);
    *to = *from;
    to->body = body;
}

static enum err_code tap_truth(struct http *http, const struct http_request *request,
                               struct span deadline, struct http_response *response,
                               struct err *err) {
    struct served_scenario *served =
        (struct served_scenario *)((char *)http - offsetof(struct served_scenario, tap));
    enum err_code code = http_perform(served->broker, request, deadline, response, err);
    copy_response(&served->truth, response);
    return code;
}

static const struct http_ops tap_ops = {.perform = tap_truth};

/* --- the door --- */

static void deliver_late(void *context, struct utc now) {
    struct served_scenario *served = context;
    (void)late_queue_deliver_due(served->stage.late, now);
}

static struct utc next_late(void *context) {
    const struct served_scenario *served = context;
    return late_queue_next_at(served->stage.late);
}

static void door_advance(struct serve_door *door, struct utc now) {
    struct stage *stage = &((struct served_scenario *)door)->stage;
    virtual_clock_advance_to(stage->clock, now);
    int64_t tick = utc_sub(now, stage->start).ns / NANOS / TICK_S;
    if (tick != stage->tick) {
        stage->tick = tick;
        plan_set_tick(stage->plan, tick);
    }
}

static enum serve_manner door_handle(struct serve_door *door, const struct http_request *request,
                                     struct http_response *response, struct span *hold) {
    struct served_scenario *served = (struct served_scenario *)door;
    struct http *faulty = faulty_http_seam(served->faulty_http);
    if (http_perform(faulty, request, SPAN_S(0), response, NULL) == ERR_OK) {
        return SERVE_ANSWER;
    }
    const struct fault *fault = last_fired(served->stage.plan);
    enum serve_manner manner = manner_of(fault);
    if (manner == SERVE_CUT || manner == SERVE_ANSWER) {
        copy_response(response, &served->truth);
    }
    if (manner == SERVE_ANSWER) {
        *hold = fault->delay.ns > 0 ? fault->delay : SLOW;
    }
    return manner;
}

static const struct serve_door_ops door_ops = {door_advance, door_handle};

/* --- what cannot be served --- */

/* Why a server cannot do it, or NULL. */
static const char *objection(enum fault_point point) {
    const char *seam = fault_point_seam(point);
    if (point == POINT_HTTP_DNS || point == POINT_HTTP_REFUSED || point == POINT_HTTP_TLS) {
        return "happens before a connection reaches a server";
    }
    if (strcmp(seam, "http") == 0 || strcmp(seam, "api") == 0 || strcmp(seam, "view") == 0) {
        return NULL;
    }
    if (strcmp(seam, "order") == 0 || strcmp(seam, "market") == 0 || strcmp(seam, "asset") == 0) {
        return "changes orders or prices past the ledger that a server keeps";
    }
    return "happens in the core's own process";
}

static bool moves_the_account(enum stage_command command) {
    return command == COMMAND_DEPOSIT || command == COMMAND_WITHDRAW ||
           command == COMMAND_FOREIGN_ORDER;
}

static enum err_code check(const struct scenario *scenario, struct text *faults, struct err *err) {
    size_t before = faults->len;
    for (size_t i = 0; i < scenario->fault_count; i++) {
        enum fault_point point = scenario->faults[i].fault.point;
        const char *why = objection(point);
        if (why != NULL) {
            text_add_format(faults, "faults[%zu].point: %s %s; a served broker cannot do it\n", i,
                            fault_point_name(point), why);
        }
    }
    for (size_t i = 0; i < scenario->operator_count; i++) {
        if (moves_the_account(scenario->operators[i].command)) {
            text_add_format(faults,
                            "operator[%zu]: it moves the account past the ledger that a "
                            "server keeps; send the request to the server yourself\n",
                            i);
        }
    }
    return faults->len == before
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "scenario %s cannot be served", scenario->id);
}

/* --- life --- */

enum err_code served_scenario_create(const struct scenario *scenario, const char *data_dir,
                                     struct served_scenario **out, struct text *faults,
                                     struct err *err) {
    enum err_code code = check(scenario, faults, err);
    if (code != ERR_OK) {
        return code;
    }
    struct served_scenario *served = calloc(1, sizeof *served);
    CHECK(served != NULL);
    served->door.ops = &door_ops;
    served->options = (struct stage_options){.scenario = scenario, .data_dir = data_dir};
    served->stage.options = &served->options;
    served->stage.scenario = scenario;
    code = stage_build_market(&served->stage, err);
    if (code == ERR_OK) {
        code = stage_build_sessions(&served->stage, err);
    }
    if (code != ERR_OK) {
        served_scenario_destroy(served);
        return code;
    }
    *out = served;
    return ERR_OK;
}

void served_scenario_destroy(struct served_scenario *served) {
    if (served != NULL) {
        faulty_http_destroy(served->faulty_http);
        stage_release(&served->stage);
        http_response_release(&served->truth);
        free(served);
    }
}

struct market *served_scenario_market(struct served_scenario *served) {
    return served->stage.market;
}

struct broker_options served_scenario_account(const struct served_scenario *served) {
    return stage_broker_options(&served->stage);
}

enum err_code served_scenario_arm(struct served_scenario *served, struct serve *serve,
                                  struct observer *observer, struct err *err) {
    struct stage *stage = &served->stage;
    CHECK(stage->clock == NULL);
    fanout_init(&stage->fanout);
    fanout_add(&stage->fanout, observer);
    stage->start = serve_start(serve); /* spans count from here, on a resumed account too */
    stage->clock = virtual_clock_create(stage->start, "served");
    enum err_code code = stage_build_plan(stage, err);
    if (code != ERR_OK) {
        return code;
    }
    served->broker = serve_broker(serve);
    served->tap.ops = &tap_ops;
    stage->late = late_queue_create(served->broker);
    served->faulty_http =
        faulty_http_create(&served->tap, stage->plan, NULL, stage->clock, stage->late);
    virtual_clock_set_hook(stage->clock,
                           &(struct virtual_clock_hook){deliver_late, next_late, served});
    door_advance(&served->door, serve_now(serve));
    serve_set_door(serve, &served->door);
    return ERR_OK;
}
