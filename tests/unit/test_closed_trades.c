/* test_closed_trades.c - what a round trip is, what it brought, and what is none. */
#include "core/portfolio/closed_trades.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct closed_trades *create(void) {
    struct closed_trades *trades = calloc(1, sizeof *trades);
    cr_assert_not_null(trades);
    return trades;
}

static void row(struct closed_trades *trades, int64_t seq, const char *kind, const char *key,
                const char *body) {
    struct journal_row row = {
        .seq = seq, .at = {seq * NANOS}, .kind = kind, .key = key, .body = body};
    closed_trades_take(trades, &row);
}

static void fill(struct closed_trades *trades, int64_t seq, const char *symbol, const char *side,
                 const char *qty, const char *amount) {
    char body[192];
    snprintf(body, sizeof body,
             "{\"symbol\":\"%s\",\"side\":\"%s\",\"qty\":\"%s\",\"amount\":\"%s\"}", symbol, side,
             qty, amount);
    row(trades, seq, "fill", "st-1", body);
}

static void expect_count(struct closed_trades *trades, size_t count) {
    cr_expect_eq(trades->count, count, "%zu trades, want %zu", trades->count, count);
    free(trades);
}

Test(closed_trades, a_trip_from_flat_to_flat_is_one_whatever_its_parts_to_the_nano) {
    struct closed_trades *trades = create();
    fill(trades, 1, "AAPL", "buy", "3", "300.000000001");
    fill(trades, 2, "MSFT", "buy", "1", "50");
    fill(trades, 3, "AAPL", "buy", "0.5", "50");
    fill(trades, 4, "AAPL", "sell", "3.4", "345");
    cr_expect_eq(trades->count, 0, "a tenth of a share is open");
    fill(trades, 5, "AAPL", "sell", "0.1", "10");
    cr_assert_eq(closed_trades_kept(trades), 1);
    const struct closed_trade *trade = closed_trades_newest(trades, 0);
    cr_expect_str_eq(trade->symbol, "AAPL");
    cr_expect_str_eq(trade->entry, "st-1");
    cr_expect_eq(trade->seq, 5);
    cr_expect_eq(trade->at.ns, 5 * NANOS);
    cr_expect_eq(trade->bought.nanos, INT64_C(350000000001));
    cr_expect_eq(trade->sold.nanos, 355 * NANOS);
    cr_expect_eq(closed_trade_profit(trade).nanos, INT64_C(4999999999));
    fill(trades, 6, "MSFT", "sell", "1", "40");
    cr_expect_eq(closed_trade_profit(closed_trades_newest(trades, 0)).nanos, -10 * NANOS);
    cr_expect_str_eq(closed_trades_newest(trades, 1)->symbol, "AAPL");
    expect_count(trades, 2);
}

Test(closed_trades, what_is_open_is_none_and_the_next_trip_begins_at_nothing) {
    struct closed_trades *trades = create();
    fill(trades, 1, "AAPL", "buy", "1", "100");
    fill(trades, 2, "AAPL", "sell", "1", "90");
    fill(trades, 3, "AAPL", "buy", "1", "100");
    cr_expect_eq(trades->open_count, 1);
    cr_expect_eq(closed_trade_profit(closed_trades_newest(trades, 0)).nanos, -10 * NANOS);
    expect_count(trades, 1);
}

Test(closed_trades, a_row_that_was_taken_is_not_taken_again) {
    struct closed_trades *trades = create();
    for (int times = 0; times < 2; times++) {
        fill(trades, 1, "AAPL", "buy", "1", "100");
        fill(trades, 2, "AAPL", "sell", "1", "90");
    }
    expect_count(trades, 1);
}

Test(closed_trades, what_fills_alone_did_not_price_is_none) {
    static const char *const adopted[] = {"{\"qty\":\"5\"}", "{\"qty\":\"1\"}"};
    for (int i = 0; i < 2; i++) {
        struct closed_trades *trades = create();
        fill(trades, 1, "AAPL", "buy", "1", "100");
        row(trades, 2, "adopt", "AAPL", adopted[i]);
        fill(trades, 3, "AAPL", "sell", i == 0 ? "5" : "1", "500");
        cr_expect_eq(trades->count, 0);
        fill(trades, 4, "AAPL", "buy", "1", "100"); /* behind it fills say all again */
        fill(trades, 5, "AAPL", "sell", "1", "101");
        expect_count(trades, 1);
    }
    struct closed_trades *trades = create();
    fill(trades, 1, "AAPL", "buy", "1", "100");
    row(trades, 2, "adopt", "AAPL", "{\"qty\":\"0\"}"); /* it vanished */
    cr_expect_eq(trades->open_count, 0);
    fill(trades, 3, "AAPL", "buy", "1", "100");
    fill(trades, 4, "AAPL", "sell", "1", "101");
    expect_count(trades, 1);
}

Test(closed_trades, sales_of_what_was_not_bought_are_none) {
    struct closed_trades *trades = create();
    fill(trades, 1, "AAPL", "sell", "1", "100");
    fill(trades, 2, "MSFT", "buy", "1", "100");
    fill(trades, 3, "MSFT", "sell", "2", "220");
    cr_expect_eq(trades->open_count, 0);
    expect_count(trades, 0);
}

Test(closed_trades, absurd_amounts_price_nothing) {
    static const char *const bought[][2] = {{"1", "0"}, {"1", "-100"}, {"0", "100"}};
    for (size_t i = 0; i < 3; i++) {
        struct closed_trades *trades = create();
        fill(trades, 1, "AAPL", "buy", bought[i][0], bought[i][1]);
        fill(trades, 2, "AAPL", "sell", bought[i][0], "110");
        expect_count(trades, 0);
    }
}

Test(closed_trades, rows_that_say_nothing_are_none) {
    static const char *const bodies[] = {
        "", "[]", "{}", "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"x\",\"amount\":\"1\"}"};
    struct closed_trades *trades = create();
    for (size_t i = 0; i < 4; i++) {
        row(trades, (int64_t)i + 1, "fill", "st-1", bodies[i]);
        row(trades, (int64_t)i + 1, "adopt", "AAPL", bodies[i]);
    }
    fill(trades, 9, "A_SYMBOL_OF_NO_EXCHANGE_THAT_IS_TOO_LONG", "buy", "1", "1");
    cr_expect_eq(trades->open_count, 0);
    expect_count(trades, 0);
}

Test(closed_trades, the_newest_are_kept_and_all_are_counted) {
    struct closed_trades *trades = create();
    for (int64_t i = 1; i <= CLOSED_TRADES_MAX + 2; i++) {
        char amount[32];
        snprintf(amount, sizeof amount, "%d", (int)(1000 + i));
        fill(trades, 2 * i, "AAPL", "buy", "1", "1000");
        fill(trades, 2 * i + 1, "AAPL", "sell", "1", amount);
    }
    cr_expect_eq(closed_trades_kept(trades), CLOSED_TRADES_MAX);
    cr_expect_eq(closed_trade_profit(closed_trades_newest(trades, 0)).nanos,
                 (CLOSED_TRADES_MAX + 2) * NANOS);
    cr_expect_eq(closed_trade_profit(closed_trades_newest(trades, CLOSED_TRADES_MAX - 1)).nanos,
                 3 * NANOS);
    expect_count(trades, CLOSED_TRADES_MAX + 2);
}
