#include "core/orders/validation.h"

#include <stdio.h>
#include <string.h>

struct usd price_tick(struct usd price) {
    return (struct usd){price.nanos >= NANOS ? NANOS / 100 : NANOS / 10000};
}

bool intent_is_exit(const struct gateway *gateway, const struct order *intent) {
    const struct holding *holding = book_find(gateway->book, intent->symbol);
    if (holding == NULL || intent->side != SIDE_SELL || intent->qty.nanos <= 0) {
        return false; /* a long-only book: buying never reduces */
    }
    struct qty live = orders_open_qty(gateway->orders, intent->symbol, SIDE_SELL);
    if (intent->replaces[0] != '\0') {
        const struct order *old = orders_find(gateway->orders, intent->replaces);
        live = old == NULL ? live : qty_sub(live, order_open_qty(old));
    }
    return qty_cmp(qty_add(live, intent->qty), holding_sellable(holding)) <= 0;
}

static struct usd notional(const struct order *intent) {
    struct usd out = {INT64_MAX};
    if (usd_times_qty(intent->limit_price, intent->qty, &out, NULL) != ERR_OK) {
        out.nanos = INT64_MAX / 4;
    }
    return out;
}

/* Notional of every live buy and, times stop distance, what open positions may still lose. */
struct exposure {
    struct usd working; /* live and unknown entries at their limits */
    struct usd gross;   /* positions at marks plus working */
    struct usd at_stops;
    int64_t slots;
};

static struct exposure exposure_now(const struct gateway *gateway) {
    struct exposure sum = {0};
    for (size_t i = 0; i < gateway->book->count; i++) {
        const struct holding *holding = &gateway->book->items[i];
        struct qty qty = holding->is_listed ? holding->broker_qty : holding->qty;
        if (qty.nanos == 0) {
            continue;
        }
        struct usd price = holding->has_mark ? holding->mark : holding_entry_price(holding);
        struct usd value = usd_abs(usd_mul(price, qty));
        sum.gross = usd_add(sum.gross, value);
        sum.at_stops = usd_add(sum.at_stops, usd_scale(value, gateway->config->stop_distance));
        sum.slots++;
    }
    for (size_t i = 0; i < gateway->orders->count; i++) {
        const struct order *order = &gateway->orders->items[i];
        if (order->side != SIDE_BUY || order_is_over(order)) {
            continue;
        }
        struct usd value = usd_mul(order->limit_price, order_open_qty(order));
        sum.working = usd_add(sum.working, value);
        const struct holding *holding = book_find(gateway->book, order->symbol);
        sum.slots += holding == NULL || holding->qty.nanos == 0;
    }
    sum.gross = usd_add(sum.gross, sum.working);
    sum.at_stops = usd_add(sum.at_stops, usd_scale(sum.working, gateway->config->stop_distance));
    return sum;
}

static enum refusal_code refuse(struct refusal *refusal, enum refusal_code code, struct usd is,
                                struct usd bound) {
    char a[DECIMAL_TEXT_MAX];
    char b[DECIMAL_TEXT_MAX];
    decimal_print(is.nanos, a);
    decimal_print(bound.nanos, b);
    refusal->code = code;
    snprintf(refusal->numbers, sizeof refusal->numbers, "%s against %s", a, b);
    return code;
}

static struct usd as_number(int64_t value) {
    return (struct usd){value};
}

/* The account as entries need it: fresh, ours to use, explained. */
static bool account_is_usable(const struct gateway *gateway, struct mono now) {
    const struct truth *truth = gateway->truth;
    return truth->has_account && !truth->account.is_blocked && truth->account.equity.nanos > 0 &&
           truth->is_equity_explained &&
           mono_sub(now, truth->account_at).ns <= gateway->config->truth_max_age.ns;
}

static enum refusal_code check_session(const struct gateway *gateway, struct utc now,
                                       struct refusal *refusal) {
    const struct truth *truth = gateway->truth;
    bool is_clock_open = truth->has_clock && truth->clock.is_open;
    bool is_inside = truth->is_open &&
                     utc_sub(now, truth->session.open).ns >= gateway->config->no_entry_first.ns &&
                     utc_sub(truth->session.close, now).ns > gateway->config->no_entry_last.ns;
    if (!is_clock_open || !is_inside) {
        return refuse(refusal, REFUSED_SESSION, as_number(is_clock_open), as_number(1));
    }
    return REFUSED_NONE;
}

bool entry_quote_is_fresh(const struct gateway *gateway, const char *symbol, struct utc now) {
    const int index = universe_find(gateway->config, symbol);
    return index >= 0 && gateway->truth->quotes[index].is_known &&
           utc_sub(now, gateway->truth->quotes[index].at).ns <= gateway->config->quote_max_age.ns;
}

static enum refusal_code check_price(const struct gateway *gateway, const struct order *intent,
                                     struct utc now, struct refusal *refusal) {
    int index = universe_find(gateway->config, intent->symbol);
    if (index < 0 || !gateway->truth->references[index].is_trusted ||
        intent->limit_price.nanos <= 0) {
        return refuse(refusal, REFUSED_NO_REFERENCE, intent->limit_price, as_number(0));
    }
    const struct broker_quote *quote = &gateway->truth->quotes[index];
    struct span age = utc_sub(now, quote->at);
    if (!entry_quote_is_fresh(gateway, intent->symbol, now) || quote->bid.nanos <= 0 ||
        quote->ask.nanos <= 0) {
        return refuse(refusal, REFUSED_STALE_QUOTE, as_number(age.ns),
                      as_number(gateway->config->quote_max_age.ns));
    }
    if (usd_cmp(quote->ask, quote->bid) < 0) { /* crossed: neither side is a price */
        return refuse(refusal, REFUSED_NO_REFERENCE, quote->bid, quote->ask);
    }
    struct usd reference = gateway->truth->references[index].price;
    struct usd away = usd_abs(usd_sub(intent->limit_price, reference));
    struct usd most = usd_scale(reference, gateway->config->collar);
    return usd_cmp(away, most) > 0 ? refuse(refusal, REFUSED_COLLAR, away, most) : REFUSED_NONE;
}

static int64_t entries_in_window(const struct gateway *gateway, struct utc now) {
    int64_t count = 0;
    for (size_t i = 0; i < RECENT_ENTRIES_MAX; i++) {
        struct utc at = gateway->recent_entries[i];
        count += at.ns > 0 && utc_sub(now, at).ns < SPAN_MIN(15).ns;
    }
    return count;
}

static enum refusal_code check_limits(const struct gateway *gateway, const struct order *intent,
                                      struct utc now, struct refusal *refusal) {
    const struct config *config = gateway->config;
    struct exposure open = exposure_now(gateway);
    struct usd value = notional(intent);
    if (usd_cmp(value, config->order_cap_usd) > 0) {
        return refuse(refusal, REFUSED_ORDER_CAP, value, config->order_cap_usd);
    }
    if (usd_cmp(value, config->min_notional_usd) < 0) {
        return refuse(refusal, REFUSED_MIN_NOTIONAL, value, config->min_notional_usd);
    }
    struct usd power = usd_scale(gateway->truth->account.buying_power, config->buying_power_share);
    if (usd_cmp(usd_add(open.working, value), power) > 0) {
        return refuse(refusal, REFUSED_BUYING_POWER, usd_add(open.working, value), power);
    }
    if (open.slots >= config->max_positions) {
        return refuse(refusal, REFUSED_MAX_POSITIONS, as_number(open.slots),
                      as_number(config->max_positions));
    }
    if (entries_in_window(gateway, now) >= config->max_new_per_15min) {
        return refuse(refusal, REFUSED_ENTRY_RATE, as_number(config->max_new_per_15min),
                      as_number(config->max_new_per_15min));
    }
    struct usd gross_limit = usd_scale(gateway->truth->account.equity, config->gross_exposure);
    if (usd_cmp(usd_add(open.gross, value), gross_limit) > 0) {
        return refuse(refusal, REFUSED_GROSS, usd_add(open.gross, value), gross_limit);
    }
    struct equity_reading reading = {.exchange_day = gateway->truth->day,
                                     .equity = gateway->truth->account.equity,
                                     .flows_today = gateway->flows_today};
    struct usd change = {0};
    if (!daily_change(gateway->guards, &reading, &change)) {
        return refuse(refusal, REFUSED_OPEN_RISK, as_number(0), as_number(0));
    }
    struct usd at_stops = usd_add(open.at_stops, usd_scale(value, config->stop_distance));
    struct usd projected = usd_sub(usd_scale(at_stops, config->open_risk_factor), change);
    struct usd limit = daily_loss_limit(gateway->guards);
    return usd_cmp(projected, limit) >= 0 ? refuse(refusal, REFUSED_OPEN_RISK, projected, limit)
                                          : REFUSED_NONE;
}

static enum refusal_code check_symbol(const struct gateway *gateway, const struct order *intent,
                                      struct utc now, struct refusal *refusal) {
    const struct holding *holding = book_find(gateway->book, intent->symbol);
    bool is_held = holding != NULL && (holding->qty.nanos != 0 || holding->is_listed ||
                                       holding->differs_since.ns != 0);
    if (is_held || orders_any_live(gateway->orders, intent->symbol)) {
        return refuse(refusal, REFUSED_SYMBOL_BUSY, as_number(1), as_number(0));
    }
    int index = universe_find(gateway->config, intent->symbol);
    struct utc touched = index < 0 ? now : gateway->touched[index];
    if (touched.ns > 0 && utc_sub(now, touched).ns < gateway->config->symbol_cooldown.ns) {
        return refuse(refusal, REFUSED_COOLDOWN, as_number(utc_sub(now, touched).ns),
                      as_number(gateway->config->symbol_cooldown.ns));
    }
    return REFUSED_NONE;
}

static enum refusal_code check_entry(const struct gateway *gateway, const struct order *intent,
                                     struct refusal *refusal) {
    struct utc now = clock_utc(gateway->world->clock);
    if (gateway->only_reduces) {
        return refuse(refusal, REFUSED_SCOPE, as_number(intent->qty.nanos), as_number(0));
    }
    if (causes_mode(gateway->causes) >= MODE_REDUCE_ONLY) {
        return refuse(refusal, REFUSED_MODE, as_number(causes_mode(gateway->causes)),
                      as_number(MODE_CAUTION));
    }
    if (gateway->journal == NULL || gateway->is_journal_down) {
        return refuse(refusal, REFUSED_JOURNAL, as_number(0), as_number(1));
    }
    if (intent->side != SIDE_BUY || intent->qty.nanos <= 0) {
        return refuse(refusal, REFUSED_NOT_REDUCING, as_number(intent->qty.nanos), as_number(0));
    }
    enum refusal_code code = check_session(gateway, now, refusal);
    if (code == REFUSED_NONE && !account_is_usable(gateway, clock_mono(gateway->world->clock))) {
        code = refuse(refusal, REFUSED_ACCOUNT, gateway->truth->account.equity, as_number(0));
    }
    code = code != REFUSED_NONE ? code : check_symbol(gateway, intent, now, refusal);
    code = code != REFUSED_NONE ? code : check_price(gateway, intent, now, refusal);
    return code != REFUSED_NONE ? code : check_limits(gateway, intent, now, refusal);
}

enum refusal_code check_intent(const struct gateway *gateway, const struct order *intent,
                               bool is_exit, struct refusal *refusal) {
    *refusal = (struct refusal){.code = REFUSED_NONE};
    if (causes_mode(gateway->causes) == MODE_HALT) {
        return refuse(refusal, REFUSED_HALT, as_number(MODE_HALT), as_number(MODE_REDUCE_ONLY));
    }
    if (is_exit) {
        return REFUSED_NONE;
    }
    if (intent->purpose != PURPOSE_ENTRY) {
        return refuse(refusal, REFUSED_NOT_REDUCING, as_number(intent->qty.nanos), as_number(0));
    }
    return check_entry(gateway, intent, refusal);
}

struct qty entry_size(const struct gateway *gateway, struct usd price) {
    const struct config *config = gateway->config;
    struct usd equity = gateway->truth->account.equity;
    struct usd most = usd_min(config->base_usd, usd_scale(equity, config->equity_share));
    struct usd risk = usd_scale(equity, config->risk_budget);
    struct usd by_risk = most;
    if (decimal_mul_div(risk.nanos, NANOS, config->stop_distance.nanos, &by_risk.nanos, NULL) ==
        ERR_OK) {
        most = usd_min(most, by_risk);
    }
    most = usd_min(most, config->order_cap_usd);
    struct qty qty = {0};
    if (qty_affordable(most, price, &qty, NULL) != ERR_OK || qty.nanos < 0) {
        return (struct qty){0};
    }
    return qty;
}
