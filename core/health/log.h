/* log.h - the core's own story: one JSON object a line in log.jsonl, rotated to log.1.jsonl.
 *
 * Event names are closed words of this program; bodies hold no credential, because no caller has one
 * to give. Logging never fails a tick: what the disk refuses is counted and told with the next line
 * that fits. */
#ifndef CORE_HEALTH_LOG_H
#define CORE_HEALTH_LOG_H

#include "core/base/text.h"
#include "core/world/world.h"

#define ALERT_KEYS_MAX 96 /* more than causes can be latched at once: each is told */
#define ALERT_TEXTS_MAX 8

struct alert_memory { /* what was told of a key lately, so that a flood is a count */
    char key[48];     /* a cause fits */
    struct utc raised_at;
    int64_t count; /* raised since the start, told or not */
    struct {
        uint64_t hash; /* of the text */
        struct utc told_at;
    } texts[ALERT_TEXTS_MAX];
};

struct log {
    struct world *world;
    struct disk_file file;
    bool is_open;
    uint64_t size;
    int64_t lost; /* lines the disk refused since the last good one */
    struct text line;
    struct alert_memory alerts[ALERT_KEYS_MAX];
    size_t alert_count;
};

/* Opens (creates) the log at its end; failing is no error: the next line tries again. */
void log_init(struct log *log, struct world *world);
void log_release(struct log *log);
/* Writes {"at","event",members...}; members is what text_member_*() built, without braces, or "". */
void log_line(struct log *log, const char *event, const char *members);

enum alert_severity { ALERT_INFO, ALERT_WARN, ALERT_PAGE };
/* An alert for a person: logged, observed, and left in outbox/KEY.json for a courier, with the number of
 * times the key was raised since the start. The same text of a key is told once a minute, and at most
 * ALERT_TEXTS_MAX texts of it: the rest is only counted. */
void log_alert(struct log *log, enum alert_severity severity, const char *key, const char *text);
/* What the key told is over: its next alert is news. */
void log_alert_over(struct log *log, const char *key);

/* A mechanism did something: "acted", "held", "released", ... id is the cause or order it was about;
 * members as log_line(). Logged and observed. */
void log_mechanism(struct log *log, const char *mechanism, const char *what, const char *symbol,
                   const char *id, const char *members);

#endif
