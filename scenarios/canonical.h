/* canonical.h - one spelling for what may be spelled in several ways and mean the same. */
#ifndef SCENARIOS_CANONICAL_H
#define SCENARIOS_CANONICAL_H

#include "core/base/text.h"

#define CANONICAL_PARAMETERS_MAX 128 /* of one query; one with more is taken as it is */

/* Appends "path?query" (or a path alone) with the query's parameters in byte order of their names;
 * those of one name keep their order, which may mean something. Nothing else is changed: no byte is
 * decoded, and an empty parameter stays. */
void canonical_target(const char *target, struct text *out);

#endif
