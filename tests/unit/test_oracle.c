/* test_oracle.c - each judge on the smallest streams: one that holds, one that breaks, and the edge
 * between them. */
#include "tests/unit/stream.h"

Test(oracle, is_content_with_nothing) {
    struct oracle *oracle = oracle_create();
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_str_eq(
        text_get(&verdict),
        "{\"broken\":[],\"not_shown\":0,\"maybe\":0,\"orders\":0,"
        "\"scores\":[],\"trips\":[],\"trips_not_shown\":0,\"unprotected_dollar_seconds\":\"0\","
        "\"naked_exits\":[],\"naked_exits_not_shown\":0,"
        "\"naked_exits_not_shown_dollar_seconds\":\"0\"}");
    text_release(&verdict);
    expect(oracle, "", 0);
}

Test(oracle, verdict_names_invariant_time_and_numbers) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "sell", 3);
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect_str_eq(
        text_get(&verdict),
        "{\"broken\":[{\"id\":\"never_short\",\"at\":\"2023-11-14T22:13:20Z\","
        "\"text\":\"AAPL: -3 shares after st-a\"}],\"not_shown\":0,\"maybe\":0,\"orders\":0,"
        "\"scores\":[{\"mechanism\":\"reduce_only\",\"due\":1,\"acted\":0,\"missed\":1,"
        "\"unfounded\":0,"
        "\"risky\":0,\"latency_ms\":0,\"overshoot_view\":\"0\",\"overshoot_own\":\"0\"}],"
        "\"trips\":[],\"trips_not_shown\":0,\"unprotected_dollar_seconds\":\"0\","
        "\"naked_exits\":[],\"naked_exits_not_shown\":0,"
        "\"naked_exits_not_shown_dollar_seconds\":\"0\"}");
    text_release(&verdict);
    expect(oracle, "never_short", 0);
}

Test(oracle, vocabulary_is_closed_and_round_trips) {
    for (int i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        enum oracle_invariant found = ORACLE_INVARIANT_COUNT;
        cr_expect(oracle_invariant_find(oracle_invariant_id((enum oracle_invariant)i), &found));
        cr_expect_eq((int)found, i);
    }
    enum oracle_invariant kept = ORACLE_EXITS;
    cr_expect_not(oracle_invariant_find("never_shorts", &kept));
    cr_expect_eq(kept, ORACLE_EXITS);
}

Test(one_order, the_usual_life_holds) {
    struct oracle *oracle = oracle_create();
    ledger_order(oracle, 1, "st-a", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 2, "st-a", "buy", "limit", "partially_filled", 10, 4);
    ledger_order(oracle, 3, "st-a", "buy", "limit", "canceled", 10, 4);
    ledger_order(oracle, 4, "st-b", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 5, "st-b", "buy", "limit", "pending_replace", 10, 0);
    ledger_order(oracle, 5, "st-c", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 5, "st-b", "buy", "limit", "replaced", 10, 0);
    ledger_order(oracle, 6, "other", "buy", "limit", "new", 10, 0);
    expect(oracle, "", 0);
}

Test(one_order, a_second_live_buy_in_a_symbol_breaks) {
    struct oracle *oracle = oracle_create();
    ledger_order(oracle, 1, "st-a", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 2, "st-b", "buy", "limit", "accepted", 10, 0);
    expect(oracle, "one_order_per_intent", 0);
}

Test(one_order, one_id_with_two_contents_breaks) {
    struct oracle *oracle = oracle_create();
    ledger_order(oracle, 1, "st-a", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 2, "st-a", "buy", "limit", "new", 11, 0);
    expect(oracle, "one_order_per_intent", 0);
}

Test(one_order, life_after_the_end_breaks) {
    struct oracle *oracle = oracle_create();
    ledger_order(oracle, 1, "st-a", "sell", "limit", "new", 10, 0);
    ledger_order(oracle, 2, "st-a", "sell", "limit", "filled", 10, 10);
    ledger_order(oracle, 3, "st-a", "sell", "limit", "new", 10, 0);
    expect(oracle, "one_order_per_intent", 0);
}

static void three_ticks(struct oracle *oracle, int64_t second) {
    for (int i = 0; i < 3; i++) {
        word(oracle, EVENT_TICK, second + i, "tick", "");
    }
}

Test(books, equal_at_a_clean_stop_holds) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 1, "st-a", "buy", 4);
    ledger_fill(oracle, 2, "st-a", "buy", 6);
    core_order(oracle, 3, "st-a", 10);
    three_ticks(oracle, 4);
    word(oracle, EVENT_STOP, 9, "clean", "");
    expect(oracle, "", 0);
}

Test(books, a_fill_that_was_never_booked_breaks_at_a_clean_stop_only) {
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        core_order(oracle, 2, "st-a", 9);
        three_ticks(oracle, 3);
        word(oracle, EVENT_STOP, 9, is_clean ? "clean" : "dead", "");
        expect(oracle, is_clean ? "books_equal_ledger" : "", 0);
    }
}

Test(books, a_fill_too_young_or_behind_a_fault_is_a_maybe) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 1, "st-a", "buy", 10);
    word(oracle, EVENT_TICK, 2, "tick", "");
    word(oracle, EVENT_TICK, 3, "tick", "");
    word(oracle, EVENT_STOP, 9, "clean", "");
    expect(oracle, "", 1);
    oracle = oracle_create();
    ledger_fill(oracle, 1, "st-a", "buy", 10);
    word(oracle, EVENT_FAULT, 1, "http.answer_lost", "");
    for (int i = 0; i < 11; i++) {
        word(oracle, EVENT_TICK, 3 + i, "tick", "");
    }
    word(oracle, EVENT_STOP, 19, "clean", "");
    expect(oracle, "", 1);
    oracle = oracle_create();
    ledger_fill(oracle, 1, "st-a", "buy", 10);
    word(oracle, EVENT_FAULT, 1, "http.answer_lost", "");
    for (int i = 0; i < 12; i++) {
        word(oracle, EVENT_TICK, 3 + i, "tick", "");
    }
    word(oracle, EVENT_STOP, 19, "clean", "");
    expect_finding(oracle, "books_equal_ledger", 19, "st-a: the core counts 0, the ledger 10");
}

Test(booked_once, growth_up_to_the_ledger_holds_and_one_share_more_breaks) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        row(oracle, 1, "fill", "st-a", "{\"qty\":\"4\"}");
        row(oracle, 2, "fill", "st-a", more ? "{\"qty\":\"7\"}" : "{\"qty\":\"6\"}");
        expect(oracle, more ? "fill_booked_once" : "", 0);
    }
}

Test(booked_once, a_core_that_counts_what_was_not_executed_breaks) {
    struct oracle *oracle = oracle_create();
    core_order(oracle, 1, "st-a", 1);
    expect(oracle, "fill_booked_once", 0);
}

Test(booked_once, after_a_journal_that_went_back_it_is_a_maybe) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 1, "st-a", "buy", 10);
    row(oracle, 5, "fill", "st-a", "{\"qty\":\"10\"}");
    word(oracle, EVENT_FAULT, 5, "disk.old_version", "");
    row(oracle, 5, "fill", "st-a", "{\"qty\":\"10\"}");
    expect(oracle, "", 2); /* that it went back is one too */
}

Test(never_short, flat_holds_and_one_share_below_breaks) {
    for (int more = 0; more < 2; more++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        ledger_fill(oracle, 2, "st-b", "sell", 10 + more);
        expect(oracle, more ? "never_short" : "", 0);
    }
}

static const int64_t SESSION = 58600; /* the market is open */

static void post_answered(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = "POST",
                                .what = "/v2/orders",
                                .number = 200,
                                .body = "\n{}",
                                .body_len = 3});
}

Test(restricted, exactly_five_seconds_in_holds_and_six_break) {
    for (int64_t second = 5; second <= 6; second++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_MODE, 0, "REDUCE_ONLY", "NORMAL");
        ledger_order(oracle, second, "st-a", "buy", "limit", "pending_new", 10, 0);
        expect(oracle, second == 6 ? "no_entry_while_restricted" : "", 0);
    }
}

Test(restricted, raising_the_mode_does_not_start_anew) {
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_MODE, 0, "REDUCE_ONLY", "NORMAL");
    word(oracle, EVENT_MODE, 10, "HALT", "REDUCE_ONLY");
    ledger_order(oracle, 12, "st-a", "buy", "limit", "new", 10, 0);
    expect(oracle, "no_entry_while_restricted", 0);
}

Test(restricted, sales_foreigners_old_orders_and_other_modes_are_free) {
    struct oracle *oracle = oracle_create();
    ledger_order(oracle, 0, "st-a", "buy", "limit", "new", 10, 0);
    word(oracle, EVENT_MODE, 1, "REDUCE_ONLY", "NORMAL");
    ledger_order(oracle, 20, "st-a", "buy", "limit", "new", 10, 0);
    ledger_order(oracle, 21, "st-a", "buy", "limit", "canceled", 10, 0);
    ledger_order(oracle, 20, "st-b", "sell", "limit", "new", 10, 0);
    ledger_order(oracle, 20, "someone", "buy", "limit", "new", 10, 0);
    word(oracle, EVENT_MODE, 30, "CAUTION", "REDUCE_ONLY");
    ledger_order(oracle, 31, "st-c", "buy", "limit", "new", 10, 0);
    expect(oracle, "", 0);
}

Test(restricted, a_late_arrival_is_a_maybe_for_thirty_seconds) {
    for (int64_t second = 30; second <= 31; second++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FAULT, 0, "http.late_arrival", "");
        word(oracle, EVENT_MODE, 0, "REDUCE_ONLY", "NORMAL");
        ledger_order(oracle, second, "st-a", "buy", "limit", "new", 10, 0);
        expect(oracle, second == 31 ? "no_entry_while_restricted" : "", second == 30);
    }
}

/* A buy leaves before the core dies, is answered or not, and arrives `late` seconds behind the death, by when a
 * new core is restricted. */
static struct oracle *late_behind_death(bool is_answered, bool is_dead, const char *id,
                                        int64_t late) {
    struct oracle *oracle = oracle_create();
    order_leaves(oracle, SESSION, "buy", "AAPL", "st-a");
    if (is_answered) {
        post_answered(oracle, SESSION);
    }
    if (is_dead) {
        word(oracle, EVENT_STOP, SESSION + 1, "dead", "");
        word(oracle, EVENT_START, SESSION + 2, "ready", "");
    }
    word(oracle, EVENT_MODE, SESSION + 2, "REDUCE_ONLY", "NORMAL");
    ledger_order(oracle, SESSION + 1 + late, id, "buy", "limit", "new", 10, 0);
    return oracle;
}

Test(restricted, a_buy_on_the_wire_of_who_died_is_a_maybe_for_thirty_seconds) {
    expect(late_behind_death(false, true, "st-a", 30), "", 1);
    expect(late_behind_death(false, true, "st-a", 31), "no_entry_while_restricted", 0);
    expect(late_behind_death(false, true, "st-b", 30), "no_entry_while_restricted", 0);
    expect(late_behind_death(true, true, "st-a", 30), "no_entry_while_restricted", 0);
    expect(late_behind_death(false, false, "st-a", 30), "no_entry_while_restricted", 0);
}

Test(restricted, what_the_next_core_sends_is_not_on_the_wire_of_who_died) {
    struct oracle *oracle = oracle_create();
    word(oracle, EVENT_STOP, SESSION, "dead", "");
    word(oracle, EVENT_START, SESSION + 1, "ready", "");
    word(oracle, EVENT_MODE, SESSION + 1, "REDUCE_ONLY", "NORMAL");
    order_leaves(oracle, SESSION + 10, "buy", "AAPL", "st-b");
    ledger_order(oracle, SESSION + 11, "st-b", "buy", "limit", "new", 10, 0);
    expect(oracle, "no_entry_while_restricted", 0);
}

/* What a file says never of is said of the day that it foresaw. */
Test(oracle, an_excuse_is_a_break_under_never_until_something_unforeseen) {
    for (int is_unforeseen = 0; is_unforeseen < 2; is_unforeseen++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_FRAME, 0, "never", "no_entry_while_restricted");
        if (is_unforeseen) {
            oracle_take_unforeseen(oracle);
        }
        word(oracle, EVENT_FAULT, 0, "http.late_arrival", "");
        word(oracle, EVENT_MODE, 0, "REDUCE_ONLY", "NORMAL");
        ledger_order(oracle, 30, "st-a", "buy", "limit", "new", 10, 0);
        expect(oracle, is_unforeseen ? "" : "no_entry_while_restricted", is_unforeseen);
    }
}

Test(oracle, what_breaks_breaks_behind_the_unforeseen_too) {
    struct oracle *oracle = oracle_create();
    oracle_take_unforeseen(oracle);
    ledger_fill(oracle, 1, "st-a", "sell", 1);
    expect(oracle, "never_short", 0);
}

Test(restricted, a_buy_in_the_tick_that_ends_the_mode_waits_for_its_word) {
    for (int is_ended = 0; is_ended < 2; is_ended++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_MODE, 0, "REDUCE_ONLY", "NORMAL");
        word(oracle, EVENT_MECHANISM, 40, "degraded_mode", "released");
        ledger_order(oracle, 40, "st-a", "buy", "limit", "new", 10, 0);
        if (is_ended) {
            word(oracle, EVENT_MODE, 40, "NORMAL", "REDUCE_ONLY");
        }
        word(oracle, EVENT_TICK, 40, "cycle", "");
        expect(oracle, is_ended ? "" : "no_entry_while_restricted", 0);
    }
}

static void hold_with_stop(struct oracle *oracle) {
    ledger_fill(oracle, 1, "st-a", "buy", 10);
    ledger_order(oracle, 1, "st-s", "sell", "stop", "new", 10, 0);
}

Test(stops, a_cancel_with_no_exit_at_work_breaks) {
    static const char *const phases[] = {"", "decided", "releasing", "working", "over"};
    for (size_t i = 0; i < 5; i++) {
        struct oracle *oracle = oracle_create();
        hold_with_stop(oracle);
        phase(oracle, 2, "releasing");
        phase(oracle, 2, phases[i][0] == '\0' ? "over" : phases[i]);
        ledger_order(oracle, 3, "st-s", "sell", "stop", "pending_cancel", 10, 0);
        bool is_free = i == 2 || i == 3;
        expect(oracle, is_free ? "" : "stop_cancelled_outside_transaction", 0);
    }
}

/* Of an OCO the stop is its leg; the ledger says whose. */
Test(stops, a_leg_goes_with_the_order_it_guarded_and_with_no_other) {
    static const struct {
        const char *owner, *kind, *end;
        int64_t second;
        bool is_broken;
    } rows[] = {{"st-t", "stop of st-t", "canceled", 3, true},
                {"st-t", "stop of st-t", "filled", 3, false},
                {"st-t", "stop of st-t", "rejected", 3, false},
                {"st-t", "stop of st-t", "filled", 2, true},
                {"st-t", "stop of st-t", "pending_cancel", 3, true},
                {"x-t", "stop of x-t", "canceled", 3, false},
                {"st-t", "limit of st-t", "canceled", 3, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 1, "st-a", "buy", 20);
        ledger_order(oracle, 1, rows[i].owner, "sell", "limit", "new", 10, 0);
        ledger_order(oracle, 1, "leg", "sell", rows[i].kind, "held", 10, 0);
        ledger_order(oracle, rows[i].second, rows[i].owner, "sell", "limit", rows[i].end, 10, 0);
        ledger_order(oracle, 3, "leg", "sell", rows[i].kind, "canceled", 10, 0);
        expect(oracle, rows[i].is_broken ? "stop_cancelled_outside_transaction" : "", 0);
    }
}

static void oco_phase(struct oracle *oracle, int64_t second, const char *what,
                      const char *purpose) {
    char body[64];
    snprintf(body, sizeof body, "{\"purpose\":\"%s\"}", purpose);
    feed(oracle, (struct event){.kind = EVENT_EXIT,
                                .at = at(second),
                                .subject = "time",
                                .what = what,
                                .symbol = "AAPL",
                                .qty = QTY(10),
                                .body = body,
                                .body_len = strlen(body)});
}

/* Answered with an order, or, where the status is given below zero, with a page. */
static void patched(struct oracle *oracle, int64_t second, int64_t status) {
    const char *body = status < 0 ? "{}\n<html>" : "{}\n{\"replaces\":\"b\"}";
    feed(oracle, (struct event){.kind = EVENT_HTTP,
                                .at = at(second),
                                .subject = "PATCH",
                                .what = "/v2/orders/b",
                                .id = "",
                                .number = status < 0 ? -status : status,
                                .body = body,
                                .body_len = strlen(body)});
}

/* Ten shares at 100 USD under an OCO that is `new` at 2 s; its exit begins at 35 s, and it is asked to be cancelled. */
Test(oco, an_exit_of_all_of_it_does_not_cancel_it) {
    static const struct {
        const char *what, *purpose;
        int64_t held, new_at, patch; /* the status of a change at 36 s; 1: none is sent */
        bool is_lone;
        const char *cap;
        bool is_broken;
    } rows[] = {
        {"working", "exit", 10, 2, 1, false, "10000", true},
        {"releasing", "exit", 10, 2, 200, false, "10000", true},
        {"working", "exit", 10, 2, 422, false, "10000", false},
        {"working", "exit", 10, 2, 0, false, "10000", false},
        {"working", "exit", 10, 2, -200, false, "10000", false},
        {"working", "scale_out", 10, 2, 1, false, "10000", false},
        {"working", "exit", 15, 2, 1, false, "10000", false},
        {"working", "exit", 10, 5, 1, false, "10000", true},  /* new for 30 s */
        {"working", "exit", 10, 6, 1, false, "10000", false}, /* and for 29 s */
        {"working", "exit", 10, 2, 1, true, "10000", false},
        {"working", "exit", 10, 2, 1, false, "1499", false},
        {"working", "exit", 10, 2, 1, false, "1500", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "orders.cap_usd", rows[i].cap);
        ledger_fill(oracle, 1, "st-a", "buy", rows[i].held);
        ledger_order(oracle, 1, "st-t", "sell", "limit", "pending_new", 10, 0);
        if (!rows[i].is_lone) {
            ledger_order(oracle, 1, "leg", "sell", "waiting stop of st-t", "held", 10, 0);
        }
        ledger_order(oracle, rows[i].new_at, "st-t", "sell", "limit", "new", 10, 0);
        oco_phase(oracle, 35, "releasing", rows[i].purpose);
        oco_phase(oracle, 35, rows[i].what, rows[i].purpose);
        if (rows[i].patch != 1) {
            patched(oracle, 36, rows[i].patch);
        }
        ledger_order(oracle, 37, "st-t", "sell", "limit", "pending_cancel", 10, 0);
        ledger_order(oracle, 38, "st-t", "sell", "limit", "pending_cancel", 10, 0);
        expect(oracle, rows[i].is_broken ? "oco_exit_keeps_its_stop" : "", 0);
    }
}

static void sent_change(struct oracle *oracle, int64_t second, const char *limit) {
    char body[96];
    snprintf(body, sizeof body, "{\"limit_price\":\"%s\",\"client_order_id\":\"st-u\"}", limit);
    feed(oracle, (struct event){.kind = EVENT_SEND,
                                .at = at(second),
                                .subject = "PATCH",
                                .what = "/v2/orders/b",
                                .id = "",
                                .body = body,
                                .body_len = strlen(body)});
}

/* st-t is re-priced as st-u, which is cancelled a second later: the group is known by its leg. */
Test(oco, an_exit_does_not_cancel_what_its_group_went_on_as) {
    static const struct {
        const char *limit, *refused; /* a change of that symbol, while st-u works */
        bool has_leg, is_broken;
    } rows[] = {{"99", "", true, true},     {"96.52", "", true, true},
                {"96.51", "", true, false}, /* right above its stop: the ladder could not go on */
                {"99", "MSFT", true, true}, {"99", "AAPL", true, false},
                {"99", "", false, false}};
    static const char post[] =
        "{\"symbol\":\"AAPL\",\"qty\":\"10\",\"side\":\"sell\",\"type\":\"limit\","
        "\"order_class\":\"oco\",\"stop_loss\":{\"stop_price\":\"96.5\"},"
        "\"client_order_id\":\"st-t\"}";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = oracle_create();
        frame(oracle, "orders.cap_usd", "10000");
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        feed(oracle, (struct event){.kind = EVENT_SEND,
                                    .at = at(1),
                                    .subject = "POST",
                                    .what = "/v2/orders",
                                    .id = "",
                                    .body = post,
                                    .body_len = strlen(post)});
        ledger_order(oracle, 1, "st-t", "sell", "limit", "pending_new", 10, 0);
        ledger_order(oracle, 1, "leg", "sell", "waiting stop of st-t", "held", 10, 0);
        ledger_order(oracle, 2, "st-t", "sell", "limit", "new", 10, 0);
        oco_phase(oracle, 35, "working", "exit");
        feed(oracle, (struct event){.kind = EVENT_ORDER,
                                    .at = at(35),
                                    .subject = "exit",
                                    .what = "intent",
                                    .symbol = rows[i].refused[0] == '\0' ? "AAPL" : rows[i].refused,
                                    .id = "st-u",
                                    .body = "{}",
                                    .body_len = 2});
        sent_change(oracle, 35, rows[i].limit);
        patched(oracle, 35, rows[i].refused[0] == '\0' ? 200 : 422);
        ledger_order(oracle, 35, "st-t", "sell", "limit", "replaced", 10, 0);
        ledger_order(oracle, 35, "st-u", "sell", "limit", "new", 10, 0);
        if (rows[i].has_leg) {
            ledger_order(oracle, 35, "leg", "sell", "stop of st-u", "held", 10, 0);
        }
        ledger_order(oracle, 36, "st-u", "sell", "limit", "pending_cancel", 10, 0);
        expect(oracle, rows[i].is_broken ? "oco_exit_keeps_its_stop" : "", 0);
    }
}

Test(stops, what_an_instance_elsewhere_cancels_is_not_the_cores_act) {
    static const char *const asks[] = {"DELETE /v2/orders/b", "PATCH /v2/orders/b",
                                       "GET /v2/orders", "DELETE /v2/orders/b"};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 1, "st-a", "buy", 10);
        ledger_order(oracle, 2, "st-s", "sell", "stop", "new", 10, 0);
        feed(oracle, (struct event){.kind = EVENT_OTHER,
                                    .at = at(3),
                                    .subject = "send",
                                    .what = asks[i],
                                    .id = "elsewhere"});
        if (i == 3) {
            feed(oracle, (struct event){.kind = EVENT_OTHER,
                                        .at = at(3),
                                        .subject = "http",
                                        .what = asks[i],
                                        .id = "elsewhere"});
        }
        ledger_order(oracle, 3, "st-s", "sell", "stop", "pending_cancel", 10, 0);
        expect(oracle, i < 2 ? "" : "stop_cancelled_outside_transaction", 0);
    }
}

Test(stops, a_restart_leaves_the_transaction_open) {
    struct oracle *oracle = oracle_create();
    hold_with_stop(oracle);
    phase(oracle, 2, "releasing");
    word(oracle, EVENT_STOP, 3, "dead", "");
    word(oracle, EVENT_START, 4, "ready", "");
    ledger_order(oracle, 5, "st-s", "sell", "stop", "canceled", 10, 0);
    expect(oracle, "", 0);
}

Test(stops, an_operator_by_name_may_for_a_minute) {
    struct {
        const char *what;
        int64_t second;
        bool is_broken;
    } cases[] = {{"AAPL", 62, false}, {"AAPL", 63, true}, {"", 62, false}, {"MSFT", 10, true}};
    for (size_t i = 0; i < 4; i++) {
        struct oracle *oracle = oracle_create();
        hold_with_stop(oracle);
        word(oracle, EVENT_OPERATOR, 2, "flatten", cases[i].what);
        ledger_order(oracle, cases[i].second, "st-s", "sell", "stop", "canceled", 10, 0);
        expect(oracle, cases[i].is_broken ? "stop_cancelled_outside_transaction" : "", 0);
    }
}

Test(stops, replacing_expiring_or_cancelling_over_no_position_is_free) {
    struct oracle *oracle = oracle_create();
    hold_with_stop(oracle);
    ledger_order(oracle, 3, "st-s", "sell", "stop", "replaced", 10, 0);
    ledger_order(oracle, 4, "st-l", "sell", "limit", "canceled", 10, 0);
    ledger_fill(oracle, 5, "st-x", "sell", 10);
    ledger_order(oracle, 6, "st-t", "sell", "stop", "canceled", 10, 0);
    expect(oracle, "", 0);
}

Test(stops, a_cancel_that_a_fault_made_is_a_maybe) {
    struct oracle *oracle = oracle_create();
    hold_with_stop(oracle);
    word(oracle, EVENT_FAULT, 2, "order.unsolicited_cancel", "");
    ledger_order(oracle, 3, "st-s", "sell", "stop", "canceled", 10, 0);
    expect(oracle, "", 1);
}

/* A tick, and what the ledger did in it. */
static void tick_told(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, second, "tick", "");
    equity(oracle, second, 100000);
}

Test(exits, sixty_seconds_hold_and_more_break) {
    for (int64_t second = 62; second <= 63; second++) {
        struct oracle *oracle = oracle_create();
        phase(oracle, 1, "decided");
        phase(oracle, 2, "releasing");
        phase(oracle, 3, "working");
        tick_told(oracle, second);
        expect(oracle, second == 63 ? "exits_leave" : "", 0);
    }
}

Test(exits, waiting_decided_over_paged_or_dead_is_no_breach) {
    for (int i = 0; i < 5; i++) {
        struct oracle *oracle = oracle_create();
        phase(oracle, 1, i == 0 ? "decided" : "releasing");
        if (i == 1) {
            phase(oracle, 30, "over");
        } else if (i == 2) {
            body_of(oracle, EVENT_ALERT, 30, "page", "exit_unfilled", "AAPL");
        } else if (i == 3) {
            word(oracle, EVENT_STOP, 30, "dead", "");
        } else if (i == 4) {
            phase(oracle, 30, "decided");
        }
        tick_told(oracle, 300);
        expect(oracle, "", 0);
    }
}

Test(exits, the_ledger_may_say_over_where_the_core_cannot) {
    for (int64_t sold = 9; sold <= 10; sold++) {
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 0, "st-a", "buy", 30);
        phase(oracle, 1, "releasing"); /* of 10 */
        ledger_fill(oracle, 5, "st-b", "sell", sold);
        tick_told(oracle, 62);
        expect(oracle, sold == 10 ? "" : "exits_leave", 0);
    }
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 5);
    phase(oracle, 1, "releasing");
    ledger_fill(oracle, 5, "st-b", "sell", 5); /* less than meant, and flat */
    tick_told(oracle, 62);
    expect(oracle, "", 0);
}

Test(exits, what_the_ledger_did_within_a_long_tick_is_told_behind_it) {
    for (int how = 0; how < 3; how++) { /* sold within the tick; after it; paged after it */
        struct oracle *oracle = oracle_create();
        ledger_fill(oracle, 0, "st-a", "buy", 10);
        phase(oracle, 1, "releasing");
        word(oracle, EVENT_TICK, 70, "tick", "");
        body_of(oracle, EVENT_ALERT, 70, "page", how == 2 ? "exit_unfilled" : "tick_slow", "");
        ledger_fill(oracle, how == 1 ? 71 : 30, "st-b", "sell", 10);
        equity(oracle, 71, 100000);
        expect(oracle, how == 0 ? "" : "exits_leave", 0);
    }
}

Test(exits, a_warning_or_a_page_about_another_thing_is_no_page) {
    for (int i = 0; i < 2; i++) {
        struct oracle *oracle = oracle_create();
        phase(oracle, 1, "releasing");
        body_of(oracle, EVENT_ALERT, 30, i == 0 ? "warn" : "page",
                i == 0 ? "exit_unfilled" : "daily_loss", i == 0 ? "AAPL" : "MSFT lost");
        tick_told(oracle, 62);
        expect(oracle, "exits_leave", 0);
    }
}

Test(exits, under_halt_it_is_a_maybe) {
    struct oracle *oracle = oracle_create();
    phase(oracle, 1, "releasing");
    word(oracle, EVENT_MODE, 5, "HALT", "NORMAL");
    tick_told(oracle, 300);
    expect(oracle, "", 1);
}

static const char SET[] = "{\"mode\":\"REDUCE_ONLY\",\"by\":\"core\",\"why\":\"\"}";

Test(latches, a_mode_at_or_above_the_latch_holds) {
    struct oracle *oracle = oracle_create();
    row(oracle, 1, "latch_set", "daily_loss", SET);
    word(oracle, EVENT_MODE, 2, "REDUCE_ONLY", "NORMAL");
    word(oracle, EVENT_TICK, 2, "tick", "");
    word(oracle, EVENT_MODE, 3, "HALT", "REDUCE_ONLY");
    word(oracle, EVENT_TICK, 3, "tick", "");
    expect(oracle, "", 0);
}

Test(latches, normal_breaks_unless_cleared) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 1, "latch_set", "daily_loss", SET);
        word(oracle, EVENT_MODE, 2, "REDUCE_ONLY", "NORMAL");
        word(oracle, EVENT_TICK, 2, "tick", "");
        if (how == 1) {
            row(oracle, 3, "latch_clear", "daily_loss", "{}");
        } else if (how == 2) {
            word(oracle, EVENT_MECHANISM, 3, "daily_loss", "released");
        }
        word(oracle, EVENT_MODE, 4, "NORMAL", "REDUCE_ONLY");
        word(oracle, EVENT_TICK, 4, "tick", "");
        expect(oracle, how == 0 ? "latch_never_lost" : "", 0);
    }
}

Test(latches, one_mechanism_may_hold_two_causes) {
    for (int is_both = 0; is_both < 2; is_both++) {
        struct oracle *oracle = oracle_create();
        row(oracle, 1, "latch_set", "lunch", SET);
        row(oracle, 2, "latch_set", "audit", SET);
        body_of(oracle, EVENT_MECHANISM, 3, "operator_freeze", "released", "\"cause\":\"lunch\"");
        if (is_both) {
            body_of(oracle, EVENT_MECHANISM, 4, "operator_freeze", "released",
                    "\"cause\":\"audit\"");
        }
        word(oracle, EVENT_TICK, 5, "tick", "");
        expect(oracle, is_both ? "" : "latch_never_lost", 0);
    }
}

Test(latches, clearing_another_cause_clears_nothing) {
    struct oracle *oracle = oracle_create();
    row(oracle, 1, "latch_set", "daily_loss", SET);
    row(oracle, 2, "latch_set", "kill_switch", SET);
    row(oracle, 3, "latch_clear", "kill_switch", "{}");
    word(oracle, EVENT_TICK, 4, "tick", "");
    expect(oracle, "latch_never_lost", 0);
}

Test(latches, one_that_is_lost_is_missed_by_the_mechanism_behind_its_cause) {
    static const char *const rows[][2] = {
        {"daily_loss", "daily_loss"},          {"kill_auth", "kill_switch"},
        {"journal_down", "atomic_state"},      {"lease_lost", "single_instance"},
        {"wrong_account", "startup_contract"}, {"lunch", "operator_freeze"},
        {"operator_freeze", "operator_freeze"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char score[120];
        struct oracle *oracle = oracle_create();
        row(oracle, 1, "latch_set", rows[i][0], SET);
        word(oracle, EVENT_TICK, 4, "tick", "");
        snprintf(score, sizeof score,
                 "\"scores\":[{\"mechanism\":\"%s\",\"due\":1,\"acted\":0,\"missed\":1,",
                 rows[i][1]);
        expect_scored(oracle, "latch_never_lost", score);
    }
}

Test(latches, a_restart_that_forgets_breaks) {
    struct oracle *oracle = oracle_create();
    row(oracle, 1, "latch_set", "daily_loss", SET);
    word(oracle, EVENT_MODE, 2, "REDUCE_ONLY", "NORMAL");
    word(oracle, EVENT_STOP, 3, "dead", "");
    word(oracle, EVENT_START, 3, "ready", "");
    word(oracle, EVENT_TICK, 4, "tick", "");
    expect_finding(oracle, "latch_never_lost", 4,
                   "daily_loss is latched, nobody cleared it, and the mode is below it");
}

Test(latches, one_that_no_row_holds_may_die_with_its_process) {
    static const char latched[] = "\"cause\":\"second_writer\",\"mode\":\"HALT\",\"latched\":true";
    enum { ALIVE, DEAD, DEAD_TWICE, KEPT, LOST_LATER, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        word(oracle, EVENT_OPERATOR, 0, "foreign_order", "");
        body_of(oracle, EVENT_MECHANISM, 1, "second_writer", "acted", latched);
        for (int life = 0; life < (how == ALIVE ? 0 : how == DEAD_TWICE ? 2 : 1); life++) {
            word(oracle, EVENT_STOP, 2, "dead", "");
            word(oracle, EVENT_START, 2, "ready", "");
        }
        if (how >= KEPT) { /* its row was durable after all */
            body_of(oracle, EVENT_MODE, 3, "HALT", "NORMAL",
                    "\"second_writer\":{\"active\":true,\"mode\":\"HALT\",\"latched\":true}");
        }
        word(oracle, EVENT_TICK, 3, "tick", "");
        if (how == LOST_LATER) {
            word(oracle, EVENT_MODE, 4, "NORMAL", "HALT");
            word(oracle, EVENT_TICK, 4, "tick", "");
        }
        expect(oracle, how == ALIVE || how == LOST_LATER ? "latch_never_lost" : "",
               how == DEAD || how == DEAD_TWICE);
    }
}

static const char HALT_SET[] = "{\"mode\":\"HALT\",\"by\":\"core\",\"why\":\"\"}";

/* What the disk brings back as it was at the next start. */
static void goes_back(struct oracle *oracle, const char *target) {
    word(oracle, EVENT_FAULT, 3, "disk.old_version", target);
}

/* The document of positions, as of a row. */
static void stamped(struct oracle *oracle, int64_t number) {
    feed(oracle, (struct event){.kind = EVENT_DOCUMENT,
                                .at = at(3),
                                .subject = "position_metadata.json",
                                .number = number});
}

Test(latches, what_the_journal_alone_held_is_no_more_than_the_regression_that_is_told) {
    enum {
        TOLD,
        ROTTEN,
        NO_STAMP,
        ROTTEN_WHILE_UP,
        UNTOLD,
        STAMP_KEPT,
        ROW_KEPT,
        DOCUMENTED,
        COUNT
    };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        int64_t number = how == ROW_KEPT ? 6 : 5;
        row(oracle, 5, "latch_set", "lease_lost", HALT_SET);
        if (how == ROTTEN_WHILE_UP) { /* it goes on with what it has */
            word(oracle, EVENT_FAULT, 3, "disk.bit_rot", "read journal.db-wal");
        }
        if (how == DOCUMENTED) {
            body_of(oracle, EVENT_DOCUMENT, 5, "governor_freezes.json", "",
                    "{\"lease_lost\":{\"active\":true}}");
        } else if (how != NO_STAMP) { /* a stamp among the rows that are kept tells nothing */
            stamped(oracle, how == STAMP_KEPT ? 4 : 5);
        }
        word(oracle, EVENT_STOP, 3, "dead", "");
        if (how == ROTTEN) {
            word(oracle, EVENT_FAULT, 3, "disk.bit_rot", "read journal.db-wal");
        } else if (how != ROTTEN_WHILE_UP) {
            goes_back(oracle, "journal.db*");
        }
        row(oracle, number, "start", "", "{}");
        bool is_unknowable = how == NO_STAMP || how == STAMP_KEPT;
        if (how != UNTOLD && !is_unknowable) {
            row(oracle, number + 1, "latch_set", "state_regression", SET);
        }
        word(oracle, EVENT_START, 3, "ready", "");
        word(oracle, EVENT_MODE, 4, "REDUCE_ONLY", "NORMAL");
        word(oracle, EVENT_TICK, 4, "tick", "");
        bool is_known = how == TOLD || how == ROTTEN || is_unknowable;
        expect(oracle, is_known ? "" : "latch_never_lost",
               is_known ? 2 : how != ROW_KEPT); /* that the journal went back is a maybe, too */
    }
}

Test(latches, when_every_copy_went_back_the_clear_of_the_last_sign_ends_it) {
    enum { ALL_BACK, POSITIONS_STAND, FREEZES_STAND, ROW_KEPT, BOTH_SIGNS, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        int64_t number = how == ROW_KEPT ? 6 : 5;
        row(oracle, 5, "latch_set", "review", SET);
        body_of(oracle, EVENT_DOCUMENT, 5, "governor_freezes.json", "",
                "{\"review\":{\"active\":true}}");
        word(oracle, EVENT_STOP, 3, "dead", "");
        goes_back(oracle, how == POSITIONS_STAND ? "lease.json*" : "position_metadata.json*");
        goes_back(oracle, "journal.db*");
        goes_back(oracle, how == FREEZES_STAND ? "lease.json*" : "governor_freezes.json*");
        row(oracle, number, "start", "", "{}");
        word(oracle, EVENT_START, 3, "ready", "");
        row(oracle, number + 1, "latch_set", "second_writer", HALT_SET);
        if (how == BOTH_SIGNS) {
            row(oracle, number + 2, "latch_set", "state_regression", SET);
        }
        row(oracle, number + 3, "latch_clear", "second_writer", "{}");
        if (how == BOTH_SIGNS) {
            word(oracle, EVENT_MODE, 4, "REDUCE_ONLY", "NORMAL");
            word(oracle, EVENT_TICK, 4, "tick", "");
            row(oracle, number + 4, "latch_clear", "state_regression", "{}");
            word(oracle, EVENT_MODE, 5, "NORMAL", "REDUCE_ONLY");
        }
        word(oracle, EVENT_TICK, 5, "tick", "");
        bool is_lost = how != ALL_BACK && how != BOTH_SIGNS;
        expect(oracle, is_lost ? "latch_never_lost" : "", is_lost ? how != ROW_KEPT : 2);
    }
}

/* The journal and the document of freezes lose a latch, both or one, by syncs that were lies or were none. */
Test(latches, what_only_lying_syncs_held_may_be_gone) {
    enum { BOTH_LIED, HONEST_JOURNAL, HONEST_DOCUMENT, LIE_IS_OLDER, ROW_KEPT, COUNT };
    for (int how = 0; how < COUNT; how++) {
        struct oracle *oracle = oracle_create();
        if (how != HONEST_JOURNAL) {
            word(oracle, EVENT_FAULT, 1, "disk.lying_fsync", "sync journal.db-wal");
        }
        if (how == LIE_IS_OLDER) {
            word(oracle, EVENT_TICK, 1, "tick", "");
        }
        row(oracle, 5, "latch_set", "second_writer", HALT_SET);
        if (how != HONEST_DOCUMENT) {
            word(oracle, EVENT_FAULT, 2, "disk.lying_fsync", "sync governor_freezes.json.tmp");
        }
        body_of(oracle, EVENT_DOCUMENT, 2, "governor_freezes.json", "",
                "{\"second_writer\":{\"active\":true}}");
        word(oracle, EVENT_MODE, 2, "HALT", "NORMAL");
        word(oracle, EVENT_STOP, 3, "dead", "");
        row(oracle, how == ROW_KEPT ? 6 : 5, "start", "", "{}");
        word(oracle, EVENT_START, 3, "ready", "");
        word(oracle, EVENT_MODE, 4, "NORMAL", "HALT");
        word(oracle, EVENT_TICK, 4, "tick", "");
        if (how == BOTH_LIED) {
            expect(oracle, "", 2); /* that the journal went back is a maybe, too */
        } else {
            expect(oracle, "latch_never_lost", how != ROW_KEPT);
        }
    }
}

Test(latches, a_while_true_cause_is_none) {
    struct oracle *oracle = oracle_create();
    body_of(oracle, EVENT_MECHANISM, 1, "degraded_mode", "acted",
            "\"cause\":\"degraded_mode\",\"mode\":\"REDUCE_ONLY\",\"latched\":false");
    word(oracle, EVENT_TICK, 2, "tick", "");
    expect(oracle, "", 0);
}

static void expect_measure(struct oracle *oracle, const char *value) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    char said[80];
    snprintf(said, sizeof said, "\"unprotected_dollar_seconds\":\"%s\"", value);
    cr_expect(strstr(text_get(&verdict), said) != NULL, "%s", text_get(&verdict));
    text_release(&verdict);
}

Test(protection, counts_what_no_live_stop_covers) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 10);                            /* 1000 USD naked */
    ledger_order(oracle, 5, "st-s", "sell", "stop", "pending_new", 6, 0); /* not yet resting */
    ledger_order(oracle, 7, "st-s", "sell", "stop", "new", 6, 0);         /* 7 s x 1000 */
    ledger_order(oracle, 10, "st-t", "sell", "stop", "new", 4, 0);        /* 3 s x 400 */
    ledger_order(oracle, 20, "st-s", "sell", "stop", "canceled", 6, 0);   /* 10 s x 0 */
    word(oracle, EVENT_TICK, 22, "tick", "");                             /* 2 s x 600 */
    expect_measure(oracle, "9400");
    ledger_fill(oracle, 22, "st-x", "sell", 6);
    word(oracle, EVENT_TICK, 100, "tick", ""); /* 4 left, all under st-t */
    expect_measure(oracle, "9400");
    expect(oracle, "stop_cancelled_outside_transaction", 0); /* st-s, at 20 s */
}

/* Of all exits so far, members and all. */
static void expect_exits(const struct oracle *oracle, const char *members) {
    struct text said = {0};
    oracle_print_naked_exits(oracle, &said);
    cr_expect_str_eq(text_get(&said), members);
    text_release(&said);
}

#define NO_MORE "],\"naked_exits_not_shown\":0,\"naked_exits_not_shown_dollar_seconds\":\"0\""
#define EXIT_OF(decided, over, bare, sum)                                                          \
    "{\"symbol\":\"AAPL\",\"reason\":\"time\",\"decided\":\"2023-11-14T22:13:" decided             \
    "Z\",\"over\":" over ",\"bare_s\":\"" bare "\",\"dollar_seconds\":\"" sum "\"}"

Test(protection, gives_an_exit_what_lies_bare_between_its_decision_and_its_end) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 10); /* bare for 2 s, and no exit's */
    ledger_order(oracle, 2, "st-s", "sell", "stop", "new", 10, 0);
    phase(oracle, 4, "decided");
    phase(oracle, 5, "releasing");
    expect_exits(oracle, "\"naked_exits\":[" EXIT_OF("24", "null", "0", "0") NO_MORE);
    phase(oracle, 9, "over"); /* told within the tick; the ledger's word of it comes behind */
    ledger_order(oracle, 6, "st-s", "sell", "stop", "canceled", 10, 0);
    ledger_fill(oracle, 8, "st-x", "sell", 4); /* 2 s x 1000 */
    word(oracle, EVENT_TICK, 20, "tick", "");  /* 1 s x 600, up to its end */
    expect_exits(oracle, "\"naked_exits\":[" EXIT_OF("24", "\"2023-11-14T22:13:29Z\"", "3", "2600")
                             NO_MORE);
    phase(oracle, 30, "resumed"); /* by a successor: an exit of its own, until now */
    word(oracle, EVENT_TICK, 35, "tick", "");
    expect_exits(oracle, "\"naked_exits\":[" EXIT_OF("24", "\"2023-11-14T22:13:29Z\"", "3",
                                                     "2600") "," EXIT_OF("50", "null", "5", "3000")
                             NO_MORE);
    expect_measure(oracle, "20200"); /* 2 s x 1000, 2 s x 1000, 27 s x 600 */
    oracle_destroy(oracle);
}

Test(protection, a_death_and_a_way_back_to_the_decision_end_no_exit) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 10);
    phase(oracle, 1, "decided");
    phase(oracle, 2, "releasing");
    phase(oracle, 3, "decided");
    word(oracle, EVENT_STOP, 4, "dead", "");
    phase(oracle, 9, "resumed");
    ledger_fill(oracle, 11, "st-x", "sell", 10);
    phase(oracle, 12, "over");
    expect_exits(oracle, "\"naked_exits\":[" EXIT_OF("21", "\"2023-11-14T22:13:32Z\"", "10",
                                                     "10000") NO_MORE);
    oracle_destroy(oracle);
}

Test(protection, leaves_out_the_exits_of_least_and_adds_them_up) {
    struct oracle *oracle = oracle_create();
    ledger_fill(oracle, 0, "st-a", "buy", 1); /* 100 USD */
    for (int i = 0; i < 258; i++) {           /* of 3, 1, 2, 2, ... seconds */
        int64_t length = i == 0 ? 3 : i == 1 ? 1 : 2;
        phase(oracle, 10 * i, "decided");
        phase(oracle, 10 * i + length, "over");
        word(oracle, EVENT_TICK, 10 * i + 9, "tick", "");
    }
    struct text said = {0};
    oracle_print_naked_exits(oracle, &said);
    const char *first = "\"naked_exits\":[" EXIT_OF("20", "\"2023-11-14T22:13:23Z\"", "3", "300");
    cr_expect_eq(strncmp(text_get(&said), first, strlen(first)), 0, "%.200s", text_get(&said));
    cr_expect_not_null(strstr(text_get(&said), "\"naked_exits_not_shown\":2,\"naked_exits_not_"
                                               "shown_dollar_seconds\":\"300\""),
                       "%s", text_get(&said) + said.len - 100);
    cr_expect_null(strstr(text_get(&said), "\"bare_s\":\"1\""));
    text_release(&said);
    oracle_destroy(oracle);
}

Test(oracle, keeps_a_limit_of_findings_and_counts_the_rest) {
    struct oracle *oracle = oracle_create();
    for (int i = 0; i < ORACLE_FINDINGS_MAX + 5; i++) {
        char id[32];
        snprintf(id, sizeof id, "st-%d", i);
        core_order(oracle, i, id, 1);
    }
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    cr_expect(strstr(text_get(&verdict), "\"not_shown\":5,") != NULL);
    text_release(&verdict);
    expect(oracle, "fill_booked_once", 0);
}
