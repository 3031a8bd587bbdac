/* bars.c - one ring of minute bars for each symbol. */
#include "core/signals/bars.h"

#include "core/base/check.h"

#include <stdlib.h>

struct ring {
    struct broker_bar bars[BARS_KEPT];
    size_t first; /* slot of the oldest */
    size_t count;
    size_t in_session; /* of count: newest bars without a gap of BARS_SESSION_GAP */
};

struct bars {
    size_t symbol_count;
    struct ring rings[];
};

struct bars *bars_create(size_t count) {
    struct bars *bars = calloc(1, sizeof *bars + count * sizeof bars->rings[0]);
    CHECK(bars != NULL);
    bars->symbol_count = count;
    return bars;
}

void bars_destroy(struct bars *bars) {
    free(bars);
}

static struct broker_bar *ring_slot(struct ring *ring, size_t position) {
    return &ring->bars[(ring->first + position) % BARS_KEPT];
}

static bool ring_gap(struct ring *ring, size_t position) {
    struct span gap = utc_sub(ring_slot(ring, position)->at, ring_slot(ring, position - 1)->at);
    return gap.ns >= BARS_SESSION_GAP.ns;
}

static void count_session(struct ring *ring) {
    size_t n = 1;
    while (n < ring->count && !ring_gap(ring, ring->count - n)) {
        n++;
    }
    ring->in_session = n;
}

void bars_add(struct bars *bars, size_t index, const struct broker_bar *bar) {
    CHECK(index < bars->symbol_count);
    struct ring *ring = &bars->rings[index];
    size_t position = ring->count; /* behind every bar that is not newer */
    while (position > 0 && ring_slot(ring, position - 1)->at.ns > bar->at.ns) {
        position--;
    }
    if (position > 0 && ring_slot(ring, position - 1)->at.ns == bar->at.ns) {
        *ring_slot(ring, position - 1) = *bar;
        return;
    }
    if (ring->count == BARS_KEPT) {
        if (position == 0) {
            return; /* older than everything kept */
        }
        ring->first = (ring->first + 1) % BARS_KEPT;
        ring->count--;
        position--;
    }
    for (size_t i = ring->count; i > position; i--) {
        *ring_slot(ring, i) = *ring_slot(ring, i - 1);
    }
    *ring_slot(ring, position) = *bar;
    ring->count++;
    if (position + 1 < ring->count || position == 0) {
        count_session(ring);
    } else if (ring_gap(ring, position)) {
        ring->in_session = 1;
    } else if (ring->in_session < ring->count) { /* the oldest may have left */
        ring->in_session++;
    }
}

void bars_clear(struct bars *bars, size_t index) {
    CHECK(index < bars->symbol_count);
    bars->rings[index].first = bars->rings[index].count = bars->rings[index].in_session = 0;
}

size_t bars_count(const struct bars *bars, size_t index) {
    CHECK(index < bars->symbol_count);
    return bars->rings[index].count;
}

const struct broker_bar *bars_at(const struct bars *bars, size_t index, size_t position) {
    CHECK(position < bars_count(bars, index));
    const struct ring *ring = &bars->rings[index];
    return &ring->bars[(ring->first + position) % BARS_KEPT];
}

size_t bars_in_session(const struct bars *bars, size_t index) {
    CHECK(index < bars->symbol_count);
    return bars->rings[index].in_session;
}

bool bar_is_fresh(struct utc at, struct utc now) {
    struct span age = utc_sub(now, at);
    return age.ns >= 0 && age.ns <= BAR_FRESH.ns;
}

bool bars_are_fresh(const struct bars *bars, size_t index, struct utc now) {
    size_t count = bars_count(bars, index);
    return count > 0 && bar_is_fresh(bars_at(bars, index, count - 1)->at, now);
}
