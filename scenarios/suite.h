/* suite.h - scenario files on the real disk: reading, listing, running many of them. */
#ifndef SCENARIOS_SUITE_H
#define SCENARIOS_SUITE_H

#include "scenarios/stage.h"

#define SUITE_FILES_MAX 512
#define SUITE_PATH_MAX 1024

struct suite { /* paths in byte order; owned by the caller, plain memory, large */
    char paths[SUITE_FILES_MAX][SUITE_PATH_MAX];
    size_t count;
    bool is_share; /* of a whole, over which maybes are budgeted */
};

/* Adds a file, or every *.json of a folder. ERR_NOT_FOUND, ERR_LIMIT. */
enum err_code suite_add(struct suite *suite, const char *path, struct err *err) MUST_USE;
/* Leaves those files whose place in the order is share, modulo shares; 0 <= share < shares. */
void suite_keep_share(struct suite *suite, int share, int shares);
/* Reads and parses one file. ERR_NOT_FOUND, ERR_IO; ERR_CONFIG with every fault in faults. */
enum err_code suite_read(const char *path, struct scenario *out, struct text *faults,
                         struct err *err) MUST_USE;

struct suite_options { /* borrowed */
    const char *data_dir;
    const char *build;
    void (*begin)(void *context, size_t index, size_t count, const char *path); /* may be NULL */
    void *context;
    struct observer *observer; /* told every event of every run; may be NULL */
};

struct suite_totals {
    int64_t passed, failed;
    int64_t maybes, judged; /* of the runs: what a stated unknown excused, of so many orders */
};

/* Runs each file and appends one object per scenario to out, comma separated: {"id","title","source",
 * "verdict","mechanisms","broken","trace_hash","repeat",...}. A file that cannot be parsed or staged
 * is a failed scenario that says why. Over a thousand orders or more, more maybes than the budget are one
 * more failed scenario, "maybes". */
void suite_run(const struct suite *suite, const struct suite_options *options, struct text *out,
               struct suite_totals *totals);

#endif
