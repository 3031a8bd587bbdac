/* test_judges_trips.c - the list of trips: which its oracle demanded, which not, which did not come; whom each told and
 * when it ended. */
#include "tests/unit/stream.h"

struct run {
    struct oracle *oracle;
    int64_t seq;
};

/* daily_volume: two orders a day. */
static struct run begin(void) {
    struct run run = {.oracle = oracle_create(), .seq = 10};
    frame(run.oracle, "volume.orders", "2");
    word(run.oracle, EVENT_START, 0, "ready", "");
    word(run.oracle, EVENT_TICK, 0, "tick", "");
    return run;
}

static void order(struct run *run, int64_t second, const char *id) {
    row_at(run->oracle, second, run->seq++, "intent", id,
           "{\"state\":\"intent\",\"replaces\":\"\"}");
}

static void two_orders(struct run *run) {
    order(run, 1, "st-2023-11-14-1");
    order(run, 3, "st-2023-11-14-2");
}

static void says_latched(struct run *run, int64_t second, const char *what, const char *by,
                         bool is_latched) {
    char body[192];
    snprintf(body, sizeof body,
             "\"cause\":\"daily_volume\",\"mode\":\"REDUCE_ONLY\",\"latched\":%s,"
             "\"by\":\"%s\",\"why\":\"2 orders\"",
             is_latched ? "true" : "false", by);
    feed(run->oracle, (struct event){.kind = EVENT_MECHANISM,
                                     .at = at(second),
                                     .subject = "daily_volume",
                                     .what = what,
                                     .id = "daily_volume",
                                     .body = body,
                                     .body_len = strlen(body)});
}

static void says(struct run *run, int64_t second, const char *what, const char *by) {
    says_latched(run, second, what, by, false);
}

/* The verdict holds this so many times. */
static void expect_times(struct run *run, const char *part, int times) {
    struct text verdict = {0};
    int count = 0;
    oracle_verdict(run->oracle, &verdict);
    for (const char *at = text_get(&verdict); (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    cr_expect_eq(count, times, "%d of %s in %s", count, part, text_get(&verdict));
    text_release(&verdict);
}

static void expect_trips(struct run *run, const char *list) {
    struct text trips = {0};
    oracle_print_trips(run->oracle, &trips);
    cr_expect_str_eq(text_get(&trips), list);
    text_release(&trips);
    oracle_destroy(run->oracle);
}

static void expect_misjudged(struct run *run, const char *lines) {
    struct text text = {0};
    size_t count = oracle_print_misjudged(run->oracle, &text);
    cr_expect_eq(count, lines[0] != '\0');
    cr_expect_str_eq(text.len > 0 ? text_get(&text) : "", lines);
    text_release(&text);
}

#define TRIP(at, until, due, late, why, alert, word)                                               \
    "[{\"mechanism\":\"daily_volume\",\"cause\":\"daily_volume\",\"mode\":\"REDUCE_ONLY\","        \
    "\"at\":\"2023-11-14T22:13:" at "Z\",\"until\":" until ",\"due\":" due ",\"late_ms\":" late    \
    ",\"why\":\"" why "\",\"alert\":\"" alert "\",\"oracle\":\"" word "\"}]"

Test(trips, one_that_its_oracle_demanded_says_since_when_whom_it_told_and_until_when) {
    struct run run = begin();
    two_orders(&run);
    word(run.oracle, EVENT_ALERT, 4, "warn", "something_else");
    word(run.oracle, EVENT_ALERT, 4, "page", "daily_volume");
    says(&run, 4, "acted", "core");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    says(&run, 9, "released", "core");
    word(run.oracle, EVENT_TICK, 9, "tick", "");
    expect_misjudged(&run, "");
    expect_trips(&run, TRIP("24", "\"2023-11-14T22:13:29Z\"", "\"2023-11-14T22:13:23Z\"", "1000",
                            "2 orders", "page", "demanded"));
}

Test(trips, one_for_nothing_is_false_and_a_persons_is_an_operators) {
    struct run run = begin();
    order(&run, 1, "st-2023-11-14-1");
    says(&run, 2, "acted", "core");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    expect_misjudged(&run, "scored daily_volume: 0 missed, 1 false\n");
    expect_trips(&run, TRIP("22", "null", "null", "0", "2 orders", "", "false"));
    run = begin();
    says(&run, 2, "acted", "anne");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    expect_misjudged(&run, "");
    expect_trips(&run, TRIP("22", "null", "null", "0", "2 orders", "", "operator"));
}

Test(trips, what_a_life_begins_with_before_its_first_tick_is_no_trip_of_this_day) {
    struct run run = {.oracle = oracle_create(), .seq = 10};
    says(&run, 2, "acted", "core");
    expect_trips(&run, TRIP("22", "null", "null", "0", "2 orders", "", "start"));
}

Test(trips, what_a_document_or_a_flag_says_is_a_start_and_a_flag_may_be_false) {
    static const char *const by[] = {"document", "flag"};
    for (size_t i = 0; i < 2; i++) {
        struct run run = begin();
        char body[128];
        snprintf(body, sizeof body, "\"mode\":\"REDUCE_ONLY\",\"latched\":false,\"by\":\"%s\"",
                 by[i]);
        frame(run.oracle, "crash.starts", "5");
        body_of(run.oracle, EVENT_MECHANISM, 2, "crash_loop_freeze", "acted", body);
        expect_times(&run, "\"oracle\":\"start\"", 1);
        word(run.oracle, EVENT_TICK, 2, "tick", "");
        expect_times(&run, "\"oracle\":\"start\"", i == 0);
        expect_times(&run, "\"oracle\":\"false\"", i == 1);
        oracle_destroy(run.oracle);
    }
}

Test(trips, an_end_is_of_each_that_is_open_and_a_lifes_end_of_what_was_not_latched) {
    struct run run = begin();
    says(&run, 1, "acted", "anne");
    says(&run, 2, "acted", "anne");
    says(&run, 3, "released", "anne");
    expect_times(&run, "\"until\":\"2023-11-14T22:13:23Z\"", 2);
    says(&run, 4, "acted", "anne");
    says_latched(&run, 5, "acted", "anne", true);
    word(run.oracle, EVENT_STOP, 6, "clean", "");
    says(&run, 7, "acted", "core");
    expect_times(&run, "\"until\":\"2023-11-14T22:13:26Z\"", 1);
    expect_times(&run, "\"until\":null", 2);
    expect_times(&run, "\"until\":\"2023-11-14T22:13:23Z\"", 2);
    oracle_destroy(run.oracle);
}

Test(trips, the_alert_of_one_is_found_behind_many_others) {
    struct run run = begin();
    for (int i = 0; i < 20; i++) {
        char key[24];
        snprintf(key, sizeof key, "other_%d", i);
        word(run.oracle, EVENT_ALERT, 2, "warn", key);
    }
    word(run.oracle, EVENT_ALERT, 2, "page", "daily_volume");
    says(&run, 2, "acted", "anne");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    expect_trips(&run, TRIP("22", "null", "null", "0", "2 orders", "page", "operator"));
}

/* Metrics that a clean stop left untold: due where the stream ends, which no tick follows. */
Test(trips, what_is_missed_where_the_stream_ends_is_in_the_list_and_due_then) {
    struct run run = {.oracle = oracle_create(), .seq = 10};
    frame(run.oracle, "metrics", "1");
    word(run.oracle, EVENT_START, 0, "ready", "");
    word(run.oracle, EVENT_TICK, 0, "tick", "");
    word(run.oracle, EVENT_STOP, 1, "clean", "");
    word(run.oracle, EVENT_END, 3, "", "");
    expect_times(&run,
                 "\"due\":\"2023-11-14T22:13:23Z\",\"late_ms\":0,\"why\":\"\",\"alert\":\"\","
                 "\"oracle\":\"missed\"",
                 1);
    oracle_destroy(run.oracle);
}

Test(trips, a_false_act_without_a_place_is_one) {
    struct run run = begin();
    for (int i = 0; i < 1024; i++) {
        says(&run, 2, "acted", "anne");
    }
    says(&run, 2, "acted", "core");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    expect_misjudged(&run, "scored daily_volume: 0 missed, 1 false\n");
    expect_times(&run, "\"trips_not_shown\":1,", 1);
    oracle_destroy(run.oracle);
}

Test(trips, one_that_did_not_come_is_missed) {
    struct run run = begin();
    two_orders(&run);
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    word(run.oracle, EVENT_TICK, 9, "tick", "");
    expect_misjudged(&run, "scored daily_volume: 1 missed, 0 false\n");
    struct text trips = {0};
    oracle_print_trips(run.oracle, &trips);
    cr_expect_not_null(
        strstr(text_get(&trips), "\"due\":\"2023-11-14T22:13:23Z\",\"late_ms\":1000"), "%s",
        text_get(&trips));
    cr_expect_not_null(strstr(text_get(&trips), "\"oracle\":\"missed\"}]"), "%s", text_get(&trips));
    text_release(&trips);
    oracle_destroy(run.oracle);
}

Test(trips, an_act_that_demands_no_mode_is_none_and_no_more_are_kept_than_have_a_place) {
    struct run run = begin();
    body_of(run.oracle, EVENT_MECHANISM, 1, "protective_stops", "acted", "\"qty\":\"3\"");
    word(run.oracle, EVENT_TICK, 1, "tick", "");
    expect_trips(&run, "[]");
    run = begin();
    for (int i = 0; i < 1026; i++) {
        says(&run, 2, "acted", "anne");
    }
    struct text verdict = {0};
    oracle_verdict(run.oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), "\"trips_not_shown\":2"));
    text_release(&verdict);
    oracle_destroy(run.oracle);
}
