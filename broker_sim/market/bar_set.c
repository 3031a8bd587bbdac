/* bar_set.c - what a bar must be, whichever file it came from. */
#include "broker_sim/market/bar_set.h"

#include "broker_sim/market/market_internal.h"

#include <stdlib.h>
#include <string.h>

enum { BARS_MAX = 4000000 }; /* of one symbol: forty years of minutes */

void bar_set_release(struct bar_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        free(set->series[i].bars);
    }
    *set = (struct bar_set){0};
}

static bool is_symbol(const char *name) {
    size_t n = strlen(name);
    return n > 0 && n < MARKET_SYMBOL_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;
}

enum err_code bar_set_begin(struct bar_set *set, const char *name, struct bar_series **out,
                            struct err *err) {
    if (!is_symbol(name)) {
        return err_set(err, ERR_PARSE,
                       "'%.40s' is not a symbol (capitals, digits, '.', '-', at most "
                       "%d of them); rename it",
                       name, MARKET_SYMBOL_MAX - 1);
    }
    size_t i = 0;
    while (i < set->count && strcmp(set->series[i].name, name) != 0) {
        i++;
    }
    if (i == set->count) {
        if (set->count == MARKET_SYMBOLS_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d symbols; leave some out",
                           MARKET_SYMBOLS_MAX);
        }
        memcpy(set->series[i].name, name, strlen(name) + 1);
        set->count++;
    }
    set->series[i].last_at.ns = INT64_MIN;
    *out = &set->series[i];
    return ERR_OK;
}

static enum err_code bad_bar(const struct market_bar *bar, const char *what, struct err *err) {
    char at[UTC_TEXT_MAX];
    utc_print(bar->at, at);
    return err_set(err, ERR_PARSE, "the bar of %s %s; fetch the file again or take the bar out", at,
                   what);
}

static enum err_code check_bar(const struct bar_series *series, const struct market_bar *bar,
                               struct err *err) {
    if (bar->at.ns % MINUTE_NS != 0) {
        return bad_bar(bar, "does not start on a minute", err);
    }
    if (bar->at.ns <= series->last_at.ns) {
        return bad_bar(bar, "is not later than the one before it", err);
    }
    if (bar->low.nanos < SUBPENNY_NANOS || bar->high.nanos > NANOS * 10000000) {
        return bad_bar(bar, "has a price outside 0.0001 to 10000000", err);
    }
    if (bar->low.nanos > usd_min(bar->open, bar->close).nanos) {
        return bad_bar(bar, "has a low above its open or close", err);
    }
    if (bar->high.nanos < usd_max(bar->open, bar->close).nanos) {
        return bad_bar(bar, "has a high below its open or close", err);
    }
    if (bar->volume < 0 || bar->volume > VOLUME_MAX || bar->trades < 0 ||
        bar->trades > VOLUME_MAX) {
        return bad_bar(bar, "has a volume or a trade count outside 0 to 4000000000", err);
    }
    if (bar->vwap.nanos != 0 &&
        (bar->vwap.nanos < SUBPENNY_NANOS || bar->vwap.nanos > NANOS * 10000000)) {
        return bad_bar(bar, "has a vwap outside 0.0001 to 10000000", err);
    }
    return ERR_OK;
}

/* Finds the session of a bar's day. */
static enum err_code find_hours(struct bar_set *set, const struct market_bar *bar,
                                struct err *err) {
    if (bar->at.ns >= set->hours.open.ns && bar->at.ns < set->hours.close.ns) {
        return ERR_OK;
    }
    struct calendar plain = {0};
    struct session hours;
    if (!calendar_session(&plain, ny_date(bar->at), &hours)) {
        return bad_bar(bar, "lies on a day without a session", err);
    }
    set->hours = hours;
    return ERR_OK;
}

static enum err_code keep_bar(struct bar_series *series, const struct market_bar *bar,
                              struct err *err) {
    if (series->count == series->cap) {
        size_t cap = series->cap == 0 ? 4096 : series->cap * 2;
        if (cap > BARS_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d bars of %s; leave some out", BARS_MAX,
                           series->name);
        }
        struct market_bar *bars = realloc(series->bars, cap * sizeof *bars);
        if (bars == NULL) {
            return err_set(err, ERR_MEMORY, "no memory for %zu bars", cap);
        }
        series->bars = bars;
        series->cap = cap;
    }
    series->bars[series->count++] = *bar;
    return ERR_OK;
}

enum err_code bar_set_add(struct bar_set *set, struct bar_series *series, struct market_bar bar,
                          struct err *err) {
    enum err_code code = check_bar(series, &bar, err);
    if (code != ERR_OK) {
        return code;
    }
    code = find_hours(set, &bar, err);
    if (code != ERR_OK) {
        return code;
    }
    series->last_at = bar.at;
    if (bar.at.ns < set->hours.open.ns || bar.at.ns >= set->hours.close.ns) {
        set->ignored++;
        return ERR_OK;
    }
    if (bar.vwap.nanos == 0) {
        bar.vwap.nanos = (bar.high.nanos + bar.low.nanos + bar.close.nanos) / 3;
    }
    if (bar.trades == 0) {
        bar.trades = estimated_trades(bar.volume);
    }
    return keep_bar(series, &bar, err);
}
