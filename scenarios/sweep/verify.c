/* verify.c - one hash an event, kept in the first run, compared in the second. */
#include "scenarios/sweep/verify.h"

#include "core/base/check.h"
#include "core/base/hash.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct verifier {
    struct observer seam;
    struct observer *inner;
    uint64_t *hashes; /* of the first run */
    size_t count, cap;
    size_t at; /* events of the second run so far */
    bool is_second, has_parted;
    struct text parted; /* the first differing event of the second run */
};

static uint64_t hash_string(const char *string, uint64_t hash) {
    return hash64(string, strlen(string) + 1, hash);
}

static uint64_t hash_of(const struct event *event) {
    const int64_t numbers[] = {(int64_t)event->kind,    event->at.ns,       event->number,
                               event->qty.nanos,        event->price.nanos, event->amount.nanos,
                               (int64_t)event->body_len};
    uint64_t hash = hash64(numbers, sizeof numbers, 0);
    hash = hash_string(event->id, hash_string(event->symbol, hash));
    hash = hash_string(event->what, hash_string(event->subject, hash));
    return hash64(event->body, event->body_len, hash);
}

static void keep(struct verifier *verifier, uint64_t hash) {
    if (verifier->count == verifier->cap) {
        verifier->cap = verifier->cap == 0 ? 4096 : verifier->cap * 2;
        verifier->hashes = realloc(verifier->hashes, verifier->cap * sizeof verifier->hashes[0]);
        CHECK(verifier->hashes != NULL);
    }
    verifier->hashes[verifier->count++] = hash;
}

static void compare(struct verifier *verifier, const struct event *event, uint64_t hash) {
    size_t at = verifier->at++;
    if (verifier->has_parted || (at < verifier->count && verifier->hashes[at] == hash)) {
        return;
    }
    verifier->has_parted = true;
    text_add_format(&verifier->parted, "event %zu: ", at);
    text_add_utc(&verifier->parted, event->at);
    text_add_format(&verifier->parted, " %s %s %s %s %s", event_word(event->kind), event->subject,
                    event->what, event->symbol, event->id);
}

static void verifier_observe(struct observer *observer, const struct event *event) {
    struct verifier *verifier =
        (struct verifier *)((char *)observer - offsetof(struct verifier, seam));
    uint64_t hash = hash_of(event);
    if (verifier->is_second) {
        compare(verifier, event, hash);
    } else {
        keep(verifier, hash);
        observe(verifier->inner, event);
    }
}

static const struct observer_ops verifier_ops = {verifier_observe};

struct verifier *verifier_create(struct observer *inner) {
    struct verifier *verifier = calloc(1, sizeof *verifier);
    CHECK(verifier != NULL);
    verifier->seam.ops = &verifier_ops;
    verifier->inner = inner;
    return verifier;
}

void verifier_destroy(struct verifier *verifier) {
    text_release(&verifier->parted);
    free(verifier->hashes);
    free(verifier);
}

struct observer *verifier_observer(struct verifier *verifier) {
    return &verifier->seam;
}

void verifier_again(struct verifier *verifier) {
    verifier->is_second = true;
    verifier->at = 0;
}

bool verifier_agrees(const struct verifier *verifier, struct text *out) {
    if (verifier->has_parted) {
        text_add(out, text_get(&verifier->parted));
    } else if (verifier->at != verifier->count) {
        text_add_format(out, "event %zu: the second run ended there, the first had %zu",
                        verifier->at, verifier->count);
    } else {
        return true;
    }
    return false;
}
