/* test_judges_performance.c - the judge of closed trades that lose: due, missed, unfounded, held too long,
 * ended too early, bought within, and where it says nothing. Two trades are judged, a pause is 100 s. */
#include "tests/unit/stream.h"

struct run {
    struct oracle *oracle;
    int64_t seq;
};

static struct run begin(void) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    frame(run.oracle, "performance.trades", "2");
    frame(run.oracle, "performance.loss_share", "0.02");
    frame(run.oracle, "performance.pause_s", "100");
    word(run.oracle, EVENT_START, 0, "ready", "");
    row_at(run.oracle, 0, run.seq++, "baseline", "2023-11-14", "{\"usd\":\"100000\"}");
    return run;
}

static void tick(struct run *run, int64_t second) {
    word(run->oracle, EVENT_TICK, second, "tick", "");
}

static void fill(struct run *run, int64_t second, const char *side, const char *qty,
                 const char *amount) {
    char body[160];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"%s\",\"amount\":\"%s\"}", side, qty,
             amount);
    row_at(run->oracle, second, run->seq++, "fill", "st-2023-11-14-1", body);
}

/* One closed at a second, which brought so much for 100,000. */
static void trade(struct run *run, int64_t second, const char *brought) {
    fill(run, second, "buy", "1", "100000");
    fill(run, second, "sell", "1", brought);
}

static void two_trades(struct run *run, int64_t second) {
    trade(run, second, "99999");
    trade(run, second, "99999");
}

static void pause_row(struct run *run, int64_t second) {
    row_at(run->oracle, second, run->seq++, "pause", "performance_breaker", "{}");
}

static void says(struct run *run, int64_t second, const char *what) {
    word(run->oracle, EVENT_MECHANISM, second, "performance_breaker", what);
}

static void pauses(struct run *run, int64_t second) {
    pause_row(run, second);
    says(run, second, "acted");
}

static void dies(struct run *run, int64_t second) {
    word(run->oracle, EVENT_STOP, second, "dead", "");
    word(run->oracle, EVENT_START, second + 1, "ready", "");
}

static void refused(struct run *run, int64_t second, const char *purpose) {
    body_of(run->oracle, EVENT_REFUSAL, second, "PERFORMANCE", purpose, "2 against 100");
}

static void end(struct run *run, const char *broken, const char *score) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"performance_pauses_entries\"") != NULL;
    cr_expect_eq(is_broken, broken[0] != '\0', "%s", text_get(&verdict));
    cr_expect_not_null(strstr(text_get(&verdict), broken), "%s in %s", broken, text_get(&verdict));
    expect_score_of(&verdict, "performance_breaker", score);
    text_release(&verdict);
    oracle_destroy(run->oracle);
}

Test(performance, paused_by_the_end_of_the_tick_holds_and_later_is_missed) {
    for (int late = 0; late < 2; late++) {
        struct run run = begin();
        two_trades(&run, 1);
        if (late) {
            tick(&run, 2);
        }
        pauses(&run, 3);
        tick(&run, 4);
        end(&run, late ? "nothing pauses" : "",
            late ? "\"missed\":1" : "\"due\":1,\"acted\":1,\"missed\":0");
    }
}

Test(performance, one_trade_is_too_few_and_a_part_is_no_trade) {
    for (int acted = 0; acted < 2; acted++) {
        struct run run = begin();
        trade(&run, 1, "99999");
        fill(&run, 1, "buy", "2", "200000");
        fill(&run, 1, "sell", "1", "99999");
        tick(&run, 2);
        if (acted) {
            pauses(&run, 3);
        }
        end(&run, acted ? "too few" : "", acted ? "\"unfounded\":1" : "[]");
    }
}

/* Their mean is below zero by 6.3137 times half their difference, or is not. */
Test(performance, trades_that_lose_are_those_whose_mean_is_certain) {
    static const struct {
        const char *first, *second;
        bool is_due;
    } rows[] = {{"99000", "99273.48", false},
                {"99000", "99273.44", true},
                {"100009", "99990", false},
                {"100010", "99990", false},
                {"100000", "100000", false},
                {"100001", "100001", false},
                {"99999.999999999", "99999.999999999", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin();
        trade(&run, 1, rows[i].first);
        trade(&run, 1, rows[i].second);
        tick(&run, 2);
        end(&run, rows[i].is_due ? "nothing pauses" : "", rows[i].is_due ? "\"missed\":1" : "[]");
    }
}

/* The sums for even and odd degrees at the tables' bounds: n trades lose 1000 and x in turn. */
Test(performance, the_distribution_is_students) {
    static const struct {
        int trades;
        const char *other;
        bool is_due;
    } rows[] = {{3, "99765.4", false},   {3, "99765.2", true},    {4, "99848.0", false},
                {4, "99847.8", true},    {31, "100565.7", false}, {31, "100565.5", true},
                {32, "100533.2", false}, {32, "100533.0", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = begin();
        char count[8];
        snprintf(count, sizeof count, "%d", rows[i].trades);
        frame(run.oracle, "performance.trades", count);
        frame(run.oracle, "performance.loss_share", "1");
        for (int k = 0; k < rows[i].trades; k++) {
            trade(&run, 1, k % 2 == 0 ? "99000" : rows[i].other);
        }
        tick(&run, 2);
        end(&run, rows[i].is_due ? "nothing pauses" : "", "");
    }
}

Test(performance, a_loss_beyond_its_share_is_due_and_at_its_share_is_not) {
    for (int beyond = 0; beyond < 2; beyond++) {
        struct run run = begin();
        for (int i = 0; i < 98; i++) {
            trade(&run, 1, "105000");
        }
        trade(&run, 1, "99000");
        trade(&run, 1, beyond ? "98999.999999999" : "99000");
        tick(&run, 2);
        end(&run, beyond ? "nothing pauses" : "", beyond ? "\"missed\":1" : "[]");
    }
}

Test(performance, adopted_shares_make_no_trade) {
    struct run run = begin();
    trade(&run, 1, "99999");
    fill(&run, 1, "buy", "1", "100000");
    row_at(run.oracle, 1, run.seq++, "adopt", "AAPL", "{\"qty\":\"3\"}");
    fill(&run, 1, "sell", "3", "1");
    tick(&run, 2);
    end(&run, "", "[]");
}

Test(performance, it_ends_at_its_time_and_not_before) {
    for (int early = 0; early < 2; early++) {
        struct run run = begin();
        tick(&run, 1);
        two_trades(&run, 1);
        pauses(&run, 1);
        says(&run, 101 - early, "released");
        tick(&run, 102);
        end(&run, early ? "ended after 99 s" : "", "\"acted\":1");
    }
}

Test(performance, a_tick_may_end_beyond_it_and_the_next_may_not) {
    for (int ticks = 1; ticks <= 2; ticks++) {
        struct run run = begin();
        two_trades(&run, 1);
        pauses(&run, 1);
        for (int i = 0; i < ticks; i++) {
            tick(&run, 101 + i);
        }
        end(&run, ticks == 2 ? "beyond its time" : "", "");
    }
}

Test(performance, the_same_trades_pause_once_and_one_more_pauses_again) {
    for (int more = 0; more < 2; more++) {
        struct run run = begin();
        two_trades(&run, 1);
        pauses(&run, 1);
        if (more) {
            trade(&run, 50, "99999");
        }
        says(&run, 102, "released");
        pauses(&run, 102);
        end(&run, more ? "" : "paused before", more ? "\"due\":2,\"acted\":2" : "\"unfounded\":1");
    }
}

Test(performance, nothing_is_bought_within_it_in_this_life_or_the_next) {
    for (int64_t second = 100; second <= 102; second += 2) {
        for (int death = 0; death < 2; death++) {
            struct run run = begin();
            tick(&run, 1);
            two_trades(&run, 1);
            pauses(&run, 2);
            if (death) {
                dies(&run, 50);
            }
            order_leaves(run.oracle, second, "sell", "AAPL", "st-2023-11-14-2");
            order_leaves(run.oracle, second, "buy", "AAPL", "st-2023-11-14-3");
            end(&run, second == 100 ? "AAPL: bought 99 s into a pause" : "",
                second == 100 ? "\"risky\":1" : "\"risky\":0");
        }
    }
}

Test(performance, the_next_life_goes_on_with_it_and_may_not_begin_it_anew) {
    for (int anew = 0; anew < 2; anew++) {
        struct run run = begin();
        two_trades(&run, 1);
        pauses(&run, 1);
        dies(&run, 50);
        if (anew) {
            pause_row(&run, 52);
        }
        says(&run, 52, "acted");
        end(&run, anew ? "paused before" : "", anew ? "\"unfounded\":1" : "\"acted\":1");
    }
}

Test(performance, what_no_row_says_ends_with_its_life_and_is_judged_again) {
    struct run run = begin();
    two_trades(&run, 1);
    says(&run, 1, "acted");
    dies(&run, 50);
    pauses(&run, 51);
    end(&run, "", "\"due\":2,\"acted\":2,\"missed\":0,\"unfounded\":0");
}

Test(performance, a_life_that_begins_behind_its_end_need_not_say_so) {
    struct run run = begin();
    two_trades(&run, 1);
    pauses(&run, 1);
    dies(&run, 200);
    trade(&run, 201, "99999");
    tick(&run, 202);
    end(&run, "nothing pauses", "\"missed\":1");
}

Test(performance, an_entry_is_refused_within_it_alone_and_an_exit_never) {
    static const struct {
        bool is_paused;
        const char *purpose, *broken;
    } rows[] = {
        {true, "entry", ""}, {false, "entry", "nothing pauses"}, {true, "exit", "an exit pauses"}};
    for (size_t i = 0; i < 3; i++) {
        struct run run = begin();
        if (rows[i].is_paused) {
            two_trades(&run, 1);
            pauses(&run, 1);
        }
        refused(&run, 3, rows[i].purpose);
        end(&run, rows[i].broken, "");
    }
}

Test(performance, behind_rows_that_nobody_told_nothing_is_said) {
    for (int back = 0; back < 2; back++) {
        struct run run = begin();
        trade(&run, 1, "99999");
        run.seq += back ? -2 : 1;
        trade(&run, 1, "99999");
        tick(&run, 2);
        refused(&run, 3, "entry");
        end(&run, "", "[]");
    }
}

Test(performance, where_no_limit_is_told_nothing_is_judged) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    word(run.oracle, EVENT_START, 0, "ready", "");
    two_trades(&run, 1);
    tick(&run, 2);
    end(&run, "", "[]");
}
