/* restore.c - see restore.h. */
#include "core/state/restore.h"

#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/state/backup.h"
#include "core/state/state_document.h"

#include <stdio.h>
#include <string.h>

#define BUILT "journal.restoring.db"
#define RESTORED RESTORE_UNFINISHED
#define LATCH_CAUSE "state_regression"

/* --- the pieces --- */

struct wanted { /* copies of the piece behind a row, the newest first */
    int64_t after;
    char name[2][DISK_NAME_MAX];
};

static void take_name(void *context, const char *name) {
    struct wanted *wanted = context;
    struct backup_name copy;
    if (backup_name_parse(name, &copy) && backup_piece_after(copy.thing) == wanted->after) {
        memcpy(wanted->name[1], wanted->name[0], DISK_NAME_MAX);
        snprintf(wanted->name[0], DISK_NAME_MAX, "%s", name);
    }
}

/* Its number is the next: the chain over numbers and content says whether that is right. */
static enum err_code append_row(struct journal *journal, const cJSON *row, struct err *err) {
    const char *text[4] = {0}; /* at, kind, key, body */
    struct utc at = {0};
    for (int i = 0; i < 4; i++) {
        text[i] = cJSON_GetStringValue(cJSON_GetArrayItem(row, i + 1));
        if (text[i] == NULL) {
            return err_set(err, ERR_CORRUPT, "a row is not one");
        }
    }
    enum err_code code = utc_parse(text[0], &at, err);
    return code == ERR_OK ? journal_append_at(journal, at, text[1], text[2], text[3], NULL, err)
                          : code;
}

/* Appends all rows of a good copy; their chain must end as it says. */
static enum err_code append_piece(struct journal *journal, const cJSON *piece, struct err *err) {
    const cJSON *rows = NULL;
    const cJSON *row = NULL;
    const char *chain = "";
    struct journal_end end = {0};
    enum err_code code = json_array(piece, "rows", &rows, err);
    code = code == ERR_OK ? json_string(piece, "chain", &chain, err) : code;
    cJSON_ArrayForEach(row, rows) {
        code = code == ERR_OK ? append_row(journal, row, err) : code;
    }
    code = code == ERR_OK ? journal_commit(journal, err) : code;
    code = code == ERR_OK ? journal_end_at(journal, journal_last_seq(journal), &end, err) : code;
    MUTATE(restore_believes_the_chain, return code);
    if (code == ERR_OK && strcmp(end.chain, chain) != 0) {
        code = err_set(err, ERR_CORRUPT, "the copies do not belong together up to row %lld",
                       (long long)end.seq);
    }
    return code;
}

/* Goes on behind the last row; *is_over: there is no good copy that does. */
static enum err_code next_piece(struct world *world, struct journal *journal, bool *is_over,
                                struct err *err) {
    struct wanted wanted = {.after = journal_last_seq(journal)};
    cJSON *piece = NULL;
    enum err_code code = disk_list(world->disk, BACKUP_FOLDER, take_name, &wanted, err);
    for (int i = 0; code == ERR_OK && i < 2 && piece == NULL && wanted.name[i][0] != '\0'; i++) {
        code = backup_read_piece(world->disk, wanted.name[i], &piece, err);
        code = code == ERR_CORRUPT ? ERR_OK : code; /* then the other copy */
    }
    *is_over = piece == NULL;
    code = code == ERR_OK && piece != NULL ? append_piece(journal, piece, err) : code;
    cJSON_Delete(piece);
    return code;
}

/* --- the new journal --- */

/* What was latched behind the last copied row is not known. */
static enum err_code add_latch(struct journal *journal, int64_t rows, struct err *err) {
    struct text body = {.limit = 512};
    char why[96];
    MUTATE(restore_relaxes, return ERR_OK);
    snprintf(why, sizeof why, "the journal was restored from copies, which end at row %lld",
             (long long)rows);
    text_add_char(&body, '{');
    text_member_string(&body, "mode", "REDUCE_ONLY");
    text_member_string(&body, "by", "restore");
    text_member_string(&body, "why", why);
    text_add_char(&body, '}');
    enum err_code code =
        journal_append(journal, "latch_set", LATCH_CAUSE, text_get(&body), NULL, err);
    text_release(&body);
    return code == ERR_OK ? journal_commit(journal, err) : code;
}

static enum err_code fill(struct world *world, struct journal *journal, int64_t *rows,
                          struct err *err) {
    enum err_code code = ERR_OK;
    for (bool is_over = false; code == ERR_OK && !is_over;) {
        code = next_piece(world, journal, &is_over, err);
    }
    *rows = journal_last_seq(journal);
    if (code == ERR_OK && *rows == 0) {
        code = err_set(err, ERR_NOT_FOUND, "no good copy of the first rows in " BACKUP_FOLDER "/");
    }
    return code == ERR_OK ? add_latch(journal, *rows, err) : code;
}

static enum err_code size_of(struct disk *disk, const char *name, uint64_t *out, struct err *err) {
    struct disk_file file = {0};
    enum err_code code = disk_open(disk, name, DISK_READ, &file, err);
    if (code == ERR_OK) {
        code = disk_size(disk, file, out, err);
        disk_close(disk, file);
    }
    return code;
}

static enum err_code build(struct world *world, struct lease *lease, int64_t *rows,
                           struct err *err) {
    struct journal *journal = NULL;
    uint64_t log_bytes = 0;
    state_document_discard(world->disk, BUILT);
    state_document_discard(world->disk, BUILT "-wal");
    enum err_code code = journal_open(world, BUILT, lease, &journal, err);
    if (code != ERR_OK) {
        return code;
    }
    code = fill(world, journal, rows, err);
    journal_close(journal);
    if (code == ERR_OK && size_of(world->disk, BUILT "-wal", &log_bytes, NULL) == ERR_OK &&
        log_bytes > 0) {
        code = err_set(err, ERR_IO, BUILT " could not be finished");
    }
    state_document_discard(world->disk, BUILT "-wal");
    return code;
}

/* --- the old one --- */

static bool is_there(struct disk *disk, const char *name) {
    uint64_t bytes = 0;
    return size_of(disk, name, &bytes, NULL) != ERR_NOT_FOUND;
}

/* A restore that died when it had begun to move: what it left may look good without its log. */
static bool is_begun(struct disk *disk) {
    bool has_moved = is_there(disk, RESTORE_DAMAGED "-wal") || !is_there(disk, JOURNAL_FILE);
    return is_there(disk, RESTORED) && has_moved;
}

static enum err_code look_at_old(struct world *world, struct lease *lease, struct err *err) {
    struct journal *journal = NULL;
    struct disk *disk = world->disk;
    uint64_t bytes = 0;
    if (is_begun(disk)) {
        return ERR_OK;
    }
    if (is_there(disk, RESTORE_DAMAGED) || is_there(disk, RESTORE_DAMAGED "-wal")) {
        return err_set(err, ERR_EXISTS,
                       RESTORE_DAMAGED " or its -wal is there from before: move both away first");
    }
    enum err_code code = size_of(disk, JOURNAL_FILE, &bytes, err);
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    code = journal_open(world, JOURNAL_FILE, lease, &journal, err);
    if (code == ERR_OK) {
        journal_close(journal);
        state_document_discard(disk, RESTORED); /* nothing was moved: it bars no start */
        return err_set(err, ERR_EXISTS, JOURNAL_FILE " is good: there is nothing to restore");
    }
    return code == ERR_CORRUPT ? ERR_OK : code;
}

static enum err_code move(struct disk *disk, const char *from, const char *to, struct err *err) {
    enum err_code code = disk_rename(disk, from, to, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* What is built gets its name first, which bars a start until the end. Then the log: beside another journal
 * it would be taken for that one's. */
static enum err_code put_in_place(struct world *world, struct lease *lease, struct err *err) {
    struct disk *disk = world->disk;
    enum err_code code = lease == NULL ? ERR_OK : lease_confirm(lease, err);
    code = code == ERR_OK ? disk_rename(disk, BUILT, RESTORED, err) : code;
    code = code == ERR_OK ? disk_sync_dir(disk, "", err) : code;
    code = code == ERR_OK ? move(disk, JOURNAL_WAL, RESTORE_DAMAGED "-wal", err) : code;
    code = code == ERR_OK ? move(disk, JOURNAL_FILE, RESTORE_DAMAGED, err) : code;
    code = code == ERR_OK ? disk_sync_dir(disk, "", err) : code;
    code = code == ERR_OK ? disk_rename(disk, RESTORED, JOURNAL_FILE, err) : code;
    return code == ERR_OK ? disk_sync_dir(disk, "", err) : code;
}

enum err_code restore_journal(struct world *world, struct lease *lease, int64_t *rows,
                              struct err *err) {
    enum err_code code = look_at_old(world, lease, err);
    code = code == ERR_OK ? build(world, lease, rows, err) : code;
    return code == ERR_OK ? put_in_place(world, lease, err) : code;
}

enum err_code restore_check(struct world *world, struct err *err) {
    uint64_t bytes = 0;
    enum err_code code = size_of(world->disk, RESTORED, &bytes, err);
    MUTATE(half_restored_is_whole, code = ERR_NOT_FOUND);
    if (code == ERR_OK) {
        return err_set(err, ERR_CORRUPT,
                       RESTORED
                       " is there: a restore was not finished; run 'seatrial state restore' again");
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
