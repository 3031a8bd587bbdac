/* sim_index.h - orders by a string of theirs: open addressing, never walked, nothing is removed. */
#ifndef BROKER_SIM_EXCHANGE_SIM_INDEX_H
#define BROKER_SIM_EXCHANGE_SIM_INDEX_H

#include <stddef.h>

struct sim_order;

struct sim_index { /* zero-initialise; the strings live in the orders */
    struct sim_index_slot {
        const char *key; /* NULL: free */
        struct sim_order *order;
    } * slots;
    size_t room; /* a power of two, at least twice the count */
    size_t count;
};

void sim_index_release(struct sim_index *index);
/* The key must not be in the index yet. */
void sim_index_add(struct sim_index *index, const char *key, struct sim_order *order);
/* NULL if there is none. */
struct sim_order *sim_index_find(const struct sim_index *index, const char *key);

#endif
