/* test_judges_stuck.c - the judge of stuck_orders: acted, missed, false, late, unpaged, unasked, a buy meanwhile, an
 * exit bound. */
#include "tests/unit/stream.h"

#define ID "st-2023-11-14-1"
#define BODY "{\"broker_id\":\"b-1\"}"

static void moves(struct oracle *oracle, int64_t second, const char *purpose, const char *status) {
    feed(oracle, (struct event){.kind = EVENT_ORDER,
                                .at = at(second),
                                .subject = purpose,
                                .what = status,
                                .symbol = "AAPL",
                                .id = ID,
                                .body = BODY,
                                .body_len = strlen(BODY)});
}

static struct oracle *begin(const char *purpose, const char *status) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "orders.stuck_s", "30");
    word(oracle, EVENT_START, 0, "ready", "");
    moves(oracle, 0, purpose, status);
    return oracle;
}

static void ticks(struct oracle *oracle, int64_t from, int64_t to) {
    for (int64_t second = from; second <= to; second += 5) {
        word(oracle, EVENT_TICK, second, "full", "");
    }
}

static void acts(struct oracle *oracle, int64_t second, const char *severity) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(second),
                                .subject = "stuck_orders",
                                .what = "acted",
                                .symbol = "AAPL",
                                .id = ID});
    body_of(oracle, EVENT_ALERT, second, severity, "order_stuck", ID);
}

static void asks(struct oracle *oracle, int64_t second) {
    leaves(oracle, second, "GET", "/v2/orders/b-1", "");
}

static void expect_stuck(struct oracle *oracle, const char *text) {
    struct text verdict = {0};
    oracle_verdict(oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "stuck_orders_are_told") != NULL;
    cr_expect_eq(is_broken, text[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), text), "%s in %s", text, text_get(&verdict));
    text_release(&verdict);
    oracle_destroy(oracle);
}

Test(stuck, told_in_time_holds) {
    struct oracle *oracle = begin("entry", "pending_new");
    acts(oracle, 30, "warn");
    asks(oracle, 30);
    ticks(oracle, 30, 200);
    expect_stuck(oracle, "");
}

Test(stuck, a_late_listing_between_two_answers_of_a_tick_is_no_move) {
    for (int is_back = 0; is_back < 2; is_back++) {
        struct oracle *oracle = begin("entry", "new");
        leaves(oracle, 0, "DELETE", "/v2/orders/b-1", "");
        moves(oracle, 1, "entry", "pending_cancel");
        moves(oracle, 25, "entry", "new");
        moves(oracle, 25, "entry", is_back ? "pending_cancel" : "pending_replace");
        acts(oracle, 31, "page");
        asks(oracle, 31);
        expect_stuck(oracle, is_back ? "" : "told, and it was not stuck");
    }
}

Test(stuck, a_cancel_of_which_not_a_byte_left_asked_nobody) {
    for (int has_left = 0; has_left < 2; has_left++) {
        struct oracle *oracle = begin("entry", "new");
        for (int64_t second = 0; second <= 100; second += 5) {
            leaves(oracle, second, "DELETE", "/v2/orders/b-1", "");
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(second),
                                        .subject = "DELETE",
                                        .what = "/v2/orders/b-1",
                                        .id = has_left ? "unknown" : "not_sent"});
            word(oracle, EVENT_TICK, second, "full", "");
        }
        expect_stuck(oracle, has_left ? "nobody was told" : "");
    }
}

/* A second core asks for a cancel, the status becomes a word that nobody knows; our own request stands. */
Test(stuck, a_cancel_that_another_asked_for_lasts_as_long_as_the_status_names_it) {
    for (int i = 0; i < 3; i++) {
        bool is_ours = i == 1;
        bool is_named = i == 2;
        struct oracle *oracle = begin("entry", "pending_cancel");
        if (is_ours) {
            leaves(oracle, 1, "DELETE", "/v2/orders/b-1", "");
            feed(oracle, (struct event){.kind = EVENT_HTTP,
                                        .at = at(1),
                                        .subject = "DELETE",
                                        .what = "/v2/orders/b-1",
                                        .number = 204});
        }
        ticks(oracle, 5, 20);
        moves(oracle, 22, "entry", is_named ? "pending_cancel" : "?");
        ticks(oracle, 25, 120);
        expect_stuck(oracle, is_ours || is_named ? "nobody was told" : "");
    }
}

/* Another core's order under an id that was meant: the core takes it over, and from then on says how it moves. */
Test(stuck, what_was_taken_over_is_judged_as_what_was_sent) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct oracle *oracle = begin("exit", "intent");
        frame(oracle, "foreign", ID);
        ledger_order(oracle, 1, ID, "sell", "stop", "pending_new", 10, 0);
        moves(oracle, 1, "exit", "rejected");
        moves(oracle, 2, "stop", "pending_new");
        if (is_told) {
            acts(oracle, 32, "page");
            asks(oracle, 32);
        }
        ticks(oracle, 35, 70);
        moves(oracle, 72, "stop", "new");
        ticks(oracle, 75, 200);
        expect_stuck(oracle, is_told ? "" : "nobody was told");
    }
}

Test(stuck, not_told_or_told_late_is_missed) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct oracle *oracle = begin("entry", "pending_new");
        ticks(oracle, 5, 50);
        if (!is_late) {
            acts(oracle, 51, "warn"); /* with the second tick behind its time to spare */
            asks(oracle, 51);
        }
        ticks(oracle, 55, 60);
        acts(oracle, 61, "warn");
        expect_stuck(oracle, is_late ? "nobody was told" : "");
    }
}

Test(stuck, an_exit_and_a_cancel_are_paged) {
    for (int i = 0; i < 3; i++) {
        struct oracle *oracle = begin(i == 0 ? "exit" : "entry", i == 0 ? "pending_new" : "new");
        if (i > 0) {
            leaves(oracle, 0, "DELETE", "/v2/orders/b-1", "");
        }
        acts(oracle, 30, i == 2 ? "page" : "warn");
        asks(oracle, 30);
        ticks(oracle, 30, 60);
        expect_stuck(oracle, i == 2 ? "" : "nobody was paged");
    }
}

Test(stuck, one_that_moved_or_rests_is_told_falsely) {
    struct oracle *oracle = begin("entry", "new");
    acts(oracle, 40, "warn");
    expect_stuck(oracle, "was not stuck");
    oracle = begin("entry", "pending_new");
    moves(oracle, 25, "entry", "pending_replace");
    acts(oracle, 35, "warn");
    expect_stuck(oracle, "was not stuck");
}

Test(stuck, it_is_asked_for_by_id) {
    struct oracle *oracle = begin("entry", "pending_new");
    acts(oracle, 30, "warn");
    ticks(oracle, 30, 149);
    leaves(oracle, 149, "GET", "/v2/orders/b-2", "");
    ticks(oracle, 150, 150);
    expect_stuck(oracle, "not asked for by id");
}

Test(stuck, a_buy_in_its_symbol_and_an_exit_that_is_bound_break) {
    struct oracle *oracle = begin("stop", "pending_new");
    acts(oracle, 30, "page");
    order_leaves(oracle, 31, "sell", "AAPL", "st-2023-11-14-2");
    order_leaves(oracle, 31, "buy", "MSFT", "st-2023-11-14-3");
    order_leaves(oracle, 32, "buy", "AAPL", "st-2023-11-14-4");
    expect_stuck(oracle, "a buy left while");
    oracle = begin("stop", "pending_new");
    acts(oracle, 30, "page");
    word(oracle, EVENT_REFUSAL, 31, "ORDER_STUCK", "exit");
    expect_stuck(oracle, "an exit was bound");
}

Test(stuck, a_new_life_counts_anew_and_halt_is_not_judged) {
    struct oracle *oracle = begin("entry", "pending_new");
    ticks(oracle, 5, 40);
    word(oracle, EVENT_START, 41, "ready", "");
    ticks(oracle, 45, 100);
    expect_stuck(oracle, "");
    oracle = begin("entry", "pending_new");
    word(oracle, EVENT_MODE, 1, "HALT", "NORMAL");
    ticks(oracle, 5, 100);
    expect_stuck(oracle, "");
}

Test(stuck, a_page_from_before_it_moved_is_none) {
    for (int is_paged = 0; is_paged < 2; is_paged++) {
        struct oracle *oracle = begin("exit", "pending_new");
        acts(oracle, 30, "page");
        asks(oracle, 30);
        moves(oracle, 31, "exit", "pending_cancel");
        ticks(oracle, 35, 60);
        acts(oracle, 61, is_paged ? "page" : "warn");
        asks(oracle, 61);
        ticks(oracle, 65, 120);
        expect_stuck(oracle, is_paged ? "" : "nobody was paged");
    }
}

Test(stuck, what_is_not_taken_is_told_at_its_bound_and_a_cancel_a_little_sooner_too) {
    static const char *const words[] = {"pending_new", "accepted"};
    for (int i = 0; i < 4; i++) {
        struct oracle *oracle = begin("entry", words[i / 2]);
        acts(oracle, i % 2 == 0 ? 29 : 30, "warn");
        expect_stuck(oracle, i % 2 == 0 ? "was not stuck" : "");
    }
    for (int second = 14; second <= 15; second++) {
        struct oracle *oracle = begin("entry", "new");
        leaves(oracle, 0, "DELETE", "/v2/orders/b-1", "");
        acts(oracle, second, "page");
        expect_stuck(oracle, second < 15 ? "was not stuck" : "");
    }
}
