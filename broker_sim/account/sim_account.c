/* sim_account.c - postings and valuation of the simulated account. */
#include "broker_sim/account/sim_account.h"

#include "core/base/check.h"
#include "core/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_uuid(uint64_t seed, const char *name, uint64_t number, char out[static SIM_UUID_MAX]) {
    static const char digits[] = "0123456789abcdef";
    struct random random = random_stream(seed, name, number, 0, 0);
    uint64_t words[2] = {random_next(&random), random_next(&random)};
    words[0] = (words[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    words[1] = (words[1] & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
    int n = 0;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            out[n++] = '-';
        }
        out[n++] = digits[(words[i / 16] >> (60 - 4 * (i % 16))) & 15];
    }
    out[n] = '\0';
}

void sim_account_init(struct sim_account *account, struct market *market, uint64_t seed,
                      struct usd cash, int multiplier, struct utc start) {
    *account = (struct sim_account){.market = market,
                                    .seed = seed,
                                    .approved = multiplier,
                                    .multiplier = multiplier,
                                    .configuration = {.max_margin_multiplier = 4},
                                    .cash = cash,
                                    .last_equity = cash};
    struct session session;
    account->balance_asof = calendar_previous(market_calendar(market), start, &session)
                                ? session.date
                                : date_add(ny_date(start), -1);
}

void sim_account_configure(struct sim_account *account,
                           const struct sim_configuration *configuration) {
    int most = configuration->max_margin_multiplier;
    account->configuration = *configuration;
    account->multiplier = account->approved < most ? account->approved : most;
}

void sim_account_release(struct sim_account *account) {
    free(account->activities);
    account->activities = NULL;
}

static struct sim_activity *add_activity(struct sim_account *account, struct utc at) {
    if (account->activity_count == account->activity_room) {
        account->activity_room = account->activity_room == 0 ? 64 : 2 * account->activity_room;
        account->activities =
            realloc(account->activities, account->activity_room * sizeof *account->activities);
        CHECK(account->activities != NULL);
    }
    struct sim_activity *activity = &account->activities[account->activity_count++];
    *activity = (struct sim_activity){.at = at};
    char text[UTC_TEXT_MAX];
    int64_t ms = at.ns / 1000000;
    utc_print_ny((struct utc){ms / 1000 * INT64_C(1000000000)}, text);
    char uuid[SIM_UUID_MAX];
    sim_uuid(account->seed, "activity", account->activity_count, uuid);
    snprintf(activity->id, sizeof activity->id, "%.4s%.2s%.2s%.2s%.2s%.2s%03d::%s", text, text + 5,
             text + 8, text + 11, text + 14, text + 17, (int)(ms % 1000), uuid);
    return activity;
}

static struct usd usd_part(struct usd amount, struct qty part, struct qty whole) {
    struct usd out = {0};
    CHECK(decimal_mul_div(amount.nanos, part.nanos, whole.nanos, &out.nanos, NULL) == ERR_OK);
    return out;
}

/* A part of the position ends, at cost: what it brings or takes is cash's. */
static void close_part(struct sim_position *position, struct qty part) {
    struct qty whole = qty_abs(position->qty);
    position->cost = usd_sub(position->cost, usd_part(position->cost, part, whole));
    position->intraday_basis =
        usd_sub(position->intraday_basis, usd_part(position->intraday_basis, part, whole));
    position->qty =
        position->qty.nanos > 0 ? qty_sub(position->qty, part) : qty_add(position->qty, part);
}

/* What goes beyond zero opens the other side: no order may, a bust can. */
static void post(struct sim_account *account, size_t symbol, bool is_in, struct qty qty,
                 struct usd price) {
    struct sim_position *position = &account->positions[symbol];
    bool closes = position->qty.nanos != 0 && (position->qty.nanos < 0) == is_in;
    struct qty closed = closes ? qty_min(qty, qty_abs(position->qty)) : (struct qty){0};
    struct usd value = usd_mul(price, qty);
    account->cash = is_in ? usd_sub(account->cash, value) : usd_add(account->cash, value);
    if (closes) {
        close_part(position, closed);
    }
    struct qty opened = qty_sub(qty, closed);
    CHECK(is_in || opened.nanos == 0 || account->may_be_short);
    opened = is_in ? opened : qty_neg(opened);
    value = usd_mul(price, opened);
    position->qty = qty_add(position->qty, opened);
    position->cost = usd_add(position->cost, value);
    position->intraday_basis = usd_add(position->intraday_basis, value);
}

void sim_account_undo(struct sim_account *account, size_t symbol, bool is_buy, struct qty qty,
                      struct usd price) {
    post(account, symbol, !is_buy, qty, price);
}

void sim_account_fill(struct sim_account *account, struct utc at, const struct sim_fill *fill) {
    post(account, fill->symbol, fill->is_buy, fill->qty, fill->price);
    account->fill_count++;
    struct sim_activity *activity = add_activity(account, at);
    activity->kind = SIM_ACTIVITY_FILL;
    activity->symbol = fill->symbol;
    activity->order_id = fill->order_id;
    activity->is_buy = fill->is_buy;
    activity->is_short = fill->is_short;
    activity->is_last = fill->leaves_qty.nanos == 0;
    activity->qty = fill->qty;
    activity->cum_qty = fill->cum_qty;
    activity->leaves_qty = fill->leaves_qty;
    activity->price = fill->price;
}

void sim_account_move_cash(struct sim_account *account, struct utc at, struct usd amount) {
    account->cash = usd_add(account->cash, amount);
    struct sim_activity *activity = add_activity(account, at);
    activity->kind = amount.nanos < 0 ? SIM_ACTIVITY_CSW : SIM_ACTIVITY_CSD;
    activity->amount = amount;
}

void sim_account_pay_dividend(struct sim_account *account, struct utc at, size_t symbol,
                              struct usd per_share) {
    struct qty held = account->positions[symbol].qty;
    if (held.nanos == 0) {
        return;
    }
    struct usd amount = usd_mul(per_share, held);
    account->cash = usd_add(account->cash, amount);
    struct sim_activity *activity = add_activity(account, at);
    activity->kind = SIM_ACTIVITY_DIV;
    activity->symbol = symbol;
    activity->qty = held;
    activity->price = per_share;
    activity->amount = amount;
}

void sim_account_charge(struct sim_account *account, struct utc at, struct usd fee) {
    account->cash = usd_sub(account->cash, fee);
    struct sim_activity *activity = add_activity(account, at);
    activity->kind = SIM_ACTIVITY_FEE;
    activity->amount = usd_neg(fee);
}

struct qty sim_account_split(struct sim_account *account, struct utc at, size_t symbol,
                             const struct sim_split *split, struct usd price) {
    struct sim_position *position = &account->positions[symbol];
    struct qty was = position->qty;
    struct qty exact = {0};
    CHECK(decimal_mul_div(was.nanos, split->new_rate.nanos, split->old_rate.nanos, &exact.nanos,
                          NULL) == ERR_OK);
    if (was.nanos == 0) {
        return was;
    }
    struct qty left = qty_sub(exact, qty_whole(exact));
    position->qty = exact;
    if (left.nanos != 0) {
        close_part(position, qty_abs(left));
    }
    struct usd paid = usd_mul(price, left);
    account->cash = usd_add(account->cash, paid);
    struct qty by = qty_sub(position->qty, was);
    if (split->is_told) {
        struct sim_activity *activity = add_activity(account, at);
        activity->kind = SIM_ACTIVITY_SPLIT;
        activity->symbol = symbol;
        activity->qty = by;
        activity->amount = paid;
    }
    return by;
}

struct sim_spun sim_account_spin_due(const struct sim_account *account,
                                     const struct sim_spin_off *spin, struct usd price) {
    struct qty held = account->positions[spin->source].qty;
    struct qty exact = {0};
    if (held.nanos <= 0) {
        return (struct sim_spun){0};
    }
    CHECK(decimal_mul_div(held.nanos, spin->new_shares.nanos, NANOS, &exact.nanos, NULL) == ERR_OK);
    struct sim_spun given = {.qty = qty_whole(exact)};
    given.fraction = qty_sub(exact, given.qty);
    given.paid = usd_mul(price, given.fraction);
    return given;
}

struct sim_spun sim_account_spin_off(struct sim_account *account, const struct sim_spin_off *spin,
                                     struct usd price) {
    struct sim_position *source = &account->positions[spin->source];
    struct sim_position *spun = &account->positions[spin->spun];
    struct sim_spun given = sim_account_spin_due(account, spin, price);
    struct usd worth = usd_mul(price, given.qty);
    account->cash = usd_add(account->cash, given.paid);
    spun->qty = qty_add(spun->qty, given.qty);
    spun->cost = usd_add(spun->cost, worth);
    spun->intraday_basis = usd_add(spun->intraday_basis, worth);
    source->cost = usd_max(usd_sub(source->cost, worth), USD(0));
    source->intraday_basis = usd_max(usd_sub(source->intraday_basis, worth), USD(0));
    return given;
}

void sim_account_tell_spin_off(struct sim_account *account, struct utc at, size_t spun,
                               const struct sim_spun *given) {
    if (given->qty.nanos > 0) {
        struct sim_activity *activity = add_activity(account, at);
        activity->kind = SIM_ACTIVITY_SPIN;
        activity->symbol = spun;
        activity->qty = given->qty;
    }
    if (given->fraction.nanos > 0) {
        struct sim_activity *activity = add_activity(account, at);
        activity->kind = SIM_ACTIVITY_CIL;
        activity->symbol = spun;
        activity->qty = given->fraction;
        activity->amount = given->paid;
    }
}

void sim_account_close_day(struct sim_account *account, struct date date, struct utc at) {
    struct sim_values values = sim_account_values(account, at);
    account->last_equity = values.equity;
    account->last_maintenance = values.maintenance_margin;
    account->balance_asof = date;
    size_t count = market_symbol_count(account->market);
    for (size_t i = 0; i < count; i++) {
        struct sim_position *position = &account->positions[i];
        struct usd price = {0};
        if (position->qty.nanos != 0 && sim_price(account->market, i, at, &price)) {
            position->intraday_basis = usd_mul(price, position->qty);
        }
    }
}

bool sim_price(struct market *market, size_t symbol, struct utc at, struct usd *out) {
    struct market_trade trade;
    if (market_trade_at(market, symbol, at, &trade)) {
        *out = trade.price;
        return true;
    }
    struct market_quote quote;
    if (market_quote_at(market, symbol, at, &quote) && quote.bid.nanos > 0) {
        *out = quote.bid;
        return true;
    }
    return false;
}

static struct usd maintenance_of(const struct sim_position *position, struct usd price) {
    if (position->qty.nanos < 0) {
        return usd_mul(sim_short_maintenance(price), qty_abs(position->qty));
    }
    return usd_scale(usd_mul(price, position->qty), sim_maintenance_rate(price));
}

struct sim_values sim_account_values(const struct sim_account *account, struct utc at) {
    struct sim_values values = {0};
    size_t count = market_symbol_count(account->market);
    for (size_t i = 0; i < count; i++) {
        const struct sim_position *position = &account->positions[i];
        struct usd price = {0};
        if (position->qty.nanos == 0) {
            continue;
        }
        struct usd value = position->cost;
        struct usd margin = usd_abs(value);
        if (sim_price(account->market, i, at, &price)) {
            value = usd_mul(price, position->qty);
            margin = maintenance_of(position, price);
        }
        struct usd *sum = position->qty.nanos > 0 ? &values.long_value : &values.short_value;
        *sum = usd_add(*sum, value);
        values.maintenance_margin = usd_add(values.maintenance_margin, margin);
    }
    values.equity = usd_add(account->cash, usd_add(values.long_value, values.short_value));
    struct usd gross = sim_gross_value(&values);
    values.initial_margin =
        account->multiplier == 1 ? gross : usd_scale(gross, (struct ratio){NANOS / 2});
    return values;
}

struct usd sim_gross_value(const struct sim_values *values) {
    return usd_sub(values->long_value, values->short_value);
}

struct usd sim_buying_power(const struct sim_values *values, int multiplier, struct usd reserved) {
    struct usd power = {values->equity.nanos * multiplier};
    power = usd_sub(usd_sub(power, sim_gross_value(values)), reserved);
    return usd_max(power, (struct usd){0});
}

struct ratio sim_maintenance_rate(struct usd price) {
    if (price.nanos < 5 * NANOS / 2) {
        return (struct ratio){NANOS};
    }
    return (struct ratio){price.nanos <= 6 * NANOS ? NANOS / 2 : NANOS * 3 / 10};
}

struct usd sim_short_maintenance(struct usd price) {
    bool is_low = price.nanos < 5 * NANOS;
    return is_low
               ? usd_max(price, (struct usd){5 * NANOS / 2})
               : usd_max(usd_scale(price, (struct ratio){NANOS * 3 / 10}), (struct usd){5 * NANOS});
}
