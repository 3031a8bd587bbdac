/* test_replay.c - a run's schedule, put into its file, makes the same run; less of it makes less. */
#include "scenarios/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stage_result run_of(const char *json, struct scenario *scenario) {
    struct stage_result result = {0};
    struct text faults = {0};
    struct err err = {0};
    cr_assert_eq(scenario_parse(json, strlen(json), scenario, &faults, &err), ERR_OK, "%s",
                 text_get(&faults));
    const struct stage_options options = {
        .scenario = scenario, .data_dir = "data", .build = "test"};
    cr_assert_eq(stage_run(&options, &result, &err), ERR_OK, "%s", err.text);
    text_release(&faults);
    return result;
}

/* A bit of every seam; each line of it is drawn. */
static const char rough[] =
    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":7,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
    "\"faults_may_miss\":true,"
    "\"faults\":["
    "{\"point\":\"http.answer_lost\",\"probability\":\"0.2\",\"params\":{\"target\":\"POST\"}},"
    "{\"point\":\"http.slow\",\"probability\":\"0.01\"},"
    "{\"point\":\"api.503\",\"probability\":\"0.01\",\"count\":20},"
    "{\"point\":\"view.lag_positions\",\"at\":\"day 1 10:00\",\"until\":\"day 1 10:20\"},"
    "{\"point\":\"view.lag_orders\",\"at\":\"day 1 10:10\",\"until\":\"day 1 10:30\"},"
    "{\"point\":\"order.partial_silence\",\"probability\":\"0.2\"},"
    "{\"point\":\"order.cancel_unasked\",\"probability\":\"0.001\",\"count\":3},"
    "{\"point\":\"market.gap\",\"at\":\"day 1 12:00\",\"probability\":\"0.5\","
    "\"params\":{\"factor\":\"0.97\"}},"
    "{\"point\":\"market.halt\",\"at\":\"day 1 13:00\",\"until\":\"day 1 13:05\","
    "\"probability\":\"0.5\"},"
    "{\"point\":\"clock.step\",\"at\":\"day 1 14:00\",\"until\":\"day 1 14:10\","
    "\"params\":{\"offset_s\":\"-2\"}},"
    "{\"point\":\"process.crash_before\",\"probability\":\"0.0001\",\"count\":3},"
    "{\"point\":\"disk.enospc\",\"at\":\"day 1 15:00\",\"until\":\"day 1 15:01\","
    "\"probability\":\"0.1\"}]";

static struct text file_with(const char *schedule) {
    struct text file = {0};
    text_add(&file, rough);
    if (schedule != NULL) {
        text_add_format(&file, ",\"schedule\":%s", schedule);
    }
    text_add_char(&file, '}');
    return file;
}

Test(replay, the_schedule_of_a_run_makes_the_same_run) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct text file = file_with(NULL);
    struct stage_result first = run_of(text_get(&file), scenario);
    const char *schedule = text_get(&first.schedule_json);
    static const char *const fired[] = {"http.answer_lost",      "api.503",    "view.lag_orders",
                                        "order.partial_silence", "market.gap", "clock.step"};
    for (size_t i = 0; i < sizeof fired / sizeof fired[0]; i++) {
        cr_expect_not_null(strstr(schedule, fired[i]), "%s", fired[i]);
    }
    struct text again_file = file_with(schedule);
    struct stage_result again = run_of(text_get(&again_file), scenario);
    cr_expect_str_eq(again.trace_hash, first.trace_hash);
    cr_expect_str_eq(text_get(&again.schedule_json), schedule);
    stage_result_release(&again);
    text_release(&again_file);
    stage_result_release(&first);
    text_release(&file);
    free(scenario);
}

Test(replay, an_empty_schedule_is_calm_whatever_the_faults_say) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct text file = file_with("[]");
    struct stage_result result = run_of(text_get(&file), scenario);
    cr_expect_str_eq(text_get(&result.schedule_json), "[]");
    struct stage_result calm = run_of("{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":7,"
                                      "\"days\":1,\"market\":{\"set\":\"synthetic\","
                                      "\"symbols\":6}}",
                                      scenario);
    cr_expect_str_eq(result.trace_hash, calm.trace_hash);
    stage_result_release(&calm);
    stage_result_release(&result);
    text_release(&file);
    free(scenario);
}

Test(replay, a_line_that_does_not_fire_is_a_finding) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct stage_result result =
        run_of("{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":7,\"days\":1,"
               "\"market\":{\"set\":\"synthetic\",\"symbols\":6},"
               "\"faults\":[{\"point\":\"api.503\",\"nth\":1}],\"schedule\":["
               "{\"tick\":3,\"point\":\"api.503\",\"fault\":0,\"entity\":\"GET /v2/account\","
               "\"ordinal\":0},"
               "{\"tick\":3,\"point\":\"api.503\",\"fault\":0,\"entity\":\"GET /v2/account\","
               "\"ordinal\":99}]}",
               scenario);
    cr_expect_eq(result.unfired, 1);
    cr_expect_not_null(strstr(text_get(&result.broken_lines), "schedule[1] never fired"));
    stage_result_release(&result);
    free(scenario);
}

static const char *faults_of(const char *rest, struct text *faults) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct text file = {0};
    struct err err = {0};
    text_add_format(&file,
                    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":7,\"days\":1,"
                    "\"market\":{\"set\":\"synthetic\"},%s}",
                    rest);
    text_clear(faults);
    (void)!scenario_parse(text_get(&file), file.len, scenario, faults, &err);
    text_release(&file);
    free(scenario);
    return text_get(faults);
}

Test(replay, mistakes_in_faults_and_schedules_are_told_by_place_and_name) {
    static const struct {
        const char *rest, *told;
    } cases[] = {
        {"\"faults\":[{\"point\":\"api.401\",\"params\":{\"delay_s\":3}}]",
         "faults[0]: params.delay_s: api.401 does not read it; it reads: target\n"},
        {"\"faults\":[{\"point\":\"http.slow\",\"at\":\"day 1 11:00\",\"until\":\"day 1 11:00\"}]",
         "faults[0]: 'until' must be later than 'at'\n"},
        {"\"faults\":[{\"point\":\"api.error_after\",\"params\":{\"status\":200}}]",
         "faults[0].params.status: must be a whole number from 400 to 599\n"},
        {"\"faults\":[{\"point\":\"http.truncated\",\"params\":{\"bytes\":-1}}]",
         "faults[0].params.bytes: must be a whole number from 0 to 16777216\n"},
        {"\"faults\":[{\"point\":\"clock.step\",\"params\":{\"offset_s\":0}}]",
         "faults[0].params.offset_s: must not be 0, and at most a day, 86400, either way\n"},
        {"\"schedule\":[{\"tick\":1,\"point\":\"api.401\",\"fault\":0,\"entity\":\"x\","
         "\"ordinal\":0}]",
         "schedule[0]: there is no faults[0]\n"},
        {"\"schedule\":[{\"tick\":1,\"point\":\"api.403\",\"fault\":0,\"entity\":\"x\","
         "\"ordinal\":0}],\"faults\":[{\"point\":\"api.401\"}]",
         "schedule[0]: faults[0] is no api.403\n"},
        {"\"faults\":[{\"point\":\"api.401\"}],\"schedule\":["
         "{\"tick\":2,\"point\":\"api.401\",\"fault\":0,\"entity\":\"x\",\"ordinal\":0},"
         "{\"tick\":1,\"point\":\"api.401\",\"fault\":0,\"entity\":\"x\"}]",
         "schedule[1]: needs ordinal\nschedule[1]: tick 1 comes after tick 2\n"},
    };
    struct text faults = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_str_eq(faults_of(cases[i].rest, &faults), cases[i].told, "%s -> %s",
                         cases[i].rest, text_get(&faults));
    }
    text_release(&faults);
}
