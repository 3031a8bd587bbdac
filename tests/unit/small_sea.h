/* small_sea.h - a small world for the tests of faults: a broker that counts, a disk, one process. */
#ifndef TESTS_UNIT_SMALL_SEA_H
#define TESTS_UNIT_SMALL_SEA_H

#include "chaos/faults/faulty_disk.h"
#include "chaos/faults/faulty_http.h"
#include "chaos/faults/gate.h"

#include <criterion/criterion.h>
#include <string.h>

#define must(call) cr_assert_eq((call), ERR_OK)

struct fake_broker {
    struct http seam;
    struct virtual_clock *clock;
    int posts; /* of orders */
    char last_body[64];
    const char *answer; /* instead of the usual ones; NULL: those */
};

static const char account[] = "{\"id\":\"x\",\"equity\":\"10000\",\"long_market_value\":\"2000\","
                              "\"portfolio_value\":\"10000\",\"cash\":\"8000\"}";
static const char positions[] =
    "[{\"symbol\":\"AAPL\",\"qty\":\"2\",\"current_price\":\"500\",\"market_value\":\"1000\"},"
    " {\"symbol\":\"MSFT\",\"qty\":\"5\",\"current_price\":\"200\",\"market_value\":\"1000\"}]";

static enum err_code broker_perform(struct http *seam, const struct http_request *request,
                                    struct span deadline, struct http_response *response,
                                    struct err *err) {
    (void)deadline;
    (void)err;
    struct fake_broker *broker = (struct fake_broker *)seam;
    virtual_clock_advance(broker->clock, SPAN_MS(40));
    http_response_clear(response);
    response->status = 200;
    if (strcmp(request->method, "POST") == 0) {
        broker->posts++;
        must(text_copy(broker->last_body, sizeof broker->last_body, request->body, NULL));
    }
    text_add(&response->body, broker->answer != NULL                        ? broker->answer
                              : strcmp(request->path, "/v2/positions") == 0 ? positions
                                                                            : account);
    return ERR_OK;
}

static const struct http_ops broker_ops = {.perform = broker_perform};

struct ear { /* hears the faults of its world */
    struct observer seam;
    int heard;
    const char *point; /* of the last */
    char entity[FAULT_TARGET_MAX];
};

static inline void ear_observe(struct observer *observer, const struct event *event) {
    struct ear *ear = (struct ear *)observer;
    cr_assert_eq(event->kind, EVENT_FAULT);
    ear->heard++;
    ear->point = event->subject;
    snprintf(ear->entity, sizeof ear->entity, "%s", event->what);
}

static const struct observer_ops ear_ops = {.observe = ear_observe};

struct sea {
    struct virtual_clock *clock;
    struct ear ear;
    struct fake_broker broker;
    struct plan *plan;
    struct process process;
    struct late_queue *late;
    struct faulty_http *http;
    struct sim_disk *sim;
    struct faulty_disk *disk;
    struct http_response answer;
};

static inline void sea_start(struct sea *sea, uint64_t seed, const struct fault *faults, size_t n) {
    *sea = (struct sea){.broker.seam = {&broker_ops}, .ear.seam = {&ear_ops}};
    sea->clock = virtual_clock_create((struct utc){INT64_C(1000000000)}, "t");
    sea->broker.clock = sea->clock;
    sea->plan = plan_create(seed, sea->clock, &sea->ear.seam);
    for (size_t i = 0; i < n; i++) {
        must(plan_add(sea->plan, &faults[i], NULL));
    }
    process_start(&sea->process, sea->clock);
    sea->late = late_queue_create(&sea->broker.seam);
    sea->http =
        faulty_http_create(&sea->broker.seam, sea->plan, &sea->process, sea->clock, sea->late);
    sea->sim = sim_disk_create(seed, disk_rules_of(DISK_PROFILE_STRICT), sea->clock);
    sea->disk = faulty_disk_create(sim_disk_port(sea->sim, 0), sea->sim, sea->plan, &sea->process);
}

static inline void sea_end(struct sea *sea) {
    chaos_disarm(sea->plan);
    faulty_disk_destroy(sea->disk);
    sim_disk_destroy(sea->sim);
    faulty_http_destroy(sea->http);
    late_queue_destroy(sea->late);
    plan_destroy(sea->plan);
    http_response_release(&sea->answer);
    virtual_clock_destroy(sea->clock);
}

static inline enum err_code ask(struct sea *sea, const char *method, const char *path) {
    const struct http_request request = {.method = method,
                                         .path = path,
                                         .query = "",
                                         .body = "{\"a\":1}",
                                         .body_len = 7,
                                         .is_change = strcmp(method, "GET") != 0};
    return http_perform(faulty_http_seam(sea->http), &request, SPAN_S(5), &sea->answer, NULL);
}

/* One armed fault in a world of its own. */
static inline void sea_of(struct sea *sea, const struct fault *fault) {
    sea_start(sea, 1, fault, 1);
    must(chaos_arm(sea->plan, sea->clock, NULL));
}

static inline int64_t elapsed_ms(const struct sea *sea) {
    return (virtual_clock_now(sea->clock).ns - INT64_C(1000000000)) / 1000000;
}

#endif
