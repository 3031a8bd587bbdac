/* expectancy.h - what a trade may be expected to bring, and how certain that is: the mean of profits, and the lower
 * bound of it.
 *
 * The bound is t x s / sqrt(n) below the mean: t is Student's 95 % quantile, one-sided, of n - 1 degrees, because the
 * spread s is estimated from the same few profits, and only a bound from below is asked for. Where
 * profits are no normal variable it is an approximation, good from some thirty of them on; for fewer it lies
 * lower than the normal bound would. Statistics: no amount is decided by them. */
#ifndef CORE_SIGNALS_EXPECTANCY_H
#define CORE_SIGNALS_EXPECTANCY_H

#include "core/base/decimal.h"

#include <stddef.h>

struct expectancy {
    size_t count;
    struct usd mean, bound; /* of one, to a millionth of a dollar; of none both are 0 */
    bool is_proven;         /* the bound is not below zero; never of fewer than two */
};

/* Student's 95 % quantile, one-sided, of so many degrees of freedom, at least one; to 1e-5. */
double student_95(size_t degrees);
/* Of fewer than two profits there is no bound: it is 0, and nothing is proven. */
struct expectancy expectancy_of(const struct usd *profits, size_t count);

#endif
