/* stage.h - puts a world together from a scenario, owns its event loop, and says what came of it.
 *
 * World: market -> broker (ledger and API) <- sim_http <- faults <- tap <- core; simulated disk below
 * process and faults; virtual clock. Time moves in every seam call. At equal instants the order is:
 * broker, requests that arrive late, operator, core. The broker is never re-entered: operator and late
 * requests run inside an advance of time, where nobody is inside the broker. A process that dies is
 * destroyed, its disk loses what was not durable, and a new one starts on the same disk. A second one may
 * be there (scenarios/instance.h, company.c): it acts inside the core's calls, before an effect.
 *
 * The run lasts from half an hour before the first session to half an hour after the last. */
#ifndef SCENARIOS_STAGE_H
#define SCENARIOS_STAGE_H

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "scenarios/collect.h"
#include "scenarios/scenario.h"

struct exhaust;
struct sim_disk;

/* Called when another thousandth of the run is done. */
typedef void stage_progress(void *context, int done_permille);

struct stage_options { /* borrowed for the run */
    const struct scenario *scenario;
    const char *data_dir; /* holds the sets' folders; a set name that is a path is taken as it is */
    const char *data_path; /* a folder of bars instead of the scenario's set, or NULL */
    const char *build;
    struct observer *observer; /* also told every event; may be NULL */
    stage_progress *progress;  /* may be NULL */
    void *progress_context;
    /* Sees the simulated disk before it goes: to export or check the state. May be NULL. */
    void (*at_end)(void *context, const struct sim_disk *disk);
    void *at_end_context;
    /* No judge and no collector listens, for measuring: the run is the same to the byte, but the
     * result then has refusals 0, empty series, and nothing broken but faults that never fired. */
    bool without_judges;
    bool
        are_scores_kept; /* what a mechanism missed, or did for nothing, by its score, breaks the run */
    struct exhaust *exhaust; /* explores every death in the scenario's window; may be NULL */
};

struct stage_result { /* owned by the caller: stage_result_release() */
    struct collect *collect;
    char trace_hash[HASH_TEXT_MAX];
    char config_hash[17];
    struct config config; /* as run, symbols filled in */
    int days;
    struct date first_day, last_day;
    int64_t ticks, orders, fills, refusals;
    int64_t sim_seconds; /* of sessions */
    struct usd equity_start, equity_end;
    size_t broken;            /* invariants, expectations, faults that never fired */
    int64_t maybes, judged;   /* outcomes that a stated unknown excuses, of so many orders */
    struct text broken_lines; /* one a line */
    struct text broken_json;  /* JSON strings, comma separated */
    struct utc start, end;
    struct text verdict_json;  /* of replay/oracle: one object */
    struct text trips_json;    /* of it: each time that a mechanism restricted the core */
    int64_t trips_not_shown;   /* and how many more */
    struct text exits_json;    /* of it: members, how bare each exit lay */
    struct text market_json;   /* {"symbol","series":[[t, close],...]}, ... */
    struct text closed_json;   /* dates that only the set's own calendar closes */
    struct text ended_json;    /* {"symbol","date"} of data that ends before the run */
    struct text schedule_json; /* what fired, as a scenario's `schedule` (replay_file.h) */
    size_t unfired;            /* faults of the scenario that never fired; counted in broken */
};

/* Runs a scenario from beginning to end. A broken condition is a result, not an error. Errors are the
 * harness's own: ERR_NOT_FOUND or ERR_PARSE (market), ERR_CONFIG, ERR_RANGE (no such sessions). */
enum err_code stage_run(const struct stage_options *options, struct stage_result *out,
                        struct err *err) MUST_USE;
void stage_result_release(struct stage_result *result);

#endif
