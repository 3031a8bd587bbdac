/* api_orders.c - orders: reading POST and PATCH bodies, lists, cancels, and an order as JSON. */
#include "broker_sim/api/api_internal.h"

#include "core/base/check.h"

enum { SHAPE = 40010001, MEANING = 42210000 }; /* codes of HTTP 422 */

/* --- an order as JSON --- */

static void put_times(struct text *out, const struct sim_order *order) {
    API_PUT(out, ",\"created_at\":");
    api_put_time(out, order->submitted_at);
    API_PUT(out, ",\"updated_at\":");
    api_put_time(out, order->updated_at);
    API_PUT(out, ",\"submitted_at\":");
    api_put_time(out, order->submitted_at);
    API_PUT(out, ",\"filled_at\":");
    api_put_time(out, order->filled_at);
    API_PUT(out, ",\"expired_at\":");
    api_put_time(out, order->expired_at);
    API_PUT(out, ",\"expires_at\":");
    api_put_time(out, order->expires_at);
    API_PUT(out, ",\"canceled_at\":");
    api_put_time(out, order->canceled_at);
    API_PUT(out, ",\"failed_at\":");
    api_put_time(out, order->failed_at);
    API_PUT(out, ",\"replaced_at\":");
    api_put_time(out, order->replaced_at);
}

static void put_link(struct text *out, const char *name, const struct sim_order *other) {
    if (other != NULL) {
        api_put_string_member(out, name, other->id);
        return;
    }
    API_PUT(out, ",\"");
    text_add(out, name);
    API_PUT(out, "\":null");
}

static void put_price_or_null(struct text *out, bool is_there, int64_t nanos) {
    if (is_there) {
        api_put_amount(out, nanos);
    } else {
        API_PUT(out, "null");
    }
}

static const char *intent_word(enum sim_side side, bool is_opening) {
    if (side == SIM_BUY) {
        return is_opening ? "buy_to_open" : "buy_to_close";
    }
    return is_opening ? "sell_to_open" : "sell_to_close";
}

static void put_terms(struct text *out, const struct sim_order *order) {
    const char *type = sim_type_word(order->type);
    API_PUT(out, ",\"asset_class\":\"us_equity\",\"notional\":null,\"qty\":");
    api_put_amount(out, order->qty.nanos);
    API_PUT(out, ",\"filled_qty\":");
    api_put_amount(out, order->filled_qty.nanos);
    API_PUT(out, ",\"filled_avg_price\":");
    put_price_or_null(out, order->filled_qty.nanos != 0, sim_order_average(order).nanos);
    api_put_string_member(out, "order_class", sim_class_word(order->class));
    api_put_string_member(out, "order_type", type);
    api_put_string_member(out, "type", type);
    api_put_string_member(out, "side", sim_side_word(order->side));
    api_put_string_member(out, "position_intent", intent_word(order->side, order->is_opening));
    api_put_string_member(out, "time_in_force", sim_tif_word(order->tif));
    API_PUT(out, ",\"limit_price\":");
    put_price_or_null(out, order->has_limit, order->limit.nanos);
    API_PUT(out, ",\"stop_price\":");
    put_price_or_null(out, order->has_stop, order->stop.nanos);
}

static void render(struct text *out, const struct broker *broker, const struct sim_order *order,
                   bool is_nested) {
    API_PUT(out, "{\"id\":\"");
    text_add(out, order->id);
    API_PUT(out, "\"");
    api_put_string_member(out, "client_order_id", order->client_id);
    put_times(out, order);
    put_link(out, "replaced_by", order->replaced_by);
    put_link(out, "replaces", order->replaces);
    api_put_string_member(out, "asset_id", broker->asset_ids[order->symbol]);
    api_put_string_member(out, "symbol", market_symbol(broker->market, order->symbol));
    put_terms(out, order);
    api_put_string_member(out, "status", sim_status_word(order->status));
    text_add(out, order->is_extended ? ",\"extended_hours\":true" : ",\"extended_hours\":false");
    API_PUT(out, ",\"legs\":");
    if (!is_nested || order->leg_count == 0) {
        API_PUT(out, "null");
    }
    for (size_t i = 0; is_nested && i < order->leg_count; i++) {
        text_add(out, i == 0 ? "[" : ",");
        render(out, broker, order->legs[i], false);
        text_add(out, i + 1 == order->leg_count ? "]" : "");
    }
    API_PUT(out, ",\"trail_percent\":null,\"trail_price\":null,\"hwm\":null,"
                 "\"subtag\":null,\"source\":null}");
}

void api_put_order(struct text *out, const struct broker *broker, struct sim_order *order,
                   bool is_nested) {
    if (sim_status_is_terminal(order->status) || (is_nested && order->leg_count > 0)) {
        render(out, broker, order,
               is_nested); /* asked for seldom, kept for ever: not worth the memory */
        return;
    }
    if (order->is_json_old) {
        text_clear(&order->json);
        render(&order->json, broker, order, false);
        order->is_json_old = false;
    }
    text_add_bytes(out, order->json.data, order->json.len);
}

/* --- reading a body --- */

static bool bad_body(struct sim_refusal *refusal) {
    return sim_refuse(refusal, 400, 40010000, "request body format is invalid");
}

/* A word of a list; `missing` answers for an absent member, another type is a bad body. */
static bool read_word(const struct api_body *body, const char *key, const char *const *words,
                      size_t count, const char *complaint, size_t *out,
                      struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, key);
    if (member != NULL && member->kind != API_STRING) {
        return bad_body(refusal);
    }
    for (size_t i = 0; member != NULL && i < count; i++) {
        if (strcmp(member->text, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return sim_refuse(refusal, 422, SHAPE, "%s", complaint);
}

/* A decimal in a string or a number, read from its text: 290.123 never passes through a double. */
static bool read_decimal(const struct api_body *body, const char *key, bool *is_there,
                         int64_t *nanos, struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, key);
    *is_there = member != NULL;
    if (member == NULL) {
        return true;
    }
    if (member->kind != API_STRING && member->kind != API_NUMBER) {
        return bad_body(refusal);
    }
    struct err err;
    enum err_code code = decimal_parse(member->text, nanos, &err);
    if (code == ERR_OK) {
        return true;
    }
    bool is_price = strstr(key, "price") != NULL;
    bool is_decimal = strspn(member->text, "0123456789.") == strlen(member->text);
    if (is_price && is_decimal && code == ERR_PARSE) {
        return sim_refuse(refusal, 422, MEANING,
                          "invalid %s %.64s. sub-penny increment does not fulfill minimum pricing "
                          "criteria",
                          key, member->text);
    }
    return sim_refuse(refusal, 422, SHAPE, "invalid %s", key);
}

static bool read_qty(const struct api_body *body, struct sim_intent *out,
                     struct sim_refusal *refusal) {
    bool has_qty = false;
    bool has_notional = api_body_find(body, "notional") != NULL;
    if (!read_decimal(body, "qty", &has_qty, &out->qty.nanos, refusal)) {
        return false;
    }
    if (has_qty && has_notional) {
        return sim_refuse(refusal, 422, SHAPE, "only one of qty or notional is accepted");
    }
    if (has_notional) {
        return sim_refuse(refusal, 422, MEANING, "notional orders are not simulated: send qty");
    }
    if (!has_qty) {
        return sim_refuse(refusal, 422, SHAPE, "qty or notional is required");
    }
    if (out->qty.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "qty must be > 0");
    }
    return true;
}

/* Both prices, and that exactly those the type needs are there. */
static bool read_prices(const struct api_body *body, struct sim_intent *out,
                        struct sim_refusal *refusal) {
    bool has_limit = false;
    bool has_stop = false;
    if (!read_decimal(body, "limit_price", &has_limit, &out->limit.nanos, refusal) ||
        !read_decimal(body, "stop_price", &has_stop, &out->stop.nanos, refusal)) {
        return false;
    }
    bool wants_limit = out->type == SIM_LIMIT || out->type == SIM_STOP_LIMIT;
    bool wants_stop = out->type == SIM_STOP || out->type == SIM_STOP_LIMIT;
    if (out->type == SIM_STOP_LIMIT && (!has_limit || !has_stop)) {
        return sim_refuse(refusal, 422, SHAPE,
                          "stop limit orders require both stop and limit price");
    }
    if (wants_limit && !has_limit && out->class != SIM_OCO) { /* whose limit is its take profit */
        return sim_refuse(refusal, 422, SHAPE, "limit orders require a limit price");
    }
    if (wants_stop && !has_stop) {
        return sim_refuse(refusal, 422, SHAPE, "stop orders require a stop price");
    }
    if ((has_limit && !wants_limit) || (has_stop && !wants_stop)) {
        return sim_refuse(refusal, 422, SHAPE, "%s orders require no %s", sim_type_word(out->type),
                          out->type == SIM_MARKET ? "stop or limit price"
                          : has_stop              ? "stop price"
                                                  : "limit price");
    }
    if (wants_limit && has_limit && out->limit.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "limit price must be > 0");
    }
    if (wants_stop && out->stop.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "stop price must be > 0");
    }
    return true;
}

static bool read_enums(const struct api_body *body, struct sim_intent *out,
                       struct sim_refusal *refusal) {
    static const char *const sides[] = {"buy", "sell"};
    static const char *const types[] = {"market", "limit", "stop", "stop_limit"};
    static const char *const tifs[] = {"day", "gtc", "ioc"};
    size_t side = 0;
    size_t type = 0;
    size_t tif = 0;
    if (!read_word(body, "side", sides, 2, "invalid side", &side, refusal) ||
        !read_word(body, "type", types, 4, "invalid order type", &type, refusal) ||
        !read_word(body, "time_in_force", tifs, 3, "invalid time_in_force", &tif, refusal)) {
        return false;
    }
    out->side = (enum sim_side)side;
    out->type = (enum sim_type)type;
    out->tif = (enum sim_tif)tif;
    if (out->tif == SIM_IOC && (out->type == SIM_STOP || out->type == SIM_STOP_LIMIT)) {
        return sim_refuse(refusal, 422, SHAPE, "invalid time_in_force");
    }
    return true;
}

static bool check_hours(const struct api_body *body, struct sim_intent *out,
                        struct sim_refusal *refusal) {
    const struct api_member *extended = api_body_find(body, "extended_hours");
    if (extended == NULL) {
        return true;
    }
    if (extended->kind != API_BOOL) {
        return bad_body(refusal);
    }
    out->is_extended = strcmp(extended->text, "true") == 0;
    if (out->is_extended && (out->type == SIM_STOP || out->type == SIM_STOP_LIMIT)) {
        return sim_refuse(refusal, 422, MEANING,
                          "stop orders are not eligible for extended hours trading");
    }
    if (out->is_extended && (out->type != SIM_LIMIT || out->tif == SIM_IOC)) {
        return sim_refuse(refusal, 422, MEANING, "extended hours order must be DAY limit orders");
    }
    return true;
}

static bool read_class(const struct api_body *body, struct sim_intent *out,
                       struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, "order_class");
    const char *word = member == NULL || strcmp(member->text, "simple") == 0 ? "" : member->text;
    enum sim_class class = SIM_SIMPLE;
    while (class < SIM_OCO && strcmp(word, sim_class_word(class)) != 0) {
        class ++;
    }
    out->class = class;
    return strcmp(word, sim_class_word(class)) == 0 ||
           sim_refuse(refusal, 422, MEANING, "order class \"%.32s\" is not simulated", word);
}

/* A price of take_profit or stop_loss; an absent one of those that must be there is refused. */
static bool read_exit_price(const struct api_body *body, const struct sim_intent *intent,
                            const char *name, const char *key, bool *is_there, struct usd *out,
                            struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, name);
    struct api_body inner = {0};
    *is_there = false;
    if (member != NULL && (member->kind != API_OTHER ||
                           !api_body_parse(member->text, strlen(member->text), &inner))) {
        return bad_body(refusal);
    }
    if (!read_decimal(&inner, key, is_there, &out->nanos, refusal)) {
        return false;
    }
    if (*is_there && out->nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "%s.%s must be > 0", name, key);
    }
    bool is_optional = strcmp(name, "stop_loss") == 0 && strcmp(key, "limit_price") == 0;
    return *is_there || is_optional ||
           sim_refuse(refusal, 422, MEANING, "%s orders require %s.%s",
                      sim_class_word(intent->class), name, key);
}

/* The exits of a bracket or OCO; without a class they are ignored (alpaca-py 289). */
static bool read_exits(const struct api_body *body, struct sim_intent *out,
                       struct sim_refusal *refusal) {
    bool is_there = false;
    if (out->class == SIM_SIMPLE) {
        return true;
    }
    if (out->tif == SIM_IOC) {
        return sim_refuse(refusal, 422, SHAPE, "invalid time_in_force");
    }
    if (out->is_extended) {
        return sim_refuse(refusal, 422, MEANING, "extended hours order must be simple orders");
    }
    if (!read_exit_price(body, out, "take_profit", "limit_price", &is_there, &out->take_profit,
                         refusal) ||
        !read_exit_price(body, out, "stop_loss", "stop_price", &is_there, &out->stop_loss,
                         refusal) ||
        !read_exit_price(body, out, "stop_loss", "limit_price", &out->has_stop_limit,
                         &out->stop_limit, refusal)) {
        return false;
    }
    if (out->class == SIM_OCO && out->type != SIM_LIMIT) {
        return sim_refuse(refusal, 422, MEANING, "oco orders must be limit orders");
    }
    out->limit = out->class == SIM_OCO ? out->take_profit : out->limit;
    return true;
}

static bool check_fraction(const struct sim_intent *intent, struct sim_refusal *refusal) {
    if (intent->qty.nanos % NANOS == 0) {
        return true;
    }
    if (intent->tif != SIM_DAY) {
        return sim_refuse(refusal, 422, MEANING, "fractional orders must be DAY orders");
    }
    if (intent->type != SIM_MARKET && intent->type != SIM_LIMIT) {
        return sim_refuse(refusal, 422, MEANING,
                          "fractional orders must be market or limit orders");
    }
    return true;
}

/* What the order would do, by the position; who says otherwise meant another. */
static bool check_intent(const struct broker *broker, const struct api_body *body,
                         const struct sim_intent *intent, struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, "position_intent");
    const char *inferred = intent_word(
        intent->side, sim_exchange_opens(&broker->exchange, intent->symbol, intent->side));
    if (member == NULL || strcmp(member->text, inferred) == 0) {
        return true;
    }
    return sim_refuse(refusal, 422, MEANING,
                      "position intent mismatch, inferred: %s, specified: %.32s", inferred,
                      member->text);
}

static bool read_client_id(const struct api_body *body, const char **out,
                           struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, "client_order_id");
    *out = "";
    if (member == NULL) {
        return true;
    }
    if (member->kind != API_STRING) {
        return bad_body(refusal);
    }
    if (strlen(member->text) >= SIM_CLIENT_ID_MAX) {
        return sim_refuse(refusal, 422, SHAPE,
                          "client_order_id must be no more than 128 characters");
    }
    *out = member->text;
    return true;
}

static bool read_symbol(const struct broker *broker, const struct api_body *body,
                        struct sim_intent *out, struct sim_refusal *refusal) {
    const struct api_member *member = api_body_find(body, "symbol");
    if (member == NULL || member->text[0] == '\0') {
        return sim_refuse(refusal, 422, SHAPE, "symbol is required");
    }
    if (member->kind != API_STRING) {
        return bad_body(refusal);
    }
    int symbol = market_find(broker->market, member->text);
    if (symbol >= 0) {
        out->symbol = (size_t)symbol;
        return true;
    }
    if (strlen(member->text) == SIM_UUID_MAX - 1) { /* an asset id: refused at times, here always */
        return sim_refuse(refusal, 422, SHAPE, "could not find us_equity '%s'", member->text);
    }
    return sim_refuse(refusal, 422, MEANING, "asset \"%.64s\" not found", member->text);
}

static bool read_intent(const struct broker *broker, const struct api_body *body,
                        struct sim_intent *out, struct sim_refusal *refusal) {
    return read_client_id(body, &out->client_id, refusal) && read_qty(body, out, refusal) &&
           read_class(body, out, refusal) && read_enums(body, out, refusal) &&
           read_prices(body, out, refusal) && check_hours(body, out, refusal) &&
           read_exits(body, out, refusal) && check_fraction(out, refusal) &&
           read_symbol(broker, body, out, refusal) && check_intent(broker, body, out, refusal);
}

/* --- change something --- */

void api_post_order(struct api_call *call) {
    struct api_body body;
    struct sim_refusal refusal = {0};
    struct sim_intent intent = {0};
    struct sim_order *order = NULL;
    if (!api_body_parse(call->request->body, call->request->body_len, &body)) {
        bad_body(&refusal);
    } else if (read_intent(call->broker, &body, &intent, &refusal)) {
        order = sim_exchange_submit(&call->broker->exchange, &intent, &refusal);
    }
    if (order == NULL) {
        api_refuse(call, &refusal);
        return;
    }
    api_put_order(call->out, call->broker, order, true);
}

static bool is_uuid(const char *text) {
    size_t n = strlen(text);
    return n == SIM_UUID_MAX - 1 && strspn(text, "0123456789abcdefABCDEF-") == n;
}

/* The order of the path, or NULL with the answer written. */
static struct sim_order *path_order(struct api_call *call) {
    if (!is_uuid(call->param)) {
        api_error(call, 422, SHAPE, "order_id is missing");
        return NULL;
    }
    struct sim_order *order = sim_exchange_find(&call->broker->exchange, call->param);
    if (order == NULL) {
        api_error(call, 404, 40410000, "order not found for %s", call->param);
    }
    return order;
}

static bool read_change(const struct api_body *body, struct sim_change *out,
                        struct sim_refusal *refusal) {
    static const char *const tifs[] = {"day", "gtc", "ioc"};
    size_t tif = 0;
    if (!read_client_id(body, &out->client_id, refusal) ||
        !read_decimal(body, "qty", &out->has_qty, &out->qty.nanos, refusal) ||
        !read_decimal(body, "limit_price", &out->has_limit, &out->limit.nanos, refusal) ||
        !read_decimal(body, "stop_price", &out->has_stop, &out->stop.nanos, refusal)) {
        return false;
    }
    out->has_tif = api_body_find(body, "time_in_force") != NULL;
    if (out->has_tif &&
        !read_word(body, "time_in_force", tifs, 3, "invalid time_in_force", &tif, refusal)) {
        return false;
    }
    out->tif = (enum sim_tif)tif;
    if (out->has_qty && out->qty.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "qty must be > 0");
    }
    if (out->has_limit && out->limit.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "limit price must be > 0");
    }
    if (out->has_stop && out->stop.nanos <= 0) {
        return sim_refuse(refusal, 422, SHAPE, "stop price must be > 0");
    }
    return true;
}

void api_patch_order(struct api_call *call) {
    struct sim_order *order = path_order(call);
    if (order == NULL) {
        return;
    }
    struct api_body body;
    struct sim_refusal refusal = {0};
    struct sim_change change = {0};
    struct sim_order *successor = NULL;
    if (!api_body_parse(call->request->body, call->request->body_len, &body)) {
        bad_body(&refusal);
    } else if (read_change(&body, &change, &refusal)) {
        successor = sim_exchange_replace(&call->broker->exchange, order, &change, &refusal);
    }
    if (successor == NULL) {
        api_refuse(call, &refusal);
        return;
    }
    api_put_order(call->out, call->broker, successor,
                  false); /* UNVERIFIED: whether legs are told */
}

void api_delete_order(struct api_call *call) {
    struct sim_order *order = path_order(call);
    struct sim_refusal refusal;
    if (order == NULL) {
        return;
    }
    if (!sim_exchange_cancel(&call->broker->exchange, order, &refusal)) {
        api_refuse(call, &refusal);
        return;
    }
    call->status = 204;
}

void api_delete_orders(struct api_call *call) {
    struct sim_exchange *exchange = &call->broker->exchange;
    call->status = 207;
    API_PUT(call->out, "[");
    for (size_t i = 0; i < exchange->live_count; i++) {
        struct sim_refusal refusal;
        struct sim_order *order = exchange->live[i];
        CHECK(sim_exchange_cancel(exchange, order, &refusal)); /* it is open */
        text_add(call->out, i == 0 ? "{\"id\":\"" : ",{\"id\":\"");
        text_add(call->out, order->id);
        API_PUT(call->out, "\",\"status\":200}");
    }
    API_PUT(call->out, "]");
}

/* --- read --- */

static bool is_nested(const struct api_call *call) {
    char word[8];
    return api_query(call, "nested", word, sizeof word) && strcmp(word, "true") == 0;
}

void api_get_order(struct api_call *call) {
    struct sim_order *order = path_order(call);
    if (order != NULL) {
        api_put_order(call->out, call->broker, order, is_nested(call));
    }
}

void api_get_order_by_client_id(struct api_call *call) {
    char client_id[256];
    if (!api_query(call, "client_order_id", client_id, sizeof client_id) || client_id[0] == '\0') {
        api_error(call, 422, SHAPE, "client_order_id is required");
        return;
    }
    struct sim_order *order = sim_exchange_find_client(&call->broker->exchange, client_id);
    if (order == NULL) {
        api_error(call, 404, 40410000, "order not found for %.128s", client_id);
        return;
    }
    api_put_order(call->out, call->broker, order, is_nested(call));
}

struct order_query {
    enum { LIST_OPEN, LIST_CLOSED, LIST_ALL } status;
    int64_t limit;
    struct utc after, until; /* both exclusive, on submitted_at */
    bool is_ascending;
    bool has_side;
    enum sim_side side;
    bool
        is_nested; /* legs inside their parent, and nowhere where it is not listed (alpaca-trade-api-js 87) */
    bool has_symbols;
    char symbols[API_SYMBOLS_TEXT_MAX];
};

/* Index of a parameter's value among words; 0 when it is absent, -1 when it is none of them. */
static int query_word(const struct api_call *call, const char *key, const char *const *words,
                      int count) {
    char text[32];
    if (!api_query(call, key, text, sizeof text)) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_order_query(const struct api_call *call, struct order_query *out) {
    static const char *const statuses[] = {"open", "closed", "all"};
    static const char *const directions[] = {"desc", "asc"};
    static const char *const sides[] = {"", "buy", "sell"};
    int status = query_word(call, "status", statuses, 3);
    int direction = query_word(call, "direction", directions, 2);
    int side = query_word(call, "side", sides, 3);
    out->after = (struct utc){INT64_MIN};
    out->until = (struct utc){INT64_MAX};
    if (status < 0 || direction < 0 || side < 0 ||
        !api_query_int(call, "limit", 1, 500, 50, &out->limit) ||
        !api_query_time(call, "after", &out->after) ||
        !api_query_time(call, "until", &out->until)) {
        return false;
    }
    out->status = status == 0 ? LIST_OPEN : status == 1 ? LIST_CLOSED : LIST_ALL;
    out->is_ascending = direction == 1;
    out->has_side = side > 0;
    out->side = side == 1 ? SIM_BUY : SIM_SELL;
    out->is_nested = is_nested(call);
    out->symbols[0] = '\0';
    (void)api_query(call, "symbols", out->symbols, sizeof out->symbols);
    out->has_symbols = out->symbols[0] != '\0';
    return true;
}

static bool is_listed(const struct broker *broker, const struct order_query *query,
                      const struct sim_order *order) {
    if (query->status == LIST_CLOSED && !sim_status_is_terminal(order->status)) {
        return false;
    }
    bool is_hidden =
        query->status == LIST_OPEN && order->status == SIM_HELD && broker->options.hides_held;
    if (is_hidden || (query->is_nested && order->parent != NULL)) {
        return false;
    }
    if (query->has_side && order->side != query->side) {
        return false;
    }
    return !query->has_symbols ||
           api_list_has(query->symbols, market_symbol(broker->market, order->symbol));
}

/* First index whose order was submitted at or after an instant; lists ascend. */
static size_t first_at(struct sim_order *const *list, size_t count, int64_t ns) {
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (list[middle]->submitted_at.ns < ns) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

void api_get_orders(struct api_call *call) {
    struct order_query query;
    if (!read_order_query(call, &query)) {
        api_error(call, 422, SHAPE, "invalid status, limit, after, until, direction or side");
        return;
    }
    const struct sim_exchange *exchange = &call->broker->exchange;
    bool is_open = query.status == LIST_OPEN;
    struct sim_order *const *list = is_open ? exchange->live : exchange->orders;
    size_t count = is_open ? exchange->live_count : exchange->order_count;
    size_t first = query.after.ns == INT64_MIN ? 0 : first_at(list, count, query.after.ns + 1);
    size_t end = query.until.ns == INT64_MAX ? count : first_at(list, count, query.until.ns);
    int64_t told = 0;
    API_PUT(call->out, "[");
    for (size_t i = first; i < end && told < query.limit; i++) {
        struct sim_order *order = list[query.is_ascending ? i : end - 1 - (i - first)];
        if (is_listed(call->broker, &query, order)) {
            text_add(call->out, told++ == 0 ? "" : ",");
            api_put_order(call->out, call->broker, order, query.is_nested);
        }
    }
    API_PUT(call->out, "]");
}
