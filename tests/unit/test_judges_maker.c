/* test_judges_maker.c - the judge of worked entries: each flaw of a later order, its time and count at their edges, and
 * what is cancelled too late. */
#include "tests/unit/stream.h"

enum { T0 = 59000 }; /* 2023-11-15 09:36:40 New York */

static void intent(struct oracle *oracle, int64_t second, int n, const char *of,
                   const char *reason) {
    char id[32];
    char body[256];
    snprintf(id, sizeof id, "st-2023-11-15-%d", n);
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"purpose\":\"entry\",\"reason\":\"%s\","
             "\"qty\":\"10\",\"attempt\":%d,\"of\":\"%s\"}",
             reason, n, of);
    row_at(oracle, second, n, "intent", id, body);
}

static void sends(struct oracle *oracle, int64_t second, int n, const char *type, int shares) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"%s\",\"qty\":\"%d\"%s,"
             "\"client_order_id\":\"st-2023-11-15-%d\"}",
             type, shares, strcmp(type, "market") == 0 ? "" : ",\"limit_price\":\"100\"", n);
    leaves(oracle, second, "POST", "/v2/orders", body);
    answer(oracle, second, "/v2/orders/b", 200, body); /* of unknown fate it is not */
}

/* The ledger's word, and of an end the core's. */
static void stands(struct oracle *oracle, int64_t second, int n, const char *status, int filled) {
    char id[32];
    snprintf(id, sizeof id, "st-2023-11-15-%d", n);
    ledger_order(oracle, second, id, "buy", "limit", status, 10, filled);
    if (strcmp(status, "canceled") == 0) {
        feed(oracle, (struct event){.kind = EVENT_ORDER,
                                    .at = at(second),
                                    .subject = "entry",
                                    .what = status,
                                    .symbol = "AAPL",
                                    .id = id,
                                    .qty = QTY(filled)});
    }
}

/* The core's own word of its first order, with the broker's id. */
static void hears(struct oracle *oracle, int64_t second, const char *status, int filled) {
    static const char body[] = "{\"broker_id\":\"b-1\"}";
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = "entry",
                                .what = status,
                                .symbol = "AAPL",
                                .id = "st-2023-11-15-1",
                                .qty = QTY(filled),
                                .body = body,
                                .body_len = strlen(body)});
}

static void tick(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = at(second), .subject = "tick"});
}

/* Three tries in a minute; the first order left at T0 and the broker has it. */
static struct oracle *working(const char *cross) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "execution.tries", "3");
    frame(oracle, "execution.cross", cross);
    frame(oracle, "execution.patience_s", "60");
    frame(oracle, "execution.partial_s", "10");
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(T0), .subject = "ready"});
    intent(oracle, T0, 1, "", "signal");
    sends(oracle, T0, 1, "limit", 10);
    stands(oracle, T0, 1, "new", 0);
    hears(oracle, T0, "new", 0);
    return oracle;
}

static void next(struct oracle *oracle, int64_t second, int n, const char *reason) {
    intent(oracle, second, n, "st-2023-11-15-1", reason);
    sends(oracle, second, n, "limit", 10);
    stands(oracle, second, n, "new", 0);
    stands(oracle, second, n, "canceled", 0);
}

static const char BROKEN[] = "entries_are_worked_in_bounds";

Test(judges_maker, a_price_after_the_other_behind_each_end_is_good) {
    struct oracle *oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    next(oracle, T0 + 25, 2, "repriced");
    next(oracle, T0 + 90, 3, "repriced"); /* decided within the minute, 30 s before */
    next(oracle, T0 + 110, 4, "cross");   /* and one more share of 20 s */
    expect(oracle, "", 0);
}

/* Ended at the broker after 20 s, told as over, and a row of that number; ticks for patience, a share and three
 * minutes, which is T0 + 280. */
static struct oracle *idle(const char *told, int row, int64_t until) {
    struct oracle *oracle = working("0");
    tick(oracle, T0 + 15);
    stands(oracle, T0 + 20, 1, "canceled", 0);
    if (told[0] != '\0') {
        feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                    .at = at(T0 + 20),
                                    .subject = "maker_execution",
                                    .what = told,
                                    .symbol = "AAPL",
                                    .id = "st-2023-11-15-1"});
    }
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(T0 + 20), .subject = "dead"});
    row_at(oracle, T0 + 20, row, "start", "build", "{}");
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(T0 + 20), .subject = "ready"});
    for (int64_t second = 20; second <= until; second += 5) {
        tick(oracle, T0 + second);
    }
    return oracle;
}

Test(judges_maker, an_entry_that_nobody_ends_is_seen) {
    expect(idle("", 2, 275), "", 0);
    expect_finding(idle("", 3, 280), BROKEN, T0 + 280, "st-2023-11-15-1 is worked without end");
    expect_finding(idle("released", 2, 280), BROKEN, T0 + 280,
                   "st-2023-11-15-1 is worked without end");
}

Test(judges_maker, the_row_of_its_end_may_be_durable_though_the_core_died_before_it_said_so) {
    expect(idle("released", 3, 400), "", 0);
    expect(idle("refused", 3, 400), "", 0);
    expect_finding(idle("acted", 3, 280), BROKEN, T0 + 280,
                   "st-2023-11-15-1 is worked without end");
}

Test(judges_maker, none_leaves_beside_one_that_lives) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 20, 1, "pending_cancel", 0);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 25, 2, "limit", 10);
    expect_finding(oracle, BROKEN, T0 + 25,
                   "AAPL: st-2023-11-15-2 leaves while the one before it lives");
}

Test(judges_maker, one_too_many_is_seen) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 5, 1, "canceled", 0);
    next(oracle, T0 + 10, 2, "repriced");
    next(oracle, T0 + 15, 3, "repriced");
    next(oracle, T0 + 20, 4, "repriced");
    expect_finding(oracle, BROKEN, T0 + 20, "AAPL: st-2023-11-15-4 is one too many");
}

/* The core's word of an order that the broker never had. */
static void comes_to(struct oracle *oracle, int64_t second, int n, const char *word) {
    char id[32];
    snprintf(id, sizeof id, "st-2023-11-15-%d", n);
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = "entry",
                                .what = word,
                                .symbol = "AAPL",
                                .id = id});
}

Test(judges_maker, an_order_of_which_no_byte_left_is_no_try) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 5, 1, "canceled", 0);
    next(oracle, T0 + 10, 2, "repriced");
    intent(oracle, T0 + 15, 3, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 15, 3, "limit", 10);
    comes_to(oracle, T0 + 20, 3, "not_sent");
    comes_to(oracle, T0 + 20, 3, "not_sent"); /* told twice, it is one */
    next(oracle, T0 + 25, 4, "repriced");
    expect(oracle, "", 0);
}

Test(judges_maker, one_that_the_broker_had_is_a_try_whatever_the_core_says) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 5, 1, "canceled", 0);
    next(oracle, T0 + 10, 2, "repriced");
    intent(oracle, T0 + 15, 3, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 15, 3, "limit", 10);
    ledger_order(oracle, T0 + 16, "st-2023-11-15-3", "buy", "limit", "canceled", 10, 0);
    comes_to(oracle, T0 + 20, 3, "not_sent");
    next(oracle, T0 + 25, 4, "repriced");
    expect_finding(oracle, BROKEN, T0 + 25, "AAPL: st-2023-11-15-4 is one too many");
}

Test(judges_maker, one_crosses_and_only_where_it_may) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 5, 1, "canceled", 0);
    next(oracle, T0 + 10, 2, "cross");
    expect(oracle, BROKEN, 0);
    oracle = working("1");
    stands(oracle, T0 + 5, 1, "canceled", 0);
    next(oracle, T0 + 10, 2, "cross");
    next(oracle, T0 + 15, 3, "cross");
    expect_finding(oracle, BROKEN, T0 + 15, "AAPL: st-2023-11-15-3 is one too many");
}

Test(judges_maker, its_patience_ends) {
    struct oracle *oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    next(oracle, T0 + 91, 2, "repriced");
    expect_finding(oracle, BROKEN, T0 + 91,
                   "AAPL: st-2023-11-15-2 leaves when its patience is over");
    oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    next(oracle, T0 + 111, 2, "cross");
    expect(oracle, BROKEN, 0);
    oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    frame(oracle, "wall", "0");
    feed(oracle, (struct event){.kind = EVENT_FAULT, .at = at(T0 + 30), .subject = "clock.step"});
    next(oracle, T0 + 111, 2, "cross");
    expect(oracle, "", 0); /* by a wall that was set */
}

Test(judges_maker, nothing_is_bought_beside_a_part_nor_beyond_what_was_wished) {
    struct oracle *oracle = working("0");
    ledger_fill(oracle, T0 + 19, "st-2023-11-15-1", "buy", 4);
    stands(oracle, T0 + 20, 1, "canceled", 4);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 25, 2, "limit", 6);
    expect_finding(oracle, BROKEN, T0 + 25,
                   "AAPL: st-2023-11-15-2 leaves for an entry of which a part is held");
    oracle = working("0");
    ledger_fill(oracle, T0 + 19, "st-2023-11-15-1", "buy", 4);
    stands(oracle, T0 + 20, 1, "canceled", 4);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 25, 2, "limit", 7);
    expect_finding(oracle, BROKEN, T0 + 25,
                   "AAPL: st-2023-11-15-2 takes the entry beyond what was wished");
    oracle = working("0");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "repriced");
    sends(oracle, T0 + 25, 2, "limit", 11);
    expect(oracle, BROKEN, 0);
}

Test(judges_maker, no_order_is_without_a_limit) {
    struct oracle *oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "cross");
    sends(oracle, T0 + 25, 2, "market", 10);
    expect_finding(oracle, BROKEN, T0 + 25, "AAPL: st-2023-11-15-2 has no limit");
    oracle = working("1");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "cross");
    sends(oracle, T0 + 25, 2, "stop_limit", 10);
    expect(oracle, BROKEN, 0);
}

/* --- time --- */

/* Ticks from second 35 on: two more than may be late. */
static struct oracle *left_alone(int64_t part_at, int64_t from, const char *fault) {
    struct oracle *oracle = working("0");
    if (fault[0] != '\0') {
        feed(oracle, (struct event){.kind = EVENT_FAULT, .at = at(T0 + 1), .subject = fault});
    }
    if (part_at > 0) {
        ledger_fill(oracle, T0 + part_at, "st-2023-11-15-1", "buy", 4);
        stands(oracle, T0 + part_at, 1, "partially_filled", 4);
        hears(oracle, T0 + part_at, "partially_filled", 4);
    }
    for (int i = 0; i < 3; i++) {
        tick(oracle, T0 + from + i * 5);
    }
    return oracle;
}

Test(judges_maker, one_that_is_late_is_cancelled_within_two_ticks_and_15_s) {
    expect_scored(left_alone(0, 34, ""), "", "\"mechanism\":\"maker_execution\",\"due\":1,");
    expect_scored(left_alone(0, 35, ""), BROKEN,
                  "\"mechanism\":\"maker_execution\",\"due\":1,\"acted\":0,\"missed\":1");
}

Test(judges_maker, a_part_is_cut_off_ten_seconds_later) {
    expect(left_alone(2, 26, ""), "",
           0); /* 15 s behind the tenth second: one of three ticks is early */
    expect(left_alone(2, 27, ""), BROKEN, 0);
}

Test(judges_maker, behind_a_fault_of_its_own_way_it_may_be) {
    expect(left_alone(0, 35, "http.dns"), "", 1);
    expect(left_alone(0, 35, "order.partial_silence"), BROKEN, 0);
}

Test(judges_maker, a_cancel_in_time_is_an_act_and_its_latency_counts) {
    struct oracle *oracle = working("0");
    tick(oracle, T0 + 20);
    leaves(oracle, T0 + 22, "DELETE", "/v2/orders/b-1", "");
    for (int i = 0; i < 4; i++) {
        leaves(oracle, T0 + 34 + i * 5, "DELETE", "/v2/orders/b-1", "");
        tick(oracle, T0 + 35 + i * 5);
    }
    expect_scored(oracle, "",
                  "\"mechanism\":\"maker_execution\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000");
}

/* Answered 5xx, say, and never asked again: for 15 s and two ticks that is one that was cancelled. */
Test(judges_maker, a_cancel_that_ends_nothing_is_asked_for_again) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = working("0");
        leaves(oracle, T0 + 22, "DELETE", "/v2/orders/b-1", "");
        for (int i = 0; i < 3; i++) {
            tick(oracle, T0 + 36 + is_late + i * 5);
        }
        expect(oracle, is_late ? BROKEN : "", 0);
    }
}

/* What the core heard of it last: the ledger alone is no word. */
Test(judges_maker, none_leaves_before_the_core_heard_of_the_end) {
    static const struct {
        const char *words[2];
        bool is_good;
    } rows[] = {{{"new", "canceled"}, true},  {{"new", "expired"}, true},
                {{"new", "filled"}, true},    {{"not_sent", ""}, true},
                {{"new", ""}, false},         {{"unknown", "not_sent"}, false},
                {{"unknown", "lost"}, false}, {{"new", "pending_cancel"}, false},
                {{"unknown", ""}, false},     {{"rejected", ""}, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = working("0");
        ledger_order(oracle, T0 + 5, "st-2023-11-15-1", "buy", "limit", "canceled", 10, 0);
        for (size_t w = 0; w < 2 && rows[i].words[w][0] != '\0'; w++) {
            hears(oracle, T0 + 6, rows[i].words[w], 0);
        }
        intent(oracle, T0 + 25, 2, "st-2023-11-15-1", "repriced");
        sends(oracle, T0 + 25, 2, "limit", 10);
        expect(oracle, rows[i].is_good ? "" : BROKEN, 0);
    }
}

/* Patience, a share, and three minutes: 260 s of ticks, once its order is over; a row of its own ends it before. */
Test(judges_maker, an_entry_ends) {
    static const char *const kinds[] = {"", "maker", "stop"};
    for (int late = 0; late < 2; late++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            struct oracle *oracle = working("0");
            tick(oracle, T0 + 1);
            stands(oracle, T0 + 1, 1, "canceled", 0);
            if (kinds[k][0] != '\0') {
                row_at(oracle, T0 + 2, 3, kinds[k], k == 1 ? "st-2023-11-15-1" : "clean", "{}");
            }
            for (int i = 1; i <= 52; i++) {
                tick(oracle, T0 + 1 + i * 5);
            }
            if (late) {
                tick(oracle, T0 + 262);
            }
            expect(oracle, late && k == 0 ? BROKEN : "", 0);
        }
    }
}

/* With the setting off: nobody works the entry, and its part is cut off all the same. */
Test(judges_maker, a_part_of_any_entry_is_cut_off) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "execution.tries", "3");
        frame(oracle, "execution.patience_s", "60");
        frame(oracle, "execution.partial_s", "10");
        feed(oracle, (struct event){.kind = EVENT_START, .at = at(T0), .subject = "ready"});
        row_at(oracle, T0, 1, "intent", "st-2023-11-15-1",
               "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"purpose\":\"entry\",\"qty\":\"10\"}");
        sends(oracle, T0, 1, "limit", 10);
        stands(oracle, T0, 1, "new", 0);
        hears(oracle, T0, "new", 0);
        tick(oracle, T0 + 100); /* it has a patience of its own */
        ledger_fill(oracle, T0 + 100, "st-2023-11-15-1", "buy", 4);
        hears(oracle, T0 + 100, "partially_filled", 4);
        for (int i = 0; i < 3; i++) {
            tick(oracle, T0 + 124 + is_late + i * 5);
        }
        expect(oracle, is_late ? BROKEN : "", 0);
    }
}

Test(judges_maker, an_order_that_is_no_entry_of_its_kind_is_not_its_affair) {
    struct oracle *oracle = working("0");
    stands(oracle, T0 + 20, 1, "canceled", 0);
    row_at(oracle, T0 + 400, 9, "intent", "st-2023-11-15-9",
           "{\"symbol\":\"MSFT\",\"side\":\"buy\",\"reason\":\"signal\",\"qty\":\"10\"}");
    sends(oracle, T0 + 400, 9, "market", 10);
    expect(oracle, "", 0);
}

Test(judges_maker, a_journal_that_went_back_leaves_nothing_to_go_by) {
    struct oracle *oracle = working("0");
    row_at(oracle, T0 + 5, 1, "start", "", "{}");
    sends(oracle, T0 + 25, 2, "market", 10);
    expect(oracle, "row_never_lost", 0); /* and no more */
}

/* --- what other judges count --- */

/* One entry in 15 minutes, a cooldown of as many, and two sends are a repeat. */
Test(judges_maker, a_reprice_is_no_entry_of_its_own_to_rate_cooldown_and_repeats) {
    for (int is_reprice = 0; is_reprice < 2; is_reprice++) {
        struct oracle *oracle = oracle_create();
        const char *ids[ORACLE_INVARIANT_COUNT] = {""};
        frame(oracle, "execution.tries", "3");
        frame(oracle, "execution.patience_s", "60");
        frame(oracle, "risk.symbol_cooldown_s", "900");
        frame(oracle, "risk.max_new_per_15min", "1");
        frame(oracle, "orders.repeats", "2");
        frame(oracle, "orders.repeat_window_s", "60");
        feed(oracle, (struct event){.kind = EVENT_START, .at = at(T0), .subject = "ready"});
        intent(oracle, T0, 1, "", "signal");
        sends(oracle, T0, 1, "limit", 10);
        stands(oracle, T0, 1, "new", 0);
        stands(oracle, T0 + 20, 1, "canceled", 0);
        intent(oracle, T0 + 25, 2, is_reprice ? "st-2023-11-15-1" : "", "repriced");
        sends(oracle, T0 + 25, 2, "limit", 10);
        tick(oracle, T0 + 26);
        size_t count = oracle_broken(oracle, ids, ORACLE_INVARIANT_COUNT);
        cr_expect_eq(count, is_reprice ? 0 : 3, "%zu broken, %s first", count, ids[0]);
        oracle_destroy(oracle);
    }
}

Test(judges_maker, an_order_that_goes_on_with_another_entry_is_one_to_the_cooldown) {
    struct oracle *oracle = working("0");
    frame(oracle, "risk.symbol_cooldown_s", "900");
    stands(oracle, T0 + 1, 1, "canceled", 0);
    sends(oracle, T0 + 31, 7, "limit", 10); /* whose intent nobody saw */
    row_at(oracle, T0 + 40, 8, "intent", "st-2023-11-15-8",
           "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"reason\":\"repriced\",\"qty\":\"10\","
           "\"of\":\"st-2023-11-15-1\"}");
    sends(oracle, T0 + 40, 8, "limit", 10);
    expect(oracle, "cooldown_between_orders", 0);
}
