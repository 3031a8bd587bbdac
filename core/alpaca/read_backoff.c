/* read_backoff.c - see read_backoff.h. */
#include "core/alpaca/read_backoff.h"

#include "core/alpaca/rate_budget.h"

#include <string.h>

enum { DOUBLINGS_MAX = 16, JITTER_PARTS = 5 };

bool read_backoff_is_due(const struct read_backoff *backoff, struct mono now) {
    return backoff->failures == 0 || now.ns >= backoff->not_before.ns;
}

void read_backoff_start(struct read_backoff *backoff, struct mono now) {
    backoff->started_at = now;
}

static struct span wait_after(int failures, struct span first, struct span most) {
    struct span wait = first;
    for (int i = 1; i < failures && i < DOUBLINGS_MAX && wait.ns < most.ns; i++) {
        wait.ns *= 2;
    }
    return wait.ns < most.ns ? wait : most;
}

/* 0 to a fifth of the wait; none when there is no entropy to draw from. */
static struct span jitter(struct span wait, struct entropy *entropy) {
    uint32_t drawn = 0;
    if (entropy_fill(entropy, &drawn, sizeof drawn, NULL) != ERR_OK) {
        return (struct span){0};
    }
    return (struct span){(int64_t)((__int128)(wait.ns / JITTER_PARTS) * drawn / UINT32_MAX)};
}

/* How long the broker wishes to be left alone; an absurd wish is cut. */
static struct span wished(const struct alpaca_reply *reply) {
    int64_t most_s = RATE_PAUSE_MAX.ns / NANOS;
    if (reply->status == 0 || reply->retry_after_s <= 0) {
        return (struct span){0};
    }
    return SPAN_S(reply->retry_after_s < most_s ? reply->retry_after_s : most_s);
}

void read_backoff_note(struct read_backoff *backoff, enum err_code code,
                       const struct alpaca_reply *reply, struct span first, struct span most,
                       struct entropy *entropy) {
    if (code == ERR_OK) {
        backoff->failures = 0;
        backoff->is_told = false;
        return;
    }
    if (reply->is_held_back) {
        return;
    }
    backoff->failures += backoff->failures < DOUBLINGS_MAX;
    struct span wait = wait_after(backoff->failures, first, most);
    wait.ns -= jitter(wait, entropy).ns;
    backoff->not_before = mono_add(backoff->started_at, wait);
    backoff->asked_until = mono_add(reply->last_byte_at, wished(reply));
    if (backoff->asked_until.ns > backoff->not_before.ns) {
        backoff->not_before = backoff->asked_until;
    }
}

void read_backoff_heed(struct read_backoff *backoff, const struct alpaca_reply *reply) {
    struct mono until = mono_add(reply->last_byte_at, wished(reply));
    if (wished(reply).ns > 0 && until.ns > backoff->asked_until.ns) {
        backoff->asked_until = until;
        backoff->not_before.ns =
            until.ns > backoff->not_before.ns ? until.ns : backoff->not_before.ns;
    }
}

void read_backoff_hurry(struct read_backoff *backoff, struct mono now) {
    backoff->not_before = now.ns > backoff->asked_until.ns ? now : backoff->asked_until;
}
