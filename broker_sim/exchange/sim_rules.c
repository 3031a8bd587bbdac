/* sim_rules.c - what the broker checks before an order exists (alpaca-api.md 2.2 to 2.5, 3.3, 4.7).
 */
#include "broker_sim/exchange/sim_exchange.h"
#include "broker_sim/exchange/sim_group.h"

#include "core/base/check.h"

static const int64_t CENT = NANOS / 100;
static const struct usd PRICE_MAX = {10000000 * NANOS}; /* keeps products within range */

bool sim_price_is_on_tick(struct usd price) {
    return price.nanos % (price.nanos >= NANOS ? CENT : CENT / 100) == 0;
}

struct usd sim_stop_collar(struct usd stop) {
    bool is_low = stop.nanos < 50 * NANOS;
    struct usd collar =
        usd_scale(stop, (struct ratio){is_low ? NANOS * 104 / 100 : NANOS * 1025 / 1000});
    return usd_floor(collar, (struct usd){collar.nanos >= NANOS ? CENT : CENT / 100});
}

/* A sale of what is not held: 3 % above the ask, or its limit if that is higher. */
static struct usd short_reserve(struct sim_exchange *exchange, const struct sim_intent *intent) {
    struct market_quote quote;
    struct usd ask = {0};
    if (market_quote_at(exchange->market, intent->symbol, exchange->now, &quote)) {
        ask = quote.ask;
    }
    if (ask.nanos <= 0) {
        sim_price(exchange->market, intent->symbol, exchange->now, &ask);
    }
    ask = usd_scale(ask, (struct ratio){NANOS * 103 / 100});
    bool has_limit = intent->type == SIM_LIMIT || intent->type == SIM_STOP_LIMIT;
    return has_limit ? usd_max(intent->limit, ask) : ask;
}

/* A market order reserves the far side of the quote and 4 %: the upper end of what is documented.
 */
struct usd sim_reserve_price(struct sim_exchange *exchange, const struct sim_intent *intent) {
    if (!sim_exchange_opens(exchange, intent->symbol, intent->side)) {
        return (struct usd){0};
    }
    if (intent->side == SIM_SELL) {
        return short_reserve(exchange, intent);
    }
    if (intent->type == SIM_LIMIT || intent->type == SIM_STOP_LIMIT) {
        return intent->limit;
    }
    if (intent->type == SIM_STOP) {
        return sim_stop_collar(intent->stop);
    }
    struct market_quote quote;
    struct usd reference = {0};
    if (market_quote_at(exchange->market, intent->symbol, exchange->now, &quote)) {
        reference = quote.ask;
    }
    if (!sim_exchange_is_open(exchange) || reference.nanos <= 0) {
        sim_price(exchange->market, intent->symbol, exchange->now, &reference);
    }
    return usd_scale(reference, (struct ratio){NANOS * 104 / 100});
}

static bool check_client_id(const struct sim_exchange *exchange, const struct sim_intent *intent,
                            struct sim_refusal *refusal) {
    if (intent->client_id[0] != '\0' &&
        sim_exchange_find_client(exchange, intent->client_id) != NULL) {
        return sim_refuse(refusal, 422, 40010001, "client_order_id must be unique");
    }
    return true;
}

static bool check_tick(struct usd price, const char *name, struct sim_refusal *refusal) {
    if (usd_cmp(price, PRICE_MAX) > 0) {
        return sim_refuse(refusal, 422, 40010001, "%s is too large", name);
    }
    if (sim_price_is_on_tick(price)) {
        return true;
    }
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(price.nanos, digits);
    return sim_refuse(
        refusal, 422, 42210000,
        "invalid %s %s. sub-penny increment does not fulfill minimum pricing criteria", name,
        digits);
}

/* Stop sanity on entry: a sell stop below the last trade, a buy stop above. */
static bool check_stop(struct sim_exchange *exchange, const struct sim_intent *intent,
                       struct sim_refusal *refusal) {
    struct usd price = {0};
    if (!sim_price(exchange->market, intent->symbol, exchange->now, &price)) {
        return true;
    }
    bool is_sell = intent->side == SIM_SELL;
    int order = usd_cmp(intent->stop, price);
    if (is_sell ? order < 0 : order > 0) {
        return true;
    }
    sim_refuse(refusal, 422, 42210000, "stop price must be %s than current price",
               is_sell ? "less" : "greater");
    sim_refusal_add_decimal(refusal, "market_price", price.nanos);
    sim_refusal_add_decimal(refusal, "stop_price", intent->stop.nanos);
    return false;
}

static bool check_prices(struct sim_exchange *exchange, const struct sim_intent *intent,
                         struct sim_refusal *refusal) {
    bool has_limit = intent->type == SIM_LIMIT || intent->type == SIM_STOP_LIMIT;
    bool has_stop = intent->type == SIM_STOP || intent->type == SIM_STOP_LIMIT;
    if (has_limit && !check_tick(intent->limit, "limit_price", refusal)) {
        return false;
    }
    if (has_stop && !check_tick(intent->stop, "stop_price", refusal)) {
        return false;
    }
    return !has_stop || check_stop(exchange, intent, refusal);
}

/* The prices of a group stand to each other and to a base as its side says. */
static bool refuse_base(struct sim_refusal *refusal, const char *name, bool is_above,
                        struct usd base) {
    sim_refuse(refusal, 422, 42210000, "%s must be %s base_price %s 0.01", name,
               is_above ? ">=" : "<=", is_above ? "+" : "-");
    sim_refusal_add_decimal(refusal, "base_price", base.nanos);
    return false;
}

/* Take profit and stop lie on their sides of a base, of a bought position above and below. */
static bool check_base(struct usd take_profit, struct usd stop, struct usd base, bool is_long,
                       struct sim_refusal *refusal) {
    struct usd above = {base.nanos + CENT};
    struct usd below = {base.nanos - CENT};
    struct usd upper = is_long ? take_profit : stop;
    struct usd lower = is_long ? stop : take_profit;
    if (usd_cmp(upper, above) < 0) {
        return refuse_base(refusal, is_long ? "take_profit.limit_price" : "stop_loss.stop_price",
                           true, base);
    }
    return usd_cmp(lower, below) <= 0 ||
           refuse_base(refusal, is_long ? "stop_loss.stop_price" : "take_profit.limit_price", false,
                       base);
}

static bool check_order_of_prices(struct usd take_profit, struct usd stop, bool is_long,
                                  struct sim_refusal *refusal) {
    int order = usd_cmp(take_profit, stop);
    return (is_long ? order > 0 : order < 0) ||
           sim_refuse(refusal, 422, 42210000,
                      "take_profit.limit_price must be %s stop_loss.stop_price",
                      is_long ? ">" : "<");
}

static bool check_bracket(struct sim_exchange *exchange, const struct sim_intent *intent,
                          struct sim_refusal *refusal) {
    bool is_long = intent->side == SIM_BUY;
    bool has_limit = intent->type == SIM_LIMIT || intent->type == SIM_STOP_LIMIT;
    struct usd price = {0};
    return check_tick(intent->take_profit, "take_profit.limit_price", refusal) &&
           check_order_of_prices(intent->take_profit, intent->stop_loss, is_long, refusal) &&
           (!has_limit ||
            check_base(intent->take_profit, intent->stop_loss, intent->limit, is_long, refusal)) &&
           (!sim_price(exchange->market, intent->symbol, exchange->now, &price) ||
            check_base(intent->take_profit, intent->stop_loss, price, is_long, refusal));
}

/* A bracket opens a position and an OCO closes one (alpaca-api.md 4.5). What is sent anew is judged against the
 * price now, what replaces against the others of its group alone. */
static bool check_group(struct sim_exchange *exchange, const struct sim_intent *intent,
                        const struct sim_order *old, bool is_opening, struct sim_refusal *refusal) {
    bool is_long = (intent->side == SIM_BUY) == (intent->class == SIM_BRACKET);
    if (intent->class == SIM_SIMPLE) {
        return true;
    }
    if (old != NULL) {
        return sim_group_may_replace(old, intent, refusal);
    }
    if (intent->qty.nanos % NANOS != 0) {
        return sim_refuse(refusal, 422, 42210000, "fractional orders must be simple orders");
    }
    if (!check_tick(intent->stop_loss, "stop_loss.stop_price", refusal) ||
        (intent->has_stop_limit &&
         !check_tick(intent->stop_limit, "stop_loss.limit_price", refusal))) {
        return false;
    }
    if (intent->class == SIM_BRACKET) {
        return is_opening
                   ? check_bracket(exchange, intent, refusal)
                   : sim_refuse(refusal, 422, 42210000, "bracket orders must be entry orders");
    }
    struct sim_intent stop = {
        .symbol = intent->symbol, .side = intent->side, .stop = intent->stop_loss};
    return is_opening ? sim_refuse(refusal, 422, 42210000, "oco orders must be exit orders")
                      : check_order_of_prices(intent->limit, intent->stop_loss, is_long, refusal) &&
                            check_stop(exchange, &stop, refusal);
}

/* A priced order's own limit: what the wash guard compares. */
static bool wash_limit(enum sim_type type, struct usd limit, struct usd *out) {
    *out = limit;
    return type == SIM_LIMIT || type == SIM_STOP_LIMIT;
}

static bool is_wash(const struct sim_intent *intent, const struct sim_order *other) {
    struct usd mine = {0};
    struct usd theirs = {0};
    if (!wash_limit(intent->type, intent->limit, &mine) ||
        !wash_limit(other->type, other->limit, &theirs)) {
        return true; /* a market or stop order against anything */
    }
    struct usd buy = intent->side == SIM_BUY ? mine : theirs;
    struct usd sell = intent->side == SIM_BUY ? theirs : mine;
    return usd_cmp(buy, sell) >= 0;
}

static bool check_wash(const struct sim_exchange *exchange, const struct sim_intent *intent,
                       struct sim_refusal *refusal) {
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *other = exchange->live[i];
        bool is_complex = intent->class != SIM_SIMPLE || other->class != SIM_SIMPLE;
        if (other->symbol != intent->symbol || other->side == intent->side || is_complex ||
            !is_wash(intent, other)) {
            continue;
        }
        bool is_limit = other->type == SIM_LIMIT || other->type == SIM_STOP_LIMIT;
        sim_refuse(refusal, 403, 40310000, "potential wash trade detected. use complex orders");
        sim_refusal_add(refusal, "existing_order_id", other->id);
        sim_refusal_add(refusal, "reject_reason",
                        is_limit ? "opposite side limit order exists"
                                 : "opposite side market/stop order exists");
        return false;
    }
    return true;
}

/* Of an order that closes: no more than is there and no other order of its side holds. What would be left
 * over of it would open the other side, and one order may not (alpaca-api.md 4.6a). */
static bool check_shares(const struct sim_exchange *exchange, const struct sim_intent *intent,
                         const struct sim_order *old, struct sim_refusal *refusal) {
    struct qty held = {0};
    const struct sim_order *related[SIM_RELATED_MAX];
    size_t related_count = 0;
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *other = exchange->live[i];
        bool is_like = other->side == intent->side && sim_order_holds(other);
        if (other == old || other->symbol != intent->symbol || !is_like) {
            continue;
        }
        held = qty_add(held, sim_order_left(other));
        if (related_count < SIM_RELATED_MAX) {
            related[related_count++] = other;
        }
    }
    struct qty existing = exchange->account->positions[intent->symbol].qty;
    struct qty free_qty = qty_sub(qty_abs(existing), held);
    if (qty_cmp(intent->qty, free_qty) <= 0) {
        return true;
    }
    char wanted[DECIMAL_TEXT_MAX];
    char there[DECIMAL_TEXT_MAX];
    decimal_print(intent->qty.nanos, wanted);
    decimal_print(free_qty.nanos, there);
    sim_refuse(refusal, 403, 40310000,
               "insufficient qty available for order (requested: %s, available: %s)", wanted,
               there);
    sim_refusal_add(refusal, "available", there);
    sim_refusal_add_decimal(refusal, "existing_qty", existing.nanos);
    sim_refusal_add_decimal(refusal, "held_for_orders", held.nanos);
    sim_refusal_add(refusal, "symbol", market_symbol(exchange->market, intent->symbol));
    refusal->has_related = true;
    for (size_t i = 0; i < related_count; i++) {
        refusal->related[refusal->related_count++] = related[i];
    }
    return false;
}

static bool check_buying_power(struct sim_exchange *exchange, const struct sim_intent *intent,
                               const struct sim_order *old, struct sim_refusal *refusal) {
    struct usd cost = {0};
    if (usd_times_qty(sim_reserve_price(exchange, intent), intent->qty, &cost, NULL) != ERR_OK) {
        return sim_refuse(refusal, 422, 40010001, "qty is too large");
    }
    struct usd reserved = sim_exchange_reserved(exchange);
    if (old != NULL) {
        reserved = usd_sub(reserved, usd_mul(old->reserve_price, sim_order_left(old)));
    }
    struct sim_values values = sim_account_values(exchange->account, exchange->now);
    struct usd power = sim_buying_power(&values, exchange->account->multiplier, reserved);
    if (usd_cmp(cost, power) <= 0) {
        return true;
    }
    sim_refuse(refusal, 403, 40310000, "insufficient buying power");
    sim_refusal_add_decimal(refusal, "buying_power", power.nanos);
    sim_refusal_add_decimal(refusal, "cost_basis", cost.nanos);
    return false;
}

/* What a sale of shares that are not held asks for. */
static bool check_short(const struct sim_exchange *exchange, const struct sim_intent *intent,
                        struct sim_refusal *refusal) {
    const char *symbol = market_symbol(exchange->market, intent->symbol);
    struct usd equity = sim_account_values(exchange->account, exchange->now).equity;
    if ((exchange->account->configuration.no_shorting && !intent->is_by_hand) ||
        usd_cmp(equity, (struct usd){2000 * NANOS}) < 0) {
        return sim_refuse(refusal, 403, 40310000, "account is not allowed to short");
    }
    if (intent->qty.nanos % NANOS != 0) {
        return sim_refuse(refusal, 422, 42210000, "fractional orders cannot be sold short");
    }
    if (!sim_exchange_asset(exchange, intent->symbol).is_hard_to_borrow) {
        return true;
    }
    return intent->tif != SIM_DAY
               ? sim_refuse(refusal, 422, 42210000,
                            "only day orders are allowed for hard-to-borrow asset \"%s\"", symbol)
               : sim_refuse(refusal, 422, 42210000, "asset \"%s\" cannot be sold short", symbol);
}

/* Long and short may not be opened beside each other: nobody could say which of them the position is. */
static bool check_opening(const struct sim_exchange *exchange, const struct sim_intent *intent,
                          struct sim_refusal *refusal) {
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *other = exchange->live[i];
        if (other->symbol == intent->symbol && other->side != intent->side && other->is_opening) {
            return sim_refuse(refusal, 403, 40310000,
                              intent->side == SIM_BUY
                                  ? "cannot open a long buy while a short sell order is open"
                                  : "cannot open a short sell while a long buy order is open");
        }
    }
    return intent->side == SIM_BUY || check_short(exchange, intent, refusal);
}

/* Whether the account and the symbol take orders at all. */
static bool check_doors(struct sim_exchange *exchange, const struct sim_intent *intent,
                        bool is_opening, struct sim_refusal *refusal) {
    if (!check_client_id(exchange, intent, refusal)) {
        return false;
    }
    if (exchange->account->configuration.suspend_trade) {
        return sim_refuse(refusal, 403, 40310000, "new orders are rejected by user request");
    }
    bool is_barred = !sim_exchange_is_tradable(exchange, intent->symbol) ||
                     (is_opening && !sim_exchange_asset(exchange, intent->symbol).is_tradable);
    if (is_barred) {
        return sim_refuse(refusal, 422, 42210000, "asset \"%s\" is not tradable",
                          market_symbol(exchange->market, intent->symbol));
    }
    if (intent->type == SIM_MARKET &&
        market_is_halted(exchange->market, intent->symbol, exchange->now)) {
        return sim_refuse(refusal, 422, 42210000, /* pains 47 */
                          "market order rejected due to trading halt on symbol: \"%s\", please "
                          "place a limit order instead",
                          market_symbol(exchange->market, intent->symbol));
    }
    return true;
}

bool sim_rules_allow(struct sim_exchange *exchange, const struct sim_intent *intent,
                     const struct sim_order *old, struct sim_refusal *refusal) {
    bool is_leg = old != NULL && old->parent != NULL; /* its shares are its group's */
    bool is_opening = !is_leg && sim_exchange_opens(exchange, intent->symbol, intent->side);
    if (!check_doors(exchange, intent, is_opening, refusal)) {
        return false;
    }
    bool may_open = !is_opening || check_opening(exchange, intent, refusal);
    bool may_be = may_open && check_prices(exchange, intent, refusal) &&
                  check_group(exchange, intent, old, is_opening, refusal);
    if (!may_be || is_leg) {
        return may_be;
    }
    return (is_opening || check_shares(exchange, intent, old, refusal)) &&
           check_wash(exchange, intent, refusal) &&
           (!is_opening || check_buying_power(exchange, intent, old, refusal));
}
