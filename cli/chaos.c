/* chaos.c - `seatrial chaos`: sweeps over seeds, their merge, and the tables they draw from. */
#include "chaos/faults/plan.h"
#include "cli/cli.h"
#include "core/base/check.h"
#include "reports/result.h"
#include "scenarios/sweep/shrink.h"
#include "scenarios/sweep/sweep.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct chaos_options {
    const char *mode, *seeds, *shard, *data, *out, *junit, *waivers;
    int64_t jobs, days, verify;
    bool is_json, is_print, is_shrink;
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
    return end[0] == '\0' && *first <= *last && *last < UINT64_C(1) << 53;
}

/* "2/8": the second of eight; counted from 0. */
static bool parse_shard(const char *word, int *shard, int *shards) {
    char rest = 0;
    int count = sscanf(word, "%d/%d%c", shard, shards, &rest);
    return count == 2 && *shards >= 1 && *shard >= 0 && *shard < *shards;
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
        return err_set(err, ERR_USAGE, "--seeds wants a number or a range like 1..1000");
    }
    if (options->shard != NULL && !parse_shard(options->shard, &out->shard, &out->shards)) {
        return err_set(err, ERR_USAGE, "--shard wants i/n with 0 <= i < n");
    }
    if (options->days < 1 || options->days > 22 || options->jobs < 1 ||
        options->jobs > SWEEP_JOBS_MAX) {
        return err_set(err, ERR_USAGE, "--days is 1 to 22, --jobs 1 to %d", SWEEP_JOBS_MAX);
    }
    if (options->verify < 0 || options->verify > 100) {
        return err_set(err, ERR_USAGE, "--verify is a share of the seeds, 0 to 100 percent");
    }
    out->seed.verify_percent = (int)options->verify;
    out->seed.days = (int)options->days;
    out->jobs = (int)options->jobs;
    return ERR_OK;
}

static enum err_code read_waivers(const struct chaos_options *options, struct waivers *out,
                                  struct err *err) {
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
    enum err_code code = cli_read_file(path, (size_t)1 << 16, &bytes, err);
    if (code == ERR_OK) {
        code = waivers_parse(text_get(&bytes), bytes.len, today, out, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s", path);
    }
    text_release(&bytes);
    return code;
}

/* result.json in the shape of a suite, so that the reports read it. */
static enum err_code write_result(const struct chaos_options *options, const struct text *totals,
                                  const struct totals_verdict *verdict, struct err *err) {
    struct text json = {0};
    struct text junit = {0};
    cJSON *whole = NULL;
    cJSON *tree = NULL;
    char path[PATH_MAX];
    enum err_code code = json_parse(text_get(totals), totals->len, &tree, err);
    if (code == ERR_OK) {
        char *failures = cJSON_PrintUnformatted(json_member(tree, "failures"));
        CHECK(failures != NULL);
        text_add(&json, "{\"title\":\"Seatrial: chaos\"");
        text_member_string(&json, "build", cli_build());
        text_add_format(&json, ",\"scenarios\":%s", failures);
        cJSON_free(failures);
        text_member_int(&json, "passed", verdict->seeds - verdict->failed);
        text_member_int(&json, "failed", verdict->failed);
        text_add_format(&json, ",\"totals\":%s}", text_get(totals));
        code = json_parse(text_get(&json), json.len, &whole, err);
    }
    if (code == ERR_OK && options->out != NULL) {
        code = cli_join(path, sizeof path, options->out, "result.json", err);
        code = code == ERR_OK ? cli_write_file(path, text_get(&json), json.len, err) : code;
    }
    if (code == ERR_OK && options->junit != NULL) {
        code = report_junit(whole, &junit, err);
        code = code == ERR_OK ? cli_write_file(options->junit, text_get(&junit), junit.len, err)
                              : code;
    }
    cJSON_Delete(whole);
    cJSON_Delete(tree);
    text_release(&json);
    text_release(&junit);
    return code;
}

static int tell(const struct chaos_options *options, struct totals *totals, bool is_due,
                const struct cli_timer *timer) {
    struct text json = {0};
    struct text lines = {0};
    struct waivers waivers = {0};
    struct err err = {0};
    if (read_waivers(options, &waivers, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    struct totals_verdict verdict = totals_judge(totals, &waivers, is_due, &json, &lines);
    enum err_code code = write_result(options, &json, &verdict, &err);
    fputs(options->is_json ? text_get(&json) : text_get(&lines), stdout);
    if (timer != NULL && totals_cpu_us(totals) > 0) {
        double cpu = (double)totals_cpu_us(totals) / 1e6;
        fprintf(stderr, "%.1f CPU seconds, %.2f seeds per core-second\n", cpu,
                (double)verdict.seeds / cpu);
    }
    text_release(&json);
    text_release(&lines);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    return verdict.failed == 0 && verdict.missing == 0 ? CLI_PASS : CLI_FINDING;
}

static int sweep(const struct chaos_options *options, struct sweep_options *sweep_options) {
    struct cli_progress progress;
    struct cli_timer timer = cli_timer_start();
    char records[PATH_MAX];
    struct err err = {0};
    bool is_whole = false;
    struct totals *totals = totals_create();
    enum err_code code = ERR_OK;
    if (options->out != NULL) {
        code = cli_make_dirs(options->out, &err);
        code = code == ERR_OK
                   ? cli_join(records, sizeof records, options->out, "records.ndjson", &err)
                   : code;
        sweep_options->records = records;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    cli_progress_start(&progress, chaos_mode_word(sweep_options->seed.mode));
    sweep_options->progress = cli_progress_tell;
    sweep_options->context = &progress;
    code = code == ERR_OK ? sweep_run(sweep_options, totals, &is_whole, &err) : code;
    cli_progress_end(&progress);
    int status = code == ERR_OK ? tell(options, totals,
                                       is_whole && sweep_options->seed.mode == CHAOS_SWARM, &timer)
                                : cli_fail(&err);
    if (code == ERR_OK && !is_whole) {
        fprintf(stderr, "seatrial: interrupted; the same command goes on from here%s\n",
                options->out == NULL ? " (with --out)" : "");
        status = CLI_ENVIRONMENT;
    }
    totals_destroy(totals);
    return status;
}

static int merge(const struct chaos_options *options, const struct cli_words *words) {
    struct totals *totals = totals_create();
    struct text head = {0};
    struct err err = {0};
    enum err_code code = words->count > 1 ? ERR_OK : err_set(&err, ERR_USAGE, "merge which files?");
    for (size_t i = 1; i < words->count && code == ERR_OK; i++) {
        code = sweep_read(words->words[i], totals, &head, &err);
    }
    bool is_due = strstr(text_get(&head), "\"sweep\":\"swarm\"") != NULL;
    int status = code == ERR_OK ? tell(options, totals, is_due, NULL) : cli_fail(&err);
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
    fprintf(stderr, "\r%d candidates, %d rows left ", candidates, rows);
}

/* Shrinks a file, or what a seed draws, to standard output or --out. */
static int shrink_text(const struct chaos_options *options, const struct seed_options *run,
                       const struct text *text) {
    struct shrink_options shrink_options = {.run = *run, .budget = 500, .progress = tell_candidate};
    struct text small = {0};
    struct shrunk shrunk = {0};
    struct err err = {0};
    enum err_code code = shrink(&shrink_options, text_get(text), text->len, &small, &shrunk, &err);
    fputs("\n", stderr);
    if (code == ERR_OK) {
        fprintf(stderr, "%s: %d rows left after %d candidates\n", shrunk.signature, shrunk.rows,
                shrunk.candidates);
        code = options->out == NULL ? ERR_OK
                                    : cli_write_file(options->out, small.data, small.len, &err);
        fputs(options->out == NULL ? text_get(&small) : "", stdout);
    }
    text_release(&small);
    return code == ERR_OK ? CLI_FINDING : cli_fail(&err);
}

static int shrink_file(const struct chaos_options *options, const struct seed_options *run,
                       const char *path) {
    struct text text = {0};
    struct err err = {0};
    enum err_code code = cli_read_file(path, (size_t)1 << 20, &text, &err);
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

static int list_points(void) {
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        enum fault_point point = (enum fault_point)i;
        printf("%-28s %-8s %s [%s]\n", fault_point_name(point), fault_point_seam(point),
               fault_point_breaks(point), fault_point_parameters(point));
    }
    return CLI_PASS;
}

static int list_modes(void) {
    for (int i = 0; i < CHAOS_MODE_COUNT; i++) {
        printf("%-10s %s\n", chaos_mode_word((enum chaos_mode)i),
               chaos_mode_meaning((enum chaos_mode)i));
    }
    return CLI_PASS;
}

static int run_seeds(const struct chaos_options *options, const char *file) {
    char found[PATH_MAX] = "data";
    struct sweep_options sweep_options = {.hang_s = 120, .is_interrupted = is_interrupted};
    struct err err = {0};
    if (options->data == NULL) {
        (void)cli_find("data", found, sizeof found);
    }
    sweep_options.seed.data_dir = options->data == NULL ? found : options->data;
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
    return options->is_print ? print_seeds(&sweep_options) : sweep(options, &sweep_options);
}

int cli_chaos(int argc, char **argv) {
    struct chaos_options options = {.mode = "swarm", .jobs = 1, .days = 1};
    const struct cli_option table[] = {
        {"--mode", CLI_WORD, &options.mode},        {"--seeds", CLI_WORD, &options.seeds},
        {"--shard", CLI_WORD, &options.shard},      {"--jobs", CLI_NUMBER, &options.jobs},
        {"--days", CLI_NUMBER, &options.days},      {"--data", CLI_WORD, &options.data},
        {"--out", CLI_WORD, &options.out},          {"--junit", CLI_WORD, &options.junit},
        {"--verify", CLI_NUMBER, &options.verify},  {"--waivers", CLI_WORD, &options.waivers},
        {"--json", CLI_FLAG, &options.is_json},     {"--print", CLI_FLAG, &options.is_print},
        {"--shrink", CLI_FLAG, &options.is_shrink}, {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("chaos", err.text);
    }
    const char *verb = words.count > 0 ? words.words[0] : "run";
    if (strcmp(verb, "list") == 0) {
        return list_points();
    }
    if (strcmp(verb, "modes") == 0) {
        return list_modes();
    }
    if (strcmp(verb, "merge") == 0) {
        return merge(&options, &words);
    }
    if (strcmp(verb, "shrink") == 0 && words.count == 2) {
        return run_seeds(&options, words.words[1]);
    }
    return strcmp(verb, "run") == 0
               ? run_seeds(&options, NULL)
               : cli_usage("chaos", "run, list, modes, merge FILE... or shrink FILE?");
}
