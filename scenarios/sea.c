/* sea.c - windows that begin and end, and the wall clock. */
#include "scenarios/sea_internal.h"

#include "chaos/faults/gate.h"
#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>

#define CRASH_LASTS SPAN_MIN(5)
#define STEP SPAN_S(60)
#define SKEW ((struct ratio){NANOS / 1000 * 1001})

static bool is_seam(const struct fault *fault, const char *seam) {
    return strcmp(fault_point_seam(fault->point), seam) == 0;
}

bool sea_has(const struct sea *sea, const char *seam) {
    for (size_t i = 0; i < plan_count(sea->plan); i++) {
        if (is_seam(plan_fault(sea->plan, i), seam)) {
            return true;
        }
    }
    return false;
}

static struct swell *add(struct sea *sea, const struct fault *fault) {
    if (sea->count == sea->cap) {
        sea->cap = sea->cap == 0 ? 32 : 2 * sea->cap;
        sea->swells = realloc(sea->swells, sea->cap * sizeof *sea->swells);
        CHECK(sea->swells != NULL);
    }
    struct swell *swell = &sea->swells[sea->count++];
    *swell = (struct swell){
        .fault = fault, .from = plan_from(sea->plan, fault), .until = plan_until(sea->plan, fault)};
    if (fault->point == POINT_MARKET_FLASH_CRASH && !fault->has_until) {
        swell->until = utc_add(swell->from, CRASH_LASTS);
    } else if (is_split(fault) || is_spin_off(fault)) { /* its window is that of the announcement */
        swell->from = split_at(sea, fault);
        swell->until = UTC_NEVER;
    }
    return swell;
}

static void ask_symbols(struct sea *sea, size_t index) {
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < market_symbol_count(sea->market); i++) {
        if (!chaos_ask_fault(sea->plan, index, market_symbol(sea->market, i))) {
            continue;
        }
        struct market_quote quote = {0};
        struct market_trade trade = {0};
        const bool has_quote = market_quote_at(sea->market, i, now, &quote);
        const bool has_trade = market_trade_at(sea->market, i, now, &trade);
        struct swell *swell = add(sea, plan_fault(sea->plan, index));
        swell->symbol = i;
        swell->has_quote = has_quote;
        swell->quote = quote;
        swell->has_trade = has_trade;
        swell->trade = trade;
        sea->of_symbol[i]++;
    }
}

static void ask_window(struct sea *sea, size_t index) {
    const struct fault *fault = plan_fault(sea->plan, index);
    sea->is_asked[index] = true;
    if (plan_until(sea->plan, fault).ns <= virtual_clock_now(sea->clock).ns) {
        return;
    }
    if (is_seam(fault, "market") || is_seam(fault, "asset")) {
        ask_symbols(sea, index);
    } else if (is_seam(fault, "account")) {
        if (chaos_ask_fault(sea->plan, index, "account")) {
            (void)add(sea, fault);
            sea->of_account++;
        }
    } else if (chaos_ask_fault(sea->plan, index, "wall")) {
        (void)add(sea, fault);
        sea->of_wall++;
    }
}

static struct span offset_of(const struct swell *swell, struct utc now) {
    const struct fault *fault = swell->fault;
    if (fault->point == POINT_CLOCK_STEP) {
        return fault->offset.ns == 0 ? STEP : fault->offset;
    }
    const struct ratio factor = fault->factor.nanos == 0 ? SKEW : fault->factor;
    int64_t gained = 0;
    CHECK(decimal_mul_div(now.ns - swell->from.ns, factor.nanos - NANOS, NANOS, &gained, NULL) ==
          ERR_OK);
    return (struct span){gained};
}

static void set_wall(struct sea *sea) {
    const struct utc now = virtual_clock_now(sea->clock);
    struct span sum = {0};
    for (size_t i = 0; i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (is_seam(swell->fault, "clock") && now.ns >= swell->from.ns &&
            now.ns < swell->until.ns) {
            sum.ns += offset_of(swell, now).ns;
        }
    }
    virtual_clock_set_offset(sea->clock, sum);
}

/* The next begin that nobody asked about, or end of what holds the wall or the account. */
static struct utc find_next(const struct sea *sea) {
    struct utc next = UTC_NEVER;
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < plan_count(sea->plan); i++) {
        const struct fault *fault = plan_fault(sea->plan, i);
        if (!sea->is_asked[i] && fault_point_holds(fault->point)) {
            next = utc_min(next, plan_from(sea->plan, fault));
        }
    }
    for (size_t i = 0; i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        bool ends = is_seam(swell->fault, "clock") || is_seam(swell->fault, "account");
        if (ends && swell->until.ns > now.ns) {
            next = utc_min(next, swell->until);
        } else if (is_split(swell->fault) && !swell->is_done) {
            next = utc_min(next, swell->from);
        } else if (is_spin_off(swell->fault)) {
            next = utc_min(next, spin_off_next(swell));
        }
    }
    return next;
}

struct utc sea_next_at(const struct sea *sea) {
    return sea->next_at;
}

void sea_look(struct sea *sea) {
    const struct utc now = virtual_clock_now(sea->clock);
    if (now.ns >= sea->next_at.ns) {
        for (size_t i = 0; i < plan_count(sea->plan); i++) {
            const struct fault *fault = plan_fault(sea->plan, i);
            if (!sea->is_asked[i] && fault_point_holds(fault->point) &&
                plan_from(sea->plan, fault).ns <= now.ns) {
                ask_window(sea, i);
            }
        }
        sea_make_splits(sea);
        sea_make_spin_offs(sea);
        sea_post_cash(sea);
        sea->next_at = find_next(sea);
        if (sea->of_account > 0) {
            sea_set_account(sea);
        }
    }
    if (sea->of_wall > 0) {
        set_wall(sea);
    }
}

struct sea *sea_create(struct plan *plan, struct virtual_clock *clock, struct market *market,
                       struct broker *broker) {
    struct sea *sea = calloc(1, sizeof *sea);
    CHECK(sea != NULL);
    sea->plan = plan;
    sea->clock = clock;
    sea->market = market;
    sea->broker = broker;
    sea->next_at = find_next(sea);
    sea_prices_init(sea);
    sea_orders_init(sea);
    return sea;
}

void sea_destroy(struct sea *sea) {
    if (sea != NULL) {
        market_set_weather(sea->market, NULL);
        broker_set_weather(sea->broker, NULL);
        free(sea->swells);
        free(sea);
    }
}
