/* entropy.h - the seam to unpredictable bytes (instance names, jitter). Never decides an order. */
#ifndef CORE_WORLD_ENTROPY_H
#define CORE_WORLD_ENTROPY_H

#include "core/base/err.h"

#include <stddef.h>

struct entropy;

struct entropy_ops {
    enum err_code (*fill)(struct entropy *entropy, void *bytes, size_t n, struct err *err);
};

struct entropy {
    const struct entropy_ops *ops;
};

/* Fills n (at most 256) bytes. ERR_IO. */
static inline enum err_code MUST_USE entropy_fill(struct entropy *entropy, void *bytes, size_t n,
                                                  struct err *err) {
    return entropy->ops->fill(entropy, bytes, n, err);
}

#endif
