/* sim_index.c - a hash table from ids to orders, half empty at least. */
#include "broker_sim/exchange/sim_index.h"

#include "core/base/check.h"
#include "core/base/hash.h"

#include <stdlib.h>
#include <string.h>

void sim_index_release(struct sim_index *index) {
    free(index->slots);
    *index = (struct sim_index){0};
}

/* The slot of a key, or the free one where it belongs. */
static struct sim_index_slot *locate(const struct sim_index *index, const char *key) {
    size_t mask = index->room - 1;
    size_t i = (size_t)hash64(key, strlen(key), 0) & mask;
    while (index->slots[i].key != NULL && strcmp(index->slots[i].key, key) != 0) {
        i = (i + 1) & mask;
    }
    return &index->slots[i];
}

static void grow(struct sim_index *index) {
    struct sim_index old = *index;
    index->room = old.room == 0 ? 64 : 2 * old.room;
    index->slots = calloc(index->room, sizeof *index->slots);
    CHECK(index->slots != NULL);
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i].key != NULL) {
            *locate(index, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

void sim_index_add(struct sim_index *index, const char *key, struct sim_order *order) {
    if (2 * (index->count + 1) > index->room) {
        grow(index);
    }
    struct sim_index_slot *slot = locate(index, key);
    CHECK(slot->key == NULL);
    *slot = (struct sim_index_slot){key, order};
    index->count++;
}

struct sim_order *sim_index_find(const struct sim_index *index, const char *key) {
    return index->room == 0 ? NULL : locate(index, key)->order;
}
