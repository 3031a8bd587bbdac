/* crash_source.c - see crash_source.h. */
#include "chaos/machine/crash_source.h"

#include "core/base/check.h"

/* --- drawn --- */

enum mood { MOOD_KEPT, MOOD_DROPPED, MOOD_TORN, MOOD_MIX_A, MOOD_MIX_B, MOOD_COUNT };

static unsigned all_kept(enum crash_question question, unsigned options) {
    const bool counts = question == CRASH_ASK_BYTES_KEPT || question == CRASH_ASK_NAMES_KEPT;
    return counts ? options - 1 : 0;
}

static unsigned all_dropped(enum crash_question question) {
    switch (question) {
    case CRASH_ASK_WRITE:
        return CRASH_DROPPED;
    case CRASH_ASK_TRUNCATE:
    case CRASH_ASK_NAME:
        return 1;
    case CRASH_ASK_BYTES_KEPT:
    case CRASH_ASK_CUT_WRITE:
    case CRASH_ASK_TORN_AT:
    case CRASH_ASK_NAMES_KEPT:
        break;
    }
    return 0;
}

/* Names are kept, so that what is torn can be seen; of an ordered file the newest change is torn.
 */
static unsigned all_torn(enum crash_question question, unsigned options, bool has_zeros) {
    switch (question) {
    case CRASH_ASK_WRITE:
        return has_zeros ? options - 1 : CRASH_TORN;
    case CRASH_ASK_BYTES_KEPT:
        return options - 2;
    case CRASH_ASK_CUT_WRITE:
        return has_zeros ? options - 1 : 1;
    case CRASH_ASK_TORN_AT:
        return options / 2;
    case CRASH_ASK_NAMES_KEPT:
        return options - 1;
    case CRASH_ASK_TRUNCATE:
    case CRASH_ASK_NAME:
        break;
    }
    return 0;
}

static unsigned choose_seeded(struct crash_source *source, enum crash_question question,
                              unsigned options, bool matters) {
    (void)matters;
    struct crash_seeded *seeded = (struct crash_seeded *)source;
    const unsigned drawn = (unsigned)random_below(&seeded->random, options);
    switch ((enum mood)seeded->mood) {
    case MOOD_KEPT:
        return all_kept(question, options);
    case MOOD_DROPPED:
        return all_dropped(question);
    case MOOD_TORN:
        return question == CRASH_ASK_TORN_AT ? drawn : all_torn(question, options, drawn == 0);
    case MOOD_MIX_A:
    case MOOD_MIX_B:
    case MOOD_COUNT:
        break;
    }
    return drawn;
}

struct crash_seeded crash_seeded(uint64_t seed, uint64_t crash_number) {
    struct crash_seeded seeded = {.source = {choose_seeded},
                                  .random = random_stream(seed, "disk.crash", crash_number, 0, 0)};
    seeded.mood = (unsigned)random_below(&seeded.random, MOOD_COUNT);
    return seeded;
}

/* --- one fate --- */

static unsigned choose_uniform(struct crash_source *source, enum crash_question question,
                               unsigned options, bool matters) {
    (void)matters;
    const struct crash_uniform *uniform = (const struct crash_uniform *)source;
    switch (uniform->fate) {
    case CRASH_KEPT:
        return all_kept(question, options);
    case CRASH_DROPPED:
        return all_dropped(question);
    case CRASH_TORN:
    case CRASH_ZEROS:
        break;
    }
    return all_torn(question, options, uniform->fate == CRASH_ZEROS);
}

struct crash_uniform crash_uniform(enum crash_fate fate) {
    return (struct crash_uniform){.source = {choose_uniform}, .fate = fate};
}

/* --- answers given --- */

static unsigned choose_given(struct crash_source *source, enum crash_question question,
                             unsigned options, bool matters) {
    (void)question;
    (void)matters;
    struct crash_vector *vector = (struct crash_vector *)source;
    const unsigned answer = vector->next < vector->count ? vector->answers[vector->next] : 0;
    vector->next++;
    return answer < options ? answer : options - 1;
}

struct crash_vector crash_vector(const unsigned *answers, size_t count) {
    return (struct crash_vector){.source = {choose_given}, .answers = answers, .count = count};
}

/* --- every answer --- */

static unsigned choose_next(struct crash_source *source, enum crash_question question,
                            unsigned options, bool matters) {
    (void)question;
    (void)matters;
    struct crash_enumerator *walk = (struct crash_enumerator *)source;
    CHECK(walk->count < CRASH_CHOICES_MAX);
    if (walk->count >= walk->known) {
        walk->choice[walk->count] = 0;
    }
    walk->options[walk->count] = options;
    return walk->choice[walk->count++];
}

struct crash_enumerator crash_enumerator(void) {
    return (struct crash_enumerator){.source = {choose_next}};
}

/* An odometer whose last wheel turns fastest; wheels behind the one that turns start anew. */
bool crash_enumerator_next(struct crash_enumerator *walk) {
    size_t wheel = walk->count;
    walk->count = 0;
    while (wheel > 0) {
        wheel--;
        if (walk->choice[wheel] + 1 < walk->options[wheel]) {
            walk->choice[wheel]++;
            walk->known = wheel + 1;
            return true;
        }
    }
    walk->known = 0;
    return false;
}

/* --- the fates of an exhaustive search --- */

/* Of what is not walked the first two are the extremes: everything came, nothing did. */
static unsigned choose_fate(struct crash_source *source, enum crash_question question,
                            unsigned options, bool matters) {
    struct crash_fates *fates = (struct crash_fates *)source;
    fates->has_rest |= !matters;
    fates->is_all = fates->is_all && fates->all.count < CRASH_CHOICES_MAX;
    if (fates->is_all && matters) {
        return question == CRASH_ASK_TORN_AT
                   ? (unsigned)random_below(&fates->tears, options)
                   : choose_next(&fates->all.source, question, options, true);
    }
    if (fates->index < 2) {
        return fates->index == 0 ? all_kept(question, options) : all_dropped(question);
    }
    return choose_seeded(&fates->drawn.source, question, options, matters);
}

/* Of the moods none that is an extreme again. */
static struct crash_seeded drawn_fate(const struct crash_fates *fates) {
    struct crash_seeded drawn = crash_seeded(random_mix(fates->seed, fates->index), fates->number);
    drawn.mood = MOOD_TORN + fates->index % (MOOD_COUNT - MOOD_TORN);
    return drawn;
}

void crash_fates_again(struct crash_fates *fates) {
    fates->tears = random_stream(fates->seed, "disk.tear", fates->number, fates->index, 0);
    fates->drawn = drawn_fate(fates);
    if (fates->all.count > 0) {
        fates->all.known = fates->all.count;
        fates->all.count = 0;
    }
}

struct crash_fates crash_fates(uint64_t seed, uint64_t crash_number, bool is_all) {
    struct crash_fates fates = {.source = {choose_fate},
                                .seed = seed,
                                .number = crash_number,
                                .is_all = is_all,
                                .all = crash_enumerator()};
    crash_fates_again(&fates);
    return fates;
}

bool crash_fates_next(struct crash_fates *fates) {
    fates->index++;
    fates->is_walked |= !crash_enumerator_next(&fates->all); /* and begins anew */
    const unsigned least = !fates->is_all    ? CRASH_FATES_DRAWN
                           : fates->has_rest ? CRASH_FATES_REST
                                             : 1;
    fates->drawn = drawn_fate(fates);
    fates->tears = random_stream(fates->seed, "disk.tear", fates->number, fates->index, 0);
    return !fates->is_walked || fates->index < least;
}
