/* test_judges_crashes.c - the judge of crash_loop_freeze, at its edges: three unclean starts, or three failed
 * ticks, within a minute. */
#include "tests/unit/stream.h"

struct run {
    struct oracle *oracle;
    int64_t seq;
};

static struct run begin(void) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    frame(run.oracle, "engine.crash_starts", "3");
    frame(run.oracle, "engine.crash_ticks", "3");
    frame(run.oracle, "engine.crash_window_s", "60");
    return run;
}

static void next_row(struct run *run, int64_t second, const char *kind, const char *key,
                     const char *body) {
    row_at(run->oracle, second, run->seq++, kind, key, body);
}

static void start(struct run *run, int64_t second, const char *boot) {
    char body[64];
    snprintf(body, sizeof body, "{\"boot\":\"%s\",\"mono\":\"1\"}", boot);
    next_row(run, second, "start", "build", body);
    word(run->oracle, EVENT_START, second, "ready", "");
}

static void ends(struct run *run, int64_t second, const char *how) {
    word(run->oracle, EVENT_STOP, second, how, "");
}

/* Dies, and is there again at once. */
static void crashes(struct run *run, int64_t second) {
    ends(run, second, "dead");
    start(run, second, "b");
}

static void tick(struct run *run, int64_t second) {
    word(run->oracle, EVENT_TICK, second, "tick", "");
}

static void acts(struct run *run, int64_t second, const char *by) {
    char body[160];
    snprintf(body, sizeof body,
             "\"cause\":\"crash_loop_freeze\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,\"by\":"
             "\"%s\"",
             by);
    body_of(run->oracle, EVENT_MECHANISM, second, "crash_loop_freeze", "acted", body);
    word(run->oracle, EVENT_MODE, second, "REDUCE_ONLY", "NORMAL");
}

static void fails(struct run *run, int64_t second) {
    body_of(run->oracle, EVENT_MECHANISM, second, "crash_loop_freeze", "warned", "\"why\":\"x\"");
}

static void disk_fails(struct run *run) {
    word(run->oracle, EVENT_FAULT, 0, "disk.eio", "write journal.db-wal");
}

/* broken: a part of the finding, "" for none. */
static void expect_crashes(struct run *run, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"crash_loops_are_latched\"") != NULL;
    cr_expect_eq(is_broken, broken[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), broken), "%s", text_get(&verdict));
    expect_score_of(&verdict, "crash_loop_freeze", score);
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

#define NOT_LATCHED "not latched by the end of the tick"
#define NOTHING "nothing had crashed"

static struct run three_crashes(int64_t last) {
    struct run run = begin();
    start(&run, 0, "b");
    crashes(&run, 10);
    tick(&run, 10);
    crashes(&run, 20);
    crashes(&run, last);
    return run;
}

Test(crashes, latched_at_the_third_start_holds_and_behind_its_tick_breaks) {
    for (int late = 0; late < 2; late++) {
        struct run run = three_crashes(60);
        if (late) {
            tick(&run, 61);
        }
        acts(&run, 62, "core");
        tick(&run, 63);
        expect_crashes(&run, late ? NOT_LATCHED : "",
                       late ? "\"missed\":1" : "\"due\":1,\"acted\":1,\"missed\":0");
    }
}

Test(crashes, never_latched_is_missed_once) {
    struct run run = three_crashes(60);
    tick(&run, 61);
    tick(&run, 66);
    expect_crashes(&run, NOT_LATCHED, "\"due\":1,\"acted\":0,\"missed\":1");
}

Test(crashes, one_that_the_window_leaves_out_is_no_reason) {
    struct run run = three_crashes(72); /* 62 s behind the first */
    acts(&run, 72, "core");
    tick(&run, 73);
    expect_crashes(&run, NOTHING, "\"unfounded\":1");
    run = three_crashes(72);
    tick(&run, 73);
    expect_crashes(&run, "", "");
}

Test(crashes, clean_stops_are_no_reason) {
    struct run run = begin();
    start(&run, 0, "b");
    for (int i = 1; i < 6; i++) {
        next_row(&run, i, "stop", "clean", "{}");
        ends(&run, i, "clean");
        start(&run, i, "b");
    }
    acts(&run, 6, "core");
    expect_crashes(&run, NOTHING, "\"unfounded\":1");
}

Test(crashes, a_stop_that_no_row_says_is_unclean) {
    struct run run = begin();
    start(&run, 0, "b");
    for (int i = 1; i < 4; i++) {
        ends(&run, i, "clean");
        start(&run, i, "b");
    }
    tick(&run, 4);
    expect_crashes(&run, NOT_LATCHED, "\"missed\":1");
}

/* A life that was refused may have journaled its start, and nobody was told. */
Test(crashes, lives_that_nobody_told_may_be_a_reason_but_need_not) {
    for (int how = 0; how < 3; how++) {
        struct run run = begin();
        start(&run, 0, "b");
        crashes(&run, 10);
        word(run.oracle, EVENT_START, 20, "refused",
             how == 2 ? "the state directory is held by 7" : "journal.db: torn");
        crashes(&run, 30);
        if (how > 0) {
            acts(&run, 30, "core");
        }
        tick(&run, 31);
        expect_crashes(&run, how == 2 ? NOTHING : "", how == 2 ? "\"unfounded\":1" : "");
    }
}

Test(crashes, a_journal_that_went_back_and_a_clear_begin_anew) {
    for (int how = 0; how < 2; how++) {
        struct run run = begin();
        start(&run, 0, "b");
        crashes(&run, 10);
        crashes(&run, 20);
        if (how == 0) {
            next_row(&run, 21, "latch_clear", "crash_loop_freeze", "{}");
        } else {
            run.seq = 2;
        }
        crashes(&run, 30);
        tick(&run, 31);
        expect_crashes(&run, "", "");
    }
}

Test(crashes, a_wall_that_was_set_is_seen_through_within_a_boot) {
    for (int boots = 0; boots < 2; boots++) {
        struct run run = begin();
        frame(run.oracle, "engine.crash_window_s", "600");
        start(&run, 0, "b");
        word(run.oracle, EVENT_FAULT, 0, "clock.step", "wall");
        for (int i = 1; i < 4; i++) {
            ends(&run, i, "dead"); /* by the stage's clock; the rows are an hour apart */
            start(&run, i + (int64_t)3600 * i, boots ? "another" : "b");
        }
        tick(&run, 4);
        expect_crashes(&run, boots ? "" : NOT_LATCHED, "");
    }
}

Test(crashes, three_failed_ticks_are_latched_and_two_are_no_reason) {
    for (int n = 2; n < 4; n++) {
        for (int acted = 0; acted < 2; acted++) {
            struct run run = begin();
            disk_fails(&run);
            start(&run, 0, "b");
            for (int i = 1; i <= n; i++) {
                fails(&run, i);
            }
            if (acted) {
                acts(&run, n, "core");
            }
            tick(&run, n);
            expect_crashes(&run,
                           n == 3 && !acted  ? NOT_LATCHED
                           : n == 2 && acted ? NOTHING
                                             : "",
                           "");
        }
    }
}

Test(crashes, ticks_of_a_life_that_wrote_no_row_are_gone_with_it) {
    for (int told = 0; told < 2; told++) {
        struct run run = begin();
        disk_fails(&run);
        start(&run, 0, "b");
        for (int i = 1; i < 3; i++) {
            fails(&run, i);
            if (told) {
                next_row(&run, i, "tick_failed", "", "{}");
            }
        }
        crashes(&run, 3);
        fails(&run, 4);
        tick(&run, 4);
        expect_crashes(&run, told ? NOT_LATCHED : "", "");
    }
}

Test(crashes, a_death_in_the_tick_that_made_it_due_leaves_nothing_to_latch) {
    for (int is_dead = 0; is_dead < 2; is_dead++) {
        struct run run = begin();
        disk_fails(&run);
        start(&run, 0, "b");
        for (int64_t second = 5; second <= 15; second += 5) { /* no row says so */
            fails(&run, second);
        }
        if (is_dead) {
            crashes(&run, 15);
        }
        tick(&run, 16);
        expect_crashes(&run, is_dead ? "" : NOT_LATCHED, "");
    }
}

Test(crashes, a_tick_that_fails_without_a_fault_of_the_disk_is_no_failure) {
    struct run run = begin();
    start(&run, 0, "b");
    word(run.oracle, EVENT_FAULT, 1, "http.refused", "GET /v2/account");
    fails(&run, 2);
    expect_crashes(&run, "nothing was wrong with the disk", "\"unfounded\":1");
}

Test(crashes, a_flag_was_put_there_by_somebody) {
    for (int how = 0; how < 3; how++) {
        struct run run = begin();
        if (how == 1) {
            word(run.oracle, EVENT_OPERATOR, 0, "edit_document", "");
        } else if (how == 2) {
            disk_fails(&run);
        }
        start(&run, 0, "b");
        acts(&run, 0, "flag");
        tick(&run, 1);
        expect_crashes(&run, how == 0 ? "nobody put there" : "", "");
    }
}

Test(crashes, people_and_documents_may_latch_it_for_no_reason_of_ours) {
    struct run run = begin();
    start(&run, 0, "b");
    acts(&run, 0, "ann");
    acts(&run, 0, "document");
    expect_crashes(&run, "", "");
}

/* Held under attempt; that a sale may leave is for others, who say so. */
Test(crashes, a_buy_under_the_latch_is_counted_and_a_sale_is_not) {
    struct run run = three_crashes(30);
    acts(&run, 30, "core");
    order_leaves(run.oracle, 31, "sell", "AAPL", "st-2023-11-14-1");
    order_leaves(run.oracle, 32, "buy", "MSFT", "st-2023-11-14-2");
    tick(&run, 33);
    expect_crashes(&run, "", "\"risky\":1");
}

/* The latch is no excuse for an exit that does not leave. */
Test(crashes, an_exit_that_the_latch_binds_is_found) {
    struct run run = three_crashes(30);
    acts(&run, 30, "core");
    word(run.oracle, EVENT_MODE, 30, "REDUCE_ONLY", "NORMAL");
    phase(run.oracle, 31, "releasing");
    phase(run.oracle, 31, "working");
    tick(&run, 120);
    equity(run.oracle, 120, 100000);
    const char *ids[ORACLE_INVARIANT_COUNT] = {""};
    cr_expect_eq(oracle_broken(run.oracle, ids, ORACLE_INVARIANT_COUNT), 1);
    cr_expect_str_eq(ids[0], "exits_leave");
    oracle_destroy(run.oracle);
}
