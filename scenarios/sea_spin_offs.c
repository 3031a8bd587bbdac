/* sea_spin_offs.c - who holds one stock is given shares of another in the night behind an announcement. */
#include "scenarios/sea_internal.h"

#include "core/base/check.h"

#define HALF ((struct ratio){NANOS / 2})
#define LEFT_LEAST (NANOS / 10) /* of the source's price, whatever is given */

bool is_spin_off(const struct fault *fault) {
    return fault->point == POINT_MARKET_SPIN_OFF || fault->point == POINT_MARKET_SPIN_OFF_UNTOLD;
}

size_t spun_symbol(const struct sea *sea, const struct swell *swell) {
    const size_t count = market_symbol_count(sea->market);
    const int named = market_find(sea->market, swell->fault->new_symbol);
    return named >= 0 ? (size_t)named : (swell->symbol + 1) % count;
}

static struct sim_spin_off spin_of(const struct sea *sea, const struct swell *swell) {
    return (struct sim_spin_off){.source = swell->symbol,
                                 .spun = spun_symbol(sea, swell),
                                 .new_shares = fault_factor(swell->fault, HALF)};
}

void spin_off_announce(const struct sea *sea, const struct swell *swell, struct sim_asset *asset) {
    const struct sim_spin_off spin = spin_of(sea, swell);
    asset->has_spin_off = true;
    asset->spin_date = ny_date(swell->from);
    asset->spun = spin.spun;
    asset->new_shares = spin.new_shares;
}

static bool is_to_be_told(const struct swell *swell) {
    return swell->fault->point == POINT_MARKET_SPIN_OFF && !swell->is_told;
}

static struct utc told_at(const struct swell *swell) {
    return utc_add(swell->from, swell->fault->offset);
}

struct utc spin_off_next(const struct swell *swell) {
    struct utc next = swell->is_done ? UTC_NEVER : swell->from;
    return is_to_be_told(swell) ? utc_min(next, told_at(swell)) : next;
}

/* A share is worth less by what is given for it. */
static struct ratio left_of(struct sea *sea, const struct sim_spin_off *spin) {
    struct usd source = {0};
    struct usd spun = {0};
    int64_t given = 0;
    if (spin->source == spin->spun || !broker_price(sea->broker, spin->source, &source) ||
        !broker_price(sea->broker, spin->spun, &spun) ||
        decimal_mul_div(spun.nanos, spin->new_shares.nanos, source.nanos, &given, NULL) != ERR_OK) {
        return (struct ratio){NANOS};
    }
    return (struct ratio){given > NANOS - LEFT_LEAST ? LEFT_LEAST : NANOS - given};
}

static void make(struct sea *sea, struct swell *swell, struct utc now) {
    const struct sim_spin_off spin = spin_of(sea, swell);
    broker_advance_to(sea->broker, now);
    if (!swell->is_done && now.ns >= swell->from.ns) {
        const struct ratio left = left_of(sea, &spin);
        swell->is_done = true;
        swell->given =
            broker_spin_off(sea->broker, &spin, swell->fault->point == POINT_MARKET_SPIN_OFF);
        swell->left = left;
    }
    if (is_to_be_told(swell) && now.ns >= told_at(swell).ns) {
        const struct sim_spun given =
            swell->is_done ? swell->given : broker_spin_due(sea->broker, &spin);
        swell->is_told = true;
        broker_tell_spin_off(sea->broker, spin.spun, &given);
    }
}

void sea_make_spin_offs(struct sea *sea) {
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < sea->count; i++) {
        struct swell *swell = &sea->swells[i];
        if (is_spin_off(swell->fault) && now.ns >= spin_off_next(swell).ns) {
            make(sea, swell, now);
        }
    }
}
