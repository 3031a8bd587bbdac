/* sim_entropy.h - the entropy seam as a named, seeded stream. */
#ifndef CHAOS_MACHINE_SIM_ENTROPY_H
#define CHAOS_MACHINE_SIM_ENTROPY_H

#include "core/base/random.h"
#include "core/world/entropy.h"

struct sim_entropy {
    struct entropy seam;
    struct random random;
};

/* The stream of (seed, name, instance): a second instance or a new life takes another number. */
void sim_entropy_init(struct sim_entropy *entropy, uint64_t seed, const char *name,
                      uint64_t instance);

#endif
