/* test_judges_kills.c - the judges of the kill switch: trips that act, are missed, false, held under attempt; a life
 * that is verified, cooled, checked and armed as it must be, and each step that is not. */
#include "tests/unit/stream.h"

static const char *const TRUTHS[] = {"/v2/clock", "/v2/account", "/v2/orders?status=open",
                                     "/v2/positions"};
static const char NONE[] = "\n[]";
static const char A_BUY[] = "\n[{\"side\":\"buy\",\"client_order_id\":\"st-2023-11-14-1\"}]";
static const char A_STOP[] = "\n[{\"side\":\"sell\",\"client_order_id\":\"st-2023-11-14-2\"}]";

static struct oracle *begin(void) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "kill.rejects", "3");
    frame(oracle, "kill.rejects_window_s", "60");
    frame(oracle, "kill.auth_s", "30");
    frame(oracle, "kill.outage_s", "600");
    frame(oracle, "kill.divergence", "1");
    frame(oracle, "kill.auto_rearm", "1");
    frame(oracle, "kill.cooldown_s", "300");
    frame(oracle, "kill.incidents", "2");
    word(oracle, EVENT_START, 0, "ready", "");
    return oracle;
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, second, "tick", "");
}

static void truths(struct oracle *oracle, int64_t second, int status, const char *orders) {
    for (int i = 0; i < 4; i++) {
        answer(oracle, second, TRUTHS[i], status, i == 2 ? orders : "\n{}");
    }
}

static void says(struct oracle *oracle, int64_t second, const char *what, const char *id,
                 const char *body) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(second),
                                .subject = "kill_switch",
                                .what = what,
                                .id = id,
                                .body = body,
                                .body_len = strlen(body)});
}

static void latches(struct oracle *oracle, int64_t second, const char *cause) {
    char body[160];
    snprintf(
        body, sizeof body,
        "\"cause\":\"%s\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,\"by\":\"core\",\"why\":\"\"",
        cause);
    says(oracle, second, "acted", cause, body);
}

static void clears(struct oracle *oracle, int64_t second, int64_t seq, const char *cause,
                   const char *by) {
    char body[80];
    snprintf(body, sizeof body, "{\"by\":\"%s\",\"why\":\"\"}", by);
    row_at(oracle, second, seq, "latch_clear", cause, body);
}

static void rejected(struct oracle *oracle, int64_t second, const char *id, int status,
                     const char *body) {
    char text[256];
    snprintf(text, sizeof text, "{\"client_order_id\":\"%s\"}\n%s", id, body);
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = "POST",
                                .what = "/v2/orders",
                                .number = status,
                                .body = text,
                                .body_len = strlen(text)});
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = "entry",
                                .what = "rejected",
                                .symbol = "AAPL",
                                .id = id});
}

/* Of what these two judges say, the first finding; "" for none. */
static void expect_kill(struct oracle *oracle, const char *id, const char *text) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    const char *said = text_get(&verdict);
    static const char *const ids[] = {"kill_trips_when_due", "kill_runs_its_course"};
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(strstr(said, ids[i]) != NULL, strcmp(ids[i], id) == 0, "%s in %s", ids[i],
                     said);
    }
    cr_expect_not_null(strstr(said, text), "%s in %s", text, said);
    text_release(&verdict);
    oracle_destroy(oracle);
}

static void expect_score(struct oracle *oracle, const char *text) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), text), "%s in %s", text, text_get(&verdict));
    text_release(&verdict);
}

/* --- trips --- */

Test(kill_trips, rejects_that_latch_in_their_tick_are_acted_on) {
    struct oracle *oracle = begin();
    rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
    rejected(oracle, 40, "st-2023-11-14-2", 422, "{}");
    tick(oracle, 41);
    rejected(oracle, 60, "st-2023-11-14-3", 403, "{}");
    latches(oracle, 62, "kill_rejects");
    word(oracle, EVENT_MODE, 62, "REDUCE_ONLY", "NORMAL");
    tick(oracle, 63);
    expect_score(oracle, "\"mechanism\":\"kill_switch\",\"due\":1,\"acted\":1,\"missed\":0,"
                         "\"unfounded\":0,\"risky\":0,\"latency_ms\":2000");
    expect_kill(oracle, "", "");
}

Test(kill_trips, rejects_that_latch_nothing_are_missed) {
    struct oracle *oracle = begin();
    rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
    rejected(oracle, 40, "st-2023-11-14-2", 422, "{}");
    rejected(oracle, 60, "st-2023-11-14-3", 403, "{}");
    tick(oracle, 63);
    expect_kill(oracle, "kill_trips_when_due", "kill_rejects was due and is not latched");
}

Test(kill_trips, too_few_rejects_or_excused_ones_are_no_reason) {
    static const struct {
        int status;
        const char *body;
    } rows[] = {{403, "{\"existing_order_id\":\"b\"}"}, {401, "{}"}, {429, "{}"}, {0, ""}};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = begin();
        rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
        rejected(oracle, 12, "st-2023-11-14-2", 403, "{}");
        if (rows[i].status != 0) {
            rejected(oracle, 14, "st-2023-11-14-3", rows[i].status, rows[i].body);
        }
        tick(oracle, 15);
        latches(oracle, 16, "kill_rejects");
        expect_kill(oracle, "kill_trips_when_due", "kill_rejects latched, and was not due");
    }
}

Test(kill_trips, a_latch_that_a_document_kept_is_no_act) {
    struct oracle *oracle = begin();
    const char *body = "\"cause\":\"kill_rejects\",\"mode\":\"REDUCE_ONLY\",\"latched\":true,"
                       "\"by\":\"document\"";
    says(oracle, 1, "acted", "kill_rejects", body);
    expect_kill(oracle, "", "");
}

Test(kill_trips, rejects_while_it_holds_are_forgotten_with_its_end) {
    struct oracle *oracle = begin();
    row(oracle, 1, "latch_set", "kill_rejects", "{\"mode\":\"REDUCE_ONLY\"}");
    says(oracle, 1, "warned", "verifying", "");
    rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
    rejected(oracle, 12, "st-2023-11-14-2", 403, "{}");
    tick(oracle, 13);
    clears(oracle, 14, 2, "kill_rejects", "ann");
    rejected(oracle, 16, "st-2023-11-14-3", 403, "{}");
    tick(oracle, 17);
    expect_kill(oracle, "", "");
}

Test(kill_trips, a_new_price_that_came_too_late_is_no_reject_and_one_rejected_later_is) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = begin();
        rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
        rejected(oracle, 12, "st-2023-11-14-2", 403, "{}");
        const char *text = "{\"client_order_id\":\"st-2023-11-14-3\"}\n{}";
        feed(oracle, (struct event){.kind = EVENT_HTTP,
                                    .at = at(14),
                                    .subject = "PATCH",
                                    .what = "/v2/orders/b-1",
                                    .number = is_late ? 422 : 200,
                                    .body = text,
                                    .body_len = strlen(text)});
        feed(oracle, (struct event){.kind = EVENT_ORDER,
                                    .at = at(15),
                                    .subject = "stop",
                                    .what = "rejected",
                                    .symbol = "AAPL",
                                    .id = "st-2023-11-14-3"});
        tick(oracle, 16);
        expect_kill(oracle, is_late ? "" : "kill_trips_when_due", "");
    }
}

Test(kill_trips, a_restart_counts_rejects_anew) {
    struct oracle *oracle = begin();
    rejected(oracle, 10, "st-2023-11-14-1", 403, "{}");
    rejected(oracle, 12, "st-2023-11-14-2", 403, "{}");
    word(oracle, EVENT_STOP, 13, "dead", "");
    word(oracle, EVENT_START, 14, "ready", "");
    rejected(oracle, 16, "st-2023-11-14-3", 403, "{}");
    tick(oracle, 17);
    expect_kill(oracle, "", "");
}

static void bar(struct oracle *oracle, int64_t from, int64_t to, int reads, int status) {
    for (int64_t second = from; second <= to; second += 5) {
        for (int i = 0; i < reads; i++) {
            answer(oracle, second, TRUTHS[i], status, "\n{}");
        }
        tick(oracle, second + 1);
    }
}

Test(kill_trips, a_barred_key_is_due_on_two_reads) {
    for (int is_acted = 0; is_acted < 2; is_acted++) {
        struct oracle *oracle = begin();
        bar(oracle, 0, 30, 2, 403);
        if (is_acted) {
            latches(oracle, 31, "kill_auth");
        }
        bar(oracle, 35, 45, 2, 403);
        expect_kill(oracle, is_acted ? "kill_runs_its_course" : "kill_trips_when_due",
                    is_acted ? "nothing fires" : "kill_auth was due and is not latched");
    }
    struct oracle *oracle = begin();
    bar(oracle, 0, 60, 1, 403);
    latches(oracle, 61, "kill_auth");
    expect_kill(oracle, "kill_trips_when_due", "kill_auth latched, and was not due");
}

Test(kill_trips, a_key_that_just_changed_is_no_evidence) {
    struct oracle *oracle = begin();
    bar(oracle, 0, 20, 2, 401);
    word(oracle, EVENT_MECHANISM, 25, "credentials", "acted");
    bar(oracle, 30, 60, 2, 401);
    latches(oracle, 61, "kill_auth");
    expect_kill(oracle, "kill_trips_when_due", "kill_auth latched, and was not due");
}

Test(kill_trips, an_outage_is_due_after_its_time) {
    for (int i = 0; i < 3; i++) {
        struct oracle *oracle = begin();
        truths(oracle, 0, 200, NONE);
        tick(oracle, 1);
        for (int64_t second = 5; second <= 600; second += 5) {
            tick(oracle, second);
        }
        if (i == 0) { /* early */
            latches(oracle, 590, "kill_outage");
            expect_kill(oracle, "kill_trips_when_due", "kill_outage latched, and was not due");
            continue;
        }
        tick(oracle, 605);
        if (i == 1) {
            latches(oracle, 606, "kill_outage");
        }
        tick(oracle, 610);
        tick(oracle, 615);
        expect_kill(oracle, i == 1 ? "kill_runs_its_course" : "kill_trips_when_due",
                    i == 1 ? "nothing fires" : "kill_outage was due and is not latched");
    }
}

Test(kill_trips, a_divergence_is_due_in_its_tick_unless_it_is_off) {
    for (int i = 0; i < 4; i++) { /* off or on, latched or not */
        bool is_on = i / 2 == 1;
        bool is_latched = i % 2 == 1;
        struct oracle *oracle = begin();
        frame(oracle, "kill.divergence", is_on ? "1" : "0");
        word(oracle, EVENT_MECHANISM, 5, "divergence_heal", "acted");
        if (is_latched) {
            latches(oracle, 6, "kill_divergence");
        }
        tick(oracle, 7);
        expect_kill(oracle, is_on == is_latched ? "" : "kill_trips_when_due",
                    is_on == is_latched ? ""
                    : is_on             ? "kill_divergence was due and is not latched"
                                        : "kill_divergence latched, and was not due");
    }
}

Test(kill_trips, buys_while_it_holds_are_counted) {
    struct oracle *oracle = begin();
    latches(oracle, 0, "kill_outage");
    order_leaves(oracle, 1, "buy", "AAPL", "st-2023-11-14-9");
    expect_score(oracle, "\"risky\":1");
    oracle_destroy(oracle);
}

/* --- its life --- */

enum { HELD = 8 };

/* Fires at 1 for a key that was refused, and is verified at HELD. */
static struct oracle *held(void) {
    struct oracle *oracle = begin();
    bar(oracle, -30, 0, 2, 403);
    latches(oracle, 1, "kill_auth");
    says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
    row_at(oracle, 1, 1, "kill", "fired", "{\"day\":\"2023-11-14\",\"again\":false}");
    truths(oracle, 5, 200, A_STOP);
    tick(oracle, 6);
    truths(oracle, 7, 200, A_STOP);
    says(oracle, HELD, "held", "kill_switch", "");
    row_at(oracle, HELD, 2, "kill", "held", "{}");
    tick(oracle, HELD);
    return oracle;
}

static void go_on(struct oracle *oracle, int64_t from, int64_t to) {
    for (int64_t second = from; second <= to; second += 5) {
        truths(oracle, second, 200, NONE);
        tick(oracle, second);
    }
}

static void arm(struct oracle *oracle, int64_t second) {
    clears(oracle, second, 3, "kill_auth", "kill_switch");
    says(oracle, second, "released", "armed", "\"resumed\":false");
}

Test(kill_course, a_life_as_it_should_be) {
    struct oracle *oracle = held();
    go_on(oracle, 10, 317);
    arm(oracle, 318);
    tick(oracle, 320);
    expect_kill(oracle, "", "");
}

Test(kill_course, armed_too_early) {
    struct oracle *oracle = held();
    go_on(oracle, 10, 315);
    arm(oracle, 317);
    expect_kill(oracle, "kill_runs_its_course", "armed 309 s after it was verified");
}

Test(kill_course, armed_behind_a_reading_that_failed) {
    struct oracle *oracle = held();
    go_on(oracle, 10, 310);
    answer(oracle, 312, "/v2/account", 500, "\n");
    go_on(oracle, 315, 320);
    arm(oracle, 321);
    expect_kill(oracle, "kill_runs_its_course", "armed 9000 ms after a reading that was not clean");
}

Test(kill_course, armed_beside_another_latch) {
    struct oracle *oracle = held();
    row_at(oracle, 9, 3, "latch_set", "look", "{\"mode\":\"REDUCE_ONLY\"}");
    go_on(oracle, 10, 320);
    clears(oracle, 321, 4, "kill_auth", "kill_switch");
    says(oracle, 321, "released", "armed", "\"resumed\":false");
    expect_kill(oracle, "kill_runs_its_course", "armed while look holds");
}

Test(kill_course, armed_though_that_is_off) {
    struct oracle *oracle = held();
    frame(oracle, "kill.auto_rearm", "0");
    go_on(oracle, 10, 320);
    arm(oracle, 321);
    expect_kill(oracle, "kill_runs_its_course", "armed itself, which is off");
}

Test(kill_course, never_armed) {
    struct oracle *oracle = held();
    word(oracle, EVENT_HEALED, 9, "", "");
    go_on(oracle, 10, 700);
    expect_kill(oracle, "kill_runs_its_course", "cooled down and not armed for");
}

Test(kill_course, verified_by_too_little) {
    static const struct {
        const char *first, *second;
        int64_t second_at;
        bool is_enough;
    } rows[] = {{NONE, NONE, 5, true},
                {NONE, NONE, 4, false},
                {A_BUY, NONE, 9, false},
                {NONE, A_BUY, 9, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = begin();
        says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        truths(oracle, 3, 200, rows[i].first);
        truths(oracle, rows[i].second_at, 200, rows[i].second);
        says(oracle, 10, "held", "kill_switch", "");
        expect_kill(oracle, rows[i].is_enough ? "" : "kill_runs_its_course",
                    rows[i].is_enough ? "" : "verified by listings");
    }
}

/* What ends a short opens nothing, though another instance was first to send it. */
Test(kill_course, a_listed_buy_of_what_is_short_is_no_entry) {
    static const struct {
        bool is_foreign;
        int64_t qty;
        bool is_enough;
    } rows[] = {{false, 10, true}, {true, 10, true}, {false, 11, false}, {true, 11, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = begin();
        if (rows[i].is_foreign) {
            frame(oracle, "foreign", "st-2023-11-14-1");
        }
        ledger_fill(oracle, 0, "by-hand", "sell", 10);
        says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        ledger_order(oracle, 2, "st-2023-11-14-1", "buy", "limit", "pending_new", rows[i].qty, 0);
        truths(oracle, 3, 200, A_BUY);
        ledger_fill(oracle, 4, "st-2023-11-14-1", "buy", rows[i].qty);
        ledger_order(oracle, 4, "st-2023-11-14-1", "buy", "limit", "filled", rows[i].qty,
                     rows[i].qty);
        truths(oracle, 5, 200, NONE);
        says(oracle, 5, "held", "kill_switch", "");
        expect_kill(oracle, rows[i].is_enough ? "" : "kill_runs_its_course",
                    rows[i].is_enough ? "" : "verified by listings");
    }
}

Test(kill_course, never_verified) {
    struct oracle *oracle = begin();
    word(oracle, EVENT_HEALED, 0, "", "");
    says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
    for (int64_t second = 5; second <= 400; second += 5) {
        truths(oracle, second, 200, NONE);
        if (second % 60 == 0) {
            word(oracle, EVENT_ALERT, second, "page", "kill_firing");
        }
        tick(oracle, second);
    }
    expect_kill(oracle, "kill_runs_its_course", "not verified for");
}

Test(kill_course, firing_and_nobody_is_told) {
    for (int is_paged = 0; is_paged < 2; is_paged++) {
        struct oracle *oracle = begin();
        says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        if (is_paged) {
            word(oracle, EVENT_ALERT, 61, "page", "kill_firing");
        }
        for (int64_t second = 5; second <= 100; second += 5) {
            tick(oracle, second);
        }
        expect_kill(oracle, is_paged ? "" : "kill_runs_its_course",
                    is_paged ? "" : "nobody was told");
    }
}

Test(kill_course, a_cause_that_fires_nothing) {
    struct oracle *oracle = begin();
    row(oracle, 1, "latch_set", "second_writer", "{\"mode\":\"HALT\"}");
    tick(oracle, 2);
    tick(oracle, 7);
    expect_kill(oracle, "kill_runs_its_course", "second_writer is latched, and nothing fires");
}

Test(kill_course, a_cause_of_which_no_copy_is_left_need_not_fire) {
    for (int is_back = 0; is_back < 2; is_back++) {
        struct oracle *oracle = begin();
        row_at(oracle, 1, 7, "latch_set", "second_writer", "{\"mode\":\"HALT\"}");
        says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        word(oracle, EVENT_STOP, 2, "dead", "");
        if (is_back) {
            word(oracle, EVENT_FAULT, 3, "disk.old_version", "journal.db*");
            word(oracle, EVENT_FAULT, 3, "disk.old_version", "governor_freezes.json*");
        }
        word(oracle, EVENT_START, 4, "ready", "");
        tick(oracle, 5);
        tick(oracle, 10);
        expect_kill(oracle, is_back ? "" : "kill_runs_its_course",
                    is_back ? "" : "second_writer is latched, and nothing fires");
    }
}

Test(kill_course, resumed_before_it_was_verified) {
    for (int is_held = 0; is_held < 2; is_held++) {
        struct oracle *oracle = is_held ? held() : begin();
        if (!is_held) {
            says(oracle, 1, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        }
        body_of(oracle, EVENT_OPERATOR, 12, "resume", "kill_auth", "resumed");
        expect_kill(oracle, is_held ? "" : "kill_runs_its_course",
                    is_held ? "" : "was resumed before entries were verified gone");
    }
}

Test(kill_course, a_persons_cause_is_ended_by_one) {
    struct oracle *oracle = begin();
    row(oracle, 1, "latch_set", "kill_switch", "{\"mode\":\"REDUCE_ONLY\"}");
    clears(oracle, 2, 2, "kill_switch", "kill_switch");
    expect_kill(oracle, "kill_runs_its_course", "kill_switch ended without a person");
}

Test(kill_course, incidents_are_counted_and_the_second_needs_a_person) {
    for (int i = 0; i < 3; i++) {
        struct oracle *oracle = held();
        if (i == 0) { /* a cause that joins is none */
            says(oracle, 9, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":true");
            latches(oracle, 9, "kill_repeated");
            expect_kill(oracle, "kill_runs_its_course", "kill_repeated at incident 1");
            continue;
        }
        go_on(oracle, 10, 317);
        arm(oracle, 318);
        bar(oracle, 319, 349, 2, 403);
        latches(oracle, 350, "kill_auth");
        says(oracle, 350, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
        row_at(oracle, 350, 4, "kill", "fired", "{\"day\":\"2023-11-14\",\"again\":false}");
        if (i == 1) {
            latches(oracle, 350, "kill_repeated");
        }
        tick(oracle, 356);
        expect_kill(oracle, i == 1 ? "" : "kill_runs_its_course",
                    i == 1 ? "" : "incident 2 of the day, and no person is needed");
    }
}

/* Its last cause was cleared, and the process died before it said that it is armed. */
Test(kill_course, an_incident_ends_with_a_life_that_leaves_no_cause) {
    struct oracle *oracle = held();
    go_on(oracle, 10, 317);
    clears(oracle, 318, 3, "kill_auth", "kill_switch");
    word(oracle, EVENT_STOP, 318, "dead", "");
    word(oracle, EVENT_START, 319, "ready", "");
    bar(oracle, 320, 350, 2, 403);
    latches(oracle, 351, "kill_auth");
    says(oracle, 351, "warned", "firing", "\"day\":\"2023-11-14\",\"again\":false");
    latches(oracle, 351, "kill_repeated");
    expect_kill(oracle, "", "");
}
