/* trips.h - each time that a mechanism restricted the core: when, why, until when, whom it told, and whether an
 * oracle had demanded it by then. For this room only.
 *
 * A trip is an act that demands a mode, by the core's own word. It is *demanded* if its oracle counted it as
 * founded by the end of the tick, *false* if as unfounded; *operator* if a person set it, *start* if a life
 * began with it before it knew anything, or found it in a document or a flag, *unjudged* if no oracle said
 * either. What an oracle counts as missed or as unfounded without such an act stands in the same list. */
#ifndef REPLAY_ORACLE_TRIPS_H
#define REPLAY_ORACLE_TRIPS_H

#include "core/base/text.h"
#include "core/base/utc.h"
#include "replay/oracle/table.h"

#define TRIPS_KEPT ((size_t)1024) /* what goes beyond is counted */

enum trip_word { TRIP_UNJUDGED, TRIP_DEMANDED, TRIP_FALSE, TRIP_MISSED, TRIP_OPERATOR, TRIP_START };

struct trip_row {
    char mechanism[TABLE_NAME_MAX], cause[TABLE_NAME_MAX];
    char mode[16], why[160], alert[8]; /* "": nobody was told in that tick */
    struct utc at, due_at, ended_at;   /* {0}: nothing made it due; it is in force */
    bool is_latched;                   /* a life's end does not end it */
    enum trip_word word;
};

struct trips {
    struct trip_row *items;
    size_t count;
    int64_t not_shown;
};

/* Zeroed, at the end; NULL where there is no more place. */
struct trip_row *trips_add(struct trips *trips);
/* Appends [{"mechanism","cause","mode","at","until":t|null,"due":t|null,"late_ms","why","alert","oracle"}...]. */
void trips_print(const struct trips *trips, struct text *out);
void trips_release(struct trips *trips);

#endif
