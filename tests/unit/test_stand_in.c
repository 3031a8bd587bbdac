/* test_stand_in.c - what acts at the broker in the core's place: an operator's command beside a hung
 * core or after a dead one, and the core that wakes up to find it. */
#include "core/engine/stand_in.h"

#include "core/engine/core.h"
#include "tests/unit/desk.h"

#define ACCOUNT(cash)                                                                              \
    "{\"id\":\"a\",\"account_number\":\"PA1\",\"status\":\"ACTIVE\",\"buying_power\":\"200000\","  \
    "\"cash\":\"" cash                                                                             \
    "\",\"equity\":\"100000\",\"last_equity\":\"100000\",\"maintenance_margin\":\"0\","            \
    "\"balance_asof\":\"2026-08-31\"}"
#define CLOCK                                                                                      \
    "{\"timestamp\":\"2026-09-01T14:00:00Z\",\"is_open\":true,"                                    \
    "\"next_open\":\"2026-09-02T13:30:00Z\",\"next_close\":\"2026-09-01T20:00:00Z\"}"
#define DAY(date) "{\"date\":\"" date "\",\"open\":\"09:30\",\"close\":\"16:00\"}"
#define CALENDAR "[" DAY("2026-08-31") "," DAY("2026-09-01") "]"
#define POSITION                                                                                   \
    "[{\"symbol\":\"AAPL\",\"qty\":\"5\",\"avg_entry_price\":\"100\",\"current_price\":\"100\"}]"
#define QUOTE                                                                                      \
    "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T14:00:00Z\",\"bp\":100,\"ap\":100.02,\"bs\":1,"     \
    "\"as\":1}}}"

/* --- the gateway of a process that only reduces --- */

Test(scope, of_a_stand_in_refuses_an_entry_by_name_and_lets_an_exit_out) {
    struct desk *desk = desk_create();
    desk->gateway.only_reduces = true;
    struct order entry = desk_intent(PURPOSE_ENTRY, 5);
    struct refusal refusal = {0};
    cr_expect_eq(gateway_send(&desk->gateway, &entry, NULL, &refusal, NULL), ERR_REFUSED);
    cr_expect_eq(refusal.code, REFUSED_SCOPE);
    cr_expect_str_eq(refusal_word(refusal.code), "SCOPE");
    cr_expect_eq(desk->broker.posts, 0);
    desk_hold(desk, "AAPL", 10);
    struct order leave = desk_intent(PURPOSE_EXIT, 10);
    cr_expect_eq(desk_send(desk, &leave, NULL), ERR_OK);
    cr_expect_eq(desk->broker.posts, 1);
    desk_destroy(desk);
}

/* --- engines over one tiny broker --- */

struct yard {
    struct rig *rig;
    struct tiny_broker broker;
    struct config config;
    struct world other; /* a second process on the same disk */
    struct engine *core;
    struct engine *second;
};

static struct engine_options options_of(struct yard *yard, struct world *world,
                                        enum engine_scope scope) {
    return (struct engine_options){.world = world,
                                   .config = &yard->config,
                                   .mode = ENGINE_PAPER,
                                   .scope = scope,
                                   .key_id = "k",
                                   .secret = "s",
                                   .build = "b"};
}

static void place(struct yard *yard, const char *id, const char *client, const char *side,
                  const char *type) {
    struct tiny_order *order = &yard->broker.orders[yard->broker.count++];
    *order = (struct tiny_order){.tif = "day", .qty = "5", .filled = "0", .status = "new"};
    snprintf(order->id, sizeof order->id, "%s", id);
    snprintf(order->client, sizeof order->client, "%s", client);
    snprintf(order->symbol, sizeof order->symbol, "AAPL");
    snprintf(order->side, sizeof order->side, "%s", side);
    snprintf(order->type, sizeof order->type, "%s", type);
    snprintf(strcmp(type, "stop") == 0 ? order->stop : order->limit, sizeof order->limit, "96");
}

static const char *status_of(struct yard *yard, const char *id) {
    return tiny_find(&yard->broker, id)->status;
}

static void yard_tick(struct yard *yard, struct engine *engine, int seconds) {
    rig_wait(yard->rig, SPAN_S(seconds));
    engine_tick(engine);
}

static struct yard *yard_create(void) {
    struct yard *yard = calloc(1, sizeof *yard);
    cr_assert_not_null(yard);
    yard->rig = rig_create();
    journal_close(yard->rig->journal); /* the engine opens its own */
    yard->rig->journal = NULL;
    yard->config = config_defaults();
    yard->config.symbol_count = 1;
    strcpy(yard->config.symbols[0], "AAPL");
    yard->broker = (struct tiny_broker){.seam = {&TINY_OPS},
                                        .time = yard->rig->clock,
                                        .account = ACCOUNT("99500"),
                                        .clock = CLOCK,
                                        .calendar = CALENDAR,
                                        .positions = POSITION,
                                        .activities = "[]",
                                        .quotes = QUOTE,
                                        .trades = "{\"trades\":{}}",
                                        .bars = "{\"bars\":{},\"next_page_token\":null}"};
    yard->rig->world.http = &yard->broker.seam;
    yard->other = yard->rig->world;
    yard->other.disk = sim_disk_port(yard->rig->disk, 1);
    struct engine_options options = options_of(yard, &yard->rig->world, ENGINE_SCOPE_ALL);
    cr_assert_eq(engine_create(&options, &yard->core, NULL), ERR_OK);
    return yard;
}

/* The core holds five shares of AAPL, under a stop of its own that rests as b-1. */
static struct yard *yard_with_stop(void) {
    struct yard *yard = yard_create();
    book_apply_fill(&yard->core->book, "AAPL", SIDE_BUY, QTY(5), USD(500), rig_now(yard->rig),
                    (struct ratio){0});
    yard_tick(yard, yard->core, 1);
    cr_assert_eq(yard->broker.count, 1, "%zu orders", yard->broker.count);
    cr_assert_str_eq(yard->broker.orders[0].type, "stop");
    return yard;
}

static void yard_destroy(struct yard *yard) {
    engine_destroy(yard->second);
    engine_destroy(yard->core);
    rig_destroy(yard->rig);
    free(yard);
}

static void leave_order(struct yard *yard, enum inbox_verb verb) {
    struct inbox_command command = {.verb = verb, .by = "ann", .why = "out"};
    cr_assert_eq(inbox_write(&yard->other, &command, NULL), ERR_OK);
}

static struct text document(struct yard *yard, const char *name) {
    struct text bytes = {0};
    cr_assert_eq(state_file_read(yard->other.disk, name, 1 << 20, &bytes, NULL), ERR_OK);
    return bytes;
}

/* --- beside a hung core: no lease, no journal --- */

Test(stand_in, cancels_our_entries_by_id_and_leaves_sales_and_strangers_alone) {
    struct yard *yard = yard_create();
    struct engine_options options = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    place(yard, "b-1", "st-2026-09-01-1", "buy", "limit");
    place(yard, "b-2", "st-2026-09-01-2", "sell", "stop");
    place(yard, "b-3", "st-2026-09-01-3", "sell", "limit");
    place(yard, "b-4", "by-hand", "buy", "limit");
    place(yard, "b-5", "st-2026-09-01-4", "buy", "limit");
    struct stand_in *stand_in = NULL;
    cr_assert_eq(stand_in_create(&options, "PA1", &stand_in, NULL), ERR_OK);
    const struct stand_in_sight *sight = stand_in_sight(stand_in);
    cr_assert_eq(stand_in_look(stand_in, NULL), ERR_OK);
    cr_expect_eq(sight->live, 2, "seen before they were cancelled");
    cr_expect_eq(sight->cancelled_count, 2);
    cr_expect_str_eq(sight->cancelled[0], "st-2026-09-01-1");
    cr_expect_str_eq(sight->cancelled[1], "st-2026-09-01-4");
    cr_expect_eq(sight->sales, 2);
    cr_assert_eq(stand_in_look(stand_in, NULL), ERR_OK);
    cr_expect_eq(sight->live, 0);
    cr_expect_eq(sight->cancelled_count, 2, "each is told once");
    cr_expect_str_eq(status_of(yard, "b-1"), "canceled");
    cr_expect_str_eq(status_of(yard, "b-2"), "new");
    cr_expect_str_eq(status_of(yard, "b-3"), "new");
    cr_expect_str_eq(status_of(yard, "b-4"), "new");
    cr_expect_str_eq(status_of(yard, "b-5"), "canceled");
    cr_expect_eq(yard->broker.posts, 0);
    stand_in_destroy(stand_in);
    yard_destroy(yard);
}

Test(stand_in, a_cancel_that_fails_is_asked_again_and_a_listing_that_fails_changes_nothing) {
    struct yard *yard = yard_create();
    struct engine_options options = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    place(yard, "b-1", "st-2026-09-01-1", "buy", "limit");
    struct stand_in *stand_in = NULL;
    cr_assert_eq(stand_in_create(&options, "", &stand_in, NULL), ERR_OK);
    const struct stand_in_sight *sight = stand_in_sight(stand_in);
    yard->broker.fault[0] =
        (struct tiny_fault){"DELETE", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false};
    cr_assert_eq(stand_in_look(stand_in, NULL), ERR_OK);
    cr_expect_eq(sight->live, 1);
    cr_expect_eq(sight->cancelled_count, 0);
    yard->broker.fault[0] =
        (struct tiny_fault){"GET", "/v2/orders", 1, ERR_UNKNOWN, 0, NULL, false};
    cr_expect_neq(stand_in_look(stand_in, NULL), ERR_OK);
    cr_expect_eq(sight->live, 1, "not knowing is not none");
    cr_assert_eq(stand_in_look(stand_in, NULL), ERR_OK);
    cr_expect_eq(sight->cancelled_count, 1);
    cr_expect_str_eq(status_of(yard, "b-1"), "canceled");
    stand_in_destroy(stand_in);
    yard_destroy(yard);
}

Test(stand_in, refuses_the_credentials_of_another_account) {
    struct yard *yard = yard_create();
    struct engine_options options = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    struct stand_in *stand_in = NULL;
    struct err err = {0};
    cr_expect_eq(stand_in_create(&options, "PA2", &stand_in, &err), ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "PA1"));
    cr_expect_not_null(strstr(err.text, "PA2"));
    cr_expect_null(stand_in);
    yard->broker.account = NULL;
    cr_expect_neq(stand_in_create(&options, "PA1", &stand_in, NULL), ERR_OK);
    stand_in_destroy(NULL);
    yard_destroy(yard);
}

/* --- in place of a hung core: the lease changes hands --- */

Test(hung_core, keeps_its_lease_for_15_s_and_longer_against_a_core_that_trades) {
    struct yard *yard = yard_create();
    struct engine_options reduce = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    struct engine_options trade = options_of(yard, &yard->other, ENGINE_SCOPE_ALL);
    rig_wait(yard->rig, SPAN_S(14));
    cr_expect_eq(engine_create(&reduce, &yard->second, NULL), ERR_LOCKED);
    rig_wait(yard->rig, SPAN_S(1));
    cr_expect_eq(engine_create(&trade, &yard->second, NULL), ERR_LOCKED);
    cr_expect_eq(engine_create(&reduce, &yard->second, NULL), ERR_OK);
    cr_assert_not_null(yard->second);
    cr_expect_eq(lease_epoch(yard->second->lease), 2);
    yard_destroy(yard);
}

Test(hung_core, whose_place_is_taken_touches_neither_order_nor_document_when_it_wakes) {
    struct yard *yard = yard_with_stop();
    struct engine_options reduce = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    const struct holding *holding = book_find(&yard->core->book, "AAPL");
    exits_decide(&yard->core->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    rig_wait(yard->rig, SPAN_S(15)); /* stopped here, with the exit not begun */
    cr_assert_eq(engine_create(&reduce, &yard->second, NULL), ERR_OK);
    struct text before = document(yard, "view.json");
    leave_order(yard, INBOX_KILL);
    int cancels = yard->broker.cancels;

    engine_tick(yard->core);
    cr_expect(causes_has(&yard->core->causes, "lease_lost"));
    cr_expect_eq(causes_mode(&yard->core->causes), MODE_HALT);
    cr_expect_eq(yard->broker.cancels, cancels, "the stop is its successor's");
    cr_expect_str_eq(status_of(yard, "b-1"), "new");
    cr_expect_eq(yard->broker.posts, 1, "the stop alone");
    bool has_command = false;
    cr_assert_eq(inbox_has_command(&yard->other, &has_command, NULL), ERR_OK);
    cr_expect(has_command, "the kill is for who holds the lease");
    struct text after = document(yard, "view.json");
    cr_expect_str_eq(text_get(&after), text_get(&before));
    cr_expect_eq(engine_run(yard->core, NULL), ERR_LOCKED);

    engine_tick(yard->second);
    cr_expect(causes_has(&yard->second->causes, "kill_switch"));
    cr_expect_not(causes_has(&yard->second->causes, "lease_lost"), "not inherited");
    text_release(&before);
    text_release(&after);
    yard_destroy(yard);
}

Test(hung_core, in_the_middle_of_an_exit_does_not_take_its_stop_away) {
    struct yard *yard = yard_with_stop();
    struct engine_options reduce = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    struct order *stop = orders_live(&yard->core->orders, "AAPL", PURPOSE_STOP);
    cr_assert_not_null(stop);
    rig_wait(yard->rig, SPAN_S(15));
    cr_assert_eq(engine_create(&reduce, &yard->second, NULL), ERR_OK);
    gateway_cancel(&yard->core->gateway, stop); /* the next thing it would have done */
    cr_expect_eq(yard->broker.cancels, 0);
    cr_expect(causes_has(&yard->core->causes, "lease_lost"));
    yard_destroy(yard);
}

Test(hung_core, that_wakes_before_anybody_came_goes_on) {
    struct yard *yard = yard_with_stop();
    struct order *stop = orders_live(&yard->core->orders, "AAPL", PURPOSE_STOP);
    rig_wait(yard->rig, SPAN_S(600));
    gateway_cancel(&yard->core->gateway, stop);
    cr_expect_eq(yard->broker.cancels, 1);
    cr_expect_not(causes_has(&yard->core->causes, "lease_lost"));
    yard_destroy(yard);
}

/* --- in place of a dead core --- */

Test(dead_core, its_stand_in_cancels_entries_and_keeps_the_stop) {
    struct yard *yard = yard_with_stop();
    struct order intent = {
        .symbol = "MSFT", .type = ORDER_LIMIT, .qty = QTY(5), .limit_price = USD(100)};
    struct order *order = NULL;
    cr_assert_eq(orders_add(&yard->core->orders, ny_date(rig_start()), &intent, &order, NULL),
                 ERR_OK);
    place(yard, "b-2", order->client_id, "buy", "limit");
    snprintf(yard->broker.orders[1].symbol, sizeof yard->broker.orders[1].symbol, "MSFT");
    snprintf(yard->broker.orders[1].limit, sizeof yard->broker.orders[1].limit, "100");
    engine_destroy(yard->core);
    yard->core = NULL;
    sim_disk_process_died(yard->rig->disk, 0);
    struct engine_options reduce = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    cr_assert_eq(engine_create(&reduce, &yard->second, NULL), ERR_OK);
    for (int i = 0; i < 3; i++) {
        yard_tick(yard, yard->second, 5);
    }
    cr_expect_str_eq(status_of(yard, "b-2"), "canceled");
    cr_expect_str_eq(status_of(yard, "b-1"), "new");
    cr_expect_eq(engine_totals(yard->second).entries_cancelled, 1);
    cr_expect_eq(engine_totals(yard->second).orders, 0);
    yard_destroy(yard);
}

Test(dead_core, its_stand_in_leaves_no_entry_working_in_any_mode) {
    struct yard *yard = yard_create();
    engine_destroy(yard->core);
    yard->core = NULL;
    sim_disk_process_died(yard->rig->disk, 0);
    yard->config.degraded_clean = SPAN_S(1);
    struct engine_options reduce = options_of(yard, &yard->other, ENGINE_SCOPE_REDUCE);
    cr_assert_eq(engine_create(&reduce, &yard->second, NULL), ERR_OK);
    struct engine *engine = yard->second;
    yard->broker.positions = "[]";
    yard->broker.account = ACCOUNT("100000");
    for (int i = 0; i < 6; i++) {
        yard_tick(yard, engine, 5);
    }
    cr_assert_eq(causes_mode(&engine->causes), MODE_NORMAL);
    struct order intent = {
        .symbol = "AAPL", .type = ORDER_LIMIT, .qty = QTY(5), .limit_price = USD(96)};
    struct order *order = NULL;
    cr_assert_eq(orders_add(&engine->orders, ny_date(rig_start()), &intent, &order, NULL), ERR_OK);
    place(yard, "b-1", order->client_id, "buy", "limit");
    orders_move(&engine->orders, order, ORDER_UNKNOWN); /* found late, as after a lost answer */
    for (int i = 0; i < 2; i++) {
        yard_tick(yard, engine, 5);
    }
    cr_expect_str_eq(status_of(yard, "b-1"), "canceled");
    cr_expect_eq(engine_totals(engine).orders, 0);
    yard_destroy(yard);
}
