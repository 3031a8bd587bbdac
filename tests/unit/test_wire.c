/* test_wire.c - what goes over the wire: shapes against the example bodies, every documented error of an
 * implemented route, doors and limits. */
#include "tests/unit/wire_shape.h"

/* --- shapes --- */

Test(shape, account_of_2026_and_before) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    expect_shape(f, "account_2026");
    cr_assert_str_eq(str(f, "account_number"), "PA3SIMULATED");
    fixture_end(f);
    options.has_pdt_fields = true;
    f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    expect_shape(f, "account_legacy");
    fixture_end(f);
}

Test(shape, an_account_with_multiplier_1_has_its_cash_to_spend) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.multiplier = 1;
    options.cash = USD(500);
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    expect_shape(f, "account_small_multiplier1");
    const char *all[] = {"buying_power", "regt_buying_power", "non_marginable_buying_power"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(str(f, all[i]), "500");
    }
    cr_assert_str_eq(str(f, "multiplier"), "1");
    fixture_end(f);
}

static int configure(struct fixture *f, const char *body) {
    return call(f, "PATCH", "/v2/account/configurations", "", body);
}

Test(shape, the_accounts_configuration_is_told_changed_and_obeyed) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.has_pdt_fields = true;
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/account/configurations", ""), 200);
    expect_shape(f, "account_configurations");
    cr_assert_eq(configure(f, "{\"no_shorting\":true,\"max_margin_multiplier\":\"1\"}"), 200);
    cr_assert_str_eq(str(f, "max_margin_multiplier"), "1");
    cr_assert(cJSON_IsTrue(json_member(f->json, "no_shorting")));
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_str_eq(str(f, "multiplier"), "1");
    cr_assert_str_eq(str(f, "buying_power"), str(f, "cash"));
    cr_assert_eq(configure(f, "{\"max_margin_multiplier\":\"4\"}"), 200);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_str_eq(str(f, "multiplier"), "2", "as approved");
    cr_assert_eq(configure(f, "{\"max_margin_multiplier\":\"3\"}"), 422);
    cr_assert_eq(configure(f, "{\"max_margin_multiplier\":4}"), 422);
    cr_assert_eq(configure(f, "{\"suspend_trade\":\"no\"}"), 422);
    cr_assert_eq(configure(f, "nonsense"), 400);
    fixture_end(f);
}

Test(shape, suspended_trading_takes_no_order_and_keeps_what_rests) {
    static const char ORDER[] = "{\"symbol\":\"SYM000\",\"side\":\"buy\",\"type\":\"limit\","
                                "\"time_in_force\":\"day\",\"qty\":\"1\",\"limit_price\":\"1\"}";
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char path[80];
    cr_assert_eq(post(f, ORDER), 200);
    snprintf(path, sizeof path, "/v2/orders/%s", str(f, "id"));
    broker_advance_to(f->broker, utc_add(broker_now(f->broker), SPAN_S(5)));
    cr_assert_eq(configure(f, "{\"suspend_trade\":true}"), 200);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert(cJSON_IsTrue(json_member(f->json, "trade_suspended_by_user")));
    cr_assert_eq(post(f, ORDER), 403);
    cr_assert_eq(code_of(f), 40310000);
    cr_assert_eq(call(f, "PATCH", path, "", "{\"limit_price\":\"2\"}"), 403);
    cr_assert_eq(get(f, path, ""), 200);
    cr_assert_str_eq(str(f, "status"), "new");
    cr_assert_eq(call(f, "DELETE", path, "", ""), 204);
    cr_assert_eq(configure(f, "{\"suspend_trade\":false}"), 200);
    cr_assert_eq(post(f, ORDER), 200);
    fixture_end(f);
}

Test(shape, clock_calendar_and_assets) {
    struct fixture *f = fixture_at(at_ny(9, 1, 20, 45));
    cr_assert_eq(get(f, "/v2/clock", ""), 200);
    expect_shape(f, "clock_closed");
    cr_assert_eq(get(f, "/v2/calendar", "start=2026-11-25&end=2026-11-27"), 200);
    expect_shape(f, "calendar");
    cJSON *want = example("calendar");
    cr_assert(cJSON_Compare(f->json, want, true), "%s", text_get(&f->response.body));
    cJSON_Delete(want);
    cr_assert_eq(get(f, "/v2/assets/SYM000", ""), 200);
    expect_shape(f, "asset");
    char id[64];
    snprintf(id, sizeof id, "/v2/assets/%s", str(f, "id"));
    cr_assert_eq(get(f, id, ""), 200);
    cr_assert_str_eq(str(f, "symbol"), "SYM000");
    cr_assert_eq(get(f, "/v2/assets", "status=active&asset_class=us_equity"), 200);
    cr_assert_eq(cJSON_GetArraySize(f->json), 5);
    fixture_end(f);
}

Test(shape, orders_in_every_state) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char id[40];
    order(f, "buy", "market", "day", "2", none, none, id);
    expect_shape(f, "order_market_pending_new");
    advance(f, SPAN_S(1));
    cr_assert_str_eq(status_of(f, id), "filled");
    expect_shape(f, "order_market_filled");
    order(f, "sell", "stop", "gtc", "2", none, off(last_now(f), -100), id);
    advance(f, SPAN_S(0));
    status_of(f, id);
    expect_shape(f, "order_stop_sell_new");
    char successor[40];
    replace(f, id, "{\"stop_price\":\"0.5\"}", successor);
    cr_assert_str_eq(status_of(f, id), "replaced");
    cr_assert_str_neq(str(f, "replaced_by"), "");
    cr_assert_eq(on_order(f, "DELETE", successor, ""), 204);
    advance(f, SPAN_S(0));
    order(f, "sell", "stop_limit", "day", "2", off(last_now(f), -150), off(last_now(f), -100), id);
    advance(f, SPAN_S(0));
    status_of(f, id);
    expect_shape(f, "order_stop_limit_sell_new");
    broker_advance_to(f->broker, at_ny(9, 2, 16, 0));
    order(f, "buy", "limit", "gtc", "2", off(last_now(f), -300), none, id);
    expect_shape(f, "order_limit_accepted_offhours");
    fixture_end(f);
}

Test(shape, limit_orders_and_their_ends) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char id[40];
    order(f, "buy", "limit", "day", "2", off(last_now(f), -300), none, id);
    advance(f, SPAN_S(0));
    status_of(f, id);
    expect_shape(f, "order_limit_new");
    cr_assert_eq(on_order(f, "PATCH", id, "{\"limit_price\":\"1.5\"}"), 200);
    expect_shape(f, "order_replaced_new");
    status_of(f, id);
    expect_shape(f, "order_replaced_old");
    order(f, "buy", "limit", "day", "2", off(last_now(f), -300), none, id);
    broker_advance_to(f->broker, at_ny(9, 2, 16, 0));
    cr_assert_str_eq(status_of(f, id), "expired");
    expect_shape(f, "order_expired");
    fixture_end(f);
}

Test(shape, an_async_reject_looks_like_the_example) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.late_reject_chance = (struct ratio){NANOS};
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "2", none, none, id);
    advance(f, SPAN_S(6));
    cr_assert_str_eq(status_of(f, id), "rejected");
    expect_shape(f, "order_rejected");
    fixture_end(f);
}

Test(shape, positions_and_activities) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "2");
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    expect_shape(f, "position_long");
    struct usd value = {0};
    cr_assert_eq(json_usd(f->json, "market_value", &value, NULL), ERR_OK);
    cr_assert_eq(value.nanos, 2 * last_now(f).nanos);
    struct usd previous = {0};
    struct usd lastday = {0};
    cr_assert(market_previous_close(f->market, 0, date_from_civil(2026, 9, 2), &previous));
    cr_assert_eq(json_usd(f->json, "lastday_price", &lastday, NULL), ERR_OK);
    cr_assert_eq(lastday.nanos, previous.nanos);
    char path[80];
    snprintf(path, sizeof path, "/v2/positions/%s", str(f, "asset_id"));
    cr_assert_eq(get(f, path, ""), 200);
    cr_assert_eq(get(f, "/v2/positions", ""), 200);
    cr_assert_eq(cJSON_GetArraySize(f->json), 1);
    cr_assert_eq(get(f, "/v2/account/activities", "activity_types=FILL"), 200);
    expect_shape(f, "activity_fill");
    const cJSON *id = json_member(f->json->child, "id");
    cr_assert_eq(strncmp(id->valuestring, "20260902100000000::", 19), 0, "%s", id->valuestring);
    fixture_end(f);
}

Test(shape, market_data_of_many_and_of_one) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    struct {
        const char *path, *query, *name;
    } rows[] = {
        {"/v2/stocks/quotes/latest", "symbols=SYM000", "quotes_latest"},
        {"/v2/stocks/trades/latest", "symbols=SYM000&feed=sip", "trades_latest"},
        {"/v2/stocks/bars/latest", "symbols=SYM000", "bars_latest"},
        {"/v2/stocks/SYM000/quotes/latest", "", "quote_latest_single"},
        {"/v2/stocks/SYM000/trades/latest", "", "trade_latest_single"},
        {"/v2/stocks/SYM000/snapshot", "", "snapshot_single"},
        {"/v2/stocks/snapshots", "symbols=SYM000,NOSUCH", "snapshots_multi"},
        {"/v2/stocks/bars", "symbols=SYM000&timeframe=1Min&limit=1000", "bars_multi"},
        {"/v2/stocks/SYM000/bars", "timeframe=1Min&limit=1", "bars_single"},
        {"/v2/stocks/NOSUCH/bars", "timeframe=1Min", "bars_single_unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(get(f, rows[i].path, rows[i].query), 200, "%s: %s", rows[i].path,
                     text_get(&f->response.body));
        expect_shape(f, rows[i].name);
    }
    fixture_end(f);
}

/* --- bars --- */

Test(bars, pages_join_to_the_whole_and_cut_inside_a_symbol) {
    struct fixture *f = fixture_at(at_ny(9, 2, 12, 0));
    for (int is_desc = 0; is_desc < 2; is_desc++) {
        const char *sort = is_desc ? "desc" : "asc";
        char query[256];
        snprintf(query, sizeof query,
                 "symbols=SYM001,SYM000&timeframe=1Min&limit=10000&sort=%s"
                 "&start=2026-09-01&end=2026-09-02T15:00:00Z",
                 sort);
        cr_assert_eq(get(f, "/v2/stocks/bars", query), 200);
        cJSON *whole = cJSON_DetachItemFromObject(f->json, "bars");
        cJSON *joined = cJSON_CreateObject();
        char token[128] = "";
        int pages = 0;
        do {
            snprintf(query, sizeof query,
                     "symbols=SYM001,SYM000&timeframe=1Min&limit=77&sort=%s"
                     "&start=2026-09-01&end=2026-09-02T15:00:00Z&page_token=%s",
                     sort, token);
            cr_assert_eq(get(f, "/v2/stocks/bars", query), 200);
            const cJSON *symbol = NULL;
            cJSON_ArrayForEach(symbol, json_member(f->json, "bars")) {
                cJSON *list = cJSON_GetObjectItem(joined, symbol->string);
                if (list == NULL) {
                    list = cJSON_AddArrayToObject(joined, symbol->string);
                }
                const cJSON *bar = NULL;
                cJSON_ArrayForEach(bar, symbol) {
                    cJSON_AddItemToArray(list, cJSON_Duplicate(bar, true));
                }
            }
            snprintf(token, sizeof token, "%s", str(f, "next_page_token"));
            pages++;
        } while (token[0] != '\0' && pages < 100);
        cr_assert_gt(pages, 5);
        cr_assert(cJSON_Compare(whole, joined, true), "%s pages differ from the whole", sort);
        cJSON_Delete(whole);
        cJSON_Delete(joined);
    }
    fixture_end(f);
}

Test(bars, an_unfinished_minute_is_not_told) {
    struct fixture *f = fixture_at((struct utc){at_ny(9, 2, 10, 5).ns + SPAN_S(59).ns});
    cr_assert_eq(get(f, "/v2/stocks/SYM000/bars", "timeframe=1Min&start=2026-09-02T14:00:00Z"),
                 200);
    const cJSON *bars = json_member(f->json, "bars");
    const cJSON *last = cJSON_GetArrayItem(bars, cJSON_GetArraySize(bars) - 1);
    cr_assert_str_eq(json_member(last, "t")->valuestring, "2026-09-02T14:04:00Z");
    fixture_end(f);
}

Test(bars, daily_bars_are_stamped_with_new_yorks_midnight) {
    struct fixture *f = fixture_at(at_ny(9, 4, 12, 0));
    cr_assert_eq(get(f, "/v2/stocks/SYM000/bars", "timeframe=1Day&start=2026-09-01&end=2026-09-03"),
                 200);
    const cJSON *bars = json_member(f->json, "bars");
    cr_assert_eq(cJSON_GetArraySize(bars), 3);
    cr_assert_str_eq(json_member(bars->child, "t")->valuestring, "2026-09-01T04:00:00Z");
    fixture_end(f);
}

Test(bars, the_days_before_the_first_are_told_and_never_as_minutes) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v2/stocks/SYM000/bars", "timeframe=1Day&start=2026-08-25&end=2026-08-31"),
                 200);
    const cJSON *bars = json_member(f->json, "bars");
    cr_assert_eq(cJSON_GetArraySize(bars), 5, "no bar of a Saturday or a Sunday");
    cr_expect_str_eq(json_member(bars->child, "t")->valuestring, "2026-08-25T04:00:00Z");
    cr_expect_gt(json_member(bars->child, "v")->valuedouble, 0);
    cr_assert_eq(get(f, "/v2/stocks/SYM000/bars", "timeframe=1Min&start=2026-08-25&end=2026-08-31"),
                 200);
    cr_expect(cJSON_IsNull(json_member(f->json, "bars")));
    cr_assert_eq(get(f, "/v2/stocks/SYM000/bars", "timeframe=1Day&start=2025-01-01&end=2025-02-01"),
                 200);
    cr_expect(cJSON_IsNull(json_member(f->json, "bars")), "not for ever");
    fixture_end(f);
}

Test(actions, in_calm_weather_there_are_none_and_a_bad_question_is_refused) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v1/corporate-actions", "symbols=SYM000&start=2026-08-01&end=2026-12-01"),
                 200);
    cr_expect(cJSON_IsObject(json_member(f->json, "corporate_actions")));
    cr_expect_null(json_member(f->json, "corporate_actions")->child);
    cr_expect(cJSON_IsNull(json_member(f->json, "next_page_token")));
    cr_expect_eq(get(f, "/v1/corporate-actions", "limit=1001"), 400);
    cr_expect_eq(get(f, "/v1/corporate-actions", "start=2026-08-02&end=2026-08-01"), 400);
    cr_expect_eq(get(f, "/v1/corporate-actions", "start=soon"), 400);
    fixture_end(f);
}

/* --- errors --- */

struct expected_error {
    const char *body; /* of POST /v2/orders */
    int status, code;
    const char *member; /* an extra member that must be there, or NULL */
};

Test(errors, a_post_is_refused_with_the_documented_status_and_code) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    static const struct expected_error rows[] = {
        {"", 400, 40010000, NULL},
        {"{", 400, 40010000, NULL},
        {"[]", 400, 40010000, NULL},
        {BODY("\"qty\":true," DAY_BUY), 400, 40010000, NULL},
        {BODY("\"qty\":1,\"side\":1,\"type\":\"market\",\"time_in_force\":\"day\""), 400, 40010000,
         NULL},
        {BODY("\"qty\":1,\"client_order_id\":5," DAY_BUY), 400, 40010000, NULL},
        {BODY(DAY_BUY), 422, 40010001, NULL},
        {BODY("\"qty\":1,\"notional\":5," DAY_BUY), 422, 40010001, NULL},
        {BODY("\"qty\":0," DAY_BUY), 422, 40010001, NULL},
        {BODY("\"qty\":\"-1\"," DAY_BUY), 422, 40010001, NULL},
        {BODY("\"qty\":\"x\"," DAY_BUY), 422, 40010001, NULL},
        {BODY("\"qty\":1,\"side\":\"up\",\"type\":\"market\",\"time_in_force\":\"day\""), 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"best\",\"time_in_force\":\"day\""), 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"market\",\"time_in_force\":\"week\""), 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"limit\",\"time_in_force\":\"day\""), 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"limit_price\":0,\"side\":\"buy\",\"type\":\"limit\",\"time_in_force\":"
              "\"day\""),
         422, 40010001, NULL},
        {BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"stop\",\"time_in_force\":\"day\""), 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"stop_price\":9,\"side\":\"buy\",\"type\":\"stop_limit\","
              "\"time_in_force\":\"day\""),
         422, 40010001, NULL},
        {BODY("\"qty\":1,\"limit_price\":9," DAY_BUY), 422, 40010001, NULL},
        {"{\"qty\":1," DAY_BUY "}", 422, 40010001, NULL},
        {"{\"symbol\":\"NOSUCH\",\"qty\":1," DAY_BUY "}", 422, 42210000, NULL},
        {"{\"symbol\":\"904837e3-3b76-47ec-b432-046db621571b\",\"qty\":1," DAY_BUY "}", 422,
         40010001, NULL},
        {BODY("\"qty\":1,\"limit_price\":1.123,\"side\":\"buy\",\"type\":\"limit\","
              "\"time_in_force\":\"day\""),
         422, 42210000, NULL},
        {BODY("\"qty\":1,\"limit_price\":0.30000000000000004,\"side\":\"buy\",\"type\":\"limit\","
              "\"time_in_force\":\"day\""),
         422, 42210000, NULL},
        {BODY("\"qty\":1.5,\"limit_price\":1,\"side\":\"buy\",\"type\":\"limit\","
              "\"time_in_force\":\"gtc\""),
         422, 42210000, NULL},
        {BODY("\"qty\":1.5,\"stop_price\":9000,\"side\":\"buy\",\"type\":\"stop\","
              "\"time_in_force\":\"day\""),
         422, 42210000, NULL},
        {BODY("\"qty\":1,\"position_intent\":\"sell_to_close\"," DAY_BUY), 422, 42210000, NULL},
        {BODY("\"qty\":1,\"extended_hours\":true," DAY_BUY), 422, 42210000, NULL},
        {BODY("\"qty\":1,\"stop_price\":0.5,\"side\":\"buy\",\"type\":\"stop\","
              "\"time_in_force\":\"day\""),
         422, 42210000, "market_price"},
        {BODY("\"qty\":100000," DAY_BUY), 403, 40310000, "cost_basis"},
        {BODY("\"qty\":1,\"side\":\"sell\",\"type\":\"market\",\"time_in_force\":\"day\""), 403,
         40310000, "related_orders"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = post(f, rows[i].body);
        cr_assert_eq(status, rows[i].status, "%s -> %d %s", rows[i].body, status,
                     text_get(&f->response.body));
        cr_assert_eq(code_of(f), rows[i].code, "%s -> %s", rows[i].body,
                     text_get(&f->response.body));
        if (rows[i].member != NULL) {
            cr_assert_not_null(json_member(f->json, rows[i].member), "%s", rows[i].member);
        }
    }
    cr_assert_eq(broker_order_count(f->broker), 0);
    fixture_end(f);
}

Test(errors, absurd_numbers_are_refused_and_harm_nothing) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    static const char *const numbers[] = {"9200000000", "99999999999999999999",
                                          "1e9",        "-5",
                                          "0x10",       "9223372036.854775807",
                                          "1.",         ".5",
                                          "",           "nan"};
    char body[256];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        for (int role = 0; role < 3; role++) {
            snprintf(body, sizeof body,
                     BODY("\"qty\":\"%s\",\"side\":\"buy\",\"type\":\"stop_limit\","
                          "\"limit_price\":\"%s\",\"stop_price\":\"%s\",\"time_in_force\":\"day\""),
                     role == 0 ? numbers[i] : "1", role == 1 ? numbers[i] : "9000",
                     role == 2 ? numbers[i] : "8000");
            int status = post(f, body);
            cr_assert(status == 422 || status == 403, "%s -> %d", body, status);
        }
    }
    fixture_end(f);
}

Test(errors, an_exit_without_order_class_is_ignored_and_odd_json_is_read_right) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(post(f,
                      " {\"stop_loss\" : {\"stop_price\":[1,{\"a\":\"},\"}]} , \"x\":\"q\\\"\\\\\","
                      "\"symbol\":\"SYM000\",\"qty\" : 2 ,\"client_order_id\":\"\\u0041:{\","
                      "\"limit_price\":null,\"side\":\"buy\",\"type\":\"market\","
                      "\"time_in_force\":\"day\"}\n"),
                 200, "%s", text_get(&f->response.body));
    cr_assert_str_eq(str(f, "qty"), "2");
    cr_assert_str_eq(str(f, "client_order_id"), "A:{");
    cr_assert(cJSON_IsNull(json_member(f->json, "legs")));
    cr_assert_eq(post(f, BODY("\"qty\":1,\"order_class\":\"bracket\"," DAY_BUY)), 422);
    fixture_end(f);
}

Test(errors, refusals_carry_the_members_of_the_examples) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cJSON *errors = example("errors");
    hold(f, "3");
    char id[40];
    order(f, "sell", "limit", "gtc", "3", off(last_now(f), 200), none, id);
    static const struct {
        const char *body, *message;
    } rows[] = {
        {BODY("\"qty\":100000,\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":5,"
              "\"time_in_force\":\"day\""),
         "insufficient buying power"},
        {BODY("\"qty\":3,\"side\":\"sell\",\"type\":\"market\",\"time_in_force\":\"day\""),
         "insufficient qty available for order (requested: 3, available: 0)"},
        {BODY("\"qty\":1," DAY_BUY), "potential wash trade detected. use complex orders"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(post(f, rows[i].body), 403);
        cr_assert_str_eq(str(f, "message"), rows[i].message);
        const cJSON *item = NULL;
        bool is_found = false;
        cJSON_ArrayForEach(item, errors) {
            const cJSON *want = json_member(item, "body");
            if (strcmp(json_member(want, "message")->valuestring, rows[i].message) != 0) {
                continue;
            }
            is_found = true;
            cr_assert_eq(cJSON_GetArraySize(want), cJSON_GetArraySize(f->json));
            const cJSON *member = NULL;
            cJSON_ArrayForEach(member, want) {
                const cJSON *got = json_member(f->json, member->string);
                cr_assert_not_null(got, "%s", member->string);
                cr_assert_eq(type_of(got), type_of(member), "%s", member->string);
            }
        }
        cr_assert(is_found, "%s", rows[i].message);
    }
    cr_assert_eq(post(f, rows[1].body), 403);
    cr_assert_str_eq(str(f, "held_for_orders"), "3");
    cr_assert_str_eq(str(f, "existing_qty"), "3");
    cr_assert_str_eq(json_member(f->json, "related_orders")->child->valuestring, id);
    cJSON_Delete(errors);
    fixture_end(f);
}

Test(errors, of_orders_that_are_not_there_or_not_open) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    const char *unknown = "00000000-0000-4000-8000-000000000099";
    const char *methods[] = {"GET", "PATCH", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(on_order(f, methods[i], unknown, "{\"qty\":2}"), 404);
        cr_assert_eq(code_of(f), 40410000);
        cr_assert_eq(on_order(f, methods[i], "not-a-uuid", "{\"qty\":2}"), 422);
        cr_assert_eq(code_of(f), 40010001);
        cr_assert_str_eq(str(f, "message"), "order_id is missing");
    }
    cr_assert_eq(get(f, "/v2/orders:by_client_order_id", "client_order_id=none"), 404);
    cr_assert_eq(code_of(f), 40410000);
    char id[40];
    order(f, "buy", "market", "day", "2", none, none, id);
    cr_assert_eq(on_order(f, "PATCH", id, "{\"qty\":3}"), 422);
    cr_assert_str_eq(str(f, "message"), "cannot replace order in pending_new status");
    advance(f, SPAN_S(1));
    cr_assert_eq(on_order(f, "DELETE", id, ""), 422);
    cr_assert_eq(code_of(f), 42210000);
    cr_assert_str_eq(str(f, "message"), "order is already in \"filled\" state");
    cr_assert_eq(on_order(f, "PATCH", id, "{\"qty\":3}"), 422);
    cr_assert_eq(code_of(f), 42210000);
    fixture_end(f);
}

Test(errors, of_a_patch) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char id[40];
    order(f, "buy", "limit", "day", "2", off(last_now(f), -300), none, id);
    advance(f, SPAN_S(0));
    static const struct expected_error rows[] = {
        {"{\"qty\":2}", 422, 42210000, NULL},
        {"{}", 422, 42210000, NULL},
        {"nonsense", 400, 40010000, NULL},
        {"{\"qty\":0}", 422, 40010001, NULL},
        {"{\"limit_price\":1.234}", 422, 42210000, NULL},
        {"{\"limit_price\":-1}", 422, 40010001, NULL},
        {"{\"stop_price\":5}", 422, 40010001, NULL},
        {"{\"qty\":2.5}", 422, 42210000, NULL},
        {"{\"qty\":100000}", 403, 40310000, "buying_power"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(on_order(f, "PATCH", id, rows[i].body), rows[i].status, "%s -> %s",
                     rows[i].body, text_get(&f->response.body));
        cr_assert_eq(code_of(f), rows[i].code, "%s", rows[i].body);
    }
    cr_assert_str_eq(status_of(f, id), "new");
    cr_assert_eq(on_order(f, "PATCH", id, "{\"qty\":3}"), 200);
    cr_assert_eq(on_order(f, "PATCH", id, "{\"qty\":4}"), 422);
    cr_assert_str_eq(str(f, "message"), "order already replaced");
    fixture_end(f);
}

Test(errors, of_unknown_things_and_bad_questions) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    static const struct {
        const char *path, *query;
        int status, code;
    } rows[] = {
        {"/v2/nowhere", "", 404, 40410000},
        {"/v2/assets/NOSUCH", "", 404, 40410000},
        {"/v2/positions/SYM000", "", 404, 40410000},
        {"/v2/positions/NOSUCH", "", 404, 40410000},
        {"/v2/orders", "limit=501", 422, 40010001},
        {"/v2/orders", "limit=0", 422, 40010001},
        {"/v2/orders", "status=some", 422, 40010001},
        {"/v2/orders", "after=yesterday", 422, 40010001},
        {"/v2/calendar", "start=soon", 422, 40010001},
        {"/v2/account/activities", "page_size=101", 422, 40010001},
        {"/v2/stocks/bars", "symbols=SYM000&timeframe=1Min&limit=10001", 400, 0},
        {"/v2/stocks/bars", "symbols=SYM000&timeframe=7Moons", 400, 0},
        {"/v2/stocks/bars", "timeframe=1Min", 400, 0},
        {"/v2/stocks/bars", "symbols=SYM000&timeframe=1Min&page_token=%21", 400, 0},
        {"/v2/stocks/quotes/latest", "", 400, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(get(f, rows[i].path, rows[i].query), rows[i].status, "%s?%s -> %s",
                     rows[i].path, rows[i].query, text_get(&f->response.body));
        cr_assert_eq(code_of(f), rows[i].code, "%s?%s", rows[i].path, rows[i].query);
    }
    fixture_end(f);
}

Test(errors, a_symbol_is_not_tradable_from_the_evening_of_its_last_day_on) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    struct session last;
    cr_assert(
        calendar_session(market_calendar(f->market), market_symbol_last_date(f->market, 0), &last));
    broker_advance_to(f->broker, (struct utc){last.close.ns - 1});
    cr_assert_eq(get(f, "/v2/assets/SYM000", ""), 200);
    cr_assert(cJSON_IsTrue(json_member(f->json, "tradable")));
    broker_advance_to(f->broker, last.close);
    cr_assert_eq(get(f, "/v2/assets/SYM000", ""), 200);
    cr_assert(cJSON_IsFalse(json_member(f->json, "tradable")));
    cr_assert_eq(post(f, BODY("\"qty\":1," DAY_BUY)), 422);
    cr_assert_eq(code_of(f), 42210000);
    fixture_end(f);
}

/* --- authentication and limits --- */

Test(doors, without_key_nginx_answers_and_with_a_wrong_one_the_api) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    call_with(f, NULL, 0, "GET", "/v2/account", "", "");
    cr_assert_eq(f->response.status, 401);
    cr_assert_eq(strncmp(f->response.body.data, "<html>", 6), 0);
    const struct http_header wrong[] = {{"apca-api-key-id", "SIM-KEY"},
                                        {"apca-api-secret-key", "guess"}};
    call_with(f, wrong, 2, "GET", "/v2/account", "", "");
    cr_assert_eq(f->response.status, 401);
    cr_assert_str_eq(f->response.body.data, "{\"message\": \"unauthorized.\"}");
    const struct http_header right[] = {{"apca-api-key-id", "SIM-KEY"},
                                        {"APCA-api-secret-KEY", "SIM-SECRET"}};
    call_with(f, right, 2, "GET", "/v2/account", "", "");
    cr_assert_eq(f->response.status, 200);
    fixture_end(f);
}

Test(doors, every_answer_has_its_own_request_id_of_32_hex_digits) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    get(f, "/v2/clock", "");
    char first[HTTP_REQUEST_ID_MAX];
    memcpy(first, f->response.request_id, sizeof first);
    cr_assert_eq(strspn(first, "0123456789abcdef"), 32);
    cr_assert_eq(strlen(first), 32);
    get(f, "/v2/nowhere", "");
    cr_assert_eq(strlen(f->response.request_id), 32);
    cr_assert_str_neq(f->response.request_id, first);
    fixture_end(f);
}

Test(doors, the_limit_is_a_sliding_minute_shared_by_all_routes) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.rate_limit_per_min = 4;
    struct fixture *f = fixture_with(&options);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(get(f, "/v2/clock", ""), 200);
        cr_assert_eq(f->response.rate_limit, 4);
        cr_assert_eq(f->response.rate_limit_remaining, 3 - 2 * i);
        cr_assert_eq(get(f, "/v2/stocks/quotes/latest", "symbols=SYM000"), 200);
        cr_assert_eq(f->response.rate_limit, -1);
        advance(f, SPAN_S(20));
    }
    cr_assert_eq(get(f, "/v2/clock", ""), 429);
    cr_assert_str_eq(text_get(&f->response.body), "{\"message\": \"too many requests.\"}");
    cr_assert_eq(f->response.rate_limit_remaining, 0);
    advance(f, SPAN_S(20));
    cr_assert_eq(get(f, "/v2/clock", ""), 200);
    cr_assert_eq(get(f, "/v2/clock", ""), 200);
    cr_assert_eq(get(f, "/v2/clock", ""), 429);
    fixture_end(f);
}

/* --- the list of orders --- */

Test(orders, the_list_filters_and_pages) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char ids[6][40];
    for (int i = 0; i < 6; i++) {
        order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, ids[i]);
        advance(f, SPAN_S(1));
    }
    cr_assert_eq(on_order(f, "DELETE", ids[2], ""), 204);
    advance(f, SPAN_S(0));
    static const struct {
        const char *query;
        int count, first; /* index of the first order told */
    } rows[] = {
        {"", 5, 5},
        {"status=open&direction=asc", 5, 0},
        {"status=closed", 1, 2},
        {"status=all", 6, 5},
        {"status=all&limit=2&direction=asc", 2, 0},
        {"status=all&after=2026-09-02T14:00:01Z&direction=asc", 4, 2},
        {"status=all&until=2026-09-02T14:00:01Z", 1, 0},
        {"status=all&after=2026-09-02T14:00:00Z&until=2026-09-02T14:00:05Z&nested=true", 4, 4},
        {"symbols=SYM000,SYM001&side=buy", 5, 5},
        {"status=all&after=2026-09-02T10:00:01-04:00&direction=asc", 4, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(get(f, "/v2/orders", rows[i].query), 200, "%s", rows[i].query);
        cr_assert_eq(cJSON_GetArraySize(f->json), rows[i].count, "%s", rows[i].query);
        cr_assert_str_eq(json_member(f->json->child, "id")->valuestring, ids[rows[i].first], "%s",
                         rows[i].query);
    }
    cr_assert_eq(get(f, "/v2/orders", "symbols=SYM001"), 200);
    cr_assert_str_eq(text_get(&f->response.body), "[]");
    fixture_end(f);
}

Test(orders, one_is_found_by_its_client_id_with_a_literal_or_encoded_colon) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(post(f, BODY("\"qty\":\"1\",\"client_order_id\":\"a b/c\"," DAY_BUY)), 200);
    const char *paths[] = {"/v2/orders:by_client_order_id", "/v2/orders%3Aby_client_order_id",
                           "/v2/orders%3aby_client_order_id"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(get(f, paths[i], "client_order_id=a%20b%2Fc"), 200, "%s", paths[i]);
        cr_assert_str_eq(str(f, "client_order_id"), "a b/c");
    }
    fixture_end(f);
}
