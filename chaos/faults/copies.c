/* copies.c - see copies.h. */
#include "chaos/faults/copies.h"

#include "core/base/check.h"
#include "core/base/hash.h"

#include <stdlib.h>
#include <string.h>

void copies_release(struct copies *copies) {
    for (size_t i = 0; copies->rows != NULL && i < COPIES_ROWS; i++) {
        for (size_t k = 0; k < COPIES_OF_ROW; k++) {
            text_release(&copies->rows[i].copies[k].body);
        }
        text_release(&copies->rows[i].frozen.body);
    }
    free(copies->rows);
    copies->rows = NULL;
}

static void put(struct copy *copy, struct utc at, const struct text *body) {
    copy->at = at;
    text_clear(&copy->body);
    text_add(&copy->body, text_get(body));
}

/* A row that is taken over keeps its memory, and forgets what it held. */
static struct copy_row *row_of(struct copies *copies, uint64_t key) {
    struct copy_row *oldest = &copies->rows[0];
    for (size_t i = 0; i < COPIES_ROWS; i++) {
        struct copy_row *row = &copies->rows[i];
        if (row->key == key) {
            return row;
        }
        oldest = row->asked_at.ns < oldest->asked_at.ns ? row : oldest;
    }
    oldest->key = key;
    for (size_t k = 0; k < COPIES_OF_ROW; k++) {
        oldest->copies[k].at = (struct utc){INT64_MIN};
    }
    oldest->frozen.at = (struct utc){INT64_MIN};
    return oldest;
}

struct copy_row *copies_keep(struct copies *copies, const char *path, const char *query,
                             struct utc now, const struct text *body) {
    if (copies->rows == NULL) {
        copies->rows = calloc(COPIES_ROWS, sizeof *copies->rows);
        CHECK(copies->rows != NULL);
    }
    const char *rest = query == NULL ? "" : query;
    const uint64_t key = hash64(rest, strlen(rest), hash64(path, strlen(path), 1)) | 1;
    struct copy_row *row = row_of(copies, key);
    row->asked_at = now;
    put(&row->copies[row->next], now, body);
    row->next = (row->next + 1) % COPIES_OF_ROW;
    return row;
}

const struct text *copies_find(const struct copy_row *row, struct utc from, struct utc to) {
    const struct copy *best = NULL;
    for (size_t k = 0; k < COPIES_OF_ROW; k++) {
        const struct copy *copy = &row->copies[k];
        if (copy->at.ns >= from.ns && copy->at.ns <= to.ns &&
            (best == NULL || copy->at.ns > best->at.ns)) {
            best = copy;
        }
    }
    return best == NULL ? NULL : &best->body;
}

const struct text *copies_freeze(struct copy_row *row, struct utc begin) {
    if (row->frozen.at.ns != begin.ns) {
        const struct text *last =
            copies_find(row, (struct utc){INT64_MIN + 1}, (struct utc){begin.ns - 1});
        if (last == NULL) {
            return NULL;
        }
        put(&row->frozen, begin, last);
    }
    return &row->frozen.body;
}
