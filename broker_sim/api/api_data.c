/* api_data.c - market data: latest quotes, trades and bars, snapshots, historical bars. */
#include "broker_sim/api/api_internal.h"

#include <stdio.h>

/* --- one of each --- */

static void put_bar(struct text *out, const struct market_bar *bar) {
    API_PUT(out, "{\"t\":");
    api_put_time(out, bar->at);
    API_PUT(out, ",\"o\":");
    api_put_number(out, bar->open.nanos);
    API_PUT(out, ",\"h\":");
    api_put_number(out, bar->high.nanos);
    API_PUT(out, ",\"l\":");
    api_put_number(out, bar->low.nanos);
    API_PUT(out, ",\"c\":");
    api_put_number(out, bar->close.nanos);
    API_PUT(out, ",\"v\":");
    text_add_int(out, bar->volume);
    API_PUT(out, ",\"n\":");
    text_add_int(out, bar->trades);
    API_PUT(out, ",\"vw\":");
    api_put_number(out, bar->vwap.nanos);
    API_PUT(out, "}");
}

static bool put_trade(struct text *out, struct broker *broker, size_t symbol) {
    struct market_trade trade;
    if (!market_trade_at(broker->market, symbol, broker->exchange.now, &trade)) {
        return false;
    }
    API_PUT(out, "{\"t\":");
    api_put_time(out, trade.at);
    API_PUT(out, ",\"x\":\"V\",\"p\":");
    api_put_number(out, trade.price.nanos);
    API_PUT(out, ",\"s\":");
    text_add_int(out, trade.size);
    API_PUT(out, ",\"c\":[\"@\"],\"i\":");
    text_add_int(out, trade.id);
    API_PUT(out, ",\"z\":\"C\"}");
    return true;
}

static bool put_quote(struct text *out, struct broker *broker, size_t symbol) {
    struct market_quote quote;
    if (!market_quote_at(broker->market, symbol, broker->exchange.now, &quote)) {
        return false;
    }
    if (broker->exchange.weather.told != NULL) {
        broker->exchange.weather.told(broker->exchange.weather.context, symbol, &quote);
    }
    API_PUT(out, "{\"t\":");
    api_put_time(out, quote.at);
    API_PUT(out, ",\"ax\":\"V\",\"ap\":");
    api_put_number(out, quote.ask.nanos);
    API_PUT(out, ",\"as\":");
    text_add_int(out, quote.ask_size);
    API_PUT(out, ",\"bx\":\"V\",\"bp\":");
    api_put_number(out, quote.bid.nanos);
    API_PUT(out, ",\"bs\":");
    text_add_int(out, quote.bid_size);
    API_PUT(out, ",\"c\":[\"R\"],\"z\":\"C\"}");
    return true;
}

/* The last finished minute bar of today or of the last session. */
static bool find_latest_bar(struct broker *broker, size_t symbol, struct market_bar *out) {
    struct utc now = broker->exchange.now;
    struct market_trade trade;
    int64_t minute = SPAN_MIN(1).ns;
    int64_t from = now.ns - SPAN_MIN(5).ns;
    struct market_bar bars[8];
    size_t n = market_bars(broker->market, symbol, (struct utc){from / minute * minute}, now, now,
                           bars, 8);
    if (n > 0) {
        *out = bars[n - 1];
        return true;
    }
    /* thin symbol or closed market: the minute of the last trade, or the one before it */
    if (!market_trade_at(broker->market, symbol, now, &trade)) {
        return false;
    }
    int64_t at = trade.at.ns / minute * minute;
    for (int back = 0; back < 30; back++, at -= minute) {
        if (market_bar_at(broker->market, symbol, (struct utc){at}, now, out)) {
            return true;
        }
    }
    return false;
}

static bool put_latest_bar(struct text *out, struct broker *broker, size_t symbol) {
    struct market_bar bar;
    if (!find_latest_bar(broker, symbol, &bar)) {
        return false;
    }
    put_bar(out, &bar);
    return true;
}

/* --- latest of many, and of one --- */

typedef bool put_one(struct text *out, struct broker *broker, size_t symbol);

/* Writes {"name":{"SYM":{...},...}}; symbols without a value, and unknown ones, are left out. */
static void put_latest(struct api_call *call, const char *name, put_one *put) {
    char symbols[API_SYMBOLS_TEXT_MAX];
    if (!api_query(call, "symbols", symbols, sizeof symbols) || symbols[0] == '\0') {
        api_error(call, 400, 0, "symbols is required");
        return;
    }
    struct text *out = call->out;
    bool is_told[MARKET_SYMBOLS_MAX] = {false};
    bool is_first = true;
    text_add(out, "{\"");
    text_add(out, name);
    text_add(out, "\":{");
    char *rest = symbols;
    for (const char *symbol = NULL; api_next_name(&rest, &symbol);) {
        int index = market_find(call->broker->market, symbol);
        if (index < 0 || is_told[index]) {
            continue;
        }
        size_t before = out->len;
        text_add(out, is_first ? "\"" : ",\"");
        text_add(out, symbol); /* a name of the market: nothing to escape */
        API_PUT(out, "\":");
        if (!put(out, call->broker, (size_t)index)) {
            out->len = before;
            continue;
        }
        is_told[index] = true;
        is_first = false;
    }
    API_PUT(out, "}}");
}

static void put_latest_of(struct api_call *call, const char *name, put_one *put) {
    int symbol = market_find(call->broker->market, call->param);
    struct text *out = call->out;
    text_add(out, "{\"");
    text_add(out, name);
    text_add(out, "\":");
    if (symbol < 0 || !put(out, call->broker, (size_t)symbol)) {
        api_error(call, 404, 0, "no %s found for %.32s", name, call->param);
        return;
    }
    api_put_string_member(out, "symbol", call->param);
    API_PUT(out, "}");
}

void api_latest_quotes(struct api_call *call) {
    put_latest(call, "quotes", put_quote);
}

void api_latest_trades(struct api_call *call) {
    put_latest(call, "trades", put_trade);
}

void api_latest_bars(struct api_call *call) {
    put_latest(call, "bars", put_latest_bar);
}

void api_latest_quote_of(struct api_call *call) {
    put_latest_of(call, "quote", put_quote);
}

void api_latest_trade_of(struct api_call *call) {
    put_latest_of(call, "trade", put_trade);
}

void api_latest_bar_of(struct api_call *call) {
    put_latest_of(call, "bar", put_latest_bar);
}

/* --- snapshots --- */

static void put_or_null(struct text *out, struct broker *broker, size_t symbol, put_one *put) {
    if (!put(out, broker, symbol)) {
        API_PUT(out, "null");
    }
}

/* Daily bars of the session of now (or the last one) and of the session before it. */
static bool put_daily(struct text *out, struct broker *broker, size_t symbol) {
    struct utc now = broker->exchange.now;
    struct market_bar bar;
    struct date date = ny_date(now);
    for (int back = 0; back < 10; back++, date = date_add(date, -1)) {
        if (market_daily_bar(broker->market, symbol, date, now, &bar)) {
            put_bar(out, &bar);
            return true;
        }
    }
    return false;
}

static bool put_previous_daily(struct text *out, struct broker *broker, size_t symbol) {
    struct utc now = broker->exchange.now;
    struct market_bar bar;
    struct date date = ny_date(now);
    bool is_second = false;
    for (int back = 0; back < 15; back++, date = date_add(date, -1)) {
        if (!market_daily_bar(broker->market, symbol, date, now, &bar)) {
            continue;
        }
        if (is_second) {
            put_bar(out, &bar);
            return true;
        }
        is_second = true;
    }
    return false;
}

static void put_snapshot(struct text *out, struct broker *broker, size_t symbol) {
    API_PUT(out, "\"latestTrade\":");
    put_or_null(out, broker, symbol, put_trade);
    API_PUT(out, ",\"latestQuote\":");
    put_or_null(out, broker, symbol, put_quote);
    API_PUT(out, ",\"minuteBar\":");
    put_or_null(out, broker, symbol, put_latest_bar);
    API_PUT(out, ",\"dailyBar\":");
    put_or_null(out, broker, symbol, put_daily);
    API_PUT(out, ",\"prevDailyBar\":");
    put_or_null(out, broker, symbol, put_previous_daily);
    API_PUT(out, "}");
}

void api_snapshots(struct api_call *call) {
    char symbols[API_SYMBOLS_TEXT_MAX];
    if (!api_query(call, "symbols", symbols, sizeof symbols) || symbols[0] == '\0') {
        api_error(call, 400, 0, "symbols is required");
        return;
    }
    struct text *out = call->out;
    bool is_first = true;
    API_PUT(out, "{");
    char *rest = symbols;
    for (const char *symbol = NULL; api_next_name(&rest, &symbol);) {
        text_add(out, is_first ? "" : ",");
        is_first = false;
        text_add_json_string(out, symbol);
        int index = market_find(call->broker->market, symbol);
        if (index < 0) {
            API_PUT(out, ":null"); /* fact 15 */
            continue;
        }
        API_PUT(out, ":{");
        put_snapshot(out, call->broker, (size_t)index);
    }
    API_PUT(out, "}");
}

void api_snapshot_of(struct api_call *call) {
    int symbol = market_find(call->broker->market, call->param);
    if (symbol < 0) {
        api_error(call, 404, 0, "no snapshot found for %.32s", call->param);
        return;
    }
    API_PUT(call->out, "{\"symbol\":");
    text_add_json_string(call->out, call->param);
    API_PUT(call->out, ",");
    put_snapshot(call->out, call->broker, (size_t)symbol);
}

/* --- historical bars --- */

enum { CHUNK = 390 }; /* minutes of a session */

struct bar_query {
    bool is_daily, is_descending;
    struct utc start, end; /* both inclusive */
    int64_t limit;
    /* where a page goes on: behind this bar of this symbol; "" at the start */
    char token_symbol[MARKET_SYMBOL_MAX];
    struct utc token_at;
};

struct bar_page {
    int64_t left;       /* bars the page may still tell */
    bool is_full;       /* a bar was found that no longer fits */
    struct utc last_at; /* of the last bar told */
    size_t last_symbol;
};

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; /* RFC 4648 5 */

static void encode_token(const char *plain, char *out) {
    uint32_t bits = 0;
    int count = 0;
    for (; *plain != '\0'; plain++) {
        bits = bits << 8 | (unsigned char)*plain;
        for (count += 8; count >= 6; count -= 6) {
            *out++ = base64_digits[bits >> (count - 6) & 63];
        }
    }
    if (count > 0) {
        *out++ = base64_digits[bits << (6 - count) & 63];
    }
    *out = '\0';
}

static bool decode_token(const char *coded, char *out, size_t size) {
    uint32_t bits = 0;
    int count = 0;
    size_t n = 0;
    for (; *coded != '\0'; coded++) {
        const char *digit = strchr(base64_digits, *coded);
        if (digit == NULL || n + 2 > size) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[n++] = (char)(bits >> count & 255);
        }
    }
    out[n] = '\0';
    return true;
}

/* A token is "SYM|M|2026-09-01T13:30:00Z" in base64: the last bar told. */
static bool read_token(const char *coded, struct bar_query *out) {
    char plain[80];
    if (!decode_token(coded, plain, sizeof plain)) {
        return false;
    }
    char *bar = strchr(plain, '|');
    if (bar == NULL || bar == plain || bar - plain >= MARKET_SYMBOL_MAX || bar[1] == '\0' ||
        bar[2] != '|') {
        return false;
    }
    *bar = '\0';
    memcpy(out->token_symbol, plain, (size_t)(bar - plain) + 1);
    return utc_parse(bar + 3, &out->token_at, NULL) == ERR_OK;
}

static void put_token(struct text *out, const struct broker *broker, const struct bar_query *query,
                      const struct bar_page *page) {
    char at[UTC_TEXT_MAX];
    char plain[80];
    char coded[128];
    utc_print(page->last_at, at);
    snprintf(plain, sizeof plain, "%s|%c|%s", market_symbol(broker->market, page->last_symbol),
             query->is_daily ? 'D' : 'M', at);
    encode_token(plain, coded);
    text_add_json_string(out, coded);
}

static bool is_daily_word(const char *word) {
    return strcmp(word, "1Day") == 0 || strcmp(word, "1D") == 0;
}

static bool read_bar_query(struct api_call *call, struct bar_query *out) {
    char text[128] = "";
    struct utc now = api_now(call);
    *out = (struct bar_query){.start = ny_to_utc(ny_date(now), 0, 0), .end = now};
    (void)api_query(call, "timeframe", text, sizeof text);
    out->is_daily = is_daily_word(text);
    if (!out->is_daily && strcmp(text, "1Min") != 0 && strcmp(text, "1T") != 0) {
        api_error(call, 400, 0, "invalid timeframe: '%.32s'", text);
        return false;
    }
    if (!api_query_int(call, "limit", 1, 10000, 1000, &out->limit)) {
        api_error(call, 400, 0, "invalid limit: larger than the allowed maximum of 10000");
        return false;
    }
    if (!api_query_time(call, "start", &out->start) || !api_query_time(call, "end", &out->end)) {
        api_error(call, 400, 0, "invalid start or end: an RFC 3339 time or a date expected");
        return false;
    }
    if (out->end.ns < out->start.ns) {
        api_error(call, 400, 0, "end should not be before start");
        return false;
    }
    if (api_query(call, "sort", text, sizeof text)) {
        out->is_descending = strcmp(text, "desc") == 0;
    }
    if (api_query(call, "page_token", text, sizeof text) && text[0] != '\0' &&
        !read_token(text, out)) {
        api_error(call, 400, 0, "invalid page_token");
        return false;
    }
    return true;
}

/* Tells bars in the order given until the page is full. */
static void put_bars(struct text *out, size_t symbol, const struct bar_query *query,
                     const struct market_bar *bars, size_t n, struct bar_page *page,
                     bool *is_first) {
    for (size_t i = 0; i < n && !page->is_full; i++) {
        if (page->left == 0) {
            page->is_full = true;
            return;
        }
        const struct market_bar *bar = &bars[query->is_descending ? n - 1 - i : i];
        text_add(out, *is_first ? "" : ",");
        *is_first = false;
        put_bar(out, bar);
        page->left--;
        page->last_at = bar->at;
        page->last_symbol = symbol;
    }
}

/* Finished bars of one New York date inside [from, to]. */
static size_t bars_of_date(struct broker *broker, size_t symbol, const struct bar_query *query,
                           struct date date, struct utc from, struct utc to,
                           struct market_bar bars[CHUNK]) {
    struct session session;
    if (!calendar_session(market_calendar(broker->market), date, &session)) {
        return 0;
    }
    struct utc now = broker->exchange.now;
    if (query->is_daily) {
        return (market_daily_bar(broker->market, symbol, date, now, bars) ||
                market_bar_before(broker->market, symbol, date, bars)) &&
               bars->at.ns >= from.ns && bars->at.ns <= to.ns;
    }
    from.ns = from.ns < session.open.ns ? session.open.ns : from.ns;
    to.ns = to.ns >= session.close.ns ? session.close.ns - 1 : to.ns;
    if (from.ns > to.ns) {
        return 0;
    }
    return market_bars(broker->market, symbol, from, to, now, bars, CHUNK);
}

/* Tells the bars of one symbol; true if there was one. */
static bool put_symbol_bars(struct text *out, struct broker *broker, size_t symbol,
                            const struct bar_query *query, struct bar_page *page) {
    struct utc from = query->start;
    struct utc to = query->end.ns < broker->exchange.now.ns ? query->end : broker->exchange.now;
    if (strcmp(query->token_symbol, market_symbol(broker->market, symbol)) == 0) {
        if (query->is_descending) {
            to.ns = query->token_at.ns - 1 < to.ns ? query->token_at.ns - 1 : to.ns;
        } else {
            from.ns = query->token_at.ns + 1 > from.ns ? query->token_at.ns + 1 : from.ns;
        }
    }
    struct date first = market_first_date(broker->market);
    struct date low = ny_date(from);
    struct date high = ny_date(to);
    first = query->is_daily ? date_add(first, -MARKET_BEFORE_DAYS) : first;
    low = low.days < first.days ? first : low;
    bool is_first = true;
    struct market_bar bars[CHUNK];
    for (int32_t i = 0; i <= high.days - low.days && !page->is_full; i++) {
        struct date date = query->is_descending ? date_add(high, -i) : date_add(low, i);
        size_t n = bars_of_date(broker, symbol, query, date, from, to, bars);
        put_bars(out, symbol, query, bars, n, page, &is_first);
    }
    return !is_first;
}

static void put_next_page(struct text *out, const struct broker *broker,
                          const struct bar_query *query, const struct bar_page *page) {
    API_PUT(out, ",\"next_page_token\":");
    if (page->is_full) {
        put_token(out, broker, query, page);
    } else {
        API_PUT(out, "null");
    }
    API_PUT(out, "}");
}

/* Marks the known symbols of a list; the answer goes through them in byte order of names. */
static void mark_symbols(const struct broker *broker, char *symbols,
                         bool is_wanted[MARKET_SYMBOLS_MAX]) {
    char *rest = symbols;
    for (const char *symbol = NULL; api_next_name(&rest, &symbol);) {
        int index = market_find(broker->market, symbol);
        if (index >= 0) {
            is_wanted[index] = true;
        }
    }
}

void api_bars(struct api_call *call) {
    struct broker *broker = call->broker;
    char symbols[API_SYMBOLS_TEXT_MAX];
    bool is_wanted[MARKET_SYMBOLS_MAX] = {false};
    struct bar_query query;
    if (!api_query(call, "symbols", symbols, sizeof symbols) || symbols[0] == '\0') {
        api_error(call, 400, 0, "symbols is required");
        return;
    }
    if (!read_bar_query(call, &query)) {
        return;
    }
    mark_symbols(broker, symbols, is_wanted);
    struct text *out = call->out;
    struct bar_page page = {.left = query.limit};
    bool is_first = true;
    API_PUT(out, "{\"bars\":{");
    for (size_t i = 0; i < market_symbol_count(broker->market) && !page.is_full; i++) {
        const char *name = market_symbol(broker->market, i);
        if (!is_wanted[i] || strcmp(name, query.token_symbol) < 0) {
            continue;
        }
        size_t before = out->len;
        text_add(out, is_first ? "\"" : ",\"");
        text_add(out, name);
        API_PUT(out, "\":[");
        if (put_symbol_bars(out, broker, i, &query, &page)) {
            is_first = false;
            API_PUT(out, "]");
        } else {
            out->len = before;
        }
    }
    API_PUT(out, "}");
    put_next_page(out, broker, &query, &page);
}

void api_bars_of(struct api_call *call) {
    struct bar_query query;
    if (!read_bar_query(call, &query)) {
        return;
    }
    struct broker *broker = call->broker;
    struct text *out = call->out;
    struct bar_page page = {.left = query.limit};
    int symbol = market_find(broker->market, call->param);
    API_PUT(out, "{\"bars\":");
    size_t before = out->len;
    API_PUT(out, "[");
    if (symbol >= 0 && put_symbol_bars(out, broker, (size_t)symbol, &query, &page)) {
        API_PUT(out, "]");
    } else {
        out->len = before;
        API_PUT(out, "null"); /* fact 16 */
    }
    api_put_string_member(out, "symbol", call->param);
    put_next_page(out, broker, &query, &page);
}
