/* protective_stops.c - places, grows and raises stops; tells when a position has none. */
#include "core/orders/protective_stops.h"

#include "core/base/mutant.h"
#include "core/orders/validation.h"

#include <string.h>

static const struct span NAKED_PAGE = {INT64_C(60000000000)};
static const struct span LISTED_WITHIN = {INT64_C(15000000000)};
static const struct span GONE_AFTER = {INT64_C(30000000000)};

static void tell(const struct gateway *gateway, const struct holding *holding, const char *what,
                 struct usd stop) {
    observe(gateway->world->observer, &(struct event){.kind = EVENT_PROTECTION,
                                                      .at = clock_utc(gateway->world->clock),
                                                      .what = what,
                                                      .symbol = holding->symbol,
                                                      .qty = holding->broker_qty,
                                                      .price = stop});
}

/* How long ago the broker last listed our orders, once that is longer than truth may be old: a stop that
 * may have ended since protects nobody. Else nothing. */
static struct span hearsay(const struct gateway *gateway) {
    const struct truth *truth = gateway->truth;
    struct span age = mono_sub(clock_mono(gateway->world->clock), truth->orders_at);
    bool is_old =
        truth->has_orders && truth->is_open && age.ns >= gateway->config->truth_max_age.ns;
    return is_old ? age : (struct span){0};
}

/* When the broker last showed our orders; a look between two listings sees no more than the first. */
static struct mono listed_at(const struct gateway *gateway) {
    const struct truth *truth = gateway->truth;
    return truth->has_orders ? truth->orders_at : clock_mono(gateway->world->clock);
}

/* Of one found bare now. A stop that ended behind the last listing that had it is learned of up to a tick
 * later, and its minute does not wait for that; one that never was safe is bare since its fill. */
static struct mono bare_since(const struct gateway *gateway, const struct holding *holding) {
    struct mono now = clock_mono(gateway->world->clock);
    struct mono heard = mono_add(now, (struct span){-hearsay(gateway).ns});
    MUTATE(naked_since_it_was_found, return heard);
    bool is_new =
        holding->safe_at.ns == 0 && mono_sub(now, holding->quiet_since).ns < GONE_AFTER.ns;
    struct mono since = is_new                     ? holding->quiet_since
                        : holding->safe_at.ns == 0 ? heard
                                                   : holding->safe_at;
    return mono_sub(heard, since).ns > 0 ? since : heard;
}

static void mark_naked(struct gateway *gateway, struct holding *holding, bool is_naked,
                       struct usd stop) {
    MUTATE(naked_unpaged, return);
    struct mono now = clock_mono(gateway->world->clock);
    bool was_naked = holding->is_naked;
    holding->is_naked = is_naked;
    holding->safe_at = is_naked ? holding->safe_at : listed_at(gateway);
    if (is_naked && !was_naked) {
        holding->naked_since = bare_since(gateway, holding);
        tell(gateway, holding, "naked", stop);
    } else if (!is_naked && was_naked) {
        tell(gateway, holding, "protected", stop);
    } else if (is_naked && mono_sub(now, holding->naked_since).ns >= NAKED_PAGE.ns) {
        log_alert(gateway->log, ALERT_PAGE, "naked_position", holding->symbol);
        holding->naked_since = now;
    }
}

/* One is due, and no price says that it is not done. */
static bool may_be_split(const struct gateway *gateway, const struct holding *holding) {
    return holding->is_split_due && (!holding->has_mark || holding->is_split_overdue) &&
           !split_is_slight(&holding->due, gateway->config->hard_stop);
}

/* Below entry; once the high was far enough above it, below the trailing exit by the same margin by
 * which the resting stop lies below the hard stop, so that the core's own exit comes first. */
static struct usd stop_price(const struct gateway *gateway, const struct holding *holding) {
    const struct config *config = gateway->config;
    struct usd entry = holding_entry_price(holding);
    struct usd stop = usd_sub(entry, usd_scale(entry, config->stop_distance));
    struct usd armed = usd_add(entry, usd_scale(entry, config->trailing));
    if (config->stops_follow && usd_cmp(holding->high_water, armed) >= 0) {
        struct ratio below = {config->trailing.nanos + config->stop_distance.nanos -
                              config->hard_stop.nanos};
        struct usd high = holding->high_water;
        stop = usd_max(stop, usd_sub(high, usd_scale(high, below)));
    }
    struct usd split = {0};
    if (may_be_split(gateway, holding) &&
        split_price(&holding->due, stop, &split, NULL) == ERR_OK) {
        stop = usd_min(stop, split); /* whichever shares they are, it is not through */
    }
    return usd_floor(stop, price_tick(stop));
}

/* Of an OCO, until an exit needs it: so far above entry and market, whichever shares they are. */
static struct usd far_limit(const struct gateway *gateway, const struct holding *holding) {
    struct usd from = holding_entry_price(holding);
    from = holding->has_mark ? usd_max(from, holding->mark) : from;
    struct usd limit = usd_add(from, usd_scale(from, gateway->config->stops_oco_above));
    struct usd split = {0};
    if (may_be_split(gateway, holding) &&
        split_price(&holding->due, limit, &split, NULL) == ERR_OK) {
        limit = usd_max(limit, split);
    }
    return usd_add(usd_floor(limit, price_tick(limit)), price_tick(limit));
}

/* Worth a PATCH: raised by half a percent. A stop is never lowered. */
static bool is_raised(struct usd wanted, struct usd resting) {
    return wanted.nanos >= resting.nanos + resting.nanos / 200;
}

/* A live buy in the symbol: true while it stands in the way; a partial one is cut off. */
static bool entry_in_the_way(struct gateway *gateway, const struct holding *holding) {
    MUTATE(entry_in_the_way_ignored, return false);
    struct order *entry = orders_live(gateway->orders, holding->symbol, PURPOSE_ENTRY);
    if (entry == NULL) {
        return false;
    }
    struct utc now = clock_utc(gateway->world->clock);
    int64_t age =
        utc_sub(now, holding->entered_at).ns; /* below zero: the wall was set back since */
    int64_t most = gateway->config->partial.ns;
    MUTATE(maker_part_kept, most = INT64_MAX);
    if (age < 0 || age >= most || entry->cancel_at.ns != 0) {
        gateway_cancel(gateway, entry);
        gateway_ask(gateway, entry);
    }
    return true;
}

static void place(struct gateway *gateway, struct holding *holding, struct qty qty,
                  const struct order *grown) {
    if (!send_backoff_is_due(&gateway->orders->backoff, holding->symbol, true,
                             clock_mono(gateway->world->clock), gateway->config->resend_first,
                             gateway->config->resend_most)) {
        return; /* naked until then, which mark_naked() tells */
    }
    MUTATE(stop_never_placed, return);
    struct order intent = {.side = SIDE_SELL,
                           .type = ORDER_STOP,
                           .tif = TIF_GTC,
                           .purpose = PURPOSE_STOP,
                           .reason = "protection",
                           .qty = qty,
                           .stop_price = stop_price(gateway, holding)};
    strcpy(intent.symbol, holding->symbol);
    MUTATE(stop_one_share_short, intent.qty.nanos -= NANOS);
    if (gateway->config->stops_oco && grown == NULL) {
        intent.is_oco = true;
        intent.limit_price = far_limit(gateway, holding);
    }
    if (grown != NULL) {
        intent.stop_price = usd_max(intent.stop_price, grown->stop_price);
        strcpy(intent.replaces, grown->client_id);
    }
    struct refusal refusal = {0};
    struct err err = {0};
    if (gateway_send(gateway, &intent, NULL, &refusal, &err) == ERR_REFUSED) {
        log_alert(gateway->log, ALERT_WARN, "stop_refused", err.text);
    }
}

struct stops { /* of a symbol, that are not over; an exit that took over an OCO has one too */
    struct order
        *newest; /* one that was replaced is live until the broker lists it so; NULL: none */
    size_t count;
    struct order *dead; /* one whose stop died, or NULL */
    struct qty open;    /* of all of them */
    bool protect;       /* the exchange has one that is large enough, as far as was heard lately */
};

/* The exchange watches it. The leg of an OCO is held while it does, whose limit must be taken for that; one that was
 * replaced was taken before. */
static bool is_watched(const struct order *stop) {
    bool is_taken = stop->state == ORDER_WORKING && stop->status != STATUS_PENDING_NEW;
    if (stop->is_oco) {
        is_taken = stop->state == ORDER_WORKING && stop->leg_id[0] != '\0' &&
                   stop->status != STATUS_HELD && !stop->is_leg_due &&
                   (stop->status != STATUS_PENDING_NEW || stop->replaces[0] != '\0');
        MUTATE(held_leg_trusted, is_taken = stop->state == ORDER_WORKING);
    }
    return is_taken && !stop->is_of_old_shares;
}

static bool is_guard(const struct order *order) {
    return order->purpose == PURPOSE_STOP || (order->is_oco && order->purpose == PURPOSE_EXIT);
}

/* Its stop is over, or was left alone and not taken up, and the limit hides that the shares are bare. */
static bool is_dead(const struct order *stop) {
    MUTATE(dead_oco_kept, return false);
    bool is_on_its_way = stop->status == STATUS_PENDING_NEW || stop->status == STATUS_ACCEPTED;
    return stop->is_oco && stop->state == ORDER_WORKING && stop->has_legs && !is_on_its_way &&
           !stop->is_of_old_shares && !is_watched(stop);
}

/* One of unknown fate, or that is not taken yet, protects nothing: it is not sent twice, but paged. */
static struct stops stops_of(const struct gateway *gateway, const struct holding *holding,
                             struct qty due) {
    struct stops stops = {0};
    struct qty watched = {
        0}; /* by several OCO: of others one that replaces another is live beside it */
    for (size_t i = 0; i < gateway->orders->count; i++) {
        struct order *stop = &gateway->orders->items[i];
        if (!is_guard(stop) || order_is_over(stop) || strcmp(stop->symbol, holding->symbol) != 0) {
            continue;
        }
        stops.newest = stop;
        stops.dead = is_dead(stop) ? stop : stops.dead;
        stops.count++;
        stops.open = qty_add(stops.open, order_open_qty(stop));
        if (is_watched(stop)) {
            watched = stop->is_oco ? qty_add(watched, order_open_qty(stop)) : watched;
            stops.protect = stops.protect || qty_cmp(order_open_qty(stop), due) >= 0;
        }
    }
    stops.protect = stops.protect || (due.nanos > 0 && qty_cmp(watched, due) >= 0);
    stops.protect = stops.protect && hearsay(gateway).ns == 0;
    return stops;
}

/* The exchange has taken it, and it stands alone: beside one that it replaced and that the broker still
 * lists, its successor would count as sold twice and be refused. */
static bool is_replaceable(const struct stops *stops) {
    const struct order *stop = stops->newest;
    return stops->count == 1 && !stop->is_oco && stop->state == ORDER_WORKING &&
           stop->status == STATUS_NEW && !stop->is_ended;
}

/* It would sell new shares at the price of old ones, or more of them than there are; or its stop is dead. */
static void release_old(struct gateway *gateway, struct order *stop) {
    if (stop->cancel_at.ns != 0) {
        gateway_ask(gateway, stop);
    }
    gateway_cancel(gateway, stop);
}

/* A split is due and the price is of the shares behind it, or nobody could be asked about one yet: a stop now would
 * be of shares that are about to be, or are, others. Both end by themselves; what rests stays, and bare is told as
 * ever. */
static bool is_about_to_split(const struct holding *holding) {
    MUTATE(stop_beside_a_due_split, return false);
    return (holding->is_new_price && !holding->is_split_overdue) || holding->is_split_awaited;
}

/* What may be sold whichever shares they are: the smaller of the two quantities. */
static struct qty stop_qty(const struct gateway *gateway, const struct holding *holding) {
    struct qty qty = holding_sellable(holding);
    struct qty split = {0};
    if (may_be_split(gateway, holding) && split_qty(&holding->due, qty, &split, NULL) == ERR_OK) {
        qty = qty_min(qty, split);
    }
    return qty_whole(qty);
}

static void protect(struct gateway *gateway, struct exits *exits, struct holding *holding) {
    if (holding_short(holding).nanos > 0) {
        /* no stop of ours protects it: a sale would only add to it, and its exit is at work; but what rests does so
         * for as long as one listing alone says this */
        const struct order *rests = orders_live(gateway->orders, holding->symbol, PURPOSE_STOP);
        bool is_doubted = holding->qty.nanos > 0 && !exits_is_cover(exits, holding->symbol) &&
                          rests != NULL && qty_cmp(order_open_qty(rests), holding->qty) >= 0;
        mark_naked(gateway, holding, !is_doubted, is_doubted ? rests->stop_price : (struct usd){0});
        return;
    }
    const struct exit_plan *plan = exits_find(exits, holding->symbol);
    struct qty due = qty_whole(holding_sellable(holding));
    struct stops stops = stops_of(gateway, holding, due);
    struct order *stop = stops.newest;
    struct qty most = stop_qty(gateway, holding);
    bool is_oco = stop != NULL && stop->is_oco;
    bool covers = stop != NULL && qty_cmp(is_oco ? stops.open : order_open_qty(stop), most) >= 0;
    /* Shares of an entry not yet settled cannot be sold by arithmetic, but they are there, and bare. */
    const struct order *entry = orders_live(gateway->orders, holding->symbol, PURPOSE_ENTRY);
    bool is_bare = entry != NULL && entry->state == ORDER_UNKNOWN && holding->broker_qty.nanos > 0;
    mark_naked(gateway, holding, is_bare || (due.nanos > 0 && !stops.protect),
               stop == NULL ? (struct usd){0} : stop->stop_price);
    bool is_old = stop != NULL && stop->is_of_old_shares;
    bool is_in_transaction = plan != NULL && plan->phase != EXIT_DECIDED;
    bool is_low = covers && !is_oco && is_raised(stop_price(gateway, holding), stop->stop_price);
    if (causes_mode(gateway->causes) == MODE_HALT) {
        return; /* what rests stays, nothing is sent; the page is mark_naked's */
    }
    if (is_old && !is_in_transaction) { /* brokers cancel it by themselves, mostly */
        release_old(gateway, stop);
        return;
    }
    if (stops.dead != NULL && !is_in_transaction) {
        release_old(gateway, stops.dead);
        return;
    }
    if ((covers && !is_low) || most.nanos <= 0 || is_in_transaction || holding->differs ||
        is_about_to_split(holding) || entry_in_the_way(gateway, holding)) {
        return;
    }
    struct usd through = stop_price(gateway, holding);
    bool is_through = holding->has_mark && usd_cmp(holding->mark, through) <= 0;
    if (is_through && covers) {
        return; /* too late to raise: the trailing exit decides */
    }
    if (is_through && (stop == NULL || is_oco)) {
        exits_decide(exits, holding, PURPOSE_EXIT, (struct qty){0}, "stop_through");
        return;
    }
    if (stop == NULL) {
        place(gateway, holding, most, NULL);
    } else if (is_oco) {
        place(gateway, holding, qty_sub(most, stops.open), NULL);
    } else if (is_replaceable(&stops)) {
        place(gateway, holding, most, stop);
    }
}

/* Not listed is not yet gone: what the book counts may be bare until the listings have lacked it for
 * GONE_AFTER, by when reconciliation has told of it. Nothing is sent for it. A listing may lag behind a
 * fill; one that still lacks it after LISTED_WITHIN leaves it bare since the fill. */
static void doubt(struct gateway *gateway, struct holding *holding) {
    MUTATE(unlisted_not_doubted, return);
    struct mono now = clock_mono(gateway->world->clock);
    struct qty due = qty_whole(holding->qty);
    struct span since_fill = mono_sub(now, holding->quiet_since);
    bool is_gone = holding->differs && mono_sub(now, holding->differs_since).ns >= GONE_AFTER.ns;
    bool is_naked = due.nanos > 0 && !is_gone && !stops_of(gateway, holding, due).protect;
    MUTATE(unlisted_is_safe_meanwhile, if (!holding->is_naked && since_fill.ns < LISTED_WITHIN.ns) is_naked = false);
    if (is_naked && !holding->is_naked && since_fill.ns < LISTED_WITHIN.ns) {
        return; /* no sign that it is bare, nor that it is safe */
    }
    mark_naked(gateway, holding, is_naked, (struct usd){0});
}

enum err_code protective_stops_refuse_live(const struct config *config, bool is_live,
                                           struct err *err) {
    MUTATE(oco_in_live, return ERR_OK);
    return is_live && config->stops_oco
               ? err_set(err, ERR_CONFIG,
                         "stops.oco: must be 0 in live: how the broker re-prices an OCO is not "
                         "proven; write \"stops.oco\": false")
               : ERR_OK;
}

void protective_stops_step(struct gateway *gateway, struct exits *exits) {
    if (!gateway->config->stops_on) {
        return;
    }
    for (size_t i = 0; i < gateway->book->count; i++) {
        struct holding *holding = &gateway->book->items[i];
        /* a position is known by its first fill, whenever the next listing comes */
        if (holding->is_listed || holding->is_ahead) {
            protect(gateway, exits, holding);
        } else {
            doubt(gateway, holding);
        }
    }
}
