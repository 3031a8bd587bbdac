/* json_edit.c - see json_edit.h. */
#include "chaos/faults/json_edit.h"

#include <stdio.h>
#include <string.h>

static size_t skip_blank(const struct text *json, size_t at) {
    while (at < json->len && strchr(" \t\r\n", json->data[at]) != NULL) {
        at++;
    }
    return at;
}

/* Behind the string that starts at `at`. */
static size_t skip_string(const struct text *json, size_t at) {
    for (at++; at < json->len && json->data[at] != '"'; at++) {
        if (json->data[at] == '\\') {
            at++;
        }
    }
    return at < json->len ? at + 1 : json->len;
}

/* Behind the value that starts at `at`. */
static size_t skip_value(const struct text *json, size_t at) {
    int depth = 0;
    while (at < json->len) {
        const char c = json->data[at];
        if (c == '"') {
            at = skip_string(json, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (depth > 0 && (c == '}' || c == ']')) {
            depth--;
            at++;
        } else if (depth == 0) { /* a bare word or number */
            at += strcspn(json->data + at, ",]} \t\r\n");
        } else {
            at++;
            continue;
        }
        if (depth == 0) {
            return at;
        }
    }
    return at;
}

static bool is_string(const struct text *json, struct slice value, const char *string) {
    const size_t n = strlen(string);
    return value.end - value.at == n + 2 && json->data[value.at] == '"' &&
           memcmp(json->data + value.at + 1, string, n) == 0;
}

bool json_edit_find(const struct text *json, size_t object, const char *key, struct slice *out) {
    size_t at = skip_blank(json, object);
    if (at >= json->len || json->data[at] != '{') {
        return false;
    }
    at = skip_blank(json, at + 1);
    while (at < json->len && json->data[at] == '"') {
        const struct slice name = {at, skip_string(json, at)};
        at = skip_blank(json, name.end);
        if (at >= json->len || json->data[at] != ':') {
            return false;
        }
        struct slice value = {skip_blank(json, at + 1), 0};
        value.end = skip_value(json, value.at);
        if (is_string(json, name, key)) {
            *out = value;
            return true;
        }
        at = skip_blank(json, value.end);
        if (at < json->len && json->data[at] == ',') {
            at = skip_blank(json, at + 1);
        }
    }
    return false;
}

bool json_edit_string(const struct text *json, size_t object, const char *key, char *out,
                      size_t out_size) {
    struct slice value;
    if (!json_edit_find(json, object, key, &value) || json->data[value.at] != '"' ||
        value.end - value.at < 3 || value.end - value.at - 2 >= out_size) {
        return false;
    }
    memcpy(out, json->data + value.at + 1, value.end - value.at - 2);
    out[value.end - value.at - 2] = '\0';
    return true;
}

bool json_edit_next(const struct text *json, size_t array, struct slice *element) {
    size_t at = skip_blank(json, element->end == 0 ? array : element->end);
    if (at >= json->len || json->data[at] != (element->end == 0 ? '[' : ',')) {
        return false;
    }
    at = skip_blank(json, at + 1);
    if (at >= json->len || json->data[at] == ']') {
        return false;
    }
    *element = (struct slice){at, skip_value(json, at)};
    return true;
}

bool json_edit_decimal(const struct text *json, struct slice value, int64_t *nanos) {
    char word[DECIMAL_TEXT_MAX * 2];
    if (json->data[value.at] == '"') {
        value.at++;
        value.end--;
    }
    if (value.end <= value.at || value.end - value.at >= sizeof word) {
        return false;
    }
    memcpy(word, json->data + value.at, value.end - value.at);
    word[value.end - value.at] = '\0';
    return decimal_parse(word, nanos, NULL) == ERR_OK;
}

void json_edit_replace(struct text *json, struct slice value, const char *with) {
    const size_t n = strlen(with);
    const size_t old = value.end - value.at;
    if (n > old && !text_reserve(json, n - old)) {
        return;
    }
    memmove(json->data + value.at + n, json->data + value.end, json->len - value.end + 1);
    memcpy(json->data + value.at, with, n);
    json->len = json->len - old + n;
}

void json_edit_set(struct text *json, size_t object, const char *key, int64_t nanos) {
    struct slice value;
    if (json_edit_find(json, object, key, &value)) {
        char number[DECIMAL_TEXT_MAX];
        char quoted[DECIMAL_TEXT_MAX + 2];
        (void)decimal_print(nanos, number);
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", number);
        json_edit_replace(json, value, quoted);
    }
}
