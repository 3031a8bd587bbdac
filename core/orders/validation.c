/* validation.c - the checks in their order, each refusal with what it compared. */
#include "core/orders/validation.h"

#include "core/base/mutant.h"
#include "core/orders/correlation_limit.h"
#include "core/orders/group_limits.h"
#include "core/orders/stuck_orders.h"
#include "core/orders/universe_guard.h"
#include "core/risk/margin_guard.h"

#include <stdio.h>
#include <string.h>

struct usd price_tick(struct usd price) {
    return (struct usd){price.nanos >= NANOS ? NANOS / 100 : NANOS / 10000};
}

/* What would be on sale, or bought, with this intent, less the order that it replaces. */
static struct qty open_with(const struct gateway *gateway, const struct order *intent) {
    struct qty live = orders_open_qty(gateway->orders, intent->symbol, intent->side);
    if (intent->replaces[0] != '\0') {
        const struct order *old = orders_find(gateway->orders, intent->replaces);
        live = old == NULL ? live : qty_sub(live, order_open_qty(old));
    }
    return qty_add(live, intent->qty);
}

/* How many shares an order of a side brings nearer to zero at most. Buying reduces what is short alone. */
static struct qty reducible(const struct gateway *gateway, const struct holding *holding,
                            enum order_side side) {
    return side == SIDE_SELL ? holding_sellable(holding)
                             : holding_coverable(holding, clock_mono(gateway->world->clock));
}

bool intent_is_exit(const struct gateway *gateway, const struct order *intent) {
    const struct holding *holding = book_find(gateway->book, intent->symbol);
    if (holding == NULL || intent->qty.nanos <= 0) {
        return false;
    }
    MUTATE(cover_is_an_entry, if (intent->side == SIDE_BUY) return false);
    struct qty most = reducible(gateway, holding, intent->side);
    MUTATE(live_orders_not_summed, if (intent->side == SIDE_SELL) return qty_cmp(intent->qty, most) <= 0);
    MUTATE(cover_may_flip, if (intent->side == SIDE_BUY && most.nanos > 0) return true);
    MUTATE(cover_beside_live_buys, if (intent->side == SIDE_BUY) return qty_cmp(intent->qty, most) <= 0);
    return qty_cmp(open_with(gateway, intent), most) <= 0;
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
        MUTATE(unknown_not_counted, if (order->state == ORDER_UNKNOWN) continue);
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

static enum refusal_code refuse_because(struct refusal *refusal, enum refusal_code code,
                                        const char *why) {
    refusal->code = code;
    snprintf(refusal->numbers, sizeof refusal->numbers, "%s", why);
    return code;
}

/* What refuse() prints, from a count. */
static struct usd as_number(int64_t count) {
    return (struct usd){count * NANOS};
}

/* Likewise from what counts in nanos already: shares, and spans, which it prints in seconds. */
static struct usd as_nanos(int64_t nanos) {
    return (struct usd){nanos};
}

static enum refusal_code refuse_mode(const struct gateway *gateway, enum refusal_code code,
                                     struct refusal *refusal) {
    refusal->code = code;
    snprintf(refusal->numbers, sizeof refusal->numbers, "mode %s",
             mode_word(causes_mode(gateway->causes)));
    return code;
}

/* What keeps entries from the account as they need it: fresh, ours to use, explained. NULL: nothing. */
static const char *account_fault(const struct gateway *gateway, struct mono now) {
    const struct truth *truth = gateway->truth;
    if (!truth->has_account) {
        return "never read";
    }
    if (truth->account.is_blocked) {
        return "blocked";
    }
    if (truth->account.equity.nanos <= 0) {
        return "no equity";
    }
    if (!truth->is_equity_explained) {
        return "equity unexplained";
    }
    bool is_old = mono_sub(now, truth->account_at).ns > gateway->config->truth_max_age.ns;
    MUTATE(account_age_off_by_one, is_old |= mono_sub(now, truth->account_at).ns == gateway->config->truth_max_age.ns);
    return is_old ? "read too long ago" : NULL;
}

static enum refusal_code check_session(const struct gateway *gateway, struct utc now,
                                       struct refusal *refusal) {
    MUTATE(session_gate_open, return REFUSED_NONE);
    const struct truth *truth = gateway->truth;
    bool is_clock_open = truth->has_clock && truth->clock.is_open;
    if (!is_clock_open || !truth->is_open) {
        return refuse_because(refusal, REFUSED_SESSION, "closed");
    }
    struct span since_open = utc_sub(now, truth->session.open);
    struct span to_close = utc_sub(truth->session.close, now);
    MUTATE(session_first_off_by_one, since_open.ns--);
    MUTATE(session_last_off_by_one, to_close.ns++);
    if (since_open.ns < gateway->config->no_entry_first.ns) {
        return refuse(refusal, REFUSED_SESSION, as_nanos(since_open.ns),
                      as_nanos(gateway->config->no_entry_first.ns));
    }
    return to_close.ns <= gateway->config->no_entry_last.ns
               ? refuse(refusal, REFUSED_SESSION, as_nanos(to_close.ns),
                        as_nanos(gateway->config->no_entry_last.ns))
               : REFUSED_NONE;
}

static enum refusal_code check_rails(const struct gateway *gateway, struct refusal *refusal) {
    char why[RAILS_WHY_MAX];
    return broker_rails_refuse(&gateway->rails, gateway->config, clock_mono(gateway->world->clock),
                               why)
               ? refuse_because(refusal, REFUSED_RAILS, why)
               : REFUSED_NONE;
}

bool entry_quote_is_fresh(const struct gateway *gateway, const char *symbol, struct utc now) {
    MUTATE(stale_quote_accepted, return true);
    MUTATE(quote_age_off_by_one, now.ns++);
    const int index = universe_find(gateway->config, symbol);
    return index >= 0 && gateway->truth->quotes[index].is_known &&
           utc_sub(now, gateway->truth->quotes[index].at).ns <= gateway->config->quote_max_age.ns;
}

static enum refusal_code check_price(const struct gateway *gateway, const struct order *intent,
                                     struct utc now, struct refusal *refusal) {
    int index = universe_find(gateway->config, intent->symbol);
    if (index < 0 || !gateway->truth->references[index].is_trusted) {
        return refuse_because(refusal, REFUSED_NO_REFERENCE, "none is trusted");
    }
    const struct broker_quote *quote = &gateway->truth->quotes[index];
    if (!quote->is_known) {
        return refuse_because(refusal, REFUSED_STALE_QUOTE, "no quote");
    }
    if (!entry_quote_is_fresh(gateway, intent->symbol, now)) {
        return refuse(refusal, REFUSED_STALE_QUOTE, as_nanos(utc_sub(now, quote->at).ns),
                      as_nanos(gateway->config->quote_max_age.ns));
    }
    if (quote->bid.nanos <= 0 || quote->ask.nanos <= 0) {
        return refuse_because(refusal, REFUSED_STALE_QUOTE, "one side is empty");
    }
    if (usd_cmp(quote->ask, quote->bid) < 0) { /* crossed: neither side is a price */
        return refuse(refusal, REFUSED_NO_REFERENCE, quote->bid, quote->ask);
    }
    if (intent->limit_price.nanos <= 0) {
        return refuse(refusal, REFUSED_NO_REFERENCE, intent->limit_price, as_number(0));
    }
    struct usd reference = gateway->truth->references[index].price;
    struct usd away = usd_abs(usd_sub(intent->limit_price, reference));
    struct usd most = usd_scale(reference, gateway->config->collar);
    MUTATE(collar_ignored, return REFUSED_NONE);
    MUTATE(collar_off_by_one, if (usd_cmp(away, most) == 0) return refuse(refusal, REFUSED_COLLAR, away, most));
    return usd_cmp(away, most) > 0 ? refuse(refusal, REFUSED_COLLAR, away, most) : REFUSED_NONE;
}

static enum refusal_code refuse_flaw(const struct universe_verdict *verdict,
                                     struct refusal *refusal) {
    static const enum refusal_code codes[] = {[UNIVERSE_UNKNOWN] = REFUSED_UNIVERSE_UNKNOWN,
                                              [UNIVERSE_BARRED] = REFUSED_UNIVERSE_BARRED,
                                              [UNIVERSE_CHEAP] = REFUSED_LOW_PRICE,
                                              [UNIVERSE_ILLIQUID] = REFUSED_LOW_VOLUME,
                                              [UNIVERSE_TOO_LARGE] = REFUSED_VOLUME_SHARE,
                                              [UNIVERSE_WIDE_SPREAD] = REFUSED_WIDE_SPREAD};
    enum refusal_code code = codes[verdict->flaw];
    return verdict->why != NULL ? refuse_because(refusal, code, verdict->why)
                                : refuse(refusal, code, verdict->is, verdict->bound);
}

/* Behind check_price(), which knows the symbol and has a quote of two sides. */
static enum refusal_code check_universe(const struct gateway *gateway, const struct order *intent,
                                        struct utc now, struct refusal *refusal) {
    int index = universe_find(gateway->config, intent->symbol);
    if (index < 0) {
        return refuse_because(refusal, REFUSED_UNIVERSE_BARRED, "not of the universe");
    }
    struct universe_candidate candidate = {.index = (size_t)index,
                                           .symbol = intent->symbol,
                                           .is_short = intent->side == SIDE_SELL,
                                           .limit = intent->limit_price,
                                           .notional = notional(intent),
                                           .quote = &gateway->truth->quotes[index]};
    struct universe_verdict verdict = universe_guard_check(
        &gateway->universe, gateway->config, &gateway->truth->session, now, &candidate);
    return verdict.flaw == UNIVERSE_GOOD ? REFUSED_NONE : refuse_flaw(&verdict, refusal);
}

static int64_t entries_in_window(const struct gateway *gateway, struct utc now) {
    int64_t count = 0;
    size_t kept =
        gateway->recent_next < RECENT_ENTRIES_MAX ? gateway->recent_next : RECENT_ENTRIES_MAX;
    for (size_t i = 0; i < kept; i++) {
        count += utc_sub(now, gateway->recent_entries[i]).ns < SPAN_MIN(15).ns;
    }
    return count;
}

/* The day's loss with what every stop may still take, the candidate's too. */
static enum refusal_code check_open_risk(const struct gateway *gateway, struct usd at_stops,
                                         struct refusal *refusal) {
    struct equity_reading reading = {.exchange_day = gateway->truth->day,
                                     .equity = gateway->truth->account.equity,
                                     .flows_today = gateway->flows_today};
    struct usd change = {0};
    if (!daily_change(gateway->guards, &reading, &change)) {
        return refuse_because(refusal, REFUSED_OPEN_RISK, "the day has no baseline");
    }
    struct usd projected = usd_sub(usd_scale(at_stops, gateway->config->open_risk_factor), change);
    struct usd limit = daily_loss_limit(gateway->guards);
    MUTATE(open_risk_not_counted, projected = usd_neg(change));
    MUTATE(open_risk_off_by_one, projected.nanos--);
    return usd_cmp(projected, limit) >= 0 ? refuse(refusal, REFUSED_OPEN_RISK, projected, limit)
                                          : REFUSED_NONE;
}

/* What an entry may cost, the ramp aside: the smallest of all limits of sizing. */
static struct usd full_entry(const struct gateway *gateway) {
    const struct config *config = gateway->config;
    struct usd equity = gateway->truth->account.equity;
    struct usd base = config->base_usd;
    MUTATE(order_cap_ignored, base.nanos = INT64_MAX);
    struct usd most = usd_min(base, usd_scale(equity, config->equity_share));
    MUTATE(sizing_base_ignored, most = usd_scale(equity, config->equity_share));
    MUTATE(sizing_share_ignored, most = config->base_usd);
    struct usd risk = usd_scale(equity, config->risk_budget);
    MUTATE(sizing_risk_ignored, risk = equity);
    struct usd by_risk = most;
    if (decimal_mul_div(risk.nanos, NANOS, config->stop_distance.nanos, &by_risk.nanos, NULL) ==
        ERR_OK) {
        most = usd_min(most, by_risk);
    }
    struct usd cap = config->order_cap_usd;
    MUTATE(order_cap_ignored, cap = most);
    return usd_min(most, cap);
}

static struct usd ramped_entry(const struct gateway *gateway) {
    return usd_scale(full_entry(gateway), capital_ramp_share(&gateway->ramp, gateway->config));
}

static struct qty shares_for(struct usd most, struct usd price) {
    struct qty qty = {0};
    bool is_some = qty_affordable(most, price, &qty, NULL) == ERR_OK && qty.nanos >= 0;
    return is_some ? qty : (struct qty){0};
}

struct qty entry_size(const struct gateway *gateway, struct usd price) {
    return shares_for(ramped_entry(gateway), price);
}

/* What nothing but the ramp makes too small: less than the smallest entry, or than one share. */
static bool is_too_small_by_the_ramp(const struct gateway *gateway, struct usd price) {
    struct usd least = usd_max(gateway->config->min_notional_usd, price);
    struct qty whole = shares_for(full_entry(gateway), price);
    return price.nanos > 0 && whole.nanos > 0 &&
           capital_ramp_share(&gateway->ramp, gateway->config).nanos < NANOS &&
           usd_cmp(usd_mul(price, whole), least) >= 0 &&
           usd_cmp(usd_mul(price, entry_size(gateway, price)), least) < 0;
}

static enum refusal_code refuse_small(const struct gateway *gateway, const struct order *intent,
                                      struct usd value, struct refusal *refusal) {
    enum refusal_code code = is_too_small_by_the_ramp(gateway, intent->limit_price)
                                 ? REFUSED_RAMP
                                 : REFUSED_MIN_NOTIONAL;
    return refuse(refusal, code, value, gateway->config->min_notional_usd);
}

/* freed: positions that are taken for gone; they count in each sum all the same. */
static enum refusal_code check_limits(const struct gateway *gateway, const struct order *intent,
                                      struct utc now, int64_t freed, struct refusal *refusal) {
    const struct config *config = gateway->config;
    struct exposure open = exposure_now(gateway);
    open.slots -= freed;
    struct usd value = notional(intent);
    MUTATE(positions_off_by_one, open.slots--);
    MUTATE(order_cap_off_by_one, if (usd_cmp(value, config->order_cap_usd) == 0) return refuse(refusal, REFUSED_ORDER_CAP, value, value));
    struct usd cap = config->order_cap_usd;
    MUTATE(order_cap_ignored, cap = value);
    if (usd_cmp(value, cap) > 0) {
        return refuse(refusal, REFUSED_ORDER_CAP, value, cap);
    }
    MUTATE(min_notional_off_by_one, if (usd_cmp(value, config->min_notional_usd) == 0) return refuse(refusal, REFUSED_MIN_NOTIONAL, value, value));
    if (usd_cmp(value, config->min_notional_usd) < 0) {
        return refuse_small(gateway, intent, value, refusal);
    }
    struct usd power = usd_scale(gateway->truth->account.buying_power, config->buying_power_share);
    MUTATE(buying_power_ignored, power = usd_add(open.working, value));
    MUTATE(buying_power_off_by_one, if (usd_cmp(usd_add(open.working, value), power) == 0) return refuse(refusal, REFUSED_BUYING_POWER, power, power));
    if (usd_cmp(usd_add(open.working, value), power) > 0) {
        return refuse(refusal, REFUSED_BUYING_POWER, usd_add(open.working, value), power);
    }
    if (open.slots >= config->max_positions) {
        return refuse(refusal, REFUSED_MAX_POSITIONS, as_number(open.slots),
                      as_number(config->max_positions));
    }
    int64_t entries = entries_in_window(gateway, now);
    MUTATE(entry_rate_off_by_one, entries--);
    MUTATE(entry_rate_ignored, entries = 0);
    if (entries >= config->max_new_per_15min) {
        return refuse(refusal, REFUSED_ENTRY_RATE, as_number(entries),
                      as_number(config->max_new_per_15min));
    }
    struct usd gross_limit = usd_scale(limit_equity(gateway), config->gross_exposure);
    MUTATE(gross_limit_ignored, gross_limit.nanos = INT64_MAX);
    MUTATE(gross_off_by_one, if (usd_cmp(usd_add(open.gross, value), gross_limit) == 0) return refuse(refusal, REFUSED_GROSS, gross_limit, gross_limit));
    if (usd_cmp(usd_add(open.gross, value), gross_limit) > 0) {
        return refuse(refusal, REFUSED_GROSS, usd_add(open.gross, value), gross_limit);
    }
    struct group_excess excess = group_limits_check(gateway, intent->symbol, value);
    if (excess.code != REFUSED_NONE) {
        return refuse(refusal, excess.code, excess.is, excess.most);
    }
    excess = correlation_limit_check(gateway, intent->symbol, value, now);
    if (excess.code != REFUSED_NONE) {
        return refuse(refusal, excess.code, excess.is, excess.most);
    }
    return check_open_risk(gateway, usd_add(open.at_stops, usd_scale(value, config->stop_distance)),
                           refusal);
}

/* What was closed for another is not bought back at once. */
static enum refusal_code check_displaced(const struct gateway *gateway, int index, struct utc now,
                                         struct refusal *refusal) {
    struct span since;
    bool cools = index >= 0 && gateway->displaced.is_victim[index] &&
                 displaced_cools(&gateway->displaced, gateway->config, index, now, &since);
    MUTATE(displaced_bought_back, return REFUSED_NONE);
    return cools ? refuse(refusal, REFUSED_DISPLACED, as_nanos(since.ns),
                          as_nanos(gateway->config->displacement_cooldown.ns))
                 : REFUSED_NONE;
}

/* Beside a margin, and over the night that comes. */
static enum refusal_code check_margin(const struct gateway *gateway, const struct order *intent,
                                      struct utc now, struct refusal *refusal) {
    const struct config *config = gateway->config;
    const struct truth *truth = gateway->truth;
    struct exposure open = exposure_now(gateway);
    struct usd value = notional(intent);
    struct usd is = {0};
    struct usd bound = {0};
    if (!margin_excess_suffices(config, &truth->account, usd_add(open.working, value), &is,
                                &bound)) {
        return truth->account.has_maintenance
                   ? refuse(refusal, REFUSED_MARGIN_EXCESS, is, bound)
                   : refuse_because(refusal, REFUSED_MARGIN_EXCESS,
                                    "the maintenance margin is not known");
    }
    is = usd_add(open.gross, value);
    bound = usd_scale(limit_equity(gateway), config->margin_overnight);
    MUTATE(margin_night_unasked, return REFUSED_NONE);
    bool is_near = margin_is_near_close(config, utc_sub(truth->session.close, now));
    return is_near && usd_cmp(is, bound) > 0 ? refuse(refusal, REFUSED_OVERNIGHT, is, bound)
                                             : REFUSED_NONE;
}

bool entry_goes_on(const struct gateway *gateway, const struct order *order) {
    const int index = universe_find(gateway->config, order->symbol);
    return index >= 0 && order->of[0] != '\0' && strcmp(gateway->touched_by[index], order->of) == 0;
}

/* A symbol that was bought and sold already waits longer each time: what comes and goes all day is noise, and
 * neither its spreads nor daily_volume should be paid for it. What its stop sold had no order for it: longer is from the
 * end of the trip, if that is later than *since. */
static struct span cooldown_of(const struct gateway *gateway, const char *symbol, struct utc now,
                               struct utc *since) {
    struct span wait = gateway->config->symbol_cooldown;
    struct utc ended = {0};
    int64_t trips = daily_volume_trips(&gateway->volume, symbol, now, &ended);
    MUTATE(cooldown_never_grows, trips = 0);
    MUTATE(cooldown_from_the_order, ended.ns = 0);
    MUTATE(cooldown_grows_at_once, trips++);
    for (int64_t i = 1; i < trips && wait.ns < SPAN_DAYS(1).ns; i++) {
        wait.ns *= gateway->config->cooldown_growth;
    }
    bool is_grown = trips > 1 && gateway->config->cooldown_growth > 1;
    *since = is_grown ? utc_max(*since, ended) : *since;
    return wait.ns < SPAN_DAYS(1).ns ? wait : SPAN_DAYS(1);
}

static enum refusal_code check_symbol(const struct gateway *gateway, const struct order *intent,
                                      struct utc now, struct refusal *refusal) {
    const struct holding *holding = book_find(gateway->book, intent->symbol);
    if (stuck_orders_bind(gateway, intent->symbol)) {
        return refuse(refusal, REFUSED_STUCK,
                      as_nanos(stuck_orders_wait(gateway, intent->symbol).ns),
                      as_nanos(gateway->config->stuck.ns));
    }
    bool is_held =
        holding != NULL && (holding->qty.nanos != 0 || holding->is_listed || holding->differs);
    if (is_held || orders_any_live(gateway->orders, intent->symbol)) {
        return refuse_because(refusal, REFUSED_SYMBOL_BUSY, is_held ? "held" : "an order is live");
    }
    int index = universe_find(gateway->config, intent->symbol);
    struct utc touched = index < 0 ? now : gateway->touched[index];
    MUTATE(cooldown_off_by_one, now.ns--);
    MUTATE(cooldown_ignored, return REFUSED_NONE);
    /* what an entry's own orders began does not bind its next */
    bool is_own = entry_goes_on(gateway, intent);
    MUTATE(maker_bound_by_its_own, is_own = false);
    struct span wait = cooldown_of(gateway, intent->symbol, now, &touched);
    if (!is_own && touched.ns > 0 && utc_sub(now, touched).ns < wait.ns) {
        return refuse(refusal, REFUSED_COOLDOWN, as_nanos(utc_sub(now, touched).ns),
                      as_nanos(wait.ns));
    }
    return check_displaced(gateway, index, now, refusal);
}

/* The last check: what waits for it would leave but for the messages before it. */
static enum refusal_code check_messages(const struct gateway *gateway, struct refusal *refusal) {
    struct message_window window = message_throttle_look(&gateway->messages, gateway->config,
                                                         clock_mono(gateway->world->clock));
    return message_window_is_full(&window)
               ? refuse(refusal, REFUSED_MESSAGES, as_number(window.count), as_number(window.most))
               : REFUSED_NONE;
}

/* An exit that could pass zero, by what would be on sale and what is held. */
static enum refusal_code refuse_unreducing(const struct gateway *gateway,
                                           const struct order *intent, struct refusal *refusal) {
    const struct holding *holding = book_find(gateway->book, intent->symbol);
    struct qty held = holding == NULL ? (struct qty){0} : reducible(gateway, holding, intent->side);
    return refuse(refusal, REFUSED_NOT_REDUCING, as_nanos(open_with(gateway, intent).nanos),
                  as_nanos(held.nanos));
}

/* An entry of no share at all: that is the ramp's doing where its phase pays for less than one. */
static enum refusal_code refuse_nothing(const struct gateway *gateway, const struct order *intent,
                                        struct refusal *refusal) {
    struct usd price = intent->limit_price;
    bool is_by_ramp = intent->qty.nanos == 0 && is_too_small_by_the_ramp(gateway, price);
    return is_by_ramp
               ? refuse(refusal, REFUSED_RAMP, ramped_entry(gateway), price)
               : refuse(refusal, REFUSED_NOT_REDUCING, as_nanos(intent->qty.nanos), as_number(0));
}

static enum refusal_code check_entry(const struct gateway *gateway, const struct order *intent,
                                     int64_t freed, struct refusal *refusal) {
    struct utc now = clock_utc(gateway->world->clock);
    if (gateway->only_reduces) {
        return refuse(refusal, REFUSED_SCOPE, as_nanos(intent->qty.nanos), as_number(0));
    }
    if (causes_mode(gateway->causes) >= MODE_REDUCE_ONLY) {
        return refuse_mode(gateway, REFUSED_MODE, refusal);
    }
    if (gateway->performance.is_on) {
        return refuse(refusal, REFUSED_PERFORMANCE, as_nanos(gateway->performance.waited.ns),
                      as_nanos(gateway->config->performance_pause.ns));
    }
    if (gateway->journal == NULL || gateway->is_journal_down) {
        return refuse_because(refusal, REFUSED_JOURNAL, "the journal is down");
    }
    unsigned open = alpaca_open_breakers(gateway->alpaca);
    if (open != 0) {
        return refuse_because(refusal, REFUSED_BREAKER,
                              alpaca_endpoint_word(alpaca_first_endpoint(open)));
    }
    if (intent->side != SIDE_BUY) {
        return refuse_unreducing(gateway, intent, refusal);
    }
    if (intent->qty.nanos <= 0) { /* for want of a price, or at a good one */
        enum refusal_code price = check_price(gateway, intent, now, refusal);
        return price != REFUSED_NONE ? price : refuse_nothing(gateway, intent, refusal);
    }
    enum refusal_code code = check_session(gateway, now, refusal);
    code = code != REFUSED_NONE ? code : check_rails(gateway, refusal);
    const char *fault = account_fault(gateway, clock_mono(gateway->world->clock));
    if (code == REFUSED_NONE && fault != NULL) {
        code = refuse_because(refusal, REFUSED_ACCOUNT, fault);
    }
    code = code != REFUSED_NONE ? code : check_symbol(gateway, intent, now, refusal);
    code = code != REFUSED_NONE ? code : check_price(gateway, intent, now, refusal);
    code = code != REFUSED_NONE ? code : check_limits(gateway, intent, now, freed, refusal);
    code = code != REFUSED_NONE ? code : check_margin(gateway, intent, now, refusal);
    code = code != REFUSED_NONE ? code : check_universe(gateway, intent, now, refusal);
    return code != REFUSED_NONE ? code : check_messages(gateway, refusal);
}

enum refusal_code check_intent(const struct gateway *gateway, const struct order *intent,
                               bool is_exit, struct refusal *refusal) {
    *refusal = (struct refusal){.code = REFUSED_NONE};
    if (causes_mode(gateway->causes) == MODE_HALT) {
        return refuse_mode(gateway, REFUSED_HALT, refusal);
    }
    MUTATE(exit_bound_by_mode, is_exit &= causes_mode(gateway->causes) < MODE_REDUCE_ONLY);
    MUTATE(exit_bound_by_account, is_exit &= account_fault(gateway, clock_mono(gateway->world->clock)) == NULL);
    MUTATE(exit_bound_by_journal, is_exit &= !gateway->is_journal_down);
    MUTATE(exit_bound_by_session, is_exit &= !check_session(gateway, clock_utc(gateway->world->clock), refusal));
    MUTATE(exit_bound_by_reference, is_exit &= gateway->truth->references[universe_find(gateway->config, intent->symbol)].is_trusted);
    MUTATE(exit_bound_by_quote_age, is_exit &= entry_quote_is_fresh(gateway, intent->symbol, clock_utc(gateway->world->clock)));
    MUTATE(exit_bound_by_collar, is_exit &= check_price(gateway, intent, clock_utc(gateway->world->clock), &(struct refusal){0}) != REFUSED_COLLAR);
    MUTATE(exit_bound_by_min_notional, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_MIN_NOTIONAL);
    MUTATE(exit_bound_by_buying_power, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_BUYING_POWER);
    MUTATE(exit_bound_by_positions, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_MAX_POSITIONS);
    MUTATE(exit_bound_by_entry_rate, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_ENTRY_RATE);
    MUTATE(exit_bound_by_gross, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_GROSS);
    MUTATE(exit_bound_by_symbol_limit, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_SYMBOL_LIMIT);
    MUTATE(exit_bound_by_sector_limit, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_SECTOR_LIMIT);
    MUTATE(exit_bound_by_theme_limit, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_THEME_LIMIT);
    MUTATE(exit_bound_by_correlation_limit, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_CORRELATION_LIMIT);
    MUTATE(exit_bound_by_open_risk, is_exit &= check_limits(gateway, intent, clock_utc(gateway->world->clock), 0, &(struct refusal){0}) != REFUSED_OPEN_RISK);
    MUTATE(exit_bound_by_cooldown, is_exit &= utc_sub(clock_utc(gateway->world->clock), gateway->touched[universe_find(gateway->config, intent->symbol)]).ns >= gateway->config->symbol_cooldown.ns);
    MUTATE(exit_bound_by_symbol, is_exit &= !check_symbol(gateway, intent, clock_utc(gateway->world->clock), refusal));
    MUTATE(exit_bound_by_volume, is_exit &= !causes_has(gateway->causes, "daily_volume"));
    MUTATE(exit_bound_by_repeats, is_exit &= !causes_has(gateway->causes, "repeat_throttle"));
    MUTATE(exit_bound_by_stuck, is_exit &= !stuck_orders_bind(gateway, intent->symbol));
    MUTATE(exit_bound_by_clock, is_exit &= !causes_has(gateway->causes, "clock_guard"));
    MUTATE(exit_bound_by_crash_loop, is_exit &= !causes_has(gateway->causes, "crash_loop_freeze"));
    MUTATE(exit_bound_by_performance, is_exit &= !gateway->performance.is_on);
    MUTATE(exit_bound_by_margin, is_exit &= !causes_has(gateway->causes, MARGIN_CAUSE));
    MUTATE(exit_bound_by_ramp, is_exit &= capital_ramp_share(&gateway->ramp, gateway->config).nanos == NANOS);
    MUTATE(exit_bound_by_messages, is_exit &= !check_messages(gateway, &(struct refusal){0}));
    MUTATE(exit_bound_by_rails, is_exit &= !check_rails(gateway, &(struct refusal){0}));
    MUTATE(exit_bound_by_universe, is_exit &= !check_universe(gateway, intent, clock_utc(gateway->world->clock), &(struct refusal){0}));
    if (is_exit) {
        return REFUSED_NONE;
    }
    if (intent->purpose != PURPOSE_ENTRY) {
        return refuse_unreducing(gateway, intent, refusal);
    }
    return check_entry(gateway, intent, 0, refusal);
}

enum refusal_code check_with_one_fewer(const struct gateway *gateway, const struct order *intent,
                                       struct refusal *refusal) {
    *refusal = (struct refusal){.code = REFUSED_NONE};
    return check_entry(gateway, intent, 1, refusal);
}
