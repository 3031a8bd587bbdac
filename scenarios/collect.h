/* collect.h - what a run's report needs, gathered from its events: counts, series, episodes.
 *
 * Everything here comes from observed events; nothing asks the engine. Lists have stated limits: what
 * goes beyond is counted in `dropped` and not shown. */
#ifndef SCENARIOS_COLLECT_H
#define SCENARIOS_COLLECT_H

#include "core/base/calendar.h"
#include "core/world/observe.h"
#include "scenarios/words.h"

#define COLLECT_LIST_MAX ((size_t)20000)
#define COLLECT_SYMBOLS_MAX 160
#define COLLECT_WORD_MAX 48
#define MECHANISMS_MAX 96

struct equity_point {
    struct utc at;
    struct usd equity, cash;
};

struct mark { /* one moment of a mode, a latch, a mechanism, a fault or an operator */
    struct utc at;
    char subject[COLLECT_WORD_MAX];
    char what[COLLECT_WORD_MAX];
    char symbol[16];
    char why[128]; /* causes of a mode, reason of a latch; cut */
};

struct episode { /* one position from its first share to flat */
    char symbol[16];
    struct utc opened_at, closed_at; /* closed_at {0}: still open */
    struct qty peak, held;
    struct usd cost, proceeds; /* sums of price x qty */
    struct span naked;
    struct utc naked_since; /* {0}: protected, or not yet told */
    struct utc first_protected_at;
    struct usd stop;
    char end[COLLECT_WORD_MAX]; /* reason of the last exit; "resting_stop" */
};

struct collect_symbol {
    char symbol[16];
    struct qty qty;
    size_t episode; /* index of the open one, while qty > 0 */
    char exit_reason[COLLECT_WORD_MAX];
};

#define COLLECT_PARTS_MAX 8

struct collect_learning { /* what learning_guard came to, by its rows and words */
    int64_t rows, steps, kept, reverted;
    int64_t trades;             /* ever learned, by the newest row */
    int64_t admitted, declined; /* symbols by cycle, under weights that have changed since */
    struct {
        char name[COLLECT_WORD_MAX];
        int64_t before, after; /* thousandths: before the first row, and by the newest */
    } parts[COLLECT_PARTS_MAX];
    size_t part_count;
};

struct collect { /* collect_init() and collect_release(); large: keep it off the stack */
    struct observer seam;
    int64_t ticks, events, requests, request_bytes, answer_bytes;
    int64_t refusals, filled_entries, ledger_fills, starts, deaths;
    struct words purposes, states, exits, refusal_codes, mechanisms, faults, alerts, operators;
    struct equity_point *equity;
    size_t equity_count, equity_cap;
    struct utc equity_next;
    struct mark *modes, *latches, *acts;
    size_t mode_count, mode_cap, latch_count, latch_cap, act_count, act_cap;
    struct episode *episodes;
    size_t episode_count, episode_cap;
    struct collect_symbol symbols[COLLECT_SYMBOLS_MAX];
    size_t symbol_count;
    size_t open_positions, most_positions;
    struct utc
        mechanism_first[MECHANISMS_MAX]; /* first `acted`, by mechanism_id() index; {0} never */
    struct collect_learning learning;
    struct usd equity_last, equity_low, equity_high;
    bool has_equity;
    int64_t dropped;
    const struct calendar *calendar; /* borrowed */
};

void collect_init(struct collect *collect, const struct calendar *calendar);
void collect_release(struct collect *collect);

#endif
