/* test_judges_ramp.c - the judge of the ramp: rows that are due and rows that are not, drops that are known, missed
 * and unfounded, buys and refusals in a phase. One clean day leads on; a drawdown of 5 % takes a phase back. */
#include "tests/unit/stream.h"

#include "core/base/utc.h"

struct run {
    struct oracle *oracle;
    int64_t seq;
    int64_t open, close; /* seconds of the run */
    char day[DATE_TEXT_MAX];
};

static void set_day(struct run *run, struct date day) {
    run->open = utc_sub(ny_to_utc(day, 9, 30), at(0)).ns / NANOS;
    run->close = utc_sub(ny_to_utc(day, 16, 0), at(0)).ns / NANOS;
    date_print(day, run->day);
}

static void tick(struct run *run, int64_t second) {
    word(run->oracle, EVENT_TICK, second, "tick", "");
}

static struct run begin(const char *days) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    set_day(&run, date_from_civil(2023, 11, 15));
    frame(run.oracle, "ramp.on", "1");
    frame(run.oracle, "ramp.days_per_phase", days);
    frame(run.oracle, "ramp.drawdown", "0.05");
    frame(run.oracle, "sizing.base_usd", "10000");
    frame(run.oracle, "sizing.equity_share", "1");
    frame(run.oracle, "sizing.risk_budget", "0.2");
    frame(run.oracle, "stops.distance", "0.1");
    frame(run.oracle, "orders.cap_usd", "10000");
    word(run.oracle, EVENT_START, run.open - 3600, "ready", "");
    equity(run.oracle, run.open - 3600, 100000);
    return run;
}

static void ramp_row(struct run *run, int64_t second, const char *key, int phase, int streak,
                     const char *peak) {
    char body[200];
    snprintf(body, sizeof body, "{\"phase\":%d,\"streak\":%d,%s%s%s\"day\":\"%s\"}", phase, streak,
             peak[0] == '\0' ? "" : "\"peak\":\"", peak, peak[0] == '\0' ? "" : "\",", run->day);
    row_at(run->oracle, second, run->seq++, "ramp", key, body);
}

static void fill(struct run *run, int64_t second) {
    row_at(run->oracle, second, run->seq++, "fill", "st-2023-11-15-1", "{}");
}

static void reading(struct run *run, int64_t second, const char *usd) {
    char body[64];
    snprintf(body, sizeof body, "\n{\"equity\":\"%s\"}", usd);
    answer(run->oracle, second, "/v2/account", 200, body);
}

/* A whole day, in the first phase. */
static void day_to(struct run *run, int phase, int streak) {
    tick(run, run->open);
    ramp_row(run, run->open, "begun", 0, 0, "");
    fill(run, run->open + 100);
    ramp_row(run, run->close, "ended", phase, streak, "");
    tick(run, run->close);
}

static void end(struct run *run, const char *text) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"entries_follow_the_ramp\"") != NULL;
    cr_expect_eq(is_broken, text[0] != '\0', "want '%s': %s", text, text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), text), "want '%s': %s", text, text_get(&verdict));
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

static void end_scored(struct run *run, const char *score, const char *text) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    cr_expect_not_null(strstr(text_get(&verdict), score), "want %s: %s", score, text_get(&verdict));
    text_release(&verdict);
    end(run, text);
}

Test(ramp, a_clean_day_leads_on_by_one_phase_and_nothing_else_is_due) {
    static const struct {
        const char *days;
        int phase, streak;
        const char *text;
    } rows[] = {{"1", 1, 0, ""},
                {"2", 0, 1, ""},
                {"1", 2, 0, "phase 3 with 0 clean days, due are 2 and 0"},
                {"2", 1, 0, "phase 2 with 0 clean days, due are 1 and 1"},
                {"1", 0, 1, "phase 1 with 1 clean days, due are 2 and 0"},
                {"1", 1, 1, "phase 2 with 1 clean days, due are 2 and 0"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin(rows[i].days);
        day_to(&run, rows[i].phase, rows[i].streak);
        end(&run, rows[i].text);
    }
}

Test(ramp, a_day_without_a_fill_with_a_latch_or_begun_twice_is_none) {
    struct run run = begin("2");
    ramp_row(&run, run.open, "begun", 0, 0, "");
    ramp_row(&run, run.close, "ended", 0, 1, "");
    end(&run, "ended: nothing was filled in it");
    run = begin("2");
    ramp_row(&run, run.open, "begun", 0, 0, "");
    fill(&run, run.open + 1);
    row_at(run.oracle, run.open + 2, run.seq++, "latch_set", "operator", "{}");
    ramp_row(&run, run.close, "ended", 0, 1, "");
    end(&run, "ended: a latch was set, or it ended before");
    run = begin("2");
    day_to(&run, 0, 1);
    ramp_row(&run, run.close, "begun", 0, 1, "");
    end(&run, "begun: its date was begun before");
}

Test(ramp, a_day_is_seen_from_its_open_to_its_close) {
    static const struct {
        int64_t open, close;
        const char *text;
    } rows[] = {{930, 930, ""},
                {931, 0, "begun: its open was not seen"},
                {0, 931, "ended: its close was not seen"},
                {0, -31, "ended: its close was not seen"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin("2");
        tick(&run, run.open + rows[i].open);
        ramp_row(&run, run.open + rows[i].open, "begun", 0, 0, "");
        fill(&run, run.open + 1000);
        ramp_row(&run, run.close + rows[i].close, "ended", 0, 1, "");
        end(&run, rows[i].text);
    }
}

Test(ramp, a_clean_day_that_is_not_counted_in_calm_water_is_told_and_after_a_fault_is_not) {
    for (int is_calm = 0; is_calm < 2; is_calm++) {
        struct run run = begin("2");
        tick(&run, run.open);
        ramp_row(&run, run.open, "begun", 0, 0, "");
        fill(&run, run.open + 1);
        if (!is_calm) {
            word(run.oracle, EVENT_FAULT, run.open + 10, "http.reset", "");
        }
        tick(&run, run.close + 1500);
        tick(&run, run.close + 1501);
        end(&run, is_calm ? "a clean day was not counted" : "");
    }
}

Test(ramp, a_day_that_is_not_begun_in_calm_water_is_told) {
    struct run run = begin("2");
    tick(&run, run.open);
    tick(&run, run.open + 1500);
    tick(&run, run.open + 1501);
    end(&run, "a calm day was not begun");
}

static struct run begin_fallible(void) {
    struct run run = begin("1");
    day_to(&run, 1, 0);
    set_day(&run, date_from_civil(2023, 11, 16));
    ramp_row(&run, run.open, "begun", 1, 0, "");
    reading(&run, run.open, "100000");
    reading(&run, run.open + 5, "100000");
    ramp_row(&run, run.open + 5, "peak", 1, 0, "100000");
    tick(&run, run.open + 5);
    return run;
}

static void falls(struct run *run, int64_t second, const char *usd) {
    reading(run, second, usd);
    tick(run, second);
}

static void acts(struct run *run, int64_t second) {
    word(run->oracle, EVENT_MECHANISM, second, "capital_ramp", "acted");
}

Test(ramp, a_drop_by_two_readings_is_due_and_one_by_one_is_not) {
    struct run run = begin_fallible();
    falls(&run, run.open + 10, "95000");
    reading(&run, run.open + 15, "95000");
    acts(&run, run.open + 16);
    ramp_row(&run, run.open + 16, "dropped", 0, 0, "95000");
    end_scored(&run,
               "{\"mechanism\":\"capital_ramp\",\"due\":1,\"acted\":1,\"missed\":0,"
               "\"unfounded\":0,\"risky\":0,\"latency_ms\":1000,",
               "");
    run = begin_fallible();
    reading(&run, run.open + 10, "95000");
    acts(&run, run.open + 11);
    end_scored(&run, "\"due\":0,\"acted\":0,\"missed\":0,\"unfounded\":1", "a drop by 1 readings");
    run = begin_fallible();
    falls(&run, run.open + 10, "95000.000000001");
    reading(&run, run.open + 15, "95000.000000001");
    acts(&run, run.open + 16);
    end(&run, "a drop by 0 readings");
}

Test(ramp, a_drop_that_does_not_come_is_missed_and_a_late_one_is_no_news) {
    struct run run = begin_fallible();
    for (int64_t second = 10; second <= 85; second += 5) {
        falls(&run, run.open + second, "95000");
    }
    end_scored(&run, "\"due\":1,\"acted\":0,\"missed\":0", "");
    run = begin_fallible();
    for (int64_t second = 10; second <= 90; second += 5) {
        falls(&run, run.open + second, "95000");
    }
    end_scored(&run, "\"due\":1,\"acted\":0,\"missed\":1", "no drop by 17 readings");
}

Test(ramp, a_row_of_a_drop_says_the_next_phase_and_how_far_it_fell) {
    static const struct {
        int phase, streak;
        const char *peak, *text;
    } rows[] = {{0, 0, "95000", ""},
                {0, 0, "95000.000000001", "dropped: a drop from no such height"},
                {1, 0, "95000", "phase 2 with 0 clean days, due are 1 and 0"},
                {0, 1, "95000", "phase 1 with 1 clean days, due are 1 and 0"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin_fallible();
        ramp_row(&run, run.open + 16, "dropped", rows[i].phase, rows[i].streak, rows[i].peak);
        end(&run, rows[i].text);
    }
}

Test(ramp, a_peak_is_shown_by_two_readings_and_does_not_fall) {
    struct run run = begin_fallible();
    reading(&run, run.open + 10, "200000");
    ramp_row(&run, run.open + 10, "peak", 1, 0, "200000");
    end(&run, "peak: a peak that no two readings show");
    run = begin_fallible();
    ramp_row(&run, run.open + 10, "peak", 1, 0, "99999");
    end(&run, "peak: a peak that falls");
    run = begin_fallible();
    ramp_row(&run, run.close, "ended", 2, 0, "100000");
    end(&run, "ended: nothing was filled in it");
    run = begin_fallible();
    fill(&run, run.open + 20);
    ramp_row(&run, run.close, "ended", 2, 0, "90000");
    end(&run, "ended: another peak");
}

Test(ramp, a_withdrawal_is_no_fall) {
    struct run run = begin_fallible();
    row_at(run.oracle, run.open + 9, run.seq++, "flow", "x",
           "{\"usd\":\"-50000\",\"date\":\"2023-11-16\"}");
    for (int64_t second = 10; second <= 200; second += 5) {
        falls(&run, run.open + second, "50000");
    }
    end(&run, "");
}

static void buys(struct run *run, int64_t second, int shares) {
    char body[200];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":\"%d\","
             "\"limit_price\":\"100\",\"client_order_id\":\"st-2023-11-16-1\"}",
             shares);
    leaves(run->oracle, second, "POST", "/v2/orders", body);
}

Test(ramp, a_buy_has_the_share_of_its_phase_and_not_a_share_more) {
    for (int shares = 25; shares <= 26; shares++) {
        struct run run = begin_fallible();
        buys(&run, run.open + 20, shares);
        end(&run, shares == 25 ? "" : "AAPL: a buy of 2600 USD in phase 2, at most 2500");
    }
    struct run run = begin("1");
    buys(&run, run.open + 20, 11);
    end(&run, "AAPL: a buy of 1100 USD in phase 1, at most 1000");
}

static void refused(struct run *run, int64_t second, const char *purpose) {
    body_of(run->oracle, EVENT_REFUSAL, second, "RAMP", purpose, "99 against 100");
}

Test(ramp, refuses_entries_below_the_last_phase_alone) {
    struct run run = begin("1");
    refused(&run, run.open + 1, "entry");
    end(&run, "");
    run = begin("1");
    refused(&run, run.open + 1, "exit");
    end(&run, "refused for the ramp: exit in phase 1");
    run = begin("1");
    run.seq = 10;
    ramp_row(&run, run.open, "begun", 4, 0, ""); /* itself a break; what counts is what follows */
    refused(&run, run.open + 1, "entry");
    end(&run, "refused for the ramp: entry in phase 5");
}

Test(ramp, behind_a_journal_that_went_back_and_switched_off_nothing_is_judged) {
    struct run run = begin_fallible();
    run.seq += 2;
    ramp_row(&run, run.open + 9, "ended", 4, 0, "");
    buys(&run, run.open + 20, 99);
    end(&run, "");
    run = begin("1");
    frame(run.oracle, "ramp.on", "0");
    buys(&run, run.open + 20, 99);
    end(&run, "");
}
