/* test_health.c - ladders of health_supervisor: when a step is due to the nanosecond, what counts as healed, and the log
 * that was moved. */
#include "core/health/health_supervisor.h"
#include "tests/unit/rig.h"

static const struct mono START = {INT64_C(1000000000000)};

static struct mono after(struct span span) {
    return mono_add(START, span);
}

static struct health_row broker(void) {
    const struct config config = config_defaults();
    return health_row_of(HEALTH_BROKER, &config);
}

/* Ailing from START until then, looked at once more there. */
static enum health_step next_at(struct health_state *state, struct span span) {
    const struct health_row row = broker();
    (void)health_note(state, HEALTH_AILING, after(span));
    return health_next(state, &row, after(span));
}

Test(health, every_check_has_a_word_and_a_ladder_that_climbs) {
    const struct config config = config_defaults();
    for (int i = 0; i < HEALTH_CHECK_COUNT; i++) {
        const struct health_row row = health_row_of((enum health_check)i, &config);
        cr_expect_eq(row.check, i);
        cr_expect_gt(strlen(health_check_word(row.check)), 0);
        cr_assert(row.rung_count > 0 && row.rung_count <= HEALTH_RUNGS_MAX);
        for (size_t r = 1; r < row.rung_count; r++) {
            cr_expect_geq(row.rungs[r].step, row.rungs[r - 1].step, "%s",
                          health_check_word(row.check));
        }
    }
    cr_expect_str_eq(health_step_word(HEALTH_ALERT), "alert");
}

Test(health, a_fresh_connection_is_due_at_its_time_and_not_a_nanosecond_before) {
    struct health_state state = {0};
    cr_expect_eq(next_at(&state, SPAN_S(0)), HEALTH_NOTHING);
    cr_expect_eq(next_at(&state, (struct span){SPAN_S(10).ns - 1}), HEALTH_NOTHING);
    cr_expect_eq(next_at(&state, SPAN_S(10)), HEALTH_RECONNECT);
    cr_expect_eq(next_at(&state, SPAN_S(10)), HEALTH_NOTHING);
}

Test(health, what_did_not_help_is_tried_again_and_counted_as_failed) {
    struct health_state state = {0};
    (void)next_at(&state, SPAN_S(0));
    cr_expect_eq(next_at(&state, SPAN_S(12)), HEALTH_RECONNECT);
    cr_expect_eq(state.failed, 0);
    cr_expect_eq(next_at(&state, SPAN_S(13)), HEALTH_NOTHING);
    cr_expect_eq(state.failed, 1);
    cr_expect_eq(next_at(&state, (struct span){SPAN_S(72).ns - 1}), HEALTH_NOTHING);
    cr_expect_eq(next_at(&state, SPAN_S(72)), HEALTH_RECONNECT);
    cr_expect_eq(health_note(&state, HEALTH_WELL, after(SPAN_S(73))), HEALING_HELPED);
    cr_expect_eq(state.healed, 1);
    cr_expect_eq(state.failed, 1);
}

Test(health, nothing_is_healed_before_a_check_says_so) {
    struct health_state state = {0};
    (void)next_at(&state, SPAN_S(0));
    cr_expect_eq(next_at(&state, SPAN_S(10)), HEALTH_RECONNECT);
    cr_expect_eq(health_note(&state, HEALTH_NO_NEWS, after(SPAN_S(11))), HEALING_NONE);
    cr_expect_eq(state.healed, 0);
    cr_expect(state.is_ailing);
    cr_expect_eq(health_note(&state, HEALTH_AILING, after(SPAN_S(12))), HEALING_FAILED);
    cr_expect_eq(health_note(&state, HEALTH_WELL, after(SPAN_S(13))), HEALING_NONE);
    cr_expect_eq(state.healed, 0);
    cr_expect_not(state.is_ailing);
}

Test(health, an_ailment_that_comes_back_begins_at_the_foot_of_its_ladder) {
    struct health_state state = {0};
    (void)next_at(&state, SPAN_S(0));
    cr_expect_eq(next_at(&state, SPAN_S(10)), HEALTH_RECONNECT);
    (void)health_note(&state, HEALTH_WELL, after(SPAN_S(11)));
    cr_expect_eq(next_at(&state, SPAN_S(12)), HEALTH_NOTHING);
    cr_expect_eq(next_at(&state, SPAN_S(21)), HEALTH_NOTHING);
    cr_expect_eq(next_at(&state, SPAN_S(22)), HEALTH_RECONNECT);
}

Test(health, rungs_of_other_mechanisms_are_theirs) {
    const struct config config = config_defaults();
    const struct health_row row = health_row_of(HEALTH_JOURNAL, &config);
    struct health_state state = {0};
    (void)health_note(&state, HEALTH_AILING, START);
    cr_expect_eq(health_next(&state, &row, after(SPAN_HOURS(9))), HEALTH_NOTHING);
}

Test(health, a_check_is_due_at_its_interval_and_none_makes_it_so) {
    const struct config config = config_defaults();
    const struct health_row row = health_row_of(HEALTH_LOG, &config);
    struct health_state state = {0};
    cr_expect(health_is_due(&state, &row, START));
    (void)health_note(&state, HEALTH_NO_NEWS, START);
    cr_expect(health_is_due(&state, &row, START));
    (void)health_note(&state, HEALTH_WELL, START);
    cr_expect_not(health_is_due(&state, &row, after((struct span){SPAN_S(60).ns - 1})));
    cr_expect(health_is_due(&state, &row, after(SPAN_S(60))));
}

Test(health, a_log_that_cannot_be_kept_is_a_page_after_ten_minutes_once) {
    const struct config config = config_defaults();
    const struct health_row row = health_row_of(HEALTH_LOG, &config);
    struct health_state state = {0};
    int reopened = 0;
    int alerts = 0;
    for (int minute = 0; minute <= 30; minute++) {
        const struct mono now = after(SPAN_MIN(minute));
        (void)health_note(&state, HEALTH_AILING, now);
        enum health_step step = HEALTH_NOTHING;
        while ((step = health_next(&state, &row, now)) != HEALTH_NOTHING) {
            reopened += step == HEALTH_RECONNECT;
            alerts += step == HEALTH_ALERT;
        }
        cr_expect(alerts == (minute >= 10));
    }
    cr_expect_eq(reopened, 31);
    cr_expect_eq(alerts, 1);
}

/* --- the log --- */

Test(health, a_log_that_was_removed_is_noticed_and_opened_anew) {
    struct rig *rig = rig_create();
    log_line(&rig->log, "one", "");
    cr_expect(log_is_kept(&rig->log));
    cr_assert_eq(disk_remove(rig->world.disk, "log.jsonl", NULL), ERR_OK);
    log_line(&rig->log, "two", "");
    cr_expect_not(log_is_kept(&rig->log));
    log_reopen(&rig->log);
    log_line(&rig->log, "three", "");
    cr_expect(log_is_kept(&rig->log));
    rig_destroy(rig);
}

Test(health, a_log_that_was_moved_and_begun_by_another_is_noticed) {
    struct rig *rig = rig_create();
    struct disk_file other;
    log_line(&rig->log, "one", "");
    cr_assert_eq(disk_rename(rig->world.disk, "log.jsonl", "log.old", NULL), ERR_OK);
    cr_assert_eq(disk_open(rig->world.disk, "log.jsonl", DISK_WRITE | DISK_CREATE, &other, NULL),
                 ERR_OK);
    disk_close(rig->world.disk, other);
    cr_expect_not(log_is_kept(&rig->log));
    log_reopen(&rig->log);
    log_line(&rig->log, "two", "");
    cr_expect(log_is_kept(&rig->log));
    rig_destroy(rig);
}
