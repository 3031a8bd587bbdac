/* table.c - records by name, and small words that every judge needs. */
#include "replay/oracle/table.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/world/observe.h"

#include <stdlib.h>
#include <string.h>

void *judge_alloc(size_t size_bytes) {
    void *bytes = calloc(1, size_bytes);
    CHECK(bytes != NULL);
    return bytes;
}

bool is_our_id(const char *client_id) {
    return strncmp(client_id, "st-", 3) == 0;
}

const char *owner_of(const struct event *event) {
    const char *of = event->body == NULL ? NULL : strstr(event->body, " of ");
    return of == NULL ? NULL : of + 4;
}

bool is_over_word(const char *status) {
    static const char *const words[] = {"filled", "canceled", "expired", "replaced", "rejected"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], status) == 0) {
            return true;
        }
    }
    return false;
}

struct table table_of(size_t record_size) {
    return (struct table){.record_size = record_size};
}

void table_release(struct table *table) {
    free(table->records);
    free(table->slots);
    *table = (struct table){0};
}

void *table_at(const struct table *table, size_t index) {
    return table->records + index * table->record_size;
}

static void cut(char name[static TABLE_NAME_MAX], const char *string) {
    size_t n = strnlen(string, TABLE_NAME_MAX - 1);
    memset(name, 0, TABLE_NAME_MAX);
    memcpy(name, string, n);
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t slot_of(const struct table *table, const char *name) {
    size_t mask = table->slot_count - 1;
    size_t slot = (size_t)hash64(name, strlen(name), 0) & mask;
    while (table->slots[slot] != 0 && strcmp(table_at(table, table->slots[slot] - 1), name) != 0) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void grow(struct table *table) {
    table->cap = table->cap == 0 ? 32 : table->cap * 2;
    char *records = judge_alloc(table->cap * table->record_size);
    if (table->count > 0) {
        memcpy(records, table->records, table->count * table->record_size);
    }
    free(table->records);
    free(table->slots);
    table->records = records;
    table->slot_count = table->cap * 2; /* at most half full, a power of two */
    table->slots = judge_alloc(table->slot_count * sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++) {
        table->slots[slot_of(table, table_at(table, i))] = i + 1;
    }
}

void *table_find(const struct table *table, const char *name) {
    char key[TABLE_NAME_MAX];
    cut(key, name);
    if (table->count == 0) {
        return NULL;
    }
    size_t slot = slot_of(table, key);
    return table->slots[slot] == 0 ? NULL : table_at(table, table->slots[slot] - 1);
}

void *table_get(struct table *table, const char *name) {
    void *known = table_find(table, name);
    if (known != NULL) {
        return known;
    }
    if (table->count == table->cap) {
        grow(table);
    }
    char key[TABLE_NAME_MAX];
    cut(key, name);
    char *record = table_at(table, table->count);
    memcpy(record, key, TABLE_NAME_MAX);
    table->slots[slot_of(table, key)] = ++table->count;
    return record;
}
