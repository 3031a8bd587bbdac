/* test_state_faults.c - every seam call of documents and inbox fails, one after another, once or for good:
 * what was acknowledged stays, nothing is torn, nothing stays open. */
#include "core/live/disk_posix.h"
#include "tests/torture/state_rig.h"

/* --- documents --- */

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

/* Two saves cut short leave .1 and .2 as names of one file, and renaming one onto the other does nothing. */
static void try_save_over_twins(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(save(rig, i), ERR_OK);
    }
    cr_assert(sim_disk_remove_raw(rig->disk, "a.json.2"));
    cr_assert_eq(disk_link(rig->sound.disk, "a.json.1", "a.json.2", &rig->err), ERR_OK);
    sim_disk_flush(rig->disk);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = save(rig, 4);
    disarm(rig);
    cr_expect(code == ERR_OK || is_disk_error(code), "call %d: %s", n, err_word(code));
    power_cut(rig);
    int now = number_in(rig, 0);
    cr_expect(now == 4 || (code != ERR_OK && now == 3), "call %d: %d", n, now);
    cr_expect_eq(number_in(rig, 2), 2, "call %d: the older generation is not lost", n);
    cr_expect_eq(save(rig, 5), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(number_in(rig, 0), 5);
    cr_expect_eq(number_in(rig, 1), now);
}

Test(state_faults, a_save_over_two_names_of_one_generation_is_done_or_the_old_document_stands) {
    torture(try_save_over_twins, 13);
}

Test(state_faults, an_edit_by_hand_is_worth_keeping_and_damage_is_not) {
    static const char *const texts[] = {"{\"number\":5}", "[5]", "{\"number\":"};
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;
        struct state_file file = {0};
        start(&rig);
        cr_assert_eq(save(&rig, 1), ERR_OK);
        cr_assert_eq(save(&rig, 2), ERR_OK);
        sim_disk_write_raw(rig.disk, "a.json", texts[i], strlen(texts[i]));
        cr_assert_eq(save(&rig, 3), ERR_OK);
        cr_assert_eq(state_file_load(&rig.world, "a.json", 1, &file, &rig.err), ERR_OK);
        cr_expect_eq(file.condition, i == 0 ? STATE_FILE_EDITED : STATE_FILE_GOOD, "%s", texts[i]);
        state_file_release(&file);
        cr_expect_eq(number_in(&rig, 0), 3);
        cr_expect_eq(number_in(&rig, i == 0 ? 2 : 1), 1, "%s", texts[i]);
        stop(&rig);
    }
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
    cr_expect_eq(state_file_sweep(&rig->world, "", &rig->err), ERR_OK);
}

Test(state_faults, a_view_is_the_old_one_or_the_new_one) {
    torture(try_publish, 4);
}

struct few { /* an entropy source that repeats itself */
    struct entropy seam;
    int repeats; /* fills of zeros before the first of ones */
};

static enum err_code few_fill(struct entropy *entropy, void *bytes, size_t n, struct err *err) {
    struct few *few = (struct few *)entropy;
    (void)err;
    memset(bytes, few->repeats-- > 0 ? 0 : 0x11, n);
    return ERR_OK;
}

Test(state_faults, a_temporary_name_in_use_is_drawn_again_three_times_and_no_more) {
    static const struct entropy_ops ops = {few_fill};
    for (int repeats = 3; repeats <= 4; repeats++) {
        struct rig rig;
        start(&rig);
        struct few few = {.seam = {&ops}, .repeats = repeats};
        sim_disk_write_raw(rig.disk, "a.json.00000000.tmp", "x", 1);
        rig.world.entropy = &few.seam;
        cr_expect_eq(save(&rig, 1), repeats == 3 ? ERR_OK : ERR_EXISTS);
        cr_expect_eq(number_in(&rig, 0), repeats == 3 ? 1 : 0);
        cr_expect(sim_disk_exists(rig.disk, "a.json.00000000.tmp"), "another's is left alone");
        stop(&rig);
    }
}

Test(state_faults, a_document_in_a_folder_is_as_durable_as_any) {
    struct rig rig;
    start(&rig);
    struct state_file file = {0};
    cr_assert_eq(disk_make_dir(rig.world.disk, "d", &rig.err), ERR_OK);
    cr_assert_eq(state_file_save(&rig.world, "d/a.json", 7, "\"number\":7", &rig.err), ERR_OK, "%s",
                 rig.err.text);
    power_cut(&rig);
    cr_assert_eq(state_file_load(&rig.sound, "d/a.json", 0, &file, &rig.err), ERR_OK);
    cr_expect_eq(file.condition, STATE_FILE_GOOD);
    cr_expect_eq(file.journal_seq, 7);
    state_file_release(&file);
    stop(&rig);
}

Test(state_faults, a_sweep_takes_64_files_and_the_next_one_the_rest) {
    struct rig rig;
    start(&rig);
    char name[40];
    for (int left = 70; left > 0; left -= 64) {
        for (int i = 0; left == 70 && i < left; i++) {
            snprintf(name, sizeof name, "a.json.%08x.tmp", i);
            sim_disk_write_raw(rig.disk, name, "x", 1);
        }
        cr_expect_eq(state_file_sweep(&rig.world, "", &rig.err), ERR_OK);
        cr_expect_not(sim_disk_exists(rig.disk, "a.json.0000003f.tmp"));
        cr_expect_eq(sim_disk_exists(rig.disk, "a.json.00000040.tmp"), left == 70);
        cr_expect_eq(sim_disk_exists(rig.disk, "a.json.00000045.tmp"), left == 70);
    }
    stop(&rig);
}

static void try_sweep(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    sim_disk_write_raw(rig->disk, "a.json.0123abcd.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.json.0123abcX.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.jsn0123abcd.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "short.tmp", "x", 1);
    sim_disk_write_raw(rig->disk, "a.json.0123abcd.tmx", "x", 1);
    arm(rig, n, is_persistent, wanted);
    enum err_code code = state_file_sweep(&rig->world, "", &rig->err);
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
    bool has_stop = true;
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
    cr_expect_eq(inbox_has_stop(&rig.world, &has_stop, &rig.err), ERR_OK);
    cr_expect_not(has_stop);
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
