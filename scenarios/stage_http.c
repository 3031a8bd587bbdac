/* stage_http.c - the http seams of the stage: the network, the broker's door, and the tap. */
#include "core/base/random.h"
#include "core/world/observe.h"
#include "scenarios/stage_seams.h"

/* One way: most requests of a good line take 8 to 40 ms, one in 64 up to 400 ms. */
static struct span draw_latency(struct random *random) {
    int64_t us = random_between(random, 4000, 20000);
    if (random_below(random, 64) == 0) {
        us = random_between(random, 20000, 200000);
    }
    return (struct span){us * 1000};
}

static bool has_expired(const struct sim_http *http, const struct http_request *request) {
    struct mono now = clock_mono(http->core_clock);
    return request->has_expiry && now.ns >= request->expires_at.ns;
}

static enum err_code sim_http_perform(struct http *seam, const struct http_request *request,
                                      struct span deadline, struct http_response *response,
                                      struct err *err) {
    struct sim_http *http = (struct sim_http *)seam;
    struct random random =
        random_stream(http->seed, "latency", (uint64_t)http->tick, http->ordinal++, 0);
    struct utc sent_at = virtual_clock_now(http->clock);
    struct utc deadline_at = utc_add(sent_at, deadline);
    http_response_clear(response);
    virtual_clock_advance(http->clock, draw_latency(&random));
    if (has_expired(http, request)) {
        return err_set(err, ERR_NOT_SENT, "%s %s: too late to send", request->method,
                       request->path);
    }
    broker_advance_to(http->broker, virtual_clock_now(http->clock));
    broker_handle(http->broker, request, response);
    struct utc answered_at = utc_add(virtual_clock_now(http->clock), draw_latency(&random));
    bool is_late = utc_is_before(deadline_at, answered_at);
    virtual_clock_advance_to(http->clock, is_late ? deadline_at : answered_at);
    if (is_late) {
        http_response_clear(response);
        return err_set(err, ERR_UNKNOWN, "%s %s: no answer in time", request->method,
                       request->path);
    }
    return ERR_OK;
}

static const struct http_ops sim_http_ops = {.perform = sim_http_perform};

void sim_http_init(struct sim_http *http, struct broker *broker, struct virtual_clock *clock,
                   struct clock *core_clock, uint64_t seed) {
    *http = (struct sim_http){.seam = {&sim_http_ops},
                              .broker = broker,
                              .clock = clock,
                              .core_clock = core_clock,
                              .seed = seed};
}

static enum err_code direct_perform(struct http *seam, const struct http_request *request,
                                    struct span deadline, struct http_response *response,
                                    struct err *err) {
    struct direct_http *http = (struct direct_http *)seam;
    (void)deadline;
    (void)err;
    http_response_clear(response);
    broker_advance_to(http->broker, virtual_clock_now(http->clock));
    broker_handle(http->broker, request, response);
    return ERR_OK;
}

static const struct http_ops direct_ops = {.perform = direct_perform};

void direct_http_init(struct direct_http *http, struct broker *broker,
                      struct virtual_clock *clock) {
    *http = (struct direct_http){.seam = {&direct_ops}, .broker = broker, .clock = clock};
}

static void print_what(const struct http_request *request, struct text *out) {
    text_clear(out);
    text_add(out, request->path);
    if (request->query != NULL && request->query[0] != '\0') {
        text_add_char(out, '?');
        text_add(out, request->query);
    }
}

static enum err_code tap_perform(struct http *seam, const struct http_request *request,
                                 struct span deadline, struct http_response *response,
                                 struct err *err) {
    struct tap *tap = (struct tap *)seam;
    print_what(request, &tap->what);
    observe(tap->observer, &(struct event){.kind = EVENT_SEND,
                                           .at = clock_utc(tap->clock),
                                           .subject = request->method,
                                           .what = text_get(&tap->what),
                                           .number = (int64_t)tap->process->life,
                                           .body = request->body,
                                           .body_len = request->body_len});
    enum err_code code = http_perform(tap->inner, request, deadline, response, err);
    print_what(request, &tap->what); /* a nested request may have used it */
    text_clear(&tap->body);
    text_add_bytes(&tap->body, request->body == NULL ? "" : request->body, request->body_len);
    text_add_char(&tap->body, '\n');
    text_add_bytes(&tap->body, text_get(&response->body), response->body.len);
    observe(tap->observer, &(struct event){.kind = EVENT_HTTP,
                                           .at = clock_utc(tap->clock),
                                           .subject = request->method,
                                           .what = text_get(&tap->what),
                                           .id = code == ERR_OK ? "" : err_word(code),
                                           .number = response->status,
                                           .body = text_get(&tap->body),
                                           .body_len = tap->body.len});
    return code;
}

static void tap_reconnect(struct http *seam) {
    http_reconnect(((struct tap *)seam)->inner);
}

static const struct http_ops tap_ops = {tap_perform, tap_reconnect};

void tap_init(struct tap *tap, struct http *inner, struct clock *clock, struct observer *observer,
              const struct process *process) {
    *tap = (struct tap){.seam = {&tap_ops},
                        .inner = inner,
                        .clock = clock,
                        .observer = observer,
                        .process = process};
}

void tap_release(struct tap *tap) {
    text_release(&tap->what);
    text_release(&tap->body);
}
