/* copies.h - what the broker truly answered, kept for views that lag or stand still.
 *
 * One row per path and query; each keeps its newest bodies with their instants. The row unused for
 * the longest time gives way. */
#ifndef CHAOS_FAULTS_COPIES_H
#define CHAOS_FAULTS_COPIES_H

#include "core/base/text.h"

#define COPIES_ROWS 128
#define COPIES_OF_ROW 24

struct copy {
    struct utc at;
    struct text body; /* owned */
};

struct copy_row {
    uint64_t key;        /* of path and query; 0: free */
    struct utc asked_at; /* last */
    struct copy copies[COPIES_OF_ROW];
    size_t next;        /* a ring */
    struct copy frozen; /* `at` is the begin of the window that it was frozen for */
};

struct copies {            /* zero-initialise; copies_release() */
    struct copy_row *rows; /* COPIES_ROWS of them once there is a first; owned */
};

void copies_release(struct copies *copies);
/* Keeps a body under path and query as of now; the row, valid until the next call. Never NULL. */
struct copy_row *copies_keep(struct copies *copies, const char *path, const char *query,
                             struct utc now, const struct text *body);
/* The newest body of a row taken in [from, to]; NULL if there is none. */
const struct text *copies_find(const struct copy_row *row, struct utc from, struct utc to);
/* The newest body taken before `begin`, the same for one `begin` however often it is asked; NULL if
 * there was none when first asked. */
const struct text *copies_freeze(struct copy_row *row, struct utc begin);

#endif
