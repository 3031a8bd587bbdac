/* test_gateway.c - the emergency rule, the last look, cancels, settling, and orders met at the broker. */
#include "tests/unit/desk.h"

static struct order *entry_sent(struct desk *desk, enum err_code wanted) {
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    struct order *order = NULL;
    cr_assert_eq(desk_send(desk, &intent, &order), wanted);
    return order;
}

Test(gateway_emergency, an_exit_leaves_without_a_journal_under_a_counted_id) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.journal = NULL;
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    struct order *order = NULL;
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-1");
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-2");
    cr_expect(causes_has(&desk->causes, "journal_down"));
    cr_expect(desk->gateway.is_journal_down);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    intent.qty = QTY(2);
    cr_expect_neq(desk_send(desk, &intent, NULL), ERR_OK, "no count, no id");
    cr_expect_eq(desk->broker.posts, 2);
    desk_destroy(desk);
}

Test(gateway_emergency, an_entry_stays_without_a_journal) {
    struct desk *desk = desk_create();
    desk->orders.journal = NULL;
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_REFUSED);
    cr_expect_eq(desk->broker.posts, 0);
    cr_expect_eq(desk->orders.count, 0);
    desk_destroy(desk);
}

Test(gateway_emergency, a_full_table_is_a_limit_of_both_ways) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.count = ORDERS_MAX;
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_LIMIT);
    cr_expect_null(orders_add_emergency(&desk->orders, &intent));
    cr_expect_eq(desk->broker.posts, 0);
    desk_destroy(desk);
}

Test(gateway_last_look, a_lease_in_other_hands_latches_halt_and_nothing_leaves) {
    struct desk *desk = desk_create();
    struct lease *lease = NULL;
    cr_assert_eq(lease_acquire(&desk->rig->world, &lease, NULL), ERR_OK);
    desk->gateway.lease = lease;
    (void)entry_sent(desk, ERR_OK);
    rig_wait(desk->rig, SPAN_S(1));
    cr_assert_eq(state_file_save(&desk->rig->world, "lease.json", 0,
                                 "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\",\"renewed_at\":"
                                 "\"2026-09-01T14:00:00Z\",\"renewed_mono_us\":1",
                                 NULL),
                 ERR_OK);
    desk_hold(desk, "MSFT", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    strcpy(intent.symbol, "MSFT");
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_REFUSED);
    cr_expect(causes_has(&desk->causes, "lease_lost"));
    cr_expect_eq(causes_mode(&desk->causes), MODE_HALT);
    cr_expect_eq(desk->broker.posts, 1);
    lease_release(lease);
    desk_destroy(desk);
}

Test(gateway_replace, what_is_not_at_the_broker_cannot_be_replaced) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    strcpy(intent.replaces, "st-2026-09-01-77");
    struct order *order = NULL;
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_NOT_SENT);
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    cr_expect_eq(desk->broker.patches, 0);
    desk_destroy(desk);
}

Test(gateway_answer, of_another_content_is_a_second_writer) {
    static const char *const wrong[] = {
        "\"side\":\"sell\",\"type\":\"limit\",\"qty\":\"5\",\"limit_price\":\"100\"",
        "\"side\":\"buy\",\"type\":\"market\",\"qty\":\"5\",\"limit_price\":\"100\"",
        "\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"6\",\"limit_price\":\"100\"",
        "\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"5\",\"limit_price\":\"101\"",
    };
    for (size_t i = 0; i < 4; i++) {
        struct desk *desk = desk_create();
        char body[400];
        snprintf(body, sizeof body,
                 "{\"id\":\"b\",\"client_order_id\":\"st-2026-09-01-1\",\"symbol\":\"AAPL\",%s,"
                 "\"filled_qty\":\"0\",\"time_in_force\":\"day\",\"status\":\"new\"}",
                 wrong[i]);
        desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_OK, 200, body, false});
        struct order *order = entry_sent(desk, ERR_OK);
        cr_expect(causes_has(&desk->causes, "second_writer"), "%s", wrong[i]);
        cr_expect_eq(order->state, ORDER_REJECTED);
        desk_destroy(desk);
    }
}

Test(gateway_settle, an_id_that_cannot_be_asked_is_looked_for_in_the_listing) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders:by", 9, ERR_OK, 500, "", false});
    for (int i = 0; i < 2; i++) {
        gateway_settle(&desk->gateway);
        gateway_settle(&desk->gateway); /* not due again for 5 s */
        cr_expect_eq(order->state, ORDER_UNKNOWN, "%d", i);
        rig_wait(desk->rig, SPAN_S(5));
    }
    gateway_settle(&desk->gateway);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(order->broker_id, "b-1");
    desk_destroy(desk);
}

Test(gateway_settle, a_listing_that_fails_or_lacks_it_settles_nothing_by_itself) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 99, ERR_OK, 500, "", false});
    for (int i = 0; i < 5; i++) {
        gateway_settle(&desk->gateway);
        rig_wait(desk->rig, SPAN_S(10));
    }
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    desk_destroy(desk);
}

Test(gateway_cancel, is_asked_every_three_seconds_and_a_refusal_is_looked_into) {
    struct desk *desk = desk_create();
    struct order *order = entry_sent(desk, ERR_OK);
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    gateway_cancel(&desk->gateway, order);
    gateway_cancel(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 1);
    tiny_fill(desk_last(desk), "filled", "5", "99");
    rig_wait(desk->rig, SPAN_S(3));
    gateway_cancel(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 2);
    cr_expect_eq(order->state, ORDER_FILLED, "422 on a cancel: it was filled");
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(5).nanos);
    rig_wait(desk->rig, SPAN_S(3));
    gateway_cancel(&desk->gateway, order);
    gateway_ask(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 2);
    desk_destroy(desk);
}

Test(gateway_cancel, entries_go_and_sales_stay) {
    struct desk *desk = desk_create();
    desk_hold(desk, "MSFT", 5);
    struct order *entry = entry_sent(desk, ERR_OK);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *sale = NULL;
    strcpy(intent.symbol, "MSFT");
    cr_assert_eq(desk_send(desk, &intent, &sale), ERR_OK);
    cr_expect_not(gateway_cancel_entries(&desk->gateway), "there was one");
    cr_expect(gateway_cancel_entries(&desk->gateway));
    cr_expect_eq(entry->state, ORDER_CANCELED);
    cr_expect_eq(sale->state, ORDER_WORKING);
    desk_destroy(desk);
}

static void meet(struct desk *desk, const char *client, enum broker_status status) {
    struct broker_order truth = {.id = "b-9",
                                 .symbol = "AAPL",
                                 .side = SIDE_SELL,
                                 .type = ORDER_STOP,
                                 .tif = TIF_GTC,
                                 .status = status,
                                 .qty = QTY(5),
                                 .stop_price = USD(96)};
    snprintf(truth.client_id, sizeof truth.client_id, "%s", client);
    gateway_meet(&desk->gateway, &truth);
}

Test(gateway_meet, tells_foreign_forgotten_and_forged_orders_apart) {
    struct desk *desk = desk_create();
    meet(desk, "manual", STATUS_NEW);
    meet(desk, "manual-2", STATUS_NEW);
    cr_expect_eq(desk->rig->warnings, 1, "once a day");
    cr_expect_eq(desk->orders.count, 0);
    (void)entry_sent(desk, ERR_OK); /* number 1 of the day */
    meet(desk, "st-2026-08-31-99", STATUS_CANCELED);
    meet(desk, "st-2026-09-01-x-AAPL-1", STATUS_NEW);
    cr_expect_not(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->orders.count, 2);
    cr_expect_eq(desk->orders.items[1].purpose, PURPOSE_STOP);
    cr_expect_eq(desk->orders.items[1].state, ORDER_WORKING);
    meet(desk, "st-2026-09-01-2", STATUS_NEW);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->orders.count, 3, "its shares count all the same");
    desk_destroy(desk);
}

Test(gateway_meet, the_days_listing_is_held_against_the_table) {
    struct desk *desk = desk_create();
    (void)entry_sent(desk, ERR_OK);
    cr_expect(gateway_check_ids(&desk->gateway));
    cr_expect_eq(desk->orders.count, 1);
    desk->orders.count = 0;
    desk->orders.numbered_day = (struct date){0};
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 1, ERR_OK, 500, "", false});
    cr_expect_not(gateway_check_ids(&desk->gateway));
    cr_expect(gateway_check_ids(&desk->gateway));
    cr_expect(causes_has(&desk->causes, "amnesia"));
    cr_expect_eq(desk->orders.count, 1, "tracked again");
    desk_destroy(desk);
}

Test(orders_fold, a_row_with_a_member_missing_is_an_error) {
    static const char *const names[] = {
        "symbol", "reason", "broker_id", "replaces", "side",   "type",   "tif",   "purpose",
        "state",  "qty",    "limit",     "stop",     "filled", "amount", "score", "decided_at"};
    static const char *const values[] = {
        "AAPL",    "r", "b", "",  "buy", "market", "gtc", "scale_out",
        "no_such", "5", "1", "0", "0",   "0",      "0",   "2026-09-01T14:00:00Z"};
    static struct orders orders;
    for (size_t missing = 0; missing <= 16; missing++) {
        struct text body = {0};
        struct err err = {0};
        text_add_char(&body, '{');
        for (size_t i = 0; i < 16; i++) {
            if (i != missing) {
                text_member_string(&body, names[i], values[i]);
            }
        }
        text_add_char(&body, '}');
        struct journal_row row = {
            .seq = 4, .kind = "order", .key = "st-2026-09-01-5", .body = text_get(&body)};
        orders = (struct orders){.count = 0};
        cr_expect_eq(orders_fold(&orders, &row, &err) == ERR_OK, missing == 16, "%zu", missing);
        text_release(&body);
    }
    cr_expect_eq(orders.items[0].state, ORDER_UNKNOWN, "a word nobody knows");
    cr_expect_eq(orders.items[0].purpose, PURPOSE_SCALE_OUT);
    cr_expect_eq(orders.items[0].type, ORDER_MARKET);
    static const char *const fills[] = {"{", "{}", "{\"cum\":\"1\"}"};
    for (size_t i = 0; i < 3; i++) {
        struct journal_row row = {.kind = "fill", .key = "st-2026-09-01-5", .body = fills[i]};
        cr_expect_neq(orders_fold(&orders, &row, NULL), ERR_OK, "%s", fills[i]);
    }
}
