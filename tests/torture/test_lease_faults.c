/* test_lease_faults.c - every seam call of the lease fails, one after another, once or for good, and its
 * holder sleeps where it hurts: never two traders, and a journal that is the successor's alone. */
#include "tests/torture/state_rig.h"

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

Test(lease_faults, a_lease_is_taken_or_nothing_is_held) {
    torture(try_acquire, 10);
}

/* Rows of the sleeper after the takeover are orders, all others are intents. */
static enum err_code count_intent(void *context, const struct journal_row *row, struct err *err) {
    ++*(int *)context;
    return strcmp(row->kind, "intent") == 0 ? ERR_OK
                                            : err_set(err, ERR_CORRUPT, "a row of the sleeper");
}

static void note(struct journal *journal, struct err *err) {
    cr_expect_eq(journal_append(journal, "intent", "key", "{}", NULL, err), ERR_OK, "%s",
                 err->text);
    cr_expect_eq(journal_commit(journal, err), ERR_OK, "%s", err->text);
}

/* The journal as the successor finds it: whole, his alone, and as he left it after a power cut. */
static void succeed(struct rig *rig, struct journal *sleeper, int n) {
    for (int rows = 1; rows <= 2; rows++) {
        struct journal *journal = NULL;
        int count = 0;
        cr_assert_eq(journal_open(&rig->world, JOURNAL_FILE, NULL, &journal, &rig->err), ERR_OK,
                     "call %d: %s", n, rig->err.text);
        cr_expect_eq(journal_read(journal, 0, count_intent, &count, &rig->err), ERR_OK,
                     "call %d: %s", n, rig->err.text);
        cr_expect_eq(count, rows, "call %d", n);
        note(journal, &rig->err);
        struct err ignored = {0}; /* he wakes up and writes on, into files without a name */
        (void)!journal_append(sleeper, "order", "key", "{}", NULL, &ignored);
        (void)!journal_commit(sleeper, &ignored);
        journal_close(journal);
    }
}

static void try_takeover(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    struct lease *first = NULL;
    struct lease *second = NULL;
    struct journal *journal = NULL;
    cr_assert_eq(lease_acquire(&rig->sound, &first, &rig->err), ERR_OK);
    cr_assert_eq(journal_open(&rig->sound, JOURNAL_FILE, NULL, &journal, &rig->err), ERR_OK);
    note(journal, &rig->err);
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
        pass(rig, 50);
        cr_assert_eq(lease_acquire(&rig->world, &second, &rig->err), ERR_OK, "call %d: %s", n,
                     rig->err.text);
    }
    succeed(rig, journal, n);
    journal_close(journal);
    lease_release(second);
    lease_release(first);
}

Test(lease_faults, a_takeover_that_fails_makes_no_two_traders) {
    torture(try_takeover, 24);
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
    cr_expect_eq(lease_check(lease, &rig->err), renewed == ERR_OK ? ERR_OK : ERR_IO, "call %d", n);
    cr_expect_eq(lease_renew(lease, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(lease_check(lease, &rig->err), ERR_OK, "call %d: %s", n, rig->err.text);
    cr_expect_eq(lease_epoch(lease), 1);
    lease_release(lease);
}

Test(lease_faults, a_renewal_that_failed_does_not_count_and_loses_nothing) {
    torture(try_renew, 13);
}

static void try_alive(struct rig *rig, int n, bool is_persistent, enum err_code wanted) {
    bool is_alive = true;
    arm(rig, n, is_persistent, wanted);
    enum err_code code = lease_is_alive(&rig->world, &is_alive, &rig->err);
    disarm(rig);
    cr_expect_eq(is_alive, code != ERR_OK, "not known is not dead");
}

Test(lease_faults, a_liveness_that_cannot_be_asked_is_not_dead) {
    torture(try_alive, 1);
}

static void lease_document(struct rig *rig, const char *members) {
    cr_assert_eq(state_file_save(&rig->sound, "lease.json", 0, members, &rig->err), ERR_OK);
}

#define STAMP "\"boot\":\"b\",\"renewed_at\":\"2026-09-01T13:30:00Z\",\"renewed_mono_us\":"

Test(lease_faults, a_lease_with_a_member_missing_or_wrong_is_unreadable) {
    static const char *const members[] = {
        "",
        "\"epoch\":\"1\"",
        "\"epoch\":9",
        "\"epoch\":9,\"holder\":\"0123456789abcdef0\"",
        "\"epoch\":9,\"holder\":\"x\"",
        "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\"",
        "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\",\"renewed_at\":\"now\"",
        "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\",\"renewed_at\":\"2026-09-01T13:30:00Z\"",
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

Test(lease_faults, the_epoch_goes_on_from_the_highest_readable_generation) {
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

Test(lease_faults, a_living_holder_with_no_readable_lease_is_never_taken_over) {
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
Test(lease_faults, a_lease_of_another_boot_is_judged_by_the_wall) {
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

Test(lease_faults, a_guard_in_other_hands_is_no_loss_of_the_lease) {
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

struct erratic { /* a clock that says what it is told */
    struct clock seam;
    struct mono mono;
    const char *boot;
};

static struct utc erratic_utc(struct clock *clock) {
    return (struct utc){((struct erratic *)clock)->mono.ns};
}
static struct mono erratic_mono(struct clock *clock) {
    return ((struct erratic *)clock)->mono;
}
static void erratic_boot(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    snprintf(out, CLOCK_BOOT_MAX, "%s", ((struct erratic *)clock)->boot);
}
static void erratic_sleep(struct clock *clock, struct span span) {
    (void)clock;
    (void)span;
}

static const struct clock_ops ERRATIC_OPS = {erratic_utc, erratic_mono, erratic_boot,
                                             erratic_sleep};
#define MACHINE "01234567-89ab-cdef-0123-456789abcdef"

/* The document says the same machine and another clock: its numbers mean nothing to us. */
Test(lease_faults, a_lease_by_another_clock_of_this_machine_never_gets_stale) {
    static const char *const boots[] = {MACHINE, MACHINE "/served", "another machine altogether"};
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;
        start(&rig);
        struct erratic theirs = {{&ERRATIC_OPS}, {SPAN_S(1000).ns}, boots[i]};
        struct erratic mine = {{&ERRATIC_OPS}, {SPAN_S(5000).ns}, MACHINE};
        struct lease *first = NULL;
        struct lease *second = NULL;
        rig.sound.clock = &theirs.seam;
        rig.world.clock = &mine.seam;
        cr_assert_eq(lease_acquire(&rig.sound, &first, &rig.err), ERR_OK);
        cr_expect_eq(lease_acquire(&rig.world, &second, &rig.err), i == 1 ? ERR_LOCKED : ERR_OK,
                     "%s", boots[i]);
        lease_release(second);
        lease_release(first);
        stop(&rig);
    }
}

Test(lease_faults, a_monotonic_clock_that_went_back_proves_no_lease_until_renewed) {
    struct rig rig;
    start(&rig);
    struct erratic clock = {{&ERRATIC_OPS}, {SPAN_S(1000).ns}, "b"};
    struct lease *lease = NULL;
    rig.world.clock = &clock.seam;
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    cr_expect_eq(lease_check(lease, &rig.err), ERR_OK);
    clock.mono.ns--;
    cr_expect_eq(lease_check(lease, &rig.err), ERR_IO);
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_OK);
    cr_expect_eq(lease_check(lease, &rig.err), ERR_OK);
    lease_release(lease);
    stop(&rig);
}

/* --- taken over in the middle of a save --- */

struct takeover { /* what the successor does while the holder sleeps inside a call */
    struct rig *rig;
    struct lease *lease;
    enum err_code taken, saved;
};

static void take_over(void *context) {
    struct takeover *takeover = context;
    struct rig *rig = takeover->rig;
    struct err err = {0};
    pass(rig, 50);
    takeover->taken = lease_acquire(&rig->sound, &takeover->lease, &err);
    takeover->saved = state_file_save(&rig->sound, "a.json", 9, "\"number\":9", &err);
}

/* Three saves; the fourth sleeps before its call number n. Returns how many calls it takes. */
static int sleep_in_save(struct rig *rig, struct takeover *takeover, int n, enum err_code *saved) {
    *takeover = (struct takeover){.rig = rig};
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(save(rig, i), ERR_OK);
    }
    arm(rig, 0, false, ERR_IO);
    rig->failing.pause_at = n;
    rig->failing.pause = take_over;
    rig->failing.pause_context = takeover;
    *saved = save(rig, 4);
    return rig->failing.calls;
}

/* The last calls of a save: rename .1 to .2, link .1, rename the new document into its name, sync of the
 * folder. The sleeper holds the document's lock, so that the successor cannot save yet; his sweep took the
 * sleeper's temporary file, so that the sleeper's own rename finds nothing: the old document stands. */
Test(lease_faults, a_holder_fenced_between_the_renames_of_a_save_publishes_nothing) {
    struct rig rig;
    struct takeover takeover;
    enum err_code saved = ERR_OK;
    start(&rig);
    int calls = sleep_in_save(&rig, &takeover, 0, &saved);
    cr_assert_eq(saved, ERR_OK);
    stop(&rig);
    for (int n = calls - 3; n <= calls; n++) {
        struct lease *lease = NULL;
        start(&rig);
        cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
        (void)sleep_in_save(&rig, &takeover, n, &saved);
        cr_expect_eq(takeover.taken, ERR_OK, "call %d", n);
        cr_expect_eq(takeover.saved, ERR_LOCKED, "call %d", n);
        cr_expect_eq(saved, n < calls ? ERR_NOT_FOUND : ERR_OK, "call %d", n);
        cr_expect_eq(number_in(&rig, 0), n < calls ? 3 : 4, "call %d", n);
        cr_expect_eq(lease_check(lease, &rig.err), ERR_LOCKED, "call %d", n);
        cr_expect_eq(lease_check(takeover.lease, &rig.err), ERR_OK, "call %d", n);
        cr_expect_eq(state_file_save(&rig.sound, "a.json", 9, "\"number\":9", &rig.err), ERR_OK);
        lease_release(takeover.lease);
        lease_release(lease);
        power_cut(&rig);
        cr_expect_eq(number_in(&rig, 0), 9, "call %d", n);
        cr_expect_eq(number_in(&rig, 1), n < calls ? 3 : 4, "call %d", n);
        stop(&rig);
    }
}

/* The document of the lease itself: its guard keeps the successor out, and the renewal, old by the time
 * it is written, is none. */
Test(lease_faults, a_holder_asleep_in_its_own_renewal_is_not_taken_over_and_holds_nothing) {
    struct rig rig;
    struct takeover takeover = {.rig = &rig};
    struct lease *lease = NULL;
    start(&rig);
    cr_assert_eq(lease_acquire(&rig.world, &lease, &rig.err), ERR_OK);
    for (int i = 0; i < 2; i++) {
        pass(&rig, 6);
        arm(&rig, 0, false, ERR_IO);
        rig.failing.pause_at = i == 0 ? 0 : rig.failing.pause_at;
        cr_assert_eq(lease_renew(lease, &rig.err), ERR_OK);
        rig.failing.pause_at = rig.failing.calls - 1; /* of the next: its rename */
        rig.failing.pause = take_over;
        rig.failing.pause_context = &takeover;
    }
    cr_expect_eq(takeover.taken, ERR_LOCKED, "the guard is held");
    cr_expect_eq(lease_check(lease, &rig.err), ERR_IO, "renewed 50 s ago");
    struct lease *second = NULL;
    cr_expect_eq(lease_acquire(&rig.sound, &second, &rig.err), ERR_OK, "%s", rig.err.text);
    cr_expect_eq(lease_renew(lease, &rig.err), ERR_LOCKED);
    cr_expect_eq(lease_check(second, &rig.err), ERR_OK);
    rig.failing.pause_at = 0;
    lease_release(second);
    lease_release(lease);
    stop(&rig);
}

/* --- taken over in the middle of a start --- */

static void note_under(struct rig *rig, struct lease *lease, struct journal **journal) {
    struct err err = {0};
    cr_assert_eq(journal_open(&rig->sound, JOURNAL_FILE, lease, journal, &err), ERR_OK, "%s",
                 err.text);
    note(*journal, &err);
}

struct succession { /* what the successor does while the first sleeps inside journal_open() */
    struct rig *rig;
    struct lease *lease;
    struct journal *journal;
};

static void open_too(void *context) {
    struct succession *succession = context;
    struct rig *rig = succession->rig;
    struct err err = {0};
    pass(rig, 51);
    cr_assert_eq(lease_acquire(&rig->sound, &succession->lease, &err), ERR_OK, "%s", err.text);
    note_under(rig, succession->lease, &succession->journal);
}

/* The first opens what a crash left, a row in the log, and sleeps before call n. Returns the calls. */
static int sleep_in_open(struct rig *rig, int n) {
    struct journal *journal = NULL;
    struct lease *lease = NULL;
    struct succession succession = {.rig = rig};
    note_under(rig, NULL, &journal);
    power_cut(rig);
    journal_close(journal);
    cr_assert_eq(lease_acquire(&rig->world, &lease, &rig->err), ERR_OK, "%s", rig->err.text);
    arm(rig, 0, false, ERR_IO);
    rig->failing.pause_at = n;
    rig->failing.pause = open_too;
    rig->failing.pause_context = &succession;
    struct err err = {0};
    enum err_code code = journal_open(&rig->world, JOURNAL_FILE, lease, &journal, &err);
    int calls = rig->failing.calls;
    rig->failing.pause_at = 0;
    cr_expect(code == ERR_OK || (n > 0 && code == ERR_LOCKED), "call %d: %s", n, err.text);
    if (code == ERR_OK) {
        if (n > 0) { /* all of it fenced off */
            (void)!journal_append(journal, "order", "key", "{}", NULL, &err);
            (void)!journal_commit(journal, &err);
        }
        journal_close(journal);
    }
    lease_release(lease);
    int wanted = 1;
    if (n > 0) {
        note(succession.journal, &rig->err);
        power_cut(rig);
        journal_close(succession.journal);
        lease_release(succession.lease);
        wanted = 3;
    }
    int count = 0;
    cr_assert_eq(journal_open(&rig->sound, JOURNAL_FILE, NULL, &journal, &rig->err), ERR_OK,
                 "call %d: %s", n, rig->err.text);
    cr_expect_eq(journal_read(journal, 0, count_intent, &count, &rig->err), ERR_OK, "call %d: %s",
                 n, rig->err.text);
    cr_expect_eq(count, wanted, "call %d: %d rows", n, count);
    journal_close(journal);
    return calls;
}

Test(lease_faults, who_wakes_up_in_his_start_writes_to_no_file_of_his_successor) {
    struct rig rig;
    start(&rig);
    int calls = sleep_in_open(&rig, 0);
    stop(&rig);
    cr_assert_gt(calls, 20);
    for (int n = 1; n <= calls; n++) {
        start(&rig);
        (void)sleep_in_open(&rig, n);
        stop(&rig);
    }
}
