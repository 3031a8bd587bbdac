/* fence.c - `seatrial fence`: no new order of an account is taken any more, from whatever program.
 *
 * It needs a key and nothing else: no state directory, no configuration, no core. It sets suspend_trade of the
 * account's configuration at the broker, where it binds every program that has a key, and says whether it
 * reads back. What rests at the broker stays, stops too; but exits are refused like entries, so it is for
 * a program that runs amok, behind kill and flatten. Setting it is tried although no record of it can be written: then
 * only its user's web page ends it. Lifting goes the other way round: unless a record proves that this fence is ours
 * (core/state/fence_record.h), nothing is asked of the broker. */
#include "cli/cli.h"
#include "cli/credentials.h"
#include "core/alpaca/alpaca.h"
#include "core/base/check.h"
#include "core/config/config.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/entropy_system.h"
#include "core/live/host_posix.h"
#include "core/live/http_curl.h"
#include "core/state/fence_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAPER_URL "https://paper-api.alpaca.markets"
#define LIVE_URL "https://api.alpaca.markets"
enum { TRIES = 3 };

struct fence {
    const char *mode, *by, *why, *base_url, *folder;
    struct credential_source keys;
    bool is_lift;
    const char *url;
    struct world world; /* its disk is the folder of records; NULL: there is none */
    struct clock_system *clock;
    struct disk_posix *disk;
    struct entropy *entropy;
    struct host_posix *host;
    struct http_curl *curl;
    struct alpaca *alpaca;
    char account[32]; /* "": not read */
};

/* --- the world of a command without state --- */

static enum err_code choose_url(struct fence *fence, struct err *err) {
    bool is_live = strcmp(fence->mode, "live") == 0;
    const char *own = is_live ? LIVE_URL : PAPER_URL;
    if (!is_live && strcmp(fence->mode, "paper") != 0) {
        return err_set(err, ERR_USAGE, "--mode is paper or live");
    }
    fence->url = fence->base_url == NULL ? own : fence->base_url;
    return strcmp(fence->url, own) == 0 || http_curl_is_loopback(fence->url)
               ? ERR_OK
               : err_set(err, ERR_USAGE, "--base-url: neither %s nor a loopback address", own);
}

static enum err_code open_world(struct fence *fence, struct err *err) {
    enum err_code code = clock_system_create(&fence->clock, err);
    code = code == ERR_OK ? entropy_system_create(&fence->entropy, err) : code;
    code = code == ERR_OK ? host_posix_create(&fence->host, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    fence->world = (struct world){.clock = clock_system_seam(fence->clock),
                                  .entropy = fence->entropy,
                                  .host = host_posix_seam(fence->host)};
    struct http_curl_options curl = {.trading_url = fence->url, .clock = fence->world.clock};
    code = http_curl_create(&curl, &fence->curl, err);
    fence->world.http = code == ERR_OK ? http_curl_seam(fence->curl) : NULL;
    return code;
}

/* XDG's folder for state, which a user's programs share, or what was said. */
static enum err_code folder_of(const struct fence *fence, char out[static PATH_MAX],
                               struct err *err) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (fence->folder != NULL) {
        return text_copy(out, PATH_MAX, fence->folder, err);
    }
    if (state != NULL && state[0] == '/') {
        return cli_join(out, PATH_MAX, state, "seatrial", err);
    }
    return home != NULL && home[0] == '/'
               ? cli_join(out, PATH_MAX, home, ".local/state/seatrial", err)
               : err_set(err, ERR_USAGE, "no HOME: say --record DIR");
}

static enum err_code open_records(struct fence *fence, struct err *err) {
    char folder[PATH_MAX];
    enum err_code code = folder_of(fence, folder, err);
    code = code == ERR_OK ? disk_posix_create(folder, &fence->disk, err) : code;
    fence->world.disk = code == ERR_OK ? disk_posix_seam(fence->disk) : NULL;
    return code;
}

static enum err_code open_broker(struct fence *fence, struct err *err) {
    struct credentials credentials = {0};
    struct config config = config_defaults();
    enum err_code code = credentials_read(&fence->keys, &credentials, err);
    struct alpaca_options options = {.world = &fence->world,
                                     .key_id = credentials.key_id,
                                     .secret = credentials.secret,
                                     .feed = config.feed,
                                     .read_deadline = config.deadline_read,
                                     .submit_deadline = config.deadline_submit,
                                     .slow_deadline = config.deadline_slow,
                                     .rate_core = config.rate_core,
                                     .rate_exit = config.rate_exit,
                                     .rate_other = config.rate_other};
    code = code == ERR_OK ? alpaca_create(&options, &fence->alpaca, err) : code;
    credentials_wipe(&credentials);
    return code;
}

static void close_world(struct fence *fence) {
    alpaca_destroy(fence->alpaca);
    if (fence->curl != NULL) {
        http_curl_destroy(fence->curl);
    }
    if (fence->disk != NULL) {
        disk_posix_destroy(fence->disk);
    }
    if (fence->host != NULL) {
        host_posix_destroy(fence->host);
    }
    if (fence->entropy != NULL) {
        entropy_system_destroy(fence->entropy);
    }
    if (fence->clock != NULL) {
        clock_system_destroy(fence->clock);
    }
}

/* --- what both ask --- */

static enum err_code read_account(struct fence *fence, struct err *err) {
    struct broker_account account = {0};
    enum err_code code = alpaca_get_account(fence->alpaca, &account, err);
    if (code == ERR_OK) {
        code = text_copy(fence->account, sizeof fence->account, account.number, err);
    }
    return code;
}

static enum err_code note(struct fence *fence, enum fence_state state, struct err *err) {
    struct fence_record record = {.state = state, .at = clock_utc(fence->world.clock)};
    enum err_code code = fence->world.disk != NULL
                             ? text_copy(record.account, sizeof record.account, fence->account, err)
                             : err_set(err, ERR_IO, "there is no folder for it");
    code = code == ERR_OK ? text_copy(record.url, sizeof record.url, fence->url, err) : code;
    code = code == ERR_OK ? text_copy(record.by, sizeof record.by, fence->by, err) : code;
    code = code == ERR_OK ? text_copy(record.why, sizeof record.why, fence->why, err) : code;
    return code == ERR_OK ? fence_record_save(&fence->world, &record, err) : code;
}

/* The core lane waits behind a 429; a fence does not. */
static enum err_code ask(struct fence *fence, enum configuration_switch suspend_trade,
                         struct err *err) {
    const struct configuration_change change = {.suspend_trade = suspend_trade};
    alpaca_set_lane(fence->alpaca, ALPACA_LANE_EXIT);
    return alpaca_set_configuration(fence->alpaca, &change, err);
}

/* --- setting --- */

static void warn_unrecorded(const struct err *err) {
    fprintf(
        stderr,
        "fence: no record of it: %s; --lift will refuse, and only the account's web page ends it\n",
        err->text);
}

/* Ours to lift later only if trading was known not to be suspended, and that is noted. */
static bool may_claim(struct fence *fence, bool *is_there) {
    struct broker_configuration told = {0};
    struct err err = {0};
    enum err_code code = read_account(fence, &err);
    code = code == ERR_OK ? alpaca_get_configuration(fence->alpaca, &told, &err) : code;
    *is_there = code == ERR_OK && told.is_suspended;
    if (*is_there) {
        return false;
    }
    code = code == ERR_OK ? open_records(fence, &err) : code;
    code = code == ERR_OK ? note(fence, FENCE_SETTING, &err) : code;
    if (code != ERR_OK) {
        warn_unrecorded(&err);
    }
    return code == ERR_OK;
}

static enum err_code set_fence(struct fence *fence, struct err *err) {
    bool is_there = false;
    bool is_ours = may_claim(fence, &is_there);
    struct broker_configuration told = {0};
    enum err_code code = ERR_OK;
    if (is_there) {
        printf("fence: account %s is suspended already; that is not recorded as this fence\n",
               fence->account);
        return ERR_OK;
    }
    for (int i = 0; i < TRIES; i++) {
        code = ask(fence, CONFIGURATION_ON, err);
        is_ours = is_ours && (code == ERR_OK || code == ERR_NOT_SENT);
        if (alpaca_get_configuration(fence->alpaca, &told, code == ERR_OK ? err : NULL) == ERR_OK &&
            told.is_suspended) {
            break;
        }
    }
    if (!told.is_suspended) {
        return code != ERR_OK ? code
                              : err_set(err, ERR_UNKNOWN,
                                        "asked for and not read back: look at the account's web "
                                        "page, or try again");
    }
    is_ours = is_ours && code == ERR_OK;
    if (is_ours && note(fence, FENCE_SET, err) != ERR_OK) {
        warn_unrecorded(err);
        is_ours = false;
    }
    printf("fence: account %s takes no new order now (read back)%s\n", fence->account,
           is_ours ? "" : "; --lift cannot end it, the account's web page can");
    return ERR_OK;
}

/* --- lifting --- */

static enum err_code lift_fence(struct fence *fence, struct err *err) {
    struct fence_record record = {0};
    struct broker_configuration told = {0};
    enum err_code code = open_records(fence, err);
    code = code == ERR_OK ? read_account(fence, err) : code;
    if (code == ERR_OK) {
        code = fence_record_prove(&fence->world, fence->account, fence->url, &record, err);
        code = code == ERR_OK ? code : err_wrap(err, "no fence of this tool to lift");
    }
    code = code == ERR_OK ? alpaca_get_configuration(fence->alpaca, &told, err) : code;
    if (code == ERR_OK && !told.is_suspended) {
        code = note(fence, FENCE_LIFTED, err);
        printf("fence: account %s is not suspended any more\n", fence->account);
        return code;
    }
    code = code == ERR_OK ? note(fence, FENCE_LIFTING, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    code = ask(fence, CONFIGURATION_OFF, err);
    if (code == ERR_NOT_SENT || code == ERR_REFUSED) { /* it stands, and is ours as before */
        record.at = clock_utc(fence->world.clock);
        (void)!fence_record_save(&fence->world, &record, NULL);
        return code;
    }
    code = code == ERR_OK ? alpaca_get_configuration(fence->alpaca, &told, err) : code;
    if (code == ERR_OK && told.is_suspended) {
        code = err_set(err, ERR_UNKNOWN, "asked for and not read back: look at the web page");
    }
    code = code == ERR_OK ? note(fence, FENCE_LIFTED, err) : code;
    if (code == ERR_OK) {
        printf("fence: account %s takes orders again; it was set by %s: %s\n", fence->account,
               record.by, record.why);
    }
    return code;
}

int cli_fence(int argc, char **argv) {
    struct fence fence = {0};
    const struct cli_option table[] = {
        {"--lift", CLI_FLAG, &fence.is_lift},
        {"--mode", CLI_WORD, &fence.mode},
        {"--by", CLI_WORD, &fence.by},
        {"--why", CLI_WORD, &fence.why},
        {"--base-url", CLI_WORD, &fence.base_url},
        {"--key-file", CLI_WORD, &fence.keys.key_file},
        {"--key-command", CLI_WORD, &fence.keys.key_command},
        {"--record", CLI_WORD, &fence.folder},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("fence", err.text);
    }
    if (fence.mode == NULL || fence.by == NULL || fence.why == NULL || fence.by[0] == '\0' ||
        fence.why[0] == '\0') {
        return cli_usage("fence", "needs --mode paper|live, --by WHO and --why TEXT");
    }
    enum err_code code = choose_url(&fence, &err);
    code = code == ERR_OK ? open_world(&fence, &err) : code;
    code = code == ERR_OK ? open_broker(&fence, &err) : code;
    if (code == ERR_OK) {
        code = fence.is_lift ? lift_fence(&fence, &err) : set_fence(&fence, &err);
        code = code == ERR_OK ? code : err_wrap(&err, "fence at %s", fence.url);
    }
    close_world(&fence);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}
