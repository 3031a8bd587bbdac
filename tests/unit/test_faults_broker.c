/* test_faults_broker.c - faults of orders, prices and the wall clock, at a whole simulated broker. */
#include "chaos/faults/gate.h"
#include "scenarios/sea.h"
#include "tests/unit/broker_fixture.h"

#include <math.h>

#define must(code) cr_assert_eq((code), ERR_OK)
#define NONE ((struct usd){0})

struct harbour { /* a broker, one armed plan, and the sea between them */
    struct fixture *f;
    struct virtual_clock *clock;
    struct plan *plan;
    struct sea *sea;
    int64_t tick;
};

/* Tuesday 2026-09-01 10:00 in New York, a position of 100 SYM000 if is_holding; the fault begins
 * there. */
static void set_out(struct harbour *h, const struct fault *faults, size_t n, bool is_holding) {
    *h = (struct harbour){0};
    h->f = fixture_at(at_ny(9, 1, 9, 55));
    if (is_holding) {
        hold(h->f, "100");
    }
    broker_advance_to(h->f->broker, at_ny(9, 1, 10, 0));
    h->f->words[0] = '\0';
    h->clock = virtual_clock_create(at_ny(9, 1, 10, 0), "t");
    h->plan = plan_create(1, h->clock, NULL);
    for (size_t i = 0; i < n; i++) {
        must(plan_add(h->plan, &faults[i], NULL));
    }
    must(chaos_arm(h->plan, h->clock, NULL));
    h->sea = sea_create(h->plan, h->clock, h->f->market, h->f->broker);
    sea_look(h->sea);
}

static void come_home(struct harbour *h) {
    sea_destroy(h->sea);
    chaos_disarm(h->plan);
    plan_destroy(h->plan);
    fixture_end(h->f);
    virtual_clock_destroy(h->clock);
}

/* As the stage does: time stops where the sea wants to be looked at; a tick a second. */
static void sail(struct harbour *h, int64_t seconds) {
    for (int64_t i = 0; i < seconds; i++) {
        const struct utc at = utc_add(virtual_clock_now(h->clock), SPAN_S(1));
        while (sea_next_at(h->sea).ns <= at.ns) {
            virtual_clock_advance_to(h->clock, sea_next_at(h->sea));
            sea_look(h->sea);
        }
        virtual_clock_advance_to(h->clock, at);
        sea_look(h->sea);
        plan_set_tick(h->plan, ++h->tick);
        broker_advance_to(h->f->broker, at);
        sea_tick(h->sea);
    }
}

static double filled(struct harbour *h, const char *id) {
    (void)status_of(h->f, id);
    return atof(str(h->f, "filled_qty"));
}

/* --- orders --- */

Test(order_faults, a_stuck_order_stays_pending_and_then_lives) {
    const struct fault fault = {
        .point = POINT_ORDER_STUCK_PENDING, .delay = SPAN_S(30), .target = "buy market SYM000"};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, false);
    order(h.f, "buy", "market", "day", "5", NONE, NONE, id);
    sail(&h, 29);
    cr_expect_str_eq(status_of(h.f, id), "pending_new");
    sail(&h, 3);
    cr_expect_str_eq(status_of(h.f, id), "filled");
    come_home(&h);
}

Test(order_faults, half_is_filled_then_nothing_for_the_delay) {
    for (int64_t delay = 0; delay <= 60; delay += 60) {
        const struct fault fault = {.point = POINT_ORDER_PARTIAL_SILENCE, .delay = SPAN_S(delay)};
        struct harbour h;
        char id[40];
        set_out(&h, &fault, 1, false);
        order(h.f, "buy", "market", "day", "9", NONE, NONE, id);
        sail(&h, 50);
        cr_expect_str_eq(status_of(h.f, id), "partially_filled");
        cr_expect_eq(filled(&h, id), 4);
        sail(&h, 20);
        cr_expect_str_eq(status_of(h.f, id), delay == 0 ? "partially_filled" : "filled");
        come_home(&h);
    }
}

Test(order_faults, a_late_reject_comes_after_new_and_before_any_fill) {
    const struct fault fault = {.point = POINT_ORDER_REJECT_LATE, .delay = SPAN_S(4)};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, false);
    order(h.f, "buy", "market", "day", "9", NONE, NONE, id);
    sail(&h, 3);
    cr_expect_str_eq(status_of(h.f, id), "new");
    sail(&h, 2);
    cr_expect_str_eq(status_of(h.f, id), "rejected");
    cr_expect_eq(filled(&h, id), 0);
    cr_expect_str_eq(h.f->words, " pending_new new rejected");
    come_home(&h);
}

Test(order_faults, the_broker_cancels_what_nobody_asked_it_to) {
    const struct fault fault = {.point = POINT_ORDER_CANCEL_UNASKED,
                                .target = "sell stop*",
                                .symbol = "SYM000",
                                .from = fault_after(SPAN_S(10)),
                                .count = 1};
    struct harbour h;
    char stop[40];
    char limit[40];
    set_out(&h, &fault, 1, true);
    order(h.f, "sell", "stop", "gtc", "50", NONE, off(last_now(h.f), -200), stop);
    order(h.f, "sell", "limit", "day", "50", off(last_now(h.f), 200), NONE, limit);
    sail(&h, 9);
    cr_expect_str_eq(status_of(h.f, stop), "new");
    sail(&h, 1);
    cr_expect_str_eq(status_of(h.f, stop), "canceled");
    cr_expect_str_eq(status_of(h.f, limit), "new");
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM000").nanos, 100 * NANOS);
    come_home(&h);
}

Test(order_faults, a_stuck_cancel_is_pending_for_its_delay) {
    const struct fault fault = {.point = POINT_ORDER_CANCEL_STUCK, .delay = SPAN_S(100)};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, true);
    order(h.f, "sell", "limit", "day", "50", off(last_now(h.f), 200), NONE, id);
    sail(&h, 2);
    cr_expect_eq(on_order(h.f, "DELETE", id, ""), 204);
    sail(&h, 99);
    cr_expect_str_eq(status_of(h.f, id), "pending_cancel");
    sail(&h, 2);
    cr_expect_str_eq(status_of(h.f, id), "canceled");
    come_home(&h);
}

Test(order_faults, a_cancel_that_is_accepted_loses_against_the_fill) {
    const struct fault fault = {.point = POINT_ORDER_CANCEL_FILL};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, true);
    const struct usd limit = off(last_now(h.f), 200);
    order(h.f, "sell", "limit", "day", "60", limit, NONE, id);
    sail(&h, 2);
    cr_expect_eq(on_order(h.f, "DELETE", id, ""), 204);
    sail(&h, 2);
    cr_expect_str_eq(status_of(h.f, id), "filled");
    cr_expect_eq(filled(&h, id), 60);
    cr_expect_eq(atof(str(h.f, "filled_avg_price")), usd_to_double(limit)); /* not past its limit */
    cr_expect_str_eq(h.f->words, " pending_new new pending_cancel filled");
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM000").nanos, 40 * NANOS);
    come_home(&h);
}

Test(order_faults, a_bust_gives_shares_and_cash_back_unless_they_are_held) {
    const struct fault fault = {.point = POINT_ORDER_BUST, .target = "sell*", .count = 1};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, true);
    const struct usd cash = broker_cash(h.f->broker);
    order(h.f, "sell", "market", "day", "100", NONE, NONE, id);
    h.f->fill_events = 0;
    sail(&h, 3);
    cr_expect_str_eq(status_of(h.f, id), "filled");
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM000").nanos, 100 * NANOS);
    cr_expect_eq(broker_cash(h.f->broker).nanos, cash.nanos);
    cr_expect_eq(h.f->fill_events, 2); /* the sale, and its undoing */
    come_home(&h);
    const struct fault bought = {.point = POINT_ORDER_BUST, .target = "buy*", .count = 1};
    set_out(&h, &bought, 1, true);
    order(h.f, "sell", "stop", "gtc", "100", NONE, off(last_now(h.f), -200), id);
    sail(&h, 3);
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM000").nanos, 100 * NANOS); /* held */
    cr_expect_eq(on_order(h.f, "DELETE", id, ""), 204);
    sail(&h, 3);
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM000").nanos, 0);
    come_home(&h);
}

/* --- prices --- */

/* The latest quote or trade of SYM000 as the data API tells it. */
static double told(struct harbour *h, const char *what, const char *key) {
    char path[64];
    snprintf(path, sizeof path, "/v2/stocks/SYM000/%ss/latest", what);
    cr_assert_eq(get(h->f, path, ""), 200, "%s", text_get(&h->f->response.body));
    return json_member(json_member(h->f->json, what), key)->valuedouble;
}

/* Two harbours at the same second, one in calm: what the weather did is the difference. */
static void set_out_twice(struct harbour *calm, struct harbour *rough, struct fault fault) {
    fault.symbol[0] = '\0';
    strcat(fault.symbol, "SYM000");
    fault.from = fault_after(SPAN_S(60));
    fault.has_until = true;
    fault.until = fault_after(SPAN_S(300));
    set_out(calm, NULL, 0, false);
    set_out(rough, &fault, 1, false);
}

static void sail_both(struct harbour *calm, struct harbour *rough, int64_t seconds) {
    sail(calm, seconds);
    sail(rough, seconds);
}

static void expect_near(double value, double expected, const char *what) {
    cr_expect(value > expected - 0.011 && value < expected + 0.011, "%s: %f, expected %f", what,
              value, expected);
}

Test(market_faults, a_flash_crash_falls_and_comes_back_for_everyone) {
    struct harbour calm;
    struct harbour rough;
    set_out_twice(&calm, &rough, (struct fault){.point = POINT_MARKET_FLASH_CRASH});
    static const struct {
        int64_t until_s;
        double factor;
    } steps[] = {{59, 1}, {60, 1}, {120, 0.925}, {180, 0.85}, {240, 0.925}, {300, 1}, {400, 1}};
    int64_t now = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        sail_both(&calm, &rough, steps[i].until_s - now);
        now = steps[i].until_s;
        expect_near(told(&rough, "quote", "bp"), told(&calm, "quote", "bp") * steps[i].factor,
                    "bid");
        cr_expect_eq(quote_now(rough.f).bid.nanos,
                     (int64_t)(told(&rough, "quote", "bp") * 1e4 + 0.5) * 100000);
    }
    struct market_bar bar;
    struct market_bar plain; /* the bottom, at 10:03:00 */
    cr_assert(
        market_bar_at(rough.f->market, 0, at_ny(9, 1, 10, 3), broker_now(rough.f->broker), &bar));
    cr_assert(
        market_bar_at(calm.f->market, 0, at_ny(9, 1, 10, 3), broker_now(calm.f->broker), &plain));
    cr_expect_eq(bar.low.nanos, usd_scale(plain.low, (struct ratio){NANOS / 100 * 85}).nanos);
    cr_expect(bar.low.nanos <= bar.open.nanos && bar.high.nanos >= bar.close.nanos);
    come_home(&rough);
    come_home(&calm);
}

Test(market_faults, a_gap_moves_quotes_prints_and_bars_alike) {
    struct harbour calm;
    struct harbour rough;
    set_out_twice(&calm, &rough, (struct fault){.point = POINT_MARKET_GAP, .factor = {NANOS / 2}});
    sail_both(&calm, &rough, 59);
    expect_near(told(&rough, "trade", "p"), told(&calm, "trade", "p"), "before");
    sail_both(&calm, &rough, 121);
    expect_near(told(&rough, "trade", "p"), told(&calm, "trade", "p") / 2, "trade");
    expect_near(told(&rough, "quote", "ap"), told(&calm, "quote", "ap") / 2, "ask");
    expect_near(told(&rough, "bar", "c"), told(&calm, "bar", "c") / 2, "close");
    sail_both(&calm, &rough, 240);
    expect_near(told(&rough, "trade", "p"), told(&calm, "trade", "p"), "after");
    come_home(&rough);
    come_home(&calm);
}

Test(market_faults, a_wide_spread_is_as_wide_as_it_says) {
    struct harbour calm;
    struct harbour rough;
    set_out_twice(&calm, &rough, (struct fault){.point = POINT_MARKET_WIDE_SPREAD});
    sail_both(&calm, &rough, 100);
    const double plain = told(&calm, "quote", "ap") - told(&calm, "quote", "bp");
    expect_near((told(&rough, "quote", "ap") - told(&rough, "quote", "bp")) / 20, plain, "spread");
    cr_expect_eq(quote_now(rough.f).ask.nanos - quote_now(rough.f).bid.nanos >= 15 * NANOS / 100,
                 true);
    come_home(&rough);
    come_home(&calm);
}

Test(market_faults, without_trades_no_print_no_bar_and_no_stop) {
    struct harbour calm;
    struct harbour rough;
    struct market_bar bar;
    set_out_twice(&calm, &rough, (struct fault){.point = POINT_MARKET_NO_TRADES});
    sail_both(&calm, &rough, 280);
    struct market_trade trade = {0};
    cr_assert(market_trade_at(rough.f->market, 0, broker_now(rough.f->broker), &trade));
    cr_expect(trade.at.ns <= at_ny(9, 1, 10, 1).ns);
    cr_expect(last_now(calm.f).nanos != trade.price.nanos);
    cr_expect_not(
        market_bar_at(rough.f->market, 0, at_ny(9, 1, 10, 2), broker_now(rough.f->broker), &bar));
    cr_expect(
        market_bar_at(calm.f->market, 0, at_ny(9, 1, 10, 2), broker_now(calm.f->broker), &bar));
    expect_near(told(&rough, "quote", "bp"), told(&calm, "quote", "bp"), "quotes go on");
    come_home(&rough);
    come_home(&calm);
}

Test(market_faults, a_halt_refuses_market_orders_and_fills_nothing) {
    struct harbour calm;
    struct harbour rough;
    char id[40];
    set_out_twice(&calm, &rough, (struct fault){.point = POINT_MARKET_HALT});
    sail_both(&calm, &rough, 100);
    cr_expect_eq(post(rough.f, "{\"symbol\":\"SYM000\",\"side\":\"buy\",\"type\":\"market\","
                               "\"time_in_force\":\"day\",\"qty\":\"1\"}"),
                 422);
    cr_expect_eq(code_of(rough.f), 42210000);
    cr_expect_eq(post(rough.f, "{\"symbol\":\"SYM001\",\"side\":\"buy\",\"type\":\"market\","
                               "\"time_in_force\":\"day\",\"qty\":\"1\"}"),
                 200);
    order(rough.f, "buy", "limit", "day", "1", off(last_now(rough.f), 100), NONE, id);
    sail_both(&calm, &rough, 190);
    cr_expect_str_eq(status_of(rough.f, id), "new");
    sail_both(&calm, &rough, 20);
    cr_expect_str_eq(status_of(rough.f, id), "filled");
    come_home(&rough);
    come_home(&calm);
}

Test(market_faults, a_halt_cancels_the_stops_of_its_symbol_alone_and_only_where_it_says_so) {
    for (int cancels = 0; cancels < 2; cancels++) {
        struct harbour calm;
        struct harbour rough;
        char stop[40];
        char other[40];
        char limit[40];
        char late[40];
        set_out_twice(&calm, &rough,
                      (struct fault){.point = POINT_MARKET_HALT, .cancels_stops = cancels != 0});
        const struct usd price = last_now(rough.f);
        cr_assert_eq(post(rough.f, "{\"symbol\":\"SYM000\",\"side\":\"buy\",\"type\":\"market\","
                                   "\"time_in_force\":\"day\",\"qty\":\"4\"}"),
                     200);
        sail_both(&calm, &rough, 20);
        order(rough.f, "sell", "stop", "gtc", "1", NONE, off(price, -500), stop);
        order(rough.f, "sell", "limit", "gtc", "1", off(price, 500), NONE, limit);
        sail_both(&calm, &rough, 100);
        cr_expect_str_eq(status_of(rough.f, stop), cancels ? "canceled" : "new");
        cr_expect_str_eq(status_of(rough.f, limit), "new");
        order(rough.f, "sell", "stop", "gtc", "1", NONE, off(price, -500), late);
        sail_both(&calm, &rough, 5);
        cr_expect_str_eq(status_of(rough.f, late), cancels ? "canceled" : "new");
        sail_both(&calm, &rough, 200);
        order(rough.f, "sell", "stop", "gtc", "1", NONE, off(price, -500), other);
        sail_both(&calm, &rough, 5);
        cr_expect_str_eq(status_of(rough.f, other), "new", "trading goes on");
        come_home(&rough);
        come_home(&calm);
    }
}

Test(market_faults, told_quotes_lie_and_the_exchange_goes_by_its_own) {
    static const enum fault_point points[] = {POINT_MARKET_QUOTE_STALE, POINT_MARKET_QUOTE_CROSSED,
                                              POINT_MARKET_QUOTE_ZERO};
    for (size_t i = 0; i < 3; i++) {
        struct harbour calm;
        struct harbour rough;
        set_out_twice(&calm, &rough, (struct fault){.point = points[i]});
        sail_both(&calm, &rough, 60);
        const double bid_then = told(&calm, "quote", "bp");
        sail_both(&calm, &rough, 140);
        const double bid = told(&calm, "quote", "bp");
        const double ask = told(&calm, "quote", "ap");
        cr_assert(bid != bid_then);
        const double told_bids[] = {bid_then, ask, bid};
        expect_near(told(&rough, "quote", "bp"), told_bids[i], fault_point_name(points[i]));
        expect_near(told(&rough, "quote", "ap"),
                    i == 0   ? told(&rough, "quote", "ap")
                    : i == 1 ? bid
                             : 0,
                    fault_point_name(points[i]));
        cr_expect_eq(quote_now(rough.f).bid.nanos, quote_now(calm.f).bid.nanos);
        sail_both(&calm, &rough, 150);
        expect_near(told(&rough, "quote", "ap"), told(&calm, "quote", "ap"), "after");
        come_home(&rough);
        come_home(&calm);
    }
}

Test(market_faults, each_symbol_is_asked_about_once_and_for_itself) {
    const struct fault fault = {.point = POINT_MARKET_GAP, .probability = {NANOS / 2}};
    int64_t hit = 0;
    struct harbour h;
    set_out(&h, &fault, 1, false);
    hit = (int64_t)plan_fired_count(h.plan);
    cr_expect(hit > 0 && hit < 5, "%lld", (long long)hit);
    sail(&h, 10);
    cr_expect_eq(plan_fired_count(h.plan), (size_t)hit);
    come_home(&h);
}

/* --- the wall --- */

static int64_t ahead_ms(const struct harbour *h) {
    return virtual_clock_offset(h->clock).ns / 1000000;
}

Test(clock_faults, a_step_lasts_for_its_window) {
    const struct fault faults[] = {
        {.point = POINT_CLOCK_STEP,
         .offset = SPAN_S(-90),
         .from = fault_after(SPAN_S(10)),
         .has_until = true,
         .until = fault_after(SPAN_S(20))},
        {.point = POINT_CLOCK_STEP, .from = fault_after(SPAN_S(15))},
    };
    struct harbour h;
    set_out(&h, faults, 2, false);
    sail(&h, 9);
    cr_expect_eq(ahead_ms(&h), 0);
    sail(&h, 1);
    cr_expect_eq(ahead_ms(&h), -90000);
    sail(&h, 5);
    cr_expect_eq(ahead_ms(&h), -30000);
    sail(&h, 5);
    cr_expect_eq(ahead_ms(&h), 60000);
    come_home(&h);
}

Test(clock_faults, a_skew_grows_with_time_and_is_set_right) {
    const struct fault fault = {.point = POINT_CLOCK_SKEW,
                                .factor = {NANOS / 100 * 99},
                                .has_until = true,
                                .until = fault_after(SPAN_S(200))};
    struct harbour h;
    set_out(&h, &fault, 1, false);
    sail(&h, 100);
    cr_expect_eq(ahead_ms(&h), -1000);
    sail(&h, 99);
    cr_expect_eq(ahead_ms(&h), -1990);
    sail(&h, 1);
    cr_expect_eq(ahead_ms(&h), 0);
    come_home(&h);
}

/* --- assets --- */

/* The dividend of SYM000 in an interval of process dates; NULL: none. */
static const cJSON *dividend(struct harbour *h, const char *query) {
    cr_assert_eq(get(h->f, "/v1/corporate-actions", query), 200);
    const cJSON *kinds = json_member(h->f->json, "corporate_actions");
    const cJSON *list = json_member(kinds, "cash_dividends");
    return list == NULL ? NULL : list->child;
}

Test(asset_faults, what_is_not_tradable_may_be_sold_and_not_bought) {
    const struct fault fault = {.point = POINT_ASSET_NOT_TRADABLE, .symbol = "SYM000"};
    struct harbour h;
    char id[40];
    set_out(&h, &fault, 1, true);
    cr_assert_eq(get(h.f, "/v2/assets/SYM000", ""), 200);
    cr_expect(cJSON_IsFalse(json_member(h.f->json, "tradable")));
    cr_expect_eq(post(h.f, "{\"symbol\":\"SYM000\",\"side\":\"buy\",\"type\":\"market\","
                           "\"time_in_force\":\"day\",\"qty\":\"1\"}"),
                 422);
    cr_expect_eq(code_of(h.f), 42210000);
    order(h.f, "sell", "market", "day", "100", NONE, NONE, id);
    sail(&h, 5);
    cr_expect_str_eq(status_of(h.f, id), "filled");
    cr_assert_eq(get(h.f, "/v2/assets/SYM001", ""), 200);
    cr_expect(cJSON_IsTrue(json_member(h.f->json, "tradable")));
    come_home(&h);
}

/* --- cash --- */

Test(cash_faults, a_dividend_is_paid_for_what_is_held_and_a_fee_is_taken) {
    const struct fault faults[] = {{.point = POINT_ASSET_DIVIDEND, .factor = {NANOS / 2}},
                                   {.point = POINT_ACCOUNT_FEE}};
    struct harbour h;
    h.f = fixture_at(at_ny(9, 1, 9, 55));
    hold(h.f, "100");
    broker_advance_to(h.f->broker, at_ny(9, 1, 10, 0));
    const struct usd calm = broker_cash(h.f->broker);
    fixture_end(h.f);
    set_out(&h, faults, 2, true);
    cr_expect_eq(broker_cash(h.f->broker).nanos, calm.nanos + USD(50 - 25).nanos);
    sail(&h, 5);
    cr_expect_eq(broker_cash(h.f->broker).nanos, calm.nanos + USD(50 - 25).nanos, "once");
    cr_assert_eq(get(h.f, "/v2/account/activities/DIV", ""), 200);
    cr_assert_eq(cJSON_GetArraySize(h.f->json), 1);
    cr_expect_str_eq(json_member(h.f->json->child, "net_amount")->valuestring, "50");
    cr_expect_str_eq(json_member(h.f->json->child, "per_share_amount")->valuestring, "0.5");
    cr_expect_str_eq(json_member(h.f->json->child, "symbol")->valuestring, "SYM000");
    cr_assert_eq(get(h.f, "/v2/account/activities/FEE", ""), 200);
    cr_assert_eq(cJSON_GetArraySize(h.f->json), 1);
    cr_expect_str_eq(json_member(h.f->json->child, "net_amount")->valuestring, "-25");
    come_home(&h);
}

/* --- splits --- */

/* To an instant of the night or the next day, with a look wherever the sea wants one. */
static void sail_to(struct harbour *h, struct utc at) {
    while (sea_next_at(h->sea).ns <= at.ns) {
        virtual_clock_advance_to(h->clock, sea_next_at(h->sea));
        sea_look(h->sea);
    }
    virtual_clock_advance_to(h->clock, at);
    sea_look(h->sea);
    broker_advance_to(h->f->broker, at);
}

static const cJSON *announced(struct harbour *h, const char *kind) {
    cr_assert_eq(
        get(h->f, "/v1/corporate-actions",
            "symbols=SYM000&start=2026-09-01&end=2026-09-03&types=forward_split,reverse_split"),
        200);
    const cJSON *list = json_member(json_member(h->f->json, "corporate_actions"), kind);
    return list == NULL ? NULL : list->child;
}

static double position_number(struct harbour *h, const char *member) {
    cr_assert_eq(get(h->f, "/v2/positions/SYM000", ""), 200);
    return atof(str(h->f, member));
}

Test(split_faults, a_split_is_announced_and_made_in_the_night_with_all_that_hangs_on_it) {
    static const struct {
        int64_t factor;
        const char *kind;
        double new_rate, old_rate, shares;
    } rows[] = {{0, "forward_splits", 2, 1, 200},
                {NANOS * 3 / 2, "forward_splits", 1.5, 1, 150},
                {NANOS / 10, "reverse_splits", 1, 10, 10},
                {333333333, "reverse_splits", 1, 3, 33}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fault fault = {
            .point = POINT_MARKET_SPLIT, .symbol = "SYM000", .factor = {rows[i].factor}};
        struct harbour h;
        char stop[40];
        set_out(&h, &fault, 1, true);
        const cJSON *split = announced(&h, rows[i].kind);
        cr_assert_not_null(split);
        cr_expect_str_eq(json_member(split, "ex_date")->valuestring, "2026-09-02");
        cr_expect_eq(json_member(split, "new_rate")->valuedouble, rows[i].new_rate);
        cr_expect_eq(json_member(split, "old_rate")->valuedouble, rows[i].old_rate);
        order(h.f, "sell", "stop", "gtc", "100", NONE, off(last_now(h.f), -900), stop);
        sail_to(&h, (struct utc){at_ny(9, 2, 4, 0).ns - 1});
        cr_expect_eq(position_number(&h, "qty"), 100);
        cr_expect_str_eq(status_of(h.f, stop), "new");
        const struct usd evening = last_now(h.f);
        const struct usd equity = broker_equity(h.f->broker);
        sail_to(&h, at_ny(9, 2, 4, 0));
        cr_expect_eq(position_number(&h, "qty"), rows[i].shares);
        cr_expect_str_eq(status_of(h.f, stop), "canceled");
        const double ratio = rows[i].old_rate / rows[i].new_rate;
        cr_expect(fabs((double)last_now(h.f).nanos / (double)evening.nanos - ratio) < 0.001);
        const double moved = (double)(broker_equity(h.f->broker).nanos - equity.nanos) / 1e9;
        cr_expect(fabs(moved) < 2.5, "%s %f", rows[i].kind, moved);
        cr_assert_eq(get(h.f, "/v2/account/activities/SPLIT", ""), 200);
        cr_expect_eq(cJSON_GetArraySize(h.f->json), 1);
        cr_expect_str_eq(json_member(h.f->json->child, "symbol")->valuestring, "SYM000");
        cr_expect_eq(atof(json_member(h.f->json->child, "qty")->valuestring), rows[i].shares - 100);
        come_home(&h);
    }
}

Test(split_faults, a_split_that_nobody_tells_of_moves_the_books_alone) {
    const struct fault fault = {.point = POINT_MARKET_SPLIT_UNTOLD, .symbol = "SYM000"};
    struct harbour h;
    set_out(&h, &fault, 1, true);
    cr_expect_null(announced(&h, "forward_splits"));
    sail_to(&h, at_ny(9, 2, 9, 31));
    cr_expect_null(announced(&h, "forward_splits"));
    cr_expect_eq(position_number(&h, "qty"), 200);
    cr_assert_eq(get(h.f, "/v2/account/activities/SPLIT", ""), 200);
    cr_expect_eq(cJSON_GetArraySize(h.f->json), 0);
    come_home(&h);
}

/* A fraction of a share is worth its price, and no share is left of less than one. */
Test(split_faults, what_is_less_than_a_share_is_paid_out) {
    const struct fault fault = {
        .point = POINT_MARKET_SPLIT, .symbol = "SYM000", .factor = {NANOS / 200}};
    struct harbour h;
    set_out(&h, &fault, 1, true);
    sail_to(&h, (struct utc){at_ny(9, 2, 4, 0).ns - 1});
    const struct usd cash = broker_cash(h.f->broker);
    sail_to(&h, at_ny(9, 2, 4, 0));
    cr_assert_eq(get(h.f, "/v2/positions/SYM000", ""), 404);
    const struct usd paid = usd_sub(broker_cash(h.f->broker), cash);
    cr_expect_eq(paid.nanos, last_now(h.f).nanos / 2); /* 100 shares are half of one */
    come_home(&h);
}

/* --- spin-offs --- */

static int tell_count(struct harbour *h, const char *path) {
    cr_assert_eq(get(h->f, path, ""), 200);
    return cJSON_GetArraySize(h->f->json);
}

/* 100 shares give 25 and three quarters of another, whose worth the price loses; told ten minutes before, at once or
 * ten minutes behind. */
Test(spin_off_faults, give_shares_and_cash_for_a_fraction_at_no_loss) {
    for (int late = -1; late < 2; late++) {
        const struct fault fault = {.point = POINT_MARKET_SPIN_OFF,
                                    .symbol = "SYM000",
                                    .new_symbol = "SYM001",
                                    .factor = {257500000},
                                    .offset = SPAN_MIN(10 * late)};
        struct harbour h;
        char stop[40];
        set_out(&h, &fault, 1, true);
        cr_assert_eq(get(h.f, "/v1/corporate-actions",
                         "symbols=SYM000&start=2026-09-01&end=2026-09-03&types=spin_off"),
                     200);
        const cJSON *told =
            json_member(json_member(h.f->json, "corporate_actions"), "spin_offs")->child;
        cr_assert_not_null(told);
        cr_expect_str_eq(json_member(told, "source_symbol")->valuestring, "SYM000");
        cr_expect_str_eq(json_member(told, "new_symbol")->valuestring, "SYM001");
        cr_expect_str_eq(json_member(told, "ex_date")->valuestring, "2026-09-02");
        cr_expect_eq(json_member(told, "new_rate")->valuedouble, 0.2575);
        order(h.f, "sell", "stop", "gtc", "100", NONE, off(last_now(h.f), -900), stop);
        cr_assert_eq(get(h.f, "/v2/assets/SYM001", ""), 200);
        cr_expect(cJSON_IsFalse(json_member(h.f->json, "tradable")), "not listed yet");
        sail_to(&h, (struct utc){at_ny(9, 2, 4, 0).ns - 1});
        cr_expect_str_eq(status_of(h.f, stop), "new");
        cr_expect_eq(tell_count(&h, "/v2/account/activities/SPIN"), late < 0);
        const struct usd evening = last_now(h.f);
        const struct usd equity = broker_equity(h.f->broker);
        const struct usd cash = broker_cash(h.f->broker);
        sail_to(&h, at_ny(9, 2, 4, 0));
        cr_expect_eq(position_number(&h, "qty"), 100);
        cr_expect_str_eq(status_of(h.f, stop), "canceled");
        cr_expect_eq(broker_position_qty(h.f->broker, "SYM001").nanos, QTY(25).nanos);
        struct usd price = {0};
        cr_assert(broker_price(h.f->broker, 1, &price));
        cr_expect_eq(usd_sub(broker_cash(h.f->broker), cash).nanos, price.nanos / 4 * 3);
        const double fell = (double)(evening.nanos - last_now(h.f).nanos) / (double)price.nanos;
        cr_expect(fabs(fell - 0.2575) < 0.001, "%f", fell);
        const double moved = (double)(broker_equity(h.f->broker).nanos - equity.nanos) / 1e9;
        cr_expect(fabs(moved) < 1.5, "%f", moved);
        cr_expect_eq(tell_count(&h, "/v2/account/activities/SPIN"), late < 1);
        sail_to(&h, at_ny(9, 2, 4, 11));
        cr_assert_eq(tell_count(&h, "/v2/account/activities/SPIN"), 1);
        cr_expect_str_eq(json_member(h.f->json->child, "symbol")->valuestring, "SYM001");
        cr_expect_str_eq(json_member(h.f->json->child, "qty")->valuestring, "25");
        cr_assert_eq(tell_count(&h, "/v2/account/activities/CIL"), 1);
        cr_expect_str_eq(json_member(h.f->json->child, "qty")->valuestring, "0.75");
        cr_assert_eq(get(h.f, "/v2/assets/SYM001", ""), 200);
        cr_expect(cJSON_IsTrue(json_member(h.f->json, "tradable")));
        come_home(&h);
    }
}

Test(spin_off_faults, that_nobody_tells_of_move_the_books_alone) {
    const struct fault fault = {.point = POINT_MARKET_SPIN_OFF_UNTOLD, .symbol = "SYM000"};
    struct harbour h;
    set_out(&h, &fault, 1, true);
    sail_to(&h, at_ny(9, 2, 9, 31));
    cr_expect_eq(broker_position_qty(h.f->broker, "SYM001").nanos, QTY(50).nanos);
    cr_expect_eq(tell_count(&h, "/v2/account/activities/SPIN"), 0);
    cr_assert_eq(get(h.f, "/v1/corporate-actions", "start=2026-09-01&end=2026-09-03"), 200);
    cr_expect_null(json_member(json_member(h.f->json, "corporate_actions"), "spin_offs"));
    come_home(&h);
}

/* 1,000 shares at 100, in calm weather maintained with 30 %. */
Test(asset_faults, a_house_that_asks_for_more_is_told_in_asset_and_account) {
    static const struct {
        int64_t factor;
        const char *percent, *margin;
    } rows[] = {{0, "100", "100"}, {NANOS / 2, "50", "50"}, {NANOS / 5, "30", "30"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fault fault = {
            .point = POINT_ASSET_HOUSE_MARGIN, .symbol = "SYM000", .factor = {rows[i].factor}};
        struct harbour h;
        struct usd value = {0};
        struct usd margin = {0};
        struct usd most = {0};
        set_out(&h, &fault, 1, true);
        cr_assert_eq(get(h.f, "/v2/assets/SYM000", ""), 200);
        cr_expect_str_eq(str(h.f, "margin_requirement_long"), rows[i].percent);
        cr_assert_eq(get(h.f, "/v2/account", ""), 200);
        cr_assert_eq(usd_parse(str(h.f, "long_market_value"), &value, NULL), ERR_OK);
        cr_assert_eq(usd_parse(str(h.f, "maintenance_margin"), &margin, NULL), ERR_OK);
        cr_assert_eq(usd_parse(rows[i].margin, &most, NULL), ERR_OK);
        cr_expect_eq(margin.nanos, value.nanos / 100 * (most.nanos / NANOS));
        come_home(&h);
    }
}

Test(asset_faults, an_asset_is_told_to_be_traded_over_the_counter) {
    const struct fault fault = {.point = POINT_ASSET_OTC, .symbol = "SYM001"};
    struct harbour h;
    set_out(&h, &fault, 1, false);
    cr_assert_eq(get(h.f, "/v2/assets/SYM001", ""), 200);
    cr_expect_str_eq(str(h.f, "exchange"), "OTC");
    cr_assert_eq(get(h.f, "/v2/assets/SYM000", ""), 200);
    cr_expect_str_eq(str(h.f, "exchange"), "NASDAQ");
    come_home(&h);
}

Test(asset_faults, a_dividend_of_the_next_weekday_is_told_by_the_day_it_is_paid) {
    const struct fault fault = {.point = POINT_ASSET_ACTION, .symbol = "SYM000"};
    struct harbour h;
    set_out(&h, &fault, 1, false);
    const cJSON *told = dividend(&h, "symbols=SYM000,SYM001&start=2026-09-16&end=2026-09-16");
    cr_assert_not_null(told);
    cr_expect_str_eq(json_member(told, "ex_date")->valuestring, "2026-09-02");
    cr_expect_str_eq(json_member(told, "process_date")->valuestring, "2026-09-16");
    cr_expect_str_eq(json_member(told, "symbol")->valuestring, "SYM000");
    cr_expect_null(dividend(&h, "symbols=SYM000&start=2026-09-17&end=2026-12-01"));
    cr_expect_null(dividend(&h, "symbols=SYM000&start=2026-08-01&end=2026-09-15"));
    cr_expect_null(dividend(&h, "symbols=SYM001&start=2026-08-01&end=2026-12-01"));
    cr_expect_null(dividend(&h, "start=2026-08-01&end=2026-12-01&types=forward_split"));
    cr_expect_not_null(dividend(&h, "start=2026-08-01&end=2026-12-01&types=cash_dividend"));
    come_home(&h);
}

/* --- the account's configuration --- */

static bool is_configured(struct harbour *h, bool no_shorting, int margin, bool is_suspended) {
    struct sim_configuration now = broker_configuration(h->f->broker);
    return now.no_shorting == no_shorting && now.max_margin_multiplier == margin &&
           now.suspend_trade == is_suspended;
}

Test(account_faults, who_changes_the_account_changes_it_back_at_the_windows_end) {
    struct harbour h;
    struct fault faults[2] = {{.point = POINT_ACCOUNT_DRIFT}, {.point = POINT_ACCOUNT_SUSPENDED}};
    faults[0].has_until = faults[1].has_until = true;
    faults[0].from = fault_after(SPAN_S(5));
    faults[0].until = fault_after(SPAN_S(20));
    faults[1].from = fault_after(SPAN_S(10));
    faults[1].until = fault_after(SPAN_S(30));
    set_out(&h, faults, 2, false);
    struct sim_configuration tight = {.no_shorting = true, .max_margin_multiplier = 1};
    broker_configure(h.f->broker, &tight);
    sail(&h, 6);
    cr_expect(is_configured(&h, false, 4, false));
    sail(&h, 5);
    cr_expect(is_configured(&h, false, 4, true));
    sail(&h, 10);
    cr_expect(is_configured(&h, true, 1, true));
    sail(&h, 10);
    cr_expect(is_configured(&h, true, 1, false));
    come_home(&h);
}
