/* stops.c - stop_cancelled_outside_transaction: a resting sell stop of ours over a position goes to
 * pending_cancel or canceled only while an exit transaction works in its symbol, or a minute after an
 * operator named it. The stop may be the leg of an OCO of ours, whose limit is asked to be cancelled in its place; and
 * it ends where that limit is filled or the broker rejects it.
 *
 * A transaction outlives its process: the successor resumes it without a word, so a restart closes
 * nothing. What was sent before a split of its symbol by the ledger, or a spin-off from it, or before the core
 * knew of that split, is no protection any more. What an instance elsewhere cancels or replaces is another program's
 * act, not the core's. A cancel that a fault point named "...cancel..." made is a maybe. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span NAMED_LASTS = {INT64_C(60000000000)};
static const struct span FAULT_LASTS = {INT64_C(30000000000)};

struct guarded {
    char symbol[TABLE_NAME_MAX];
    struct qty position;
    bool is_in_transaction;
    struct utc named_at; /* by an operator; {0} never */
    struct utc split_at; /* by the broker, told or not; {0} never */
    struct utc known_at; /* the core wrote a row of that one; {0}: not yet */
};

struct ended {
    char id[TABLE_NAME_MAX];
    struct utc seen_at; /* by the exchange, first */
    struct utc over_at; /* filled, or rejected by the broker; {0}: not so */
    bool is_oco;        /* it has a stop for its leg */
    bool is_judged;
};

struct stops {
    struct table symbols;
    struct table orders;
    struct utc all_named_at;
    struct utc cancel_fault_at, unasked_at;
    bool is_other_asking; /* a change by an instance elsewhere is at the broker */
};

static void *stops_create(void) {
    struct stops *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct guarded));
    judge->orders = table_of(sizeof(struct ended));
    return judge;
}

static void stops_destroy(void *context) {
    struct stops *judge = context;
    table_release(&judge->symbols);
    table_release(&judge->orders);
    free(judge);
}

static bool is_within(struct utc since, struct utc at, struct span most) {
    return since.ns != 0 && utc_sub(at, since).ns <= most.ns;
}

/* A leg ends with its limit: that one is over at this instant, or was judged when it was asked to end. */
static bool went_along(struct stops *judge, const char *owner, struct utc at) {
    const struct ended *limit = table_get(&judge->orders, owner);
    return limit->over_at.ns == at.ns || limit->is_judged;
}

static void judge_cancel(struct stops *judge, const struct event *event,
                         struct findings *findings) {
    MUTATE(judge_stops_blind, return);
    struct ended *order = table_get(&judge->orders, event->id);
    if (order->is_judged) {
        return;
    }
    order->is_judged = true;
    const char *owner = owner_of(event);
    if (judge->is_other_asking || (owner != NULL && went_along(judge, owner, event->at))) {
        return;
    }
    order = table_get(&judge->orders, event->id); /* the table may have moved */
    const struct guarded *symbol = table_get(&judge->symbols, event->symbol);
    if (utc_is_before(order->seen_at, symbol->split_at) ||
        utc_is_before(order->seen_at, symbol->known_at)) {
        return; /* of shares that are no more: the broker cancels it, or whoever finds it left */
    }
    if (symbol->position.nanos <= 0 || symbol->is_in_transaction ||
        is_within(symbol->named_at, event->at, NAMED_LASTS) ||
        is_within(judge->all_named_at, event->at, NAMED_LASTS)) {
        return;
    }
    if (judge->unasked_at.ns == event->at.ns) {
        return; /* the broker did it by itself, at this instant */
    }
    if (is_within(judge->cancel_fault_at, event->at, FAULT_LASTS)) {
        findings_excuse(findings, ORACLE_STOPS, event->at, "%s: a fault may have cancelled stop %s",
                        event->symbol, event->id);
        return;
    }
    findings_break(findings, ORACLE_STOPS, event->at, "%s: stop %s went %s with no exit at work",
                   event->symbol, event->id, event->what);
}

static void take_operator(struct stops *judge, const struct event *event) {
    if (strcmp(event->subject, "flatten") != 0) {
        return;
    }
    if (event->what[0] == '\0') {
        judge->all_named_at = event->at;
    } else {
        struct guarded *symbol = table_get(&judge->symbols, event->what);
        symbol->named_at = event->at;
    }
}

static void take_other(struct stops *judge, const struct event *event) {
    bool is_change =
        strncmp(event->what, "DELETE", 6) == 0 || strncmp(event->what, "PATCH", 5) == 0;
    if (is_word(event->id, "elsewhere") && is_word(event->subject, "send")) {
        judge->is_other_asking = is_change;
    } else if (is_word(event->id, "elsewhere") && is_word(event->subject, "http")) {
        judge->is_other_asking = false;
    }
}

static bool is_stop_cancel(const struct ended *order, const struct event *event) {
    bool is_asked = strcmp(event->what, "pending_cancel") == 0;
    bool is_cancel = is_asked || strcmp(event->what, "canceled") == 0;
    const char *owner = owner_of(event);
    return is_cancel && is_our_id(owner == NULL ? event->id : owner) &&
           strcmp(event->subject, "sell") == 0 &&
           (strncmp(event->body, "stop", 4) == 0 || (is_asked && order->is_oco));
}

/* The broker cancels what is open in it, for its shares are others: of a split, or the source of a spin-off. */
static void part(struct stops *judge, const char *name, struct utc at) {
    struct guarded *symbol = table_get(&judge->symbols, name);
    symbol->split_at = at;
    symbol->known_at = (struct utc){0};
}

static void take_fill(struct stops *judge, const struct event *event) {
    struct guarded *symbol = table_get(&judge->symbols, event->symbol);
    symbol->position = strcmp(event->subject, "sell") == 0 ? qty_sub(symbol->position, event->qty)
                                                           : qty_add(symbol->position, event->qty);
    if (scene_is_split(event)) {
        part(judge, event->symbol, event->at);
    }
}

static void stops_observe(void *context, const struct event *event, struct findings *findings) {
    struct stops *judge = context;
    if (event->kind == EVENT_LEDGER_ORDER) {
        struct ended *order = table_get(&judge->orders, event->id);
        order->seen_at = order->seen_at.ns == 0 ? event->at : order->seen_at;
        if (is_word(event->what, "filled") || is_word(event->what, "rejected")) {
            order->over_at = event->at;
        }
        if (owner_of(event) != NULL) {
            ((struct ended *)table_get(&judge->orders, owner_of(event)))->is_oco = true;
            order = table_get(&judge->orders, event->id);
        }
        if (is_stop_cancel(order, event)) {
            judge_cancel(judge, event, findings);
        }
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event);
    } else if (event->kind == EVENT_FRAME && is_word(event->subject, "spun_off")) {
        part(judge, event->what, event->at);
    } else if (event->kind == EVENT_FRAME && is_word(event->subject, "halt_cancels")) {
        judge->unasked_at = event->at;
    } else if (event->kind == EVENT_EXIT && !is_word(event->what, "resumed")) {
        struct guarded *symbol = table_get(&judge->symbols, event->symbol);
        symbol->is_in_transaction =
            strcmp(event->what, "releasing") == 0 || strcmp(event->what, "working") == 0;
    } else if (event->kind == EVENT_OPERATOR) {
        take_operator(judge, event);
    } else if (event->kind == EVENT_ROW && is_word(event->subject, "split")) {
        struct guarded *symbol = table_get(&judge->symbols, event->id);
        bool is_first = symbol->split_at.ns != 0 && symbol->known_at.ns == 0;
        symbol->known_at = is_first ? event->at : symbol->known_at; /* its word alone is none */
    } else if (event->kind == EVENT_OTHER) {
        take_other(judge, event);
    } else if (event->kind == EVENT_FAULT && is_word(event->subject, "hand.sale")) {
        judge->unasked_at = event->at;
    } else if (event->kind == EVENT_FAULT && strstr(event->subject, "cancel") != NULL) {
        judge->cancel_fault_at = event->at;
        if (strcmp(event->subject, "order.cancel_unasked") == 0) {
            judge->unasked_at = event->at;
        }
    }
}

const struct judge_ops stops_judge = {
    KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_EXIT) | KIND(EVENT_OPERATOR) |
        KIND(EVENT_FAULT) | KIND(EVENT_OTHER) | KIND(EVENT_ROW) | KIND(EVENT_FRAME),
    stops_create, stops_observe, stops_destroy};
