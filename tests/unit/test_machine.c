/* test_machine.c - the simulated machine is itself under test: clock, disk model, process death.
 *
 * The disk tests enumerate every legal state after a power cut at every point of a save protocol.
 * The protocols and counts of `table_rules` are the known answers of an independent model. */
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_disk_internal.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/sim_host.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define must(call) cr_assert_eq((call), ERR_OK)

/* --- clock --- */

struct seen {
    struct virtual_clock *clock;
    int64_t due[4];
    size_t next;
    int64_t moved[16];
    size_t count;
    int64_t nested_ns;
};

static struct utc seen_next(void *context) {
    const struct seen *seen = context;
    return seen->next < 4 && seen->due[seen->next] > 0 ? (struct utc){seen->due[seen->next]}
                                                       : UTC_NEVER;
}

static void seen_moved(void *context, struct utc now) {
    struct seen *seen = context;
    seen->moved[seen->count++] = now.ns;
    while (seen->next < 4 && seen->due[seen->next] > 0 && seen->due[seen->next] <= now.ns) {
        seen->next++;
        virtual_clock_advance(seen->clock, (struct span){seen->nested_ns});
    }
}

Test(virtual_clock, stops_at_what_is_due_and_nested_time_is_added) {
    struct virtual_clock *clock = virtual_clock_create((struct utc){100}, "t");
    struct seen seen = {.clock = clock, .due = {110, 150, 300}, .nested_ns = 7};
    virtual_clock_set_hook(clock, &(struct virtual_clock_hook){seen_moved, seen_next, &seen});
    virtual_clock_advance(clock, (struct span){60});
    const int64_t expected[] = {110, 150, 174};
    cr_assert_eq(seen.count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(seen.moved[i], expected[i]);
    }
    cr_expect_eq(virtual_clock_now(clock).ns, 174); /* 100 + 60 + 2 x 7 */
    virtual_clock_advance_to(clock, (struct utc){160});
    cr_expect_eq(virtual_clock_now(clock).ns, 174);
    virtual_clock_destroy(clock);
}

Test(virtual_clock, wall_steps_and_boots_leave_true_time_alone) {
    struct virtual_clock *clock = virtual_clock_create((struct utc){1000}, "seed-7");
    struct clock *seam = virtual_clock_seam(clock);
    char first[CLOCK_BOOT_MAX];
    char second[CLOCK_BOOT_MAX];
    clock_boot_id(seam, first);
    virtual_clock_advance(clock, (struct span){50});
    virtual_clock_set_offset(clock, (struct span){-400});
    cr_expect_eq(clock_utc(seam).ns, 650);
    cr_expect_eq(clock_mono(seam).ns, 50);
    virtual_clock_reboot(clock);
    clock_boot_id(seam, second);
    cr_expect_eq(clock_mono(seam).ns, 0);
    cr_expect_eq(clock_utc(seam).ns, 650);
    cr_expect_str_eq(first, "seed-7-boot-1");
    cr_expect_str_eq(second, "seed-7-boot-2");
    clock_sleep(seam, SPAN_S(10));
    cr_expect_eq(virtual_clock_now(clock).ns, 1050 + 250000000);
    virtual_clock_destroy(clock);
}

/* --- disk: exhaustive crash states of save protocols --- */

#define BYTES 700 /* two sectors: one cut */

enum step {
    END,
    CREATE,
    WRITE,
    SYNC,
    RENAME,
    SYNC_DIR,
    TRUNCATE,
    UNLINK,
    BACKUP,
    OPEN_OLD,
    OPEN_SLOT
};

struct bench { /* one run of a protocol */
    struct sim_disk *disk;
    struct disk *seam;
    struct disk_file file;
};

static void step_run(struct bench *b, enum step step) {
    char fresh[BYTES];
    memset(fresh, 'N', sizeof fresh);
    switch (step) {
    case CREATE:
        must(disk_open(b->seam, "tmp", DISK_WRITE | DISK_CREATE, &b->file, NULL));
        break;
    case WRITE:
        must(disk_write_at(b->seam, b->file, fresh, sizeof fresh, 0, NULL));
        break;
    case SYNC:
        must(disk_sync(b->seam, b->file, NULL));
        break;
    case RENAME:
        must(disk_rename(b->seam, "tmp", "s", NULL));
        break;
    case SYNC_DIR:
        must(disk_sync_dir(b->seam, "", NULL));
        break;
    case TRUNCATE:
        must(disk_open(b->seam, "s", DISK_WRITE, &b->file, NULL));
        must(disk_truncate(b->seam, b->file, 0, NULL));
        break;
    case UNLINK:
        must(disk_remove(b->seam, "s", NULL));
        break;
    case BACKUP:
        must(disk_link(b->seam, "s", "b", NULL));
        break;
    case OPEN_SLOT: /* the other of two slots is overwritten; "s" keeps the old version */
        must(disk_open(b->seam, "slot", DISK_WRITE, &b->file, NULL));
        must(disk_write_at(b->seam, b->file, fresh, sizeof fresh, 0, NULL));
        break;
    case OPEN_OLD:
    case END:
        break;
    }
}

struct tally {
    int states, bad, late;
};

static void judge(struct sim_disk *disk, bool is_acked, bool is_slots, struct tally *tally) {
    char old[BYTES];
    char fresh[BYTES];
    memset(old, 'O', sizeof old);
    memset(fresh, 'N', sizeof fresh);
    struct text s = {0};
    const bool is_there = sim_disk_read(disk, "s", &s);
    const bool is_whole = is_there && s.len == BYTES;
    const bool is_old = is_whole && memcmp(s.data, old, BYTES) == 0;
    const bool is_new = is_whole && memcmp(s.data, fresh, BYTES) == 0;
    tally->states++;
    tally->bad += !is_old && !is_new;
    tally->late += is_acked && is_old && !is_slots;
    text_release(&s);
}

static struct tally enumerate(struct disk_rules rules, const enum step *steps) {
    struct tally tally = {0};
    size_t length = 0;
    while (steps[length] != END) {
        length++;
    }
    char old[BYTES];
    memset(old, 'O', sizeof old);
    for (size_t cut = 0; cut <= length; cut++) {
        struct crash_enumerator walk = crash_enumerator();
        do {
            struct bench b = {.disk = sim_disk_create(1, rules, NULL)};
            b.seam = sim_disk_port(b.disk, 0);
            sim_disk_write_raw(b.disk, "s", old, sizeof old);
            sim_disk_write_raw(b.disk, "slot", old, sizeof old);
            for (size_t i = 0; i < cut; i++) {
                step_run(&b, steps[i]);
            }
            sim_disk_crash(b.disk, &walk.source);
            judge(b.disk, cut == length, steps[0] == OPEN_SLOT, &tally);
            sim_disk_destroy(b.disk);
        } while (crash_enumerator_next(&walk));
    }
    return tally;
}

/* The rules of the independent model: bytes of a file in order, no zeros, a sync names nothing. */
static struct disk_rules table_rules(bool names_any) {
    return (struct disk_rules){.names_any = names_any};
}

struct protocol {
    const char *what;
    enum step steps[8];
    struct tally ordered, strict;
};

static const struct protocol protocols[] = {
    {"save", {CREATE, WRITE, SYNC, RENAME, SYNC_DIR}, {15, 0, 0}, {16, 0, 0}},
    {"no fsync", {CREATE, WRITE, RENAME, SYNC_DIR}, {21, 4, 0}, {24, 6, 0}},
    {"no dirsync", {CREATE, WRITE, SYNC, RENAME}, {14, 0, 2}, {15, 0, 2}},
    {"rename first", {CREATE, WRITE, RENAME, SYNC, SYNC_DIR}, {22, 2, 0}, {26, 4, 0}},
    {"in place", {TRUNCATE, WRITE, SYNC}, {8, 3, 0}, {8, 3, 0}},
    {"unlink", {CREATE, WRITE, SYNC, UNLINK, RENAME, SYNC_DIR}, {19, 2, 0}, {24, 4, 0}},
    {"backup", {CREATE, WRITE, SYNC, BACKUP, RENAME, SYNC_DIR}, {19, 0, 0}, {24, 0, 0}},
    {"slots", {OPEN_SLOT, SYNC}, {5, 0, 0}, {5, 0, 0}},
};
#define PROTOCOLS (sizeof protocols / sizeof protocols[0])

static void expect_tally(const char *what, struct tally is, struct tally wanted) {
    cr_expect(is.states == wanted.states && is.bad == wanted.bad && is.late == wanted.late,
              "%s: %d/%d/%d, wanted %d/%d/%d", what, is.states, is.bad, is.late, wanted.states,
              wanted.bad, wanted.late);
}

Test(sim_disk, has_the_crash_states_of_the_independent_model) {
    for (size_t i = 0; i < PROTOCOLS; i++) {
        const struct protocol *p = &protocols[i];
        expect_tally(p->what, enumerate(table_rules(false), p->steps), p->ordered);
        expect_tally(p->what, enumerate(table_rules(true), p->steps), p->strict);
    }
}

Test(sim_disk, tells_good_protocols_from_bad_in_both_profiles) {
    const enum disk_profile profiles[] = {DISK_PROFILE_STRICT, DISK_PROFILE_ORDERED};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < PROTOCOLS; i++) {
            const struct protocol *p = &protocols[i];
            const struct tally is = enumerate(disk_rules_of(profiles[k]), p->steps);
            cr_expect_eq(is.bad > 0, p->strict.bad > 0, "%s: %d bad", p->what, is.bad);
            cr_expect_eq(is.late > 0, p->strict.late > 0, "%s: %d late", p->what, is.late);
        }
    }
    for (size_t i = 0; i < PROTOCOLS; i++) { /* kind: one state a cut, the present one */
        const struct tally is = enumerate(disk_rules_of(DISK_PROFILE_KIND), protocols[i].steps);
        cr_expect_eq(is.late, 0, "%s", protocols[i].what);
    }
}

static struct disk_file open_new(struct disk *seam, const char *name) {
    struct disk_file file = {-1};
    must(disk_open(seam, name, DISK_WRITE | DISK_CREATE, &file, NULL));
    return file;
}

static void expect_content(struct sim_disk *disk, const char *name, const char *wanted) {
    struct text is = {0};
    cr_expect(sim_disk_read(disk, name, &is), "%s is missing", name);
    cr_expect_str_eq(text_get(&is), wanted);
    text_release(&is);
}

Test(sim_disk, a_reused_name_never_mixes_bytes_of_two_files) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "j", "first", 5);
    must(disk_remove(seam, "j", NULL));
    const struct disk_file file = open_new(seam, "j");
    must(disk_write_at(seam, file, "xy", 2, 0, NULL));
    must(disk_sync(seam, file, NULL));
    struct crash_uniform dropped = crash_uniform(CRASH_DROPPED);
    sim_disk_crash(disk, &dropped.source);
    expect_content(disk, "j", "first"); /* the removal was lost, so was the new file */
    cr_expect_eq(sim_disk_pending(disk), 0);
    sim_disk_destroy(disk);
}

Test(sim_disk, undoes_overlapping_writes_truncates_and_holes_exactly) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "f", "0123456789", 10);
    const struct disk_file file = open_new(seam, "f");
    must(disk_write_at(seam, file, "abc", 3, 2, NULL));
    must(disk_truncate(seam, file, 4, NULL));
    must(disk_write_at(seam, file, "Z", 1, 8, NULL));
    must(disk_write_at(seam, file, "QQQ", 3, 1, NULL));
    struct text bytes = {0};
    cr_assert(sim_disk_read(disk, "f", &bytes));
    cr_expect_eq(bytes.len, 9);
    cr_expect_arr_eq(bytes.data, "0QQQ\0\0\0\0Z", 9);
    cr_assert(sim_disk_read_durable(disk, "f", &bytes));
    cr_expect_str_eq(text_get(&bytes), "0123456789");
    struct crash_uniform kept = crash_uniform(CRASH_KEPT);
    sim_disk_crash(disk, &kept.source);
    cr_assert(sim_disk_read_durable(disk, "f", &bytes));
    cr_expect_eq(bytes.len, 9);
    cr_expect_arr_eq(bytes.data, "0QQQ\0\0\0\0Z", 9);
    text_release(&bytes);
    sim_disk_destroy(disk);
}

Test(sim_disk, tears_at_sectors_and_fills_with_zeros) {
    char fresh[1300];
    memset(fresh, 'N', sizeof fresh);
    const enum crash_fate fates[] = {CRASH_TORN, CRASH_ZEROS};
    for (size_t k = 0; k < 2; k++) {
        struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
        struct disk *seam = sim_disk_port(disk, 0);
        must(disk_write_at(seam, open_new(seam, "f"), fresh, sizeof fresh, 0, NULL));
        struct crash_uniform fate = crash_uniform(fates[k]);
        sim_disk_crash(disk, &fate.source);
        struct text bytes = {0};
        cr_assert(sim_disk_read(disk, "f", &bytes));
        cr_expect_eq(bytes.len, k == 0 ? 1024 : 1300); /* cut 1 of 0 and 1 */
        cr_expect_eq(bytes.data[1023], 'N');
        cr_expect(k == 0 || bytes.data[1024] == 0);
        text_release(&bytes);
        sim_disk_destroy(disk);
    }
}

Test(sim_disk, locks_exclude_and_die_with_their_process) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk_file lock = {-1};
    struct disk_file other = {-1};
    must(disk_lock(sim_disk_port(disk, 0), "lock", &lock, NULL));
    cr_expect_eq(disk_lock(sim_disk_port(disk, 0), "lock", &other, NULL), ERR_LOCKED);
    cr_expect_eq(disk_lock(sim_disk_port(disk, 1), "lock", &other, NULL), ERR_LOCKED);
    sim_disk_process_died(disk, 0);
    must(disk_lock(sim_disk_port(disk, 1), "lock", &other, NULL));
    disk_close(sim_disk_port(disk, 0), other); /* not its handle */
    cr_expect_eq(disk_lock(sim_disk_port(disk, 0), "lock", &lock, NULL), ERR_LOCKED);
    disk_close(sim_disk_port(disk, 1), other);
    must(disk_lock(sim_disk_port(disk, 0), "lock", &lock, NULL));
    sim_disk_destroy(disk);
}

static void append_name(void *context, const char *name) {
    text_add(context, name);
    text_add_char(context, ' ');
}

Test(sim_disk, lists_one_folder_in_byte_order_and_refuses_bad_names) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    struct disk_file file = {-1};
    cr_expect_eq(disk_open(seam, "in/a", DISK_WRITE | DISK_CREATE, &file, NULL), ERR_NOT_FOUND);
    must(disk_make_dir(seam, "in", NULL));
    const char *names[] = {"z", "in/b", "in-x", "in/a", "B", "in0"};
    for (size_t i = 0; i < 6; i++) {
        disk_close(seam, open_new(seam, names[i]));
    }
    cr_expect_eq(disk_open(seam, "z", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &file, NULL),
                 ERR_EXISTS);
    cr_expect_eq(disk_open(seam, "../z", DISK_READ, &file, NULL), ERR_IO);
    cr_expect_eq(disk_link(seam, "z", "B", NULL), ERR_EXISTS);
    cr_expect_eq(disk_rename(seam, "none", "B", NULL), ERR_NOT_FOUND);
    struct text list = {0};
    must(disk_list(seam, "in", append_name, &list, NULL));
    cr_expect_str_eq(text_get(&list), "a b ");
    text_clear(&list);
    must(disk_list(seam, "", append_name, &list, NULL));
    cr_expect_str_eq(text_get(&list), "B in-x in0 z ");
    cr_expect_eq(disk_list(seam, "none", append_name, &list, NULL), ERR_NOT_FOUND);
    text_release(&list);
    sim_disk_destroy(disk);
}

/* Of names and contents as a power cut now would leave them, in byte order. */
static void print_hash(struct sim_disk *disk, char out[static HASH_TEXT_MAX]) {
    struct hasher *hasher = hasher_create();
    struct text bytes = text_limited(SIM_DISK_FILE_SIZE_MAX);
    for (size_t i = 0; i < disk->entry_count; i++) {
        const char *name = disk->entries[i].name;
        if (sim_disk_read_durable(disk, name, &bytes)) {
            hasher_add(hasher, name, strlen(name) + 1);
            hasher_add_int(hasher, (int64_t)bytes.len);
            hasher_add(hasher, text_get(&bytes), bytes.len);
        }
    }
    text_release(&bytes);
    hasher_print(hasher, out);
    hasher_destroy(hasher);
}

Test(sim_disk, an_image_brings_back_all_or_what_matches) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    sim_disk_write_raw(disk, "journal.db", "1", 1);
    sim_disk_write_raw(disk, "peak.json", "a", 1);
    char before[HASH_TEXT_MAX];
    char after[HASH_TEXT_MAX];
    print_hash(disk, before);
    struct disk_image *image = sim_disk_snapshot(disk);
    sim_disk_write_raw(disk, "journal.db", "2", 1);
    sim_disk_write_raw(disk, "journal.db-wal", "2", 1);
    sim_disk_write_raw(disk, "peak.json", "b", 1);
    cr_expect_eq(sim_disk_restore_matching(disk, image, "journal.db*"), 2);
    expect_content(disk, "journal.db", "1");
    expect_content(disk, "peak.json", "b");
    cr_expect_not(sim_disk_exists(disk, "journal.db-wal"));
    sim_disk_restore(disk, image);
    print_hash(disk, after);
    cr_expect_str_eq(before, after);
    disk_image_destroy(image);
    sim_disk_destroy(disk);
}

/* In every way a power cut can go both names are still there: nothing was pending. */
Test(sim_disk, a_rename_between_names_of_one_file_is_no_change) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "a", "1", 1);
    must(disk_link(seam, "a", "b", NULL));
    must(disk_sync_dir(seam, "", NULL));
    must(disk_rename(seam, "a", "b", NULL));
    cr_expect_eq(sim_disk_pending(disk), 0);
    struct crash_uniform kept = crash_uniform(CRASH_KEPT);
    sim_disk_crash(disk, &kept.source);
    expect_content(disk, "a", "1");
    expect_content(disk, "b", "1");
    sim_disk_destroy(disk);
}

Test(sim_disk, costs_and_crashes_come_from_the_seed) {
    char hashes[3][HASH_TEXT_MAX];
    int64_t ends[3];
    const uint64_t seeds[] = {5, 5, 6};
    for (size_t k = 0; k < 3; k++) {
        struct virtual_clock *clock = virtual_clock_create((struct utc){0}, "t");
        struct sim_disk *disk =
            sim_disk_create(seeds[k], disk_rules_of(DISK_PROFILE_STRICT), clock);
        struct disk *seam = sim_disk_port(disk, 0);
        const struct disk_file file = open_new(seam, "f");
        must(disk_sync_dir(seam, "", NULL));
        for (uint64_t i = 0; i < 40; i++) {
            must(disk_write_at(seam, file, "0123456789abcdef", 16, i * 700, NULL));
        }
        must(disk_sync(seam, open_new(seam, "g"), NULL));
        struct crash_seeded source = crash_seeded(seeds[k], 3);
        source.mood = 4; /* a mix */
        sim_disk_crash(disk, &source.source);
        print_hash(disk, hashes[k]);
        ends[k] = virtual_clock_now(clock).ns;
        sim_disk_destroy(disk);
        virtual_clock_destroy(clock);
    }
    cr_expect_str_eq(hashes[0], hashes[1]);
    cr_expect_str_neq(hashes[0], hashes[2]);
    cr_expect_eq(ends[0], ends[1]);
    cr_expect_neq(ends[0], ends[2]);
    cr_expect(ends[0] >= 42 * 5000 + 2 * 500000 && ends[0] <= 42 * 40000 + 2 * 5000000);
}

/* --- what gets old is durable --- */

static struct virtual_clock *clock_at_zero(void) {
    return virtual_clock_create((struct utc){0}, "t");
}

static void wait_ms(struct virtual_clock *clock, int64_t ms) {
    virtual_clock_advance_to(clock, (struct utc){ms * 1000000});
}

/* A replacement without a sync, made in the second 0 (name, bytes) and 10 (rename), and a power cut in each
 * of 45 seconds, which takes all that may still be taken. */
Test(sim_disk, what_is_half_a_minute_old_is_durable_bytes_before_their_name) {
    const enum disk_profile profiles[] = {DISK_PROFILE_STRICT, DISK_PROFILE_ORDERED,
                                          DISK_PROFILE_KIND};
    for (size_t k = 0; k < 3; k++) {
        for (int64_t second = 11; second < 45; second++) {
            struct virtual_clock *clock = clock_at_zero();
            struct sim_disk *disk = sim_disk_create(1, disk_rules_of(profiles[k]), clock);
            struct disk *seam = sim_disk_port(disk, 0);
            sim_disk_write_raw(disk, "s", "old", 3);
            must(disk_write_at(seam, open_new(seam, "tmp"), "new", 3, 0, NULL));
            wait_ms(clock, 10000);
            must(disk_rename(seam, "tmp", "s", NULL));
            wait_ms(clock, second * 1000 + 1); /* the calls took less than a millisecond */
            const bool keeps_all = profiles[k] == DISK_PROFILE_KIND;
            const size_t left = second >= 40 ? 0 : second >= 30 ? 1 : 3;
            cr_expect_eq(sim_disk_pending(disk), left, "second %d", (int)second);
            struct crash_uniform dropped = crash_uniform(CRASH_DROPPED);
            sim_disk_crash(disk, &dropped.source);
            expect_content(disk, "s", second >= 40 || keeps_all ? "new" : "old");
            cr_expect_eq(sim_disk_exists(disk, "tmp"), left == 1 && !keeps_all);
            if (left == 1 && !keeps_all) {
                expect_content(disk, "tmp", "new");
            }
            sim_disk_destroy(disk);
            virtual_clock_destroy(clock);
        }
    }
}

struct made { /* one call of a long life */
    bool is_truncate;
    size_t offset, n;
    char fill;
    int64_t at_ms;
};

static void make(struct disk *seam, struct disk_file file, const struct made *made) {
    static char bytes[6000];
    memset(bytes, made->fill, sizeof bytes);
    if (made->is_truncate) {
        must(disk_truncate(seam, file, made->offset, NULL));
    } else {
        must(disk_write_at(seam, file, bytes, made->n, made->offset, NULL));
    }
}

/* Against a disk on which nobody did what is not old yet. */
static void expect_the_old_alone(struct sim_disk *disk, const struct made *made, size_t count,
                                 int64_t now_ms) {
    struct sim_disk *plain = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    const struct disk_file file = open_new(sim_disk_port(plain, 0), "f");
    struct text is = text_limited(SIM_DISK_FILE_SIZE_MAX);
    struct text wanted = text_limited(SIM_DISK_FILE_SIZE_MAX);
    for (size_t i = 0; i < count && made[i].at_ms + 30000 < now_ms; i++) {
        make(sim_disk_port(plain, 0), file, &made[i]);
    }
    cr_assert(sim_disk_read_durable(disk, "f", &is));
    cr_assert(sim_disk_read(plain, "f", &wanted));
    cr_expect(is.len == wanted.len && memcmp(text_get(&is), text_get(&wanted), is.len) == 0,
              "%zu bytes, wanted %zu, at %d ms", is.len, wanted.len, (int)now_ms);
    text_release(&is);
    text_release(&wanted);
    sim_disk_destroy(plain);
}

Test(sim_disk, is_durable_as_of_half_a_minute_ago_over_a_long_life) {
    struct virtual_clock *clock = clock_at_zero();
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), clock);
    struct disk *seam = sim_disk_port(disk, 0);
    struct random random = random_stream(4, "age", 0, 0, 0);
    const struct disk_file file = open_new(seam, "f");
    static struct made made[400];
    must(disk_sync_dir(seam, "", NULL));
    for (size_t i = 0; i < 400; i++) {
        made[i] = (struct made){.is_truncate = random_below(&random, 4) == 0,
                                .offset = random_below(&random, 20000),
                                .n = random_below(&random, 6000) + 1,
                                .fill = (char)('a' + (char)(i % 26)),
                                .at_ms = 100 + (int64_t)i * 1700};
        wait_ms(clock, made[i].at_ms);
        make(seam, file, &made[i]);
        expect_the_old_alone(disk, made, i + 1, made[i].at_ms);
    }
    cr_expect_eq(disk->inodes[0].change_count, 18, "30 s of one each 1.7 s");
    sim_disk_destroy(disk);
    virtual_clock_destroy(clock);
}

/* A page that a failed sync lost is whole on the platter once a later write of it is old. */
Test(sim_disk, a_lost_page_that_is_written_again_gets_old) {
    struct virtual_clock *clock = clock_at_zero();
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), clock);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "f", "0123456789", 10);
    const struct disk_file file = open_new(seam, "f");
    struct text bytes = {0};
    must(disk_write_at(seam, file, "lost", 4, 0, NULL));
    sim_disk_lose(disk, file);
    must(disk_write_at(seam, file, "again", 5, 5, NULL));
    wait_ms(clock, 29000);
    cr_assert(sim_disk_read_durable(disk, "f", &bytes));
    cr_expect_str_eq(text_get(&bytes), "0123456789");
    wait_ms(clock, 31000);
    cr_assert(sim_disk_read_durable(disk, "f", &bytes));
    cr_expect_str_eq(text_get(&bytes), "lost4again");
    text_release(&bytes);
    sim_disk_destroy(disk);
    virtual_clock_destroy(clock);
}

/* --- what the exhaustive search asks of the model --- */

/* Six changes: three writes, a truncate, a new name, a rename. */
static struct sim_disk *busy_disk(struct disk_rules rules) {
    static char big[1300];
    struct sim_disk *disk = sim_disk_create(1, rules, NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "s", "0123456789", 10);
    const struct disk_file file = open_new(seam, "s");
    memset(big, 'B', sizeof big);
    must(disk_write_at(seam, file, "abc", 3, 2, NULL));
    must(disk_truncate(seam, file, 6, NULL));
    must(disk_write_at(seam, file, big, sizeof big, 4, NULL));
    must(disk_write_at(seam, open_new(seam, "t"), "new", 3, 0, NULL));
    must(disk_rename(seam, "t", "u", NULL));
    return disk;
}

static int walks(struct disk_rules rules, bool is_asking) {
    struct crash_enumerator walk = crash_enumerator();
    struct sim_disk *disk = busy_disk(rules);
    int count = 0;
    do {
        if (is_asking) {
            sim_disk_ask(disk, &walk.source);
        } else {
            sim_disk_destroy(disk);
            disk = busy_disk(rules);
            sim_disk_crash(disk, &walk.source);
        }
        count++;
    } while (crash_enumerator_next(&walk));
    cr_expect_eq(sim_disk_pending(disk), is_asking ? 6 : 0);
    sim_disk_destroy(disk);
    return count;
}

/* strict: a write in one sector keeps, drops, is torn to nothing or to zeros (4), one over two
 * boundaries 2 + 2 x 2 (6), a truncate and a name 2 each: 4 x 2 x 6 x 4 x 2 x 2. ordered, of the file
 * of three changes: the oldest 0, 1, 2 or 3 are kept, and behind 0 and 2 a write is cut (3 and 5
 * ways): 3 + 1 + 5 + 1; of the file of one: 3 + 1; of the names 0, 1 or 2: 10 x 4 x 3. */
Test(sim_disk, asking_walks_the_states_that_crashing_does_and_no_more) {
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_STRICT), true), 4 * 2 * 6 * 4 * 2 * 2);
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_STRICT), false), 4 * 2 * 6 * 4 * 2 * 2);
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_ORDERED), true), 10 * 4 * 3);
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_ORDERED), false), 10 * 4 * 3);
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_KIND), true), 1);
    cr_expect_eq(walks(disk_rules_of(DISK_PROFILE_KIND), false), 1);
}

Test(sim_disk, answers_given_are_the_fates_taken) {
    static const struct {
        unsigned answers[6]; /* the rename, the new name; s: abc, truncate, big and its cut; t */
        const char *s, *u;   /* the first 8 bytes of s; NULL: no such name */
        size_t size;
    } rows[] = {
        {{0, 0, CRASH_KEPT, 0, CRASH_KEPT, CRASH_KEPT}, "01abBBBB", "new", 1304},
        {{0, 0, CRASH_DROPPED, 1, CRASH_DROPPED, CRASH_KEPT}, "01234567", "new", 10},
        {{0, 0, CRASH_KEPT, 0, CRASH_DROPPED, CRASH_KEPT}, "01abc5", "new", 6},
        {{1, 0, CRASH_DROPPED, 1, CRASH_DROPPED, CRASH_KEPT}, "01234567", NULL, 10},
        {{0, 0, CRASH_DROPPED, 1, CRASH_DROPPED, CRASH_ZEROS}, "01234567", "", 10},
        {{0, 0, CRASH_DROPPED, 0, CRASH_TORN, 1}, "0123BBBB", "new", 1024},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_disk *disk = busy_disk(disk_rules_of(DISK_PROFILE_STRICT));
        struct crash_vector vector = crash_vector(rows[i].answers, 6);
        struct text bytes = {0};
        sim_disk_crash(disk, &vector.source);
        cr_assert(sim_disk_read(disk, "s", &bytes));
        cr_expect_eq(bytes.len, rows[i].size, "row %zu: %zu bytes", i, bytes.len);
        cr_expect_eq(strncmp(text_get(&bytes), rows[i].s, 8 < bytes.len ? 8 : bytes.len), 0,
                     "row %zu: %s", i, text_get(&bytes));
        cr_expect_eq(sim_disk_read(disk, "u", &bytes), rows[i].u != NULL, "row %zu", i);
        cr_expect(rows[i].u == NULL || strcmp(text_get(&bytes), rows[i].u) == 0, "row %zu", i);
        text_release(&bytes);
        sim_disk_destroy(disk);
    }
}

/* What a search meets at one instant, crashing as it does: learn by asking, then crash a copy with the same
 * answers. */
struct search {
    struct crash_fates fates;
    int count, known; /* fates, and of those that leave different bytes under known names */
    uint64_t first, second;
    uint64_t seen[CRASH_FATES_ALL_MAX];
};

static void meet_fate(struct sim_disk *disk, struct search *search) {
    struct sim_disk *copy = sim_disk_clone(disk);
    const uint64_t before = sim_disk_hash(disk);
    const struct disk_hashes after = sim_disk_hashes_after(disk, &search->fates.source);
    int i = 0;
    crash_fates_again(&search->fates);
    sim_disk_crash(copy, &search->fates.source);
    cr_expect_eq(sim_disk_hash(copy), after.all, "fate %d twice", search->count);
    cr_expect_eq(sim_disk_hash(disk), before, "a question changes nothing");
    while (i < search->known && search->seen[i] != after.known) {
        i++;
    }
    search->seen[i] = after.known;
    search->known += i == search->known;
    search->first = search->count == 0 ? after.all : search->first;
    search->second = search->count == 1 ? after.all : search->second;
    search->count++;
    sim_disk_destroy(copy);
}

static struct search search(struct sim_disk *disk) {
    struct search search = {.fates = sim_disk_fates(disk, 5, 9)};
    do {
        meet_fate(disk, &search);
    } while (crash_fates_next(&search.fates));
    return search;
}

static uint64_t hash_of_all(struct sim_disk *disk, enum crash_fate fate) {
    struct crash_uniform uniform = crash_uniform(fate);
    return sim_disk_hashes_after(disk, &uniform.source).all;
}

/* Somebody reads from it: its name is known. */
static void look_into(struct disk *seam, const char *name) {
    struct disk_file file = {-1};
    char byte = 0;
    size_t got = 0;
    must(disk_open(seam, name, DISK_READ, &file, NULL));
    must(disk_read_at(seam, file, &byte, 1, 0, &got, NULL));
    disk_close(seam, file);
}

static struct sim_disk *three_writes(void) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    sim_disk_write_raw(disk, "s", "0123456789", 10);
    const struct disk_file file = open_new(sim_disk_port(disk, 0), "s");
    static char big[2000];
    memset(big, 'B', sizeof big);
    for (uint64_t i = 0; i < 3; i++) {
        must(disk_write_at(sim_disk_port(disk, 0), file, big, sizeof big, i * 2048, NULL));
    }
    return disk;
}

Test(crash_fates, are_all_of_three_writes_that_matter_and_eight_of_more) {
    struct sim_disk *few = three_writes();
    look_into(sim_disk_port(few, 0), "s");
    struct search found = search(few);
    cr_expect(found.fates.is_all && found.count == 4 * 4 * 4, "%d", found.count);
    struct sim_disk *many = busy_disk(disk_rules_of(DISK_PROFILE_STRICT));
    look_into(sim_disk_port(many, 0), "s");
    look_into(sim_disk_port(many, 0), "u");
    found = search(many);
    cr_expect(!found.fates.is_all && found.count == 8, "%d", found.count);
    cr_expect_eq(found.first, hash_of_all(many, CRASH_KEPT), "the first: all of it came");
    cr_expect_eq(found.second, hash_of_all(many, CRASH_DROPPED), "the second: nothing did");
    sim_disk_destroy(few);
    sim_disk_destroy(many);
}

Test(crash_fates, of_what_nobody_looked_into_are_both_extremes_and_a_drawn_one) {
    struct sim_disk *nothing = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    cr_expect_eq(search(nothing).count, 1);
    struct sim_disk *disk = three_writes();
    const struct search unseen = search(disk);
    cr_expect(unseen.fates.is_all && unseen.count == 3 && unseen.known == 1, "%d", unseen.count);
    cr_expect_eq(unseen.first, hash_of_all(disk, CRASH_KEPT));
    cr_expect_eq(unseen.second, hash_of_all(disk, CRASH_DROPPED));
    cr_expect_neq(unseen.first, unseen.second);
    sim_disk_destroy(nothing);
    sim_disk_destroy(disk);
}

/* "s" is replaced three times and "log" grows; with a look, "s" is known. Of "s": the old one, or one of three,
 * whose bytes are kept, dropped, torn to nothing or zeros; temporary names and the older of two that came
 * are nobody's business. */
Test(crash_fates, of_replaced_files_count_the_last_that_came_alone) {
    const enum disk_profile profiles[] = {DISK_PROFILE_STRICT, DISK_PROFILE_ORDERED};
    for (size_t k = 0; k < 2; k++) {
        struct sim_disk *disk = sim_disk_create(1, disk_rules_of(profiles[k]), NULL);
        struct disk *seam = sim_disk_port(disk, 0);
        const struct disk_file log = open_new(seam, "log");
        sim_disk_write_raw(disk, "s", "old", 3);
        look_into(seam, "s");
        for (uint64_t i = 0; i < 3; i++) {
            const char temp[] = {'t', (char)('0' + (char)i), '\0'};
            const struct disk_file file = open_new(seam, temp);
            must(disk_write_at(seam, file, temp, 2, 0, NULL));
            disk_close(seam, file);
            must(disk_rename(seam, temp, "s", NULL));
            must(disk_write_at(seam, log, "line", 4, i * 4, NULL));
        }
        cr_expect_eq(sim_disk_pending(disk), 12, "the links, the renames, the bytes of both");
        const struct search found = search(disk);
        cr_expect(found.fates.is_all && found.count == 1 + 3 * 4, "%d", found.count);
        cr_expect_eq(found.known, 1 + 3 + 1 + 1, "old, three new ones, one empty, one of zeros");
        sim_disk_destroy(disk);
    }
}

/* A file looked for in vain; one that was made, sized and listed, and not read; one read under another name. */
Test(crash_fates, count_names_that_were_read_or_missed) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    struct disk_file file = {-1};
    struct text list = {0};
    uint64_t size = 0;
    cr_expect_eq(disk_open(seam, "missed", DISK_READ, &file, NULL), ERR_NOT_FOUND);
    file = open_new(seam, "sized");
    must(disk_size(seam, file, &size, NULL));
    must(disk_list(seam, "", append_name, &list, NULL));
    must(disk_write_at(seam, file, "x", 1, 0, NULL));
    cr_expect_eq(search(disk).known, 1);
    must(disk_write_at(seam, open_new(seam, "missed"), "y", 1, 0, NULL));
    cr_expect_eq(search(disk).known, 1 + 3, "none, or what was written, nothing or a zero");
    must(disk_rename(seam, "missed", "moved", NULL));
    cr_expect_eq(search(disk).known, 1 + 3, "moved is unseen, missed is not");
    text_release(&list);
    sim_disk_destroy(disk);
}

/* Renamed away and the name gone, the bytes are unseen; renamed from one known name to another, they are not. */
Test(crash_fates, follow_the_names_of_a_file) {
    const char *const to[] = {"unknown", "known"};
    const int counts[] = {1 + 4, 4 + 4};
    for (size_t k = 0; k < 2; k++) {
        struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
        struct disk *seam = sim_disk_port(disk, 0);
        struct disk_file file = {-1};
        sim_disk_write_raw(disk, "s", "old", 3);
        look_into(seam, "s");
        cr_expect_eq(disk_open(seam, "known", DISK_READ, &file, NULL), ERR_NOT_FOUND);
        must(disk_write_at(seam, open_new(seam, "s"), "newer", 5, 0, NULL));
        must(disk_rename(seam, "s", to[k], NULL));
        const struct search found = search(disk);
        cr_expect_eq(found.count, counts[k], "to %s: %d", to[k], found.count);
        sim_disk_destroy(disk);
    }
}

/* The search says for how many instants it took every fate: who reads what it did not count, belies it. */
Test(crash_fates, a_look_at_what_was_taken_for_unseen_is_told) {
    struct sim_disk *disk = three_writes();
    struct disk *seam = sim_disk_port(disk, 0);
    struct crash_uniform kept = crash_uniform(CRASH_KEPT);
    uint64_t names[2];
    sim_disk_write_raw(disk, "other", "1", 1);
    sim_disk_crash(disk, &kept.source);
    look_into(seam, "other"); /* nothing was un-synced of it */
    cr_expect_eq(sim_disk_surprises(disk, names, 2), 0);
    look_into(seam, "s");
    look_into(seam, "s");
    cr_expect_eq(sim_disk_surprises(disk, names, 2), 1);
    sim_disk_crash(disk, &kept.source);
    cr_expect_eq(sim_disk_surprises(disk, names + 1, 1), 0, "since the last power cut");
    sim_disk_destroy(disk);
    disk = three_writes();
    sim_disk_know(disk, names, 1);
    sim_disk_crash(disk, &kept.source);
    look_into(sim_disk_port(disk, 0), "s");
    cr_expect_eq(sim_disk_surprises(disk, names, 2), 0, "its fate was asked for");
    sim_disk_destroy(disk);
}

Test(crash_fates, are_drawn_where_there_are_more_questions_than_a_walk_may_have) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "s", "0", 1);
    look_into(seam, "s");
    const struct disk_file file = open_new(seam, "s");
    for (uint64_t i = 0; i < CRASH_CHOICES_MAX + 1; i++) {
        must(disk_write_at(seam, file, "1", 1, i, NULL));
    }
    const struct search found = search(disk);
    cr_expect(!found.fates.is_all && found.count == CRASH_FATES_DRAWN, "%d", found.count);
    sim_disk_destroy(disk);
}

/* A fresh disk has the hash that a grown one kept up to date; every kind of change shows. */
Test(sim_disk_hash, follows_every_change_and_knows_equal_disks) {
    struct sim_disk *disk = busy_disk(disk_rules_of(DISK_PROFILE_STRICT));
    struct disk *seam = sim_disk_port(disk, 0);
    uint64_t seen[12];
    size_t count = 0;
    const struct disk_file file = open_new(seam, "s");
    static char page[9000];
    for (; count < 12; count++) {
        switch (count) {
        case 1:
            must(disk_write_at(seam, file, "x", 1, 0, NULL));
            break;
        case 2:
            must(disk_write_at(seam, file, page, sizeof page, 5000, NULL)); /* a hole before it */
            break;
        case 3:
            must(disk_truncate(seam, file, 4500, NULL));
            break;
        case 4:
            must(disk_sync(seam, file, NULL));
            break;
        case 5:
            must(disk_link(seam, "s", "v", NULL));
            break;
        case 6:
            must(disk_sync_dir(seam, "", NULL));
            break;
        case 7:
            must(disk_make_dir(seam, "d", NULL));
            break;
        case 8:
            must(disk_remove(seam, "v", NULL));
            break;
        case 9:
            must(disk_write_at(seam, file, "y", 1, 4097, NULL));
            break;
        case 10:
            sim_disk_lose(disk, file);
            break;
        case 11:
            cr_expect(sim_disk_rot(disk, file, 3, 0));
            break;
        default:
            break;
        }
        seen[count] = sim_disk_hash(disk);
        struct sim_disk *clone = sim_disk_clone(disk);
        cr_expect_eq(sim_disk_hash(clone), seen[count], "step %zu: the same disk", count);
        sim_disk_destroy(clone);
        for (size_t i = 0; i < count; i++) {
            cr_expect_neq(seen[i], seen[count], "steps %zu and %zu", i, count);
        }
    }
    char byte[1];
    size_t got = 0;
    must(disk_read_at(seam, file, byte, 1, 0, &got, NULL));
    cr_expect_eq(sim_disk_hash(disk), seen[11], "a look changes nothing");
    sim_disk_destroy(disk);
}

Test(sim_disk_hash, of_a_disk_restored_from_bytes_is_that_of_the_one_that_grew) {
    struct sim_disk *grown = busy_disk(disk_rules_of(DISK_PROFILE_STRICT));
    struct sim_disk *fresh = sim_disk_create(9, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct crash_uniform torn = crash_uniform(CRASH_TORN);
    (void)sim_disk_hash(grown); /* pages are remembered from here on */
    sim_disk_crash(grown, &torn.source);
    struct disk_image *image = sim_disk_snapshot(grown);
    sim_disk_restore(fresh, image);
    cr_expect_eq(sim_disk_hash(fresh), sim_disk_hash(grown));
    disk_image_destroy(image);
    sim_disk_destroy(grown);
    sim_disk_destroy(fresh);
}

/* The remembered pages against a hash from nothing, over a long random life. */
Test(sim_disk_hash, remembers_no_page_that_has_changed) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    struct disk_file file = open_new(seam, "f");
    static char bytes[20000];
    struct random random = random_stream(4, "hash", 0, 0, 0);
    must(disk_sync_dir(seam, "", NULL));
    for (uint64_t i = 0; i < 2000; i++) {
        memset(bytes, (int)(i % 251), sizeof bytes);
        const uint64_t what = random_below(&random, 10);
        if (what < 6) {
            must(disk_write_at(seam, file, bytes, random_below(&random, sizeof bytes) + 1,
                               random_below(&random, 60000), NULL));
        } else if (what < 8) {
            must(disk_truncate(seam, file, random_below(&random, 60000), NULL));
        } else if (what == 8) {
            must(disk_sync(seam, file, NULL));
        } else {
            struct crash_seeded seeded = crash_seeded(6, i);
            sim_disk_crash(disk, &seeded.source);
            file = open_new(seam, "f");
            struct text now = text_limited(SIM_DISK_FILE_SIZE_MAX);
            struct sim_disk *fresh = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
            cr_assert(sim_disk_read(disk, "f", &now));
            sim_disk_write_raw(fresh, "f", text_get(&now), now.len);
            cr_expect_eq(sim_disk_hash(disk), sim_disk_hash(fresh), "after %d calls", (int)i);
            text_release(&now);
            sim_disk_destroy(fresh);
        }
        (void)sim_disk_hash(disk);
    }
    sim_disk_destroy(disk);
}

Test(sim_disk, a_lost_page_comes_back_old_unless_written_again_or_cut_off) {
    static char fresh[3 * 4096];
    memset(fresh, 'N', sizeof fresh);
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_ORDERED), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    sim_disk_write_raw(disk, "f", "0123456789", 10);
    const struct disk_file file = open_new(seam, "f");
    must(disk_write_at(seam, file, fresh, sizeof fresh, 0, NULL));
    sim_disk_lose(disk, file);
    must(disk_write_at(seam, file, "again", 5, 5000, NULL)); /* the second page is written whole */
    must(disk_sync(seam, file, NULL));
    struct text bytes = {0};
    cr_assert(sim_disk_read(disk, "f", &bytes));
    cr_expect_eq(bytes.data[0], 'N', "what was lost stays readable");
    cr_assert(sim_disk_read_durable(disk, "f", &bytes));
    cr_expect_eq(bytes.len, sizeof fresh);
    cr_expect_arr_eq(bytes.data, "0123456789\0\0", 12);
    cr_expect_eq(bytes.data[4096], 'N');
    cr_expect_arr_eq(bytes.data + 5000, "again", 5);
    cr_expect_eq(bytes.data[2 * 4096], '\0');
    struct sim_disk *cut = sim_disk_clone(disk);
    const struct disk_file other = open_new(sim_disk_port(cut, 0), "f");
    must(disk_truncate(sim_disk_port(cut, 0), other, 0, NULL));
    must(disk_write_at(sim_disk_port(cut, 0), other, "short", 5, 0, NULL));
    must(disk_sync(sim_disk_port(cut, 0), other, NULL));
    struct crash_uniform kept = crash_uniform(CRASH_KEPT);
    sim_disk_crash(cut, &kept.source);
    expect_content(cut, "f", "short");
    sim_disk_crash(disk, &kept.source);
    cr_assert(sim_disk_read(disk, "f", &bytes));
    cr_expect_arr_eq(bytes.data, "0123456789\0\0", 12);
    text_release(&bytes);
    sim_disk_destroy(cut);
    sim_disk_destroy(disk);
}

/* --- process --- */

Test(process, dies_at_every_effect_before_and_after) {
    const enum process_moment moments[] = {PROCESS_BEFORE, PROCESS_AFTER};
    for (size_t m = 0; m < 2; m++) {
        for (uint64_t at = 1; at <= 4; at++) {
            struct sim_disk *sim = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
            struct process process = {0};
            process_start(&process, NULL);
            process_die_at_effect(&process, at, moments[m]);
            struct mortal_disk mortal;
            mortal_disk_init(&mortal, sim_disk_port(sim, 0), &process);
            uint64_t acked = 0;
            for (uint64_t i = 0; i < 6; i++) {
                struct disk_file file = {-1};
                const char name[] = {(char)('a' + (char)i), '\0'};
                acked +=
                    disk_open(&mortal.seam, name, DISK_WRITE | DISK_CREATE, &file, NULL) == ERR_OK;
            }
            struct text there = {0};
            sim_disk_visit_all(sim, append_name, &there);
            cr_expect_eq(acked, at - 1);
            cr_expect_eq(there.len, 2 * (at - 1 + m));
            cr_expect(process_is_dead(&process));
            cr_expect_eq(process.effects, at);
            cr_expect_eq(process.calls_after_death, 6 - at);
            text_release(&there);
            sim_disk_destroy(sim);
        }
    }
}

/* Names, durable bytes, present bytes of "f" and what is un-synced. */
static void print_disk(struct sim_disk *disk, struct text *out) {
    char hash[HASH_TEXT_MAX];
    struct text content = {0};
    text_clear(out);
    sim_disk_visit_all(disk, append_name, out);
    print_hash(disk, hash);
    cr_assert(sim_disk_read(disk, "f", &content));
    text_add_format(out, "%s %zu %s", hash, sim_disk_pending(disk), text_get(&content));
    text_release(&content);
}

Test(process, every_disk_call_of_the_dead_fails_and_touches_nothing) {
    struct virtual_clock *clock = virtual_clock_create((struct utc){0}, "t");
    struct sim_disk *sim = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), clock);
    struct process process = {0};
    struct mortal_disk mortal;
    process_start(&process, clock);
    mortal_disk_init(&mortal, sim_disk_port(sim, 0), &process);
    struct disk *seam = &mortal.seam;
    struct disk_file file = open_new(seam, "f");
    struct disk_file lock = {-1};
    must(disk_write_at(seam, file, "abc", 3, 0, NULL));
    must(disk_make_dir(seam, "d", NULL));
    must(disk_lock(seam, "lock", &lock, NULL));
    struct text before = {0};
    struct text after = {0};
    print_disk(sim, &before);
    process_kill(&process);
    int64_t now = virtual_clock_now(clock).ns;
    uint64_t effects = process.effects;

    struct disk_file none = {-7};
    uint64_t size = 77;
    size_t got = 77;
    char byte = 'x';
    const unsigned create = DISK_WRITE | DISK_CREATE;
    const enum err_code codes[] = {disk_open(seam, "f", DISK_READ, &none, NULL),
                                   disk_open(seam, "new", create, &none, NULL),
                                   disk_size(seam, file, &size, NULL),
                                   disk_read_at(seam, file, &byte, 1, 0, &got, NULL),
                                   disk_write_at(seam, file, "X", 1, 0, NULL),
                                   disk_truncate(seam, file, 0, NULL),
                                   disk_sync(seam, file, NULL),
                                   disk_rename(seam, "f", "g", NULL),
                                   disk_remove(seam, "f", NULL),
                                   disk_link(seam, "f", "g", NULL),
                                   disk_sync_dir(seam, "", NULL),
                                   disk_make_dir(seam, "e", NULL),
                                   disk_list(seam, "", append_name, &after, NULL),
                                   disk_lock(seam, "other", &none, NULL)};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_expect_eq(codes[i], ERR_IO, "call %zu: %s", i, err_word(codes[i]));
    }
    disk_close(seam, lock);
    cr_expect_eq(after.len, 0, "nothing is visited");
    cr_expect(none.handle == -7 && size == 77 && got == 77 && byte == 'x', "outputs unchanged");
    print_disk(sim, &after);
    cr_expect_str_eq(text_get(&after), text_get(&before));
    cr_expect_eq(virtual_clock_now(clock).ns, now, "and takes no time");
    cr_expect_eq(process.effects, effects);
    cr_expect_eq(disk_lock(sim_disk_port(sim, 1), "lock", &none, NULL), ERR_LOCKED,
                 "the machine lets go of it, not the dead");
    sim_disk_process_died(sim, 0);
    must(disk_lock(sim_disk_port(sim, 1), "lock", &none, NULL));
    process_start(&process, clock);
    must(disk_rename(seam, "f", "g", NULL));
    cr_expect(sim_disk_exists(sim, "g"), "the next life acts again");
    text_release(&before);
    text_release(&after);
    sim_disk_destroy(sim);
    virtual_clock_destroy(clock);
}

struct ear {
    struct observer seam;
    struct utc heard_at[4];
    int heard;
};

static void ear_observe(struct observer *observer, const struct event *event) {
    struct ear *ear = (struct ear *)observer;
    ear->heard_at[ear->heard++] = event->at;
}

Test(process, the_dead_say_nothing_and_the_living_by_the_true_time) {
    static const struct observer_ops ops = {ear_observe};
    struct virtual_clock *clock = virtual_clock_create((struct utc){1000}, "t");
    struct process process = {0};
    struct ear ear = {.seam = {&ops}};
    struct mortal_observer mortal;
    process_start(&process, clock);
    mortal_observer_init(&mortal, &ear.seam, &process);
    struct event told = {.kind = EVENT_TICK, .at = {77}}; /* by a clock that lies */
    observe(&mortal.seam, &told);
    process_kill(&process);
    observe(&mortal.seam, &told);
    virtual_clock_advance(clock, (struct span){5});
    process_start(&process, clock);
    observe(&mortal.seam, &told);
    cr_assert_eq(ear.heard, 2);
    cr_expect_eq(ear.heard_at[0].ns, 1000);
    cr_expect_eq(ear.heard_at[1].ns, 1005);
    virtual_clock_destroy(clock);
}

/* What the dead asked for is still there for the next life: the draw, the wish, the time. */
Test(process, the_dead_take_nothing_from_clock_entropy_and_host) {
    struct virtual_clock *clock = virtual_clock_create((struct utc){1000}, "t");
    struct process process = {0};
    struct mortal_clock mortal_clock;
    struct mortal_host mortal_host;
    struct mortal_entropy mortal_entropy;
    struct sim_host host;
    struct sim_entropy entropy;
    struct sim_entropy twin;
    unsigned char bytes[8] = {0};
    unsigned char wanted[8] = {0};
    char boot[CLOCK_BOOT_MAX];
    char reboot[CLOCK_BOOT_MAX];
    process_start(&process, clock);
    sim_host_init(&host);
    sim_entropy_init(&entropy, 1, "names", 0);
    sim_entropy_init(&twin, 1, "names", 0);
    mortal_clock_init(&mortal_clock, virtual_clock_seam(clock), &process);
    mortal_host_init(&mortal_host, &host.seam, &process);
    mortal_entropy_init(&mortal_entropy, &entropy.seam, &process);
    clock_boot_id(&mortal_clock.seam, boot);
    process_kill(&process);
    sim_host_wish(&host, HOST_RELOAD);
    virtual_clock_advance(clock, SPAN_S(5));
    virtual_clock_reboot(clock);
    virtual_clock_advance(clock, SPAN_S(1));
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(clock_utc(&mortal_clock.seam).ns, 1000);
        cr_expect_eq(clock_mono(&mortal_clock.seam).ns, 0);
        clock_boot_id(&mortal_clock.seam, reboot);
        cr_expect_str_eq(reboot, boot, "of the boot it lived in");
        clock_sleep(&mortal_clock.seam, SPAN_MS(250));
        cr_expect_eq(virtual_clock_now(clock).ns, 1000 + SPAN_S(6).ns);
        cr_expect_eq(entropy_fill(&mortal_entropy.seam, bytes, 8, NULL), ERR_IO);
        cr_expect_eq(host_poll(&mortal_host.seam), HOST_TERMINATE);
    }
    cr_expect_arr_eq(bytes, wanted, 8, "not a byte is written");
    process_start(&process, clock);
    cr_expect_eq(host_poll(&mortal_host.seam), HOST_RELOAD);
    must(entropy_fill(&mortal_entropy.seam, bytes, 8, NULL));
    must(entropy_fill(&twin.seam, wanted, 8, NULL));
    cr_expect_arr_eq(bytes, wanted, 8);
    cr_expect_eq(clock_mono(&mortal_clock.seam).ns, SPAN_S(1).ns);
    clock_boot_id(&mortal_clock.seam, reboot);
    cr_expect_str_neq(reboot, boot);
    virtual_clock_destroy(clock);
}

Test(process, the_dead_see_a_still_clock_a_terminating_host_and_no_entropy) {
    struct virtual_clock *clock = virtual_clock_create((struct utc){1000}, "t");
    struct process process = {0};
    struct mortal_clock mortal_clock;
    struct mortal_host mortal_host;
    struct mortal_entropy mortal_entropy;
    struct sim_host host;
    struct sim_entropy entropy;
    unsigned char bytes[8];
    process_start(&process, clock);
    sim_host_init(&host);
    sim_entropy_init(&entropy, 1, "names", 0);
    mortal_clock_init(&mortal_clock, virtual_clock_seam(clock), &process);
    mortal_host_init(&mortal_host, &host.seam, &process);
    mortal_entropy_init(&mortal_entropy, &entropy.seam, &process);
    cr_expect_eq(host_poll(&mortal_host.seam), HOST_NONE);
    must(entropy_fill(&mortal_entropy.seam, bytes, 8, NULL));
    cr_expect_eq(process_enter(&process, PROCESS_DISK), PROCESS_ALIVE);
    process_die_next(&process, PROCESS_BEFORE);
    virtual_clock_advance(clock, (struct span){500});
    cr_expect_eq(clock_utc(&mortal_clock.seam).ns, 1500);
    cr_expect_eq(process_enter(&process, PROCESS_DISK), PROCESS_CRASH_BEFORE);
    cr_expect_eq(process.died_at.ns, 1500);
    virtual_clock_advance(clock, (struct span){500});
    clock_sleep(&mortal_clock.seam, SPAN_MS(1));
    cr_expect_eq(virtual_clock_now(clock).ns, 2000);
    cr_expect_eq(clock_utc(&mortal_clock.seam).ns, 1500);
    cr_expect_eq(host_poll(&mortal_host.seam), HOST_TERMINATE);
    cr_expect_eq(entropy_fill(&mortal_entropy.seam, bytes, 8, NULL), ERR_IO);
    for (int i = 0; i < PROCESS_CALLS_AFTER_DEATH_MAX; i++) {
        (void)host_poll(&mortal_host.seam);
    }
    cr_expect(process_does_not_stop(&process));
    process_start(&process, clock);
    cr_expect_eq(process.life, 2);
    cr_expect_eq(process.effects_ever, 2);
    cr_expect_eq(process_enter(&process, PROCESS_HTTP), PROCESS_ALIVE);
    virtual_clock_destroy(clock);
}

Test(sim_host, tells_a_reload_once_and_termination_until_obeyed) {
    struct sim_host host;
    sim_host_init(&host);
    sim_host_wish(&host, HOST_RELOAD);
    sim_host_wish(&host, HOST_TERMINATE);
    cr_expect_eq(host_poll(&host.seam), HOST_RELOAD);
    cr_expect_eq(host_poll(&host.seam), HOST_TERMINATE);
    cr_expect_eq(host_poll(&host.seam), HOST_TERMINATE);
}

/* Not a limit but a tripwire: a model that copies whole files per call is 100 times slower. */
Test(sim_disk, a_write_and_sync_cost_their_bytes_only) {
    struct sim_disk *disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    struct disk *seam = sim_disk_port(disk, 0);
    static char big[1 << 20];
    sim_disk_write_raw(disk, "db", big, sizeof big);
    const struct disk_file file = open_new(seam, "db");
    struct timespec t[2];
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[0]);
    const int rounds = 20000;
    for (int i = 0; i < rounds; i++) {
        for (uint64_t k = 0; k < 5; k++) {
            must(disk_write_at(seam, file, big, 4096, (k * 37 + (uint64_t)i) % 200 * 4096, NULL));
        }
        must(disk_sync(seam, file, NULL));
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[1]);
    const double ns =
        ((double)(t[1].tv_sec - t[0].tv_sec) * 1e9 + (double)(t[1].tv_nsec - t[0].tv_nsec)) /
        rounds;
    fprintf(stderr, "5 writes of 4 KiB and a sync: %.0f ns\n", ns);
    cr_expect_lt(ns, 200000);
    sim_disk_destroy(disk);
}
