/* test_correlation_limit.c - what is in a candidate's cluster, and its limit at its bound. */
#include "tests/unit/desk.h"

/* AAPL at 100, five wished, of 100,000: 500. Universe AAPL, FB, SNOW; only this limit is near. */
static struct desk *clustered(void) {
    struct desk *desk = desk_create();
    desk->config.gross_exposure = (struct ratio){4 * NANOS};
    desk->config.sector_limit = desk->config.sector_unknown = (struct ratio){4 * NANOS};
    desk->config.symbol_limit = (struct ratio){4 * NANOS};
    desk->config.symbol_count = 3;
    strcpy(desk->config.symbols[1], "FB");
    strcpy(desk->config.symbols[2], "SNOW");
    return desk;
}

static enum refusal_code check(struct desk *desk) {
    struct refusal refusal = {0};
    struct order intent = desk_intent(PURPOSE_ENTRY, 5);
    return check_intent(&desk->gateway, &intent, intent_is_exit(&desk->gateway, &intent), &refusal);
}

/* What the candidate and its cluster are together, found at the limit that it just meets. */
static void expect_cluster(struct desk *desk, const char *usd) {
    desk->config.correlation_limit = usd_ratio(dollars(usd), USD(100000));
    cr_expect_str_eq(refusal_word(check(desk)), "none", "%s is enough", usd);
    desk->config.correlation_limit.nanos--;
    cr_expect_str_eq(refusal_word(check(desk)), "CORRELATION_LIMIT", "%s is it", usd);
}

static struct order *work(struct desk *desk, const char *symbol, int64_t shares) {
    struct order buy = desk_intent(PURPOSE_ENTRY, shares);
    struct order *live = NULL;
    strcpy(buy.symbol, symbol);
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &buy, &live, NULL), ERR_OK);
    return live;
}

static struct group_row *row_of(struct desk *desk, const char *symbol) {
    for (size_t i = 0; i < desk->config.groups.count; i++) {
        if (strcmp(desk->config.groups.rows[i].symbol, symbol) == 0) {
            return &desk->config.groups.rows[i];
        }
    }
    cr_assert_fail("no such row");
    return NULL;
}

/* So many returns of all three: FB does what AAPL does, SNOW the opposite. */
static struct bars *moved(struct desk *desk, int returns) {
    struct bars *bars = bars_create(3);
    struct utc now = rig_now(desk->rig);
    for (int i = 0; i <= returns; i++) {
        struct broker_bar bar = {.at = utc_add(now, SPAN_MIN(i - returns))};
        for (size_t symbol = 0; symbol < 3; symbol++) {
            bar.close = i % 2 == (symbol == 2) ? USD(100) : dollars("100.1");
            bars_add(bars, symbol, &bar);
        }
    }
    desk->gateway.bars = bars;
    return bars;
}

Test(correlation_limit, alone_it_is_the_candidate) {
    struct desk *desk = clustered();
    expect_cluster(desk, "500");
    desk->truth.good_equity = USD(50000); /* the lower of now and a cycle ago */
    expect_cluster(desk, "1000");
    desk_destroy(desk);
}

/* SNOW is of AAPL's sector, FB is not. */
Test(correlation_limit, without_returns_a_sector_moves_together) {
    struct desk *desk = clustered();
    desk_hold(desk, "SNOW", 10);
    desk_hold(desk, "FB", 30);
    expect_cluster(desk, "1500");
    desk_destroy(desk);
}

Test(correlation_limit, what_works_and_what_is_unknown_counts) {
    struct desk *desk = clustered();
    struct order *live = work(desk, "SNOW", 10);
    (void)work(desk, "FB", 30);
    expect_cluster(desk, "1500");
    orders_move(&desk->orders, live, ORDER_UNKNOWN);
    expect_cluster(desk, "1500");
    orders_move(&desk->orders, live, ORDER_CANCELED);
    expect_cluster(desk, "500");
    desk_destroy(desk);
}

Test(correlation_limit, forty_returns_say_more_than_the_sector_and_less_do_not) {
    for (int returns = 39; returns <= 40; returns++) {
        struct desk *desk = clustered();
        struct bars *bars = moved(desk, returns);
        desk_hold(desk, "SNOW", 10);
        desk_hold(desk, "FB", 30);
        expect_cluster(desk, returns == 40 ? "3500" : "1500");
        desk->config.cluster_correlation = (struct ratio){NANOS}; /* nothing is above it */
        expect_cluster(desk, returns == 40 ? "500" : "1500");
        desk_destroy(desk);
        bars_destroy(bars);
    }
}

Test(correlation_limit, of_what_is_not_in_the_universe_the_sector_is_known) {
    struct desk *desk = clustered();
    struct bars *bars = moved(desk, 60);
    desk->config.symbol_count = 2; /* not SNOW */
    desk_hold(desk, "SNOW", 10);
    expect_cluster(desk, "1500");
    desk_destroy(desk);
    bars_destroy(bars);
}

Test(correlation_limit, what_is_unknown_is_a_sector_too) {
    struct desk *desk = clustered();
    strcpy(row_of(desk, "AAPL")->symbol, "XXX");
    desk_hold(desk, "ZZZ", 10);
    desk_hold(desk, "SNOW", 30);
    expect_cluster(desk, "1500");
    desk_destroy(desk);
}

Test(correlation_limit, one_issuer_is_one_whatever_the_bars_say) {
    struct desk *desk = clustered();
    struct bars *bars = moved(desk, 60);
    desk_hold(desk, "SNOW", 10);
    expect_cluster(desk, "500");
    strcpy(row_of(desk, "SNOW")->issuer, "Apple Inc.");
    expect_cluster(desk, "1500");
    row_of(desk, "SNOW")->issuer[0] = row_of(desk, "AAPL")->issuer[0] = '\0'; /* not told: none */
    expect_cluster(desk, "500");
    desk_destroy(desk);
    bars_destroy(bars);
}

/* SPY is 0.069 AAPL, DIA 0.030. */
Test(correlation_limit, a_fund_counts_by_what_it_holds) {
    struct desk *desk = clustered();
    desk_hold(desk, "SPY", 20);
    expect_cluster(desk, "638");
    (void)work(desk, "DIA", 10);
    expect_cluster(desk, "668");
    desk_destroy(desk);
}

Test(correlation_limit, a_candidate_that_is_a_fund_counts_what_it_holds) {
    struct desk *desk = clustered();
    struct bars *bars = moved(desk, 60);
    struct group_row *held = row_of(desk, "SNOW");
    held->fund_count = 1;
    held->funds[0] = (struct group_fund){"AAPL", {NANOS / 4}};
    desk_hold(desk, "SNOW", 10);
    expect_cluster(desk, "750");
    desk_destroy(desk);
    bars_destroy(bars);
}

Test(correlation_limit, binds_no_exit) {
    struct desk *desk = clustered();
    desk_hold(desk, "AAPL", 10);
    desk->config.correlation_limit = (struct ratio){1};
    struct refusal refusal = {0};
    struct order leave = desk_intent(PURPOSE_EXIT, 10);
    cr_expect_eq(check_intent(&desk->gateway, &leave, true, &refusal), REFUSED_NONE);
    cr_expect_eq(intent_is_exit(&desk->gateway, &leave), true);
    desk_destroy(desk);
}
