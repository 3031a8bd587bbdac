/* gateway.c - sending, the last look, and settling what is unknown. */
#include "core/orders/gateway.h"

#include "core/base/check.h"
#include "core/base/mutant.h"
#include "core/orders/validation.h"
#include "core/risk/clock_guard.h"

#include <stdio.h>
#include <string.h>

static const struct span LATE_ARRIVAL = {
    INT64_C(30000000000)}; /* a request arrives by then or never */
static const struct span ASKS_APART = {INT64_C(5000000000)};
static const struct span CANCELS_APART = {INT64_C(3000000000)};
static const struct span LAST_LOOK_LASTS = {INT64_C(1000000000)};
enum { NOT_FOUND_ASKS = 3 };
/* A lagging view misses an order for seconds: what is given up was missed for a minute. */
static const struct span LOST_ASKS_APART = {INT64_C(30000000000)};
/* Then asked for every 15 s, all of them in turn, while a day order may still fill. */
static const struct span LOOKS_BACK_APART = {INT64_C(15000000000)};
static const struct span LOOKED_BACK_FOR = {24 * INT64_C(3600000000000)};

const char *refusal_word(enum refusal_code code) {
    static const char *const words[] = {
#define REFUSAL(code, word, mechanism, binds, meaning) [REFUSED_##code] = word,
#include "core/orders/refusal.def"
#undef REFUSAL
    };
    return words[code];
}

static enum err_code tell_refusal(struct gateway *gateway, const struct order *intent,
                                  const struct refusal *refusal, struct err *err) {
    gateway->refused++;
    const char *word = refusal_word(refusal->code);
    struct text body = {.limit = 1024};
    text_member_string(&body, "symbol", intent->symbol);
    text_member_string(&body, "purpose", order_purpose_word(intent->purpose));
    text_member_string(&body, "refused", word);
    text_member_string(&body, "numbers", refusal->numbers);
    log_line(gateway->log, "refusal", text_get(&body));
    text_release(&body);
    observe(gateway->world->observer, &(struct event){.kind = EVENT_REFUSAL,
                                                      .at = clock_utc(gateway->world->clock),
                                                      .subject = word,
                                                      .what = order_purpose_word(intent->purpose),
                                                      .symbol = intent->symbol,
                                                      .body = refusal->numbers,
                                                      .body_len = strlen(refusal->numbers)});
    return err_set(err, ERR_REFUSED, "%s: %s", word, refusal->numbers);
}

static void second_writer(struct gateway *gateway, const char *client_id) {
    MUTATE(second_writer_ignored, return);
    char why[160];
    snprintf(why, sizeof why, "order %s at the broker is not the one our journal knows", client_id);
    causes_latch(gateway->causes, "second_writer", MODE_HALT, "core", why);
}

/* A group of ours: its limit says which it is, and its stop where that is told. */
static bool is_equal_oco(const struct order *order, const struct broker_order *truth) {
    bool is_stop = !truth->has_legs || order->replaces[0] != '\0' ||
                   order->stop_price.nanos == truth->stop_price.nanos;
    return strcmp(order->symbol, truth->symbol) == 0 && order->side == truth->side &&
           truth->is_oco && truth->type == ORDER_LIMIT && is_stop &&
           (order->qty.nanos == truth->qty.nanos || order->replaces[0] != '\0') &&
           order->limit_price.nanos == truth->limit_price.nanos;
}

/* An id is only ours if what stands behind it is what we meant. */
static bool is_equal(const struct order *order, const struct broker_order *truth) {
    if (order->is_oco) {
        return is_equal_oco(order, truth);
    }
    bool is_type = truth->type == order->type ||
                   (order->type == ORDER_STOP && truth->type == ORDER_STOP_LIMIT);
    return strcmp(order->symbol, truth->symbol) == 0 && order->side == truth->side && is_type &&
           (order->qty.nanos == truth->qty.nanos || order->replaces[0] != '\0') &&
           (order->type != ORDER_LIMIT || order->limit_price.nanos == truth->limit_price.nanos) &&
           (order->type != ORDER_STOP || order->stop_price.nanos == truth->stop_price.nanos);
}

/* An id of the emergency rule is the same for two lives without a journal, its price is not: what the
 * broker has under it is then the order. */
static bool is_of_an_earlier_life(const struct order *order, const struct broker_order *truth) {
    return client_id_is_emergency(order->client_id) && strcmp(order->symbol, truth->symbol) == 0 &&
           order->side == truth->side && truth->type != ORDER_MARKET;
}

static void become(struct order *order, const struct broker_order *truth) {
    bool is_limit =
        truth->type == ORDER_LIMIT && (!truth->is_oco || order->purpose != PURPOSE_STOP);
    order->is_oco = truth->is_oco;
    order->type = is_limit ? ORDER_LIMIT : ORDER_STOP;
    order->purpose = !is_limit                        ? PURPOSE_STOP
                     : order->purpose == PURPOSE_STOP ? PURPOSE_EXIT
                                                      : order->purpose;
    order->tif = truth->tif;
    order->qty = truth->qty;
    order->limit_price = truth->limit_price;
    order->stop_price = truth->stop_price;
}

static bool is_it(const struct order *order, const struct broker_order *truth) {
    return is_equal(order, truth) || is_of_an_earlier_life(order, truth);
}

/* Takes the broker's word; where it ends a group and is silent of its stop, with that of the stop. */
static void take(struct gateway *gateway, struct order *order, const struct broker_order *truth) {
    struct broker_order both = *truth;
    struct broker_order leg = {0};
    if (!order_is_over(order) && orders_wait_for_leg(order, truth)) {
        enum err_code code = alpaca_get_order(gateway->alpaca, order->leg_id, &leg, NULL);
        if (code == ERR_OK && (leg.status != STATUS_REPLACED || leg.replaced_by[0] != '\0')) {
            broker_order_take_leg(&both, &leg);
        } else if (code == ERR_NOT_FOUND && alpaca_reply(gateway->alpaca)->code / 100000 == 404) {
            both.has_legs = true; /* the broker knows no such stop */
        }
    }
    orders_take(gateway->orders, order, &both);
}

/* False if what the broker shows under the id is not the order: then it is a second writer's. */
static bool take_if_equal(struct gateway *gateway, struct order *order,
                          const struct broker_order *truth) {
    if (!is_it(order, truth)) {
        second_writer(gateway, order->client_id);
        order->is_excused = true; /* the broker said nothing against it */
        orders_move(gateway->orders, order, ORDER_REJECTED);
        return false;
    }
    if (!is_equal(order, truth)) {
        become(order, truth);
    }
    take(gateway, order, truth);
    return true;
}

/* An order whose fate was not known is known: found by its id, or certain never to have arrived. */
static void tell_settled(struct gateway *gateway, const struct order *order, const char *how) {
    struct text members = {.limit = 512};
    text_member_string(&members, "settled", how);
    text_member_string(&members, "state", order_state_word(order->state));
    log_mechanism(gateway->log, "order_idempotency", "acted", order->symbol, order->client_id,
                  text_get(&members));
    text_release(&members);
}

static enum err_code exchange(struct gateway *gateway, const struct order *order,
                              struct broker_order *truth, struct err *err) {
    struct mono expires = mono_add(clock_mono(gateway->world->clock), LAST_LOOK_LASTS);
    alpaca_set_lane(gateway->alpaca,
                    order->purpose == PURPOSE_ENTRY ? ALPACA_LANE_CORE : ALPACA_LANE_EXIT);
    MUTATE(exit_bound_by_rate_budget, alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE));
    if (order->replaces[0] != '\0') {
        const struct order *old = orders_find(gateway->orders, order->replaces);
        if (old == NULL || old->broker_id[0] == '\0') {
            return err_set(err, ERR_NOT_SENT, "%s is not at the broker", order->replaces);
        }
        struct order_change change = {.limit_price = order->limit_price,
                                      .stop_price = order->stop_price};
        strcpy(change.client_id, order->client_id);
        if (order->is_oco) {
            change.stop_price = (struct usd){0}; /* its stop is another order, and stays */
        } else if (order->purpose == PURPOSE_STOP) {
            change.qty = order->qty;
        }
        return alpaca_replace(gateway->alpaca, old->broker_id, &change, expires, truth, err);
    }
    struct order_request request = {.side = order->side,
                                    .type = order->is_oco ? ORDER_LIMIT : order->type,
                                    .tif = order->tif,
                                    .qty = order->qty,
                                    .limit_price = order->limit_price,
                                    .stop_price = order->stop_price,
                                    .is_oco = order->is_oco,
                                    .is_closing = order->purpose != PURPOSE_ENTRY};
    strcpy(request.client_id, order->client_id);
    strcpy(request.symbol, order->symbol);
    return alpaca_submit(gateway->alpaca, &request, expires, truth, err);
}

static void settle_refused(struct gateway *gateway, struct order *order) {
    const struct alpaca_reply *reply = alpaca_reply(gateway->alpaca);
    int index = universe_find(gateway->config, order->symbol);
    if (!reply->is_duplicate_id) {
        if (order->purpose == PURPOSE_ENTRY && reply->status == 422 && index >= 0) {
            universe_guard_doubt(&gateway->universe, (size_t)index);
        }
        order->is_excused = reply->is_wash || reply->status == 401 || reply->status == 429 ||
                            order->replaces[0] != '\0' || reply->is_by_user;
        orders_move(gateway->orders, order, ORDER_REJECTED);
        return;
    }
    struct broker_order truth = {0};
    if (alpaca_get_order_by_client_id(gateway->alpaca, order->client_id, &truth, NULL) == ERR_OK) {
        MUTATE(duplicate_believed, orders_take(gateway->orders, order, &truth); return);
        if (take_if_equal(gateway, order, &truth)) {
            tell_settled(gateway, order, "a duplicate id, compared");
        }
    } else {
        orders_move(gateway->orders, order, ORDER_UNKNOWN);
    }
}

/* Its symbol was traded: a cooldown begins. */
static void touch(struct gateway *gateway, const struct order *order, struct utc at) {
    int index = universe_find(gateway->config, order->symbol);
    if (index >= 0 && order->purpose != PURPOSE_STOP) {
        const char *by = order->of[0] != '\0' ? order->of : order->client_id;
        gateway->touched[index] = at;
        gateway->is_touch_doubted[index] = gateway->is_clock_doubted;
        memcpy(gateway->touched_by[index], by, CLIENT_ID_MAX);
    }
}

/* What began to leave then counts unless not a byte of it left. */
static void count_message(struct gateway *gateway, struct mono began, enum err_code code) {
    if (code != ERR_NOT_SENT) {
        message_throttle_take(&gateway->messages, began);
    }
}

static void log_refused(struct gateway *gateway, const struct order *order,
                        const struct alpaca_reply *reply) {
    struct text members = {.limit = 2048};
    text_member_string(&members, "symbol", order->symbol);
    text_member_string(&members, "id", order->client_id);
    text_member_int(&members, "status", reply->status);
    text_member_string(&members, "message", reply->message);
    log_line(gateway->log, "broker_refused", text_get(&members));
    text_release(&members);
}

/* Sends the bytes of a durable intent and files what is known afterwards. */
static enum err_code send_bytes(struct gateway *gateway, struct order *order, struct err *err) {
    struct broker_order truth = {0};
    struct mono began = clock_mono(gateway->world->clock);
    gateway->sent++;
    touch(gateway, order,
          clock_utc(gateway->world->clock)); /* an exit may leave long after it was decided */
    enum err_code code = exchange(gateway, order, &truth, err);
    count_message(gateway, began, code);
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE);
    order->last_byte_at = clock_utc(gateway->world->clock);
    order->sent_at = clock_mono(gateway->world->clock);
    order->ask_at = order->last_byte_at;
    order->asks = 0;
    if (code == ERR_OK) {
        (void)take_if_equal(gateway, order, &truth);
    } else if (code == ERR_NOT_SENT) {
        orders_move(gateway->orders, order,
                    order->state == ORDER_INTENT ? ORDER_NOT_SENT : ORDER_UNKNOWN);
    } else if (code == ERR_REFUSED || code == ERR_NOT_FOUND) {
        settle_refused(gateway, order);
        const struct alpaca_reply *reply = alpaca_reply(gateway->alpaca);
        err_set(err, ERR_REFUSED, "the broker refused %s: %d %s", order->client_id, reply->status,
                reply->message);
        log_refused(gateway, order, reply);
    } else {
        MUTATE(unknown_is_failed, orders_move(gateway->orders, order, ORDER_REJECTED); return code);
        MUTATE(new_id_on_retry, strcat(order->client_id, "r"); code = exchange(gateway, order, &truth, err));
        orders_move(gateway->orders, order, ORDER_UNKNOWN);
    }
    return code;
}

/* The lease at the last look: ERR_LOCKED if another process has it. */
static enum err_code look_at_lease(struct gateway *gateway) {
    struct err err = {0};
    if (gateway->lease == NULL) {
        return ERR_OK;
    }
    enum err_code code = lease_renew(gateway->lease, &err);
    code = code == ERR_LOCKED ? code : lease_check(gateway->lease, &err);
    if (code == ERR_LOCKED) {
        causes_latch(gateway->causes, "lease_lost", MODE_HALT, "core", err.text);
    }
    return code;
}

static bool decline(struct refusal *refusal, const char *why) {
    (void)snprintf(refusal->numbers, sizeof refusal->numbers, "%.159s", why);
    return false;
}

static bool decline_after(struct refusal *refusal, const char *what, struct span age) {
    (void)snprintf(refusal->numbers, sizeof refusal->numbers, "%s %lld s ago", what,
                   (long long)(age.ns / NANOS));
    return false;
}

static bool decline_mode(const struct gateway *gateway, struct refusal *refusal) {
    (void)snprintf(refusal->numbers, sizeof refusal->numbers, "mode %s",
                   mode_word(causes_mode(gateway->causes)));
    return false;
}

/* The last look at an entry: what may have changed since it was decided. */
static bool entry_may_go(struct gateway *gateway, const struct order *order,
                         struct refusal *refusal) {
    bool has_stop = false;
    struct utc now = clock_utc(gateway->world->clock);
    struct span age = utc_sub(now, order->decided_at);
    bool is_late = age.ns > SPAN_S(30).ns;
    bool is_over = utc_sub(gateway->truth->session.close, now).ns <= 0;
    MUTATE(close_off_by_one, is_over &= utc_sub(gateway->truth->session.close, now).ns < 0);
    MUTATE(decided_off_by_one, is_late |= age.ns == SPAN_S(30).ns);
    if (inbox_has_stop(gateway->world, &has_stop, NULL) != ERR_OK) {
        return decline(refusal, "the inbox cannot be read");
    }
    if (has_stop) {
        MUTATE(stop_in_the_inbox_ignored, if (causes_mode(gateway->causes) < MODE_REDUCE_ONLY && !is_late && !is_over && entry_quote_is_fresh(gateway, order->symbol, now)) return true);
        return decline(refusal, "a stop lies in the inbox");
    }
    if (causes_mode(gateway->causes) >= MODE_REDUCE_ONLY) {
        MUTATE(mode_not_looked_at_again, if (!is_late && !is_over && entry_quote_is_fresh(gateway, order->symbol, now)) return true);
        return decline_mode(gateway, refusal);
    }
    if (is_late) {
        return decline_after(refusal, "decided", age);
    }
    if (is_over) {
        return decline(refusal, "the session is over");
    }
    /* the commit may have taken seconds, and several orders share one look at the market */
    if (!entry_quote_is_fresh(gateway, order->symbol, now)) {
        int index = universe_find(gateway->config, order->symbol);
        struct utc at = index < 0 ? now : gateway->truth->quotes[index].at;
        return decline_after(refusal, "quoted", utc_sub(now, at));
    }
    return true;
}

/* After the intent is durable, before its first byte. Exits answer to HALT and the lease alone: one that
 * merely could not be renewed in time fences entries. Whoever takes over a lease that old lists our orders
 * first, the id refuses a double, and an exit that the broker cannot cover is refused. */
static bool last_look(struct gateway *gateway, const struct order *order, bool is_exit,
                      struct refusal *refusal) {
    MUTATE(last_look_removed, return true);
    causes_verify(gateway->causes);
    enum err_code lease = look_at_lease(gateway);
    if (lease == ERR_LOCKED) {
        return decline(refusal, "the lease is lost");
    }
    if (causes_mode(gateway->causes) == MODE_HALT) {
        return decline_mode(gateway, refusal);
    }
    MUTATE(freeze_read_at_start_only, return is_exit || causes_mode(gateway->causes) < MODE_REDUCE_ONLY);
    MUTATE(exit_bound_by_last_look, is_exit = false);
    if (is_exit) {
        return true;
    }
    return lease == ERR_OK ? entry_may_go(gateway, order, refusal)
                           : decline(refusal, "the lease could not be renewed");
}

struct id_count { /* ids that begin with a prefix */
    char prefix[CLIENT_ID_MAX];
    int highest;
};

static void count_id(void *context, const struct broker_order *order) {
    struct id_count *count = context;
    count->highest = client_id_higher(count->highest, order->client_id, count->prefix);
}

/* The emergency rule: the journal is down and an exit must leave. The id counts at the broker, so
 * that a restart without memory computes the same one and the id refuses a double; and behind what this
 * life gave, which its broker may deny. */
static enum err_code send_emergency(struct gateway *gateway, const struct order *intent,
                                    struct order **out, struct err *err) {
    struct order order = *intent;
    char day[DATE_TEXT_MAX];
    struct id_count ids = {0};
    date_print(gateway->truth->day, day);
    snprintf(ids.prefix, sizeof ids.prefix, "st-%s-x-%s-", day, intent->symbol);
    struct utc since = ny_to_utc(gateway->truth->day, 0, 0);
    enum err_code code = alpaca_get_orders_since(gateway->alpaca, since, count_id, &ids, err);
    if (code != ERR_OK) {
        return code;
    }
    int known = orders_number_behind(gateway->orders, ids.prefix);
    MUTATE(emergency_id_by_the_listing, known = 0);
    snprintf(order.client_id, sizeof order.client_id, "%.36s%d", ids.prefix,
             (known > ids.highest ? known : ids.highest) + 1);
    order.cancel_at = (struct utc){0};
    struct order *tracked = orders_add_emergency(gateway->orders, &order);
    CHECK(tracked != NULL); /* orders_add() found room */
    if (out != NULL) {
        *out = tracked;
    }
    return send_bytes(gateway, tracked, err);
}

static void remember_entry(struct gateway *gateway, const struct order *order, bool is_exit) {
    bool is_counted = entry_goes_on(gateway, order); /* once, however often it is re-priced */
    MUTATE(maker_counted_by_its_label, is_counted = order->of[0] != '\0');
    touch(gateway, order, order->decided_at);
    if (!is_exit && !is_counted) {
        gateway->recent_entries[gateway->recent_next++ % RECENT_ENTRIES_MAX] = order->decided_at;
    }
}

void gateway_count(struct gateway *gateway, const struct journal_row *row) {
    repeat_throttle_take(&gateway->repeats, gateway->config, row);
    daily_volume_take(&gateway->volume, gateway->config, row);
    performance_breaker_take(&gateway->performance, row);
    displaced_take(&gateway->displaced, gateway->config, row);
    maker_plans_take(&gateway->maker, gateway->config, row);
    capital_ramp_take(&gateway->ramp, row);
}

void gateway_latch_due(struct gateway *gateway) {
    repeat_throttle_step(&gateway->repeats, gateway->causes);
    daily_volume_step(&gateway->volume, gateway->causes);
    performance_breaker_step(&gateway->performance, gateway->causes, gateway->config,
                             gateway->guards->baseline, truth_broker_time(gateway->truth));
    kill_rejects_step(&gateway->orders->rejects, gateway->causes, gateway->config);
}

void gateway_doubt_clock(struct gateway *gateway) {
    gateway->is_clock_doubted = true;
}

void gateway_trust_clock(struct gateway *gateway, struct utc at) {
    gateway->is_clock_doubted = false;
    for (size_t i = 0; i < CONFIG_SYMBOLS_MAX; i++) {
        MUTATE(doubted_cooldown_believed, break);
        if (gateway->is_touch_doubted[i]) {
            gateway->touched[i] = at;
            gateway->is_touch_doubted[i] = false;
            gateway->touched_by[i][0] = '\0';
        }
    }
}

void gateway_fold(struct gateway *gateway, const struct journal_row *row) {
    const struct order *order = orders_find(gateway->orders, row->key);
    if (strcmp(row->kind, CLOCK_ROW) == 0 && strcmp(row->key, CLOCK_DOUBTED) == 0) {
        gateway_doubt_clock(gateway);
    } else if (strcmp(row->kind, CLOCK_ROW) == 0) {
        gateway_trust_clock(gateway, row->at);
    }
    if (strcmp(row->kind, "intent") == 0 && order != NULL) {
        remember_entry(gateway, order, order->purpose != PURPOSE_ENTRY);
    }
    message_throttle_fold(&gateway->messages, row, clock_utc(gateway->world->clock),
                          clock_mono(gateway->world->clock));
    MUTATE(repeats_lost_at_restart, return);
    gateway_count(gateway, row);
}

void gateway_lose_journal(struct gateway *gateway, const char *why) {
    gateway->is_journal_down = true;
    causes_latch(gateway->causes, "journal_down", MODE_REDUCE_ONLY, "core", why);
}

/* Once when entries begin to wait for the messages before them, once when one may go again. */
static void tell_messages(struct gateway *gateway, const struct order *intent,
                          const struct refusal *refusal) {
    bool is_held = refusal->code == REFUSED_MESSAGES;
    bool is_asked = is_held || refusal->code == REFUSED_NONE;
    if (intent->purpose != PURPOSE_ENTRY || !is_asked || is_held == gateway->messages.is_holding) {
        return;
    }
    struct text members = {.limit = 256};
    text_member_string(&members, "messages", refusal->numbers);
    log_mechanism(gateway->log, "message_throttle", is_held ? "acted" : "released", intent->symbol,
                  "", text_get(&members));
    text_release(&members);
    gateway->messages.is_holding = is_held;
}

enum err_code gateway_send(struct gateway *gateway, const struct order *intent, struct order **out,
                           struct refusal *refusal, struct err *err) {
    bool is_exit = intent_is_exit(gateway, intent);
    enum refusal_code refused = check_intent(gateway, intent, is_exit, refusal);
    tell_messages(gateway, intent, refusal);
    if (refused != REFUSED_NONE) {
        return tell_refusal(gateway, intent, refusal, err);
    }
    struct order *order = NULL;
    enum err_code code = orders_add(gateway->orders, gateway->truth->day, intent, &order, err);
    if (code == ERR_LIMIT) {
        return code;
    }
    if (code != ERR_OK) {
        gateway_lose_journal(gateway, err == NULL ? "the journal cannot be written" : err->text);
        MUTATE(emergency_exit_kept_back, is_exit = false);
        if (is_exit) {
            return send_emergency(gateway, intent, out, err);
        }
        refusal->code = REFUSED_JOURNAL;
        (void)decline(refusal, err == NULL ? "the journal is down" : err->text);
        return tell_refusal(gateway, intent, refusal, err);
    }
    if (out != NULL) {
        *out = order;
    }
    if (!last_look(gateway, order, is_exit, refusal)) {
        orders_move(gateway->orders, order, ORDER_NOT_SENT);
        refusal->code = REFUSED_LAST_LOOK;
        return tell_refusal(gateway, intent, refusal, err);
    }
    remember_entry(gateway, order, is_exit);
    code = send_bytes(gateway, order, err);
    gateway_latch_due(gateway);
    return code;
}

enum listing_says { LISTING_FAILED, LISTING_HAS, LISTING_LACKS };

struct order_search { /* for an order among the listed */
    const char *client_id;
    struct broker_order truth;
    bool is_found;
};

static void match_order(void *context, const struct broker_order *order) {
    struct order_search *search = context;
    if (!search->is_found && strcmp(order->client_id, search->client_id) == 0) {
        search->truth = *order;
        search->is_found = true;
    }
}

/* The second way to ask: the listing of orders since the decision. */
static enum listing_says search_listing(struct gateway *gateway, const struct order *order,
                                        struct broker_order *truth) {
    struct order_search search = {.client_id = order->client_id};
    struct utc since = utc_add(order->decided_at, SPAN_HOURS(-1));
    enum err_code code =
        alpaca_get_orders_since(gateway->alpaca, since, match_order, &search, NULL);
    if (!search.is_found) {
        return code == ERR_OK ? LISTING_LACKS : LISTING_FAILED;
    }
    *truth = search.truth;
    return LISTING_HAS;
}

/* Takes the order if it is there. */
static enum listing_says find_in_listing(struct gateway *gateway, struct order *order) {
    struct broker_order truth = {0};
    enum listing_says says = search_listing(gateway, order, &truth);
    if (says == LISTING_HAS && take_if_equal(gateway, order, &truth)) {
        tell_settled(gateway, order, "found in the listing");
    }
    return says;
}

/* Not there three times after the bound, nor in the listing: it never arrived. A wished exit or stop
 * goes again under the same id; an entry is over. */
static void settle_absent(struct gateway *gateway, struct order *order) {
    if (find_in_listing(gateway, order) != LISTING_LACKS) {
        return;
    }
    tell_settled(gateway, order, "it never arrived");
    bool is_wished = order->purpose != PURPOSE_ENTRY && order->replaces[0] == '\0' &&
                     last_look(gateway, order, true, &(struct refusal){0});
    if (is_wished) {
        MUTATE(resent_at_another_price, order->limit_price.nanos -= price_tick(order->limit_price).nanos);
        (void)!send_bytes(gateway, order, NULL);
    } else {
        orders_move(gateway->orders, order, ORDER_NOT_SENT);
    }
}

/* A wall that was set forward makes no request older: within a life the monotonic clock says how old it
 * is. */
static struct span since_sent(const struct gateway *gateway, struct order *order) {
    struct utc now = clock_utc(gateway->world->clock);
    struct span by_wall = utc_elapsed(&order->last_byte_at, now);
    MUTATE(unknown_ages_by_the_wall, return by_wall);
    return order->sent_at.ns == 0 ? by_wall
                                  : mono_sub(clock_mono(gateway->world->clock), order->sent_at);
}

static void settle_one(struct gateway *gateway, struct order *order) {
    struct utc now = clock_utc(gateway->world->clock);
    struct broker_order truth = {0};
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_EXIT);
    enum err_code code =
        alpaca_get_order_by_client_id(gateway->alpaca, order->client_id, &truth, NULL);
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE);
    order->ask_at = utc_add(now, ASKS_APART);
    MUTATE(not_found_believed, if (code == ERR_NOT_FOUND) { settle_absent(gateway, order); return; });
    if (code == ERR_OK) {
        if (take_if_equal(gateway, order, &truth)) {
            tell_settled(gateway, order, "found by its id");
        }
    } else if (code != ERR_NOT_FOUND) {
        if (++order->failed_asks >= NOT_FOUND_ASKS) {
            (void)find_in_listing(gateway, order); /* this way to ask is broken: try the other */
        }
    } else if (since_sent(gateway, order).ns >= LATE_ARRIVAL.ns &&
               ++order->asks >= NOT_FOUND_ASKS) {
        settle_absent(gateway, order);
    }
}

void gateway_settle(struct gateway *gateway) {
    MUTATE(unknown_never_asked, return);
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *order = &gateway->orders->items[i];
        struct utc now = clock_utc(gateway->world->clock);
        bool is_due = utc_has_come(order->ask_at, ASKS_APART, now);
        MUTATE(asked_again_late, is_due = order->ask_at.ns + SPAN_MIN(5).ns <= now.ns);
        if (order->state == ORDER_UNKNOWN && is_due) {
            settle_one(gateway, order);
        } else if (order->state == ORDER_WORKING && order->is_leg_due) {
            gateway_ask(gateway, order);
        }
    }
}

/* Neither id nor listing has it: what it filled is for reconciliation to find, whose difference it
 * explains no longer. */
static void give_up(struct gateway *gateway, struct order *order) {
    struct broker_order truth = {0};
    enum err_code code =
        alpaca_get_order_by_client_id(gateway->alpaca, order->client_id, &truth, NULL);
    enum listing_says says = code == ERR_OK          ? LISTING_HAS
                             : code != ERR_NOT_FOUND ? LISTING_FAILED
                                                     : search_listing(gateway, order, &truth);
    if (says == LISTING_HAS) {
        orders_take(gateway->orders, order, &truth);
    } else if (says == LISTING_LACKS) {
        orders_move(gateway->orders, order, ORDER_LOST);
        tell_settled(gateway, order, "given up: its broker no longer knows it");
        log_alert(gateway->log, ALERT_PAGE, "order_lost", order->client_id);
    }
}

/* A proxy's page under 404 is no word of the broker's, whose codes begin with their status. */
static void note_not_found(struct gateway *gateway, struct order *order) {
    struct mono now = clock_mono(gateway->world->clock);
    bool is_told = alpaca_reply(gateway->alpaca)->code / 100000 == 404;
    bool is_counted =
        order->lost_asks == 0 || mono_sub(now, order->lost_ask_at).ns >= LOST_ASKS_APART.ns;
    MUTATE(lost_order_at_once, order->lost_asks = NOT_FOUND_ASKS; is_counted = true);
    MUTATE(lost_order_works_for_ever, is_counted = false);
    if (order->state != ORDER_WORKING || !is_told || !is_counted) {
        return;
    }
    order->lost_ask_at = now;
    if (++order->lost_asks >= NOT_FOUND_ASKS) {
        give_up(gateway, order);
    }
}

void gateway_ask(struct gateway *gateway, struct order *order) {
    struct broker_order truth = {0};
    if (order->broker_id[0] == '\0' || order_is_over(order)) {
        return;
    }
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_EXIT);
    enum err_code code = alpaca_get_order(gateway->alpaca, order->broker_id, &truth, NULL);
    if (code == ERR_OK) {
        take(gateway, order, &truth);
    } else if (code == ERR_NOT_FOUND) {
        note_not_found(gateway, order);
    }
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE);
}

/* Of those given up, the next one that is young enough, or NULL. */
static struct order *next_lost(struct gateway *gateway, struct utc now) {
    for (size_t i = 0; i < ORDERS_LOST_MAX; i++) {
        struct order *order = &gateway->orders->lost[gateway->lost_next++ % ORDERS_LOST_MAX];
        if (order->client_id[0] != '\0' &&
            utc_elapsed(&order->given_up_at, now).ns < LOOKED_BACK_FOR.ns) {
            return order;
        }
    }
    return NULL;
}

void gateway_look_back(struct gateway *gateway) {
    struct mono now = clock_mono(gateway->world->clock);
    if (mono_sub(now, gateway->looked_back_at).ns < LOOKS_BACK_APART.ns) {
        return;
    }
    struct order *lost = next_lost(gateway, clock_utc(gateway->world->clock));
    if (lost == NULL) {
        return;
    }
    struct broker_order truth = {0};
    gateway->looked_back_at = now;
    if (alpaca_get_order_by_client_id(gateway->alpaca, lost->client_id, &truth, NULL) == ERR_OK) {
        gateway_meet(gateway, &truth);
    }
}

void gateway_cancel(struct gateway *gateway, struct order *order) {
    struct utc now = clock_utc(gateway->world->clock);
    if (order_is_over(order) || order->broker_id[0] == '\0' ||
        !utc_has_come(order->cancel_ask_at, CANCELS_APART, now)) {
        return;
    }
    if (look_at_lease(gateway) == ERR_LOCKED) {
        return;
    }
    if (order->cancel_at.ns == 0) {
        order->cancel_at = now;
    }
    order->cancel_ask_at = utc_add(now, CANCELS_APART);
    if (order->is_ended) { /* nothing is left to cancel, its fills are left to book */
        gateway_ask(gateway, order);
        return;
    }
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_EXIT);
    MUTATE(cancel_bound_by_messages, struct message_window w = message_throttle_look(&gateway->messages, gateway->config, clock_mono(gateway->world->clock)); if (message_window_is_full(&w)) return);
    struct mono began = clock_mono(gateway->world->clock);
    const char *id = order->is_leg_alone ? order->leg_id : order->broker_id; /* either ends both */
    enum err_code code = alpaca_cancel(gateway->alpaca, id, NULL);
    if (code != ERR_NOT_SENT && !order->has_cancel_left) {
        order->has_cancel_left = true;
        order->cancel_left_at = clock_mono(gateway->world->clock);
    }
    MUTATE(message_cancels_uncounted, began.ns -= SPAN_MIN(1).ns);
    count_message(gateway, began, code);
    if (code == ERR_REFUSED) {
        gateway_ask(gateway, order); /* already over: with or without a fill */
    }
    MUTATE(cancel_not_waited_for, if (order->purpose == PURPOSE_ENTRY && !order_is_over(order)) orders_move(gateway->orders, order, ORDER_CANCELED));
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE);
}

bool gateway_is_cover(const struct gateway *gateway, const struct order *order) {
    const struct holding *holding = book_find(gateway->book, order->symbol);
    MUTATE(cover_cancelled_as_an_entry, return false);
    MUTATE(cover_outlives_its_short, return order->side == SIDE_BUY && order->purpose == PURPOSE_EXIT);
    return order->side == SIDE_BUY && order->purpose == PURPOSE_EXIT && holding != NULL &&
           qty_cmp(orders_open_qty(gateway->orders, order->symbol, SIDE_BUY),
                   holding_short(holding)) <= 0;
}

bool gateway_cancel_entries(struct gateway *gateway) {
    bool is_clear = true;
    MUTATE(entries_survive_the_mode, return true);
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *order = &gateway->orders->items[i];
        MUTATE(stop_cancelled_by_kill, gateway_cancel(gateway, order));
        if (order->side != SIDE_BUY || order_is_over(order) || gateway_is_cover(gateway, order)) {
            continue;
        }
        is_clear = false;
        gateway_cancel(gateway, order);
        if (order->cancel_at.ns != 0) {
            gateway_ask(gateway, order);
        }
    }
    return is_clear;
}

static bool was_issued(const struct orders *orders, const char *client_id) {
    struct date day = {0};
    int64_t number = 0;
    if (!client_id_parse(client_id, &day, &number)) {
        return true; /* an emergency id is issued by counting, not by the journal */
    }
    return day.days < orders->numbered_day.days ||
           (day.days == orders->numbered_day.days && number <= orders->highest_number);
}

/* A number of today is taken, whoever took it; one of a day to come is not ours to count from. */
static void take_number(struct gateway *gateway, const char *client_id) {
    struct date day = {0};
    int64_t number = 0;
    if (client_id_parse(client_id, &day, &number) && day.days <= gateway->truth->day.days) {
        orders_skip_number(gateway->orders, client_id);
    }
}

/* An order of the emergency rule that ended before any life could journal it: its fills are taken over.
 * It cannot be booked twice. A fill is booked only by a commit that holds, or follows, a row with the
 * order's id (note_fill() in orders.c): in this life the order is in the table until that commit, and in a
 * later one the journal knows the id, so that it is never taken over again, and the fold knows the
 * quantity booked, so that only growth is. False if the journal could not be asked. */
static bool take_over_ended(struct gateway *gateway, const struct broker_order *truth) {
    if (!client_id_is_emergency(truth->client_id) || truth->filled_qty.nanos == 0) {
        return true;
    }
    bool is_known = false;
    if (orders_journal_knows(gateway->orders, truth->client_id, &is_known, NULL) != ERR_OK) {
        return false;
    }
    if (!is_known) {
        orders_adopt(gateway->orders, truth);
        log_mechanism(gateway->log, "order_idempotency", "acted", truth->symbol, truth->client_id,
                      "\"settled\":\"ended while the journal was down\"");
    }
    return true;
}

void gateway_meet(struct gateway *gateway, const struct broker_order *truth) {
    if (!client_id_is_ours(truth->client_id)) {
        if (gateway->foreign_told.days != gateway->truth->day.days) {
            gateway->foreign_told = gateway->truth->day;
            log_alert(gateway->log, ALERT_WARN, "foreign_order", truth->client_id);
        }
        return;
    }
    MUTATE(amnesia_ignored, return);
    bool is_counted = gateway->has_looked && !client_id_is_emergency(truth->client_id);
    if (gateway->orders->numbered_day.days == 0 && !is_counted) {
        causes_latch(gateway->causes, "amnesia", MODE_REDUCE_ONLY, "core",
                     "the broker shows orders of ours, this state directory knows none");
    } else if (!was_issued(gateway->orders, truth->client_id)) {
        second_writer(gateway, truth->client_id);
        take_number(gateway, truth->client_id);
    }
    struct order *lost = orders_find_lost(gateway->orders, truth->client_id);
    bool is_anothers = lost != NULL && !is_it(lost, truth);
    MUTATE(lost_id_believed, is_anothers = false);
    if (is_anothers) { /* told once, and never looked for again */
        struct order *order = orders_bring_back(gateway->orders, lost);
        if (order != NULL) {
            (void)take_if_equal(gateway, order, truth);
        }
        return;
    }
    if (lost != NULL && lost->state == ORDER_LOST) {
        log_alert(gateway->log, ALERT_PAGE, "lost_order_is_back", truth->client_id);
    } else if (lost != NULL) {
        tell_settled(gateway, lost, "it arrived after all");
    }
    if (lost != NULL || !broker_status_is_terminal(truth->status)) {
        orders_adopt(gateway->orders, truth);
    }
}

/* The day's orders, and those sent since the last row of the journal: what an earlier life did while it
 * could not write, be it on the evening before. Not more than a long weekend back. */
static struct utc listed_since(const struct gateway *gateway) {
    struct utc midnight = ny_to_utc(gateway->truth->day, 0, 0);
    struct utc silent = utc_add(gateway->orders->folded_to, SPAN_MIN(-5));
    struct utc earliest = utc_add(midnight, SPAN_HOURS(-96));
    if (gateway->orders->folded_to.ns == 0 || silent.ns > midnight.ns) {
        return midnight;
    }
    return silent.ns > earliest.ns ? silent : earliest;
}

struct meeting { /* with the day's orders */
    struct gateway *gateway;
    bool knows_none;  /* amnesia: this state directory never issued an id */
    bool is_complete; /* all that nobody here knew of could be journaled */
    char highest[CLIENT_ID_MAX];
};

static bool is_number_higher(const char *client_id, const char *highest) {
    struct date day = {0};
    struct date highest_day = {0};
    int64_t number = 0;
    int64_t highest_number = 0;
    (void)client_id_parse(highest, &highest_day, &highest_number);
    return client_id_parse(client_id, &day, &number) &&
           (day.days > highest_day.days ||
            (day.days == highest_day.days && number > highest_number));
}

static void meet_listed(void *context, const struct broker_order *truth) {
    struct meeting *meeting = context;
    struct gateway *gateway = meeting->gateway;
    if (orders_find(gateway->orders, truth->client_id) == NULL) {
        gateway_meet(gateway, truth);
        meeting->is_complete &= meeting->knows_none || !broker_status_is_terminal(truth->status) ||
                                take_over_ended(gateway, truth);
    }
    if (is_number_higher(truth->client_id, meeting->highest)) {
        memcpy(meeting->highest, truth->client_id, CLIENT_ID_MAX);
    }
}

bool gateway_check_ids(struct gateway *gateway) {
    struct meeting meeting = {.gateway = gateway,
                              .knows_none = gateway->orders->numbered_day.days == 0,
                              .is_complete = true};
    struct utc since = listed_since(gateway);
    if (alpaca_get_orders_since(gateway->alpaca, since, meet_listed, &meeting, NULL) != ERR_OK) {
        return false;
    }
    if (meeting.knows_none) { /* behind the walk, which asks whether a number was ever issued */
        orders_skip_number(gateway->orders, meeting.highest); /* no id twice, not even for a stop */
    }
    gateway->has_looked = true;
    if (meeting.is_complete) {
        gateway->orders->folded_to = (struct utc){0}; /* from here on nothing is sent unseen */
    }
    return meeting.is_complete;
}
