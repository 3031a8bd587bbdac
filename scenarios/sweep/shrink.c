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
    bool is_smaller = false;
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
