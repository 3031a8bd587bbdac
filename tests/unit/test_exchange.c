/* test_exchange.c - the simulated exchange and account: life cycle, matching, holds, money. */
#include "broker_sim/exchange/sim_exchange.h"
#include "tests/unit/broker_fixture.h"

Test(life, a_market_order_goes_from_pending_new_over_new_to_filled) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char id[40];
    order(f, "buy", "market", "day", "10", none, none, id);
    cr_assert_str_eq(str(f, "status"), "pending_new");
    struct usd ask = quote_now(f).ask;
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "filled");
    cr_assert_str_eq(f->words, " pending_new new filled");
    cr_assert_eq(f->fill_events, 1);
    struct usd average = {0};
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
    cr_assert_eq(average.nanos, ask.nanos);
    cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, QTY(10).nanos);
    cr_assert_eq(broker_cash(f->broker).nanos, USD(100000).nanos - 10 * ask.nanos);
    fixture_end(f);
}

Test(life, latencies_are_drawn_within_their_maximum) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.accept_latency_max = SPAN_S(2);
    options.fill_latency_max = SPAN_S(3);
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "1", none, none, id);
    advance(f, (struct span){1});
    cr_assert_str_eq(status_of(f, id), "pending_new");
    advance(f, SPAN_S(2));
    cr_assert_str_neq(status_of(f, id), "pending_new");
    advance(f, SPAN_S(3));
    cr_assert_str_eq(status_of(f, id), "filled");
    fixture_end(f);
}

Test(life, a_late_reject_comes_within_five_seconds_and_frees_what_was_held) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.late_reject_chance = (struct ratio){NANOS};
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "1", none, none, id);
    advance(f, SPAN_MS(99));
    cr_assert_str_eq(status_of(f, id), "pending_new");
    advance(f, SPAN_S(5));
    cr_assert_str_eq(status_of(f, id), "rejected");
    cr_assert_str_neq(str(f, "failed_at"), "");
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_str_eq(str(f, "buying_power"), "200000");
    fixture_end(f);
}

Test(life, an_order_of_the_night_is_accepted_and_becomes_new_at_the_open) {
    struct fixture *f = fixture_at(at_ny(9, 1, 20, 0));
    char id[40];
    order(f, "buy", "limit", "day", "1", off(last_now(f), -200), none, id);
    cr_assert_str_eq(str(f, "status"), "accepted");
    cr_assert_str_eq(str(f, "expires_at"), "2026-09-02T20:00:00Z");
    broker_advance_to(f->broker, at_ny(9, 2, 9, 29));
    cr_assert_str_eq(status_of(f, id), "accepted");
    broker_advance_to(f->broker, at_ny(9, 2, 9, 30));
    cr_assert_str_eq(status_of(f, id), "new");
    fixture_end(f);
}

Test(life, a_day_order_expires_at_the_close_and_a_gtc_order_stays) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char day[40];
    char gtc[40];
    order(f, "buy", "limit", "day", "1", off(last_now(f), -300), none, day);
    order(f, "buy", "limit", "gtc", "1", off(last_now(f), -300), none, gtc);
    cr_assert_str_eq(str(f, "expires_at"), "2026-11-30T21:15:00Z");
    broker_advance_to(f->broker, (struct utc){at_ny(9, 1, 16, 0).ns - 1});
    cr_assert_str_eq(status_of(f, day), "new");
    broker_advance_to(f->broker, at_ny(9, 1, 16, 0));
    cr_assert_str_eq(status_of(f, day), "expired");
    cr_assert_str_eq(str(f, "expired_at"), "2026-09-01T20:00:00Z");
    broker_advance_to(f->broker, at_ny(9, 2, 11, 0));
    cr_assert_str_eq(status_of(f, gtc), "new");
    fixture_end(f);
}

Test(life, an_ioc_order_that_finds_nothing_is_canceled_at_once) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char id[40];
    order(f, "buy", "limit", "ioc", "1", off(last_now(f), -50), none, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "canceled");
    order(f, "buy", "limit", "ioc", "1", off(last_now(f), 50), none, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "filled");
    fixture_end(f);
}

Test(life, a_cancel_takes_its_time_and_a_fill_may_come_before_it) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.accept_latency_max = SPAN_S(20);
    int raced = 0;
    int canceled = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        options.seed = seed;
        struct fixture *f = fixture_with(&options);
        char id[40];
        order(f, "buy", "market", "day", "1", none, none, id);
        cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
        cr_assert_eq(f->response.body.len, 0);
        cr_assert_str_eq(status_of(f, id), "pending_cancel");
        cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
        advance(f, SPAN_S(21));
        bool is_filled = strcmp(status_of(f, id), "filled") == 0;
        raced += is_filled;
        canceled += strcmp(str(f, "status"), "canceled") == 0;
        cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, is_filled ? NANOS : 0);
        fixture_end(f);
    }
    cr_assert_gt(raced, 0);
    cr_assert_gt(canceled, 0);
    cr_assert_eq(raced + canceled, 20);
}

Test(matching, a_limit_order_gets_the_better_price_of_the_market) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char id[40];
    struct market_quote quote = quote_now(f);
    order(f, "buy", "limit", "day", "1", off(quote.ask, 30), none, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "filled");
    struct usd average = {0};
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
    cr_assert_eq(average.nanos, quote.ask.nanos);
    order(f, "sell", "limit", "day", "1", off(quote.bid, -30), none, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "filled");
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
    cr_assert_eq(average.nanos, quote.bid.nanos);
    fixture_end(f);
}

Test(matching, a_resting_limit_fills_in_the_first_second_that_reaches_it) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    struct usd limit = usd_sub(quote_now(f).bid, (struct usd){NANOS / 100});
    char id[40];
    order(f, "buy", "limit", "day", "1", limit, none, id);
    struct utc start = broker_now(f->broker);
    struct utc expected = {0};
    for (int64_t s = 0; s < 20000 && expected.ns == 0; s++) {
        struct market_quote quote;
        struct utc at = utc_add(start, SPAN_S(s));
        cr_assert(market_quote_at(f->market, 0, at, &quote));
        if (quote.ask.nanos <= limit.nanos) {
            expected = at;
        }
    }
    cr_assert_neq(expected.ns, 0, "the price never came: another seed is needed");
    broker_advance_to(f->broker, (struct utc){expected.ns - 1});
    cr_assert_str_eq(status_of(f, id), "new");
    broker_advance_to(f->broker, expected);
    cr_assert_str_eq(status_of(f, id), "filled");
    fixture_end(f);
}

Test(matching, a_sell_stop_is_elected_by_a_trade_and_sells_at_the_bid) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    hold(f, "5");
    struct usd stop = usd_sub(last_now(f), (struct usd){NANOS / 20});
    char id[40];
    order(f, "sell", "stop", "gtc", "5", none, stop, id);
    struct utc start = broker_now(f->broker);
    struct utc elected = {0};
    for (int64_t s = 0; s < 20000 && elected.ns == 0; s++) {
        struct market_trade trade;
        struct utc at = utc_add(start, SPAN_S(s));
        cr_assert(market_trade_at(f->market, 0, at, &trade));
        if (trade.price.nanos <= stop.nanos) {
            elected = at;
        }
    }
    cr_assert_neq(elected.ns, 0);
    broker_advance_to(f->broker, (struct utc){elected.ns - 1});
    cr_assert_str_eq(status_of(f, id), "new");
    broker_advance_to(f->broker, elected);
    cr_assert_str_eq(status_of(f, id), "filled");
    cr_assert_str_eq(str(f, "type"), "stop");
    struct usd average = {0};
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
    cr_assert_eq(average.nanos, quote_now(f).bid.nanos);
    cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, 0);
    fixture_end(f);
}

Test(matching, a_buy_stop_is_elected_above_and_pays_at_most_its_collar) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    struct usd stop = usd_add(last_now(f), (struct usd){NANOS / 20});
    char id[40];
    order(f, "buy", "stop", "gtc", "5", none, stop, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "new");
    bool is_reached = false;
    for (int s = 0; s < 20000 && !is_reached; s++) {
        advance(f, SPAN_S(1));
        is_reached = last_now(f).nanos >= stop.nanos;
        cr_assert_str_eq(status_of(f, id), is_reached ? "filled" : "new");
    }
    cr_assert(is_reached);
    struct usd average = {0};
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
    cr_assert_leq(average.nanos, stop.nanos / 1000 * 1025);
    fixture_end(f);
}

struct jump { /* prices of SYM000 are a tenth higher, for a while */
    struct utc from, until;
};

static bool is_up(const struct jump *jump, size_t symbol, struct utc at) {
    return symbol == 0 && at.ns >= jump->from.ns && at.ns < jump->until.ns;
}

static struct usd raised(struct usd price) {
    return usd_floor(usd_scale(price, (struct ratio){NANOS / 10 * 11}), (struct usd){NANOS / 100});
}

static void jump_quote(void *context, size_t symbol, struct utc at, struct market_quote *quote) {
    if (is_up(context, symbol, at)) {
        quote->bid = raised(quote->bid);
        quote->ask = raised(quote->ask);
    }
}

static void jump_trade(void *context, size_t symbol, struct utc at, struct market_trade *trade) {
    (void)at;
    if (is_up(context, symbol, trade->at)) {
        trade->price = raised(trade->price);
    }
}

/* A buy stop is a stop-limit at Alpaca: what protects a short does not when the price jumps over the limit. */
Test(matching, a_short_s_buy_stop_that_is_jumped_rests_unfilled_at_its_limit) {
    static const char *const types[] = {"stop", "stop_limit"};
    for (size_t i = 0; i < 2; i++) {
        struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
        options.may_be_short = true;
        struct fixture *f = fixture_with(&options);
        struct jump jump = {.from = utc_add(broker_now(f->broker), SPAN_S(10)),
                            .until = utc_add(broker_now(f->broker), SPAN_S(40))};
        struct usd stop = off(last_now(f), 10);
        struct usd limit = sim_stop_collar(stop);
        char id[40];
        order(f, "sell", "market", "day", "5", none, none, id);
        advance(f, SPAN_S(2));
        order(f, "buy", types[i], "gtc", "5", i == 0 ? none : limit, stop, id);
        advance(f, SPAN_S(3));
        cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, -5 * NANOS);
        cr_assert_str_eq(status_of(f, id), "new");
        market_set_weather(
            f->market,
            &(struct market_weather){.context = &jump, .quote = jump_quote, .trade = jump_trade});
        advance(f, SPAN_S(30));
        cr_expect_gt(quote_now(f).ask.nanos, limit.nanos, "over the limit, at once");
        cr_expect_str_eq(status_of(f, id), "new");
        cr_expect_str_eq(str(f, "filled_qty"), "0");
        cr_expect_eq(broker_position_qty(f->broker, "SYM000").nanos, -5 * NANOS, "bare");
        advance(f, SPAN_S(20));
        cr_expect_str_eq(status_of(f, id), "filled", "it was elected, and rests as a limit order");
        struct usd average = {0};
        cr_assert_eq(json_usd(f->json, "filled_avg_price", &average, NULL), ERR_OK);
        cr_expect_lt(average.nanos, stop.nanos);
        cr_expect_eq(broker_position_qty(f->broker, "SYM000").nanos, 0);
        fixture_end(f);
    }
}

Test(matching, a_partial_fill_in_pending_cancel_stays_there_and_canceled_keeps_it) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.accept_latency_max = SPAN_S(30);
    options.partial_fill_chance = (struct ratio){NANOS};
    bool is_seen = false;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        options.seed = seed;
        struct fixture *f = fixture_with(&options);
        char id[40];
        order(f, "buy", "market", "day", "1000", none, none, id);
        cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
        advance(f, SPAN_S(31));
        bool is_canceled = strcmp(status_of(f, id), "canceled") == 0;
        if (is_canceled && f->fill_events > 0) {
            is_seen = true;
            cr_assert_null(strstr(f->words, "partially_filled"), "%s", f->words);
            struct qty filled = {0};
            cr_assert_eq(json_qty(f->json, "filled_qty", &filled, NULL), ERR_OK);
            cr_assert_eq(filled.nanos, broker_position_qty(f->broker, "SYM000").nanos);
            cr_assert_gt(filled.nanos, 0);
        }
        fixture_end(f);
    }
    cr_assert(is_seen);
}

Test(matching, the_liquidity_of_a_second_is_spent_once) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.cash = USD(100000000);
    options.multiplier = 1;
    struct fixture *f = fixture_with(&options);
    struct market_quote quote = quote_now(f);
    int64_t volume = market_volume_in_second(f->market, 0, broker_now(f->broker));
    int64_t most = volume > quote.ask_size ? volume : quote.ask_size;
    char first[40];
    char second[40];
    char qty[24];
    snprintf(qty, sizeof qty, "%lld", (long long)most - 1);
    order(f, "buy", "market", "day", qty, none, none, first);
    order(f, "buy", "market", "day", qty, none, none, second);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, first), "filled");
    cr_assert_str_eq(status_of(f, second), "partially_filled");
    cr_assert_str_eq(str(f, "filled_qty"), "1");
    advance(f, SPAN_MIN(30));
    cr_assert_str_eq(status_of(f, second), "filled");
    cr_assert_str_eq(str(f, "filled_qty"), qty);
    fixture_end(f);
}

Test(matching, partial_fills_leave_a_cumulative_quantity_and_an_exact_average) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.partial_fill_chance = (struct ratio){NANOS / 2};
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "90", none, none, id);
    advance(f, SPAN_MIN(5));
    cr_assert_str_eq(status_of(f, id), "filled");
    struct usd told = {0};
    cr_assert_eq(json_usd(f->json, "filled_avg_price", &told, NULL), ERR_OK);
    cr_assert_eq(get(f, "/v2/account/activities/FILL", "direction=asc"), 200);
    struct usd value = {0};
    struct qty sum = {0};
    const cJSON *item = NULL;
    int parts = 0;
    cJSON_ArrayForEach(item, f->json) {
        struct usd price = {0};
        struct qty qty = {0};
        struct qty cumulative = {0};
        cr_assert_eq(json_usd(item, "price", &price, NULL), ERR_OK);
        cr_assert_eq(json_qty(item, "qty", &qty, NULL), ERR_OK);
        cr_assert_eq(json_qty(item, "cum_qty", &cumulative, NULL), ERR_OK);
        sum = qty_add(sum, qty);
        value = usd_add(value, usd_mul(price, qty));
        cr_assert_eq(cumulative.nanos, sum.nanos);
        parts++;
    }
    cr_assert_gt(parts, 1, "no partial fill was drawn: another seed is needed");
    cr_assert_eq(sum.nanos, QTY(90).nanos);
    struct usd average = {0};
    cr_assert_eq(usd_per_qty(value, sum, &average, NULL), ERR_OK);
    cr_assert_eq(told.nanos, average.nanos);
    cr_assert_eq(f->fill_events, parts);
    cr_assert_eq(broker_fill_count(f->broker), parts);
    fixture_end(f);
}

Test(matching, nothing_trades_outside_sessions) {
    struct fixture *f = fixture_at(at_ny(9, 1, 16, 0));
    char id[40];
    order(f, "buy", "market", "day", "1", none, none, id);
    broker_advance_to(f->broker, (struct utc){at_ny(9, 2, 9, 30).ns - 1});
    cr_assert_eq(broker_fill_count(f->broker), 0);
    broker_advance_to(f->broker, at_ny(9, 2, 9, 30));
    cr_assert_eq(broker_fill_count(f->broker), 1);
    fixture_end(f);
}

Test(matching, another_order_changes_no_draw_of_the_first) {
    struct broker_options options = broker_options_paper(5, at_ny(9, 1, 10, 0));
    char fills[2][4096];
    for (int with_other = 0; with_other < 2; with_other++) {
        struct fixture *f = fixture_with(&options);
        char id[40];
        order(f, "buy", "market", "day", "50", none, none, id);
        if (with_other) {
            cr_assert_eq(post(f, "{\"symbol\":\"SYM001\",\"qty\":1,\"side\":\"buy\",\"type\":"
                                 "\"market\",\"time_in_force\":\"day\"}"),
                         200);
        }
        advance(f, SPAN_MIN(2));
        status_of(f, id);
        snprintf(fills[with_other], sizeof fills[0], "%s", text_get(&f->response.body));
        fixture_end(f);
    }
    cr_assert_str_eq(fills[0], fills[1]);
}

Test(holds, shares_of_an_open_sell_are_held_until_it_is_canceled) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.accept_latency_max = SPAN_S(3);
    struct fixture *f = fixture_with(&options);
    hold(f, "10");
    char id[40];
    order(f, "sell", "limit", "gtc", "7", off(last_now(f), 300), none, id);
    advance(f, SPAN_S(5));
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty"), "10");
    cr_assert_str_eq(str(f, "qty_available"), "3");
    const char *four = "{\"symbol\":\"SYM000\",\"qty\":\"4\",\"side\":\"sell\",\"type\":\"market\","
                       "\"time_in_force\":\"day\"}";
    cr_assert_eq(post(f, four), 403);
    cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
    cr_assert_eq(post(f, four), 403, "pending_cancel still holds");
    advance(f, SPAN_S(4));
    cr_assert_str_eq(status_of(f, id), "canceled");
    cr_assert_eq(post(f, four), 200);
    fixture_end(f);
}

Test(holds, an_open_buy_reserves_buying_power_and_a_cancel_gives_it_back) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char id[40];
    struct usd limit = off(last_now(f), -300);
    order(f, "buy", "limit", "day", "100", limit, none, id);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    struct usd power = {0};
    cr_assert_eq(json_usd(f->json, "buying_power", &power, NULL), ERR_OK);
    cr_assert_eq(power.nanos, USD(200000).nanos - 100 * limit.nanos);
    cr_assert_eq(on_order(f, "DELETE", id, ""), 204);
    advance(f, SPAN_S(0));
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_str_eq(str(f, "buying_power"), "200000");
    fixture_end(f);
}

Test(wash, opposite_orders_are_refused_by_the_official_table) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    hold(f, "10");
    struct usd last = last_now(f);
    char id[40];
    order(f, "sell", "limit", "gtc", "5", off(last, 200), none, id);
    char body[256];
    char price[DECIMAL_TEXT_MAX];
    struct {
        const char *type;
        int per_mille;
        int status;
    } rows[] = {{"limit", 199, 200}, {"limit", 201, 403}, {"market", 0, 403}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        decimal_print(off(last, rows[i].per_mille).nanos, price);
        bool is_limit = strcmp(rows[i].type, "limit") == 0;
        snprintf(body, sizeof body,
                 BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"%s\",\"time_in_force\":\"day\"%s%s"),
                 rows[i].type, is_limit ? ",\"limit_price\":" : "", is_limit ? price : "");
        cr_assert_eq(post(f, body), rows[i].status, "row %zu: %s", i, text_get(&f->response.body));
        if (rows[i].status == 403) {
            cr_assert_str_eq(str(f, "existing_order_id"), id);
            cr_assert_str_eq(str(f, "reject_reason"), "opposite side limit order exists");
        }
    }
    static const char stop[] = BODY("\"qty\":1,\"side\":\"sell\",\"type\":\"stop\","
                                    "\"time_in_force\":\"gtc\",\"stop_price\":1");
    cr_assert_eq(post(f, stop), 403, "a stop against the resting buy limit");
    cr_assert_str_eq(str(f, "reject_reason"), "opposite side limit order exists");
    cr_assert_eq(call(f, "DELETE", "/v2/orders", "", ""), 207);
    advance(f, SPAN_S(0));
    cr_assert_eq(post(f, stop), 200);
    static const char limit[] = BODY("\"qty\":1,\"side\":\"buy\",\"type\":\"limit\","
                                     "\"time_in_force\":\"day\",\"limit_price\":0.5");
    cr_assert_eq(post(f, limit), 403, "a buy limit far below the resting stop");
    cr_assert_str_eq(str(f, "reject_reason"), "opposite side market/stop order exists");
    fixture_end(f);
}

Test(client_ids, a_client_order_id_is_used_for_ever) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    const char *body =
        "{\"symbol\":\"SYM000\",\"qty\":1,\"side\":\"buy\",\"type\":\"limit\","
        "\"limit_price\":\"1\",\"time_in_force\":\"day\",\"client_order_id\":\"one\"}";
    cr_assert_eq(post(f, body), 200);
    cr_assert_eq(on_order(f, "DELETE", str(f, "id"), ""), 204);
    broker_advance_to(f->broker, at_ny(9, 3, 10, 0));
    cr_assert_eq(post(f, body), 422);
    cr_assert_eq(code_of(f), 40010001);
    fixture_end(f);
}

Test(replace, the_successor_starts_at_zero_with_what_was_left) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.cash = USD(100000000);
    options.multiplier = 1;
    struct fixture *f = fixture_with(&options);
    struct market_quote quote = quote_now(f);
    int64_t volume = market_volume_in_second(f->market, 0, broker_now(f->broker));
    int64_t most = volume > quote.ask_size ? volume : quote.ask_size;
    char qty[24];
    char id[40];
    snprintf(qty, sizeof qty, "%lld", (long long)most + 5);
    order(f, "buy", "limit", "day", qty, quote.ask, none, id);
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, id), "partially_filled");
    char body[64];
    snprintf(body, sizeof body, "{\"qty\":\"%lld\",\"limit_price\":\"1\"}", (long long)most + 7);
    char successor[40];
    replace(f, id, body, successor);
    cr_assert_str_neq(successor, id);
    cr_assert_str_eq(str(f, "replaces"), id);
    cr_assert_str_eq(str(f, "status"), "pending_new");
    cr_assert_str_eq(str(f, "qty"), "7");
    cr_assert_str_eq(str(f, "filled_qty"), "0");
    cr_assert_str_eq(str(f, "limit_price"), "1");
    cr_assert_str_eq(status_of(f, id), "replaced");
    cr_assert_str_eq(str(f, "replaced_by"), successor);
    cr_assert_str_neq(str(f, "replaced_at"), "");
    advance(f, SPAN_S(0));
    cr_assert_str_eq(status_of(f, successor), "new");
    fixture_end(f);
}

Test(replace, a_stop_is_moved_without_freeing_its_shares) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    hold(f, "10");
    char id[40];
    order(f, "sell", "stop", "gtc", "10", none, off(last_now(f), -200), id);
    advance(f, SPAN_S(0));
    char body[64];
    char price[DECIMAL_TEXT_MAX];
    decimal_print(off(last_now(f), -150).nanos, price);
    snprintf(body, sizeof body, "{\"stop_price\":\"%s\"}", price);
    cr_assert_eq(on_order(f, "PATCH", id, body), 200, "%s", text_get(&f->response.body));
    cr_assert_str_eq(str(f, "stop_price"), price);
    cr_assert_str_eq(str(f, "qty"), "10");
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty_available"), "0");
    fixture_end(f);
}

Test(account, cash_moves_are_activities_and_withdrawals_are_negative) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    broker_move_cash(f->broker, USD(500));
    advance(f, SPAN_S(1));
    broker_move_cash(f->broker, USD(-200));
    cr_assert_eq(broker_cash(f->broker).nanos, USD(100300).nanos);
    cr_assert_eq(get(f, "/v2/account/activities", ""), 200);
    const cJSON *newest = cJSON_GetArrayItem(f->json, 0);
    const cJSON *oldest = cJSON_GetArrayItem(f->json, 1);
    cr_assert_str_eq(json_member(newest, "activity_type")->valuestring, "CSW");
    cr_assert_str_eq(json_member(newest, "net_amount")->valuestring, "-200");
    cr_assert_str_eq(json_member(oldest, "activity_type")->valuestring, "CSD");
    cr_assert_str_eq(json_member(oldest, "date")->valuestring, "2026-09-01");
    fixture_end(f);
}

Test(account, equity_is_cash_plus_positions_and_the_close_is_remembered) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    hold(f, "100");
    broker_advance_to(f->broker, at_ny(9, 1, 16, 0));
    struct market_trade close;
    cr_assert(market_trade_at(f->market, 0, at_ny(9, 1, 16, 0), &close));
    struct usd at_close = usd_add(broker_cash(f->broker), usd_mul(close.price, QTY(100)));
    broker_advance_to(f->broker, at_ny(9, 2, 12, 0));
    struct usd now = usd_add(broker_cash(f->broker), usd_mul(last_now(f), QTY(100)));
    cr_assert_eq(broker_equity(f->broker).nanos, now.nanos);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    struct usd told = {0};
    cr_assert_eq(json_usd(f->json, "last_equity", &told, NULL), ERR_OK);
    cr_assert_eq(told.nanos, at_close.nanos);
    cr_assert_eq(json_usd(f->json, "equity", &told, NULL), ERR_OK);
    cr_assert_eq(told.nanos, now.nanos);
    cr_assert_str_eq(str(f, "balance_asof"), "2026-09-01");
    fixture_end(f);
}

Test(account, a_sale_realises_at_average_cost) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    hold(f, "3");
    hold(f, "5");
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    struct usd before = {0};
    cr_assert_eq(json_usd(f->json, "avg_entry_price", &before, NULL), ERR_OK);
    char id[40];
    order(f, "sell", "market", "day", "6", none, none, id);
    advance(f, SPAN_S(2));
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    struct usd after = {0};
    cr_assert_eq(json_usd(f->json, "avg_entry_price", &after, NULL), ERR_OK);
    cr_assert_leq(llabs(before.nanos - after.nanos), 1);
    cr_assert_str_eq(str(f, "qty"), "2");
    order(f, "sell", "market", "day", "2", none, none, id);
    advance(f, SPAN_S(2));
    cr_assert_eq(get(f, "/v2/positions", ""), 200);
    cr_assert_str_eq(text_get(&f->response.body), "[]");
    fixture_end(f);
}

Test(account, fractions_of_shares_trade_to_nine_decimals) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char id[40];
    order(f, "buy", "market", "day", "1.123456789", none, none, id);
    advance(f, SPAN_S(1));
    cr_assert_str_eq(status_of(f, id), "filled");
    cr_assert_str_eq(str(f, "filled_qty"), "1.123456789");
    cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, 1123456789);
    fixture_end(f);
}

Test(activities, a_page_token_goes_on_behind_the_last_item) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    for (int i = 1; i <= 5; i++) {
        broker_move_cash(f->broker, USD(i));
        advance(f, SPAN_S(1));
    }
    char seen[64] = "";
    char query[160] = "page_size=2";
    for (int page = 0; page < 3; page++) {
        cr_assert_eq(get(f, "/v2/account/activities", query), 200);
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, f->json) {
            strcat(seen, json_member(item, "net_amount")->valuestring);
            snprintf(query, sizeof query, "page_size=2&page_token=%s",
                     json_member(item, "id")->valuestring);
        }
    }
    cr_assert_str_eq(seen, "54321");
    cr_assert_eq(get(f, "/v2/account/activities", query), 200);
    cr_assert_str_eq(text_get(&f->response.body), "[]");
    cr_assert_eq(get(f, "/v2/account/activities",
                     "direction=asc&after=2026-09-01T14:00:01Z&until=2026-09-01T14:00:04Z"),
                 200);
    cr_assert_eq(cJSON_GetArraySize(f->json), 2, "after and until are exclusive");
    fixture_end(f);
}

Test(ledger, orders_are_told_in_the_order_of_submission) {
    struct fixture *f = fixture_at(at_ny(9, 1, 10, 0));
    char first[40];
    char second[40];
    order(f, "buy", "market", "day", "1", none, none, first);
    order(f, "buy", "limit", "day", "2", off(last_now(f), -300), none, second);
    advance(f, SPAN_S(1));
    cr_assert_eq(broker_order_count(f->broker), 2);
    struct ledger_order told;
    broker_order_at(f->broker, 0, &told);
    cr_assert_str_eq(told.id, first);
    cr_assert_str_eq(told.status, "filled");
    cr_assert_eq(told.filled_qty.nanos, NANOS);
    broker_order_at(f->broker, 1, &told);
    cr_assert_str_eq(told.id, second);
    cr_assert_str_eq(told.status, "new");
    cr_assert_eq(told.filled_avg_price.nanos, 0);
    fixture_end(f);
}

Test(steps, one_long_step_equals_many_short_ones) {
    struct broker_options options = broker_options_paper(3, at_ny(9, 1, 10, 0));
    struct text bodies[2] = {{0}, {0}};
    for (int run = 0; run < 2; run++) {
        struct fixture *f = fixture_with(&options);
        char id[40];
        order(f, "buy", "market", "day", "40", none, none, id);
        order(f, "buy", "limit", "gtc", "30", off(last_now(f), -2), none, id);
        struct utc end = at_ny(9, 3, 11, 0);
        while (run == 1 && broker_now(f->broker).ns < end.ns - SPAN_S(8).ns) {
            advance(f, (struct span){7654321987});
        }
        broker_advance_to(f->broker, end);
        cr_assert_eq(get(f, "/v2/orders", "status=all"), 200);
        text_add(&bodies[run], text_get(&f->response.body));
        cr_assert_eq(get(f, "/v2/account", ""), 200);
        text_add(&bodies[run], text_get(&f->response.body));
        fixture_end(f);
    }
    cr_assert_str_eq(text_get(&bodies[0]), text_get(&bodies[1]));
    text_release(&bodies[0]);
    text_release(&bodies[1]);
}
