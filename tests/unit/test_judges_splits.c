/* test_judges_splits.c - the judge of splits: taken in time, at the ledger's quantity, and only where one was. */
#include "tests/unit/stream.h"

enum { FOUR = 39600 - 68400 + 115200 }; /* some instant of a night */

static const char ID[] = "split_is_explained";
#define TAKEN(qty) "{\"qty\":\"" qty "\",\"was\":\"10\"}"

/* Ten shares of ours, which a split makes twenty. */
static struct oracle *parted(void) {
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_START, FOUR - 100, "ready", "");
    ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
    ledger_fill(oracle, FOUR, "split:AAPL", "buy", 10);
    return oracle;
}

static void knows(struct oracle *oracle, int64_t second) {
    answer(oracle, second, "/v1/corporate-actions?symbols=AAPL", 200, "");
    answer(oracle, second, "/v2/positions", 200, "");
}

static void page(struct oracle *oracle, int64_t second, const char *key) {
    body_of(oracle, EVENT_ALERT, second, "page", key, "AAPL");
}

Test(split_is_explained, taken_at_the_ledgers_quantity_holds) {
    struct oracle *oracle = parted();
    knows(oracle, FOUR + 2);
    row_at(oracle, FOUR + 3, 1, "split", "AAPL", TAKEN("20"));
    word(oracle, EVENT_TICK, FOUR + 3, "", "");
    word(oracle, EVENT_TICK, FOUR + 500, "", "");
    expect_scored(oracle, "",
                  "\"mechanism\":\"reconciliation\",\"due\":1,\"acted\":1,\"missed\":0,"
                  "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000");
}

Test(split_is_explained, taken_at_another_quantity_breaks) {
    struct oracle *oracle = parted();
    knows(oracle, FOUR + 2);
    row_at(oracle, FOUR + 3, 1, "split", "AAPL", TAKEN("21"));
    expect_finding(oracle, ID, FOUR + 3,
                   "AAPL: a split was announced, and another quantity was taken");
}

Test(split_is_explained, two_minutes_and_no_second_more) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = parted();
        knows(oracle, FOUR + 2);
        word(oracle, EVENT_TICK, FOUR + 122 + more, "", "");
        expect(oracle, more ? ID : "", 0);
    }
}

Test(split_is_explained, what_was_not_answered_is_not_due) {
    static const char *const paths[] = {"/v1/corporate-actions?symbols=AAPL", "/v2/positions"};
    for (size_t i = 0; i < 2; i++) {
        for (int status = 200; status <= 500; status += 300) {
            struct oracle *oracle = parted();
            answer(oracle, FOUR + 2, paths[i], 200, "");
            answer(oracle, FOUR + 2, paths[1 - i], status, "");
            word(oracle, EVENT_TICK, FOUR + 500, "", "");
            expect(oracle, status == 200 ? ID : "", 0);
        }
    }
}

Test(split_is_explained, a_core_that_is_down_or_disturbed_has_its_two_minutes_from_then) {
    for (int kind = 0; kind < 2; kind++) {
        for (int more = 0; more < 2; more++) {
            struct oracle *oracle = parted();
            knows(oracle, FOUR + 2);
            if (kind == 0) {
                word(oracle, EVENT_STOP, FOUR + 3, "dead", "");
                word(oracle, EVENT_TICK, FOUR + 300, "", "");
                word(oracle, EVENT_START, FOUR + 400, "ready", "");
            } else {
                word(oracle, EVENT_FAULT, FOUR + 400, "api.500", "");
            }
            if (kind == 0 || more == 0) {
                word(oracle, EVENT_TICK, FOUR + 520, "", "");
            }
            if (more) {
                word(oracle, EVENT_TICK, FOUR + 521, "", "");
            }
            expect(oracle, more ? ID : "", 0);
        }
    }
}

Test(split_is_explained, adopted_or_paged_as_unexplained_breaks) {
    for (int kind = 0; kind < 3; kind++) {
        struct oracle *oracle = parted();
        word(oracle, EVENT_FAULT, FOUR - 10, "hand.sale", ""); /* who may be behind such a page */
        knows(oracle, FOUR + 2);
        if (kind == 0) {
            row_at(oracle, FOUR + 20, 1, "adopt", "AAPL", "{\"qty\":\"20\",\"was\":\"10\"}");
        } else {
            page(oracle, FOUR + 20, kind == 1 ? "position_unexplained" : "position_vanished");
        }
        expect(oracle, ID, 0);
    }
}

Test(split_is_explained, a_core_that_never_asks_breaks_a_quarter_of_an_hour_later) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = parted();
        answer(oracle, FOUR + 2, "/v2/positions", 200, "");
        word(oracle, EVENT_TICK, FOUR + 902 + more, "", "");
        expect(oracle, more ? ID : "", 0);
    }
}

Test(split_is_explained, an_hour_behind_a_lie_or_a_disk_nothing_is_excused) {
    static const char *const faults[] = {"view.positions_empty", "disk.eio"};
    for (int i = 0; i < 4; i++) {
        struct oracle *oracle = parted();
        word(oracle, EVENT_FAULT, FOUR - 3600 + 3 - i / 2, faults[i % 2], "");
        knows(oracle, FOUR + 2);
        row_at(oracle, FOUR + 3, 1, "split", "AAPL", TAKEN("21"));
        expect(oracle, i < 2 ? "" : ID, i < 2 ? 1 : 0);
    }
}

Test(split_is_explained, beside_an_unknown_it_is_a_maybe) {
    static const char *const faults[] = {"view.positions_empty", "disk.eio", "view.lag_positions"};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = parted();
        word(oracle, EVENT_FAULT, FOUR + 1, "hand.sale", "");
        if (i < 3) {
            word(oracle, EVENT_FAULT, FOUR + 1, faults[i], "");
            knows(oracle, FOUR + 2);
        } else {
            answer(oracle, FOUR + 2, "/v2/positions", 200, ""); /* the actions never came */
            answer(oracle, FOUR + 2, "/v1/corporate-actions?symbols=AAPL", 500, "");
        }
        page(oracle, FOUR + 20, "position_unexplained");
        expect(oracle, i == 2 ? ID : "", i == 2 ? 0 : 1);
    }
}

Test(split_is_explained, a_split_that_nobody_announced_is_none) {
    for (int kind = 0; kind < 3; kind++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
        if (kind == 1) {
            ledger_fill(oracle, FOUR, "moved:AAPL", "buy", 10);
        } else if (kind == 2) {
            ledger_fill(oracle, FOUR, "split:AAPL", "buy", 10);
            knows(oracle, FOUR + 1);
            row_at(oracle, FOUR + 2, 1, "split", "AAPL", TAKEN("20")); /* once */
        }
        knows(oracle, FOUR + 2);
        row_at(oracle, FOUR + 3, 2, "split", "AAPL", TAKEN("20"));
        expect_finding(oracle, ID, FOUR + 3, "AAPL: took for a split what was none");
    }
}

/* Less than a share is left: that it stays away takes a few ticks of the night. */
Test(split_is_explained, what_was_paid_out_whole_has_a_quarter_of_an_hour) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
        ledger_fill(oracle, FOUR, "split:AAPL", "sell", 10);
        knows(oracle, FOUR + 2);
        word(oracle, EVENT_TICK, FOUR + 902 + more, "", "");
        expect(oracle, more ? ID : "", 0);
    }
}

/* --- spin-offs --- */

#define SPUN "\n[{\"activity_type\":\"SPIN\",\"symbol\":\"AAPL\",\"qty\":\"5\"}]"
#define GAINED(qty, moved, source)                                                                 \
    "{\"qty\":\"" qty "\",\"was\":\"0\",\"moved\":\"" moved "\",\"source\":\"" source "\"}"

/* Five shares for what is held of NFLX; a ledger_fill() costs 100 a share. */
static struct oracle *spun(const char *activities, bool is_announced) {
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_START, FOUR - 100, "ready", "");
    ledger_fill(oracle, FOUR, "spin:NFLX", "buy", 5);
    if (is_announced) {
        answer(oracle, FOUR + 1, "/v1/corporate-actions?symbols=NFLX", 200, "\n{}");
    }
    answer(oracle, FOUR + 2, "/v2/account/activities?a", 200, activities);
    answer(oracle, FOUR + 2, "/v2/positions", 200, "");
    return oracle;
}

Test(spin_off_is_explained, at_the_ledgers_quantity_and_the_cost_of_its_source_alone) {
    static const struct {
        const char *body;
        bool is_announced;
        const char *finding;
    } rows[] = {
        {GAINED("5", "500", "NFLX"), true, ""},
        {GAINED("10", "500", "NFLX"), true,
         "AAPL: a spin-off was told, and another quantity was taken"},
        {GAINED("5", "0", "NFLX"), true,
         "AAPL: a spin-off was told, and its cost is not its source's"},
        {GAINED("5", "500", "SNOW"), true,
         "AAPL: a spin-off was told, and its cost is not its source's"},
        {GAINED("5", "0", ""), true, "AAPL: a spin-off was told, and its cost is not its source's"},
        {GAINED("5", "0", ""), false, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = spun(SPUN, rows[i].is_announced);
        row_at(oracle, FOUR + 3, 1, "spin", "AAPL", rows[i].body);
        word(oracle, EVENT_ALERT, FOUR + 3, "warn", "position_spun_off");
        if (rows[i].finding[0] == '\0') {
            expect(oracle, "", 0);
        } else {
            expect_finding(oracle, ID, FOUR + 3, rows[i].finding);
        }
    }
}

static void nflx(struct oracle *oracle, int64_t second, const char *id, const char *side,
                 int64_t shares) {
    feed(oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                .at = at(second),
                                .subject = side,
                                .symbol = "NFLX",
                                .id = id,
                                .qty = QTY(shares),
                                .price = USD(100)});
}

#define RATES(source_rate, new_rate)                                                               \
    "\n{\"corporate_actions\":{\"spin_offs\":[{\"source_symbol\":\"NFLX\","                        \
    "\"new_symbol\":\"AAPL\",\"source_rate\":" source_rate ",\"new_rate\":" new_rate "}]}}"

/* Five at 100 for eleven, of which so many are sold: by the rates they are for ten, and a fraction was paid out. */
Test(spin_off_is_explained, at_the_cost_of_the_part_of_its_source_that_is_left) {
    static const struct {
        int64_t bought, sold, sold_at;
        const char *body;
        bool is_broken;
    } rows[] = {{11, 0, 0, GAINED("5", "500", "NFLX"), false},
                {11, 0, 0, GAINED("5", "400", "NFLX"), true},
                {11, 1, 1, GAINED("5", "500", "NFLX"), false},
                {11, 7, 1, GAINED("5", "200", "NFLX"), false},
                {11, 7, 1, GAINED("5", "500", "NFLX"), true},
                {11, 7, 1, GAINED("5", "0", ""), true},
                {11, 7, 150, GAINED("5", "500", "NFLX"), false}, /* the core need not know */
                {11, 7, 150, GAINED("5", "100", "NFLX"), true},
                {5, 0, 0, GAINED("5", "250", "NFLX"), false},
                {11, 11, 1, GAINED("5", "0", ""), false}}; /* nothing is left */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        nflx(oracle, FOUR - 50, "st-1", "buy", rows[i].bought);
        ledger_fill(oracle, FOUR, "spin:NFLX", "buy", 5);
        if (rows[i].sold > 0) {
            nflx(oracle, FOUR + rows[i].sold_at, "st-2", "sell", rows[i].sold);
        }
        answer(oracle, FOUR + 170, "/v1/corporate-actions?symbols=NFLX", 200, RATES("2", "1"));
        answer(oracle, FOUR + 170, "/v2/account/activities?a", 200, SPUN);
        answer(oracle, FOUR + 170, "/v2/positions", 200, "");
        row_at(oracle, FOUR + 171, 1, "spin", "AAPL", rows[i].body);
        word(oracle, EVENT_ALERT, FOUR + 171, "warn", "position_spun_off");
        if (rows[i].is_broken) {
            expect_finding(oracle, ID, FOUR + 171,
                           "AAPL: a spin-off was told, and its cost is not its source's");
        } else {
            cr_log_info("row %zu", i);
            expect(oracle, "", 0);
        }
    }
}

/* A source from which all of its cost would go keeps it: unlinked, though it was announced. */
Test(spin_off_is_explained, unlinked_where_nothing_would_be_left_of_what_its_source_cost) {
    for (int kind = 0; kind < 2; kind++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        nflx(oracle, FOUR - 50, "st-1", "buy", kind == 0 ? 5 : 6);
        ledger_fill(oracle, FOUR, "spin:NFLX", "buy", 5);
        answer(oracle, FOUR + 2, "/v1/corporate-actions?symbols=NFLX", 200, RATES("1", "1"));
        answer(oracle, FOUR + 2, "/v2/account/activities?a", 200, SPUN);
        answer(oracle, FOUR + 2, "/v2/positions", 200, "");
        row_at(oracle, FOUR + 3, 1, "spin", "AAPL", GAINED("5", "0", ""));
        word(oracle, EVENT_ALERT, FOUR + 3, "warn", "position_spun_off");
        expect(oracle, kind == 0 ? "" : ID, 0);
    }
}

Test(spin_off_is_explained, in_two_minutes_of_the_row_that_tells_of_it) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = spun("\n[]", true);
        word(oracle, EVENT_TICK, FOUR + 500, "", "");
        answer(oracle, FOUR + 600, "/v2/account/activities?a", 200, SPUN);
        answer(oracle, FOUR + 600, "/v2/positions", 200, "");
        word(oracle, EVENT_TICK, FOUR + 720 + more, "", "");
        expect(oracle, more ? ID : "", 0);
    }
}

/* Before the row came nobody could know, behind it the broker had said so. */
Test(spin_off_is_explained, and_adopted_only_while_no_row_told_of_it) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = spun(is_told ? SPUN : "\n[]", true);
        word(oracle, EVENT_FAULT, FOUR - 10, "hand.sale", "");
        page(oracle, FOUR + 20, "position_unexplained");
        expect(oracle, is_told ? ID : "", 0);
    }
}

Test(spin_off_is_explained, and_nothing_else_is_one) {
    for (int kind = 0; kind < 2; kind++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR, kind == 0 ? "given:NFLX" : "split:AAPL", "buy", 5);
        row_at(oracle, FOUR + 3, 1, "spin", "AAPL", GAINED("5", "500", "NFLX"));
        expect_finding(oracle, ID, FOUR + 3, "AAPL: took for a spin-off what was none");
    }
}

/* --- the judges beside it --- */

/* Sent behind the ledger's split and before the core's row it may end; the row of a split that was none frees none. */
Test(splits_beside, a_stop_ends_for_a_split_of_the_ledger_and_for_no_row_alone) {
    for (int is_none = 0; is_none < 2; is_none++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
        if (!is_none) {
            ledger_fill(oracle, FOUR, "moved:AAPL", "buy", 10);
        }
        ledger_order(oracle, FOUR + 2, "st-2023-11-15-2", "sell", "stop", "new", 10, 0);
        row_at(oracle, FOUR + 5, 1, "split", "AAPL", TAKEN("20"));
        ledger_order(oracle, FOUR + 20, "st-2023-11-15-2", "sell", "stop", "canceled", 10, 0);
        const char *ids[ORACLE_INVARIANT_COUNT] = {""};
        size_t count = oracle_broken(oracle, ids, ORACLE_INVARIANT_COUNT);
        bool is_told = false;
        for (size_t k = 0; k < count; k++) {
            is_told = is_told || strcmp(ids[k], "stop_cancelled_outside_transaction") == 0;
        }
        cr_expect_eq(is_told, is_none == 1);
        oracle_destroy(oracle);
    }
}

/* Whether a share was given or cash for all of it, the broker cancels what rested in the source, and nothing else. */
Test(splits_beside, a_stop_of_before_a_spin_off_from_its_symbol_may_end) {
    static const struct {
        const char *source;
        int sent;
        bool is_broken;
    } rows[] = {{"AAPL", FOUR - 40, false}, {"NFLX", FOUR - 40, true}, {"AAPL", FOUR + 10, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
        bool is_before = rows[i].sent < FOUR;
        if (is_before) {
            ledger_order(oracle, rows[i].sent, "st-2023-11-15-2", "sell", "stop", "new", 10, 0);
        }
        word(oracle, EVENT_FRAME, FOUR, "spun_off", rows[i].source);
        if (!is_before) {
            ledger_order(oracle, rows[i].sent, "st-2023-11-15-2", "sell", "stop", "new", 10, 0);
        }
        ledger_order(oracle, FOUR + 20, "st-2023-11-15-2", "sell", "stop", "canceled", 10, 0);
        expect(oracle, rows[i].is_broken ? "stop_cancelled_outside_transaction" : "", 0);
    }
}

Test(splits_beside, a_stop_of_before_may_end_and_one_of_behind_may_not) {
    for (int is_new = 0; is_new < 2; is_new++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_START, FOUR - 100, "ready", "");
        ledger_fill(oracle, FOUR - 50, "st-2023-11-15-1", "buy", 10);
        ledger_order(oracle, FOUR + (is_new ? 10 : -40), "st-2023-11-15-2", "sell", "stop", "new",
                     10, 0);
        ledger_fill(oracle, FOUR, "split:AAPL", "buy", 10);
        row_at(oracle, FOUR + 5, 1, "split", "AAPL", TAKEN("20"));
        ledger_order(oracle, FOUR + 20, "st-2023-11-15-2", "sell", "stop", "canceled", 10, 0);
        expect(oracle, is_new ? "stop_cancelled_outside_transaction" : "", 0);
    }
}
