/* views.c - see views.h. */
#include "chaos/faults/views.h"

#include "chaos/faults/gate.h"
#include "chaos/faults/json_edit.h"

#include <stdio.h>
#include <string.h>

#define MARK_FACTOR ((struct ratio){300000}) /* 0.0003 */

static bool symbol_of(const struct text *body, size_t object, char out[static FAULT_SYMBOL_MAX]) {
    return json_edit_string(body, object, "symbol", out, FAULT_SYMBOL_MAX);
}

/* The whole list replaces what was known: a closed position is worth nothing. */
static void remember(struct views *views, const struct text *body) {
    views->count = 0;
    struct slice element = {0};
    while (views->count < VIEW_MARKS_MAX && json_edit_next(body, 0, &element)) {
        struct view_mark *mark = &views->marks[views->count];
        struct slice value;
        if (symbol_of(body, element.at, mark->symbol) &&
            json_edit_find(body, element.at, "market_value", &value) &&
            json_edit_decimal(body, value, &mark->value.nanos)) {
            views->count++;
        }
    }
}

static void scale(struct text *body, size_t object, const char *key, struct ratio factor) {
    struct slice value;
    struct usd amount;
    struct usd scaled;
    if (json_edit_find(body, object, key, &value) &&
        json_edit_decimal(body, value, &amount.nanos) &&
        usd_times_ratio(amount, factor, &scaled, NULL) == ERR_OK) {
        json_edit_set(body, object, key, scaled.nanos);
    }
}

static void mark_positions(struct text *body, const struct fault *fault) {
    struct slice element = {0};
    while (json_edit_next(body, 0, &element)) {
        char symbol[FAULT_SYMBOL_MAX];
        if (symbol_of(body, element.at, symbol) &&
            (fault->symbol[0] == '\0' || strcmp(symbol, fault->symbol) == 0)) {
            scale(body, element.at, "current_price", fault_factor(fault, MARK_FACTOR));
            scale(body, element.at, "market_value", fault_factor(fault, MARK_FACTOR));
            return;
        }
    }
}

static void lower(struct text *body, const char *key, struct usd by) {
    struct slice value;
    int64_t nanos = 0;
    if (json_edit_find(body, 0, key, &value) && json_edit_decimal(body, value, &nanos)) {
        json_edit_set(body, 0, key, nanos - by.nanos);
    }
}

static void mark_account(const struct views *views, struct text *body, const struct fault *fault) {
    for (size_t i = 0; i < views->count; i++) {
        const struct view_mark *mark = &views->marks[i];
        struct usd left;
        if ((fault->symbol[0] != '\0' && strcmp(mark->symbol, fault->symbol) != 0) ||
            usd_times_ratio(mark->value, fault_factor(fault, MARK_FACTOR), &left, NULL) != ERR_OK) {
            continue;
        }
        const struct usd lost = usd_sub(mark->value, left);
        static const char *const keys[] = {"equity", "portfolio_value"};
        for (size_t k = 0; k < 2; k++) {
            lower(body, keys[k], lost);
        }
        lower(body, mark->value.nanos < 0 ? "short_market_value" : "long_market_value", lost);
        lower(body, "position_market_value", lost);
        return;
    }
}

static void rename_account(struct text *body) {
    static const char *const names[][2] = {{"id", "\"00000000-0000-4000-8000-000000000002\""},
                                           {"account_number", "\"OTHER0002\""}};
    for (size_t i = 0; i < 2; i++) {
        struct slice value;
        if (json_edit_find(body, 0, names[i][0], &value)) {
            json_edit_replace(body, value, names[i][1]);
        }
    }
}

static void distort_money(struct views *views, struct plan *plan, const char *entity,
                          struct text *body) {
    if (strcmp(entity, "GET /v2/positions") == 0) {
        if (plan_uses(plan, POINT_VIEW_MARK_ABSURD)) {
            remember(views, body);
        }
        const struct fault *mark = chaos_ask(plan, POINT_VIEW_MARK_ABSURD, entity);
        if (mark != NULL) {
            mark_positions(body, mark);
        }
        if (chaos_ask(plan, POINT_VIEW_POSITIONS_EMPTY, entity) != NULL) {
            text_clear(body);
            text_add(body, "[]");
        }
    } else if (strcmp(entity, "GET /v2/account") == 0) {
        const struct fault *mark = chaos_ask(plan, POINT_VIEW_MARK_ABSURD, entity);
        if (mark != NULL) {
            mark_account(views, body, mark);
        }
        if (chaos_ask(plan, POINT_VIEW_EQUITY_ZERO, entity) != NULL) {
            json_edit_set(body, 0, "equity", 0);
        }
        struct slice value;
        if (chaos_ask(plan, POINT_VIEW_BLOCKED, entity) != NULL &&
            json_edit_find(body, 0, "trading_blocked", &value)) {
            json_edit_replace(body, value, "true");
        }
        if (chaos_ask(plan, POINT_VIEW_OTHER_ACCOUNT, entity) != NULL) {
            rename_account(body);
        }
    }
}

void views_release(struct views *views) {
    copies_release(&views->copies);
}

void views_distort(struct views *views, struct exchange *x) {
    if (!chaos_is_armed(x->plan) || x->response->status != 200 ||
        strcmp(x->request->method, "GET") != 0) {
        return;
    }
    views_go_back(views, x);
    if (x->response->status == 200) {
        distort_money(views, x->plan, x->entity, &x->response->body);
        views_reshape(x);
    }
}
