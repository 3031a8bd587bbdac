/* catalogue.h - a page for each mechanism, from what the program itself knows of it. */
#ifndef SCENARIOS_CATALOGUE_H
#define SCENARIOS_CATALOGUE_H

#include "core/base/text.h"
#include "core/risk/mechanisms.h"

/* How many of its columns are still empty: it is not shown yet to act, or to stay quiet. */
int catalogue_owes(const struct mechanism *mechanism);
/* Its page as markdown: rule, settings, judges, scenarios, sabotages, the log, how it ends. */
void catalogue_page(const struct mechanism *mechanism, struct text *out);
/* The table of them all as markdown, each linked to its page. */
void catalogue_table(struct text *out);

#endif
