/* test_signal_cache.c - parts merge by market time, gaps are filled to the nanosecond at which they may be, and a
 * document makes nothing younger. */
#include "core/signals/signal_cache.h"

#include "core/state/state_file.h"
#include "tests/unit/rig.h"

#include <criterion/criterion.h>

static const char SYMBOLS[2][CONFIG_SYMBOL_MAX] = {"AAPL", "MSFT"};
#define FILL SPAN_MIN(10)

/* The score is the newest close, in thousands of dollars; of fewer than `least` bars there is none. */
struct last_close {
    struct strategy base;
    size_t least;
};

static void score_last(const struct strategy *strategy, const struct bars *bars, size_t index,
                       struct score *out) {
    size_t count = bars_count(bars, index);
    *out = (struct score){.is_known = false};
    if (count >= ((const struct last_close *)strategy)->least) {
        out->is_known = true;
        out->value.nanos = bars_at(bars, index, count - 1)->close.nanos / 1000;
    }
}

static const struct strategy_ops LAST_OPS = {.score = score_last};
static const struct last_close LAST = {{.ops = &LAST_OPS}, 1};
static const struct last_close OF_THREE = {{.ops = &LAST_OPS}, 3};

static struct utc minute(int n) {
    return utc_add(rig_start(), SPAN_MIN(n));
}

static struct utc later(int n, int64_t seconds, int64_t ns) {
    return (struct utc){minute(n).ns + seconds * NANOS + ns};
}

static struct broker_bar bar_of(int n, int64_t dollars) {
    struct usd price = USD(dollars);
    return (struct broker_bar){
        .at = minute(n), .open = price, .high = price, .low = price, .close = price, .volume = 1};
}

struct bench {
    struct signal_cache *cache;
    struct bars *bars;
};

static struct bench bench_of(void) {
    return (struct bench){signal_cache_create(2), bars_create(2)};
}

static void release(struct bench *bench) {
    signal_cache_destroy(bench->cache);
    bars_destroy(bench->bars);
}

static void bars_tell(struct bench *bench, int n, int64_t dollars, struct utc now) {
    struct broker_bar bar = bar_of(n, dollars);
    bars_add(bench->bars, 0, &bar);
    signal_cache_score(bench->cache, &LAST.base, bench->bars, 0, now);
}

static void snapshot_tells(struct bench *bench, int n, int64_t dollars, struct utc now) {
    struct broker_bar bar = bar_of(n, dollars);
    signal_cache_fill(bench->cache, 0, &bar, now);
    signal_cache_score(bench->cache, &LAST.base, bench->bars, 0, now);
}

static const struct signal_part *part(const struct bench *bench, enum signal_source source) {
    return signal_cache_part(bench->cache, 0, source);
}

/* --- merging --- */

Test(signal_cache, an_older_value_never_replaces_a_newer_and_one_of_the_same_minute_does) {
    for (int n = 4; n <= 6; n++) {
        struct bench bench = bench_of();
        const struct signal_part kept = {.bar_at = minute(5), .score_at = minute(5), .score = {7}};
        const struct signal_part told = {.bar_at = minute(n), .score_at = minute(n), .score = {8}};
        signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &kept, later(6, 1, 0));
        signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &told, later(6, 2, 0));
        cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, minute(n < 5 ? 5 : n).ns);
        cr_expect_eq(part(&bench, SIGNAL_BARS)->score_at.ns, minute(n < 5 ? 5 : n).ns);
        cr_expect_eq(part(&bench, SIGNAL_BARS)->score.nanos, n < 5 ? 7 : 8);
        cr_expect_eq(part(&bench, SIGNAL_BARS)->heard_at.ns, later(6, n > 5 ? 2 : 1, 0).ns,
                     "the same minute again is no news");
        cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->bar_at.ns, 0, "each source by itself");
        release(&bench);
    }
}

Test(signal_cache, what_is_not_said_removes_nothing) {
    struct bench bench = bench_of();
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    const struct signal_part nothing = {.score = {9}};
    const struct signal_part minute_alone = {.bar_at = minute(6)};
    signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &nothing, later(7, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, minute(5).ns);
    signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &minute_alone, later(7, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, minute(6).ns);
    cr_expect_eq(part(&bench, SIGNAL_BARS)->score_at.ns, minute(5).ns, "and no older");
    cr_expect_eq(part(&bench, SIGNAL_BARS)->score.nanos, USD(500).nanos / 1000);
    snapshot_tells(&bench, 7, 510, later(8, 0, 0));
    const struct broker_bar none = {.volume = 0};
    signal_cache_fill(bench.cache, 0, &none, later(9, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->bar_at.ns, minute(7).ns);
    release(&bench);
}

Test(signal_cache, a_value_of_a_time_to_come_is_none_and_gives_way_once_the_wall_is_set_back) {
    struct bench bench = bench_of();
    const struct signal_part ahead = {.bar_at = minute(90), .score_at = minute(90)};
    const struct signal_part real = {.bar_at = minute(5), .score_at = minute(5)};
    signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &ahead, (struct utc){minute(90).ns - 1});
    cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, 0);
    signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &ahead, minute(90)); /* the wall was ahead */
    cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, minute(90).ns);
    signal_cache_merge(bench.cache, 0, SIGNAL_BARS, &real, minute(6));
    cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, minute(5).ns);
    cr_expect_eq(part(&bench, SIGNAL_BARS)->score_at.ns, minute(5).ns);
    release(&bench);
}

/* --- gaps --- */

Test(signal_cache, a_gap_begins_behind_150_seconds_and_ends_with_its_limit) {
    static const struct {
        int64_t seconds, ns;
        bool is_gap;
    } rows[] = {{0, -1, false}, {150, 0, false}, {150, 1, true}, {600, 0, true}, {600, 1, false}};
    struct bench bench = bench_of();
    cr_expect_not(signal_cache_has_gap(bench.cache, 0, later(5, 300, 0), FILL),
                  "bars that never said anything have no gap to fill");
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(
            signal_cache_has_gap(bench.cache, 0, later(5, rows[i].seconds, rows[i].ns), FILL),
            rows[i].is_gap, "%zu", i);
    }
    cr_expect_not(signal_cache_has_gap(bench.cache, 0, later(5, 300, 0), SPAN_S(0)), "off");
    release(&bench);
}

Test(signal_cache, bars_come_first_then_a_fresh_minute_of_snapshots_and_both_stale_are_none) {
    struct bench bench = bench_of();
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    snapshot_tells(&bench, 7, 510, later(8, 0, 0));
    static const struct {
        int64_t seconds, ns; /* behind minute 5 */
        enum signal_source best;
    } rows[] = {{150, 0, SIGNAL_BARS},
                {150, 1, SIGNAL_SNAPSHOTS},
                {270, 0, SIGNAL_SNAPSHOTS}, /* minute 7 is 150 s old */
                {270, 1, SIGNAL_SOURCES}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct utc now = later(5, rows[i].seconds, rows[i].ns);
        cr_expect_eq(signal_cache_best(bench.cache, 0, now, FILL), rows[i].best, "%zu", i);
        cr_expect_eq(signal_cache_is_filled(bench.cache, 0, now, FILL),
                     rows[i].best == SIGNAL_SNAPSHOTS, "%zu", i);
    }
    cr_expect_eq(signal_cache_best(bench.cache, 0, later(5, 200, 0), SPAN_S(0)), SIGNAL_SOURCES);
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score.nanos, USD(510).nanos / 1000);
    release(&bench);
}

Test(signal_cache, snapshots_fill_in_for_so_long_however_fresh_they_are) {
    struct bench bench = bench_of();
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    for (int n = 6; n <= 14; n += 2) {
        snapshot_tells(&bench, n, 510, later(n + 1, 0, 0));
    }
    cr_expect_eq(signal_cache_best(bench.cache, 0, later(15, 0, 0), FILL), SIGNAL_SNAPSHOTS);
    cr_expect_eq(signal_cache_best(bench.cache, 0, later(15, 0, 1), FILL), SIGNAL_SOURCES);
    release(&bench);
}

Test(signal_cache, an_old_minute_behind_a_newer_fills_its_place_and_no_more) {
    struct bench bench = bench_of();
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    snapshot_tells(&bench, 8, 510, later(9, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, 0, "two minutes are missing");
    snapshot_tells(&bench, 7, 490, later(9, 30, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->bar_at.ns, minute(8).ns);
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score.nanos, USD(510).nanos / 1000);
    snapshot_tells(&bench, 4, 400, later(9, 40, 0)); /* older than the bars */
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score.nanos, USD(510).nanos / 1000);
    release(&bench);
}

Test(signal_cache, minutes_that_bars_tell_later_are_theirs) {
    struct bench bench = bench_of();
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    snapshot_tells(&bench, 8, 510, later(9, 0, 0));
    bars_tell(&bench, 8, 511, later(9, 30, 0));
    cr_expect_eq(signal_cache_best(bench.cache, 0, later(9, 30, 0), FILL), SIGNAL_BARS);
    cr_expect_not(signal_cache_is_filled(bench.cache, 0, later(11, 0, 0), FILL),
                  "a minute of bars is none of a snapshot");
    cr_expect_eq(part(&bench, SIGNAL_BARS)->score.nanos, USD(511).nanos / 1000);
    release(&bench);
}

Test(signal_cache, snapshots_alone_are_no_score_without_bars_before_them) {
    struct bench bench = bench_of();
    struct broker_bar bar = bar_of(7, 510);
    signal_cache_fill(bench.cache, 0, &bar, later(9, 0, 0));
    signal_cache_score(bench.cache, &LAST.base, bench.bars, 0, later(9, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, 0);
    bar = bar_of(5, 500);
    bars_add(bench.bars, 0, &bar);
    signal_cache_score(bench.cache, &OF_THREE.base, bench.bars, 0, later(9, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, 0, "two are too few");
    cr_expect_not(signal_cache_is_filled(bench.cache, 0, later(9, 0, 0), FILL), "with no score");
    bar = bar_of(4, 500);
    bars_add(bench.bars, 0, &bar);
    signal_cache_score(bench.cache, &OF_THREE.base, bench.bars, 0, later(9, 0, 0));
    cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, minute(7).ns);
    cr_expect(signal_cache_is_filled(bench.cache, 0, later(9, 0, 0), FILL));
    cr_expect_eq(part(&bench, SIGNAL_BARS)->score_at.ns, 0);
    release(&bench);
}

Test(signal_cache, a_minute_of_snapshots_that_is_not_over_is_none) {
    for (int64_t ns = -1; ns <= 1; ns++) {
        struct bench bench = bench_of();
        bars_tell(&bench, 5, 500, later(6, 0, 0));
        snapshot_tells(&bench, 7, 510, later(8, 0, ns));
        cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->bar_at.ns, ns < 0 ? 0 : minute(7).ns);
        cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, ns < 0 ? 0 : minute(7).ns);
        release(&bench);
    }
}

Test(signal_cache, minutes_behind_bars_are_at_most_150_seconds_apart) {
    static const struct {
        int64_t seconds[3], ns; /* of minutes behind bars; ns: of the last one */
        bool is_scored;
    } rows[] = {{{150}, 0, true},       {{150}, 1, false},           {{120, 270}, 0, true},
                {{120, 270}, 1, false}, {{240, 390, 540}, 0, false}, {{60, 210, 360}, 0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = bench_of();
        bars_tell(&bench, 5, 500, later(6, 0, 0));
        size_t last = rows[i].seconds[1] == 0 ? 0 : rows[i].seconds[2] == 0 ? 1 : 2;
        struct broker_bar bar = bar_of(5, 510);
        for (size_t k = 0; k <= last; k++) {
            bar.at = later(5, rows[i].seconds[k], k == last ? rows[i].ns : 0);
            signal_cache_fill(bench.cache, 0, &bar, later(15, 0, 0));
        }
        signal_cache_score(bench.cache, &LAST.base, bench.bars, 0, later(15, 0, 0));
        cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->bar_at.ns, bar.at.ns, "%zu", i);
        cr_expect_eq(part(&bench, SIGNAL_SNAPSHOTS)->score_at.ns, rows[i].is_scored ? bar.at.ns : 0,
                     "%zu", i);
        release(&bench);
    }
}

/* --- the document --- */

static void save(struct rig *rig, struct signal_cache *cache, const char *settings) {
    struct err err = {0};
    cr_assert_eq(signal_cache_save(cache, &rig->world, NULL, SYMBOLS, settings, 1, &err), ERR_OK,
                 "%s", err.text);
}

static enum err_code load(struct rig *rig, struct signal_cache *cache, const char *settings,
                          struct utc now, size_t *count) {
    return signal_cache_load(cache, &rig->world, SYMBOLS, settings, now, count, NULL);
}

Test(signal_cache_document, what_is_read_is_as_old_as_it_was) {
    struct rig *rig = rig_create();
    struct bench bench = bench_of();
    struct bench next = bench_of();
    size_t count = 9;
    cr_expect_eq(load(rig, next.cache, "a", minute(9), &count), ERR_OK);
    cr_expect_eq(count, 0, "there is none yet");
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    snapshot_tells(&bench, 7, 510, later(8, 0, 0));
    cr_expect(signal_cache_is_dirty(bench.cache));
    save(rig, bench.cache, "a");
    cr_expect_not(signal_cache_is_dirty(bench.cache));
    cr_expect_eq(load(rig, next.cache, "a", minute(9), &count), ERR_OK);
    cr_expect_eq(count, 2);
    for (int source = 0; source < SIGNAL_SOURCES; source++) {
        cr_expect_eq(memcmp(part(&next, (enum signal_source)source),
                            part(&bench, (enum signal_source)source), sizeof(struct signal_part)),
                     0);
    }
    cr_expect_not(signal_cache_is_dirty(next.cache));
    cr_expect_eq(signal_cache_best(next.cache, 0, later(7, 150, 0), FILL), SIGNAL_SNAPSHOTS);
    cr_expect_eq(signal_cache_best(next.cache, 0, later(7, 150, 1), FILL), SIGNAL_SOURCES);
    bars_tell(&next, 4, 499, later(8, 0, 0)); /* the first answer of a new life is an old one */
    cr_expect_eq(part(&next, SIGNAL_BARS)->bar_at.ns, minute(5).ns);
    release(&bench);
    release(&next);
    rig_destroy(rig);
}

Test(signal_cache_document, of_other_settings_is_none) {
    struct rig *rig = rig_create();
    struct bench bench = bench_of();
    size_t count = 9;
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    save(rig, bench.cache, "a");
    cr_expect_eq(load(rig, bench.cache, "b", minute(9), &count), ERR_OK);
    cr_expect_eq(count, 0);
    release(&bench);
    rig_destroy(rig);
}

#define BARS_OF(bar_at, score_at, score)                                                           \
    "\"bars\":{\"bar_at\":\"2026-09-01T" bar_at "Z\",\"score_at\":\"2026-09-01T" score_at          \
    "Z\",\"score\":\"" score "\"}"

Test(signal_cache_document, is_read_whole_or_not_at_all) {
    static const char *const bad[] = {
        "\"symbols\":[]",
        "\"symbols\":{\"AAPL\":[]}",
        "\"symbols\":{\"AAPL\":{\"bars\":5}}",
        "\"symbols\":{\"AAPL\":{\"bars\":{\"bar_at\":5}}}",
        "\"symbols\":{\"AAPL\":{\"bars\":{\"bar_at\":\"2026-09-01T14:00:00Z\"}},"
        "\"MSFT\":{\"bars\":{\"score_at\":\"2026-09-01T14:00:00Z\"}}}",
        "\"symbols\":{\"AAPL\":{" BARS_OF("13:59:00", "13:59:00", "1.000000001") "}}",
        "\"symbols\":{\"AAPL\":{" BARS_OF("13:59:00", "13:59:00", "-1.000000001") "}}",
        "\"symbols\":{\"AAPL\":{" BARS_OF("13:59:00", "13:59:01", "0.5") "}}",
        "\"symbols\":{\"AAPL\":{\"bars\":{\"score_at\":\"2026-09-01T13:59:00Z\","
        "\"score\":\"0.5\"}}}"};
    struct rig *rig = rig_create();
    struct bench bench = bench_of();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char members[256];
        size_t count = 9;
        snprintf(members, sizeof members, "\"settings\":\"a\",%s", bad[i]);
        cr_assert_eq(state_file_save(&rig->world, SIGNAL_CACHE_DOCUMENT, 1, members, NULL), ERR_OK);
        cr_expect_eq(load(rig, bench.cache, "a", minute(0), &count), ERR_CORRUPT, "%zu", i);
        cr_expect_eq(count, 0);
        cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns, 0, "%zu", i);
    }
    release(&bench);
    rig_destroy(rig);
}

/* Each alone: 14:00:00 is now. When it was heard decides nothing. */
Test(signal_cache_document, a_part_of_a_time_to_come_is_dropped_alone) {
    static const struct {
        const char *part;
        size_t count;
    } rows[] = {{BARS_OF("14:00:00", "14:00:00", "1"), 2},
                {BARS_OF("13:59:00", "13:58:00", "-1"), 2},
                {BARS_OF("14:00:01", "13:59:00", "0.5"), 1},
                {BARS_OF("13:59:00", "14:00:01", "0.5"), 1},
                {"\"bars\":{\"bar_at\":\"2026-09-01T13:59:00Z\","
                 "\"heard_at\":\"2026-09-01T14:00:01Z\"}",
                 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_create();
        struct bench bench = bench_of();
        char members[512];
        size_t count = 9;
        snprintf(members, sizeof members,
                 "\"settings\":\"a\",\"symbols\":{\"AAPL\":{%s},\"MSFT\":{%s}}", rows[i].part,
                 BARS_OF("13:59:00", "13:59:00", "0.5"));
        cr_assert_eq(state_file_save(&rig->world, SIGNAL_CACHE_DOCUMENT, 1, members, NULL), ERR_OK);
        cr_expect_eq(load(rig, bench.cache, "a", minute(0), &count), ERR_OK, "%zu", i);
        cr_expect_eq(count, rows[i].count, "%zu", i);
        cr_expect_eq(part(&bench, SIGNAL_BARS)->bar_at.ns == 0, rows[i].count == 1, "%zu", i);
        cr_expect_eq(signal_cache_part(bench.cache, 1, SIGNAL_BARS)->bar_at.ns,
                     minute(0).ns - SPAN_MIN(1).ns, "%zu: the other's", i);
        release(&bench);
        rig_destroy(rig);
    }
}

/* A disk that could not be read at the start, and can now. */
Test(signal_cache_document, what_is_read_late_replaces_nothing_newer) {
    struct rig *rig = rig_create();
    struct bench bench = bench_of();
    struct bench next = bench_of();
    size_t count = 9;
    bars_tell(&bench, 5, 500, later(6, 0, 0));
    snapshot_tells(&bench, 7, 510, later(8, 0, 0));
    save(rig, bench.cache, "a");
    bars_tell(&next, 6, 520, later(8, 0, 0));
    cr_expect_eq(load(rig, next.cache, "a", later(8, 0, 0), &count), ERR_OK);
    cr_expect_eq(part(&next, SIGNAL_BARS)->bar_at.ns, minute(6).ns);
    cr_expect_eq(part(&next, SIGNAL_BARS)->score.nanos, USD(520).nanos / 1000);
    cr_expect_eq(part(&next, SIGNAL_SNAPSHOTS)->score_at.ns, minute(7).ns);
    cr_expect(signal_cache_is_dirty(next.cache), "and is to be saved");
    release(&bench);
    release(&next);
    rig_destroy(rig);
}

Test(signal_cache_document, damaged_or_edited_is_discarded) {
    static const char *const bytes[] = {"", "{\"settings\":\"a\",",
                                        "{\"settings\":\"a\",\"symbols\":{}}"};
    struct rig *rig = rig_create();
    struct bench bench = bench_of();
    for (size_t i = 0; i < 3; i++) {
        size_t count = 9;
        cr_assert_eq(state_file_publish(&rig->world, SIGNAL_CACHE_DOCUMENT, bytes[i],
                                        strlen(bytes[i]), NULL),
                     ERR_OK);
        cr_expect_eq(load(rig, bench.cache, "a", minute(9), &count), ERR_CORRUPT, "%zu", i);
        cr_expect_eq(count, 0);
    }
    release(&bench);
    rig_destroy(rig);
}
