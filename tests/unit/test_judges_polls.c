/* test_judges_polls.c - data_polls_are_spaced, at its edges: no core, no simulator. */
#include "tests/unit/stream.h"

/* Half an hour into a session (2023-11-15, 9:46:40 New York and later). */
static const int64_t OPEN = 60400;

static const char BARS[] = "/v2/stocks/bars?symbols=TSLA,AAPL&feed=sip&timeframe=1Min";
static const char QUOTES[] = "/v2/stocks/quotes/latest?symbols=AAPL&feed=sip";
static const char TRADES[] = "/v2/stocks/trades/latest?symbols=AAPL&feed=sip";

static struct oracle *framed(const char *minute, const char *day) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "engine.cycle_s", "60");
    frame(oracle, "broker.rate_core", "140");
    frame(oracle, "poller.most", "8");
    frame(oracle, "poller.minute", minute);
    frame(oracle, "poller.day", day);
    word(oracle, EVENT_START, OPEN, "ready", "");
    return oracle;
}

static struct oracle *opened(void) {
    return framed("120", "100000");
}

/* Ends the oracle: whatever else broke in this row, data_polls_are_spaced did not, or did. */
static void expect_spaced(struct oracle *oracle, bool is_good, size_t row) {
    const char *ids[ORACLE_INVARIANT_COUNT] = {""};
    size_t count = oracle_broken(oracle, ids, ORACLE_INVARIANT_COUNT);
    bool is_broken = false;
    for (size_t k = 0; k < count; k++) {
        is_broken |= strcmp(ids[k], "data_polls_are_spaced") == 0;
    }
    cr_expect_eq(is_broken, !is_good, "%zu", row);
    oracle_destroy(oracle);
}

static void tells(struct oracle *oracle, int64_t second, const char *mechanism, const char *what,
                  const char *id) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(OPEN + second),
                                .subject = mechanism,
                                .what = what,
                                .id = id});
}

static void call(struct oracle *oracle, int64_t second, const char *what, int status) {
    leaves(oracle, OPEN + second, "GET", what, "");
    answer(oracle, OPEN + second, what, status, "\n");
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, OPEN + second, "tick", "");
}

/* A read of bars that fails, told if it is the first. */
static void bars_fail(struct oracle *oracle, int64_t second, bool is_first) {
    call(oracle, second, BARS, 502);
    if (is_first) {
        tells(oracle, second, "smart_poller", "acted", "bars");
    }
    tick(oracle, second);
}

static void bars_answer(struct oracle *oracle, int64_t second) {
    call(oracle, second, BARS, 200);
    tells(oracle, second, "smart_poller", "released", "bars");
    tick(oracle, second);
}

Test(polls, a_failure_is_told_in_its_tick) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = opened();
        bars_fail(oracle, 0, is_told);
        expect_scored(oracle, is_told ? "" : "data_polls_are_spaced",
                      is_told ? "\"due\":1,\"acted\":1,\"missed\":0," : "\"missed\":1,");
    }
}

Test(polls, each_failure_doubles_the_wait_up_to_eight_cycles_less_a_fifth) {
    static const int64_t waits[] = {96, 192, 384, 384};
    for (size_t early = 0; early <= 4; early++) {
        struct oracle *oracle = opened();
        int64_t now = 0;
        bars_fail(oracle, now, true);
        for (size_t i = 0; i < 4; i++) {
            now += waits[i] - (early == i ? 2 : 0); /* a second is the judge's slack */
            bars_fail(oracle, now, false);
        }
        expect(oracle, early < 4 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, a_request_too_early_is_a_miss) {
    struct oracle *oracle = opened();
    bars_fail(oracle, 0, true);
    bars_fail(oracle, 60, false);
    expect_scored(oracle, "data_polls_are_spaced", "\"due\":1,\"acted\":1,\"missed\":1,");
}

Test(polls, a_success_ends_the_wait_and_must_have_come) {
    for (int is_good = 0; is_good < 2; is_good++) {
        struct oracle *oracle = opened();
        bars_fail(oracle, 0, true);
        bars_answer(oracle, 96);
        call(oracle, 97, BARS, 200);
        tick(oracle, 97);
        if (!is_good) {
            bars_fail(oracle, 98, true);
            tells(oracle, 99, "smart_poller", "released", "bars");
        }
        expect(oracle, is_good ? "" : "data_polls_are_spaced", 0);
    }
}

Test(polls, what_answers_is_neither_slowed_nor_held_back) {
    for (int how = 0; how < 2; how++) {
        struct oracle *oracle = opened();
        call(oracle, 0, BARS, 200);
        tells(oracle, 0, "smart_poller", how == 0 ? "acted" : "held", "bars");
        tick(oracle, 0);
        expect_scored(oracle, "data_polls_are_spaced", "\"unfounded\":1,");
    }
}

Test(polls, of_a_bent_answer_the_core_is_believed) {
    struct oracle *oracle = opened();
    leaves(oracle, OPEN, "GET", BARS, "");
    word(oracle, EVENT_FAULT, OPEN, "view.absent", "");
    answer(oracle, OPEN, BARS, 200, "\n");
    tells(oracle, 0, "smart_poller", "acted", "bars");
    tick(oracle, 0);
    tells(oracle, 60, "smart_poller", "held", "bars");
    bars_fail(oracle, 120, false);
    bars_answer(oracle, 240);
    expect(oracle, "", 0);
}

Test(polls, what_is_held_or_has_an_order_is_no_spare_request) {
    for (int is_held = 0; is_held < 2; is_held++) {
        struct oracle *oracle = opened();
        if (is_held) {
            ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
        }
        call(oracle, 0, QUOTES, 502);
        tells(oracle, 0, "smart_poller", "acted", "quotes");
        call(oracle, 0, TRADES, 200);
        tick(oracle, 0);
        call(oracle, 5, QUOTES, 502);
        call(oracle, 5, TRADES, 200);
        tick(oracle, 5);
        expect(oracle, is_held ? "" : "data_polls_are_spaced", 0);
    }
}

static void order_is(struct oracle *oracle, int64_t second, const char *id, const char *what) {
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(OPEN + second),
                                .subject = "entry",
                                .what = what,
                                .symbol = "AAPL",
                                .id = id});
}

Test(polls, nor_is_what_an_order_of_unknown_fate_may_have_bought) {
    for (int is_settled = 0; is_settled < 2; is_settled++) {
        struct oracle *oracle = opened();
        order_is(oracle, -700, "st-2023-11-15-1", "unknown");
        order_is(oracle, -700, is_settled ? "st-2023-11-15-1" : "st-2023-11-15-2", "not_sent");
        call(oracle, 0, QUOTES, 502);
        tells(oracle, 0, "smart_poller", "acted", "quotes");
        tick(oracle, 0);
        call(oracle, 5, QUOTES, 502);
        tick(oracle, 5);
        expect(oracle, is_settled ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, another_symbol_beside_what_is_held_is_one) {
    struct oracle *oracle = opened();
    ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
    bars_fail(oracle, 0, true);
    bars_fail(oracle, 5, false);
    expect(oracle, "data_polls_are_spaced", 0);
}

Test(polls, a_fresh_connection_excuses_one_request_of_a_run) {
    for (int again = 0; again < 2; again++) {
        struct oracle *oracle = opened();
        bars_fail(oracle, 0, true);
        tells(oracle, 1, "health_supervisor", "acted", "data");
        bars_fail(oracle, 10, false);
        tells(oracle, 11, "health_supervisor", "acted", "data");
        if (again) {
            bars_fail(oracle, 20, false);
        }
        expect(oracle, again ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, half_of_a_minute_is_kept) {
    for (int64_t last = 58; last <= 60; last += 2) { /* a second is slack */
        struct oracle *oracle = framed("10", "100000");
        for (int64_t second = 0; second < 5; second++) {
            call(oracle, second, BARS, 200);
            tick(oracle, second);
        }
        call(oracle, last, BARS, 200);
        expect(oracle, last == 58 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, a_budget_that_is_spent_is_a_reason_to_hold_back) {
    for (int64_t asked = 4; asked <= 5; asked++) {
        struct oracle *oracle = framed("10", "100000");
        for (int64_t second = 0; second < asked; second++) {
            call(oracle, second, BARS, 200);
        }
        tells(oracle, 6, "smart_poller", "held", "bars");
        expect(oracle, asked == 4 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, a_day_holds_no_more) {
    for (int64_t day = 100; day <= 101; day++) {
        char most[8];
        snprintf(most, sizeof most, "%lld", (long long)day);
        struct oracle *oracle = framed("1000", most);
        for (int64_t i = 0; i <= 100; i++) {
            call(oracle, 60 * i, BARS, 200);
        }
        expect(oracle, day == 100 ? "data_polls_are_spaced" : "", 0);
    }
}

/* An exit is decided by these. */
Test(polls, what_is_held_is_asked_for) {
    for (int64_t silent = 50; silent <= 55; silent += 5) { /* 45 s from the second tick on */
        struct oracle *oracle = opened();
        call(oracle, 0, QUOTES, 200);
        call(oracle, 0, TRADES, 200);
        ledger_fill(oracle, OPEN, "st-2023-11-15-1", "buy", 10);
        for (int64_t second = 0; second <= silent; second += 5) {
            call(oracle, second, TRADES, 200);
            tick(oracle, second);
        }
        expect(oracle, silent == 55 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, what_is_held_waits_while_the_lane_of_the_polls_is_spent) {
    for (int requests = 138; requests <= 139; requests++) { /* and one of trades */
        struct oracle *oracle = opened();
        call(oracle, 0, QUOTES, 200);
        ledger_fill(oracle, OPEN, "st-2023-11-15-1", "buy", 10);
        for (int64_t second = 0; second < 80; second += 5) {
            if (second < 50) {
                call(oracle, second, TRADES, 200);
            }
            for (int i = 0; second == 45 && i < requests - 10; i++) {
                call(oracle, second, "/v2/account", 200);
            }
            tick(oracle, second);
        }
        expect(oracle, requests == 138 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, a_new_process_begins_anew_and_daily_bars_are_none) {
    struct oracle *oracle = opened();
    bars_fail(oracle, 0, true);
    call(oracle, 1, "/v2/stocks/bars?symbols=AAPL&feed=sip&timeframe=1Day", 502);
    tick(oracle, 1);
    word(oracle, EVENT_STOP, OPEN + 2, "dead", "");
    word(oracle, EVENT_START, OPEN + 3, "ready", "");
    bars_fail(oracle, 4, true);
    expect(oracle, "", 0);
}

Test(polls, nothing_is_bought_on_bars_that_were_answered_long_ago) {
    for (int64_t second = 151; second <= 152; second++) { /* a second is slack */
        struct oracle *oracle = opened();
        call(oracle, 0, BARS, 200);
        order_leaves(oracle, OPEN + second, "buy", "AAPL", "st-2023-11-15-1");
        expect(oracle, second == 152 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, an_answer_of_other_bars_makes_a_score_no_younger) {
    for (int is_of_it = 0; is_of_it < 2; is_of_it++) {
        struct oracle *oracle = opened();
        call(oracle, 0, BARS, 200);
        call(oracle, 60, is_of_it ? BARS : "/v2/stocks/bars?symbols=TSLA&feed=sip&timeframe=1Min",
             200);
        order_leaves(oracle, OPEN + 160, "buy", "AAPL", "st-2023-11-15-1");
        expect(oracle, is_of_it ? "" : "data_polls_are_spaced", 0);
    }
}

/* The minute of a snapshot is 150 s old from its start, and a second is slack; of another symbol it is none. */
Test(polls, with_snapshots_that_fill_in_their_minute_must_be_fresh) {
    static const struct {
        const char *fill, *symbol;
        int64_t minute;
        bool is_good;
    } rows[] = {{"600", "AAPL", 49, true},
                {"600", "AAPL", 48, false},
                {"600", "TSLA", 100, false},
                {"0", "AAPL", 100, false}};
    static const char path[] = "/v2/stocks/snapshots?symbols=AAPL,TSLA&feed=sip";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = opened();
        char body[128];
        char text[UTC_TEXT_MAX];
        frame(oracle, "signals.fill_s", rows[i].fill);
        frame(oracle, "signals.cache_s", "0");
        call(oracle, 0, BARS, 200);
        leaves(oracle, OPEN + 180, "GET", path, "");
        utc_print(at(OPEN + rows[i].minute), text);
        snprintf(body, sizeof body, "\n{\"%s\":{\"minuteBar\":{\"t\":\"%s\"}},\"NONE\":null}",
                 rows[i].symbol, text);
        answer(oracle, OPEN + 180, path, 200, body);
        order_leaves(oracle, OPEN + 200, "buy", "AAPL", "st-2023-11-15-1");
        expect_spaced(oracle, rows[i].is_good, i);
    }
}

static void quotes_fail_beside_a_position(struct oracle *oracle, int status) {
    ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
    call(oracle, 0, "/v2/stocks/quotes/latest?symbols=TSLA,AAPL&feed=sip", status);
    tells(oracle, 0, "smart_poller", "acted", "quotes");
    call(oracle, 0, QUOTES, 200);
    tick(oracle, 0);
}

Test(polls, what_is_held_alone_ends_no_failure_that_others_may_have_caused) {
    for (int64_t second = 60; second <= 96; second += 36) {
        struct oracle *oracle = opened();
        quotes_fail_beside_a_position(oracle, 400);
        tells(oracle, 5, "smart_poller", "held", "quotes");
        call(oracle, 5, QUOTES, 200);
        tick(oracle, 5);
        call(oracle, second, "/v2/stocks/quotes/latest?symbols=TSLA,AAPL&feed=sip", 200);
        tells(oracle, second, "smart_poller", "released", "quotes");
        expect(oracle, second == 60 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, a_host_that_failed_answers_for_all) {
    struct oracle *oracle = opened();
    quotes_fail_beside_a_position(oracle, 502);
    tells(oracle, 5, "smart_poller", "held", "quotes");
    expect_scored(oracle, "data_polls_are_spaced", "\"unfounded\":1,");
}

Test(polls, failures_of_what_is_held_make_no_wait_longer) {
    for (int64_t second = 94; second <= 96; second += 2) {
        struct oracle *oracle = opened();
        ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
        call(oracle, 0, "/v2/stocks/quotes/latest?symbols=TSLA,AAPL&feed=sip", 502);
        tells(oracle, 0, "smart_poller", "acted", "quotes");
        tick(oracle, 0);
        call(oracle, 5, QUOTES, 502);
        tick(oracle, 5);
        call(oracle, second, "/v2/stocks/quotes/latest?symbols=TSLA,AAPL&feed=sip", 502);
        expect(oracle, second == 94 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, pages_that_end_before_the_last_may_have_failed) {
    for (int is_last = 0; is_last < 2; is_last++) {
        struct oracle *oracle = opened();
        leaves(oracle, OPEN, "GET", BARS, "");
        answer(oracle, OPEN, BARS, 200, "\n{\"next_page_token\":\"x\"}");
        if (is_last) {
            leaves(oracle, OPEN, "GET", "/v2/stocks/bars?symbols=TSLA&page_token=x", "");
            answer(oracle, OPEN, "/v2/stocks/bars?symbols=TSLA&page_token=x", 200,
                   "\n{\"next_page_token\":null}");
        }
        tells(oracle, 0, "smart_poller", "acted", "bars");
        tick(oracle, 0);
        expect(oracle, is_last ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, housekeeping_spends_no_lane_of_the_polls) {
    static const char *const paths[] = {"/v2/account", "/v2/account/activities", "/v2/assets/AAPL",
                                        "/v1/corporate-actions?symbols=AAPL"};
    for (size_t path = 0; path < 4; path++) {
        struct oracle *oracle = opened();
        call(oracle, 0, QUOTES, 200);
        ledger_fill(oracle, OPEN, "st-2023-11-15-1", "buy", 10);
        for (int64_t second = 0; second < 80; second += 5) {
            call(oracle, second, TRADES, 200);
            call(oracle, second, BARS, 200);
            for (int i = 0; second == 45 && i < 140; i++) {
                call(oracle, second, paths[path], 200);
            }
            tick(oracle, second);
        }
        expect(oracle, path == 0 ? "" : "data_polls_are_spaced", 0);
    }
}

Test(polls, bars_of_what_is_held_are_asked_for_each_cycle) {
    for (int64_t last = 170; last <= 171; last++) { /* 165 s from the second tick on */
        struct oracle *oracle = opened();
        ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
        call(oracle, 0, BARS, 200);
        for (int64_t second = 0; second <= last; second += second < 170 ? 5 : 1) {
            call(oracle, second, QUOTES, 200);
            call(oracle, second, TRADES, 200);
            tick(oracle, second);
        }
        expect(oracle, last == 171 ? "data_polls_are_spaced" : "", 0);
    }
}

Test(polls, all_names_of_the_largest_universe_are_judged) {
    struct oracle *oracle = opened();
    struct text path = {0};
    text_add(&path, "/v2/stocks/quotes/latest?symbols=");
    for (int i = 0; i < 127; i++) {
        text_add(&path, "AAPL,");
    }
    text_add(&path, "TSLA&feed=sip");
    ledger_fill(oracle, OPEN - 3000, "st-2023-11-15-1", "buy", 10);
    call(oracle, 0, text_get(&path), 502);
    tells(oracle, 0, "smart_poller", "acted", "quotes");
    tick(oracle, 0);
    call(oracle, 60, text_get(&path), 502);
    text_release(&path);
    expect(oracle, "data_polls_are_spaced", 0);
}

Test(polls, a_request_may_count_from_its_answer_on) {
    for (int64_t lag = 0; lag <= 9; lag += 9) {
        struct oracle *oracle = framed("10", "100000");
        for (int64_t second = 0; second < 5; second++) {
            leaves(oracle, OPEN + second, "GET", BARS, "");
            answer(oracle, OPEN + second + lag, BARS, 200, "\n");
        }
        tells(oracle, 67, "smart_poller", "held", "bars");
        expect(oracle, lag == 0 ? "data_polls_are_spaced" : "", 0);
    }
}

/* The sale is not in it; the broker's listing says so, and for ten minutes the core may wonder. */
Test(polls, a_journal_that_went_back_knows_what_was_sold_as_held) {
    static const struct {
        int64_t row, listed; /* 0: not */
        bool is_good;
    } rows[] = {{6, 0, false}, {3, 0, true}, {3, 805, true}, {3, 804, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = opened();
        ledger_fill(oracle, OPEN + 1, "st-2023-11-15-1", "buy", 10);
        ledger_fill(oracle, OPEN + 2, "st-2023-11-15-2", "sell", 10);
        row_at(oracle, OPEN + 3, 5, "note", "AAPL", "{}");
        word(oracle, EVENT_STOP, OPEN + 4, "dead", "");
        row_at(oracle, OPEN + 5, rows[i].row, "start", "boot", "{}");
        word(oracle, EVENT_START, OPEN + 6, "ready", "");
        if (rows[i].listed != 0) {
            call(oracle, rows[i].listed, "/v2/positions", 200);
        }
        call(oracle, 1400, QUOTES, 502);
        tells(oracle, 1400, "smart_poller", "acted", "quotes");
        tick(oracle, 1400);
        call(oracle, 1404, QUOTES, 502);
        expect_spaced(oracle, rows[i].is_good, i);
    }
}
