/* api_text.c - reading queries and bodies, writing decimals, times and errors. */
#include "broker_sim/api/api_internal.h"

#include "core/base/json.h"

#include <stdarg.h>
#include <stdio.h>

/* --- writing --- */

/* As text_add_decimal(), which divides by a variable: this is a third of the cost of a big answer.
 */
void api_put_number(struct text *text, int64_t nanos) {
    char digits[DECIMAL_TEXT_MAX];
    char *end = digits + sizeof digits;
    char *s = end;
    uint64_t magnitude = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    uint64_t whole = magnitude / (uint64_t)NANOS;
    uint32_t fraction = (uint32_t)(magnitude % (uint64_t)NANOS);
    if (fraction != 0) {
        int places = 9;
        while (fraction % 10 == 0) {
            fraction /= 10;
            places--;
        }
        for (; places > 0; places--, fraction /= 10) {
            *--s = (char)('0' + fraction % 10);
        }
        *--s = '.';
    }
    do {
        *--s = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole != 0);
    if (nanos < 0) {
        *--s = '-';
    }
    text_add_bytes(text, s, (size_t)(end - s));
}

void api_put_amount(struct text *text, int64_t nanos) {
    API_PUT(text, "\"");
    api_put_number(text, nanos);
    API_PUT(text, "\"");
}

void api_put_time(struct text *text, struct utc at) {
    if (at.ns == 0) {
        API_PUT(text, "null");
        return;
    }
    API_PUT(text, "\"");
    text_add_utc(text, at);
    API_PUT(text, "\"");
}

void api_put_string_member(struct text *text, const char *name, const char *value) {
    API_PUT(text, ",\"");
    text_add(text, name);
    API_PUT(text, "\":");
    text_add_json_string(text, value);
}

void api_error(struct api_call *call, int status, int code, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    call->status = status;
    text_clear(call->out);
    API_PUT(call->out, "{");
    if (code != 0) {
        API_PUT(call->out, "\"code\":");
        text_add_int(call->out, code);
        API_PUT(call->out, ",");
    }
    API_PUT(call->out, "\"message\":");
    text_add_json_string(call->out, message);
    API_PUT(call->out, "}");
}

void api_refuse(struct api_call *call, const struct sim_refusal *refusal) {
    api_error(call, refusal->status, refusal->code, "%s", refusal->message);
    struct text *out = call->out;
    out->len--; /* the closing brace */
    for (size_t i = 0; i < refusal->member_count; i++) {
        api_put_string_member(out, refusal->members[i].name, refusal->members[i].value);
    }
    if (refusal->has_related) {
        API_PUT(out, ",\"related_orders\":[");
        for (size_t i = 0; i < refusal->related_count; i++) {
            text_add(out, i == 0 ? "\"" : ",\"");
            text_add(out, refusal->related[i]->id);
            API_PUT(out, "\"");
        }
        API_PUT(out, "]");
    }
    API_PUT(out, "}");
}

/* --- queries --- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

void api_decode(const char *from, size_t n, bool is_query, char *out, size_t size) {
    size_t len = 0;
    for (size_t i = 0; i < n && len + 1 < size; i++) {
        char c = from[i];
        if (c == '%' && i + 2 < n && hex_digit(from[i + 1]) >= 0 && hex_digit(from[i + 2]) >= 0) {
            c = (char)(hex_digit(from[i + 1]) * 16 + hex_digit(from[i + 2]));
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        out[len++] = c == '\0' ? ' ' : c;
    }
    out[len] = '\0';
}

bool api_query(const struct api_call *call, const char *key, char *out, size_t size) {
    size_t key_len = strlen(key);
    for (const char *s = call->request->query; s != NULL && *s != '\0';) {
        size_t n = strcspn(s, "&");
        if (n > key_len && s[key_len] == '=' && memcmp(s, key, key_len) == 0) {
            api_decode(s + key_len + 1, n - key_len - 1, true, out, size);
            return true;
        }
        s += n + (s[n] == '&');
    }
    return false;
}

bool api_query_int(const struct api_call *call, const char *key, int64_t min, int64_t max,
                   int64_t fallback, int64_t *out) {
    char text[24];
    if (!api_query(call, key, text, sizeof text)) {
        *out = fallback;
        return true;
    }
    int64_t nanos = 0;
    if (strlen(text) > 9 || decimal_parse(text, &nanos, NULL) != ERR_OK || nanos % NANOS != 0 ||
        nanos / NANOS < min || nanos / NANOS > max) {
        return false;
    }
    *out = nanos / NANOS;
    return true;
}

bool api_query_time(const struct api_call *call, const char *key, struct utc *out) {
    char text[64];
    if (!api_query(call, key, text, sizeof text)) {
        return true;
    }
    char *zone = strchr(text, ' '); /* an offset's '+' that nobody encoded */
    if (zone != NULL) {
        *zone = '+';
    }
    struct date date;
    if (date_parse(text, &date, NULL) == ERR_OK) {
        *out = ny_to_utc(date, 0, 0);
        return true;
    }
    return utc_parse(text, out, NULL) == ERR_OK;
}

bool api_next_name(char **rest, const char **name) {
    if (**rest == '\0') {
        return false;
    }
    *name = *rest;
    size_t n = strcspn(*rest, ",");
    bool is_last = (*rest)[n] == '\0';
    (*rest)[n] = '\0';
    *rest += n + !is_last;
    return true;
}

bool api_list_has(const char *list, const char *word) {
    size_t word_len = strlen(word);
    for (const char *s = list; *s != '\0';) {
        size_t n = strcspn(s, ",");
        if (n == word_len && memcmp(s, word, n) == 0) {
            return true;
        }
        s += n + (s[n] == ',');
    }
    return false;
}

/* --- bodies --- */

static const char *skip_string(const char *s) {
    for (s++; *s != '"'; s++) {
        s += *s == '\\';
    }
    return s;
}

/* The text of the next top-level value of a valid object: from behind its colon to the comma or
 * brace that ends it. */
static const char *next_value(const char *s, const char **start) {
    int depth = 0;
    *start = NULL;
    for (;; s++) {
        if (*s == '"') {
            s = skip_string(s);
        } else if (*s == ':' && depth == 0 && *start == NULL) {
            *start = s + 1;
        } else if (*s == '[' || *s == '{') {
            depth++;
        } else if ((*s == ',' || *s == '}') && depth == 0) {
            return s;
        } else if (*s == ']' || *s == '}') {
            depth--;
        }
    }
}

static void read_member(const cJSON *node, const char *start, const char *end,
                        struct api_member *out) {
    snprintf(out->key, sizeof out->key, "%s", node->string);
    out->kind = cJSON_IsString(node)   ? API_STRING
                : cJSON_IsNumber(node) ? API_NUMBER
                : cJSON_IsBool(node)   ? API_BOOL
                : cJSON_IsNull(node)   ? API_NULL
                                       : API_OTHER;
    if (out->kind == API_STRING) {
        snprintf(out->text, sizeof out->text, "%s", node->valuestring);
        return;
    }
    start += strspn(start, " \t\r\n");
    size_t n = (size_t)(end - start);
    while (n > 0 && strchr(" \t\r\n", start[n - 1]) != NULL) {
        n--;
    }
    n = n < sizeof out->text ? n : sizeof out->text - 1;
    memcpy(out->text, start, n);
    out->text[n] = '\0';
}

bool api_body_parse(const char *bytes, size_t n, struct api_body *out) {
    cJSON *tree = NULL;
    if (n == 0 || memchr(bytes, '\0', n) != NULL || json_parse(bytes, n, &tree, NULL) != ERR_OK) {
        return false;
    }
    out->count = 0;
    bool is_object = cJSON_IsObject(tree);
    const char *s = is_object ? memchr(bytes, '{', n) : NULL;
    const cJSON *node = NULL;
    const cJSON *members = is_object ? tree : NULL;
    cJSON_ArrayForEach(node, members) {
        const char *start = NULL;
        const char *end = next_value(s + 1, &start);
        if (out->count < API_MEMBERS_MAX) {
            read_member(node, start, end, &out->members[out->count++]);
        }
        s = end;
    }
    cJSON_Delete(tree);
    return is_object;
}

const struct api_member *api_body_find(const struct api_body *body, const char *key) {
    for (size_t i = 0; i < body->count; i++) {
        if (strcmp(body->members[i].key, key) == 0) {
            return body->members[i].kind == API_NULL ? NULL : &body->members[i];
        }
    }
    return NULL;
}
