/* circuit_breaker.h - what a failing endpoint of the broker still gets, and that no entry follows it.
 *
 * Of its last ten answers five were none or a 5xx: the endpoint is OPEN for a while, twice as long each
 * time it opens again, up to a bound. Then HALF_OPEN: the next call is a probe; a failure opens it, two
 * successes in a row close it. A 4xx is an answer. While any endpoint is OPEN no entry is sent. What
 * reduces risk or asks (exits, cancels, reads) goes on: at once behind a success, else one try in
 * BREAKER_TRY. All by the monotonic clock; a new process starts CLOSED. Nothing waits here.
 *
 * The pattern: M. Nygard, Release It!, ch. 5 (2018); it guards the broker from us and us from an answer
 * that comes by halves. */
#ifndef CORE_ALPACA_CIRCUIT_BREAKER_H
#define CORE_ALPACA_CIRCUIT_BREAKER_H

#include "core/base/utc.h"

#define BREAKER_WINDOW 10
#define BREAKER_TRY SPAN_S(5)

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct circuit_breaker { /* zero-initialise: CLOSED */
    enum breaker_state state;
    unsigned outcomes;    /* one bit each of the last BREAKER_WINDOW: 1 is a failure */
    int successes;        /* in a row, of HALF_OPEN */
    bool has_failed;      /* the last call did */
    struct mono tried_at; /* when the last began */
    struct mono open_until;
    struct span pause; /* of the last opening */
};

struct breaker_rules {
    int64_t failures; /* of the window that open it */
    struct span pause, pause_most;
};

/* True while entries must not be sent. Moves to HALF_OPEN when the pause is over. */
bool breaker_is_open(struct circuit_breaker *breaker, struct mono now);
/* False if a call must not be made. is_vital: it reduces risk, or asks. */
bool breaker_may_try(struct circuit_breaker *breaker, bool is_vital, struct mono now);
/* A call is about to be made, nothing else holds it back. */
void breaker_try(struct circuit_breaker *breaker, struct mono now);
/* The outcome of a call made: a failure is no answer, or a 5xx. */
void breaker_note(struct circuit_breaker *breaker, const struct breaker_rules *rules,
                  bool is_failure, struct mono now);

#endif
