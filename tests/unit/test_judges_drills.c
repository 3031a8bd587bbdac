/* test_judges_drills.c - latches_are_drilled: what counts as a drill, and what a buy needs. */
#include "tests/unit/stream.h"

enum { TEN = 60400 }; /* ten o'clock in New York on 2023-11-15 */
static const char TODAY[] = "2023-11-15";
static const char ID[] = "latches_are_drilled";

#define HELD(cause) "\"" cause "\":\"MODE, mode REDUCE_ONLY\","
#define MOST                                                                                       \
    HELD("operator_freeze")                                                                        \
    HELD("crash_loop_freeze")                                                                      \
    HELD("kill_switch")                                                                            \
    HELD("kill_repeated")                                                                          \
    HELD("kill_rejects")                                                                           \
    HELD("kill_auth")                                                                              \
    HELD("kill_outage")                                                                            \
    HELD("kill_divergence")                                                                        \
    HELD("daily_loss")                                                                             \
    HELD("equity_floor")                                                                           \
    HELD("max_drawdown")                                                                           \
    HELD("daily_volume")                                                                           \
    HELD("amnesia")                                                                                \
    HELD("state_regression")                                                                       \
    HELD("second_writer")                                                                          \
    HELD("position_sign")                                                                          \
    HELD("repeat_throttle")                                                                        \
    HELD("journal_down")                                                                           \
    HELD("wrong_account")                                                                          \
    HELD("freezes_unreadable")                                                                     \
    HELD("freezes_missing")                                                                        \
    HELD("unknown_causes")                                                                         \
    HELD("too_many_causes")                                                                        \
    HELD("drill")

static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "drill.on", "1");
    word(oracle, EVENT_START, TEN - 100, "ready", "");
    row_at(oracle, TEN - 100, 2, "start", "build-1", "{}");
    return oracle;
}

static void drills_as(struct oracle *oracle, int64_t second, int64_t seq, const char *day,
                      const char *build, const char *config, const char *failed, const char *last) {
    char body[4096];
    snprintf(body, sizeof body,
             "{\"build\":\"%s\",\"config\":\"%s\",\"failed\":\"%s\",\"refused\":{" MOST
             "\"%s\":\"HALT, mode HALT\"}}",
             build, config, failed, last);
    row_at(oracle, TEN + second, seq, "drill", day, body);
}

static void drills(struct oracle *oracle, int64_t second, int64_t seq) {
    drills_as(oracle, second, seq, TODAY, "build-1", "limits-1", "", "lease_lost");
}

static void reloads(struct oracle *oracle, int64_t second, const char *config) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(TEN + second),
                                .subject = "config_validation",
                                .what = "acted",
                                .id = config});
}

static void buys(struct oracle *oracle, int64_t second) {
    order_leaves(oracle, TEN + second, "buy", "AAPL", "st-2023-11-15-7");
}

Test(drills, a_buy_behind_the_drill_of_its_day_is_right) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    buys(oracle, 1);
    expect_scored(oracle, "", "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0");
}

Test(drills, one_whose_row_a_death_left_untold_is_a_maybe) {
    for (int seq = 3; seq <= 4; seq++) {
        struct oracle *oracle = begin();
        row_at(oracle, TEN, seq, "start", "build-1", "{}");
        buys(oracle, 1);
        expect(oracle, seq == 3 ? ID : "", seq == 3 ? 0 : 1);
    }
}

Test(drills, a_buy_on_a_day_without_one_is_missed) {
    struct oracle *oracle = begin();
    buys(oracle, 1);
    expect_scored(oracle, ID, "\"missed\":1,\"unfounded\":0,\"risky\":1");
}

Test(drills, yesterday_s_does_not_count) {
    struct oracle *oracle = begin();
    drills_as(oracle, 0, 3, "2023-11-14", "build-1", "limits-1", "", "lease_lost");
    buys(oracle, 1);
    expect_scored(oracle, ID, "\"missed\":1");
}

Test(drills, another_build_s_does_not_count) {
    struct oracle *oracle = begin();
    drills_as(oracle, 0, 3, TODAY, "build-0", "limits-1", "", "lease_lost");
    buys(oracle, 1);
    expect_scored(oracle, ID, "\"missed\":1");
}

Test(drills, limits_of_a_reload_are_drilled_before_the_next_buy) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    reloads(oracle, 1, "limits-2");
    buys(oracle, 2);
    expect_scored(oracle, ID, "\"missed\":1");
}

Test(drills, limits_of_a_reload_that_were_drilled_may_buy) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    reloads(oracle, 1, "limits-2");
    drills_as(oracle, 1, 4, TODAY, "build-1", "limits-2", "", "lease_lost");
    buys(oracle, 2);
    expect_scored(oracle, "", "\"acted\":2,\"missed\":0");
}

Test(drills, one_that_failed_lets_nothing_be_bought) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    drills_as(oracle, 1, 4, TODAY, "build-1", "limits-1", "daily_loss did not latch", "lease_lost");
    buys(oracle, 2);
    expect_scored(oracle, ID, "\"missed\":1");
}

Test(drills, one_that_leaves_a_latch_out_is_none) {
    struct oracle *oracle = begin();
    drills_as(oracle, 0, 3, TODAY, "build-1", "limits-1", "", "another");
    expect(oracle, ID, 0);
}

Test(drills, the_same_twice_is_unfounded_also_in_another_life) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    word(oracle, EVENT_STOP, TEN + 1, "dead", "");
    word(oracle, EVENT_START, TEN + 2, "ready", "");
    row_at(oracle, TEN + 2, 4, "start", "build-1", "{}");
    drills(oracle, 3, 5);
    expect_scored(oracle, ID, "\"missed\":0,\"unfounded\":1");
}

Test(drills, behind_a_journal_that_went_back_the_same_may_come_again) {
    struct oracle *oracle = begin();
    drills(oracle, 0, 3);
    row_at(oracle, TEN + 2, 3, "start", "build-1", "{}");
    drills(oracle, 3, 4);
    buys(oracle, 4);
    expect_scored(oracle, "row_never_lost", "\"unfounded\":0");
}

Test(drills, where_it_is_off_nothing_is_judged) {
    struct oracle *oracle = begin();
    frame(oracle, "drill.on", "0");
    buys(oracle, 1);
    expect(oracle, "", 0);
}

static void says_it_failed(struct oracle *oracle, int64_t second, const char *by) {
    char body[128];
    snprintf(body, sizeof body, "\"cause\":\"drill\",\"mode\":\"REDUCE_ONLY\",\"by\":\"%s\"", by);
    body_of(oracle, EVENT_MECHANISM, TEN + second, "drill", "acted", body);
}

/* One row is a reason once; a person's, and what a document holds, are none of its acts. */
Test(latches_are_drilled, a_drill_that_is_said_to_have_failed_did) {
    static const struct {
        const char *failed, *by;
        bool is_lost; /* no journal takes the row */
        int64_t acts;
        const char *unfounded;
    } rows[] = {
        {"daily_loss did not hold", "core", false, 1, "\"unfounded\":0"},
        {"daily_loss did not hold", "core", false, 2, "\"unfounded\":1"},
        {"", "core", false, 1, "\"unfounded\":1"},
        {"", "core", true, 1, "\"unfounded\":0"},
        {"", "document", false, 1, "\"unfounded\":0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = begin();
        struct text verdict = {0};
        drills_as(oracle, -50, 3, TODAY, "build-1", "limits-1", rows[i].failed, "lease_lost");
        if (rows[i].is_lost) {
            word(oracle, EVENT_FAULT, TEN - 50, "disk.enospc", "");
            body_of(oracle, EVENT_MECHANISM, TEN - 50, "atomic_state", "acted",
                    "\"cause\":\"journal_down\",\"mode\":\"REDUCE_ONLY\",\"by\":\"core\"");
        }
        for (int64_t k = 0; k < rows[i].acts; k++) {
            says_it_failed(oracle, -50, rows[i].by);
        }
        oracle_verdict(oracle, &verdict);
        expect_score_of(&verdict, "drill", rows[i].unfounded);
        text_release(&verdict);
        oracle_destroy(oracle);
    }
}
