/* test_correlation.c - what counts as a return, how many are enough, and the bound, each at its edge. */
#include "core/signals/correlation.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const struct ratio BOUND = {NANOS / 10 * 8};

static struct utc minute(int64_t n) {
    return utc_add((struct utc){INT64_C(1700000000) / 60 * 60 * NANOS}, SPAN_MIN(n));
}

/* The closes after a first of 1,000 USD: + and - move by 100 millionths, = not at all, J by a tenth, j by
 * a millionth less; . has no bar, 0 and < are no prices. */
static void walk(struct bars *bars, size_t index, const char *moves) {
    int64_t close = 1000 * NANOS;
    struct broker_bar bar = {.at = minute(0), .close = {close}};
    bars_add(bars, index, &bar);
    for (size_t i = 0; moves[i] != '\0'; i++) {
        close += moves[i] == '+'   ? close / 10000
                 : moves[i] == '-' ? -(close / 10000)
                 : moves[i] == 'J' ? close / 10
                 : moves[i] == 'j' ? close / 1000000 * 99999
                                   : 0;
        bar = (struct broker_bar){.at = minute((int64_t)i + 1), .close = {close}};
        bar.close.nanos = moves[i] == '0' ? 0 : moves[i] == '<' ? -close : bar.close.nanos;
        if (moves[i] != '.') {
            bars_add(bars, index, &bar);
        }
    }
}

static enum correlation compare(const char *one, const char *other, struct utc now,
                                struct ratio bound) {
    struct bars *bars = bars_create(2);
    walk(bars, 0, one);
    walk(bars, 1, other);
    enum correlation out = correlation_against(bars, 0, 1, now, bound);
    cr_expect_eq(correlation_against(bars, 1, 0, now, bound), out, "either way round");
    bars_destroy(bars);
    return out;
}

/* So many minutes up and down, the first `turned` of them turned round. */
static const char *zigzag(int minutes, int turned) {
    static char moves[4][128];
    static int next = 0;
    char *out = moves[next++ % 4];
    for (int i = 0; i < minutes; i++) {
        out[i] = (i % 2 == 0) == (i >= turned) ? '+' : '-';
    }
    out[minutes] = '\0';
    return out;
}

static enum correlation compare_now(const char *one, const char *other, struct ratio bound) {
    return compare(one, other, minute((int64_t)strlen(one)), bound);
}

/* Of 40 returns 4 against the rest, of 60 six: (36 - 4) / 40 and (54 - 6) / 60 are 0.8. */
Test(correlation, is_above_beyond_its_bound_and_not_at_it) {
    for (int n = 40; n <= 60; n += 20) {
        struct ratio less = {BOUND.nanos - 10000};
        struct ratio more = {BOUND.nanos + 10000};
        cr_expect_eq(compare_now(zigzag(n, 0), zigzag(n, n / 10), BOUND), CORRELATION_WITHIN);
        cr_expect_eq(compare_now(zigzag(n, 0), zigzag(n, n / 10), less), CORRELATION_ABOVE);
        cr_expect_eq(compare_now(zigzag(n, 0), zigzag(n, n / 10), more), CORRELATION_WITHIN);
        cr_expect_eq(compare_now(zigzag(n, 0), zigzag(n, n / 10 - 2), BOUND), CORRELATION_ABOVE);
    }
}

Test(correlation, what_moves_against_each_other_is_not_above) {
    cr_expect_eq(compare_now(zigzag(60, 0), zigzag(60, 60), BOUND), CORRELATION_WITHIN);
}

Test(correlation, forty_returns_are_enough_and_one_less_is_not) {
    cr_expect_eq(compare_now(zigzag(40, 0), zigzag(40, 0), BOUND), CORRELATION_ABOVE);
    cr_expect_eq(compare_now(zigzag(39, 0), zigzag(39, 0), BOUND), CORRELATION_UNKNOWN);
    cr_expect_eq(compare_now("", "", BOUND), CORRELATION_UNKNOWN);
}

/* Of 41 minutes 40 are samples if one is none, 39 if a close that is none spoils two. */
Test(correlation, a_minute_that_is_no_sample) {
    static const struct {
        char move;
        int minutes;
        enum correlation is;
    } rows[] = {
        {'=', 40, CORRELATION_UNKNOWN}, {'=', 41, CORRELATION_ABOVE},
        {'J', 40, CORRELATION_UNKNOWN}, {'J', 41, CORRELATION_ABOVE},
        {'.', 41, CORRELATION_UNKNOWN}, {'.', 42, CORRELATION_ABOVE},
        {'0', 41, CORRELATION_UNKNOWN}, {'0', 42, CORRELATION_ABOVE},
        {'<', 41, CORRELATION_UNKNOWN}, {'<', 42, CORRELATION_ABOVE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char spoilt[128];
        strcpy(spoilt, zigzag(rows[i].minutes, 0));
        spoilt[20] = rows[i].move;
        cr_expect_eq(compare_now(zigzag(rows[i].minutes, 0), spoilt, BOUND), rows[i].is, "%c %d",
                     rows[i].move, rows[i].minutes);
        cr_expect_eq(compare_now(spoilt, spoilt, BOUND), rows[i].is, "both: %c", rows[i].move);
    }
}

/* Short of a tenth it is a return, and one that outweighs all others. */
Test(correlation, a_move_short_of_a_jump_counts) {
    char jumped[128];
    strcpy(jumped, zigzag(40, 0));
    jumped[20] = 'j';
    cr_expect_eq(compare_now(zigzag(40, 0), jumped, BOUND), CORRELATION_WITHIN);
    cr_expect_eq(compare_now(jumped, jumped, BOUND), CORRELATION_ABOVE);
}

Test(correlation, of_what_never_changes_its_pace_nothing_is_known) {
    char rising[128] = "";
    memset(rising, '+', 60);
    cr_expect_eq(compare_now(rising, zigzag(60, 0), BOUND), CORRELATION_UNKNOWN);
    cr_expect_eq(compare_now(rising, rising, BOUND), CORRELATION_UNKNOWN);
}

/* 60 returns, the last of minute 60: at minute 111 forty are of the last 90 minutes. */
Test(correlation, what_is_old_or_not_yet_is_none) {
    struct utc late = minute(111);
    cr_expect_eq(compare(zigzag(60, 0), zigzag(60, 0), late, BOUND), CORRELATION_ABOVE);
    late.ns++;
    cr_expect_eq(compare(zigzag(60, 0), zigzag(60, 0), late, BOUND), CORRELATION_UNKNOWN);
    struct utc early = minute(40);
    cr_expect_eq(compare(zigzag(60, 0), zigzag(60, 0), early, BOUND), CORRELATION_ABOVE);
    early.ns--;
    cr_expect_eq(compare(zigzag(60, 0), zigzag(60, 0), early, BOUND), CORRELATION_UNKNOWN);
}

/* Of 66 the six oldest are left out. */
Test(correlation, the_newest_sixty_count) {
    cr_expect_eq(compare_now(zigzag(90, 0), zigzag(90, 30), BOUND), CORRELATION_ABOVE);
    cr_expect_eq(compare_now(zigzag(66, 0), zigzag(66, 12), BOUND), CORRELATION_WITHIN);
    cr_expect_eq(compare_now(zigzag(66, 0), zigzag(66, 10), BOUND), CORRELATION_ABOVE);
}
