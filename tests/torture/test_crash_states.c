/* test_crash_states.c - every legal crash state of how we save, judged by our real recovery.
 *
 * A run goes through a watching disk. Before each effect, and behind the last, the disk is cloned,
 * every fate of what pends is tried on clones, equal disks are judged once, and each is recovered by
 * the real code. The same harness runs protocols with a known defect and SQLite modes that are known
 * to lose: it must see them fail, or its zeroes mean nothing.
 *
 * Bounds, at one instant: every answer to every question (each sector boundary inside a torn write)
 * if that makes at most `fates_max` combinations; else each of kept, dropped, torn and zero-tailed for
 * every write, with one drawn cut, likewise; else FATES_DRAWN drawn ones. The table says at how many
 * instants the cut was drawn, and at how many the fates. */
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/state/journal.h"
#include "core/state/state_file.h"
#include "core/state/vfs.h"
#include "tests/torture/watching_disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FATES_MAX 2048
#define FATES_MAX_LOST 256 /* of each of the many runs with a failing sync */
#define FATES_DRAWN 128
#define PENDING_MAX 24 /* more questions than this are not even counted */
#define SEEN_MAX 65536

struct figures {
    int instants;
    int cuts, drawn; /* instants with a drawn cut, with drawn fates */
    int states;      /* distinct disks behind a crash, with what was acknowledged */
    int lost;        /* something acknowledged is gone */
    int torn;        /* something is there that nobody ever wrote, and is believed */
    int unread;      /* the recovery refuses, or finds nothing where something was */
};

enum verdict { FINE, LOST, TORN, UNREAD };

struct campaign;
/* Recovers on a disk of its own and says what it finds. */
typedef enum verdict recover(struct campaign *campaign, struct world *world);

struct campaign {
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct sim_entropy entropy;
    struct watching_disk watching;
    struct world world;
    recover *recover;
    const char *const *setup; /* of a bare SQLite mode: pragmas */
    int fates_max;
    int64_t acked;
    uint64_t last_disk; /* of the last instant: looks and refused calls change nothing */
    uint64_t *seen;     /* open addressing; 0 is free */
    size_t seen_count;
    struct figures figures;
};

static struct world world_on(struct campaign *campaign, struct disk *disk,
                             struct sim_entropy *entropy) {
    return (struct world){
        .clock = virtual_clock_seam(campaign->clock), .disk = disk, .entropy = &entropy->seam};
}

static bool is_new_state(struct campaign *campaign, uint64_t key) {
    key |= 1;
    size_t i = (size_t)(key >> 20) % SEEN_MAX;
    while (campaign->seen[i] != 0 && campaign->seen[i] != key) {
        i = (i + 1) % SEEN_MAX;
    }
    const bool is_new = campaign->seen[i] == 0;
    campaign->seen[i] = key;
    campaign->seen_count += is_new;
    cr_assert_lt(campaign->seen_count, SEEN_MAX / 2);
    return is_new;
}

static void judge(struct campaign *campaign, struct sim_disk *crashed) {
    if (!is_new_state(campaign, random_mix(sim_disk_hash(crashed), (uint64_t)campaign->acked))) {
        return;
    }
    struct sim_entropy entropy;
    sim_entropy_init(&entropy, 7, "successor", 0);
    struct world world = world_on(campaign, sim_disk_port(crashed, 0), &entropy);
    const enum verdict verdict = campaign->recover(campaign, &world);
    campaign->figures.states++;
    campaign->figures.lost += verdict == LOST;
    campaign->figures.torn += verdict == TORN;
    campaign->figures.unread += verdict == UNREAD;
}

static void crash_a_clone(struct campaign *campaign, struct crash_source *source) {
    struct sim_disk *clone = sim_disk_clone(campaign->disk);
    sim_disk_crash(clone, source);
    judge(campaign, clone);
    sim_disk_destroy(clone);
}

/* Walks a source as long as it has more, at most fates_max + 1 times; returns how often. */
typedef bool next_fate(void *source);

/* Behind a crash everything is looked into: every question matters. */
struct all_matter {
    struct crash_source source;
    struct crash_source *inner;
};

static unsigned choose_all(struct crash_source *source, enum crash_question question,
                           unsigned options, bool matters) {
    (void)matters;
    struct crash_source *inner = ((struct all_matter *)source)->inner;
    return inner->choose(inner, question, options, true);
}

static bool next_answer(void *source) {
    return crash_enumerator_next(source);
}

static bool next_of_fates(void *source) {
    return crash_fates_next(source);
}

static int count_fates(struct campaign *campaign, struct crash_source *source, next_fate *next) {
    struct all_matter all = {{choose_all}, source};
    int count = 0;
    do {
        sim_disk_ask(campaign->disk, &all.source);
        count++;
    } while (count <= campaign->fates_max && next(source));
    return count;
}

static void walk_fates(struct campaign *campaign, struct crash_source *source, next_fate *next) {
    struct all_matter all = {{choose_all}, source};
    do {
        crash_a_clone(campaign, &all.source);
    } while (next(source));
}

static void every_fate(struct campaign *campaign) {
    const uint64_t number = (uint64_t)campaign->figures.instants;
    struct crash_enumerator answers = crash_enumerator();
    struct crash_fates fates = crash_fates(3, number, true);
    const bool is_small = sim_disk_pending(campaign->disk) <= PENDING_MAX;
    if (is_small && count_fates(campaign, &answers.source, next_answer) <= campaign->fates_max) {
        answers = crash_enumerator();
        walk_fates(campaign, &answers.source, next_answer);
    } else if (is_small &&
               count_fates(campaign, &fates.source, next_of_fates) <= campaign->fates_max) {
        campaign->figures.cuts++;
        fates = crash_fates(3, number, true);
        walk_fates(campaign, &fates.source, next_of_fates);
    } else {
        campaign->figures.drawn++;
        for (uint64_t i = 0; i < FATES_DRAWN; i++) {
            struct crash_seeded drawn = crash_seeded(number, i);
            crash_a_clone(campaign, &drawn.source);
        }
    }
}

/* Between two effects: the power may go now. */
static void explore(void *context) {
    struct campaign *campaign = context;
    const uint64_t disk = random_mix(sim_disk_hash(campaign->disk), (uint64_t)campaign->acked);
    if (disk == campaign->last_disk) {
        return;
    }
    campaign->last_disk = disk;
    campaign->figures.instants++;
    every_fate(campaign);
}

static void campaign_start(struct campaign *campaign, enum disk_profile profile, recover *how) {
    *campaign = (struct campaign){
        .recover = how, .fates_max = FATES_MAX, .seen = calloc(SEEN_MAX, sizeof(uint64_t))};
    cr_assert_not_null(campaign->seen);
    campaign->disk = sim_disk_create(7, disk_rules_of(profile), NULL);
    campaign->clock = virtual_clock_create((struct utc){INT64_C(1788269400) * 1000000000}, "test");
    sim_entropy_init(&campaign->entropy, 7, "core", 0);
    watching_disk_init(&campaign->watching, campaign->disk, explore, campaign);
    campaign->world = world_on(campaign, &campaign->watching.seam, &campaign->entropy);
}

static struct figures campaign_end(struct campaign *campaign) {
    explore(campaign);
    const struct figures figures = campaign->figures;
    virtual_clock_destroy(campaign->clock);
    sim_disk_destroy(campaign->disk);
    free(campaign->seen);
    return figures;
}

static void print_figures(const char *what, enum disk_profile profile, struct figures f) {
    fprintf(stderr, "| %-32s | %-7s | %8d | %4d | %5d | %6d | %5d | %5d | %6d |\n", what,
            profile == DISK_PROFILE_STRICT ? "strict" : "ordered", f.instants, f.cuts, f.drawn,
            f.states, f.lost, f.torn, f.unread);
}

static void print_head(void) {
    fprintf(stderr, "| %-32s | %-7s | %8s | %4s | %5s | %6s | %5s | %5s | %6s |\n", "how",
            "profile", "instants", "cuts", "drawn", "states", "lost", "torn", "unread");
}

/* --- documents --- */

#define DOCUMENT "kill_switch.json"

static enum err_code save_number(struct world *world, int number) {
    char members[1200]; /* over two sectors: the write can tear inside */
    struct err err = {0};
    snprintf(members, sizeof members, "\"number\":%d,\"text\":\"%01000d\"", number, number);
    return state_file_save(world, DOCUMENT, number, members, &err);
}

/* Saves 1 and 2 are durable, save 3 is on its way or acknowledged. */
static enum verdict recover_document(struct campaign *campaign, struct world *world) {
    struct state_file file = {0};
    int64_t number = 0;
    enum verdict verdict = UNREAD;
    if (state_file_load(world, DOCUMENT, 0, &file, NULL) == ERR_OK &&
        file.condition == STATE_FILE_GOOD) {
        const bool is_whole = json_int(file.tree, "number", &number, NULL) == ERR_OK &&
                              number == file.journal_seq && number >= 2 && number <= 3;
        verdict = !is_whole ? TORN : number < campaign->acked ? LOST : FINE;
    }
    state_file_release(&file);
    return verdict;
}

static struct figures save_campaign(enum disk_profile profile, enum watching_defect defect) {
    struct campaign campaign;
    campaign_start(&campaign, profile, recover_document);
    struct world sound = campaign.world;
    sound.disk = sim_disk_port(campaign.disk, 0);
    cr_assert_eq(save_number(&sound, 1), ERR_OK);
    cr_assert_eq(save_number(&sound, 2), ERR_OK);
    sim_disk_flush(campaign.disk);
    campaign.acked = 2;
    campaign.watching.defect = defect;
    if (save_number(&campaign.world, 3) == ERR_OK) {
        campaign.acked = 3;
    }
    return campaign_end(&campaign);
}

struct save_row {
    const char *what;
    enum watching_defect defect;
    bool has_lost,
        has_unread; /* what simulation of the protocol alone says, by an independent model */
};

static const struct save_row save_rows[] = {
    {"document: as we save it", WATCHING_SOUND, false, false},
    {"document: no directory sync", WATCHING_NO_DIR_SYNC, true, false},
    {"document: no fsync", WATCHING_NO_SYNC, false, true},
    {"document: rename before fsync", WATCHING_RENAME_FIRST, false, true},
};

static const enum disk_profile profiles[] = {DISK_PROFILE_STRICT, DISK_PROFILE_ORDERED};

Test(crash_states, a_saved_document_is_whole_and_stays_and_each_defect_shows, .timeout = 60) {
    print_head();
    for (size_t i = 0; i < sizeof save_rows / sizeof save_rows[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            const struct save_row *row = &save_rows[i];
            const struct figures f = save_campaign(profiles[k], row->defect);
            print_figures(row->what, profiles[k], f);
            cr_expect_geq(f.states, 10, "%s: only %d states", row->what, f.states);
            cr_expect_eq(f.torn, 0, "%s: the checksum let %d through", row->what, f.torn);
            cr_expect_eq(f.lost > 0, row->has_lost, "%s: %d lost", row->what, f.lost);
            cr_expect_eq(f.unread > 0, row->has_unread, "%s: %d unread", row->what, f.unread);
        }
    }
}

/* --- the journal, and bare SQLite beside it --- */

#define JOURNAL "journal.db"
#define TRANSACTIONS 6
#define ROW_BYTES 1500 /* pages split: a commit changes several */

static enum err_code append_row(struct journal *journal, int number, struct err *err) {
    char body[ROW_BYTES + 40];
    snprintf(body, sizeof body, "{\"n\":%d,\"text\":\"%0*d\"}", number, ROW_BYTES, number);
    enum err_code code = journal_append(journal, "intent", "st-1", body, NULL, err);
    return code == ERR_OK ? journal_commit(journal, err) : code;
}

static enum err_code see_row(void *context, const struct journal_row *row, struct err *err) {
    int64_t *count = context;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "{\"n\":%lld,", (long long)++*count);
    const bool is_it = row->seq == *count && strncmp(row->body, wanted, strlen(wanted)) == 0;
    return is_it ? ERR_OK : err_set(err, ERR_CORRUPT, "row %lld", (long long)*count);
}

static enum verdict recover_journal(struct campaign *campaign, struct world *world) {
    struct journal *journal = NULL;
    struct err err = {0};
    int64_t count = 0;
    enum verdict verdict = UNREAD;
    if (journal_open(world, JOURNAL, NULL, &journal, &err) == ERR_OK) {
        const bool is_whole = journal_read(journal, 0, see_row, &count, &err) == ERR_OK;
        verdict = !is_whole ? TORN : count < campaign->acked ? LOST : FINE;
    }
    journal_close(journal);
    return verdict;
}

static void work_with_journal(struct campaign *campaign, struct world *world, int transactions) {
    struct journal *journal = NULL;
    struct err err = {0};
    if (journal_open(world, JOURNAL, NULL, &journal, &err) != ERR_OK) {
        return;
    }
    for (int i = 0; i < transactions; i++) {
        if (append_row(journal, (int)journal_last_seq(journal) + 1, &err) == ERR_OK) {
            campaign->acked = journal_last_seq(journal);
        }
    }
    journal_close(journal);
}

/* The same work in a mode of SQLite that is not ours, through the same VFS. */
struct bare {
    struct vfs vfs;
    sqlite3 *db;
};

static bool bare_open(struct bare *bare, struct world *world, const char *const *setup) {
    struct err err = {0};
    *bare = (struct bare){0};
    cr_assert_eq(vfs_register(&bare->vfs, world, NULL, &err), ERR_OK, "%s", err.text);
    bool is_open = sqlite3_open_v2(JOURNAL, &bare->db,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   bare->vfs.name) == SQLITE_OK;
    for (size_t i = 0; is_open && setup[i] != NULL; i++) {
        is_open = sqlite3_exec(bare->db, setup[i], NULL, NULL, NULL) == SQLITE_OK;
    }
    return is_open;
}

static void bare_close(struct bare *bare) {
    (void)sqlite3_db_config(bare->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    cr_assert_eq(sqlite3_close(bare->db), SQLITE_OK);
    vfs_unregister(&bare->vfs);
}

/* The first column of a query, or -1. */
static int64_t bare_ask(struct bare *bare, const char *sql) {
    sqlite3_stmt *query = NULL;
    int64_t answer = -1;
    if (sqlite3_prepare_v2(bare->db, sql, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
        answer = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
    return answer;
}

static enum verdict recover_bare(struct campaign *campaign, struct world *world) {
    struct bare bare;
    enum verdict verdict = UNREAD;
    if (bare_open(&bare, world, campaign->setup) &&
        bare_ask(&bare, "SELECT integrity_check='ok' FROM pragma_integrity_check") == 1) {
        const int64_t tables = bare_ask(&bare, "SELECT count(*) FROM sqlite_schema");
        const int64_t rows = tables == 0 ? 0 : bare_ask(&bare, "SELECT count(*) FROM row");
        const int64_t last = tables == 0 ? 0 : bare_ask(&bare, "SELECT ifnull(max(n),0) FROM row");
        verdict = rows < 0 || rows != last ? TORN : rows < campaign->acked ? LOST : FINE;
    }
    bare_close(&bare);
    return verdict;
}

static void work_with_bare(struct campaign *campaign) {
    struct bare bare;
    char sql[ROW_BYTES + 60];
    cr_assert(bare_open(&bare, &campaign->world, campaign->setup));
    cr_assert_eq(sqlite3_exec(bare.db, "CREATE TABLE row(n INTEGER PRIMARY KEY, text TEXT)", NULL,
                              NULL, NULL),
                 SQLITE_OK);
    for (int i = 1; i <= TRANSACTIONS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO row VALUES(%d,'%0*d')", i, ROW_BYTES, i);
        cr_assert_eq(sqlite3_exec(bare.db, sql, NULL, NULL, NULL), SQLITE_OK);
        campaign->acked = i;
    }
    bare_close(&bare);
}

struct database_row {
    const char *what;
    const char *const *setup; /* NULL: our journal */
    enum watching_defect defect;
    bool has_lost;
    bool may_be_unread; /* else none is */
};

static const char *const wal_full[] = {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA synchronous=EXTRA",
                                       "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", NULL};
static const char *const wal_normal[] = {"PRAGMA locking_mode=EXCLUSIVE",
                                         "PRAGMA synchronous=EXTRA", "PRAGMA journal_mode=WAL",
                                         "PRAGMA synchronous=NORMAL", NULL};
static const char *const delete_full[] = {"PRAGMA synchronous=FULL", NULL};
static const char *const delete_extra[] = {"PRAGMA synchronous=EXTRA", NULL};
static const char *const delete_off[] = {"PRAGMA synchronous=OFF", NULL};

static const struct database_row database_rows[] = {
    {"journal: ours, WAL FULL", NULL, WATCHING_SOUND, false, false},
    {"SQLite: WAL FULL", wal_full, WATCHING_SOUND, false, false},
    {"SQLite: DELETE EXTRA", delete_extra, WATCHING_SOUND, false, false},
    {"SQLite: DELETE FULL", delete_full, WATCHING_SOUND, true, false},
    {"SQLite: WAL NORMAL", wal_normal, WATCHING_SOUND, true, false},
    {"SQLite: DELETE OFF", delete_off, WATCHING_SOUND, true, true},
    {"journal: ours, every fsync lies", NULL, WATCHING_NO_SYNC, true, true},
};

static struct figures database_campaign(enum disk_profile profile, const struct database_row *row) {
    struct campaign campaign;
    campaign_start(&campaign, profile, row->setup == NULL ? recover_journal : recover_bare);
    campaign.setup = row->setup;
    campaign.watching.defect = row->defect;
    if (row->setup == NULL) {
        work_with_journal(&campaign, &campaign.world, TRANSACTIONS);
    } else {
        work_with_bare(&campaign);
    }
    cr_assert_eq(campaign.acked, TRANSACTIONS);
    return campaign_end(&campaign);
}

Test(crash_states, our_journal_loses_nothing_and_the_modes_that_lose_are_seen, .timeout = 60) {
    print_head();
    for (size_t i = 0; i < sizeof database_rows / sizeof database_rows[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            const struct database_row *row = &database_rows[i];
            const struct figures f = database_campaign(profiles[k], row);
            print_figures(row->what, profiles[k], f);
            cr_expect_geq(f.states, 40, "%s: only %d states", row->what, f.states);
            cr_expect_eq(f.lost > 0, row->has_lost, "%s: %d lost", row->what, f.lost);
            if (!row->may_be_unread) {
                cr_expect_eq(f.unread + f.torn, 0, "%s: %d unread, %d torn", row->what, f.unread,
                             f.torn);
            }
        }
    }
}

/* --- a sync that fails as Linux fails, then a power cut anywhere behind it --- */

/* Two lives without a power cut between: what the first one lost, the second one reads. */
static struct figures lost_sync_campaign(int nth, int losses, bool *was_reached) {
    struct campaign campaign;
    campaign_start(&campaign, DISK_PROFILE_STRICT, recover_journal);
    campaign.fates_max = FATES_MAX_LOST;
    struct world sound = campaign.world;
    sound.disk = sim_disk_port(campaign.disk, 0);
    work_with_journal(&campaign, &sound,
                      TRANSACTIONS); /* its end is a checkpoint: no log is left */
    sim_disk_flush(campaign.disk);
    campaign.watching.lose_at = nth;
    campaign.watching.losses = losses;
    work_with_journal(&campaign, &campaign.world, TRANSACTIONS / 2);
    work_with_journal(&campaign, &campaign.world, TRANSACTIONS / 2);
    *was_reached = campaign.watching.syncs >= nth;
    return campaign_end(&campaign);
}

static void add_figures(struct figures *total, struct figures f) {
    total->instants += f.instants;
    total->cuts += f.cuts;
    total->drawn += f.drawn;
    total->states += f.states;
    total->lost += f.lost;
    total->torn += f.torn;
    total->unread += f.unread;
}

/* Syncs fail, their pages are gone from the platter and still readable: what is acknowledged behind
 * them must not rest on them, and no checkpoint may copy them and die half way. */
static void lose_syncs_anywhere(int losses, const char *what) {
    struct figures total = {0};
    bool was_reached = true;
    print_head();
    for (int nth = 1; was_reached; nth++) {
        const struct figures f = lost_sync_campaign(nth, losses, &was_reached);
        cr_expect_eq(f.lost + f.torn + f.unread, 0, "fsync %d to %d: %d lost, %d torn, %d unread",
                     nth, nth + losses - 1, f.lost, f.torn, f.unread);
        add_figures(&total, f);
    }
    print_figures(what, DISK_PROFILE_STRICT, total);
    cr_expect_gt(total.states, 5000);
}

Test(crash_states, nothing_acknowledged_rests_on_pages_that_a_sync_lost, .timeout = 60) {
    lose_syncs_anywhere(1, "journal: 1 fsync loses, anywhere");
}

Test(crash_states, nor_on_pages_that_four_syncs_in_a_row_lost, .timeout = 60) {
    lose_syncs_anywhere(4, "journal: 4 fsyncs lose, anywhere");
}
