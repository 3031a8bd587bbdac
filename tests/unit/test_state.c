/* test_state.c - journal, documents, lease and inbox on a simulated disk without crashes. */
#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/state/inbox.h"
#include "core/state/journal.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct listener {
    struct observer seam;
    int rows;
    int documents;
    char last[200]; /* "subject id number body" */
};

static void hear(struct observer *observer, const struct event *event) {
    struct listener *listener = (struct listener *)observer;
    listener->rows += event->kind == EVENT_ROW;
    listener->documents += event->kind == EVENT_DOCUMENT;
    snprintf(listener->last, sizeof listener->last, "%s|%s|%d|%s", event->subject, event->id,
             (int)event->number, event->body);
}

static const struct observer_ops listener_ops = {hear};

struct rig {
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct sim_entropy entropy[2];
    struct listener listener;
    struct world world; /* of process 0 */
    struct world other; /* of process 1, same disk */
    struct err err;
};

static struct rig rig;

static void start(void) {
    rig = (struct rig){.listener = {.seam = {&listener_ops}}};
    rig.disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    rig.clock = virtual_clock_create((struct utc){INT64_C(1788269400) * 1000000000}, "test");
    struct world *worlds[] = {&rig.world, &rig.other};
    for (unsigned i = 0; i < 2; i++) {
        sim_entropy_init(&rig.entropy[i], 1, "core", i);
        *worlds[i] = (struct world){.clock = virtual_clock_seam(rig.clock),
                                    .disk = sim_disk_port(rig.disk, i),
                                    .entropy = &rig.entropy[i].seam};
    }
    rig.world.observer = &rig.listener.seam;
}

static void stop(void) {
    sim_disk_destroy(rig.disk);
    virtual_clock_destroy(rig.clock);
}

static struct journal *open_journal(void) {
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(&rig.world, "journal.db", NULL, &journal, &rig.err), ERR_OK, "%s",
                 rig.err.text);
    return journal;
}

static enum err_code collect(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    char line[100];
    snprintf(line, sizeof line, "%d %s %s %s;", (int)row->seq, row->kind, row->key, row->body);
    text_add(context, line);
    return ERR_OK;
}

TestSuite(journal, .init = start, .fini = stop);

Test(journal, keeps_rows_across_opens_and_tells_them_after_the_commit) {
    struct journal *journal = open_journal();
    int64_t seq = 0;
    cr_assert(journal_is_new(journal));
    cr_assert_eq(journal_append(journal, "intent", "a", "{\"x\":1}", &seq, &rig.err), ERR_OK);
    cr_assert_eq(journal_append(journal, "order", "b", "{}", &seq, &rig.err), ERR_OK);
    cr_assert_eq(seq, 2);
    cr_assert_eq(journal_pending(journal), 2);
    cr_assert_eq(journal_last_seq(journal), 0);
    cr_assert_eq(rig.listener.rows, 0);
    cr_assert_eq(journal_commit(journal, &rig.err), ERR_OK);
    cr_assert_eq(rig.listener.rows, 2);
    cr_assert_str_eq(rig.listener.last, "order|b|2|{}");
    cr_assert_eq(journal_append(journal, "lost", "", "{}", NULL, &rig.err), ERR_OK);
    journal_close(journal);

    struct text rows = {0};
    journal = open_journal();
    cr_assert(!journal_is_new(journal));
    cr_assert_eq(journal_last_seq(journal), 2);
    cr_assert_eq(journal_read(journal, 0, collect, &rows, &rig.err), ERR_OK);
    cr_assert_str_eq(text_get(&rows), "1 intent a {\"x\":1};2 order b {};");
    text_clear(&rows);
    cr_assert_eq(journal_read(journal, 1, collect, &rows, &rig.err), ERR_OK);
    cr_assert_str_eq(text_get(&rows), "2 order b {};");
    text_release(&rows);
    journal_close(journal);
}

Test(journal, reads_only_committed_rows_while_others_are_pending) {
    struct journal *journal = open_journal();
    struct text rows = {0};
    cr_assert_eq(journal_append(journal, "a", "", "{}", NULL, &rig.err), ERR_OK);
    cr_assert_eq(journal_commit(journal, &rig.err), ERR_OK);
    cr_assert_eq(journal_append(journal, "b", "", "{}", NULL, &rig.err), ERR_OK);
    cr_assert_eq(journal_read(journal, 0, collect, &rows, &rig.err), ERR_OK);
    cr_assert_str_eq(text_get(&rows), "1 a  {};");
    text_release(&rows);
    journal_close(journal);
}

Test(journal, refuses_a_file_that_is_no_journal) {
    struct journal *journal = NULL;
    static const char junk[5000] = "this is not a database";
    sim_disk_write_raw(rig.disk, "journal.db", junk, sizeof junk);
    cr_assert_eq(journal_open(&rig.world, "journal.db", NULL, &journal, &rig.err), ERR_CORRUPT);
    cr_assert_null(journal);
}

TestSuite(state_file, .init = start, .fini = stop);

static void save(int number) {
    char members[40];
    snprintf(members, sizeof members, "\"number\":%d", number);
    cr_assert_eq(state_file_save(&rig.world, "a.json", number, members, &rig.err), ERR_OK, "%s",
                 rig.err.text);
}

/* condition * 100 + number, or condition * 100 + 99 without a number */
static int load(int generation) {
    struct state_file file = {0};
    int64_t number = 99;
    struct err ignored = {0};
    cr_assert_eq(state_file_load(&rig.world, "a.json", generation, &file, &rig.err), ERR_OK);
    if (file.tree != NULL && json_int(file.tree, "number", &number, &ignored) != ERR_OK) {
        number = 98;
    }
    if (file.condition == STATE_FILE_GOOD) {
        cr_assert_eq(file.journal_seq, number);
    } else {
        cr_assert_eq(file.journal_seq, -1);
    }
    int result = (int)file.condition * 100 + (int)number;
    state_file_release(&file);
    return result;
}

Test(state_file, has_the_stated_bytes_and_keeps_two_generations) {
    struct text bytes = {0};
    for (int i = 1; i <= 4; i++) {
        save(i);
    }
    cr_assert_eq(rig.listener.documents, 4);
    cr_assert_eq(load(0), STATE_FILE_GOOD * 100 + 4);
    cr_assert_eq(sim_disk_read(rig.disk, "a.json", &bytes), true);
    cr_assert_eq(
        strncmp(text_get(&bytes),
                "{\"_seatrial\":{\"document\":\"a.json\",\"schema\":1,\"journal_seq\":4,"
                "\"checksum\":\"",
                strlen("{\"_seatrial\":{\"document\":\"a.json\",\"schema\":1,\"journal_seq\":4,")),
        0);
    cr_assert_not_null(strstr(text_get(&bytes), "\"},\n\"number\":4\n}\n"));
    cr_assert_eq(load(1), STATE_FILE_GOOD * 100 + 3);
    cr_assert_eq(load(2), STATE_FILE_GOOD * 100 + 2);
    text_release(&bytes);
}

Test(state_file, tells_missing_edited_and_damaged_apart) {
    cr_assert_eq(load(0), STATE_FILE_MISSING * 100 + 99);
    save(1);
    save(2);
    struct text bytes = {0};
    cr_assert(sim_disk_read(rig.disk, "a.json", &bytes));
    for (size_t n = 0; n < bytes.len;
         n++) { /* every truncation; without the last newline: edited */
        sim_disk_write_raw(rig.disk, "a.json", bytes.data, n);
        int wanted =
            n == bytes.len - 1 ? STATE_FILE_EDITED * 100 + 2 : STATE_FILE_DAMAGED * 100 + 99;
        cr_assert_eq(load(0), wanted, "truncated to %zu", n);
    }
    for (size_t i = 0; i < bytes.len * 8; i++) { /* every bit */
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        sim_disk_write_raw(rig.disk, "a.json", bytes.data, bytes.len);
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        cr_assert_neq(load(0) / 100, STATE_FILE_GOOD, "bit %zu", i);
    }
    strstr(bytes.data, ":2\n")[1] = '7';
    sim_disk_write_raw(rig.disk, "a.json", bytes.data, bytes.len);
    cr_assert_eq(load(0), STATE_FILE_EDITED * 100 + 7);
    sim_disk_write_raw(rig.disk, "a.json", "{\"number\":5}", 12);
    cr_assert_eq(load(0), STATE_FILE_EDITED * 100 + 5);
    sim_disk_write_raw(rig.disk, "a.json", "[]", 2);
    cr_assert_eq(load(0), STATE_FILE_DAMAGED * 100 + 99);
    cr_assert_eq(load(1), STATE_FILE_GOOD * 100 + 1);
    save(3); /* damage does not push the good generation out */
    cr_assert_eq(load(1), STATE_FILE_GOOD * 100 + 1);
    text_release(&bytes);
}

Test(state_file, is_refused_while_another_holds_the_lock) {
    struct disk_file lock = {0};
    save(1);
    cr_assert_eq(disk_lock(rig.other.disk, "a.json.lock", &lock, &rig.err), ERR_OK);
    cr_assert_eq(state_file_save(&rig.world, "a.json", 2, "", &rig.err), ERR_LOCKED);
    cr_assert_eq(load(0), STATE_FILE_GOOD * 100 + 1);
    disk_close(rig.other.disk, lock);
    cr_assert_eq(state_file_save(&rig.world, "a.json", 2, "", &rig.err), ERR_OK);
    struct state_file file = {0};
    cr_assert_eq(state_file_load(&rig.world, "a.json", 0, &file, &rig.err), ERR_OK);
    cr_assert_eq(file.condition, STATE_FILE_GOOD);
    state_file_release(&file);
}

TestSuite(lease, .init = start, .fini = stop);

static void pass(int seconds) {
    virtual_clock_advance(rig.clock, SPAN_S(seconds));
}

Test(lease, passes_at_once_when_its_holder_died) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    bool is_alive = false;
    cr_assert_eq(lease_acquire(&rig.world, &first, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_assert_eq(lease_epoch(first), 1);
    cr_assert_eq(lease_check(first, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_is_alive(&rig.other, &is_alive, &rig.err), ERR_OK);
    cr_assert(is_alive);
    sim_disk_process_died(rig.disk, 0);
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_OK);
    cr_assert_eq(lease_epoch(second), 2);
    cr_assert_eq(lease_check(first, &rig.err), ERR_LOCKED);
    lease_release(second);
    cr_assert_eq(lease_is_alive(&rig.world, &is_alive, &rig.err), ERR_OK);
    cr_assert(!is_alive);
    lease_release(first);
}

Test(lease, is_fenced_at_half_its_term_and_taken_over_after_50_seconds) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    cr_assert_eq(lease_acquire(&rig.world, &first, &rig.err), ERR_OK);
    pass(7);
    cr_assert_eq(lease_check(first, &rig.err), ERR_OK);
    pass(1);
    cr_assert_eq(lease_check(first, &rig.err), ERR_IO, "old, and nobody else's");
    cr_assert_eq(lease_renew(first, &rig.err), ERR_OK);
    cr_assert_eq(lease_check(first, &rig.err), ERR_OK);
    pass(49);
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_LOCKED);
    pass(1);
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_assert_eq(lease_epoch(second), 2);
    cr_assert_eq(lease_renew(first, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_check(first, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_check(second, &rig.err), ERR_OK);
    lease_release(first);
    bool is_alive = false;
    cr_assert_eq(lease_is_alive(&rig.world, &is_alive, &rig.err), ERR_OK);
    cr_assert(is_alive, "the successor holds the liveness lock");
    lease_release(second);
}

/* Hung for a minute between any two calls of a save: its temporary file is gone, or it asks. */
/* Somebody found an epoch smaller than ours, and took over under a smaller one. */
Test(lease, is_lost_to_a_successor_of_a_smaller_epoch) {
    struct text early = {0};
    struct lease *lease = NULL;
    struct lease *second = NULL;
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK, "%s", rig.err.text);
        cr_assert_eq(lease_epoch(lease), epoch);
        if (epoch == 1) {
            cr_assert(sim_disk_read(rig.disk, "lease.json", &early));
        }
        if (epoch < 3) {
            lease_release(lease);
        }
    }
    cr_assert(sim_disk_remove_raw(rig.disk, "lease.json.1"));
    cr_assert(sim_disk_remove_raw(rig.disk, "lease.json.2"));
    sim_disk_write_raw(rig.disk, "lease.json", early.data, early.len);
    pass(50);
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_assert_eq(lease_epoch(second), 2);
    cr_assert(lease_is_lost(lease));
    cr_assert_eq(lease_check(lease, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_renew(lease, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_check(second, &rig.err), ERR_OK, "%s", rig.err.text);
    lease_release(lease);
    lease_release(second);
    text_release(&early);
}

Test(lease, who_lost_it_saves_no_document) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    struct state_file file = {0};
    cr_assert_eq(lease_acquire(&rig.world, &first, &rig.err), ERR_OK);
    cr_assert_eq(state_file_save_held(&rig.world, first, "a.json", 1, "\"a\":1", &rig.err), ERR_OK);
    pass(50);
    cr_assert_eq(state_file_save_held(&rig.world, first, "a.json", 2, "\"a\":2", &rig.err), ERR_OK,
                 "late, but nobody took it");
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_OK);
    cr_assert_eq(state_file_save_held(&rig.world, first, "a.json", 3, "\"a\":3", &rig.err),
                 ERR_LOCKED);
    cr_assert_eq(state_file_save_held(&rig.other, second, "a.json", 4, "\"a\":4", &rig.err),
                 ERR_OK);
    cr_assert_eq(state_file_load(&rig.world, "a.json", 0, &file, &rig.err), ERR_OK);
    cr_assert_eq(file.journal_seq, 4);
    state_file_release(&file);
    cr_assert_eq(state_file_load(&rig.world, "a.json", 1, &file, &rig.err), ERR_OK);
    cr_assert_eq(file.journal_seq, 2, "no generation of the loser's either");
    state_file_release(&file);
    lease_release(first);
    lease_release(second);
}

Test(lease, passes_after_15_seconds_to_one_that_only_reduces) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    cr_assert_eq(lease_acquire(&rig.world, &first, &rig.err), ERR_OK);
    cr_assert(!lease_is_lost(NULL));
    pass(14);
    cr_assert_eq(lease_acquire_to_reduce(&rig.other, &second, &rig.err), ERR_LOCKED);
    pass(1);
    cr_assert(!lease_is_lost(first), "old, but nobody took it");
    cr_assert_eq(lease_acquire(&rig.other, &second, &rig.err), ERR_LOCKED);
    cr_assert_eq(lease_acquire_to_reduce(&rig.other, &second, &rig.err), ERR_OK);
    cr_assert_eq(lease_epoch(second), 2);
    cr_assert(lease_is_lost(first));
    cr_assert_eq(lease_renew(first, &rig.err), ERR_LOCKED);
    cr_assert(!lease_is_lost(second));
    lease_release(first);
    lease_release(second);
}

Test(lease, heals_a_damaged_document_but_does_not_act_on_it) {
    struct lease *lease = NULL;
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    sim_disk_write_raw(rig.disk, "lease.json", "", 0);
    cr_assert_eq(lease_check(lease, &rig.err), ERR_IO);
    cr_assert_eq(lease_renew(lease, &rig.err), ERR_OK);
    cr_assert_eq(lease_check(lease, &rig.err), ERR_OK);
    lease_release(lease);
}

/* Whoever took it would have been named there alone. */
Test(lease, is_lost_if_damaged_once_another_may_have_taken_it) {
    for (int seconds = 14; seconds <= 15; seconds++) {
        bool is_late = seconds == 15;
        struct lease *lease = NULL;
        cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
        pass(seconds);
        sim_disk_write_raw(rig.disk, "lease.json", "", 0);
        cr_assert_eq(lease_check(lease, &rig.err), is_late ? ERR_LOCKED : ERR_IO);
        cr_assert_eq(lease_is_lost(lease), is_late);
        cr_assert_eq(lease_renew(lease, &rig.err), is_late ? ERR_LOCKED : ERR_OK);
        lease_release(lease);
    }
}

TestSuite(inbox, .init = start, .fini = stop);

Test(inbox, carries_commands_in_order) {
    struct inbox_command commands[INBOX_MAX];
    size_t count = 7;
    bool has_stop = true;
    bool has_command = true;
    cr_assert_eq(inbox_read(&rig.world, commands, &count, &rig.err), ERR_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(inbox_has_command(&rig.world, &has_command, &rig.err), ERR_OK);
    cr_assert(!has_command);
    cr_assert_eq(inbox_has_stop(&rig.world, &has_stop, &rig.err), ERR_OK);
    cr_assert(!has_stop);
    struct inbox_command flatten = {.verb = INBOX_FLATTEN, .cause = "BRK.B", .by = "ann"};
    struct inbox_command freeze = {
        .verb = INBOX_FREEZE, .cause = "operator", .by = "ann", .why = "a \"b\"", .is_halt = true};
    cr_assert_eq(inbox_write(&rig.other, &flatten, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_assert_eq(inbox_has_stop(&rig.world, &has_stop, &rig.err), ERR_OK);
    cr_assert(!has_stop);
    cr_assert_eq(inbox_has_command(&rig.world, &has_command, &rig.err), ERR_OK);
    cr_assert(has_command);
    pass(1);
    cr_assert_eq(inbox_write(&rig.other, &freeze, &rig.err), ERR_OK);
    cr_assert_eq(inbox_has_stop(&rig.world, &has_stop, &rig.err), ERR_OK);
    cr_assert(has_stop);
    cr_assert_eq(inbox_read(&rig.world, commands, &count, &rig.err), ERR_OK);
    cr_assert_eq(count, 2);
    cr_assert_eq(commands[0].verb, INBOX_FLATTEN);
    cr_assert_str_eq(commands[0].cause, "BRK.B");
    cr_assert(commands[1].is_readable && commands[1].is_halt);
    cr_assert_str_eq(commands[1].why, "a \"b\"");
    cr_assert_eq(inbox_remove(&rig.world, commands[1].file, &rig.err), ERR_OK);
    cr_assert_eq(inbox_has_stop(&rig.world, &has_stop, &rig.err), ERR_OK);
    cr_assert(!has_stop);
    freeze.cause[0] = 'O';
    cr_assert_eq(inbox_write(&rig.other, &freeze, &rig.err), ERR_USAGE);
}

Test(inbox, obeys_torn_stops_and_ignores_other_files) {
    struct inbox_command commands[INBOX_MAX];
    size_t count = 0;
    static const char *const names[] = {"inbox/1788269400000000001-0000000a.freeze",
                                        "inbox/1788269400000000002-0000000a.kill",
                                        "inbox/1788269400000000003-0000000a.resume",
                                        "inbox/1788269400000000004-0000000A.kill",
                                        "inbox/178826940000000005-0000000a.kill",
                                        "inbox/1788269400000000006-0000000a.kill2",
                                        "inbox/.0000000a.tmp"};
    cr_assert_eq(disk_make_dir(rig.world.disk, "inbox", &rig.err), ERR_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sim_disk_write_raw(rig.disk, names[i], "{\"cause\":\"operator\",", i == 1 ? 0 : 12);
    }
    cr_assert_eq(inbox_read(&rig.world, commands, &count, &rig.err), ERR_OK);
    cr_assert_eq(count, 3);
    static const enum inbox_verb verbs[] = {INBOX_FREEZE, INBOX_KILL, INBOX_RESUME};
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(commands[i].verb, verbs[i]);
        cr_assert(!commands[i].is_readable);
        cr_assert_str_eq(commands[i].cause, "");
    }
}
