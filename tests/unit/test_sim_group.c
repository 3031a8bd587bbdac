/* test_sim_group.c - OCO and bracket orders at the simulated broker, rule by rule (alpaca-api.md 4.2, 4.3, 4.5;
 * Alpaca's page "Orders at Alpaca"; the threads named at each). */
#include "tests/unit/wire_shape.h"

enum { UP = 100, DOWN = -100 }; /* per mille of the last trade: not reached within these tests */

struct group {
    char parent[40];
    char legs[2][40];
    size_t leg_count;
};

static void put_price(struct text *body, const char *name, struct usd price) {
    text_add_format(body, "\"%s\":\"", name);
    text_add_decimal(body, price.nanos);
    text_add(body, "\"");
}

/* Posts a group: a stop limit of zero is none. Returns the HTTP status. */
static int post_group(struct fixture *f, const char *members, struct usd take_profit,
                      struct usd stop, struct usd stop_limit) {
    struct text body = {0};
    text_add_format(&body, "{\"symbol\":\"SYM000\",%s,\"take_profit\":{", members);
    put_price(&body, "limit_price", take_profit);
    text_add(&body, "},\"stop_loss\":{");
    put_price(&body, "stop_price", stop);
    if (stop_limit.nanos != 0) {
        text_add(&body, ",");
        put_price(&body, "limit_price", stop_limit);
    }
    text_add(&body, "}}");
    int status = post(f, text_get(&body));
    text_release(&body);
    return status;
}

static void read_group(const struct fixture *f, struct group *out) {
    snprintf(out->parent, sizeof out->parent, "%s", str(f, "id"));
    const cJSON *leg = NULL;
    const cJSON *legs = json_member(f->json, "legs");
    out->leg_count = 0;
    cJSON_ArrayForEach(leg, legs) {
        snprintf(out->legs[out->leg_count++], 40, "%s", json_member(leg, "id")->valuestring);
    }
}

#define OCO                                                                                        \
    "\"order_class\":\"oco\",\"side\":\"sell\",\"type\":\"limit\",\"time_in_force\":\"gtc\","
#define BRACKET "\"order_class\":\"bracket\",\"side\":\"buy\",\"time_in_force\":\"gtc\","

/* An OCO over what is held, taken by the exchange. */
static void oco(struct fixture *f, const char *qty, int take_profit, int stop, struct group *out) {
    char members[160];
    snprintf(members, sizeof members, OCO "\"qty\":\"%s\"", qty);
    struct usd last = last_now(f);
    cr_assert_eq(post_group(f, members, off(last, take_profit), off(last, stop), none), 200, "%s",
                 text_get(&f->response.body));
    read_group(f, out);
    advance(f, SPAN_S(0));
}

/* A bracket whose entry is a limit so far from the last trade. */
static void bracket(struct fixture *f, const char *qty, int entry, struct group *out) {
    char members[200];
    char price[DECIMAL_TEXT_MAX];
    decimal_print(off(last_now(f), entry).nanos, price);
    snprintf(members, sizeof members,
             BRACKET "\"type\":\"limit\",\"limit_price\":\"%s\",\"qty\":\"%s\"", price, qty);
    cr_assert_eq(post_group(f, members, off(last_now(f), UP), off(last_now(f), 3 * DOWN), none),
                 200, "%s", text_get(&f->response.body));
    read_group(f, out);
    advance(f, SPAN_S(0));
}

static void expect(struct fixture *f, const char *id, const char *status) {
    cr_assert_str_eq(status_of(f, id), status);
}

static void expect_held_back(struct fixture *f, const char *available) {
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty_available"), available);
}

static size_t listed(struct fixture *f, const char *query) {
    cr_assert_eq(get(f, "/v2/orders", query), 200);
    return (size_t)cJSON_GetArraySize(f->json);
}

/* Lets seconds pass until the order has a status; fails when it never has. */
static void wait_for(struct fixture *f, const char *id, const char *status) {
    for (int s = 0; s < 20000; s++) {
        if (strcmp(status_of(f, id), status) == 0) {
            return;
        }
        advance(f, SPAN_S(1));
    }
    cr_assert_fail("%s is never %s", id, status);
}

static void patch_price(struct fixture *f, const char *id, const char *key, struct usd price,
                        int status) {
    struct text body = {0};
    text_add(&body, "{");
    put_price(&body, key, price);
    text_add(&body, "}");
    cr_assert_eq(on_order(f, "PATCH", id, text_get(&body)), status, "%s -> %s", text_get(&body),
                 text_get(&f->response.body));
    text_release(&body);
}

/* --- OCO --- */

Test(oco, is_told_as_its_take_profit_with_its_stop_inside) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    char members[] = OCO "\"qty\":\"10\",\"client_order_id\":\"mine\"";
    cr_assert_eq(post_group(f, members, off(last_now(f), UP), off(last_now(f), DOWN), none), 200);
    expect_shape(f, "order_oco_nested");
    read_group(f, &group);
    cr_assert_eq(group.leg_count, 1);
    cr_assert_str_eq(str(f, "client_order_id"), "mine");
    cr_assert_str_eq(str(f, "order_class"), "oco");
    const cJSON *leg = json_member(f->json, "legs")->child;
    cr_assert_str_eq(json_member(leg, "status")->valuestring, "held");
    cr_assert_str_eq(json_member(leg, "type")->valuestring, "stop");
    cr_assert_str_eq(json_member(leg, "order_class")->valuestring, "oco");
    cr_assert_str_eq(json_member(leg, "position_intent")->valuestring, "sell_to_close");
    cr_assert_str_neq(json_member(leg, "client_order_id")->valuestring, "mine");
    advance(f, SPAN_S(0));
    expect(f, group.parent, "new");
    expect(f, group.legs[0], "held"); /* forum 3697 */
    fixture_end(f);
}

Test(oco, holds_its_shares_once) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "8", UP, DOWN, &group);
    expect_held_back(f, "2");
    char members[] =
        BODY("\"qty\":3,\"side\":\"sell\",\"type\":\"market\",\"time_in_force\":\"day\"");
    cr_assert_eq(post(f, members), 403);
    cr_assert_str_eq(str(f, "available"), "2");
    cr_assert_str_eq(str(f, "held_for_orders"), "8");
    fixture_end(f);
}

Test(oco, an_elected_stop_ends_the_take_profit_and_sells) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", UP, -1, &group);
    wait_for(f, group.legs[0], "filled");
    cr_assert_not_null(strstr(f->words, " pending_new held new held new canceled filled"), "%s",
                       f->words);
    expect(f, group.parent, "canceled");
    cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, 0);
    fixture_end(f);
}

Test(oco, a_filled_take_profit_ends_the_stop) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", 1, DOWN, &group);
    wait_for(f, group.parent, "filled");
    expect(f, group.legs[0], "canceled");
    cr_assert_str_eq(str(f, "filled_qty"), "0");
    fixture_end(f);
}

Test(oco, a_part_filled_cuts_the_stop_to_what_is_left) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.partial_fill_chance = (struct ratio){NANOS};
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "100", none, none, id);
    wait_for(f, id, "filled");
    struct group group;
    oco(f, "100", 1, DOWN, &group);
    wait_for(f, group.parent, "partially_filled");
    struct qty filled = {0};
    struct qty left = {0};
    cr_assert_eq(json_qty(f->json, "filled_qty", &filled, NULL), ERR_OK);
    expect(f, group.legs[0], "held");
    cr_assert_eq(json_qty(f->json, "qty", &left, NULL), ERR_OK);
    cr_assert_eq(qty_add(left, filled).nanos, QTY(100).nanos);
    expect_held_back(f, "0");
    wait_for(f, group.parent, "filled");
    expect(f, group.legs[0], "canceled");
    fixture_end(f);
}

Test(oco, a_cancel_of_either_ends_both) {
    for (int which = 0; which < 2; which++) {
        struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
        hold(f, "10");
        struct group group;
        oco(f, "10", UP, DOWN, &group);
        cr_assert_eq(on_order(f, "DELETE", which == 0 ? group.parent : group.legs[0], ""), 204);
        advance(f, SPAN_S(0));
        expect(f, group.parent, "canceled");
        expect(f, group.legs[0], "canceled");
        expect_held_back(f, "10");
        cr_assert_eq(listed(f, ""), 0);
        fixture_end(f);
    }
}

/* An OCO that the exchange has, its stop close below the market; NULL where the draw of its latency is another. */
static struct fixture *slow_oco(uint64_t seed, struct group *out) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, (int)seed));
    options.seed = seed;
    options.accept_latency_max = SPAN_MIN(10);
    struct fixture *f = fixture_with(&options);
    char id[40];
    order(f, "buy", "market", "day", "10", none, none, id);
    wait_for(f, id, "filled");
    oco(f, "10", UP, DOWN, out);
    advance(f, SPAN_MIN(10));
    if (strcmp(status_of(f, out->parent), "new") == 0) {
        struct usd close = usd_sub(off(last_now(f), 0), (struct usd){NANOS / 100});
        patch_price(f, out->legs[0], "stop_price", close, 200);
        snprintf(out->legs[0], sizeof out->legs[0], "%s", str(f, "id"));
        return f;
    }
    fixture_end(f);
    return NULL;
}

Test(oco, a_cancel_that_is_late_leaves_the_stop_watching) {
    int sold = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct group group;
        struct fixture *f = slow_oco(seed, &group);
        if (f == NULL) {
            continue;
        }
        cr_assert_eq(on_order(f, "DELETE", group.parent, ""), 204);
        expect(f, group.parent, "pending_cancel");
        expect(f, group.legs[0], "held");
        expect_held_back(f, "0");
        advance(f, SPAN_MIN(11));
        expect(f, group.parent, "canceled");
        bool is_sold = strcmp(status_of(f, group.legs[0]), "filled") == 0;
        cr_assert(is_sold || strcmp(str(f, "status"), "canceled") == 0);
        cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, is_sold ? 0 : QTY(10).nanos);
        sold += is_sold;
        fixture_end(f);
    }
    cr_assert_gt(sold, 0);
}

Test(oco, all_orders_are_cancelled_at_once_each_told) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group first;
    struct group second;
    oco(f, "5", UP, DOWN, &first);
    oco(f, "5", UP, DOWN, &second);
    cr_assert_eq(call(f, "DELETE", "/v2/orders", "", ""), 207);
    cr_assert_eq(cJSON_GetArraySize(f->json), 4);
    advance(f, SPAN_S(0));
    cr_assert_eq(listed(f, ""), 0);
    fixture_end(f);
}

Test(oco, day_ones_expire_together_at_the_close) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    char members[] = "\"order_class\":\"oco\",\"side\":\"sell\",\"type\":\"limit\","
                     "\"time_in_force\":\"day\",\"qty\":10";
    cr_assert_eq(post_group(f, members, off(last_now(f), 5 * UP), off(last_now(f), 5 * DOWN), none),
                 200);
    read_group(f, &group);
    broker_advance_to(f->broker, (struct utc){at_ny(9, 2, 16, 0).ns - 1});
    expect(f, group.parent, "new");
    expect(f, group.legs[0], "held");
    broker_advance_to(f->broker, at_ny(9, 2, 16, 0));
    expect(f, group.parent, "expired");
    expect(f, group.legs[0], "expired");
    fixture_end(f);
}

Test(oco, a_parent_that_is_rejected_takes_its_stop_with_it) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    bool is_seen = false;
    options.late_reject_chance = (struct ratio){NANOS / 2};
    for (uint64_t seed = 1; seed <= 20 && !is_seen; seed++) {
        options.seed = seed;
        struct fixture *f = fixture_with(&options);
        char id[40];
        order(f, "buy", "market", "day", "10", none, none, id);
        advance(f, SPAN_S(30));
        if (strcmp(status_of(f, id), "filled") == 0) {
            struct group group;
            oco(f, "10", UP, DOWN, &group);
            advance(f, SPAN_S(6));
            is_seen = strcmp(status_of(f, group.parent), "rejected") == 0;
            expect(f, group.legs[0], is_seen ? "canceled" : "held");
            expect_held_back(f, is_seen ? "10" : "0");
        }
        fixture_end(f);
    }
    cr_assert(is_seen);
}

Test(oco, what_the_broker_cancels_or_splits_ends_in_whole_groups) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    cr_assert_eq(post_group(f, OCO "\"qty\":5,\"client_order_id\":\"mine\"", off(last_now(f), UP),
                            off(last_now(f), DOWN), none),
                 200);
    read_group(f, &group);
    advance(f, SPAN_S(0));
    cr_assert(broker_cancel_unasked(f->broker, "mine"));
    expect(f, group.legs[0], "canceled");
    oco(f, "5", UP, DOWN, &group);
    cr_assert(broker_sell_by_hand(f->broker, 0));
    expect(f, group.parent, "canceled");
    expect(f, group.legs[0], "canceled");
    advance(f, SPAN_S(5));
    hold(f, "10");
    oco(f, "5", UP, DOWN, &group);
    broker_split(f->broker, 0, &(struct sim_split){.new_rate = {2 * NANOS}, .old_rate = {NANOS}});
    expect(f, group.parent, "canceled");
    expect(f, group.legs[0], "canceled");
    fixture_end(f);
}

/* --- replacing one of a group --- */

/* Forum 11938: the way out of a position under a group is a take profit at a marketable price. */
Test(replaced, a_take_profit_sells_at_once_and_the_stop_watched_until_then) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", UP, DOWN, &group);
    patch_price(f, group.parent, "limit_price", off(last_now(f), -10), 200);
    char successor[40];
    snprintf(successor, sizeof successor, "%s", str(f, "id"));
    cr_assert_str_eq(str(f, "replaces"), group.parent);
    cr_assert_str_eq(str(f, "order_class"), "oco");
    expect(f, group.parent, "replaced");
    expect(f, group.legs[0], "held");
    expect_held_back(f, "0");
    char path[80];
    snprintf(path, sizeof path, "/v2/orders/%s", successor);
    cr_assert_eq(get(f, path, "nested=true"), 200);
    cr_assert_str_eq(json_member(json_member(f->json, "legs")->child, "id")->valuestring,
                     group.legs[0]);
    snprintf(path, sizeof path, "/v2/orders/%s", group.parent);
    cr_assert_eq(get(f, path, "nested=true"), 200);
    cr_assert(cJSON_IsNull(json_member(f->json, "legs")));
    advance(f, SPAN_S(1));
    expect(f, successor, "filled");
    expect(f, group.legs[0], "canceled");
    fixture_end(f);
}

Test(replaced, a_take_profit_on_its_way_leaves_the_stop_watching) {
    int sold = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct group group;
        struct fixture *f = slow_oco(seed, &group);
        if (f == NULL) {
            continue;
        }
        patch_price(f, group.parent, "limit_price", off(last_now(f), 2 * UP), 200);
        char successor[40];
        snprintf(successor, sizeof successor, "%s", str(f, "id"));
        expect(f, successor, "pending_new");
        expect_held_back(f, "0");
        for (int s = 0; s < 600 && strcmp(status_of(f, successor), "pending_new") == 0; s++) {
            advance(f, SPAN_S(1));
        }
        if (strcmp(status_of(f, successor), "canceled") == 0) { /* it was never new */
            sold++;
            wait_for(f, group.legs[0], "filled");
            cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, 0);
        }
        fixture_end(f);
    }
    cr_assert_gt(sold, 0);
}

Test(replaced, a_held_stop_is_moved_and_stays_held) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", UP, DOWN, &group);
    patch_price(f, group.legs[0], "stop_price", off(last_now(f), -1), 200);
    char successor[40];
    snprintf(successor, sizeof successor, "%s", str(f, "id"));
    cr_assert_str_eq(str(f, "status"), "held");
    expect(f, group.legs[0], "replaced");
    expect_held_back(f, "0");
    wait_for(f, successor, "filled");
    expect(f, group.parent, "canceled");
    fixture_end(f);
}

Test(replaced, prices_alone_and_in_their_order) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", UP, DOWN, &group);
    struct usd stop = off(last_now(f), DOWN);
    cr_assert_eq(on_order(f, "PATCH", group.parent, "{\"qty\":5}"), 422);
    cr_assert_eq(code_of(f), 42210000);
    cr_assert_eq(on_order(f, "PATCH", group.legs[0], "{\"time_in_force\":\"day\"}"), 422);
    patch_price(f, group.parent, "limit_price", stop, 422);
    cr_assert_str_eq(str(f, "message"), "take_profit.limit_price must be > stop_loss.stop_price");
    patch_price(f, group.legs[0], "limit_price", stop, 422);
    patch_price(f, group.parent, "limit_price", usd_add(stop, (struct usd){NANOS / 100}), 200);
    fixture_end(f);
}

/* --- bracket --- */

Test(bracket, is_told_as_its_entry_with_both_exits_inside) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char members[] = BRACKET "\"type\":\"market\",\"qty\":2";
    cr_assert_eq(post_group(f, members, off(last_now(f), UP), off(last_now(f), DOWN), none), 200);
    expect_shape(f, "order_bracket_post_answer");
    struct group group;
    read_group(f, &group);
    cr_assert_eq(group.leg_count, 2);
    expect(f, group.legs[0], "held");
    cr_assert_str_eq(str(f, "type"), "limit");
    expect(f, group.legs[1], "held");
    cr_assert_str_eq(str(f, "type"), "stop");
    cr_assert_str_eq(str(f, "side"), "sell");
    advance(f, SPAN_S(1));
    char path[80];
    snprintf(path, sizeof path, "/v2/orders/%s", group.parent);
    cr_assert_eq(get(f, path, "nested=true"), 200);
    expect_shape(f, "order_bracket_after_fill_nested");
    expect(f, group.legs[0], "new");
    expect(f, group.legs[1], "held"); /* forum 3697 */
    expect_held_back(f, "0");
    fixture_end(f);
}

Test(bracket, its_exits_wait_for_the_whole_entry_and_end_with_one_that_is_cut_off) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.partial_fill_chance = (struct ratio){NANOS};
    struct fixture *f = fixture_with(&options);
    struct group group;
    bracket(f, "100", 20, &group);
    wait_for(f, group.parent, "partially_filled");
    expect(f, group.legs[0], "held");
    expect(f, group.legs[1], "held");
    cr_assert_eq(get(f, "/v2/positions/SYM000", ""), 200);
    cr_assert_str_eq(str(f, "qty_available"), str(f, "qty"), "no exit holds them yet");
    cr_assert_eq(on_order(f, "DELETE", group.parent, ""), 204);
    advance(f, SPAN_S(0));
    expect(f, group.parent, "canceled");
    expect(f, group.legs[0], "canceled"); /* pains 73: the part is bare */
    expect(f, group.legs[1], "canceled");
    cr_assert_gt(broker_position_qty(f->broker, "SYM000").nanos, 0);
    fixture_end(f);
}

Test(bracket, a_cancel_of_any_ends_all_that_is_open) {
    for (int which = 0; which < 3; which++) {
        struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
        struct group group;
        bracket(f, "10", DOWN, &group);
        cr_assert_eq(on_order(f, "DELETE", which == 0 ? group.parent : group.legs[which - 1], ""),
                     204);
        advance(f, SPAN_S(0));
        expect(f, group.parent, "canceled");
        expect(f, group.legs[0], "canceled");
        expect(f, group.legs[1], "canceled");
        cr_assert_eq(get(f, "/v2/account", ""), 200);
        cr_assert_str_eq(str(f, "buying_power"), "200000", "nothing is reserved");
        fixture_end(f);
    }
}

Test(bracket, one_exit_ends_the_other) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    char members[] = BRACKET "\"type\":\"market\",\"qty\":2";
    struct group group;
    cr_assert_eq(post_group(f, members, off(last_now(f), 2), off(last_now(f), DOWN), none), 200);
    read_group(f, &group);
    wait_for(f, group.legs[0], "filled");
    expect(f, group.legs[1], "canceled");
    expect(f, group.parent, "filled");
    cr_assert_eq(post_group(f, members, off(last_now(f), UP), off(last_now(f), -2), none), 200);
    read_group(f, &group);
    wait_for(f, group.legs[1], "filled");
    expect(f, group.legs[0], "canceled");
    cr_assert_eq(broker_position_qty(f->broker, "SYM000").nanos, 0);
    fixture_end(f);
}

Test(bracket, a_short_one_has_its_stop_above) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    options.may_be_short = true;
    struct fixture *f = fixture_with(&options);
    char members[] = "\"order_class\":\"bracket\",\"side\":\"sell\",\"type\":\"market\",\"qty\":5,"
                     "\"time_in_force\":\"gtc\"";
    struct usd last = last_now(f);
    cr_assert_eq(post_group(f, members, off(last, UP), off(last, DOWN), none), 422);
    cr_assert_str_eq(str(f, "message"), "take_profit.limit_price must be < stop_loss.stop_price");
    cr_assert_eq(post_group(f, members, off(last, DOWN), off(last, UP), none), 200, "%s",
                 text_get(&f->response.body));
    struct group group;
    read_group(f, &group);
    advance(f, SPAN_S(1));
    cr_assert_lt(broker_position_qty(f->broker, "SYM000").nanos, 0);
    expect(f, group.legs[0], "new");
    cr_assert_str_eq(str(f, "position_intent"), "buy_to_close");
    fixture_end(f);
}

/* --- lists --- */

Test(listed, flat_each_nested_inside_and_the_legs_of_a_closed_parent_nowhere) {
    struct broker_options options = plain_options(at_ny(9, 2, 10, 0));
    struct fixture *f = fixture_with(&options);
    struct group group;
    bracket(f, "10", DOWN, &group);
    cr_assert_eq(listed(f, ""), 3);
    cr_assert(cJSON_IsNull(json_member(f->json->child, "legs")));
    cr_assert_eq(listed(f, "nested=true"), 1);
    cr_assert_eq(cJSON_GetArraySize(json_member(f->json->child, "legs")), 2);
    bracket(f, "10", 20, &group);
    advance(f, SPAN_S(1));
    expect(f, group.parent, "filled");
    cr_assert_eq(listed(f, ""), 5);
    cr_assert_eq(listed(f, "nested=true"), 1, "alpaca-trade-api-js 87");
    cr_assert_eq(listed(f, "nested=true&status=all"), 2);
    fixture_end(f);
    options.hides_held = true; /* pains 32 */
    f = fixture_with(&options);
    hold(f, "10");
    oco(f, "10", UP, DOWN, &group);
    cr_assert_eq(listed(f, ""), 1);
    cr_assert_eq(listed(f, "status=all&side=sell"), 2);
    fixture_end(f);
}

/* --- refusals --- */

static void expect_refused(struct fixture *f, const char *members, struct usd take_profit,
                           struct usd stop, int code, const char *message) {
    cr_assert_eq(post_group(f, members, take_profit, stop, none), 422, "%s", members);
    cr_assert_eq(code_of(f), code);
    cr_assert_str_eq(str(f, "message"), message);
}

Test(refused, prices_on_the_wrong_side_to_the_cent) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    struct usd last = last_now(f);
    struct usd cent = {NANOS / 100};
    char members[] = BRACKET "\"type\":\"market\",\"qty\":1";
    expect_refused(f, members, off(last, UP), last, 42210000,
                   "stop_loss.stop_price must be <= base_price - 0.01");
    struct usd base = {0};
    cr_assert_eq(json_usd(f->json, "base_price", &base, NULL), ERR_OK);
    cr_assert_eq(base.nanos, last.nanos);
    expect_refused(f, members, last, off(last, DOWN), 42210000,
                   "take_profit.limit_price must be >= base_price + 0.01");
    expect_refused(f, members, off(last, DOWN), off(last, DOWN), 42210000,
                   "take_profit.limit_price must be > stop_loss.stop_price");
    cr_assert_eq(post_group(f, members, usd_add(last, cent), usd_sub(last, cent), none), 200);
    fixture_end(f);
    f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    last = last_now(f);
    expect_refused(f, OCO "\"qty\":1", off(last, DOWN), off(last, DOWN), 42210000,
                   "take_profit.limit_price must be > stop_loss.stop_price");
    expect_refused(f, OCO "\"qty\":1", off(last, UP), last, 42210000,
                   "stop price must be less than current price");
    struct usd odd = usd_add(off(last, UP), (struct usd){NANOS / 1000});
    cr_assert_eq(post_group(f, OCO "\"qty\":1", odd, off(last, DOWN), none), 422);
    odd = usd_add(off(last, DOWN), (struct usd){NANOS / 1000});
    cr_assert_eq(post_group(f, OCO "\"qty\":1", off(last, UP), odd, none), 422);
    cr_assert_not_null(strstr(str(f, "message"), "invalid stop_loss.stop_price"));
    fixture_end(f);
}

Test(refused, what_is_no_exit_no_entry_or_no_whole_share) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    struct usd last = last_now(f);
    expect_refused(f, BRACKET "\"type\":\"market\",\"qty\":\"1.5\"", off(last, UP), off(last, DOWN),
                   42210000, "fractional orders must be DAY orders");
    char day[] = "\"order_class\":\"bracket\",\"side\":\"buy\",\"type\":\"market\",\"qty\":\"1.5\","
                 "\"time_in_force\":\"day\"";
    expect_refused(f, day, off(last, UP), off(last, DOWN), 42210000,
                   "fractional orders must be simple orders");
    cr_assert_eq(post_group(f, OCO "\"qty\":1", off(last, UP), off(last, DOWN), none), 403,
                 "there are no shares");
    hold(f, "10");
    expect_refused(f,
                   "\"order_class\":\"bracket\",\"side\":\"sell\",\"type\":\"market\",\"qty\":1,"
                   "\"time_in_force\":\"gtc\"",
                   off(last, DOWN), off(last, UP), 42210000, "bracket orders must be entry orders");
    expect_refused(f,
                   "\"order_class\":\"oco\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":1,"
                   "\"time_in_force\":\"gtc\"",
                   off(last, DOWN), off(last, UP), 42210000, "oco orders must be exit orders");
    expect_refused(f,
                   "\"order_class\":\"oco\",\"side\":\"sell\",\"type\":\"market\",\"qty\":1,"
                   "\"time_in_force\":\"gtc\"",
                   off(last, UP), off(last, DOWN), 42210000, "oco orders must be limit orders");
    expect_refused(f,
                   "\"order_class\":\"oco\",\"side\":\"sell\",\"type\":\"limit\",\"qty\":1,"
                   "\"time_in_force\":\"ioc\"",
                   off(last, UP), off(last, DOWN), 40010001, "invalid time_in_force");
    expect_refused(f,
                   "\"order_class\":\"oco\",\"side\":\"sell\",\"type\":\"limit\",\"qty\":1,"
                   "\"time_in_force\":\"day\",\"extended_hours\":true",
                   off(last, UP), off(last, DOWN), 42210000,
                   "extended hours order must be simple orders");
    fixture_end(f);
}

Test(refused, an_exit_that_is_missing_or_no_price) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    static const struct {
        const char *members;
        int status;
        const char *message;
    } rows[] = {
        {BRACKET "\"type\":\"market\",\"qty\":1", 422,
         "bracket orders require take_profit.limit_price"},
        {BRACKET "\"type\":\"market\",\"qty\":1,\"take_profit\":{\"limit_price\":9000}", 422,
         "bracket orders require stop_loss.stop_price"},
        {OCO "\"qty\":1,\"stop_loss\":{\"stop_price\":1}", 422,
         "oco orders require take_profit.limit_price"},
        {OCO "\"qty\":1,\"limit_price\":9000,\"stop_loss\":{\"stop_price\":1}", 422,
         "oco orders require take_profit.limit_price"},
        {OCO "\"qty\":1,\"take_profit\":{\"limit_price\":0}", 422,
         "take_profit.limit_price must be > 0"},
        {OCO "\"qty\":1,\"take_profit\":9000", 400, "request body format is invalid"},
        {OCO "\"qty\":1,\"take_profit\":{\"limit_price\":[1]}", 400,
         "request body format is invalid"},
        {"\"order_class\":\"oto\",\"qty\":1," DAY_BUY, 422, "order class \"oto\" is not simulated"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text body = {0};
        text_add_format(&body, "{\"symbol\":\"SYM000\",%s}", rows[i].members);
        cr_assert_eq(post(f, text_get(&body)), rows[i].status, "%s", rows[i].members);
        cr_assert_str_eq(str(f, "message"), rows[i].message);
        text_release(&body);
    }
    cr_assert_eq(broker_order_count(f->broker), 0);
    fixture_end(f);
}

/* alpaca-api.md 4.7: complex classes are exempt from the wash guard, from either side. */
Test(refused, no_wash_is_seen_beside_a_group) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct group group;
    oco(f, "10", UP, DOWN, &group);
    cr_assert_eq(post(f, BODY("\"qty\":1," DAY_BUY)), 200, "%s", text_get(&f->response.body));
    fixture_end(f);
}

Test(limits, a_stop_limit_leg_waits_at_its_limit_once_elected) {
    struct fixture *f = fixture_at(at_ny(9, 2, 10, 0));
    hold(f, "10");
    struct usd last = last_now(f);
    cr_assert_eq(
        post_group(f, OCO "\"qty\":10", off(last, 5 * UP), off(last, -1), off(last, 4 * UP)), 200);
    struct group group;
    read_group(f, &group);
    wait_for(f, group.legs[0], "new");
    expect(f, group.parent, "canceled");
    cr_assert_str_eq(status_of(f, group.legs[0]), "new");
    cr_assert_str_eq(str(f, "type"), "stop_limit");
    expect_held_back(f, "0");
    cr_assert_eq(on_order(f, "DELETE", group.legs[0], ""), 204);
    advance(f, SPAN_S(0));
    expect(f, group.legs[0], "canceled");
    expect_held_back(f, "10");
    fixture_end(f);
}
