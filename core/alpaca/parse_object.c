/* parse_object.c - one pass over the members of an object against a table of fields. */
#include "core/alpaca/parse.h"
#include "core/base/check.h"

#include <math.h>

static enum err_code wrong_type(const struct field *field, const char *wanted, struct err *err) {
    return err_set(err, ERR_PARSE, "%s: not %s", field->key, wanted);
}

/* Cuts what stands behind the ninth decimal: quotients of the broker (averages) have more digits. */
static enum err_code parse_cut(const char *text, int64_t *nanos, struct err *err) {
    const char *point = strchr(text, '.');
    char cut[DECIMAL_TEXT_MAX];
    size_t keep = point == NULL ? 0 : (size_t)(point - text) + 10;
    if (point == NULL || strlen(text) <= keep || keep >= sizeof cut ||
        strspn(point + 1, "0123456789") != strlen(point + 1)) {
        return decimal_parse(text, nanos, err);
    }
    memcpy(cut, text, keep);
    cut[keep] = '\0';
    return decimal_parse(cut, nanos, err);
}

static enum err_code read_decimal(const struct field *field, const cJSON *member, int64_t *nanos,
                                  struct err *err) {
    enum err_code code = ERR_OK;
    if (cJSON_IsNumber(member)) {
        code = decimal_from_double(member->valuedouble, nanos, err);
    } else if (!cJSON_IsString(member)) {
        return wrong_type(field, "a decimal", err);
    } else if (field->kind == FIELD_USD) {
        code = parse_cut(member->valuestring, nanos, err);
    } else {
        code = decimal_parse(member->valuestring, nanos, err);
    }
    if (code != ERR_OK) {
        (void)err_wrap(err, "%s", field->key);
        return ERR_PARSE;
    }
    return ERR_OK;
}

static enum err_code read_count(const struct field *field, const cJSON *member, int64_t *out,
                                struct err *err) {
    double value = cJSON_IsNumber(member) ? member->valuedouble : -1;
    if (!(value >= 0 && value <= 9007199254740992.0)) {
        return wrong_type(field, "a count", err);
    }
    *out = (int64_t)floor(value);
    return ERR_OK;
}

/* Outside these years nanoseconds since 1970 may not fit, and nothing of the wire means them. */
static bool is_year_sane(const char *text) {
    return strncmp(text, "1970", 4) >= 0 && strncmp(text, "2200", 4) < 0;
}

static enum err_code read_time(const struct field *field, const char *text, char *at,
                               struct err *err) {
    enum err_code code = ERR_PARSE;
    if (!is_year_sane(text)) {
        code = err_set(err, ERR_PARSE, "'%.40s' is not a time of 1970 to 2199", text);
    } else if (field->kind == FIELD_UTC) {
        struct utc utc = {0};
        code = utc_parse(text, &utc, err);
        memcpy(at, &utc, sizeof utc);
    } else {
        struct date date = {0};
        code = date_parse(text, &date, err);
        memcpy(at, &date, sizeof date);
    }
    if (code != ERR_OK) {
        (void)err_wrap(err, "%s", field->key);
    }
    return code;
}

static enum err_code read_string(const struct field *field, const cJSON *member, char *at,
                                 struct err *err) {
    if (!cJSON_IsString(member)) {
        return wrong_type(field, "a string", err);
    }
    const char *text = member->valuestring;
    size_t length = strlen(text);
    if (field->kind == FIELD_UTC || field->kind == FIELD_DATE) {
        return read_time(field, text, at, err);
    }
    if (field->kind == FIELD_WORD) {
        memcpy(at, &text, sizeof text);
        return ERR_OK;
    }
    if (length >= field->size) {
        if (field->kind == FIELD_COPY) {
            return err_set(err, ERR_PARSE, "%s: '%.60s' is longer than %zu characters", field->key,
                           text, field->size - 1);
        }
        length = field->size - 1;
    }
    memcpy(at, text, length);
    at[length] = '\0';
    return ERR_OK;
}

static enum err_code read_field(const struct field *field, const cJSON *member, char *at,
                                struct err *err) {
    int64_t number = 0;
    enum err_code code = ERR_OK;
    switch (field->kind) {
    case FIELD_COPY:
    case FIELD_COPY_CUT:
    case FIELD_WORD:
    case FIELD_UTC:
    case FIELD_DATE:
        return read_string(field, member, at, err);
    case FIELD_USD:
    case FIELD_QTY:
        code = read_decimal(field, member, &number, err);
        break;
    case FIELD_COUNT:
        code = read_count(field, member, &number, err);
        break;
    case FIELD_BOOL:
        if (!cJSON_IsBool(member)) {
            return wrong_type(field, "true or false", err);
        }
        *(bool *)at = cJSON_IsTrue(member);
        return ERR_OK;
    case FIELD_TREE:
        memcpy(at, &member, sizeof member);
        return ERR_OK;
    }
    if (code == ERR_OK) {
        memcpy(at, &number, sizeof number);
    }
    return code;
}

/* The field of a key, looked for from `from` on and round: answers keep the order of their members. */
static size_t find_field(const struct field *fields, size_t count, size_t from, const char *key) {
    for (size_t i = 0, at = from; i < count; i++, at++) {
        at = at >= count ? 0 : at;
        if (fields[at].key[0] == key[0] && strcmp(fields[at].key, key) == 0) {
            return at;
        }
    }
    return count;
}

enum err_code parse_object(const cJSON *object, const struct field *fields, size_t count, void *out,
                           struct err *err) {
    CHECK(count <= FIELDS_MAX);
    if (!cJSON_IsObject(object)) {
        return err_set(err, ERR_PARSE, "not an object");
    }
    uint32_t seen = 0;
    size_t next = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        size_t at = find_field(fields, count, next, member->string);
        if (at == count || cJSON_IsNull(member)) {
            continue;
        }
        if (read_field(&fields[at], member, (char *)out + fields[at].offset, err) != ERR_OK) {
            return ERR_PARSE;
        }
        if (fields[at].has_flag) {
            *(bool *)((char *)out + fields[at].flag) = true;
        }
        seen |= UINT32_C(1) << at;
        next = at + 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].is_required && (seen >> i & 1) == 0) {
            return err_set(err, ERR_PARSE, "%s: missing", fields[i].key);
        }
    }
    return ERR_OK;
}
