/* bar_set.h - bars as read from files, before a market is built of them. */
#ifndef BROKER_SIM_MARKET_BAR_SET_H
#define BROKER_SIM_MARKET_BAR_SET_H

#include "broker_sim/market/market.h"

struct bar_series {
    char name[MARKET_SYMBOL_MAX];
    struct market_bar *bars; /* owned */
    size_t count, cap;
    struct utc last_at; /* of the file being read; its bars ascend */
};

struct bar_set { /* zero-initialise; release with bar_set_release() */
    struct bar_series series[MARKET_SYMBOLS_MAX];
    size_t count;
    int64_t ignored;      /* bars outside regular hours */
    struct session hours; /* session of the bar read last */
};

void bar_set_release(struct bar_set *set);
/* The series of a symbol, made if new and set to the start of a file. ERR_PARSE for a name that is
 * no symbol, ERR_LIMIT. */
enum err_code bar_set_begin(struct bar_set *set, const char *name, struct bar_series **out,
                            struct err *err) MUST_USE;
/* Checks a bar and keeps it, or counts it as ignored. vwap and trades of 0 are filled in. ERR_PARSE
 * says what is wrong and what to do, not where. */
enum err_code bar_set_add(struct bar_set *set, struct bar_series *series, struct market_bar bar,
                          struct err *err) MUST_USE;

/* Reads the content of one file; errors name the line or the bar, not the file. content[n] is NUL,
 * and the content is changed while it is read. */
enum err_code bars_read_csv(struct bar_set *set, const char *symbol, char *content, size_t n,
                            struct err *err) MUST_USE;
enum err_code bars_read_json(struct bar_set *set, const char *content, size_t n,
                             struct err *err) MUST_USE;

#endif
