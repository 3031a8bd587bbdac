/* log.c - lines and their rotation, alerts and their outbox. */
#include "core/health/log.h"

#include "core/base/hash.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

static const char LOG_NAME[] = "log.jsonl";
static const uint64_t LOG_ROTATE_BYTES = 8 << 20;

static void open_at_end(struct log *log) {
    struct disk *disk = log->world->disk;
    if (disk_open(disk, LOG_NAME, DISK_WRITE | DISK_CREATE, &log->file, NULL) != ERR_OK) {
        return;
    }
    if (disk_size(disk, log->file, &log->size, NULL) != ERR_OK) {
        disk_close(disk, log->file);
        return;
    }
    log->is_open = true;
}

void log_init(struct log *log, struct world *world) {
    log->world = world;
    log->is_open = false;
    log->size = 0;
    log->lost = 0;
    log->line = (struct text){.limit = 64 * 1024};
    log->alert_count = 0; /* and so no alert to be zeroed, 15 KB of them */
    open_at_end(log);
}

static void close_file(struct log *log) {
    if (log->is_open) {
        disk_close(log->world->disk, log->file);
        log->is_open = false;
    }
}

void log_release(struct log *log) {
    close_file(log);
    text_release(&log->line);
}

static void rotate_if_large(struct log *log) {
    if (log->size < LOG_ROTATE_BYTES) {
        return;
    }
    close_file(log);
    if (disk_rename(log->world->disk, LOG_NAME, "log.1.jsonl", NULL) == ERR_OK) {
        log->size = 0;
    }
}

void log_line(struct log *log, const char *event, const char *members) {
    rotate_if_large(log);
    if (!log->is_open) {
        open_at_end(log);
    }
    struct text *line = &log->line;
    text_clear(line);
    text_add_char(line, '{');
    text_member_utc(line, "at", clock_utc(log->world->clock));
    text_member_string(line, "event", event);
    if (log->lost > 0) {
        text_member_int(line, "lines_lost", log->lost);
    }
    if (members[0] != '\0') {
        text_add_char(line, ',');
        text_add(line, members);
    }
    text_add(line, "}\n");
    bool is_written = log->is_open && disk_write_at(log->world->disk, log->file, line->data,
                                                    line->len, log->size, NULL) == ERR_OK;
    if (is_written) {
        log->size += line->len;
        log->lost = 0;
    } else {
        log->lost++;
    }
}

static const char *severity_word(enum alert_severity severity) {
    return severity == ALERT_PAGE ? "page" : severity == ALERT_WARN ? "warn" : "info";
}

static const struct span ALERT_APART = {INT64_C(60000000000)};

/* The memory of a key; a new one past the limit takes that of the key which was raised longest ago. */
static struct alert_memory *remember_alert(struct log *log, const char *key) {
    struct alert_memory *oldest = &log->alerts[0];
    for (size_t i = 0; i < log->alert_count; i++) {
        struct alert_memory *memory = &log->alerts[i];
        if (strcmp(memory->key, key) == 0) {
            return memory;
        }
        oldest = utc_is_before(memory->raised_at, oldest->raised_at) ? memory : oldest;
    }
    struct alert_memory *memory =
        log->alert_count < ALERT_KEYS_MAX ? &log->alerts[log->alert_count++] : oldest;
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
static bool may_tell(struct log *log, struct alert_memory *memory, const char *text) {
    struct utc now = clock_utc(log->world->clock);
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
    struct alert_memory *memory = remember_alert(log, key);
    memset(memory->texts, 0, sizeof memory->texts);
}

/* Keys may carry names from a document that somebody edited: what is no part of a file name is '_'. */
static void outbox_name(const char *key, char out[static DISK_NAME_MAX]) {
    int start = snprintf(out, DISK_NAME_MAX, "outbox/");
    (void)snprintf(out + start, DISK_NAME_MAX - (size_t)start, "%s.json",
                   key[0] != '\0' ? key : "alert");
    for (char *at = out + start; *at != '\0'; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || *at == '-' || *at == '_' || *at == '.';
        *at = is_plain ? *at : '_';
    }
}

static void leave_alert(struct log *log, const struct alert_memory *memory, const char *severity,
                        const char *key, const char *text) {
    struct text body = {.limit = 4096};
    text_add_char(&body, '{');
    text_member_utc(&body, "at", clock_utc(log->world->clock));
    text_member_string(&body, "severity", severity);
    text_member_string(&body, "key", key);
    text_member_string(&body, "text", text);
    text_member_int(&body, "count", memory->count);
    text_add(&body, "}\n");
    char name[DISK_NAME_MAX];
    outbox_name(memory->key, name);
    (void)!state_file_publish(log->world, name, text_get(&body), body.len, NULL);
    text_release(&body);
}

void log_alert(struct log *log, enum alert_severity severity, const char *key, const char *text) {
    struct alert_memory *memory = remember_alert(log, key);
    if (!may_tell(log, memory, text)) {
        return;
    }
    struct text members = {.limit = 4096};
    text_member(&members, "severity");
    text_add_json_string(&members, severity_word(severity));
    text_member_string(&members, "key", key);
    text_member_string(&members, "text", text);
    text_member_int(&members, "count", memory->count);
    log_line(log, "alert", text_get(&members));
    leave_alert(log, memory, severity_word(severity), key, text);
    observe(log->world->observer, &(struct event){.kind = EVENT_ALERT,
                                                  .at = clock_utc(log->world->clock),
                                                  .subject = severity_word(severity),
                                                  .what = key,
                                                  .body = text,
                                                  .body_len = strlen(text)});
    text_release(&members);
}

void log_mechanism(struct log *log, const char *mechanism, const char *what, const char *symbol,
                   const char *id, const char *members) {
    struct text body = {.limit = 4096};
    text_member_string(&body, "mechanism", mechanism);
    text_member_string(&body, "what", what);
    text_member_string(&body, "symbol", symbol);
    text_member_string(&body, "id", id);
    if (members[0] != '\0') {
        text_add_char(&body, ',');
        text_add(&body, members);
    }
    log_line(log, "mechanism", text_get(&body));
    observe(log->world->observer, &(struct event){.kind = EVENT_MECHANISM,
                                                  .at = clock_utc(log->world->clock),
                                                  .subject = mechanism,
                                                  .what = what,
                                                  .symbol = symbol,
                                                  .id = id,
                                                  .body = text_get(&body),
                                                  .body_len = body.len});
    text_release(&body);
}
