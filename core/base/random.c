/* random.c - a stream is keyed by a name and three numbers; a normal draw is a sum of twelve. */
#include "core/base/random.h"

struct random random_stream(uint64_t seed, const char *name, uint64_t a, uint64_t b, uint64_t c) {
    uint64_t key = random_mix(UINT64_C(0x5ea7121a1), seed);
    for (const char *s = name; *s != '\0'; s++) {
        key = random_mix(key, (unsigned char)*s);
    }
    return (struct random){random_mix(random_mix(random_mix(key, a), b), c)};
}

double random_normal(struct random *random) {
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += random_unit(random);
    }
    return sum;
}
