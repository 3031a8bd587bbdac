/* books.c - books_equal_ledger, fill_booked_once and reconciled_after_healing: what the core counts as
 * filled, against what the ledger executed, per client order id.
 *
 * Booked growth is the sum of the journal's "fill" rows, across restarts; the filled quantity of
 * EVENT_ORDER is cumulative. An execution must be known at a clean stop if three ticks ended after it
 * and a dozen after the last fault; a younger one, or one behind a fault, is a maybe, and any behind a
 * fault of the disk, or after which every answer of the broker refused the key. Where the journal went
 * back (a row number came twice: a lying disk, or a hand), more booked than executed is a maybe too, and so
 * is what was executed before and is not booked: no row names it any more, and the positions are the
 * broker's.
 */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { TICKS_TO_KNOW = 3, TICKS_AFTER_FAULT = 12 };
static const struct span HEALING_LASTS = {INT64_C(120000000000)};

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
    struct utc back_at;     /* the journal went back: what was executed before is not in it */
    bool is_disk_hit;       /* what was booked may be lost for good */
    int64_t fault_tick;     /* ticks ended when a fault last fired; -1 never */
    struct utc answered_at; /* with what was asked for */
    struct utc refused_at;
    struct utc gap_at; /* rows before it were durable and never told */
    struct utc healed; /* the healing that was judged last */
};

static void *books_create(void) {
    struct books *judge = judge_alloc(sizeof *judge);
    judge->orders = table_of(sizeof(struct filled));
    judge->fault_tick = -TICKS_AFTER_FAULT;
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
        findings_excuse(findings, ORACLE_BOOKED_ONCE, event->at,
                        "%s: more is booked than was executed, behind a journal that went back",
                        order->id);
    } else {
        tell(findings, ORACLE_BOOKED_ONCE, event->at, order->id, most, order->ledger);
    }
}

static void take_row(struct books *judge, const struct event *event, struct findings *findings) {
    bool is_back = event->number <= judge->last_row;
    judge->is_row_repeated = judge->is_row_repeated || is_back;
    judge->back_at = is_back ? event->at : judge->back_at;
    judge->gap_at = findings->scene->is_row_gap ? event->at : judge->gap_at;
    judge->last_row = event->number;
    if (strcmp(event->subject, "fill") != 0) {
        return;
    }
    const cJSON *body = scene_body(findings->scene, event);
    struct qty growth = {0};
    if (json_qty(body, "qty", &growth, NULL) == ERR_OK) {
        struct filled *order = table_get(&judge->orders, event->id);
        order->booked = qty_add(order->booked, growth);
        judge_excess(judge, order, event, findings);
    }
}

/* What the core told, or journaled and did not live to tell. */
static bool is_known(const struct filled *order) {
    return qty_cmp(order->core, order->ledger) >= 0 || qty_cmp(order->booked, order->ledger) >= 0;
}

/* Asked since the execution, and refused each time for the key: a core that does not ask is not. */
static bool is_shut_out(const struct books *judge, const struct filled *order) {
    return utc_is_before(order->last_at, judge->refused_at) &&
           utc_is_before(judge->answered_at, order->last_at);
}

static void judge_stop(struct books *judge, const struct event *event, struct findings *findings) {
    MUTATE(judge_books_blind, return);
    for (size_t i = 0; i < judge->orders.count; i++) {
        struct filled *order = table_at(&judge->orders, i);
        if (!scene_is_ours(findings->scene, order->id) || order->is_missed || is_known(order)) {
            continue;
        }
        bool is_due = !judge->is_disk_hit && utc_is_before(judge->gap_at, order->last_at) &&
                      !utc_is_before(order->last_at, judge->back_at) &&
                      !is_shut_out(judge, order) &&
                      judge->ticks - order->last_tick >= TICKS_TO_KNOW &&
                      judge->ticks - judge->fault_tick >= TICKS_AFTER_FAULT;
        order->is_missed = true;
        if (is_due) {
            tell(findings, ORACLE_BOOKS, event->at, order->id, order->core, order->ledger);
        } else {
            findings_excuse(findings, ORACLE_BOOKS, event->at, "%s: an execution is not booked",
                            order->id);
        }
    }
}

static void judge_unbooked(const struct books *judge, const struct filled *order,
                           const struct event *event, struct findings *findings) {
    if (utc_is_before(order->last_at, judge->back_at)) {
        findings_excuse(findings, ORACLE_L_RECONCILED, event->at,
                        "%s: executed before the journal went back", order->id);
    } else {
        tell(findings, ORACLE_L_RECONCILED, event->at, order->id, order->core, order->ledger);
    }
}

/* Once for each healing, or start after it: what was executed before must be booked by now. */
static void judge_healing(struct books *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since =
        utc_is_before(scene->healed_at, scene->up_since) ? scene->up_since : scene->healed_at;
    since = scene_since(scene, since);
    if (scene->healed_at.ns == 0 || !scene->is_up || !scene_is_open(scene) ||
        since.ns == judge->healed.ns || utc_sub(event->at, since).ns <= HEALING_LASTS.ns) {
        return;
    }
    judge->healed = since;
    for (size_t i = 0; i < judge->orders.count; i++) {
        const struct filled *order = table_at(&judge->orders, i);
        if (scene_is_ours(scene, order->id) && !is_known(order) &&
            utc_is_before(order->last_at, since) && utc_is_before(judge->gap_at, order->last_at)) {
            judge_unbooked(judge, order, event, findings);
        }
    }
}

/* What failed on its way, or at a broker that answers nobody, is no answer. */
static void take_answer(struct books *judge, const struct event *event) {
    if (event->number == 401) {
        judge->refused_at = event->at;
    } else if (event->number / 100 == 2) {
        judge->answered_at = event->at;
    }
}

static void books_observe(void *context, const struct event *event, struct findings *findings) {
    struct books *judge = context;
    if (event->kind == EVENT_TICK) {
        judge->ticks++;
        judge_healing(judge, event, findings);
    } else if (event->kind == EVENT_FAULT) {
        judge->fault_tick = judge->ticks;
        judge->is_disk_hit = judge->is_disk_hit || strncmp(event->subject, "disk.", 5) == 0;
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
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
    } else if (event->kind == EVENT_END || strcmp(event->subject, "clean") == 0) {
        judge_stop(judge, event, findings);
    }
}

const struct judge_ops books_judge = {KIND(EVENT_TICK) | KIND(EVENT_FAULT) | KIND(EVENT_HTTP) |
                                          KIND(EVENT_ROW) | KIND(EVENT_LEDGER_FILL) |
                                          KIND(EVENT_ORDER) | KIND(EVENT_STOP) | KIND(EVENT_END),
                                      books_create, books_observe, books_destroy};
