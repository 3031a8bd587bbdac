/* crash_source.h - who answers the questions of a power cut: what became of each un-synced change.
 *
 * sim_disk_crash() asks in a fixed order; a source answers with a number below `options`. A question
 * matters if the answer may be seen (sim_disk.h: changes that matter). Sources:
 * seeded (draws), one fate for all, answers given one by one, an enumerator that walks every
 * possible answer, and the fates of an exhaustive search, which are all or a few. */
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
    CRASH_ASK_NAMES_KEPT, /* how many changes of names, from the oldest, are kept: first how many that
                             matter, then how many of the others up to the next of those */
};

struct crash_source {
    unsigned (*choose)(struct crash_source *source, enum crash_question question, unsigned options,
                       bool matters);
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

/* The answers of a caller, in the order of the questions; beyond them 0: kept, or nothing kept. An
 * answer beyond the options is the last one. */
struct crash_vector {
    struct crash_source source;
    const unsigned *answers; /* borrowed */
    size_t count;
    size_t next;
};
struct crash_vector crash_vector(const unsigned *answers, size_t count);

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

/* The fates that an exhaustive search takes at one instant: of what matters every combination, but
 * one drawn place where each torn write is cut, if there are at most CRASH_FATES_ALL_MAX (as many as
 * of three writes); else CRASH_FATES_DRAWN, the two extremes and drawn ones. What does not matter is
 * kept in the first, dropped in the second and drawn in each other; if any pends, there are at least
 * CRASH_FATES_REST. { f = sim_disk_fates(disk, ...); do { sim_disk_ask(disk, &f.source); in a copy:
 * crash_fates_again(&f), sim_disk_crash(disk, &f.source) } while (crash_fates_next(&f)); } */
#define CRASH_FATES_ALL_MAX 64
#define CRASH_FATES_DRAWN 8
#define CRASH_FATES_REST 3

struct crash_fates {
    struct crash_source source;
    uint64_t seed, number;
    bool is_all;    /* also the answer: false if there are too many questions */
    bool is_walked; /* every combination of what matters was taken */
    bool has_rest;  /* there is something that does not matter */
    struct crash_enumerator all;
    struct crash_seeded drawn;
    struct random tears;
    unsigned index; /* of this fate, from 0 */
};
struct crash_fates crash_fates(uint64_t seed, uint64_t crash_number, bool is_all);
/* The same answers once more, from the first question. */
void crash_fates_again(struct crash_fates *fates);
/* Prepares the next; false when there is none. Asked only behind a crash or sim_disk_ask(). */
bool crash_fates_next(struct crash_fates *fates);

#endif
