/* signals.c - step 8, scores: of bars, and for entries of what the cache of signals holds beside them. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <stdio.h>
#include <string.h>

static const char MECHANISM[] = "signal_cache";

static bool is_on(const struct engine *engine) {
    return engine->config->signals_fill.ns > 0 || engine->config->signals_cache.ns > 0;
}

bool score_reaches(const struct engine *engine, const struct score *score, struct ratio value) {
    return score->is_known && value.nanos >= engine->config->score_threshold.nanos;
}

struct ratio score_of_entry(const struct score *score) {
    MUTATE(learning_unused, return score->value);
    return score->learned;
}

bool score_suffices(const struct engine *engine, const struct score *score) {
    bool is_like = score->learned.nanos == score->value.nanos;
    MUTATE(learning_admits_no_decay, is_like = true);
    return score_reaches(engine, score, score_of_entry(score)) &&
           (is_like || score->value.nanos > 0);
}

bool score_by_bars(const struct engine *engine, size_t index, struct score *out) {
    strategy_score(engine->strategy, engine->bars, index, out);
    bool is_wanted = score_suffices(engine, out);
    MUTATE(stale_scores_bought, return false);
    if (bars_are_fresh(engine->bars, index, clock_utc(engine->world->clock))) {
        return false;
    }
    *out = (struct score){0};
    return is_wanted;
}

/* The first answer behind a restart may lag: it told no minute as new as that of the score which was kept. */
static bool knows_newer(const struct engine *engine, size_t index) {
    size_t count = bars_count(engine->bars, index);
    struct utc kept = signal_cache_part(engine->signals, index, SIGNAL_BARS)->score_at;
    return count == 0 || utc_is_before(bars_at(engine->bars, index, count - 1)->at, kept);
}

/* Of what is held nothing but bars counts: displacement compares it. */
bool score_for_entry(const struct engine *engine, size_t index, struct score *out,
                     enum score_ground *ground) {
    bool is_stale = score_by_bars(engine, index, out);
    *ground = GROUND_BARS;
    if (!is_on(engine) || (out->is_known && !knows_newer(engine, index)) ||
        book_look(&engine->book, engine->config->symbols[index]) != NULL) {
        return is_stale;
    }
    enum signal_source source = signal_cache_best(
        engine->signals, index, clock_utc(engine->world->clock), engine->config->signals_fill);
    if (source != SIGNAL_SOURCES) {
        *out = (struct score){.is_known = true};
        out->value = signal_cache_part(engine->signals, index, source)->score;
        out->learned = out->value; /* of its parts the cache knows nothing */
        *ground = source == SIGNAL_SNAPSHOTS ? GROUND_FILLED : GROUND_KEPT;
    }
    return is_stale && source == SIGNAL_SOURCES;
}

/* Told when the first gap is filled, and when none is any more. */
static void tell_filled(struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    size_t filled = 0;
    for (size_t i = 0; i < engine->config->symbol_count; i++) {
        filled += signal_cache_is_filled(engine->signals, i, now, engine->config->signals_fill);
    }
    char numbers[48];
    snprintf(numbers, sizeof numbers, "\"symbols\":%zu", filled);
    if ((filled > 0) != engine->is_filling) {
        log_mechanism(&engine->log, MECHANISM, filled > 0 ? "acted" : "released", "", "snapshots",
                      numbers);
    }
    engine->is_filling = filled > 0;
    alpaca_spare_bars(engine->alpaca, engine->is_filling);
}

void signals_step(struct engine *engine, bool may_ask) {
    if (!engine->is_cycle || !engine->truth.is_open || (!is_on(engine) && !engine->is_filling)) {
        return;
    }
    struct utc now = clock_utc(engine->world->clock);
    for (size_t i = 0; i < engine->config->symbol_count; i++) {
        signal_cache_score(engine->signals, engine->strategy, engine->bars, i, now);
    }
    if (engine->config->signals_fill.ns > 0 && may_ask) {
        poll_snapshots(engine);
    }
    tell_filled(engine);
}

/* False: the disk could not say what is there. */
static bool read_document(struct engine *engine) {
    struct err err = {0};
    size_t count = 0;
    char numbers[48];
    enum err_code code =
        signal_cache_load(engine->signals, engine->world, engine->config->symbols,
                          engine->signals_settings, clock_utc(engine->world->clock), &count, &err);
    if (code != ERR_OK) {
        log_mechanism(&engine->log, MECHANISM, "held", "", "document", "");
        log_alert(&engine->log, ALERT_WARN, "signal_cache_discarded", err.text);
    } else if (count > 0) {
        snprintf(numbers, sizeof numbers, "\"parts\":%zu", count);
        log_mechanism(&engine->log, MECHANISM, "acted", "", "document", numbers);
    }
    return code == ERR_OK || code == ERR_CORRUPT;
}

/* A start that cannot read it goes on without: nothing depends on it. */
void signals_restore(struct engine *engine) {
    engine->signals = signal_cache_create(engine->config->symbol_count);
    memcpy(engine->signals_settings, engine->settings_hash, sizeof engine->signals_settings);
    engine->is_signals_unread = engine->config->signals_cache.ns > 0 && !read_document(engine);
}

void signals_keep(struct engine *engine) {
    const struct config *config = engine->config;
    struct mono now = clock_mono(engine->world->clock);
    bool is_due = config->signals_cache.ns > 0 && signal_cache_is_dirty(engine->signals) &&
                  (!engine->is_signals_kept ||
                   mono_sub(now, engine->signals_kept_at).ns >= config->signals_cache.ns);
    if (!is_due || engine->journal == NULL) {
        return;
    }
    engine->is_signals_kept = true; /* one that failed is tried again as late */
    engine->signals_kept_at = now;
    engine->is_signals_unread = engine->is_signals_unread && !read_document(engine);
    if (engine->is_signals_unread) {
        return;
    }
    enum err_code code =
        signal_cache_save(engine->signals, engine->world, engine->lease, config->symbols,
                          engine->signals_settings, journal_last_seq(engine->journal), NULL);
    engine->meters.failed_documents += code != ERR_OK;
}
