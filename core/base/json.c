/* json.c - typed reads of cJSON trees that say which key was wrong and how. */
#include "core/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum err_code json_parse(const char *bytes, size_t n, cJSON **out, struct err *err) {
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(bytes, n, &end, false);
    size_t at = end == NULL ? 0 : (size_t)(end - bytes);
    if (tree != NULL) {
        while (at < n &&
               (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) {
            at++;
        }
        if (at == n) {
            *out = tree;
            return ERR_OK;
        }
        cJSON_Delete(tree);
    }
    int line = 1;
    int column = 1;
    for (size_t i = 0; i < at && i < n; i++) {
        line += bytes[i] == '\n';
        column = bytes[i] == '\n' ? 1 : column + 1;
    }
    return err_set(err, ERR_PARSE, "not valid JSON at line %d, column %d", line, column);
}

const cJSON *json_member(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool json_is_null(const cJSON *object, const char *key) {
    const cJSON *member = json_member(object, key);
    return member == NULL || cJSON_IsNull(member);
}

static enum err_code wrong_type(const char *key, const cJSON *member, const char *wanted,
                                struct err *err) {
    if (member == NULL) {
        return err_set(err, ERR_PARSE, "%s: missing (%s expected)", key, wanted);
    }
    return err_set(err, ERR_PARSE, "%s: not %s", key, wanted);
}

enum err_code json_string(const cJSON *object, const char *key, const char **out, struct err *err) {
    const cJSON *member = json_member(object, key);
    if (!cJSON_IsString(member)) {
        return wrong_type(key, member, "a string", err);
    }
    *out = member->valuestring;
    return ERR_OK;
}

enum err_code json_bool(const cJSON *object, const char *key, bool *out, struct err *err) {
    const cJSON *member = json_member(object, key);
    if (!cJSON_IsBool(member)) {
        return wrong_type(key, member, "true or false", err);
    }
    *out = cJSON_IsTrue(member);
    return ERR_OK;
}

enum err_code json_int(const cJSON *object, const char *key, int64_t *out, struct err *err) {
    const cJSON *member = json_member(object, key);
    if (!cJSON_IsNumber(member)) {
        return wrong_type(key, member, "a whole number", err);
    }
    double value = member->valuedouble;
    if (!(fabs(value) <= 9007199254740992.0) || floor(value) != value) {
        return err_set(err, ERR_PARSE, "%s: %g is not a whole number", key, value);
    }
    *out = (int64_t)value;
    return ERR_OK;
}

enum err_code json_array(const cJSON *object, const char *key, const cJSON **out, struct err *err) {
    const cJSON *member = json_member(object, key);
    if (!cJSON_IsArray(member)) {
        return wrong_type(key, member, "an array", err);
    }
    *out = member;
    return ERR_OK;
}

static enum err_code decimal_string(const cJSON *object, const char *key, int64_t *nanos,
                                    struct err *err) {
    const char *string = NULL;
    if (json_string(object, key, &string, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (decimal_parse(string, nanos, err) != ERR_OK) {
        return err_wrap(err, "%s", key);
    }
    return ERR_OK;
}

enum err_code json_usd(const cJSON *object, const char *key, struct usd *out, struct err *err) {
    return decimal_string(object, key, &out->nanos, err);
}

enum err_code json_qty(const cJSON *object, const char *key, struct qty *out, struct err *err) {
    return decimal_string(object, key, &out->nanos, err);
}

enum err_code json_decimal_either(const cJSON *object, const char *key, int64_t *nanos,
                                  struct err *err) {
    const cJSON *member = json_member(object, key);
    if (!cJSON_IsNumber(member)) {
        return decimal_string(object, key, nanos, err);
    }
    if (decimal_from_double(member->valuedouble, nanos, err) != ERR_OK) {
        return err_wrap(err, "%s", key);
    }
    return ERR_OK;
}

enum err_code json_utc(const cJSON *object, const char *key, struct utc *out, struct err *err) {
    const char *string = NULL;
    if (json_string(object, key, &string, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (utc_parse(string, out, err) != ERR_OK) {
        return err_wrap(err, "%s", key);
    }
    return ERR_OK;
}

enum err_code json_copy(const cJSON *object, const char *key, char *field, size_t field_size,
                        struct err *err) {
    const char *string = NULL;
    if (json_string(object, key, &string, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (text_copy(field, field_size, string, err) != ERR_OK) {
        return err_wrap(err, "%s", key);
    }
    return ERR_OK;
}

static void print_object_sorted(const cJSON *value, struct text *out) {
    /* Selection by repeated minimum: objects of the wire have few members, and it needs no memory. */
    const char *last = NULL;
    text_add_char(out, '{');
    for (;;) {
        const cJSON *next = NULL;
        for (const cJSON *member = value->child; member != NULL; member = member->next) {
            bool is_later = last == NULL || strcmp(member->string, last) > 0;
            if (is_later && (next == NULL || strcmp(member->string, next->string) < 0)) {
                next = member;
            }
        }
        if (next == NULL) {
            break;
        }
        if (last != NULL) {
            text_add_char(out, ',');
        }
        text_add_json_string(out, next->string);
        text_add_char(out, ':');
        json_print_sorted(next, out);
        last = next->string;
    }
    text_add_char(out, '}');
}

void json_print_sorted(const cJSON *value, struct text *out) {
    if (cJSON_IsObject(value)) {
        print_object_sorted(value, out);
    } else if (cJSON_IsArray(value)) {
        text_add_char(out, '[');
        for (const cJSON *item = value->child; item != NULL; item = item->next) {
            json_print_sorted(item, out);
            if (item->next != NULL) {
                text_add_char(out, ',');
            }
        }
        text_add_char(out, ']');
    } else if (cJSON_IsString(value)) {
        text_add_json_string(out, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        text_add_format(out, "%.17g", value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        text_add(out, cJSON_IsTrue(value) ? "true" : "false");
    } else {
        text_add(out, "null");
    }
}

static void wipe_strings(cJSON *item) {
    for (; item != NULL; item = item->next) {
        if (cJSON_IsString(item)) {
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        }
        wipe_strings(item->child);
    }
}

void json_wipe(cJSON *tree) {
    wipe_strings(tree);
    cJSON_Delete(tree);
}
