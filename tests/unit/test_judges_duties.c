/* test_judges_duties.c - the scores of what only refuses, and of what acts by signs: each verdict, its figures. */
#include "tests/unit/stream.h"

enum { TEN = 60400 }; /* seconds; 2023-11-15 10:00 in New York, a session */

/* Ends the oracle; its scores say this. */
static void scored(struct oracle *oracle, const char *score) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), score), "%s\n in %s", score, text_get(&verdict));
    text_release(&verdict);
    oracle_destroy(oracle);
}

/* Ends it; of this mechanism nothing is counted. */
static void unscored(struct oracle *oracle, const char *mechanism) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    const char *scores = strstr(text_get(&verdict), "\"scores\":");
    cr_expect_null(strstr(scores, mechanism), "%s", scores);
    text_release(&verdict);
    oracle_destroy(oracle);
}

static struct oracle *up(void) {
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_START, TEN - 600, "ready", "");
    return oracle;
}

static void tick(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = at(second), .subject = "cycle"});
}

static void http(struct oracle *oracle, int64_t second, const char *method, const char *what,
                 int status, const char *error, const char *body) {
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = method,
                                .what = what,
                                .id = error,
                                .number = status,
                                .body = body,
                                .body_len = strlen(body)});
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

/* --- what only refuses --- */

static const struct refuser {
    const char *code, *mechanism, *within, *beyond; /* of its bound */
} REFUSERS[] = {
    {"SESSION", "session_gate", "11 against 10", "10 against 10"},
    {"STALE_QUOTE", "data_guard", "10 against 10", "11 against 10"},
    {"COLLAR", "price_collar", "10 against 10", "11 against 10"},
    {"ORDER_CAP", "order_validation", "10 against 10", "11 against 10"},
    {"BUYING_POWER", "order_validation", "10 against 10", "11 against 10"},
    {"MIN_NOTIONAL", "position_sizing", "10 against 10", "9 against 10"},
    {"MAX_POSITIONS", "max_positions", "9 against 10", "10 against 10"},
    {"ENTRY_RATE", "max_positions", "9 against 10", "10 against 10"},
    {"GROSS_EXPOSURE", "gross_exposure", "10 against 10", "11 against 10"},
    {"SYMBOL_LIMIT", "symbol_limit", "10 against 10", "11 against 10"},
    {"SECTOR_LIMIT", "sector_limit", "10 against 10", "11 against 10"},
    {"THEME_LIMIT", "theme_limit", "10 against 10", "11 against 10"},
    {"CORRELATION_LIMIT", "correlation_limit", "10 against 10", "11 against 10"},
    {"SYMBOL_COOLDOWN", "symbol_cooldown", "10 against 10", "9 against 10"},
};
enum { REFUSERS_COUNT = sizeof REFUSERS / sizeof REFUSERS[0] };

Test(duties, a_refusal_beyond_its_bound_is_an_attempt_that_was_held) {
    for (size_t i = 0; i < REFUSERS_COUNT; i++) {
        char score[160];
        struct oracle *oracle = up();
        refused(oracle, TEN, REFUSERS[i].code, "entry", REFUSERS[i].beyond);
        refused(oracle, TEN + 60, REFUSERS[i].code, "entry", REFUSERS[i].beyond);
        snprintf(
            score, sizeof score,
            "\"mechanism\":\"%s\",\"due\":2,\"acted\":2,\"missed\":0,\"unfounded\":0,\"risky\":0,"
            "\"latency_ms\":0",
            REFUSERS[i].mechanism);
        expect_scored(oracle, "", score);
    }
}

Test(duties, a_refusal_within_its_bound_is_unfounded) {
    for (size_t i = 0; i < REFUSERS_COUNT; i++) {
        char score[160];
        struct oracle *oracle = up();
        refused(oracle, TEN, REFUSERS[i].code, "entry", REFUSERS[i].within);
        snprintf(score, sizeof score,
                 "\"mechanism\":\"%s\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1",
                 REFUSERS[i].mechanism);
        expect_scored(oracle, "refusal_is_warranted", score);
    }
}

/* A refusal of a new kind has a score, or a judge that keeps one. */
Test(duties, each_refusal_is_scored_as_its_mechanism_s) {
    static const struct {
        const char *code, *mechanism;
    } rows[] = {
#define REFUSAL(code, word, mechanism, binds, meaning) {word, mechanism},
#include "core/orders/refusal.def"
#undef REFUSAL
    };
    static const char elsewhere[] = " performance_breaker broker_rails capital_ramp margin_guard "
                                    "daily_loss displacement universe_guard circuit_breaker "
                                    "message_throttle stuck_orders ";
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; i++) {
        char word_of[64];
        char key[64];
        struct oracle *oracle = up();
        struct text verdict = {0};
        snprintf(word_of, sizeof word_of, " %s ", rows[i].mechanism);
        snprintf(key, sizeof key, "\"mechanism\":\"%s\"", rows[i].mechanism);
        refused(oracle, TEN, rows[i].code, "entry", "");
        oracle_verdict(oracle, &verdict);
        cr_expect(strstr(elsewhere, word_of) != NULL || strstr(text_get(&verdict), key) != NULL,
                  "%s of %s: %s", rows[i].code, rows[i].mechanism, text_get(&verdict));
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

Test(duties, a_refusal_of_another_judge_s_mechanism_is_left_to_it) {
    struct oracle *oracle = up();
    refused(oracle, TEN, "LOW_PRICE", "entry", "1 against 3");
    unscored(oracle, "price_collar");
}

Test(duties, a_mode_is_a_reason_to_refuse_while_a_cause_demands_it) {
    struct oracle *oracle = up();
    refused(oracle, TEN, "MODE", "entry", "");
    scored(oracle,
           "\"mechanism\":\"reduce_only\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1");
    oracle = up();
    body_of(oracle, EVENT_MECHANISM, TEN - 1, "degraded_mode", "acted",
            "\"cause\":\"degraded_mode\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    refused(oracle, TEN, "MODE", "entry", "");
    scored(oracle,
           "\"mechanism\":\"reduce_only\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
}

/* A buy at 06:00 went through, one five seconds later did not. */
Test(duties, late_is_from_the_first_attempt_that_went_through_to_the_one_that_was_held) {
    struct oracle *oracle = up();
    order_leaves(oracle, TEN - 4 * 3600, "buy", "AAPL", "st-2023-11-15-1");
    order_leaves(oracle, TEN - 4 * 3600 + 2, "buy", "MSFT", "st-2023-11-15-2");
    refused(oracle, TEN - 4 * 3600 + 5, "SESSION", "entry", "closed");
    expect_scored(
        oracle, "entry_in_session",
        "\"mechanism\":\"session_gate\",\"due\":3,\"acted\":1,\"missed\":2,\"unfounded\":0,"
        "\"risky\":2,\"latency_ms\":5000");
}

/* 60 shares at 100 are 1,000 beyond half of 10,000 before the core adds 1,000 more. */
Test(duties, dollars_beyond_a_limit_are_parted_into_what_was_there_and_what_was_sent) {
    struct oracle *oracle = up();
    frame(oracle, "risk.gross_exposure", "0.5");
    equity(oracle, TEN - 60, 10000);
    ledger_order(oracle, TEN - 50, "st-2023-11-15-1", "buy", "limit", "filled", 60, 60);
    ledger_fill(oracle, TEN - 50, "st-2023-11-15-1", "buy", 60);
    order_leaves(oracle, TEN, "buy", "MSFT", "st-2023-11-15-2");
    expect_scored(
        oracle, "gross_within_the_cap",
        "\"mechanism\":\"gross_exposure\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0,"
        "\"risky\":1,\"latency_ms\":0,\"overshoot_view\":\"1000\",\"overshoot_own\":\"1000\"");
}

/* 10 shares at 100, where at most 5,000 USD, 4 %, and 5 % about an ask of 100 are allowed. */
Test(duties, an_entry_beyond_its_size_is_missed_by_so_many_dollars) {
    struct oracle *oracle = up();
    frame(oracle, "sizing.base_usd", "400");
    frame(oracle, "sizing.equity_share", "1");
    frame(oracle, "sizing.risk_budget", "1");
    frame(oracle, "stops.distance", "0.1");
    equity(oracle, TEN - 60, 100000);
    order_leaves(oracle, TEN, "buy", "AAPL", "st-2023-11-15-1");
    expect_scored(
        oracle, "entry_within_its_size",
        "\"mechanism\":\"position_sizing\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0,"
        "\"risky\":1,\"latency_ms\":0,\"overshoot_view\":\"0\",\"overshoot_own\":\"600\"");
}

static void quoted(struct oracle *oracle, const char *body) {
    answer(oracle, TEN - 1, "/v2/stocks/quotes/latest?symbols=AAPL", 200, body);
}

/* A limit of 100 under a collar of 2 %: with 1 % of agreement and 1 % of spread, asks of 96 to 104 may explain it. */
Test(duties, a_price_beyond_collar_agreement_and_spread_passed_the_collar) {
    static const struct {
        const char *quotes;
        bool is_missed;
    } rows[] = {
        {"\n{\"quotes\":{\"AAPL\":{\"ap\":104.16,\"bp\":104,\"t\":\"2023-11-15T15:00:00Z\"}}}",
         false},
        {"\n{\"quotes\":{\"AAPL\":{\"ap\":104.17,\"bp\":104,\"t\":\"2023-11-15T15:00:00Z\"}}}",
         true},
        {"\n{\"quotes\":{\"AAPL\":{\"ap\":96.2,\"bp\":96,\"t\":\"2023-11-15T15:00:00Z\"}}}", false},
        {"\n{\"quotes\":{\"AAPL\":{\"ap\":96.1,\"bp\":96,\"t\":\"2023-11-15T15:00:00Z\"}}}", true},
        {"\n{\"quotes\":{\"MSFT\":{\"ap\":50,\"bp\":49,\"t\":\"2023-11-15T15:00:00Z\"}}}", false},
        {"\n{\"quotes\":{}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = up();
        frame(oracle, "orders.collar", "0.02");
        frame(oracle, "data.reference_agreement", "0.01");
        quoted(oracle, rows[i].quotes);
        order_leaves(oracle, TEN, "buy", "AAPL", "st-2023-11-15-1");
        if (rows[i].is_missed) {
            scored(oracle, "\"mechanism\":\"price_collar\",\"due\":1,\"acted\":0,\"missed\":1");
        } else {
            unscored(oracle, "price_collar");
        }
    }
}

Test(duties, what_the_broker_refuses_for_want_of_buying_power_passed_validation) {
    struct oracle *oracle = up();
    order_leaves(oracle, TEN, "buy", "AAPL", "st-2023-11-15-1");
    http(oracle, TEN + 1, "POST", "/v2/orders", 403, "",
         "{\"client_order_id\":\"st-2023-11-15-1\"}\n{\"message\":\"insufficient buying power\"}");
    expect_scored(
        oracle, "",
        "\"mechanism\":\"order_validation\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

/* --- what acts by signs --- */

static void acts(struct oracle *oracle, int64_t second, const char *mechanism, const char *what,
                 const char *cause) {
    char body[128];
    snprintf(body, sizeof body, "\"cause\":\"%s\",\"mode\":\"HALT\",\"latched\":false", cause);
    body_of(oracle, EVENT_MECHANISM, second, mechanism, what, body);
}

static struct oracle *other_account(void) {
    struct oracle *oracle = up();
    word(oracle, EVENT_FAULT, TEN, "view.other_account", "");
    answer(oracle, TEN + 1, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    return oracle;
}

Test(duties, another_account_is_due_from_the_answer_that_shows_it) {
    struct oracle *oracle = other_account();
    acts(oracle, TEN + 3, "startup_contract", "acted", "wrong_account");
    tick(oracle, TEN + 60);
    expect_scored(oracle, "",
                  "\"mechanism\":\"startup_contract\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000");
    oracle = other_account();
    tick(oracle, TEN + 16);
    unscored(oracle, "\"missed\":1");
    oracle = other_account();
    tick(oracle, TEN + 17);
    tick(oracle, TEN + 99);
    expect_scored(
        oracle, "",
        "\"mechanism\":\"startup_contract\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
    oracle = other_account(); /* its own answers again */
    answer(oracle, TEN + 10, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    tick(oracle, TEN + 99);
    expect_scored(
        oracle, "",
        "\"mechanism\":\"startup_contract\",\"due\":1,\"acted\":0,\"missed\":0,\"unfounded\":0");
    oracle = up();
    acts(oracle, TEN, "startup_contract", "acted", "wrong_account");
    expect_scored(
        oracle, "alarm_has_a_cause",
        "\"mechanism\":\"startup_contract\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1");
}

static void expect_said(struct oracle *oracle, const char *part) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), part), "%s in %s", part, text_get(&verdict));
    text_release(&verdict);
}

static void expect_trip(struct oracle *oracle, int64_t due, int64_t late_ms, const char *word) {
    struct text want = {0};
    text_member_utc(&want, "due", at(due));
    text_member_int(&want, "late_ms", late_ms);
    expect_said(oracle, text_get(&want));
    text_release(&want);
    expect_said(oracle, word);
}

Test(duties, two_acts_within_a_tick_and_one_that_is_missed_each_show_their_own_due) {
    struct oracle *oracle = other_account();
    acts(oracle, TEN + 3, "startup_contract", "acted", "wrong_account\",\"by\":\"core");
    answer(oracle, TEN + 4, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    acts(oracle, TEN + 4, "startup_contract", "released", "wrong_account");
    word(oracle, EVENT_FAULT, TEN + 5, "view.other_account", "");
    answer(oracle, TEN + 6, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    acts(oracle, TEN + 9, "startup_contract", "acted", "wrong_account\",\"by\":\"core");
    tick(oracle, TEN + 10);
    expect_trip(oracle, TEN + 1, 2000, "\"demanded\"");
    expect_trip(oracle, TEN + 6, 3000, "\"demanded\"");
    answer(oracle, TEN + 20, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    acts(oracle, TEN + 20, "startup_contract", "released", "wrong_account");
    word(oracle, EVENT_FAULT, TEN + 21, "view.other_account", "");
    answer(oracle, TEN + 22, "/v2/account", 200, "\n{\"equity\":\"1\"}");
    tick(oracle, TEN + 50);
    expect_trip(oracle, TEN + 22, 28000, "\"missed\"");
    oracle_destroy(oracle);
}

Test(duties, a_life_that_is_not_up_misses_nothing) {
    struct oracle *oracle = other_account();
    word(oracle, EVENT_STOP, TEN + 5, "dead", "");
    tick(oracle, TEN + 99);
    word(oracle, EVENT_START, TEN + 100, "ready", "");
    tick(oracle, TEN + 115);
    unscored(oracle, "\"missed\":1");
}

Test(duties, a_freeze_is_due_from_the_word_to_the_answer) {
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "freeze", "news");
    body_of(oracle, EVENT_OPERATOR, TEN + 2, "freeze", "news", "frozen");
    tick(oracle, TEN + 2);
    expect_scored(
        oracle, "",
        "\"mechanism\":\"operator_freeze\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
        "\"risky\":0,\"latency_ms\":2000");
    oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "freeze", "news");
    order_leaves(oracle, TEN + 3, "buy", "AAPL", "st-2023-11-15-1");
    expect_scored(
        oracle, "no_buy_sent_after_a_stop",
        "\"mechanism\":\"operator_freeze\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0,"
        "\"risky\":1");
    oracle = up();
    body_of(oracle, EVENT_OPERATOR, TEN, "freeze", "news", "frozen");
    expect_scored(
        oracle, "command_obeyed_once",
        "\"mechanism\":\"operator_freeze\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1");
    oracle = up(); /* a kill is another's */
    word(oracle, EVENT_OPERATOR, TEN, "kill", "");
    order_leaves(oracle, TEN + 3, "buy", "AAPL", "st-2023-11-15-1");
    unscored(oracle, "operator_freeze");
}

Test(duties, another_key_is_due_from_the_reload) {
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "rotate_key", "");
    word(oracle, EVENT_OPERATOR, TEN + 60, "reload", "");
    word(oracle, EVENT_MECHANISM, TEN + 61, "credentials", "acted");
    scored(oracle,
           "\"mechanism\":\"credentials\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
           "\"risky\":0,\"latency_ms\":1000");
    oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "rotate_key", "");
    word(oracle, EVENT_OPERATOR, TEN + 60, "reload", "");
    tick(oracle, TEN + 121);
    scored(oracle,
           "\"mechanism\":\"credentials\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
    oracle = up();
    word(oracle, EVENT_MECHANISM, TEN, "credentials", "acted");
    scored(oracle,
           "\"mechanism\":\"credentials\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1");
}

Test(duties, a_bad_configuration_is_held_or_missed_once_it_is_taken) {
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "reload", "");
    frame(oracle, "reload", "bad");
    word(oracle, EVENT_MECHANISM, TEN + 1, "config_validation", "held");
    scored(oracle, "\"mechanism\":\"config_validation\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000");
    oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "reload", "");
    frame(oracle, "reload", "bad");
    word(oracle, EVENT_MECHANISM, TEN + 1, "config_validation", "acted");
    scored(oracle, "\"mechanism\":\"config_validation\",\"due\":1,\"acted\":0,\"missed\":1");
    oracle = up(); /* a good one */
    word(oracle, EVENT_OPERATOR, TEN, "reload", "");
    word(oracle, EVENT_MECHANISM, TEN + 1, "config_validation", "acted");
    unscored(oracle, "config_validation");
    for (int is_asked = 0; is_asked < 2; is_asked++) { /* held back, and it was good or not there */
        oracle = up();
        if (is_asked != 0) {
            word(oracle, EVENT_OPERATOR, TEN, "reload", "");
        }
        word(oracle, EVENT_MECHANISM, TEN, "config_validation", "held");
        scored(oracle, "\"mechanism\":\"config_validation\",\"due\":0,\"acted\":0,\"missed\":0,"
                       "\"unfounded\":1");
    }
}

/* The ledger says 100,000; three steps of 1 % are 3,000. */
static struct oracle *says_equity(const char *usd, int64_t times) {
    char body[64];
    struct oracle *oracle = up();
    frame(oracle, "data.equity_step", "0.01");
    equity(oracle, TEN - 5, 100000);
    snprintf(body, sizeof body, "\n{\"equity\":\"%s\"}", usd);
    for (int64_t i = 0; i < times; i++) {
        answer(oracle, TEN + 5 * i, "/v2/account", 200, body);
    }
    return oracle;
}

Test(duties, an_equity_that_stays_away_from_the_ledger_s_is_due_after_ten_seconds) {
    struct oracle *oracle = says_equity("96999.99", 3);
    acts(oracle, TEN + 12, "data_guard", "acted", "data_guard");
    scored(oracle,
           "\"mechanism\":\"data_guard\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
           "\"risky\":0,\"latency_ms\":2000");
    oracle = says_equity("97000", 3);
    tick(oracle, TEN + 99);
    unscored(oracle, "data_guard");
    oracle = says_equity("96999.99", 2); /* five seconds are no ten */
    tick(oracle, TEN + 99);
    unscored(oracle, "data_guard");
    oracle = says_equity("0", 3);
    tick(oracle, TEN + 40);
    unscored(oracle, "\"missed\":1");
    oracle = says_equity("0", 3);
    tick(oracle, TEN + 41);
    scored(oracle,
           "\"mechanism\":\"data_guard\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

Test(duties, what_lets_go_while_the_view_still_says_so_is_missed) {
    for (int is_sound = 0; is_sound < 2; is_sound++) {
        struct oracle *oracle = says_equity("0", 3);
        acts(oracle, TEN + 12, "data_guard", "acted", "data_guard");
        answer(oracle, TEN + 20, "/v2/account", 200,
               is_sound ? "\n{\"equity\":\"100000\"}" : "\n{\"equity\":\"0\"}");
        acts(oracle, TEN + 30, "data_guard", "released", "data_guard");
        scored(oracle, is_sound
                           ? "\"mechanism\":\"data_guard\",\"due\":1,\"acted\":1,\"missed\":0,"
                           : "\"mechanism\":\"data_guard\",\"due\":1,\"acted\":1,\"missed\":1,");
    }
}

Test(duties, a_buy_while_data_are_in_doubt_is_risky) {
    struct oracle *oracle = says_equity("0", 3);
    acts(oracle, TEN + 12, "data_guard", "acted", "data_guard");
    order_leaves(oracle, TEN + 20, "buy", "AAPL", "st-2023-11-15-1");
    scored(oracle,
           "\"mechanism\":\"data_guard\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
           "\"risky\":1,\"latency_ms\":2000");
}

/* Another bought 3 shares under the id that the core then uses for 10. */
static struct oracle *used_id(int64_t theirs) {
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "foreign_order", "AAPL");
    frame(oracle, "foreign", "st-2023-11-15-7");
    ledger_order(oracle, TEN, "st-2023-11-15-7", "buy", "market", "filled", theirs, theirs);
    order_leaves(oracle, TEN + 60, "buy", "AAPL", "st-2023-11-15-7");
    http(oracle, TEN + 61, "POST", "/v2/orders", 422, "",
         "{\"client_order_id\":\"st-2023-11-15-7\"}\n{\"message\":\"client_order_id must be "
         "unique\"}");
    return oracle;
}

Test(duties, an_id_with_another_content_is_due_from_its_refusal) {
    struct oracle *oracle = used_id(3);
    acts(oracle, TEN + 63, "second_writer", "acted", "second_writer");
    scored(oracle, "\"mechanism\":\"second_writer\",\"due\":1,\"acted\":1,\"missed\":0,");
    oracle = used_id(3);
    tick(oracle, TEN + 77);
    scored(oracle, "\"mechanism\":\"second_writer\",\"due\":1,\"acted\":0,\"missed\":1,");
    oracle = used_id(10); /* the equal order: nobody can tell them apart */
    tick(oracle, TEN + 77);
    unscored(oracle, "second_writer");
}

Test(duties, a_listing_of_an_order_under_an_id_that_was_never_given_is_due) {
    static const char body[] = "\n[{\"client_order_id\":\"st-2023-11-15-7\"}]";
    for (int64_t is_given = 0; is_given < 2; is_given++) {
        struct oracle *oracle = up();
        word(oracle, EVENT_OPERATOR, TEN, "foreign_order", "AAPL");
        frame(oracle, "foreign", "st-2023-11-15-7");
        ledger_order(oracle, TEN, "st-2023-11-15-7", "buy", "market", "new", 3, 0);
        if (is_given != 0) { /* by the core, to an order that may be that one */
            row_at(oracle, TEN, 1, "intent", "st-2023-11-15-7", "{}");
        }
        answer(oracle, TEN + 5, "/v2/orders?status=open", 200, body);
        tick(oracle, TEN + 21);
        if (is_given != 0) {
            unscored(oracle, "second_writer");
        } else {
            scored(oracle, "\"mechanism\":\"second_writer\",\"due\":1,\"acted\":0,\"missed\":1,");
        }
    }
}

/* ...-7 begins ...-71, which the core gave; so does ...-2 ...-22, of the orders that were lost. */
Test(duties, an_id_that_another_begins_with_is_not_listed_by_it) {
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "foreign_order", "AAPL");
    frame(oracle, "foreign", "st-2023-11-15-7");
    ledger_order(oracle, TEN, "st-2023-11-15-7", "buy", "market", "new", 3, 0);
    answer(oracle, TEN + 5, "/v2/orders?status=open", 200,
           "\n[{\"client_order_id\":\"st-2023-11-15-71\"}]");
    tick(oracle, TEN + 21);
    unscored(oracle, "second_writer");
}

Test(duties, what_was_told_of_once_is_no_news_behind_a_resume) {
    static const char body[] = "\n[{\"client_order_id\":\"st-2023-11-15-7\"}]";
    struct oracle *oracle = up();
    word(oracle, EVENT_OPERATOR, TEN, "foreign_order", "AAPL");
    frame(oracle, "foreign", "st-2023-11-15-7");
    ledger_order(oracle, TEN, "st-2023-11-15-7", "buy", "market", "new", 3, 0);
    answer(oracle, TEN + 5, "/v2/orders?status=open", 200, body);
    acts(oracle, TEN + 6, "second_writer", "acted", "second_writer");
    acts(oracle, TEN + 60, "second_writer", "released", "second_writer");
    ledger_order(oracle, TEN + 61, "st-2023-11-15-7", "buy", "market", "accepted", 3, 0);
    answer(oracle, TEN + 65, "/v2/orders?status=open", 200, body);
    tick(oracle, TEN + 99);
    scored(oracle,
           "\"mechanism\":\"second_writer\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
           "\"risky\":0,\"latency_ms\":1000");
}

/* Row 4 was an intent, and the next life goes on from row 3. */
static struct oracle *journal_back(int64_t stamp) {
    struct oracle *oracle = up();
    for (int64_t i = 1; i <= 3; i++) {
        row_at(oracle, TEN, i, "note", "", "{}");
    }
    row_at(oracle, TEN, 4, "intent", "st-2023-11-15-2", "{}");
    feed(oracle, (struct event){.kind = EVENT_DOCUMENT,
                                .at = at(TEN),
                                .subject = "governor_freezes.json",
                                .number = stamp});
    word(oracle, EVENT_FAULT, TEN + 1, "disk.old_version", "journal.db*");
    word(oracle, EVENT_STOP, TEN + 2, "dead", "");
    row_at(oracle, TEN + 10, 3, "note", "", "{}");
    word(oracle, EVENT_START, TEN + 10, "ready", "");
    return oracle;
}

Test(duties, a_document_newer_than_the_journal_is_due_at_the_first_row) {
    struct oracle *oracle = journal_back(3);
    acts(oracle, TEN + 12, "state_regression", "acted", "state_regression");
    scored(oracle, "\"mechanism\":\"state_regression\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000");
    oracle = journal_back(3);
    tick(oracle, TEN + 26);
    scored(oracle, "\"mechanism\":\"state_regression\",\"due\":1,\"acted\":0,\"missed\":1,");
    oracle = journal_back(2); /* as old as what is left */
    tick(oracle, TEN + 26);
    unscored(oracle, "state_regression");
}

Test(duties, a_listed_order_of_which_the_journal_lost_the_intent_is_due) {
    static const char body[] = "\n[{\"client_order_id\":\"st-2023-11-15-2\"}]";
    struct oracle *oracle = journal_back(2);
    answer(oracle, TEN + 11, "/v2/orders?status=open", 200, body);
    acts(oracle, TEN + 14, "amnesia", "acted", "amnesia");
    scored(oracle, "\"mechanism\":\"amnesia\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
                   "\"risky\":0,\"latency_ms\":3000");
    oracle = journal_back(2);
    answer(oracle, TEN + 11, "/v2/orders?status=open", 200, body);
    tick(oracle, TEN + 27);
    scored(oracle, "\"mechanism\":\"amnesia\",\"due\":1,\"acted\":0,\"missed\":1,");
    oracle = journal_back(2); /* and it does not list it */
    answer(oracle, TEN + 11, "/v2/orders?status=open", 200, "\n[]");
    tick(oracle, TEN + 27);
    unscored(oracle, "amnesia");
    oracle = journal_back(2); /* but one whose id begins like it */
    answer(oracle, TEN + 11, "/v2/orders?status=open", 200,
           "\n[{\"client_order_id\":\"st-2023-11-15-22\"}]");
    tick(oracle, TEN + 27);
    unscored(oracle, "amnesia");
}

Test(duties, what_an_exit_waits_for_may_be_asked_again_at_once) {
    struct oracle *oracle = up();
    leaves(oracle, TEN, "GET", "/v2/orders/1", "");
    answer(oracle, TEN, "/v2/orders/1", 500, "");
    leaves(oracle, TEN + 1, "GET", "/v2/orders/1", "");
    leaves(oracle, TEN + 2, "GET", "/v2/orders:by_client_order_id?client_order_id=st-1", "");
    answer(oracle, TEN + 2, "/v2/orders:by_client_order_id?client_order_id=st-1", 500, "");
    leaves(oracle, TEN + 3, "GET", "/v2/orders:by_client_order_id?client_order_id=st-1", "");
    unscored(oracle, "retry_backoff");
}

Test(duties, a_read_that_failed_may_be_asked_again_in_the_next_tick) {
    struct oracle *oracle = up();
    leaves(oracle, TEN, "GET", "/v2/account", "");
    answer(oracle, TEN, "/v2/account", 500, "");
    leaves(oracle, TEN + 1, "GET", "/v2/account", "");
    scored(oracle,
           "\"mechanism\":\"retry_backoff\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
    oracle = up();
    leaves(oracle, TEN, "GET", "/v2/account", "");
    answer(oracle, TEN, "/v2/account", 500, "");
    tick(oracle, TEN);
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(TEN),
                                .subject = "retry_backoff",
                                .what = "held",
                                .id = "account"});
    leaves(oracle, TEN + 1, "GET", "/v2/account", "");
    scored(oracle,
           "\"mechanism\":\"retry_backoff\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
}

/* --- what its own judge counts --- */

static struct oracle *gives_up(int64_t after, const char *error) {
    struct oracle *oracle = up();
    frame(oracle, "broker.deadline_read_s", "3");
    frame(oracle, "broker.deadline_slow_s", "15");
    frame(oracle, "broker.deadline_submit_s", "5");
    leaves(oracle, TEN, "GET", "/v2/positions", "");
    http(oracle, TEN + after, "GET", "/v2/positions", 0, error, "");
    return oracle;
}

Test(duties, a_request_that_is_given_up_at_its_deadline_is_an_act) {
    scored(gives_up(4, "timeout"),
           "\"mechanism\":\"request_deadline\",\"due\":1,\"acted\":1,\"missed\":0,"
           "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000");
    unscored(gives_up(2, "timeout"), "request_deadline");
    expect_scored(
        gives_up(17, "timeout"), "call_within_its_deadline",
        "\"mechanism\":\"request_deadline\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

Test(duties, an_order_of_unknown_fate_is_settled_when_an_answer_names_it) {
    struct oracle *oracle = up();
    order_leaves(oracle, TEN, "buy", "AAPL", "st-2023-11-15-1");
    http(oracle, TEN + 5, "POST", "/v2/orders", 0, "timeout",
         "{\"client_order_id\":\"st-2023-11-15-1\"}");
    answer(oracle, TEN + 9, "/v2/orders:by_client_order_id?client_order_id=st-2023-11-15-1", 200,
           "\n{\"client_order_id\":\"st-2023-11-15-1\"}");
    scored(oracle, "\"mechanism\":\"order_idempotency\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":4000");
    oracle = up(); /* answered at once */
    order_leaves(oracle, TEN, "buy", "AAPL", "st-2023-11-15-1");
    http(oracle, TEN + 1, "POST", "/v2/orders", 200, "",
         "{\"client_order_id\":\"st-2023-11-15-1\"}\n{\"client_order_id\":\"st-2023-11-15-1\"}");
    unscored(oracle, "order_idempotency");
}

Test(duties, an_exit_is_late_by_what_it_took_to_leave) {
    struct oracle *oracle = NULL;
    for (int is_behind = 0; is_behind < 2; is_behind++) { /* the ledger is told behind the tick */
        oracle = up();
        ledger_fill(oracle, TEN - 60, "st-a", "buy", 30);
        phase(oracle, TEN, "releasing"); /* of 10 */
        phase(oracle, TEN + 5, "resumed");
        if (is_behind == 0) {
            ledger_fill(oracle, TEN + 7, "st-b", "sell", 10);
        }
        phase(oracle, TEN + 7, "over");
        tick(oracle, TEN + 8);
        if (is_behind != 0) {
            ledger_fill(oracle, TEN + 7, "st-b", "sell", 10);
        }
        equity(oracle, TEN + 8, 100000);
        scored(oracle, "\"mechanism\":\"exit_execution\",\"due\":1,\"acted\":1,\"missed\":0,"
                       "\"unfounded\":0,\"risky\":0,\"latency_ms\":7000");
    }
    for (int how = 0; how < 3; how++) { /* over by its own word alone; sold too little; paged */
        oracle = up();
        ledger_fill(oracle, TEN - 60, "st-a", "buy", 30);
        phase(oracle, TEN, "releasing");
        if (how == 1) {
            ledger_fill(oracle, TEN + 5, "st-b", "sell", 9);
        }
        if (how == 2) {
            body_of(oracle, EVENT_ALERT, TEN + 7, "page", "exit_unfilled", "AAPL");
        } else {
            phase(oracle, TEN + 7, "over");
        }
        tick(oracle, TEN + 8);
        equity(oracle, TEN + 8, 100000);
        scored(oracle, "\"mechanism\":\"exit_execution\",\"due\":1,\"acted\":0,\"missed\":0,"
                       "\"unfounded\":0");
    }
    oracle = up();
    phase(oracle, TEN, "releasing");
    phase(oracle, TEN + 7, "decided"); /* protection rests again */
    unscored(oracle, "exit_execution");
    oracle = up();
    phase(oracle, TEN, "releasing");
    tick(oracle, TEN + 61);
    tick(oracle, TEN + 62);
    expect_scored(
        oracle, "exits_leave",
        "\"mechanism\":\"exit_execution\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

static struct oracle *bought(void) {
    struct oracle *oracle = up();
    ledger_order(oracle, TEN, "st-2023-11-15-1", "buy", "limit", "filled", 10, 10);
    ledger_fill(oracle, TEN, "st-2023-11-15-1", "buy", 10);
    core_order(oracle, TEN + 1, "st-2023-11-15-1", 10);
    return oracle;
}

Test(duties, a_stop_is_late_by_what_it_took_to_rest) {
    struct oracle *oracle = bought();
    ledger_order(oracle, TEN + 5, "st-2023-11-15-2", "sell", "stop", "new", 10, 0);
    expect_scored(
        oracle, "",
        "\"mechanism\":\"protective_stops\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
        "\"risky\":0,\"latency_ms\":4000");
    oracle = bought();
    equity(oracle, TEN + 71, 100000);
    unscored(oracle, "\"missed\":1");
    oracle = bought();
    equity(oracle, TEN + 72, 100000);
    expect_scored(
        oracle, "naked_is_paged",
        "\"mechanism\":\"protective_stops\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

Test(duties, where_nothing_may_be_sent_no_stop_is_missed) {
    struct oracle *oracle = bought();
    word(oracle, EVENT_MODE, TEN + 2, "HALT", "NORMAL");
    body_of(oracle, EVENT_ALERT, TEN + 2, "page", "second_writer", "");
    equity(oracle, TEN + 72, 100000);
    unscored(oracle, "\"missed\":1");
}

static struct oracle *stops_told(const char *body, bool is_read) {
    struct oracle *oracle = oracle_create();
    if (is_read) {
        frame(oracle, "metrics", "read");
    }
    word(oracle, EVENT_START, TEN - 600, "ready", "");
    leaves(oracle, TEN, "GET", "/v2/account", "");
    answer(oracle, TEN, "/v2/account", 200, "\n{}");
    word(oracle, EVENT_STOP, TEN + 1, "clean", "");
    if (body != NULL) {
        body_of(oracle, EVENT_METRICS, TEN + 1, "", "", body);
    }
    word(oracle, EVENT_END, TEN + 2, "stopped", "");
    return oracle;
}

Test(duties, metrics_are_due_with_each_graceful_stop) {
    expect_scored(stops_told("seatrial_requests_total 1\nseatrial_ticks_total 0\n# EOF\n", true),
                  "",
                  "\"mechanism\":\"metrics\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
    expect_scored(stops_told("seatrial_requests_total 2\nseatrial_ticks_total 0\n# EOF\n", true),
                  "metrics_are_true",
                  "\"mechanism\":\"metrics\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
    expect_scored(stops_told(NULL, true), "metrics_are_true",
                  "\"mechanism\":\"metrics\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
    unscored(stops_told(NULL, false), "metrics"); /* nobody looked: a run of another world */
}

/* Another sold ten shares; the core adopts what is left. */
static struct oracle *sold_by_hand(void) {
    struct oracle *oracle = bought();
    ledger_order(oracle, TEN + 5, "st-2023-11-15-2", "sell", "stop", "new", 10, 0);
    row_at(oracle, TEN + 6, 8, "fill", "st-2023-11-15-1",
           "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\"}");
    ledger_fill(oracle, TEN + 60, "hand", "sell", 10);
    answer(oracle, TEN + 65, "/v2/positions", 200, "\n[]");
    return oracle;
}

Test(duties, a_difference_is_due_from_the_first_listing_that_shows_it) {
    struct oracle *oracle = sold_by_hand();
    acts(oracle, TEN + 85, "reconciliation", "acted", "reconciliation");
    word(oracle, EVENT_FAULT, TEN + 80, "hand.sale", "");
    scored(oracle,
           "\"mechanism\":\"reconciliation\",\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"
           "\"risky\":0,\"latency_ms\":20000");
    oracle = sold_by_hand();
    tick(oracle, TEN + 300);
    scored(oracle, "\"mechanism\":\"reconciliation\",\"due\":1,\"acted\":0,\"missed\":1,");
}

Test(duties, a_healing_of_a_true_book_is_unfounded_and_one_in_silence_missed) {
    struct oracle *oracle = sold_by_hand();
    row_at(oracle, TEN + 85, 9, "adopt", "AAPL", "{\"was\":\"10\",\"qty\":\"0\"}");
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(TEN + 85),
                                .subject = "divergence_heal",
                                .what = "acted",
                                .symbol = "AAPL"});
    scored(oracle, "\"mechanism\":\"divergence_heal\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":20000");
    oracle = bought();
    row_at(oracle, TEN + 85, 9, "adopt", "AAPL", "{\"was\":\"10\",\"qty\":\"3\"}");
    scored(oracle,
           "\"mechanism\":\"divergence_heal\",\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1");
    oracle = sold_by_hand();
    row_at(oracle, TEN + 85, 9, "adopt", "AAPL", "{\"was\":\"10\",\"qty\":\"0\"}");
    tick(oracle, TEN + 86);
    scored(oracle,
           "\"mechanism\":\"divergence_heal\",\"due\":1,\"acted\":0,\"missed\":1,\"unfounded\":0");
}

/* What has nothing to do with an act makes it no later than it was. */
Test(duties, an_act_is_late_by_a_sign_of_its_own) {
    struct oracle *oracle = up();
    leaves(oracle, TEN + 4, "GET", "/v2/account", ""); /* nobody told how many may */
    answer(oracle, TEN, "/v2/account", 500, "");
    word(oracle, EVENT_MECHANISM, TEN + 5, "rate_budget", "held");
    scored(oracle, "\"mechanism\":\"rate_budget\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":0,");
    oracle = up();
    answer(oracle, TEN, "/v2/account", 429, "");
    word(oracle, EVENT_MECHANISM, TEN + 5, "rate_budget", "held");
    scored(oracle, "\"mechanism\":\"rate_budget\",\"due\":1,\"acted\":1,\"missed\":0,"
                   "\"unfounded\":0,\"risky\":0,\"latency_ms\":5000,");
    for (int is_own = 0; is_own < 2; is_own++) {
        oracle = up();
        word(oracle, EVENT_FAULT, TEN, is_own != 0 ? "process.pause" : "disk.eio", "");
        word(oracle, EVENT_MECHANISM, TEN + 5, "single_instance", "acted");
        scored(oracle, is_own != 0
                           ? "\"mechanism\":\"single_instance\",\"due\":1,\"acted\":1,\"missed\":0,"
                             "\"unfounded\":0,\"risky\":0,\"latency_ms\":5000,"
                           : "\"mechanism\":\"single_instance\",\"due\":1,\"acted\":1,\"missed\":0,"
                             "\"unfounded\":0,\"risky\":0,\"latency_ms\":0,");
    }
}
