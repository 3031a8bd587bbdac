/* sea_prices.c - prices that fall, gap, stand still or are told wrong; assets that are no longer what they were. */
#include "scenarios/sea_internal.h"

#include "core/base/check.h"

#define MINUTE SPAN_MIN(1)
#define CRASH ((struct ratio){NANOS / 100 * 85})
#define GAP ((struct ratio){NANOS / 100 * 93})
#define SPREAD ((struct ratio){20 * NANOS})

static bool is_in(const struct swell *swell, struct utc at) {
    return at.ns >= swell->from.ns && at.ns < swell->until.ns;
}

static bool moves_prices(const struct swell *swell) {
    return swell->fault->point == POINT_MARKET_FLASH_CRASH ||
           swell->fault->point == POINT_MARKET_GAP || is_split(swell->fault) ||
           is_spin_off(swell->fault);
}

static bool stops_trades(const struct swell *swell) {
    return swell->fault->point == POINT_MARKET_NO_TRADES ||
           swell->fault->point == POINT_MARKET_HALT;
}

static struct utc bottom_of(const struct swell *swell) {
    return (struct utc){swell->from.ns + (swell->until.ns - swell->from.ns) / 2};
}

/* What prices are multiplied with at an instant: a crash falls in a straight line, and comes back. */
static struct ratio factor_at(const struct swell *swell, struct utc at) {
    if (!is_in(swell, at)) {
        return (struct ratio){NANOS};
    }
    if (swell->fault->point == POINT_MARKET_GAP) {
        return fault_factor(swell->fault, GAP);
    }
    if (is_split(swell->fault)) {
        return split_factor(swell->fault);
    }
    if (is_spin_off(swell->fault)) {
        return swell->left.nanos == 0 ? (struct ratio){NANOS} : swell->left;
    }
    const struct utc bottom = bottom_of(swell);
    const int64_t depth = NANOS - fault_factor(swell->fault, CRASH).nanos;
    const int64_t part = at.ns < bottom.ns ? at.ns - swell->from.ns : swell->until.ns - at.ns;
    const int64_t whole =
        at.ns < bottom.ns ? bottom.ns - swell->from.ns : swell->until.ns - bottom.ns;
    int64_t fallen = 0;
    CHECK(whole > 0 && decimal_mul_div(depth, part, whole, &fallen, NULL) == ERR_OK);
    return (struct ratio){NANOS - fallen};
}

/* On the tick, never nothing. */
static struct usd tradable(struct usd price) {
    const struct usd tick = {price.nanos < NANOS ? NANOS / 10000 : NANOS / 100};
    return usd_max(usd_floor(price, tick), tick);
}

static void widen(struct market_quote *quote, struct ratio factor) {
    const struct usd middle = {(quote->bid.nanos + quote->ask.nanos) / 2};
    const struct usd half =
        usd_scale((struct usd){(quote->ask.nanos - quote->bid.nanos) / 2}, factor);
    quote->bid = tradable(usd_sub(middle, half));
    quote->ask = tradable(usd_add(middle, half));
}

static void bend_quote(void *context, size_t symbol, struct utc at, struct market_quote *quote) {
    const struct sea *sea = context;
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->symbol != symbol || !is_in(swell, at)) {
            continue;
        }
        if (moves_prices(swell)) {
            const struct usd tick = {NANOS / 10000};
            const struct ratio factor = factor_at(swell, at);
            quote->bid = tradable(usd_scale(quote->bid, factor));
            quote->ask = tradable(usd_scale(quote->ask, factor));
            quote->ask = usd_max(quote->ask, tradable(usd_add(quote->bid, tick)));
        } else if (swell->fault->point == POINT_MARKET_WIDE_SPREAD) {
            widen(quote, fault_factor(swell->fault, SPREAD));
        }
    }
}

static void bend_trade(void *context, size_t symbol, struct utc at, struct market_trade *trade) {
    const struct sea *sea = context;
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        /* what happened in the window stays what it was; behind a split it is told in the new shares */
        const bool is_other_stock = is_split(swell->fault) || is_spin_off(swell->fault);
        const struct utc when = is_other_stock ? at : trade->at;
        if (swell->symbol != symbol || !is_in(swell, when)) {
            continue;
        }
        if (moves_prices(swell)) {
            trade->price = tradable(usd_scale(trade->price, factor_at(swell, when)));
        } else if (stops_trades(swell) && swell->has_trade) {
            *trade = swell->trade;
        }
    }
}

static void scale_bar(const struct swell *swell, struct market_bar *bar) {
    const struct utc last = {bar->at.ns + MINUTE.ns - 1};
    const struct ratio first = factor_at(swell, bar->at);
    const struct ratio end = factor_at(swell, last);
    const struct utc bottom = bottom_of(swell);
    int64_t low = first.nanos < end.nanos ? first.nanos : end.nanos;
    const int64_t high = first.nanos > end.nanos ? first.nanos : end.nanos;
    if (bottom.ns >= bar->at.ns && bottom.ns <= last.ns) {
        low = factor_at(swell, bottom).nanos;
    }
    bar->open = usd_scale(bar->open, first);
    bar->close = usd_scale(bar->close, end);
    bar->high = usd_scale(bar->high, (struct ratio){high});
    bar->low = usd_scale(bar->low, (struct ratio){low});
    bar->vwap = usd_scale(bar->vwap, (struct ratio){(low + high) / 2});
}

static bool bend_bar(void *context, size_t symbol, struct market_bar *bar) {
    const struct sea *sea = context;
    const struct utc end = utc_add(bar->at, MINUTE);
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->symbol != symbol || swell->from.ns >= end.ns || swell->until.ns <= bar->at.ns) {
            continue;
        }
        if (moves_prices(swell)) {
            scale_bar(swell, bar);
        } else if (stops_trades(swell) && swell->from.ns <= bar->at.ns &&
                   swell->until.ns >= end.ns) {
            return false;
        }
    }
    return true;
}

static bool is_halted(void *context, size_t symbol, struct utc at) {
    const struct sea *sea = context;
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->symbol == symbol && swell->fault->point == POINT_MARKET_HALT &&
            is_in(swell, at)) {
            return true;
        }
    }
    return false;
}

void sea_told(void *context, size_t symbol, struct market_quote *quote) {
    const struct sea *sea = context;
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->symbol != symbol || !is_in(swell, now)) {
            continue;
        }
        if (swell->fault->point == POINT_MARKET_QUOTE_STALE && swell->has_quote) {
            *quote = swell->quote;
        } else if (swell->fault->point == POINT_MARKET_QUOTE_CROSSED) {
            const struct usd bid = quote->bid;
            quote->bid = quote->ask;
            quote->ask = bid;
        } else if (swell->fault->point == POINT_MARKET_QUOTE_ZERO) {
            quote->ask = (struct usd){0};
            quote->ask_size = 0;
        }
    }
}

struct date next_weekday(struct date date) {
    do {
        date = date_add(date, 1);
    } while (date_weekday(date) >= 5);
    return date;
}

/* What a spin-off gives is no stock of its own before. */
static bool is_unlisted(const struct sea *sea, size_t symbol, struct utc now) {
    for (size_t i = 0; i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (is_spin_off(swell->fault) && now.ns < swell->from.ns &&
            spun_symbol(sea, swell) == symbol) {
            return true;
        }
    }
    return false;
}

void sea_asset(void *context, size_t symbol, struct sim_asset *asset) {
    const struct sea *sea = context;
    const struct utc now = virtual_clock_now(sea->clock);
    asset->is_tradable &= !is_unlisted(sea, symbol, now);
    for (size_t i = 0; sea->of_symbol[symbol] > 0 && i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->symbol == symbol && swell->fault->point == POINT_MARKET_SPLIT) {
            split_announce(swell, asset);
            continue;
        }
        if (swell->symbol == symbol && swell->fault->point == POINT_MARKET_SPIN_OFF) {
            spin_off_announce(sea, swell, asset);
            continue;
        }
        if (swell->symbol != symbol || !is_in(swell, now)) {
            continue;
        }
        asset->is_tradable &= swell->fault->point != POINT_ASSET_NOT_TRADABLE;
        asset->is_otc |= swell->fault->point == POINT_ASSET_OTC;
        if (swell->fault->point == POINT_ASSET_HOUSE_MARGIN) {
            asset->house_margin = fault_factor(swell->fault, (struct ratio){NANOS});
        }
        if (swell->fault->point == POINT_ASSET_ACTION) {
            asset->has_dividend = true;
            asset->ex_date = next_weekday(ny_date(swell->from));
        }
    }
}

void sea_prices_init(struct sea *sea) {
    if (sea_has(sea, "market")) {
        market_set_weather(sea->market, &(struct market_weather){.context = sea,
                                                                 .quote = bend_quote,
                                                                 .trade = bend_trade,
                                                                 .bar = bend_bar,
                                                                 .is_halted = is_halted});
    }
}
