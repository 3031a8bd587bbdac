/* sea_orders.c - what befalls orders at the simulated broker. */
#include "scenarios/sea_internal.h"

#include "chaos/faults/gate.h"

#include <stdio.h>

#define BUSTABLE 50 /* the newest orders, whose executions may be undone */

static void name_order(const char *side, const char *type, const char *symbol,
                       char out[static FAULT_TARGET_MAX]) {
    (void)snprintf(out, FAULT_TARGET_MAX, "%s %s %s", side, type, symbol);
}

static void entered(void *context, const struct sim_weather_order *order, struct sim_fate *fate) {
    const struct sea *sea = context;
    char entity[FAULT_TARGET_MAX];
    name_order(order->side, order->type, order->symbol, entity);
    const struct fault *fault = chaos_ask(sea->plan, POINT_ORDER_STUCK_PENDING, entity);
    if (fault != NULL) {
        fate->accept_delay = fault_delay(fault, SPAN_S(120));
    }
    fault = chaos_ask(sea->plan, POINT_ORDER_REJECT_LATE, entity);
    if (fault != NULL) {
        fate->is_rejected = true;
        fate->reject_delay = fault_delay(fault, SPAN_S(1));
    }
    fault = chaos_ask(sea->plan, POINT_ORDER_PARTIAL_SILENCE, entity);
    if (fault != NULL) {
        fate->is_silent = true;
        fate->silence = fault->delay;
    }
}

static void cancelled(void *context, const struct sim_weather_order *order,
                      struct sim_cancel_fate *fate) {
    const struct sea *sea = context;
    char entity[FAULT_TARGET_MAX];
    name_order(order->side, order->type, order->symbol, entity);
    const struct fault *stuck = chaos_ask(sea->plan, POINT_ORDER_CANCEL_STUCK, entity);
    if (stuck != NULL) {
        fate->delay = fault_delay(stuck, SPAN_S(600));
    }
    fate->fills_first = chaos_ask(sea->plan, POINT_ORDER_CANCEL_FILL, entity) != NULL;
}

static void tick_order(struct sea *sea, const struct ledger_order *order, bool is_new) {
    char entity[FAULT_TARGET_MAX];
    name_order(order->side, order->type, order->symbol, entity);
    if (order->is_open && chaos_ask(sea->plan, POINT_ORDER_CANCEL_UNASKED, entity) != NULL) {
        (void)broker_cancel_unasked(sea->broker, order->client_id);
    }
    if (is_new && !order->is_open && plan_uses(sea->plan, POINT_ORDER_BUST) &&
        broker_may_bust(sea->broker, order->client_id) &&
        chaos_ask(sea->plan, POINT_ORDER_BUST, entity) != NULL) {
        (void)broker_bust(sea->broker, order->client_id);
    }
}

/* Of market, side and type as an order of the program is asked about. */
static void tick_hand(struct sea *sea) {
    for (size_t i = 0; i < market_symbol_count(sea->market); i++) {
        char entity[FAULT_TARGET_MAX];
        name_order("sell", "market", market_symbol(sea->market, i), entity);
        if (broker_may_sell_by_hand(sea->broker, i) &&
            chaos_ask(sea->plan, POINT_ORDER_BY_HAND, entity) != NULL) {
            (void)broker_sell_by_hand(sea->broker, i);
        }
    }
}

/* Where trading is halted and no stop may rest. */
static void tick_halts(struct sea *sea) {
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->fault->point == POINT_MARKET_HALT && swell->fault->cancels_stops &&
            now.ns >= swell->from.ns && now.ns < swell->until.ns) {
            broker_cancel_stops(sea->broker, swell->symbol);
        }
    }
}

void sea_tick(struct sea *sea) {
    tick_halts(sea);
    if (plan_uses(sea->plan, POINT_ORDER_BY_HAND)) {
        tick_hand(sea);
    }
    if (!plan_uses(sea->plan, POINT_ORDER_CANCEL_UNASKED) &&
        !plan_uses(sea->plan, POINT_ORDER_BUST)) {
        return;
    }
    const size_t count = broker_order_count(sea->broker);
    for (size_t i = 0; i < count; i++) {
        struct ledger_order order;
        broker_order_at(sea->broker, i, &order);
        tick_order(sea, &order, i + BUSTABLE >= count);
    }
}

void sea_orders_init(struct sea *sea) {
    struct sim_weather weather = {.context = sea};
    if (sea_has(sea, "order")) {
        weather.entered = entered;
        weather.cancelled = cancelled;
    }
    if (sea_has(sea, "market")) {
        weather.told = sea_told;
    }
    if (sea_has(sea, "asset") || plan_uses(sea->plan, POINT_MARKET_SPLIT) ||
        plan_uses(sea->plan, POINT_MARKET_SPIN_OFF) ||
        plan_uses(sea->plan, POINT_MARKET_SPIN_OFF_UNTOLD)) {
        weather.asset = sea_asset;
    }
    broker_set_weather(sea->broker, &weather);
}
