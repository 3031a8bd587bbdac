/* histogram.c - see histogram.h. */
#include "core/base/histogram.h"

#include "core/base/decimal.h"

#define MS(n) (INT64_C(1000000) * (n))
#define BPS(n) (NANOS * (n))

const struct histogram_bounds HISTOGRAM_SECONDS = {
    {MS(10), MS(25), MS(50), MS(100), MS(250), MS(500), MS(1000), MS(2500), MS(5000), MS(10000)},
    10};
const struct histogram_bounds HISTOGRAM_BPS = {{BPS(-50), BPS(-20), BPS(-10), BPS(-5), BPS(-2), 0,
                                                BPS(2), BPS(5), BPS(10), BPS(20), BPS(50),
                                                BPS(100)},
                                               12};

void histogram_note(struct histogram *histogram, const struct histogram_bounds *bounds,
                    int64_t nanos) {
    size_t i = 0;
    while (i < bounds->count && nanos > bounds->nanos[i]) {
        i++;
    }
    histogram->counts[i < bounds->count ? i : HISTOGRAM_BUCKETS]++;
    histogram->sum_nanos += nanos;
}

int64_t histogram_count(const struct histogram *histogram) {
    int64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        count += histogram->counts[i];
    }
    return count;
}
