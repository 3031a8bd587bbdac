/* status.c - `seatrial status`: the view that the core last published, and whether it lives. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>

#define VIEW_MAX ((size_t)4 << 20)

static const char *member(const cJSON *view, const char *key) {
    const cJSON *item = json_member(view, key);
    return cJSON_IsString(item) ? item->valuestring : "?";
}

static void print_view(const cJSON *view, bool is_alive) {
    const cJSON *item = NULL;
    const char *mode = member(view, "mode");
    bool has_colour = cli_has_colour();
    bool is_calm = mode[0] == 'N';
    printf("core      %s, last seen %s\n", is_alive ? "running" : "NOT running",
           member(view, "at"));
    printf("mode      %s%s%s\n",
           !has_colour ? ""
           : is_calm   ? "\033[32m"
                       : "\033[31m",
           mode, has_colour ? "\033[0m" : "");
    printf("equity    %s\n", member(view, "equity"));
    cJSON_ArrayForEach(item, json_member(view, "causes")) {
        printf("cause     %s: %s (by %s)\n", item->string, member(item, "why"), member(item, "by"));
    }
    cJSON_ArrayForEach(item, json_member(view, "positions")) {
        printf("position  %-8s %10s at %s%s\n", member(item, "symbol"), member(item, "qty"),
               member(item, "entry"), cJSON_IsTrue(json_member(item, "naked")) ? "  NAKED" : "");
    }
    cJSON_ArrayForEach(item, json_member(view, "orders")) {
        printf("order     %-8s %-9s %s %s of %s\n", member(item, "symbol"), member(item, "purpose"),
               member(item, "state"), member(item, "filled"), member(item, "qty"));
    }
}

static enum err_code show(struct real_world *real, bool is_json, struct err *err) {
    struct text view = {0};
    cJSON *tree = NULL;
    bool is_alive = false;
    enum err_code code = state_file_read(real->world.disk, "view.json", VIEW_MAX, &view, err);
    if (code == ERR_NOT_FOUND) {
        code = err_set(err, ERR_NOT_FOUND, "no view.json: no core has run on this state directory");
    }
    if (code == ERR_OK) {
        code = lease_is_alive(&real->world, &is_alive, err);
    }
    if (code == ERR_OK) {
        code = json_parse(text_get(&view), view.len, &tree, err);
    }
    if (code == ERR_OK && is_json) {
        printf("{\"is_alive\":%s,\"view\":%s}\n", is_alive ? "true" : "false",
               cJSON_IsObject(tree) ? text_get(&view) : "null");
    } else if (code == ERR_OK) {
        print_view(tree, is_alive);
    }
    cJSON_Delete(tree);
    text_release(&view);
    return code;
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
    struct real_world *real = calloc(1, sizeof *real);
    if (real == NULL) {
        return CLI_HARNESS;
    }
    enum err_code code = real_world_open(real, state, &err);
    if (code == ERR_OK) {
        code = show(real, is_json, &err);
    }
    real_world_close(real);
    free(real);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}
