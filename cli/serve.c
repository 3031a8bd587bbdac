/* serve.c - `seatrial serve`: the simulated Alpaca for any client. */
#include "broker_sim/serve/serve.h"
#include "cli/cli.h"
#include "cli/credentials.h"
#include "core/base/check.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/host_posix.h"
#include "scenarios/served.h"
#include "scenarios/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct teller { /* says on stderr which fault fired */
    struct observer seam;
};

struct served { /* what a server stands on */
    struct clock_system *clock;
    struct host_posix *host;
    struct disk_posix *ledger;
    struct market *market; /* borrowed from sea if there is one */
    struct scenario *scenario;
    struct served_scenario *sea; /* NULL: calm */
    struct serve *serve;
    struct credentials credentials;
    struct teller teller;
    struct utc start;
    char name[256];
};

struct served_options {
    int64_t port, seed, symbols, days; /* UNSAID below 0 */
    const char *ledger, *speed, *data, *start, *scenario;
    struct credential_source keys;
};

#define UNSAID (-1)
#define SEED 1
#define SYMBOLS 8
#define DAYS 250

static void tell_fault(struct observer *observer, const struct event *event) {
    char at[UTC_TEXT_MAX];
    (void)observer;
    if (event->kind == EVENT_FAULT) {
        utc_print(event->at, at);
        fprintf(stderr, "%s %s %s\n", at, event->subject, event->what);
    }
}

static const struct observer_ops teller_ops = {tell_fault};

/* --- the market --- */

static enum err_code open_market(struct served *served, const struct served_options *options,
                                 struct err *err) {
    uint64_t seed = options->seed == UNSAID ? SEED : (uint64_t)options->seed;
    int64_t symbols = options->symbols == UNSAID ? SYMBOLS : options->symbols;
    int64_t days = options->days == UNSAID ? DAYS : options->days;
    if (options->data != NULL && strcmp(options->data, "synthetic") != 0) {
        snprintf(served->name, sizeof served->name, "%s", options->data);
        return market_load(options->data, seed, &served->market, err);
    }
    if (symbols < 1 || symbols > MARKET_SYMBOLS_MAX) {
        return err_set(err, ERR_USAGE, "--symbols is 1 to %d", MARKET_SYMBOLS_MAX);
    }
    if (days < 1) {
        return err_set(err, ERR_USAGE, "--days is 1 or more");
    }
    snprintf(served->name, sizeof served->name, "synthetic:%lld", (long long)symbols);
    return market_synthetic(seed, (size_t)symbols, date_from_civil(2024, 3, 4), (int)days,
                            &served->market, err);
}

/* Five minutes before the first session's open. */
static enum err_code calm_start(const struct served *served, struct utc *out, struct err *err) {
    struct session session;
    if (!calendar_current_or_next(market_calendar(served->market),
                                  ny_to_utc(market_first_date(served->market), 0, 0), &session)) {
        return err_set(err, ERR_RANGE, "the data has no session");
    }
    *out = utc_add(session.open, SPAN_MIN(-5));
    return ERR_OK;
}

static enum err_code open_calm(struct served *served, const struct served_options *options,
                               struct broker_options *out, struct err *err) {
    struct utc start = {0};
    enum err_code code = open_market(served, options, err);
    if (code == ERR_OK) {
        code = calm_start(served, &start, err);
    }
    if (code == ERR_OK) {
        *out =
            broker_options_paper(options->seed == UNSAID ? SEED : (uint64_t)options->seed, start);
        /* as the core wants it, whose gross limit is 1 by default: others may PATCH it */
        out->configuration =
            (struct sim_configuration){.no_shorting = true, .max_margin_multiplier = 1};
    }
    return code;
}

/* A scenario says itself what `--seed`, `--symbols`, `--days` and `--data synthetic` would. */
static enum err_code open_sea(struct served *served, const struct served_options *options,
                              struct broker_options *out, struct err *err) {
    struct text faults = {0};
    char data[PATH_MAX] = "";
    if (options->seed != UNSAID || options->symbols != UNSAID || options->days != UNSAID ||
        options->data != NULL) {
        return err_set(err, ERR_USAGE,
                       "--scenario brings its own market: no --data, --seed, --symbols, --days");
    }
    served->scenario = calloc(1, sizeof *served->scenario);
    CHECK(served->scenario != NULL);
    (void)cli_find("data", data, sizeof data); /* a synthetic market needs none */
    enum err_code code = suite_read(options->scenario, served->scenario, &faults, err);
    if (code == ERR_OK) {
        code = served_scenario_create(served->scenario, data, &served->sea, &faults, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s", options->scenario);
    }
    fputs(text_get(&faults), stderr);
    text_release(&faults);
    if (code != ERR_OK) {
        return code;
    }
    served->market = served_scenario_market(served->sea);
    *out = served_scenario_account(served->sea);
    snprintf(served->name, sizeof served->name, "scenario:%s", served->scenario->id);
    return ERR_OK;
}

/* --- the server --- */

/* Without any source of credentials the account's key is SIM-KEY, SIM-SECRET. */
static enum err_code read_key(struct served *served, const struct credential_source *keys,
                              struct broker_options *broker, struct err *err) {
    if (!credentials_are_set(keys)) {
        return ERR_OK;
    }
    enum err_code code = credentials_read(keys, &served->credentials, err);
    if (code == ERR_OK) {
        broker->key_id = served->credentials.key_id;
        broker->secret = served->credentials.secret;
    }
    return code;
}

static enum err_code open_ground(struct served *served, const struct served_options *options,
                                 struct err *err) {
    enum err_code code = clock_system_create(&served->clock, err);
    if (code == ERR_OK) {
        code = host_posix_create(&served->host, err);
    }
    if (code == ERR_OK && options->ledger != NULL) {
        code = disk_posix_create(options->ledger, &served->ledger, err);
    }
    return code;
}

/* What was said of time lies over what the market says. */
static enum err_code read_clock(const struct served_options *options, struct serve_options *out,
                                struct err *err) {
    if (options->start != NULL && utc_parse(options->start, &out->broker.start, NULL) != ERR_OK) {
        return err_set(err, ERR_USAGE, "--start: '%s' is no time like 2024-03-04T15:30:00Z",
                       options->start);
    }
    if (options->speed != NULL && ratio_parse(options->speed, &out->speed, NULL) != ERR_OK) {
        return err_set(err, ERR_USAGE, "--speed: '%s' is no number like 10", options->speed);
    }
    return ERR_OK;
}

static enum err_code open_server(struct served *served, const struct served_options *options,
                                 struct err *err) {
    struct serve_options serve = {.port = (uint16_t)options->port, .market_name = served->name};
    enum err_code code = options->scenario != NULL ? open_sea(served, options, &serve.broker, err)
                                                   : open_calm(served, options, &serve.broker, err);
    if (code == ERR_OK) {
        code = read_clock(options, &serve, err);
    }
    if (code == ERR_OK) {
        code = read_key(served, &options->keys, &serve.broker, err);
    }
    if (code == ERR_OK) {
        code = open_ground(served, options, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    served->start = serve.broker.start;
    serve.market = served->market;
    serve.clock = clock_system_seam(served->clock);
    serve.ledger = served->ledger == NULL ? NULL : disk_posix_seam(served->ledger);
    code = serve_create(&serve, &served->serve, err);
    if (code == ERR_OK && served->sea != NULL) {
        served->teller.seam.ops = &teller_ops;
        code = served_scenario_arm(served->sea, served->serve, &served->teller.seam, err);
    }
    return code;
}

static void close_server(struct served *served) {
    if (served->serve != NULL) {
        serve_set_door(served->serve, NULL);
        serve_destroy(served->serve);
    }
    if (served->ledger != NULL) {
        disk_posix_destroy(served->ledger);
    }
    if (served->host != NULL) {
        host_posix_destroy(served->host);
    }
    if (served->clock != NULL) {
        clock_system_destroy(served->clock);
    }
    if (served->sea != NULL) {
        served_scenario_destroy(served->sea);
    } else if (served->market != NULL) {
        market_destroy(served->market);
    }
    free(served->scenario);
    credentials_wipe(&served->credentials);
}

/* Served symbols, shortened when there are many. */
static void print_symbols(const struct market *market) {
    size_t count = market_symbol_count(market);
    size_t shown = count <= 10 ? count : 8;
    fprintf(stderr, "symbols  ");
    for (size_t i = 0; i < shown; i++) {
        fprintf(stderr, " %s", market_symbol(market, i));
    }
    fprintf(stderr, shown < count ? " ... %s (%zu)\n" : "\n", market_symbol(market, count - 1),
            count);
}

/* How to use it, for people: standard output has the URL alone. Of keys only the public pair. */
static void tell_how(const struct served *served, const struct served_options *options,
                     struct utc start) {
    bool is_public = served->credentials.key_id[0] == '\0';
    char at[UTC_TEXT_MAX];
    utc_print(start, at);
    fprintf(stderr, "keys      %s\n",
            is_public ? "APCA_API_KEY_ID=SIM-KEY APCA_API_SECRET_KEY=SIM-SECRET"
                      : credentials_origin(&options->keys));
    print_symbols(served->market);
    fprintf(stderr, "start     %s%s, speed %s\n", at,
            options->ledger != NULL ? " (at the ledger's first start)" : "",
            options->speed == NULL ? "1" : options->speed);
    fprintf(stderr,
            "run       seatrial run --mode paper --base-url http://127.0.0.1:%u --clock served "
            "--config F --state DIR%s%s\n",
            serve_port(served->serve),
            options->keys.key_file != NULL      ? " --key-file "
            : options->keys.key_command != NULL ? " --key-command ..."
                                                : "",
            options->keys.key_file != NULL ? options->keys.key_file : "");
}

int cli_serve(int argc, char **argv) {
    struct served_options options = {
        .port = 8080, .seed = UNSAID, .symbols = UNSAID, .days = UNSAID};
    const struct cli_option table[] = {
        {"--port", CLI_NUMBER, &options.port},
        {"--ledger", CLI_WORD, &options.ledger},
        {"--speed", CLI_WORD, &options.speed},
        {"--data", CLI_WORD, &options.data},
        {"--seed", CLI_NUMBER, &options.seed},
        {"--symbols", CLI_NUMBER, &options.symbols},
        {"--days", CLI_NUMBER, &options.days},
        {"--start", CLI_WORD, &options.start},
        {"--scenario", CLI_WORD, &options.scenario},
        {"--key-file", CLI_WORD, &options.keys.key_file},
        {"--key-command", CLI_WORD, &options.keys.key_command},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    struct served served = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("serve", err.text);
    }
    if (options.port < 0 || options.port > 65535) {
        return cli_usage("serve", "--port is 0 to 65535");
    }
    enum err_code code = open_server(&served, &options, &err);
    if (code == ERR_OK) {
        printf("http://127.0.0.1:%u\n", serve_port(served.serve));
        fflush(stdout);
        tell_how(&served, &options, served.start);
        code = serve_run(served.serve, host_posix_seam(served.host), &err);
    }
    close_server(&served);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}
