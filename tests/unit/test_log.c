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
    log_init(&rig->log, &rig->world);
    raise_numbered(rig, ALERT_WARN, 3000);
    raise_numbered(rig, ALERT_WARN, 3001);
    cr_expect_eq(left_files(rig), OUTBOX_MAX);
    rig_destroy(rig);
}
