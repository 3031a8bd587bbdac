/* certify.c - two voyages, the scenarios, and the table of what must have occurred. */
#include "scenarios/certify.h"

#include "core/base/check.h"
#include "scenarios/pairs.h"
#include "scenarios/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trial { /* one certification */
    const struct certify_options *options;
    struct words purposes, exits, states; /* of the stock month */
    int64_t stock_entries;
    bool was_book_full;
    int64_t sessions, sim_seconds, broken;
    int64_t maybes, judged; /* of the voyages */
    uint64_t seed;
    char config_hash[17];
    struct hasher *hasher; /* over the trace hashes of all runs, in order */
    struct text voyages;
};

static void add_words(struct words *sum, const struct words *words) {
    for (size_t i = 0; i < words->count; i++) {
        words_add(sum, words->rows[i].word, words->rows[i].count);
    }
}

static void cell(struct trial *trial, struct text *rows, const char *group, const char *name,
                 int64_t count, int64_t wanted) {
    char what[96];
    snprintf(what, sizeof what, "%s %s", group, name);
    result_print_required(rows, what, count, wanted);
    trial->broken += count < wanted;
}

/* What must have occurred in the stock month. */
static void fill_table(struct trial *trial, struct text *rows) {
    static const char *const purposes[] = {"entry", "exit", "scale_out"};
    static const char *const exits[] = {"hard_stop", "resting_stop", "trailing",
                                        "target",    "time",         "decay"};
    static const char *const states[] = {"new",     "partially_filled", "filled",  "canceled",
                                         "expired", "rejected",         "replaced"};
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        cell(trial, rows, "purpose", purposes[i], words_get(&trial->purposes, purposes[i]), 1);
    }
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        cell(trial, rows, "exit by", exits[i], words_get(&trial->exits, exits[i]), 1);
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        cell(trial, rows, "order state", states[i], words_get(&trial->states, states[i]), 1);
    }
    cell(trial, rows, "filled entries", "on the stock month", trial->stock_entries,
         CERTIFY_FILLED_ENTRIES_MIN);
    cell(trial, rows, "book full:", "as many positions at once as risk.max_positions allows",
         trial->was_book_full, 1);
}

/* The table stands with the last voyage, the stock month. */
static void take_voyage(struct trial *trial, const struct stage_result *result,
                        const struct scenario *scenario, bool is_last) {
    const struct collect *collect = result->collect;
    struct text rows = {0};
    trial->sessions += result->days;
    trial->sim_seconds += result->sim_seconds;
    trial->broken += (int64_t)result->broken;
    trial->maybes += result->maybes;
    trial->judged += result->judged;
    if (is_last) {
        add_words(&trial->purposes, &collect->purposes);
        add_words(&trial->exits, &collect->exits);
        add_words(&trial->states, &collect->states);
        trial->was_book_full = (int64_t)collect->most_positions >= result->config.max_positions;
        trial->stock_entries = collect->filled_entries;
        fill_table(trial, &rows);
        cell(trial, &rows, "findings excused",
             "(an answer lost: no judge can tell), within the budget",
             !oracle_is_over_budget(trial->maybes, trial->judged), 1);
    }
    result_print_broken_rows(result, &rows);
    memcpy(trial->config_hash, result->config_hash, sizeof trial->config_hash);
    trial->seed = scenario->seed;
    hasher_add(trial->hasher, result->trace_hash, strlen(result->trace_hash));
    text_add(&trial->voyages, trial->voyages.len == 0 ? "" : ",");
    result_print_voyage(result, scenario, text_get(&rows), &trial->voyages);
    text_release(&rows);
}

static enum err_code sail(struct trial *trial, struct scenario *scenario, const char *set,
                          bool is_last, struct err *err) {
    struct stage_options options = {.scenario = scenario,
                                    .data_dir = trial->options->data_dir,
                                    .build = trial->options->build,
                                    .are_scores_kept = true,
                                    .progress = trial->options->progress,
                                    .progress_context = trial->options->context};
    struct stage_result result = {0};
    snprintf(scenario->set, sizeof scenario->set, "%s", set);
    snprintf(scenario->id, sizeof scenario->id, "voyage_%s", set);
    snprintf(scenario->title, sizeof scenario->title, "Maiden voyage: %s", set);
    scenario->has_start = false;
    scenario->days = 0;
    if (trial->options->begin != NULL) {
        trial->options->begin(trial->options->context, set);
    }
    if (stage_run(&options, &result, err) != ERR_OK) {
        return err_wrap(err, "voyage %s", set);
    }
    take_voyage(trial, &result, scenario, is_last);
    stage_result_release(&result);
    return ERR_OK;
}

struct begin_context {
    const struct certify_options *options;
    char what[SUITE_PATH_MAX + 32]; /* told, and kept until the next */
};

static void begin_scenario(void *context, size_t index, size_t count, const char *path) {
    struct begin_context *begin = context;
    if (begin->options->begin != NULL) {
        snprintf(begin->what, sizeof begin->what, "[%zu/%zu] %s", index + 1, count, path);
        begin->options->begin(begin->options->context, begin->what);
    }
}

static enum err_code run_library(struct trial *trial, struct text *out, struct suite_totals *totals,
                                 struct err *err) {
    struct suite *suite = calloc(1, sizeof *suite);
    enum err_code code = ERR_OK;
    CHECK(suite != NULL);
    if (trial->options->library_dir != NULL) {
        code = suite_add(suite, trial->options->library_dir, err);
    }
    if (code == ERR_OK) {
        struct begin_context context = {.options = trial->options};
        struct suite_options options = {.data_dir = trial->options->data_dir,
                                        .build = trial->options->build,
                                        .begin = begin_scenario,
                                        .context = &context};
        suite_run(suite, &options, out, totals);
    }
    free(suite);
    return code;
}

/* Not by format: these run to megabytes. */
static void add_list(struct text *out, const char *key, const struct text *items) {
    text_member(out, key);
    text_add_char(out, '[');
    text_add(out, text_get(items));
    text_add_char(out, ']');
}

/* True if nothing is wrong with any of it. */
static bool print_whole(struct trial *trial, const struct text *scenarios,
                        const struct suite_totals *totals, struct text *out) {
    char hash[HASH_TEXT_MAX];
    hasher_add(trial->hasher, text_get(scenarios), scenarios->len);
    hasher_print(trial->hasher, hash);
    text_add_char(out, '{');
    text_member_string(out, "title", "Seatrial: maiden voyage");
    text_member_string(out, "kind", "certify");
    text_member_string(out, "build", trial->options->build);
    text_member_string(out, "config_hash", trial->config_hash);
    text_member_int(out, "seed", (int64_t)trial->seed);
    text_member_int(out, "sessions", trial->sessions);
    text_member_int(out, "sim_seconds", trial->sim_seconds);
    text_member_string(out, "trace_hash", hash);
    add_list(out, "voyages", &trial->voyages);
    add_list(out, "scenarios", scenarios);
    int64_t unmet = pairs_add(scenarios, out);
    bool is_passed = trial->broken == 0 && totals->failed == 0 && unmet == 0;
    text_member_string(out, "verdict", is_passed ? "pass" : "fail");
    text_member_int(out, "passed", totals->passed);
    text_member_int(out, "failed", totals->failed);
    text_add_char(out, '}');
    text_add_char(out, '\n');
    return is_passed;
}

static void trial_release(struct trial *trial) {
    hasher_destroy(trial->hasher);
    words_release(&trial->purposes);
    words_release(&trial->exits);
    words_release(&trial->states);
    text_release(&trial->voyages);
}

enum err_code certify_run(const struct certify_options *options, struct text *out, bool *is_passed,
                          struct err *err) {
    struct trial trial = {.options = options, .hasher = hasher_create()};
    struct scenario *scenario = malloc(sizeof *scenario);
    struct suite_totals totals = {0};
    struct text scenarios = {0};
    struct text faults = {0};
    CHECK(scenario != NULL);
    enum err_code code = suite_read(options->voyage_file, scenario, &faults, err);
    if (code == ERR_CONFIG) {
        code = err_set(err, ERR_CONFIG, "%s: %s", options->voyage_file, text_get(&faults));
    }
    if (code == ERR_OK) {
        code = sail(&trial, scenario, "etfs-2019-12", false, err);
    }
    if (code == ERR_OK) {
        code = sail(&trial, scenario, "stocks-2022-03", true, err);
    }
    if (code == ERR_OK) {
        code = run_library(&trial, &scenarios, &totals, err);
    }
    if (code == ERR_OK) {
        *is_passed = print_whole(&trial, &scenarios, &totals, out);
        code = text_finish(out, err);
    }
    text_release(&scenarios);
    text_release(&faults);
    free(scenario);
    trial_release(&trial);
    return code;
}
