/* test_repeat_throttle.c - how often is too often, to the nanosecond; what counts once; what a restart, a
 * clear and a row that says nothing leave. */
#include "core/risk/repeat_throttle.h"
#include "tests/unit/risk_rig.h"

#include <stdlib.h>

struct fixture {
    struct risk_rig risk;
    struct repeat_throttle throttle;
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

static struct utc at(int64_t ms) {
    return (struct utc){INT64_C(1700000000000000000) + ms * 1000000};
}

static void row(struct fixture *fixture, int64_t ms, const char *kind, const char *key,
                const char *body) {
    struct journal_row row = {.at = at(ms), .kind = kind, .key = key, .body = body};
    repeat_throttle_take(&fixture->throttle, &fixture->risk.config, &row);
}

static void intent(struct fixture *fixture, int64_t ms, const char *id, const char *side,
                   const char *purpose, const char *replaces) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"purpose\":\"%s\",\"replaces\":\"%s\","
             "\"qty\":\"%lld\"}",
             side, purpose, replaces, (long long)(1 + ms / 1000));
    row(fixture, ms, "intent", id, body);
}

static void fill(struct fixture *fixture, int64_t ms, const char *id, const char *side,
                 const char *qty) {
    char body[256];
    char time[UTC_TEXT_MAX];
    utc_print(at(ms), time);
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"%s\",\"at\":\"%s\"}", side, qty, time);
    row(fixture, ms, "fill", id, body);
}

/* Booked at one time, journaled at another. */
static void fill_late(struct fixture *fixture, int64_t booked_ms, int64_t ms, const char *id) {
    char body[256];
    char time[UTC_TEXT_MAX];
    utc_print(at(booked_ms), time);
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"1\",\"at\":\"%s\"}", time);
    row(fixture, ms, "fill", id, body);
}

static void exit_is(struct fixture *fixture, int64_t ms, int64_t decided_ms, const char *phase) {
    char body[256];
    char time[UTC_TEXT_MAX];
    utc_print(at(decided_ms), time);
    snprintf(body, sizeof body, "{\"phase\":\"%s\",\"start\":\"10\",\"decided_at\":\"%s\"}", phase,
             time);
    row(fixture, ms, "exit", "AAPL", body);
}

static void expect(struct fixture *fixture, bool is_latched) {
    repeat_throttle_step(&fixture->throttle, &fixture->risk.causes);
    cr_expect_eq(causes_has(&fixture->risk.causes, "repeat_throttle"), is_latched, "%s",
                 fixture->throttle.why);
    cr_expect_eq(causes_mode(&fixture->risk.causes), is_latched ? MODE_REDUCE_ONLY : MODE_NORMAL);
    destroy(fixture);
}

/* Five in a minute, each of another size: the fifth latches, if less than the window lies between. */
Test(repeat_throttle, five_within_the_window_latch_and_four_or_a_nanosecond_more_do_not) {
    static const struct {
        int count;
        int64_t last_ms;
        bool is_latched;
    } rows[] = {{4, 59999, false}, {5, 59999, true}, {5, 60000, false}, {5, 0, true}};
    static const char *const kinds[][2] = {
        {"buy", "entry"}, {"sell", "exit"}, {"sell", "stop"}, {"sell", "scale_out"}};
    for (size_t i = 0; i < 16; i++) {
        struct fixture *fixture = create();
        for (int n = 0; n < rows[i % 4].count; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            int64_t ms = n == rows[i % 4].count - 1 ? rows[i % 4].last_ms : n;
            intent(fixture, rows[i % 4].last_ms == 0 ? 0 : ms, id, kinds[i / 4][0], kinds[i / 4][1],
                   "");
        }
        expect(fixture, rows[i % 4].is_latched);
    }
}

Test(repeat_throttle, symbols_sides_stops_and_sends_and_fills_count_apart) {
    struct fixture *fixture = create();
    for (int n = 0; n < 4; n++) {
        char id[16];
        snprintf(id, sizeof id, "st-%d", n);
        intent(fixture, n, id, "buy", "entry", "");
        fill(fixture, n, id, "buy", "1");
        snprintf(id, sizeof id, "st-1%d", n);
        intent(fixture, n, id, "sell", "exit", "");
        fill(fixture, n, id, "sell", "1");
        snprintf(id, sizeof id, "st-2%d", n);
        intent(fixture, n, id, "sell", "stop", "");
    }
    row(fixture, 9, "intent", "st-9",
        "{\"symbol\":\"MSFT\",\"side\":\"buy\",\"purpose\":\"entry\",\"replaces\":\"\"}");
    expect(fixture, false);
}

Test(repeat_throttle, orders_filled_count_however_long_ago_they_were_sent_and_parts_once) {
    for (int orders = 4; orders <= 5; orders++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 10; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n % orders);
            fill(fixture, n, id, "buy", "0.5");
        }
        expect(fixture, orders == 5);
    }
}

/* Ten prices and ten parts are one exit; five exits are five. */
Test(repeat_throttle, an_exit_counts_once_with_all_its_prices_and_parts) {
    struct fixture *fixture = create();
    exit_is(fixture, 0, 0, "decided");
    for (int n = 1; n <= 10; n++) {
        char id[16];
        snprintf(id, sizeof id, "st-%d", n);
        intent(fixture, n, id, "sell", "exit", n % 2 == 0 ? "st-1" : "");
        fill(fixture, n, id, "sell", "1");
        exit_is(fixture, n, 0, "decided"); /* it begins again, and is the same */
    }
    expect(fixture, false);
    fixture = create();
    for (int n = 1; n <= 5; n++) {
        char id[16];
        snprintf(id, sizeof id, "st-%d", n);
        exit_is(fixture, n, n, "decided");
        intent(fixture, n, id, "sell", "exit", "");
        exit_is(fixture, n, n, "over");
    }
    expect(fixture, true);
}

Test(repeat_throttle,
     an_exit_that_sold_more_than_was_held_latches_and_one_that_sold_it_all_does_not) {
    static const struct {
        const char *sold, *bought, *adopted;
        bool is_latched;
    } rows[] = {{"10", NULL, NULL, false},
                {"10.000000001", NULL, NULL, true},
                {"12", "2", NULL, false},
                {"12.5", "2", NULL, true},
                {"13", NULL, "{\"qty\":\"5\",\"was\":\"2\"}", false},
                {"11", NULL, "{\"qty\":\"2\",\"was\":\"5\"}", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        exit_is(fixture, 5, 5, "decided");
        fill(fixture, 5, "st-1", "sell", "7"); /* in what was held by then */
        if (rows[i].bought != NULL) {
            fill(fixture, 6, "st-2", "buy", rows[i].bought);
        }
        if (rows[i].adopted != NULL) {
            row(fixture, 7, "adopt", "AAPL", rows[i].adopted);
        }
        fill(fixture, 8, "st-3", "sell", rows[i].sold);
        expect(fixture, rows[i].is_latched);
    }
}

Test(repeat_throttle, what_never_left_is_taken_back_and_makes_room) {
    for (int left = 0; left < 2; left++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 5; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            intent(fixture, n, id, "buy", "entry", "");
        }
        row(fixture, 6, "order", "st-4",
            left ? "{\"state\":\"unknown\"}" : "{\"state\":\"not_sent\"}");
        expect(fixture, left);
    }
}

/* A broker that rejects a stop is asked again at growing pauses: one intent. One that cancels it is not. */
Test(repeat_throttle, a_stop_that_was_rejected_does_not_count) {
    for (int is_rejected = 0; is_rejected < 2; is_rejected++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 8; n++) {
            char id[16];
            char body[80];
            snprintf(id, sizeof id, "st-%d", n);
            snprintf(body, sizeof body, "{\"purpose\":\"stop\",\"state\":\"%s\"}",
                     is_rejected ? "rejected" : "canceled");
            intent(fixture, 2 * n, id, "sell", "stop", "");
            row(fixture, 2 * n + 1, "order", id, body);
        }
        expect(fixture, !is_rejected);
    }
}

/* A start is journaled only once what was due is latched. */
Test(repeat_throttle, a_start_ends_what_was_due_and_not_what_was_counted) {
    for (int more = 0; more < 2; more++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 5; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            intent(fixture, n, id, "buy", "entry", "");
        }
        row(fixture, 6, "start", "build", "{}");
        if (more) {
            intent(fixture, 7, "st-7", "buy", "entry", "");
        }
        expect(fixture, more);
    }
}

Test(repeat_throttle, a_clear_by_an_operator_begins_anew_and_only_one_of_this_cause) {
    static const char *const cleared[] = {"repeat_throttle", "daily_loss"};
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 8; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            if (n == 4) {
                row(fixture, n, "latch_clear", cleared[i], "{}");
            }
            intent(fixture, n, id, "buy", "entry", "");
        }
        expect(fixture, i == 1);
    }
}

Test(repeat_throttle, rows_that_say_nothing_or_nonsense_count_nothing) {
    static const char *const bodies[] = {
        "", "{}", "[]", "null", "{\"symbol\":7}", "{\"symbol\":\"AAPL\",\"side\":\"buy\"}"};
    static const char *const kinds[] = {"intent", "fill", "exit", "adopt", "order", "probe"};
    struct fixture *fixture = create();
    for (int i = 0; i < 36; i++) {
        row(fixture, i, kinds[i / 6], "AAPL", bodies[i % 6]);
        row(fixture, i, kinds[i / 6], "", bodies[i % 6]);
    }
    expect(fixture, false);
}

Test(repeat_throttle, fills_that_the_journal_took_late_count_as_of_when_they_were_booked) {
    static const int64_t apart_ms[] = {15000, 14999};
    for (size_t i = 0; i < 2; i++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 5; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            fill_late(fixture, n * apart_ms[i], 3600000, id);
        }
        expect(fixture, i == 1);
    }
}

Test(repeat_throttle, a_wall_that_was_set_back_or_ahead_counts_as_far_as_it_shows) {
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = create();
        for (int n = 0; n < 5; n++) {
            char id[16];
            snprintf(id, sizeof id, "st-%d", n);
            intent(fixture, n < 4 ? 0 : i ? -59999 : -60000, id, "buy", "entry", "");
        }
        expect(fixture, i == 1);
    }
}

/* --- entries that are worked --- */

static void reprice(struct fixture *fixture, int64_t ms, const char *id, int attempt) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"purpose\":\"entry\",\"replaces\":\"\","
             "\"qty\":\"1\",\"attempt\":%d,\"of\":\"st-1\"}",
             attempt);
    row(fixture, ms, "intent", id, body);
}

static size_t counted(const struct fixture *fixture) {
    size_t count = 0;
    for (size_t i = 0; i < REPEAT_EVENTS_MAX; i++) {
        count += fixture->throttle.events[i].kind != REPEAT_NONE;
    }
    return count;
}

Test(repeat_throttle, an_entry_is_one_with_no_more_prices_than_it_may_have) {
    struct fixture *fixture = create();
    int tries = (int)fixture->risk.config.maker_tries;
    intent(fixture, 0, "st-1", "buy", "entry", "");
    for (int i = 2; i <= tries + 1; i++) {
        char id[32];
        snprintf(id, sizeof id, "st-%d", i);
        reprice(fixture, i, id, i);
    }
    cr_expect_eq(counted(fixture), 1);
    reprice(fixture, 90, "st-90", tries + 2);
    reprice(fixture, 91, "st-91", tries + 3);
    cr_expect_eq(counted(fixture), 3, "and each beyond is one");
    destroy(fixture);
}

Test(repeat_throttle, what_never_left_is_taken_back_by_who_was_counted) {
    static const char none[] = "{\"symbol\":\"AAPL\",\"state\":\"not_sent\"}";
    struct fixture *fixture = create();
    intent(fixture, 0, "st-1", "buy", "entry", "");
    reprice(fixture, 1, "st-2", 2);
    row(fixture, 2, "order", "st-2", none);
    cr_expect_eq(counted(fixture), 1, "the first left");
    row(fixture, 3, "order", "st-1", none);
    cr_expect_eq(counted(fixture), 0);
    reprice(fixture, 4, "st-3", 2);
    cr_expect_eq(counted(fixture), 1);
    row(fixture, 5, "order", "st-3", none);
    cr_expect_eq(counted(fixture), 0);
    destroy(fixture);
}
