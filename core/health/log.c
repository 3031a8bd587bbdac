/* log.c - lines and their rotation. */
#include "core/health/log.h"

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
    log->lost = log->lost_ever = 0;
    log->line = (struct text){.limit = 64 * 1024};
    alerts_init(&log->alerts);
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

bool log_is_kept(struct log *log) {
    struct disk *disk = log->world->disk;
    struct disk_file named;
    uint64_t size = 0;
    if (log->lost > 0 || !log->is_open) {
        return false;
    }
    enum err_code code = disk_open(disk, LOG_NAME, DISK_READ, &named, NULL);
    if (code != ERR_OK) {
        return code != ERR_NOT_FOUND; /* one that cannot be read may be there */
    }
    code = disk_size(disk, named, &size, NULL);
    disk_close(disk, named);
    return code != ERR_OK || size == log->size;
}

void log_reopen(struct log *log) {
    close_file(log);
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
        log->lost_ever++;
    }
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
