/* api_actions.c - GET /v1/corporate-actions: the dividends that the weather announces (alpaca-api.md 6.5 and
 * the OpenAPI of 2026-06: kinds that have no action are left out; an interval is of process dates). */
#include "broker_sim/api/api_internal.h"

#include "core/base/hash.h"

enum { PROCESSED_AFTER_DAYS = 14 }; /* the ex-date: when the dividend is paid */

struct action_query {
    struct utc first, last; /* both inclusive */
    int64_t limit;
    bool has_dividends;
};

static bool read_query(struct api_call *call, struct action_query *out) {
    char types[256] = "";
    struct utc today = ny_to_utc(ny_date(api_now(call)), 0, 0);
    *out = (struct action_query){.first = today, .last = today, .has_dividends = true};
    if (!api_query_time(call, "start", &out->first) || !api_query_time(call, "end", &out->last)) {
        api_error(call, 400, 0, "invalid start or end: a date expected");
        return false;
    }
    if (out->last.ns < out->first.ns) {
        api_error(call, 400, 0, "end should not be before start");
        return false;
    }
    if (!api_query_int(call, "limit", 1, 1000, 100, &out->limit)) {
        api_error(call, 400, 0, "invalid limit: larger than the allowed maximum of 1000");
        return false;
    }
    if (api_query(call, "types", types, sizeof types) && types[0] != '\0') {
        out->has_dividends = api_list_has(types, "cash_dividend");
    }
    return true;
}

static void put_date(struct text *out, const char *name, struct date date) {
    char text[DATE_TEXT_MAX];
    date_print(date, text);
    api_put_string_member(out, name, text);
}

static void put_dividend(struct text *out, const char *symbol, struct date ex_date) {
    char id[SIM_UUID_MAX];
    struct date paid = date_add(ex_date, PROCESSED_AFTER_DAYS);
    sim_uuid(hash64(symbol, strlen(symbol), 0), "dividend", (uint64_t)ex_date.days, id);
    API_PUT(out, "{\"id\":\"");
    text_add(out, id);
    API_PUT(out, "\"");
    api_put_string_member(out, "symbol", symbol);
    API_PUT(out, ",\"cusip\":\"000000000\",\"rate\":0.25,\"special\":false,\"foreign\":false");
    put_date(out, "process_date", paid);
    put_date(out, "ex_date", ex_date);
    put_date(out, "record_date", ex_date);
    put_date(out, "payable_date", paid);
    API_PUT(out, "}");
}

/* All of them fit a page: there is one of a symbol at most. */
static void put_dividends(struct api_call *call, const struct action_query *query,
                          const char *symbols) {
    struct broker *broker = call->broker;
    int64_t count = 0;
    for (size_t i = 0; i < market_symbol_count(broker->market) && count < query->limit; i++) {
        struct sim_asset asset = sim_exchange_asset(&broker->exchange, i);
        struct utc processed = ny_to_utc(date_add(asset.ex_date, PROCESSED_AFTER_DAYS), 0, 0);
        const char *name = market_symbol(broker->market, i);
        if (!asset.has_dividend || processed.ns < query->first.ns ||
            processed.ns > query->last.ns || (symbols[0] != '\0' && !api_list_has(symbols, name))) {
            continue;
        }
        text_add(call->out, count++ == 0 ? "\"cash_dividends\":[" : ",");
        put_dividend(call->out, name, asset.ex_date);
    }
    text_add(call->out, count > 0 ? "]" : "");
}

void api_corporate_actions(struct api_call *call) {
    char symbols[API_SYMBOLS_TEXT_MAX] = "";
    struct action_query query;
    if (!read_query(call, &query)) {
        return;
    }
    (void)api_query(call, "symbols", symbols, sizeof symbols);
    API_PUT(call->out, "{\"corporate_actions\":{");
    if (query.has_dividends) {
        put_dividends(call, &query, symbols);
    }
    API_PUT(call->out, "},\"next_page_token\":null}");
}
