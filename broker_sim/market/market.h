/* market.h - prices of a simulated market: minute bars, and a seeded path and quotes inside them.
 *
 * Bars are real (CSV "t,o,h,l,c,v" with t = start of the minute in UTC; or Alpaca bars JSON) or
 * synthetic. Inside a minute the last trade moves through open, low and high (order drawn), close in
 * steps of one second; quotes surround it with a spread that depends on price, volatility and time of
 * day, and go on through a minute without a bar, where no trade happens. A bar is told only after its
 * minute is over, and nothing before T depends on a bar whose minute starts at or after T: every draw
 * is keyed by (seed, symbol, minute), never by what comes later.
 *
 * Prices move on the tick (0.01 USD, 0.0001 below 1 USD), but open, high, low and close are told as
 * the data has them, off the tick too: real prints are. A bar without volume is a quoted minute: quotes
 * follow it, no trade happens. Prices at or after the last bar stay at its close.
 *
 * Bars in files: every price is at least 0.0001, low <= open, close <= high, times ascend within a
 * file and lie on a minute; a bar that breaks this is an error, never repaired. Bars of a trading day
 * outside regular hours are ignored and counted; bars of a day without a session are an error. Files:
 * - "t,o,h,l,c,v" on the first line: plain CSV, t = RFC 3339.
 * - "# compact bars 1" on the first line: the same rows in a third less bytes. "# date 2022-03-14" begins
 *   a day, rows are "HHMM,o,h,l,c,v" in UTC, "# end N" after the last of N rows proves the file whole;
 *   other lines that begin with # are remarks. An empty field means: HHMM the minute after the row
 *   before, o the close of the row before (both of the same day), c the open, h the larger of open
 *   and close, l the smaller.
 * - Alpaca's answers to /v2/stocks/bars and /v2/stocks/{symbol}/bars with timeframe=1Min, one page a
 *   file; several files may carry one symbol, but no minute twice. vw and n are optional. */
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
    struct usd open, high, low, close;
    struct usd vwap; /* the source's; (high + low + close) / 3 if it has none */
    int64_t volume;
    int64_t trades; /* the source's; a guess from the volume if it has none */
};

struct market_quote {
    struct utc at; /* start of the second it belongs to */
    struct usd bid, ask;
    int64_t bid_size, ask_size; /* shares */
};

/* What the world does to prices, told to everyone alike; NULL slots: nothing. Prices it makes are its
 * own business: on the tick, and bid below ask, if the market is to stay one. */
struct market_quote;
struct market_trade;
struct market_weather {
    void *context;
    void (*quote)(void *context, size_t symbol, struct utc at, struct market_quote *quote);
    void (*trade)(void *context, size_t symbol, struct utc at, struct market_trade *trade);
    bool (*bar)(void *context, size_t symbol, struct market_bar *bar); /* false: no bar */
    bool (*is_halted)(void *context, size_t symbol, struct utc at);
};

struct market_trade {
    struct utc at; /* start of the second it happened in */
    struct usd price;
    int64_t size; /* shares of the whole second */
    int64_t id;   /* ascends with time within a symbol */
};

/* Loads every *.csv (symbol = file name without ending) and *.json (symbols in the text) of a folder;
 * a damaged file is ERR_PARSE naming file, line and remedy. Days on which no symbol has a bar are
 * closed in the market's calendar. Owned. ERR_NOT_FOUND, ERR_IO, ERR_PARSE, ERR_LIMIT, ERR_MEMORY. */
enum err_code market_load(const char *folder, uint64_t seed, struct market **out,
                          struct err *err) MUST_USE;
/* symbol_count symbols named SYM000.. from the session of `first` on for `days` sessions, with
 * volatility, volume and spread shaped over the day. Bars are generated a session at a time, so that
 * memory does not grow with days: minutes of this and the previous session can be asked for, daily bars
 * of the last 30. Asking for a later session moves the market forward. ERR_LIMIT, ERR_RANGE (calendar),
 * ERR_MEMORY. */
enum err_code market_synthetic(uint64_t seed, size_t symbol_count, struct date first, int days,
                               struct market **out, struct err *err) MUST_USE;
/* Makes a synthetic market's days quiet: a fifth of the motion, a trend for each day, no jump, no thin symbol. Before any bar of
 * it was asked for. */
void market_quieten(struct market *market);
void market_destroy(struct market *market);

/* Copied; NULL for calm. Daily bars of synthetic sessions before the last two do not feel it. */
void market_set_weather(struct market *market, const struct market_weather *weather);
/* True while nothing may trade in a symbol though the session is open. */
bool market_is_halted(const struct market *market, size_t symbol, struct utc at);

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
/* Bars of the files that lay outside regular hours and were left out. */
int64_t market_ignored_bars(const struct market *market);

/* False before the first known price. Outside sessions: the last of the session before. `at` may
 * go back at most one session. */
bool market_quote_at(struct market *market, size_t symbol, struct utc at, struct market_quote *out);
/* The last trade at or before `at`. */
bool market_trade_at(struct market *market, size_t symbol, struct utc at, struct market_trade *out);
/* Shares that trade in the second that contains `at`: the bar's volume spread over its seconds,
 * exactly. 0 outside sessions. */
int64_t market_volume_in_second(struct market *market, size_t symbol, struct utc at);
/* The finished minute bar that starts at `at`; false if there is none or it is not over at `now`. */
bool market_bar_at(struct market *market, size_t symbol, struct utc at, struct utc now,
                   struct market_bar *out);
/* Finished bars with from <= start <= to, oldest first, at most max, over before `now`. */
size_t market_bars(struct market *market, size_t symbol, struct utc from, struct utc to,
                   struct utc now, struct market_bar *out, size_t max);
/* The bar of a session so far (or whole, if over): open of the first, high, low, last close, sum, of
 * finished minutes. Its `at` is New York's midnight, as Alpaca stamps daily bars. */
bool market_daily_bar(struct market *market, size_t symbol, struct date date, struct utc now,
                      struct market_bar *out);
/* A daily bar of a weekday before the market's first session, of the last MARKET_BEFORE_DAYS: a stock without a volume
 * could not be bought on its first day. Synthetic: what the symbol's days are drawn from. Real: files say nothing of
 * those days, so each is told as five million shares at the price of its first bar's open, the one thing that is told
 * before its time. False for any other date. */
#define MARKET_BEFORE_DAYS 40
bool market_bar_before(struct market *market, size_t symbol, struct date date,
                       struct market_bar *out);
/* Closing price of the last session before a date; false if there is none. Tells what the date's
 * morning knows: the caller does not ask for a date that has not come. */
bool market_previous_close(struct market *market, size_t symbol, struct date date, struct usd *out);

#endif
