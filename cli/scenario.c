/* scenario.c - `seatrial scenario`: list, check and run scenario files. */
#include "cli/cli.h"
#include "core/base/check.h"
#include "replay/recording.h"
#include "reports/result.h"
#include "scenarios/pairs.h"
#include "scenarios/suite.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scenario_options {
    const char *data, *out, *junit, *record, *shard;
    bool is_json;
};

enum telling { TELL_FAULTS, TELL_CHECKED, TELL_TITLES };

static void tell_good(const struct scenario *scenario, const char *path, enum telling telling) {
    if (telling == TELL_TITLES) {
        printf("%-32s %s\n", scenario->id, scenario->title);
    } else if (telling == TELL_CHECKED) {
        printf("%s: good (%s)\n", path, scenario->id);
    }
}

static int check_files(const struct suite *suite, enum telling telling) {
    struct scenario *scenario = malloc(sizeof *scenario);
    int status = CLI_PASS;
    size_t bad = 0;
    CHECK(scenario != NULL);
    for (size_t i = 0; i < suite->count; i++) {
        struct text faults = {0};
        struct err err = {0};
        if (suite_read(suite->paths[i], scenario, &faults, &err) == ERR_OK) {
            tell_good(scenario, suite->paths[i], telling);
        } else {
            fprintf(stderr, "%s:\n%s", suite->paths[i],
                    faults.len > 0 ? text_get(&faults) : err.text);
            fputs(faults.len > 0 ? "" : "\n", stderr);
            status = cli_exit_of(err.code);
            bad++;
        }
        text_release(&faults);
    }
    if (bad > 0) {
        fprintf(stderr, "seatrial: %zu of %zu scenario files are invalid\n", bad, suite->count);
    }
    free(scenario);
    return status;
}

static void tell_begin(void *context, size_t index, size_t count, const char *path) {
    (void)context;
    fprintf(stderr, "[%zu/%zu] %s\n", index + 1, count, path);
}

static double count_of(const cJSON *score, const char *key) {
    const cJSON *count = json_member(score, key);
    return cJSON_IsNumber(count) ? count->valuedouble : 0;
}

/* What restricted the core; of a run among others only what its oracle objects to. */
static void print_trips(const cJSON *oracle, bool is_alone) {
    const cJSON *trip = NULL;
    double more = count_of(oracle, "trips_not_shown");
    cJSON_ArrayForEach(trip, json_member(oracle, "trips")) {
        const char *why = result_string(trip, "why");
        const char *alert = result_string(trip, "alert");
        char moment[20];
        if (!is_alone && !result_is_trip_wrong(trip)) {
            continue;
        }
        result_moment(trip, "at", moment);
        printf("     trip %s %s %s", moment, result_string(trip, "mechanism"),
               result_string(trip, "oracle"));
        if (cJSON_IsString(json_member(trip, "due"))) {
            result_moment(trip, "due", moment);
            printf(", due %s, %.0f ms late", moment, result_number(trip, "late_ms"));
        }
        printf("%s%s%s%s\n", why[0] != '\0' ? ": " : "", why, alert[0] != '\0' ? "; told: " : "",
               alert);
    }
    if (more > 0) {
        printf("     and %.0f more trips\n", more);
    }
}

/* The lines for a person, from the same JSON that --json prints. */
static void print_lines(const cJSON *result) {
    const cJSON *item = NULL;
    bool is_alone = cJSON_GetArraySize(json_member(result, "scenarios")) == 1;
    cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
        const cJSON *line = NULL;
        printf("%-4s %-32s %s\n", result_is_pass(item) ? "pass" : "FAIL", result_string(item, "id"),
               result_string(item, "title"));
        cJSON_ArrayForEach(line, json_member(item, "broken")) {
            printf("     %s\n", cJSON_IsString(line) ? line->valuestring : "");
        }
        print_trips(json_member(item, "oracle"), is_alone);
    }
}

/* The lines about mechanisms: pair, the oracle's verdict, and how long the act came, at worst, behind the
 * answer that made it due. */
static void print_pairs(const cJSON *result) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(result, "pairs")) {
        const cJSON *score = json_member(item, "score");
        printf("%-4s %-20s acts in %s, quiet in %s; %s", result_is_pair_met(item) ? "pass" : "FAIL",
               result_string(item, "mechanism"), result_string(item, "act"),
               result_string(item, "quiet"), result_string(item, "oracle"));
        if (cJSON_IsObject(score)) {
            printf(": %.0f of %.0f due, %.0f missed, %.0f false, at most %.0f ms late",
                   count_of(score, "acted"), count_of(score, "due"), count_of(score, "missed"),
                   count_of(score, "unfounded"), count_of(score, "latency_ms"));
        }
        putchar('\n');
    }
}

static enum err_code write_junit(const char *path, const cJSON *result, struct err *err) {
    struct text junit = {0};
    enum err_code code = report_junit(result, &junit, err);
    if (code == ERR_OK) {
        code = cli_write_file(path, text_get(&junit), junit.len, err);
    }
    text_release(&junit);
    return code;
}

static enum err_code write_results(const struct scenario_options *options, const struct text *json,
                                   const cJSON *tree, struct err *err) {
    char path[PATH_MAX];
    enum err_code code = ERR_OK;
    if (options->out != NULL) {
        code = cli_make_dirs(options->out, err);
        if (code == ERR_OK) {
            code = cli_join(path, sizeof path, options->out, "result.json", err);
        }
        if (code == ERR_OK) {
            code = cli_write_file(path, text_get(json), json->len, err);
        }
    }
    if (code == ERR_OK && options->junit != NULL) {
        code = write_junit(options->junit, tree, err);
    }
    return code;
}

static int run_files(const struct suite *suite, const struct scenario_options *options,
                     struct observer *observer) {
    char found[PATH_MAX];
    struct text list = {0};
    struct text json = {0};
    struct suite_totals totals = {0};
    struct err err = {0};
    cJSON *tree = NULL;
    struct suite_options suite_options = {.data_dir = cli_data_dir(options->data, found),
                                          .build = cli_build(),
                                          .begin = tell_begin,
                                          .observer = observer};
    suite_run(suite, &suite_options, &list, &totals);
    text_add(&json, "{");
    text_member_string(&json, "title", "Seatrial: scenarios");
    text_member_string(&json, "build", cli_build());
    text_member_string(&json, "config_hash", "each its own");
    text_member_int(&json, "seed", 0);
    text_add(&json, ",\"voyages\":[],\"scenarios\":[");
    text_add(&json, text_get(&list));
    text_add_char(&json, ']');
    int64_t unmet = pairs_add(&list, &json);
    text_member_int(&json, "passed", totals.passed);
    text_member_int(&json, "failed", totals.failed);
    text_add(&json, "}\n");
    enum err_code code = json_parse(text_get(&json), json.len, &tree, &err);
    if (code == ERR_OK) {
        code = write_results(options, &json, tree, &err);
    }
    if (code == ERR_OK && options->is_json) {
        fputs(text_get(&json), stdout);
    } else if (code == ERR_OK) {
        print_lines(tree);
        print_pairs(tree);
        printf("%lld passed, %lld failed\n", (long long)totals.passed, (long long)totals.failed);
    }
    cJSON_Delete(tree);
    text_release(&list);
    text_release(&json);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    return totals.failed == 0 && unmet == 0 ? CLI_PASS : CLI_FINDING;
}

/* The same, with every event written to a file. */
static int run_recorded(const struct suite *suite, const struct scenario_options *options) {
    struct recorder recorder;
    struct err err = {0};
    if (suite->count != 1) {
        return cli_usage("scenario", "--record takes one scenario");
    }
    if (cli_make_parents(options->record, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    FILE *file = fopen(options->record, "wb");
    if (file == NULL) {
        (void)err_set(&err, ERR_IO, "%s: %s", options->record, strerror(errno));
        return cli_fail(&err);
    }
    recorder_init(&recorder, file);
    int status = run_files(suite, options, &recorder.seam);
    enum err_code code = recorder_finish(&recorder, &err);
    if (fclose(file) != 0 && code == ERR_OK) {
        code = err_set(&err, ERR_IO, "%s: %s", options->record, strerror(errno));
    }
    return code == ERR_OK ? status : cli_fail(&err);
}

enum err_code cli_add_scenarios(struct suite *suite, const char *path, struct err *err) {
    size_t before = suite->count;
    enum err_code code = suite_add(suite, path, err);
    if (code == ERR_OK && suite->count == before) {
        code = err_set(err, ERR_NOT_FOUND, "%s: a folder without scenario files (*.json)", path);
    }
    return code;
}

static enum err_code gather(const char *verb, const struct cli_words *words, struct suite *suite,
                            struct err *err) {
    char library[PATH_MAX];
    if (strcmp(verb, "list") == 0) {
        if (!cli_find("scenarios/library", library, sizeof library)) {
            return err_set(err, ERR_NOT_FOUND, "no scenarios/library here or beside the program");
        }
        return suite_add(suite, library, err);
    }
    for (size_t i = 1; i < words->count; i++) {
        if (cli_add_scenarios(suite, words->words[i], err) != ERR_OK) {
            return err->code;
        }
    }
    return suite->count > 0 ? ERR_OK : err_set(err, ERR_USAGE, "no scenario file given");
}

int cli_scenario(int argc, char **argv) {
    struct scenario_options options = {0};
    const struct cli_option table[] = {
        {"--data", CLI_WORD, &options.data},
        {"--out", CLI_WORD, &options.out},
        {"--junit", CLI_WORD, &options.junit},
        {"--record", CLI_WORD, &options.record},
        {"--shard", CLI_WORD, &options.shard},
        {"--json", CLI_FLAG, &options.is_json},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("scenario", err.text);
    }
    int share = 0, shares = 1;
    const char *verb = words.count > 0 ? words.words[0] : "";
    bool is_run = strcmp(verb, "run") == 0;
    if (!is_run && strcmp(verb, "list") != 0 && strcmp(verb, "check") != 0) {
        return cli_usage("scenario", "list, check or run?");
    }
    if (strcmp(verb, "list") == 0 && cli_check_words(&words, 1, &err) != ERR_OK) {
        return cli_usage("scenario", err.text);
    }
    if (!is_run && (options.data != NULL || options.out != NULL || options.junit != NULL ||
                    options.record != NULL || options.shard != NULL || options.is_json)) {
        return cli_usage("scenario",
                         "--data, --out, --junit, --record, --shard and --json go with run");
    }
    if (options.shard != NULL && !cli_parse_share(options.shard, &share, &shares)) {
        return cli_usage("scenario", "--shard wants i/n with 0 <= i < n");
    }
    struct suite *suite = calloc(1, sizeof *suite);
    CHECK(suite != NULL);
    int status = 0;
    if (cli_check_data(options.data, &err) != ERR_OK ||
        gather(verb, &words, suite, &err) != ERR_OK) {
        status = cli_fail(&err);
    } else if (is_run && (size_t)share >= suite->count) {
        status = cli_usage("scenario", "--shard leaves no file: a run that judges nothing");
    } else if (is_run) {
        suite_keep_share(suite, share, shares);
        status = check_files(suite, TELL_FAULTS); /* an invalid file is no finding about the core */
        if (status == CLI_PASS) {
            status = options.record == NULL ? run_files(suite, &options, NULL)
                                            : run_recorded(suite, &options);
        }
    } else {
        status = check_files(suite, strcmp(verb, "list") == 0 ? TELL_TITLES : TELL_CHECKED);
    }
    free(suite);
    return status;
}
