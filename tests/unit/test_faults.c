/* test_faults.c - each fault point bites when armed, is inert when not, and disturbs no other. */
#include "tests/unit/small_sea.h"

#include <stdio.h>
#include <stdlib.h>

/* --- http --- */

struct transport_case {
    enum fault_point point;
    enum err_code code;
    int posts;
    int64_t elapsed_ms;
    size_t late;
};

static const struct transport_case transport_cases[] = {
    {POINT_HTTP_ANSWER_LOST, ERR_UNKNOWN, 1, 5000, 0},
    {POINT_HTTP_ANSWER_504, ERR_OK, 1, 40, 0},
    {POINT_HTTP_RESET_MID_BODY, ERR_UNKNOWN, 1, 40, 0},
    {POINT_HTTP_TIMEOUT_BEFORE, ERR_UNKNOWN, 0, 5000, 0},
    {POINT_HTTP_LATE_ARRIVAL, ERR_UNKNOWN, 0, 5000, 1},
    {POINT_PROCESS_CRASH_AFTER, ERR_NOT_SENT, 1, 40, 0},
};

Test(faulty_http, each_transport_point_does_what_it_says_and_only_to_its_target) {
    for (size_t i = 0; i < sizeof transport_cases / sizeof transport_cases[0]; i++) {
        const struct transport_case *c = &transport_cases[i];
        const struct fault fault = {.point = c->point, .target = "POST /v2/orders"};
        struct sea sea;
        sea_start(&sea, 1, &fault, 1);
        must(chaos_arm(sea.plan, sea.clock, NULL));
        const char *name = fault_point_name(c->point);
        cr_expect_eq(ask(&sea, "POST", "/v2/orders"), c->code, "%s", name);
        cr_expect_eq(sea.broker.posts, c->posts, "%s", name);
        cr_expect_eq(elapsed_ms(&sea), c->elapsed_ms, "%s", name);
        cr_expect_eq(late_queue_count(sea.late), c->late, "%s", name);
        cr_expect_eq(plan_point_fired(sea.plan, c->point), 1, "%s", name);
        cr_expect_eq(sea.answer.status, c->point == POINT_HTTP_ANSWER_504 ? 504 : 0);
        cr_expect(c->point == POINT_HTTP_ANSWER_504 || sea.answer.body.len == 0);
        if (c->point != POINT_PROCESS_CRASH_AFTER) {
            must(ask(&sea, "DELETE", "/v2/orders"));
            must(ask(&sea, "POST", "/v2/orders/7"));
        }
        cr_expect_eq(plan_fired_count(sea.plan), 1, "%s", name);
        sea_end(&sea);
    }
}

Test(faulty_http, nothing_fires_unless_armed) {
    struct fault faults[FAULT_POINT_COUNT];
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        faults[i] = (struct fault){.point = (enum fault_point)i};
    }
    struct sea sea;
    sea_start(&sea, 1, faults, FAULT_POINT_COUNT);
    must(ask(&sea, "POST", "/v2/orders"));
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_str_eq(text_get(&sea.answer.body), account);
    must(ask(&sea, "GET", "/v2/positions"));
    cr_expect_str_eq(text_get(&sea.answer.body), positions);
    struct disk_file file = {-1};
    must(disk_open(faulty_disk_seam(sea.disk), "f", DISK_WRITE | DISK_CREATE, &file, NULL));
    must(disk_write_at(faulty_disk_seam(sea.disk), file, "x", 1, 0, NULL));
    cr_expect_eq(faulty_disk_restart(sea.disk), 0);
    cr_expect_eq(plan_fired_count(sea.plan), 0);
    cr_expect_eq(process_is_dead(&sea.process), false);
    sea_end(&sea);
}

Test(faulty_http, a_late_request_arrives_after_its_sender_died) {
    const struct fault fault = {
        .point = POINT_PROCESS_CRASH_BEFORE, .target = "POST", .flight = FLIGHT_LATE};
    struct sea sea;
    sea_start(&sea, 3, &fault, 1);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    cr_expect_eq(ask(&sea, "POST", "/v2/orders"), ERR_NOT_SENT);
    cr_expect(process_is_dead(&sea.process));
    cr_expect_eq(sea.broker.posts, 0);
    const struct utc at = late_queue_next_at(sea.late);
    cr_expect(at.ns > 1000000000 && at.ns <= 31 * INT64_C(1000000000));
    virtual_clock_advance_to(sea.clock, (struct utc){at.ns - 1});
    cr_expect_eq(late_queue_deliver_due(sea.late, virtual_clock_now(sea.clock)), 0);
    virtual_clock_advance_to(sea.clock, at);
    cr_expect_eq(late_queue_deliver_due(sea.late, virtual_clock_now(sea.clock)), 1);
    cr_expect_eq(sea.broker.posts, 1);
    cr_expect_str_eq(sea.broker.last_body, "{\"a\":1}");
    cr_expect_eq(late_queue_next_at(sea.late).ns, UTC_NEVER.ns);
    cr_expect_eq(ask(&sea, "GET", "/v2/account"), ERR_NOT_SENT); /* still dead */
    cr_expect_eq(sea.process.calls_after_death, 1);
    sea_end(&sea);
}

Test(faulty_http, a_drawn_flight_meets_all_three_ends) {
    int lost = 0;
    int delivered = 0;
    int late = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        const struct fault fault = {.point = POINT_PROCESS_CRASH_BEFORE};
        struct sea sea;
        sea_start(&sea, seed, &fault, 1);
        must(chaos_arm(sea.plan, sea.clock, NULL));
        cr_expect_eq(ask(&sea, "POST", "/v2/orders"), ERR_NOT_SENT);
        delivered += sea.broker.posts == 1;
        late += late_queue_count(sea.late) == 1;
        lost += sea.broker.posts == 0 && late_queue_count(sea.late) == 0;
        sea_end(&sea);
    }
    cr_expect(lost > 0 && delivered > 0 && late > 0, "%d %d %d", lost, delivered, late);
    cr_expect_eq(lost + delivered + late, 30);
}

Test(faulty_http, views_change_the_stated_values_and_no_other_byte) {
    const struct fault faults[] = {
        {.point = POINT_VIEW_MARK_ABSURD, .symbol = "MSFT"},
        {.point = POINT_VIEW_EQUITY_ZERO, .from = {.ns = SPAN_S(10).ns}},
        {.point = POINT_VIEW_POSITIONS_EMPTY, .from = {.ns = SPAN_S(10).ns}},
    };
    struct sea sea;
    sea_start(&sea, 1, faults, 3);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    must(ask(&sea, "GET", "/v2/positions"));
    cr_expect_str_eq(
        text_get(&sea.answer.body),
        "[{\"symbol\":\"AAPL\",\"qty\":\"2\",\"current_price\":\"500\",\"market_value\":\"1000\"},"
        " {\"symbol\":\"MSFT\",\"qty\":\"5\",\"current_price\":\"0.06\","
        "\"market_value\":\"0.3\"}]");
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_str_eq(text_get(&sea.answer.body),
                     "{\"id\":\"x\",\"equity\":\"9000.3\",\"long_market_value\":\"1000.3\","
                     "\"portfolio_value\":\"9000.3\",\"cash\":\"8000\"}");
    virtual_clock_advance(sea.clock, SPAN_S(10));
    must(ask(&sea, "GET", "/v2/positions"));
    cr_expect_str_eq(text_get(&sea.answer.body), "[]");
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_str_eq(text_get(&sea.answer.body),
                     "{\"id\":\"x\",\"equity\":\"0\",\"long_market_value\":\"1000.3\","
                     "\"portfolio_value\":\"9000.3\",\"cash\":\"8000\"}");
    sea_end(&sea);
}

/* --- disk --- */

Test(faulty_disk, a_full_disk_is_full_in_its_window_only) {
    const struct fault fault = {.point = POINT_DISK_ENOSPC,
                                .target = "write f",
                                .from = {.ns = SPAN_S(10).ns},
                                .has_until = true,
                                .until = {.ns = SPAN_S(20).ns}};
    struct sea sea;
    sea_start(&sea, 1, &fault, 1);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    struct disk *seam = faulty_disk_seam(sea.disk);
    struct disk_file file = {-1};
    struct disk_file other = {-1};
    must(disk_open(seam, "f", DISK_WRITE | DISK_CREATE, &file, NULL));
    must(disk_open(seam, "g", DISK_WRITE | DISK_CREATE, &other, NULL));
    must(disk_write_at(seam, file, "x", 1, 0, NULL));
    virtual_clock_advance(sea.clock, SPAN_S(10));
    cr_expect_eq(disk_write_at(seam, file, "y", 1, 0, NULL), ERR_NO_SPACE);
    must(disk_write_at(seam, other, "y", 1, 0, NULL));
    virtual_clock_advance(sea.clock, SPAN_S(10));
    must(disk_write_at(seam, file, "z", 1, 0, NULL));
    cr_expect_eq(plan_fired_count(sea.plan), 1);
    sea_end(&sea);
}

Test(faulty_disk, a_torn_power_cut_tears_what_was_not_synced) {
    for (int is_torn = 0; is_torn < 2; is_torn++) {
        const struct fault fault = {.point = POINT_DISK_TORN};
        struct sea sea;
        sea_start(&sea, 1, &fault, (size_t)is_torn);
        must(chaos_arm(sea.plan, sea.clock, NULL));
        static const char zeros[1024] = {1};
        struct disk_file file = {-1};
        struct disk *seam = faulty_disk_seam(sea.disk);
        must(disk_open(seam, "f", DISK_WRITE | DISK_CREATE, &file, NULL));
        must(disk_write_at(seam, file, zeros, sizeof zeros, 0, NULL));
        struct crash_uniform kept = crash_uniform(CRASH_KEPT);
        faulty_disk_power_cut(sea.disk, &kept.source);
        struct text bytes = {0};
        cr_assert(sim_disk_read(sea.sim, "f", &bytes));
        cr_expect_eq(bytes.len, is_torn ? 512 : 1024);
        text_release(&bytes);
        sea_end(&sea);
    }
}

Test(faulty_disk, an_old_version_comes_back_at_the_first_restart_after_its_instant) {
    const struct fault fault = {
        .point = POINT_DISK_OLD_VERSION, .target = "peak.json", .from = {.ns = SPAN_S(10).ns}};
    struct sea sea;
    sea_start(&sea, 1, &fault, 1);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    sim_disk_write_raw(sea.sim, "peak.json", "1", 1);
    cr_expect_eq(faulty_disk_restart(sea.disk), 0);
    virtual_clock_advance(sea.clock, SPAN_S(10));
    faulty_disk_look(sea.disk);
    sim_disk_write_raw(sea.sim, "peak.json", "2", 1);
    cr_expect_eq(faulty_disk_restart(sea.disk), 1);
    struct text bytes = {0};
    cr_assert(sim_disk_read(sea.sim, "peak.json", &bytes));
    cr_expect_str_eq(text_get(&bytes), "1");
    sim_disk_write_raw(sea.sim, "peak.json", "3", 1);
    cr_expect_eq(faulty_disk_restart(sea.disk), 0); /* once */
    text_release(&bytes);
    sea_end(&sea);
}

Test(faulty_disk, the_process_dies_at_the_named_call) {
    const enum fault_point points[] = {POINT_PROCESS_CRASH_BEFORE, POINT_PROCESS_CRASH_AFTER};
    for (size_t i = 0; i < 2; i++) {
        const struct fault fault = {.point = points[i], .target = "rename s"};
        struct sea sea;
        sea_start(&sea, 1, &fault, 1);
        must(chaos_arm(sea.plan, sea.clock, NULL));
        struct disk *seam = faulty_disk_seam(sea.disk);
        struct disk_file file = {-1};
        must(disk_open(seam, "tmp", DISK_WRITE | DISK_CREATE, &file, NULL));
        must(disk_sync(seam, file, NULL));
        cr_expect_eq(disk_rename(seam, "tmp", "s", NULL), ERR_IO);
        cr_expect_eq(sim_disk_exists(sea.sim, "s"), i == 1);
        cr_expect_eq(disk_remove(seam, "tmp", NULL), ERR_IO);
        cr_expect_eq(sim_disk_exists(sea.sim, "tmp"), i == 0);
        sea_end(&sea);
    }
}

/* --- the plan and the gate --- */

/* The pattern of 64 decisions of one point: one bit each. */
static uint64_t pattern(const struct fault *faults, size_t n, uint64_t seed, int extra_asks) {
    struct sea sea;
    sea_start(&sea, seed, faults, n);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    uint64_t bits = 0;
    for (int tick = 0; tick < 64; tick++) {
        plan_set_tick(sea.plan, tick);
        for (int k = 0; k < extra_asks; k++) {
            (void)chaos_ask(sea.plan, POINT_HTTP_ANSWER_504, "GET /v2/clock");
        }
        bits <<= 1;
        bits |= chaos_ask(sea.plan, POINT_HTTP_ANSWER_LOST, "POST /v2/orders") != NULL;
        (void)chaos_ask(sea.plan, POINT_HTTP_ANSWER_LOST, "POST /v2/orders");
    }
    sea_end(&sea);
    return bits;
}

Test(plan, a_new_point_or_question_changes_no_other_decision) {
    const struct ratio half = {500000000};
    const struct fault faults[] = {
        {.point = POINT_HTTP_ANSWER_LOST, .probability = half},
        {.point = POINT_HTTP_ANSWER_504, .probability = half},
        {.point = POINT_DISK_ENOSPC, .probability = half},
    };
    const uint64_t alone = pattern(faults, 1, 7, 0);
    cr_expect_neq(alone, 0);
    cr_expect_neq(alone, UINT64_MAX);
    cr_expect_eq(pattern(faults, 1, 7, 0), alone);
    cr_expect_eq(pattern(faults, 3, 7, 0), alone);
    cr_expect_eq(pattern(faults, 3, 7, 5), alone);
    cr_expect_neq(pattern(faults, 1, 8, 0), alone);
}

Test(plan, counts_nth_and_windows_bind) {
    const struct fault faults[] = {
        {.point = POINT_HTTP_ANSWER_LOST, .target = "POST*", .count = 2},
        {.point = POINT_HTTP_ANSWER_504, .target = "/v2/orders", .nth = 3},
        {.point = POINT_DISK_ENOSPC, .from = fault_at((struct utc){INT64_C(2000000000)})},
    };
    struct sea sea;
    sea_start(&sea, 1, faults, 3);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    for (int i = 1; i <= 4; i++) {
        cr_expect_eq(chaos_ask(sea.plan, POINT_HTTP_ANSWER_LOST, "POST /v2/orders") != NULL,
                     i <= 2);
        cr_expect_eq(chaos_ask(sea.plan, POINT_HTTP_ANSWER_504, "GET /v2/orders") != NULL, i == 3);
    }
    cr_expect_null(chaos_ask(sea.plan, POINT_HTTP_ANSWER_LOST, "GET /v2/orders"));
    cr_expect_null(chaos_ask(sea.plan, POINT_DISK_ENOSPC, "write f"));
    virtual_clock_advance(sea.clock, SPAN_S(1));
    cr_expect_eq(chaos_ask(sea.plan, POINT_DISK_ENOSPC, "write f"), plan_fault(sea.plan, 2));
    const struct fault_fired *last = plan_fired(sea.plan, plan_fired_count(sea.plan) - 1);
    cr_expect_eq(last->point, POINT_DISK_ENOSPC);
    cr_expect_eq(last->at.ns, INT64_C(2000000000));
    cr_expect_str_eq(last->entity, "write f");
    sea_end(&sea);
}

Test(plan, calms_what_is_at_work_and_would_last_longer) {
    const struct utc at[] = {{1 * NANOS}, {11 * NANOS}, {12 * NANOS}, {20 * NANOS}, {30 * NANOS}};
    const struct fault faults[] = {
        {.point = POINT_HTTP_SLOW,
         .from = fault_at(at[0]),
         .has_until = true,
         .until = fault_at(at[4])},
        {.point = POINT_VIEW_STALE,
         .from = fault_at(at[0]),
         .has_until = true,
         .until = fault_at(at[1])},
        {.point = POINT_API_503,
         .from = fault_at(at[3]),
         .has_until = true,
         .until = fault_at(at[4])},
        {.point = POINT_CLOCK_SKEW,
         .from = fault_at(at[0]),
         .has_until = true,
         .until = fault_at(at[4])},
        {.point = POINT_DISK_EIO, .from = fault_at(at[0])},
    };
    const int64_t ends[] = {12 * NANOS, 11 * NANOS, 30 * NANOS, 30 * NANOS, UTC_NEVER.ns};
    struct sea sea;
    sea_start(&sea, 1, faults, 5);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    plan_calm(sea.plan, at[2]);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(plan_until(sea.plan, plan_fault(sea.plan, i)).ns, ends[i], "%zu", i);
    }
    sea_end(&sea);
}

/* More entities in one tick than have counters of their own: what is drawn for the rest still differs from
 * question to question, and anew in the next tick. */
Test(plan, entities_beyond_the_counters_share_one_that_counts) {
    const struct fault fault = {.point = POINT_API_503};
    struct sea sea;
    sea_start(&sea, 1, &fault, 1);
    for (int tick = 1; tick <= 2; tick++) {
        plan_set_tick(sea.plan, tick);
        for (int i = 0; i < 511 + 3; i++) {
            char name[24];
            snprintf(name, sizeof name, "GET /%d", i);
            cr_assert_not_null(plan_decide(sea.plan, POINT_API_503, PLAN_ANY_FAULT, name));
        }
        for (size_t i = 0; i < 3; i++) {
            const size_t last = plan_fired_count(sea.plan) - 3;
            cr_expect_eq(plan_fired(sea.plan, last + i)->ordinal, i, "tick %d", tick);
        }
    }
    sea_end(&sea);
}

Test(plan, refuses_nonsense) {
    const struct fault bad[] = {
        {.point = POINT_DISK_TORN, .probability = {-1}},
        {.point = POINT_DISK_TORN, .probability = {NANOS + 1}},
        {.point = POINT_DISK_TORN, .from = {.ns = 5}, .has_until = true, .until = {.ns = 5}},
    };
    const struct fault beyond[] = {
        {.point = POINT_HTTP_LATE_ARRIVAL, .delay = {-1}},
        {.point = POINT_HTTP_LATE_ARRIVAL, .delay = SPAN_S(86401)},
        {.point = POINT_CLOCK_STEP, .offset = SPAN_S(86401)},
        {.point = POINT_CLOCK_STEP, .offset = SPAN_S(-86401)},
        {.point = POINT_CLOCK_SKEW, .factor = {10 * NANOS + 1}},
        {.point = POINT_MARKET_GAP, .factor = {NANOS / 1000000 - 1}},
        {.point = POINT_MARKET_GAP, .factor = {1000 * NANOS + 1}},
    };
    struct sea sea;
    sea_start(&sea, 1, NULL, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(plan_add(sea.plan, &bad[i], NULL), ERR_USAGE, "case %zu", i);
    }
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        cr_expect_eq(plan_add(sea.plan, &beyond[i], NULL), ERR_RANGE, "beyond %zu", i);
    }
    must(chaos_arm(sea.plan, sea.clock, NULL));
    cr_expect_eq(plan_add(sea.plan, &(struct fault){0}, NULL), ERR_USAGE);
    sea_end(&sea);
}

Test(gate, only_a_simulated_world_arms_and_only_its_own_plan) {
    struct sea sea;
    struct sea other;
    sea_start(&sea, 1, NULL, 0);
    sea_start(&other, 1, NULL, 0);
    cr_expect_eq(chaos_arm(sea.plan, NULL, NULL), ERR_REFUSED);
    cr_expect_eq(chaos_arm(sea.plan, other.clock, NULL), ERR_REFUSED);
    cr_expect_not(chaos_is_armed(sea.plan));
    must(chaos_arm(sea.plan, sea.clock, NULL));
    cr_expect_eq(chaos_arm(sea.plan, sea.clock, NULL), ERR_USAGE);
    sea_end(&other);
    sea_end(&sea);
}

Test(gate, worlds_follow_and_live_beside_each_other) {
    const struct fault fault = {.point = POINT_HTTP_ANSWER_504, .count = 1};
    struct sea one;
    struct sea two;
    sea_start(&one, 1, &fault, 1);
    sea_start(&two, 1, &fault, 1);
    must(chaos_arm(one.plan, one.clock, NULL));
    must(chaos_arm(two.plan, two.clock, NULL));
    cr_expect_not_null(chaos_ask(one.plan, POINT_HTTP_ANSWER_504, "GET /v2/clock"));
    cr_expect_null(chaos_ask(one.plan, POINT_HTTP_ANSWER_504, "GET /v2/clock"));
    cr_expect_eq(one.ear.heard, 1);
    cr_expect_str_eq(one.ear.point, "http.answer_504");
    cr_expect_str_eq(one.ear.entity, "GET /v2/clock");
    cr_expect_eq(two.ear.heard, 0, "another world");
    sea_end(&one); /* the other still has the point */
    cr_expect_not_null(chaos_ask(two.plan, POINT_HTTP_ANSWER_504, "GET /v2/clock"));
    sea_end(&two);
    sea_start(&one, 1, &fault, 1);
    must(chaos_arm(one.plan, one.clock, NULL));
    cr_expect_not_null(chaos_ask(one.plan, POINT_HTTP_ANSWER_504, "GET /v2/clock"));
    sea_end(&one);
}

Test(points, have_names_that_find_them) {
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        enum fault_point found = FAULT_POINT_COUNT;
        const char *name = fault_point_name((enum fault_point)i);
        cr_expect(fault_point_find(name, &found) && found == (enum fault_point)i, "%s", name);
    }
    enum fault_point found = FAULT_POINT_COUNT;
    cr_expect_not(fault_point_find("http.*", &found));
}

/* Row for row, and no other. */
Test(points, are_in_the_manual_as_they_are_here) {
    FILE *file = fopen("docs/chaos.md", "rb");
    cr_assert_not_null(file);
    static char page[65536];
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    int rows = 0;
    for (const char *row = strstr(page, "\n| `"); row != NULL; row = strstr(row + 1, "\n| `")) {
        rows++;
    }
    cr_expect_eq(rows, FAULT_POINT_COUNT);
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        const enum fault_point point = (enum fault_point)i;
        char row[1024];
        snprintf(row, sizeof row, "\n| `%s` | %s | %s | %s |\n", fault_point_name(point),
                 fault_point_seam(point), fault_point_breaks(point), fault_point_parameters(point));
        cr_expect_not_null(strstr(page, row), "%s", row);
    }
}

Test(points, are_listed_for_people_one_a_line) {
    char *listed = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&listed, &n);
    chaos_list_print(out);
    fclose(out);
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "%s ", fault_point_name((enum fault_point)i));
        const char *row = strstr(listed, begin);
        cr_expect(row != NULL && (row == listed || row[-1] == '\n'), "%s", begin);
    }
    free(listed);
}
