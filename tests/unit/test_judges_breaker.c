/* test_judges_breaker.c - breaker_stops_calls and breaker_closes, each at its edge: no core, no simulator. */
#include "tests/unit/stream.h"

/* Half an hour into a session (2023-11-15, 9:46:40 New York and later). */
static const int64_t OPEN = 60400;

static struct oracle *framed(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "breaker.failures", "5");
    frame(oracle, "breaker.open_s", "60");
    frame(oracle, "breaker.open_most_s", "600");
    word(oracle, EVENT_START, OPEN, "ready", "");
    return oracle;
}

static void call(struct oracle *oracle, int64_t second, const char *what, int status) {
    leaves(oracle, OPEN + second, "GET", what, "");
    answer(oracle, OPEN + second, what, status, "\n");
}

static void tells(struct oracle *oracle, int64_t second, const char *endpoint) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(OPEN + second),
                                .subject = "circuit_breaker",
                                .what = "acted",
                                .id = endpoint});
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, OPEN + second, "tick", "");
}

/* Five answers of 504 about the account by second 40, told there. */
static struct oracle *opened(void) {
    struct oracle *oracle = framed();
    for (int64_t second = 0; second <= 40; second += 10) {
        call(oracle, second, "/v2/account", 504);
        if (second == 40) {
            tells(oracle, second, "account");
        }
        tick(oracle, second);
    }
    return oracle;
}

static void expect_broken(struct oracle *oracle, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect(strstr(text_get(&verdict), score) != NULL, "%s", text_get(&verdict));
    text_release(&verdict);
    expect(oracle, broken, 0);
}

Test(breaker, opened_in_time_and_kept) {
    struct oracle *oracle = opened();
    order_leaves(oracle, OPEN + 41, "sell", "AAPL", "st-2024-03-04-1");
    order_leaves(oracle, OPEN + 100, "buy", "AAPL", "st-2024-03-04-2"); /* its pause is over */
    expect_broken(oracle, "",
                  "{\"mechanism\":\"circuit_breaker\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":0,");
}

Test(breaker, a_buy_while_any_endpoint_fails_is_risky) {
    struct oracle *oracle = opened();
    order_leaves(oracle, OPEN + 99, "buy", "AAPL", "st-2024-03-04-1");
    expect_broken(oracle, "breaker_stops_calls", "\"risky\":1,");
}

/* Of bars alone, and until it is told to be over; that they may fill in is no excuse. */
Test(breaker, bars_are_spared_while_snapshots_are_told_to_fill_gaps) {
    enum { NEVER, FILLED, RELEASED, WAYS };
    for (int way = 0; way < WAYS; way++) {
        struct oracle *oracle = framed();
        struct event told = {.kind = EVENT_MECHANISM,
                             .at = at(OPEN + 35),
                             .subject = "signal_cache",
                             .what = "acted",
                             .id = "snapshots"};
        frame(oracle, "signals.fill_s", "0"); /* of the other judge no word */
        for (int64_t second = 0; second <= 40; second += 10) {
            call(oracle, second, "/v2/stocks/bars", 504);
            if (second == 40) {
                tells(oracle, second, "bars");
            }
            tick(oracle, second);
        }
        if (way != NEVER) {
            feed(oracle, told);
        }
        if (way == RELEASED) {
            told.what = "released";
            feed(oracle, told);
        }
        order_leaves(oracle, OPEN + 60, "buy", "AAPL", "st-2024-03-04-1");
        expect(oracle, way == FILLED ? "" : "breaker_stops_calls", 0);
    }
}

Test(breaker, five_failures_that_nobody_tells_are_a_miss) {
    for (int failures = 4; failures <= 5; failures++) {
        struct oracle *oracle = framed();
        for (int i = 0; i < failures; i++) {
            call(oracle, 10 * i, "/v2/positions", i % 2 == 0 ? 504 : 0);
        }
        tick(oracle, 41);
        if (failures == 5) {
            expect_broken(oracle, "breaker_stops_calls", "\"missed\":1,");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(breaker, what_answers_is_not_open_and_a_refusal_is_an_answer) {
    struct oracle *oracle = framed();
    for (int i = 0; i < 5; i++) {
        call(oracle, 10 * i, "/v2/account", 403);
    }
    tells(oracle, 41, "account");
    expect_broken(oracle, "breaker_stops_calls", "\"unfounded\":1,");
}

Test(breaker, an_open_endpoint_is_tried_once_in_five_seconds) {
    for (int64_t second = 44; second <= 45; second++) {
        struct oracle *oracle = opened();
        call(oracle, second, "/v2/clock", 504);
        call(oracle, second, "/v2/account", 504);
        expect(oracle, second == 44 ? "breaker_stops_calls" : "", 0);
    }
    struct oracle *oracle = opened();
    call(oracle, 45, "/v2/account", 200);
    call(oracle, 45, "/v2/account", 200);
    expect(oracle, "", 0); /* behind a success at once */
}

Test(breaker, a_probe_that_fails_doubles_the_pause_and_two_that_succeed_end_it) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = opened();
        call(oracle, 100, "/v2/account", how == 0 ? 504 : 200);
        tick(oracle, 100);
        call(oracle, 105, "/v2/account", how == 2 ? 200 : 504);
        tick(oracle, 105);
        order_leaves(oracle, OPEN + 215, "buy", "AAPL", "st-2024-03-04-1");
        bool is_open = how != 2; /* until 220, or 225 */
        expect(oracle, is_open ? "breaker_stops_calls" : "", 0);
    }
}

/* One tick whose requests all time out can outlast a pause, and its probe, before a word is said. */
Test(breaker, a_word_behind_the_second_opening_of_a_tick_opens_nothing_anew) {
    struct oracle *oracle = framed();
    for (int64_t second = 0; second <= 40; second += 10) {
        call(oracle, second, "/v2/account", 504);
    }
    call(oracle, 100, "/v2/account", 504); /* open until 220 */
    tells(oracle, 100, "account");
    tick(oracle, 100);
    call(oracle, 218, "/v2/account", 504);
    call(oracle, 221, "/v2/account", 504);
    expect(oracle, "", 0);
}

Test(breaker, a_stop_or_a_stepped_wall_begins_anew) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = opened();
        if (how > 0) {
            word(oracle, how == 1 ? EVENT_STOP : EVENT_FAULT, OPEN + 41,
                 how == 1 ? "dead" : "clock.step", "");
        }
        order_leaves(oracle, OPEN + 50, "buy", "AAPL", "st-2024-03-04-1");
        expect(oracle, how == 0 ? "breaker_stops_calls" : "", 0);
    }
}

Test(breaker, a_submit_that_was_never_sent_may_count_or_not) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = framed();
        for (int i = 0; i < 5; i++) {
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(OPEN + 10 * i),
                                        .subject = "POST",
                                        .what = "/v2/orders",
                                        .id = "not_sent"});
        }
        if (is_told) {
            tells(oracle, 41, "submit");
        }
        tick(oracle, 41);
        expect(oracle, "", 0);
    }
}

static void refuses(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(OPEN + second),
                                .subject = "BREAKER_OPEN",
                                .what = "entry",
                                .symbol = "AAPL",
                                .body = "account",
                                .body_len = 7});
}

Test(breaker, after_healing_none_is_open_for_longer_than_the_longest_pause) {
    for (int64_t late = 0; late <= 1; late++) {
        struct oracle *oracle = opened();
        word(oracle, EVENT_HEALED, OPEN + 50, "", "");
        refuses(oracle, 650 + late);
        expect(oracle, late > 0 ? "breaker_closes" : "", 0);
    }
}
