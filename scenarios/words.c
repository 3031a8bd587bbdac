/* words.c - counting by word. */
#include "scenarios/words.h"

#include "core/base/check.h"
#include "core/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put(char *out, size_t at, const char *word) {
    size_t n = strlen(word);
    n = n < WORD_TEXT_MAX - 1 - at ? n : WORD_TEXT_MAX - 1 - at;
    memcpy(out + at, word, n);
    return at + n;
}

void word_join(char out[static WORD_TEXT_MAX], const char *kind, const char *name,
               const char *more) {
    size_t at = put(out, 0, kind);
    at = put(out, put(out, at, " "), name);
    if (more[0] != '\0') {
        at = put(out, put(out, at, " "), more);
    }
    out[at] = '\0';
}

void words_release(struct words *words) {
    free(words->rows);
    free(words->slots);
    *words = (struct words){0};
}

/* The slot of a word, or the empty one where it would go. */
static size_t slot_of(const struct words *words, const char *word) {
    size_t mask = words->slot_count - 1;
    size_t slot = (size_t)hash64(word, strlen(word), 0) & mask;
    while (words->slots[slot] != 0 && strcmp(words->rows[words->slots[slot] - 1].word, word) != 0) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void grow(struct words *words) {
    words->cap = words->cap == 0 ? 64 : words->cap * 2;
    words->rows = realloc(words->rows, words->cap * sizeof words->rows[0]);
    free(words->slots);
    words->slot_count = words->cap * 2;
    words->slots = calloc(words->slot_count, sizeof words->slots[0]);
    CHECK(words->rows != NULL && words->slots != NULL);
    for (size_t i = 0; i < words->count; i++) {
        words->slots[slot_of(words, words->rows[i].word)] = (uint32_t)i + 1;
    }
}

void words_add(struct words *words, const char *word, int64_t by) {
    char key[WORD_TEXT_MAX];
    snprintf(key, sizeof key, "%s", word);
    if (words->count == words->cap) {
        grow(words);
    }
    size_t slot = slot_of(words, key);
    if (words->slots[slot] == 0) {
        struct word_count *row = &words->rows[words->count++];
        *row = (struct word_count){0};
        memcpy(row->word, key, sizeof key);
        words->slots[slot] = (uint32_t)words->count;
    }
    words->rows[words->slots[slot] - 1].count += by;
}

int64_t words_get(const struct words *words, const char *word) {
    if (words->count == 0) {
        return 0;
    }
    uint32_t row = words->slots[slot_of(words, word)];
    return row == 0 ? 0 : words->rows[row - 1].count;
}

void words_print(const struct words *words, struct text *out) {
    text_add_char(out, '{');
    for (size_t i = 0; i < words->count; i++) {
        text_member_int(out, words->rows[i].word, words->rows[i].count);
    }
    text_add_char(out, '}');
}
