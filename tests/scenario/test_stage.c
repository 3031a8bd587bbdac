/* test_stage.c - whole runs: same seed same bytes, no look into the future, deaths and operators. */
#include "chaos/machine/sim_disk.h"
#include "replay/recording.h"
#include "scenarios/result.h"
#include "scenarios/suite.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
    struct scenario *scenario;
    struct stage_result result;
    struct text json;
};

static struct run run_with(const char *json, const char *data_path, struct observer *observer) {
    struct run run = {.scenario = malloc(sizeof(struct scenario))};
    struct text faults = {0};
    struct err err = {0};
    cr_assert_eq(scenario_parse(json, strlen(json), run.scenario, &faults, &err), ERR_OK, "%s",
                 text_get(&faults));
    struct stage_options options = {.scenario = run.scenario,
                                    .data_dir = "data",
                                    .data_path = data_path,
                                    .build = "test",
                                    .observer = observer};
    cr_assert_eq(stage_run(&options, &run.result, &err), ERR_OK, "%s", err.text);
    result_print_voyage(&run.result, run.scenario, "", &run.json);
    text_release(&faults);
    return run;
}

static void run_release(struct run *run) {
    stage_result_release(&run->result);
    text_release(&run->json);
    free(run->scenario);
}

#define HEAD "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":7,\"days\":1,"
static const char plain[] = HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":6}}";

Test(stage, the_same_seed_twice_in_one_process_gives_the_same_bytes) {
    struct run first = run_with(plain, NULL, NULL);
    struct run second = run_with(plain, NULL, NULL);
    cr_assert_str_eq(first.result.trace_hash, second.result.trace_hash);
    cr_assert_str_eq(text_get(&first.json), text_get(&second.json));
    cr_assert_gt(first.result.fills, 0, "a run in which nothing happens proves nothing");
    cr_assert_eq(first.result.sim_seconds, 23400);
    run_release(&first);
    run_release(&second);
}

Test(stage, another_seed_gives_another_trace) {
    struct run first = run_with(plain, NULL, NULL);
    struct run second = run_with("{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":8,"
                                 "\"market\":{\"set\":\"synthetic\",\"symbols\":6}}",
                                 NULL, NULL);
    cr_assert_str_neq(first.result.trace_hash, second.result.trace_hash);
    run_release(&first);
    run_release(&second);
}

Test(stage, a_killed_core_comes_back_and_books_every_fill_once) {
    struct run run = run_with(
        HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
             "\"operator\":[{\"at\":\"day 1 10:30:00\",\"command\":\"kill -9\"},"
             "{\"at\":\"day 1 11:30:00\",\"command\":\"kill -9\"}],"
             "\"never\":[{\"condition\":\"books_equal_ledger\"},{\"condition\":\"comes_back\"}]}",
        NULL, NULL);
    cr_assert_eq(run.result.collect->deaths, 2);
    cr_assert_eq(run.result.collect->starts, 3);
    cr_assert_eq(run.result.broken, 0, "%s", text_get(&run.result.broken_lines));
    run_release(&run);
}

static void see_freeze(void *context, const struct sim_disk *disk) {
    struct text document = {0};
    *(bool *)context = sim_disk_read(disk, "governor_freezes.json", &document) &&
                       strstr(text_get(&document), "\"review\"") != NULL;
    text_release(&document);
}

/* A death asked for at a call of the disk: behind it the effect is there, before it it is not. */
Test(stage, a_core_that_dies_after_a_call_of_the_disk_has_made_it) {
    static const char *const moments[] = {"before", "after"};
    for (size_t i = 0; i < 2; i++) {
        char json[700];
        bool is_there = i == 0;
        struct stage_result result = {0};
        struct scenario *scenario = malloc(sizeof *scenario);
        struct text faults = {0};
        snprintf(json, sizeof json,
                 HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":2},"
                      "\"restart\":{\"after\":\"10h\",\"power_cut\":false},"
                      "\"operator\":[{\"at\":\"day 1 10:30:00\",\"command\":\"freeze\","
                      "\"cause\":\"review\",\"by\":\"ann\",\"why\":\"news\"}],"
                      "\"faults\":[{\"point\":\"process.crash_%s\",\"at\":\"day 1 10:30:00\","
                      "\"params\":{\"target\":\"rename governor_freezes.json\"}}]}",
                 moments[i]);
        cr_assert_eq(scenario_parse(json, strlen(json), scenario, &faults, NULL), ERR_OK, "%s",
                     text_get(&faults));
        struct stage_options options = {.scenario = scenario,
                                        .data_dir = "data",
                                        .build = "test",
                                        .at_end = see_freeze,
                                        .at_end_context = &is_there};
        cr_assert_eq(stage_run(&options, &result, NULL), ERR_OK);
        cr_expect_eq(result.collect->deaths, 1);
        cr_expect_eq(is_there, i == 1, "crash_%s", moments[i]);
        stage_result_release(&result);
        text_release(&faults);
        free(scenario);
    }
}

Test(stage, a_fault_that_never_fires_fails_the_run) {
    struct run run = run_with(
        HEAD
        "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
        "\"faults\":[{\"point\":\"http.answer_lost\",\"params\":{\"target\":\"GET /nowhere\"}}]}",
        NULL, NULL);
    cr_assert_eq(run.result.unfired, 1);
    cr_assert_eq(run.result.broken, 1);
    cr_expect_str_eq(text_get(&run.result.broken_lines),
                     "faults[0] http.answer_lost never fired\n");
    cr_expect_str_eq(text_get(&run.result.broken_json),
                     "\"faults[0] http.answer_lost never fired\"", "told once");
    run_release(&run);
}

Test(stage, a_mechanism_that_should_stay_quiet_and_does_not_fails_the_run) {
    for (int is_wanted = 0; is_wanted < 2; is_wanted++) {
        char json[512];
        snprintf(json, sizeof json,
                 HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":2},"
                      "\"operator\":[{\"at\":\"day 1 10:30:00\",\"command\":\"kill\"}],"
                      "\"never\":[{\"mechanism\":\"%s\"}]}",
                 is_wanted ? "kill_switch" : "daily_loss");
        struct run run = run_with(json, NULL, NULL);
        cr_expect_eq(run.result.broken, is_wanted ? 1 : 0);
        cr_expect_eq(strncmp(text_get(&run.result.broken_lines),
                             is_wanted ? "unwanted kill_switch acted: first at 20" : "",
                             is_wanted ? 39 : 1),
                     0, "%s", text_get(&run.result.broken_lines));
        run_release(&run);
    }
}

Test(stage, an_alert_that_should_not_be_told_and_is_fails_the_run) {
    static const char *const nevers[] = {"\"alert\":\"any\"", "\"alert\":\"kill_switch\"",
                                         "\"alert\":\"any\",\"from\":\"day 1 10:31:00\"",
                                         "\"alert\":\"daily_loss\""};
    for (size_t i = 0; i < 4; i++) {
        char json[512];
        snprintf(json, sizeof json,
                 HEAD "\"market\":{\"set\":\"quiet\",\"symbols\":2},"
                      "\"operator\":[{\"at\":\"day 1 10:30:00\",\"command\":\"kill\"}],"
                      "\"never\":[{%s}]}",
                 nevers[i]);
        struct run run = run_with(json, NULL, NULL);
        cr_expect_eq(run.result.broken, i < 2 ? 1 : 0, "%s: %s", nevers[i],
                     text_get(&run.result.broken_lines));
        run_release(&run);
    }
}

/* Two more starts set it off again while it waits. */
Test(stage, a_deed_that_waits_is_done_once) {
    struct run run = run_with(HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":1},"
                                   "\"restart\":{\"after\":\"5s\"},\"operator\":["
                                   "{\"at\":\"day 1 10:00\",\"command\":\"kill -9\"},"
                                   "{\"at\":\"day 1 10:10\",\"command\":\"kill -9\"},"
                                   "{\"on\":\"degraded_mode\",\"after\":\"4h\","
                                   "\"command\":\"kill -9\"}]}",
                              NULL, NULL);
    cr_expect_eq(run.result.collect->deaths, 3, "%d", (int)run.result.collect->deaths);
    run_release(&run);
}

Test(stage, an_expectation_not_met_fails_the_run) {
    struct run run =
        run_with(HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
                      "\"expect\":[{\"mechanism\":\"max_drawdown\",\"event\":\"acted\"}]}",
                 NULL, NULL);
    cr_assert_eq(run.result.broken, 1);
    cr_assert(strstr(text_get(&run.result.broken_lines), "max_drawdown acted: not seen") != NULL);
    run_release(&run);
}

/* --- recording, and the dead --- */

static const char eventful[] =
    HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
         "\"config\":{\"risk.max_positions\":2},"
         "\"faults\":[{\"point\":\"http.answer_lost\",\"at\":\"day 1 10:00:00\",\"count\":3,"
         "\"params\":{\"target\":\"POST /v2/orders\"}}],"
         "\"operator\":[{\"at\":\"day 1 12:00:00\",\"command\":\"kill -9\"},"
         "{\"at\":\"day 1 13:00:00\",\"command\":\"foreign_order\",\"qty\":\"1\",\"by\":\"x\"}],"
         "\"never\":[{\"condition\":\"never_short\"}]}";

Test(stage, a_recording_is_judged_to_the_same_bytes_as_the_run) {
    FILE *file = tmpfile();
    struct recorder recorder;
    struct err err = {0};
    struct text verdict = {0};
    int64_t events = 0;
    cr_assert(file != NULL);
    recorder_init(&recorder, file);
    struct run run = run_with(eventful, NULL, &recorder.seam);
    cr_assert_eq(recorder_finish(&recorder, &err), ERR_OK, "%s", err.text);
    rewind(file);
    struct oracle *oracle = oracle_create();
    cr_assert_eq(recording_read(file, oracle_observer(oracle), &events, &err), ERR_OK, "%s",
                 err.text);
    oracle_verdict(oracle, &verdict);
    cr_expect_gt(events, 10000);
    cr_expect_gt(oracle_orders(oracle), 0);
    cr_expect_str_eq(text_get(&verdict), text_get(&run.result.verdict_json));
    cr_expect_eq(oracle_maybes(oracle), run.result.maybes);
    oracle_destroy(oracle);
    text_release(&verdict);
    run_release(&run);
    fclose(file);
}

struct ghost { /* counts what a core says between its death and its burial */
    struct observer seam;
    struct utc died_at;
    int64_t words;
};

static void ghost_observe(struct observer *observer, const struct event *event) {
    struct ghost *ghost = (struct ghost *)observer;
    if (event->kind == EVENT_OPERATOR && strcmp(event->subject, "kill -9") == 0) {
        ghost->died_at = event->at;
    } else if (event->kind == EVENT_STOP) {
        ghost->died_at = (struct utc){0};
    } else if (ghost->died_at.ns != 0) {
        ghost->words += event->kind != EVENT_LEDGER_ORDER && event->kind != EVENT_LEDGER_FILL &&
                        event->kind != EVENT_LEDGER_EQUITY;
    }
}

static const struct observer_ops ghost_ops = {ghost_observe};

Test(stage, a_dead_core_says_nothing_also_when_it_dies_on_a_ticks_instant) {
    for (int second = 0; second < 5; second++) {
        struct ghost ghost = {.seam = {&ghost_ops}};
        char json[256];
        snprintf(json, sizeof json,
                 HEAD "\"market\":{\"set\":\"synthetic\",\"symbols\":2},\"operator\":["
                      "{\"at\":\"day 1 09:31:0%d\",\"command\":\"kill -9\"}]}",
                 second);
        struct run run = run_with(json, NULL, &ghost.seam);
        cr_expect_eq(ghost.words, 0, "second %d", second);
        cr_expect_eq(run.result.collect->deaths, 1);
        run_release(&run);
    }
}

/* --- no look into the future --- */

#define CUT_AT INT64_C(1647354600000000000) /* 2022-03-15T14:30:00Z, one hour into the session */

struct prefix { /* hashes what is told before an instant */
    struct observer seam;
    struct hasher *hasher;
    int64_t events;
};

static void prefix_observe(struct observer *observer, const struct event *event) {
    struct prefix *prefix = (struct prefix *)observer;
    if (event->at.ns < CUT_AT) {
        prefix->events++;
        hasher_add_int(prefix->hasher, event->at.ns);
        hasher_add(prefix->hasher, event->body, event->body_len);
        hasher_add(prefix->hasher, event->id, strlen(event->id));
    }
}

static const struct observer_ops prefix_ops = {prefix_observe};

/* A day of bars by rule; from 14:30 on, raised by `raise` cents. */
static void write_bars(const char *folder, const char *symbol, int salt, int raise) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s.csv", folder, symbol);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL);
    fputs("t,o,h,l,c,v\n", file);
    for (int minute = 0; minute < 390; minute++) {
        int clock = 13 * 60 + 30 + minute;
        int wave = (minute * (7 + salt)) % 90 - 45 + (minute / 60 % 2 == 0 ? minute : -minute);
        int cents = 10000 + wave + (clock >= 14 * 60 + 30 ? raise : 0);
        fprintf(file, "2022-03-15T%02d:%02d:00Z,%d.%02d,%d.%02d,%d.%02d,%d.%02d,%d\n", clock / 60,
                clock % 60, cents / 100, cents % 100, (cents + 20) / 100, (cents + 20) % 100,
                (cents - 20) / 100, (cents - 20) % 100, (cents + 5) / 100, (cents + 5) % 100,
                20000 + (clock >= 14 * 60 + 30 ? raise : 0));
    }
    fclose(file);
}

static void prefix_of(int raise, char out[static HASH_TEXT_MAX], int64_t *events) {
    static const char real[] =
        HEAD "\"market\":{\"set\":\"stocks-2022-03\"},\"config\":{\"strategy.threshold\":\"0.2\"}}";
    char folder[] = "/tmp/seatrial-bars-XXXXXX";
    char path[256];
    static const char *const symbols[] = {"AAA", "BBB"};
    struct prefix prefix = {{&prefix_ops}, hasher_create(), 0};
    cr_assert(mkdtemp(folder) != NULL);
    for (int i = 0; i < 2; i++) {
        write_bars(folder, symbols[i], i, raise);
    }
    struct run run = run_with(real, folder, &prefix.seam);
    hasher_print(prefix.hasher, out);
    *events = prefix.events;
    run_release(&run);
    hasher_destroy(prefix.hasher);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s.csv", folder, symbols[i]);
        unlink(path);
    }
    rmdir(folder);
}

Test(stage, altering_every_bar_from_a_minute_on_changes_nothing_before_it) {
    char as_it_was[HASH_TEXT_MAX];
    char altered[HASH_TEXT_MAX];
    int64_t events_then = 0;
    int64_t events_now = 0;
    prefix_of(0, as_it_was, &events_then);
    prefix_of(700, altered, &events_now);
    cr_assert_gt(events_then, 1000);
    cr_assert_eq(events_then, events_now);
    cr_assert_str_eq(as_it_was, altered);
}
