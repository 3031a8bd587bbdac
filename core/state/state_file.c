/* state_file.c - documents: how they are written so that no crash shows half of one. */
#include "core/state/state_file.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/state/lease.h"
#include "core/state/state_document.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DOCUMENT_BYTES_MAX ((size_t)8 << 20)
#define TEMP_TRIES 4 /* two equal nonces of 32 bits in a row are no accident */
#define TAIL "\n}\n"

static uint64_t document_hash(const char *name, int64_t journal_seq, const char *members,
                              size_t n) {
    uint64_t hash = hash64(name, strlen(name), (uint64_t)journal_seq);
    return hash64(members, n, hash);
}

static void print_document(const char *name, int64_t journal_seq, const char *members, size_t n,
                           struct text *out) {
    char hex[17];
    hash64_print(document_hash(name, journal_seq, members, n), hex);
    text_add(out, "{\"_seatrial\":{\"document\":");
    text_add_json_string(out, name);
    text_add_format(out, ",\"schema\":1,\"journal_seq\":%lld,\"checksum\":\"%s\"}%s",
                    (long long)journal_seq, hex, n > 0 ? ",\n" : "\n");
    text_add_bytes(out, members, n);
    text_add(out, n > 0 ? TAIL : &TAIL[1]);
}

void state_document_print(const char *name, int64_t journal_seq, const char *members,
                          struct text *out) {
    print_document(name, journal_seq, members, strlen(members), out);
}

/* The number behind "journal_seq": in the first line; false if there is none. */
static bool find_journal_seq(const char *bytes, size_t line, int64_t *out) {
    static const char key[] = "\"journal_seq\":";
    const char *at = memmem(bytes, line, key, sizeof key - 1);
    if (at == NULL) {
        return false;
    }
    at += sizeof key - 1;
    int64_t value = 0;
    int digits = 0;
    for (; digits < 18 && isdigit((unsigned char)*at);
         at++, digits++) { /* the line's end is none */
        value = value * 10 + (*at - '0');
    }
    *out = value;
    return digits > 0;
}

/* Prints the document again from the parts found in it: only equal bytes are intact. */
bool state_document_is_intact(const char *name, const char *bytes, size_t n, int64_t *journal_seq) {
    const char *newline = memchr(bytes, '\n', n);
    if (newline == NULL) {
        return false;
    }
    size_t line = (size_t)(newline - bytes) + 1;
    size_t tail = strlen(TAIL);
    size_t members = n >= line + tail ? n - line - tail : 0;
    int64_t seq = 0;
    if (!find_journal_seq(bytes, line, &seq)) {
        return false;
    }
    struct text again = {0};
    print_document(name, seq, bytes + line, members, &again);
    bool is_equal = again.len == n && memcmp(again.data, bytes, n) == 0;
    MUTATE(checksum_ignored, is_equal = true);
    text_release(&again);
    if (is_equal) {
        *journal_seq = seq;
    }
    return is_equal;
}

void state_document_discard(struct disk *disk, const char *name) {
    struct err ignored = {0};
    if (disk_remove(disk, name, &ignored) != ERR_OK) {
        return; /* a temporary file that stays is swept later */
    }
}

static enum err_code temp_name(struct world *world, const char *name,
                               char temp[static DISK_NAME_MAX], struct err *err) {
    uint32_t nonce = 0;
    enum err_code code = entropy_fill(world->entropy, &nonce, sizeof nonce, err);
    if (code != ERR_OK) {
        return code;
    }
    int n = snprintf(temp, DISK_NAME_MAX, "%s.%08x.tmp", name, nonce);
    if (n >= DISK_NAME_MAX) {
        return err_set(err, ERR_LIMIT, "%s: the name is too long", name);
    }
    return ERR_OK;
}

static enum err_code create_temp(struct world *world, const char *name,
                                 char temp[static DISK_NAME_MAX], struct disk_file *file,
                                 struct err *err) {
    enum err_code code = ERR_EXISTS;
    for (int i = 0; i < TEMP_TRIES && code == ERR_EXISTS; i++) {
        code = temp_name(world, name, temp, err);
        if (code == ERR_OK) {
            code =
                disk_open(world->disk, temp, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, file, err);
        }
    }
    return code;
}

enum err_code state_document_write_temp(struct world *world, const char *name, const void *bytes,
                                        size_t n, bool is_synced, char temp[static DISK_NAME_MAX],
                                        struct err *err) {
    struct disk_file file = {0};
    enum err_code code = create_temp(world, name, temp, &file, err);
    if (code != ERR_OK) {
        return code;
    }
    code = disk_write_at(world->disk, file, bytes, n, 0, err);
    MUTATE(skip_fsync, is_synced = false);
    if (code == ERR_OK && is_synced) {
        code = disk_sync(world->disk, file, err);
        MUTATE(ignore_fsync_error, code = ERR_OK);
    }
    disk_close(world->disk, file);
    if (code != ERR_OK) {
        state_document_discard(world->disk, temp);
    }
    return code;
}

enum err_code state_file_read(struct disk *disk, const char *name, size_t limit, struct text *out,
                              struct err *err) {
    struct disk_file file = {0};
    enum err_code code = disk_open(disk, name, DISK_READ, &file, err);
    if (code != ERR_OK) {
        return code;
    }
    uint64_t size = 0;
    size_t got = 0;
    struct text content = text_limited(limit == 0 ? 1 : limit);
    code = disk_size(disk, file, &size, err);
    if (code == ERR_OK && size > limit) {
        code = err_set(err, ERR_LIMIT, "%s: %llu bytes, %zu allowed", name,
                       (unsigned long long)size, limit);
    }
    if (code == ERR_OK && !text_reserve(&content, (size_t)size)) {
        code = err_set(err, ERR_MEMORY, "%s: out of memory", name);
    }
    if (code == ERR_OK) {
        code = disk_read_at(disk, file, content.data, (size_t)size, 0, &got, err);
    }
    disk_close(disk, file);
    if (code == ERR_OK) {
        text_clear(out);
        text_add_bytes(out, content.data, got);
        code = text_finish(out, err);
    }
    text_release(&content);
    return code;
}

/* "a/b.json" -> "a", "b.json" -> "". */
static void folder_of(const char *name, char out[static DISK_NAME_MAX]) {
    const char *slash = strrchr(name, '/');
    snprintf(out, DISK_NAME_MAX, "%.*s", slash == NULL ? 0 : (int)(slash - name), name);
}

static enum err_code generation_name(const char *name, int generation,
                                     char out[static DISK_NAME_MAX], struct err *err) {
    int n = generation == 0 ? snprintf(out, DISK_NAME_MAX, "%s", name)
                            : snprintf(out, DISK_NAME_MAX, "%s.%d", name, generation);
    if (n >= DISK_NAME_MAX) {
        return err_set(err, ERR_LIMIT, "%s: the name is too long", name);
    }
    return ERR_OK;
}

static bool is_json_object(const struct text *content) {
    cJSON *tree = NULL;
    struct err ignored = {0};
    bool is_object = json_parse(text_get(content), content->len, &tree, &ignored) == ERR_OK &&
                     cJSON_IsObject(tree);
    cJSON_Delete(tree);
    return is_object;
}

/* True if the present document deserves to become a generation: damage must not push a good one
 * out. */
static enum err_code is_worth_keeping(struct world *world, const char *name, bool *out,
                                      struct err *err) {
    struct text content = text_limited(DOCUMENT_BYTES_MAX);
    int64_t seq = 0;
    enum err_code code = state_file_read(world->disk, name, DOCUMENT_BYTES_MAX, &content, err);
    if (code == ERR_NOT_FOUND || code == ERR_LIMIT) {
        *out = false;
        code = ERR_OK;
    } else if (code == ERR_OK) {
        *out = state_document_is_intact(name, text_get(&content), content.len, &seq) ||
               is_json_object(&content);
    }
    text_release(&content);
    return code;
}

/* NAME.1 -> NAME.2, NAME -> NAME.1. The current name keeps its document throughout. */
static enum err_code rotate(struct world *world, const char *name, struct err *err) {
    bool is_kept = false;
    enum err_code code = is_worth_keeping(world, name, &is_kept, err);
    if (code != ERR_OK || !is_kept) {
        return code;
    }
    char first[DISK_NAME_MAX];
    char second[DISK_NAME_MAX];
    /* the longer name of the temporary file did fit */
    CHECK(generation_name(name, 1, first, err) == ERR_OK);
    CHECK(generation_name(name, 2, second, err) == ERR_OK);
    code = disk_rename(world->disk, first, second, err);
    if (code == ERR_OK || code == ERR_NOT_FOUND) {
        code = disk_link(world->disk, name, first, err);
    }
    if (code == ERR_EXISTS) {
        /* .1 and .2 were one file, left by two saves cut short: POSIX renames one name of a file onto
         * another by doing nothing. .2 keeps it. */
        code = disk_remove(world->disk, first, err);
        code = code == ERR_OK ? disk_link(world->disk, name, first, err) : code;
    }
    return code;
}

static void tell_document(struct world *world, const char *name, int64_t journal_seq,
                          const struct text *content) {
    struct event event = {.kind = EVENT_DOCUMENT,
                          .at = clock_utc(world->clock),
                          .subject = name,
                          .number = journal_seq,
                          .body = content->data,
                          .body_len = content->len};
    observe(world->observer, &event);
}

/* A process may hang between any two calls, and be succeeded; a disk that lies may make its lease look old while
 * it is fresh. So the document is read, however young. Asked behind the temporary file: who takes the lease
 * later sweeps that away, and the rename fails. */
static enum err_code still_ours(struct lease *lease, struct err *err) {
    MUTATE(young_lease_unread, return lease_is_lost(lease) ? err_set(err, ERR_LOCKED, "the lease was lost") : ERR_OK);
    if (lease != NULL) {
        (void)!lease_confirm(lease, NULL);
    }
    return lease_is_lost(lease) ? err_set(err, ERR_LOCKED, "the lease was lost") : ERR_OK;
}

/* Under the lock: temp, generations, rename, directory. */
static enum err_code replace(struct world *world, struct lease *lease, const char *name,
                             const struct text *content, struct err *err) {
    char temp[DISK_NAME_MAX];
    char folder[DISK_NAME_MAX];
    folder_of(name, folder);
    MUTATE(rename_before_fsync, (void)!state_file_publish(world, name, content->data, content->len, 0));
    enum err_code code =
        state_document_write_temp(world, name, content->data, content->len, true, temp, err);
    if (code != ERR_OK) {
        return code;
    }
    code = still_ours(lease, err);
    code = code == ERR_OK ? rotate(world, name, err) : code;
    if (code == ERR_OK) {
        code = disk_rename(world->disk, temp, name, err);
    }
    if (code != ERR_OK) {
        state_document_discard(world->disk, temp);
        return code;
    }
    MUTATE(skip_directory_fsync, return ERR_OK);
    code = disk_sync_dir(world->disk, folder, err);
    return code == ERR_OK ? still_ours(lease, err) : code;
}

enum err_code state_file_save(struct world *world, const char *name, int64_t journal_seq,
                              const char *members, struct err *err) {
    return state_file_save_held(world, NULL, name, journal_seq, members, err);
}

enum err_code state_file_save_held(struct world *world, struct lease *lease, const char *name,
                                   int64_t journal_seq, const char *members, struct err *err) {
    CHECK(journal_seq >= 0);
    MUTATE(document_ahead, journal_seq += journal_seq > 0 ? 5 : 0);
    char lock_name[DISK_NAME_MAX];
    int length = snprintf(lock_name, sizeof lock_name, "%s.lock", name);
    if (length >= DISK_NAME_MAX) {
        return err_set(err, ERR_LIMIT, "%s: the name is too long", name);
    }
    struct text content = text_limited(DOCUMENT_BYTES_MAX);
    struct disk_file lock = {0};
    state_document_print(name, journal_seq, members, &content);
    enum err_code code = text_finish(&content, err);
    if (code == ERR_OK) {
        code = disk_lock(world->disk, lock_name, &lock, err);
        if (code == ERR_OK) {
            code = replace(world, lease, name, &content, err);
            disk_close(world->disk, lock);
        }
    }
    if (code == ERR_OK) {
        tell_document(world, name, journal_seq, &content);
    } else {
        (void)err_wrap(err, "%s", name);
    }
    text_release(&content);
    return code;
}

/* What the bytes are. The tree goes to *out, but for damaged ones. */
static struct state_file judge(const char *name, const struct text *content) {
    struct state_file file = {.condition = STATE_FILE_DAMAGED, .journal_seq = -1};
    struct err ignored = {0};
    if (json_parse(text_get(content), content->len, &file.tree, &ignored) != ERR_OK) {
        return file;
    }
    if (!cJSON_IsObject(file.tree)) {
        state_file_release(&file);
        file.condition = STATE_FILE_DAMAGED;
        return file;
    }
    bool is_good =
        state_document_is_intact(name, text_get(content), content->len, &file.journal_seq);
    file.condition = is_good ? STATE_FILE_GOOD : STATE_FILE_EDITED;
    return file;
}

enum err_code state_file_load(struct world *world, const char *name, int generation,
                              struct state_file *out, struct err *err) {
    CHECK(generation >= 0 && generation <= STATE_FILE_GENERATIONS);
    char file_name[DISK_NAME_MAX];
    enum err_code code = generation_name(name, generation, file_name, err);
    if (code != ERR_OK) {
        return code;
    }
    struct text content = text_limited(DOCUMENT_BYTES_MAX);
    code = state_file_read(world->disk, file_name, DOCUMENT_BYTES_MAX, &content, err);
    if (code == ERR_OK) {
        *out = judge(name, &content);
    } else if (code == ERR_NOT_FOUND || code == ERR_LIMIT) {
        *out = (struct state_file){.condition =
                                       code == ERR_LIMIT ? STATE_FILE_DAMAGED : STATE_FILE_MISSING,
                                   .journal_seq = -1};
        code = ERR_OK;
    }
    text_release(&content);
    return code;
}

void state_file_release(struct state_file *file) {
    cJSON_Delete(file->tree);
    *file = (struct state_file){.condition = STATE_FILE_MISSING, .journal_seq = -1};
}

enum err_code state_file_publish(struct world *world, const char *name, const char *bytes, size_t n,
                                 struct err *err) {
    char temp[DISK_NAME_MAX];
    enum err_code code = state_document_write_temp(world, name, bytes, n, false, temp, err);
    if (code == ERR_OK) {
        code = disk_rename(world->disk, temp, name, err);
        if (code != ERR_OK) {
            state_document_discard(world->disk, temp);
        }
    }
    return code;
}

struct sweep { /* temporary files found, at most so many a time */
    char name[64][DISK_NAME_MAX];
    size_t count;
};

static void sweep_visit(void *context, const char *name) {
    struct sweep *sweep = context;
    size_t n = strlen(name);
    CHECK(n < DISK_NAME_MAX); /* a disk lists no longer names */
    bool is_temp = n > 13 && strcmp(name + n - 4, ".tmp") == 0 && name[n - 13] == '.' &&
                   strspn(name + n - 12, "0123456789abcdef") == 8;
    if (is_temp && sweep->count < sizeof sweep->name / sizeof sweep->name[0]) {
        memcpy(sweep->name[sweep->count++], name, n + 1);
    }
}

enum err_code state_file_sweep(struct world *world, const char *folder, struct err *err) {
    struct sweep sweep = {.count = 0};
    enum err_code code = disk_list(world->disk, folder, sweep_visit, &sweep, err);
    for (size_t i = 0; code == ERR_OK && i < sweep.count; i++) {
        char path[2 * DISK_NAME_MAX];
        (void)snprintf(path, sizeof path, "%s%s%s", folder, folder[0] != '\0' ? "/" : "",
                       sweep.name[i]);
        state_document_discard(world->disk, path);
    }
    return code;
}
