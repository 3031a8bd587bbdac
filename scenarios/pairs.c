/* pairs.c - the table's act and quiet scenarios, looked up among results. */
#include "scenarios/pairs.h"

#include "core/base/json.h"
#include "core/risk/mechanisms.h"

#include <string.h>

static const char *string_of(const cJSON *item, const char *key) {
    const cJSON *member = json_member(item, key);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static const cJSON *find(const cJSON *list, const char *key, const char *value) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list) {
        if (value != NULL && strcmp(string_of(item, key), value) == 0) {
            return item;
        }
    }
    return NULL;
}

static const cJSON *score_of(const cJSON *scenario, const char *mechanism) {
    return find(json_member(json_member(scenario, "oracle"), "scores"), "mechanism", mechanism);
}

static int64_t count_of(const cJSON *score, const char *key) {
    int64_t count = 0;
    (void)!json_int(score, key, &count, NULL);
    return count;
}

/* What the oracle says of the mechanism: that it acted where it must, and in neither missed, nor acted for nothing. That
 * it is quiet where it must be is for the `never` of that scenario, and so in its verdict. */
static const char *verdict_of(const cJSON *acting, const cJSON *quiet) {
    return count_of(acting, "missed") + count_of(quiet, "missed") > 0         ? "missed"
           : count_of(acting, "unfounded") + count_of(quiet, "unfounded") > 0 ? "false"
           : count_of(acting, "acted") > 0                                    ? "acted"
                                                                              : "unscored";
}

/* True if it is met. */
static bool print_pair(const struct mechanism *mechanism, const cJSON *act, const cJSON *quiet,
                       struct text *out) {
    const cJSON *score = score_of(act, mechanism->id);
    const char *oracle = verdict_of(score, score_of(quiet, mechanism->id));
    bool is_met = strcmp(string_of(act, "verdict"), "pass") == 0 &&
                  strcmp(string_of(quiet, "verdict"), "pass") == 0 && strcmp(oracle, "acted") == 0;
    text_add_char(out, '{');
    text_member_string(out, "mechanism", mechanism->id);
    text_member_string(out, "act", mechanism->act);
    text_member_string(out, "act_verdict", string_of(act, "verdict"));
    text_member_string(out, "quiet", mechanism->quiet);
    text_member_string(out, "quiet_verdict", string_of(quiet, "verdict"));
    text_member_string(out, "oracle", oracle);
    text_member_bool(out, "met", is_met);
    text_member(out, "score");
    if (score == NULL) {
        text_add(out, "null");
    } else {
        json_print_sorted(score, out);
    }
    text_add_char(out, '}');
    return is_met;
}

int64_t pairs_print(const cJSON *scenarios, struct text *out) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    bool is_first = true;
    int64_t unmet = 0;
    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        const cJSON *act = find(scenarios, "id", table[i].act);
        const cJSON *quiet = find(scenarios, "id", table[i].quiet);
        if (act != NULL && quiet != NULL) {
            text_add(out, is_first ? "" : ",");
            is_first = false;
            unmet += !print_pair(&table[i], act, quiet, out);
        }
    }
    text_add_char(out, ']');
    return unmet;
}

int64_t pairs_add(const struct text *list, struct text *json) {
    struct text array = {0};
    cJSON *scenarios = NULL;
    int64_t unmet = 1; /* a list that nobody can read meets nothing */
    text_add_char(&array, '[');
    text_add(&array, text_get(list));
    text_add_char(&array, ']');
    if (json_parse(text_get(&array), array.len, &scenarios, NULL) == ERR_OK) {
        text_member(json, "pairs");
        unmet = pairs_print(scenarios, json);
        cJSON_Delete(scenarios);
    }
    text_release(&array);
    return unmet;
}
