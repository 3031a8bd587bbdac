/* replay_file.h - the schedule of a run in a scenario file: from there into a plan, and from a plan back.
 *
 * A line says which fault of `faults` fired at which question: {"tick", "point", "fault", "entity",
 * "ordinal"}, and for people "at". A run whose file holds the schedule of another (and all else of
 * it) is that run again, to the byte. */
#ifndef SCENARIOS_REPLAY_FILE_H
#define SCENARIOS_REPLAY_FILE_H

#include "scenarios/scenario.h"

/* Makes the plan, which holds the scenario's faults and is not armed, a replay of its schedule. */
enum err_code replay_plan(const struct scenario *scenario, struct plan *plan,
                          struct err *err) MUST_USE;
/* Appends what fired as a JSON list, one line a line. */
void replay_print(const struct plan *plan, struct text *out);

#endif
