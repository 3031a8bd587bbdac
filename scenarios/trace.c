/* trace.c - hashing the canonical records of a run. */
#include "scenarios/trace.h"

#include "core/base/json.h"
#include "scenarios/canonical.h"

#include <string.h>

static void add_bytes(struct trace *trace, const char *bytes, size_t n) {
    hasher_add_int(trace->hasher, (int64_t)n);
    hasher_add(trace->hasher, bytes, n);
}

static void add_string(struct trace *trace, const char *string) {
    add_bytes(trace, string, strlen(string));
}

/* "request LF answer": the request sorted if it is JSON, so that its writer's key order is no matter. */
static void add_http_body(struct trace *trace, const char *body, size_t n) {
    const char *end = n == 0 ? NULL : memchr(body, '\n', n);
    size_t request = end == NULL ? n : (size_t)(end - body);
    cJSON *tree = NULL;
    struct err err = {0};
    if (request > 0 && json_parse(body, request, &tree, &err) == ERR_OK) {
        text_clear(&trace->sorted);
        json_print_sorted(tree, &trace->sorted);
        add_bytes(trace, text_get(&trace->sorted), trace->sorted.len);
        cJSON_Delete(tree);
    } else {
        add_bytes(trace, body, request);
    }
    add_bytes(trace, body + request, n - request);
}

static void trace_observe(struct observer *observer, const struct event *event) {
    struct trace *trace = (struct trace *)observer;
    if (event->kind == EVENT_FRAME || event->kind == EVENT_SEND || event->kind == EVENT_HEALED) {
        return;
    }
    trace->events++;
    add_string(trace, event_word(event->kind));
    hasher_add_int(trace->hasher, event->at.ns);
    add_string(trace, event->subject);
    if (event->kind == EVENT_HTTP) {
        text_clear(&trace->sorted);
        canonical_target(event->what, &trace->sorted);
        add_bytes(trace, text_get(&trace->sorted), trace->sorted.len);
    } else {
        add_string(trace, event->what);
    }
    add_string(trace, event->symbol);
    add_string(trace, event->id);
    hasher_add_int(trace->hasher, event->number);
    hasher_add_int(trace->hasher, event->qty.nanos);
    hasher_add_int(trace->hasher, event->price.nanos);
    hasher_add_int(trace->hasher, event->amount.nanos);
    if (event->kind == EVENT_HTTP) {
        add_http_body(trace, event->body, event->body_len);
    } else {
        add_bytes(trace, event->body, event->body_len);
    }
}

static const struct observer_ops trace_ops = {trace_observe};

void trace_init(struct trace *trace) {
    *trace = (struct trace){.seam = {&trace_ops}, .hasher = hasher_create()};
}

void trace_release(struct trace *trace) {
    hasher_destroy(trace->hasher);
    text_release(&trace->sorted);
}

void trace_print(const struct trace *trace, char out[static HASH_TEXT_MAX]) {
    hasher_print(trace->hasher, out);
}
