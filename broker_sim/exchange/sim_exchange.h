/* sim_exchange.h - the simulated exchange and the broker's own checks before it.
 *
 * Time moves in sim_exchange_advance() from event to event: due instants of orders, whole seconds
 * of the session while an order is working, session closes. At equal times: the close, then orders
 * by number. Matching, per order and second (alpaca-api.md 7):
 *   - a market order takes the far side of the quote once its drawn latency is over;
 *   - a buy limit fills when limit >= ask, at the ask; a sell limit when limit <= bid, at the bid;
 *   - a stop is elected by a last trade at or through it: a sell stop becomes a market order, a buy
 * stop a limit order at its collar (4 % above, 2.5 % from 50 USD on), a stop limit a limit order;
 *   - all orders of a symbol and side share the second's liquidity: the larger of the second's
 * volume and the quoted size, spent once;
 *   - with partial_fill_chance a drawn part of whole shares is executed, the rest looked at again
 *     in the next second. An ioc order gets one look, then its rest is canceled.
 * Nothing trades outside sessions, nor after a symbol's last date, nor while the market halts it;
 * market orders are refused then. Draws are keyed by (seed, name,
 * order number, ...), so that one more order changes no other order's draws. */
#ifndef BROKER_SIM_EXCHANGE_SIM_EXCHANGE_H
#define BROKER_SIM_EXCHANGE_SIM_EXCHANGE_H

#include "broker_sim/exchange/sim_index.h"
#include "broker_sim/exchange/sim_order.h"
#include "broker_sim/exchange/sim_refusal.h"
#include "broker_sim/exchange/sim_weather.h"
#include "core/world/observe.h"

struct sim_rules {
    uint64_t seed;
    struct span accept_latency_max, fill_latency_max;
    struct ratio partial_fill_chance, late_reject_chance;
    struct observer *observer; /* may be NULL */
};

struct sim_liquidity { /* what orders of one symbol took in one second */
    int64_t second_ns;
    struct qty bought, sold;
};

struct sim_exchange {
    struct market *market;       /* borrowed */
    struct sim_account *account; /* borrowed */
    struct sim_rules rules;
    struct utc now;
    bool has_session;          /* false once the calendar ends */
    struct session session;    /* the one that contains now, else the next */
    int64_t stepped_ns;        /* the second matched last */
    struct sim_order **orders; /* by number; owned, never freed before the exchange */
    size_t order_count, order_room;
    struct sim_order **live; /* open orders by number */
    size_t live_count, live_room;
    struct sim_index by_id, by_client_id;
    struct sim_liquidity liquidity[MARKET_SYMBOLS_MAX];
    struct sim_weather weather; /* its functions are NULL in calm */
};

void sim_exchange_init(struct sim_exchange *exchange, struct market *market,
                       struct sim_account *account, const struct sim_rules *rules,
                       struct utc start);
void sim_exchange_release(struct sim_exchange *exchange);
void sim_exchange_advance(struct sim_exchange *exchange, struct utc at);

static inline bool sim_exchange_is_open(const struct sim_exchange *exchange) {
    return exchange->has_session && exchange->now.ns >= exchange->session.open.ns &&
           exchange->now.ns < exchange->session.close.ns;
}
/* False from the evening of the symbol's last date on. */
bool sim_exchange_is_tradable(const struct sim_exchange *exchange, size_t symbol);
/* What is said of a symbol now. One that the weather alone makes untradable may be sold all the same. */
struct sim_asset sim_exchange_asset(const struct sim_exchange *exchange, size_t symbol);
/* What the house asks for beyond the rule's maintenance margin, of all that is held now. */
struct usd sim_exchange_house_margin(const struct sim_exchange *exchange);

struct sim_order *sim_exchange_find(const struct sim_exchange *exchange, const char *id);
struct sim_order *sim_exchange_find_client(const struct sim_exchange *exchange,
                                           const char *client_id);

struct sim_intent {        /* a well-formed order, not yet judged */
    const char *client_id; /* "" to generate one */
    size_t symbol;
    enum sim_side side;
    enum sim_type type;
    enum sim_tif tif;
    struct qty qty;
    struct usd limit, stop; /* as the type needs; of an OCO the limit is its take profit */
    bool is_extended;
    enum sim_class class;
    struct usd take_profit; /* of a bracket */
    struct usd stop_loss;   /* of a bracket or OCO, and, if it has one, its limit */
    bool has_stop_limit;
    struct usd stop_limit;
    bool
        is_by_hand; /* of the broker's own desk: what the account's user forbade does not bind it */
};
/* What an order of a side would do now: a buy of what is short closes it, and a sale of what is not held opens
 * a short position, where the account may have one. */
bool sim_exchange_opens(const struct sim_exchange *exchange, size_t symbol, enum sim_side side);
/* NULL and a refusal, or the order, pending_new or accepted. */
struct sim_order *sim_exchange_submit(struct sim_exchange *exchange,
                                      const struct sim_intent *intent, struct sim_refusal *refusal);

struct sim_change { /* of PATCH */
    bool has_qty, has_limit, has_stop, has_tif;
    struct qty qty; /* total, shares filled before included */
    struct usd limit, stop;
    enum sim_tif tif;
    const char *client_id; /* "" to generate one */
};
/* The old order becomes replaced at once; the successor starts with filled_qty 0 and a quantity of
 * the requested total less what was filled before. In a group it takes the old order's place, and nothing but
 * prices may change (sim_group.h). NULL and a refusal, else the successor. */
struct sim_order *sim_exchange_replace(struct sim_exchange *exchange, struct sim_order *order,
                                       const struct sim_change *change,
                                       struct sim_refusal *refusal);

/* Asks for a cancel, which takes a drawn while; fills may come before. Again on pending_cancel: no
 * effect, true. False and a refusal for a closed order. */
bool sim_exchange_cancel(struct sim_exchange *exchange, struct sim_order *order,
                         struct sim_refusal *refusal);

/* The broker cancels by itself, at once. The order is open. */
void sim_exchange_cancel_unasked(struct sim_exchange *exchange, struct sim_order *order);
/* Likewise every stop that waits in a symbol, those of legs too, each told before as EVENT_FRAME "halt_cancels". */
void sim_exchange_cancel_stops(struct sim_exchange *exchange, size_t symbol);
/* Undoes an order's last execution in the account's books: shares and cash go back. False if it has
 * none, or if the shares are held by open sells, or sold and the account may not be short: where it may, it
 * is then. The order stays what it is. */
bool sim_exchange_bust(struct sim_exchange *exchange, struct sim_order *order);
bool sim_exchange_may_bust(const struct sim_exchange *exchange, const struct sim_order *order);

/* A split, between two sessions: what is held becomes other shares, and the broker cancels every open order in the
 * symbol, for its price and quantity mean another stock. Told as EVENT_LEDGER_FILL at the new price, of what is
 * more or fewer, with the id "split:SYMBOL", or "moved:SYMBOL" of one that nobody tells of. */
void sim_exchange_split(struct sim_exchange *exchange, size_t symbol,
                        const struct sim_split *split);

/* A spin-off, between two sessions: shares of another symbol are given for what is held, and open orders in the source
 * end as by a split. Told as EVENT_LEDGER_FILL of the new symbol, with the id "spin:SOURCE", or "given:SOURCE" of one
 * that nobody tells of, where a whole share is given; of its source as EVENT_FRAME "spun_off" always. */
struct sim_spun sim_exchange_spin_off(struct sim_exchange *exchange,
                                      const struct sim_spin_off *spin, bool is_told);

/* Buying power that orders hold which open a position. */
struct usd sim_exchange_reserved(const struct sim_exchange *exchange);
/* Shares that open orders hold which close a position, by symbol; of a short one below zero. */
void sim_exchange_held(const struct sim_exchange *exchange, struct qty held[MARKET_SYMBOLS_MAX]);

/* --- inside the room --- */

/* Checks in the order Alpaca makes them; `old` is the order being replaced, or NULL. */
bool sim_rules_allow(struct sim_exchange *exchange, const struct sim_intent *intent,
                     const struct sim_order *old, struct sim_refusal *refusal);
/* True if a price has no more decimals than Rule 612 allows. */
bool sim_price_is_on_tick(struct usd price);
/* What one share of an order reserves: nothing if it closes. */
struct usd sim_reserve_price(struct sim_exchange *exchange, const struct sim_intent *intent);
/* Limit of an elected buy stop. */
struct usd sim_stop_collar(struct usd stop);
/* Looks once at an order that is working. */
void sim_match(struct sim_exchange *exchange, struct sim_order *order);
/* Executes all that is left at the quote, at the limit if that is worse for the market; nothing while
 * the symbol does not trade. */
void sim_fill_rest(struct sim_exchange *exchange, struct sim_order *order);
/* A new order, judged already; a leg if it has a parent. Its group's pointers are the caller's. */
struct sim_order *sim_exchange_enter(struct sim_exchange *exchange, const struct sim_intent *intent,
                                     struct sim_order *parent);
/* Moves an order to a status now, tells the observer, takes closed orders off the live list, and does what
 * that means for its group: others may be closed when it returns. */
void sim_exchange_move(struct sim_exchange *exchange, struct sim_order *order,
                       enum sim_status status);

#endif
