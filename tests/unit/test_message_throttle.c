/* test_message_throttle.c - both windows at their edges, what counts and what waits, and what a restart knows. */
#include "core/orders/message_throttle.h"
#include "tests/unit/desk.h"

#include <string.h>

static struct mono ago(int64_t now_ns, int64_t age_ns) {
    return (struct mono){now_ns - age_ns};
}

static bool is_full(const struct message_throttle *throttle, const struct config *config,
                    struct mono now) {
    struct message_window window = message_throttle_look(throttle, config, now);
    return message_window_is_full(&window);
}

/* --- windows --- */

Test(message_throttle, a_second_is_full_at_its_limit_and_opens_when_the_oldest_is_a_second_old) {
    struct message_throttle throttle = {0};
    struct config config = config_defaults();
    int64_t now = 500 * NANOS;
    for (int i = 1; i <= 4; i++) {
        message_throttle_take(&throttle, ago(now, i == 1 ? NANOS - 1 : 0));
    }
    cr_expect_not(is_full(&throttle, &config, (struct mono){now}), "four of five");
    message_throttle_take(&throttle, (struct mono){now});
    cr_expect(is_full(&throttle, &config, (struct mono){now}));
    cr_expect_not(is_full(&throttle, &config, (struct mono){now + 1}), "the first is a second old");
    struct message_window window = message_throttle_look(&throttle, &config, (struct mono){now});
    cr_expect_eq(window.count, 5);
    cr_expect_eq(window.most, 5);
    cr_expect_eq(window.span.ns, SPAN_S(1).ns);
}

Test(message_throttle, a_minute_is_full_at_its_limit_and_opens_when_the_oldest_is_a_minute_old) {
    struct message_throttle throttle = {0};
    struct config config = config_defaults();
    int64_t now = 500 * NANOS;
    message_throttle_take(&throttle, ago(now, SPAN_MIN(1).ns - 1));
    for (int i = 2; i <= 149; i++) {
        message_throttle_take(&throttle, ago(now, 2 * NANOS));
    }
    cr_expect_not(is_full(&throttle, &config, (struct mono){now}), "149 of 150");
    message_throttle_take(&throttle, ago(now, 2 * NANOS));
    cr_expect(is_full(&throttle, &config, (struct mono){now}));
    cr_expect_not(is_full(&throttle, &config, (struct mono){now + 1}));
}

Test(message_throttle, nothing_sent_is_not_full_even_as_the_machine_boots) {
    struct message_throttle throttle = {0};
    struct config config = config_defaults();
    config.messages_1s = config.messages_60s = 1;
    cr_expect_not(is_full(&throttle, &config, (struct mono){0}));
    message_throttle_take(&throttle, (struct mono){0});
    cr_expect(is_full(&throttle, &config, (struct mono){0}), "zero is an instant like any other");
    cr_expect(is_full(&throttle, &config, (struct mono){SPAN_MIN(1).ns - 1}));
    cr_expect_not(is_full(&throttle, &config, (struct mono){SPAN_MIN(1).ns}));
}

Test(message_throttle, the_highest_limit_is_still_seen) {
    struct message_throttle throttle = {0};
    struct config config = config_defaults();
    config.messages_1s = config.messages_60s = MESSAGES_MAX;
    for (int i = 1; i < MESSAGES_MAX; i++) {
        message_throttle_take(&throttle, (struct mono){5});
    }
    cr_expect_not(is_full(&throttle, &config, (struct mono){5}));
    for (int i = 0; i < 3 * MESSAGES_MAX; i++) { /* exits do not stop at it */
        message_throttle_take(&throttle, (struct mono){5});
        cr_expect(is_full(&throttle, &config, (struct mono){5}));
    }
}

/* --- rows --- */

static size_t folded(const char *kind, const char *body, struct span age, struct mono *at) {
    struct message_throttle throttle = {0};
    struct utc now = {INT64_C(1700000000000000000)};
    struct journal_row row = {
        .at = utc_add(now, (struct span){-age.ns}), .kind = kind, .key = "st-1", .body = body};
    message_throttle_fold(&throttle, &row, now, (struct mono){7 * NANOS});
    *at = throttle.sent[0];
    return throttle.count;
}

Test(message_throttle, a_start_knows_intents_and_cancels_of_the_last_minute_alone) {
    struct mono at = {0};
    cr_expect_eq(folded("intent", "{}", SPAN_S(2), &at), 1);
    cr_expect_eq(at.ns, 5 * NANOS);
    cr_expect_eq(folded("order", "{\"state\":\"canceled\"}", SPAN_S(59), &at), 1);
    cr_expect_eq(at.ns, -52 * NANOS, "before this boot");
    cr_expect_eq(folded("intent", "{}", (struct span){SPAN_MIN(1).ns - 1}, &at), 1);
    cr_expect_eq(folded("intent", "{}", SPAN_MIN(1), &at), 0);
    cr_expect_eq(folded("order", "{\"state\":\"filled\"}", SPAN_S(2), &at), 0);
    cr_expect_eq(folded("fill", "{}", SPAN_S(2), &at), 0);
    cr_expect_eq(folded("order", "", SPAN_S(2), &at), 0);
    cr_expect_eq(folded("intent", "{}", SPAN_HOURS(-9), &at), 1, "a wall that was set back");
    cr_expect_eq(at.ns, 7 * NANOS, "as if now");
}

/* --- at the gateway --- */

struct ear {
    struct observer observer;
    int acted, released;
};

static void ear_observe(struct observer *observer, const struct event *event) {
    struct ear *ear = (struct ear *)observer;
    if (event->kind == EVENT_MECHANISM && strcmp(event->subject, "message_throttle") == 0) {
        ear->acted += strcmp(event->what, "acted") == 0;
        ear->released += strcmp(event->what, "released") == 0;
    }
}

static const struct observer_ops EAR_OPS = {ear_observe};

/* A desk whose minute holds so many. */
static struct desk *desk_of(int64_t most) {
    struct desk *desk = desk_create();
    desk->config.messages_1s = desk->config.messages_60s = most;
    desk->config.symbol_cooldown = SPAN_S(0);
    return desk;
}

static void fill_window(struct desk *desk) {
    for (int64_t i = 0; i < desk->config.messages_60s; i++) {
        message_throttle_take(&desk->gateway.messages, clock_mono(desk->rig->world.clock));
    }
}

static void wait_a_minute(struct desk *desk) {
    rig_wait(desk->rig, SPAN_MIN(1));
    desk->truth.quotes[0].at = rig_now(desk->rig);
    desk->truth.account_at = clock_mono(desk->rig->world.clock);
}

static enum err_code buy(struct desk *desk, struct order **out) {
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    return desk_send(desk, &intent, out);
}

Test(message_gateway, an_entry_waits_is_told_once_and_goes_when_the_window_opens) {
    struct desk *desk = desk_of(3);
    struct ear ear = {.observer = {&EAR_OPS}};
    desk->rig->world.observer = &ear.observer;
    fill_window(desk);
    cr_expect_eq(buy(desk, NULL), ERR_REFUSED);
    cr_expect_eq(buy(desk, NULL), ERR_REFUSED);
    causes_hold(&desk->causes, "x", MODE_REDUCE_ONLY, "");
    cr_expect_eq(buy(desk, NULL), ERR_REFUSED, "for another reason: that ends no wait");
    causes_let_go(&desk->causes, "x");
    cr_expect_eq(ear.acted, 1);
    cr_expect_eq(ear.released, 0);
    cr_expect_eq(desk->broker.requests, 0);
    cr_expect_eq(desk->orders.count, 0, "nothing is journaled of what waits");
    cr_expect_eq(causes_mode(&desk->causes), MODE_NORMAL);
    wait_a_minute(desk);
    cr_expect_eq(buy(desk, NULL), ERR_OK);
    cr_expect_eq(ear.acted, 1);
    cr_expect_eq(ear.released, 1);
    desk_destroy(desk);
}

Test(message_gateway, exits_stops_and_cancels_leave_behind_a_full_window_and_count) {
    struct desk *desk = desk_of(2);
    struct order *entry = NULL;
    cr_assert_eq(buy(desk, &entry), ERR_OK);
    cr_expect_eq(desk->gateway.messages.count, 1);
    desk_hold(desk, "MSFT", 10);
    struct order stop = desk_intent(PURPOSE_STOP, 4);
    struct order sale = desk_intent(PURPOSE_EXIT, 4);
    strcpy(stop.symbol, "MSFT");
    strcpy(sale.symbol, "MSFT");
    fill_window(desk);
    size_t before = desk->gateway.messages.count;
    cr_expect_eq(desk_send(desk, &stop, NULL), ERR_OK);
    cr_expect_eq(desk_send(desk, &sale, NULL), ERR_OK);
    gateway_cancel(&desk->gateway, entry);
    cr_expect_eq(desk->broker.cancels, 1);
    cr_expect_eq(desk->gateway.messages.count, before + 3);
    desk_destroy(desk);
}

Test(message_gateway, what_left_or_may_have_counts_and_what_did_not_leave_does_not) {
    static const struct {
        enum err_code answer;
        int status;
        size_t counted;
    } cases[] = {{ERR_NOT_SENT, 0, 0}, {ERR_UNKNOWN, 0, 1}, {ERR_OK, 403, 1}, {ERR_OK, 504, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk *desk = desk_of(9);
        desk_fault(desk, (struct tiny_fault){"POST", "/v2/orders", 1, cases[i].answer,
                                             cases[i].status, "{}", false});
        (void)!buy(desk, NULL);
        cr_expect_eq(desk->gateway.messages.count, cases[i].counted, "case %zu", i);
        desk_destroy(desk);
    }
}

Test(message_gateway, cancels_alone_make_an_entry_wait) {
    struct desk *desk = desk_of(2);
    struct order *entry = NULL;
    cr_assert_eq(buy(desk, &entry), ERR_OK);
    gateway_cancel(&desk->gateway, entry);
    gateway_ask(&desk->gateway, entry);
    orders_sweep(&desk->orders);
    cr_expect_eq(buy(desk, NULL), ERR_REFUSED);
    cr_expect_str_eq(desk->rig->last_refusal, "MESSAGE_RATE: 2 against 2");
    desk_destroy(desk);
}

static enum err_code fold_row(void *context, const struct journal_row *row, struct err *err) {
    struct desk *desk = context;
    enum err_code code = orders_fold(&desk->orders, row, err);
    gateway_fold(&desk->gateway, row);
    return code;
}

Test(message_gateway, a_restart_begins_no_window_anew) {
    struct desk *desk = desk_of(2);
    struct order *entry = NULL;
    cr_assert_eq(buy(desk, &entry), ERR_OK);
    gateway_cancel(&desk->gateway, entry);
    gateway_ask(&desk->gateway, entry);
    cr_assert_eq(journal_commit(desk->rig->journal, NULL), ERR_OK);
    rig_wait(desk->rig, SPAN_S(30));
    desk_wire(desk);
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold_row, desk, NULL), ERR_OK);
    orders_fold_end(&desk->orders);
    desk->truth.quotes[0].at = rig_now(desk->rig);
    cr_expect_eq(desk->gateway.messages.count, 2);
    cr_expect_eq(buy(desk, NULL), ERR_REFUSED);
    cr_expect_str_eq(desk->rig->last_refusal, "MESSAGE_RATE: 2 against 2");
    wait_a_minute(desk);
    cr_expect_eq(buy(desk, NULL), ERR_OK);
    desk_destroy(desk);
}
