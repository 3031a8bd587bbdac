/* expectancy.c - mean, spread and Student's quantile. */
#include "core/signals/expectancy.h"

#include "core/base/mutant.h"

#include <math.h>

/* Up to 30 degrees the tables' values, then Abramowitz & Stegun 26.7.5, which is exact to 1e-6 there. */
double student_95(size_t degrees) {
    static const double table[] = {6.313752, 2.919986, 2.353363, 2.131847, 2.015048, 1.943180,
                                   1.894579, 1.859548, 1.833113, 1.812461, 1.795885, 1.782288,
                                   1.770933, 1.761310, 1.753050, 1.745884, 1.739607, 1.734064,
                                   1.729133, 1.724718, 1.720743, 1.717144, 1.713872, 1.710882,
                                   1.708141, 1.705618, 1.703288, 1.701131, 1.699127, 1.697261};
    if (degrees <= sizeof table / sizeof table[0]) {
        return table[degrees == 0 ? 0 : degrees - 1];
    }
    const double z = 1.6448536269514722; /* the normal quantile */
    const double n = (double)degrees, z2 = z * z;
    double first = z * (z2 + 1) / 4;
    double second = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    return z + first / n + second / (n * n) + third / (n * n * n);
}

/* Doubles of nanos are whole up to nine million dollars, so a bound of zero is zero. */
static double mean_of(const struct usd *profits, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)profits[i].nanos;
    }
    return sum / (double)count;
}

/* The standard error of the mean. */
static double error_of(const struct usd *profits, size_t count, double mean) {
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double off = (double)profits[i].nanos - mean;
        squares += off * off;
    }
    return sqrt(squares / (double)(count - 1) / (double)count);
}

/* What lies beyond what an amount can be is the most that one can. */
static struct usd rounded(double nanos) {
    int64_t most = nanos < 0 ? -INT64_MAX : INT64_MAX;
    return (struct usd){fabs(nanos) < 9.2e18 ? llround(nanos) : most};
}

static bool is_losing(struct usd mean, struct usd upper) {
    MUTATE(performance_bound_off_by_one, upper.nanos--);
    MUTATE(performance_mean_for_bound, upper = mean);
    (void)mean;
    return upper.nanos < 0;
}

struct expectancy expectancy_of(const struct usd *profits, size_t count) {
    struct expectancy expectancy = {.count = count};
    if (count == 0) {
        return expectancy;
    }
    double mean = mean_of(profits, count);
    expectancy.mean = rounded(mean);
    if (count < 2) {
        return expectancy;
    }
    expectancy.upper = rounded(mean + student_95(count - 1) * error_of(profits, count, mean));
    expectancy.is_losing = is_losing(expectancy.mean, expectancy.upper);
    return expectancy;
}

/* Sums are whole, so that the mean of equal numbers is that number, and none of them is off it. */
int64_t expectancy_follows(const struct ratio *known, const struct usd *profits, size_t count,
                           int64_t most) {
    int64_t x_sum = 0, y_sum = 0;
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        x_sum += known[i].nanos;
        y_sum += profits[i].nanos;
    }
    const double x_mean = (double)x_sum / (double)count, y_mean = (double)y_sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        double x = ((double)known[i].nanos - x_mean) / 1e9;
        double y = ((double)profits[i].nanos - y_mean) / 1e9;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xx > 0 && yy > 0 ? llround((double)most * (xy / (sqrt(xx) * sqrt(yy)))) : 0;
}
