/* run.c - `seatrial run`: trade in simulation, or on paper. */
#include "chaos/machine/sim_disk.h"
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "scenarios/result.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_options {
    const char *mode, *config, *state, *data, *start, *base_url, *key_file, *clock;
    int64_t seed, days, symbols;
    bool is_json;
};

/* --- simulation --- */

struct export {
    const struct sim_disk *disk;
    const char *folder;
    struct err err;
    enum err_code code;
};

static void export_name(void *context, const char *name) {
    struct export *export = context;
    struct text content = {0};
    char path[PATH_MAX];
    char folder[PATH_MAX];
    if (export->code != ERR_OK || !sim_disk_read(export->disk, name, &content)) {
        return;
    }
    export->code = cli_join(path, sizeof path, export->folder, name, &export->err);
    if (export->code == ERR_OK) {
        strcpy(folder, path); /* NOLINT: same size */
        *strrchr(folder, '/') = '\0';
        export->code = cli_make_dirs(folder, &export->err);
    }
    if (export->code == ERR_OK) {
        export->code = cli_write_file(path, text_get(&content), content.len, &export->err);
    }
    text_release(&content);
}

/* What the core left on its simulated disk, as files. */
static void export_state(void *context, const struct sim_disk *disk) {
    struct export *export = context;
    export->disk = disk;
    sim_disk_visit_all(disk, export_name, export);
}

static enum err_code sim_scenario(const struct run_options *options, struct scenario *scenario,
                                  struct err *err) {
    scenario_init(scenario);
    snprintf(scenario->id, sizeof scenario->id, "run");
    snprintf(scenario->title, sizeof scenario->title, "seatrial run --mode sim");
    scenario->seed = (uint64_t)options->seed;
    scenario->days = (int)options->days;
    scenario->synthetic_symbols = options->symbols;
    if (options->days < 1 || options->days > SCENARIO_DAYS_MAX || options->symbols < 1 ||
        options->symbols > CONFIG_SYMBOLS_MAX || options->seed < 0) {
        return err_set(err, ERR_USAGE, "--days 1..%d, --symbols 1..%d, --seed 0..",
                       SCENARIO_DAYS_MAX, CONFIG_SYMBOLS_MAX);
    }
    if (options->start != NULL) {
        scenario->has_start = true;
        if (date_parse(options->start, &scenario->start, err) != ERR_OK) {
            return err_wrap(err, "--start");
        }
    }
    return real_config(options->config, &scenario->config, err);
}

static void print_repeat(const struct run_options *options, struct text *out) {
    text_add_format(out, "seatrial run --mode sim --seed %lld --days %lld --data %s",
                    (long long)options->seed, (long long)options->days,
                    options->data == NULL ? "synthetic" : options->data);
    if (options->data == NULL || strcmp(options->data, "synthetic") == 0) {
        text_add_format(out, " --symbols %lld", (long long)options->symbols);
    }
    if (options->start != NULL) {
        text_add_format(out, " --start %s", options->start);
    }
    if (options->config != NULL) {
        text_add_format(out, " --config %s", options->config);
    }
}

static void print_sim(const struct run_options *options, const struct stage_result *result,
                      const struct scenario *scenario) {
    struct text out = {0};
    if (options->is_json) {
        struct text repeat = {0};
        print_repeat(options, &repeat);
        result_print_run(result, scenario, cli_build(), text_get(&repeat), &out);
        text_add_char(&out, '\n');
        text_release(&repeat);
    } else {
        text_add_format(&out, "%d sessions, %lld ticks, %lld orders, %lld fills, equity ",
                        result->days, (long long)result->ticks, (long long)result->orders,
                        (long long)result->fills);
        text_add_decimal(&out, result->equity_end.nanos);
        text_add_format(&out, "\ntrace %s\n%s", result->trace_hash,
                        text_get(&result->broken_lines));
    }
    fputs(text_get(&out), stdout);
    text_release(&out);
}

static int run_sim(const struct run_options *options) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct stage_result result = {0};
    struct export export = {.folder = options->state};
    struct cli_progress progress;
    struct err err = {0};
    bool is_real = options->data != NULL && strcmp(options->data, "synthetic") != 0;
    CHECK(scenario != NULL);
    enum err_code code = sim_scenario(options, scenario, &err);
    struct stage_options stage = {.scenario = scenario,
                                  .data_path = is_real ? options->data : NULL,
                                  .build = cli_build(),
                                  .progress = cli_progress_tell,
                                  .progress_context = &progress,
                                  .at_end = options->state == NULL ? NULL : export_state,
                                  .at_end_context = &export};
    if (code == ERR_OK) {
        struct cli_timer timer = cli_timer_start();
        struct text machine = {0};
        cli_progress_start(&progress, "sailing");
        code = stage_run(&stage, &result, &err);
        cli_progress_end(&progress);
        cli_timer_print(&timer, &machine);
        fputs(text_get(&machine), stderr);
        text_release(&machine);
    }
    if (code == ERR_OK && export.code != ERR_OK) {
        code = export.code;
        err = export.err;
    }
    int status = code == ERR_OK ? CLI_PASS : cli_fail(&err);
    if (code == ERR_OK) {
        print_sim(options, &result, scenario);
        status = result.broken == 0 ? CLI_PASS : CLI_FINDING;
    }
    stage_result_release(&result);
    free(scenario);
    return status;
}

/* --- paper --- */

static void tell_trouble(void *context, const char *trouble) {
    (void)context;
    fprintf(stderr, "seatrial: broker: %s\n", trouble[0] == '\0' ? "answers again" : trouble);
}

/* On a state that holds nothing yet, keys that open nothing are refused at once. */
static enum err_code try_keys(struct real_world *real, struct err *err) {
    struct http_response response = {0};
    bool has_answer = real_get(real, "/v2/account", &response, NULL) == ERR_OK;
    int status = response.status;
    http_response_release(&response);
    return has_answer && (status == 401 || status == 403)
               ? err_set(err, ERR_CONFIG, "%s: HTTP %d: these keys open no account there",
                         real->broker.url, status)
               : ERR_OK;
}

/* Days between the broker's clock and ours; false if it does not say. */
static bool clock_days_off(struct real_world *real, int64_t *days) {
    struct http_response response = {0};
    cJSON *tree = NULL;
    const char *at = "";
    struct utc utc = {0};
    bool is_known =
        real_get(real, "/v2/clock", &response, NULL) == ERR_OK &&
        json_parse(text_get(&response.body), response.body.len, &tree, NULL) == ERR_OK &&
        json_string(tree, "timestamp", &at, NULL) == ERR_OK && utc_parse(at, &utc, NULL) == ERR_OK;
    if (is_known) {
        *days = utc_sub(utc, clock_utc(real->world.clock)).ns / SPAN_HOURS(24).ns;
    }
    cJSON_Delete(tree);
    http_response_release(&response);
    return is_known;
}

#define SYMBOLS_ASKED 20 /* at a start; more would eat the first minute's requests */

static void warn_symbols(struct real_world *real) {
    const struct config *config = &real->config;
    for (size_t i = 0; i < config->symbol_count && i < SYMBOLS_ASKED; i++) {
        char path[64];
        struct http_response response = {0};
        snprintf(path, sizeof path, "/v2/assets/%s", config->symbols[i]);
        bool has_answer = real_get(real, path, &response, NULL) == ERR_OK;
        if (has_answer && response.status == 404) {
            fprintf(stderr, "seatrial: warning: the broker does not know '%s' of the universe\n",
                    config->symbols[i]);
        }
        http_response_release(&response);
        if (!has_answer) {
            return; /* the core tells why */
        }
    }
}

/* What is wrong with the pair of broker and configuration, and would show as silence alone. */
static void warn(struct real_world *real) {
    int64_t days = 0;
    if (!clock_days_off(real, &days)) {
        return;
    }
    if (days != 0) {
        fprintf(stderr, "seatrial: warning: the broker's clock is %lld days %s ours%s\n",
                (long long)(days < 0 ? -days : days), days < 0 ? "behind" : "ahead of",
                real->broker.is_served ? "" : "; for `seatrial serve` say --clock served");
    }
    warn_symbols(real);
}

/* SIGHUP: the same files, or the same environment, as at the start. */
static enum err_code reread(void *context, struct engine_news *out, struct text *faults,
                            struct err *err) {
    const struct run_options *options = context;
    struct credentials credentials = {0};
    (void)faults; /* real_config() prints them */
    enum err_code code = real_config(options->config, &out->config, err);
    code = code == ERR_OK ? credentials_read(options->key_file, &credentials, err) : code;
    if (code == ERR_OK) {
        code = text_copy(out->key_id, sizeof out->key_id, credentials.key_id, err);
    }
    if (code == ERR_OK) {
        code = text_copy(out->secret, sizeof out->secret, credentials.secret, err);
    }
    credentials_wipe(&credentials);
    return code;
}

static int run_paper(struct run_options *options) {
    const struct real_options wanted = {
        options->state,    options->config,
        options->mode,     options->base_url == NULL ? REAL_PAPER_URL : options->base_url,
        options->key_file, options->clock};
    struct real_world *real = calloc(1, sizeof *real);
    struct engine *engine = NULL;
    struct err err = {0};
    CHECK(real != NULL);
    bool is_used = real_state_is_used(options->state);
    enum err_code code = real_world_open(real, options->state, &err);
    if (code == ERR_OK) {
        code = real_world_connect(real, &wanted, &err);
    }
    if (code == ERR_OK) {
        struct text faults = {0};
        code = config_check(&real->config, &faults, &err);
        fputs(text_get(&faults), stderr);
        text_release(&faults);
    }
    if (code == ERR_OK && !is_used) {
        code = try_keys(real, &err);
    }
    if (code == ERR_OK) {
        struct engine_options core = {.world = &real->world,
                                      .config = &real->config,
                                      .mode = ENGINE_PAPER,
                                      .key_id = real->credentials.key_id,
                                      .secret = real->credentials.secret,
                                      .build = cli_build(),
                                      .tell = tell_trouble,
                                      .tell_context = real,
                                      .reread = reread,
                                      .reread_context = options};
        code = engine_create(&core, &engine, &err);
    }
    if (code == ERR_OK) {
        fprintf(stderr, "seatrial: trading on paper at %s, %zu symbols, state in %s\n",
                real->broker.url, real->config.symbol_count, options->state);
        if (real_broker_save(real, &err) != ERR_OK) { /* no reason not to trade */
            fprintf(stderr, "seatrial: warning: %s; say --base-url to kill and flatten\n",
                    err.text);
        }
        warn(real);
        code = engine_run(engine, &err); /* stops it too */
        struct engine_totals totals = engine_totals(engine);
        printf("{\"mode\":\"paper\",\"ticks\":%lld,\"orders\":%lld,\"fills\":%lld,"
               "\"refusals\":%lld,\"build\":\"%s\"}\n",
               (long long)totals.ticks, (long long)totals.orders, (long long)totals.fills,
               (long long)totals.refusals, cli_build());
        engine_destroy(engine);
    }
    real_world_close(real);
    free(real);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}

int cli_run(int argc, char **argv) {
    struct run_options options = {.mode = "sim", .seed = 1, .days = 1, .symbols = 8};
    const struct cli_option table[] = {
        {"--mode", CLI_WORD, &options.mode},
        {"--config", CLI_WORD, &options.config},
        {"--state", CLI_WORD, &options.state},
        {"--seed", CLI_NUMBER, &options.seed},
        {"--days", CLI_NUMBER, &options.days},
        {"--data", CLI_WORD, &options.data},
        {"--symbols", CLI_NUMBER, &options.symbols},
        {"--start", CLI_WORD, &options.start},
        {"--base-url", CLI_WORD, &options.base_url},
        {"--key-file", CLI_WORD, &options.key_file},
        {"--clock", CLI_WORD, &options.clock},
        {"--json", CLI_FLAG, &options.is_json},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("run", err.text);
    }
    if (words.count > 0) {
        return cli_usage("run", "takes options only");
    }
    bool is_real = strcmp(options.mode, "live") == 0 || strcmp(options.mode, "paper") == 0;
    if (is_real && cli_check_inert(options.mode, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    if (strcmp(options.mode, "live") == 0) {
        fprintf(stderr, "seatrial: --mode live is refused: its gate (account pinned, two proofs, a "
                        "passing certificate for this core and configuration) does not exist yet. "
                        "Use --mode paper.\n");
        return CLI_CONFIG;
    }
    if (strcmp(options.mode, "sim") == 0) {
        return run_sim(&options);
    }
    if (strcmp(options.mode, "paper") != 0) {
        return cli_usage("run", "--mode is sim, paper or live");
    }
    if (options.state == NULL) {
        return cli_usage("run", "--mode paper needs --state DIR");
    }
    return run_paper(&options);
}
