/* api_internal.h - how the files of this room share a broker and one call.
 *
 * A handler writes the body of its answer and sets call->status where it is not 200. Answers are
 * written straight into the response's text; nothing here allocates per call. */
#ifndef BROKER_SIM_API_API_INTERNAL_H
#define BROKER_SIM_API_API_INTERNAL_H

#include "broker_sim/api/broker.h"
#include "broker_sim/exchange/sim_exchange.h"

#define API_ACCOUNT_NUMBER_MAX 32
#define API_SYMBOLS_TEXT_MAX 8192 /* bytes of a decoded list of symbols */
#define API_RATE_MAX 20000        /* requests a minute */

struct broker {
    struct market *market; /* borrowed */
    struct broker_options options;
    char *account_number, *key_id, *secret; /* owned */
    struct sim_account account;
    struct sim_exchange exchange;
    char account_id[SIM_UUID_MAX];
    struct utc created_at;
    uint64_t request_count;
    int64_t *rate_times; /* ring of the last minute's requests; owned */
    size_t rate_first, rate_count;
    char asset_ids[MARKET_SYMBOLS_MAX][SIM_UUID_MAX];
    struct date lastday_of; /* New York date the next two belong to */
    bool has_lastday[MARKET_SYMBOLS_MAX];
    struct usd lastday[MARKET_SYMBOLS_MAX];
};

struct api_call {
    struct broker *broker;
    const struct http_request *request;
    const char *param; /* what the route's last '*' stands for, decoded; "" for none */
    struct text *out;
    int status;
};

typedef void api_handler(struct api_call *call);

api_handler api_get_account, api_get_clock, api_get_calendar, api_get_assets, api_get_asset;
api_handler api_post_order, api_get_orders, api_get_order, api_get_order_by_client_id;
api_handler api_patch_order, api_delete_order, api_delete_orders;
api_handler api_get_positions, api_get_position, api_get_activities, api_get_activities_of;
api_handler api_get_configuration, api_patch_configuration;
api_handler api_bars, api_bars_of, api_latest_bars, api_latest_bar_of, api_latest_trades;
api_handler api_latest_trade_of, api_latest_quotes, api_latest_quote_of, api_snapshots;
api_handler api_snapshot_of, api_corporate_actions;

/* --- answers --- */

/* Replaces the body by an error; code 0 leaves the code out. */
void api_error(struct api_call *call, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void api_refuse(struct api_call *call, const struct sim_refusal *refusal);

#define API_PUT(text, literal) text_add_bytes(text, literal, sizeof(literal) - 1)
/* Decimal without trailing zeros, bare (market data) or in quotes (trading). */
void api_put_number(struct text *text, int64_t nanos);
void api_put_amount(struct text *text, int64_t nanos);
/* An instant in quotes; null for {0}. */
void api_put_time(struct text *text, struct utc at);
/* ,"name":"value" */
void api_put_string_member(struct text *text, const char *name, const char *value);
/* One order as JSON, cached while it is open; its legs inside it if they are asked for, else null. */
void api_put_order(struct text *text, const struct broker *broker, struct sim_order *order,
                   bool is_nested);

/* --- requests --- */

/* Value of a query parameter, percent-decoded, cut at size - 1; false when it is absent. */
bool api_query(const struct api_call *call, const char *key, char *out, size_t size);
/* Percent-decodes n bytes; '+' stays when is_query is false. */
void api_decode(const char *from, size_t n, bool is_query, char *out, size_t size);
/* A whole number from min to max; `fallback` when absent. False for anything else. */
bool api_query_int(const struct api_call *call, const char *key, int64_t min, int64_t max,
                   int64_t fallback, int64_t *out);
/* RFC 3339, or a date (midnight in New York); *out is unchanged when absent. False for another
 * shape. */
bool api_query_time(const struct api_call *call, const char *key, struct utc *out);
/* The next name of a comma-separated list, cut out in place; false at its end. */
bool api_next_name(char **rest, const char **name);
/* True if a comma-separated list (not changed) has the word. */
bool api_list_has(const char *list, const char *word);

enum api_kind { API_STRING, API_NUMBER, API_BOOL, API_NULL, API_OTHER };
struct api_member {
    char key[32];
    enum api_kind kind;
    char text[256]; /* decoded string, or the number or word as written */
};
#define API_MEMBERS_MAX 32
struct api_body {
    struct api_member members[API_MEMBERS_MAX];
    size_t count;
};
/* Reads a JSON object keeping the text of its numbers; false if it is none. */
bool api_body_parse(const char *bytes, size_t n, struct api_body *out);
/* NULL when absent or null. */
const struct api_member *api_body_find(const struct api_body *body, const char *key);

/* Price or quantity at the previous session's close of a symbol; false before the first. */
bool api_lastday(struct broker *broker, size_t symbol, struct usd *out);

static inline struct utc api_now(const struct api_call *call) {
    return call->broker->exchange.now;
}

#endif
