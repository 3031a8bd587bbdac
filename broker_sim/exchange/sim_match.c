/* sim_match.c - one look at one working order: election, price, liquidity, execution. */
#include "broker_sim/exchange/sim_exchange.h"
#include "broker_sim/exchange/sim_group.h"

#include "core/base/check.h"
#include "core/base/random.h"

static const int64_t SECOND = INT64_C(1000000000);

/* True if the order may trade: no stop, or an elected one. Electing may put its execution off. */
static bool elect(struct sim_exchange *exchange, struct sim_order *order) {
    if (!order->has_stop || order->is_elected) {
        return true;
    }
    struct market_trade trade;
    if (!market_trade_at(exchange->market, order->symbol, exchange->now, &trade)) {
        return false;
    }
    bool is_through = order->side == SIM_SELL ? trade.price.nanos <= order->stop.nanos
                                              : trade.price.nanos >= order->stop.nanos;
    if (!is_through) {
        return false;
    }
    order->is_elected = true;
    if (order->type == SIM_STOP && order->side == SIM_SELL) {
        struct random random =
            random_stream(exchange->rules.seed, "fill latency", order->number, 0, 0);
        int64_t max = exchange->rules.fill_latency_max.ns;
        order->fill_ns = exchange->now.ns + (max <= 0 ? 0 : random_between(&random, 0, max));
    }
    sim_group_elected(exchange, order);
    return true;
}

/* The price the market offers the order now; false if its limit forbids it or nobody quotes. */
static bool offered_price(const struct sim_order *order, const struct market_quote *quote,
                          struct usd *out) {
    bool is_buy = order->side == SIM_BUY;
    struct usd price = is_buy ? quote->ask : quote->bid;
    if (price.nanos <= 0) {
        return false;
    }
    bool has_limit = order->has_limit || (order->type == SIM_STOP && is_buy);
    struct usd limit = order->has_limit ? order->limit : order->collar;
    if (has_limit && (is_buy ? limit.nanos < price.nanos : limit.nanos > price.nanos)) {
        return false;
    }
    *out = price;
    return true;
}

/* Where the second's spent liquidity of the order's side is counted. */
static struct qty *spent(struct sim_exchange *exchange, const struct sim_order *order) {
    struct sim_liquidity *liquidity = &exchange->liquidity[order->symbol];
    int64_t second = exchange->now.ns / SECOND * SECOND;
    if (liquidity->second_ns != second) {
        *liquidity = (struct sim_liquidity){.second_ns = second};
    }
    return order->side == SIM_BUY ? &liquidity->bought : &liquidity->sold;
}

static struct qty available(struct sim_exchange *exchange, const struct sim_order *order,
                            const struct market_quote *quote) {
    int64_t shares = order->side == SIM_BUY ? quote->ask_size : quote->bid_size;
    int64_t volume = market_volume_in_second(exchange->market, order->symbol, exchange->now);
    shares = volume > shares ? volume : shares;
    return qty_sub(QTY(shares), *spent(exchange, order));
}

/* Paper's random partial fills: sometimes only a drawn part of what could be executed. */
static struct qty draw_part(const struct sim_exchange *exchange, const struct sim_order *order,
                            struct qty most) {
    struct random random = random_stream(exchange->rules.seed, "partial fill", order->number,
                                         order->executions, (uint64_t)(exchange->now.ns / SECOND));
    int64_t whole = (most.nanos - 1) / NANOS; /* a part is less than the most */
    if (order->is_silent && order->executions == 0 && whole >= 1) {
        return QTY((whole + 1) / 2);
    }
    if (whole < 1 || !random_chance(&random, exchange->rules.partial_fill_chance.nanos)) {
        return most;
    }
    return QTY(random_between(&random, 1, whole));
}

static void execute(struct sim_exchange *exchange, struct sim_order *order, struct qty qty,
                    struct usd price) {
    *spent(exchange, order) = qty_add(*spent(exchange, order), qty);
    order->filled_qty = qty_add(order->filled_qty, qty);
    order->filled_value = usd_add(order->filled_value, usd_mul(price, qty));
    order->executions++;
    order->last_qty = qty;
    order->last_price = price;
    sim_account_fill(exchange->account, exchange->now,
                     &(struct sim_fill){.symbol = order->symbol,
                                        .order_id = order->id,
                                        .is_buy = order->side == SIM_BUY,
                                        .is_short = order->side == SIM_SELL && order->is_opening,
                                        .qty = qty,
                                        .cum_qty = order->filled_qty,
                                        .leaves_qty = sim_order_left(order),
                                        .price = price});
    observe(exchange->rules.observer,
            &(struct event){.kind = EVENT_LEDGER_FILL,
                            .at = exchange->now,
                            .subject = sim_side_word(order->side),
                            .symbol = market_symbol(exchange->market, order->symbol),
                            .id = sim_group_root(order)->client_id,
                            .qty = qty,
                            .price = price});
    enum sim_status status = sim_order_left(order).nanos == 0      ? SIM_FILLED
                             : order->status == SIM_PENDING_CANCEL ? SIM_PENDING_CANCEL
                                                                   : SIM_PARTIALLY_FILLED;
    sim_exchange_move(exchange, order, status);
}

/* False outside sessions, after the symbol's last date, and in a halt. */
static bool may_trade(const struct sim_exchange *exchange, const struct sim_order *order) {
    return sim_exchange_is_open(exchange) && sim_exchange_is_tradable(exchange, order->symbol) &&
           !market_is_halted(exchange->market, order->symbol, exchange->now);
}

/* After the first execution of an order whose fate it is. */
static void fall_silent(const struct sim_exchange *exchange, struct sim_order *order) {
    if (order->is_silent && order->executions == 1) {
        order->silent_until_ns =
            order->silence_ns == SIM_NEVER ? SIM_NEVER : exchange->now.ns + order->silence_ns;
    }
}

static void trade(struct sim_exchange *exchange, struct sim_order *order) {
    struct market_quote quote;
    struct usd price = {0};
    if (!market_quote_at(exchange->market, order->symbol, exchange->now, &quote) ||
        !offered_price(order, &quote, &price)) {
        return;
    }
    struct qty most = qty_min(sim_order_left(order), available(exchange, order, &quote));
    if (most.nanos > 0) {
        execute(exchange, order, draw_part(exchange, order, most), price);
        fall_silent(exchange, order);
    }
}

void sim_fill_rest(struct sim_exchange *exchange, struct sim_order *order) {
    struct market_quote quote;
    if (!may_trade(exchange, order) ||
        !market_quote_at(exchange->market, order->symbol, exchange->now, &quote)) {
        return;
    }
    struct usd price = order->side == SIM_BUY ? quote.ask : quote.bid;
    if (order->has_limit) {
        price =
            order->side == SIM_BUY ? usd_min(price, order->limit) : usd_max(price, order->limit);
    }
    if (price.nanos > 0) {
        order->is_elected |= order->has_stop;
        sim_group_elected(exchange, order);
        execute(exchange, order, sim_order_left(order), price);
    }
}

void sim_match(struct sim_exchange *exchange, struct sim_order *order) {
    CHECK(order->is_working);
    order->looked_ns = exchange->now.ns;
    if (!may_trade(exchange, order) || exchange->now.ns < order->silent_until_ns) {
        order->fill_ns = SIM_NEVER; /* looked at again in every second of a session */
        return;
    }
    if (!elect(exchange, order)) {
        return;
    }
    if (order->fill_ns != SIM_NEVER && order->fill_ns > exchange->now.ns) {
        return;
    }
    order->fill_ns = SIM_NEVER;
    trade(exchange, order);
    if (order->tif == SIM_IOC && !sim_status_is_terminal(order->status)) {
        sim_exchange_move(exchange, order, SIM_CANCELED);
    }
}
