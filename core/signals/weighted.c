/* weighted.c - four signals over the bars of one session and their weighted mean.
 *
 * Doubles are statistics here and only + - * / and sqrt touch them (same bits everywhere); the core
 * compares the mean, rounded to nanos, and amounts of money never come from it.
 *
 * Each signal x goes through gain * x / (1 + |gain * x|). The gains are measured, not derived: see
 * GAIN_MOMENTUM. */
#include "core/signals/weighted.h"

#include "core/base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOMENTUM_BARS 10 /* minutes of the move */
#define BREAKOUT_BARS 20 /* minutes whose range is broken */
#define VOLUME_BARS 3    /* minutes whose volume is compared */

/* Measured on minute bars of eight stocks, 2022-03-14..04-18 (AAPL TSLA FB AMC GME NFLX GOOG SNOW), with
 * the default weights: 2.75 % of minutes reach a score of 0.55 (the default threshold is 0.50), and from
 * there it falls to 0.40 of itself after 9 minutes on average. Doubling the gains of momentum and
 * breakout gives 9.3 %, which is noise at the edge of saturation. */
#define GAIN_MOMENTUM 3.0
#define GAIN_REVERSION 1.0
#define GAIN_BREAKOUT 3.0
#define GAIN_VOLUME 2.0

enum { PARTS = 4 };
static const char *const NAMES[PARTS] = {"momentum", "reversion", "breakout", "volume"};

struct weighted {
    struct strategy base;
    double weights[PARTS], learned[PARTS]; /* in the order of the parts */
};

/* The session's bars of a symbol as doubles, oldest first. */
struct series {
    size_t n;
    double close[BARS_KEPT];
    double high[BARS_KEPT];
    double low[BARS_KEPT];
    double volume[BARS_KEPT];
};

static void series_fill(struct series *series, const struct bars *bars, size_t index, size_t n) {
    size_t skipped = bars_count(bars, index) - n;
    series->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct broker_bar *bar = bars_at(bars, index, skipped + i);
        series->close[i] = usd_to_double(bar->close);
        series->high[i] = usd_to_double(bar->high);
        series->low[i] = usd_to_double(bar->low);
        series->volume[i] = (double)bar->volume;
    }
}

static double squash(double x) {
    return x / (1.0 + fabs(x));
}

/* Zero where nothing moved: a quotient of nothing is no signal. */
static double over(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

/* Mean absolute move of a minute, as the unit of moves: robust against one wild bar. */
static double minute_move(const struct series *s) {
    double sum = 0;
    for (size_t i = 1; i < s->n; i++) {
        sum += fabs(s->close[i] - s->close[i - 1]);
    }
    return sum / (double)(s->n - 1);
}

/* The move of the last minutes, in units of a random walk's move over as many. */
static double momentum(const struct series *s) {
    double move = s->close[s->n - 1] - s->close[s->n - 1 - MOMENTUM_BARS];
    return over(move, minute_move(s) * sqrt((double)MOMENTUM_BARS));
}

/* How far the close stands below the session's mean, in standard deviations. */
static double reversion(const struct series *s) {
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->close[i];
    }
    double mean = sum / (double)s->n;
    double squares = 0;
    for (size_t i = 0; i < s->n; i++) {
        squares += (s->close[i] - mean) * (s->close[i] - mean);
    }
    return over(mean - s->close[s->n - 1], sqrt(squares / (double)s->n));
}

/* Where the close stands against the range of the minutes before: 1 at its top, -1 at its bottom. */
static double breakout(const struct series *s) {
    size_t last = s->n - 1;
    double high = s->high[last - BREAKOUT_BARS];
    double low = s->low[last - BREAKOUT_BARS];
    for (size_t i = last - BREAKOUT_BARS; i < last; i++) {
        high = s->high[i] > high ? s->high[i] : high;
        low = s->low[i] < low ? s->low[i] : low;
    }
    return over(s->close[last] - (high + low) / 2, (high - low) / 2);
}

/* Volume beyond the session's mean, with the sign of the move it came with. */
static double volume(const struct series *s) {
    double sum = 0;
    double recent = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->volume[i];
        recent += i + VOLUME_BARS >= s->n ? s->volume[i] : 0;
    }
    double excess = over(recent / VOLUME_BARS, sum / (double)s->n) - 1;
    double move = s->close[s->n - 1] - s->close[s->n - 1 - VOLUME_BARS];
    if (excess <= 0 || move == 0) {
        return 0;
    }
    return move > 0 ? excess : -excess;
}

static struct ratio to_ratio(double value) {
    return (struct ratio){llround(value * 1e9)}; /* |value| <= 1 */
}

static struct ratio mean_of(const double *weights, const double *parts) {
    double sum = 0;
    double whole = 0;
    for (size_t i = 0; i < PARTS; i++) {
        sum += weights[i] * parts[i];
        whole += weights[i];
    }
    return to_ratio(over(sum, whole));
}

static void weighted_score(const struct strategy *strategy, const struct bars *bars, size_t index,
                           struct score *out) {
    const struct weighted *weighted = (const struct weighted *)strategy;
    size_t n = bars_in_session(bars, index);
    *out = (struct score){0};
    if (n < WEIGHTED_BARS_MIN) {
        return;
    }
    struct series series;
    series_fill(&series, bars, index, n);
    const double parts[PARTS] = {
        squash(GAIN_MOMENTUM * momentum(&series)), squash(GAIN_REVERSION * reversion(&series)),
        squash(GAIN_BREAKOUT * breakout(&series)), squash(GAIN_VOLUME * volume(&series))};
    for (size_t i = 0; i < PARTS; i++) {
        out->parts[i] = (struct score_part){NAMES[i], to_ratio(parts[i])};
    }
    out->part_count = PARTS;
    out->value = mean_of(weighted->weights, parts);
    out->learned = mean_of(weighted->learned, parts);
    out->is_known = true;
}

/* A thousand thousandths are the weight itself, to the bit. */
static void weighted_weigh(struct strategy *strategy, const int64_t *thousandths) {
    struct weighted *weighted = (struct weighted *)strategy;
    for (size_t i = 0; i < PARTS; i++) {
        CHECK(thousandths[i] > 0);
        weighted->learned[i] = weighted->weights[i] * ((double)thousandths[i] / 1000.0);
    }
}

static void weighted_destroy(struct strategy *strategy) {
    free(strategy);
}

static double weight_of(struct ratio weight) {
    return (double)weight.nanos / 1e9;
}

struct strategy *weighted_create(const struct config *config) {
    static const struct strategy_ops ops = {
        .score = weighted_score, .weigh = weighted_weigh, .destroy = weighted_destroy};
    struct weighted *weighted = calloc(1, sizeof *weighted);
    CHECK(weighted != NULL);
    weighted->base = (struct strategy){.ops = &ops, .parts = NAMES, .part_count = PARTS};
    weighted->weights[0] = weight_of(config->weight_momentum);
    weighted->weights[1] = weight_of(config->weight_reversion);
    weighted->weights[2] = weight_of(config->weight_breakout);
    weighted->weights[3] = weight_of(config->weight_volume);
    memcpy(weighted->learned, weighted->weights, sizeof weighted->learned);
    return &weighted->base;
}
