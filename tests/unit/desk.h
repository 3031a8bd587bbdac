/* desk.h - gateway, exits and stops over a tiny broker: AAPL at 100, 100,000 USD, 30 minutes into a
 * session, nothing held. Header only. */
#ifndef TESTS_UNIT_DESK_H
#define TESTS_UNIT_DESK_H

#include "core/orders/exit_execution.h"
#include "core/orders/protective_stops.h"
#include "core/orders/validation.h"
#include "core/state/state_file.h"
#include "tests/unit/rig.h"
#include "tests/unit/tiny_broker.h"

struct desk {
    struct rig *rig;
    struct tiny_broker broker;
    struct config config;
    struct causes causes;
    struct account_guards guards;
    struct book book;
    struct orders orders;
    struct truth truth;
    struct gateway gateway;
    struct exits exits;
    struct alpaca *alpaca;
};

static inline void desk_truth(struct desk *desk) {
    struct utc now = rig_now(desk->rig);
    struct truth *truth = &desk->truth;
    truth->has_account = truth->has_clock = truth->is_open = true;
    truth->account.has_maintenance = true;
    truth->is_equity_explained = true;
    truth->account_at = clock_mono(desk->rig->world.clock);
    truth->account.equity = truth->account.cash = USD(100000);
    truth->account.buying_power = USD(200000);
    truth->clock.is_open = true;
    truth->day = ny_date(now);
    truth->session = (struct session){.date = truth->day,
                                      .open = ny_to_utc(truth->day, 9, 30),
                                      .close = ny_to_utc(truth->day, 16, 0)};
    truth->quotes[0] = (struct broker_quote){
        .is_known = true, .at = now, .bid = USD(100), .ask = dollars("100.02")};
    truth->references[0] = (struct reference){true, USD(100)};
}

/* AAPL may be bought: listed, 10 bn USD of it a session, nothing announced. */
static inline void desk_universe(struct desk *desk) {
    struct universe_guard *guard = &desk->gateway.universe;
    struct utc now = rig_now(desk->rig);
    struct broker_asset asset = {.symbol = "AAPL", .is_tradable = true};
    struct broker_bar day = {
        .at = ny_to_utc(date_add(ny_date(now), -1), 0, 0), .close = USD(100), .volume = 100000000};
    universe_guard_take_asset(guard, 0, &asset, now);
    universe_guard_take_day(&guard->facts[0], &day);
    guard->volumes_at = guard->actions_at = now;
}

/* As who trades long alone sets the account. */
static inline void desk_rails(struct desk *desk) {
    desk->gateway.rails =
        (struct broker_rails){.told = {.no_shorting = true, .max_margin_multiplier = 1},
                              .is_known = true,
                              .read_at = clock_mono(desk->rig->world.clock)};
}

/* Everything that a restart makes anew. */
static inline void desk_wire(struct desk *desk) {
    struct rig *rig = desk->rig;
    causes_init(&desk->causes, &rig->world, &rig->log);
    desk->causes.journal = rig->journal;
    account_guards_init(&desk->guards, &desk->config, &desk->causes);
    desk->guards.baseline = USD(100000);
    desk->guards.baseline_day = ny_date(rig_start());
    desk->orders = (struct orders){
        .world = &rig->world, .journal = rig->journal, .book = &desk->book, .log = &rig->log};
    desk->gateway = (struct gateway){.world = &rig->world,
                                     .config = &desk->config,
                                     .journal = rig->journal,
                                     .alpaca = desk->alpaca,
                                     .causes = &desk->causes,
                                     .guards = &desk->guards,
                                     .book = &desk->book,
                                     .orders = &desk->orders,
                                     .truth = &desk->truth,
                                     .log = &rig->log};
    desk->exits = (struct exits){.gateway = &desk->gateway};
    desk_universe(desk);
    desk_rails(desk);
}

static inline struct desk *desk_create(void) {
    struct desk *desk = calloc(1, sizeof *desk);
    cr_assert_not_null(desk);
    struct rig *rig = desk->rig = rig_create();
    desk->broker.seam.ops = &TINY_OPS;
    rig->world.http = &desk->broker.seam;
    desk->config = config_defaults();
    desk->config.symbol_count = 1;
    strcpy(desk->config.symbols[0], "AAPL");
    struct alpaca_options options = {.world = &rig->world,
                                     .key_id = "key",
                                     .secret = "secret",
                                     .feed = "sip",
                                     .read_deadline = SPAN_S(3),
                                     .submit_deadline = SPAN_S(5),
                                     .slow_deadline = SPAN_S(10),
                                     .rate_core = 140,
                                     .rate_exit = 140,
                                     .rate_other = 20};
    cr_assert_eq(alpaca_create(&options, &desk->alpaca, NULL), ERR_OK);
    desk_wire(desk);
    desk_truth(desk);
    return desk;
}

static inline void desk_destroy(struct desk *desk) {
    alpaca_destroy(desk->alpaca);
    causes_release(&desk->causes);
    rig_destroy(desk->rig);
    free(desk);
}

static inline struct holding *desk_hold(struct desk *desk, const char *symbol, int64_t shares) {
    struct holding *holding = book_get(&desk->book, symbol);
    holding->qty = holding->broker_qty = holding->initial_qty = QTY(shares);
    holding->cost = USD(100 * shares);
    holding->avg_entry = USD(100);
    holding->is_listed = true;
    holding->entered_at = rig_now(desk->rig);
    holding->quiet_since = mono_add(clock_mono(desk->rig->world.clock), SPAN_S(-30));
    return holding;
}

static inline struct order desk_intent(enum order_purpose purpose, int64_t shares) {
    return (struct order){.symbol = "AAPL",
                          .side = purpose == PURPOSE_ENTRY ? SIDE_BUY : SIDE_SELL,
                          .type = purpose == PURPOSE_STOP ? ORDER_STOP : ORDER_LIMIT,
                          .tif = purpose == PURPOSE_STOP ? TIF_GTC : TIF_DAY,
                          .purpose = purpose,
                          .reason = "test",
                          .qty = QTY(shares),
                          .limit_price = purpose == PURPOSE_STOP ? USD(0) : USD(100),
                          .stop_price = purpose == PURPOSE_STOP ? USD(96) : USD(0)};
}

static inline enum err_code desk_send(struct desk *desk, const struct order *intent,
                                      struct order **out) {
    struct refusal refusal = {0};
    struct err err = {0};
    return gateway_send(&desk->gateway, intent, out, &refusal, &err);
}

/* The newest order at the broker. */
static inline struct tiny_order *desk_last(struct desk *desk) {
    cr_assert_gt(desk->broker.count, 0);
    return &desk->broker.orders[desk->broker.count - 1];
}

/* The next call of this kind is answered so. */
static inline void desk_fault(struct desk *desk, struct tiny_fault fault) {
    for (size_t i = 0; i < 4; i++) {
        if (desk->broker.fault[i].times == 0) {
            fault.times = fault.times == 0 ? 1 : fault.times;
            desk->broker.fault[i] = fault;
            return;
        }
    }
    cr_assert_fail("too many faults");
}

/* One tick of what this room does: settle, exits, stops, sweep. */
static inline void desk_tick(struct desk *desk, int seconds) {
    rig_wait(desk->rig, SPAN_S(seconds));
    desk->truth.quotes[0].at = rig_now(desk->rig);
    gateway_settle(&desk->gateway);
    exits_step(&desk->exits);
    protective_stops_step(&desk->gateway, &desk->exits);
    orders_sweep(&desk->orders);
}

#endif
