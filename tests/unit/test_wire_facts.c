/* test_wire_facts.c - the twenty facts that break naive clients, one by one; 11 is test_sim_group.c's, 12, 13 and 19
 * concern streams and SDKs. */
#include "tests/unit/wire_shape.h"

Test(facts, fact_01_trading_decimals_are_strings_and_some_counts_are_numbers) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.has_pdt_fields = true;
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert(cJSON_IsString(json_member(f->json, "cash")));
    cr_assert_str_eq(str(f, "cash"), "100000");
    cr_assert_str_eq(str(f, "multiplier"), "2");
    cr_assert(cJSON_IsNumber(json_member(f->json, "daytrade_count")));
    cr_assert(cJSON_IsNumber(json_member(f->json, "options_trading_level")));
    cr_assert(cJSON_IsNumber(json_member(f->json, "crypto_tier")));
    cr_assert_eq(get(f, "/v2/stocks/SYM000/quotes/latest", ""), 200);
    cr_assert(cJSON_IsNumber(json_member(json_member(f->json, "quote"), "ap")));
    fixture_end(f);
}

Test(facts, fact_02_order_class_of_a_simple_order_is_the_empty_string) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(post(f, BODY("\"qty\":\"1\",\"order_class\":\"simple\"," DAY_BUY)), 200);
    cr_assert(cJSON_IsString(json_member(f->json, "order_class")));
    cr_assert_str_eq(str(f, "order_class"), "");
    fixture_end(f);
}

Test(facts, fact_03_notional_is_null_for_a_qty_order_and_both_are_refused) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(post(f, BODY("\"qty\":\"1\"," DAY_BUY)), 200);
    cr_assert(cJSON_IsNull(json_member(f->json, "notional")));
    cr_assert_eq(post(f, BODY("\"qty\":\"1\",\"notional\":\"5\"," DAY_BUY)), 422);
    fixture_end(f);
}

Test(facts, fact_04_code_40010001_arrives_with_http_422) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(post(f, BODY(DAY_BUY)), 422);
    cr_assert_eq(code_of(f), 40010001);
    fixture_end(f);
}

Test(facts, fact_05_an_error_body_may_lack_the_code_or_be_html) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v2/stocks/bars", "timeframe=1Min"), 400);
    cr_assert_null(json_member(f->json, "code"));
    call_with(f, NULL, 0, "POST", "/v2/orders", "", "{}");
    cr_assert_null(f->json);
    fixture_end(f);
}

Test(facts, fact_06_a_post_answers_200_even_if_the_order_is_rejected_later) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.late_reject_chance = (struct ratio){NANOS};
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(post(f, BODY("\"qty\":\"1\"," DAY_BUY)), 200);
    char id[40];
    snprintf(id, sizeof id, "%s", str(f, "id"));
    advance(f, SPAN_S(5));
    cr_assert_str_eq(status_of(f, id), "rejected");
    fixture_end(f);
}

Test(facts, fact_07_delete_answers_204_and_means_requested) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.accept_latency_max = SPAN_S(60);
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, id);
    cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
    cr_assert_eq(f->response.body.len, 0);
    cr_assert_str_eq(status_of(f, id), "pending_cancel");
    cr_assert_eq(get(f, "/v2/orders", ""), 200);
    cr_assert_eq(cJSON_GetArraySize(f->json), 1, "still open");
    advance(f, SPAN_S(61));
    cr_assert_str_eq(status_of(f, id), "canceled");
    fixture_end(f);
}

Test(facts, fact_08_patch_answers_200_with_a_new_id_and_may_be_rejected_later) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char id[40];
    order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, id);
    advance(f, SPAN_S(0));
    cr_assert_eq(on_order(f, "PATCH", id, "{\"qty\":2,\"client_order_id\":\"next\"}"), 200);
    cr_assert_str_neq(str(f, "id"), id);
    cr_assert_str_eq(str(f, "client_order_id"), "next");
    cr_assert_str_eq(str(f, "replaces"), id);
    cr_assert_str_eq(status_of(f, id), "replaced");
    fixture_end(f);
}

Test(facts, fact_09_cancel_all_answers_207_with_a_status_per_item) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(call(f, "DELETE", "/v2/orders", "", ""), 207);
    cr_assert_str_eq(text_get(&f->response.body), "[]");
    char id[40];
    order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, id);
    cr_assert_eq(call(f, "DELETE", "/v2/orders", "", ""), 207);
    expect_shape(f, "delete_orders_207");
    cr_assert_str_eq(json_member(f->json->child, "id")->valuestring, id);
    cr_assert_eq(json_member(f->json->child, "status")->valuedouble, 200);
    fixture_end(f);
}

Test(facts, fact_10_the_list_shows_50_open_orders_newest_first) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.cash = USD(10000000);
    struct fixture *f = fixture_with(&options);
    char id[40];
    for (int i = 0; i < 60; i++) {
        order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, id);
    }
    cr_assert_eq(get(f, "/v2/orders", ""), 200);
    cr_assert_eq(cJSON_GetArraySize(f->json), 50);
    cr_assert_str_eq(json_member(f->json->child, "id")->valuestring, id);
    fixture_end(f);
}

Test(facts, fact_14_clock_has_offset_and_nanoseconds_calendar_has_no_zone) {
    struct fixture *f = fixture_at((struct utc){at_ny(9, 1, 9, 45).ns + 12345678901});
    cr_assert_eq(get(f, "/v2/clock", ""), 200);
    expect_shape(f, "clock_open");
    cJSON *want = example("clock_open");
    cr_assert_str_eq(str(f, "timestamp"), json_member(want, "timestamp")->valuestring);
    cr_assert_str_eq(str(f, "next_open"), json_member(want, "next_open")->valuestring);
    cr_assert_str_eq(str(f, "next_close"), json_member(want, "next_close")->valuestring);
    cr_assert(cJSON_IsTrue(json_member(f->json, "is_open")));
    cJSON_Delete(want);
    fixture_end(f);
}

Test(facts, fact_15_snapshots_are_keyed_by_symbol_and_may_be_null) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v2/stocks/snapshots", "symbols=NOSUCH,SYM001"), 200);
    cr_assert(cJSON_IsNull(json_member(f->json, "NOSUCH")));
    cr_assert(cJSON_IsObject(json_member(f->json, "SYM001")));
    fixture_end(f);
}

Test(facts, fact_16_bars_of_an_unknown_symbol_are_empty_or_null) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v2/stocks/bars", "symbols=NOSUCH&timeframe=1Min"), 200);
    cr_assert_str_eq(text_get(&f->response.body), "{\"bars\":{},\"next_page_token\":null}");
    cr_assert_eq(get(f, "/v2/stocks/NOSUCH/bars", "timeframe=1Min"), 200);
    cr_assert(cJSON_IsNull(json_member(f->json, "bars")));
    fixture_end(f);
}

Test(facts, fact_17_the_limit_counts_bars_over_all_symbols) {
    struct fixture *f = fixture_at(at_ny(9, 2, 12, 0));
    cr_assert_eq(get(f, "/v2/stocks/bars", "symbols=SYM000,SYM001&timeframe=1Min&limit=20"), 200);
    const cJSON *bars = json_member(f->json, "bars");
    cr_assert_eq(cJSON_GetArraySize(bars), 1);
    cr_assert_eq(cJSON_GetArraySize(json_member(bars, "SYM000")), 20);
    cr_assert_str_neq(str(f, "next_page_token"), "");
    fixture_end(f);
}

Test(facts, fact_18_a_429_of_market_data_has_no_headers) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.rate_limit_per_min = 1;
    struct fixture *f = fixture_with(&options);
    cr_assert_eq(get(f, "/v2/stocks/quotes/latest", "symbols=SYM000"), 200);
    cr_assert_eq(get(f, "/v2/stocks/quotes/latest", "symbols=SYM000"), 429);
    cr_assert_eq(f->response.retry_after_s, -1);
    cr_assert_eq(f->response.rate_limit, -1);
    cr_assert_eq(f->response.rate_limit_remaining, -1);
    cr_assert_eq(f->response.rate_limit_reset_s, -1);
    fixture_end(f);
}

Test(facts, fact_20_the_pdt_fields_are_there_only_on_request) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_null(json_member(f->json, "pattern_day_trader"));
    cr_assert_null(json_member(f->json, "daytrade_count"));
    fixture_end(f);
}
