/* broker_fixture.h - a simulated broker on a synthetic market, and short words to talk to it. */
#ifndef TESTS_UNIT_BROKER_FIXTURE_H
#define TESTS_UNIT_BROKER_FIXTURE_H

#include "broker_sim/api/broker.h"
#include "core/base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct usd none = {0}; /* no price */

/* An order of SYM000 as posted, by its other members. */
#define BODY(members) "{\"symbol\":\"SYM000\"," members "}"
#define DAY_BUY "\"side\":\"buy\",\"type\":\"market\",\"time_in_force\":\"day\""

struct fixture {
    struct market *market;
    struct broker *broker;
    struct http_response response;
    cJSON *json; /* of the last answer; NULL if it was none */
    struct observer observer;
    int order_events;
    int fill_events;
    char words[512]; /* statuses in the order told, each behind a blank */
};

static inline void fixture_observe(struct observer *observer, const struct event *event) {
    struct fixture *f =
        (struct fixture *)(void *)((char *)observer - offsetof(struct fixture, observer));
    f->order_events += event->kind == EVENT_LEDGER_ORDER;
    f->fill_events += event->kind == EVENT_LEDGER_FILL;
    if (event->kind == EVENT_LEDGER_ORDER &&
        strlen(f->words) + strlen(event->what) + 2 < sizeof f->words) {
        strcat(f->words, " ");
        strcat(f->words, event->what);
    }
}

static const struct observer_ops fixture_observer_ops = {.observe = fixture_observe};

static inline struct utc at_ny(int month, int day, int hour, int minute) {
    return ny_to_utc(date_from_civil(2026, month, day), hour, minute);
}

/* No latency, no partial fills, no late rejects, no rate limit: each test turns on what it is
 * about. */
static inline struct broker_options plain_options(struct utc start) {
    struct broker_options options = broker_options_paper(7, start);
    options.rate_limit_per_min = 0;
    options.accept_latency_max = SPAN_MS(0);
    options.fill_latency_max = SPAN_MS(0);
    options.partial_fill_chance = (struct ratio){0};
    options.late_reject_chance = (struct ratio){0};
    return options;
}

/* Five symbols from Tuesday 2026-09-01 on, ten sessions. */
static inline struct fixture *fixture_with(const struct broker_options *options) {
    struct fixture *f = calloc(1, sizeof *f);
    struct err err = {0};
    f->observer.ops = &fixture_observer_ops;
    cr_assert_eq(market_synthetic(11, 5, date_from_civil(2026, 9, 1), 10, &f->market, &err), ERR_OK,
                 "%s", err.text);
    struct broker_options with = *options;
    with.observer = &f->observer;
    cr_assert_eq(broker_create(f->market, &with, &f->broker, &err), ERR_OK, "%s", err.text);
    return f;
}

static inline struct fixture *fixture_at(struct utc start) {
    struct broker_options options = plain_options(start);
    return fixture_with(&options);
}

static inline void fixture_end(struct fixture *f) {
    cJSON_Delete(f->json);
    http_response_release(&f->response);
    broker_destroy(f->broker);
    market_destroy(f->market);
    free(f);
}

static inline void call_with(struct fixture *f, const struct http_header *headers, size_t count,
                             const char *method, const char *path, const char *query,
                             const char *body) {
    struct http_request request = {.method = method,
                                   .path = path,
                                   .query = query,
                                   .headers = headers,
                                   .header_count = count,
                                   .body = body,
                                   .body_len = strlen(body),
                                   .is_change = strcmp(method, "GET") != 0};
    broker_handle(f->broker, &request, &f->response);
    cJSON_Delete(f->json);
    f->json = NULL;
    if (f->response.body.len > 0 && f->response.body.data[0] != '<') {
        struct err err = {0};
        cr_assert_eq(json_parse(f->response.body.data, f->response.body.len, &f->json, &err),
                     ERR_OK, "%s: %s", err.text, f->response.body.data);
    }
}

/* One exchange with the right key; returns the HTTP status. */
static inline int call(struct fixture *f, const char *method, const char *path, const char *query,
                       const char *body) {
    const struct http_header headers[] = {{"APCA-API-KEY-ID", "SIM-KEY"},
                                          {"APCA-API-SECRET-KEY", "SIM-SECRET"}};
    call_with(f, headers, 2, method, path, query, body);
    return f->response.status;
}

static inline int get(struct fixture *f, const char *path, const char *query) {
    return call(f, "GET", path, query, "");
}

/* A string member of the last answer; "" when it is null, fails when it is missing. */
static inline const char *str(const struct fixture *f, const char *key) {
    const cJSON *member = json_member(f->json, key);
    cr_assert_not_null(member, "no %s in %s", key, text_get(&f->response.body));
    return cJSON_IsString(member) ? member->valuestring : "";
}

static inline int code_of(const struct fixture *f) {
    const cJSON *member = json_member(f->json, "code");
    return member == NULL ? 0 : (int)member->valuedouble;
}

static inline void advance(struct fixture *f, struct span by) {
    broker_advance_to(f->broker, utc_add(broker_now(f->broker), by));
}

static inline int post(struct fixture *f, const char *body) {
    return call(f, "POST", "/v2/orders", "", body);
}

/* Posts a well-formed order, copies its id and expects it to be taken. */
static inline void order(struct fixture *f, const char *side, const char *type, const char *tif,
                         const char *qty, struct usd limit, struct usd stop, char id[40]) {
    struct text body = {0};
    text_add_format(
        &body,
        "{\"symbol\":\"SYM000\",\"side\":\"%s\",\"type\":\"%s\",\"time_in_force\":\"%s\","
        "\"qty\":\"%s\"",
        side, type, tif, qty);
    if (limit.nanos != 0) {
        text_add(&body, ",\"limit_price\":\"");
        text_add_decimal(&body, limit.nanos);
        text_add(&body, "\"");
    }
    if (stop.nanos != 0) {
        text_add(&body, ",\"stop_price\":\"");
        text_add_decimal(&body, stop.nanos);
        text_add(&body, "\"");
    }
    text_add(&body, "}");
    int status = post(f, text_get(&body));
    cr_assert_eq(status, 200, "%s -> %s", text_get(&body), text_get(&f->response.body));
    snprintf(id, 40, "%s", str(f, "id"));
    text_release(&body);
}

/* Fetches an order and returns its status. */
static inline const char *status_of(struct fixture *f, const char *id) {
    char path[80];
    snprintf(path, sizeof path, "/v2/orders/%s", id);
    cr_assert_eq(get(f, path, ""), 200);
    return str(f, "status");
}

static inline int on_order(struct fixture *f, const char *method, const char *id,
                           const char *body) {
    char path[80];
    snprintf(path, sizeof path, "/v2/orders/%s", id);
    return call(f, method, path, "", body);
}

/* Asks for a change, expects it to be taken and copies the successor's id. */
static inline void replace(struct fixture *f, const char *id, const char *body,
                           char successor[40]) {
    cr_assert_eq(on_order(f, "PATCH", id, body), 200, "%s -> %s", body,
                 text_get(&f->response.body));
    snprintf(successor, 40, "%s", str(f, "id"));
}

static inline struct market_quote quote_now(const struct fixture *f) {
    struct market_quote quote = {0};
    cr_assert(market_quote_at(f->market, 0, broker_now(f->broker), &quote));
    return quote;
}

static inline struct usd last_now(const struct fixture *f) {
    struct market_trade trade = {0};
    cr_assert(market_trade_at(f->market, 0, broker_now(f->broker), &trade));
    return trade.price;
}

/* A price moved by per mille, on the tick. */
static inline struct usd off(struct usd price, int per_mille) {
    struct usd moved = {price.nanos / 1000 * (1000 + per_mille)};
    return usd_floor(moved, (struct usd){NANOS / 100});
}

/* Buys SYM000 at the market and waits for it. */
static inline void hold(struct fixture *f, const char *qty) {
    char id[40];
    order(f, "buy", "market", "day", qty, (struct usd){0}, (struct usd){0}, id);
    advance(f, SPAN_S(30));
    cr_assert_str_eq(status_of(f, id), "filled");
}

#endif
