/* result.c - checks a result tree member by member before any report reads it. */
#include "reports/result.h"

#include "core/base/decimal.h"
#include "core/base/utc.h"

#include <stdio.h>
#include <string.h>

enum kind {
    KIND_WORD,
    KIND_TEXT,
    KIND_INT,
    KIND_AMOUNT,
    KIND_TIME,
    KIND_DATE,
    KIND_OBJECT,  /* of: its members */
    KIND_OBJECTS, /* of: the members of each item */
    KIND_TEXTS,
    KIND_DATES,
    KIND_POINTS,
    KIND_COUNTS, /* an object of whole numbers */
};

struct member {
    const char *key;
    enum kind kind;
    bool may_be_null;
    const struct member *of; /* ends with a NULL key */
};

static const struct member data_ended_members[] = {{"symbol", KIND_WORD, false, NULL},
                                                   {"date", KIND_DATE, false, NULL},
                                                   {NULL, KIND_WORD, false, NULL}};

static const struct member equity_members[] = {{"t", KIND_TIME, false, NULL},
                                               {"equity", KIND_AMOUNT, false, NULL},
                                               {"cash", KIND_AMOUNT, false, NULL},
                                               {NULL, KIND_WORD, false, NULL}};

static const struct member limits_members[] = {{"daily_loss_at", KIND_POINTS, false, NULL},
                                               {"drawdown_at", KIND_POINTS, false, NULL},
                                               {"floor", KIND_AMOUNT, true, NULL},
                                               {NULL, KIND_WORD, false, NULL}};

static const struct member mode_members[] = {{"from", KIND_TIME, false, NULL},
                                             {"to", KIND_TIME, false, NULL},
                                             {"mode", KIND_WORD, false, NULL},
                                             {"causes", KIND_TEXTS, false, NULL},
                                             {NULL, KIND_WORD, false, NULL}};

static const struct member latch_members[] = {{"cause", KIND_WORD, false, NULL},
                                              {"set", KIND_TIME, false, NULL},
                                              {"cleared", KIND_TIME, true, NULL},
                                              {"why", KIND_TEXT, true, NULL},
                                              {NULL, KIND_WORD, false, NULL}};

static const struct member position_members[] = {{"symbol", KIND_WORD, false, NULL},
                                                 {"from", KIND_TIME, false, NULL},
                                                 {"to", KIND_TIME, true, NULL},
                                                 {"qty", KIND_AMOUNT, false, NULL},
                                                 {"protected_from", KIND_TIME, true, NULL},
                                                 {"naked_s", KIND_AMOUNT, false, NULL},
                                                 {"exit_reason", KIND_TEXT, true, NULL},
                                                 {"pnl", KIND_AMOUNT, true, NULL},
                                                 {NULL, KIND_WORD, false, NULL}};

static const struct member orders_members[] = {{"by_purpose", KIND_COUNTS, false, NULL},
                                               {"by_state", KIND_COUNTS, false, NULL},
                                               {"by_refusal", KIND_COUNTS, false, NULL},
                                               {NULL, KIND_WORD, false, NULL}};

static const struct member mechanism_members[] = {
    {"id", KIND_WORD, false, NULL},   {"acted", KIND_INT, false, NULL},
    {"held", KIND_INT, false, NULL},  {"released", KIND_INT, false, NULL},
    {"first", KIND_TIME, true, NULL}, {"note", KIND_TEXT, false, NULL},
    {NULL, KIND_WORD, false, NULL}};

static const struct member market_members[] = {{"symbol", KIND_WORD, false, NULL},
                                               {"series", KIND_POINTS, false, NULL},
                                               {NULL, KIND_WORD, false, NULL}};

static const struct member totals_members[] = {
    {"ticks", KIND_INT, false, NULL},         {"orders", KIND_INT, false, NULL},
    {"fills", KIND_INT, false, NULL},         {"refusals", KIND_INT, false, NULL},
    {"equity_end", KIND_AMOUNT, false, NULL}, {"sim_seconds", KIND_AMOUNT, false, NULL},
    {"trace_hash", KIND_WORD, false, NULL},   {NULL, KIND_WORD, false, NULL}};

static const struct member required_members[] = {{"what", KIND_WORD, false, NULL},
                                                 {"count", KIND_INT, false, NULL},
                                                 {"at_least", KIND_INT, false, NULL},
                                                 {NULL, KIND_WORD, false, NULL}};

static const struct member voyage_members[] = {
    {"id", KIND_WORD, false, NULL},
    {"title", KIND_WORD, false, NULL},
    {"first", KIND_DATE, false, NULL},
    {"last", KIND_DATE, false, NULL},
    {"sessions", KIND_INT, false, NULL},
    {"closed_days", KIND_DATES, false, NULL},
    {"data_ended", KIND_OBJECTS, false, data_ended_members},
    {"equity", KIND_OBJECTS, false, equity_members},
    {"limits", KIND_OBJECT, false, limits_members},
    {"modes", KIND_OBJECTS, false, mode_members},
    {"latches", KIND_OBJECTS, false, latch_members},
    {"positions", KIND_OBJECTS, false, position_members},
    {"orders", KIND_OBJECT, false, orders_members},
    {"exits", KIND_COUNTS, false, NULL},
    {"mechanisms", KIND_OBJECTS, false, mechanism_members},
    {"market", KIND_OBJECTS, false, market_members},
    {"totals", KIND_OBJECT, false, totals_members},
    {"required", KIND_OBJECTS, false, required_members},
    {NULL, KIND_WORD, false, NULL}};

static const struct member scenario_members[] = {
    {"id", KIND_WORD, false, NULL},          {"title", KIND_WORD, false, NULL},
    {"verdict", KIND_WORD, false, NULL},     {"broken", KIND_TEXTS, false, NULL},
    {"mechanisms", KIND_TEXTS, false, NULL}, {"trace_hash", KIND_WORD, false, NULL},
    {"repeat", KIND_TEXT, false, NULL},      {"source", KIND_TEXT, false, NULL},
    {NULL, KIND_WORD, false, NULL}};

static const struct member result_members[] = {{"title", KIND_WORD, false, NULL},
                                               {"build", KIND_WORD, false, NULL},
                                               {"config_hash", KIND_WORD, false, NULL},
                                               {"seed", KIND_INT, false, NULL},
                                               {"voyages", KIND_OBJECTS, false, voyage_members},
                                               {"scenarios", KIND_OBJECTS, false, scenario_members},
                                               {"passed", KIND_INT, false, NULL},
                                               {"failed", KIND_INT, false, NULL},
                                               {NULL, KIND_WORD, false, NULL}};

static enum err_code check_members(const cJSON *object, const struct member *members,
                                   struct err *err);

static bool is_amount(const cJSON *value) {
    int64_t nanos;
    if (cJSON_IsString(value)) {
        return decimal_parse(value->valuestring, &nanos, NULL) == ERR_OK;
    }
    return cJSON_IsNumber(value) && decimal_from_double(value->valuedouble, &nanos, NULL) == ERR_OK;
}

static bool is_time(const cJSON *value) {
    struct utc at;
    return cJSON_IsString(value) && utc_parse(value->valuestring, &at, NULL) == ERR_OK;
}

static bool is_date(const cJSON *value) {
    struct date date;
    return cJSON_IsString(value) && date_parse(value->valuestring, &date, NULL) == ERR_OK;
}

static bool is_point(const cJSON *value) {
    return cJSON_IsArray(value) && cJSON_GetArraySize(value) == 2 && is_time(value->child) &&
           is_amount(value->child->next);
}

static bool is_count(const cJSON *value) {
    return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= 0x1p53 &&
           value->valuedouble == (double)(int64_t)value->valuedouble;
}

static bool is_text(const cJSON *value) {
    return cJSON_IsString(value);
}

static enum err_code check_each(const cJSON *list, bool (*is_good)(const cJSON *), const char *what,
                                struct err *err) {
    int index = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (!is_good(item)) {
            return item->string != NULL
                       ? err_set(err, ERR_PARSE, "%s: is not %s", item->string, what)
                       : err_set(err, ERR_PARSE, "[%d]: is not %s", index, what);
        }
        index++;
    }
    return ERR_OK;
}

static enum err_code check_objects(const cJSON *list, const struct member *members,
                                   struct err *err) {
    int index = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsObject(item)) {
            return err_set(err, ERR_PARSE, "[%d]: is not an object", index);
        }
        if (check_members(item, members, err) != ERR_OK) {
            return err_wrap(err, "[%d]", index);
        }
        index++;
    }
    return ERR_OK;
}

static enum err_code check_list(const cJSON *value, const struct member *member, struct err *err) {
    if (!cJSON_IsArray(value)) {
        return err_set(err, ERR_PARSE, "is not an array");
    }
    if (member->kind == KIND_OBJECTS) {
        return check_objects(value, member->of, err);
    }
    if (member->kind == KIND_POINTS) {
        return check_each(value, is_point, "[instant, amount]", err);
    }
    return member->kind == KIND_DATES ? check_each(value, is_date, "a date", err)
                                      : check_each(value, is_text, "a string", err);
}

static enum err_code check_scalar(bool is_good, const char *what, struct err *err) {
    return is_good ? ERR_OK : err_set(err, ERR_PARSE, "is not %s", what);
}

static enum err_code check_value(const cJSON *value, const struct member *member, struct err *err) {
    switch (member->kind) {
    case KIND_WORD:
        return check_scalar(is_text(value) && value->valuestring[0] != '\0',
                            "a string with content", err);
    case KIND_TEXT:
        return check_scalar(is_text(value), "a string", err);
    case KIND_INT:
        return check_scalar(is_count(value), "a whole number from 0 to 2^53", err);
    case KIND_AMOUNT:
        return check_scalar(is_amount(value), "a decimal", err);
    case KIND_TIME:
        return check_scalar(is_time(value), "an RFC 3339 instant", err);
    case KIND_DATE:
        return check_scalar(is_date(value), "a date", err);
    case KIND_OBJECT:
        return cJSON_IsObject(value) ? check_members(value, member->of, err)
                                     : check_scalar(false, "an object", err);
    case KIND_COUNTS:
        return cJSON_IsObject(value) ? check_each(value, is_count, "a count", err)
                                     : check_scalar(false, "an object", err);
    case KIND_OBJECTS:
    case KIND_TEXTS:
    case KIND_DATES:
    case KIND_POINTS:
        return check_list(value, member, err);
    }
    return err_set(err, ERR_PARSE, "is of no known kind");
}

static enum err_code check_members(const cJSON *object, const struct member *members,
                                   struct err *err) {
    for (const struct member *member = members; member->key != NULL; member++) {
        const cJSON *value = json_member(object, member->key);
        if (value == NULL) {
            return err_set(err, ERR_PARSE, "%s: missing", member->key);
        }
        if (cJSON_IsNull(value) && member->may_be_null) {
            continue;
        }
        if (check_value(value, member, err) != ERR_OK) {
            return err_wrap(err, "%s", member->key);
        }
    }
    return ERR_OK;
}

enum err_code result_check(const cJSON *result, struct err *err) {
    if (!cJSON_IsObject(result)) {
        return err_set(err, ERR_PARSE, "the result is not an object");
    }
    enum err_code code = check_members(result, result_members, err);
    if (code == ERR_OK && json_member(result, "voyages")->child == NULL &&
        json_member(result, "scenarios")->child == NULL) {
        return err_set(err, ERR_PARSE, "nothing was run: voyages and scenarios are empty");
    }
    return code;
}

const char *result_string(const cJSON *object, const char *key) {
    const cJSON *value = json_member(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

double result_value(const cJSON *value) {
    int64_t nanos = 0;
    if (cJSON_IsNumber(value)) {
        return value->valuedouble;
    }
    if (cJSON_IsString(value) && decimal_parse(value->valuestring, &nanos, NULL) == ERR_OK) {
        return (double)nanos / 1e9;
    }
    return 0;
}

double result_number(const cJSON *object, const char *key) {
    return result_value(json_member(object, key));
}

double result_seconds(const char *at) {
    struct utc utc;
    struct date date;
    if (utc_parse(at, &utc, NULL) == ERR_OK) {
        return (double)utc.ns / 1e9;
    }
    return date_parse(at, &date, NULL) == ERR_OK ? 86400.0 * date.days : 0;
}

bool result_is_pass(const cJSON *scenario) {
    return strcmp(result_string(scenario, "verdict"), "pass") == 0;
}

void result_moment(const cJSON *object, const char *key, char out[static 20]) {
    snprintf(out, 20, "%.19s", result_string(object, key));
    char *between = strchr(out, 'T');
    if (between != NULL) {
        *between = ' ';
    }
}

bool result_is_trip_wrong(const cJSON *trip) {
    const char *word = result_string(trip, "oracle");
    return strcmp(word, "false") == 0 || strcmp(word, "missed") == 0;
}

const cJSON *result_learner(const cJSON *result, size_t n, const cJSON **learning) {
    static const char *const lists[] = {"voyages", "scenarios"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const cJSON *item;
        cJSON_ArrayForEach(item, json_member(result, lists[i])) {
            *learning = json_member(item, "learning");
            if (cJSON_IsObject(*learning) && n-- == 0) {
                return item;
            }
        }
    }
    return NULL;
}

/* Into its place among the barest, if it has one; what falls off the end is of the others. */
static void rank_exit(struct naked_summary *summary, const cJSON *exit) {
    double own = result_number(exit, "dollar_seconds");
    size_t place = summary->count;
    while (place > 0 && result_number(summary->barest[place - 1], "dollar_seconds") < own) {
        place--;
    }
    if (own <= 0 || place == BAREST_MAX) {
        return;
    }
    summary->count += summary->count < BAREST_MAX;
    memmove(&summary->barest[place + 1], &summary->barest[place],
            (summary->count - place - 1) * sizeof summary->barest[0]);
    summary->barest[place] = exit;
}

struct naked_summary result_naked_exits(const cJSON *voyage) {
    struct naked_summary summary = {
        .exits = (int)result_number(voyage, "naked_exits_not_shown"),
        .dollar_seconds = result_number(voyage, "naked_exits_not_shown_dollar_seconds")};
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(voyage, "naked_exits")) {
        summary.exits++;
        summary.dollar_seconds += result_number(item, "dollar_seconds");
        rank_exit(&summary, item);
    }
    summary.rest = summary.dollar_seconds;
    for (size_t i = 0; i < summary.count; i++) {
        summary.rest -= result_number(summary.barest[i], "dollar_seconds");
    }
    return summary;
}

bool result_is_met(const cJSON *required) {
    return result_number(required, "count") >= result_number(required, "at_least");
}

bool result_is_pair_met(const cJSON *pair) {
    return cJSON_IsTrue(json_member(pair, "met"));
}

/* True if a voyage before `until` already counted this mechanism as having acted. */
static bool has_acted_before(const cJSON *voyages, const cJSON *until, const char *id) {
    const cJSON *voyage;
    cJSON_ArrayForEach(voyage, voyages) {
        if (voyage == until) {
            return false;
        }
        const cJSON *mechanism;
        cJSON_ArrayForEach(mechanism, json_member(voyage, "mechanisms")) {
            if (strcmp(result_string(mechanism, "id"), id) == 0 &&
                result_number(mechanism, "acted") > 0) {
                return true;
            }
        }
    }
    return false;
}

bool result_acted_first(const cJSON *result, const cJSON *voyage, const cJSON *mechanism) {
    return result_number(mechanism, "acted") > 0 &&
           !has_acted_before(json_member(result, "voyages"), voyage,
                             result_string(mechanism, "id"));
}

static void summarise_voyage(const cJSON *result, const cJSON *voyage,
                             struct result_summary *summary) {
    const cJSON *item;
    summary->voyages++;
    cJSON_ArrayForEach(item, json_member(voyage, "required")) {
        summary->cells++;
        summary->cells_failed += !result_is_met(item);
    }
    cJSON_ArrayForEach(item, json_member(voyage, "mechanisms")) {
        summary->mechanisms_acted += result_acted_first(result, voyage, item);
    }
}

/* "daily_loss acted 1": the id, if it acted. */
static bool scenario_acted(const cJSON *words, char id[static 48]) {
    char what[16] = "";
    return cJSON_IsString(words) && sscanf(words->valuestring, "%47s %15s", id, what) == 2 &&
           strcmp(what, "acted") == 0;
}

bool result_scenario_acted_first(const cJSON *result, const cJSON *words, char id[static 48]) {
    const cJSON *scenario;
    const cJSON *item;
    char other[48];
    if (!scenario_acted(words, id) || has_acted_before(json_member(result, "voyages"), NULL, id)) {
        return false;
    }
    cJSON_ArrayForEach(scenario, json_member(result, "scenarios")) {
        cJSON_ArrayForEach(item, json_member(scenario, "mechanisms")) {
            if (item == words) {
                return true;
            }
            if (scenario_acted(item, other) && strcmp(id, other) == 0) {
                return false;
            }
        }
    }
    return false;
}

struct result_summary result_summarise(const cJSON *result) {
    struct result_summary summary = {0};
    const cJSON *item;
    const cJSON *words;
    char id[48];
    cJSON_ArrayForEach(item, json_member(result, "voyages")) {
        summarise_voyage(result, item, &summary);
    }
    cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
        summary.scenarios++;
        summary.scenarios_failed += !result_is_pass(item);
        cJSON_ArrayForEach(words, json_member(item, "mechanisms")) {
            summary.mechanisms_acted += result_scenario_acted_first(result, words, id);
        }
    }
    cJSON_ArrayForEach(item, json_member(result, "pairs")) {
        summary.pairs_unmet += !result_is_pair_met(item);
    }
    summary.has_passed = summary.scenarios_failed == 0 && summary.cells_failed == 0 &&
                         summary.pairs_unmet == 0 && result_number(result, "failed") == 0;
    return summary;
}

void report_escape(struct text *out, const char *string) {
    for (const char *c = string; c != NULL && *c != '\0'; c++) {
        switch (*c) {
        case '&':
            text_add(out, "&amp;");
            break;
        case '<':
            text_add(out, "&lt;");
            break;
        case '>':
            text_add(out, "&gt;");
            break;
        case '"':
            text_add(out, "&quot;");
            break;
        case '\'':
            text_add(out, "&#39;");
            break;
        default: /* XML 1.0 has no other control characters than these */
            text_add_char(out, (unsigned char)*c < 0x20 && *c != '\n' && *c != '\t' ? '?' : *c);
        }
    }
}

enum err_code report_json(const cJSON *result, struct text *out, struct err *err) {
    enum err_code code = result_check(result, err);
    if (code != ERR_OK) {
        return code;
    }
    json_print_sorted(result, out);
    text_add_char(out, '\n');
    return text_finish(out, err);
}
