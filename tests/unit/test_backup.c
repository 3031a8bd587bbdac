/* test_backup.c - copies of documents and of the journal: what becomes one, what stays, what a start finds,
 * and what a bad disk, a wrong wall and a lost lease do to it. */
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/state/backup.h"
#include "core/state/restore.h"
#include "core/state/state_file.h"
#include "tests/torture/failing_disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define FREEZES "governor_freezes.json"

struct rig {
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct sim_entropy entropy;
    struct failing_disk failing;
    struct world world;
    struct journal *journal;
    struct backup backup;
    struct err err;
};

static struct rig rig;

/* 2026-09-01T13:30:00Z */
static void start(void) {
    rig = (struct rig){0};
    rig.disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    rig.clock = virtual_clock_create((struct utc){INT64_C(1788269400) * NANOS}, "test");
    sim_entropy_init(&rig.entropy, 1, "core", 0);
    failing_disk_init(&rig.failing, sim_disk_port(rig.disk, 0), &rig.entropy.seam);
    rig.world = (struct world){.clock = virtual_clock_seam(rig.clock),
                               .disk = &rig.failing.seam,
                               .entropy = &rig.failing.entropy};
    cr_assert_eq(journal_open(&rig.world, JOURNAL_FILE, NULL, &rig.journal, &rig.err), ERR_OK);
    cr_assert_eq(backup_open(&rig.backup, &rig.world, NULL, rig.journal, &rig.err), ERR_OK);
}

static void stop(void) {
    backup_release(&rig.backup);
    journal_close(rig.journal);
    sim_disk_destroy(rig.disk);
    virtual_clock_destroy(rig.clock);
}

TestSuite(backup, .init = start, .fini = stop);

static void reopen(void) {
    cr_assert_eq(backup_open(&rig.backup, &rig.world, NULL, rig.journal, &rig.err), ERR_OK, "%s",
                 rig.err.text);
}

static void row(size_t bytes) {
    struct text body = {0};
    text_add(&body, "{\"x\":\"");
    for (size_t i = 0; i < bytes; i++) {
        text_add_char(&body, 'x');
    }
    text_add(&body, "\"}");
    cr_assert_eq(journal_append(rig.journal, "note", "a", text_get(&body), NULL, &rig.err), ERR_OK);
    cr_assert_eq(journal_commit(rig.journal, &rig.err), ERR_OK);
    text_release(&body);
}

static void save(const char *members) {
    cr_assert_eq(
        state_file_save(&rig.world, FREEZES, journal_last_seq(rig.journal), members, &rig.err),
        ERR_OK);
}

static enum err_code copy_freezes(int newest, int days) {
    struct backup_kept kept = {.newest = newest, .days = days};
    backup_begin(&rig.backup);
    return backup_copy_document(&rig.backup, FREEZES, &kept, &rig.err);
}

static bool copy_journal(void) {
    bool is_whole = false;
    backup_begin(&rig.backup);
    cr_assert_eq(backup_copy_journal(&rig.backup, &is_whole, &rig.err), ERR_OK, "%s", rig.err.text);
    return is_whole;
}

static void list(void *context, const char *name) {
    text_add(context, name);
    text_add_char(context, ' ');
}

/* Names of all that is in backups/. */
static void expect_names(const char *wanted) {
    struct text names = {0};
    cr_assert_eq(disk_list(rig.world.disk, BACKUP_FOLDER, list, &names, &rig.err), ERR_OK);
    cr_expect_str_eq(text_get(&names), wanted);
    text_release(&names);
}

static void read_copy(const char *name, struct text *out) {
    char path[DISK_NAME_MAX];
    snprintf(path, sizeof path, BACKUP_FOLDER "/%s", name);
    cr_assert(sim_disk_read_durable(rig.disk, path, out), "%s is not durable", name);
}

static void set_wall(int64_t ahead_s) {
    virtual_clock_set_offset(rig.clock, (struct span){ahead_s * NANOS});
}

Test(backup, of_a_document_is_the_same_bytes_and_durable) {
    struct text copy = {0};
    struct text now = {0};
    save("\"a\":1");
    cr_assert_eq(copy_freezes(24, 14), ERR_OK);
    read_copy("00000001-20260901T133000Z-governor_freezes.json", &copy);
    cr_assert(sim_disk_read(rig.disk, FREEZES, &now));
    cr_expect_str_eq(text_get(&copy), text_get(&now));
    text_release(&copy);
    text_release(&now);
}

Test(backup, of_what_is_missing_is_none) {
    cr_expect_eq(copy_freezes(24, 14), ERR_NOT_FOUND);
    expect_names("");
}

Test(backup, never_takes_a_damaged_document_but_its_newest_good_generation) {
    struct text copy = {0};
    save("\"a\":1");
    save("\"a\":2");
    sim_disk_write_raw(rig.disk, FREEZES, "{}", 2);
    cr_assert_eq(copy_freezes(24, 14), ERR_OK, "%s", rig.err.text);
    read_copy("00000001-20260901T133000Z-governor_freezes.json", &copy);
    cr_expect_not_null(strstr(text_get(&copy), "\"a\":1"));
    text_release(&copy);
}

Test(backup, keeps_the_good_copy_where_nothing_good_is_left) {
    static const char *const bad[] = {"", "{", "[]", "{\"_seatrial\":{}}"};
    save("\"a\":1");
    cr_assert_eq(copy_freezes(2, 1), ERR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sim_disk_write_raw(rig.disk, FREEZES, bad[i], strlen(bad[i]));
        cr_expect_eq(copy_freezes(2, 1), ERR_CORRUPT);
    }
    expect_names("00000001-20260901T133000Z-governor_freezes.json ");
}

static void spoil_if_temporary(void *context, const char *name) {
    struct text *names = context;
    if (strstr(name, ".tmp") != NULL) {
        text_add(names, name);
    }
}

static void spoil(void *context) {
    struct text names = {0};
    (void)context;
    sim_disk_visit_all(rig.disk, spoil_if_temporary, &names);
    cr_assert_gt(names.len, 0);
    sim_disk_write_raw(rig.disk, text_get(&names), "{}", 2);
    text_release(&names);
}

/* Between the sync and the reading back: the ninth call. */
Test(backup, that_reads_back_wrong_is_thrown_away) {
    save("\"a\":1");
    cr_assert_eq(copy_freezes(2, 1), ERR_OK);
    rig.failing.calls = 0;
    rig.failing.pause_at = 9;
    rig.failing.pause = spoil;
    cr_expect_eq(copy_freezes(2, 1), ERR_CORRUPT);
    expect_names("00000001-20260901T133000Z-governor_freezes.json ");
}

Test(backup, keeps_the_newest_and_the_last_of_each_day) {
    save("\"a\":1");
    for (int day = 0; day < 4; day++) { /* two each 24 h, the second behind midnight */
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(copy_freezes(2, 3), ERR_OK);
            virtual_clock_advance(rig.clock, SPAN_S(43200));
        }
    }
    expect_names("00000005-20260903T133000Z-governor_freezes.json "
                 "00000007-20260904T133000Z-governor_freezes.json "
                 "00000008-20260905T013000Z-governor_freezes.json ");
}

Test(backup, counts_and_does_not_believe_the_wall) {
    static const int64_t walls_s[] = {0, 864000, -864000, 60};
    save("\"a\":1");
    for (size_t i = 0; i < 4; i++) {
        set_wall(walls_s[i]);
        cr_assert_eq(copy_freezes(3, 1), ERR_OK);
        reopen(); /* numbers go on */
    }
    expect_names("00000002-20260911T133000Z-governor_freezes.json "
                 "00000003-20260822T133000Z-governor_freezes.json "
                 "00000004-20260901T133100Z-governor_freezes.json ");
}

Test(backup, leaves_what_is_not_its_own_alone) {
    static const char *const strangers[] = {"notes.txt", "00000001-20260901T133000Z-",
                                            "0000001-20260901T133000Z-governor_freezes.json",
                                            "00000001-20269901T133000Z-governor_freezes.json"};
    save("\"a\":1");
    for (size_t i = 0; i < 4; i++) {
        char path[DISK_NAME_MAX];
        snprintf(path, sizeof path, BACKUP_FOLDER "/%s", strangers[i]);
        sim_disk_write_raw(rig.disk, path, "x", 1);
        struct backup_name name;
        cr_expect(!backup_name_parse(strangers[i], &name));
    }
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(copy_freezes(1, 0), ERR_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        char path[DISK_NAME_MAX];
        snprintf(path, sizeof path, BACKUP_FOLDER "/%s", strangers[i]);
        cr_expect(sim_disk_exists(rig.disk, path));
    }
}

Test(backup, of_the_journal_has_each_row_and_the_chain_at_its_end) {
    struct text copy = {0};
    struct journal_end end = {0};
    row(1);
    row(2);
    cr_expect(copy_journal());
    read_copy("00000001-20260901T133000Z-journal-0.json", &copy);
    cr_expect_not_null(
        strstr(text_get(&copy),
               "[1,\"2026-09-01T13:30:00Z\",\"note\",\"a\",\"{\\\"x\\\":\\\"x\\\"}\"]"),
        "%s", text_get(&copy));
    cr_assert_eq(journal_end_at(rig.journal, 2, &end, &rig.err), ERR_OK);
    cr_expect_not_null(strstr(text_get(&copy), end.chain));
    cr_expect_eq(journal_end_at(rig.journal, 3, &end, &rig.err), ERR_NOT_FOUND);
    text_release(&copy);
}

Test(backup, of_the_journal_is_made_once_for_the_same_rows) {
    row(1);
    cr_expect(copy_journal());
    cr_expect(copy_journal());
    expect_names("00000001-20260901T133000Z-journal-0.json ");
}

/* Two rows of 200 KB fill a piece; the third begins the next; of each two copies stay. */
Test(backup, of_the_journal_goes_on_in_pieces_all_of_which_stay) {
    for (int i = 0; i < 5; i++) {
        row(200000);
        cr_expect(copy_journal());
    }
    expect_names(
        "00000001-20260901T133000Z-journal-0.json 00000002-20260901T133000Z-journal-0.json "
        "00000003-20260901T133000Z-journal-2.json 00000004-20260901T133000Z-journal-2.json "
        "00000005-20260901T133000Z-journal-4.json ");
    reopen();
    row(1);
    cr_expect(copy_journal());
    row(1);
    cr_expect(copy_journal());
    expect_names(
        "00000001-20260901T133000Z-journal-0.json 00000002-20260901T133000Z-journal-0.json "
        "00000003-20260901T133000Z-journal-2.json 00000004-20260901T133000Z-journal-2.json "
        "00000006-20260901T133000Z-journal-4.json 00000007-20260901T133000Z-journal-4.json ");
}

Test(backup, of_a_long_journal_comes_piece_by_piece) {
    for (int i = 0; i < 5; i++) {
        row(200000);
    }
    cr_expect(!copy_journal());
    cr_expect(!copy_journal());
    cr_expect(copy_journal());
    expect_names(
        "00000001-20260901T133000Z-journal-0.json 00000002-20260901T133000Z-journal-2.json "
        "00000003-20260901T133000Z-journal-4.json ");
}

Test(backup, knows_at_a_start_what_is_there) {
    row(1);
    cr_expect(copy_journal());
    virtual_clock_advance(rig.clock, SPAN_S(100));
    reopen();
    cr_expect_eq(rig.backup.number, 1);
    cr_expect_eq(rig.backup.copied, 1);
    cr_expect_eq(rig.backup.made_at.ns, INT64_C(1788269400) * NANOS);
    cr_expect(!rig.backup.is_behind);
}

Test(backup, makes_a_rotten_piece_again_from_the_journal) {
    static const char first[] = BACKUP_FOLDER "/00000001-20260901T133000Z-journal-0.json";
    row(1);
    cr_expect(copy_journal());
    sim_disk_write_raw(rig.disk, first, "{}", 2);
    reopen();
    cr_expect_eq(rig.backup.copied, 0);
    cr_expect(copy_journal());
    cr_expect_eq(rig.backup.copied, 1);
    reopen();
    cr_expect_eq(rig.backup.copied, 1);
}

Test(backup, goes_on_from_the_spare_where_the_newest_piece_is_rotten) {
    row(1);
    cr_expect(copy_journal());
    row(1);
    cr_expect(copy_journal());
    sim_disk_write_raw(rig.disk, BACKUP_FOLDER "/00000002-20260901T133000Z-journal-0.json", "", 0);
    reopen();
    cr_expect_eq(rig.backup.copied, 1);
    cr_expect(!rig.backup.is_behind);
}

/* The journal is made anew with fewer rows, or with others. */
Test(backup, sees_that_the_journal_went_back) {
    for (int rows = 1; rows <= 2; rows++) {
        row(1);
        row(2);
        cr_expect(copy_journal());
        journal_close(rig.journal);
        sim_disk_remove_raw(rig.disk, JOURNAL_FILE);
        cr_assert_eq(journal_open(&rig.world, JOURNAL_FILE, NULL, &rig.journal, &rig.err), ERR_OK);
        for (int i = 0; i < rows; i++) {
            row(7);
        }
        reopen();
        cr_expect(rig.backup.is_behind);
        stop();
        start();
    }
}

Test(backup, sweeps_what_a_dead_process_left_half_done) {
    sim_disk_write_raw(rig.disk, BACKUP_FOLDER "/00000001-20260901T133000Z-a.json.01234567.tmp",
                       "x", 1);
    reopen();
    expect_names("");
}

Test(backup, is_made_by_nobody_who_lost_the_lease) {
    struct lease *lease = NULL;
    struct lease *successor = NULL;
    struct world other = rig.world;
    other.disk = sim_disk_port(rig.disk, 1);
    save("\"a\":1");
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    rig.backup.lease = lease;
    virtual_clock_advance(rig.clock, SPAN_S(60));
    cr_assert_eq(lease_acquire(&other, &successor, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(copy_freezes(2, 1), ERR_LOCKED);
    expect_names("");
    rig.backup.lease = NULL;
    lease_release(successor);
    lease_release(lease);
}

/* Each call of the disk fails in turn: a copy that was there stays, what is new is whole or not there, and
 * the next attempt succeeds. */
Test(backup, survives_each_call_that_fails) {
    struct text copy = {0};
    int n = 1;
    for (bool has_failed = true; has_failed; n++) {
        bool is_whole = false;
        save("\"a\":1");
        row(1);
        cr_assert_eq(copy_freezes(2, 1), ERR_OK);
        cr_expect(copy_journal());
        row(2);
        failing_disk_arm(&rig.failing, n, false, ERR_IO);
        (void)!copy_freezes(2, 1);
        (void)!backup_copy_journal(&rig.backup, &is_whole, &rig.err);
        has_failed = rig.failing.failures > 0;
        failing_disk_arm(&rig.failing, 0, false, ERR_OK);
        read_copy("00000001-20260901T133000Z-governor_freezes.json", &copy);
        read_copy("00000002-20260901T133000Z-journal-0.json", &copy);
        reopen();
        cr_expect(copy_journal());
        cr_expect_eq(rig.backup.copied, 2);
        stop();
        start();
    }
    cr_expect_gt(n, 10, "only %d calls could fail", n - 1);
    text_release(&copy);
}

/* --- a journal made anew --- */

static enum err_code collect(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    text_add_format(context, "%d %lld %s %s %s;", (int)row->seq, (long long)row->at.ns, row->kind,
                    row->key, row->body);
    return ERR_OK;
}

/* All rows, and closes the journal. */
static void read_rows(struct text *out) {
    text_clear(out);
    cr_assert_eq(journal_read(rig.journal, 0, collect, out, &rig.err), ERR_OK);
    journal_close(rig.journal);
    rig.journal = NULL;
}

static void open_again(void) {
    cr_assert_eq(journal_open(&rig.world, JOURNAL_FILE, NULL, &rig.journal, &rig.err), ERR_OK, "%s",
                 rig.err.text);
}

static void damage_journal(void) {
    sim_disk_write_raw(rig.disk, JOURNAL_FILE, "no journal", 10);
}

static void write_pieces(int count) {
    for (int i = 0; i < count; i++) {
        virtual_clock_advance(rig.clock, SPAN_MS(1));
        row(200000);
        cr_expect(copy_journal());
    }
}

Test(backup, makes_a_damaged_journal_anew_row_by_row_and_adds_a_latch) {
    struct text before = {0};
    struct text after = {0};
    struct text damaged = {0};
    int64_t rows = 0;
    write_pieces(5);
    read_rows(&before);
    damage_journal();
    cr_assert_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(rows, 5);
    open_again();
    cr_expect_eq(journal_last_seq(rig.journal), 6);
    reopen();
    cr_expect(!rig.backup.is_behind, "its chain is that of the copies");
    read_rows(&after);
    cr_expect_eq(strncmp(text_get(&before), text_get(&after), before.len), 0);
    cr_expect_not_null(
        strstr(text_get(&after), "latch_set state_regression {\"mode\":\"REDUCE_ONLY\""));
    cr_expect(sim_disk_read_durable(rig.disk, RESTORE_DAMAGED, &damaged));
    cr_expect_str_eq(text_get(&damaged), "no journal");
    open_again();
    text_release(&before);
    text_release(&after);
    text_release(&damaged);
}

Test(backup, makes_no_journal_anew_where_one_is_good) {
    int64_t rows = 0;
    write_pieces(1);
    journal_close(rig.journal);
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_EXISTS);
    cr_expect(!sim_disk_exists(rig.disk, RESTORE_DAMAGED));
    open_again();
    cr_expect_eq(journal_last_seq(rig.journal), 1);
}

/* A power cut between two renames of a restore: the journal lost its log, and may look good. */
Test(backup, bars_a_start_until_a_restore_is_over) {
    int64_t rows = 0;
    write_pieces(1);
    journal_close(rig.journal);
    cr_expect_eq(restore_check(&rig.world, &rig.err), ERR_OK);
    sim_disk_write_raw(rig.disk, RESTORE_UNFINISHED, "half", 4);
    sim_disk_write_raw(rig.disk, RESTORE_DAMAGED "-wal", "log", 3);
    cr_expect_eq(restore_check(&rig.world, &rig.err), ERR_CORRUPT);
    cr_expect_not_null(strstr(rig.err.text, "state restore"));
    cr_assert_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(rows, 1);
    cr_expect_eq(restore_check(&rig.world, &rig.err), ERR_OK);
    open_again();
}

/* The copies are gone: what was begun cannot be finished, and bars a start as before. */
Test(backup, bars_a_start_behind_a_second_attempt_that_fails) {
    int64_t rows = 0;
    journal_close(rig.journal);
    sim_disk_write_raw(rig.disk, RESTORE_UNFINISHED, "half", 4);
    sim_disk_write_raw(rig.disk, RESTORE_DAMAGED "-wal", "log", 3);
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_NOT_FOUND);
    cr_expect_eq(restore_check(&rig.world, &rig.err), ERR_CORRUPT);
    sim_disk_remove_raw(rig.disk, RESTORE_UNFINISHED);
    sim_disk_remove_raw(rig.disk, RESTORE_DAMAGED "-wal");
    open_again();
}

/* Nothing was moved: the journal is whole, and what bars a start goes. */
Test(backup, bars_no_start_beside_a_good_journal) {
    int64_t rows = 0;
    write_pieces(1);
    journal_close(rig.journal);
    sim_disk_write_raw(rig.disk, RESTORE_UNFINISHED, "half", 4);
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_EXISTS);
    cr_expect_eq(restore_check(&rig.world, &rig.err), ERR_OK);
    sim_disk_write_raw(rig.disk, RESTORE_DAMAGED "-wal", "log", 3);
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_EXISTS);
    cr_expect_not_null(strstr(rig.err.text, "move both away"));
    open_again();
    cr_expect_eq(journal_last_seq(rig.journal), 1);
}

Test(backup, makes_no_journal_of_nothing) {
    int64_t rows = 0;
    journal_close(rig.journal);
    damage_journal();
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_NOT_FOUND);
    cr_expect(!sim_disk_exists(rig.disk, RESTORE_DAMAGED));
    cr_expect(!sim_disk_exists(rig.disk, RESTORE_UNFINISHED),
              "nothing was moved: no start is barred");
    sim_disk_remove_raw(rig.disk, JOURNAL_FILE);
    open_again();
}

Test(backup, takes_the_spare_of_a_rotten_piece) {
    int64_t rows = 0;
    write_pieces(2);
    journal_close(rig.journal);
    sim_disk_remove_raw(rig.disk, JOURNAL_FILE);
    sim_disk_write_raw(rig.disk, BACKUP_FOLDER "/00000002-20260901T133000Z-journal-0.json", "{}",
                       2);
    cr_assert_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(rows, 1);
    open_again();
}

/* The second piece of one journal behind the first of another. */
Test(backup, makes_no_journal_of_copies_that_do_not_belong_together) {
    static const char second[] = BACKUP_FOLDER "/00000003-20260901T133000Z-journal-2.json";
    struct text other = {0};
    int64_t rows = 0;
    row(1);
    row(300000);
    cr_expect(copy_journal());
    row(1);
    cr_expect(copy_journal());
    cr_assert(
        sim_disk_read(rig.disk, BACKUP_FOLDER "/00000002-20260901T133000Z-journal-2.json", &other));
    stop();
    start();
    write_pieces(3);
    journal_close(rig.journal);
    damage_journal();
    cr_assert(sim_disk_exists(rig.disk, second));
    sim_disk_write_raw(rig.disk, second, text_get(&other), other.len);
    cr_expect_eq(restore_journal(&rig.world, NULL, &rows, &rig.err), ERR_CORRUPT);
    cr_expect(!sim_disk_exists(rig.disk, RESTORE_DAMAGED));
    sim_disk_remove_raw(rig.disk, JOURNAL_FILE);
    open_again();
    text_release(&other);
}

/* Of what a restore moves nothing is missing where a start would look, unless that start is barred. */
static void expect_whole_or_barred(int n) {
    bool is_old = sim_disk_exists(rig.disk, JOURNAL_FILE) && sim_disk_exists(rig.disk, JOURNAL_WAL);
    bool is_new = sim_disk_exists(rig.disk, JOURNAL_FILE) &&
                  sim_disk_exists(rig.disk, RESTORE_DAMAGED) &&
                  !sim_disk_exists(rig.disk, JOURNAL_WAL);
    cr_expect(is_old || is_new || restore_check(&rig.world, NULL) == ERR_CORRUPT, "call %d", n);
}

/* Each call of the disk fails in turn: tried again, it succeeds, and never is half a journal in place. */
Test(backup, is_restored_at_the_next_attempt_whatever_fails) {
    int n = 1;
    for (bool has_failed = true; has_failed; n++) {
        int64_t rows = 0;
        row(1);
        row(2);
        cr_expect(copy_journal());
        journal_close(rig.journal);
        damage_journal();
        sim_disk_write_raw(rig.disk, JOURNAL_WAL, "its log", 7);
        failing_disk_arm(&rig.failing, n, false, ERR_IO);
        enum err_code code = restore_journal(&rig.world, NULL, &rows, &rig.err);
        has_failed = rig.failing.failures > 0;
        failing_disk_arm(&rig.failing, 0, false, ERR_OK);
        if (code != ERR_OK) {
            expect_whole_or_barred(n);
            failing_disk_arm(&rig.failing, 1, true, ERR_IO);
            (void)!restore_journal(&rig.world, NULL, &rows, &rig.err);
            failing_disk_arm(&rig.failing, 0, false, ERR_OK);
            expect_whole_or_barred(n);
            code = restore_journal(&rig.world, NULL, &rows, &rig.err);
            cr_expect(code == ERR_OK || code == ERR_EXISTS, "call %d: %s", n, rig.err.text);
        }
        open_again();
        cr_expect_eq(journal_last_seq(rig.journal), 3, "call %d", n);
        stop();
        start();
    }
    cr_expect_gt(n, 30, "only %d calls could fail", n - 1);
}
