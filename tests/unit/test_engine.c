/* test_engine.c - the engine over a tiny broker: what people say, what the broker says, and what is
 * missing of either. */
#include "core/alpaca/client.h"
#include "core/engine/core.h"
#include "core/state/state_file.h"
#include "tests/unit/rig.h"
#include "tests/unit/tiny_broker.h"

#define ACCOUNT(number, cash, equity)                                                              \
    "{\"id\":\"a\",\"account_number\":\"" number "\",\"status\":\"ACTIVE\",\"buying_power\":"      \
    "\"200000\",\"cash\":\"" cash "\",\"equity\":\"" equity                                        \
    "\",\"last_equity\":\"100000\",\"maintenance_margin\":\"0\","                                  \
    "\"balance_asof\":\"2026-08-31\"}"
#define CLOCK(open)                                                                                \
    "{\"timestamp\":\"2026-09-01T14:00:00Z\",\"is_open\":" open                                    \
    ",\"next_open\":\"2026-09-02T13:30:00Z\",\"next_close\":\"2026-09-01T20:00:00Z\"}"
#define DAY(date) "{\"date\":\"" date "\",\"open\":\"09:30\",\"close\":\"16:00\"}"
#define POSITION(symbol, qty)                                                                      \
    "{\"symbol\":\"" symbol "\",\"qty\":\"" qty "\",\"avg_entry_price\":\"100\","                  \
    "\"current_price\":\"100\"}"
#define ONE "st-2026-09-01-1"

struct plant {
    struct rig *rig;
    struct tiny_broker broker;
    struct config config;
    struct engine *engine;
};

static void engine_up(struct plant *plant) {
    struct err err = {0};
    struct engine_options options = {.world = &plant->rig->world,
                                     .config = &plant->config,
                                     .mode = ENGINE_PAPER,
                                     .key_id = "k",
                                     .secret = "s",
                                     .build = "b"};
    cr_assert_eq(engine_create(&options, &plant->engine, &err), ERR_OK, "%s", err.text);
}

static struct plant *plant_create(void) {
    struct plant *plant = calloc(1, sizeof *plant);
    cr_assert_not_null(plant);
    plant->rig = rig_create();
    journal_close(plant->rig->journal); /* the engine opens its own */
    plant->rig->journal = NULL;
    plant->config = config_defaults();
    plant->config.symbol_count = 1;
    strcpy(plant->config.symbols[0], "AAPL");
    plant->broker = (struct tiny_broker){
        .seam = {&TINY_OPS},
        .time = plant->rig->clock,
        .account = ACCOUNT("PA1", "100000", "100000"),
        .clock = CLOCK("true"),
        .calendar = "[" DAY("2026-08-31") "," DAY("2026-09-01") "," DAY("2026-09-02") "]",
        .positions = "[]",
        .activities = "[]",
        .quotes = "{\"quotes\":{}}",
        .trades = "{\"trades\":{}}",
        .bars = "{\"bars\":{},\"next_page_token\":null}"};
    plant->rig->world.http = &plant->broker.seam;
    engine_up(plant);
    return plant;
}

static void plant_destroy(struct plant *plant) {
    engine_destroy(plant->engine);
    rig_destroy(plant->rig);
    free(plant);
}

static void tick(struct plant *plant, int seconds) {
    rig_wait(plant->rig, SPAN_S(seconds));
    engine_tick(plant->engine);
}

static void say(struct plant *plant, enum inbox_verb verb, const char *cause, const char *by,
                const char *why) {
    struct inbox_command command = {.verb = verb};
    snprintf(command.cause, sizeof command.cause, "%s", cause);
    snprintf(command.by, sizeof command.by, "%s", by);
    snprintf(command.why, sizeof command.why, "%s", why);
    cr_assert_eq(inbox_write(&plant->rig->world, &command, NULL), ERR_OK);
}

static bool has(struct plant *plant, const char *cause) {
    return causes_has(&plant->engine->causes, cause);
}

static void own(struct plant *plant, const char *symbol, int64_t shares) {
    book_apply_fill(&plant->engine->book, symbol, SIDE_BUY, QTY(shares), USD(100 * shares),
                    rig_now(plant->rig), (struct ratio){0});
}

static struct score told_score;  /* by the strategy below */
static struct score told_second; /* and of the second symbol, where it is known */

static void tell_score(const struct strategy *strategy, const struct bars *bars, size_t index,
                       struct score *out) {
    (void)strategy, (void)bars;
    *out = index == 1 && told_second.is_known ? told_second : told_score;
}

static void heed_nothing(struct strategy *strategy, const int64_t *thousandths) {
    (void)strategy, (void)thousandths;
}

static void keep(struct strategy *strategy) {
    (void)strategy;
}

/* Entered at 0.5: a score decays at -0.3. */
Test(engine_learning, a_holding_decays_by_the_configured_score_whatever_was_learned) {
    static const struct {
        int64_t value, learned; /* hundredths */
        bool leaves;
    } rows[] = {{-29, -90, false}, {-30, 90, true}};
    static const struct strategy_ops ops = {tell_score, heed_nothing, keep};
    static struct strategy strategy = {.ops = &ops};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plant *plant = plant_create();
        struct engine *engine = plant->engine;
        strategy_destroy(engine->strategy);
        engine->strategy = &strategy;
        engine->learning.strategy = &strategy;
        engine->settings.learning_on = 1;
        told_score = (struct score){.is_known = true,
                                    .value = {rows[i].value * (NANOS / 100)},
                                    .learned = {rows[i].learned * (NANOS / 100)}};
        bars_add(engine->bars, 0,
                 &(struct broker_bar){.at = rig_now(plant->rig), .close = USD(100)});
        plant->broker.positions = "[" POSITION("AAPL", "10") "]";
        plant->broker.quotes = "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T14:00:00Z\",\"bp\":100,"
                               "\"bs\":1,\"ap\":100.02,\"as\":1}}}";
        book_apply_fill(&engine->book, "AAPL", SIDE_BUY, QTY(10), USD(1000), rig_now(plant->rig),
                        (struct ratio){NANOS / 2});
        tick(plant, 1);
        cr_assert(book_find(&engine->book, "AAPL")->has_mark);
        const struct exit_plan *leaving = exits_find(&engine->exits, "AAPL");
        cr_expect_eq(leaving != NULL && strcmp(leaving->reason, "decay") == 0, rows[i].leaves,
                     "row %zu", i);
        plant_destroy(plant);
    }
}

/* Without one above 0 a holding has no decay, and gives way to nothing. */
Test(engine_learning, what_was_learned_admits_nothing_whose_configured_score_is_not_above_zero) {
    static const struct {
        int64_t value, learned; /* beside 0, and beside the threshold */
        bool suffices;
    } rows[] = {{1, 0, true}, {0, 0, false}, {-1, 0, false}, {1, -1, false}};
    struct plant *plant = plant_create();
    const int64_t threshold = plant->engine->config->score_threshold.nanos;
    cr_assert_gt(threshold, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct score score = {
            .is_known = true, .value = {rows[i].value}, .learned = {threshold + rows[i].learned}};
        cr_expect_eq(score_suffices(plant->engine, &score), rows[i].suffices, "row %zu", i);
    }
    struct score alike = {.is_known = true, .value = {threshold}, .learned = {threshold}};
    cr_expect(score_suffices(plant->engine, &alike));
    plant_destroy(plant);
}

/* Of AAPL and MSFT at 100, from now. */
static void tell_prices(struct plant *plant, char quotes[static 256], char trades[static 256]) {
    char at[UTC_TEXT_MAX];
    utc_print(utc_add(rig_now(plant->rig), SPAN_S(5)), at);
    snprintf(quotes, 256,
             "{\"quotes\":{\"AAPL\":{\"t\":\"%s\",\"bp\":100,\"bs\":1,\"ap\":100.02,\"as\":1},"
             "\"MSFT\":{\"t\":\"%s\",\"bp\":100,\"bs\":1,\"ap\":100.02,\"as\":1}}}",
             at, at);
    snprintf(trades, 256,
             "{\"trades\":{\"AAPL\":{\"t\":\"%s\",\"p\":100,\"s\":1},\"MSFT\":{\"t\":\"%s\",\"p\":"
             "100,\"s\":1}}}",
             at, at);
    plant->broker.quotes = quotes;
    plant->broker.trades = trades;
}

/* MSFT is held for minutes, and the book is full; AAPL scores so much more that it could be displaced. */
Test(engine_learning, an_entry_that_only_what_was_learned_admits_displaces_nothing) {
    static const struct strategy_ops ops = {tell_score, heed_nothing, keep};
    static struct strategy strategy = {.ops = &ops};
    for (int below = 0; below < 2; below++) {
        struct plant *plant = plant_create();
        engine_destroy(plant->engine);
        struct config *settings = &plant->config;
        settings->learning_on = settings->displacement_on = 1;
        settings->max_positions = 1;
        settings->symbol_count = 2;
        settings->open_risk_factor = (struct ratio){0};
        settings->displacement_lead = (struct ratio){NANOS / 100};
        settings->displacement_min_age = SPAN_MIN(1);
        settings->degraded_clean = SPAN_S(0);
        settings->quote_max_age = SPAN_MIN(60);
        strcpy(settings->symbols[1], "MSFT");
        engine_up(plant);
        struct engine *engine = plant->engine;
        strategy_destroy(engine->strategy);
        engine->strategy = &strategy;
        engine->learning.strategy = &strategy;
        struct ratio high = {settings->score_threshold.nanos + NANOS / 10};
        struct ratio low = {settings->score_threshold.nanos - below};
        told_score = (struct score){.is_known = true, .value = low, .learned = high};
        told_second =
            (struct score){.is_known = true, .value = {NANOS / 100}, .learned = {NANOS / 100}};
        for (size_t i = 0; i < 2; i++) {
            bars_add(engine->bars, i,
                     &(struct broker_bar){.at = rig_now(plant->rig), .close = USD(100)});
        }
        plant->broker.positions = "[" POSITION("MSFT", "10") "]";
        book_apply_fill(&engine->book, "MSFT", SIDE_BUY, QTY(10), USD(1000),
                        utc_add(rig_now(plant->rig), SPAN_MIN(-2)), (struct ratio){NANOS / 100});
        for (int i = 0; i < 6;
             i++) { /* each a cycle; the first three know too little of the broker */
            engine->cycle_due = (struct utc){0};
            char quotes[256], trades[256];
            tell_prices(plant, quotes, trades);
            tick(plant, 5);
        }

        const struct exit_plan *leaving = exits_find(&engine->exits, "MSFT");
        cr_expect_eq(leaving != NULL && strcmp(leaving->reason, "displaced") == 0, below == 0,
                     "%d below: %s", below, plant->rig->last_refusal);
        told_second = (struct score){0};
        plant_destroy(plant);
    }
}

Test(engine_start, a_journal_older_than_the_document_of_positions_went_back) {
    for (int64_t ahead = 0; ahead < 2; ahead++) {
        struct plant *plant = plant_create();
        int64_t seq = journal_last_seq(plant->engine->journal) + ahead;
        engine_destroy(plant->engine);
        cr_assert_eq(state_file_save(&plant->rig->world, "position_metadata.json", seq,
                                     "\"positions\":{}", NULL),
                     ERR_OK);
        engine_up(plant);
        cr_expect_eq(has(plant, "state_regression"), ahead == 1);
        plant_destroy(plant);
    }
}

Test(engine_start, a_journal_that_lost_a_latch_went_back_though_nothing_was_ever_held) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    say(plant, INBOX_FREEZE, "review", "ann", "a look");
    tick(plant, 5);
    cr_assert(has(plant, "review"));
    struct state_file file = {0};
    cr_assert_eq(state_file_load(&plant->rig->world, "position_metadata.json", 0, &file, NULL),
                 ERR_OK);
    cr_expect_eq(file.condition, STATE_FILE_GOOD);
    cr_expect_geq(file.journal_seq, causes_newest_row(&plant->engine->causes));
    state_file_release(&file);
    plant_destroy(plant);
}

Test(engine_polls, a_wall_clock_that_was_ahead_and_came_back_stops_no_tick) {
    struct plant *plant = plant_create();
    virtual_clock_set_offset(plant->rig->clock, SPAN_S(4800));
    tick(plant, 5);
    virtual_clock_set_offset(plant->rig->clock, (struct span){0});
    struct utc now = rig_now(plant->rig);
    cr_expect_leq(engine_next_at(plant->engine).ns, now.ns);
    tick(plant, 0);
    cr_expect_leq(plant->engine->cycle_due.ns, now.ns + SPAN_MIN(1).ns, "not in 80 minutes");
    now = rig_now(plant->rig);
    cr_expect_gt(engine_next_at(plant->engine).ns, now.ns);
    plant_destroy(plant);
}

Test(engine_start, live_trading_is_refused_and_a_second_engine_finds_the_lease) {
    struct plant *plant = plant_create();
    struct engine_options options = {
        .world = &plant->rig->world, .config = &plant->config, .mode = ENGINE_LIVE, .build = "b"};
    struct engine *second = NULL;
    cr_expect_eq(engine_create(&options, &second, NULL), ERR_CONFIG);
    struct err err = {0};
    plant->config.learning_on = 1;
    cr_expect_eq(engine_create(&options, &second, &err), ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "learning.on: must be 0 in live"), "%s", err.text);
    plant->config.learning_on = 0;
    plant->config.stops_oco = true;
    plant->config.stops_follow = false;
    cr_expect_eq(engine_create(&options, &second, &err), ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "stops.oco: must be 0 in live"), "%s", err.text);
    plant->config.stops_oco = false;
    plant->config.kill_auto_rearm = true;
    cr_expect_eq(engine_create(&options, &second, &err), ERR_CONFIG);
    cr_expect_str_eq(err.text,
                     "kill.auto_rearm: must be 0 in live: a kill ends by a person's resume; "
                     "write \"kill.auto_rearm\": false");
    plant->config.kill_auto_rearm = false;
    cr_expect_eq(engine_create(&options, &second, &err), ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "its gate does not exist yet"), "%s", err.text);
    plant->config.kill_auto_rearm = true; /* which paper may have */
    options.mode = ENGINE_PAPER;
    cr_expect_eq(engine_create(&options, &second, NULL), ERR_LOCKED);
    cr_expect_null(second);
    engine_destroy(NULL);
    plant_destroy(plant);
}

Test(engine_operator, freeze_and_resume_need_a_name_and_a_reason) {
    struct plant *plant = plant_create();
    say(plant, INBOX_FREEZE, "", "ann", "look");
    tick(plant, 1);
    cr_expect(has(plant, "operator_freeze"));
    cr_expect_eq(causes_mode(&plant->engine->causes), MODE_REDUCE_ONLY);
    say(plant, INBOX_RESUME, "operator_freeze", "", "why");
    tick(plant, 5);
    cr_expect(has(plant, "operator_freeze"), "no name");
    say(plant, INBOX_RESUME, "operator_freeze", "ann", "");
    tick(plant, 5);
    cr_expect(has(plant, "operator_freeze"), "no reason");
    say(plant, INBOX_RESUME, "nothing", "ann", "done");
    tick(plant, 5);
    cr_expect(has(plant, "operator_freeze"), "another cause");
    say(plant, INBOX_RESUME, "operator_freeze", "ann", "done");
    tick(plant, 5);
    cr_expect_not(has(plant, "operator_freeze"));
    plant_destroy(plant);
}

Test(engine_operator, an_unreadable_freeze_and_kill_bind_and_the_rest_does_nothing) {
    struct plant *plant = plant_create();
    own(plant, "AAPL", 5);
    own(plant, "MSFT", 5);
    sim_disk_write_raw(plant->rig->disk, "inbox/1788269400000000001-0000000a.freeze", "{", 1);
    sim_disk_write_raw(plant->rig->disk, "inbox/1788269400000000002-0000000a.kill", "", 0);
    sim_disk_write_raw(plant->rig->disk, "inbox/1788269400000000003-0000000a.flatten", "{", 1);
    sim_disk_write_raw(plant->rig->disk, "inbox/1788269400000000004-0000000a.resume", "{", 1);
    obey_inbox(plant->engine);
    cr_expect(has(plant, "operator_freeze"));
    cr_expect(has(plant, "kill_switch"));
    cr_expect(plant->engine->kill.is_firing);
    cr_expect_eq(plant->engine->exits.count, 0, "it may have named one symbol");
    cr_expect_not(sim_disk_exists(plant->rig->disk, "inbox/1788269400000000003-0000000a.flatten"));
    plant_destroy(plant);
}

Test(engine_operator, flatten_names_one_symbol_or_all) {
    struct plant *plant = plant_create();
    own(plant, "AAPL", 5);
    own(plant, "MSFT", 5);
    book_get(&plant->engine->book, "FLAT");
    book_get(&plant->engine->book, "THEIRS")->broker_qty = QTY(1);
    say(plant, INBOX_FLATTEN, "MSFT", "ann", "out");
    obey_inbox(plant->engine);
    cr_expect_eq(plant->engine->exits.count, 1);
    cr_expect_not_null(exits_find(&plant->engine->exits, "MSFT"));
    say(plant, INBOX_FLATTEN, "", "ann", "out");
    obey_inbox(plant->engine);
    cr_expect_eq(plant->engine->exits.count, 3);
    cr_expect_null(exits_find(&plant->engine->exits, "FLAT"));
    plant_destroy(plant);
}

Test(engine_operator, daily_loss_is_not_resumed_on_its_own_day) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    causes_latch(&plant->engine->causes, "daily_loss", MODE_REDUCE_ONLY, "core", "x");
    causes_latch(&plant->engine->causes, "news", MODE_HALT, "ann", "x");
    say(plant, INBOX_RESUME, "daily_loss", "ann", "please");
    obey_inbox(plant->engine);
    cr_expect(has(plant, "daily_loss"));
    plant->engine->truth.day.days++;
    say(plant, INBOX_RESUME, "daily_loss", "ann", "please");
    obey_inbox(plant->engine);
    cr_expect_not(has(plant, "daily_loss"));
    cr_expect(has(plant, "news"));
    plant_destroy(plant);
}

Test(engine_operator, a_loss_behind_the_close_is_of_the_next_day) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    struct engine *engine = plant->engine;
    cr_assert_geq(engine->session_count, 2);
    causes_latch(&engine->causes, "daily_loss", MODE_REDUCE_ONLY, "core", "x");
    struct cause *cause = &engine->causes.items[engine->causes.count - 1];
    for (int is_behind = 0; is_behind < 2; is_behind++) {
        cause->since.ns = engine->sessions[0].close.ns - 1 + is_behind;
        cr_expect_eq(engine_day_of(engine, cause->since).days,
                     engine->sessions[is_behind].date.days);
    }
    engine->truth.day = engine->sessions[1].date;
    say(plant, INBOX_RESUME, "daily_loss", "ann", "please");
    obey_inbox(engine);
    cr_expect(has(plant, "daily_loss"), "lost behind the close of the day before: of this day");
    cause->since.ns--;
    say(plant, INBOX_RESUME, "daily_loss", "ann", "please");
    obey_inbox(engine);
    cr_expect_not(has(plant, "daily_loss"));
    plant_destroy(plant);
}

Test(engine_operator, the_floor_is_not_resumed_below_it) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    struct engine *engine = plant->engine;
    causes_latch(&engine->causes, "equity_floor", MODE_REDUCE_ONLY, "core", "x");
    engine->truth.is_equity_explained = true;
    engine->guards.has_go_live = true;
    engine->guards.go_live = USD(100000);
    engine->truth.account.equity = (struct usd){USD(70700).nanos - 1};
    say(plant, INBOX_RESUME, "equity_floor", "ann", "please");
    obey_inbox(engine);
    cr_expect(has(plant, "equity_floor"));
    cr_expect_str_eq(engine->answers[(engine->answer_count - 1) % ANSWERS_KEPT].outcome,
                     "refused: equity is 70700.00 USD, and equity_floor ends from 70700.00 on, its "
                     "floor and 1 %");
    engine->truth.account.equity = USD(70700);
    say(plant, INBOX_RESUME, "equity_floor", "ann", "please");
    obey_inbox(engine);
    cr_expect_not(has(plant, "equity_floor"));
    say(plant, INBOX_RESUME, "equity_floor", "ann", "please");
    obey_inbox(engine);
    cr_expect_str_eq(engine->answers[(engine->answer_count - 1) % ANSWERS_KEPT].outcome,
                     "no latched cause 'equity_floor'");
    plant_destroy(plant);
}

Test(engine_operator, a_kill_is_over_after_two_clear_looks_two_seconds_apart) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    plant->broker.orders[plant->broker.count++] =
        (struct tiny_order){"b-1", ONE, "AAPL", "buy", "limit", "day", "",
                            "5",   "0", "",     "100", "",      "new", .is_oco = false};
    struct order intent = {
        .symbol = "AAPL", .type = ORDER_LIMIT, .qty = QTY(5), .limit_price = USD(100)};
    struct order *order = NULL;
    cr_assert_eq(orders_add(&plant->engine->orders, ny_date(rig_start()), &intent, &order, NULL),
                 ERR_OK);
    orders_move(&plant->engine->orders, order, ORDER_UNKNOWN);
    say(plant, INBOX_KILL, "", "ann", "stop");
    cr_expect(engine_look(plant->engine));
    for (int i = 0; i < 3; i++) {
        tick(plant, 1);
        cr_expect(plant->engine->kill.is_firing, "%d", i);
    }
    cr_expect_eq(plant->broker.cancels, 1);
    for (int i = 0; i < 4; i++) {
        tick(plant, 1);
    }
    cr_expect_not(plant->engine->kill.is_firing);
    cr_expect(has(plant, "kill_switch"), "the latch is an operator's");
    plant_destroy(plant);
}

static bool is_left(struct plant *plant, const char *name, const char *part) {
    struct text is = {0};
    bool is_there =
        sim_disk_read(plant->rig->disk, name, &is) && strstr(text_get(&is), part) != NULL;
    text_release(&is);
    return is_there;
}

Test(engine_operator, a_position_in_halt_is_paged_at_once_and_every_five_minutes) {
    struct plant *plant = plant_create();
    plant->broker.positions = "[" POSITION("AAPL", "5") "]";
    own(plant, "AAPL", 5);
    tick(plant, 5);
    const char *const key = "halted_with_position";
    cr_expect_eq(rig_outbox(plant->rig->disk, key, NULL), 0);
    causes_latch(&plant->engine->causes, "news", MODE_HALT, "ann", "x");
    say(plant, INBOX_FLATTEN, "", "ann", "out");
    for (int i = 0; i < 60; i++) {
        tick(plant, 5);
        cr_expect_eq(rig_outbox(plant->rig->disk, key, NULL), 1, "%d", i);
    }
    cr_expect(is_left(plant, "log.jsonl", "waits: in HALT nothing is sent"));
    cr_expect_eq(plant->broker.posts, 1, "the stop of before");
    tick(plant, 5);
    struct text newest = {0};
    cr_expect_eq(rig_outbox(plant->rig->disk, key, &newest), 2);
    cr_expect(strstr(text_get(&newest), "\"count\":2}") != NULL);
    text_release(&newest);
    plant_destroy(plant);
}

/* --- metrics --- */

Test(engine_metrics, tell_each_minute_of_positions_modes_and_requests) {
    struct plant *plant = plant_create();
    plant->broker.positions = "[" POSITION("AAPL", "5") "]";
    own(plant, "AAPL", 5);
    tick(plant, 5);
    cr_expect(is_left(plant, "metrics.prom", "\nseatrial_positions 1\n"));
    cr_expect(
        is_left(plant, "metrics.prom", "\nseatrial_requests_total{endpoint=\"account\"} 1\n"));
    cr_expect(is_left(plant, "metrics.prom", "\nseatrial_mode{mode=\"HALT\"} 0\n"));
    causes_latch(&plant->engine->causes, "news", MODE_HALT, "ann", "x");
    for (int i = 0; i < 13; i++) {
        tick(plant, 5);
    }
    cr_expect(is_left(plant, "metrics.prom", "\nseatrial_mode{mode=\"HALT\"} 1\n"));
    cr_expect(is_left(plant, "metrics.prom", "\nseatrial_causes{hold=\"latched\"} 1\n"));
    cr_expect(is_left(plant, "metrics.prom", "\nseatrial_alerts_total{severity=\"page\"} 2\n"),
              "news, and the position in HALT");
    cr_expect(is_left(plant, "metrics.prom", "# EOF\n"));
    plant_destroy(plant);
}

Test(engine_metrics, naked_dollars_are_what_stood_since_the_tick_before) {
    struct plant *plant = plant_create();
    struct meters *meters = &plant->engine->meters;
    tick(plant, 5);
    cr_expect_eq(meters->naked_dollar_seconds, 0);
    meters->naked = dollars("1000");
    tick(plant, 5);
    cr_expect_geq(meters->naked_dollar_seconds, 5000 * NANOS, "%lld",
                  (long long)meters->naked_dollar_seconds);
    cr_expect_lt(meters->naked_dollar_seconds, 6000 * NANOS);
    int64_t before = meters->naked_dollar_seconds;
    tick(plant, 5);
    cr_expect_eq(meters->naked_dollar_seconds, before, "nothing is held, so nothing stood");
    plant_destroy(plant);
}

Test(engine_metrics, a_bare_short_one_stands_as_much_as_a_long_one) {
    struct plant *plant = plant_create();
    struct meters *meters = &plant->engine->meters;
    struct holding *holding = book_get(&plant->engine->book, "AAPL");
    holding->qty = QTY(-10);
    holding->has_mark = true;
    holding->mark = USD(100);
    holding->is_naked = true;
    measure_tick(plant->engine, clock_mono(plant->engine->world->clock), true);
    cr_expect_eq(meters->naked.nanos, USD(1000).nanos, "%lld", (long long)meters->naked.nanos);
    meters->naked_dollar_seconds = INT64_MAX;
    meters->at.ns -= 2 * NANOS;
    measure_tick(plant->engine, clock_mono(plant->engine->world->clock), true);
    cr_expect_eq(meters->naked_dollar_seconds, INT64_MAX, "full, not wrapped");
    plant_destroy(plant);
}

/* --- reload --- */

static enum err_code bring(void *context, struct engine_news *out, struct text *faults,
                           struct err *err) {
    (void)faults;
    (void)err;
    *out = *(const struct engine_news *)context;
    return ERR_OK;
}

/* As a core does whose key file alone has changed: the configuration is left as it comes. */
static enum err_code bring_key(void *context, struct engine_news *out, struct text *faults,
                               struct err *err) {
    struct engine_news *news = context;
    (void)faults;
    (void)err;
    strcpy(out->key_id, news->key_id);
    strcpy(out->secret, news->secret);
    news->is_again = out->is_again;
    return ERR_OK;
}

static bool reload(struct plant *plant, struct engine_news *news) {
    plant->engine->reread = bring;
    plant->engine->reread_context = news;
    return engine_reload(plant->engine);
}

static struct engine_news present(const struct plant *plant) {
    return (struct engine_news){.config = plant->config, .key_id = "k", .secret = "s"};
}

Test(engine_reload, settings_bind_from_then_on) {
    struct plant *plant = plant_create();
    struct engine_news news = present(plant);
    news.config.max_positions = 1;
    cr_expect(reload(plant, &news));
    cr_expect_eq(plant->engine->gateway.config->max_positions, 1);
    plant_destroy(plant);
}

Test(engine_reload, what_is_invalid_or_needs_a_restart_changes_nothing) {
    for (int what = 0; what < 3; what++) {
        struct plant *plant = plant_create();
        struct engine_news news = present(plant);
        news.config.max_positions = 1;
        if (what == 0) {
            news.config.symbol_count--;
        } else if (what == 1) {
            news.config.rate_core++;
        } else {
            news.config.symbol_count = 0;
        }
        cr_expect_not(reload(plant, &news), "%d", what);
        cr_expect_eq(plant->engine->config->max_positions, plant->config.max_positions, "%d", what);
        cr_expect_str_eq(plant->rig->last_alert, "reload_refused", "%d", what);
        plant_destroy(plant);
    }
}

Test(engine_reload, what_may_learn_beside_paper_may_not_in_live) {
    struct plant *plant = plant_create();
    struct engine_news news = present(plant);
    news.config.learning_on = 1;
    plant->engine->mode = ENGINE_LIVE;
    cr_expect_not(reload(plant, &news));
    cr_expect_eq(plant->engine->config->learning_on, 0);
    plant->engine->mode = ENGINE_PAPER;
    cr_expect(reload(plant, &news));
    cr_expect_eq(plant->engine->config->learning_on, 1);
    plant_destroy(plant);
}

Test(engine_reload, a_key_of_another_account_is_not_taken_nor_are_the_settings_beside_it) {
    struct plant *plant = plant_create();
    tick(plant, 5); /* pins the account */
    struct engine_news news = present(plant);
    news.config.max_positions = 1;
    strcpy(news.key_id, "k2");
    strcpy(plant->engine->account_number, "ANOTHER");
    cr_expect_not(reload(plant, &news));
    cr_expect_not(engine_owes_reload(plant->engine));
    cr_expect(alpaca_has_key(plant->engine->alpaca, "k", "s"));
    cr_expect_eq(plant->engine->config->max_positions, plant->config.max_positions);
    plant_destroy(plant);
}

Test(engine_reload, a_key_that_could_not_be_tried_is_tried_again) {
    struct plant *plant = plant_create();
    struct broker_account account = {0};
    tick(plant, 5);
    struct engine_news news = present(plant);
    news.config.max_positions = 1;
    strcpy(news.key_id, "k2");
    for (int i = 0; i < 1000 && alpaca_get_account(plant->engine->alpaca, &account, NULL) == ERR_OK;
         i++) { /* until nothing is left of the lane's minute */
    }
    cr_expect_not(reload(plant, &news));
    cr_expect_str_eq(plant->rig->last_alert, "reload_refused");
    rig_wait(plant->rig, SPAN_S(61));
    cr_expect(engine_owes_reload(plant->engine));
    cr_expect(reload(plant, &news));
    cr_expect_not(engine_owes_reload(plant->engine));
    cr_expect(alpaca_has_key(plant->engine->alpaca, "k2", "s"));
    cr_expect_eq(plant->engine->config->max_positions, 1);
    plant_destroy(plant);
}

Test(engine_reload, a_key_of_the_pinned_account_is_taken) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    struct engine_news news = present(plant);
    strcpy(news.key_id, "k2");
    cr_expect(reload(plant, &news));
    cr_expect(alpaca_has_key(plant->engine->alpaca, "k2", "s"));
    plant_destroy(plant);
}

Test(engine_reload, a_key_alone_leaves_the_settings_in_force) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    struct engine_news news = present(plant);
    news.config.max_positions = 1;
    cr_assert(reload(plant, &news));
    struct config in_force = *plant->engine->config;
    strcpy(news.key_id, "k2");
    plant->engine->reread = bring_key;
    cr_expect(engine_reload(plant->engine));
    cr_expect(alpaca_has_key(plant->engine->alpaca, "k2", "s"));
    cr_expect_eq(memcmp(&in_force, plant->engine->config, sizeof in_force), 0);
    plant_destroy(plant);
}

Test(engine_reload, who_reads_is_told_that_what_was_read_last_was_not_taken) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    struct engine_news news = present(plant);
    plant->engine->reread = bring_key;
    plant->engine->reread_context = &news;
    news.is_again = true;
    cr_expect(engine_reload(plant->engine));
    cr_expect_not(news.is_again);
    plant->engine->reload.is_owed = true;
    cr_expect(engine_reload(plant->engine));
    cr_expect(news.is_again);
    cr_expect(engine_reload(plant->engine));
    cr_expect_not(news.is_again);
    plant_destroy(plant);
}

static void expect_same(struct plant *plant, const char *name, const struct text *was) {
    struct text is = {0};
    cr_assert(sim_disk_read(plant->rig->disk, name, &is), "%s", name);
    cr_expect_str_eq(text_get(&is), text_get(was), "%s", name);
    text_release(&is);
}

Test(engine_show, documents_are_left_alone_once_another_process_has_the_lease) {
    static const char *const names[] = {FREEZES_DOCUMENT, "view.json", "bot_heartbeat.json",
                                        "position_metadata.json"};
    struct plant *plant = plant_create();
    struct lease *other = NULL;
    struct text was[4] = {{0}};
    plant->config.stops_on = false;
    own(plant, "AAPL", 5);
    tick(plant, 5);
    rig_wait(plant->rig, SPAN_S(LEASE_S + 35)); /* it hangs */
    cr_assert_eq(lease_acquire(&plant->rig->world, &other, NULL), ERR_OK);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(sim_disk_read(plant->rig->disk, names[i], &was[i]), "%s", names[i]);
    }
    own(plant, "MSFT", 5); /* all four would be other than they are */
    causes_latch(&plant->engine->causes, "news", MODE_REDUCE_ONLY, "ann", "x");
    show_state(plant->engine);
    tick(plant, 5);
    cr_expect(has(plant, "lease_lost"));
    for (size_t i = 0; i < 4; i++) {
        expect_same(plant, names[i], &was[i]);
        text_release(&was[i]);
    }
    lease_release(other);
    plant_destroy(plant);
}

Test(engine_polls, a_wall_that_is_set_ahead_or_back_is_no_second_look_at_a_kill) {
    static const int64_t steps_s[] = {60, -60};
    for (size_t i = 0; i < sizeof steps_s / sizeof steps_s[0]; i++) {
        struct plant *plant = plant_create();
        tick(plant, 5);
        say(plant, INBOX_KILL, "", "ann", "stop");
        tick(plant, 1);
        virtual_clock_set_offset(plant->rig->clock, SPAN_S(steps_s[i]));
        for (int look = 0; look < 2; look++) { /* the first behind the kill, a second later */
            tick(plant, 1);
            cr_expect(plant->engine->kill.is_firing, "%lld: a second is not two",
                      (long long)steps_s[i]);
        }
        tick(plant, 1);
        cr_expect_not(plant->engine->kill.is_firing, "%lld", (long long)steps_s[i]);
        plant_destroy(plant);
    }
}

/* The engine over three clocks; what clock_guard makes of them is test_clock_guard.c. */
Test(engine_polls, a_wall_that_is_wrong_is_doubted_until_two_readings_agree) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    cr_expect_not(has(plant, "clock_guard"));
    virtual_clock_set_offset(plant->rig->clock, SPAN_S(60));
    tick(plant, 5);
    cr_expect(has(plant, "clock_guard"));
    cr_expect(plant->engine->gateway.is_clock_doubted);
    for (int i = 0; i < 200; i++) {
        tick(plant, 5);
    }
    cr_expect(has(plant, "clock_guard"));
    engine_destroy(plant->engine);
    virtual_clock_set_offset(plant->rig->clock, (struct span){0});
    engine_up(plant);
    cr_expect(has(plant, "clock_guard"), "by the rows");
    cr_expect(plant->engine->gateway.is_clock_doubted);
    tick(plant, 5);
    cr_expect(has(plant, "clock_guard"));
    tick(plant, 5);
    cr_expect_not(has(plant, "clock_guard"));
    cr_expect_not(plant->engine->gateway.is_clock_doubted);
    plant_destroy(plant);
}

Test(engine_polls, a_wall_in_another_session_than_the_brokers_clock_stays_in_doubt) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    virtual_clock_set_offset(plant->rig->clock, (struct span){-SPAN_MS(1500).ns});
    rig_wait(plant->rig, (struct span){ny_to_utc(date_from_civil(2026, 9, 1), 16, 0).ns -
                                       rig_now(plant->rig).ns + SPAN_MS(500).ns});
    for (int i = 0; i < 3; i++) { /* within 2 s of each other, on both sides of the close */
        plant->engine->full_due = (struct utc){0};
        engine_tick(plant->engine);
        cr_expect(has(plant, "clock_guard"), "%d", i);
    }
    for (int i = 0; i < 2; i++) {
        tick(plant, 300);
    }
    cr_expect_not(has(plant, "clock_guard"));
    plant_destroy(plant);
}

Test(engine_polls, a_wall_that_is_set_back_delays_no_tick) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    cr_expect_gt(engine_next_at(plant->engine).ns, rig_now(plant->rig).ns);
    int asked = plant->broker.requests;
    virtual_clock_set_offset(plant->rig->clock, (struct span){-SPAN_MIN(10).ns});
    struct utc wall = clock_utc(plant->rig->world.clock);
    cr_expect_eq(engine_next_at(plant->engine).ns, wall.ns);
    engine_tick(plant->engine);
    cr_expect_gt(plant->broker.requests, asked, "a full one");
    cr_expect_leq(utc_sub(engine_next_at(plant->engine), wall).ns, plant->config.tick_open.ns);
    plant_destroy(plant);
}

Test(engine_polls, without_a_calendar_or_a_clock_the_market_is_not_open) {
    struct plant *plant = plant_create();
    plant->broker.calendar = NULL;
    tick(plant, 1);
    cr_expect_not(plant->engine->truth.is_open);
    cr_expect_not(plant->engine->is_ids_checked);
    plant->broker.calendar = "[]";
    tick(plant, 300);
    cr_expect_eq(plant->engine->session_count, 0);
    plant->broker.calendar = "[" DAY("2026-08-31") "," DAY("2026-09-01") "]";
    tick(plant, 300);
    cr_expect(plant->engine->truth.is_open);
    cr_expect(plant->engine->is_ids_checked);
    plant->broker.clock = NULL;
    tick(plant, 300);
    cr_expect_not(plant->engine->truth.has_clock);
    cr_expect_not(plant->engine->truth.clock.is_open);
    plant_destroy(plant);
}

Test(engine_polls, each_answer_that_is_missing_is_seen) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    cr_expect(plant->engine->is_truth_clean);
    const char **answers[] = {&plant->broker.account, &plant->broker.clock,
                              &plant->broker.positions};
    for (size_t i = 0; i < 3; i++) {
        const char *good = *answers[i];
        *answers[i] = NULL;
        tick(plant, 60);
        cr_expect_not(plant->engine->is_truth_clean, "%zu", i);
        *answers[i] = good;
        tick(plant, 60);
        cr_expect(plant->engine->is_truth_clean, "%zu", i);
    }
    plant->broker.fault[0] = (struct tiny_fault){"GET", "/v2/orders", 9, ERR_OK, 500, "", false};
    tick(plant, 60);
    cr_expect_not(plant->engine->is_truth_clean);
    plant_destroy(plant);
}

Test(engine_polls, another_account_number_halts_also_after_a_restart) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    cr_expect_str_eq(plant->engine->account_number, "PA1");
    cr_expect_not(has(plant, "wrong_account"));
    engine_stop(plant->engine);
    engine_destroy(plant->engine);
    plant->engine = NULL;
    plant->broker.account = ACCOUNT("PA2", "100000", "100000");
    engine_up(plant);
    cr_expect_str_eq(plant->engine->account_number, "PA1");
    tick(plant, 5);
    cr_expect(has(plant, "wrong_account"));
    cr_expect_eq(causes_mode(&plant->engine->causes), MODE_HALT);
    cr_expect_str_eq(plant->engine->causes.items[plant->engine->causes.count - 1].why,
                     "account PA2 answers, this state belongs to PA1: nothing is sent or "
                     "cancelled; give it the key of its own account");
    plant_destroy(plant);
}

/* A journal that is lost is one of a new state, but for the document that still names the account. */
Test(engine_polls, a_state_whose_journal_is_lost_still_knows_its_account) {
    static const struct {
        bool is_documented, is_other, is_halted;
    } rows[] = {{true, true, true}, {true, false, false}, {false, true, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plant *plant = plant_create();
        tick(plant, 5);
        engine_destroy(plant->engine);
        cr_assert(sim_disk_remove_raw(plant->rig->disk, JOURNAL_FILE));
        (void)sim_disk_remove_raw(plant->rig->disk, JOURNAL_WAL);
        if (!rows[i].is_documented) {
            cr_assert(sim_disk_remove_raw(plant->rig->disk, "position_metadata.json"));
        }
        if (rows[i].is_other) {
            plant->broker.account = ACCOUNT("PA2", "100000", "100000");
        }
        engine_up(plant);
        cr_expect_not(plant->engine->is_account_pinned);
        cr_expect_str_eq(plant->engine->account_number, rows[i].is_documented ? "PA1" : "");
        tick(plant, 5);
        cr_expect_eq(has(plant, "wrong_account"), rows[i].is_halted, "%zu", i);
        cr_expect_eq(plant->engine->is_account_pinned, !rows[i].is_halted);
        plant_destroy(plant);
    }
}

/* An entry of 5 shares that rests at the broker. */
static struct order *rest_entry(struct plant *plant) {
    plant->broker.orders[plant->broker.count++] =
        (struct tiny_order){"b-1", ONE, "AAPL", "buy", "limit", "day", "",
                            "5",   "0", "",     "100", "",      "new", .is_oco = false};
    struct order intent = {
        .symbol = "AAPL", .type = ORDER_LIMIT, .qty = QTY(5), .limit_price = USD(100)};
    struct order *order = NULL;
    cr_assert_eq(orders_add(&plant->engine->orders, ny_date(rig_start()), &intent, &order, NULL),
                 ERR_OK);
    strcpy(order->broker_id, "b-1");
    orders_move(&plant->engine->orders, order, ORDER_WORKING);
    return order;
}

static void restart(struct plant *plant) {
    engine_destroy(plant->engine);
    plant->engine = NULL;
    engine_up(plant);
}

static int changes(const struct plant *plant) {
    return plant->broker.posts + plant->broker.patches + plant->broker.cancels;
}

Test(engine_polls, while_another_account_answers_nothing_is_sent_cancelled_or_believed) {
    struct plant *plant = plant_create();
    tick(plant, 1);
    (void)rest_entry(plant);
    plant->broker.account = ACCOUNT("PA2", "7", "7");
    plant->broker.positions = "[" POSITION("MSFT", "7") "]";
    plant->broker.orders[0].status[0] = 'x'; /* not among the other's */
    for (int i = 0; i < 8; i++) {
        tick(plant, 5);
    }
    cr_expect(has(plant, "wrong_account"));
    cr_expect_eq(plant->engine->orders.count, 1);
    cr_expect_eq(plant->engine->orders.items[0].state, ORDER_WORKING, "nobody asked");
    cr_expect_null(book_find(&plant->engine->book, "MSFT"));
    cr_expect_eq(plant->engine->truth.account.equity.nanos, USD(100000).nanos);
    cr_expect_eq(changes(plant), 0);
    restart(plant);
    plant->broker.account = NULL; /* nobody knows who answers */
    for (int i = 0; i < 8; i++) {
        tick(plant, 5);
    }
    cr_expect_null(book_find(&plant->engine->book, "MSFT"));
    cr_expect_eq(changes(plant), 0);
    strcpy(plant->broker.orders[0].status, "new");
    plant->broker.positions = "[]";
    plant->broker.account = ACCOUNT("PA1", "100000", "100000");
    tick(plant, 20);
    cr_expect(has(plant, "wrong_account"), "the latch is an operator's");
    cr_expect_eq(plant->broker.cancels, 1, "under HALT entries are cancelled, at home");
    plant_destroy(plant);
}

Test(engine_polls, a_known_key_is_trusted_before_its_account_answers_and_a_new_one_is_not) {
    static const struct {
        const char *key;
        bool is_believed;
    } table[] = {{"k", true}, {"other", false}};
    for (size_t i = 0; i < 2; i++) {
        struct plant *plant = plant_create();
        struct engine_options options = {.world = &plant->rig->world,
                                         .config = &plant->config,
                                         .mode = ENGINE_PAPER,
                                         .key_id = table[i].key,
                                         .secret = "s",
                                         .build = "b"};
        tick(plant, 1);
        engine_destroy(plant->engine);
        plant->broker.account = NULL;
        cr_assert_eq(engine_create(&options, &plant->engine, NULL), ERR_OK);
        tick(plant, 5);
        cr_expect_eq(plant->engine->truth.has_positions, table[i].is_believed, "%zu", i);
        plant->broker.account = ACCOUNT("PA1", "100000", "100000");
        tick(plant, 20);
        cr_expect(plant->engine->truth.has_positions);
        restart(plant); /* with "k" again */
        plant->broker.account = NULL;
        tick(plant, 5);
        cr_expect_eq(plant->engine->truth.has_positions, table[i].is_believed,
                     "the key last pinned is the one that counts");
        plant_destroy(plant);
    }
}

Test(engine_polls, an_account_without_a_number_is_no_answer_and_pins_nothing) {
    struct plant *plant = plant_create();
    plant->broker.account = ACCOUNT("", "100000", "100000");
    tick(plant, 1);
    cr_expect_not(plant->engine->truth.has_account);
    cr_expect_not(plant->engine->is_account_pinned);
    plant->broker.account = ACCOUNT("PA1", "100000", "100000");
    tick(plant, 5);
    cr_expect(plant->engine->is_account_pinned);
    plant->broker.account = ACCOUNT("", "100000", "100000");
    tick(plant, 5);
    cr_expect_not(plant->engine->is_truth_clean);
    cr_expect_not(has(plant, "wrong_account"));
    plant_destroy(plant);
}

/* One failing read; at which of the ticks 0, 5, ... 60 s it was asked, a letter each. */
static void asked_at(struct plant *plant, const char *path, char out[static 14]) {
    plant->broker.fault[0] = (struct tiny_fault){"GET", path, 99, ERR_OK, 500, "", false};
    for (int i = 0; i < 13; i++) {
        int before = plant->broker.fault[0].times;
        tick(plant, 5);
        out[i] = plant->broker.fault[0].times < before ? 'a' : '-';
    }
    out[13] = '\0';
}

static int count_in_log(struct plant *plant, const char *what) {
    struct text log = {0};
    int count = 0;
    cr_assert(sim_disk_read(plant->rig->disk, "log.jsonl", &log));
    for (const char *at = text_get(&log); (at = strstr(at, what)) != NULL; at++) {
        count++;
    }
    text_release(&log);
    return count;
}

Test(engine_polls, a_failed_read_waits_5_10_20_seconds_unless_an_exit_needs_it) {
    static const struct {
        const char *path, *flat, *held;
    } table[] = {{"/v2/account", "aa-a---a---a-", "aa-a---a---a-"},
                 {"/v2/clock", "aa-a---a---a-", "aaaaaaaaaaaaa"},
                 {"/v2/positions", "aa-a---a---a-", "aaaaaaaaaaaaa"},
                 {"/v2/orders", "aa-a---a---a-", "aaaaaaaaaaaaa"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char asked[14];
        for (int is_held = 0; is_held < 2; is_held++) {
            struct plant *plant = plant_create();
            tick(plant, 5);
            if (is_held) {
                own(plant, "AAPL", 5);
                plant->broker.positions = "[" POSITION("AAPL", "5") "]";
                plant->config.stops_on = false;
            }
            asked_at(plant, table[i].path, asked);
            cr_expect_str_eq(asked, is_held ? table[i].held : table[i].flat, "%s, held %d: %s",
                             table[i].path, is_held, asked);
            cr_expect_eq(count_in_log(plant, "\"mechanism\":\"retry_backoff\""),
                         strchr(asked, '-') != NULL, "said once if it ever waited");
            plant_destroy(plant);
        }
    }
}

/* At which of so many minutes a line was asked, a letter each. */
static void asked_by_minute(struct plant *plant, enum poll_line line, char *out, int minutes) {
    const struct mono *started = &plant->engine->poller.backoffs[line].started_at;
    for (int i = 0; i < minutes; i++) {
        struct mono before = *started;
        tick(plant, i == 0 ? 5 : 60);
        out[i] = started->ns != before.ns ? 'a' : '-';
    }
    out[minutes] = '\0';
}

Test(engine_polls, prices_that_fail_wait_two_four_and_eight_cycles_unless_something_is_held) {
    static const char *const paths[POLL_SNAPSHOTS] = {"/v2/stocks/quotes", "/v2/stocks/trades",
                                                      "/v2/stocks/bars"};
    for (int i = 0; i < POLL_SNAPSHOTS; i++) {
        for (int is_held = 0; is_held < 2; is_held++) {
            struct plant *plant = plant_create();
            char asked[16];
            if (is_held) {
                own(plant, "AAPL", 5);
                plant->broker.positions = "[" POSITION("AAPL", "5") "]";
                plant->config.stops_on = false;
            }
            plant->broker.fault[0] =
                (struct tiny_fault){"GET", paths[i], 999, ERR_OK, 422, "", false};
            asked_by_minute(plant, (enum poll_line)i, asked, 15);
            const char *first = is_held ? "aaaaaaaaaaaaa" : "a-a---a------";
            cr_expect_eq(strncmp(asked, first, 13), 0, "%s, held %d: %s", paths[i], is_held, asked);
            cr_expect_not_null(strchr(asked + 13, 'a'), "%s: the jitter decides", asked);
            int held = count_in_log(plant, "\"mechanism\":\"smart_poller\",\"what\":\"held\"");
            int waits = asked[13] == 'a' ? 4 : 3;
            cr_expect_eq(held, is_held ? 0 : waits, "once in each wait: %s, %d", asked, held);
            cr_expect_eq(count_in_log(plant, "\"mechanism\":\"smart_poller\",\"what\":\"acted\""),
                         1);
            plant->broker.fault[0].times = 0;
            tick(plant, 480);
            cr_expect_eq(
                count_in_log(plant, "\"mechanism\":\"smart_poller\",\"what\":\"released\""), 1);
            plant_destroy(plant);
        }
    }
}

Test(engine_polls, between_cycles_a_held_price_that_fails_is_asked_each_tick) {
    static const char *const paths[] = {"/v2/stocks/quotes", "/v2/stocks/trades"};
    for (size_t i = 0; i < 2; i++) {
        struct plant *plant = plant_create();
        char asked[14];
        tick(plant, 5);
        own(plant, "AAPL", 5);
        plant->broker.positions = "[" POSITION("AAPL", "5") "]";
        plant->config.stops_on = false;
        asked_at(plant, paths[i], asked);
        cr_expect_str_eq(asked, "aaaaaaaaaaaaa", "%s: %s", paths[i], asked);
        plant_destroy(plant);
    }
}

Test(engine_polls, a_symbol_that_nobody_can_tell_of_costs_the_held_no_price) {
    struct plant *plant = plant_create();
    plant->config.symbol_count = 2;
    strcpy(plant->config.symbols[1], "BADSYM");
    engine_destroy(plant->engine);
    engine_up(plant);
    own(plant, "AAPL", 5);
    plant->broker.positions = "[" POSITION("AAPL", "5") "]";
    plant->config.stops_on = false;
    plant->broker.quotes = "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T13:30:00Z\",\"ap\":101,"
                           "\"as\":1,\"bp\":100,\"bs\":1}}}";
    plant->broker.fault[0] =
        (struct tiny_fault){"GET", "/v2/stocks/quotes", 1, ERR_OK, 400, "", false};
    tick(plant, 5);
    cr_expect(plant->engine->truth.quotes[0].is_known, "asked apart in the same tick");
    cr_expect_eq(plant->engine->poller.backoffs[POLL_QUOTES].failures, 1, "and the rest waits");
    tick(plant, 5);
    cr_expect_eq(plant->engine->poller.backoffs[POLL_QUOTES].failures, 1);
    tick(plant, 480);
    cr_expect_eq(plant->engine->poller.backoffs[POLL_QUOTES].failures, 0);
    plant_destroy(plant);
}

#define BAR(at) "{\"t\":\"" at "\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"n\":1,\"vw\":1}"

Test(engine_polls, bars_up_to_a_failure_are_taken_and_asked_for_again) {
    struct plant *plant = plant_create();
    plant->broker.bars = "{\"bars\":{\"AAPL\":[" BAR(
        "2026-09-01T13:58:00Z") "]},\"next_page_token\":\"without_end\"}";
    tick(plant, 5); /* into the rate budget */
    struct utc from = plant->engine->bars_from;
    struct utc bar = plant->engine->truth.last_bar_at[0];
    cr_expect_gt(bar.ns, 0, "that much was answered");
    cr_expect_lt(from.ns, bar.ns, "and no success");
    plant->broker.bars =
        "{\"bars\":{\"AAPL\":[" BAR("2026-09-01T13:58:00Z") "]},\"next_page_token\":null}";
    tick(plant, 120);
    cr_expect_eq(plant->engine->bars_from.ns, bar.ns);
    plant_destroy(plant);
}

Test(engine_polls, a_bar_that_nobody_can_read_holds_back_no_other) {
    struct plant *plant = plant_create();
    plant->broker.bars = "{\"bars\":{\"AAPL\":[{\"t\":5}," BAR(
        "2026-09-01T13:58:00Z") "]},\"next_page_token\":null}";
    tick(plant, 5);
    cr_expect_gt(plant->engine->truth.last_bar_at[0].ns, 0);
    cr_expect_eq(plant->engine->bars_from.ns, plant->engine->truth.last_bar_at[0].ns);
    cr_expect_eq(plant->engine->poller.backoffs[POLL_BARS].failures, 0);
    plant_destroy(plant);
}

Test(engine_polls, pages_without_end_take_half_of_a_minute_and_are_a_failure) {
    struct plant *plant = plant_create();
    plant->broker.bars = "{\"bars\":{\"AAPL\":[" BAR(
        "2026-09-01T13:28:00Z") "]},\"next_page_token\":\"without_end\"}";
    tick(plant, 5);
    cr_expect_leq(alpaca_meter(plant->engine->alpaca, ENDPOINT_BARS)->requests, 60);
    cr_expect_eq(plant->engine->poller.backoffs[POLL_BARS].failures, 1);
    cr_expect_eq(count_in_log(plant, "do not end"), 1);
    plant_destroy(plant);
}

Test(engine_polls, an_answer_of_no_bar_that_anybody_can_read_is_a_failure_told_once) {
    struct plant *plant = plant_create();
    plant->broker.bars = "{\"bars\":{\"AAPL\":[{\"t\":5},{\"t\":6}]},\"next_page_token\":null}";
    for (int i = 1; i <= 3; i++) {
        tick(plant, i == 1 ? 5 : 480);
        cr_expect_eq(plant->engine->poller.backoffs[POLL_BARS].failures, i);
    }
    cr_expect_eq(count_in_log(plant, "\"mechanism\":\"smart_poller\",\"what\":\"acted\""), 1);
    cr_expect_eq(count_in_log(plant, "bar 1 of AAPL"), 1);
    plant->broker.bars = "{\"bars\":{\"AAPL\":[]},\"next_page_token\":null}";
    tick(plant, 480);
    cr_expect_eq(plant->engine->poller.backoffs[POLL_BARS].failures, 0, "nothing is unread");
    plant_destroy(plant);
}

Test(engine_polls, a_bar_of_a_time_to_come_is_none_and_hides_none) {
    struct plant *plant = plant_create();
    plant->broker.bars = "{\"bars\":{\"AAPL\":[" BAR("2026-09-01T13:28:00Z") "," BAR(
        "2099-09-01T13:28:00Z") "]},\"next_page_token\":null}";
    tick(plant, 5);
    struct utc bar = plant->engine->truth.last_bar_at[0];
    cr_expect_lt(bar.ns, rig_now(plant->rig).ns);
    cr_expect_gt(bar.ns, 0);
    cr_expect_eq(bars_count(plant->engine->bars, 0), 1);
    cr_expect_leq(plant->engine->bars_from.ns, rig_now(plant->rig).ns);
    plant_destroy(plant);
}

Test(engine_polls, a_wall_that_was_a_day_ahead_has_no_bar_asked_for_from_there) {
    struct plant *plant = plant_create();
    plant->broker.clock = CLOCK("true");
    tick(plant, 5);
    plant->engine->bars_from =
        utc_add(rig_now(plant->rig), SPAN_HOURS(24)); /* as it was kept there */
    tick(plant, 60);
    cr_expect_leq(plant->engine->bars_from.ns, rig_now(plant->rig).ns);
    plant_destroy(plant);
}

/* --- signals --- */

#define SNAPSHOT(at) "{\"AAPL\":{\"minuteBar\":" BAR(at) "}}"

/* Forty minutes of bars up to 10:01, in a core that goes on at 10:05. */
static struct plant *silent_bars(int64_t fill_s, int64_t cache_s) {
    struct plant *plant = plant_create();
    plant->config.signals_fill = SPAN_S(fill_s);
    plant->config.signals_cache = SPAN_S(cache_s);
    plant->config.symbol_count = 2;
    strcpy(plant->config.symbols[1], "MSFT");
    engine_destroy(plant->engine);
    engine_up(plant);
    tick(plant, 5); /* the drill, and all that a start asks */
    for (int i = 0; i < 80; i++) {
        struct usd price = USD(100 + i / 2);
        struct broker_bar bar = {.at = utc_add(rig_start(), SPAN_MIN(i / 2 - 38)),
                                 .open = price,
                                 .high = price,
                                 .low = price,
                                 .close = price,
                                 .volume = 1};
        bars_add(plant->engine->bars, (size_t)i % 2, &bar);
    }
    plant->broker.snapshots = SNAPSHOT("2026-09-01T14:03:00Z");
    return plant;
}

/* As a session does: what is not asked for in half a minute is degraded. */
static void pass(struct plant *plant, int seconds) {
    for (int i = 0; i < seconds / 5; i++) {
        tick(plant, 5);
    }
}

/* In the last tick of so many seconds. */
static bool asks_snapshots(struct plant *plant, int seconds) {
    pass(plant, seconds - 5);
    int64_t before = alpaca_meter(plant->engine->alpaca, ENDPOINT_SNAPSHOTS)->requests;
    tick(plant, 5);
    return alpaca_meter(plant->engine->alpaca, ENDPOINT_SNAPSHOTS)->requests > before;
}

Test(engine_signals, snapshots_are_asked_for_in_a_gap_alone_and_where_it_is_set) {
    static const struct {
        int64_t fill_s;
        int seconds; /* behind 10:00:05 */
        bool is_asked;
    } rows[] = {{0, 295, false},
                {600, 175, false}, /* 10:03, bars of 120 s */
                {600, 235, true},  /* 10:04 */
                {600, 655, true},  /* 10:11, bars of 600 s */
                {600, 715, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plant *plant = silent_bars(rows[i].fill_s, 0);
        cr_expect_eq(asks_snapshots(plant, rows[i].seconds), rows[i].is_asked, "%zu", i);
        plant_destroy(plant);
    }
}

Test(engine_signals, a_filled_gap_opines_on_entries_and_on_no_exit) {
    struct plant *plant = silent_bars(600, 0);
    struct score score = {0};
    enum score_ground ground = GROUND_BARS;
    cr_expect(asks_snapshots(plant, 295)); /* 10:05 */
    (void)score_for_entry(plant->engine, 0, &score, &ground);
    cr_expect(score.is_known);
    cr_expect_eq(ground, GROUND_FILLED);
    (void)score_for_entry(plant->engine, 1, &score, &ground);
    cr_expect_not(score.is_known, "of MSFT it told nothing");
    (void)score_by_bars(plant->engine, 0, &score);
    cr_expect_not(score.is_known, "the decay of a score is of bars");
    cr_expect_eq(count_in_log(plant, "\"mechanism\":\"signal_cache\",\"what\":\"acted\""), 1);
    own(plant, "AAPL", 5);
    (void)score_for_entry(plant->engine, 0, &score, &ground);
    cr_expect_not(score.is_known, "nor is what displacement compares");
    plant->broker.positions = "[" POSITION("AAPL", "5") "]";
    cr_expect(asks_snapshots(plant, 60), "MSFT");
    pass(plant, 60);
    cr_expect_eq(count_in_log(plant, "\"mechanism\":\"signal_cache\",\"what\":\"released\""), 1);
    plant_destroy(plant);
}

Test(engine_signals, nothing_is_asked_for_beside_a_bare_position) {
    for (int is_bare = 0; is_bare < 2; is_bare++) {
        struct plant *plant = silent_bars(600, 0);
        pass(plant, 280); /* 10:04:45 */
        plant->broker.fault[0] = (struct tiny_fault){"POST", "/v2/orders", is_bare, ERR_UNKNOWN,
                                                     0,      "",           false}; /* of its stop */
        own(plant, "AAPL", 5);
        plant->broker.positions = "[" POSITION("AAPL", "5") "]";
        cr_expect_eq(asks_snapshots(plant, 15), is_bare == 0);
        pass(plant, 120);
        cr_expect(asks_snapshots(plant, 60), "%d", is_bare);
        plant_destroy(plant);
    }
}

Test(engine_signals, snapshots_that_fail_wait_as_other_prices_do_and_stop_no_entry) {
    struct plant *plant = silent_bars(3600, 0);
    char asked[16];
    plant->broker.snapshots = NULL; /* 500 */
    pass(plant, 230);
    for (int i = 0; i < 15; i++) { /* 10:04, 10:05, ... */
        asked[i] = asks_snapshots(plant, i == 0 ? 5 : 60) ? 'a' : '-';
    }
    cr_expect_eq(strncmp(asked, "a-a---a------", 13), 0, "%.15s", asked);
    cr_expect_not_null(memchr(asked + 13, 'a', 2), "%.15s: the jitter decides", asked);
    pass(plant, 2400);
    cr_expect_eq(alpaca_open_breakers(plant->engine->alpaca) >> ENDPOINT_SNAPSHOTS & 1, 0);
    plant_destroy(plant);
}

static void add_minute(struct plant *plant, int minute) {
    struct broker_bar bar = *bars_at(plant->engine->bars, 0, 39);
    bar.at = utc_add(rig_start(), SPAN_MIN(minute));
    bars_add(plant->engine->bars, 0, &bar);
}

Test(engine_signals, what_changed_is_saved_once_in_its_interval) {
    struct plant *plant = silent_bars(600, 120);
    pass(plant, 55); /* 10:01 */
    cr_expect_not(signal_cache_is_dirty(plant->engine->signals));
    add_minute(plant, 2);
    pass(plant, 60);
    cr_expect(signal_cache_is_dirty(plant->engine->signals), "a minute behind the save");
    pass(plant, 60);
    cr_expect_not(signal_cache_is_dirty(plant->engine->signals));
    plant_destroy(plant);
}

Test(engine_signals, a_restart_goes_on_from_what_was_saved_at_its_age) {
    struct plant *plant = silent_bars(600, 120);
    struct score score = {0};
    enum score_ground ground = GROUND_BARS;
    pass(plant, 55); /* 10:01 */
    add_minute(plant, 2);
    pass(plant, 60);
    engine_destroy(plant->engine);
    engine_up(plant);
    cr_expect_eq(signal_cache_part(plant->engine->signals, 0, SIGNAL_BARS)->bar_at.ns,
                 utc_add(rig_start(), SPAN_MIN(1)).ns, "the minute that was not saved is lost");
    for (int64_t ns = 0; ns < 2; ns++) { /* its minute is 150 s old at 10:03:30 */
        struct utc edge = {rig_start().ns + 210 * NANOS + ns};
        rig_wait(plant->rig, utc_sub(edge, rig_now(plant->rig)));
        (void)score_for_entry(plant->engine, 0, &score, &ground);
        cr_expect_eq(score.is_known, ns == 0);
        cr_expect_eq(ground, ns == 0 ? GROUND_KEPT : GROUND_BARS);
    }
    plant_destroy(plant);
}

Test(engine_signals, a_damaged_document_is_discarded_with_a_warning) {
    struct plant *plant = silent_bars(0, 60);
    pass(plant, 55);
    engine_destroy(plant->engine);
    cr_assert_eq(state_file_publish(&plant->rig->world, SIGNAL_CACHE_DOCUMENT, "{", 1, NULL),
                 ERR_OK);
    engine_up(plant);
    cr_expect_str_eq(plant->rig->last_alert, "signal_cache_discarded");
    cr_expect_eq(signal_cache_part(plant->engine->signals, 0, SIGNAL_BARS)->bar_at.ns, 0);
    plant_destroy(plant);
}

/* The kept score is of minute 10:01; a first answer that lags tells bars up to 10:00, which are fresh too. */
Test(engine_signals, a_first_answer_that_lags_is_older_than_what_was_kept) {
    for (int minute = 0; minute < 2; minute++) {
        struct plant *plant = silent_bars(0, 60);
        pass(plant, 55); /* 10:01 */
        const struct broker_bar last = *bars_at(plant->engine->bars, 0, 39);
        engine_destroy(plant->engine);
        engine_up(plant);
        const struct signal_part kept = *signal_cache_part(plant->engine->signals, 0, SIGNAL_BARS);
        cr_assert_eq(kept.score_at.ns, last.at.ns);
        for (int i = -38; i <= minute; i++) {
            struct broker_bar bar = last;
            bar.at = utc_add(rig_start(), SPAN_MIN(i));
            bars_add(plant->engine->bars, 0, &bar);
        }
        struct score score = {0};
        enum score_ground ground = GROUND_BARS;
        (void)score_for_entry(plant->engine, 0, &score, &ground);
        cr_expect(score.is_known);
        cr_expect_eq(ground, minute == 0 ? GROUND_KEPT : GROUND_BARS);
        cr_expect_eq(score.value.nanos == kept.score.nanos, minute == 0);
        plant_destroy(plant);
    }
}

static const struct disk_ops *sound; /* of the disk below */

static enum err_code open_others(struct disk *disk, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) {
    if (strcmp(name, SIGNAL_CACHE_DOCUMENT) == 0) {
        return err_set(err, ERR_IO, "%s: cannot be read", name);
    }
    return sound->open(disk, name, flags, out, err);
}

Test(engine_signals, over_what_could_not_be_read_nothing_is_saved_until_it_was) {
    struct plant *plant = silent_bars(0, 60);
    pass(plant, 55); /* 10:01 */
    engine_destroy(plant->engine);
    struct disk *disk = plant->rig->world.disk;
    sound = disk->ops;
    struct disk_ops broken = *sound;
    broken.open = open_others;
    disk->ops = &broken;
    engine_up(plant);
    disk->ops = sound;
    cr_expect_str_eq(plant->rig->last_alert, "signal_cache_discarded");
    cr_expect_eq(signal_cache_part(plant->engine->signals, 1, SIGNAL_BARS)->bar_at.ns, 0);
    struct broker_bar bar = {.at = utc_add(rig_start(), SPAN_MIN(-5)),
                             .open = USD(1),
                             .high = USD(1),
                             .low = USD(1),
                             .close = USD(1)};
    bars_add(plant->engine->bars, 0, &bar);
    pass(plant, 120);
    cr_expect_not(signal_cache_is_dirty(plant->engine->signals), "it is saved again");
    engine_destroy(plant->engine);
    engine_up(plant);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(signal_cache_part(plant->engine->signals, i, SIGNAL_BARS)->score_at.ns,
                     utc_add(rig_start(), SPAN_MIN(1)).ns, "%zu", i);
    }
    plant_destroy(plant);
}

Test(engine_signals, a_429_of_snapshots_shuts_no_lane_of_the_truth) {
    struct plant *plant = silent_bars(600, 0);
    pass(plant, 230);
    plant->broker.fault[0] =
        (struct tiny_fault){"GET", "/v2/stocks/snapshots", 1, ERR_OK, 429, "", false};
    cr_expect(asks_snapshots(plant, 5));
    cr_expect_eq(plant->broker.fault[0].times, 0);
    plant->engine->full_due = (struct utc){0};
    tick(plant, 4); /* 5 s without Retry-After: still shut */
    cr_expect_eq(plant->engine->truth.orders_at.ns, clock_mono(plant->rig->world.clock).ns);
    cr_expect_eq(plant->engine->truth.positions_at.ns, clock_mono(plant->rig->world.clock).ns);
    plant_destroy(plant);
}

Test(engine_signals, an_open_breaker_of_bars_is_spared_while_snapshots_fill_a_gap_alone) {
    for (int is_filled = 0; is_filled < 2; is_filled++) {
        struct plant *plant = silent_bars(600, 0);
        plant->broker.bars = "[]";
        plant->broker.fault[0] =
            (struct tiny_fault){"GET", "/v2/stocks/bars", 99, ERR_OK, 502, "", false};
        plant->config.poller_most = 1;
        plant->broker.snapshots = is_filled ? plant->broker.snapshots : "{}";
        pass(plant, 295); /* 10:05 */
        for (int i = 0; i < 5; i++) {
            breaker_note(&plant->engine->alpaca->breakers[ENDPOINT_BARS],
                         &plant->engine->alpaca->breaker_rules, true,
                         clock_mono(plant->rig->world.clock));
        }
        cr_expect_eq(plant->engine->is_filling, is_filled == 1);
        cr_expect_eq(alpaca_open_breakers(plant->engine->alpaca) >> ENDPOINT_BARS & 1,
                     is_filled == 0);
        pass(plant, 120); /* the minute is old */
        cr_expect_eq(alpaca_open_breakers(plant->engine->alpaca) >> ENDPOINT_BARS & 1, 1);
        plant_destroy(plant);
    }
}

/* Entered at 0.5, and now at -0.3, which is decay by bars. */
Test(engine_signals, what_was_entered_by_the_cache_never_decays) {
    static const struct strategy_ops ops = {tell_score, heed_nothing, keep};
    static struct strategy strategy = {.ops = &ops};
    static const struct score half = {.is_known = true, .value = {NANOS / 2}};
    for (enum score_ground ground = GROUND_BARS; ground <= GROUND_KEPT; ground++) {
        struct plant *plant = plant_create();
        struct engine *engine = plant->engine;
        strategy_destroy(engine->strategy);
        engine->strategy = &strategy;
        engine->learning.strategy = &strategy;
        told_score = (struct score){.is_known = true, .value = {-3 * (NANOS / 10)}};
        bars_add(engine->bars, 0,
                 &(struct broker_bar){.at = rig_now(plant->rig), .close = USD(100)});
        plant->broker.positions = "[" POSITION("AAPL", "10") "]";
        plant->broker.quotes = "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T14:00:00Z\",\"bp\":100,"
                               "\"bs\":1,\"ap\":100.02,\"as\":1}}}";
        struct order entry = entry_of(engine, 0, &half, ground);
        book_apply_fill(&engine->book, "AAPL", SIDE_BUY, QTY(10), USD(1000), rig_now(plant->rig),
                        entry.score);
        tick(plant, 1);
        cr_assert(book_find(&engine->book, "AAPL")->has_mark);
        cr_expect_eq(exits_find(&engine->exits, "AAPL") != NULL, ground == GROUND_BARS, "%d",
                     (int)ground);
        plant_destroy(plant);
    }
}

Test(engine_polls, a_429_holds_back_polls_but_not_what_a_decided_exit_needs) {
    for (int has_exit = 0; has_exit < 2; has_exit++) {
        struct plant *plant = plant_create();
        tick(plant, 5);
        own(plant, "AAPL", 5);
        plant->broker.positions = "[" POSITION("AAPL", "5") "]";
        plant->config.stops_on = false;
        if (has_exit) {
            exits_decide(&plant->engine->exits, book_find(&plant->engine->book, "AAPL"),
                         PURPOSE_EXIT, (struct qty){0}, "operator");
        }
        plant->broker.fault[0] =
            (struct tiny_fault){"GET", "/v2/account", 1, ERR_OK, 429, "", false};
        tick(plant, 5);
        struct mono now = clock_mono(plant->rig->world.clock);
        cr_expect_eq(plant->engine->truth.positions_at.ns == now.ns, has_exit);
        cr_expect_lt(plant->engine->truth.orders_at.ns, now.ns);
        plant->engine->full_due = (struct utc){0};
        tick(plant, 4); /* 5 s without Retry-After: still shut */
        cr_expect_eq(plant->engine->truth.has_clock, has_exit);
        plant_destroy(plant);
    }
}

Test(engine_polls, orders_of_ours_that_no_journal_knows_are_amnesia) {
    struct plant *plant = plant_create();
    plant->broker.orders[plant->broker.count++] =
        (struct tiny_order){"b-1", ONE, "AAPL", "buy", "limit", "day", "",
                            "5",   "0", "",     "100", "",      "new", .is_oco = false};
    tick(plant, 1);
    cr_expect(has(plant, "amnesia"));
    cr_expect_eq(plant->broker.cancels, 1, "an entry under REDUCE_ONLY");
    plant_destroy(plant);
}

Test(engine_polls, flows_are_taken_once_and_survive_a_restart) {
    struct plant *plant = plant_create();
    plant->broker.activities =
        "[{\"activity_type\":\"CSD\",\"id\":\"f1\",\"date\":\"2026-09-01\",\"net_amount\":\"500\"},"
        "{\"activity_type\":\"CSW\",\"id\":\"f2\",\"date\":\"2026-09-01\",\"net_amount\":\"-200\"},"
        "{\"activity_type\":\"DIV\",\"id\":\"f3\",\"date\":\"2026-09-01\",\"net_amount\":\"9\"},"
        "{\"activity_type\":\"FEE\",\"id\":\"f4\",\"date\":\"2026-09-01\",\"net_amount\":\"-9\"}]";
    tick(plant, 1);
    tick(plant, 60);
    cr_expect_eq(plant->engine->flow_count, 4);
    cr_expect_eq(plant->engine->gateway.flows_today.nanos, USD(309).nanos);
    engine_destroy(plant->engine);
    plant->engine = NULL;
    engine_up(plant);
    cr_expect_eq(plant->engine->flow_count, 4);
    cr_expect_eq(plant->engine->flows[1].amount.nanos, USD(-200).nanos);
    struct err err = {0};
    static const char *const bad[] = {"{", "{}", "{\"usd\":\"1\"}",
                                      "{\"usd\":\"1\",\"date\":\"x\"}"};
    for (size_t i = 0; i < 4; i++) {
        struct journal_row row = {.seq = 3, .kind = "flow", .key = "f", .body = bad[i]};
        cr_expect_neq(flows_fold(plant->engine, &row, &err), ERR_OK, "%s", bad[i]);
    }
    for (int i = 0; i < FLOWS_MAX; i++) { /* the oldest become one; the sum stays */
        char id[16];
        snprintf(id, sizeof id, "g%d", i);
        struct journal_row row = {
            .kind = "flow", .key = id, .body = "{\"usd\":\"1\",\"date\":\"2026-09-01\"}"};
        cr_expect_eq(flows_fold(plant->engine, &row, &err), ERR_OK);
    }
    cr_expect_eq(plant->engine->flow_count, FLOWS_MAX);
    int64_t sum = 0;
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        sum += plant->engine->flows[i].amount.nanos;
    }
    cr_expect_eq(sum, USD(300 + FLOWS_MAX).nanos);
    plant_destroy(plant);
}

Test(engine_polls, a_position_nobody_explains_is_paged_after_two_looks) {
    struct plant *plant = plant_create();
    plant->broker.positions = "[" POSITION("MSFT", "7") "]";
    for (int i = 0; i < 4; i++) {
        tick(plant, 15);
    }
    cr_expect_not_null(book_find(&plant->engine->book, "MSFT"));
    cr_expect_eq(book_find(&plant->engine->book, "MSFT")->qty.nanos, QTY(7).nanos);
    cr_expect_gt(plant->rig->pages, 0);
    plant_destroy(plant);
}

Test(engine_polls, a_position_that_vanished_is_held_and_never_dropped) {
    struct plant *plant = plant_create();
    own(plant, "AAPL", 5);
    for (int i = 0; i < 4; i++) {
        tick(plant, 15);
    }
    cr_expect(has(plant, "reconciliation"));
    cr_expect_eq(book_find(&plant->engine->book, "AAPL")->qty.nanos, QTY(5).nanos);
    plant->broker.positions = "[" POSITION("AAPL", "5") "]";
    tick(plant, 15);
    cr_expect_not(has(plant, "reconciliation"));
    plant_destroy(plant);
}

/* --- copies --- */

static void add_row(struct plant *plant) {
    cr_assert_eq(journal_append(plant->engine->journal, "probe", "", "{}", NULL, NULL), ERR_OK);
    cr_assert_eq(journal_commit(plant->engine->journal, NULL), ERR_OK);
}

static void step(struct plant *plant, struct span later) {
    rig_wait(plant->rig, later);
    backups_step(plant->engine);
}

/* A round is over, and a row came behind it. */
static struct plant *plant_with_copies(void) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    for (int i = 0; i < 4; i++) {
        step(plant, (struct span){0});
    }
    cr_assert_eq(plant->engine->backups.copies.number, 1);
    cr_assert(!plant->engine->backups.is_due);
    cr_assert_eq(plant->engine->backups.copies.copied, journal_last_seq(plant->engine->journal));
    add_row(plant);
    return plant;
}

Test(engine_backups, a_round_is_due_at_the_interval_and_not_a_nanosecond_before) {
    struct plant *plant = plant_with_copies();
    step(plant, (struct span){plant->config.backup_interval.ns - 1});
    cr_expect(!plant->engine->backups.is_due);
    step(plant, (struct span){1});
    cr_expect(plant->engine->backups.is_due);
    cr_expect_eq(plant->engine->backups.copies.number, 2);
    plant_destroy(plant);
}

Test(engine_backups, none_is_due_where_nothing_is_new) {
    struct plant *plant = plant_with_copies();
    plant->engine->backups.done_seq = journal_last_seq(plant->engine->journal);
    step(plant, SPAN_MIN(60 * 48));
    cr_expect(!plant->engine->backups.is_due);
    add_row(plant);
    step(plant, (struct span){0});
    cr_expect(plant->engine->backups.is_due);
    plant_destroy(plant);
}

Test(engine_backups, a_wall_set_back_delays_a_round_by_an_interval_at_most) {
    struct plant *plant = plant_with_copies();
    virtual_clock_set_offset(plant->rig->clock, SPAN_S(-86400));
    step(plant, SPAN_MIN(30));
    cr_expect(!plant->engine->backups.is_due);
    step(plant, plant->config.backup_interval);
    cr_expect(plant->engine->backups.is_due);
    plant_destroy(plant);
}

Test(engine_backups, a_restart_goes_on_by_the_names_of_what_is_there) {
    struct plant *plant = plant_with_copies();
    rig_wait(plant->rig, SPAN_MIN(30));
    engine_destroy(plant->engine);
    engine_up(plant);
    plant->engine->truth.is_open = true;
    step(plant, SPAN_MIN(29));
    cr_expect(!plant->engine->backups.is_due);
    step(plant, SPAN_MIN(2));
    cr_expect(plant->engine->backups.is_due);
    cr_expect_eq(plant->engine->backups.copies.number, 2);
    plant_destroy(plant);
}

Test(engine_backups, a_round_takes_one_tick_while_the_market_is_closed) {
    for (int is_open = 0; is_open < 2; is_open++) {
        struct plant *plant = plant_with_copies();
        plant->engine->truth.is_open = is_open;
        step(plant, plant->config.backup_interval);
        cr_expect_eq(plant->engine->backups.is_due, is_open);
        plant_destroy(plant);
    }
}

Test(engine_backups, what_fails_is_tried_a_minute_later_and_an_alert_in_ten) {
    struct plant *plant = plant_with_copies();
    struct backups *backups = &plant->engine->backups;
    backups->copies.number = 99999999; /* no number is left */
    step(plant, plant->config.backup_interval);
    int warnings = plant->rig->warnings;
    cr_expect_eq(backups->failed_with, ERR_LIMIT);
    step(plant, SPAN_S(599));
    cr_expect_eq(plant->rig->warnings, warnings);
    step(plant, SPAN_S(1));
    cr_expect_eq(plant->rig->warnings, warnings + 1);
    cr_expect_str_eq(plant->rig->last_alert, "backup_overdue");
    step(plant, SPAN_S(600));
    cr_expect_eq(plant->rig->warnings, warnings + 1, "once an hour");
    backups->copies.number = 7;
    step(plant, SPAN_S(61));
    for (int i = 0; i < 3; i++) {
        step(plant, (struct span){0});
    }
    cr_expect(!backups->is_due);
    cr_expect(!backups->is_late);
    plant_destroy(plant);
}

Test(engine_backups, a_bare_position_comes_first_for_an_interval) {
    struct plant *plant = plant_with_copies();
    struct backups *backups = &plant->engine->backups;
    own(plant, "AAPL", 10);
    plant->engine->book.items[0].is_naked = true;
    step(plant, plant->config.backup_interval);
    cr_expect(backups->is_due);
    cr_expect_eq(backups->step, 0);
    step(plant, (struct span){plant->config.backup_interval.ns - 1});
    cr_expect_eq(backups->step, 0);
    step(plant, (struct span){1});
    cr_expect_eq(backups->step, 1);
    plant_destroy(plant);
}

Test(engine_backups, of_a_journal_that_went_back_are_paged_and_not_made) {
    struct plant *plant = plant_with_copies();
    engine_destroy(plant->engine);
    (void)sim_disk_remove_raw(plant->rig->disk, JOURNAL_FILE);
    (void)sim_disk_remove_raw(plant->rig->disk, JOURNAL_WAL);
    int pages = plant->rig->pages;
    engine_up(plant);
    step(plant, SPAN_MIN(120));
    cr_expect(plant->engine->backups.copies.is_behind);
    cr_expect_gt(plant->rig->pages, pages);
    cr_expect_str_eq(plant->rig->last_alert, "backup_ahead");
    cr_expect(causes_has(&plant->engine->causes, "state_regression"));
    int64_t copied = plant->engine->backups.copies.copied;
    for (int i = 0; i < 4; i++) {
        step(plant, (struct span){0});
    }
    cr_expect_eq(plant->engine->backups.copies.copied, copied);
    plant_destroy(plant);
}

Test(engine_backups, who_only_reduces_or_stops_makes_none) {
    for (int how = 0; how < 2; how++) {
        struct plant *plant = plant_with_copies();
        plant->engine->gateway.only_reduces = how == 0;
        plant->engine->is_stopping = how == 1;
        step(plant, plant->config.backup_interval);
        cr_expect(!plant->engine->backups.is_due);
        plant_destroy(plant);
    }
}

/* --- what must be known of a symbol before it is bought --- */

static bool knows(struct plant *plant) {
    const struct universe_guard *guard = &plant->engine->gateway.universe;
    const struct session *session = &plant->engine->truth.session;
    struct utc now = rig_now(plant->rig);
    return universe_fact_is_fresh(guard->facts[0].asset_at, session, now) &&
           universe_fact_is_fresh(guard->volumes_at, session, now) &&
           universe_fact_is_fresh(guard->actions_at, session, now);
}

Test(engine_universe, a_start_in_a_session_reads_two_things_a_tick_and_nothing_twice) {
    struct plant *plant = plant_create();
    tick(plant, 5);
    cr_expect_not(knows(plant), "volumes and actions");
    tick(plant, 5);
    cr_assert(knows(plant));
    struct usd mean = {0};
    cr_expect(universe_dollar_volume(&plant->engine->gateway.universe.facts[0],
                                     plant->engine->truth.session.date, &mean));
    cr_expect_gt(mean.nanos, 0);
    struct utc at = plant->engine->gateway.universe.facts[0].asset_at;
    tick(plant, 60);
    cr_expect_eq(plant->engine->gateway.universe.facts[0].asset_at.ns, at.ns);
    plant_destroy(plant);
}

Test(engine_universe, nothing_is_read_beside_a_bare_position_and_one_thing_beside_a_held_one) {
    struct plant *plant = plant_create();
    const struct universe_guard *guard = &plant->engine->gateway.universe;
    own(plant, "AAPL", 10);
    plant->broker.positions = "[" POSITION("AAPL", "10") "]";
    tick(plant, 5);
    cr_expect_eq(guard->volumes_at.ns, 0, "its stop is on its way");
    tick(plant, 5);
    cr_expect_neq(guard->volumes_at.ns, 0);
    cr_expect_eq(guard->actions_at.ns, 0);
    tick(plant, 5);
    cr_expect_neq(guard->actions_at.ns, 0);
    cr_expect_eq(guard->facts[0].asset_at.ns, 0);
    plant_destroy(plant);
}

Test(engine_universe, what_failed_is_asked_again_and_a_symbol_nobody_knows_is_not_tradable) {
    struct plant *plant = plant_create();
    plant->broker.fault[0] =
        (struct tiny_fault){"GET", "/v1/corporate-actions", 1, ERR_OK, 500, "", false};
    plant->broker.fault[1] = (struct tiny_fault){"GET", "/v2/assets/", 1, ERR_OK, 404, "{}", false};
    tick(plant, 5);
    cr_expect_eq(plant->broker.fault[0].times, 0);
    cr_expect_eq(plant->engine->gateway.universe.actions_at.ns, 0);
    tick(plant, 1);
    cr_expect_eq(plant->engine->gateway.universe.actions_at.ns, 0, "not yet due");
    tick(plant, 5);
    tick(plant, 5);
    cr_assert(knows(plant));
    cr_expect_not(plant->engine->gateway.universe.facts[0].is_tradable);
    plant_destroy(plant);
}

Test(engine_universe, a_symbol_that_cannot_be_read_keeps_no_other_from_being_read) {
    struct plant *plant = plant_create();
    plant->config.symbol_count = 2;
    strcpy(plant->config.symbols[0], "MSFT"); /* the broker tells of AAPL, whatever it is asked */
    strcpy(plant->config.symbols[1], "AAPL");
    engine_destroy(plant->engine);
    engine_up(plant);
    for (int i = 0; i < 6; i++) {
        tick(plant, 5);
    }
    cr_expect_eq(plant->engine->gateway.universe.facts[0].asset_at.ns, 0);
    cr_expect_neq(plant->engine->gateway.universe.facts[1].asset_at.ns, 0);
    plant_destroy(plant);
}

Test(engine_universe, a_damaged_answer_forgets_what_was_known_before) {
    struct plant *plant = plant_create();
    plant->broker.daily = "{\"bars\":{\"AAPL\":[{\"t\":\"x\"}]},\"next_page_token\":null}";
    for (int i = 0; i < 4; i++) {
        tick(plant, 5);
    }
    cr_expect_eq(plant->engine->gateway.universe.volumes_at.ns, 0);
    plant->broker.daily = NULL;
    for (int i = 0; i < 6; i++) {
        tick(plant, 5);
    }
    cr_expect(knows(plant));
    plant_destroy(plant);
}

Test(engine_universe, the_next_session_is_read_from_an_hour_before_it_on) {
    struct plant *plant = plant_create();
    plant->broker.clock = CLOCK("false");
    struct utc opens = universe_guard_opens(
        &(struct session){.open = ny_to_utc(date_from_civil(2026, 9, 2), 9, 30)});
    rig_wait(plant->rig, utc_sub(utc_add(opens, SPAN_S(-10)), rig_now(plant->rig)));
    engine_tick(plant->engine);
    cr_expect_eq(plant->engine->gateway.universe.volumes_at.ns, 0, "too early");
    tick(plant, 300);
    cr_expect(knows(plant), "all in one tick of a closed market");
    plant_destroy(plant);
}

/* --- splits --- */

#define SPLIT                                                                                      \
    "{\"corporate_actions\":{\"forward_splits\":[{\"symbol\":\"AAPL\",\"ex_date\":\"2026-09-01\"," \
    "\"new_rate\":2,\"old_rate\":1}]},\"next_page_token\":null}"

#define TWICE                                                                                      \
    "{\"symbol\":\"AAPL\",\"qty\":\"20\",\"avg_entry_price\":\"50\",\"current_price\":\"50\"}"

/* Ten shares of yesterday, of which the broker makes twenty. */
static struct holding *split_over_night(struct plant *plant) {
    book_apply_fill(&plant->engine->book, "AAPL", SIDE_BUY, QTY(10), USD(1000),
                    utc_add(rig_now(plant->rig), SPAN_DAYS(-1)), (struct ratio){0});
    plant->broker.positions = "[" TWICE "]";
    return book_find(&plant->engine->book, "AAPL");
}

Test(engine_splits, what_was_announced_is_taken_and_latches_nothing) {
    struct plant *plant = plant_create();
    const struct holding *holding = split_over_night(plant);
    plant->broker.actions = SPLIT;
    tick(plant, 5);
    cr_expect_eq(holding->qty.nanos, QTY(10).nanos, "the day's orders come first");
    tick(plant, 5);
    cr_expect_eq(holding->qty.nanos, QTY(20).nanos);
    cr_expect_not(holding->is_adopted);
    cr_expect_not(has(plant, "reconciliation"));
    plant_destroy(plant);
}

/* The feed says no word for two minutes: then nothing explains it. */
Test(engine_splits, that_nobody_could_be_asked_about_are_waited_for_two_minutes) {
    for (int is_late = 0; is_late < 2; is_late++) {
        struct plant *plant = plant_create();
        const struct holding *holding = split_over_night(plant);
        plant->broker.actions = SPLIT;
        plant->broker.fault[0] = (struct tiny_fault){
            "GET", "/v1/corporate-actions", is_late ? 1000 : 1, ERR_OK, 500, "", false};
        for (int second = 0; second < 100; second += 5) {
            tick(plant, 5);
            cr_expect_not(has(plant, "reconciliation"));
        }
        for (int second = 0; is_late && second < 60; second += 5) {
            tick(plant, 5);
        }
        cr_expect_eq(holding->qty.nanos, QTY(20).nanos);
        cr_expect_eq(holding->is_adopted, is_late == 1);
        cr_expect_eq(has(plant, "kill_divergence"), is_late == 1);
        plant_destroy(plant);
    }
}

Test(engine_splits, are_asked_for_once_a_day_and_again_each_minute_while_a_quantity_differs) {
    struct plant *plant = plant_create();
    const struct universe_reads *reads = &plant->engine->universe_reads;
    split_over_night(plant);
    tick(plant, 5);
    struct mono first = reads->acted_at;
    cr_assert_neq(first.ns, 0);
    cr_expect_eq(reads->acted_for.days, ny_date(rig_now(plant->rig)).days);
    plant->broker.actions = SPLIT;
    for (int second = 5; second < 60; second += 5) { /* adopted meanwhile */
        tick(plant, 5);
        cr_expect_eq(reads->acted_at.ns, first.ns);
    }
    plant->broker.positions = "[" POSITION("AAPL", "30") "]";
    tick(plant, 10);
    cr_expect_neq(reads->acted_at.ns, first.ns);
    plant_destroy(plant);
}

/* At the old average the quantity alone explains nothing, until the broker tells of a split. */
Test(engine_splits, that_the_activities_tell_are_taken_at_any_average) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct plant *plant = plant_create();
        const struct holding *holding = split_over_night(plant);
        plant->broker.actions = SPLIT;
        plant->broker.positions = "[" POSITION("AAPL", "20") "]";
        plant->broker.activities =
            is_told ? "[{\"activity_type\":\"SPLIT\",\"id\":\"1::s\",\"date\":\"2026-09-01\","
                      "\"net_amount\":\"0\",\"symbol\":\"AAPL\",\"qty\":\"10\"}]"
                    : "[]";
        for (int second = 0; second < 60; second += 5) {
            tick(plant, 5);
        }
        cr_expect_eq(holding->qty.nanos, QTY(20).nanos);
        cr_expect_eq(holding->is_adopted, is_told == 0);
        plant_destroy(plant);
    }
}

/* Ten minutes of a session at the price of new shares without them: then it is the price, and a person knows. */
Test(engine_splits, that_are_not_done_hold_prices_out_for_ten_minutes) {
    struct plant *plant = plant_create();
    struct holding *holding = split_over_night(plant);
    plant->broker.actions = SPLIT;
    plant->broker.positions = "[" POSITION("AAPL", "10") "]";
    tick(plant, 5);
    cr_assert(holding->is_split_due);
    holding->is_new_price = true;
    splits_time(plant->engine);
    rig_wait(plant->rig, (struct span){SPAN_MIN(10).ns - 1});
    holding->is_new_price = false; /* no reference is no price of the old shares */
    holding->has_mark = false;
    splits_time(plant->engine);
    cr_expect_not(holding->is_split_overdue);
    rig_wait(plant->rig, (struct span){1});
    splits_time(plant->engine);
    cr_expect(holding->is_split_overdue);
    holding->has_mark = true;
    splits_time(plant->engine);
    cr_expect(holding->is_split_overdue, "until it is due no more");
    holding->is_split_due = false;
    splits_time(plant->engine);
    cr_expect_not(holding->is_split_overdue);
    plant_destroy(plant);
}

/* An answer that never came, or of which a page is missing, takes nothing away that one told before. */
Test(engine_splits, are_kept_until_an_answer_came_whole) {
    static const char *const failures[] = {
        "", "{\"corporate_actions\":{\"x\":[{\"symbol\":\"AAPL\"}]},\"next_page_token\":null}"};
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct plant *plant = plant_create();
        plant->broker.actions = SPLIT;
        (void)split_over_night(plant);
        tick(plant, 5);
        cr_assert_eq(plant->engine->splits.count, 1);
        plant->broker.fault[0] = (struct tiny_fault){
            "GET", "/v1/corporate-actions", 1, ERR_OK, i == 0 ? 500 : 200, failures[i], false};
        cr_expect_not(read_actions(plant->engine));
        cr_expect_eq(plant->engine->splits.count, 1, "%zu", i);
        plant->broker.actions = NULL;
        cr_expect(read_actions(plant->engine));
        cr_expect_eq(plant->engine->splits.count, 0, "a whole one does");
        plant_destroy(plant);
    }
}

/* Five of ten may be what the stop that rests has sold: only once it did not for 15 s they are a split. */
Test(engine_splits, that_a_resting_stop_may_have_made_are_not_taken_at_once) {
    struct plant *plant = plant_create();
    plant->config.time_exit = SPAN_DAYS(9);
    engine_destroy(plant->engine);
    engine_up(plant);
    const struct holding *holding = split_over_night(plant);
    plant->broker.positions = "[" POSITION("AAPL", "10") "]";
    for (int second = 0; second < 20; second += 5) {
        tick(plant, 5);
    }
    cr_assert_eq(plant->broker.count, 1);
    plant->broker.actions =
        "{\"corporate_actions\":{\"reverse_splits\":[{\"symbol\":\"AAPL\",\"ex_date\":"
        "\"2026-09-01\",\"new_rate\":1,\"old_rate\":2}]},\"next_page_token\":null}";
    plant->broker.positions = "[{\"symbol\":\"AAPL\",\"qty\":\"5\",\"side\":\"long\","
                              "\"avg_entry_price\":\"200\",\"current_price\":\"200\"}]";
    for (int second = 0; second < 15; second += 5) {
        tick(plant, 5);
        cr_expect_eq(holding->qty.nanos, QTY(10).nanos, "%d", second);
    }
    tick(plant, 5);
    cr_expect_eq(holding->qty.nanos, QTY(5).nanos);
    cr_expect_not(holding->is_adopted);
    plant_destroy(plant);
}

/* The day's announcements came while nothing differed: of what differs since they say nothing. */
Test(engine_splits, that_were_asked_for_before_it_differed_are_asked_for_again) {
    struct plant *plant = plant_create();
    const struct holding *holding = split_over_night(plant);
    plant->broker.positions = "[" POSITION("AAPL", "10") "]";
    tick(plant, 5);
    tick(plant, 5);
    cr_assert_neq(plant->engine->universe_reads.acted_for.days, 0);
    plant->broker.positions = "[" TWICE "]";
    plant->broker.actions = SPLIT;
    plant->broker.fault[0] =
        (struct tiny_fault){"GET", "/v1/corporate-actions", 1, ERR_OK, 500, "", false};
    for (int second = 0; second < 100; second += 5) {
        tick(plant, 5);
        cr_expect_not(has(plant, "reconciliation"));
    }
    cr_expect_eq(holding->qty.nanos, QTY(20).nanos);
    cr_expect_not(holding->is_adopted);
    plant_destroy(plant);
}

/* --- spin-offs --- */

#define SPIN_OFF                                                                                   \
    "{\"corporate_actions\":{\"spin_offs\":[{\"source_symbol\":\"AAPL\",\"new_symbol\":\"NEWCO\"," \
    "\"ex_date\":\"2026-09-01\",\"new_rate\":1,\"source_rate\":2}]},\"next_page_token\":null}"

#define GIVEN                                                                                      \
    "[" POSITION("AAPL", "10") ",{\"symbol\":\"NEWCO\",\"qty\":\"5\",\"avg_entry_price\":\"40\","  \
                               "\"current_price\":\"40\"}]"

#define SPUN                                                                                       \
    "[{\"activity_type\":\"SPIN\",\"id\":\"1::s\",\"date\":\"2026-09-01\",\"net_amount\":\"0\","   \
    "\"symbol\":\"NEWCO\",\"qty\":\"5\"}]"

/* Ten shares of yesterday, and five of another that nobody ordered. */
static struct plant *given(const char *actions, const char *activities) {
    struct plant *plant = plant_create();
    book_apply_fill(&plant->engine->book, "AAPL", SIDE_BUY, QTY(10), USD(1000),
                    utc_add(rig_now(plant->rig), SPAN_DAYS(-1)), (struct ratio){0});
    plant->broker.positions = GIVEN;
    plant->broker.actions = actions;
    plant->broker.activities = activities;
    return plant;
}

Test(engine_spin_offs, that_the_activities_tell_are_taken_and_latch_nothing) {
    for (int is_told = 0; is_told < 2; is_told++) {
        struct plant *plant = given(SPIN_OFF, is_told ? SPUN : "[]");
        for (int second = 0; second < 30; second += 5) {
            tick(plant, 5);
        }
        const struct holding *holding = book_find(&plant->engine->book, "NEWCO");
        bool is_stopped = false;
        cr_assert_not_null(holding);
        for (size_t i = 0; i < plant->broker.count; i++) {
            const struct tiny_order *order = &plant->broker.orders[i];
            is_stopped = is_stopped || strcmp(order->symbol, "NEWCO") == 0;
        }
        cr_expect_eq(is_stopped, is_told == 1, "of no universe, and under a stop");
        cr_expect_eq(holding->qty.nanos, is_told ? QTY(5).nanos : 0);
        cr_expect_eq(holding->is_spin_due, false);
        cr_expect_not(has(plant, "reconciliation"));
        cr_expect_eq(book_find(&plant->engine->book, "AAPL")->cost.nanos,
                     is_told ? USD(800).nanos : USD(1000).nanos);
        plant_destroy(plant);
    }
}

/* Announced, the row is waited for two minutes of a session; not announced, nothing is. */
Test(engine_spin_offs, that_nothing_tells_are_unexplained) {
    for (int is_announced = 0; is_announced < 2; is_announced++) {
        struct plant *plant = given(is_announced ? SPIN_OFF : NULL, "[]");
        for (int second = 0; second < 100; second += 5) {
            tick(plant, 5);
            bool is_over = !is_announced && second > 30;
            cr_expect(!is_over || has(plant, "kill_divergence"), "%d", second);
            cr_expect(!is_announced || !has(plant, "reconciliation"), "%d", second);
        }
        for (int second = 0; second < 60; second += 5) {
            tick(plant, 5);
        }
        cr_expect(has(plant, "kill_divergence"));
        cr_expect(book_find(&plant->engine->book, "NEWCO")->is_adopted);
        plant_destroy(plant);
    }
}

/* One failed question loses no link, in a session either: what is due waits for the announcements, a stop for nothing. */
Test(engine_spin_offs, wait_for_the_announcements_that_link_them) {
    struct plant *plant = given(SPIN_OFF, SPUN);
    plant->broker.fault[0] =
        (struct tiny_fault){"GET", "/v1/corporate-actions", 1, ERR_OK, 500, "", false};
    for (int second = 0; second < 110; second += 5) {
        tick(plant, 5);
        cr_expect_not(has(plant, "reconciliation"));
        const struct holding *newco = book_find(&plant->engine->book, "NEWCO");
        cr_expect(newco == NULL || !newco->is_split_awaited, "of which no price changes");
    }
    cr_expect_eq(book_find(&plant->engine->book, "NEWCO")->qty.nanos, QTY(5).nanos);
    cr_expect_eq(book_find(&plant->engine->book, "AAPL")->cost.nanos, USD(800).nanos);
    plant_destroy(plant);
}

/* Seven are held under a stop when five more are given. */
Test(engine_spin_offs, are_asked_about_beside_a_stop_but_not_beside_a_purchase) {
    for (int side = 0; side < 2; side++) {
        struct plant *plant = plant_create();
        struct holding *held = book_get(&plant->engine->book, "NEWCO");
        const struct broker_position listing = {.symbol = "NEWCO", .qty = QTY(12)};
        held->qty = QTY(7);
        plant->engine->orders.items[0] =
            (struct order){.symbol = "NEWCO",
                           .side = side == 0 ? SIDE_SELL : SIDE_BUY,
                           .purpose = side == 0 ? PURPOSE_STOP : PURPOSE_ENTRY,
                           .state = ORDER_WORKING,
                           .is_seen = true};
        plant->engine->orders.count = 1;
        spin_offs_note(plant->engine, &listing, 1);
        cr_expect_eq(held->spin_gain.nanos, side == 0 ? QTY(5).nanos : 0);
        plant->engine->orders.items[0].is_seen = false; /* unknown, of either side */
        spin_offs_note(plant->engine, &listing, 1);
        cr_expect_eq(held->spin_gain.nanos, 0);
        plant->engine->orders.count = 0;
        plant_destroy(plant);
    }
}

/* Taken in the night before the day of its row, which therefore explains nothing on that day. */
Test(engine_spin_offs, are_taken_once_though_their_day_is_the_next) {
    struct plant *plant =
        given(SPIN_OFF, "[{\"activity_type\":\"SPIN\",\"id\":\"1::s\",\"date\":\"2026-09-02\","
                        "\"net_amount\":\"0\",\"symbol\":\"NEWCO\",\"qty\":\"5\"}]");
    for (int second = 0; second < 30; second += 5) {
        tick(plant, 5);
    }
    const struct holding *newco = book_find(&plant->engine->book, "NEWCO");
    cr_assert_not_null(newco);
    cr_expect_eq(newco->qty.nanos, QTY(5).nanos);
    cr_expect_not(newco->is_spin_due);
    plant_destroy(plant);
}

/* Cash for a fraction of a share is what the day's trades did not earn. */
Test(engine_spin_offs, pay_a_fraction_that_is_no_profit) {
    struct plant *plant = plant_create();
    plant->broker.activities =
        "[{\"activity_type\":\"CIL\",\"id\":\"1::c\",\"date\":\"2026-09-01\","
        "\"net_amount\":\"20\",\"symbol\":\"NEWCO\",\"qty\":\"0.5\"}]";
    tick(plant, 60);
    tick(plant, 60);
    struct equity_reading reading = reading_now(plant->engine);
    cr_expect_eq(reading.flows_today.nanos, USD(20).nanos);
    cr_expect_eq(reading.flows_ever.nanos, 0);
    plant_destroy(plant);
}

/* --- dividends and fees --- */

#define CASH(type, id, amount)                                                                     \
    "{\"activity_type\":\"" type "\",\"id\":\"" id "\",\"date\":\"2026-09-01\","                   \
    "\"net_amount\":\"" amount "\",\"symbol\":\"AAPL\",\"qty\":\"10\",\"status\":\"executed\"}"

/* What is paid, less what is withheld of it, is no profit of the day and no deposit; a fee is neither. */
Test(engine_flows, a_dividend_counts_in_its_day_alone_and_a_fee_nowhere) {
    struct plant *plant = plant_create();
    plant->broker.activities = "[" CASH("DIV", "1::a", "500") "," CASH(
        "DIVNRA", "1::b", "-75") "," CASH("FEE", "1::c", "-20") "," CASH("CSD", "1::d", "1000") "]";
    for (int life = 0; life < 2; life++) {
        for (int second = 0; second < 120; second += 5) {
            tick(plant, 5);
        }
        struct equity_reading reading = reading_now(plant->engine);
        cr_expect_eq(reading.flows_today.nanos, USD(1425).nanos, "life %d", life);
        cr_expect_eq(reading.flows_ever.nanos, USD(1000).nanos, "life %d", life);
        cr_expect_eq(plant->engine->flow_count, 4, "each once, over a restart too");
        cr_expect_eq(plant->engine->book.cash_flow.nanos, 0, "no fill");
        engine_destroy(plant->engine);
        engine_up(plant);
    }
    plant_destroy(plant);
}

#define UNDONE(type, id, amount, status)                                                           \
    "{\"activity_type\":\"" type "\",\"id\":\"" id "\",\"date\":\"2026-09-01\","                   \
    "\"net_amount\":\"" amount "\",\"symbol\":\"AAPL\",\"status\":\"" status "\"}"

/* A fee of a dividend is a fee; what is canceled never was, also where it was taken before; and what is withheld of a
 * dividend of another day is no loss that may be hidden. */
Test(engine_flows, what_is_withheld_canceled_or_a_fee_adds_nothing) {
    static const struct {
        const char *first, *then;
        int64_t today;
    } rows[] = {{"[" UNDONE("DIVFEE", "1::a", "-75", "executed") "]", NULL, 0},
                {"[" UNDONE("DIV", "1::a", "75", "canceled") "]", NULL, 0},
                {"[" UNDONE("DIV", "1::a", "75", "correct") "]", NULL, 75},
                {"[" UNDONE("DIVNRA", "1::a", "-75", "executed") "]", NULL, 0},
                {"[" UNDONE("CSD", "1::a", "75", "executed") "]",
                 "[" UNDONE("CSD", "1::a", "75", "canceled") "]", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plant *plant = plant_create();
        plant->broker.activities = rows[i].first;
        tick(plant, 60);
        plant->broker.activities = rows[i].then == NULL ? rows[i].first : rows[i].then;
        tick(plant, 60);
        tick(plant, 60);
        cr_expect_eq(reading_now(plant->engine).flows_today.nanos, USD(rows[i].today).nanos,
                     "row %zu", i);
        plant_destroy(plant);
    }
}

/* More than are kept within two days: none of them is taken twice. */
Test(engine_flows, that_are_told_again_stay_known) {
    struct plant *plant = plant_create();
    for (int i = 0; i < FLOWS_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        struct journal_row row = {.seq = i + 1,
                                  .kind = i % 2 == 0 ? "income" : "flow",
                                  .key = key,
                                  .body = "{\"usd\":\"1\",\"date\":\"2026-08-31\"}"};
        cr_assert_eq(flows_fold(plant->engine, &row, NULL), ERR_OK);
    }
    plant->broker.activities = "[" CASH("CSD", "1::d", "1000") "]";
    tick(plant, 60);
    cr_expect_str_eq(plant->engine->flows[0].id, "0");
    cr_expect_eq(plant->engine->flow_count, FLOWS_MAX);
    plant_destroy(plant);
}

Test(engine_flows, of_more_than_are_kept_the_sum_of_deposits_stays) {
    struct plant *plant = plant_create();
    for (int i = 0; i < 2 * FLOWS_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        struct journal_row row = {.seq = i + 1,
                                  .kind = i % 3 == 0 ? "income" : "flow",
                                  .key = key,
                                  .body = "{\"usd\":\"1\",\"date\":\"2026-08-03\"}"};
        cr_assert_eq(flows_fold(plant->engine, &row, NULL), ERR_OK);
    }
    cr_expect_eq(plant->engine->flow_count, FLOWS_MAX);
    cr_expect_eq(reading_now(plant->engine).flows_ever.nanos, USD(682).nanos); /* 1024 less 342 */
    plant_destroy(plant);
}
