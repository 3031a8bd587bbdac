/* real_world.c - opening the live seams. */
#include "cli/real_world.h"

#include "cli/cli.h"
#include "core/live/clock_served.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/entropy_system.h"
#include "core/live/host_posix.h"
#include "core/live/http_curl.h"
#include "core/state/state_file.h"
#include "scenarios/host_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_URL "https://data.alpaca.markets"
#define CONFIG_FILE_MAX ((size_t)1 << 20)
#define GROUPS_FILE_MAX ((size_t)1 << 16)

static enum err_code no_broker_perform(struct http *http, const struct http_request *request,
                                       struct span deadline, struct http_response *response,
                                       struct err *err) {
    (void)http;
    (void)deadline;
    http_response_clear(response);
    return err_set(err, ERR_NOT_SENT, "%s %s: no broker in this process", request->method,
                   request->path);
}

static const struct http_ops no_broker_ops = {.perform = no_broker_perform};

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

/* Lays a file over the defaults; its faults go to stderr, one a line. */
static enum err_code apply_file(const char *path, struct config *config, struct err *err) {
    struct text bytes = {0};
    struct text faults = {0};
    cJSON *tree = NULL;
    enum err_code code = host_file_read(path, CONFIG_FILE_MAX, &bytes, err);
    if (code == ERR_OK) {
        code = json_parse(text_get(&bytes), bytes.len, &tree, err);
        if (code == ERR_OK) {
            code = config_apply(config, tree, &faults, err);
        }
        code = code == ERR_OK ? code : err_wrap(err, "%s", path);
    }
    fputs(text_get(&faults), stderr);
    cJSON_Delete(tree);
    text_release(&bytes);
    text_release(&faults);
    return code;
}

/* The file of groups that a configuration names; its own errors name it. */
static enum err_code read_groups(struct config *config, struct err *err) {
    struct text bytes = {0};
    if (config->groups_file[0] == '\0') {
        return ERR_OK;
    }
    enum err_code code = host_file_read(config->groups_file, GROUPS_FILE_MAX, &bytes, err);
    if (code == ERR_OK) {
        code = groups_read(config->groups_file, text_get(&bytes), bytes.len, &config->groups, err);
    } else {
        code = err_wrap(err, "risk.groups_file");
    }
    text_release(&bytes);
    return code;
}

enum err_code real_config(const char *path, struct config *out, struct err *err) {
    struct config config = config_defaults();
    enum err_code code = path == NULL ? ERR_OK : apply_file(path, &config, err);
    code = code == ERR_OK ? read_groups(&config, err) : code;
    if (code == ERR_OK) {
        *out = config;
    }
    return code;
}

/* --- the broker --- */

enum err_code real_get(struct real_world *real, const char *path, struct http_response *response,
                       struct err *err) {
    const struct http_header headers[] = {{"APCA-API-KEY-ID", real->credentials.key_id},
                                          {"APCA-API-SECRET-KEY", real->credentials.secret}};
    struct http_request request = {.method = "GET",
                                   .host = HTTP_TRADING,
                                   .path = path,
                                   .query = "",
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = ""};
    enum err_code code =
        http_perform(http_curl_seam(real->curl), &request, SPAN_S(5), response, err);
    return code == ERR_OK ? code : err_wrap(err, "%s", real->broker.url);
}

/* Asks the served clock once and goes by it from then on. */
static enum err_code follow_served_clock(struct real_world *real, struct err *err) {
    struct http_response response = {0};
    enum err_code code = real_get(real, "/v2/clock", &response, err);
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

/* --- which broker the state belongs to --- */

bool real_state_is_used(const char *state) {
    static const char *const names[] = {"journal.db", "lease.json", "view.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        struct stat status;
        if (cli_join(path, sizeof path, state, names[i], NULL) == ERR_OK &&
            stat(path, &status) == 0) {
            return true;
        }
    }
    return false;
}

enum err_code real_broker_load(struct world *world, struct real_broker *out, struct err *err) {
    struct state_file file = {0};
    struct real_broker read = {0};
    enum err_code code = state_file_load(world, BROKER_FILE, 0, &file, err);
    if (code == ERR_OK && file.condition == STATE_FILE_GOOD) {
        code = json_copy(file.tree, "base_url", read.url, sizeof read.url, err);
        code =
            code == ERR_OK ? json_bool(file.tree, "is_clock_served", &read.is_served, err) : code;
        code = code == ERR_OK ? json_int(file.tree, "pid", &read.pid, err) : code;
    } else if (code == ERR_OK && file.condition != STATE_FILE_MISSING) {
        code = err_set(err, ERR_CORRUPT,
                       BROKER_FILE ": edited or damaged; name the broker with --base-url");
    }
    state_file_release(&file);
    if (code == ERR_OK) {
        *out = read;
    }
    return code;
}

enum err_code real_broker_save(struct real_world *real, struct err *err) {
    struct text members = {.limit = 1024};
    text_member_string(&members, "base_url", real->broker.url);
    text_member_bool(&members, "is_clock_served", real->broker.is_served);
    text_member_int(&members, "pid", getpid());
    enum err_code code = text_finish(&members, err);
    if (code == ERR_OK) {
        code = state_file_save(&real->world, BROKER_FILE, 0, text_get(&members), err);
    }
    text_release(&members);
    return code;
}

/* What the caller says and what the state says, as one; they must not contradict each other. */
static enum err_code choose_broker(struct real_world *real, const struct real_options *options,
                                   struct err *err) {
    struct real_broker kept = {0};
    struct real_broker *broker = &real->broker;
    enum err_code code = real_broker_load(&real->world, &kept, err);
    if (code != ERR_OK && options->base_url == NULL) {
        return code;
    }
    *broker = (struct real_broker){.is_served = options->clock != NULL || kept.is_served};
    const char *url = options->base_url != NULL ? options->base_url
                      : kept.url[0] != '\0'     ? kept.url
                                                : REAL_PAPER_URL;
    code = text_copy(broker->url, sizeof broker->url, url, err);
    if (code == ERR_OK && kept.url[0] != '\0' && strcmp(kept.url, url) != 0) {
        return err_set(
            err, ERR_CONFIG,
            "this state directory belongs to the broker at %s, not to %s: say --base-url "
            "%s or take another --state (if that broker has moved: remove " BROKER_FILE ")",
            kept.url, url, kept.url);
    }
    if (code == ERR_OK && kept.url[0] != '\0' && broker->is_served && !kept.is_served) {
        return err_set(err, ERR_CONFIG,
                       "this state directory goes by the system's clock: leave --clock served out, "
                       "or take another --state");
    }
    return code;
}

enum err_code real_world_connect(struct real_world *real, const struct real_options *options,
                                 struct err *err) {
    enum err_code chosen = choose_broker(real, options, err);
    const char *url = real->broker.url;
    bool is_local = http_curl_is_loopback(url);
    if (options->mode != NULL && strcmp(options->mode, "paper") != 0) {
        return err_set(err, ERR_USAGE, "--mode %s: only paper acts at a broker", options->mode);
    }
    if (chosen != ERR_OK) {
        return chosen;
    }
    if (!is_local && strcmp(url, REAL_PAPER_URL) != 0) {
        return err_set(err, ERR_USAGE, "--base-url: neither %s nor a loopback address",
                       REAL_PAPER_URL);
    }
    if (options->clock != NULL && strcmp(options->clock, "served") != 0) {
        return err_set(err, ERR_USAGE, "--clock '%s': served is the only choice", options->clock);
    }
    if (options->clock != NULL && !is_local) {
        return err_set(err, ERR_USAGE, "--clock served goes with a loopback --base-url only");
    }
    enum err_code code = real_config(options->config, &real->config, err);
    if (code == ERR_OK) {
        code = credentials_read(&options->keys, &real->credentials, err);
    }
    struct http_curl_options curl = {
        .trading_url = url, .data_url = is_local ? url : DATA_URL, .clock = real->world.clock};
    if (code == ERR_OK) {
        code = http_curl_create(&curl, &real->curl, err);
    }
    if (code == ERR_OK) {
        real->world.http = http_curl_seam(real->curl);
        code = real->broker.is_served ? follow_served_clock(real, err) : ERR_OK;
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
