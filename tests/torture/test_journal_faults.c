/* test_journal_faults.c - every seam call of the journal fails, one after another, once or for good, SQLite
 * runs out of memory, and the file is not what it was: an acknowledged row survives or damage is told. */
#include "core/base/hash.h"
#include "core/state/vfs.h"
#include "tests/torture/state_rig.h"

static enum err_code add(struct journal *journal, struct err *err) {
    char body[160];
    snprintf(body, sizeof body, "{\"n\":%d,\"text\":\"%0100d\"}",
             (int)journal_last_seq(journal) + journal_pending(journal) + 1, 0);
    return journal_append(journal, "intent", "key", body, NULL, err);
}

static enum err_code count_rows(void *context, const struct journal_row *row, struct err *err) {
    int *count = context;
    ++*count;
    return row->seq == *count ? ERR_OK : err_set(err, ERR_CORRUPT, "row %d", *count);
}

static int rows_in(struct journal *journal) {
    int count = 0;
    struct err err = {0};
    cr_expect_eq(journal_read(journal, 0, count_rows, &count, &err), ERR_OK, "%s", err.text);
    return count;
}

/* Rows seen by a reading, -1 if it failed. */
static int rows_read(struct journal *journal, struct err *err) {
    int count = 0;
    return journal_read(journal, 0, count_rows, &count, err) == ERR_OK ? count : -1;
}

static void try_journal(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct journal *journal = NULL;
    int64_t acked = 0;
    arm(rig, n, is_persistent, wanted);
    enum err_code opened = journal_open(&rig->world, "j.db", NULL, &journal, &rig->err);
    cr_expect_eq(opened == ERR_OK, journal != NULL);
    for (int i = 0; i < 3 && journal != NULL; i++) {
        if (add(journal, &rig->err) == ERR_OK && add(journal, &rig->err) == ERR_OK &&
            journal_commit(journal, &rig->err) == ERR_OK) {
            acked += 2;
        }
        int seen = 0;
        if (journal_read(journal, 0, count_rows, &seen, &rig->err) == ERR_OK) {
            cr_expect_eq(seen, journal_last_seq(journal), "call %d", n);
        }
    }
    if (journal != NULL && n % 2 == 0) { /* the disk is well again: the same process goes on */
        disarm(rig);
        if (journal_pending(journal) >
            0) { /* the second append failed after the first: all gone? */
            cr_expect_eq(journal_commit(journal, &rig->err), ERR_OK);
            acked = journal_last_seq(journal);
        }
        cr_expect_eq(journal_last_seq(journal), acked, "call %d", n);
        cr_expect_eq(add(journal, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
        cr_expect_eq(journal_commit(journal, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
        acked++;
        cr_expect_eq(rows_in(journal), acked, "call %d", n);
    }
    journal_close(journal);
    disarm(rig);
    power_cut(rig);
    journal = NULL;
    cr_assert_eq(journal_open(&rig->world, "j.db", NULL, &journal, &rig->err), ERR_OK,
                 "call %d: %s", n, rig->err.text);
    cr_expect_geq(journal_last_seq(journal), acked,
                  "call %d: an acknowledged row is lost: %d of %d, %s %s", n,
                  (int)journal_last_seq(journal), (int)acked, is_persistent ? "for good" : "once",
                  err_word(wanted));
    cr_expect_eq(rows_in(journal), journal_last_seq(journal));
    journal_close(journal);
}

Test(journal_faults, an_acknowledged_row_survives_whatever_call_fails) {
    torture(try_journal, 40);
}

static void try_read(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig->world, "j.db", NULL, &journal, &rig->err), ERR_OK);
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(add(journal, &rig->err), ERR_OK);
    }
    cr_assert_eq(journal_commit(journal, &rig->err), ERR_OK);
    journal_close(journal);
    arm(rig, n, is_persistent, wanted);
    int count = 0;
    enum err_code code = journal_open(&rig->world, "j.db", NULL, &journal, &rig->err);
    if (code == ERR_OK) {
        code = journal_read(journal, 0, count_rows, &count, &rig->err);
        cr_expect(code != ERR_OK || count == 300, "call %d: %d rows and no error", n, count);
        journal_close(journal);
    }
    disarm(rig);
    cr_expect_neq(code, ERR_CORRUPT, "call %d: a disk that says no is no damage: %s", n,
                  rig->err.text);
}

Test(journal_faults, a_journal_is_read_whole_or_an_error) {
    torture(try_read, 20);
}

Test(journal_faults, rows_beyond_the_limits_are_refused_and_the_transaction_stays) {
    struct rig rig;
    start(&rig);
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err), ERR_OK);
    cr_assert_eq(add(journal, &rig.err), ERR_OK);
    size_t n = ((size_t)1 << 20) + 1;
    char *big = malloc(n + 1);
    cr_assert_not_null(big);
    memset(big, ' ', n);
    big[0] = '{';
    big[n] = '\0';
    cr_expect_eq(journal_append(journal, "intent", "", big, NULL, &rig.err), ERR_LIMIT);
    cr_expect_eq(journal_append(journal, "intent", big, "{}", NULL, &rig.err), ERR_LIMIT);
    big[n - 1] = '\0';
    enum err_code code = ERR_OK;
    int taken = 0;
    for (; taken < 100 && code == ERR_OK; taken++) {
        code = journal_append(journal, "intent", "", big, NULL, &rig.err);
    }
    cr_expect_eq(code, ERR_LIMIT);
    cr_expect_eq(taken, 64, "64 MiB pend at most: %d", taken);
    cr_expect_eq(journal_commit(journal, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(journal_last_seq(journal), 64);
    free(big);
    journal_close(journal);
    char name[DISK_NAME_MAX];
    memset(name, 'a', sizeof name);
    name[DISK_NAME_MAX - 8] = '\0'; /* no room for "-journal" */
    cr_expect_eq(journal_open(&rig.world, name, NULL, &journal, &rig.err), ERR_LIMIT);
    stop(&rig);
}

/* --- what is in the file --- */

#define TABLE                                                                                      \
    "CREATE TABLE row(seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, key TEXT "    \
    "NOT NULL, body TEXT NOT NULL, chain TEXT NOT NULL) STRICT;"
#define OURS "PRAGMA application_id=1398034993;" TABLE /* "STR1" */
#define ROW(seq, at, body, chain)                                                                  \
    "INSERT INTO row VALUES(" seq ",'" at "','k',''," body "," chain ");"
#define AT "2026-09-01T13:30:00Z"
#define NO_CHAIN "'0000000000000000'"

/* Puts a database made by SQL in the place of j.db, and no log beside it. */
static void put_database(struct rig *rig, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_int64 n = 0;
    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%.300s", sql);
    unsigned char *bytes = sqlite3_serialize(db, "main", &n, 0);
    cr_assert_not_null(bytes);
    (void)sim_disk_remove_raw(rig->disk, "j.db-wal");
    sim_disk_write_raw(rig->disk, "j.db", bytes, (size_t)n);
    sqlite3_free(bytes);
    sqlite3_close(db);
}

Test(journal_faults, a_database_of_another_program_or_a_forged_row_is_corrupt) {
    static const struct {
        const char *sql, *says; /* NULL: it is good */
    } cases[] = {
        {OURS, NULL},
        {"CREATE TABLE other(a);", "application_id"},
        {TABLE, "application_id"},
        {OURS "CREATE TABLE more(a);", "group_concat"},
        {OURS ROW("1", AT, "'{}'", NO_CHAIN), "row 1 "},
        {OURS ROW("1", AT, "'{}'", "'000000000000000x'"), "row 1 "},
        {OURS ROW("1", AT, "'{}'", "cast(zeroblob(16) AS TEXT)"), "row 1 "},
        {OURS ROW("1", AT, "'{}'", "'0'"), "row 1 "},
        {OURS ROW("2", AT, "'{}'", NO_CHAIN), "row 1 "},
        {OURS ROW("-1", AT, "'{}'", NO_CHAIN), "row 1 "},
        {OURS ROW("1", AT, "hex(zeroblob(524289))", NO_CHAIN), "row 1 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;
        start(&rig);
        struct journal *journal = NULL;
        put_database(&rig, cases[i].sql);
        enum err_code code = journal_open(&rig.world, "j.db", NULL, &journal, &rig.err);
        cr_expect_eq(code, cases[i].says == NULL ? ERR_OK : ERR_CORRUPT, "%zu: %s", i,
                     rig.err.text);
        cr_expect_eq(journal != NULL, cases[i].says == NULL, "%zu", i);
        if (cases[i].says != NULL) {
            cr_expect_not_null(strstr(rig.err.text, cases[i].says), "%zu: %s", i, rig.err.text);
        }
        journal_close(journal);
        stop(&rig);
    }
}

/* A row as the journal writes it, by its stated rule: seq, then each field behind its length. */
static void print_row(const char *at, const char *body, struct text *sql) {
    const char *const fields[] = {at, "k", "", body};
    struct text bytes = {0};
    char chain[17];
    int64_t seq = 1;
    text_add_bytes(&bytes, &seq, sizeof seq);
    for (size_t i = 0; i < 4; i++) {
        uint64_t n = strlen(fields[i]);
        text_add_bytes(&bytes, &n, sizeof n);
        text_add_bytes(&bytes, fields[i], n);
    }
    hash64_print(hash64(bytes.data, bytes.len, 0), chain);
    text_clear(sql);
    text_add_format(sql, OURS "INSERT INTO row VALUES(1,'%s','k','','%s','%s');", at, body, chain);
    text_release(&bytes);
}

Test(journal_faults, a_row_whose_chain_holds_needs_a_time_all_the_same) {
    static const char *const times[] = {AT, "yesterday"};
    struct text sql = {0};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        start(&rig);
        struct journal *journal = NULL;
        print_row(times[i], "{}", &sql);
        put_database(&rig, text_get(&sql));
        cr_expect_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err),
                     i == 0 ? ERR_OK : ERR_CORRUPT, "%s", rig.err.text);
        journal_close(journal);
        stop(&rig);
    }
    text_release(&sql);
}

/* The disk fails, the journal goes down, and before it comes back another file lies in its place. */
Test(journal_faults, a_file_that_changed_while_the_journal_was_down_is_corrupt) {
    struct text other = {0};
    struct text same = {0};
    print_row(AT, "{}", &same);
    print_row(AT, "{\"n\":2}", &other);
    const char *const files[] = {text_get(&same), text_get(&other), OURS,
                                 OURS ROW("1", AT, "'{}'", "'x'")};
    for (size_t i = 0; i < 4; i++) {
        struct rig rig;
        start(&rig);
        struct journal *journal = NULL;
        put_database(&rig, text_get(&same));
        cr_assert_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err), ERR_OK);
        cr_assert_eq(add(journal, &rig.err), ERR_OK);
        arm(&rig, 1, true, ERR_IO);
        cr_assert_eq(journal_commit(journal, &rig.err), ERR_IO);
        cr_expect_eq(rows_read(journal, &rig.err), -1, "down is not empty");
        disarm(&rig);
        put_database(&rig, files[i]);
        enum err_code code = add(journal, &rig.err);
        cr_expect_eq(code, i == 0 ? ERR_OK : ERR_CORRUPT, "%zu: %s", i, rig.err.text);
        cr_expect_eq(journal_last_seq(journal), 1);
        journal_close(journal);
        stop(&rig);
    }
    text_release(&other);
    text_release(&same);
}

/* --- SQLite out of memory --- */

/* One open, two rows, a read, with `bytes` to spare from the start (or from after the open). */
static bool try_memory(int64_t bytes, bool is_open_free) {
    struct rig rig;
    start(&rig);
    struct journal *journal = NULL;
    int64_t acked = 0;
    int64_t spare = sqlite3_memory_used() + bytes;
    (void)sqlite3_hard_heap_limit64(is_open_free ? 0 : spare);
    enum err_code code = journal_open(&rig.world, "j.db", NULL, &journal, &rig.err);
    if (is_open_free) {
        (void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + bytes);
    }
    for (int i = 0; i < 2 && journal != NULL && code == ERR_OK; i++) {
        code = add(journal, &rig.err);
        code = code == ERR_OK ? journal_commit(journal, &rig.err) : code;
        acked += code == ERR_OK;
    }
    if (code == ERR_OK) {
        int seen = 0;
        code = journal_read(journal, 0, count_rows, &seen, &rig.err);
        cr_expect(code != ERR_OK || seen == 2, "%d rows", seen);
    }
    cr_expect(code == ERR_OK || code == ERR_MEMORY || code == ERR_IO, "%d: %s", (int)bytes,
              rig.err.text);
    (void)sqlite3_hard_heap_limit64(0);
    if (journal != NULL) { /* memory is there again: the same process goes on */
        cr_expect_eq(add(journal, &rig.err), ERR_OK, "%d: %s", (int)bytes, rig.err.text);
        cr_expect_eq(journal_commit(journal, &rig.err), ERR_OK, "%d: %s", (int)bytes, rig.err.text);
        cr_expect_eq(rows_read(journal, &rig.err), (int)journal_last_seq(journal));
        acked++;
    }
    journal_close(journal);
    power_cut(&rig);
    journal = NULL;
    cr_assert_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err), ERR_OK, "%s",
                 rig.err.text);
    cr_expect_geq(journal_last_seq(journal), acked, "%d bytes: an acknowledged row is lost",
                  (int)bytes);
    journal_close(journal);
    stop(&rig);
    return code == ERR_OK;
}

Test(journal_faults, an_acknowledged_row_survives_sqlite_running_out_of_memory) {
    for (int is_open_free = 0; is_open_free < 2; is_open_free++) {
        int failures = 0;
        int successes = 0;
        for (int64_t bytes = 0; bytes < 1 << 20 && successes < 5; bytes += 512) {
            bool is_good = try_memory(bytes, is_open_free == 1);
            failures += !is_good;
            successes += is_good;
        }
        cr_expect_gt(failures, 5);
        cr_expect_eq(successes, 5);
    }
}

/* --- visits --- */

static enum err_code refuse_second(void *context, const struct journal_row *row, struct err *err) {
    ++*(int *)context;
    return row->seq == 2 ? err_set(err, ERR_PARSE, "enough") : ERR_OK;
}

Test(journal_faults, a_visit_that_refuses_ends_the_walk_with_its_error) {
    struct rig rig;
    start(&rig);
    struct journal *journal = NULL;
    int visits = 0;
    cr_assert_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err), ERR_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(add(journal, &rig.err), ERR_OK);
    }
    cr_assert_eq(journal_commit(journal, NULL), ERR_OK);
    cr_expect_eq(journal_commit(journal, NULL), ERR_OK, "nothing pends");
    cr_expect_eq(journal_read(journal, -5, refuse_second, &visits, &rig.err), ERR_PARSE);
    cr_expect_eq(visits, 2);
    cr_expect_eq(rows_in(journal), 3);
    journal_close(journal);
    stop(&rig);
}

struct nested {
    struct journal *journal;
    int outer, inner;
};

static enum err_code read_again(void *context, const struct journal_row *row, struct err *err) {
    struct nested *nested = context;
    int count = 0;
    enum err_code code = journal_read(nested->journal, 0, count_rows, &count, err);
    nested->outer++;
    nested->inner += count;
    return code == ERR_OK && row->seq != nested->outer ? err_set(err, ERR_CORRUPT, "order") : code;
}

Test(journal_faults, a_visit_may_read_the_journal_itself) {
    struct rig rig;
    start(&rig);
    struct nested nested = {0};
    cr_assert_eq(journal_open(&rig.world, "j.db", NULL, &nested.journal, &rig.err), ERR_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(add(nested.journal, &rig.err), ERR_OK);
    }
    cr_assert_eq(journal_commit(nested.journal, NULL), ERR_OK);
    cr_expect_eq(journal_read(nested.journal, 0, read_again, &nested, &rig.err), ERR_OK);
    cr_expect_eq(nested.outer, 3);
    cr_expect_eq(nested.inner, 9);
    cr_expect_eq(add(nested.journal, &rig.err), ERR_OK, "and writing goes on");
    cr_expect_eq(journal_commit(nested.journal, &rig.err), ERR_OK);
    journal_close(nested.journal);
    stop(&rig);
}

/* --- the VFS, as SQLite calls it --- */

Test(journal_faults, the_vfs_answers_what_sqlite_seldom_asks) {
    struct rig rig;
    start(&rig);
    struct vfs vfs;
    cr_assert_eq(vfs_register(&vfs, &rig.world, NULL, &rig.err), ERR_OK);
    sqlite3_vfs *base = &vfs.base;
    sqlite3_file *file = calloc(1, (size_t)base->szOsFile);
    cr_assert_not_null(file);
    char text[300];
    double days = 0;
    int answer = 7;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    cr_expect_eq(base->xOpen(base, NULL, file, flags, NULL), SQLITE_CANTOPEN);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    cr_expect_eq(base->xOpen(base, text, file, flags, NULL), SQLITE_CANTOPEN);
    cr_expect_null(file->pMethods);
    cr_expect_eq(base->xFullPathname(base, "abc", 3, text), SQLITE_CANTOPEN);
    cr_expect_eq(base->xFullPathname(base, "abc", 4, text), SQLITE_OK);
    cr_expect_eq(base->xOpen(base, "t", file,
                             flags | SQLITE_OPEN_EXCLUSIVE | SQLITE_OPEN_DELETEONCLOSE, NULL),
                 SQLITE_OK);
    cr_expect_eq(file->pMethods->xFileControl(file, 99, NULL), SQLITE_NOTFOUND);
    cr_expect_eq(file->pMethods->xSectorSize(file), 4096);
    cr_expect_eq(file->pMethods->xCheckReservedLock(file, &answer), SQLITE_OK);
    cr_expect_eq(answer, 0);
    cr_expect_eq(base->xAccess(base, "t", 0, &answer), SQLITE_OK);
    cr_expect_eq(answer, 0, "an empty file counts as absent");
    cr_expect_eq(file->pMethods->xWrite(file, "x", 1, 0), SQLITE_OK);
    cr_expect_eq(base->xAccess(base, "t", 0, &answer), SQLITE_OK);
    cr_expect_eq(answer, 1);
    for (int n = 1; n <= 2; n++) { /* open, size */
        arm(&rig, n, false, ERR_IO);
        cr_expect_eq(base->xAccess(base, "t", 0, &answer), SQLITE_IOERR_ACCESS);
    }
    arm(&rig, 1, false, ERR_NO_SPACE);
    cr_expect_eq(file->pMethods->xTruncate(file, 0), SQLITE_FULL);
    base->xGetLastError(base, sizeof text, text);
    cr_expect_str_eq(text, "told to fail");
    base->xGetLastError(base, 0, NULL);
    arm(&rig, 1, false, ERR_IO);
    sqlite3_int64 size = 0;
    cr_expect_eq(file->pMethods->xFileSize(file, &size), SQLITE_IOERR_FSTAT);
    arm(&rig, 2, false, ERR_IO);
    cr_expect_eq(file->pMethods->xSync(file, 0), SQLITE_IOERR_DIR_FSYNC);
    disarm(&rig);
    cr_expect_eq(file->pMethods->xSync(file, 0), SQLITE_OK, "still owed, and paid");
    arm(&rig, 1, true, ERR_IO); /* the removal on close is best effort */
    cr_expect_eq(file->pMethods->xClose(file), SQLITE_OK);
    disarm(&rig);
    cr_expect(sim_disk_exists(rig.disk, "t"));
    cr_expect_eq(base->xOpen(base, "u", file, flags | SQLITE_OPEN_DELETEONCLOSE, NULL), SQLITE_OK);
    cr_expect_eq(file->pMethods->xClose(file), SQLITE_OK);
    cr_expect_not(sim_disk_exists(rig.disk, "u"));
    arm(&rig, 2, false, ERR_IO);
    cr_expect_eq(base->xDelete(base, "t", 1), SQLITE_IOERR_DELETE);
    disarm(&rig);
    cr_expect_eq(base->xDelete(base, "t", 1), SQLITE_IOERR_DELETE_NOENT);
    cr_expect_eq(base->xRandomness(base, 300, text), 300);
    arm(&rig, 1, false, ERR_IO);
    cr_expect_eq(base->xRandomness(base, 8, text), 8);
    cr_expect_eq(memcmp(text, "\0\0\0\0\0\0\0\0", 8), 0);
    disarm(&rig);
    cr_expect_eq(base->xCurrentTime(base, &days), SQLITE_OK);
    cr_expect_float_eq(days, 2440587.5 + 1788269400.0 / 86400.0, 1e-6);
    cr_expect_eq(base->xSleep(base, 5), 5);
    free(file);
    vfs_unregister(&vfs);
    stop(&rig);
}

Test(journal_faults, more_than_1000_journals_in_one_process_are_a_leak) {
    struct rig rig;
    start(&rig);
    struct vfs *all = calloc(1001, sizeof *all);
    cr_assert_not_null(all);
    size_t count = 0;
    while (count < 1001 && vfs_register(&all[count], &rig.world, NULL, &rig.err) == ERR_OK) {
        count++;
    }
    cr_expect_eq(count, 1000);
    cr_expect_eq(rig.err.code, ERR_LIMIT);
    struct journal *journal = NULL;
    cr_expect_eq(journal_open(&rig.world, "j.db", NULL, &journal, &rig.err), ERR_LIMIT);
    while (count > 0) {
        vfs_unregister(&all[--count]);
    }
    free(all);
    stop(&rig);
}
