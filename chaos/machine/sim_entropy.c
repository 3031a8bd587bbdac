/* sim_entropy.c - see sim_entropy.h. */
#include "chaos/machine/sim_entropy.h"

static enum err_code fill(struct entropy *seam, void *bytes, size_t n, struct err *err) {
    (void)err;
    struct sim_entropy *entropy = (struct sim_entropy *)seam;
    unsigned char *out = bytes;
    for (size_t i = 0; i < n; i++) {
        out[i] = (unsigned char)(random_next(&entropy->random) >> 56);
    }
    return ERR_OK;
}

static const struct entropy_ops ops = {.fill = fill};

void sim_entropy_init(struct sim_entropy *entropy, uint64_t seed, const char *name,
                      uint64_t instance) {
    entropy->seam.ops = &ops;
    entropy->random = random_stream(seed, name, instance, 0, 0);
}
