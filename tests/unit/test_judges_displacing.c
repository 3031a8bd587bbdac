/* test_judges_displacing.c - the judge of who gives way: each flaw at its edge, and what is bought back. */
#include "tests/unit/stream.h"

enum { T0 = 59000 }; /* 2023-11-15 09:36:40 New York */

static void tick(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = at(second), .subject = "tick"});
}

static void kept_out(struct oracle *oracle, int64_t second, const char *code, const char *symbol) {
    feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                .at = at(second),
                                .subject = code,
                                .what = "entry",
                                .symbol = symbol,
                                .body = ""});
}

static void closed(struct oracle *oracle, int64_t second, const char *symbol,
                   const char *candidate) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(second),
                                .subject = "displacement",
                                .what = "acted",
                                .symbol = symbol,
                                .id = candidate});
}

/* AAPL was bought at second 100; an hour is old enough, and two are the cooldown. */
static struct oracle *holding(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "displacement.min_age_s", "3600");
    frame(oracle, "displacement.cooldown_s", "7200");
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(T0), .subject = "ready"});
    order_leaves(oracle, T0 + 99, "buy", "AAPL", "st-2023-11-15-1");
    ledger_order(oracle, T0 + 99, "st-2023-11-15-1", "buy", "limit", "new", 10, 0);
    ledger_fill(oracle, T0 + 100, "st-2023-11-15-1", "buy", 10);
    ledger_order(oracle, T0 + 100, "st-2023-11-15-1", "buy", "limit", "filled", 10, 10);
    tick(oracle, T0 + 100);
    return oracle;
}

static void expect_score(struct oracle *oracle, const char *id, int due, int unfounded, int risky) {
    char score[160];
    snprintf(score, sizeof score,
             "\"mechanism\":\"displacement\",\"due\":%d,\"acted\":1,\"missed\":0,"
             "\"unfounded\":%d,\"risky\":%d",
             due, unfounded, risky);
    expect_scored(oracle, id, score);
}

Test(displacing, an_old_position_gives_way_to_who_max_positions_keeps_out) {
    struct oracle *oracle = holding();
    kept_out(oracle, T0 + 3700, "MAX_POSITIONS", "MSFT");
    closed(oracle, T0 + 3700, "AAPL", "MSFT");
    expect_score(oracle, "", 1, 0, 0);
}

Test(displacing, one_that_is_a_second_too_young_does_not) {
    struct oracle *oracle = holding();
    kept_out(oracle, T0 + 3699, "MAX_POSITIONS", "MSFT");
    closed(oracle, T0 + 3699, "AAPL", "MSFT");
    expect_score(oracle, "displacement_is_earned", 0, 1, 0);
}

Test(displacing, nobody_gives_way_to_who_is_kept_out_by_another_check_or_in_another_tick) {
    struct oracle *oracle = holding();
    kept_out(oracle, T0 + 3700, "SECTOR_LIMIT", "MSFT");
    closed(oracle, T0 + 3700, "AAPL", "MSFT");
    expect_score(oracle, "displacement_is_earned", 0, 1, 0);
    oracle = holding();
    kept_out(oracle, T0 + 3700, "MAX_POSITIONS", "MSFT");
    tick(oracle, T0 + 3700);
    closed(oracle, T0 + 3705, "AAPL", "MSFT");
    expect_score(oracle, "displacement_is_earned", 0, 1, 0);
}

Test(displacing, neither_takes_part_again_before_the_cooldown_is_over) {
    static const struct {
        int64_t second;
        const char *victim, *candidate, *broken;
    } rows[] = {
        {T0 + 3700 + 7199, "AAPL", "NVDA", "displacement_is_earned"},
        {T0 + 3700 + 7199, "TSLA", "MSFT", "displacement_is_earned"},
        {T0 + 3700 + 7199, "MSFT", "NVDA", "displacement_is_earned"},
        {T0 + 3700 + 7200, "AAPL", "MSFT", ""},
        {T0 + 3700 + 7199, "TSLA", "NVDA", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = holding();
        kept_out(oracle, T0 + 3700, "MAX_POSITIONS", "MSFT");
        closed(oracle, T0 + 3700, "AAPL", "MSFT");
        tick(oracle, T0 + 3700);
        kept_out(oracle, rows[i].second, "MAX_POSITIONS", rows[i].candidate);
        closed(oracle, rows[i].second, rows[i].victim, rows[i].candidate);
        expect(oracle, rows[i].broken, 0);
    }
}

static struct oracle *bought(int64_t second, const char *symbol, bool is_wall_set) {
    struct oracle *oracle = holding();
    kept_out(oracle, T0 + 3700, "MAX_POSITIONS", "MSFT");
    closed(oracle, T0 + 3700, "AAPL", "MSFT");
    if (is_wall_set) {
        frame(oracle, "wall", "60");
    }
    order_leaves(oracle, second, "buy", symbol, "st-2023-11-15-2");
    return oracle;
}

Test(displacing, what_was_closed_is_not_bought_back) {
    expect_score(bought(T0 + 3700 + 7199, "AAPL", false), "displacement_is_earned", 1, 0, 1);
    expect_score(bought(T0 + 3700 + 7200, "AAPL", false), "", 1, 0, 0);
    expect_score(bought(T0 + 3710, "MSFT", false), "", 1, 0, 0);
    expect_score(bought(T0 + 3710, "AAPL", true), "", 1, 0, 0);
}

/* Row 41 tells of the displacement, and the journal goes back to before it, or to behind it. */
Test(displacing, what_a_lost_journal_knew_binds_nobody) {
    enum { LOST_AT = T0 + 3800 };
    static const struct {
        int64_t next_row;
        const char *broken;
    } rows[] = {{1, ""}, {41, ""}, {42, "displacement_is_earned"}, {44, "displacement_is_earned"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int is_bought = 0; is_bought < 2; is_bought++) {
            struct oracle *oracle = holding();
            kept_out(oracle, T0 + 3700, "MAX_POSITIONS", "MSFT");
            row_at(oracle, T0 + 3700, 41, "displaced", "AAPL", "{\"for\":\"MSFT\"}");
            closed(oracle, T0 + 3700, "AAPL", "MSFT");
            row_at(oracle, T0 + 3700, 42, "note", "AAPL", "{}");
            row_at(oracle, T0 + 3700, 43, "note", "AAPL", "{}");
            if (rows[i].next_row < 44) {
                word(oracle, EVENT_OPERATOR, LOST_AT, "edit_document", "");
            }
            row_at(oracle, LOST_AT, rows[i].next_row, "start", "", "{}");
            if (is_bought) {
                order_leaves(oracle, T0 + 3900, "buy", "AAPL", "st-2023-11-15-2");
            } else {
                tick(oracle, T0 + 3900);
                kept_out(oracle, T0 + 3900, "MAX_POSITIONS", "MSFT");
                closed(oracle, T0 + 3900, "TSLA", "MSFT");
            }
            expect(oracle, rows[i].broken, rows[i].next_row < 44); /* the row, too */
        }
    }
}
