/* serve.c - `seatrial serve`: the simulated Alpaca for any client. */
#include "broker_sim/serve/serve.h"
#include "cli/cli.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/host_posix.h"

#include <stdio.h>
#include <string.h>

struct served { /* what a server stands on */
    struct clock_system *clock;
    struct host_posix *host;
    struct disk_posix *ledger;
    struct market *market;
    struct serve *serve;
    char name[256];
};

struct served_options {
    int64_t port, seed, symbols, days;
    const char *ledger, *speed, *data, *start;
};

static enum err_code open_market(struct served *served, const struct served_options *options,
                                 struct err *err) {
    uint64_t seed = (uint64_t)options->seed;
    if (options->data != NULL && strcmp(options->data, "synthetic") != 0) {
        snprintf(served->name, sizeof served->name, "%s", options->data);
        return market_load(options->data, seed, &served->market, err);
    }
    if (options->symbols < 1 || options->symbols > MARKET_SYMBOLS_MAX || options->days < 1) {
        return err_set(err, ERR_USAGE, "--symbols 1..%d, --days 1..", MARKET_SYMBOLS_MAX);
    }
    snprintf(served->name, sizeof served->name, "synthetic:%lld", (long long)options->symbols);
    return market_synthetic(seed, (size_t)options->symbols, date_from_civil(2024, 3, 4),
                            (int)options->days, &served->market, err);
}

/* Served time begins five minutes before the first session's open unless said. */
static enum err_code first_instant(const struct served *served,
                                   const struct served_options *options, struct utc *out,
                                   struct err *err) {
    struct session session;
    if (options->start != NULL) {
        return utc_parse(options->start, out, err);
    }
    if (!calendar_current_or_next(market_calendar(served->market),
                                  ny_to_utc(market_first_date(served->market), 0, 0), &session)) {
        return err_set(err, ERR_RANGE, "the data has no session");
    }
    *out = utc_add(session.open, SPAN_MIN(-5));
    return ERR_OK;
}

static enum err_code open_server(struct served *served, const struct served_options *options,
                                 struct err *err) {
    struct serve_options serve = {.port = (uint16_t)options->port, .market_name = served->name};
    struct utc start = {0};
    enum err_code code = open_market(served, options, err);
    if (code == ERR_OK) {
        code = first_instant(served, options, &start, err);
    }
    if (code == ERR_OK && options->speed != NULL) {
        code = ratio_parse(options->speed, &serve.speed, err);
    }
    if (code == ERR_OK) {
        code = clock_system_create(&served->clock, err);
    }
    if (code == ERR_OK) {
        code = host_posix_create(&served->host, err);
    }
    if (code == ERR_OK && options->ledger != NULL) {
        code = disk_posix_create(options->ledger, &served->ledger, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    serve.market = served->market;
    serve.broker = broker_options_paper((uint64_t)options->seed, start);
    serve.clock = clock_system_seam(served->clock);
    serve.ledger = served->ledger == NULL ? NULL : disk_posix_seam(served->ledger);
    return serve_create(&serve, &served->serve, err);
}

static void close_server(struct served *served) {
    if (served->serve != NULL) {
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
    if (served->market != NULL) {
        market_destroy(served->market);
    }
}

int cli_serve(int argc, char **argv) {
    struct served_options options = {.port = 8080, .seed = 1, .symbols = 8, .days = 250};
    const struct cli_option table[] = {
        {"--port", CLI_NUMBER, &options.port},
        {"--ledger", CLI_WORD, &options.ledger},
        {"--speed", CLI_WORD, &options.speed},
        {"--data", CLI_WORD, &options.data},
        {"--seed", CLI_NUMBER, &options.seed},
        {"--symbols", CLI_NUMBER, &options.symbols},
        {"--days", CLI_NUMBER, &options.days},
        {"--start", CLI_WORD, &options.start},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    struct served served = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("serve", err.text);
    }
    if (words.count > 0 || options.port < 0 || options.port > 65535) {
        return cli_usage("serve", "--port 0..65535, and options only");
    }
    enum err_code code = open_server(&served, &options, &err);
    if (code == ERR_OK) {
        printf("http://127.0.0.1:%u\n", serve_port(served.serve));
        fflush(stdout);
        code = serve_run(served.serve, host_posix_seam(served.host), &err);
    }
    close_server(&served);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}
