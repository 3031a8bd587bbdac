/* stuck_orders.c - see stuck_orders.h. */
#include "core/orders/stuck_orders.h"

#include "core/base/mutant.h"

#include <string.h>

static const struct span QUOTED_WITHIN = {INT64_C(60000000000)}; /* else it may be halted */

/* The market trades the symbol, as far as is known: what is accepted there should be taken too. */
static bool is_traded(const struct gateway *gateway, const char *symbol) {
    int index = universe_find(gateway->config, symbol);
    if (!gateway->truth->is_open || index < 0 || !gateway->truth->quotes[index].is_known) {
        return false;
    }
    struct utc at = gateway->truth->quotes[index].at;
    return utc_sub(clock_utc(gateway->world->clock), at).ns <= QUOTED_WITHIN.ns;
}

/* The broker has it and the exchange has not, or not its change. */
static bool is_pending(const struct gateway *gateway, const struct order *order) {
    bool is_queued = order->status == STATUS_ACCEPTED && order->type != ORDER_STOP;
    return order->status == STATUS_PENDING_NEW || order->status == STATUS_PENDING_CANCEL ||
           order->status == STATUS_PENDING_REPLACE ||
           (is_queued && is_traded(gateway, order->symbol));
}

static bool is_cancelling(const struct order *order) {
    MUTATE(stuck_cancel_ignored, return false);
    return order->has_cancel_left || order->status == STATUS_PENDING_CANCEL;
}

/* How long nothing moved; 0 if it waits for nothing. */
static struct span pending_for(const struct order *order, struct mono now) {
    return order->still.pends ? mono_sub(now, order->still.pending_since) : (struct span){0};
}

static struct span cancelling_for(const struct order *order, struct mono now) {
    return order->still.cancels ? mono_sub(now, order->still.cancel_since) : (struct span){0};
}

static bool is_bound_met(const struct gateway *gateway, struct span wait) {
    MUTATE(stuck_off_by_one, return wait.ns > gateway->config->stuck.ns);
    return wait.ns >= gateway->config->stuck.ns;
}

/* It moved. Should it be stuck again, that is news: the same text of a key is told once a minute, and one
 * that was swallowed would never be told. */
static void release(struct gateway *gateway, struct order *order) {
    if (order->still.told > 0) {
        log_mechanism(gateway->log, "stuck_orders", "released", order->symbol, order->client_id,
                      "");
        MUTATE(stuck_again_unpaged, order->still = (struct standstill){0}; return);
        log_alert_over(gateway->log, "entry_stuck");
        log_alert_over(gateway->log, "order_stuck");
        log_alert_over(gateway->log, "cancel_stuck");
    }
    order->still = (struct standstill){0};
}

/* When a wait began that is seen now: with what was sent since the last look, for a tick may take a minute. */
static struct mono began_at(const struct order *order, struct mono sent, struct mono now) {
    MUTATE(stuck_since_it_was_seen, return now);
    return sent.ns > order->looked_at.ns ? sent : now;
}

/* True if it waits for something. */
static bool watch(struct gateway *gateway, struct order *order) {
    struct standstill *still = &order->still;
    struct mono now = clock_mono(gateway->world->clock);
    bool is_live = order->state == ORDER_WORKING;
    bool is_moved = still->status != order->status || still->filled.nanos != order->filled.nanos;
    bool pends = is_live && is_pending(gateway, order);
    bool cancels = is_live && is_cancelling(order);
    if (is_moved || (!pends && !cancels)) {
        release(gateway, order);
    }
    still->pending_since =
        still->pends ? still->pending_since : began_at(order, order->sent_at, now);
    still->cancel_since =
        still->cancels ? still->cancel_since : began_at(order, order->cancel_left_at, now);
    order->looked_at = now;
    still->pends = pends;
    still->cancels = cancels;
    still->status = order->status;
    still->filled = order->filled;
    return pends || cancels;
}

enum { UNTOLD, WARNED, PAGED };

static int due(const struct gateway *gateway, const struct order *order) {
    struct mono now = clock_mono(gateway->world->clock);
    MUTATE(stuck_orders_ignored, return UNTOLD);
    if (is_bound_met(gateway, cancelling_for(order, now))) {
        return PAGED;
    }
    if (!is_bound_met(gateway, pending_for(order, now))) {
        return UNTOLD;
    }
    MUTATE(stuck_exit_unpaged, return WARNED);
    return order->purpose == PURPOSE_ENTRY ? WARNED : PAGED;
}

/* Once an order; an entry's once more if its cancel is stuck too. */
static void tell(struct gateway *gateway, struct order *order, int how) {
    struct text members = {.limit = 512};
    text_member_string(&members, "purpose", order_purpose_word(order->purpose));
    text_member_string(&members, "status", broker_status_word(order->status));
    log_mechanism(gateway->log, "stuck_orders", order->still.told == UNTOLD ? "acted" : "warned",
                  order->symbol, order->client_id, text_get(&members));
    text_release(&members);
    /* by what is stuck: of one key pages would be swallowed by the warnings of the minute before */
    struct span cancelling = cancelling_for(order, clock_mono(gateway->world->clock));
    const char *key = is_bound_met(gateway, cancelling) ? "cancel_stuck"
                      : how == PAGED                    ? "order_stuck"
                                                        : "entry_stuck";
    MUTATE(stuck_key_by_wish, key = order->still.cancels ? "cancel_stuck" : key);
    log_alert(gateway->log, how == PAGED ? ALERT_PAGE : ALERT_WARN, key, order->client_id);
    order->still.told = how;
}

static void ask(struct gateway *gateway, struct order *order) {
    struct mono now = clock_mono(gateway->world->clock);
    MUTATE(stuck_never_asked, return);
    bool is_lately = order->still.is_asked &&
                     mono_sub(now, order->still.asked_at).ns < gateway->config->stuck.ns;
    if (!is_lately) {
        order->still.is_asked = true;
        order->still.asked_at = now;
        gateway_ask(gateway, order);
    }
}

void stuck_orders_step(struct gateway *gateway) {
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *order = &gateway->orders->items[i];
        int how = watch(gateway, order) ? due(gateway, order) : UNTOLD;
        if (how > order->still.told) {
            tell(gateway, order, how);
        }
        if (how != UNTOLD) {
            ask(gateway, order);
        }
        if (order_is_over(order)) {
            release(gateway, order); /* by the answer: it is swept before the next look */
        }
    }
}

struct span stuck_orders_wait(const struct gateway *gateway, const char *symbol) {
    struct mono now = clock_mono(gateway->world->clock);
    struct span most = {0};
    for (size_t i = 0; i < gateway->orders->count; i++) {
        const struct order *order = &gateway->orders->items[i];
        if (order->state != ORDER_WORKING || strcmp(order->symbol, symbol) != 0) {
            continue;
        }
        struct span pending = pending_for(order, now);
        struct span cancel = cancelling_for(order, now);
        most.ns = pending.ns > most.ns ? pending.ns : most.ns;
        most.ns = cancel.ns > most.ns ? cancel.ns : most.ns;
    }
    return most;
}

bool stuck_orders_bind(const struct gateway *gateway, const char *symbol) {
    MUTATE(stuck_orders_ignored, return false);
    return is_bound_met(gateway, stuck_orders_wait(gateway, symbol));
}
