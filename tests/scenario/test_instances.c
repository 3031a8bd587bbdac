/* test_instances.c - a second instance beside the core, and a core that stands still: who trades, who is
 * refused, who is fenced. */
#include "scenarios/suite.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct counted { /* how often an event of this kind, subject and begin of what was told */
    enum event_kind kind;
    const char *subject, *what, *id;
    int count;
};

struct counter {
    struct observer seam;
    struct counted *rows; /* ends with a subject of NULL */
};

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void count(struct observer *observer, const struct event *event) {
    struct counter *counter = (struct counter *)observer;
    for (struct counted *row = counter->rows; row->subject != NULL; row++) {
        row->count += event->kind == row->kind && begins(event->subject, row->subject) &&
                      begins(event->what, row->what) && begins(event->id, row->id);
    }
}

static const struct observer_ops counter_ops = {count};

/* Runs one day of stocks with one fault; broken lines fail the test. */
static void run(const char *fault, struct counted *rows, char hash[static HASH_TEXT_MAX]) {
    static struct scenario scenario;
    struct counter counter = {{&counter_ops}, rows};
    struct text json = {0};
    struct text faults = {0};
    struct stage_result result = {0};
    struct err err = {0};
    text_add_format(&json,
                    "{\"id\":\"t\",\"title\":\"t\",\"source\":\"t\",\"seed\":11,"
                    "\"start\":\"2022-03-15\",\"days\":1,\"market\":{\"set\":\"stocks-2022-03\"},"
                    "\"config\":{\"sizing.base_usd\":\"5000\",\"sizing.equity_share\":\"0.05\","
                    "\"risk.max_positions\":4,\"exits.time_s\":900},\"faults\":[%s]}",
                    fault);
    cr_assert_eq(scenario_parse(text_get(&json), json.len, &scenario, &faults, &err), ERR_OK, "%s",
                 text_get(&faults));
    struct stage_options options = {
        .scenario = &scenario, .data_dir = "data", .build = "test", .observer = &counter.seam};
    cr_assert_eq(stage_run(&options, &result, &err), ERR_OK, "%s", err.text);
    cr_expect_eq(result.broken, 0, "%s", text_get(&result.broken_lines));
    memcpy(hash, result.trace_hash, HASH_TEXT_MAX);
    stage_result_release(&result);
    text_release(&json);
    text_release(&faults);
}

Test(instances, a_second_on_the_same_directory_is_refused_as_long_as_the_first_lives) {
    struct counted rows[] = {{EVENT_OTHER, "start", "refused", "here", 0},
                             {EVENT_OTHER, "send", "", "", 0},
                             {EVENT_OTHER, "document", "", "", 0},
                             {EVENT_START, "ready", "", "", 0},
                             {.subject = NULL}};
    char hash[HASH_TEXT_MAX];
    run("{\"point\":\"process.second\",\"at\":\"day 1 10:15:00\",\"until\":\"day 1 10:25:00\","
        "\"count\":1}",
        rows, hash);
    cr_expect_geq(rows[0].count, 40, "each 10 s, and some seconds until its moment: %d",
                  rows[0].count);
    cr_expect_leq(rows[0].count, 60, "%d", rows[0].count);
    cr_expect_eq(rows[1].count, 0);
    cr_expect_eq(rows[2].count, 0);
    cr_expect_eq(rows[3].count, 1);
}

/* The pause ends after its successor took over (a lease of 15 s and 35 s more), or before. */
Test(instances, a_paused_core_with_an_order_on_its_tongue_comes_back_fenced) {
    static const struct {
        const char *delay;
        int taken_over;
    } table[] = {{"180", 1}, {"40", 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct counted rows[] = {{EVENT_STOP, "succeeded", "", "", 0},
                                 {EVENT_START, "ready", "", "", 0},
                                 {EVENT_OTHER, "order", "entry not_sent", "here", 0},
                                 {EVENT_OTHER, "send", "", "here", 0},
                                 {EVENT_PAUSE, "end", "", "", 0},
                                 {.subject = NULL}};
        char fault[256];
        char hash[HASH_TEXT_MAX];
        char again[HASH_TEXT_MAX];
        snprintf(fault, sizeof fault,
                 "{\"point\":\"process.pause\",\"at\":\"day 1 10:20:55\",\"count\":1,"
                 "\"params\":{\"target\":\"POST /v2/orders\",\"delay_s\":\"%s\"}}",
                 table[i].delay);
        run(fault, rows, hash);
        cr_expect_eq(rows[0].count, table[i].taken_over, "%s s", table[i].delay);
        cr_expect_eq(rows[1].count, 1 + table[i].taken_over);
        cr_expect_eq(rows[2].count, table[i].taken_over, "its order expired: it never left");
        cr_expect_eq(rows[3].count, 0);
        cr_expect_eq(rows[4].count, 1 - table[i].taken_over, "else it is told of another");
        run(fault, rows, again);
        cr_expect_str_eq(hash, again);
    }
}

/* The first 320 effects from the tick of an entry on: no order, no document by who was succeeded. */
Test(instances, a_pause_at_any_effect_leaves_one_trader, .timeout = 120) {
    for (int nth = 1; nth <= 320; nth += 29) {
        struct counted rows[] = {{EVENT_STOP, "succeeded", "", "", 0}, {.subject = NULL}};
        char fault[256];
        char hash[HASH_TEXT_MAX];
        snprintf(fault, sizeof fault,
                 "{\"point\":\"process.pause\",\"at\":\"day 1 10:20:59\",\"nth\":%d,"
                 "\"params\":{\"delay_s\":\"120\"}}",
                 nth);
        run(fault, rows, hash);
    }
}

Test(instances, a_core_that_hung_before_its_last_look_does_not_send) {
    struct counted rows[] = {{EVENT_PAUSE, "begin", "", "", 0},
                             {EVENT_PAUSE, "end", "", "", 0},
                             {EVENT_REFUSAL, "LAST_LOOK", "entry", "", 0},
                             {EVENT_STOP, "clean", "", "", 0},
                             {EVENT_START, "", "", "", 0},
                             {.subject = NULL}};
    char hash[HASH_TEXT_MAX];
    run("{\"point\":\"process.hang\",\"at\":\"day 1 10:21:00\",\"nth\":1,"
        "\"params\":{\"target\":\"sync journal.db-wal\",\"delay_s\":\"20\"}}",
        rows, hash);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(rows[i].count, 1, "%zu: %d", i, rows[i].count);
    }
}

/* Whose id the broker had first differs with the effects at which the other acts. */
Test(instances, of_two_state_directories_the_loser_of_an_id_halts) {
    static const int nths[] = {30, 5};
    for (size_t i = 0; i < 2; i++) {
        struct counted rows[] = {{EVENT_MECHANISM, "second_writer", "acted", "", 0},
                                 {EVENT_OTHER, "mechanism", "second_writer acted", "elsewhere", 0},
                                 {EVENT_OTHER, "mode", "HALT", "elsewhere", 0},
                                 {EVENT_MODE, "HALT", "", "", 0},
                                 {.subject = NULL}};
        char fault[256];
        char hash[HASH_TEXT_MAX];
        snprintf(fault, sizeof fault,
                 "{\"point\":\"process.second_elsewhere\",\"at\":\"day 1 09:40:00\","
                 "\"until\":\"day 1 13:00:00\",\"nth\":%d}",
                 nths[i]);
        run(fault, rows, hash);
        bool is_core = i == 0;
        cr_expect_eq(rows[0].count, is_core, "nth %d", nths[i]);
        cr_expect_eq(rows[1].count, !is_core, "nth %d", nths[i]);
        cr_expect_eq(rows[2].count > 0, !is_core);
        cr_expect_eq(rows[3].count > 0, is_core);
    }
}

Test(instances, one_that_finds_orders_of_ours_and_has_no_state_opens_nothing) {
    struct counted rows[] = {{EVENT_OTHER, "mechanism", "amnesia acted", "elsewhere", 0},
                             {EVENT_OTHER, "order", "entry", "elsewhere", 0},
                             {.subject = NULL}};
    char hash[HASH_TEXT_MAX];
    run("{\"point\":\"process.second_elsewhere\",\"at\":\"day 1 10:30:00\","
        "\"until\":\"day 1 11:00:00\",\"count\":1}",
        rows, hash);
    cr_expect_eq(rows[0].count, 1);
    cr_expect_eq(rows[1].count, 0);
}
