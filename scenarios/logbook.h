/* logbook.h - the truth about log.jsonl, told as it grows (EVENT_LOG). */
#ifndef SCENARIOS_LOGBOOK_H
#define SCENARIOS_LOGBOOK_H

#include "chaos/machine/sim_disk.h"
#include "core/world/observe.h"

struct logbook {      /* zero-initialise; logbook_release() */
    size_t read;      /* of log.jsonl, told or from before the life */
    struct text news; /* scratch */
};

/* A life begins: what lies there is from before it. */
void logbook_begin(struct logbook *logbook, const struct sim_disk *disk);
/* Tells the lines that were added since; a file that grew shorter became log.1.jsonl. */
void logbook_look(struct logbook *logbook, const struct sim_disk *disk, struct utc at,
                  struct observer *observer);
void logbook_release(struct logbook *logbook);

#endif
