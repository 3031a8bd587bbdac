/* test_judges_clocks.c - the judge of clock_guard, at its edges: readings more than 2 s off, steps of more
 * than 1 s, boots, restarts, and a cooldown of 60 s. */
#include "tests/unit/stream.h"

struct run {
    struct oracle *oracle;
    int64_t seq;
    int64_t now; /* second of the next tick; one each five */
};

static struct run begin(void) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    frame(run.oracle, "clock.agreement_s", "2");
    frame(run.oracle, "clock.step_s", "1");
    frame(run.oracle, "risk.symbol_cooldown_s", "60");
    return run;
}

static void row_of(struct run *run, const char *kind, const char *key, const char *body) {
    row_at(run->oracle, run->now, run->seq++, kind, key, body);
}

static void doubts(struct run *run) {
    body_of(run->oracle, EVENT_MECHANISM, run->now, "clock_guard", "acted",
            "\"cause\":\"clock_guard\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    row_of(run, "clock", "doubted", "{}");
}

static void agrees(struct run *run) {
    body_of(run->oracle, EVENT_MECHANISM, run->now, "clock_guard", "released",
            "\"cause\":\"clock_guard\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    row_of(run, "clock", "agrees", "{}");
}

/* Up to `ready`; what is doubted in the start is doubted before its row. */
static void starts(struct run *run, const char *boot, bool is_doubted) {
    char body[64];
    snprintf(body, sizeof body, "{\"boot\":\"%s\",\"mono\":\"1\"}", boot);
    if (is_doubted) {
        doubts(run);
    }
    row_of(run, "start", "build", body);
    word(run->oracle, EVENT_START, run->now, "ready", "");
}

static void dies(struct run *run) {
    word(run->oracle, EVENT_STOP, run->now, "dead", "");
}

static void sets_wall(struct run *run, const char *seconds) {
    word(run->oracle, EVENT_FAULT, run->now, "clock.step", "wall");
    frame(run->oracle, "wall", seconds);
}

/* GET /v2/clock, sent at the tick's second and answered so much later by a clock that is ahead of true time. */
static void reads_after(struct run *run, int64_t ahead_s, int64_t trip_s, int status) {
    char stamp[UTC_TEXT_MAX], body[256];
    leaves(run->oracle, run->now, "GET", "/v2/clock", "");
    run->now += trip_s;
    utc_print(at(run->now + ahead_s), stamp);
    snprintf(body, sizeof body,
             "\n{\"timestamp\":\"%s\",\"is_open\":true,\"next_open\":\"2030-01-02T14:30:00Z\","
             "\"next_close\":\"2030-01-02T21:00:00Z\"}",
             stamp);
    answer(run->oracle, run->now, "/v2/clock", status, body);
}

static void reads(struct run *run, int64_t ahead_s) {
    reads_after(run, ahead_s, 0, 200);
}

static void ends(struct run *run) {
    word(run->oracle, EVENT_TICK, run->now, "tick", "");
    run->now += 5;
}

/* Whole ticks with a reading each. */
static void ticks(struct run *run, int count, int64_t ahead_s) {
    for (int i = 0; i < count; i++) {
        reads(run, ahead_s);
        ends(run);
    }
}

/* A day on which everything agrees so far. */
static struct run day(void) {
    struct run run = begin();
    starts(&run, "b", false);
    ticks(&run, 6, 0);
    return run;
}

/* broken: a part of the finding, "" for none. */
static void expect_clocks(struct run *run, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"clock_doubt_is_due\"") != NULL;
    cr_expect_eq(is_broken, broken[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), broken), "%s", text_get(&verdict));
    expect_score_of(&verdict, "clock_guard", score);
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

#define IGNORED "no doubt by the end of the tick"
#define STEPPED "the wall stepped by"
#define RIGHT "the wall is right"
#define ACTED "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,\"risky\":0"
#define ACTED_ON_TRUTH "\"due\":0,\"acted\":1,\"missed\":0,\"unfounded\":0,\"risky\":0"

Test(judges_clocks, two_readings_that_differ_are_doubted_by_the_end_of_the_tick) {
    struct run run = day();
    reads(&run, 3);
    ends(&run);
    reads(&run, 3);
    doubts(&run);
    ends(&run);
    expect_clocks(&run, "", ACTED);
    run = day();
    ticks(&run, 2, 3);
    expect_clocks(&run, IGNORED, "\"missed\":1");
    run = day();
    ticks(&run, 2, -3);
    expect_clocks(&run, IGNORED, "\"missed\":1");
}

Test(judges_clocks, one_reading_two_directions_and_exactly_two_seconds_are_no_reason) {
    static const int64_t rows[][4] = {{3, 0, 3, 0}, {3, -3, 3, -3}, {2, 2, 2, 2}, {-2, -2, -2, -2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int is_acting = 0; is_acting < 2; is_acting++) {
            struct run run = day();
            for (size_t k = 0; k < 4; k++) {
                reads(&run, rows[i][k]);
                if (k == 3 && is_acting) {
                    doubts(&run);
                }
                ends(&run);
            }
            expect_clocks(&run, is_acting ? RIGHT : "", is_acting ? "\"unfounded\":1" : "");
        }
    }
}

Test(judges_clocks, a_late_doubt_is_missed_first) {
    struct run run = day();
    ticks(&run, 3, 4);
    doubts(&run);
    ends(&run);
    expect_clocks(&run, IGNORED, "\"latency_ms\":10000");
}

Test(judges_clocks, a_reading_that_took_long_or_failed_says_nothing) {
    static const struct {
        int64_t trip_s;
        int status;
    } rows[] = {{3, 200}, {0, 503}, {0, 401}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = day();
        for (int k = 0; k < 5; k++) {
            reads_after(&run, 9, rows[i].trip_s, rows[i].status);
            ends(&run);
        }
        expect_clocks(&run, "", "");
    }
}

Test(judges_clocks, readings_are_held_against_the_wall_and_not_against_true_time) {
    struct run run = day();
    frame(run.oracle, "wall", "2.5"); /* slewed there */
    ticks(&run, 1, 0);
    reads(&run, 0);
    doubts(&run);
    ends(&run);
    expect_clocks(&run, "", "\"acted\":1,\"missed\":0,\"unfounded\":0");
}

Test(judges_clocks, a_step_is_doubted_within_a_tick_or_two) {
    static const char *const steps[] = {"1.2", "-1.2", "600"};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (int is_acting = 0; is_acting < 2; is_acting++) {
            struct run run = day();
            sets_wall(&run, steps[i]);
            if (is_acting) {
                doubts(&run);
            }
            ends(&run);
            ends(&run);
            expect_clocks(&run, is_acting ? "" : STEPPED,
                          is_acting ? ACTED_ON_TRUTH : "\"missed\":1");
        }
    }
}

Test(judges_clocks, a_second_is_no_step_and_neither_is_one_that_came_and_went_between_two_looks) {
    struct run run = day();
    sets_wall(&run, "1");
    ticks(&run, 4, 0);
    expect_clocks(&run, "", "");
    run = day();
    sets_wall(&run, "1");
    doubts(&run);
    expect_clocks(&run, RIGHT, "\"unfounded\":1");
    run = day();
    sets_wall(&run, "60"); /* a tick ends within it */
    ends(&run);
    frame(run.oracle, "wall", "0");
    ticks(&run, 4, 0);
    expect_clocks(&run, "", "");
}

Test(judges_clocks, a_doubt_that_nothing_explains_is_unfounded) {
    struct run run = day();
    doubts(&run);
    ends(&run);
    expect_clocks(&run, RIGHT, "\"unfounded\":1");
}

Test(judges_clocks, a_new_boot_is_doubted_before_the_core_is_ready) {
    for (int is_doubted = 0; is_doubted < 2; is_doubted++) {
        for (int is_new = 0; is_new < 2; is_new++) {
            struct run run = day();
            dies(&run);
            starts(&run, is_new ? "c" : "b", is_doubted);
            expect_clocks(&run,
                          is_new == is_doubted ? ""
                          : is_new             ? "no doubt at a new boot"
                                               : "nothing was doubted before",
                          is_new && is_doubted ? ACTED
                          : is_new             ? "\"missed\":1"
                                               : "");
        }
    }
}

Test(judges_clocks, a_doubt_outlives_its_process_until_a_row_ends_it) {
    for (int is_ended = 0; is_ended < 2; is_ended++) {
        for (int is_doubted = 0; is_doubted < 2; is_doubted++) {
            struct run run = day();
            ticks(&run, 1, 3);
            reads(&run, 3);
            doubts(&run);
            ends(&run);
            ticks(&run, 1, 0);
            reads(&run, 0);
            if (is_ended) {
                agrees(&run);
            }
            dies(&run);
            starts(&run, "b", is_doubted);
            expect_clocks(&run,
                          is_ended != is_doubted ? ""
                          : is_ended             ? "nothing was doubted before"
                                                 : "no doubt at a start that found it",
                          "");
        }
    }
}

Test(judges_clocks, a_journal_that_went_back_demands_nothing_of_a_start) {
    for (int is_doubted = 0; is_doubted < 2; is_doubted++) {
        struct run run = day();
        dies(&run);
        run.seq = 1;
        starts(&run, "c", is_doubted);
        expect_clocks(&run, "", "");
    }
}

Test(judges_clocks, a_start_that_could_not_compare_is_doubted_by_the_end_of_its_first_tick) {
    for (int is_doubted = 0; is_doubted < 2; is_doubted++) {
        struct run run = begin();
        starts(&run, "b", false);
        reads_after(&run, 0, 0, 503);
        if (is_doubted) {
            doubts(&run);
        }
        ends(&run);
        expect_clocks(&run, is_doubted ? "" : "none agrees since the start",
                      is_doubted ? ACTED : "\"missed\":1");
    }
}

static struct run doubtful(void) {
    struct run run = day();
    ticks(&run, 1, 3);
    reads(&run, 3);
    doubts(&run);
    ends(&run);
    return run;
}

Test(judges_clocks, an_end_of_doubt_that_nobody_was_told_is_an_end_for_every_later_start) {
    struct run run = doubtful();
    dies(&run);
    run.seq++; /* "agrees", durable, and its writer did not live to tell */
    for (int life = 0; life < 2; life++) {
        starts(&run, "b", false);
        dies(&run);
    }
    expect_clocks(&run, "", "");
}

Test(judges_clocks, doubt_ends_behind_two_readings_that_agree_and_nothing_less) {
    static const struct {
        int64_t readings[3];
        bool is_legal;
    } rows[] = {{{3, 0, 0}, true},
                {{0, 0, 0}, true},
                {{3, 3, 0}, false},
                {{0, 3, 0}, false},
                {{3, 3, 3}, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = doubtful();
        ticks(&run, 1, rows[i].readings[0]);
        ticks(&run, 1, rows[i].readings[1]);
        reads(&run, rows[i].readings[2]);
        agrees(&run);
        expect_clocks(&run, rows[i].is_legal ? "" : "the doubt ends behind", "");
    }
    struct run run = doubtful();
    run.now += 86400; /* no time is a reason */
    agrees(&run);
    expect_clocks(&run, "ends behind 0 readings", "");
}

Test(judges_clocks, doubt_that_does_not_end_in_a_calm_session_is_told) {
    struct run run = doubtful(); /* 2023-11-14 17:13 New York: no session */
    ticks(&run, 60, 0);
    expect_clocks(&run, "", "");
    run = doubtful();
    run.now += 20 * 3600;
    ticks(&run, 15, 0); /* eight of before are calm too */
    word(run.oracle, EVENT_FAULT, run.now, "api.500", "GET /v2/calendar");
    ticks(&run, 23, 0);
    expect_clocks(&run, "", "");
    run = doubtful();
    run.now += 20 * 3600;
    ticks(&run, 30, 0);
    expect_clocks(&run, "still in doubt behind", "");
}

Test(judges_clocks, a_buy_in_doubt_is_risky_and_an_exit_is_not) {
    struct run run = doubtful();
    order_leaves(run.oracle, run.now, "sell", "AAPL", "st-2023-11-14-1");
    order_leaves(run.oracle, run.now, "buy", "MSFT", "st-2023-11-14-2");
    expect_clocks(&run, "", "\"risky\":1");
}

Test(judges_clocks, a_cooldown_that_began_in_doubt_runs_from_its_end) {
    static const struct {
        const char *symbol;
        int64_t after_s;
        bool is_legal;
    } rows[] = {{"AAPL", 30, false}, {"AAPL", 54, false}, {"AAPL", 60, true}, {"MSFT", 0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = doubtful();
        order_leaves(run.oracle, run.now, "sell", "AAPL", "st-2023-11-14-1");
        run.now += 600;
        ticks(&run, 1, 0);
        reads(&run, 0);
        agrees(&run);
        order_leaves(run.oracle, run.now + rows[i].after_s, "buy", rows[i].symbol,
                     "st-2023-11-14-2");
        expect_clocks(&run, rows[i].is_legal ? "" : "cooldown of an order in doubt", "");
    }
}

Test(judges_clocks, a_run_without_the_limits_is_not_judged) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    starts(&run, "b", false);
    ticks(&run, 3, 9);
    doubts(&run);
    expect_clocks(&run, "", "");
}
