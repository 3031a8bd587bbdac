/* chaos.c - `seatrial chaos`: sweeps over seeds, their merge, and the tables they draw from. */
#include "chaos/faults/plan.h"
#include "cli/cli.h"
#include "core/base/check.h"
#include "reports/result.h"
#include "scenarios/host_file.h"
#include "scenarios/sweep/shrink.h"
#include "scenarios/sweep/sweep.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct chaos_options {
    const char *mode, *seeds, *shard, *data, *out, *junit, *waivers;
    int64_t jobs, days, verify;
    bool is_json, is_print, is_shrink;
    struct waivers excused; /* read before anything runs */
};

static volatile sig_atomic_t wish_to_stop;

static void on_signal(int number) {
    (void)number;
    wish_to_stop = 1;
}

static bool is_interrupted(void) {
    return wish_to_stop != 0;
}

/* "17", "1..500" */
static bool parse_seeds(const char *word, uint64_t *first, uint64_t *last) {
    char *end = NULL;
    if (word[0] < '0' || word[0] > '9') {
        return false;
    }
    *first = *last = strtoull(word, &end, 10);
    if (strncmp(end, "..", 2) == 0 && end[2] >= '0' && end[2] <= '9') {
        *last = strtoull(end + 2, &end, 10);
    }
    return end[0] == '\0' && *first <= *last && *last < UINT64_C(1) << 53 &&
           *last - *first < SWEEP_SEEDS_MAX;
}

static enum err_code read_options(const struct chaos_options *options, struct sweep_options *out,
                                  struct err *err) {
    out->shard = 0;
    out->shards = 1;
    if (!chaos_mode_find(options->mode, &out->seed.mode)) {
        return err_set(err, ERR_USAGE, "no mode '%s'; `seatrial chaos modes` lists them",
                       options->mode);
    }
    if (options->seeds == NULL || !parse_seeds(options->seeds, &out->first, &out->last)) {
        return err_set(err, ERR_USAGE,
                       "--seeds wants a number or a range like 1..1000, of at most %d",
                       SWEEP_SEEDS_MAX);
    }
    if (options->is_shrink && out->first != out->last) {
        return err_set(err, ERR_USAGE, "--shrink takes one seed: --seeds N");
    }
    if (options->shard != NULL && !cli_parse_share(options->shard, &out->shard, &out->shards)) {
        return err_set(err, ERR_USAGE, "--shard wants i/n with 0 <= i < n");
    }
    if (options->days < 1 || options->days > 22) {
        return err_set(err, ERR_USAGE, "--days is 1 to 22");
    }
    if (options->jobs < 1 || options->jobs > SWEEP_JOBS_MAX) {
        return err_set(err, ERR_USAGE, "--jobs is 1 to %d", SWEEP_JOBS_MAX);
    }
    if (options->verify < 0 || options->verify > 100) {
        return err_set(err, ERR_USAGE, "--verify is a share of the seeds, 0 to 100 percent");
    }
    out->seed.verify_percent = (int)options->verify;
    out->seed.days = (int)options->days;
    out->jobs = (int)options->jobs;
    return ERR_OK;
}

static enum err_code read_waivers(struct chaos_options *options, struct err *err) {
    char found[PATH_MAX];
    char today[16];
    struct text bytes = {0};
    time_t now = time(NULL);
    struct tm day;
    const char *path = options->waivers;
    if (path == NULL && !cli_find("tests/waivers.json", found, sizeof found)) {
        return ERR_OK;
    }
    path = path == NULL ? found : path;
    gmtime_r(&now, &day);
    strftime(today, sizeof today, "%Y-%m-%d", &day);
    enum err_code code = host_file_read(path, (size_t)1 << 16, &bytes, err);
    if (code == ERR_OK) {
        code = waivers_parse(text_get(&bytes), bytes.len, today, &options->excused, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s", path);
    }
    text_release(&bytes);
    return code;
}

struct outcome { /* of a sweep or a merge */
    const struct totals *totals;
    struct totals_verdict verdict;
    struct text json, lines;
};

/* What the whole owed and did not meet, as JSON strings, comma separated. */
static void print_missing(const cJSON *totals, struct text *out) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(totals, "missing")) {
        int64_t met = 0;
        int64_t due = 0;
        const char *word = "";
        const char *waiver = "";
        struct text line = {0};
        CHECK(json_string(item, "word", &word, NULL) == ERR_OK &&
              json_string(item, "waiver", &waiver, NULL) == ERR_OK &&
              json_int(item, "seeds", &met, NULL) == ERR_OK &&
              json_int(item, "due", &due, NULL) == ERR_OK);
        if (waiver[0] == '\0') {
            text_add_format(&line, "%s: %lld, due %lld", word, (long long)met, (long long)due);
            text_add(out, out->len == 0 ? "" : ",");
            text_add_json_string(out, text_get(&line));
        }
        text_release(&line);
    }
}

/* The sweep itself as the first scenario: what must be met over all seeds; then the seeds that failed. */
static void print_scenarios(const struct chaos_options *options, const cJSON *totals,
                            const struct outcome *outcome, struct text *out) {
    const struct totals_verdict *verdict = &outcome->verdict;
    struct text missing = {0};
    struct text words = {0};
    const char *hash = "none";
    char *failures = cJSON_PrintUnformatted(json_member(totals, "failures"));
    CHECK(failures != NULL && json_string(totals, "trace_hash", &hash, NULL) == ERR_OK);
    print_missing(totals, &missing);
    text_add(out, "[{");
    text_member_string(out, "id", options->mode);
    text_add_format(&words, "%lld seeds", (long long)verdict->seeds);
    text_member_string(out, "title", text_get(&words));
    text_member_string(out, "verdict", verdict->missing == 0 ? "pass" : "fail");
    text_add_format(out, ",\"broken\":[%s],\"mechanisms\":[]", text_get(&missing));
    text_member_string(out, "trace_hash", hash);
    text_clear(&words);
    if (options->seeds != NULL) {
        totals_print_repeat(outcome->totals, options->mode, options->seeds, &words);
    }
    text_member_string(out, "repeat", text_get(&words));
    text_member_string(out, "source", "");
    text_add(out, failures[1] == ']' ? "}" : "},");
    text_add(out, failures + 1); /* without its [ */
    cJSON_free(failures);
    text_release(&missing);
    text_release(&words);
}

/* The outcome in the shape of a suite's result, so that all reports read it. */
static enum err_code print_result(const struct chaos_options *options,
                                  const struct outcome *outcome, struct text *out,
                                  struct err *err) {
    cJSON *totals = NULL;
    enum err_code code = json_parse(text_get(&outcome->json), outcome->json.len, &totals, err);
    if (code == ERR_OK) {
        text_add(out, "{\"title\":\"Seatrial: chaos\"");
        text_member_string(out, "build", cli_build());
        text_member_string(out, "config_hash", "each its own");
        text_add(out, ",\"seed\":0,\"voyages\":[]");
        text_member(out, "scenarios");
        print_scenarios(options, totals, outcome, out);
        text_member_int(out, "passed", outcome->verdict.seeds - outcome->verdict.failed);
        text_member_int(out, "failed", outcome->verdict.failed);
        text_member(out, "totals");
        text_add_bytes(out, text_get(&outcome->json), outcome->json.len);
        text_add_char(out, '}');
        code = text_finish(out, err);
    }
    cJSON_Delete(totals);
    return code;
}

static enum err_code write_result(const struct chaos_options *options,
                                  const struct outcome *outcome, struct err *err) {
    struct text json = {0};
    struct text junit = {0};
    cJSON *whole = NULL;
    char path[PATH_MAX];
    enum err_code code = print_result(options, outcome, &json, err);
    if (code == ERR_OK && options->out != NULL) {
        code = cli_join(path, sizeof path, options->out, "result.json", err);
        code = code == ERR_OK ? cli_write_file(path, text_get(&json), json.len, err) : code;
    }
    if (code == ERR_OK && options->junit != NULL) {
        code = json_parse(text_get(&json), json.len, &whole, err);
        code = code == ERR_OK ? report_junit(whole, &junit, err) : code;
        code = code == ERR_OK ? cli_write_file(options->junit, text_get(&junit), junit.len, err)
                              : code;
    }
    cJSON_Delete(whole);
    text_release(&json);
    text_release(&junit);
    return code;
}

static int tell(const struct chaos_options *options, struct totals *totals, enum totals_debt debt,
                const struct cli_timer *timer) {
    struct outcome outcome = {.totals = totals};
    struct err err = {0};
    outcome.verdict = totals_judge(totals, &options->excused, debt, &outcome.json, &outcome.lines);
    enum err_code code = write_result(options, &outcome, &err);
    fputs(text_get(options->is_json ? &outcome.json : &outcome.lines), stdout);
    if (timer != NULL && totals_cpu_us(totals) > 0) {
        double cpu = (double)totals_cpu_us(totals) / 1e6;
        fprintf(stderr, "%.1f CPU seconds, %.2f seeds per core-second\n", cpu,
                (double)outcome.verdict.seeds / cpu);
    }
    text_release(&outcome.json);
    text_release(&outcome.lines);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    return outcome.verdict.failed == 0 && outcome.verdict.missing == 0 ? CLI_PASS : CLI_FINDING;
}

static enum totals_debt debt_of(enum chaos_mode mode) {
    switch (mode) {
    case CHAOS_SWARM:
        return OWES_REACH;
    case CHAOS_CALM:
        return OWES_QUIET;
    case CHAOS_DIRECTED:
        return OWES_RECIPES;
    case CHAOS_STORM:
    case CHAOS_HEAL:
    case CHAOS_MODE_COUNT:
        break;
    }
    return OWES_NOTHING;
}

/* A sweep that goes on says so: what it tells in the end is of all seeds in the file. */
static void tell_found(const char *records, int64_t found, int64_t left) {
    if (found > 0) {
        fprintf(stderr,
                "seatrial: %s holds %lld seeds already, %lld of those asked for are left to run; "
                "the totals are of all in the file\n",
                records, (long long)found, (long long)left);
    }
}

static int sweep(const struct chaos_options *options, struct sweep_options *sweep_options) {
    struct cli_progress progress;
    struct cli_timer timer = cli_timer_start();
    char records[PATH_MAX];
    struct err err = {0};
    bool is_whole = false;
    struct totals *totals = totals_create();
    enum err_code code = ERR_OK;
    totals_repeat_with(totals, sweep_options->seed.days, options->data);
    if (options->out != NULL) {
        code = cli_make_dirs(options->out, &err);
        code = code == ERR_OK
                   ? cli_join(records, sizeof records, options->out, "records.ndjson", &err)
                   : code;
        sweep_options->records = records;
        sweep_options->found = tell_found;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    cli_progress_start(&progress, chaos_mode_word(sweep_options->seed.mode));
    sweep_options->progress = cli_progress_tell;
    sweep_options->context = &progress;
    code = code == ERR_OK ? sweep_run(sweep_options, totals, &is_whole, &err) : code;
    cli_progress_end(&progress);
    int status = code == ERR_OK
                     ? tell(options, totals,
                            is_whole ? debt_of(sweep_options->seed.mode) : OWES_NOTHING, &timer)
                     : cli_fail(&err);
    if (code == ERR_OK && !is_whole) {
        fprintf(stderr, "seatrial: interrupted; the same command goes on from here%s\n",
                options->out == NULL ? " (with --out)" : "");
        status = CLI_ENVIRONMENT;
    }
    totals_destroy(totals);
    return status;
}

/* The mode that the head line of a records file names, and its days. */
static enum err_code read_head(const struct text *head, enum chaos_mode *out, int64_t *days,
                               struct err *err) {
    cJSON *tree = NULL;
    const char *word = "";
    enum err_code code = json_parse(text_get(head), head->len, &tree, err);
    if (code == ERR_OK) {
        code = json_string(tree, "sweep", &word, err);
    }
    if (code == ERR_OK) {
        code = json_int(tree, "days", days, err);
    }
    if (code == ERR_OK && !chaos_mode_find(word, out)) {
        code = err_set(err, ERR_PARSE, "the records are of no known mode '%s'", word);
    }
    cJSON_Delete(tree);
    return code;
}

static int merge(struct chaos_options *options, const struct cli_words *words) {
    struct totals *totals = totals_create();
    struct text head = {0};
    struct err err = {0};
    enum chaos_mode mode = CHAOS_SWARM;
    enum err_code code = read_waivers(options, &err);
    for (size_t i = 1; i < words->count && code == ERR_OK; i++) {
        code = sweep_read(words->words[i], totals, &head, &err);
    }
    if (code == ERR_OK) {
        code = read_head(&head, &mode, &options->days, &err);
    }
    totals_repeat_with(totals, (int)options->days, options->data);
    options->mode = chaos_mode_word(mode);
    int status = code == ERR_OK ? tell(options, totals, debt_of(mode), NULL) : cli_fail(&err);
    text_release(&head);
    totals_destroy(totals);
    return status;
}

static int print_seeds(const struct sweep_options *options) {
    for (uint64_t seed = options->first; seed <= options->last; seed++) {
        struct text drawn = {0};
        swarm_draw(options->seed.mode, seed, options->seed.days, &drawn);
        fputs(text_get(&drawn), stdout);
        text_release(&drawn);
    }
    return CLI_PASS;
}

static void tell_candidate(void *context, int candidates, int rows) {
    (void)context;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%d candidates, %d rows left ", candidates, rows);
    } else if (candidates % 10 == 0) {
        fprintf(stderr, "%d candidates, %d rows left\n", candidates, rows);
    }
}

#define REGRESSIONS "scenarios/library"

/* Where the smallest is written: --out, or beside the scenarios that every test runs, under its id, where nothing is
 * overwritten. Asked before the hunt. ERR_CONFIG. */
static enum err_code find_place(const struct chaos_options *options, const struct text *text,
                                char out[static PATH_MAX], struct err *err) {
    cJSON *tree = NULL;
    const char *id = "";
    if (options->out != NULL) {
        snprintf(out, PATH_MAX, "%s", options->out);
        return ERR_OK;
    }
    enum err_code code = json_parse(text_get(text), text->len, &tree, err);
    code = code == ERR_OK ? json_string(tree, "id", &id, err) : code;
    snprintf(out, PATH_MAX, REGRESSIONS "/%s.json", id);
    if (code == ERR_OK && id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0') {
        code = err_set(err, ERR_CONFIG, "id: '%s' is not made of a-z, 0-9 and _", id);
    } else if (code == ERR_OK && access(REGRESSIONS, W_OK) != 0) {
        code = err_set(err, ERR_CONFIG,
                       "no folder " REGRESSIONS " to write to here: name a file, --out F");
    } else if (code == ERR_OK && access(out, F_OK) == 0) {
        code = err_set(err, ERR_CONFIG, "%s is there already: name another file, --out F", out);
    }
    cJSON_Delete(tree);
    return code;
}

/* Shrinks a file, or what a seed draws, into a file. */
static int shrink_text(const struct chaos_options *options, const struct seed_options *run,
                       const struct text *text) {
    char place[PATH_MAX];
    struct shrink_options shrink_options = {.run = *run, .budget = 500, .progress = tell_candidate};
    struct text small = {0};
    struct shrunk shrunk = {0};
    struct err err = {0};
    if (find_place(options, text, place, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    enum err_code code = shrink(&shrink_options, text_get(text), text->len, &small, &shrunk, &err);
    fputs(isatty(STDERR_FILENO) ? "\n" : "", stderr);
    if (code == ERR_NOT_FOUND) { /* good news is no error */
        fprintf(stderr, "seatrial: %s\n", err.text);
        text_release(&small);
        return CLI_PASS;
    }
    if (code == ERR_OK) {
        fprintf(stderr, "%s: %d rows left after %d candidates\n", shrunk.signature, shrunk.rows,
                shrunk.candidates);
        code = cli_write_file(place, small.data, small.len, &err);
        if (code == ERR_OK) {
            fprintf(stderr, "written to %s\n", place);
        }
    }
    text_release(&small);
    return code == ERR_OK ? CLI_FINDING : cli_fail(&err);
}

static int shrink_file(const struct chaos_options *options, const struct seed_options *run,
                       const char *path) {
    struct text text = {0};
    struct err err = {0};
    enum err_code code = host_file_read(path, (size_t)1 << 20, &text, &err);
    int status = code == ERR_OK ? shrink_text(options, run, &text) : cli_fail(&err);
    text_release(&text);
    return status;
}

static int shrink_seed(const struct chaos_options *options, const struct sweep_options *sweep) {
    struct text drawn = {0};
    swarm_draw(sweep->seed.mode, sweep->first, sweep->seed.days, &drawn);
    int status = shrink_text(options, &sweep->seed, &drawn);
    text_release(&drawn);
    return status;
}

static int list_modes(void) {
    for (int i = 0; i < CHAOS_MODE_COUNT; i++) {
        printf("%-10s %s\n", chaos_mode_word((enum chaos_mode)i),
               chaos_mode_meaning((enum chaos_mode)i));
    }
    return CLI_PASS;
}

static int run_seeds(struct chaos_options *options, const char *file) {
    char found[PATH_MAX];
    struct sweep_options sweep_options = {.hang_s = 120, .is_interrupted = is_interrupted};
    struct err err = {0};
    sweep_options.seed.data_dir = cli_data_dir(options->data, found);
    sweep_options.seed.build = cli_build();
    if (file != NULL) {
        return shrink_file(options, &sweep_options.seed, file);
    }
    if (read_options(options, &sweep_options, &err) != ERR_OK) {
        return cli_usage("chaos", err.text);
    }
    if (options->is_shrink) {
        return shrink_seed(options, &sweep_options);
    }
    if (options->is_print) {
        return print_seeds(&sweep_options);
    }
    if (cli_check_data(options->data, &err) != ERR_OK || read_waivers(options, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    return sweep(options, &sweep_options);
}

static int act(struct chaos_options *options, const struct cli_words *words) {
    const char *verb = words->count > 0 ? words->words[0] : "run";
    if (strcmp(verb, "merge") == 0 && words->count > 1) {
        return merge(options, words);
    }
    if (strcmp(verb, "shrink") == 0 && words->count == 2) {
        return run_seeds(options, words->words[1]);
    }
    if (words->count <= 1 && strcmp(verb, "run") == 0) {
        return run_seeds(options, NULL);
    }
    if (words->count == 1 && strcmp(verb, "list") == 0) {
        chaos_list_print(stdout);
        return CLI_PASS;
    }
    if (words->count == 1 && strcmp(verb, "modes") == 0) {
        return list_modes();
    }
    return cli_usage("chaos", "run, list, modes, merge FILE... or shrink FILE?");
}

int cli_chaos(int argc, char **argv) {
    struct chaos_options options = {.mode = "swarm", .jobs = 1, .days = TOTALS_DAYS};
    const struct cli_option table[] = {
        {"--mode", CLI_WORD, &options.mode},
        {"--seeds", CLI_WORD, &options.seeds},
        {"--seed", CLI_WORD, &options.seeds},
        {"--shard", CLI_WORD, &options.shard},
        {"--jobs", CLI_NUMBER, &options.jobs},
        {"--days", CLI_NUMBER, &options.days},
        {"--data", CLI_WORD, &options.data},
        {"--out", CLI_WORD, &options.out},
        {"--junit", CLI_WORD, &options.junit},
        {"--verify", CLI_NUMBER, &options.verify},
        {"--waivers", CLI_WORD, &options.waivers},
        {"--json", CLI_FLAG, &options.is_json},
        {"--print", CLI_FLAG, &options.is_print},
        {"--shrink", CLI_FLAG, &options.is_shrink},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("chaos", err.text);
    }
    return act(&options, &words);
}
