/* data_reads.c - latest quotes, latest trades, snapshots, bars and corporate actions of the Market Data API. */
#include "core/alpaca/client.h"

#include <stdlib.h>

static void write_names(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n) {
    text_add(&alpaca->query, "symbols=");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            text_add_char(&alpaca->query, ',');
        }
        text_add_encoded(&alpaca->query, symbols[i]);
    }
}

static void write_symbols(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n) {
    write_names(alpaca, symbols, n);
    text_add(&alpaca->query, "&feed=");
    text_add(&alpaca->query, alpaca->feed);
}

/* Index of a symbol, looked for from `from` on and round: answers mostly keep one order. n when absent. */
static size_t symbol_index(const char (*symbols)[SYMBOL_MAX], size_t n, size_t from,
                           const char *symbol) {
    for (size_t i = 0, at = from; i < n; i++, at++) {
        at = at >= n ? 0 : at;
        if (symbols[at][0] == symbol[0] && strcmp(symbols[at], symbol) == 0) {
            return at;
        }
    }
    return n;
}

typedef enum err_code latest_put(const cJSON *tree, void *out, size_t index, struct err *err);

static enum err_code put_quote(const cJSON *tree, void *out, size_t index, struct err *err) {
    return parse_quote(tree, (struct broker_quote *)out + index, err);
}
static enum err_code put_trade(const cJSON *tree, void *out, size_t index, struct err *err) {
    return parse_trade(tree, (struct broker_trade *)out + index, err);
}

/* A null member is none: nothing was traded there. So is the bar of a minute whose prices are none of a bar: it keeps
 * no other symbol's from being read. */
static enum err_code put_minute(const cJSON *tree, void *out, size_t index, struct err *err) {
    const cJSON *bar = json_member(tree, "minuteBar");
    struct utc at = {0};
    if (bar == NULL || cJSON_IsNull(bar)) {
        return ERR_OK;
    }
    enum err_code code = parse_bar(bar, (struct broker_bar *)out + index, err);
    return code != ERR_OK && json_utc(bar, "t", &at, NULL) == ERR_OK ? ERR_OK : code;
}

/* Walks {"AAPL": {...}, "BADSYM": null}; a missing wrapper means nothing is known, "" is none to be there: of such
 * a symbol that nobody can read costs no other its own, unless none can be read. */
static enum err_code parse_latest(const cJSON *tree, const char *wrapper,
                                  const char (*symbols)[SYMBOL_MAX], size_t n, latest_put *put,
                                  void *out, struct err *err) {
    if (!cJSON_IsObject(tree)) {
        return err_set(err, ERR_PARSE, "not an object");
    }
    bool is_each = wrapper[0] == '\0';
    const cJSON *map = is_each ? tree : json_member(tree, wrapper);
    if (map == NULL || cJSON_IsNull(map)) {
        return ERR_OK;
    }
    if (!cJSON_IsObject(map)) {
        return err_set(err, ERR_PARSE, "%s: not an object", wrapper);
    }
    struct err why = {0}; /* of the first that nobody can read */
    size_t read = 0;
    size_t next = 0;
    for (const cJSON *item = map->child; item != NULL; item = item->next) {
        size_t index = symbol_index(symbols, n, next, item->string);
        struct err fault = {0};
        if (index == n || cJSON_IsNull(item)) {
            continue;
        }
        next = index + 1;
        if (put(item, out, index, &fault) == ERR_OK) {
            read++;
        } else if (why.text[0] == '\0') {
            (void)err_wrap(&fault, "%s of %s", is_each ? "snapshot" : wrapper, symbols[index]);
            why = fault;
        }
    }
    bool is_read = why.text[0] == '\0' || (is_each && read > 0);
    return is_read ? ERR_OK : err_set(err, ERR_PARSE, "%s", why.text);
}

static enum err_code read_latest(struct alpaca *alpaca, enum alpaca_endpoint endpoint,
                                 const char *path, const char *wrapper,
                                 const char (*symbols)[SYMBOL_MAX], size_t n, latest_put *put,
                                 void *scratch, struct err *err) {
    client_begin(alpaca, endpoint, path);
    write_symbols(alpaca, symbols, n);
    enum err_code code = client_read(alpaca, err);
    if (code != ERR_OK) {
        return code;
    }
    cJSON *tree = NULL;
    code = client_tree(alpaca, &tree, err);
    if (code == ERR_OK) {
        code = parse_latest(tree, wrapper, symbols, n, put, scratch, err);
    }
    cJSON_Delete(tree);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "GET", code, err);
}

/* All or nothing: out, an array of n items of this size, changes on success alone. */
static enum err_code get_latest(struct alpaca *alpaca, enum alpaca_endpoint endpoint,
                                const char *path, const char *wrapper,
                                const char (*symbols)[SYMBOL_MAX], size_t n, latest_put *put,
                                void *out, size_t size, struct err *err) {
    void *scratch = calloc(n + 1, size);
    if (scratch == NULL) {
        return err_set(err, ERR_NOT_SENT, "no memory for %s", wrapper);
    }
    enum err_code code =
        read_latest(alpaca, endpoint, path, wrapper, symbols, n, put, scratch, err);
    if (code == ERR_OK) {
        memcpy(out, scratch, n * size);
    }
    free(scratch);
    return code;
}

enum err_code alpaca_get_quotes(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                                struct broker_quote *out, struct err *err) {
    return get_latest(alpaca, ENDPOINT_QUOTES, "/v2/stocks/quotes/latest", "quotes", symbols, n,
                      put_quote, out, sizeof *out, err);
}

enum err_code alpaca_get_trades(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                                struct broker_trade *out, struct err *err) {
    return get_latest(alpaca, ENDPOINT_TRADES, "/v2/stocks/trades/latest", "trades", symbols, n,
                      put_trade, out, sizeof *out, err);
}

/* Keyed by symbol with nothing around it (alpaca-api.md, fact 15). */
enum err_code alpaca_get_snapshots(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                   size_t n, struct broker_bar *out, struct err *err) {
    return get_latest(alpaca, ENDPOINT_SNAPSHOTS, "/v2/stocks/snapshots", "", symbols, n,
                      put_minute, out, sizeof *out, err);
}

struct bar_reader {
    const char (*symbols)[SYMBOL_MAX];
    size_t n;
    alpaca_bar_visit *visit;
    void *context;
    struct utc from;    /* of minute bars */
    struct err *unread; /* the first that is no bar; NULL: such a one ends the read */
    size_t *visited;    /* of minute bars: how many */
    bool is_daily;      /* else: */
    struct date first, last;
};

static enum err_code visit_bars(const struct bar_reader *reader, size_t index, const cJSON *list,
                                struct err *err) {
    if (!cJSON_IsArray(list)) {
        return err_set(err, ERR_PARSE, "bars of %s: not an array", reader->symbols[index]);
    }
    size_t number = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        struct broker_bar bar = {0};
        struct err why = {0};
        number++;
        if (parse_bar(item, &bar, &why) == ERR_OK) {
            reader->visit(reader->context, index, &bar);
            if (reader->visited != NULL) {
                ++*reader->visited;
            }
            continue;
        }
        (void)err_wrap(&why, "bar %zu of %s", number, reader->symbols[index]);
        if (reader->unread == NULL) {
            return err_set(err, ERR_PARSE, "%s", why.text);
        }
        if (reader->unread->text[0] == '\0') {
            *reader->unread = why;
        }
    }
    return ERR_OK;
}

/* An unknown symbol gives {} or null, not an error. */
static enum err_code parse_bars(const void *context, const cJSON *tree, struct err *err) {
    const struct bar_reader *reader = context;
    if (!cJSON_IsObject(tree)) {
        return err_set(err, ERR_PARSE, "not an object");
    }
    const cJSON *map = json_member(tree, "bars");
    if (map == NULL || cJSON_IsNull(map)) {
        return ERR_OK;
    }
    if (!cJSON_IsObject(map)) {
        return err_set(err, ERR_PARSE, "bars: not an object");
    }
    size_t next = 0;
    for (const cJSON *list = map->child; list != NULL; list = list->next) {
        size_t index = symbol_index(reader->symbols, reader->n, next, list->string);
        if (index == reader->n || cJSON_IsNull(list)) {
            continue;
        }
        if (visit_bars(reader, index, list, err) != ERR_OK) {
            return ERR_PARSE;
        }
        next = index;
    }
    return ERR_OK;
}

#define PAGE_TOKEN_MAX 512

/* The next page's token, or "" at the end. */
static enum err_code read_token(const cJSON *tree, char token[static PAGE_TOKEN_MAX],
                                struct err *err) {
    if (json_is_null(tree, "next_page_token")) {
        token[0] = '\0';
        return ERR_OK;
    }
    enum err_code code = json_copy(tree, "next_page_token", token, PAGE_TOKEN_MAX, err);
    return code == ERR_OK ? ERR_OK : ERR_PARSE;
}

static void write_dates(struct alpaca *alpaca, struct date first, struct date last) {
    char date[DATE_TEXT_MAX];
    date_print(first, date);
    text_add_format(&alpaca->query, "&start=%s", date);
    date_print(last, date);
    text_add_format(&alpaca->query, "&end=%s", date);
}

/* A paged read of the data host: writes its first page's request, and takes what a page says. */
struct paged {
    void (*write)(struct alpaca *alpaca, const void *reader);
    enum err_code (*parse)(const void *reader, const cJSON *tree, struct err *err);
    const void *reader;
    const char *what;
    int64_t most; /* pages */
};

static enum err_code read_page(struct alpaca *alpaca, const struct paged *paged,
                               char token[static PAGE_TOKEN_MAX], struct err *err) {
    paged->write(alpaca, paged->reader);
    if (token[0] != '\0') {
        text_add(&alpaca->query, "&page_token=");
        text_add_encoded(&alpaca->query, token);
    }
    enum err_code code = client_read(alpaca, err);
    if (code != ERR_OK) {
        return code;
    }
    cJSON *tree = NULL;
    code = client_tree(alpaca, &tree, err);
    if (code == ERR_OK) {
        code = paged->parse(paged->reader, tree, err);
    }
    if (code == ERR_OK) {
        code = read_token(tree, token, err);
    }
    cJSON_Delete(tree);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "GET", code, err);
}

static enum err_code read_pages(struct alpaca *alpaca, const struct paged *paged, struct err *err) {
    char token[PAGE_TOKEN_MAX] = "";
    for (int64_t pages = 0; pages < paged->most; pages++) {
        enum err_code code = read_page(alpaca, paged, token, err);
        if (code != ERR_OK || token[0] == '\0') {
            return code;
        }
    }
    (void)err_set(err, ERR_LIMIT, "the pages of %s do not end", paged->what);
    return client_wrap(alpaca, "GET", ERR_LIMIT, err);
}

static void write_bars(struct alpaca *alpaca, const void *context) {
    const struct bar_reader *reader = context;
    client_begin(alpaca, ENDPOINT_BARS, "/v2/stocks/bars");
    write_symbols(alpaca, reader->symbols, reader->n);
    text_add(&alpaca->query, "&timeframe=");
    text_add(&alpaca->query, reader->is_daily ? "1Day" : "1Min");
    text_add(&alpaca->query, "&limit=10000&adjustment=raw&sort=asc");
    if (reader->is_daily) {
        write_dates(alpaca, reader->first, reader->last);
    } else {
        text_add(&alpaca->query, "&start=");
        text_add_utc(&alpaca->query, reader->from);
    }
}

static enum err_code read_bars(struct alpaca *alpaca, const struct bar_reader *reader, int64_t most,
                               struct err *err) {
    return read_pages(alpaca, &(struct paged){write_bars, parse_bars, reader, "bars", most}, err);
}

enum err_code alpaca_get_bars(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                              struct utc from, int64_t pages, alpaca_bar_visit *visit,
                              void *context, struct err *err) {
    struct err unread = {0};
    size_t visited = 0;
    const struct bar_reader reader = {.symbols = symbols,
                                      .n = n,
                                      .visit = visit,
                                      .context = context,
                                      .from = from,
                                      .unread = &unread,
                                      .visited = &visited};
    enum err_code code =
        read_bars(alpaca, &reader, pages < ALPACA_PAGES_MAX ? pages : ALPACA_PAGES_MAX, err);
    if (code != ERR_OK || unread.text[0] == '\0') {
        return code;
    }
    alpaca->reply.is_whole = visited > 0;
    (void)err_set(err, ERR_PARSE, "%s", unread.text);
    return client_wrap(alpaca, "GET", ERR_PARSE, err);
}

enum err_code alpaca_get_daily_bars(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                    size_t n, struct date first, struct date last,
                                    alpaca_bar_visit *visit, void *context, struct err *err) {
    const struct bar_reader reader = {.symbols = symbols,
                                      .n = n,
                                      .visit = visit,
                                      .context = context,
                                      .is_daily = true,
                                      .first = first,
                                      .last = last};
    return read_bars(alpaca, &reader, ALPACA_PAGES_MAX, err);
}

struct action_reader {
    const char (*symbols)[SYMBOL_MAX];
    size_t n;
    struct date first, last;
    alpaca_action_visit *visit;
    void *context;
};

/* A split without its rates, or with absurd ones, is an action like any other: it explains no quantity. */
static void read_rates(const char *kind, const cJSON *tree, struct broker_action *action) {
    int64_t new_rate = 0;
    int64_t old_rate = 0;
    bool is_kind = strcmp(kind, "forward_splits") == 0 || strcmp(kind, "reverse_splits") == 0;
    if (is_kind && json_decimal_either(tree, "new_rate", &new_rate, NULL) == ERR_OK &&
        json_decimal_either(tree, "old_rate", &old_rate, NULL) == ERR_OK && new_rate > 0 &&
        old_rate > 0) {
        action->is_split = true;
        action->new_rate.nanos = new_rate;
        action->old_rate.nanos = old_rate;
    }
}

/* One that does not say of what gives nothing; one without its rates is one, and tells no share of its source. */
static void read_spin_off(const char *kind, const cJSON *tree, struct broker_action *action) {
    action->is_spin_off = strcmp(kind, "spin_offs") == 0 &&
                          json_copy(tree, "new_symbol", action->new_symbol,
                                    sizeof action->new_symbol, NULL) == ERR_OK &&
                          action->new_symbol[0] != '\0';
    int64_t new_rate = 0;
    int64_t source_rate = 0;
    if (action->is_spin_off && json_decimal_either(tree, "new_rate", &new_rate, NULL) == ERR_OK &&
        json_decimal_either(tree, "source_rate", &source_rate, NULL) == ERR_OK && new_rate > 0 &&
        source_rate > 0) {
        action->new_rate.nanos = new_rate;
        action->old_rate.nanos = source_rate;
    }
}

/* An action names its stocks as symbol, old_symbol, acquiree_symbol and the like. */
static enum err_code visit_action(const struct action_reader *reader, const char *kind,
                                  const cJSON *action, struct err *err) {
    struct broker_action told = {0};
    if (parse_action_day(action, &told.day, err) != ERR_OK) {
        return ERR_PARSE;
    }
    read_rates(kind, action, &told);
    read_spin_off(kind, action, &told);
    static const char ending[] = "symbol";
    for (const cJSON *member = action->child; member != NULL; member = member->next) {
        size_t length = strlen(member->string);
        bool is_name = cJSON_IsString(member) && length >= sizeof ending - 1 &&
                       strcmp(member->string + length - (sizeof ending - 1), ending) == 0;
        size_t index =
            is_name ? symbol_index(reader->symbols, reader->n, 0, member->valuestring) : reader->n;
        if (index < reader->n) {
            struct broker_action one = told;
            one.is_split = told.is_split && strcmp(member->string, ending) == 0;
            one.is_spin_off = told.is_spin_off && strcmp(member->string, "source_symbol") == 0;
            reader->visit(reader->context, index, &one);
        }
    }
    return ERR_OK;
}

/* {"corporate_actions": {"cash_dividends": [...], "forward_splits": [...]}}: of any kind, known or not. */
static enum err_code parse_actions(const void *context, const cJSON *tree, struct err *err) {
    const struct action_reader *reader = context;
    const cJSON *kinds = json_member(tree, "corporate_actions");
    if (!cJSON_IsObject(kinds)) {
        return err_set(err, ERR_PARSE, "corporate_actions: not an object");
    }
    for (const cJSON *kind = kinds->child; kind != NULL; kind = kind->next) {
        if (!cJSON_IsArray(kind) && !cJSON_IsNull(kind)) {
            return err_set(err, ERR_PARSE, "%.40s: not an array", kind->string);
        }
        for (const cJSON *action = kind->child; action != NULL; action = action->next) {
            if (visit_action(reader, kind->string, action, err) != ERR_OK) {
                (void)err_wrap(err, "%.40s", kind->string);
                return ERR_PARSE;
            }
        }
    }
    return ERR_OK;
}

static void write_actions(struct alpaca *alpaca, const void *context) {
    const struct action_reader *reader = context;
    client_begin(alpaca, ENDPOINT_CORPORATE_ACTIONS, "/v1/corporate-actions");
    write_names(alpaca, reader->symbols, reader->n);
    text_add(&alpaca->query, "&limit=1000");
    write_dates(alpaca, reader->first, reader->last);
}

enum err_code alpaca_get_corporate_actions(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                           size_t n, struct date first, struct date last,
                                           alpaca_action_visit *visit, void *context,
                                           struct err *err) {
    const struct action_reader reader = {symbols, n, first, last, visit, context};
    const struct paged paged = {write_actions, parse_actions, &reader, "corporate actions",
                                ALPACA_PAGES_MAX};
    return read_pages(alpaca, &paged, err);
}
