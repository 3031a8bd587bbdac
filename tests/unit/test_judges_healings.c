/* test_judges_healings.c - healings_are_due_and_seen, each side of its edges. */
#include "tests/unit/stream.h"

enum { TEN = 60400 };
static const char ID[] = "healings_are_due_and_seen";

static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "health.reconnect_s", "10");
    frame(oracle, "health.again_s", "60");
    word(oracle, EVENT_START, TEN - 100, "ready", "");
    return oracle;
}

static void reads(struct oracle *oracle, int64_t second, const char *what, int status) {
    answer(oracle, TEN + second, what, status, "{}");
}

static void fails(struct oracle *oracle, int64_t second) {
    reads(oracle, second, "/v2/account", 503);
}

static void heals(struct oracle *oracle, int64_t second, const char *what, const char *check) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(TEN + second),
                                .subject = "health_supervisor",
                                .what = what,
                                .id = check});
}

static void ticks(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, TEN + second, "tick", "");
}

Test(healings, a_connection_made_anew_after_ten_seconds_and_proved_is_right) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    fails(oracle, 10);
    heals(oracle, 10, "acted", "broker");
    reads(oracle, 11, "/v2/account", 200);
    heals(oracle, 11, "released", "broker");
    expect_scored(oracle, "", "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
}

Test(healings, one_made_a_second_early_is_unfounded) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    fails(oracle, 9);
    heals(oracle, 9, "acted", "broker");
    expect_scored(oracle, ID, "\"unfounded\":1");
}

Test(healings, an_answer_in_between_begins_the_wait_anew_be_it_a_refusal) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    reads(oracle, 5, "/v2/account", 403);
    fails(oracle, 6);
    fails(oracle, 12);
    heals(oracle, 12, "acted", "broker");
    expect_scored(oracle, ID, "\"unfounded\":1");
}

Test(healings, the_other_host_is_another_line) {
    struct oracle *oracle = begin();
    reads(oracle, 0, "/v2/stocks/quotes/latest?symbols=A", 503);
    reads(oracle, 10, "/v2/stocks/quotes/latest?symbols=A", 503);
    reads(oracle, 10, "/v2/account", 200);
    heals(oracle, 10, "acted", "data");
    heals(oracle, 10, "acted", "broker");
    expect_scored(oracle, ID, "\"due\":1,\"acted\":2,\"missed\":0,\"unfounded\":1");
}

Test(healings, corporate_actions_come_from_the_host_of_the_quotes) {
    struct oracle *oracle = begin();
    for (int64_t second = 0; second <= 15; second += 5) {
        reads(oracle, second, "/v2/stocks/quotes/latest?symbols=A", 503);
        reads(oracle, second, "/v1/corporate-actions?symbols=A", second == 5 ? 200 : 503);
        ticks(oracle, second);
    }
    expect(oracle, "", 0);
}

Test(healings, one_such_tick_is_not_missed_nor_one_that_asked_nothing) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    ticks(oracle, 0);
    fails(oracle, 9);
    ticks(oracle, 9);
    fails(oracle, 10);
    ticks(oracle, 10);
    ticks(oracle, 15);
    reads(oracle, 16, "/v2/account", 200);
    fails(oracle, 20);
    ticks(oracle, 20); /* it saw an answer */
    fails(oracle, 25);
    ticks(oracle, 25);
    fails(oracle, 34);
    ticks(oracle, 34);
    fails(oracle, 35);
    ticks(oracle, 35);
    expect(oracle, "", 0);
}

Test(healings, two_ticks_that_saw_a_read_fail_behind_ten_seconds_are_missed) {
    struct oracle *oracle = begin();
    for (int64_t second = 0; second <= 15; second += 5) {
        fails(oracle, second);
        ticks(oracle, second);
    }
    expect_scored(oracle, ID, "\"missed\":1");
}

Test(healings, one_that_did_not_help_is_due_again_a_minute_later) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    fails(oracle, 10);
    heals(oracle, 10, "acted", "broker");
    fails(oracle, 60);
    ticks(oracle, 60);
    fails(oracle, 70);
    heals(oracle, 70, "acted", "broker");
    expect_scored(oracle, "", "\"due\":2,\"acted\":2,\"missed\":0,\"unfounded\":0");
}

/* The tick hung behind the read that had failed last: the connection may be as young as its word. */
Test(healings, a_minute_behind_one_made_late_is_counted_from_its_word) {
    for (int64_t second = 169; second <= 170; second++) {
        struct oracle *oracle = begin();
        fails(oracle, 0);
        fails(oracle, 10);
        heals(oracle, 110, "acted", "broker");
        ticks(oracle, 110);
        fails(oracle, 115);
        ticks(oracle, 115);
        fails(oracle, second);
        ticks(oracle, second);
        fails(oracle, 171);
        ticks(oracle, 171);
        expect_scored(oracle, second == 170 ? ID : "",
                      second == 170 ? "\"missed\":1" : "\"missed\":0");
    }
}

Test(healings, healed_before_an_answer_is_a_lie) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    fails(oracle, 10);
    heals(oracle, 10, "acted", "broker");
    heals(oracle, 15, "released", "broker");
    expect(oracle, ID, 0);
}

Test(healings, a_submit_says_nothing_of_the_connection_of_reads) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(TEN + 5),
                                .subject = "POST",
                                .what = "/v2/orders",
                                .number = 200,
                                .id = "",
                                .body = "\n{}",
                                .body_len = 3});
    fails(oracle, 10);
    heals(oracle, 10, "acted", "broker");
    expect_scored(oracle, "", "\"unfounded\":0");
}

Test(healings, a_new_life_knows_no_ailment) {
    struct oracle *oracle = begin();
    fails(oracle, 0);
    word(oracle, EVENT_STOP, TEN + 5, "dead", "");
    word(oracle, EVENT_START, TEN + 6, "ready", "");
    fails(oracle, 10);
    ticks(oracle, 10);
    fails(oracle, 11);
    ticks(oracle, 11);
    fails(oracle, 12);
    ticks(oracle, 12);
    expect(oracle, "", 0);
}
