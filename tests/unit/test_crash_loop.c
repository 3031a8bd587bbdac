/* test_crash_loop.c - how many unclean starts and failed ticks are too many, to the nanosecond; what clocks,
 * clean stops, restarts, clears and a flag do to it. */
#include "core/risk/crash_loop_freeze.h"
#include "core/state/state_file.h"
#include "tests/unit/risk_rig.h"

#include <stdlib.h>

struct fixture {
    struct risk_rig risk;
    struct crash_loop loop;
};

static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    risk_rig_open(&fixture->risk);
    return fixture;
}

static void destroy(struct fixture *fixture) {
    risk_rig_close(&fixture->risk);
    free(fixture);
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct fixture *fixture = context;
    crash_loop_take(&fixture->loop, row);
    return causes_fold(&fixture->risk.causes, row, err);
}

/* What a process knows goes; what the journal knows it reads. */
static void forget_and_fold(struct fixture *fixture) {
    risk_rig_forget(&fixture->risk);
    fixture->loop = (struct crash_loop){0};
    cr_assert_eq(journal_read(fixture->risk.rig->journal, 0, fold, fixture, NULL), ERR_OK);
}

static void begin(struct fixture *fixture) {
    forget_and_fold(fixture);
    crash_loop_look(&fixture->loop, &fixture->risk.causes);
    cr_assert_eq(
        crash_loop_start(&fixture->loop, &fixture->risk.config, &fixture->risk.causes, "b", NULL),
        ERR_OK);
    crash_loop_show(&fixture->loop, &fixture->risk.causes);
}

static void row(struct fixture *fixture, const char *kind, const char *key, const char *body) {
    cr_assert_eq(journal_append(fixture->risk.rig->journal, kind, key, body, NULL, NULL), ERR_OK);
    cr_assert_eq(journal_commit(fixture->risk.rig->journal, NULL), ERR_OK);
}

static void stop(struct fixture *fixture) {
    row(fixture, "stop", "clean", "{}");
}

static void pass(struct fixture *fixture, struct span span) {
    virtual_clock_advance(fixture->risk.rig->clock, span);
}

static bool is_latched(const struct fixture *fixture) {
    return causes_has(&fixture->risk.causes, "crash_loop_freeze");
}

static bool has_flag(const struct fixture *fixture) {
    struct text content = {0};
    enum err_code code =
        state_file_read(fixture->risk.rig->world.disk, CRASH_LOOP_FLAG, 4096, &content, NULL);
    text_release(&content);
    return code != ERR_NOT_FOUND;
}

static void clear(struct fixture *fixture) {
    cr_assert_eq(crash_loop_remove_flag(&fixture->loop, &fixture->risk.causes, NULL), ERR_OK);
    cr_assert_eq(causes_clear(&fixture->risk.causes, "crash_loop_freeze", "ann", "seen", NULL),
                 ERR_OK);
    crash_loop_take(
        &fixture->loop,
        &(struct journal_row){.kind = "latch_clear", .key = "crash_loop_freeze", .body = "{}"});
}

/* The first start, which is clean, and n behind it that are not. */
static void crash(struct fixture *fixture, int n, struct span apart) {
    begin(fixture);
    for (int i = 0; i < n; i++) {
        pass(fixture, apart);
        begin(fixture);
    }
}

Test(crash_loop, the_fifth_unclean_start_latches_and_not_the_fourth) {
    for (int n = 4; n <= 6; n++) {
        struct fixture *fixture = create();
        crash(fixture, n, SPAN_S(30));
        cr_expect_eq(is_latched(fixture), n >= 5, "%d", n);
        cr_expect_eq(has_flag(fixture), n >= 5, "%d", n);
        cr_expect_eq(fixture->risk.rig->pages, n >= 5, "%d pages", fixture->risk.rig->pages);
        cr_expect_eq(causes_mode(&fixture->risk.causes), n >= 5 ? MODE_REDUCE_ONLY : MODE_NORMAL);
        destroy(fixture);
    }
}

Test(crash_loop, five_within_the_window_to_the_nanosecond) {
    for (int late = 0; late < 2; late++) {
        struct fixture *fixture = create();
        fixture->risk.config.crash_window = SPAN_S(120);
        crash(fixture, 4, SPAN_S(30)); /* the four span 90 s */
        pass(fixture, (struct span){SPAN_S(30).ns - 1 + late});
        begin(fixture);
        cr_expect_eq(is_latched(fixture), !late);
        destroy(fixture);
    }
}

Test(crash_loop, the_limit_is_the_configurations) {
    static const int64_t limits[] = {1, 2, 100};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        for (int missing = 0; missing < 2; missing++) {
            struct fixture *fixture = create();
            fixture->risk.config.crash_starts = limits[i];
            crash(fixture, (int)limits[i] - missing, SPAN_MS(10));
            cr_expect_eq(is_latched(fixture), !missing, "%d", (int)limits[i]);
            destroy(fixture);
        }
    }
}

Test(crash_loop, clean_stops_never_count_however_many) {
    struct fixture *fixture = create();
    crash(fixture, 4, SPAN_S(1));
    for (int i = 0; i < 20; i++) {
        stop(fixture);
        pass(fixture, SPAN_S(1));
        begin(fixture);
    }
    cr_expect_not(is_latched(fixture));
    pass(fixture, SPAN_S(1));
    begin(fixture); /* but they do not pardon what crashed either */
    cr_expect(is_latched(fixture));
    destroy(fixture);
}

/* The wall moves as it likes: within a boot the monotonic clock decides, from one to another a wall that was
 * set back is no time at all, and one that went on is believed. */
Test(crash_loop, a_wall_that_was_set_hides_no_loop) {
    static const struct {
        const char *name;
        int64_t step_s; /* between any two starts */
        bool has_boots, is_latched;
    } rows[] = {
        {"set forward", 3600, false, true},
        {"set back", -3600, false, true},
        {"booted", 0, true, true},
        {"booted, set back", -3600, true, true},
        {"booted, an hour on", 3600, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        begin(fixture);
        for (int start = 1; start <= 5; start++) {
            pass(fixture, SPAN_S(30));
            virtual_clock_set_offset(fixture->risk.rig->clock, SPAN_S(start * rows[i].step_s));
            if (rows[i].has_boots) {
                virtual_clock_reboot(fixture->risk.rig->clock);
            }
            begin(fixture);
        }
        cr_expect_eq(is_latched(fixture), rows[i].is_latched, "%s", rows[i].name);
        destroy(fixture);
    }
}

Test(crash_loop, holds_over_restarts_and_the_window_until_an_operator_ends_it) {
    struct fixture *fixture = create();
    crash(fixture, 5, SPAN_S(30));
    stop(fixture);
    pass(fixture, SPAN_DAYS(3));
    begin(fixture);
    cr_expect(is_latched(fixture));
    cr_expect(has_flag(fixture));
    clear(fixture);
    cr_expect_not(has_flag(fixture));
    for (int i = 0; i < 4; i++) { /* the counts begin anew */
        begin(fixture);
        cr_expect_not(is_latched(fixture));
    }
    begin(fixture);
    cr_expect(is_latched(fixture));
    destroy(fixture);
}

/* The row is there, the latch is not: that life died between the two. */
Test(crash_loop, a_life_that_died_over_its_latch_leaves_it_due) {
    for (int is_due = 0; is_due < 2; is_due++) {
        struct fixture *fixture = create();
        begin(fixture);
        row(fixture, "start", "b",
            is_due ? "{\"boot\":\"b\",\"mono\":\"1\",\"due\":true}"
                   : "{\"boot\":\"b\",\"mono\":\"1\",\"due\":false}");
        pass(fixture, SPAN_HOURS(5));
        begin(fixture);
        cr_expect_eq(is_latched(fixture), is_due);
        destroy(fixture);
    }
}

Test(crash_loop, rows_that_say_nothing_or_nonsense_count_by_the_wall) {
    static const char *const bodies[] = {"{}",
                                         "",
                                         "[1,2]",
                                         "{\"boot\":7,\"mono\":\"x\"}",
                                         "{\"boot\":\"b\"}",
                                         "{\"boot\":\"b\",\"mono\":\"-9000000000\"}",
                                         "{\"boot\":\"b\",\"mono\":\"9000000000\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fixture *fixture = create();
        for (int start = 0; start < 5; start++) {
            struct journal_row start_row = {.at = clock_utc(fixture->risk.rig->world.clock),
                                            .kind = "start",
                                            .key = "b",
                                            .body = bodies[i]};
            crash_loop_take(&fixture->loop, &start_row);
            pass(fixture, SPAN_S(10));
        }
        cr_assert_eq(crash_loop_start(&fixture->loop, &fixture->risk.config, &fixture->risk.causes,
                                      "b", NULL),
                     ERR_OK);
        cr_expect(is_latched(fixture), "%s", bodies[i]);
        destroy(fixture);
    }
}

Test(crash_loop, a_start_that_cannot_be_journaled_is_none) {
    struct fixture *fixture = create();
    begin(fixture);
    journal_close(fixture->risk.rig->journal);
    sim_disk_destroy(fixture->risk.rig->disk);
    fixture->risk.rig->disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_KIND), NULL);
    fixture->risk.rig->world.disk = sim_disk_port(fixture->risk.rig->disk, 0);
    rig_open_journal(fixture->risk.rig); /* another directory: nothing was ever started here */
    fixture->risk.causes.journal = fixture->risk.rig->journal;
    begin(fixture);
    cr_expect_eq(fixture->loop.starts.count, 0);
    cr_expect_eq(journal_last_seq(fixture->risk.rig->journal), 1);
    destroy(fixture);
}

/* --- ticks --- */

static void fail_ticks(struct fixture *fixture, int n) {
    for (int i = 0; i < n; i++) {
        crash_loop_tick(&fixture->loop, &fixture->risk.config, &fixture->risk.causes, "no room");
        pass(fixture, SPAN_S(5));
    }
}

Test(crash_loop, the_fifth_failed_tick_latches_good_ones_between_them_or_not) {
    for (int n = 4; n <= 5; n++) {
        struct fixture *fixture = create();
        begin(fixture);
        fail_ticks(fixture, 2);
        for (int i = 0; i < 20; i++) {
            crash_loop_tick(&fixture->loop, &fixture->risk.config, &fixture->risk.causes, NULL);
            pass(fixture, SPAN_S(5));
        }
        fail_ticks(fixture, n - 2);
        cr_expect_eq(is_latched(fixture), n == 5);
        destroy(fixture);
    }
}

Test(crash_loop, failed_ticks_count_within_the_window_alone) {
    for (int late = 0; late < 2; late++) {
        struct fixture *fixture = create();
        begin(fixture);
        fail_ticks(fixture, 4);
        pass(fixture, (struct span){SPAN_S(580).ns - 1 + late});
        fail_ticks(fixture, 1);
        cr_expect_eq(is_latched(fixture), !late);
        destroy(fixture);
    }
}

Test(crash_loop, failed_ticks_outlive_their_process_and_are_no_starts) {
    struct fixture *fixture = create();
    crash(fixture, 3, SPAN_S(1));
    fail_ticks(fixture, 3);
    begin(fixture); /* four starts, three ticks */
    cr_expect_not(is_latched(fixture));
    fail_ticks(fixture, 1);
    cr_expect_not(is_latched(fixture));
    fail_ticks(fixture, 1);
    cr_expect(is_latched(fixture));
    destroy(fixture);
}

Test(crash_loop, what_fails_under_the_latch_is_not_journaled_again_and_again) {
    struct fixture *fixture = create();
    begin(fixture);
    fail_ticks(fixture, 5);
    cr_assert(is_latched(fixture));
    int64_t rows = journal_last_seq(fixture->risk.rig->journal);
    fail_ticks(fixture, 50);
    cr_expect_eq(journal_last_seq(fixture->risk.rig->journal), rows);
    destroy(fixture);
}

/* --- the flag --- */

static void put_flag(struct fixture *fixture, const char *content) {
    sim_disk_write_raw(fixture->risk.rig->disk, CRASH_LOOP_FLAG, content, strlen(content));
}

Test(crash_loop, a_flag_that_is_there_at_the_start_binds_whatever_it_says) {
    static char large[8000];
    memset(large, 'x', sizeof large - 1);
    const char *const contents[] = {"too_many_failures\n", "", "{}", "false", large};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct fixture *fixture = create();
        put_flag(fixture, contents[i]);
        begin(fixture);
        cr_expect(is_latched(fixture), "%.20s", contents[i]);
        cr_expect(has_flag(fixture));
        clear(fixture);
        cr_expect_not(has_flag(fixture));
        stop(fixture);
        begin(fixture);
        cr_expect_not(is_latched(fixture), "%.20s", contents[i]);
        destroy(fixture);
    }
}

Test(crash_loop, a_flag_that_is_taken_away_ends_nothing) {
    struct fixture *fixture = create();
    crash(fixture, 5, SPAN_S(30));
    sim_disk_remove_raw(fixture->risk.rig->disk, CRASH_LOOP_FLAG);
    stop(fixture);
    begin(fixture);
    cr_expect(is_latched(fixture));
    cr_expect(has_flag(fixture), "and it is shown again");
    destroy(fixture);
}

Test(crash_loop, without_the_cause_no_flag_is_written) {
    struct fixture *fixture = create();
    crash(fixture, 4, SPAN_S(30));
    crash_loop_show(&fixture->loop, &fixture->risk.causes);
    cr_expect_not(has_flag(fixture));
    cr_expect_eq(crash_loop_remove_flag(&fixture->loop, &fixture->risk.causes, NULL), ERR_OK,
                 "a resume of what is not set finds none");
    destroy(fixture);
}
