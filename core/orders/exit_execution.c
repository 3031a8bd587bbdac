/* exit_execution.c - the phases of an exit, one step a tick, and the ladder of its limits. */
#include "core/orders/exit_execution.h"

#include "core/base/mutant.h"
#include "core/orders/position_sign.h"
#include "core/orders/validation.h"

#include <string.h>

/* Below the bid, or above the ask: 0.3, 1, 3, 10, then 20 %. */
static const int64_t LADDER[] = {3000000, 10000000, 30000000, 100000000, 200000000};
enum { RUNGS = sizeof LADDER / sizeof LADDER[0] };
static const struct span RUNG_LASTS = {INT64_C(3000000000)};
/* The ladder is done long before, and a person is told within the minute even by a tick that is late. */
static const struct span STUCK_AFTER = {INT64_C(40000000000)};
/* An elected stop is a market order. */
static const struct span SELLS_WITHIN = {INT64_C(10000000000)};
static const struct span QUOTE_DEAD = {INT64_C(60000000000)};

static const struct ratio DEAREST = {NANOS / 5}; /* above a trusted mark: the ladder's last rung */

/* It buys back what is short. */
static bool is_cover(const struct exit_plan *plan) {
    return plan->qty.nanos < 0;
}

static const char *phase_word(enum exit_phase phase) {
    static const char *const words[] = {"over", "decided", "releasing", "working"};
    return words[phase];
}

struct exit_plan *exits_find(struct exits *exits, const char *symbol) {
    for (size_t i = 0; i < exits->count; i++) {
        if (strcmp(exits->plans[i].symbol, symbol) == 0) {
            return &exits->plans[i];
        }
    }
    return NULL;
}

static struct order *live_sale(struct exits *exits, const char *symbol) {
    struct order *order = orders_live(exits->gateway->orders, symbol, PURPOSE_EXIT);
    return order != NULL ? order : orders_live(exits->gateway->orders, symbol, PURPOSE_SCALE_OUT);
}

/* What was told of a time at work is over with it: of the next one, within the same minute, it is news. */
static void forget_stuck(struct exits *exits) {
    MUTATE(exit_stuck_again_untold, return);
    log_alert_over(exits->gateway->log, "exit_stuck");
}

static void tell(const struct exits *exits, const struct exit_plan *plan, const char *what,
                 const struct text *body) {
    const struct world *world = exits->gateway->world;
    observe(world->observer, &(struct event){.kind = EVENT_EXIT,
                                             .at = clock_utc(world->clock),
                                             .subject = plan->reason,
                                             .what = what,
                                             .symbol = plan->symbol,
                                             .qty = plan->qty,
                                             .body = text_get(body),
                                             .body_len = body->len});
}

void exits_tell_resumed(const struct exits *exits) {
    const struct text none = {0};
    for (size_t i = 0; i < exits->count; i++) {
        if (exits->plans[i].phase != EXIT_NONE) {
            tell(exits, &exits->plans[i], "resumed", &none);
        }
    }
}

/* Journals the phase. That an exit was decided is durable at once (a flatten is said only once); the phases
 * after it ride on the next commit, because each resumes at DECIDED: an exit does not wait for a slow
 * disk more often than it must. */
static void enter(struct exits *exits, struct exit_plan *plan, enum exit_phase phase) {
    struct gateway *gateway = exits->gateway;
    if (phase == EXIT_DECIDED || phase == EXIT_NONE) {
        forget_stuck(exits);
    }
    plan->phase = phase;
    struct text body = {.limit = 1024};
    text_add_char(&body, '{');
    text_member_string(&body, "phase", phase_word(phase));
    text_member_string(&body, "purpose", order_purpose_word(plan->purpose));
    text_member_string(&body, "reason", plan->reason);
    text_member_decimal(&body, "qty", plan->qty.nanos);
    text_member_decimal(&body, "start", plan->start.nanos);
    text_member_utc(&body, "decided_at", plan->decided_at);
    text_add_char(&body, '}');
    if (gateway->journal != NULL &&
        journal_append(gateway->journal, "exit", plan->symbol, text_get(&body), NULL, NULL) ==
            ERR_OK &&
        phase == EXIT_DECIDED) {
        (void)!journal_commit(gateway->journal, NULL);
    }
    tell(exits, plan, phase_word(phase), &body);
    text_release(&body);
}

void exits_split(struct exits *exits, const char *symbol, struct qty was, struct qty is) {
    struct exit_plan *plan = exits_find(exits, symbol);
    MUTATE(part_of_old_shares, return);
    if (plan == NULL || is_cover(plan) || was.nanos <= 0) {
        return;
    }
    struct qty left = qty_sub(plan->qty, qty_sub(plan->start, was));
    if (plan->purpose == PURPOSE_EXIT || qty_cmp(left, was) > 0 ||
        decimal_mul_div(left.nanos, is.nanos, was.nanos, &left.nanos, NULL) != ERR_OK) {
        left = is;
    }
    plan->qty = qty_whole(left);
    plan->start = is;
}

static enum err_code fold_split(struct exits *exits, const struct journal_row *row,
                                const cJSON *body, struct err *err) {
    struct qty was = {0};
    struct qty is = {0};
    if (json_qty(body, "was", &was, err) != ERR_OK || json_qty(body, "qty", &is, err) != ERR_OK) {
        return ERR_PARSE;
    }
    exits_split(exits, row->key, was, is);
    return ERR_OK;
}

static enum err_code fold_exit(struct exits *exits, const struct journal_row *row,
                               const cJSON *body, struct err *err) {
    struct exit_plan plan = {.phase = EXIT_DECIDED};
    const char *phase = NULL;
    const char *purpose = NULL;
    enum err_code code = ERR_PARSE;
    if (json_string(body, "phase", &phase, err) == ERR_OK &&
        json_string(body, "purpose", &purpose, err) == ERR_OK &&
        json_copy(body, "reason", plan.reason, sizeof plan.reason, err) == ERR_OK &&
        json_qty(body, "qty", &plan.qty, err) == ERR_OK &&
        json_qty(body, "start", &plan.start, err) == ERR_OK &&
        json_utc(body, "decided_at", &plan.decided_at, err) == ERR_OK &&
        text_copy(plan.symbol, sizeof plan.symbol, row->key, err) == ERR_OK) {
        plan.purpose = strcmp(purpose, "exit") == 0 ? PURPOSE_EXIT : PURPOSE_SCALE_OUT;
        struct exit_plan *known = exits_find(exits, plan.symbol);
        code = ERR_OK;
        if (strcmp(phase, "over") == 0) {
            if (known != NULL) {
                *known = exits->plans[--exits->count];
            }
        } else if (known != NULL) {
            *known = plan; /* every phase resumes at DECIDED: it looks before it acts */
        } else if (exits->count < BOOK_MAX) {
            exits->plans[exits->count++] = plan;
        }
    }
    return code;
}

enum err_code exits_fold(struct exits *exits, const struct journal_row *row, struct err *err) {
    bool is_split = strcmp(row->kind, "split") == 0;
    if (!is_split && strcmp(row->kind, "exit") != 0) {
        return ERR_OK;
    }
    cJSON *body = NULL;
    enum err_code code = json_parse(row->body, strlen(row->body), &body, err);
    if (code == ERR_OK) {
        code = is_split ? fold_split(exits, row, body, err) : fold_exit(exits, row, body, err);
        cJSON_Delete(body);
    }
    return code == ERR_OK ? ERR_OK : err_wrap(err, "journal row %lld", (long long)row->seq);
}

/* By the book, or by two words of the broker: one listing alone ends no sale. */
static bool is_known_short(const struct exits *exits, const struct holding *holding) {
    bool is_reread = holding_is_reread(holding, clock_mono(exits->gateway->world->clock)) &&
                     holding->reread_qty.nanos < 0;
    MUTATE(short_believed_on_one_listing, is_reread = true);
    return holding_short(holding).nanos > 0 && (holding->qty.nanos < 0 || is_reread);
}

bool exits_is_cover(struct exits *exits, const char *symbol) {
    const struct exit_plan *plan = exits_find(exits, symbol);
    return plan != NULL && is_cover(plan);
}

void exits_decide(struct exits *exits, const struct holding *holding, enum order_purpose purpose,
                  struct qty qty, const char *reason) {
    struct exit_plan *plan = exits_find(exits, holding->symbol);
    /* Whatever its phase: a flatten is said only once. A sale at work goes on as the exit's own. */
    bool is_short = is_known_short(exits, holding);
    bool is_taken_over = plan != NULL && purpose == PURPOSE_EXIT &&
                         (plan->purpose == PURPOSE_SCALE_OUT || (is_short && !is_cover(plan)));
    MUTATE(flatten_lost_behind_a_part, is_taken_over = false);
    if ((plan != NULL && !is_taken_over) || (plan == NULL && exits->count == BOOK_MAX)) {
        return;
    }
    if (plan == NULL) {
        plan = &exits->plans[exits->count++];
    }
    *plan = (struct exit_plan){.purpose = purpose,
                               .qty = is_short                  ? holding->broker_qty
                                      : purpose == PURPOSE_EXIT ? holding->qty
                                                                : qty,
                               .start = is_short ? (struct qty){0} : holding->qty,
                               .decided_at = clock_utc(exits->gateway->world->clock)};
    (void)!text_copy(plan->symbol, sizeof plan->symbol, holding->symbol, NULL);
    (void)!text_copy(plan->reason, sizeof plan->reason, reason, NULL);
    enter(exits, plan, EXIT_DECIDED);
}

/* False while a broker that rejected the last sales of this symbol is left alone. */
static bool may_send(const struct exits *exits, const char *symbol) {
    const struct gateway *gateway = exits->gateway;
    return send_backoff_is_due(&gateway->orders->backoff, symbol, false,
                               clock_mono(gateway->world->clock), gateway->config->resend_first,
                               gateway->config->resend_most);
}

/* Of a short position nothing is left once it was taken over and the book says it is bought back, whatever an
 * older listing shows. */
static struct qty left_to_buy(const struct exit_plan *plan, const struct holding *holding) {
    bool is_done = plan->is_taken_over && holding->qty.nanos >= 0;
    return is_done ? (struct qty){0} : holding_short(holding);
}

static struct qty left_of(const struct exit_plan *plan, const struct holding *holding) {
    if (is_cover(plan)) {
        return left_to_buy(plan, holding);
    }
    struct qty held = holding_sellable(holding);
    if (plan->purpose == PURPOSE_EXIT) {
        return held;
    }
    struct qty sold = qty_sub(plan->start, holding->qty);
    return qty_min(qty_sub(plan->qty, sold), held);
}

/* The bid, or the ask for what is bought back, if it is alive, else the mark; false when nothing is known: then
 * the stop keeps the watch. */
static bool anchor_price(const struct exits *exits, const struct exit_plan *plan,
                         const struct holding *holding, struct usd *out) {
    const struct gateway *gateway = exits->gateway;
    int index = universe_find(gateway->config, holding->symbol);
    struct utc now = clock_utc(gateway->world->clock);
    if (index >= 0) {
        const struct broker_quote *quote = &gateway->truth->quotes[index];
        const struct usd price = is_cover(plan) ? quote->ask : quote->bid;
        if (quote->is_known && price.nanos > 0 && utc_sub(now, quote->at).ns <= QUOTE_DEAD.ns) {
            *out = price;
            if (is_cover(plan) &&
                holding->has_mark) { /* a stub above all rungs is no price to buy at */
                *out = usd_min(price, usd_add(holding->mark, usd_scale(holding->mark, DEAREST)));
            }
            return true;
        }
    }
    if (holding->has_mark) {
        *out = holding->mark;
    } else if (holding->has_broker_price) {
        *out = holding->broker_price;
    } else {
        return false;
    }
    return out->nanos > 0;
}

static struct usd rung_price(struct usd anchor, int rung, bool is_up) {
    struct usd away = usd_scale(anchor, (struct ratio){LADDER[rung]});
    MUTATE(cover_ladder_goes_down, is_up = false);
    if (is_up) {
        struct usd price = usd_add(anchor, away);
        price.nanos += price_tick(price).nanos - 1; /* to the tick above */
        return usd_floor(price, price_tick(price));
    }
    struct usd price = usd_sub(anchor, away);
    price = usd_floor(price, price_tick(price));
    struct usd tick = price_tick(price);
    return usd_cmp(price, tick) < 0 ? tick : price;
}

/* Two words of the broker agree on what is short. From here on the book says what of it is left. A purchase at work
 * that is more than that ends. */
static bool may_cover(struct exits *exits, struct exit_plan *plan, struct holding *holding,
                      struct order *old) {
    struct gateway *gateway = exits->gateway;
    bool is_confirmed = position_sign_confirm(gateway, holding);
    struct qty most = holding_coverable(holding, clock_mono(gateway->world->clock));
    plan->is_taken_over |= is_confirmed;
    if (old != NULL && holding->reread_at.ns != 0 && qty_cmp(order_open_qty(old), most) > 0) {
        gateway_cancel(gateway, old);
        return false;
    }
    return is_confirmed;
}

/* The next limit of an OCO: for what is left of it, and above its stop, as the broker asks; a market below that has the
 * stop sell. */
static void stay_in_group(struct order *intent, const struct order *old) {
    struct usd above = usd_add(old->stop_price, price_tick(old->stop_price));
    intent->is_oco = true;
    intent->tif = old->tif;
    intent->qty = order_open_qty(old);
    intent->stop_price = old->stop_price;
    MUTATE(oco_below_its_stop, above = intent->limit_price);
    intent->limit_price = usd_max(intent->limit_price, above);
    memcpy(intent->leg_id, old->leg_id, sizeof intent->leg_id);
}

static void place(struct exits *exits, struct exit_plan *plan, struct holding *holding,
                  struct order *old) {
    struct gateway *gateway = exits->gateway;
    struct usd anchor = {0};
    if (!anchor_price(exits, plan, holding, &anchor)) {
        log_alert(gateway->log, ALERT_PAGE, "exit_without_price", plan->symbol);
        return;
    }
    if (is_cover(plan) && !may_cover(exits, plan, holding, old)) {
        return;
    }
    struct qty qty = left_of(plan, holding);
    if (is_cover(plan)) {
        qty = qty_min(qty, holding_coverable(holding, clock_mono(gateway->world->clock)));
    }
    struct qty most = {0};
    if (qty_affordable(gateway->config->order_cap_usd, anchor, &most, NULL) == ERR_OK &&
        most.nanos > 0 && qty_cmp(qty, most) > 0) {
        qty = most; /* children no larger than the cap, one after another */
    }
    MUTATE(exit_bound_by_order_cap, if (qty_cmp(left_of(plan, holding), qty) > 0) return);
    if (qty.nanos <= 0) {
        return;
    }
    struct order intent = {.side = is_cover(plan) ? SIDE_BUY : SIDE_SELL,
                           .type = ORDER_LIMIT,
                           .tif = TIF_DAY,
                           .purpose = plan->purpose,
                           .qty = old != NULL ? old->qty : qty,
                           .limit_price = rung_price(anchor, plan->rung, is_cover(plan))};
    strcpy(intent.symbol, plan->symbol);
    strcpy(intent.reason, plan->reason);
    if (old != NULL && old->is_oco) {
        stay_in_group(&intent, old);
    }
    if (old != NULL) {
        if (intent.limit_price.nanos == old->limit_price.nanos) {
            return;
        }
        strcpy(intent.replaces, old->client_id);
    }
    struct refusal refusal = {0};
    struct err err = {0};
    if (gateway_send(gateway, &intent, NULL, &refusal, &err) == ERR_REFUSED &&
        refusal.code != REFUSED_NONE) {
        log_alert(gateway->log, ALERT_PAGE, "exit_refused", err.text);
    }
    plan->rung_at = clock_utc(gateway->world->clock);
}

static void finish(struct exits *exits, struct exit_plan *plan) {
    enter(exits, plan, EXIT_NONE);
    *plan = exits->plans[--exits->count];
}

/* The broker says that trading is. */
static bool is_suspended(const struct exits *exits) {
    const struct gateway *gateway = exits->gateway;
    const struct truth *truth = gateway->truth;
    struct span age = mono_sub(clock_mono(gateway->world->clock), truth->account_at);
    return truth->has_account && truth->account.is_suspended &&
           age.ns <= gateway->config->truth_max_age.ns;
}

/* True while the broker says that trading is suspended, and a stop rests: what was to replace it would be refused, and
 * the position bare. Where nothing rests the attempt is made, as what the broker says may be wrong. */
static bool must_rest(const struct exits *exits, const char *symbol) {
    const struct gateway *gateway = exits->gateway;
    const struct order *stop = orders_live(gateway->orders, symbol, PURPOSE_STOP);
    MUTATE(stop_released_while_suspended, return false);
    return is_suspended(exits) && stop != NULL && stop->state == ORDER_WORKING &&
           stop->cancel_at.ns == 0;
}

static void end_live(struct exits *exits, const char *symbol) {
    struct gateway *gateway = exits->gateway;
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *order = &gateway->orders->items[i];
        bool is_meant = strcmp(order->symbol, symbol) == 0 && !order_is_over(order);
        if (is_meant && order->state == ORDER_WORKING) {
            gateway_cancel(gateway, order);
            gateway_ask(gateway, order);
        }
    }
}

/* What the broker does not list and, asked for it alone, does not say to be short, is the book's alone, and paged as
 * vanished until a person has looked. Each second of it, and of each symbol, would be requests that change nothing:
 * he is asked less and less, as one who rejects is. A row of rejects it is not: once it is listed he is asked at once. */
static bool is_his_second_word(struct exits *exits, struct exit_plan *plan,
                               struct holding *holding) {
    const struct config *config = exits->gateway->config;
    struct mono now = clock_mono(exits->gateway->world->clock);
    bool is_asked = !holding_is_reread(holding, now);
    if (is_asked && !holding->is_listed && mono_sub(now, plan->asked_at).ns < plan->ask_wait.ns) {
        return false;
    }
    const bool is_said = position_sign_agrees(exits->gateway, holding);
    if (is_said || holding->is_listed) {
        plan->ask_wait = (struct span){0};
    } else if (is_asked) {
        plan->asked_at = now;
        plan->ask_wait.ns =
            plan->ask_wait.ns == 0 ? config->resend_first.ns : 2 * plan->ask_wait.ns;
        if (plan->ask_wait.ns > config->resend_most.ns) {
            plan->ask_wait = config->resend_most;
        }
    }
    return is_said;
}

/* A sale that rests beside what is short protects nothing: it ends without waiting for the open, for a broker that
 * takes orders again or for his second word. But not on the word of one listing. Without the second word nothing would
 * be bought, so nothing begins. */
static bool may_begin_cover(struct exits *exits, struct exit_plan *plan, struct holding *holding,
                            bool is_open) {
    bool is_sure = is_his_second_word(exits, plan, holding);
    if (!(is_sure && is_open) && (is_sure || holding->qty.nanos < 0)) {
        end_live(exits, plan->symbol);
    }
    return is_sure && is_open;
}

static bool may_begin(struct exits *exits, struct exit_plan *plan, struct holding *holding) {
    const struct gateway *gateway = exits->gateway;
    bool is_open = gateway->truth->has_clock && gateway->truth->clock.is_open;
    if (causes_mode(gateway->causes) == MODE_HALT || !may_send(exits, plan->symbol)) {
        return false;
    }
    return is_cover(plan) ? may_begin_cover(exits, plan, holding, is_open)
                          : is_open && !must_rest(exits, plan->symbol);
}

static void step_decided(struct exits *exits, struct exit_plan *plan, struct holding *holding) {
    struct gateway *gateway = exits->gateway;
    struct mono now = clock_mono(gateway->world->clock);
    if (plan->held_at.ns != 0) {
        send_backoff_hold(&gateway->orders->backoff, plan->symbol, false,
                          mono_sub(now, plan->held_at));
    }
    plan->held_at = (struct mono){0};
    if (!may_begin(exits, plan, holding)) {
        plan->held_at = now;
        return;
    }
    struct usd anchor = {0};
    if (!anchor_price(exits, plan, holding, &anchor)) {
        plan->held_at = now;
        return; /* nothing to price with: rest at the stop */
    }
    plan->rung = 0;
    plan->is_spent = false;
    plan->rounds = 0;
    plan->rung_at = clock_utc(gateway->world->clock); /* a sale still at work has its time */
    plan->began_at = clock_mono(gateway->world->clock);
    plan->is_told = false;
    enter(exits, plan, EXIT_RELEASING);
}

/* Whatever is live in the symbol ends first: a sale would go on selling what is short, a purchase would buy it
 * back beside this one. One of unknown fate is settled by asking. */
static void release_all(struct exits *exits, struct exit_plan *plan) {
    end_live(exits, plan->symbol);
    bool is_free = !orders_any_live(exits->gateway->orders, plan->symbol);
    MUTATE(cover_beside_a_sale, is_free = true);
    if (is_free) {
        enter(exits, plan, EXIT_WORKING);
    }
}

static size_t count_stops(const struct exits *exits, const char *symbol) {
    size_t count = 0;
    for (size_t i = 0; i < exits->gateway->orders->count; i++) {
        const struct order *order = &exits->gateway->orders->items[i];
        count += order->purpose == PURPOSE_STOP && !order_is_over(order) &&
                 strcmp(order->symbol, symbol) == 0;
    }
    return count;
}

/* The exchange has its limit, which may have sold a part: like on the ladder, what is left of it is re-priced. */
static bool is_at_exchange(const struct order *stop) {
    bool is_taken = stop->status == STATUS_NEW || stop->status == STATUS_PARTIALLY_FILLED;
    return is_taken && stop->state == ORDER_WORKING && stop->leg_id[0] != '\0' &&
           !stop->is_leg_alone && !stop->is_leg_due && stop->cancel_at.ns == 0 && !stop->is_ended;
}

/* A group of all that is to be sold, which the exchange has, and which no order's cap cuts. */
static bool may_hand_over(const struct exits *exits, const struct exit_plan *plan,
                          const struct holding *holding, const struct order *stop) {
    struct usd anchor = {0};
    struct qty most = {0};
    struct qty open = order_open_qty(stop);
    bool is_there = stop->is_oco && is_at_exchange(stop) && !stop->is_of_old_shares;
    return is_there && !plan->is_handed && plan->purpose == PURPOSE_EXIT &&
           left_of(plan, holding).nanos == open.nanos && count_stops(exits, plan->symbol) == 1 &&
           anchor_price(exits, plan, holding, &anchor) &&
           qty_affordable(exits->gateway->config->order_cap_usd, anchor, &most, NULL) == ERR_OK &&
           qty_cmp(open, most) <= 0;
}

/* Its stop may have been elected: it sold some, or the price is through it, for no longer than it takes. A stop that
 * is alone may as well just watch. */
static bool is_selling(struct exits *exits, const struct exit_plan *plan,
                       const struct holding *holding, struct order *order) {
    struct mono now = clock_mono(exits->gateway->world->clock);
    struct usd anchor = {0};
    MUTATE(elected_stop_cancelled, return false);
    if (!order->is_oco || !order->is_leg_alone || order->state != ORDER_WORKING ||
        order->is_leg_due || order->status == STATUS_HELD) {
        order->selling_since = (struct mono){0};
        return false;
    }
    bool is_through =
        (anchor_price(exits, plan, holding, &anchor) && usd_cmp(anchor, order->stop_price) <= 0) ||
        (holding->has_mark && usd_cmp(holding->mark, order->stop_price) <= 0);
    MUTATE(lone_stop_taken_for_elected, return true);
    if (order->status != STATUS_PARTIALLY_FILLED && !is_through) {
        return false;
    }
    if (order->selling_since.ns == 0) {
        order->selling_since = now;
    }
    return mono_sub(now, order->selling_since).ns < SELLS_WITHIN.ns;
}

/* The stop's group goes on as the sale. False if it did not: it is cancelled then, like any stop. */
static bool hand_over(struct exits *exits, struct exit_plan *plan, struct holding *holding,
                      struct order *stop) {
    if (!may_hand_over(exits, plan, holding, stop)) {
        return false;
    }
    MUTATE(oco_cancelled_for_an_exit, return false);
    plan->is_handed = true;
    place(exits, plan, holding, stop);
    const struct order *sale = live_sale(exits, plan->symbol);
    if (sale != NULL) {
        log_mechanism(exits->gateway->log, "exit_execution", "acted", plan->symbol, sale->client_id,
                      "\"by\":\"oco\"");
    }
    return sale != NULL;
}

/* A sale beside a stop that is live would sell what is held twice, and is refused. */
static bool is_released(const struct exits *exits, const char *symbol) {
    bool is_over = orders_live(exits->gateway->orders, symbol, PURPOSE_STOP) == NULL;
    MUTATE(release_not_awaited, is_over = true);
    return is_over;
}

static void step_releasing(struct exits *exits, struct exit_plan *plan, struct holding *holding) {
    struct gateway *gateway = exits->gateway;
    struct order *stop = orders_live(gateway->orders, plan->symbol, PURPOSE_STOP);
    struct order *entry = orders_live(gateway->orders, plan->symbol, PURPOSE_ENTRY);
    MUTATE(entry_not_cut_off, entry = NULL);
    if (causes_mode(gateway->causes) == MODE_HALT) {
        return; /* protection stays: what replaces it could not be sent */
    }
    if (is_cover(plan)) {
        release_all(exits, plan);
        return;
    }
    if (entry != NULL) { /* it would grow what is being closed, and the wash guard forbids both */
        gateway_cancel(gateway, entry);
        gateway_ask(gateway, entry);
        return;
    }
    if (stop != NULL && stop->state == ORDER_UNKNOWN) {
        return; /* settled by asking, before anything else happens in the symbol */
    }
    if (must_rest(exits, plan->symbol)) { /* suspended since */
        enter(exits, plan, EXIT_DECIDED);
        return;
    }
    const struct order *sale = live_sale(exits, plan->symbol);
    if (sale != NULL && sale->is_oco && sale->state == ORDER_UNKNOWN) {
        return; /* an earlier life's: the stop may be its group's by now */
    }
    if (stop != NULL && is_selling(exits, plan, holding, stop)) {
        gateway_ask(gateway, stop);
        return;
    }
    if (stop != NULL && stop->is_oco && stop->status != STATUS_NEW) {
        gateway_ask(gateway, stop); /* a listing is as old as the tick; at the open it was queued */
    }
    if (stop != NULL && hand_over(exits, plan, holding, stop)) {
        enter(exits, plan, EXIT_WORKING);
        return;
    }
    if (stop != NULL) {
        gateway_cancel(gateway, stop);
        gateway_ask(gateway, stop);
    }
    if (is_released(exits, plan->symbol)) { /* and so is a replacement of it */
        enter(exits, plan, EXIT_WORKING);
    }
}

/* The ladder ends and its order rests, with its stop: protection, and a sale for whoever buys. */
static void rest(struct exits *exits, struct exit_plan *plan) {
    if (plan->is_spent) {
        log_alert(exits->gateway->log, ALERT_PAGE, "exit_unfilled", plan->symbol);
    }
    enter(exits, plan, EXIT_DECIDED);
}

/* A stop that is left alone has no limit that could sell; and one that the market is below, and that was not elected,
 * held the ladder up where nobody buys. */
static bool must_leave(const struct order *sale, const struct exit_plan *plan) {
    struct usd lowest = usd_add(sale->stop_price, price_tick(sale->stop_price));
    MUTATE(oco_ladder_ends_at_its_stop, return sale->is_leg_alone);
    return sale->is_leg_alone || (plan->is_spent && usd_cmp(sale->limit_price, lowest) <= 0);
}

/* What takes the group's place can be sent. */
static bool may_leave(const struct exits *exits, const struct exit_plan *plan,
                      const struct holding *holding) {
    struct usd anchor = {0};
    return causes_mode(exits->gateway->causes) != MODE_HALT && may_send(exits, plan->symbol) &&
           !is_suspended(exits) && anchor_price(exits, plan, holding, &anchor);
}

/* The present rung is over: the next one, or the end of the ladder. */
static void climb(struct exits *exits, struct exit_plan *plan, struct holding *holding,
                  struct order *order) {
    struct gateway *gateway = exits->gateway;
    plan->is_spent = plan->is_spent || plan->rung == RUNGS - 1;
    bool is_grouped = order->is_oco && order->cancel_at.ns == 0;
    MUTATE(oco_sale_cancelled, is_grouped = false);
    if (is_grouped && is_selling(exits, plan, holding, order)) {
        return;
    }
    if (is_grouped && must_leave(order, plan)) {
        if (may_leave(exits, plan, holding)) {
            gateway_cancel(gateway, order);
            plan->is_spent = false;
            plan->rung = 0;
        }
        return;
    }
    if (is_grouped && plan->is_spent) {
        rest(exits, plan);
        return;
    }
    if (!is_grouped && (order->cancel_at.ns != 0 || order->filled.nanos > 0 || plan->is_spent)) {
        gateway_cancel(gateway, order); /* a part is sold, or the ladder ends: cancel, then go on */
        return;
    }
    plan->rung++;
    plan->rung_at = clock_utc(gateway->world->clock);
    /* one that the exchange has not taken yet cannot be re-priced: its time runs, and ends in a cancel */
    bool is_taken = order->status == STATUS_NEW || order->status == STATUS_PARTIALLY_FILLED;
    if (is_taken && may_send(exits, plan->symbol)) {
        place(exits, plan, holding, order);
    }
}

/* The live sale as the broker now has it; of a replaced one, its successor: else a rung that was
 * just sent would count as unfilled. */
static struct order *ask_sale(struct exits *exits, const char *symbol) {
    struct order *order = live_sale(exits, symbol);
    while (order != NULL && order->state == ORDER_WORKING) {
        gateway_ask(exits->gateway, order);
        if (order->state != ORDER_REPLACED) {
            break;
        }
        order = live_sale(exits, symbol);
    }
    return order;
}

/* The OCO that was to go on as the sale, while it is not known to be replaced. */
static const struct order *ask_handed(struct exits *exits, const char *symbol) {
    struct order *stop = orders_live(exits->gateway->orders, symbol, PURPOSE_STOP);
    if (stop == NULL || !stop->is_oco) {
        return NULL;
    }
    MUTATE(oco_not_known_replaced, return NULL);
    gateway_ask(exits->gateway, stop);
    return order_is_over(stop) ? NULL : stop;
}

/* The broker took another in its place, or may have, and it is not known yet that this one is over: what a next price
 * would sell counts beside both. */
static bool is_superseded(const struct exits *exits, const struct order *sale) {
    MUTATE(superseded_sale_climbs, return false);
    for (size_t i = 0; i < exits->gateway->orders->count; i++) {
        const struct order *order = &exits->gateway->orders->items[i];
        if (!order_is_over(order) && strcmp(order->replaces, sale->client_id) == 0) {
            return true;
        }
    }
    return false;
}

static void step_working(struct exits *exits, struct exit_plan *plan, struct holding *holding) {
    struct gateway *gateway = exits->gateway;
    struct utc now = clock_utc(gateway->world->clock);
    struct order *order = ask_sale(exits, plan->symbol);
    const struct order *handed = ask_handed(exits, plan->symbol);
    if (handed != NULL) {
        if (order == NULL || order_is_over(order)) {
            plan->phase =
                EXIT_RELEASING; /* it went on as nothing: untold, so that its time runs on */
        }
        return; /* until the broker says that it was replaced, it counts beside its successor */
    }
    plan->is_handed &= order == NULL || !order->is_oco || order->state != ORDER_WORKING;
    if (order != NULL && !order_is_over(order) && order->is_oco && !gateway->truth->clock.is_open) {
        rest(exits, plan);
        return;
    }
    if (order != NULL && !order_is_over(order)) {
        MUTATE(rung_waits_for_the_wall, if (utc_is_before(now, plan->rung_at)) return);
        bool is_rung_over = utc_elapsed(&plan->rung_at, now).ns >= RUNG_LASTS.ns;
        if (order->state == ORDER_WORKING && !order->is_ended && is_rung_over &&
            !is_superseded(exits, order)) {
            climb(exits, plan, holding, order);
        }
        return;
    }
    if (order != NULL) {
        plan->rung =
            plan->rung < RUNGS - 1 && order->filled.nanos == 0 ? plan->rung + 1 : plan->rung;
    }
    MUTATE(position_forgotten, if (!may_send(exits, plan->symbol) || plan->is_spent) { holding->qty.nanos = 0; finish(exits, plan); return; });
    if (!may_send(exits, plan->symbol)) {
        /* rejected again, and paged: protection until the next attempt is due */
        enter(exits, plan, EXIT_DECIDED);
        return;
    }
    if (!gateway->truth->clock.is_open || plan->is_spent || ++plan->rounds >= 2 * RUNGS) {
        log_alert(gateway->log, ALERT_PAGE, "exit_unfilled", plan->symbol);
        enter(exits, plan, EXIT_DECIDED); /* protection first, then again */
        return;
    }
    bool is_free = is_cover(plan) || is_released(exits, plan->symbol);
    MUTATE(stop_behind_a_release_stays, is_free = true);
    if (!is_free) { /* one came since: another core's under an id of ours, or one that was denied */
        plan->phase = EXIT_RELEASING; /* untold, so that its time runs on */
        return;
    }
    place(exits, plan, holding, NULL);
}

/* A cancel that never ends, an order that neither fills nor goes: no step of ours ends it, a person
 * must know. */
static void tell_stuck(struct exits *exits, struct exit_plan *plan) {
    MUTATE(exit_stuck_untold, return);
    struct gateway *gateway = exits->gateway;
    struct span at_work = mono_sub(clock_mono(gateway->world->clock), plan->began_at);
    if (plan->phase != EXIT_DECIDED && !plan->is_told && at_work.ns >= STUCK_AFTER.ns) {
        plan->is_told = true;
        log_alert(gateway->log, ALERT_PAGE, "exit_stuck", plan->symbol);
    }
}

/* A listing below zero that nothing confirmed: no sale leaves beside it, and none is forgotten for it. */
static bool is_contradicted(const struct exit_plan *plan, const struct holding *holding) {
    return !is_cover(plan) && holding->qty.nanos > 0 && holding_short(holding).nanos > 0;
}

static void step(struct exits *exits, struct exit_plan *plan) {
    struct holding *holding = book_find(exits->gateway->book, plan->symbol);
    bool is_live = live_sale(exits, plan->symbol) != NULL;
    MUTATE(stop_counted_against_exit, if (orders_live(exits->gateway->orders, plan->symbol, PURPOSE_STOP)) return);
    if (holding != NULL && is_contradicted(plan, holding)) {
        return;
    }
    if (holding == NULL || (!is_live && left_of(plan, holding).nanos <= 0)) {
        finish(exits, plan);
        return;
    }
    tell_stuck(exits, plan); /* before a step that may wait for the disk */
    if (plan->phase == EXIT_DECIDED) {
        step_decided(exits, plan, holding);
    }
    if (plan->phase == EXIT_RELEASING) {
        step_releasing(exits, plan, holding);
    }
    if (plan->phase == EXIT_WORKING) {
        step_working(exits, plan, holding);
    }
}

void exits_step(struct exits *exits) {
    MUTATE(exits_skipped_when_frozen, if (causes_mode(exits->gateway->causes) >= MODE_REDUCE_ONLY) return);
    for (size_t i = exits->count; i-- > 0;) {
        step(exits, &exits->plans[i]);
    }
}

bool exits_are_urgent(const struct exits *exits) {
    for (size_t i = 0; i < exits->count; i++) {
        if (exits->plans[i].phase == EXIT_RELEASING || exits->plans[i].phase == EXIT_WORKING) {
            return true;
        }
    }
    return false;
}
