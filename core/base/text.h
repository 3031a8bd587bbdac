/* text.h - a growing byte string with a stated limit; the way this program prints.
 *
 * Appends never fail at the call: past the limit (or out of memory) the text is cut, is_cut stays set,
 * and the owner asks text_finish() once at the end. data is always NUL-terminated once non-NULL. */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    char *data;   /* owned */
    size_t len;   /* without the NUL */
    size_t cap;   /* bytes allocated */
    size_t limit; /* len never exceeds it */
    bool is_cut;  /* something did not fit */
};

#define TEXT_LIMIT_DEFAULT ((size_t)64 << 20)

/* Zero-initialised text is valid and has the default limit; this one states its own. */
static inline struct text text_limited(size_t limit) {
    return (struct text){.limit = limit};
}
void text_release(struct text *text);
/* The same, and what stood there is gone. What it left behind when it grew is not: reserve first. */
void text_wipe(struct text *text);
/* Forgets the content, keeps the memory. */
static inline void text_clear(struct text *text) {
    text->len = 0;
    text->is_cut = false;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}
/* Makes room for n more bytes and the NUL; false when the limit forbids it. */
bool text_reserve(struct text *text, size_t n);

static inline void text_add_bytes(struct text *text, const void *bytes, size_t n) {
    if (text->len + n + 1 > text->cap && !text_reserve(text, n)) {
        return;
    }
    memcpy(text->data + text->len, bytes, n);
    text->len += n;
    text->data[text->len] = '\0';
}
static inline void text_add(struct text *text, const char *string) {
    text_add_bytes(text, string, strlen(string));
}
static inline void text_add_char(struct text *text, char c) {
    text_add_bytes(text, &c, 1);
}
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_add_int(struct text *text, int64_t value);
void text_add_decimal(struct text *text, int64_t nanos);
void text_add_utc(struct text *text, struct utc at);
/* A JSON string with its quotes, escaped after RFC 8259. */
void text_add_json_string(struct text *text, const char *string);

/* Members of a JSON object being written: a comma goes before unless the object just opened. */
void text_member_string(struct text *text, const char *key, const char *value);
void text_member_decimal(struct text *text, const char *key, int64_t nanos); /* as a string */
void text_member_int(struct text *text, const char *key, int64_t value);
void text_member_bool(struct text *text, const char *key, bool value);
void text_member_utc(struct text *text, const char *key, struct utc at);
/* The same, or null for {0}. */
void text_member_utc_or_null(struct text *text, const char *key, struct utc at);
/* Writes `"key":` so that the value can follow. */
void text_member(struct text *text, const char *key);

/* The content as a C string, "" when empty. Valid until the next change. */
static inline const char *text_get(const struct text *text) {
    return text->data == NULL ? "" : text->data;
}
/* ERR_LIMIT if anything was cut. */
enum err_code text_finish(const struct text *text, struct err *err) MUST_USE;

/* The bytes of a string, at most so many, that end where a character of UTF-8 does. */
size_t text_fit(const char *string, size_t most);

/* True if the word is among so many. */
bool text_is_one_of(const char *word, const char *const *words, size_t count);

/* Copies a string into a fixed field; ERR_LIMIT (field unchanged) if it does not fit. */
enum err_code text_copy(char *field, size_t field_size, const char *string,
                        struct err *err) MUST_USE;

#endif
