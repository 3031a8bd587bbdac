/* test_vfs.c - the journal under power cuts, rot, and on three disks. (Every legal crash state of
 * journal and documents: test_crash_states.c.) */
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/base/hash.h"
#include "core/live/disk_posix.h"
#include "core/state/journal.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSACTIONS 10
#define ROWS_EACH 2
#define JOURNAL "journal.db"

struct rig { /* one simulated machine */
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct process process;
    struct mortal_disk mortal;
    struct sim_entropy entropy;
    struct world world;
};

static void rig_start(struct rig *rig, struct disk_rules rules) {
    *rig = (struct rig){0};
    rig->disk = sim_disk_create(7, rules, NULL);
    rig->clock = virtual_clock_create((struct utc){INT64_C(1788269400) * 1000000000}, "test");
    sim_entropy_init(&rig->entropy, 7, "core", 0);
    process_start(&rig->process, rig->clock);
    mortal_disk_init(&rig->mortal, sim_disk_port(rig->disk, 0), &rig->process);
    rig->world = (struct world){.clock = virtual_clock_seam(rig->clock),
                                .disk = &rig->mortal.seam,
                                .entropy = &rig->entropy.seam};
}

static void rig_stop(struct rig *rig) {
    sim_disk_destroy(rig->disk);
    virtual_clock_destroy(rig->clock);
}

/* Power comes back: the old process is gone. */
static void rig_power_cut(struct rig *rig, struct crash_source *source) {
    sim_disk_crash(rig->disk, source);
    process_start(&rig->process, rig->clock);
}

static enum err_code append_transaction(struct journal *journal, int number, struct err *err) {
    for (int i = 0; i < ROWS_EACH; i++) {
        char body[200];
        snprintf(body, sizeof body, "{\"transaction\":%d,\"row\":%d,\"text\":\"%0100d\"}", number,
                 i, number);
        enum err_code code = journal_append(journal, "intent", "st-2026-09-01-1", body, NULL, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return journal_commit(journal, err);
}

/* Returns the last acknowledged row. */
static int64_t run_workload(struct world *world) {
    struct journal *journal = NULL;
    struct err err = {0};
    int64_t acked = 0;
    if (journal_open(world, JOURNAL, NULL, &journal, &err) != ERR_OK) {
        return 0;
    }
    for (int i = 1; i <= TRANSACTIONS; i++) {
        if (append_transaction(journal, i, &err) != ERR_OK) {
            break;
        }
        acked = (int64_t)i * ROWS_EACH;
    }
    journal_close(journal);
    return acked;
}

static enum err_code count_rows(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    int64_t *count = context;
    (*count)++;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "{\"transaction\":%lld,\"row\":%lld,",
             (long long)((row->seq - 1) / ROWS_EACH + 1), (long long)((row->seq - 1) % ROWS_EACH));
    cr_assert_eq(*count, row->seq);
    cr_assert_eq(strncmp(row->body, wanted, strlen(wanted)), 0, "%s", row->body);
    return ERR_OK;
}

/* What a successor finds; fails the test if it finds damage or too little. */
static int64_t recover(struct world *world, int64_t acked, const char *what) {
    struct journal *journal = NULL;
    struct err err = {0};
    cr_assert_eq(journal_open(world, JOURNAL, NULL, &journal, &err), ERR_OK, "%s: %s", what,
                 err.text);
    int64_t found = journal_last_seq(journal);
    cr_assert_geq(found, acked, "%s: lost acknowledged rows", what);
    cr_assert_eq(found % ROWS_EACH, 0, "%s: half a transaction", what);
    int64_t count = 0;
    cr_assert_eq(journal_read(journal, 0, count_rows, &count, &err), ERR_OK, "%s", err.text);
    cr_assert_eq(count, found);
    cr_assert_eq(append_transaction(journal, (int)(found / ROWS_EACH) + 1, &err), ERR_OK, "%s: %s",
                 what, err.text);
    journal_close(journal);
    return found;
}

static uint64_t effects_of_workload(struct disk_rules rules) {
    struct rig rig;
    rig_start(&rig, rules);
    cr_assert_eq(run_workload(&rig.world), TRANSACTIONS * ROWS_EACH);
    uint64_t effects = rig.process.effects;
    rig_stop(&rig);
    return effects;
}

static int crash_campaign(enum disk_profile profile, int fates) {
    struct disk_rules rules = disk_rules_of(profile);
    uint64_t effects = effects_of_workload(rules);
    int in_doubt = 0;
    cr_assert_gt(effects, 40);
    for (uint64_t cut = 1; cut <= effects; cut++) {
        for (int fate = 0; fate < fates; fate++) {
            struct rig rig;
            rig_start(&rig, rules);
            process_die_at_effect(&rig.process, cut, fate % 2 ? PROCESS_AFTER : PROCESS_BEFORE);
            int64_t acked = run_workload(&rig.world);
            struct crash_seeded seeded = crash_seeded(11, cut * 100 + (uint64_t)fate);
            struct crash_uniform uniform = crash_uniform((enum crash_fate)(fate / 2 % 4));
            rig_power_cut(&rig, fate < 6 ? &uniform.source : &seeded.source);
            char what[64];
            snprintf(what, sizeof what, "cut at effect %d, fate %d", (int)cut, fate);
            in_doubt += recover(&rig.world, acked, what) > acked;
            rig_stop(&rig);
        }
    }
    return in_doubt;
}

Test(crash_campaign, loses_no_acknowledged_row_on_the_strict_disk, .timeout = 120) {
    int in_doubt = crash_campaign(DISK_PROFILE_STRICT, 12);
    cr_assert_gt(in_doubt, 0, "no cut left a commit in doubt: the campaign does not reach it");
}

Test(crash_campaign, loses_no_acknowledged_row_on_the_ordered_disk, .timeout = 120) {
    crash_campaign(DISK_PROFILE_ORDERED, 12);
}

Test(crash_campaign, process_death_alone_loses_nothing) {
    uint64_t effects = effects_of_workload(disk_rules_of(DISK_PROFILE_KIND));
    for (uint64_t cut = 1; cut <= effects; cut++) {
        struct rig rig;
        rig_start(&rig, disk_rules_of(DISK_PROFILE_STRICT));
        process_die_at_effect(&rig.process, cut, PROCESS_BEFORE);
        int64_t acked = run_workload(&rig.world);
        cr_assert(!process_does_not_stop(&rig.process));
        sim_disk_process_died(rig.disk, 0);
        process_start(&rig.process, rig.clock);
        recover(&rig.world, acked, "process death");
        rig_stop(&rig);
    }
}

/* A disk that fails each call of one kind from a moment on, for a number of calls. */
struct failing {
    struct disk seam;
    struct disk *inner;
    int writes_left; /* good ones before the failures; -1 never fails */
    int syncs_left;
    int failures; /* how many calls then fail */
    enum err_code code;
};

static bool fails_now(struct failing *failing, int *left) {
    if (*left < 0) {
        return false;
    }
    if (*left > 0) {
        (*left)--;
        return false;
    }
    if (failing->failures == 0) {
        return false;
    }
    failing->failures--;
    return true;
}
#define INNER(disk) (((struct failing *)(disk))->inner)
static enum err_code f_open(struct disk *d, const char *name, unsigned flags, struct disk_file *out,
                            struct err *err) {
    return disk_open(INNER(d), name, flags, out, err);
}
static void f_close(struct disk *d, struct disk_file file) {
    disk_close(INNER(d), file);
}
static enum err_code f_size(struct disk *d, struct disk_file file, uint64_t *out, struct err *err) {
    return disk_size(INNER(d), file, out, err);
}
static enum err_code f_read(struct disk *d, struct disk_file file, void *bytes, size_t n,
                            uint64_t offset, size_t *got, struct err *err) {
    return disk_read_at(INNER(d), file, bytes, n, offset, got, err);
}
static enum err_code f_write(struct disk *d, struct disk_file file, const void *bytes, size_t n,
                             uint64_t offset, struct err *err) {
    struct failing *f = (struct failing *)d;
    return fails_now(f, &f->writes_left) ? err_set(err, f->code, "planned")
                                         : disk_write_at(f->inner, file, bytes, n, offset, err);
}
static enum err_code f_truncate(struct disk *d, struct disk_file file, uint64_t size,
                                struct err *err) {
    return disk_truncate(INNER(d), file, size, err);
}
static enum err_code f_sync(struct disk *d, struct disk_file file, struct err *err) {
    struct failing *f = (struct failing *)d;
    return fails_now(f, &f->syncs_left) ? err_set(err, f->code, "planned")
                                        : disk_sync(f->inner, file, err);
}
static enum err_code f_rename(struct disk *d, const char *from, const char *to, struct err *err) {
    return disk_rename(INNER(d), from, to, err);
}
static enum err_code f_remove(struct disk *d, const char *name, struct err *err) {
    return disk_remove(INNER(d), name, err);
}
static enum err_code f_link(struct disk *d, const char *from, const char *to, struct err *err) {
    return disk_link(INNER(d), from, to, err);
}
static enum err_code f_sync_dir(struct disk *d, const char *folder, struct err *err) {
    return disk_sync_dir(INNER(d), folder, err);
}
static enum err_code f_make_dir(struct disk *d, const char *folder, struct err *err) {
    return disk_make_dir(INNER(d), folder, err);
}
static enum err_code f_list(struct disk *d, const char *folder, disk_visit *visit, void *context,
                            struct err *err) {
    return disk_list(INNER(d), folder, visit, context, err);
}
static enum err_code f_lock(struct disk *d, const char *name, struct disk_file *out,
                            struct err *err) {
    return disk_lock(INNER(d), name, out, err);
}
static const struct disk_ops failing_ops = {f_open,     f_close,    f_size,   f_read,   f_write,
                                            f_truncate, f_sync,     f_rename, f_remove, f_link,
                                            f_sync_dir, f_make_dir, f_list,   f_lock};

static void failing_init(struct failing *failing, struct disk *inner) {
    *failing = (struct failing){.seam = {&failing_ops},
                                .inner = inner,
                                .writes_left = -1,
                                .syncs_left = -1,
                                .code = ERR_IO};
}

/* Every write and sync of a commit fails once, for 1 to many calls: an acknowledgement must be
 * true, a refusal too, and the journal goes on when the disk does. */
Test(in_doubt, an_errored_commit_is_settled_and_the_journal_goes_on, .timeout = 120) {
    int settled = 0;
    int refused = 0;
    for (int kind = 0; kind < 2; kind++) {
        for (int after = 0; after < 12; after++) {
            for (int failures = 1; failures <= 16; failures += 3) {
                struct rig rig;
                struct failing failing;
                struct journal *journal = NULL;
                struct err err = {0};
                rig_start(&rig, disk_rules_of(DISK_PROFILE_STRICT));
                failing_init(&failing, sim_disk_port(rig.disk, 0));
                rig.world.disk = &failing.seam;
                cr_assert_eq(journal_open(&rig.world, JOURNAL, NULL, &journal, &err), ERR_OK);
                cr_assert_eq(append_transaction(journal, 1, &err), ERR_OK);
                *(kind == 0 ? &failing.writes_left : &failing.syncs_left) = after;
                failing.failures = failures;
                failing.code = after % 2 ? ERR_NO_SPACE : ERR_IO;
                int done = 1;
                for (int i = 2; i <= 6; i++) {
                    int64_t before = journal_last_seq(journal);
                    bool was_failing = failing.failures < failures;
                    if (append_transaction(journal, done + 1, &err) == ERR_OK) {
                        done++;
                        settled += !was_failing && failing.failures < failures;
                    } else {
                        refused++;
                        cr_assert_eq(err.code, failing.code, "%s", err.text);
                        cr_assert_eq(journal_last_seq(journal), before);
                        cr_assert_eq(journal_pending(journal), 0);
                    }
                }
                failing.failures = 0;
                cr_assert_eq(append_transaction(journal, ++done, &err), ERR_OK, "%s", err.text);
                cr_assert_eq(journal_last_seq(journal), done * ROWS_EACH);
                journal_close(journal);
                struct crash_uniform dropped = crash_uniform(CRASH_DROPPED);
                rig_power_cut(&rig, &dropped.source);
                cr_assert_eq(recover(&rig.world, done * ROWS_EACH, "in doubt"), done * ROWS_EACH);
                rig_stop(&rig);
            }
        }
    }
    cr_assert_gt(settled, 0);
    cr_assert_gt(refused, 0);
}

static void hash_file(const struct rig *rig, const char *name, char out[static HASH_TEXT_MAX]) {
    struct text bytes = {0};
    struct hasher *hasher = hasher_create();
    if (sim_disk_read(rig->disk, name, &bytes)) {
        hasher_add(hasher, bytes.data, bytes.len);
    }
    hasher_print(hasher, out);
    hasher_destroy(hasher);
    text_release(&bytes);
}

Test(determinism, the_same_seed_writes_the_same_bytes_also_beside_another_world) {
    char hash[3][HASH_TEXT_MAX];
    for (int run = 0; run < 3; run++) {
        struct rig rig;
        struct rig other;
        struct journal *journal = NULL;
        struct journal *beside = NULL;
        struct err err = {0};
        rig_start(&rig, disk_rules_of(DISK_PROFILE_KIND));
        rig_start(&other, disk_rules_of(DISK_PROFILE_KIND));
        cr_assert_eq(journal_open(&rig.world, JOURNAL, NULL, &journal, &err), ERR_OK);
        if (run == 2) {
            sim_entropy_init(&other.entropy, 99, "core", 1);
            cr_assert_eq(journal_open(&other.world, JOURNAL, NULL, &beside, &err), ERR_OK);
        }
        for (int i = 1; i <= 300; i++) { /* past a checkpoint: the log restarts with new salts */
            cr_assert_eq(append_transaction(journal, i, &err), ERR_OK);
            if (run == 2) {
                cr_assert_eq(append_transaction(beside, i, &err), ERR_OK);
            }
        }
        hash_file(&rig, JOURNAL "-wal", hash[run]);
        journal_close(beside);
        journal_close(journal);
        rig_stop(&other);
        rig_stop(&rig);
    }
    cr_assert_str_eq(hash[0], hash[1]);
    cr_assert_str_eq(hash[0], hash[2]);
}

/* Rows as a reader with SQLite's own VFS sees them, as one text. */
static void read_with_unix_vfs(const char *path, struct text *out) {
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db,
                                    "SELECT seq||' '||at||' '||kind||' '||key||' '||chain||' '||"
                                    "json_extract(body,'$.transaction') FROM row ORDER BY seq",
                                    -1, &query, NULL),
                 SQLITE_OK);
    while (sqlite3_step(query) == SQLITE_ROW) {
        text_add_format(out, "%s\n", sqlite3_column_text(query, 0));
    }
    sqlite3_finalize(query);
    sqlite3_close(db);
}

static void save_file(const char *path, const struct text *bytes) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    fclose(file);
}

Test(three_disks, give_the_same_rows_to_sqlites_own_reader) {
    char folder[] = "/tmp/seatrial-vfs-XXXXXX";
    char path[3][100];
    struct text rows[3] = {{0}};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path[0], sizeof path[0], "%s/sim.db", folder);
    snprintf(path[1], sizeof path[1], "%s/journal.db", folder);
    snprintf(path[2], sizeof path[2], "%s/unix.db", folder);

    struct rig rig;
    struct text bytes = {0};
    rig_start(&rig, disk_rules_of(DISK_PROFILE_STRICT));
    cr_assert_eq(run_workload(&rig.world), TRANSACTIONS * ROWS_EACH);
    cr_assert(sim_disk_read(rig.disk, JOURNAL, &bytes));
    save_file(path[0], &bytes);

    struct disk_posix *posix = NULL;
    struct err err = {0};
    cr_assert_eq(disk_posix_create(folder, &posix, &err), ERR_OK, "%s", err.text);
    rig.world.disk = disk_posix_seam(posix);
    cr_assert_eq(run_workload(&rig.world), TRANSACTIONS * ROWS_EACH);

    read_with_unix_vfs(path[0], &rows[0]);
    read_with_unix_vfs(path[1], &rows[1]);
    /* and the other way: SQLite's own VFS copies the file, ours reads it */
    sqlite3 *db = NULL;
    char sql[200];
    cr_assert_eq(sqlite3_open_v2(path[1], &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path[2]);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    read_with_unix_vfs(path[2], &rows[2]);
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig.world, "unix.db", NULL, &journal, &err), ERR_OK, "%s", err.text);
    cr_assert_eq(journal_last_seq(journal), TRANSACTIONS * ROWS_EACH);
    journal_close(journal);

    cr_assert_gt(rows[0].len, 500);
    cr_assert_str_eq(text_get(&rows[0]), text_get(&rows[1]));
    cr_assert_str_eq(text_get(&rows[0]), text_get(&rows[2]));
    disk_posix_destroy(posix);
    char command[150];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
    for (int i = 0; i < 3; i++) {
        text_release(&rows[i]);
    }
    text_release(&bytes);
    rig_stop(&rig);
}

static enum err_code hash_row(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    struct hasher *hasher = context;
    hasher_add_int(hasher, row->seq);
    hasher_add_int(hasher, row->at.ns);
    hasher_add(hasher, row->kind, strlen(row->kind) + 1);
    hasher_add(hasher, row->key, strlen(row->key) + 1);
    hasher_add(hasher, row->body, strlen(row->body) + 1);
    return ERR_OK;
}

/* ERR_OK and the hash of all rows, or why not. */
static enum err_code open_and_hash(struct world *world, char out[static HASH_TEXT_MAX]) {
    struct journal *journal = NULL;
    struct err err = {0};
    enum err_code code = journal_open(world, JOURNAL, NULL, &journal, &err);
    if (code != ERR_OK) {
        return code;
    }
    struct hasher *hasher = hasher_create();
    code = journal_read(journal, 0, hash_row, hasher, &err);
    hasher_print(hasher, out);
    hasher_destroy(hasher);
    journal_close(journal);
    return code;
}

Test(rot, every_flipped_bit_that_changes_a_row_is_found, .timeout = 120) {
    struct rig rig;
    struct text good = {0};
    char truth[HASH_TEXT_MAX];
    char seen[HASH_TEXT_MAX];
    int found = 0;
    rig_start(&rig, disk_rules_of(DISK_PROFILE_KIND));
    cr_assert_eq(run_workload(&rig.world), TRANSACTIONS * ROWS_EACH);
    cr_assert(sim_disk_read(rig.disk, JOURNAL, &good));
    cr_assert_eq(open_and_hash(&rig.world, truth), ERR_OK);
    cr_assert(sim_disk_read(rig.disk, JOURNAL, &good));
    struct random random = random_stream(3, "rot", 0, 0, 0);
    for (int i = 0; i < 3000; i++) {
        size_t at = (size_t)random_below(&random, good.len);
        char bit = (char)(1 << random_below(&random, 8));
        good.data[at] ^= bit;
        sim_disk_write_raw(rig.disk, JOURNAL, good.data, good.len);
        good.data[at] ^= bit;
        sim_disk_remove_raw(rig.disk, JOURNAL "-wal");
        if (open_and_hash(&rig.world, seen) == ERR_OK) {
            cr_assert_str_eq(seen, truth, "bit flip at byte %zu changed rows unseen", at);
        } else {
            found++;
        }
    }
    cr_assert_gt(found, 500, "only %d flips were found: do they hit rows at all?", found);
    text_release(&good);
    rig_stop(&rig);
}
