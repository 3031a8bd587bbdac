/* test_learning_guard.c - what a lesson is and what is none, when a step is due and how far it goes, what its trial
 * does, at each exact bound and one step beside it; what a fault, a restart and a row that cannot be leave of it. */
#include "core/risk/learning_guard.h"

#include "tests/unit/rig.h"

static const char *const PARTS[] = {"fast", "slow"};
enum { FAST, SLOW };

struct fixture {
    struct rig *rig;
    struct causes causes;
    struct config config;
    struct closed_trades trades;
    struct learning learning;
    struct strategy strategy;
    struct learning_look look;
    int orders;
};

static void take(struct fixture *fixture, const struct journal_row *row) {
    closed_trades_take(&fixture->trades, row);
    learning_guard_take(&fixture->learning, &fixture->config, &fixture->trades, row);
}

static void hear(void *context, const struct journal_row *row) {
    take(context, row);
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    take(context, row);
    return ERR_OK;
}

/* Steps of 50 and 100 a day, behind four trades. */
static struct fixture *create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    fixture->rig = rig_create();
    fixture->config = config_defaults();
    fixture->config.learning_on = 1;
    fixture->config.learning_trades = 4;
    fixture->config.symbol_count = 2;
    strcpy(fixture->config.symbols[0], "AAPL");
    strcpy(fixture->config.symbols[1], "MSFT");
    fixture->strategy = (struct strategy){.parts = PARTS, .part_count = 2};
    causes_init(&fixture->causes, &fixture->rig->world, &fixture->rig->log);
    fixture->causes.journal = fixture->rig->journal;
    learning_guard_init(&fixture->learning, &fixture->strategy);
    journal_listen(fixture->rig->journal, hear, fixture);
    fixture->look.day = date_from_civil(2026, 9, 1);
    return fixture;
}

static void destroy(struct fixture *fixture) {
    causes_release(&fixture->causes);
    rig_destroy(fixture->rig);
    free(fixture);
}

static void restart(struct fixture *fixture) {
    rig_reopen(fixture->rig);
    fixture->causes.journal = fixture->rig->journal;
    fixture->trades = (struct closed_trades){0};
    fixture->learning = (struct learning){0};
    learning_guard_init(&fixture->learning, &fixture->strategy);
    cr_assert_eq(journal_read(fixture->rig->journal, 0, fold, fixture, NULL), ERR_OK);
    journal_listen(fixture->rig->journal, hear, fixture);
}

static void row_of(struct fixture *fixture, const char *kind, const char *key, const char *body) {
    struct journal *journal = fixture->rig->journal;
    cr_assert_eq(journal_append(journal, kind, key, body, NULL, NULL), ERR_OK);
    cr_assert_eq(journal_commit(journal, NULL), ERR_OK);
}

/* An entry is decided; more: its members behind the purpose. */
static void decides(struct fixture *fixture, const char *id, const char *symbol, const char *more) {
    char body[256];
    snprintf(body, sizeof body, "{\"symbol\":\"%s\",\"purpose\":\"entry\"%s}", symbol, more);
    row_of(fixture, "intent", id, body);
}

static void fills(struct fixture *fixture, const char *id, const char *symbol, const char *side,
                  struct usd amount) {
    char body[256], usd[DECIMAL_TEXT_MAX];
    decimal_print(amount.nanos, usd);
    snprintf(body, sizeof body,
             "{\"symbol\":\"%s\",\"side\":\"%s\",\"qty\":\"1\",\"amount\":\"%s\"}", symbol, side,
             usd);
    row_of(fixture, "fill", id, body);
}

static void opens(struct fixture *fixture, const char *id, const char *fast, const char *slow) {
    char parts[128];
    snprintf(parts, sizeof parts, ",\"parts\":{\"fast\":\"%s\",\"slow\":\"%s\"}", fast, slow);
    decides(fixture, id, "AAPL", parts);
    fills(fixture, id, "AAPL", "buy", USD(100));
}

static void closes(struct fixture *fixture, struct usd gain) {
    fills(fixture, "st-x", "AAPL", "sell", usd_add(USD(100), gain));
}

static void trade(struct fixture *fixture, const char *fast, const char *slow, struct usd gain) {
    char id[32];
    snprintf(id, sizeof id, "st-2026-09-01-%d", ++fixture->orders);
    opens(fixture, id, fast, slow);
    closes(fixture, gain);
}

static void step(struct fixture *fixture) {
    learning_guard_step(&fixture->learning, &fixture->causes, &fixture->config, &fixture->look);
}

/* Four, of which fast says all that they bring, slow the contrary; around a mean, in dollars of a hundred. */
static void lessons_around(struct fixture *fixture, int64_t mean) {
    trade(fixture, "0.1", "0.9", USD(mean - 3));
    trade(fixture, "0.3", "0.7", USD(mean - 1));
    trade(fixture, "0.5", "0.5", USD(mean + 1));
    trade(fixture, "0.7", "0.3", USD(mean + 3));
}

static void expect_weights(const struct fixture *fixture, int64_t fast, int64_t slow) {
    const int64_t *weights = learning_guard_weights(&fixture->learning, &fixture->config);
    cr_expect_eq(weights[FAST], fast, "fast %lld, want %lld", (long long)weights[FAST],
                 (long long)fast);
    cr_expect_eq(weights[SLOW], slow, "slow %lld, want %lld", (long long)weights[SLOW],
                 (long long)slow);
}

/* --- when a step is due, and what it is --- */

Test(learning_guard, nineteen_trades_teach_nothing_and_twenty_a_step_each_once) {
    struct fixture *fixture = create();
    fixture->config.learning_trades = 20;
    for (int i = 0; i < 4; i++) {
        lessons_around(fixture, 0);
    }
    trade(fixture, "0.1", "0.9", USD(-3));
    trade(fixture, "0.3", "0.7", USD(-1));
    trade(fixture, "0.5", "0.5", USD(1));
    step(fixture);
    expect_weights(fixture, 1000, 1000);
    trade(fixture, "0.7", "0.3", USD(3));
    step(fixture);
    expect_weights(fixture, 1050, 950);
    cr_expect_eq(fixture->learning.is.count, 20);
    cr_expect_eq(fixture->learning.is.mean.nanos, 0);
    step(fixture);
    step(fixture);
    expect_weights(fixture, 1050, 950);
    destroy(fixture);
}

Test(learning_guard, a_step_is_the_correlation_of_a_part_with_what_a_dollar_brought) {
    static const struct {
        const char *fast[4];
        int64_t gains[4], by;
    } rows[] = {{{"0.1", "0.2", "0.3", "0.4"}, {1, 2, 3, 4}, 50},
                {{"0.4", "0.3", "0.2", "0.1"}, {1, 2, 3, 4}, -50},
                {{"0.123456789", "0.123456789", "0.123456789", "0.123456789"}, {1, 2, 3, 4}, 0},
                {{"0.1", "0.2", "0.3", "0.4"}, {7, 7, 7, 7}, 0},
                {{"0.1", "0.2", "0.1", "0.2"}, {1, 1, 2, 2}, 0},
                {{"0.1", "0.2", "0.3", "0.4"}, {2, 1, 4, 3}, 30}}; /* r = 0.6 */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        for (int k = 0; k < 4; k++) {
            trade(fixture, rows[i].fast[k], "0.5", USD(rows[i].gains[k]));
        }
        step(fixture);
        cr_log_info("row %zu", i);
        expect_weights(fixture, 1000 + rows[i].by, 1000);
        destroy(fixture);
    }
}

Test(learning_guard, a_day_moves_a_weight_by_its_cap_at_most_and_another_day_again) {
    struct fixture *fixture = create();
    fixture->config.learning_day_cap = 70;
    static const int64_t fast[] = {1050, 1070, 1070};
    for (int i = 0; i < 3; i++) {
        lessons_around(fixture, i);
        step(fixture); /* the end of a trial, which is no worse */
        step(fixture);
        expect_weights(fixture, fast[i], 2000 - fast[i]);
    }
    fixture->look.day = date_from_civil(2026, 9, 2);
    lessons_around(fixture, 3);
    step(fixture);
    step(fixture);
    expect_weights(fixture, 1120, 880);
    fixture->look.day = date_from_civil(2026, 9, 1); /* none that went back is another */
    lessons_around(fixture, 4);
    step(fixture);
    step(fixture);
    expect_weights(fixture, 1140, 860);
    cr_expect_eq(fixture->learning.is.day.days, date_from_civil(2026, 9, 2).days);
    destroy(fixture);
}

static void learned_row(struct fixture *fixture, const char *key, const char *weights,
                        const char *before) {
    char body[512];
    snprintf(body, sizeof body,
             "{\"taken\":0,\"count\":4,\"mean\":\"0\",\"day\":\"2026-08-31\",\"weights\":{%s},"
             "\"before\":{%s},\"moved\":{\"fast\":0,\"slow\":0}}",
             weights, before);
    row_of(fixture, "learned", key, body);
}

Test(learning_guard, a_weight_stays_within_its_bounds) {
    struct fixture *fixture = create();
    learned_row(fixture, "kept", "\"fast\":2451,\"slow\":299", "\"fast\":1000,\"slow\":1000");
    lessons_around(fixture, 0);
    step(fixture);
    expect_weights(fixture, 2500, 250);
    cr_expect_eq(fixture->learning.is.moved[FAST], 49);
    destroy(fixture);
}

Test(learning_guard, off_it_learns_nothing_and_what_was_learned_waits) {
    struct fixture *fixture = create();
    lessons_around(fixture, 0);
    int64_t newest = journal_last_seq(fixture->rig->journal);
    fixture->config.learning_on = 0;
    step(fixture);
    expect_weights(fixture, 1000, 1000);
    cr_expect_eq(fixture->learning.is.count, 0);
    cr_expect_eq(journal_last_seq(fixture->rig->journal), newest, "no row of it");
    fixture->config.learning_on = 1;
    step(fixture);
    expect_weights(fixture, 1050, 950);
    fixture->config.learning_on = 0;
    expect_weights(fixture, 1000, 1000);
    destroy(fixture);
}

/* --- what is no lesson --- */

static void expect_lessons(struct fixture *fixture, size_t count) {
    cr_expect_eq(fixture->learning.lesson_count, count, "%zu lessons",
                 fixture->learning.lesson_count);
    destroy(fixture);
}

Test(learning_guard, what_is_open_or_adopted_is_none) {
    struct fixture *fixture = create();
    opens(fixture, "st-1", "0.5", "0.5");
    expect_lessons(fixture, 0);
    fixture = create();
    opens(fixture, "st-1", "0.5", "0.5");
    row_of(fixture, "adopt", "AAPL", "{\"qty\":\"2\"}");
    fills(fixture, "st-x", "AAPL", "sell", USD(101));
    fills(fixture, "st-x", "AAPL", "sell", USD(101));
    expect_lessons(fixture, 0);
    fixture = create();
    opens(fixture, "st-1", "0.5", "0.5");
    row_of(fixture, "adopt", "AAPL", "{\"qty\":\"0\"}");
    expect_lessons(fixture, 0);
}

Test(learning_guard, an_entry_that_does_not_say_all_its_parts_from_minus_one_to_one_is_none) {
    static const struct {
        const char *more;
        size_t lessons;
    } rows[] = {{",\"parts\":{\"fast\":\"1\",\"slow\":\"-1\"}", 1},
                {",\"parts\":{\"fast\":\"1.000000001\",\"slow\":\"0\"}", 0},
                {",\"parts\":{\"fast\":\"0\",\"slow\":\"-1.000000001\"}", 0},
                {",\"parts\":{\"fast\":\"0.5\"}", 0},
                {",\"parts\":{\"fast\":\"0.5\",\"slow\":\"much\"}", 0},
                {",\"parts\":{}", 0},
                {",\"parts\":7", 0},
                {"", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        decides(fixture, "st-1", "AAPL", rows[i].more);
        fills(fixture, "st-1", "AAPL", "buy", USD(100));
        closes(fixture, USD(1));
        cr_log_info("row %zu", i);
        expect_lessons(fixture, rows[i].lessons);
    }
}

Test(learning_guard, neither_is_one_that_another_order_began_or_a_symbol_that_is_not_traded) {
    static const char parts[] = ",\"parts\":{\"fast\":\"0.5\",\"slow\":\"0.5\"}";
    struct fixture *fixture = create();
    decides(fixture, "st-1", "AAPL", parts);
    fills(fixture, "st-0", "AAPL", "buy", USD(100));
    closes(fixture, USD(1));
    decides(fixture, "st-2", "GME", parts);
    fills(fixture, "st-2", "GME", "buy", USD(100));
    fills(fixture, "st-x", "GME", "sell", USD(100));
    expect_lessons(fixture, 0);
}

Test(learning_guard, nor_one_whose_dollar_brought_more_than_a_thousandfold) {
    static const struct {
        int64_t sold;
        size_t lessons;
    } rows[] = {{100100, 1}, {100101, 0}, {0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        opens(fixture, "st-1", "0.5", "0.5");
        fills(fixture, "st-x", "AAPL", "sell", USD(rows[i].sold));
        cr_log_info("row %zu", i);
        expect_lessons(fixture, rows[i].lessons);
    }
}

Test(learning_guard, a_later_order_of_an_entry_has_the_parts_of_its_first_and_no_other_entry_s) {
    static const char parts[] = ",\"parts\":{\"fast\":\"0.5\",\"slow\":\"0.25\"}";
    struct fixture *fixture = create();
    decides(fixture, "st-1", "AAPL", parts);
    decides(fixture, "st-2", "MSFT", parts);
    decides(fixture, "st-3", "AAPL", ",\"of\":\"st-1\"");
    fills(fixture, "st-3", "AAPL", "buy", USD(100));
    closes(fixture, USD(1));
    cr_assert_eq(fixture->learning.lesson_count, 1);
    cr_expect_eq(fixture->learning.lessons[0].parts[SLOW].nanos, NANOS / 4);
    cr_expect_eq(fixture->learning.lessons[0].decided, 1);
    cr_expect_eq(fixture->learning.lessons[0].gain.nanos, NANOS / 100);
    decides(fixture, "st-4", "AAPL", ",\"of\":\"st-0\"");
    fills(fixture, "st-4", "AAPL", "buy", USD(100));
    closes(fixture, USD(1));
    expect_lessons(fixture, 1);
}

/* --- trials --- */

Test(learning_guard, a_step_is_taken_back_when_the_trades_behind_it_bring_less_by_one_nano) {
    static const struct {
        int64_t nanos, fast;
    } rows[] = {{-400, 1000}, {0, 1050}, {400, 1050}}; /* of 100 dollars, over four trades */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        lessons_around(fixture, 1);
        step(fixture);
        for (int k = 0; k < 3; k++) {
            trade(fixture, "0.5", "0.5", USD(1));
        }
        step(fixture);
        expect_weights(fixture, 1050, 950);
        cr_expect_neq(fixture->learning.is.trial, 0, "three are too few");
        trade(fixture, "0.5", "0.5", usd_add(USD(1), (struct usd){rows[i].nanos}));
        step(fixture);
        cr_log_info("row %zu", i);
        expect_weights(fixture, rows[i].fast, 2000 - rows[i].fast);
        cr_expect_eq(fixture->learning.is.trial, 0);
        cr_expect_eq(fixture->rig->warnings, rows[i].nanos < 0);
        destroy(fixture);
    }
}

Test(learning_guard,
     trades_decided_on_before_a_step_are_no_trial_of_it_and_are_learned_by_the_next) {
    struct fixture *fixture = create();
    lessons_around(fixture, 1);
    opens(fixture, "st-before", "0.9", "0.1");
    step(fixture);
    closes(fixture, USD(-90));
    for (int i = 0; i < 3; i++) {
        trade(fixture, "0.5", "0.5", USD(1));
    }
    step(fixture);
    cr_expect_neq(fixture->learning.is.trial, 0);
    trade(fixture, "0.5", "0.5", USD(1));
    step(fixture);
    cr_expect_eq(fixture->learning.is.trial, 0);
    expect_weights(fixture, 1050, 950);
    step(fixture); /* from all five, of which one lost and was fast */
    cr_expect_eq(fixture->learning.is.count, 9);
    expect_weights(fixture, 1000, 1000);
    destroy(fixture);
}

Test(learning_guard, a_trial_whose_trades_do_not_come_is_taken_back_behind_two_weeks) {
    static const struct {
        int day;
        int64_t fast;
    } rows[] = {{15, 1050}, {16, 1000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        lessons_around(fixture, 1);
        step(fixture);
        trade(fixture, "0.5", "0.5", USD(9));
        fixture->look.day = date_from_civil(2026, 9, rows[i].day);
        step(fixture);
        cr_log_info("row %zu", i);
        expect_weights(fixture, rows[i].fast, 2000 - rows[i].fast);
        cr_expect_eq(fixture->learning.is.trial == 0, rows[i].fast == 1000);
        cr_expect_eq(fixture->rig->warnings, rows[i].fast == 1000);
        destroy(fixture);
    }
}

/* --- faults and restarts --- */

Test(learning_guard, nothing_is_learned_beside_a_fault_and_later_once) {
    struct fixture *fixture = create();
    lessons_around(fixture, 0);
    fixture->look.fault = "quotes, trades or bars fail";
    for (int i = 0; i < 3; i++) {
        step(fixture);
    }
    expect_weights(fixture, 1000, 1000);
    cr_expect(fixture->learning.is_waiting);
    fixture->config.learning_trades = 5; /* a fault that ends while nothing is due is over */
    fixture->look.fault = NULL;
    step(fixture);
    cr_expect(!fixture->learning.is_waiting);
    trade(fixture, "0.4", "0.6", USD(0));
    fixture->look.fault = NULL;
    step(fixture);
    step(fixture);
    expect_weights(fixture, 1050, 950);
    cr_expect_eq(fixture->learning.is.count, 5);
    cr_expect(!fixture->learning.is_waiting);
    fixture->look.fault = "the broker's truth did not come"; /* neither does a trial end */
    for (int i = 0; i < 4; i++) {
        trade(fixture, "0.5", "0.5", USD(-1));
    }
    step(fixture);
    expect_weights(fixture, 1050, 950);
    destroy(fixture);
}

Test(learning_guard, a_restart_knows_weights_lessons_and_trial_and_learns_nothing_again) {
    struct fixture *fixture = create();
    lessons_around(fixture, 1);
    step(fixture);
    trade(fixture, "0.5", "0.5", USD(-1));
    opens(fixture, "st-open", "0.25", "0.5");
    const struct learned before = fixture->learning.is;
    restart(fixture);
    cr_expect_eq(memcmp(&before, &fixture->learning.is, sizeof before), 0);
    step(fixture);
    expect_weights(fixture, 1050, 950);
    closes(fixture, USD(-1));
    cr_expect_eq(fixture->learning.lessons[5].parts[FAST].nanos, NANOS / 4);
    for (int i = 0; i < 2; i++) {
        trade(fixture, "0.5", "0.5", USD(-1));
    }
    step(fixture);
    expect_weights(fixture, 1000, 1000);
    restart(fixture);
    expect_weights(fixture, 1000, 1000);
    step(fixture);
    cr_expect_eq(fixture->learning.is.count, 8);
    destroy(fixture);
}

static int unwritten; /* lines that say so */

static void count_unwritten(struct observer *observer, const struct event *event) {
    rig_observe(observer, event);
    unwritten += event->kind == EVENT_MECHANISM && strcmp(event->what, "held") == 0 &&
                 strcmp(event->id, "journal") == 0;
}

Test(learning_guard, a_step_that_the_journal_does_not_take_is_none_and_said_once) {
    static const struct observer_ops ops = {count_unwritten};
    struct fixture *fixture = create();
    fixture->rig->observer.ops = &ops;
    lessons_around(fixture, 0);
    fixture->causes.journal = NULL;
    for (int i = 0; i < 3; i++) {
        step(fixture);
        cr_expect_eq(unwritten, 1, "tick %d", i);
    }
    expect_weights(fixture, 1000, 1000);
    fixture->causes.journal = fixture->rig->journal;
    step(fixture);
    expect_weights(fixture, 1050, 950);
    destroy(fixture);
}

Test(learning_guard, a_row_that_cannot_be_is_neutral_weights_and_an_alert_once) {
    static const char whole[] = "\"fast\":1000,\"slow\":1000";
    static const struct {
        const char *weights, *before;
        bool is_sound;
    } rows[] = {{"\"fast\":2500,\"slow\":250", whole, true},
                {"\"fast\":2501,\"slow\":1000", whole, false},
                {"\"fast\":1000,\"slow\":249", whole, false},
                {"\"fast\":1000", whole, false},
                {"\"fast\":1000,\"slow\":\"1000\"", whole, false},
                {"\"fast\":1000,\"slow\":999.5", whole, false},
                {"\"fast\":1100,\"slow\":900", "\"fast\":0,\"slow\":1000", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        lessons_around(fixture, 0);
        learned_row(fixture, "kept", rows[i].weights, rows[i].before);
        restart(fixture);
        cr_log_info("row %zu", i);
        cr_expect_eq(fixture->learning.is_refused, !rows[i].is_sound);
        if (!rows[i].is_sound) {
            expect_weights(fixture, 1000, 1000);
            step(fixture);
            cr_expect_eq(fixture->rig->warnings, 1);
            restart(fixture);
            step(fixture);
            cr_expect_eq(fixture->rig->warnings, 1);
            expect_weights(fixture, 1000, 1000); /* and what closed before it is not learned */
        }
        destroy(fixture);
    }
    struct fixture *fixture = create();
    row_of(fixture, "learned", "step", "{}");
    cr_expect(fixture->learning.is_refused);
    cr_expect_eq(fixture->learning.is.trial, 0);
    destroy(fixture);
}

/* Row 12 is the fill that ended the fourth lesson. */
Test(learning_guard, a_row_that_takes_lessons_back_or_has_another_name_is_not_believed) {
    static const struct {
        const char *key;
        int64_t taken, count;
        bool is_sound;
    } rows[] = {{"kept", 12, 4, true},     {"reverted", 13, 5, true}, {"step", 12, 4, true},
                {"neutral", 12, 4, true},  {"kept", 11, 4, false},    {"kept", 12, 3, false},
                {"learned", 12, 4, false}, {"", 12, 4, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *fixture = create();
        char body[512];
        lessons_around(fixture, 0);
        step(fixture);
        cr_assert_eq(fixture->learning.is.taken, 12);
        snprintf(body, sizeof body,
                 "{\"taken\":%lld,\"count\":%lld,\"mean\":\"0\",\"day\":\"2026-08-31\","
                 "\"weights\":{\"fast\":1050,\"slow\":950},\"before\":{\"fast\":1000,"
                 "\"slow\":1000},\"moved\":{\"fast\":0,\"slow\":0}}",
                 (long long)rows[i].taken, (long long)rows[i].count);
        row_of(fixture, "learned", rows[i].key, body);
        cr_expect_eq(fixture->learning.is_refused, !rows[i].is_sound, "row %zu", i);
        destroy(fixture);
    }
}

Test(learning_guard, what_it_declines_and_admits_is_counted_until_the_weights_change) {
    struct fixture *fixture = create();
    static const bool rows[][2] = {
        {true, true}, {true, false}, {true, false}, {false, true}, {false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        learning_guard_count(&fixture->learning, &fixture->rig->log, "AAPL", rows[i][0],
                             rows[i][1]);
    }
    cr_expect_eq(fixture->learning.declined, 2);
    cr_expect_eq(fixture->learning.admitted, 1);
    struct text shown = {0};
    learning_guard_show(&fixture->learning, &fixture->config, &shown);
    cr_expect_not_null(strstr(text_get(&shown), "\"weights\":{\"fast\":1000,\"slow\":1000}"));
    text_release(&shown);
    lessons_around(fixture, 0);
    step(fixture);
    cr_expect_eq(fixture->learning.declined + fixture->learning.admitted, 0);
    destroy(fixture);
}
