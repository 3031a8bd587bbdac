/* log.c - lines and their rotation. */
#include "core/health/log.h"

#include "core/base/mutant.h"

#include <stdio.h>

static const char LOG_NAME[] = "log.jsonl";
static const char MECHANISM[] = "log";

/* What cannot be looked at may be torn: an empty line is no harm. */
static void look_at_end(struct log *log) {
    struct disk *disk = log->world->disk;
    char last = '\0';
    size_t got = 0;
    log->is_torn = true;
    if (disk_size(disk, log->file, &log->size, NULL) != ERR_OK) {
        return;
    }
    log->is_torn = log->size > 0 &&
                   (disk_read_at(disk, log->file, &last, 1, log->size - 1, &got, NULL) != ERR_OK ||
                    last != '\n');
    MUTATE(log_glued_to_a_piece, log->is_torn = false);
}

static void open_at_end(struct log *log) {
    unsigned how = DISK_WRITE | DISK_CREATE | DISK_APPEND;
    MUTATE(log_written_over, how &= ~(unsigned)DISK_APPEND);
    if (disk_open(log->world->disk, LOG_NAME, how, &log->file, NULL) == ERR_OK) {
        log->is_open = true;
        look_at_end(log);
    }
}

void log_init(struct log *log, struct world *world, const struct config *config) {
    log->world = world;
    log->config = config;
    log->is_open = log->is_torn = false;
    log->size = log->retry_at = 0;
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

/* log.9 first, so that none takes the place of one that stays; beyond log.keep the oldest goes. */
static enum err_code move_up(struct log *log) {
    enum err_code code = ERR_OK;
    for (int64_t i = log->config->log_keep - 1; i >= 1 && code == ERR_OK; i--) {
        char from[32], to[32];
        (void)snprintf(from, sizeof from, "log.%lld.jsonl", (long long)i);
        (void)snprintf(to, sizeof to, "log.%lld.jsonl", (long long)i + 1);
        MUTATE(log_overwrites_its_past, continue);
        code = disk_rename(log->world->disk, from, to, NULL);
        code = code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    return code == ERR_OK ? disk_rename(log->world->disk, LOG_NAME, "log.1.jsonl", NULL) : code;
}

/* One that was moved by hand is none of ours to move; one that fails is tried again an eighth later. */
static void rotate_if_large(struct log *log) {
    const uint64_t limit = (uint64_t)log->config->log_rotate_kib * 1024;
    if (log->size < limit || log->size < log->retry_at) {
        return;
    }
    close_file(log);
    enum err_code code = move_up(log);
    log->retry_at = code == ERR_OK || code == ERR_NOT_FOUND ? 0 : log->size + limit / 8;
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

/* --- lines --- */

static void print_line(struct log *log, const char *event, const char *members) {
    struct text *line = &log->line;
    text_clear(line);
    text_add(line, log->is_torn ? "\n{" : "{");
    text_member_utc(line, "at", clock_utc(log->world->clock));
    text_member_string(line, "event", event);
    if (log->lost > 0) {
        MUTATE(log_loss_untold, log->lost = 0);
        text_member_int(line, "lines_lost", log->lost);
    }
    if (members[0] != '\0') {
        text_add_char(line, ',');
        text_add(line, members);
    }
    text_add(line, "}\n");
}

static void write_line(struct log *log) {
    const struct text *line = &log->line;
    bool is_written = log->is_open && disk_write_at(log->world->disk, log->file, line->data,
                                                    line->len, log->size, NULL) == ERR_OK;
    if (is_written) {
        log->size += line->len;
        log->lost = 0;
        log->is_torn = false;
        return;
    }
    log->lost++;
    log->lost_ever++;
    if (log->is_open) {
        look_at_end(log);
    }
}

static void print_mechanism(const char *mechanism, const char *what, const char *symbol,
                            const char *id, const char *members, struct text *body) {
    text_member_string(body, "mechanism", mechanism);
    text_member_string(body, "what", what);
    text_member_string(body, "symbol", symbol);
    text_member_string(body, "id", id);
    if (members[0] != '\0') {
        text_add_char(body, ',');
        text_add(body, members);
    }
}

static void observe_mechanism(const struct log *log, const char *mechanism, const char *what,
                              const char *symbol, const char *id, const struct text *body) {
    observe(log->world->observer, &(struct event){.kind = EVENT_MECHANISM,
                                                  .at = clock_utc(log->world->clock),
                                                  .subject = mechanism,
                                                  .what = what,
                                                  .symbol = symbol,
                                                  .id = id,
                                                  .body = text_get(body),
                                                  .body_len = body->len});
}

/* The disk takes lines again. If it does not take this one, that is one more. */
static void tell_lost(struct log *log, int64_t lost) {
    struct text body = {.limit = 512};
    struct text members = {.limit = 64};
    text_member_int(&members, "lines", lost);
    print_mechanism(MECHANISM, "acted", "", "lines_lost", text_get(&members), &body);
    print_line(log, "mechanism", text_get(&body));
    write_line(log);
    observe_mechanism(log, MECHANISM, "acted", "", "lines_lost", &body);
    text_release(&members);
    text_release(&body);
}

void log_line(struct log *log, const char *event, const char *members) {
    rotate_if_large(log);
    if (!log->is_open) {
        open_at_end(log);
    }
    const int64_t lost = log->lost;
    print_line(log, event, members);
    write_line(log);
    if (lost > 0 && log->lost == 0) {
        tell_lost(log, lost);
    }
}

void log_mechanism(struct log *log, const char *mechanism, const char *what, const char *symbol,
                   const char *id, const char *members) {
    struct text body = {.limit = 4096};
    print_mechanism(mechanism, what, symbol, id, members, &body);
    log_line(log, "mechanism", text_get(&body));
    observe_mechanism(log, mechanism, what, symbol, id, &body);
    text_release(&body);
}
