/* api_actions.c - GET /v1/corporate-actions: the dividends, splits and spin-offs that the weather announces (alpaca-api.md 6.5 and
 * the OpenAPI of 2026-06: kinds that have no action are left out; an interval is of process dates). */
#include "broker_sim/api/api_internal.h"

#include "core/base/hash.h"

enum { PROCESSED_AFTER_DAYS = 14 }; /* the ex-date: when the dividend is paid */

struct action_query {
    struct utc first, last; /* both inclusive */
    int64_t limit;
    bool has_dividends, has_forward, has_reverse, has_spin_offs;
};

static bool read_query(struct api_call *call, struct action_query *out) {
    char types[256] = "";
    struct utc today = ny_to_utc(ny_date(api_now(call)), 0, 0);
    *out = (struct action_query){.first = today,
                                 .last = today,
                                 .has_dividends = true,
                                 .has_forward = true,
                                 .has_reverse = true,
                                 .has_spin_offs = true};
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
        out->has_forward = api_list_has(types, "forward_split");
        out->has_reverse = api_list_has(types, "reverse_split");
        out->has_spin_offs = api_list_has(types, "spin_off");
    }
    return true;
}

static void put_date(struct text *out, const char *name, struct date date) {
    char text[DATE_TEXT_MAX];
    date_print(date, text);
    api_put_string_member(out, name, text);
}

/* {"id":"...","MEMBER":"SYMBOL" and the dates, the first of which is the day of process. */
static void put_head_as(struct text *out, const char *kind, const char *member, const char *symbol,
                        struct date ex_date, struct date processed) {
    char id[SIM_UUID_MAX];
    sim_uuid(hash64(symbol, strlen(symbol), 0), kind, (uint64_t)ex_date.days, id);
    API_PUT(out, "{\"id\":\"");
    text_add(out, id);
    API_PUT(out, "\"");
    api_put_string_member(out, member, symbol);
    put_date(out, "process_date", processed);
    put_date(out, "ex_date", ex_date);
    put_date(out, "record_date", ex_date);
    put_date(out, "payable_date", processed);
}

static void put_head(struct text *out, const char *kind, const char *symbol, struct date ex_date,
                     struct date processed) {
    put_head_as(out, kind, "symbol", symbol, ex_date, processed);
}

static struct date dividend_processed(const struct sim_asset *asset) {
    return date_add(asset->ex_date, PROCESSED_AFTER_DAYS);
}

static void put_dividend(struct text *out, const struct broker *broker, const char *symbol,
                         const struct sim_asset *asset) {
    (void)broker;
    put_head(out, "dividend", symbol, asset->ex_date, dividend_processed(asset));
    API_PUT(out, ",\"cusip\":\"000000000\",\"rate\":0.25,\"special\":false,\"foreign\":false}");
}

static void put_split(struct text *out, const struct broker *broker, const char *symbol,
                      const struct sim_asset *asset) {
    (void)broker;
    put_head(out, "split", symbol, asset->split_date, asset->split_date);
    text_add(out, asset->new_rate.nanos > asset->old_rate.nanos
                      ? ",\"cusip\":\"000000000\""
                      : ",\"old_cusip\":\"000000000\",\"new_cusip\":\"000000001\"");
    API_PUT(out, ",\"new_rate\":");
    api_put_number(out, asset->new_rate.nanos);
    API_PUT(out, ",\"old_rate\":");
    api_put_number(out, asset->old_rate.nanos);
    API_PUT(out, "}");
}

static void put_spin_off(struct text *out, const struct broker *broker, const char *symbol,
                         const struct sim_asset *asset) {
    put_head_as(out, "spin_off", "source_symbol", symbol, asset->spin_date, asset->spin_date);
    api_put_string_member(out, "new_symbol", market_symbol(broker->market, asset->spun));
    API_PUT(out, ",\"source_cusip\":\"000000000\",\"new_cusip\":\"000000001\",\"source_rate\":1,"
                 "\"new_rate\":");
    api_put_number(out, asset->new_shares.nanos);
    API_PUT(out, "}");
}

static bool is_in(const struct action_query *query, struct date processed) {
    struct utc at = ny_to_utc(processed, 0, 0);
    return at.ns >= query->first.ns && at.ns <= query->last.ns;
}

static bool is_dividend(const struct sim_asset *asset, const struct action_query *query) {
    return query->has_dividends && asset->has_dividend && is_in(query, dividend_processed(asset));
}

static bool is_forward(const struct sim_asset *asset, const struct action_query *query) {
    return query->has_forward && asset->has_split && is_in(query, asset->split_date) &&
           asset->new_rate.nanos > asset->old_rate.nanos;
}

static bool is_reverse(const struct sim_asset *asset, const struct action_query *query) {
    return query->has_reverse && asset->has_split && is_in(query, asset->split_date) &&
           asset->new_rate.nanos <= asset->old_rate.nanos;
}

static bool is_spin_off(const struct sim_asset *asset, const struct action_query *query) {
    return query->has_spin_offs && asset->has_spin_off && is_in(query, asset->spin_date);
}

static const struct kind {
    const char *name;
    bool (*is_told)(const struct sim_asset *asset, const struct action_query *query);
    void (*put)(struct text *out, const struct broker *broker, const char *symbol,
                const struct sim_asset *asset);
} KINDS[] = {{"cash_dividends", is_dividend, put_dividend},
             {"forward_splits", is_forward, put_split},
             {"reverse_splits", is_reverse, put_split},
             {"spin_offs", is_spin_off, put_spin_off}};

/* All of them fit a page: there is one of a kind and symbol at most. */
static void put_kind(struct api_call *call, const struct kind *kind,
                     const struct action_query *query, const char *symbols, int64_t *count) {
    struct broker *broker = call->broker;
    bool is_first = true;
    for (size_t i = 0; i < market_symbol_count(broker->market) && *count < query->limit; i++) {
        struct sim_asset asset = sim_exchange_asset(&broker->exchange, i);
        const char *name = market_symbol(broker->market, i);
        if (!kind->is_told(&asset, query) || (symbols[0] != '\0' && !api_list_has(symbols, name))) {
            continue;
        }
        if (is_first) {
            text_add(call->out, *count == 0 ? "\"" : ",\"");
            text_add(call->out, kind->name);
            API_PUT(call->out, "\":[");
        } else {
            API_PUT(call->out, ",");
        }
        is_first = false;
        (*count)++;
        kind->put(call->out, broker, name, &asset);
    }
    text_add(call->out, is_first ? "" : "]");
}

void api_corporate_actions(struct api_call *call) {
    char symbols[API_SYMBOLS_TEXT_MAX] = "";
    struct action_query query;
    int64_t count = 0;
    if (!read_query(call, &query)) {
        return;
    }
    (void)api_query(call, "symbols", symbols, sizeof symbols);
    API_PUT(call->out, "{\"corporate_actions\":{");
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        put_kind(call, &KINDS[i], &query, symbols, &count);
    }
    API_PUT(call->out, "},\"next_page_token\":null}");
}
