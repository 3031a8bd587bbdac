/* sim_exchange.c - orders come in, change, and move with time. */
#include "broker_sim/exchange/sim_exchange.h"
#include "broker_sim/exchange/sim_group.h"

#include "core/base/check.h"
#include "core/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND = INT64_C(1000000000);

void sim_exchange_init(struct sim_exchange *exchange, struct market *market,
                       struct sim_account *account, const struct sim_rules *rules,
                       struct utc start) {
    *exchange = (struct sim_exchange){.market = market,
                                      .account = account,
                                      .rules = *rules,
                                      .now = start,
                                      .stepped_ns = INT64_MIN};
    exchange->has_session =
        calendar_current_or_next(market_calendar(market), start, &exchange->session);
}

void sim_exchange_release(struct sim_exchange *exchange) {
    for (size_t i = 0; i < exchange->order_count; i++) {
        text_release(&exchange->orders[i]->json);
        free(exchange->orders[i]);
    }
    free(exchange->orders);
    free(exchange->live);
    sim_index_release(&exchange->by_id);
    sim_index_release(&exchange->by_client_id);
}

bool sim_exchange_is_tradable(const struct sim_exchange *exchange, size_t symbol) {
    struct date last = market_symbol_last_date(exchange->market, symbol);
    return exchange->has_session && exchange->session.date.days <= last.days;
}

bool sim_exchange_opens(const struct sim_exchange *exchange, size_t symbol, enum sim_side side) {
    struct qty held = exchange->account->positions[symbol].qty;
    return side == SIM_BUY ? held.nanos >= 0 : held.nanos <= 0 && exchange->account->may_be_short;
}

struct sim_asset sim_exchange_asset(const struct sim_exchange *exchange, size_t symbol) {
    struct sim_asset asset = {.is_tradable = sim_exchange_is_tradable(exchange, symbol),
                              .is_hard_to_borrow = !exchange->account->may_be_short};
    if (exchange->weather.asset != NULL) {
        exchange->weather.asset(exchange->weather.context, symbol, &asset);
    }
    return asset;
}

static struct usd house_margin_of(const struct sim_exchange *exchange, size_t symbol) {
    struct qty qty = exchange->account->positions[symbol].qty;
    struct usd price = {0};
    if (qty.nanos == 0 || !sim_price(exchange->market, symbol, exchange->now, &price)) {
        return (struct usd){0};
    }
    struct ratio house = sim_exchange_asset(exchange, symbol).house_margin;
    int64_t more = house.nanos - sim_maintenance_rate(price).nanos;
    return more > 0 ? usd_scale(usd_mul(price, qty), (struct ratio){more}) : (struct usd){0};
}

struct usd sim_exchange_house_margin(const struct sim_exchange *exchange) {
    struct usd sum = {0};
    size_t count = exchange->weather.asset == NULL ? 0 : market_symbol_count(exchange->market);
    for (size_t i = 0; i < count; i++) {
        sum = usd_add(sum, house_margin_of(exchange, i));
    }
    return sum;
}

struct sim_order *sim_exchange_find(const struct sim_exchange *exchange, const char *id) {
    return sim_index_find(&exchange->by_id, id);
}

struct sim_order *sim_exchange_find_client(const struct sim_exchange *exchange,
                                           const char *client_id) {
    return sim_index_find(&exchange->by_client_id, client_id);
}

/* --- lists --- */

static void push(struct sim_order ***list, size_t *count, size_t *room, struct sim_order *order) {
    if (*count == *room) {
        *room = *room == 0 ? 64 : 2 * *room;
        *list = realloc(*list, *room * sizeof **list);
        CHECK(*list != NULL);
    }
    (*list)[(*count)++] = order;
}

static void remove_live(struct sim_exchange *exchange, const struct sim_order *order) {
    size_t i = 0;
    while (exchange->live[i] != order) {
        i++;
        CHECK(i < exchange->live_count);
    }
    exchange->live_count--;
    memmove(&exchange->live[i], &exchange->live[i + 1],
            (exchange->live_count - i) * sizeof *exchange->live);
}

/* --- life --- */

/* What kind of order it is; of a leg also whose, and whether it waits for that one. */
static void print_kind(const struct sim_order *order, char *out, size_t size) {
    const char *type = sim_type_word(order->type);
    if (order->parent == NULL) {
        snprintf(out, size, "%s", type);
    } else {
        snprintf(out, size, "%s%s of %s", sim_group_waits(order) ? "waiting " : "", type,
                 order->parent->client_id);
    }
}

static void tell_status(const struct sim_exchange *exchange, const struct sim_order *order) {
    char kind[SIM_CLIENT_ID_MAX + 32];
    print_kind(order, kind, sizeof kind);
    observe(exchange->rules.observer,
            &(struct event){.kind = EVENT_LEDGER_ORDER,
                            .at = exchange->now,
                            .subject = sim_side_word(order->side),
                            .what = sim_status_word(order->status),
                            .symbol = market_symbol(exchange->market, order->symbol),
                            .id = order->client_id,
                            .number = order->qty.nanos,
                            .qty = order->filled_qty,
                            .price = sim_order_average(order),
                            .body = kind,
                            .body_len = strlen(kind)});
}

static void stamp_end(struct sim_order *order, struct utc now) {
    switch (order->status) {
    case SIM_FILLED:
        order->filled_at = now;
        break;
    case SIM_CANCELED:
        order->canceled_at = now;
        break;
    case SIM_EXPIRED:
        order->expired_at = now;
        break;
    case SIM_REPLACED:
        order->replaced_at = now;
        break;
    case SIM_REJECTED:
        order->failed_at = now;
        break;
    case SIM_PENDING_NEW:
    case SIM_ACCEPTED:
    case SIM_NEW:
    case SIM_PARTIALLY_FILLED:
    case SIM_PENDING_CANCEL:
    case SIM_HELD:
        break;
    }
}

void sim_exchange_move(struct sim_exchange *exchange, struct sim_order *order,
                       enum sim_status status) {
    CHECK(!sim_status_is_terminal(order->status));
    order->status = status;
    order->updated_at = exchange->now;
    order->is_json_old = true;
    if (sim_status_is_terminal(status)) {
        stamp_end(order, exchange->now);
        order->is_working = false;
        remove_live(exchange, order);
        text_release(&order->json);
    }
    tell_status(exchange, order);
    sim_group_moved(exchange, order);
}

/* 0 to max, drawn once per name and order. */
static int64_t draw_latency(const struct sim_exchange *exchange, const char *name,
                            const struct sim_order *order, struct span max) {
    struct random random = random_stream(exchange->rules.seed, name, order->number, 0, 0);
    return max.ns <= 0 ? 0 : random_between(&random, 0, max.ns);
}

/* The instant a market order's execution is looked for: a drawn while after `from`. */
static int64_t fill_instant(const struct sim_exchange *exchange, const struct sim_order *order,
                            int64_t from) {
    return from + draw_latency(exchange, "fill latency", order, exchange->rules.fill_latency_max);
}

/* A leg that is held waits for its group alone. */
static void start_timers(const struct sim_exchange *exchange, struct sim_order *order) {
    order->accept_ns = order->reject_ns = order->cancel_ns = order->fill_ns = SIM_NEVER;
    order->silent_until_ns = INT64_MIN;
    if (order->status == SIM_HELD) {
        return;
    }
    struct random random = random_stream(exchange->rules.seed, "late reject", order->number, 0, 0);
    if (random_chance(&random, exchange->rules.late_reject_chance.nanos)) {
        order->reject_ns = exchange->now.ns + random_between(&random, SECOND / 10, 5 * SECOND);
        return;
    }
    int64_t from = exchange->now.ns;
    if (order->status == SIM_ACCEPTED) {
        from = exchange->session.open.ns;
    }
    order->accept_ns =
        from + draw_latency(exchange, "accept latency", order, exchange->rules.accept_latency_max);
    if (order->type == SIM_MARKET) {
        order->fill_ns = fill_instant(exchange, order, order->accept_ns);
    }
}

/* Day and ioc orders end with the session, gtc orders at 16:15 New York 90 days later. */
static struct utc expiry_of(const struct sim_exchange *exchange, enum sim_tif tif) {
    if (tif == SIM_GTC) {
        return ny_to_utc(date_add(ny_date(exchange->now), 90), 16, 15);
    }
    return exchange->session.close;
}

static struct sim_weather_order weather_order(const struct sim_exchange *exchange,
                                              const struct sim_order *order) {
    return (struct sim_weather_order){.side = sim_side_word(order->side),
                                      .type = sim_type_word(order->type),
                                      .symbol = market_symbol(exchange->market, order->symbol),
                                      .client_id = order->client_id};
}

static void meet_fate(struct sim_exchange *exchange, struct sim_order *order) {
    struct sim_fate fate = {0};
    if (exchange->weather.entered == NULL || order->status == SIM_HELD) {
        return;
    }
    const struct sim_weather_order asked = weather_order(exchange, order);
    exchange->weather.entered(exchange->weather.context, &asked, &fate);
    if (order->accept_ns == SIM_NEVER) {
        return; /* it will be rejected as it is */
    }
    order->accept_ns += fate.accept_delay.ns;
    order->fill_ns =
        order->fill_ns == SIM_NEVER ? SIM_NEVER : order->fill_ns + fate.accept_delay.ns;
    if (fate.is_rejected) {
        order->reject_ns = order->accept_ns + fate.reject_delay.ns;
        order->silent_until_ns = SIM_NEVER;
    }
    order->is_silent = fate.is_silent;
    order->silence_ns = fate.silence.ns == 0 ? SIM_NEVER : fate.silence.ns;
}

struct sim_order *sim_exchange_enter(struct sim_exchange *exchange, const struct sim_intent *intent,
                                     struct sim_order *parent) {
    struct sim_order *order = calloc(1, sizeof *order);
    CHECK(order != NULL);
    *order = (struct sim_order){
        .number = exchange->order_count,
        .symbol = intent->symbol,
        .side = intent->side,
        .type = intent->type,
        .tif = intent->tif,
        .status = parent != NULL                   ? SIM_HELD
                  : sim_exchange_is_open(exchange) ? SIM_PENDING_NEW
                                                   : SIM_ACCEPTED,
        .class = intent->class,
        .parent = parent,
        .is_extended = intent->is_extended,
        .has_limit = intent->type == SIM_LIMIT || intent->type == SIM_STOP_LIMIT,
        .has_stop = intent->type == SIM_STOP || intent->type == SIM_STOP_LIMIT,
        .qty = intent->qty,
        .limit = intent->limit,
        .stop = intent->stop,
        .is_opening = parent == NULL && sim_exchange_opens(exchange, intent->symbol, intent->side),
        .reserve_price = parent == NULL ? sim_reserve_price(exchange, intent) : (struct usd){0},
        .submitted_at = exchange->now,
        .updated_at = exchange->now,
        .expires_at = expiry_of(exchange, intent->tif),
        .is_json_old = true};
    if (intent->type == SIM_STOP && intent->side == SIM_BUY) {
        order->collar = sim_stop_collar(intent->stop);
    }
    sim_uuid(exchange->rules.seed, "order", order->number, order->id);
    if (intent->client_id[0] != '\0') {
        snprintf(order->client_id, sizeof order->client_id, "%s", intent->client_id);
    } else {
        sim_uuid(exchange->rules.seed, "client order", order->number, order->client_id);
    }
    start_timers(exchange, order);
    meet_fate(exchange, order);
    push(&exchange->orders, &exchange->order_count, &exchange->order_room, order);
    push(&exchange->live, &exchange->live_count, &exchange->live_room, order);
    sim_index_add(&exchange->by_id, order->id, order);
    sim_index_add(&exchange->by_client_id, order->client_id, order);
    return order;
}

struct sim_order *sim_exchange_submit(struct sim_exchange *exchange,
                                      const struct sim_intent *intent,
                                      struct sim_refusal *refusal) {
    if (!sim_rules_allow(exchange, intent, NULL, refusal)) {
        return NULL;
    }
    struct sim_order *order = sim_exchange_enter(exchange, intent, NULL);
    tell_status(exchange, order);
    sim_group_enter(exchange, order, intent);
    for (size_t i = 0; i < order->leg_count; i++) {
        tell_status(exchange, order->legs[i]);
    }
    return order;
}

static bool is_changed(const struct sim_order *order, const struct sim_change *change) {
    return (change->has_qty && change->qty.nanos != order->qty.nanos) ||
           (change->has_limit && change->limit.nanos != order->limit.nanos) ||
           (change->has_stop && change->stop.nanos != order->stop.nanos) ||
           (change->has_tif && change->tif != order->tif);
}

/* What PATCH itself asks of old order and change, before the successor is judged as any order is.
 */
static bool may_replace(const struct sim_order *order, const struct sim_change *change,
                        struct sim_refusal *refusal) {
    if (order->status == SIM_REPLACED) {
        return sim_refuse(refusal, 422, 42210000, "order already replaced");
    }
    if (sim_status_is_terminal(order->status)) {
        return sim_refuse(refusal, 422, 42210000, "order is already in \"%s\" state",
                          sim_status_word(order->status));
    }
    if (order->status != SIM_NEW && order->status != SIM_PARTIALLY_FILLED &&
        order->status != SIM_HELD) {
        return sim_refuse(refusal, 422, 42210000, "cannot replace order in %s status",
                          sim_status_word(order->status));
    }
    if ((change->has_limit && !order->has_limit) || (change->has_stop && !order->has_stop)) {
        return sim_refuse(refusal, 422, 40010001, "%s orders have no such price",
                          sim_type_word(order->type));
    }
    if (!is_changed(order, change)) {
        return sim_refuse(refusal, 422, 42210000, "order parameters are not changed");
    }
    if (order->class != SIM_SIMPLE && (change->has_qty || change->has_tif)) {
        return sim_refuse(refusal, 422, 42210000, "%s orders can be replaced in their prices alone",
                          sim_class_word(order->class));
    }
    struct qty total = change->has_qty ? change->qty : order->qty;
    if (qty_cmp(total, order->filled_qty) <= 0) {
        return sim_refuse(refusal, 422, 42210000, "qty must be > filled_qty");
    }
    if (total.nanos % NANOS != 0 || order->qty.nanos % NANOS != 0) {
        return sim_refuse(refusal, 422, 42210000, "fractional orders cannot be replaced");
    }
    return true;
}

struct sim_order *sim_exchange_replace(struct sim_exchange *exchange, struct sim_order *order,
                                       const struct sim_change *change,
                                       struct sim_refusal *refusal) {
    if (!may_replace(order, change, refusal)) {
        return NULL;
    }
    struct qty total = change->has_qty ? change->qty : order->qty;
    struct sim_intent intent = {.client_id = change->client_id,
                                .symbol = order->symbol,
                                .side = order->side,
                                .type = order->type,
                                .tif = change->has_tif ? change->tif : order->tif,
                                .qty = qty_sub(total, order->filled_qty),
                                .limit = change->has_limit ? change->limit : order->limit,
                                .stop = change->has_stop ? change->stop : order->stop,
                                .is_extended = order->is_extended};
    sim_group_intent(order, &intent);
    if (!sim_rules_allow(exchange, &intent, order, refusal)) {
        return NULL;
    }
    bool is_held = order->status == SIM_HELD;
    struct sim_order *successor =
        sim_exchange_enter(exchange, &intent, is_held ? order->parent : NULL);
    successor->replaces = order;
    order->replaced_by = successor;
    sim_group_succeed(order, successor);
    sim_exchange_move(exchange, order, SIM_REPLACED);
    tell_status(exchange, successor);
    for (size_t i = 0; i < successor->leg_count; i++) {
        tell_status(exchange, successor->legs[i]); /* whose it is now */
    }
    return successor;
}

bool sim_exchange_cancel(struct sim_exchange *exchange, struct sim_order *order,
                         struct sim_refusal *refusal) {
    if (sim_status_is_terminal(order->status)) {
        return sim_refuse(refusal, 422, 42210000, "order is already in \"%s\" state",
                          sim_status_word(order->status));
    }
    if (order->status != SIM_PENDING_CANCEL) {
        struct sim_cancel_fate fate = {0};
        if (exchange->weather.cancelled != NULL) {
            const struct sim_weather_order asked = weather_order(exchange, order);
            exchange->weather.cancelled(exchange->weather.context, &asked, &fate);
        }
        order->fills_first = fate.fills_first;
        order->cancel_ns =
            exchange->now.ns + fate.delay.ns +
            draw_latency(exchange, "cancel latency", order, exchange->rules.accept_latency_max);
        sim_exchange_move(exchange, order, SIM_PENDING_CANCEL);
    }
    return true;
}

void sim_exchange_cancel_unasked(struct sim_exchange *exchange, struct sim_order *order) {
    sim_exchange_move(exchange, order, SIM_CANCELED);
}

void sim_exchange_cancel_stops(struct sim_exchange *exchange, size_t symbol) {
    for (size_t i = exchange->live_count; i-- > 0;) { /* its group may go with one */
        struct sim_order *order = i < exchange->live_count ? exchange->live[i] : NULL;
        if (order == NULL || order->symbol != symbol || !order->has_stop || order->is_elected) {
            continue;
        }
        observe(exchange->rules.observer,
                &(struct event){.kind = EVENT_FRAME,
                                .at = exchange->now,
                                .subject = "halt_cancels",
                                .what = market_symbol(exchange->market, symbol)});
        sim_exchange_cancel_unasked(exchange, order);
    }
}

bool sim_exchange_may_bust(const struct sim_exchange *exchange, const struct sim_order *order) {
    struct qty held[MARKET_SYMBOLS_MAX];
    if (order->last_qty.nanos == 0) {
        return false;
    }
    sim_exchange_held(exchange, held);
    const struct qty free_shares =
        qty_sub(exchange->account->positions[order->symbol].qty, held[order->symbol]);
    const bool may_go_short = exchange->account->may_be_short && held[order->symbol].nanos == 0;
    return order->side == SIM_SELL || qty_cmp(order->last_qty, free_shares) <= 0 || may_go_short;
}

bool sim_exchange_bust(struct sim_exchange *exchange, struct sim_order *order) {
    if (!sim_exchange_may_bust(exchange, order)) {
        return false;
    }
    const bool is_buy = order->side == SIM_BUY;
    sim_account_undo(exchange->account, order->symbol, is_buy, order->last_qty, order->last_price);
    char id[SIM_CLIENT_ID_MAX + 8];
    snprintf(id, sizeof id, "bust:%s", order->client_id);
    observe(exchange->rules.observer,
            &(struct event){.kind = EVENT_LEDGER_FILL, /* the books move the other way */
                            .at = exchange->now,
                            .subject = sim_side_word(is_buy ? SIM_SELL : SIM_BUY),
                            .symbol = market_symbol(exchange->market, order->symbol),
                            .id = id,
                            .qty = order->last_qty,
                            .price = order->last_price});
    order->last_qty = (struct qty){0};
    return true;
}

static void tell_split(const struct sim_exchange *exchange, size_t symbol, struct qty by,
                       struct usd price, bool is_told) {
    const char *name = market_symbol(exchange->market, symbol);
    char id[MARKET_SYMBOL_MAX + 8];
    snprintf(id, sizeof id, "%s:%s", is_told ? "split" : "moved", name);
    observe(exchange->rules.observer,
            &(struct event){.kind = EVENT_LEDGER_FILL, /* the books move, at the value they had */
                            .at = exchange->now,
                            .subject = sim_side_word(by.nanos > 0 ? SIM_BUY : SIM_SELL),
                            .symbol = name,
                            .id = id,
                            .qty = qty_abs(by),
                            .price = price});
}

/* Their price and quantity mean another stock. */
static void cancel_all_of(struct sim_exchange *exchange, size_t symbol) {
    for (size_t i = exchange->live_count; i-- > 0;) { /* its group may go with one */
        if (i < exchange->live_count && exchange->live[i]->symbol == symbol) {
            sim_exchange_cancel_unasked(exchange, exchange->live[i]);
        }
    }
}

void sim_exchange_split(struct sim_exchange *exchange, size_t symbol,
                        const struct sim_split *split) {
    struct usd price = {0};
    (void)sim_price(exchange->market, symbol, exchange->now, &price);
    struct qty by = sim_account_split(exchange->account, exchange->now, symbol, split, price);
    if (by.nanos != 0 || exchange->account->positions[symbol].qty.nanos != 0) {
        tell_split(exchange, symbol, by, price, split->is_told);
    }
    cancel_all_of(exchange, symbol);
}

struct sim_spun sim_exchange_spin_off(struct sim_exchange *exchange,
                                      const struct sim_spin_off *spin, bool is_told) {
    struct usd price = {0};
    char id[MARKET_SYMBOL_MAX + 8];
    (void)sim_price(exchange->market, spin->spun, exchange->now, &price);
    struct sim_spun given = sim_account_spin_off(exchange->account, spin, price);
    (void)snprintf(id, sizeof id, "%s:%s", is_told ? "spin" : "given",
                   market_symbol(exchange->market, spin->source));
    if (given.qty.nanos > 0) {
        observe(exchange->rules.observer,
                &(struct event){.kind = EVENT_LEDGER_FILL, /* the books move, at no cost */
                                .at = exchange->now,
                                .subject = sim_side_word(SIM_BUY),
                                .symbol = market_symbol(exchange->market, spin->spun),
                                .id = id,
                                .qty = given.qty,
                                .price = price});
    }
    /* also where all of it was cash for a fraction, and no share moved */
    observe(exchange->rules.observer,
            &(struct event){.kind = EVENT_FRAME,
                            .at = exchange->now,
                            .subject = "spun_off",
                            .what = market_symbol(exchange->market, spin->source)});
    cancel_all_of(exchange, spin->source);
    return given;
}

struct usd sim_exchange_reserved(const struct sim_exchange *exchange) {
    struct usd reserved = {0};
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *order = exchange->live[i];
        reserved = usd_add(reserved, usd_mul(order->reserve_price, sim_order_left(order)));
    }
    return reserved;
}

void sim_exchange_held(const struct sim_exchange *exchange, struct qty held[MARKET_SYMBOLS_MAX]) {
    memset(held, 0, MARKET_SYMBOLS_MAX * sizeof *held);
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *order = exchange->live[i];
        if (sim_order_holds(order)) {
            struct qty left = sim_order_left(order);
            left = order->side == SIM_SELL ? left : qty_neg(left);
            held[order->symbol] = qty_add(held[order->symbol], left);
        }
    }
}

/* --- time --- */

static void accept_order(struct sim_exchange *exchange, struct sim_order *order) {
    order->accept_ns = SIM_NEVER;
    order->is_working = true;
    if (order->status != SIM_PENDING_CANCEL) {
        sim_exchange_move(exchange, order, SIM_NEW);
    }
    sim_group_accepted(exchange, order);
}

/* What is due happens in the order of a life: rejection, acceptance, cancel, expiry. */
static void run_order(struct sim_exchange *exchange, struct sim_order *order) {
    int64_t now = exchange->now.ns;
    if (order->reject_ns <= now) {
        sim_exchange_move(exchange, order, SIM_REJECTED);
        return;
    }
    if (order->cancel_ns <= now) {
        if (order->fills_first && !sim_group_waits(order)) {
            sim_fill_rest(exchange, order);
        }
        if (!sim_status_is_terminal(order->status)) {
            sim_exchange_move(exchange, order, SIM_CANCELED);
        }
        return;
    }
    if (order->expires_at.ns <= now) {
        sim_exchange_move(exchange, order, SIM_EXPIRED);
        return;
    }
    if (order->accept_ns <= now) {
        accept_order(exchange, order);
        sim_match(exchange, order);
    } else if (order->is_working && order->fill_ns <= now) {
        sim_match(exchange, order);
    }
}

/* The next whole second of the session after the one matched last, if an order is working. */
static int64_t next_second(const struct sim_exchange *exchange) {
    int64_t open = exchange->session.open.ns;
    int64_t now = exchange->now.ns;
    int64_t next = now < open ? open : (now / SECOND + (now % SECOND != 0)) * SECOND;
    if (next <= exchange->stepped_ns) {
        next = exchange->stepped_ns + SECOND;
    }
    return next < exchange->session.close.ns ? next : SIM_NEVER;
}

static int64_t next_event(const struct sim_exchange *exchange) {
    int64_t next = exchange->has_session ? exchange->session.close.ns : SIM_NEVER;
    bool is_working = false;
    for (size_t i = 0; i < exchange->live_count; i++) {
        int64_t due = sim_order_due(exchange->live[i]);
        next = due < next ? due : next;
        is_working |= exchange->live[i]->is_working;
    }
    if (is_working && exchange->has_session) {
        int64_t second = next_second(exchange);
        next = second < next ? second : next;
    }
    return next;
}

static void run_close(struct sim_exchange *exchange) {
    struct session closed = exchange->session;
    exchange->has_session = calendar_current_or_next(market_calendar(exchange->market),
                                                     closed.close, &exchange->session);
    sim_account_close_day(exchange->account, closed.date, closed.close);
}

/* Runs all orders once, by number: what closes leaves the list, and takes those of its group with it. */
static void run_orders(struct sim_exchange *exchange, bool is_step) {
    for (size_t i = 0; i < exchange->live_count;) {
        struct sim_order *order = exchange->live[i];
        uint64_t number = order->number;
        if (sim_order_due(order) <= exchange->now.ns) {
            run_order(exchange, order);
        } else if (is_step && order->is_working && order->looked_ns < exchange->now.ns) {
            sim_match(exchange, order);
        }
        while (i > 0 && (i > exchange->live_count || exchange->live[i - 1]->number > number)) {
            i--;
        }
        i += i < exchange->live_count && exchange->live[i]->number == number;
    }
}

void sim_exchange_advance(struct sim_exchange *exchange, struct utc at) {
    for (int64_t next = next_event(exchange); next <= at.ns; next = next_event(exchange)) {
        if (next > exchange->now.ns) {
            exchange->now.ns = next;
        }
        if (exchange->has_session && exchange->now.ns >= exchange->session.close.ns) {
            run_close(exchange);
        }
        bool is_step = sim_exchange_is_open(exchange) && exchange->now.ns % SECOND == 0 &&
                       exchange->now.ns > exchange->stepped_ns;
        if (is_step) {
            exchange->stepped_ns = exchange->now.ns;
        }
        run_orders(exchange, is_step);
    }
    if (at.ns > exchange->now.ns) {
        exchange->now = at;
    }
}
