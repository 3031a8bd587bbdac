/* test_judges_margin.c - the judge of the account's margin: what may be bought, when the guard must hold and end, and what
 * must, and may, be sold before a close. Equity is 100,000, held are 200,000 unless a row says so. */
#include "tests/unit/stream.h"

#include "core/base/utc.h"

static const char QUIET[] = "\"maintenance_margin\":\"60000\",\"cash\":\"-100000\"";
static const char SHORT[] = "\"maintenance_margin\":\"90000\",\"cash\":\"-100000\"";
static const char MUCH[] = "\"maintenance_margin\":\"60000\",\"cash\":\"-130000\"";

struct run {
    struct oracle *oracle;
    int64_t open, close; /* seconds of the run */
};

static struct run begin(void) {
    struct run run = {.oracle = oracle_create()};
    struct date day = date_from_civil(2023, 11, 15);
    run.open = utc_sub(ny_to_utc(day, 9, 30), at(0)).ns / NANOS;
    run.close = utc_sub(ny_to_utc(day, 16, 0), at(0)).ns / NANOS;
    frame(run.oracle, "margin.excess", "0.2");
    frame(run.oracle, "margin.overnight", "2");
    frame(run.oracle, "margin.no_entry_s", "1800");
    frame(run.oracle, "margin.reduce_s", "900");
    word(run.oracle, EVENT_START, run.open - 60, "ready", "");
    return run;
}

static void tick(struct run *run, int64_t second) {
    word(run->oracle, EVENT_TICK, second, "tick", "");
}

static void reads(struct run *run, int64_t second, const char *members) {
    char body[200];
    snprintf(body, sizeof body, "\n{\"equity\":\"100000\",%s}", members);
    answer(run->oracle, second, "/v2/account", 200, body);
    tick(run, second);
}

static void reads_for(struct run *run, int64_t from, int64_t to, const char *members) {
    for (int64_t second = from; second <= to; second += 5) {
        reads(run, second, members);
    }
}

static void holds(struct run *run, int64_t second, const char *value) {
    char body[300];
    snprintf(body, sizeof body,
             "\n[{\"symbol\":\"AAPL\",\"qty\":\"10\",\"market_value\":\"%s\"},"
             "{\"symbol\":\"MSFT\",\"qty\":\"10\",\"market_value\":\"80000\"}]",
             value);
    answer(run->oracle, second, "/v2/positions", 200, body);
}

static void says(struct run *run, int64_t second, const char *what) {
    word(run->oracle, EVENT_MECHANISM, second, "margin_guard", what);
}

static void leaves_for(struct run *run, int64_t second, const char *reason, const char *what,
                       const char *symbol) {
    feed(run->oracle, (struct event){.kind = EVENT_EXIT,
                                     .at = at(second),
                                     .subject = reason,
                                     .what = what,
                                     .symbol = symbol,
                                     .qty = QTY(10)});
}

static void end_scored(struct run *run, const char *score, const char *text) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"margin_is_kept\"") != NULL;
    cr_expect_eq(is_broken, text[0] != '\0', "want '%s': %s", text, text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), text), "want '%s': %s", text, text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), score), "want '%s': %s", score,
                       text_get(&verdict));
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

static void end(struct run *run, const char *text) {
    end_scored(run, "", text);
}

/* --- bought --- */

Test(margin, a_buy_beside_a_margin_is_judged_by_the_last_answer) {
    static const struct {
        const char *members;
        int64_t to_close;
        const char *text;
    } rows[] = {
        {"\"maintenance_margin\":\"79500\",\"cash\":\"-100000\"", 3600, ""},
        {"\"maintenance_margin\":\"79500.01\",\"cash\":\"-100000\"", 3600,
         "AAPL: bought, and too near the maintenance margin"},
        {"\"cash\":\"-100000\"", 3600, "AAPL: bought, and the maintenance margin is not known"},
        {"\"maintenance_margin\":\"0\",\"cash\":\"0\",\"trade_suspended_by_user\":true", 3600,
         "AAPL: bought, and the account is blocked"},
        {"\"maintenance_margin\":\"0\",\"cash\":\"-103000\"", 1800, ""},
        {"\"maintenance_margin\":\"0\",\"cash\":\"-103000.01\"", 1801, ""},
        {"\"maintenance_margin\":\"0\",\"cash\":\"-103000.01\"", 1800,
         "AAPL: bought, and more than may be held overnight"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin();
        reads(&run, run.close - rows[i].to_close, rows[i].members);
        order_leaves(run.oracle, run.close - rows[i].to_close, "buy", "AAPL", "st-1");
        end(&run, rows[i].text);
    }
}

Test(margin, a_buy_while_the_guard_holds_is_told_and_a_sale_is_none) {
    struct run run = begin();
    reads_for(&run, run.open, run.open + 5, SHORT);
    says(&run, run.open + 6, "acted");
    order_leaves(run.oracle, run.open + 7, "sell", "AAPL", "st-1");
    reads(&run, run.open + 10, QUIET);
    order_leaves(run.oracle, run.open + 11, "buy", "AAPL", "st-2");
    end_scored(&run, "\"risky\":1", "AAPL: bought, and the guard holds");
}

/* --- held --- */

Test(margin, two_bad_readings_hold_and_one_does_not) {
    struct run run = begin();
    reads_for(&run, run.open, run.open + 5, SHORT);
    says(&run, run.open + 6, "acted");
    end_scored(&run,
               "{\"mechanism\":\"margin_guard\",\"due\":1,\"acted\":1,\"missed\":0,"
               "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000,",
               "");
    run = begin();
    reads(&run, run.open, SHORT);
    says(&run, run.open + 6, "acted");
    end_scored(&run, "\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1",
               "held by 1 bad readings");
}

Test(margin, what_is_not_held_is_missed) {
    struct run run = begin();
    reads_for(&run, run.open, run.open + 75, SHORT);
    end_scored(&run, "\"due\":1,\"acted\":0,\"missed\":0", "");
    run = begin();
    reads_for(&run, run.open, run.open + 80, SHORT);
    end_scored(&run, "\"due\":1,\"acted\":0,\"missed\":1", "not held by 17 bad readings");
}

Test(margin, much_is_bad_near_the_close_alone_and_within_two_percent_is_left_open) {
    static const struct {
        const char *members;
        int64_t to_close;
        const char *text;
    } rows[] = {{MUCH, 1800, "not held by"},
                {MUCH, 1900, ""},
                {"\"maintenance_margin\":\"0\",\"cash\":\"-104000\"", 1800, ""},
                {"\"maintenance_margin\":\"0\",\"cash\":\"-104000.01\"", 1800, "not held by"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin();
        int64_t from = run.close - rows[i].to_close;
        reads_for(&run, from, from + 90, rows[i].members);
        end(&run, rows[i].text);
    }
}

Test(margin, it_ends_behind_a_good_minute_and_not_long_behind_it) {
    static const struct {
        int64_t good_s;
        const char *members;
        bool is_released;
        const char *text;
    } rows[] = {
        {60, QUIET, true, ""},
        {55, QUIET, true, "released before a minute was good"},
        {60, "\"maintenance_margin\":\"76000\",\"cash\":\"0\"", true,
         "released by a reading that is bad"},
        {240, QUIET, false, ""},
        {245, QUIET, false, "held 245 s beyond the last bad reading"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin();
        int64_t from = run.open + 10;
        reads_for(&run, run.open, run.open + 5, SHORT);
        says(&run, run.open + 6, "acted");
        reads_for(&run, from, from + rows[i].good_s, rows[i].members);
        if (rows[i].is_released) {
            says(&run, from + rows[i].good_s, "released");
        }
        end(&run, rows[i].text);
    }
}

/* --- sold --- */

/* Near the close, the guard holding, 130,000 and 80,000 held. */
static struct run begin_much(int64_t to_close) {
    struct run run = begin();
    int64_t from = run.close - to_close;
    reads(&run, from - 10, MUCH);
    holds(&run, from - 10, "150000");
    reads(&run, from - 5, MUCH);
    says(&run, from - 5, "acted");
    return run;
}

Test(margin, what_is_too_much_before_a_close_is_sold_the_largest_first) {
    static const struct {
        int64_t to_close;
        const char *symbol, *text;
    } rows[] = {
        {900, "AAPL", ""},
        {900, "MSFT", "MSFT: sold for the margin, before a larger one"},
        {911, "AAPL", "AAPL: sold for the margin, far from a close"},
        {0, "AAPL", "AAPL: sold for the margin, far from a close"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin_much(rows[i].to_close);
        leaves_for(&run, run.close - rows[i].to_close, "margin", "decided", rows[i].symbol);
        end(&run, rows[i].text);
    }
}

Test(margin, what_a_bust_gave_back_a_minute_ago_is_not_sold_yet) {
    for (int64_t ago = 59; ago <= 60; ago++) {
        struct run run = begin_much(900);
        feed(run.oracle, (struct event){.kind = EVENT_LEDGER_FILL,
                                        .at = at(run.close - 899),
                                        .subject = "buy",
                                        .id = "bust:st-1",
                                        .symbol = "AAPL",
                                        .qty = QTY(1),
                                        .price = USD(100)});
        leaves_for(&run, run.close - 899 + ago, "margin", "decided", "MSFT");
        end(&run, ago < 60 ? "" : "MSFT: sold for the margin, before a larger one");
    }
}

Test(margin, one_sale_that_is_enough_is_followed_by_none) {
    struct run run = begin_much(900);
    leaves_for(&run, run.close - 900, "margin", "decided", "AAPL");
    leaves_for(&run, run.close - 899, "margin", "decided", "MSFT");
    end(&run, "MSFT: sold for the margin, and enough leaves without it");
}

Test(margin, a_sale_that_begins_again_behind_the_close_is_the_same) {
    struct run run = begin_much(900);
    leaves_for(&run, run.close - 900, "margin", "decided", "AAPL");
    leaves_for(&run, run.close + 10, "margin", "decided", "AAPL");
    leaves_for(&run, run.close + 20, "margin", "over", "AAPL");
    end(&run, "");
}

Test(margin, a_sale_by_a_good_reading_is_none_that_is_due) {
    struct run run = begin();
    holds(&run, run.close - 800, "150000");
    reads(&run, run.close - 800, "\"maintenance_margin\":\"60000\",\"cash\":\"-90000\"");
    leaves_for(&run, run.close - 799, "margin", "decided", "AAPL");
    end(&run, "AAPL: sold for the margin, without two bad readings");
}

Test(margin, what_stays_is_told_a_minute_into_the_last_quarter_of_an_hour) {
    static const struct {
        int64_t seconds;
        bool is_leaving;
        const char *text;
    } rows[] = {{60, false, ""},
                {65, false, "230000 USD stay, 204000 may"},
                {130, true, ""},
                {145, true, "230000 USD stay, 204000 may"}}; /* an exit counts for a minute */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin_much(900);
        int64_t from = run.close - 900;
        if (rows[i].is_leaving) {
            leaves_for(&run, from, "operator", "decided", "AAPL");
        }
        reads_for(&run, from, from + rows[i].seconds, MUCH);
        end(&run, rows[i].text);
    }
}

Test(margin, of_a_melting_excess_it_is_enough_that_something_leaves) {
    for (int is_leaving = 0; is_leaving < 2; is_leaving++) {
        struct run run = begin();
        int64_t from = run.close - 900;
        holds(&run, from - 10, "100000");
        reads_for(&run, from - 10, from - 5, SHORT);
        says(&run, from - 5, "acted");
        if (is_leaving) {
            leaves_for(&run, from, "margin", "decided", "AAPL");
        }
        reads_for(&run, from, from + 70, SHORT);
        end(&run, is_leaving ? "" : "USD stay");
    }
}

Test(margin, where_prices_or_the_wall_were_told_wrong_nothing_is_judged) {
    static const char *const points[] = {"view.mark_absurd", "clock.step"};
    for (size_t i = 0; i < 2; i++) {
        struct run run = begin();
        word(run.oracle, EVENT_FAULT, run.open, points[i], "");
        reads_for(&run, run.open, run.open + 100, SHORT);
        order_leaves(run.oracle, run.open + 101, "buy", "AAPL", "st-1");
        end(&run, "");
    }
}
