/* check.c - a broken invariant is said on stderr, then the process aborts. */
#include "core/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *claim, const char *file, int line) {
    fprintf(stderr, "seatrial: broken invariant at %s:%d: %s\n", file, line, claim);
    abort();
}
