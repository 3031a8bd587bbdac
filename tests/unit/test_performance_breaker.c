/* test_performance_breaker.c - each rule at its exact bound and one step beside it, how a pause begins, ends and is
 * not begun again, what a restart and a new boot leave of it, and what it binds. */
#include "core/risk/performance_breaker.h"
#include "tests/unit/desk.h"

struct fixture {
    struct desk *desk;
    struct performance_breaker *breaker; /* of the desk's gateway */
    int64_t seq;
    struct usd baseline;
    struct span broker_ahead;
};

static struct fixture create(int64_t trades) {
    struct fixture fixture = {.desk = desk_create(), .baseline = USD(100000)};
    fixture.breaker = &fixture.desk->gateway.performance;
    fixture.desk->config.performance_trades = trades;
    return fixture;
}

static void destroy(struct fixture *fixture) {
    desk_destroy(fixture->desk);
}

static void fill(struct fixture *fixture, const char *side, struct usd amount) {
    char body[160];
    char text[DECIMAL_TEXT_MAX];
    decimal_print(amount.nanos, text);
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"1\",\"amount\":\"%s\"}", side, text);
    struct journal_row row = {.seq = ++fixture->seq, .kind = "fill", .key = "st-1", .body = body};
    performance_breaker_take(fixture->breaker, &row);
}

static void trade(struct fixture *fixture, const char *profit) {
    struct usd brought = {0};
    cr_assert_eq(usd_parse(profit, &brought, NULL), ERR_OK);
    fill(fixture, "buy", USD(100000));
    fill(fixture, "sell", usd_add(USD(100000), brought));
}

static void trades(struct fixture *fixture, int count, const char *profit) {
    for (int i = 0; i < count; i++) {
        trade(fixture, profit);
    }
}

static bool step(struct fixture *fixture) {
    struct desk *desk = fixture->desk;
    struct utc broker = utc_add(rig_now(desk->rig), fixture->broker_ahead);
    performance_breaker_step(fixture->breaker, &desk->causes, &desk->config, fixture->baseline,
                             broker);
    cr_expect_eq(causes_has(&desk->causes, PERFORMANCE_CAUSE), fixture->breaker->is_told);
    cr_expect_eq(causes_mode(&desk->causes),
                 fixture->breaker->is_told ? MODE_CAUTION : MODE_NORMAL);
    return fixture->breaker->is_on;
}

static void expect(struct fixture *fixture, bool is_on) {
    cr_expect_eq(step(fixture), is_on);
    destroy(fixture);
}

/* --- the rules --- */

Test(performance_breaker, the_fiftieth_trade_is_judged_and_the_forty_ninth_is_not) {
    for (int more = 0; more < 2; more++) {
        struct fixture fixture = create(50);
        trades(&fixture, 49 + more, "-100");
        expect(&fixture, more);
    }
}

Test(performance_breaker, an_open_trade_is_none_and_neither_is_a_part) {
    struct fixture fixture = create(2);
    trade(&fixture, "-100");
    fill(&fixture, "buy", USD(100000));
    cr_expect_not(step(&fixture));
    fill(&fixture, "buy", USD(100000));
    fill(&fixture, "sell", USD(90000));
    cr_expect_not(step(&fixture), "half of it is open");
    fill(&fixture, "sell", USD(90000));
    expect(&fixture, true);
}

/* Two trades: mean plus 6.313752 times half their difference. */
Test(performance_breaker, an_upper_bound_below_zero_pauses_and_zero_does_not) {
    static const struct {
        const char *first, *second;
        bool is_on;
    } rows[] = {{"-5.313752", "-7.313752", false},
                {"-5.313752001", "-7.313752001", true},
                {"-7.313752001", "-5.313752001", true},
                {"-5.313751999", "-7.313751999", false},
                {"-1", "-1", true},
                {"-0.000000001", "-0.000000001", true},
                {"0", "0", false},
                {"1000", "1000", false},
                {"10", "-11", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create(2);
        trade(&fixture, rows[i].first);
        trade(&fixture, rows[i].second);
        expect(&fixture, rows[i].is_on);
    }
}

/* A small loss shows in many trades: 300 of -12 and +8 in turn have a bound of -1.05, fifty one of 0.40. */
Test(performance_breaker, the_expectancy_is_that_of_all_that_are_kept) {
    for (int pairs = 25; pairs <= 150; pairs += 125) {
        struct fixture fixture = create(50);
        for (int i = 0; i < pairs; i++) {
            trade(&fixture, "-12");
            trade(&fixture, "8");
        }
        expect(&fixture, pairs == 150);
    }
}

/* 98 trades of 5000 pay, with the two that lose behind them. */
Test(performance_breaker, a_loss_of_the_last_ones_of_more_than_its_share_pauses) {
    static const struct {
        const char *last;
        int64_t baseline;
        bool is_on;
    } rows[] = {{"-1000", 100000, false},
                {"-1000.000000001", 100000, true},
                {"-999.999999999", 100000, false},
                {"-1000.01", 100001, false},
                {"-1000.01", 0, false},
                {"-1000.01", -100000, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create(2);
        fixture.baseline = USD(rows[i].baseline);
        trades(&fixture, 98, "5000");
        trade(&fixture, "-1000");
        trade(&fixture, rows[i].last);
        expect(&fixture, rows[i].is_on);
    }
}

Test(performance_breaker, a_loss_that_no_baseline_judged_is_judged_once_there_is_one) {
    struct fixture fixture = create(2);
    fixture.baseline = USD(0);
    trades(&fixture, 98, "5000");
    trades(&fixture, 2, "-1500");
    cr_expect_not(step(&fixture));
    fixture.baseline = USD(100000);
    expect(&fixture, true);
}

/* --- the pause --- */

Test(performance_breaker, it_lasts_its_hour_and_the_same_trades_begin_no_other) {
    struct fixture fixture = create(2);
    struct rig *rig = fixture.desk->rig;
    trades(&fixture, 2, "-1");
    cr_expect(step(&fixture));
    cr_expect_eq(rig->warnings, 1);
    cr_expect_str_eq(rig->last_alert, PERFORMANCE_CAUSE);
    cr_expect_eq(rig->pages, 0);
    rig_wait(rig, (struct span){SPAN_HOURS(1).ns - 1});
    cr_expect(step(&fixture));
    cr_expect_eq(fixture.breaker->waited.ns, SPAN_HOURS(1).ns - 1);
    rig_wait(rig, (struct span){1});
    cr_expect_not(step(&fixture));
    rig_wait(rig, SPAN_HOURS(30));
    cr_expect_not(step(&fixture), "nothing closed since");
    trade(&fixture, "-1");
    cr_expect(step(&fixture));
    destroy(&fixture);
}

Test(performance_breaker, what_closes_in_a_pause_is_judged_at_its_end) {
    for (int good = 0; good < 2; good++) {
        struct fixture fixture = create(2);
        trades(&fixture, 2, "-1");
        cr_expect(step(&fixture));
        trade(&fixture, good ? "1" : "-1");
        cr_expect(step(&fixture), "the hour is the hour");
        rig_wait(fixture.desk->rig, SPAN_HOURS(1));
        expect(&fixture, !good);
    }
}

/* --- restarts --- */

struct folded {
    struct performance_breaker *breaker;
    int64_t pauses;
};

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct folded *folded = context;
    (void)err;
    folded->pauses += strcmp(row->kind, "pause") == 0;
    performance_breaker_take(folded->breaker, row);
    return ERR_OK;
}

/* A new process: what it knows is in the journal, and the trades, which this test keeps. */
static void restart(struct fixture *fixture, int64_t pauses) {
    struct performance_breaker *breaker = fixture->breaker;
    struct closed_trades *kept = calloc(1, sizeof *kept);
    cr_assert_not_null(kept);
    *kept = breaker->trades;
    memset(breaker, 0, sizeof *breaker);
    breaker->trades = *kept;
    free(kept);
    causes_let_go(&fixture->desk->causes, PERFORMANCE_CAUSE);
    struct folded folded = {.breaker = breaker};
    cr_assert_eq(journal_read(fixture->desk->rig->journal, 0, fold, &folded, NULL), ERR_OK);
    cr_expect_eq(folded.pauses, pauses);
}

Test(performance_breaker, a_restart_goes_on_with_the_pause_and_ends_it_in_its_time) {
    struct fixture fixture = create(2);
    struct rig *rig = fixture.desk->rig;
    trades(&fixture, 2, "-1");
    cr_expect(step(&fixture));
    rig_wait(rig, SPAN_MIN(50));
    restart(&fixture, 1);
    cr_expect(fixture.breaker->is_on, "before any step");
    cr_expect(step(&fixture));
    cr_expect_eq(fixture.breaker->waited.ns, SPAN_MIN(50).ns);
    cr_expect_str_eq(fixture.desk->causes.items[0].why,
                     "2 closed trades brought -1.00 USD each, with 95 % confidence below -1.00");
    restart(&fixture, 1);
    rig_wait(rig, (struct span){SPAN_MIN(10).ns - 1});
    cr_expect(step(&fixture));
    rig_wait(rig, (struct span){1});
    cr_expect_not(step(&fixture));
    restart(&fixture, 1);
    cr_expect_not(step(&fixture), "the same trades, and the row says they were judged");
    destroy(&fixture);
}

Test(performance_breaker,
     what_the_journal_did_not_take_holds_and_is_judged_again_by_the_next_life) {
    struct fixture fixture = create(2);
    struct causes *causes = &fixture.desk->causes;
    struct journal *journal = causes->journal;
    trades(&fixture, 2, "-1");
    causes->journal = NULL;
    cr_expect(step(&fixture));
    causes->journal = journal;
    restart(&fixture, 0);
    cr_expect_not(fixture.breaker->is_on);
    cr_expect(step(&fixture));
    restart(&fixture, 1);
    cr_expect(fixture.breaker->is_on);
    destroy(&fixture);
}

static void pause_of_another_boot(struct fixture *fixture, struct span ago, struct span broker_ago,
                                  bool has_broker) {
    struct utc now = rig_now(fixture->desk->rig);
    char body[200];
    char broker[UTC_TEXT_MAX];
    utc_print(has_broker ? utc_add(now, (struct span){-broker_ago.ns}) : (struct utc){0}, broker);
    snprintf(body, sizeof body,
             "{\"boot\":\"another\",\"mono\":\"9\",\"broker\":\"%s\",\"judged_to\":4}", broker);
    struct journal_row row = {.at = utc_add(now, (struct span){-ago.ns}),
                              .seq = 5,
                              .kind = "pause",
                              .key = PERFORMANCE_CAUSE,
                              .body = body};
    trades(fixture, 2, "-1");
    performance_breaker_take(fixture->breaker, &row);
}

Test(performance_breaker, from_boot_to_boot_the_clock_that_says_less_decides) {
    static const struct {
        int64_t wall_min, broker_min;
        bool is_on;
    } rows[] = {{60, 60, false}, {59, 60, true}, {60, 59, true}, {-60, 60, true}, {60, -60, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create(2);
        pause_of_another_boot(&fixture, SPAN_MIN(rows[i].wall_min), SPAN_MIN(rows[i].broker_min),
                              true);
        expect(&fixture, rows[i].is_on);
    }
}

Test(performance_breaker, of_another_boot_it_goes_on_until_the_broker_told_his_clock) {
    struct fixture fixture = create(2);
    struct desk *desk = fixture.desk;
    pause_of_another_boot(&fixture, SPAN_HOURS(30), SPAN_HOURS(30), true);
    performance_breaker_step(fixture.breaker, &desk->causes, &desk->config, fixture.baseline,
                             (struct utc){0});
    cr_expect(fixture.breaker->is_on);
    cr_expect_not(causes_has(&desk->causes, PERFORMANCE_CAUSE), "what is not known is not told");
    expect(&fixture, false);
}

Test(performance_breaker, of_another_boot_and_of_no_clock_it_begins_anew) {
    struct fixture fixture = create(2);
    pause_of_another_boot(&fixture, SPAN_HOURS(30), SPAN_HOURS(30), false);
    cr_expect(step(&fixture));
    rig_wait(fixture.desk->rig, (struct span){SPAN_HOURS(1).ns - 1});
    cr_expect(step(&fixture));
    rig_wait(fixture.desk->rig, (struct span){1});
    expect(&fixture, false);
}

Test(performance_breaker, a_row_that_says_nothing_pauses_and_ends) {
    struct fixture fixture = create(2);
    struct journal_row row = {.at = rig_now(fixture.desk->rig),
                              .seq = 9,
                              .kind = "pause",
                              .key = PERFORMANCE_CAUSE,
                              .body = "torn"};
    performance_breaker_take(fixture.breaker, &row);
    row.key = "lunch";
    performance_breaker_take(fixture.breaker, &row);
    cr_expect(step(&fixture));
    rig_wait(fixture.desk->rig, SPAN_HOURS(1));
    expect(&fixture, false);
}

/* --- at the gateway --- */

Test(performance_breaker, it_refuses_entries_and_knows_nothing_of_exits_and_stops) {
    struct fixture fixture = create(2);
    struct desk *desk = fixture.desk;
    struct refusal refusal = {0};
    struct order entry = desk_intent(PURPOSE_ENTRY, 5);
    cr_expect_eq(check_intent(&desk->gateway, &entry, false, &refusal), REFUSED_NONE);
    trades(&fixture, 2, "-1");
    cr_expect(step(&fixture));
    rig_wait(desk->rig, SPAN_S(2));
    cr_expect(step(&fixture));
    cr_expect_eq(check_intent(&desk->gateway, &entry, false, &refusal), REFUSED_PERFORMANCE);
    cr_expect_str_eq(refusal.numbers, "2 against 3600");
    desk_hold(desk, "AAPL", 5);
    struct order leave = desk_intent(PURPOSE_EXIT, 5);
    struct order stop = desk_intent(PURPOSE_STOP, 5);
    bool is_exit = intent_is_exit(&desk->gateway, &leave);
    cr_expect_eq(check_intent(&desk->gateway, &leave, is_exit, &refusal), REFUSED_NONE);
    is_exit = intent_is_exit(&desk->gateway, &stop);
    cr_expect_eq(check_intent(&desk->gateway, &stop, is_exit, &refusal), REFUSED_NONE);
    destroy(&fixture);
}

Test(performance_breaker, the_gateway_counts_rows_and_steps) {
    struct fixture fixture = create(2);
    struct desk *desk = fixture.desk;
    for (int64_t i = 0; i < 2; i++) {
        static const char *const bodies[] = {
            "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"1\",\"amount\":\"100\"}",
            "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"1\",\"amount\":\"99\"}"};
        for (int64_t k = 0; k < 2; k++) {
            struct journal_row row = {
                .seq = 2 * i + k + 1, .kind = "fill", .key = "st-1", .body = bodies[k]};
            gateway_count(&desk->gateway, &row);
        }
    }
    gateway_latch_due(&desk->gateway);
    cr_expect(fixture.breaker->is_on);
    cr_expect(causes_has(&desk->causes, PERFORMANCE_CAUSE));
    destroy(&fixture);
}
