/* arena.c - blocks in a chain; what does not fit into the current one opens another. */
#include "core/base/arena.h"

#include "core/base/check.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size_bytes;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

static const size_t BLOCK_BYTES = 64 * 1024;

static struct arena_block *block_create(size_t size_bytes) {
    struct arena_block *block = malloc(sizeof *block + size_bytes);
    CHECK(block != NULL);
    *block = (struct arena_block){.size_bytes = size_bytes};
    return block;
}

void *arena_alloc(struct arena *arena, size_t size_bytes) {
    size_t rounded = (size_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    CHECK(rounded >= size_bytes);
    while (arena->current != NULL && arena->current->size_bytes - arena->current->used < rounded &&
           arena->current->next != NULL) {
        arena->current = arena->current->next;
    }
    struct arena_block *block = arena->current;
    if (block == NULL || block->size_bytes - block->used < rounded) {
        block = block_create(rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
        if (arena->current == NULL) {
            arena->first = block;
        } else {
            arena->current->next = block;
        }
        arena->current = block;
    }
    void *out = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    memset(out, 0, rounded);
    return out;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t n) {
    char *out = arena_alloc(arena, n + 1);
    memcpy(out, bytes, n);
    return out;
}

void arena_release(struct arena *arena) {
    struct arena_block *block = arena->first;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){0};
}
