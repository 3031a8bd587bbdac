/* test_windows.c - around what a run's windows lie. */
#include "scenarios/windows.h"

#include "core/base/check.h"
#include "scenarios/stage.h"
#include "scenarios/suite.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define DAY 1000000000LL * 1000000 /* some instant; the events of a case count seconds from it */
#define EVENTS 4

struct told {
    enum event_kind kind;
    int64_t second;
    const char *subject, *what, *body;
};

struct case_of_windows {
    const char *what;
    bool is_planned; /* a fault, or a command at a time of its own */
    struct told told[EVENTS];
    size_t count;
    int64_t from[WINDOWS_MAX], length[WINDOWS_MAX];
};

#define A_FAULT(second)                                                                            \
    { EVENT_FAULT, second, "http.dns", "", "" }
#define AN_ORDER(second)                                                                           \
    { EVENT_LEDGER_ORDER, second, "buy", "new", "" }
#define AN_ACT(second, mechanism, word)                                                            \
    { EVENT_MECHANISM, second, mechanism, word, "" }
#define A_LATCH(second, mechanism)                                                                 \
    { EVENT_MECHANISM, second, mechanism, "acted", "\"latched\":true" }

/* Expected are "kill_switch held" and "max_drawdown acted". */
static const struct case_of_windows cases[] = {
    {"met at once", true, {A_FAULT(100), AN_ACT(110, "kill_switch", "held")}, 1, {95}, {60}},
    {"met late", true, {A_FAULT(100), AN_ACT(900, "kill_switch", "held")}, 2, {95, 885}, {60, 60}},
    {"what nobody expects",
     true,
     {A_FAULT(100), AN_ACT(900, "kill_switch", "acted"), A_LATCH(900, "daily_loss")},
     1,
     {95},
     {60}},
    {"met once before, once behind the fault",
     true,
     {AN_ACT(10, "kill_switch", "held"), A_LATCH(20, "kill_switch"), A_FAULT(300),
      AN_ACT(900, "kill_switch", "held")},
     2,
     {295, 885},
     {60, 60}},
    {"a latch goes before what comes earlier",
     true,
     {A_FAULT(100), AN_ACT(500, "kill_switch", "held"), A_LATCH(900, "max_drawdown")},
     2,
     {95, 885},
     {60, 60}},
    {"the latch of what is expected to hold",
     true,
     {A_FAULT(100), AN_ACT(500, "kill_switch", "held"), A_LATCH(700, "kill_switch")},
     2,
     {95, 685},
     {60, 60}},
    {"the first minute has the latch, not the end",
     true,
     {A_FAULT(100), A_LATCH(110, "max_drawdown"), AN_ACT(500, "kill_switch", "held")},
     2,
     {95, 485},
     {60, 60}},
    {"a second minute begins behind the first",
     true,
     {A_FAULT(100), A_LATCH(155, "max_drawdown")},
     2,
     {95, 155},
     {60, 45}},
    {"and ends before it",
     false,
     {AN_ORDER(10), A_LATCH(94, "max_drawdown"), {EVENT_OPERATOR, 100, "flatten", "", ""}},
     2,
     {95, 79},
     {60, 16}},
    {"nothing but an order", false, {AN_ORDER(200)}, 1, {195}, {60}},
};

static void tell(struct matters *matters, const struct told *told) {
    observe(&matters->seam, &(struct event){.kind = told->kind,
                                            .at = {DAY + told->second * NANOS},
                                            .subject = told->subject,
                                            .what = told->what,
                                            .body = told->body,
                                            .body_len = strlen(told->body)});
}

static void expect_case(struct scenario *scenario, const struct case_of_windows *row) {
    struct matters matters;
    struct windows windows = {0};
    struct err err = {0};
    scenario->fault_count = row->is_planned ? 1 : 0;
    matters_init(&matters, scenario);
    for (size_t i = 0; i < EVENTS && row->told[i].subject != NULL; i++) {
        tell(&matters, &row->told[i]);
    }
    cr_assert_eq(matters_windows(&matters, &windows, &err), ERR_OK, "%s: %s", row->what, err.text);
    cr_assert_eq(windows.count, row->count, "%s: %zu", row->what, windows.count);
    for (size_t i = 0; i < windows.count; i++) {
        const struct window *window = &windows.window[i];
        cr_expect_eq(window->from.kind, WHEN_UTC);
        cr_expect_eq(window->from.at.ns, DAY + row->from[i] * NANOS, "%s: window %zu", row->what,
                     i);
        cr_expect_eq(window->length.ns, row->length[i] * NANOS, "%s: window %zu", row->what, i);
    }
}

static struct scenario *new_scenario(void) {
    struct scenario *scenario = calloc(1, sizeof *scenario);
    CHECK(scenario != NULL);
    scenario->expects[scenario->expect_count++] =
        (struct scenario_expect){.mechanism = "kill_switch", .event = "held"};
    scenario->expects[scenario->expect_count++] =
        (struct scenario_expect){.mechanism = "max_drawdown", .event = "acted"};
    return scenario;
}

Test(windows, lie_around_what_matters) {
    struct scenario *scenario = new_scenario();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_case(scenario, &cases[i]);
    }
    free(scenario);
}

Test(windows, a_run_in_which_nothing_happens_has_none) {
    struct scenario *scenario = new_scenario();
    struct matters matters;
    struct windows windows = {0};
    struct err err = {0};
    matters_init(&matters, scenario);
    tell(&matters, &(struct told)AN_ACT(10, "kill_switch", "held"));
    cr_expect_eq(matters_windows(&matters, &windows, &err), ERR_RANGE);
    free(scenario);
}

static struct scenario *read_library(const char *path) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct text faults = {0};
    struct err err = {0};
    CHECK(scenario != NULL);
    cr_assert_eq(suite_read(path, scenario, &faults, &err), ERR_OK, "%s", text_get(&faults));
    text_release(&faults);
    return scenario;
}

Test(windows, a_file_that_names_one_has_that) {
    struct scenario *scenario = read_library("tests/bench/exhausted.json");
    struct windows windows = {0};
    struct err err = {0};
    cr_assert_eq(windows_find(scenario, "data", "test", &windows, &err), ERR_OK, "%s", err.text);
    cr_expect_eq(windows.count, 1);
    cr_expect_eq(windows.window[0].from.kind, WHEN_SESSION);
    cr_expect_eq(windows.window[0].length.ns, SPAN_S(60).ns);
    free(scenario);
}

struct trip { /* hears a run, and passes on what it hears */
    struct observer seam;
    struct matters matters;
    struct utc row_at, operator_at; /* {0}: not yet */
};

static void trip_observe(struct observer *observer, const struct event *event) {
    struct trip *trip = (struct trip *)observer;
    if (event->kind == EVENT_ROW && trip->row_at.ns == 0 &&
        strcmp(event->subject, "latch_set") == 0 && strcmp(event->id, "max_drawdown") == 0) {
        trip->row_at = event->at;
    }
    if (event->kind == EVENT_OPERATOR && trip->operator_at.ns == 0) {
        trip->operator_at = event->at;
    }
    observe(&trip->matters.seam, event);
}

static const struct observer_ops trip_ops = {trip_observe};

static bool is_within(const struct windows *windows, size_t i, struct utc at) {
    const struct window *window = &windows->window[i];
    return !utc_is_before(at, window->from.at) &&
           utc_is_before(at, utc_add(window->from.at, window->length));
}

/* Its operator comes two minutes behind the trip. */
Test(windows, a_drawdown_s_windows_have_its_trip) {
    struct scenario *scenario = read_library("scenarios/library/max_drawdown_latches.json");
    struct trip trip = {.seam = {&trip_ops}};
    struct stage_result result = {0};
    struct windows windows = {0};
    struct err err = {0};
    matters_init(&trip.matters, scenario);
    const struct stage_options options = {.scenario = scenario,
                                          .data_dir = "data",
                                          .build = "test",
                                          .observer = &trip.seam,
                                          .without_judges = true};
    cr_assert_eq(stage_run(&options, &result, &err), ERR_OK, "%s", err.text);
    cr_assert_eq(matters_windows(&trip.matters, &windows, &err), ERR_OK, "%s", err.text);
    cr_assert_neq(trip.row_at.ns, 0);
    cr_assert_eq(windows.count, 2);
    cr_expect(is_within(&windows, 0, trip.operator_at));
    cr_expect(is_within(&windows, 1, trip.row_at));
    stage_result_release(&result);
    free(scenario);
}

/* --- the files of `make exhaust` that are explored inside recoveries: a few seconds, which must have their matter --- */

struct heard { /* when this first happened */
    struct observer seam;
    enum event_kind kind;
    const char *subject, *what;
    struct utc at; /* {0}: never */
};

static void heard_observe(struct observer *observer, const struct event *event) {
    struct heard *heard = (struct heard *)observer;
    if (heard->at.ns == 0 && event->kind == heard->kind &&
        strcmp(event->subject, heard->subject) == 0 && strcmp(event->what, heard->what) == 0) {
        heard->at = event->at;
    }
}

static const struct observer_ops heard_ops = {heard_observe};

static void expect_within(const char *path, struct heard heard) {
    struct scenario *scenario = read_library(path);
    struct stage_result result = {0};
    struct err err = {0};
    heard.seam.ops = &heard_ops;
    const struct stage_options options = {
        .scenario = scenario, .data_dir = "data", .build = "test", .observer = &heard.seam};
    cr_assert_eq(stage_run(&options, &result, &err), ERR_OK, "%s", err.text);
    cr_expect_eq(result.broken, 0, "%s: %s", path, text_get(&result.broken_lines));
    cr_assert_eq(scenario->window.kind, WHEN_SESSION);
    cr_assert_eq(scenario->window.day, 1);
    const int64_t minute = scenario->window.time_of_day.ns / SPAN_MIN(1).ns;
    const struct window window = {
        {.kind = WHEN_UTC,
         .at = ny_to_utc(result.first_day, (int)(minute / 60), (int)(minute % 60))},
        scenario->window_length};
    cr_expect(is_within(&(struct windows){{window}, 1}, 0, heard.at), "%s: %s %s", path,
              heard.subject, heard.what);
    stage_result_release(&result);
    free(scenario);
}

Test(windows, of_deep_exhaustion_have_an_order_s_life_and_a_latch) {
    static const char latch[] = "tests/exhaust/latch_set.json";
    static const char order[] = "tests/exhaust/order_filled.json";
    expect_within(latch, (struct heard){.kind = EVENT_ROW, .subject = "latch_set", .what = ""});
    expect_within(
        latch,
        (struct heard){.kind = EVENT_MECHANISM, .subject = "operator_freeze", .what = "acted"});
    expect_within(order, (struct heard){.kind = EVENT_ORDER, .subject = "entry", .what = "intent"});
    expect_within(order, (struct heard){.kind = EVENT_ORDER, .subject = "entry", .what = "filled"});
    expect_within(order,
                  (struct heard){.kind = EVENT_ORDER, .subject = "stop", .what = "pending_new"});
}
