/* test_judges_backups.c - the judge of state_backup at its edges: an interval of a minute, three copies of a
 * document, and those of two days. */
#include "core/base/hash.h"
#include "core/base/text.h"
#include "tests/unit/stream.h"

#include <stdlib.h>

#define FREEZES "governor_freezes.json"
#define LATE (2 * 60 + 20 * 60)

static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "backup.interval_s", "60");
    frame(oracle, "backup.hourly_keep", "3");
    frame(oracle, "backup.daily_keep", "2");
    word(oracle, EVENT_START, 0, "ready", "");
    word(oracle, EVENT_HEALED, 0, "", "");
    return oracle;
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, second, "tick", "");
}

static void rows(struct oracle *oracle, int64_t second, int64_t from, int64_t to) {
    for (int64_t seq = from; seq <= to; seq++) {
        row_at(oracle, second, seq, "note", "a", "{}");
    }
}

/* The file of a thing with members; its checksum is right. */
static void print(const char *thing, int64_t last, const char *members, struct text *out) {
    char hex[17];
    uint64_t hash = hash64(thing, strlen(thing), (uint64_t)last);
    hash64_print(hash64(members, strlen(members), hash), hex);
    text_clear(out);
    text_add_format(out,
                    "{\"_seatrial\":{\"document\":\"%s\",\"schema\":1,\"journal_seq\":%d,"
                    "\"checksum\":\"%s\"},\n%s\n}\n",
                    thing, (int)last, hex, members);
}

static void there(struct oracle *oracle, int64_t second, const char *name, const char *bytes) {
    body_of(oracle, EVENT_COPY, second, "there", name, bytes);
}

static void gone(struct oracle *oracle, int64_t second, const char *name) {
    word(oracle, EVENT_COPY, second, "gone", name);
}

static void name_of(int number, const char *day, const char *thing, char out[static 80]) {
    snprintf(out, 80, "%08d-202203%sT120000Z-%s", number, day, thing);
}

/* A copy of rows after < seq <= last. */
static void piece(struct oracle *oracle, int64_t second, int number, int after, int last) {
    char thing[32];
    char name[80];
    struct text members = {0};
    struct text bytes = {0};
    snprintf(thing, sizeof thing, "journal-%d.json", after);
    name_of(number, "15", thing, name);
    text_add_format(&members, "\"after\":%d,\"chain\":\"0123456789abcdef\",\"rows\":[", after);
    for (int seq = after + 1; seq <= last; seq++) {
        text_add_format(&members, "%s\n[%d,\"x\",\"note\",\"a\",\"{}\"]",
                        seq > after + 1 ? "," : "", seq);
    }
    text_add(&members, "\n]");
    print(thing, last, text_get(&members), &bytes);
    there(oracle, second, name, text_get(&bytes));
    text_release(&members);
    text_release(&bytes);
}

static void freezes(struct oracle *oracle, int64_t second, int number, const char *day, int last) {
    char name[80];
    struct text bytes = {0};
    name_of(number, day, FREEZES, name);
    print(FREEZES, last, "\"a\":1", &bytes);
    there(oracle, second, name, text_get(&bytes));
    text_release(&bytes);
}

static void piece_goes(struct oracle *oracle, int64_t second, int number, int after) {
    char thing[32];
    char name[80];
    snprintf(thing, sizeof thing, "journal-%d.json", after);
    name_of(number, "15", thing, name);
    gone(oracle, second, name);
}

static void freezes_go(struct oracle *oracle, int64_t second, int number, const char *day) {
    char name[80];
    name_of(number, day, FREEZES, name);
    gone(oracle, second, name);
}

Test(backups, made_in_time_are_quiet_and_counted) {
    struct oracle *oracle = begin();
    struct text verdict = {0};
    rows(oracle, 1, 1, 3);
    piece(oracle, 10, 1, 0, 3);
    tick(oracle, 10);
    rows(oracle, 20, 4, 5);
    piece(oracle, LATE, 2, 0, 5);
    tick(oracle, 2 * LATE);
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), "\"mechanism\":\"state_backup\""));
    cr_expect_not_null(strstr(text_get(&verdict), "\"acted\":2"));
    text_release(&verdict);
    expect(oracle, "", 0);
}

Test(backups, never_made_are_missed_behind_two_intervals_and_twenty_minutes) {
    for (int late = 0; late < 2; late++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 3);
        tick(oracle, 1 + LATE + late);
        tick(oracle, 2 + LATE + late - 1);
        expect(oracle, late ? "backups_resume" : "", 0);
    }
}

Test(backups, that_lack_the_newest_rows_are_missed_too) {
    struct oracle *oracle = begin();
    rows(oracle, 1, 1, 3);
    piece(oracle, 10, 1, 0, 3);
    rows(oracle, 20, 4, 4);
    tick(oracle, 21 + LATE);
    expect_finding(oracle, "backups_resume", 21 + LATE,
                   "rows behind 3 have no copy, the last is 4");
}

Test(backups, that_leave_a_gap_cover_nothing_behind_it) {
    struct oracle *oracle = begin();
    rows(oracle, 1, 1, 9);
    piece(oracle, 10, 1, 0, 3);
    piece(oracle, 11, 2, 4, 9);
    tick(oracle, 12 + LATE);
    expect_finding(oracle, "backups_resume", 12 + LATE,
                   "rows behind 3 have no copy, the last is 9");
}

Test(backups, of_one_tick_come_in_the_order_of_their_names) {
    struct oracle *oracle = begin();
    rows(oracle, 1, 1, 12);
    piece(oracle, 10, 2, 10, 12);
    piece(oracle, 10, 2, 9, 10);
    piece(oracle, 10, 1, 0, 9);
    tick(oracle, 12 + LATE);
    expect(oracle, "", 0);
}

Test(backups, are_due_again_only_when_faults_have_stopped_and_the_core_runs) {
    struct oracle *oracle = begin();
    rows(oracle, 1, 1, 3);
    word(oracle, EVENT_FAULT, 10, "disk.eio", "sync backups/x");
    tick(oracle, 10 * LATE);
    word(oracle, EVENT_HEALED, 10 * LATE, "", "");
    tick(oracle, 11 * LATE);
    word(oracle, EVENT_STOP, 11 * LATE, "dead", "");
    word(oracle, EVENT_START, 11 * LATE, "ready", "");
    tick(oracle, 12 * LATE);
    expect(oracle, "", 0);
}

Test(backups, of_a_journal_that_went_back_are_not_due) {
    struct oracle *oracle = begin();
    rows(oracle, 1, 1, 3);
    word(oracle, EVENT_STOP, 5, "dead", "");
    word(oracle, EVENT_FAULT, 5, "disk.old_version", "journal.db*");
    word(oracle, EVENT_START, 6, "ready", "");
    word(oracle, EVENT_HEALED, 7, "", "");
    tick(oracle, 10 * LATE);
    expect(oracle, "", 0);
}

/* The core looked, and said why it copies nothing; once it could again, it owes copies again. */
Test(backups, of_a_journal_that_the_disk_damaged_are_a_maybe_where_the_core_said_so) {
    static const struct {
        const char *file;
        bool is_said, is_copied;
        int maybe; /* else broken */
    } cases[] = {{"write journal.db-wal", true, false, 1},
                 {"write journal.db-wal", false, false, 0},
                 {"write position_metadata.json", true, false, 0},
                 {"write journal.db-wal", true, true, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 3);
        piece(oracle, 10, 1, 0, 3);
        rows(oracle, 20, 4, 5);
        word(oracle, EVENT_FAULT, 21, "disk.bit_rot", cases[i].file);
        word(oracle, EVENT_HEALED, 22, "", "");
        if (cases[i].is_said) {
            word(oracle, EVENT_MECHANISM, 30, "state_backup", "warned");
        }
        if (cases[i].is_copied) {
            piece(oracle, 40, 2, 3, 4);
        }
        tick(oracle, 41 + LATE);
        expect(oracle, cases[i].maybe == 0 ? "backups_resume" : "", cases[i].maybe);
    }
}

static void freezes_saved(struct oracle *oracle, int64_t second, int64_t row) {
    feed(oracle, (struct event){.kind = EVENT_DOCUMENT,
                                .at = at(second),
                                .subject = FREEZES,
                                .number = row,
                                .body = ""});
}

Test(backups, of_a_document_are_due_once_a_row_came_behind_it) {
    for (int has_row = 0; has_row < 2; has_row++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 3);
        freezes_saved(oracle, 2, 3);
        if (has_row) {
            rows(oracle, 3, 4, 4);
        }
        piece(oracle, 10, 1, 0, 3 + has_row);
        tick(oracle, 10 + LATE);
        expect(oracle, has_row ? "backups_resume" : "", 0);
    }
}

Test(backups, of_a_document_that_was_saved_again_behind_its_copy_wait_for_another_row) {
    for (int has_row = 0; has_row < 2; has_row++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 3);
        freezes_saved(oracle, 2, 3);
        rows(oracle, 3, 4, 4);
        freezes_saved(oracle, 9, 4);
        freezes(oracle, 10, 1, "15", 3);
        piece(oracle, 10, 1, 0, 4);
        if (has_row) {
            rows(oracle, 11, 5, 5);
            piece(oracle, 12, 2, 4, 5);
        }
        tick(oracle, 12 + LATE);
        expect(oracle, has_row ? "backups_resume" : "", 0);
    }
}

/* It comes long behind the document: what is due is due from then on. */
Test(backups, of_a_document_wait_from_the_first_row_behind_it) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 3);
        freezes_saved(oracle, 2, 3);
        rows(oracle, 2 + LATE, 4, 4);
        piece(oracle, 3 + LATE, 1, 0, 4);
        tick(oracle, 4 + LATE);
        if (is_late) {
            tick(oracle, 4 + 2 * LATE);
        }
        expect(oracle, is_late ? "backups_resume" : "", 0);
    }
}

Test(backups, that_are_bad_when_they_come_break) {
    static const char *const bad[] = {"", "{}", "{\"_seatrial\":{\"checksum\":\"0\"},\n\n}\n"};
    for (size_t i = 0; i < 3; i++) {
        struct oracle *oracle = begin();
        word(oracle, EVENT_FAULT, 1, "disk.bit_rot", "read governor_freezes.json");
        there(oracle, 2, "00000001-20220315T120000Z-" FREEZES, bad[i]);
        expect(oracle, "backup_is_there", 0);
    }
}

Test(backups, of_another_thing_or_without_a_row_are_bad) {
    struct text bytes = {0};
    struct oracle *oracle = begin();
    print("position_metadata.json", 1, "\"a\":1", &bytes);
    there(oracle, 2, "00000001-20220315T120000Z-" FREEZES, text_get(&bytes));
    expect(oracle, "backup_is_there", 0);
    oracle = begin();
    print("journal-0.json", 2, "\"after\":0,\"rows\":[\n[1,\"x\"]\n]", &bytes);
    there(oracle, 2, "00000001-20220315T120000Z-journal-0.json", text_get(&bytes));
    expect(oracle, "backup_is_there", 0);
    text_release(&bytes);
}

Test(backups, that_change_break_unless_something_rotted_there) {
    for (int is_rotten = 0; is_rotten < 2; is_rotten++) {
        struct oracle *oracle = begin();
        freezes(oracle, 1, 1, "15", 1);
        freezes(oracle, 2, 1, "15", 1); /* told again, the same */
        if (is_rotten) {
            word(oracle, EVENT_FAULT, 3, "disk.bit_rot", "read backups/x");
        }
        freezes(oracle, 4, 1, "15", 2);
        expect(oracle, is_rotten ? "" : "backup_is_there", is_rotten);
    }
}

Test(backups, of_a_document_may_go_when_three_are_newer) {
    for (int copies = 3; copies <= 4; copies++) {
        struct oracle *oracle = begin();
        for (int number = 1; number <= copies; number++) {
            freezes(oracle, number, number, "15", 1);
        }
        freezes_go(oracle, 9, 1, "15");
        expect(oracle, copies == 3 ? "backup_is_there" : "", 0);
    }
}

/* The last of the day before stays, that of two days before may go. */
Test(backups, of_a_document_stay_for_two_days) {
    for (int day = 0; day < 2; day++) {
        struct oracle *oracle = begin();
        freezes(oracle, 1, 1, "13", 1);
        freezes(oracle, 2, 2, "14", 1);
        for (int number = 3; number <= 6; number++) {
            freezes(oracle, number, number, "15", 1);
        }
        freezes_go(oracle, 9, 1 + day, day == 0 ? "13" : "14");
        expect(oracle, day == 0 ? "" : "backup_is_there", 0);
    }
}

Test(backups, of_the_journal_may_go_when_a_newer_has_its_rows) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = begin();
        rows(oracle, 1, 1, 5);
        piece(oracle, 2, 1, 0, 3);
        piece(oracle, 3, 2, 0, 4);
        piece(oracle, 4, 3, 4, 5);
        piece_goes(oracle, 5, how == 0 ? 1 : how == 1 ? 2 : 3, how == 2 ? 4 : 0);
        expect(oracle, how == 0 ? "" : "backup_is_there", 0);
    }
}

Test(backups, that_a_start_finds_gone_are_a_maybe_behind_a_fault_of_the_disk) {
    for (int is_hit = 0; is_hit < 2; is_hit++) {
        struct oracle *oracle = begin();
        freezes(oracle, 1, 1, "15", 1);
        if (is_hit) {
            word(oracle, EVENT_FAULT, 2, "disk.lying_fsync", "sync backups/x");
        }
        word(oracle, EVENT_STOP, 3, "dead", "");
        freezes_go(oracle, 4, 1, "15");
        expect(oracle, is_hit ? "" : "backup_is_there", is_hit);
    }
}

Test(backups, strangers_are_nobodys_business) {
    struct oracle *oracle = begin();
    there(oracle, 1, "notes.txt", "x");
    there(oracle, 1, "00000001-20220315T120000Z-of-a-stranger.json", "x");
    gone(oracle, 2, "notes.txt");
    gone(oracle, 2, "00000001-20220315T120000Z-of-a-stranger.json");
    expect(oracle, "", 0);
}
