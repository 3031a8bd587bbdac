/* scene.c - folding what every judge may know. */
#include "replay/oracle/scene.h"

#include "core/base/hash.h"
#include "core/base/json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct ratio EQUITY_MARGIN = {NANOS / 100 * 102};

void scene_init(struct scene *scene) {
    *scene = (struct scene){.symbols = table_of(sizeof(struct scene_symbol)),
                            .orders = table_of(sizeof(struct scene_order)),
                            .causes = table_of(sizeof(struct scene_cause)),
                            .trees = judge_alloc(sizeof(struct scene_trees))};
}

void scene_release(struct scene *scene) {
    table_release(&scene->symbols);
    table_release(&scene->orders);
    table_release(&scene->causes);
    scene_leave(scene);
    free(scene->trees);
}

/* --- the event as JSON --- */

static const cJSON *read_tree(struct scene_tree *tree, const char *bytes, size_t size) {
    if (!tree->is_read) {
        tree->is_read = true;
        (void)!json_parse(bytes, size, &tree->json, NULL);
    }
    return tree->json;
}

const cJSON *scene_body(const struct scene *scene, const struct event *event) {
    return read_tree(&scene->trees->body, event->body, event->body_len);
}

const cJSON *scene_answer(const struct scene *scene, const struct event *event) {
    const char *line = memchr(event->body, '\n', event->body_len);
    const char *end = event->body + event->body_len;
    return line == NULL ? NULL
                        : read_tree(&scene->trees->answer, line + 1, (size_t)(end - line - 1));
}

const cJSON *scene_members(const struct scene *scene, const struct event *event) {
    struct text text = {0};
    if (event->body_len > 0 && event->body[0] == '{') {
        return scene_body(scene, event);
    }
    text_add_char(&text, '{');
    text_add_bytes(&text, event->body, event->body_len);
    text_add_char(&text, '}');
    const cJSON *tree = read_tree(&scene->trees->members, text_get(&text), text.len);
    text_release(&text);
    return tree;
}

void scene_leave(struct scene *scene) {
    cJSON_Delete(scene->trees->body.json);
    cJSON_Delete(scene->trees->answer.json);
    cJSON_Delete(scene->trees->members.json);
    *scene->trees = (struct scene_trees){0};
}

/* --- questions --- */

bool scene_is_open(const struct scene *scene) {
    return scene->has_session && !utc_is_before(scene->now, scene->session.open) &&
           utc_is_before(scene->now, scene->session.close);
}

struct usd scene_largest_entry(const struct scene *scene) {
    const struct scene_limits *limits = &scene->limits;
    struct usd equity = usd_scale(scene->equity, EQUITY_MARGIN);
    struct usd by_risk = {0};
    if (limits->base.nanos == 0 || limits->stop_distance.nanos == 0 || equity.nanos <= 0 ||
        decimal_mul_div(usd_scale(equity, limits->risk_budget).nanos, NANOS,
                        limits->stop_distance.nanos, &by_risk.nanos, NULL) != ERR_OK) {
        return (struct usd){0};
    }
    return usd_min(limits->base, usd_min(usd_scale(equity, limits->equity_share), by_risk));
}

bool scene_is_doubting(const struct scene *scene) {
    static const char *const words[] = {"data_guard", "degraded_mode", "wrong_account",
                                        "journal_down", "baseline_unknown"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct scene_cause *cause = table_find(&scene->causes, words[i]);
        if (cause != NULL && cause->mode > SCENE_NORMAL) {
            return true;
        }
    }
    return false;
}

struct utc scene_since(const struct scene *scene, struct utc at) {
    bool is_before = scene_is_open(scene) && utc_is_before(at, scene->session.open);
    return is_before ? scene->session.open : at;
}

const char *scene_strict_cause(const struct scene *scene) {
    for (size_t i = 0; scene->strict > 0 && i < scene->causes.count; i++) {
        const struct scene_cause *cause = table_at(&scene->causes, i);
        if (cause->mode >= SCENE_REDUCE_ONLY) {
            return cause->cause;
        }
    }
    return "";
}

const struct scene_symbol *scene_symbol(const struct scene *scene, const char *symbol) {
    static const struct scene_symbol none = {0};
    const struct scene_symbol *known = table_find(&scene->symbols, symbol);
    return known == NULL ? &none : known;
}

int64_t scene_stamp(const struct event *document) {
    static const char key[] = "\"journal_seq\":";
    const char *at = memmem(document->body, document->body_len, key, sizeof key - 1);
    return at == NULL ? -1 : strtoll(at + sizeof key - 1, NULL, 10);
}

bool scene_is_bust(const struct event *fill) {
    return begins(fill->id, "bust:");
}

bool scene_is_split(const struct event *fill) {
    return strncmp(fill->id, "split:", 6) == 0 || strncmp(fill->id, "moved:", 6) == 0;
}

bool scene_is_ours(const struct scene *scene, const char *client_id) {
    const struct scene_order *order = table_find(&scene->orders, client_id);
    return is_our_id(client_id) && (order == NULL || !order->is_foreign);
}

/* --- frames --- */

static void take_nanos(const char *value, void *target) {
    int64_t nanos = 0;
    if (decimal_parse(value, &nanos, NULL) == ERR_OK) {
        *(int64_t *)target = nanos; /* of seconds too: they are nanoseconds */
    }
}

static void take_whole(const char *value, void *target) {
    int64_t nanos = 0;
    if (decimal_parse(value, &nanos, NULL) == ERR_OK) {
        *(int64_t *)target = nanos / NANOS;
    }
}

static const struct limit_row {
    const char *key;
    void (*take)(const char *value, void *target);
    size_t offset;
} LIMITS[] = {
    {"risk.max_positions", take_whole, offsetof(struct scene_limits, max_positions)},
    {"orders.cap_usd", take_nanos, offsetof(struct scene_limits, order_cap)},
    {"sizing.base_usd", take_nanos, offsetof(struct scene_limits, base)},
    {"sizing.equity_share", take_nanos, offsetof(struct scene_limits, equity_share)},
    {"sizing.risk_budget", take_nanos, offsetof(struct scene_limits, risk_budget)},
    {"risk.gross_exposure", take_nanos, offsetof(struct scene_limits, gross)},
    {"risk.symbol_limit", take_nanos, offsetof(struct scene_limits, symbol)},
    {"risk.sector_limit", take_nanos, offsetof(struct scene_limits, sector)},
    {"risk.sector_unknown", take_nanos, offsetof(struct scene_limits, sector_unknown)},
    {"risk.theme_limit_usd", take_nanos, offsetof(struct scene_limits, theme)},
    {"risk.correlation_limit", take_nanos, offsetof(struct scene_limits, cluster)},
    {"risk.cluster_correlation", take_nanos, offsetof(struct scene_limits, correlation)},
    {"risk.daily_loss_usd", take_nanos, offsetof(struct scene_limits, daily_loss_usd)},
    {"risk.daily_loss_share", take_nanos, offsetof(struct scene_limits, daily_loss_share)},
    {"data.quote_max_age_s", take_nanos, offsetof(struct scene_limits, quote_max_age)},
    {"session.no_entry_first_s", take_nanos, offsetof(struct scene_limits, no_entry_first)},
    {"session.no_entry_last_s", take_nanos, offsetof(struct scene_limits, no_entry_last)},
    {"risk.equity_floor_usd", take_nanos, offsetof(struct scene_limits, equity_floor_usd)},
    {"risk.equity_floor_share", take_nanos, offsetof(struct scene_limits, equity_floor_share)},
    {"risk.max_drawdown", take_nanos, offsetof(struct scene_limits, max_drawdown)},
    {"risk.open_risk_factor", take_nanos, offsetof(struct scene_limits, open_risk_factor)},
    {"exits.time_s", take_nanos, offsetof(struct scene_limits, time_exit)},
    {"risk.symbol_cooldown_s", take_nanos, offsetof(struct scene_limits, cooldown)},
    {"risk.symbol_cooldown_growth", take_whole, offsetof(struct scene_limits, cooldown_growth)},
    {"risk.max_new_per_15min", take_whole, offsetof(struct scene_limits, entries_in_15min)},
    {"orders.repeats", take_whole, offsetof(struct scene_limits, repeats)},
    {"orders.repeat_window_s", take_nanos, offsetof(struct scene_limits, repeat_window)},
    {"volume.day_share", take_nanos, offsetof(struct scene_limits, volume_day)},
    {"volume.hour_share", take_nanos, offsetof(struct scene_limits, volume_hour)},
    {"volume.orders", take_whole, offsetof(struct scene_limits, volume_orders)},
    {"volume.round_trips", take_whole, offsetof(struct scene_limits, volume_trips)},
    {"displacement.min_age_s", take_nanos, offsetof(struct scene_limits, displacement_min_age)},
    {"displacement.cooldown_s", take_nanos, offsetof(struct scene_limits, displacement_cooldown)},
    {"execution.tries", take_whole, offsetof(struct scene_limits, maker_tries)},
    {"execution.cross", take_whole, offsetof(struct scene_limits, maker_cross)},
    {"execution.patience_s", take_nanos, offsetof(struct scene_limits, maker_patience)},
    {"execution.partial_s", take_nanos, offsetof(struct scene_limits, partial)},
    {"performance.trades", take_whole, offsetof(struct scene_limits, performance_trades)},
    {"performance.loss_share", take_nanos, offsetof(struct scene_limits, performance_loss)},
    {"performance.pause_s", take_nanos, offsetof(struct scene_limits, performance_pause)},
    {"margin.excess", take_nanos, offsetof(struct scene_limits, margin_excess)},
    {"margin.overnight", take_nanos, offsetof(struct scene_limits, margin_overnight)},
    {"margin.no_entry_s", take_nanos, offsetof(struct scene_limits, margin_no_entry)},
    {"margin.reduce_s", take_nanos, offsetof(struct scene_limits, margin_reduce)},
    {"ramp.on", take_whole, offsetof(struct scene_limits, ramp_on)},
    {"ramp.days_per_phase", take_whole, offsetof(struct scene_limits, ramp_days)},
    {"ramp.drawdown", take_nanos, offsetof(struct scene_limits, ramp_drawdown)},
    {"learning.on", take_whole, offsetof(struct scene_limits, learning_on)},
    {"learning.trades", take_whole, offsetof(struct scene_limits, learning_trades)},
    {"learning.step", take_whole, offsetof(struct scene_limits, learning_step)},
    {"learning.day_cap", take_whole, offsetof(struct scene_limits, learning_day_cap)},
    {"kill.rejects", take_whole, offsetof(struct scene_limits, kill_rejects)},
    {"kill.rejects_window_s", take_nanos, offsetof(struct scene_limits, kill_rejects_window)},
    {"kill.auth_s", take_nanos, offsetof(struct scene_limits, kill_auth)},
    {"kill.outage_s", take_nanos, offsetof(struct scene_limits, kill_outage)},
    {"kill.divergence", take_whole, offsetof(struct scene_limits, kill_divergence)},
    {"risk.position_sign", take_whole, offsetof(struct scene_limits, position_sign)},
    {"kill.auto_rearm", take_whole, offsetof(struct scene_limits, kill_auto_rearm)},
    {"kill.cooldown_s", take_nanos, offsetof(struct scene_limits, kill_cooldown)},
    {"kill.incidents", take_whole, offsetof(struct scene_limits, kill_incidents)},
    {"engine.crash_starts", take_whole, offsetof(struct scene_limits, crash_starts)},
    {"engine.crash_ticks", take_whole, offsetof(struct scene_limits, crash_ticks)},
    {"engine.crash_window_s", take_nanos, offsetof(struct scene_limits, crash_window)},
    {"backup.interval_s", take_nanos, offsetof(struct scene_limits, backup_interval)},
    {"backup.hourly_keep", take_whole, offsetof(struct scene_limits, backup_newest)},
    {"backup.daily_keep", take_whole, offsetof(struct scene_limits, backup_days)},
    {"orders.stuck_s", take_nanos, offsetof(struct scene_limits, stuck)},
    {"clock.agreement_s", take_nanos, offsetof(struct scene_limits, clock_agreement)},
    {"clock.step_s", take_nanos, offsetof(struct scene_limits, clock_step)},
    {"stops.distance", take_nanos, offsetof(struct scene_limits, stop_distance)},
    {"exits.hard_stop", take_nanos, offsetof(struct scene_limits, hard_stop)},
    {"degraded.truth_max_age_s", take_nanos, offsetof(struct scene_limits, truth_max_age)},
    {"degraded.clean_s", take_nanos, offsetof(struct scene_limits, degraded_clean)},
    {"broker.deadline_read_s", take_nanos, offsetof(struct scene_limits, deadline_read)},
    {"orders.collar", take_nanos, offsetof(struct scene_limits, collar)},
    {"data.reference_agreement", take_nanos, offsetof(struct scene_limits, agreement)},
    {"data.equity_step", take_nanos, offsetof(struct scene_limits, equity_step)},
    {"data.cash_step", take_nanos, offsetof(struct scene_limits, cash_step)},
    {"broker.deadline_submit_s", take_nanos, offsetof(struct scene_limits, deadline_submit)},
    {"broker.deadline_slow_s", take_nanos, offsetof(struct scene_limits, deadline_slow)},
    {"breaker.failures", take_whole, offsetof(struct scene_limits, breaker_failures)},
    {"breaker.open_s", take_nanos, offsetof(struct scene_limits, breaker_pause)},
    {"breaker.open_most_s", take_nanos, offsetof(struct scene_limits, breaker_most)},
    {"broker.requests_a_minute", take_whole, offsetof(struct scene_limits, requests_a_minute)},
    {"orders.messages_1s", take_whole, offsetof(struct scene_limits, messages_1s)},
    {"orders.messages_60s", take_whole, offsetof(struct scene_limits, messages_60s)},
    {"health.reconnect_s", take_nanos, offsetof(struct scene_limits, health_reconnect)},
    {"health.again_s", take_nanos, offsetof(struct scene_limits, health_again)},
    {"drill.on", take_whole, offsetof(struct scene_limits, drill_on)},
    {"universe.min_price_usd", take_nanos, offsetof(struct scene_limits, universe_price)},
    {"universe.min_dollar_volume_usd", take_nanos, offsetof(struct scene_limits, universe_volume)},
    {"universe.volume_share", take_nanos, offsetof(struct scene_limits, universe_share)},
    {"universe.max_spread", take_nanos, offsetof(struct scene_limits, universe_spread)},
    {"engine.cycle_s", take_nanos, offsetof(struct scene_limits, cycle)},
    {"broker.rate_core", take_whole, offsetof(struct scene_limits, rate_core)},
    {"broker.rate_other", take_whole, offsetof(struct scene_limits, rate_other)},
    {"poller.most", take_whole, offsetof(struct scene_limits, poller_most)},
    {"poller.minute", take_whole, offsetof(struct scene_limits, poller_minute)},
    {"poller.day", take_whole, offsetof(struct scene_limits, poller_day)},
    {"signals.fill_s", take_nanos, offsetof(struct scene_limits, signals_fill)},
    {"signals.cache_s", take_nanos, offsetof(struct scene_limits, signals_cache)},
    {"rails.interval_s", take_nanos, offsetof(struct scene_limits, rails_interval)},
    {"rails.write", take_whole, offsetof(struct scene_limits, rails_write)},
    {"universe.action_days", take_whole, offsetof(struct scene_limits, universe_action_days)},
};

static void take_frame(struct scene *scene, const struct event *event) {
    enum oracle_invariant invariant = ORACLE_ONE_ORDER;
    struct date date = {0};
    if (is_word(event->subject, "never") && oracle_invariant_find(event->what, &invariant)) {
        scene->is_never[invariant] = true;
    } else if (is_word(event->subject, "closed") &&
               date_parse(event->what, &date, NULL) == ERR_OK) {
        (void)!calendar_close_day(&scene->calendar, date, NULL);
    } else if (is_word(event->subject, "foreign")) {
        struct scene_order *order = table_get(&scene->orders, event->what);
        order->is_foreign = true;
    } else if (is_word(event->subject, "not_foreign")) { /* the broker refused it */
        struct scene_order *order = table_get(&scene->orders, event->what);
        order->is_foreign = order->is_met = false;
    }
    if (is_word(event->subject, "wall")) {
        take_nanos(event->what, &scene->wall.ns);
    }
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        if (is_word(event->subject, LIMITS[i].key)) {
            LIMITS[i].take(event->what, (char *)&scene->limits + LIMITS[i].offset);
        }
    }
}

/* --- requests --- */

static void take_order_text(struct scene_sent *sent, const cJSON *order) {
    const char *word = "";
    (void)!json_copy(order, "client_order_id", sent->id, sizeof sent->id, NULL);
    (void)!json_copy(order, "symbol", sent->symbol, sizeof sent->symbol, NULL);
    bool is_oco = json_string(order, "order_class", &word, NULL) == ERR_OK && is_word(word, "oco");
    (void)!json_copy(order, "type", sent->type, sizeof sent->type, NULL);
    if (is_oco) { /* a stop, and a limit far away until an exit needs it */
        (void)!text_copy(sent->type, sizeof sent->type, "stop", NULL);
    }
    (void)!json_qty(order, "qty", &sent->qty, NULL);
    (void)!json_usd(order, "limit_price", &sent->limit, NULL);
    sent->is_buy = json_string(order, "side", &word, NULL) == ERR_OK && is_word(word, "buy");
}

/* By arithmetic alone: a purchase of no more shares than are short opens nothing. */
static bool may_cover(const struct scene *scene, const char *symbol, struct qty qty) {
    struct qty held = scene_symbol(scene, symbol)->qty;
    return held.nanos < 0 && qty.nanos > 0 && qty_cmp(qty, qty_neg(held)) <= 0;
}

static void take_send(struct scene *scene, const struct event *event) {
    struct scene_sent *sent = &scene->sent;
    *sent = (struct scene_sent){0};
    bool is_new = is_word(event->subject, "POST") && is_word(event->what, "/v2/orders");
    bool is_change =
        is_word(event->subject, "PATCH") && strncmp(event->what, "/v2/orders/", 11) == 0;
    const cJSON *order = is_new || is_change ? scene_body(scene, event) : NULL;
    if (order == NULL) {
        return;
    }
    sent->is_new = is_new;
    sent->is_change = is_change;
    take_order_text(sent, order);
    struct text sorted = {0};
    text_add(&sorted, event->what);
    json_print_sorted(order, &sorted);
    sent->is_cover = is_new && sent->is_buy && may_cover(scene, sent->symbol, sent->qty);
    sent->is_buy = sent->is_buy && !sent->is_cover;
    sent->content = hash64(text_get(&sorted), sorted.len, 1);
    text_release(&sorted);
    if (is_new && sent->id[0] != '\0') {
        struct scene_order *row = table_get(&scene->orders, sent->id);
        row->limit = sent->limit;
        memcpy(sent->of, row->of, sizeof sent->of);
    }
}

/* What an intent says of the entry that it goes on with. */
static void take_intent(struct scene *scene, const struct event *event) {
    bool is_named = strstr(event->body, "\"of\":\"st-") != NULL;
    const cJSON *body = is_named ? scene_body(scene, event) : NULL;
    if (body == NULL) {
        return;
    }
    struct scene_order *order = table_get(&scene->orders, event->id);
    (void)!json_copy(body, "of", order->of, sizeof order->of, NULL);
}

/* The account's own answer ends what another's began. */
static void take_answer(struct scene *scene, const struct event *event) {
    if (!is_word(event->what, "/v2/account") || event->number != 200) {
        return;
    }
    scene->other_account_at = scene->is_other_account ? event->at : (struct utc){0};
    scene->is_other_account = false;
}

/* --- the ledger --- */

static bool is_counted(const struct scene_symbol *symbol) {
    return symbol->qty.nanos > 0 || symbol->live_buys > 0;
}

/* Anybody's stop protects, once the exchange has it. */
static void take_stop(struct scene *scene, const struct event *event) {
    if (!is_word(event->subject, "sell") || strncmp(event->body, "stop", 4) != 0) {
        return;
    }
    bool is_resting = !is_over_word(event->what) && !is_word(event->what, "pending_new");
    struct qty open = {is_resting ? event->number - event->qty.nanos : 0};
    struct scene_order *order = table_get(&scene->orders, event->id);
    struct scene_symbol *symbol = table_get(&scene->symbols, event->symbol);
    symbol->stopped = qty_add(qty_sub(symbol->stopped, order->stop), open);
    order->stop = open;
}

static void take_ledger_order(struct scene *scene, const struct event *event) {
    take_stop(scene, event);
    struct scene_order *order = table_get(&scene->orders, event->id);
    bool is_buy = is_word(event->subject, "buy");
    if (is_our_id(event->id) && !order->is_met) {
        struct qty left = {event->number - event->qty.nanos};
        order->is_met = true;
        order->is_cover = is_buy && may_cover(scene, event->symbol, left);
    }
    if (!is_our_id(event->id) || order->is_foreign) {
        return;
    }
    scene->judged += !order->is_judged;
    order->is_judged = true;
    bool is_cancelling = is_word(event->what, "pending_cancel");
    scene->cancelling += (int)is_cancelling - (int)order->is_cancelling;
    order->is_cancelling = is_cancelling;
    (void)!text_copy(order->symbol, sizeof order->symbol, event->symbol, NULL);
    if (!is_buy || order->is_cover) {
        return;
    }
    bool is_live = !is_over_word(event->what) && !is_word(event->what, "done_for_day");
    struct usd cost = {0};
    struct qty open = {event->number - event->qty.nanos};
    if (is_live) {
        (void)!usd_times_qty(order->limit, open, &cost, NULL);
    }
    struct scene_symbol *symbol = table_get(&scene->symbols, event->symbol);
    bool was_counted = is_counted(symbol);
    symbol->live_buys += (int)is_live - (int)order->is_live_buy;
    symbol->live_cost = usd_add(symbol->live_cost, usd_sub(cost, order->cost));
    order->is_live_buy = is_live;
    order->cost = cost;
    scene->held += (int)is_counted(symbol) - (int)was_counted;
}

static void take_fill(struct scene *scene, const struct event *event) {
    struct scene_symbol *symbol = table_get(&scene->symbols, event->symbol);
    bool was_counted = is_counted(symbol);
    symbol->qty = is_word(event->subject, "sell") ? qty_sub(symbol->qty, event->qty)
                                                  : qty_add(symbol->qty, event->qty);
    if (scene_is_bust(event) && is_word(event->subject, "sell")) {
        symbol->undone = qty_add(symbol->undone, event->qty);
    }
    symbol->price = event->price;
    scene->foreign_at = scene_is_ours(scene, event->id) ? scene->foreign_at : event->at;
    scene->held += (int)is_counted(symbol) - (int)was_counted;
}

/* The baseline of a day is the equity as its session before ended. */
static void take_equity(struct scene *scene, const struct event *event) {
    struct date day = scene->session.date;
    if (!scene->has_session) {
        return;
    }
    if (day.days != scene->day.days) {
        scene->baseline = scene->equity.nanos == 0 ? event->amount : scene->equity;
        scene->day = day;
        scene->flows = (struct usd){0};
    }
    scene->equity = event->amount;
}

/* --- the rest --- */

static void take_operator(struct scene *scene, const struct event *event) {
    if (is_word(event->subject, "deposit")) {
        scene->flows = usd_add(scene->flows, event->amount);
    } else if (is_word(event->subject, "withdraw")) {
        scene->flows = usd_sub(scene->flows, event->amount);
    } else if (is_word(event->subject, "rotate_key")) {
        scene->is_locked_out = true;
        scene->fault_at = event->at;
        scene->healed_at = (struct utc){0};
    }
}

static void take_fault(struct scene *scene, const struct event *event) {
    scene->fault_at = event->at;
    scene->healed_at = (struct utc){0};
    scene->is_healed = false;
    scene->is_stepped = scene->is_stepped || strncmp(event->subject, "clock.", 6) == 0;
    if (strncmp(event->subject, "view.", 5) == 0) {
        scene->lie_at = event->at;
    }
    if (is_word(event->subject, "view.other_account")) {
        scene->other_account_at = event->at;
        scene->is_other_account = true;
    }
}

static void take_time(struct scene *scene, struct utc at) {
    if (!utc_is_before(scene->now, at)) {
        return;
    }
    scene->now = at;
    if (!scene->has_session || !utc_is_before(at, scene->session.close)) {
        scene->has_session = calendar_current_or_next(&scene->calendar, at, &scene->session);
    }
}

/* The core has the key that the broker knows: what locked it out is over, like a fault. */
static void let_in(struct scene *scene) {
    if (scene->is_locked_out) {
        scene->is_locked_out = false;
        scene->healed_at = scene->is_healed ? scene->now : (struct utc){0};
    }
}

static void take_mechanism(struct scene *scene, const struct event *event) {
    if (is_word(event->subject, "credentials") && is_word(event->what, "acted")) {
        let_in(scene);
    }
}

static void take_life(struct scene *scene, const struct event *event) {
    bool is_start = event->kind == EVENT_START && !is_word(event->subject, "refused");
    scene->mode = SCENE_NORMAL; /* until the core says otherwise */
    scene->is_ready = scene->is_up = is_start;
    scene->up_since = is_start ? event->at : scene->up_since;
    if (is_start) {
        let_in(scene); /* it read the key of the day */
    }
}

/* A process that stands still is not up; its mode stays. One that stood still behind its stop, as it closed
 * its files, or in its start is not up when it wakes. */
static void take_pause(struct scene *scene, const struct event *event) {
    scene->is_up = scene->is_ready && is_word(event->subject, "end");
    scene->up_since = scene->is_up ? event->at : scene->up_since;
}

static void take_row(struct scene *scene, const struct event *event) {
    if (is_word(event->subject, "intent")) {
        take_intent(scene, event);
    }
    scene->last_row = event->number; /* a journal that is gone counts from one again */
}

void scene_observe(struct scene *scene, const struct event *event) {
    if (event->kind == EVENT_FRAME) {
        take_frame(scene, event);
        return;
    }
    take_time(scene, event->at);
    scene->excused_latches = 0;
    switch ((int)event->kind) {
    case EVENT_SEND:
        take_send(scene, event);
        break;
    case EVENT_HTTP:
        take_answer(scene, event);
        break;
    case EVENT_LEDGER_ORDER:
        take_ledger_order(scene, event);
        break;
    case EVENT_LEDGER_FILL:
        take_fill(scene, event);
        break;
    case EVENT_LEDGER_EQUITY:
        take_equity(scene, event);
        break;
    case EVENT_EXIT: {
        struct scene_symbol *symbol = table_get(&scene->symbols, event->symbol);
        symbol->is_exiting = !is_word(event->what, "over");
        break;
    }
    case EVENT_ALERT:
        scene->paged_at = is_word(event->subject, "page") ? event->at : scene->paged_at;
        break;
    case EVENT_FAULT:
        take_fault(scene, event);
        break;
    case EVENT_HEALED:
        scene->is_healed = true;
        scene->healed_at = scene->is_locked_out ? (struct utc){0} : event->at;
        break;
    case EVENT_MECHANISM:
        take_mechanism(scene, event);
        break;
    case EVENT_OPERATOR:
        take_operator(scene, event);
        break;
    case EVENT_START:
    case EVENT_STOP:
        take_life(scene, event);
        break;
    case EVENT_PAUSE:
        take_pause(scene, event);
        break;
    default:
        break;
    }
    scene_take_causes(scene, event);
    if (event->kind == EVENT_ROW) {
        take_row(scene, event);
    }
}
