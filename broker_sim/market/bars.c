/* bars.c - bars as they are told: a minute only after it is over, a day from its finished minutes.
 */
#include "broker_sim/market/market_internal.h"

#include "core/base/check.h"

bool market_bar_of(const struct market *market, size_t symbol, int32_t number,
                   struct market_bar *out) {
    const struct slot *slot = market_slot(market, symbol, number);
    if (slot->open == 0) {
        return false;
    }
    int64_t at_ns =
        market->sessions[number / SESSION_MINUTES].open.ns + (number % SESSION_MINUTES) * MINUTE_NS;
    *out = (struct market_bar){.at = {at_ns},
                               .open = {slot->open},
                               .high = {slot->high},
                               .low = {slot->low},
                               .close = {slot->close},
                               .vwap = {slot->vwap},
                               .volume = slot->volume,
                               .trades = slot->trades};
    return market->weather.bar == NULL || market->weather.bar(market->weather.context, symbol, out);
}

/* True if the session's bars may be told at `now`. A synthetic market tells this session's and the
 * one's before, whatever else is still in memory, so that answers do not depend on earlier calls.
 */
static bool may_tell(struct market *market, int32_t session, struct utc now) {
    int32_t current = market_session_at(market, now);
    if (session < 0 || session > current) {
        return false;
    }
    return market->synthetic == NULL || (session >= current - 1 && market_reach(market, session));
}

bool market_bar_at(struct market *market, size_t symbol, struct utc at, struct utc now,
                   struct market_bar *out) {
    CHECK(symbol < market->symbol_count);
    int32_t session = market_session_at(market, at);
    if (at.ns > now.ns - MINUTE_NS || !may_tell(market, session, now)) {
        return false;
    }
    const struct session *hours = &market->sessions[session];
    int64_t into = at.ns - hours->open.ns;
    if (at.ns >= hours->close.ns || into % MINUTE_NS != 0) {
        return false;
    }
    return market_bar_of(market, symbol, slot_number(session, (int32_t)(into / MINUTE_NS)), out);
}

/* Appends the bars of one session; returns how many there are now. */
static size_t add_session(const struct market *market, size_t symbol, int32_t session,
                          struct utc from, int64_t last_ns, struct market_bar *out, size_t count,
                          size_t max) {
    const struct session *hours = &market->sessions[session];
    int64_t skip_ns = from.ns - hours->open.ns;
    int64_t minute = skip_ns <= 0 ? 0 : (skip_ns + MINUTE_NS - 1) / MINUTE_NS;
    int32_t minutes = session_minutes(hours);
    for (; minute < minutes && count < max; minute++) {
        if (hours->open.ns + minute * MINUTE_NS > last_ns) {
            break;
        }
        count += market_bar_of(market, symbol, slot_number(session, (int32_t)minute), &out[count]);
    }
    return count;
}

size_t market_bars(struct market *market, size_t symbol, struct utc from, struct utc to,
                   struct utc now, struct market_bar *out, size_t max) {
    CHECK(symbol < market->symbol_count);
    int64_t over_ns = now.ns - MINUTE_NS; /* the last start whose minute is over */
    int64_t last_ns = to.ns < over_ns ? to.ns : over_ns;
    int32_t session = market_session_at(market, from);
    session = session < 0 ? 0 : session;
    if (market->synthetic != NULL) {
        int32_t oldest = market_session_at(market, now) - 1;
        session = session < oldest ? oldest : session;
    }
    size_t count = 0;
    for (; session < market->session_count && count < max; session++) {
        if (market->sessions[session].open.ns > last_ns) {
            break;
        }
        if (may_tell(market, session, now)) {
            count = add_session(market, symbol, session, from, last_ns, out, count, max);
        }
    }
    return count;
}

bool market_sum_session(const struct market *market, size_t symbol, int32_t session, struct utc now,
                        struct market_bar *out) {
    const struct session *hours = &market->sessions[session];
    struct market_bar sum = {.at = ny_to_utc(hours->date, 0, 0)};
    __int128 worth = 0; /* shares times nanos */
    int32_t minutes = session_minutes(hours);
    for (int32_t minute = 0; minute < minutes; minute++) {
        if (hours->open.ns + (minute + 1) * MINUTE_NS > now.ns) {
            break;
        }
        struct market_bar bar;
        if (!market_bar_of(market, symbol, slot_number(session, minute), &bar)) {
            continue;
        }
        bool is_first = sum.open.nanos == 0;
        sum.open = is_first ? bar.open : sum.open;
        sum.high = is_first ? bar.high : usd_max(sum.high, bar.high);
        sum.low = is_first ? bar.low : usd_min(sum.low, bar.low);
        sum.close = bar.close;
        sum.volume += bar.volume;
        sum.trades += bar.trades;
        worth += (__int128)bar.vwap.nanos * bar.volume;
    }
    if (sum.open.nanos == 0) {
        return false;
    }
    sum.vwap.nanos = sum.volume > 0 ? (int64_t)(worth / sum.volume) : sum.close.nanos;
    *out = sum;
    return true;
}

/* Number of the session of a date, or of the last one before it; -1 if none. */
static int32_t session_by_date(const struct market *market, struct date date) {
    return market_session_at(market, (struct utc){ny_to_utc(date_add(date, 1), 0, 0).ns - 1});
}

bool market_daily_bar(struct market *market, size_t symbol, struct date date, struct utc now,
                      struct market_bar *out) {
    CHECK(symbol < market->symbol_count);
    int32_t session = session_by_date(market, date);
    if (session < 0 || market->sessions[session].date.days != date.days) {
        return false;
    }
    if (may_tell(market, session, now)) {
        return market_sum_session(market, symbol, session, now, out);
    }
    int32_t current = market_session_at(market, now);
    if (market->synthetic == NULL || session > current || session < current - DAILY_KEPT + 2) {
        return false;
    }
    (void)market_reach(market, current);
    *out = market->synthetic[symbol].daily[session % DAILY_KEPT];
    return true;
}

bool market_bar_before(struct market *market, size_t symbol, struct date date,
                       struct market_bar *out) {
    CHECK(symbol < market->symbol_count);
    struct date first = market->sessions[0].date;
    if (date.days >= first.days || date.days < first.days - MARKET_BEFORE_DAYS) {
        return false;
    }
    struct market_bar bar = {.at = ny_to_utc(date, 0, 0)};
    if (market->synthetic != NULL) {
        const struct synthetic_symbol *self = &market->synthetic[symbol];
        bar.open.nanos = self->first_close;
        bar.volume =
            (int64_t)(self->minute_volume * (self->is_thin ? 0.75 : 1.0)) * SESSION_MINUTES;
    } else {
        bar.open.nanos = market_slot(market, symbol, market->symbols[symbol].first_slot)->open;
        bar.volume = VOLUME_BEFORE;
    }
    bar.high = bar.low = bar.close = bar.vwap = bar.open;
    bar.trades = estimated_trades(bar.volume);
    *out = bar;
    return true;
}

bool market_previous_close(struct market *market, size_t symbol, struct date date,
                           struct usd *out) {
    CHECK(symbol < market->symbol_count);
    int32_t session = session_by_date(market, date_add(date, -1));
    if (session < 0 || session < market->symbols[symbol].first_session) {
        return false;
    }
    if (market->synthetic != NULL) {
        (void)market_reach(market, session);
        if (session < market->generated - DAILY_KEPT) {
            return false;
        }
        *out = market->synthetic[symbol].daily[session % DAILY_KEPT].close;
        return true;
    }
    int32_t number = slot_number(session, SESSION_MINUTES - 1);
    const struct slot *slot = market_slot(market, symbol, number);
    struct market_bar bar;
    if (slot->open > 0 && market_bar_of(market, symbol, number, &bar)) {
        *out = bar.close;
    } else {
        out->nanos = market_slot(market, symbol, slot->bar_before)->close;
    }
    return true;
}
