/* hash.h - XXH3: checksums of rows and documents, and the trace hash. Not a cryptographic hash: it
 * finds rot and mistakes, not malice. Same value on every machine. */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 64 bits of n bytes, chained to what came before (0 to start). */
uint64_t hash64(const void *bytes, size_t n, uint64_t seed);

/* A running 128-bit hash; owned, destroyed by its creator. */
struct hasher;
struct hasher *hasher_create(void);
void hasher_destroy(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *bytes, size_t n);
void hasher_add_int(struct hasher *hasher, int64_t value); /* little endian, 8 bytes */
/* Forgets everything hashed so far. */
void hasher_reset(struct hasher *hasher);

#define HASH_TEXT_MAX 33
/* The hash of all so far as 32 hex digits; hashing may go on. */
void hasher_print(const struct hasher *hasher, char out[static HASH_TEXT_MAX]);

/* 16 hex digits and a NUL. */
void hash64_print(uint64_t hash, char out[static 17]);

#endif
