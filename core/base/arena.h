/* arena.h - memory that is given back all at once. Lifetimes of this program: *run* and *cycle* live
 * in arenas, *owned* things have create/destroy. Blocks are aligned for any type and zeroed. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena { /* zero-initialise; release with arena_release() */
    struct arena_block *first;
    struct arena_block *current;
    size_t used; /* bytes handed out */
};

/* Never NULL: out of memory aborts, because nothing sensible can go on. Owned by the arena. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
/* A copy of n bytes with a NUL behind. */
char *arena_copy(struct arena *arena, const char *bytes, size_t n);
/* Gives the memory back. */
void arena_release(struct arena *arena);

#endif
