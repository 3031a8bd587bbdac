/* words.h - counting by word: what a report, a certificate and a sweep add up. */
#ifndef SCENARIOS_WORDS_H
#define SCENARIOS_WORDS_H

#include "core/base/text.h"

#define WORD_TEXT_MAX 96

/* "kind name" or "kind name more", cut at WORD_TEXT_MAX - 1. */
void word_join(char out[static WORD_TEXT_MAX], const char *kind, const char *name,
               const char *more);

struct words { /* counts by word, in order of first appearance; zero-initialise, words_release() */
    struct word_count {
        char word[WORD_TEXT_MAX];
        int64_t count;
    } * rows;
    size_t count, cap;
    uint32_t *slots; /* row + 1 by hash; a power of two */
    size_t slot_count;
};
void words_release(struct words *words);
/* A word longer than WORD_TEXT_MAX - 1 is cut. */
void words_add(struct words *words, const char *word, int64_t by);
int64_t words_get(const struct words *words, const char *word);
/* {"word":count,...} in order of first appearance. */
void words_print(const struct words *words, struct text *out);

#endif
