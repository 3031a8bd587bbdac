/* shelf.h - the truth about the files under backups/, told as it changes (EVENT_COPY). */
#ifndef SCENARIOS_SHELF_H
#define SCENARIOS_SHELF_H

#include "chaos/machine/sim_disk.h"
#include "core/world/observe.h"

struct shelf {         /* zero-initialise; shelf_release() */
    struct text names; /* as last told, each with its NUL, in byte order */
    struct text now;   /* the same, as they are; scratch */
    struct text content;
};

/* Tells what came, oldest first, then what went, newest first; is_whole: the content of all that was there
 * before too, for a disk that may have changed under it. */
void shelf_look(struct shelf *shelf, const struct sim_disk *disk, bool is_whole, struct utc at,
                struct observer *observer);
void shelf_release(struct shelf *shelf);

#endif
