/* path.c - a minute told second by second: prices, quotes around them, and the volume's seconds.
 *
 * Prices are anchored at open (second 0), the two extremes (drawn seconds, drawn order) and close
 * (second 59); between anchors a bridge with noise moves on the tick and never leaves [low, high].
 * Anchors are told exactly, even off the tick: real prints are. All draws come from streams keyed
 * by (seed, symbol, minute); spread and depth look only at finished bars of the same session. */
#include "broker_sim/market/market_internal.h"

#include "core/base/random.h"

enum { RECENT_BARS = 10 };

struct recent {
    double range;   /* mean (high - low) / close */
    int64_t volume; /* mean shares in a bar */
};

/* What the last finished bars of this session show; a guess before the first is over. */
static struct recent look_back(const struct market *market, size_t symbol, int32_t number) {
    int32_t first = number - number % SESSION_MINUTES;
    double range = 0.0;
    int64_t volume = 0;
    int count = 0;
    int32_t at = market_slot(market, symbol, number)->bar_before;
    while (at >= first && count < RECENT_BARS) {
        const struct slot *slot = market_slot(market, symbol, at);
        range += (double)(slot->high - slot->low) / (double)slot->close;
        volume += slot->volume;
        count++;
        at = slot->bar_before;
    }
    if (count == 0) {
        return (struct recent){.range = 0.0015, .volume = 20000};
    }
    return (struct recent){.range = range / count, .volume = volume / count};
}

/* 0.2 basis points and a tenth of a minute's usual range, three times that at the open, fading;
 * at most 5 % of the price. The caller raises it to a tick. */
static int64_t spread_of(int64_t price, double range, int32_t minute) {
    double opening = 1.0 + 10.0 / (5.0 + (double)minute);
    double part = (0.00002 + 0.1 * range) * opening;
    return (int64_t)((double)price * (part < 0.05 ? part : 0.05));
}

/* Bid and ask around a price, `spread` apart at least: bid <= price <= ask, both on the tick. */
static void quote_around(struct step *step, int64_t spread, uint64_t draw) {
    bool is_subpenny = step->price < NANOS;
    int64_t tick = is_subpenny ? SUBPENNY_NANOS : CENT_NANOS;
    int64_t ticks = is_subpenny ? (spread + SUBPENNY_NANOS - 1) / SUBPENNY_NANOS
                                : (spread + CENT_NANOS - 1) / CENT_NANOS;
    ticks = ticks < 1 ? 1 : ticks;
    int64_t base = is_subpenny ? step->price / SUBPENNY_NANOS * SUBPENNY_NANOS
                               : step->price / CENT_NANOS * CENT_NANOS;
    int64_t below = base == step->price ? (ticks + (int64_t)(draw & 1)) / 2 : (ticks - 1) / 2;
    step->bid = base - below * tick;
    if (step->bid < tick) {
        step->bid = tick;
    }
    step->ask = step->bid + ticks * tick;
}

/* Moves from second `from` (told) to second `to` (told exactly as target). */
static void bridge(struct path *path, int from, int to, int64_t target, const struct slot *bar,
                   struct random *random) {
    /* 1 / n by hand: a division per step would be half of the cost of a path */
    static const double one_over[MINUTE_SECONDS] = {
        0.0,      1.0 / 1,  1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,  1.0 / 8,
        1.0 / 9,  1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15, 1.0 / 16, 1.0 / 17,
        1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21, 1.0 / 22, 1.0 / 23, 1.0 / 24, 1.0 / 25, 1.0 / 26,
        1.0 / 27, 1.0 / 28, 1.0 / 29, 1.0 / 30, 1.0 / 31, 1.0 / 32, 1.0 / 33, 1.0 / 34, 1.0 / 35,
        1.0 / 36, 1.0 / 37, 1.0 / 38, 1.0 / 39, 1.0 / 40, 1.0 / 41, 1.0 / 42, 1.0 / 43, 1.0 / 44,
        1.0 / 45, 1.0 / 46, 1.0 / 47, 1.0 / 48, 1.0 / 49, 1.0 / 50, 1.0 / 51, 1.0 / 52, 1.0 / 53,
        1.0 / 54, 1.0 / 55, 1.0 / 56, 1.0 / 57, 1.0 / 58, 1.0 / 59};
    int64_t tick = price_tick(bar->open);
    int64_t lowest = (bar->low + tick - 1) / tick;
    int64_t highest = bar->high / tick;
    double noise = (double)(highest - lowest) * 0.25;
    double there = (double)target / (double)tick;
    double here = (double)path->steps[from].price / (double)tick;
    for (int s = from + 1; s < to; s++) {
        here += (there - here) * one_over[to - s + 1] + noise * (random_unit(random) - 0.5);
        int64_t ticks = (int64_t)(here + 0.5);
        if (ticks < lowest) {
            ticks = lowest;
        }
        if (ticks > highest) {
            ticks = highest;
        }
        here = (double)ticks;
        /* no tick inside [low, high]: only the anchors' own prices are */
        path->steps[s].price = lowest > highest ? path->steps[from].price : ticks * tick;
    }
    path->steps[to].price = target;
}

/* Splits a volume over seconds, exactly. Open, extremes and close trade first, then drawn weights.
 */
static void split_volume(const struct market *market, size_t symbol, int64_t minute_ns,
                         int64_t volume, int first, int second, uint32_t out[MINUTE_SECONDS]) {
    struct random random = random_stream(market->seed, "volume", market->symbols[symbol].key,
                                         (uint64_t)(minute_ns / MINUTE_NS), 0);
    uint32_t sums[MINUTE_SECONDS];
    uint32_t sum = 0;
    uint64_t bits = 0;
    for (int s = 0; s < MINUTE_SECONDS; s++, bits >>= 8) {
        bits = s % 8 == 0 ? random_next(&random) : bits;
        uint32_t weight = (uint32_t)(bits & 255); /* squared: volume comes in bursts */
        sum += 1 + weight * weight;
        sums[s] = sum;
    }
    const int anchors[] = {MINUTE_SECONDS - 1, 0, first, second};
    int64_t served = volume < 4 ? volume : 4;
    int64_t rest = volume - served;
    double share = (double)rest / (double)sum;
    int64_t told = 0;
    for (int s = 0; s < MINUTE_SECONDS; s++) {
        int64_t upto = s == MINUTE_SECONDS - 1 ? rest : (int64_t)((double)sums[s] * share);
        upto = upto > rest ? rest : upto;
        out[s] = (uint32_t)(upto - told);
        told = upto;
    }
    for (int64_t i = 0; i < served; i++) {
        out[anchors[i]]++;
    }
}

static int64_t minute_start(const struct market *market, int32_t number) {
    return market->sessions[number / SESSION_MINUTES].open.ns +
           (number % SESSION_MINUTES) * MINUTE_NS;
}

/* The last trade of a minute with volume is always its close, in second 59. */
static void last_trade_of(const struct market *market, size_t symbol, int32_t number,
                          struct market_trade *out) {
    const struct slot *slot = market_slot(market, symbol, number);
    int64_t start_ns = minute_start(market, number);
    uint32_t volume[MINUTE_SECONDS];
    split_volume(market, symbol, start_ns, slot->volume, 1, 2, volume); /* second 59 is the same */
    int64_t second = start_ns / SECOND_NS + MINUTE_SECONDS - 1;
    *out = (struct market_trade){.at = {second * SECOND_NS},
                                 .price = {slot->close},
                                 .size = volume[MINUTE_SECONDS - 1],
                                 .id = second};
}

static void tell_trades(const struct market *market, size_t symbol, int32_t number, int first,
                        int second, struct path *out) {
    const struct slot *slot = market_slot(market, symbol, number);
    if (slot->open > 0 && slot->volume > 0) {
        uint32_t volume[MINUTE_SECONDS];
        split_volume(market, symbol, out->start_ns, slot->volume, first, second, volume);
        for (int s = 0; s < MINUTE_SECONDS; s++) {
            out->steps[s].volume = volume[s];
        }
    }
    int32_t traded = -1;
    for (int s = 0; s < MINUTE_SECONDS; s++) {
        traded = out->steps[s].volume > 0 ? s : traded;
        out->steps[s].traded = traded;
    }
    if (out->steps[0].traded < 0 && slot->traded_before >= 0) {
        out->has_trade_before = true;
        last_trade_of(market, symbol, slot->traded_before, &out->trade_before);
    }
}

/* A minute with a bar. Returns the seconds of its extremes. */
static void tell_bar(const struct slot *bar, struct random *random, struct path *out, int *first,
                     int *second) {
    int a = 1 + (int)random_below(random, 58);
    int b = 1 + (int)random_below(random, 57);
    b += b >= a;
    *first = a < b ? a : b;
    *second = a < b ? b : a;
    /* a rising minute mostly visits its low first */
    int64_t low_first = bar->close > bar->open   ? 750000000
                        : bar->close < bar->open ? 250000000
                                                 : 500000000;
    bool is_low_first = random_chance(random, low_first);
    out->steps[0].price = bar->open;
    bridge(out, 0, *first, is_low_first ? bar->low : bar->high, bar, random);
    bridge(out, *first, *second, is_low_first ? bar->high : bar->low, bar, random);
    bridge(out, *second, MINUTE_SECONDS - 1, bar->close, bar, random);
}

/* A minute without one: quotes stay within a tick of the last close. */
static void tell_still(int64_t close, struct random *random, struct path *out) {
    int64_t tick = price_tick(close);
    int64_t away = 0;
    for (int s = 0; s < MINUTE_SECONDS; s++) {
        uint64_t draw = random_below(random, 16); /* 0: down, 1: up, else stay */
        away += draw == 0 && away > -1 ? -1 : draw == 1 && away < 1 ? 1 : 0;
        int64_t price = close + away * tick;
        out->steps[s].price = price < SUBPENNY_NANOS ? close : price;
    }
}

void path_draw(const struct market *market, size_t symbol, int32_t number, struct path *out) {
    const struct slot *slot = market_slot(market, symbol, number);
    int64_t start_ns = minute_start(market, number);
    struct random random = random_stream(market->seed, "path", market->symbols[symbol].key,
                                         (uint64_t)(start_ns / MINUTE_NS), 0);
    *out = (struct path){.start_ns = start_ns, .size_key = random_next(&random)};
    int first = 1;
    int second = 2;
    int64_t reference = slot->open;
    if (slot->open > 0) {
        tell_bar(slot, &random, out, &first, &second);
    } else {
        reference = market_slot(market, symbol, slot->bar_before)->close;
        tell_still(reference, &random, out);
    }
    struct recent recent = look_back(market, symbol, number);
    int64_t spread = spread_of(reference, recent.range, number % SESSION_MINUTES);
    uint64_t sides = random_next(&random);
    for (int s = 0; s < MINUTE_SECONDS; s++) {
        quote_around(&out->steps[s], spread, sides >> s);
    }
    int64_t depth = recent.volume / 20000;
    out->depth_lots = depth < 1 ? 1 : depth > 50 ? 50 : depth;
    tell_trades(market, symbol, number, first, second, out);
}
