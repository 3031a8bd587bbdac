/* test_kill_switch.c - from a cause to armed again: what verifies, cools, checks and counts, to the nanosecond;
 * what restarts, boots, clocks and other latches do to it; and what trips it. */
#include "core/risk/kill_switch.h"
#include "core/risk/kill_trips.h"
#include "tests/unit/risk_rig.h"

struct fixture {
    struct risk_rig risk;
    struct kill_switch kill;
    struct kill_trips trips;
    struct kill_rejects rejects;
    struct date day;
    bool is_clear, is_truth_clean, has_unknown, is_state_kept;
};

static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    risk_rig_open(&fixture->risk);
    rig_wait(fixture->risk.rig, SPAN_S(1)); /* a monotonic clock at 0 says "not so" */
    fixture->risk.config.kill_auto_rearm = true;
    fixture->day = date_from_civil(2026, 9, 1);
    fixture->is_clear = fixture->is_truth_clean = fixture->is_state_kept = true;
    return fixture;
}

static void destroy(struct fixture *fixture) {
    risk_rig_close(&fixture->risk);
    free(fixture);
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct fixture *fixture = context;
    kill_switch_fold(&fixture->kill, row);
    return causes_fold(&fixture->risk.causes, row, err);
}

static void restart(struct fixture *fixture) {
    risk_rig_restart(&fixture->risk);
    fixture->kill = (struct kill_switch){0};
    cr_assert_eq(journal_read(fixture->risk.rig->journal, 0, fold, fixture, NULL), ERR_OK);
}

static struct mono now(const struct fixture *fixture) {
    return clock_mono(fixture->risk.rig->world.clock);
}

/* A tick, whose listing of orders came when it began. */
static void step(struct fixture *fixture, bool is_full) {
    struct kill_look look = {.day = fixture->day,
                             .is_full = is_full,
                             .is_truth_clean = fixture->is_truth_clean,
                             .listed_at = mono_add(now(fixture), (struct span){-1}),
                             .is_clear = fixture->is_clear,
                             .has_unknown = fixture->has_unknown,
                             .is_state_kept = fixture->is_state_kept,
                             .broker = rig_now(fixture->risk.rig)};
    kill_switch_step(&fixture->kill, &fixture->risk.causes, &fixture->risk.config, &look);
    cr_assert_eq(journal_commit(fixture->risk.rig->journal, NULL), ERR_OK);
}

static void step_after(struct fixture *fixture, int64_t ns) {
    rig_wait(fixture->risk.rig, (struct span){ns});
    step(fixture, true);
}

static enum kill_phase phase(const struct fixture *fixture) {
    return kill_switch_phase(&fixture->kill, &fixture->risk.causes, &fixture->risk.config);
}

static void latch(struct fixture *fixture, const char *cause) {
    causes_latch(&fixture->risk.causes, cause, MODE_REDUCE_ONLY, "core", "a test");
}

static void clear(struct fixture *fixture, const char *cause) {
    cr_assert_eq(causes_clear(&fixture->risk.causes, cause, "ann", "seen", NULL), ERR_OK);
}

static void hold(struct fixture *fixture) {
    step(fixture, true);
    step_after(fixture, NANOS);
    step_after(fixture, 2 * NANOS);
}

static struct fixture *held(const char *cause) {
    struct fixture *fixture = create();
    latch(fixture, cause);
    hold(fixture);
    cr_assert(fixture->kill.is_held);
    return fixture;
}

Test(kill_switch, every_cause_fires_and_no_other_does) {
    static const char *const causes[] = {"kill_switch",     "kill_repeated", "second_writer",
                                         "kill_rejects",    "kill_auth",     "kill_outage",
                                         "kill_divergence", "position_sign"};
    struct fixture *fixture = create();
    latch(fixture, "daily_loss");
    step(fixture, true);
    cr_expect_eq(phase(fixture), KILL_ARMED);
    destroy(fixture);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        fixture = create();
        latch(fixture, causes[i]);
        step(fixture, true);
        cr_expect_eq(phase(fixture), KILL_FIRING, "%s", causes[i]);
        destroy(fixture);
    }
}

Test(kill_switch, two_listings_two_seconds_apart_verify) {
    static const struct {
        int64_t apart_ns;
        bool is_held;
    } rows[] = {{INT64_C(1999999999), false}, {INT64_C(2000000000), true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        latch(fixture, "kill_rejects");
        step(fixture, true); /* the listing of before it fired is none */
        step_after(fixture, NANOS);
        step_after(fixture, rows[i].apart_ns);
        cr_expect_eq(fixture->kill.is_held, rows[i].is_held, "%d", (int)i);
        cr_expect_eq(phase(fixture), rows[i].is_held ? KILL_COOLING : KILL_FIRING);
        destroy(fixture);
    }
}

Test(kill_switch, an_entry_or_a_failed_listing_between_begins_anew) {
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = create();
        latch(fixture, "kill_switch");
        step(fixture, true);
        step_after(fixture, NANOS);
        *(i == 0 ? &fixture->is_clear : &fixture->is_truth_clean) = false;
        step_after(fixture, 2 * NANOS);
        cr_expect(fixture->kill.is_firing, "%d", i);
        fixture->is_clear = fixture->is_truth_clean = true;
        step_after(fixture, NANOS);
        cr_expect(fixture->kill.is_firing, "%d", i);
        step_after(fixture, 2 * NANOS);
        cr_expect_eq(phase(fixture), KILL_LOCKED, "%d", i);
        destroy(fixture);
    }
}

Test(kill_switch, short_ticks_between_say_nothing) {
    struct fixture *fixture = create();
    latch(fixture, "kill_switch");
    step(fixture, true);
    step_after(fixture, NANOS);
    for (int i = 0; i < 4; i++) {
        rig_wait(fixture->risk.rig, SPAN_S(1));
        step(fixture, false);
        cr_expect(fixture->kill.is_firing);
    }
    step_after(fixture, NANOS);
    cr_expect_not(fixture->kill.is_firing);
    destroy(fixture);
}

Test(kill_switch, firing_is_paged_after_a_minute_and_then_each_five) {
    struct fixture *fixture = create();
    fixture->is_truth_clean = false;
    latch(fixture, "kill_outage");
    step(fixture, true);
    struct mono began = now(fixture);
    static const int64_t due_s[] = {60, 360, 660};
    for (size_t i = 0; i < 3; i++) {
        struct mono due = mono_add(began, SPAN_S(due_s[i]));
        cr_expect_not(kill_switch_page_is_due(&fixture->kill, mono_add(due, (struct span){-1})));
        cr_expect(kill_switch_page_is_due(&fixture->kill, due));
        cr_expect_not(kill_switch_page_is_due(&fixture->kill, due));
    }
    destroy(fixture);
}

Test(kill_switch, it_cools_for_its_time_and_two_readings_ten_seconds_apart_arm_it) {
    struct fixture *fixture = held("kill_auth");
    int64_t cooldown_ns = fixture->risk.config.kill_cooldown.ns;
    step_after(fixture, cooldown_ns - 1);
    cr_expect_eq(phase(fixture), KILL_COOLING);
    step_after(fixture, 1);
    cr_expect_eq(phase(fixture), KILL_CHECKING);
    step_after(fixture, 10 * NANOS - 1);
    cr_expect_eq(phase(fixture), KILL_CHECKING);
    step_after(fixture, 1);
    cr_expect_eq(phase(fixture), KILL_ARMED);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_auth"));
    destroy(fixture);
}

Test(kill_switch, whatever_is_not_clean_begins_the_readings_anew) {
    for (int i = 0; i < 5; i++) {
        struct fixture *fixture = held("kill_auth");
        step_after(fixture, fixture->risk.config.kill_cooldown.ns);
        bool *clean[] = {&fixture->is_clear, &fixture->is_truth_clean, &fixture->is_state_kept};
        if (i < 3) {
            *clean[i] = false;
        } else if (i == 3) {
            fixture->has_unknown = true;
        } else {
            latch(fixture, "daily_loss");
        }
        step_after(fixture, 10 * NANOS);
        cr_expect_eq(phase(fixture), KILL_CHECKING, "%d", i);
        if (i < 3) {
            *clean[i] = true;
        } else if (i == 3) {
            fixture->has_unknown = false;
        } else {
            clear(fixture, "daily_loss");
        }
        step_after(fixture, NANOS);
        step_after(fixture, 9 * NANOS);
        cr_expect_eq(phase(fixture), KILL_CHECKING, "%d", i);
        step_after(fixture, NANOS);
        cr_expect_eq(phase(fixture), KILL_ARMED, "%d", i);
        destroy(fixture);
    }
}

Test(kill_switch, what_is_for_a_person_waits_for_one) {
    static const char *const causes[] = {"kill_switch", "kill_repeated", "second_writer",
                                         "kill_divergence", "position_sign"};
    for (size_t i = 0; i < 6; i++) {
        struct fixture *fixture = held(i < 5 ? causes[i] : "kill_rejects");
        fixture->risk.config.kill_auto_rearm = i < 5; /* off: all of them are */
        for (int tick = 0; tick < 10; tick++) {
            step_after(fixture, SPAN_HOURS(1).ns);
        }
        cr_expect_eq(phase(fixture), KILL_LOCKED, "%d", (int)i);
        clear(fixture, i < 5 ? causes[i] : "kill_rejects");
        step_after(fixture, NANOS);
        cr_expect_eq(phase(fixture), KILL_ARMED, "%d", (int)i);
        destroy(fixture);
    }
}

Test(kill_switch, nobody_resumes_before_it_is_verified) {
    struct fixture *fixture = create();
    latch(fixture, "kill_switch");
    cr_expect_not(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_switch"),
                  "not even at once");
    cr_expect(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "daily_loss"));
    cr_expect(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_auth"),
              "it is not set");
    step(fixture, true);
    cr_expect_not(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_switch"));
    hold(fixture);
    cr_expect(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_switch"));
    restart(fixture);
    cr_expect(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_switch"),
              "an earlier life verified");
    latch(fixture, "kill_auth");
    restart(fixture);
    cr_expect_not(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_auth"),
                  "and died over another");
    destroy(fixture);
}

Test(kill_switch, a_cause_that_no_row_says_is_news_to_the_next_life) {
    struct fixture *fixture = held("kill_rejects");
    rig_wait(fixture->risk.rig, SPAN_MIN(31));
    restart(fixture);
    fixture->risk.causes.journal = NULL; /* as a document tells it */
    latch(fixture, "kill_auth");
    fixture->risk.causes.journal = fixture->risk.rig->journal;
    cr_expect_not(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_auth"));
    cr_expect(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_rejects"));
    hold(fixture);
    cr_expect_eq(phase(fixture), KILL_COOLING, "from now on");
    cr_expect_eq(fixture->kill.incidents, 1, "it joined");
    destroy(fixture);
}

Test(kill_switch, a_death_between_the_clears_and_armed_leaves_no_incident_open) {
    struct fixture *fixture = held("kill_rejects");
    clear(fixture, "kill_rejects"); /* and no row of ours behind it */
    restart(fixture);
    cr_expect_eq(phase(fixture), KILL_ARMED);
    latch(fixture, "kill_auth");
    cr_expect_not(kill_switch_may_resume(&fixture->kill, &fixture->risk.causes, "kill_auth"));
    step(fixture, true);
    cr_expect_eq(fixture->kill.incidents, 2, "another");
    hold(fixture);
    cr_expect_eq(phase(fixture), KILL_COOLING);
    destroy(fixture);
}

Test(kill_switch, a_cause_resumed_and_latched_again_before_the_next_look_fires) {
    struct fixture *fixture = held("kill_divergence");
    clear(fixture, "kill_divergence");
    kill_switch_resumed(&fixture->kill, "kill_divergence");
    latch(fixture, "kill_divergence");
    step_after(fixture, NANOS);
    cr_expect_eq(phase(fixture), KILL_FIRING);
    destroy(fixture);
}

Test(kill_switch, fired_again_while_it_fires_it_is_verified_anew_and_paged_as_before) {
    struct fixture *fixture = create();
    latch(fixture, "kill_switch");
    step(fixture, true);
    struct mono began = now(fixture);
    step_after(fixture, NANOS);
    kill_switch_fire(&fixture->kill, &fixture->risk.causes, fixture->day);
    step_after(fixture, 2 * NANOS);
    cr_expect(fixture->kill.is_firing, "one listing since");
    cr_expect(kill_switch_page_is_due(&fixture->kill, mono_add(began, SPAN_S(60))));
    cr_expect_eq(fixture->kill.incidents, 1);
    destroy(fixture);
}

Test(kill_switch, an_incident_that_a_person_began_needs_one_for_what_joined_it) {
    struct fixture *fixture = create();
    fixture->risk.config.kill_incidents = 1;
    latch(fixture, "kill_switch");
    hold(fixture);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_repeated"), "a person is needed anyway");
    latch(fixture, "kill_rejects");
    hold(fixture);
    clear(fixture, "kill_switch");
    step_after(fixture, NANOS);
    cr_expect(causes_has(&fixture->risk.causes, "kill_repeated"));
    clear(fixture, "kill_repeated");
    step_after(fixture, NANOS);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_repeated"), "once an incident");
    restart(fixture);
    hold(fixture);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_repeated"), "nor in the next life");
    destroy(fixture);
}

Test(kill_switch, a_restart_verifies_again_and_cools_for_the_rest) {
    struct fixture *fixture = held("kill_rejects");
    rig_wait(fixture->risk.rig, SPAN_MIN(25));
    restart(fixture);
    hold(fixture);
    cr_expect_eq(phase(fixture), KILL_COOLING);
    step_after(fixture, SPAN_MIN(5).ns - 3 * NANOS - 1);
    cr_expect_eq(phase(fixture), KILL_COOLING);
    step_after(fixture, 1);
    cr_expect_eq(phase(fixture), KILL_CHECKING);
    destroy(fixture);
}

/* The wall is so far ahead of the broker's clock, and the machine boots anew. */
static void boot_with_wall(struct fixture *fixture, struct span ahead) {
    virtual_clock_reboot(fixture->risk.rig->clock);
    virtual_clock_set_offset(fixture->risk.rig->clock, ahead);
    restart(fixture);
}

Test(kill_switch, from_boot_to_boot_the_slower_of_wall_and_broker_counts) {
    static const int64_t ahead_min[] = {0, 60, -10, -60};
    static const bool is_cooled[] = {true, true, false, false};
    for (size_t i = 0; i < 4; i++) {
        struct fixture *fixture = held("kill_rejects");
        rig_wait(fixture->risk.rig, SPAN_MIN(31));
        boot_with_wall(fixture, SPAN_MIN(ahead_min[i]));
        hold(fixture);
        step_after(fixture, NANOS);
        cr_expect_eq(phase(fixture), is_cooled[i] ? KILL_CHECKING : KILL_COOLING, "%d", (int)i);
        destroy(fixture);
    }
    struct fixture *fixture = held("kill_rejects");
    rig_wait(fixture->risk.rig, SPAN_MIN(20));
    boot_with_wall(fixture, SPAN_HOURS(5));
    hold(fixture);
    step_after(fixture, NANOS);
    cr_expect_eq(phase(fixture), KILL_COOLING, "a wall that is ahead shortens nothing");
    destroy(fixture);
}

Test(kill_switch, one_episode_is_one_incident_and_the_third_of_a_day_is_for_a_person) {
    struct fixture *fixture = create();
    for (int incident = 1; incident <= 3; incident++) {
        latch(fixture, "kill_auth");
        step(fixture, true);
        latch(fixture, "kill_rejects"); /* joins */
        step_after(fixture, NANOS);
        cr_expect_eq(fixture->kill.incidents, incident);
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_repeated"), incident == 3);
        restart(fixture); /* counts go on */
        hold(fixture);
        cr_expect_eq(fixture->kill.incidents, incident);
        clear(fixture, "kill_auth");
        clear(fixture, "kill_rejects");
        step_after(fixture, NANOS);
        cr_expect_eq(phase(fixture), incident == 3 ? KILL_LOCKED : KILL_ARMED);
    }
    clear(fixture, "kill_repeated");
    step_after(fixture, NANOS);
    fixture->day.days--;
    latch(fixture, "kill_auth");
    step_after(fixture, NANOS);
    cr_expect_eq(fixture->kill.incidents, 4, "a day that goes back is no other");
    hold(fixture);
    clear(fixture, "kill_auth");
    clear(fixture, "kill_repeated");
    fixture->day.days += 2;
    step_after(fixture, NANOS);
    latch(fixture, "kill_auth");
    step_after(fixture, NANOS);
    cr_expect_eq(fixture->kill.incidents, 1, "another day");
    destroy(fixture);
}

/* --- trips --- */

static void reject(struct fixture *fixture, int64_t after_ns) {
    rig_wait(fixture->risk.rig, (struct span){after_ns});
    kill_rejects_note(&fixture->rejects, now(fixture));
    kill_rejects_step(&fixture->rejects, &fixture->risk.causes, &fixture->risk.config);
}

Test(kill_trips, five_rejects_within_a_minute_latch) {
    static const struct {
        int64_t last_ns; /* from the first reject to the fifth */
        bool is_due;
    } rows[] = {{0, true}, {INT64_C(59999999999), true}, {INT64_C(60000000000), false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        for (int k = 0; k < 4; k++) {
            reject(fixture, 0);
        }
        cr_expect_not(causes_has(&fixture->risk.causes, "kill_rejects"));
        reject(fixture, rows[i].last_ns);
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_rejects"), rows[i].is_due, "%d",
                     (int)i);
        destroy(fixture);
    }
}

Test(kill_trips, rejects_of_before_a_trip_do_not_count_again) {
    struct fixture *fixture = create();
    for (int k = 0; k < 5; k++) {
        reject(fixture, 0);
    }
    for (int k = 0; k < 4; k++) {
        reject(fixture, 0); /* while it holds: not either */
    }
    clear(fixture, "kill_rejects");
    for (int k = 0; k < 4; k++) {
        reject(fixture, 0);
        cr_expect_not(causes_has(&fixture->risk.causes, "kill_rejects"), "%d", k);
    }
    reject(fixture, 0);
    cr_expect(causes_has(&fixture->risk.causes, "kill_rejects"));
    for (int k = 0; k < 3 * KILL_REJECTS_MAX; k++) {
        reject(fixture, 0); /* a ring: no more than it holds is counted */
    }
    destroy(fixture);
}

static void judge(struct fixture *fixture) {
    kill_trips_step(&fixture->trips, &fixture->risk.causes, &fixture->risk.config,
                    fixture->is_truth_clean, false);
}

Test(kill_trips, two_barred_reads_for_thirty_seconds_latch) {
    static const struct {
        int first, second;
        int64_t for_ns;
        bool is_due;
    } rows[] = {{401, 403, INT64_C(29999999999), false}, {401, 403, INT64_C(30000000000), true},
                {401, 401, 3600 * NANOS, true},          {403, 500, 3600 * NANOS, false},
                {403, 0, 3600 * NANOS, false},           {403, 404, 3600 * NANOS, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        kill_trips_note_read(&fixture->trips, 0, rows[i].first, now(fixture));
        kill_trips_note_read(&fixture->trips, 1, rows[i].second, now(fixture));
        rig_wait(fixture->risk.rig, (struct span){rows[i].for_ns});
        kill_trips_note_read(&fixture->trips, 0, rows[i].first, now(fixture));
        kill_trips_note_read(&fixture->trips, 1, rows[i].second, now(fixture));
        judge(fixture);
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_auth"), rows[i].is_due, "%d", (int)i);
        destroy(fixture);
    }
}

Test(kill_trips, one_refusal_of_each_read_and_then_silence_is_none) {
    struct fixture *fixture = create();
    kill_trips_note_read(&fixture->trips, 0, 401, now(fixture));
    kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
    rig_wait(fixture->risk.rig, SPAN_HOURS(1));
    kill_trips_note_read(&fixture->trips, 0, 503, now(fixture));
    judge(fixture);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_auth"));
    destroy(fixture);
}

Test(kill_trips, an_answer_between_ends_it_and_silence_does_not) {
    for (int is_answered = 0; is_answered < 2; is_answered++) {
        struct fixture *fixture = create();
        kill_trips_note_read(&fixture->trips, 0, 401, now(fixture));
        kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
        rig_wait(fixture->risk.rig, SPAN_S(20));
        kill_trips_note_read(&fixture->trips, 1, is_answered ? 200 : 0, now(fixture));
        kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
        rig_wait(fixture->risk.rig, SPAN_S(20));
        kill_trips_note_read(&fixture->trips, 0, 401, now(fixture));
        kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
        judge(fixture);
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_auth"), !is_answered);
        destroy(fixture);
    }
}

Test(kill_trips, for_a_minute_behind_a_change_of_the_key_it_is_no_evidence) {
    struct fixture *fixture = create();
    kill_trips_note_read(&fixture->trips, 0, 401, now(fixture));
    kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
    rig_wait(fixture->risk.rig, SPAN_S(40));
    kill_trips_note_read(&fixture->trips, 0, 401, now(fixture));
    kill_trips_note_read(&fixture->trips, 1, 401, now(fixture));
    kill_trips_note_key(&fixture->trips, now(fixture));
    rig_wait(fixture->risk.rig, (struct span){SPAN_S(60).ns - 1});
    judge(fixture);
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_auth"));
    rig_wait(fixture->risk.rig, (struct span){1});
    judge(fixture);
    cr_expect(causes_has(&fixture->risk.causes, "kill_auth"));
    destroy(fixture);
}

Test(kill_trips, an_outage_of_two_hours_latches_unless_a_tick_was_clean) {
    for (int is_clean_once = 0; is_clean_once < 2; is_clean_once++) {
        struct fixture *fixture = create();
        fixture->is_truth_clean = false;
        judge(fixture);
        rig_wait(fixture->risk.rig, SPAN_HOURS(1));
        fixture->is_truth_clean = is_clean_once;
        judge(fixture);
        fixture->is_truth_clean = false;
        judge(fixture);
        rig_wait(fixture->risk.rig, (struct span){SPAN_HOURS(1).ns - 1});
        judge(fixture);
        cr_expect_not(causes_has(&fixture->risk.causes, "kill_outage"));
        rig_wait(fixture->risk.rig, (struct span){1});
        judge(fixture);
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_outage"), !is_clean_once);
        destroy(fixture);
    }
}

Test(kill_trips, a_divergence_latches_unless_it_is_off) {
    for (int is_on = 0; is_on < 2; is_on++) {
        struct fixture *fixture = create();
        fixture->risk.config.kill_divergence = is_on;
        kill_trips_diverged(&fixture->risk.causes, &fixture->risk.config, "nothing explains it");
        kill_trips_diverged(&fixture->risk.causes, &fixture->risk.config, "nothing explains it");
        cr_expect_eq(causes_has(&fixture->risk.causes, "kill_divergence"), is_on);
        cr_expect_eq(fixture->risk.rig->pages, is_on, "once");
        destroy(fixture);
    }
}

Test(kill_trips, another_account_is_no_outage) {
    struct fixture *fixture = create();
    for (int hour = 0; hour < 5; hour++) {
        kill_trips_step(&fixture->trips, &fixture->risk.causes, &fixture->risk.config, false, true);
        rig_wait(fixture->risk.rig, SPAN_HOURS(1));
    }
    cr_expect_not(causes_has(&fixture->risk.causes, "kill_outage"));
    destroy(fixture);
}
