/* parse_data.c - quotes, trades and bars of the Market Data API: numbers, short keys
 * (alpaca-api.md, section 8). A negative amount is ERR_PARSE; a zero price is no quote. */
#include "core/alpaca/parse.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static enum err_code check_sign(const char *key, int64_t nanos, struct err *err) {
    return nanos >= 0 ? ERR_OK : err_set(err, ERR_PARSE, "%s: below zero", key);
}

enum err_code parse_quote(const cJSON *tree, struct broker_quote *out, struct err *err) {
    struct broker_quote quote = {.is_known = true};
    static const struct field fields[] = {
        FIELD(struct broker_quote, at, "t", FIELD_UTC, true),
        FIELD(struct broker_quote, ask, "ap", FIELD_USD, true),
        FIELD(struct broker_quote, ask_size, "as", FIELD_QTY, false),
        FIELD(struct broker_quote, bid, "bp", FIELD_USD, true),
        FIELD(struct broker_quote, bid_size, "bs", FIELD_QTY, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &quote, err) != ERR_OK ||
        check_sign("ap", quote.ask.nanos, err) != ERR_OK ||
        check_sign("as", quote.ask_size.nanos, err) != ERR_OK ||
        check_sign("bp", quote.bid.nanos, err) != ERR_OK ||
        check_sign("bs", quote.bid_size.nanos, err) != ERR_OK) {
        return ERR_PARSE;
    }
    *out = quote;
    return ERR_OK;
}

enum err_code parse_trade(const cJSON *tree, struct broker_trade *out, struct err *err) {
    struct broker_trade trade = {.is_known = true};
    static const struct field fields[] = {
        FIELD(struct broker_trade, at, "t", FIELD_UTC, true),
        FIELD(struct broker_trade, price, "p", FIELD_USD, true),
        FIELD(struct broker_trade, size, "s", FIELD_QTY, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &trade, err) != ERR_OK ||
        check_sign("p", trade.price.nanos, err) != ERR_OK ||
        check_sign("s", trade.size.nanos, err) != ERR_OK) {
        return ERR_PARSE;
    }
    trade.is_known = trade.price.nanos > 0;
    *out = trade;
    return ERR_OK;
}

enum err_code parse_bar(const cJSON *tree, struct broker_bar *out, struct err *err) {
    struct broker_bar bar = {0};
    static const struct field fields[] = {
        FIELD(struct broker_bar, at, "t", FIELD_UTC, true),
        FIELD(struct broker_bar, open, "o", FIELD_USD, true),
        FIELD(struct broker_bar, high, "h", FIELD_USD, true),
        FIELD(struct broker_bar, low, "l", FIELD_USD, true),
        FIELD(struct broker_bar, close, "c", FIELD_USD, true),
        FIELD(struct broker_bar, volume, "v", FIELD_COUNT, true),
    };
    if (parse_object(tree, fields, COUNT(fields), &bar, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (bar.low.nanos <= 0 || bar.high.nanos < bar.low.nanos || bar.open.nanos <= 0 ||
        bar.close.nanos <= 0) {
        return err_set(err, ERR_PARSE, "o, h, l, c: not the prices of a bar");
    }
    *out = bar;
    return ERR_OK;
}

enum err_code parse_action_day(const cJSON *tree, struct date *out, struct err *err) {
    struct wire {
        struct date ex, effective, process;
        bool has_ex, has_effective, has_process;
    } wire = {0};
    static const struct field fields[] = {
        FIELD_FLAGGED(struct wire, ex, has_ex, "ex_date", FIELD_DATE),
        FIELD_FLAGGED(struct wire, effective, has_effective, "effective_date", FIELD_DATE),
        FIELD_FLAGGED(struct wire, process, has_process, "process_date", FIELD_DATE),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (!wire.has_ex && !wire.has_effective && !wire.has_process) {
        return err_set(err, ERR_PARSE, "ex_date, effective_date, process_date: missing");
    }
    *out = wire.has_ex ? wire.ex : wire.has_effective ? wire.effective : wire.process;
    return ERR_OK;
}
