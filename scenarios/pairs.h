/* pairs.h - of a suite that ran: each mechanism with the scenario in which it must act, the one in which
 * it must stay quiet, and how its oracle scored the first. */
#ifndef SCENARIOS_PAIRS_H
#define SCENARIOS_PAIRS_H

#include "core/base/text.h"

#include <cJSON.h>

/* Appends [{"mechanism","act","act_verdict","quiet","quiet_verdict","oracle","score":{...}|null}...], of the
 * mechanisms of which both scenarios are among the results; a verdict is "pass" or "fail", oracle is "acted";
 * "missed" or "false" if it was so in either; "unscored" if nothing of it was due in the first. scenarios:
 * the array that suite_run() prints. */
void pairs_print(const cJSON *scenarios, struct text *out);
/* Appends them as a member "pairs"; list: what suite_run() printed. */
void pairs_add(const struct text *list, struct text *json);

#endif
