/* parse_trading.c - account, clock, calendar, positions, orders and activities of the Trading API
 * (alpaca-api.md, sections 3 to 6). */
#include "core/alpaca/parse.h"
#include "core/base/mutant.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum err_code parse_account(const cJSON *tree, struct broker_account *out, struct err *err) {
    struct wire {
        struct broker_account account;
        bool is_trading_blocked, is_account_blocked, is_suspended;
    } wire = {.account.maintenance_margin = {-1}}; /* it is never below zero */
    static const struct field fields[] = {
        FIELD(struct wire, account.id, "id", FIELD_COPY, true),
        FIELD(struct wire, account.number, "account_number", FIELD_COPY, false),
        FIELD(struct wire, account.status, "status", FIELD_COPY_CUT, true),
        FIELD(struct wire, account.buying_power, "buying_power", FIELD_USD, true),
        FIELD(struct wire, account.cash, "cash", FIELD_USD, true),
        FIELD(struct wire, is_trading_blocked, "trading_blocked", FIELD_BOOL, false),
        FIELD(struct wire, is_account_blocked, "account_blocked", FIELD_BOOL, false),
        FIELD(struct wire, is_suspended, "trade_suspended_by_user", FIELD_BOOL, false),
        FIELD(struct wire, account.equity, "equity", FIELD_USD, true),
        FIELD(struct wire, account.last_equity, "last_equity", FIELD_USD, true),
        FIELD(struct wire, account.long_market_value, "long_market_value", FIELD_USD, false),
        FIELD(struct wire, account.maintenance_margin, "maintenance_margin", FIELD_USD, false),
        FIELD(struct wire, account.balance_asof, "balance_asof", FIELD_DATE, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    wire.account.has_maintenance = wire.account.maintenance_margin.nanos >= 0;
    wire.account.is_blocked =
        wire.is_trading_blocked || wire.is_account_blocked || wire.is_suspended;
    wire.account.is_suspended = wire.is_suspended;
    *out = wire.account;
    return ERR_OK;
}

enum err_code parse_configuration(const cJSON *tree, struct broker_configuration *out,
                                  struct err *err) {
    struct wire {
        struct broker_configuration configuration;
        const char *margin;
    } wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire, margin, "max_margin_multiplier", FIELD_WORD, true),
        FIELD(struct wire, configuration.no_shorting, "no_shorting", FIELD_BOOL, true),
        FIELD(struct wire, configuration.is_suspended, "suspend_trade", FIELD_BOOL, true),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (strlen(wire.margin) != 1 || strchr("124", wire.margin[0]) == NULL) {
        return err_set(err, ERR_PARSE, "max_margin_multiplier: '%.20s' is none of 1, 2 and 4",
                       wire.margin);
    }
    wire.configuration.max_margin_multiplier = wire.margin[0] - '0';
    *out = wire.configuration;
    return ERR_OK;
}

enum err_code parse_clock(const cJSON *tree, struct broker_clock *out, struct err *err) {
    struct broker_clock clock = {0};
    static const struct field fields[] = {
        FIELD(struct broker_clock, timestamp, "timestamp", FIELD_UTC, true),
        FIELD(struct broker_clock, is_open, "is_open", FIELD_BOOL, true),
        FIELD(struct broker_clock, next_open, "next_open", FIELD_UTC, true),
        FIELD(struct broker_clock, next_close, "next_close", FIELD_UTC, true),
    };
    if (parse_object(tree, fields, COUNT(fields), &clock, err) != ERR_OK) {
        return ERR_PARSE;
    }
    *out = clock;
    return ERR_OK;
}

/* "09:30" as minutes since midnight; -1 when it is none. */
static int minute_of_day(const char *text) {
    for (size_t i = 0; i < 5; i++) {
        bool is_right = i == 2 ? text[i] == ':' : text[i] >= '0' && text[i] <= '9';
        if (!is_right) {
            return -1;
        }
    }
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    return text[5] == '\0' && hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

enum err_code parse_session(const cJSON *tree, struct session *out, struct err *err) {
    struct wire {
        struct date date;
        const char *open, *close;
    } wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire, date, "date", FIELD_DATE, true),
        FIELD(struct wire, open, "open", FIELD_WORD, true),
        FIELD(struct wire, close, "close", FIELD_WORD, true),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    int open = minute_of_day(wire.open);
    int close = minute_of_day(wire.close);
    if (open < 0 || close <= open) {
        return err_set(err, ERR_PARSE, "open, close: '%.20s' to '%.20s' is no session", wire.open,
                       wire.close);
    }
    MUTATE(half_day_ignored, close = 16 * 60);
    *out = (struct session){.date = wire.date,
                            .open = ny_to_utc(wire.date, open / 60, open % 60),
                            .close = ny_to_utc(wire.date, close / 60, close % 60),
                            .is_half_day = close < 16 * 60};
    MUTATE(fixed_utc_minus_5, out->open.ns += SPAN_HOURS(5).ns + ny_offset(out->open).ns);
    MUTATE(fixed_utc_minus_5, out->close.ns += SPAN_HOURS(5).ns + ny_offset(out->close).ns);
    return ERR_OK;
}

enum err_code parse_position(const cJSON *tree, struct broker_position *out, struct err *err) {
    struct wire {
        struct broker_position position;
        bool has_available;
    } wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire, position.symbol, "symbol", FIELD_COPY, true),
        FIELD(struct wire, position.qty, "qty", FIELD_QTY, true),
        FIELD(struct wire, position.avg_entry_price, "avg_entry_price", FIELD_USD, true),
        FIELD_FLAGGED(struct wire, position.current_price, position.has_price, "current_price",
                      FIELD_USD),
        FIELD_FLAGGED(struct wire, position.qty_available, has_available, "qty_available",
                      FIELD_QTY),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (wire.position.symbol[0] == '\0') {
        return err_set(err, ERR_PARSE, "symbol: empty");
    }
    if (!wire.has_available) { /* older accounts: nothing known to be held back */
        wire.position.qty_available = wire.position.qty;
    }
    wire.position.has_price = wire.position.has_price && wire.position.current_price.nanos > 0;
    *out = wire.position;
    return ERR_OK;
}

/* "sell_short" is a sell too. */
static enum err_code side_of(const char *word, enum order_side *out, struct err *err) {
    bool is_sell = strncmp(word, "sell", 4) == 0;
    if (!is_sell && strcmp(word, "buy") != 0) {
        return err_set(err, ERR_PARSE, "side: '%.20s' is neither buy nor sell", word);
    }
    *out = is_sell ? SIDE_SELL : SIDE_BUY;
    return ERR_OK;
}

static enum order_type type_of(const char *word) {
    enum order_type type = ORDER_MARKET;
    while (type != ORDER_TYPE_OTHER && strcmp(word, order_type_word(type)) != 0) {
        type++;
    }
    return type;
}

static enum order_tif tif_of(const char *word) {
    enum order_tif tif = TIF_DAY;
    while (tif != TIF_OTHER && strcmp(word, order_tif_word(tif)) != 0) {
        tif++;
    }
    return tif;
}

static enum broker_status status_of(const char *word) {
    enum broker_status status = STATUS_NEW;
    while (status != STATUS_OTHER && strcmp(word, broker_status_word(status)) != 0) {
        status++;
    }
    return status;
}

struct wire_order {
    struct broker_order order;
    const char *side, *type, *tif, *class;
};

/* What a table cannot say: words, and amounts that no order has. */
static enum err_code finish_order(struct wire_order *wire, struct err *err) {
    struct broker_order *order = &wire->order;
    if (order->id[0] == '\0' || order->symbol[0] == '\0') {
        return err_set(err, ERR_PARSE, "%s: empty", order->id[0] == '\0' ? "id" : "symbol");
    }
    if (order->qty.nanos < 0 || order->filled_qty.nanos < 0) {
        return err_set(err, ERR_PARSE, "%s: below zero",
                       order->qty.nanos < 0 ? "qty" : "filled_qty");
    }
    order->type = type_of(wire->type);
    order->tif = tif_of(wire->tif);
    order->status = status_of(order->status_word);
    order->has_avg = order->has_avg && order->filled_avg_price.nanos > 0;
    order->is_oco = wire->class != NULL && strcmp(wire->class, "oco") == 0;
    return side_of(wire->side, &order->side, err);
}

static enum err_code parse_one(const cJSON *tree, struct broker_order *out, struct err *err) {
    struct wire_order wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire_order, order.id, "id", FIELD_COPY, true),
        /* Ids of other programs may have 128 characters; ours never need the cut. */
        FIELD(struct wire_order, order.client_id, "client_order_id", FIELD_COPY_CUT, true),
        FIELD(struct wire_order, order.submitted_at, "submitted_at", FIELD_UTC, false),
        FIELD(struct wire_order, order.replaced_by, "replaced_by", FIELD_COPY, false),
        FIELD(struct wire_order, order.replaces, "replaces", FIELD_COPY, false),
        FIELD(struct wire_order, order.symbol, "symbol", FIELD_COPY, true),
        FIELD(struct wire_order, order.qty, "qty", FIELD_QTY, false),
        FIELD(struct wire_order, order.filled_qty, "filled_qty", FIELD_QTY, true),
        FIELD_FLAGGED(struct wire_order, order.filled_avg_price, order.has_avg, "filled_avg_price",
                      FIELD_USD),
        FIELD(struct wire_order, type, "type", FIELD_WORD, true),
        FIELD(struct wire_order, side, "side", FIELD_WORD, true),
        FIELD(struct wire_order, tif, "time_in_force", FIELD_WORD, true),
        FIELD_FLAGGED(struct wire_order, order.limit_price, order.has_limit, "limit_price",
                      FIELD_USD),
        FIELD_FLAGGED(struct wire_order, order.stop_price, order.has_stop, "stop_price", FIELD_USD),
        FIELD(struct wire_order, order.status_word, "status", FIELD_COPY_CUT, true),
        FIELD(struct wire_order, class, "order_class", FIELD_WORD, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK ||
        finish_order(&wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    *out = wire.order;
    return ERR_OK;
}

static void take_fills_of(struct broker_order *order, const struct broker_order *leg) {
    struct usd amount = {0};
    struct usd more = {0};
    bool is_known =
        (order->filled_qty.nanos == 0 || order->has_avg) &&
        (leg->filled_qty.nanos == 0 || leg->has_avg) &&
        usd_times_qty(order->filled_avg_price, order->filled_qty, &amount, NULL) == ERR_OK &&
        usd_times_qty(leg->filled_avg_price, leg->filled_qty, &more, NULL) == ERR_OK;
    order->filled_qty = qty_add(order->filled_qty, leg->filled_qty);
    order->has_avg = is_known && usd_per_qty(usd_add(amount, more), order->filled_qty,
                                             &order->filled_avg_price, NULL) == ERR_OK;
}

/* Take profit and stop are one order of ours: it is over when both are, and filled by what either sold. Of a take
 * profit that was replaced the stop is its successor's. */
void broker_order_take_leg(struct broker_order *order, const struct broker_order *leg) {
    bool is_replaced = leg->status == STATUS_REPLACED; /* by one that is not told yet: no end */
    MUTATE(replaced_leg_is_over, is_replaced = false);
    bool is_leg_over = broker_status_is_terminal(leg->status) && !is_replaced;
    bool is_over = broker_status_is_terminal(order->status);
    order->has_stop = leg->has_stop;
    order->stop_price = leg->stop_price;
    if (order->status == STATUS_REPLACED) {
        return;
    }
    order->has_legs = true;
    if (leg->filled_qty.nanos > 0) {
        MUTATE(fills_of_the_stop_leg_lost, return);
        take_fills_of(order, leg);
    }
    if (!is_leg_over) {
        memcpy(order->leg_id, is_replaced ? leg->replaced_by : leg->id, sizeof order->leg_id);
    }
    order->is_leg_alone = !is_leg_over && is_over && order->status != STATUS_FILLED;
    if (order->is_leg_alone || (is_over && leg->status == STATUS_FILLED)) {
        order->status = is_replaced ? STATUS_HELD : leg->status; /* bare, until it is known */
        memcpy(order->status_word, leg->status_word, sizeof order->status_word);
    }
}

/* Of two told legs the one that says more of the stop: open before over, over before replaced. */
static int leg_rank(const struct broker_order *leg) {
    return leg->status == STATUS_REPLACED            ? 1
           : !broker_status_is_terminal(leg->status) ? 4
           : leg->status == STATUS_FILLED            ? 3
                                                     : 2;
}

/* The stop among the legs; a leg that was replaced may be told beside its successor. False if none is it alone. */
static bool find_leg(const cJSON *legs, struct broker_order *out) {
    int best = 0;
    size_t open = 0;
    for (const cJSON *child = legs->child; child != NULL; child = child->next) {
        struct broker_order leg = {0};
        if (parse_one(child, &leg, NULL) != ERR_OK) {
            return false;
        }
        int rank = leg_rank(&leg);
        open += rank == 4;
        if (rank >= best) {
            best = rank;
            *out = leg;
        }
    }
    return open <= 1 && (best != 1 || out->replaced_by[0] != '\0');
}

/* Legs of other classes are no orders of ours. What cannot be read as one stop says nothing of it, and fails no
 * listing. */
static void read_legs(const cJSON *tree, struct broker_order *order) {
    const cJSON *legs = json_member(tree, "legs");
    struct broker_order leg = {0};
    if (!order->is_oco || legs == NULL || !cJSON_IsArray(legs) || legs->child == NULL) {
        return;
    }
    if (find_leg(legs, &leg)) {
        broker_order_take_leg(order, &leg);
    } else {
        order->are_legs_unclear = true;
    }
}

enum err_code parse_order(const cJSON *tree, struct broker_order *out, struct err *err) {
    struct broker_order order = {0};
    if (parse_one(tree, &order, err) != ERR_OK) {
        return ERR_PARSE;
    }
    read_legs(tree, &order);
    *out = order;
    return ERR_OK;
}

struct wire_activity {
    struct broker_activity activity;
    const char *side, *status;
    struct date date;
    bool has_time, has_date, has_qty, has_price, has_cum;
};

static enum err_code finish_fill(struct wire_activity *wire, struct err *err) {
    const struct broker_activity *fill = &wire->activity;
    const char *missing = !wire->has_time             ? "transaction_time"
                          : !wire->has_qty            ? "qty"
                          : !wire->has_price          ? "price"
                          : wire->side == NULL        ? "side"
                          : fill->symbol[0] == '\0'   ? "symbol"
                          : fill->order_id[0] == '\0' ? "order_id"
                                                      : NULL;
    if (missing != NULL) {
        return err_set(err, ERR_PARSE, "%s: missing", missing);
    }
    if (fill->qty.nanos <= 0 || fill->price.nanos <= 0) {
        return err_set(err, ERR_PARSE, "%s: not above zero",
                       fill->qty.nanos <= 0 ? "qty" : "price");
    }
    return side_of(wire->side, &wire->activity.side, err);
}

enum err_code parse_activity(const cJSON *tree, struct broker_activity *out, struct err *err) {
    struct wire_activity wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire_activity, activity.type, "activity_type", FIELD_COPY_CUT, true),
        FIELD(struct wire_activity, activity.id, "id", FIELD_COPY, true),
        FIELD_FLAGGED(struct wire_activity, activity.at, has_time, "transaction_time", FIELD_UTC),
        FIELD_FLAGGED(struct wire_activity, activity.price, has_price, "price", FIELD_USD),
        FIELD_FLAGGED(struct wire_activity, activity.qty, has_qty, "qty", FIELD_QTY),
        FIELD(struct wire_activity, side, "side", FIELD_WORD, false),
        FIELD(struct wire_activity, status, "status", FIELD_WORD, false),
        FIELD(struct wire_activity, activity.symbol, "symbol", FIELD_COPY_CUT, false),
        FIELD(struct wire_activity, activity.order_id, "order_id", FIELD_COPY, false),
        FIELD_FLAGGED(struct wire_activity, activity.cum_qty, has_cum, "cum_qty", FIELD_QTY),
        FIELD_FLAGGED(struct wire_activity, date, has_date, "date", FIELD_DATE),
        FIELD(struct wire_activity, activity.net_amount, "net_amount", FIELD_USD, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (strcmp(wire.activity.type, "FILL") == 0) {
        if (finish_fill(&wire, err) != ERR_OK) {
            return ERR_PARSE;
        }
    } else if (wire.has_date && !wire.has_time) {
        wire.activity.at = ny_to_utc(wire.date, 16, 0);
    }
    wire.activity.is_canceled = wire.status != NULL && strcmp(wire.status, "canceled") == 0;
    *out = wire.activity;
    return ERR_OK;
}

enum err_code parse_asset(const cJSON *tree, struct broker_asset *out, struct err *err) {
    struct wire {
        struct broker_asset asset;
        const char *class, *exchange, *status, *borrow;
        bool is_tradable, is_easy;
    } wire = {0};
    static const struct field fields[] = {
        FIELD(struct wire, class, "class", FIELD_WORD, true),
        FIELD(struct wire, exchange, "exchange", FIELD_WORD, true),
        FIELD(struct wire, asset.symbol, "symbol", FIELD_COPY, true),
        FIELD(struct wire, status, "status", FIELD_WORD, true),
        FIELD(struct wire, is_tradable, "tradable", FIELD_BOOL, true),
        FIELD(struct wire, is_easy, "easy_to_borrow", FIELD_BOOL, false), /* sunset 2026-09-22 */
        FIELD(struct wire, borrow, "borrow_status", FIELD_WORD, false),
    };
    if (parse_object(tree, fields, COUNT(fields), &wire, err) != ERR_OK) {
        return ERR_PARSE;
    }
    wire.asset.is_tradable = wire.is_tradable && strcmp(wire.status, "active") == 0 &&
                             strcmp(wire.class, "us_equity") == 0;
    wire.asset.is_otc = strcmp(wire.exchange, "OTC") == 0;
    wire.asset.is_easy_to_borrow =
        wire.borrow != NULL ? strcmp(wire.borrow, "easy_to_borrow") == 0 : wire.is_easy;
    *out = wire.asset;
    return ERR_OK;
}
