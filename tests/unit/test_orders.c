/* test_orders.c - the table of legal moves, ids, fills booked once, exit rules at their thresholds,
 * every refusal of the gateway, and what it makes of each kind of answer. */
#include "core/orders/exit_execution.h"
#include "core/orders/exit_rules.h"
#include "core/orders/gateway.h"
#include "core/orders/validation.h"
#include "tests/unit/rig.h"

/* --- a scripted broker --- */

struct step { /* one expected request and its answer */
    const char *method;
    const char *path; /* how it begins */
    enum err_code code;
    int status;
    const char *body;
};

struct script {
    struct http seam;
    const struct step *steps;
    size_t count, next;
    int surprises; /* requests nobody expected */
    char bodies[4][600];
};

static enum err_code script_perform(struct http *http, const struct http_request *request,
                                    struct span deadline, struct http_response *response,
                                    struct err *err) {
    (void)deadline;
    struct script *script = (struct script *)http;
    const struct step *step = &script->steps[script->next];
    bool is_expected = script->next < script->count && strcmp(step->method, request->method) == 0 &&
                       strncmp(step->path, request->path, strlen(step->path)) == 0;
    http_response_clear(response);
    if (!is_expected) {
        script->surprises++;
        return err_set(err, ERR_NOT_SENT, "unexpected %s %s", request->method, request->path);
    }
    if (script->next < 4) {
        snprintf(script->bodies[script->next], sizeof script->bodies[0], "%.*s",
                 (int)request->body_len, request->body);
    }
    script->next++;
    if (step->code != ERR_OK) {
        return err_set(err, step->code, "scripted");
    }
    response->status = step->status;
    text_add(&response->body, step->body);
    return ERR_OK;
}

static const struct http_ops SCRIPT_OPS = {script_perform};

/* --- the fixture: AAPL at 100, 100,000 USD, 30 minutes into a session, nothing held --- */

struct fixture {
    struct rig *rig;
    struct script script;
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

static void wire(struct fixture *fixture) {
    struct rig *rig = fixture->rig;
    causes_init(&fixture->causes, &rig->world, &rig->log);
    fixture->causes.journal = rig->journal;
    account_guards_init(&fixture->guards, &fixture->config, &fixture->causes);
    fixture->guards.baseline = USD(100000);
    fixture->guards.baseline_day = ny_date(rig_start());
    fixture->orders = (struct orders){
        .world = &rig->world, .journal = rig->journal, .book = &fixture->book, .log = &rig->log};
    fixture->gateway = (struct gateway){.world = &rig->world,
                                        .config = &fixture->config,
                                        .journal = rig->journal,
                                        .alpaca = fixture->alpaca,
                                        .causes = &fixture->causes,
                                        .guards = &fixture->guards,
                                        .book = &fixture->book,
                                        .orders = &fixture->orders,
                                        .truth = &fixture->truth,
                                        .log = &rig->log};
    fixture->exits = (struct exits){.gateway = &fixture->gateway};
}

static void set_truth(struct fixture *fixture) {
    struct utc now = rig_now(fixture->rig);
    struct truth *truth = &fixture->truth;
    truth->has_account = truth->has_clock = truth->is_open = true;
    truth->is_equity_explained = true;
    truth->account_at = clock_mono(fixture->rig->world.clock);
    truth->account.equity = USD(100000);
    truth->account.cash = USD(100000);
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

static struct fixture *fixture_create(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    fixture->rig = rig_create();
    fixture->script.seam.ops = &SCRIPT_OPS;
    fixture->rig->world.http = &fixture->script.seam;
    fixture->config = config_defaults();
    fixture->config.symbol_count = 1;
    strcpy(fixture->config.symbols[0], "AAPL");
    struct alpaca_options options = {.world = &fixture->rig->world,
                                     .key_id = "key",
                                     .secret = "secret",
                                     .feed = "sip",
                                     .read_deadline = SPAN_S(3),
                                     .submit_deadline = SPAN_S(5),
                                     .slow_deadline = SPAN_S(10),
                                     .rate_core = 140,
                                     .rate_exit = 40,
                                     .rate_other = 20};
    cr_assert_eq(alpaca_create(&options, &fixture->alpaca, NULL), ERR_OK);
    wire(fixture);
    set_truth(fixture);
    return fixture;
}

static void fixture_destroy(struct fixture *fixture) {
    cr_expect_eq(fixture->script.surprises, 0);
    cr_expect_eq(fixture->script.next, fixture->script.count, "the script was not played out");
    alpaca_destroy(fixture->alpaca);
    causes_release(&fixture->causes);
    rig_destroy(fixture->rig);
    free(fixture);
}

#define PLAY(fixture, ...)                                                                         \
    static const struct step played[] = {__VA_ARGS__};                                             \
    (fixture)->script.steps = played;                                                              \
    (fixture)->script.count = sizeof played / sizeof played[0];                                    \
    (fixture)->script.next = 0

static struct holding *hold(struct fixture *fixture, const char *symbol, int64_t shares) {
    struct holding *holding = book_get(&fixture->book, symbol);
    holding->qty = holding->broker_qty = holding->initial_qty = QTY(shares);
    holding->cost = USD(100 * shares);
    holding->avg_entry = USD(100);
    holding->is_listed = true;
    holding->entered_at = rig_now(fixture->rig);
    return holding;
}

static struct order entry(void) {
    return (struct order){.symbol = "AAPL",
                          .side = SIDE_BUY,
                          .type = ORDER_LIMIT,
                          .tif = TIF_DAY,
                          .purpose = PURPOSE_ENTRY,
                          .reason = "signal",
                          .qty = QTY(5),
                          .limit_price = USD(100)};
}

static struct order sale(int64_t shares) {
    struct order order = entry();
    order.side = SIDE_SELL;
    order.purpose = PURPOSE_EXIT;
    order.qty = QTY(shares);
    return order;
}

/* --- states, ids --- */

Test(orders, every_pair_of_states_moves_as_the_table_says) {
    /* columns: intent unknown working filled canceled expired replaced rejected not_sent */
    static const char *const legal[] = {
        "111111111", "011111111", "001111110", "000000000", "000000000",
        "000000000", "000000000", "000000000", "000000000",
    };
    for (int from = ORDER_INTENT; from <= ORDER_NOT_SENT; from++) {
        for (int to = ORDER_INTENT; to <= ORDER_NOT_SENT; to++) {
            cr_expect_eq(order_may_move((enum order_state)from, (enum order_state)to),
                         legal[from][to] == '1', "%s -> %s",
                         order_state_word((enum order_state)from),
                         order_state_word((enum order_state)to));
        }
    }
}

Test(orders, client_ids_parse_only_in_their_own_shape) {
    struct date day = {0};
    int64_t number = 0;
    cr_expect(client_id_parse("st-2026-09-01-17", &day, &number));
    cr_expect_eq(day.days, date_from_civil(2026, 9, 1).days);
    cr_expect_eq(number, 17);
    static const char *const bad[] = {"",
                                      "st-",
                                      "st-2026-09-01",
                                      "st-2026-09-01-",
                                      "st-2026-09-01-1x",
                                      "st-2026-09-01--1",
                                      "st-2026-13-01-1",
                                      "st-2026-09-01-x-AAPL-1",
                                      "xx-2026-09-01-1",
                                      "st-2026-09-01-99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(client_id_parse(bad[i], &day, &number), "%s", bad[i]);
    }
    cr_expect(client_id_is_ours("st-2026-09-01-x-AAPL-1"));
    cr_expect_not(client_id_is_ours("ST-1"));
}

Test(orders, are_numbered_by_the_day_and_a_restart_goes_on_counting) {
    struct fixture *fixture = fixture_create();
    struct order intent = entry();
    struct order *order = NULL;
    struct date day = fixture->truth.day;
    for (int i = 1; i <= 2; i++) {
        cr_assert_eq(orders_add(&fixture->orders, day, &intent, &order, NULL), ERR_OK);
    }
    cr_expect_str_eq(order->client_id, "st-2026-09-01-2");
    cr_assert_eq(orders_add(&fixture->orders, date_add(day, 1), &intent, &order, NULL), ERR_OK);
    cr_expect_str_eq(order->client_id, "st-2026-09-02-1");
    fixture_destroy(fixture);
}

static enum err_code fold_orders(void *context, const struct journal_row *row, struct err *err) {
    struct fixture *fixture = context;
    enum err_code code = book_fold(&fixture->book, row, err);
    return code == ERR_OK ? orders_fold(&fixture->orders, row, err) : code;
}

/* A new process over the same journal. */
static void refold(struct fixture *fixture) {
    causes_release(&fixture->causes);
    rig_reopen(fixture->rig);
    fixture->book = (struct book){0};
    wire(fixture);
    struct err err = {0};
    cr_assert_eq(journal_read(fixture->rig->journal, 0, fold_orders, fixture, &err), ERR_OK, "%s",
                 err.text);
    orders_fold_end(&fixture->orders);
}

Test(orders, an_intent_without_an_outcome_is_unknown_after_a_restart) {
    struct fixture *fixture = fixture_create();
    struct order intent = entry();
    struct order *order = NULL;
    cr_assert_eq(orders_add(&fixture->orders, fixture->truth.day, &intent, &order, NULL), ERR_OK);
    refold(fixture);
    order = orders_find(&fixture->orders, "st-2026-09-01-1");
    cr_assert_not_null(order);
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    cr_expect_eq(order->qty.nanos, QTY(5).nanos);
    cr_expect_eq(order->limit_price.nanos, USD(100).nanos);
    cr_expect_eq(fixture->orders.highest_number, 1);
    fixture_destroy(fixture);
}

static struct broker_order answer(const char *id, enum broker_status status, int64_t filled,
                                  const char *average) {
    struct broker_order out = {.id = "b-1",
                               .symbol = "AAPL",
                               .side = SIDE_BUY,
                               .type = ORDER_LIMIT,
                               .tif = TIF_DAY,
                               .status = status,
                               .qty = QTY(5),
                               .filled_qty = QTY(filled),
                               .has_avg = filled > 0,
                               .filled_avg_price = dollars(average),
                               .has_limit = true,
                               .limit_price = USD(100)};
    strcpy(out.client_id, id);
    return out;
}

static void take(struct fixture *fixture, struct order *order, enum broker_status status,
                 int64_t filled, const char *average) {
    struct broker_order truth = answer(order->client_id, status, filled, average);
    orders_take(&fixture->orders, order, &truth);
}

static struct order *working(struct fixture *fixture) {
    struct order intent = entry();
    struct order *order = NULL;
    cr_assert_eq(orders_add(&fixture->orders, fixture->truth.day, &intent, &order, NULL), ERR_OK);
    take(fixture, order, STATUS_NEW, 0, "0");
    cr_assert_eq(order->state, ORDER_WORKING);
    return order;
}

static struct qty held(struct fixture *fixture) {
    const struct holding *holding = book_find(&fixture->book, "AAPL");
    return holding == NULL ? (struct qty){0} : holding->qty;
}

Test(orders_take, books_cumulative_growth_once) {
    struct fixture *fixture = fixture_create();
    struct order *order = working(fixture);
    take(fixture, order, STATUS_PARTIALLY_FILLED, 2, "99");
    take(fixture, order, STATUS_PARTIALLY_FILLED, 2, "99");
    cr_expect_eq(held(fixture).nanos, QTY(2).nanos);
    take(fixture, order, STATUS_FILLED, 5, "99.6");
    cr_expect_eq(order->state, ORDER_FILLED);
    cr_expect_eq(held(fixture).nanos, QTY(5).nanos);
    cr_expect_eq(book_find(&fixture->book, "AAPL")->cost.nanos, USD(498).nanos);
    cr_expect_eq(fixture->orders.fills, 2);
    refold(fixture);
    cr_expect_eq(held(fixture).nanos, QTY(5).nanos);
    fixture_destroy(fixture);
}

Test(orders_take, a_stale_answer_books_nothing) {
    struct fixture *fixture = fixture_create();
    struct order *order = working(fixture);
    take(fixture, order, STATUS_PARTIALLY_FILLED, 3, "99");
    take(fixture, order, STATUS_NEW, 0, "0");
    take(fixture, order, STATUS_PARTIALLY_FILLED, 1, "98");
    cr_expect_eq(order->filled.nanos, QTY(3).nanos);
    cr_expect_eq(held(fixture).nanos, QTY(3).nanos);
    cr_expect_eq(book_find(&fixture->book, "AAPL")->cost.nanos, USD(297).nanos);
    fixture_destroy(fixture);
}

Test(orders_take, a_late_fill_on_a_cancelled_order_is_booked_and_the_end_stays) {
    struct fixture *fixture = fixture_create();
    struct order *order = working(fixture);
    take(fixture, order, STATUS_CANCELED, 0, "0");
    cr_expect_eq(order->state, ORDER_CANCELED);
    take(fixture, order, STATUS_CANCELED, 2, "100");
    cr_expect_eq(order->state, ORDER_CANCELED);
    cr_expect_eq(held(fixture).nanos, QTY(2).nanos);
    fixture_destroy(fixture);
}

Test(orders_take, an_end_whose_fills_have_no_price_is_not_an_end_yet) {
    struct fixture *fixture = fixture_create();
    struct order *order = working(fixture);
    struct broker_order truth = answer(order->client_id, STATUS_FILLED, 5, "100");
    truth.has_avg = false;
    orders_take(&fixture->orders, order, &truth);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_eq(held(fixture).nanos, 0);
    truth.has_avg = true;
    orders_take(&fixture->orders, order, &truth);
    cr_expect_eq(order->state, ORDER_FILLED);
    fixture_destroy(fixture);
}

Test(orders_take, an_unknown_word_is_loud_and_the_order_lives) {
    struct fixture *fixture = fixture_create();
    struct order *order = working(fixture);
    take(fixture, order, STATUS_OTHER, 0, "0");
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(fixture->rig->last_alert, "unknown_status");
    cr_expect_eq(fixture->rig->pages, 1);
    fixture_destroy(fixture);
}

Test(orders_take, a_restart_books_no_fill_twice) {
    for (int is_adopted = 0; is_adopted < 2; is_adopted++) {
        struct fixture *fixture = fixture_create();
        const char *id = "st-2026-09-01-1";
        if (is_adopted) {
            struct broker_order found = answer(id, STATUS_PARTIALLY_FILLED, 2, "100");
            orders_adopt(&fixture->orders, &found);
        } else {
            take(fixture, working(fixture), STATUS_PARTIALLY_FILLED, 2, "100");
        }
        cr_assert_eq(held(fixture).nanos, QTY(2).nanos);
        refold(fixture);
        cr_assert_eq(held(fixture).nanos, QTY(2).nanos);
        take(fixture, orders_find(&fixture->orders, id), STATUS_PARTIALLY_FILLED, 3, "100");
        cr_expect_eq(held(fixture).nanos, QTY(3).nanos, "adopted %d", is_adopted);
        fixture_destroy(fixture);
    }
}

/* --- exit rules: entry 100, hard 3 %, trailing 1.5 %, targets 2, 5, 10 %, decay 0.4, 4 h, 12 days --- */

struct exit_case {
    const char *mark, *high;
    unsigned hit;
    int64_t age_s;
    const char *score; /* NULL: unknown; the entry's was 1 */
    const char *reason;
    const char *qty; /* of a part; NULL for all */
};

Test(exit_rules, each_at_its_exact_threshold_and_one_step_beside) {
    static const struct exit_case cases[] = {
        {"97.000000001", "0", 0, 0, NULL, "", NULL},
        {"97", "0", 0, 0, NULL, "hard_stop", NULL},
        {"99.9775", "101.5", 0, 0, NULL, "trailing", NULL},
        {"99.977500001", "101.5", 0, 0, NULL, "", NULL},
        {"99.9", "101.499999999", 0, 0, NULL, "", NULL},
        {"101.999999999", "101.99", 0, 0, NULL, "", NULL},
        {"102", "102", 0, 0, NULL, "target", "3"},
        {"102", "102", 1, 0, NULL, "", NULL},
        {"105", "105", 1, 0, NULL, "target", "3"},
        {"110", "110", 3, 0, NULL, "target", NULL},
        {"110", "110", 0, 0, NULL, "target", NULL},
        {"100", "0", 0, 0, "0.4", "decay", NULL},
        {"100", "0", 0, 0, "0.400000001", "", NULL},
        {"100", "0", 0, 14400, NULL, "time", NULL},
        {"100", "0", 0, 14399, NULL, "", NULL},
        /* the order of priority */
        {"97", "101.5", 0, 14400, "0", "hard_stop", NULL},
        {"99", "101.5", 0, 14400, "0", "trailing", NULL},
        {"102", "102", 0, 14400, "0", "target", "3"},
        {"100", "0", 0, 14400, "0", "decay", NULL},
    };
    struct config config = config_defaults();
    config.decay = (struct ratio){400000000};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct exit_case *c = &cases[i];
        struct holding holding = {.symbol = "AAPL",
                                  .qty = QTY(10),
                                  .cost = USD(1000),
                                  .initial_qty = QTY(10),
                                  .entered_at = rig_start(),
                                  .high_water = dollars(c->high),
                                  .targets_hit = c->hit,
                                  .entry_score = {NANOS},
                                  .has_mark = true,
                                  .mark = dollars(c->mark)};
        struct ratio score = {c->score == NULL ? 0 : dollars(c->score).nanos};
        struct exit_wish wish = exit_rules(
            &holding, &config, utc_add(rig_start(), SPAN_S(c->age_s)), c->score != NULL, score);
        cr_expect_eq(wish.is_wished, c->reason[0] != '\0', "case %zu", i);
        cr_expect_str_eq(wish.is_wished ? wish.reason : "", c->reason, "case %zu", i);
        cr_expect_eq(wish.is_part, c->qty != NULL, "case %zu", i);
        if (c->qty != NULL) {
            cr_expect_eq(wish.qty.nanos, dollars(c->qty).nanos, "case %zu", i);
        }
    }
}

Test(exit_rules, stale_needs_its_days_and_its_band) {
    struct config config = config_defaults();
    config.time_exit = SPAN_DAYS(90);
    static const char *const marks[] = {"98", "97.5", "101.9"};
    for (int days = 11; days <= 12; days++) {
        for (size_t i = 0; i < 3; i++) {
            struct holding holding = {.qty = QTY(10),
                                      .cost = USD(1000),
                                      .initial_qty = QTY(10),
                                      .entered_at = rig_start(),
                                      .has_mark = true,
                                      .mark = dollars(marks[i])};
            config.stale_band = (struct ratio){20000000};
            struct exit_wish wish = exit_rules(
                &holding, &config, utc_add(rig_start(), SPAN_DAYS(days)), false, (struct ratio){0});
            cr_expect_eq(wish.is_wished, days == 12 && i != 1, "%d days at %s", days, marks[i]);
        }
    }
}

Test(exit_rules, without_a_trusted_mark_nothing_is_decided) {
    struct config config = config_defaults();
    struct holding holding = {
        .qty = QTY(10), .cost = USD(1000), .mark = USD(1), .entered_at = rig_start()};
    cr_expect_not(
        exit_rules(&holding, &config, utc_add(rig_start(), SPAN_DAYS(99)), true, (struct ratio){0})
            .is_wished);
}

/* --- check_intent: one thing wrong at a time --- */

static enum refusal_code check(struct fixture *fixture, const struct order *intent) {
    struct refusal refusal = {0};
    enum refusal_code code = check_intent(&fixture->gateway, intent,
                                          intent_is_exit(&fixture->gateway, intent), &refusal);
    cr_expect_eq(refusal.code, code);
    return code;
}

static enum refusal_code check_entry(struct fixture *fixture) {
    struct order intent = entry();
    return check(fixture, &intent);
}

#define EXPECT_ENTRY(fixture, wanted)                                                              \
    cr_expect_str_eq(refusal_word(check_entry(fixture)), refusal_word(REFUSED_##wanted))

Test(check_intent, passes_a_good_entry) {
    struct fixture *fixture = fixture_create();
    EXPECT_ENTRY(fixture, NONE);
    fixture_destroy(fixture);
}

Test(check_intent, mode_and_halt) {
    struct fixture *fixture = fixture_create();
    hold(fixture, "AAPL", 10);
    struct order leave = sale(10);
    causes_hold(&fixture->causes, "a", MODE_CAUTION, "");
    cr_expect_eq(check(fixture, &leave), REFUSED_NONE);
    causes_hold(&fixture->causes, "b", MODE_REDUCE_ONLY, "");
    cr_expect_eq(check(fixture, &leave), REFUSED_NONE, "an exit is sacred");
    EXPECT_ENTRY(fixture, MODE);
    causes_hold(&fixture->causes, "c", MODE_HALT, "");
    cr_expect_eq(check(fixture, &leave), REFUSED_HALT);
    EXPECT_ENTRY(fixture, HALT);
    fixture_destroy(fixture);
}

Test(check_intent, reducing_is_arithmetic_with_every_live_order_counted) {
    struct fixture *fixture = fixture_create();
    struct order all = sale(10);
    struct order more = sale(11);
    struct order four = sale(4);
    cr_expect_eq(check(fixture, &all), REFUSED_NOT_REDUCING, "nothing is held");
    hold(fixture, "AAPL", 10);
    cr_expect_eq(check(fixture, &all), REFUSED_NONE);
    cr_expect_eq(check(fixture, &more), REFUSED_NOT_REDUCING);
    struct order six = sale(6);
    struct order *live = NULL;
    cr_assert_eq(orders_add(&fixture->orders, fixture->truth.day, &six, &live, NULL), ERR_OK);
    orders_move(&fixture->orders, live, ORDER_UNKNOWN);
    cr_expect_eq(check(fixture, &four), REFUSED_NONE);
    cr_expect_eq(check(fixture, &all), REFUSED_NOT_REDUCING, "an unknown one counts");
    strcpy(all.replaces, live->client_id);
    cr_expect_eq(check(fixture, &all), REFUSED_NONE, "less the one it replaces");
    struct order buy = entry();
    buy.purpose = PURPOSE_STOP;
    cr_expect_eq(check(fixture, &buy), REFUSED_NOT_REDUCING, "a label makes no exit");
    fixture_destroy(fixture);
}

Test(check_intent, journal_and_session) {
    struct fixture *fixture = fixture_create();
    fixture->gateway.is_journal_down = true;
    EXPECT_ENTRY(fixture, JOURNAL);
    fixture->gateway.is_journal_down = false;
    struct session session = fixture->truth.session;
    struct utc now = rig_now(fixture->rig);
    fixture->truth.session.open = utc_add(now, SPAN_S(-300));
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.session.open.ns++;
    EXPECT_ENTRY(fixture, SESSION);
    fixture->truth.session = session;
    fixture->truth.session.close = utc_add(now, SPAN_S(300));
    EXPECT_ENTRY(fixture, SESSION);
    fixture->truth.session.close.ns++;
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.clock.is_open = false;
    EXPECT_ENTRY(fixture, SESSION);
    fixture_destroy(fixture);
}

Test(check_intent, an_account_that_is_old_blocked_empty_or_unexplained) {
    struct fixture *fixture = fixture_create();
    struct truth good = fixture->truth;
    fixture->truth.account.is_blocked = true;
    EXPECT_ENTRY(fixture, ACCOUNT);
    fixture->truth = good;
    fixture->truth.account.equity = USD(0);
    EXPECT_ENTRY(fixture, ACCOUNT);
    fixture->truth = good;
    fixture->truth.is_equity_explained = false;
    EXPECT_ENTRY(fixture, ACCOUNT);
    fixture->truth = good;
    fixture->truth.has_account = false;
    EXPECT_ENTRY(fixture, ACCOUNT);
    fixture->truth = good;
    fixture->truth.account_at.ns -= SPAN_S(30).ns;
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.account_at.ns--;
    EXPECT_ENTRY(fixture, ACCOUNT);
    fixture_destroy(fixture);
}

Test(check_intent, symbol_busy_and_cooldown) {
    struct fixture *fixture = fixture_create();
    struct utc now = rig_now(fixture->rig);
    fixture->gateway.touched[0] = utc_add(now, SPAN_S(-900));
    EXPECT_ENTRY(fixture, NONE);
    fixture->gateway.touched[0].ns++;
    EXPECT_ENTRY(fixture, COOLDOWN);
    fixture->gateway.touched[0] = (struct utc){0};
    struct order *live = working(fixture);
    EXPECT_ENTRY(fixture, SYMBOL_BUSY);
    take(fixture, live, STATUS_CANCELED, 0, "0");
    EXPECT_ENTRY(fixture, NONE);
    hold(fixture, "AAPL", 1);
    EXPECT_ENTRY(fixture, SYMBOL_BUSY);
    fixture_destroy(fixture);
}

Test(check_intent, reference_quote_and_collar) {
    struct fixture *fixture = fixture_create();
    struct truth good = fixture->truth;
    fixture->truth.references[0].is_trusted = false;
    EXPECT_ENTRY(fixture, NO_REFERENCE);
    fixture->truth = good;
    fixture->truth.quotes[0].at.ns -= SPAN_S(5).ns;
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.quotes[0].at.ns--;
    EXPECT_ENTRY(fixture, STALE_QUOTE);
    fixture->truth = good;
    struct order intent = entry();
    strcpy(intent.symbol, "MSFT");
    cr_expect_neq(check(fixture, &intent), REFUSED_NONE, "outside the universe");
    intent = entry();
    intent.limit_price = USD(102);
    cr_expect_eq(check(fixture, &intent), REFUSED_NONE);
    intent.limit_price = dollars("102.01");
    cr_expect_eq(check(fixture, &intent), REFUSED_COLLAR);
    intent.limit_price = dollars("97.99");
    cr_expect_eq(check(fixture, &intent), REFUSED_COLLAR);
    fixture_destroy(fixture);
}

Test(check_intent, size_limits_bind_beyond_their_bound_and_not_at_it) {
    struct fixture *fixture = fixture_create();
    fixture->config.order_cap_usd = USD(500);
    EXPECT_ENTRY(fixture, NONE);
    fixture->config.order_cap_usd = dollars("499.99");
    EXPECT_ENTRY(fixture, ORDER_CAP);
    fixture->config = config_defaults();
    fixture->config.symbol_count = 1;
    strcpy(fixture->config.symbols[0], "AAPL");
    fixture->config.min_notional_usd = USD(500);
    EXPECT_ENTRY(fixture, NONE);
    fixture->config.min_notional_usd = dollars("500.01");
    EXPECT_ENTRY(fixture, MIN_NOTIONAL);
    fixture->config.min_notional_usd = USD(1);
    fixture->truth.account.buying_power = dollars("526.32");
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.account.buying_power = dollars("526.31");
    EXPECT_ENTRY(fixture, BUYING_POWER);
    fixture->truth.account.buying_power = USD(200000);
    fixture->config.gross_exposure = (struct ratio){5000000};
    EXPECT_ENTRY(fixture, NONE);
    fixture->config.gross_exposure.nanos--;
    EXPECT_ENTRY(fixture, GROSS);
    fixture_destroy(fixture);
}

Test(check_intent, positions_rate_and_open_risk) {
    struct fixture *fixture = fixture_create();
    hold(fixture, "MSFT", 1);
    fixture->config.max_positions = 2;
    EXPECT_ENTRY(fixture, NONE);
    fixture->config.max_positions = 1;
    EXPECT_ENTRY(fixture, MAX_POSITIONS);
    fixture->config.max_positions = 16;
    fixture->book.count = 0;
    for (int i = 0; i < 6; i++) {
        EXPECT_ENTRY(fixture, NONE);
        fixture->gateway.recent_entries[i] = rig_now(fixture->rig);
    }
    EXPECT_ENTRY(fixture, ENTRY_RATE);
    fixture->gateway.recent_entries[0].ns -= SPAN_MIN(15).ns;
    EXPECT_ENTRY(fixture, NONE);
    /* 1.5 x 3.5 % x 500 = 26.25; limit 4,000 */
    fixture->truth.account.equity = dollars("96026.26");
    EXPECT_ENTRY(fixture, NONE);
    fixture->truth.account.equity = dollars("96026.25");
    EXPECT_ENTRY(fixture, OPEN_RISK);
    fixture->truth.account.equity = USD(100000);
    fixture->guards.baseline_day.days--;
    EXPECT_ENTRY(fixture, OPEN_RISK);
    fixture_destroy(fixture);
}

/* --- gateway_send against a scripted broker --- */

#define ORDER_JSON(id, qty, status, filled, average)                                               \
    "{\"id\":\"b-1\",\"client_order_id\":\"" id "\",\"symbol\":\"AAPL\",\"qty\":\"" qty            \
    "\",\"filled_qty\":\"" filled "\",\"filled_avg_price\":" average                               \
    ",\"type\":\"limit\",\"side\":\"buy\",\"time_in_force\":\"day\",\"limit_price\":\"100\","      \
    "\"status\":\"" status "\",\"submitted_at\":\"2026-09-01T14:00:00Z\"}"
#define FIRST "st-2026-09-01-1"
#define REFUSED_422 "{\"code\":40010001,\"message\":\"client_order_id must be unique\"}"
#define NOT_FOUND_404 "{\"code\":40410000,\"message\":\"order not found\"}"

static enum err_code send_entry(struct fixture *fixture, struct order **out) {
    struct order intent = entry();
    struct refusal refusal = {0};
    struct err err = {0};
    return gateway_send(&fixture->gateway, &intent, out, &refusal, &err);
}

Test(gateway, an_accepted_order_works_and_says_what_was_meant) {
    struct fixture *fixture = fixture_create();
    PLAY(fixture, {"POST", "/v2/orders", ERR_OK, 200, ORDER_JSON(FIRST, "5", "new", "0", "null")});
    struct order *order = NULL;
    cr_expect_eq(send_entry(fixture, &order), ERR_OK);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_str_eq(order->broker_id, "b-1");
    const char *body = fixture->script.bodies[0];
    cr_expect(strstr(body, "\"client_order_id\":\"" FIRST "\"") != NULL, "%s", body);
    cr_expect(strstr(body, "\"limit_price\":\"100\"") != NULL, "%s", body);
    fixture_destroy(fixture);
}

Test(gateway, a_refusal_sends_no_byte_and_journals_no_intent) {
    struct fixture *fixture = fixture_create();
    causes_hold(&fixture->causes, "x", MODE_REDUCE_ONLY, "");
    cr_expect_eq(send_entry(fixture, NULL), ERR_REFUSED);
    cr_expect_eq(fixture->orders.count, 0);
    cr_expect_eq(fixture->gateway.sent, 0);
    cr_expect_eq(fixture->gateway.refused, 1);
    fixture_destroy(fixture);
}

Test(gateway, a_timeout_or_a_5xx_is_unknown_and_asking_settles_it) {
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = fixture_create();
        static struct step steps[2];
        steps[0] = i == 0 ? (struct step){"POST", "/v2/orders", ERR_UNKNOWN, 0, ""}
                          : (struct step){"POST", "/v2/orders", ERR_OK, 504, "<html>"};
        steps[1] = (struct step){"GET", "/v2/orders:by_client_order_id", ERR_OK, 200,
                                 ORDER_JSON(FIRST, "5", "filled", "5", "\"99.5\"")};
        fixture->script.steps = steps;
        fixture->script.count = 2;
        struct order *order = NULL;
        cr_expect_eq(send_entry(fixture, &order), ERR_UNKNOWN);
        cr_expect_eq(order->state, ORDER_UNKNOWN);
        EXPECT_ENTRY(fixture, SYMBOL_BUSY);
        gateway_settle(&fixture->gateway);
        cr_expect_eq(order->state, ORDER_FILLED);
        cr_expect_eq(held(fixture).nanos, QTY(5).nanos);
        fixture_destroy(fixture);
    }
}

Test(gateway, what_never_left_is_not_sent) {
    struct fixture *fixture = fixture_create();
    PLAY(fixture, {"POST", "/v2/orders", ERR_NOT_SENT, 0, ""});
    struct order *order = NULL;
    cr_expect_eq(send_entry(fixture, &order), ERR_NOT_SENT);
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    fixture_destroy(fixture);
}

Test(gateway, not_found_proves_nothing_before_the_late_arrival_bound) {
    struct fixture *fixture = fixture_create();
    static struct step steps[12];
    size_t n = 0;
    steps[n++] = (struct step){"POST", "/v2/orders", ERR_UNKNOWN, 0, ""};
    for (int i = 0; i < 9; i++) { /* at 0, 5, ... 40 s; those at 30, 35 and 40 s count */
        steps[n++] = (struct step){"GET", "/v2/orders:by_client", ERR_OK, 404, NOT_FOUND_404};
    }
    steps[n++] = (struct step){"GET", "/v2/orders", ERR_OK, 200, "[]"};
    fixture->script.steps = steps;
    fixture->script.count = n;
    struct order *order = NULL;
    cr_expect_eq(send_entry(fixture, &order), ERR_UNKNOWN);
    for (int second = 0; second <= 40; second += 5) {
        cr_expect_eq(order->state, ORDER_UNKNOWN, "%d s", second);
        gateway_settle(&fixture->gateway);
        rig_wait(fixture->rig, SPAN_S(5));
    }
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    fixture_destroy(fixture);
}

Test(gateway, a_wished_sale_that_never_arrived_goes_again_under_its_id) {
    struct fixture *fixture = fixture_create();
    hold(fixture, "AAPL", 5);
    PLAY(fixture, {"POST", "/v2/orders", ERR_UNKNOWN, 0, ""},
         {"GET", "/v2/orders:by_client", ERR_OK, 404, NOT_FOUND_404},
         {"GET", "/v2/orders:by_client", ERR_OK, 404, NOT_FOUND_404},
         {"GET", "/v2/orders:by_client", ERR_OK, 404, NOT_FOUND_404},
         {"GET", "/v2/orders", ERR_OK, 200, "[]"}, {"POST", "/v2/orders", ERR_UNKNOWN, 0, ""});
    struct order intent = sale(5);
    struct refusal refusal = {0};
    struct order *order = NULL;
    cr_expect_eq(gateway_send(&fixture->gateway, &intent, &order, &refusal, NULL), ERR_UNKNOWN);
    rig_wait(fixture->rig, SPAN_S(30));
    for (int i = 0; i < 3; i++) {
        gateway_settle(&fixture->gateway);
        rig_wait(fixture->rig, SPAN_S(5));
    }
    cr_expect_eq(fixture->gateway.sent, 2);
    cr_expect_eq(order->state, ORDER_UNKNOWN);
    cr_expect_str_eq(order->client_id, FIRST);
    cr_expect_eq(fixture->orders.highest_number, 1);
    fixture_destroy(fixture);
}

Test(gateway, a_duplicate_that_is_ours_is_success) {
    struct fixture *fixture = fixture_create();
    PLAY(fixture, {"POST", "/v2/orders", ERR_OK, 422, REFUSED_422},
         {"GET", "/v2/orders:by_client", ERR_OK, 200, ORDER_JSON(FIRST, "5", "new", "0", "null")},
         {"GET", "/v2/orders:by_client", ERR_OK, 200, ORDER_JSON(FIRST, "5", "new", "0", "null")});
    struct order *order = NULL;
    (void)!send_entry(fixture, &order);
    cr_expect_eq(order->state, ORDER_WORKING);
    cr_expect_not(causes_has(&fixture->causes, "second_writer"));
    fixture_destroy(fixture);
}

Test(gateway, a_duplicate_with_another_content_is_a_second_writer) {
    struct fixture *fixture = fixture_create();
    PLAY(fixture, {"POST", "/v2/orders", ERR_OK, 422, REFUSED_422},
         {"GET", "/v2/orders:by_client", ERR_OK, 200, ORDER_JSON(FIRST, "6", "new", "0", "null")},
         {"GET", "/v2/orders:by_client", ERR_OK, 200, ORDER_JSON(FIRST, "6", "new", "0", "null")});
    (void)!send_entry(fixture, NULL);
    cr_expect(causes_has(&fixture->causes, "second_writer"));
    cr_expect_eq(causes_mode(&fixture->causes), MODE_HALT);
    fixture_destroy(fixture);
}

Test(gateway, a_definite_reject_is_the_end) {
    struct fixture *fixture = fixture_create();
    PLAY(fixture, {"POST", "/v2/orders", ERR_OK, 403, "{\"code\":40310000,\"message\":\"no\"}"});
    struct order *order = NULL;
    cr_expect_eq(send_entry(fixture, &order), ERR_REFUSED);
    cr_expect_eq(order->state, ORDER_REJECTED);
    gateway_settle(&fixture->gateway);
    fixture_destroy(fixture);
}

Test(gateway, the_last_look_sees_a_freeze_that_came_after_the_checks) {
    struct fixture *fixture = fixture_create();
    cr_assert_eq(disk_make_dir(fixture->rig->world.disk, "inbox", NULL), ERR_OK);
    struct inbox_command freeze = {.verb = INBOX_FREEZE, .by = "me"};
    cr_assert_eq(inbox_write(&fixture->rig->world, &freeze, NULL), ERR_OK);
    struct order *order = NULL;
    cr_expect_eq(send_entry(fixture, &order), ERR_REFUSED);
    cr_expect_eq(order->state, ORDER_NOT_SENT);
    cr_expect_eq(fixture->gateway.sent, 0);
    fixture_destroy(fixture);
}

Test(exits, a_filled_sale_is_the_end_and_nothing_more_is_sold) {
    struct fixture *fixture = fixture_create();
    struct holding *holding = hold(fixture, "AAPL", 10);
    fixture->script.count = 2;
    static const struct step steps[] = {
        {"POST", "/v2/orders", ERR_OK, 200,
         "{\"id\":\"b-1\",\"client_order_id\":\"" FIRST "\",\"symbol\":\"AAPL\",\"qty\":\"10\","
         "\"filled_qty\":\"0\",\"filled_avg_price\":null,\"type\":\"limit\",\"side\":\"sell\","
         "\"time_in_force\":\"day\",\"limit_price\":\"99.7\",\"status\":\"new\"}"},
        {"GET", "/v2/orders/b-1", ERR_OK, 200,
         "{\"id\":\"b-1\",\"client_order_id\":\"" FIRST "\",\"symbol\":\"AAPL\",\"qty\":\"10\","
         "\"filled_qty\":\"10\",\"filled_avg_price\":\"99.9\",\"type\":\"limit\",\"side\":\"sell\","
         "\"time_in_force\":\"day\",\"limit_price\":\"99.7\",\"status\":\"filled\"}"},
    };
    fixture->script.steps = steps;
    exits_decide(&fixture->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    for (int i = 0; i < 4; i++) { /* the listing of positions stays what it was: one tick */
        exits_step(&fixture->exits);
        rig_wait(fixture->rig, SPAN_S(1));
    }
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(fixture->gateway.sent, 1, "sent %d", (int)fixture->gateway.sent);
    fixture_destroy(fixture);
}
