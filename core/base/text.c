/* text.c - growing text with a limit; beyond it nothing is added and is_cut says so. */
#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_release(struct text *text) {
    free(text->data);
    *text = (struct text){.limit = text->limit};
}

void text_wipe(struct text *text) {
    if (text->data != NULL) {
        explicit_bzero(text->data, text->cap);
    }
    text_release(text);
}

bool text_reserve(struct text *text, size_t n) {
    size_t limit = text->limit == 0 ? TEXT_LIMIT_DEFAULT : text->limit;
    if (n > limit || text->len > limit - n) {
        text->is_cut = true;
        return false;
    }
    size_t need = text->len + n + 1;
    if (need <= text->cap) {
        return true;
    }
    size_t cap = text->cap < 128 ? 128 : text->cap;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > limit + 1) {
        cap = limit + 1; /* the inline appends test cap alone */
    }
    char *data = realloc(text->data, cap);
    if (data == NULL) {
        text->is_cut = true;
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

void text_add_format(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && text_reserve(text, (size_t)n)) {
        vsnprintf(text->data + text->len, (size_t)n + 1, format, again);
        text->len += (size_t)n;
    }
    va_end(again);
}

void text_add_int(struct text *text, int64_t value) {
    char digits[24];
    int n = 0;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[sizeof digits - 1 - (size_t)n++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (value < 0) {
        digits[sizeof digits - 1 - (size_t)n++] = '-';
    }
    text_add_bytes(text, digits + sizeof digits - n, (size_t)n);
}

void text_add_decimal(struct text *text, int64_t nanos) {
    char digits[DECIMAL_TEXT_MAX];
    text_add_bytes(text, digits, (size_t)decimal_print(nanos, digits));
}

void text_add_utc(struct text *text, struct utc at) {
    char digits[UTC_TEXT_MAX];
    text_add_bytes(text, digits, (size_t)utc_print(at, digits));
}

void text_add_json_string(struct text *text, const char *string) {
    text_add_char(text, '"');
    const char *plain = string; /* start of the run that needs no escape */
    for (const char *s = string;; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        text_add_bytes(text, plain, (size_t)(s - plain));
        if (c == '\0') {
            break;
        }
        if (c == '"' || c == '\\') {
            text_add_char(text, '\\');
            text_add_char(text, (char)c);
        } else if (c == '\n') {
            text_add(text, "\\n");
        } else {
            text_add_format(text, "\\u%04x", c);
        }
        plain = s + 1;
    }
    text_add_char(text, '"');
}

void text_member(struct text *text, const char *key) {
    char last = text->len > 0 ? text->data[text->len - 1] : '{'; /* nothing yet: no comma */
    if (last != '{' && last != '[') {
        text_add_char(text, ',');
    }
    text_add_char(text, '"');
    text_add(text, key);
    text_add(text, "\":");
}

void text_member_string(struct text *text, const char *key, const char *value) {
    text_member(text, key);
    text_add_json_string(text, value);
}

void text_member_decimal(struct text *text, const char *key, int64_t nanos) {
    text_member(text, key);
    text_add_char(text, '"');
    text_add_decimal(text, nanos);
    text_add_char(text, '"');
}

void text_member_int(struct text *text, const char *key, int64_t value) {
    text_member(text, key);
    text_add_int(text, value);
}

void text_member_bool(struct text *text, const char *key, bool value) {
    text_member(text, key);
    text_add(text, value ? "true" : "false");
}

void text_member_utc(struct text *text, const char *key, struct utc at) {
    text_member(text, key);
    text_add_char(text, '"');
    text_add_utc(text, at);
    text_add_char(text, '"');
}

void text_member_utc_or_null(struct text *text, const char *key, struct utc at) {
    if (at.ns != 0) {
        text_member_utc(text, key, at);
    } else {
        text_member(text, key);
        text_add(text, "null");
    }
}

enum err_code text_finish(const struct text *text, struct err *err) {
    if (text->is_cut) {
        return err_set(err, ERR_LIMIT, "a text outgrew its limit");
    }
    return ERR_OK;
}

bool text_is_one_of(const char *word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum err_code text_copy(char *field, size_t field_size, const char *string, struct err *err) {
    size_t n = strlen(string);
    if (n >= field_size) {
        return err_set(err, ERR_LIMIT, "'%.60s' is longer than %zu characters", string,
                       field_size - 1);
    }
    memcpy(field, string, n + 1);
    return ERR_OK;
}

size_t text_fit(const char *string, size_t most) {
    size_t n = strnlen(string, most + 1);
    if (n <= most) {
        return n;
    }
    for (n = most; n > 0 && ((unsigned char)string[n] & 0xC0) == 0x80;) {
        n--;
    }
    return n;
}
