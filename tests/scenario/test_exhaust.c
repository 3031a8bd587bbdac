/* test_exhaust.c - deaths at every effect: the count does not hang on the jobs, findings are told, and
 * nothing stands still. */
#include "scenarios/exhaust.h"

#include "core/base/check.h"
#include "scenarios/rewind.h"
#include "scenarios/stage.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* A window of some effects: a tick of a core with an order at work. */
static const char calm[] = "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":5,\"days\":1,"
                           "\"market\":{\"set\":\"synthetic\",\"symbols\":2},"
                           "\"config\":{\"strategy.threshold\":\"0.1\","
                           "\"session.no_entry_first_s\":0},"
                           "\"window\":{\"at\":\"day 1 09:35:00\",\"for\":\"5s\"}}";

struct planted { /* crashes each copy when its core starts again; the first run is left alone */
    struct observer seam;
    pid_t first;
};

struct outcome { /* of one exhaust */
    int64_t effects, runs, equal, broken, crashed, excused;
    char findings[4096]; /* its beginning */
};

static struct outcome outcome_of(const char *json, const struct exhaust_options *options,
                                 struct observer *observer) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct exhaust *exhaust = exhaust_create(options);
    struct stage_result result = {0};
    struct text faults = {0};
    struct err err = {0};
    CHECK(scenario != NULL);
    cr_assert_eq(scenario_parse(json, strlen(json), scenario, &faults, &err), ERR_OK, "%s",
                 text_get(&faults));
    const struct stage_options stage = {.scenario = scenario,
                                        .data_dir = "data",
                                        .build = "test",
                                        .observer = observer,
                                        .exhaust = exhaust};
    cr_assert_eq(stage_run(&stage, &result, &err), ERR_OK, "%s", err.text);
    const struct exhaust_report *report = exhaust_report(exhaust);
    struct outcome outcome = {
        report->effects, report->runs, report->equal, report->broken, report->crashed,
        report->excused, {0}};
    size_t n = report->findings.len;
    n = n < sizeof outcome.findings ? n : sizeof outcome.findings - 1;
    memcpy(outcome.findings, text_get(&report->findings), n);
    exhaust_destroy(exhaust);
    stage_result_release(&result);
    text_release(&faults);
    free(scenario);
    return outcome;
}

static struct exhaust_options options_of(int jobs, int depth, int share, int shares) {
    return (struct exhaust_options){
        .jobs = jobs, .to_first_tick = true, .depth = depth, .share = share, .shares = shares};
}

Test(exhaust, counts_are_those_of_one_job_with_three) {
    const struct exhaust_options one = options_of(1, 1, 0, 1);
    const struct exhaust_options three = options_of(3, 1, 0, 1);
    const struct outcome first = outcome_of(calm, &one, NULL);
    const struct outcome again = outcome_of(calm, &three, NULL);
    cr_expect_gt(first.effects, 4);
    cr_expect_gt(first.runs, first.effects);
    cr_expect_gt(first.equal, 0);
    cr_expect_eq(first.broken, 0, "%s", first.findings);
    cr_expect_eq(again.effects, first.effects);
    cr_expect_eq(again.runs, first.runs);
    cr_expect_eq(again.equal, first.equal);
}

static void expect_same_by_forks(struct exhaust_options options) {
    const struct outcome first = outcome_of(calm, &options, NULL);
    options.by_forks = true;
    const struct outcome again = outcome_of(calm, &options, NULL);
    cr_expect_gt(first.runs, 0);
    cr_expect_eq(again.runs, first.runs);
    cr_expect_eq(again.equal, first.equal);
    cr_expect_eq(again.broken, first.broken);
    cr_expect_eq(again.excused, first.excused);
}

Test(exhaust, counts_are_those_of_a_copy_for_each_life) {
    struct exhaust_options options = options_of(2, 1, 0, 4);
    options.to_first_tick = false;
    expect_same_by_forks(options);
    expect_same_by_forks(options_of(1, 2, 0, 40));
}

Test(exhaust, shares_part_the_effects_among_them) {
    const struct exhaust_options whole = options_of(2, 1, 0, 1);
    const int64_t effects = outcome_of(calm, &whole, NULL).effects;
    int64_t sum = 0;
    for (int share = 0; share < 3; share++) {
        const struct exhaust_options part = options_of(2, 1, share, 3);
        const struct outcome outcome = outcome_of(calm, &part, NULL);
        cr_expect_gt(outcome.effects, 0);
        cr_expect_lt(outcome.effects, effects);
        sum += outcome.effects;
    }
    cr_expect_eq(sum, effects);
}

Test(exhaust, deaths_inside_recoveries_come_to_an_end) {
    const struct exhaust_options shallow = options_of(2, 1, 0, 8);
    const struct exhaust_options deep = options_of(2, 2, 0, 8);
    const struct outcome first = outcome_of(calm, &shallow, NULL);
    const struct outcome second = outcome_of(calm, &deep, NULL);
    cr_expect_eq(second.effects, first.effects);
    cr_expect_gt(second.runs, 5 * first.runs);
    cr_expect_gt(second.equal, first.equal);
    cr_expect_eq(second.crashed, 0, "%s", second.findings);
}

/* Judged at the settled verdict, which nothing may break; a share of shares of the effects. */
static struct outcome settled(const char *file, int shares) {
    struct exhaust_options options = options_of(2, 1, 0, shares);
    options.to_first_tick = false;
    const struct outcome outcome = outcome_of(file, &options, NULL);
    cr_expect_gt(outcome.runs, 0);
    cr_expect_eq(outcome.broken, 0, "%s", outcome.findings);
    return outcome;
}

/* Reads fail from 20 s behind the window on, for longer than a copy would live without them. */
static const char read_error[] =
    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":5,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":2},"
    "\"config\":{\"strategy.threshold\":\"0.1\",\"session.no_entry_first_s\":0},"
    "\"restart\":{\"after\":\"40s\",\"new_boot\":false,\"power_cut\":false},"
    "\"faults\":[{\"point\":\"disk.eio\",\"at\":\"day 1 09:35:25\",\"until\":\"day 1 09:40:00\","
    "\"params\":{\"target\":\"read\"}}],"
    "\"never\":[{\"condition\":\"comes_back\"}],"
    "\"window\":{\"at\":\"day 1 09:35:00\",\"for\":\"5s\"}}";

Test(exhaust, a_fault_that_begins_behind_the_death_is_over_before_it_is_judged) {
    const struct outcome outcome = settled(read_error, 8);
    cr_expect_eq(outcome.excused, 0);
}

/* The core dies within the last 90 s of the run, and is back behind its end. */
static const char last_minute[] =
    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":5,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":2},"
    "\"config\":{\"strategy.threshold\":\"0.1\",\"engine.tick_idle_s\":20},"
    "\"restart\":{\"after\":\"40s\",\"new_boot\":false,\"power_cut\":false},"
    "\"window\":{\"at\":\"day 1 16:29:00\",\"for\":\"60s\"}}";

Test(exhaust, who_dies_in_the_last_minute_has_time_to_come_back) {
    const struct outcome outcome = settled(last_minute, 1);
    cr_expect_eq(outcome.excused, 0);
}

/* An operator's freeze; the next start finds journal and freeze document as they were before it. */
static const char frozen[] =
    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":4147,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":1},"
    "\"faults\":[{\"point\":\"disk.old_version\",\"at\":\"day 1 09:40:46\","
    "\"params\":{\"target\":\"governor_freezes.json*\"}},"
    "{\"point\":\"disk.old_version\",\"at\":\"day 1 09:41:05\","
    "\"params\":{\"target\":\"journal.db*\"}}],"
    "\"operator\":[{\"command\":\"freeze\",\"cause\":\"review\",\"at\":\"day 1 09:42:57\"}],"
    "\"window\":{\"at\":\"day 1 09:42:56\",\"for\":\"8s\"}}";

Test(exhaust, a_freeze_is_in_its_command_until_every_copy_has_it) {
    (void)settled(frozen, 1);
}

/* The first life of all: nobody has yet looked into a file that the next one reads. */
static const char first_start[] =
    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":1,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":1},"
    "\"faults\":[{\"point\":\"process.crash_before\",\"at\":\"day 1 09:00:00\",\"nth\":1,"
    "\"params\":{\"target\":\"GET\"}}],"
    "\"window\":{\"at\":\"day 1 08:59:50\",\"for\":\"60s\"}}";

Test(exhaust, names_that_a_life_looks_into_have_their_fates_tried) {
    (void)settled(first_start, 1);
}

static void plant(struct observer *observer, const struct event *event) {
    const struct planted *planted = (const struct planted *)observer;
    if (getpid() != planted->first && event->kind == EVENT_START) {
        abort();
    }
}

static const struct observer_ops plant_ops = {plant};

Test(exhaust, a_copy_that_crashes_is_a_finding_at_its_place) {
    const struct exhaust_options options = options_of(2, 1, 0, 8);
    const int64_t runs = outcome_of(calm, &options, NULL).runs;
    struct planted planted = {.seam = {&plant_ops}, .first = getpid()};
    const struct outcome outcome = outcome_of(calm, &options, &planted.seam);
    const char *findings = outcome.findings;
    cr_expect_gt(outcome.crashed, 0);
    cr_expect_eq(outcome.broken, outcome.crashed);
    cr_expect_eq(outcome.runs, outcome.crashed);
    cr_expect_eq(outcome.runs, runs, "one crash costs one life");
    cr_expect_not_null(strstr(findings, "\"broken\":\"the copy died of signal 6\""));
    cr_expect_not_null(strstr(findings, "\"moment\":\"after\",\"fate\":0"));
    cr_expect_null(strstr(findings, "\"effect\":0,"));
    cr_expect_null(strstr(findings, "\"fate\":-1"));
}

/* The first copy stands at its start until a second one has come there too, or a while has passed. */
struct company {
    struct observer seam;
    pid_t first;
    struct {
        pid_t copy; /* the first that came */
        bool is_in_company;
    } * shared;
};

static void wait_for_company(struct observer *observer, const struct event *event) {
    struct company *company = (struct company *)observer;
    if (getpid() == company->first || event->kind != EVENT_START) {
        return;
    }
    if (company->shared->copy == 0) {
        company->shared->copy = getpid();
        for (int i = 0; i < 200 && !company->shared->is_in_company; i++) {
            (void)usleep(10000);
        }
    } else if (company->shared->copy != getpid()) {
        company->shared->is_in_company |= kill(company->shared->copy, 0) == 0;
        company->shared->copy = getpid();
    }
}

static const struct observer_ops company_ops = {wait_for_company};

static bool has_company(int jobs) {
    struct company company = {.seam = {&company_ops}, .first = getpid()};
    const struct exhaust_options options = options_of(jobs, 1, 0, 4);
    company.shared = rewind_keep(sizeof *company.shared);
    (void)outcome_of(calm, &options, &company.seam);
    return company.shared->is_in_company;
}

Test(exhaust, so_many_copies_live_at_once_as_there_are_jobs) {
    cr_expect(has_company(3));
    cr_expect_not(has_company(1));
}
