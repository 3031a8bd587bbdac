/* sea_splits.c - one share becomes several, or several one, in the night behind an announcement. */
#include "scenarios/sea_internal.h"

#include "core/base/check.h"

#define SPLIT ((struct ratio){2 * NANOS})

bool is_split(const struct fault *fault) {
    return fault->point == POINT_MARKET_SPLIT || fault->point == POINT_MARKET_SPLIT_UNTOLD;
}

struct utc split_at(const struct sea *sea, const struct fault *fault) {
    return ny_to_utc(next_weekday(ny_date(plan_from(sea->plan, fault))), 4, 0);
}

/* A reverse split is told as one share for so many whole ones. */
static struct sim_split rates_of(const struct fault *fault) {
    const struct ratio factor = fault_factor(fault, SPLIT);
    struct sim_split split = {
        .new_rate = factor, .old_rate = {NANOS}, .is_told = fault->point == POINT_MARKET_SPLIT};
    if (factor.nanos < NANOS) {
        const int64_t old = (NANOS + factor.nanos / 2) / factor.nanos;
        split.old_rate.nanos = old * NANOS;
        split.new_rate.nanos = NANOS;
    }
    return split;
}

struct ratio split_factor(const struct fault *fault) {
    const struct sim_split split = rates_of(fault);
    struct ratio factor = {0};
    CHECK(decimal_mul_div(NANOS, split.old_rate.nanos, split.new_rate.nanos, &factor.nanos, NULL) ==
          ERR_OK);
    return factor;
}

void split_announce(const struct swell *swell, struct sim_asset *asset) {
    const struct sim_split split = rates_of(swell->fault);
    asset->has_split = true;
    asset->split_date = ny_date(swell->from);
    asset->new_rate = split.new_rate;
    asset->old_rate = split.old_rate;
}

void sea_make_splits(struct sea *sea) {
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < sea->count; i++) {
        struct swell *swell = &sea->swells[i];
        if (!is_split(swell->fault) || swell->is_done || now.ns < swell->from.ns) {
            continue;
        }
        const struct sim_split split = rates_of(swell->fault);
        swell->is_done = true;
        broker_advance_to(sea->broker, now);
        broker_split(sea->broker, swell->symbol, &split);
    }
}
