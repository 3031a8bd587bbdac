/* test_state_faults.c - every seam call of documents, inbox, lease and journal fails, one after another,
 * once or for good: what was acknowledged stays, nothing is torn, nothing stays open. */
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/live/disk_posix.h"
#include "core/state/inbox.h"
#include "core/state/journal.h"
#include "core/state/lease.h"
#include "core/state/state_document.h"
#include "core/state/state_file.h"
#include "core/state/vfs.h"
#include "tests/torture/failing_disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 2000 /* no work here needs as many */

struct rig {
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct sim_entropy entropy;
    struct failing_disk failing;
    struct world world; /* through the failing disk */
    struct world sound; /* another process, same disk */
    struct err err;
    bool is_new_boot;
};

static void start(struct rig *rig) {
    *rig = (struct rig){0};
    rig->disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    rig->clock = virtual_clock_create((struct utc){INT64_C(1788269400) * 1000000000}, "test");
    sim_entropy_init(&rig->entropy, 1, "core", 0);
    failing_disk_init(&rig->failing, sim_disk_port(rig->disk, 0), &rig->entropy.seam);
    rig->world = (struct world){.clock = virtual_clock_seam(rig->clock),
                                .disk = &rig->failing.seam,
                                .entropy = &rig->failing.entropy};
    rig->sound = rig->world;
    rig->sound.disk = sim_disk_port(rig->disk, 1);
    rig->sound.entropy = &rig->entropy.seam;
}

static void stop(struct rig *rig) {
    cr_expect_eq(rig->failing.open_handles, 0, "a handle stayed open");
    sim_disk_destroy(rig->disk);
    virtual_clock_destroy(rig->clock);
}

/* What is not durable is gone; so are all handles. */
static void power_cut(struct rig *rig) {
    struct disk_image *image = sim_disk_snapshot(rig->disk);
    sim_disk_restore(rig->disk, image);
    disk_image_destroy(image);
    rig->failing.open_handles = 0;
}

static void pass(struct rig *rig, int seconds) {
    virtual_clock_advance(rig->clock, SPAN_S(seconds));
}

/* One piece of work: prepares, arms itself, works, disarms, judges. */
typedef void trial(struct rig *rig, int n, bool is_persistent, enum err_code code);

/* Runs a trial with its n-th call failing until none fails; at least `least` calls are expected. */
static void torture(trial *run, int least) {
    static const enum err_code codes[] = {ERR_IO, ERR_NO_SPACE};
    for (int i = 0; i < 4; i++) {
        int n = 1;
        for (bool has_failed = true; has_failed && n < CALLS_MAX; n++) {
            struct rig rig;
            start(&rig);
            run(&rig, n, i % 2 == 1, codes[i / 2]);
            has_failed = rig.failing.failures > 0;
            stop(&rig);
        }
        cr_expect_geq(n - 2, least, "only %d calls could fail", n - 2);
        cr_expect_lt(n, CALLS_MAX);
    }
}

static void arm(struct rig *rig, int n, bool is_persistent, enum err_code code) {
    failing_disk_arm(&rig->failing, n, is_persistent, code);
}

static void disarm(struct rig *rig) {
    rig->failing.fail_at = 0; /* calls and failures stay to be read */
}

static bool is_disk_error(enum err_code code) {
    return code == ERR_IO || code == ERR_NO_SPACE;
}

/* --- documents --- */

static enum err_code save(struct rig *rig, int number) {
    char members[40];
    snprintf(members, sizeof members, "\"number\":%d", number);
    return state_file_save(&rig->world, "a.json", number, members, &rig->err);
}

/* The number in a generation; 0 if it is missing, -1 if it is anything but good. */
static int number_in(struct rig *rig, int generation) {
    struct state_file file = {0};
    int64_t number = -1;
    cr_assert_eq(state_file_load(&rig->sound, "a.json", generation, &file, &rig->err), ERR_OK);
    if (file.condition == STATE_FILE_GOOD) {
        cr_assert_eq(json_int(file.tree, "number", &number, &rig->err), ERR_OK);
    } else if (file.condition == STATE_FILE_MISSING) {
        number = 0;
    }
    state_file_release(&file);
    return (int)number;
}

static void try_save(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(save(rig, i), ERR_OK);
    }
    sim_disk_flush(rig->disk);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = save(rig, 4);
    disarm(rig);
    cr_expect(code == ERR_OK || is_disk_error(code), "call %d: %s", n, err_word(code));
    if (is_persistent && rig->failing.failures > 0) {
        cr_expect_neq(code, ERR_OK, "a disk that failed from call %d on took a document", n);
    }
    power_cut(rig);
    int now = number_in(rig, 0);
    cr_expect(now == 4 || (code != ERR_OK && now == 3), "call %d: %d", n, now);
    for (int generation = 1; generation <= 2; generation++) {
        int older = number_in(rig, generation);
        cr_expect(older >= 0 && older <= now, "call %d: generation %d is %d", n, generation, older);
    }
    cr_expect_eq(save(rig, 5), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(number_in(rig, 0), 5);
    cr_expect_eq(number_in(rig, 1), now);
}

Test(state_faults, a_save_is_done_or_the_old_document_stands) {
    torture(try_save, 10);
}

static void try_load(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    cr_assert_eq(save(rig, 3), ERR_OK);
    struct state_file file = {.journal_seq = 77};
    arm(rig, n, is_persistent, wanted);
    enum err_code code = state_file_load(&rig->world, "a.json", 0, &file, &rig->err);
    disarm(rig);
    cr_expect_eq(code, rig->failing.failures > 0 ? wanted : ERR_OK, "call %d", n);
    cr_expect_eq(file.journal_seq, code == ERR_OK ? 3 : 77, "call %d", n);
    state_file_release(&file);
}

Test(state_faults, a_document_that_cannot_be_read_is_an_error_and_never_missing) {
    torture(try_load, 3);
}

static void try_publish(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct text seen = {0};
    cr_assert_eq(state_file_publish(&rig->world, "view.json", "old", 3, &rig->err), ERR_OK);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = state_file_publish(&rig->world, "view.json", "new", 3, &rig->err);
    disarm(rig);
    cr_assert(sim_disk_read(rig->disk, "view.json", &seen));
    cr_expect_str_eq(text_get(&seen), code == ERR_OK ? "new" : "old", "call %d", n);
    text_release(&seen);
    cr_expect_eq(state_file_sweep(&rig->world, &rig->err), ERR_OK);
}

Test(state_faults, a_view_is_the_old_one_or_the_new_one) {
    torture(try_publish, 4);
}

static void try_sweep(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    sim_disk_write_raw(rig->disk, "a.json.0123abcd.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.json.0123abcX.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.jsn0123abcd.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "short.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.json.0123abcd.tmx", "x", 1);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = state_file_sweep(&rig->world, &rig->err);
    disarm(rig);
    cr_expect(code == ERR_OK || n == 1, "only the listing matters");
    cr_expect_eq(sim_disk_exists(rig->disk, "a.json.0123abcd.tmp"), rig->failing.failures > 0);
    cr_expect(sim_disk_exists(rig->disk, "a.json.0123abcX.tmp"));
    cr_expect(sim_disk_exists(rig->disk, "a.jsn0123abcd.tmp"));
    cr_expect(sim_disk_exists(rig->disk, "short.tmp"));
    cr_expect(sim_disk_exists(rig->disk, "a.json.0123abcd.tmx"));
}

Test(state_faults, a_sweep_takes_temporary_files_and_nothing_else) {
    torture(try_sweep, 2);
}

Test(state_faults, names_and_sizes_beyond_the_limit_are_errors_of_that_kind) {
    struct rig rig;
    start(&rig);
    char name[DISK_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    name[DISK_NAME_MAX] = '\0';
    struct state_file file = {0};
    for (int length = DISK_NAME_MAX; length >= DISK_NAME_MAX - 13; length--) {
        name[length] = '\0'; /* NAME.lock, NAME.<nonce>.tmp: too long at 123 and 115 bytes */
        enum err_code code = state_file_save(&rig.world, name, 1, "", &rig.err);
        cr_expect_eq(code, length > DISK_NAME_MAX - 14 ? ERR_LIMIT : ERR_OK, "%d", length);
    }
    name[DISK_NAME_MAX - 14] = '\0';
    cr_expect_eq(state_file_save(&rig.world, name, 1, "", &rig.err), ERR_OK, "%s", rig.err.text);
    memset(name, 'a', DISK_NAME_MAX);
    for (int generation = 0; generation < 2; generation++) {
        name[DISK_NAME_MAX - generation] = '\0';
        cr_expect_eq(state_file_load(&rig.world, name, generation, &file, &rig.err), ERR_LIMIT);
    }
    struct text out = {0};
    sim_disk_write_raw(rig.disk, "five", "12345", 5);
    cr_expect_eq(state_file_read(rig.world.disk, "five", 4, &out, &rig.err), ERR_LIMIT);
    cr_expect_eq(state_file_read(rig.world.disk, "five", 5, &out, &rig.err), ERR_OK);
    cr_expect_str_eq(text_get(&out), "12345");
    sim_disk_write_raw(rig.disk, "empty", "", 0);
    cr_expect_eq(state_file_read(rig.world.disk, "empty", 0, &out, &rig.err), ERR_OK);
    cr_expect_eq(out.len, 0);
    cr_expect_eq(state_file_read(rig.world.disk, "none", 9, &out, &rig.err), ERR_NOT_FOUND);
    text_release(&out);
    stop(&rig);
}

Test(state_faults, a_document_of_more_than_8_mib_is_refused_and_one_found_is_damage) {
    struct rig rig;
    start(&rig);
    size_t n = ((size_t)8 << 20) + 1;
    char *members = malloc(n + 1);
    cr_assert_not_null(members);
    memset(members, ' ', n);
    members[n] = '\0';
    cr_expect_eq(state_file_save(&rig.world, "a.json", 1, members, &rig.err), ERR_LIMIT);
    cr_expect_eq(number_in(&rig, 0), 0);
    sim_disk_write_raw(rig.disk, "a.json", members, n);
    cr_expect_eq(number_in(&rig, 0), -1);
    cr_expect_eq(save(&rig, 1), ERR_OK);
    cr_expect_eq(number_in(&rig, 1), 0, "damage becomes no generation");
    free(members);
    stop(&rig);
}

Test(state_faults, a_stamp_without_a_number_or_of_another_name_is_an_edit) {
    static const char *const texts[] = {
        "{\"_seatrial\":{}}\n",
        "{\"_seatrial\":{\"journal_seq\":}}\n",
        ("{\"_seatrial\":{\"document\":\"a.json\",\"schema\":1,\"journal_seq\":1234567890123456789,"
         "\"checksum\":\"0000000000000000\"},\n\"a\":1\n}\n"),
        "{\"a\":1}",
    };
    struct rig rig;
    start(&rig);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t seq = -7;
        cr_expect_not(state_document_is_intact("a.json", texts[i], strlen(texts[i]), &seq), "%zu",
                      i);
        cr_expect_eq(seq, -7);
    }
    struct text good = {0};
    int64_t seq = 0;
    state_document_print("a.json", 5, "\"a\":1", &good);
    cr_expect(state_document_is_intact("a.json", good.data, good.len, &seq));
    cr_expect_eq(seq, 5);
    cr_expect_not(state_document_is_intact("b.json", good.data, good.len, &seq));
    text_release(&good);
    stop(&rig);
}

/* The rename of a save fails twice: the document, .1 and .2 are one file under three names, and POSIX
 * renames such a name onto the other by doing nothing. */
Test(state_faults, on_a_real_disk_two_failed_renames_in_a_row_do_not_end_all_saving) {
    char path[] = "/tmp/seatrial-faults-XXXXXX";
    cr_assert_not_null(mkdtemp(path));
    struct rig rig;
    start(&rig);
    struct disk_posix *disk = NULL;
    cr_assert_eq(disk_posix_create(path, &disk, &rig.err), ERR_OK, "%s", rig.err.text);
    rig.failing.inner = disk_posix_seam(disk);
    rig.sound.disk = rig.failing.inner;
    cr_assert_eq(save(&rig, 1), ERR_OK);
    arm(&rig, 0, false, ERR_IO);
    cr_assert_eq(save(&rig, 2), ERR_OK);
    int calls = rig.failing.calls;
    for (int i = 0; i < 2; i++) { /* the last two: rename, sync of the folder */
        arm(&rig, calls - 1, false, ERR_IO);
        cr_expect_eq(save(&rig, 3), ERR_IO);
    }
    disarm(&rig);
    for (int i = 4; i <= 6; i++) {
        cr_expect_eq(save(&rig, i), ERR_OK, "%d: %s", i, rig.err.text);
        cr_expect_eq(number_in(&rig, 0), i);
    }
    cr_expect_eq(number_in(&rig, 1), 5);
    cr_expect_eq(number_in(&rig, 2), 4);
    static const char *const names[] = {"a.json", "a.json.1", "a.json.2", "a.json.lock"};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(disk_remove(rig.sound.disk, names[i], &rig.err), ERR_OK);
    }
    disk_posix_destroy(disk);
    (void)!remove(path);
    stop(&rig);
}

/* --- inbox --- */

static enum err_code leave(struct rig *rig, enum inbox_verb verb, const char *cause) {
    struct inbox_command command = {.verb = verb, .by = "ann", .why = "because"};
    snprintf(command.cause, sizeof command.cause, "%s", cause);
    return inbox_write(&rig->world, &command, &rig->err);
}

static size_t waiting(struct rig *rig, struct inbox_command commands[static INBOX_MAX]) {
    size_t count = 0;
    cr_assert_eq(inbox_read(&rig->sound, commands, &count, &rig->err), ERR_OK);
    return count;
}

static void try_inbox_write(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct inbox_command commands[INBOX_MAX];
    arm(rig, n, is_persistent, wanted);
    enum err_code code = leave(rig, INBOX_FREEZE, "news");
    disarm(rig);
    power_cut(rig);
    size_t count = waiting(rig, commands);
    cr_expect(code == ERR_OK || is_disk_error(code));
    cr_expect_eq(code == ERR_OK, rig->failing.failures == 0, "call %d", n);
    cr_expect(code == ERR_OK ? count == 1 : count <= 1, "call %d: %zu commands", n, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect(commands[i].is_readable);
        cr_expect_str_eq(commands[i].cause, "news");
    }
}

Test(state_faults, a_command_is_left_whole_or_not_at_all) {
    torture(try_inbox_write, 8);
}

static void try_inbox_read(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct inbox_command commands[INBOX_MAX];
    size_t count = 99;
    cr_assert_eq(leave(rig, INBOX_FREEZE, "news"), ERR_OK);
    pass(rig, 1);
    cr_assert_eq(leave(rig, INBOX_RESUME, "news"), ERR_OK);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = inbox_read(&rig->world, commands, &count, &rig->err);
    disarm(rig);
    if (code != ERR_OK) {
        cr_expect_eq(count, 99);
        cr_expect_eq(n, 1, "only the listing is an error");
        return;
    }
    cr_assert_eq(count, 2);
    cr_expect_eq(commands[0].verb, INBOX_FREEZE, "it binds by its name");
    cr_expect_eq(commands[1].verb, INBOX_RESUME);
    int readable = commands[0].is_readable + commands[1].is_readable;
    cr_expect_eq(readable == 2, rig->failing.failures == 0, "call %d", n);
}

Test(state_faults, a_command_that_cannot_be_read_still_says_its_verb) {
    torture(try_inbox_read, 7);
}

static void try_inbox_stop(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct inbox_command commands[INBOX_MAX];
    cr_assert_eq(leave(rig, INBOX_KILL, ""), ERR_OK);
    cr_assert_eq(waiting(rig, commands), 1);
    bool has_stop = false;
    arm(rig, n, is_persistent, wanted);
    enum err_code code = inbox_has_stop(&rig->world, &has_stop, &rig->err);
    enum err_code removed = inbox_remove(&rig->world, commands[0].file, &rig->err);
    disarm(rig);
    cr_expect_eq(has_stop, code == ERR_OK, "a listing that failed is not 'no stop'");
    power_cut(rig);
    if (removed == ERR_OK) {
        cr_expect_eq(waiting(rig, commands), 0, "obeyed once, gone for good");
    }
    cr_expect_eq(code == ERR_OK && removed == ERR_OK, rig->failing.failures == 0);
}

Test(state_faults, a_stop_is_seen_or_an_error_and_a_removal_is_durable) {
    torture(try_inbox_stop, 3);
}

Test(state_faults, at_most_64_commands_are_taken_the_oldest_first) {
    struct rig rig;
    start(&rig);
    struct inbox_command commands[INBOX_MAX];
    for (int i = 0; i < INBOX_MAX + 2; i++) {
        cr_assert_eq(leave(&rig, i == 0 ? INBOX_KILL : INBOX_FREEZE, ""), ERR_OK);
        pass(&rig, 1);
    }
    cr_expect_eq(waiting(&rig, commands), INBOX_MAX);
    cr_expect_eq(commands[0].verb, INBOX_KILL);
    stop(&rig);
}

Test(state_faults, commands_of_another_shape_are_unreadable) {
    static const struct {
        const char *text;
        bool is_readable;
    } cases[] = {
        {"[]", false},
        {"{}", true},
        {"{\"cause\":1}", false},
        {"{\"by\":true}", false},
        {"{\"why\":[]}", false},
        {"{\"halt\":\"yes\"}", false},
        {"{\"halt\":true}", true},
        {"{\"cause\":\"NEWS\"}", false},
        {"{\"cause\":\"news\",\"more\":1}", true},
        {"{\"cause\":null}", true},
    };
    struct rig rig;
    start(&rig);
    struct inbox_command commands[INBOX_MAX];
    cr_assert_eq(disk_make_dir(rig.world.disk, "inbox", &rig.err), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_disk_write_raw(rig.disk, "inbox/1788269400000000001-0000000a.freeze", cases[i].text,
                           strlen(cases[i].text));
        cr_assert_eq(waiting(&rig, commands), 1);
        cr_expect_eq(commands[0].is_readable, cases[i].is_readable, "%s", cases[i].text);
        cr_expect_eq(commands[0].is_halt, i == 6, "%s", cases[i].text);
    }
    static const char *const strangers[] = {"inbox/1788269400000000001_0000000a.freeze",
                                            "inbox/1788269400000000001-0000000a-freeze",
                                            "inbox/1788269400000000001-000000.freeze"};
    sim_disk_remove_raw(rig.disk, "inbox/1788269400000000001-0000000a.freeze");
    for (size_t i = 0; i < 3; i++) {
        sim_disk_write_raw(rig.disk, strangers[i], "{}", 2);
    }
    cr_expect_eq(waiting(&rig, commands), 0);
    cr_expect_str_eq(inbox_verb_word(INBOX_FLATTEN), "flatten");
    stop(&rig);
}

Test(state_faults, a_command_of_a_clock_before_1970_sorts_first) {
    struct rig rig;
    start(&rig);
    struct inbox_command commands[INBOX_MAX];
    virtual_clock_destroy(rig.clock);
    rig.clock = virtual_clock_create((struct utc){-5}, "test");
    rig.world.clock = rig.sound.clock = virtual_clock_seam(rig.clock);
    cr_assert_eq(leave(&rig, INBOX_KILL, ""), ERR_OK);
    cr_assert_eq(waiting(&rig, commands), 1);
    cr_expect_eq(strncmp(commands[0].file, "inbox/0000000000000000000-", 26), 0);
    stop(&rig);
}

/* --- lease --- */

static void try_acquire(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct lease *lease = NULL;
    arm(rig, n, is_persistent, wanted);
    enum err_code code = lease_acquire(&rig->world, &lease, &rig->err);
    disarm(rig);
    cr_expect_eq(code == ERR_OK, lease != NULL, "call %d", n);
    bool is_alive = false;
    cr_assert_eq(lease_is_alive(&rig->sound, &is_alive, &rig->err), ERR_OK);
    cr_expect_eq(is_alive, lease != NULL, "call %d: a failed one holds nothing", n);
    if (lease == NULL) {
        cr_expect(is_disk_error(code), "%s", err_word(code));
        cr_assert_eq(lease_acquire(&rig->world, &lease, &rig->err), ERR_OK, "%s", rig->err.text);
    }
    cr_expect_geq(lease_epoch(lease), 1);
    cr_expect_eq(lease_check(lease, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
    lease_release(lease);
}

Test(state_faults, a_lease_is_taken_or_nothing_is_held) {
    torture(try_acquire, 10);
}

static void try_takeover(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    cr_assert_eq(lease_acquire(&rig->sound, &first, &rig->err), ERR_OK);
    pass(rig, 50);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = lease_acquire(&rig->world, &second, &rig->err);
    disarm(rig);
    if (code == ERR_OK) {
        cr_expect_eq(lease_check(first, &rig->err), ERR_LOCKED, "call %d: two traders", n);
        cr_expect_eq(lease_check(second, &rig->err), ERR_OK, "call %d", n);
    } else {
        enum err_code mine = lease_renew(first, &rig->err);
        cr_expect(mine == ERR_OK || mine == ERR_LOCKED, "call %d: %s", n, rig->err.text);
    }
    lease_release(second);
    lease_release(first);
}

Test(state_faults, a_takeover_that_fails_makes_no_two_traders) {
    torture(try_takeover, 12);
}

static void try_renew(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct lease *lease = NULL;
    cr_assert_eq(lease_acquire(&rig->world, &lease, &rig->err), ERR_OK);
    pass(rig, 6);
    arm(rig, n, is_persistent, wanted);
    enum err_code renewed = lease_renew(lease, &rig->err);
    enum err_code checked = lease_check(lease, &rig->err);
    disarm(rig);
    cr_expect(renewed == ERR_OK || is_disk_error(renewed), "call %d: %s", n, err_word(renewed));
    cr_expect(checked == ERR_OK || is_disk_error(checked), "call %d: %s", n, err_word(checked));
    if (is_persistent && rig->failing.failures > 0) {
        cr_expect_neq(checked, ERR_OK, "call %d", n);
    }
    pass(rig, 2); /* 8 s after the lease was taken: only a renewal keeps it */
    cr_expect_eq(lease_check(lease, &rig->err), renewed == ERR_OK ? ERR_OK : ERR_LOCKED, "call %d",
                 n);
    cr_expect_eq(lease_renew(lease, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(lease_check(lease, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(lease_epoch(lease), 1);
    lease_release(lease);
}

Test(state_faults, a_renewal_that_failed_does_not_count_and_loses_nothing) {
    torture(try_renew, 14);
}

static void try_alive(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    bool is_alive = true;
    arm(rig, n, is_persistent, wanted);
    enum err_code code = lease_is_alive(&rig->world, &is_alive, &rig->err);
    disarm(rig);
    cr_expect_eq(is_alive, code != ERR_OK, "not known is not dead");
}

Test(state_faults, a_liveness_that_cannot_be_asked_is_not_dead) {
    torture(try_alive, 1);
}

static void lease_document(struct rig *rig, const char *members) {
    cr_assert_eq(state_file_save(&rig->sound, "lease.json", 0, members, &rig->err), ERR_OK);
}

#define STAMP "\"boot\":\"b\",\"renewed_at\":\"2026-09-01T13:30:00Z\",\"renewed_mono_us\":"

Test(state_faults, a_lease_with_a_member_missing_or_wrong_is_unreadable) {
    static const char *const members[] = {
        "",
        "\"epoch\":\"1\"",
        "\"epoch\":9",
        "\"epoch\":9,\"holder\":\"0123456789abcdef0\"",
        "\"epoch\":9,\"holder\":\"x\"",
        "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\"",
        "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\",\"renewed_at\":\"now\"",
        ("\"epoch\":9,\"holder\":\"x\"," STAMP "\"1\""),
        ("\"epoch\":0,\"holder\":\"x\"," STAMP "1"),
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct rig rig;
        start(&rig);
        struct lease *lease = NULL;
        lease_document(&rig, members[i]);
        cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
        cr_expect_eq(lease_epoch(lease), 1, "%s", members[i]);
        lease_document(&rig, members[i]);
        cr_expect_eq(lease_check(lease, &rig.err), ERR_IO);
        lease_release(lease);
        stop(&rig);
    }
}

Test(state_faults, the_epoch_goes_on_from_the_highest_readable_generation) {
    struct rig rig;
    start(&rig);
    struct lease *lease = NULL;
    lease_document(&rig, "\"epoch\":41,\"holder\":\"x\"," STAMP "1");
    lease_document(&rig, "\"epoch\":7,\"holder\":\"x\"," STAMP "1");
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    cr_expect_eq(lease_epoch(lease), 42);
    lease_document(&rig, "\"epoch\":42,\"holder\":\"x\"," STAMP "1");
    cr_expect_eq(lease_check(lease, &rig.err), ERR_LOCKED, "our epoch under another name");
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_LOCKED, "and lost for good");
    cr_expect_eq(lease_check(lease, &rig.err), ERR_LOCKED);
    lease_release(lease);
    lease_release(NULL);
    stop(&rig);
}

Test(state_faults, a_living_holder_with_no_readable_lease_is_never_taken_over) {
    struct rig rig;
    start(&rig);
    struct lease *first = NULL;
    struct lease *second = NULL;
    cr_assert_eq(lease_acquire(&rig.sound, &first, &rig.err), ERR_OK);
    pass(&rig, 3600);
    sim_disk_write_raw(rig.disk, "lease.json", "", 0);
    cr_expect_eq(lease_acquire(&rig.world, &second, &rig.err), ERR_LOCKED);
    cr_expect_not_null(strstr(rig.err.text, "unreadable"), "%s", rig.err.text);
    lease_release(first);
    stop(&rig);
}

/* Another boot: the monotonic clock says nothing, the wall decides at 50 s. */
Test(state_faults, a_lease_of_another_boot_is_judged_by_the_wall) {
    for (int age = 49; age <= 50; age++) {
        struct rig rig;
        start(&rig);
        struct disk_file alive = {0};
        struct lease *lease = NULL;
        char members[200];
        char at[UTC_TEXT_MAX];
        utc_print(virtual_clock_now(rig.clock), at);
        snprintf(members, sizeof members,
                 "\"epoch\":3,\"holder\":\"x\",\"boot\":\"other\",\"renewed_at\":\"%s\","
                 "\"renewed_mono_us\":9007199254740991",
                 at);
        lease_document(&rig, members);
        cr_assert_eq(disk_lock(rig.sound.disk, "alive.lock", &alive, &rig.err), ERR_OK);
        pass(&rig, age);
        cr_expect_eq(lease_acquire(&rig.world, &lease, &rig.err), age < 50 ? ERR_LOCKED : ERR_OK,
                     "%d s: %s", age, rig.err.text);
        lease_release(lease);
        disk_close(rig.sound.disk, alive);
        stop(&rig);
    }
}

Test(state_faults, a_guard_in_other_hands_is_no_loss_of_the_lease) {
    struct rig rig;
    start(&rig);
    struct lease *lease = NULL;
    struct disk_file guard = {0};
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    cr_assert_eq(disk_lock(rig.sound.disk, "lease.lock", &guard, &rig.err), ERR_OK);
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_OK, "not due yet");
    pass(&rig, 5);
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_IO);
    disk_close(rig.sound.disk, guard);
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_OK);
    lease_release(lease);
    stop(&rig);
}

/* --- journal --- */

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

static void try_journal(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct journal *journal = NULL;
    int64_t acked = 0;
    arm(rig, n, is_persistent, wanted);
    enum err_code opened = journal_open(&rig->world, "j.db", &journal, &rig->err);
    cr_expect_eq(opened == ERR_OK, journal != NULL);
    for (int i = 0; i < 3 && journal != NULL; i++) {
        if (add(journal, &rig->err) == ERR_OK && add(journal, &rig->err) == ERR_OK &&
            journal_commit(journal, &rig->err) == ERR_OK) {
            acked += 2;
        }
        int seen = 0;
        (void)!journal_read(journal, acked, count_rows, &seen, &rig->err);
        cr_expect_eq(seen, 0);
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
    cr_assert_eq(journal_open(&rig->world, "j.db", &journal, &rig->err), ERR_OK, "call %d: %s", n,
                 rig->err.text);
    cr_expect_geq(journal_last_seq(journal), acked,
                  "call %d: an acknowledged row is lost: %d of %d, %s %s", n,
                  (int)journal_last_seq(journal), (int)acked, is_persistent ? "for good" : "once",
                  err_word(wanted));
    cr_expect_eq(rows_in(journal), journal_last_seq(journal));
    journal_close(journal);
}

Test(state_faults, an_acknowledged_row_survives_whatever_call_fails) {
    torture(try_journal, 40);
}

static void try_read(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig->world, "j.db", &journal, &rig->err), ERR_OK);
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(add(journal, &rig->err), ERR_OK);
    }
    cr_assert_eq(journal_commit(journal, &rig->err), ERR_OK);
    journal_close(journal);
    arm(rig, n, is_persistent, wanted);
    int count = 0;
    enum err_code code = journal_open(&rig->world, "j.db", &journal, &rig->err);
    if (code == ERR_OK) {
        code = journal_read(journal, 0, count_rows, &count, &rig->err);
        cr_expect(code != ERR_OK || count == 300, "call %d: %d rows and no error", n, count);
        journal_close(journal);
    }
    disarm(rig);
    cr_expect_neq(code, ERR_CORRUPT, "call %d: a disk that says no is no damage: %s", n,
                  rig->err.text);
}

Test(state_faults, a_journal_is_read_whole_or_an_error) {
    torture(try_read, 20);
}

Test(state_faults, rows_beyond_the_limits_are_refused_and_the_transaction_stays) {
    struct rig rig;
    start(&rig);
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig.world, "j.db", &journal, &rig.err), ERR_OK);
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
    cr_expect_eq(journal_open(&rig.world, name, &journal, &rig.err), ERR_LIMIT);
    stop(&rig);
}

#define TABLE                                                                                      \
    "CREATE TABLE row(seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, key TEXT "    \
    "NOT "                                                                                         \
    "NULL, body TEXT NOT NULL, chain TEXT NOT NULL) STRICT;"
#define OURS "PRAGMA application_id=1398030897;" TABLE

Test(state_faults, a_database_of_another_program_or_a_forged_row_is_corrupt) {
    static const char *const scripts[] = {
        "CREATE TABLE other(a);",
        TABLE,
        OURS "CREATE TABLE more(a);",
        OURS "INSERT INTO row VALUES(1,'2026-09-01T13:30:00Z','k','','{}','0000000000000000');",
        OURS "INSERT INTO row VALUES(1,'2026-09-01T13:30:00Z','k','','{}','000000000000000x');",
        OURS "INSERT INTO row VALUES(1,'2026-09-01T13:30:00Z','k','','{}','0');",
        OURS "INSERT INTO row VALUES(2,'2026-09-01T13:30:00Z','k','','{}','0000000000000000');",
        OURS "INSERT INTO row VALUES(-1,'2026-09-01T13:30:00Z','k','','{}','0000000000000000');",
        OURS "INSERT INTO row VALUES(1,'x','k','',printf('%.1048577c','x'),'0000000000000000');",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct rig rig;
        start(&rig);
        sqlite3 *db = NULL;
        sqlite3_int64 n = 0;
        cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, scripts[i], NULL, NULL, NULL), SQLITE_OK, "%zu", i);
        unsigned char *bytes = sqlite3_serialize(db, "main", &n, 0);
        cr_assert_not_null(bytes);
        sim_disk_write_raw(rig.disk, "j.db", bytes, (size_t)n);
        sqlite3_free(bytes);
        sqlite3_close(db);
        struct journal *journal = NULL;
        cr_expect_eq(journal_open(&rig.world, "j.db", &journal, &rig.err), ERR_CORRUPT, "%zu: %s",
                     i, rig.err.text);
        cr_expect_null(journal);
        journal_close(journal);
        stop(&rig);
    }
}

static enum err_code refuse_second(void *context, const struct journal_row *row, struct err *err) {
    ++*(int *)context;
    return row->seq == 2 ? err_set(err, ERR_PARSE, "enough") : ERR_OK;
}

Test(state_faults, a_visit_that_refuses_ends_the_walk_with_its_error) {
    struct rig rig;
    start(&rig);
    struct journal *journal = NULL;
    int visits = 0;
    cr_assert_eq(journal_open(&rig.world, "j.db", &journal, &rig.err), ERR_OK);
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

/* --- the VFS, as SQLite calls it --- */

Test(state_faults, the_vfs_answers_what_sqlite_seldom_asks) {
    struct rig rig;
    start(&rig);
    struct vfs vfs;
    cr_assert_eq(vfs_register(&vfs, &rig.world, &rig.err), ERR_OK);
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

Test(state_faults, more_than_999_journals_in_one_process_are_a_leak) {
    struct rig rig;
    start(&rig);
    struct vfs *all = calloc(1001, sizeof *all);
    cr_assert_not_null(all);
    size_t count = 0;
    while (count < 1001 && vfs_register(&all[count], &rig.world, &rig.err) == ERR_OK) {
        count++;
    }
    cr_expect_eq(count, 999);
    cr_expect_eq(rig.err.code, ERR_LIMIT);
    struct journal *journal = NULL;
    cr_expect_eq(journal_open(&rig.world, "j.db", &journal, &rig.err), ERR_LIMIT);
    while (count > 0) {
        vfs_unregister(&all[--count]);
    }
    free(all);
    stop(&rig);
}
