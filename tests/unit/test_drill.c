/* test_drill.c - every latch trips at its limit in the shadow and nothing real moves; what does not hold freezes the
 * day; and which drill counts for which day, build and configuration. */
#include "core/orders/drill.h"
#include "core/risk/mechanisms.h"
#include "tests/unit/desk.h"

static struct equity_reading reading_of(const struct desk *desk) {
    return (struct equity_reading){.at = rig_now(desk->rig),
                                   .exchange_day = desk->truth.day,
                                   .is_core_session = true,
                                   .is_trusted = true,
                                   .equity = USD(100000)};
}

static struct drill_report run(struct desk *desk, const struct drill_latch *latches, size_t count) {
    const struct equity_reading reading = reading_of(desk);
    struct drill_report report;
    drill_run(&desk->gateway, &reading, latches, count, &report);
    return report;
}

static struct drill_report run_all(struct desk *desk) {
    size_t count = 0;
    const struct drill_latch *latches = drill_latches(&count);
    struct drill_report report = run(desk, latches, count);
    cr_expect_eq(report.held == count, report.why[0] == '\0', "%s", report.why);
    return report;
}

Test(drill, every_latched_mechanism_is_tried_and_each_cause_once) {
    size_t count = 0;
    size_t latch_count = 0;
    const struct mechanism *all = mechanisms(&count);
    const struct drill_latch *latches = drill_latches(&latch_count);
    for (size_t i = 0; i < count; i++) {
        bool is_tried = all[i].hold != HOLD_LATCHED && all[i].hold != HOLD_WITH_PROCESS;
        for (size_t n = 0; n < latch_count; n++) {
            is_tried |= strcmp(cause_mechanism(latches[n].cause), all[i].id) == 0;
        }
        cr_expect(is_tried, "%s latches and is not drilled", all[i].id);
    }
    for (size_t i = 0; i < latch_count; i++) {
        cr_expect_not_null(mechanism_find(cause_mechanism(latches[i].cause)), "%s",
                           latches[i].cause);
        for (size_t n = 0; n < i; n++) {
            cr_expect_str_neq(latches[i].cause, latches[n].cause);
        }
    }
}

Test(drill, all_hold_at_shipped_defaults_and_nothing_real_moves) {
    struct desk *desk = desk_create();
    const struct account_guards guards = desk->guards;
    const int64_t rows = journal_last_seq(desk->rig->journal);
    struct drill_report report = run_all(desk);
    cr_expect_str_eq(report.why, "");
    cr_expect_not_null(
        strstr(text_get(&report.refused), "\"daily_loss\":\"MODE, mode REDUCE_ONLY\""));
    cr_expect_not_null(strstr(text_get(&report.refused), "\"second_writer\":\"HALT, mode HALT\""));
    drill_conclude(&report, &desk->causes);
    cr_expect_eq(causes_mode(&desk->causes), MODE_NORMAL);
    cr_expect_eq(desk->causes.count, 0);
    cr_expect_eq(memcmp(&guards, &desk->guards, sizeof guards), 0);
    cr_expect_eq(journal_last_seq(desk->rig->journal), rows);
    cr_expect_eq(desk->rig->pages, 0);
    cr_expect_eq(desk->broker.count, 0);
    text_release(&report.refused);
    desk_destroy(desk);
}

Test(drill, all_hold_at_the_edges_of_the_settings) {
    struct desk *desk = desk_create();
    desk->config.daily_loss_usd = USD(100000000);
    desk->config.daily_loss_share = (struct ratio){NANOS};
    desk->config.equity_floor_usd = USD(0);
    desk->config.equity_floor_share = (struct ratio){0};
    desk->config.max_drawdown = (struct ratio){NANOS};
    desk->config.repeats = 16;
    desk->config.kill_rejects = KILL_REJECTS_MAX;
    desk->config.kill_rejects_window = SPAN_S(1);
    desk->config.kill_divergence = false;
    desk->config.crash_ticks = 100;
    struct drill_report report = run_all(desk);
    cr_expect_str_eq(report.why, "");
    text_release(&report.refused);
    desk_destroy(desk);
}

/* As on the first morning: no baseline, no peak, no equity at go-live; or as on a bad one. */
Test(drill, all_hold_whatever_the_guards_remember) {
    struct desk *desk = desk_create();
    desk->guards.baseline_day.days--;
    struct drill_report report = run_all(desk);
    cr_expect_str_eq(report.why, "");
    text_release(&report.refused);
    desk->guards.baseline_day = desk->truth.day;
    desk->guards.has_peak = desk->guards.has_go_live = true;
    desk->guards.peak = USD(180000);
    desk->guards.go_live = USD(90000);
    desk->guards.loss.first_breach = desk->guards.floor.first_breach = rig_now(desk->rig);
    report = run_all(desk);
    cr_expect_str_eq(report.why, "");
    text_release(&report.refused);
    desk_destroy(desk);
}

/* A deposit of the first day: all that there is came in since, and no peak can be known. */
Test(drill, all_hold_on_an_account_that_was_funded_today) {
    struct desk *desk = desk_create();
    size_t count = 0;
    const struct drill_latch *latches = drill_latches(&count);
    struct equity_reading reading = reading_of(desk);
    reading.flows_today = reading.flows_ever = reading.equity;
    desk->guards.baseline_day.days--;
    struct drill_report report;
    drill_run(&desk->gateway, &reading, latches, count, &report);
    cr_expect_str_eq(report.why, "");
    text_release(&report.refused);
    desk_destroy(desk);
}

Test(drill, all_hold_whatever_the_account_is_worth) {
    static const int64_t nanos[] = {1, INT64_C(9000000000) * NANOS};
    for (size_t i = 0; i < sizeof nanos / sizeof nanos[0]; i++) {
        struct desk *desk = desk_create();
        size_t count = 0;
        const struct drill_latch *latches = drill_latches(&count);
        struct equity_reading reading = reading_of(desk);
        struct drill_report report;
        reading.equity.nanos = nanos[i];
        desk->config.volume_day_share = (struct ratio){1000 * NANOS};
        desk->guards.baseline_day.days--;
        drill_run(&desk->gateway, &reading, latches, count, &report);
        cr_expect_str_eq(report.why, "");
        text_release(&report.refused);
        desk_destroy(desk);
    }
}

static void trip_other(struct drill_shadow *shadow, const struct drill_latch *latch) {
    size_t count = 0;
    const struct drill_latch *all = drill_latches(&count);
    (void)latch;
    cr_assert_str_eq(all[0].cause, "operator_freeze");
    all[0].trip(shadow, &all[0]);
}

Test(drill, another_latch_does_not_stand_in) {
    struct desk *desk = desk_create();
    const struct drill_latch latch = {"daily_loss", MODE_REDUCE_ONLY, trip_other};
    struct drill_report report = run(desk, &latch, 1);
    cr_expect_str_eq(report.why, "daily_loss did not latch at its limit");
    text_release(&report.refused);
    desk_destroy(desk);
}

/* A cause that holds does not hide a latch: the shadow begins with none. */
Test(drill, a_core_that_is_frozen_is_drilled_too) {
    struct desk *desk = desk_create();
    causes_latch(&desk->causes, "review", MODE_HALT, "ann", "news");
    struct drill_report report = run_all(desk);
    cr_expect_str_eq(report.why, "");
    cr_expect_eq(desk->causes.count, 1);
    text_release(&report.refused);
    desk_destroy(desk);
}

static void trip_nothing(struct drill_shadow *shadow, const struct drill_latch *latch) {
    (void)shadow, (void)latch;
}

static void expect_frozen(const struct drill_latch *latch, const char *why) {
    struct desk *desk = desk_create();
    struct drill_report report = run(desk, latch, 1);
    cr_expect_str_eq(report.why, why);
    cr_expect_eq(report.held, 0);
    drill_conclude(&report, &desk->causes);
    cr_expect(causes_has(&desk->causes, DRILL_CAUSE));
    cr_expect_eq(causes_mode(&desk->causes), MODE_REDUCE_ONLY);
    cr_expect_eq(desk->rig->pages, 1);
    text_release(&report.refused);
    desk_destroy(desk);
}

Test(drill, a_latch_that_does_not_set_freezes_the_day) {
    expect_frozen(&(struct drill_latch){"daily_loss", MODE_REDUCE_ONLY, trip_nothing},
                  "daily_loss did not latch at its limit");
}

Test(drill, a_latch_that_demands_too_little_freezes_the_day) {
    size_t count = 0;
    const struct drill_latch *all = drill_latches(&count);
    size_t i = 0;
    while (i + 1 < count && strcmp(all[i].cause, "daily_loss") != 0) {
        i++;
    }
    struct drill_latch latch = all[i];
    latch.mode = MODE_HALT;
    expect_frozen(&latch, "daily_loss demands too little");
}

Test(drill, the_first_of_several_faults_is_told_and_the_others_are_tried) {
    struct desk *desk = desk_create();
    size_t count = 0;
    const struct drill_latch mixed[] = {
        {"a", MODE_REDUCE_ONLY, trip_nothing},
        drill_latches(&count)[0],
        {"b", MODE_REDUCE_ONLY, trip_nothing},
    };
    struct drill_report report = run(desk, mixed, 3);
    cr_expect_str_eq(report.why, "a did not latch at its limit");
    cr_expect_eq(report.held, 1);
    text_release(&report.refused);
    desk_destroy(desk);
}

/* --- which one counts --- */

static struct drill_past past_of(const char *key, const char *body) {
    struct drill_past past = {.day = {1}, .build = "b", .config = "c"};
    const struct journal_row row = {.kind = "drill", .key = key, .body = body};
    drill_past_take(&past, &row);
    return past;
}

Test(drill, its_row_is_read_as_it_was_written) {
    struct drill_past now = {.build = "634aecf0", .config = "48ddb763ee0915d7"};
    struct drill_report report = {.refused = {.limit = 256}};
    struct text body = {.limit = 1024};
    cr_assert_eq(date_parse("2022-03-15", &now.day, NULL), ERR_OK);
    text_member_string(&report.refused, "daily_loss", "MODE, mode REDUCE_ONLY");
    drill_print(&report, &now, &body);
    struct drill_past past = past_of("2022-03-15", text_get(&body));
    cr_expect(drill_past_is(&past, &now));
    struct drill_past other = now;
    other.day.days++;
    cr_expect_not(drill_past_is(&past, &other));
    other = now;
    other.config[0] = 'x';
    cr_expect_not(drill_past_is(&past, &other));
    other = now;
    other.build[0] = 'x';
    cr_expect_not(drill_past_is(&past, &other));
    text_release(&report.refused);
    text_release(&body);
}

Test(drill, a_row_that_failed_or_does_not_say_counts_for_nothing) {
    static const char *const bodies[] = {
        "{\"build\":\"b\",\"config\":\"c\",\"failed\":\"daily_loss\"}",
        "{\"build\":\"b\",\"config\":\"c\"}",
        "{\"build\":7,\"config\":\"c\",\"failed\":\"\"}",
        "{\"build\":\"b\",\"config\":\"longer than any hash of ours\",\"failed\":\"\"}",
        "{}",
        "{",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct drill_past past = past_of("2022-03-15", bodies[i]);
        cr_expect_eq(past.day.days, 0, "%s", bodies[i]);
    }
    struct drill_past past =
        past_of("2022-03-32", "{\"build\":\"b\",\"config\":\"c\",\"failed\":\"\"}");
    cr_expect_eq(past.day.days, 0);
}
