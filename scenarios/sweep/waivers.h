/* waivers.h - what a sweep need not meet, for a while: few, each with a reason, an owner and an end. */
#ifndef SCENARIOS_SWEEP_WAIVERS_H
#define SCENARIOS_SWEEP_WAIVERS_H

#include "core/base/err.h"

#include <stddef.h>

#define WAIVERS_MAX 5

struct waiver {
    char word[96], reason[200], expires[16]; /* expires: a date; the waiver ends with it */
};

struct waivers { /* zero-initialise for none */
    struct waiver items[WAIVERS_MAX];
    size_t count;
};
/* Parses {"waivers":[{"word","reason","owner","expires"}]}. ERR_CONFIG names place and remedy: more than
 * five, a member missing, or expired on `today` (YYYY-MM-DD). */
enum err_code waivers_parse(const char *bytes, size_t n, const char *today, struct waivers *out,
                            struct err *err) MUST_USE;

#endif
