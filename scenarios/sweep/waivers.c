/* waivers.c - reach words that are excused for a while: few, reasoned, expiring. */
#include "scenarios/sweep/waivers.h"

#include "core/base/json.h"

#include <string.h>

static enum err_code read_waiver(const cJSON *item, const char *today, struct waiver *out,
                                 struct err *err) {
    char owner[64];
    enum err_code code = json_copy(item, "word", out->word, sizeof out->word, err);
    if (code == ERR_OK) {
        code = json_copy(item, "reason", out->reason, sizeof out->reason, err);
    }
    if (code == ERR_OK) {
        code = json_copy(item, "owner", owner, sizeof owner, err);
    }
    if (code == ERR_OK) {
        code = json_copy(item, "expires", out->expires, sizeof out->expires, err);
    }
    if (code == ERR_OK && strcmp(out->expires, today) < 0) { /* dates in RFC 3339 sort as text */
        code = err_set(err, ERR_CONFIG, "the waiver of '%s' expired on %s: reach it or renew it",
                       out->word, out->expires);
    }
    return code;
}

enum err_code waivers_parse(const char *bytes, size_t n, const char *today, struct waivers *out,
                            struct err *err) {
    cJSON *tree = NULL;
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    struct waivers read = {0};
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code == ERR_OK) {
        code = json_array(tree, "waivers", &list, err);
    }
    cJSON_ArrayForEach(item, list) {
        if (code == ERR_OK && read.count == WAIVERS_MAX) {
            code = err_set(err, ERR_CONFIG, "more than %d waivers: reach something first",
                           WAIVERS_MAX);
        }
        if (code == ERR_OK) {
            code = read_waiver(item, today, &read.items[read.count], err);
            if (code != ERR_OK) {
                code = err_wrap(err, "waivers[%zu]", read.count);
            }
            read.count++;
        }
    }
    cJSON_Delete(tree);
    if (code != ERR_OK) {
        if (err != NULL) {
            err->code = ERR_CONFIG;
        }
        return ERR_CONFIG;
    }
    *out = read;
    return ERR_OK;
}
