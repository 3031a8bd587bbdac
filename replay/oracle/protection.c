/* protection.c - a measure, not an invariant: unprotected dollar-seconds.
 *
 * From the ledger alone, not from the core's word: whole shares held that no live sell stop covers,
 * times the symbol's last execution price, times the time. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct held {
    char symbol[TABLE_NAME_MAX];
    struct qty position;
    struct qty stopped;
    struct usd price;
    struct utc since;
    struct usd sum; /* dollar-seconds up to `since` */
};

struct protection {
    struct table symbols;
    struct utc now;
};

static void *protection_create(void) {
    struct protection *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct held));
    return judge;
}

static void protection_destroy(void *context) {
    struct protection *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

/* What a symbol adds from `since` to `now`; out of range counts as the most a struct usd holds. */
static struct usd growth(const struct held *held, struct utc now) {
    struct qty naked = qty_sub(qty_whole(held->position), held->stopped);
    struct usd value = {0};
    struct usd out = {0};
    if (naked.nanos <= 0 || now.ns <= held->since.ns) { /* the wall may step back */
        return out;
    }
    bool is_fit = usd_times_qty(held->price, naked, &value, NULL) == ERR_OK &&
                  decimal_mul_div(value.nanos, utc_sub(now, held->since).ns, NANOS, &out.nanos,
                                  NULL) == ERR_OK;
    return is_fit ? out : (struct usd){INT64_MAX};
}

static struct usd capped_add(struct usd a, struct usd b) {
    struct usd sum = {0};
    return __builtin_add_overflow(a.nanos, b.nanos, &sum.nanos) ? (struct usd){INT64_MAX} : sum;
}

static void settle(struct held *held, struct utc now) {
    held->sum = capped_add(held->sum, growth(held, now));
    held->since = now;
}

/* The scene has folded the event: what was true before it counts up to now. */
static void take(struct protection *judge, const struct event *event, const struct scene *scene) {
    struct held *held = table_get(&judge->symbols, event->symbol);
    const struct scene_symbol *symbol = scene_symbol(scene, event->symbol);
    settle(held, event->at);
    held->position = symbol->qty;
    held->stopped = symbol->stopped;
    held->price = symbol->price;
}

static void protection_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct protection *judge = context;
    judge->now.ns = event->at.ns > judge->now.ns ? event->at.ns : judge->now.ns;
    if (event->kind == EVENT_LEDGER_FILL || event->kind == EVENT_LEDGER_ORDER) {
        take(judge, event, findings->scene);
    }
}

struct usd protection_dollar_seconds(const void *context) {
    const struct protection *judge = context;
    struct usd sum = {0};
    for (size_t i = 0; i < judge->symbols.count; i++) {
        const struct held *held = table_at(&judge->symbols, i);
        sum = capped_add(sum, capped_add(held->sum, growth(held, judge->now)));
    }
    return sum;
}

const struct judge_ops protection_judge = {
    KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_LEDGER_EQUITY) |
        KIND(EVENT_TICK) | KIND(EVENT_END),
    protection_create, protection_observe, protection_destroy};
