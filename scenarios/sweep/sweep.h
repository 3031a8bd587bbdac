/* sweep.h - many seeds on many workers.
 *
 * Workers are forked processes; each runs one seed at a time that the parent hands out. A worker that
 * dies or hangs is a finding about its seed, and is replaced. Records go to a file as they come (NDJSON,
 * the first line says which sweep it is), so that an interrupted sweep goes on where it stopped. */
#ifndef SCENARIOS_SWEEP_SWEEP_H
#define SCENARIOS_SWEEP_SWEEP_H

#include "scenarios/sweep/seed.h"
#include "scenarios/sweep/totals.h"

#define SWEEP_JOBS_MAX 64
#define SWEEP_SEEDS_MAX 10000000

struct sweep_options { /* borrowed */
    struct seed_options seed;
    uint64_t first, last; /* both included */
    int jobs;
    int shard, shards;   /* this sweep takes the seeds with seed % shards == shard; 0, 1 for all */
    const char *records; /* path of the NDJSON file, or NULL */
    int hang_s;          /* wall seconds after which a seed counts as hung */
    bool (*is_interrupted)(void); /* asked between seeds; may be NULL */
    /* What an earlier sweep left in the file, and what is left to run; may be NULL. */
    void (*found)(const char *records, int64_t found, int64_t left);
    void (*progress)(void *context, int done_permille);
    void *context;
};

/* Runs what is not yet in totals. Records that the file already holds are taken from it; a torn last line
 * is dropped. *is_whole is false if it was interrupted. ERR_CONFIG: the file is
 * of another sweep; ERR_IO. */
enum err_code sweep_run(const struct sweep_options *options, struct totals *totals, bool *is_whole,
                        struct err *err) MUST_USE;

/* Reads the records of a sweep's file into totals. ERR_NOT_FOUND, ERR_IO, ERR_PARSE, ERR_CONFIG. head (may
 * be NULL) receives its first line and must be the same for all files that are merged. */
enum err_code sweep_read(const char *path, struct totals *totals, struct text *head,
                         struct err *err) MUST_USE;

#endif
