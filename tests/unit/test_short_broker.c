/* test_short_broker.c - positions below zero at the simulated broker. */
#include "broker_sim/account/sim_account.h"
#include "tests/unit/broker_fixture.h"

static struct fixture *fixture_short(bool may_be_short) {
    struct broker_options options = plain_options(at_ny(9, 1, 10, 0));
    options.may_be_short = may_be_short;
    return fixture_with(&options);
}

static void send(struct fixture *f, const char *members) {
    char body[256];
    snprintf(body, sizeof body, "{\"symbol\":\"SYM000\",\"time_in_force\":\"day\",%s}", members);
    (void)post(f, body);
}

static void trade(struct fixture *f, const char *side, const char *qty) {
    char members[128];
    snprintf(members, sizeof members, "\"side\":\"%s\",\"type\":\"market\",\"qty\":\"%s\"", side,
             qty);
    send(f, members);
    cr_assert_eq(f->response.status, 200, "%s", text_get(&f->response.body));
    advance(f, SPAN_S(2));
}

static struct qty held(const struct fixture *f) {
    return broker_position_qty(f->broker, "SYM000");
}

static struct usd usd_of(const struct fixture *f, const char *key) {
    struct usd out = {0};
    struct err err = {0};
    cr_assert_eq(json_usd(f->json, key, &out, &err), ERR_OK, "%s", err.text);
    return out;
}

Test(short_broker, an_account_that_may_not_be_short_sells_what_it_holds_and_no_more) {
    struct fixture *f = fixture_short(false);
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"1\"");
    cr_assert_eq(f->response.status, 403);
    cr_assert_eq(code_of(f), 40310000);
    cr_assert_str_eq(str(f, "available"), "0");
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert(cJSON_IsFalse(json_member(f->json, "shorting_enabled")));
    cr_assert_eq(get(f, "/v2/assets/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "borrow_status"), "hard_to_borrow");
    fixture_end(f);
}

Test(short_broker, a_short_position_is_told_with_its_signs) {
    struct fixture *f = fixture_short(true);
    trade(f, "sell", "10");
    cr_assert_eq(held(f).nanos, QTY(-10).nanos);
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty"), "-10");
    cr_assert_str_eq(str(f, "side"), "short");
    cr_assert_str_eq(str(f, "qty_available"), "-10");
    struct usd value = usd_of(f, "market_value");
    cr_assert_eq(value.nanos, usd_mul(last_now(f), QTY(-10)).nanos);
    struct usd cost = usd_of(f, "cost_basis");
    cr_assert_lt(cost.nanos, 0);
    cr_assert_eq(usd_of(f, "avg_entry_price").nanos, -cost.nanos / 10);
    cr_assert_eq(usd_of(f, "unrealized_pl").nanos, usd_sub(value, cost).nanos);
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_eq(usd_of(f, "cash").nanos, usd_sub(USD(100000), cost).nanos, "its price is cash");
    cr_assert_eq(usd_of(f, "short_market_value").nanos, value.nanos);
    cr_assert_eq(usd_of(f, "long_market_value").nanos, 0);
    cr_assert_eq(usd_of(f, "equity").nanos, usd_add(usd_of(f, "cash"), value).nanos);
    cr_assert_eq(get(f, "/v2/account/activities/FILL", ""), 200);
    cr_assert_str_eq(json_member(cJSON_GetArrayItem(f->json, 0), "side")->valuestring,
                     "sell_short");
    fixture_end(f);
}

Test(short_broker, a_cover_ends_at_zero_and_what_it_cost_is_gone) {
    struct fixture *f = fixture_short(true);
    trade(f, "sell", "10");
    struct usd before = broker_cash(f->broker);
    trade(f, "buy", "4");
    cr_assert_eq(held(f).nanos, QTY(-6).nanos);
    trade(f, "buy", "6");
    cr_assert_eq(held(f).nanos, 0);
    cr_assert_lt(broker_cash(f->broker).nanos, before.nanos);
    cr_assert_eq(broker_equity(f->broker).nanos, broker_cash(f->broker).nanos);
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 404);
    fixture_end(f);
}

Test(short_broker, no_order_crosses_zero) {
    struct fixture *f = fixture_short(true);
    trade(f, "sell", "10");
    send(f, "\"side\":\"buy\",\"type\":\"market\",\"qty\":\"11\"");
    cr_assert_eq(f->response.status, 403);
    cr_assert_str_eq(str(f, "available"), "10");
    send(f, "\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":\"1\",\"qty\":\"7\"");
    cr_assert_eq(f->response.status, 200);
    send(f, "\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":\"1\",\"qty\":\"4\"");
    cr_assert_eq(f->response.status, 403, "seven are on their way");
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty_available"), "-3");
    fixture_end(f);
    f = fixture_short(true);
    hold(f, "10");
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"15\"");
    cr_assert_eq(f->response.status, 403);
    cr_assert_str_eq(str(f, "available"), "10");
    fixture_end(f);
}

Test(short_broker, the_intent_is_inferred_from_the_position) {
    struct fixture *f = fixture_short(true);
    trade(f, "sell", "10");
    send(f,
         "\"side\":\"buy\",\"type\":\"market\",\"qty\":\"1\",\"position_intent\":\"buy_to_open\"");
    cr_assert_eq(f->response.status, 422);
    send(f,
         "\"side\":\"buy\",\"type\":\"market\",\"qty\":\"1\",\"position_intent\":\"buy_to_close\"");
    cr_assert_eq(f->response.status, 200);
    cr_assert_str_eq(str(f, "position_intent"), "buy_to_close");
    advance(f, SPAN_S(2));
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"1\",\"position_intent\":\"sell_to_"
            "close\"");
    cr_assert_eq(f->response.status, 422);
    fixture_end(f);
}

Test(short_broker, a_cover_takes_no_buying_power) {
    struct fixture *f = fixture_short(true);
    trade(f, "sell", "10");
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    struct usd power = usd_of(f, "buying_power");
    send(f, "\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":\"1\",\"qty\":\"10\"");
    cr_assert_eq(get(f, "/v2/account", ""), 200);
    cr_assert_eq(usd_of(f, "buying_power").nanos, power.nanos);
    fixture_end(f);
}

static void hardly_lent(void *context, size_t symbol, struct sim_asset *asset) {
    (void)context;
    asset->is_hard_to_borrow = symbol == 0;
}

Test(short_broker, what_nobody_lends_is_not_sold_short) {
    struct fixture *f = fixture_short(true);
    broker_set_weather(f->broker, &(struct sim_weather){.asset = hardly_lent});
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"1\"");
    cr_assert_eq(f->response.status, 422);
    cr_assert_str_eq(str(f, "message"), "asset \"SYM000\" cannot be sold short");
    (void)post(f, BODY("\"side\":\"sell\",\"type\":\"limit\",\"limit_price\":\"900\","
                       "\"time_in_force\":\"gtc\",\"qty\":\"1\""));
    cr_assert_str_eq(str(f, "message"),
                     "only day orders are allowed for hard-to-borrow asset \"SYM000\"");
    fixture_end(f);
}

Test(short_broker, long_and_short_are_not_opened_beside_each_other) {
    struct fixture *f = fixture_short(true);
    send(f, "\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":\"1\",\"qty\":\"1\"");
    cr_assert_eq(f->response.status, 200);
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"1\"");
    cr_assert_eq(f->response.status, 403);
    cr_assert_str_eq(str(f, "message"), "cannot open a short sell while a long buy order is open");
    send(f, "\"side\":\"sell\",\"type\":\"market\",\"qty\":\"0.5\"");
    cr_assert_eq(f->response.status, 403);
    fixture_end(f);
}

Test(short_broker, the_bust_of_what_was_sold_since_leaves_a_short_position) {
    struct fixture *f = fixture_short(true);
    (void)post(f, BODY(DAY_BUY ",\"qty\":\"10\",\"client_order_id\":\"bought\""));
    advance(f, SPAN_S(2));
    trade(f, "sell", "10");
    struct usd before = broker_cash(f->broker);
    cr_assert(broker_bust(f->broker, "bought"));
    cr_assert_eq(held(f).nanos, QTY(-10).nanos);
    cr_assert_gt(broker_cash(f->broker).nanos, before.nanos, "what was paid is back");
    trade(f, "buy", "10");
    cr_assert_eq(held(f).nanos, 0);
    fixture_end(f);
    f = fixture_short(false);
    (void)post(f, BODY(DAY_BUY ",\"qty\":\"10\",\"client_order_id\":\"bought\""));
    advance(f, SPAN_S(2));
    trade(f, "sell", "10");
    cr_assert_not(broker_bust(f->broker, "bought"));
    fixture_end(f);
}

Test(short_broker, a_hand_sells_all_and_then_short) {
    struct fixture *f = fixture_short(true);
    char stop[40];
    hold(f, "7");
    order(f, "sell", "stop", "gtc", "7", none, (struct usd){NANOS}, stop);
    cr_assert(broker_sell_by_hand(f->broker, 0));
    cr_assert_not(broker_may_sell_by_hand(f->broker, 0), "one sale at a time");
    advance(f, SPAN_S(2));
    cr_assert_eq(held(f).nanos, 0);
    cr_assert_str_eq(status_of(f, stop), "canceled");
    cr_assert(broker_sell_by_hand(f->broker, 0));
    advance(f, SPAN_S(2));
    cr_assert_eq(held(f).nanos, QTY(-10).nanos);
    fixture_end(f);
    f = fixture_short(false);
    cr_assert_not(broker_sell_by_hand(f->broker, 0), "nothing is held");
    fixture_end(f);
}

Test(short_broker, maintenance_of_a_short_changes_at_five_dollars) {
    cr_assert_eq(sim_short_maintenance((struct usd){2 * NANOS}).nanos, NANOS * 5 / 2);
    cr_assert_eq(sim_short_maintenance((struct usd){5 * NANOS - NANOS / 100}).nanos,
                 5 * NANOS - NANOS / 100);
    cr_assert_eq(sim_short_maintenance((struct usd){5 * NANOS}).nanos, 5 * NANOS);
    cr_assert_eq(sim_short_maintenance((struct usd){100 * NANOS}).nanos, 30 * NANOS);
}
