/* hash.c - XXH3 of one piece, or of many in a row. */
#include "core/base/hash.h"

#include "core/base/check.h"

#include <stdbool.h>
#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct hasher {
    XXH3_state_t *state;
};

uint64_t hash64(const void *bytes, size_t n, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, n, seed);
}

struct hasher *hasher_create(void) {
    struct hasher *hasher = malloc(sizeof *hasher);
    CHECK(hasher != NULL);
    hasher->state = XXH3_createState();
    CHECK(hasher->state != NULL);
    XXH3_128bits_reset(hasher->state);
    return hasher;
}

void hasher_destroy(struct hasher *hasher) {
    if (hasher != NULL) {
        XXH3_freeState(hasher->state);
        free(hasher);
    }
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t n) {
    XXH3_128bits_update(hasher->state, bytes, n);
}

void hasher_add_int(struct hasher *hasher, int64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)value >> (8 * i));
    }
    hasher_add(hasher, bytes, sizeof bytes);
}

void hasher_reset(struct hasher *hasher) {
    XXH3_128bits_reset(hasher->state);
}

void hash64_print(uint64_t hash, char out[static 17]) {
    for (int i = 0; i < 16; i++) {
        out[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    }
    out[16] = '\0';
}

void hasher_print(const struct hasher *hasher, char out[static HASH_TEXT_MAX]) {
    XXH128_hash_t hash = XXH3_128bits_digest(hasher->state);
    hash64_print(hash.high64, out);
    hash64_print(hash.low64, out + 16);
}
