/* seed.h - one seed of a sweep: drawn, run, judged, and told in one line. */
#ifndef SCENARIOS_SWEEP_SEED_H
#define SCENARIOS_SWEEP_SEED_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "scenarios/sweep/swarm.h"

struct seed_options { /* borrowed */
    enum chaos_mode mode;
    int days;
    const char *data_dir;
    const char *build;
    int verify_percent; /* of the seeds are run twice, event by event */
};

/* Runs a seed and appends its record, one line of JSON without the line feed: {"seed","mode","verdict",
 * "broken":[...],"trace_hash","sim_seconds","ticks","requests","maybes","judged","cpu_us","reach":{...}}. All but cpu_us
 * is a function of the seed and the build. */
void seed_run(const struct seed_options *options, uint64_t seed, struct text *record);
/* The same for the text of any scenario file; seed is only what the record says. */
void seed_run_file(const struct seed_options *options, uint64_t seed, const char *text, size_t n,
                   struct text *record);
/* The same in a process of its own, which may crash or hang (wall seconds) without taking ours along. */
void seed_run_apart(const struct seed_options *options, uint64_t seed, const char *text, size_t n,
                    int hang_s, struct text *record);
/* The record of a seed that took its process along: verdict "crash" or "hang". */
void seed_lost(const struct seed_options *options, uint64_t seed, const char *verdict,
               const char *why, struct text *record);

#endif
