/* histogram.h - how often a number fell between bounds, and the sum of all. */
#ifndef CORE_BASE_HISTOGRAM_H
#define CORE_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 12

/* Zero-initialise. Bounds are not kept: each histogram is always noted and printed with the same. */
struct histogram {
    int64_t counts[HISTOGRAM_BUCKETS + 1]; /* the last: above every bound */
    int64_t sum_nanos;
};

struct histogram_bounds { /* rising, in nanos of the unit; a number at a bound is below it */
    int64_t nanos[HISTOGRAM_BUCKETS];
    size_t count;
};

/* 10 ms to 10 s; -50 to 100 basis points. */
extern const struct histogram_bounds HISTOGRAM_SECONDS, HISTOGRAM_BPS;

void histogram_note(struct histogram *histogram, const struct histogram_bounds *bounds,
                    int64_t nanos);
int64_t histogram_count(const struct histogram *histogram);

#endif
