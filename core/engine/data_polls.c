/* data_polls.c - quotes, trades, bars and snapshots: each asked when smart_poller lets it, for whom it lets. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

static const char MECHANISM[] = "smart_poller";

struct wanted { /* symbols of one request */
    char symbols[CONFIG_SYMBOLS_MAX][SYMBOL_MAX];
    size_t index[CONFIG_SYMBOLS_MAX]; /* in the universe */
    size_t count;
    bool is_spare; /* one of them is neither held nor has an order */
};

/* Held, with an order, or between two orders of an entry that is worked: what may be asked at any
 * time. What was sold stays in the book until a listing says so, and in an outage none does: it waits like the rest. Of
 * what the universe does not list no price is asked at all. */
static bool is_vital(struct engine *engine, size_t index) {
    const char *symbol = engine->config->symbols[index];
    const struct holding *holding = book_look(&engine->book, symbol);
    return (holding != NULL && holding_is_held(holding)) ||
           orders_any_live(&engine->orders, symbol) ||
           engine->gateway.maker.items[index].id[0] != '\0';
}

static void want(struct engine *engine, bool is_all, struct wanted *wanted) {
    const struct config *config = engine->config;
    wanted->count = 0;
    wanted->is_spare = false;
    for (size_t i = 0; i < config->symbol_count; i++) {
        const bool is_needed = is_vital(engine, i);
        if (is_all || is_needed) {
            memcpy(wanted->symbols[wanted->count], config->symbols[i], SYMBOL_MAX);
            wanted->index[wanted->count++] = i;
            wanted->is_spare |= !is_needed;
        }
    }
}

static void tell(struct engine *engine, enum poll_line line, const char *what, const char *why) {
    const struct read_backoff *backoff = &engine->poller.backoffs[line];
    struct text members = {.limit = 1024};
    text_member_string(&members, "why", why);
    text_member_int(&members, "failures", backoff->failures);
    log_mechanism(&engine->log, MECHANISM, what, "", poll_line_word(line), text_get(&members));
    text_release(&members);
}

/* A reason of waiting is said once, and so is the next. */
static void heed_hold(struct engine *engine, enum poll_line line, enum poll_hold hold) {
    if (hold != POLL_FREE && engine->poll_told[line] != hold) {
        tell(engine, line, "held", poll_hold_word(hold));
    }
    engine->poll_told[line] = hold;
}

/* What may be asked in this tick, none if count is 0. All symbols in a cycle, where entries are made;
 * those that an exit may need at any time. */
static void begin(struct engine *engine, enum poll_line line, struct wanted *wanted) {
    struct mono now = clock_mono(engine->world->clock);
    enum poll_hold hold = smart_poller_holds(&engine->poller, line, engine->config, now);
    want(engine, engine->is_cycle, wanted);
    if (wanted->is_spare) {
        heed_hold(engine, line, hold);
    }
    if (wanted->is_spare && hold != POLL_FREE) {
        want(engine, false, wanted);
    }
    MUTATE(exit_bound_by_poller, if (hold != POLL_FREE) wanted->count = 0);
    if (wanted->count > 0) {
        smart_poller_start(&engine->poller, line, now);
    }
}

static int64_t requests_of(const struct engine *engine, enum poll_line line) {
    static const enum alpaca_endpoint endpoints[] = {ENDPOINT_QUOTES, ENDPOINT_TRADES,
                                                     ENDPOINT_BARS, ENDPOINT_SNAPSHOTS};
    return alpaca_meter(engine->alpaca, endpoints[line])->requests;
}

/* What came of it; before are requests_of() when it began. True if what is held is to be asked apart. */
static bool end(struct engine *engine, enum poll_line line, const struct wanted *wanted,
                int64_t before, enum err_code code) {
    const struct poll_outcome outcome = {.code = code,
                                         .reply = alpaca_reply(engine->alpaca),
                                         .requests = requests_of(engine, line) - before,
                                         .is_spare = wanted->is_spare};
    enum poll_news news =
        smart_poller_note(&engine->poller, line, engine->config, &outcome, engine->world->entropy);
    if (news != POLL_SAME) {
        tell(engine, line, news == POLL_SLOWED ? "acted" : "released",
             news == POLL_SLOWED ? engine->read_err.text : "it answers");
    }
    return smart_poller_asks_apart(&outcome);
}

static bool ask_quotes(struct engine *engine, struct wanted *wanted) {
    struct broker_quote quotes[CONFIG_SYMBOLS_MAX];
    const char(*asked)[SYMBOL_MAX] = (const char(*)[SYMBOL_MAX])wanted->symbols;
    int64_t before = requests_of(engine, POLL_QUOTES);
    enum err_code code =
        alpaca_get_quotes(engine->alpaca, asked, wanted->count, quotes, &engine->read_err);
    heed_outcome(engine, READ_QUOTES, code);
    bool is_apart = end(engine, POLL_QUOTES, wanted, before, code);
    for (size_t i = 0; i < wanted->count && code == ERR_OK; i++) {
        engine->truth.quotes[wanted->index[i]] = quotes[i];
    }
    return is_apart;
}

static bool ask_trades(struct engine *engine, struct wanted *wanted) {
    struct broker_trade trades[CONFIG_SYMBOLS_MAX];
    const char(*asked)[SYMBOL_MAX] = (const char(*)[SYMBOL_MAX])wanted->symbols;
    int64_t before = requests_of(engine, POLL_TRADES);
    enum err_code code =
        alpaca_get_trades(engine->alpaca, asked, wanted->count, trades, &engine->read_err);
    heed_outcome(engine, READ_TRADES, code);
    bool is_apart = end(engine, POLL_TRADES, wanted, before, code);
    for (size_t i = 0; i < wanted->count && code == ERR_OK; i++) {
        engine->truth.trades[wanted->index[i]] = trades[i];
    }
    return is_apart;
}

struct bars_read {
    struct engine *engine;
    const struct wanted *wanted;
    struct utc now, newest;
};

static void take_bar(void *context, size_t asked, const struct broker_bar *bar) {
    struct bars_read *read = context;
    struct engine *engine = read->engine;
    size_t index = read->wanted->index[asked];
    if (utc_is_before(read->now, bar->at)) {
        return; /* of a time to come: none of ours, or by a wall that is behind */
    }
    bars_add(engine->bars, index, bar);
    if (bar->at.ns > engine->truth.last_bar_at[index].ns) {
        engine->truth.last_bar_at[index] = bar->at;
        engine->truth.last_close[index] = bar->close;
    }
    read->newest = utc_max(read->newest, bar->at);
    MUTATE(bars_of_a_failed_read_are_all, engine->bars_from = utc_max(engine->bars_from, bar->at));
}

/* A read that failed behind its first page, or that was of some symbols alone, did not say all bars up to the newest
 * it showed: the next one asks from the same instant. A single bar that nobody can read is no failure of it: it reads no
 * better when it is asked for again. An answer of none but such is one. */
static bool ask_bars(struct engine *engine, struct wanted *wanted) {
    struct utc now = clock_utc(engine->world->clock);
    struct bars_read read = {.engine = engine, .wanted = wanted, .now = now};
    if (utc_is_before(now, engine->bars_from)) {
        engine->bars_from = (struct utc){0}; /* of a wall that was ahead */
    }
    struct utc from = utc_max(engine->bars_from, utc_add(now, SPAN_MIN(-90)));
    int64_t pages =
        smart_poller_pages(&engine->poller, engine->config, clock_mono(engine->world->clock));
    int64_t before = requests_of(engine, POLL_BARS);
    enum err_code code =
        alpaca_get_bars(engine->alpaca, (const char(*)[SYMBOL_MAX])wanted->symbols, wanted->count,
                        from, pages, take_bar, &read, &engine->read_err);
    bool is_whole = code == ERR_OK || alpaca_reply(engine->alpaca)->is_whole;
    if (is_whole && wanted->count == engine->config->symbol_count) {
        engine->bars_from = utc_max(engine->bars_from, read.newest);
    }
    return end(engine, POLL_BARS, wanted, before, is_whole ? ERR_OK : code);
}

/* One symbol that the host cannot tell of costs those that are held no price: they are asked apart. */
static void poll(struct engine *engine, enum poll_line line) {
    static bool (*const asks[])(struct engine *, struct wanted *) = {ask_quotes, ask_trades,
                                                                     ask_bars};
    struct wanted wanted;
    begin(engine, line, &wanted);
    if (wanted.count == 0 || !asks[line](engine, &wanted)) {
        return;
    }
    want(engine, false, &wanted);
    if (wanted.count > 0) {
        smart_poller_start(&engine->poller, line, clock_mono(engine->world->clock));
        (void)asks[line](engine, &wanted);
    }
}

/* --- snapshots --- */

static void want_gaps(struct engine *engine, struct wanted *wanted) {
    const struct config *config = engine->config;
    struct utc now = clock_utc(engine->world->clock);
    wanted->count = 0;
    wanted->is_spare = true;
    for (size_t i = 0; i < config->symbol_count; i++) {
        if (!is_vital(engine, i) &&
            signal_cache_has_gap(engine->signals, i, now, config->signals_fill)) {
            memcpy(wanted->symbols[wanted->count], config->symbols[i], SYMBOL_MAX);
            wanted->index[wanted->count++] = i;
        }
    }
}

static void ask_snapshots(struct engine *engine, const struct wanted *wanted) {
    struct broker_bar bars[CONFIG_SYMBOLS_MAX];
    const char(*asked)[SYMBOL_MAX] = (const char(*)[SYMBOL_MAX])wanted->symbols;
    int64_t before = requests_of(engine, POLL_SNAPSHOTS);
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER); /* a 429 of it shuts no lane of the truth */
    enum err_code code =
        alpaca_get_snapshots(engine->alpaca, asked, wanted->count, bars, &engine->read_err);
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    (void)end(engine, POLL_SNAPSHOTS, wanted, before, code);
    struct utc now = clock_utc(engine->world->clock);
    for (size_t i = 0; i < wanted->count && code == ERR_OK; i++) {
        signal_cache_fill(engine->signals, wanted->index[i], &bars[i], now);
        signal_cache_score(engine->signals, engine->strategy, engine->bars, wanted->index[i], now);
    }
}

void poll_snapshots(struct engine *engine) {
    struct mono now = clock_mono(engine->world->clock);
    enum poll_hold hold = smart_poller_holds(&engine->poller, POLL_SNAPSHOTS, engine->config, now);
    struct wanted wanted;
    want_gaps(engine, &wanted);
    if (wanted.count == 0) {
        return;
    }
    heed_hold(engine, POLL_SNAPSHOTS, hold);
    if (hold == POLL_FREE) {
        smart_poller_start(&engine->poller, POLL_SNAPSHOTS, now);
        ask_snapshots(engine, &wanted);
    }
}

void poll_prices(struct engine *engine) {
    poll(engine, POLL_QUOTES);
    poll(engine, POLL_TRADES);
}

void poll_bars(struct engine *engine) {
    poll(engine, POLL_BARS);
}
