/* margins.c - the account's margin as the tick read it, and the positions that are sold so that the broker need
 * not: whole ones, the largest first. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

/* What a rewound journal says is held and no listing shows is in no equity that the listing explains: the broker
 * counts it for no night, and its sale would bring nothing down. */
static bool is_counted(const struct holding *holding) {
    MUTATE(margin_of_phantoms, return true);
    return holding->is_listed || holding->is_ahead;
}

/* A listing may be older than a sale that is booked: of two quantities the smaller is still there. */
static struct usd value_of(const struct holding *holding) {
    struct qty qty = holding_sellable(holding);
    struct usd price = holding->has_mark ? holding->mark : holding_entry_price(holding);
    return is_counted(holding) ? usd_abs(usd_mul(price, qty)) : (struct usd){0};
}

static const struct span LEAVES_WITHIN = {INT64_C(60000000000)};
static const struct span ANSWERS_LAG = {INT64_C(15000000000)};

static struct usd gross_of(const struct engine *engine) {
    struct usd gross = {0};
    for (size_t i = 0; i < engine->book.count; i++) {
        gross = usd_add(gross, value_of(&engine->book.items[i]));
    }
    return gross;
}

/* Not one that has been at work for a minute: a symbol that is halted keeps no other in. */
static bool is_soon_gone(const struct engine *engine, const struct exit_plan *plan) {
    struct utc now = clock_utc(engine->world->clock);
    bool is_young = utc_sub(now, plan->decided_at).ns < LEAVES_WITHIN.ns;
    MUTATE(margin_waits_for_a_halt, is_young = true);
    return plan->purpose == PURPOSE_EXIT && plan->qty.nanos > 0 && is_young;
}

/* What leaves already, and would bring gross down by itself; *count: how many. */
static struct usd leaving(struct engine *engine, size_t *count) {
    struct usd sum = {0};
    *count = 0;
    for (size_t i = 0; i < engine->exits.count; i++) {
        const struct exit_plan *plan = &engine->exits.plans[i];
        const struct holding *holding = book_find(&engine->book, plan->symbol);
        if (holding != NULL && is_soon_gone(engine, plan)) {
            sum = usd_add(sum, value_of(holding));
            (*count)++;
        }
    }
    return sum;
}

static bool leaves(struct engine *engine, const char *symbol) {
    const struct exit_plan *plan = exits_find(&engine->exits, symbol);
    return plan != NULL && plan->purpose == PURPOSE_EXIT;
}

/* Of equals the first of the alphabet: two lives choose the same. */
static struct holding *largest(struct engine *engine) {
    struct holding *best = NULL;
    for (size_t i = 0; i < engine->book.count; i++) {
        struct holding *holding = &engine->book.items[i];
        if (holding_sellable(holding).nanos <= 0 || !is_counted(holding) || !holding->has_mark ||
            leaves(engine, holding->symbol)) {
            continue;
        }
        int more = best == NULL ? 1 : usd_cmp(value_of(holding), value_of(best));
        MUTATE(margin_smallest_first, more = best == NULL ? 1 : -more);
        if (more > 0 || (more == 0 && strcmp(holding->symbol, best->symbol) < 0)) {
            best = holding;
        }
    }
    return best;
}

/* For gross as many as it takes, for the excess one at a time. */
static void sell(struct engine *engine, const struct margin_wish *wish) {
    size_t count = 0;
    struct usd over = usd_sub(wish->over, leaving(engine, &count));
    bool is_due = (wish->is_gross && over.nanos > 0) || (wish->is_excess && count == 0);
    while (is_due) {
        struct holding *holding = largest(engine);
        if (holding == NULL) {
            return;
        }
        over = usd_sub(over, value_of(holding));
        exits_decide(&engine->exits, holding, PURPOSE_EXIT, (struct qty){0}, "margin");
        is_due = wish->is_gross && over.nanos > 0 && leaves(engine, holding->symbol);
        MUTATE(margin_sells_all, is_due = true);
    }
}

/* While one of its sales is at work, and for as long as account and listing may lag behind it. */
static bool is_settling(struct engine *engine) {
    struct mono now = clock_mono(engine->world->clock);
    for (size_t i = 0; i < engine->exits.count; i++) {
        const struct exit_plan *plan = &engine->exits.plans[i];
        if (strcmp(plan->reason, "margin") == 0 && is_soon_gone(engine, plan)) {
            engine->margin_sold_at = now;
        }
    }
    return engine->margin_sold_at.ns != 0 &&
           mono_sub(now, engine->margin_sold_at).ns < ANSWERS_LAG.ns;
}

void margins_step(struct engine *engine) {
    const struct truth *truth = &engine->truth;
    struct utc now = clock_utc(engine->world->clock);
    struct utc broker = truth_broker_time(truth); /* a wall that was set moves no close */
    bool is_open = truth->is_open && truth->has_clock && truth->clock.is_open;
    struct margin_reading reading = {
        .at = now,
        .is_trusted = truth->is_equity_explained,
        .is_blocked = truth->account.is_blocked,
        .equity = truth->account.equity,
        .has_maintenance = truth->account.has_maintenance,
        .maintenance = truth->account.maintenance_margin,
        .gross = gross_of(engine),
        .is_open = is_open,
        .to_close = utc_sub(truth->session.close, broker.ns != 0 ? broker : now)};
    struct margin_wish wish =
        margin_guard_judge(&engine->margin, &engine->causes, engine->config, &reading);
    if (is_settling(engine)) {
        engine->margin.over.first_breach =
            (struct utc){0}; /* what is sold next is judged by two readings behind it */
        return;
    }
    sell(engine, &wish);
}
