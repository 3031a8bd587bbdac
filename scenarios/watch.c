/* watch.c - expectations and conditions of one run. */
#include "scenarios/watch.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "scenarios/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_ORDERS_MAX 16384
#define WATCH_SYMBOLS_MAX 160
#define WATCH_LATCHES_MAX 64
#define NAKED_MAX SPAN_S(60)
#define LEAVE_MAX SPAN_MIN(10)
#define LIE_LASTS SPAN_S(5)

struct watch_order {
    char id[64];
    char symbol[16];
    bool is_buy, is_stop, is_live, is_foreign, is_known_to_core;
    struct qty ledger_filled, core_filled;
    uint64_t content; /* hash of the first POST with this id; 0 none */
};

struct watch_symbol {
    char symbol[16];
    struct qty qty;
    bool is_exiting;
    struct utc leave_since; /* held when a flatten named it; {0}: flat since, or not named */
    int64_t live_buys;      /* of ours, at the broker */
    struct utc naked_since; /* {0}: protected */
};

struct watch {
    struct observer seam;
    const struct scenario *scenario;
    const struct calendar *calendar;
    struct watch_order *orders;
    size_t order_count, order_cap;
    struct watch_symbol symbols[WATCH_SYMBOLS_MAX];
    size_t symbol_count;
    char latches[WATCH_LATCHES_MAX][INBOX_CAUSE_MAX];
    size_t latch_count;
    char strict[WATCH_LATCHES_MAX][INBOX_CAUSE_MAX]; /* causes now demanding REDUCE_ONLY or HALT */
    size_t strict_count;
    char mode[16];
    struct utc first_disturbance; /* {0}: none yet */
    struct utc lie_at, paged_at;
    bool is_met[SCENARIO_EXPECT_MAX];
    int64_t breaks[STAGE_CONDITION_COUNT];
    struct utc broke_at[STAGE_CONDITION_COUNT]; /* first time */
    char detail[STAGE_CONDITION_COUNT][80];
};

void watch_break(struct watch *watch, enum stage_condition condition, struct utc at,
                 const char *detail) {
    if (watch->breaks[condition]++ == 0) {
        watch->broke_at[condition] = at;
        snprintf(watch->detail[condition], sizeof watch->detail[condition], "%s", detail);
    }
}

static struct watch_symbol *symbol_of(struct watch *watch, const char *symbol) {
    for (size_t i = 0; i < watch->symbol_count; i++) {
        if (strcmp(watch->symbols[i].symbol, symbol) == 0) {
            return &watch->symbols[i];
        }
    }
    CHECK(watch->symbol_count < WATCH_SYMBOLS_MAX);
    struct watch_symbol *added = &watch->symbols[watch->symbol_count++];
    snprintf(added->symbol, sizeof added->symbol, "%s", symbol);
    return added;
}

/* From the newest: what moves is mostly young. */
static struct watch_order *order_of(struct watch *watch, const char *id) {
    for (size_t i = watch->order_count; i-- > 0;) {
        if (strcmp(watch->orders[i].id, id) == 0) {
            return &watch->orders[i];
        }
    }
    if (watch->order_count == watch->order_cap) {
        CHECK(watch->order_count < WATCH_ORDERS_MAX * 64);
        watch->order_cap = watch->order_cap == 0 ? 256 : watch->order_cap * 2;
        watch->orders = realloc(watch->orders, watch->order_cap * sizeof watch->orders[0]);
        CHECK(watch->orders != NULL);
    }
    struct watch_order *added = &watch->orders[watch->order_count++];
    *added = (struct watch_order){0};
    snprintf(added->id, sizeof added->id, "%s", id);
    return added;
}

static bool is_session(const struct watch *watch, struct utc at, struct session *session) {
    return calendar_current_or_next(watch->calendar, at, session) &&
           !utc_is_before(at, session->open);
}

static bool is_reduced(const struct watch *watch) {
    return strcmp(watch->mode, "REDUCE_ONLY") == 0 || strcmp(watch->mode, "HALT") == 0;
}

/* --- requests --- */

static void judge_send(struct watch *watch, const cJSON *order, struct utc now) {
    const char *side = "";
    const char *type = "";
    const char *symbol = "";
    struct session session;
    struct err err = {0};
    if (json_string(order, "side", &side, &err) != ERR_OK ||
        json_string(order, "type", &type, &err) != ERR_OK ||
        json_string(order, "symbol", &symbol, &err) != ERR_OK) {
        return;
    }
    if (strcmp(side, "buy") == 0) {
        if (watch->strict_count > 0) {
            watch_break(watch, CONDITION_S2, now, watch->strict[0]);
        }
        if (!is_session(watch, now, &session)) {
            watch_break(watch, CONDITION_S10, now, symbol);
        }
    } else if (strcmp(type, "stop") != 0 && watch->scenario->is_never[CONDITION_X5] &&
               watch->lie_at.ns != 0 && now.ns - watch->lie_at.ns < LIE_LASTS.ns) {
        watch_break(watch, CONDITION_X5, now, symbol);
    }
}

void watch_request(struct watch *watch, const struct http_request *request, struct utc now) {
    cJSON *order = NULL;
    const char *id = "";
    struct err err = {0};
    if (strcmp(request->method, "POST") != 0 || strcmp(request->path, "/v2/orders") != 0 ||
        json_parse(request->body, request->body_len, &order, &err) != ERR_OK) {
        return;
    }
    judge_send(watch, order, now);
    if (json_string(order, "client_order_id", &id, &err) == ERR_OK) {
        struct text sorted = {0};
        json_print_sorted(order, &sorted);
        uint64_t content = hash64(text_get(&sorted), sorted.len, 1);
        struct watch_order *row = order_of(watch, id);
        if (row->content != 0 && row->content != content) {
            watch_break(watch, CONDITION_X3, now, id);
        }
        row->content = content;
        text_release(&sorted);
    }
    cJSON_Delete(order);
}

void watch_foreign(struct watch *watch, const char *client_id) {
    order_of(watch, client_id)->is_foreign = true;
}

/* --- the ledger --- */

static bool is_live_status(const char *status) {
    static const char *const over[] = {"filled",   "canceled", "expired",
                                       "rejected", "replaced", "done_for_day"};
    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
        if (strcmp(over[i], status) == 0) {
            return false;
        }
    }
    return true;
}

static void on_ledger_order(struct watch *watch, const struct event *event) {
    struct watch_order *row = order_of(watch, event->id);
    struct watch_symbol *symbol = symbol_of(watch, event->symbol);
    snprintf(row->symbol, sizeof row->symbol, "%s", event->symbol);
    row->is_buy = strcmp(event->subject, "buy") == 0;
    row->is_stop = strcmp(event->body, "stop") == 0;
    bool was_live_buy = row->is_live && row->is_buy && !row->is_foreign;
    row->is_live = is_live_status(event->what);
    symbol->live_buys += (row->is_live && row->is_buy && !row->is_foreign) - was_live_buy;
    row->ledger_filled = event->qty;
    if (row->is_stop && !row->is_buy && !row->is_foreign && symbol->qty.nanos > 0 &&
        !symbol->is_exiting && strcmp(event->what, "canceled") == 0) {
        watch_break(watch, CONDITION_X2, event->at, event->symbol);
    }
}

static void on_ledger_fill(struct watch *watch, const struct event *event) {
    struct watch_symbol *symbol = symbol_of(watch, event->symbol);
    if (symbol->qty.nanos == 0) {
        symbol->naked_since = event->at;
    }
    symbol->qty = strcmp(event->subject, "buy") == 0 ? qty_add(symbol->qty, event->qty)
                                                     : qty_sub(symbol->qty, event->qty);
    if (symbol->qty.nanos < 0) {
        watch_break(watch, CONDITION_X4, event->at, event->symbol);
    }
    if (symbol->qty.nanos == 0) {
        symbol->naked_since = (struct utc){0};
        symbol->leave_since = (struct utc){0};
    }
}

static void judge_naked(struct watch *watch, const struct watch_symbol *symbol, struct utc now) {
    struct session session;
    if (symbol->naked_since.ns == 0 || !is_session(watch, now, &session)) {
        return;
    }
    struct utc since =
        utc_is_before(symbol->naked_since, session.open) ? session.open : symbol->naked_since;
    bool is_paged = watch->paged_at.ns >= since.ns;
    if (now.ns - since.ns > NAKED_MAX.ns + SPAN_S(10).ns && !is_paged && !symbol->is_exiting) {
        watch_break(watch, CONDITION_X1, now, symbol->symbol);
    }
}

/* Only where the scenario asks: a broker that is gone for good keeps every position. */
static void judge_leaving(struct watch *watch, const struct watch_symbol *symbol, struct utc now) {
    struct session session;
    if (!watch->scenario->is_never[CONDITION_X7] || symbol->leave_since.ns == 0 ||
        !is_session(watch, now, &session)) {
        return;
    }
    struct utc since =
        utc_is_before(symbol->leave_since, session.open) ? session.open : symbol->leave_since;
    if (now.ns - since.ns > LEAVE_MAX.ns) {
        watch_break(watch, CONDITION_X7, now, symbol->symbol);
    }
}

/* Once a tick: the counts that events pass through on their way need not be judged in between. */
static void judge_tick(struct watch *watch, struct utc now) {
    int64_t held = 0;
    for (size_t i = 0; i < watch->symbol_count; i++) {
        const struct watch_symbol *symbol = &watch->symbols[i];
        held += symbol->qty.nanos > 0 || symbol->live_buys > 0;
        if (symbol->live_buys > 1) {
            watch_break(watch, CONDITION_S1, now, symbol->symbol);
        }
        judge_naked(watch, symbol, now);
        judge_leaving(watch, symbol, now);
    }
    if (held > watch->scenario->config.max_positions) {
        char detail[32];
        snprintf(detail, sizeof detail, "%lld", (long long)held);
        watch_break(watch, CONDITION_S7, now, detail);
    }
}

/* --- the core's words --- */

static void on_row(struct watch *watch, const struct event *event) {
    size_t i = 0;
    while (i < watch->latch_count && strcmp(watch->latches[i], event->id) != 0) {
        i++;
    }
    bool is_strict = strstr(event->body, "\"CAUTION\"") == NULL;
    if (strcmp(event->subject, "latch_set") == 0 && i == watch->latch_count && is_strict &&
        i < WATCH_LATCHES_MAX) {
        snprintf(watch->latches[watch->latch_count++], INBOX_CAUSE_MAX, "%s", event->id);
    } else if (strcmp(event->subject, "latch_clear") == 0 && i < watch->latch_count) {
        memmove(watch->latches[i], watch->latches[i + 1],
                (watch->latch_count - i - 1) * sizeof watch->latches[0]);
        watch->latch_count--;
    }
}

static size_t find_strict(const struct watch *watch, const char *cause) {
    size_t i = 0;
    while (i < watch->strict_count && strcmp(watch->strict[i], cause) != 0) {
        i++;
    }
    return i;
}

static void drop_strict(struct watch *watch, size_t i) {
    memmove(watch->strict[i], watch->strict[i + 1],
            (watch->strict_count - i - 1) * sizeof watch->strict[0]);
    watch->strict_count--;
}

/* EVENT_MODE comes at the end of a tick; what binds within it is the causes themselves. */
static void on_cause(struct watch *watch, const struct event *event) {
    size_t i = find_strict(watch, event->subject);
    bool is_strict =
        strstr(event->body, "\"REDUCE_ONLY\"") != NULL || strstr(event->body, "\"HALT\"") != NULL;
    if (strcmp(event->what, "acted") == 0 && is_strict && i == watch->strict_count &&
        i < WATCH_LATCHES_MAX) {
        snprintf(watch->strict[watch->strict_count++], INBOX_CAUSE_MAX, "%s", event->subject);
    } else if (strcmp(event->what, "released") == 0 && i < watch->strict_count) {
        drop_strict(watch, i);
    }
}

/* While-true causes end with the process that held them; latches do not. */
static void on_start(struct watch *watch) {
    for (size_t i = watch->strict_count; i-- > 0;) {
        bool is_latched = false;
        for (size_t j = 0; j < watch->latch_count; j++) {
            is_latched |= strcmp(watch->latches[j], watch->strict[i]) == 0;
        }
        if (!is_latched) {
            drop_strict(watch, i);
        }
    }
}

static void on_mode(struct watch *watch, const struct event *event) {
    snprintf(watch->mode, sizeof watch->mode, "%s", event->subject);
    if (watch->latch_count > 0 && !is_reduced(watch)) {
        watch_break(watch, CONDITION_S3, event->at, watch->latches[0]);
    }
}

static void on_protection(struct watch *watch, const struct event *event) {
    struct watch_symbol *symbol = symbol_of(watch, event->symbol);
    bool is_naked = strcmp(event->what, "naked") == 0;
    if (!is_naked) {
        symbol->naked_since = (struct utc){0};
    } else if (symbol->naked_since.ns == 0) {
        symbol->naked_since = event->at;
    }
}

/* The scenario's operator or the core's reading of his command: either way the same positions. */
static void on_operator(struct watch *watch, const struct event *event) {
    for (size_t i = 0; strcmp(event->subject, "flatten") == 0 && i < watch->symbol_count; i++) {
        struct watch_symbol *symbol = &watch->symbols[i];
        bool is_named = event->what[0] == '\0' || strcmp(event->what, symbol->symbol) == 0;
        if (is_named && symbol->qty.nanos > 0 && symbol->leave_since.ns == 0) {
            symbol->leave_since = event->at;
        }
    }
}

static void on_core_order(struct watch *watch, const struct event *event) {
    struct watch_order *row = order_of(watch, event->id);
    row->is_known_to_core = true;
    row->core_filled = event->qty;
}

/* True if something is planned at a time of its own: only what follows it meets an expectation. A
 * command that answers an event ("on") is no such thing: the event itself may be what is expected. */
static bool has_disturbance(const struct scenario *scenario) {
    bool is_planned = scenario->fault_count > 0;
    for (size_t i = 0; i < scenario->operator_count; i++) {
        is_planned = is_planned || scenario->operators[i].on[0] == '\0';
    }
    return is_planned;
}

static void expect_event(struct watch *watch, const struct event *event) {
    const struct scenario *scenario = watch->scenario;
    const char *mechanism = NULL;
    const char *word = NULL;
    if (!event_mechanism(event, &mechanism, &word) ||
        (has_disturbance(scenario) && watch->first_disturbance.ns == 0)) {
        return;
    }
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct scenario_expect *expect = &scenario->expects[i];
        bool is_in_time = !expect->has_within || watch->first_disturbance.ns == 0 ||
                          event->at.ns - watch->first_disturbance.ns <= expect->within.ns;
        if (strcmp(expect->mechanism, mechanism) == 0 && strcmp(expect->event, word) == 0 &&
            is_in_time) {
            watch->is_met[i] = true;
        }
    }
}

static void watch_observe(struct observer *observer, const struct event *event) {
    struct watch *watch = (struct watch *)observer;
    expect_event(watch, event);
    switch (event->kind) {
    case EVENT_ROW:
        on_row(watch, event);
        break;
    case EVENT_MODE:
        on_mode(watch, event);
        break;
    case EVENT_MECHANISM:
        on_cause(watch, event);
        break;
    case EVENT_START:
        on_start(watch);
        break;
    case EVENT_ORDER:
        on_core_order(watch, event);
        break;
    case EVENT_PROTECTION:
        on_protection(watch, event);
        break;
    case EVENT_EXIT:
        symbol_of(watch, event->symbol)->is_exiting = strcmp(event->what, "over") != 0;
        break;
    case EVENT_ALERT:
        watch->paged_at = strcmp(event->subject, "page") == 0 ? event->at : watch->paged_at;
        break;
    case EVENT_FAULT:
        watch->lie_at = strncmp(event->subject, "view.", 5) == 0 ? event->at : watch->lie_at;
        watch->first_disturbance =
            watch->first_disturbance.ns == 0 ? event->at : watch->first_disturbance;
        break;
    case EVENT_OPERATOR:
        on_operator(watch, event);
        watch->first_disturbance =
            watch->first_disturbance.ns == 0 ? event->at : watch->first_disturbance;
        break;
    case EVENT_LEDGER_ORDER:
        on_ledger_order(watch, event);
        break;
    case EVENT_LEDGER_FILL:
        on_ledger_fill(watch, event);
        break;
    case EVENT_LEDGER_EQUITY:
        judge_tick(watch, event->at);
        break;
    case EVENT_HTTP:
    case EVENT_DOCUMENT:
    case EVENT_REFUSAL:
    case EVENT_TICK:
    case EVENT_STOP:
        break;
    }
}

static const struct observer_ops watch_ops = {watch_observe};

struct watch *watch_create(const struct scenario *scenario, const struct calendar *calendar) {
    struct watch *watch = calloc(1, sizeof *watch);
    CHECK(watch != NULL);
    watch->seam.ops = &watch_ops;
    watch->scenario = scenario;
    watch->calendar = calendar;
    snprintf(watch->mode, sizeof watch->mode, "NORMAL");
    return watch;
}

void watch_destroy(struct watch *watch) {
    if (watch != NULL) {
        free(watch->orders);
        free(watch);
    }
}

struct observer *watch_observer(struct watch *watch) {
    return &watch->seam;
}

const char *watch_mode(const struct watch *watch) {
    return watch->mode;
}

void watch_end(struct watch *watch, struct utc at) {
    for (size_t i = 0; i < watch->order_count; i++) {
        const struct watch_order *row = &watch->orders[i];
        if (!row->is_foreign && qty_cmp(row->ledger_filled, row->core_filled) != 0) {
            watch_break(watch, CONDITION_S12, at, row->id);
        }
    }
}

/* --- printing --- */

size_t watch_broken(const struct watch *watch, struct text *out) {
    size_t count = 0;
    for (int i = 0; i < STAGE_CONDITION_COUNT; i++) {
        if (watch->breaks[i] > 0) {
            count++;
            if (out != NULL) {
                text_add_format(out, "%s ", stage_condition_id((enum stage_condition)i));
                text_add_utc(out, watch->broke_at[i]);
                text_add_format(out, " %s: %s (%lld times)\n", watch->detail[i],
                                stage_condition_meaning((enum stage_condition)i),
                                (long long)watch->breaks[i]);
            }
        }
    }
    for (size_t i = 0; i < watch->scenario->expect_count; i++) {
        const struct scenario_expect *expect = &watch->scenario->expects[i];
        if (!watch->is_met[i]) {
            count++;
            if (out != NULL) {
                text_add_format(out, "expected %s %s: not seen%s\n", expect->mechanism,
                                expect->event, expect->has_within ? " in time" : "");
            }
        }
    }
    return count;
}

void watch_print_broken(const struct watch *watch, struct text *out) {
    struct text lines = {0};
    (void)watch_broken(watch, &lines);
    bool is_first = true;
    for (char *line = lines.data; line != NULL && line[0] != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        text_add(out, is_first ? "" : ",");
        text_add_json_string(out, line);
        is_first = false;
        line = end + 1;
    }
    text_release(&lines);
}
