/* test_judges_rails.c - the judge of the account's configuration: bought past it, refused for nothing, set unasked. */
#include "tests/unit/stream.h"

enum { TEN = 60400, OPEN = 58600 }; /* seconds; 2023-11-15, a Wednesday */

static const char ID[] = "rails_bind_first";
static const char PATH[] = "/v2/account/configurations";

#define CONFIGURATION(margin, no_shorting, suspended)                                              \
    "\n{\"max_margin_multiplier\":\"" margin "\",\"no_shorting\":" no_shorting                     \
    ",\"suspend_trade\":" suspended "}"
#define FIT CONFIGURATION("1", "true", "false")

static struct oracle *begin(const char *gross, const char *write) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.gross_exposure", gross);
    frame(oracle, "rails.interval_s", "3600");
    frame(oracle, "rails.write", write);
    word(oracle, EVENT_START, OPEN - 100, "ready", "");
    return oracle;
}

static struct oracle *reads(const char *gross, const char *configuration) {
    struct oracle *oracle = begin(gross, "0");
    answer(oracle, TEN - 10, PATH, 200, configuration);
    return oracle;
}

static void says(struct oracle *oracle, int64_t second, const char *what) {
    word(oracle, EVENT_MECHANISM, second, "broker_rails", what);
}

static void buys(struct oracle *oracle, int64_t second) {
    order_leaves(oracle, second, "buy", "AAPL", "st-1");
}

static void refuses(struct oracle *oracle, int64_t second, const char *purpose) {
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(second),
                                .subject = "BROKER_RAILS",
                                .what = purpose,
                                .symbol = "AAPL",
                                .body = "why",
                                .body_len = 3});
}

Test(rails_judge, what_is_fit_is_bought_under) {
    struct oracle *oracle = reads("1", FIT);
    buys(oracle, TEN);
    expect(oracle, "", 0);
    oracle = reads("2", CONFIGURATION("2", "true", "false"));
    buys(oracle, TEN);
    expect(oracle, "", 0);
}

Test(rails_judge, each_flaw_is_bought_past) {
    static const char *const flaws[] = {CONFIGURATION("2", "true", "false"),
                                        CONFIGURATION("1", "false", "false"),
                                        CONFIGURATION("1", "true", "true")};
    for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++) {
        struct oracle *oracle = reads("1", flaws[i]);
        says(oracle, TEN - 8, "acted");
        buys(oracle, TEN);
        expect_scored(oracle, ID,
                      "{\"mechanism\":\"broker_rails\",\"due\":1,\"acted\":1,\"missed\":1,"
                      "\"unfounded\":0,\"risky\":1,\"latency_ms\":2000,");
    }
}

Test(rails_judge, what_is_not_known_is_bought_past) {
    struct oracle *oracle = begin("1", "0");
    buys(oracle, TEN);
    expect(oracle, ID, 0);
    oracle = reads("1", CONFIGURATION("3", "true", "false")); /* no answer */
    buys(oracle, TEN);
    expect(oracle, ID, 0);
    oracle = reads("1", FIT);
    word(oracle, EVENT_MODE, TEN - 5, "NORMAL", "REDUCE_ONLY");
    buys(oracle, TEN);
    expect(oracle, ID, 0);
    oracle = reads("1", FIT);
    buys(oracle, TEN - 10 + 7200);
    expect(oracle, "", 0);
    oracle = reads("1", FIT);
    buys(oracle, TEN - 10 + 7201);
    expect(oracle, ID, 0);
    oracle = reads("1", FIT);
    word(oracle, EVENT_STOP, TEN - 5, "dead", "");
    word(oracle, EVENT_START, TEN - 4, "ready", "");
    buys(oracle, TEN);
    expect(oracle, ID, 0);
}

Test(rails_judge, a_flaw_is_said_by_the_end_of_the_tick) {
    struct oracle *oracle = reads("1", CONFIGURATION("4", "true", "false"));
    word(oracle, EVENT_TICK, TEN - 9, "tick", "");
    expect_scored(oracle, ID,
                  "{\"mechanism\":\"broker_rails\",\"due\":1,\"acted\":0,\"missed\":1,");
    oracle = reads("1", CONFIGURATION("4", "true", "false"));
    says(oracle, TEN - 9, "acted");
    word(oracle, EVENT_TICK, TEN - 9, "tick", "");
    expect_scored(oracle, "",
                  "{\"mechanism\":\"broker_rails\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000,");
    oracle = reads("1", FIT);
    says(oracle, TEN - 9, "acted");
    expect_scored(oracle, ID,
                  "{\"mechanism\":\"broker_rails\",\"due\":0,\"acted\":0,\"missed\":0,"
                  "\"unfounded\":1,");
}

Test(rails_judge, a_refusal_has_a_reason_and_no_exit_has_one) {
    struct oracle *oracle = reads("1", FIT);
    refuses(oracle, TEN, "entry");
    expect(oracle, ID, 0);
    oracle = reads("1", CONFIGURATION("1", "true", "true"));
    refuses(oracle, TEN, "entry");
    expect(oracle, "", 0);
    oracle = reads("1", CONFIGURATION("1", "true", "true"));
    refuses(oracle, TEN, "exit");
    expect(oracle, ID, 0);
    oracle = reads("1", FIT);
    answer(oracle, TEN - 2, "/v2/account", 200, "\n{\"trade_suspended_by_user\":true}");
    refuses(oracle, TEN, "entry");
    expect(oracle, "", 0);
}

Test(rails_judge, who_does_not_know_asks_within_a_quarter_of_an_hour) {
    struct oracle *oracle = begin("1", "0");
    refuses(oracle, OPEN + 900, "entry");
    expect(oracle, "", 0);
    oracle = begin("1", "0");
    refuses(oracle, OPEN + 901, "entry");
    expect(oracle, ID, 0);
}

Test(rails_judge, it_is_set_only_tighter_and_only_where_that_is_allowed) {
    static const struct {
        const char *write, *body, *id;
    } rows[] = {{"1", "{\"no_shorting\":true,\"max_margin_multiplier\":\"1\"}", ""},
                {"0", "{\"no_shorting\":true}", "rails_bind_first"},
                {"1", "{\"no_shorting\":false}", "rails_bind_first"},
                {"1", "{\"max_margin_multiplier\":\"4\"}", "rails_bind_first"},
                {"1", "{\"max_margin_multiplier\":\"2\"}", ""},
                {"1", "{\"suspend_trade\":false}", "rails_bind_first"},
                {"1", "{\"suspend_trade\":true}", "rails_bind_first"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = begin("1", rows[i].write);
        answer(oracle, TEN - 10, PATH, 200, CONFIGURATION("2", "false", "false"));
        says(oracle, TEN - 10, "acted");
        leaves(oracle, TEN, "PATCH", PATH, rows[i].body);
        expect(oracle, rows[i].id, 0);
    }
}

Test(rails_judge, what_was_set_is_bought_under_once_it_was_read_back) {
    for (int is_read = 0; is_read < 2; is_read++) {
        struct oracle *oracle = begin("1", "1");
        answer(oracle, TEN - 10, PATH, 200, CONFIGURATION("1", "false", "false"));
        says(oracle, TEN - 10, "acted");
        leaves(oracle, TEN - 9, "PATCH", PATH, "{\"no_shorting\":true}");
        if (is_read) {
            answer(oracle, TEN - 8, PATH, 200, FIT);
        }
        buys(oracle, TEN);
        expect(oracle, is_read ? "" : ID, 0);
    }
}
