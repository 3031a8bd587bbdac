/* reasons.h - what must have happened before an act of a mechanism that an oracle of signs cannot demand: an act
 * without it is unfounded. For this room only.
 *
 * Each is a fold of its own over answers, rows and the ledger. It says no only where nothing that it saw can
 * be the reason: what it was not told of, and what a fault around may have spoiled, counts as one. */
#ifndef REPLAY_ORACLE_REASONS_H
#define REPLAY_ORACLE_REASONS_H

#include "replay/oracle/scene.h"

/* calls.c: of what waits or is held back. */
struct calls;

/* Never NULL; owned by the caller. */
struct calls *calls_create(void);
void calls_destroy(struct calls *calls);
/* Each event of the run, in order, before it is asked about. */
void calls_take(struct calls *calls, const struct event *event, const struct scene *scene);
/* By the end of the tick before a lane may have been spent, or closed by a 429. */
bool calls_may_be_spent(const struct calls *calls);
/* The read, or the order, that the act names failed, as far as a back-off remembers. */
bool calls_may_have_failed(const struct calls *calls, const struct event *act);

/* differences.c: of what takes the broker's count for the core's own. */
struct differences;

/* As of calls. */
struct differences *differences_create(void);
void differences_destroy(struct differences *differences);
void differences_take(struct differences *differences, const struct event *event,
                      const struct scene *scene);
/* The last listing showed another quantity than the core's rows, and so did one long enough before: of this
 * symbol, or of any where it is "". */
bool differences_may_stand(const struct differences *differences, const char *symbol, struct utc at,
                           const struct scene *scene);

/* readings.c: of what doubts the account. */
struct readings;

/* As of calls. */
struct readings *readings_create(void);
void readings_destroy(struct readings *readings);
void readings_take(struct readings *readings, const struct event *event, const struct scene *scene);
/* Unless what was answered lately explains the equity for sure. */
bool readings_may_be_unexplained(const struct readings *readings, struct utc at,
                                 const struct scene *scene);

#endif
