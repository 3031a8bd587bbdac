/* tiny_broker.h - a broker of the size a test needs: a table of orders behind struct http, the rest
 * canned text, and a list of answers that come instead. Header only. */
#ifndef TESTS_UNIT_TINY_BROKER_H
#define TESTS_UNIT_TINY_BROKER_H

#include "chaos/machine/virtual_clock.h"
#include "core/base/json.h"
#include "core/world/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct tiny_order {
    char id[16], client[48], symbol[16], side[8], type[16], tif[8], replaces[16];
    char qty[24], filled[24], average[24], limit[24], stop[24], status[24];
    bool is_oco; /* its stop is its leg: */
    char leg_id[16], leg_status[24], leg_filled[24];
    bool is_flat; /* told without it, which is there by its own id */
};

struct tiny_fault {            /* what comes instead of an answer */
    const char *method, *path; /* how the path begins */
    int times;
    enum err_code code;
    int status;
    const char *body;
    bool is_done; /* the request takes effect all the same */
};

struct tiny_broker {
    struct http seam;
    struct tiny_order orders[64];
    size_t count;
    struct tiny_fault fault[4];
    const struct virtual_clock *time; /* NULL: the clock says what it is told to */
    const char *account, *clock, *calendar, *positions, *activities, *quotes, *trades, *bars;
    const char *snapshots;               /* NULL: 500 */
    const char *asset, *actions, *daily; /* NULL: all is well with AAPL */
    const char *configuration;           /* NULL: as a trader of longs alone sets it */
    const char *configuration_set;       /* what it is behind a PATCH of it; NULL: as it was */
    char configured[160];                /* the body of the last such PATCH */
    int posts, patches, cancels, requests;
};

static inline struct tiny_order *tiny_find(struct tiny_broker *broker, const char *id) {
    for (size_t i = broker->count; i-- > 0;) {
        if (strcmp(broker->orders[i].id, id) == 0 || strcmp(broker->orders[i].client, id) == 0) {
            return &broker->orders[i];
        }
    }
    return NULL;
}

static inline bool tiny_is_open(const struct tiny_order *order) {
    return strcmp(order->status, "new") == 0 || strcmp(order->status, "partially_filled") == 0;
}

static inline void tiny_print_leg(const struct tiny_order *order, struct text *out) {
    text_add_format(out,
                    "{\"id\":\"%s\",\"client_order_id\":\"leg-%s\",\"symbol\":\"%s\","
                    "\"side\":\"sell\",\"type\":\"stop\",\"time_in_force\":\"gtc\","
                    "\"qty\":\"%s\",\"filled_qty\":\"%s\",\"filled_avg_price\":\"96\","
                    "\"stop_price\":\"%s\",\"status\":\"%s\",\"order_class\":\"oco\"}",
                    order->leg_id, order->leg_id, order->symbol, order->qty, order->leg_filled,
                    order->stop, order->leg_status);
    if (strcmp(order->leg_status, "replaced") == 0) {
        out->len--; /* the brace */
        text_add(out, ",\"replaced_by\":\"leg-2\"}");
    }
}

static inline void tiny_print(const struct tiny_order *order, struct text *out) {
    text_add_format(out,
                    "{\"id\":\"%s\",\"client_order_id\":\"%s\",\"symbol\":\"%s\",\"side\":\"%s\","
                    "\"type\":\"%s\",\"time_in_force\":\"%s\",\"qty\":\"%s\",\"filled_qty\":\"%s\","
                    "\"status\":\"%s\",\"submitted_at\":\"2026-09-01T14:00:00Z\"",
                    order->id, order->client, order->symbol, order->side, order->type, order->tif,
                    order->qty, order->filled, order->status);
    static const char *const keys[] = {"filled_avg_price", "limit_price", "stop_price", "replaces"};
    const char *const values[] = {order->average, order->limit, order->stop, order->replaces};
    for (size_t i = 0; i < 4; i++) {
        if (values[i][0] != '\0' && !(order->is_oco && i == 2)) {
            text_add_format(out, ",\"%s\":\"%s\"", keys[i], values[i]);
        }
    }
    if (order->is_oco) {
        text_add(out, ",\"order_class\":\"oco\"");
    }
    if (order->is_oco && order->leg_id[0] != '\0' && !order->is_flat) {
        text_add(out, ",\"legs\":[");
        tiny_print_leg(order, out);
        text_add_char(out, ']');
    }
    text_add_char(out, '}');
}
static inline void tiny_read(const cJSON *body, const char *key, char *out, size_t n) {
    const char *value = NULL;
    if (json_string(body, key, &value, NULL) == ERR_OK) {
        snprintf(out, n, "%s", value);
    }
}

#define TINY_READ(body, order, key, field)                                                         \
    tiny_read(body, key, (order)->field, sizeof(order)->field)

static inline void tiny_group(const cJSON *body, struct tiny_order *order) {
    const cJSON *profit = json_member(body, "take_profit");
    const cJSON *loss = json_member(body, "stop_loss");
    if (profit == NULL || loss == NULL) {
        return;
    }
    order->is_oco = true;
    tiny_read(profit, "limit_price", order->limit, sizeof order->limit);
    tiny_read(loss, "stop_price", order->stop, sizeof order->stop);
    strcpy(order->leg_id, "leg-");
    strncat(order->leg_id, order->id, 8);
    strcpy(order->leg_status, "held");
    strcpy(order->leg_filled, "0");
}

static inline void tiny_change(struct tiny_broker *broker, const struct http_request *request,
                               struct text *out) {
    cJSON *body = NULL;
    cr_assert_eq(json_parse(request->body, request->body_len, &body, NULL), ERR_OK);
    cr_assert_lt(broker->count, 64);
    struct tiny_order *order = &broker->orders[broker->count++];
    *order = (struct tiny_order){.filled = "0", .status = "new"};
    if (request->method[1] == 'A') { /* PATCH */
        struct tiny_order *old = tiny_find(broker, request->path + strlen("/v2/orders/"));
        cr_assert_not_null(old);
        *order = *old;
        snprintf(order->replaces, sizeof order->replaces, "%s", old->id);
        strcpy(old->status, "replaced");
        old->leg_id[0] = '\0'; /* it is its successor's */
    }
    snprintf(order->id, sizeof order->id, "b-%zu", broker->count);
    TINY_READ(body, order, "client_order_id", client);
    TINY_READ(body, order, "symbol", symbol);
    TINY_READ(body, order, "side", side);
    TINY_READ(body, order, "type", type);
    TINY_READ(body, order, "time_in_force", tif);
    TINY_READ(body, order, "qty", qty);
    TINY_READ(body, order, "limit_price", limit);
    TINY_READ(body, order, "stop_price", stop);
    tiny_group(body, order);
    tiny_print(order, out);
    cJSON_Delete(body);
}

static inline struct tiny_order *tiny_find_leg(struct tiny_broker *broker, const char *id) {
    for (size_t i = broker->count; i-- > 0;) {
        if (broker->orders[i].is_oco && strcmp(broker->orders[i].leg_id, id) == 0) {
            return &broker->orders[i];
        }
    }
    return NULL;
}

static inline int tiny_leg(struct tiny_order *order, bool is_cancel, struct text *out) {
    if (!is_cancel) {
        tiny_print_leg(order, out);
        return 200;
    }
    strcpy(order->leg_status, "canceled");
    if (tiny_is_open(order)) {
        strcpy(order->status, "canceled");
    }
    return 204;
}

static inline int tiny_orders(struct tiny_broker *broker, const struct http_request *request,
                              struct text *out) {
    if (request->method[0] == 'P') {
        tiny_change(broker, request, out);
        return 200;
    }
    const char *id = strchr(request->path + 4, '/');
    if (id == NULL && strchr(request->path, ':') == NULL) {
        bool is_all = strstr(request->query, "status=all") != NULL;
        text_add_char(out, '[');
        for (size_t i = 0; i < broker->count; i++) {
            if (is_all || tiny_is_open(&broker->orders[i])) {
                text_add(out, out->len > 1 ? "," : "");
                tiny_print(&broker->orders[i], out);
            }
        }
        text_add_char(out, ']');
        return 200;
    }
    const char *name = id != NULL ? id + 1 : strchr(request->query, '=') + 1;
    struct tiny_order *order = tiny_find(broker, name);
    struct tiny_order *leg = order == NULL ? tiny_find_leg(broker, name) : NULL;
    if (leg != NULL) {
        return tiny_leg(leg, request->method[0] == 'D', out);
    }
    if (order == NULL) {
        text_add(out, "{\"code\":40410000,\"message\":\"order not found\"}");
        return 404;
    }
    if (request->method[0] == 'D') {
        if (!tiny_is_open(order)) {
            text_add(out, "{\"code\":42210000,\"message\":\"not cancelable\"}");
            return 422;
        }
        strcpy(order->status, "canceled");
        strcpy(order->leg_status, "canceled");
        return 204;
    }
    tiny_print(order, out);
    return 200;
}

/* What `clock` says behind its time stamp is as told; the stamp is the broker's own time. */
static inline int tiny_clock(const struct tiny_broker *broker, struct text *out) {
    static const char told[] = "{\"timestamp\":\"2026-09-01T14:00:00Z\"";
    bool is_own = broker->time != NULL && strncmp(broker->clock, told, sizeof told - 1) == 0;
    if (is_own) {
        text_add_char(out, '{');
        text_member_utc(out, "timestamp", virtual_clock_now(broker->time));
    }
    text_add(out, broker->clock + (is_own ? sizeof told - 1 : 0));
    return 200;
}

static const char TINY_ASSET[] =
    "{\"class\":\"us_equity\",\"exchange\":\"NASDAQ\",\"symbol\":\"AAPL\",\"status\":\"active\","
    "\"tradable\":true,\"borrow_status\":\"easy_to_borrow\"}";
static const char TINY_ACTIONS[] = "{\"corporate_actions\":{},\"next_page_token\":null}";
static const char TINY_DAILY[] =
    "{\"bars\":{\"AAPL\":[{\"t\":\"2026-08-31T04:00:00Z\",\"o\":100,\"h\":100,\"l\":100,\"c\":100,"
    "\"v\":100000000}]},\"next_page_token\":null}";

/* What must be known of a symbol before it is bought; false: another question. */
static inline bool tiny_universe(const struct tiny_broker *broker,
                                 const struct http_request *request, struct text *out) {
    const char *answer = NULL;
    if (strncmp(request->path, "/v2/assets/", 11) == 0) {
        answer = broker->asset == NULL ? TINY_ASSET : broker->asset;
    } else if (strcmp(request->path, "/v1/corporate-actions") == 0) {
        answer = broker->actions == NULL ? TINY_ACTIONS : broker->actions;
    } else if (strcmp(request->path, "/v2/stocks/bars") == 0 &&
               strstr(request->query, "timeframe=1Day") != NULL) {
        answer = broker->daily == NULL ? TINY_DAILY : broker->daily;
    }
    text_add(out, answer == NULL ? "" : answer);
    return answer != NULL;
}

static const char TINY_CONFIGURATION[] =
    "{\"max_margin_multiplier\":\"1\",\"no_shorting\":true,\"suspend_trade\":false}";

static inline int tiny_configuration(struct tiny_broker *broker, const struct http_request *request,
                                     struct text *out) {
    if (strcmp(request->method, "PATCH") == 0) {
        snprintf(broker->configured, sizeof broker->configured, "%s", request->body);
        broker->configuration =
            broker->configuration_set == NULL ? broker->configuration : broker->configuration_set;
    }
    text_add(out, broker->configuration == NULL ? TINY_CONFIGURATION : broker->configuration);
    return 200;
}

static inline int tiny_answer(struct tiny_broker *broker, const struct http_request *request,
                              struct text *out) {
    const struct {
        const char *path, *body;
    } canned[] = {{"/v2/account/activities", broker->activities},
                  {"/v2/account", broker->account},
                  {"/v2/clock", broker->clock},
                  {"/v2/calendar", broker->calendar},
                  {"/v2/positions", broker->positions},
                  {"/v2/stocks/quotes", broker->quotes},
                  {"/v2/stocks/trades", broker->trades},
                  {"/v2/stocks/snapshots", broker->snapshots},
                  {"/v2/stocks/bars", broker->bars}};
    if (strcmp(request->path, "/v2/clock") == 0 && broker->clock != NULL) {
        return tiny_clock(broker, out);
    }
    if (tiny_universe(broker, request, out)) {
        return 200;
    }
    if (strcmp(request->path, "/v2/account/configurations") == 0) {
        return tiny_configuration(broker, request, out);
    }
    for (size_t i = 0; i < sizeof canned / sizeof canned[0]; i++) {
        if (strncmp(request->path, canned[i].path, strlen(canned[i].path)) == 0) {
            text_add(out, canned[i].body == NULL ? "" : canned[i].body);
            return canned[i].body == NULL ? 500 : 200;
        }
    }
    return tiny_orders(broker, request, out);
}

static inline enum err_code tiny_perform(struct http *http, const struct http_request *request,
                                         struct span deadline, struct http_response *response,
                                         struct err *err) {
    (void)deadline;
    struct tiny_broker *broker = (struct tiny_broker *)http;
    http_response_clear(response);
    broker->requests++;
    broker->posts += strcmp(request->method, "POST") == 0;
    broker->patches += strcmp(request->method, "PATCH") == 0;
    broker->cancels += strcmp(request->method, "DELETE") == 0;
    for (size_t i = 0; i < 4; i++) {
        struct tiny_fault *fault = &broker->fault[i];
        if (fault->times > 0 && strcmp(fault->method, request->method) == 0 &&
            strncmp(fault->path, request->path, strlen(fault->path)) == 0) {
            fault->times--;
            if (fault->is_done) {
                (void)tiny_answer(broker, request, &response->body);
                text_clear(&response->body);
            }
            response->status = fault->code == ERR_OK ? fault->status : 0;
            text_add(&response->body, fault->body == NULL ? "" : fault->body);
            return fault->code == ERR_OK ? ERR_OK : err_set(err, fault->code, "as told");
        }
    }
    response->status = tiny_answer(broker, request, &response->body);
    return ERR_OK;
}

static const struct http_ops TINY_OPS = {.perform = tiny_perform};

static inline void tiny_fill(struct tiny_order *order, const char *status, const char *qty,
                             const char *average) {
    snprintf(order->status, sizeof order->status, "%s", status);
    snprintf(order->filled, sizeof order->filled, "%s", qty);
    snprintf(order->average, sizeof order->average, "%s", average);
}

#endif
