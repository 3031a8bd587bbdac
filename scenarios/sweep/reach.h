/* reach.h - what a run came by, in words: the ground that a sweep has covered.
 *
 * A reach word is "kind name ...": "point http.reset", "class disk", "mechanism daily_loss acted",
 * "refusal MODE", "move new>filled", "crashed daily_loss", "entry filled". The catalogue of words that
 * must be met is known without running (reach_due()). */
#ifndef SCENARIOS_SWEEP_REACH_H
#define SCENARIOS_SWEEP_REACH_H

#include "core/base/text.h"
#include "core/world/observe.h"

#define REACH_WORD_MAX 96

/* "kind name" or "kind name more", cut at REACH_WORD_MAX - 1. */
void word_join(char out[static REACH_WORD_MAX], const char *kind, const char *name,
               const char *more);

struct words { /* counts by word, in order of first appearance; zero-initialise, words_release() */
    struct word_count {
        char word[REACH_WORD_MAX];
        int64_t count;
    } * rows;
    size_t count, cap;
    uint32_t *slots; /* row + 1 by hash; a power of two */
    size_t slot_count;
};
void words_release(struct words *words);
/* A word longer than REACH_WORD_MAX - 1 is cut. */
void words_add(struct words *words, const char *word, int64_t by);
int64_t words_get(const struct words *words, const char *word);
/* {"word":count,...} in order of first appearance. */
void words_print(const struct words *words, struct text *out);

struct reach; /* a fold over the observation stream */

/* Never NULL; owned by the caller. */
struct reach *reach_create(void);
void reach_destroy(struct reach *reach);
struct observer *reach_observer(struct reach *reach);
/* What was met so far; valid as long as the reach. */
const struct words *reach_words(const struct reach *reach);

/* Calls visit for every word that a sweep of this program must meet, with the least number of seeds out
 * of ten thousand in which it must. */
void reach_due(void (*visit)(void *context, const char *word, int64_t seeds), void *context);

#endif
