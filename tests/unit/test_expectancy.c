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
    double upper = 20 + 2.919986 * 10 / sqrt(3);
    cr_expect(fabs((double)expectancy.upper.nanos / (double)NANOS - upper) < 1e-5);
    cr_expect_not(expectancy.is_losing);
}

Test(expectancy, none_and_one_show_nothing) {
    const struct usd profit = USD(-1000000);
    for (size_t count = 0; count < 2; count++) {
        struct expectancy expectancy = expectancy_of(&profit, count);
        cr_expect_not(expectancy.is_losing);
        cr_expect_eq(expectancy.upper.nanos, 0);
        cr_expect_eq(expectancy.mean.nanos, (int64_t)count * -1000000 * NANOS);
    }
}

/* Of two it is the mean plus 6.313752 times half their difference. */
Test(expectancy, a_bound_of_zero_shows_no_loss_and_one_nano_below_does) {
    static const struct {
        int64_t first, second, upper; /* nanos */
    } rows[] = {{-5313752000, -7313752000, 0},
                {-5313752001, -7313752001, -1},
                {-5313751999, -7313751999, 1},
                {-7313752001, -5313752001, -1},
                {0, 0, 0},
                {-1, -1, -1},
                {1, 1, 1},
                {-5000000000, -5000000000, -5000000000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct usd profits[] = {{rows[i].first}, {rows[i].second}};
        struct expectancy expectancy = expectancy_of(profits, 2);
        cr_expect_eq(expectancy.upper.nanos, rows[i].upper, "row %zu: %lld", i,
                     (long long)expectancy.upper.nanos);
        cr_expect_eq(expectancy.is_losing, rows[i].upper < 0, "row %zu", i);
    }
}

Test(expectancy,
     how_far_profits_follow_is_their_correlation_and_nothing_where_either_stands_still) {
    static const struct {
        int64_t known[4], profits[4], share; /* of 50 */
    } rows[] = {{{1, 2, 3, 4}, {10, 20, 30, 40}, 50},
                {{4, 3, 2, 1}, {-4, -3, -2, -1}, -50},
                {{1, 2, 3, 4}, {2, 1, 4, 3}, 30},
                {{1, 2, 1, 2}, {1, 1, 2, 2}, 0},
                {{333333333, 333333333, 333333333, 333333333}, {1, 2, 3, 4}, 0},
                {{1, 2, 3, 4}, {-333333333, -333333333, -333333333, -333333333}, 0},
                {{0, 0, 0, 1}, {0, 0, 0, NANOS}, 50}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ratio known[4];
        struct usd profits[4];
        for (int k = 0; k < 4; k++) {
            known[k].nanos = rows[i].known[k];
            profits[k].nanos = rows[i].profits[k];
        }
        cr_expect_eq(expectancy_follows(known, profits, 4, 50), rows[i].share, "row %zu", i);
    }
    cr_expect_eq(expectancy_follows(NULL, NULL, 0, 50), 0);
}

Test(expectancy, a_mean_below_zero_alone_is_no_loss_and_neither_is_an_absurd_spread) {
    const struct usd uncertain[] = {USD(10), USD(-11)};
    cr_expect_not(expectancy_of(uncertain, 2).is_losing);
    const struct usd absurd[] = {{INT64_MAX}, {-INT64_MAX}};
    cr_expect_eq(expectancy_of(absurd, 2).upper.nanos, INT64_MAX);
    cr_expect_not(expectancy_of(absurd, 2).is_losing);
    const struct usd lost[] = {{-INT64_MAX}, {-INT64_MAX}};
    cr_expect(expectancy_of(lost, 2).is_losing);
}
