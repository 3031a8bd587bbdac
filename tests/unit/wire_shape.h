/* wire_shape.h - the last answer of a fixture held against an example body: keys, their order, types. */
#ifndef TESTS_UNIT_WIRE_SHAPE_H
#define TESTS_UNIT_WIRE_SHAPE_H

#include "tests/unit/broker_fixture.h"

static inline cJSON *example(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/alpaca-examples/%s.json", name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing (tests run in the root of the tree)", path);
    char *bytes = calloc(1, 1 << 20);
    size_t n = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    cJSON *tree = NULL;
    struct err err = {0};
    cr_assert_eq(json_parse(bytes, n, &tree, &err), ERR_OK, "%s: %s", path, err.text);
    free(bytes);
    return tree;
}

static inline int type_of(const cJSON *node) {
    return cJSON_IsBool(node) ? cJSON_True : node->type & 0xff;
}

/* Same keys in the same order and same types; of arrays the first items are compared. */
static inline void same_shape(const cJSON *got, const cJSON *want, const char *place) {
    cr_assert_eq(type_of(got), type_of(want), "%s: another type than the example's", place);
    if (cJSON_IsArray(want)) {
        if (want->child != NULL) {
            cr_assert_not_null(got->child, "%s: empty", place);
            char below[256];
            snprintf(below, sizeof below, "%.200s[0]", place);
            same_shape(got->child, want->child, below);
        }
        return;
    }
    if (!cJSON_IsObject(want)) {
        return;
    }
    const cJSON *g = got->child;
    for (const cJSON *w = want->child; w != NULL; w = w->next, g = g->next) {
        cr_assert_not_null(g, "%s: %s is missing", place, w->string);
        cr_assert_str_eq(g->string, w->string, "%s: %s where %s is expected", place, g->string,
                         w->string);
        char below[256];
        snprintf(below, sizeof below, "%.200s.%.40s", place, w->string);
        same_shape(g, w, below);
    }
    cr_assert_null(g, "%s: %s is more than the example has", place, g == NULL ? "" : g->string);
}

/* Renames the members of an example's maps by symbol, then compares the last answer with it. */
static inline void expect_shape(const struct fixture *f, const char *name) {
    cJSON *want = example(name);
    char *printed = cJSON_PrintUnformatted(want);
    cJSON_Delete(want);
    struct text renamed = {0};
    for (const char *s = printed; *s != '\0';) {
        bool is_symbol = strncmp(s, "\"AAPL\"", 6) == 0;
        text_add_bytes(&renamed, is_symbol ? "\"SYM000\"" : s, is_symbol ? 8 : 1);
        s += is_symbol ? 6 : 1;
    }
    want = cJSON_Parse(text_get(&renamed));
    same_shape(f->json, want, name);
    cJSON_Delete(want);
    text_release(&renamed);
    cJSON_free(printed);
}

#endif
