/* charts.h - the pictures of a voyage as inline SVG. Colours come from the page's style (classes),
 * so that they follow light, dark and paper. The voyage has passed result_check(). */
#ifndef REPORTS_CHARTS_H
#define REPORTS_CHARTS_H

#include "core/base/text.h"

#include <cjson/cJSON.h>

/* Equity and cash-free limits over time: daily loss, drawdown, floor. */
void chart_equity(struct text *out, const cJSON *voyage);
/* The mode as one band, and a band for each latch from its setting to its clearing. */
void chart_modes(struct text *out, const cJSON *voyage);
/* A row per symbol: each position from entry to exit, the time without protection marked. */
void chart_positions(struct text *out, const cJSON *voyage);
/* A small curve per symbol. */
void chart_market(struct text *out, const cJSON *voyage);
/* The counts of one object as horizontal bars, in the order of the object. */
void chart_counts(struct text *out, const char *title, const cJSON *counts);

#endif
