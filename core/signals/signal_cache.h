/* signal_cache.h - what each of two sources said last of each symbol, and which of it an entry may be decided on.
 *
 * The sources are bars, and snapshots: the newest minute that a snapshot tells fills the gap where bars of a symbol
 * are silent (signals.fill_s). A part has two values, each with its own market time: the newest minute, and the
 * score and the minute it rests on. The age of a value is that of its market time; when it was heard is told to
 * people and decides nothing, and a document that is written or read again makes nothing younger.
 *
 * Merging: a value takes the place of an older one, or of one of the same minute (a corrected bar); never of a
 * newer. What an answer does not say changes nothing, so that an empty, partial or failed one removes nothing. One
 * exception: what is of a time to come, as behind a wall that was ahead, gives way to anything.
 *
 * An entry may go by a score whose minute is fresh (bar_is_fresh()): that of bars, or else of snapshots, and of those
 * only while the newest minute of bars is at most signals.fill_s old. A minute that is not over is none, and no two
 * minutes from the newest of bars on are further apart than one is fresh. Both stale: no score. Exits never ask here:
 * the decay of a score is decided by the bars of this life alone, and a position entered on a score of here has none.
 *
 * signal_cache.json holds the parts (no minute that snapshots told: a score of them lives no longer than its minute
 * is fresh). Nothing depends on it: damaged, edited or of other settings it is discarded whole.
 * Source: audited-bot's cache (10.7), whose writers put old values over new ones, lost what a batch left out, and
 * counted a rewritten file as fresh. */
#ifndef CORE_SIGNALS_SIGNAL_CACHE_H
#define CORE_SIGNALS_SIGNAL_CACHE_H

#include "core/signals/strategy.h"
#include "core/state/lease.h"

#define SIGNAL_CACHE_DOCUMENT "signal_cache.json"

enum signal_source { SIGNAL_BARS, SIGNAL_SNAPSHOTS, SIGNAL_SOURCES };
/* "bars", "snapshots" */
const char *signal_source_word(enum signal_source source);

struct signal_part {     /* all zero: nothing was ever said */
    struct utc bar_at;   /* start of the newest minute told; {0}: none */
    struct utc heard_at; /* when it came, by our wall: no age is taken from it */
    struct utc score_at; /* start of the newest minute under the score; {0}: there is no score */
    struct ratio score;
};

struct signal_cache;

/* For `count` symbols; never NULL (out of memory aborts). Owned by the caller. */
struct signal_cache *signal_cache_create(size_t count);
void signal_cache_destroy(struct signal_cache *cache);

const struct signal_part *signal_cache_part(const struct signal_cache *cache, size_t index,
                                            enum signal_source source);
/* Merges what a source says; {0} in bar_at or score_at: it does not say that. now: our wall. */
void signal_cache_merge(struct signal_cache *cache, size_t index, enum signal_source source,
                        const struct signal_part *told, struct utc now);
/* A minute that a snapshot told; at {0}: it told none. One that is not over is none. */
void signal_cache_fill(struct signal_cache *cache, size_t index, const struct broker_bar *bar,
                       struct utc now);
/* Scores a symbol by both sources, and merges that: bars as they are, and bars with the minutes behind them that
 * snapshots told. */
void signal_cache_score(struct signal_cache *cache, const struct strategy *strategy,
                        const struct bars *bars, size_t index, struct utc now);

/* Bars of the symbol say nothing fresh, and their newest minute is at most `most` old: snapshots may fill. */
bool signal_cache_has_gap(const struct signal_cache *cache, size_t index, struct utc now,
                          struct span most);
/* A score by minutes of snapshots fills that gap now. */
bool signal_cache_is_filled(const struct signal_cache *cache, size_t index, struct utc now,
                            struct span most);
/* The source whose score an entry may go by; SIGNAL_SOURCES: none. most: signals.fill_s, 0 for bars alone. */
enum signal_source signal_cache_best(const struct signal_cache *cache, size_t index, struct utc now,
                                     struct span most);

/* True if a part changed since it was last saved or read. */
bool signal_cache_is_dirty(const struct signal_cache *cache);
/* Saves all parts of the symbols, in their order, under the hash of the settings they were made with. As
 * state_file_save_held(). */
enum err_code signal_cache_save(struct signal_cache *cache, struct world *world,
                                struct lease *lease, const char (*symbols)[CONFIG_SYMBOL_MAX],
                                const char *settings, int64_t journal_seq,
                                struct err *err) MUST_USE;
/* Reads what was saved, of these symbols: all of it, or nothing. *count: parts read; 0 where there is no document, or
 * one of other settings. A part of a time to come is none, and one that is no newer than what is known replaces
 * nothing. ERR_CORRUPT: damaged, edited, or of what no score is; ERR_IO. */
enum err_code signal_cache_load(struct signal_cache *cache, struct world *world,
                                const char (*symbols)[CONFIG_SYMBOL_MAX], const char *settings,
                                struct utc now, size_t *count, struct err *err) MUST_USE;

#endif
