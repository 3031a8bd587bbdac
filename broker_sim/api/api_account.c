/* api_account.c - account, clock, calendar, assets, positions, activities. */
#include "broker_sim/api/api_internal.h"

#include "core/base/check.h"

#include <stdio.h>

/* --- account --- */

struct account_view {
    struct sim_values values;
    struct usd power, regt, non_marginable;
};

static struct account_view view_account(const struct broker *broker) {
    struct account_view view = {0};
    struct usd reserved = sim_exchange_reserved(&broker->exchange);
    int multiplier = broker->account.multiplier;
    view.values = sim_account_values(&broker->account, broker->exchange.now);
    view.values.maintenance_margin =
        usd_add(view.values.maintenance_margin, sim_exchange_house_margin(&broker->exchange));
    view.power = sim_buying_power(&view.values, multiplier, reserved);
    view.regt = sim_buying_power(&view.values, multiplier == 1 ? 1 : 2, reserved);
    view.non_marginable = sim_buying_power(&view.values, 1, reserved);
    return view;
}

static void put_amount_member(struct text *out, const char *name, struct usd amount) {
    API_PUT(out, ",\"");
    text_add(out, name);
    API_PUT(out, "\":");
    api_put_amount(out, amount.nanos);
}

static void put_account_head(struct text *out, const struct broker *broker) {
    API_PUT(out, "{\"id\":\"");
    text_add(out, broker->account_id);
    API_PUT(out, "\",\"admin_configurations\":{},\"user_configurations\":null");
    api_put_string_member(out, "account_number", broker->account_number);
    API_PUT(out, ",\"status\":\"ACTIVE\",\"crypto_status\":\"ACTIVE\",\"options_approved_level\":3,"
                 "\"options_trading_level\":3,\"currency\":\"USD\"");
}

static void put_account_money(struct text *out, const struct broker *broker,
                              const struct account_view *view) {
    put_amount_member(out, "buying_power", view->power);
    put_amount_member(out, "regt_buying_power", view->regt);
    put_amount_member(out, "effective_buying_power", view->power);
    put_amount_member(out, "non_marginable_buying_power", view->non_marginable);
    put_amount_member(out, "options_buying_power", view->non_marginable);
    put_amount_member(out, "cash", broker->account.cash);
    API_PUT(out, ",\"accrued_fees\":\"0\"");
    put_amount_member(out, "portfolio_value", view->values.equity);
    API_PUT(out, ",\"trading_blocked\":false,\"transfers_blocked\":false,\"account_blocked\":false,"
                 "\"created_at\":");
    api_put_time(out, broker->created_at);
    API_PUT(out, ",\"trade_suspended_by_user\":");
    text_add(out, broker->account.configuration.suspend_trade ? "true" : "false");
    API_PUT(out, ",\"multiplier\":\"");
    text_add_int(out, broker->account.multiplier);
    text_add(out, broker->account.may_be_short && !broker->account.configuration.no_shorting
                      ? "\",\"shorting_enabled\":true"
                      : "\",\"shorting_enabled\":false");
}

static void put_account_values(struct text *out, const struct broker *broker,
                               const struct account_view *view) {
    put_amount_member(out, "equity", view->values.equity);
    put_amount_member(out, "last_equity", broker->account.last_equity);
    put_amount_member(out, "long_market_value", view->values.long_value);
    put_amount_member(out, "short_market_value", view->values.short_value);
    put_amount_member(out, "position_market_value",
                      usd_add(view->values.long_value, view->values.short_value));
    put_amount_member(out, "initial_margin", view->values.initial_margin);
    put_amount_member(out, "maintenance_margin", view->values.maintenance_margin);
    put_amount_member(out, "last_maintenance_margin", broker->account.last_maintenance);
    char date[DATE_TEXT_MAX];
    date_print(broker->account.balance_asof, date);
    API_PUT(out, ",\"sma\":\"0\"");
    api_put_string_member(out, "balance_asof", date);
    API_PUT(out,
            ",\"crypto_tier\":1,\"intraday_adjustments\":\"0\",\"pending_reg_taf_fees\":\"0\"");
}

void api_get_account(struct api_call *call) {
    struct broker *broker = call->broker;
    struct account_view view = view_account(broker);
    put_account_head(call->out, broker);
    put_account_money(call->out, broker, &view);
    put_account_values(call->out, broker, &view);
    if (broker->options.has_pdt_fields) {
        put_amount_member(call->out, "daytrading_buying_power", view.power);
        API_PUT(call->out, ",\"bod_dtbp\":\"0\",\"pattern_day_trader\":false,\"daytrade_count\":0,"
                           "\"pending_transfer_in\":\"0\"");
    }
    API_PUT(call->out, "}");
}

/* --- its configuration --- */

static const char *bool_word(bool is) {
    return is ? "true" : "false";
}

void api_get_configuration(struct api_call *call) {
    const struct sim_configuration *configuration = &call->broker->account.configuration;
    bool has_pdt_fields = call->broker->options.has_pdt_fields;
    text_add_format(call->out,
                    "{%s\"fractional_trading\":true,\"max_margin_multiplier\":\"%d\","
                    "\"max_options_trading_level\":3,\"no_shorting\":%s,%s"
                    "\"ptp_no_exception_entry\":false,\"suspend_trade\":%s,"
                    "\"trade_confirm_email\":\"all\",\"disable_overnight_trading\":false}",
                    has_pdt_fields ? "\"dtbp_check\":\"entry\"," : "",
                    configuration->max_margin_multiplier, bool_word(configuration->no_shorting),
                    has_pdt_fields ? "\"pdt_check\":\"entry\"," : "",
                    bool_word(configuration->suspend_trade));
}

/* Unchanged when absent; false for what is neither true nor false. */
static bool read_switch(const struct api_body *body, const char *key, bool *out) {
    const struct api_member *member = api_body_find(body, key);
    if (member != NULL && member->kind == API_BOOL) {
        *out = strcmp(member->text, "true") == 0;
    }
    return member == NULL || member->kind == API_BOOL;
}

static bool read_margin(const struct api_body *body, int *out) {
    const struct api_member *member = api_body_find(body, "max_margin_multiplier");
    if (member == NULL) {
        return true;
    }
    bool is_known = member->kind == API_STRING && strlen(member->text) == 1 &&
                    strchr("124", member->text[0]) != NULL;
    *out = is_known ? member->text[0] - '0' : *out;
    return is_known;
}

void api_patch_configuration(struct api_call *call) {
    struct sim_configuration wanted = call->broker->account.configuration;
    struct api_body body;
    if (!api_body_parse(call->request->body, call->request->body_len, &body)) {
        api_error(call, 400, 40010000, "request body format is invalid");
    } else if (!read_switch(&body, "no_shorting", &wanted.no_shorting) ||
               !read_switch(&body, "suspend_trade", &wanted.suspend_trade)) {
        api_error(call, 422, 40010001, "no_shorting and suspend_trade are booleans");
    } else if (!read_margin(&body, &wanted.max_margin_multiplier)) {
        api_error(call, 422, 40010001, "max_margin_multiplier is invalid");
    } else {
        sim_account_configure(&call->broker->account, &wanted);
        api_get_configuration(call);
    }
}

/* --- clock and calendar --- */

static void put_ny_time(struct text *out, struct utc at) {
    char text[UTC_TEXT_MAX];
    utc_print_ny(at, text);
    API_PUT(out, "\"");
    text_add(out, text);
    API_PUT(out, "\"");
}

void api_get_clock(struct api_call *call) {
    const struct sim_exchange *exchange = &call->broker->exchange;
    bool is_open = sim_exchange_is_open(exchange);
    struct session next = exchange->session;
    if (is_open && !calendar_next(market_calendar(exchange->market), exchange->now, &next)) {
        next = exchange->session; /* the table ends with this session */
    }
    API_PUT(call->out, "{\"timestamp\":");
    put_ny_time(call->out, exchange->now);
    text_add(call->out,
             is_open ? ",\"is_open\":true,\"next_open\":" : ",\"is_open\":false,\"next_open\":");
    put_ny_time(call->out, next.open);
    API_PUT(call->out, ",\"next_close\":");
    put_ny_time(call->out, exchange->session.close);
    API_PUT(call->out, "}");
}

/* Trades settle on the next session (T+1 since 2024-05-28). */
static void put_calendar_day(struct text *out, const struct calendar *calendar,
                             const struct session *session) {
    char date[DATE_TEXT_MAX];
    char settlement[DATE_TEXT_MAX];
    struct session next = *session;
    (void)calendar_next(calendar, session->open, &next); /* the table's last day settles itself */
    date_print(session->date, date);
    date_print(next.date, settlement);
    text_add(out, "{\"date\":\"");
    text_add(out, date);
    text_add(out, session->is_half_day
                      ? "\",\"open\":\"09:30\",\"close\":\"13:00\",\"session_open\":\"0400\","
                        "\"session_close\":\"1700\",\"settlement_date\":\""
                      : "\",\"open\":\"09:30\",\"close\":\"16:00\",\"session_open\":\"0400\","
                        "\"session_close\":\"2000\",\"settlement_date\":\"");
    text_add(out, settlement);
    API_PUT(out, "\"}");
}

/* A date, or the date of an RFC 3339 time; unchanged when absent. */
static bool query_date(const struct api_call *call, const char *key, struct date *out) {
    char text[64];
    if (!api_query(call, key, text, sizeof text)) {
        return true;
    }
    if (strlen(text) > 10 && text[10] == 'T') {
        text[10] = '\0';
    }
    return date_parse(text, out, NULL) == ERR_OK;
}

void api_get_calendar(struct api_call *call) {
    const struct calendar *calendar = market_calendar(call->broker->market);
    struct date first = date_from_civil(calendar_first_year(), 1, 1);
    struct date last = date_from_civil(calendar_last_year(), 12, 31);
    struct date start = first;
    struct date end = last;
    if (!query_date(call, "start", &start) || !query_date(call, "end", &end)) {
        api_error(call, 422, 40010001, "invalid start or end date");
        return;
    }
    start = start.days < first.days ? first : start;
    end = end.days > last.days ? last : end;
    bool is_first = true;
    API_PUT(call->out, "[");
    for (struct date date = start; date.days <= end.days; date = date_add(date, 1)) {
        struct session session;
        if (!calendar_session(calendar, date, &session)) {
            continue;
        }
        text_add(call->out, is_first ? "" : ",");
        is_first = false;
        put_calendar_day(call->out, calendar, &session);
    }
    API_PUT(call->out, "]");
}

/* --- assets --- */

static void put_asset(struct text *out, const struct broker *broker, size_t symbol) {
    const char *name = market_symbol(broker->market, symbol);
    struct sim_asset asset = sim_exchange_asset(&broker->exchange, symbol);
    API_PUT(out, "{\"id\":\"");
    text_add(out, broker->asset_ids[symbol]);
    API_PUT(out, "\",\"class\":\"us_equity\"");
    api_put_string_member(out, "exchange", asset.is_otc ? "OTC" : "NASDAQ");
    api_put_string_member(out, "symbol", name);
    api_put_string_member(out, "name", name);
    API_PUT(out, ",\"status\":\"active\",\"tradable\":");
    text_add(out, asset.is_tradable ? "true" : "false");
    text_add(out, asset.is_hard_to_borrow
                      ? ",\"marginable\":true,\"shortable\":false,\"easy_to_borrow\":false,"
                        "\"borrow_status\":\"hard_to_borrow\""
                      : ",\"marginable\":true,\"shortable\":true,\"easy_to_borrow\":true,"
                        "\"borrow_status\":\"easy_to_borrow\"");
    int64_t percent = asset.house_margin.nanos / (NANOS / 100);
    percent = percent > 30 ? percent : 30;
    API_PUT(out, ",\"fractionable\":true,\"maintenance_margin_requirement\":");
    text_add_int(out, percent);
    API_PUT(out, ",\"margin_requirement_long\":\"");
    text_add_int(out, percent);
    API_PUT(out, "\",\"margin_requirement_short\":\"30\","
                 "\"attributes\":[\"fractional_eh_enabled\"]}");
}

/* Index of a symbol or asset id, or -1. */
static int find_asset(const struct broker *broker, const char *word) {
    for (size_t i = 0; strlen(word) == 36 && i < market_symbol_count(broker->market); i++) {
        if (strcmp(broker->asset_ids[i], word) == 0) {
            return (int)i;
        }
    }
    return market_find(broker->market, word);
}

void api_get_assets(struct api_call *call) {
    char status[24] = "active";
    char class_word[24] = "us_equity";
    (void)api_query(call, "status", status, sizeof status);
    (void)api_query(call, "asset_class", class_word, sizeof class_word);
    bool is_any = strcmp(class_word, "us_equity") == 0 && strcmp(status, "inactive") != 0;
    API_PUT(call->out, "[");
    for (size_t i = 0; is_any && i < market_symbol_count(call->broker->market); i++) {
        text_add(call->out, i == 0 ? "" : ",");
        put_asset(call->out, call->broker, i);
    }
    API_PUT(call->out, "]");
}

void api_get_asset(struct api_call *call) {
    int symbol = find_asset(call->broker, call->param);
    if (symbol < 0) {
        api_error(call, 404, 40410000, "asset not found for %s", call->param);
        return;
    }
    put_asset(call->out, call->broker, (size_t)symbol);
}

/* --- positions --- */

bool api_lastday(struct broker *broker, size_t symbol, struct usd *out) {
    struct date today = ny_date(broker->exchange.now);
    if (today.days != broker->lastday_of.days) {
        broker->lastday_of = today;
        for (size_t i = 0; i < market_symbol_count(broker->market); i++) {
            broker->has_lastday[i] =
                market_previous_close(broker->market, i, today, &broker->lastday[i]);
        }
    }
    *out = broker->lastday[symbol];
    return broker->has_lastday[symbol];
}

/* "name":"part / whole" as a decimal, "0" where there is nothing to divide by. */
static void put_ratio(struct text *out, struct usd part, struct usd whole) {
    struct ratio ratio = {0};
    if (whole.nanos != 0) {
        ratio = usd_ratio(part, whole);
    }
    api_put_amount(out, ratio.nanos);
}

static void put_position_prices(struct text *out, struct broker *broker, size_t symbol,
                                const struct sim_position *position, struct usd price) {
    struct usd value = usd_mul(price, position->qty);
    struct usd gain = usd_sub(value, position->cost);
    struct usd intraday = usd_sub(value, position->intraday_basis);
    struct usd lastday = {0};
    API_PUT(out, ",\"market_value\":");
    api_put_amount(out, value.nanos);
    API_PUT(out, ",\"cost_basis\":");
    api_put_amount(out, position->cost.nanos);
    API_PUT(out, ",\"unrealized_pl\":");
    api_put_amount(out, gain.nanos);
    API_PUT(out, ",\"unrealized_plpc\":");
    put_ratio(out, gain, usd_abs(position->cost));
    API_PUT(out, ",\"unrealized_intraday_pl\":");
    api_put_amount(out, intraday.nanos);
    API_PUT(out, ",\"unrealized_intraday_plpc\":");
    put_ratio(out, intraday, usd_abs(position->intraday_basis));
    API_PUT(out, ",\"current_price\":");
    api_put_amount(out, price.nanos);
    if (!api_lastday(broker, symbol, &lastday)) {
        API_PUT(out, ",\"lastday_price\":null,\"change_today\":null");
        return;
    }
    API_PUT(out, ",\"lastday_price\":");
    api_put_amount(out, lastday.nanos);
    API_PUT(out, ",\"change_today\":");
    put_ratio(out, usd_sub(price, lastday), lastday);
}

static void put_position(struct text *out, struct broker *broker, size_t symbol, struct qty held) {
    const struct sim_position *position = &broker->account.positions[symbol];
    struct usd average = {0};
    struct usd price = {0};
    CHECK(usd_per_qty(position->cost, position->qty, &average, NULL) == ERR_OK);
    API_PUT(out, "{\"asset_id\":\"");
    text_add_bytes(out, broker->asset_ids[symbol], SIM_UUID_MAX - 1);
    API_PUT(out, "\"");
    api_put_string_member(out, "symbol", market_symbol(broker->market, symbol));
    API_PUT(out, ",\"exchange\":\"NASDAQ\",\"asset_class\":\"us_equity\",\"asset_marginable\":true,"
                 "\"qty\":");
    api_put_amount(out, position->qty.nanos);
    API_PUT(out, ",\"avg_entry_price\":");
    api_put_amount(out, average.nanos);
    text_add(out, position->qty.nanos > 0 ? ",\"side\":\"long\"" : ",\"side\":\"short\"");
    if (sim_price(broker->market, symbol, broker->exchange.now, &price)) {
        put_position_prices(out, broker, symbol, position, price);
    } else {
        API_PUT(out, ",\"market_value\":null,\"cost_basis\":");
        api_put_amount(out, position->cost.nanos);
        API_PUT(out, ",\"unrealized_pl\":null,\"unrealized_plpc\":null,"
                     "\"unrealized_intraday_pl\":null,\"unrealized_intraday_plpc\":null,"
                     "\"current_price\":null,\"lastday_price\":null,\"change_today\":null");
    }
    API_PUT(out, ",\"qty_available\":");
    api_put_amount(out, qty_sub(position->qty, held).nanos);
    API_PUT(out, "}");
}

void api_get_positions(struct api_call *call) {
    struct broker *broker = call->broker;
    struct qty held[MARKET_SYMBOLS_MAX];
    sim_exchange_held(&broker->exchange, held);
    bool is_first = true;
    API_PUT(call->out, "[");
    for (size_t i = 0; i < market_symbol_count(broker->market); i++) {
        if (broker->account.positions[i].qty.nanos == 0) {
            continue;
        }
        text_add(call->out, is_first ? "" : ",");
        is_first = false;
        put_position(call->out, broker, i, held[i]);
    }
    API_PUT(call->out, "]");
}

void api_get_position(struct api_call *call) {
    struct broker *broker = call->broker;
    int symbol = find_asset(broker, call->param);
    if (symbol < 0 || broker->account.positions[symbol].qty.nanos == 0) {
        api_error(call, 404, 40410000, "position does not exist");
        return;
    }
    struct qty held[MARKET_SYMBOLS_MAX];
    sim_exchange_held(&broker->exchange, held);
    put_position(call->out, broker, (size_t)symbol, held[symbol]);
}

/* --- activities --- */

static const char *activity_word(enum sim_activity_kind kind) {
    static const char *const words[] = {"FILL", "CSD", "CSW", "SPLIT", "DIV", "FEE", "SPIN", "CIL"};
    return words[kind];
}

static void put_fill(struct text *out, const struct broker *broker,
                     const struct sim_activity *activity) {
    API_PUT(out, ",\"transaction_time\":");
    api_put_time(out, activity->at);
    text_add(out, activity->is_last ? ",\"type\":\"fill\"" : ",\"type\":\"partial_fill\"");
    API_PUT(out, ",\"price\":");
    api_put_amount(out, activity->price.nanos);
    API_PUT(out, ",\"qty\":");
    api_put_amount(out, activity->qty.nanos);
    text_add(out, activity->is_buy     ? ",\"side\":\"buy\""
                  : activity->is_short ? ",\"side\":\"sell_short\""
                                       : ",\"side\":\"sell\"");
    api_put_string_member(out, "symbol", market_symbol(broker->market, activity->symbol));
    API_PUT(out, ",\"leaves_qty\":");
    api_put_amount(out, activity->leaves_qty.nanos);
    api_put_string_member(out, "order_id", activity->order_id);
    API_PUT(out, ",\"cum_qty\":");
    api_put_amount(out, activity->cum_qty.nanos);
    api_put_string_member(out, "order_status", activity->is_last ? "filled" : "partially_filled");
}

static void put_activity(struct text *out, const struct broker *broker,
                         const struct sim_activity *activity) {
    API_PUT(out, "{\"activity_type\":\"");
    text_add(out, activity_word(activity->kind));
    API_PUT(out, "\"");
    api_put_string_member(out, "id", activity->id);
    if (activity->kind == SIM_ACTIVITY_FILL) {
        put_fill(out, broker, activity);
    } else {
        char date[DATE_TEXT_MAX];
        date_print(ny_date(activity->at), date);
        api_put_string_member(out, "date", date);
        put_amount_member(out, "net_amount", activity->amount);
        if (activity->qty.nanos != 0) {
            api_put_string_member(out, "symbol", market_symbol(broker->market, activity->symbol));
            API_PUT(out, ",\"qty\":");
            api_put_amount(out, activity->qty.nanos);
        }
        if (activity->kind == SIM_ACTIVITY_DIV) {
            put_amount_member(out, "per_share_amount", activity->price);
        }
        API_PUT(out, ",\"description\":\"\",\"status\":\"executed\",\"created_at\":");
        api_put_time(out, activity->at);
    }
    API_PUT(out, "}");
}

struct activity_query {
    char types[256]; /* "" for all */
    struct utc after, until;
    bool has_after, has_until, is_ascending;
    int64_t page_size;
    size_t token; /* index of the last item seen */
    bool has_token;
};

static bool find_activity(const struct broker *broker, const char *id, size_t *out) {
    for (size_t i = broker->account.activity_count; i-- > 0;) {
        if (strcmp(broker->account.activities[i].id, id) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* `date` is a whole New York day. */
static bool read_activity_times(const struct api_call *call, struct activity_query *out) {
    out->after = (struct utc){INT64_MIN};
    out->until = (struct utc){INT64_MAX};
    char text[64];
    struct date date;
    if (api_query(call, "date", text, sizeof text)) {
        if (date_parse(text, &date, NULL) != ERR_OK) {
            return false;
        }
        out->after = (struct utc){ny_to_utc(date, 0, 0).ns - 1};
        out->until = ny_to_utc(date_add(date, 1), 0, 0);
    }
    return api_query_time(call, "after", &out->after) && api_query_time(call, "until", &out->until);
}

static bool read_activity_query(struct api_call *call, struct activity_query *out) {
    char text[128];
    if (!read_activity_times(call, out) ||
        !api_query_int(call, "page_size", 1, 100, 100, &out->page_size)) {
        api_error(call, 422, 40010001, "invalid date, after, until or page_size");
        return false;
    }
    if (api_query(call, "direction", text, sizeof text)) {
        out->is_ascending = strcmp(text, "asc") == 0;
        if (!out->is_ascending && strcmp(text, "desc") != 0) {
            api_error(call, 422, 40010001, "invalid direction");
            return false;
        }
    }
    if (api_query(call, "page_token", text, sizeof text) && text[0] != '\0') {
        out->has_token = find_activity(call->broker, text, &out->token);
        if (!out->has_token) {
            api_error(call, 422, 40010001, "invalid page_token");
            return false;
        }
    }
    return true;
}

static void list_activities(struct api_call *call, const struct activity_query *query) {
    const struct sim_account *account = &call->broker->account;
    size_t left = account->activity_count;
    size_t i = query->is_ascending ? 0 : account->activity_count - 1;
    if (query->has_token) {
        i = query->is_ascending ? query->token + 1 : query->token - 1;
        left = query->is_ascending ? account->activity_count - 1 - query->token : query->token;
    }
    int64_t told = 0;
    API_PUT(call->out, "[");
    for (; left > 0 && told < query->page_size; left--, i += query->is_ascending ? 1 : (size_t)-1) {
        const struct sim_activity *activity = &account->activities[i];
        if (activity->at.ns <= query->after.ns || activity->at.ns >= query->until.ns ||
            (query->types[0] != '\0' &&
             !api_list_has(query->types, activity_word(activity->kind)))) {
            continue;
        }
        text_add(call->out, told++ == 0 ? "" : ",");
        put_activity(call->out, call->broker, activity);
    }
    API_PUT(call->out, "]");
}

void api_get_activities(struct api_call *call) {
    struct activity_query query = {0};
    char category[32];
    if (!read_activity_query(call, &query)) {
        return;
    }
    bool has_types = api_query(call, "activity_types", query.types, sizeof query.types);
    if (api_query(call, "category", category, sizeof category)) {
        if (has_types) {
            api_error(call, 422, 40010001, "category and activity_types exclude each other");
            return;
        }
        snprintf(query.types, sizeof query.types, "%s",
                 strcmp(category, "trade_activity") == 0 ? "FILL"
                                                         : "CSD,CSW,SPLIT,DIV,FEE,SPIN,CIL");
    }
    list_activities(call, &query);
}

void api_get_activities_of(struct api_call *call) {
    struct activity_query query = {0};
    if (read_activity_query(call, &query)) {
        snprintf(query.types, sizeof query.types, "%s", call->param);
        list_activities(call, &query);
    }
}
