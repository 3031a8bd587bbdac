/* test_schedule.c - streams that do not disturb each other, and schedules that fire again what fired. */
#include "tests/unit/small_sea.h"

#define ASKS 4 /* a tick */

/* 16 ticks of 4 questions: one bit each. `extra_tick` gets one more question, before the second. */
static uint64_t decisions(const struct fault *faults, size_t n, int extra_tick, const char *extra) {
    struct sea sea;
    sea_start(&sea, 7, faults, n);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    uint64_t bits = 0;
    for (int tick = 0; tick < 16; tick++) {
        plan_set_tick(sea.plan, tick);
        for (int i = 0; i < ASKS; i++) {
            if (i == 1 && tick == extra_tick) {
                (void)chaos_ask(sea.plan, POINT_API_503, extra);
            }
            bits = bits << 1 |
                   (chaos_ask(sea.plan, POINT_API_503, "GET /v2/positions") != NULL ? 1 : 0);
        }
    }
    sea_end(&sea);
    return bits;
}

Test(streams, one_more_question_changes_at_most_the_rest_of_its_tick) {
    const struct fault half = {.point = POINT_API_503, .probability = {NANOS / 2}};
    const uint64_t plain = decisions(&half, 1, -1, "");
    int changed = 0;
    cr_expect_eq(decisions(&half, 1, 5, "GET /v2/orders"), plain); /* about another entity */
    for (int tick = 0; tick < 16; tick++) {
        const uint64_t difference = plain ^ decisions(&half, 1, tick, "GET /v2/positions");
        const int shift = (15 - tick) * ASKS;
        const uint64_t rest = UINT64_C(7) << shift; /* the three questions behind the new one */
        cr_expect_eq(difference & ~rest, 0, "tick %d: %llx", tick, (unsigned long long)difference);
        changed += difference != 0;
    }
    cr_expect(changed > 4, "%d", changed); /* the test can fail */
}

Test(streams, any_other_point_armed_changes_no_decision) {
    const struct fault half = {.point = POINT_API_503, .probability = {NANOS / 2}};
    const uint64_t plain = decisions(&half, 1, -1, "");
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        const struct fault faults[] = {
            {.point = (enum fault_point)point, .probability = {NANOS / 2}}, half};
        if (point != POINT_API_503) {
            cr_expect_eq(decisions(faults, 2, -1, ""), plain, "%s",
                         fault_point_name((enum fault_point)point));
        }
    }
}

/* Asks two points about two entities over ticks; returns the bits, and copies what fired. */
static uint64_t sail(struct plan *plan, struct fault_fired *out, size_t *count) {
    uint64_t bits = 0;
    for (int tick = 1; tick <= 12; tick++) {
        plan_set_tick(plan, tick);
        for (int i = 0; i < 5; i++) {
            const char *entity = i % 2 == 0 ? "GET /v2/orders" : "GET /v2/positions";
            const enum fault_point point = i < 3 ? POINT_API_503 : POINT_HTTP_SLOW;
            bits = bits << 1 | (chaos_ask(plan, point, entity) != NULL ? 1 : 0);
        }
    }
    *count = plan_fired_count(plan);
    for (size_t i = 0; i < *count; i++) {
        out[i] = *plan_fired(plan, i);
    }
    return bits;
}

Test(schedule, replayed_fires_exactly_what_fired_and_no_generator_is_asked) {
    const struct fault faults[] = {
        {.point = POINT_API_503, .probability = {NANOS / 3}, .count = 9},
        {.point = POINT_API_503, .probability = {NANOS / 3}},
        {.point = POINT_HTTP_SLOW, .probability = {NANOS / 2}, .delay = SPAN_S(3)},
    };
    struct fault_fired fired[64];
    struct fault_fired again[64];
    size_t count = 0;
    size_t count_again = 0;
    struct sea sea;
    sea_start(&sea, 7, faults, 3);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    const uint64_t bits = sail(sea.plan, fired, &count);
    cr_assert(count > 10 && count < 50, "%zu", count);
    sea_end(&sea);
    sea_start(&sea, 8, faults, 3); /* another seed: nothing is drawn */
    must(plan_replay(sea.plan, NULL));
    for (size_t i = 0; i < count; i++) {
        must(plan_replay_add(sea.plan, &fired[i], NULL));
    }
    must(chaos_arm(sea.plan, sea.clock, NULL));
    cr_expect_eq(sail(sea.plan, again, &count_again), bits);
    cr_assert_eq(count_again, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(again[i].fault, fired[i].fault);
        cr_expect_eq(again[i].ordinal, fired[i].ordinal);
        cr_expect(plan_replay_fired(sea.plan, i));
    }
    sea_end(&sea);
}

Test(schedule, a_line_taken_out_takes_out_one_decision) {
    const struct fault fault = {.point = POINT_API_503};
    struct fault_fired fired[64];
    size_t count = 0;
    struct sea sea;
    sea_start(&sea, 7, &fault, 1);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    const uint64_t bits = sail(sea.plan, fired, &count);
    sea_end(&sea);
    for (size_t out = 0; out < count; out++) {
        struct fault_fired unused[64];
        size_t left = 0;
        sea_start(&sea, 7, &fault, 1);
        must(plan_replay(sea.plan, NULL));
        for (size_t i = 0; i < count; i++) {
            if (i != out) {
                must(plan_replay_add(sea.plan, &fired[i], NULL));
            }
        }
        must(chaos_arm(sea.plan, sea.clock, NULL));
        const uint64_t difference = bits ^ sail(sea.plan, unused, &left);
        cr_expect_eq(left, count - 1);
        cr_expect(difference != 0 && (difference & (difference - 1)) == 0, "line %zu", out);
        sea_end(&sea);
    }
}

Test(schedule, refuses_lines_that_cannot_be) {
    const struct fault fault = {.point = POINT_API_503};
    const struct fault_fired line = {.point = POINT_API_503, .tick = 4};
    const struct fault_fired other = {.point = POINT_API_500, .tick = 4};
    const struct fault_fired nobody = {.point = POINT_API_503, .tick = 4, .fault = 1};
    const struct fault_fired earlier = {.point = POINT_API_503, .tick = 3};
    struct sea sea;
    sea_start(&sea, 7, &fault, 1);
    cr_expect_eq(plan_replay_add(sea.plan, &line, NULL), ERR_USAGE);
    must(plan_replay(sea.plan, NULL));
    must(plan_replay_add(sea.plan, &line, NULL));
    cr_expect_eq(plan_replay_add(sea.plan, &other, NULL), ERR_USAGE);
    cr_expect_eq(plan_replay_add(sea.plan, &nobody, NULL), ERR_USAGE);
    cr_expect_eq(plan_replay_add(sea.plan, &earlier, NULL), ERR_USAGE);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    cr_expect_eq(plan_replay_add(sea.plan, &line, NULL), ERR_USAGE);
    cr_expect_not(plan_replay_fired(sea.plan, 0));
    sea_end(&sea);
}

Test(points, read_what_their_rows_name_and_nothing_else) {
    cr_expect(fault_point_reads(POINT_HTTP_SLOW, "delay_s"));
    cr_expect(fault_point_reads(POINT_VIEW_EQUITY_ZERO, "target"));
    cr_expect_not(fault_point_reads(POINT_HTTP_SLOW, "delay"));
    cr_expect_not(fault_point_reads(POINT_HTTP_SLOW, "symbol"));
    cr_expect(fault_point_reads(POINT_CLOCK_SKEW, "factor"));
}
