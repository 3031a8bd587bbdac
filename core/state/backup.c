/* backup.c - see backup.h. */
#include "core/state/backup.h"

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/state/state_document.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_BYTES_MAX ((size_t)8 << 20)
#define NUMBER_DIGITS 8
#define NUMBER_MAX 99999999
#define SWEEP_MAX 8  /* each life leaves one at most */
#define HELD_MAX 256 /* copies of one thing that one look takes in, the oldest first */

static const char *const documents[] = {"governor_freezes.json", "position_metadata.json"};
static const char piece_prefix[] = "journal-";
static const struct backup_kept piece_kept = {.newest = 2};

size_t backup_documents(void) {
    return sizeof documents / sizeof documents[0];
}

const char *backup_document(size_t index) {
    CHECK(index < backup_documents());
    return documents[index];
}

/* --- names --- */

/* "2022-03-15T14:30:00.25Z" -> "20220315T143000Z". */
static void print_stamp(struct utc at, char out[static BACKUP_STAMP_MAX]) {
    char text[UTC_TEXT_MAX];
    size_t n = 0;
    utc_print(at, text);
    for (const char *c = text; *c != '\0' && *c != '.' && *c != 'Z'; c++) {
        if (*c != '-' && *c != ':' && n < BACKUP_STAMP_MAX - 2) {
            out[n++] = *c;
        }
    }
    out[n] = 'Z';
    out[n + 1] = '\0';
}

static bool parse_stamp(const char *stamp, struct utc *out) {
    char text[UTC_TEXT_MAX];
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", stamp, stamp + 4, stamp + 6,
             stamp + 9, stamp + 11, stamp + 13);
    return utc_parse(text, out, NULL) == ERR_OK;
}

bool backup_name_parse(const char *name, struct backup_name *out) {
    static const char digits[] = "0123456789";
    struct utc at = {0};
    size_t stamp = NUMBER_DIGITS + 1;
    size_t thing = stamp + BACKUP_STAMP_MAX;
    size_t n = strlen(name);
    bool is_copy = n > thing + 5 && n < DISK_NAME_MAX && strspn(name, digits) == NUMBER_DIGITS &&
                   name[stamp - 1] == '-' && name[thing - 2] == 'Z' && name[thing - 1] == '-' &&
                   strcmp(name + n - 5, ".json") == 0 && parse_stamp(name + stamp, &at);
    if (is_copy) {
        *out = (struct backup_name){.number = strtoll(name, NULL, 10)};
        memcpy(out->stamp, name + stamp, BACKUP_STAMP_MAX - 1);
        memcpy(out->thing, name + thing, n - thing);
    }
    return is_copy;
}

int64_t backup_piece_after(const char *thing) {
    size_t prefix = sizeof piece_prefix - 1;
    if (strncmp(thing, piece_prefix, prefix) != 0) {
        return -1;
    }
    char *end = NULL;
    int64_t after = strtoll(thing + prefix, &end, 10);
    return after >= 0 && strcmp(end, ".json") == 0 ? after : -1;
}

/* With its folder. */
static void print_name(int64_t number, const char *stamp, const char *thing,
                       char out[static DISK_NAME_MAX]) {
    snprintf(out, DISK_NAME_MAX, BACKUP_FOLDER "/%0*lld-%s-%.60s", NUMBER_DIGITS, (long long)number,
             stamp, thing);
}

/* --- one copy --- */

/* Reads what was written and holds it against its own checksum: the one door through which bytes become
 * a copy. */
static enum err_code verify(struct backup *backup, const char *thing, const char *file,
                            struct err *err) {
    int64_t seq = 0;
    MUTATE(backup_not_verified, return ERR_OK);
    enum err_code code =
        state_file_read(backup->world->disk, file, DOCUMENT_BYTES_MAX, &backup->again, err);
    if (code == ERR_OK &&
        !state_document_is_intact(thing, text_get(&backup->again), backup->again.len, &seq)) {
        code = err_set(err, ERR_CORRUPT, "%s fails its checksum", thing);
    }
    return code;
}

/* Asked behind the temporary file: who takes the lease later sweeps that away, and the rename fails. */
static enum err_code still_ours(const struct backup *backup, struct err *err) {
    return lease_is_lost(backup->lease) ? err_set(err, ERR_LOCKED, "the lease was lost") : ERR_OK;
}

/* A rename would replace what has the name. */
static enum err_code is_free(struct backup *backup, const char *name, struct err *err) {
    struct disk_file file = {0};
    MUTATE(good_backup_overwritten, return ERR_OK);
    enum err_code code = disk_open(backup->world->disk, name, DISK_READ, &file, err);
    if (code == ERR_OK) {
        disk_close(backup->world->disk, file);
        return err_set(err, ERR_EXISTS, "%s is there already", name);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code keep(struct backup *backup, const char *thing, struct err *err) {
    char stamp[BACKUP_STAMP_MAX];
    char name[DISK_NAME_MAX];
    char temp[DISK_NAME_MAX];
    struct disk *disk = backup->world->disk;
    print_stamp(clock_utc(backup->world->clock), stamp);
    MUTATE(good_backup_overwritten, strcpy(stamp, "20200101T000000Z"); backup->number = 1);
    print_name(backup->number, stamp, thing, name);
    enum err_code code = backup->number > NUMBER_MAX
                             ? err_set(err, ERR_LIMIT, "no number is left in " BACKUP_FOLDER "/")
                             : is_free(backup, name, err);
    code = code == ERR_OK
               ? state_document_write_temp(backup->world, name, text_get(&backup->content),
                                           backup->content.len, true, temp, err)
               : code;
    if (code != ERR_OK) {
        return code;
    }
    code = verify(backup, thing, temp, err);
    code = code == ERR_OK ? still_ours(backup, err) : code;
    code = code == ERR_OK ? disk_rename(disk, temp, name, err) : code;
    if (code != ERR_OK) {
        state_document_discard(disk, temp);
        return code;
    }
    return disk_sync_dir(disk, BACKUP_FOLDER, err);
}

/* --- what is too old --- */

struct held { /* copies of one thing, oldest first */
    const char *thing;
    size_t count;
    struct {
        int64_t number;
        char stamp[BACKUP_STAMP_MAX];
    } items[HELD_MAX];
};

static void hold(void *context, const char *name) {
    struct held *held = context;
    struct backup_name copy;
    if (held->count < HELD_MAX && backup_name_parse(name, &copy) &&
        strcmp(copy.thing, held->thing) == 0) {
        held->items[held->count].number = copy.number;
        memcpy(held->items[held->count++].stamp, copy.stamp, BACKUP_STAMP_MAX);
    }
}

static void drop(struct backup *backup, const struct held *held, size_t i) {
    char name[DISK_NAME_MAX];
    print_name(held->items[i].number, held->items[i].stamp, held->thing, name);
    state_document_discard(backup->world->disk, name);
}

/* Counted, not timed: a wall that is set forward makes nothing old. The newest was verified just now. What
 * cannot be listed or removed is there again next time. */
static void prune(struct backup *backup, const char *thing, const struct backup_kept *kept) {
    struct held held = {.thing = thing};
    struct err ignored = {0};
    int64_t newest = kept->newest;
    int64_t days = 0;
    MUTATE(backups_kept_off_by_one, newest--);
    if (still_ours(backup, &ignored) != ERR_OK ||
        disk_list(backup->world->disk, BACKUP_FOLDER, hold, &held, &ignored) != ERR_OK) {
        return;
    }
    MUTATE(newest_backup_removed, if (held.count > 1) drop(backup, &held, held.count - 1));
    for (size_t age = 0; age < held.count; age++) {
        size_t i = held.count - 1 - age;
        bool is_last_of_day =
            age == 0 || memcmp(held.items[i].stamp, held.items[i + 1].stamp, BACKUP_DAYS) != 0;
        days += is_last_of_day;
        if ((int64_t)age >= newest && !(is_last_of_day && days <= kept->days)) {
            drop(backup, &held, i);
        }
    }
}

/* --- documents --- */

enum err_code backup_copy_document(struct backup *backup, const char *document,
                                   const struct backup_kept *kept, struct err *err) {
    enum err_code found = ERR_NOT_FOUND;
    for (int generation = 0; generation <= STATE_FILE_GENERATIONS; generation++) {
        char name[DISK_NAME_MAX];
        snprintf(name, sizeof name, generation == 0 ? "%.60s" : "%.60s.%d", document, generation);
        enum err_code code =
            state_file_read(backup->world->disk, name, DOCUMENT_BYTES_MAX, &backup->content, err);
        if (code == ERR_OK) {
            code = keep(backup, document, err);
            if (code == ERR_OK) {
                prune(backup, document, kept);
            }
            if (code != ERR_CORRUPT) {
                return code;
            }
        }
        found = code == ERR_NOT_FOUND ? found : ERR_CORRUPT; /* what cannot be read is not good */
    }
    return err_set(err, found, found == ERR_NOT_FOUND ? "%s: there is none" : "%s: none is good",
                   document);
}

/* --- the journal --- */

static void print_piece(struct backup *backup, const char *thing, int64_t after,
                        const struct journal_end *end, const struct text *rows) {
    struct text members = text_limited(DOCUMENT_BYTES_MAX);
    text_member_int(&members, "after", after);
    text_member_string(&members, "chain", end->chain);
    text_member(&members, "rows");
    text_add_format(&members, "[\n%s\n]", text_get(rows));
    text_clear(&backup->content);
    state_document_print(thing, end->seq, text_get(&members), &backup->content);
    backup->content.is_cut |= members.is_cut;
    text_release(&members);
}

enum err_code backup_copy_journal(struct backup *backup, bool *is_whole, struct err *err) {
    struct text rows = text_limited(DOCUMENT_BYTES_MAX);
    struct journal_end end = {0};
    char thing[64];
    int64_t after = backup->piece_bytes < BACKUP_PIECE_BYTES ? backup->after : backup->copied;
    if (journal_last_seq(backup->journal) == backup->copied) {
        *is_whole = true;
        return ERR_OK;
    }
    snprintf(thing, sizeof thing, "%s%lld.json", piece_prefix, (long long)after);
    enum err_code code =
        journal_print(backup->journal, after, BACKUP_PIECE_BYTES, &rows, &end, err);
    if (code == ERR_OK) {
        print_piece(backup, thing, after, &end, &rows);
        code = text_finish(&backup->content, err);
    }
    code = code == ERR_OK ? keep(backup, thing, err) : code;
    if (code == ERR_OK) {
        prune(backup, thing, &piece_kept);
        backup->after = after;
        backup->copied = end.seq;
        backup->piece_bytes = backup->content.len;
        backup->made_at = clock_utc(backup->world->clock);
        memcpy(backup->chain, end.chain, sizeof backup->chain);
        *is_whole = end.seq == journal_last_seq(backup->journal);
    }
    text_release(&rows);
    return code;
}

/* --- what is there at a start --- */

struct finding {
    struct backup *backup;
    char sweep[SWEEP_MAX][DISK_NAME_MAX]; /* temporary files */
    size_t sweep_count;
    struct backup_name newest[2]; /* copies of the last piece, the newest first; number 0: none */
};

static bool is_temporary(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

/* In byte order, which is that of numbers. */
static void find(void *context, const char *name) {
    struct finding *finding = context;
    struct backup_name copy;
    if (is_temporary(name) && finding->sweep_count < SWEEP_MAX) {
        snprintf(finding->sweep[finding->sweep_count++], DISK_NAME_MAX, BACKUP_FOLDER "/%s", name);
    }
    if (!backup_name_parse(name, &copy)) {
        return;
    }
    finding->backup->number = copy.number;
    int64_t after = backup_piece_after(copy.thing);
    int64_t known =
        finding->newest[0].number == 0 ? -1 : backup_piece_after(finding->newest[0].thing);
    if (after >= 0 && after >= known) {
        finding->newest[1] = after == known ? finding->newest[0] : (struct backup_name){0};
        finding->newest[0] = copy;
    }
}

static enum err_code read_copy(struct disk *disk, const char *name, struct text *content,
                               int64_t *seq, cJSON **out, struct err *err) {
    struct backup_name copy;
    char path[DISK_NAME_MAX + sizeof BACKUP_FOLDER];
    if (!backup_name_parse(name, &copy)) {
        return err_set(err, ERR_CORRUPT, "%s is no name of a copy", name);
    }
    snprintf(path, sizeof path, BACKUP_FOLDER "/%s", name);
    enum err_code code = state_file_read(disk, path, DOCUMENT_BYTES_MAX, content, err);
    if (code == ERR_LIMIT ||
        (code == ERR_OK &&
         (!state_document_is_intact(copy.thing, text_get(content), content->len, seq) ||
          json_parse(text_get(content), content->len, out, NULL) != ERR_OK))) {
        code = err_set(err, ERR_CORRUPT, "%s is damaged", path);
    }
    return code;
}

enum err_code backup_read_piece(struct disk *disk, const char *name, cJSON **out, struct err *err) {
    struct text content = text_limited(DOCUMENT_BYTES_MAX);
    int64_t seq = 0;
    enum err_code code = read_copy(disk, name, &content, &seq, out, err);
    text_release(&content);
    return code;
}

/* Takes the copy for the last; ERR_CORRUPT if it is not good. */
static enum err_code take_piece(struct backup *backup, const struct backup_name *copy,
                                struct err *err) {
    char name[DISK_NAME_MAX];
    cJSON *tree = NULL;
    int64_t seq = 0;
    print_name(copy->number, copy->stamp, copy->thing, name);
    enum err_code code = read_copy(backup->world->disk, name + sizeof BACKUP_FOLDER,
                                   &backup->content, &seq, &tree, err);
    if (code == ERR_OK &&
        json_copy(tree, "chain", backup->chain, sizeof backup->chain, NULL) != ERR_OK) {
        code = err_set(err, ERR_CORRUPT, "%s has no chain", name);
    }
    cJSON_Delete(tree);
    if (code == ERR_OK) {
        backup->copied = seq;
        backup->piece_bytes = backup->content.len;
        (void)parse_stamp(copy->stamp, &backup->made_at);
    }
    return code;
}

/* A journal that ends before its copies, or says other things, went back: what they hold may be all that is
 * left of it. */
static enum err_code compare(struct backup *backup, struct err *err) {
    struct journal_end end = {0};
    if (backup->copied == 0) {
        return ERR_OK;
    }
    enum err_code code = journal_end_at(backup->journal, backup->copied, &end, err);
    if (code == ERR_OK || code == ERR_NOT_FOUND) {
        backup->is_behind = code != ERR_OK || strcmp(end.chain, backup->chain) != 0;
        code = ERR_OK;
    }
    return code;
}

enum err_code backup_open(struct backup *backup, struct world *world, struct lease *lease,
                          struct journal *journal, struct err *err) {
    backup_release(backup);
    *backup = (struct backup){.world = world, .lease = lease, .journal = journal};
    struct finding finding = {.backup = backup};
    enum err_code code = disk_make_dir(world->disk, BACKUP_FOLDER, err);
    code = code == ERR_OK ? disk_list(world->disk, BACKUP_FOLDER, find, &finding, err) : code;
    for (size_t i = 0; code == ERR_OK && i < finding.sweep_count; i++) {
        state_document_discard(world->disk, finding.sweep[i]);
    }
    for (int i = 0; code == ERR_OK && i < 2 && finding.newest[i].number != 0; i++) {
        backup->after = backup->copied = backup_piece_after(finding.newest[i].thing);
        backup->piece_bytes = 0;
        code = take_piece(backup, &finding.newest[i], err);
        if (code == ERR_OK) {
            break;
        }
        code = code == ERR_CORRUPT || code == ERR_LIMIT || code == ERR_NOT_FOUND ? ERR_OK : code;
        backup->chain[0] = '\0';
    }
    return code == ERR_OK && backup->chain[0] != '\0' ? compare(backup, err) : code;
}

void backup_begin(struct backup *backup) {
    backup->number++;
}

void backup_release(struct backup *backup) {
    text_release(&backup->content);
    text_release(&backup->again);
}
