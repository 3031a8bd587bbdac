/* order_life.c - order_life_is_legal: the core's view of an order moves as an order may.
 *
 * An end is final (late executions are booked, the word stays), and the filled quantity is cumulative.
 * A successor reads a journal whose last moves may not have been durable, so each life is judged by
 * itself, and an id that another program took is that one's. What the broker denied and the core settled as
 * never sent may still turn up, if it did arrive: the ledger says so. Ids of the emergency
 * rule are counted at the broker: one it refused is given again. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct moved {
    char id[TABLE_NAME_MAX];
    char over[16]; /* what it ended as; "" while it lives */
    struct qty filled;
    bool is_reported, is_sent;
    bool is_intent; /* told last, by this life */
    bool is_denied; /* never sent, by the broker's word alone */
    bool is_there;  /* and the broker has it */
};

static void *order_life_create(void) {
    struct table *orders = judge_alloc(sizeof *orders);
    *orders = table_of(sizeof(struct moved));
    return orders;
}

static void order_life_destroy(void *context) {
    table_release(context);
    free(context);
}

static void take_order(struct table *orders, const struct event *event, struct findings *findings) {
    struct moved *order = table_get(orders, event->id);
    bool is_intent = is_word(event->what, "intent");
    const char *why = NULL;
    if (order->is_denied && order->is_there) {
        order->over[0] = '\0';
    }
    order->is_denied = is_word(event->what, "not_sent") && !order->is_intent;
    order->is_intent = is_intent;
    if (order->over[0] != '\0' && !is_word(order->over, event->what)) {
        why = "moved after its end";
    } else if (is_intent && order->is_sent) {
        why = "is an intent again";
    } else if (qty_cmp(event->qty, order->filled) < 0) {
        why = "lost executions";
    }
    if (why != NULL && !order->is_reported) {
        order->is_reported = true;
        findings_break(findings, ORACLE_ORDER_LIFE, event->at, "%s: %s %s (was %s)", event->id, why,
                       event->what, order->over[0] == '\0' ? "alive" : order->over);
    }
    order->is_sent = order->is_sent || !is_intent;
    order->filled = event->qty;
    if (is_over_word(event->what) || is_word(event->what, "not_sent")) {
        (void)!text_copy(order->over, sizeof order->over, event->what, NULL);
    }
}

static void order_life_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct table *orders = context;
    if (event->kind == EVENT_ORDER || event->kind == EVENT_LEDGER_ORDER) {
        if (strstr(event->id, "-x-") != NULL || !scene_is_ours(findings->scene, event->id)) {
            return;
        }
        if (event->kind == EVENT_ORDER) {
            take_order(orders, event, findings);
        } else {
            ((struct moved *)table_get(orders, event->id))->is_there = true;
        }
        return;
    }
    for (size_t i = 0; i < orders->count; i++) { /* another life */
        struct moved *order = table_at(orders, i);
        order->over[0] = '\0';
        order->filled = (struct qty){0};
        order->is_sent = order->is_intent = order->is_denied = false;
    }
}

const struct judge_ops order_life_judge = {
    KIND(EVENT_ORDER) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_START) | KIND(EVENT_STOP),
    order_life_create, order_life_observe, order_life_destroy};
