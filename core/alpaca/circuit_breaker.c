/* circuit_breaker.c - three states and a window of outcomes (circuit_breaker.h). */
#include "core/alpaca/circuit_breaker.h"

#include "core/base/bits.h"
#include "core/base/mutant.h"

#define SUCCESSES 2 /* that close it */
static const unsigned WINDOW_MASK = (1u << BREAKER_WINDOW) - 1;

bool breaker_is_open(struct circuit_breaker *breaker, struct mono now) {
    MUTATE(breaker_stays_open, return breaker->state == BREAKER_OPEN);
    if (breaker->state == BREAKER_OPEN && now.ns >= breaker->open_until.ns) {
        breaker->state = BREAKER_HALF_OPEN;
        breaker->successes = 0;
    }
    return breaker->state == BREAKER_OPEN;
}

bool breaker_may_try(struct circuit_breaker *breaker, bool is_vital, struct mono now) {
    bool is_open = breaker_is_open(breaker, now);
    MUTATE(breaker_bars_exits, is_vital = false);
    bool is_time = !breaker->has_failed || mono_sub(now, breaker->tried_at).ns >= BREAKER_TRY.ns;
    MUTATE(breaker_tries_at_will, is_time = true);
    return !is_open || (is_vital && is_time);
}

void breaker_try(struct circuit_breaker *breaker, struct mono now) {
    breaker->tried_at = now;
}

static void open_for(struct circuit_breaker *breaker, const struct breaker_rules *rules,
                     struct span pause, struct mono now) {
    breaker->state = BREAKER_OPEN;
    breaker->pause = pause.ns > rules->pause_most.ns ? rules->pause_most : pause;
    breaker->open_until = mono_add(now, breaker->pause);
    breaker->outcomes = 0;
}

static void note_probe(struct circuit_breaker *breaker, const struct breaker_rules *rules,
                       bool is_failure, struct mono now) {
    if (is_failure) {
        MUTATE(failed_probe_closes, breaker->state = BREAKER_CLOSED; return);
        open_for(breaker, rules, (struct span){2 * breaker->pause.ns}, now);
    } else if (++breaker->successes >= SUCCESSES) {
        breaker->state = BREAKER_CLOSED;
        breaker->outcomes = 0;
        breaker->pause = (struct span){0};
    }
}

void breaker_note(struct circuit_breaker *breaker, const struct breaker_rules *rules,
                  bool is_failure, struct mono now) {
    breaker->has_failed = is_failure;
    switch (breaker->state) {
    case BREAKER_OPEN:
        return; /* what is vital went through; the pause stands */
    case BREAKER_HALF_OPEN:
        note_probe(breaker, rules, is_failure, now);
        return;
    case BREAKER_CLOSED:
        break;
    }
    breaker->outcomes = (breaker->outcomes << 1 | (is_failure ? 1u : 0u)) & WINDOW_MASK;
    int64_t failures = bits_count(breaker->outcomes);
    MUTATE(breaker_never_opens, failures = 0);
    MUTATE(breaker_off_by_one, failures--);
    if (rules->failures > 0 && failures >= rules->failures) {
        open_for(breaker, rules, rules->pause, now);
    }
}
