/* test_stuck_orders.c - stuck_orders at its bound, one step either side, and on what rests or is not known. */
#include "core/orders/stuck_orders.h"
#include "tests/unit/desk.h"

static struct order *sent(struct desk *desk, enum order_purpose purpose,
                          enum broker_status status) {
    struct order intent = desk_intent(purpose, 5);
    struct order *order = NULL;
    if (purpose != PURPOSE_ENTRY) {
        desk_hold(desk, "AAPL", 10);
    }
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
    order->status = status;
    strcpy(desk_last(desk)->status, broker_status_word(status));
    stuck_orders_step(&desk->gateway); /* it is seen now */
    return order;
}

static void pass(struct desk *desk, struct span span) {
    rig_wait(desk->rig, span);
    desk_truth(desk);
    stuck_orders_step(&desk->gateway);
}

static const struct span JUST = {INT64_C(29999999999)};
static const struct span STEP = {1};

Test(stuck, an_order_not_taken_is_told_at_the_bound_and_not_before) {
    static const enum broker_status words[] = {STATUS_PENDING_NEW, STATUS_PENDING_REPLACE,
                                               STATUS_PENDING_CANCEL, STATUS_ACCEPTED};
    for (size_t i = 0; i < 4; i++) {
        struct desk *desk = desk_create();
        sent(desk, PURPOSE_ENTRY, words[i]);
        pass(desk, JUST);
        cr_expect_eq(desk->rig->warnings + desk->rig->pages, 0);
        cr_expect_not(stuck_orders_bind(&desk->gateway, "AAPL"));
        cr_expect_eq(desk->broker.requests, 1);
        pass(desk, STEP);
        bool is_cancel = words[i] == STATUS_PENDING_CANCEL;
        cr_expect_eq(desk->rig->warnings, is_cancel ? 0 : 1, "%zu", i);
        cr_expect_eq(desk->rig->pages, is_cancel ? 1 : 0, "%zu", i);
        cr_expect(stuck_orders_bind(&desk->gateway, "AAPL"));
        cr_expect_not(stuck_orders_bind(&desk->gateway, "MSFT"));
        cr_expect_eq(desk->broker.requests, 2, "asked for by id");
        pass(desk, JUST);
        cr_expect_eq(desk->broker.requests, 2, "once in 30 s");
        pass(desk, STEP);
        cr_expect_eq(desk->broker.requests, 3);
        cr_expect_eq(desk->rig->warnings + desk->rig->pages, 1, "told once");
        cr_expect_eq(desk->broker.posts, 1);
        cr_expect_eq(desk->broker.cancels, 0);
        desk_destroy(desk);
    }
}

Test(stuck, an_exit_or_a_stop_is_paged) {
    static const enum order_purpose purposes[] = {PURPOSE_EXIT, PURPOSE_SCALE_OUT, PURPOSE_STOP};
    for (size_t i = 0; i < 3; i++) {
        struct desk *desk = desk_create();
        sent(desk, purposes[i], STATUS_PENDING_NEW);
        pass(desk, SPAN_S(30));
        cr_expect_eq(desk->rig->pages, 1);
        cr_expect_str_eq(desk->rig->last_alert, "order_stuck");
        desk_destroy(desk);
    }
}

Test(stuck, a_cancel_counts_from_when_it_was_asked_and_is_paged) {
    struct desk *desk = desk_create();
    struct order *order = sent(desk, PURPOSE_ENTRY, STATUS_PENDING_NEW);
    pass(desk, SPAN_S(30));
    cr_expect_eq(desk->rig->warnings, 1);
    order->cancel_at = rig_now(desk->rig);
    order->has_cancel_left = true;
    pass(desk, STEP);
    pass(desk, JUST);
    cr_expect_eq(desk->rig->pages, 0);
    cr_expect(stuck_orders_bind(&desk->gateway, "AAPL"), "the order did not move");
    pass(desk, STEP);
    cr_expect_eq(desk->rig->pages, 1);
    desk_destroy(desk);
}

Test(stuck, the_page_of_a_cancel_is_not_swallowed_by_the_warning_before_it) {
    struct desk *desk = desk_create();
    struct order *order = sent(desk, PURPOSE_ENTRY, STATUS_PENDING_NEW);
    pass(desk, SPAN_S(29));
    order->cancel_at = rig_now(desk->rig);
    order->has_cancel_left = true;
    stuck_orders_step(&desk->gateway);
    pass(desk, SPAN_S(1));
    cr_expect_str_eq(desk->rig->last_alert, "entry_stuck");
    cr_expect_eq(desk->rig->warnings, 1);
    pass(desk, SPAN_S(28));
    cr_expect_eq(desk->rig->pages, 0);
    pass(desk, SPAN_S(1));
    cr_expect_str_eq(desk->rig->last_alert, "cancel_stuck");
    cr_expect_eq(desk->rig->pages, 1);
    desk_destroy(desk);
}

Test(stuck, one_that_moved_and_is_stuck_again_within_a_minute_is_told_again) {
    struct desk *desk = desk_create();
    struct order *order = sent(desk, PURPOSE_EXIT, STATUS_PENDING_NEW);
    pass(desk, SPAN_S(30));
    cr_expect_eq(desk->rig->pages, 1);
    order->status = STATUS_PENDING_REPLACE;
    strcpy(desk_last(desk)->status, "pending_replace");
    pass(desk, STEP);
    pass(desk, JUST);
    cr_expect_eq(desk->rig->pages, 1);
    pass(desk, STEP);
    cr_expect_eq(desk->rig->pages, 2);
    pass(desk, SPAN_MIN(5));
    cr_expect_eq(desk->rig->pages, 2, "once a standstill");
    desk_destroy(desk);
}

Test(stuck, what_rests_is_not_stuck) {
    for (int i = 0; i < 6; i++) {
        struct desk *desk = desk_create();
        bool is_stop = i < 3;
        enum broker_status rests[] = {STATUS_NEW,      STATUS_HELD,     STATUS_ACCEPTED,
                                      STATUS_ACCEPTED, STATUS_ACCEPTED, STATUS_NEW};
        sent(desk, is_stop ? PURPOSE_STOP : PURPOSE_EXIT, rests[i]);
        for (int days = 0; days < 3; days++) {
            rig_wait(desk->rig, SPAN_DAYS(1));
            desk->truth.is_open = i != 3; /* a closed market; then, a symbol that is not quoted */
            stuck_orders_step(&desk->gateway);
        }
        cr_expect_eq(desk->rig->pages + desk->rig->warnings, 0, "%d", i);
        cr_expect_eq(desk->broker.requests, 1);
        cr_expect_eq(stuck_orders_wait(&desk->gateway, "AAPL").ns, 0);
        desk_destroy(desk);
    }
}

Test(stuck, it_ends_when_the_order_moves_and_counts_anew) {
    struct desk *desk = desk_create();
    struct order *order = sent(desk, PURPOSE_ENTRY, STATUS_PENDING_NEW);
    pass(desk, SPAN_S(30));
    order->status = STATUS_PENDING_REPLACE;
    pass(desk, STEP);
    cr_expect_not(stuck_orders_bind(&desk->gateway, "AAPL"));
    strcpy(desk_last(desk)->status, "pending_replace");
    pass(desk, SPAN_S(30));
    cr_expect(stuck_orders_bind(&desk->gateway, "AAPL"));
    order->status = STATUS_NEW;
    pass(desk, STEP);
    cr_expect_not(stuck_orders_bind(&desk->gateway, "AAPL"));
    order->status = STATUS_PENDING_NEW;
    order->state = ORDER_UNKNOWN; /* its fate is another's to settle */
    pass(desk, SPAN_MIN(10));
    cr_expect_not(stuck_orders_bind(&desk->gateway, "AAPL"));
    desk_destroy(desk);
}

Test(stuck, a_wall_that_was_set_changes_nothing_and_a_silent_broker_ends_nothing) {
    struct desk *desk = desk_create();
    sent(desk, PURPOSE_ENTRY, STATUS_PENDING_NEW);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 9, ERR_UNKNOWN, 0, NULL, false});
    pass(desk, SPAN_S(30));
    cr_expect_eq(desk->rig->warnings, 1);
    pass(desk, SPAN_S(30));
    cr_expect(stuck_orders_bind(&desk->gateway, "AAPL"));
    cr_expect_eq(desk->rig->warnings, 1);
    desk_destroy(desk);
}

Test(stuck, an_entry_is_refused_with_its_numbers_and_an_exit_leaves) {
    struct desk *desk = desk_create();
    sent(desk, PURPOSE_STOP, STATUS_PENDING_NEW);
    pass(desk, SPAN_S(31));
    struct order entry = desk_intent(PURPOSE_ENTRY, 5);
    cr_expect_eq(desk_send(desk, &entry, NULL), ERR_REFUSED);
    cr_expect_str_eq(desk->rig->last_refusal, "ORDER_STUCK: 31 against 30");
    struct order exit = desk_intent(PURPOSE_EXIT, 5);
    cr_expect_eq(desk_send(desk, &exit, NULL), ERR_OK);
    desk_destroy(desk);
}
