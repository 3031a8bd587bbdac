/* test_judges_messages.c - the judge of messages, each side of its edge. */
#include "tests/unit/stream.h"

enum { TEN = 60400 }; /* ten o'clock in New York: buys are judged by the hour, too */

/* Two a second and three a minute, in a life that is older than a minute. */
static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "orders.messages_1s", "2");
    frame(oracle, "orders.messages_60s", "3");
    word(oracle, EVENT_START, TEN - 100, "ready", "");
    return oracle;
}

static void buys(struct oracle *oracle, int64_t second, int number) {
    static const char *const symbols[] = {"AAPL", "MSFT", "AMD", "F", "GM", "T"};
    char id[32];
    snprintf(id, sizeof id, "st-2023-11-14-%d", number);
    order_leaves(oracle, TEN + second, "buy", symbols[number % 6], id);
}

static void cancels(struct oracle *oracle, int64_t second) {
    leaves(oracle, TEN + second, "DELETE", "/v2/orders/b-1", "");
}

static void held(struct oracle *oracle, int64_t second, const char *purpose) {
    body_of(oracle, EVENT_REFUSAL, TEN + second, "MESSAGE_RATE", purpose, "3 against 3");
}

static void acts(struct oracle *oracle, int64_t second) {
    body_of(oracle, EVENT_MECHANISM, TEN + second, "message_throttle", "acted", "");
}

static const char ID[] = "messages_within_their_rate";

Test(messages, an_entry_held_behind_a_full_minute_is_right) {
    struct oracle *oracle = begin();
    buys(oracle, 0, 1);
    cancels(oracle, 10);
    cancels(oracle, 20);
    acts(oracle, 59);
    held(oracle, 59, "entry");
    buys(oracle, 60, 2);
    expect_scored(oracle, "", "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
}

Test(messages, a_buy_behind_a_full_second_or_minute_is_missed) {
    struct oracle *oracle = begin();
    buys(oracle, 0, 1);
    buys(oracle, 0, 2);
    buys(oracle, 0, 3);
    expect_scored(oracle, ID, "\"missed\":1,\"unfounded\":0,\"risky\":1");
    oracle = begin();
    buys(oracle, 0, 1);
    cancels(oracle, 10);
    leaves(oracle, TEN + 20, "PATCH", "/v2/orders/b-1", "{\"limit_price\":\"99\"}");
    buys(oracle, 59, 2);
    expect_finding(oracle, ID, TEN + 59, "AMD: a buy behind 0 messages of a second, 3 of a minute");
}

Test(messages, windows_end_at_exactly_a_second_and_a_minute) {
    struct oracle *oracle = begin();
    buys(oracle, 0, 1);
    buys(oracle, 0, 2);
    buys(oracle, 1, 3);
    buys(oracle, 60, 4);
    buys(oracle, 60, 5);
    expect(oracle, "", 0);
}

Test(messages, exits_and_reads_are_never_held_against_it) {
    struct oracle *oracle = begin();
    for (int i = 0; i < 9; i++) {
        order_leaves(oracle, TEN + i, "sell", "AAPL", "st-2023-11-14-7");
        leaves(oracle, TEN + i, "GET", "/v2/orders", "");
    }
    expect(oracle, "", 0);
    oracle = begin();
    for (int i = 0; i < 9; i++) {
        leaves(oracle, TEN + i, "GET", "/v2/orders", "");
    }
    buys(oracle, 9, 1);
    expect(oracle, "", 0);
}

Test(messages, an_entry_held_behind_a_window_that_is_not_full_is_false) {
    struct oracle *oracle = begin();
    buys(oracle, 0, 1);
    buys(oracle, 10, 2);
    held(oracle, 20, "entry");
    expect_finding(oracle, ID, TEN + 20,
                   ": held back behind 0 messages of a second, 2 of a minute");
    oracle = begin();
    acts(oracle, 20);
    expect_scored(oracle, ID, "\"acted\":0,\"missed\":0,\"unfounded\":1");
}

Test(messages, an_entry_held_longer_than_the_window_is_late) {
    struct oracle *oracle = begin();
    for (int i = 0; i < 3; i++) {
        cancels(oracle, i);
    }
    acts(oracle, 59);
    held(oracle, 59, "entry");
    leaves(oracle, TEN + 60, "GET", "/v2/orders", "");
    held(oracle, 60, "entry");
    expect_finding(oracle, ID, TEN + 60,
                   ": held back behind 0 messages of a second, 2 of a minute");
}

Test(messages, what_was_full_at_its_last_word_may_be_told_later) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = begin();
        for (int i = 0; i < 3; i++) {
            cancels(oracle, i);
        }
        leaves(oracle, TEN + 59 + is_late, "GET", "/v2/orders", "");
        acts(oracle, 65);
        held(oracle, 66, "entry");
        expect(oracle, is_late ? ID : "", 0);
    }
}

Test(messages, an_exit_that_waits_is_wrong_whatever_is_full) {
    struct oracle *oracle = begin();
    for (int i = 0; i < 3; i++) {
        cancels(oracle, i);
    }
    held(oracle, 5, "exit");
    expect_finding(oracle, ID, TEN + 5, ": an exit waits for messages");
}

Test(messages, what_never_left_does_not_count) {
    struct oracle *oracle = begin();
    for (int i = 0; i < 5; i++) {
        buys(oracle, 0, i);
        feed(oracle, (struct event){.kind = EVENT_HTTP,
                                    .at = at(TEN),
                                    .subject = "POST",
                                    .what = "/v2/orders",
                                    .id = "not_sent"});
    }
    expect(oracle, "", 0);
    oracle = begin();
    for (int i = 0; i < 3; i++) { /* no answer: it may have */
        buys(oracle, 0, i);
        feed(oracle, (struct event){.kind = EVENT_HTTP,
                                    .at = at(TEN),
                                    .subject = "POST",
                                    .what = "/v2/orders",
                                    .id = "unknown"});
    }
    expect(oracle, ID, 0);
}

static void row_of(struct oracle *oracle, int64_t second, int64_t seq, const char *kind,
                   const char *body) {
    feed(oracle, (struct event){.kind = EVENT_ROW,
                                .at = at(TEN + second),
                                .subject = kind,
                                .id = "st-2023-11-14-1",
                                .number = seq,
                                .body = body,
                                .body_len = strlen(body)});
}

/* Rows 1 to 3 a second apart, then another life at second 5. */
static struct oracle *dies_after(const char *third_kind, const char *third_body) {
    struct oracle *oracle = begin();
    row_of(oracle, 1, 1, "intent", "{}");
    row_of(oracle, 2, 2, "intent", "{}");
    row_of(oracle, 3, 3, third_kind, third_body);
    word(oracle, EVENT_STOP, TEN + 4, "dead", "");
    word(oracle, EVENT_START, TEN + 5, "ready", "");
    return oracle;
}

Test(messages, a_later_life_counts_the_rows_of_those_before_it) {
    struct oracle *oracle = dies_after("order", "{\"state\":\"canceled\"}");
    buys(oracle, 60, 3);
    expect(oracle, ID, 0);
    oracle = dies_after("order", "{\"state\":\"canceled\"}");
    buys(oracle, 61, 3);
    expect(oracle, "", 0);
    oracle = dies_after("order", "{\"state\":\"filled\"}");
    buys(oracle, 60, 3);
    expect(oracle, "", 0);
}

Test(messages, a_life_is_told_of_its_own_rows_as_sends_alone) {
    struct oracle *oracle = begin();
    for (int i = 1; i <= 2; i++) {
        row_of(oracle, i, i, "intent", "{}");
        buys(oracle, i, i);
    }
    buys(oracle, 4, 3);
    expect(oracle, "", 0);
}

Test(messages, a_young_life_may_wait_for_what_never_left) {
    struct oracle *oracle = dies_after("order", "{\"state\":\"filled\"}");
    acts(oracle, 30);
    held(oracle, 30, "entry");
    expect(oracle, "", 0);
    oracle = dies_after("order", "{\"state\":\"filled\"}");
    held(oracle, 66, "entry");
    expect(oracle, ID, 0);
}

Test(messages, a_journal_that_went_back_leaves_nothing_to_count_from) {
    struct oracle *oracle = dies_after("intent", "{}");
    row_of(oracle, 5, 3, "start", "{}");
    buys(oracle, 6, 3);
    expect(oracle, "row_never_lost", 0);
}

/* Its own sends are counted by the monotonic clock; rows of earlier lives, in the first minute, by the wall. */
Test(messages, a_wall_that_was_set_moves_no_window_of_a_life_older_than_a_minute) {
    for (int is_young = 0; is_young < 2; is_young++) {
        struct oracle *oracle = begin();
        word(oracle, EVENT_FAULT, TEN, "clock.step", "");
        if (is_young) {
            word(oracle, EVENT_STOP, TEN, "clean", "");
            word(oracle, EVENT_START, TEN, "ready", "");
        }
        for (int i = 0; i < 3; i++) {
            buys(oracle, 59, i);
        }
        expect(oracle, is_young ? "" : ID, 0);
    }
    struct oracle *oracle = begin();
    word(oracle, EVENT_FAULT, TEN, "clock.step", "");
    held(oracle, 90, "entry");
    expect(oracle, ID, 0);
}
