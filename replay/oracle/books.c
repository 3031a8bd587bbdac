/* books.c - books_equal_ledger and fill_booked_once: what the core counts as filled, against what the
 * ledger executed, per client order id.
 *
 * Booked growth is the sum of the journal's "fill" rows, across restarts; the filled quantity of
 * EVENT_ORDER is cumulative. An execution must be known at a clean stop if three ticks ended after it
 * and no fault fired since; a younger one, or one behind a fault, is a maybe. Where the journal went
 * back (a row number came twice: a lying disk), more booked than executed is a maybe too. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { TICKS_TO_KNOW = 3 };

struct filled {
    char id[TABLE_NAME_MAX];
    struct qty ledger;
    struct qty core;   /* as the core last told */
    struct qty booked; /* sum of journaled growth */
    int64_t last_tick; /* ticks ended when the ledger last grew */
    struct utc last_at;
    bool is_reported;
    bool is_missed; /* told at a stop */
};

struct books {
    struct table orders;
    int64_t ticks;
    int64_t last_row;
    bool is_row_repeated;
    struct utc last_fault;
};

static void *books_create(void) {
    struct books *judge = judge_alloc(sizeof *judge);
    judge->orders = table_of(sizeof(struct filled));
    return judge;
}

static void books_destroy(void *context) {
    struct books *judge = context;
    table_release(&judge->orders);
    free(judge);
}

static void tell(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                 const char *id, struct qty is, struct qty ledger) {
    char a[DECIMAL_TEXT_MAX];
    char b[DECIMAL_TEXT_MAX];
    decimal_print(is.nanos, a);
    decimal_print(ledger.nanos, b);
    findings_break(findings, invariant, at, "%s: the core counts %s, the ledger %s", id, a, b);
}

static void judge_excess(struct books *judge, struct filled *order, const struct event *event,
                         struct findings *findings) {
    struct qty most = qty_cmp(order->core, order->booked) > 0 ? order->core : order->booked;
    if (order->is_reported || qty_cmp(most, order->ledger) <= 0) {
        return;
    }
    order->is_reported = true;
    if (judge->is_row_repeated) {
        findings_maybe(findings);
    } else {
        tell(findings, ORACLE_BOOKED_ONCE, event->at, order->id, most, order->ledger);
    }
}

static void take_row(struct books *judge, const struct event *event, struct findings *findings) {
    judge->is_row_repeated = judge->is_row_repeated || event->number <= judge->last_row;
    judge->last_row = event->number;
    if (strcmp(event->subject, "fill") != 0) {
        return;
    }
    cJSON *body = NULL;
    struct qty growth = {0};
    if (json_parse(event->body, event->body_len, &body, NULL) == ERR_OK &&
        json_qty(body, "qty", &growth, NULL) == ERR_OK) {
        struct filled *order = table_get(&judge->orders, event->id);
        order->booked = qty_add(order->booked, growth);
        judge_excess(judge, order, event, findings);
    }
    cJSON_Delete(body);
}

static void judge_stop(struct books *judge, const struct event *event, struct findings *findings) {
    for (size_t i = 0; i < judge->orders.count; i++) {
        struct filled *order = table_at(&judge->orders, i);
        if (!is_our_id(order->id) || order->is_missed || qty_cmp(order->core, order->ledger) >= 0) {
            continue;
        }
        bool is_due = judge->ticks - order->last_tick >= TICKS_TO_KNOW &&
                      utc_is_before(judge->last_fault, order->last_at);
        order->is_missed = true;
        if (is_due) {
            tell(findings, ORACLE_BOOKS, event->at, order->id, order->core, order->ledger);
        } else {
            findings_maybe(findings);
        }
    }
}

static void books_observe(void *context, const struct event *event, struct findings *findings) {
    struct books *judge = context;
    if (event->kind == EVENT_TICK) {
        judge->ticks++;
    } else if (event->kind == EVENT_FAULT) {
        judge->last_fault = event->at;
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        struct filled *order = table_get(&judge->orders, event->id);
        order->ledger = qty_add(order->ledger, event->qty);
        order->last_tick = judge->ticks;
        order->last_at = event->at;
    } else if (event->kind == EVENT_ORDER) {
        struct filled *order = table_get(&judge->orders, event->id);
        order->core = qty_cmp(event->qty, order->core) > 0 ? event->qty : order->core;
        judge_excess(judge, order, event, findings);
    } else if (event->kind == EVENT_STOP && strcmp(event->subject, "clean") == 0) {
        judge_stop(judge, event, findings);
    }
}

const struct judge_ops books_judge = {books_create, books_observe, books_destroy};
