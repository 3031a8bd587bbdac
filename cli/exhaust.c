/* exhaust.c - `seatrial exhaust`: death at every effect of a scenario's windows. */
#include "scenarios/exhaust.h"
#include "cli/cli.h"
#include "core/base/check.h"
#include "scenarios/suite.h"
#include "scenarios/windows.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct exhaust_cli {
    const char *data, *shard, *out;
    int64_t jobs, depth;
    bool is_first_tick, is_json;
};

/* --- what it cost --- */

static int64_t cpu_ns_of(int who) {
    struct rusage used = {0};
    CHECK(getrusage(who, &used) == 0);
    int64_t s = (int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec;
    int64_t us = (int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    return s * 1000000000 + us * 1000;
}

/* CPU nanoseconds of this process and of all copies that ended: what they share out is not work twice. */
static int64_t spent_ns(void) {
    return cpu_ns_of(RUSAGE_SELF) + cpu_ns_of(RUSAGE_CHILDREN);
}

/* --- one file --- */

struct explored { /* what the windows of one file came to, together */
    size_t windows;
    struct exhaust_report report; /* findings: owned */
};

static void add_report(struct explored *explored, const struct exhaust_report *report) {
    struct exhaust_report *sum = &explored->report;
    explored->windows++;
    sum->effects += report->effects;
    sum->deaths += report->deaths;
    sum->whole += report->whole;
    sum->runs += report->runs;
    sum->equal += report->equal;
    sum->broken += report->broken;
    sum->excused += report->excused;
    sum->crashed += report->crashed;
    if (report->findings.len > 0) {
        text_add(&sum->findings, sum->findings.len > 0 ? "," : "");
        text_add(&sum->findings, text_get(&report->findings));
    }
}

static void print_report(const char *id, const struct explored *explored, int64_t began_ns,
                         struct text *json) {
    const struct exhaust_report *report = &explored->report;
    double seconds = (double)(spent_ns() - began_ns) / 1e9;
    double rate = seconds > 0 ? (double)report->runs / seconds : 0;
    text_add(json, json->len == 0 ? "{" : ",{");
    text_member_string(json, "id", id);
    text_member_int(json, "windows", (int64_t)explored->windows);
    text_member_int(json, "effects", report->effects);
    text_member_int(json, "deaths", report->deaths);
    text_member_int(json, "whole", report->whole);
    text_member_int(json, "runs", report->runs);
    text_member_int(json, "equal", report->equal);
    text_member_int(json, "broken", report->broken);
    text_member_int(json, "excused", report->excused);
    text_member_int(json, "crashed", report->crashed);
    text_member(json, "cpu_seconds");
    text_add_format(json, "%.3f", seconds);
    text_member(json, "runs_per_core_second");
    text_add_format(json, "%.1f", rate);
    text_member(json, "findings");
    text_add_format(json, "[%s]}", text_get(&report->findings));
    fprintf(stderr,
            "%-36s %zu windows %6lld effects %5lld deaths %5lld whole %6lld runs %6lld equal %3lld "
            "broken %5lld excused %6.0f runs per core-second\n",
            id, explored->windows, (long long)report->effects, (long long)report->deaths,
            (long long)report->whole, (long long)report->runs, (long long)report->equal,
            (long long)report->broken, (long long)report->excused, rate);
}

static enum err_code run_window(const struct exhaust_options *options, const char *data,
                                const struct scenario *scenario, struct explored *explored,
                                struct err *err) {
    struct stage_result result = {0};
    struct exhaust *exhaust = exhaust_create(options);
    const struct stage_options stage = {
        .scenario = scenario, .data_dir = data, .build = cli_build(), .exhaust = exhaust};
    enum err_code code = stage_run(&stage, &result, err);
    if (code == ERR_OK) {
        add_report(explored, exhaust_report(exhaust));
    }
    exhaust_destroy(exhaust);
    stage_result_release(&result);
    return code;
}

/* Each window is a run of its own. */
static enum err_code run_windows(const struct exhaust_options *options, const char *data,
                                 struct scenario *scenario, const struct windows *windows,
                                 struct explored *explored, struct err *err) {
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < windows->count && code == ERR_OK; i++) {
        scenario->window = windows->window[i].from;
        scenario->window_length = windows->window[i].length;
        code = run_window(options, data, scenario, explored, err);
    }
    return code;
}

static enum err_code run_one(const struct exhaust_options *options, const char *data,
                             const char *path, struct text *json, int64_t *broken,
                             struct err *err) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct windows windows = {0};
    struct explored explored = {0};
    struct text faults = {0};
    CHECK(scenario != NULL);
    enum err_code code = suite_read(path, scenario, &faults, err);
    bool is_read = code == ERR_OK; /* else the error names the file */
    if (is_read) {
        code = windows_find(scenario, data, cli_build(), &windows, err);
    }
    if (code == ERR_OK) {
        int64_t began_ns = spent_ns();
        code = run_windows(options, data, scenario, &windows, &explored, err);
        if (code == ERR_OK) {
            print_report(scenario->id, &explored, began_ns, json);
            *broken += explored.report.broken;
        }
    }
    fputs(text_get(&faults), stderr);
    text_release(&explored.report.findings);
    text_release(&faults);
    free(scenario);
    return code == ERR_OK || !is_read ? code : err_wrap(err, "%s", path);
}

static int run_all(const struct exhaust_cli *cli, const struct exhaust_options *options,
                   const struct suite *suite) {
    char found[PATH_MAX];
    struct text list = {0};
    struct text json = {0};
    struct err err = {0};
    enum err_code code = ERR_OK;
    int64_t broken = 0;
    const char *data = cli_data_dir(cli->data, found);
    for (size_t i = 0; i < suite->count && code == ERR_OK; i++) {
        code = run_one(options, data, suite->paths[i], &list, &broken, &err);
    }
    if (code == ERR_OK) {
        text_add_format(&json, "{\"windows\":[%s]", text_get(&list));
        text_member_int(&json, "broken", broken);
        text_add(&json, "}\n");
        if (cli->out != NULL) {
            code = cli_write_file(cli->out, text_get(&json), json.len, &err);
        } else if (cli->is_json) {
            fputs(text_get(&json), stdout);
        }
    }
    text_release(&list);
    text_release(&json);
    return code != ERR_OK ? cli_fail(&err) : broken == 0 ? CLI_PASS : CLI_FINDING;
}

int cli_exhaust(int argc, char **argv) {
    struct exhaust_cli cli = {.jobs = 1, .depth = 1};
    const struct cli_option table[] = {
        {"--data", CLI_WORD, &cli.data},    {"--shard", CLI_WORD, &cli.shard},
        {"--jobs", CLI_NUMBER, &cli.jobs},  {"--depth", CLI_NUMBER, &cli.depth},
        {"--out", CLI_WORD, &cli.out},      {"--first-tick", CLI_FLAG, &cli.is_first_tick},
        {"--json", CLI_FLAG, &cli.is_json}, {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    struct exhaust_options options = {.shares = 1};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("exhaust", err.text);
    }
    if (cli.jobs < 1 || cli.jobs > 64) {
        return cli_usage("exhaust", "--jobs is 1 to 64");
    }
    if (cli.depth < 1 || cli.depth > 2) {
        return cli_usage("exhaust", "--depth is 1 or 2");
    }
    if (cli.shard != NULL && !cli_parse_share(cli.shard, &options.share, &options.shares)) {
        return cli_usage("exhaust", "--shard wants i/n with 0 <= i < n");
    }
    options.jobs = (int)cli.jobs;
    options.depth = (int)cli.depth;
    options.to_first_tick = cli.is_first_tick;
    struct suite *suite = calloc(1, sizeof *suite);
    CHECK(suite != NULL);
    enum err_code code =
        words.count > 0 ? ERR_OK : err_set(&err, ERR_USAGE, "no scenario file given");
    code = code == ERR_OK ? cli_check_data(cli.data, &err) : code;
    for (size_t i = 0; i < words.count && code == ERR_OK; i++) {
        code = cli_add_scenarios(suite, words.words[i], &err);
    }
    int status = code == ERR_OK ? run_all(&cli, &options, suite) : cli_fail(&err);
    free(suite);
    return status;
}
