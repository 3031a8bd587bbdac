/* test_seams.c - one contract per seam, kept by every implementation of it. */
#include "chaos/faults/faulty_disk.h"
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/sim_host.h"
#include "chaos/machine/virtual_clock.h"
#include "core/live/clock_served.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/entropy_system.h"
#include "core/live/host_posix.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- disk --- */

enum disk_kind {
    DISK_POSIX,
    DISK_SIM_STRICT,
    DISK_SIM_ORDERED,
    DISK_MORTAL,
    DISK_FAULTY,
    DISK_KINDS
};
static const char *const disk_kind_names[] = {"posix", "sim strict", "sim ordered", "mortal",
                                              "faulty, unarmed"};

struct disk_stand {
    enum disk_kind kind;
    struct disk *disk;
    char folder[64];
    struct disk_posix *posix;
    struct virtual_clock *clock;
    struct process process;
    struct sim_disk *sim;
    struct mortal_disk mortal;
    struct faulty_disk *faulty;
};

static void disk_begin(struct disk_stand *stand, enum disk_kind kind) {
    *stand = (struct disk_stand){.kind = kind, .folder = "/tmp/seatrial-seam-XXXXXX"};
    if (kind == DISK_POSIX) {
        char path[80];
        struct err err;
        cr_assert_not_null(mkdtemp(stand->folder));
        (void)snprintf(path, sizeof path, "%s/a/b/", stand->folder); /* made with its parent */
        cr_assert_eq(disk_posix_create(path, &stand->posix, &err), ERR_OK, "%s", err.text);
        stand->disk = disk_posix_seam(stand->posix);
        return;
    }
    enum disk_profile profile =
        kind == DISK_SIM_ORDERED ? DISK_PROFILE_ORDERED : DISK_PROFILE_STRICT;
    stand->clock = virtual_clock_create((struct utc){0}, "seam");
    stand->sim = sim_disk_create(1, disk_rules_of(profile), stand->clock);
    stand->disk = sim_disk_port(stand->sim, 0);
    if (kind == DISK_MORTAL) {
        process_start(&stand->process, stand->clock);
        mortal_disk_init(&stand->mortal, stand->disk, &stand->process);
        stand->disk = &stand->mortal.seam;
    } else if (kind == DISK_FAULTY) {
        stand->faulty = faulty_disk_create(stand->disk, stand->sim, NULL, NULL);
        stand->disk = faulty_disk_seam(stand->faulty);
    }
}

static void disk_end(struct disk_stand *stand) {
    if (stand->kind == DISK_POSIX) {
        char command[128];
        disk_posix_destroy(stand->posix);
        (void)snprintf(command, sizeof command, "rm -rf '%s'", stand->folder);
        cr_assert_eq(system(command), 0);
        return;
    }
    if (stand->faulty != NULL) {
        faulty_disk_destroy(stand->faulty);
    }
    sim_disk_destroy(stand->sim);
    virtual_clock_destroy(stand->clock);
}

#define OK(call) cr_assert_eq((call), ERR_OK, "%s: %s", kind, err.text)
#define FAILS(code, call) cr_assert_eq((call), (code), "%s", kind)

/* Writes a whole new file and syncs it. */
static void put(struct disk *disk, const char *kind, const char *name, const char *text) {
    struct err err = {0};
    struct disk_file file = {0};
    OK(disk_open(disk, name, DISK_WRITE | DISK_CREATE, &file, &err));
    OK(disk_write_at(disk, file, text, strlen(text), 0, &err));
    OK(disk_truncate(disk, file, strlen(text), &err));
    OK(disk_sync(disk, file, &err));
    disk_close(disk, file);
}

static void assert_content(struct disk *disk, const char *kind, const char *name,
                           const char *text) {
    struct err err = {0};
    struct disk_file file = {0};
    char bytes[256] = {0};
    size_t got = 0;
    OK(disk_open(disk, name, DISK_READ, &file, &err));
    OK(disk_read_at(disk, file, bytes, sizeof bytes - 1, 0, &got, &err));
    disk_close(disk, file);
    cr_assert_eq(got, strlen(text), "%s: %s", kind, name);
    cr_assert_str_eq(bytes, text, "%s: %s", kind, name);
}

static void files_keep_their_bytes(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct disk_file file = {99};
    struct disk_file other = {0};
    uint64_t size = 0;
    size_t got = 99;
    char bytes[32];
    FAILS(ERR_NOT_FOUND, disk_open(disk, "a", DISK_READ, &file, &err));
    FAILS(ERR_NOT_FOUND, disk_open(disk, "a", DISK_WRITE, &file, &err));
    cr_assert_eq(file.handle, 99, "%s: outputs stay on failure", kind);
    OK(disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &file, &err));
    FAILS(ERR_EXISTS,
          disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &other, &err));
    OK(disk_read_at(disk, file, bytes, sizeof bytes, 0, &got, &err));
    cr_assert_eq(got, 0, "%s", kind);
    OK(disk_write_at(disk, file, "end", 3, 5, &err));
    OK(disk_size(disk, file, &size, &err));
    cr_assert_eq(size, 8, "%s", kind);
    OK(disk_read_at(disk, file, bytes, sizeof bytes, 0, &got, &err));
    cr_assert(got == 8 && memcmp(bytes, "\0\0\0\0\0end", 8) == 0, "%s: a hole reads as zeros",
              kind);
    OK(disk_truncate(disk, file, 2, &err));
    OK(disk_truncate(disk, file, 4, &err));
    OK(disk_read_at(disk, file, bytes, sizeof bytes, 1, &got, &err));
    cr_assert(got == 3 && memcmp(bytes, "\0\0\0", 3) == 0, "%s: grown by zeros", kind);
    OK(disk_read_at(disk, file, bytes, sizeof bytes, 100, &got, &err));
    cr_assert_eq(got, 0, "%s: behind the end", kind);
    OK(disk_open(disk, "a", DISK_READ, &other, &err));
    OK(disk_write_at(disk, file, "wxyz", 4, 0, &err));
    OK(disk_read_at(disk, other, bytes, sizeof bytes, 0, &got, &err));
    cr_assert(got == 4 && memcmp(bytes, "wxyz", 4) == 0, "%s: one file, two handles", kind);
    OK(disk_sync(disk, file, &err));
    disk_close(disk, other);
    disk_close(disk, file);
}

static void appended_goes_to_the_end_as_it_is_then(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct disk_file mine = {0};
    struct disk_file other = {0};
    put(disk, kind, "a", "1");
    OK(disk_open(disk, "a", DISK_WRITE | DISK_APPEND, &mine, &err));
    OK(disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_APPEND, &other, &err));
    OK(disk_write_at(disk, mine, "2", 1, 0, &err));
    OK(disk_write_at(disk, other, "3", 1, 0, &err));
    OK(disk_write_at(disk, mine, "4", 1, 77, &err));
    assert_content(disk, kind, "a", "1234");
    OK(disk_truncate(disk, other, 1, &err));
    OK(disk_write_at(disk, mine, "5", 1, 4, &err));
    assert_content(disk, kind, "a", "15");
    disk_close(disk, other);
    disk_close(disk, mine);
}

static void names_move_as_said(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct disk_file file = {0};
    char bytes[8];
    size_t got = 0;
    put(disk, kind, "new", "new");
    put(disk, kind, "old", "old");
    OK(disk_open(disk, "old", DISK_READ, &file, &err));
    OK(disk_link(disk, "old", "old.1", &err));
    FAILS(ERR_EXISTS, disk_link(disk, "new", "old", &err));
    FAILS(ERR_NOT_FOUND, disk_link(disk, "none", "x", &err));
    OK(disk_rename(disk, "new", "old", &err));
    OK(disk_sync_dir(disk, "", &err));
    OK(disk_read_at(disk, file, bytes, sizeof bytes, 0, &got, &err));
    cr_assert(got == 3 && memcmp(bytes, "old", 3) == 0, "%s: an open file keeps its inode", kind);
    disk_close(disk, file);
    assert_content(disk, kind, "old", "new");
    assert_content(disk, kind, "old.1", "old");
    FAILS(ERR_NOT_FOUND, disk_open(disk, "new", DISK_READ, &file, &err));
    FAILS(ERR_NOT_FOUND, disk_rename(disk, "new", "old", &err));
    OK(disk_remove(disk, "old", &err));
    FAILS(ERR_NOT_FOUND, disk_remove(disk, "old", &err));
    OK(disk_remove(disk, "old.1", &err));
}

/* POSIX, rename(): "If oldpath and newpath are existing hard links referring to the same file, then
 * rename() does nothing, and returns a success status." */
static void a_rename_between_names_of_one_file_does_nothing(struct disk *disk, const char *kind) {
    struct err err = {0};
    put(disk, kind, "one", "same");
    OK(disk_link(disk, "one", "two", &err));
    OK(disk_sync_dir(disk, "", &err));
    OK(disk_rename(disk, "one", "two", &err));
    assert_content(disk, kind, "one", "same");
    assert_content(disk, kind, "two", "same");
    OK(disk_rename(disk, "two", "two", &err));
    put(disk, kind, "one", "both");
    assert_content(disk, kind, "two", "both");
    OK(disk_remove(disk, "one", &err));
    OK(disk_rename(disk, "two", "one", &err)); /* the last name moves as ever */
    assert_content(disk, kind, "one", "both");
    FAILS(ERR_NOT_FOUND, disk_remove(disk, "two", &err));
    OK(disk_remove(disk, "one", &err));
}

struct heard {
    char text[256];
};
static void hear(void *context, const char *name) {
    struct heard *heard = context;
    size_t n = strlen(heard->text);
    (void)snprintf(heard->text + n, sizeof heard->text - n, "%s ", name);
}

static void folders_list_in_byte_order(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct heard heard = {{0}};
    struct disk_file file = {0};
    FAILS(ERR_NOT_FOUND, disk_list(disk, "in", hear, &heard, &err));
    OK(disk_make_dir(disk, "in", &err));
    OK(disk_make_dir(disk, "in", &err));
    OK(disk_list(disk, "in", hear, &heard, &err));
    cr_assert_str_eq(heard.text, "", "%s", kind);
    put(disk, kind, "in/b", "1");
    put(disk, kind, "in/a-2", "2");
    put(disk, kind, "in/a.1", "3");
    put(disk, kind, "in/\xc3\xa9", "4");
    put(disk, kind, "in/B", "5");
    OK(disk_list(disk, "in", hear, &heard, &err));
    cr_assert_str_eq(heard.text, "B a-2 a.1 b \xc3\xa9 ", "%s", kind);
    FAILS(ERR_NOT_FOUND, disk_open(disk, "no/x", DISK_WRITE | DISK_CREATE, &file, &err));
    OK(disk_rename(disk, "in/b", "top", &err));
    OK(disk_sync_dir(disk, "in", &err));
    OK(disk_sync_dir(disk, "", &err));
    heard.text[0] = '\0';
    OK(disk_list(disk, "", hear, &heard, &err));
    cr_assert_str_eq(heard.text, "top ", "%s: files only", kind);
    assert_content(disk, kind, "top", "1");
    FAILS(ERR_NOT_FOUND, disk_open(disk, "in/b", DISK_READ, &file, &err));
}

static void a_lock_has_one_holder(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct disk_file lock = {0};
    struct disk_file other = {77};
    OK(disk_lock(disk, "lock", &lock, &err));
    FAILS(ERR_LOCKED, disk_lock(disk, "lock", &other, &err));
    cr_assert_eq(other.handle, 77, "%s", kind);
    disk_close(disk, lock);
    OK(disk_lock(disk, "lock", &other, &err));
    disk_close(disk, other);
}

static void names_stay_inside(struct disk *disk, const char *kind) {
    static const char *const bad[] = {"..",  "../x", "/etc/passwd", "a/../b", "a/b/c",
                                      "./x", "",     "a/",          "/",      "a//b"};
    struct err err = {0};
    struct disk_file file = {0};
    OK(disk_make_dir(disk, "a", &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum err_code code = disk_open(disk, bad[i], DISK_WRITE | DISK_CREATE, &file, &err);
        /* A folder that cannot be there may as well be missing. */
        cr_assert(code == ERR_IO || code == ERR_NOT_FOUND, "%s: '%s'", kind, bad[i]);
    }
    char name[DISK_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    name[DISK_NAME_MAX] = '\0';
    FAILS(ERR_IO, disk_open(disk, name, DISK_WRITE | DISK_CREATE, &file, &err));
    name[DISK_NAME_MAX - 1] = '\0';
    put(disk, kind, name, "longest");
    assert_content(disk, kind, name, "longest");
}

static void a_reader_cannot_write(struct disk *disk, const char *kind) {
    struct err err = {0};
    struct disk_file file = {0};
    put(disk, kind, "r", "kept");
    OK(disk_open(disk, "r", DISK_READ, &file, &err));
    FAILS(ERR_IO, disk_write_at(disk, file, "x", 1, 0, &err));
    FAILS(ERR_IO, disk_truncate(disk, file, 0, &err));
    disk_close(disk, file);
    assert_content(disk, kind, "r", "kept");
}

static void on_every_disk(void (*contract)(struct disk *disk, const char *kind)) {
    for (int kind = 0; kind < DISK_KINDS; kind++) {
        struct disk_stand stand;
        disk_begin(&stand, (enum disk_kind)kind);
        contract(stand.disk, disk_kind_names[kind]);
        disk_end(&stand);
    }
}

Test(disk, appended_goes_to_the_end_as_it_is_then) {
    on_every_disk(appended_goes_to_the_end_as_it_is_then);
}

Test(disk, files_keep_their_bytes) {
    on_every_disk(files_keep_their_bytes);
}
Test(disk, names_move_as_said) {
    on_every_disk(names_move_as_said);
}
Test(disk, a_rename_between_names_of_one_file_does_nothing) {
    on_every_disk(a_rename_between_names_of_one_file_does_nothing);
}
Test(disk, folders_list_in_byte_order) {
    on_every_disk(folders_list_in_byte_order);
}
Test(disk, a_lock_has_one_holder) {
    on_every_disk(a_lock_has_one_holder);
}

Test(disk, names_stay_inside) {
    on_every_disk(names_stay_inside);
}
Test(disk, a_reader_cannot_write) {
    on_every_disk(a_reader_cannot_write);
}

Test(disk_posix, no_link_is_followed_and_no_pipe_waited_for) {
    const char *kind = "posix";
    struct disk_stand stand;
    struct err err = {0};
    struct disk_file file = {0};
    disk_begin(&stand, DISK_POSIX);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/a/b/link", stand.folder);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    FAILS(ERR_IO, disk_open(stand.disk, "link", DISK_READ, &file, &err));
    cr_assert_not_null(strstr(err.text, "/a/b/link"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "symbolic links are not followed"), "%s", err.text);
    (void)snprintf(path, sizeof path, "%s/a/b/out", stand.folder);
    cr_assert_eq(symlink("/tmp", path), 0);
    cr_assert_neq(disk_open(stand.disk, "out/x", DISK_WRITE | DISK_CREATE, &file, &err), ERR_OK);
    cr_assert_neq(disk_make_dir(stand.disk, "out", &err), ERR_OK);
    (void)snprintf(path, sizeof path, "%s/a/b/pipe", stand.folder);
    cr_assert_eq(mkfifo(path, 0600), 0);
    FAILS(ERR_IO, disk_open(stand.disk, "pipe", DISK_READ, &file, &err)); /* and does not block */
    disk_end(&stand);
}

/* A file system allows longer names than this program: such a file is nobody's. */
Test(disk_posix, a_name_longer_than_ours_may_be_is_not_listed) {
    const char *kind = "posix";
    struct disk_stand stand;
    struct err err = {0};
    struct heard heard = {{0}};
    char path[400];
    disk_begin(&stand, DISK_POSIX);
    static const int lengths[] = {DISK_NAME_MAX - 1, DISK_NAME_MAX, 200};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/a/b/%0*d", stand.folder, lengths[i], 7);
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        (void)fclose(file);
    }
    OK(disk_list(stand.disk, "", hear, &heard, &err));
    cr_assert_eq(strlen(heard.text), DISK_NAME_MAX, "%s", heard.text);
    disk_end(&stand);
}

Test(disk_posix, modes_are_private_and_a_shared_folder_is_refused) {
    struct disk_stand stand;
    struct err err = {0};
    struct stat stat_of = {0};
    char path[128];
    disk_begin(&stand, DISK_POSIX);
    put(stand.disk, "posix", "f", "x");
    cr_assert_eq(disk_make_dir(stand.disk, "d", &err), ERR_OK);
    (void)snprintf(path, sizeof path, "%s/a/b/f", stand.folder);
    cr_assert(stat(path, &stat_of) == 0 && (stat_of.st_mode & 0777) == 0600);
    (void)snprintf(path, sizeof path, "%s/a/b/d", stand.folder);
    cr_assert(stat(path, &stat_of) == 0 && (stat_of.st_mode & 0777) == 0700);
    struct disk_posix *other = NULL;
    cr_assert_eq(chmod(path, 0770), 0);
    cr_assert_eq(disk_posix_create(path, &other, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, "chmod go-w"), "%s", err.text);
    (void)snprintf(path, sizeof path, "%s/a/b/f", stand.folder);
    cr_assert_eq(disk_posix_create(path, &other, &err), ERR_IO, "a file is no folder");
    disk_end(&stand);
}

Test(disk_posix, a_full_device_is_no_space) {
    if (access("/dev/full", W_OK) != 0) {
        cr_skip_test("no /dev/full here");
    }
    struct disk_stand stand;
    struct err err = {0};
    disk_begin(&stand, DISK_POSIX);
    FILE *full = fopen("/dev/full", "w");
    cr_assert_not_null(full);
    struct disk_file file = {fileno(full)};
    cr_assert_eq(disk_write_at(stand.disk, file, "x", 1, 0, &err), ERR_NO_SPACE);
    cr_assert_not_null(strstr(err.text, "free some space"), "%s", err.text);
    (void)fclose(full);
    disk_end(&stand);
}

/* --- clock --- */

static void a_clock_keeps_its_word(struct clock *clock, const char *kind, struct span takes) {
    char boot[CLOCK_BOOT_MAX];
    char again[CLOCK_BOOT_MAX];
    clock_boot_id(clock, boot);
    struct utc wall = clock_utc(clock);
    struct mono last = clock_mono(clock);
    for (int i = 0; i < 1000; i++) {
        struct mono now = clock_mono(clock);
        cr_assert(now.ns >= last.ns, "%s: monotonic", kind);
        last = now;
    }
    struct mono before = clock_mono(clock);
    clock_sleep(clock, SPAN_MS(20));
    struct span slept = mono_sub(clock_mono(clock), before);
    cr_assert(slept.ns >= SPAN_MS(20).ns, "%s: slept %ld ns", kind, (long)slept.ns);
    before = clock_mono(clock);
    clock_sleep(clock, SPAN_S(3600));
    slept = mono_sub(clock_mono(clock), before);
    cr_assert(slept.ns <= takes.ns, "%s: an hour is cut, took %ld ns", kind, (long)slept.ns);
    clock_sleep(clock, (struct span){-1});
    cr_assert(clock_utc(clock).ns > wall.ns, "%s: the wall goes on", kind);
    clock_boot_id(clock, again);
    cr_assert_str_eq(boot, again, "%s: one boot", kind);
    cr_assert(strlen(boot) > 0 && strlen(boot) < CLOCK_BOOT_MAX, "%s", kind);
}

Test(clock, every_clock_keeps_its_word) {
    struct clock_system *system = NULL;
    struct clock_served *served = NULL;
    struct process process = {0};
    struct mortal_clock mortal;
    struct virtual_clock *machine = virtual_clock_create((struct utc){5}, "seam");
    cr_assert_eq(clock_system_create(&system, NULL), ERR_OK);
    struct clock *real = clock_system_seam(system);
    a_clock_keeps_its_word(real, "system", SPAN_S(2));
    cr_assert_eq(clock_served_create(real, (struct utc){77}, clock_utc(real),
                                     (struct ratio){10 * NANOS}, &served, NULL),
                 ERR_OK);
    /* 250 ms of wall time are 2.5 s served; a loaded machine may take longer. */
    a_clock_keeps_its_word(clock_served_seam(served), "served", SPAN_S(20));
    a_clock_keeps_its_word(virtual_clock_seam(machine), "virtual", CLOCK_SLEEP_MAX);
    process_start(&process, machine);
    mortal_clock_init(&mortal, virtual_clock_seam(machine), &process);
    a_clock_keeps_its_word(&mortal.seam, "mortal", CLOCK_SLEEP_MAX);
    clock_served_destroy(served);
    clock_system_destroy(system);
    virtual_clock_destroy(machine);
}

Test(clock, served_time_is_anchor_and_speed_times_wall) {
    struct virtual_clock *machine = virtual_clock_create((struct utc){1000 * NANOS}, "seam");
    struct clock *inner = virtual_clock_seam(machine);
    struct clock_served *served = NULL;
    cr_assert_eq(clock_served_create(inner, (struct utc){50 * NANOS}, clock_utc(inner),
                                     (struct ratio){60 * NANOS}, &served, NULL),
                 ERR_OK);
    struct clock *clock = clock_served_seam(served);
    struct mono before = clock_mono(clock);
    virtual_clock_advance(machine, SPAN_MS(1500));
    cr_assert_eq(clock_utc(clock).ns, 140 * NANOS);
    cr_assert_eq(mono_sub(clock_mono(clock), before).ns, 90 * NANOS);
    clock_sleep(clock, SPAN_S(6)); /* 100 ms */
    cr_assert_eq(clock_utc(clock).ns, 146 * NANOS);
    clock_served_destroy(served);
    served = NULL;
    static const int64_t bad[] = {0, -NANOS, 1000 * NANOS + 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(clock_served_create(inner, (struct utc){0}, (struct utc){0},
                                         (struct ratio){bad[i]}, &served, NULL),
                     ERR_RANGE);
    }
    virtual_clock_destroy(machine);
}

/* --- entropy --- */

static void entropy_fills(struct entropy *entropy, const char *kind) {
    static const size_t sizes[] = {0, 1, 7, 16, 256};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char bytes[258];
        memset(bytes, 0x5a, sizeof bytes);
        cr_assert_eq(entropy_fill(entropy, bytes + 1, sizes[i], NULL), ERR_OK, "%s", kind);
        cr_assert(bytes[0] == 0x5a && bytes[sizes[i] + 1] == 0x5a, "%s: stays inside", kind);
    }
    unsigned char one[32] = {0};
    unsigned char two[32] = {0};
    cr_assert_eq(entropy_fill(entropy, one, sizeof one, NULL), ERR_OK);
    cr_assert_eq(entropy_fill(entropy, two, sizeof two, NULL), ERR_OK);
    cr_assert_neq(memcmp(one, two, sizeof one), 0, "%s: twice the same", kind);
}

Test(entropy, every_source_fills_what_was_asked) {
    struct entropy *system = NULL;
    struct sim_entropy sim;
    cr_assert_eq(entropy_system_create(&system, NULL), ERR_OK);
    entropy_fills(system, "system");
    entropy_system_destroy(system);
    sim_entropy_init(&sim, 1, "seam", 0);
    entropy_fills(&sim.seam, "sim");
}

/* --- host --- */

static void wish_by_signal(void *context, enum host_wish wish) {
    (void)context;
    (void)raise(wish == HOST_RELOAD ? SIGHUP : SIGTERM);
}
static void wish_by_plan(void *context, enum host_wish wish) {
    sim_host_wish(context, wish);
}

static void wishes_are_told(struct host *host, void (*wish)(void *, enum host_wish), void *context,
                            const char *kind) {
    cr_assert_eq(host_poll(host), HOST_NONE, "%s", kind);
    wish(context, HOST_RELOAD);
    cr_assert_eq(host_poll(host), HOST_RELOAD, "%s", kind);
    cr_assert_eq(host_poll(host), HOST_NONE, "%s: told once", kind);
    wish(context, HOST_RELOAD);
    wish(context, HOST_TERMINATE);
    cr_assert_eq(host_poll(host), HOST_RELOAD, "%s: the oldest first", kind);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(host_poll(host), HOST_TERMINATE, "%s: repeats", kind);
    }
}

Test(host, wishes_are_told_oldest_first_and_the_end_repeats) {
    struct host_posix *posix = NULL;
    struct host_posix *second = NULL;
    struct sim_host sim;
    cr_assert_eq(host_posix_create(&posix, NULL), ERR_OK);
    cr_assert_eq(host_posix_create(&second, NULL), ERR_USAGE, "signals have one owner");
    wishes_are_told(host_posix_seam(posix), wish_by_signal, NULL, "posix");
    (void)raise(SIGPIPE); /* would kill us */
    host_posix_destroy(posix);
    cr_assert_eq(host_posix_create(&posix, NULL), ERR_OK);
    cr_assert_eq(host_poll(host_posix_seam(posix)), HOST_NONE, "a new owner starts afresh");
    (void)raise(SIGINT);
    cr_assert_eq(host_poll(host_posix_seam(posix)), HOST_TERMINATE);
    host_posix_destroy(posix);
    sim_host_init(&sim);
    wishes_are_told(&sim.seam, wish_by_plan, &sim, "sim");
}
