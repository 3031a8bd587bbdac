/* data_guard.c - two sources that agree, and equity held against positions at their marks. */
#include "core/risk/data_guard.h"

#include "core/base/mutant.h"
#include "core/signals/bars.h"

#include <stdio.h>
#include <string.h>

static const struct span TRADE_FRESH = {INT64_C(15000000000)};
static const struct span IEX_FRESH = {INT64_C(60000000000)};
static const struct ratio SPREAD_MAX = {10000000};
static const struct span FAULT_LASTS = {INT64_C(10000000000)};
static const struct span STEP_TOLD = {INT64_C(120000000000)}; /* activities come within a minute */
static const char STEP_KEY[] = "equity_step";

static bool is_fresh(struct utc at, struct utc now, struct span most) {
    struct span age = utc_sub(now, at);
    return age.ns >= -SPAN_S(2).ns && age.ns <= most.ns;
}

static bool quote_mid(const struct broker_quote *quote, const struct config *config, struct utc now,
                      struct usd *out) {
    struct span most = strcmp(config->feed, "iex") == 0 ? IEX_FRESH : config->quote_max_age;
    if (!quote->is_known || quote->bid.nanos <= 0 || usd_cmp(quote->ask, quote->bid) < 0 ||
        !is_fresh(quote->at, now, most)) {
        return false;
    }
    struct usd spread = usd_sub(quote->ask, quote->bid);
    if (usd_cmp(spread, usd_scale(quote->ask, SPREAD_MAX)) > 0) {
        return false;
    }
    *out = (struct usd){quote->bid.nanos + spread.nanos / 2};
    return true;
}

static bool agree(struct usd a, struct usd b, const struct config *config) {
    struct usd apart = usd_abs(usd_sub(a, b));
    MUTATE(agreement_off_by_one, apart.nanos++);
    return usd_cmp(apart, usd_scale(usd_max(a, b), config->reference_agreement)) <= 0;
}

/* The first price, in the order of trust, that a second source agrees with. */
static struct reference two_agree(const struct usd *prices, size_t count,
                                  const struct config *config) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (i != j && agree(prices[i], prices[j], config)) {
                return (struct reference){true, prices[i]};
            }
        }
    }
    return (struct reference){0};
}

static struct reference reference_of(const struct truth *truth, size_t index,
                                     const struct holding *holding, const struct config *config,
                                     struct utc now) {
    struct usd prices[4];
    size_t count = 0;
    count += quote_mid(&truth->quotes[index], config, now, &prices[count]);
    const struct broker_trade *trade = &truth->trades[index];
    if (trade->is_known && trade->price.nanos > 0 && is_fresh(trade->at, now, TRADE_FRESH)) {
        prices[count++] = trade->price;
    }
    if (holding != NULL && holding->has_broker_price && holding->broker_price.nanos > 0) {
        prices[count++] = holding->broker_price;
    }
    if (truth->last_close[index].nanos > 0 && is_fresh(truth->last_bar_at[index], now, BAR_FRESH)) {
        prices[count++] = truth->last_close[index];
    }
    return two_agree(prices, count, config);
}

/* While a split is due that the book has not taken, a price that is nearer to what it makes of the last one may
 * be of new shares, and is no mark of old ones. */
static bool is_of_new_shares(const struct holding *holding, struct usd price,
                             struct ratio hard_stop) {
    struct usd last = holding->mark.nanos > 0 ? holding->mark : holding_entry_price(holding);
    struct usd split = {0};
    MUTATE(split_price_marks, return false);
    if (!holding->is_split_due || split_is_slight(&holding->due, hard_stop) ||
        split_price(&holding->due, last, &split, NULL) != ERR_OK) {
        return false;
    }
    return usd_cmp(usd_abs(usd_sub(price, split)), usd_abs(usd_sub(price, last))) < 0;
}

/* Neither lasts: what nobody could be asked about two minutes, a split that is due and not done ten of a session. */
static bool is_held_out(const struct holding *holding) {
    MUTATE(awaited_split_marks, return holding->is_new_price && !holding->is_split_overdue);
    MUTATE(due_split_holds_out_for_ever, return holding->is_new_price || holding->is_split_awaited);
    return holding->is_split_awaited || (holding->is_new_price && !holding->is_split_overdue);
}

void data_guard_mark(struct truth *truth, struct book *book, const struct config *config,
                     struct utc now) {
    for (size_t i = 0; i < config->symbol_count; i++) {
        const struct holding *holding = book_find(book, config->symbols[i]);
        truth->references[i] = reference_of(truth, i, holding, config, now);
    }
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        int index = universe_find(config, holding->symbol);
        bool is_trusted = index >= 0 && truth->references[index].is_trusted;
        holding->is_new_price =
            is_trusted &&
            is_of_new_shares(holding, truth->references[index].price, config->hard_stop);
        holding->has_mark = is_trusted && !is_held_out(holding);
        MUTATE(broker_mark_believed, if (holding->has_broker_price) { holding->has_mark = true; holding->mark = holding->broker_price; continue; });
        if (holding->has_mark) {
            holding->mark = truth->references[index].price;
        }
    }
}

/* Cash plus the broker's quantities at trusted marks; a position without one counts at its last
 * mark, else at the average entry. */
static struct usd explained_equity(const struct truth *truth, const struct book *book) {
    struct usd sum = truth->account.cash;
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        struct usd price = holding->mark.nanos > 0 ? holding->mark : holding->avg_entry;
        struct usd value = {0};
        if (holding->is_listed &&
            usd_times_qty(price, holding->broker_qty, &value, NULL) == ERR_OK) {
            sum = usd_add(sum, value);
        }
    }
    return sum;
}

void data_guard_explain(struct truth *truth, const struct book *book, const struct config *config) {
    struct usd equity = truth->account.equity;
    struct usd explained = explained_equity(truth, book);
    struct usd apart = usd_abs(usd_sub(equity, explained));
    struct usd most = usd_scale(usd_max(usd_abs(explained), USD(1)), config->equity_step);
    MUTATE(equity_step_off_by_one, apart.nanos++);
    truth->is_equity_explained = equity.nanos > 0 && usd_cmp(apart, most) <= 0;
    MUTATE(equity_unexplained, truth->is_equity_explained = true);
}

static void hold(struct data_guard *guard, const struct truth *truth, struct usd step,
                 struct causes *causes, struct utc now) {
    char why[128] = "equity is not explained by cash and marks";
    guard->clean_since = (struct utc){0};
    guard->fault_since = guard->fault_since.ns == 0 ? now : guard->fault_since;
    struct span lasts = utc_elapsed(&guard->fault_since, now);
    if (truth->is_equity_explained) {
        char usd[DECIMAL_TEXT_MAX];
        decimal_print_places(step.nanos, 2, usd);
        snprintf(why, sizeof why, "%s USD of equity that no price, trade or activity explains",
                 usd);
    }
    if (truth->account.equity.nanos <= 0 || lasts.ns >= FAULT_LASTS.ns) {
        causes_hold(causes, "data_guard", MODE_REDUCE_ONLY, why);
    }
    if (truth->is_equity_explained && lasts.ns >= STEP_TOLD.ns && !guard->is_step_told) {
        guard->is_step_told = true;
        log_alert(causes->log, ALERT_PAGE, STEP_KEY, why);
    }
}

void data_guard_judge(struct data_guard *guard, const struct truth *truth, struct usd step,
                      struct causes *causes, struct utc now) {
    if (step.nanos == 0 && guard->is_step_told) {
        guard->is_step_told = false;
        log_alert_over(causes->log, STEP_KEY);
    }
    if (!truth->is_equity_explained || step.nanos != 0) {
        hold(guard, truth, step, causes, now);
        return;
    }
    guard->fault_since = (struct utc){0};
    guard->clean_since = guard->clean_since.ns == 0 ? now : guard->clean_since;
    if (utc_elapsed(&guard->clean_since, now).ns >= FAULT_LASTS.ns) {
        causes_let_go(causes, "data_guard");
    }
}
