/* sim_group.c - what the orders of one group mean for each other. */
#include "broker_sim/exchange/sim_group.h"

#include "core/base/check.h"

static bool is_open(const struct sim_order *order) {
    return !sim_status_is_terminal(order->status);
}

/* The other one of a pair of which one cancels the other, or NULL. */
static struct sim_order *mate_of(const struct sim_order *order) {
    const struct sim_order *parent = order->parent;
    if (order->class == SIM_OCO) {
        return order->parent != NULL ? order->parent : order->legs[0];
    }
    if (parent == NULL) {
        return NULL;
    }
    return parent->legs[0] == order ? parent->legs[1] : parent->legs[0];
}

static struct sim_order *enter_leg(struct sim_exchange *exchange, struct sim_order *parent,
                                   const struct sim_intent *leg) {
    struct sim_order *order = sim_exchange_enter(exchange, leg, parent);
    parent->legs[parent->leg_count++] = order;
    return order;
}

void sim_group_enter(struct sim_exchange *exchange, struct sim_order *parent,
                     const struct sim_intent *intent) {
    bool is_bracket = intent->class == SIM_BRACKET;
    struct sim_intent leg = {.client_id = "",
                             .symbol = intent->symbol,
                             .side = (intent->side == SIM_BUY) == is_bracket ? SIM_SELL : SIM_BUY,
                             .tif = intent->tif,
                             .qty = intent->qty,
                             .class = intent->class};
    if (intent->class == SIM_SIMPLE) {
        return;
    }
    if (is_bracket) {
        leg.type = SIM_LIMIT;
        leg.limit = intent->take_profit;
        enter_leg(exchange, parent, &leg);
    }
    leg.type = intent->has_stop_limit ? SIM_STOP_LIMIT : SIM_STOP;
    leg.stop = intent->stop_loss;
    leg.limit = intent->stop_limit;
    enter_leg(exchange, parent, &leg);
}

bool sim_group_waits(const struct sim_order *order) {
    if (!is_open(order)) {
        return false;
    }
    bool is_on_its_way = order->accept_ns != SIM_NEVER || order->reject_ns != SIM_NEVER;
    return order->parent != NULL && !order->is_working && !is_on_its_way;
}

bool sim_order_holds(const struct sim_order *order) {
    const struct sim_order *mate = order->class == SIM_SIMPLE ? NULL : mate_of(order);
    bool is_second = order->has_stop && mate != NULL && is_open(mate);
    return !order->is_opening && !sim_group_waits(order) && !is_second;
}

/* --- what one's move means for the others --- */

static void end_others(struct sim_exchange *exchange, struct sim_order *order) {
    enum sim_status end = order->status == SIM_EXPIRED ? SIM_EXPIRED : SIM_CANCELED;
    struct sim_order *root = sim_group_root(order);
    if (is_open(root)) {
        sim_exchange_move(exchange, root, end);
    }
    for (size_t i = 0; i < root->leg_count; i++) {
        if (is_open(root->legs[i]) && !root->legs[i]->is_elected) {
            sim_exchange_move(exchange, root->legs[i], end);
        }
    }
}

/* The stop's quantity is cut to what the take profit has left. */
static void cut(struct sim_exchange *exchange, const struct sim_order *order,
                struct sim_order *mate) {
    struct qty left = sim_order_left(order);
    if (!order->has_stop && left.nanos > 0 && qty_cmp(left, sim_order_left(mate)) < 0) {
        mate->qty = qty_add(mate->filled_qty, left);
        sim_exchange_move(exchange, mate, mate->status);
    }
}

/* An entry is filled: its legs are at work. */
static void release_legs(struct sim_exchange *exchange, struct sim_order *entry) {
    for (size_t i = 0; i < entry->leg_count; i++) {
        struct sim_order *leg = entry->legs[i];
        if (!is_open(leg)) {
            continue;
        }
        bool is_next = !leg->has_stop && leg->status == SIM_HELD;
        leg->is_working = true;
        sim_exchange_move(exchange, leg, is_next ? SIM_NEW : leg->status);
    }
}

void sim_group_moved(struct sim_exchange *exchange, struct sim_order *order) {
    if (order->class == SIM_SIMPLE || order->status == SIM_REPLACED) {
        return;
    }
    struct sim_order *mate = mate_of(order);
    if (order->status == SIM_CANCELED || order->status == SIM_EXPIRED ||
        order->status == SIM_REJECTED) {
        end_others(exchange, order);
    } else if (order->status == SIM_FILLED && mate == NULL) {
        release_legs(exchange, order);
    } else if (order->status == SIM_FILLED && is_open(mate)) {
        sim_exchange_move(exchange, mate, SIM_CANCELED);
    } else if (order->executions > 0 && mate != NULL && is_open(mate)) {
        cut(exchange, order, mate);
    }
}

void sim_group_accepted(struct sim_exchange *exchange, const struct sim_order *order) {
    struct sim_order *stop = order->class == SIM_OCO ? order->legs[0] : NULL;
    if (stop != NULL && is_open(stop) && !stop->is_working) {
        stop->is_working = true;
        sim_exchange_move(exchange, stop, stop->status);
    }
}

struct sim_order *sim_group_root(struct sim_order *order) {
    return order->parent != NULL ? order->parent : order;
}

void sim_group_elected(struct sim_exchange *exchange, struct sim_order *order) {
    if (!order->is_elected || order->class == SIM_SIMPLE) {
        return;
    }
    struct sim_order *mate = mate_of(order);
    if (order->status == SIM_HELD) {
        sim_exchange_move(exchange, order, SIM_NEW);
    }
    if (mate != NULL && is_open(mate)) {
        sim_exchange_move(exchange, mate, SIM_CANCELED);
    }
}

/* --- replacement --- */

void sim_group_intent(const struct sim_order *old, struct sim_intent *intent) {
    intent->class = old->class;
}

/* Of a held pair the take profit stays above the stop, or below it where shares are bought back. */
bool sim_group_may_replace(const struct sim_order *old, const struct sim_intent *intent,
                           struct sim_refusal *refusal) {
    const struct sim_order *mate = mate_of(old);
    if (mate == NULL || !is_open(mate)) {
        return true;
    }
    struct usd take_profit = old->has_stop ? mate->limit : intent->limit;
    struct usd stop = old->has_stop ? intent->stop : mate->stop;
    int order = usd_cmp(take_profit, stop);
    return (intent->side == SIM_SELL ? order > 0 : order < 0) ||
           sim_refuse(refusal, 422, 42210000,
                      "take_profit.limit_price must be %s stop_loss.stop_price",
                      intent->side == SIM_SELL ? ">" : "<");
}

void sim_group_succeed(struct sim_order *old, struct sim_order *successor) {
    struct sim_order *root = old->parent;
    successor->parent = root;
    for (size_t i = 0; root != NULL && i < root->leg_count; i++) {
        root->legs[i] = root->legs[i] == old ? successor : root->legs[i];
    }
    for (size_t i = 0; i < old->leg_count; i++) {
        successor->legs[successor->leg_count++] = old->legs[i];
        old->legs[i]->parent = successor;
        old->legs[i] = NULL;
    }
    old->leg_count = 0;
    successor->is_working = successor->status == SIM_HELD && old->is_working;
}
