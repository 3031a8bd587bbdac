/* swarm.h - draws a scenario from a seed: market, limits, faults and people, all as one scenario file.
 *
 * What is drawn is text that scenario_parse() reads: a run of the sweep is a scenario file and nothing
 * else, and can be printed, changed and kept. Limits are drawn small, so that every mechanism is within
 * reach of one session; each fault class is in or out as a whole (swarm testing, Groce et al. 2012),
 * because faults hide one another. */
#ifndef SCENARIOS_SWEEP_SWARM_H
#define SCENARIOS_SWEEP_SWARM_H

#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* word, meaning */
#define CHAOS_MODES(X)                                                                             \
    X(CHAOS_CALM, "calm", "no fault: what must stay quiet stays quiet")                            \
    X(CHAOS_SWARM, "swarm", "a random subset of the fault classes")                                \
    X(CHAOS_STORM, "storm", "every fault class; safety is judged, liveness is not")                \
    X(CHAOS_HEAL, "heal", "faults stop at 13:00; liveness must return")                            \
    X(CHAOS_DIRECTED, "directed", "one mechanism, by the seed, is brought to act")

enum chaos_mode {
#define X(mode, word, meaning) mode,
    CHAOS_MODES(X)
#undef X
        CHAOS_MODE_COUNT
};

const char *chaos_mode_word(enum chaos_mode mode);
const char *chaos_mode_meaning(enum chaos_mode mode);
/* False for a word outside the table; then *out is unchanged. */
bool chaos_mode_find(const char *word, enum chaos_mode *out);

/* Appends the scenario file of (mode, seed) over so many sessions (1 to 22). */
void swarm_draw(enum chaos_mode mode, uint64_t seed, int days, struct text *out);

/* How many mechanisms `directed` knows how to reach, and which; static storage. */
size_t swarm_directed_count(void);
const char *swarm_directed(size_t index);

/* The fault classes: the first word of a point's name, and "operator" for what people do. */
size_t swarm_class_count(void);
const char *swarm_class(size_t index);
/* The class of a point ("http" of "http.reset"), as an index; -1 for none. */
int swarm_class_of(const char *point_name);

#endif
