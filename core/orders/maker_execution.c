/* maker_execution.c - prices, shares of time, and what follows an order that ended. */
#include "core/orders/maker_execution.h"

#include "core/base/mutant.h"
#include "core/orders/validation.h"

#include <string.h>

static const char MECHANISM[] = "maker_execution";
/* Then nobody waits for the row of an end any more: the journal did not take it, or lost it. */
static const struct span ROWS_WAIT = {INT64_C(120000000000)};

/* --- prices --- */

static struct usd our_side(const struct broker_quote *quote, struct usd inside) {
    struct usd price = usd_max(quote->bid, usd_floor(inside, price_tick(inside)));
    struct usd most = usd_sub(quote->ask, price_tick(quote->ask));
    MUTATE(maker_takes_the_ask, most = quote->ask);
    return usd_min(price, most);
}

struct usd maker_price(const struct config *config, const struct broker_quote *quote,
                       bool is_cross) {
    struct usd middle = {(quote->bid.nanos + quote->ask.nanos) / 2};
    struct usd tolerance = usd_scale(middle, config->maker_tolerance);
    if (quote->bid.nanos <= 0 || quote->ask.nanos <= 0) {
        return (struct usd){0};
    }
    if (!is_cross) {
        return our_side(quote, usd_sub(middle, tolerance));
    }
    struct usd beyond = usd_add(quote->ask, tolerance);
    return usd_floor(beyond, price_tick(beyond));
}

void maker_begin(const struct gateway *gateway, struct order *intent,
                 const struct broker_quote *quote) {
    if (gateway->config->maker_on) {
        intent->attempt = 1;
        intent->limit_price = maker_price(gateway->config, quote, false);
        intent->qty = entry_size(gateway, intent->limit_price);
    }
}

/* --- time --- */

static struct span share_of(const struct config *config) {
    return (struct span){config->maker_patience.ns / config->maker_tries};
}

/* Of the orders that do not cross. */
static bool is_patience_over(const struct gateway *gateway, struct maker_plan *plan) {
    struct span age = utc_elapsed(&plan->began_at, clock_utc(gateway->world->clock));
    MUTATE(maker_patience_off_by_one, age.ns--);
    return age.ns >= gateway->config->maker_patience.ns;
}

bool maker_is_late(struct gateway *gateway, struct order *order) {
    struct span age = utc_elapsed(&order->decided_at, clock_utc(gateway->world->clock));
    if (order->attempt == 0) {
        return age.ns >= gateway->config->entry_patience.ns;
    }
    struct maker_plan *plan = maker_plans_find(&gateway->maker, gateway->config, order->symbol);
    MUTATE(maker_share_off_by_one, age.ns--);
    if (plan == NULL || strcmp(plan->last, order->client_id) != 0) {
        return true; /* nobody works it any more */
    }
    return age.ns >= share_of(gateway->config).ns ||
           (!plan->is_crossed && is_patience_over(gateway, plan));
}

void maker_tend(struct gateway *gateway) {
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *order = &gateway->orders->items[i];
        if (order->purpose != PURPOSE_ENTRY || order->state != ORDER_WORKING) {
            continue;
        }
        bool was_asked = order->cancel_at.ns != 0;
        if (was_asked) {
            gateway_ask(gateway, order);
        }
        if (gateway->truth->is_open && maker_is_late(gateway, order)) {
            gateway_cancel(gateway, order);
            if (!was_asked) { /* most ends are there at once: the next price need not wait a tick */
                gateway_ask(gateway, order);
            }
        }
    }
}

/* --- what follows --- */

static void end(struct gateway *gateway, const char *symbol, const struct maker_plan *plan,
                const char *how) {
    struct text body = {.limit = 256};
    text_add_char(&body, '{');
    text_member_string(&body, "symbol", symbol);
    text_member_string(&body, "end", how);
    text_add_char(&body, '}');
    bool is_plain = plan->tries == 1 && !plan->is_crossed && strcmp(how, "filled") == 0;
    bool is_noted = gateway->journal != NULL && !gateway->is_journal_down &&
                    journal_append(gateway->journal, MAKER_ROW, plan->id, text_get(&body), NULL,
                                   NULL) == ERR_OK; /* durable with the tick */
    if (is_noted && !is_plain) {
        struct text members = {.limit = 256};
        text_member_string(&members, "end", how);
        text_member_int(&members, "tries", plan->tries);
        log_mechanism(gateway->log, MECHANISM, strcmp(how, "gave_up") == 0 ? "refused" : "released",
                      symbol, plan->id, text_get(&members));
        text_release(&members);
    }
    text_release(&body);
}

/* By what does not end by itself; what does may be over before the patience is, as behind a start. */
static bool is_barred(const struct causes *causes) {
    for (size_t i = 0; i < causes->count; i++) {
        if (causes->items[i].is_latched && causes->items[i].mode >= MODE_REDUCE_ONLY) {
            return true;
        }
    }
    return false;
}

/* Why nothing follows the newest order, which is over; NULL: something may. */
static const char *end_of(struct gateway *gateway, const char *symbol, struct maker_plan *plan,
                          bool *is_cross) {
    const struct config *config = gateway->config;
    struct utc now = clock_utc(gateway->world->clock);
    struct qty filled = plan->filled;
    MUTATE(maker_fill_not_subtracted, filled = (struct qty){0});
    if (filled.nanos > 0) {
        return qty_cmp(filled, plan->ordered) >= 0 ? "filled" : "part";
    }
    if (plan->state != MAKER_OVER) {
        return plan->state == MAKER_REJECTED ? "rejected" : "unknown";
    }
    /* by now, and not by an order of the entry: a sale from outside, what was adopted */
    bool is_held = book_find(gateway->book, symbol) != NULL;
    bool is_off = !config->maker_on;
    MUTATE(maker_buys_beside_a_holding, is_held = false);
    MUTATE(maker_outlives_its_setting, is_off = false);
    if (is_held || is_off) {
        return is_held ? "held" : "off";
    }
    if (is_barred(gateway->causes)) {
        return "barred";
    }
    *is_cross = plan->tries >= config->maker_tries || is_patience_over(gateway, plan);
    struct span last = {config->maker_patience.ns + share_of(config).ns};
    bool may_cross =
        config->maker_cross && !plan->is_crossed && utc_elapsed(&plan->began_at, now).ns < last.ns;
    return plan->is_crossed || (*is_cross && !may_cross) ? "gave_up" : NULL;
}

static void tell_next(struct gateway *gateway, const struct order *order) {
    struct text members = {.limit = 256};
    text_member_string(&members, "of", order->of);
    text_member_string(&members, "how", order->reason);
    text_member_int(&members, "attempt", order->attempt);
    text_member_decimal(&members, "limit", order->limit_price.nanos);
    log_mechanism(gateway->log, MECHANISM, "acted", order->symbol, order->client_id,
                  text_get(&members));
    text_release(&members);
}

static struct order next_order(const struct gateway *gateway, size_t index, bool is_cross) {
    const struct maker_plan *plan = &gateway->maker.items[index];
    struct order intent = {.side = SIDE_BUY,
                           .type = ORDER_LIMIT,
                           .tif = TIF_DAY,
                           .purpose = PURPOSE_ENTRY,
                           .score = plan->score,
                           .attempt = (int)plan->tries + 1};
    strcpy(intent.symbol, gateway->config->symbols[index]);
    strcpy(intent.of, plan->id);
    strcpy(intent.reason, is_cross ? MAKER_CROSS : MAKER_AGAIN);
    intent.limit_price = maker_price(gateway->config, &gateway->truth->quotes[index], is_cross);
    intent.qty = qty_min(maker_plan_left(plan), entry_size(gateway, intent.limit_price));
    MUTATE(maker_ends_at_market, if (is_cross) intent.type = ORDER_MARKET);
    return intent;
}

/* By now: the commit before the last look may have taken seconds. */
static bool is_quote_old(const struct gateway *gateway, const struct order *intent) {
    return !entry_quote_is_fresh(gateway, intent->symbol, clock_utc(gateway->world->clock));
}

static void send_next(struct gateway *gateway, size_t index, bool is_cross) {
    const struct order intent = next_order(gateway, index, is_cross);
    const struct maker_plan *plan = &gateway->maker.items[index];
    struct order *order = NULL;
    struct refusal refusal = {0};
    enum err_code code = gateway_send(gateway, &intent, &order, &refusal, NULL);
    bool is_waiting = refusal.code == REFUSED_STALE_QUOTE || refusal.code == REFUSED_MESSAGES ||
                      (refusal.code == REFUSED_LAST_LOOK && is_quote_old(gateway, &intent));
    if (refusal.code != REFUSED_NONE && !is_waiting) {
        end(gateway, intent.symbol, plan, "refused");
    } else if (code == ERR_OK || code == ERR_UNKNOWN) {
        tell_next(gateway, order);
    }
}

/* Of any other there is nothing to price by: one with a side empty, or crossed, mostly passes. */
static bool is_two_sided(const struct broker_quote *quote) {
    MUTATE(maker_prices_half_a_quote, return true);
    return quote->is_known && quote->bid.nanos > 0 && usd_cmp(quote->ask, quote->bid) >= 0;
}

/* Its newest order is over, here and in the journal; or nobody will say any more. */
static bool is_settled(struct gateway *gateway, struct maker_plan *plan) {
    bool is_live =
        plan->state == MAKER_LEAVING || plan->state == MAKER_LIVE || plan->state == MAKER_UNKNOWN;
    const struct order *order = orders_find(gateway->orders, plan->last);
    MUTATE(maker_cancel_not_waited_for, is_live = false; struct order *o = orders_find(gateway->orders, plan->last); if (o != NULL && o->state == ORDER_WORKING && o->cancel_at.ns != 0) { orders_move(gateway->orders, o, ORDER_CANCELED); plan->state = MAKER_OVER; });
    if (order != NULL && !order_is_over(order)) {
        return false;
    }
    struct span age = utc_elapsed(&plan->began_at, clock_utc(gateway->world->clock));
    if (is_live && age.ns >= gateway->config->maker_patience.ns + ROWS_WAIT.ns) {
        plan->state = MAKER_DOUBTED;
    }
    return !is_live || plan->state == MAKER_DOUBTED;
}

/* What ended in this tick is believed once it is durable: its rows go to the plans behind the commit. */
static void keep_ends(struct gateway *gateway) {
    bool is_due = false;
    for (size_t i = 0; i < gateway->config->symbol_count; i++) {
        const struct maker_plan *plan = &gateway->maker.items[i];
        const struct order *order =
            plan->id[0] == '\0' ? NULL : orders_find(gateway->orders, plan->last);
        is_due |= order != NULL && order_is_over(order);
    }
    if (is_due && gateway->journal != NULL && !gateway->is_journal_down) {
        (void)!journal_commit(gateway->journal, NULL); /* else the next tick's */
    }
}

void maker_step(struct gateway *gateway, bool may_buy) {
    keep_ends(gateway);
    for (size_t i = 0; i < gateway->config->symbol_count; i++) {
        const char *symbol = gateway->config->symbols[i];
        struct maker_plan *plan = &gateway->maker.items[i];
        bool is_cross = false;
        if (plan->id[0] == '\0' || !is_settled(gateway, plan)) {
            continue;
        }
        const char *how = end_of(gateway, symbol, plan, &is_cross);
        if (how != NULL) {
            end(gateway, symbol, plan, how);
        } else if (may_buy && is_two_sided(&gateway->truth->quotes[i])) {
            send_next(gateway, i, is_cross);
        }
    }
}
