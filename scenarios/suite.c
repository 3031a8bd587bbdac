/* suite.c - many scenario files, one after another. */
#include "scenarios/suite.h"

#include "core/base/check.h"
#include "scenarios/host_file.h"
#include "scenarios/result.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)4 << 20)

/* Keeps the list in byte order: readdir's order is the file system's. */
static enum err_code insert(struct suite *suite, const char *path, struct err *err) {
    size_t at = suite->count;
    if (suite->count == SUITE_FILES_MAX || strlen(path) >= SUITE_PATH_MAX) {
        return err_set(err, ERR_LIMIT, "%s: more than %d files, or too long a path", path,
                       SUITE_FILES_MAX);
    }
    while (at > 0 && strcmp(suite->paths[at - 1], path) > 0) {
        memcpy(suite->paths[at], suite->paths[at - 1], SUITE_PATH_MAX);
        at--;
    }
    snprintf(suite->paths[at], SUITE_PATH_MAX, "%s", path);
    suite->count++;
    return ERR_OK;
}

static bool ends_with_json(const char *name) {
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

enum err_code suite_add(struct suite *suite, const char *path, struct err *err) {
    struct stat status;
    enum err_code code = ERR_OK;
    if (stat(path, &status) != 0) {
        return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return insert(suite, path, err);
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    for (struct dirent *entry = readdir(folder); entry != NULL && code == ERR_OK;
         entry = readdir(folder)) {
        char whole[SUITE_PATH_MAX + 1];
        if (ends_with_json(entry->d_name)) {
            int n = snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
            code = n < 0 || n >= SUITE_PATH_MAX ? err_set(err, ERR_LIMIT, "%s: path too long", path)
                                                : insert(suite, whole, err);
        }
    }
    closedir(folder);
    return code;
}

void suite_keep_share(struct suite *suite, int share, int shares) {
    suite->is_share = shares > 1;
    size_t kept = 0;
    CHECK(share >= 0 && share < shares);
    for (size_t i = (size_t)share; i < suite->count; i += (size_t)shares) {
        memmove(suite->paths[kept++], suite->paths[i], SUITE_PATH_MAX);
    }
    suite->count = kept;
}

enum err_code suite_read(const char *path, struct scenario *out, struct text *faults,
                         struct err *err) {
    struct text bytes = text_limited(FILE_MAX);
    enum err_code code = host_file_read(path, FILE_MAX, &bytes, err);
    if (code == ERR_OK) { /* what cannot be read is named already */
        code = scenario_parse(text_get(&bytes), bytes.len, out, faults, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s", path);
    }
    text_release(&bytes);
    return code;
}

/* --- running --- */

static void print_failure(const char *path, const char *why, struct text *out) {
    text_add_char(out, '{');
    const char *name = strrchr(path, '/');
    text_member_string(out, "id", name == NULL ? path : name + 1);
    text_member_string(out, "title", path);
    text_member_string(out, "source", "");
    text_member_string(out, "verdict", "fail");
    text_member(out, "mechanisms");
    text_add(out, "[]");
    text_member(out, "broken");
    text_add_char(out, '[');
    text_add_json_string(out, why);
    text_add(out, "]");
    text_member_string(out, "trace_hash", "none");
    text_member_string(out, "repeat", "");
    text_add_char(out, '}');
}

static void print_scenario(const struct stage_result *result, const struct scenario *scenario,
                           const char *path, struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "id", scenario->id);
    text_member_string(out, "title", scenario->title);
    text_member_string(out, "source", scenario->source);
    text_member_string(out, "verdict", result->broken == 0 ? "pass" : "fail");
    text_member(out, "mechanisms");
    result_print_mechanism_words(result->collect, out);
    result_print_learning(result->collect, out);
    text_member(out, "broken");
    text_add_char(out, '[');
    text_add(out, text_get(&result->broken_json));
    text_add_char(out, ']');
    text_member(out, "faults");
    words_print(&result->collect->faults, out);
    text_member(out, "oracle");
    text_add(out, text_get(&result->verdict_json));
    text_member_int(out, "orders", result->orders);
    text_member_int(out, "fills", result->fills);
    text_member_int(out, "deaths", result->collect->deaths);
    text_member_int(out, "sim_seconds", result->sim_seconds);
    text_member_string(out, "trace_hash", result->trace_hash);
    text_member(out, "repeat");
    struct text repeat = {0};
    text_add_format(&repeat, "seatrial scenario run %s", path);
    text_add_json_string(out, text_get(&repeat));
    text_release(&repeat);
    text_add_char(out, '}');
}

static bool run_one(const char *path, const struct suite_options *options,
                    struct scenario *scenario, struct text *out, struct suite_totals *totals) {
    struct text faults = {0};
    struct err err = {0};
    struct stage_result result = {0};
    bool is_passed = false;
    if (suite_read(path, scenario, &faults, &err) != ERR_OK) {
        print_failure(path, faults.len > 0 ? text_get(&faults) : err.text, out);
    } else {
        struct stage_options stage = {.scenario = scenario,
                                      .data_dir = options->data_dir,
                                      .build = options->build,
                                      .are_scores_kept = true,
                                      .observer = options->observer};
        if (stage_run(&stage, &result, &err) != ERR_OK) {
            print_failure(path, err.text, out);
        } else {
            is_passed = result.broken == 0;
            totals->maybes += result.maybes;
            totals->judged += result.judged;
            print_scenario(&result, scenario, path, out);
        }
    }
    stage_result_release(&result);
    text_release(&faults);
    return is_passed;
}

void suite_run(const struct suite *suite, const struct suite_options *options, struct text *out,
               struct suite_totals *totals) {
    struct scenario *scenario = malloc(sizeof *scenario);
    CHECK(scenario != NULL);
    *totals = (struct suite_totals){0};
    for (size_t i = 0; i < suite->count; i++) {
        if (options->begin != NULL) {
            options->begin(options->context, i, suite->count, suite->paths[i]);
        }
        text_add(out, i == 0 ? "" : ",");
        if (run_one(suite->paths[i], options, scenario, out, totals)) {
            totals->passed++;
        } else {
            totals->failed++;
        }
    }
    if (!suite->is_share && oracle_is_over_budget(totals->maybes, totals->judged)) {
        char why[128];
        snprintf(why, sizeof why, "%lld findings excused by a stated unknown, of %lld orders",
                 (long long)totals->maybes, (long long)totals->judged);
        text_add(out, ",");
        print_failure("maybes", why, out);
        totals->failed++;
    }
    free(scenario);
}
