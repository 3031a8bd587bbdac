/* run.c - `seatrial run`: trade in simulation, or on paper. */
#include "chaos/machine/sim_disk.h"
#include "cli/cli.h"
#include "cli/key_watch.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "scenarios/result.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run_options {
    const char *mode, *config, *state, *data, *start, *base_url, *clock;
    struct credential_source keys;
    int64_t seed, days, symbols;
    bool is_json;
};

#define UNSAID INT64_MIN

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
    if (options->days < 1 || options->days > SCENARIO_DAYS_MAX) {
        return err_set(err, ERR_USAGE, "--days is 1 to %d", SCENARIO_DAYS_MAX);
    }
    if (options->symbols < 1 || options->symbols > CONFIG_SYMBOLS_MAX) {
        return err_set(err, ERR_USAGE, "--symbols is 1 to %d", CONFIG_SYMBOLS_MAX);
    }
    if (options->seed < 0) {
        return err_set(err, ERR_USAGE, "--seed is 0 or more");
    }
    scenario->has_start = options->start != NULL;
    if (scenario->has_start && date_parse(options->start, &scenario->start, NULL) != ERR_OK) {
        return err_set(err, ERR_USAGE, "--start: '%s' is no date like 2024-03-04", options->start);
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

/* The label waits for the first thing done: what is refused before it is the one line told. */
static void tell_sailing(void *context, int done_permille) {
    struct cli_progress *progress = context;
    if (progress->label == NULL) {
        cli_progress_start(progress, "sailing");
    }
    cli_progress_tell(progress, done_permille);
}

static void print_machine(const struct cli_timer *timer) {
    struct text machine = {0};
    cli_timer_print(timer, &machine);
    fputs(text_get(&machine), stderr);
    text_release(&machine);
}

static int run_sim(const struct run_options *options) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct stage_result result = {0};
    struct export export = {.folder = options->state};
    struct cli_progress progress = {0};
    struct err err = {0};
    bool is_real = options->data != NULL && strcmp(options->data, "synthetic") != 0;
    CHECK(scenario != NULL);
    enum err_code code = cli_check_data(options->data, &err);
    code = code == ERR_OK ? sim_scenario(options, scenario, &err) : code;
    struct stage_options stage = {.scenario = scenario,
                                  .data_path = is_real ? options->data : NULL,
                                  .build = cli_build(),
                                  .progress = tell_sailing,
                                  .progress_context = &progress,
                                  .at_end = options->state == NULL ? NULL : export_state,
                                  .at_end_context = &export};
    if (code == ERR_OK) {
        struct cli_timer timer = cli_timer_start();
        code = stage_run(&stage, &result, &err);
        cli_progress_end(&progress);
        if (code == ERR_OK) {
            print_machine(&timer);
        } else if (code == ERR_CONFIG && !is_real && options->config != NULL) {
            (void)err_wrap(&err, "%s, in a made up market (real bars: --data data/stocks-2022-03)",
                           options->config);
        }
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

struct paper { /* one run */
    const struct run_options *options;
    struct key_watch watch;
    bool is_all_read; /* by the last reload: the configuration beside the key pair */
};

/* One line for who watches; dropped where a stopped terminal or a full pipe would hold the core up. */
static void say(const char *line) {
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
        fputs(line, stderr);
    }
}

static void tell_trouble(void *context, const char *trouble) {
    char line[ERR_TEXT_MAX + 32];
    (void)context;
    snprintf(line, sizeof line, "seatrial: broker: %s\n",
             trouble[0] == '\0' ? "answers again" : trouble);
    say(line);
}

/* Alerts, changes of mode and what became of an operator's command: the rest is in log.jsonl. */
static void tell_event(struct observer *observer, const struct event *event) {
    char at[UTC_TEXT_MAX];
    char line[1024]; /* below PIPE_BUF */
    int length = (int)(event->body_len < 800 ? event->body_len : 800);
    (void)observer;
    utc_print(event->at, at);
    if (event->kind == EVENT_ALERT) {
        snprintf(line, sizeof line, "%s %s %.48s: %.*s\n", at, event->subject, event->what, length,
                 event->body);
    } else if (event->kind == EVENT_MODE) {
        snprintf(line, sizeof line, "%s mode %s, was %s\n", at, event->subject, event->what);
    } else if (event->kind == EVENT_OPERATOR) {
        snprintf(line, sizeof line, "%s %s%s%.48s by %.48s: %.*s\n", at, event->subject,
                 event->what[0] != '\0' ? " " : "", event->what, event->id, length, event->body);
    } else {
        return;
    }
    say(line);
}

static const struct observer_ops console_ops = {tell_event};

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

struct symbols_sight { /* of the universe's first symbols */
    size_t asked, unknown;
    bool is_unknown[SYMBOLS_ASKED];
};

static void ask_symbols(struct real_world *real, struct symbols_sight *out) {
    const struct config *config = &real->config;
    for (size_t i = 0; i < config->symbol_count && i < SYMBOLS_ASKED; i++) {
        char path[64];
        struct http_response response = {0};
        snprintf(path, sizeof path, "/v2/assets/%s", config->symbols[i]);
        bool has_answer = real_get(real, path, &response, NULL) == ERR_OK;
        out->is_unknown[i] = has_answer && response.status == 404;
        out->unknown += out->is_unknown[i];
        http_response_release(&response);
        if (!has_answer) {
            return; /* the core tells why */
        }
        out->asked++;
    }
}

/* On a state that holds nothing yet, what could only ever be silence is refused at once: keys that open
 * nothing, symbols of which the broker knows none. */
static enum err_code try_new(struct real_world *real, struct symbols_sight *symbols,
                             struct err *err) {
    enum err_code code = try_keys(real, err);
    if (code == ERR_OK) {
        ask_symbols(real, symbols);
    }
    if (code == ERR_OK && symbols->asked > 0 && symbols->unknown == symbols->asked) {
        return err_set(err, ERR_CONFIG,
                       "%s knows no symbol of the universe ('%s' ...): correct the configuration "
                       "(`seatrial serve` prints the symbols that it has)",
                       real->broker.url, real->config.symbols[0]);
    }
    return code;
}

/* What is wrong with the pair of broker and configuration, and would show as silence alone. */
static void warn(struct real_world *real, struct symbols_sight *symbols) {
    int64_t days = 0;
    if (!clock_days_off(real, &days)) {
        return;
    }
    if (days != 0) {
        fprintf(stderr, "seatrial: warning: the broker's clock is %lld days %s ours%s\n",
                (long long)(days < 0 ? -days : days), days < 0 ? "behind" : "ahead of",
                real->broker.is_served ? "" : "; for `seatrial serve` say --clock served");
    }
    if (symbols->asked == 0) {
        ask_symbols(real, symbols);
    }
    for (size_t i = 0; i < SYMBOLS_ASKED; i++) {
        if (symbols->is_unknown[i]) {
            fprintf(stderr, "seatrial: warning: the broker does not know '%s' of the universe\n",
                    real->config.symbols[i]);
        }
    }
}

/* From the same sources as at the start. A person who sends SIGHUP wants all to be read; another key file alone
 * brings no configuration along that somebody may be in the middle of editing. */
static enum err_code reread(void *context, struct engine_news *out, struct text *faults,
                            struct err *err) {
    struct paper *paper = context;
    const struct run_options *options = paper->options;
    struct credentials credentials = {0};
    (void)faults; /* real_config() prints them */
    paper->is_all_read =
        key_watch_take_inner_wish(&paper->watch) || (out->is_again && paper->is_all_read);
    enum err_code code =
        paper->is_all_read ? real_config(options->config, &out->config, err) : ERR_OK;
    code = code == ERR_OK ? credentials_read(&options->keys, &credentials, err) : code;
    if (code == ERR_OK) {
        code = text_copy(out->key_id, sizeof out->key_id, credentials.key_id, err);
    }
    if (code == ERR_OK) {
        code = text_copy(out->secret, sizeof out->secret, credentials.secret, err);
    }
    credentials_wipe(&credentials);
    return code;
}

/* Files that are wrong are told before a state directory is made. */
static enum err_code check_files(const struct run_options *options, struct err *err) {
    char path[PATH_MAX];
    struct config *config = calloc(1, sizeof *config);
    struct credentials credentials = {0};
    struct text faults = {0};
    enum err_code code = ERR_OK;
    CHECK(config != NULL);
    if (options->config != NULL) {
        code = real_config(options->config, config, err);
        code = code == ERR_OK ? config_check(config, &faults, err) : code;
    }
    if (code == ERR_OK && credentials_file(&options->keys, path)) {
        code = credentials_read(&options->keys, &credentials, err);
    }
    fputs(text_get(&faults), stderr);
    credentials_wipe(&credentials);
    text_release(&faults);
    free(config);
    return code;
}

/* Before the pair is read: what changes from then on is told. */
static void watch_key(struct paper *paper, struct real_world *real) {
    char path[PATH_MAX];
    (void)credentials_file(&paper->options->keys, path);
    key_watch_init(&paper->watch, real->world.host, real->world.clock, path);
    real->world.host = &paper->watch.seam;
}

/* Opens the broker and the core; what is found on the way is told. */
static enum err_code start_paper(struct paper *paper, struct real_world *real,
                                 struct symbols_sight *symbols, struct engine **out,
                                 struct err *err) {
    const struct run_options *options = paper->options;
    const struct real_options wanted = {
        options->state, options->config,
        options->mode,  options->base_url == NULL ? REAL_PAPER_URL : options->base_url,
        options->clock, options->keys};
    bool is_used = real_state_is_used(options->state);
    enum err_code code = check_files(options, err);
    code = code == ERR_OK ? real_world_open(real, options->state, err) : code;
    if (code == ERR_OK) {
        watch_key(paper, real);
    }
    code = code == ERR_OK ? real_world_connect(real, &wanted, err) : code;
    if (code == ERR_OK) {
        struct text faults = {0};
        code = config_check(&real->config, &faults, err);
        fputs(text_get(&faults), stderr);
        text_release(&faults);
    }
    code = code == ERR_OK && !is_used ? try_new(real, symbols, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    struct engine_options core = {.world = &real->world,
                                  .config = &real->config,
                                  .mode = ENGINE_PAPER,
                                  .key_id = real->credentials.key_id,
                                  .secret = real->credentials.secret,
                                  .build = cli_build(),
                                  .tell = tell_trouble,
                                  .tell_context = real,
                                  .reread = reread,
                                  .reread_context = paper};
    code = engine_create(&core, out, err);
    return code == ERR_LOCKED ? err_wrap(err, "%s (see `seatrial status --state %s`)",
                                         options->state, options->state)
                              : code;
}

static int run_paper(struct run_options *options) {
    struct paper paper = {.options = options};
    struct real_world *real = calloc(1, sizeof *real);
    struct observer console = {&console_ops};
    struct symbols_sight symbols = {0};
    struct engine *engine = NULL;
    struct err err = {0};
    CHECK(real != NULL);
    enum err_code code = start_paper(&paper, real, &symbols, &engine, &err);
    if (code == ERR_OK) {
        real->world.observer = &console;
        fprintf(stderr, "seatrial: trading on paper at %s, %zu symbols, state in %s\n",
                real->broker.url, real->config.symbol_count, options->state);
        if (real_broker_save(real, &err) != ERR_OK) { /* no reason not to trade */
            fprintf(stderr, "seatrial: warning: %s; say --base-url to kill and flatten\n",
                    err.text);
        }
        warn(real, &symbols);
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

/* An option that the mode would ignore, or NULL. */
static const char *stray_option(const struct run_options *options) {
    if (strcmp(options->mode, "sim") == 0) {
        return options->base_url != NULL           ? "--base-url"
               : options->keys.key_file != NULL    ? "--key-file"
               : options->keys.key_command != NULL ? "--key-command"
               : options->clock != NULL            ? "--clock"
                                                   : NULL;
    }
    return options->seed != UNSAID      ? "--seed"
           : options->days != UNSAID    ? "--days"
           : options->symbols != UNSAID ? "--symbols"
           : options->data != NULL      ? "--data"
           : options->start != NULL     ? "--start"
           : options->is_json           ? "--json"
                                        : NULL;
}

int cli_run(int argc, char **argv) {
    struct run_options options = {.mode = "sim", .seed = UNSAID, .days = UNSAID, .symbols = UNSAID};
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
        {"--key-file", CLI_WORD, &options.keys.key_file},
        {"--key-command", CLI_WORD, &options.keys.key_command},
        {"--clock", CLI_WORD, &options.clock},
        {"--json", CLI_FLAG, &options.is_json},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("run", err.text);
    }
    bool is_live = strcmp(options.mode, "live") == 0;
    bool is_sim = strcmp(options.mode, "sim") == 0;
    if (!is_live && !is_sim && strcmp(options.mode, "paper") != 0) {
        return cli_usage("run", "--mode is sim, paper or live");
    }
    const char *stray = stray_option(&options);
    if (stray != NULL) {
        (void)err_set(&err, ERR_USAGE, "--mode %s takes no %s", options.mode, stray);
        return cli_usage("run", err.text);
    }
    if (!is_sim && cli_check_inert(options.mode, &err) != ERR_OK) {
        return cli_fail(&err);
    }
    if (is_live) {
        fprintf(stderr, "seatrial: --mode live is refused: its gate (account pinned, two proofs, a "
                        "passing certificate for this core and configuration) does not exist yet. "
                        "Use --mode paper.\n");
        return CLI_CONFIG;
    }
    if (is_sim) {
        options.seed = options.seed == UNSAID ? 1 : options.seed;
        options.days = options.days == UNSAID ? 1 : options.days;
        options.symbols = options.symbols == UNSAID ? 8 : options.symbols;
        return run_sim(&options);
    }
    if (options.state == NULL) {
        return cli_usage("run", "--mode paper needs --state DIR");
    }
    return run_paper(&options);
}
