/* test_judges_signals.c - scores_are_fresh and cache_never_goes_back, at their edges: no core, no simulator. */
#include "tests/unit/stream.h"

/* Half an hour into a session; a whole minute (2023-11-15, 15:00 UTC). */
static const int64_t OPEN = 60400;
static const char BARS[] = "/v2/stocks/bars?symbols=AAPL&feed=sip&timeframe=1Min";
static const char SNAPSHOTS[] = "/v2/stocks/snapshots?symbols=AAPL&feed=sip";

static struct oracle *framed(const char *fill, const char *cache) {
    struct oracle *oracle = oracle_create();
    frame(oracle, "signals.fill_s", fill);
    frame(oracle, "signals.cache_s", cache);
    word(oracle, EVENT_START, OPEN, "ready", "");
    return oracle;
}

static void instant(int64_t second, char out[static UTC_TEXT_MAX]) {
    utc_print(at(OPEN + second), out);
}

/* So many minutes, the last of which began so many seconds behind the open. */
static void some_bars(struct oracle *oracle, int64_t second, int64_t minute, int count) {
    char text[UTC_TEXT_MAX];
    struct text body = {0};
    text_add(&body, "\n{\"bars\":{\"AAPL\":[");
    for (int i = count - 1; i >= 0; i--) {
        instant(minute - (int64_t)i * 60, text);
        text_add_format(&body, "{\"t\":\"%s\",\"o\":1,\"h\":1,\"l\":1,\"c\":1}%s", text,
                        i > 0 ? "," : "]}}");
    }
    answer(oracle, OPEN + second, BARS, 200, text_get(&body));
    text_release(&body);
}

/* As many as a score needs. */
static void bars(struct oracle *oracle, int64_t second, int64_t minute) {
    some_bars(oracle, second, minute, 31);
}

static void snapshot(struct oracle *oracle, int64_t second, int64_t minute) {
    char text[UTC_TEXT_MAX];
    char body[128];
    instant(minute, text);
    snprintf(
        body, sizeof body,
        "\n{\"AAPL\":{\"minuteBar\":{\"t\":\"%s\",\"o\":1,\"h\":1,\"l\":1,\"c\":1}},\"NONE\":null}",
        text);
    answer(oracle, OPEN + second, SNAPSHOTS, 200, body);
}

static void hears(struct oracle *oracle, int64_t second) {
    answer(oracle, OPEN + second, "/v2/stocks/quotes/latest?symbols=AAPL", 200, "\n{}");
}

static void tells(struct oracle *oracle, int64_t second, const char *what) {
    feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                .at = at(OPEN + second),
                                .subject = "signal_cache",
                                .what = what,
                                .id = "snapshots"});
}

static void tick(struct oracle *oracle, int64_t second) {
    word(oracle, EVENT_TICK, OPEN + second, "cycle", "");
}

static void buys(struct oracle *oracle, int64_t second) {
    hears(oracle, second);
    order_leaves(oracle, OPEN + second, "buy", "AAPL", "st-2023-11-15-1");
}

/* A document with one minute of bars, its score as old; below zero: without it. */
static void saves(struct oracle *oracle, int64_t second, const char *settings, int64_t minute) {
    char text[UTC_TEXT_MAX];
    char body[256];
    instant(minute, text);
    if (minute < 0) {
        snprintf(body, sizeof body, "{\"settings\":\"%s\",\"symbols\":{\"AAPL\":{}}}", settings);
    } else {
        snprintf(body, sizeof body,
                 "{\"settings\":\"%s\",\"symbols\":{\"AAPL\":{\"bars\":{\"bar_at\":\"%s\","
                 "\"score_at\":\"%s\",\"score\":\"0.5\"}}}}",
                 settings, text, text);
    }
    body_of(oracle, EVENT_DOCUMENT, OPEN + second, "signal_cache.json", "", body);
}

Test(judge_signals, an_entry_goes_by_bars_of_150_seconds) {
    for (int64_t age = 150; age <= 153; age += 3) { /* a second is the judge's slack */
        struct oracle *oracle = framed("0", "60");
        bars(oracle, 60, 0);
        buys(oracle, age);
        expect(oracle, age > 151 ? "scores_are_fresh" : "", 0);
    }
}

Test(judge_signals, where_nothing_is_set_nothing_is_judged) {
    struct oracle *oracle = framed("0", "0");
    bars(oracle, 60, 0);
    buys(oracle, 500);
    expect(oracle, "", 0);
}

Test(judge_signals, snapshots_fill_in_while_they_are_fresh_and_bars_not_too_old) {
    static const struct {
        const char *fill;
        int64_t minute, at;
        bool is_good;
    } rows[] = {{"600", 240, 390, true},  /* its minute is 150 s old */
                {"600", 240, 393, false}, /* older */
                {"600", 540, 600, true},  /* bars 600 s */
                {"600", 540, 603, false}, /* older */
                {"0", 240, 300, false}};  /* not asked to */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = framed(rows[i].fill, "60");
        bars(oracle, 60, 0);
        snapshot(oracle, rows[i].minute + 60, rows[i].minute);
        tells(oracle, rows[i].minute + 60, "acted");
        tick(oracle, rows[i].minute + 60);
        buys(oracle, rows[i].at);
        expect(oracle, rows[i].is_good ? "" : "scores_are_fresh", 0);
    }
}

Test(judge_signals, a_gap_that_is_filled_is_told_in_its_tick_and_nothing_else_is) {
    static const struct {
        int64_t bars, minute; /* newest, at 300 s */
        bool is_told;
        const char *id, *score;
    } rows[] = {{120, 240, true, "", "\"due\":1,\"acted\":1,\"missed\":0,\"unfounded\":0,"},
                {120, 240, false, "scores_are_fresh", "\"due\":1,\"acted\":0,\"missed\":1,"},
                {90, 240, false, "scores_are_fresh", "\"due\":1,\"acted\":0,\"missed\":1,"},
                {89, 240, false, "", "[]"},                               /* a minute is missing */
                {120, 241, false, "", "[]"},                              /* it may not be over */
                {120, 246, true, "scores_are_fresh", "\"unfounded\":1,"}, /* it is not */
                {0, 120, true, "scores_are_fresh", "\"unfounded\":1,"},   /* old */
                {240, 240, true, "scores_are_fresh", "\"unfounded\":1,"}, /* no gap */
                {240, 240, false, "", "[]"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = framed("600", "0");
        bars(oracle, 300, rows[i].bars);
        snapshot(oracle, 300, rows[i].minute);
        if (rows[i].is_told) {
            tells(oracle, 300, "acted");
        }
        tick(oracle, 301);
        expect_scored(oracle, rows[i].id, rows[i].score);
    }
}

Test(judge_signals, a_gap_of_fewer_bars_than_a_score_needs_must_not_be_filled) {
    for (int count = 30; count <= 31; count++) {
        struct oracle *oracle = framed("600", "0");
        some_bars(oracle, 300, 120, count);
        snapshot(oracle, 300, 240);
        tick(oracle, 301);
        expect(oracle, count < 31 ? "" : "scores_are_fresh", 0);
    }
}

/* 150 s and a margin of bars' age, three cycles and a minute. */
Test(judge_signals, snapshots_of_a_gap_are_asked_for_where_nothing_keeps_the_core_from_it) {
    enum { NEVER, ASKED, HELD, FAULT, NOT_OPEN, WAYS };
    for (int way = 0; way < WAYS; way++) {
        struct oracle *oracle = oracle_create();
        const int64_t open = way == NOT_OPEN ? 40000 : OPEN;
        frame(oracle, "signals.fill_s", "3600");
        frame(oracle, "signals.cache_s", "0");
        frame(oracle, "engine.cycle_s", "60");
        word(oracle, EVENT_START, open, "ready", "");
        bars(oracle, 60 + open - OPEN, open - OPEN);
        for (int64_t second = 160; second <= 405; second += 5) {
            if (way == ASKED && second == 300) {
                snapshot(oracle, 300, 0);
            }
            if (way == HELD && second == 300) {
                feed(oracle, (struct event){.kind = EVENT_MECHANISM,
                                            .at = at(open + second),
                                            .subject = "smart_poller",
                                            .what = "held",
                                            .id = "snapshots"});
            }
            if (way == FAULT && second == 300) {
                word(oracle, EVENT_FAULT, open + second, "http.slow", "GET /v2/clock");
            }
            tick(oracle, second + open - OPEN);
        }
        expect(oracle, way == NEVER ? "scores_are_fresh" : "", 0);
    }
}

Test(judge_signals, a_life_knows_what_it_was_told_and_what_was_kept) {
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        struct oracle *oracle = framed("600", is_kept ? "60" : "0");
        bars(oracle, 60, 0);
        word(oracle, EVENT_STOP, OPEN + 70, "dead", "");
        word(oracle, EVENT_START, OPEN + 80, "ready", "");
        buys(oracle, 100);
        expect(oracle, is_kept ? "" : "scores_are_fresh", 0);
    }
}

Test(judge_signals, a_document_goes_neither_back_nor_empty_nor_ahead) {
    static const struct {
        int64_t minute; /* of the second document */
        const char *settings, *id;
    } rows[] = {{120, "a", ""},
                {180, "a", ""},
                {60, "a", "cache_never_goes_back"},
                {-1, "a", "cache_never_goes_back"},
                {181, "a", "cache_never_goes_back"},
                {60, "b", ""},
                {-1, "b", ""},
                {181, "b", "cache_never_goes_back"}};
    for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct oracle *oracle = framed("0", "60");
            bars(oracle, 180, 120);
            saves(oracle, 181, "a", 120);
            if (is_restarted) {
                word(oracle, EVENT_STOP, OPEN + 190, "dead", "");
                word(oracle, EVENT_START, OPEN + 200, "ready", "");
            }
            bars(oracle, 240, 180);
            saves(oracle, 241, rows[i].settings, rows[i].minute);
            expect(oracle, rows[i].id, 0);
        }
    }
}

Test(judge_signals, a_disk_that_lies_and_a_document_that_was_discarded_begin_anew) {
    for (int how = 0; how < 3; how++) {
        struct oracle *oracle = framed("0", "60");
        bars(oracle, 180, 120);
        saves(oracle, 181, "a", 120);
        if (how == 0) {
            word(oracle, EVENT_FAULT, OPEN + 190, "disk.old_version", "");
        } else if (how == 1) {
            word(oracle, EVENT_ALERT, OPEN + 190, "warn", "signal_cache_discarded");
        }
        saves(oracle, 241, "a", 60);
        expect(oracle, how < 2 ? "" : "cache_never_goes_back", 0);
    }
}
