/* test_log.c - alerts: what is told, what is only counted, what is left in the outbox and survives. */
#include "tests/unit/rig.h"

#include "core/state/state_file.h"

static void raise_alert(struct rig *rig, const char *text, int times) {
    for (int i = 0; i < times; i++) {
        log_alert(&rig->log, ALERT_PAGE, "naked_position", text);
    }
}

Test(log_alert, a_flood_of_one_text_is_told_once_a_minute_with_its_count) {
    struct rig *rig = rig_create();
    struct text left = {0};
    cr_assert_eq(disk_make_dir(rig->world.disk, "outbox", NULL), ERR_OK);
    raise_alert(rig, "AAPL", 10000);
    cr_expect_eq(rig->pages, 1);
    rig_wait(rig, (struct span){SPAN_S(60).ns - 1});
    raise_alert(rig, "AAPL", 1);
    cr_expect_eq(rig->pages, 1);
    rig_wait(rig, (struct span){1});
    raise_alert(rig, "AAPL", 1);
    cr_expect_eq(rig->pages, 2);
    cr_expect_eq(rig_outbox(rig->disk, "naked_position", &left), 2);
    cr_expect(strstr(text_get(&left), "\"count\":10002}") != NULL, "%s", text_get(&left));
    text_release(&left);
    rig_destroy(rig);
}

Test(log_alert, another_text_is_another_alert_up_to_eight_in_a_minute) {
    struct rig *rig = rig_create();
    char symbol[24];
    for (int i = 0; i < 20; i++) {
        snprintf(symbol, sizeof symbol, "SYM%03d", i);
        raise_alert(rig, symbol, 3);
    }
    cr_expect_eq(rig->pages, ALERT_TEXTS_MAX);
    rig_wait(rig, SPAN_S(60));
    raise_alert(rig, "SYM019", 1);
    cr_expect_eq(rig->pages, ALERT_TEXTS_MAX + 1);
    rig_destroy(rig);
}

Test(log_alert, a_flood_of_keys_keeps_no_new_one_quiet) {
    struct rig *rig = rig_create();
    char key[32];
    for (int i = 0; i < 3 * ALERT_KEYS_MAX; i++) {
        snprintf(key, sizeof key, "cause_%d", i);
        log_alert(&rig->log, ALERT_PAGE, key, "the same text");
        rig_wait(rig, SPAN_MS(10));
    }
    cr_expect_eq(rig->pages, 3 * ALERT_KEYS_MAX);
    rig_destroy(rig);
}

Test(log_alert, what_is_over_is_news_when_it_comes_back) {
    struct rig *rig = rig_create();
    raise_alert(rig, "AAPL", 2);
    log_alert_over(&rig->log, "another_key");
    raise_alert(rig, "AAPL", 1);
    cr_expect_eq(rig->pages, 1);
    log_alert_over(&rig->log, "naked_position");
    raise_alert(rig, "AAPL", 2);
    cr_expect_eq(rig->pages, 2);
    rig_destroy(rig);
}

Test(log_alert, a_clock_that_went_back_mutes_nobody) {
    struct rig *rig = rig_create();
    raise_alert(rig, "AAPL", 1);
    virtual_clock_set_offset(rig->clock, SPAN_HOURS(-1));
    raise_alert(rig, "AAPL", 2);
    cr_expect_eq(rig->pages, 2);
    rig_destroy(rig);
}

/* --- the outbox --- */

static struct rig *with_outbox(void) {
    struct rig *rig = rig_create();
    cr_assert_eq(disk_make_dir(rig->world.disk, "outbox", NULL), ERR_OK);
    cr_assert_eq(disk_sync_dir(rig->world.disk, "", NULL), ERR_OK);
    return rig;
}

static void raise_numbered(struct rig *rig, enum alert_severity severity, int number) {
    char key[32];
    snprintf(key, sizeof key, "key_%04d", number);
    log_alert(&rig->log, severity, key, "text");
    rig_wait(rig, SPAN_MS(1));
}

static void count_file(void *context, const char *name) {
    int *count = context;
    *count += strncmp(name, "outbox/", 7) == 0;
}

static int left_files(const struct rig *rig) {
    int count = 0;
    sim_disk_visit_all(rig->disk, count_file, &count);
    return count;
}

static int durable_of(struct rig *rig, const char *key) {
    struct sim_disk *after = sim_disk_clone(rig->disk);
    struct disk_image *image = sim_disk_snapshot(after);
    sim_disk_restore(after, image);
    int count = rig_outbox(after, key, NULL);
    disk_image_destroy(image);
    sim_disk_destroy(after);
    return count;
}

Test(outbox, each_alert_is_a_file_of_its_own) {
    struct rig *rig = with_outbox();
    raise_alert(rig, "AAPL", 1);
    raise_alert(rig, "MSFT", 1);
    cr_expect_eq(rig_outbox(rig->disk, "naked_position", NULL), 2, "in the same nanosecond too");
    rig_destroy(rig);
}

Test(outbox, a_page_survives_the_power_from_alerts_keep_on) {
    struct rig *rig = with_outbox();
    raise_alert(rig, "AAPL", 1);
    cr_expect_eq(durable_of(rig, "naked_position"), 0, "nothing has waited for a disk yet");
    alerts_keep(&rig->log);
    cr_expect_eq(durable_of(rig, "naked_position"), 1);
    rig_destroy(rig);
}

Test(outbox, thirty_two_pages_of_a_tick_are_durable) {
    struct rig *rig = with_outbox();
    for (int i = 0; i < OUTBOX_OWED_MAX; i++) {
        raise_numbered(rig, ALERT_PAGE, i);
    }
    alerts_keep(&rig->log);
    cr_expect_eq(durable_of(rig, "key_0000"), 1);
    cr_expect_eq(durable_of(rig, "key_0031"), 1);
    rig_destroy(rig);
}

Test(outbox, a_text_of_six_bytes_a_byte_is_left_and_durable_too) {
    struct rig *rig = with_outbox();
    char text[ALERT_TEXT_MAX];
    memset(text, 1, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    raise_alert(rig, text, 1);
    alerts_keep(&rig->log);
    cr_expect_eq(durable_of(rig, "naked_position"), 1);
    rig_destroy(rig);
}

Test(outbox, what_a_dead_process_was_leaving_takes_no_room) {
    struct rig *rig = with_outbox();
    for (int i = 0; i < OUTBOX_MAX; i++) {
        char name[64];
        snprintf(name, sizeof name, "outbox/%d-x.json.0a1b2c3d.tmp", i);
        sim_disk_write_raw(rig->disk, name, "{", 1);
    }
    raise_numbered(rig, ALERT_WARN, 1);
    cr_expect_eq(rig_outbox(rig->disk, "key_0001", NULL), 1);
    cr_assert_eq(state_file_sweep(&rig->world, "outbox", NULL), ERR_OK);
    cr_expect_not(sim_disk_exists(rig->disk, "outbox/0-x.json.0a1b2c3d.tmp"));
    cr_expect_eq(rig_outbox(rig->disk, "key_0001", NULL), 1);
    rig_destroy(rig);
}

Test(outbox, a_page_that_the_disk_refused_is_left_at_the_next_chance) {
    struct rig *rig = rig_create(); /* there is no outbox */
    for (int i = 0; i < 12; i++) {
        raise_numbered(rig, ALERT_PAGE, i);
    }
    alerts_keep(&rig->log);
    cr_expect_eq(left_files(rig), 0);
    cr_assert_eq(disk_make_dir(rig->world.disk, "outbox", NULL), ERR_OK);
    cr_assert_eq(disk_sync_dir(rig->world.disk, "", NULL), ERR_OK);
    alerts_keep(&rig->log);
    cr_expect_eq(durable_of(rig, "key_0000"), 1);
    cr_expect_eq(durable_of(rig, "key_0011"), 1);
    rig_destroy(rig);
}

Test(outbox, what_was_delivered_before_it_was_durable_does_not_come_back) {
    struct rig *rig = with_outbox();
    raise_alert(rig, "AAPL", 1);
    char name[DISK_NAME_MAX];
    snprintf(name, sizeof name, "outbox/%lld-page-naked_position.json", (long long)rig_now(rig).ns);
    cr_assert_eq(disk_remove(rig->world.disk, name, NULL), ERR_OK);
    alerts_keep(&rig->log);
    alerts_keep(&rig->log);
    cr_expect_eq(rig_outbox(rig->disk, "naked_position", NULL), 0);
    rig_destroy(rig);
}

Test(outbox, where_nobody_delivers_it_ends_and_pages_end_later) {
    struct rig *rig = with_outbox();
    for (int i = 0; i < 2 * OUTBOX_MAX; i++) {
        raise_numbered(rig, ALERT_WARN, i);
    }
    cr_expect_eq(left_files(rig), OUTBOX_MAX);
    for (int i = 0; i < 2 * OUTBOX_MAX; i++) {
        raise_numbered(rig, ALERT_PAGE, 1000 + i);
    }
    cr_expect_eq(left_files(rig), 2 * OUTBOX_MAX);
    rig_destroy(rig);
}

Test(outbox, once_somebody_has_emptied_it_there_is_room_within_a_minute) {
    struct rig *rig = with_outbox();
    for (int i = 0; i < OUTBOX_MAX + 1; i++) {
        raise_numbered(rig, ALERT_WARN, i);
    }
    struct disk_image *image = sim_disk_snapshot(rig->disk);
    (void)sim_disk_restore_matching(rig->disk, image, "outbox/*"); /* nothing of it was durable */
    disk_image_destroy(image);
    cr_assert_eq(left_files(rig), 0);
    rig_wait(rig, SPAN_MIN(1));
    raise_numbered(rig, ALERT_WARN, 2000);
    cr_expect_eq(left_files(rig), 1);
    rig_destroy(rig);
}

Test(outbox, a_life_counts_what_the_lives_before_it_left) {
    struct rig *rig = with_outbox();
    for (int i = 0; i < OUTBOX_MAX - 1; i++) {
        raise_numbered(rig, ALERT_WARN, i);
    }
    log_release(&rig->log);
    log_init(&rig->log, &rig->world, &rig->config);
    raise_numbered(rig, ALERT_WARN, 3000);
    raise_numbered(rig, ALERT_WARN, 3001);
    cr_expect_eq(left_files(rig), OUTBOX_MAX);
    rig_destroy(rig);
}

/* --- lines --- */

struct refusing { /* a disk that writes `bytes` of each write and then fails, or renames nothing */
    struct disk seam;
    struct disk_ops ops;
    struct disk *inner;
    bool is_full, is_stuck;
    size_t bytes;
};

static enum err_code refusing_write(struct disk *seam, struct disk_file file, const void *bytes,
                                    size_t n, uint64_t offset, struct err *err) {
    struct refusing *disk = (struct refusing *)seam;
    size_t part = disk->bytes < n ? disk->bytes : n;
    if (!disk->is_full) {
        return disk_write_at(disk->inner, file, bytes, n, offset, err);
    }
    (void)!disk_write_at(disk->inner, file, bytes, part, offset, err);
    return ERR_NO_SPACE;
}

static enum err_code refusing_rename(struct disk *seam, const char *from, const char *to,
                                     struct err *err) {
    struct refusing *disk = (struct refusing *)seam;
    return disk->is_stuck ? ERR_IO : disk_rename(disk->inner, from, to, err);
}

/* What the sim's port answers for itself it answers for this seam: its own pointer is asked for. */
#define PASS(disk) (((struct refusing *)(disk))->inner)
static enum err_code pass_open(struct disk *d, const char *name, unsigned flags,
                               struct disk_file *out, struct err *err) {
    return disk_open(PASS(d), name, flags, out, err);
}
static void pass_close(struct disk *d, struct disk_file file) {
    disk_close(PASS(d), file);
}
static enum err_code pass_size(struct disk *d, struct disk_file file, uint64_t *out,
                               struct err *err) {
    return disk_size(PASS(d), file, out, err);
}
static enum err_code pass_read(struct disk *d, struct disk_file file, void *bytes, size_t n,
                               uint64_t offset, size_t *got, struct err *err) {
    return disk_read_at(PASS(d), file, bytes, n, offset, got, err);
}

/* Under the log alone; the rig's own disk for the rest. */
static void put_under(struct rig *rig, struct refusing *disk) {
    *disk = (struct refusing){.ops = {.open = pass_open,
                                      .close = pass_close,
                                      .size = pass_size,
                                      .read_at = pass_read,
                                      .write_at = refusing_write,
                                      .rename = refusing_rename},
                              .inner = rig->world.disk};
    disk->seam.ops = &disk->ops;
    rig->world.disk = &disk->seam;
}

static void take_away(struct rig *rig, const struct refusing *disk) {
    rig->world.disk = disk->inner;
}

static void expect_lines(const struct rig *rig, const char *name, const char *const want[]) {
    struct text content = {0};
    size_t n = 0;
    cr_assert(sim_disk_read(rig->disk, name, &content), "no %s", name);
    for (char *line = strtok(content.data, "\n"); line != NULL; line = strtok(NULL, "\n"), n++) {
        cr_assert_not_null(want[n], "more in %s: %s", name, line);
        cr_expect(strstr(line, want[n]) != NULL, "%s line %zu: %s", name, n, line);
    }
    cr_expect_null(want[n], "not in %s: %s", name, want[n]);
    text_release(&content);
}

Test(log, says_how_many_lines_the_disk_refused_once_it_takes_one) {
    static const char *const want[] = {
        "\"event\":\"one\"}",
        "{\"at\"",
        "\"event\":\"four\",\"lines_lost\":2}",
        "\"what\":\"acted\",\"symbol\":\"\",\"id\":\"lines_lost\",\"lines\":2}",
        "\"event\":\"five\"}",
        NULL};
    struct rig *rig = rig_create();
    struct refusing disk;
    put_under(rig, &disk);
    log_line(&rig->log, "one", "");
    disk.is_full = true;
    disk.bytes = 9; /* a piece, and the second refused line puts another behind it */
    log_line(&rig->log, "two", "");
    disk.bytes = 0;
    log_line(&rig->log, "three", "");
    disk.is_full = false;
    log_line(&rig->log, "four", "");
    log_line(&rig->log, "five", "");
    expect_lines(rig, "log.jsonl", want);
    cr_expect_eq(rig->log.lost_ever, 2);
    take_away(rig, &disk);
    rig_destroy(rig);
}

Test(log, begins_on_a_line_of_its_own_behind_what_a_death_left) {
    static const char *const want[] = {"{\"at\":\"20", "\"event\":\"one\"}", NULL};
    struct rig *rig = rig_create();
    log_release(&rig->log);
    sim_disk_write_raw(rig->disk, "log.jsonl", "{\"at\":\"20", 9);
    log_init(&rig->log, &rig->world, &rig->config);
    log_line(&rig->log, "one", "");
    expect_lines(rig, "log.jsonl", want);
    rig_destroy(rig);
}

Test(log, of_two_processes_keeps_the_lines_of_both) {
    static const char *const want[] = {"ours", "theirs", "ours", "theirs", NULL};
    struct rig *rig = rig_create();
    struct log other;
    log_init(&other, &rig->world, &rig->config);
    for (int i = 0; i < 2; i++) {
        log_line(&rig->log, "ours", "");
        log_line(&other, "theirs", "");
    }
    log_release(&other);
    expect_lines(rig, "log.jsonl", want);
    rig_destroy(rig);
}

/* One line that fills the file to `size` bytes. */
static void fill_to(struct rig *rig, uint64_t size) {
    struct text members = {0};
    const uint64_t frame = strlen("{\"at\":\"2026-09-01T14:00:00Z\",\"event\":\"f\",\"x\":\"\"}\n");
    text_add(&members, "\"x\":\"");
    for (uint64_t i = frame + rig->log.size; i < size; i++) {
        text_add_char(&members, 'x');
    }
    text_add_char(&members, '"');
    log_line(&rig->log, "f", text_get(&members));
    cr_assert_eq(rig->log.size, size, "%llu", (unsigned long long)rig->log.size);
    text_release(&members);
}

static struct rig *small_logs(void) {
    struct rig *rig = rig_create();
    rig->config.log_rotate_kib = 64;
    rig->config.log_keep = 2;
    rig->log.line.limit = 128 * 1024;
    return rig;
}

Test(log, is_rotated_at_its_size_and_not_a_byte_before) {
    static const char *const two[] = {"\"event\":\"f\"", "\"event\":\"next\"", NULL};
    static const char *const one[] = {"\"event\":\"next\"", NULL};
    for (uint64_t short_of = 0; short_of < 2; short_of++) {
        struct rig *rig = small_logs();
        fill_to(rig, 64 * 1024 - short_of);
        log_line(&rig->log, "next", "");
        expect_lines(rig, "log.jsonl", short_of == 1 ? two : one);
        rig_destroy(rig);
    }
}

Test(log, moves_its_past_up_and_lets_the_oldest_go) {
    static const char *const names[] = {"log.2.jsonl", "log.1.jsonl", "log.jsonl"};
    struct rig *rig = small_logs();
    for (int i = 0; i < 4; i++) {
        char members[16];
        snprintf(members, sizeof members, "\"n\":%d", i);
        log_line(&rig->log, "first", members);
        fill_to(rig, 64 * 1024);
    }
    for (int i = 0; i < 3; i++) {
        char first[40];
        snprintf(first, sizeof first, "\"event\":\"first\",\"n\":%d}", i + 1);
        const char *const want[] = {first, "\"event\":\"f\"", NULL};
        expect_lines(rig, names[i], want);
    }
    struct text content = {0};
    cr_expect_not(sim_disk_read(rig->disk, "log.3.jsonl", &content));
    rig_destroy(rig);
}

Test(log, that_cannot_be_moved_goes_on_and_is_tried_again_later) {
    struct rig *rig = small_logs();
    struct refusing disk;
    struct text content = {0};
    put_under(rig, &disk);
    disk.is_stuck = true;
    fill_to(rig, 64 * 1024);
    log_line(&rig->log, "stays", "");
    cr_expect_gt(rig->log.size, 64 * 1024);
    disk.is_stuck = false;
    log_line(&rig->log, "not_yet", "");
    cr_expect_not(sim_disk_read(rig->disk, "log.1.jsonl", &content));
    fill_to(rig, 72 * 1024);
    log_line(&rig->log, "now", "");
    cr_expect(sim_disk_read(rig->disk, "log.1.jsonl", &content));
    cr_expect_eq(content.len, 72 * 1024);
    text_release(&content);
    take_away(rig, &disk);
    rig_destroy(rig);
}
