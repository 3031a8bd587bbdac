/* test_universe_guard.c - what may be bought: each threshold at its edge, what is missing, stale or absurd, and that
 * no exit is asked. */
#include "tests/unit/desk.h"

#include <string.h>

enum { OPEN_S = 1788269400 }; /* 2026-09-01 09:30 New York, a Tuesday */

static struct utc at_open(int64_t seconds) {
    return (struct utc){(OPEN_S + seconds) * NANOS};
}

static struct date tuesday(void) {
    return date_from_civil(2026, 9, 1);
}

/* All is well with the one symbol, at its thresholds: 3.00 USD, 5 m USD, 1 % of that, half a percent. */
struct shop {
    struct config config;
    struct universe_guard guard;
    struct session session;
    struct broker_quote quote;
    struct universe_candidate candidate;
    struct utc now;
};

static void take_days(struct shop *shop, int first_back, int64_t shares) {
    for (int back = first_back; back >= 1; back--) {
        struct broker_bar bar = {
            .at = ny_to_utc(date_add(tuesday(), -back), 0, 0), .close = USD(5), .volume = shares};
        universe_guard_take_day(&shop->guard.facts[0], &bar);
    }
}

static struct shop *open_shop(void) {
    static struct shop shop;
    shop = (struct shop){.config = config_defaults(), .now = at_open(1800)};
    shop.config.symbol_count = 1;
    strcpy(shop.config.symbols[0], "AAPL");
    shop.session = (struct session){.date = tuesday(), .open = at_open(0), .close = at_open(23400)};
    struct broker_asset asset = {.symbol = "AAPL", .is_tradable = true};
    universe_guard_take_asset(&shop.guard, 0, &asset, at_open(-1800));
    take_days(&shop, 20, 1000000);
    shop.guard.volumes_at = shop.guard.actions_at = at_open(-1800);
    shop.quote =
        (struct broker_quote){.is_known = true, .bid = dollars("3.99"), .ask = dollars("4.01")};
    shop.candidate = (struct universe_candidate){
        .symbol = "AAPL", .limit = USD(3), .notional = USD(50000), .quote = &shop.quote};
    return &shop;
}

static struct universe_verdict ask(const struct shop *shop) {
    return universe_guard_check(&shop->guard, &shop->config, &shop->session, shop->now,
                                &shop->candidate);
}

static void expect_flaw(const struct shop *shop, enum universe_flaw flaw, const char *why) {
    struct universe_verdict verdict = ask(shop);
    cr_expect_eq(verdict.flaw, flaw, "%d is not %d", (int)verdict.flaw, (int)flaw);
    if (why[0] != '\0') {
        cr_assert_not_null(verdict.why);
        cr_expect_str_eq(verdict.why, why);
    }
}

/* --- thresholds --- */

Test(universe_guard, at_every_threshold_it_may_be_bought) {
    expect_flaw(open_shop(), UNIVERSE_GOOD, "");
}

Test(universe_guard, a_tick_below_the_least_price_is_too_cheap) {
    struct shop *shop = open_shop();
    shop->candidate.limit = dollars("2.999999999");
    expect_flaw(shop, UNIVERSE_CHEAP, "");
    cr_expect_eq(ask(shop).bound.nanos, USD(3).nanos);
    shop->candidate.limit = dollars("3.000000001");
    expect_flaw(shop, UNIVERSE_GOOD, "");
}

Test(universe_guard, a_dollar_below_the_least_volume_is_too_little) {
    struct shop *shop = open_shop();
    shop->config.universe_min_dollar_volume_usd = USD(5000001);
    expect_flaw(shop, UNIVERSE_ILLIQUID, "");
    cr_expect_eq(ask(shop).is.nanos, USD(5000000).nanos);
    shop->config.universe_min_dollar_volume_usd = USD(4999999);
    expect_flaw(shop, UNIVERSE_GOOD, "");
}

Test(universe_guard, an_order_above_its_share_of_the_volume_is_too_large) {
    struct shop *shop = open_shop();
    shop->candidate.notional = dollars("50000.000000001");
    expect_flaw(shop, UNIVERSE_TOO_LARGE, "");
    cr_expect_eq(ask(shop).bound.nanos, USD(50000).nanos);
}

Test(universe_guard, a_spread_above_half_a_percent_is_wide) {
    struct shop *shop = open_shop();
    shop->quote.ask = dollars("4.010000002");
    expect_flaw(shop, UNIVERSE_WIDE_SPREAD, "");
    shop->quote.ask = shop->quote.bid;
    expect_flaw(shop, UNIVERSE_GOOD, "");
}

/* --- volumes --- */

Test(universe_guard, the_mean_is_of_the_last_twenty_sessions_known) {
    struct shop *shop = open_shop();
    struct usd mean = {0};
    universe_guard_forget_volumes(&shop->guard);
    cr_expect_eq(shop->guard.volumes_at.ns, 0);
    take_days(shop, 30, 1000000);
    take_days(shop, 20, 2000000); /* drives out all before */
    cr_assert(universe_dollar_volume(&shop->guard.facts[0], tuesday(), &mean));
    cr_expect_eq(mean.nanos, USD(10000000).nanos);
    universe_guard_forget_volumes(&shop->guard);
    take_days(shop, 2, 1000000);
    take_days(shop, 1, 4000000);
    cr_assert(universe_dollar_volume(&shop->guard.facts[0], tuesday(), &mean));
    cr_expect_eq(mean.nanos, USD(1500000).nanos, "a session without a bar had no trade");
}

Test(universe_guard, volumes_that_are_old_absent_or_of_the_day_itself_are_not_known) {
    static const int back[] = {0, 1, 7, 8};
    for (size_t i = 0; i < sizeof back / sizeof back[0]; i++) {
        struct shop *shop = open_shop();
        shop->guard.facts[0].last_session = date_add(tuesday(), -back[i]);
        expect_flaw(shop, back[i] >= 1 && back[i] <= 7 ? UNIVERSE_GOOD : UNIVERSE_UNKNOWN, "");
    }
    struct shop *shop = open_shop();
    shop->guard.facts[0].sessions = 0;
    expect_flaw(shop, UNIVERSE_UNKNOWN, "no volume known of late");
}

Test(universe_guard, a_volume_of_zero_is_none_and_one_that_no_number_holds_neither) {
    struct usd mean = {1};
    struct shop *shop = open_shop();
    universe_guard_forget_volumes(&shop->guard);
    take_days(shop, 1, 0);
    cr_assert(universe_dollar_volume(&shop->guard.facts[0], tuesday(), &mean));
    cr_expect_eq(mean.nanos, 0);
    universe_guard_forget_volumes(&shop->guard);
    struct broker_bar bar = {
        .at = ny_to_utc(date_add(tuesday(), -1), 0, 0), .close = {INT64_MAX}, .volume = INT64_MAX};
    universe_guard_take_day(&shop->guard.facts[0], &bar);
    cr_assert(universe_dollar_volume(&shop->guard.facts[0], tuesday(), &mean));
    cr_expect_eq(mean.nanos, 0);
    universe_guard_forget_volumes(&shop->guard);
    take_days(shop, 1,
              INT64_C(100000000000)); /* half a trillion dollars: more than struct usd has */
    cr_assert(universe_dollar_volume(&shop->guard.facts[0], tuesday(), &mean));
    cr_expect_eq(mean.nanos, INT64_C(9000000000) * NANOS);
}

/* --- what was read --- */

Test(universe_guard, what_was_read_an_hour_before_the_open_is_known_of_the_session) {
    struct shop *shop = open_shop();
    struct utc *const stamps[] = {&shop->guard.facts[0].asset_at, &shop->guard.volumes_at,
                                  &shop->guard.actions_at};
    static const char *const why[] = {"asset not read today", "no volume known of late",
                                      "actions not read today"};
    for (size_t i = 0; i < 3; i++) {
        *stamps[i] = at_open(-3600);
        expect_flaw(shop, UNIVERSE_GOOD, "");
        stamps[i]->ns--;
        expect_flaw(shop, UNIVERSE_UNKNOWN, why[i]);
        *stamps[i] = (struct utc){0};
        expect_flaw(shop, UNIVERSE_UNKNOWN, why[i]);
        *stamps[i] = shop->now;
        expect_flaw(shop, UNIVERSE_GOOD, "");
        stamps[i]->ns++;
        expect_flaw(shop, UNIVERSE_UNKNOWN, why[i]); /* a wall that was set back */
        *stamps[i] = shop->now;
    }
}

Test(universe_guard, what_the_broker_does_not_take_orders_for_is_barred) {
    struct shop *shop = open_shop();
    shop->guard.facts[0].is_tradable = false;
    expect_flaw(shop, UNIVERSE_BARRED, "not tradable");
    shop = open_shop();
    shop->guard.facts[0].is_otc = true;
    expect_flaw(shop, UNIVERSE_BARRED, "traded over the counter");
}

Test(universe_guard, only_a_short_needs_what_is_easy_to_borrow) {
    struct shop *shop = open_shop();
    shop->candidate.is_short = true;
    expect_flaw(shop, UNIVERSE_BARRED, "hard to borrow");
    shop->guard.facts[0].is_easy_to_borrow = true;
    expect_flaw(shop, UNIVERSE_GOOD, "");
}

Test(universe_guard, the_restricted_list_needs_no_reading) {
    struct shop *shop = open_shop();
    shop->config.restricted_count = 2;
    strcpy(shop->config.restricted[1], "AAPL");
    shop->guard.facts[0].asset_at = (struct utc){0};
    expect_flaw(shop, UNIVERSE_BARRED, "on the restricted list");
    strcpy(shop->config.restricted[1], "AAP");
    expect_flaw(shop, UNIVERSE_UNKNOWN, "");
}

/* --- corporate actions --- */

Test(universe_guard, weekends_are_no_trading_days) {
    struct date friday = date_add(tuesday(), 3);
    cr_expect_eq(date_weekday(friday), 4);
    cr_expect_eq(universe_days_apart(friday, friday), 0);
    cr_expect_eq(universe_days_apart(friday, date_add(friday, 3)), 1, "Monday");
    cr_expect_eq(universe_days_apart(date_add(friday, 3), friday), 1);
    cr_expect_eq(universe_days_apart(friday, date_add(friday, 1)), 0, "Saturday is its Friday");
    cr_expect_eq(universe_days_apart(friday, date_add(friday, 2)), 0, "and Sunday");
    cr_expect_eq(universe_days_apart(tuesday(), date_add(tuesday(), 7)), 5);
}

Test(universe_guard, a_corporate_action_bars_two_trading_days_ahead_and_behind) {
    static const int days[] = {-4, -1, 0, 2, 3};
    static const bool is_near[] = {true, true, true, true, false}; /* 4 back is Friday, 2 apart */
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        struct shop *shop = open_shop();
        universe_guard_take_action(&shop->guard.facts[0], date_add(tuesday(), days[i]), tuesday());
        expect_flaw(shop, is_near[i] ? UNIVERSE_BARRED : UNIVERSE_GOOD,
                    is_near[i] ? "a corporate action is near" : "");
    }
    struct shop *shop = open_shop();
    shop->config.universe_action_days = 0;
    universe_guard_take_action(&shop->guard.facts[0], date_add(tuesday(), 1), tuesday());
    expect_flaw(shop, UNIVERSE_GOOD, "");
    universe_guard_take_action(&shop->guard.facts[0], tuesday(), tuesday());
    expect_flaw(shop, UNIVERSE_BARRED, "");
    universe_guard_take_action(&shop->guard.facts[0], date_add(tuesday(), 9), tuesday());
    expect_flaw(shop, UNIVERSE_BARRED, "");
    universe_guard_forget_actions(&shop->guard);
    expect_flaw(shop, UNIVERSE_UNKNOWN, "actions not read today");
}

/* --- through the door --- */

static enum refusal_code desk_refusal(struct desk *desk, enum order_purpose purpose) {
    struct order intent = desk_intent(purpose, 10);
    struct refusal refusal = {0};
    bool is_exit = intent_is_exit(&desk->gateway, &intent);
    return check_intent(&desk->gateway, &intent, is_exit, &refusal);
}

Test(universe_guard, each_flaw_has_its_code) {
    struct desk *desk = desk_create();
    struct universe_facts *facts = &desk->gateway.universe.facts[0];
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_NONE);
    facts->is_otc = true;
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_UNIVERSE_BARRED);
    facts->is_otc = false;
    desk->config.universe_min_price_usd = dollars("100.01");
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_LOW_PRICE);
    desk->config.universe_min_price_usd = USD(100);
    desk->config.universe_volume_share.nanos = 1; /* a billionth of 9 bn USD */
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_VOLUME_SHARE);
    desk->config.universe_volume_share.nanos = NANOS / 100;
    desk->config.universe_max_spread.nanos = NANOS / 10000;
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_WIDE_SPREAD);
    facts->dollars[0] = 1;
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_LOW_VOLUME);
    facts->asset_at = (struct utc){0};
    cr_expect_eq(desk_refusal(desk, PURPOSE_ENTRY), REFUSED_UNIVERSE_UNKNOWN);
    desk_destroy(desk);
}

Test(universe_guard, an_exit_is_asked_none_of_it) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    desk->gateway.universe = (struct universe_guard){0};
    strcpy(desk->config.restricted[0], "AAPL");
    desk->config.restricted_count = 1;
    desk->config.universe_min_price_usd = USD(1000);
    cr_expect_eq(desk_refusal(desk, PURPOSE_EXIT), REFUSED_NONE);
    cr_expect_eq(desk_refusal(desk, PURPOSE_STOP), REFUSED_NONE);
    desk_destroy(desk);
}

Test(universe_guard, an_entry_that_the_broker_would_not_take_leaves_its_symbol_unknown) {
    static const int statuses[] = {422, 403};
    for (size_t i = 0; i < 2; i++) {
        struct desk *desk = desk_create();
        struct order intent = desk_intent(PURPOSE_ENTRY, 10);
        desk_fault(desk, (struct tiny_fault){.method = "POST",
                                             .path = "/v2/orders",
                                             .status = statuses[i],
                                             .body = "{\"code\":42210000}"});
        cr_expect_eq(desk_send(desk, &intent, NULL), ERR_REFUSED);
        bool is_known = desk->gateway.universe.facts[0].asset_at.ns != 0;
        cr_expect_eq(is_known, statuses[i] != 422);
        desk_destroy(desk);
    }
}
