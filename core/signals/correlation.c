/* correlation.c - one walk back over two rings of bars, five sums, one comparison of squares. */
#include "core/signals/correlation.h"

#include "core/base/mutant.h"

#define MILLION INT64_C(1000000)

struct sums { /* of returns in millionths, each below CORRELATION_JUMP */
    int64_t n, x, y, xx, yy, xy;
};

/* The return of the bar at `position` to the bar before it; false if it is no sample. */
static bool return_at(const struct bars *bars, size_t index, size_t position, int64_t *out) {
    const struct broker_bar *bar = bars_at(bars, index, position);
    const struct broker_bar *before = bars_at(bars, index, position - 1);
    int64_t change = bar->close.nanos - before->close.nanos;
    bool is_next = utc_sub(bar->at, before->at).ns == SPAN_MIN(1).ns;
    if (!is_next || bar->close.nanos <= 0 || before->close.nanos <= 0 ||
        decimal_mul_div(change, MILLION, before->close.nanos, out, NULL) != ERR_OK) {
        return false;
    }
    MUTATE(cluster_still_counts, return true);
    return *out != 0 && *out > -CORRELATION_JUMP && *out < CORRELATION_JUMP;
}

static void take(struct sums *sums, int64_t x, int64_t y) {
    sums->n++;
    sums->x += x;
    sums->y += y;
    sums->xx += x * x;
    sums->yy += y * y;
    sums->xy += x * y;
}

static struct sums sums_of(const struct bars *bars, size_t one, size_t other, struct utc now) {
    struct sums sums = {0};
    struct utc from = utc_add(now, (struct span){-CORRELATION_WINDOW.ns});
    size_t i = bars_count(bars, one);
    size_t j = bars_count(bars, other);
    while (i > 1 && j > 1 && sums.n < CORRELATION_SAMPLES) {
        struct utc a = bars_at(bars, one, i - 1)->at;
        struct utc b = bars_at(bars, other, j - 1)->at;
        int64_t x = 0;
        int64_t y = 0;
        if (a.ns < from.ns || b.ns < from.ns) {
            break;
        }
        if (a.ns == b.ns && a.ns <= now.ns && return_at(bars, one, i - 1, &x) &&
            return_at(bars, other, j - 1, &y)) {
            take(&sums, x, y);
        }
        i -= a.ns >= b.ns;
        j -= b.ns >= a.ns;
    }
    return sums;
}

enum correlation correlation_against(const struct bars *bars, size_t one, size_t other,
                                     struct utc now, struct ratio bound) {
    struct sums s = sums_of(bars, one, other, now);
    int64_t least = CORRELATION_SAMPLES_MIN;
    MUTATE(cluster_samples_off_by_one, least--);
    /* each below 60 x 60 x 1e10 */
    __int128 cov = s.n * s.xy - s.x * s.y;
    __int128 var_x = s.n * s.xx - s.x * s.x;
    __int128 var_y = s.n * s.yy - s.y * s.y;
    if (s.n < least || var_x == 0 || var_y == 0) {
        return CORRELATION_UNKNOWN;
    }
    __int128 parts = bound.nanos / 10000; /* of 100,000 */
    __int128 is = cov * cov * 10000000000;
    __int128 most = parts * parts * var_x * var_y; /* below 1.3e37: it fits */
    MUTATE(cluster_bound_off_by_one, return cov > 0 && is >= most ? CORRELATION_ABOVE : CORRELATION_WITHIN);
    return cov > 0 && is > most ? CORRELATION_ABOVE : CORRELATION_WITHIN;
}
