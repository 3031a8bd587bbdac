/* send_backoff.c - see send_backoff.h. */
#include "core/orders/send_backoff.h"

#include "core/base/mutant.h"

#include <string.h>

static const struct span RUN_LASTS = {INT64_C(300000000000)};
enum { FREE_TRIES = 1 }; /* rejects that cost no wait */

static const struct send_failures *find(const struct send_backoff *backoff, const char *symbol,
                                        bool is_stop) {
    for (size_t i = 0; i < backoff->count; i++) {
        const struct send_failures *item = &backoff->items[i];
        if (item->is_stop == is_stop && strcmp(item->symbol, symbol) == 0) {
            return item;
        }
    }
    return NULL;
}

/* A place for a new row: a free one, or the one that was quiet for longest. */
static struct send_failures *take_place(struct send_backoff *backoff) {
    if (backoff->count < SEND_BACKOFF_MAX) {
        return &backoff->items[backoff->count++];
    }
    struct send_failures *oldest = &backoff->items[0];
    for (size_t i = 1; i < backoff->count; i++) {
        oldest = backoff->items[i].last_at.ns < oldest->last_at.ns ? &backoff->items[i] : oldest;
    }
    return oldest;
}

int send_backoff_fail(struct send_backoff *backoff, const char *symbol, bool is_stop,
                      struct mono now) {
    struct send_failures *item = (struct send_failures *)find(backoff, symbol, is_stop);
    if (item == NULL) {
        item = take_place(backoff);
        *item = (struct send_failures){.is_stop = is_stop};
        (void)!text_copy(item->symbol, sizeof item->symbol, symbol, NULL);
    } else if (mono_sub(now, item->last_at).ns - item->held.ns >= RUN_LASTS.ns) {
        MUTATE(backoff_without_most, item->last_at = now; return ++item->failures);
        item->failures = 0;
    }
    item->last_at = now;
    item->held = (struct span){0};
    return ++item->failures;
}

void send_backoff_hold(struct send_backoff *backoff, const char *symbol, bool is_stop,
                       struct span held) {
    struct send_failures *item = (struct send_failures *)find(backoff, symbol, is_stop);
    if (item != NULL) {
        item->held.ns += held.ns;
    }
}

void send_backoff_end(struct send_backoff *backoff, const char *symbol, bool is_stop) {
    struct send_failures *item = (struct send_failures *)find(backoff, symbol, is_stop);
    if (item != NULL) {
        *item = backoff->items[--backoff->count];
    }
}

bool send_backoff_is_due(const struct send_backoff *backoff, const char *symbol, bool is_stop,
                         struct mono now, struct span first, struct span most) {
    const struct send_failures *item = find(backoff, symbol, is_stop);
    if (item == NULL || item->failures <= FREE_TRIES) {
        return true;
    }
    MUTATE(backoff_always_due, return true);
    MUTATE(backoff_without_most, most.ns = INT64_MAX / 4);
    struct span wait = first;
    for (int i = FREE_TRIES + 1; i < item->failures && wait.ns < most.ns; i++) {
        wait.ns *= 2;
    }
    wait = wait.ns < most.ns ? wait : most;
    return mono_sub(now, item->last_at).ns >= wait.ns;
}
