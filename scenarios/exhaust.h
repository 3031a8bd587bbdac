/* exhaust.h - death at every effect of a window, with every fate of what was in flight and un-synced.
 *
 * One run comes to the scenario's window, and stays at its first effect (a changing disk call, an HTTP exchange)
 * until it is explored. Copies of it (crew.h) go along through the window and share out its effects. At an
 * effect one dies, before or after, with each fate, starts again on what the disk kept, lives on for a while, stops,
 * is judged as any run is, and goes back (rewind.h) to die again, or at last to go along. Equal states (durable
 * disk, ledger, fate in flight, second of the session) are judged once. Copies explore; death itself stays the world
 * going dead (chaos/machine/process.h). */
#ifndef SCENARIOS_EXHAUST_H
#define SCENARIOS_EXHAUST_H

#include "chaos/machine/process.h"
#include "core/base/text.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stdint.h>

#define EXHAUST_JOBS_MAX 64
#define EXHAUST_HANG_S 60 /* of the wall: a life that does not end is killed, and a finding */

struct stage;
struct exhaust;

struct exhaust_options {
    int jobs; /* copies that live at once, to EXHAUST_JOBS_MAX */
    bool
        to_first_tick; /* judge at the first whole tick, else a settled while later and after a stop */
    int depth; /* 1; 2: each copy that kept everything also dies at each effect of its recovery */
    bool by_forks;     /* each life in a copy of its own: slower; the same comes of it */
    int share, shares; /* this run takes effects with ordinal % shares == share; 0, 1 for all */
};

struct exhaust_report {
    int64_t effects; /* in the window and the share */
    int64_t deaths;  /* in states unlike any before */
    int64_t whole;   /* of these, how many met every fate of what was un-synced; else drawn ones */
    int64_t runs;    /* judged: lives behind a death and a fate, each on a disk of its own */
    int64_t equal;   /* not judged, deaths and fates: an equal state was */
    int64_t broken;
    int64_t excused; /* what a stated unknown excused behind the deaths, in all runs */
    int64_t crashed; /* copies that crashed or hung: broken too */
    struct text
        findings; /* JSON objects, comma separated: {"effect","site","moment","fate","broken"};
                        fate -1: before its fates were known */
};

/* Never NULL; owned by the caller, given to stage_options.exhaust for one run. */
struct exhaust *exhaust_create(const struct exhaust_options *options);
void exhaust_destroy(struct exhaust *exhaust);
/* After the run; findings are owned by the exhaust. */
const struct exhaust_report *exhaust_report(const struct exhaust *exhaust);

/* For the stage: the window is known; a process has died; a tick is whole; the run is judged, from which a copy
 * does not return: it goes back to its effect. */
void exhaust_begin(struct exhaust *exhaust, struct stage *stage);
/* Before each effect of the core. */
void exhaust_at_effect(struct exhaust *exhaust, enum process_site site);
void exhaust_process_died(struct exhaust *exhaust);
void exhaust_ticked(struct exhaust *exhaust);
/* True in a copy, which goes back or ends without tidying up: to free is to write, and each page written to is work.
 * False for NULL. */
bool exhaust_is_copy(const struct exhaust *exhaust);
void exhaust_end(struct exhaust *exhaust);

#endif
