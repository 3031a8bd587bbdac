/* status.c - `seatrial status`: does the core live and move, and the view that it last published.
 *
 * The core renews its lease at least every LEASE_S / 3 seconds, also between ticks and in a closed
 * market; alive without a renewal for LEASE_S is hung. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/signals/weighted.h"
#include "core/state/inbox.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VIEW_MAX ((size_t)4 << 20)
#define ALERT_MAX 8192
#define ALERTS_SHOWN 3

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

struct notice { /* an alert as it lies in outbox/ */
    char at[UTC_TEXT_MAX], severity[8], key[48], text[400];
    int64_t count;
};

struct mail { /* what goes to people, and what came from them and is not taken yet */
    size_t alerts;
    struct notice newest[ALERTS_SHOWN]; /* the newest first */
    struct inbox_command waiting[INBOX_MAX];
    size_t waiting_count;
};

struct sight { /* what can be seen of a core from outside */
    enum core_state state;
    bool is_alive;
    int64_t lease_age_s, view_age_s; /* since written; -1: there is none */
    struct text view;
    cJSON *tree; /* of the view; NULL: none */
    struct real_broker broker;
    struct mail mail;
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

/* --- outbox and inbox --- */

struct outbox {
    struct disk *disk;
    struct mail *mail;
};

/* A field that is absent or too long stays as it is: an alert is shown all the same. */
static struct notice read_notice(const cJSON *tree) {
    struct notice out = {.at = "?", .severity = "?", .key = "?"};
    const char *text = member(tree, "text");
    (void)!json_copy(tree, "at", out.at, sizeof out.at, NULL);
    (void)!json_copy(tree, "severity", out.severity, sizeof out.severity, NULL);
    (void)!json_copy(tree, "key", out.key, sizeof out.key, NULL);
    (void)!json_int(tree, "count", &out.count, NULL);
    snprintf(out.text, sizeof out.text, "%s", text);
    return out;
}

static void visit_alert(void *context, const char *name) {
    struct outbox *outbox = context;
    struct mail *mail = outbox->mail;
    char path[DISK_NAME_MAX];
    struct text bytes = {0};
    cJSON *tree = NULL;
    size_t length = strlen(name);
    if (length < 5 || strcmp(name + length - 5, ".json") != 0 ||
        cli_join(path, sizeof path, "outbox", name, NULL) != ERR_OK) {
        return;
    }
    mail->alerts++;
    if (state_file_read(outbox->disk, path, ALERT_MAX, &bytes, NULL) == ERR_OK &&
        json_parse(text_get(&bytes), bytes.len, &tree, NULL) == ERR_OK) {
        struct notice notice = read_notice(tree);
        for (size_t i = 0; i < ALERTS_SHOWN; i++) { /* texts of one length, so they sort by time */
            struct notice *place = &mail->newest[i];
            if (strcmp(notice.at, place->at) > 0) {
                struct notice older = *place;
                *place = notice;
                notice = older;
            }
        }
    }
    cJSON_Delete(tree);
    text_release(&bytes);
}

/* That they cannot be read says nothing of the core. */
static void read_mail(struct world *world, struct mail *out) {
    struct outbox outbox = {world->disk, out};
    struct err err = {0};
    enum err_code code = disk_list(world->disk, "outbox", visit_alert, &outbox, &err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        fprintf(stderr, "seatrial: outbox: %s (shown without it)\n", err.text);
    }
    if (inbox_read(world, out->waiting, &out->waiting_count, &err) != ERR_OK) {
        fprintf(stderr, "seatrial: inbox: %s (shown without it)\n", err.text);
    }
}

static bool is_stop(const struct inbox_command *command) {
    return command->verb == INBOX_FREEZE || command->verb == INBOX_KILL;
}

static void print_mail(const struct sight *sight) {
    const struct mail *mail = &sight->mail;
    for (size_t i = 0; i < mail->waiting_count; i++) {
        const struct inbox_command *command = &mail->waiting[i];
        printf("waiting   %s%s%s by %s: %s (%s)\n", inbox_verb_word(command->verb),
               command->cause[0] != '\0' ? " " : "", command->cause, command->by, command->why,
               sight->state == CORE_RUNNING ? "not taken yet"
               : !is_stop(command)          ? "in the inbox until a core takes it"
               : sight->state == CORE_HUNG  ? "binds when the core wakes"
                                            : "binds from the next start");
    }
    if (mail->alerts > 0) {
        printf("alerts    %zu in outbox/, the newest:\n", mail->alerts);
    }
    for (size_t i = 0; i < ALERTS_SHOWN && mail->newest[i].at[0] != '\0'; i++) {
        const struct notice *notice = &mail->newest[i];
        printf("alert     %s %s %s: %s", notice->at, notice->severity, notice->key, notice->text);
        printf(notice->count > 1 ? " (%lld times)\n" : "\n", (long long)notice->count);
    }
}

static void add_mail(const struct mail *mail, struct text *out) {
    text_add(out, "\"waiting\":[");
    for (size_t i = 0; i < mail->waiting_count; i++) {
        const struct inbox_command *command = &mail->waiting[i];
        text_add(out, i > 0 ? ",{" : "{");
        text_member_string(out, "verb", inbox_verb_word(command->verb));
        text_member_string(out, "cause", command->cause);
        text_member_string(out, "by", command->by);
        text_member_string(out, "why", command->why);
        text_add_char(out, '}');
    }
    text_add(out, "]");
    text_member_int(out, "alerts", (int64_t)mail->alerts);
    text_add(out, ",\"newest_alerts\":[");
    for (size_t i = 0; i < ALERTS_SHOWN && mail->newest[i].at[0] != '\0'; i++) {
        text_add(out, i > 0 ? ",{" : "{");
        text_member_string(out, "at", mail->newest[i].at);
        text_member_string(out, "severity", mail->newest[i].severity);
        text_member_string(out, "key", mail->newest[i].key);
        text_member_string(out, "text", mail->newest[i].text);
        text_member_int(out, "count", mail->newest[i].count);
        text_add_char(out, '}');
    }
    text_add(out, "]");
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
    read_mail(world, &out->mail);
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

static void print_warm_up(long long bars, bool is_open) {
    if (bars < WEIGHTED_BARS_MIN) {
        printf(" (warm-up: %lld of %d minute bars of a session%s)", bars, WEIGHTED_BARS_MIN,
               bars == 0 && is_open ? "; if it stays 0, the broker has no data of these symbols"
                                    : "");
    } else {
        printf(" (%lld minute bars of a session are there, %d are enough)", bars,
               WEIGHTED_BARS_MIN);
    }
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
    if (json_member(view, "stale") != NULL && number(view, "stale") > 0) {
        printf("; %lld would be, had their bars not stopped coming", number(view, "stale"));
    } else if (number(view, "scored") == 0) {
        print_warm_up(number(view, "bars"), cJSON_IsTrue(json_member(view, "open")));
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

/* Nothing while it is armed. */
static void print_kill(const char *phase) {
    static const char *const words[][2] = {
        {"firing", "firing: entries are not verified gone, no resume is taken"},
        {"locked", "locked: until each of its causes is resumed"},
        {"cooling", "cooling: kill.cooldown_s from where entries were verified gone"},
        {"checking", "checking: two clean readings and nothing else latched arm it"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(phase, words[i][0]) == 0) {
            printf("kill      %s\n", words[i][1]);
        }
    }
}

static void print_view(const cJSON *view, bool is_running) {
    const cJSON *item = NULL;
    const char *mode = member(view, "mode");
    bool has_colour = cli_has_colour();
    bool is_calm = mode[0] == 'N';
    printf("mode      %s%s%s%s\n",
           !has_colour ? ""
           : is_calm   ? "\033[32m"
                       : "\033[31m",
           mode, has_colour ? "\033[0m" : "",
           is_running ? "" : ", as last seen: nothing is traded now");
    printf("equity    %s\n", member(view, "equity"));
    cJSON_ArrayForEach(item, json_member(view, "causes")) {
        printf("cause     %s: %s (by %s)\n", item->string, member(item, "why"), member(item, "by"));
    }
    print_kill(member(view, "kill_switch"));
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
        struct text mail = {0};
        text_add_json_string(&url, sight->broker.url);
        add_mail(&sight->mail, &mail);
        printf("{\"state\":\"%s\",\"is_alive\":%s,\"lease_age_s\":%lld,\"view_age_s\":%lld,"
               "\"broker\":%s,\"pid\":%lld,%s,\"view\":%s}\n",
               states[sight->state].word, sight->is_alive ? "true" : "false",
               (long long)sight->lease_age_s, (long long)sight->view_age_s, text_get(&url),
               (long long)(sight->is_alive ? sight->broker.pid : 0), text_get(&mail),
               cJSON_IsObject(sight->tree) ? text_get(&sight->view) : "null");
        text_release(&url);
        text_release(&mail);
        return;
    }
    if (sight->state == CORE_NEVER) {
        fprintf(stderr, "seatrial: never started: no view.json, no core has run on this state "
                        "directory (is --state right?)\n");
        print_mail(sight);
        return;
    }
    print_core(sight);
    if (sight->tree != NULL) {
        print_view(sight->tree, sight->state == CORE_RUNNING);
    }
    print_mail(sight);
}

static bool has_inbox(const char *state) {
    char path[PATH_MAX];
    struct stat status;
    return cli_join(path, sizeof path, state, "inbox", NULL) == ERR_OK && stat(path, &status) == 0;
}

static int show(const char *state, bool is_json) {
    struct real_world *real = calloc(1, sizeof *real);
    struct sight *sight = calloc(1, sizeof *sight); /* CORE_RUNNING until seen */
    struct err err = {0};
    CHECK(real != NULL && sight != NULL);
    enum err_code code = ERR_OK;
    if (real_state_is_used(state)) {
        code = real_world_open(real, state, &err);
        code = code == ERR_OK ? look(real, state, sight, &err) : code;
    } else { /* nothing is made here: opening would make the folder, looking a lock */
        sight->state = CORE_NEVER;
        sight->lease_age_s = sight->view_age_s = -1;
        if (has_inbox(state)) {
            code = real_world_open(real, state, &err);
            if (code == ERR_OK) {
                read_mail(&real->world, &sight->mail);
            }
        }
    }
    if (code == ERR_OK) {
        print(sight, is_json);
    }
    int status = code == ERR_OK ? states[sight->state].exit : cli_fail(&err);
    cJSON_Delete(sight->tree);
    text_release(&sight->view);
    real_world_close(real);
    free(sight);
    free(real);
    return status;
}

int cli_status(int argc, char **argv) {
    const char *state = NULL;
    bool is_json = false;
    const struct cli_option table[] = {
        {"--state", CLI_WORD, &state}, {"--json", CLI_FLAG, &is_json}, {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("status", err.text);
    }
    if (state == NULL) {
        return cli_usage("status", "needs --state DIR");
    }
    return show(state, is_json);
}
