/* broker.h - a simulated Alpaca: HTTP requests in, HTTP answers out.
 *
 * Two faces: the ledger (what is true; read by judges through the functions below and told to the
 * observer as EVENT_LEDGER_*), and the API (what a client sees). Everything happens at the broker's
 * own time, which broker_advance_to() moves; a request is handled at that instant.
 *
 * Routes: GET /v2/account, /v2/clock, /v2/calendar, /v2/assets[/x], /v2/positions[/x],
 * /v2/orders[/id], /v2/orders:by_client_order_id, /v2/account/activities[/type]; POST, PATCH,
 * DELETE of orders; GET and PATCH of /v2/account/configurations; /v2/stocks: bars (1Min, 1Day),
 * latest bars, quotes and trades, snapshots, each for many and for one; and /v1/corporate-actions, where what the weather makes is told as a cash
 * dividend, or a split. The path alone decides, so that one base URL serves trading and data.
 * All else is 404 40410000.
 *
 * Where Alpaca's documents differ, or say nothing (alpaca-api.md 12), here:
 *   - orders are market, limit, stop, stop_limit x day, gtc, ioc; no notional. Fractions to nine decimals in simple
 * market and limit day orders;
 *   - of the classes simple, bracket and oco (sim_group.h): no oto, no mleg (422). An answer to POST tells the legs,
 * one to PATCH does not;
 *   - PATCH: the old order is replaced at once; the successor has filled_qty 0 and a quantity of
 * the requested total less what was filled before;
 *   - DELETE of an order in pending_cancel is 204 again, of a closed one 422;
 *   - client order ids are unique for ever, those of PATCH too; without one a UUID is drawn;
 *   - the latencies of broker_options hold for cancels too, also outside sessions; a queued order
 *     becomes new at the open; nothing trades outside sessions, extended_hours or not;
 *   - a market order reserves the far side of the quote and 4 %; a pending cancel still reserves;
 *   - a buy stop's limit (4 % or 2.5 % above) is not told: limit_price stays null;
 *   - a second's liquidity is the larger of its volume and the quoted size, spent once a side;
 *   - buying power is multiplier x equity - long and short value - reserved;
 *   - shorting is off unless an option turns it on; then a sale of what is not held opens a short position,
 * except in what is hard to borrow (no locate, as on paper) and under no_shorting, and a buy closes one; no order
 * crosses zero (403, insufficient qty), a bust may, and a hand. No borrow fee;
 *   - of the account's configuration suspend_trade, no_shorting and max_margin_multiplier are obeyed, from the
 *     next request on; the other members are told as they are by default, and a PATCH of them changes nothing;
 *   - while trading is suspended new orders and new prices are 403 40310000 (lumibot issue 373), cancels go on;
 *   - a spin-off gives whole shares at their market price as cost, takes that off the source's ("cost basis may be
 *     adjusted", Alpaca, mandatory corporate actions), pays a fraction in cash (CIL) and cancels the source's orders;
 *   - a split takes effect between sessions, at once in positions, orders and prices: open orders are canceled,
 *     GTC too, whole shares are credited and the fraction paid out, with one SPLIT activity of the difference;
 *     the last trade before it is told at its new price, bars of before it stay raw;
 *   - the forty days before the market's first are told as daily bars too, so that a stock has a
 *     volume on its first day; a dividend that is announced is not paid, and one that
 *     is paid is not announced;
 *   - a symbol is not tradable from the evening of its last date on; open orders in it rest.
 * The market is asked for nothing later than broker_now(). */
#ifndef BROKER_SIM_API_BROKER_H
#define BROKER_SIM_API_BROKER_H

#include "broker_sim/account/sim_account.h"
#include "broker_sim/exchange/sim_weather.h"
#include "broker_sim/market/market.h"
#include "core/world/http.h"
#include "core/world/observe.h"

struct broker;

struct broker_options {
    uint64_t seed;
    struct utc start;
    struct usd cash;
    int multiplier;    /* 1, 2 or 4: as approved; the configuration may ask for less */
    bool may_be_short; /* approved for shorting: false */
    struct sim_configuration configuration;
    const char *account_number; /* copied, as all strings */
    const char *key_id;
    const char *secret;
    bool has_pdt_fields;        /* the account as before 2026-07 */
    bool hides_held;            /* legs that are `held` are not among the open orders (pains 32) */
    int64_t rate_limit_per_min; /* 200; 0 for none */
    struct span accept_latency_max;   /* pending_new -> new; 0 to this, drawn per order */
    struct span fill_latency_max;     /* an eligible market order fills 0 to this later */
    struct ratio partial_fill_chance; /* of an eligible fill; Alpaca paper: 0.10 */
    struct ratio late_reject_chance;  /* accepted, then rejected asynchronously (pains 15) */
    struct observer *observer;        /* may be NULL */
};

/* Alpaca paper as documented: 100,000 USD, multiplier 2, nothing configured, 200 requests a minute, 0.8 s latencies, 10
 * % partial fills, 0.3 % late rejects, key "SIM-KEY", secret "SIM-SECRET". */
struct broker_options broker_options_paper(uint64_t seed, struct utc start);

/* market is borrowed and outlives the broker. */
enum err_code broker_create(struct market *market, const struct broker_options *options,
                            struct broker **out, struct err *err) MUST_USE;
void broker_destroy(struct broker *broker);

struct utc broker_now(const struct broker *broker);
/* Moves time, matching and expiring orders on the way. Never back. */
void broker_advance_to(struct broker *broker, struct utc at);
/* Handles one request at broker_now(); always fills the response (404 for an unknown route). */
void broker_handle(struct broker *broker, const struct http_request *request,
                   struct http_response *response);
/* From now on only this key pair is known. */
void broker_change_key(struct broker *broker, const char *key_id, const char *secret);
/* The account's configuration, as its user set it, here or by PATCH. */
struct sim_configuration broker_configuration(const struct broker *broker);
void broker_configure(struct broker *broker, const struct sim_configuration *configuration);
/* A deposit (positive) or withdrawal: CSD or CSW activity, cash moves at once. */
void broker_move_cash(struct broker *broker, struct usd amount);

/* --- the sea: what befalls orders from outside the rules --- */

/* Copied; NULL for calm. Prices have a weather of their own (market_set_weather()). */
void broker_set_weather(struct broker *broker, const struct sim_weather *weather);
/* The broker cancels an open order by itself; false if there is no such order, or it is closed. */
bool broker_cancel_unasked(struct broker *broker, const char *client_id);
/* Likewise every stop that waits in a symbol, as where trading is halted. */
void broker_cancel_stops(struct broker *broker, size_t symbol);
/* A trade bust: an order's last execution is undone, shares and cash go back, the order and its
 * activities stay; told as EVENT_LEDGER_FILL of the other side with the id "bust:CLIENT_ID". False
 * if there is none, or the shares are held, or sold and the account may not be short. */
bool broker_bust(struct broker *broker, const char *client_id);
bool broker_may_bust(const struct broker *broker, const char *client_id);
/* Somebody sells beside the program, as with DELETE /v2/positions/SYMBOL and what protected it out of the way:
 * its open sells are cancelled and all that is held is sold at market; of what is not held, ten shares are sold
 * short, by the broker's own desk, which no no_shorting binds. False if it cannot be: the market is closed, an order
 * is open there that would forbid it, or the account may not be short. */
bool broker_sell_by_hand(struct broker *broker, size_t symbol);
bool broker_may_sell_by_hand(const struct broker *broker, size_t symbol);

/* A dividend of so much a share of what is held (DIV), and a fee (FEE): cash moves at once, no price does. */
void broker_pay_dividend(struct broker *broker, size_t symbol, struct usd per_share);
void broker_charge(struct broker *broker, struct usd fee);
/* Splits a symbol: see sim_exchange_split(). Its prices are whose weather they are. */
void broker_split(struct broker *broker, size_t symbol, const struct sim_split *split);
/* A spin-off: what it would give now; what it gives (see sim_exchange_spin_off()); and its activities, which may come
 * before or after. The source's price is whose weather it is. */
struct sim_spun broker_spin_due(struct broker *broker, const struct sim_spin_off *spin);
struct sim_spun broker_spin_off(struct broker *broker, const struct sim_spin_off *spin,
                                bool is_told);
void broker_tell_spin_off(struct broker *broker, size_t spun, const struct sim_spun *given);
/* What a share is valued at now; false without a price. */
bool broker_price(struct broker *broker, size_t symbol, struct usd *out);

/* --- the ledger, for judges and results --- */
struct ledger_order {
    const char *id, *client_id, *symbol, *status, *type, *side;
    struct qty qty, filled_qty;
    struct usd filled_avg_price;
    struct utc submitted_at;
    bool is_open;
};
size_t broker_order_count(const struct broker *broker);
void broker_order_at(const struct broker *broker, size_t index, struct ledger_order *out);
struct usd broker_cash(const struct broker *broker);
struct usd broker_equity(struct broker *broker);
struct qty broker_position_qty(const struct broker *broker, const char *symbol);
int64_t broker_fill_count(const struct broker *broker);

#endif
