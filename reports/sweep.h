/* sweep.h - the section of the page that shows a sweep over seeds: what acted under which faults. */
#ifndef REPORTS_SWEEP_H
#define REPORTS_SWEEP_H

#include "core/base/text.h"

#include <cjson/cJSON.h>

/* totals is the member of a sweep's result: {"seeds": int, "failed": int, "sim_seconds": int, "judged": int,
 * "maybes": int, "reach": {"KIND NAME MORE": seeds}, "discovery": [[seeds, new moves]]}. What is missing
 * is left out. */
void sweep_section(struct text *out, const cJSON *totals);

#endif
