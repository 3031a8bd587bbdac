/* stuck.c - stuck_orders_are_told, the oracle of stuck_orders: an order that the core knows to be pending, or
 * whose cancel it asked for, and on which nothing moved for orders.stuck_s, is told, paged unless it is an
 * entry that waits to be taken, and asked for by id; nothing less is told, no buy leaves in its symbol
 * meanwhile, and no exit is refused for it.
 *
 * *Known* are the core's own moves of an order, also of another's that it took over under an id that it
 * meant, and its requests to cancel; a cancel that another asked for is known as long as the status names it.
 * *True* is the ledger's status. A core looks once a tick: two ticks and 15 s
 * are to spare. A wall that was set, HALT and another account's answers are not judged; each life counts anew. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "stuck_orders";
static const struct span SPARE = {INT64_C(15000000000)};
static const struct span ASKED_WITHIN = {INT64_C(120000000000)};
enum { WATCHED_MAX = 256, TICKS = 2, TELLINGS = 8 };

struct watched { /* an order that is not over */
    char id[TABLE_NAME_MAX], broker_id[TABLE_NAME_MAX], symbol[16], status[24], truth[24];
    struct qty filled;
    struct two_clocks clocks;
    struct utc pending_at, queued_at, cancel_at; /* {0}: not; queued: accepted, not yet taken */
    struct utc acted_at;
    char status_before[24];  /* a listing that is late shows it again for an instant: no move */
    struct utc since_before; /* the wait of then; {0}: none */
    struct utc waits_since;  /* in status_before again, since then; {0}: not so */
    int ticks, page_ticks;   /* since it was due, and a page of it */
    bool is_entry, is_asked, is_paged, is_reported; /* paged: since it moved */
    bool has_cancel_left;                           /* a request to cancel did, or may have */
    bool asks_cancel;                               /* likewise, or one is on its way */
};

struct stuck {
    struct watched items[WATCHED_MAX];
    size_t count;
    struct utc told_at[TELLINGS]; /* the last alerts, a ring: more in a minute are only counted */
    size_t told;
};

static void *stuck_create(void) {
    return judge_alloc(sizeof(struct stuck));
}

static struct watched *find(struct stuck *judge, const char *id) {
    for (size_t i = 0; i < judge->count; i++) {
        if (is_word(judge->items[i].id, id)) {
            return &judge->items[i];
        }
    }
    return NULL;
}

static struct watched *get(struct stuck *judge, const char *id) {
    struct watched *known = find(judge, id);
    if (known == NULL && judge->count < WATCHED_MAX) {
        known = &judge->items[judge->count++];
        *known = (struct watched){0};
        (void)!text_copy(known->id, sizeof known->id, id, NULL);
    }
    return known;
}

static void drop(struct stuck *judge, const char *id) {
    struct watched *known = find(judge, id);
    if (known != NULL) {
        *known = judge->items[--judge->count];
    }
}

static bool is_pending(const char *status) {
    return strncmp(status, "pending_", 8) == 0;
}

static void take_broker_id(struct watched *known, const struct event *event,
                           const struct scene *scene) {
    const cJSON *body = scene_body(scene, event);
    (void)!json_copy(body, "broker_id", known->broker_id, sizeof known->broker_id, NULL);
}

/* Within one tick a core does not look between two answers: what it was and is again did not move. */
static void note_return(struct watched *known, const struct event *event) {
    bool is_back =
        is_word(known->status_before, event->what) && known->filled.nanos == event->qty.nanos;
    known->waits_since = is_back ? known->since_before : (struct utc){0};
    (void)!text_copy(known->status_before, sizeof known->status_before, known->status, NULL);
    known->since_before = known->cancel_at.ns != 0    ? known->cancel_at
                          : known->pending_at.ns != 0 ? known->pending_at
                                                      : known->queued_at;
}

/* The core's word. */
static void take_order(struct stuck *judge, const struct event *event, const struct scene *scene) {
    if (is_over_word(event->what) || is_word(event->what, "not_sent") ||
        is_word(event->what, "lost")) {
        drop(judge, event->id);
        return;
    }
    struct watched *known = get(judge, event->id);
    if (known == NULL) {
        return;
    }
    take_broker_id(known, event, scene);
    known->is_entry = is_word(event->subject, "entry");
    (void)!text_copy(known->symbol, sizeof known->symbol, event->symbol, NULL);
    if (is_word(known->status, event->what) && known->filled.nanos == event->qty.nanos) {
        return;
    }
    note_return(known, event);
    (void)!text_copy(known->status, sizeof known->status, event->what, NULL);
    known->filled = event->qty;
    known->pending_at = is_pending(event->what) ? event->at : (struct utc){0};
    known->queued_at = is_word(event->what, "accepted") ? event->at : (struct utc){0};
    bool is_cancelling = known->asks_cancel || is_word(event->what, "pending_cancel");
    known->cancel_at = is_cancelling ? event->at : (struct utc){0};
    known->acted_at = (struct utc){0};
    known->clocks.known_at = (struct utc){0};
    known->ticks = known->page_ticks = 0;
    known->is_asked = known->is_paged = false;
}

/* Whether a path with its query is that of one order. */
static bool is_path_of(const char *what, const char *broker_id) {
    static const char path[] = "/v2/orders/";
    size_t id = strlen(broker_id);
    return strncmp(what, path, sizeof path - 1) == 0 &&
           strncmp(what + sizeof path - 1, broker_id, id) == 0 &&
           (what[sizeof path - 1 + id] == '\0' || what[sizeof path - 1 + id] == '?');
}

static void take_send(struct stuck *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    for (size_t i = 0; i < judge->count; i++) {
        struct watched *known = &judge->items[i];
        if (is_path_of(event->what, known->broker_id)) {
            known->is_asked |= is_word(event->subject, "GET");
            bool asks_cancel = is_word(event->subject, "DELETE");
            bool is_first = asks_cancel && known->cancel_at.ns == 0;
            known->asks_cancel |= asks_cancel;
            known->cancel_at = is_first ? event->at : known->cancel_at;
        }
        if (sent->is_new && sent->is_buy && known->acted_at.ns != 0 &&
            is_word(sent->symbol, known->symbol) && !is_word(sent->id, known->id)) {
            findings_score(findings, MECHANISM)->risky++;
            findings_break(findings, ORACLE_STUCK, event->at, "%s: a buy left while %s is stuck",
                           known->symbol, known->id);
        }
    }
}

/* A request to cancel of which not a byte left asked nobody; that nothing can be sent is told by others. */
static void take_answer(struct stuck *judge, const struct event *event) {
    for (size_t i = 0; i < judge->count && is_word(event->subject, "DELETE"); i++) {
        struct watched *known = &judge->items[i];
        if (!is_path_of(event->what, known->broker_id)) {
            continue;
        }
        known->has_cancel_left |= !is_word(event->id, "not_sent");
        known->asks_cancel = known->has_cancel_left;
        if (!known->has_cancel_left && !is_word(known->status, "pending_cancel")) {
            known->cancel_at = (struct utc){0};
        }
    }
}

static bool is_due(struct utc since, struct utc at, struct span bound) {
    return since.ns != 0 && utc_sub(at, since).ns >= bound.ns;
}

/* A wish to cancel may stand before the first request leaves, while a breaker is open or the rate's budget
 * is spent; of what the core was told itself it is not told sooner than it could be. */
static bool is_known_stuck(const struct watched *known, struct utc at, struct span bound) {
    struct span least = {bound.ns - SPARE.ns};
    return is_due(known->pending_at, at, bound) || is_due(known->queued_at, at, bound) ||
           is_due(known->cancel_at, at, least) || is_due(known->waits_since, at, least);
}

/* An end that the core cannot book is none to it. */
static bool is_true_by_ledger(const struct watched *known) {
    return is_pending(known->truth) || is_over_word(known->truth);
}

static void take_act(struct stuck *judge, const struct event *event, struct findings *findings) {
    struct watched *known = find(judge, event->id);
    struct score *score = findings_score(findings, MECHANISM);
    if (known == NULL || findings->scene->is_stepped) {
        return;
    }
    bool is_known = is_known_stuck(known, event->at, findings->scene->limits.stuck);
    bool is_waiting =
        known->pending_at.ns != 0 || known->queued_at.ns != 0 || known->cancel_at.ns != 0;
    clocks_true(&known->clocks, event->at, is_known || (!is_waiting && is_true_by_ledger(known)),
                (struct usd){0});
    known->acted_at = event->at;
    if (!is_known) {
        known->clocks.known_at = (struct utc){0};
    }
    if (!clocks_act(&known->clocks, score, event->at)) {
        findings_break(findings, ORACLE_STUCK, event->at, "%s: told, and it was not stuck",
                       known->id);
    }
}

static void take_alert(struct stuck *judge, const struct event *event) {
    struct watched *known = find(judge, event->body);
    bool is_of_order = is_word(event->what, "order_stuck") || is_word(event->what, "cancel_stuck");
    if (!is_of_order || !is_word(event->subject, "page")) {
        return;
    }
    judge->told_at[judge->told++ % TELLINGS] = event->at;
    if (known != NULL) {
        known->is_paged = true;
    }
}

/* So many were paged within the minute that more are only counted. */
static bool is_flood(const struct stuck *judge, struct utc now) {
    struct utc oldest = judge->told_at[judge->told % TELLINGS];
    return judge->told >= TELLINGS && utc_sub(now, oldest).ns < SPAN_MIN(2).ns;
}

static void judge_one(const struct stuck *judge, struct watched *known, struct utc at,
                      struct findings *findings) {
    const struct span bound = findings->scene->limits.stuck;
    const struct span late = {bound.ns + SPARE.ns};
    struct score *score = findings_score(findings, MECHANISM);
    bool is_stuck = is_due(known->pending_at, at, bound) || is_due(known->cancel_at, at, bound);
    clocks_known(&known->clocks, score, at, is_stuck);
    known->ticks += is_due(known->pending_at, at, late) || is_due(known->cancel_at, at, late);
    bool wants_page = is_due(known->cancel_at, at, late) ||
                      (!known->is_entry && is_due(known->pending_at, at, late));
    known->page_ticks += wants_page;
    const char *why = NULL;
    if (known->ticks > TICKS && known->acted_at.ns == 0) {
        score->missed++;
        why = "stuck, and nobody was told";
    } else if (known->page_ticks > TICKS && !known->is_paged && !is_flood(judge, at)) {
        why = "stuck, and nobody was paged";
    } else if (is_due(known->acted_at, at, ASKED_WITHIN) && !known->is_asked) {
        why = "stuck, and not asked for by id";
    }
    if (why != NULL && !known->is_reported) {
        known->is_reported = true;
        findings_break(findings, ORACLE_STUCK, at, "%s: %s", known->id, why);
    }
}

static void take_tick(struct stuck *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_judged = scene->limits.stuck.ns > 0 && scene->is_up && !scene->is_stepped &&
                     !scene->is_locked_out && scene->mode != SCENE_HALT &&
                     scene->other_account_at.ns == 0;
    for (size_t i = 0; i < judge->count; i++) {
        struct watched *known = &judge->items[i];
        if (is_judged) {
            judge_one(judge, known, event->at, findings);
        } else {
            known->ticks = known->page_ticks = 0;
        }
    }
}

static void stuck_observe(void *context, const struct event *event, struct findings *findings) {
    struct stuck *judge = context;
    if (event->kind == EVENT_ORDER) {
        take_order(judge, event, findings->scene);
    } else if (event->kind == EVENT_LEDGER_ORDER && find(judge, event->id) != NULL) {
        struct watched *known = find(judge, event->id);
        (void)!text_copy(known->truth, sizeof known->truth, event->what, NULL);
    } else if (event->kind == EVENT_SEND) {
        take_send(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM) &&
               is_word(event->what, "acted")) {
        take_act(judge, event, findings);
    } else if (event->kind == EVENT_ALERT) {
        take_alert(judge, event);
    } else if (event->kind == EVENT_REFUSAL && is_word(event->subject, "ORDER_STUCK") &&
               !is_word(event->what, "entry")) {
        findings_break(findings, ORACLE_STUCK, event->at, "%s: an exit was bound by a stuck order",
                       event->symbol);
    } else if (event->kind == EVENT_TICK) {
        take_tick(judge, event, findings);
    } else if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        judge->count = 0;
    }
}

const struct judge_ops stuck_judge = {
    KIND(EVENT_ORDER) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_SEND) | KIND(EVENT_HTTP) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_ALERT) | KIND(EVENT_REFUSAL) | KIND(EVENT_TICK) |
        KIND(EVENT_START) | KIND(EVENT_STOP),
    stuck_create, stuck_observe, free};
