/* err.h - how a function says that it failed, and why.
 *
 * Every function that can fail returns enum err_code and fills the caller's struct err. On failure
 * outputs are unchanged unless the function says otherwise. Three kinds are never confused:
 * refused (a rule said no), unknown (it may have happened), broken (everything else). */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#include <stddef.h>

/* code, word, meaning */
#define ERR_CODES(X)                                                                               \
    X(ERR_OK, "ok", "no error")                                                                    \
    X(ERR_USAGE, "usage", "the caller's words make no sense")                                      \
    X(ERR_PARSE, "parse", "bytes from outside are not what they should be")                        \
    X(ERR_RANGE, "range", "a number left its range")                                               \
    X(ERR_CONFIG, "config", "the configuration or a scenario is invalid")                          \
    X(ERR_IO, "io", "the disk said no")                                                            \
    X(ERR_NO_SPACE, "no_space", "the disk is full")                                                \
    X(ERR_NOT_FOUND, "not_found", "no such thing")                                                 \
    X(ERR_EXISTS, "exists", "already there")                                                       \
    X(ERR_CORRUPT, "corrupt", "stored bytes fail their own check")                                 \
    X(ERR_LOCKED, "locked", "somebody else holds it")                                              \
    X(ERR_REFUSED, "refused", "a rule of ours or of the broker said no; nothing happened")         \
    X(ERR_NOT_SENT, "not_sent", "no byte left; nothing happened")                                  \
    X(ERR_UNKNOWN, "unknown", "bytes left and no answer came: it may have happened")               \
    X(ERR_LIMIT, "limit", "a stated limit of this program was reached")                            \
    X(ERR_MEMORY, "memory", "out of memory")                                                       \
    X(ERR_FAILED, "failed", "it failed, and the caller kept no struct err to say how")

enum err_code {
#define X(code, word, meaning) code,
    ERR_CODES(X)
#undef X
};

#define ERR_TEXT_MAX 512

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX]; /* one line, no newline: what, where, remedy */
};

/* Marks a result that must not be dropped. */
#define MUST_USE __attribute__((warn_unused_result))

/* Sets err (which may be NULL) and returns code, so that a leaf can say `return err_set(...)`. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "format: " before the text of err, keeps its code and returns it; ERR_FAILED if err is NULL:
 * a wrapped failure never turns into success. */
enum err_code err_wrap(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The word of a code ("no_space"); static storage. */
const char *err_word(enum err_code code);

#endif
