/* test_exits.c - exit transactions and resting stops, phase by phase: what HALT, an unknown stop, a part
 * sold, a ladder's end, a live entry and a restart do to them. */
#include "tests/unit/desk.h"

static struct order *stop_of(struct desk *desk) {
    return orders_live(&desk->orders, "AAPL", PURPOSE_STOP);
}

static void decide(struct desk *desk, enum order_purpose purpose, int64_t shares) {
    exits_decide(&desk->exits, book_find(&desk->book, "AAPL"), purpose, QTY(shares), "test");
}

static enum exit_phase phase(struct desk *desk) {
    const struct exit_plan *plan = exits_find(&desk->exits, "AAPL");
    return plan == NULL ? EXIT_NONE : plan->phase;
}

Test(stops, a_position_gets_a_stop_for_its_whole_shares_within_a_tick) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    cr_expect_str_eq(desk_last(desk)->qty, "10");
    cr_expect_str_eq(desk_last(desk)->tif, "gtc");
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked);
    cr_expect_eq(desk->broker.posts, 1);
    holding->qty = holding->broker_qty = QTY(15);
    holding->cost = USD(1500);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1, "grown by a replacement");
    cr_expect_str_eq(desk_last(desk)->qty, "15");
    desk->config.stops_on = false;
    strcpy(desk_last(desk)->status, "canceled");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1, "off is off");
    desk_destroy(desk);
}

Test(stops, a_refused_stop_leaves_it_naked_and_pages_after_a_minute) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 99, ERR_OK, 403,
                                         "{\"code\":40310000,\"message\":\"no\"}", false});
    for (int i = 0; i < 60; i++) {
        desk_tick(desk, 1);
        cr_expect_str_neq(desk->rig->last_alert, "naked_position", "second %d", i);
    }
    cr_expect_gt(desk->rig->warnings, 0);
    cr_expect_eq(desk->broker.posts, 5, "in seconds 1, 2, 7, 17 and 37");
    desk_tick(desk, 1);
    cr_expect_str_eq(desk->rig->last_alert, "naked_position");
    desk->broker.fault[0].times = 0;
    desk_tick(desk, 15);
    cr_expect_eq(desk->broker.posts, 5);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked);
    holding->is_listed = false;
    holding->qty = QTY(0);
    holding->is_naked = true;
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked, "sold: nothing to protect");
    desk_destroy(desk);
}

Test(stops, a_listing_that_lacks_a_position_does_not_end_its_bare_minute) {
    for (int is_gone = 0; is_gone < 2; is_gone++) {
        struct desk *desk = desk_create();
        struct holding *holding = desk_hold(desk, "AAPL", 10);
        holding->is_listed = false;
        holding->broker_qty = QTY(0);
        for (int i = 0; i < 61; i++) {
            cr_expect_str_neq(desk->rig->last_alert, "naked_position", "second %d", i);
            /* of two listings in three; or of all, which reconciliation tells */
            bool is_lacked = is_gone || i % 3 != 0;
            if (is_lacked && !holding->differs) {
                holding->differs_since = clock_mono(desk->rig->world.clock);
            }
            holding->differs = is_lacked;
            desk_tick(desk, 1);
        }
        bool is_paged = strcmp(desk->rig->last_alert, "naked_position") == 0;
        cr_expect_eq(is_paged, is_gone == 0);
        cr_expect_neq(holding->is_naked, is_gone == 1);
        cr_expect_eq(desk->broker.posts, 0, "nothing is sold that is not listed");
        desk_destroy(desk);
    }
}

Test(stops, one_that_the_exchange_does_not_take_leaves_it_naked_and_is_not_sent_twice) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    strcpy(desk_last(desk)->status, "pending_new");
    gateway_ask(&desk->gateway, stop_of(desk));
    for (int i = 0; i < 60; i++) {
        cr_expect_eq(desk->rig->pages, 0, "second %d", i);
        desk_tick(desk, 1);
    }
    cr_expect_str_eq(desk->rig->last_alert, "naked_position");
    cr_expect_eq(desk->broker.posts + desk->broker.patches, 1);
    strcpy(desk_last(desk)->status, "new");
    gateway_ask(&desk->gateway, stop_of(desk));
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked);
    desk_destroy(desk);
}

static void undo_stop(struct desk *desk) {
    strcpy(desk_last(desk)->status, "canceled");
    gateway_ask(&desk->gateway, stop_of(desk));
}

Test(stops, one_that_the_broker_cancels_by_itself_goes_anew_at_once_and_then_waits) {
    static const int waits_s[] = {1, 5, 10, 20};
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(desk->broker.posts, 1 + i);
        undo_stop(desk);
        cr_expect_eq(desk->rig->pages, i > 0, "from the second on, once a minute");
        cr_expect(i == 0 || strcmp(desk->rig->last_alert, "stop_cancelled") == 0);
        for (int s = 1; s < waits_s[i]; s++) {
            desk_tick(desk, 1);
            cr_expect_eq(desk->broker.posts, 1 + i, "%d at second %d", i, s);
        }
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.posts, 5);
    desk_destroy(desk);
}

Test(stops, one_that_was_asked_to_end_is_no_failure) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    for (int i = 0; i < 3; i++) {
        gateway_cancel(&desk->gateway, stop_of(desk));
        undo_stop(desk);
        desk_tick(desk, 1);
        cr_expect_eq(desk->broker.posts, 2 + i);
    }
    cr_expect_eq(desk->rig->pages, 0);
    desk_destroy(desk);
}

/* Chaos found it (storm 7164): "unknown" counted as protection. */
Test(stops, one_of_unknown_fate_leaves_it_naked_and_is_not_sent_twice) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    stop_of(desk)->state = ORDER_UNKNOWN;
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect(book_find(&desk->book, "AAPL")->is_naked);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

/* Chaos found it (stop_gone_while_orders_unreadable): the minute begins with the last listing. */
Test(stops, that_nobody_could_look_at_for_a_minute_are_paged) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk->truth.has_orders = true;
    desk->truth.orders_at = clock_mono(desk->rig->world.clock);
    desk_tick(desk, 1);
    desk_tick(desk, 28);
    cr_expect_not(holding->is_naked);
    desk_tick(desk, 30);
    cr_expect_eq(desk->rig->pages, 0, "59 s");
    desk_tick(desk, 1);
    cr_expect_str_eq(desk->rig->last_alert, "naked_position");
    cr_expect_eq(desk->broker.posts, 1, "and nothing is sent for that");
    desk->truth.orders_at = clock_mono(desk->rig->world.clock);
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked);
    desk_destroy(desk);
}

/* Chaos found it (stop_gone_behind_a_look): a tick may be long. */
Test(stops, a_bare_minute_begins_with_the_last_listing_that_had_the_stop) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_not(holding->is_naked);
    struct mono seen = desk->truth.orders_at = clock_mono(desk->rig->world.clock);
    desk->truth.has_orders = true;
    strcpy(desk_last(desk)->status, "canceled");
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 99, ERR_OK, 403,
                                         "{\"code\":40310000,\"message\":\"no\"}", false});
    desk_tick(desk, 13);
    cr_expect_not(holding->is_naked, "a look between two listings");
    gateway_ask(&desk->gateway, stop_of(desk));
    desk->truth.orders_at = mono_add(seen, SPAN_S(14));
    desk_tick(desk, 1);
    cr_expect(holding->is_naked);
    cr_expect_eq(holding->naked_since.ns, seen.ns);
    desk_tick(desk, 45);
    desk->truth.orders_at = mono_add(seen, SPAN_S(59));
    cr_expect_str_neq(desk->rig->last_alert, "naked_position", "59 s");
    desk_tick(desk, 1);
    cr_expect_str_eq(desk->rig->last_alert, "naked_position");
    desk_destroy(desk);
}

/* Chaos found it (bought_while_listings_are_empty): a listing may lag behind a fill, and may not. */
Test(stops, what_no_listing_showed_for_a_while_is_bare_since_its_fill) {
    struct desk *desk = desk_create();
    causes_latch(&desk->causes, "x", MODE_HALT, "ann", "nothing is sent"); /* nor protects it */
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    struct mono filled = holding->quiet_since = clock_mono(desk->rig->world.clock);
    holding->is_listed = false;
    desk->truth.has_orders = true;
    for (int i = 0; i < 4; i++) { /* 12 s */
        rig_wait(desk->rig, SPAN_S(1));
        desk->truth.orders_at = clock_mono(desk->rig->world.clock);
        desk_tick(desk, 2);
        cr_expect_not(holding->is_naked, "%d", i);
    }
    holding->is_listed = true;
    desk_tick(desk, 1);
    cr_expect(holding->is_naked);
    cr_expect_eq(holding->naked_since.ns, filled.ns);
    desk_destroy(desk);
}

/* Chaos found it (bought_while_positions_unreadable). */
Test(stops, a_position_that_only_its_fill_shows_is_protected) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->is_listed = false;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 0, "a listing without it is newer than its fill");
    holding->is_ahead = true;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

Test(stops, halt_sends_nothing_and_a_difference_waits) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    causes_hold(&desk->causes, "x", MODE_HALT, "");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 0);
    cr_expect(holding->is_naked);
    causes_let_go(&desk->causes, "x");
    holding->differs = true;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 0);
    holding->differs = false;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

Test(stops, a_mark_already_through_is_an_exit_at_once) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->has_mark = true;
    holding->mark = dollars("96.5");
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_assert_not_null(exits_find(&desk->exits, "AAPL"));
    cr_expect_str_eq(exits_find(&desk->exits, "AAPL")->reason, "stop_through");
    cr_expect_eq(desk->broker.posts, 0);
    desk_destroy(desk);
}

Test(stops, follow_the_high_upward_by_half_a_percent_and_never_down) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk->config.stops_follow = true;
    desk_tick(desk, 1);
    holding->high_water = dollars("101.49");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 0, "not armed below 101.50");
    holding->high_water = holding->mark = USD(110);
    holding->has_mark = true;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_str_eq(desk_last(desk)->stop, "107.8"); /* 110 less 1.5 + 3.5 - 3 % */
    desk_tick(desk, 1);
    holding->high_water = USD(105);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1, "never lowered");
    holding->high_water = USD(120);
    holding->mark = USD(115); /* below the stop at 117.6: too late to raise */
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1);
    desk_destroy(desk);
}

Test(stops, a_partial_entry_is_cut_off_after_ten_seconds_so_that_the_stop_can_rest) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 10);
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_OK);
    struct holding *holding = desk_hold(desk, "AAPL", 4);
    for (int i = 0; i < 9; i++) {
        desk_tick(desk, 1);
    }
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_eq(desk->broker.posts, 1, "the wash guard forbids both");
    cr_expect(holding->is_naked);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_str_eq(desk_last(desk)->type, "stop");
    desk_destroy(desk);
}

Test(stops, shares_of_an_unknown_entry_are_bare) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_UNKNOWN);
    struct holding *holding = book_get(&desk->book, "AAPL");
    holding->is_listed = true;
    holding->broker_qty = QTY(3);
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect(holding->is_naked);
    desk_destroy(desk);
}

Test(stops, do_not_follow_when_told_not_to) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk->config.stops_follow = false;
    desk_tick(desk, 1);
    holding->high_water = holding->mark = USD(110);
    holding->has_mark = true;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    desk_destroy(desk);
}

Test(stops, an_entry_whose_cancel_was_wished_is_cancelled_again_before_its_ten_seconds) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 10);
    struct order *entry = NULL;
    cr_assert_eq(desk_send(desk, &intent, &entry), ERR_OK);
    desk_hold(desk, "AAPL", 4);
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    gateway_cancel(&desk->gateway, entry);
    desk_tick(desk, 3);
    cr_expect_eq(desk->broker.cancels, 2);
    cr_expect_eq(entry->state, ORDER_CANCELED);
    desk_destroy(desk);
}

Test(stops, an_unknown_entry_without_shares_leaves_nothing_bare) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_UNKNOWN);
    struct holding *holding = book_get(&desk->book, "AAPL");
    holding->is_listed = true;
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect_not(holding->is_naked);
    desk_destroy(desk);
}

/* The mark is through, but a stop rests for a part of the shares: the broker sells at it, and what it
 * does not cover yet joins it. */
Test(stops, one_that_is_too_small_grows_even_with_the_mark_through) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    holding->qty = holding->broker_qty = QTY(15);
    holding->cost = USD(1500);
    holding->has_mark = true;
    holding->mark = USD(96);
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect_null(exits_find(&desk->exits, "AAPL"));
    cr_expect_eq(desk->broker.patches, 1);
    cr_expect_str_eq(desk_last(desk)->qty, "15");
    desk_destroy(desk);
}

Test(stops, one_that_may_not_be_changed_now_is_left_alone_until_it_may) {
    static const char *const statuses[] = {"partially_filled", "pending_replace", "new"};
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_assert_eq(stop_of(desk)->state, ORDER_UNKNOWN);
    holding->qty = holding->broker_qty = QTY(15);
    holding->cost = USD(1500);
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_expect_eq(desk->broker.patches, 0, "unknown");
    gateway_settle(&desk->gateway);
    for (size_t i = 0; i < 3; i++) {
        strcpy(desk_last(desk)->status, statuses[i]);
        gateway_ask(&desk->gateway, stop_of(desk));
        protective_stops_step(&desk->gateway, &desk->exits);
        cr_expect_eq(desk->broker.patches, i == 2, "%s", statuses[i]);
    }
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

Test(exit_plan, goes_through_its_phases_and_sells_what_the_stop_held) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    decide(desk, PURPOSE_EXIT, 0);
    cr_expect_not(exits_are_urgent(&desk->exits));
    exits_step(&desk->exits);
    cr_expect_eq(desk->broker.cancels, 1, "the stop first");
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect(exits_are_urgent(&desk->exits));
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    tiny_fill(desk_last(desk), "filled", "10", "99.8");
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, 0);
    desk_destroy(desk);
}

/* Found by refusal_is_warranted in order_cancel_stuck: the old stop's end let the exit go on while the new
 * one rested, and the sale was refused for it. */
Test(exit_plan, releases_a_stop_that_was_just_replaced_and_its_replacement) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    holding->qty = holding->broker_qty = QTY(15);
    holding->cost = USD(1500);
    desk_tick(desk, 1);
    cr_assert_eq(desk->broker.patches, 1, "and nobody listed the orders since");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.patches, 1, "the replaced one is not replaced again");
    cr_expect_not(holding->is_naked);
    decide(desk, PURPOSE_EXIT, 0);
    for (int i = 0; i < 3; i++) {
        exits_step(&desk->exits);
    }
    cr_expect_eq(desk->gateway.refused, 0);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect_str_eq(desk_last(desk)->qty, "15");
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    desk_destroy(desk);
}

/* Chaos found it (exit_behind_a_stop_that_turns_up): the sale was refused for it until the exit gave up. */
Test(exit_plan, releases_a_stop_that_turns_up_behind_the_release) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_OK, 403,
                                         "{\"code\":40310000,\"message\":\"no\"}", false});
    exits_step(&desk->exits);
    cr_assert_eq(phase(desk), EXIT_WORKING, "and its sale was rejected");
    struct order stop = desk_intent(PURPOSE_STOP, 10);
    cr_assert_eq(desk_send(desk, &stop, NULL), ERR_OK);
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_RELEASING);
    cr_assert_not_null(stop_of(desk));
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect_null(stop_of(desk));
    cr_expect_eq(desk->gateway.refused, 0);
    cr_expect_str_eq(desk_last(desk)->limit, "99.7");
    desk_destroy(desk);
}

Test(exit_plan, halt_stops_each_phase_and_leaves_the_stop_alone) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    decide(desk, PURPOSE_EXIT, 0);
    causes_hold(&desk->causes, "x", MODE_HALT, "");
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    exits_find(&desk->exits, "AAPL")->phase = EXIT_RELEASING;
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_RELEASING);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_assert_not_null(stop_of(desk));
    exits_find(&desk->exits, "AAPL")->phase = EXIT_WORKING;
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_RELEASING, "no sale beside a stop");
    cr_expect_eq(desk->broker.cancels, 0);
    undo_stop(desk);
    exits_find(&desk->exits, "AAPL")->phase = EXIT_WORKING;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1, "refused by the gateway");
    cr_expect_str_eq(desk->rig->last_alert, "exit_refused");
    desk_destroy(desk);
}

Test(exit_plan, waits_for_the_open_and_for_a_price) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk->truth.clock.is_open = false;
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    desk->truth.has_clock = false;
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    desk->truth.has_clock = desk->truth.clock.is_open = true;
    desk->truth.quotes[0].at.ns -= SPAN_S(61).ns;
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_DECIDED, "no live bid, no mark");
    exits_find(&desk->exits, "AAPL")->phase = EXIT_WORKING;
    exits_step(&desk->exits);
    cr_expect_str_eq(desk->rig->last_alert, "exit_without_price");
    holding->has_broker_price = true;
    holding->broker_price = USD(90);
    exits_step(&desk->exits);
    cr_expect_str_eq(desk_last(desk)->limit, "89.73");
    desk_destroy(desk);
}

Test(exit_plan, prices_by_the_mark_when_the_bid_is_dead_or_the_symbol_foreign) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "ZZZ", 10);
    holding->has_mark = true;
    holding->mark = dollars("0.0001");
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, QTY(0), "test");
    exits_step(&desk->exits);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect_str_eq(desk_last(desk)->limit, "0.0001", "never below one tick");
    desk_destroy(desk);
}

Test(exit_plan, a_quote_that_is_unknown_empty_or_a_minute_old_prices_nothing) {
    for (int i = 0; i < 4; i++) {
        struct desk *desk = desk_create();
        struct holding *holding = desk_hold(desk, "AAPL", 10);
        struct broker_quote *quote = &desk->truth.quotes[0];
        holding->has_mark = true;
        holding->mark = USD(50);
        quote->is_known = i != 1;
        quote->bid = i == 2 ? USD(0) : quote->bid;
        quote->at.ns -= SPAN_S(60).ns + (i == 3);
        decide(desk, PURPOSE_EXIT, 0);
        exits_step(&desk->exits);
        cr_expect_str_eq(desk_last(desk)->limit, i == 0 ? "99.7" : "49.85", "%d", i);
        desk_destroy(desk);
    }
}

/* One share costs more than the cap, or the cap buys more shares than can be counted: an exit is sacred. */
Test(exit_plan, goes_whole_where_the_cap_cannot_split_it) {
    static const struct {
        const char *cap, *bid;
    } cases[] = {{"99", "100"}, {"100000000", "0.0001"}};
    for (size_t i = 0; i < 2; i++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "AAPL", 10);
        desk->config.order_cap_usd = dollars(cases[i].cap);
        desk->truth.quotes[0].bid = dollars(cases[i].bid);
        decide(desk, PURPOSE_EXIT, 0);
        exits_step(&desk->exits);
        cr_expect_eq(desk->broker.posts, 1);
        cr_expect_str_eq(desk_last(desk)->qty, "10");
        desk_destroy(desk);
    }
}

Test(exit_plan, a_rung_of_the_same_price_is_not_sent_again) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->truth.quotes[0].bid = dollars("0.0001");
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    desk_tick(desk, 3);
    desk_tick(desk, 3);
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_expect_eq(exits_find(&desk->exits, "AAPL")->rung, 2);
    desk_destroy(desk);
}

/* The sale may be there: neither a second one nor a higher rung before it is settled. */
Test(exit_plan, an_unknown_sale_is_settled_before_anything_happens) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 99, ERR_UNKNOWN, 0, NULL, false});
    for (int i = 0; i < 4; i++) {
        desk_tick(desk, 3);
    }
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect_eq(desk->broker.patches + desk->broker.cancels, 0);
    cr_expect_eq(desk->gateway.sent, 1, "nor tried");
    cr_expect_eq(exits_find(&desk->exits, "AAPL")->rung, 0);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    desk->broker.fault[0].times = desk->broker.fault[1].times = 0;
    desk_tick(desk, 6);
    cr_expect_eq(desk->broker.patches, 1, "known again, and its rung is over");
    desk_destroy(desk);
}

Test(exit_plan, at_the_close_it_protects_pages_and_waits_for_the_open) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    strcpy(desk_last(desk)->status, "expired");
    desk->truth.clock.is_open = false;
    desk_tick(desk, 1);
    cr_expect_str_eq(desk->rig->last_alert, "exit_unfilled");
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    cr_assert_not_null(stop_of(desk));
    desk_destroy(desk);
}

Test(exit_plan,
     that_the_broker_rejects_twice_in_a_row_gives_way_to_the_stop_until_the_next_is_due) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 99, ERR_OK, 403,
                                         "{\"code\":40310000,\"message\":\"no\"}", false});
    for (int i = 1; i <= 2; i++) {
        cr_expect_eq(desk->rig->pages, 0);
        exits_step(&desk->exits);
        cr_expect_eq(phase(desk), EXIT_WORKING, "%d", i);
        cr_expect_eq(desk->broker.posts, i, "at once");
        orders_sweep(&desk->orders);
    }
    cr_expect_eq(desk->rig->pages, 1);
    cr_expect_str_eq(desk->rig->last_alert, "exit_rejected");
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_DECIDED, "protection meanwhile");
    rig_wait(desk->rig, SPAN_MS(4999));
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    cr_expect_eq(desk->broker.posts, 2);
    rig_wait(desk->rig, SPAN_MS(1));
    exits_step(&desk->exits);
    cr_expect_eq(desk->broker.posts, 3);
    desk_destroy(desk);
}

Test(exit_plan, that_was_rejected_in_a_row_is_no_new_one_behind_a_night) {
    struct desk *desk = desk_create();
    rig_wait(desk->rig, SPAN_S(1));
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 99, ERR_OK, 403,
                                         "{\"code\":40310000,\"message\":\"no\"}", false});
    for (int i = 0; i < 3; i++) {
        exits_step(&desk->exits);
        orders_sweep(&desk->orders);
    }
    cr_expect_eq(desk->broker.posts, 2);
    desk->truth.clock.is_open = false;
    for (int i = 0; i < 200; i++) {
        exits_step(&desk->exits);
        rig_wait(desk->rig, SPAN_MIN(5));
    }
    desk->truth.clock.is_open = true;
    desk->truth.quotes[0].at = rig_now(desk->rig);
    for (int i = 0; i < 3; i++) {
        exits_step(&desk->exits);
        orders_sweep(&desk->orders);
        cr_expect_eq(desk->broker.posts, 3, "at once, and the next one waits");
    }
    rig_wait(desk->rig, SPAN_S(10));
    exits_step(&desk->exits);
    cr_expect_eq(desk->broker.posts, 4, "as long as behind the third in a row");
    desk_destroy(desk);
}

Test(exit_plan, a_filled_sale_is_the_end_and_nothing_more_is_sold) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    tiny_fill(desk_last(desk), "filled", "10", "99.9");
    for (int i = 0; i < 4; i++) { /* the listing of positions stays what it was */
        rig_wait(desk->rig, SPAN_S(1));
        exits_step(&desk->exits);
    }
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(desk->gateway.sent, 1);
    desk_destroy(desk);
}

/* The journal is down: the sale left under the emergency rule. */
Test(exit_plan, a_sale_is_booked_and_over_whether_the_journal_takes_it_or_not) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk->orders.journal = NULL;
    exits_step(&desk->exits);
    cr_assert_eq(desk->broker.posts, 1);
    tiny_fill(desk_last(desk), "filled", "10", "99.9");
    for (int i = 0; i < 40; i++) { /* longer than the ladder */
        desk_tick(desk, 3);
    }
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect_eq(desk->broker.patches, 0);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect(orders_are_behind(&desk->orders));
    desk->orders.journal = desk->rig->journal;
    orders_renote(&desk->orders);
    desk_tick(desk, 1);
    cr_expect_eq(desk->orders.count, 0);
    cr_expect_eq(holding->qty.nanos, 0, "booked once");
    desk_destroy(desk);
}

/* An end whose fills the answer does not price is not an end yet, and nothing is left to cancel. */
Test(exit_plan, a_sale_that_ended_without_a_price_is_left_alone_until_it_has_one) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    struct order *sale = &desk->orders.items[0];
    struct broker_order answer = {.symbol = "AAPL",
                                  .side = SIDE_SELL,
                                  .status = STATUS_FILLED,
                                  .qty = QTY(10),
                                  .filled_qty = QTY(10)};
    strcpy(answer.id, sale->broker_id);
    orders_take(&desk->orders, sale, &answer);
    cr_expect_eq(sale->state, ORDER_WORKING);
    gateway_cancel(&desk->gateway, sale);
    cr_expect_eq(desk->broker.cancels, 0);
    cr_expect_eq(holding->qty.nanos, QTY(10).nanos);
    answer.has_avg = true;
    answer.filled_avg_price = dollars("99.9");
    orders_take(&desk->orders, sale, &answer);
    cr_expect_eq(sale->state, ORDER_FILLED);
    cr_expect_eq(holding->qty.nanos, 0);
    desk_destroy(desk);
}

Test(exit_plan, an_unknown_stop_is_settled_before_anything_happens) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    protective_stops_step(&desk->gateway, &desk->exits);
    cr_assert_eq(stop_of(desk)->state, ORDER_UNKNOWN);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    cr_expect_eq(phase(desk), EXIT_RELEASING);
    cr_expect_eq(desk->broker.cancels, 0);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect_eq(desk->broker.cancels, 1);
    desk_destroy(desk);
}

Test(exit_plan, an_unconfirmed_cancel_keeps_the_stop_and_asks_again) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    decide(desk, PURPOSE_EXIT, 0);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_RELEASING);
    cr_assert_not_null(stop_of(desk));
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 1, "not before 3 s");
    desk_tick(desk, 2);
    cr_expect_eq(desk->broker.cancels, 2);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    desk_destroy(desk);
}

/* Pages of an exit whose stop is not to be cancelled, in 42 s. */
static int stands_still(struct desk *desk) {
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 21, ERR_UNKNOWN, 0, NULL, false});
    decide(desk, PURPOSE_EXIT, 0);
    int told = 0;
    for (int i = 0; i < 21; i++) {
        desk->rig->last_alert[0] = '\0';
        desk_tick(desk, 2);
        told += strcmp(desk->rig->last_alert, "exit_stuck") == 0;
    }
    return told;
}

/* Swarm 5633: the page of the next exit was swallowed, for one text of a key is told once a minute. */
Test(exit_plan, that_stands_still_again_within_a_minute_is_paged_again) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    cr_expect_eq(stands_still(desk), 1);
    holding->qty = holding->broker_qty = QTY(0);
    desk_tick(desk, 1);
    cr_assert_eq(phase(desk), EXIT_NONE);
    holding->qty = holding->broker_qty = QTY(10);
    cr_expect_eq(stands_still(desk), 1);
    desk_destroy(desk);
}

Test(exit_plan, cancels_a_live_entry_first) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 10);
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_OK);
    desk_hold(desk, "AAPL", 4);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_eq(phase(desk), EXIT_RELEASING);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_WORKING);
    cr_expect_str_eq(desk_last(desk)->side, "sell");
    desk_destroy(desk);
}

Test(exit_plan, climbs_the_ladder_and_at_its_end_protects_pages_and_tries_again) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    static const char *const rungs[] = {"99.7", "99", "97", "90", "80"};
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_str_eq(desk_last(desk)->limit, rungs[i]);
        desk_tick(desk, 3);
    }
    cr_expect_eq(desk->broker.patches, 4);
    cr_expect_eq(desk->broker.cancels, 1, "the last rung is cancelled");
    int ticks = 0;
    for (; ticks < 3 && phase(desk) != EXIT_DECIDED; ticks++) { /* at once, not rungs later */
        desk_tick(desk, 3);
    }
    cr_expect_str_eq(desk->rig->last_alert, "exit_unfilled");
    cr_expect_eq(phase(desk), EXIT_DECIDED);
    cr_assert_not_null(stop_of(desk), "protected while it waits");
    desk_destroy(desk);
}

Test(exit_plan, a_part_sold_is_cancelled_and_the_rest_goes_anew) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    exits_step(&desk->exits);
    tiny_fill(desk_last(desk), "partially_filled", "4", "99.8");
    desk_tick(desk, 3);
    cr_expect_eq(holding->qty.nanos, QTY(6).nanos);
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_eq(desk->broker.patches, 0);
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_str_eq(desk_last(desk)->qty, "6");
    desk_destroy(desk);
}

/* The flatten during a scale-out was obeyed by nobody: it is said only once. */
Test(exit_plan, an_exit_takes_over_a_scale_out_at_work_and_sells_the_rest) {
    for (int steps = 0; steps < 2; steps++) {
        struct desk *desk = desk_create();
        struct holding *holding = desk_hold(desk, "AAPL", 10);
        decide(desk, PURPOSE_SCALE_OUT, 3);
        if (steps > 0) {
            exits_step(&desk->exits);
            cr_expect_str_eq(desk_last(desk)->qty, "3");
        }
        decide(desk, PURPOSE_EXIT, 0);
        decide(desk, PURPOSE_SCALE_OUT, 5);
        cr_expect_eq(exits_find(&desk->exits, "AAPL")->purpose, PURPOSE_EXIT);
        cr_expect_eq(exits_find(&desk->exits, "AAPL")->qty.nanos, QTY(10).nanos);
        desk_tick(desk, 1);
        cr_expect_eq(desk->broker.posts, 1, "the sale at work goes on");
        if (steps > 0) {
            tiny_fill(desk_last(desk), "filled", "3", "99.9");
            desk_tick(desk, 1);
            cr_expect_str_eq(desk_last(desk)->qty, "7");
        }
        tiny_fill(desk_last(desk), "filled", steps > 0 ? "7" : "10", "99.9");
        desk_tick(desk, 1);
        desk_tick(desk, 1);
        cr_expect_eq(phase(desk), EXIT_NONE);
        cr_expect_eq(holding->qty.nanos, 0);
        desk_destroy(desk);
    }
}

Test(exit_plan, a_scale_out_sells_its_part_and_is_not_decided_twice) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_SCALE_OUT, 3);
    exits_step(&desk->exits);
    cr_expect_str_eq(desk_last(desk)->qty, "3");
    tiny_fill(desk_last(desk), "filled", "3", "99.9");
    desk_tick(desk, 1);
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(holding->qty.nanos, QTY(7).nanos);
    decide(desk, PURPOSE_SCALE_OUT, 3);
    decide(desk, PURPOSE_SCALE_OUT, 5);
    cr_expect_eq(exits_find(&desk->exits, "AAPL")->qty.nanos, QTY(3).nanos, "none twice");
    desk_destroy(desk);
}

Test(exit_plan, is_split_into_children_no_larger_than_the_cap) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->config.order_cap_usd = USD(450);
    decide(desk, PURPOSE_EXIT, 0);
    for (int i = 0; i < 3; i++) {
        desk_tick(desk, 1);
        struct tiny_order *child = desk_last(desk);
        cr_expect_str_eq(child->qty, i < 2 ? "4" : "2");
        tiny_fill(child, "filled", i < 2 ? "4" : "2", "99.9");
        desk_tick(desk, 1);
    }
    desk_tick(desk, 1);
    cr_expect_eq(phase(desk), EXIT_NONE);
    cr_expect_eq(desk->broker.posts, 3);
    desk_destroy(desk);
}

Test(exit_plan, of_a_holding_that_is_gone_is_over) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_EXIT, 0);
    desk->book.count = 0;
    exits_step(&desk->exits);
    cr_expect_eq(desk->exits.count, 0);
    desk_destroy(desk);
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    return exits_fold(context, row, err);
}

Test(exit_plan, resumes_at_decided_after_a_restart_whatever_its_phase) {
    for (int steps = 0; steps <= 3; steps++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "AAPL", 10);
        decide(desk, PURPOSE_SCALE_OUT, 3);
        if (steps > 0) {
            exits_step(&desk->exits);
        }
        if (steps > 1) {
            tiny_fill(desk_last(desk), "filled", "3", "99.9");
            desk_tick(desk, 1);
            desk_tick(desk, 1);
        }
        struct exits again = {.gateway = &desk->gateway};
        cr_assert_eq(journal_read(desk->rig->journal, 0, fold, &again, NULL), ERR_OK);
        cr_expect_eq(again.count, steps > 1 ? 0 : 1, "%d", steps);
        if (again.count == 1) {
            cr_expect_eq(again.plans[0].phase, EXIT_DECIDED);
            cr_expect_eq(again.plans[0].purpose, PURPOSE_SCALE_OUT);
            cr_expect_eq(again.plans[0].qty.nanos, QTY(3).nanos);
            cr_expect_eq(again.plans[0].start.nanos, QTY(10).nanos);
        }
        desk_destroy(desk);
    }
}

/* Three of ten, one of them sold: of the eighteen that nine became two ninths are left, in this life and the next. */
Test(exit_plan, of_a_part_goes_on_in_the_shares_behind_a_split) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    decide(desk, PURPOSE_SCALE_OUT, 3);
    holding->qty = QTY(9);
    cr_assert_eq(journal_append(desk->rig->journal, "split", "AAPL",
                                "{\"was\":\"9\",\"qty\":\"18\"}", NULL, NULL),
                 ERR_OK);
    cr_assert_eq(journal_commit(desk->rig->journal, NULL), ERR_OK);
    struct exits again = {.gateway = &desk->gateway};
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold, &again, NULL), ERR_OK);
    exits_split(&desk->exits, "AAPL", QTY(9), QTY(18));
    const struct exits *lives[] = {&desk->exits, &again};
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(lives[i]->plans[0].qty.nanos, QTY(4).nanos, "%zu", i);
        cr_expect_eq(lives[i]->plans[0].start.nanos, QTY(18).nanos, "%zu", i);
    }
    exits_split(&desk->exits, "AAPL", QTY(18), QTY(3));
    cr_expect_eq(desk->exits.plans[0].qty.nanos, 0, "less than a share of it: nothing");
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    exits_split(&desk->exits, "AAPL", QTY(9), QTY(18));
    cr_expect_eq(desk->exits.plans[0].qty.nanos, QTY(18).nanos, "an exit: all");
    desk_destroy(desk);
}

#define BODY_START "{\"phase\":\"decided\",\"purpose\":\"exit\""
#define BODY_REST ",\"qty\":\"1\",\"start\":\"1\",\"decided_at\":\"2026-09-01T14:00:00Z\"}"

Test(exit_plan, a_row_with_a_member_missing_is_an_error_with_its_number) {
    static const char *const bodies[] = {
        "{",
        "{}",
        "{\"phase\":\"decided\"}",
        BODY_START "}",
        BODY_START ",\"reason\":\"r\"}",
        BODY_START ",\"reason\":\"r\",\"qty\":\"1\"}",
        BODY_START ",\"reason\":\"r\",\"qty\":\"1\",\"start\":\"1\"}",
        BODY_START ",\"reason\":\"longer than any reason may ever be\"" BODY_REST,
    };
    struct exits exits = {0};
    struct err err = {0};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct journal_row row = {.seq = 7, .kind = "exit", .key = "AAPL", .body = bodies[i]};
        cr_expect_neq(exits_fold(&exits, &row, &err), ERR_OK, "%s", bodies[i]);
        cr_expect_not_null(strstr(err.text, "journal row 7"), "%s", err.text);
    }
    struct journal_row row = {.kind = "exit",
                              .key = "A_SYMBOL_THAT_IS_TOO_LONG_FOR_ANY_FIELD_HERE",
                              .body = BODY_START ",\"reason\":\"r\"" BODY_REST};
    cr_expect_neq(exits_fold(&exits, &row, &err), ERR_OK);
    cr_expect_eq(exits.count, 0);
    char symbol[16];
    row.key = symbol;
    for (int i = 0; i <= BOOK_MAX; i++) {
        snprintf(symbol, sizeof symbol, "S%d", i);
        cr_expect_eq(exits_fold(&exits, &row, &err), ERR_OK);
    }
    cr_expect_eq(exits.count, BOOK_MAX);
    row.body = "{\"phase\":\"over\",\"purpose\":\"exit\",\"reason\":\"r\"" BODY_REST;
    cr_expect_eq(exits_fold(&exits, &row, &err), ERR_OK, "an end of what is not there");
    cr_expect_eq(exits.count, BOOK_MAX);
}

Test(exit_plan, no_plan_beyond_the_table_and_none_twice) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk->exits.count = BOOK_MAX;
    decide(desk, PURPOSE_EXIT, 0);
    cr_expect_null(exits_find(&desk->exits, "AAPL"));
    desk->exits.count = 0;
    desk->gateway.journal = NULL;
    decide(desk, PURPOSE_EXIT, 0);
    holding->qty = QTY(5);
    decide(desk, PURPOSE_EXIT, 0);
    cr_expect_eq(desk->exits.count, 1);
    cr_expect_eq(desk->exits.plans[0].start.nanos, QTY(10).nanos);
    desk_destroy(desk);
}
