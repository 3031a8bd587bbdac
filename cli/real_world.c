/* real_world.c - opening the live seams. */
#include "cli/real_world.h"

#include "cli/cli.h"
#include "core/live/clock_served.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/entropy_system.h"
#include "core/live/host_posix.h"
#include "core/live/http_curl.h"

#include <stdio.h>
#include <string.h>

#define PAPER_URL "https://paper-api.alpaca.markets"
#define DATA_URL "https://data.alpaca.markets"
#define CONFIG_FILE_MAX ((size_t)1 << 20)

static enum err_code no_broker_perform(struct http *http, const struct http_request *request,
                                       struct span deadline, struct http_response *response,
                                       struct err *err) {
    (void)http;
    (void)deadline;
    http_response_clear(response);
    return err_set(err, ERR_NOT_SENT, "%s %s: no broker in this process", request->method,
                   request->path);
}

static const struct http_ops no_broker_ops = {no_broker_perform};

enum err_code real_world_open(struct real_world *real, const char *state, struct err *err) {
    enum err_code code = clock_system_create(&real->clock, err);
    if (code == ERR_OK) {
        code = disk_posix_create(state, &real->disk, err);
    }
    if (code == ERR_OK) {
        code = entropy_system_create(&real->entropy, err);
    }
    if (code == ERR_OK) {
        code = host_posix_create(&real->host, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    real->no_broker.ops = &no_broker_ops;
    real->world = (struct world){.clock = clock_system_seam(real->clock),
                                 .http = &real->no_broker,
                                 .disk = disk_posix_seam(real->disk),
                                 .entropy = real->entropy,
                                 .host = host_posix_seam(real->host)};
    return ERR_OK;
}

enum err_code real_config(const char *path, struct config *out, struct err *err) {
    struct config config = config_defaults();
    struct text bytes = {0};
    struct text faults = {0};
    cJSON *tree = NULL;
    enum err_code code = ERR_OK;
    if (path != NULL) {
        code = cli_read_file(path, CONFIG_FILE_MAX, &bytes, err);
        if (code == ERR_OK) {
            code = json_parse(text_get(&bytes), bytes.len, &tree, err);
            code = code == ERR_OK ? ERR_OK : err_set(err, ERR_CONFIG, "no JSON object");
        }
        if (code == ERR_OK) {
            code = config_apply(&config, tree, &faults, err);
        }
        fputs(text_get(&faults), stderr);
    }
    cJSON_Delete(tree);
    text_release(&bytes);
    text_release(&faults);
    if (code == ERR_OK) {
        *out = config;
    }
    return code == ERR_OK ? ERR_OK : err_wrap(err, "%s", path);
}

/* --- the broker --- */

static bool is_loopback(const char *url) {
    static const char *const starts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i]);
        if (strncmp(url, starts[i], n) == 0 && (url[n] == ':' || url[n] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Asks the served clock once and goes by it from then on. */
static enum err_code follow_served_clock(struct real_world *real, struct err *err) {
    struct http_response response = {0};
    const struct http_header headers[] = {{"APCA-API-KEY-ID", real->credentials.key_id},
                                          {"APCA-API-SECRET-KEY", real->credentials.secret}};
    struct http_request request = {.method = "GET",
                                   .host = HTTP_TRADING,
                                   .path = "/v2/clock",
                                   .query = "",
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = ""};
    enum err_code code =
        http_perform(http_curl_seam(real->curl), &request, SPAN_S(5), &response, err);
    http_response_release(&response);
    struct http_served served = http_curl_served(real->curl);
    if (code == ERR_OK && !served.is_known) {
        code = err_set(err, ERR_CONFIG, "--clock served: the server does not tell its speed");
    }
    if (code == ERR_OK) {
        code = clock_served_create(clock_system_seam(real->clock), served.time, served.wall,
                                   served.speed, &real->served, err);
    }
    if (code == ERR_OK) {
        real->world.clock = clock_served_seam(real->served);
        http_curl_use_clock(real->curl, real->world.clock, served.speed);
    }
    return code;
}

enum err_code real_world_connect(struct real_world *real, const struct real_options *options,
                                 struct err *err) {
    const char *url = options->base_url == NULL ? PAPER_URL : options->base_url;
    bool is_local = is_loopback(url);
    if (options->mode != NULL && strcmp(options->mode, "paper") != 0) {
        return err_set(err, ERR_USAGE, "--mode %s: only paper acts at a broker", options->mode);
    }
    if (!is_local && strcmp(url, PAPER_URL) != 0) {
        return err_set(err, ERR_USAGE, "--base-url: neither %s nor a loopback address", PAPER_URL);
    }
    if (options->clock != NULL && (!is_local || strcmp(options->clock, "served") != 0)) {
        return err_set(err, ERR_USAGE, "--clock served goes with a loopback --base-url only");
    }
    enum err_code code = real_config(options->config, &real->config, err);
    if (code == ERR_OK) {
        code = credentials_read(options->key_file, &real->credentials, err);
    }
    struct http_curl_options curl = {
        .trading_url = url, .data_url = is_local ? url : DATA_URL, .clock = real->world.clock};
    if (code == ERR_OK) {
        code = http_curl_create(&curl, &real->curl, err);
    }
    if (code == ERR_OK) {
        real->world.http = http_curl_seam(real->curl);
        code = options->clock != NULL ? follow_served_clock(real, err) : ERR_OK;
    }
    return code;
}

void real_world_close(struct real_world *real) {
    if (real->curl != NULL) {
        http_curl_destroy(real->curl);
    }
    if (real->served != NULL) {
        clock_served_destroy(real->served);
    }
    if (real->host != NULL) {
        host_posix_destroy(real->host);
    }
    if (real->entropy != NULL) {
        entropy_system_destroy(real->entropy);
    }
    if (real->disk != NULL) {
        disk_posix_destroy(real->disk);
    }
    if (real->clock != NULL) {
        clock_system_destroy(real->clock);
    }
    explicit_bzero(real, sizeof *real);
}
