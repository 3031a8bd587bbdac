/* log.h - the core's own story: one JSON object a line in log.jsonl.
 *
 * Events are closed words of this program: start, stop, mode, mechanism, alert, refusal, broker_refused, operator.
 * Bodies hold no credential, because no caller has one to give. Logging never fails a tick: lines that the disk
 * refuses are counted, the next one that it takes says how many (`lines_lost`), and one more of the mechanism `log`
 * repeats it. A line begins on a line of its own, whatever a death or a full disk left at the end of the file, and
 * goes behind what another process wrote there. At log.rotate_kib the file becomes log.1.jsonl and those before it
 * move up by one, to log.keep of them; one that cannot be moved keeps all others where they are. */
#ifndef CORE_HEALTH_LOG_H
#define CORE_HEALTH_LOG_H

#include "core/base/text.h"
#include "core/config/config.h"
#include "core/health/alerts.h"
#include "core/world/world.h"

struct log {
    struct world *world;
    const struct config *config; /* log.rotate_kib, log.keep */
    struct disk_file file;
    bool is_open;
    bool is_torn;      /* it does not end with a newline, or nobody could look */
    uint64_t size;     /* as far as we know: another process may write to it */
    uint64_t retry_at; /* size at which a rotation that failed is tried again; 0: none did */
    int64_t lost;      /* lines the disk refused since the last good one */
    int64_t lost_ever;
    struct text line;
    struct alerts alerts;
};

/* Opens (creates) the log at its end; failing is no error: the next line tries again. Borrows all. */
void log_init(struct log *log, struct world *world, const struct config *config);
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
