/* test_judges_clusters.c - the judges of what moves together: what they take from bars, sectors, issuers and
 * funds, and their bounds. AAPL and SNOW are of one sector, FB of another; 10,000 USD. */
#include "core/base/text.h"
#include "tests/unit/stream.h"

/* 2023-11-15 14:30:00Z, seconds of the run; the session lasts 23,400 more. */
static const int64_t OPEN = 58600;
static const char BARS[] = "/v2/stocks/bars?symbols=AAPL";
static const char BROKEN[] = "clusters_within_their_cap";

static struct oracle *clustered(const char *limit) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.correlation_limit", limit);
    frame(oracle, "risk.cluster_correlation", "0.8");
    frame(oracle, "sector AAPL", "tech");
    frame(oracle, "sector SNOW", "tech");
    frame(oracle, "sector FB", "media");
    frame(oracle, "orders.cap_usd", "1000");
    frame(oracle, "sizing.base_usd", "1000");
    equity(oracle, OPEN, 10000);
    return oracle;
}

/* At 100. */
static void holds(struct oracle *oracle, const char *symbol, int64_t shares) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(OPEN - 600),
                                .subject = "buy",
                                .symbol = symbol,
                                .id = "st-0",
                                .qty = QTY(shares),
                                .price = USD(100)});
}

/* 10 at 100, 1,000, an hour and a half into the session. */
static void buys(struct oracle *oracle, const char *symbol) {
    order_leaves(oracle, OPEN + 5400, "buy", symbol, "st-1");
}

/* So many minutes to 90 behind the open: up and down by a tenth in a hundred, the first `turned` of them
 * turned round; 0 for turned: as AAPL does. */
static void add_bars(struct text *out, const char *symbol, int returns, int turned) {
    double close = 100;
    text_add_format(out, "%s\"%s\":[", out->len > 12 ? "," : "", symbol);
    for (int i = 0; i <= returns; i++) {
        char minute[UTC_TEXT_MAX];
        utc_print(at(OPEN + 60 * (90 - returns + i)), minute);
        double move = (i % 2 == 0) == (i > turned) ? 1.001 : 0.999;
        close *= i == 0 ? 1 : move;
        text_add_format(out, "%s{\"t\":\"%s\",\"o\":1,\"h\":1,\"l\":1,\"c\":%.6f,\"v\":1}",
                        i == 0 ? "" : ",", minute, close);
    }
    text_add(out, "]");
}

/* All three move together but for the first `turned` returns of `odd`. */
static void reads_bars(struct oracle *oracle, int returns, const char *odd, int turned, int status,
                       const char *error) {
    static const char *const symbols[] = {"AAPL", "SNOW", "FB", "SPY"};
    struct text body = {0};
    text_add(&body, "\n{\"bars\":{");
    for (size_t i = 0; i < 4; i++) {
        add_bars(&body, symbols[i], returns, strcmp(symbols[i], odd) == 0 ? turned : 0);
    }
    text_add(&body, "},\"next_page_token\":null}");
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(OPEN + 5400),
                                .subject = "GET",
                                .what = BARS,
                                .id = error,
                                .number = status,
                                .body = text_get(&body),
                                .body_len = body.len});
    text_release(&body);
}

/* A cap of 2,000, a tenth above it is allowed for: 12 held and 10 bought hold, 13 break. */
static void expect_part(struct oracle *oracle[2], const char *held, int64_t shares,
                        const char *bought) {
    for (int more = 0; more < 2; more++) {
        holds(oracle[more], held, shares + more);
        buys(oracle[more], bought);
        expect(oracle[more], more ? BROKEN : "", 0);
    }
}

Test(clusters, without_bars_a_sector_moves_together) {
    struct oracle *tech[2] = {clustered("0.2"), clustered("0.2")};
    expect_part(tech, "SNOW", 12, "AAPL");
    struct oracle *unknown[2] = {clustered("0.2"), clustered("0.2")};
    expect_part(unknown, "IBM", 12, "XYZ");
    struct oracle *itself[2] = {clustered("0.2"), clustered("0.2")};
    expect_part(itself, "AAPL", 12, "AAPL");
    struct oracle *other = clustered("0.2");
    holds(other, "FB", 50);
    holds(other, "IBM", 50);
    buys(other, "AAPL");
    expect(other, "", 0);
}

Test(clusters, entries_at_work_count) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = clustered("0.2");
        holds(oracle, "SNOW", 2 + more);
        order_leaves(oracle, OPEN + 5300, "buy", "SNOW", "st-9");
        feed(oracle, (struct event){.kind = EVENT_LEDGER_ORDER,
                                    .at = at(OPEN + 5300),
                                    .subject = "buy",
                                    .what = "new",
                                    .symbol = "SNOW",
                                    .id = "st-9",
                                    .number = 10 * NANOS,
                                    .body = "limit"});
        buys(oracle, "AAPL");
        expect(oracle, more ? BROKEN : "", 0);
    }
}

/* Of 60 returns 4 against the rest are 0.867, 8 are 0.733; 6 are 0.8, too near to say. */
Test(clusters, what_correlates_above_the_bound_moves_together) {
    struct oracle *above[2] = {clustered("0.2"), clustered("0.2")};
    for (int i = 0; i < 2; i++) {
        reads_bars(above[i], 60, "FB", 4, 200, "");
    }
    expect_part(above, "FB", 12, "AAPL");
    for (int turned = 6; turned <= 8; turned += 2) {
        struct oracle *oracle = clustered("0.2");
        reads_bars(oracle, 60, "SNOW", turned, 200, "");
        holds(oracle, "SNOW", 50);
        buys(oracle, "AAPL");
        expect(oracle, "", 0);
    }
}

Test(clusters, too_few_returns_say_nothing) {
    for (int returns = 39; returns <= 40; returns++) {
        struct oracle *oracle = clustered("0.2");
        reads_bars(oracle, returns, "SNOW", returns, 200, "");
        holds(oracle, "SNOW", 50);
        buys(oracle, "AAPL");
        expect(oracle, returns == 39 ? BROKEN : "", 0);
        oracle = clustered("0.2");
        reads_bars(oracle, returns, "", 0, 200, "");
        holds(oracle, "FB", 50);
        buys(oracle, "AAPL");
        expect(oracle, returns == 40 ? BROKEN : "", 0);
    }
}

Test(clusters, bars_of_another_life_and_of_an_answer_that_failed_are_none) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = clustered("0.2");
        reads_bars(oracle, 60, "SNOW", 60, how == 1 ? 500 : 200, how == 2 ? "timeout" : "");
        if (how == 0) {
            word(oracle, EVENT_START, OPEN + 5400, "ready", "");
        }
        holds(oracle, "SNOW", 50);
        buys(oracle, "AAPL");
        expect(oracle, BROKEN, 0);
    }
}

Test(clusters, one_issuer_is_one_and_a_fund_is_what_it_holds) {
    struct oracle *issuer[2] = {clustered("0.2"), clustered("0.2")};
    struct oracle *fund[2] = {clustered("0.2"), clustered("0.2")};
    struct oracle *candidate[2] = {clustered("0.2"), clustered("0.2")};
    for (int i = 0; i < 2; i++) {
        frame(issuer[i], "issuer AAPL", "Apple");
        frame(issuer[i], "issuer FB", "Apple");
        frame(issuer[i], "issuer SNOW", "Snow");
        reads_bars(issuer[i], 60, "FB", 60, 200, "");
        frame(fund[i], "funds AAPL", "DIA:0.1 SPY:0.5");
        frame(candidate[i], "funds AAPL", "SPY:0.5");
    }
    expect_part(issuer, "FB", 12, "AAPL");
    expect_part(fund, "SPY", 24, "AAPL");
    expect_part(candidate, "AAPL", 24, "SPY");
}

Test(clusters, behind_a_fault_a_buy_above_the_cap_is_a_maybe_for_a_minute) {
    for (int64_t before = 59; before <= 60; before++) {
        struct oracle *oracle = clustered("0.2");
        holds(oracle, "SNOW", 13);
        word(oracle, EVENT_FAULT, OPEN + 5400 - before, "market.gap", "");
        buys(oracle, "AAPL");
        expect(oracle, before == 59 ? "" : BROKEN, before == 59);
    }
}

Test(clusters, what_came_in_since_the_cycle_before_buys_nothing) {
    for (int late = 0; late < 2; late++) {
        struct oracle *oracle = clustered("0.09");
        word(oracle, EVENT_TICK, OPEN, "cycle", "");
        equity(oracle, OPEN, 20000);
        word(oracle, EVENT_TICK, OPEN, late ? "cycle" : "tick", "");
        buys(oracle, "AAPL");
        expect(oracle, late ? "" : BROKEN, 0);
    }
}

Test(clusters, where_no_limit_was_told_nothing_is_judged) {
    struct oracle *oracle = oracle_create();
    equity(oracle, OPEN, 10000);
    holds(oracle, "AAPL", 500);
    buys(oracle, "AAPL");
    expect(oracle, "", 0);
}

/* --- refusals: an entry is 1,000 at most; with 500 beside it 1,500, and a quarter more is 1,875 --- */

static void refused(struct oracle *oracle) {
    static const char numbers[] = "3000 against 2000";
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(OPEN + 5400),
                                .subject = "CORRELATION_LIMIT",
                                .what = "entry",
                                .symbol = "AAPL",
                                .body = numbers,
                                .body_len = strlen(numbers)});
}

Test(cluster_refusals, one_that_the_largest_entry_could_not_reach_is_none) {
    for (int low = 0; low < 2; low++) {
        struct oracle *oracle = clustered(low ? "0.1875" : "0.1876");
        holds(oracle, "SNOW", 5);
        holds(oracle, "FB", 50);
        refused(oracle);
        expect(oracle, low ? "" : "cluster_refusal_is_due", 0);
    }
}

Test(cluster_refusals, what_a_bust_undid_may_count) {
    struct oracle *oracle = clustered("0.1875");
    holds(oracle, "SNOW", 5);
    undoes(oracle, OPEN + 5000, "SNOW");
    refused(oracle);
    expect(oracle, "", 0);
}

/* FB as near to the bound as that may be in it. */
Test(cluster_refusals, what_may_move_together_may_be_refused) {
    for (int turned = 6; turned <= 8; turned += 2) {
        struct oracle *oracle = clustered("0.3");
        reads_bars(oracle, 60, "FB", turned, 200, "");
        holds(oracle, "FB", 50);
        refused(oracle);
        expect(oracle, turned == 6 ? "" : "cluster_refusal_is_due", 0);
    }
}

Test(cluster_refusals, behind_a_fault_or_an_order_that_moved_none_is_judged) {
    for (int64_t before = 59; before <= 60; before++) {
        for (int is_fault = 0; is_fault < 2; is_fault++) {
            struct oracle *oracle = clustered("0.5");
            if (is_fault) {
                word(oracle, EVENT_FAULT, OPEN + 5400 - before, "market.gap", "");
            } else {
                ledger_order(oracle, OPEN + 5400 - before, "st-1", "buy", "limit", "new", 1, 0);
            }
            refused(oracle);
            expect(oracle, before == 59 ? "" : "cluster_refusal_is_due", 0);
        }
    }
}
