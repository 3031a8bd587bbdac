/* test_faults_views.c - views that lag, stand still, are cut short, doubled, null or strange. */
#include "tests/unit/small_sea.h"

#define S INT64_C(1000000000)

static const char two[] = "[{\"id\":\"a\",\"status\":\"new\",\"filled_qty\":\"0\"},"
                          "{\"id\":\"b\",\"status\":\"filled\",\"filled_qty\":\"12\"}]";

/* What a GET tells at a second of the world's time (it starts at 1 s; an exchange takes 40 ms). */
static const char *told_at(struct sea *sea, int64_t second, const char *path, const char *truth) {
    virtual_clock_advance_to(sea->clock, (struct utc){second * S});
    sea->broker.answer = truth;
    must(ask(sea, "GET", path));
    return text_get(&sea->answer.body);
}

struct lag_case {
    enum fault_point point;
    const char *path;
};

static const struct lag_case lag_cases[] = {
    {POINT_VIEW_LAG_ACCOUNT, "/v2/account"},
    {POINT_VIEW_LAG_POSITIONS, "/v2/positions"},
    {POINT_VIEW_LAG_ORDERS, "/v2/orders"},
};

Test(views, a_lagging_endpoint_tells_the_newest_answer_older_than_its_lag) {
    for (size_t i = 0; i < 3; i++) {
        const struct fault fault = {.point = lag_cases[i].point,
                                    .delay = SPAN_S(7),
                                    .from = fault_at((struct utc){20 * S}),
                                    .has_until = true,
                                    .until = fault_at((struct utc){40 * S})};
        const char *path = lag_cases[i].path;
        struct sea sea;
        sea_of(&sea, &fault);
        cr_expect_str_eq(told_at(&sea, 10, path, "[10]"), "[10]");
        cr_expect_str_eq(told_at(&sea, 15, path, "[15]"), "[15]");
        cr_expect_str_eq(told_at(&sea, 20, path, "[20]"), "[10]", "%s", path);
        cr_expect_str_eq(told_at(&sea, 25, path, "[25]"), "[15]", "%s", path);
        cr_expect_str_eq(told_at(&sea, 39, path, "[39]"), "[39]", "nothing is young enough");
        cr_expect_str_eq(told_at(&sea, 40, path, "[40]"), "[40]");
        for (size_t k = 0; k < 3; k++) { /* the others do not lag with it */
            if (k != i) {
                virtual_clock_advance_to(sea.clock, (struct utc){21 * S});
                cr_expect_str_eq(told_at(&sea, 41, lag_cases[k].path, "[x]"), "[x]");
            }
        }
        sea_end(&sea);
    }
}

Test(views, endpoints_lag_independently_by_0_to_10_s) {
    int differ = 0;
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const struct fault faults[] = {{.point = POINT_VIEW_LAG_ORDERS},
                                       {.point = POINT_VIEW_LAG_POSITIONS},
                                       {.point = POINT_VIEW_LAG_POSITIONS}};
        struct sea sea;
        sea_start(&sea, seed, faults, 3);
        const int64_t lag = plan_fault(sea.plan, 0)->delay.ns;
        const int64_t other = plan_fault(sea.plan, 1)->delay.ns;
        differ += lag != other && other != plan_fault(sea.plan, 2)->delay.ns;
        least = lag < least ? lag : least;
        most = lag > most ? lag : most;
        sea_end(&sea);
    }
    cr_expect_eq(differ, 200);
    cr_expect(least > 0 && least < S / 2, "%lld", (long long)least);
    cr_expect(most <= 10 * S && most > 9 * S, "%lld", (long long)most);
}

Test(views, an_order_younger_than_the_lag_is_not_found_by_its_id) {
    const struct fault fault = {.point = POINT_VIEW_LAG_ORDERS, .delay = SPAN_S(5)};
    static const char young[] = "{\"id\":\"a\",\"submitted_at\":\"1970-01-01T00:00:08Z\"}";
    struct sea sea;
    sea_of(&sea, &fault);
    (void)told_at(&sea, 10, "/v2/orders/a", young);
    cr_expect_eq(sea.answer.status, 404);
    cr_expect_str_eq(told_at(&sea, 14, "/v2/orders/a", young), young);
    cr_expect_eq(sea.answer.status, 200);
    sea_end(&sea);
}

Test(views, a_stale_endpoint_stands_still_for_its_window) {
    const struct fault fault = {.point = POINT_VIEW_STALE,
                                .target = "GET /v2/account",
                                .from = fault_at((struct utc){20 * S}),
                                .has_until = true,
                                .until = fault_at((struct utc){300 * S})};
    struct sea sea;
    sea_of(&sea, &fault);
    cr_expect_str_eq(told_at(&sea, 10, "/v2/account", "{1}"), "{1}");
    cr_expect_str_eq(told_at(&sea, 15, "/v2/account", "{2}"), "{2}");
    for (int64_t second = 20; second < 300; second += 5) {
        cr_expect_str_eq(told_at(&sea, second, "/v2/account", "{3}"), "{2}", "%d", (int)second);
        cr_expect_str_eq(told_at(&sea, second, "/v2/positions", "[3]"), "[3]");
    }
    cr_expect_str_eq(told_at(&sea, 300, "/v2/account", "{4}"), "{4}");
    sea_end(&sea);
}

struct shape_case {
    enum fault_point point;
    const char *path, *truth, *told;
};

static const char fresh_and_old[] = "[{\"id\":\"1\",\"transaction_time\":\"1970-01-01T00:00:30Z\"},"
                                    "{\"id\":\"2\",\"created_at\":\"1970-01-01T00:01:30Z\"},"
                                    "{\"id\":\"3\"}]";

static const struct shape_case shape_cases[] = {
    {POINT_VIEW_ORDERS_EMPTY, "/v2/orders", two, "[]"},
    {POINT_VIEW_PARTIAL_PAGE, "/v2/orders", two,
     "[{\"id\":\"a\",\"status\":\"new\",\"filled_qty\":\"0\"}]"},
    {POINT_VIEW_PARTIAL_PAGE, "/v2/positions", "[1,2,3]", "[1]"},
    {POINT_VIEW_PARTIAL_PAGE, "/v2/positions", "[1]", "[]"},
    {POINT_VIEW_PARTIAL_PAGE, "/v2/positions", "[]", "[]"},
    {POINT_VIEW_UNKNOWN_STATUS, "/v2/orders", two,
     "[{\"id\":\"a\",\"status\":\"under_review\",\"filled_qty\":\"0\"},"
     "{\"id\":\"b\",\"status\":\"under_review\",\"filled_qty\":\"12\"}]"},
    {POINT_VIEW_UNKNOWN_STATUS, "/v2/orders/b", "{\"id\":\"b\",\"status\":\"filled\"}",
     "{\"id\":\"b\",\"status\":\"under_review\"}"},
    {POINT_VIEW_NULLS, "/v2/orders", two,
     "[{\"id\":\"a\",\"status\":\"new\",\"filled_qty\":null},"
     "{\"id\":\"b\",\"status\":\"filled\",\"filled_qty\":null}]"},
    {POINT_VIEW_NULLS, "/v2/account", "{\"equity\":\"10\",\"cash\":\"8\"}",
     "{\"equity\":null,\"cash\":\"8\"}"},
    {POINT_VIEW_NULLS, "/v2/positions", "[{\"symbol\":\"A\",\"market_value\":\"10\"}]",
     "[{\"symbol\":\"A\",\"market_value\":null}]"},
    {POINT_VIEW_NULLS, "/v2/stocks/bars", "{\"bars\":{\"A\":[]},\"next_page_token\":null}",
     "{\"bars\":null,\"next_page_token\":null}"},
    {POINT_VIEW_NULLS, "/v2/stocks/snapshots",
     "{\"A\":{\"minuteBar\":{\"t\":\"x\"},\"dailyBar\":{}},\"B\":null,\"C\":{\"minuteBar\":null},"
     "\"D\":{\"minuteBar\":{\"t\":\"y\"}}}",
     "{\"A\":{\"minuteBar\":null,\"dailyBar\":{}},\"B\":null,\"C\":{\"minuteBar\":null},"
     "\"D\":{\"minuteBar\":null}}"},
    {POINT_VIEW_NULLS, "/v2/stocks/snapshots", "{\"A\":{\"minuteBar\":{",
     "{\"A\":{\"minuteBar\":null"},
    {POINT_VIEW_ACTIVITY_TWICE, "/v2/account/activities", "[{\"id\":\"1\"},{\"id\":\"2\"}]",
     "[{\"id\":\"1\"},{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"2\"}]"},
    {POINT_VIEW_ACTIVITY_LATE, "/v2/account/activities", fresh_and_old,
     "[{\"id\":\"1\",\"transaction_time\":\"1970-01-01T00:00:30Z\"},{\"id\":\"3\"}]"},
};

Test(views, each_shape_is_what_its_row_says_and_only_where_it_says) {
    for (size_t i = 0; i < sizeof shape_cases / sizeof shape_cases[0]; i++) {
        const struct shape_case *c = &shape_cases[i];
        const struct fault fault = {.point = c->point};
        struct sea sea;
        sea_of(&sea, &fault);
        cr_expect_str_eq(told_at(&sea, 120, c->path, c->truth), c->told, "%s %s",
                         fault_point_name(c->point), text_get(&sea.answer.body));
        cr_expect_str_eq(told_at(&sea, 121, "/v2/clock", "{\"status\":\"x\"}"),
                         "{\"status\":\"x\"}");
        sea_end(&sea);
    }
}

Test(views, what_is_no_good_answer_is_left_alone) {
    const struct fault faults[] = {{.point = POINT_API_503},
                                   {.point = POINT_VIEW_PARTIAL_PAGE},
                                   {.point = POINT_VIEW_NULLS},
                                   {.point = POINT_VIEW_STALE}};
    struct sea sea;
    sea_start(&sea, 1, faults, 4);
    must(chaos_arm(sea.plan, sea.clock, NULL));
    (void)told_at(&sea, 10, "/v2/positions", "[1,2]");
    cr_expect_eq(sea.answer.status, 503);
    cr_expect_eq(plan_fired_count(sea.plan), 1);
    sea_end(&sea);
}
