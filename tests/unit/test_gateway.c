/* test_gateway.c - what becomes of each kind of answer, the emergency rule, the last look, cancels,
 * settling, and orders met at the broker. */
#include "tests/torture/failing_disk.h"
#include "tests/unit/desk.h"

#define FIRST "st-2026-09-01-1"

static struct order *entry_sent(struct desk *desk, enum err_code wanted) {
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    struct order *order = NULL;
    cr_assert_eq(desk_send(desk, &intent, &order), wanted);
    return order;
}

/* The next request of this kind loses its answer, before or after it took effect. */
static void lose(struct desk *desk, const char *method, int times, bool is_done) {
    desk_fault(desk,
               (struct tiny_fault){method, "/v2/orders", times, ERR_UNKNOWN, 0, NULL, is_done});
}

static void answer(struct desk *desk, const char *method, const char *path, int times, int status,
                   const char *body) {
    desk_fault(desk, (struct tiny_fault){method, path, times, ERR_OK, status, body, false});
}

#define BY_CLIENT "/v2/orders:by_client_order_id"
#define USED_ID "{\"code\":40010001,\"message\":\"client_order_id must be unique\"}"
#define NO_ORDER "{\"code\":40410000,\"message\":\"order not found\"}"

/* --- answers --- */

Test(gateway, an_accepted_order_works_and_says_what_was_meant) {
    struct desk *desk = desk_create();
    struct order *order = entry_sent(desk, ERR_OK);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(order->broker_id, "b-1");
    cr_expect_str_eq(desk_last(desk)->client, FIRST);
    cr_expect_str_eq(desk_last(desk)->side, "buy");
    cr_expect_str_eq(desk_last(desk)->qty, "5");
    cr_expect_str_eq(desk_last(desk)->limit, "100");
    desk_destroy(desk);
}

Test(gateway, a_refusal_sends_no_byte_and_journals_no_intent) {
    struct desk *desk = desk_create();
    causes_hold(&desk->causes, "x", MODE_REDUCE_ONLY, "");
    cr_expect_null(entry_sent(desk, ERR_REFUSED));
    cr_expect_eq(desk->orders.count, 0);
    cr_expect_eq(desk->broker.requests, 0);
    cr_expect_eq(desk->gateway.sent, 0);
    cr_expect_eq(desk->gateway.refused, 1);
    desk_destroy(desk);
}

Test(gateway, a_timeout_or_a_5xx_is_unknown_and_asking_settles_it) {
    for (int i = 0; i < 2; i++) {
        struct desk *desk = desk_create();
        struct tiny_fault fault = {"POST", "/v2/orders", 1,   i == 0 ? ERR_UNKNOWN : ERR_OK,
                                   504,    "<html>",     true};
        desk_fault(desk, fault);
        struct order *order = entry_sent(desk, ERR_UNKNOWN);
        cr_expect_eq(order->state, ORDER_UNKNOWN);
        (void)entry_sent(desk, ERR_REFUSED); /* the symbol is busy: nothing is sent twice */
        tiny_fill(desk_last(desk), "filled", "5", "99.5");
        gateway_settle(&desk->gateway);
        cr_expect_eq(order->state, ORDER_FILLED);
        cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(5).nanos);
        cr_expect_eq(desk->broker.posts, 1);
        desk_destroy(desk);
    }
}

Test(gateway, what_never_left_is_not_sent) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_NOT_SENT, 0, NULL, false});
    cr_expect_eq(entry_sent(desk, ERR_NOT_SENT)->state, ORDER_NOT_SENT);
    desk_destroy(desk);
}

Test(gateway, a_definite_reject_is_the_end) {
    struct desk *desk = desk_create();
    answer(desk, "POST", "/v2/orders", 1, 403, "{\"code\":40310000,\"message\":\"no\"}");
    cr_expect_eq(entry_sent(desk, ERR_REFUSED)->state, ORDER_REJECTED);
    gateway_settle(&desk->gateway);
    cr_expect_eq(desk->broker.requests, 1, "nothing to ask");
    desk_destroy(desk);
}

Test(gateway, a_reject_counts_for_the_kill_switch_unless_it_is_no_word_about_the_order) {
    static const struct {
        int status;
        const char *body;
        size_t rejects;
    } rows[] = {{403, "{\"code\":40310000,\"message\":\"insufficient buying power\"}", 1},
                {422, "{\"code\":42210000,\"message\":\"asset is not active\"}", 1},
                {403, "{\"code\":40310000,\"existing_order_id\":\"b-7\"}", 0},
                {401, "{\"message\":\"unauthorized.\"}", 0},
                {429, "{\"message\":\"too many requests.\"}", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        answer(desk, "POST", "/v2/orders", 1, rows[i].status, rows[i].body);
        cr_expect_eq(entry_sent(desk, ERR_REFUSED)->state, ORDER_REJECTED);
        cr_expect_eq(desk->orders.rejects.count, rows[i].rejects, "%d", (int)i);
        desk_destroy(desk);
    }
}

Test(gateway, a_duplicate_that_is_ours_is_success) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_OK, 422, USED_ID, true});
    cr_expect_eq(entry_sent(desk, ERR_REFUSED)->state, ORDER_WORKING);
    cr_expect_not(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->rig->settled, 1);
    desk_destroy(desk);
}

#define FIRST_OF_5                                                                                 \
    "{\"id\":\"b\",\"client_order_id\":\"" FIRST "\",\"symbol\":\"AAPL\",\"side\":\"buy\","        \
    "\"type\":\"limit\",\"qty\":\"5\",\"limit_price\":\"100\",\"filled_qty\":\"0\","               \
    "\"time_in_force\":\"day\",\"status\":\"new\"}"

Test(gateway, a_duplicate_that_cannot_be_compared_is_unknown) {
    struct desk *desk = desk_create();
    answer(desk, "POST", "/v2/orders", 1, 422, USED_ID);
    answer(desk, "GET", BY_CLIENT, 1, 200, FIRST_OF_5); /* it is there ... */
    answer(desk, "GET", BY_CLIENT, 1, 500, "");         /* ... and cannot be looked at */
    cr_expect_eq(entry_sent(desk, ERR_REFUSED)->state, ORDER_UNKNOWN);
    cr_expect_not(causes_has(&desk->causes, "second_writer"));
    desk_destroy(desk);
}

Test(gateway, a_duplicate_with_another_content_is_a_second_writer) {
    struct desk *desk = desk_create();
    desk->broker.orders[desk->broker.count++] = (struct tiny_order){.id = "b-1",
                                                                    .client = FIRST,
                                                                    .symbol = "AAPL",
                                                                    .side = "buy",
                                                                    .type = "limit",
                                                                    .tif = "day",
                                                                    .qty = "6",
                                                                    .filled = "0",
                                                                    .limit = "100",
                                                                    .status = "new"};
    answer(desk, "POST", "/v2/orders", 1, 422, USED_ID);
    (void)entry_sent(desk, ERR_REFUSED);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(causes_mode(&desk->causes), MODE_HALT);
    cr_expect_eq(desk->rig->settled, 0, "its fate is not known");
    desk_destroy(desk);
}

/* --- the emergency rule --- */

Test(gateway_emergency, an_exit_leaves_without_a_journal_under_a_counted_id) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.journal = NULL;
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    struct order *order = NULL;
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-1");
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-2");
    cr_expect(causes_has(&desk->causes, "journal_down"));
    cr_expect(desk->gateway.is_journal_down);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    intent.qty = QTY(2);
    cr_expect_neq(desk_send(desk, &intent, NULL), ERR_OK, "no count, no id");
    cr_expect_eq(desk->broker.posts, 2);
    desk_destroy(desk);
}

/* Chaos found it (swarm 4233): a broker that denies the first, still there or given up, counts none. */
Test(gateway_emergency, an_id_that_the_broker_denies_is_not_given_again) {
    for (int is_given_up = 0; is_given_up < 2; is_given_up++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "AAPL", 10);
        desk->orders.journal = NULL;
        struct order intent = desk_intent(PURPOSE_EXIT, 4);
        struct order *order = NULL;
        cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
        desk->broker.count = 0;
        if (is_given_up) {
            orders_move(&desk->orders, order, ORDER_LOST);
            orders_sweep(&desk->orders);
        }
        intent.limit_price = USD(99);
        cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
        cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-2");
        desk_destroy(desk);
    }
}

/* Of three that were sent two are listed: the number counts, not how many. */
Test(gateway_emergency, a_life_without_memory_counts_behind_the_highest_listed) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.journal = NULL;
    answer(desk, "GET", "/v2/orders", 1, 200,
           "[{\"id\":\"b\",\"client_order_id\":\"st-2026-09-01-x-AAPL-3\",\"symbol\":\"AAPL\","
           "\"side\":\"sell\",\"type\":\"limit\",\"qty\":\"4\",\"limit_price\":\"97\","
           "\"filled_qty\":\"0\",\"time_in_force\":\"day\",\"status\":\"canceled\"}]");
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    struct order *order = NULL;
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-01-x-AAPL-4");
    desk_destroy(desk);
}

#define EMERGENCY "st-2026-09-01-x-AAPL-1"
#define AT_THE_BROKER(type, side, price)                                                           \
    "{\"id\":\"b\",\"client_order_id\":\"" EMERGENCY "\",\"symbol\":\"AAPL\",\"side\":\"" side     \
    "\",\"type\":\"" type "\",\"qty\":\"4\"," price ",\"filled_qty\":\"0\","                       \
    "\"time_in_force\":\"day\",\"status\":\"new\"}"

/* Two lives without a journal compute the same id, not the same price. */
Test(gateway_emergency, what_an_earlier_life_sent_under_the_id_is_the_order) {
    static const struct {
        const char *truth;
        enum order_purpose purpose;
        int64_t limit;
        bool is_ours;
    } cases[] = {
        {AT_THE_BROKER("limit", "sell", "\"limit_price\":\"97\""), PURPOSE_EXIT, 97, true},
        {AT_THE_BROKER("stop", "sell", "\"stop_price\":\"90\""), PURPOSE_STOP, 0, true},
        {AT_THE_BROKER("limit", "buy", "\"limit_price\":\"97\""), PURPOSE_EXIT, 100, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "AAPL", 10);
        desk->orders.journal = NULL;
        answer(desk, "POST", "/v2/orders", 1, 422, USED_ID);
        answer(desk, "GET", BY_CLIENT, 2, 200, cases[i].truth); /* there; looked at */
        struct order intent = desk_intent(PURPOSE_EXIT, 4);
        struct order *order = NULL;
        cr_expect_eq(desk_send(desk, &intent, &order), ERR_REFUSED);
        cr_expect_str_eq(order->client_id, EMERGENCY);
        cr_expect_eq(order->state, cases[i].is_ours ? ORDER_WORKING : ORDER_REJECTED, "%zu: %s", i,
                     order_state_word(order->state));
        cr_expect_eq(order->purpose, cases[i].purpose);
        cr_expect_eq(order->limit_price.nanos, USD(cases[i].limit).nanos);
        cr_expect_eq(causes_has(&desk->causes, "second_writer"), !cases[i].is_ours);
        desk_destroy(desk);
    }
}

Test(gateway_emergency, a_caller_who_keeps_no_error_is_served_all_the_same) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.journal = NULL;
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    struct refusal refusal = {0};
    cr_expect_eq(gateway_send(&desk->gateway, &intent, NULL, &refusal, NULL), ERR_OK);
    cr_expect_eq(desk->broker.posts, 1);
    cr_expect(causes_has(&desk->causes, "journal_down"));
    desk_destroy(desk);
}

Test(gateway_emergency, an_entry_stays_without_a_journal) {
    struct desk *desk = desk_create();
    desk->orders.journal = NULL;
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_REFUSED);
    cr_expect_str_eq(desk->rig->last_refusal, "JOURNAL_DOWN: the journal is not open");
    cr_expect_eq(desk->broker.posts, 0);
    cr_expect_eq(desk->orders.count, 0);
    desk_destroy(desk);
}

Test(gateway_emergency, a_full_table_is_a_limit_of_both_ways) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->orders.count = ORDERS_MAX;
    struct order intent = desk_intent(PURPOSE_EXIT, 4);
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_LIMIT);
    cr_expect_null(orders_add_emergency(&desk->orders, &intent));
    cr_expect_eq(desk->broker.posts, 0);
    desk_destroy(desk);
}

Test(gateway_last_look, a_lease_in_other_hands_latches_halt_and_nothing_leaves) {
    struct desk *desk = desk_create();
    struct lease *lease = NULL;
    cr_assert_eq(lease_acquire(&desk->rig->world, &lease, NULL), ERR_OK);
    desk->gateway.lease = lease;
    (void)entry_sent(desk, ERR_OK);
    rig_wait(desk->rig, SPAN_S(1));
    cr_assert_eq(state_file_save(&desk->rig->world, "lease.json", 0,
                                 "\"epoch\":9,\"holder\":\"x\",\"boot\":\"b\",\"renewed_at\":"
                                 "\"2026-09-01T14:00:00Z\",\"renewed_mono_us\":1",
                                 NULL),
                 ERR_OK);
    desk_hold(desk, "MSFT", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    strcpy(intent.symbol, "MSFT");
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_REFUSED);
    cr_expect_str_eq(desk->rig->last_refusal, "LAST_LOOK: the lease is lost");
    cr_expect(causes_has(&desk->causes, "lease_lost"));
    cr_expect_eq(causes_mode(&desk->causes), MODE_HALT);
    cr_expect_eq(desk->broker.posts, 1);
    lease_release(lease);
    desk_destroy(desk);
}

/* The guard is in other hands, so that the lease is neither renewed nor lost: old alone. */
Test(gateway_last_look, a_lease_too_old_to_be_sure_of_fences_entries_and_lets_exits_go) {
    for (int i = 0; i < 4; i++) {
        int seconds = 7 + i % 2;
        bool is_exit = i < 2;
        bool is_sent = is_exit || seconds == 7;
        struct desk *desk = desk_create();
        struct lease *lease = NULL;
        struct disk_file guard = {0};
        struct disk *other = sim_disk_port(desk->rig->disk, 1);
        cr_assert_eq(lease_acquire(&desk->rig->world, &lease, NULL), ERR_OK);
        desk->gateway.lease = lease;
        cr_assert_eq(disk_lock(other, "lease.lock", &guard, NULL), ERR_OK);
        rig_wait(desk->rig, SPAN_S(seconds));
        desk_truth(desk);
        if (is_exit) {
            desk_hold(desk, "AAPL", 5);
        }
        struct order intent = desk_intent(is_exit ? PURPOSE_EXIT : PURPOSE_ENTRY, 5);
        cr_expect_eq(desk_send(desk, &intent, NULL), is_sent ? ERR_OK : ERR_REFUSED, "%d", i);
        cr_expect_eq(desk->broker.posts, is_sent, "%d", i);
        cr_expect_str_eq(desk->rig->last_refusal,
                         is_sent ? "" : "LAST_LOOK: the lease could not be renewed");
        cr_expect_not(causes_has(&desk->causes, "lease_lost"));
        disk_close(other, guard);
        lease_release(lease);
        desk_destroy(desk);
    }
}

static void desk_freeze(struct desk *desk) {
    struct inbox_command freeze = {.verb = INBOX_FREEZE, .by = "me"};
    cr_assert_eq(disk_make_dir(desk->rig->world.disk, "inbox", NULL), ERR_OK);
    cr_assert_eq(inbox_write(&desk->rig->world, &freeze, NULL), ERR_OK);
}

Test(gateway_last_look, sees_a_freeze_that_came_after_the_checks) {
    struct desk *desk = desk_create();
    desk_freeze(desk);
    cr_expect_eq(entry_sent(desk, ERR_REFUSED)->state, ORDER_NOT_SENT);
    cr_expect_str_eq(desk->rig->last_refusal, "LAST_LOOK: a stop lies in the inbox");
    cr_expect_eq(desk->gateway.sent, 0);
    desk_destroy(desk);
}

/* A hand wrote a latch between the checks and the last look: REDUCE_ONLY binds entries, HALT all. */
Test(gateway_last_look, sees_a_latch_that_came_after_the_checks) {
    static const char *const modes[] = {"CAUTION", "REDUCE_ONLY", "HALT"};
    for (int i = 0; i < 6; i++) {
        struct desk *desk = desk_create();
        char members[100];
        desk_hold(desk, "MSFT", 5);
        struct order intent = desk_intent(i < 3 ? PURPOSE_ENTRY : PURPOSE_EXIT, 5);
        strcpy(intent.symbol, i < 3 ? "AAPL" : "MSFT");
        causes_latch(&desk->causes, "x", MODE_CAUTION, "me", "");
        snprintf(members, sizeof members, "\"y\":{\"active\":true,\"mode\":\"%s\"}", modes[i % 3]);
        cr_assert_eq(state_file_save(&desk->rig->world, FREEZES_DOCUMENT, 0, members, NULL),
                     ERR_OK);
        struct order *order = NULL;
        enum err_code code = desk_send(desk, &intent, &order);
        bool is_sent = i % 3 == 0 || i == 4;
        cr_expect_eq(code, is_sent ? ERR_OK : ERR_REFUSED, "%s", members);
        cr_expect_eq(order->state, is_sent ? ORDER_WORKING : ORDER_NOT_SENT, "%s", members);
        cr_expect_eq(desk->broker.posts, is_sent, "%s", members);
        char words[64] = "";
        if (!is_sent) {
            snprintf(words, sizeof words, "LAST_LOOK: mode %s", modes[i % 3]);
        }
        cr_expect_str_eq(desk->rig->last_refusal, words);
        desk_destroy(desk);
    }
}

struct delay { /* what a slow disk costs */
    struct rig *rig;
    struct span span;
};

static void pass_time(void *context) {
    struct delay *delay = context;
    rig_wait(delay->rig, delay->span);
}

/* The row of the intent takes its time: decided more than 30 s ago, the session over, or the quote grown
 * old meanwhile (chaos found it: disk.slow_fsync, 3 s a sync) is too late. */
Test(gateway_last_look, comes_too_late_after_thirty_seconds_and_at_the_close) {
    static const struct {
        int64_t slow_ns, close_s, quote_s;
        bool is_sent;
        const char *refusal;
    } cases[] = {
        {INT64_C(30000000000), 3600, 60, true, ""},
        {INT64_C(30000000001), 3600, 60, false, "LAST_LOOK: decided 30 s ago"},
        {INT64_C(19999999999), 20, 60, true, ""},
        {INT64_C(20000000000), 20, 60, false, "LAST_LOOK: the session is over"},
        {INT64_C(5000000000), 3600, 5, true, ""},
        {INT64_C(5000000001), 3600, 5, false, "LAST_LOOK: quoted 5 s ago"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk *desk = desk_create();
        struct delay delay = {desk->rig, {cases[i].slow_ns}};
        struct failing_disk disk;
        failing_disk_init(&disk, desk->rig->world.disk, desk->rig->world.entropy);
        disk.pause_at = 1;
        disk.pause = pass_time;
        disk.pause_context = &delay;
        desk->rig->world.disk = &disk.seam;
        desk->config.no_entry_last = SPAN_S(10);
        desk->config.quote_max_age = SPAN_S(cases[i].quote_s);
        desk->truth.quotes[0].at = rig_now(desk->rig);
        desk->truth.session.close = utc_add(rig_now(desk->rig), SPAN_S(cases[i].close_s));
        struct order *order = entry_sent(desk, cases[i].is_sent ? ERR_OK : ERR_REFUSED);
        cr_expect_eq(order->state, cases[i].is_sent ? ORDER_WORKING : ORDER_NOT_SENT, "%zu", i);
        cr_expect_eq(desk->broker.posts, cases[i].is_sent, "%zu", i);
        cr_expect_str_eq(desk->rig->last_refusal, cases[i].refusal, "%zu", i);
        desk_destroy(desk);
    }
}

/* Every disk call on the way fails once: one of them is the listing of the inbox. */
Test(gateway_last_look, an_inbox_that_cannot_be_listed_is_a_stop) {
    int stops = 0;
    bool has_failed = true;
    for (int n = 1; has_failed && n < 100; n++) {
        struct desk *desk = desk_create();
        struct failing_disk disk;
        struct order intent = desk_intent(PURPOSE_ENTRY, 5);
        struct refusal refusal = {0};
        failing_disk_init(&disk, desk->rig->world.disk, desk->rig->world.entropy);
        desk->rig->world.disk = &disk.seam;
        failing_disk_arm(&disk, n, false, ERR_IO);
        enum err_code code = gateway_send(&desk->gateway, &intent, NULL, &refusal, NULL);
        has_failed = disk.failures > 0;
        stops += refusal.code == REFUSED_LAST_LOOK &&
                 strcmp(refusal.numbers, "the inbox cannot be read") == 0;
        cr_expect(code == ERR_OK || code == ERR_REFUSED, "call %d: %s", n, err_word(code));
        cr_expect_eq(desk->broker.posts, code == ERR_OK, "call %d", n);
        desk_destroy(desk);
    }
    cr_expect_eq(stops, 1);
}

/* --- replacements --- */

Test(gateway_replace, what_is_not_at_the_broker_cannot_be_replaced) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    strcpy(intent.replaces, "st-2026-09-01-77");
    struct order *order = NULL;
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_NOT_SENT);
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    cr_expect_eq(desk->broker.patches, 0);
    desk_destroy(desk);
}

Test(gateway_replace, an_order_whose_fate_is_unknown_cannot_be_replaced) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *old = NULL;
    lose(desk, "POST", 1, true);
    cr_assert_eq(desk_send(desk, &intent, &old), ERR_UNKNOWN);
    strcpy(intent.replaces, old->client_id);
    cr_expect_eq(desk_send(desk, &intent, NULL), ERR_NOT_SENT);
    cr_expect_eq(desk->broker.patches, 0);
    desk_destroy(desk);
}

Test(gateway_replace, one_the_broker_no_longer_knows_is_a_reject) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *order = NULL;
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
    strcpy(intent.replaces, order->client_id);
    answer(desk, "PATCH", "/v2/orders", 1, 404, NO_ORDER);
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_NOT_FOUND);
    cr_expect_eq(order->state, ORDER_REJECTED);
    desk_destroy(desk);
}

/* --- what stands behind an id --- */

static void expect_answer(enum order_purpose purpose, const char *replaces, const char *content,
                          bool is_ours) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, purpose == PURPOSE_ENTRY ? "MSFT" : "AAPL", 5);
    holding->entered_at = (struct utc){1};
    struct order intent = desk_intent(purpose, 5);
    struct order *order = NULL;
    char body[400];
    if (replaces != NULL) {
        cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
        strcpy(intent.replaces, order->client_id);
    }
    snprintf(body, sizeof body,
             "{\"id\":\"b\",\"client_order_id\":\"st-2026-09-01-%d\",%s,"
             "\"filled_qty\":\"0\",\"time_in_force\":\"day\",\"status\":\"new\"}",
             replaces == NULL ? 1 : 2, content);
    answer(desk, replaces == NULL ? "POST" : "PATCH", "/v2/orders", 1, 200, body);
    cr_expect_eq(desk_send(desk, &intent, &order), ERR_OK);
    cr_expect_eq(causes_has(&desk->causes, "second_writer"), !is_ours, "%s", content);
    cr_expect_eq(order->state, is_ours ? ORDER_WORKING : ORDER_REJECTED, "%s", content);
    desk_destroy(desk);
}

#define CONTENT(symbol, side, type, qty, limit, stop)                                              \
    "\"symbol\":\"" symbol "\",\"side\":\"" side "\",\"type\":\"" type "\",\"qty\":\"" qty         \
    "\",\"limit_price\":" limit ",\"stop_price\":" stop

Test(gateway_answer, of_another_content_is_a_second_writer) {
    static const struct {
        enum order_purpose purpose;
        const char *replaces, *content;
        bool is_ours;
    } cases[] = {
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "buy", "limit", "5", "\"100\"", "null"), true},
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "sell", "limit", "5", "\"100\"", "null"), false},
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "buy", "market", "5", "\"100\"", "null"), false},
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "buy", "stop_limit", "5", "\"100\"", "null"), false},
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "buy", "limit", "6", "\"100\"", "null"), false},
        {PURPOSE_ENTRY, NULL, CONTENT("AAPL", "buy", "limit", "5", "\"101\"", "null"), false},
        {PURPOSE_STOP, NULL, CONTENT("AAPL", "sell", "stop", "5", "null", "\"96\""), true},
        {PURPOSE_STOP, NULL, CONTENT("AAPL", "sell", "stop_limit", "5", "null", "\"96\""), true},
        {PURPOSE_STOP, NULL, CONTENT("AAPL", "sell", "stop", "5", "null", "\"95\""), false},
        {PURPOSE_STOP, NULL, CONTENT("AAPL", "sell", "market", "5", "null", "\"96\""), false},
        /* the part sold meanwhile makes a replacement smaller */
        {PURPOSE_EXIT, "it", CONTENT("AAPL", "sell", "limit", "3", "\"100\"", "null"), true},
        {PURPOSE_EXIT, "it", CONTENT("AAPL", "sell", "limit", "5", "\"99\"", "null"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_answer(cases[i].purpose, cases[i].replaces, cases[i].content, cases[i].is_ours);
    }
}

/* --- settling --- */

Test(gateway_settle, an_id_that_stands_for_another_symbol_is_a_second_writer) {
    struct desk *desk = desk_create();
    lose(desk, "POST", 1, true);
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    strcpy(desk_last(desk)->symbol, "MSFT");
    gateway_settle(&desk->gateway);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(order->state, ORDER_REJECTED);
    cr_expect_eq(desk->rig->settled, 0);
    desk_destroy(desk);
}

Test(gateway_settle, not_found_proves_nothing_before_the_late_arrival_bound) {
    struct desk *desk = desk_create();
    lose(desk, "POST", 1, false);
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    for (int second = 0; second <= 40; second += 5) { /* the asks at 30, 35 and 40 s count */
        cr_expect_eq(order->state, ORDER_UNKNOWN, "%d s", second);
        gateway_settle(&desk->gateway);
        rig_wait(desk->rig, SPAN_S(5));
    }
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    cr_expect_eq(desk->broker.requests, 11, "the order, nine asks, the listing");
    desk_destroy(desk);
}

Test(gateway_settle, a_wall_that_is_set_ahead_or_back_moves_that_bound_for_nobody) {
    static const int64_t steps_s[] = {60, -60, 86400, -86400};
    for (size_t i = 0; i < sizeof steps_s / sizeof steps_s[0]; i++) {
        struct desk *desk = desk_create();
        rig_wait(desk->rig, SPAN_S(1));
        lose(desk, "POST", 1, false);
        struct order *order = entry_sent(desk, ERR_UNKNOWN);
        virtual_clock_set_offset(desk->rig->clock, SPAN_S(steps_s[i]));
        for (int second = 0; second <= 40; second += 5) {
            cr_expect_eq(order->state, ORDER_UNKNOWN, "%lld: %d s", (long long)steps_s[i], second);
            gateway_settle(&desk->gateway);
            rig_wait(desk->rig, SPAN_S(5));
        }
        cr_expect_eq(order->state, ORDER_NOT_SENT, "%lld", (long long)steps_s[i]);
        desk_destroy(desk);
    }
}

static struct order *sale_lost(struct desk *desk, const char *replaces) {
    desk_hold(desk, "AAPL", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *order = NULL;
    if (replaces != NULL) {
        cr_assert_eq(desk_send(desk, &intent, &order), ERR_OK);
        strcpy(intent.replaces, order->client_id);
    }
    lose(desk, replaces == NULL ? "POST" : "PATCH", 1, false);
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_UNKNOWN);
    return order;
}

/* Asks three times after the bound: what is not found then never arrived. */
static void settle_thrice(struct desk *desk) {
    rig_wait(desk->rig, SPAN_S(30));
    for (int i = 0; i < 3; i++) {
        gateway_settle(&desk->gateway);
        rig_wait(desk->rig, SPAN_S(5));
    }
}

Test(gateway_settle, a_wished_sale_that_never_arrived_goes_again_under_its_id) {
    struct desk *desk = desk_create();
    struct order *order = sale_lost(desk, NULL);
    lose(desk, "POST", 1, false);
    settle_thrice(desk);
    cr_expect_eq(desk->gateway.sent, 2);
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    cr_expect_str_eq(order->client_id, FIRST);
    cr_expect_eq(desk->orders.highest_number, 1);
    settle_thrice(desk);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(desk_last(desk)->client, FIRST);
    desk_destroy(desk);
}

Test(gateway_settle, one_that_could_not_even_leave_again_stays_unknown) {
    struct desk *desk = desk_create();
    struct order *order = sale_lost(desk, NULL);
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_NOT_SENT, 0, NULL, false});
    settle_thrice(desk);
    cr_expect_eq(desk->gateway.sent, 2);
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    desk_destroy(desk);
}

/* A replacement is not worth sending twice, and in HALT nothing is. */
Test(gateway_settle, a_lost_replacement_and_a_sale_in_halt_do_not_go_again) {
    for (int is_halt = 0; is_halt < 2; is_halt++) {
        struct desk *desk = desk_create();
        struct order *order = sale_lost(desk, is_halt ? NULL : "it");
        if (is_halt) {
            causes_hold(&desk->causes, "x", MODE_HALT, "");
        }
        int64_t sent = desk->gateway.sent;
        settle_thrice(desk);
        cr_expect_eq(desk->gateway.sent, sent);
        cr_expect_eq(order->state, ORDER_NOT_SENT);
        desk_destroy(desk);
    }
}

Test(gateway_settle, what_the_listing_has_or_cannot_say_never_goes_again) {
    for (int has_listing = 0; has_listing < 2; has_listing++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "AAPL", 5);
        struct order intent = desk_intent(PURPOSE_EXIT, 5);
        struct order *order = NULL;
        lose(desk, "POST", 1, true);
        cr_assert_eq(desk_send(desk, &intent, &order), ERR_UNKNOWN);
        answer(desk, "GET", BY_CLIENT, 3, 404, NO_ORDER);
        if (!has_listing) {
            answer(desk, "GET", "/v2/orders", 1, 500, "");
        }
        settle_thrice(desk);
        cr_expect_eq(desk->broker.posts, 1);
        cr_expect_eq(order->state, has_listing ? ORDER_WORKING : ORDER_UNKNOWN);
        cr_expect_eq(desk->rig->settled, has_listing);
        desk_destroy(desk);
    }
}

Test(gateway_settle, what_the_listing_has_with_another_content_is_a_second_writer) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 5);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *order = NULL;
    lose(desk, "POST", 1, true);
    cr_assert_eq(desk_send(desk, &intent, &order), ERR_UNKNOWN);
    strcpy(desk_last(desk)->qty, "4");
    answer(desk, "GET", BY_CLIENT, 3, 404, NO_ORDER);
    settle_thrice(desk);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(order->state, ORDER_REJECTED);
    cr_expect_eq(desk->rig->settled, 0);
    desk_destroy(desk);
}

Test(gateway_settle, an_id_that_cannot_be_asked_is_looked_for_in_the_listing) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, true});
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders:by", 9, ERR_OK, 500, "", false});
    for (int i = 0; i < 2; i++) {
        gateway_settle(&desk->gateway);
        gateway_settle(&desk->gateway); /* not due again for 5 s */
        cr_expect_eq(order->state, ORDER_UNKNOWN, "%d", i);
        rig_wait(desk->rig, SPAN_S(5));
    }
    gateway_settle(&desk->gateway);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(order->broker_id, "b-1");
    desk_destroy(desk);
}

Test(gateway_settle, a_listing_that_fails_or_lacks_it_settles_nothing_by_itself) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 99, ERR_OK, 500, "", false});
    for (int i = 0; i < 5; i++) {
        gateway_settle(&desk->gateway);
        rig_wait(desk->rig, SPAN_S(10));
    }
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    desk_destroy(desk);
}

Test(gateway_cancel, is_asked_every_three_seconds_and_a_refusal_is_looked_into) {
    struct desk *desk = desk_create();
    struct order *order = entry_sent(desk, ERR_OK);
    desk_fault(desk, (struct tiny_fault){"DELETE", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
    gateway_cancel(&desk->gateway, order);
    gateway_cancel(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 1);
    tiny_fill(desk_last(desk), "filled", "5", "99");
    rig_wait(desk->rig, SPAN_S(3));
    gateway_cancel(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 2);
    cr_expect_eq(order->state, ORDER_FILLED, "422 on a cancel: it was filled");
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(5).nanos);
    rig_wait(desk->rig, SPAN_S(3));
    gateway_cancel(&desk->gateway, order);
    gateway_ask(&desk->gateway, order);
    cr_expect_eq(desk->broker.cancels, 2);
    desk_destroy(desk);
}

/* Nothing to name it by yet: settling comes first, and until then there is no clear deck. */
Test(gateway_cancel, an_order_without_a_broker_id_is_neither_cancelled_nor_asked_for) {
    struct desk *desk = desk_create();
    lose(desk, "POST", 1, true);
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    gateway_cancel(&desk->gateway, order);
    gateway_ask(&desk->gateway, order);
    cr_expect_not(gateway_cancel_entries(&desk->gateway));
    cr_expect_eq(desk->broker.requests, 1);
    cr_expect_eq(order->cancel_at.ns, 0);
    gateway_settle(&desk->gateway);
    cr_expect_not(gateway_cancel_entries(&desk->gateway));
    cr_expect_eq(order->state, ORDER_CANCELED);
    desk_destroy(desk);
}

Test(gateway_cancel, entries_go_and_sales_stay) {
    struct desk *desk = desk_create();
    desk_hold(desk, "MSFT", 5);
    struct order *entry = entry_sent(desk, ERR_OK);
    struct order intent = desk_intent(PURPOSE_EXIT, 5);
    struct order *sale = NULL;
    strcpy(intent.symbol, "MSFT");
    cr_assert_eq(desk_send(desk, &intent, &sale), ERR_OK);
    cr_expect_not(gateway_cancel_entries(&desk->gateway), "there was one");
    cr_expect(gateway_cancel_entries(&desk->gateway));
    cr_expect_eq(entry->state, ORDER_CANCELED);
    cr_expect_eq(sale->state, ORDER_WORKING);
    desk_destroy(desk);
}

static void meet(struct desk *desk, const char *client, enum broker_status status) {
    struct broker_order truth = {.id = "b-9",
                                 .symbol = "AAPL",
                                 .side = SIDE_SELL,
                                 .type = ORDER_STOP,
                                 .tif = TIF_GTC,
                                 .status = status,
                                 .qty = QTY(5),
                                 .stop_price = USD(96)};
    snprintf(truth.client_id, sizeof truth.client_id, "%s", client);
    gateway_meet(&desk->gateway, &truth);
}

Test(gateway_meet, tells_foreign_forgotten_and_forged_orders_apart) {
    struct desk *desk = desk_create();
    meet(desk, "manual", STATUS_NEW);
    meet(desk, "manual-2", STATUS_NEW);
    cr_expect_eq(desk->rig->warnings, 1, "once a day");
    cr_expect_eq(desk->orders.count, 0);
    (void)entry_sent(desk, ERR_OK); /* number 1 of the day */
    meet(desk, "st-2026-08-31-99", STATUS_CANCELED);
    meet(desk, "st-2026-09-01-x-AAPL-1", STATUS_NEW);
    cr_expect_not(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->orders.count, 2);
    cr_expect_eq(desk->orders.items[1].purpose, PURPOSE_STOP);
    cr_expect_eq(desk->orders.items[1].state, ORDER_WORKING);
    meet(desk, "st-2026-09-01-2", STATUS_NEW);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->orders.count, 3, "its shares count all the same");
    cr_expect_eq(desk->orders.highest_number, 2, "and its number is taken");
    desk_destroy(desk);
}

Test(gateway_meet, an_id_of_a_day_that_has_not_been_is_a_second_writer) {
    struct desk *desk = desk_create();
    (void)entry_sent(desk, ERR_OK);
    meet(desk, "st-2026-09-02-1", STATUS_CANCELED);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_eq(desk->orders.count, 1, "it is over: nothing to track");
    cr_expect_eq(desk->orders.highest_number, 1, "numbers go on from today's");
    desk_destroy(desk);
}

Test(gateway_meet, the_days_listing_is_held_against_the_table) {
    struct desk *desk = desk_create();
    (void)entry_sent(desk, ERR_OK);
    cr_expect(gateway_check_ids(&desk->gateway));
    cr_expect_eq(desk->orders.count, 1);
    desk->orders.count = 0;
    desk->orders.numbered_day = (struct date){0};
    desk->orders.highest_number = 0;
    desk->gateway.has_looked = false; /* another life, without its journal */
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders", 1, ERR_OK, 500, "", false});
    cr_expect_not(gateway_check_ids(&desk->gateway));
    cr_expect(gateway_check_ids(&desk->gateway));
    cr_expect(causes_has(&desk->causes, "amnesia"));
    cr_expect_eq(desk->orders.highest_number, 1, "no id twice, not even for a stop");
    cr_expect_eq(desk->orders.count, 1, "tracked again");
    desk_destroy(desk);
}

/* Chaos found it (second_core_before_the_first_order): the number was given again to an order of our own. */
Test(gateway_meet,
     an_order_of_ours_behind_an_empty_listing_is_a_second_writer_and_its_number_is_taken) {
    struct desk *desk = desk_create();
    cr_expect(gateway_check_ids(&desk->gateway));
    meet(desk, FIRST, STATUS_NEW);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_not(causes_has(&desk->causes, "amnesia"));
    cr_expect_eq(desk->orders.highest_number, 1);
    desk_destroy(desk);
}

/* Chaos found it (view_orders_and_positions_lag): an order that had been filled and swept was adopted from
 * an old listing as new, and its fills were booked again. */
Test(gateway_meet, an_order_that_has_ended_is_not_brought_back_by_an_old_listing) {
    static const struct {
        enum order_state end;
        size_t tracked;
        enum broker_status told;
    } cases[] = {{ORDER_FILLED, 0, STATUS_NEW},       {ORDER_CANCELED, 0, STATUS_NEW},
                 {ORDER_EXPIRED, 0, STATUS_NEW},      {ORDER_REPLACED, 0, STATUS_NEW},
                 {ORDER_NOT_SENT, 1, STATUS_NEW},     {ORDER_REJECTED, 1, STATUS_NEW},
                 {ORDER_REJECTED, 0, STATUS_REJECTED}}; /* late, and told: swarm seed 299 */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk *desk = desk_create();
        struct order *order = entry_sent(desk, ERR_OK);
        struct broker_order listed = {.status = STATUS_NEW,
                                      .side = order->side,
                                      .type = order->type,
                                      .qty = order->qty,
                                      .limit_price = order->limit_price};
        strcpy(listed.id, order->broker_id);
        strcpy(listed.client_id, order->client_id);
        strcpy(listed.symbol, order->symbol);
        order->status = cases[i].told;
        order->state = cases[i].end; /* any end, the table of moves aside */
        orders_sweep(&desk->orders);
        cr_assert_eq(desk->orders.count, 0);
        gateway_meet(&desk->gateway, &listed);
        cr_expect_eq(desk->orders.count, cases[i].tracked, "%s", order_state_word(cases[i].end));
        cr_expect_not(causes_has(&desk->causes, "second_writer"));
        desk_destroy(desk);
    }
}

/* --- what the broker no longer knows --- */

static void ask_after(struct desk *desk, struct order *order, struct span span) {
    rig_wait(desk->rig, span);
    gateway_ask(&desk->gateway, order);
}

/* Acknowledged, two of five filled and booked, then a broker without memory. Two asks are behind it. */
static struct order *forgotten(struct desk *desk, struct tiny_order *kept) {
    struct order *order = entry_sent(desk, ERR_OK);
    tiny_fill(desk_last(desk), "partially_filled", "2", "99");
    gateway_ask(&desk->gateway, order);
    cr_assert_eq(order->filled.nanos, QTY(2).nanos);
    *kept = *desk_last(desk);
    desk->broker.count = 0;
    ask_after(desk, order, SPAN_S(0));
    ask_after(desk, order, SPAN_S(30));
    cr_assert_eq(order->state, ORDER_WORKING);
    return order;
}

static void remember(struct desk *desk, const struct tiny_order *kept) {
    desk->broker.orders[0] = *kept;
    desk->broker.count = 1;
}

Test(gateway_lost, an_order_is_given_up_at_the_third_not_found_thirty_seconds_apart) {
    struct desk *desk = desk_create();
    struct tiny_order kept;
    struct order *order = forgotten(desk, &kept);
    ask_after(desk, order, (struct span){SPAN_S(30).ns - 1});
    cr_expect_eq(order->state, ORDER_WORKING, "a nanosecond early");
    ask_after(desk, order, (struct span){1});
    cr_expect_eq(order->state, ORDER_LOST);
    cr_expect_not(orders_any_live(&desk->orders, "AAPL"));
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(2).nanos, "what is booked stays");
    int64_t asks = desk->broker.requests;
    gateway_ask(&desk->gateway, order);
    cr_expect_eq(desk->broker.requests, asks);
    desk_destroy(desk);
}

Test(gateway_lost, many_asks_within_a_minute_are_two) {
    struct desk *desk = desk_create();
    struct order *order = entry_sent(desk, ERR_OK);
    desk->broker.count = 0;
    for (int i = 0; i < 60; i++) { /* a view that lags by what no view lags by */
        ask_after(desk, order, SPAN_S(1));
    }
    cr_expect_eq(order->state, ORDER_WORKING);
    ask_after(desk, order, SPAN_S(1));
    cr_expect_eq(order->state, ORDER_LOST);
    desk_destroy(desk);
}

Test(gateway_lost, what_is_seen_in_between_begins_anew_and_no_answer_is_no_not_found) {
    struct desk *desk = desk_create();
    struct tiny_order kept;
    struct order *order = forgotten(desk, &kept);
    remember(desk, &kept);
    ask_after(desk, order, SPAN_S(30));
    desk->broker.count = 0;
    ask_after(desk, order, SPAN_S(30));
    desk_fault(desk, (struct tiny_fault){"GET", "/v2/orders/b-1", 1, ERR_UNKNOWN, 0, NULL, false});
    ask_after(desk, order, SPAN_S(30));
    answer(desk, "GET", "/v2/orders/b-1", 1, 503, "{}");
    ask_after(desk, order, SPAN_S(30));
    answer(desk, "GET", "/v2/orders/b-1", 1, 404, "<html>");
    ask_after(desk, order, SPAN_S(30));
    ask_after(desk, order, SPAN_S(30));
    cr_expect_eq(order->state, ORDER_WORKING, "two since it was seen");
    ask_after(desk, order, SPAN_S(30));
    cr_expect_eq(order->state, ORDER_LOST);
    desk_destroy(desk);
}

/* The id alone is one way to ask: client id and listing must lack it too. */
Test(gateway_lost, another_way_to_ask_that_has_it_or_fails_keeps_it) {
    for (int i = 0; i < 4; i++) {
        struct desk *desk = desk_create();
        struct tiny_order kept;
        struct order *order = forgotten(desk, &kept);
        if (i < 2) {
            remember(desk, &kept);
        }
        answer(desk, "GET", "/v2/orders/b-1", 1, 404, NO_ORDER);
        if (i != 0) {
            answer(desk, "GET", BY_CLIENT, 1, i == 2 ? 503 : 404, NO_ORDER);
        }
        if (i == 3) {
            desk_fault(desk,
                       (struct tiny_fault){"GET", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false});
        }
        ask_after(desk, order, SPAN_S(30));
        cr_expect_eq(order->state, ORDER_WORKING, "%d", i);
        cr_expect_eq(order->lost_asks, i < 2 ? 0 : 3, "%d", i);
        desk_destroy(desk);
    }
}

/* Its fills before are known, in this life or the next: only growth is booked. */
Test(gateway_lost, an_order_that_turns_up_again_books_what_it_filled_since_once) {
    static const char *const ends[] = {"partially_filled", "filled", "canceled"};
    for (int i = 0; i < 6; i++) {
        struct desk *desk = desk_create();
        struct tiny_order kept;
        struct order *order = forgotten(desk, &kept);
        ask_after(desk, order, SPAN_S(30));
        cr_assert_eq(order->state, ORDER_LOST);
        orders_sweep(&desk->orders);
        cr_assert_eq(desk->orders.count, 0);
        remember(desk, &kept);
        tiny_fill(desk_last(desk), ends[i % 3], i % 3 == 1 ? "5" : "3", "99");
        rig_wait(desk->rig, SPAN_S(60));
        if (i < 3) {
            gateway_look_back(&desk->gateway);
        } else {
            cr_expect(gateway_check_ids(&desk->gateway));
        }
        struct qty held = i % 3 == 1 ? QTY(5) : QTY(3);
        cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, held.nanos, "%d", i);
        cr_expect_eq(orders_any_live(&desk->orders, "AAPL"), i % 3 == 0, "%d", i);
        cr_expect_not(causes_has(&desk->causes, "second_writer"));
        cr_expect_null(orders_find_lost(&desk->orders, FIRST));
        orders_sweep(&desk->orders);
        cr_expect(gateway_check_ids(&desk->gateway));
        cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, held.nanos, "%d: twice", i);
        desk_destroy(desk);
    }
}

Test(gateway_lost, a_lost_order_is_looked_for_every_15_s_for_a_day) {
    struct desk *desk = desk_create();
    struct tiny_order kept;
    struct order *order = forgotten(desk, &kept);
    ask_after(desk, order, SPAN_S(30));
    orders_sweep(&desk->orders);
    rig_wait(desk->rig, SPAN_S(15));
    int64_t asks = desk->broker.requests;
    gateway_look_back(&desk->gateway);
    rig_wait(desk->rig, (struct span){SPAN_S(15).ns - 1});
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks + 1);
    rig_wait(desk->rig, (struct span){1});
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks + 2);
    rig_wait(desk->rig, SPAN_HOURS(24));
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks + 2);
    desk_destroy(desk);
}

/* An entry that arrived, and of which its broker says that it did not. */
static struct tiny_order denied_entry(struct desk *desk) {
    lose(desk, "POST", 1, true);
    struct order *order = entry_sent(desk, ERR_UNKNOWN);
    struct tiny_order kept = *desk_last(desk);
    desk->broker.count = 0;
    settle_thrice(desk);
    cr_assert_eq(order->state, ORDER_NOT_SENT);
    orders_sweep(&desk->orders);
    return kept;
}

/* By id and listing it never arrived, which was a lie. */
Test(gateway_lost, an_entry_denied_by_its_broker_is_booked_when_it_turns_up) {
    struct desk *desk = desk_create();
    struct tiny_order kept = denied_entry(desk);
    remember(desk, &kept);
    tiny_fill(desk_last(desk), "filled", "5", "99");
    rig_wait(desk->rig, SPAN_S(15));
    gateway_look_back(&desk->gateway);
    cr_assert_not_null(book_find(&desk->book, "AAPL"));
    cr_expect_eq(book_find(&desk->book, "AAPL")->qty.nanos, QTY(5).nanos);
    orders_sweep(&desk->orders);
    rig_wait(desk->rig, SPAN_S(15));
    int64_t asks = desk->broker.requests;
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks, "its end is known now");
    desk_destroy(desk);
}

/* Chaos found it (second_core_takes_the_id_of_a_lost_entry). */
Test(gateway_lost, what_turns_up_under_the_id_of_a_denied_entry_may_be_anothers) {
    struct desk *desk = desk_create();
    struct tiny_order kept = denied_entry(desk);
    strcpy(kept.limit, "98.5");
    remember(desk, &kept);
    rig_wait(desk->rig, SPAN_S(15));
    gateway_look_back(&desk->gateway);
    cr_expect(causes_has(&desk->causes, "second_writer"));
    cr_expect_null(book_find(&desk->book, "AAPL"));
    orders_sweep(&desk->orders);
    cr_expect_eq(desk->orders.count, 0, "it is none of ours");
    cr_assert_eq(causes_clear(&desk->causes, "second_writer", "ann", "looked", NULL), ERR_OK);
    int64_t asks = desk->broker.requests;
    rig_wait(desk->rig, SPAN_S(15));
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks, "told once");
    desk_destroy(desk);
}

/* No byte left: nothing can turn up. */
Test(gateway_lost, what_never_left_is_not_looked_back_for) {
    struct desk *desk = desk_create();
    desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, ERR_NOT_SENT, 0, NULL, false});
    struct order *order = entry_sent(desk, ERR_NOT_SENT);
    cr_assert_eq(order->state, ORDER_NOT_SENT);
    orders_sweep(&desk->orders);
    rig_wait(desk->rig, SPAN_S(15));
    int64_t asks = desk->broker.requests;
    gateway_look_back(&desk->gateway);
    cr_expect_eq(desk->broker.requests, asks);
    desk_destroy(desk);
}

/* --- lanes --- */

Test(gateway, an_exit_leaves_while_polls_and_entries_have_to_wait) {
    struct desk *desk = desk_create();
    struct broker_account account = {0};
    answer(desk, "GET", "/v2/account", 1, 429, "{\"message\":\"too many requests\"}");
    cr_assert_neq(alpaca_get_account(desk->alpaca, &account, NULL), ERR_OK);
    (void)entry_sent(desk, ERR_NOT_SENT);
    desk_hold(desk, "AAPL", 5);
    struct order sale = desk_intent(PURPOSE_EXIT, 5);
    cr_expect_eq(desk_send(desk, &sale, NULL), ERR_OK);
    desk_destroy(desk);
}

/* --- restart --- */

static enum err_code fold_row(void *context, const struct journal_row *row, struct err *err) {
    struct desk *desk = context;
    enum err_code code = orders_fold(&desk->orders, row, err);
    gateway_fold(&desk->gateway, row);
    return code;
}

static void restart(struct desk *desk) {
    desk_wire(desk);
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold_row, desk, NULL), ERR_OK);
}

Test(gateway_fold, a_restart_begins_neither_the_rate_of_entries_nor_a_cooldown_anew) {
    struct desk *desk = desk_create();
    struct utc bought = entry_sent(desk, ERR_OK)->decided_at;
    restart(desk);
    cr_expect_eq(desk->gateway.touched[0].ns, bought.ns);
    cr_expect_eq(desk->gateway.recent_entries[0].ns, bought.ns);
    cr_expect_eq(desk->gateway.recent_next, 1);
    desk_destroy(desk);
}

Test(gateway_fold, a_sale_begins_a_cooldown_alone_and_a_stop_nothing) {
    struct desk *desk = desk_create();
    struct order *sent = NULL;
    desk_hold(desk, "AAPL", 5);
    struct order stop = desk_intent(PURPOSE_STOP, 2);
    cr_assert_eq(desk_send(desk, &stop, &sent), ERR_OK);
    restart(desk);
    cr_expect_eq(desk->gateway.touched[0].ns, 0);
    struct order sale = desk_intent(PURPOSE_EXIT, 2);
    cr_assert_eq(desk_send(desk, &sale, &sent), ERR_OK);
    struct utc sold = sent->decided_at;
    restart(desk);
    cr_expect_eq(desk->gateway.touched[0].ns, sold.ns);
    cr_expect_eq(desk->gateway.recent_next, 0);
    desk_destroy(desk);
}
