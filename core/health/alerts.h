/* alerts.h - what a person must be told: remembered, so that a flood is a count, and left for the courier.
 *
 * Each alert that is told is a file of its own, outbox/UTC_NS-SEVERITY-KEY.json, whole from its first moment, written
 * once and never changed. A page survives the power too once alerts_keep() has run, which
 * the engine does at the end of each tick: raising one waits for no sync. Who delivered a file removes it;
 * where nobody does, the outbox stops growing at OUTBOX_MAX (pages at twice that) and the alerts are in the
 * log and the view alone. */
#ifndef CORE_HEALTH_ALERTS_H
#define CORE_HEALTH_ALERTS_H

#include "core/base/err.h"
#include "core/base/utc.h"
#include "core/world/disk.h"

#define ALERT_KEY_MAX 48   /* a cause fits */
#define ALERT_TEXT_MAX 512 /* of a file in the outbox: what is longer is cut there */
#define ALERT_KEYS_MAX 96  /* more than causes can be latched at once: each is told */
#define ALERT_TEXTS_MAX 8
#define OUTBOX_MAX 256
#define OUTBOX_OWED_MAX 32 /* pages of one tick that are made durable */

enum alert_severity { ALERT_INFO, ALERT_WARN, ALERT_PAGE };
const char *alert_severity_word(enum alert_severity severity);
/* False for a word that is none; then *out is unchanged. */
bool alert_severity_find(const char *word, enum alert_severity *out);

struct alert_memory { /* what was told of a key lately */
    char key[ALERT_KEY_MAX];
    struct utc raised_at;
    int64_t count; /* raised since the start, told or not */
    struct {
        uint64_t hash; /* of the text */
        struct utc told_at;
    } texts[ALERT_TEXTS_MAX];
};

struct outbox_owed { /* a page that is not durable yet */
    char name[DISK_NAME_MAX];
    char key[ALERT_KEY_MAX], text[ALERT_TEXT_MAX];
    int64_t count;
    struct utc at;
    bool is_there;  /* written; not yet known to survive the power */
    bool is_synced; /* but for its name */
};

struct alerts { /* alerts_init() */
    struct alert_memory memory[ALERT_KEYS_MAX];
    size_t count;
    struct outbox_owed owed[OUTBOX_OWED_MAX];
    size_t owed_count;
    struct utc last_name; /* no two files of a life have one name */
    int64_t waiting;      /* in the outbox when last counted, and left since; -1: not counted */
    struct utc counted_at;
    int64_t told[3]; /* by severity, since the start */
    int64_t left;    /* files */
    int64_t failed;  /* files that the disk refused, or had no room for */
};

struct log;

void alerts_init(struct alerts *alerts);
/* An alert for a person: logged, observed, and left in the outbox with the number of times the key was
 * raised since the start. The same text of a key is told once a minute, and at most ALERT_TEXTS_MAX texts of
 * it: the rest is only counted. */
void log_alert(struct log *log, enum alert_severity severity, const char *key, const char *text);
/* What the key told is over: its next alert is news. */
void log_alert_over(struct log *log, const char *key);
/* Makes what was left of pages durable, and leaves once more what the disk refused; what it still
 * refuses is owed until the next call. */
void alerts_keep(struct log *log);

#endif
