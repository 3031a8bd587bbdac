/* one_order.c - one_order_per_intent and no_sale_beside_a_live_buy: a client order id names one order at the
 * broker, for ever, an intent to enter a symbol has one live order at a time, and what may still grow is
 * cut off before it is sold or protected.
 *
 * The ledger's events carry no broker id, so a second order under one id shows as another content or
 * as life after the end. A buy in pending_replace shares its symbol with its successor by right. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct ledger_order {
    char id[TABLE_NAME_MAX];
    char symbol[16];
    char side[8];
    char type[16];
    int64_t ordered;
    bool is_live; /* and it may take shares */
    bool is_over;
    bool is_reported;
};

struct live_count {
    char symbol[TABLE_NAME_MAX];
    int buys;
};

struct one_order {
    struct table orders;
    struct table symbols;
};

static void *one_order_create(void) {
    struct one_order *judge = judge_alloc(sizeof *judge);
    judge->orders = table_of(sizeof(struct ledger_order));
    judge->symbols = table_of(sizeof(struct live_count));
    return judge;
}

static void one_order_destroy(void *context) {
    struct one_order *judge = context;
    table_release(&judge->orders);
    table_release(&judge->symbols);
    free(judge);
}

static void note_content(struct ledger_order *order, const struct event *event) {
    (void)!text_copy(order->symbol, sizeof order->symbol, event->symbol, NULL);
    (void)!text_copy(order->side, sizeof order->side, event->subject, NULL);
    (void)!text_copy(order->type, sizeof order->type, event->body, NULL);
    order->ordered = event->number;
}

static bool is_content(const struct ledger_order *order, const struct event *event) {
    return strcmp(order->symbol, event->symbol) == 0 && strcmp(order->side, event->subject) == 0 &&
           strcmp(order->type, event->body) == 0 && order->ordered == event->number;
}

static void count_live(struct one_order *judge, struct ledger_order *order,
                       const struct event *event, struct findings *findings) {
    bool is_live = strcmp(event->subject, "buy") == 0 && !is_over_word(event->what) &&
                   strcmp(event->what, "pending_replace") != 0;
    if (is_live == order->is_live) {
        return;
    }
    order->is_live = is_live;
    struct live_count *live = table_get(&judge->symbols, event->symbol);
    live->buys += is_live ? 1 : -1;
    if (is_live && live->buys == 2) {
        findings_break(findings, ORACLE_ONE_ORDER, event->at, "%s: a second live buy, %s",
                       event->symbol, event->id);
    }
}

static void judge_sale(const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    int live = scene_symbol(findings->scene, sent->symbol)->live_buys;
    if (sent->is_new && !sent->is_buy && live > 0) {
        findings_break(findings, ORACLE_WASH, event->at, "%s: %s leaves beside a live buy",
                       sent->symbol, sent->id);
    }
}

static void one_order_observe(void *context, const struct event *event, struct findings *findings) {
    struct one_order *judge = context;
    if (event->kind == EVENT_SEND) {
        judge_sale(event, findings);
        return;
    }
    if (!scene_is_ours(findings->scene, event->id)) {
        return;
    }
    struct ledger_order *order = table_get(&judge->orders, event->id);
    if (order->side[0] == '\0') {
        note_content(order, event);
    }
    bool is_reborn = order->is_over && !is_over_word(event->what);
    if (!order->is_reported && (is_reborn || !is_content(order, event))) {
        order->is_reported = true;
        findings_break(findings, ORACLE_ONE_ORDER, event->at, "%s: %s", event->id,
                       is_reborn ? "live again after its end" : "two contents under one id");
    }
    order->is_over = order->is_over || is_over_word(event->what);
    count_live(judge, order, event, findings);
}

const struct judge_ops one_order_judge = {KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_SEND),
                                          one_order_create, one_order_observe, one_order_destroy};
