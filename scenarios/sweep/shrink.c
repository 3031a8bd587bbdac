/* shrink.c - delta debugging over a scenario file. */
#include "scenarios/sweep/shrink.h"

#include "core/base/check.h"

#include <stdio.h>
#include <string.h>

struct hunt {
    const struct shrink_options *options;
    cJSON *file; /* the smallest so far */
    char signature[64];
    int candidates;
};

/* --- one candidate --- */

#define HANG_S 120

/* The words that open the broken lines: "exits_leave 2024-...: ..." is "exits_leave". */
static size_t id_length(const char *line) {
    return strcspn(line, " :");
}

static bool breaks(const cJSON *record, const char *signature) {
    const cJSON *line = NULL;
    cJSON_ArrayForEach(line, json_member(record, "broken")) {
        const char *word = cJSON_IsString(line) ? line->valuestring : "";
        if (id_length(word) == strlen(signature) &&
            strncmp(word, signature, strlen(signature)) == 0) {
            return true;
        }
    }
    return false;
}

static cJSON *run_candidate(struct hunt *hunt, const cJSON *file) {
    struct text record = {0};
    struct err err = {0};
    cJSON *tree = NULL;
    char *text = cJSON_PrintUnformatted(file);
    CHECK(text != NULL);
    hunt->candidates++;
    seed_run_apart(&hunt->options->run, 0, text, strlen(text), HANG_S, &record);
    CHECK(json_parse(text_get(&record), record.len, &tree, &err) == ERR_OK);
    cJSON_free(text);
    text_release(&record);
    return tree;
}

static int rows_of(const cJSON *file) {
    return cJSON_GetArraySize(json_member(file, "faults")) +
           cJSON_GetArraySize(json_member(file, "schedule")) +
           cJSON_GetArraySize(json_member(file, "operator"));
}

/* Takes the candidate (owned from here on) if it still fails in the same way. */
static bool try(struct hunt *hunt, cJSON *candidate) {
    bool is_failing = false;
    if (hunt->candidates < hunt->options->budget) {
        cJSON *record = run_candidate(hunt, candidate);
        is_failing = breaks(record, hunt->signature);
        cJSON_Delete(record);
    }
    if (is_failing) {
        cJSON_Delete(hunt->file);
        hunt->file = candidate;
    } else {
        cJSON_Delete(candidate);
    }
    if (hunt->options->progress != NULL) {
        hunt->options->progress(hunt->options->context, hunt->candidates, rows_of(hunt->file));
    }
    return is_failing;
}

static cJSON *copy_of(const cJSON *file) {
    cJSON *copy = cJSON_Duplicate(file, true);
    CHECK(copy != NULL);
    return copy;
}

/* --- passes: each returns true if it made the file smaller --- */

/* Drops runs of children of one member (a list or an object), long runs first. */
static bool drop_children(struct hunt *hunt, const char *member) {
    bool is_smaller = false;
    int count = cJSON_GetArraySize(json_member(hunt->file, member));
    for (int run = count; run >= 1; run = run == 1 ? 0 : (run + 1) / 2) {
        for (int from = 0; from < cJSON_GetArraySize(json_member(hunt->file, member));) {
            cJSON *candidate = copy_of(hunt->file);
            cJSON *list = cJSON_GetObjectItemCaseSensitive(candidate, member);
            for (int i = 0; i < run; i++) {
                cJSON_DeleteItemFromArray(list, from);
            }
            if (try(hunt, candidate)) {
                is_smaller = true;
            } else {
                from += run;
            }
        }
    }
    return is_smaller;
}

static bool fewer_symbols(struct hunt *hunt) {
    const cJSON *market = json_member(hunt->file, "market");
    int64_t symbols = 0;
    if (json_int(market, "symbols", &symbols, NULL) != ERR_OK) {
        return false;
    }
    for (int64_t fewer = 1; fewer < symbols; fewer++) {
        cJSON *candidate = copy_of(hunt->file);
        cJSON *number = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(candidate, "market"), "symbols");
        cJSON_SetNumberValue(number, (double)fewer);
        if (try(hunt, candidate)) {
            return true;
        }
    }
    return false;
}

/* --- days: from the end, then from the front --- */

#define SESSIONS_MAX 22 /* of a set whose whole is asked for (days 0) */

static cJSON *copy_with_days(const cJSON *file, int64_t days) {
    cJSON *copy = copy_of(file);
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(copy, "days"), (double)days);
    return copy;
}

static int64_t days_of(const cJSON *file) {
    int64_t days = -1;
    return json_int(file, "days", &days, NULL) == ERR_OK ? days : -1;
}

static bool fewer_days(struct hunt *hunt) {
    int64_t days = days_of(hunt->file);
    int64_t most = days == 0 ? SESSIONS_MAX : days - 1;
    for (int64_t fewer = 1; fewer <= most; fewer++) {
        if (try(hunt, copy_with_days(hunt->file, fewer))) {
            return true;
        }
    }
    return false;
}

/* "day 3 10:00" is "day 2 10:00" once the first is gone; false for a time of that first day. */
static bool shift_time(cJSON *item) {
    int day = 0;
    int used = 0;
    char shifted[64];
    if (!cJSON_IsString(item) || sscanf(item->valuestring, "day %4d %n", &day, &used) != 1) {
        return true;
    }
    snprintf(shifted, sizeof shifted, "day %d %s", day - 1, item->valuestring + used);
    CHECK(cJSON_SetValuestring(item, shifted) != NULL);
    return day > 1;
}

static bool shift_row(cJSON *row) {
    static const char *const times[] = {"at", "until", "from"};
    bool is_kept = true;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        is_kept = shift_time(cJSON_GetObjectItemCaseSensitive(row, times[i])) && is_kept;
    }
    return is_kept;
}

/* A row that speaks of the day that is gone goes with it. */
static void shift_rows(cJSON *list) {
    for (int i = 0; i < cJSON_GetArraySize(list);) {
        if (shift_row(cJSON_GetArrayItem(list, i))) {
            i++;
        } else {
            cJSON_DeleteItemFromArray(list, i);
        }
    }
}

/* The file without its first session, NULL if that cannot be said: it names no start, or tells what is to fire by
 * the numbers of ticks. Which sessions follow is for the data to say: a run that finds none does not fail alike. */
static cJSON *without_first_day(const cJSON *file) {
    static const char *const lists[] = {"faults", "operator", "never"};
    const char *start = "";
    struct date day = {0};
    char text[DATE_TEXT_MAX];
    if (days_of(file) < 2 || json_member(file, "schedule") != NULL ||
        json_string(file, "start", &start, NULL) != ERR_OK ||
        date_parse(start, &day, NULL) != ERR_OK) {
        return NULL;
    }
    cJSON *copy = copy_with_days(file, days_of(file) - 1);
    date_print(date_add(day, 1), text);
    CHECK(cJSON_SetValuestring(cJSON_GetObjectItemCaseSensitive(copy, "start"), text) != NULL);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        shift_rows(cJSON_GetObjectItemCaseSensitive(copy, lists[i]));
    }
    (void)shift_row(cJSON_GetObjectItemCaseSensitive(copy, "window"));
    return copy;
}

static bool later_start(struct hunt *hunt) {
    bool is_smaller = false;
    for (cJSON *candidate = without_first_day(hunt->file);
         candidate != NULL && try(hunt, candidate); candidate = without_first_day(hunt->file)) {
        is_smaller = true;
    }
    return is_smaller;
}

/* Simplifies each fault row: one firing instead of many, no parameters, no chance. */
static bool simplify_rows(struct hunt *hunt) {
    static const char *const members[] = {"params", "probability", "nth", "count", "until"};
    bool is_smaller = false;
    int count = cJSON_GetArraySize(json_member(hunt->file, "faults"));
    for (int row = 0; row < count; row++) {
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
            cJSON *candidate = copy_of(hunt->file);
            cJSON *fault =
                cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(candidate, "faults"), row);
            if (json_member(fault, members[i]) == NULL) {
                cJSON_Delete(candidate);
                continue;
            }
            cJSON_DeleteItemFromObjectCaseSensitive(fault, members[i]);
            is_smaller = try(hunt, candidate) || is_smaller;
        }
    }
    return is_smaller;
}

static bool pass(struct hunt *hunt) {
    static const char *const lists[] = {"faults", "schedule", "operator", "config", "account"};
    bool is_smaller = fewer_days(hunt); /* first: each candidate behind it is cheaper */
    is_smaller = later_start(hunt) || is_smaller;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        is_smaller = drop_children(hunt, lists[i]) || is_smaller;
    }
    is_smaller = fewer_symbols(hunt) || is_smaller;
    return simplify_rows(hunt) || is_smaller;
}

/* --- the hunt --- */

static enum err_code first_signature(struct hunt *hunt, struct err *err) {
    cJSON *record = run_candidate(hunt, hunt->file);
    const cJSON *first = cJSON_GetArrayItem(json_member(record, "broken"), 0);
    const char *verdict = "";
    enum err_code code = json_string(record, "verdict", &verdict, err);
    if (code == ERR_OK && strcmp(verdict, "harness") == 0) {
        code = err_set(err, ERR_CONFIG, "%s",
                       cJSON_IsString(first) ? first->valuestring : "no scenario");
    } else if (code == ERR_OK && !cJSON_IsString(first)) {
        code = err_set(err, ERR_NOT_FOUND, "it does not fail: nothing to shrink");
    } else if (code == ERR_OK) {
        snprintf(hunt->signature, sizeof hunt->signature, "%.*s",
                 (int)id_length(first->valuestring), first->valuestring);
    }
    cJSON_Delete(record);
    return code;
}

enum err_code shrink(const struct shrink_options *options, const char *text, size_t n,
                     struct text *out, struct shrunk *shrunk, struct err *err) {
    struct hunt hunt = {.options = options};
    enum err_code code = json_parse(text, n, &hunt.file, err);
    code = code == ERR_OK ? first_signature(&hunt, err) : code;
    if (code == ERR_OK) {
        while (pass(&hunt) && hunt.candidates < options->budget) {
        }
        char *printed = cJSON_Print(hunt.file);
        CHECK(printed != NULL);
        text_add(out, printed);
        text_add_char(out, '\n');
        cJSON_free(printed);
        *shrunk = (struct shrunk){.candidates = hunt.candidates, .rows = rows_of(hunt.file)};
        memcpy(shrunk->signature, hunt.signature, sizeof shrunk->signature);
    }
    cJSON_Delete(hunt.file);
    return code;
}
