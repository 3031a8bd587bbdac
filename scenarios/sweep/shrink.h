/* shrink.h - the smallest scenario that still fails in the same way.
 *
 * Delta debugging (Zeller, Hildebrandt 2002) over the file itself: days (from the end, and from the front where it names its
 * start), faults, what people do, settings,
 * account, symbols, windows. Each candidate is a whole run of its own process, judged like any other; it
 * counts if the invariant that the file's first run broke first is broken again. */
#ifndef SCENARIOS_SWEEP_SHRINK_H
#define SCENARIOS_SWEEP_SHRINK_H

#include "core/base/json.h"
#include "scenarios/sweep/seed.h"

struct shrink_options { /* borrowed */
    struct seed_options run;
    int budget;                                                /* candidates at most */
    void (*progress)(void *context, int candidates, int rows); /* may be NULL */
    void *context;
};

struct shrunk {
    char signature[64]; /* the first broken invariant's id, or "crash" */
    int candidates;     /* runs that it took */
    int rows;           /* faults, schedule entries and operator rows that are left */
};

/* Shrinks the text of a scenario file; the smallest goes to out, formatted. ERR_CONFIG: no scenario;
 * ERR_NOT_FOUND: it does not fail. */
enum err_code shrink(const struct shrink_options *options, const char *text, size_t n,
                     struct text *out, struct shrunk *shrunk, struct err *err) MUST_USE;

#endif
