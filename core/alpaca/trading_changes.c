/* trading_changes.c - submit, replace, cancel, and the account's configuration. A change that was not
 * refused with a 4xx and whose answer cannot be read may have happened: ERR_UNKNOWN. */
#include "core/alpaca/client.h"

#include "core/base/check.h"

static void write_key(struct text *body, const char *key) {
    text_add_char(body, body->len == 0 ? '{' : ',');
    text_add_json_string(body, key);
    text_add_char(body, ':');
}

static void write_string(struct text *body, const char *key, const char *value) {
    write_key(body, key);
    text_add_json_string(body, value);
}

static void write_decimal(struct text *body, const char *key, int64_t nanos) {
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(nanos, digits);
    write_string(body, key, digits);
}

static const char *intent_word(const struct order_request *request) {
    if (request->side == SIDE_BUY) {
        return request->is_closing ? "buy_to_close" : "buy_to_open";
    }
    return request->is_closing ? "sell_to_close" : "sell_to_open";
}

static void write_price_in(struct text *body, const char *name, const char *key, struct usd price) {
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(price.nanos, digits);
    write_key(body, name);
    text_add_format(body, "{\"%s\":\"%s\"}", key, digits);
}

static void write_group(struct text *body, const struct order_request *request) {
    write_string(body, "order_class", "oco");
    write_price_in(body, "take_profit", "limit_price", request->limit_price);
    write_price_in(body, "stop_loss", "stop_price", request->stop_price);
}

static void write_order(struct alpaca *alpaca, const struct order_request *request) {
    struct text *body = &alpaca->body;
    client_begin(alpaca, ENDPOINT_SUBMIT, "/v2/orders");
    write_string(body, "symbol", request->symbol);
    write_decimal(body, "qty", request->qty.nanos);
    write_string(body, "side", order_side_word(request->side));
    write_string(body, "type", order_type_word(request->type));
    write_string(body, "time_in_force", order_tif_word(request->tif));
    if (request->is_oco) {
        write_group(body, request);
    } else if (request->type == ORDER_LIMIT || request->type == ORDER_STOP_LIMIT) {
        write_decimal(body, "limit_price", request->limit_price.nanos);
    }
    if (request->type == ORDER_STOP || request->type == ORDER_STOP_LIMIT) {
        write_decimal(body, "stop_price", request->stop_price.nanos);
    }
    write_string(body, "client_order_id", request->client_id);
    write_string(body, "position_intent", intent_word(request));
    text_add_char(body, '}');
}

/* The order a change was answered with; unreadable is ERR_UNKNOWN, because the change was accepted. */
static enum err_code read_answer(struct alpaca *alpaca, struct broker_order *out, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = client_tree(alpaca, &tree, err);
    if (code == ERR_OK) {
        code = parse_order(tree, out, err);
    }
    cJSON_Delete(tree);
    if (code != ERR_OK && err != NULL) {
        err->code = ERR_UNKNOWN;
    }
    return code == ERR_OK ? ERR_OK : ERR_UNKNOWN;
}

#define CODE_REQUEST_SHAPE                                                                         \
    40010001 /* arrives with HTTP 422; a used client id is one of its causes */

/* After a 422 that may mean "id in use": asks for the id. The submit itself was refused; only what the
 * id stands for is open, and when that cannot be told the caller must ask later: ERR_UNKNOWN. */
static enum err_code find_duplicate(struct alpaca *alpaca, const char *client_id, struct err *err) {
    struct alpaca_reply reply = alpaca->reply;
    struct broker_order found = {0};
    struct err ask = {0};
    enum err_code code = alpaca_get_order_by_client_id(alpaca, client_id, &found, &ask);
    reply.is_duplicate_id = code == ERR_OK;
    alpaca->reply = reply;
    if (code == ERR_OK || code == ERR_NOT_FOUND) {
        return ERR_REFUSED;
    }
    return err_set(err, ERR_UNKNOWN, "HTTP 422, and whether id %s is in use is unknown: %.300s",
                   client_id, ask.text);
}

enum err_code alpaca_submit(struct alpaca *alpaca, const struct order_request *request,
                            struct mono expires_at, struct broker_order *out, struct err *err) {
    CHECK(request->type != ORDER_TYPE_OTHER && request->tif != TIF_OTHER);
    CHECK(request->qty.nanos > 0 && request->client_id[0] != '\0');
    CHECK(!request->is_oco || request->type == ORDER_LIMIT);
    const struct call call = {.method = "POST",
                              .host = HTTP_TRADING,
                              .is_change = true,
                              .deadline = alpaca->submit_deadline,
                              .has_expiry = true,
                              .expires_at = expires_at};
    write_order(alpaca, request);
    struct broker_order order = {0};
    enum err_code code = client_send(alpaca, &call, err);
    const struct alpaca_reply *reply = &alpaca->reply;
    bool may_be_duplicate = code == ERR_REFUSED && reply->status == 422 &&
                            (reply->code == CODE_REQUEST_SHAPE || reply->code == 0);
    if (code == ERR_OK) {
        code = read_answer(alpaca, &order, err);
    } else if (may_be_duplicate) {
        code = find_duplicate(alpaca, request->client_id, err);
    }
    if (code == ERR_OK && (strcmp(order.client_id, request->client_id) != 0 ||
                           strcmp(order.symbol, request->symbol) != 0)) {
        code = err_set(err, ERR_UNKNOWN, "the answer is about order '%s' in %s", order.client_id,
                       order.symbol);
    }
    if (code != ERR_OK) {
        (void)err_wrap(err, "POST /v2/orders, id %s", request->client_id);
        return code;
    }
    *out = order;
    return ERR_OK;
}

static void write_change(struct alpaca *alpaca, const char *id, const struct order_change *change) {
    struct text *body = &alpaca->body;
    client_begin(alpaca, ENDPOINT_REPLACE, "/v2/orders/");
    text_add_encoded(&alpaca->path, id);
    if (change->qty.nanos != 0) {
        write_decimal(body, "qty", change->qty.nanos);
    }
    if (change->limit_price.nanos != 0) {
        write_decimal(body, "limit_price", change->limit_price.nanos);
    }
    if (change->stop_price.nanos != 0) {
        write_decimal(body, "stop_price", change->stop_price.nanos);
    }
    if (change->client_id[0] != '\0') {
        write_string(body, "client_order_id", change->client_id);
    }
    text_add(body, body->len == 0 ? "{}" : "}");
}

enum err_code alpaca_replace(struct alpaca *alpaca, const char *id,
                             const struct order_change *change, struct mono expires_at,
                             struct broker_order *out, struct err *err) {
    CHECK(id[0] != '\0');
    const struct call call = {.method = "PATCH",
                              .host = HTTP_TRADING,
                              .is_change = true,
                              .deadline = alpaca->submit_deadline,
                              .has_expiry = true,
                              .expires_at = expires_at};
    write_change(alpaca, id, change);
    struct broker_order order = {0};
    enum err_code code = client_send(alpaca, &call, err);
    if (code == ERR_OK) {
        code = read_answer(alpaca, &order, err);
    }
    if (code == ERR_OK && order.replaces[0] != '\0' && strcmp(order.replaces, id) != 0) {
        code = err_set(err, ERR_UNKNOWN, "the answer replaces order '%s'", order.replaces);
    }
    if (code != ERR_OK) {
        return client_wrap(alpaca, "PATCH", code, err);
    }
    *out = order;
    return ERR_OK;
}

enum err_code alpaca_cancel(struct alpaca *alpaca, const char *id, struct err *err) {
    CHECK(id[0] != '\0'); /* an empty id would be DELETE of every order */
    const struct call call = {
        .method = "DELETE",
        .host = HTTP_TRADING,
        .is_change = true,
        .deadline = alpaca->read_deadline,
        .has_expiry = true, /* none leaves late, from a process that hung */
        .expires_at = mono_add(clock_mono(alpaca->world->clock), alpaca->read_deadline)};
    client_begin(alpaca, ENDPOINT_CANCEL, "/v2/orders/");
    text_add_encoded(&alpaca->path, id);
    enum err_code code = client_send(alpaca, &call, err);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "DELETE", code, err);
}

static void write_switch(struct text *body, const char *key, bool is_on) {
    write_key(body, key);
    text_add(body, is_on ? "true" : "false");
}

enum err_code alpaca_set_configuration(struct alpaca *alpaca,
                                       const struct configuration_change *change, struct err *err) {
    const struct call call = {
        .method = "PATCH",
        .host = HTTP_TRADING,
        .is_change = true,
        .deadline = alpaca->submit_deadline,
        .has_expiry = true, /* none leaves late, from a process that hung */
        .expires_at = mono_add(clock_mono(alpaca->world->clock), alpaca->submit_deadline)};
    struct text *body = &alpaca->body;
    client_begin(alpaca, ENDPOINT_CONFIGURATION, "/v2/account/configurations");
    if (change->sets_no_shorting) {
        write_switch(body, "no_shorting", true);
    }
    if (change->max_margin_multiplier != 0) {
        write_decimal(body, "max_margin_multiplier", change->max_margin_multiplier * NANOS);
    }
    if (change->suspend_trade != CONFIGURATION_LEAVE) {
        write_switch(body, "suspend_trade", change->suspend_trade == CONFIGURATION_ON);
    }
    CHECK(body->len > 0);
    text_add_char(body, '}');
    enum err_code code = client_send(alpaca, &call, err);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "PATCH", code, err);
}
