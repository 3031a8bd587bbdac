/* entropy_system.c - getrandom(). */
#include "core/live/entropy_system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static enum err_code system_fill(struct entropy *entropy, void *bytes, size_t n, struct err *err) {
    (void)entropy;
    unsigned char fresh[256]; /* up to here getrandom() is never cut by a signal */
    if (n > sizeof fresh) {
        return err_set(err, ERR_LIMIT, "%zu random bytes wanted, at most %zu at a time", n,
                       sizeof fresh);
    }
    ssize_t got;
    do {
        got = getrandom(fresh, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)n) {
        return err_set(err, ERR_IO, "getrandom: %s", got < 0 ? strerror(errno) : "too few bytes");
    }
    memcpy(bytes, fresh, n);
    return ERR_OK;
}

static const struct entropy_ops system_ops = {.fill = system_fill};

enum err_code entropy_system_create(struct entropy **out, struct err *err) {
    struct entropy *entropy = calloc(1, sizeof *entropy);
    if (entropy == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the entropy seam");
    }
    entropy->ops = &system_ops;
    *out = entropy;
    return ERR_OK;
}

void entropy_system_destroy(struct entropy *entropy) {
    free(entropy);
}
