/* test_judges_limits.c - the judges of limits at their exact bound, of refusals and of alarms, each at its
 * edge. */
#include "tests/unit/stream.h"

/* 2023-11-15 14:30:00Z, seconds of the run; the session lasts 23,400 more. */
static const int64_t OPEN = 58600;

static void body_at(struct oracle *oracle, int64_t second, enum event_kind kind, int64_t number,
                    const char *subject, const char *id, const char *body) {
    feed(oracle, (struct event){.kind = kind,
                                .at = at(second),
                                .subject = subject,
                                .id = id,
                                .number = number,
                                .body = body,
                                .body_len = strlen(body)});
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, second, "tick", "");
}

static void buy(struct oracle *oracle, int64_t second, const char *symbol, const char *id) {
    order_leaves(oracle, second, "buy", symbol, id);
}

/* --- refusals --- */

static void refused(struct oracle *oracle, const char *code, const char *purpose,
                    const char *numbers) {
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(OPEN),
                                .subject = code,
                                .what = purpose,
                                .symbol = "AAPL",
                                .body = numbers,
                                .body_len = strlen(numbers)});
}

Test(refusals, numbers_beyond_the_bound_hold_and_numbers_at_it_are_a_limit_too_tight) {
    static const struct {
        const char *code, *purpose, *good, *bad;
    } rows[] = {
        {"ORDER_CAP", "entry", "500.01 against 500", "500 against 500"},
        {"COLLAR", "entry", "0.18 against 0.17", "0.17 against 0.17"},
        {"BUYING_POWER", "entry", "11 against 10", "10 against 10"},
        {"GROSS_EXPOSURE", "entry", "11 against 10", "10 against 10"},
        {"SYMBOL_LIMIT", "entry", "11 against 10", "10 against 10"},
        {"SECTOR_LIMIT", "entry", "11 against 10", "10 against 10"},
        {"THEME_LIMIT", "entry", "11 against 10", "10 against 10"},
        {"CORRELATION_LIMIT", "entry", "11 against 10", "10 against 10"},
        {"STALE_QUOTE", "entry", "5.000000001 against 5", "5 against 5"},
        {"MIN_NOTIONAL", "entry", "99.99 against 100", "100 against 100"},
        {"SYMBOL_COOLDOWN", "entry", "899.999999999 against 900", "900 against 900"},
        {"MAX_POSITIONS", "entry", "4 against 4", "3 against 4"},
        {"ENTRY_RATE", "entry", "6 against 6", "5 against 6"},
        {"OPEN_RISK", "entry", "262.038 against 262.038", "262.037 against 262.038"},
        {"SESSION", "entry", "300 against 300", "300.000000001 against 300"},
        {"NOT_REDUCING", "exit", "11 against 10", "10 against 10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        refused(oracle, rows[i].code, rows[i].purpose, rows[i].good);
        expect(oracle, "", 0);
        oracle = oracle_create();
        refused(oracle, rows[i].code, rows[i].purpose, rows[i].bad);
        expect(oracle, "refusal_is_warranted", 0);
    }
}

/* 10 held, 10 of them on sale by the stop: what the stop alone forbids should have released it first. */
Test(refusals, an_exit_that_only_its_own_stop_forbids_was_not_released) {
    static const struct {
        const char *numbers, *broken;
    } rows[] = {{"20 against 10", "refusal_is_warranted"},
                {"21 against 10", ""}, /* another sale is at work too */
                {"20.5 against 10", ""}};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        ledger_order(oracle, 0, "st-1", "sell", "stop", "new", 10, 0);
        refused(oracle, "NOT_REDUCING", "exit", rows[i].numbers);
        expect(oracle, rows[i].broken, 0);
    }
}

Test(refusals, words_without_numbers_and_an_entry_of_nothing_are_not_judged) {
    struct oracle *oracle = oracle_create();
    refused(oracle, "STALE_QUOTE", "entry", "no quote");
    refused(oracle, "SESSION", "entry", "closed");
    refused(oracle, "MODE", "entry", "mode REDUCE_ONLY");
    refused(oracle, "NOT_REDUCING", "entry", "0 against 0");
    expect(oracle, "", 0);
}

/* --- groups: AAPL and SNOW in tech, FB in none told; 10,000 USD, a sector of 0.2 --- */

static void holds(struct oracle *oracle, const char *symbol, int64_t shares) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(OPEN - 60),
                                .subject = "buy",
                                .symbol = symbol,
                                .id = "st-0",
                                .qty = QTY(shares),
                                .price = USD(100)});
}

static void owns(struct oracle *oracle, int64_t usd) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_EQUITY, .at = at(OPEN), .amount = USD(usd)});
}

static struct oracle *grouped(const char *key, const char *limit) {
    struct oracle *oracle = oracle_create();
    frame(oracle, key, limit);
    frame(oracle, "sector AAPL", "tech");
    frame(oracle, "sector SNOW", "tech");
    frame(oracle, "theme AAPL", "");
    frame(oracle, "theme SNOW", "cloud");
    frame(oracle, "orders.cap_usd", "1000");
    frame(oracle, "sizing.base_usd", "1000");
    owns(oracle, 10000);
    return oracle;
}

/* The buy is of 10 at 100: 1,000. */
Test(groups, a_buy_to_a_tenth_above_the_cap_holds_and_a_share_more_breaks) {
    static const struct {
        const char *key, *limit, *held;
        int64_t shares;
        const char *bought, *broken;
    } rows[] = {
        {"risk.sector_limit", "0.2", "SNOW", 12, "AAPL", ""},
        {"risk.sector_limit", "0.2", "SNOW", 13, "AAPL", "groups_within_their_caps"},
        {"risk.sector_limit", "0.2", "FB", 13, "AAPL", ""},
        {"risk.sector_unknown", "0.2", "FB", 12, "IBM", ""},
        {"risk.sector_unknown", "0.2", "FB", 13, "IBM", "groups_within_their_caps"},
        {"risk.symbol_limit", "0.2", "AAPL", 12, "AAPL", ""},
        {"risk.symbol_limit", "0.2", "AAPL", 13, "AAPL", "groups_within_their_caps"},
        {"risk.symbol_limit", "0.2", "SNOW", 13, "AAPL", ""},
        {"risk.theme_limit_usd", "2000", "FB", 12, "IBM", ""},
        {"risk.theme_limit_usd", "2000", "FB", 13, "IBM", "groups_within_their_caps"},
        {"risk.theme_limit_usd", "2000", "SNOW", 13, "IBM", ""},
        {"risk.theme_limit_usd", "500", "SNOW", 13, "AAPL", ""}, /* of no theme */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = grouped(rows[i].key, rows[i].limit);
        holds(oracle, rows[i].held, rows[i].shares);
        buy(oracle, OPEN, rows[i].bought, "st-1");
        expect(oracle, rows[i].broken, 0);
    }
}

Test(groups, behind_a_fault_a_buy_above_the_cap_is_a_maybe_for_a_minute) {
    for (int64_t after = 59; after <= 60; after++) {
        struct oracle *oracle = grouped("risk.sector_limit", "0.2");
        holds(oracle, "SNOW", 13);
        word(oracle, EVENT_FAULT, OPEN, "market.gap", "");
        buy(oracle, OPEN + after, "AAPL", "st-1");
        expect(oracle, after == 59 ? "" : "groups_within_their_caps", after == 59);
    }
}

Test(groups, what_came_in_since_the_cycle_before_buys_nothing) {
    for (int late = 0; late < 3; late++) {
        struct oracle *oracle = grouped("risk.symbol_limit", "0.09");
        word(oracle, EVENT_TICK, OPEN, "cycle", "");
        owns(oracle, 20000);
        if (late == 1) {
            word(oracle, EVENT_TICK, OPEN, "cycle", "");
        } else if (late == 2) { /* a new life remembers no cycle */
            word(oracle, EVENT_START, OPEN, "ready", "");
        } else {
            word(oracle, EVENT_TICK, OPEN, "tick", "");
        }
        buy(oracle, OPEN, "AAPL", "st-1");
        expect(oracle, late > 0 ? "" : "groups_within_their_caps", 0);
    }
}

/* An entry is 1,000 at most: with 500 held at most 1,500, and a quarter more is 1,875. */
Test(groups, a_refusal_that_the_largest_entry_could_not_reach_is_none) {
    static const struct {
        const char *limit, *code, *broken;
    } rows[] = {
        {"0.1875", "SECTOR_LIMIT", ""},
        {"0.1876", "SECTOR_LIMIT", "group_refusal_is_due"},
        {"0.1876", "THEME_LIMIT", ""}, /* its limit was not told */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = grouped("risk.sector_limit", rows[i].limit);
        holds(oracle, "AAPL", 5);
        holds(oracle, "FB", 50);
        refused(oracle, rows[i].code, "entry", "3000 against 2000");
        expect(oracle, rows[i].broken, 0);
    }
}

Test(groups, what_a_bust_undid_may_count_in_a_refusal) {
    struct oracle *oracle = grouped("risk.sector_limit", "0.1875");
    holds(oracle, "AAPL", 5);
    undoes(oracle, OPEN - 100, "AAPL");
    refused(oracle, "SECTOR_LIMIT", "entry", "3000 against 2000");
    expect(oracle, "", 0);
}

Test(groups, behind_a_fault_or_an_order_that_moved_a_refusal_is_not_judged) {
    for (int64_t before = 59; before <= 60; before++) {
        for (int is_fault = 0; is_fault < 2; is_fault++) {
            struct oracle *oracle = grouped("risk.sector_limit", "0.5");
            if (is_fault) {
                word(oracle, EVENT_FAULT, OPEN - before, "market.gap", "");
            } else {
                ledger_order(oracle, OPEN - before, "st-1", "buy", "limit", "new", 1, 0);
            }
            refused(oracle, "SECTOR_LIMIT", "entry", "6000 against 5000");
            expect(oracle, before == 59 ? "" : "group_refusal_is_due", 0);
        }
    }
}

/* --- rates --- */

Test(rates, so_many_buys_in_a_quarter_of_an_hour_hold_and_one_more_breaks) {
    for (int late = 0; late < 2; late++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.max_new_per_15min", "2");
        buy(oracle, OPEN, "AAPL", "st-1");
        buy(oracle, OPEN + 1, "MSFT", "st-2");
        buy(oracle, OPEN + (late ? 870 : 869), "IBM", "st-3");
        expect(oracle, late ? "" : "entries_within_their_rate", 0);
    }
}

Test(rates, a_symbol_cools_down_after_a_buy_or_a_sale_and_not_after_a_stop) {
    static const struct {
        const char *side, *id;
        int64_t after;
        const char *broken;
    } rows[] = {
        {"buy", "st-2", 869, "cooldown_between_orders"},
        {"sell", "st-2", 869, "cooldown_between_orders"},
        {"buy", "st-2", 870, ""},
        {"buy", "st-1", 10, ""}, /* the same intent once more */
    };
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.symbol_cooldown_s", "900");
        order_leaves(oracle, OPEN, rows[i].side, "AAPL", "st-1");
        buy(oracle, OPEN + rows[i].after, "AAPL", rows[i].id);
        expect(oracle, rows[i].broken, 0);
    }
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.symbol_cooldown_s", "900");
    leaves(oracle, OPEN, "POST", "/v2/orders",
           "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"type\":\"stop\",\"qty\":\"10\","
           "\"client_order_id\":\"st-1\"}");
    answer(oracle, OPEN, "/v2/orders", 200, "{\"client_order_id\":\"st-1\"}");
    order_leaves(oracle, OPEN, "sell", "AAPL", "st-2023-11-15-x-AAPL-1");
    buy(oracle, OPEN + 10, "AAPL", "st-2");
    expect(oracle, "", 0);
}

/* 900 s, twice as long behind the second round trip by the core's rows, less the 30 s of a decision. */
Test(rates, a_symbol_waits_longer_behind_its_second_round_trip_of_the_day) {
    static const struct {
        int trips;
        bool is_granted;
        const char *growth;
        int64_t after;
        bool is_broken;
    } rows[] = {
        {1, false, "2", 870, false},  {2, false, "2", 1769, true}, {2, false, "2", 1770, false},
        {3, false, "2", 3569, true},  {2, true, "2", 870, false},  {2, false, "1", 870, false},
        {3, false, "2", 3570, false}, {2, true, "2", 869, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        int64_t number = 0;
        frame(oracle, "risk.symbol_cooldown_s", "900");
        frame(oracle, "risk.symbol_cooldown_growth", rows[i].growth);
        for (int trip = 0; trip < rows[i].trips; trip++) {
            body_at(oracle, OPEN, EVENT_ROW, ++number, "fill", "st-0",
                    "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\",\"amount\":\"10\"}");
            body_at(oracle, OPEN, EVENT_ROW, ++number, "fill", "st-0",
                    "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"10\",\"amount\":\"10\"}");
        }
        if (rows[i].is_granted) {
            body_at(oracle, OPEN, EVENT_ROW, ++number, "latch_clear", "daily_volume", "{}");
        }
        order_leaves(oracle, OPEN, "sell", "AAPL", "st-1");
        buy(oracle, OPEN + rows[i].after, "AAPL", "st-2");
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        bool is_broken = strstr(text_get(&verdict), "\"id\":\"cooldown_between_orders") != NULL;
        cr_expect_eq(is_broken, rows[i].is_broken, "row %zu: %s", i, text_get(&verdict));
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

static void trip_at(struct oracle *oracle, int64_t second, int64_t number) {
    body_at(oracle, second, EVENT_ROW, number, "fill", "st-0",
            "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\",\"amount\":\"10\"}");
    body_at(oracle, second, EVENT_ROW, number + 1, "fill", "st-0",
            "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"10\",\"amount\":\"10\"}");
}

/* The second trip, of a stop, ends 600 s behind the last order; a death may have left a row untold in between. */
Test(rates, a_longer_wait_is_from_where_the_trip_ended_and_a_gap_in_the_rows_ends_it) {
    static const struct {
        const char *growth;
        int64_t gap, after;
        bool is_broken;
    } rows[] = {{"2", 0, 2369, true},
                {"2", 0, 2370, false},
                {"1", 0, 870, false},
                {"2", 1, 870, false},
                {"2", 1, 869, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.symbol_cooldown_s", "900");
        frame(oracle, "risk.symbol_cooldown_growth", rows[i].growth);
        trip_at(oracle, OPEN - 10, 1);
        order_leaves(oracle, OPEN, "sell", "AAPL", "st-1");
        trip_at(oracle, OPEN + 600, 3);
        body_at(oracle, OPEN + 601, EVENT_ROW, 5 + rows[i].gap, "start", "", "{}");
        buy(oracle, OPEN + rows[i].after, "AAPL", "st-2");
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        bool is_broken = strstr(text_get(&verdict), "\"id\":\"cooldown_between_orders") != NULL;
        cr_expect_eq(is_broken, rows[i].is_broken, "row %zu: %s", i, text_get(&verdict));
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

Test(rates, a_journal_that_went_back_and_a_stepped_clock_leave_nothing_to_count_from) {
    for (int is_stepped = 0; is_stepped < 2; is_stepped++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "risk.symbol_cooldown_s", "900");
        frame(oracle, "risk.max_new_per_15min", "1");
        body_at(oracle, OPEN, EVENT_ROW, 7, "start", "", "{}");
        buy(oracle, OPEN, "AAPL", "st-1");
        if (is_stepped) {
            word(oracle, EVENT_FAULT, OPEN + 1, "clock.step", "");
        } else {
            word(oracle, EVENT_FAULT, OPEN + 1, "disk.old_version", "");
            body_at(oracle, OPEN + 2, EVENT_ROW, 7, "start", "", "{}");
        }
        buy(oracle, OPEN + 10, "AAPL", "st-2");
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        cr_expect_null(strstr(text_get(&verdict), "cooldown"), "%s", text_get(&verdict));
        cr_expect_null(strstr(text_get(&verdict), "rate"), "%s", text_get(&verdict));
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}

/* --- guards: a baseline of 100,000, a limit of 100, a floor of 95,000, a drawdown of 1 % --- */

static struct oracle *guarded(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.daily_loss_usd", "100");
    frame(oracle, "risk.daily_loss_share", "0.04");
    frame(oracle, "risk.equity_floor_usd", "95000");
    frame(oracle, "risk.equity_floor_share", "0.7");
    frame(oracle, "risk.max_drawdown", "0.01");
    word(oracle, EVENT_START, OPEN, "ready", "");
    body_at(oracle, OPEN, EVENT_ROW, 1, "baseline", "2023-11-15", "{\"usd\":\"100000\"}");
    body_at(oracle, OPEN, EVENT_ROW, 2, "go_live", "", "{\"usd\":\"100000\"}");
    return oracle;
}

static void reads(struct oracle *oracle, int64_t second, const char *usd) {
    char body[128];
    snprintf(body, sizeof body, "\n{\"equity\":\"%s\",\"last_equity\":\"1\"}", usd);
    answer(oracle, second, "/v2/account", 200, body);
}

static void ticks(struct oracle *oracle, int64_t second, const char *usd) {
    reads(oracle, second, usd);
    tick(oracle, second);
}

static void trips(struct oracle *oracle, int64_t second, const char *cause, const char *by) {
    char body[128];
    snprintf(body, sizeof body,
             "\"cause\":\"%s\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,\"by\":\"%s\"", cause, by);
    body_of(oracle, EVENT_MECHANISM, second, cause, "acted", body);
}

static void releases(struct oracle *oracle, int64_t second, const char *cause) {
    char body[128];
    snprintf(body, sizeof body, "\"cause\":\"%s\",\"mode\":\"NORMAL\",\"latched\":false", cause);
    body_of(oracle, EVENT_MECHANISM, second, cause, "released", body);
}

Test(guards, two_readings_at_the_limit_trip_and_one_does_not) {
    static const struct {
        const char *cause, *first, *second, *by, *broken;
    } rows[] = {
        {"daily_loss", "99900", "99900", "core", ""},
        {"daily_loss", "99900", "99900.01", "core", "guards_trip_at_their_limit"},
        {"daily_loss", "99900.01", "99900", "core", "guards_trip_at_their_limit"},
        {"daily_loss", "100000", "100000", "document", ""},
        {"equity_floor", "94999.99", "94999.99", "core", ""},
        {"equity_floor", "95000", "95000", "core", "guards_trip_at_their_limit"},
        {"max_drawdown", "99000", "99000", "core", ""},
        {"max_drawdown", "99000", "99000.01", "core", "guards_trip_at_their_limit"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "100000");
        ticks(oracle, OPEN + 2, "100000");
        body_at(oracle, OPEN + 2, EVENT_ROW, 3, "peak", "", "{\"usd\":\"100000\"}");
        ticks(oracle, OPEN + 5, rows[i].first);
        reads(oracle, OPEN + 10, rows[i].second);
        trips(oracle, OPEN + 10, rows[i].cause, rows[i].by);
        expect(oracle, rows[i].broken, 0);
    }
}

/* Readings each 5 s from 5 to `last` seconds into the session. */
static void reads_on(struct oracle *oracle, const char *usd, int64_t last) {
    for (int64_t second = 5; second <= last; second += 5) {
        ticks(oracle, OPEN + second, usd);
    }
}

Test(guards, seventy_five_seconds_at_the_limit_are_the_most) {
    static const struct {
        const char *usd;
        int64_t last;
        const char *broken;
    } rows[] = {
        {"99900", 80, ""},
        {"99900", 85, "guards_trip_at_their_limit"},
        {"99900.01", 600, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = guarded();
        reads_on(oracle, rows[i].usd, rows[i].last);
        expect(oracle, rows[i].broken, 0);
    }
}

Test(guards, who_says_that_it_cannot_believe_what_it_reads_need_not_trip) {
    struct oracle *oracle = guarded();
    body_of(oracle, EVENT_MECHANISM, OPEN + 5, "data_guard", "acted",
            "\"cause\":\"data_guard\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    reads_on(oracle, "99000", 600);
    expect(oracle, "", 0);
}

Test(guards, a_latch_that_stands_or_a_disk_that_was_tampered_with_ends_the_wait) {
    for (int is_disk = 0; is_disk < 2; is_disk++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "99900");
        reads(oracle, OPEN + 2, "99900");
        if (is_disk) {
            word(oracle, EVENT_FAULT, OPEN + 2, "disk.eio", "");
        } else {
            trips(oracle, OPEN + 2, "daily_loss", "core");
            body_of(oracle, EVENT_MODE, OPEN + 2, "REDUCE_ONLY", "NORMAL", "{}");
        }
        reads_on(oracle, "99900", 600);
        expect(oracle, "", 0);
    }
}

Test(guards, what_looks_well_within_a_lie_ends_no_row_of_breaches) {
    for (int is_lie = 0; is_lie < 2; is_lie++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "99900");
        if (is_lie) {
            word(oracle, EVENT_FAULT, OPEN + 5, "view.mark_absurd", "");
        }
        ticks(oracle, OPEN + 6, "100000");
        reads(oracle, OPEN + 10, "99900");
        trips(oracle, OPEN + 10, "daily_loss", "core");
        expect(oracle, is_lie ? "" : "guards_trip_at_their_limit", 0);
    }
}

Test(guards, money_that_comes_or_goes_is_no_gain_and_no_loss) {
    struct oracle *oracle = guarded();
    body_at(oracle, OPEN, EVENT_ROW, 3, "flow", "a", "{\"usd\":\"-4000\",\"date\":\"2023-11-15\"}");
    reads_on(oracle, "96000", 600); /* no loss of the day, above the floor */
    expect(oracle, "", 0);
    oracle = guarded();
    body_at(oracle, OPEN, EVENT_ROW, 3, "flow", "a", "{\"usd\":\"4000\",\"date\":\"2023-11-15\"}");
    ticks(oracle, OPEN + 1, "103900");
    reads(oracle, OPEN + 6, "103900");
    trips(oracle, OPEN + 6, "daily_loss", "core");
    expect(oracle, "", 0);
}

/* Its day lost what the dividend hides; the peak rises by it, as it would by no deposit. */
Test(guards, a_dividend_is_no_gain_of_its_day_and_lifts_the_peak) {
    for (int is_income = 0; is_income < 2; is_income++) {
        struct oracle *oracle = guarded();
        body_at(oracle, OPEN, EVENT_ROW, 3, is_income ? "income" : "flow", "a",
                "{\"usd\":\"4000\",\"date\":\"2023-11-15\"}");
        ticks(oracle, OPEN + 1, "103900");
        reads(oracle, OPEN + 6, "103900");
        trips(oracle, OPEN + 6, "daily_loss", "core");
        body_at(oracle, OPEN + 6, EVENT_ROW, 4, "peak", "", "{\"usd\":\"103900\"}");
        expect(oracle, is_income ? "" : "peak_never_falls", 0);
    }
}

Test(guards, a_peak_is_what_two_readings_showed) {
    for (int is_twice = 0; is_twice < 2; is_twice++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "100010");
        ticks(oracle, OPEN + 6, is_twice ? "100010" : "100009.99");
        body_at(oracle, OPEN + 6, EVENT_ROW, 3, "peak", "", "{\"usd\":\"100010\"}");
        expect(oracle, is_twice ? "" : "peak_never_falls", 0);
    }
}

Test(guards, a_reading_is_ranked_with_the_flows_of_its_own_tick) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "100010");
        reads(oracle, OPEN + 6, "95020"); /* 5,000 were taken out: 100,020 */
        if (is_told) {
            body_at(oracle, OPEN + 6, EVENT_ROW, 3, "flow", "a",
                    "{\"usd\":\"-5000\",\"date\":\"2023-11-15\"}");
        }
        body_at(oracle, OPEN + 6, EVENT_ROW, 3 + is_told, "peak", "", "{\"usd\":\"100010\"}");
        expect(oracle, is_told ? "" : "peak_never_falls", 0);
    }
}

Test(guards, a_release_begins_the_wait_anew_with_the_next_reading) {
    for (int64_t last = 80; last <= 85; last += 5) {
        struct oracle *oracle = guarded();
        frame(oracle, "risk.daily_loss_usd", "100000");
        frame(oracle, "risk.daily_loss_share", "0.9");
        ticks(oracle, OPEN + 1, "100000");
        ticks(oracle, OPEN + 2, "100000");
        body_at(oracle, OPEN + 2, EVENT_ROW, 3, "peak", "", "{\"usd\":\"100000\"}");
        reads_on(oracle, "99000", 40);
        trips(oracle, OPEN + 40, "max_drawdown", "core");
        releases(oracle, OPEN + 200, "max_drawdown");
        for (int64_t second = 200; second <= 300; second += 5) {
            tick(oracle, OPEN + second); /* the account does not answer */
        }
        for (int64_t second = 5; second <= last; second += 5) {
            ticks(oracle, OPEN + 300 + second, "99000");
        }
        expect(oracle, last == 80 ? "" : "guards_trip_at_their_limit", 0);
    }
}

Test(guards, the_floor_is_ended_from_a_hundredth_above_it_on) {
    static const struct {
        const char *equity, *by, *broken;
    } rows[] = {{"95949.99", "core", "guards_trip_at_their_limit"},
                {"95950", "core", ""},
                {"95949.99", "document", ""}}; /* no act of the guard's own: nobody's to judge */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "94999.99");
        reads(oracle, OPEN + 6, "94999.99");
        trips(oracle, OPEN + 6, "equity_floor", rows[i].by);
        word(oracle, EVENT_MODE, OPEN + 6, "REDUCE_ONLY", "NORMAL");
        tick(oracle, OPEN + 6);
        ticks(oracle, OPEN + 11, rows[i].equity);
        releases(oracle, OPEN + 12, "equity_floor");
        expect(oracle, rows[i].broken, 0);
    }
}

Test(guards, the_days_loss_is_not_ended_before_its_close_of_any_life) {
    for (int is_next = 0; is_next < 2; is_next++) {
        struct oracle *oracle = guarded();
        ticks(oracle, OPEN + 1, "99900");
        reads(oracle, OPEN + 6, "99900");
        trips(oracle, OPEN + 6, "daily_loss", "core");
        word(oracle, EVENT_MODE, OPEN + 6, "REDUCE_ONLY", "NORMAL");
        tick(oracle, OPEN + 6);
        word(oracle, EVENT_START, OPEN + 60, "ready", "");
        releases(oracle, OPEN + 23399 + is_next, "daily_loss");
        expect(oracle, is_next ? "" : "guards_trip_at_their_limit", 0);
    }
}

/* --- their scores --- */

static void truth(struct oracle *oracle, int64_t second, int64_t usd) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_EQUITY, .at = at(second), .amount = USD(usd)});
}

static void reads_truth(struct oracle *oracle, int64_t second, int64_t usd) {
    char text[DECIMAL_TEXT_MAX];
    decimal_print(USD(usd).nanos, text);
    truth(oracle, second, usd);
    ticks(oracle, second, text);
}

/* Ends the oracle: its scores begin so. */
static void expect_score(struct oracle *oracle, const char *want) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    const char *scores = strstr(text_get(&verdict), "\"scores\":[");
    cr_assert_not_null(scores);
    cr_expect_eq(strncmp(scores + 9, want, strlen(want)), 0, "want %s\n in %s", want, scores);
    text_release(&verdict);
    oracle_destroy(oracle);
}

/* Beyond by 1 at second 5 and by 3 at 10, when it is known; by 10 at 12, when it acts. */
Test(scores, an_act_is_late_by_the_known_clock_and_its_dollars_are_split_there) {
    struct oracle *oracle = guarded();
    reads_truth(oracle, OPEN + 5, 99899);
    reads_truth(oracle, OPEN + 10, 99897);
    truth(oracle, OPEN + 12, 99890);
    trips(oracle, OPEN + 12, "daily_loss", "core");
    expect_score(oracle, "[{\"mechanism\":\"daily_loss\",\"due\":1,\"acted\":1,\"missed\":0,"
                         "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000,"
                         "\"overshoot_view\":\"3\",\"overshoot_own\":\"7\"}]");
}

Test(scores, what_is_known_for_more_than_75_s_is_missed_once) {
    struct oracle *oracle = guarded();
    for (int64_t second = 5; second <= 600; second += 5) {
        reads_truth(oracle, OPEN + second, 99899);
    }
    expect_score(oracle, "[{\"mechanism\":\"daily_loss\",\"due\":1,\"acted\":0,\"missed\":1,");
}

Test(scores, an_act_that_neither_clock_made_due_is_unfounded) {
    struct oracle *oracle = guarded();
    reads_truth(oracle, OPEN + 5, 99901);
    reads_truth(oracle, OPEN + 10, 99901);
    trips(oracle, OPEN + 10, "daily_loss", "core");
    expect_score(oracle, "[{\"mechanism\":\"daily_loss\",\"due\":0,\"acted\":0,\"missed\":0,"
                         "\"unfounded\":1,");
}

/* The answers lag: the broker stands at the limit, the core was shown a gain and acts all the same. */
Test(scores, an_act_that_the_ledger_alone_made_due_is_no_false_one_and_has_no_latency) {
    struct oracle *oracle = guarded();
    truth(oracle, OPEN + 5, 99899);
    ticks(oracle, OPEN + 5, "100010");
    trips(oracle, OPEN + 6, "daily_loss", "core");
    expect_score(oracle, "[{\"mechanism\":\"daily_loss\",\"due\":0,\"acted\":1,\"missed\":0,"
                         "\"unfounded\":0,\"risky\":0,\"latency_ms\":0,"
                         "\"overshoot_view\":\"0\",\"overshoot_own\":\"0\"}]");
}

Test(scores, while_it_holds_nothing_is_due_and_buys_are_counted_after_its_clear_it_is_due_anew) {
    struct oracle *oracle = guarded();
    reads_truth(oracle, OPEN + 5, 99899);
    reads_truth(oracle, OPEN + 10, 99899);
    trips(oracle, OPEN + 10, "daily_loss", "core");
    word(oracle, EVENT_MODE, OPEN + 10, "REDUCE_ONLY", "NORMAL");
    reads_truth(oracle, OPEN + 15, 99899);
    buy(oracle, OPEN + 16, "AAPL", "st-1");
    body_of(oracle, EVENT_MECHANISM, OPEN + 20, "daily_loss", "released",
            "\"cause\":\"daily_loss\",\"mode\":\"NORMAL\",\"latched\":false");
    reads_truth(oracle, OPEN + 25, 99899);
    trips(oracle, OPEN + 26, "daily_loss", "core");
    expect_score(oracle, "[{\"mechanism\":\"daily_loss\",\"due\":2,\"acted\":2,\"missed\":0,"
                         "\"unfounded\":0,\"risky\":1,\"latency_ms\":1000,");
}

Test(scores, what_recovers_before_a_second_reading_was_never_due) {
    struct oracle *oracle = guarded();
    reads_truth(oracle, OPEN + 5, 99899);
    reads_truth(oracle, OPEN + 10, 99901);
    reads_truth(oracle, OPEN + 15, 99899);
    expect_score(oracle, "[]");
}

/* --- open risk: 10 shares at 100, a stop 3.5 % away, counted one and a half times: 52.50 --- */

static struct oracle *at_risk(const char *limit, const char *equity_usd) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "risk.daily_loss_usd", limit);
    frame(oracle, "risk.daily_loss_share", "0.04");
    frame(oracle, "risk.open_risk_factor", "1.5");
    frame(oracle, "stops.distance", "0.035");
    word(oracle, EVENT_START, OPEN, "ready", "");
    body_at(oracle, OPEN, EVENT_ROW, 1, "baseline", "2023-11-15", "{\"usd\":\"100000\"}");
    reads(oracle, OPEN + 1, equity_usd);
    return oracle;
}

Test(open_risk, a_cent_below_the_limit_holds_and_at_it_breaks) {
    static const struct {
        const char *limit, *equity_usd, *broken;
    } rows[] = {
        {"52.51", "100000", ""},
        {"52.5", "100000", "open_risk_within_the_loss_limit"},
        {"62.5", "99990", "open_risk_within_the_loss_limit"},
        {"62.51", "99990", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = at_risk(rows[i].limit, rows[i].equity_usd);
        buy(oracle, OPEN + 2, "AAPL", "st-1");
        expect(oracle, rows[i].broken, 0);
    }
}

Test(open_risk, positions_count_at_nine_tenths_and_anothers_not_for_a_minute) {
    for (int is_foreign = 0; is_foreign < 2; is_foreign++) {
        struct oracle *oracle = at_risk("99.75", "100000"); /* 0.9 x 52.50 and 52.50 */
        ledger_fill(oracle, OPEN + 1, is_foreign ? "theirs" : "st-0", "buy", 10);
        buy(oracle, OPEN + 2, "MSFT", "st-1");
        expect(oracle, is_foreign ? "" : "open_risk_within_the_loss_limit", 0);
    }
}

/* --- wash --- */

Test(wash, no_sale_leaves_while_a_buy_of_ours_lives_in_the_symbol) {
    static const char *const states[] = {"partially_filled", "pending_cancel", "canceled"};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = oracle_create();
        ledger_order(oracle, OPEN, "st-1", "buy", "limit", states[i], 10, 5);
        order_leaves(oracle, OPEN + 1, "sell", "MSFT", "st-2");
        order_leaves(oracle, OPEN + 1, "sell", "AAPL", "st-3");
        expect(oracle, i < 2 ? "no_sale_beside_a_live_buy" : "", 0);
    }
}

/* --- sizes: 5,000 USD; 5 % of 100,000; 0.25 % of it over a stop of 3.5 %: 7,142 --- */

static void bought_for(struct oracle *oracle, const char *limit, const char *broken) {
    char body[200];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"10\","
             "\"limit_price\":\"%s\",\"client_order_id\":\"st-1\"}",
             limit);
    leaves(oracle, OPEN + 1, "POST", "/v2/orders", body);
    expect(oracle, broken, 0);
}

Test(sizes, an_entry_is_held_to_the_smallest_of_three) {
    static const struct {
        const char *base, *share, *budget, *limit, *broken;
    } rows[] = {
        {"5000", "1", "1", "500", ""},
        {"5000", "1", "1", "500.01", "entry_within_its_size"},
        {"50000", "0.05", "1", "510", ""}, /* 2 % are allowed for, equity moves */
        {"50000", "0.05", "1", "510.01", "entry_within_its_size"},
        {"50000", "1", "0.0025", "728.57", ""},
        {"50000", "1", "0.0025", "728.58", "entry_within_its_size"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "sizing.base_usd", rows[i].base);
        frame(oracle, "sizing.equity_share", rows[i].share);
        frame(oracle, "sizing.risk_budget", rows[i].budget);
        frame(oracle, "stops.distance", "0.035");
        equity(oracle, OPEN, 100000);
        bought_for(oracle, rows[i].limit, rows[i].broken);
    }
}

/* --- degraded mode: truth may be 30 s old --- */

static const char *const ASKED[] = {"/v2/account", "/v2/positions",
                                    "/v2/orders?status=open&limit=500"};

static void answer_all(struct oracle *oracle, int64_t second) {
    for (int i = 0; i < 3; i++) {
        answer(oracle, second, ASKED[i], 200, "\n[]");
    }
}

static struct oracle *polled(int64_t last) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "degraded.truth_max_age_s", "30");
    word(oracle, EVENT_START, OPEN, "ready", "");
    for (int64_t second = 5; second <= 300; second += 5) {
        for (int i = 0; i < 3 && (i != 1 || second <= last); i++) {
            answer(oracle, OPEN + second, ASKED[i], 200, "\n[]");
        }
        tick(oracle, OPEN + second);
    }
    return oracle;
}

static void enters(struct oracle *oracle, int64_t second) {
    body_of(oracle, EVENT_MECHANISM, second, "degraded_mode", "acted",
            "\"cause\":\"degraded_mode\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
}

Test(degraded, positions_unanswered_for_too_long_and_nothing_done_is_a_miss) {
    expect(polled(300), "", 0);
    expect(polled(255), "", 0); /* 45 s at the end */
    struct oracle *oracle = polled(250);
    expect_finding(oracle, "degraded_is_entered", OPEN + 300,
                   "50 s without an answer, and not degraded");
}

Test(degraded, entered_for_nothing_is_false_and_beside_a_fault_or_a_start_it_is_not_judged) {
    struct oracle *oracle = polled(300);
    enters(oracle, OPEN + 300);
    expect_finding(oracle, "degraded_is_entered", OPEN + 300,
                   "entered, and account, positions and orders were answered");
    oracle = polled(300);
    word(oracle, EVENT_FAULT, OPEN + 290, "http.garbage", "");
    enters(oracle, OPEN + 300);
    expect(oracle, "", 0);
    oracle = polled(300);
    word(oracle, EVENT_STOP, OPEN + 300, "dead", "");
    enters(oracle, OPEN + 301);
    expect(oracle, "", 0);
}

/* What closes its journal behind its stop may hang there; that it wakes up makes it no life. */
Test(degraded, who_stood_still_behind_its_stop_is_not_up_when_it_wakes) {
    for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
        struct oracle *oracle = polled(300);
        if (is_stopped) {
            word(oracle, EVENT_STOP, OPEN + 300, "clean", "");
        }
        word(oracle, EVENT_PAUSE, OPEN + 301, "begin", "");
        word(oracle, EVENT_PAUSE, OPEN + 302, "end", "");
        answer_all(oracle, OPEN + 420);
        enters(oracle, OPEN + 422); /* 120 s behind it: undisturbed, were it up */
        expect(oracle, is_stopped ? "" : "degraded_is_entered", 0);
    }
}

/* Who fires a kill looks each second, and other reads wait for the budget. */
Test(degraded, in_halt_it_is_not_due_and_silence_makes_it_no_mistake) {
    for (int64_t last = 260; last <= 300; last += 40) {
        struct oracle *oracle = polled(last);
        word(oracle, EVENT_MODE, OPEN + 300, "HALT", "NORMAL");
        enters(oracle, OPEN + 302);
        expect(oracle, last == 260 ? "" : "degraded_is_entered", 0);
    }
}

/* Silent from 265 on: due with the tick of 300, entered 2 s behind it. */
Test(degraded, entered_in_time_has_its_latency) {
    struct oracle *oracle = polled(265);
    enters(oracle, OPEN + 302);
    expect_score(oracle, "[{\"mechanism\":\"degraded_mode\",\"due\":1,\"acted\":1,\"missed\":0,"
                         "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000,");
}

/* --- deadlines: submits 5 s, the slowest read 10 s, and a second to get there --- */

Test(deadlines, a_call_is_over_a_second_behind_its_deadline) {
    static const struct {
        const char *method, *path, *between;
        int64_t took;
        const char *broken;
    } rows[] = {
        {"POST", "/v2/orders", NULL, 6, ""},
        {"POST", "/v2/orders", NULL, 7, "call_within_its_deadline"},
        {"GET", "/v2/clock", NULL, 11, ""},
        {"GET", "/v2/clock", NULL, 12, "call_within_its_deadline"},
        {"GET", "/v2/clock", "process.hang", 60, ""},
        {"GET", "/v2/clock", "http.slow", 60, "call_within_its_deadline"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "broker.deadline_submit_s", "5");
        frame(oracle, "broker.deadline_slow_s", "10");
        leaves(oracle, OPEN, rows[i].method, rows[i].path, "");
        if (rows[i].between != NULL) {
            word(oracle, EVENT_FAULT, OPEN, rows[i].between, "");
        }
        word(oracle, EVENT_HTTP, OPEN + rows[i].took, rows[i].method, rows[i].path);
        expect(oracle, rows[i].broken, 0);
    }
}

/* --- an operator's stop --- */

Test(stopped, two_seconds_after_a_freeze_or_kill_nothing_is_bought_until_that_cause_ends) {
    static const struct {
        const char *stop, *cause, *ended;
        int64_t after;
        const char *broken;
    } rows[] = {
        {"kill", "", NULL, 2, ""},
        {"kill", "", NULL, 3, "no_buy_sent_after_a_stop"},
        {"freeze", "", NULL, 3, "no_buy_sent_after_a_stop"},
        {"freeze", "lunch", NULL, 3, "no_buy_sent_after_a_stop"},
        {"kill", "", "kill_switch", 3, ""},
        {"freeze", "", "operator_freeze", 3, ""},
        {"freeze", "lunch", "lunch", 3, ""},
        {"freeze", "lunch", "operator_freeze", 3, "no_buy_sent_after_a_stop"},
        {"flatten", "", NULL, 3, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_OPERATOR, OPEN, rows[i].stop, rows[i].cause);
        if (rows[i].ended != NULL) {
            word(oracle, EVENT_OPERATOR, OPEN + 1, "resume", rows[i].ended);
        }
        buy(oracle, OPEN + rows[i].after, "AAPL", "st-1");
        expect(oracle, rows[i].broken, 0);
    }
}

/* --- a command is obeyed once --- */

/* Each letter a deed: s said, a answered, t the tick ends, d a death, b a start, f a fault of the disk. */
static void command(struct oracle *oracle, const char *deeds) {
    for (size_t i = 0; deeds[i] != '\0'; i++) {
        int64_t second = OPEN + (int64_t)i;
        if (deeds[i] == 's') {
            word(oracle, EVENT_OPERATOR, second, "resume", "lunch");
        } else if (deeds[i] == 'a') {
            body_of(oracle, EVENT_OPERATOR, second, "resume", "lunch", "resumed");
        } else if (deeds[i] == 'f') {
            word(oracle, EVENT_FAULT, second, "disk.eio", "remove inbox");
        } else {
            word(oracle,
                 deeds[i] == 't'   ? EVENT_TICK
                 : deeds[i] == 'd' ? EVENT_STOP
                                   : EVENT_START,
                 second,
                 deeds[i] == 't'   ? "tick"
                 : deeds[i] == 'd' ? "dead"
                                   : "ready",
                 "");
        }
    }
}

Test(commands, what_was_said_once_is_obeyed_in_one_tick_that_ends) {
    static const struct {
        const char *deeds, *broken;
        int maybes;
    } rows[] = {
        {"sat", "", 0},     {"satdbat", "command_obeyed_once", 0},
        {"sadbat", "", 0},  {"sabat", "", 0},
        {"satsat", "", 0},  {"satsatat", "command_obeyed_once", 0},
        {"satftat", "", 1}, {"saat", "command_obeyed_once", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        command(oracle, rows[i].deeds);
        expect(oracle, rows[i].broken, rows[i].maybes);
    }
}

/* --- age --- */

static bool is_deed(const char *deed, const char *word) {
    return strcmp(deed, word) == 0;
}

/* Bought 200 s into the session, an hour allowed; a tick so many seconds after the hour. */
static void grow_old(struct oracle *oracle, int64_t after) {
    frame(oracle, "exits.time_s", "3600");
    word(oracle, EVENT_START, OPEN, "ready", "");
    ledger_fill(oracle, OPEN + 200, "st-1", "buy", 10);
    tick(oracle, OPEN + 200 + 3600 + after);
}

Test(overdue, a_position_is_gone_or_leaving_two_minutes_after_its_time) {
    struct oracle *oracle = oracle_create();
    grow_old(oracle, 120);
    expect(oracle, "", 0);
    oracle = oracle_create();
    grow_old(oracle, 121);
    expect_finding(oracle, "old_positions_leave", OPEN + 3921,
                   "AAPL: held for 3721 s and no exit at work");
}

Test(overdue, what_may_hold_it_in_is_not_judged) {
    static const char *const deeds[] = {"fault",   "clock", "halt", "exit", "adopted",
                                        "foreign", "away",  "sold", "down"};
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "exits.time_s", "3600");
        if (is_deed(deeds[i], "away")) { /* bought while no core was up: seen 300 s later */
            ledger_fill(oracle, OPEN + 200, "st-1", "buy", 10);
            word(oracle, EVENT_START, OPEN + 500, "ready", "");
            tick(oracle, OPEN + 500);
        } else {
            word(oracle, EVENT_START, OPEN, "ready", "");
            ledger_fill(oracle, OPEN + 200, is_deed(deeds[i], "foreign") ? "by hand" : "st-1",
                        "buy", 10);
        }
        if (is_deed(deeds[i], "fault")) {
            word(oracle, EVENT_FAULT, OPEN + 3900, "http.dns", "");
        } else if (is_deed(deeds[i], "clock")) {
            word(oracle, EVENT_FAULT, OPEN + 300, "clock.step", "");
        } else if (is_deed(deeds[i], "halt")) {
            word(oracle, EVENT_MODE, OPEN + 300, "HALT", "NORMAL");
        } else if (is_deed(deeds[i], "exit")) {
            phase(oracle, OPEN + 3800, "decided");
        } else if (is_deed(deeds[i], "adopted")) {
            word(oracle, EVENT_FAULT, OPEN + 10, "order.bust", ""); /* long over */
            row(oracle, OPEN + 3000, "adopt", "AAPL", "{}");
            feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                        .at = at(OPEN + 3000),
                                        .subject = "divergence_heal",
                                        .what = "acted",
                                        .symbol = "AAPL"});
            body_of(oracle, EVENT_ALERT, OPEN + 3000, "page", "position_unexplained", "AAPL");
        } else if (is_deed(deeds[i], "sold")) {
            ledger_fill(oracle, OPEN + 300, "st-2", "sell", 10);
        } else if (is_deed(deeds[i], "down")) {
            word(oracle, EVENT_STOP, OPEN + 300, "dead", "");
            word(oracle, EVENT_START, OPEN + 3900, "ready", "");
        }
        tick(oracle, OPEN + 3960);
        const char *broken = "";
        (void)oracle_broken(oracle, &broken, 1);
        cr_expect_str_eq(broken, is_deed(deeds[i], "foreign") ? "foreign_fill_is_told" : "");
        oracle_destroy(oracle);
    }
}

Test(overdue, what_nobody_could_see_counts_from_its_row) {
    static const struct {
        int64_t fault, row;
        const char *broken;
    } rows[] = {
        {80, 1000, ""}, /* disturbed as late as two minutes before the share */
        {900, 1000, ""},
        {79, 1000, "old_positions_leave"},
        {80, 0, "old_positions_leave"}, /* never told of */
        {0, 1000, "old_positions_leave"},
        {80, 239, "old_positions_leave"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "exits.time_s", "3600");
        word(oracle, EVENT_START, OPEN, "ready", "");
        if (rows[i].fault > 0 && rows[i].fault < 200) {
            word(oracle, EVENT_FAULT, OPEN + rows[i].fault, "http.dns", "");
        }
        ledger_fill(oracle, OPEN + 200, "st-1", "buy", 10);
        if (rows[i].fault > 200) {
            word(oracle, EVENT_FAULT, OPEN + rows[i].fault, "http.dns", "");
        }
        if (rows[i].row > 0) {
            row(oracle, OPEN + rows[i].row, "fill", "st-1", "{}");
        }
        tick(oracle, OPEN + 3960);
        expect(oracle, rows[i].broken, 0);
    }
}

/* --- alarms --- */

static void alarm_of(struct oracle *oracle, const char *cause) {
    char body[96];
    snprintf(body, sizeof body, "\"cause\":\"%s\",\"latched\":true", cause);
    body_of(oracle, EVENT_MECHANISM, OPEN + 2, "atomic_state", "acted", body);
}

Test(alarms, need_a_deed_of_their_kind) {
    static const struct {
        const char *alarm, *deed, *broken;
    } rows[] = {
        {"freezes_missing", "disk.eio", ""},
        {"freezes_missing", "process.crash_before", "alarm_has_a_cause"},
        {"freezes_unreadable", "disk.bit_rot", ""},
        {"state_regression", "disk.old_version", ""},
        {"state_regression", "disk.enospc", "alarm_has_a_cause"},
        {"journal_down", "disk.enospc", ""},
        {"journal_down", "http.dns", "alarm_has_a_cause"},
        {"amnesia", "process.second_elsewhere", ""},
        {"second_writer", "foreign_order", ""},
        {"second_writer", "view.stale", "alarm_has_a_cause"},
        {"lease_lost", "process.pause", ""},
        {"wrong_account", "view.other_account", ""},
        {"wrong_account", "view.equity_zero", "alarm_has_a_cause"},
        {"unknown_causes", "edit_document", ""},
        {"unknown_causes", "disk.enospc", "alarm_has_a_cause"},
        {"daily_loss", "http.dns", ""}, /* not of this kind */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, strchr(rows[i].deed, '.') == NULL ? EVENT_OPERATOR : EVENT_FAULT, OPEN,
             rows[i].deed, "");
        alarm_of(oracle, rows[i].alarm);
        alarm_of(oracle, rows[i].alarm);
        expect(oracle, rows[i].broken, 0);
    }
}

Test(alarms, a_page_about_a_position_is_one_and_a_release_is_none) {
    struct oracle *oracle = oracle_create();
    body_of(oracle, EVENT_MECHANISM, OPEN, "single_instance", "released",
            "\"cause\":\"lease_lost\"");
    body_of(oracle, EVENT_ALERT, OPEN, "warn", "position_vanished", "AAPL");
    expect(oracle, "", 0);
    oracle = oracle_create();
    body_of(oracle, EVENT_ALERT, OPEN, "page", "position_vanished", "AAPL");
    expect_finding(oracle, "alarm_has_a_cause", OPEN, "position_vanished, and nobody did it");
}
