/* test_capital_ramp.c - what a clean day is, how many lead on, what takes a phase back, at each exact bound and one step
 * beside it; what a restart, a gap and a clock leave of it; what it does to an entry and not to an exit. */
#include "core/risk/capital_ramp.h"
#include "tests/unit/desk.h"

struct fixture {
    struct desk *desk;
    struct capital_ramp *ramp; /* of the desk's gateway */
    struct date day;
    struct ramp_look look;
    struct session session;
};

static void begin_session(struct fixture *fixture, int days_on) {
    fixture->day = date_add(fixture->day, days_on);
    fixture->session = (struct session){.date = fixture->day,
                                        .open = ny_to_utc(fixture->day, 9, 30),
                                        .close = ny_to_utc(fixture->day, 16, 0)};
    fixture->look.session = &fixture->session;
}

static void hear_row(void *context, const struct journal_row *row) {
    capital_ramp_take(context, row);
}

static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    fixture->desk = desk_create();
    fixture->ramp = &fixture->desk->gateway.ramp;
    fixture->desk->config.ramp_on = 1;
    fixture->desk->config.base_usd = USD(1000);
    fixture->day = date_from_civil(2026, 9, 1);
    fixture->look.is_truth_clean = true;
    journal_listen(fixture->desk->rig->journal, hear_row, fixture->ramp);
    begin_session(fixture, 0);
    return fixture;
}

static void destroy(struct fixture *fixture) {
    desk_destroy(fixture->desk);
    free(fixture);
}

static void step_at(struct fixture *fixture, struct utc wall, struct utc broker, bool is_open) {
    fixture->look.wall = wall;
    fixture->look.broker = broker;
    fixture->look.is_open = is_open;
    capital_ramp_step(fixture->ramp, &fixture->desk->causes, &fixture->desk->config,
                      &fixture->look);
}

static void opens(struct fixture *fixture, struct span after) {
    struct utc at = utc_add(fixture->session.open, after);
    step_at(fixture, at, at, true);
}

static void closes(struct fixture *fixture, struct span after) {
    struct utc at = utc_add(fixture->session.close, after);
    step_at(fixture, at, at, false);
}

static void row_of(struct fixture *fixture, const char *kind, const char *key, const char *body) {
    struct journal *journal = fixture->desk->rig->journal;
    cr_assert_eq(journal_append(journal, kind, key, body, NULL, NULL), ERR_OK);
    cr_assert_eq(journal_commit(journal, NULL), ERR_OK);
}

static void fills(struct fixture *fixture) {
    row_of(fixture, "fill", "st-1", "{}");
}

static void clean_day(struct fixture *fixture) {
    opens(fixture, SPAN_S(0));
    fills(fixture);
    closes(fixture, SPAN_S(0));
    begin_session(fixture, 1);
}

static void clean_days(struct fixture *fixture, int count) {
    for (int i = 0; i < count; i++) {
        clean_day(fixture);
    }
}

static int64_t percent_of(const struct fixture *fixture) {
    return capital_ramp_share(fixture->ramp, &fixture->desk->config).nanos / (NANOS / 100);
}

static void expect(const struct fixture *fixture, int64_t percent, int64_t streak) {
    cr_expect_eq(percent_of(fixture), percent, "%lld %%", (long long)percent_of(fixture));
    cr_expect_eq(fixture->ramp->streak, streak, "%lld", (long long)fixture->ramp->streak);
}

static enum err_code fold_row(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    capital_ramp_take(context, row);
    return ERR_OK;
}

static void restart(struct fixture *fixture) {
    struct desk *desk = fixture->desk;
    rig_reopen(desk->rig);
    desk->causes.journal = desk->rig->journal;
    *fixture->ramp = (struct capital_ramp){0};
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold_row, fixture->ramp, NULL), ERR_OK);
    journal_listen(desk->rig->journal, hear_row, fixture->ramp);
}

/* --- days --- */

Test(capital_ramp, five_clean_days_lead_on_and_four_do_not_through_all_five_phases) {
    static const int64_t percents[] = {10, 25, 50, 75, 100};
    struct fixture *fixture = create();
    for (int phase = 0; phase < 4; phase++) {
        clean_days(fixture, 4);
        expect(fixture, percents[phase], 4);
        clean_day(fixture);
        expect(fixture, percents[phase + 1], 0);
    }
    clean_days(fixture, 12);
    expect(fixture, 100, 12);
    destroy(fixture);
}

Test(capital_ramp, a_day_is_one_whose_open_was_seen_within_fifteen_minutes) {
    static const struct {
        int64_t wall_ns, broker_ns;
        bool is_open, is_begun;
    } rows[] = {{0, 0, true, true},
                {INT64_C(900000000000), INT64_C(900000000000), true, true},
                {INT64_C(900000000001), INT64_C(900000000000), true, false},
                {INT64_C(900000000000), INT64_C(900000000001), true, false},
                {-1, 0, true, false},
                {0, -1, true, false},
                {0, 0, false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        struct utc open = fixture->session.open;
        step_at(fixture, utc_add(open, (struct span){rows[i].wall_ns}),
                utc_add(open, (struct span){rows[i].broker_ns}), rows[i].is_open);
        cr_expect_eq(fixture->ramp->is_running, rows[i].is_begun, "row %zu", i);
        destroy(fixture);
    }
}

Test(capital_ramp, and_whose_close_was_seen_within_fifteen_minutes_by_both_clocks) {
    static const struct {
        int64_t wall_ns, broker_ns, streak;
    } rows[] = {{0, 0, 1},
                {INT64_C(900000000000), INT64_C(900000000000), 1},
                {INT64_C(900000000001), INT64_C(900000000000), 0},
                {INT64_C(900000000000), INT64_C(900000000001), 0},
                {-1, 0, 0},
                {0, -1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        opens(fixture, SPAN_S(0));
        fills(fixture);
        struct utc close = fixture->session.close;
        step_at(fixture, utc_add(close, (struct span){rows[i].wall_ns}),
                utc_add(close, (struct span){rows[i].broker_ns}), false);
        expect(fixture, 10, rows[i].streak);
        destroy(fixture);
    }
}

Test(capital_ramp, a_close_seen_too_late_is_not_seen_by_a_clock_that_goes_back) {
    struct fixture *fixture = create();
    opens(fixture, SPAN_S(0));
    fills(fixture);
    closes(fixture, SPAN_S(901));
    closes(fixture, SPAN_S(0));
    expect(fixture, 10, 0);
    destroy(fixture);
}

Test(capital_ramp, the_same_date_counts_once_whatever_the_clock_does) {
    struct fixture *fixture = create();
    clean_day(fixture);
    begin_session(fixture, -1);
    clean_day(fixture);
    expect(fixture, 10, 1);
    begin_session(fixture, -3);
    clean_day(fixture);
    expect(fixture, 10, 1);
    destroy(fixture);
}

Test(capital_ramp, a_gap_of_days_is_one_day_and_skips_nothing) {
    struct fixture *fixture = create();
    fixture->desk->config.ramp_days = 1;
    clean_day(fixture);
    begin_session(fixture, 60);
    clean_day(fixture);
    expect(fixture, 50, 0);
    destroy(fixture);
}

Test(capital_ramp, a_day_without_a_fill_adds_nothing_and_ends_nothing) {
    struct fixture *fixture = create();
    clean_days(fixture, 2);
    fills(fixture); /* before the open: the day before's */
    opens(fixture, SPAN_S(1));
    closes(fixture, SPAN_S(0));
    expect(fixture, 10, 2);
    begin_session(fixture, 1);
    clean_day(fixture);
    expect(fixture, 10, 3);
    destroy(fixture);
}

Test(capital_ramp, a_latch_in_the_day_or_beside_it_begins_the_streak_anew) {
    for (int when = 0; when < 3; when++) {
        struct fixture *fixture = create();
        clean_days(fixture, 3);
        if (when == 0) {
            row_of(fixture, "latch_set", "kill_switch", "{}");
        }
        opens(fixture, SPAN_S(0));
        fills(fixture);
        if (when == 1) {
            row_of(fixture, "latch_set", "operator", "{}");
        }
        closes(fixture, SPAN_S(0));
        if (when == 2) {
            row_of(fixture, "latch_set", "daily_loss", "{}");
        }
        expect(fixture, 10, when == 0);
        destroy(fixture);
    }
}

Test(capital_ramp, a_day_neither_begins_nor_ends_in_reduce_only_nor_on_old_truth) {
    for (int how = 0; how < 5; how++) {
        struct fixture *fixture = create();
        struct causes *causes = &fixture->desk->causes;
        bool is_bad = how > 0;
        bool is_at_open = how == 1 || how == 2;
        bool is_mode = how == 1 || how == 3;
        for (int edge = 0; edge < 2; edge++) {
            bool is_it = is_bad && is_at_open == (edge == 0);
            if (is_it && is_mode) {
                causes_hold(causes, "reconciliation", MODE_REDUCE_ONLY, "");
            }
            fixture->look.is_truth_clean = !is_it || is_mode;
            if (edge == 0) {
                opens(fixture, SPAN_S(0));
                fills(fixture);
            } else {
                closes(fixture, SPAN_S(0));
            }
            causes_let_go(causes, "reconciliation");
        }
        expect(fixture, 10, !is_bad);
        destroy(fixture);
    }
}

Test(capital_ramp, caution_is_no_disturbance_and_a_late_reconciliation_within_the_quarter_counts) {
    struct fixture *fixture = create();
    causes_hold(&fixture->desk->causes, "performance_breaker", MODE_CAUTION, "");
    opens(fixture, SPAN_S(0));
    fills(fixture);
    causes_hold(&fixture->desk->causes, "reconciliation", MODE_REDUCE_ONLY, "");
    closes(fixture, SPAN_S(0));
    expect(fixture, 10, 0);
    causes_let_go(&fixture->desk->causes, "reconciliation");
    closes(fixture, SPAN_S(300));
    expect(fixture, 10, 1);
    destroy(fixture);
}

Test(capital_ramp, without_the_brokers_clock_no_day_begins) {
    struct fixture *fixture = create();
    step_at(fixture, fixture->session.open, (struct utc){0}, true);
    cr_expect_not(fixture->ramp->is_running);
    destroy(fixture);
}

Test(capital_ramp, switched_off_it_has_no_rows_and_binds_nothing) {
    struct fixture *fixture = create();
    fixture->desk->config.ramp_on = 0;
    int64_t rows = journal_last_seq(fixture->desk->rig->journal);
    opens(fixture, SPAN_S(0));
    closes(fixture, SPAN_S(0));
    struct equity_reading reading = {.is_trusted = true, .equity = USD(1)};
    capital_ramp_judge(fixture->ramp, &fixture->desk->causes, &fixture->desk->config, &reading);
    cr_expect_eq(journal_last_seq(fixture->desk->rig->journal), rows);
    cr_expect_eq(percent_of(fixture), 100);
    destroy(fixture);
}

/* --- falls --- */

static void read_at(struct fixture *fixture, int64_t second, const char *equity, bool is_trusted,
                    const char *flows) {
    struct equity_reading reading = {.at = utc_add(fixture->session.open, SPAN_S(second)),
                                     .is_trusted = is_trusted,
                                     .equity = dollars(equity),
                                     .flows_ever = dollars(flows)};
    capital_ramp_judge(fixture->ramp, &fixture->desk->causes, &fixture->desk->config, &reading);
}

static void reads(struct fixture *fixture, int64_t second, const char *equity) {
    read_at(fixture, second, equity, true, "0");
}

/* In the third phase, with a streak of two and a peak of 100,000. */
static struct fixture *create_fallible(void) {
    struct fixture *fixture = create();
    clean_days(fixture, 12);
    reads(fixture, 0, "100000");
    reads(fixture, 1, "100000");
    expect(fixture, 50, 2);
    return fixture;
}

Test(capital_ramp, a_fall_of_exactly_the_limit_on_two_readings_5_s_apart_takes_one_phase_back) {
    static const struct {
        const char *first, *second;
        int64_t apart_s, percent;
    } rows[] = {{"95000", "95000", 5, 25},
                {"95000.000000001", "95000", 5, 50},
                {"95000", "95000.000000001", 5, 50},
                {"95000", "95000", 4, 50},
                {"1", "1", 600, 25},
                {"-100000", "-100000", 5, 25}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create_fallible();
        reads(fixture, 10, rows[i].first);
        expect(fixture, 50, 2);
        reads(fixture, 10 + rows[i].apart_s, rows[i].second);
        expect(fixture, rows[i].percent, rows[i].percent == 50 ? 2 : 0);
        destroy(fixture);
    }
}

Test(capital_ramp, what_is_left_is_the_new_peak_so_that_the_next_phase_is_another_fall_away) {
    struct fixture *fixture = create_fallible();
    reads(fixture, 10, "94000");
    reads(fixture, 15, "94000");
    reads(fixture, 20, "94000");
    reads(fixture, 25, "94000");
    expect(fixture, 25, 0);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(94000).nanos);
    reads(fixture, 30, "89300.01");
    reads(fixture, 35, "89300.01");
    expect(fixture, 25, 0);
    reads(fixture, 40, "89300");
    reads(fixture, 45, "89300");
    expect(fixture, 10, 0);
    reads(fixture, 50, "1");
    reads(fixture, 55, "1");
    expect(fixture, 10, 0);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(1).nanos);
    destroy(fixture);
}

Test(capital_ramp, the_peak_rises_by_the_lower_of_two_readings_and_by_a_dollar_at_least) {
    struct fixture *fixture = create_fallible();
    reads(fixture, 10, "200000");
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    reads(fixture, 15, "100000.99");
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    reads(fixture, 20, "100001");
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    reads(fixture, 25, "300000");
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100001).nanos);
    destroy(fixture);
}

Test(capital_ramp, deposits_and_withdrawals_are_neither_peaks_nor_falls) {
    struct fixture *fixture = create_fallible();
    read_at(fixture, 10, "150000", true, "50000");
    read_at(fixture, 15, "150000", true, "50000");
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    read_at(fixture, 20, "50000", true, "-50000");
    read_at(fixture, 25, "50000", true, "-50000");
    expect(fixture, 50, 2);
    destroy(fixture);
}

Test(capital_ramp, a_reading_that_is_not_trusted_is_none) {
    struct fixture *fixture = create_fallible();
    read_at(fixture, 10, "1", false, "0");
    read_at(fixture, 15, "1", false, "0");
    read_at(fixture, 20, "900000", false, "0");
    read_at(fixture, 25, "900000", false, "0");
    expect(fixture, 50, 2);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    destroy(fixture);
}

Test(capital_ramp, an_account_without_anything_has_no_peak_to_fall_from) {
    struct fixture *fixture = create();
    for (int i = 0; i < 4; i++) {
        reads(fixture, 10 * i, i < 2 ? "0" : "-5");
    }
    cr_expect_not(fixture->ramp->has_peak);
    expect(fixture, 10, 0);
    destroy(fixture);
}

Test(capital_ramp, a_drop_warns_and_says_which_phase) {
    struct fixture *fixture = create_fallible();
    reads(fixture, 10, "94000");
    reads(fixture, 15, "94000");
    cr_expect_str_eq(fixture->desk->rig->last_alert, "capital_ramp");
    cr_expect_eq(fixture->desk->rig->warnings, 1);
    cr_expect_eq(causes_mode(&fixture->desk->causes), MODE_NORMAL);
    destroy(fixture);
}

/* --- what is durable --- */

Test(capital_ramp, a_restart_keeps_phase_streak_peak_and_the_day) {
    struct fixture *fixture = create_fallible();
    opens(fixture, SPAN_S(0));
    fills(fixture);
    restart(fixture);
    expect(fixture, 50, 2);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(100000).nanos);
    opens(fixture, SPAN_S(300));
    closes(fixture, SPAN_S(0));
    expect(fixture, 50, 3);
    restart(fixture);
    closes(fixture, SPAN_S(10));
    expect(fixture, 50, 3);
    row_of(fixture, "latch_set", "x", "{}");
    restart(fixture);
    expect(fixture, 50, 0);
    reads(fixture, 10, "94000");
    reads(fixture, 15, "94000");
    restart(fixture);
    expect(fixture, 25, 0);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(94000).nanos);
    destroy(fixture);
}

Test(capital_ramp, a_day_that_another_life_began_and_did_not_end_is_over) {
    struct fixture *fixture = create();
    opens(fixture, SPAN_S(0));
    fills(fixture);
    restart(fixture);
    begin_session(fixture, 1);
    opens(fixture, SPAN_S(0));
    expect(fixture, 10, 0);
    closes(fixture, SPAN_S(0));
    expect(fixture, 10, 0);
    destroy(fixture);
}

Test(capital_ramp, without_a_journal_a_drop_holds_and_nothing_leads_on) {
    struct fixture *fixture = create_fallible();
    struct causes *causes = &fixture->desk->causes;
    clean_days(fixture, 2);
    opens(fixture, SPAN_S(0));
    fills(fixture);
    causes->journal = NULL;
    closes(fixture, SPAN_S(0));
    expect(fixture, 50, 4);
    reads(fixture, 10, "94000");
    reads(fixture, 15, "94000");
    expect(fixture, 25, 0);
    reads(fixture, 20, "94000");
    causes->journal = fixture->desk->rig->journal;
    closes(fixture, SPAN_S(5));
    expect(fixture, 25, 1);
    restart(fixture);
    expect(fixture, 25, 1);
    cr_expect_eq(fixture->ramp->peak.nanos, USD(94000).nanos);
    destroy(fixture);
}

Test(capital_ramp, a_row_that_is_damaged_is_the_first_phase) {
    static const char *const bodies[] = {
        "",
        "{}",
        "{\"phase\":5,\"streak\":1}",
        "{\"phase\":-1,\"streak\":1}",
        "{\"phase\":4}",
        "{\"phase\":4,\"streak\":-1}",
        "{\"phase\":\"4\",\"streak\":1}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fixture *fixture = create_fallible();
        struct journal_row row = {.seq = 99, .kind = "ramp", .key = "ended", .body = bodies[i]};
        capital_ramp_take(fixture->ramp, &row);
        expect(fixture, 10, 0);
        destroy(fixture);
    }
}

/* --- what it does to an entry, and not to an exit --- */

Test(capital_ramp, an_entry_has_its_share_of_the_size) {
    static const int64_t shares[] = {1, 2, 5, 7, 10};
    struct fixture *fixture = create();
    for (int64_t phase = 0; phase < RAMP_PHASES; phase++) {
        fixture->ramp->phase = phase;
        cr_expect_eq(entry_size(&fixture->desk->gateway, USD(100)).nanos / NANOS, shares[phase]);
    }
    destroy(fixture);
}

static struct refusal refused(struct fixture *fixture, const char *price, const char *least) {
    struct refusal refusal = {0};
    fixture->desk->config.min_notional_usd = dollars(least);
    struct order intent = desk_intent(PURPOSE_ENTRY, 1);
    intent.limit_price = dollars(price);
    intent.qty = entry_size(&fixture->desk->gateway, intent.limit_price);
    struct gateway *gateway = &fixture->desk->gateway;
    fixture->desk->truth.references[0].price = intent.limit_price;
    (void)check_intent(gateway, &intent, intent_is_exit(gateway, &intent), &refusal);
    return refusal;
}

Test(capital_ramp, what_only_the_ramp_makes_too_small_is_refused_for_it) {
    static const struct {
        const char *price, *least;
        int64_t phase;
        const char *word, *numbers;
    } rows[] = {{"100", "100", 0, "none", ""},
                {"100", "100.01", 0, "RAMP", "100 against 100.01"},
                {"100.01", "100", 0, "RAMP", "100 against 100.01"},
                {"99.99", "100", 0, "RAMP", "99.99 against 100"},
                {"1000", "0", 0, "RAMP", "100 against 1000"},
                {"1000.01", "0", 0, "NOT_REDUCING", "0 against 0"},
                {"100", "1000", 4, "none", ""},
                {"100", "1000.01", 4, "MIN_NOTIONAL", "1000 against 1000.01"},
                {"100", "1000.01", 0, "MIN_NOTIONAL", "100 against 1000.01"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        fixture->ramp->phase = rows[i].phase;
        struct refusal refusal = refused(fixture, rows[i].price, rows[i].least);
        cr_expect_str_eq(refusal_word(refusal.code), rows[i].word, "row %zu: %s", i,
                         refusal.numbers);
        cr_expect_str_eq(refusal.numbers, rows[i].numbers, "row %zu: %s", i, refusal.numbers);
        destroy(fixture);
    }
}

Test(capital_ramp, an_exit_of_any_size_leaves_in_any_phase) {
    struct fixture *fixture = create();
    struct refusal refusal = {0};
    desk_hold(fixture->desk, "AAPL", 100);
    struct order all = desk_intent(PURPOSE_EXIT, 100);
    cr_expect_eq(check_intent(&fixture->desk->gateway, &all, true, &refusal), REFUSED_NONE);
    struct order stop = desk_intent(PURPOSE_STOP, 100);
    cr_expect_eq(check_intent(&fixture->desk->gateway, &stop, true, &refusal), REFUSED_NONE);
    destroy(fixture);
}
