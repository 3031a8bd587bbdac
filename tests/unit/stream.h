/* stream.h - small hand-written streams for the judges, and what is expected of their verdict. */
#ifndef TESTS_UNIT_STREAM_H
#define TESTS_UNIT_STREAM_H

#include "replay/oracle/oracle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Seconds of the run; 0 is an instant like any other. */
static inline struct utc at(int64_t seconds) {
    return (struct utc){INT64_C(1700000000000000000) + seconds * NANOS};
}

static inline void feed(struct oracle *oracle, struct event event) {
    oracle_observe(oracle, &event);
}

static inline void ledger_order(struct oracle *oracle, int64_t second, const char *id,
                                const char *side, const char *type, const char *status,
                                int64_t ordered, int64_t filled) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_ORDER,
                                .at = at(second),
                                .subject = side,
                                .what = status,
                                .symbol = "AAPL",
                                .id = id,
                                .number = ordered * NANOS,
                                .qty = QTY(filled),
                                .body = type,
                                .body_len = strlen(type)});
}

static inline void ledger_fill(struct oracle *oracle, int64_t second, const char *id,
                               const char *side, int64_t shares) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(second),
                                .subject = side,
                                .symbol = "AAPL",
                                .id = id,
                                .qty = QTY(shares),
                                .price = USD(100)});
}

/* A share of a buy of ours is undone; the core keeps what vanished. */
static inline void undoes(struct oracle *oracle, int64_t second, const char *symbol) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(second),
                                .subject = "sell",
                                .symbol = symbol,
                                .id = "bust:st-0",
                                .qty = QTY(1),
                                .price = USD(100)});
}

static inline void core_order(struct oracle *oracle, int64_t second, const char *id,
                              int64_t filled) {
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = "entry",
                                .what = "filled",
                                .symbol = "AAPL",
                                .id = id,
                                .qty = QTY(filled)});
}

static inline void row_at(struct oracle *oracle, int64_t second, int64_t seq, const char *kind,
                          const char *key, const char *body) {
    feed(oracle, (struct event){.kind = EVENT_ROW,
                                .at = at(second),
                                .subject = kind,
                                .id = key,
                                .number = seq,
                                .body = body,
                                .body_len = strlen(body)});
}

static inline void row(struct oracle *oracle, int64_t seq, const char *kind, const char *key,
                       const char *body) {
    row_at(oracle, seq, seq, kind, key, body);
}

static inline void word(struct oracle *oracle, enum event_kind kind, int64_t second,
                        const char *subject, const char *what) {
    feed(oracle, (struct event){.kind = kind, .at = at(second), .subject = subject, .what = what});
}

static inline void phase(struct oracle *oracle, int64_t second, const char *what) {
    feed(oracle, (struct event){.kind = EVENT_EXIT,
                                .at = at(second),
                                .subject = "time",
                                .what = what,
                                .symbol = "AAPL",
                                .qty = QTY(10)});
}

static inline void body_of(struct oracle *oracle, enum event_kind kind, int64_t second,
                           const char *subject, const char *what, const char *body) {
    feed(oracle, (struct event){.kind = kind,
                                .at = at(second),
                                .subject = subject,
                                .what = what,
                                .body = body,
                                .body_len = strlen(body)});
}

/* Ends the oracle: exactly `id` broke ("" for none), and `maybe` excuses were made. */
static inline void expect(struct oracle *oracle, const char *id, int maybe) {
    const char *ids[ORACLE_INVARIANT_COUNT] = {""};
    size_t count = oracle_broken(oracle, ids, ORACLE_INVARIANT_COUNT);
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_eq(count, id[0] == '\0' ? 0 : 1, "want '%s': %s", id, text_get(&verdict));
    cr_expect_str_eq(ids[0], id, "%s", text_get(&verdict));
    char said[32];
    snprintf(said, sizeof said, "\"maybe\":%d,", maybe);
    cr_expect(strstr(text_get(&verdict), said) != NULL, "want %s %s", said, text_get(&verdict));
    text_release(&verdict);
    oracle_destroy(oracle);
}

/* Of this mechanism the verdict's scores say this; "[]": nothing at all. */
static inline void expect_score_of(const struct text *verdict, const char *mechanism,
                                   const char *score) {
    char key[96];
    char own[512] = "";
    snprintf(key, sizeof key, "{\"mechanism\":\"%s\",\"due\"", mechanism);
    const char *at = strstr(text_get(verdict), key);
    if (at != NULL) {
        snprintf(own, sizeof own, "%.*s", (int)strcspn(at, "}"), at);
    }
    bool is_met = strcmp(score, "[]") == 0 ? at == NULL : strstr(own, score) != NULL;
    cr_expect(is_met || score[0] == '\0', "%s: %s in %s", mechanism, score, text_get(verdict));
}

/* The same, and the verdict's scores say this. */
static inline void expect_scored(struct oracle *oracle, const char *id, const char *score) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), score), "%s in %s", score, text_get(&verdict));
    text_release(&verdict);
    expect(oracle, id, 0);
}

/* The same, and the verdict's first finding is at a second and says this. */
static inline void expect_finding(struct oracle *oracle, const char *id, int64_t second,
                                  const char *text) {
    struct text verdict = {0};
    struct text want = {0};
    text_add(&want, "{\"broken\":[{");
    text_member_string(&want, "id", id);
    text_member_utc(&want, "at", at(second));
    text_member_string(&want, "text", text);
    text_add_char(&want, '}');
    oracle_verdict(oracle, &verdict);
    cr_expect_eq(strncmp(text_get(&verdict), text_get(&want), want.len), 0, "want %s\n in %s",
                 text_get(&want), text_get(&verdict));
    text_release(&verdict);
    text_release(&want);
    expect(oracle, id, 0);
}

static inline void frame(struct oracle *oracle, const char *key, const char *value) {
    feed(oracle, (struct event){.kind = EVENT_FRAME, .subject = key, .what = value});
}

/* A request about to leave, of life 1. */
static inline void leaves(struct oracle *oracle, int64_t second, const char *method,
                          const char *what, const char *body) {
    feed(oracle, (struct event){.kind = EVENT_SEND,
                                .at = at(second),
                                .subject = method,
                                .what = what,
                                .number = 1,
                                .body = body,
                                .body_len = strlen(body)});
}

/* A limit order of 10 shares at 100 about to leave. */
static inline void order_leaves(struct oracle *oracle, int64_t second, const char *side,
                                const char *symbol, const char *id) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"symbol\":\"%s\",\"side\":\"%s\",\"type\":\"limit\",\"qty\":\"10\","
             "\"limit_price\":\"100\",\"client_order_id\":\"%s\"}",
             symbol, side, id);
    leaves(oracle, second, "POST", "/v2/orders", body);
}

/* An answer as the core saw it. */
static inline void answer(struct oracle *oracle, int64_t second, const char *what, int status,
                          const char *body) {
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = "GET",
                                .what = what,
                                .number = status,
                                .body = body,
                                .body_len = strlen(body)});
}

static inline void equity(struct oracle *oracle, int64_t second, int64_t usd) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_EQUITY, .at = at(second), .amount = USD(usd)});
}

#endif
