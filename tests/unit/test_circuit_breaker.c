/* test_circuit_breaker.c - the three states at their edges: the fifth failure of ten, the last nanosecond of
 * a pause, the probe. */
#include "core/alpaca/circuit_breaker.h"
#include "core/base/decimal.h"

#include <criterion/criterion.h>

static const struct breaker_rules RULES = {
    .failures = 5, .pause = SPAN_S(60), .pause_most = SPAN_S(600)};

static struct mono after(int64_t ns) {
    return (struct mono){NANOS + ns};
}

/* Outcomes in order: 'x' a failure, '.' a success, all at `ns`. */
static void note(struct circuit_breaker *breaker, const char *outcomes, int64_t ns) {
    for (const char *at = outcomes; *at != '\0'; at++) {
        breaker_note(breaker, &RULES, *at == 'x', after(ns));
    }
}

/* Whether a call may be made; if so it is. */
static bool tried(struct circuit_breaker *breaker, bool is_vital, struct mono now) {
    if (!breaker_may_try(breaker, is_vital, now)) {
        return false;
    }
    breaker_try(breaker, now);
    return true;
}

Test(breaker, five_failures_of_the_last_ten_open_it) {
    static const struct {
        const char *outcomes;
        bool is_open;
    } rows[] = {
        {"", false},
        {"xxxx", false},
        {"xxxxx", true},
        {"xx.x.x.", false},
        {"x.x.x.x.x", true},
        {"xxxx.....x", true},
        {"xxxx......x", false},
        {"..........", false},
        {"xxxx.......x", false},
        {"x.........xxxx", false},
        {".x.x.x.x.x", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct circuit_breaker breaker = {0};
        note(&breaker, rows[i].outcomes, 0);
        cr_expect_eq(breaker_is_open(&breaker, after(0)), rows[i].is_open, "%s", rows[i].outcomes);
    }
}

Test(breaker, no_failures_asked_for_never_opens) {
    struct circuit_breaker breaker = {0};
    const struct breaker_rules none = {0};
    for (int i = 0; i < 100; i++) {
        breaker_note(&breaker, &none, true, after(0));
    }
    cr_expect_not(breaker_is_open(&breaker, after(0)));
}

Test(breaker, a_pause_lasts_to_its_last_nanosecond_and_doubles_up_to_its_bound) {
    static const int64_t pauses_s[] = {60, 120, 240, 480, 600, 600};
    struct circuit_breaker breaker = {0};
    int64_t now = 0;
    note(&breaker, "xxxxx", now);
    for (size_t i = 0; i < sizeof pauses_s / sizeof pauses_s[0]; i++) {
        int64_t end = now + pauses_s[i] * NANOS;
        cr_expect(breaker_is_open(&breaker, after(end - 1)), "pause %zu", i);
        cr_expect_not(tried(&breaker, false, after(end - 1)));
        cr_expect_not(breaker_is_open(&breaker, after(end)), "pause %zu", i);
        cr_expect_eq(breaker.state, BREAKER_HALF_OPEN);
        cr_expect(tried(&breaker, false, after(end)), "the probe");
        note(&breaker, "x", end);
        now = end;
    }
    cr_expect(breaker_is_open(&breaker, after(now)));
}

Test(breaker, two_successes_in_a_row_close_it_and_the_next_opening_is_a_first_one) {
    struct circuit_breaker breaker = {0};
    int64_t end = 60 * NANOS;
    note(&breaker, "xxxxx", 0);
    cr_expect_not(breaker_is_open(&breaker, after(end)));
    note(&breaker, ".", end);
    cr_expect_eq(breaker.state, BREAKER_HALF_OPEN, "one is none");
    note(&breaker, ".", end);
    cr_expect_eq(breaker.state, BREAKER_CLOSED);
    note(&breaker, "xxxx", end);
    cr_expect_eq(breaker.state, BREAKER_CLOSED, "what failed before counts no more");
    note(&breaker, "x", end);
    cr_expect(breaker_is_open(&breaker, after(end + 60 * NANOS - 1)));
    cr_expect_not(breaker_is_open(&breaker, after(end + 60 * NANOS)));
}

Test(breaker, what_is_vital_goes_on_one_try_in_five_seconds_and_at_once_behind_a_success) {
    struct circuit_breaker breaker = {0};
    cr_expect(tried(&breaker, true, after(0)));
    note(&breaker, "xxxxx", 0);
    cr_expect_not(tried(&breaker, true, after(BREAKER_TRY.ns - 1)));
    cr_expect(tried(&breaker, true, after(BREAKER_TRY.ns)));
    note(&breaker, "x", BREAKER_TRY.ns + 3 * NANOS);
    cr_expect_not(tried(&breaker, true, after(2 * BREAKER_TRY.ns - 1)));
    cr_expect(tried(&breaker, true, after(2 * BREAKER_TRY.ns)),
              "from its start, however long it took");
    note(&breaker, ".", 2 * BREAKER_TRY.ns);
    cr_expect(tried(&breaker, true, after(2 * BREAKER_TRY.ns)), "it answers");
    cr_expect_not(tried(&breaker, false, after(2 * BREAKER_TRY.ns)), "entries wait");
    cr_expect_eq(breaker.state, BREAKER_OPEN, "and the pause stands");
}
