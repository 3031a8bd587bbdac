/* test_risk.c - latches that nothing but a clear lowers, the account guards at their exact limits,
 * degraded mode, and which prices are believed. */
#include "core/base/random.h"
#include "core/risk/account_guards.h"
#include "core/risk/causes.h"
#include "core/risk/data_guard.h"
#include "core/risk/degraded_mode.h"
#include "core/risk/equity_steps.h"
#include "core/state/state_file.h"
#include "tests/unit/risk_rig.h"

struct fixture {
    struct rig *rig;
    struct config config;
    struct causes causes;
    struct account_guards guards;
};

static enum err_code fold_row(void *context, const struct journal_row *row, struct err *err) {
    struct fixture *fixture = context;
    enum err_code code = causes_fold(&fixture->causes, row, err);
    return code == ERR_OK ? account_guards_fold(&fixture->guards, row, err) : code;
}

/* What a start does: fold the journal, then read the document. */
static void start(struct fixture *fixture) {
    causes_init(&fixture->causes, &fixture->rig->world, &fixture->rig->log);
    account_guards_init(&fixture->guards, &fixture->config, &fixture->causes);
    fixture->causes.journal = fixture->rig->journal;
    cr_assert_eq(journal_read(fixture->rig->journal, 0, fold_row, fixture, NULL), ERR_OK);
    causes_load(&fixture->causes);
}

static struct fixture *fixture_create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    fixture->rig = rig_create();
    fixture->config = config_defaults();
    start(fixture);
    return fixture;
}

static void fixture_destroy(struct fixture *fixture) {
    causes_release(&fixture->causes);
    rig_destroy(fixture->rig);
    free(fixture);
}

static void restart(struct fixture *fixture) {
    causes_release(&fixture->causes);
    rig_reopen(fixture->rig);
    start(fixture);
}

static void latch(struct fixture *fixture, const char *name, enum mode mode) {
    causes_latch(&fixture->causes, name, mode, "test", "because");
}

static void write_document(struct fixture *fixture, const char *bytes) {
    sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT, bytes, strlen(bytes));
}

Test(causes, the_mode_is_the_highest_any_cause_demands) {
    struct fixture *fixture = fixture_create();
    struct causes *causes = &fixture->causes;
    cr_expect_eq(causes_mode(causes), MODE_NORMAL);
    causes_hold(causes, "a", MODE_CAUTION, "");
    cr_expect_eq(causes_mode(causes), MODE_CAUTION);
    latch(fixture, "b", MODE_REDUCE_ONLY);
    causes_hold(causes, "c", MODE_HALT, "");
    cr_expect_eq(causes_mode(causes), MODE_HALT);
    causes_let_go(causes, "c");
    cr_expect_eq(causes_mode(causes), MODE_REDUCE_ONLY);
    causes_let_go(causes, "b");
    cr_expect_eq(causes_mode(causes), MODE_REDUCE_ONLY, "letting go ends no latch");
    fixture_destroy(fixture);
}

Test(causes, latching_again_only_raises_and_a_restart_keeps_the_higher) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "x", MODE_REDUCE_ONLY);
    latch(fixture, "x", MODE_HALT);
    latch(fixture, "x", MODE_REDUCE_ONLY);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    restart(fixture);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    cr_expect_eq(fixture->causes.count, 1);
    fixture_destroy(fixture);
}

Test(causes, a_clear_ends_one_latch_for_good_and_no_other) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "x", MODE_REDUCE_ONLY);
    latch(fixture, "y", MODE_REDUCE_ONLY);
    cr_expect_eq(causes_clear(&fixture->causes, "z", "me", "why", NULL), ERR_NOT_FOUND);
    cr_expect_eq(causes_clear(&fixture->causes, "x", "me", "why", NULL), ERR_OK);
    for (int i = 0; i < 2; i++) {
        cr_expect_not(causes_has(&fixture->causes, "x"));
        cr_expect(causes_has(&fixture->causes, "y"));
        restart(fixture);
    }
    fixture_destroy(fixture);
}

Test(causes, a_while_true_cause_cannot_be_cleared_and_does_not_survive) {
    struct fixture *fixture = fixture_create();
    causes_hold(&fixture->causes, "x", MODE_REDUCE_ONLY, "");
    cr_expect_eq(causes_clear(&fixture->causes, "x", "me", "why", NULL), ERR_NOT_FOUND);
    cr_expect(causes_has(&fixture->causes, "x"));
    restart(fixture);
    cr_expect_not(causes_has(&fixture->causes, "x"));
    fixture_destroy(fixture);
}

Test(causes, without_a_journal_a_latch_holds_and_a_clear_fails) {
    struct fixture *fixture = fixture_create();
    fixture->causes.journal = NULL;
    latch(fixture, "x", MODE_HALT);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    cr_expect_eq(causes_clear(&fixture->causes, "x", "me", "why", NULL), ERR_IO);
    cr_expect(causes_has(&fixture->causes, "x"));
    fixture_destroy(fixture);
}

Test(causes, more_than_the_limit_is_halt) {
    struct fixture *fixture = fixture_create();
    for (int i = 0; i < CAUSES_MAX; i++) { /* the last place belongs to "too_many_causes" */
        cr_expect_eq(causes_mode(&fixture->causes), i == 0 ? MODE_NORMAL : MODE_CAUTION);
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        latch(fixture, name, MODE_CAUTION);
    }
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    cr_expect_eq(causes_clear(&fixture->causes, "c0", "me", "why", NULL), ERR_OK);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT, "clearing another cause ends nothing");
    fixture_destroy(fixture);
}

Test(causes, a_clear_of_one_cause_leaves_what_only_the_document_holds) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "kept", MODE_REDUCE_ONLY);
    latch(fixture, "gone", MODE_REDUCE_ONLY);
    struct causes *causes = &fixture->causes;
    cr_expect_eq(causes_clear(causes, "gone", "me", "why", NULL), ERR_OK);
    for (size_t i = causes->count; i-- > 0;) { /* as if the journal had lost the row of "kept" */
        if (strcmp(causes->items[i].name, "kept") == 0) {
            causes->items[i] = causes->items[--causes->count];
        }
    }
    causes_load(causes);
    cr_expect(causes_has(causes, "kept"));
    cr_expect_not(causes_has(causes, "gone"),
                  "its clear is newer than every generation that has it");
    fixture_destroy(fixture);
}

Test(causes, each_generation_is_read_before_one_is_saved) {
    struct fixture *fixture = fixture_create();
    write_document(fixture, "{\"a\":true}");
    sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT ".1", "{\"b\":true}", 10);
    sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT ".2", "{\"c\":true}", 10);
    causes_load(&fixture->causes);
    cr_expect(causes_has(&fixture->causes, "a"));
    cr_expect(causes_has(&fixture->causes, "b"));
    cr_expect(causes_has(&fixture->causes, "c"));
    fixture_destroy(fixture);
}

Test(causes, a_hand_edit_can_set_and_never_clear) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "x", MODE_REDUCE_ONLY);
    write_document(fixture, "{\"news\":true,\"off\":false,\"old\":{\"active\":false},"
                            "\"none\":null,\"full\":{\"active\":true,\"mode\":\"HALT\"}}");
    causes_verify(&fixture->causes);
    for (int i = 0; i < 2; i++) {
        cr_expect(causes_has(&fixture->causes, "x"));
        cr_expect(causes_has(&fixture->causes, "news"));
        cr_expect(causes_has(&fixture->causes, "full"));
        cr_expect_eq(fixture->causes.count, 3);
        cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
        restart(fixture);
    }
    fixture_destroy(fixture);
}

Test(causes, names_that_nobody_knows_share_a_cause_beyond_four) {
    struct fixture *fixture = fixture_create();
    struct causes *causes = &fixture->causes;
    latch(fixture, "review", MODE_REDUCE_ONLY);
    write_document(fixture,
                   "{\"review\":true,\"a\":true,\"b\":true,\"c\":true,\"d\":true,\"e\":true,"
                   "\"f\":{\"mode\":\"HALT\"},\"daily_loss\":true}");
    causes_verify(causes);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(causes->count, 7);
        cr_expect(causes_has(causes, "d"));
        cr_expect(causes_has(causes, "daily_loss"), "a name of the core's own is no stranger");
        cr_expect(causes_has(causes, "unknown_causes"));
        cr_expect_eq(causes_mode(causes), MODE_HALT, "they hold, the strictest of them counts");
        restart(fixture);
    }
    write_document(fixture, "{\"g\":true,\"h\":true}");
    causes_verify(causes);
    cr_expect_eq(causes->count, 7);
    cr_expect_eq(causes_clear(causes, "unknown_causes", "me", "why", NULL), ERR_OK);
    cr_expect_eq(causes_mode(causes), MODE_REDUCE_ONLY);
    fixture_destroy(fixture);
}

Test(causes, a_hand_edit_raises_what_is_set_and_latches_what_is_held) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "x", MODE_REDUCE_ONLY);
    causes_hold(&fixture->causes, "y", MODE_REDUCE_ONLY, "");
    write_document(fixture, "{\"x\":{\"active\":true,\"mode\":\"HALT\"},\"y\":true}");
    causes_verify(&fixture->causes);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    causes_let_go(&fixture->causes, "y");
    restart(fixture);
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    cr_expect(causes_has(&fixture->causes, "y"), "the hand's word holds when the cause lets go");
    fixture_destroy(fixture);
}

Test(causes, a_missing_or_torn_document_is_itself_a_latch) {
    static const char *const torn[] = {NULL, "", "{\"x\":", "[1]", "true"};
    for (size_t i = 0; i < 5; i++) {
        for (int is_start = 0; is_start < 2; is_start++) {
            struct fixture *fixture = fixture_create();
            latch(fixture, "x", MODE_REDUCE_ONLY);
            if (torn[i] == NULL) {
                cr_assert(sim_disk_remove_raw(fixture->rig->disk, FREEZES_DOCUMENT));
            } else {
                write_document(fixture, torn[i]);
            }
            if (is_start) {
                restart(fixture);
            } else {
                causes_verify(&fixture->causes);
            }
            const char *name = torn[i] == NULL ? "freezes_missing" : "freezes_unreadable";
            cr_expect(causes_has(&fixture->causes, name), "case %zu start %d", i, is_start);
            cr_expect(causes_has(&fixture->causes, "x"));
            fixture_destroy(fixture);
        }
    }
}

Test(causes, a_first_start_without_a_document_latches_nothing) {
    struct fixture *fixture = fixture_create();
    causes_verify(&fixture->causes);
    cr_expect_eq(fixture->causes.count, 0);
    restart(fixture);
    cr_expect_eq(fixture->causes.count, 0);
    fixture_destroy(fixture);
}

Test(causes, a_document_newer_than_the_journal_is_a_regression_and_counts) {
    struct fixture *fixture = fixture_create();
    cr_assert_eq(state_file_save(&fixture->rig->world, FREEZES_DOCUMENT, 999,
                                 "\"lost\":{\"active\":true,\"mode\":\"HALT\"}", NULL),
                 ERR_OK);
    restart(fixture);
    cr_expect(causes_has(&fixture->causes, "state_regression"));
    cr_expect(causes_has(&fixture->causes, "lost"));
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    fixture_destroy(fixture);
}

Test(causes, an_older_document_brings_no_cleared_cause_back) {
    struct fixture *fixture = fixture_create();
    latch(fixture, "x", MODE_REDUCE_ONLY);
    struct text old = {0};
    cr_assert(sim_disk_read(fixture->rig->disk, FREEZES_DOCUMENT, &old));
    cr_assert_eq(causes_clear(&fixture->causes, "x", "me", "why", NULL), ERR_OK);
    sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT, old.data, old.len);
    causes_verify(&fixture->causes);
    cr_expect_not(causes_has(&fixture->causes, "x"));
    restart(fixture);
    cr_expect_not(causes_has(&fixture->causes, "x"));
    text_release(&old);
    fixture_destroy(fixture);
}

/* --- the property: whatever happens, the set is at least what was latched and not cleared --- */

enum { NAMES = 6, STEPS = 60 };
static const char *const CAUSE_NAMES[NAMES] = {"a", "b", "c", "d", "e", "f"};

static void hurt_document(struct fixture *fixture, struct random *random, const struct text *old) {
    struct text now = {0};
    bool is_there = sim_disk_read(fixture->rig->disk, FREEZES_DOCUMENT, &now) && now.len > 0;
    switch (random_below(random, 6)) {
    case 0:
        write_document(fixture, "{}");
        break;
    case 1:
        (void)sim_disk_remove_raw(fixture->rig->disk, FREEZES_DOCUMENT);
        break;
    case 2:
        write_document(fixture, "{\"a\":false,\"b\":{\"active\":false},\"c\":null}");
        break;
    case 3: /* torn anywhere */
        if (is_there) {
            sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT, now.data,
                               (size_t)random_below(random, now.len));
        }
        break;
    case 4: /* one bit */
        if (is_there) {
            now.data[random_below(random, now.len)] ^= (char)(1 << random_below(random, 8));
            sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT, now.data, now.len);
        }
        break;
    default: /* an old version */
        sim_disk_write_raw(fixture->rig->disk, FREEZES_DOCUMENT, text_get(old), old->len);
        break;
    }
    text_release(&now);
}

static void random_step(struct fixture *fixture, struct random *random, enum mode *model,
                        struct text *old) {
    size_t which = (size_t)random_below(random, NAMES);
    const char *name = CAUSE_NAMES[which];
    enum mode mode = random_below(random, 2) == 0 ? MODE_REDUCE_ONLY : MODE_HALT;
    switch (random_below(random, 7)) {
    case 0:
    case 1:
        latch(fixture, name, mode);
        model[which] = mode > model[which] ? mode : model[which];
        break;
    case 2:
        if (causes_clear(&fixture->causes, name, "me", "why", NULL) == ERR_OK) {
            model[which] = MODE_NORMAL;
        }
        break;
    case 3:
        hurt_document(fixture, random, old);
        break;
    case 4:
        (void)sim_disk_read(fixture->rig->disk, FREEZES_DOCUMENT, old);
        break;
    case 5:
        causes_verify(&fixture->causes);
        break;
    default:
        restart(fixture);
        break;
    }
}

Test(causes, no_sequence_lowers_the_latched_set_but_by_a_clear, .timeout = 120) {
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct fixture *fixture = fixture_create();
        struct random random = random_stream(seed, "causes", 0, 0, 0);
        enum mode model[NAMES] = {MODE_NORMAL};
        struct text old = {0};
        for (int step = 0; step < STEPS; step++) {
            random_step(fixture, &random, model, &old);
            for (size_t i = 0; i < NAMES; i++) {
                bool is_kept =
                    model[i] == MODE_NORMAL || causes_has(&fixture->causes, CAUSE_NAMES[i]);
                cr_assert(is_kept, "seed %d step %d lost %s", (int)seed, step, CAUSE_NAMES[i]);
                cr_assert_geq(causes_mode(&fixture->causes), model[i], "seed %d step %d", (int)seed,
                              step);
            }
        }
        text_release(&old);
        fixture_destroy(fixture);
    }
}

/* --- account guards; 100,000 USD: limits 4,000 (share), floor 70,000, drawdown 10,000 --- */

static struct equity_reading reading(const struct fixture *fixture, const char *equity) {
    return (struct equity_reading){.at = rig_now(fixture->rig),
                                   .exchange_day = ny_date(rig_now(fixture->rig)),
                                   .is_core_session = true,
                                   .is_trusted = true,
                                   .equity = dollars(equity),
                                   .has_previous_close = true,
                                   .previous_close = USD(100000)};
}

/* One reading, then the clock goes on by 5 s. */
static void judge(struct fixture *fixture, struct equity_reading reading) {
    account_guards_judge(&fixture->guards, &reading);
    rig_wait(fixture->rig, SPAN_S(5));
}

static void judge_equity(struct fixture *fixture, const char *equity) {
    judge(fixture, reading(fixture, equity));
}

static bool has(const struct fixture *fixture, const char *cause) {
    return causes_has(&fixture->causes, cause);
}

Test(daily_loss, trips_at_exactly_the_limit_and_not_one_cent_before) {
    for (int is_at = 0; is_at < 2; is_at++) {
        struct fixture *fixture = fixture_create();
        judge_equity(fixture, "100000");
        for (int i = 0; i < 3; i++) {
            judge_equity(fixture, is_at ? "96000" : "96000.01");
        }
        cr_expect_eq(has(fixture, "daily_loss"), is_at);
        cr_expect_eq(causes_mode(&fixture->causes), is_at ? MODE_REDUCE_ONLY : MODE_NORMAL);
        fixture_destroy(fixture);
    }
}

Test(daily_loss, the_stricter_of_dollars_and_share_binds) {
    struct fixture *fixture = fixture_create();
    fixture->config.daily_loss_usd = USD(1000);
    judge_equity(fixture, "100000");
    cr_expect_eq(daily_loss_limit(&fixture->guards).nanos, USD(1000).nanos);
    fixture->config.daily_loss_usd = USD(5000);
    cr_expect_eq(daily_loss_limit(&fixture->guards).nanos, USD(4000).nanos);
    fixture_destroy(fixture);
}

Test(daily_loss, needs_two_breaches_in_a_row_a_stated_time_apart) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    judge_equity(fixture, "90000");
    cr_expect_not(has(fixture, "daily_loss"));
    judge_equity(fixture, "100000");
    struct equity_reading low = reading(fixture, "95000");
    judge(fixture, low);
    low.at.ns += SPAN_S(5).ns - 1;
    account_guards_judge(&fixture->guards, &low);
    cr_expect_not(has(fixture, "daily_loss"), "a nanosecond short of 5 s");
    low.at.ns += 1;
    account_guards_judge(&fixture->guards, &low);
    cr_expect(has(fixture, "daily_loss"));
    fixture_destroy(fixture);
}

Test(daily_loss, outside_the_session_takes_a_minute) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    for (int second = 0; second <= 60; second += 5) {
        cr_expect_not(has(fixture, "daily_loss"), "%d s", second);
        struct equity_reading low = reading(fixture, "95000");
        low.is_core_session = false;
        judge(fixture, low);
    }
    cr_expect(has(fixture, "daily_loss"));
    fixture_destroy(fixture);
}

Test(daily_loss, deposits_hide_no_loss_and_withdrawals_are_none) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    for (int i = 0; i < 2; i++) {
        struct equity_reading out = reading(fixture, "90000");
        out.flows_today = USD(-10000);
        out.flows_ever = USD(-10000);
        judge(fixture, out);
    }
    cr_expect_not(has(fixture, "daily_loss"));
    for (int i = 0; i < 2; i++) {
        struct equity_reading in = reading(fixture, "106000");
        in.flows_today = USD(10000);
        in.flows_ever = USD(10000);
        judge(fixture, in);
    }
    cr_expect(has(fixture, "daily_loss"), "6,000 up by 10,000 put in is 4,000 lost");
    fixture_destroy(fixture);
}

Test(daily_loss, the_baseline_is_the_previous_close_alone_and_survives_a_restart) {
    struct fixture *fixture = fixture_create();
    struct equity_reading unknown = reading(fixture, "97000");
    unknown.has_previous_close = false;
    judge(fixture, unknown);
    cr_expect(has(fixture, "baseline_unknown"));
    struct usd change = {0};
    cr_expect_not(daily_change(&fixture->guards, &unknown, &change));
    judge_equity(fixture, "97000");
    cr_expect_not(has(fixture, "baseline_unknown"));
    restart(fixture);
    struct equity_reading later = reading(fixture, "96500");
    later.previous_close = USD(50000); /* another word later the same day changes nothing */
    judge(fixture, later);
    cr_expect(daily_change(&fixture->guards, &later, &change));
    cr_expect_eq(change.nanos, USD(-3500).nanos);
    fixture_destroy(fixture);
}

Test(daily_loss, the_latch_outlives_the_day_and_the_baseline_does_not) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    judge_equity(fixture, "95000");
    judge_equity(fixture, "95000");
    cr_expect(has(fixture, "daily_loss"));
    rig_wait(fixture->rig, SPAN_HOURS(24));
    struct equity_reading next = reading(fixture, "95000");
    next.previous_close = USD(95000);
    judge(fixture, next);
    struct usd change = USD(1);
    cr_expect(daily_change(&fixture->guards, &next, &change));
    cr_expect_eq(change.nanos, 0);
    cr_expect_eq(daily_loss_limit(&fixture->guards).nanos, USD(3800).nanos);
    cr_expect(has(fixture, "daily_loss"));
    fixture_destroy(fixture);
}

Test(daily_loss, warns_once_at_half_and_once_at_four_fifths) {
    struct fixture *fixture = fixture_create();
    static const char *const equities[] = {"100000", "98000.01", "98000", "98000", "96800.01",
                                           "96800",  "96800",    "98000", "96800"};
    static const int warnings[] = {0, 0, 1, 1, 1, 2, 2, 2, 2};
    for (size_t i = 0; i < 9; i++) {
        judge_equity(fixture, equities[i]);
        cr_expect_eq(fixture->rig->warnings, warnings[i], "%s", equities[i]);
    }
    fixture_destroy(fixture);
}

Test(account_guards, an_untrusted_reading_is_neither_pass_nor_loss) {
    static const char *const absurd[] = {"0", "-50000", "1", "900000000"};
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    judge_equity(fixture, "100000");
    struct usd peak = fixture->guards.peak;
    for (size_t i = 0; i < 12; i++) {
        struct equity_reading bad = reading(fixture, absurd[i % 4]);
        bad.is_trusted = false;
        judge(fixture, bad);
    }
    cr_expect_eq(fixture->causes.count, 0);
    cr_expect_eq(fixture->guards.peak.nanos, peak.nanos);
    fixture_destroy(fixture);
}

Test(account_guards, a_trusted_zero_or_negative_trips_all_three) {
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = fixture_create();
        judge_equity(fixture, "100000");
        judge_equity(fixture, "100000");
        judge_equity(fixture, i == 0 ? "0" : "-1");
        judge_equity(fixture, i == 0 ? "0" : "-1");
        cr_expect(has(fixture, "daily_loss"));
        cr_expect(has(fixture, "equity_floor"));
        cr_expect(has(fixture, "max_drawdown"));
        fixture_destroy(fixture);
    }
}

Test(account_guards, the_first_reading_alone_is_no_breach_even_if_it_is_low) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    restart(fixture);
    judge_equity(fixture, "95000");
    cr_expect_not(has(fixture, "daily_loss"));
    judge_equity(fixture, "95000");
    cr_expect(has(fixture, "daily_loss"), "the restarted core has the baseline of the morning");
    fixture_destroy(fixture);
}

Test(equity_floor, the_higher_of_two_floors_binds_below_and_not_at_it) {
    struct {
        int floor;
        const char *equity;
        bool is_breach;
    } cases[] = {{50000, "70000", false},
                 {50000, "69999.99", true},
                 {80000, "80000", false},
                 {80000, "79999.99", true}};
    for (size_t i = 0; i < 4; i++) {
        struct fixture *fixture = fixture_create();
        fixture->config.equity_floor_usd = USD(cases[i].floor);
        for (int k = 0; k < 3; k++) {
            judge_equity(fixture, k == 0 ? "100000" : cases[i].equity);
        }
        cr_expect_eq(has(fixture, "equity_floor"), cases[i].is_breach, "case %zu", i);
        fixture_destroy(fixture);
    }
}

Test(equity_floor, a_person_ends_it_from_its_floor_and_a_hundredth_on) {
    static const struct {
        const char *floor, *equity, *flows;
        bool is_trusted, may_end;
    } cases[] = {{"50000", "70699.999999999", "0", true, false}, /* of go-live equity */
                 {"50000", "70700", "0", true, true},
                 {"50000", "70700", "0", false, false},
                 {"50000", "74234.999999999", "5000", true, false}, /* and of what was put in */
                 {"50000", "74235", "5000", true, true},
                 {"80000", "80799.999999999", "0", true, false},
                 {"80000", "80800", "0", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_create();
        struct err err = {0};
        fixture->config.equity_floor_usd = dollars(cases[i].floor);
        judge_equity(fixture, "100000");
        struct equity_reading now = reading(fixture, cases[i].equity);
        now.flows_ever = dollars(cases[i].flows);
        now.is_trusted = cases[i].is_trusted;
        cr_expect_eq(account_guards_end_floor(&fixture->guards, &now, &err),
                     cases[i].may_end ? ERR_OK : ERR_REFUSED, "case %zu: %s", i, err.text);
        fixture_destroy(fixture);
    }
}

Test(equity_floor, who_ends_it_too_soon_is_told_both_amounts) {
    struct fixture *fixture = fixture_create();
    struct err err = {0};
    judge_equity(fixture, "100000");
    struct equity_reading now = reading(fixture, "69900.5");
    cr_expect_eq(account_guards_end_floor(&fixture->guards, &now, &err), ERR_REFUSED);
    cr_expect_str_eq(err.text, "refused: equity is 69900.50 USD, and equity_floor ends from "
                               "70700.00 on, its floor and 1 %");
    now.is_trusted = false;
    cr_expect_eq(account_guards_end_floor(&fixture->guards, &now, &err), ERR_REFUSED);
    cr_expect_str_eq(err.text,
                     "refused: no equity is known that can be trusted; ask again beside a "
                     "core that reads one");
    fixture_destroy(fixture);
}

Test(equity_floor, go_live_equity_is_taken_once_and_kept) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    judge_equity(fixture, "120000");
    restart(fixture);
    judge_equity(fixture, "120000");
    cr_expect_eq(fixture->guards.go_live.nanos, USD(100000).nanos);
    fixture_destroy(fixture);
}

Test(max_drawdown, trips_at_exactly_the_share_of_the_peak) {
    for (int is_at = 0; is_at < 2; is_at++) {
        struct fixture *fixture = fixture_create();
        fixture->config.daily_loss_share = (struct ratio){NANOS};
        fixture->config.daily_loss_usd = USD(1000000);
        judge_equity(fixture, "200000");
        judge_equity(fixture, "200000");
        judge_equity(fixture, is_at ? "180000" : "180000.01");
        judge_equity(fixture, is_at ? "180000" : "180000.01");
        cr_expect_eq(has(fixture, "max_drawdown"), is_at);
        fixture_destroy(fixture);
    }
}

Test(max_drawdown, the_peak_needs_two_readings_and_never_falls) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    cr_expect_not(fixture->guards.has_peak);
    judge_equity(fixture, "100500");
    cr_expect_eq(fixture->guards.peak.nanos, USD(100000).nanos, "the lower of the two");
    judge_equity(fixture, "900000");
    judge_equity(fixture, "100000");
    cr_expect_eq(fixture->guards.peak.nanos, USD(100500).nanos,
                 "of a spike only what the reading before it bears out");
    judge_equity(fixture, "103000");
    judge_equity(fixture, "102000");
    cr_expect_eq(fixture->guards.peak.nanos, USD(102000).nanos);
    judge_equity(fixture, "99000");
    judge_equity(fixture, "99000");
    cr_expect_eq(fixture->guards.peak.nanos, USD(102000).nanos);
    restart(fixture);
    cr_expect_eq(fixture->guards.peak.nanos, USD(102000).nanos);
    judge_equity(fixture, "99000");
    judge_equity(fixture, "99000");
    cr_expect_eq(fixture->guards.peak.nanos, USD(102000).nanos);
    fixture_destroy(fixture);
}

Test(max_drawdown, a_withdrawal_is_no_drawdown_and_a_deposit_no_peak) {
    struct fixture *fixture = fixture_create();
    judge_equity(fixture, "100000");
    judge_equity(fixture, "100000");
    for (int i = 0; i < 3; i++) {
        struct equity_reading flow = reading(fixture, i == 0 ? "150000" : "75000");
        flow.flows_today = flow.flows_ever = i == 0 ? USD(50000) : USD(-25000);
        judge(fixture, flow);
    }
    cr_expect_eq(fixture->guards.peak.nanos, USD(100000).nanos);
    cr_expect_not(has(fixture, "max_drawdown"));
    fixture_destroy(fixture);
}

/* --- degraded mode --- */

static void degraded_tick(struct fixture *fixture, struct degraded_mode *mode, int64_t age_s,
                          bool is_clean) {
    rig_wait(fixture->rig, SPAN_S(5));
    degraded_mode_judge(mode, &fixture->causes, &fixture->config, SPAN_S(age_s), is_clean,
                        clock_mono(fixture->rig->world.clock));
}

/* Ends the mode: seven clean ticks span 30 s. */
static void recover(struct fixture *fixture, struct degraded_mode *mode) {
    for (int i = 0; i < 7; i++) {
        cr_expect(has(fixture, "degraded_mode"), "clean tick %d", i);
        degraded_tick(fixture, mode, 0, true);
    }
}

Test(degraded_mode, starts_on_and_ends_after_three_clean_over_thirty_seconds) {
    struct fixture *fixture = fixture_create();
    struct degraded_mode mode = {0};
    degraded_mode_start(&mode, &fixture->causes, clock_mono(fixture->rig->world.clock));
    cr_expect_eq(causes_mode(&fixture->causes), MODE_REDUCE_ONLY);
    recover(fixture, &mode);
    cr_expect_not(has(fixture, "degraded_mode"));
    fixture_destroy(fixture);
}

Test(degraded_mode, two_clean_ticks_are_not_three_however_long) {
    struct fixture *fixture = fixture_create();
    struct degraded_mode mode = {0};
    degraded_mode_start(&mode, &fixture->causes, clock_mono(fixture->rig->world.clock));
    degraded_tick(fixture, &mode, 0, true);
    rig_wait(fixture->rig, SPAN_MIN(5));
    degraded_tick(fixture, &mode, 0, true);
    cr_expect(has(fixture, "degraded_mode"));
    degraded_tick(fixture, &mode, 0, true);
    cr_expect_not(has(fixture, "degraded_mode"));
    fixture_destroy(fixture);
}

Test(degraded_mode, an_unclean_tick_starts_the_count_anew) {
    struct fixture *fixture = fixture_create();
    struct degraded_mode mode = {0};
    degraded_mode_start(&mode, &fixture->causes, clock_mono(fixture->rig->world.clock));
    for (int i = 0; i < 6; i++) {
        degraded_tick(fixture, &mode, 0, true);
    }
    degraded_tick(fixture, &mode, 0, false);
    recover(fixture, &mode);
    cr_expect_not(has(fixture, "degraded_mode"));
    fixture_destroy(fixture);
}

Test(degraded_mode, begins_when_the_truth_is_older_than_thirty_seconds) {
    for (int64_t extra = 0; extra < 2; extra++) {
        struct fixture *fixture = fixture_create();
        struct degraded_mode mode = {0};
        struct span age = {SPAN_S(30).ns + extra};
        degraded_mode_judge(&mode, &fixture->causes, &fixture->config, age, false,
                            clock_mono(fixture->rig->world.clock));
        cr_expect_eq(has(fixture, "degraded_mode"), extra == 1);
        fixture_destroy(fixture);
    }
}

Test(degraded_mode, the_fifth_time_in_an_hour_holds_for_half_an_hour) {
    struct fixture *fixture = fixture_create();
    struct degraded_mode mode = {0};
    degraded_mode_start(&mode, &fixture->causes, clock_mono(fixture->rig->world.clock));
    recover(fixture, &mode);
    for (int flap = 1; flap <= 4; flap++) {
        degraded_tick(fixture, &mode, 31, false);
        recover(fixture, &mode);
        cr_expect_not(has(fixture, "degraded_mode"), "flap %d", flap);
    }
    degraded_tick(fixture, &mode, 31, false);
    for (int second = 5; second < 1800; second += 5) {
        degraded_tick(fixture, &mode, 0, true);
        cr_assert(has(fixture, "degraded_mode"), "%d s", second);
    }
    degraded_tick(fixture, &mode, 0, true);
    cr_expect_not(has(fixture, "degraded_mode"));
    fixture_destroy(fixture);
}

Test(degraded_mode, warns_after_five_minutes_and_pages_after_thirty) {
    struct fixture *fixture = fixture_create();
    struct degraded_mode mode = {0};
    degraded_mode_start(&mode, &fixture->causes, clock_mono(fixture->rig->world.clock));
    for (int second = 5; second <= 1800; second += 5) {
        degraded_tick(fixture, &mode, 60, false);
        cr_expect_eq(fixture->rig->warnings, second >= 300, "%d s", second);
        cr_expect_eq(fixture->rig->pages, second >= 1800, "%d s", second);
    }
    fixture_destroy(fixture);
}

/* --- data guard --- */

struct prices {
    struct fixture *fixture;
    struct truth truth;
    struct book book;
    struct data_guard guard;
};

static struct prices *prices_create(void) {
    struct prices *prices = calloc(1, sizeof *prices);
    cr_assert_not_null(prices);
    prices->fixture = fixture_create();
    prices->fixture->config.symbol_count = 1;
    strcpy(prices->fixture->config.symbols[0], "AAPL");
    return prices;
}

static void prices_destroy(struct prices *prices) {
    fixture_destroy(prices->fixture);
    free(prices);
}

static void set_quote(struct prices *prices, const char *bid, const char *ask, int64_t age_s) {
    struct utc now = rig_now(prices->fixture->rig);
    prices->truth.quotes[0] = (struct broker_quote){.is_known = true,
                                                    .at = utc_add(now, SPAN_S(-age_s)),
                                                    .bid = dollars(bid),
                                                    .ask = dollars(ask)};
}

static void set_trade(struct prices *prices, const char *price, int64_t age_s) {
    struct utc now = rig_now(prices->fixture->rig);
    prices->truth.trades[0] = (struct broker_trade){
        .is_known = true, .at = utc_add(now, SPAN_S(-age_s)), .price = dollars(price)};
}

static const struct reference *mark(struct prices *prices) {
    data_guard_mark(&prices->truth, &prices->book, &prices->fixture->config,
                    rig_now(prices->fixture->rig));
    return &prices->truth.references[0];
}

Test(data_guard, one_source_is_no_reference_and_two_that_agree_are) {
    struct prices *prices = prices_create();
    cr_expect_not(mark(prices)->is_trusted);
    set_quote(prices, "99.98", "100.02", 0);
    cr_expect_not(mark(prices)->is_trusted);
    set_trade(prices, "100.01", 0);
    cr_expect(mark(prices)->is_trusted);
    cr_expect_eq(mark(prices)->price.nanos, USD(100).nanos, "the quote's middle comes first");
    prices_destroy(prices);
}

Test(data_guard, agreement_is_one_percent_of_the_higher_inclusive) {
    struct {
        const char *trade;
        bool is_trusted;
    } cases[] = {{"99", true}, {"98.999999999", false}, {"101.010101010", true}, {"101.02", false}};
    for (size_t i = 0; i < 4; i++) {
        struct prices *prices = prices_create();
        set_quote(prices, "100", "100", 0);
        set_trade(prices, cases[i].trade, 0);
        cr_expect_eq(mark(prices)->is_trusted, cases[i].is_trusted, "%s", cases[i].trade);
        prices_destroy(prices);
    }
}

Test(data_guard, stale_crossed_wide_and_empty_quotes_do_not_count) {
    struct {
        const char *bid, *ask;
        int64_t age_s;
        bool is_trusted;
    } cases[] = {{"100", "100", 5, true},  {"100", "100", 6, false},   {"100.01", "100", 0, false},
                 {"99", "100", 0, true},   {"98.99", "100", 0, false}, {"0", "100", 0, false},
                 {"100", "100", -2, true}, {"100", "100", -3, false}};
    for (size_t i = 0; i < 8; i++) {
        struct prices *prices = prices_create();
        set_quote(prices, cases[i].bid, cases[i].ask, cases[i].age_s);
        set_trade(prices, "100", 0);
        cr_expect_eq(mark(prices)->is_trusted, cases[i].is_trusted, "case %zu", i);
        prices_destroy(prices);
    }
}

Test(data_guard, an_absurd_mark_of_the_broker_moves_nothing) {
    struct prices *prices = prices_create();
    struct holding *holding = book_get(&prices->book, "AAPL");
    *holding = (struct holding){.symbol = "AAPL",
                                .qty = QTY(10),
                                .cost = USD(1000),
                                .is_listed = true,
                                .broker_qty = QTY(10),
                                .has_broker_price = true,
                                .broker_price = dollars("0.01")};
    cr_expect_not(mark(prices)->is_trusted);
    cr_expect_not(holding->has_mark, "alone it is not believed");
    set_quote(prices, "99.99", "100.01", 0);
    set_trade(prices, "100", 0);
    cr_expect(mark(prices)->is_trusted);
    cr_expect_eq(holding->mark.nanos, USD(100).nanos, "outvoted");
    prices_destroy(prices);
}

static void judge_step(struct prices *prices, const char *equity, const char *step) {
    prices->truth.account.cash = USD(90000);
    prices->truth.account.equity = dollars(equity);
    data_guard_explain(&prices->truth, &prices->book, &prices->fixture->config);
    data_guard_judge(&prices->guard, &prices->truth, dollars(step), &prices->fixture->causes,
                     rig_now(prices->fixture->rig));
}

static void judge_account(struct prices *prices, const char *equity) {
    judge_step(prices, equity, "0");
}

static void hold_100_at_100(struct prices *prices) {
    *book_get(&prices->book, "AAPL") = (struct holding){.symbol = "AAPL",
                                                        .qty = QTY(100),
                                                        .cost = USD(10000),
                                                        .is_listed = true,
                                                        .broker_qty = QTY(100),
                                                        .has_mark = true,
                                                        .mark = USD(100)};
}

Test(data_guard, equity_within_one_percent_of_cash_and_marks_is_explained) {
    struct {
        const char *equity;
        bool is_explained;
    } cases[] = {{"100000", true},    {"101000", true}, {"101000.01", false}, {"99000", true},
                 {"98999.99", false}, {"0", false},     {"-100000", false}};
    for (size_t i = 0; i < 7; i++) {
        struct prices *prices = prices_create();
        hold_100_at_100(prices);
        judge_account(prices, cases[i].equity);
        cr_expect_eq(prices->truth.is_equity_explained, cases[i].is_explained, "%s",
                     cases[i].equity);
        prices_destroy(prices);
    }
}

Test(data_guard, zero_equity_restricts_at_once_another_fault_after_ten_seconds) {
    struct prices *prices = prices_create();
    hold_100_at_100(prices);
    judge_account(prices, "50000");
    cr_expect_not(has(prices->fixture, "data_guard"));
    rig_wait(prices->fixture->rig, (struct span){SPAN_S(10).ns - 1});
    judge_account(prices, "50000");
    cr_expect_not(has(prices->fixture, "data_guard"));
    rig_wait(prices->fixture->rig, (struct span){1});
    judge_account(prices, "50000");
    cr_expect(has(prices->fixture, "data_guard"));
    cr_expect_eq(causes_mode(&prices->fixture->causes), MODE_REDUCE_ONLY);
    prices_destroy(prices);
    prices = prices_create();
    hold_100_at_100(prices);
    judge_account(prices, "0");
    cr_expect(has(prices->fixture, "data_guard"));
    prices_destroy(prices);
}

Test(data_guard, ends_after_ten_clean_seconds) {
    struct prices *prices = prices_create();
    hold_100_at_100(prices);
    judge_account(prices, "0");
    rig_wait(prices->fixture->rig, SPAN_S(5));
    judge_account(prices, "100000");
    rig_wait(prices->fixture->rig, (struct span){SPAN_S(10).ns - 1});
    judge_account(prices, "100000");
    cr_expect(has(prices->fixture, "data_guard"));
    rig_wait(prices->fixture->rig, (struct span){1});
    judge_account(prices, "100000");
    cr_expect_not(has(prices->fixture, "data_guard"));
    prices_destroy(prices);
}

Test(data_guard,
     a_step_that_lasts_restricts_after_ten_seconds_and_is_paged_once_after_two_minutes) {
    struct prices *prices = prices_create();
    const struct rig *rig = prices->fixture->rig;
    hold_100_at_100(prices);
    judge_step(prices, "100000", "-500");
    rig_wait(prices->fixture->rig, SPAN_S(10));
    judge_step(prices, "100000", "-500");
    cr_expect(has(prices->fixture, "data_guard"));
    rig_wait(prices->fixture->rig, (struct span){SPAN_S(110).ns - 1});
    judge_step(prices, "100000", "-500");
    cr_expect_eq(rig->pages, 0);
    rig_wait(prices->fixture->rig, (struct span){1});
    judge_step(prices, "100000", "-500");
    judge_step(prices, "100000", "-500");
    cr_expect_eq(rig->pages, 1);
    cr_expect_str_eq(rig->last_alert, "equity_step");
    rig_wait(prices->fixture->rig, SPAN_S(5));
    judge_step(prices, "100000", "0");
    rig_wait(prices->fixture->rig, SPAN_S(10));
    judge_step(prices, "100000", "0");
    cr_expect_not(has(prices->fixture, "data_guard"));
    prices_destroy(prices);
}

/* --- steps of equity --- */

struct steps {
    struct prices *prices;
    struct equity_steps is;
};

/* 90,000 in cash, 100 shares at 100: anchored. */
static struct steps steps_begin(void) {
    struct steps steps = {.prices = prices_create()};
    hold_100_at_100(steps.prices);
    steps.is = (struct equity_steps){.is_anchored = true, .anchor = USD(90000)};
    return steps;
}

static struct usd step_at(struct steps *steps, const char *cash, const char *equity, bool is_calm) {
    struct prices *prices = steps->prices;
    prices->truth.is_equity_explained = true;
    prices->truth.account.cash = dollars(cash);
    prices->truth.account.equity = dollars(equity);
    equity_steps_judge(&steps->is, &prices->truth, &prices->book, &prices->fixture->config,
                       prices->fixture->rig->journal, is_calm, rig_now(prices->fixture->rig));
    return steps->is.step;
}

Test(equity_steps, cash_and_equity_that_move_alike_are_held_out_above_a_thousandth) {
    static const struct {
        const char *cash, *equity, *step;
    } rows[] = {
        {"90000", "100000", "0"},
        {"90100", "100000", "0"},     /* exactly a thousandth of equity */
        {"90100.1", "100100.1", "0"}, /* 0.001 of equity */
        {"90100.11", "100100.11", "100.11"},
        {"89900.11", "99900.11", "0"},
        {"89900.09", "99900.09", "-99.91"},
        {"90000", "100900", "0"},    /* a price */
        {"95000", "99990", "0"},     /* fifty shares sold, not booked yet */
        {"85000", "100020", "0"},    /* bought */
        {"96000", "106010", "6000"}, /* prices moved beside it */
        {"96000", "104500", "6000"},
        {"96000", "104499.99", "0"}, /* by a quarter: a bust */
        {"96000", "107500", "6000"},
        {"96000", "107500.01", "0"},
        {"84000", "94000", "-6000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct steps steps = steps_begin();
        cr_expect_eq(step_at(&steps, rows[i].cash, rows[i].equity, true).nanos,
                     dollars(rows[i].step).nanos, "row %zu", i);
        prices_destroy(steps.prices);
    }
}

/* Sold by another, and nobody lists it any more: behind a restart it has no mark. */
Test(equity_steps, shares_without_a_mark_count_at_their_cost) {
    struct steps steps = steps_begin();
    struct holding *holding = book_find(&steps.prices->book, "AAPL");
    holding->mark = holding->avg_entry = (struct usd){0};
    holding->is_listed = false;
    cr_expect_eq(step_at(&steps, "100200", "100200", true).nanos, 0);
    prices_destroy(steps.prices);
}

Test(equity_steps, what_is_held_out_stays_beside_a_trade_until_it_is_told) {
    struct steps steps = steps_begin();
    (void)step_at(&steps, "96000", "106000", true);
    cr_expect_eq(step_at(&steps, "101000", "106000", true).nanos, USD(6000).nanos, "sold beside");
    steps.prices->truth.is_equity_explained = false;
    equity_steps_judge(&steps.is, &steps.prices->truth, &steps.prices->book,
                       &steps.prices->fixture->config, NULL, true, (struct utc){0});
    cr_expect_eq(steps.is.step.nanos, USD(6000).nanos, "a reading that nothing explains");
    equity_steps_told(&steps.is, USD(1000));
    cr_expect_eq(step_at(&steps, "101000", "106000", true).nanos, USD(5000).nanos, "a part");
    equity_steps_told(&steps.is, USD(-10));
    cr_expect_eq(steps.is.step.nanos, USD(5000).nanos, "a fee");
    equity_steps_told(&steps.is, USD(5010));
    cr_expect_eq(step_at(&steps, "101000", "106000", true).nanos, 0, "and the trade is there yet");
    cr_expect_eq(step_at(&steps, "96000", "106000", true).nanos, 0);
    prices_destroy(steps.prices);
}

Test(equity_steps, another_book_is_taken_for_what_it_is_at_the_next_calm_reading) {
    struct steps steps = steps_begin();
    struct journal_row row = {.kind = "adopt", .key = "AAPL", .body = "{}"};
    (void)step_at(&steps, "90500", "100500", true);
    cr_assert_eq(equity_steps_fold(&steps.is, &row, NULL), ERR_OK);
    cr_expect(steps.is.is_unsure);
    cr_expect_eq(step_at(&steps, "80000", "100500", false).nanos, USD(500).nanos);
    cr_expect(steps.is.is_unsure, "an order is unknown");
    struct holding *holding = book_find(&steps.prices->book, "AAPL");
    holding->broker_qty = QTY(99);
    (void)step_at(&steps, "80000", "100500", true);
    cr_expect(steps.is.is_unsure, "listing and book differ");
    holding->broker_qty = QTY(100);
    holding->filled_at =
        utc_add(rig_now(steps.prices->fixture->rig), (struct span){1 - SPAN_S(15).ns});
    (void)step_at(&steps, "80000", "100500", true);
    cr_expect(steps.is.is_unsure, "a fill of just now");
    holding->filled_at = utc_add(holding->filled_at, (struct span){-1});
    (void)step_at(&steps, "80000", "100500", true);
    cr_expect_not(steps.is.is_unsure);
    cr_expect_eq(steps.is.anchor.nanos, USD(79500).nanos, "without what is held out");
    prices_destroy(steps.prices);
}

Test(equity_steps, rows_bring_back_what_cash_was_and_what_was_told) {
    static const struct {
        const char *kind, *key, *body;
        int64_t anchor, told;
        bool is_unsure, is_bad;
    } rows[] = {
        {"cash", "", "{\"usd\":\"7\"}", 7, 0, false, false},
        {"flow", "a", "{\"usd\":\"5\",\"date\":\"2024-03-04\"}", 7, 5, false, false},
        {"income", "b", "{\"usd\":\"2\"}", 7, 7, false, false},
        {"cost", "c", "{\"usd\":\"-3\"}", 7, 4, false, false},
        {"latch_set", "daily_loss", "{}", 7, 4, false, false},
        {"latch_set", "state_regression", "{}", 7, 4, true, false},
        {"cash", "", "{\"usd\":\"9\"}", 9, 4, false, false},
        {"short", "AAPL", "{}", 9, 4, true, false},
        {"cash", "", "{\"usd\":null}", 9, 4, true, true},
    };
    struct equity_steps steps = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct journal_row row = {.kind = rows[i].kind, .key = rows[i].key, .body = rows[i].body};
        struct err err = {0};
        cr_expect_eq(equity_steps_fold(&steps, &row, &err) != ERR_OK, rows[i].is_bad, "row %zu", i);
        cr_expect_eq(steps.anchor.nanos, USD(rows[i].anchor).nanos, "row %zu", i);
        cr_expect_eq(steps.told.nanos, USD(rows[i].told).nanos, "row %zu", i);
        cr_expect_eq(steps.is_unsure, rows[i].is_unsure, "row %zu", i);
    }
}

/* A latch of a lease that was lost is of this process alone, whatever journal it still holds. */
Test(causes_lease, who_lost_it_latches_without_a_row) {
    struct risk_rig risk;
    struct lease *lease = NULL;
    risk_rig_open(&risk);
    cr_assert_eq(lease_acquire(&risk.rig->world, &lease, NULL), ERR_OK);
    risk.causes.lease = lease;
    int64_t rows = journal_last_seq(risk.rig->journal);
    causes_latch(&risk.causes, "operator", MODE_HALT, "ann", "while it is held");
    cr_expect_gt(journal_last_seq(risk.rig->journal), rows);
    rows = journal_last_seq(risk.rig->journal);
    rig_wait(risk.rig, SPAN_S(15));
    sim_disk_write_raw(risk.rig->disk, "lease.json", "", 0);
    causes_latch(&risk.causes, "lease_lost", MODE_HALT, "core", "it may be another's");
    cr_expect(causes_has(&risk.causes, "lease_lost"));
    cr_expect_eq(journal_last_seq(risk.rig->journal), rows);
    risk.causes.lease = NULL;
    lease_release(lease);
    risk_rig_close(&risk);
}
