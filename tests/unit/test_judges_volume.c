/* test_judges_volume.c - the judges of what is done too often and of what is traded too much, each at its
 * edge. */
#include "tests/unit/stream.h"

/* --- repeats: three within ten seconds --- */

struct repeats {
    struct oracle *oracle;
    int64_t seq;
};

static struct repeats repeats(void) {
    struct repeats run = {.oracle = oracle_create(), .seq = 10};
    frame(run.oracle, "orders.repeats", "3");
    frame(run.oracle, "orders.repeat_window_s", "10");
    word(run.oracle, EVENT_START, 0, "ready", "");
    return run;
}

static void next_row(struct repeats *run, int64_t second, const char *kind, const char *key,
                     const char *body) {
    row_at(run->oracle, second, run->seq++, kind, key, body);
}

static void intent_row(struct repeats *run, int64_t second, const char *id, const char *side,
                       const char *purpose) {
    char body[192];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"purpose\":\"%s\",\"replaces\":\"\"}", side,
             purpose);
    next_row(run, second, "intent", id, body);
}

static void sale(struct repeats *run, int64_t second, const char *id) {
    intent_row(run, second, id, "sell", "exit");
    order_leaves(run->oracle, second, "sell", "AAPL", id);
}

static void three_sales(struct repeats *run, int64_t last) {
    sale(run, 1, "st-2023-11-14-1");
    sale(run, 2, "st-2023-11-14-2");
    sale(run, last, "st-2023-11-14-3");
}

static void acts(struct repeats *run, int64_t second, const char *mechanism, const char *by) {
    char body[160];
    snprintf(body, sizeof body,
             "\"cause\":\"%s\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,\"by\":\"%s\"", mechanism,
             by);
    body_of(run->oracle, EVENT_MECHANISM, second, mechanism, "acted", body);
    word(run->oracle, EVENT_MODE, second, "REDUCE_ONLY", "NORMAL");
}

static void expect_repeats(struct repeats *run, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"repeats_are_latched\"") != NULL;
    cr_expect_eq(is_broken, broken[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), broken), "%s", text_get(&verdict));
    expect_score_of(&verdict, "repeat_throttle", score);
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

Test(repeats, latched_by_the_tick_that_repeated_holds_and_later_breaks) {
    for (int late = 0; late < 2; late++) {
        struct repeats run = repeats();
        three_sales(&run, 10);
        if (late) {
            word(run.oracle, EVENT_TICK, 11, "tick", "");
        }
        acts(&run, 12, "repeat_throttle", "core");
        word(run.oracle, EVENT_TICK, 13, "tick", "");
        expect_repeats(&run, late ? "not latched" : "",
                       late ? "\"missed\":1" : "\"due\":1,\"acted\":1,\"missed\":0");
    }
}

Test(repeats, one_less_or_a_window_later_is_quiet_and_an_act_then_is_unfounded) {
    for (int acted = 0; acted < 2; acted++) {
        struct repeats run = repeats();
        three_sales(&run, 11);
        word(run.oracle, EVENT_TICK, 12, "tick", "");
        if (acted) {
            acts(&run, 12, "repeat_throttle", "core");
        }
        expect_repeats(&run, acted ? "nothing was repeated" : "", acted ? "\"unfounded\":1" : "[]");
    }
}

/* A disk takes its time over the first row: decided ten seconds apart they are, durable nine. */
Test(repeats, counted_is_from_decision_to_decision) {
    for (int near = 0; near < 2; near++) {
        struct repeats run = repeats();
        static const char *const ids[] = {"st-2023-11-14-1", "st-2023-11-14-2", "st-2023-11-14-3"};
        const int64_t decided[] = {1, 2, 11 - near};
        const int64_t durable[] = {2, 2, 11};
        for (int i = 0; i < 3; i++) {
            char body[256];
            char time[UTC_TEXT_MAX];
            utc_print(at(decided[i]), time);
            snprintf(
                body, sizeof body,
                "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"purpose\":\"exit\",\"replaces\":\"\","
                "\"decided_at\":\"%s\"}",
                time);
            next_row(&run, durable[i], "intent", ids[i], body);
            order_leaves(run.oracle, durable[i], "sell", "AAPL", ids[i]);
        }
        word(run.oracle, EVENT_TICK, 12, "tick", "");
        expect_repeats(&run, near ? "not latched" : "", near ? "\"missed\":1" : "[]");
    }
}

Test(repeats, a_document_or_a_person_may_set_it_without_a_reason) {
    struct repeats run = repeats();
    acts(&run, 12, "repeat_throttle", "document");
    expect_repeats(&run, "", "[]");
}

/* The row is durable, the request never seen: the next life has to count it, nobody must have known. */
Test(repeats, a_row_whose_request_nobody_saw_founds_an_act_and_demands_none) {
    for (int acted = 0; acted < 2; acted++) {
        struct repeats run = repeats();
        sale(&run, 1, "st-2023-11-14-1");
        sale(&run, 2, "st-2023-11-14-2");
        intent_row(&run, 3, "st-2023-11-14-3", "sell", "exit");
        if (acted) {
            acts(&run, 4, "repeat_throttle", "core");
        }
        word(run.oracle, EVENT_TICK, 5, "tick", "");
        expect_repeats(&run, "", acted ? "\"acted\":1,\"missed\":0,\"unfounded\":0" : "[]");
    }
}

Test(repeats, a_stop_that_was_rejected_does_not_count) {
    for (int is_rejected = 0; is_rejected < 2; is_rejected++) {
        struct repeats run = repeats();
        for (int n = 1; n <= 3; n++) {
            char id[32];
            snprintf(id, sizeof id, "st-2023-11-14-%d", n);
            intent_row(&run, n, id, "sell", "stop");
            order_leaves(run.oracle, n, "sell", "AAPL", id);
            if (n < 3) {
                next_row(&run, n, "order", id,
                         is_rejected ? "{\"purpose\":\"stop\",\"state\":\"rejected\"}"
                                     : "{\"purpose\":\"stop\",\"state\":\"canceled\"}");
            }
        }
        acts(&run, 3, "repeat_throttle", "core");
        expect_repeats(&run, is_rejected ? "repeats_are_latched" : "",
                       is_rejected ? "\"unfounded\":1" : "\"acted\":1");
    }
}

Test(repeats, what_was_not_sent_an_exit_and_a_cleared_count_do_not_add_up) {
    struct repeats run = repeats();
    three_sales(&run, 3);
    next_row(&run, 3, "order", "st-2023-11-14-3", "{\"state\":\"not_sent\"}");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_repeats(&run, "", "\"missed\":0");
    run = repeats();
    next_row(&run, 0, "exit", "AAPL",
             "{\"phase\":\"decided\",\"start\":\"10\",\"decided_at\":\"2023-11-14T22:13:20Z\"}");
    three_sales(&run, 3);
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_repeats(&run, "", "[]");
    run = repeats();
    sale(&run, 1, "st-2023-11-14-1");
    sale(&run, 2, "st-2023-11-14-2");
    next_row(&run, 2, "latch_clear", "repeat_throttle", "{}");
    sale(&run, 3, "st-2023-11-14-3");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_repeats(&run, "", "[]");
}

Test(repeats, an_exit_goes_on_behind_a_clear_and_is_one) {
    struct repeats run = repeats();
    next_row(&run, 0, "exit", "AAPL",
             "{\"phase\":\"decided\",\"start\":\"10\",\"decided_at\":\"2023-11-14T22:13:20Z\"}");
    sale(&run, 1, "st-2023-11-14-1");
    next_row(&run, 1, "latch_clear", "repeat_throttle", "{}");
    sale(&run, 2, "st-2023-11-14-2");
    sale(&run, 3, "st-2023-11-14-3");
    sale(&run, 4, "st-2023-11-14-4");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_repeats(&run, "", "[]");
}

Test(repeats, a_journal_that_went_back_leaves_nothing_and_a_gap_a_doubt) {
    struct repeats run = repeats();
    sale(&run, 1, "st-2023-11-14-1");
    sale(&run, 2, "st-2023-11-14-2");
    run.seq = 5;
    sale(&run, 3, "st-2023-11-14-3");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_repeats(&run, "", "[]");
    for (int later = 0; later < 2; later++) {
        run = repeats();
        next_row(&run, 1, "probe", "", "{}");
        run.seq += 2;
        next_row(&run, 2, "probe", "", "{}");
        acts(&run, later ? 12 : 11, "repeat_throttle", "core");
        expect_repeats(&run, later ? "nothing was repeated" : "", later ? "unfounded\":1" : "[]");
    }
}

Test(repeats, an_exit_that_sold_more_than_was_held_is_to_be_latched) {
    struct repeats run = repeats();
    next_row(&run, 0, "exit", "AAPL",
             "{\"phase\":\"decided\",\"start\":\"10\",\"decided_at\":\"2023-11-14T22:13:20Z\"}");
    next_row(
        &run, 5, "fill", "st-2023-11-14-1",
        "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"11\",\"at\":\"2023-11-14T22:13:25Z\"}");
    word(run.oracle, EVENT_TICK, 6, "tick", "");
    expect_repeats(&run, "not latched", "\"missed\":1");
}

Test(repeats, a_buy_while_it_holds_is_counted_as_risky_and_breaks_what_any_cause_does) {
    struct repeats run = repeats();
    three_sales(&run, 3);
    acts(&run, 3, "repeat_throttle", "core");
    order_leaves(run.oracle, 5, "buy", "MSFT", "st-2023-11-14-9");
    struct text verdict = {0};
    oracle_verdict(run.oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), "\"no_buy_sent_while_restricted\""));
    text_release(&verdict);
    expect_repeats(&run, "", "\"risky\":1");
}

/* --- volume: 3 orders, 2 round trips, 1,000 USD an hour of 10,000, in a day --- */

static struct repeats volume(void) {
    struct repeats run = {.oracle = oracle_create(), .seq = 10};
    frame(run.oracle, "volume.day_share", "0.2");
    frame(run.oracle, "volume.hour_share", "0.1");
    frame(run.oracle, "volume.orders", "3");
    frame(run.oracle, "volume.round_trips", "2");
    word(run.oracle, EVENT_START, 0, "ready", "");
    next_row(&run, 0, "baseline", "2023-11-14", "{\"usd\":\"10000\"}");
    return run;
}

static void fill_row(struct repeats *run, int64_t second, const char *side, const char *amount) {
    char body[160];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"10\",\"amount\":\"%s\"}", side,
             amount);
    next_row(run, second, "fill", "st-2023-11-14-1", body);
}

static void expect_volume(struct repeats *run, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"volume_is_latched\"") != NULL;
    cr_expect_eq(is_broken, broken[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), broken), "%s", text_get(&verdict));
    expect_score_of(&verdict, "daily_volume", score);
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

Test(volume, dollars_at_the_limit_of_the_hour_are_due_and_less_or_later_are_not) {
    static const struct {
        const char *amount;
        int64_t second;
        const char *broken, *score;
    } rows[] = {{"400", 60, "not latched", "\"missed\":1"},
                {"399.99", 60, "", "[]"},
                {"400", 3700, "", "[]"}};
    for (size_t i = 0; i < 3; i++) {
        struct repeats run = volume();
        fill_row(&run, 1, "buy", "600");
        fill_row(&run, rows[i].second, "buy", rows[i].amount);
        word(run.oracle, EVENT_TICK, rows[i].second + 1, "tick", "");
        expect_volume(&run, rows[i].broken, rows[i].score);
    }
}

Test(volume, orders_cancels_and_round_trips_are_counted_and_an_act_without_is_unfounded) {
    static const char *const kinds[] = {"intent", "order", "trips"};
    for (int i = 0; i < 6; i++) {
        struct repeats run = volume();
        int count = i / 2 == 2 ? 2 : 3;
        for (int n = 0; n < count - i % 2; n++) {
            char id[32];
            snprintf(id, sizeof id, "st-2023-11-14-%d", n);
            if (i / 2 == 2) {
                fill_row(&run, n, "buy", "1");
                fill_row(&run, n, "sell", "1");
            } else {
                next_row(&run, n, kinds[i / 2], id, "{\"state\":\"canceled\",\"replaces\":\"\"}");
            }
        }
        acts(&run, 3, "daily_volume", "core");
        word(run.oracle, EVENT_TICK, 4, "tick", "");
        expect_volume(&run, i % 2 ? "within every limit" : "",
                      i % 2 ? "\"unfounded\":1" : "\"acted\":1,\"missed\":0");
    }
}

Test(volume, a_late_act_is_missed_and_one_by_a_document_is_nobodys) {
    struct repeats run = volume();
    fill_row(&run, 1, "buy", "1000");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    acts(&run, 3, "daily_volume", "core");
    expect_volume(&run, "not latched", "\"missed\":1");
    run = volume();
    acts(&run, 3, "daily_volume", "document");
    expect_volume(&run, "", "[]");
}

Test(volume, what_never_left_a_clear_and_a_gap_leave_nothing_due) {
    struct repeats run = volume();
    for (int n = 0; n < 3; n++) {
        char id[32];
        snprintf(id, sizeof id, "st-2023-11-14-%d", n);
        next_row(&run, n, "intent", id, "{\"replaces\":\"\"}");
    }
    next_row(&run, 3, "order", "st-2023-11-14-2", "{\"state\":\"not_sent\",\"replaces\":\"\"}");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_volume(&run, "", "\"missed\":0");
    run = volume();
    fill_row(&run, 1, "buy", "600");
    next_row(&run, 2, "latch_clear", "daily_volume", "{}");
    fill_row(&run, 3, "buy", "600");
    word(run.oracle, EVENT_TICK, 4, "tick", "");
    expect_volume(&run, "", "[]");
    run = volume();
    run.seq += 3;
    fill_row(&run, 1, "buy", "1000");
    acts(&run, 1, "daily_volume", "core");
    word(run.oracle, EVENT_TICK, 2, "tick", "");
    expect_volume(&run, "", "\"unfounded\":0");
}

Test(volume, a_buy_while_it_holds_is_risky) {
    struct repeats run = volume();
    fill_row(&run, 1, "buy", "1000");
    acts(&run, 1, "daily_volume", "core");
    order_leaves(run.oracle, 5, "buy", "MSFT", "st-2023-11-14-9");
    expect_volume(&run, "", "\"risky\":1");
}
