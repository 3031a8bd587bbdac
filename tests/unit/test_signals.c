/* test_signals.c - the ring of bars merges; the weighted strategy scores as its arithmetic says. */
#include "core/signals/bars.h"
#include "core/signals/weighted.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct broker_bar bar_at(int minute, int64_t cents, int64_t volume) {
    struct usd price = {cents * 10000000};
    return (struct broker_bar){.at = {(INT64_C(1647264600) + 60 * minute) * NANOS},
                               .open = price,
                               .high = price,
                               .low = price,
                               .close = price,
                               .volume = volume};
}

static void add(struct bars *bars, int minute, int64_t cents, int64_t volume) {
    struct broker_bar bar = bar_at(minute, cents, volume);
    bars_add(bars, 0, &bar);
}

Test(bars, any_order_of_adding_gives_the_same_ascending_ring) {
    static const int orders[][5] = {{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}};
    for (size_t k = 0; k < 3; k++) {
        struct bars *bars = bars_create(1);
        for (size_t i = 0; i < 5; i++) {
            add(bars, orders[k][i], 100 + orders[k][i], 1);
        }
        cr_assert_eq(bars_count(bars, 0), 5);
        for (size_t i = 0; i < 5; i++) {
            cr_assert_eq(bars_at(bars, 0, i)->close.nanos, (100 + (int64_t)i) * 10000000);
        }
        bars_destroy(bars);
    }
}

Test(bars, the_same_minute_again_replaces_and_adds_nothing) {
    struct bars *bars = bars_create(2);
    add(bars, 1, 100, 1);
    add(bars, 1, 100, 1);
    add(bars, 2, 101, 1);
    add(bars, 1, 107, 9); /* corrected */
    cr_assert_eq(bars_count(bars, 0), 2);
    cr_assert_eq(bars_at(bars, 0, 0)->close.nanos, INT64_C(1070000000));
    cr_assert_eq(bars_at(bars, 0, 0)->volume, 9);
    cr_assert_eq(bars_at(bars, 0, 1)->at.ns, bar_at(2, 0, 0).at.ns);
    cr_assert_eq(bars_count(bars, 1), 0, "another symbol is untouched");
    bars_destroy(bars);
}

Test(bars, are_fresh_for_150_seconds_from_the_start_of_the_newest) {
    struct bars *bars = bars_create(1);
    struct utc newest = bar_at(2, 0, 0).at;
    cr_expect_not(bars_are_fresh(bars, 0, newest), "there is none");
    add(bars, 1, 100, 1);
    add(bars, 2, 100, 1);
    cr_expect(bars_are_fresh(bars, 0, newest));
    cr_expect(bars_are_fresh(bars, 0, utc_add(newest, SPAN_S(150))));
    cr_expect_not(bars_are_fresh(bars, 0, (struct utc){newest.ns + 150 * NANOS + 1}));
    cr_expect_not(bars_are_fresh(bars, 0, (struct utc){newest.ns - 1}), "of a time to come");
    bars_destroy(bars);
}

Test(bars, a_full_ring_forgets_the_oldest_and_refuses_older) {
    struct bars *bars = bars_create(1);
    for (int i = 0; i < BARS_KEPT + 30; i++) {
        if (i != 100) {
            add(bars, i, 100 + i, 1);
        }
    }
    cr_assert_eq(bars_count(bars, 0), BARS_KEPT);
    cr_assert_eq(bars_at(bars, 0, 0)->at.ns, bar_at(29, 0, 0).at.ns);
    add(bars, 3, 1, 1); /* older than everything kept */
    cr_assert_eq(bars_at(bars, 0, 0)->at.ns, bar_at(29, 0, 0).at.ns);
    add(bars, 100, 200, 1); /* late: goes where it belongs, the oldest leaves */
    cr_assert_eq(bars_count(bars, 0), BARS_KEPT);
    cr_assert_eq(bars_at(bars, 0, 0)->at.ns, bar_at(30, 0, 0).at.ns);
    for (size_t i = 0; i < BARS_KEPT; i++) {
        cr_assert_eq(bars_at(bars, 0, i)->at.ns, bar_at(30 + (int)i, 0, 0).at.ns);
    }
    bars_destroy(bars);
}

Test(bars, a_session_ends_at_a_night_but_not_at_a_halt) {
    struct bars *bars = bars_create(1);
    cr_assert_eq(bars_in_session(bars, 0), 0);
    add(bars, 0, 100, 1);
    add(bars, 1080, 100, 1); /* 18 hours later */
    add(bars, 1081, 100, 1);
    add(bars, 1181, 100, 1); /* a halt of 100 minutes */
    cr_assert_eq(bars_in_session(bars, 0), 3);
    add(bars, 1181, 101, 1); /* corrected: no bar more */
    cr_assert_eq(bars_in_session(bars, 0), 3);
    add(bars, 900, 100, 1); /* late, three hours before the oldest of them */
    cr_assert_eq(bars_in_session(bars, 0), 4);
    bars_destroy(bars);
}

Test(bars, a_session_longer_than_the_ring_is_all_of_the_ring) {
    struct bars *bars = bars_create(1);
    for (int i = 0; i < BARS_KEPT + 5; i++) {
        add(bars, i, 100, 1);
    }
    cr_assert_eq(bars_in_session(bars, 0), BARS_KEPT);
    add(bars, BARS_KEPT + 1000, 100, 1);
    cr_assert_eq(bars_in_session(bars, 0), 1);
    bars_destroy(bars);
}

Test(weighted, is_unknown_below_31_bars_of_one_session_and_known_from_there) {
    struct config config = config_defaults();
    struct strategy *strategy = weighted_create(&config);
    struct bars *bars = bars_create(1);
    struct score score = {.is_known = true};
    for (int i = 0; i < 50; i++) {
        add(bars, i, 10000, 100);
    }
    for (int i = 0; i < 31; i++) {
        strategy_score(strategy, bars, 0, &score);
        cr_assert_eq(score.is_known, i == 0, "%d bars of the new day", i);
        add(bars, 1440 + i, 10000, 100);
    }
    strategy_score(strategy, bars, 0, &score);
    cr_assert(score.is_known);
    cr_assert_eq(score.value.nanos, 0, "nothing moved");
    bars_destroy(bars);
    strategy_destroy(strategy);
}

/* 20 flat bars, then ten of +10 cents: every value below was worked out by hand from the formulas. */
Test(weighted, each_part_is_what_its_formula_says) {
    struct config config = config_defaults();
    struct strategy *strategy = weighted_create(&config);
    struct bars *bars = bars_create(1);
    for (int i = 0; i < 31; i++) {
        add(bars, i, i < 21 ? 10000 : 10000 + 10 * (i - 20), 100);
    }
    struct score score = {0};
    strategy_score(strategy, bars, 0, &score);
    cr_assert(score.is_known);
    cr_assert_eq(score.part_count, 4);
    cr_assert_str_eq(score.parts[0].name, "momentum");
    /* move 1.00, mean move 1/30, sqrt 10: 9.4868; x 3 = 28.4605; 28.4605 / 29.4605 */
    cr_assert_eq(score.parts[0].value.nanos / 1000, 966056);
    /* range 100.00 to 100.90 before it, close 101.00: 0.55 / 0.45 = 1.2222; x 3 = 3.6667 / 4.6667 */
    cr_assert_eq(score.parts[2].value.nanos / 1000, 785714);
    cr_assert_eq(score.parts[3].value.nanos, 0, "no more volume than before");
    cr_assert_lt(score.parts[1].value.nanos, 0, "above the mean: reversion speaks against it");
    int64_t sum = score.parts[0].value.nanos * 10 + score.parts[1].value.nanos * 6 +
                  score.parts[2].value.nanos * 8 + score.parts[3].value.nanos * 4;
    cr_assert_leq(llabs(score.value.nanos - sum / 28), 2, "the weighted mean of the parts");
    bars_destroy(bars);
    strategy_destroy(strategy);
}

Test(weighted, volume_takes_the_sign_of_its_move_and_weights_decide) {
    struct config config = config_defaults();
    config.weight_momentum.nanos = 0;
    config.weight_reversion.nanos = 0;
    config.weight_breakout.nanos = 0;
    struct strategy *strategy = weighted_create(&config);
    for (int sign = -1; sign <= 1; sign += 2) {
        struct bars *bars = bars_create(1);
        for (int i = 0; i < 31; i++) {
            add(bars, i, i < 30 ? 10000 : 10000 + sign, i < 28 ? 100 : 1000);
        }
        struct score score = {0};
        strategy_score(strategy, bars, 0, &score);
        cr_assert_eq(score.value.nanos, score.parts[3].value.nanos);
        /* mean (2800 + 3000) / 31 = 187.097; 1000 / that - 1 = 4.344828; x 2 = 8.689655 / 9.689655 */
        cr_assert_eq(score.value.nanos / 1000, sign * 896797);
        bars_destroy(bars);
    }
    strategy_destroy(strategy);
}

Test(weighted,
     what_was_learned_is_a_score_of_its_own_and_neutral_weights_are_the_configured_to_the_bit) {
    static const int64_t neutral[] = {1000, 1000, 1000, 1000}, moved[] = {2500, 1000, 250, 1001};
    struct config config = config_defaults();
    struct strategy *strategy = weighted_create(&config);
    struct bars *bars = bars_create(1);
    for (int i = 0; i < 31; i++) {
        add(bars, i, i < 21 ? 10000 : 10000 + 7 * (i - 20), i < 29 ? 100 : 300);
    }
    struct score plain = {0}, same = {0}, other = {0};
    strategy_score(strategy, bars, 0, &plain);
    strategy_weigh(strategy, neutral);
    strategy_score(strategy, bars, 0, &same);
    strategy_weigh(strategy, moved);
    strategy_score(strategy, bars, 0, &other);
    cr_expect_eq(plain.learned.nanos, plain.value.nanos);
    cr_expect_eq(same.learned.nanos, plain.value.nanos);
    cr_expect_eq(other.value.nanos, plain.value.nanos);
    int64_t sum = other.parts[0].value.nanos * 25000 + other.parts[1].value.nanos * 6000 +
                  other.parts[2].value.nanos * 2000 + other.parts[3].value.nanos * 4004;
    cr_expect_leq(llabs(other.learned.nanos - sum / 37004), 2);
    cr_expect_str_eq(strategy->parts[3], other.parts[3].name);
    cr_expect_eq(strategy->part_count, other.part_count);
    bars_destroy(bars);
    strategy_destroy(strategy);
}

Test(weighted, an_entry_on_a_burst_decays_when_the_burst_ends) {
    struct config config = config_defaults();
    struct strategy *strategy = weighted_create(&config);
    struct bars *bars = bars_create(1);
    int minute = 0;
    for (; minute < 60; minute++) { /* a slow slide before, so that the mean lies above */
        add(bars, minute, 10200 - 3 * minute + minute % 2, 100);
    }
    struct score score = {0};
    int64_t best = 0;
    for (int i = 0; i < 8; i++, minute++) {
        add(bars, minute, 10020 + 15 * (i + 1), 400);
        strategy_score(strategy, bars, 0, &score);
        best = score.value.nanos > best ? score.value.nanos : best;
    }
    cr_assert_geq(best, config.score_threshold.nanos, "the burst enters: %lld", (long long)best);
    for (int i = 0; i < 30; i++, minute++) {
        add(bars, minute, 10140 - i % 2, 100);
        strategy_score(strategy, bars, 0, &score);
    }
    cr_assert_lt(score.value.nanos, best * 4 / 10, "and its score has decayed");
    bars_destroy(bars);
    strategy_destroy(strategy);
}
