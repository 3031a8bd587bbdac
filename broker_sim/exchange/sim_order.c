/* sim_order.c - words and small questions of a simulated order. */
#include "broker_sim/exchange/sim_order.h"

#include "core/base/check.h"

const char *sim_side_word(enum sim_side side) {
    return side == SIM_BUY ? "buy" : "sell";
}

const char *sim_type_word(enum sim_type type) {
    static const char *const words[] = {"market", "limit", "stop", "stop_limit"};
    return words[type];
}

const char *sim_tif_word(enum sim_tif tif) {
    static const char *const words[] = {"day", "gtc", "ioc"};
    return words[tif];
}

const char *sim_class_word(enum sim_class class) {
    static const char *const words[] = {"", "bracket", "oco"};
    return words[class];
}

const char *sim_status_word(enum sim_status status) {
    static const char *const words[] = {
#define X(status_name, word, is_terminal) word,
        SIM_STATUSES(X)
#undef X
    };
    return words[status];
}

bool sim_status_is_terminal(enum sim_status status) {
    static const bool terminal[] = {
#define X(status_name, word, is_terminal) is_terminal,
        SIM_STATUSES(X)
#undef X
    };
    return terminal[status];
}

struct usd sim_order_average(const struct sim_order *order) {
    struct usd average = {0};
    if (order->filled_qty.nanos != 0) {
        CHECK(usd_per_qty(order->filled_value, order->filled_qty, &average, NULL) == ERR_OK);
    }
    return average;
}

int64_t sim_order_due(const struct sim_order *order) {
    int64_t due = order->accept_ns < order->reject_ns ? order->accept_ns : order->reject_ns;
    due = order->cancel_ns < due ? order->cancel_ns : due;
    if (order->is_working && order->fill_ns != SIM_NEVER && order->fill_ns < due) {
        due = order->fill_ns;
    }
    return order->expires_at.ns < due ? order->expires_at.ns : due;
}
