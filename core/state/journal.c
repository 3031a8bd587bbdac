/* journal.c - the append-only table, its hash chain, and what to do when a COMMIT fails.
 *
 * An errored COMMIT leaves a commit frame in the WAL or not, durable or not. journal_commit()
 * settles it: close the connection (the WAL stays), open again, which recovers what is there; a
 * checkpoint then copies it to the database and syncs, so that what is found is durable whatever
 * became of the first sync. (The log is written anew before it is read: renew_log().) If the disk
 * does not even allow that, the rows count as rejected and the journal is down; the next call opens
 * it again and removes rejected rows before it does anything else. */
#include "core/state/journal.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/state/disk_copy.h"
#include "core/state/vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION_ID 0x53545231 /* "STR1" */
#define PENDING_BYTES_MAX ((size_t)64 << 20)
#define BODY_BYTES_MAX ((size_t)1 << 20)
#define CHAIN_TEXT 16

static const char schema[] = "CREATE TABLE row(seq INTEGER PRIMARY KEY, at TEXT NOT NULL, "
                             "kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, "
                             "chain TEXT NOT NULL) STRICT";

struct journal {
    struct vfs vfs;
    struct world *world;
    char name[DISK_NAME_MAX];
    sqlite3 *db; /* NULL: down, to be opened again */
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
    bool is_new;
    bool is_open_once;   /* journal_open() succeeded: failures are survived */
    bool is_reading;     /* inside journal_read(): no append, no commit */
    int64_t last_seq;    /* committed */
    uint64_t last_chain; /* of that row; 0 when empty */
    int64_t pending_seq; /* appended; == last_seq when nothing pends */
    uint64_t pending_chain;
    struct text pending; /* the pending rows, for the observer: at, kind NUL key NUL body NUL */
    struct text scratch; /* what the chain hashes */
    journal_hear *hear;  /* NULL: nobody listens */
    void *hear_context;
};

/* The error of an SQLite call: what the disk said, if that is why. */
static enum err_code sql_failed(struct journal *journal, int rc, const char *doing,
                                struct err *err) {
    const char *disk = journal->vfs.last.text;
    const char *text = journal->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(journal->db);
    if (journal->vfs.last.code == ERR_LOCKED) { /* for good */
        return err_set(err, ERR_LOCKED, "%s: %s: %s", journal->name, doing, disk);
    }
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return err_set(err, ERR_NO_SPACE, "%s: %s: the disk is full: %s", journal->name, doing,
                       disk);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_CORRUPT, "%s: %s: %s; keep it, and put a good copy in its place",
                       journal->name, doing, text);
    case SQLITE_NOMEM:
        return err_set(err, ERR_MEMORY, "%s: %s: out of memory", journal->name, doing);
    default:
        return err_set(err, ERR_IO, "%s: %s: %s: %s", journal->name, doing, text, disk);
    }
}

static enum err_code execute(struct journal *journal, const char *sql, const char *doing,
                             struct err *err) {
    int rc = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : sql_failed(journal, rc, doing, err);
}

static enum err_code prepare(struct journal *journal, const char *sql, sqlite3_stmt **out,
                             struct err *err) {
    int rc = sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? ERR_OK : sql_failed(journal, rc, "prepare", err);
}

/* The first column of a query's first row as text; "" if there is none. */
static enum err_code ask(struct journal *journal, const char *sql, char *out, size_t out_size,
                         struct err *err) {
    sqlite3_stmt *query = NULL;
    enum err_code code = prepare(journal, sql, &query, err);
    if (code != ERR_OK) {
        return code;
    }
    int rc = sqlite3_step(query);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(query, 0);
        code = text_copy(out, out_size, text == NULL ? "" : text, err);
    } else if (rc == SQLITE_DONE) {
        out[0] = '\0';
    } else {
        code = sql_failed(journal, rc, sql, err);
    }
    rc = sqlite3_finalize(query); /* commits what a PRAGMA changed: WAL may fail only here */
    return code == ERR_OK && rc != SQLITE_OK ? sql_failed(journal, rc, sql, err) : code;
}

/* Asks and compares; another answer is ERR_CORRUPT, unless the disk said no on the way: a check
 * reports a page it could not read as a finding. */
static enum err_code expect(struct journal *journal, const char *sql, const char *wanted,
                            struct err *err) {
    char answer[512] = "";
    journal->vfs.last = (struct err){0};
    enum err_code code = ask(journal, sql, answer, sizeof answer, err);
    if (code == ERR_OK && strcmp(answer, wanted) != 0) {
        if (journal->vfs.last.code != ERR_OK) {
            return sql_failed(journal, SQLITE_IOERR, sql, err);
        }
        return err_set(
            err, ERR_CORRUPT,
            "%s: %s says '%.100s', not '%.100s'; keep it, and put a good copy in its place",
            journal->name, sql, answer, wanted);
    }
    return code;
}

/* Closes the connection without an effect on the disk: the WAL stays for the next open. */
static void disconnect(struct journal *journal) {
    sqlite3_finalize(journal->begin);
    sqlite3_finalize(journal->insert);
    sqlite3_finalize(journal->commit);
    journal->begin = NULL;
    journal->insert = NULL;
    journal->commit = NULL;
    if (journal->db != NULL) {
        (void)sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        CHECK(sqlite3_close(journal->db) == SQLITE_OK);
    }
    journal->db = NULL;
}

/* After a failed sync Linux takes pages for clean that never reached the platter: they are read, the
 * next sync succeeds, and a power cut takes them back, from under all that was acknowledged behind
 * them or half copied by a checkpoint. What a log says is believed only after it was written once
 * more, the same bytes at the same place. https://lwn.net/Articles/752063/ */
static enum err_code renew_log(struct journal *journal, struct err *err) {
    MUTATE(log_not_renewed, return ERR_OK);
    char name[DISK_NAME_MAX + 8];
    struct disk_file file = {0};
    snprintf(name, sizeof name, "%s-wal", journal->name);
    enum err_code code = vfs_open_confirmed(&journal->vfs, name, DISK_WRITE, &file, err);
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    uint64_t copied = 0;
    code = disk_copy_bytes(journal->world->disk, file, file, &copied, err);
    code = code == ERR_OK && copied > 0 ? disk_sync(journal->world->disk, file, err) : code;
    disk_close(journal->world->disk, file);
    return code;
}

/* locking_mode comes first: the other order stays in rollback-journal mode and says nothing. */
static enum err_code connect(struct journal *journal, struct err *err) {
    enum err_code code = renew_log(journal, err);
    if (code != ERR_OK) {
        return code;
    }
    int rc = sqlite3_open_v2(journal->name, &journal->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             journal->vfs.name);
    if (rc != SQLITE_OK) {
        return sql_failed(journal, rc, "open", err);
    }
    code = execute(journal,
                   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=EXTRA;"
                   "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
                   "PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
                   "PRAGMA auto_vacuum=NONE; PRAGMA wal_autocheckpoint=250",
                   "set up", err);
    if (code == ERR_OK) {
        MUTATE(delete_full, return expect(journal, "PRAGMA journal_mode=DELETE", "delete", err));
        code = expect(journal, "PRAGMA journal_mode=WAL", "wal", err);
    }
    return code;
}

/* EXTRA until here (creating); in WAL, FULL syncs the log at each commit, which is all it takes. */
static enum err_code make_ready(struct journal *journal, struct err *err) {
    enum err_code code = execute(journal, "PRAGMA synchronous=FULL", "set up", err);
    MUTATE(synchronous_off, code = execute(journal, "PRAGMA synchronous=OFF", "set up", err));
    if (code == ERR_OK) {
        code = prepare(journal, "BEGIN IMMEDIATE", &journal->begin, err);
    }
    if (code == ERR_OK) {
        code = prepare(journal, "INSERT INTO row VALUES(?1,?2,?3,?4,?5,?6)", &journal->insert, err);
    }
    if (code == ERR_OK) {
        code = prepare(journal, "COMMIT", &journal->commit, err);
    }
    return code;
}

/* A file without a schema is one whose creation a crash cut short: nothing in it ever counted. */
static enum err_code create_or_check_format(struct journal *journal, struct err *err) {
    char objects[32] = "";
    enum err_code code =
        ask(journal, "SELECT count(*) FROM sqlite_schema", objects, sizeof objects, err);
    if (code != ERR_OK) {
        return code;
    }
    if (strcmp(objects, "0") == 0) {
        journal->is_new = true;
        char sql[sizeof schema + 100];
        snprintf(sql, sizeof sql, "BEGIN; PRAGMA application_id=%d; %s; COMMIT", APPLICATION_ID,
                 schema);
        return execute(journal, sql, "create", err);
    }
    char id[16];
    snprintf(id, sizeof id, "%d", APPLICATION_ID);
    code = expect(journal, "PRAGMA application_id", id, err);
    if (code == ERR_OK) {
        code = expect(journal, "SELECT group_concat(sql, ';') FROM sqlite_schema", schema, err);
    }
    if (code == ERR_OK) {
        code = expect(journal, "PRAGMA quick_check(1)", "ok", err);
    }
    return code;
}

static void hash_field(struct text *scratch, const void *bytes, size_t n) {
    uint64_t length = n; /* lengths between the fields: no two rows hash the same bytes */
    text_add_bytes(scratch, &length, sizeof length);
    text_add_bytes(scratch, bytes, n);
}

struct fields { /* the bytes of a row as stored */
    int64_t seq;
    const char *text[4]; /* at, kind, key, body */
    size_t n[4];
};

static uint64_t chain_of(struct text *scratch, const struct fields *fields, uint64_t before) {
    text_clear(scratch);
    text_add_bytes(scratch, &fields->seq, sizeof fields->seq);
    for (int i = 0; i < 4; i++) {
        hash_field(scratch, fields->text[i], fields->n[i]);
    }
    CHECK(!scratch->is_cut);
    return hash64(scratch->data, scratch->len, before);
}

/* Takes the row under the cursor apart; false if it is none of ours. Types are quick_check's affair: of a
 * STRICT table it looks at each. */
static bool take_fields(sqlite3_stmt *query, struct fields *fields, const char **chain) {
    fields->seq = sqlite3_column_int64(query, 0);
    for (int i = 0; i < 4; i++) {
        fields->text[i] = (const char *)sqlite3_column_text(query, i + 1);
        fields->n[i] = (size_t)sqlite3_column_bytes(query, i + 1);
        if (fields->text[i] == NULL || fields->n[i] > BODY_BYTES_MAX) {
            return false;
        }
    }
    *chain = (const char *)sqlite3_column_text(query, 5);
    return *chain != NULL && sqlite3_column_bytes(query, 5) == CHAIN_TEXT;
}

static bool chain_parse(const char *text, uint64_t *out) {
    uint64_t value = 0;
    for (int i = 0; i < CHAIN_TEXT; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL) {
            return false;
        }
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *out = value;
    return true;
}

struct walk { /* where the chain stands */
    int64_t seq;
    uint64_t chain;
    bool is_seeded; /* false: the first row only seeds the chain */
};

/* Checks the row under the cursor against the chain and shows it. */
static enum err_code walk_row(struct journal *journal, sqlite3_stmt *query, struct walk *walk,
                              journal_visit *visit, void *context, struct err *err) {
    struct fields fields = {0};
    const char *chain_text = NULL;
    uint64_t chain = 0;
    struct utc at = {0};
    bool is_good = take_fields(query, &fields, &chain_text) && chain_parse(chain_text, &chain) &&
                   fields.seq == walk->seq + (walk->is_seeded ? 1 : 0);
    if (is_good && walk->is_seeded) {
        is_good = chain == chain_of(&journal->scratch, &fields, walk->chain) &&
                  utc_parse(fields.text[0], &at, NULL) == ERR_OK;
    }
    MUTATE(chain_ignored, is_good = true);
    if (!is_good) {
        return err_set(err, ERR_CORRUPT,
                       "%s: row %lld fails its check; keep it, and put a good copy in its place",
                       journal->name, (long long)(walk->seq + (walk->is_seeded ? 1 : 0)));
    }
    bool is_shown = walk->is_seeded && visit != NULL;
    *walk = (struct walk){.seq = fields.seq, .chain = chain, .is_seeded = true};
    if (!is_shown) {
        return ERR_OK;
    }
    struct journal_row row = {.seq = fields.seq,
                              .at = at,
                              .kind = fields.text[1],
                              .key = fields.text[2],
                              .body = fields.text[3]};
    return visit(context, &row, err);
}

/* Walks rows after < seq <= last in order, streaming; *walk says where it ended. */
static enum err_code walk_rows(struct journal *journal, int64_t after, int64_t last,
                               struct walk *walk, journal_visit *visit, void *context,
                               struct err *err) {
    sqlite3_stmt *query = NULL;
    enum err_code code = prepare(journal,
                                 "SELECT seq,at,kind,key,body,chain FROM row NOT INDEXED "
                                 "WHERE seq>=?1 AND seq<=?2 ORDER BY seq",
                                 &query, err);
    if (code != ERR_OK) {
        return code;
    }
    *walk = (struct walk){.seq = after, .is_seeded = after == 0};
    sqlite3_bind_int64(query, 1, after == 0 ? INT64_MIN : after);
    sqlite3_bind_int64(query, 2, last);
    int rc = SQLITE_ROW;
    while (code == ERR_OK && (rc = sqlite3_step(query)) == SQLITE_ROW) {
        code = walk_row(journal, query, walk, visit, context, err);
    }
    if (code == ERR_OK && rc != SQLITE_DONE) {
        code = sql_failed(journal, rc, "read", err);
    }
    sqlite3_finalize(query);
    return code;
}

static void forget_pending(struct journal *journal) {
    journal->pending_seq = journal->last_seq;
    journal->pending_chain = journal->last_chain;
    text_clear(&journal->pending);
}

/* Nothing of the open transaction stays; a connection that cannot even roll back is given up. */
static void roll_back(struct journal *journal) {
    if (journal->db != NULL && sqlite3_get_autocommit(journal->db) == 0) {
        (void)sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
        if (sqlite3_get_autocommit(journal->db) == 0) {
            disconnect(journal);
        }
    }
    forget_pending(journal);
}

/* Opens again after a failure, without walking the whole chain: only rows above the last committed
 * one are in question. */
static enum err_code reconnect(struct journal *journal, struct err *err) {
    journal->vfs.last = (struct err){0};
    enum err_code code = connect(journal, err);
    if (code == ERR_OK) {
        code = make_ready(journal, err);
    }
    if (code != ERR_OK) {
        disconnect(journal);
    }
    return code;
}

/* Removes rows that an earlier journal_commit() had to report as failed. */
static enum err_code remove_rejected(struct journal *journal, struct err *err) {
    MUTATE(rejected_rows_stay, return ERR_OK);
    char sql[64];
    snprintf(sql, sizeof sql, "DELETE FROM row WHERE seq>%lld", (long long)journal->last_seq);
    enum err_code code = execute(journal, sql, "remove rejected rows", err);
    if (code == ERR_OK) {
        struct walk walk = {0};
        code = walk_rows(journal, journal->last_seq, INT64_MAX, &walk, NULL, NULL, err);
        if (code == ERR_OK && walk.chain != journal->last_chain) {
            code = err_set(err, ERR_CORRUPT, "%s: row %lld changed behind our back", journal->name,
                           (long long)journal->last_seq);
        }
    }
    if (code != ERR_OK) {
        disconnect(journal);
    }
    return code;
}

static enum err_code revive(struct journal *journal, struct err *err) {
    if (journal->db != NULL) {
        return ERR_OK;
    }
    enum err_code code = reconnect(journal, err);
    return code == ERR_OK ? remove_rejected(journal, err) : code;
}

static enum err_code open_inside(struct journal *journal, struct err *err) {
    enum err_code code = connect(journal, err);
    if (code == ERR_OK) {
        code = create_or_check_format(journal, err);
    }
    struct walk walk = {0};
    if (code == ERR_OK) {
        code = walk_rows(journal, 0, INT64_MAX, &walk, NULL, NULL, err);
    }
    if (code == ERR_OK) {
        journal->last_seq = walk.seq;
        journal->last_chain = walk.chain;
        forget_pending(journal);
        code = make_ready(journal, err);
    }
    return code;
}

enum err_code journal_open(struct world *world, const char *name, struct lease *lease,
                           struct journal **out, struct err *err) {
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        return err_set(err, ERR_MEMORY, "%s: out of memory", name);
    }
    journal->world = world;
    journal->pending.limit = PENDING_BYTES_MAX;
    enum err_code code = text_copy(journal->name, sizeof journal->name - 8, name, err);
    if (code == ERR_OK) {
        code = vfs_register(&journal->vfs, world, lease, err);
    }
    if (code != ERR_OK) {
        free(journal);
        return code;
    }
    sqlite3_vfs *previous = vfs_enter(&journal->vfs);
    code = open_inside(journal, err);
    vfs_leave(&journal->vfs, previous);
    if (code != ERR_OK) {
        journal_close(journal);
        return code;
    }
    journal->is_open_once = true;
    *out = journal;
    return ERR_OK;
}

/* A healthy journal leaves one self-contained file behind; any failure on the way leaves a WAL that
 * the next open reads. */
void journal_close(struct journal *journal) {
    if (journal == NULL) {
        return;
    }
    sqlite3_vfs *previous = vfs_enter(&journal->vfs);
    roll_back(journal);
    if (journal->db != NULL && journal->is_open_once) {
        (void)sqlite3_wal_checkpoint_v2(journal->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    disconnect(journal);
    vfs_leave(&journal->vfs, previous);
    vfs_unregister(&journal->vfs);
    text_release(&journal->pending);
    text_release(&journal->scratch);
    free(journal);
}

bool journal_is_new(const struct journal *journal) {
    return journal->is_new;
}

int64_t journal_last_seq(const struct journal *journal) {
    return journal->last_seq;
}

int journal_pending(const struct journal *journal) {
    return (int)(journal->pending_seq - journal->last_seq);
}

static int run_once(sqlite3_stmt *statement) {
    int rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int insert_row(struct journal *journal, const struct fields *fields, uint64_t chain) {
    sqlite3_stmt *insert = journal->insert;
    char hex[CHAIN_TEXT + 1];
    hash64_print(chain, hex);
    sqlite3_bind_int64(insert, 1, fields->seq);
    for (int i = 0; i < 4; i++) {
        sqlite3_bind_text(insert, i + 2, fields->text[i], (int)fields->n[i], SQLITE_STATIC);
    }
    sqlite3_bind_text(insert, 6, hex, CHAIN_TEXT, SQLITE_STATIC);
    int rc = run_once(insert);
    sqlite3_clear_bindings(insert);
    return rc;
}

static void remember_pending(struct journal *journal, struct utc at, const struct fields *fields,
                             uint64_t chain) {
    text_add_bytes(&journal->pending, &at, sizeof at);
    for (int i = 1; i < 4; i++) {
        text_add_bytes(&journal->pending, fields->text[i], fields->n[i] + 1);
    }
    CHECK(!journal->pending.is_cut);
    journal->pending_seq = fields->seq;
    journal->pending_chain = chain;
}

static enum err_code append_inside(struct journal *journal, struct utc at,
                                   const struct fields *fields, struct err *err) {
    enum err_code code = revive(journal, err);
    if (code != ERR_OK) {
        return code;
    }
    int rc = SQLITE_OK;
    if (journal_pending(journal) == 0) {
        rc = run_once(journal->begin);
    }
    uint64_t chain = chain_of(&journal->scratch, fields, journal->pending_chain);
    if (rc == SQLITE_OK) {
        rc = insert_row(journal, fields, chain);
    }
    if (rc != SQLITE_OK) {
        code = sql_failed(journal, rc, "append", err);
        roll_back(journal);
        return code;
    }
    remember_pending(journal, at, fields, chain);
    return ERR_OK;
}

enum err_code journal_append(struct journal *journal, const char *kind, const char *key,
                             const char *body, int64_t *seq, struct err *err) {
    CHECK(kind[0] != '\0' && body[0] == '{');
    return journal_append_at(journal, clock_utc(journal->world->clock), kind, key, body, seq, err);
}

enum err_code journal_append_at(struct journal *journal, struct utc at, const char *kind,
                                const char *key, const char *body, int64_t *seq, struct err *err) {
    CHECK(!journal->is_reading);
    char at_text[UTC_TEXT_MAX];
    size_t at_length = (size_t)utc_print(at, at_text);
    struct fields fields = {.seq = journal->pending_seq + 1,
                            .text = {at_text, kind, key, body},
                            .n = {at_length, strlen(kind), strlen(key), strlen(body)}};
    size_t bytes = fields.n[1] + fields.n[2] + fields.n[3] + 16;
    if (fields.n[3] > BODY_BYTES_MAX || fields.n[2] > BODY_BYTES_MAX ||
        bytes > PENDING_BYTES_MAX - journal->pending.len) {
        return err_set(err, ERR_LIMIT, "%s: a %s row of %zu bytes", journal->name, kind, bytes);
    }
    sqlite3_vfs *previous = vfs_enter(&journal->vfs);
    enum err_code code = append_inside(journal, at, &fields, err);
    vfs_leave(&journal->vfs, previous);
    if (code == ERR_OK && seq != NULL) {
        *seq = fields.seq;
    }
    return code;
}

/* In doubt: true if the pending rows are there after all, and now durable. */
static bool is_there_after_all(struct journal *journal) {
    disconnect(journal);
    struct err ignored = {0};
    if (reconnect(journal, &ignored) != ERR_OK) {
        return false;
    }
    struct walk walk = {0};
    bool is_there =
        walk_rows(journal, journal->last_seq, INT64_MAX, &walk, NULL, NULL, &ignored) == ERR_OK &&
        walk.seq == journal->pending_seq && walk.chain == journal->pending_chain &&
        sqlite3_wal_checkpoint_v2(journal->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
            SQLITE_OK;
    if (!is_there) {
        disconnect(journal); /* the next call removes what must not count */
    }
    return is_there;
}

static enum err_code commit_inside(struct journal *journal, struct err *err) {
    CHECK(journal->db != NULL && !journal->is_reading);
    int rc = run_once(journal->commit);
    if (rc == SQLITE_OK) {
        return ERR_OK;
    }
    MUTATE(failed_commit_counts, return ERR_OK);
    struct err why = {0};
    enum err_code code = sql_failed(journal, rc, "commit", &why);
    if (is_there_after_all(journal)) {
        return ERR_OK;
    }
    roll_back(journal);
    /* Get rid of the rows now if the disk allows; else the next call does. */
    struct err ignored = {0};
    if (revive(journal, &ignored) != ERR_OK) {
        CHECK(journal->db == NULL);
    }
    if (err != NULL) {
        *err = why;
    }
    return code;
}

static void tell_rows(struct journal *journal, int64_t first) {
    const char *at = journal->pending.data;
    const char *end = at + journal->pending.len;
    for (int64_t seq = first; at < end; seq++) {
        struct event event = {.kind = EVENT_ROW, .number = seq};
        memcpy(&event.at, at, sizeof event.at);
        event.subject = at + sizeof event.at;
        event.id = event.subject + strlen(event.subject) + 1;
        event.body = event.id + strlen(event.id) + 1;
        event.body_len = strlen(event.body);
        at = event.body + event.body_len + 1;
        observe(journal->world->observer, &event);
        if (journal->hear != NULL) {
            journal->hear(journal->hear_context, &(struct journal_row){.seq = seq,
                                                                       .at = event.at,
                                                                       .kind = event.subject,
                                                                       .key = event.id,
                                                                       .body = event.body});
        }
    }
}

void journal_listen(struct journal *journal, journal_hear *hear, void *context) {
    journal->hear = hear;
    journal->hear_context = context;
}

enum err_code journal_commit(struct journal *journal, struct err *err) {
    if (journal_pending(journal) == 0) {
        return ERR_OK;
    }
    sqlite3_vfs *previous = vfs_enter(&journal->vfs);
    enum err_code code = commit_inside(journal, err);
    vfs_leave(&journal->vfs, previous);
    if (code != ERR_OK) {
        return code;
    }
    int64_t first = journal->last_seq + 1;
    journal->last_seq = journal->pending_seq;
    journal->last_chain = journal->pending_chain;
    tell_rows(journal, first);
    text_clear(&journal->pending);
    return ERR_OK;
}

static enum err_code walk_committed(struct journal *journal, int64_t after, int64_t last,
                                    struct walk *walk, journal_visit *visit, void *context,
                                    struct err *err) {
    sqlite3_vfs *previous = vfs_enter(&journal->vfs);
    enum err_code code = revive(journal, err);
    bool was_reading = journal->is_reading;
    journal->is_reading = true;
    if (code == ERR_OK) {
        code = walk_rows(journal, after, last, walk, visit, context, err);
    }
    journal->is_reading = was_reading;
    vfs_leave(&journal->vfs, previous);
    return code;
}

enum err_code journal_read(struct journal *journal, int64_t after, journal_visit *visit,
                           void *context, struct err *err) {
    struct walk walk = {0};
    if (after >= journal->last_seq) {
        return ERR_OK;
    }
    enum err_code code = walk_committed(journal, after < 0 ? 0 : after, journal->last_seq, &walk,
                                        visit, context, err);
    if (code == ERR_OK && walk.seq != journal->last_seq) {
        code = err_set(err, ERR_CORRUPT, "%s: rows end at %lld, not %lld", journal->name,
                       (long long)walk.seq, (long long)journal->last_seq);
    }
    return code;
}

struct printing {
    struct text *out;
    size_t enough;
    bool is_enough;
};

/* The body as a string: its bytes are what the chain hashes. */
static enum err_code print_row(void *context, const struct journal_row *row, struct err *err) {
    struct printing *printing = context;
    struct text *out = printing->out;
    char at[UTC_TEXT_MAX];
    (void)err; /* enough is no failure */
    utc_print(row->at, at);
    text_add_format(out, "%s[%lld,\"%s\",", out->len == 0 ? "" : ",\n", (long long)row->seq, at);
    text_add_json_string(out, row->kind);
    text_add_char(out, ',');
    text_add_json_string(out, row->key);
    text_add_char(out, ',');
    text_add_json_string(out, row->body);
    text_add_char(out, ']');
    printing->is_enough = out->len >= printing->enough;
    return printing->is_enough ? ERR_LIMIT : ERR_OK;
}

enum err_code journal_print(struct journal *journal, int64_t after, size_t enough, struct text *out,
                            struct journal_end *end, struct err *err) {
    struct printing printing = {.out = out, .enough = enough};
    struct walk walk = {0};
    text_clear(out);
    enum err_code code =
        walk_committed(journal, after, journal->last_seq, &walk, print_row, &printing, err);
    if (code != ERR_OK && !printing.is_enough) {
        return code;
    }
    if (!printing.is_enough && walk.seq != journal->last_seq) {
        return err_set(err, ERR_CORRUPT, "%s: rows end at %lld, not %lld", journal->name,
                       (long long)walk.seq, (long long)journal->last_seq);
    }
    *end = (struct journal_end){.seq = walk.seq};
    hash64_print(walk.chain, end->chain);
    return text_finish(out, err);
}

enum err_code journal_end_at(struct journal *journal, int64_t seq, struct journal_end *end,
                             struct err *err) {
    struct walk walk = {0};
    CHECK(seq > 0);
    enum err_code code =
        seq > journal->last_seq
            ? err_set(err, ERR_NOT_FOUND, "%s: no row %lld", journal->name, (long long)seq)
            : walk_committed(journal, seq, seq, &walk, NULL, NULL, err);
    if (code == ERR_OK) {
        *end = (struct journal_end){.seq = seq};
        hash64_print(walk.chain, end->chain);
    }
    return code;
}
