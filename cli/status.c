/* status.c - `seatrial status`: does the core live and move, and the view that it last published.
 *
 * The core renews its lease at least every LEASE_S / 3 seconds, also between ticks and in a closed
 * market; alive without a renewal for LEASE_S is hung. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/signals/weighted.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VIEW_MAX ((size_t)4 << 20)

static const char *member(const cJSON *view, const char *key) {
    const cJSON *item = json_member(view, key);
    return cJSON_IsString(item) ? item->valuestring : "?";
}

enum core_state { CORE_RUNNING, CORE_HUNG, CORE_DEAD, CORE_NEVER };

static const struct {
    const char *word;
    int exit;
} states[] = {[CORE_RUNNING] = {"running", CLI_PASS},
              [CORE_HUNG] = {"hung", CLI_HUNG},
              [CORE_DEAD] = {"dead", CLI_DEAD},
              [CORE_NEVER] = {"never_started", CLI_NEVER_STARTED}};

struct sight { /* what can be seen of a core from outside */
    enum core_state state;
    bool is_alive;
    int64_t lease_age_s, view_age_s; /* since written; -1: there is none */
    struct text view;
    cJSON *tree; /* of the view; NULL: none */
    struct real_broker broker;
};

/* By the file's own time: the times inside are those of the core's clock, which may be a served one. */
static int64_t age_of(struct clock *clock, const char *folder, const char *name) {
    char path[PATH_MAX];
    struct stat status;
    if (cli_join(path, sizeof path, folder, name, NULL) != ERR_OK || stat(path, &status) != 0) {
        return -1;
    }
    int64_t age = clock_utc(clock).ns / 1000000000 - status.st_mtim.tv_sec;
    return age < 0 ? 0 : age;
}

/* The view is for people; that it cannot be read says nothing of the core. */
static void read_view(struct world *world, struct sight *out) {
    struct err err = {0};
    enum err_code code = state_file_read(world->disk, "view.json", VIEW_MAX, &out->view, &err);
    code =
        code == ERR_OK ? json_parse(text_get(&out->view), out->view.len, &out->tree, &err) : code;
    if (code != ERR_OK) {
        fprintf(stderr, "seatrial: view.json: %s (shown without it)\n", err.text);
    }
}

static enum err_code look(struct real_world *real, const char *state, struct sight *out,
                          struct err *err) {
    struct world *world = &real->world;
    struct err ignored = {0};
    out->lease_age_s = age_of(world->clock, state, "lease.json");
    out->view_age_s = age_of(world->clock, state, "view.json");
    enum err_code code = lease_is_alive(world, &out->is_alive, err);
    if (code == ERR_OK && out->view_age_s >= 0) {
        read_view(world, out);
    }
    if (real_broker_load(world, &out->broker, &ignored) != ERR_OK) {
        fprintf(stderr, "seatrial: %s (shown without it)\n", ignored.text);
    }
    out->state = out->is_alive ? (out->lease_age_s >= LEASE_S ? CORE_HUNG : CORE_RUNNING)
                 : out->lease_age_s >= 0 || out->view_age_s >= 0 ? CORE_DEAD
                                                                 : CORE_NEVER;
    return code;
}

static void print_core(const struct sight *sight) {
    static const char *const words[] = {[CORE_RUNNING] = "running",
                                        [CORE_HUNG] = "HUNG: it lives but does not move",
                                        [CORE_DEAD] = "NOT running",
                                        [CORE_NEVER] = "never started"};
    printf("core      %s", words[sight->state]);
    if (sight->lease_age_s >= 0) {
        printf(", lease renewed %lld s ago", (long long)sight->lease_age_s);
    }
    if (sight->tree != NULL) {
        printf(", last seen %lld s ago (%s)", (long long)sight->view_age_s,
               member(sight->tree, "at"));
    }
    if (sight->is_alive && sight->broker.pid > 0) {
        printf(", pid %lld", (long long)sight->broker.pid);
    }
    printf("\n");
    if (sight->broker.url[0] != '\0') {
        printf("broker    %s%s\n", sight->broker.url,
               sight->broker.is_served ? ", by its clock" : "");
    }
}

static long long number(const cJSON *view, const char *key) {
    int64_t value = 0;
    return json_int(view, key, &value, NULL) == ERR_OK ? value : 0;
}

/* Why nothing is bought, as far as neither mode nor causes say it. */
static void print_outlook(const cJSON *view) {
    const cJSON *item = NULL;
    const cJSON *last = json_member(view, "last_refusal");
    const cJSON *trouble = json_member(view, "broker_error");
    if (json_member(view, "universe") == NULL) {
        return; /* of an older build */
    }
    if (trouble != NULL) {
        printf("broker    ERROR since %s: %s\n", member(trouble, "since"), member(trouble, "text"));
    }
    printf("market    %s\n", cJSON_IsTrue(json_member(view, "open")) ? "open" : "closed");
    printf("signals   %lld of %lld symbols have a score, %lld are wanted", number(view, "scored"),
           number(view, "universe"), number(view, "wanted"));
    if (number(view, "scored") == 0) {
        printf(" (warm-up: %lld of %d minute bars of a session)", number(view, "bars"),
               WEIGHTED_BARS_MIN);
    }
    printf("\nsent      %lld orders since the start\n", number(view, "sent"));
    cJSON_ArrayForEach(item, json_member(view, "refusals")) {
        printf("refused   %s %.0f times\n", item->string, item->valuedouble);
    }
    if (last != NULL) {
        printf("refused   last: %s %s at %s: %s\n", member(last, "symbol"), member(last, "code"),
               member(last, "at"), member(last, "numbers"));
    }
}

static void print_view(const cJSON *view) {
    const cJSON *item = NULL;
    const char *mode = member(view, "mode");
    bool has_colour = cli_has_colour();
    bool is_calm = mode[0] == 'N';
    printf("mode      %s%s%s\n",
           !has_colour ? ""
           : is_calm   ? "\033[32m"
                       : "\033[31m",
           mode, has_colour ? "\033[0m" : "");
    printf("equity    %s\n", member(view, "equity"));
    cJSON_ArrayForEach(item, json_member(view, "causes")) {
        printf("cause     %s: %s (by %s)\n", item->string, member(item, "why"), member(item, "by"));
    }
    print_outlook(view);
    cJSON_ArrayForEach(item, json_member(view, "positions")) {
        printf("position  %-8s %10s at %s%s\n", member(item, "symbol"), member(item, "qty"),
               member(item, "entry"), cJSON_IsTrue(json_member(item, "naked")) ? "  NAKED" : "");
    }
    cJSON_ArrayForEach(item, json_member(view, "orders")) {
        printf("order     %-8s %-9s %s %s of %s\n", member(item, "symbol"), member(item, "purpose"),
               member(item, "state"), member(item, "filled"), member(item, "qty"));
    }
}

static void print(const struct sight *sight, bool is_json) {
    if (is_json) {
        struct text url = {0};
        text_add_json_string(&url, sight->broker.url);
        printf("{\"state\":\"%s\",\"is_alive\":%s,\"lease_age_s\":%lld,\"view_age_s\":%lld,"
               "\"broker\":%s,\"pid\":%lld,\"view\":%s}\n",
               states[sight->state].word, sight->is_alive ? "true" : "false",
               (long long)sight->lease_age_s, (long long)sight->view_age_s, text_get(&url),
               (long long)(sight->is_alive ? sight->broker.pid : 0),
               cJSON_IsObject(sight->tree) ? text_get(&sight->view) : "null");
        text_release(&url);
        return;
    }
    if (sight->state == CORE_NEVER) {
        fprintf(stderr, "seatrial: never started: no view.json, no core has run on this state "
                        "directory (is --state right?)\n");
        return;
    }
    print_core(sight);
    if (sight->tree != NULL) {
        print_view(sight->tree);
    }
}

static int show(const char *state, bool is_json) {
    struct real_world *real = calloc(1, sizeof *real);
    struct sight sight = {0}; /* CORE_RUNNING until seen */
    struct err err = {0};
    CHECK(real != NULL);
    enum err_code code = ERR_OK;
    if (real_state_is_used(state)) { /* else opening would make the folder */
        code = real_world_open(real, state, &err);
    } else {
        sight = (struct sight){.state = CORE_NEVER, .lease_age_s = -1, .view_age_s = -1};
    }
    if (code == ERR_OK && sight.state != CORE_NEVER) {
        code = look(real, state, &sight, &err);
    }
    if (code == ERR_OK) {
        print(&sight, is_json);
    }
    cJSON_Delete(sight.tree);
    text_release(&sight.view);
    real_world_close(real);
    free(real);
    return code == ERR_OK ? states[sight.state].exit : cli_fail(&err);
}

int cli_status(int argc, char **argv) {
    const char *state = NULL;
    bool is_json = false;
    const struct cli_option table[] = {
        {"--state", CLI_WORD, &state}, {"--json", CLI_FLAG, &is_json}, {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("status", err.text);
    }
    if (state == NULL || words.count > 0) {
        return cli_usage("status", "needs --state DIR and nothing else");
    }
    return show(state, is_json);
}
