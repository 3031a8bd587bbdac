/* log.h - the core's own story: one JSON object a line in log.jsonl, rotated to log.1.jsonl.
 *
 * Event names are closed words of this program; bodies hold no credential, because no caller has one
 * to give. Logging never fails a tick: what the disk refuses is counted and told with the next line
 * that fits. */
#ifndef CORE_HEALTH_LOG_H
#define CORE_HEALTH_LOG_H

#include "core/base/text.h"
#include "core/health/alerts.h"
#include "core/world/world.h"

struct log {
    struct world *world;
    struct disk_file file;
    bool is_open;
    uint64_t size;
    int64_t lost; /* lines the disk refused since the last good one */
    int64_t lost_ever;
    struct text line;
    struct alerts alerts;
};

/* Opens (creates) the log at its end; failing is no error: the next line tries again. */
void log_init(struct log *log, struct world *world);
void log_release(struct log *log);
/* Writes {"at","event",members...}; members is what text_member_*() built, without braces, or "". */
void log_line(struct log *log, const char *event, const char *members);

/* True if the last line was taken and log.jsonl is what lines go to: nobody moved or removed it. */
bool log_is_kept(struct log *log);
/* Closes the file; the next line opens the one that has the name. */
void log_reopen(struct log *log);

/* A mechanism did something: "acted", "held", "released", ... id is the cause or order it was about;
 * members as log_line(). Logged and observed. */
void log_mechanism(struct log *log, const char *mechanism, const char *what, const char *symbol,
                   const char *id, const char *members);

#endif
