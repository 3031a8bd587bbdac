/* random.h - seeded streams, keyed by name and numbers, so that a new stream or draw changes no other.
 *
 * The generator is splitmix64 (Steele, Lea, Flood 2014) on a counter: same key, same stream, on
 * every machine. No part of it is a secret. */
#ifndef CORE_BASE_RANDOM_H
#define CORE_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* The stream of (seed, name, a, b, c). */
struct random random_stream(uint64_t seed, const char *name, uint64_t a, uint64_t b, uint64_t c);

/* Mixes one more number into a key. */
static inline uint64_t random_mix(uint64_t key, uint64_t value) {
    uint64_t z = key ^ (value + UINT64_C(0x9e3779b97f4a7c15) + (key << 6) + (key >> 2));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t random_next(struct random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* 0 to bound - 1, without bias worth speaking of (multiply-shift); bound > 0. */
static inline uint64_t random_below(struct random *random, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}
/* low to high, both included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high) {
    return low + (int64_t)random_below(random, (uint64_t)(high - low) + 1);
}
/* True with a chance of nanos / 1e9. */
static inline bool random_chance(struct random *random, int64_t nanos) {
    return (int64_t)random_below(random, 1000000000) < nanos;
}
/* [0, 1), 53 bits. */
static inline double random_unit(struct random *random) {
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
/* Roughly normal, mean 0, variance 1: the sum of twelve uniforms less six (no libm, portable). */
double random_normal(struct random *random);

#endif
