/* err.c - formatting of errors; a wrap puts its words before those that are there. */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...) {
    if (err == NULL) {
        return code;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = code;
    return code;
}

enum err_code err_wrap(struct err *err, const char *format, ...) {
    if (err == NULL) {
        return ERR_FAILED;
    }
    char inner[ERR_TEXT_MAX];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof err->text ? (size_t)n : sizeof err->text - 1;
    const char *parts[] = {": ", inner};
    for (size_t i = 0; i < 2; i++) { /* what does not fit is cut */
        size_t room = sizeof err->text - 1 - used;
        size_t length = strnlen(parts[i], room);
        memcpy(err->text + used, parts[i], length);
        used += length;
    }
    err->text[used] = '\0';
    return err->code;
}

const char *err_word(enum err_code code) {
    static const char *const words[] = {
#define X(code, word, meaning) [code] = word,
        ERR_CODES(X)
#undef X
    };
    return words[code];
}
