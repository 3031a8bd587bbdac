/* test_clock_guard.c - when the wall is in doubt, to the nanosecond, and what ends that: readings of the broker's
 * clock, steps, boots, restarts. */
#include "core/risk/clock_guard.h"
#include "tests/unit/risk_rig.h"

#include <stdlib.h>

struct fixture {
    struct risk_rig risk;
    struct clock_guard guard;
};

static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    risk_rig_open(&fixture->risk);
    clock_guard_start(&fixture->guard, &fixture->risk.causes);
    return fixture;
}

static void destroy(struct fixture *fixture) {
    risk_rig_close(&fixture->risk);
    free(fixture);
}

static bool is_doubted(const struct fixture *fixture) {
    bool is_held = causes_has(&fixture->risk.causes, "clock_guard");
    cr_expect_eq(is_held, fixture->guard.is_on);
    cr_expect_eq(causes_mode(&fixture->risk.causes), is_held ? MODE_REDUCE_ONLY : MODE_NORMAL);
    return is_held;
}

/* The broker's clock is so far ahead of the wall in the middle of the round trip. */
static void read_after(struct fixture *fixture, int64_t ahead_ns, int64_t trip_ns) {
    struct utc wall = clock_utc(fixture->risk.rig->world.clock);
    struct clock_reading reading = {.is_answered = true,
                                    .broker = {wall.ns - trip_ns / 2 + ahead_ns},
                                    .wall = wall,
                                    .round_trip = {trip_ns}};
    clock_guard_judge(&fixture->guard, &fixture->risk.causes, &fixture->risk.config, &reading,
                      true);
}

static void read_ahead(struct fixture *fixture, int64_t ahead_ns) {
    read_after(fixture, ahead_ns, 0);
}

static void read_as(struct fixture *fixture, struct clock_reading reading, bool is_same_day) {
    clock_guard_judge(&fixture->guard, &fixture->risk.causes, &fixture->risk.config, &reading,
                      is_same_day);
}

static void read_nothing(struct fixture *fixture) {
    read_as(fixture, (struct clock_reading){0}, true);
}

static void look(struct fixture *fixture) {
    clock_guard_look(&fixture->guard, &fixture->risk.causes, &fixture->risk.config);
}

static void step_to(struct fixture *fixture, int64_t offset_ns) {
    virtual_clock_set_offset(fixture->risk.rig->clock, (struct span){offset_ns});
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct fixture *fixture = context;
    clock_guard_fold(&fixture->guard, row);
    return causes_fold(&fixture->risk.causes, row, err);
}

/* A start's row, as crash_loop_freeze writes it. */
static void note_start(struct fixture *fixture) {
    char boot[CLOCK_BOOT_MAX], body[96];
    clock_boot_id(fixture->risk.rig->world.clock, boot);
    snprintf(body, sizeof body, "{\"boot\":\"%s\",\"mono\":\"1\"}", boot);
    cr_assert_eq(journal_append(fixture->risk.rig->journal, "start", "b", body, NULL, NULL),
                 ERR_OK);
    cr_assert_eq(journal_commit(fixture->risk.rig->journal, NULL), ERR_OK);
}

static void begin_again(struct fixture *fixture) {
    risk_rig_forget(&fixture->risk);
    fixture->guard = (struct clock_guard){0};
    cr_assert_eq(journal_read(fixture->risk.rig->journal, 0, fold, fixture, NULL), ERR_OK);
    clock_guard_start(&fixture->guard, &fixture->risk.causes);
}

static struct fixture *doubted(void) {
    struct fixture *fixture = create();
    read_ahead(fixture, 0);
    read_ahead(fixture, SPAN_S(5).ns);
    read_ahead(fixture, SPAN_S(5).ns);
    cr_assert(is_doubted(fixture));
    return fixture;
}

Test(clock_guard, two_readings_beyond_two_seconds_are_doubt_to_the_nanosecond) {
    static const struct {
        int64_t ahead_ns;
        bool is_doubt;
    } rows[] = {{0, false},
                {INT64_C(1999999999), false},
                {INT64_C(2000000000), false},
                {INT64_C(2000000001), true},
                {-INT64_C(2000000000), false},
                {-INT64_C(2000000001), true},
                {INT64_C(86400000000000), true},
                {-INT64_C(86400000000000), true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        read_ahead(fixture, 0);
        read_ahead(fixture, rows[i].ahead_ns);
        cr_expect_not(is_doubted(fixture), "one is none: %d", (int)i);
        read_ahead(fixture, rows[i].ahead_ns);
        cr_expect_eq(is_doubted(fixture), rows[i].is_doubt, "%d", (int)i);
        cr_expect_eq(fixture->risk.rig->warnings, rows[i].is_doubt, "%d",
                     fixture->risk.rig->warnings);
        read_ahead(fixture, rows[i].ahead_ns);
        cr_expect_eq(fixture->risk.rig->warnings, rows[i].is_doubt, "told once");
        destroy(fixture);
    }
}

Test(clock_guard, the_limits_are_the_configurations) {
    struct fixture *fixture = create();
    fixture->risk.config.clock_agreement = SPAN_S(7);
    fixture->risk.config.clock_step = SPAN_S(3);
    read_ahead(fixture, SPAN_S(7).ns);
    read_ahead(fixture, SPAN_S(7).ns);
    look(fixture);
    step_to(fixture, SPAN_S(3).ns);
    look(fixture);
    cr_expect_not(is_doubted(fixture));
    step_to(fixture, SPAN_S(3).ns * 2 + 1);
    look(fixture);
    cr_expect(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, readings_in_two_directions_or_with_one_between_are_not_behind_each_other) {
    struct fixture *fixture = create();
    for (int i = 0; i < 6; i++) {
        read_ahead(fixture, SPAN_S(i % 2 == 0 ? 5 : -5).ns);
        if (i == 0) {
            cr_expect(is_doubted(fixture), "none agreed since the start");
        }
    }
    destroy(fixture);
    fixture = create();
    read_ahead(fixture, 0);
    for (int i = 0; i < 6; i++) {
        read_ahead(fixture, SPAN_S(i % 2 == 0 ? 5 : -5).ns);
        cr_expect_not(is_doubted(fixture), "%d", i);
    }
    read_ahead(fixture, 0);
    read_ahead(fixture, SPAN_S(5).ns); /* it jumps once */
    read_ahead(fixture, 0);
    read_ahead(fixture, SPAN_S(5).ns);
    cr_expect_not(is_doubted(fixture));
    read_nothing(fixture); /* says nothing of either */
    read_ahead(fixture, SPAN_S(5).ns);
    cr_expect(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, a_reading_is_known_to_half_its_round_trip) {
    static const struct {
        int64_t ahead_ns, trip_ns;
        bool is_doubt;
    } rows[] = {
        {INT64_C(2500000000), INT64_C(1000000000), false}, /* perhaps 2 s ahead */
        {INT64_C(2500000001), INT64_C(1000000000), true},
        {INT64_C(3000000001), INT64_C(2000000000), true},
        {INT64_C(9000000000), INT64_C(2000000001), false}, /* took too long to say anything */
        {INT64_C(9000000000), INT64_C(3600000000000), false},
        {INT64_C(9000000000), -1, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        read_ahead(fixture, 0);
        read_after(fixture, rows[i].ahead_ns, rows[i].trip_ns);
        read_after(fixture, rows[i].ahead_ns, rows[i].trip_ns);
        cr_expect_eq(is_doubted(fixture), rows[i].is_doubt, "%d", (int)i);
        destroy(fixture);
    }
}

Test(clock_guard, a_start_is_in_doubt_unless_its_first_reading_agrees) {
    static const struct {
        int64_t ahead_ns, trip_ns;
        bool agrees;
    } rows[] = {{0, 0, true},
                {INT64_C(2000000000), 0, true},
                {INT64_C(2000000001), 0, false},
                {INT64_C(1500000000), INT64_C(1000000000), true},
                {INT64_C(1500000001), INT64_C(1000000000), false}, /* perhaps it does */
                {0, INT64_C(2000000000), true},
                {0, INT64_C(2000000001), false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        cr_expect_not(is_doubted(fixture), "nothing was read yet");
        read_after(fixture, rows[i].ahead_ns, rows[i].trip_ns);
        cr_expect_eq(is_doubted(fixture), !rows[i].agrees, "%d", (int)i);
        destroy(fixture);
    }
}

Test(clock_guard, what_is_missing_zero_or_absurd_agrees_with_nothing) {
    struct fixture *fixture = create();
    struct utc wall = clock_utc(fixture->risk.rig->world.clock);
    const struct clock_reading readings[] = {
        {0},
        {.broker = wall, .wall = wall}, /* not answered */
        {.is_answered = true, .wall = wall},
        {.is_answered = true, .broker = {-1}, .wall = wall},
        {.is_answered = true, .broker = wall, .wall = wall, .round_trip = {INT64_MAX}}};
    size_t count = sizeof readings / sizeof readings[0];
    read_ahead(fixture, 0);
    for (size_t i = 0; i < 2 * count; i++) {
        read_as(fixture, readings[i / 2], true);
        cr_expect_not(is_doubted(fixture), "%d: that none comes is not its matter", (int)i);
    }
    destroy(fixture);
    fixture = doubted();
    for (size_t i = 0; i < 4 * count; i++) {
        read_as(fixture, readings[i / 4], true);
        cr_expect(is_doubted(fixture), "%d", (int)i);
    }
    destroy(fixture);
}

Test(clock_guard, a_step_of_more_than_a_second_is_doubt_to_the_nanosecond) {
    static const struct {
        int64_t step_ns;
        bool is_doubt;
    } rows[] = {{0, false},
                {INT64_C(900000000), false},
                {INT64_C(1000000000), false},
                {INT64_C(1000000001), true},
                {-INT64_C(1000000000), false},
                {-INT64_C(1000000001), true},
                {INT64_C(31536000000000000), true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        read_ahead(fixture, 0);
        step_to(fixture, SPAN_HOURS(1).ns); /* before the first look: nothing to compare with */
        look(fixture);
        cr_expect_not(is_doubted(fixture));
        rig_wait(fixture->risk.rig, SPAN_HOURS(17)); /* however long no look was */
        step_to(fixture, SPAN_HOURS(1).ns + rows[i].step_ns);
        look(fixture);
        cr_expect_eq(is_doubted(fixture), rows[i].is_doubt, "%d", (int)i);
        destroy(fixture);
    }
}

/* A process that stands still before it reads the wall. */
struct halting_clock {
    struct clock seam; /* first */
    struct rig *rig;
    struct clock *inner;
    struct span halt;
};

static struct utc halting_utc(struct clock *clock) {
    struct halting_clock *self = (struct halting_clock *)clock;
    rig_wait(self->rig, self->halt);
    return clock_utc(self->inner);
}

static struct mono halting_mono(struct clock *clock) {
    return clock_mono(((struct halting_clock *)clock)->inner);
}

static void halting_boot(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    clock_boot_id(((struct halting_clock *)clock)->inner, out);
}

static void halting_sleep(struct clock *clock, struct span span) {
    clock_sleep(((struct halting_clock *)clock)->inner, span);
}

static const struct clock_ops HALTING = {halting_utc, halting_mono, halting_boot, halting_sleep};

Test(clock_guard, a_process_that_stood_still_between_two_clocks_saw_no_step) {
    struct fixture *fixture = create();
    struct halting_clock clock = {
        {&HALTING}, fixture->risk.rig, fixture->risk.rig->world.clock, {0}};
    fixture->risk.rig->world.clock = &clock.seam;
    read_ahead(fixture, 0);
    look(fixture);
    clock.halt = SPAN_MIN(3);
    look(fixture);
    cr_expect_not(is_doubted(fixture));
    step_to(fixture, SPAN_S(2).ns);
    look(fixture);
    cr_expect_not(is_doubted(fixture), "this look says nothing");
    clock.halt = SPAN_MS(250);
    look(fixture);
    cr_expect(is_doubted(fixture), "and the next sees the step");
    fixture->risk.rig->world.clock = clock.inner;
    destroy(fixture);
}

Test(clock_guard, a_slew_is_no_step_however_far_it_goes) {
    struct fixture *fixture = create();
    read_ahead(fixture, 0);
    for (int i = 0; i < 60; i++) {
        step_to(fixture, SPAN_S(i).ns);
        look(fixture);
    }
    cr_expect_not(is_doubted(fixture), "that is what readings are for");
    destroy(fixture);
}

Test(clock_guard, two_readings_that_agree_end_it_and_no_time_does) {
    struct fixture *fixture = doubted();
    rig_wait(fixture->risk.rig, SPAN_DAYS(30));
    look(fixture);
    cr_expect(is_doubted(fixture));
    step_to(fixture, SPAN_DAYS(400).ns);
    look(fixture);
    cr_expect(is_doubted(fixture), "nor does a wall that was set forward");
    read_ahead(fixture, 0);
    cr_expect(is_doubted(fixture), "one is not two");
    read_ahead(fixture, SPAN_S(3).ns);
    read_ahead(fixture, 0);
    cr_expect(is_doubted(fixture), "not behind each other");
    step_to(fixture, 0);
    look(fixture);
    read_ahead(fixture, 0);
    cr_expect(is_doubted(fixture), "a step begins the count anew");
    read_ahead(fixture, INT64_C(2000000000));
    cr_expect_not(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, it_does_not_end_while_the_session_is_another_by_the_brokers_clock) {
    struct fixture *fixture = doubted();
    struct utc wall = clock_utc(fixture->risk.rig->world.clock);
    struct clock_reading agreeing = {.is_answered = true, .broker = wall, .wall = wall};
    for (int i = 0; i < 5; i++) {
        read_as(fixture, agreeing, false);
        cr_expect(is_doubted(fixture));
    }
    read_as(fixture, agreeing, true);
    cr_expect_not(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, a_restart_within_doubt_is_in_doubt_and_one_behind_it_is_not) {
    struct fixture *fixture = doubted();
    note_start(fixture);
    for (int i = 0; i < 2; i++) {
        begin_again(fixture);
        cr_expect(is_doubted(fixture), "%d", i);
    }
    read_ahead(fixture, 0);
    begin_again(fixture);
    cr_expect(is_doubted(fixture), "one reading of an earlier life is none of this one");
    read_ahead(fixture, 0);
    read_ahead(fixture, 0);
    cr_expect_not(is_doubted(fixture));
    begin_again(fixture);
    cr_expect_not(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, a_new_boot_is_in_doubt_until_it_was_compared) {
    struct fixture *fixture = create();
    begin_again(fixture);
    cr_expect_not(is_doubted(fixture), "a first start knows of no boot before");
    note_start(fixture);
    begin_again(fixture);
    cr_expect_not(is_doubted(fixture), "the same boot");
    virtual_clock_reboot(fixture->risk.rig->clock);
    begin_again(fixture);
    cr_expect(is_doubted(fixture));
    note_start(fixture);
    begin_again(fixture); /* died before a reading came */
    cr_expect(is_doubted(fixture));
    read_ahead(fixture, 0);
    read_ahead(fixture, 0);
    cr_expect_not(is_doubted(fixture));
    destroy(fixture);
}

Test(clock_guard, rows_of_older_builds_name_no_boot) {
    struct fixture *fixture = create();
    static const char *const bodies[] = {"{}", "{\"boot\":7}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct journal_row row = {.kind = "start", .key = "b", .body = bodies[i]};
        strcpy(fixture->guard.boot, "before");
        clock_guard_fold(&fixture->guard, &row);
        cr_expect_str_eq(fixture->guard.boot, "", "%s", bodies[i]);
    }
    destroy(fixture);
}

Test(clock_guard, a_journal_that_takes_no_row_ends_no_doubt) {
    struct fixture *fixture = create();
    fixture->risk.causes.journal = NULL;
    read_ahead(fixture, SPAN_S(9).ns);
    cr_expect(is_doubted(fixture));
    read_ahead(fixture, 0);
    read_ahead(fixture, 0);
    cr_expect_not(is_doubted(fixture));
    destroy(fixture);
}
