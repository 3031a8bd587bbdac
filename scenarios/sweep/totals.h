/* totals.h - what many seeds came to: a fold over their records in the order of the seeds, so that the
 * totals are the same whatever the number of workers, shards and interruptions. */
#ifndef SCENARIOS_SWEEP_TOTALS_H
#define SCENARIOS_SWEEP_TOTALS_H

#include "core/base/err.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAIVERS_MAX 5

struct waiver {
    char word[96], reason[200], expires[16]; /* expires: a date; the waiver ends with it */
};

struct waivers { /* zero-initialise for none */
    struct waiver items[WAIVERS_MAX];
    size_t count;
};
/* Parses {"waivers":[{"word","reason","owner","expires"}]}. ERR_CONFIG names place and remedy: more than
 * five, a member missing, or expired on `today` (YYYY-MM-DD). */
enum err_code waivers_parse(const char *bytes, size_t n, const char *today, struct waivers *out,
                            struct err *err) MUST_USE;

struct totals;

/* Never NULL; owned by the caller. */
struct totals *totals_create(void);
void totals_destroy(struct totals *totals);
/* Takes one record (seed.h). ERR_PARSE; a seed that is already there with another record is ERR_CORRUPT
 * (two sweeps that are not the same), with the same record nothing. */
enum err_code totals_add(struct totals *totals, const char *line, size_t n,
                         struct err *err) MUST_USE;
bool totals_has(const struct totals *totals, uint64_t seed);
size_t totals_count(const struct totals *totals);

struct totals_verdict {
    int64_t seeds, failed, missing; /* missing: due reach words met by too few seeds */
};
/* Judges what is there; prints one JSON object (no times of this machine in it; failures are shaped as
 * a suite's scenarios, for reports/junit.h) and, if lines is not NULL, the same for a person. is_due: the reach catalogue is due (swarm). */
struct totals_verdict totals_judge(struct totals *totals, const struct waivers *waivers,
                                   bool is_due, struct text *json, struct text *lines);
/* CPU microseconds of all records: the machine's, never part of the totals. */
int64_t totals_cpu_us(const struct totals *totals);

#endif
