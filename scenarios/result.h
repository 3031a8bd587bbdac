/* result.h - what a run came to, as JSON. Amounts are decimal strings, times RFC 3339.
 *
 * Nothing here depends on the machine or on how long it took: two runs of one seed give the same bytes. */
#ifndef SCENARIOS_RESULT_H
#define SCENARIOS_RESULT_H

#include "scenarios/stage.h"

/* The last line of `seatrial run --json`: mode, seed, days, ticks, orders, fills, refusals, equity_end,
 * mechanisms, sim_seconds, trace_hash, build, config_hash, repeat, verdict, broken. */
void result_print_run(const struct stage_result *result, const struct scenario *scenario,
                      const char *build, const char *repeat, struct text *out);
/* [{"id","acted","held","released",...},...] */
void result_print_mechanisms(const struct collect *collect, struct text *out);
/* ["daily_loss acted 2",...] */
void result_print_mechanism_words(const struct collect *collect, struct text *out);
/* Appends a member "learning" as reports/result.h says; nothing of a run that learned nothing. */
void result_print_learning(const struct collect *collect, struct text *out);
/* One voyage with all its series, shaped as reports/result.h says. required holds the rows of its table,
 * comma separated. */
void result_print_voyage(const struct stage_result *result, const struct scenario *scenario,
                         const char *required, struct text *out);
/* A row of the required table: {"what","count","at_least"}, with a comma before it if needed. */
void result_print_required(struct text *rows, const char *what, int64_t count, int64_t at_least);
/* One failing row for each broken condition. */
void result_print_broken_rows(const struct stage_result *result, struct text *rows);

#endif
