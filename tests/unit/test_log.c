/* test_log.c - alerts: what is told, what is only counted. */
#include "tests/unit/rig.h"

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
    cr_assert(sim_disk_read(rig->disk, "outbox/naked_position.json", &left));
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
