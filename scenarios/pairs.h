/* pairs.h - of a suite that ran: each mechanism with the scenario in which it must act, the one in which
 * it must stay quiet, and how its oracle scored the first. */
#ifndef SCENARIOS_PAIRS_H
#define SCENARIOS_PAIRS_H

#include "core/base/text.h"

#include <cJSON.h>

/* Appends [{"mechanism","act","act_verdict","quiet","quiet_verdict","score":{...}|null}...], of the
 * mechanisms of which both scenarios are among the results; a verdict is "pass" or "fail". scenarios: the
 * array that suite_run() prints. */
void pairs_print(const cJSON *scenarios, struct text *out);

#endif
