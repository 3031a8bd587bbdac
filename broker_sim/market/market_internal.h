/* market_internal.h - how the files of this room share a market: bars in slots, paths in a cache.
 *
 * A slot is one minute of one session of one symbol; slots of a session lie in a block, and a block
 * is found by the session's number (real bars: every session has its own; synthetic: a ring of
 * BLOCKS_KEPT, so that memory does not grow with days). A path is the minute of one symbol told
 * second by second; it is drawn from (seed, symbol, minute), the slot, and slots before it in its
 * session. */
#ifndef BROKER_SIM_MARKET_MARKET_INTERNAL_H
#define BROKER_SIM_MARKET_MARKET_INTERNAL_H

#include "broker_sim/market/market.h"

#define SESSION_MINUTES 390
#define MINUTE_SECONDS 60
#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define CENT_NANOS INT64_C(10000000)
#define SUBPENNY_NANOS INT64_C(100000) /* Rule 612: quotes below 1 USD move in 0.0001 */
#define BLOCKS_KEPT 4                  /* sessions of synthetic bars in memory, a power of two */
#define DAILY_KEPT 32                  /* daily bars of synthetic sessions in memory */
#define VOLUME_BEFORE 5000000          /* shares of a session before the files begin */
#define VOLUME_MAX INT64_C(4000000000) /* shares in a minute: fits uint32_t */

struct slot {
    int64_t open, high, low, close, vwap; /* nanos; open == 0: no bar in this minute */
    uint32_t volume;
    uint32_t trades;
    int32_t bar_before;    /* slot number of the last bar before this minute, -1 if none */
    int32_t traded_before; /* the same among bars with volume */
};

struct step { /* one second of a path */
    int64_t price, bid, ask;
    uint32_t volume;
    int32_t traded; /* last second up to this one with volume, -1 if none in this minute */
};

struct path {
    int64_t start_ns; /* INT64_MIN: empty */
    uint64_t size_key;
    int64_t depth_lots; /* quoted sizes are 1 to 8 times this many hundreds of shares */
    bool has_trade_before;
    struct market_trade trade_before; /* known where steps[0].traded < 0 */
    struct step steps[MINUTE_SECONDS];
};

struct market_symbol {
    char name[MARKET_SYMBOL_MAX];
    uint64_t key; /* of its random streams; from the name, so that other symbols do not matter */
    int32_t first_session, last_session; /* with a bar */
    int32_t first_slot;                  /* slot number of its first bar */
    struct path paths[2];                /* even and odd minutes */
};

struct synthetic_symbol {
    int64_t close;        /* nanos, last generated */
    double day_motion;    /* standard deviation of a day's return */
    double minute_volume; /* mean shares in a minute */
    int64_t first_close;  /* nanos, before the first session */
    bool is_thin;         /* minutes without a bar occur */
    struct market_bar daily[DAILY_KEPT];
};

struct market {
    uint64_t seed;
    struct calendar calendar;
    struct session *sessions; /* owned, ascending */
    int32_t session_count;
    int32_t hint;                  /* session found last */
    struct market_symbol *symbols; /* owned, by name */
    size_t symbol_count;
    struct slot *slots;                 /* owned: [block][symbol][minute] */
    int64_t ignored;                    /* bars outside regular hours */
    struct synthetic_symbol *synthetic; /* owned; NULL: real bars */
    int32_t generated;                  /* synthetic sessions made so far */
    bool is_quiet;                      /* see market_quieten() */
    struct market_weather weather;      /* its functions are NULL in calm */
};

/* A slot's number is session * SESSION_MINUTES + minute. */
static inline int32_t slot_number(int32_t session, int32_t minute) {
    return session * SESSION_MINUTES + minute;
}
static inline struct slot *market_slot(const struct market *market, size_t symbol, int32_t number) {
    int32_t session = number / SESSION_MINUTES;
    int32_t block = market->synthetic == NULL ? session : session & (BLOCKS_KEPT - 1);
    size_t row = (size_t)block * market->symbol_count + symbol;
    return &market->slots[row * SESSION_MINUTES + (size_t)(number % SESSION_MINUTES)];
}
static inline int64_t price_tick(int64_t price) {
    return price < NANOS ? SUBPENNY_NANOS : CENT_NANOS;
}
static inline int32_t session_minutes(const struct session *session) {
    return (int32_t)((session->close.ns - session->open.ns) / MINUTE_NS);
}

/* Number of the last session that opened at or before `at`, -1 if none. */
int32_t market_session_at(const struct market *market, struct utc at);
/* True if the session's bars are in memory; a synthetic market moves forward to it. */
bool market_reach(struct market *market, int32_t session);
/* Links every slot of a session to the bars before it; sessions in ascending order. */
void market_link(struct market *market, size_t symbol, int32_t session, int32_t *bar_before,
                 int32_t *traded_before);
/* Sets a symbol's name, its key, and empties its paths. The name fits. */
void market_name_symbol(struct market_symbol *symbol, const char *name);
/* The minute bar of a symbol's slot, as the weather leaves it; false if it has none. */
bool market_bar_of(const struct market *market, size_t symbol, int32_t number,
                   struct market_bar *out);
/* All finished bars of a session as one; false if there are none. */
bool market_sum_session(const struct market *market, size_t symbol, int32_t session, struct utc now,
                        struct market_bar *out);
/* Tells the minute of a slot at or after the symbol's first bar, its session in memory. */
void path_draw(const struct market *market, size_t symbol, int32_t number, struct path *out);
/* Makes the next synthetic session. */
void synthetic_generate(struct market *market);
/* Trades that stand behind a volume when the source does not say: hundreds of shares. */
static inline uint32_t estimated_trades(int64_t volume) {
    return (uint32_t)((volume + 99) / 100);
}

#endif
