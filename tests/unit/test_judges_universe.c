/* test_judges_universe.c - the judge of what may be bought: each flaw bought, each refusal without one. */
#include "tests/unit/stream.h"

enum { TEN = 60400, OPEN = 58600, READ = OPEN - 3600 }; /* seconds; 2023-11-15, a Wednesday */

static const char ID[] = "only_what_may_be_bought";
static const char SCORE[] = "universe_guard";

#define ASSET(symbol, exchange, status, tradable)                                                  \
    "\n{\"class\":\"us_equity\",\"exchange\":\"" exchange "\",\"symbol\":\"" symbol                \
    "\",\"status\":\"" status "\",\"tradable\":" tradable "}"
#define BAR(date, volume)                                                                          \
    "{\"t\":\"" date "T05:00:00Z\",\"o\":100,\"h\":101,\"l\":99,\"c\":100,\"v\":" volume "}"
#define BARS(bars) "\n{\"bars\":{\"AAPL\":[" bars "]},\"next_page_token\":null}"
#define ACTIONS(kinds) "\n{\"corporate_actions\":{" kinds "},\"next_page_token\":null}"
#define QUOTES(bid, ask) "\n{\"quotes\":{\"AAPL\":{\"bp\":" bid ",\"ap\":" ask "}}}"

static void read_asset(struct oracle *oracle, int64_t second, const char *body) {
    answer(oracle, second, "/v2/assets/AAPL", 200, body);
}

static void read_volumes(struct oracle *oracle, int64_t second, const char *body) {
    leaves(oracle, second, "GET", "/v2/stocks/bars?symbols=AAPL&timeframe=1Day", "");
    answer(oracle, second, "/v2/stocks/bars?symbols=AAPL&timeframe=1Day", 200, body);
}

static void read_actions(struct oracle *oracle, int64_t second, const char *body) {
    leaves(oracle, second, "GET", "/v1/corporate-actions?symbols=AAPL", "");
    answer(oracle, second, "/v1/corporate-actions?symbols=AAPL", 200, body);
}

static void read_quotes(struct oracle *oracle, int64_t second, const char *body) {
    answer(oracle, second, "/v2/stocks/quotes/latest?symbols=AAPL", 200, body);
}

/* 50 to 100 shares at 100 are half a percent to one of what a session trades. */
static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "universe.min_price_usd", "3");
    frame(oracle, "universe.min_dollar_volume_usd", "100000");
    frame(oracle, "universe.volume_share", "0.01");
    frame(oracle, "universe.max_spread", "0.005");
    frame(oracle, "universe.action_days", "2");
    frame(oracle, "orders.cap_usd", "5000");
    frame(oracle, "sizing.base_usd", "5000");
    word(oracle, EVENT_START, READ - 100, "ready", "");
    return oracle;
}

static struct oracle *reads_at(int64_t second) {
    struct oracle *oracle = begin();
    read_asset(oracle, second, ASSET("AAPL", "NASDAQ", "active", "true"));
    read_volumes(oracle, second, BARS(BAR("2023-11-13", "40000") "," BAR("2023-11-14", "20000")));
    read_actions(oracle, second, ACTIONS(""));
    read_quotes(oracle, TEN - 1, QUOTES("99.9", "100"));
    return oracle;
}

static struct oracle *reads(void) {
    return reads_at(READ);
}

static void buys(struct oracle *oracle, int64_t second) {
    order_leaves(oracle, second, "buy", "AAPL", "st-2023-11-15-1");
}

static void buys_for(struct oracle *oracle, const char *limit, const char *qty) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"%s\","
             "\"limit_price\":\"%s\",\"client_order_id\":\"st-2023-11-15-1\"}",
             qty, limit);
    leaves(oracle, TEN, "POST", "/v2/orders", body);
}

static void refused(struct oracle *oracle, int64_t second, const char *code, const char *purpose,
                    const char *numbers) {
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(second),
                                .subject = code,
                                .what = purpose,
                                .symbol = "AAPL",
                                .body = numbers,
                                .body_len = strlen(numbers)});
}

static void expect_score(struct oracle *oracle, const char *id, const char *score) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), SCORE));
    text_release(&verdict);
    expect_scored(oracle, id, score);
}

Test(universe, what_all_answers_let_pass_is_bought) {
    struct oracle *oracle = reads();
    buys(oracle, TEN);
    expect(oracle, "", 0);
}

Test(universe, a_buy_of_what_was_not_read_is_missed) {
    struct oracle *oracle = begin();
    buys(oracle, TEN);
    expect_score(oracle, ID, "\"missed\":1,\"unfounded\":0,\"risky\":1");
    oracle = reads_at(READ - 1);
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and its asset was not read");
    oracle = reads();
    word(oracle, EVENT_STOP, TEN - 10, "dead", "");
    word(oracle, EVENT_START, TEN - 5, "ready", "");
    buys(oracle, TEN);
    expect(oracle, ID, 0);
}

Test(universe, an_answer_that_is_damaged_is_none) {
    struct oracle *oracle = reads();
    read_volumes(oracle, READ + 1, "\n{\"bars\":{\"AAPL\":[{\"t\":\"2023-11-14T05:00:00Z\"}]}}");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and volumes were not read");
    oracle = reads();
    read_actions(oracle, READ + 1, "\n{\"corporate_actions\":{\"x\":[{\"symbol\":\"T\"}]}}");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and actions were not read");
    oracle = begin();
    read_asset(oracle, READ, "\n{\"symbol\":\"AAPL\"}");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and its asset was not read");
}

Test(universe, a_buy_of_what_is_barred_is_missed) {
    static const char *const assets[] = {ASSET("AAPL", "NASDAQ", "active", "false"),
                                         ASSET("AAPL", "NASDAQ", "inactive", "true"),
                                         ASSET("AAPL", "OTC", "active", "true")};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = reads();
        read_asset(oracle, READ + 1, assets[i]);
        refused(oracle, TEN - 1, "UNIVERSE_BARRED", "entry", "not tradable");
        buys(oracle, TEN);
        expect_score(oracle, ID, "\"due\":2,\"acted\":1,\"missed\":1,\"unfounded\":0");
    }
    struct oracle *oracle = reads();
    answer(oracle, READ + 1, "/v2/assets/AAPL", 404, "\n{\"code\":40410000}");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and not tradable");
}

Test(universe, the_restricted_list_is_the_last_one_told) {
    struct oracle *oracle = reads();
    frame(oracle, "restricted", "none");
    frame(oracle, "restricted AAPL", "on");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and restricted");
    oracle = reads();
    frame(oracle, "restricted AAPL", "on");
    frame(oracle, "restricted", "none");
    buys(oracle, TEN);
    expect(oracle, "", 0);
}

Test(universe, a_corporate_action_bars_two_weekdays_either_way) {
    static const char *const bodies[] = {
        ACTIONS("\"forward_splits\":[{\"symbol\":\"AAPL\",\"ex_date\":\"2023-11-17\"}]"),
        ACTIONS("\"stock_mergers\":[{\"acquiree_symbol\":\"AAPL\",\"effective_date\":"
                "\"2023-11-13\"}]"),
        ACTIONS("\"name_changes\":[{\"old_symbol\":\"AAPL\",\"process_date\":\"2023-11-15\"}]"),
        ACTIONS("\"cash_dividends\":[{\"symbol\":\"AAPL\",\"ex_date\":\"2023-11-20\","
                "\"process_date\":\"2023-11-15\"}]"),
        ACTIONS("\"forward_splits\":[{\"symbol\":\"MSFT\",\"ex_date\":\"2023-11-15\"}]")};
    for (size_t i = 0; i < 5; i++) {
        struct oracle *oracle = reads();
        read_actions(oracle, READ + 1, bodies[i]);
        buys(oracle, TEN);
        if (i < 3) {
            expect_finding(oracle, ID, TEN, "AAPL: a buy, and near a corporate action");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(universe, a_buy_beyond_a_threshold_is_missed) {
    struct oracle *oracle = reads();
    frame(oracle, "universe.min_price_usd", "100.01");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and too cheap");
    oracle = reads();
    frame(oracle, "universe.min_dollar_volume_usd", "300026");
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and too little is traded");
    oracle = reads();
    buys_for(oracle, "100", "31");
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and too much of what is traded");
    oracle = reads();
    buys_for(oracle, "100", "30");
    expect(oracle, "", 0);
    oracle = reads();
    read_quotes(oracle, TEN - 1, QUOTES("99.5", "100"));
    buys(oracle, TEN);
    expect_finding(oracle, ID, TEN, "AAPL: a buy, and its spread is wide");
}

Test(universe, what_is_sent_again_was_decided_then) {
    struct oracle *oracle = reads();
    buys(oracle, TEN);
    read_asset(oracle, TEN + 5, ASSET("AAPL", "OTC", "active", "true"));
    buys(oracle, TEN + 60);
    expect(oracle, "", 0);
}

Test(universe, behind_an_order_that_was_not_taken_the_symbol_is_read_again) {
    static const char taken[] = "{\"client_order_id\":\"st-2023-11-15-1\"}\n{\"code\":42210000}";
    for (int is_read = 0; is_read < 2; is_read++) {
        struct oracle *oracle = reads();
        buys(oracle, TEN);
        feed(oracle, (struct event){.kind = EVENT_HTTP,
                                    .at = at(TEN),
                                    .subject = "POST",
                                    .what = "/v2/orders",
                                    .number = 422,
                                    .body = taken,
                                    .body_len = strlen(taken)});
        refused(oracle, TEN + 1, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
        if (is_read) {
            read_asset(oracle, TEN + 2, ASSET("AAPL", "NASDAQ", "active", "true"));
        }
        order_leaves(oracle, TEN + 5, "buy", "AAPL", "st-2023-11-15-2");
        if (is_read) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, ID, TEN + 5, "AAPL: a buy, and nobody asked behind a refusal");
        }
    }
}

Test(universe, a_refusal_without_its_reason_is_false) {
    static const struct {
        const char *code, *numbers;
    } rows[] = {{"UNIVERSE_UNKNOWN", "asset not read today"},
                {"UNIVERSE_BARRED", "not tradable"},
                {"LOW_VOLUME", "1 against 2"},
                {"VOLUME_SHARE", "2 against 1"},
                {"WIDE_SPREAD", "2 against 1"}};
    for (size_t i = 0; i < 5; i++) {
        struct oracle *oracle = reads();
        frame(oracle, "universe.volume_share", "0.1"); /* the largest entry is a sixtieth */
        refused(oracle, TEN, rows[i].code, "entry", rows[i].numbers);
        expect_score(oracle, ID, "\"acted\":0,\"missed\":0,\"unfounded\":1");
    }
}

Test(universe, a_refusal_that_outlives_its_reason_is_late) {
    struct oracle *oracle = reads();
    read_asset(oracle, READ + 1, ASSET("AAPL", "NASDAQ", "active", "false"));
    refused(oracle, TEN, "UNIVERSE_BARRED", "entry", "not tradable");
    read_asset(oracle, TEN + 5, ASSET("AAPL", "NASDAQ", "active", "true"));
    refused(oracle, TEN + 10, "UNIVERSE_BARRED", "entry", "not tradable");
    expect_finding(oracle, ID, TEN + 10, "AAPL: UNIVERSE_BARRED for nothing, not tradable");
}

Test(universe, what_nobody_reads_for_a_quarter_of_an_hour_is_late) {
    struct oracle *oracle = begin();
    refused(oracle, OPEN + 900, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
    refused(oracle, OPEN + 901, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
    expect_finding(oracle, ID, OPEN + 901, "AAPL: nobody asks, asset not read today");
    oracle = begin();
    word(oracle, EVENT_FAULT, OPEN + 10, "api.500", "");
    refused(oracle, OPEN + 901, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
    expect(oracle, "", 0);
}

static void exits(struct oracle *oracle, int64_t second, const char *symbol, const char *phase) {
    feed(oracle, (struct event){.kind = EVENT_EXIT,
                                .at = at(second),
                                .subject = "time",
                                .what = phase,
                                .symbol = symbol});
}

/* A halted symbol's exit is at work for 20 s, its stop rests for two, and again: with a tick each 5 s none is without
 * it. Two symbols at once are one. */
Test(universe, a_tick_with_an_exit_at_work_counts_for_none_to_be_late) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = begin();
        exits(oracle, OPEN + 1, "SNOW", "working");
        exits(oracle, OPEN + 2, "TSLA", "working");
        exits(oracle, OPEN + 3, "TSLA", "over");
        for (int64_t second = 5; second <= 2000; second += 5) {
            if (second % 25 == 0) {
                exits(oracle, OPEN + second - 2, "SNOW", "decided");
                exits(oracle, OPEN + second, "SNOW", second % 2 == 0 ? "releasing" : "working");
            }
            word(oracle, EVENT_TICK, OPEN + second, "tick", "");
        }
        exits(oracle, OPEN + 2001, "SNOW", "over");
        for (int64_t second = 2005; second <= 2900; second += 5) {
            word(oracle, EVENT_TICK, OPEN + second, "tick", "");
        }
        refused(oracle, OPEN + 2905 + is_late, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
        if (is_late) {
            expect_finding(oracle, ID, OPEN + 2906, "AAPL: nobody asks, asset not read today");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* A life that ended took its exits with it; the next one says which it takes over. */
Test(universe, an_exit_of_the_life_before_is_not_at_work) {
    for (int is_taken = 0; is_taken < 2; is_taken++) {
        struct oracle *oracle = begin();
        exits(oracle, OPEN + 5, "SNOW", "working");
        word(oracle, EVENT_STOP, OPEN + 10, "dead", "");
        word(oracle, EVENT_START, OPEN + 20, "ready", "");
        exits(oracle, OPEN + 20, "SNOW", is_taken ? "working" : "resumed");
        refused(oracle, OPEN + 921, "UNIVERSE_UNKNOWN", "entry", "asset not read today");
        if (is_taken) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, ID, OPEN + 921, "AAPL: nobody asks, asset not read today");
        }
    }
}

Test(universe, an_exit_that_is_held_to_it_is_wrong_whatever_is_known) {
    struct oracle *oracle = begin();
    refused(oracle, TEN, "UNIVERSE_UNKNOWN", "exit", "asset not read today");
    expect_finding(oracle, ID, TEN, "AAPL: an exit is held to UNIVERSE_UNKNOWN");
}

Test(universe, behind_a_wall_that_was_stepped_nothing_is_judged_by_it) {
    struct oracle *oracle = begin();
    word(oracle, EVENT_FAULT, TEN - 1, "clock.step", "");
    buys(oracle, TEN);
    refused(oracle, TEN + 1, "UNIVERSE_BARRED", "entry", "not tradable");
    expect(oracle, "", 0);
}
