/* expectancy.h - what a trade may be expected to bring, and how certain that is: the mean of profits, and the upper
 * bound of it.
 *
 * The bound is t x s / sqrt(n) above the mean: t is Student's 95 % quantile, one-sided, of n - 1 degrees, because the
 * spread s is estimated from the same few profits, and only a bound from above is asked for. Where
 * profits are no normal variable it is an approximation, good from some thirty of them on; for fewer it lies
 * higher than the normal bound would. Statistics: no amount is decided by them. */
#ifndef CORE_SIGNALS_EXPECTANCY_H
#define CORE_SIGNALS_EXPECTANCY_H

#include "core/base/decimal.h"

#include <stddef.h>

struct expectancy {
    size_t count;
    struct usd mean, upper; /* of one, to the nearest nano; of none both are 0 */
    bool is_losing;         /* the upper bound is below zero; never of fewer than two */
};

/* Student's 95 % quantile, one-sided, of so many degrees of freedom, at least one; to 1e-5. */
double student_95(size_t degrees);
/* How far profits follow what was known of each trade before it: Pearson's correlation, -1 to 1, of `most`, to the
 * nearest. 0 where either stood still. The sum of either fits into an int64_t. */
int64_t expectancy_follows(const struct ratio *known, const struct usd *profits, size_t count,
                           int64_t most);
/* Of fewer than two profits there is no bound: it is 0, and they show nothing. */
struct expectancy expectancy_of(const struct usd *profits, size_t count);

#endif
