/* market.c - where an instant lies in the sessions, and what quote and trade stood there. */
#include "broker_sim/market/market_internal.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/random.h"

#include <stdlib.h>
#include <string.h>

void market_destroy(struct market *market) {
    if (market == NULL) {
        return;
    }
    free(market->sessions);
    free(market->symbols);
    free(market->slots);
    free(market->synthetic);
    free(market);
}

void market_name_symbol(struct market_symbol *symbol, const char *name) {
    size_t n = strlen(name);
    CHECK(n < sizeof symbol->name);
    memcpy(symbol->name, name, n + 1);
    symbol->key = hash64(name, n, 0);
    symbol->paths[0].start_ns = INT64_MIN;
    symbol->paths[1].start_ns = INT64_MIN;
}

void market_set_weather(struct market *market, const struct market_weather *weather) {
    market->weather = weather == NULL ? (struct market_weather){0} : *weather;
}

bool market_is_halted(const struct market *market, size_t symbol, struct utc at) {
    const struct market_weather *weather = &market->weather;
    return weather->is_halted != NULL && weather->is_halted(weather->context, symbol, at);
}

size_t market_symbol_count(const struct market *market) {
    return market->symbol_count;
}

const char *market_symbol(const struct market *market, size_t symbol) {
    CHECK(symbol < market->symbol_count);
    return market->symbols[symbol].name;
}

int market_find(const struct market *market, const char *name) {
    size_t low = 0;
    size_t high = market->symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(market->symbols[middle].name, name);
        if (order == 0) {
            return (int)middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return -1;
}

const struct calendar *market_calendar(const struct market *market) {
    return &market->calendar;
}

struct date market_first_date(const struct market *market) {
    return market->sessions[0].date;
}

struct date market_last_date(const struct market *market) {
    return market->sessions[market->session_count - 1].date;
}

struct date market_symbol_last_date(const struct market *market, size_t symbol) {
    CHECK(symbol < market->symbol_count);
    return market->sessions[market->symbols[symbol].last_session].date;
}

int64_t market_ignored_bars(const struct market *market) {
    return market->ignored;
}

int32_t market_session_at(const struct market *market, struct utc at) {
    int32_t low = 0; /* sessions below low opened by then */
    int32_t high = market->session_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (market->sessions[middle].open.ns <= at.ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

bool market_reach(struct market *market, int32_t session) {
    if (market->synthetic == NULL) {
        return true;
    }
    while (market->generated <= session) {
        synthetic_generate(market);
    }
    return session > market->generated - 1 - BLOCKS_KEPT;
}

void market_link(struct market *market, size_t symbol, int32_t session, int32_t *bar_before,
                 int32_t *traded_before) {
    for (int32_t minute = 0; minute < SESSION_MINUTES; minute++) {
        int32_t number = slot_number(session, minute);
        struct slot *slot = market_slot(market, symbol, number);
        slot->bar_before = *bar_before;
        slot->traded_before = *traded_before;
        if (slot->open > 0) {
            *bar_before = number;
            *traded_before = slot->volume > 0 ? number : *traded_before;
        }
    }
}

/* The path of an instant and the second in it; outside sessions the last second of the session
 * before. NULL before the symbol's first bar. */
static const struct path *find_path(struct market *market, size_t symbol, struct utc at,
                                    int *second) {
    int32_t session = market->hint;
    const struct session *hours = &market->sessions[session];
    if (at.ns < hours->open.ns || at.ns >= hours->close.ns) {
        session = market_session_at(market, at);
        if (session < 0) {
            return NULL;
        }
        market->hint = session;
        hours = &market->sessions[session];
    }
    int64_t into = (at.ns < hours->close.ns ? at.ns : hours->close.ns - 1) - hours->open.ns;
    int32_t number = slot_number(session, (int32_t)(into / MINUTE_NS));
    if (number < market->symbols[symbol].first_slot || !market_reach(market, session)) {
        return NULL;
    }
    struct path *path = &market->symbols[symbol].paths[number & 1];
    int64_t start_ns = hours->open.ns + into / MINUTE_NS * MINUTE_NS;
    if (path->start_ns != start_ns) {
        path_draw(market, symbol, number, path);
    }
    *second = (int)(into % MINUTE_NS / SECOND_NS);
    return path;
}

static inline const struct path *path_at(struct market *market, size_t symbol, struct utc at,
                                         int *second) {
    CHECK(symbol < market->symbol_count);
    for (int i = 0; i < 2; i++) {
        const struct path *path = &market->symbols[symbol].paths[i];
        uint64_t into = (uint64_t)at.ns - (uint64_t)path->start_ns; /* wraps if before */
        if (into < (uint64_t)MINUTE_NS) {
            *second = (int)(into / (uint64_t)SECOND_NS);
            return path;
        }
    }
    return find_path(market, symbol, at, second);
}

bool market_quote_at(struct market *market, size_t symbol, struct utc at,
                     struct market_quote *out) {
    int second = 0;
    const struct path *path = path_at(market, symbol, at, &second);
    if (path == NULL) {
        return false;
    }
    const struct step *step = &path->steps[second];
    uint64_t draw = random_mix(path->size_key, (uint64_t)second);
    *out = (struct market_quote){.at = {path->start_ns + second * SECOND_NS},
                                 .bid = {step->bid},
                                 .ask = {step->ask},
                                 .bid_size = (int64_t)(1 + (draw & 7)) * path->depth_lots * 100,
                                 .ask_size =
                                     (int64_t)(1 + ((draw >> 8) & 7)) * path->depth_lots * 100};
    if (market->weather.quote != NULL) {
        market->weather.quote(market->weather.context, symbol, at, out);
    }
    return true;
}

static bool last_trade(struct market *market, size_t symbol, struct utc at,
                       struct market_trade *out) {
    int second = 0;
    const struct path *path = path_at(market, symbol, at, &second);
    if (path == NULL) {
        return false;
    }
    int32_t traded = path->steps[second].traded;
    if (traded < 0) {
        if (path->has_trade_before) {
            *out = path->trade_before;
        }
        return path->has_trade_before;
    }
    const struct step *step = &path->steps[traded];
    struct utc when = {path->start_ns + traded * SECOND_NS};
    *out = (struct market_trade){
        .at = when, .price = {step->price}, .size = step->volume, .id = when.ns / SECOND_NS};
    return true;
}

bool market_trade_at(struct market *market, size_t symbol, struct utc at,
                     struct market_trade *out) {
    const bool is_known = last_trade(market, symbol, at, out);
    if (is_known && market->weather.trade != NULL) {
        market->weather.trade(market->weather.context, symbol, at, out);
    }
    return is_known;
}

int64_t market_volume_in_second(struct market *market, size_t symbol, struct utc at) {
    int second = 0;
    const struct path *path = path_at(market, symbol, at, &second);
    bool is_in_session = path != NULL && at.ns < path->start_ns + MINUTE_NS;
    return is_in_session ? path->steps[second].volume : 0;
}
