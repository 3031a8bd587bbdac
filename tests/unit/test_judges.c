/* test_judges.c - the judges of sends, limits, journal, lives and healing, each at its edge. */
#include "tests/unit/stream.h"

#include <stdlib.h>

/* 2023-11-15 14:30:00Z, seconds of the run; the session lasts 23,400 more. */
static const int64_t OPEN = 58600;
static const int64_t CLOSE = 82000;

static const char STRICT[] = "\"cause\":\"review\",\"mode\":\"REDUCE_ONLY\",\"latched\":false";
static const char CAUTION[] = "\"cause\":\"review\",\"mode\":\"CAUTION\",\"latched\":false";
static const char LATCH[] = "{\"mode\":\"REDUCE_ONLY\",\"by\":\"core\",\"why\":\"\"}";

static void up(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_START, second, "ready", "");
}

static void symbol_fill(struct oracle *oracle, int64_t second, const char *symbol, const char *id,
                        const char *side, int64_t shares, int64_t usd) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(second),
                                .subject = side,
                                .symbol = symbol,
                                .id = id,
                                .qty = QTY(shares),
                                .price = USD(usd)});
}

/* --- the catalogue --- */

Test(catalogue, holds_every_number_and_says_why_what_is_waived_is_not_judged) {
    for (int n = 1; n <= 34; n++) {
        char number[16];
        snprintf(number, sizeof number, "%c%d", n <= 24 ? 'S' : 'L', n <= 24 ? n : n - 24);
        int found = 0;
        for (int i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
            enum oracle_invariant invariant = (enum oracle_invariant)i;
            found += strcmp(oracle_invariant_number(invariant), number) == 0;
        }
        cr_expect_gt(found, 0, "%s", number);
    }
    int waived = 0;
    for (int i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        waived += oracle_invariant_waiver((enum oracle_invariant)i)[0] != '\0';
        cr_expect(oracle_invariant_meaning((enum oracle_invariant)i)[0] != '\0');
    }
    cr_expect_eq(waived, 3);
}

Test(catalogue, the_budget_is_one_maybe_in_a_hundred_orders) {
    cr_expect_not(oracle_is_over_budget(0, 0));
    cr_expect(oracle_is_over_budget(11, 1099));
    cr_expect_not(oracle_is_over_budget(11, 1100));
    cr_expect(oracle_is_over_budget(11, ORACLE_BUDGET_ORDERS_MIN));
    cr_expect_not(oracle_is_over_budget(11, ORACLE_BUDGET_ORDERS_MIN - 1));
}

Test(catalogue, what_a_run_is_about_is_not_excused) {
    for (int is_named = 0; is_named < 2; is_named++) {
        struct oracle *oracle = oracle_create();
        if (is_named) {
            frame(oracle, "never", "books_equal_ledger");
        }
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        word(oracle, EVENT_STOP, 9, "clean", "");
        expect(oracle, is_named ? "books_equal_ledger" : "", is_named ? 0 : 1);
    }
}

Test(catalogue, a_line_for_each_broken_one_with_its_first_time_and_count) {
    struct oracle *oracle = oracle_create();
    struct text lines = {0};
    core_order(oracle, 0, "st-a", 1);
    core_order(oracle, 1, "st-b", 2);
    oracle_print_broken(oracle, &lines);
    cr_expect_str_eq(text_get(&lines),
                     "fill_booked_once 2023-11-14T22:13:20Z st-a: the core counts "
                     "1, the ledger 0 (2 times)\n");
    text_release(&lines);
    oracle_destroy(oracle);
}

Test(catalogue, what_broke_before_is_left_out_and_what_breaks_again_is_told) {
    struct oracle *oracle = oracle_create();
    struct text lines = {0};
    int64_t before[ORACLE_INVARIANT_COUNT];
    core_order(oracle, 0, "st-a", 1);
    oracle_breaks(oracle, before);
    oracle_print_broken_since(oracle, before, &lines);
    cr_expect_str_eq(text_get(&lines), "");
    core_order(oracle, 1, "st-b", 2);
    core_order(oracle, 2, "st-c", 2);
    oracle_print_broken_since(oracle, before, &lines);
    cr_expect_str_eq(text_get(&lines),
                     "fill_booked_once 2023-11-14T22:13:21Z st-b: the core counts "
                     "2, the ledger 0 (2 times)\n");
    text_release(&lines);
    oracle_destroy(oracle);
}

/* --- entries --- */

Test(entries, a_buy_under_a_strict_cause_breaks_a_sale_or_caution_does_not) {
    static const struct {
        const char *cause, *side, *id;
    } rows[] = {
        {STRICT, "buy", "no_buy_sent_while_restricted"},
        {STRICT, "sell", ""},
        {CAUTION, "buy", ""},
    };
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        body_of(oracle, EVENT_MECHANISM, OPEN, "operator_freeze", "acted", rows[i].cause);
        order_leaves(oracle, OPEN + 1, rows[i].side, "AAPL", "st-a");
        if (rows[i].id[0] != '\0') {
            expect_finding(oracle, rows[i].id, OPEN + 1, "AAPL: a buy in spite of review");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(entries, a_cause_ends_by_its_release_or_with_its_process_a_journaled_latch_does_not) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        if (how == 2) {
            row_at(oracle, OPEN, 1, "latch_set", "review", LATCH);
        } else {
            body_of(oracle, EVENT_MECHANISM, OPEN, "operator_freeze", "acted", STRICT);
        }
        if (how == 0) {
            body_of(oracle, EVENT_MECHANISM, OPEN, "operator_freeze", "released", STRICT);
        } else {
            word(oracle, EVENT_STOP, OPEN + 1, "dead", "");
            up(oracle, OPEN + 2);
        }
        order_leaves(oracle, OPEN + 3, "buy", "AAPL", "st-a");
        expect(oracle, how == 2 ? "no_buy_sent_while_restricted" : "", 0);
    }
}

Test(entries, a_latch_whose_end_was_asked_for_may_have_ended_in_rows_nobody_told) {
    for (int i = 0; i < 4; i++) { /* likewise in a journal that began anew */
        int gap = i % 2;
        struct oracle *oracle = oracle_create();
        if (i >= 2) {
            row_at(oracle, OPEN - 9, 700, "probe", "", "{}");
            word(oracle, EVENT_STOP, OPEN - 8, "dead", "");
            word(oracle, EVENT_OPERATOR, OPEN - 7, "edit_document", "");
            up(oracle, OPEN - 6);
        }
        row_at(oracle, OPEN, 5, "latch_set", "review", LATCH);
        word(oracle, EVENT_MODE, OPEN, "REDUCE_ONLY", "NORMAL");
        word(oracle, EVENT_OPERATOR, OPEN + 1, "resume", "review");
        word(oracle, EVENT_STOP, OPEN + 2, "dead", "");
        row_at(oracle, OPEN + 3, 6 + gap, "start", "", "{}");
        up(oracle, OPEN + 3);
        word(oracle, EVENT_TICK, OPEN + 4, "tick", "");
        expect(oracle, gap ? "" : "latch_never_lost", gap + (i >= 2)); /* that rows began anew */
    }
}

Test(entries, degraded_mode_is_told_apart) {
    struct oracle *oracle = oracle_create();
    body_of(oracle, EVENT_MECHANISM, OPEN, "degraded_mode", "acted",
            "\"cause\":\"degraded_mode\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    order_leaves(oracle, OPEN + 1, "buy", "AAPL", "st-a");
    expect_finding(oracle, "degraded_opens_nothing", OPEN + 1, "AAPL: a buy in degraded mode");
}

Test(entries, the_session_has_a_first_and_a_last_second) {
    static const int64_t seconds[] = {OPEN - 1, OPEN, CLOSE - 1, CLOSE};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, seconds[i], "buy", "AAPL", "st-a");
        expect(oracle, i == 0 || i == 3 ? "entry_in_session" : "", 0);
    }
    struct oracle *oracle = oracle_create();
    frame(oracle, "closed", "2023-11-15");
    order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
    expect_finding(oracle, "entry_in_session", OPEN, "AAPL: a buy outside the hours of entries");
}

Test(entries, the_hours_of_entries_are_narrower_than_the_session) {
    static const int64_t seconds[] = {OPEN + 299, OPEN + 300, CLOSE - 271, CLOSE - 270};
    for (size_t i = 0; i < 8; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "session.no_entry_first_s", "300");
        frame(oracle, "session.no_entry_last_s", "300");
        if (i >= 4) { /* a core whose clock was stepped may be early or late */
            word(oracle, EVENT_FAULT, OPEN + 1, "clock.step", "");
        }
        order_leaves(oracle, seconds[i % 4], "buy", "AAPL", "st-a");
        expect(oracle, i == 0 || i == 3 ? "entry_in_session" : "", 0);
    }
}

Test(entries, a_quote_may_be_as_old_as_the_limit_and_the_last_look) {
    static const char quotes[] =
        "\n{\"quotes\":{\"MSFT\":{\"ap\":1,\"t\":\"2023-11-15T14:39:00Z\"},"
        "\"AAPL\":{\"ap\":1,\"t\":\"2023-11-15T14:30:00Z\"}}}";
    for (int64_t age = 7; age <= 8; age++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "data.quote_max_age_s", "5");
        answer(oracle, OPEN, "/v2/stocks/quotes/latest?symbols=AAPL", 200, quotes);
        order_leaves(oracle, OPEN + age, "buy", "AAPL", "st-a");
        if (age == 7) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "entry_on_fresh_quotes", OPEN + 8,
                           "AAPL: its quote is 8000 ms old");
        }
    }
    struct oracle *oracle = oracle_create();
    frame(oracle, "data.quote_max_age_s", "5");
    answer(oracle, OPEN, "/v2/stocks/quotes/latest?symbols=AAPL", 500, quotes);
    order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
    expect_finding(oracle, "entry_on_fresh_quotes", OPEN, "AAPL: bought without a quote");
}

/* --- limits --- */

Test(limits, positions_and_live_entries_count_together_up_to_the_cap) {
    for (int more = 0; more < 3; more++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.max_positions", "2");
        symbol_fill(oracle, OPEN, "MSFT", "st-1", "buy", 1, 10);
        if (more) { /* by us, or a minute before by another */
            symbol_fill(oracle, OPEN - (more == 2 ? 60 : 0), "FB", more == 2 ? "x" : "st-3", "buy",
                        1, 10);
        }
        ledger_order(oracle, OPEN, "st-2", "buy", "limit", "new", 10, 0); /* AAPL */
        if (more == 1) {
            expect_finding(oracle, "positions_within_the_cap", OPEN,
                           "3 positions and live entries, at most 2");
        } else {
            expect(oracle, "", more == 2);
        }
    }
}

Test(limits, what_another_adds_to_the_cap_is_not_the_cores_doing) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.max_positions", "1");
    symbol_fill(oracle, OPEN, "MSFT", "st-1", "buy", 1, 10);
    symbol_fill(oracle, OPEN, "FB", "bust:st-0", "buy", 1, 10);
    ledger_order(oracle, OPEN, "st-s", "sell", "stop", "new", 10, 0);
    equity(oracle, OPEN + 600, 100000);
    expect(oracle, "", 0);
}

Test(limits, one_that_is_over_or_flat_frees_its_place) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.max_positions", "1");
    symbol_fill(oracle, OPEN, "MSFT", "st-1", "buy", 1, 10);
    symbol_fill(oracle, OPEN, "MSFT", "st-2", "sell", 1, 10);
    ledger_order(oracle, OPEN, "st-3", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, OPEN, "st-3", "buy", "limit", "canceled", 10, 0);
    ledger_order(oracle, OPEN, "st-4", "buy", "limit", "new", 10, 0);
    expect(oracle, "", 0);
}

Test(limits, an_order_at_its_cap_holds_and_a_cent_less_cap_breaks) {
    for (int less = 0; less < 2; less++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "orders.cap_usd", less ? "999.99" : "1000");
        order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
        order_leaves(oracle, OPEN, "sell", "MSFT", "st-b");
        expect(oracle, less ? "order_within_the_cap" : "", 0);
    }
}

Test(limits, gross_counts_held_and_working_and_the_order_itself) {
    for (int64_t shares = 100; shares <= 101; shares++) { /* 10000, and what is to come: 1000 */
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.gross_exposure", "1");
        equity(oracle, OPEN - 60, 10000); /* a tenth above is 11000 */
        symbol_fill(oracle, OPEN, "MSFT", "st-1", "buy", shares, 100);
        order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
        if (shares == 100) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "gross_within_the_cap", OPEN,
                           "AAPL: a buy to 11100 USD gross, most 11000");
        }
    }
}

static void lose(struct oracle *oracle, int64_t usd) {
    frame(oracle, "risk.daily_loss_usd", "5000");
    frame(oracle, "risk.daily_loss_share", "0.04");
    equity(oracle, OPEN - 60, 100000);
    equity(oracle, OPEN, 100000 - usd);
}

Test(limits, a_buy_a_minute_beyond_the_day_loss_breaks) {
    static const struct {
        int64_t lost, second;
        bool is_broken;
    } rows[] = {{4000, 61, true}, {4000, 60, false}, {3999, 61, false}};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        lose(oracle, rows[i].lost);
        order_leaves(oracle, OPEN + rows[i].second, "buy", "AAPL", "st-a");
        expect(oracle, rows[i].is_broken ? "no_entry_beyond_the_loss_limit" : "", 0);
    }
}

Test(limits, cash_that_was_withdrawn_is_no_loss_and_a_fault_since_is_an_excuse) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.daily_loss_usd", "5000");
    frame(oracle, "risk.daily_loss_share", "0.04");
    equity(oracle, OPEN - 60, 100000);
    feed(oracle,
         (struct event){
             .kind = EVENT_OPERATOR, .at = at(OPEN), .subject = "withdraw", .amount = USD(4000)});
    equity(oracle, OPEN, 96000);
    order_leaves(oracle, OPEN + 100, "buy", "AAPL", "st-a");
    expect(oracle, "", 0);
    oracle = oracle_create();
    lose(oracle, 4000);
    word(oracle, EVENT_FAULT, OPEN + 30, "http.slow", "");
    order_leaves(oracle, OPEN + 100, "buy", "AAPL", "st-a");
    expect(oracle, "", 1);
}

Test(limits, a_new_session_day_counts_from_the_equity_before) {
    struct oracle *oracle = oracle_create();
    lose(oracle, 4000);
    equity(oracle, CLOSE + 60, 96000); /* now the next session's */
    order_leaves(oracle, OPEN + 86400, "buy", "AAPL", "st-a");
    expect(oracle, "", 0);
}

/* --- ids, lives of processes --- */

Test(ids, an_id_goes_again_only_with_the_same_content) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, OPEN, "sell", "AAPL", "st-a");
        order_leaves(oracle, OPEN + 40, "sell", more ? "MSFT" : "AAPL", "st-a");
        if (more) {
            expect_finding(oracle, "id_only_for_the_equal_order", OPEN + 40,
                           "st-a: sent with two contents");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(ids, a_refused_change_under_the_emergency_rule_takes_no_id) {
    static const char *const ids[] = {"st-2023-11-15-x-AAPL-1", "st-2023-11-15-1"};
    for (size_t i = 0; i < 2; i++) {
        struct oracle *oracle = oracle_create();
        for (int price = 10; price < 12; price++) {
            char body[96];
            snprintf(body, sizeof body, "{\"limit_price\":\"%d\",\"client_order_id\":\"%s\"}",
                     price, ids[i]);
            leaves(oracle, OPEN, "PATCH", "/v2/orders/b1", body);
        }
        expect(oracle, i == 0 ? "" : "id_only_for_the_equal_order", 0);
    }
}

/* The answer of the last request that left. */
static void answered(struct oracle *oracle, const char *id, const char *error, int64_t status) {
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(OPEN + 1),
                                .subject = "POST",
                                .what = "/v2/orders",
                                .id = error,
                                .number = status,
                                .body = id,
                                .body_len = strlen(id)});
}

Test(ids, what_never_left_or_was_refused_under_the_emergency_rule_leaves_its_id_free) {
    static const struct {
        const char *id, *error;
        int64_t status;
        bool is_free;
    } cases[] = {{"st-a", "not_sent", 0, true},
                 {"st-a", "unknown", 0, false},
                 {"st-a", "", 422, false}, /* a refused one is over: the next has another number */
                 {"st-2023-11-15-x-AAPL-1", "", 422, true},
                 {"st-2023-11-15-x-AAPL-1", "unknown", 0, false},
                 {"st-2023-11-15-x-AAPL-1", "", 504, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, OPEN, "sell", "AAPL", cases[i].id);
        answered(oracle, cases[i].id, cases[i].error, cases[i].status);
        order_leaves(oracle, OPEN + 2, "sell", "MSFT", cases[i].id);
        expect(oracle, cases[i].is_free ? "" : "id_only_for_the_equal_order", 0);
    }
}

Test(ids, a_refused_repetition_leaves_an_emergency_id_free_if_the_first_never_came) {
    static const struct {
        const char *id;
        int64_t status;
        bool is_there, is_free;
    } cases[] = {{"st-2023-11-15-x-AAPL-1", 403, false, true},
                 {"st-2023-11-15-x-AAPL-1", 403, true, false},
                 {"st-2023-11-15-x-AAPL-1", 502, false, false},
                 {"st-a", 403, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, OPEN, "sell", "AAPL", cases[i].id);
        if (cases[i].is_there) {
            ledger_order(oracle, OPEN, cases[i].id, "sell", "limit", "new", 1, 0);
        }
        answered(oracle, cases[i].id, "", 502);
        order_leaves(oracle, OPEN + 1, "sell", "AAPL", cases[i].id);
        answered(oracle, cases[i].id, "", cases[i].status);
        order_leaves(oracle, OPEN + 2, "sell", "MSFT", cases[i].id);
        expect(oracle, cases[i].is_free ? "" : "id_only_for_the_equal_order", 0);
    }
}

Test(ids, a_later_life_without_a_journal_may_compute_the_same_id_at_another_price) {
    static const char *const ids[] = {"st-2023-11-15-x-AAPL-1", "st-2023-11-15-1"};
    for (size_t i = 0; i < 2; i++) {
        struct oracle *oracle = oracle_create();
        for (int64_t life = 1; life < 3; life++) {
            char body[96];
            snprintf(body, sizeof body, "{\"limit_price\":\"%d\",\"client_order_id\":\"%s\"}",
                     (int)life, ids[i]);
            feed(oracle, (struct event){.kind = EVENT_SEND,
                                        .at = at(OPEN + life),
                                        .subject = "POST",
                                        .what = "/v2/orders",
                                        .number = life,
                                        .body = body,
                                        .body_len = strlen(body)});
        }
        expect(oracle, i == 0 ? "" : "id_only_for_the_equal_order", i == 0);
    }
}

static void life_sends(struct oracle *oracle, int64_t life, const char *method) {
    feed(oracle, (struct event){.kind = EVENT_SEND,
                                .at = at(OPEN + life),
                                .subject = method,
                                .what = "/v2/orders/b1",
                                .number = life});
}

Test(ids, one_on_the_cores_directory_that_is_not_the_core_changes_nothing) {
    static const struct {
        const char *kind, *what, *where;
        bool is_broken;
    } table[] = {{"send", "DELETE /v2/orders/b1", "here", true},
                 {"send", "POST /v2/orders", "here", true},
                 {"send", "GET /v2/orders", "here", false},
                 {"send", "POST /v2/orders", "elsewhere", false},
                 {"document", "lease.json", "here", false}, /* it never traded: it is starting */
                 {"document", "view.json", "here", true},
                 {"document", "lease.json", "elsewhere", false},
                 {"start", "refused it is held", "here", false},
                 {"start", "unfenced", "here", true}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct oracle *oracle = oracle_create();
        char text[128];
        oracle_observe(oracle, &(struct event){.kind = EVENT_OTHER,
                                               .at = at(OPEN + 1),
                                               .subject = table[i].kind,
                                               .what = table[i].what,
                                               .id = table[i].where,
                                               .number = 2});
        if (table[i].is_broken) {
            snprintf(text, sizeof text, "life 2 is not the core: %s %s", table[i].kind,
                     table[i].what);
            expect_finding(oracle, "one_instance_trades", OPEN + 1, text);
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(ids, what_the_broker_refused_an_earlier_life_is_in_no_listing) {
    for (int64_t second_life = 1; second_life < 3; second_life++) {
        struct oracle *oracle = oracle_create();
        for (int64_t life = 1; life < 3; life++) {
            char body[64];
            snprintf(body, sizeof body, "{\"limit_price\":\"%d\",\"client_order_id\":\"st-a\"}",
                     (int)life);
            feed(oracle, (struct event){.kind = EVENT_SEND,
                                        .at = at(OPEN + life),
                                        .subject = "POST",
                                        .what = "/v2/orders",
                                        .number = life == 1 ? 1 : second_life,
                                        .body = body,
                                        .body_len = strlen(body)});
            answered(oracle, "st-a", "", 403);
        }
        expect(oracle, second_life == 2 ? "" : "id_only_for_the_equal_order", second_life == 2);
    }
}

Test(ids, what_was_sent_before_the_journal_went_back_may_be_forgotten) {
    for (int is_back = 0; is_back < 2; is_back++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, OPEN, "disk.lying_fsync", "");
        for (int64_t life = 1; life < 3; life++) {
            char body[64];
            row_at(oracle, OPEN + life, is_back ? 7 : 6 + life, "start", "", "{}");
            snprintf(body, sizeof body, "{\"limit_price\":\"%d\",\"client_order_id\":\"st-a\"}",
                     (int)life);
            feed(oracle, (struct event){.kind = EVENT_SEND,
                                        .at = at(OPEN + life),
                                        .subject = "POST",
                                        .what = "/v2/orders",
                                        .number = life,
                                        .body = body,
                                        .body_len = strlen(body)});
        }
        expect(oracle, is_back ? "" : "id_only_for_the_equal_order", is_back ? 2 : 0);
    }
}

Test(ids, a_lease_is_not_taken_back_by_who_had_it) {
    struct oracle *oracle = oracle_create();
    life_sends(oracle, 1, "GET");
    life_sends(oracle, 2, "GET");
    feed(oracle, (struct event){.kind = EVENT_OTHER,
                                .at = at(OPEN + 3),
                                .subject = "document",
                                .what = "lease.json",
                                .id = "here",
                                .number = 1});
    expect_finding(oracle, "one_instance_trades", OPEN + 3,
                   "life 1 is not the core: document lease.json");
}

Test(ids, a_process_that_was_succeeded_may_look_and_not_act) {
    for (int acts = 0; acts < 2; acts++) {
        struct oracle *oracle = oracle_create();
        life_sends(oracle, 1, "DELETE");
        life_sends(oracle, 2, "GET");
        life_sends(oracle, 1, "DELETE");
        life_sends(oracle, 2, "DELETE");
        life_sends(oracle, 1, acts ? "DELETE" : "GET");
        if (acts) {
            expect_finding(oracle, "one_instance_trades", OPEN + 1,
                           "DELETE /v2/orders/b1 by life 1, after life 2 had traded");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* --- unknown fates --- */

Test(unknowns, another_order_in_the_symbol_needs_a_known_fate) {
    enum { NOTHING, LISTED, NOT_FOUND, FOUND, LATE, OTHER_SYMBOL, REFUSED, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
        if (how == LISTED) {
            leaves(oracle, OPEN + 1, "GET", "/v2/orders?status=open", "");
        } else if (how == NOT_FOUND) {
            answer(oracle, OPEN + 1, "/v2/orders:by_client_order_id", 404,
                   "\n{\"message\":\"order not found for st-a\"}");
        } else if (how == FOUND) {
            answer(oracle, OPEN + 1, "/v2/orders:by_client_order_id", 200,
                   "\n{\"client_order_id\":\"st-a\"}");
        } else if (how == REFUSED) {
            answer(oracle, OPEN + 1, "/v2/orders", 403, "{\"client_order_id\":\"st-a\"}\n{}");
        }
        order_leaves(oracle, OPEN + (how == LATE ? 30 : 29), "buy",
                     how == OTHER_SYMBOL ? "MSFT" : "AAPL", "st-b");
        if (how == NOTHING || how == LISTED || how == NOT_FOUND) {
            expect_finding(oracle, "unknown_settled_first", OPEN + 29,
                           "AAPL: st-b left while st-a was unknown");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(unknowns, a_sale_needs_an_ask_and_the_same_id_nothing) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        order_leaves(oracle, OPEN, "buy", "AAPL", "st-a");
        answer(oracle, OPEN + 1, "/v2/orders", 504, "{\"client_order_id\":\"st-a\"}\n<html>");
        if (how == 1) {
            leaves(oracle, OPEN + 2, "GET", "/v2/orders:by_client_order_id?client_order_id=st-a",
                   "");
        }
        order_leaves(oracle, OPEN + 3, how == 2 ? "buy" : "sell", "AAPL",
                     how == 2 ? "st-a" : "st-b");
        expect(oracle, how == 0 ? "unknown_settled_first" : "", 0);
    }
}

/* --- the journal --- */

Test(journal, a_baseline_is_of_a_session_and_later_than_the_last) {
    static const struct {
        const char *day;
        const char *text;
    } rows[] = {
        {"2023-11-16", NULL},
        {"2023-11-15", "row 2 (baseline 2023-11-15): not after the baseline before"},
        {"2023-11-18", "row 2 (baseline 2023-11-18): not a session's day"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 1, "baseline", "2023-11-15", "{\"usd\":\"1\"}");
        row(oracle, 2, "baseline", rows[i].day, "{\"usd\":\"1\"}");
        if (rows[i].text == NULL) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "one_baseline_a_session_day", 2, rows[i].text);
        }
    }
}

Test(journal, a_peak_may_repeat_and_not_fall) {
    for (int less = 0; less < 2; less++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 1, "peak", "", "{\"usd\":\"100\"}");
        word(oracle, EVENT_STOP, 1, "dead", "");
        row(oracle, 2, "peak", "", less ? "{\"usd\":\"99.99\"}" : "{\"usd\":\"100\"}");
        if (less) {
            expect_finding(oracle, "peak_never_falls", 2, "row 2 (peak ): below the peak before");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(journal, a_document_is_stamped_with_a_durable_row) {
    for (int ahead = 0; ahead < 3; ahead++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 7, "start", "", "{}");
        if (ahead == 2) { /* its last words may have been durable */
            word(oracle, EVENT_STOP, 8, "dead", "");
        }
        body_of(oracle, EVENT_DOCUMENT, 8, "peak.json", "",
                ahead ? "{\"journal_seq\":8}" : "{\"journal_seq\":7}");
        expect(oracle, ahead == 1 ? "document_not_ahead" : "", 0);
    }
}

/* A start would take it for damaged, whatever disk it lies on. */
Test(journal, a_document_is_json) {
    static const char *const bodies[] = {"{\"journal_seq\":7,\"account\":\"1\",\"A\":{}}",
                                         "{\"journal_seq\":7,\"account\":\"1\"\"A\":{}}"};
    for (int broken = 0; broken < 2; broken++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 7, "start", "", "{}");
        body_of(oracle, EVENT_DOCUMENT, 8, "position_metadata.json", "", bodies[broken]);
        expect(oracle, broken ? "document_not_ahead" : "", 0);
    }
}

Test(journal, a_number_given_twice_is_a_lost_row_unless_the_disk_was_at_fault) {
    for (int how = 0; how < 4; how++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 7, "start", "", "{}");
        if (how == 1) {
            word(oracle, EVENT_FAULT, 8, "disk.old_version", "");
        } else if (how == 2) {
            word(oracle, EVENT_OPERATOR, 8, "edit_document", "");
        }
        row(oracle, how == 3 ? 9 : 7, "start", "", "{}"); /* a gap is no loss */
        if (how == 0) {
            expect_finding(oracle, "row_never_lost", 7,
                           "row 7 (start ): its number was given before");
        } else {
            expect(oracle, "", how == 3 ? 0 : 1);
        }
    }
}

/* --- lives --- */

Test(lives, three_without_a_tick_and_without_a_cause_will_go_on_for_ever) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        for (int i = 0; i < 3; i++) {
            word(oracle, EVENT_START, i, i == 1 ? "refused" : "ready", "state is corrupt");
            if (i == 2 && how == 1) {
                word(oracle, EVENT_TICK, i, "tick", "");
            } else if (i == 2 && how == 2) {
                word(oracle, EVENT_FAULT, i, "process.crash_before", "");
            }
            if (i != 1) {
                word(oracle, EVENT_STOP, i, "dead", "");
            }
        }
        if (how == 0) {
            expect_finding(oracle, "recovery_converges", 2,
                           "3 lives in a row ended before their first tick: state is corrupt");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(lives, the_end_finds_a_core_that_should_run_and_the_dead_are_silent) {
    static const char *const ends[] = {"up", "stopped", "down"};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, 1, "refused", "no lease");
        word(oracle, EVENT_END, 2, ends[i], "");
        if (i == 2) {
            expect_finding(oracle, "comes_back", 2, "down at the end: no lease");
        } else {
            expect(oracle, "", 0);
        }
    }
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_STOP, 3, "dead", "does_not_stop");
    expect_finding(oracle, "dead_is_silent", 3, "calls after death");
}

Test(lives, who_waits_for_the_lease_of_a_sleeper_recovers_nothing_yet) {
    for (int64_t apart = 20; apart <= 21; apart++) { /* the fourth start comes after 60 or 63 s */
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, 1, "refused", "the state directory is held by x");
        for (int i = 1; i < 6; i++) {
            word(oracle, EVENT_START, 1 + (i < 4 ? i * apart : 3 * apart), "refused",
                 "the state directory is held by x");
        }
        expect(oracle, apart == 21 ? "recovery_converges" : "", 0);
    }
}

Test(lives,
     a_disk_that_fails_the_last_start_or_a_death_just_now_is_a_maybe_unless_healed_or_by_hand) {
    enum { DISK, DISK_BEFORE, DEAD, DEAD_LONG, HEALED, KILLED, KILLED_LONG, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        if (how == HEALED) {
            word(oracle, EVENT_HEALED, 0, "", "");
        }
        word(oracle, EVENT_FAULT, 1, how == DEAD ? "process.crash_after" : "disk.eio", "");
        if (how == DISK_BEFORE) {
            word(oracle, EVENT_START, 2, "ready", "");
        }
        word(oracle, EVENT_START, 3, how < DEAD ? "refused" : "ready", "disk: input/output error");
        if (how >= KILLED) {
            word(oracle, EVENT_OPERATOR, 4, "kill -9", "");
        }
        if (how >= DEAD) {
            word(oracle, EVENT_STOP, 4, "dead", "");
        }
        if (how >= HEALED) {
            word(oracle, EVENT_HEALED, 5, "", "");
        }
        word(oracle, EVENT_END, how == DEAD_LONG || how == KILLED_LONG ? 65 : 64, "down", "");
        bool is_maybe = how == DISK || how == DEAD || how == KILLED;
        expect(oracle, is_maybe ? "" : "comes_back", is_maybe);
    }
}

Test(lives, a_journal_that_the_disk_spoiled_may_be_refused_and_no_other) {
    static const struct {
        const char *fault, *why;
        bool is_maybe;
    } cases[] = {
        {"disk.bit_rot", "journal.db: quick_check says no", true},
        {"disk.lying_fsync", "journal.db: quick_check says no", true},
        {"disk.eio", "journal.db: quick_check says no", false},
        {"disk.torn", "journal.db: quick_check says no", false},
        {"disk.bit_rot", "lease.json: input/output error", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, 1, cases[i].fault, "");
        word(oracle, EVENT_START, 2, "ready", "");
        word(oracle, EVENT_TICK, 3, "", "");
        word(oracle, EVENT_STOP, 4, "dead", "");
        for (int life = 0; life < 3; life++) {
            word(oracle, EVENT_START, 5 + life, "refused", cases[i].why);
        }
        word(oracle, EVENT_END, 600, "down", "");
        if (cases[i].is_maybe) {
            expect(oracle, "", 2);
        } else {
            cr_expect_eq(oracle_broken(oracle, NULL, 0), 2, "%s: %s", cases[i].fault, cases[i].why);
            oracle_destroy(oracle);
        }
    }
}

/* --- order life --- */

static void moves(struct oracle *oracle, int64_t second, const char *what, int64_t filled) {
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = "entry",
                                .what = what,
                                .symbol = "AAPL",
                                .id = "st-a",
                                .qty = QTY(filled)});
}

Test(order_life, an_end_is_final_and_executions_only_grow) {
    static const struct {
        const char *first, *second;
        int64_t filled, then;
        const char *text;
    } rows[] = {
        {"canceled", "canceled", 0, 4, NULL},
        {"new", "partially_filled", 0, 4, NULL},
        {"intent", "unknown", 0, 0, NULL},
        {"canceled", "new", 0, 0, "st-a: moved after its end new (was canceled)"},
        {"not_sent", "unknown", 0, 0, "st-a: moved after its end unknown (was not_sent)"},
        {"unknown", "intent", 0, 0, "st-a: is an intent again intent (was alive)"},
        {"partially_filled", "new", 4, 3, "st-a: lost executions new (was alive)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 0, "st-a", "buy", 10);
        moves(oracle, 1, rows[i].first, rows[i].filled);
        moves(oracle, 2, rows[i].second, rows[i].then);
        if (rows[i].text == NULL) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "order_life_is_legal", 2, rows[i].text);
        }
    }
}

Test(order_life, a_successor_may_know_less) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 10);
    moves(oracle, 1, "filled", 10);
    up(oracle, 2);
    moves(oracle, 3, "unknown", 0);
    expect(oracle, "", 0);
}

/* Denied by its broker, settled as never sent, and then it turns up: right only if it was there. */
Test(order_life, what_was_settled_as_never_sent_may_turn_up_if_it_did_arrive) {
    static const struct {
        const char *before;
        bool is_there;
        const char *text;
    } cases[] = {
        {"unknown", true, NULL},
        {"unknown", false, "st-a: moved after its end new (was not_sent)"},
        {"intent", true, "st-a: moved after its end new (was not_sent)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle *oracle = oracle_create();
        moves(oracle, 1, cases[i].before, 0);
        if (cases[i].is_there) {
            ledger_order(oracle, 2, "st-a", "buy", "limit", "new", 10, 0);
        }
        moves(oracle, 3, "not_sent", 0);
        moves(oracle, 4, "new", 0);
        if (cases[i].text == NULL) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "order_life_is_legal", 4, cases[i].text);
        }
    }
}

/* --- loudness --- */

static void many(struct oracle *oracle, enum event_kind kind, int64_t second, int count) {
    for (int i = 0; i < count; i++) {
        word(oracle, kind, second, kind == EVENT_ALERT ? "warn" : "GET", "/v2/clock");
    }
}

Test(loudness, the_rate_budget_bounds_a_minute_and_twice_that_the_first) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "broker.requests_a_minute", "10");
        up(oracle, OPEN);
        many(oracle, EVENT_SEND, OPEN, 20);
        many(oracle, EVENT_SEND, OPEN + 60, 10 + more);
        many(oracle, EVENT_SEND, OPEN + 120, 1);
        if (more) {
            expect_finding(oracle, "calls_and_alerts_bounded", OPEN + 60,
                           "11 requests in a minute, most 10");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* Nothing comes after the burst but a successor, or the end. */
Test(loudness, a_life_too_short_for_its_minute_is_bounded_too) {
    for (int more = 0; more < 2; more++) {
        for (int how = 0; how < 2; how++) {
            struct oracle *oracle = oracle_create();
            frame(oracle, "broker.requests_a_minute", "10");
            up(oracle, OPEN);
            many(oracle, EVENT_SEND, OPEN + 19, 20 + more);
            if (how == 0) {
                word(oracle, EVENT_STOP, OPEN + 20, "dead", "");
                up(oracle, OPEN + 21);
            } else {
                word(oracle, EVENT_END, OPEN + 20, "", "");
            }
            if (more) {
                expect_finding(oracle, "calls_and_alerts_bounded", OPEN + 19,
                               "21 requests in a minute, most 20");
            } else {
                expect(oracle, "", 0);
            }
        }
    }
}

Test(loudness, sixty_alerts_a_minute_are_the_most) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        many(oracle, EVENT_ALERT, OPEN, 60 + more);
        many(oracle, EVENT_ALERT, OPEN + 60, 1);
        expect(oracle, more ? "calls_and_alerts_bounded" : "", 0);
    }
}

/* Five calls in the minute before the first fault, which ends at once. */
static struct oracle *healed_after_calm(void) {
    struct oracle *oracle = oracle_create();
    up(oracle, OPEN);
    many(oracle, EVENT_SEND, OPEN, 5);
    many(oracle, EVENT_SEND, OPEN + 60, 1);
    word(oracle, EVENT_FAULT, OPEN + 61, "api.503", "");
    word(oracle, EVENT_HEALED, OPEN + 62, "", "");
    return oracle;
}

Test(loudness, a_storm_of_calls_after_healing_breaks) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        many(oracle, EVENT_SEND, OPEN, 5); /* calm: five a minute */
        many(oracle, EVENT_SEND, OPEN + 60, 1);
        word(oracle, EVENT_FAULT, OPEN + 61, "api.503", "");
        many(oracle, EVENT_SEND, OPEN + 70, 100);
        word(oracle, EVENT_HEALED, OPEN + 120, "", "");
        many(oracle, EVENT_SEND, OPEN + 130, 100); /* within two minutes: not yet */
        many(oracle, EVENT_SEND, OPEN + 241, 10 + more);
        many(oracle, EVENT_SEND, OPEN + 301, 1);
        if (more) {
            expect_finding(oracle, "calls_calm_after_healing", OPEN + 301,
                           "11 requests in a minute after healing, 5 before the first fault");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* Hardly anything is asked before the open. */
Test(loudness, a_minute_that_began_before_the_open_is_no_measure) {
    struct oracle *oracle = oracle_create();
    up(oracle, OPEN - 600);
    many(oracle, EVENT_SEND, OPEN - 30, 5);
    many(oracle, EVENT_SEND, OPEN + 31, 1);
    word(oracle, EVENT_FAULT, OPEN + 61, "api.503", "");
    word(oracle, EVENT_HEALED, OPEN + 62, "", "");
    many(oracle, EVENT_SEND, OPEN + 241, 11);
    many(oracle, EVENT_SEND, OPEN + 301, 1);
    expect(oracle, "", 0);
}

/* An execution has six calls about orders; 250 executions since yesterday have two pages behind the first. */
Test(loudness, calls_of_executions_and_of_full_pages_are_no_storm) {
    for (int more = 0; more < 3; more++) {
        struct oracle *oracle = healed_after_calm();
        for (int i = 0; i < 250; i++) {
            symbol_fill(oracle, OPEN + 70, "SYM000", "of-somebody", i % 2 ? "sell" : "buy", 1, 10);
        }
        many(oracle, EVENT_SEND, OPEN + 241, 9);
        symbol_fill(oracle, OPEN + 242, "SYM000", "st-2026-09-01-1", "buy", 1, 10);
        for (int i = 0; i < 6 + (more == 1); i++) {
            word(oracle, EVENT_SEND, OPEN + 250, "GET", "/v2/orders/some");
        }
        word(oracle, EVENT_SEND, OPEN + 251, "GET", "/v2/account/activities?after=x");
        for (int i = 0; i < 2 + (more == 2); i++) {
            word(oracle, EVENT_SEND, OPEN + 252, "GET",
                 "/v2/account/activities?after=x&page_token=1");
        }
        many(oracle, EVENT_SEND, OPEN + 301, 1);
        if (more > 0) {
            expect_finding(oracle, "calls_calm_after_healing", OPEN + 301,
                           "11 requests in a minute after healing, 5 before the first fault");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* Thirteen stops of a symbol, one each 20 s; of an OCO its leg. */
static struct oracle *undone(const char *side, const char *type, bool is_asked) {
    struct oracle *oracle = oracle_create();
    for (int i = 0; i < 13; i++) {
        char id[40];
        snprintf(id, sizeof id, "st-2026-09-01-%d", i + 1);
        ledger_order(oracle, 20 * i, id, side, type, "new", 5, 0);
        if (is_asked) {
            ledger_order(oracle, 20 * i + 1, id, side, type, "pending_cancel", 5, 0);
        }
        ledger_order(oracle, 20 * i + 2, id, side, type, "canceled", 5, 0);
    }
    return oracle;
}

Test(rejects, stops_that_the_broker_undoes_are_rejects_and_what_was_asked_is_none) {
    expect_finding(undone("sell", "stop", false), "rejects_are_spaced", 242,
                   "AAPL stop: more than 12 rejected or undone in 5 min");
    expect(undone("sell", "stop", true), "", 0);
    expect(undone("sell", "limit", false), "", 0);
    expect(undone("buy", "stop", false), "", 0);
}

/* One accepted and then rejected has six too, four times a minute at most. */
Test(loudness, calls_of_few_rejects_are_no_storm) {
    for (int rejects = 1; rejects < 6; rejects++) {
        struct oracle *oracle = healed_after_calm();
        many(oracle, EVENT_SEND, OPEN + 241, 10);
        for (int i = 0; i < rejects; i++) {
            feed(oracle, (struct event){.kind = EVENT_LEDGER_ORDER,
                                        .at = at(OPEN + 242),
                                        .subject = "sell",
                                        .what = "rejected",
                                        .id = "st-2026-09-01-1"});
            for (int call = 0; call < 6; call++) {
                word(oracle, EVENT_SEND, OPEN + 250, "GET", "/v2/orders/some");
            }
        }
        many(oracle, EVENT_SEND, OPEN + 301, 1);
        expect(oracle, rejects == 5 ? "calls_calm_after_healing" : "", 0);
    }
}

/* It looks each second; after two minutes it is over. */
Test(loudness, calls_of_a_kill_switch_that_fires_are_no_storm) {
    for (int late = 0; late < 3; late++) {
        struct oracle *oracle = healed_after_calm();
        feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                    .at = at(OPEN + 280 - late),
                                    .subject = "kill_switch",
                                    .what = "warned",
                                    .id = late == 2 ? "verifying" : "firing"});
        many(oracle, EVENT_SEND, OPEN + 400, 11);
        many(oracle, EVENT_SEND, OPEN + 460, 1);
        expect(oracle, late ? "calls_calm_after_healing" : "", 0);
    }
}

Test(loudness, the_planted_secret_is_found_wherever_the_core_writes) {
    static const enum event_kind kinds[] = {EVENT_SEND, EVENT_DOCUMENT, EVENT_ALERT,
                                            EVENT_MECHANISM};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        body_of(oracle, kinds[i], OPEN, "x", "y", "\"key SIM-SECRE T\"");
        body_of(oracle, kinds[i], OPEN + 1, "x", "y", "\"key " ORACLE_PLANTED_SECRET "!\"");
        char text[64];
        snprintf(text, sizeof text, "in a %s of x", event_word(kinds[i]));
        expect_finding(oracle, "no_secret_told", OPEN + 1, text);
    }
    struct oracle *oracle = oracle_create();
    row_at(oracle, OPEN, 1, "note", "", ORACLE_PLANTED_SECRET);
    expect_finding(oracle, "no_secret_told", OPEN, "in a row of note");
}

/* --- what others do --- */

Test(foreign, an_execution_of_another_is_told_within_three_minutes) {
    for (int how = 0; how < 4; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        if (how == 2 || how == 3) {
            frame(oracle, "foreign", "st-a"); /* of our shape, and not ours */
        }
        if (how == 2) {
            frame(oracle, "not_foreign", "st-a"); /* or ours after all */
        }
        symbol_fill(oracle, OPEN, "AAPL", how == 2 || how == 3 ? "st-a" : "someone", "buy", 1, 10);
        if (how == 1) {
            word(oracle, EVENT_ALERT, OPEN + 5, "warn", "foreign_order");
        }
        feed(oracle,
             (struct event){
                 .kind = EVENT_PROTECTION, .at = at(OPEN), .what = "not_due", .symbol = "AAPL"});
        word(oracle, EVENT_TICK, OPEN + 180, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 181, "tick", "");
        if (how == 0 || how == 3) {
            expect_finding(oracle, "foreign_fill_is_told", OPEN + 181,
                           how == 0 ? "someone: nobody was told" : "st-a: nobody was told");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(foreign, while_faults_fire_its_clock_begins_with_the_positions_that_show_it) {
    for (int how = 0; how < 4; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        symbol_fill(oracle, OPEN, "AAPL", "someone", "buy", 1, 10);
        if (how != 0) {
            word(oracle, EVENT_FAULT, OPEN + 1, "api.503", "");
        }
        if (how >= 2) {
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(OPEN + 100),
                                        .subject = "GET",
                                        .what = "/v2/positions",
                                        .number = how == 2 ? 503 : 200});
        }
        word(oracle, EVENT_TICK, OPEN + 280, "tick", "");
        if (how != 0) {
            word(oracle, EVENT_TICK, OPEN + 281, "tick", "");
        }
        expect(oracle, how == 0 || how == 3 ? "foreign_fill_is_told" : "", 0);
    }
}

Test(foreign, halt_for_a_second_writer_has_told_of_the_other) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        body_of(oracle, EVENT_MODE, OPEN, "HALT", "NORMAL",
                how == 0 ? "\"second_writer\":{\"active\":true,\"mode\":\"HALT\",\"latched\":true}"
                         : "\"news\":{\"active\":true,\"mode\":\"HALT\",\"latched\":true}");
        symbol_fill(oracle, OPEN + 1, "AAPL", "someone", "buy", 1, 10);
        word(oracle, EVENT_TICK, OPEN + (how == 1 ? 181 : 182), "tick", "");
        expect(oracle, how == 2 ? "foreign_fill_is_told" : "", 0);
    }
}

Test(foreign, a_difference_that_is_over_was_told) {
    static const char *const subjects[] = {"reconciliation", "degraded_mode"};
    for (int i = 0; i < 2; i++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        symbol_fill(oracle, OPEN, "AAPL", "bust:st-1", "buy", 1, 10);
        word(oracle, EVENT_MECHANISM, OPEN + 1, subjects[i], "released");
        word(oracle, EVENT_TICK, OPEN + 181, "tick", "");
        expect(oracle, i == 0 ? "" : "foreign_fill_is_told", 0);
    }
}

Test(foreign, the_equal_order_under_the_same_id_is_a_maybe) {
    for (int is_taken = 0; is_taken < 2; is_taken++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        frame(oracle, "foreign", "st-a");
        symbol_fill(oracle, OPEN, "AAPL", "st-a", "buy", 1, 10);
        core_order(oracle, OPEN + 1, is_taken ? "st-a" : "st-b", 1);
        ledger_order(oracle, OPEN + 2, "st-s", "sell", "stop", "new", 1, 0);
        word(oracle, EVENT_TICK, OPEN + 181, "tick", "");
        char said[32];
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        snprintf(said, sizeof said, "\"maybe\":%d,", is_taken);
        cr_expect(strstr(text_get(&verdict), said) != NULL, "%s", text_get(&verdict));
        cr_expect_eq(strstr(text_get(&verdict), "foreign_fill_is_told") == NULL, is_taken);
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

Test(foreign, what_undid_itself_before_two_listings_could_show_it_is_a_maybe) {
    static const struct {
        const char *side, *symbol;
        int64_t second;
        int maybe; /* else broken */
    } second[] = {{"sell", "AAPL", 60, 1},
                  {"sell", "AAPL", 61, 0},
                  {"buy", "AAPL", 5, 0},
                  {"buy", "MSFT", 5, 0}};
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        symbol_fill(oracle, OPEN, "AAPL", "bust:st-1", "buy", 1, 10);
        symbol_fill(oracle, OPEN + second[i].second, second[i].symbol, "bust:st-2", second[i].side,
                    1, 10);
        word(oracle, EVENT_TICK, OPEN + 181, "tick", "");
        expect(oracle, second[i].maybe == 0 ? "foreign_fill_is_told" : "", second[i].maybe);
    }
}

/* Behind a fault nothing shows the difference until positions are answered, and then for a minute. */
Test(foreign, what_undid_itself_while_faults_hid_the_positions_is_a_maybe) {
    static const struct {
        int64_t fault_at, listed_at, second;
        int maybe; /* else broken */
    } rows[] = {{1, 0, 100, 1}, {1, 30, 90, 1}, {1, 30, 91, 0}, {-1, 0, 100, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        if (rows[i].fault_at < 0) {
            word(oracle, EVENT_FAULT, OPEN - 1, "view.other_account", "");
        }
        symbol_fill(oracle, OPEN, "AAPL", "someone", "buy", 1, 10);
        if (rows[i].fault_at > 0) {
            word(oracle, EVENT_FAULT, OPEN + rows[i].fault_at, "view.other_account", "");
        }
        int64_t listings[] = {rows[i].listed_at, 150};
        for (size_t k = 0; k < 2; k++) {
            if (k == 1) {
                symbol_fill(oracle, OPEN + rows[i].second, "AAPL", "someone", "sell", 1, 10);
            }
            if (listings[k] != 0) {
                feed(oracle, (struct event){.kind = EVENT_HTTP,
                                            .at = at(OPEN + listings[k]),
                                            .subject = "GET",
                                            .what = "/v2/positions",
                                            .number = 200});
            }
        }
        word(oracle, EVENT_TICK, OPEN + 331, "tick", "");
        expect(oracle, rows[i].maybe == 0 ? "foreign_fill_is_told" : "", rows[i].maybe);
    }
}

Test(foreign, what_undoes_a_difference_that_was_told_leaves_none_however_late) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        symbol_fill(oracle, OPEN, "AAPL", "bust:st-1", "buy", 1, 10);
        if (is_told) {
            word(oracle, EVENT_ALERT, OPEN + 40, "page", "daily_loss");
        }
        symbol_fill(oracle, OPEN + 100, "AAPL", "bust:st-2", "sell", 1, 10);
        word(oracle, EVENT_TICK, OPEN + 281, "tick", "");
        expect(oracle, is_told ? "" : "foreign_fill_is_told", is_told);
    }
}

Test(foreign, a_word_of_something_else_does_not_undo_what_was_executed) {
    for (int is_adopted = 0; is_adopted < 2; is_adopted++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        symbol_fill(oracle, OPEN, "AAPL", "bust:st-1", "buy", 1, 10);
        word(oracle, EVENT_ALERT, OPEN + 5, "page", "daily_loss");
        if (is_adopted) {
            row_at(oracle, OPEN + 6, 1, "adopt", "AAPL", "{}");
        }
        symbol_fill(oracle, OPEN + 15, "AAPL", "bust:st-2", "sell", 1, 10);
        word(oracle, EVENT_TICK, OPEN + 196, "tick", "");
        char said[32];
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        snprintf(said, sizeof said, "\"maybe\":%d,", !is_adopted);
        cr_expect(strstr(text_get(&verdict), said) != NULL, "%s", text_get(&verdict));
        cr_expect_eq(strstr(text_get(&verdict), "foreign_fill_is_told") != NULL, is_adopted);
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

Test(foreign, a_core_without_the_key_sees_nothing) {
    for (int has_key = 0; has_key < 2; has_key++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        word(oracle, EVENT_OPERATOR, OPEN, "rotate_key", "");
        symbol_fill(oracle, OPEN + 1, "AAPL", "someone", "buy", 1, 10);
        word(oracle, EVENT_TICK, OPEN + 100, "tick", "");
        if (has_key) {
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(OPEN + 101),
                                        .subject = "GET",
                                        .what = "/v2/positions",
                                        .number = 200});
        }
        word(oracle, EVENT_TICK, OPEN + 281, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 282, "tick", "");
        expect(oracle, has_key ? "foreign_fill_is_told" : "", 0);
    }
}

/* --- protection, lies, flatten --- */

static void protection(struct oracle *oracle, int64_t second, const char *what) {
    feed(oracle, (struct event){
                     .kind = EVENT_PROTECTION, .at = at(second), .what = what, .symbol = "AAPL"});
}

Test(naked, seventy_seconds_of_a_session_are_the_most) {
    enum {
        BARE,
        PROTECTED,
        NOT_THERE_YET,
        PAGED,
        LEAVING,
        FLAT,
        RESTARTED,
        DOWN,
        PARTLY,
        NOT_DUE,
        UNKNOWN,
        LATE,
        COUNT
    };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN - 2000);
        ledger_fill(oracle, OPEN - 1000, "st-a", "buy", 10); /* counts from the open */
        if (how != UNKNOWN) {
            core_order(oracle, OPEN + (how == LATE ? 1 : -900), "st-a", 10);
        }
        if (how == PROTECTED) {
            ledger_order(oracle, OPEN + 5, "st-s", "sell", "stop", "new", 10, 0);
        } else if (how == NOT_THERE_YET) {
            ledger_order(oracle, OPEN + 5, "st-s", "sell", "stop", "pending_new", 10, 0);
        } else if (how == PARTLY) {
            ledger_order(oracle, OPEN + 5, "st-s", "sell", "stop", "new", 9, 0);
        } else if (how == NOT_DUE) {
            protection(oracle, OPEN + 5, "not_due");
        } else if (how == PAGED) {
            word(oracle, EVENT_ALERT, OPEN + 5, "page", "naked_position");
        } else if (how == LEAVING) {
            phase(oracle, OPEN + 5, "decided");
        } else if (how == FLAT) {
            ledger_fill(oracle, OPEN + 5, "st-b", "sell", 10);
        } else if (how == RESTARTED || how == DOWN) {
            word(oracle, EVENT_STOP, OPEN + 5, "dead", "");
            word(oracle, EVENT_START, OPEN + 6, how == DOWN ? "refused" : "ready", "");
        }
        equity(oracle, OPEN + 70, 100000);
        equity(oracle, OPEN + 71, 100000);
        if (how == BARE || how == PARTLY || how == NOT_THERE_YET) {
            expect_finding(oracle, "naked_is_paged", OPEN + 71,
                           "AAPL: unprotected for 71 s, unpaged");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* Executed by the journal that went back, or by the next; each answer since refused the key (or none came),
 * or not all. */
Test(books, what_no_row_names_or_nobody_may_ask_for_is_a_maybe) {
    static const int answers[] = {0, 0, 200, 401, 200, 0, 503};
    for (int how = 0; how < 7; how++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_OPERATOR, 1, "edit_document", "");
        row_at(oracle, 1, 7, "note", "", "{}");
        ledger_fill(oracle, 5, "st-a", "buy", 10);
        if (how < 2) {
            row_at(oracle, how == 0 ? 6 : 4, 1, "note", "", "{}");
        } else {
            answer(oracle, 6, "/v2/orders", 401, "");
            answer(oracle, how == 2 ? 4 : 7, "/v2/clock", answers[how], "");
        }
        for (int64_t second = 8; second < 11; second++) {
            word(oracle, EVENT_TICK, second, "tick", "");
        }
        word(oracle, EVENT_STOP, 19, "clean", "");
        bool is_maybe = how != 1 && how != 4;
        expect(oracle, is_maybe ? "" : "books_equal_ledger",
               is_maybe + (how < 2)); /* the row, too */
    }
}

static void flee(struct oracle *oracle, int64_t second, const char *reason) {
    feed(oracle, (struct event){.kind = EVENT_EXIT,
                                .at = at(second),
                                .subject = reason,
                                .what = "decided",
                                .symbol = "AAPL",
                                .qty = QTY(10)});
}

Test(lies, a_loss_that_was_none_breaks_if_it_was_decided_in_a_lie) {
    static const struct {
        const char *reason;
        int64_t second, price;
        bool is_broken;
    } rows[] = {{"hard_stop", 4, 100, true},
                {"trailing", 4, 101, false},
                {"hard_stop", 5, 100, false},
                {"hard_stop", 4, 99, false},
                {"time", 4, 100, false}};
    for (size_t i = 0; i < 5; i++) {
        struct oracle *oracle = oracle_create();
        symbol_fill(oracle, OPEN, "AAPL", "st-a", "buy", 10, 100);
        word(oracle, EVENT_FAULT, OPEN, "view.mark_absurd", "");
        flee(oracle, OPEN + rows[i].second, rows[i].reason);
        symbol_fill(oracle, OPEN + 6, "AAPL", "st-b", "sell", 10, rows[i].price);
        expect(oracle, rows[i].is_broken ? "no_sale_on_a_lie" : "", 0);
    }
}

/* Bought at 100, the market 2 % below it as the exit is decided, and sold at 100: what shows the loss to be true. */
Test(lies, a_loss_that_the_market_itself_showed_is_none_on_a_lie) {
    static const char quotes[] = "/v2/stocks/quotes/latest?symbols=AAPL&feed=sip";
    static const struct {
        const char *bid, *ask, *time, *hard_stop, *lie, *of;
        int64_t answered; /* before the decision */
        bool is_broken;
    } rows[] = {{"97.99", "98.01", "22:13:24Z", "0.02", "view.blocked", "account", 0, false},
                {"98", "98.01", "22:13:24Z", "0.02", "view.blocked", "account", 0, true},
                {"97.99", "98.01", "22:13:24Z", "0.02", "view.blocked", "account", 4, false},
                {"97.99", "98.01", "22:13:24Z", "0.02", "view.blocked", "account", 5, true},
                {"97.99", "98.01", "22:13:20Z", "0.02", "view.blocked", "account", 0, false},
                {"97.99", "98.01", "22:13:19Z", "0.02", "view.blocked", "account", 0, true},
                {"98.01", "97.99", "22:13:24Z", "0.02", "view.blocked", "account", 0, true},
                {"0", "98.01", "22:13:24Z", "0.02", "view.blocked", "account", 0, true},
                {"97.99", "98.01", "22:13:24Z", "", "view.blocked", "account", 0, true},
                {"97.99", "98.01", "22:13:24Z", "0.02", "view.stale", quotes, 0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[160];
        snprintf(body, sizeof body,
                 "\n{\"quotes\":{\"AAPL\":{\"t\":\"2023-11-14T%s\",\"ap\":%s,\"bp\":%s}}}",
                 rows[i].time, rows[i].ask, rows[i].bid);
        struct oracle *oracle = oracle_create();
        if (rows[i].hard_stop[0] != '\0') {
            frame(oracle, "exits.hard_stop", rows[i].hard_stop);
        }
        symbol_fill(oracle, -2, "AAPL", "st-a", "buy", 10, 100);
        for (int64_t second = -1; second <= 4; second++) {
            if (second == 0) {
                word(oracle, EVENT_FAULT, second, rows[i].lie, rows[i].of);
            }
            if (second == 4 - rows[i].answered) {
                answer(oracle, second, quotes, 200, body);
            }
        }
        flee(oracle, 4, "hard_stop");
        symbol_fill(oracle, 6, "AAPL", "st-b", "sell", 10, 100);
        expect(oracle, rows[i].is_broken ? "no_sale_on_a_lie" : "", 0);
    }
}

/* The bust of the buy is told as a sale at its price, by nobody's order. */
Test(lies, a_bust_sells_nothing_and_gives_back_at_the_dearer_cost) {
    static const struct {
        const char *undone, *side;
        int64_t bust_at, then; /* prices: of what is undone, of the sale behind it */
        bool is_broken;
    } rows[] = {{"bust:st-a", "sell", 100, 0, false}, /* flat; nothing is sold behind it */
                {"bust:st-b", "buy", 90, 99, false},  /* bought at 100, whatever it was sold at */
                {"bust:st-b", "buy", 90, 100, true},
                {"bust:st-b", "buy", 110, 109, false}, /* as the broker lists it */
                {"bust:st-b", "buy", 110, 110, true}};
    for (size_t i = 0; i < 5; i++) {
        struct oracle *oracle = oracle_create();
        symbol_fill(oracle, OPEN, "AAPL", "st-a", "buy", 10, 100);
        if (i > 0) {
            symbol_fill(oracle, OPEN + 1, "AAPL", "st-b", "sell", 10, rows[i].bust_at);
            symbol_fill(oracle, OPEN + 2, "AAPL", rows[i].undone, rows[i].side, 10,
                        rows[i].bust_at);
        }
        word(oracle, EVENT_FAULT, OPEN + 3, "view.mark_absurd", "");
        flee(oracle, OPEN + 4, "hard_stop");
        symbol_fill(oracle, OPEN + 6, "AAPL", i == 0 ? rows[i].undone : "st-c", "sell", 10,
                    i == 0 ? rows[i].bust_at : rows[i].then);
        expect(oracle, rows[i].is_broken ? "no_sale_on_a_lie" : "", 0);
    }
}

/* Ten shares at 100 are five at 200 or twenty at 50, whoever tells of it. */
Test(lies, a_split_sells_nothing_and_moves_what_a_share_had_cost) {
    static const struct {
        const char *split, *side;
        int64_t by, at, left, then;
        bool is_broken;
    } rows[] = {{"moved:AAPL", "sell", 5, 200, 5, 199, false},
                {"moved:AAPL", "sell", 5, 200, 5, 200, true},
                {"split:AAPL", "buy", 10, 50, 20, 49, false},
                {"split:AAPL", "buy", 10, 50, 20, 50, true}};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        symbol_fill(oracle, OPEN, "AAPL", "st-a", "buy", 10, 100);
        word(oracle, EVENT_FAULT, OPEN + 3, "view.mark_absurd", "");
        flee(oracle, OPEN + 4, "hard_stop");
        symbol_fill(oracle, OPEN + 5, "AAPL", rows[i].split, rows[i].side, rows[i].by, rows[i].at);
        symbol_fill(oracle, OPEN + 6, "AAPL", "st-b", "sell", rows[i].left, rows[i].then);
        expect(oracle, rows[i].is_broken ? "no_sale_on_a_lie" : "", 0);
    }
}

Test(lies, where_a_run_is_about_it_no_sale_goes_within_the_lie) {
    for (int is_named = 0; is_named < 2; is_named++) {
        for (int64_t second = 4; second <= 5; second++) {
            struct oracle *oracle = oracle_create();
            if (is_named) {
                frame(oracle, "never", "no_sale_on_a_lie");
            }
            word(oracle, EVENT_FAULT, OPEN, "view.equity_zero", "");
            order_leaves(oracle, OPEN + second, "sell", "AAPL", "st-a");
            expect(oracle, is_named && second == 4 ? "no_sale_on_a_lie" : "", 0);
        }
    }
}

Test(lies, another_account_may_be_read_and_nothing_else) {
    for (int64_t second = 4; second <= 5; second++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, OPEN, "view.other_account", "");
        leaves(oracle, OPEN + 1, "GET", "/v2/account", "");
        leaves(oracle, OPEN + second, "DELETE", "/v2/orders/b1", "");
        if (second == 4) {
            expect_finding(oracle, "other_account_untouched", OPEN + 4, "DELETE /v2/orders/b1");
        } else {
            expect(oracle, "", 0);
        }
    }
    for (int is_own = 0; is_own < 2; is_own++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, OPEN, "view.other_account", "");
        answer(oracle, OPEN, "/v2/account", 200, "\n{}");
        answer(oracle, OPEN + 1, is_own ? "/v2/account" : "/v2/clock", 200, "\n{}");
        leaves(oracle, OPEN + 2, "DELETE", "/v2/orders/b1", "");
        expect(oracle, is_own ? "" : "other_account_untouched", 0);
    }
}

/* A bust while each listing fails, for two minutes; then 70 s of answers. What it is
 * answered, or asks for no more, it could know; and a stop of its own counts from the first second. */
Test(naked, what_a_bust_makes_bare_is_known_with_a_listing) {
    enum { BUST, TOO_LONG, STOP, ANSWERED, UNASKED, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN - 2000);
        if (how == STOP) {
            ledger_fill(oracle, OPEN, "st-a", "buy", 10);
            core_order(oracle, OPEN, "st-a", 10);
            ledger_order(oracle, OPEN, "st-s", "sell", "stop", "new", 10, 0);
        }
        for (int64_t second = 0; second <= 130; second += 10) {
            if (how != UNASKED || second <= 10) {
                answer(oracle, OPEN + second, "/v2/positions", how == ANSWERED ? 200 : 500, "");
            }
            if (second == 10 && how == STOP) {
                word(oracle, EVENT_FAULT, OPEN + 11, "order.cancel_unasked", "sell stop AAPL");
                ledger_order(oracle, OPEN + 11, "st-s", "sell", "stop", "canceled", 10, 0);
            } else if (second == 10) {
                ledger_fill(oracle, OPEN + 11, "bust:st-a", "sell", 10);
            }
            equity(oracle, OPEN + second + 2, 100000);
        }
        if (how == UNASKED) {
            equity(oracle, OPEN + 200, 100000);
        } else {
            answer(oracle, OPEN + 135, "/v2/positions", 200, "[]");
            equity(oracle, OPEN + (how == TOO_LONG ? 203 : 202), 100000);
        }
        expect(oracle, how == BUST ? "" : "naked_is_paged", 0);
    }
}

/* Bare before or while another account answers, which it does for a minute; then 70 s of our own. */
Test(naked, what_becomes_bare_behind_another_account_is_known_once_ours_answers) {
    enum { BEFORE, MEANWHILE, TOO_LONG, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN - 2000);
        ledger_fill(oracle, OPEN + 1, "st-a", "buy", 10);
        core_order(oracle, OPEN + 1, "st-a", 10);
        ledger_order(oracle, OPEN + 1, "st-s", "sell", "stop", "new", 10, 0);
        if (how == BEFORE) {
            word(oracle, EVENT_FAULT, OPEN + 9, "order.cancel_unasked", "sell stop AAPL");
            ledger_order(oracle, OPEN + 9, "st-s", "sell", "stop", "canceled", 10, 0);
        }
        for (int64_t second = 10; second <= 70; second += 5) {
            word(oracle, EVENT_FAULT, OPEN + second, "view.other_account", "");
            answer(oracle, OPEN + second, "/v2/account", 200, "\n{}");
            if (how != BEFORE && second == 15) {
                word(oracle, EVENT_FAULT, OPEN + 16, "order.cancel_unasked", "sell stop AAPL");
                ledger_order(oracle, OPEN + 16, "st-s", "sell", "stop", "canceled", 10, 0);
            }
            equity(oracle, OPEN + second, 100000);
        }
        answer(oracle, OPEN + 75, "/v2/account", 200, "\n{}");
        equity(oracle, OPEN + 80, 100000);
        equity(oracle, OPEN + (how == TOO_LONG ? 141 : 140), 100000);
        expect(oracle, how == MEANWHILE ? "" : "naked_is_paged", 0);
    }
}

static void held_after_flatten(struct oracle *oracle, int64_t seconds) {
    up(oracle, OPEN);
    ledger_fill(oracle, OPEN, "st-a", "buy", 10);
    ledger_order(oracle, OPEN, "st-s", "sell", "stop", "new", 10, 0);
    word(oracle, EVENT_OPERATOR, OPEN, "flatten", "");
    equity(oracle, OPEN + seconds, 100000);
}

Test(flatten, ten_minutes_of_a_session_hold_and_more_break) {
    for (int64_t seconds = 600; seconds <= 601; seconds++) {
        struct oracle *oracle = oracle_create();
        held_after_flatten(oracle, seconds);
        if (seconds == 601) {
            expect_finding(oracle, "flatten_is_obeyed", OPEN + 601,
                           "AAPL: held 10 min after a flatten");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(flatten, a_fault_since_is_an_excuse_unless_the_run_is_about_it) {
    for (int is_named = 0; is_named < 2; is_named++) {
        struct oracle *oracle = oracle_create();
        if (is_named) {
            frame(oracle, "never", "flatten_is_obeyed");
        }
        held_after_flatten(oracle, 1);
        word(oracle, EVENT_FAULT, OPEN + 2, "http.refused", "");
        equity(oracle, OPEN + 601, 100000);
        expect(oracle, is_named ? "flatten_is_obeyed" : "", is_named ? 0 : 1);
    }
}

Test(flatten, in_halt_nothing_is_due_if_somebody_was_paged) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        held_after_flatten(oracle, 1);
        word(oracle, EVENT_MODE, OPEN + 2, how == 1 ? "REDUCE_ONLY" : "HALT", "NORMAL");
        if (how < 2) {
            word(oracle, EVENT_ALERT, OPEN + 3, "page", "halted_with_position");
        }
        equity(oracle, OPEN + 601, 100000);
        expect(oracle, how == 0 ? "" : "flatten_is_obeyed", how == 0);
    }
}

/* --- the lease of a sleeper, adoptions --- */

static void refused(struct oracle *oracle, int64_t second, const char *why) {
    feed(oracle, (struct event){.kind = EVENT_OTHER,
                                .at = at(second),
                                .subject = "start",
                                .what = why,
                                .id = "here",
                                .number = 2});
}

#define HELD "refused the state directory is held by x, epoch 1, renewed at y"

Test(succession, a_sleeper_is_succeeded_after_its_lease_and_not_before) {
    static const struct {
        int64_t slept;
        const char *fault;
        bool is_broken, is_maybe;
    } rows[] = {{37, "clock.step", true, false},
                {38, "clock.step", false, false},
                {0, "clock.step", true, false}, /* it did not sleep */
                {37, "disk.wrong_number", false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        int64_t second = OPEN + 1 + (rows[i].slept == 0 ? 100 : rows[i].slept);
        up(oracle, OPEN);
        word(oracle, EVENT_FAULT, OPEN, rows[i].fault, "");
        word(oracle, EVENT_PAUSE, OPEN + 1, "begin", "");
        if (rows[i].slept == 0) {
            word(oracle, EVENT_PAUSE, OPEN + 100, "end", "");
        }
        word(oracle, EVENT_STOP, second, "succeeded", "");
        expect(oracle, rows[i].is_broken ? "lease_passes_in_time" : "", rows[i].is_maybe);
    }
}

Test(succession, sleeps_between_which_it_need_not_have_renewed_are_one) {
    for (int64_t awake = 9; awake <= 10; awake++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        word(oracle, EVENT_PAUSE, OPEN + 1, "begin", "");
        word(oracle, EVENT_PAUSE, OPEN + 121, "end", "");
        word(oracle, EVENT_PAUSE, OPEN + 121 + awake, "begin", "");
        word(oracle, EVENT_STOP, OPEN + 125 + awake, "succeeded", "");
        expect(oracle, awake == 10 ? "lease_passes_in_time" : "", 0);
    }
}

Test(succession, a_start_that_slept_is_forgotten_once_another_is_ready) {
    struct oracle *oracle = oracle_create();
    up(oracle, OPEN);
    word(oracle, EVENT_STOP, OPEN + 1, "dead", "");
    word(oracle, EVENT_PAUSE, OPEN + 2, "begin", "");
    word(oracle, EVENT_START, OPEN + 60, "ready", "");
    refused(oracle, OPEN + 300, HELD);
    expect(oracle, "", 0);
}

Test(succession, who_tries_is_let_in_within_ninety_seconds) {
    static const struct {
        const char *why;
        int64_t second;
        bool is_broken;
    } rows[] = {
        {HELD, 90, false}, {HELD, 91, true}, {"refused disk: 'lease.lock' is locked", 91, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        refused(oracle, OPEN + 500, HELD); /* nobody sleeps yet */
        word(oracle, EVENT_PAUSE, OPEN + 1000, "begin", "");
        refused(oracle, OPEN + 1000 + rows[i].second, rows[i].why);
        expect(oracle, rows[i].is_broken ? "lease_passes_in_time" : "", 0);
    }
}

Test(adoption, what_was_right_is_not_replaced) {
    static const struct {
        const char *was, *fault;
        int64_t foreign; /* seconds ago; 0: none */
        bool is_broken, is_maybe;
    } rows[] = {{"10", "view.lag_positions", 0, true, false},
                {"12", "view.lag_positions", 0, false, false},
                {"10", "view.stale", 0, false, true},
                {"20", "view.lag_positions", 60, false, true},
                {"20", "view.lag_positions", 61, true, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        char body[64];
        symbol_fill(oracle, OPEN, "AAPL", "st-1", "buy", 10, 100);
        word(oracle, EVENT_FAULT, OPEN, rows[i].fault, "");
        if (rows[i].foreign != 0) {
            symbol_fill(oracle, OPEN + 100 - rows[i].foreign, "AAPL", "x", "buy", 10, 100);
        }
        snprintf(body, sizeof body, "{\"qty\":\"12\",\"was\":\"%s\"}", rows[i].was);
        row_at(oracle, OPEN + 100, 1, "adopt", "AAPL", body);
        expect(oracle, rows[i].is_broken ? "no_true_book_is_replaced" : "", rows[i].is_maybe);
    }
}

Test(adoption, what_is_taken_over_stood_for_15_s) {
    static const struct {
        int64_t ago;
        const char *qty, *fault;
        bool is_broken, is_maybe;
    } rows[] = {{14, "10", "view.lag_positions", true, false},
                {15, "10", "view.lag_positions", false, false},
                {14, "8", "view.lag_positions", false, false}, /* older than what is held now */
                {14, "10", "view.partial_page", false, true},
                {14, "10", "clock.step", false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        char body[64];
        word(oracle, EVENT_FAULT, OPEN, rows[i].fault, "");
        symbol_fill(oracle, OPEN + 100 - rows[i].ago, "AAPL", "st-1", "buy", 10, 100);
        snprintf(body, sizeof body, "{\"qty\":\"%s\",\"was\":\"0\"}", rows[i].qty);
        row_at(oracle, OPEN + 100, 1, "adopt", "AAPL", body);
        expect(oracle, rows[i].is_broken ? "adopted_quantity_stood" : "", rows[i].is_maybe);
    }
}

static void mechanism_of(struct oracle *oracle, int64_t second, const char *mechanism,
                         const char *symbol) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(second),
                                .subject = mechanism,
                                .what = "acted",
                                .symbol = symbol});
}

static void page_of(struct oracle *oracle, int64_t second, const char *symbol) {
    feed(oracle, (struct event){.kind = EVENT_ALERT,
                                .at = at(second),
                                .subject = "page",
                                .what = "position_unexplained",
                                .body = symbol,
                                .body_len = strlen(symbol)});
}

static void answer_positions(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = "GET",
                                .what = "/v2/positions",
                                .number = 200});
}

Test(adoption, what_moved_and_came_back_between_two_listings_stood) {
    for (int is_shown = 0; is_shown < 2; is_shown++) {
        struct oracle *oracle = oracle_create();
        symbol_fill(oracle, OPEN, "AAPL", "st-1", "buy", 10, 100);
        answer_positions(oracle, OPEN + 1);
        symbol_fill(oracle, OPEN + 90, "AAPL", "bust:st-2", "buy", 5, 100);
        if (is_shown) {
            answer_positions(oracle, OPEN + 91);
        }
        symbol_fill(oracle, OPEN + 92, "AAPL", "bust:st-3", "sell", 5, 100);
        answer_positions(oracle, OPEN + 93);
        row_at(oracle, OPEN + 94, 1, "adopt", "AAPL", "{\"qty\":\"10\",\"was\":\"0\"}");
        expect(oracle, is_shown ? "adopted_quantity_stood" : "", 0);
    }
}

/* Two adoptions, one told: the other is not. Who dies before the tick's end told nobody. */
Test(adoption, each_is_told_by_its_symbol) {
    enum { BOTH, ONE, UNPAGED, OTHER_TICK, DEAD, COUNT };
    for (int i = 0; i < COUNT; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, OPEN - 30, "order.bust", "");
        row_at(oracle, OPEN, 1, "adopt", "AAPL", "{\"qty\":\"10\",\"was\":\"4\"}");
        row_at(oracle, OPEN, 2, "adopt", "MSFT", "{\"qty\":\"10\",\"was\":\"4\"}");
        mechanism_of(oracle, OPEN, "divergence_heal", "AAPL");
        page_of(oracle, OPEN, "AAPL");
        if (i == BOTH || i == UNPAGED) {
            mechanism_of(oracle, OPEN, "divergence_heal", "MSFT");
        }
        if (i == BOTH) {
            page_of(oracle, OPEN, "MSFT");
        } else if (i == DEAD) {
            word(oracle, EVENT_STOP, OPEN, "dead", "");
        }
        word(oracle, EVENT_TICK, OPEN + 1, "", "");
        if (i == OTHER_TICK) {
            mechanism_of(oracle, OPEN + 2, "divergence_heal", "MSFT");
        }
        if (i == BOTH || i == DEAD) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "adoption_is_told", OPEN + 1,
                           i == UNPAGED ? "MSFT: adopted and nobody was paged"
                                        : "MSFT: adopted in silence");
        }
    }
}

/* --- liveness: only once faults have stopped --- */

Test(healing, is_judged_only_while_healed) {
    enum { HEALED, NOT_YET, FAULTY_AGAIN, DOWN, STEPPED, STARVED, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "degraded.clean_s", "30");
        frame(oracle, "broker.requests_a_minute", how == STARVED ? "149" : "150");
        up(oracle, OPEN);
        body_of(oracle, EVENT_MECHANISM, OPEN, "degraded_mode", "acted",
                "\"cause\":\"degraded_mode\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
        if (how == STEPPED) {
            word(oracle, EVENT_FAULT, OPEN, "clock.step", "");
        }
        if (how != NOT_YET) {
            word(oracle, EVENT_HEALED, OPEN + 10, "", "");
        }
        if (how == FAULTY_AGAIN) {
            word(oracle, EVENT_FAULT, OPEN + 20, "api.503", "");
        } else if (how == DOWN) {
            word(oracle, EVENT_STOP, OPEN + 20, "dead", "");
        }
        word(oracle, EVENT_TICK, OPEN + 190, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 191, "tick", "");
        if (how == HEALED) {
            expect_finding(oracle, "degraded_ends", OPEN + 191, "still degraded");
        } else {
            expect(oracle, "", how == STEPPED || how == STARVED);
        }
    }
}

Test(healing, a_mode_that_flapped_five_times_in_an_hour_is_held_for_half_of_one) {
    for (int64_t second = 2020; second <= 2021; second++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "degraded.clean_s", "30");
        word(oracle, EVENT_HEALED, OPEN, "", "");
        up(oracle, OPEN);
        for (int i = 0; i < 5; i++) {
            word(oracle, EVENT_MECHANISM, OPEN + i * 10, "degraded_mode", "acted");
            word(oracle, EVENT_MECHANISM, OPEN + i * 10 + 5, "degraded_mode",
                 i == 4 ? "warned" : "released");
        }
        word(oracle, EVENT_TICK, OPEN + second, "tick", "");
        expect(oracle, second == 2021 ? "degraded_ends" : "", 0);
    }
}

Test(healing, what_was_executed_before_the_journal_went_back_is_a_maybe) {
    for (int back = -1; back < 2; back++) { /* not at all, before the execution, behind it */
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, OPEN - 9, "disk.old_version", "");
        up(oracle, OPEN - 8);
        row_at(oracle, OPEN - 7, 8, "note", "", "");
        if (back == 0) {
            row_at(oracle, OPEN - 6, 8, "note", "", "");
        }
        ledger_fill(oracle, OPEN, "st-a", "buy", 10);
        row_at(oracle, OPEN + 1, back == 1 ? 8 : 9, "note", "", "");
        word(oracle, EVENT_HEALED, OPEN + 2, "", "");
        word(oracle, EVENT_TICK, OPEN + 123, "tick", "");
        expect(oracle, back == 1 ? "" : "reconciled_after_healing",
               back + 1); /* and the lost row */
    }
}

Test(healing, executions_are_booked_two_minutes_after) {
    for (int64_t filled = 9; filled <= 10; filled++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        ledger_fill(oracle, OPEN, "st-a", "buy", 10);
        core_order(oracle, OPEN, "st-a", filled);
        word(oracle, EVENT_HEALED, OPEN + 1, "", "");
        word(oracle, EVENT_TICK, OPEN + 121, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 122, "tick", "");
        if (filled == 9) {
            expect_finding(oracle, "reconciled_after_healing", OPEN + 122,
                           "st-a: the core counts 9, the ledger 10");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(healing, an_exit_ends_within_ten_minutes_or_is_paged) {
    for (int how = 0; how < 4; how++) {
        struct oracle *oracle = oracle_create();
        up(oracle, OPEN);
        phase(oracle, OPEN, "decided");
        word(oracle, EVENT_HEALED, OPEN + 1, "", "");
        if (how == 1) {
            phase(oracle, OPEN + 60, "over");
        } else if (how == 2) {
            body_of(oracle, EVENT_ALERT, OPEN + 60, "page", "exit_unfilled", "AAPL");
        } else if (how == 3) {
            word(oracle, EVENT_MODE, OPEN + 60, "HALT", "NORMAL");
        }
        equity(oracle, OPEN + 601, 100000);
        equity(oracle, OPEN + 602, 100000);
        if (how == 0) {
            expect_finding(oracle, "exits_end_after_healing", OPEN + 602,
                           "AAPL: its exit is still open");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(healing, a_latch_is_paged_within_ten_seconds) {
    enum { SILENT, BEFORE, AFTER, ANOTHER, CLEARED, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_HEALED, OPEN, "", "");
        up(oracle, OPEN);
        word(oracle, EVENT_MODE, OPEN, "REDUCE_ONLY", "NORMAL");
        if (how == BEFORE || how == CLEARED) {
            word(oracle, EVENT_ALERT, OPEN, "page", "daily_loss");
        }
        if (how == CLEARED) {
            row_at(oracle, OPEN, 1, "latch_clear", "daily_loss", "{}");
        }
        row_at(oracle, OPEN, 2, "latch_set", "daily_loss", LATCH);
        if (how == AFTER || how == ANOTHER) {
            word(oracle, EVENT_ALERT, OPEN + 1, "page",
                 how == AFTER ? "daily_loss" : "max_drawdown");
        }
        word(oracle, EVENT_TICK, OPEN + 10, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 11, "tick", "");
        if (how == BEFORE || how == AFTER) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "trips_are_paged", OPEN + 11,
                           "daily_loss: latched and not paged");
        }
    }
}

/* The broker knows another key: nothing is due until the core has it too. */
Test(healing, a_core_that_is_locked_out_owes_nothing_until_it_has_the_key) {
    for (int is_known = 0; is_known < 2; is_known++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_HEALED, OPEN, "", "");
        up(oracle, OPEN);
        word(oracle, EVENT_OPERATOR, OPEN, "rotate_key", "");
        word(oracle, EVENT_MECHANISM, OPEN + 30, "degraded_mode", "acted");
        word(oracle, EVENT_TICK, OPEN + 400, "tick", "");
        if (is_known) {
            word(oracle, EVENT_MECHANISM, OPEN + 400, "credentials", "acted");
        }
        word(oracle, EVENT_TICK, OPEN + 550, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 551, "tick", "");
        if (is_known) {
            expect_finding(oracle, "degraded_ends", OPEN + 551, "still degraded");
        } else {
            expect(oracle, "", 0);
        }
    }
}

Test(healing, a_kill_takes_effect_within_thirty_seconds) {
    enum { IGNORED, OBEYED, CLEARED, OTHER_CLEARED, WAYS };
    for (int how = 0; how < WAYS; how++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_HEALED, OPEN, "", "");
        up(oracle, OPEN);
        word(oracle, EVENT_OPERATOR, OPEN, "kill", "");
        if (how == OBEYED) {
            word(oracle, EVENT_MODE, OPEN + 1, "REDUCE_ONLY", "NORMAL");
        } else if (how != IGNORED) {
            row_at(oracle, OPEN + 1, 1, "latch_clear",
                   how == CLEARED ? "kill_switch" : "daily_loss", "{}");
        }
        word(oracle, EVENT_TICK, OPEN + 30, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 31, "tick", "");
        if (how == IGNORED || how == OTHER_CLEARED) {
            expect_finding(oracle, "kill_takes_effect", OPEN + 31,
                           "told to stop, and entries are allowed");
        } else {
            expect(oracle, "", 0);
        }
    }
}

/* An entry that lives a minute after a kill is a finding, unless an operator ended the kill before. */
Test(healing, no_entry_outlives_a_kill_that_stands) {
    for (int is_cleared = 0; is_cleared < 2; is_cleared++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_HEALED, OPEN, "", "");
        up(oracle, OPEN);
        ledger_order(oracle, OPEN, "st-2024-03-04-1", "buy", "limit", "new", 10, 0);
        word(oracle, EVENT_OPERATOR, OPEN, "kill", "");
        word(oracle, EVENT_MODE, OPEN, "REDUCE_ONLY", "NORMAL");
        if (is_cleared) {
            row_at(oracle, OPEN + 20, 1, "latch_clear", "kill_switch", "{}");
            word(oracle, EVENT_MODE, OPEN + 20, "NORMAL", "REDUCE_ONLY");
        }
        word(oracle, EVENT_TICK, OPEN + 60, "tick", "");
        word(oracle, EVENT_TICK, OPEN + 61, "tick", "");
        if (is_cleared) {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, "kill_takes_effect", OPEN + 61,
                           "AAPL: st-2024-03-04-1 is live a minute after it");
        }
    }
}
