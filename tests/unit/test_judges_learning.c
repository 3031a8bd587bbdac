/* test_judges_learning.c - the judge of learning: steps and trials' ends that are due, those that are not, those
 * that are missed. Four lessons a step, 50 thousandths, 70 a day, on 15 November 2023. */
#include "tests/unit/stream.h"

#include "core/base/utc.h"

struct run {
    struct oracle *oracle;
    int64_t seq, second;
    int orders;
};

struct stand {
    int64_t taken, fast, slow, fast_before, slow_before, fast_moved, slow_moved;
    const char *mean;
    int day; /* of November; 0: the fifteenth */
};

static struct run begin(void) {
    struct run run = {.oracle = oracle_create(), .seq = 1};
    run.second = utc_sub(ny_to_utc(date_from_civil(2023, 11, 15), 11, 0), at(0)).ns / NANOS;
    frame(run.oracle, "learning.on", "1");
    frame(run.oracle, "learning.trades", "4");
    frame(run.oracle, "learning.step", "50");
    frame(run.oracle, "learning.day_cap", "70");
    word(run.oracle, EVENT_START, run.second - 3600, "ready", "");
    return run;
}

static void rows(struct run *run, const char *kind, const char *key, const char *body) {
    row_at(run->oracle, run->second, run->seq++, kind, key, body);
}

static void fills(struct run *run, const char *id, const char *side, int64_t usd) {
    char body[160];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"1\",\"amount\":\"%lld\"}", side,
             (long long)usd);
    rows(run, "fill", id, body);
}

static void opens(struct run *run, const char *fast, const char *slow) {
    char id[32], body[200];
    snprintf(id, sizeof id, "st-2023-11-15-%d", ++run->orders);
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"purpose\":\"entry\",\"parts\":{\"fast\":\"%s\",\"slow\":"
             "\"%s\"}}",
             fast, slow);
    rows(run, "intent", id, body);
    fills(run, id, "buy", 100);
}

static void trade(struct run *run, const char *fast, const char *slow, int64_t gain) {
    opens(run, fast, slow);
    fills(run, "st-x", "sell", 100 + gain);
}

/* Mean in dollars of a hundred: fast says all that they bring, slow the contrary. */
static void lessons_around(struct run *run, int64_t mean) {
    trade(run, "0.1", "0.9", mean - 3);
    trade(run, "0.3", "0.7", mean - 1);
    trade(run, "0.5", "0.5", mean + 1);
    trade(run, "0.7", "0.3", mean + 3);
}

static void learned(struct run *run, const char *key, struct stand stand) {
    char body[400];
    snprintf(body, sizeof body,
             "{\"taken\":%lld,\"count\":4,\"mean\":\"%s\",\"day\":\"2023-11-%02d\","
             "\"weights\":{\"fast\":%lld,\"slow\":%lld},\"before\":{\"fast\":%lld,\"slow\":%lld},"
             "\"moved\":{\"fast\":%lld,\"slow\":%lld}}",
             (long long)stand.taken, stand.mean, stand.day == 0 ? 15 : stand.day,
             (long long)stand.fast, (long long)stand.slow, (long long)stand.fast_before,
             (long long)stand.slow_before, (long long)stand.fast_moved,
             (long long)stand.slow_moved);
    rows(run, "learned", key, body);
}

/* As the first step behind lessons_around(0) is due. */
static struct stand first(const struct run *run) {
    return (struct stand){run->seq - 1, 1050, 950, 1000, 1000, 50, 50, "0", 0};
}

static void end(struct run *run, const char *text) {
    struct text verdict = {0};
    oracle_verdict(run->oracle, &verdict);
    bool is_broken = strstr(text_get(&verdict), "\"learning_is_bounded\"") != NULL;
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

Test(learning, a_step_is_what_its_lessons_say_within_a_thousandth_and_its_bounds) {
    static const struct {
        int64_t fast, slow, moved, before;
        const char *text;
    } table[] = {{1050, 950, 50, 1000, ""},
                 {1049, 951, 49, 1000, ""},
                 {1048, 952, 48, 1000, "not what the lessons say"},
                 {950, 1050, 50, 1000, "not what the lessons say"},
                 {1051, 950, 51, 1000, "a step that is too long"},
                 {1050, 950, 49, 1000, "the day's sum is another"},
                 {1050, 950, 50, 999, "a snapshot of other weights"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        stand.fast = table[i].fast;
        stand.slow = table[i].slow;
        stand.fast_moved = stand.slow_moved = table[i].moved;
        stand.fast_before = table[i].before;
        learned(&run, "step", stand);
        end(&run, table[i].text);
    }
}

Test(learning, three_closed_trades_are_too_few_and_what_is_open_or_adopted_is_none_of_them) {
    for (int with = 0; with < 4; with++) {
        struct run run = begin();
        trade(&run, "0.1", "0.9", -3);
        trade(&run, "0.3", "0.7", -1);
        trade(&run, "0.5", "0.5", 1);
        if (with > 0) {
            opens(&run, "0.7", "0.3");
        }
        if (with == 2) {
            rows(&run, "adopt", "AAPL", "{\"qty\":\"0\"}");
        } else if (with == 3) {
            fills(&run, "st-x", "sell", 103);
        }
        learned(&run, "step", first(&run));
        end(&run, with == 3 ? "" : "from too few closed trades");
    }
}

Test(learning, a_lesson_is_taken_once_and_a_step_takes_all_of_them) {
    struct run run = begin();
    lessons_around(&run, 0);
    learned(&run, "step", first(&run));
    learned(&run, "step", (struct stand){run.seq - 2, 1070, 930, 1050, 950, 70, 70, "0", 0});
    end(&run, "the step before it is on trial");
    run = begin();
    lessons_around(&run, 0);
    struct stand stand = first(&run);
    stand.taken--;
    learned(&run, "step", stand);
    end(&run, "not up to the newest closed trade");
    run = begin();
    lessons_around(&run, 0);
    stand = first(&run);
    learned(&run, "step", stand);
    lessons_around(&run, 1);
    int64_t newest = run.seq - 1;
    learned(&run, "kept", stand);
    learned(&run, "step", (struct stand){newest, 1070, 930, 1050, 950, 70, 70, "0.01", 0});
    end(&run, ""); /* with the day's cap */
    run = begin();
    lessons_around(&run, 0);
    stand = first(&run);
    learned(&run, "step", stand);
    lessons_around(&run, 1);
    newest = run.seq - 1;
    learned(&run, "kept", stand);
    learned(&run, "step", (struct stand){newest, 1071, 929, 1050, 950, 71, 71, "0.01", 0});
    end(&run, "more than the day's cap");
}

Test(learning, a_trial_ends_by_what_the_trades_behind_it_brought) {
    static const struct {
        int64_t mean;
        const char *key;
        int64_t fast;
        const char *text;
    } table[] = {{-1, "reverted", 1000, ""},
                 {1, "kept", 1050, ""},
                 {0, "kept", 1050, ""},
                 {1, "reverted", 1000, "taken back, and the trades behind it brought no less"},
                 {-1, "kept", 1050, "kept, and the trades behind it brought less"},
                 {-1, "reverted", 1050, "weights that are neither kept nor those from before"},
                 {1, "kept", 1000, "weights that are neither kept nor those from before"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        learned(&run, "step", stand);
        lessons_around(&run, table[i].mean);
        stand.fast = table[i].fast;
        stand.slow = 2000 - table[i].fast;
        learned(&run, table[i].key, stand);
        end(&run, table[i].text);
    }
}

Test(learning, a_step_says_the_mean_of_its_lessons_within_two_nanos) {
    static const struct {
        const char *mean, *text;
    } table[] = {{"0.000000002", ""},
                 {"-0.000000002", ""},
                 {"0.000000003", "a mean that its lessons do not have"},
                 {"-0.000000003", "a mean that its lessons do not have"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        stand.mean = table[i].mean;
        learned(&run, "step", stand);
        end(&run, table[i].text);
    }
}

Test(learning, a_trial_s_end_changes_neither_day_nor_its_sum_nor_what_was_before) {
    static const struct {
        int64_t before, moved;
        int day;
        const char *text;
    } table[] = {{1000, 50, 15, ""},
                 {1001, 50, 15, "a trial's end is no step, of the day or of its snapshot"},
                 {1000, 0, 15, "a trial's end is no step, of the day or of its snapshot"},
                 {1000, 50, 16, "a trial's end is no step, of the day or of its snapshot"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        learned(&run, "step", stand);
        lessons_around(&run, 1);
        stand.fast_before = table[i].before;
        stand.fast_moved = table[i].moved;
        stand.day = table[i].day;
        learned(&run, "kept", stand);
        end(&run, table[i].text);
    }
}

Test(learning, a_step_that_nobody_told_is_taken_from_its_trial_s_end_and_the_next_is_judged) {
    for (int with = 0; with < 3; with++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        run.seq += with == 2 ? 2 : 1; /* the row of the step; with 2: and one more */
        lessons_around(&run, 1);
        int64_t newest = run.seq - 1;
        learned(&run, "kept", stand);
        stand = (struct stand){newest, 1070, 930, 1050, 950, 70, 70, "0.01", 0};
        stand.fast += with == 0 ? 0 : 1;
        learned(&run, "step", stand);
        end(&run, with == 1 ? "more than the day's cap" : "");
    }
}

Test(learning, the_end_of_a_trial_whose_step_nobody_told_is_judged_by_the_lessons_before_it) {
    static const struct {
        const char *key;
        int64_t mean, taken, before;
        const char *text;
    } table[] = {{"kept", 1, 0, 1000, ""},
                 {"reverted", -1, 0, 1000, ""},
                 {"kept", -1, 0, 1000, "kept, and the trades behind it brought less"},
                 {"kept", 1, -1, 1000, "a trial's end takes no lesson"},
                 {"kept", 1, 0, 1001, "a trial's end is no step, of the day or of its snapshot"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        run.seq++;
        lessons_around(&run, table[i].mean);
        stand.fast = stand.slow = 1000;
        stand.taken += table[i].taken;
        stand.fast_before = table[i].before;
        if (table[i].key[0] == 'k') {
            stand.fast = 1050;
            stand.slow = 950;
        }
        learned(&run, table[i].key, stand);
        end(&run, table[i].text);
    }
}

Test(learning, five_hundred_lessons_are_kept_and_they_are_the_newest) {
    struct run run = begin();
    trade(&run, "0.1", "0.9", 90);
    for (int i = 0; i < 125; i++) {
        run.orders = 0; /* of the same few names: what else is wrong with them hides nothing */
        lessons_around(&run, 0);
    }
    learned(&run, "step", first(&run));
    end(&run, "");
}

Test(learning, a_trial_without_its_trades_is_taken_back_behind_two_weeks_and_not_before) {
    static const struct {
        int days;
        const char *key, *text;
    } table[] = {{14, "reverted", "a trial of too few closed trades"},
                 {15, "reverted", ""},
                 {15, "kept", "a trial of too few closed trades"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct run run = begin();
        lessons_around(&run, 0);
        struct stand stand = first(&run);
        learned(&run, "step", stand);
        trade(&run, "0.5", "0.5", 1);
        run.second += table[i].days * 86400;
        stand.fast = stand.slow = table[i].key[0] == 'r' ? 1000 : stand.fast;
        stand.slow = table[i].key[0] == 'r' ? 1000 : 950;
        learned(&run, table[i].key, stand);
        end(&run, table[i].text);
    }
}

Test(learning, a_trial_is_of_trades_decided_on_behind_the_step) {
    struct run run = begin();
    lessons_around(&run, 0);
    struct stand stand = first(&run);
    opens(&run, "0.5", "0.5");
    learned(&run, "step", stand);
    fills(&run, "st-x", "sell", 90);
    trade(&run, "0.5", "0.5", 1);
    trade(&run, "0.5", "0.5", 1);
    trade(&run, "0.5", "0.5", 1);
    learned(&run, "kept", stand);
    end(&run, "a trial of too few closed trades");
    run = begin();
    learned(&run, "kept", first(&run));
    end(&run, "nothing is on trial");
    run = begin();
    learned(&run, "neutral", first(&run));
    end(&run, "no row of such a name is due");
    run = begin();
    rows(&run, "learned", "step", "{}");
    end(&run, "a row that does not say what was learned");
}

Test(learning, nothing_is_learned_under_reduce_only_or_off) {
    struct run run = begin();
    lessons_around(&run, 0);
    body_of(run.oracle, EVENT_MECHANISM, run.second, "data_guard", "acted",
            "\"mode\":\"REDUCE_ONLY\"");
    word(run.oracle, EVENT_MODE, run.second, "REDUCE_ONLY", "NORMAL");
    learned(&run, "step", first(&run));
    end(&run, "step: under data_guard");
    static const int statuses[] = {0, 503, 200};
    for (int i = 0; i < 3; i++) { /* nor while prices fail, but for days that no score is made of */
        run = begin();
        lessons_around(&run, 0);
        answer(run.oracle, run.second, "/v2/stocks/bars?symbols=AAPL&timeframe=1Day", 503, "");
        answer(run.oracle, run.second, "/v2/stocks/bars?symbols=AAPL", statuses[i], "");
        learned(&run, "step", first(&run));
        end(&run, statuses[i] == 200 ? "" : "step: while /v2/stocks/bars fails");
    }
    run = begin();
    frame(run.oracle, "learning.on", "0");
    lessons_around(&run, 0);
    learned(&run, "step", first(&run));
    end(&run, "step: learning is off");
}

/* Ticks of an hour and more, five minutes apart. */
static void wait(struct run *run, int minutes) {
    for (int i = 0; i < minutes; i += 5) {
        run->second += 300;
        word(run->oracle, EVENT_TICK, run->second, "tick", "");
    }
}

Test(learning, a_step_that_does_not_come_within_a_quarter_of_an_hour_of_calm_is_missed) {
    static const char missed[] =
        "\"mechanism\":\"learning_guard\",\"due\":1,\"acted\":0,\"missed\":1";
    struct run run = begin();
    lessons_around(&run, 0);
    wait(&run, 5); /* due from here */
    wait(&run, 15);
    end(&run, "");
    run = begin();
    lessons_around(&run, 0);
    wait(&run, 5);
    wait(&run, 20);
    end_scored(&run, missed, "4 closed trades wait, and nothing is learned");
    run = begin();
    trade(&run, "0.1", "0.9", -3);
    wait(&run, 60);
    end(&run, "");
    run = begin();
    lessons_around(&run, 0);
    for (int i = 0; i < 4; i++) { /* faults that go on */
        wait(&run, 10);
        word(run.oracle, EVENT_FAULT, run.second, "http.refused", "");
    }
    end(&run, "");
    /* nor was it calm while those of all fail, and those of one are answered */
    for (int all = 0; all < 2; all++) {
        run = begin();
        lessons_around(&run, 0);
        answer(run.oracle, run.second, "/v2/stocks/quotes/latest?symbols=AAPL,MSFT&feed=sip", 503,
               "");
        answer(run.oracle, run.second, "/v2/stocks/quotes/latest?symbols=AAPL&feed=sip", 200, "");
        wait(&run, 30);
        if (all) {
            answer(run.oracle, run.second, "/v2/stocks/quotes/latest?symbols=AAPL,MSFT", 200, "");
        }
        wait(&run, 30);
        end(&run, all ? "4 closed trades wait, and nothing is learned" : "");
    }
    run = begin();
    lessons_around(&run, 0);
    learned(&run, "step", first(&run));
    lessons_around(&run, 1);
    wait(&run, 30);
    end(&run, "closed trades wait, and nothing is learned");
    for (int days = 14; days <= 15; days++) { /* a trial that goes on for more than two weeks */
        run = begin();
        lessons_around(&run, 0);
        learned(&run, "step", first(&run));
        run.second += days * 86400;
        wait(&run, 30);
        end(&run, days == 14 ? "" : "0 closed trades wait, and nothing is learned");
    }
    run = begin();
    lessons_around(&run, 0);
    wait(&run, 5);
    learned(&run, "step", (struct stand){run.seq - 1, 1050, 950, 1000, 1000, 50, 50, "0", 0});
    end_scored(&run, "\"mechanism\":\"learning_guard\",\"due\":1,\"acted\":1,\"missed\":0", "");
}

Test(learning, behind_rows_that_nobody_told_nothing_is_judged) {
    struct run run = begin();
    lessons_around(&run, 0);
    run.seq++;
    learned(&run, "step", (struct stand){1, 2000, 1, 1, 1, 1, 1, "0", 0});
    end(&run, "");
}
