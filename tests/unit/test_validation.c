/* test_validation.c - every refusal of an intent beside the nearest one that passes, one thing wrong at a
 * time; the size of an entry. */
#include "core/orders/group_limits.h"
#include "tests/unit/desk.h"

static struct refusal look(struct desk *desk, const struct order *intent) {
    struct refusal refusal = {0};
    enum refusal_code code =
        check_intent(&desk->gateway, intent, intent_is_exit(&desk->gateway, intent), &refusal);
    cr_expect_eq(refusal.code, code);
    cr_expect_eq(refusal.numbers[0] == '\0', code == REFUSED_NONE, "%s", refusal_word(code));
    return refusal;
}

static enum refusal_code check(struct desk *desk, const struct order *intent) {
    return look(desk, intent).code;
}

static enum refusal_code check_entry(struct desk *desk) {
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    return check(desk, &intent);
}

#define EXPECT_ENTRY(desk, wanted)                                                                 \
    cr_expect_str_eq(refusal_word(check_entry(desk)), refusal_word(REFUSED_##wanted))

Test(check_intent, passes_a_good_entry) {
    struct desk *desk = desk_create();
    EXPECT_ENTRY(desk, NONE);
    desk_destroy(desk);
}

Test(check_intent, mode_and_halt) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    struct order leave = desk_intent(PURPOSE_EXIT, 10);
    causes_hold(&desk->causes, "a", MODE_CAUTION, "");
    cr_expect_eq(check(desk, &leave), REFUSED_NONE);
    causes_hold(&desk->causes, "b", MODE_REDUCE_ONLY, "");
    cr_expect_eq(check(desk, &leave), REFUSED_NONE, "an exit is sacred");
    EXPECT_ENTRY(desk, MODE);
    causes_hold(&desk->causes, "c", MODE_HALT, "");
    cr_expect_eq(check(desk, &leave), REFUSED_HALT);
    EXPECT_ENTRY(desk, HALT);
    desk_destroy(desk);
}

Test(check_intent, reducing_is_arithmetic_with_every_live_order_counted) {
    struct desk *desk = desk_create();
    struct order all = desk_intent(PURPOSE_EXIT, 10);
    struct order more = desk_intent(PURPOSE_EXIT, 11);
    struct order four = desk_intent(PURPOSE_EXIT, 4);
    cr_expect_eq(check(desk, &all), REFUSED_NOT_REDUCING, "nothing is held");
    desk_hold(desk, "AAPL", 10);
    cr_expect_eq(check(desk, &all), REFUSED_NONE);
    cr_expect_eq(check(desk, &more), REFUSED_NOT_REDUCING);
    struct order six = desk_intent(PURPOSE_EXIT, 6);
    struct order *live = NULL;
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &six, &live, NULL), ERR_OK);
    orders_move(&desk->orders, live, ORDER_UNKNOWN);
    cr_expect_eq(check(desk, &four), REFUSED_NONE);
    cr_expect_eq(check(desk, &all), REFUSED_NOT_REDUCING, "an unknown one counts");
    strcpy(all.replaces, live->client_id);
    cr_expect_eq(check(desk, &all), REFUSED_NONE, "less the one it replaces");
    struct order buy = desk_intent(PURPOSE_ENTRY, 5);
    buy.purpose = PURPOSE_STOP;
    cr_expect_eq(check(desk, &buy), REFUSED_NOT_REDUCING, "a label makes no exit");
    struct order entry = desk_intent(PURPOSE_ENTRY, 5);
    entry.side = SIDE_SELL;
    strcpy(entry.symbol, "MSFT");
    cr_expect_eq(check(desk, &entry), REFUSED_NOT_REDUCING, "nothing held: it would be short");
    for (int64_t shares = -1; shares <= 0; shares++) {
        struct order none = desk_intent(PURPOSE_EXIT, shares);
        cr_expect_eq(check(desk, &none), REFUSED_NOT_REDUCING, "%d", (int)shares);
        none = desk_intent(PURPOSE_ENTRY, shares);
        cr_expect_eq(check(desk, &none), REFUSED_NOT_REDUCING, "%d", (int)shares);
    }
    desk_destroy(desk);
}

Test(check_intent, journal_and_session) {
    struct desk *desk = desk_create();
    desk->gateway.is_journal_down = true;
    EXPECT_ENTRY(desk, JOURNAL);
    desk->gateway.is_journal_down = false;
    desk->gateway.journal = NULL;
    EXPECT_ENTRY(desk, JOURNAL);
    desk->gateway.journal = desk->rig->journal;
    struct session session = desk->truth.session;
    struct utc now = rig_now(desk->rig);
    desk->truth.session.open = utc_add(now, SPAN_S(-300));
    EXPECT_ENTRY(desk, NONE);
    desk->truth.session.open.ns++;
    EXPECT_ENTRY(desk, SESSION);
    desk->truth.session = session;
    desk->truth.session.close = utc_add(now, SPAN_S(300));
    EXPECT_ENTRY(desk, SESSION);
    desk->truth.session.close.ns++;
    EXPECT_ENTRY(desk, NONE);
    desk->truth.clock.is_open = false;
    EXPECT_ENTRY(desk, SESSION);
    desk->truth.clock.is_open = true;
    desk->truth.has_clock = false;
    EXPECT_ENTRY(desk, SESSION);
    desk->truth.has_clock = true;
    desk->truth.is_open = false;
    EXPECT_ENTRY(desk, SESSION);
    desk_destroy(desk);
}

Test(check_intent, an_account_that_is_old_blocked_empty_or_unexplained) {
    struct desk *desk = desk_create();
    struct truth good = desk->truth;
    desk->truth.account.is_blocked = true;
    EXPECT_ENTRY(desk, ACCOUNT);
    desk->truth = good;
    desk->truth.account.equity = USD(0);
    EXPECT_ENTRY(desk, ACCOUNT);
    desk->truth = good;
    desk->truth.is_equity_explained = false;
    EXPECT_ENTRY(desk, ACCOUNT);
    desk->truth = good;
    desk->truth.has_account = false;
    EXPECT_ENTRY(desk, ACCOUNT);
    desk->truth = good;
    desk->truth.account_at.ns -= SPAN_S(30).ns;
    EXPECT_ENTRY(desk, NONE);
    desk->truth.account_at.ns--;
    EXPECT_ENTRY(desk, ACCOUNT);
    desk_destroy(desk);
}

Test(check_intent, symbol_busy_and_cooldown) {
    struct desk *desk = desk_create();
    struct utc now = rig_now(desk->rig);
    desk->gateway.touched[0] = utc_add(now, SPAN_S(-900));
    EXPECT_ENTRY(desk, NONE);
    desk->gateway.touched[0].ns++;
    EXPECT_ENTRY(desk, COOLDOWN);
    desk->gateway.touched[0] = (struct utc){0};
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    struct order *live = NULL;
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &intent, &live, NULL), ERR_OK);
    EXPECT_ENTRY(desk, SYMBOL_BUSY);
    orders_move(&desk->orders, live, ORDER_CANCELED);
    EXPECT_ENTRY(desk, NONE);
    struct holding *holding = desk_hold(desk, "AAPL", 1);
    EXPECT_ENTRY(desk, SYMBOL_BUSY);
    holding->is_listed = false;
    EXPECT_ENTRY(desk, SYMBOL_BUSY);
    holding->qty = QTY(0);
    EXPECT_ENTRY(desk, NONE);
    holding->is_listed = true;
    EXPECT_ENTRY(desk, SYMBOL_BUSY);
    holding->is_listed = false;
    holding->differs = true;
    EXPECT_ENTRY(desk, SYMBOL_BUSY);
    desk_destroy(desk);
}

/* A day at most. */
Test(check_intent, a_symbol_waits_twice_as_long_behind_each_further_round_trip_of_the_day) {
    static const struct {
        int64_t trips, growth, cooldown_s, wait_s;
    } rows[] = {{0, 2, 900, 900},    {1, 2, 900, 900},      {2, 2, 900, 1800},
                {3, 2, 900, 3600},   {5, 2, 900, 14400},    {8, 2, 900, 86400},
                {3, 10, 900, 86400}, {2, 10, 86400, 86400}, {100, 10, 86400, 86400},
                {7, 1, 900, 900}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        struct utc now = rig_now(desk->rig);
        desk->config.symbol_cooldown = SPAN_S(rows[i].cooldown_s);
        desk->config.cooldown_growth = rows[i].growth;
        desk->gateway.volume.day = ny_date(now);
        desk->gateway.volume.symbol_count = 2;
        desk->gateway.volume.symbols[0] = (struct volume_symbol){.symbol = "MSFT", .trips = 9};
        desk->gateway.volume.symbols[1] =
            (struct volume_symbol){.symbol = "AAPL", .trips = rows[i].trips};
        desk->gateway.touched[0] = utc_add(now, SPAN_S(-rows[i].wait_s));
        EXPECT_ENTRY(desk, NONE);
        desk->gateway.touched[0].ns++;
        EXPECT_ENTRY(desk, COOLDOWN);
        desk->gateway.touched[0] = utc_add(now, SPAN_S(-rows[i].cooldown_s));
        desk->gateway.volume.day.days--; /* trips of yesterday */
        EXPECT_ENTRY(desk, NONE);
        desk_destroy(desk);
    }
}

/* Its stop sold it, behind its last order: longer is from there, behind the second trip and where it grows. */
Test(check_intent, a_grown_cooldown_is_from_the_end_of_a_stopped_trip) {
    static const struct {
        int64_t trips, growth, touched_s, ended_s;
        enum refusal_code code;
    } rows[] = {{2, 2, 1800, 1800, REFUSED_NONE},
                {2, 2, 1801, 1799, REFUSED_COOLDOWN},
                {2, 2, 1799, 1801, REFUSED_COOLDOWN},
                {1, 2, 900, 1, REFUSED_NONE},
                {2, 1, 900, 1, REFUSED_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        struct utc now = rig_now(desk->rig);
        struct order intent = desk_intent(PURPOSE_ENTRY, 5);
        desk->config.symbol_cooldown = SPAN_S(900);
        desk->config.cooldown_growth = rows[i].growth;
        desk->gateway.volume.day = ny_date(now);
        desk->gateway.volume.symbol_count = 1;
        desk->gateway.volume.symbols[0] =
            (struct volume_symbol){.symbol = "AAPL",
                                   .trips = rows[i].trips,
                                   .ended = utc_add(now, SPAN_S(-rows[i].ended_s))};
        desk->gateway.touched[0] = utc_add(now, SPAN_S(-rows[i].touched_s));
        cr_expect_eq(check(desk, &intent), rows[i].code, "row %zu", i);
        desk_destroy(desk);
    }
}

Test(check_intent, reference_quote_and_collar) {
    struct desk *desk = desk_create();
    struct truth good = desk->truth;
    desk->truth.references[0].is_trusted = false;
    EXPECT_ENTRY(desk, NO_REFERENCE);
    desk->truth = good;
    desk->truth.quotes[0].at.ns -= SPAN_S(5).ns;
    EXPECT_ENTRY(desk, NONE);
    desk->truth.quotes[0].at.ns--;
    EXPECT_ENTRY(desk, STALE_QUOTE);
    desk->truth = good;
    desk->truth.quotes[0].is_known = false;
    EXPECT_ENTRY(desk, STALE_QUOTE);
    desk->truth = good;
    desk->truth.quotes[0].bid = USD(0);
    EXPECT_ENTRY(desk, STALE_QUOTE);
    desk->truth = good;
    desk->truth.quotes[0].ask = USD(0);
    EXPECT_ENTRY(desk, STALE_QUOTE);
    desk->truth = good;
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    strcpy(intent.symbol, "MSFT");
    cr_expect_eq(check(desk, &intent), REFUSED_COOLDOWN, "outside the universe");
    desk->config.symbol_cooldown = SPAN_S(0);
    cr_expect_eq(check(desk, &intent), REFUSED_NO_REFERENCE, "outside the universe");
    intent = desk_intent(PURPOSE_ENTRY, 5);
    intent.limit_price = USD(0);
    cr_expect_eq(check(desk, &intent), REFUSED_NO_REFERENCE, "no price");
    intent.limit_price = USD(102);
    cr_expect_eq(check(desk, &intent), REFUSED_NONE);
    intent.limit_price = dollars("102.01");
    cr_expect_eq(check(desk, &intent), REFUSED_COLLAR);
    intent.limit_price = dollars("97.99");
    cr_expect_eq(check(desk, &intent), REFUSED_COLLAR);
    desk_destroy(desk);
}

Test(check_intent, size_limits_bind_beyond_their_bound_and_not_at_it) {
    struct desk *desk = desk_create();
    desk->config.order_cap_usd = USD(500);
    EXPECT_ENTRY(desk, NONE);
    desk->config.order_cap_usd = dollars("499.99");
    EXPECT_ENTRY(desk, ORDER_CAP);
    desk->config = config_defaults();
    desk->config.symbol_count = 1;
    strcpy(desk->config.symbols[0], "AAPL");
    desk->config.min_notional_usd = USD(500);
    EXPECT_ENTRY(desk, NONE);
    desk->config.min_notional_usd = dollars("500.01");
    EXPECT_ENTRY(desk, MIN_NOTIONAL);
    desk->config.min_notional_usd = USD(1);
    desk->truth.account.buying_power = dollars("526.32");
    EXPECT_ENTRY(desk, NONE);
    desk->truth.account.buying_power = dollars("526.31");
    EXPECT_ENTRY(desk, BUYING_POWER);
    desk->truth.account.buying_power = USD(200000);
    desk->config.gross_exposure = (struct ratio){5000000};
    EXPECT_ENTRY(desk, NONE);
    desk->config.gross_exposure.nanos--;
    EXPECT_ENTRY(desk, GROSS);
    desk_destroy(desk);
}

/* AAPL at 100, five wished, of 100,000: 500 in its symbol, its sector and its theme. */
static struct desk *grouped(void) {
    struct desk *desk = desk_create();
    desk->config.gross_exposure = (struct ratio){4 * NANOS};
    desk->config.sector_limit = desk->config.sector_unknown = (struct ratio){3 * NANOS};
    desk->config.symbol_limit = (struct ratio){2 * NANOS};
    return desk;
}

static struct order *work(struct desk *desk, const char *symbol, int64_t shares) {
    struct order buy = desk_intent(PURPOSE_ENTRY, shares);
    struct order *live = NULL;
    strcpy(buy.symbol, symbol);
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &buy, &live, NULL), ERR_OK);
    return live;
}

Test(check_intent, the_limit_of_a_symbol_binds_beyond_its_bound) {
    struct desk *desk = grouped();
    desk->config.symbol_limit = (struct ratio){5000000};
    desk_hold(desk, "FB", 50); /* another symbol is none of its business */
    EXPECT_ENTRY(desk, NONE);
    desk->config.symbol_limit.nanos--;
    EXPECT_ENTRY(desk, SYMBOL_LIMIT);
    desk_destroy(desk);
}

Test(check_intent, shares_of_equity_are_of_the_lower_of_now_and_the_cycle_before) {
    struct desk *desk = grouped();
    desk->config.symbol_limit = (struct ratio){5000000};
    desk->truth.account.equity = USD(200000); /* a sum came in */
    desk->truth.good_equity = USD(100000);
    EXPECT_ENTRY(desk, NONE);
    desk->truth.good_equity.nanos -= 200;
    EXPECT_ENTRY(desk, SYMBOL_LIMIT);
    desk->truth.good_equity = USD(0); /* none yet: what is read now */
    EXPECT_ENTRY(desk, NONE);
    desk->truth.good_equity = USD(200000);
    desk->truth.account.equity = dollars("99999.99");
    EXPECT_ENTRY(desk, SYMBOL_LIMIT);
    desk_destroy(desk);
}

/* NFLX is of AAPL's theme and not of its sector, SNOW the other way round, KRE of neither. */
Test(check_intent, a_sector_counts_what_is_held_working_and_unknown_in_it) {
    struct desk *desk = grouped();
    desk->config.sector_limit = (struct ratio){16000000}; /* 100 held, 1,000 working, 500 wished */
    desk->config.sector_unknown = (struct ratio){1};
    desk_hold(desk, "NFLX", 50);
    desk_hold(desk, "SNOW", 1);
    struct order *live = work(desk, "SNOW", 10);
    EXPECT_ENTRY(desk, NONE);
    desk->config.sector_limit.nanos--;
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    orders_move(&desk->orders, live, ORDER_UNKNOWN);
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    orders_move(&desk->orders, live, ORDER_CANCELED);
    EXPECT_ENTRY(desk, NONE);
    desk->config.sector_limit = (struct ratio){6000000};
    EXPECT_ENTRY(desk, NONE);
    desk->config.sector_limit.nanos--;
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    desk_destroy(desk);
}

Test(check_intent, the_larger_of_listing_and_book_counts) {
    struct desk *desk = grouped();
    struct holding *holding = desk_hold(desk, "SNOW", 1);
    holding->has_mark = true;
    holding->mark = USD(100);
    desk->config.sector_limit = (struct ratio){6000000};
    EXPECT_ENTRY(desk, NONE);
    holding->qty = QTY(2); /* bought since the listing */
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    holding->qty = QTY(0);
    EXPECT_ENTRY(desk, NONE);
    holding->broker_qty = QTY(2);
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    holding->broker_qty = QTY(-2); /* gross: a short one is no room */
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    holding->is_listed = false;
    EXPECT_ENTRY(desk, NONE);
    desk_destroy(desk);
}

Test(check_intent, what_is_unknown_is_a_sector_and_a_theme_with_limits_of_their_own) {
    struct desk *desk = grouped();
    strcpy(desk->config.groups.rows[0].symbol, "XXX"); /* AAPL */
    desk->config.sector_limit = (struct ratio){1};
    desk->config.sector_unknown = (struct ratio){6000000};
    desk_hold(desk, "ZZZ", 1);
    desk_hold(desk, "FB", 50);
    EXPECT_ENTRY(desk, NONE);
    desk->config.sector_unknown.nanos--;
    EXPECT_ENTRY(desk, SECTOR_LIMIT);
    desk->config.sector_unknown.nanos++;
    desk->config.theme_limit_usd = USD(600);
    EXPECT_ENTRY(desk, NONE);
    desk->config.theme_limit_usd.nanos--;
    EXPECT_ENTRY(desk, THEME_LIMIT);
    desk_destroy(desk);
}

Test(check_intent, a_theme_counts_dollars_and_none_has_no_limit) {
    struct desk *desk = grouped();
    desk_hold(desk, "NFLX", 10);
    desk_hold(desk, "SNOW", 50);
    (void)work(desk, "FB", 5);
    desk->config.theme_limit_usd = USD(2000);
    EXPECT_ENTRY(desk, NONE);
    desk->config.theme_limit_usd.nanos--;
    EXPECT_ENTRY(desk, THEME_LIMIT);
    desk->config.groups.rows[0].theme[0] = '\0';
    EXPECT_ENTRY(desk, NONE);
    desk_destroy(desk);
}

Test(check_intent, limits_of_groups_bind_no_exit) {
    struct desk *desk = grouped();
    desk_hold(desk, "AAPL", 10);
    desk->config.symbol_limit = desk->config.sector_limit = (struct ratio){1};
    desk->config.theme_limit_usd = (struct usd){1};
    struct order leave = desk_intent(PURPOSE_EXIT, 10);
    cr_expect_eq(check(desk, &leave), REFUSED_NONE);
    desk_destroy(desk);
}

Test(group_limits, a_group_above_its_limit_is_told_once_until_it_is_over) {
    struct desk *desk = grouped();
    desk_hold(desk, "AAPL", 10);
    desk_hold(desk, "SNOW", 10);
    desk->config.sector_limit = (struct ratio){20000000}; /* 2,000: at it */
    group_limits_report(&desk->gateway);
    cr_expect_eq(desk->gateway.groups_told[1], 0);
    desk->config.sector_limit.nanos--;
    desk->truth.is_equity_explained = false; /* nothing to compare with */
    group_limits_report(&desk->gateway);
    cr_expect_eq(desk->gateway.groups_told[1], 0);
    desk->truth.is_equity_explained = true;
    group_limits_report(&desk->gateway);
    uint64_t told = desk->gateway.groups_told[1];
    cr_expect_neq(told, 0);
    cr_expect_eq(desk->gateway.groups_told[0], 0);
    cr_expect_eq(desk->gateway.groups_told[2], 0);
    group_limits_report(&desk->gateway);
    cr_expect_eq(desk->gateway.groups_told[1], told);
    desk->config.sector_limit.nanos++;
    group_limits_report(&desk->gateway);
    cr_expect_eq(desk->gateway.groups_told[1], 0);
    desk_destroy(desk);
}

Test(check_intent, positions_rate_and_open_risk) {
    struct desk *desk = desk_create();
    desk_hold(desk, "MSFT", 1);
    desk->config.max_positions = 2;
    EXPECT_ENTRY(desk, NONE);
    desk->config.max_positions = 1;
    EXPECT_ENTRY(desk, MAX_POSITIONS);
    desk->config.max_positions = 16;
    desk->book.count = 0;
    for (int i = 0; i < 6; i++) {
        EXPECT_ENTRY(desk, NONE);
        desk->gateway.recent_entries[desk->gateway.recent_next++] = rig_now(desk->rig);
    }
    EXPECT_ENTRY(desk, ENTRY_RATE);
    desk->gateway.recent_entries[0].ns -= SPAN_MIN(15).ns;
    EXPECT_ENTRY(desk, NONE);
    /* 1.5 x 3.5 % x 500 = 26.25; limit 4,000 */
    desk->truth.account.equity = dollars("96026.26");
    EXPECT_ENTRY(desk, NONE);
    desk->truth.account.equity = dollars("96026.25");
    EXPECT_ENTRY(desk, OPEN_RISK);
    desk->truth.account.equity = USD(100000);
    desk->guards.baseline_day.days--;
    EXPECT_ENTRY(desk, OPEN_RISK);
    desk_destroy(desk);
}

Test(check_intent, more_money_than_there_is_exceeds_the_cap) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_ENTRY, 1000000000);
    desk->config.order_cap_usd = USD(100000000);
    cr_expect_eq(check(desk, &intent), REFUSED_ORDER_CAP);
    desk_destroy(desk);
}

/* Of a position and a live buy in the same symbol one slot is taken; what is flat takes none, and what
 * the broker has not listed counts by the book. */
Test(check_intent, slots_and_gross_exposure_count_each_symbol_once) {
    struct desk *desk = desk_create();
    struct order buy = desk_intent(PURPOSE_ENTRY, 5);
    struct order *live = NULL;
    strcpy(buy.symbol, "MSFT");
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &buy, &live, NULL), ERR_OK);
    desk->config.max_positions = 2;
    EXPECT_ENTRY(desk, NONE);
    struct holding *holding = desk_hold(desk, "MSFT", 1);
    EXPECT_ENTRY(desk, NONE);
    holding->qty = holding->broker_qty = QTY(0);
    EXPECT_ENTRY(desk, NONE);
    strcpy(holding->symbol, "IBM");
    EXPECT_ENTRY(desk, NONE);
    holding->is_listed = false;
    holding->qty = QTY(1);
    EXPECT_ENTRY(desk, MAX_POSITIONS);
    desk->config.max_positions = 3;
    holding->broker_qty = QTY(1000); /* not listed: stale */
    desk->config.gross_exposure = (struct ratio){11000000};
    EXPECT_ENTRY(desk, NONE); /* 100 held, 500 working, 500 wished, of 1,100 */
    desk->config.gross_exposure.nanos--;
    EXPECT_ENTRY(desk, GROSS);
    desk_destroy(desk);
}

static int64_t size_of(const char *equity, const char *price) {
    struct desk *desk = desk_create();
    desk->truth.account.equity = dollars(equity);
    desk->config.base_usd = USD(100000000);
    desk->config.order_cap_usd = USD(90000);
    desk->config.equity_share = (struct ratio){500000000};
    struct qty size = entry_size(&desk->gateway, dollars(price));
    desk_destroy(desk);
    return size.nanos / NANOS;
}

Test(entry_size, is_the_smallest_of_share_risk_and_cap_and_never_below_nothing) {
    /* risk 0.25 % at a stop 3.5 % away: 7.142857 % of equity */
    cr_expect_eq(size_of("100000", "100"), 71);
    cr_expect_eq(size_of("100000", "7142.85"), 1);
    cr_expect_eq(size_of("100000", "7142.86"), 0);
    cr_expect_eq(size_of("9000000", "100"), 900, "the cap");
    cr_expect_eq(size_of("100000", "0"), 0);
    cr_expect_eq(size_of("100000", "-1"), 0);
    cr_expect_eq(size_of("0", "100"), 0);
    cr_expect_eq(size_of("-100000", "100"), 0);
}

Test(entry_size, a_risk_beyond_all_numbers_binds_nothing) {
    struct desk *desk = desk_create();
    desk->truth.account.equity = USD(9000000000);
    desk->config.risk_budget = (struct ratio){200000000};
    desk->config.stop_distance = (struct ratio){1000000};
    desk->config.base_usd = USD(700);
    cr_expect_eq(entry_size(&desk->gateway, USD(100)).nanos, QTY(7).nanos);
    desk_destroy(desk);
}

/* --- what a refusal says --- */

enum numbers_case {
    OF_MODE,
    OF_HALT,
    OF_SCOPE,
    OF_JOURNAL,
    OF_CLOSED,
    OF_OPEN,
    OF_CLOSE,
    OF_BLOCKED,
    OF_COOLDOWN,
    OF_HELD,
    OF_REFERENCE,
    OF_QUOTE,
    OF_NO_QUOTE,
    OF_CAP,
    OF_POSITIONS,
    OF_RATE,
    OF_OPEN_RISK,
    OF_NO_BASELINE
};

static void arrange(struct desk *desk, enum numbers_case how) {
    struct utc now = rig_now(desk->rig);
    struct truth *truth = &desk->truth;
    switch (how) {
    case OF_MODE:
        causes_hold(&desk->causes, "x", MODE_REDUCE_ONLY, "");
        break;
    case OF_HALT:
        causes_hold(&desk->causes, "x", MODE_HALT, "");
        break;
    case OF_SCOPE:
        desk->gateway.only_reduces = true;
        break;
    case OF_JOURNAL:
        desk->gateway.is_journal_down = true;
        break;
    case OF_CLOSED:
        truth->clock.is_open = false;
        break;
    case OF_OPEN:
        truth->session.open = utc_add(now, SPAN_S(-299));
        break;
    case OF_CLOSE:
        truth->session.close = utc_add(now, SPAN_S(300));
        break;
    case OF_BLOCKED:
        truth->account.is_blocked = true;
        break;
    case OF_COOLDOWN:
        desk->gateway.touched[0] = utc_add(now, SPAN_MS(-899500));
        break;
    case OF_HELD:
        desk_hold(desk, "AAPL", 1);
        break;
    case OF_REFERENCE:
        truth->references[0].is_trusted = false;
        break;
    case OF_QUOTE:
        truth->quotes[0].at = utc_add(now, SPAN_MS(-6500));
        break;
    case OF_NO_QUOTE:
        truth->quotes[0].is_known = false;
        break;
    case OF_CAP:
        desk->config.order_cap_usd = dollars("499.99");
        break;
    case OF_POSITIONS:
        desk_hold(desk, "MSFT", 1);
        desk->config.max_positions = 1;
        break;
    case OF_RATE:
        for (size_t i = 0; i < 7; i++) {
            desk->gateway.recent_entries[desk->gateway.recent_next++] = now;
        }
        break;
    case OF_OPEN_RISK:
        truth->account.equity = dollars("96026.25");
        break;
    case OF_NO_BASELINE:
        desk->guards.baseline_day.days--;
        break;
    }
}

Test(refusal, says_what_was_compared_as_it_was_compared) {
    static const struct {
        enum numbers_case how;
        const char *word, *numbers;
    } cases[] = {
        {OF_MODE, "MODE", "mode REDUCE_ONLY"},
        {OF_HALT, "HALT", "mode HALT"},
        {OF_SCOPE, "SCOPE", "5 against 0"},
        {OF_JOURNAL, "JOURNAL_DOWN", "the journal is down"},
        {OF_CLOSED, "SESSION", "closed"},
        {OF_OPEN, "SESSION", "299 against 300"},
        {OF_CLOSE, "SESSION", "300 against 300"},
        {OF_BLOCKED, "ACCOUNT_UNREADABLE", "blocked"},
        {OF_COOLDOWN, "SYMBOL_COOLDOWN", "899.5 against 900"},
        {OF_HELD, "SYMBOL_BUSY", "held"},
        {OF_REFERENCE, "NO_REFERENCE", "none is trusted"},
        {OF_QUOTE, "STALE_QUOTE", "6.5 against 5"},
        {OF_NO_QUOTE, "STALE_QUOTE", "no quote"},
        {OF_CAP, "ORDER_CAP", "500 against 499.99"},
        {OF_POSITIONS, "MAX_POSITIONS", "1 against 1"},
        {OF_RATE, "ENTRY_RATE", "7 against 6"},
        {OF_OPEN_RISK, "OPEN_RISK", "4000 against 4000"},
        {OF_NO_BASELINE, "OPEN_RISK", "the day has no baseline"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk *desk = desk_create();
        struct order intent = desk_intent(PURPOSE_ENTRY, 5);
        arrange(desk, cases[i].how);
        struct refusal refusal = look(desk, &intent);
        cr_expect_str_eq(refusal_word(refusal.code), cases[i].word);
        cr_expect_str_eq(refusal.numbers, cases[i].numbers, "%s: %s", cases[i].word,
                         refusal.numbers);
        desk_destroy(desk);
    }
}

Test(refusal, of_an_exit_says_what_would_be_on_sale_and_what_is_held) {
    struct desk *desk = desk_create();
    desk_hold(desk, "AAPL", 10);
    struct order six = desk_intent(PURPOSE_EXIT, 6);
    struct order *live = NULL;
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &six, &live, NULL), ERR_OK);
    struct order five = desk_intent(PURPOSE_EXIT, 5);
    cr_expect_str_eq(look(desk, &five).numbers, "11 against 10");
    desk_destroy(desk);
}
