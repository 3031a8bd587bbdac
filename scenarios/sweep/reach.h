/* reach.h - what a run came by, in words: the ground that a sweep has covered.
 *
 * A reach word is "kind name ...": "point http.reset", "class disk", "mechanism daily_loss acted",
 * "refusal MODE", "move new>filled", "crashed daily_loss", "entry filled". The catalogue of words that
 * must be met is known without running (reach_due()). */
#ifndef SCENARIOS_SWEEP_REACH_H
#define SCENARIOS_SWEEP_REACH_H

#include "core/world/observe.h"
#include "scenarios/words.h"

struct reach; /* a fold over the observation stream */

/* Never NULL; owned by the caller. */
struct reach *reach_create(void);
void reach_destroy(struct reach *reach);
struct observer *reach_observer(struct reach *reach);
/* What was met so far; valid as long as the reach. */
const struct words *reach_words(const struct reach *reach);

/* Calls visit for every word that a sweep of this program must meet, with the least number of seeds out
 * of ten thousand in which it must. */
void reach_due(void (*visit)(void *context, const char *word, int64_t seeds), void *context);

/* Likewise for a directed sweep: the mechanism of each recipe acts in half of its seeds. */
void reach_recipes(void (*visit)(void *context, const char *word, int64_t seeds), void *context);

/* Calls visit, with seeds 0, for every word that calm waters must not bring about. */
void reach_quiet(void (*visit)(void *context, const char *word, int64_t seeds), void *context);

#endif
