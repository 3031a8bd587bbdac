/* market.h - prices of a simulated market: minute bars, and a seeded path and quotes inside them.
 *
 * Bars are real (CSV "t,o,h,l,c,v" with t = start of the minute in UTC; or Alpaca bars JSON) or
 * synthetic. Inside a minute the last trade moves through open, low and high (order drawn), close in
 * steps of one second; quotes surround it with a spread that depends on price, volatility and time of
 * day, and go on through a minute without a bar, where no trade happens. A bar is told only after its
 * minute is over, and nothing before T depends on a bar whose minute starts at or after T: every draw
 * is keyed by (seed, symbol, minute), never by what comes later. */
#ifndef BROKER_SIM_MARKET_MARKET_H
#define BROKER_SIM_MARKET_MARKET_H

#include "core/base/calendar.h"
#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKET_SYMBOLS_MAX 128
#define MARKET_SYMBOL_MAX 16

struct market;

struct market_bar {
    struct utc at; /* start of the minute */
    struct usd open, high, low, close, vwap;
    int64_t volume;
    int64_t trades;
};

struct market_quote {
    struct utc at;
    struct usd bid, ask;
    int64_t bid_size, ask_size; /* shares */
};

struct market_trade {
    struct utc at;
    struct usd price;
    int64_t size;
    int64_t id;
};

/* Loads every *.csv and *.json of a folder (symbol = file name without ending); a damaged file is
 * ERR_PARSE naming file, line and remedy. Days on which no symbol has a bar are closed in the
 * market's calendar. Owned. ERR_NOT_FOUND, ERR_PARSE, ERR_LIMIT. */
enum err_code market_load(const char *folder, uint64_t seed, struct market **out,
                          struct err *err) MUST_USE;
/* symbol_count symbols named SYM000.. from the session of `first` on for `days` sessions, with
 * volatility, volume and spread shaped over the day. Bars are generated a session at a time, so that
 * memory does not grow with days. */
enum err_code market_synthetic(uint64_t seed, size_t symbol_count, struct date first, int days,
                               struct market **out, struct err *err) MUST_USE;
void market_destroy(struct market *market);

size_t market_symbol_count(const struct market *market);
/* Name of a symbol; indices are in byte order of names. */
const char *market_symbol(const struct market *market, size_t symbol);
/* Index of a name, or -1. */
int market_find(const struct market *market, const char *name);
const struct calendar *market_calendar(const struct market *market);
/* First and last date with bars, of all symbols or of one. */
struct date market_first_date(const struct market *market);
struct date market_last_date(const struct market *market);
struct date market_symbol_last_date(const struct market *market, size_t symbol);

/* False before the first known price. Outside sessions: the last of the session before. `at` may
 * go back at most one session. */
bool market_quote_at(struct market *market, size_t symbol, struct utc at,
                     struct market_quote *out);
/* The last trade at or before `at`. */
bool market_trade_at(struct market *market, size_t symbol, struct utc at,
                     struct market_trade *out);
/* The next instant after `at` at which quote or trade of a symbol may change (whole seconds). */
struct utc market_next_step(const struct market *market, struct utc at);
/* Shares that trade in the second starting at `at`: the bar's volume spread over its seconds. */
int64_t market_volume_in_second(struct market *market, size_t symbol, struct utc at);
/* The finished minute bar that starts at `at`; false if there is none or it is not over at `now`. */
bool market_bar_at(struct market *market, size_t symbol, struct utc at, struct utc now,
                   struct market_bar *out);
/* Finished bars with from <= start <= to, oldest first, at most max, over before `now`. */
size_t market_bars(struct market *market, size_t symbol, struct utc from, struct utc to,
                   struct utc now, struct market_bar *out, size_t max);
/* The bar of a session so far (or whole, if over): open of the first, high, low, last close, sum. */
bool market_daily_bar(struct market *market, size_t symbol, struct date date, struct utc now,
                      struct market_bar *out);
/* Closing price of the last session before a date; false if there is none. */
bool market_previous_close(struct market *market, size_t symbol, struct date date,
                           struct usd *out);

#endif
