/* broker.c - the simulated Alpaca as one thing: life cycle, routes, authentication, rate limit. */
#include "broker_sim/api/api_internal.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/random.h"

#include <stdlib.h>
#include <strings.h>

struct broker_options broker_options_paper(uint64_t seed, struct utc start) {
    return (struct broker_options){.seed = seed,
                                   .start = start,
                                   .cash = USD(100000),
                                   .multiplier = 2,
                                   .configuration = {.max_margin_multiplier = 4},
                                   .account_number = "PA3SIMULATED",
                                   .key_id = "SIM-KEY",
                                   .secret = "SIM-SECRET",
                                   .has_pdt_fields = false,
                                   .rate_limit_per_min = 200,
                                   .accept_latency_max = SPAN_MS(800),
                                   .fill_latency_max = SPAN_MS(800),
                                   .partial_fill_chance = {NANOS / 10},
                                   .late_reject_chance = {NANOS * 3 / 1000},
                                   .observer = NULL};
}

static bool is_multiplier(int multiplier) {
    return multiplier == 1 || multiplier == 2 || multiplier == 4;
}

static enum err_code check_options(const struct broker_options *options, struct err *err) {
    int most = options->configuration.max_margin_multiplier;
    if (!is_multiplier(options->multiplier) || !is_multiplier(most)) {
        return err_set(err, ERR_USAGE, "multiplier %d, at most %d: 1, 2 or 4 expected",
                       options->multiplier, most);
    }
    if (options->cash.nanos < 0 || usd_cmp(options->cash, USD(1000000000)) > 0) {
        return err_set(err, ERR_RANGE, "starting cash must lie between 0 and 1,000,000,000 USD");
    }
    if (options->rate_limit_per_min < 0 || options->rate_limit_per_min > API_RATE_MAX) {
        return err_set(err, ERR_RANGE, "rate limit must lie between 0 and %d a minute",
                       API_RATE_MAX);
    }
    if (strlen(options->account_number) >= API_ACCOUNT_NUMBER_MAX) {
        return err_set(err, ERR_LIMIT, "an account number has at most %d characters",
                       API_ACCOUNT_NUMBER_MAX - 1);
    }
    return ERR_OK;
}

static char *copy(const char *string) {
    char *bytes = strdup(string);
    CHECK(bytes != NULL);
    return bytes;
}

enum err_code broker_create(struct market *market, const struct broker_options *options,
                            struct broker **out, struct err *err) {
    enum err_code code = check_options(options, err);
    if (code != ERR_OK) {
        return code;
    }
    struct broker *broker = calloc(1, sizeof *broker);
    CHECK(broker != NULL);
    broker->market = market;
    broker->options = *options;
    broker->account_number = copy(options->account_number);
    broker->key_id = copy(options->key_id);
    broker->secret = copy(options->secret);
    broker->created_at = options->start;
    broker->lastday_of = (struct date){INT32_MIN};
    broker->rate_times = calloc((size_t)options->rate_limit_per_min + 1, sizeof(int64_t));
    CHECK(broker->rate_times != NULL);
    sim_uuid(options->seed, "account", 0, broker->account_id);
    for (size_t i = 0; i < market_symbol_count(market); i++) {
        const char *name = market_symbol(market, i); /* an asset's id does not depend on the seed */
        sim_uuid(hash64(name, strlen(name), 0), "asset", 0, broker->asset_ids[i]);
    }
    sim_account_init(&broker->account, market, options->seed, options->cash, options->multiplier,
                     options->start);
    broker->account.may_be_short = options->may_be_short;
    sim_account_configure(&broker->account, &options->configuration);
    struct sim_rules rules = {.seed = options->seed,
                              .accept_latency_max = options->accept_latency_max,
                              .fill_latency_max = options->fill_latency_max,
                              .partial_fill_chance = options->partial_fill_chance,
                              .late_reject_chance = options->late_reject_chance,
                              .observer = options->observer};
    sim_exchange_init(&broker->exchange, market, &broker->account, &rules, options->start);
    *out = broker;
    return ERR_OK;
}

void broker_destroy(struct broker *broker) {
    if (broker == NULL) {
        return;
    }
    sim_exchange_release(&broker->exchange);
    sim_account_release(&broker->account);
    free(broker->rate_times);
    free(broker->account_number);
    free(broker->key_id);
    free(broker->secret);
    free(broker);
}

struct utc broker_now(const struct broker *broker) {
    return broker->exchange.now;
}

void broker_advance_to(struct broker *broker, struct utc at) {
    sim_exchange_advance(&broker->exchange, at);
}

void broker_change_key(struct broker *broker, const char *key_id, const char *secret) {
    free(broker->key_id);
    free(broker->secret);
    broker->key_id = copy(key_id);
    broker->secret = copy(secret);
}

struct sim_configuration broker_configuration(const struct broker *broker) {
    return broker->account.configuration;
}

void broker_configure(struct broker *broker, const struct sim_configuration *configuration) {
    sim_account_configure(&broker->account, configuration);
}

void broker_move_cash(struct broker *broker, struct usd amount) {
    sim_account_move_cash(&broker->account, broker->exchange.now, amount);
}

/* --- routes --- */

/* A '*' stands for one segment, which is told as the call's parameter. */
static const struct route {
    const char *method;
    const char *path;
    api_handler *handle;
} routes[] = {
    {"GET", "/v2/positions", api_get_positions},
    {"GET", "/v2/orders", api_get_orders},
    {"GET", "/v2/stocks/quotes/latest", api_latest_quotes},
    {"GET", "/v2/stocks/trades/latest", api_latest_trades},
    {"GET", "/v2/account", api_get_account},
    {"GET", "/v2/clock", api_get_clock},
    {"POST", "/v2/orders", api_post_order},
    {"GET", "/v2/orders/*", api_get_order},
    {"GET", "/v2/orders:by_client_order_id", api_get_order_by_client_id},
    {"DELETE", "/v2/orders/*", api_delete_order},
    {"DELETE", "/v2/orders", api_delete_orders},
    {"PATCH", "/v2/orders/*", api_patch_order},
    {"GET", "/v2/positions/*", api_get_position},
    {"GET", "/v2/account/configurations", api_get_configuration},
    {"PATCH", "/v2/account/configurations", api_patch_configuration},
    {"GET", "/v2/account/activities", api_get_activities},
    {"GET", "/v2/account/activities/*", api_get_activities_of},
    {"GET", "/v2/calendar", api_get_calendar},
    {"GET", "/v2/assets", api_get_assets},
    {"GET", "/v2/assets/*", api_get_asset},
    {"GET", "/v1/corporate-actions", api_corporate_actions},
    {"GET", "/v2/stocks/bars/latest", api_latest_bars},
    {"GET", "/v2/stocks/bars", api_bars},
    {"GET", "/v2/stocks/snapshots", api_snapshots},
    {"GET", "/v2/stocks/*/bars/latest", api_latest_bar_of},
    {"GET", "/v2/stocks/*/trades/latest", api_latest_trade_of},
    {"GET", "/v2/stocks/*/quotes/latest", api_latest_quote_of},
    {"GET", "/v2/stocks/*/bars", api_bars_of},
    {"GET", "/v2/stocks/*/snapshot", api_snapshot_of},
};

enum { PARAM_MAX = 128, PATH_MAX_BYTES = 256 };

static bool path_matches(const char *path, const char *pattern, char param[PARAM_MAX]) {
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(path, pattern) == 0;
    }
    size_t head = (size_t)(star - pattern);
    if (strncmp(path, pattern, head) != 0) {
        return false;
    }
    size_t n = strcspn(path + head, "/");
    if (n == 0 || n >= PARAM_MAX || strcmp(path + head + n, star + 1) != 0) {
        return false;
    }
    memcpy(param, path + head, n);
    param[n] = '\0';
    return true;
}

static void dispatch(struct api_call *call) {
    char path[PATH_MAX_BYTES];
    char param[PARAM_MAX] = "";
    api_decode(call->request->path, strlen(call->request->path), false, path, sizeof path);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];
        if (strcmp(call->request->method, route->method) == 0 &&
            path_matches(path, route->path, param)) {
            call->param = param;
            route->handle(call);
            return;
        }
    }
    api_error(call, 404, 40410000, "endpoint not found.");
}

/* --- before the routes --- */

static const char *header_of(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return request->headers[i].value;
        }
    }
    return NULL;
}

static bool is_authorized(struct api_call *call) {
    const char *key = header_of(call->request, "APCA-API-KEY-ID");
    const char *secret = header_of(call->request, "APCA-API-SECRET-KEY");
    if (key == NULL || secret == NULL) { /* the proxy answers, not the API (2026) */
        call->status = 401;
        text_add(call->out, "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n"
                            "<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n"
                            "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n");
        return false;
    }
    if (strcmp(key, call->broker->key_id) != 0 || strcmp(secret, call->broker->secret) != 0) {
        call->status = 401;
        text_add(call->out, "{\"message\": \"unauthorized.\"}");
        return false;
    }
    return true;
}

/* Drops what is older than a minute from the ring, then takes a place in it if there is one. */
static bool take_rate(struct broker *broker) {
    size_t limit = (size_t)broker->options.rate_limit_per_min;
    int64_t now = broker->exchange.now.ns;
    while (broker->rate_count > 0 &&
           broker->rate_times[broker->rate_first] <= now - SPAN_MIN(1).ns) {
        broker->rate_first = (broker->rate_first + 1) % limit;
        broker->rate_count--;
    }
    if (broker->rate_count >= limit) {
        return false;
    }
    broker->rate_times[(broker->rate_first + broker->rate_count++) % limit] = now;
    return true;
}

/* Trading answers tell the limit, data answers do not (alpaca-api.md 1, fact 18). */
static void tell_rate(const struct broker *broker, struct http_response *response) {
    int64_t limit = broker->options.rate_limit_per_min;
    int64_t first = broker->exchange.now.ns;
    if (broker->rate_count > 0) {
        first = broker->rate_times[broker->rate_first];
    }
    response->rate_limit = limit;
    response->rate_limit_remaining = limit - (int64_t)broker->rate_count;
    response->rate_limit_reset_s = (first + SPAN_MIN(1).ns + NANOS - 1) / NANOS;
}

static void tell_request_id(struct broker *broker, struct http_response *response) {
    static const char digits[] = "0123456789abcdef";
    struct random random =
        random_stream(broker->options.seed, "request id", broker->request_count++, 0, 0);
    for (int half = 0; half < 2; half++) {
        uint64_t word = random_next(&random);
        for (int i = 0; i < 16; i++) {
            response->request_id[16 * half + i] = digits[(word >> (60 - 4 * i)) & 15];
        }
    }
    response->request_id[32] = '\0';
}

void broker_handle(struct broker *broker, const struct http_request *request,
                   struct http_response *response) {
    http_response_clear(response);
    struct api_call call = {
        .broker = broker, .request = request, .param = "", .out = &response->body, .status = 200};
    bool is_data =
        strncmp(request->path, "/v2/stocks/", 11) == 0 || strncmp(request->path, "/v1/", 4) == 0;
    tell_request_id(broker, response);
    response->has_date = true;
    response->date = (struct utc){broker->exchange.now.ns / NANOS * NANOS};
    if (is_authorized(&call)) {
        bool is_limited = broker->options.rate_limit_per_min > 0;
        bool is_allowed = !is_limited || take_rate(broker);
        if (is_limited && !is_data) {
            tell_rate(broker, response);
        }
        if (is_allowed) {
            dispatch(&call);
        } else {
            call.status = 429;
            text_add(call.out, "{\"message\": \"too many requests.\"}");
        }
    }
    response->status = call.status;
}

/* --- the sea --- */

void broker_set_weather(struct broker *broker, const struct sim_weather *weather) {
    broker->exchange.weather = weather == NULL ? (struct sim_weather){0} : *weather;
}

bool broker_cancel_unasked(struct broker *broker, const char *client_id) {
    struct sim_order *order = sim_exchange_find_client(&broker->exchange, client_id);
    if (order == NULL || sim_status_is_terminal(order->status)) {
        return false;
    }
    sim_exchange_cancel_unasked(&broker->exchange, order);
    return true;
}

void broker_cancel_stops(struct broker *broker, size_t symbol) {
    sim_exchange_cancel_stops(&broker->exchange, symbol);
}

bool broker_may_bust(const struct broker *broker, const char *client_id) {
    const struct sim_order *order = sim_exchange_find_client(&broker->exchange, client_id);
    return order != NULL && sim_exchange_may_bust(&broker->exchange, order);
}

bool broker_bust(struct broker *broker, const char *client_id) {
    struct sim_order *order = sim_exchange_find_client(&broker->exchange, client_id);
    return order != NULL && sim_exchange_bust(&broker->exchange, order);
}

/* What protects the shares is cancelled first; beside a live buy, or a sale at market, nothing is sold. */
bool broker_may_sell_by_hand(const struct broker *broker, size_t symbol) {
    const struct sim_exchange *exchange = &broker->exchange;
    struct qty held = broker->account.positions[symbol].qty;
    for (size_t i = 0; i < exchange->live_count; i++) {
        const struct sim_order *order = exchange->live[i];
        bool protects = order->side == SIM_SELL && order->type != SIM_MARKET && held.nanos > 0;
        if (order->symbol == symbol && !protects) {
            return false;
        }
    }
    return sim_exchange_is_open(exchange) && sim_exchange_is_tradable(exchange, symbol) &&
           (held.nanos > 0 || broker->account.may_be_short);
}

bool broker_sell_by_hand(struct broker *broker, size_t symbol) {
    struct sim_exchange *exchange = &broker->exchange;
    struct qty held = broker->account.positions[symbol].qty;
    struct sim_refusal refusal = {0};
    if (!broker_may_sell_by_hand(broker, symbol)) {
        return false;
    }
    for (size_t i = exchange->live_count; i-- > 0;) { /* its group may go with one */
        if (i < exchange->live_count && exchange->live[i]->symbol == symbol) {
            sim_exchange_cancel_unasked(exchange, exchange->live[i]);
        }
    }
    struct sim_intent intent = {.client_id = "",
                                .symbol = symbol,
                                .side = SIM_SELL,
                                .type = SIM_MARKET,
                                .is_by_hand = true,
                                .qty = held.nanos > 0 ? held : QTY(10)};
    return sim_exchange_submit(exchange, &intent, &refusal) != NULL;
}

void broker_pay_dividend(struct broker *broker, size_t symbol, struct usd per_share) {
    sim_account_pay_dividend(&broker->account, broker->exchange.now, symbol, per_share);
}

void broker_charge(struct broker *broker, struct usd fee) {
    sim_account_charge(&broker->account, broker->exchange.now, fee);
}

void broker_split(struct broker *broker, size_t symbol, const struct sim_split *split) {
    sim_exchange_split(&broker->exchange, symbol, split);
}

struct sim_spun broker_spin_due(struct broker *broker, const struct sim_spin_off *spin) {
    struct usd price = {0};
    (void)sim_price(broker->market, spin->spun, broker->exchange.now, &price);
    return sim_account_spin_due(&broker->account, spin, price);
}

struct sim_spun broker_spin_off(struct broker *broker, const struct sim_spin_off *spin,
                                bool is_told) {
    return sim_exchange_spin_off(&broker->exchange, spin, is_told);
}

void broker_tell_spin_off(struct broker *broker, size_t spun, const struct sim_spun *given) {
    sim_account_tell_spin_off(&broker->account, broker->exchange.now, spun, given);
}

bool broker_price(struct broker *broker, size_t symbol, struct usd *out) {
    return sim_price(broker->market, symbol, broker->exchange.now, out);
}

/* --- the ledger --- */

size_t broker_order_count(const struct broker *broker) {
    return broker->exchange.order_count;
}

void broker_order_at(const struct broker *broker, size_t index, struct ledger_order *out) {
    CHECK(index < broker->exchange.order_count);
    const struct sim_order *order = broker->exchange.orders[index];
    *out = (struct ledger_order){.id = order->id,
                                 .client_id = order->client_id,
                                 .symbol = market_symbol(broker->market, order->symbol),
                                 .status = sim_status_word(order->status),
                                 .type = sim_type_word(order->type),
                                 .side = sim_side_word(order->side),
                                 .qty = order->qty,
                                 .filled_qty = order->filled_qty,
                                 .filled_avg_price = sim_order_average(order),
                                 .submitted_at = order->submitted_at,
                                 .is_open = !sim_status_is_terminal(order->status)};
}

struct usd broker_cash(const struct broker *broker) {
    return broker->account.cash;
}

struct usd broker_equity(struct broker *broker) {
    return sim_account_values(&broker->account, broker->exchange.now).equity;
}

struct qty broker_position_qty(const struct broker *broker, const char *symbol) {
    int index = market_find(broker->market, symbol);
    return index < 0 ? (struct qty){0} : broker->account.positions[index].qty;
}

int64_t broker_fill_count(const struct broker *broker) {
    return broker->account.fill_count;
}
