/* pairs.h - of a suite that ran: each mechanism with the scenario in which it must act, the one in which
 * it must stay quiet, and how its oracle scored the first. */
#ifndef SCENARIOS_PAIRS_H
#define SCENARIOS_PAIRS_H

#include "core/base/text.h"

#include <cJSON.h>

/* Appends [{"mechanism","act","act_verdict","quiet","quiet_verdict","oracle","met","score":{...}|null}...], of the
 * mechanisms of which both scenarios are among the results; a verdict is "pass" or "fail", oracle is "acted";
 * "missed" or "false" if it was so in either; "unscored" if nothing of it was due in the first. It is met
 * if both passed and the oracle says "acted". scenarios: the array that suite_run() prints. Returns how many
 * are not met. */
int64_t pairs_print(const cJSON *scenarios, struct text *out);
/* Appends them as a member "pairs"; list: what suite_run() printed. Returns how many are not met; a list that
 * cannot be read gives no member, and 1. */
int64_t pairs_add(const struct text *list, struct text *json);

#endif
