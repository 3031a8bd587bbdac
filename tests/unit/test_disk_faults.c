/* test_disk_faults.c - each disk fault bites as its row says, in its window, and no other call. */
#include "chaos/faults/faulty_disk.h"
#include "chaos/faults/gate.h"
#include "chaos/faults/wrong_number.h"
#include "core/state/state_document.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define must(call) cr_assert_eq((call), ERR_OK)

struct sea {
    struct virtual_clock *clock;
    struct plan *plan;
    struct process process;
    struct sim_disk *sim;
    struct faulty_disk *faulty;
    struct disk *seam;
};

/* "f" is there, durable, and holds "0123456789". */
static void sea_start(struct sea *sea, struct fault fault) {
    *sea = (struct sea){.clock = virtual_clock_create((struct utc){INT64_C(1000000000)}, "t")};
    sea->plan = plan_create(3, sea->clock, NULL);
    must(plan_add(sea->plan, &fault, NULL));
    process_start(&sea->process, sea->clock);
    sea->sim = sim_disk_create(3, disk_rules_of(DISK_PROFILE_STRICT), sea->clock);
    sim_disk_write_raw(sea->sim, "f", "0123456789", 10);
    sea->faulty =
        faulty_disk_create(sim_disk_port(sea->sim, 0), sea->sim, sea->plan, &sea->process);
    sea->seam = faulty_disk_seam(sea->faulty);
    must(chaos_arm(sea->plan, sea->clock, NULL));
}

static void sea_end(struct sea *sea) {
    chaos_disarm(sea->plan);
    faulty_disk_destroy(sea->faulty);
    sim_disk_destroy(sea->sim);
    plan_destroy(sea->plan);
    virtual_clock_destroy(sea->clock);
}

static struct disk_file open_file(struct sea *sea, const char *name) {
    struct disk_file file = {-1};
    must(disk_open(sea->seam, name, DISK_WRITE | DISK_CREATE, &file, NULL));
    return file;
}

static void expect_bytes(struct sea *sea, const char *name, const char *wanted, const char *why) {
    struct text is = {0};
    cr_expect(sim_disk_read(sea->sim, name, &is), "%s", why);
    cr_expect_str_eq(text_get(&is), wanted, "%s: '%s', not '%s'", why, text_get(&is), wanted);
    text_release(&is);
}

static void power_cut(struct sea *sea, enum crash_fate fate) {
    struct crash_uniform uniform = crash_uniform(fate);
    sim_disk_crash(sea->sim, &uniform.source);
}

/* Every call that can fail, by number; the order of `verbs`. */
static const char *const verbs[] = {"open", "read",     "write", "truncate", "sync",   "link",
                                    "list", "sync_dir", "lock",  "make_dir", "rename", "remove"};
#define VERBS (sizeof verbs / sizeof verbs[0])

static void visit_nothing(void *context, const char *name) {
    (void)context;
    (void)name;
}

static enum err_code call(struct sea *sea, size_t verb, struct disk_file file) {
    struct disk *seam = sea->seam;
    struct disk_file other = {-1};
    char byte = 'x';
    size_t got = 0;
    switch (verb) {
    case 0:
        return disk_open(seam, "f", DISK_READ, &other, NULL);
    case 1:
        return disk_read_at(seam, file, &byte, 1, 0, &got, NULL);
    case 2:
        return disk_write_at(seam, file, &byte, 1, 0, NULL);
    case 3:
        return disk_truncate(seam, file, 5, NULL);
    case 4:
        return disk_sync(seam, file, NULL);
    case 5:
        return disk_link(seam, "f", "g", NULL);
    case 6:
        return disk_list(seam, "", visit_nothing, NULL, NULL);
    case 7:
        return disk_sync_dir(seam, "", NULL);
    case 8:
        return disk_lock(seam, "f.lock", &other, NULL);
    case 9:
        return disk_make_dir(seam, "d", NULL);
    case 10:
        return disk_rename(seam, "f", "h", NULL);
    default:
        return disk_remove(seam, "h", NULL);
    }
}

Test(disk_eio, fails_the_verb_of_its_target_and_no_other_once_or_for_good) {
    for (size_t verb = 0; verb < VERBS; verb++) {
        for (uint64_t count = 0; count <= 1; count++) { /* 0: persistent */
            struct fault fault = {.point = POINT_DISK_EIO, .count = count};
            struct sea sea;
            snprintf(fault.target, sizeof fault.target, "%s", verbs[verb]);
            sea_start(&sea, fault);
            const struct disk_file file = verb == 0 ? (struct disk_file){-1} : open_file(&sea, "f");
            for (size_t i = 0; i < VERBS; i++) {
                if (verb == 0 && (i >= 1 && i <= 4)) {
                    continue; /* nothing is open */
                }
                if (i == verb) {
                    cr_expect_eq(call(&sea, i, file), ERR_IO, "%s", verbs[verb]);
                }
                cr_expect_eq(call(&sea, i, file), i == verb && count == 0 ? ERR_IO : ERR_OK,
                             "%s during %s", verbs[i], verbs[verb]);
                if (i == verb && count == 0 && i >= 10) {
                    break; /* the next one wants its work */
                }
            }
            sea_end(&sea);
        }
    }
}

Test(disk_enospc, takes_so_many_bytes_more_and_the_write_at_the_mark_in_part) {
    struct sea sea;
    sea_start(&sea, (struct fault){.point = POINT_DISK_ENOSPC,
                                   .from = fault_after(SPAN_S(10)),
                                   .has_until = true,
                                   .until = fault_after(SPAN_S(20)),
                                   .has_bytes = true,
                                   .bytes = 7});
    const struct disk_file file = open_file(&sea, "g");
    must(disk_write_at(sea.seam, file, "before", 6, 0, NULL)); /* counts nothing */
    virtual_clock_advance(sea.clock, SPAN_S(10));
    must(disk_write_at(sea.seam, file, "abcd", 4, 0, NULL));
    cr_expect_eq(plan_fired_count(sea.plan), 0, "a write that fits is no fault");
    cr_expect_eq(disk_write_at(sea.seam, file, "12345", 5, 4, NULL), ERR_NO_SPACE);
    expect_bytes(&sea, "g", "abcd123", "three of five bytes fit");
    cr_expect_eq(disk_write_at(sea.seam, file, "x", 1, 0, NULL), ERR_NO_SPACE);
    struct disk_file other = {-1};
    cr_expect_eq(disk_open(sea.seam, "h", DISK_WRITE | DISK_CREATE, &other, NULL), ERR_NO_SPACE);
    cr_expect_eq(disk_link(sea.seam, "f", "h", NULL), ERR_NO_SPACE);
    must(disk_remove(sea.seam, "f", NULL));
    must(disk_sync(sea.seam, file, NULL));
    virtual_clock_advance(sea.clock, SPAN_S(10));
    must(disk_write_at(sea.seam, file, "x", 1, 0, NULL));
    sea_end(&sea);
}

Test(disk_short_write, leaves_the_first_bytes_and_an_error) {
    for (int64_t bytes = -1; bytes <= 3; bytes += 4) {
        struct sea sea;
        sea_start(&sea, (struct fault){.point = POINT_DISK_SHORT_WRITE,
                                       .target = "f",
                                       .count = 1,
                                       .has_bytes = bytes >= 0,
                                       .bytes = bytes});
        const struct disk_file file = open_file(&sea, "f");
        const struct disk_file other = open_file(&sea, "g");
        must(disk_write_at(sea.seam, other, "abcd", 4, 0, NULL));
        cr_expect_eq(disk_write_at(sea.seam, file, "abcd", 4, 0, NULL), ERR_IO);
        expect_bytes(&sea, "f", bytes < 0 ? "ab23456789" : "abc3456789", "half, or what was said");
        must(disk_write_at(sea.seam, file, "ABCD", 4, 0, NULL));
        expect_bytes(&sea, "f", "ABCD456789", "once");
        sea_end(&sea);
    }
}

Test(disk_fsync_error, says_so_once_then_lies_and_a_power_cut_brings_the_old_bytes_back) {
    for (int is_rewritten = 0; is_rewritten < 2; is_rewritten++) {
        struct sea sea;
        sea_start(&sea, (struct fault){.point = POINT_DISK_FSYNC_ERROR, .count = 1});
        const struct disk_file file = open_file(&sea, "f");
        must(disk_write_at(sea.seam, file, "abc", 3, 0, NULL));
        cr_expect_eq(disk_sync(sea.seam, file, NULL), ERR_IO);
        cr_expect_eq(sim_disk_pending(sea.sim), 0, "the kernel believes the pages clean");
        must(disk_sync(sea.seam, file, NULL));
        expect_bytes(&sea, "f", "abc3456789", "and they stay readable");
        if (is_rewritten) {
            must(disk_write_at(sea.seam, file, "abc", 3, 0, NULL));
            must(disk_sync(sea.seam, file, NULL));
        }
        power_cut(&sea, CRASH_KEPT);
        expect_bytes(&sea, "f", is_rewritten ? "abc3456789" : "0123456789", "the platter");
        sea_end(&sea);
    }
}

Test(disk_fsync_error, of_a_folder_leaves_its_names_open) {
    struct sea sea;
    sea_start(&sea,
              (struct fault){.point = POINT_DISK_FSYNC_ERROR, .target = "sync_dir", .count = 1});
    must(disk_rename(sea.seam, "f", "g", NULL));
    cr_expect_eq(disk_sync_dir(sea.seam, "", NULL), ERR_IO);
    cr_expect_eq(sim_disk_pending(sea.sim), 1);
    must(disk_sync_dir(sea.seam, "", NULL));
    power_cut(&sea, CRASH_DROPPED);
    expect_bytes(&sea, "g", "0123456789", "the next one counts");
    sea_end(&sea);
}

Test(disk_slow_fsync, takes_its_delay_longer_and_nothing_else) {
    for (int64_t delay_s = 0; delay_s <= 40; delay_s += 40) {
        struct sea sea;
        sea_start(&sea, (struct fault){.point = POINT_DISK_SLOW_FSYNC,
                                       .target = "sync",
                                       .delay = SPAN_S(delay_s)});
        const struct disk_file file = open_file(&sea, "f");
        must(disk_write_at(sea.seam, file, "abc", 3, 0, NULL));
        const int64_t before_ns = virtual_clock_now(sea.clock).ns;
        must(disk_sync(sea.seam, file, NULL));
        const int64_t took_ms = (virtual_clock_now(sea.clock).ns - before_ns) / 1000000;
        const int64_t wanted_ms = (delay_s == 0 ? 5 : delay_s) * 1000;
        cr_expect(took_ms >= wanted_ms && took_ms <= wanted_ms + 5, "%d ms", (int)took_ms);
        must(disk_sync_dir(sea.seam, "", NULL));
        cr_expect_lt(virtual_clock_now(sea.clock).ns - before_ns, (wanted_ms + 20) * 1000000);
        power_cut(&sea, CRASH_DROPPED);
        expect_bytes(&sea, "f", "abc3456789", "late, and durable");
        sea_end(&sea);
    }
}

Test(disk_lying_fsync, says_ok_and_makes_nothing_durable) {
    struct sea sea;
    sea_start(&sea, (struct fault){.point = POINT_DISK_LYING_FSYNC});
    const struct disk_file file = open_file(&sea, "f");
    must(disk_write_at(sea.seam, file, "abc", 3, 0, NULL));
    must(disk_sync(sea.seam, file, NULL));
    must(disk_rename(sea.seam, "f", "g", NULL));
    must(disk_sync_dir(sea.seam, "", NULL));
    cr_expect_eq(sim_disk_pending(sea.sim), 2);
    cr_expect_eq(plan_point_fired(sea.plan, POINT_DISK_LYING_FSYNC), 2);
    power_cut(&sea, CRASH_DROPPED);
    expect_bytes(&sea, "f", "0123456789", "as if nothing had been asked");
    sea_end(&sea);
}

/* What the drive has in a cache of its own gets no older, and keeps back what was done behind it. */
Test(disk_lying_fsync, is_not_made_good_by_time_but_by_the_next_sync) {
    struct sea sea;
    sea_start(&sea, (struct fault){.point = POINT_DISK_LYING_FSYNC, .count = 2});
    const struct disk_file file = open_file(&sea, "f");
    must(disk_make_dir(sea.seam, "in", NULL));
    must(disk_write_at(sea.seam, file, "abc", 3, 0, NULL));
    must(disk_sync(sea.seam, file, NULL)); /* a lie */
    must(disk_write_at(sea.seam, file, "d", 1, 3, NULL));
    must(disk_rename(sea.seam, "f", "g", NULL));
    must(disk_sync_dir(sea.seam, "", NULL)); /* a lie */
    must(disk_link(sea.seam, "g", "in/g", NULL));
    must(disk_write_at(sea.seam, open_file(&sea, "h"), "h", 1, 0, NULL));
    for (int hours = 0; hours < 2; hours++) {
        cr_expect_eq(sim_disk_pending(sea.sim), hours == 0 ? 6 : 5, "the bytes of h are old");
        virtual_clock_advance(sea.clock, SPAN_HOURS(1));
    }
    must(disk_sync_dir(sea.seam, "", NULL));
    cr_expect_eq(sim_disk_pending(sea.sim), 2, "in/g was behind g and is an hour old");
    must(disk_sync(sea.seam, file, NULL));
    cr_expect_eq(sim_disk_pending(sea.sim), 0);
    power_cut(&sea, CRASH_DROPPED);
    expect_bytes(&sea, "g", "abcd456789", "all of it");
    expect_bytes(&sea, "in/g", "abcd456789", "all of it");
    sea_end(&sea);
}

static int bits_off(const char *is, const char *was, size_t n) {
    int bits = 0;
    for (size_t i = 0; i < n; i++) {
        bits += __builtin_popcount((unsigned)(is[i] ^ was[i]) & 0xffU);
    }
    return bits;
}

Test(disk_bit_rot, one_read_flips_one_bit_and_every_later_read_agrees) {
    for (int64_t at = -1; at <= 4; at += 5) {
        struct sea sea;
        sea_start(&sea, (struct fault){.point = POINT_DISK_BIT_ROT,
                                       .target = "read f",
                                       .count = 1,
                                       .has_bytes = at >= 0,
                                       .bytes = at});
        const struct disk_file file = open_file(&sea, "f");
        char first[10];
        char later[10];
        size_t got = 0;
        must(disk_read_at(sea.seam, file, first, 10, 0, &got, NULL));
        cr_expect_eq(bits_off(first, "0123456789", 10), 1);
        cr_expect(at < 0 || first[at] != '4');
        must(disk_read_at(sea.seam, file, later, 10, 0, &got, NULL));
        cr_expect_arr_eq(later, first, 10);
        power_cut(&sea, CRASH_DROPPED);
        struct text bytes = {0};
        cr_assert(sim_disk_read(sea.sim, "f", &bytes));
        cr_expect_arr_eq(bytes.data, first, 10, "on the platter too");
        text_release(&bytes);
        const struct disk_file again = open_file(&sea, "f");
        must(disk_write_at(sea.seam, again, "0123456789", 10, 0, NULL));
        must(disk_read_at(sea.seam, again, later, 10, 0, &got, NULL));
        cr_expect_arr_eq(later, "0123456789", 10, "a fresh write is fresh");
        sea_end(&sea);
    }
}

static void put_document(struct sea *sea, const char *name) {
    struct text document = {0};
    state_document_print(name, 17, "\"epoch\":41,\"by\":\"a 9\",\"parts\":[1,-2.5e3]", &document);
    sim_disk_write_raw(sea->sim, name, document.data, document.len);
    text_release(&document);
}

static int bytes_off(const struct text *a, const struct text *b) {
    int count = 0;
    for (size_t i = 0; i < a->len && i < b->len; i++) {
        count += a->data[i] != b->data[i];
    }
    return count;
}

Test(disk_wrong_number, strikes_once_at_its_instant_and_a_forged_checksum_fits) {
    for (int is_forged = 0; is_forged < 2; is_forged++) {
        struct sea sea;
        struct text before = {0};
        struct text after = {0};
        int64_t seq = 0;
        sea_start(&sea, (struct fault){.point = POINT_DISK_WRONG_NUMBER,
                                       .from = fault_after(SPAN_S(10)),
                                       .target = "lease*",
                                       .is_forged = is_forged != 0});
        put_document(&sea, "lease.json");
        put_document(&sea, "other.json");
        cr_assert(sim_disk_read(sea.sim, "lease.json", &before));
        faulty_disk_look(sea.faulty);
        cr_expect_eq(plan_fired_count(sea.plan), 0);
        virtual_clock_advance(sea.clock, SPAN_S(10));
        faulty_disk_look(sea.faulty);
        cr_assert(sim_disk_read(sea.sim, "lease.json", &after));
        cr_expect_eq(after.len, before.len);
        cr_expect_eq(state_document_is_intact("lease.json", after.data, after.len, &seq),
                     is_forged != 0, "%s", text_get(&after));
        cr_expect_geq(bytes_off(&before, &after), 1 + is_forged);
        cr_expect(is_forged || bytes_off(&before, &after) == 1, "one digit");
        cr_assert(sim_disk_read(sea.sim, "other.json", &after));
        cr_expect(state_document_is_intact("other.json", after.data, after.len, &seq));
        put_document(&sea, "lease.json");
        faulty_disk_look(sea.faulty);
        cr_expect_eq(plan_fired_count(sea.plan), 1, "once");
        text_release(&before);
        text_release(&after);
        sea_end(&sea);
    }
}

Test(wrong_number, changes_a_number_and_never_text_schema_or_shape) {
    struct text before = {0};
    struct text after = {0};
    bool is_seen[5] = {false};
    state_document_print("n", 17, "\"epoch\":40,\"by\":\"a \\\"9\",\"parts\":[0,-2.5e3]", &before);
    for (uint64_t draw = 0; draw < 512; draw++) {
        cr_assert(wrong_number(&before, draw, false, &after));
        cr_expect_eq(bytes_off(&before, &after), 1);
        cr_expect_not_null(strstr(text_get(&after), "\"schema\":1,"));
        cr_expect_not_null(strstr(text_get(&after), "a \\\"9"));
        is_seen[0] |= strstr(text_get(&after), "\"journal_seq\":17,") == NULL;
        is_seen[1] |= strstr(text_get(&after), "\"epoch\":40,") == NULL;
        is_seen[2] |= strstr(text_get(&after), "[0,") == NULL;
        is_seen[3] |= strstr(text_get(&after), "-2.5e3") == NULL;
        is_seen[4] |= strstr(text_get(&after), "0:") != NULL; /* a leading zero */
    }
    cr_expect(is_seen[0] && is_seen[1] && is_seen[2] && is_seen[3] && !is_seen[4]);
    text_clear(&before);
    text_add(&before, "{\"a\":\"1\"}");
    cr_expect_not(wrong_number(&before, 0, false, &after));
    text_clear(&before);
    text_add(&before, "{\"a\":1}");
    cr_expect_not(wrong_number(&before, 0, true, &after), "nothing to forge");
    cr_expect(wrong_number(&before, 0, false, &after));
    text_release(&before);
    text_release(&after);
}

Test(disk_faults, a_process_that_dies_at_a_call_meets_no_other_fault_there) {
    struct sea sea;
    struct fault crash = {.point = POINT_PROCESS_CRASH_AFTER, .target = "write f", .count = 1};
    struct fault eio = {.point = POINT_DISK_EIO, .target = "write"};
    sea_start(&sea, crash);
    chaos_disarm(sea.plan);
    must(plan_add(sea.plan, &eio, NULL));
    must(chaos_arm(sea.plan, sea.clock, NULL));
    const struct disk_file file = open_file(&sea, "f");
    cr_expect_eq(disk_write_at(sea.seam, file, "abc", 3, 0, NULL), ERR_IO);
    cr_expect(process_is_dead(&sea.process));
    expect_bytes(&sea, "f", "abc3456789", "the write happened, its result was not seen");
    cr_expect_eq(plan_point_fired(sea.plan, POINT_DISK_EIO), 0);
    sea_end(&sea);
}
