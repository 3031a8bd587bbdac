/* test_daily_volume.c - each limit of a day at its exact bound and one step before it, the 80 % alert, and
 * what a day, a clear, a restart and a row that says nothing leave. */
#include "core/risk/daily_volume.h"
#include "tests/unit/risk_rig.h"

#include <stdlib.h>

struct fixture {
    struct risk_rig risk;
    struct daily_volume volume;
    int serial;
};

static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    risk_rig_open(&fixture->risk);
    return fixture;
}

/* Minutes after 10:00 in New York, on a Tuesday. */
static struct utc at(int64_t minute) {
    return utc_add(ny_to_utc((struct date){19676}, 10, 0), SPAN_MIN(minute));
}

static void row(struct fixture *fixture, int64_t minute, const char *kind, const char *key,
                const char *body) {
    struct journal_row row = {.at = at(minute), .kind = kind, .key = key, .body = body};
    daily_volume_take(&fixture->volume, &fixture->risk.config, &row);
}

static void baseline(struct fixture *fixture) {
    row(fixture, 0, "baseline", "2023-11-14", "{\"usd\":\"100000\"}");
}

static void fill(struct fixture *fixture, int64_t minute, const char *side, const char *qty,
                 const char *amount) {
    char body[192];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"%s\",\"amount\":\"%s\"}", side, qty,
             amount);
    row(fixture, minute, "fill", "st-1", body);
}

/* So many rows of a kind and state, each about another order. */
static void orders(struct fixture *fixture, int64_t minute, int count, const char *kind,
                   const char *body) {
    for (int i = 0; i < count; i++) {
        char id[24];
        snprintf(id, sizeof id, "st-%d", fixture->serial++);
        row(fixture, minute, kind, id, body);
    }
}

static const char INTENT[] = "{\"state\":\"intent\",\"replaces\":\"\"}";
static const char REPRICE[] = "{\"state\":\"intent\",\"replaces\":\"st-0\"}";
static const char CANCELED[] = "{\"state\":\"canceled\",\"replaces\":\"\"}";

static int64_t trips(const struct fixture *fixture, const char *symbol, int64_t minute) {
    return daily_volume_trips(&fixture->volume, symbol, at(minute), NULL);
}

static void is_latched(struct fixture *fixture, bool want) {
    daily_volume_step(&fixture->volume, &fixture->risk.causes);
    cr_expect_eq(causes_has(&fixture->risk.causes, "daily_volume"), want, "%s",
                 fixture->volume.why);
    cr_expect_eq(causes_mode(&fixture->risk.causes), want ? MODE_REDUCE_ONLY : MODE_NORMAL);
}

static void expect(struct fixture *fixture, bool want) {
    is_latched(fixture, want);
    risk_rig_close(&fixture->risk);
    free(fixture);
}

Test(daily_volume, half_the_equity_in_an_hour_latches_and_a_nano_less_does_not) {
    static const struct {
        const char *first, *second;
        int64_t minute;
        bool is_latched;
    } rows[] = {{"30000", "19999.999999999", 59, false},
                {"30000", "20000", 59, true},
                {"30000", "-20000", 59, true},
                {"30000", "20000", 60, false},
                {"0", "50000", 0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        baseline(fixture);
        fill(fixture, 0, "buy", "100", rows[i].first);
        fill(fixture, rows[i].minute, "sell", "50", rows[i].second);
        expect(fixture, rows[i].is_latched);
    }
}

Test(daily_volume, twice_the_equity_in_a_day_latches_whatever_the_hours_held) {
    for (int last = 0; last < 2; last++) {
        struct fixture *fixture = create();
        baseline(fixture);
        for (int hour = 0; hour < 4; hour++) {
            fill(fixture, 61 * hour, "buy", "100", "49999.999999999");
        }
        is_latched(fixture, false);
        fill(fixture, 61 * 4, "buy", "1", last ? "0.000000004" : "0.000000003");
        expect(fixture, last);
    }
}

Test(daily_volume, without_a_baseline_dollars_are_not_judged_and_counts_are) {
    struct fixture *fixture = create();
    fill(fixture, 0, "buy", "100", "900000000");
    is_latched(fixture, false);
    row(fixture, 0, "baseline", "2023-11-14", "{\"usd\":\"0\"}");
    fill(fixture, 0, "buy", "100", "900000000");
    is_latched(fixture, false);
    orders(fixture, 1, 200, "intent", INTENT);
    expect(fixture, true);
}

Test(daily_volume, two_hundred_orders_or_cancels_latch_and_new_prices_do_not) {
    static const struct {
        const char *kind, *body;
        int count;
        bool is_latched;
    } rows[] = {{"intent", INTENT, 199, false},  {"intent", INTENT, 200, true},
                {"intent", REPRICE, 300, false}, {"order", CANCELED, 199, false},
                {"order", CANCELED, 200, true},  {"order", INTENT, 300, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        orders(fixture, 0, rows[i].count, rows[i].kind, rows[i].body);
        expect(fixture, rows[i].is_latched);
    }
}

Test(daily_volume, a_cancel_told_twice_is_one_and_an_order_that_never_left_is_none) {
    struct fixture *fixture = create();
    for (int i = 0; i < 300; i++) {
        row(fixture, 0, "order", "st-1", CANCELED);
    }
    is_latched(fixture, false);
    orders(fixture, 0, 200, "intent", INTENT);
    row(fixture, 0, "order", "st-199", "{\"state\":\"not_sent\",\"replaces\":\"\"}");
    is_latched(fixture, false);
    orders(fixture, 0, 1, "intent", INTENT);
    expect(fixture, true);
}

Test(daily_volume, the_eighth_round_trip_of_a_symbol_latches_and_parts_are_none) {
    for (int trips = 7; trips <= 8; trips++) {
        struct fixture *fixture = create();
        for (int i = 0; i < trips; i++) {
            fill(fixture, i, "buy", "10", "1");
            fill(fixture, i, "sell", "4", "1");
            is_latched(fixture, false);
            fill(fixture, i, "sell", "6", "1");
        }
        expect(fixture, trips == 8);
    }
    struct fixture *fixture = create();
    for (int i = 0; i < 9; i++) {
        row(fixture, i, "adopt", "AAPL", i % 2 ? "{\"qty\":\"0\"}" : "{\"qty\":\"10\"}");
    }
    fill(fixture, 9, "sell", "10", "1");
    expect(fixture, false);
}

Test(daily_volume, round_trips_are_told_by_symbol_and_day) {
    struct fixture *fixture = create();
    fill(fixture, 0, "buy", "10", "1");
    cr_expect_eq(trips(fixture, "AAPL", 0), 0, "held");
    fill(fixture, 1, "sell", "10", "1");
    cr_expect_eq(trips(fixture, "AAPL", 2), 1);
    cr_expect_eq(trips(fixture, "MSFT", 2), 0);
    cr_expect_eq(trips(fixture, "AAPL", 24 * 60), 0, "another day, of which no row came yet");
    row(fixture, 3, "latch_clear", "daily_volume", "{}");
    cr_expect_eq(trips(fixture, "AAPL", 4), 0, "granted anew");
    expect(fixture, false);
}

static int64_t ended(const struct fixture *fixture, int64_t minute) {
    struct utc end = {0};
    (void)daily_volume_trips(&fixture->volume, "AAPL", at(minute), &end);
    return end.ns == 0 ? -1 : utc_sub(end, at(0)).ns / SPAN_MIN(1).ns;
}

Test(daily_volume, a_trip_ended_at_its_row_and_in_doubt_when_the_wall_agrees_again) {
    struct fixture *fixture = create();
    fill(fixture, 0, "buy", "10", "1");
    cr_expect_eq(ended(fixture, 1), -1, "held");
    fill(fixture, 1, "sell", "10", "1");
    row(fixture, 2, "clock", "agrees", "{}");
    cr_expect_eq(ended(fixture, 3), 1);
    row(fixture, 3, "clock", "doubted", "{}");
    row(fixture, 4, "clock", "agrees", "{}");
    cr_expect_eq(ended(fixture, 5), 1, "before the doubt");
    row(fixture, 5, "clock", "doubted", "{}");
    fill(fixture, 6, "buy", "10", "1");
    fill(fixture, 7, "sell", "10", "1");
    cr_expect_eq(ended(fixture, 8), 7);
    row(fixture, 9, "clock", "agrees", "{}");
    cr_expect_eq(ended(fixture, 10), 9, "in doubt");
    row(fixture, 8, "clock", "agrees", "{}");
    cr_expect_eq(ended(fixture, 10), 8, "beyond the wall that agrees");
    row(fixture, 11, "latch_clear", "daily_volume", "{}");
    cr_expect_eq(ended(fixture, 12), -1, "granted anew");
    expect(fixture, false);
}

Test(daily_volume, four_fifths_of_a_limit_are_told_once_a_day_and_life) {
    struct fixture *fixture = create();
    orders(fixture, 0, 159, "intent", INTENT);
    is_latched(fixture, false);
    cr_expect_eq(fixture->risk.rig->warnings, 0);
    orders(fixture, 0, 1, "intent", INTENT);
    is_latched(fixture, false);
    cr_expect_eq(fixture->risk.rig->warnings, 1);
    cr_expect_str_eq(fixture->risk.rig->last_alert, "daily_volume_orders_80");
    orders(fixture, 0, 1, "intent", INTENT);
    row(fixture, 0, "start", "build", "{}");
    orders(fixture, 0, 1, "intent", INTENT);
    is_latched(fixture, false);
    cr_expect_eq(fixture->risk.rig->warnings, 1);
    expect(fixture, false);
}

/* New York's midnight is 14 hours after 10:00; UTC's is nine. */
Test(daily_volume, the_day_is_new_yorks_and_only_goes_forward) {
    static const int64_t minutes[] = {9 * 60 + 1, 14 * 60 - 1, 14 * 60, -11 * 60};
    for (int i = 0; i < 4; i++) {
        struct fixture *fixture = create();
        orders(fixture, 0, 199, "intent", INTENT);
        orders(fixture, minutes[i], 1, "intent", INTENT);
        expect(fixture, i != 2);
    }
}

Test(daily_volume, a_restart_counts_on_and_a_clear_grants_the_day_anew) {
    static const struct {
        const char *kind, *key;
        bool is_latched;
    } rows[] = {{"start", "build", true},
                {"latch_clear", "daily_volume", false},
                {"latch_clear", "daily_loss", true}};
    for (size_t i = 0; i < 3; i++) {
        struct fixture *fixture = create();
        orders(fixture, 0, 199, "intent", INTENT);
        row(fixture, 0, rows[i].kind, rows[i].key, "{}");
        orders(fixture, 0, 1, "intent", INTENT);
        expect(fixture, rows[i].is_latched);
    }
}

Test(daily_volume, rows_that_say_nothing_or_nonsense_count_no_dollars) {
    static const char *const bodies[] = {"",
                                         "{}",
                                         "[]",
                                         "null",
                                         "{\"symbol\":7}",
                                         "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"x\"}"};
    static const char *const kinds[] = {"fill", "adopt", "order", "probe", "baseline"};
    struct fixture *fixture = create();
    baseline(fixture);
    for (int i = 0; i < 30; i++) {
        row(fixture, i, kinds[i / 6], "AAPL", bodies[i % 6]);
    }
    cr_expect_eq(fixture->volume.equity.nanos, USD(100000).nanos);
    expect(fixture, false);
}
