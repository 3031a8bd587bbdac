/* table.h - records of one size by name, in the order in which the names came; they begin with the name.
 *
 * A pointer to a record holds until the next table_get(). Names are cut at TABLE_NAME_MAX - 1. */
#ifndef REPLAY_ORACLE_TABLE_H
#define REPLAY_ORACLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TABLE_NAME_MAX 64

struct table {
    char *records;
    size_t record_size, count, cap;
    size_t *slots; /* open addressing; 0 is free, else index + 1 */
    size_t slot_count;
};

struct table table_of(size_t record_size);
void table_release(struct table *table);
/* The record of a name, zeroed if new. */
void *table_get(struct table *table, const char *name);
/* The record, or NULL. */
void *table_find(const struct table *table, const char *name);
void *table_at(const struct table *table, size_t index);

/* malloc of zeroed bytes that never fails: out of memory aborts. */
void *judge_alloc(size_t size_bytes);
/* Most words that are compared differ in their first letter. */
static inline bool is_word(const char *a, const char *b) {
    return a[0] == b[0] && strcmp(a, b) == 0;
}
static inline bool begins(const char *word, const char *with) {
    return strncmp(word, with, strlen(with)) == 0;
}
/* An id of ours: "st-...". */
bool is_our_id(const char *client_id);
/* Of a leg in EVENT_LEDGER_ORDER ("stop of ID"), the order it was sent with; else NULL. */
struct event;
const char *owner_of(const struct event *event);
/* A status after which an order is no more. */
bool is_over_word(const char *status);

#endif
