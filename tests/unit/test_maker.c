/* test_maker.c - an entry that is worked: prices at their edges, what may follow an order and what may not, time to the
 * nanosecond, fills that come late, restarts, and rows that say nothing. */
#include "core/orders/maker_execution.h"
#include "tests/unit/desk.h"

struct bench {
    struct desk *desk;
    int ends;
    char how[160];    /* the body of the last row `maker` */
    struct span slow; /* what the commit of the next intent takes */
};

static void hear(void *context, const struct journal_row *row) {
    struct bench *bench = context;
    gateway_count(&bench->desk->gateway, row);
    if (strcmp(row->kind, "intent") == 0 && bench->slow.ns > 0) {
        rig_wait(bench->desk->rig, bench->slow);
        bench->slow.ns = 0;
    }
    if (strcmp(row->kind, MAKER_ROW) == 0) {
        bench->ends++;
        snprintf(bench->how, sizeof bench->how, "%s", row->body);
    }
}

static struct bench create(void) {
    struct bench bench = {.desk = desk_create()};
    bench.desk->config.maker_on = true;
    return bench;
}

/* The first order of an entry leaves. */
static enum err_code begin(struct bench *bench) {
    struct desk *desk = bench->desk;
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    journal_listen(desk->rig->journal, hear, bench);
    maker_begin(&desk->gateway, &intent, &desk->truth.quotes[0]);
    return desk_send(desk, &intent, NULL);
}

static void commit(struct bench *bench) {
    orders_sweep(&bench->desk->orders);
    cr_assert_eq(journal_commit(bench->desk->rig->journal, NULL), ERR_OK);
}

/* A full tick of what this room does with an entry; `wait` after the last. */
static void tick_after(struct bench *bench, struct span wait) {
    struct desk *desk = bench->desk;
    struct gateway *gateway = &desk->gateway;
    rig_wait(desk->rig, wait);
    desk_truth(desk);
    gateway_settle(gateway);
    for (size_t i = 0; i < desk->orders.count; i++) {
        struct order *order = &desk->orders.items[i];
        if (order->state == ORDER_WORKING) {
            gateway_ask(gateway, order); /* as the listing tells */
        }
    }
    maker_tend(gateway);
    maker_step(gateway, causes_mode(gateway->causes) < MODE_REDUCE_ONLY);
    commit(bench);
}

static void tick(struct bench *bench, int seconds) {
    tick_after(bench, SPAN_S(seconds));
}

/* An end that this tick cannot keep: nothing follows it yet. */
static void tick_unkept(struct bench *bench, int seconds) {
    bench->desk->gateway.is_journal_down = true;
    tick(bench, seconds);
    bench->desk->gateway.is_journal_down = false;
}

static void expect_end(struct bench *bench, const char *how, int posts) {
    char want[32];
    snprintf(want, sizeof want, "\"end\":\"%s\"", how);
    cr_expect_eq(bench->ends, how[0] != '\0', "%d ends", bench->ends);
    cr_expect(how[0] == '\0' || strstr(bench->how, want) != NULL, "%s, not %s", bench->how, how);
    cr_expect_eq(bench->desk->broker.posts, posts, "%d posts", bench->desk->broker.posts);
    desk_destroy(bench->desk);
}

/* --- prices --- */

Test(maker, rests_at_the_bid_or_a_tolerance_below_the_middle_and_never_at_the_ask) {
    static const struct {
        const char *bid, *ask, *rests, *crosses;
    } rows[] = {
        {"100", "100.02", "100", "100.12"},    /* the middle less 0.1 is below the bid */
        {"99", "101", "99.9", "101.1"},        /* and above it */
        {"99.9", "100.1", "99.9", "100.2"},    /* and at it */
        {"99.89", "100.11", "99.9", "100.21"}, /* a step further */
        {"100", "100", "99.99", "100.1"},      /* locked: never at the ask */
        {"0.5", "0.5001", "0.5", "0.5006"},    /* in steps of 0.0001 */
        {"0.0001", "0.0001", "0", "0.0001"},   {"0", "100", "0", "0"}, {"100", "0", "0", "0"},
    };
    struct config config = config_defaults();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct broker_quote quote = {
            .is_known = true, .bid = dollars(rows[i].bid), .ask = dollars(rows[i].ask)};
        cr_expect_eq(maker_price(&config, &quote, false).nanos, dollars(rows[i].rests).nanos, "%zu",
                     i);
        cr_expect_eq(maker_price(&config, &quote, true).nanos, dollars(rows[i].crosses).nanos,
                     "%zu", i);
    }
}

Test(maker, shapes_an_intent_only_where_it_is_on) {
    struct bench bench = create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 7);
    intent.limit_price = USD(90);
    bench.desk->config.maker_on = false;
    maker_begin(&bench.desk->gateway, &intent, &bench.desk->truth.quotes[0]);
    cr_expect(intent.attempt == 0 && intent.limit_price.nanos == USD(90).nanos);
    bench.desk->config.maker_on = true;
    maker_begin(&bench.desk->gateway, &intent, &bench.desk->truth.quotes[0]);
    cr_expect(intent.attempt == 1 && intent.limit_price.nanos == USD(100).nanos);
    cr_expect_eq(intent.qty.nanos, QTY(5).nanos, "500 USD of it");
    desk_destroy(bench.desk);
}

/* --- what follows --- */

Test(maker, is_repriced_behind_a_confirmed_end_and_then_given_up) {
    struct bench bench = create();
    cr_assert_eq(begin(&bench), ERR_OK);
    for (int i = 0; i < 20; i++) {
        tick(&bench, 5);
    }
    cr_expect_eq(bench.desk->broker.cancels, 3);
    expect_end(&bench, "gave_up", 3);
}

/* Three shares of twenty seconds are three tries: an end that comes with its cancel costs no tick. */
Test(maker, the_next_price_leaves_in_the_tick_of_the_cancel) {
    struct bench bench = create();
    cr_assert_eq(begin(&bench), ERR_OK);
    tick(&bench, 20);
    cr_expect_eq(bench.desk->broker.posts, 2);
    tick(&bench, 20);
    cr_expect_eq(bench.desk->broker.posts, 3);
    tick(&bench, 20);
    expect_end(&bench, "gave_up", 3);
}

/* What is no worked entry has its own patience, and is asked for in the tick of its cancel too. */
Test(maker, tends_an_entry_that_nobody_works_to_the_nanosecond) {
    for (int i = 0; i < 2; i++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        desk->config.maker_on = false;
        cr_assert_eq(begin(&bench), ERR_OK);
        struct order *order = &desk->orders.items[0];
        struct span age = utc_sub(rig_now(desk->rig), order->decided_at);
        rig_wait(desk->rig, (struct span){desk->config.entry_patience.ns - 1 + i - age.ns});
        maker_tend(&desk->gateway);
        cr_expect_eq(desk->broker.cancels, i);
        cr_expect_eq(order->state, i == 0 ? ORDER_WORKING : ORDER_CANCELED);
        desk_destroy(desk);
    }
}

Test(maker, prices_each_order_by_the_quote_of_its_tick_and_says_whose_it_is) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    tick_unkept(&bench, 20); /* cancelled, and told so */
    cr_expect_eq(desk->broker.posts, 1, "what is not journaled yet is not believed");
    rig_wait(desk->rig, SPAN_S(5));
    desk_truth(desk);
    desk->truth.quotes[0].bid = dollars("100.01");
    maker_step(&desk->gateway, true);
    cr_assert_eq(desk->broker.posts, 2);
    cr_expect_str_eq(desk_last(desk)->limit, "100.01");
    const struct order *order = orders_find(&desk->orders, desk_last(desk)->client);
    cr_assert_not_null(order);
    cr_expect(order->attempt == 2 && strcmp(order->of, desk->broker.orders[0].client) == 0);
    cr_expect_eq(order->qty.nanos, QTY(4).nanos, "500 USD buy four at that price");
    expect_end(&bench, "", 2);
}

Test(maker, nothing_follows_an_order_whose_cancel_is_not_confirmed) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    desk_fault(desk,
               (struct tiny_fault){
                   .method = "DELETE", .path = "/v2/orders", .times = 6, .code = ERR_UNKNOWN});
    for (int i = 0; i < 6; i++) {
        tick(&bench, 20);
        cr_expect_eq(desk->broker.posts, 1, "at tick %d", i);
    }
    cr_expect(orders_any_live(&desk->orders, "AAPL"));
    tick(&bench, 20); /* this cancel arrives */
    tick(&bench, 5);
    expect_end(&bench, "gave_up", 1);
}

Test(maker, with_cross_one_limit_above_the_ask_leaves_at_last) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    desk->config.maker_cross = true;
    cr_assert_eq(begin(&bench), ERR_OK);
    for (int i = 0; i < 12; i++) {
        tick(&bench, 5);
    }
    cr_assert_eq(desk->broker.posts, 4);
    cr_expect_str_eq(desk_last(desk)->type, "limit");
    cr_expect_str_eq(desk_last(desk)->limit, "100.12");
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(desk->broker.cancels, 3, "one more share");
        tick(&bench, 5);
    }
    cr_expect_eq(desk->broker.cancels, 4);
    expect_end(&bench, "gave_up", 4);
}

Test(maker, crosses_no_collar) {
    struct bench bench = create();
    bench.desk->config.maker_cross = true;
    bench.desk->config.maker_tries = 1;
    bench.desk->config.collar =
        (struct ratio){NANOS / 1000}; /* 0.10; the ask and 10 bps are 0.12 */
    cr_assert_eq(begin(&bench), ERR_OK);
    tick(&bench, 60);
    tick(&bench, 5);
    cr_expect(strncmp(bench.desk->rig->last_refusal, "COLLAR", 6) == 0);
    expect_end(&bench, "refused", 1);
}

/* --- time --- */

Test(maker, an_order_has_its_share_to_the_nanosecond) {
    for (int i = 0; i < 2; i++) {
        struct bench bench = create();
        cr_assert_eq(begin(&bench), ERR_OK);
        struct order *order = &bench.desk->orders.items[0];
        struct span age = utc_sub(rig_now(bench.desk->rig), order->decided_at);
        tick_after(&bench, (struct span){SPAN_S(20).ns - 1 + i - age.ns});
        cr_expect_eq(bench.desk->broker.cancels, i);
        desk_destroy(bench.desk);
    }
}

/* The broker cancels by itself, so that an order is over when the patience is nearly so. */
Test(maker, nothing_rests_once_the_patience_is_over_to_the_nanosecond) {
    for (int i = 0; i < 2; i++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        cr_assert_eq(begin(&bench), ERR_OK);
        strcpy(desk_last(desk)->status, "canceled");
        struct utc began = desk->gateway.maker.items[0].began_at;
        desk->config.quote_max_age = SPAN_S(3600);
        desk->gateway.only_reduces = true; /* no order meanwhile */
        rig_wait(desk->rig, SPAN_S(1));
        gateway_ask(&desk->gateway, &desk->orders.items[0]);
        commit(&bench);
        desk->gateway.only_reduces = false;
        struct span past = utc_sub(rig_now(desk->rig), began);
        tick_after(&bench, (struct span){SPAN_S(60).ns - 1 + i - past.ns});
        expect_end(&bench, i == 0 ? "" : "gave_up", 2 - i);
    }
}

Test(maker, an_order_that_nobody_works_is_late_at_once) {
    struct bench bench = create();
    cr_assert_eq(begin(&bench), ERR_OK);
    struct order *order = &bench.desk->orders.items[0];
    cr_expect_not(maker_is_late(&bench.desk->gateway, order));
    bench.desk->gateway.maker.items[0].id[0] = '\0';
    cr_expect(maker_is_late(&bench.desk->gateway, order));
    desk_destroy(bench.desk);
}

/* --- fills --- */

Test(maker, a_fill_that_beats_the_cancel_counts_before_the_next_is_wished) {
    struct bench bench = create();
    cr_assert_eq(begin(&bench), ERR_OK);
    rig_wait(bench.desk->rig, SPAN_S(19));
    tiny_fill(desk_last(bench.desk), "filled", "5", "100");
    tick(&bench, 1);
    tick(&bench, 5);
    expect_end(&bench, "filled", 1);
}

Test(maker, beside_a_part_nothing_more_is_bought_and_nothing_is_asked) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    rig_wait(desk->rig, SPAN_S(20));
    tiny_fill(desk_last(desk), "canceled", "1",
              "100"); /* behind the cancel that is not answered yet */
    tick(&bench, 0);
    tick(&bench, 5);
    cr_expect_str_eq(desk->rig->last_refusal, "", "%s", desk->rig->last_refusal);
    expect_end(&bench, "part", 1);
}

Test(maker, what_is_left_is_what_was_wished_less_all_that_was_filled) {
    struct maker_plan plan = {.wished = QTY(10)};
    cr_expect_eq(maker_plan_left(&plan).nanos, QTY(10).nanos);
    plan.filled = QTY(4);
    cr_expect_eq(maker_plan_left(&plan).nanos, QTY(6).nanos);
    plan.filled = QTY(10);
    cr_expect_eq(maker_plan_left(&plan).nanos, 0);
    plan.filled = QTY(11); /* more than was wished: absurd, and none */
    cr_expect_eq(maker_plan_left(&plan).nanos, 0);
}

/* A buy of the symbol that was given up turns up while the next rests: it is the entry's too. */
Test(maker, an_earlier_order_that_fills_after_all_counts) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    tick(&bench, 20);
    tick(&bench, 5);
    cr_assert_eq(desk->broker.posts, 2);
    const struct journal_row row = {.at = rig_now(desk->rig),
                                    .kind = "fill",
                                    .key = "st-2026-09-01-1",
                                    .body = "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"3\"}"};
    gateway_count(&desk->gateway, &row);
    tick(&bench, 20);
    tick(&bench, 5);
    expect_end(&bench, "part", 2);
}

/* A tick in which a part is held, its entry live: ten seconds to the nanosecond. */
Test(maker, a_part_is_cut_off_after_ten_seconds_so_that_its_stop_can_rest) {
    for (int i = 0; i < 2; i++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        cr_assert_eq(begin(&bench), ERR_OK);
        tiny_fill(desk_last(desk), "partially_filled", "2", "100");
        gateway_ask(&desk->gateway, &desk->orders.items[0]);
        struct holding *holding = book_find(&desk->book, "AAPL");
        cr_assert_not_null(holding);
        holding->is_listed = true;
        holding->broker_qty = QTY(2);
        struct span age = utc_sub(rig_now(desk->rig), holding->entered_at);
        rig_wait(desk->rig, (struct span){SPAN_S(10).ns - 1 + i - age.ns});
        protective_stops_step(&desk->gateway, &desk->exits);
        cr_expect_eq(desk->broker.cancels, i);
        cr_expect_eq(desk->broker.posts, 1, "no stop beside a live buy");
        commit(&bench);
        protective_stops_step(&desk->gateway, &desk->exits);
        cr_expect_eq(desk->broker.posts, 1 + i, "and the stop rests");
        desk_destroy(desk);
    }
}

/* --- orders of unknown fate --- */

Test(maker, waits_for_an_order_of_unknown_fate_until_it_is_found) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    desk_fault(desk,
               (struct tiny_fault){
                   .method = "POST", .path = "/v2/orders", .code = ERR_UNKNOWN, .is_done = true});
    cr_assert_eq(begin(&bench), ERR_UNKNOWN);
    desk_fault(desk, (struct tiny_fault){
                         .method = "GET", .path = "/v2/orders", .times = 2, .code = ERR_UNKNOWN});
    tick(&bench, 5);
    cr_expect_eq(desk->broker.posts, 1);
    for (int i = 0; i < 4; i++) {
        tick(&bench, 5);
    }
    expect_end(&bench, "", 2); /* found, cancelled at its share, and the next is there */
}

Test(maker, an_order_that_the_broker_denies_ends_the_entry) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    desk_fault(desk,
               (struct tiny_fault){.method = "POST", .path = "/v2/orders", .code = ERR_UNKNOWN});
    desk->config.maker_patience = SPAN_S(300);
    cr_assert_eq(begin(&bench), ERR_UNKNOWN);
    for (int i = 0; i < 10; i++) {
        tick(&bench, 6);
    }
    expect_end(&bench, "unknown", 1);
}

Test(maker, an_order_of_which_no_byte_left_is_followed_by_the_next_and_is_no_try) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    tick(&bench, 15);
    desk_fault(desk,
               (struct tiny_fault){.method = "POST", .path = "/v2/orders", .code = ERR_NOT_SENT});
    tick(&bench, 5);
    tick(&bench, 5);
    tick(&bench, 5);
    cr_expect(orders_any_live(&desk->orders, "AAPL"));
    cr_expect_eq(desk->gateway.maker.items[0].tries, 2);
    cr_expect_eq(bench.ends, 0);
    desk_destroy(desk);
}

/* --- what was declined --- */

static void restart(struct bench *bench);

/* Its quote grew old while its row was written; or not a byte left. Both ways, nothing was ever counted for what
 * would follow. */
Test(maker, a_first_order_that_did_not_leave_leaves_no_plan_live_and_behind_a_restart) {
    for (int is_declined = 0; is_declined < 2; is_declined++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        bench.slow = is_declined ? SPAN_S(6) : (struct span){0};
        desk_fault(desk, (struct tiny_fault){
                             .method = "POST", .path = "/v2/orders", .code = ERR_NOT_SENT});
        cr_assert_eq(begin(&bench), is_declined ? ERR_REFUSED : ERR_NOT_SENT);
        commit(&bench);
        cr_expect_null(maker_plans_find(&desk->gateway.maker, &desk->config, "AAPL"));
        restart(&bench);
        cr_expect_null(maker_plans_find(&desk->gateway.maker, &desk->config, "AAPL"));
        tick(&bench, 5);
        cr_expect_not(orders_any_live(&desk->orders, "AAPL"));
        desk_destroy(desk);
    }
}

Test(maker, a_later_order_whose_quote_grew_old_at_the_last_look_waits_and_is_no_try) {
    for (int is_cross = 0; is_cross < 2; is_cross++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        desk->config.maker_cross = true;
        desk->config.maker_tries = is_cross ? 1 : 3;
        desk->config.maker_patience = SPAN_S(is_cross ? 20 : 60);
        cr_assert_eq(begin(&bench), ERR_OK);
        bench.slow = SPAN_S(6);
        tick(&bench, 20);
        tick(&bench, 5); /* one of the two was declined */
        cr_expect(strncmp(desk->rig->last_refusal, "LAST_LOOK", 9) == 0, "%s",
                  desk->rig->last_refusal);
        tick(&bench, 5);
        const struct order *next = orders_live(&desk->orders, "AAPL", PURPOSE_ENTRY);
        cr_assert_not_null(next);
        cr_expect_eq(next->attempt, 2);
        cr_expect_str_eq(next->reason, is_cross ? MAKER_CROSS : MAKER_AGAIN);
        expect_end(&bench, "", 2);
    }
}

/* What says that it is of an entry that nobody counted. */
Test(maker, an_order_of_an_entry_that_was_not_counted_counts) {
    struct bench bench = create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 4);
    intent.attempt = 2;
    strcpy(intent.of, "st-2026-09-01-77");
    cr_assert_eq(desk_send(bench.desk, &intent, NULL), ERR_OK);
    cr_expect_eq(bench.desk->gateway.recent_next, 1);
    desk_destroy(bench.desk);
}

Test(maker, an_order_that_is_rejected_is_not_tried_again) {
    struct bench bench = create();
    desk_fault(bench.desk, (struct tiny_fault){.method = "POST",
                                               .path = "/v2/orders",
                                               .status = 422,
                                               .body = "{\"code\":42210000,\"message\":\"no\"}"});
    cr_assert_eq(begin(&bench), ERR_REFUSED);
    commit(&bench);
    tick(&bench, 5);
    expect_end(&bench, "rejected", 1);
}

/* --- checks --- */

Test(maker, its_own_orders_neither_cool_it_down_nor_fill_its_rate_nor_repeat) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    desk->config.max_new_per_15min = 1;
    desk->config.repeats = 2;
    cr_assert_eq(begin(&bench), ERR_OK);
    /* the first is one of the one that may be: the next is refused for it, as any other entry would be */
    desk->config.max_new_per_15min = 2;
    for (int i = 0; i < 13; i++) {
        tick(&bench, 5);
    }
    cr_expect_eq(desk->gateway.recent_next, 1);
    cr_expect_not(causes_has(&desk->causes, "repeat_throttle"));
    struct order other = desk_intent(PURPOSE_ENTRY, 5);
    struct refusal refusal = {0};
    cr_expect_eq(check_intent(&desk->gateway, &other, false, &refusal), REFUSED_COOLDOWN,
                 "another entry is");
    strcpy(other.of, "st-2026-09-01-77");
    cr_expect_eq(check_intent(&desk->gateway, &other, false, &refusal), REFUSED_COOLDOWN,
                 "and one that says it is of an entry that it is not of");
    expect_end(&bench, "gave_up", 3);
}

Test(maker, a_refusal_ends_it_but_an_old_quote_is_waited_for) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    tick_unkept(&bench, 20);
    rig_wait(desk->rig, SPAN_S(6)); /* no new quote */
    maker_step(&desk->gateway, true);
    cr_expect(strncmp(desk->rig->last_refusal, "STALE_QUOTE", 11) == 0);
    cr_expect_eq(desk->broker.posts, 1);
    desk->config.order_cap_usd = USD(1);
    desk->config.base_usd = USD(500);
    tick(&bench, 1);
    expect_end(&bench, "refused", 1);
}

Test(maker, a_mode_that_passes_is_waited_for_and_a_latch_ends_it) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    tick_unkept(&bench, 20);
    rig_wait(desk->rig, SPAN_S(5));
    desk_truth(desk);
    maker_step(&desk->gateway, false);
    commit(&bench);
    cr_expect(bench.ends == 0 && desk->broker.posts == 1);
    causes_latch(&desk->causes, "max_drawdown", MODE_REDUCE_ONLY, "core", "");
    tick(&bench, 5);
    expect_end(&bench, "barred", 1);
}

/* Nothing is asked of the gateway, so that no refusal says what is not so. */
Test(maker, waits_for_a_quote_of_two_sides_that_are_not_crossed) {
    static const struct {
        const char *bid, *ask;
        bool is_known;
        int posts;
    } rows[] = {{"0", "100.02", true, 1},     {"100", "0", true, 1}, {"100.03", "100.02", true, 1},
                {"100", "100.02", false, 1},  {"0", "0", true, 1},   {"100.02", "100.02", true, 2},
                {"100.01", "100.02", true, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = create();
        struct desk *desk = bench.desk;
        cr_assert_eq(begin(&bench), ERR_OK);
        tick_unkept(&bench, 20);
        desk_truth(desk);
        desk->truth.quotes[0].bid = dollars(rows[i].bid);
        desk->truth.quotes[0].ask = dollars(rows[i].ask);
        desk->truth.quotes[0].is_known = rows[i].is_known;
        maker_step(&desk->gateway, true);
        commit(&bench);
        cr_expect_eq(desk->broker.posts, rows[i].posts, "%zu", i);
        cr_expect_str_eq(desk->rig->last_refusal, "", "%zu: %s", i, desk->rig->last_refusal);
        cr_expect_eq(bench.ends, 0, "%zu", i);
        tick(&bench, 5);
        expect_end(&bench, "", 2);
    }
}

Test(maker, without_a_price_the_refusal_is_the_prices_and_not_the_sizes) {
    struct bench bench = create();
    bench.desk->truth.quotes[0].bid = USD(0);
    cr_expect_eq(begin(&bench), ERR_REFUSED);
    cr_expect(strncmp(bench.desk->rig->last_refusal, "STALE_QUOTE", 11) == 0, "%s",
              bench.desk->rig->last_refusal);
    desk_destroy(bench.desk);
}

/* Sold from outside, and adopted as short; or bought. */
Test(maker, what_is_held_by_then_ends_it) {
    for (int i = 0; i < 2; i++) {
        struct bench bench = create();
        cr_assert_eq(begin(&bench), ERR_OK);
        tick_unkept(&bench, 20);
        (void)desk_hold(bench.desk, "AAPL", i == 0 ? -2 : 2);
        tick(&bench, 5);
        expect_end(&bench, "held", 1);
    }
}

Test(maker, a_reload_that_turns_it_off_ends_what_is_worked) {
    struct bench bench = create();
    cr_assert_eq(begin(&bench), ERR_OK);
    bench.desk->config.maker_on = false;
    for (int i = 0; i < 3; i++) {
        tick(&bench, 5);
        cr_expect_eq(bench.ends, 0, "its share is its own");
    }
    tick(&bench, 5);
    expect_end(&bench, "off", 1);
}

/* --- restarts and rows --- */

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct desk *desk = context;
    enum err_code code = orders_fold(&desk->orders, row, err);
    gateway_fold(&desk->gateway, row);
    return code;
}

static void restart(struct bench *bench) {
    struct desk *desk = bench->desk;
    rig_reopen(desk->rig);
    desk_wire(desk);
    desk_truth(desk);
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold, desk, NULL), ERR_OK);
    orders_fold_end(&desk->orders);
    journal_listen(desk->rig->journal, hear, bench);
    cr_assert_eq(journal_append(desk->rig->journal, "start", "", "{}", NULL, NULL), ERR_OK);
    commit(bench);
}

Test(maker, a_successor_goes_on_behind_the_brokers_word) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    gateway_cancel(&desk->gateway, &desk->orders.items[0]); /* and dies before it heard */
    restart(&bench);
    tick(&bench, 10);
    tick(&bench, 5);
    cr_expect(orders_any_live(&desk->orders, "AAPL"));
    cr_expect_str_eq(desk_last(desk)->status, "new");
    restart(&bench); /* and the next knows of both */
    cr_expect_eq(desk->gateway.maker.items[0].tries, 2);
    for (int i = 0; i < 16; i++) {
        tick(&bench, 5);
    }
    expect_end(&bench, "gave_up", 3);
}

Test(maker, an_orderly_stop_ends_it_and_the_next_life_cancels_what_is_live) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    cr_assert_eq(journal_append(desk->rig->journal, "stop", "clean", "{}", NULL, NULL), ERR_OK);
    commit(&bench);
    restart(&bench);
    cr_expect_null(maker_plans_find(&desk->gateway.maker, &desk->config, "AAPL"));
    tick(&bench, 5);
    tick(&bench, 5);
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_not(orders_any_live(&desk->orders, "AAPL"));
    expect_end(&bench, "", 1);
}

Test(maker, an_order_that_may_not_have_left_is_unknown_to_the_next_life) {
    struct bench bench = create();
    struct desk *desk = bench.desk;
    cr_assert_eq(begin(&bench), ERR_OK);
    desk->gateway.maker.items[0].state = MAKER_LEAVING; /* as behind the intent's row */
    const struct journal_row start = {.at = rig_now(desk->rig), .kind = "start", .body = "{}"};
    maker_plans_take(&desk->gateway.maker, &desk->config, &start);
    cr_expect_eq(desk->gateway.maker.items[0].state, MAKER_UNKNOWN);
    const struct journal_row denied = {
        .at = rig_now(desk->rig),
        .kind = "order",
        .key = "st-2026-09-01-1",
        .body = "{\"symbol\":\"AAPL\",\"state\":\"not_sent\",\"attempt\":1,\"of\":\"\"}"};
    maker_plans_take(&desk->gateway.maker, &desk->config, &denied);
    cr_expect_eq(desk->gateway.maker.items[0].state, MAKER_DOUBTED);
    desk_destroy(desk);
}

Test(maker, an_absurd_row_begins_and_ends_nothing) {
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "{\"symbol\":7}",
        "{\"symbol\":\"NOBODY\",\"attempt\":1,\"of\":\"\"}",
        "{\"symbol\":\"AAPL\",\"attempt\":0,\"of\":\"\",\"reason\":\"signal\",\"score\":\"0\","
        "\"qty\":\"5\"}",
        "{\"symbol\":\"AAPL\",\"attempt\":2,\"of\":\"st-2026-09-01-9\",\"reason\":\"repriced\","
        "\"score\":\"0\",\"qty\":\"5\"}",
        "{\"symbol\":\"AAPL\",\"attempt\":1,\"of\":\"\",\"reason\":\"signal\",\"score\":\"0\","
        "\"qty\":\"many\"}"};
    static const char *const kinds[] = {"intent", "order", "fill", MAKER_ROW, "start", "other"};
    struct bench bench = create();
    struct maker_plans *plans = &bench.desk->gateway.maker;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            const struct journal_row row = {.at = rig_now(bench.desk->rig),
                                            .kind = kinds[k],
                                            .key = "st-2026-09-01-1",
                                            .body = bodies[i]};
            maker_plans_take(plans, &bench.desk->config, &row);
        }
    }
    cr_expect_null(maker_plans_find(plans, &bench.desk->config, "AAPL"));
    cr_expect_null(maker_plans_find(plans, &bench.desk->config, "NOBODY"));
    desk_destroy(bench.desk);
}
