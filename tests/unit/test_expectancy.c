/* test_expectancy.c - Student's quantile beside the tables, the bound at zero and one step beside it. */
#include "core/signals/expectancy.h"

#include <criterion/criterion.h>
#include <math.h>

Test(expectancy, student_is_as_the_tables_have_it) {
    static const struct {
        size_t degrees;
        double quantile;
    } rows[] = {{1, 6.313752},  {2, 2.919986},   {10, 1.812461}, {30, 1.697261},
                {31, 1.695519}, {40, 1.683851},  {49, 1.676551}, {60, 1.670649},
                {99, 1.660391}, {120, 1.657651}, {499, 1.647913}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double is = student_95(rows[i].degrees);
        cr_expect(fabs(is - rows[i].quantile) < 1e-5, "%zu: %.7f", rows[i].degrees, is);
        cr_expect(i == 0 || is < student_95(rows[i - 1].degrees));
    }
    cr_expect_eq(student_95(0), student_95(1));
}

Test(expectancy, mean_and_bound_of_three) {
    const struct usd profits[] = {USD(30), USD(10), USD(20)};
    struct expectancy expectancy = expectancy_of(profits, 3);
    cr_expect_eq(expectancy.count, 3);
    cr_expect_eq(expectancy.mean.nanos, 20 * NANOS);
    double bound = 20 - 2.919986 * 10 / sqrt(3);
    cr_expect(fabs((double)expectancy.bound.nanos / (double)NANOS - bound) < 1e-5);
    cr_expect(expectancy.is_proven);
}

Test(expectancy, of_none_and_of_one_nothing_is_proven) {
    const struct usd profit = USD(1000000);
    for (size_t count = 0; count < 2; count++) {
        struct expectancy expectancy = expectancy_of(&profit, count);
        cr_expect_not(expectancy.is_proven);
        cr_expect_eq(expectancy.bound.nanos, 0);
        cr_expect_eq(expectancy.mean.nanos, (int64_t)count * 1000000 * NANOS);
    }
}

/* Of two it is the mean less 6.313752 times half their difference. */
Test(expectancy, a_bound_of_zero_is_proven_and_one_below_is_not) {
    static const struct {
        int64_t first, second; /* nanos */
        bool is_proven;
    } rows[] = {{1000000000, 726542600, true},
                {1000000000, 726542400, false},
                {0, 0, true},
                {1, 0, false},
                {-1, -1, false},
                {5000000000, 5000000000, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct usd profits[] = {{rows[i].first}, {rows[i].second}};
        cr_expect_eq(expectancy_of(profits, 2).is_proven, rows[i].is_proven, "row %zu", i);
    }
}
