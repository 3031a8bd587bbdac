/* polls.c - step 3 of a tick: the broker's truth, or what is missing of it. */
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/portfolio/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool is_at_risk(const struct engine *engine) {
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        if (holding->qty.nanos != 0 || holding->is_listed) {
            return true;
        }
    }
    return engine->orders.count > 0 || engine->exits.count > 0;
}

/* What an exit is decided and sent by. */
static bool serves_exits(enum engine_read read) {
    return read == READ_CLOCK || read == READ_ORDERS || read == READ_POSITIONS;
}

/* A host that hangs costs a tick its whole deadline: not each tick while shares are held. */
static const struct span AT_RISK_APART = {INT64_C(60000000000)};

static void tell_waiting(struct engine *engine, struct read_backoff *backoff, const char *what) {
    if (!backoff->is_told) {
        backoff->is_told = true;
        log_mechanism(&engine->log, "retry_backoff", "held", "", what, "");
    }
}

bool may_ask_aside(struct engine *engine, struct read_backoff *backoff, const char *what) {
    struct mono now = clock_mono(engine->world->clock);
    bool is_free = read_backoff_is_due(backoff, now) &&
                   !(backoff->failures > 0 && is_at_risk(engine) &&
                     mono_sub(now, backoff->started_at).ns < AT_RISK_APART.ns);
    if (is_free) {
        read_backoff_start(backoff, now);
    } else {
        tell_waiting(engine, backoff, what);
    }
    return is_free;
}

/* True if a read may be asked in this tick; its outcome then goes to noted(). While anything is at
 * risk no earlier failure holds back what an exit needs. */
static bool may_ask(struct engine *engine, enum engine_read read) {
    static const char *const words[READS_BACKED_OFF] = {"clock",  "calendar",  "account",
                                                        "orders", "positions", "ids"};
    struct mono now = clock_mono(engine->world->clock);
    bool is_due = read_backoff_is_due(&engine->reads[read], now) ||
                  (serves_exits(read) && is_at_risk(engine));
    if (is_due) {
        read_backoff_start(&engine->reads[read], now);
    } else {
        tell_waiting(engine, &engine->reads[read], words[read]);
    }
    return is_due;
}

/* Said when it begins, when it becomes another trouble, and when it is over. */
static void note_trouble(struct engine *engine, enum engine_read read, enum err_code code) {
    const struct alpaca_reply *reply = alpaca_reply(engine->alpaca);
    struct broker_trouble *trouble = &engine->trouble;
    bool was_in_trouble = trouble->text[0] != '\0';
    if (code == ERR_OK && was_in_trouble && read == trouble->read) {
        *trouble = (struct broker_trouble){0};
    } else if (code != ERR_OK && !reply->is_held_back && read != READ_IDS &&
               (!was_in_trouble || trouble->code != code || trouble->status != reply->status)) {
        *trouble = (struct broker_trouble){.read = read,
                                           .code = code,
                                           .status = reply->status,
                                           .since = clock_utc(engine->world->clock)};
        memcpy(trouble->text, engine->read_err.text, sizeof trouble->text);
    } else {
        return;
    }
    if (engine->tell != NULL) {
        engine->tell(engine->tell_context, trouble->text);
    }
}

void heed_outcome(struct engine *engine, enum engine_read read, enum err_code code) {
    const struct alpaca_reply *reply = alpaca_reply(engine->alpaca);
    note_trouble(engine, read, code);
    kill_trips_note_read(&engine->kill_trips, read, reply->is_held_back ? 0 : reply->status,
                         clock_mono(engine->world->clock));
}

void note_backoff(struct engine *engine, struct read_backoff *backoff, enum err_code code) {
    read_backoff_note(backoff, code, alpaca_reply(engine->alpaca), engine->config->retry_first,
                      engine->config->retry_most, engine->world->entropy);
}

static enum err_code noted(struct engine *engine, enum engine_read read, enum err_code code) {
    note_backoff(engine, &engine->reads[read], code);
    heed_outcome(engine, read, code);
    return code;
}

/* A read that a decided exit waits for and that the budget of the polls refused (theirs is spent, or
 * the broker said 429) is asked again in the lane of the exits, which the caller leaves again. */
static bool lend_exit_lane(struct engine *engine, enum err_code code) {
    bool is_lent = code == ERR_NOT_SENT && alpaca_reply(engine->alpaca)->is_held_back &&
                   engine->exits.count > 0;
    if (is_lent) {
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_EXIT);
    }
    return is_lent;
}

static enum err_code read_clock(struct engine *engine, struct broker_clock *clock,
                                struct clock_reading *reading) {
    struct mono asked = clock_mono(engine->world->clock);
    enum err_code code = alpaca_get_clock(engine->alpaca, clock, &engine->read_err);
    *reading =
        (struct clock_reading){.is_answered = code == ERR_OK,
                               .broker = clock->timestamp,
                               .wall = clock_utc(engine->world->clock),
                               .round_trip = mono_sub(clock_mono(engine->world->clock), asked)};
    return code;
}

static enum err_code ask_clock(struct engine *engine, struct broker_clock *clock,
                               struct clock_reading *reading) {
    if (!may_ask(engine, READ_CLOCK)) {
        return ERR_NOT_SENT;
    }
    enum err_code code = read_clock(engine, clock, reading);
    if (lend_exit_lane(engine, code)) {
        code = read_clock(engine, clock, reading);
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    }
    return noted(engine, READ_CLOCK, code);
}

static void poll_clock(struct engine *engine, struct clock_reading *reading) {
    struct broker_clock clock = {0};
    if (ask_clock(engine, &clock, reading) == ERR_OK) {
        engine->truth.clock = clock;
        engine->truth.has_clock = true;
    } else {
        engine->truth.clock.is_open = false;
        engine->truth.has_clock = false; /* not knowing whether it is open is not open */
    }
}

/* Sessions around today, once a day; the rule of core/base is no substitute for the broker's. */
static void poll_calendar(struct engine *engine) {
    struct date today = ny_date(clock_utc(engine->world->clock));
    bool is_known = engine->session_count > 0 && engine->sessions_asked.days == today.days;
    if (is_known || !may_ask(engine, READ_CALENDAR)) {
        return;
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
    size_t count = 0;
    struct session sessions[40];
    enum err_code code =
        alpaca_get_calendar(engine->alpaca, date_add(today, -12), date_add(today, 14), sessions, 40,
                            &count, &engine->read_err);
    if (noted(engine, READ_CALENDAR, code) == ERR_OK && count > 0) {
        memcpy(engine->sessions, sessions, sizeof sessions);
        engine->session_count = count;
        engine->sessions_asked = today;
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
}

/* The session that runs at an instant, or the next; NULL: the calendar does not say. */
static const struct session *session_at(const struct engine *engine, struct utc at) {
    for (size_t i = 0; i < engine->session_count; i++) {
        if (at.ns < engine->sessions[i].close.ns) {
            return &engine->sessions[i];
        }
    }
    return NULL;
}

/* The current session, or the next; a new exchange day starts with a new listing of ids. */
static void find_session(struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    struct truth *truth = &engine->truth;
    const struct session *session = session_at(engine, now);
    truth->is_open = false;
    if (session == NULL) {
        return;
    }
    if (truth->day.days != session->date.days) {
        truth->day = session->date;
        engine->is_ids_checked = false;
    }
    truth->session = *session;
    truth->is_open = now.ns >= session->open.ns;
}

struct date engine_day(const struct engine *engine) {
    return engine->truth.day.days != 0 ? engine->truth.day
                                       : ny_date(clock_utc(engine->world->clock));
}

struct date engine_day_of(const struct engine *engine, struct utc at) {
    const struct session *session = session_at(engine, at);
    return session != NULL ? session->date : ny_date(at);
}

/* Cooldowns that began in doubt run again from its end. */
static void heed_clock(struct engine *engine, bool was_doubted) {
    bool is_doubted = engine->clock_guard.is_on;
    if (is_doubted && !was_doubted) {
        gateway_doubt_clock(&engine->gateway);
    } else if (was_doubted && !is_doubted) {
        gateway_trust_clock(&engine->gateway, clock_utc(engine->world->clock));
        engine->universe_reads.done_for = (struct date){0}; /* it was dated by that wall */
    }
}

void look_at_wall(struct engine *engine) {
    bool was_doubted = engine->clock_guard.is_on;
    clock_guard_look(&engine->clock_guard, &engine->causes, engine->config);
    heed_clock(engine, was_doubted);
}

/* Behind find_session(): the day in use is held against the broker's. */
static void judge_clock(struct engine *engine, const struct clock_reading *reading) {
    const struct truth *truth = &engine->truth;
    const struct session *session = session_at(engine, reading->broker);
    bool is_same_day = session != NULL && session->date.days == truth->day.days &&
                       truth->is_open == (reading->broker.ns >= session->open.ns);
    bool was_doubted = engine->clock_guard.is_on;
    clock_guard_judge(&engine->clock_guard, &engine->causes, engine->config, reading, is_same_day);
    heed_clock(engine, was_doubted);
}

bool previous_session(const struct engine *engine, struct date *out) {
    bool is_found = false;
    for (size_t i = 0; i < engine->session_count; i++) {
        if (engine->sessions[i].date.days < engine->truth.day.days) {
            *out = engine->sessions[i].date;
            is_found = true;
        }
    }
    return is_found;
}

enum err_code account_fold(struct engine *engine, const struct journal_row *row, struct err *err) {
    if (strcmp(row->kind, "account") != 0) {
        return ERR_OK;
    }
    cJSON *body = NULL;
    enum err_code code =
        text_copy(engine->account_number, sizeof engine->account_number, row->key, err);
    if (code == ERR_OK && (code = json_parse(row->body, strlen(row->body), &body, err)) == ERR_OK) {
        engine->is_account_pinned = true; /* rows of older builds name no key */
        (void)!json_copy(body, "key", engine->account_key, sizeof engine->account_key, NULL);
        cJSON_Delete(body);
    }
    return code;
}

/* A journal that was lost, or that somebody removed, took its row along. No other account may be pinned in its place,
 * only the same anew. */
void account_recall(struct engine *engine, const cJSON *document) {
    MUTATE(account_lost_with_its_journal, return);
    if (!engine->is_account_pinned) {
        (void)!json_copy(document, "account", engine->account_number, sizeof engine->account_number,
                         NULL);
    }
}

/* A key opens one account alone, so that the key of the pinned account may be trusted before its
 * account answers (an exit must not wait for that); a new key, a first contact and a state that has
 * met another account may not. */
bool is_elsewhere(const struct engine *engine) {
    bool is_known_key = engine->is_account_pinned &&
                        strcmp(engine->account_key, engine->key_hash) == 0 &&
                        !causes_has(&engine->causes, "wrong_account");
    return engine->account_seen == ACCOUNT_OTHER ||
           (engine->account_seen == ACCOUNT_UNSEEN && !is_known_key);
}

static void pin_account(struct engine *engine, const char *number) {
    bool is_known = engine->is_account_pinned && strcmp(engine->account_key, engine->key_hash) == 0;
    char body[48];
    snprintf(body, sizeof body, "{\"key\":\"%s\"}", engine->key_hash);
    if (!is_known && engine->journal != NULL &&
        journal_append(engine->journal, "account", number, body, NULL, NULL) == ERR_OK &&
        journal_commit(engine->journal, NULL) == ERR_OK) {
        (void)!text_copy(engine->account_number, sizeof engine->account_number, number, NULL);
        (void)!text_copy(engine->account_key, sizeof engine->account_key, engine->key_hash, NULL);
        engine->is_account_pinned = true;
    }
}

/* The account is pinned at its first answer, unless it is recalled: another number is somebody else's money. An
 * answer without a number is no answer. */
static bool is_our_account(struct engine *engine, const char *number) {
    if (number[0] == '\0') {
        return false;
    }
    MUTATE(account_not_pinned, engine->account_seen = ACCOUNT_OURS; return true);
    if (engine->account_number[0] != '\0' && strcmp(engine->account_number, number) != 0) {
        char why[200];
        snprintf(why, sizeof why,
                 "account %s answers, this state belongs to %s: nothing is sent or cancelled; give "
                 "it the key of its own account",
                 number, engine->account_number);
        engine->account_seen = ACCOUNT_OTHER;
        causes_latch(&engine->causes, "wrong_account", MODE_HALT, "core", why);
        return false;
    }
    engine->account_seen = ACCOUNT_OURS;
    pin_account(engine, number);
    return true;
}

static bool poll_account(struct engine *engine) {
    struct broker_account account = {0};
    if (!may_ask(engine, READ_ACCOUNT) ||
        noted(engine, READ_ACCOUNT,
              alpaca_get_account(engine->alpaca, &account, &engine->read_err)) != ERR_OK ||
        !is_our_account(engine, account.number)) {
        return false;
    }
    MUTATE(limit_from_stale_equity, if (engine->truth.has_account) account.equity = engine->truth.account.equity);
    engine->truth.account = account;
    engine->truth.has_account = true;
    engine->truth.account_at = clock_mono(engine->world->clock);
    return true;
}

/* Its fill would move the listing to where it differs. */
static bool may_have_moved(const struct order *order, const struct holding *holding) {
    int64_t apart = holding == NULL ? 0 : qty_sub(holding->broker_qty, holding->qty).nanos;
    return order->side == SIDE_BUY ? apart > 0 : apart < 0;
}

/* The orders were listed in this tick or, where that failed, since the difference was first seen: an order
 * that had filled by then would be missing there. */
static bool are_orders_listed(const struct engine *engine, const struct holding *holding) {
    struct mono listed = engine->truth.orders_at;
    return engine->is_orders_listed ||
           (holding != NULL && holding->differs && holding->differs_since.ns <= listed.ns);
}

/* Explainers first: an order that may fill, until the day's orders were listed, one that an earlier
 * life could not journal, and a split that nobody could be asked about yet. */
static enum in_flight in_flight(void *context, const char *symbol) {
    const struct engine *engine = context;
    const struct holding *holding = book_look(&engine->book, symbol);
    const bool are_listed = are_orders_listed(engine, holding);
    bool may_fill = false;
    bool may_be_it = false;
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        if (order_is_over(order) || strcmp(order->symbol, symbol) != 0) {
            continue;
        }
        if (!are_listed || !order->is_seen || order->state != ORDER_WORKING || order->is_ended) {
            return IN_FLIGHT_UNKNOWN;
        }
        may_fill = may_fill || order->purpose != PURPOSE_STOP;
        may_be_it = may_be_it || may_have_moved(order, holding);
    }
    bool is_awaited = holding != NULL && (holding->is_split_awaited || holding->is_spin_awaited);
    if (!engine->is_ids_checked || is_awaited) {
        return IN_FLIGHT_UNKNOWN;
    }
    if (may_fill) {
        return may_be_it ? IN_FLIGHT_LISTED : IN_FLIGHT_BESIDE;
    }
    return may_be_it ? IN_FLIGHT_STOP : IN_FLIGHT_NOTHING;
}

static enum err_code ask_positions(struct engine *engine, struct broker_position *listing,
                                   size_t *count) {
    if (!may_ask(engine, READ_POSITIONS)) {
        return ERR_NOT_SENT;
    }
    enum err_code code = alpaca_get_positions(engine->alpaca, listing, count, &engine->read_err);
    if (lend_exit_lane(engine, code)) {
        code = alpaca_get_positions(engine->alpaca, listing, count, &engine->read_err);
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    }
    return noted(engine, READ_POSITIONS, code);
}

static void tell_healed(struct engine *engine, const struct holding *holding) {
    struct text numbers = {.limit = 256};
    text_member_decimal(&numbers, "was", holding->healed_from.nanos);
    text_member_decimal(&numbers, "is", holding->qty.nanos);
    log_mechanism(&engine->log, "divergence_heal", "acted", holding->symbol, "",
                  text_get(&numbers));
    text_release(&numbers);
}

/* Each by its symbol: one that vanished at every listing, one that was taken over once. */
static void tell_differences(struct engine *engine) {
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        if (!holding->is_confirmed) {
            continue;
        }
        if (holding->is_healed) {
            tell_healed(engine, holding);
        }
        MUTATE(heal_unpaged, if (holding->is_healed) continue);
        MUTATE(vanished_untold, if (!holding->is_listed) continue);
        log_alert(&engine->log, ALERT_PAGE,
                  holding->is_listed ? "position_unexplained" : "position_vanished",
                  holding->symbol);
        MUTATE(difference_tells_one_symbol, return);
    }
}

static bool poll_positions(struct engine *engine) {
    struct broker_position listing[ALPACA_POSITIONS_MAX];
    size_t count = 0;
    if (ask_positions(engine, listing, &count) != ERR_OK) {
        return false;
    }
    engine->truth.has_positions = true;
    engine->truth.positions_at = clock_mono(engine->world->clock);
    splits_look(engine, listing, count);
    struct reconcile_result result = reconcile(&engine->book, listing, count, engine->journal,
                                               engine->world->clock, in_flight, engine);
    splits_follow(engine);
    spin_offs_follow(engine);
    if (result.confirmed > 0) {
        MUTATE(adoption_untold, return true);
        tell_differences(engine);
        MUTATE(vanished_untold, if (result.vanished > 0) return true);
        const char *why = result.vanished > 0 ? "a position vanished without a fill"
                                              : "a position no fill of ours explains";
        causes_hold(&engine->causes, "reconciliation", MODE_REDUCE_ONLY, why);
        kill_trips_diverged(&engine->causes, engine->config, why);
    } else if (result.differences == 0) {
        causes_let_go(&engine->causes, "reconciliation");
    }
    return true;
}

/* Takes the listing; an order of ours that is no longer in it is asked for by id. */
static void take_orders(struct engine *engine, const struct broker_order *listing, size_t count) {
    struct orders *orders = &engine->orders;
    for (size_t i = 0; i < orders->count; i++) {
        orders->items[i].is_seen = false;
    }
    engine->listed_buys = 0;
    for (size_t i = 0; i < count; i++) {
        struct order *order = orders_find(orders, listing[i].client_id);
        bool is_cover = order != NULL && gateway_is_cover(&engine->gateway, order);
        engine->listed_buys += listing[i].side == SIDE_BUY && !is_cover &&
                               client_id_is_ours(listing[i].client_id) &&
                               !broker_status_is_terminal(listing[i].status);
        if (order == NULL) {
            gateway_meet(&engine->gateway, &listing[i]);
        } else if (order->state == ORDER_WORKING) {
            order->is_seen = true;
            orders_take(orders, order, &listing[i]);
        }
    }
    for (size_t i = 0; i < orders->count; i++) {
        struct order *order = &orders->items[i];
        MUTATE(lacked_order_is_over, if (!order->is_seen && order->state == ORDER_WORKING) orders_move(orders, order, ORDER_CANCELED));
        if (!order->is_seen && order->state == ORDER_WORKING) {
            gateway_ask(&engine->gateway, order);
        }
    }
}

static bool poll_orders(struct engine *engine) {
    struct broker_order *listing = engine->listing;
    size_t count = 0;
    engine->is_orders_listed = false;
    if (!may_ask(engine, READ_ORDERS) ||
        noted(engine, READ_ORDERS,
              alpaca_get_open_orders(engine->alpaca, listing, &count, &engine->read_err)) !=
            ERR_OK) {
        return false;
    }
    engine->is_orders_listed = true;
    engine->truth.has_orders = true;
    engine->truth.orders_at = clock_mono(engine->world->clock);
    take_orders(engine, listing, count);
    return true;
}

/* The broker's word that he split what is held. */
static void take_split_told(struct engine *engine, const struct broker_activity *activity) {
    struct holding *holding = book_find(&engine->book, activity->symbol);
    struct date day = ny_date(activity->at);
    if (holding != NULL && strcmp(activity->type, "SPLIT") == 0 && !activity->is_canceled &&
        day.days > holding->split_told.days) {
        holding->split_told = day;
    }
}

/* Deposits, withdrawals and dividends: each cycle, and at once when cash moved by more than 1 % of equity. */
static void poll_flows(struct engine *engine) {
    struct usd moved = usd_abs(usd_sub(engine->truth.account.cash, engine->last_cash));
    bool is_step = usd_cmp(moved, (struct usd){engine->truth.account.equity.nanos / 100}) > 0;
    engine->last_cash = engine->truth.account.cash;
    if (!engine->is_cycle && !is_step) {
        return;
    }
    struct broker_activity *activities = malloc(ACTIVITIES_MAX * sizeof *activities);
    size_t count = 0;
    struct utc since = ny_to_utc(flows_since(engine), 0, 0);
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
    if (activities != NULL && alpaca_get_activities(engine->alpaca, since, "", activities,
                                                    ACTIVITIES_MAX, &count, NULL) == ERR_OK) {
        for (size_t i = 0; i < count; i++) {
            flows_take(engine, &activities[i]);
            take_split_told(engine, &activities[i]);
            spin_offs_take(&engine->spin_offs, &activities[i]);
        }
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    free(activities);
}

static void check_ids(struct engine *engine) {
    if (!engine->is_ids_checked && engine->truth.day.days != 0 && may_ask(engine, READ_IDS)) {
        engine->is_ids_checked = gateway_check_ids(&engine->gateway);
        (void)noted(engine, READ_IDS, engine->is_ids_checked ? ERR_OK : ERR_FAILED);
    }
}

static struct span truth_age(const struct engine *engine, struct mono now) {
    const struct truth *truth = &engine->truth;
    struct span age = mono_sub(now, truth->account_at);
    struct span positions = mono_sub(now, truth->positions_at);
    struct span orders = mono_sub(now, truth->orders_at);
    age = positions.ns > age.ns ? positions : age;
    return orders.ns > age.ns ? orders : age;
}

static void judge_age(struct engine *engine) {
    struct mono now = clock_mono(engine->world->clock);
    degraded_mode_judge(&engine->degraded, &engine->causes, engine->config, truth_age(engine, now),
                        engine->is_truth_clean && engine->is_ids_checked, now);
}

/* A broker who hangs makes a tick of half a minute out of reads alone: who waits for him is alive, and holds its lease. A
 * loss shows where it counts, before the next order and the next tick. */
static void keep_lease(struct engine *engine, struct mono began) {
    MUTATE(lease_ages_beside_reads, return);
    struct span lasts = mono_sub(clock_mono(engine->world->clock), began);
    if (engine->lease != NULL && lasts.ns >= SPAN_S(LEASE_S / 3).ns) {
        (void)!lease_renew(engine->lease, NULL);
    }
}

/* No order of ours may have moved cash that nobody has booked. */
static bool is_calm(const struct engine *engine) {
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        if (order->state == ORDER_UNKNOWN || order->state == ORDER_INTENT) {
            return false;
        }
    }
    return !orders_are_behind(&engine->orders);
}

static void judge_equity(struct engine *engine, bool has_orders, struct utc now) {
    struct truth *truth = &engine->truth;
    data_guard_explain(truth, &engine->book, engine->config);
    equity_steps_judge(&engine->equity_steps, truth, &engine->book, engine->config, engine->journal,
                       has_orders && is_calm(engine), now);
    data_guard_judge(&engine->data_guard, truth, engine->equity_steps.step, &engine->causes, now);
}

void poll_truth(struct engine *engine) {
    struct truth *truth = &engine->truth;
    struct clock_reading clock = {0};
    const struct mono began = clock_mono(engine->world->clock);
    poll_clock(engine, &clock);
    poll_calendar(engine);
    find_session(engine);
    judge_clock(engine, &clock);
    bool has_account = poll_account(engine);
    if (is_elsewhere(engine)) { /* its orders and positions are somebody else's */
        engine->is_truth_clean = false;
        judge_age(engine);
        return;
    }
    keep_lease(engine, began);
    bool has_orders = poll_orders(engine);
    bool has_positions = poll_positions(engine);
    keep_lease(engine, began);
    splits_time(engine);
    poll_prices(engine);
    keep_lease(engine, began);
    engine->is_truth_clean = truth->has_clock && has_account && has_orders && has_positions;
    check_ids(engine);
    struct utc now = clock_utc(engine->world->clock);
    data_guard_mark(truth, &engine->book, engine->config, now);
    if (has_account && has_positions) {
        poll_flows(engine);
        judge_equity(engine, has_orders, now);
        struct equity_reading reading = reading_now(engine);
        engine->gateway.flows_today = reading.flows_today;
        account_guards_judge(&engine->guards, &reading);
        margins_step(engine);
        capital_ramp_judge(&engine->gateway.ramp, &engine->causes, engine->config, &reading);
    }
    judge_age(engine);
}
