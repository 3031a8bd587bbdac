/* crash_source.h - who answers the questions of a power cut: what became of each un-synced change.
 *
 * sim_disk_crash() asks in a fixed order; a source answers with a number below `options`. Three
 * sources: seeded (draws), one fate for all, and an enumerator that walks every possible answer. */
#ifndef CHAOS_MACHINE_CRASH_SOURCE_H
#define CHAOS_MACHINE_CRASH_SOURCE_H

#include "core/base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crash_fate {
    CRASH_KEPT,    /* all of it reached the platter */
    CRASH_DROPPED, /* none of it */
    CRASH_TORN,    /* its first sectors did, cut at a multiple of 512 of the file */
    CRASH_ZEROS,   /* as torn, but the rest reads as zeros: the size came, the bytes did not */
};

enum crash_question {
    CRASH_ASK_WRITE,      /* fate of one write: enum crash_fate, options 3 or 4 (with zeros) */
    CRASH_ASK_TRUNCATE,   /* 0 kept, 1 dropped */
    CRASH_ASK_BYTES_KEPT, /* how many changes of one file, from the oldest, are kept whole */
    CRASH_ASK_CUT_WRITE,  /* fate of the first one not kept whole: 0 dropped, 1 torn, 2 zeros */
    CRASH_ASK_TORN_AT,    /* which cut, 0 the first sector boundary inside the write */
    CRASH_ASK_NAME,       /* one change of a name: 0 kept, 1 dropped */
    CRASH_ASK_NAMES_KEPT, /* how many changes of names, from the oldest, are kept */
};

struct crash_source {
    unsigned (*choose)(struct crash_source *source, enum crash_question question, unsigned options);
};

/* Draws. Each crash has a mood (all kept, all dropped, torn where possible, or a mix), so that the
 * extremes are met often and not only their average. */
struct crash_seeded {
    struct crash_source source;
    struct random random;
    unsigned mood;
};
struct crash_seeded crash_seeded(uint64_t seed, uint64_t crash_number);

/* The same fate for every write; names are kept, but for CRASH_DROPPED. */
struct crash_uniform {
    struct crash_source source;
    enum crash_fate fate;
};
struct crash_uniform crash_uniform(enum crash_fate fate);

#define CRASH_CHOICES_MAX 64

/* Walks all answers: { e = crash_enumerator(); do { build the disk; crash(&e.source) } while
 * (crash_enumerator_next(&e)); }. At most CRASH_CHOICES_MAX questions a crash (CHECKed). */
struct crash_enumerator {
    struct crash_source source;
    unsigned choice[CRASH_CHOICES_MAX];
    unsigned options[CRASH_CHOICES_MAX];
    size_t count; /* questions asked in this walk */
    size_t known; /* choices fixed by the walk before */
};
struct crash_enumerator crash_enumerator(void);
/* Prepares the next combination; false when all were tried. */
bool crash_enumerator_next(struct crash_enumerator *enumerator);

#endif
