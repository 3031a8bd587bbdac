/* test_oco.c - stops that rest as one leg of an OCO, and exits that re-price the other. */
#include "tests/unit/desk.h"

static struct desk *oco_desk(int64_t shares) {
    struct desk *desk = desk_create();
    desk->config.stops_oco = true;
    desk->config.stops_follow = false;
    desk_hold(desk, "AAPL", shares);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    return desk;
}

static struct order *stop_of(struct desk *desk) {
    return orders_live(&desk->orders, "AAPL", PURPOSE_STOP);
}

static struct order *sale_of(struct desk *desk) {
    return orders_live(&desk->orders, "AAPL", PURPOSE_EXIT);
}

static void decide(struct desk *desk, enum order_purpose purpose, int64_t shares) {
    exits_decide(&desk->exits, book_find(&desk->book, "AAPL"), purpose, QTY(shares), "test");
}

static enum exit_phase phase(struct desk *desk) {
    const struct exit_plan *plan = exits_find(&desk->exits, "AAPL");
    return plan == NULL ? EXIT_NONE : plan->phase;
}

static bool is_naked(struct desk *desk) {
    return book_find(&desk->book, "AAPL")->is_naked;
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    return orders_fold(context, row, err);
}

/* --- the stop --- */

Test(oco_stop, is_one_order_with_a_limit_far_above) {
    struct desk *desk = oco_desk(10);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect(desk_last(desk)->is_oco);
    cr_expect_str_eq(desk_last(desk)->type, "limit");
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    cr_expect_str_eq(desk_last(desk)->limit, "120.01");
    cr_expect_str_eq(desk_last(desk)->tif, "gtc");
    cr_assert_not_null(stop_of(desk));
    cr_expect_str_eq(stop_of(desk)->leg_id, desk_last(desk)->leg_id);
    cr_expect_eq(orders_open_qty(&desk->orders, "AAPL", SIDE_SELL).nanos, QTY(10).nanos,
                 "counted once");
    cr_expect_not(is_naked(desk));
    desk_destroy(desk);
}

Test(oco_stop, lies_above_a_market_that_has_risen) {
    struct desk *desk = desk_create();
    desk->config.stops_oco = true;
    desk->config.stops_follow = false;
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->has_mark = true;
    holding->mark = USD(200);
    desk_tick(desk, 1);
    cr_expect_str_eq(desk_last(desk)->limit, "240.01");
    desk_destroy(desk);
}

Test(oco_stop, that_is_held_counts_once_its_limit_is_taken_and_not_alone) {
    static const struct {
        const char *status, *leg;
        bool is_bare, is_dead;
    } rows[] = {{"pending_new", "held", true, false}, {"accepted", "canceled", true, false},
                {"new", "held", false, false},        {"new", "canceled", true, true},
                {"canceled", "held", true, true},     {"canceled", "new", false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = oco_desk(10);
        strcpy(desk_last(desk)->status, rows[i].status);
        strcpy(desk_last(desk)->leg_status, rows[i].leg);
        gateway_ask(&desk->gateway, stop_of(desk));
        protective_stops_step(&desk->gateway, &desk->exits);
        cr_expect_eq(is_naked(desk), rows[i].is_bare, "%s beside %s", rows[i].leg, rows[i].status);
        cr_expect_eq(desk->broker.posts, 1, "nor is it sent twice");
        cr_expect_eq(desk->broker.cancels, rows[i].is_dead, "%zu", i);
        for (int second = 0; second < 5; second++) {
            desk_tick(desk, 1);
        }
        cr_expect_eq(desk->broker.posts, rows[i].is_dead ? 2 : 1, "%zu: one anew", i);
        cr_expect_eq(is_naked(desk), rows[i].is_bare && !rows[i].is_dead, "%zu", i);
        desk_destroy(desk);
    }
}

Test(oco_stop, that_died_is_left_to_an_exit_and_not_touched_in_halt) {
    struct desk *desk = oco_desk(10);
    causes_latch(&desk->causes, "lease_lost", MODE_HALT, "core", "test");
    strcpy(desk_last(desk)->leg_status, "canceled");
    gateway_ask(&desk->gateway, stop_of(desk));
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect(is_naked(desk));
    desk_destroy(desk);
}

Test(oco_stop, lives_on_behind_an_answer_that_is_silent_of_it) {
    static const struct {
        const char *leg, *filled;
        bool is_told, is_live;
    } rows[] = {{"new", "0", true, true},
                {"canceled", "0", true, false},
                {"filled", "10", true, false},
                {"new", "0", false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = oco_desk(10);
        struct order *stop = stop_of(desk);
        desk_last(desk)->is_flat = true;
        strcpy(desk_last(desk)->status, "canceled");
        strcpy(desk_last(desk)->leg_status, rows[i].leg);
        strcpy(desk_last(desk)->leg_filled, rows[i].filled);
        if (!rows[i].is_told) {
            desk_fault(desk,
                       (struct tiny_fault){"GET", "/v2/orders/leg-", 2, ERR_OK, 500, "{}", false});
        }
        gateway_ask(&desk->gateway, stop);
        cr_expect_eq(!order_is_over(stop), rows[i].is_live, "%zu", i);
        cr_expect_eq(stop->is_leg_due, !rows[i].is_told, "%zu", i);
        cr_expect(rows[i].is_told == false || !rows[i].is_live || stop->is_leg_alone, "%zu", i);
        protective_stops_step(&desk->gateway, &desk->exits);
        cr_expect_eq(is_naked(desk), !rows[i].is_told || i == 1, "%zu", i);
        if (i == 2) {
            cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
        }
        desk->broker.fault[0].times = 0;
        if (!rows[i].is_told) {
            gateway_settle(&desk->gateway);
            cr_expect_not(stop->is_leg_due, "asked for again");
            cr_expect(stop->is_leg_alone);
        }
        desk_destroy(desk);
    }
}

Test(oco_stop, that_a_person_repriced_goes_on_as_its_successor) {
    struct desk *desk = oco_desk(10);
    strcpy(desk_last(desk)->leg_status, "replaced");
    gateway_ask(&desk->gateway, stop_of(desk));
    desk_tick(desk, 1);
    cr_assert_not_null(stop_of(desk));
    cr_expect_str_eq(stop_of(desk)->leg_id, "leg-2");
    cr_expect_not(is_naked(desk));
    cr_expect_eq(desk->broker.cancels, 0);
    desk_destroy(desk);
}

Test(oco_stop, has_the_price_that_was_told_last) {
    struct desk *desk = oco_desk(10);
    strcpy(desk_last(desk)->stop, "97");
    gateway_ask(&desk->gateway, stop_of(desk));
    cr_expect_eq(stop_of(desk)->stop_price.nanos, USD(97).nanos);
    desk_last(desk)->is_flat = true;
    strcpy(desk_last(desk)->stop, "98");
    gateway_ask(&desk->gateway, stop_of(desk));
    cr_expect_eq(stop_of(desk)->stop_price.nanos, USD(97).nanos, "a flat answer is silent of it");
    desk_destroy(desk);
}

Test(oco_stop, of_shares_that_came_later_is_another_one) {
    struct desk *desk = oco_desk(10);
    struct holding *holding = book_find(&desk->book, "AAPL");
    holding->qty = holding->broker_qty = QTY(15);
    holding->cost = USD(1500);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_assert_eq(desk->broker.posts, 2);
    cr_expect_str_eq(desk_last(desk)->qty, "5");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_not(is_naked(desk));
    decide(desk, PURPOSE_EXIT, 0);
    for (int i = 0; i < 4; i++) {
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.patches, 0, "of two none can sell all: both are cancelled");
    cr_expect_eq(desk->broker.cancels, 2);
    cr_expect_str_eq(desk_last(desk)->qty, "15");
    cr_expect_not(desk_last(desk)->is_oco);
    desk_destroy(desk);
}

Test(oco_stop, is_booked_by_what_its_leg_sold) {
    struct desk *desk = oco_desk(10);
    strcpy(desk_last(desk)->status, "canceled");
    strcpy(desk_last(desk)->leg_status, "partially_filled");
    strcpy(desk_last(desk)->leg_filled, "4");
    gateway_ask(&desk->gateway, stop_of(desk));
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(6).nanos);
    cr_assert_not_null(stop_of(desk));
    cr_expect(stop_of(desk)->is_leg_alone);
    cr_expect_eq(order_open_qty(stop_of(desk)).nanos, QTY(6).nanos);
    strcpy(desk_last(desk)->leg_status, "filled");
    strcpy(desk_last(desk)->leg_filled, "10");
    struct order *stop = stop_of(desk);
    gateway_ask(&desk->gateway, stop);
    cr_expect_eq(stop->state, ORDER_FILLED);
    cr_expect_eq(stop->filled_amount.nanos, USD(960).nanos);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
    desk_destroy(desk);
}

Test(oco_stop, is_known_as_one_after_a_restart) {
    struct desk *desk = oco_desk(10);
    char id[CLIENT_ID_MAX];
    char leg[ORDER_ID_MAX];
    strcpy(id, stop_of(desk)->client_id);
    strcpy(leg, stop_of(desk)->leg_id);
    cr_assert_eq(journal_commit(desk->rig->journal, NULL), ERR_OK);
    desk_wire(desk);
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold, &desk->orders, NULL), ERR_OK);
    orders_fold_end(&desk->orders);
    struct order *order = orders_find(&desk->orders, id);
    cr_assert_not_null(order);
    cr_expect(order->is_oco);
    cr_expect_str_eq(order->leg_id, leg);
    cr_expect(orders_have_oco(&desk->orders));
    desk_destroy(desk);
}

/* --- the exit --- */

Test(oco_exit, reprices_the_limit_and_the_stop_stays) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    cr_expect_str_eq(desk_last(desk)->qty, "10");
    cr_assert_not_null(sale_of(desk));
    cr_expect(sale_of(desk)->is_oco);
    cr_expect_not(is_naked(desk));
    desk_tick(desk, 1);
    cr_expect_null(stop_of(desk), "it is known to be replaced");
    desk_tick(desk, 2);
    cr_expect_eq(desk->broker.patches, 2, "the second rung");
    cr_expect_str_eq(desk_last(desk)->limit, "99");
    cr_expect_not(is_naked(desk));
    cr_expect_eq(desk->gateway.refused, 0);
    tiny_fill(desk_last(desk), "filled", "10", "99.1");
    strcpy(desk_last(desk)->leg_status, "canceled");
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

/* The broker asks that the limit stays above the stop; a market below that has the stop sell. */
Test(oco_exit, never_goes_below_its_stop) {
    struct desk *desk = oco_desk(10);
    desk->truth.quotes[0].bid = dollars("96.6");
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_str_eq(desk_last(desk)->limit, "96.51");
    desk_tick(desk, 4);
    cr_expect_eq(desk->broker.patches, 1, "the same price is no news");
    desk_destroy(desk);
}

Test(oco_exit, goes_on_with_what_is_left_of_a_part) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    tiny_fill(desk_last(desk), "partially_filled", "4", "99.8");
    desk_tick(desk, 1);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(6).nanos);
    desk_tick(desk, 3);
    cr_expect_eq(desk->broker.patches, 2);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_assert_not_null(sale_of(desk));
    struct order *sale = orders_find(&desk->orders, desk_last(desk)->client);
    cr_assert_not_null(sale);
    cr_expect_eq(sale->qty.nanos, QTY(6).nanos);
    desk_destroy(desk);
}

Test(oco_exit, reprices_what_is_left_of_a_limit_that_sold_a_part) {
    struct desk *desk = oco_desk(10);
    tiny_fill(desk_last(desk), "partially_filled", "4", "120.1");
    gateway_ask(&desk->gateway, stop_of(desk));
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(6).nanos);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_assert_not_null(sale_of(desk));
    cr_expect(sale_of(desk)->is_oco);
    cr_expect_eq(sale_of(desk)->qty.nanos, QTY(6).nanos);
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    cr_expect_not(is_naked(desk));
    desk_destroy(desk);
}

Test(oco_exit, whose_ladder_ends_rests_with_its_stop_and_pages) {
    struct desk *desk = oco_desk(10);
    desk->config.stop_distance = (struct ratio){NANOS / 2};
    strcpy(desk_last(desk)->stop, "50");
    stop_of(desk)->stop_price = USD(50);
    decide(desk, PURPOSE_EXIT, 0);
    for (int i = 0; i < 16; i++) {
        desk_tick(desk, 1);
        cr_expect_not(is_naked(desk), "second %d", i);
    }
    cr_expect_str_eq(desk->rig->last_alert, "exit_unfilled");
    cr_expect_eq(desk->broker.patches, 5);
    cr_expect_str_eq(desk_last(desk)->limit, "80");
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_eq(desk->broker.posts, 1);
    for (int i = 0; i < 5; i++) {
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.patches, 6, "and it begins anew");
    cr_expect_eq(desk->broker.cancels, 0);
    desk_destroy(desk);
}

Test(oco_exit, of_a_closed_market_rests_with_its_stop) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    desk->truth.clock.is_open = false;
    desk_tick(desk, 5);
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_not(is_naked(desk));
    cr_expect_eq(desk->broker.posts, 1, "nothing beside it");
    desk_destroy(desk);
}

Test(oco_exit, that_is_refused_is_cancelled_once_and_sold_as_ever) {
    struct desk *desk = oco_desk(10);
    desk_fault(desk, (struct tiny_fault){"PATCH", "/v2/orders", 1, ERR_OK, 422,
                                         "{\"code\":42210000,\"message\":\"no\"}", false});
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_not(desk_last(desk)->is_oco);
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    cr_expect_eq(desk->rig->pages, 0);
    desk_destroy(desk);
}

Test(oco_exit, of_unknown_fate_is_settled_before_anything_else) {
    for (int arrived = 0; arrived < 2; arrived++) {
        struct desk *desk = oco_desk(10);
        strcpy(desk_last(desk)->stop, "50"); /* so that the ladder does not end at it */
        stop_of(desk)->stop_price = USD(50);
        desk_fault(desk, (struct tiny_fault){"PATCH", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL,
                                             arrived == 1});
        decide(desk, PURPOSE_EXIT, 0);
        exits_step(&desk->exits);
        cr_assert_eq(sale_of(desk)->state, ORDER_UNKNOWN);
        for (int i = 0; i < 28; i++) {
            desk_tick(desk, 1);
            cr_expect_eq(desk->broker.cancels, 0);
            cr_expect_eq(desk->broker.posts, 1);
        }
        cr_expect_eq(desk->gateway.refused, 0);
        if (arrived == 1) {
            cr_expect_geq(desk->broker.patches, 2, "found by its id, it climbs");
            cr_expect_not(is_naked(desk));
        } else {
            for (int i = 0; i < 14; i++) {
                desk_tick(desk, 1);
            }
            cr_expect_eq(desk->broker.patches, 1, "it never arrived: the other way");
            cr_expect_eq(desk->broker.cancels, 1);
            cr_expect_eq(desk->broker.posts, 2);
        }
        desk_destroy(desk);
    }
}

Test(oco_exit, waits_for_a_stop_that_was_elected_in_between) {
    struct desk *desk = oco_desk(10);
    desk->truth.quotes[0].bid = USD(96);
    strcpy(desk_last(desk)->status, "canceled");
    strcpy(desk_last(desk)->leg_status, "new");
    desk_fault(desk, (struct tiny_fault){"PATCH", "/v2/orders", 1, ERR_OK, 422,
                                         "{\"code\":42210000,\"message\":\"canceled\"}", false});
    decide(desk, PURPOSE_EXIT, 0);
    for (int i = 0; i < 5; i++) {
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.posts, 1, "it sells already");
    cr_expect_eq(desk->broker.cancels, 1, "and is not asked to end once that is known");
    strcpy(desk_last(desk)->leg_status, "filled");
    strcpy(desk_last(desk)->leg_filled, "10");
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

Test(oco_exit, of_a_part_cancels_the_group_and_protects_the_rest) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_SCALE_OUT, 3);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_tick(desk, 1);
    cr_expect_str_eq(desk_last(desk)->qty, "3");
    tiny_fill(desk_last(desk), "filled", "3", "99.8");
    book_find(&desk->book, "AAPL")->broker_qty = QTY(7);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect(desk_last(desk)->is_oco);
    cr_expect_str_eq(desk_last(desk)->qty, "7");
    desk_destroy(desk);
}

Test(oco_exit, above_an_orders_cap_is_sold_in_parts_as_ever) {
    struct desk *desk = oco_desk(10);
    desk->config.order_cap_usd = USD(999);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_destroy(desk);
    desk = oco_desk(10);
    desk->config.order_cap_usd = USD(1000);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1, "at exactly the cap");
    desk_destroy(desk);
}

Test(oco_exit, of_a_group_that_rests_since_before_the_setting_was_off_is_the_same) {
    struct desk *desk = oco_desk(10);
    desk->config.stops_oco = false;
    desk->config.stops_follow = true;
    book_find(&desk->book, "AAPL")->high_water = USD(110);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect_eq(desk->broker.patches, 0, "its stop is not raised");
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_eq(desk->broker.cancels, 0);
    desk_destroy(desk);
}

/* A market that is below the stop and that elected nothing: the ladder's end leaves the group. */
Test(oco_exit, leaves_its_group_where_nobody_buys_above_its_stop) {
    struct desk *desk = oco_desk(10);
    desk->truth.quotes[0].bid = USD(90);
    decide(desk, PURPOSE_EXIT, 0);
    int seconds = 0;
    while (desk->broker.cancels == 0 && ++seconds < 40) {
        cr_expect_not(is_naked(desk), "second %d", seconds);
        desk_tick(desk, 1);
    }
    cr_expect_leq(seconds, 17, "a ladder's time");
    cr_expect_str_eq(desk_last(desk)->limit, "96.51");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_not(desk_last(desk)->is_oco);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect(strcmp(desk_last(desk)->limit, "90") < 0, "%s", desk_last(desk)->limit);
    tiny_fill(desk_last(desk), "filled", "10", "90");
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
    desk_destroy(desk);
}

Test(oco_exit, stays_in_its_group_while_nothing_else_could_be_sent) {
    struct desk *desk = oco_desk(10);
    desk->truth.quotes[0].bid = USD(90);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    desk->truth.account.is_suspended = true;
    for (int i = 0; i < 30; i++) {
        desk->truth.account_at = clock_mono(desk->rig->world.clock);
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_not(is_naked(desk));
    desk->truth.account.is_suspended = false;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_destroy(desk);
}

/* The limit is over, and its stop is alone: it watches, or it sells. */
Test(oco_exit, waits_for_a_lone_stop_while_it_may_sell_and_no_longer) {
    static const struct {
        const char *leg, *filled;
        int64_t bid_cents;
        int most; /* seconds that it waits, and it is cancelled within two more */
    } rows[] = {{"new", "0", 9651, 0},
                {"new", "0", 9650, 10},
                {"partially_filled", "4", 9651, 10},
                {"held", "0", 9650, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = oco_desk(10);
        desk->truth.quotes[0].bid.nanos = rows[i].bid_cents * (NANOS / 100);
        strcpy(desk_last(desk)->status, "canceled");
        strcpy(desk_last(desk)->leg_status, rows[i].leg);
        strcpy(desk_last(desk)->leg_filled, rows[i].filled);
        gateway_ask(&desk->gateway, stop_of(desk));
        decide(desk, PURPOSE_EXIT, 0);
        for (int second = 0; second < rows[i].most; second++) {
            desk_tick(desk, 1);
            cr_expect_eq(desk->broker.cancels, 0, "%zu: second %d", i, second);
        }
        desk_tick(desk, 1);
        desk_tick(desk, 1);
        cr_expect_eq(desk->broker.cancels, 1, "%zu", i);
        cr_expect_eq(desk->broker.patches, 0, "%zu: nothing is left to re-price", i);
        cr_expect_eq(desk->broker.posts, 2, "%zu: sold as ever", i);
        cr_expect_not(desk_last(desk)->is_oco);
        cr_expect_str_eq(desk->broker.orders[0].leg_status, "canceled");
        desk_destroy(desk);
    }
}

Test(oco_exit, whose_own_limit_ended_does_not_wait_for_its_stop) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    strcpy(desk_last(desk)->status, "canceled");
    strcpy(desk_last(desk)->leg_status, "new");
    for (int i = 0; i < 6; i++) {
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_not(desk_last(desk)->is_oco);
    desk_destroy(desk);
}

/* Chaos found it (swarm 261, stops.oco forced): asking for the old one failed for three seconds, and the sale was
 * priced anew from it. Of plain limits it holds as well. */
Test(oco_exit, waits_for_the_word_that_its_last_price_is_over) {
    for (int is_plain = 0; is_plain < 2; is_plain++) {
        struct desk *desk = oco_desk(10);
        if (is_plain == 1) {
            desk->config.order_cap_usd = USD(999);
        }
        decide(desk, PURPOSE_EXIT, 0);
        for (int i = 0; i < 4; i++) {
            desk_tick(desk, 1);
        }
        int patches = desk->broker.patches;
        for (int i = 0; i < 30 && desk->broker.patches == patches; i++) {
            desk_tick(desk, 1);
        }
        desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 9, ERR_OK, 429, "{}", false});
        for (int i = 0; i < 6; i++) {
            desk_tick(desk, 1);
        }
        cr_expect_eq(desk->gateway.refused, 0);
        cr_expect_eq(desk->broker.patches, patches + 1);
        desk->broker.fault[0].times = 0;
        desk_tick(desk, 1);
        desk_tick(desk, 1);
        cr_expect_eq(desk->broker.patches, patches + 2);
        desk_destroy(desk);
    }
}

/* A broker that rejects the new price later ends the group with it: what is bare then is sold as ever, and the next
 * OCO is re-priced again. */
Test(oco_exit, that_is_rejected_later_is_sold_as_ever) {
    struct desk *desk = oco_desk(10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    strcpy(desk_last(desk)->status, "rejected");
    strcpy(desk_last(desk)->leg_status, "canceled");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_not(desk_last(desk)->is_oco);
    cr_assert_not_null(exits_find(&desk->exits, "AAPL"));
    cr_expect_not(exits_find(&desk->exits, "AAPL")->is_handed);
    cr_expect_eq(desk->rig->pages, 0);
    desk_destroy(desk);
}

/* An id of ours under which the broker has a plain order is not the group that we meant. */
Test(oco_exit, an_id_whose_order_is_no_group_is_a_second_writers) {
    struct desk *desk = desk_create();
    desk->config.stops_oco = true;
    desk->config.stops_follow = false;
    desk_hold(desk, "AAPL", 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_assert_eq(stop_of(desk)->state, ORDER_UNKNOWN);
    desk_last(desk)->is_oco = false;
    desk_tick(desk, 1);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    desk_destroy(desk);
}
