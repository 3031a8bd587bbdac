/* test_judges_position_sign.c - the judge of what is short: fired, bought back, no share beyond, none sold. */
#include "tests/unit/stream.h"

enum { TEN = 60400 }; /* seconds; 2023-11-15 10:00 */

static const char ID[] = "short_is_bought_back";
#define LISTS(qty) "\n[{\"symbol\":\"AAPL\",\"qty\":\"" qty "\"}]"

static void lists(struct oracle *oracle, int64_t second, const char *body) {
    answer(oracle, second, "/v2/positions", 200, body);
}

static void latch(struct oracle *oracle, int64_t second) {
    body_of(oracle, EVENT_MECHANISM, second, "position_sign", "acted",
            "\"cause\":\"position_sign\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,"
            "\"by\":\"core\"");
    word(oracle, EVENT_MODE, second, "REDUCE_ONLY", "NORMAL");
}

/* Ten shares of a purchase that was sold since are undone. */
static struct oracle *busted(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.position_sign", "1");
    word(oracle, EVENT_START, TEN - 100, "ready", "");
    ledger_fill(oracle, TEN, "bust:st-1", "sell", 10);
    return oracle;
}

static void tick(struct oracle *oracle, int64_t second) {
    equity(oracle, second, 100000);
    word(oracle, EVENT_TICK, second, "", "");
}

static void covers(struct oracle *oracle, int64_t second, int64_t shares) {
    order_leaves(oracle, second, "buy", "AAPL", "st-2023-11-15-2");
    ledger_order(oracle, second, "st-2023-11-15-2", "buy", "limit", "new", 10, 0);
    ledger_fill(oracle, second, "st-2023-11-15-2", "buy", shares);
}

Test(short_is_bought_back, fired_and_bought_back_within_the_minute_holds) {
    struct oracle *oracle = busted();
    lists(oracle, TEN + 2, LISTS("-10"));
    latch(oracle, TEN + 3);
    tick(oracle, TEN + 3);
    covers(oracle, TEN + 4, 10);
    lists(oracle, TEN + 5, "\n[]");
    tick(oracle, TEN + 100);
    expect_scored(oracle, "",
                  "\"mechanism\":\"position_sign\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000");
}

Test(short_is_bought_back, no_kill_by_the_end_of_the_second_tick_breaks) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = busted();
        lists(oracle, TEN + 2, LISTS("-10"));
        tick(oracle, TEN + 2);
        if (more) {
            tick(oracle, TEN + 7);
        }
        expect(oracle, more ? ID : "", 0);
    }
}

Test(short_is_bought_back, what_no_answer_showed_is_not_due) {
    struct oracle *oracle = busted();
    for (int i = 0; i < 12; i++) {
        tick(oracle, TEN + 10 * i);
    }
    expect(oracle, "naked_is_paged", 0); /* but bare it is */
}

Test(short_is_bought_back, what_a_document_brings_back_is_no_trip) {
    for (int is_own = 0; is_own < 2; is_own++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.position_sign", "1");
        word(oracle, EVENT_START, TEN - 100, "ready", "");
        body_of(oracle, EVENT_MECHANISM, TEN, "position_sign", "acted",
                is_own ? "\"by\":\"core\"" : "\"by\":\"document\"");
        expect(oracle, is_own ? ID : "", 0);
    }
}

Test(short_is_bought_back, off_is_not_judged) {
    struct oracle *oracle = busted();
    frame(oracle, "risk.position_sign", "0");
    lists(oracle, TEN + 2, LISTS("-10"));
    feed(oracle, (struct event){.kind = EVENT_ALERT, .at = at(TEN + 2), .subject = "page"});
    tick(oracle, TEN + 3);
    tick(oracle, TEN + 65);
    expect(oracle, "", 0);
}

Test(short_is_bought_back, a_minute_and_no_second_more) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = busted();
        lists(oracle, TEN + 2, LISTS("-10"));
        latch(oracle, TEN + 3);
        feed(oracle, (struct event){.kind = EVENT_ALERT, .at = at(TEN + 3), .subject = "page"});
        tick(oracle, TEN + 3);
        tick(oracle, TEN + 63 + more);
        expect(oracle, more ? ID : "", 0);
    }
}

Test(short_is_bought_back, an_exit_that_does_not_get_on_is_a_maybe_once_it_was_paged) {
    struct oracle *oracle = busted();
    lists(oracle, TEN + 2, LISTS("-10"));
    latch(oracle, TEN + 3);
    body_of(oracle, EVENT_ALERT, TEN + 40, "page", "exit_stuck", "AAPL");
    tick(oracle, TEN + 41);
    tick(oracle, TEN + 102);
    expect(oracle, "", 1);
}

Test(short_is_bought_back, an_act_on_nothing_breaks) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.position_sign", "1");
    word(oracle, EVENT_START, TEN - 100, "ready", "");
    lists(oracle, TEN, LISTS("10"));
    latch(oracle, TEN + 1);
    expect(oracle, ID, 0);
}

Test(short_is_bought_back, one_share_beyond_zero_breaks) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = busted();
        lists(oracle, TEN + 2, LISTS("-10"));
        latch(oracle, TEN + 3);
        covers(oracle, TEN + 4, 10 + more);
        expect(oracle, more ? ID : "", 0);
    }
}

Test(short_is_bought_back, a_sale_of_what_is_listed_as_short_breaks) {
    struct oracle *oracle = busted();
    lists(oracle, TEN + 2, LISTS("-10"));
    latch(oracle, TEN + 3);
    order_leaves(oracle, TEN + 4, "sell", "AAPL", "st-2023-11-15-3");
    expect(oracle, ID, 0);
}
