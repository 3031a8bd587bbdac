/* test_position_sign.c - what is short fires, is bought back by two words of the broker, and never beyond zero. */
#include "core/orders/position_sign.h"
#include "core/portfolio/closed_trades.h"
#include "tests/unit/desk.h"

#define SAYS(qty)                                                                                  \
    "{\"symbol\":\"AAPL\",\"qty\":\"" qty                                                          \
    "\",\"avg_entry_price\":\"100\",\"current_price\":\"100\"}"
#define SHORT_10 SAYS("-10")

/* The listing; the book knows nothing of it. */
static struct holding *list(struct desk *desk, int64_t shares) {
    rig_wait(desk->rig, SPAN_S(60)); /* a machine that has just booted has read nothing yet */
    struct holding *holding = desk_hold(desk, "AAPL", shares);
    holding->qty = QTY(0);
    holding->cost = USD(0);
    return holding;
}

/* Asked for the symbol alone he says this. */
static void says(struct desk *desk, int status, const char *body) {
    desk_fault(desk,
               (struct tiny_fault){"GET", "/v2/positions/AAPL", 99, ERR_OK, status, body, false});
}

static void tick(struct desk *desk) {
    rig_wait(desk->rig, SPAN_S(1));
    desk->truth.quotes[0].at = rig_now(desk->rig);
    gateway_settle(&desk->gateway);
    position_sign_step(&desk->gateway, &desk->exits);
    exits_step(&desk->exits);
    protective_stops_step(&desk->gateway, &desk->exits);
    orders_sweep(&desk->orders);
}

static bool has_fired(struct desk *desk) {
    return causes_has(&desk->causes, POSITION_SIGN_CAUSE);
}

static struct order cover(int64_t shares) {
    struct order intent = desk_intent(PURPOSE_EXIT, shares);
    intent.side = SIDE_BUY;
    return intent;
}

static bool is_exit(struct desk *desk, int64_t shares) {
    struct order intent = cover(shares);
    return intent_is_exit(&desk->gateway, &intent);
}

/* Taken over, as both words of the broker have it. */
static struct holding *taken(struct desk *desk, int64_t shares) {
    struct holding *holding = list(desk, -shares);
    holding->qty = holding->reread_qty = QTY(-shares);
    holding->reread_at = clock_mono(desk->rig->world.clock);
    return holding;
}

Test(position_sign, one_share_below_zero_fires_and_none_does_not) {
    for (int64_t shares = -1; shares <= 1; shares++) {
        struct desk *desk = desk_create();
        list(desk, shares);
        says(desk, 200, SHORT_10);
        position_sign_step(&desk->gateway, &desk->exits);
        cr_expect_eq(has_fired(desk), shares < 0, "%lld", (long long)shares);
        cr_expect_eq(desk->exits.count, shares < 0 ? 1 : 0);
        desk_destroy(desk);
    }
    struct desk *desk = desk_create();
    list(desk, -1)->broker_qty.nanos = -1;
    position_sign_step(&desk->gateway, &desk->exits);
    cr_expect(has_fired(desk), "the smallest part of one");
    desk_destroy(desk);
}

Test(position_sign, off_is_off_and_what_is_not_listed_is_not_known) {
    struct desk *desk = desk_create();
    desk->config.position_sign = false;
    struct holding *holding = list(desk, -10);
    position_sign_step(&desk->gateway, &desk->exits);
    cr_expect_not(has_fired(desk));
    desk->config.position_sign = true;
    holding->is_listed = false;
    position_sign_step(&desk->gateway, &desk->exits);
    cr_expect_not(has_fired(desk));
    desk_destroy(desk);
}

Test(position_sign, it_is_bought_back_above_the_ask_in_the_same_tick) {
    struct desk *desk = desk_create();
    struct holding *holding = list(desk, -10);
    says(desk, 200, SHORT_10);
    tick(desk);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect_str_eq(desk_last(desk)->side, "buy");
    cr_expect_str_eq(desk_last(desk)->qty, "10");
    cr_expect_str_eq(desk_last(desk)->limit, "100.33", "0.3 % above 100.02, to the tick above");
    cr_expect_eq(holding->qty.nanos, QTY(-10).nanos, "taken over");
    cr_expect(holding->is_naked, "nothing protects it");
    strcpy(desk_last(desk)->status, "filled");
    strcpy(desk_last(desk)->filled, "10");
    strcpy(desk_last(desk)->average, "100.1");
    for (int i = 0; i < 5; i++) {
        tick(desk); /* the listing is old and still shows it */
    }
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect_eq(desk->exits.count, 0);
    desk_destroy(desk);
}

Test(position_sign, nothing_is_bought_while_the_broker_contradicts_himself) {
    static const struct {
        int status;
        const char *body;
    } words[] = {{200, SAYS("10")},
                 {200, SAYS("-9")},
                 {200, SAYS("-11")},
                 {200, SAYS("0")},
                 {404, "{\"code\":40410000,\"message\":\"position does not exist\"}"},
                 {500, ""},
                 {200, "{}"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct desk *desk = desk_create();
        struct holding *holding = list(desk, -10);
        says(desk, words[i].status, words[i].body);
        for (int second = 0; second < 5; second++) {
            tick(desk);
        }
        cr_expect_eq(desk->broker.posts, 0, "word %zu", i);
        cr_expect_eq(holding->qty.nanos, 0, "word %zu", i);
        cr_expect(has_fired(desk), "word %zu", i);
        desk_destroy(desk);
    }
}

Test(position_sign, what_neither_word_knows_is_asked_about_less_and_less) {
    struct desk *desk = desk_create();
    struct holding *holding = taken(desk, 10);
    says(desk, 404, "{\"code\":40410000,\"message\":\"position does not exist\"}");
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, QTY(0), POSITION_SIGN_CAUSE);
    holding->is_listed = false;
    for (int second = 0; second < 600; second++) {
        tick(desk);
    }
    cr_expect_leq(desk->broker.requests, 24, "%d", desk->broker.requests);
    cr_expect_geq(desk->broker.requests, 20, "%d", desk->broker.requests);
    cr_expect_eq(desk->broker.posts, 0);
    cr_expect_eq(holding->qty.nanos, -10 * NANOS, "kept until a person has looked");
    cr_expect_not_null(exits_find(&desk->exits, "AAPL"));
    desk->broker.fault[0].times = 0;
    says(desk, 200, SAYS("-10"));
    for (int second = 0; second < 30; second++) {
        tick(desk);
    }
    cr_expect_eq(desk->broker.posts, 1, "and bought back when he knows it again");
    desk_destroy(desk);
}

Test(position_sign, a_fill_of_ours_may_be_missing_in_a_listing_for_fifteen_seconds) {
    for (int ms = 14999; ms <= 15000; ms++) {
        struct desk *desk = desk_create();
        struct holding *holding = list(desk, -10);
        says(desk, 200, SHORT_10);
        holding->quiet_since = mono_add(clock_mono(desk->rig->world.clock), SPAN_MS(-ms));
        cr_expect_eq(position_sign_confirm(&desk->gateway, holding), ms == 15000);
        desk_destroy(desk);
    }
    struct desk *desk = desk_create();
    struct holding *holding = list(desk, -10);
    says(desk, 200, SHORT_10);
    holding->filled_at = rig_now(desk->rig); /* behind the listing */
    cr_expect_not(position_sign_confirm(&desk->gateway, holding));
    desk_destroy(desk);
}

Test(position_sign, what_is_live_in_the_symbol_ends_first) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1); /* its stop rests */
    cr_assert_eq(desk->broker.posts, 1);
    holding->broker_qty = QTY(-10);
    says(desk, 200, SHORT_10);
    tick(desk);
    cr_expect_eq(desk->broker.cancels, 1);
    tick(desk);
    tick(desk);
    cr_expect_eq(desk->broker.posts, 2);
    cr_expect_str_eq(desk_last(desk)->side, "buy");
    desk_destroy(desk);
}

/* Ten are held and protected; one listing says that ten are short. */
static struct holding *lied_to(struct desk *desk, const char *word) {
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1); /* its stop rests */
    cr_assert_eq(desk->broker.posts, 1);
    holding->broker_qty = QTY(-10);
    says(desk, 200, word);
    return holding;
}

Test(position_sign, one_listing_takes_no_stop_away_and_ends_no_sale) {
    for (int is_leaving = 0; is_leaving < 2; is_leaving++) {
        struct desk *desk = desk_create();
        struct holding *holding = lied_to(desk, SAYS("10"));
        if (is_leaving) {
            holding->broker_qty = QTY(10);
            exits_decide(&desk->exits, holding, PURPOSE_EXIT, (struct qty){0}, "operator");
            holding->broker_qty = QTY(-10);
        }
        for (int second = 0; second < 5; second++) {
            tick(desk);
        }
        cr_expect(has_fired(desk));
        cr_expect_eq(desk->broker.cancels, 0);
        cr_expect_eq(desk->exits.count, is_leaving ? 1 : 0);
        cr_expect_not(holding->is_naked);
        holding->broker_qty = QTY(10);
        tick(desk);
        cr_expect_eq(desk->broker.cancels, is_leaving ? 1 : 0, "the sale goes on");
        desk_destroy(desk);
    }
}

Test(position_sign, a_sale_beside_it_ends_before_the_open_and_under_a_suspension) {
    for (int is_closed = 0; is_closed < 2; is_closed++) {
        struct desk *desk = desk_create();
        struct holding *holding = lied_to(desk, SHORT_10);
        desk->truth.clock.is_open = !is_closed;
        desk->truth.account.is_suspended = !is_closed;
        desk->truth.account_at = clock_mono(desk->rig->world.clock);
        holding->qty = QTY(-10);
        tick(desk);
        cr_expect_eq(desk->broker.cancels, 1, "%d", is_closed);
        cr_expect_eq(desk->broker.posts, is_closed ? 1 : 2, "%d", is_closed);
        desk_destroy(desk);
    }
}

Test(position_sign, as_much_is_bought_as_both_words_have) {
    struct desk *desk = desk_create();
    struct holding *holding = list(desk, -10);
    holding->qty = QTY(-10);
    says(desk, 200, SAYS("-6")); /* somebody bought four */
    tick(desk);
    tick(desk);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect_str_eq(desk_last(desk)->qty, "6");
    desk_destroy(desk);
}

Test(position_sign, a_purchase_that_the_next_word_makes_too_large_ends) {
    struct desk *desk = desk_create();
    list(desk, -10);
    desk_fault(desk,
               (struct tiny_fault){"GET", "/v2/positions/AAPL", 2, ERR_OK, 200, SHORT_10, false});
    says(desk, 404, "{\"code\":40410000,\"message\":\"position does not exist\"}");
    tick(desk);
    cr_assert_eq(desk->broker.posts, 1);
    for (int second = 0; second < 4; second++) {
        tick(desk);
    }
    cr_expect_eq(desk->broker.cancels, 1);
    desk_destroy(desk);
}

Test(position_sign, a_stub_is_no_price_to_buy_at) {
    struct desk *desk = desk_create();
    struct holding *holding = list(desk, -10);
    says(desk, 200, SHORT_10);
    holding->has_mark = true;
    holding->mark = USD(100);
    desk->truth.quotes[0].ask = dollars("199999.99");
    tick(desk);
    cr_assert_eq(desk->broker.posts, 1);
    cr_expect_str_eq(desk_last(desk)->limit, "120.36",
                     "a fifth above the mark, and the first rung");
    desk_destroy(desk);
}

Test(cover, goes_on_behind_a_listing_that_lacks_it) {
    struct desk *desk = desk_create();
    struct holding *holding = taken(desk, 10);
    holding->is_listed = false;
    cr_expect(is_exit(desk, 10));
    cr_expect_not(is_exit(desk, 11));
    holding->reread_qty = QTY(0);
    cr_expect_not(is_exit(desk, 1));
    desk_destroy(desk);
}

Test(position_sign, a_sale_that_does_not_end_keeps_the_purchase_back) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 1);
    cr_assert_eq(desk->broker.posts, 1);
    holding->qty = holding->broker_qty = QTY(-10); /* executed twice: the book knows */
    says(desk, 200, SHORT_10);
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 3, ERR_OK, 500, "", false});
    for (int second = 0; second < 6; second++) {
        tick(desk);
        cr_expect_eq(desk->broker.posts, 1, "second %d", second);
    }
    for (int second = 0; second < 6; second++) {
        tick(desk);
    }
    cr_expect_eq(desk->broker.posts, 2, "now it is over");
    desk_destroy(desk);
}

Test(cover, is_no_more_than_what_is_short_with_all_that_is_bought_counted) {
    struct desk *desk = desk_create();
    struct holding *holding = taken(desk, 10);
    cr_expect(is_exit(desk, 10));
    cr_expect_not(is_exit(desk, 11));
    cr_expect_not(is_exit(desk, 0));
    struct order seven = cover(7);
    struct order *live = NULL;
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &seven, &live, NULL), ERR_OK);
    orders_move(&desk->orders, live, ORDER_UNKNOWN);
    cr_expect(is_exit(desk, 3));
    cr_expect_not(is_exit(desk, 4), "an unknown one may cover");
    orders_move(&desk->orders, live, ORDER_NOT_SENT);
    holding->qty = QTY(-6); /* four were bought since that listing */
    cr_expect(is_exit(desk, 6));
    cr_expect_not(is_exit(desk, 7));
    holding->reread_qty = QTY(-5);
    cr_expect(is_exit(desk, 5));
    cr_expect_not(is_exit(desk, 6));
    holding->qty = QTY(0);
    cr_expect_not(is_exit(desk, 1), "not taken over");
    desk_destroy(desk);
}

Test(cover, needs_a_word_of_the_last_two_seconds) {
    struct desk *desk = desk_create();
    struct holding *holding = taken(desk, 10);
    rig_wait(desk->rig, SPAN_S(2));
    cr_expect(is_exit(desk, 10));
    rig_wait(desk->rig, SPAN_MS(1));
    cr_expect_not(is_exit(desk, 10));
    holding->reread_at = (struct mono){0};
    cr_expect_not(is_exit(desk, 10));
    desk_destroy(desk);
}

Test(cover, passes_what_holds_entries_and_answers_to_halt_alone) {
    struct desk *desk = desk_create();
    struct refusal refusal = {0};
    struct order intent = cover(10);
    taken(desk, 10);
    desk->truth.has_account = desk->truth.is_open = false;
    desk->truth.quotes[0] = (struct broker_quote){.is_known = false};
    causes_latch(&desk->causes, "equity_floor", MODE_REDUCE_ONLY, "core", "test");
    cr_expect_eq(check_intent(&desk->gateway, &intent, is_exit(desk, 10), &refusal), REFUSED_NONE);
    causes_latch(&desk->causes, "second_writer", MODE_HALT, "core", "test");
    cr_expect_eq(check_intent(&desk->gateway, &intent, is_exit(desk, 10), &refusal), REFUSED_HALT);
    desk_destroy(desk);
}

Test(cover, survives_a_kill_for_as_long_as_it_ends_something) {
    struct desk *desk = desk_create();
    struct holding *holding = taken(desk, 10);
    struct order *order = NULL;
    struct order intent = cover(10);
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect(gateway_cancel_entries(&desk->gateway));
    cr_expect_eq(desk->broker.cancels, 0);
    holding->broker_qty = QTY(-9);
    cr_expect_not(gateway_cancel_entries(&desk->gateway), "one share would be bought too many");
    cr_expect_eq(desk->broker.cancels, 1);
    desk_destroy(desk);
}

static void fold(struct book *book, const char *kind, const char *body) {
    struct journal_row row = {.kind = kind, .key = "AAPL", .body = body};
    struct err err = {0};
    cr_assert_eq(book_fold(book, &row, &err), ERR_OK, "%s", err.text);
}

Test(short_row, says_by_how_much_and_may_come_behind_the_fills) {
    static const char taken_over[] = "{\"by\":\"-10\",\"price\":\"100\"}";
    static const char bought[] =
        "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"4\",\"amount\":\"400\","
        "\"at\":\"2026-09-01T14:00:00Z\",\"score\":\"0\"}";
    for (int i = 0; i < 2; i++) {
        struct book *book = calloc(1, sizeof *book);
        fold(book, i == 0 ? "short" : "fill", i == 0 ? taken_over : bought);
        fold(book, i == 0 ? "fill" : "short", i == 0 ? bought : taken_over);
        struct holding *holding = book_find(book, "AAPL");
        cr_expect_eq(holding->qty.nanos, QTY(-6).nanos);
        cr_expect_eq(holding->cost.nanos, USD(-600).nanos);
        free(book);
    }
    struct book *book = calloc(1, sizeof *book);
    struct journal_row row = {.kind = "short", .key = "AAPL", .body = "{\"by\":\"-10\"}"};
    struct err err = {0};
    cr_expect_neq(book_fold(book, &row, &err), ERR_OK);
    free(book);
}

Test(short_row, a_purchase_beyond_zero_begins_a_position) {
    struct book *book = calloc(1, sizeof *book);
    fold(book, "short", "{\"by\":\"-10\",\"price\":\"100\"}");
    book_apply_fill(book, "AAPL", SIDE_BUY, QTY(12), USD(1200), (struct utc){5}, (struct ratio){0});
    struct holding *holding = book_find(book, "AAPL");
    cr_expect_eq(holding->qty.nanos, QTY(2).nanos);
    cr_expect_eq(holding->cost.nanos, USD(200).nanos);
    cr_expect_eq(holding->entered_at.ns, 5);
    cr_expect_eq(holding->initial_qty.nanos, QTY(2).nanos);
    free(book);
}

/* However the journal says that it was taken over. */
Test(short_row, what_is_bought_back_is_no_trade_and_begins_none) {
    static const char *const rows[][2] = {{"short", "{\"by\":\"-10\",\"price\":\"100\"}"},
                                          {"adopt", "{\"qty\":\"-10\",\"was\":\"0\"}"}};
    for (size_t i = 0; i < 2; i++) {
        struct closed_trades *trades = calloc(1, sizeof *trades);
        const char *buy = "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"5\",\"amount\":\"500\"}";
        struct journal_row row = {.seq = 1, .kind = rows[i][0], .key = "AAPL", .body = rows[i][1]};
        closed_trades_take(trades, &row);
        cr_expect_eq(trades->open_count, 1);
        for (row.seq = 2; row.seq <= 3; row.seq++) {
            row.kind = "fill";
            row.body = buy;
            closed_trades_take(trades, &row);
        }
        cr_expect_eq(trades->open_count, 0, "%s", rows[i][0]);
        cr_expect_eq(trades->count, 0, "%s", rows[i][0]);
        free(trades);
    }
}
