/* certify.h - the sea trial as a whole: two voyages over real bars, then every scenario, then the table of
 * what must have happened. An empty cell of the table fails as a broken condition does. */
#ifndef SCENARIOS_CERTIFY_H
#define SCENARIOS_CERTIFY_H

#include "core/base/hash.h"
#include "scenarios/suite.h"

#define CERTIFY_FILLED_ENTRIES_MIN 300 /* on the stock month */

struct certify_options { /* borrowed */
    const char *data_dir;
    const char *voyage_file; /* scenarios/certify.json */
    const char *library_dir; /* scenarios/library; NULL: no scenarios */
    const char *build;
    stage_progress *progress;                       /* of each voyage; may be NULL */
    void (*begin)(void *context, const char *what); /* may be NULL */
    void *context;
};

/* Fills out with the whole result, shaped as reports/result.h says, and besides: kind, verdict,
 * sessions, sim_seconds, trace_hash. *is_passed says the verdict. Errors: the harness's own. */
enum err_code certify_run(const struct certify_options *options, struct text *out, bool *is_passed,
                          struct err *err) MUST_USE;

#endif
