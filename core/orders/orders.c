/* orders.c - the table of orders as a fold of the journal's rows and the broker's answers. */
#include "core/orders/orders.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    bool is_over;
} STATES[] = {
#define X(state, word, is_over) [state] = {word, is_over},
    ORDER_STATES(X)
#undef X
};

const char *order_state_word(enum order_state state) {
    return STATES[state].word;
}

bool order_is_over(const struct order *order) {
    return STATES[order->state].is_over;
}

const char *order_purpose_word(enum order_purpose purpose) {
    static const char *const words[] = {"entry", "exit", "scale_out", "stop"};
    return words[purpose];
}

/* The end is the end: late fills are booked, the state stays. */
bool order_may_move(enum order_state from, enum order_state to) {
    if (to == ORDER_LOST) { /* no longer known is only what was known */
        return from == ORDER_WORKING;
    }
    return from == ORDER_INTENT || (from == ORDER_UNKNOWN && to != ORDER_INTENT) ||
           (from == ORDER_WORKING && to != ORDER_INTENT && to != ORDER_UNKNOWN &&
            to != ORDER_NOT_SENT);
}

bool order_slippage(const struct order *order, struct usd price, int64_t *bps_nanos) {
    struct usd average = {0};
    if (price.nanos <= 0 ||
        usd_per_qty(order->filled_amount, order->filled, &average, NULL) != ERR_OK) {
        return false;
    }
    int64_t beyond = average.nanos - price.nanos;
    beyond = order->side == SIDE_BUY ? beyond : -beyond;
    MUTATE(slippage_of_sales_turned, beyond = average.nanos - price.nanos);
    return decimal_mul_div(beyond, 10000 * NANOS, price.nanos, bps_nanos, NULL) == ERR_OK;
}

struct qty order_open_qty(const struct order *order) {
    return order_is_over(order) ? (struct qty){0} : qty_sub(order->qty, order->filled);
}

bool client_id_is_ours(const char *client_id) {
    return strncmp(client_id, "st-", 3) == 0;
}

bool client_id_parse(const char *client_id, struct date *day, int64_t *number) {
    char date[11] = {0};
    if (!client_id_is_ours(client_id) || strnlen(client_id, 15) < 15 || client_id[13] != '-') {
        return false;
    }
    memcpy(date, client_id + 3, 10);
    int64_t n = 0;
    for (const char *s = client_id + 14; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || n > 100000000) {
            return false;
        }
        n = n * 10 + (*s - '0');
    }
    if (date_parse(date, day, NULL) != ERR_OK) {
        return false;
    }
    *number = n;
    return true;
}

bool client_id_is_emergency(const char *client_id) {
    return client_id_is_ours(client_id) && strnlen(client_id, 16) == 16 &&
           memcmp(client_id + 13, "-x-", 3) == 0;
}

struct order *orders_find(struct orders *orders, const char *client_id) {
    for (size_t i = 0; i < orders->count; i++) {
        if (strcmp(orders->items[i].client_id, client_id) == 0) {
            return &orders->items[i];
        }
    }
    return NULL;
}

/* Once, in the row of the intent: nothing else changes them. */
static void print_parts(const struct order *order, struct text *out) {
    if (order->part_count == 0 || order->state != ORDER_INTENT) {
        return;
    }
    text_member(out, "parts");
    text_add_char(out, '{');
    for (size_t i = 0; i < order->part_count; i++) {
        text_member_decimal(out, order->parts[i].name, order->parts[i].value.nanos);
    }
    text_add_char(out, '}');
}

static void print_order(const struct order *order, struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "symbol", order->symbol);
    text_member_string(out, "side", order_side_word(order->side));
    text_member_string(out, "type", order_type_word(order->type));
    text_member_string(out, "tif", order_tif_word(order->tif));
    text_member_string(out, "purpose", order_purpose_word(order->purpose));
    text_member_string(out, "reason", order->reason);
    text_member_decimal(out, "qty", order->qty.nanos);
    text_member_decimal(out, "limit", order->limit_price.nanos);
    text_member_decimal(out, "stop", order->stop_price.nanos);
    text_member_string(out, "state", order_state_word(order->state));
    text_member_string(out, "status", broker_status_word(order->status));
    text_member_string(out, "broker_id", order->broker_id);
    text_member_string(out, "replaces", order->replaces);
    text_member_decimal(out, "filled", order->noted.nanos); /* as the rows of fills have it */
    text_member_decimal(out, "amount", order->noted_amount.nanos);
    text_member_decimal(out, "score", order->score.nanos);
    text_member_utc(out, "decided_at", order->decided_at);
    if (order->is_oco) {
        text_member_string(out, "class", "oco");
        text_member_string(out, "leg", order->leg_id);
    }
    if (order->attempt > 0) {
        text_member_int(out, "attempt", order->attempt);
        text_member_string(out, "of", order->of);
    }
    print_parts(order, out);
    text_add_char(out, '}');
}

static void tell(const struct orders *orders, const struct order *order, const char *body) {
    struct usd average = {0};
    (void)!usd_per_qty(order->filled_amount, order->filled, &average, NULL);
    const char *what = order->state == ORDER_WORKING ? broker_status_word(order->status)
                                                     : order_state_word(order->state);
    observe(orders->world->observer, &(struct event){.kind = EVENT_ORDER,
                                                     .at = clock_utc(orders->world->clock),
                                                     .subject = order_purpose_word(order->purpose),
                                                     .what = what,
                                                     .symbol = order->symbol,
                                                     .id = order->client_id,
                                                     .qty = order->filled,
                                                     .price = average,
                                                     .body = body,
                                                     .body_len = strlen(body)});
}

static bool is_behind(const struct order *order) {
    return order->noted.nanos != order->filled.nanos;
}

/* The rows of what was filled since the last ones, in one commit. The first fill of an order that no row
 * names yet brings the order's own row with it: so whoever reads a fill back knows the order and how much
 * of it is booked, and the rest of it is booked once, by whichever life asks. */
static enum err_code note_fill(struct orders *orders, struct order *order, struct err *err) {
    if (orders->journal == NULL) {
        return err_set(err, ERR_IO, "the journal is not open");
    }
    struct text body = {.limit = 4096};
    enum err_code code = ERR_OK;
    if (!order->is_journaled) {
        print_order(order, &body);
        code =
            journal_append(orders->journal, "order", order->client_id, text_get(&body), NULL, err);
        text_clear(&body);
    }
    text_add_char(&body, '{');
    text_member_string(&body, "symbol", order->symbol);
    text_member_string(&body, "side", order_side_word(order->side));
    text_member_decimal(&body, "qty", qty_sub(order->filled, order->noted).nanos);
    text_member_decimal(&body, "amount", usd_sub(order->filled_amount, order->noted_amount).nanos);
    text_member_decimal(&body, "cum", order->filled.nanos);
    text_member_decimal(&body, "cum_amount", order->filled_amount.nanos);
    text_member_decimal(&body, "score", order->score.nanos);
    text_member_utc(&body, "at", order->filled_at);
    text_add_char(&body, '}');
    if (code == ERR_OK) {
        code =
            journal_append(orders->journal, "fill", order->client_id, text_get(&body), NULL, err);
    }
    text_release(&body);
    if (code == ERR_OK) {
        code = journal_commit(orders->journal, err);
    }
    if (code == ERR_OK) {
        order->is_journaled = true;
        order->noted = order->filled;
        order->noted_amount = order->filled_amount;
    }
    return code;
}

/* Journals and tells one row about an order. Durable at once are the intent, the first row of an order
 * that left without one, and that one never became an order or was given up: no broker says that again.
 * The rest he does say again; it rides on the next commit, at the latest that of the tick's end. */
static enum err_code note(struct orders *orders, struct order *order, const char *kind,
                          struct err *err) {
    struct text body = {.limit = 4096};
    enum err_code code = is_behind(order) ? note_fill(orders, order, err) : ERR_OK;
    print_order(order, &body);
    if (code == ERR_OK && orders->journal == NULL) {
        code = err_set(err, ERR_IO, "the journal is not open");
    } else if (code == ERR_OK) {
        code = journal_append(orders->journal, kind, order->client_id, text_get(&body), NULL, err);
    }
    bool is_untold = order->state == ORDER_NOT_SENT || order->state == ORDER_REJECTED ||
                     order->state == ORDER_LOST;
    if (code == ERR_OK && (is_untold || !order->is_journaled)) {
        code = journal_commit(orders->journal, err);
    }
    order->is_journaled = order->is_journaled || code == ERR_OK;
    if (code == ERR_OK || strcmp(kind, "intent") != 0) {
        tell(orders, order, text_get(&body));
    }
    text_release(&body);
    return code;
}

enum err_code orders_add(struct orders *orders, struct date day, const struct order *intent,
                         struct order **out, struct err *err) {
    if (orders->count == ORDERS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d live orders", ORDERS_MAX);
    }
    if (day.days > orders->numbered_day.days) { /* never back: an id is used once */
        orders->numbered_day = day;
        orders->highest_number = 0;
    }
    struct order *order = &orders->items[orders->count];
    *order = *intent;
    char date[DATE_TEXT_MAX];
    date_print(orders->numbered_day, date);
    snprintf(order->client_id, sizeof order->client_id, "st-%s-%lld", date,
             (long long)orders->highest_number + 1);
    order->state = ORDER_INTENT;
    order->decided_at = clock_utc(orders->world->clock);
    enum err_code code = note(orders, order, "intent", err);
    if (code != ERR_OK) {
        return code;
    }
    orders->highest_number++;
    orders->count++;
    *out = order;
    return ERR_OK;
}

struct order *orders_add_emergency(struct orders *orders, const struct order *intent) {
    if (orders->count == ORDERS_MAX) {
        return NULL;
    }
    struct order *order = &orders->items[orders->count++];
    *order = *intent;
    order->state = ORDER_INTENT;
    order->is_journaled = false;
    order->decided_at = clock_utc(orders->world->clock);
    return order;
}

static bool has_ended(const struct orders *orders, const char *client_id) {
    size_t kept = orders->ended_count < ORDERS_ENDED_MAX ? orders->ended_count : ORDERS_ENDED_MAX;
    for (size_t i = 0; i < kept; i++) {
        if (strcmp(orders->ended[i], client_id) == 0) {
            return true;
        }
    }
    return false;
}

static int number_behind(const char *client_id, const char *prefix) {
    size_t length = strlen(prefix);
    int number = 0;
    if (strncmp(client_id, prefix, length) != 0) {
        return 0;
    }
    for (const char *digit = client_id + length; *digit >= '0' && *digit <= '9'; digit++) {
        number = number < 1000000 ? number * 10 + (*digit - '0') : number;
    }
    return number;
}

int client_id_higher(int highest, const char *client_id, const char *prefix) {
    int number = number_behind(client_id, prefix);
    return number > highest ? number : highest;
}

int orders_number_behind(const struct orders *orders, const char *prefix) {
    int highest = 0;
    for (size_t i = 0; i < orders->count; i++) {
        highest = client_id_higher(highest, orders->items[i].client_id, prefix);
    }
    for (size_t i = 0; i < ORDERS_LOST_MAX; i++) {
        highest = client_id_higher(highest, orders->lost[i].client_id, prefix);
    }
    for (size_t i = 0; i < ORDERS_ENDED_MAX; i++) {
        highest = client_id_higher(highest, orders->ended[i], prefix);
    }
    return highest;
}

struct order *orders_find_lost(struct orders *orders, const char *client_id) {
    size_t kept = orders->lost_count < ORDERS_LOST_MAX ? orders->lost_count : ORDERS_LOST_MAX;
    for (size_t i = 0; i < kept; i++) {
        if (strcmp(orders->lost[i].client_id, client_id) == 0) {
            return &orders->lost[i];
        }
    }
    return NULL;
}

struct order *orders_bring_back(struct orders *orders, struct order *lost) {
    struct order *order = orders_add_emergency(orders, lost);
    if (order != NULL) {
        order->is_journaled = lost->is_journaled;
        order->decided_at = lost->decided_at;
        order->state = ORDER_UNKNOWN;
        order->given_up_at = (struct utc){0};
        lost->client_id[0] = '\0';
    }
    return order;
}

void orders_adopt(struct orders *orders, const struct broker_order *truth) {
    struct order *lost = orders_find_lost(orders, truth->client_id);
    if (has_ended(orders, truth->client_id)) {
        return;
    }
    MUTATE(lost_order_is_another, lost = NULL);
    if (lost != NULL) {
        struct order *order = orders_bring_back(orders, lost);
        if (order != NULL) {
            orders_take(orders, order, truth);
        }
        return;
    }
    struct order order = {.side = truth->side,
                          .type = truth->type,
                          .tif = truth->tif,
                          .reason = "adopted",
                          .qty = truth->qty,
                          .limit_price = truth->limit_price,
                          .stop_price = truth->stop_price};
    order.is_oco = truth->is_oco;
    order.purpose = truth->side == SIDE_BUY                        ? PURPOSE_ENTRY
                    : truth->type == ORDER_LIMIT && !truth->is_oco ? PURPOSE_EXIT
                                                                   : PURPOSE_STOP;
    order.type = order.is_oco ? ORDER_STOP : order.type;
    memcpy(order.client_id, truth->client_id, sizeof order.client_id);
    memcpy(order.symbol, truth->symbol, sizeof order.symbol);
    struct order *tracked = orders_add_emergency(orders, &order);
    if (tracked != NULL) {
        tracked->state = ORDER_UNKNOWN;
        orders_take(orders, tracked, truth);
    }
}

/* The broker cancelled a stop that nobody here asked to end, as in a halt: the next may go the same way. */
static bool is_undone(const struct order *order, enum order_state state) {
    MUTATE(undone_stop_sent_at_once, return false);
    return state == ORDER_CANCELED && order->state != ORDER_CANCELED &&
           order->purpose == PURPOSE_STOP && order->cancel_at.ns == 0;
}

/* The broker said no to an exit or a stop, or undid a stop: the shares are still there. From the second no in a
 * row on a person must know, and the next attempt waits. */
static void note_reject(struct orders *orders, const struct order *order) {
    bool is_stop = order->purpose == PURPOSE_STOP;
    int in_a_row = send_backoff_fail(&orders->backoff, order->symbol, is_stop,
                                     clock_mono(orders->world->clock));
    if (in_a_row > 1) {
        const char *stop = order->state == ORDER_CANCELED ? "stop_cancelled" : "stop_rejected";
        log_alert(orders->log, ALERT_PAGE, is_stop ? stop : "exit_rejected", order->symbol);
        log_mechanism(orders->log, "retry_backoff", "held", order->symbol, order->client_id, "");
    }
}

/* It may have left, and the broker said by id and listing that it never arrived. That can be a lie. */
static bool is_denied(const struct order *order, enum order_state state) {
    return order->state == ORDER_UNKNOWN && state == ORDER_NOT_SENT;
}

void orders_move(struct orders *orders, struct order *order, enum order_state state) {
    CHECK(state == order->state || order_may_move(order->state, state));
    bool is_reject = state == ORDER_REJECTED && order->state != ORDER_REJECTED;
    bool is_no = is_reject || is_undone(order, state);
    orders->entries_cancelled += state == ORDER_CANCELED && order->state != ORDER_CANCELED &&
                                 order->purpose == PURPOSE_ENTRY;
    if (state == ORDER_LOST || is_denied(order, state)) {
        order->given_up_at = clock_utc(orders->world->clock);
        MUTATE(denied_order_not_looked_for, if (state == ORDER_NOT_SENT) order->given_up_at = (struct utc){0});
    }
    order->state = state;
    (void)!note(orders, order, "order", NULL);
    bool is_repriced = order->is_oco && order->replaces[0] != '\0'; /* the group is what it was */
    if (is_no && order->purpose != PURPOSE_ENTRY && !is_repriced) {
        note_reject(orders, order);
    }
    MUTATE(wash_counts_as_reject, order->is_excused = false);
    if (is_reject && !order->is_excused) {
        kill_rejects_note(&orders->rejects, clock_mono(orders->world->clock));
    }
}

static enum order_state state_of(enum broker_status status) {
    switch (status) {
    case STATUS_FILLED:
        return ORDER_FILLED;
    case STATUS_CANCELED:
        return ORDER_CANCELED;
    case STATUS_EXPIRED:
        return ORDER_EXPIRED;
    case STATUS_REPLACED:
        return ORDER_REPLACED;
    case STATUS_REJECTED:
        return ORDER_REJECTED;
    case STATUS_NEW:
    case STATUS_PARTIALLY_FILLED:
    case STATUS_DONE_FOR_DAY:
    case STATUS_PENDING_CANCEL:
    case STATUS_PENDING_REPLACE:
    case STATUS_ACCEPTED:
    case STATUS_PENDING_NEW:
    case STATUS_ACCEPTED_FOR_BIDDING:
    case STATUS_STOPPED:
    case STATUS_SUSPENDED:
    case STATUS_CALCULATED:
    case STATUS_HELD:
    case STATUS_OTHER:
        break;
    }
    return ORDER_WORKING;
}

/* Books what the filled quantity grew by; never less than before: a stale answer changes nothing. The
 * position is there whether the journal takes it or not: what protects it cannot wait for a disk. */
static void book_growth(struct orders *orders, struct order *order,
                        const struct broker_order *truth) {
    struct qty growth = qty_sub(truth->filled_qty, order->filled);
    struct usd amount = {0};
    MUTATE(cumulative_booked_as_delta, growth = growth.nanos > 0 ? truth->filled_qty : growth);
    if (growth.nanos <= 0 || !truth->has_avg ||
        usd_times_qty(truth->filled_avg_price, truth->filled_qty, &amount, NULL) != ERR_OK) {
        return;
    }
    struct usd grown = usd_sub(amount, order->filled_amount);
    order->filled = truth->filled_qty;
    order->filled_amount = amount;
    order->filled_at = clock_utc(orders->world->clock);
    (void)!note_fill(orders, order, NULL);
    MUTATE(fill_waits_for_its_row, if (is_behind(order)) { order->filled = order->noted; order->filled_amount = order->noted_amount; return; });
    MUTATE(duplicate_fill_applied, order->filled = order->noted = (struct qty){0});
    orders->fills++;
    if (order->purpose != PURPOSE_ENTRY) {
        send_backoff_end(&orders->backoff, order->symbol, order->purpose == PURPOSE_STOP);
    }
    book_apply_fill(orders->book, order->symbol, order->side, growth, grown, order->filled_at,
                    order->score);
    struct holding *holding = book_find(orders->book, order->symbol);
    if (holding != NULL) {
        holding->is_ahead |= order->side == SIDE_BUY;
        holding->is_spent = holding->qty.nanos == 0;
    }
}

bool orders_wait_for_leg(const struct order *order, const struct broker_order *truth) {
    bool is_end = broker_status_is_terminal(truth->status) && truth->status != STATUS_FILLED &&
                  truth->status != STATUS_REPLACED;
    MUTATE(flat_end_believed, return false);
    return order->is_oco && is_end && !truth->has_legs && order->leg_id[0] != '\0';
}

/* An answer that does not tell of the stop says nothing of it. */
static void take_legs(struct orders *orders, struct order *order,
                      const struct broker_order *truth) {
    if (truth->are_legs_unclear) {
        log_alert(orders->log, ALERT_WARN, "oco_legs_unclear", order->client_id);
    }
    if (truth->is_oco && truth->has_legs) {
        memcpy(order->leg_id, truth->leg_id, sizeof order->leg_id);
        order->is_leg_alone = truth->is_leg_alone;
        order->has_legs = true;
        order->is_leg_due = false;
        order->stop_price = truth->has_stop ? truth->stop_price : order->stop_price;
    }
}

void orders_take(struct orders *orders, struct order *order, const struct broker_order *truth) {
    order->lost_asks = 0;
    if (!order_is_over(order) && orders_wait_for_leg(order, truth)) {
        order->is_leg_due = true;
        strcpy(order->broker_id, truth->id);
        return;
    }
    if (qty_cmp(truth->filled_qty, order->filled) < 0) {
        return; /* an answer older than what is known */
    }
    strcpy(order->broker_id, truth->id);
    take_legs(orders, order, truth);
    MUTATE(late_fill_dropped, if (order->cancel_at.ns != 0 && state_of(truth->status) == ORDER_FILLED) { orders_move(orders, order, ORDER_CANCELED); return; });
    struct qty before = order->filled;
    book_growth(orders, order, truth);
    bool is_booked = qty_cmp(order->filled, truth->filled_qty) >= 0;
    enum order_state state = state_of(truth->status);
    MUTATE(end_without_its_fills, is_booked = true);
    order->is_ended = state != ORDER_WORKING && !is_booked;
    if (order_is_over(order) || order->is_ended) {
        return; /* an end whose fills are not booked is not an end yet */
    }
    bool is_moved = state != order->state || truth->status != order->status ||
                    before.nanos != order->filled.nanos;
    order->status = truth->status;
    if (truth->status == STATUS_OTHER) {
        log_alert(orders->log, ALERT_PAGE, "unknown_status", truth->status_word);
    }
    if (is_moved) {
        orders_move(orders, order, state);
    }
}

static bool is_end_told(const struct order *order) {
    return order->state == ORDER_FILLED || order->state == ORDER_CANCELED ||
           order->state == ORDER_EXPIRED || order->state == ORDER_REPLACED ||
           (order->state == ORDER_REJECTED && order->status == STATUS_REJECTED);
}

void orders_sweep(struct orders *orders) {
    size_t kept = 0;
    for (size_t i = 0; i < orders->count; i++) {
        if (!order_is_over(&orders->items[i]) || is_behind(&orders->items[i])) {
            if (kept != i) {
                orders->items[kept] = orders->items[i];
            }
            kept++;
        } else if (orders->items[i].given_up_at.ns != 0) {
            orders->lost[orders->lost_count++ % ORDERS_LOST_MAX] = orders->items[i];
        } else if (is_end_told(&orders->items[i])) {
            MUTATE(cancelled_forgotten, if (orders->items[i].state == ORDER_CANCELED) continue);
            memcpy(orders->ended[orders->ended_count++ % ORDERS_ENDED_MAX],
                   orders->items[i].client_id, CLIENT_ID_MAX);
        }
    }
    orders->count = kept;
}

static enum order_purpose purpose_of_word(const char *word) {
    return strcmp(word, "entry") == 0       ? PURPOSE_ENTRY
           : strcmp(word, "scale_out") == 0 ? PURPOSE_SCALE_OUT
           : strcmp(word, "stop") == 0      ? PURPOSE_STOP
                                            : PURPOSE_EXIT;
}

static enum order_state state_of_word(const char *word) {
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        if (strcmp(STATES[i].word, word) == 0) {
            return (enum order_state)i;
        }
    }
    return ORDER_UNKNOWN;
}

static enum order_type type_of_word(const char *word) {
    return strcmp(word, "market") == 0  ? ORDER_MARKET
           : strcmp(word, "limit") == 0 ? ORDER_LIMIT
                                        : ORDER_STOP;
}

/* Of an entry that is worked; no other row says it. */
static void read_attempt(const cJSON *body, struct order *order) {
    int64_t attempt = 0;
    if (json_int(body, "attempt", &attempt, NULL) == ERR_OK && attempt > 0 && attempt < 1000 &&
        json_copy(body, "of", order->of, sizeof order->of, NULL) == ERR_OK) {
        order->attempt = (int)attempt;
    }
}

/* Of an OCO; rows of other orders do not have it. */
static void read_class(const cJSON *body, struct order *order) {
    const char *class = NULL;
    order->is_oco = json_string(body, "class", &class, NULL) == ERR_OK && strcmp(class, "oco") == 0;
    MUTATE(oco_forgotten_at_restart, order->is_oco = false);
    if (order->is_oco) {
        (void)!json_copy(body, "leg", order->leg_id, sizeof order->leg_id, NULL);
    }
}

static enum err_code read_order(const cJSON *body, struct order *order, struct err *err) {
    const char *side = NULL;
    const char *type = NULL;
    const char *tif = NULL;
    const char *purpose = NULL;
    const char *state = NULL;
    int64_t score = 0;
    if (json_copy(body, "symbol", order->symbol, sizeof order->symbol, err) != ERR_OK ||
        json_copy(body, "reason", order->reason, sizeof order->reason, err) != ERR_OK ||
        json_copy(body, "broker_id", order->broker_id, sizeof order->broker_id, err) != ERR_OK ||
        json_copy(body, "replaces", order->replaces, sizeof order->replaces, err) != ERR_OK ||
        json_string(body, "side", &side, err) != ERR_OK ||
        json_string(body, "type", &type, err) != ERR_OK ||
        json_string(body, "tif", &tif, err) != ERR_OK ||
        json_string(body, "purpose", &purpose, err) != ERR_OK ||
        json_string(body, "state", &state, err) != ERR_OK ||
        json_qty(body, "qty", &order->qty, err) != ERR_OK ||
        json_usd(body, "limit", &order->limit_price, err) != ERR_OK ||
        json_usd(body, "stop", &order->stop_price, err) != ERR_OK ||
        json_qty(body, "filled", &order->filled, err) != ERR_OK ||
        json_usd(body, "amount", &order->filled_amount, err) != ERR_OK ||
        json_decimal_either(body, "score", &score, err) != ERR_OK ||
        json_utc(body, "decided_at", &order->decided_at, err) != ERR_OK) {
        return ERR_PARSE;
    }
    order->side = strcmp(side, "buy") == 0 ? SIDE_BUY : SIDE_SELL;
    order->type = type_of_word(type);
    order->tif = strcmp(tif, "gtc") == 0 ? TIF_GTC : TIF_DAY;
    order->purpose = purpose_of_word(purpose);
    order->state = state_of_word(state);
    order->score = (struct ratio){score};
    read_attempt(body, order);
    read_class(body, order);
    order->noted = order->filled;
    order->noted_amount = order->filled_amount;
    return ERR_OK;
}

void orders_skip_number(struct orders *orders, const char *client_id) {
    struct date day = {0};
    int64_t number = 0;
    if (!client_id_parse(client_id, &day, &number)) {
        return;
    }
    if (day.days > orders->numbered_day.days) {
        orders->numbered_day = day;
        orders->highest_number = 0;
    }
    if (day.days == orders->numbered_day.days && number > orders->highest_number) {
        orders->highest_number = number;
    }
}

static enum err_code fold_fill(struct order *order, const cJSON *body, struct err *err) {
    if (json_qty(body, "cum", &order->filled, err) != ERR_OK ||
        json_usd(body, "cum_amount", &order->filled_amount, err) != ERR_OK) {
        return ERR_PARSE;
    }
    order->noted = order->filled;
    order->noted_amount = order->filled_amount;
    return ERR_OK;
}

static enum err_code fold_body(struct orders *orders, const struct journal_row *row,
                               const cJSON *body, struct err *err) {
    struct order *order = orders_find(orders, row->key);
    struct order *lost = orders_find_lost(orders, row->key);
    if (strcmp(row->kind, "fill") == 0) {
        order = order == NULL ? lost : order;
        return order == NULL ? ERR_OK : fold_fill(order, body, err);
    }
    if (lost != NULL) {
        lost->client_id[0] = '\0'; /* it turned up */
    }
    if (order == NULL) {
        orders_sweep(orders);
        if (orders->count == ORDERS_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d live orders", ORDERS_MAX);
        }
        order = &orders->items[orders->count++];
        *order = (struct order){0};
        strncpy(order->client_id, row->key, CLIENT_ID_MAX - 1);
        orders_skip_number(orders, row->key);
        MUTATE(numbers_begin_again, orders->highest_number = 0);
    }
    order->is_journaled = true;
    order->last_byte_at = row->at;
    const struct order before = *order;
    enum err_code code = read_order(body, order, err);
    if (order->state == ORDER_LOST || is_denied(&before, order->state)) {
        order->given_up_at = row->at;
        MUTATE(denied_order_forgotten_at_restart, if (order->state == ORDER_NOT_SENT) order->given_up_at = (struct utc){0});
    } else if (order->state != before.state) {
        order->given_up_at = (struct utc){0};
    }
    return code;
}

void orders_split(struct orders *orders, const char *symbol) {
    MUTATE(stop_of_old_shares_kept, return);
    for (size_t i = 0; i < orders->count; i++) {
        struct order *order = &orders->items[i];
        if (!order_is_over(order) && strcmp(order->symbol, symbol) == 0) {
            order->is_of_old_shares = true;
        }
    }
}

enum err_code orders_fold(struct orders *orders, const struct journal_row *row, struct err *err) {
    orders->folded_to = row->at;
    if (strcmp(row->kind, "split") == 0) {
        orders_split(orders, row->key);
    }
    if (strcmp(row->kind, "intent") != 0 && strcmp(row->kind, "order") != 0 &&
        strcmp(row->kind, "fill") != 0) {
        return ERR_OK;
    }
    cJSON *body = NULL;
    enum err_code code = json_parse(row->body, strlen(row->body), &body, err);
    if (code == ERR_OK) {
        code = fold_body(orders, row, body, err);
        cJSON_Delete(body);
    }
    return code == ERR_OK ? ERR_OK : err_wrap(err, "journal row %lld", (long long)row->seq);
}

bool orders_are_behind(const struct orders *orders) {
    for (size_t i = 0; i < orders->count; i++) {
        if (is_behind(&orders->items[i])) {
            return true;
        }
    }
    return false;
}

void orders_renote(struct orders *orders) {
    for (size_t i = 0; i < orders->count; i++) {
        if (!orders->items[i].is_journaled || is_behind(&orders->items[i])) {
            (void)!note(orders, &orders->items[i], "order", NULL);
        }
    }
}

struct search { /* for an id among the rows */
    const char *client_id;
    bool is_found;
};

static enum err_code match_row(void *context, const struct journal_row *row, struct err *err) {
    (void)err;
    struct search *search = context;
    bool is_order = strcmp(row->kind, "intent") == 0 || strcmp(row->kind, "order") == 0 ||
                    strcmp(row->kind, "fill") == 0;
    search->is_found = search->is_found || (is_order && strcmp(row->key, search->client_id) == 0);
    return ERR_OK;
}

enum err_code orders_journal_knows(struct orders *orders, const char *client_id, bool *out,
                                   struct err *err) {
    struct search search = {.client_id = client_id};
    if (orders->journal == NULL) {
        return err_set(err, ERR_IO, "the journal is not open");
    }
    enum err_code code = journal_read(orders->journal, 0, match_row, &search, err);
    if (code == ERR_OK) {
        *out = search.is_found;
    }
    return code;
}

void orders_fold_end(struct orders *orders) {
    orders_sweep(orders);
    for (size_t i = 0; i < orders->count; i++) {
        if (orders->items[i].state == ORDER_INTENT) {
            MUTATE(intent_forgotten_at_restart, orders_move(orders, &orders->items[i], ORDER_NOT_SENT); continue);
            orders_move(orders, &orders->items[i], ORDER_UNKNOWN);
        }
    }
}

struct qty orders_open_qty(const struct orders *orders, const char *symbol, enum order_side side) {
    struct qty sum = {0};
    for (size_t i = 0; i < orders->count; i++) {
        const struct order *order = &orders->items[i];
        if (order->side == side && strcmp(order->symbol, symbol) == 0) {
            sum = qty_add(sum, order_open_qty(order));
            MUTATE(oco_counted_twice, if (order->is_oco) sum = qty_add(sum, order_open_qty(order)));
        }
    }
    return sum;
}

struct order *orders_live(struct orders *orders, const char *symbol, enum order_purpose purpose) {
    for (size_t i = 0; i < orders->count; i++) {
        struct order *order = &orders->items[i];
        if (order->purpose == purpose && !order_is_over(order) &&
            strcmp(order->symbol, symbol) == 0) {
            return order;
        }
    }
    return NULL;
}

bool orders_have_oco(const struct orders *orders) {
    for (size_t i = 0; i < orders->count; i++) {
        if (orders->items[i].is_oco) {
            return true;
        }
    }
    return false;
}

bool orders_any_live(const struct orders *orders, const char *symbol) {
    for (size_t i = 0; i < orders->count; i++) {
        MUTATE(live_order_not_in_the_way, if (orders->items[i].state == ORDER_WORKING) continue);
        MUTATE(unknown_not_in_the_way, if (orders->items[i].state == ORDER_UNKNOWN) continue);
        if (!order_is_over(&orders->items[i]) && strcmp(orders->items[i].symbol, symbol) == 0) {
            return true;
        }
    }
    return false;
}
