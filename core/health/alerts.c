/* alerts.c - what is told and what is only counted; the outbox and its end. */
#include "core/health/alerts.h"

#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/health/log.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

static const char OUTBOX[] = "outbox";
static const struct span ALERT_APART = {INT64_C(60000000000)};

const char *alert_severity_word(enum alert_severity severity) {
    return severity == ALERT_PAGE ? "page" : severity == ALERT_WARN ? "warn" : "info";
}

bool alert_severity_find(const char *word, enum alert_severity *out) {
    for (int i = ALERT_INFO; i <= ALERT_PAGE; i++) {
        if (strcmp(word, alert_severity_word((enum alert_severity)i)) == 0) {
            *out = (enum alert_severity)i;
            return true;
        }
    }
    return false;
}

void alerts_init(struct alerts *alerts) { /* and so no memory to be zeroed, 24 KB of it */
    alerts->count = 0;
    alerts->owed_count = 0;
    alerts->last_name = (struct utc){0};
    alerts->waiting = -1;
    alerts->left = alerts->failed = 0;
    memset(alerts->told, 0, sizeof alerts->told);
}

/* --- told, or counted --- */

/* The memory of a key; a new one past the limit takes that of the key which was raised longest ago. */
static struct alert_memory *remember_alert(struct alerts *alerts, const char *key) {
    struct alert_memory *oldest = &alerts->memory[0];
    for (size_t i = 0; i < alerts->count; i++) {
        struct alert_memory *memory = &alerts->memory[i];
        if (strcmp(memory->key, key) == 0) {
            return memory;
        }
        oldest = utc_is_before(memory->raised_at, oldest->raised_at) ? memory : oldest;
    }
    struct alert_memory *memory =
        alerts->count < ALERT_KEYS_MAX ? &alerts->memory[alerts->count++] : oldest;
    *memory = (struct alert_memory){0};
    (void)!text_copy(memory->key, sizeof memory->key, key, NULL);
    return memory;
}

/* The place of the text, or of the one that was told longest ago. */
static size_t place_of(const struct alert_memory *memory, uint64_t hash) {
    size_t oldest = 0;
    for (size_t i = 0; i < ALERT_TEXTS_MAX; i++) {
        if (memory->texts[i].hash == hash && memory->texts[i].told_at.ns != 0) {
            return i;
        }
        oldest =
            utc_is_before(memory->texts[i].told_at, memory->texts[oldest].told_at) ? i : oldest;
    }
    return oldest;
}

/* False if it is only counted: the text, or too many others, were told within the last minute. A clock that
 * went back mutes nobody. */
static bool may_tell(struct alert_memory *memory, const char *text, struct utc now) {
    uint64_t hash = hash64(text, strlen(text), 0);
    size_t place = place_of(memory, hash);
    struct utc told_at = memory->texts[place].told_at;
    memory->count++;
    memory->raised_at = now;
    if (told_at.ns != 0 && !utc_has_come(utc_add(told_at, ALERT_APART), ALERT_APART, now)) {
        return false;
    }
    memory->texts[place].hash = hash;
    memory->texts[place].told_at = now;
    return true;
}

void log_alert_over(struct log *log, const char *key) {
    struct alert_memory *memory = remember_alert(&log->alerts, key);
    memset(memory->texts, 0, sizeof memory->texts);
}

/* --- the outbox --- */

static void count_visit(void *context, const char *name) {
    int64_t *count = context;
    size_t n = strlen(name);
    *count += n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* True if one more may be left. What a courier took away is not told to us: counted anew once a minute. A
 * folder that cannot be listed holds what it held. */
static bool has_room(struct log *log, enum alert_severity severity, struct utc now) {
    struct alerts *alerts = &log->alerts;
    const int64_t limit = severity == ALERT_PAGE ? 2 * OUTBOX_MAX : OUTBOX_MAX;
    bool is_old =
        alerts->waiting >= limit && utc_elapsed(&alerts->counted_at, now).ns >= ALERT_APART.ns;
    MUTATE(outbox_without_end, return true);
    if (is_old || alerts->waiting < 0) {
        int64_t count = 0;
        enum err_code code = disk_list(log->world->disk, OUTBOX, count_visit, &count, NULL);
        alerts->waiting = code == ERR_OK ? count : alerts->waiting < 0 ? 0 : alerts->waiting;
        alerts->counted_at = now;
    }
    return alerts->waiting < limit;
}

/* Keys may carry names from a document that somebody edited: what is no part of a file name is '_'. */
static void outbox_name(struct alerts *alerts, enum alert_severity severity, const char *key,
                        struct utc now, char out[static DISK_NAME_MAX]) {
    int64_t ns = now.ns > alerts->last_name.ns ? now.ns : alerts->last_name.ns + 1;
    alerts->last_name = (struct utc){ns};
    int start = snprintf(out, DISK_NAME_MAX, "%s/%lld-%s-", OUTBOX, (long long)ns,
                         alert_severity_word(severity));
    (void)snprintf(out + start, DISK_NAME_MAX - (size_t)start, "%s.json",
                   key[0] != '\0' ? key : "alert");
    for (char *at = out + start; *at != '\0'; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || *at == '-' || *at == '_' || *at == '.';
        *at = is_plain ? *at : '_';
    }
}

static bool publish(struct log *log, enum alert_severity severity,
                    const struct outbox_owed *alert) {
    struct text content = {.limit = 8192}; /* each byte of the text may be six */
    text_add_char(&content, '{');
    text_member_utc(&content, "at", alert->at);
    text_member_string(&content, "severity", alert_severity_word(severity));
    text_member_string(&content, "key", alert->key);
    text_member_string(&content, "text", alert->text);
    text_member_int(&content, "count", alert->count);
    text_add(&content, "}\n");
    bool is_there = state_file_publish(log->world, alert->name, text_get(&content), content.len,
                                       NULL) == ERR_OK;
    text_release(&content);
    return is_there;
}

static void leave_alert(struct log *log, const struct alert_memory *memory,
                        enum alert_severity severity, const char *text, struct utc now) {
    struct alerts *alerts = &log->alerts;
    struct outbox_owed alert = {.count = memory->count, .at = now};
    if (!has_room(log, severity, now)) {
        alerts->failed++;
        return;
    }
    outbox_name(alerts, severity, memory->key, now, alert.name);
    memcpy(alert.key, memory->key, sizeof alert.key);
    memcpy(alert.text, text, text_fit(text, sizeof alert.text - 1));
    alert.is_there = publish(log, severity, &alert);
    alerts->waiting += alert.is_there;
    alerts->left += alert.is_there;
    alerts->failed += !alert.is_there;
    if (severity == ALERT_PAGE && alerts->owed_count < OUTBOX_OWED_MAX) {
        alerts->owed[alerts->owed_count++] = alert;
    }
}

/* ERR_NOT_FOUND: it was delivered and removed meanwhile. */
static bool sync_file(struct disk *disk, const char *name) {
    struct disk_file file;
    enum err_code code = disk_open(disk, name, DISK_WRITE, &file, NULL);
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND;
    }
    code = disk_sync(disk, file, NULL);
    disk_close(disk, file);
    return code == ERR_OK;
}

void alerts_keep(struct log *log) {
    struct alerts *alerts = &log->alerts;
    size_t still = 0;
    MUTATE(page_not_synced, return);
    for (size_t i = 0; i < alerts->owed_count; i++) {
        struct outbox_owed *owed = &alerts->owed[i];
        owed->is_there = owed->is_there || publish(log, ALERT_PAGE, owed);
        owed->is_synced = owed->is_there && sync_file(log->world->disk, owed->name);
        owed->is_there = owed->is_synced; /* a failed sync loses pages: written anew */
    }
    if (alerts->owed_count == 0 || disk_sync_dir(log->world->disk, OUTBOX, NULL) != ERR_OK) {
        return;
    }
    for (size_t i = 0; i < alerts->owed_count; i++) {
        if (!alerts->owed[i].is_synced) {
            alerts->owed[still++] = alerts->owed[i];
        }
    }
    alerts->owed_count = still;
}

/* --- telling --- */

void log_alert(struct log *log, enum alert_severity severity, const char *key, const char *text) {
    struct utc now = clock_utc(log->world->clock);
    struct alert_memory *memory = remember_alert(&log->alerts, key);
    if (!may_tell(memory, text, now)) {
        return;
    }
    log->alerts.told[severity]++;
    struct text members = {.limit = 4096};
    text_member_string(&members, "severity", alert_severity_word(severity));
    text_member_string(&members, "key", key);
    text_member_string(&members, "text", text);
    text_member_int(&members, "count", memory->count);
    log_line(log, "alert", text_get(&members));
    leave_alert(log, memory, severity, text, now);
    observe(log->world->observer, &(struct event){.kind = EVENT_ALERT,
                                                  .at = clock_utc(log->world->clock),
                                                  .subject = alert_severity_word(severity),
                                                  .what = key,
                                                  .body = text,
                                                  .body_len = strlen(text)});
    text_release(&members);
}
