/* totals.h - what many seeds came to: a fold over their records in the order of the seeds, so that the
 * totals are the same whatever the number of workers, shards and interruptions. */
#ifndef SCENARIOS_SWEEP_TOTALS_H
#define SCENARIOS_SWEEP_TOTALS_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "scenarios/sweep/waivers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct totals;

/* Never NULL; owned by the caller. */
struct totals *totals_create(void);
void totals_destroy(struct totals *totals);
#define TOTALS_DAYS 1 /* sessions of a seed, where nobody says another number */
/* What the command that repeats a seed must say beside its mode. data is the word of the command line, borrowed for as
 * long as the totals live; NULL: the default. */
void totals_repeat_with(struct totals *totals, int days, const char *data);
/* Appends that command for a number or a range of seeds. */
void totals_print_repeat(const struct totals *totals, const char *mode, const char *seeds,
                         struct text *out);
/* Takes one record (seed.h). ERR_PARSE; a seed that is already there with another record is ERR_CORRUPT
 * (two sweeps that are not the same), with the same record nothing. */
enum err_code totals_add(struct totals *totals, const char *line, size_t n,
                         struct err *err) MUST_USE;
bool totals_has(const struct totals *totals, uint64_t seed);
int64_t totals_count(const struct totals *totals);

enum totals_debt {
    OWES_NOTHING,
    OWES_REACH,
    OWES_QUIET,
    OWES_RECIPES, /* and no budget of maybes: some recipes are stated unknowns by themselves */
};

struct totals_verdict {
    int64_t seeds, failed;
    int64_t
        missing; /* due reach words met by too few seeds, quiet ones met at all; waived ones not */
};
/* Judges what is there; prints one JSON object (no times of this machine in it; failures, every one, are shaped as
 * a suite's scenarios, for reports/junit.h) and, if lines is not NULL, the same for a person. What a whole sweep of this mode owes is judged too: swarm must have met the
 * reach catalogue, calm must have been quiet, directed must have brought about what its recipes are for.
 * More maybes than the oracle's budget are a debt of every mode but directed. Each waiver is told with its reason and its
 * end: unmet (it excuses its word here), met (it could go), or not owed by such a sweep. */
struct totals_verdict totals_judge(struct totals *totals, const struct waivers *waivers,
                                   enum totals_debt debt, struct text *json, struct text *lines);
/* CPU microseconds of all records: the machine's, never part of the totals. */
int64_t totals_cpu_us(const struct totals *totals);

#endif
