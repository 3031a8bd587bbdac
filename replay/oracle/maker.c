/* maker.c - entries_are_worked_in_bounds, the oracle of maker_execution: the orders of one entry leave one after the
 * other, each with a limit, behind the end of the one before, and for no more than is left of what was wished; so
 * many, within its patience; and one whose time is over, or of which a part was filled, is cancelled in time.
 *
 * What belongs to one entry its intents say, by their rows. That an order ended, and what it filled, is the ledger's
 * word. Due to be cancelled it is *truly* by the ledger, and *known* to be by the core's own moves of it; two ticks
 * and 15 s are to spare. A journal that went back leaves nothing to go by, a wall that was set counts another time, and
 * for two minutes behind a fault of its own house or way a core may be late. */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "maker_execution";
static const struct span DECIDED_BEFORE = {INT64_C(30000000000)}; /* none older is sent */
static const struct span SPARE = {INT64_C(15000000000)};
static const struct span TROUBLED_FOR = {INT64_C(120000000000)};
/* Behind its last share: then the core waits for no word, and no row, any more. */
static const struct span ENDS_WITHIN = {INT64_C(180000000000)};
enum { TICKS = 2 };

struct worked { /* an order of an entry */
    char id[TABLE_NAME_MAX];
    char first[TABLE_NAME_MAX], broker_id[TABLE_NAME_MAX], symbol[16];
    char word[16]; /* the core's last of it; "": none */
    struct utc decided_at;
    struct utc cancelled_at; /* a request to cancel it left last; {0}: none */
    bool is_plain;           /* an entry that nobody works: only its part is judged */
    bool is_cross, is_sent, is_at_broker, is_over, is_known, is_unsure, is_reported;
    bool is_no_try;          /* no byte of it left */
    int64_t ordered, filled; /* at the broker */
    struct two_clocks clocks;
    struct utc true_at, known_at; /* at the broker since; {0}: not so */
    struct utc part_true_at, part_known_at;
    int ticks;
};

struct entry {
    char id[TABLE_NAME_MAX]; /* of its first order */
    char last[TABLE_NAME_MAX];
    struct qty wished;
    int64_t filled;
    int64_t tries;
    bool is_crossed;
    struct utc began_at; /* its first order was decided */
    bool is_over;        /* a row says so */
    bool is_told;        /* as over, and no row of this life came behind it */
    struct span lived;   /* with no order at the broker, while it could have ended */
};

struct maker {
    struct table orders, entries;
    int64_t last_row;
    struct utc ticked_at;
    struct utc trouble_at; /* {0}: none */
};

static void begin(struct maker *judge) {
    judge->orders = table_of(sizeof(struct worked));
    judge->entries = table_of(sizeof(struct entry));
}

static void *maker_create(void) {
    struct maker *judge = judge_alloc(sizeof *judge);
    begin(judge);
    return judge;
}

static void forget(struct maker *judge) {
    table_release(&judge->orders);
    table_release(&judge->entries);
}

static void maker_destroy(void *context) {
    forget(context);
    free(context);
}

static struct span share_of(const struct scene_limits *limits) {
    return (struct span){limits->maker_patience.ns / limits->maker_tries};
}

/* --- rows --- */

static void take_intent(struct maker *judge, const struct event *event, const cJSON *body) {
    int64_t attempt = 0;
    const char *of = "";
    const char *reason = "";
    const char *purpose = "";
    bool is_worked = json_int(body, "attempt", &attempt, NULL) == ERR_OK && attempt > 0;
    (void)!json_string(body, "purpose", &purpose, NULL);
    if (!is_worked && !is_word(purpose, "entry")) {
        return;
    }
    (void)!json_string(body, "of", &of, NULL);
    (void)!json_string(body, "reason", &reason, NULL);
    struct worked *order = table_get(&judge->orders, event->id);
    (void)!text_copy(order->first, sizeof order->first, of[0] == '\0' ? event->id : of, NULL);
    (void)!json_copy(body, "symbol", order->symbol, sizeof order->symbol, NULL);
    order->is_plain = !is_worked;
    order->is_cross = is_word(reason, "cross");
    order->decided_at = event->at; /* which is when it became durable */
    (void)!json_utc(body, "decided_at", &order->decided_at, NULL);
    if (of[0] == '\0' && is_worked) {
        struct entry *entry = table_get(&judge->entries, event->id);
        (void)!json_qty(body, "qty", &entry->wished, NULL);
    }
}

/* By their own rows, or the one that not a byte of the first left; or all of them by that of an orderly stop. */
static void end_entries(struct maker *judge, const struct event *event) {
    bool is_stop = is_word(event->subject, "stop");
    bool is_own = is_word(event->subject, "maker") ||
                  (is_word(event->subject, "order") && event->body_len > 0 &&
                   strstr(event->body, "\"state\":\"not_sent\"") != NULL);
    for (size_t i = judge->entries.count; (is_stop || is_own) && i-- > 0;) {
        struct entry *entry = table_at(&judge->entries, i);
        entry->is_over |= is_stop || is_word(entry->id, event->id);
    }
}

/* Nothing of it is at the broker. */
static bool is_idle(const struct maker *judge, const struct entry *entry) {
    const struct worked *last = table_find(&judge->orders, entry->last);
    return last == NULL || !last->is_at_broker || last->is_over;
}

/* What the rows of a gap say was told before them, or, of an entry that was filled, not at all. */
static void end_told(struct maker *judge, bool is_unseen) {
    for (size_t i = judge->entries.count; i-- > 0;) {
        struct entry *entry = table_at(&judge->entries, i);
        bool is_whole = entry->filled >= entry->wished.nanos && is_idle(judge, entry);
        entry->is_over |= is_unseen && (entry->is_told || is_whole);
        entry->is_told = false;
    }
}

static void take_row(struct maker *judge, const struct event *event, const struct scene *scene) {
    if (event->number <= judge->last_row) {
        forget(judge);
        begin(judge);
    }
    end_told(judge, scene->is_row_gap);
    judge->last_row = event->number;
    end_entries(judge, event);
    const cJSON *body = is_word(event->subject, "intent") ? scene_body(scene, event) : NULL;
    if (body != NULL && strstr(event->body, "\"buy\"") != NULL) {
        take_intent(judge, event, body);
    }
}

/* --- what is due --- */

static bool has_come(struct utc since, struct span wait, struct utc now) {
    return since.ns != 0 && utc_sub(now, since).ns >= wait.ns;
}

static bool is_due(const struct scene_limits *limits, const struct worked *order, struct utc since,
                   struct utc part, struct span spare, struct utc now) {
    return (!order->is_plain &&
            has_come(since, (struct span){share_of(limits).ns + spare.ns}, now)) ||
           (limits->partial.ns > 0 &&
            has_come(part, (struct span){limits->partial.ns + spare.ns}, now));
}

static void keep_clocks(struct worked *order, struct utc at, struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool is_live = order->is_at_broker && !order->is_over;
    clocks_true(
        &order->clocks, at,
        is_live && is_due(limits, order, order->true_at, order->part_true_at, (struct span){0}, at),
        (struct usd){0});
    clocks_known(&order->clocks, findings_score(findings, MECHANISM), at,
                 order->is_known && is_due(limits, order, order->known_at, order->part_known_at,
                                           (struct span){0}, at));
}

/* --- orders that leave --- */

/* What the core heard of it last is an end: the broker's, or that no byte of it ever left. */
static bool is_end(const struct worked *order) {
    return is_word(order->word, "canceled") || is_word(order->word, "expired") ||
           is_word(order->word, "filled") ||
           (is_word(order->word, "not_sent") && !order->is_unsure);
}

/* Why a later order may not leave; NULL: it may. */
static const char *flaw(const struct maker *judge, const struct entry *entry,
                        const struct worked *order, const struct event *event,
                        const struct scene *scene) {
    const struct scene_limits *limits = &scene->limits;
    const struct worked *before = table_find(&judge->orders, entry->last);
    struct span since = utc_sub(event->at, entry->began_at);
    struct span most = {limits->maker_patience.ns + DECIDED_BEFORE.ns +
                        (order->is_cross ? share_of(limits).ns : 0)};
    if (before != NULL && before->is_at_broker && !before->is_over) {
        return "leaves while the one before it lives";
    }
    if (before != NULL && before->is_sent && !is_end(before)) {
        return "leaves before the core heard that the one before it ended";
    }
    if (entry->filled + scene->sent.qty.nanos > entry->wished.nanos) {
        return "takes the entry beyond what was wished";
    }
    if (entry->filled > 0) {
        return "leaves for an entry of which a part is held";
    }
    if (order->is_cross ? entry->is_crossed || limits->maker_cross == 0
                        : entry->tries >= limits->maker_tries) {
        return "is one too many";
    }
    return !scene->is_stepped && since.ns > most.ns ? "leaves when its patience is over" : NULL;
}

static void take_new(struct maker *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    struct worked *order = table_find(&judge->orders, sent->id);
    if (order == NULL || order->is_plain || order->is_sent || scene->limits.maker_tries == 0) {
        return;
    }
    struct entry *entry = table_get(&judge->entries, order->first);
    const char *why = is_word(sent->type, "limit") ? NULL
                      : sent->limit.nanos == 0     ? "has no limit"
                                                   : "is no plain limit";
    if (why == NULL && entry->began_at.ns != 0) {
        why = flaw(judge, entry, order, event, scene);
    }
    if (why != NULL) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_MAKER, event->at, "%s: %s %s", sent->symbol, sent->id, why);
    }
    order->is_sent = true;
    entry->began_at = entry->began_at.ns == 0 ? order->decided_at : entry->began_at;
    entry->tries += !order->is_cross;
    entry->is_crossed |= order->is_cross;
    memcpy(entry->last, order->id, sizeof entry->last);
}

static void take_cancel(struct maker *judge, const struct event *event, struct findings *findings) {
    static const char path[] = "/v2/orders/";
    if (!is_word(event->subject, "DELETE") || strncmp(event->what, path, sizeof path - 1) != 0) {
        return;
    }
    for (size_t i = judge->orders.count; i-- > 0;) {
        struct worked *order = table_at(&judge->orders, i);
        if (!is_word(order->broker_id, event->what + sizeof path - 1)) {
            continue;
        }
        keep_clocks(order, event->at, findings); /* it may have come due since the tick before */
        bool is_due = order->clocks.true_at.ns != 0 || order->clocks.known_at.ns != 0;
        if (is_due && order->cancelled_at.ns == 0) {
            (void)clocks_act(&order->clocks, findings_score(findings, MECHANISM), event->at);
        }
        order->cancelled_at = event->at;
    }
}

/* --- what is known of them --- */

static void take_ledger_order(struct maker *judge, const struct event *event) {
    struct worked *order = table_find(&judge->orders, event->id);
    if (order == NULL) {
        return;
    }
    order->is_over = is_over_word(event->what);
    order->true_at = !order->is_at_broker ? event->at : order->true_at;
    order->is_at_broker = true;
    order->ordered = event->number;
}

static void take_fill(struct maker *judge, const struct event *event) {
    struct worked *order = table_find(&judge->orders, event->id);
    if (order == NULL) {
        return;
    }
    struct entry *entry = table_get(&judge->entries, order->first);
    entry->filled += event->qty.nanos;
    order->filled += event->qty.nanos;
    order->part_true_at = order->part_true_at.ns == 0 ? event->at : order->part_true_at;
}

/* Neither the broker has it nor was it ever doubted: the request did not leave, and another may. */
static void take_unsent(struct maker *judge, struct worked *order) {
    if (order->is_sent && !order->is_unsure && !order->is_at_broker && !order->is_no_try) {
        struct entry *entry = table_get(&judge->entries, order->first);
        order->is_no_try = true;
        entry->tries -= !order->is_cross;
        entry->is_crossed = entry->is_crossed && !order->is_cross;
    }
}

static void take_word(struct maker *judge, const struct event *event, const struct scene *scene) {
    struct worked *order = table_find(&judge->orders, event->id);
    if (order == NULL) {
        return;
    }
    (void)!text_copy(order->word, sizeof order->word, event->what, NULL);
    order->is_unsure |= is_word(event->what, "unknown");
    if (is_word(event->what, "not_sent")) {
        take_unsent(judge, order);
    }
    bool is_over = is_over_word(event->what) || is_word(event->what, "not_sent") ||
                   is_word(event->what, "lost");
    bool is_there = !is_word(event->what, "unknown") && !is_word(event->what, "intent");
    order->is_known = is_there && !is_over;
    order->known_at = order->is_known && order->known_at.ns == 0 ? event->at : order->known_at;
    if (order->is_known && event->qty.nanos > 0 && order->part_known_at.ns == 0) {
        order->part_known_at = event->at;
    }
    if (order->broker_id[0] == '\0') {
        const cJSON *body = scene_body(scene, event);
        (void)!json_copy(body, "broker_id", order->broker_id, sizeof order->broker_id, NULL);
    }
}

/* --- what is late --- */

static bool is_troubled(const struct maker *judge, struct utc at) {
    return judge->trouble_at.ns != 0 && utc_sub(at, judge->trouble_at).ns < TROUBLED_FOR.ns;
}

static void judge_one(const struct maker *judge, struct worked *order, struct utc at,
                      struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool is_live = order->is_at_broker && !order->is_over;
    keep_clocks(order, at, findings);
    order->ticks += order->is_known && is_live &&
                    is_due(limits, order, order->known_at, order->part_known_at, SPARE, at);
    MUTATE(judge_maker_blind, order->ticks = 0);
    if (order->ticks <= TICKS || order->is_reported) {
        return;
    }
    order->is_reported = true;
    if (is_troubled(judge, at)) {
        findings_excuse(findings, ORACLE_MAKER, at, "%s: %s is late, and was not cancelled",
                        order->symbol, order->id);
        return;
    }
    findings_score(findings, MECHANISM)->missed++;
    findings_break(findings, ORACLE_MAKER, at, "%s: %s is late, and was not cancelled",
                   order->symbol, order->id);
}

/* Nothing of it is at the broker, and it goes on for ever. */
static void judge_plans(struct maker *judge, struct utc at, bool is_healthy,
                        struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    struct span since = utc_sub(at, judge->ticked_at);
    for (size_t i = judge->entries.count; is_healthy && i-- > 0;) {
        struct entry *entry = table_at(&judge->entries, i);
        if (entry->is_over || entry->began_at.ns == 0 || !is_idle(judge, entry) ||
            table_find(&findings->scene->causes, "journal_down") != NULL) {
            continue;
        }
        entry->lived.ns += since.ns < SPARE.ns && since.ns > 0 ? since.ns : 0;
        if (entry->lived.ns > limits->maker_patience.ns + share_of(limits).ns + ENDS_WITHIN.ns) {
            entry->is_over = true;
            findings_break(findings, ORACLE_MAKER, at, "%s is worked without end", entry->id);
        }
    }
}

static void take_tick(struct maker *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_judged = scene->limits.maker_tries > 0 && scene->is_up && !scene->is_stepped &&
                     !scene->is_locked_out && scene->other_account_at.ns == 0 &&
                     scene_is_open(scene);
    for (size_t i = judge->orders.count; i-- > 0;) {
        struct worked *order = table_at(&judge->orders, i);
        /* one that did not end it is asked for again */
        bool is_cancelled =
            order->cancelled_at.ns != 0 && utc_sub(event->at, order->cancelled_at).ns < SPARE.ns;
        if (!order->is_known || is_cancelled) {
            continue;
        }
        if (is_judged) {
            judge_one(judge, order, event->at, findings);
        } else {
            order->ticks = 0;
        }
    }
    judge_plans(judge, event->at, is_judged && !is_troubled(judge, event->at), findings);
    judge->ticked_at = event->at;
}

static void take_end(struct maker *judge, const struct event *event) {
    struct entry *entry = table_find(&judge->entries, event->id);
    const bool is_end = is_word(event->what, "released") || is_word(event->what, "refused");
    if (entry != NULL && is_end && is_word(event->subject, MECHANISM)) {
        entry->is_told = true;
    }
}

/* A new life looks at them anew. */
static void take_life(struct maker *judge) {
    for (size_t i = 0; i < judge->orders.count; i++) {
        struct worked *order = table_at(&judge->orders, i);
        order->ticks = 0;
    }
}

static void take_fault(struct maker *judge, const struct event *event) {
    bool is_of_the_market = strncmp(event->subject, "order.", 6) == 0 ||
                            strncmp(event->subject, "market.", 7) == 0 ||
                            strncmp(event->subject, "asset.", 6) == 0;
    judge->trouble_at = is_of_the_market ? judge->trouble_at : event->at;
}

static void maker_observe(void *context, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    switch ((int)event->kind) {
    case EVENT_ROW:
        take_row(context, event, findings->scene);
        break;
    case EVENT_SEND:
        if (sent->is_new && sent->is_buy) {
            take_new(context, event, findings);
        }
        take_cancel(context, event, findings);
        break;
    case EVENT_LEDGER_ORDER:
        take_ledger_order(context, event);
        break;
    case EVENT_LEDGER_FILL:
        take_fill(context, event);
        break;
    case EVENT_ORDER:
        take_word(context, event, findings->scene);
        break;
    case EVENT_TICK:
        take_tick(context, event, findings);
        break;
    case EVENT_FAULT:
        take_fault(context, event);
        break;
    case EVENT_MECHANISM:
        take_end(context, event);
        break;
    default:
        take_life(context);
    }
}

const struct judge_ops maker_judge = {
    KIND(EVENT_ROW) | KIND(EVENT_SEND) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_LEDGER_FILL) |
        KIND(EVENT_ORDER) | KIND(EVENT_TICK) | KIND(EVENT_FAULT) | KIND(EVENT_START) |
        KIND(EVENT_STOP) | KIND(EVENT_MECHANISM),
    maker_create, maker_observe, maker_destroy};
