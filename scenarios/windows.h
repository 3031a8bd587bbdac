/* windows.h - which seconds of a run `seatrial exhaust` explores: the file's window, or those around what
 * matters in it. */
#ifndef SCENARIOS_WINDOWS_H
#define SCENARIOS_WINDOWS_H

#include "core/base/err.h"
#include "scenarios/scenario.h"
#include "scenarios/watch.h"

#define WINDOWS_MAX 2

struct window {
    struct when from;
    struct span length; /* at most a minute */
};

struct windows {
    struct window window[WINDOWS_MAX]; /* they share no instant */
    size_t count;
};

struct matters { /* listens to a run for what matters in it: matters_init() */
    struct observer seam;
    struct watch watch;
    struct utc order;                           /* the first at the broker; UTC_NEVER: none */
    struct utc latched_at[SCENARIO_EXPECT_MAX]; /* first, of what is expected; {0}: never */
};

/* Borrows the scenario for as long as it listens. */
void matters_init(struct matters *matters, const struct scenario *scenario);
/* Behind the run: the minute that begins 5 s before the first fault or operator row (else order), and, if an
 * expectation was met outside of it, a second one from 15 s before that: the earliest latch of a mechanism that
 * the file expects something of, else the earliest of all. ERR_RANGE: nothing happened. */
enum err_code matters_windows(const struct matters *matters, struct windows *out,
                              struct err *err) MUST_USE;

/* The file's own window, or by a run of it without judges. Errors are the run's, and ERR_RANGE. */
enum err_code windows_find(const struct scenario *scenario, const char *data_dir, const char *build,
                           struct windows *out, struct err *err) MUST_USE;

#endif
