/* signal_cache.c - parts by symbol and source, merged by market time (signal_cache.h). */
#include "core/signals/signal_cache.h"

#include "core/base/check.h"
#include "core/base/mutant.h"
#include "core/state/state_file.h"

#include <stdlib.h>

static const struct span MINUTE = {INT64_C(60000000000)};

struct symbol_parts {
    struct signal_part of[SIGNAL_SOURCES];
};

struct signal_cache {
    size_t symbol_count;
    bool is_dirty;
    struct bars *filled; /* minutes that snapshots told */
    struct bars *joined; /* one symbol: its bars with those behind them */
    struct symbol_parts parts[];
};

const char *signal_source_word(enum signal_source source) {
    static const char *const words[] = {"bars", "snapshots"};
    return words[source];
}

struct signal_cache *signal_cache_create(size_t count) {
    struct signal_cache *cache = calloc(1, sizeof *cache + count * sizeof cache->parts[0]);
    CHECK(cache != NULL);
    cache->symbol_count = count;
    cache->filled = bars_create(count);
    cache->joined = bars_create(1);
    return cache;
}

void signal_cache_destroy(struct signal_cache *cache) {
    if (cache != NULL) {
        bars_destroy(cache->filled);
        bars_destroy(cache->joined);
        free(cache);
    }
}

static struct signal_part *part_of(struct signal_cache *cache, size_t index,
                                   enum signal_source source) {
    CHECK(index < cache->symbol_count);
    return &cache->parts[index].of[source];
}

const struct signal_part *signal_cache_part(const struct signal_cache *cache, size_t index,
                                            enum signal_source source) {
    CHECK(index < cache->symbol_count);
    return &cache->parts[index].of[source];
}

/* --- merging --- */

static bool may_replace(struct utc kept, struct utc told, struct utc now) {
    if (told.ns == 0 || utc_is_before(now, told)) {
        return false;
    }
    MUTATE(cache_goes_back, return true);
    return !utc_is_before(told, kept) || utc_is_before(now, kept);
}

void signal_cache_merge(struct signal_cache *cache, size_t index, enum signal_source source,
                        const struct signal_part *told, struct utc now) {
    struct signal_part *part = part_of(cache, index, source);
    struct signal_part merged = *part;
    if (may_replace(part->bar_at, told->bar_at, now) && told->bar_at.ns != part->bar_at.ns) {
        merged.bar_at = told->bar_at;
        merged.heard_at = now;
    }
    if (may_replace(part->score_at, told->score_at, now)) {
        merged.score_at = told->score_at;
        merged.score = told->score;
    }
    if (utc_is_before(merged.bar_at, merged.score_at)) { /* of a minute that gave way */
        merged.score_at = (struct utc){0};
        merged.score = (struct ratio){0};
    }
    cache->is_dirty |= memcmp(part, &merged, sizeof merged) != 0;
    *part = merged;
}

void signal_cache_fill(struct signal_cache *cache, size_t index, const struct broker_bar *bar,
                       struct utc now) {
    MUTATE(cache_emptied_by_empty, if (bar->at.ns == 0) *part_of(cache, index, SIGNAL_SNAPSHOTS) = (struct signal_part){.score = {0}});
    if (bar->at.ns == 0 || utc_is_before(now, utc_add(bar->at, MINUTE))) {
        return;
    }
    const struct signal_part told = {.bar_at = bar->at};
    bars_add(cache->filled, index, bar);
    signal_cache_merge(cache, index, SIGNAL_SNAPSHOTS, &told, now);
}

/* --- scores --- */

/* Of none: {0}. */
static struct utc newest(const struct bars *bars, size_t index) {
    size_t count = bars_count(bars, index);
    return count == 0 ? (struct utc){0} : bars_at(bars, index, count - 1)->at;
}

static void merge_score(struct signal_cache *cache, size_t index, enum signal_source source,
                        struct utc at, const struct score *score, struct utc now) {
    struct signal_part told = {.bar_at = source == SIGNAL_BARS ? at : (struct utc){0}};
    if (score->is_known) {
        told.score_at = at;
        told.score = score->value;
    }
    signal_cache_merge(cache, index, source, &told, now);
}

/* A minute that bars told since is theirs. False also where a minute behind them is missing: a strategy counts
 * bars, and would take what happened over a hole for the move of a minute. */
static bool join(struct signal_cache *cache, const struct bars *bars, size_t index) {
    struct utc at = newest(bars, index);
    if (at.ns == 0 || newest(cache->filled, index).ns <= at.ns) {
        return false;
    }
    bars_clear(cache->joined, 0);
    for (size_t i = 0; i < bars_count(bars, index); i++) {
        bars_add(cache->joined, 0, bars_at(bars, index, i));
    }
    for (size_t i = 0; i < bars_count(cache->filled, index); i++) {
        const struct broker_bar *bar = bars_at(cache->filled, index, i);
        if (!utc_is_before(at, bar->at)) {
            continue;
        }
        if (utc_sub(bar->at, at).ns > BAR_FRESH.ns) {
            return false;
        }
        bars_add(cache->joined, 0, bar);
        at = bar->at;
    }
    return true;
}

void signal_cache_score(struct signal_cache *cache, const struct strategy *strategy,
                        const struct bars *bars, size_t index, struct utc now) {
    struct score score = {0};
    strategy_score(strategy, bars, index, &score);
    merge_score(cache, index, SIGNAL_BARS, newest(bars, index), &score, now);
    if (join(cache, bars, index)) {
        strategy_score(strategy, cache->joined, 0, &score);
        merge_score(cache, index, SIGNAL_SNAPSHOTS, newest(cache->joined, 0), &score, now);
    }
}

/* --- which part decides --- */

bool signal_cache_has_gap(const struct signal_cache *cache, size_t index, struct utc now,
                          struct span most) {
    struct utc at = signal_cache_part(cache, index, SIGNAL_BARS)->bar_at;
    struct span age = utc_sub(now, at);
    MUTATE(fill_without_end, most = SPAN_DAYS(365));
    return at.ns != 0 && age.ns > BAR_FRESH.ns && age.ns <= most.ns;
}

/* A part is of snapshots if nothing but one of them tells of its minute. */
static bool fills(const struct signal_cache *cache, size_t index, struct utc at, struct utc now,
                  struct span most) {
    struct utc told = signal_cache_part(cache, index, SIGNAL_BARS)->bar_at;
    MUTATE(enrichment_ignored, return false);
    bool is_fresh = bar_is_fresh(at, now);
    MUTATE(enrichment_believed_when_stale, is_fresh = at.ns != 0);
    return is_fresh && utc_is_before(told, at) && signal_cache_has_gap(cache, index, now, most);
}

bool signal_cache_is_filled(const struct signal_cache *cache, size_t index, struct utc now,
                            struct span most) {
    return fills(cache, index, signal_cache_part(cache, index, SIGNAL_SNAPSHOTS)->score_at, now,
                 most);
}

enum signal_source signal_cache_best(const struct signal_cache *cache, size_t index, struct utc now,
                                     struct span most) {
    struct utc bars = signal_cache_part(cache, index, SIGNAL_BARS)->score_at;
    struct utc snapshots = signal_cache_part(cache, index, SIGNAL_SNAPSHOTS)->score_at;
    return bars.ns != 0 && bar_is_fresh(bars, now)     ? SIGNAL_BARS
           : fills(cache, index, snapshots, now, most) ? SIGNAL_SNAPSHOTS
                                                       : SIGNAL_SOURCES;
}

/* --- the document --- */

bool signal_cache_is_dirty(const struct signal_cache *cache) {
    return cache->is_dirty;
}

static void print_part(const struct signal_part *part, const char *word, struct text *out) {
    if (part->bar_at.ns == 0 && part->score_at.ns == 0) {
        return;
    }
    text_member(out, word);
    text_add_char(out, '{');
    if (part->bar_at.ns != 0) {
        text_member_utc(out, "bar_at", part->bar_at);
        text_member_utc(out, "heard_at", part->heard_at);
    }
    if (part->score_at.ns != 0) {
        text_member_utc(out, "score_at", part->score_at);
        text_member_decimal(out, "score", part->score.nanos);
    }
    text_add_char(out, '}');
}

enum err_code signal_cache_save(struct signal_cache *cache, struct world *world,
                                struct lease *lease, const char (*symbols)[CONFIG_SYMBOL_MAX],
                                const char *settings, int64_t journal_seq, struct err *err) {
    struct text members = {0};
    text_member_string(&members, "settings", settings);
    text_member(&members, "symbols");
    text_add_char(&members, '{');
    for (size_t i = 0; i < cache->symbol_count; i++) {
        text_member(&members, symbols[i]); /* a name of the configuration: nothing to escape */
        text_add_char(&members, '{');
        for (int source = 0; source < SIGNAL_SOURCES; source++) {
            print_part(&cache->parts[i].of[source], signal_source_word((enum signal_source)source),
                       &members);
        }
        text_add_char(&members, '}');
    }
    text_add_char(&members, '}');
    enum err_code code = state_file_save_held(world, lease, SIGNAL_CACHE_DOCUMENT, journal_seq,
                                              text_get(&members), err);
    text_release(&members);
    cache->is_dirty &= code != ERR_OK;
    return code;
}

/* An instant that is there must be one; one that is not there stays {0}. */
static bool read_instant(const cJSON *tree, const char *key, struct utc *out) {
    return json_is_null(tree, key) || (json_utc(tree, key, out, NULL) == ERR_OK && out->ns > 0);
}

static bool read_score(const cJSON *tree, struct signal_part *out) {
    return out->score_at.ns == 0 ||
           (json_decimal_either(tree, "score", &out->score.nanos, NULL) == ERR_OK &&
            out->score.nanos >= -NANOS && out->score.nanos <= NANOS);
}

/* False: it is none that this file wrote. One of a time to come, as of a wall that was set back since, is dropped:
 * it says nothing, and nothing of the others. */
static bool read_part(const cJSON *tree, struct utc now, struct signal_part *out) {
    if (!read_instant(tree, "bar_at", &out->bar_at) ||
        !read_instant(tree, "heard_at", &out->heard_at) ||
        !read_instant(tree, "score_at", &out->score_at) || !read_score(tree, out)) {
        return false;
    }
    bool is_ahead = utc_is_before(now, out->bar_at) || utc_is_before(now, out->score_at);
    if (is_ahead) {
        *out = (struct signal_part){0};
    }
    bool is_possible = !utc_is_before(out->bar_at, out->score_at);
    MUTATE(cache_rejuvenated_by_rewrite, if (out->bar_at.ns != 0) out->bar_at = now; if (out->score_at.ns != 0) out->score_at = now);
    return is_possible;
}

/* All parts of a symbol, or false. */
static bool read_symbol(const cJSON *tree, struct utc now, struct symbol_parts *out,
                        size_t *count) {
    if (!cJSON_IsObject(tree)) {
        return false;
    }
    for (int source = 0; source < SIGNAL_SOURCES; source++) {
        const cJSON *part = json_member(tree, signal_source_word((enum signal_source)source));
        if (part != NULL && (!cJSON_IsObject(part) || !read_part(part, now, &out->of[source]))) {
            return false;
        }
        *count += out->of[source].bar_at.ns != 0;
    }
    return true;
}

/* Of a life that goes on already nothing is replaced by what is no newer. */
static void take_parts(struct signal_cache *cache, const struct symbol_parts *parts) {
    for (size_t i = 0; i < cache->symbol_count; i++) {
        for (int source = 0; source < SIGNAL_SOURCES; source++) {
            struct signal_part *part = &cache->parts[i].of[source];
            const struct signal_part *read = &parts[i].of[source];
            if (utc_is_before(part->bar_at, read->bar_at)) {
                part->bar_at = read->bar_at;
                part->heard_at = read->heard_at;
            }
            if (utc_is_before(part->score_at, read->score_at)) {
                part->score_at = read->score_at;
                part->score = read->score;
            }
        }
    }
}

static enum err_code read_symbols(struct signal_cache *cache, const cJSON *tree,
                                  const char (*symbols)[CONFIG_SYMBOL_MAX], struct utc now,
                                  size_t *count, struct err *err) {
    const cJSON *map = json_member(tree, "symbols");
    struct symbol_parts *parts = calloc(cache->symbol_count + 1, sizeof *parts);
    CHECK(parts != NULL);
    size_t read = 0;
    enum err_code code =
        cJSON_IsObject(map)
            ? ERR_OK
            : err_set(err, ERR_CORRUPT, "%s: symbols: not an object", SIGNAL_CACHE_DOCUMENT);
    for (size_t i = 0; i < cache->symbol_count && code == ERR_OK; i++) {
        const cJSON *symbol = json_member(map, symbols[i]);
        if (symbol != NULL && !read_symbol(symbol, now, &parts[i], &read)) {
            code = err_set(err, ERR_CORRUPT, "%s: %s: no instants, or no score of them",
                           SIGNAL_CACHE_DOCUMENT, symbols[i]);
        }
    }
    if (code == ERR_OK) {
        take_parts(cache, parts);
        *count = read;
    }
    free(parts);
    return code;
}

enum err_code signal_cache_load(struct signal_cache *cache, struct world *world,
                                const char (*symbols)[CONFIG_SYMBOL_MAX], const char *settings,
                                struct utc now, size_t *count, struct err *err) {
    struct state_file file = {0};
    const char *made_with = "";
    *count = 0;
    enum err_code code = state_file_load(world, SIGNAL_CACHE_DOCUMENT, 0, &file, err);
    MUTATE(cache_lost_at_restart, file.condition = STATE_FILE_MISSING);
    if (code != ERR_OK || file.condition == STATE_FILE_MISSING) {
        state_file_release(&file);
        return code;
    }
    if (file.condition != STATE_FILE_GOOD) {
        code = err_set(err, ERR_CORRUPT, "%s: %s", SIGNAL_CACHE_DOCUMENT,
                       file.condition == STATE_FILE_EDITED ? "edited, or its checksum is off"
                                                           : "no JSON object");
    } else if ((code = json_string(file.tree, "settings", &made_with, err)) != ERR_OK) {
        code = ERR_CORRUPT;
    } else if (strcmp(made_with, settings) == 0) {
        code = read_symbols(cache, file.tree, symbols, now, count, err);
    }
    state_file_release(&file);
    return code;
}
