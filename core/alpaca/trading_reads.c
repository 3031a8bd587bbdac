/* trading_reads.c - the reads of the Trading API. An account, position or open order answer equal in
 * bytes to the last readable one reuses its parse: between fills a tick's answers mostly are. */
#include "core/alpaca/client.h"

#include "core/base/mutant.h"

#include <stdlib.h>

typedef enum err_code parse_item(const cJSON *tree, void *out, struct err *err);

static enum err_code item_position(const cJSON *tree, void *out, struct err *err) {
    return parse_position(tree, out, err);
}
static enum err_code item_order(const cJSON *tree, void *out, struct err *err) {
    return parse_order(tree, out, err);
}
static enum err_code item_activity(const cJSON *tree, void *out, struct err *err) {
    return parse_activity(tree, out, err);
}
static enum err_code item_session(const cJSON *tree, void *out, struct err *err) {
    return parse_session(tree, out, err);
}
static enum err_code item_clock(const cJSON *tree, void *out, struct err *err) {
    return parse_clock(tree, out, err);
}
static enum err_code item_asset(const cJSON *tree, void *out, struct err *err) {
    return parse_asset(tree, out, err);
}
static enum err_code item_configuration(const cJSON *tree, void *out, struct err *err) {
    return parse_configuration(tree, out, err);
}

/* Asks for what client_begin() named, and reads the one object of the answer; out changes on success alone. */
static enum err_code read_one(struct alpaca *alpaca, parse_item *parse, void *out,
                              struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = client_read(alpaca, err);
    if (code != ERR_OK) {
        return code;
    }
    code = client_tree(alpaca, &tree, err);
    if (code == ERR_OK) {
        code = parse(tree, out, err);
    }
    cJSON_Delete(tree);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "GET", code, err);
}

/* How the items of an array are read: what, how large, how many at most. */
struct list {
    const char *noun;
    parse_item *parse;
    size_t item_size;
    size_t max;
};

static enum err_code parse_items(const cJSON *tree, const struct list *list, char *out,
                                 size_t *count, struct err *err) {
    if (!cJSON_IsArray(tree)) {
        return err_set(err, ERR_PARSE, "not an array");
    }
    size_t n = 0;
    for (const cJSON *item = tree->child; item != NULL; item = item->next, n++) {
        if (n == list->max) {
            return err_set(err, ERR_LIMIT, "more than %zu %ss", list->max, list->noun);
        }
        enum err_code code = list->parse(item, out + n * list->item_size, err);
        if (code != ERR_OK) {
            (void)err_wrap(err, "%s %zu", list->noun, n + 1);
            return code;
        }
    }
    *count = n;
    return ERR_OK;
}

static enum err_code parse_list(struct alpaca *alpaca, const struct list *list, void *out,
                                size_t *count, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = client_tree(alpaca, &tree, err);
    if (code == ERR_OK) {
        code = parse_items(tree, list, out, count, err);
    }
    cJSON_Delete(tree);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "GET", code, err);
}

static bool memo_has(const struct memo *memo, const struct text *body) {
    return memo->is_valid && memo->body.len == body->len &&
           memcmp(text_get(&memo->body), text_get(body), body->len) == 0;
}

static void memo_keep(struct memo *memo, const struct text *body, size_t count) {
    text_clear(&memo->body);
    text_add_bytes(&memo->body, text_get(body), body->len);
    memo->count = count;
    memo->is_valid = !memo->body.is_cut;
}

/* Reads a list through its memo into out. */
static enum err_code read_memo_list(struct alpaca *alpaca, struct memo *memo,
                                    const struct list *list, void *out, size_t *count,
                                    struct err *err) {
    enum err_code code = client_read(alpaca, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct text *body = &alpaca->response.body;
    if (!memo_has(memo, body)) {
        memo->is_valid = false;
        size_t n = 0;
        code = parse_list(alpaca, list, memo->items, &n, err);
        if (code != ERR_OK) {
            return code;
        }
        memo_keep(memo, body, n);
    }
    memcpy(out, memo->items, memo->count * list->item_size);
    *count = memo->count;
    return ERR_OK;
}

enum err_code alpaca_get_account(struct alpaca *alpaca, struct broker_account *out,
                                 struct err *err) {
    client_begin(alpaca, ENDPOINT_ACCOUNT, "/v2/account");
    enum err_code code = client_read(alpaca, err);
    if (code != ERR_OK) {
        return code;
    }
    struct memo *memo = &alpaca->account;
    const struct text *body = &alpaca->response.body;
    if (!memo_has(memo, body)) {
        memo->is_valid = false;
        cJSON *tree = NULL;
        code = client_tree(alpaca, &tree, err);
        if (code == ERR_OK) {
            code = parse_account(tree, memo->items, err);
        }
        cJSON_Delete(tree);
        if (code != ERR_OK) {
            return client_wrap(alpaca, "GET", code, err);
        }
        memo_keep(memo, body, 1);
    }
    memcpy(out, memo->items, sizeof *out);
    return ERR_OK;
}

enum err_code alpaca_get_clock(struct alpaca *alpaca, struct broker_clock *out, struct err *err) {
    client_begin(alpaca, ENDPOINT_CLOCK, "/v2/clock");
    return read_one(alpaca, item_clock, out, err);
}

enum err_code alpaca_get_calendar(struct alpaca *alpaca, struct date first, struct date last,
                                  struct session *out, size_t max, size_t *count, struct err *err) {
    const struct list sessions = {"session", item_session, sizeof *out, max};
    char from[DATE_TEXT_MAX];
    char to[DATE_TEXT_MAX];
    date_print(first, from);
    date_print(last, to);
    client_begin(alpaca, ENDPOINT_CALENDAR, "/v2/calendar");
    text_add_format(&alpaca->query, "start=%s&end=%s", from, to);
    enum err_code code = client_read(alpaca, err);
    return code == ERR_OK ? parse_list(alpaca, &sessions, out, count, err) : code;
}

enum err_code alpaca_get_positions(struct alpaca *alpaca, struct broker_position *out,
                                   size_t *count, struct err *err) {
    const struct list positions = {"position", item_position, sizeof *out, ALPACA_POSITIONS_MAX};
    client_begin(alpaca, ENDPOINT_POSITIONS, "/v2/positions");
    return read_memo_list(alpaca, &alpaca->positions, &positions, out, count, err);
}

enum err_code alpaca_get_position(struct alpaca *alpaca, const char *symbol,
                                  struct broker_position *out, struct err *err) {
    client_begin(alpaca, ENDPOINT_POSITIONS, "/v2/positions/");
    text_add_encoded(&alpaca->path, symbol);
    struct broker_position position = {0};
    enum err_code code = read_one(alpaca, item_position, &position, err);
    if (code != ERR_OK) {
        return code;
    }
    if (strcmp(position.symbol, symbol) != 0) {
        return err_set(err, ERR_PARSE, "asked for the position in %s, told of %s", symbol,
                       position.symbol);
    }
    *out = position;
    return ERR_OK;
}

void alpaca_nest_legs(struct alpaca *alpaca, bool is_nested) {
    alpaca->is_nested = is_nested;
}

/* A full page may hide more: 500 open orders are beyond every limit of this program. */
enum err_code alpaca_get_open_orders(struct alpaca *alpaca, struct broker_order *out, size_t *count,
                                     struct err *err) {
    const struct list orders = {"order", item_order, sizeof *out, ALPACA_ORDERS_MAX - 1};
    client_begin(alpaca, ENDPOINT_ORDERS, "/v2/orders");
    text_add(&alpaca->query, "status=open&limit=500&nested=");
    text_add(&alpaca->query, alpaca->is_nested ? "true" : "false");
    return read_memo_list(alpaca, &alpaca->open_orders, &orders, out, count, err);
}

struct order_walk {
    struct broker_order *page, *before; /* the page now read, and the last one */
    size_t count, before_count;
    struct utc after;
    alpaca_take_order *take;
    void *context;
};

static enum err_code read_order_page(struct alpaca *alpaca, struct order_walk *walk,
                                     struct err *err) {
    const struct list orders = {"order", item_order, sizeof *walk->page, ALPACA_ORDERS_MAX};
    client_begin(alpaca, ENDPOINT_ORDERS, "/v2/orders");
    text_add(&alpaca->query, "status=all&limit=500&direction=asc&nested=");
    text_add(&alpaca->query, alpaca->is_nested ? "true&after=" : "false&after=");
    text_add_utc(&alpaca->query, walk->after);
    enum err_code code = client_read(alpaca, err);
    return code == ERR_OK ? parse_list(alpaca, &orders, walk->page, &walk->count, err) : code;
}

static bool has_order(const struct broker_order *orders, size_t count, const char *id) {
    for (size_t i = count; i > 0; i--) { /* a repeated item stands at the end */
        if (strcmp(orders[i - 1].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes what the last page did not have, and turns the page. False if nothing was new. */
static bool take_order_page(struct order_walk *walk) {
    bool is_new = false;
    for (size_t i = 0; i < walk->count; i++) {
        const struct broker_order *order = &walk->page[i];
        if (!has_order(walk->before, walk->before_count, order->id) &&
            !has_order(walk->page, i, order->id)) {
            is_new = true;
            walk->take(walk->context, order);
        }
    }
    struct broker_order *page = walk->page;
    walk->page = walk->before;
    walk->before = page;
    walk->before_count = walk->count;
    return is_new;
}

/* `after` excludes its own instant, and orders may share one: the next page starts a nanosecond before
 * the last order of this one and repeats it. */
static enum err_code walk_orders(struct alpaca *alpaca, struct order_walk *walk, struct err *err) {
    for (int pages = 0; pages < ALPACA_PAGES_MAX; pages++) {
        enum err_code code = read_order_page(alpaca, walk, err);
        if (code != ERR_OK) {
            return code;
        }
        bool is_new = take_order_page(walk);
        if (walk->count < ALPACA_ORDERS_MAX) {
            return ERR_OK;
        }
        MUTATE(orders_of_one_page, return err_set(err, ERR_LIMIT, "more than a page of orders"));
        struct utc last = walk->before[walk->before_count - 1].submitted_at;
        if (!is_new || last.ns <= walk->after.ns + 1) {
            break; /* no progress: the page repeats itself */
        }
        walk->after = utc_add(last, (struct span){-1});
    }
    (void)err_set(err, ERR_LIMIT, "the pages of orders do not end");
    return client_wrap(alpaca, "GET", ERR_LIMIT, err);
}

enum err_code alpaca_get_orders_since(struct alpaca *alpaca, struct utc after,
                                      alpaca_take_order *take, void *context, struct err *err) {
    struct broker_order *pages = malloc(2 * ALPACA_ORDERS_MAX * sizeof *pages);
    if (pages == NULL) {
        return err_set(err, ERR_NOT_SENT, "no memory for a page of orders");
    }
    struct order_walk walk = {.page = pages,
                              .before = pages + ALPACA_ORDERS_MAX,
                              .after = after,
                              .take = take,
                              .context = context};
    enum err_code code = walk_orders(alpaca, &walk, err);
    free(pages);
    return code;
}

/* Reads the one order asked for; `wanted` is the id or client id that it must have. */
static enum err_code read_order(struct alpaca *alpaca, const char *id, const char *client_id,
                                struct broker_order *out, struct err *err) {
    struct broker_order order = {0};
    enum err_code code = read_one(alpaca, item_order, &order, err);
    if (code != ERR_OK) {
        return code;
    }
    if (id != NULL && strcmp(order.id, id) != 0) {
        code = err_set(err, ERR_PARSE, "id: '%s' was not asked for", order.id);
    }
    if (code == ERR_OK && client_id != NULL && strcmp(order.client_id, client_id) != 0) {
        code = err_set(err, ERR_PARSE, "client_order_id: '%s' was not asked for", order.client_id);
    }
    if (code != ERR_OK) {
        return client_wrap(alpaca, "GET", code, err);
    }
    *out = order;
    return ERR_OK;
}

enum err_code alpaca_get_order(struct alpaca *alpaca, const char *id, struct broker_order *out,
                               struct err *err) {
    client_begin(alpaca, ENDPOINT_ORDER, "/v2/orders/");
    text_add_encoded(&alpaca->path, id);
    text_add(&alpaca->query, alpaca->is_nested ? "nested=true" : "");
    return read_order(alpaca, id, NULL, out, err);
}

enum err_code alpaca_get_order_by_client_id(struct alpaca *alpaca, const char *client_id,
                                            struct broker_order *out, struct err *err) {
    client_begin(alpaca, ENDPOINT_ORDER, "/v2/orders:by_client_order_id");
    text_add(&alpaca->query, "client_order_id=");
    text_add_encoded(&alpaca->query, client_id);
    text_add(&alpaca->query, alpaca->is_nested ? "&nested=true" : "");
    return read_order(alpaca, NULL, client_id, out, err);
}

#define ACTIVITIES_PAGE 100

static void write_activities(struct alpaca *alpaca, struct utc after, const char *type,
                             const char *token) {
    client_begin(alpaca, ENDPOINT_ACTIVITIES, "/v2/account/activities");
    text_add(&alpaca->query, "direction=asc&page_size=100&after=");
    text_add_utc(&alpaca->query, after);
    text_add(&alpaca->query, type[0] == '\0' ? "" : "&activity_types=");
    text_add(&alpaca->query, type);
    if (token[0] != '\0') {
        text_add(&alpaca->query, "&page_token=");
        text_add_encoded(&alpaca->query, token);
    }
}

static bool has_activity(const struct broker_activity *items, size_t count, const char *id) {
    for (size_t i = count; i > 0; i--) {
        if (strcmp(items[i - 1].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code read_activities(struct alpaca *alpaca, struct utc after, const char *type,
                                     struct broker_activity *page, struct broker_activity *out,
                                     size_t max, size_t *count, struct err *err) {
    const struct list list = {"activity", item_activity, sizeof *page, ACTIVITIES_PAGE};
    char token[sizeof page->id] = "";
    size_t n = 0;
    for (int pages = 0; pages < ALPACA_PAGES_MAX; pages++) {
        write_activities(alpaca, after, type, token);
        size_t page_count = 0;
        enum err_code code = client_read(alpaca, err);
        if (code == ERR_OK) {
            code = parse_list(alpaca, &list, page, &page_count, err);
        }
        if (code != ERR_OK) {
            return code;
        }
        size_t before = n;
        for (size_t i = 0; i < page_count && n < max; i++) {
            if (!has_activity(out, n, page[i].id)) {
                out[n++] = page[i];
            }
        }
        if (page_count < ACTIVITIES_PAGE || n == max) {
            *count = n;
            return ERR_OK;
        }
        if (n == before) {
            break; /* no progress: the page repeats itself */
        }
        memcpy(token, page[page_count - 1].id, sizeof token);
    }
    (void)err_set(err, ERR_LIMIT, "the pages of activities do not end");
    return client_wrap(alpaca, "GET", ERR_LIMIT, err);
}

enum err_code alpaca_get_activities(struct alpaca *alpaca, struct utc after, const char *type,
                                    struct broker_activity *out, size_t max, size_t *count,
                                    struct err *err) {
    struct broker_activity *pages = malloc((ACTIVITIES_PAGE + max) * sizeof *pages);
    if (pages == NULL) {
        return err_set(err, ERR_NOT_SENT, "no memory for a page of activities");
    }
    size_t n = 0;
    struct broker_activity *all = pages + ACTIVITIES_PAGE; /* out stays unchanged on failure */
    enum err_code code = read_activities(alpaca, after, type, pages, all, max, &n, err);
    if (code == ERR_OK) {
        memcpy(out, all, n * sizeof *out);
        *count = n;
    }
    free(pages);
    return code;
}

enum err_code alpaca_get_asset(struct alpaca *alpaca, const char *symbol, struct broker_asset *out,
                               struct err *err) {
    client_begin(alpaca, ENDPOINT_ASSETS, "/v2/assets/");
    text_add_encoded(&alpaca->path, symbol);
    struct broker_asset asset = {0};
    enum err_code code = read_one(alpaca, item_asset, &asset, err);
    if (code != ERR_OK) {
        return code;
    }
    if (strcmp(asset.symbol, symbol) != 0) {
        code = err_set(err, ERR_PARSE, "symbol: '%s', another was asked for", asset.symbol);
        return client_wrap(alpaca, "GET", code, err);
    }
    *out = asset;
    return ERR_OK;
}

enum err_code alpaca_get_configuration(struct alpaca *alpaca, struct broker_configuration *out,
                                       struct err *err) {
    client_begin(alpaca, ENDPOINT_CONFIGURATION, "/v2/account/configurations");
    return read_one(alpaca, item_configuration, out, err);
}
