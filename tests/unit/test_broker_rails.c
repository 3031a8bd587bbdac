/* test_broker_rails.c - what the account's configuration must be, at its edges; when it is read and set; and that no
 * exit is asked. */
#include "core/engine/core.h"
#include "tests/unit/desk.h"

#include <string.h>

#define CONFIGURATION(margin, no_shorting, suspended)                                              \
    "{\"max_margin_multiplier\":\"" margin "\",\"no_shorting\":" no_shorting                       \
    ",\"suspend_trade\":" suspended "}"

static struct ratio ratio_of(const char *text) {
    struct ratio ratio = {0};
    cr_assert_eq(decimal_parse(text, &ratio.nanos, NULL), ERR_OK);
    return ratio;
}

static struct broker_rails fit(void) {
    return (struct broker_rails){.told = {.no_shorting = true, .max_margin_multiplier = 1},
                                 .is_known = true,
                                 .read_at = {1}};
}

/* Ends with "" where nothing is refused. */
static void expect_why(const struct broker_rails *rails, const struct config *config,
                       int64_t after_ns, const char *part) {
    char why[RAILS_WHY_MAX] = "";
    bool is_refused = broker_rails_refuse(rails, config, (struct mono){1 + after_ns}, why);
    cr_expect_eq(is_refused, part[0] != '\0', "'%s' for '%s'", why, part);
    cr_expect_not_null(strstr(why, part), "'%s' for '%s'", why, part);
}

Test(broker_rails, the_margin_is_the_smallest_that_the_gross_limit_needs) {
    static const struct {
        const char *gross;
        int margin;
    } rows[] = {{"0.01", 1}, {"1", 1}, {"1.000000001", 2}, {"2", 2}, {"2.000000001", 4}, {"4", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(rails_margin(ratio_of(rows[i].gross)), rows[i].margin, "%s", rows[i].gross);
    }
}

Test(broker_rails, what_is_looser_is_refused_with_what_to_set_and_what_is_tighter_is_not) {
    struct config config = config_defaults();
    struct broker_rails rails = fit();
    expect_why(&rails, &config, 0, "");
    rails.told.max_margin_multiplier = 2;
    expect_why(&rails, &config, 0, "set max_margin_multiplier 2 to 1");
    rails.told.no_shorting = false;
    expect_why(&rails, &config, 0, "set no_shorting to true, max_margin_multiplier 2 to 1");
    rails.told.max_margin_multiplier = 1;
    expect_why(&rails, &config, 0, "set no_shorting to true");
    rails = fit();
    config.gross_exposure = (struct ratio){2 * NANOS};
    expect_why(&rails, &config, 0, "");
    rails.told.max_margin_multiplier = 2;
    expect_why(&rails, &config, 0, "");
    rails.told.max_margin_multiplier = 4;
    expect_why(&rails, &config, 0, "max_margin_multiplier 4 to 2");
    rails = fit();
    rails.told.is_suspended = true;
    expect_why(&rails, &config, 0, "trading is suspended");
}

Test(broker_rails, what_is_not_known_is_refused_from_the_nanosecond_on) {
    struct config config = config_defaults();
    struct broker_rails rails = {0};
    int64_t believed = 2 * config.rails_interval.ns;
    expect_why(&rails, &config, 0, "not read yet");
    rails = fit();
    expect_why(&rails, &config, believed, "");
    expect_why(&rails, &config, believed + 1, "too long ago");
    rails.is_doubted = true;
    expect_why(&rails, &config, 0, "since the mode or the account changed");
}

Test(broker_rails, it_is_due_after_the_interval_or_with_a_doubt) {
    struct config config = config_defaults();
    struct broker_rails rails = fit();
    int64_t interval = config.rails_interval.ns;
    cr_expect_not(broker_rails_are_due(&rails, &config, (struct mono){interval}));
    cr_expect(broker_rails_are_due(&rails, &config, (struct mono){interval + 1}));
    rails.is_doubted = true;
    cr_expect(broker_rails_are_due(&rails, &config, (struct mono){1}));
    cr_expect(broker_rails_are_due(&(struct broker_rails){0}, &config, (struct mono){0}));
}

/* --- at the door --- */

Test(gateway_rails, an_entry_waits_for_the_rails_and_no_exit_or_stop_does) {
    struct desk *desk = desk_create();
    struct order entry = desk_intent(PURPOSE_ENTRY, 5);
    struct refusal refusal = {0};
    desk->gateway.rails.told.no_shorting = false;
    cr_expect_eq(gateway_send(&desk->gateway, &entry, NULL, &refusal, NULL), ERR_REFUSED);
    cr_expect_eq(refusal.code, REFUSED_RAILS);
    cr_expect_eq(desk->broker.posts, 0);
    desk_hold(desk, "AAPL", 10);
    struct order exit = desk_intent(PURPOSE_EXIT, 5);
    struct order stop = desk_intent(PURPOSE_STOP, 5);
    cr_expect_eq(desk_send(desk, &stop, NULL), ERR_OK);
    cr_expect_eq(desk_send(desk, &exit, NULL), ERR_OK);
    desk_destroy(desk);
}

Test(gateway_rails, a_stop_rests_while_trading_is_suspended_and_what_is_bare_is_tried) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    struct order stop = desk_intent(PURPOSE_STOP, 10);
    cr_assert_eq(desk_send(desk, &stop, NULL), ERR_OK);
    desk->truth.account.is_suspended = desk->truth.account.is_blocked = true;
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 0);
    desk->truth.account_at = clock_mono(desk->rig->world.clock);
    desk_tick(desk, 30); /* as old as truth may be */
    cr_expect_eq(desk->broker.cancels, 0);
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 1, "what was said too long ago holds nothing in");
    desk_destroy(desk);
    desk = desk_create();
    holding = desk_hold(desk, "AAPL", 10);
    cr_assert_eq(desk_send(desk, &stop, NULL), ERR_OK);
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    desk->exits.plans[0].phase = EXIT_RELEASING; /* kept there by a HALT that is over */
    desk->truth.account.is_suspended = desk->truth.account.is_blocked = true;
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.cancels, 0, "suspended since it was decided");
    desk_destroy(desk);
    desk = desk_create();
    holding = desk_hold(desk, "AAPL", 10);
    desk->truth.account.is_suspended = desk->truth.account.is_blocked = true;
    exits_decide(&desk->exits, holding, PURPOSE_EXIT, (struct qty){0}, "time");
    desk_tick(desk, 1);
    cr_expect_eq(desk->broker.posts, 1, "nothing protects it");
    desk_destroy(desk);
}

/* --- reading and setting it --- */

#define ACCOUNT(suspended)                                                                         \
    "{\"id\":\"a\",\"account_number\":\"PA1\",\"status\":\"ACTIVE\",\"buying_power\":\"200000\","  \
    "\"cash\":\"100000\",\"equity\":\"100000\",\"last_equity\":\"100000\",\"maintenance_margin\":" \
    "\"0\","                                                                                       \
    "\"balance_asof\":\"2026-08-31\",\"trade_suspended_by_user\":" suspended "}"
#define DAY(date) "{\"date\":\"" date "\",\"open\":\"09:30\",\"close\":\"16:00\"}"

struct plant {
    struct rig *rig;
    struct tiny_broker broker;
    struct config config;
    struct engine *engine;
};

static struct plant *plant_with(const char *configuration, bool may_set) {
    struct plant *plant = calloc(1, sizeof *plant);
    struct err err = {0};
    cr_assert_not_null(plant);
    plant->rig = rig_create();
    journal_close(plant->rig->journal); /* the engine opens its own */
    plant->rig->journal = NULL;
    plant->config = config_defaults();
    plant->config.symbol_count = 1;
    plant->config.rails_write = may_set;
    strcpy(plant->config.symbols[0], "AAPL");
    plant->broker = (struct tiny_broker){
        .seam = {&TINY_OPS},
        .time = plant->rig->clock,
        .account = ACCOUNT("false"),
        .clock = "{\"timestamp\":\"2026-09-01T14:00:00Z\",\"is_open\":true,"
                 "\"next_open\":\"2026-09-02T13:30:00Z\",\"next_close\":\"2026-09-01T20:00:00Z\"}",
        .calendar = "[" DAY("2026-08-31") "," DAY("2026-09-01") "," DAY("2026-09-02") "]",
        .positions = "[]",
        .activities = "[]",
        .quotes = "{\"quotes\":{}}",
        .trades = "{\"trades\":{}}",
        .bars = "{\"bars\":{},\"next_page_token\":null}",
        .configuration = configuration};
    plant->rig->world.http = &plant->broker.seam;
    struct engine_options options = {.world = &plant->rig->world,
                                     .config = &plant->config,
                                     .mode = ENGINE_PAPER,
                                     .key_id = "k",
                                     .secret = "s",
                                     .build = "b"};
    cr_assert_eq(engine_create(&options, &plant->engine, &err), ERR_OK, "%s", err.text);
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

static const char *why_refused(struct plant *plant) {
    static char why[RAILS_WHY_MAX];
    why[0] = '\0';
    (void)broker_rails_refuse(&plant->engine->gateway.rails, &plant->config,
                              clock_mono(plant->rig->world.clock), why);
    return why;
}

Test(engine_rails, they_are_read_at_the_start_each_hour_and_behind_a_change_of_mode) {
    struct plant *plant = plant_with(NULL, false);
    struct broker_rails *rails = &plant->engine->gateway.rails;
    for (int i = 0; i < 3; i++) {
        tick(plant, 5);
    }
    cr_expect_str_eq(why_refused(plant), "");
    struct mono first = rails->read_at;
    tick(plant, 5);
    cr_expect_eq(rails->read_at.ns, first.ns);
    rig_wait(plant->rig, SPAN_S(3600));
    tick(plant, 5);
    tick(plant, 5);
    tick(plant, 5); /* one tick to see that truth is fresh again */
    cr_expect_gt(rails->read_at.ns, first.ns);
    first = rails->read_at;
    causes_hold(&plant->engine->causes, "degraded_mode", MODE_REDUCE_ONLY, "test");
    tick(plant, 5);
    cr_expect_gt(rails->read_at.ns, first.ns);
    cr_expect_eq(plant->broker.patches, 0);
    plant_destroy(plant);
}

Test(engine_rails, what_cannot_be_read_is_not_known_and_is_asked_again) {
    static const char *const unreadable[] = {
        "{}",
        "[]",
        "nonsense",
        CONFIGURATION("3", "true", "false"),
        CONFIGURATION("", "true", "false"),
        CONFIGURATION("10", "true", "false"),
        CONFIGURATION("1", "\"yes\"", "false"),
        CONFIGURATION("1", "true", "null"),
        "{\"max_margin_multiplier\":1,\"no_shorting\":true,\"suspend_trade\":false}"};
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        struct plant *plant = plant_with(unreadable[i], true);
        tick(plant, 5);
        tick(plant, 5);
        cr_expect_not_null(strstr(why_refused(plant), "not read"), "%s", unreadable[i]);
        cr_expect_eq(plant->broker.patches, 0, "%s", unreadable[i]);
        plant->broker.configuration = NULL;
        for (int k = 0; k < 6; k++) {
            tick(plant, 5);
        }
        cr_expect_str_eq(why_refused(plant), "", "%s", unreadable[i]);
        plant_destroy(plant);
    }
}

Test(engine_rails, a_loose_account_is_left_alone_unless_the_core_may_set_it) {
    struct plant *plant = plant_with(CONFIGURATION("4", "false", "false"), false);
    tick(plant, 5);
    tick(plant, 5);
    cr_expect_eq(plant->broker.patches, 0);
    cr_expect_not_null(strstr(why_refused(plant), "no_shorting to true"));
    plant_destroy(plant);
}

Test(engine_rails, it_sets_what_is_loose_and_counts_what_it_reads_back) {
    struct plant *plant = plant_with(CONFIGURATION("4", "true", "false"), true);
    plant->broker.configuration_set = CONFIGURATION("1", "true", "false");
    tick(plant, 5);
    tick(plant, 5);
    cr_expect_eq(plant->broker.patches, 1);
    cr_expect_str_eq(plant->broker.configured, "{\"max_margin_multiplier\":\"1\"}");
    cr_expect_str_eq(why_refused(plant), "");
    plant_destroy(plant);
    plant =
        plant_with(CONFIGURATION("4", "false", "false"), true); /* it takes it and does nothing */
    for (int i = 0; i < 12; i++) {
        tick(plant, 5);
    }
    cr_expect_str_eq(plant->broker.configured,
                     "{\"no_shorting\":true,\"max_margin_multiplier\":\"1\"}");
    cr_expect_not_null(strstr(why_refused(plant), "no_shorting to true"));
    cr_expect_leq(plant->broker.patches, 2, "not each tick");
    plant_destroy(plant);
}

Test(engine_rails, a_suspension_that_is_not_ours_is_never_ended) {
    struct plant *plant = plant_with(CONFIGURATION("1", "true", "true"), true);
    tick(plant, 5);
    tick(plant, 5);
    cr_expect_eq(plant->broker.patches, 0);
    cr_expect_not_null(strstr(why_refused(plant), "suspended"));
    plant_destroy(plant);
    plant = plant_with(CONFIGURATION("4", "false", "true"), true);
    tick(plant, 5);
    tick(plant, 5);
    cr_expect_null(strstr(plant->broker.configured, "suspend_trade"));
    plant_destroy(plant);
}

Test(engine_rails, nothing_is_set_that_no_row_says) {
    struct plant *plant = plant_with(CONFIGURATION("4", "false", "false"), true);
    tick(plant, 0);
    plant->broker.configured[0] = '\0';
    plant->engine->gateway.is_journal_down = true;
    plant->engine->gateway.rails.is_doubted = true;
    int before = plant->broker.patches;
    struct engine *engine = plant->engine;
    rails_step(engine);
    cr_expect_eq(plant->broker.patches, before);
    plant_destroy(plant);
}

Test(engine_rails, suspended_trading_over_what_is_held_is_paged_and_read_at_once) {
    struct plant *plant = plant_with(NULL, false);
    for (int i = 0; i < 3; i++) {
        tick(plant, 5);
    }
    struct broker_rails *rails = &plant->engine->gateway.rails;
    struct mono read_at = rails->read_at;
    int64_t pages = plant->engine->log.alerts.told[ALERT_PAGE];
    plant->broker.account = ACCOUNT("true");
    plant->broker.configuration = CONFIGURATION("1", "true", "true");
    tick(plant, 5);
    cr_expect_gt(rails->read_at.ns, read_at.ns, "the account says that something changed");
    cr_expect_not_null(strstr(why_refused(plant), "suspended"));
    cr_expect_eq(plant->engine->log.alerts.told[ALERT_PAGE], pages, "nothing is held");
    book_apply_fill(&plant->engine->book, "AAPL", SIDE_BUY, QTY(10), USD(1000), rig_now(plant->rig),
                    (struct ratio){0});
    plant->engine->truth.account.is_suspended = true;
    rails_step(plant->engine);
    cr_expect_eq(plant->engine->log.alerts.told[ALERT_PAGE], pages + 1);
    plant_destroy(plant);
}
