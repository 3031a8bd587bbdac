/* ledger.c - writes, reads and checks ledger.json and requests.log. */
#include "broker_sim/serve/ledger.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANCHOR_FILE "ledger.json"
#define ANCHOR_TEMP "ledger.json.new"
#define LOG_FILE "requests.log"
#define LOCK_FILE "ledger.lock"
#define HASH_DIGITS 16
#define ANCHOR_SIZE_MAX 4096

struct ledger {
    struct disk *disk;
    struct disk_file lock, log;
    bool has_lock, has_log;
    uint64_t end;  /* bytes of the log that are good */
    uint64_t hash; /* of the last line */
};

static enum err_code read_whole(struct disk *disk, struct disk_file file, size_t max,
                                struct text *out, struct err *err) {
    uint64_t size = 0;
    size_t got = 0;
    enum err_code code = disk_size(disk, file, &size, err);
    if (code != ERR_OK) {
        return code;
    }
    if (size > max) {
        return err_set(err, ERR_LIMIT, "longer than %zu bytes; start a new ledger", max);
    }
    *out = text_limited(max + 1);
    if (!text_reserve(out, (size_t)size)) {
        return err_set(err, ERR_MEMORY, "no memory for %llu bytes", (unsigned long long)size);
    }
    code = disk_read_at(disk, file, out->data, (size_t)size, 0, &got, err);
    out->len = got;
    out->data[got] = '\0';
    return code;
}

/* --- the anchor --- */

static void print_anchor(const struct ledger_anchor *anchor, struct text *out) {
    text_add(out, "{\"format\":1,\"served_start\":\"");
    text_add_utc(out, anchor->served);
    text_add(out, "\",\"wall_start\":\"");
    text_add_utc(out, anchor->wall);
    text_add(out, "\",\"speed\":\"");
    text_add_decimal(out, anchor->speed.nanos);
    /* As text: a JSON number loses what is above 2^53. */
    text_add_format(out, "\",\"seed\":\"%llu\",\"market\":", (unsigned long long)anchor->seed);
    text_add_json_string(out, anchor->market);
    text_add(out, "}\n");
}

static enum err_code write_anchor(struct disk *disk, const struct ledger_anchor *anchor,
                                  struct err *err) {
    struct text text = {0};
    struct disk_file file = {0};
    bool is_open = false;
    print_anchor(anchor, &text);
    enum err_code code = disk_open(disk, ANCHOR_TEMP, DISK_WRITE | DISK_CREATE, &file, err);
    is_open = code == ERR_OK;
    if (code == ERR_OK) {
        code = disk_truncate(disk, file, 0, err);
    }
    if (code == ERR_OK) {
        code = disk_write_at(disk, file, text_get(&text), text.len, 0, err);
    }
    if (code == ERR_OK) {
        code = disk_sync(disk, file, err);
    }
    if (is_open) {
        disk_close(disk, file);
    }
    if (code == ERR_OK) {
        code = disk_rename(disk, ANCHOR_TEMP, ANCHOR_FILE, err);
    }
    if (code == ERR_OK) {
        code = disk_sync_dir(disk, "", err);
    }
    text_release(&text);
    return code;
}

static enum err_code parse_anchor(const struct text *text, struct ledger_anchor *out,
                                  struct err *err) {
    cJSON *tree = NULL;
    struct ledger_anchor anchor = {0};
    const char *seed = NULL;
    int64_t format = 0;
    enum err_code code = json_parse(text_get(text), text->len, &tree, err);
    if (code == ERR_OK) {
        code = json_int(tree, "format", &format, err);
    }
    if (code == ERR_OK && format != 1) {
        code = err_set(err, ERR_PARSE, "format %lld is not known here", (long long)format);
    }
    if (code == ERR_OK) {
        code = json_utc(tree, "served_start", &anchor.served, err);
    }
    if (code == ERR_OK) {
        code = json_utc(tree, "wall_start", &anchor.wall, err);
    }
    if (code == ERR_OK) {
        code = json_decimal_either(tree, "speed", &anchor.speed.nanos, err);
    }
    if (code == ERR_OK) {
        code = json_string(tree, "seed", &seed, err);
    }
    if (code == ERR_OK) {
        anchor.seed = strtoull(seed, NULL, 10);
        code = json_copy(tree, "market", anchor.market, sizeof anchor.market, err);
    }
    cJSON_Delete(tree);
    if (code != ERR_OK) {
        (void)err_wrap(err, ANCHOR_FILE);
        return err == NULL ? ERR_CORRUPT : (err->code = ERR_CORRUPT);
    }
    *out = anchor;
    return ERR_OK;
}

static enum err_code compare_anchors(const struct ledger_anchor *stored,
                                     const struct ledger_anchor *asked, struct err *err) {
    char speed[DECIMAL_TEXT_MAX];
    decimal_print(stored->speed.nanos, speed);
    if (stored->speed.nanos != asked->speed.nanos || stored->seed != asked->seed ||
        strcmp(stored->market, asked->market) != 0) {
        return err_set(err, ERR_CONFIG,
                       ANCHOR_FILE
                       ": the ledger was made with speed %s, seed %llu, market '%.200s'; "
                       "start with these or give another folder",
                       speed, (unsigned long long)stored->seed, stored->market);
    }
    return ERR_OK;
}

/* The anchor is durable before the log is made, so a log alone has lost its anchor. */
static enum err_code first_anchor(struct disk *disk, const struct ledger_anchor *anchor,
                                  struct err *err) {
    struct disk_file log = {0};
    enum err_code code = disk_open(disk, LOG_FILE, DISK_READ, &log, err);
    if (code == ERR_OK) {
        disk_close(disk, log);
        return err_set(err, ERR_CORRUPT, "%s is there without %s; restore it or start a new ledger",
                       LOG_FILE, ANCHOR_FILE);
    }
    return code == ERR_NOT_FOUND ? write_anchor(disk, anchor, err) : code;
}

static enum err_code open_anchor(struct disk *disk, struct ledger_anchor *anchor, struct err *err) {
    struct disk_file file = {0};
    struct text text = {0};
    struct ledger_anchor stored = {0};
    enum err_code code = disk_open(disk, ANCHOR_FILE, DISK_READ, &file, err);
    if (code == ERR_NOT_FOUND) {
        return first_anchor(disk, anchor, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = read_whole(disk, file, ANCHOR_SIZE_MAX, &text, err);
    disk_close(disk, file);
    if (code == ERR_OK) {
        code = parse_anchor(&text, &stored, err);
    }
    if (code == ERR_OK) {
        code = compare_anchors(&stored, anchor, err);
    }
    if (code == ERR_OK) {
        *anchor = stored;
    }
    text_release(&text);
    return code;
}

/* --- the log --- */

static void add_member(struct text *out, const char *key, const char *value) {
    text_add_format(out, ",\"%s\":", key);
    text_add_json_string(out, value);
}

static void print_entry(const struct ledger_entry *entry, struct text *out) {
    char hash[17];
    hash64_print(entry->answer_hash, hash);
    text_add(out, "{\"at\":\"");
    text_add_utc(out, entry->at);
    text_add_char(out, '"');
    add_member(out, "method", entry->method);
    add_member(out, "path", entry->path);
    add_member(out, "query", entry->query);
    add_member(out, "body", entry->body);
    text_add_format(out, ",\"status\":%d", entry->status);
    add_member(out, "answer", hash);
    text_add_char(out, '}');
}

static enum err_code parse_entry(const cJSON *tree, struct ledger_entry *out, struct err *err) {
    int64_t status = 0;
    const char *hash = NULL;
    enum err_code code = json_utc(tree, "at", &out->at, err);
    if (code == ERR_OK) {
        code = json_string(tree, "method", &out->method, err);
    }
    if (code == ERR_OK) {
        code = json_string(tree, "path", &out->path, err);
    }
    if (code == ERR_OK) {
        code = json_string(tree, "query", &out->query, err);
    }
    if (code == ERR_OK) {
        code = json_string(tree, "body", &out->body, err);
    }
    if (code == ERR_OK) {
        code = json_int(tree, "status", &status, err);
    }
    if (code == ERR_OK) {
        code = json_string(tree, "answer", &hash, err);
    }
    if (code == ERR_OK) {
        out->status = (int)status;
        out->answer_hash = strtoull(hash, NULL, 16);
    }
    return code;
}

static enum err_code replay_line(const char *line, size_t n, uint64_t *chain, ledger_replay *replay,
                                 void *context, struct err *err) {
    cJSON *tree = NULL;
    struct ledger_entry entry = {0};
    if (n < HASH_DIGITS + 3 || line[HASH_DIGITS] != ' ') {
        return err_set(err, ERR_CORRUPT, "not a line of a ledger");
    }
    const char *json = line + HASH_DIGITS + 1;
    size_t json_len = n - HASH_DIGITS - 1;
    uint64_t hash = hash64(json, json_len, *chain);
    char expected[17];
    hash64_print(hash, expected);
    if (memcmp(expected, line, HASH_DIGITS) != 0) {
        return err_set(err, ERR_CORRUPT,
                       "the checksum does not fit: the line was altered, or one "
                       "before it removed");
    }
    enum err_code code = json_parse(json, json_len, &tree, err);
    if (code == ERR_OK) {
        code = parse_entry(tree, &entry, err);
    }
    if (code == ERR_OK) {
        code = replay(context, &entry, err);
    }
    cJSON_Delete(tree);
    if (code == ERR_OK) {
        *chain = hash;
    }
    return code;
}

static enum err_code replay_log(struct ledger *ledger, ledger_replay *replay, void *context,
                                size_t *dropped_bytes, struct err *err) {
    struct text text = {0};
    enum err_code code = read_whole(ledger->disk, ledger->log, LEDGER_LOG_MAX, &text, err);
    size_t at = 0;
    for (int line = 1; code == ERR_OK && at < text.len; line++) {
        const char *from = text_get(&text) + at;
        const char *end = memchr(from, '\n', text.len - at);
        if (end == NULL) {
            break; /* torn: no answer to it was ever given */
        }
        code = replay_line(from, (size_t)(end - from), &ledger->hash, replay, context, err);
        if (code != ERR_OK) {
            (void)err_wrap(err, "%s, line %d", LOG_FILE, line);
        } else {
            at = (size_t)(end - text_get(&text)) + 1;
        }
    }
    size_t torn = text.len - at;
    text_release(&text);
    if (code == ERR_OK && torn > 0) {
        code = disk_truncate(ledger->disk, ledger->log, at, err);
        if (code == ERR_OK) {
            code = disk_sync(ledger->disk, ledger->log, err);
        }
    }
    if (code == ERR_OK) {
        ledger->end = at;
        *dropped_bytes = torn;
    }
    return code;
}

static enum err_code open_log(struct ledger *ledger, struct err *err) {
    enum err_code code =
        disk_open(ledger->disk, LOG_FILE, DISK_WRITE | DISK_CREATE, &ledger->log, err);
    if (code != ERR_OK) {
        return code;
    }
    ledger->has_log = true;
    return disk_sync_dir(ledger->disk, "", err);
}

enum err_code ledger_open(struct disk *disk, struct ledger_anchor *anchor, ledger_replay *replay,
                          void *context, size_t *dropped_bytes, struct ledger **out,
                          struct err *err) {
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the ledger");
    }
    ledger->disk = disk;
    enum err_code code = disk_lock(disk, LOCK_FILE, &ledger->lock, err);
    ledger->has_lock = code == ERR_OK;
    if (code == ERR_OK) {
        code = open_anchor(disk, anchor, err);
    }
    if (code == ERR_OK) {
        code = open_log(ledger, err);
    }
    if (code == ERR_OK) {
        code = replay_log(ledger, replay, context, dropped_bytes, err);
    }
    if (code != ERR_OK) {
        ledger_close(ledger);
        return err_wrap(err, "ledger");
    }
    *out = ledger;
    return ERR_OK;
}

enum err_code ledger_append(struct ledger *ledger, const struct ledger_entry *entry,
                            struct err *err) {
    struct text json = {0};
    struct text line = {0};
    char digits[17];
    print_entry(entry, &json);
    uint64_t hash = hash64(text_get(&json), json.len, ledger->hash);
    hash64_print(hash, digits);
    text_add(&line, digits);
    text_add_char(&line, ' ');
    text_add_bytes(&line, text_get(&json), json.len);
    text_add_char(&line, '\n');
    enum err_code code = text_finish(&line, err);
    if (code == ERR_OK && ledger->end + line.len > LEDGER_LOG_MAX) {
        code = err_set(err, ERR_LIMIT, "%s is full; start a new ledger", LOG_FILE);
    }
    if (code == ERR_OK) {
        code = disk_write_at(ledger->disk, ledger->log, line.data, line.len, ledger->end, err);
    }
    if (code == ERR_OK) {
        code = disk_sync(ledger->disk, ledger->log, err);
    }
    if (code == ERR_OK) {
        ledger->end += line.len;
        ledger->hash = hash;
    }
    text_release(&line);
    text_release(&json);
    return code;
}

void ledger_close(struct ledger *ledger) {
    if (ledger == NULL) {
        return;
    }
    if (ledger->has_log) {
        disk_close(ledger->disk, ledger->log);
    }
    if (ledger->has_lock) {
        disk_close(ledger->disk, ledger->lock);
    }
    free(ledger);
}
