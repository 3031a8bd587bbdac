/* test_judges_reasons.c - an act without a reason is unfounded, one with it is due: what is a reason, one step either side. */
#include "tests/unit/stream.h"

enum { TEN = 60400 }; /* seconds; 2023-11-15 10:00 in New York, a session */

static const char DUE[] = "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0";
static const char UNFOUNDED[] = "\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1";

/* Ends the oracle; of this mechanism its scores say this. */
static void scored(struct oracle *oracle, const char *mechanism, const char *score) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    expect_score_of(&verdict, mechanism, score);
    text_release(&verdict);
    oracle_destroy(oracle);
}

static void tick(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = at(second), .subject = "cycle"});
}

static void says(struct oracle *oracle, int64_t second, const char *mechanism, const char *what,
                 const char *symbol, const char *id) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(second),
                                .subject = mechanism,
                                .what = what,
                                .symbol = symbol,
                                .id = id});
}

static struct oracle *up(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "broker.rate_core", "10");
    frame(oracle, "broker.rate_other", "3");
    word(oracle, EVENT_START, TEN - 600, "ready", "");
    tick(oracle, TEN - 599);
    return oracle;
}

/* --- the rate budget --- */

/* So many, a second apart, the last at TEN - 1. */
static struct oracle *asks(const char *path, int64_t times) {
    struct oracle *oracle = up();
    for (int64_t i = times; i > 0; i--) {
        leaves(oracle, TEN - i, "GET", path, "");
    }
    return oracle;
}

Test(reasons, a_lane_that_a_minute_filled_is_spent_until_the_minute_is_over) {
    static const struct {
        const char *path, *score;
        int64_t times, ticked; /* the tick before ended */
    } rows[] = {
        {"/v2/positions", DUE, 10, TEN},      {"/v2/positions", DUE, 10, TEN + 58},
        {"/v2/positions", UNFOUNDED, 9, TEN}, {"/v2/positions", UNFOUNDED, 10, TEN + 59},
        {"/v2/assets/AAPL", DUE, 3, TEN},     {"/v2/assets/AAPL", UNFOUNDED, 2, TEN},
        {"/v2/account", UNFOUNDED, 9, TEN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = asks(rows[i].path, rows[i].times);
        tick(oracle, rows[i].ticked);
        says(oracle, rows[i].ticked + 1, "rate_budget", "held", "", "");
        scored(oracle, "rate_budget", rows[i].score);
    }
}

Test(reasons, a_429_closes_a_lane_for_two_minutes_at_most_and_only_of_its_life) {
    for (int64_t later = 0; later < 2; later++) {
        struct oracle *oracle = up();
        answer(oracle, TEN, "/v2/clock", 429, "");
        tick(oracle, TEN + 119 + later);
        says(oracle, TEN + 121, "rate_budget", "held", "", "");
        scored(oracle, "rate_budget", later == 0 ? DUE : UNFOUNDED);
    }
    struct oracle *oracle = asks("/v2/clock", 10);
    word(oracle, EVENT_STOP, TEN, "dead", "");
    word(oracle, EVENT_START, TEN + 1, "ready", "");
    says(oracle, TEN + 2, "rate_budget", "held", "", "");
    scored(oracle, "rate_budget", UNFOUNDED);
}

Test(reasons, what_is_sent_beyond_the_budget_was_missed) {
    struct oracle *oracle = up();
    frame(oracle, "broker.requests_a_minute", "2");
    for (int64_t i = 0; i < 5; i++) {
        leaves(oracle, TEN, "GET", "/v2/clock", "");
    }
    scored(oracle, "rate_budget", "\"due\":1,\"acted\":0,\"missed\":1");
}

/* --- waiting behind a failure --- */

Test(reasons, a_read_waits_only_behind_a_failure_of_its_own) {
    static const struct {
        const char *word, *path;
        int status;
        const char *score;
    } rows[] = {
        {"account", "/v2/account", 500, DUE},
        {"account", "/v2/account", 200, UNFOUNDED},
        {"account", "/v2/account/configurations", 500, UNFOUNDED},
        {"configuration", "/v2/account/configurations", 401, DUE},
        {"orders", "/v2/orders?status=open&limit=500", 429, DUE},
        {"orders", "/v2/orders?status=all&limit=500", 500, UNFOUNDED},
        {"ids", "/v2/orders?status=all&limit=500", 500, DUE},
        {"positions", "/v2/clock", 500, UNFOUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = up();
        leaves(oracle, TEN, "GET", rows[i].path, "");
        answer(oracle, TEN, rows[i].path, rows[i].status, "\n{}");
        tick(oracle, TEN + 1);
        says(oracle, TEN + 2, "retry_backoff", "held", "", rows[i].word);
        scored(oracle, "retry_backoff", rows[i].score);
    }
}

Test(reasons, a_good_answer_of_a_later_tick_ends_the_waiting) {
    for (int is_good = 0; is_good < 2; is_good++) {
        struct oracle *oracle = up();
        answer(oracle, TEN, "/v2/account", 500, "");
        tick(oracle, TEN + 1);
        answer(oracle, TEN + 2, "/v2/account", is_good != 0 ? 200 : 503, "\n{}");
        tick(oracle, TEN + 3);
        says(oracle, TEN + 4, "retry_backoff", "held", "", "account");
        scored(oracle, "retry_backoff", is_good != 0 ? UNFOUNDED : DUE);
    }
}

/* Its body may be cut, though its status is good. */
Test(reasons, an_answer_that_a_fault_touched_may_have_failed) {
    for (int64_t early = 0; early < 2; early++) {
        struct oracle *oracle = up();
        word(oracle, EVENT_FAULT, TEN - early, "http.cut", "");
        leaves(oracle, TEN, "GET", "/v2/account", "");
        answer(oracle, TEN + 1, "/v2/account", 200, "\n{");
        tick(oracle, TEN + 2);
        says(oracle, TEN + 3, "retry_backoff", "held", "", "account");
        scored(oracle, "retry_backoff", early == 0 ? DUE : UNFOUNDED);
    }
}

Test(reasons, an_order_waits_once_two_of_its_symbol_were_rejected) {
    static const struct {
        int64_t rejects;
        const char *purpose, *moved, *score;
    } rows[] = {
        {2, "exit", "st-2023-11-15-2", DUE},       {1, "exit", "st-2023-11-15-2", UNFOUNDED},
        {0, "exit", "st-2023-11-15-2", UNFOUNDED}, {2, "entry", "st-2023-11-15-2", UNFOUNDED},
        {2, "stop", "st-2023-11-15-3", UNFOUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = up();
        for (int64_t k = 0; k < rows[i].rejects; k++) {
            ledger_order(oracle, TEN + k, "st-2023-11-15-2", "sell", "limit", "rejected", 10, 0);
        }
        feed(oracle, (struct event){.kind = EVENT_ORDER,
                                    .at = at(TEN + 5),
                                    .subject = rows[i].purpose,
                                    .what = "rejected",
                                    .symbol = "AAPL",
                                    .id = rows[i].moved});
        says(oracle, TEN + 5, "retry_backoff", "held", "AAPL", "st-2023-11-15-2");
        scored(oracle, "retry_backoff", rows[i].score);
    }
}

/* The second, counting rejects too: each by the core's own word. */
Test(reasons, a_stop_that_the_broker_undoes_counts_as_a_reject) {
    static const struct {
        int64_t undone;
        const char *purpose, *score;
    } rows[] = {{2, "stop", DUE}, {1, "stop", UNFOUNDED}, {2, "exit", UNFOUNDED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = up();
        for (int64_t k = 0; k < rows[i].undone; k++) {
            feed(oracle, (struct event){.kind = EVENT_ORDER,
                                        .at = at(TEN + k),
                                        .subject = rows[i].purpose,
                                        .what = "canceled",
                                        .symbol = "AAPL",
                                        .id = "st-2023-11-15-2"});
        }
        says(oracle, TEN + 5, "retry_backoff", "held", "AAPL", "st-2023-11-15-2");
        scored(oracle, "retry_backoff", rows[i].score);
    }
}

Test(reasons, an_order_that_met_a_429_counts_as_rejected_and_one_of_a_500_does_not) {
    static const struct {
        int first, second;
        const char *score;
    } rows[] = {{429, 429, DUE}, {403, 429, DUE}, {200, 429, UNFOUNDED}, {500, 429, UNFOUNDED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = up();
        for (int64_t k = 0; k < 2; k++) {
            char id[32];
            snprintf(id, sizeof id, "st-2023-11-15-%d", (int)k + 1);
            order_leaves(oracle, TEN + k, "sell", "AAPL", id);
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(TEN + k),
                                        .subject = "POST",
                                        .what = "/v2/orders",
                                        .number = k == 0 ? rows[i].first : rows[i].second,
                                        .body = ""});
        }
        feed(oracle, (struct event){.kind = EVENT_ORDER,
                                    .at = at(TEN + 5),
                                    .subject = "exit",
                                    .what = "rejected",
                                    .symbol = "AAPL",
                                    .id = "st-2023-11-15-2"});
        says(oracle, TEN + 5, "retry_backoff", "held", "AAPL", "st-2023-11-15-2");
        scored(oracle, "retry_backoff", rows[i].score);
    }
}

/* --- another's count of the positions --- */

/* Ten shares by a row; the listings say so, and from TEN on that many, up to the second that is given. */
static struct oracle *lists(const char *qty, int64_t until) {
    char body[96];
    struct oracle *oracle = up();
    row_at(oracle, TEN - 60, 1, "fill", "st-2023-11-15-1",
           "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\"}");
    ledger_fill(oracle, TEN - 61, "st-2023-11-15-1", "buy", 10);
    answer(oracle, TEN - 30, "/v2/positions", 200, "\n[{\"symbol\":\"AAPL\",\"qty\":\"10\"}]");
    snprintf(body, sizeof body, "\n[{\"symbol\":\"AAPL\",\"qty\":\"%s\"}]", qty);
    for (int64_t second = TEN; second <= until; second += 5) {
        answer(oracle, second, "/v2/positions", 200, body);
    }
    return oracle;
}

Test(reasons, a_difference_that_stood_between_rows_and_listings_is_one) {
    static const struct {
        const char *qty;
        int64_t until;
        const char *symbol, *score;
    } rows[] = {
        {"7", TEN + 10, "AAPL", DUE},
        {"7", TEN + 10, "MSFT", UNFOUNDED},
        {"7", TEN + 5, "AAPL", UNFOUNDED},
        {"10", TEN + 60, "AAPL", UNFOUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = lists(rows[i].qty, rows[i].until);
        says(oracle, rows[i].until, "divergence_heal", "acted", rows[i].symbol, "");
        scored(oracle, "divergence_heal", rows[i].score);
        oracle = lists(rows[i].qty, rows[i].until);
        says(oracle, rows[i].until, "reconciliation", "acted", "", "reconciliation");
        bool is_any = rows[i].score == DUE || strcmp(rows[i].symbol, "MSFT") == 0;
        scored(oracle, "reconciliation", is_any ? DUE : UNFOUNDED);
    }
}

/* What others executed long ago, and what was booked since, is no reason any more. */
Test(reasons, what_was_adopted_is_no_difference_from_the_next_listing_on) {
    for (int is_listed = 0; is_listed < 2; is_listed++) {
        struct oracle *oracle = lists("7", TEN + 20);
        ledger_fill(oracle, TEN - 5, "hand", "sell", 3);
        row_at(oracle, TEN + 20, 2, "adopt", "AAPL", "{\"was\":\"10\",\"qty\":\"7\"}");
        if (is_listed != 0) {
            answer(oracle, TEN + 25, "/v2/positions", 200,
                   "\n[{\"symbol\":\"AAPL\",\"qty\":\"7\"}]");
        }
        says(oracle, TEN + 25, "reconciliation", "acted", "", "reconciliation");
        scored(oracle, "reconciliation", is_listed != 0 ? UNFOUNDED : DUE);
    }
}

Test(reasons, a_listing_that_is_none_ends_no_difference_and_begins_none) {
    for (int is_apart = 0; is_apart < 2; is_apart++) {
        struct oracle *oracle = lists(is_apart != 0 ? "7" : "10", TEN + 5);
        answer(oracle, TEN + 8, "/v2/positions", 200, "\n{}");
        answer(oracle, TEN + 9, "/v2/positions", 500, "\n[]");
        says(oracle, TEN + 20, "reconciliation", "acted", "", "reconciliation");
        scored(oracle, "reconciliation", is_apart != 0 ? DUE : UNFOUNDED);
    }
}

/* A lying disk, a hand, rows that came twice, a journal that takes none, shares that were split. */
Test(reasons, where_nobody_knows_the_core_s_count_a_difference_may_stand) {
    for (int doubt = 0; doubt < 5; doubt++) {
        struct oracle *oracle = lists("10", TEN + 20);
        switch (doubt) {
        case 0:
            word(oracle, EVENT_FAULT, TEN, "disk.eio", "");
            break;
        case 1:
            word(oracle, EVENT_OPERATOR, TEN, "edit_document", "");
            break;
        case 2:
            row_at(oracle, TEN + 20, 1, "note", "AAPL", "{}");
            break;
        case 3:
            body_of(oracle, EVENT_MECHANISM, TEN, "atomic_state", "acted",
                    "\"cause\":\"journal_down\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
            break;
        default:
            ledger_fill(oracle, TEN, "split:AAPL", "buy", 10);
            break;
        }
        says(oracle, TEN + 21, "reconciliation", "acted", "", "reconciliation");
        scored(oracle, "reconciliation", DUE);
    }
}

/* --- an equity that nothing explains --- */

static const char QUOTES[] = "/v2/stocks/quotes/latest?symbols=AAPL";
static const char QUOTE[] =
    "\n{\"quotes\":{\"AAPL\":{\"bp\":99.99,\"ap\":100.01,\"t\":\"2023-11-15T15:00:00Z\"}}}";
static const char LISTED[] = "\n[{\"symbol\":\"AAPL\",\"qty\":\"10\",\"current_price\":\"100\"}]";

struct reading {
    const char *equity, *positions, *quotes; /* quotes NULL: none */
};

/* The answers of a tick, and its end a second later; cash is 9,000, and ten shares at 100 are listed. */
static void reads(struct oracle *oracle, int64_t second, const struct reading *reading) {
    char account[96];
    snprintf(account, sizeof account, "\n{\"equity\":\"%s\",\"cash\":\"9000\"}", reading->equity);
    answer(oracle, second, "/v2/account", 200, account);
    answer(oracle, second, "/v2/positions", 200, reading->positions);
    if (reading->quotes != NULL) {
        answer(oracle, second, QUOTES, 200, reading->quotes);
    }
}

static struct oracle *valued(void) {
    struct oracle *oracle = up();
    frame(oracle, "data.equity_step", "0.01");
    frame(oracle, "data.reference_agreement", "0.005");
    frame(oracle, "data.quote_max_age_s", "10");
    tick(oracle, TEN - 1);
    return oracle;
}

static void doubts(struct oracle *oracle, int64_t second, const char *score) {
    says(oracle, second, "data_guard", "acted", "", "data_guard");
    scored(oracle, "data_guard", score);
}

/* Half a step of 10,000 is 50. */
Test(reasons, equity_that_cash_and_marks_explain_is_none_to_doubt) {
    static const struct {
        struct reading reading;
        const char *score;
    } rows[] = {
        {{"10000", LISTED, QUOTE}, UNFOUNDED},
        {{"10050", LISTED, QUOTE}, UNFOUNDED},
        {{"10050.01", LISTED, QUOTE}, DUE},
        {{"9949.99", LISTED, QUOTE}, DUE},
        {{"0", LISTED, QUOTE}, DUE},
        {{"9000", "\n[]", NULL}, UNFOUNDED}, /* nothing to be marked */
        {{"10000", LISTED, NULL}, DUE},      /* a mark that nobody knows */
        {{"10000", "\n[{\"symbol\":\"AAPL\",\"qty\":\"10\",\"current_price\":\"100.6\"}]", QUOTE},
         DUE}, /* two that do not agree */
        {{"10000", "\n[{\"symbol\":\"AAPL\",\"qty\":\"10\"}]", QUOTE}, DUE},
        {{"10000", LISTED,
          "\n{\"quotes\":{\"AAPL\":{\"bp\":99,\"ap\":101,\"t\":\"2023-11-15T15:00:00Z\"}}"
          "}"},
         DUE}, /* two of a hundred apart */
        {{"10000", LISTED,
          "\n{\"quotes\":{\"AAPL\":{\"bp\":99.99,\"ap\":100.01,\"t\":\"2023-11-15T14:59:"
          "49Z\"}}}"},
         DUE}, /* old */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = valued();
        reads(oracle, TEN, &rows[i].reading);
        doubts(oracle, TEN, rows[i].score);
    }
}

/* What was explained less than ten seconds ago is no fault that lasts, unless equity is nothing. */
Test(reasons, a_fault_of_the_equity_lasts_for_ten_seconds) {
    static const struct {
        int64_t later;
        const char *equity, *score;
    } rows[] = {{9, "12000", UNFOUNDED}, {10, "12000", DUE}, {9, "0", DUE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = valued();
        reads(oracle, TEN, &(struct reading){"10000", LISTED, QUOTE});
        tick(oracle, TEN);
        reads(oracle, TEN + rows[i].later, &(struct reading){rows[i].equity, LISTED, QUOTE});
        doubts(oracle, TEN + rows[i].later, rows[i].score);
    }
}

/* A split that is announced, one that was made, a read of them that failed, a clock that stepped, an account of the tick before. */
Test(reasons, money_that_moved_untold_may_be_doubted_until_ten_minutes_behind_its_row) {
    static const struct {
        const char *moved;
        bool is_told;
        int64_t behind;
        const char *score;
    } rows[] = {
        {"deposit", false, 3600, DUE},    {"withdraw", false, 3600, DUE},
        {"deposit", true, 599, DUE},      {"deposit", true, 600, UNFOUNDED},
        {"resume", false, 60, UNFOUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = valued();
        struct reading reading = {"10000", LISTED, QUOTE};
        const int64_t then = TEN - rows[i].behind;
        feed(oracle, (struct event){.kind = EVENT_OPERATOR,
                                    .at = at(then),
                                    .subject = rows[i].moved,
                                    .amount = USD(500)});
        if (rows[i].is_told) {
            feed(oracle,
                 (struct event){.kind = EVENT_ROW, .at = at(then), .number = 7, .subject = "flow"});
        }
        tick(oracle, TEN - 1);
        reads(oracle, TEN, &reading);
        doubts(oracle, TEN, rows[i].score);
    }
}

Test(reasons, where_a_mark_may_be_another_equity_may_be_unexplained) {
    for (int doubt = 0; doubt < 5; doubt++) {
        struct oracle *oracle = valued();
        reads(oracle, TEN, &(struct reading){"10000", LISTED, QUOTE});
        switch (doubt) {
        case 0:
            answer(oracle, TEN, "/v1/corporate-actions?symbols=AAPL", 200,
                   "\n{\"forward_splits\":[{\"symbol\":\"AAPL\"}]}");
            break;
        case 1:
            ledger_fill(oracle, TEN, "split:AAPL", "buy", 10);
            break;
        case 2:
            answer(oracle, TEN, "/v1/corporate-actions?symbols=AAPL", 500, "\n");
            break;
        case 3:
            word(oracle, EVENT_FAULT, TEN, "clock.step", "");
            break;
        default:
            answer(oracle, TEN, "/v2/account", 500, "\n");
            break;
        }
        doubts(oracle, TEN, DUE);
    }
}
