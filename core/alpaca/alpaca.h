/* alpaca.h - the broker as a client sees it: requests out, checked structs in.
 *
 * Parsers tolerate missing fields we do not need, new fields and new words (alpaca-api.md, facts 1 to
 * 20); what we need and cannot read is ERR_PARSE naming request, key and place. Nothing here waits or
 * retries: a caller that wants again comes back in a later tick.
 *
 * Return codes of every call: ERR_OK; ERR_NOT_SENT (nothing happened: no connection, or the rate
 * budget refused); ERR_UNKNOWN (it may have happened: timeout, reset, 5xx, an unreadable answer to a
 * change); ERR_REFUSED (the broker said no: reply tells status and code); ERR_NOT_FOUND (404);
 * ERR_PARSE (an unreadable answer to a read). alpaca_reply() describes the last call. */
#ifndef CORE_ALPACA_ALPACA_H
#define CORE_ALPACA_ALPACA_H

#include "core/alpaca/circuit_breaker.h"
#include "core/base/calendar.h"
#include "core/base/decimal.h"
#include "core/base/histogram.h"
#include "core/world/world.h"

#define SYMBOL_MAX 16
#define ORDER_ID_MAX 48
#define CLIENT_ID_MAX 48

/* Upper bounds of one answer; more is ERR_LIMIT. */
#define ALPACA_POSITIONS_MAX 256
#define ALPACA_ORDERS_MAX 500 /* open ones; of others it is the page */

enum order_side { SIDE_BUY, SIDE_SELL };
enum order_type { ORDER_MARKET, ORDER_LIMIT, ORDER_STOP, ORDER_STOP_LIMIT, ORDER_TYPE_OTHER };
enum order_tif { TIF_DAY, TIF_GTC, TIF_IOC, TIF_OTHER };

/* status, word, is terminal, may fill */
#define BROKER_STATUSES(X)                                                                         \
    X(STATUS_NEW, "new", false)                                                                    \
    X(STATUS_PARTIALLY_FILLED, "partially_filled", false)                                          \
    X(STATUS_FILLED, "filled", true)                                                               \
    X(STATUS_DONE_FOR_DAY, "done_for_day", false)                                                  \
    X(STATUS_CANCELED, "canceled", true)                                                           \
    X(STATUS_EXPIRED, "expired", true)                                                             \
    X(STATUS_REPLACED, "replaced", true)                                                           \
    X(STATUS_PENDING_CANCEL, "pending_cancel", false)                                              \
    X(STATUS_PENDING_REPLACE, "pending_replace", false)                                            \
    X(STATUS_ACCEPTED, "accepted", false)                                                          \
    X(STATUS_PENDING_NEW, "pending_new", false)                                                    \
    X(STATUS_ACCEPTED_FOR_BIDDING, "accepted_for_bidding", false)                                  \
    X(STATUS_STOPPED, "stopped", false)                                                            \
    X(STATUS_REJECTED, "rejected", true)                                                           \
    X(STATUS_SUSPENDED, "suspended", false)                                                        \
    X(STATUS_CALCULATED, "calculated", false)                                                      \
    X(STATUS_HELD, "held", false)                                                                  \
    X(STATUS_OTHER, "?", false) /* a word we do not know */

enum broker_status {
#define X(status, word, is_terminal) status,
    BROKER_STATUSES(X)
#undef X
};

const char *broker_status_word(enum broker_status status);
bool broker_status_is_terminal(enum broker_status status);
const char *order_side_word(enum order_side side);
const char *order_type_word(enum order_type type);
const char *order_tif_word(enum order_tif tif);

struct broker_account {
    char id[ORDER_ID_MAX];
    char number[32];
    char status[32];
    struct usd cash;
    struct usd equity;
    struct usd last_equity;
    struct usd buying_power;
    struct usd long_market_value;
    bool has_maintenance;
    struct usd maintenance_margin; /* of what is held; below it the broker sells */
    bool is_blocked;               /* trading_blocked, account_blocked or is_suspended */
    bool is_suspended;             /* trade_suspended_by_user: no new order is taken */
    struct date balance_asof;      /* {0} when absent */
};

struct
    broker_configuration { /* of the account, as its user set it; what else it holds is not read */
    bool no_shorting;
    bool is_suspended;         /* suspend_trade */
    int max_margin_multiplier; /* 1, 2 or 4 */
};

struct configuration_change {  /* what goes into the PATCH of it; what is zero is left as it is */
    bool sets_no_shorting;     /* to true */
    int max_margin_multiplier; /* 1, 2 or 4 */
    enum configuration_switch {
        CONFIGURATION_LEAVE,
        CONFIGURATION_ON,
        CONFIGURATION_OFF
    } suspend_trade;
};

struct broker_clock {
    struct utc timestamp;
    bool is_open;
    struct utc next_open;
    struct utc next_close;
};

struct broker_position {
    char symbol[SYMBOL_MAX];
    struct qty qty; /* negative for short */
    struct qty qty_available;
    struct usd avg_entry_price;
    bool has_price;
    struct usd current_price;
};

struct broker_order {
    char id[ORDER_ID_MAX];
    char client_id[CLIENT_ID_MAX];
    char symbol[SYMBOL_MAX];
    enum order_side side;
    enum order_type type;
    enum order_tif tif;
    enum broker_status status;
    char status_word[24];  /* as sent */
    struct qty qty;        /* zero for a notional order */
    struct qty filled_qty; /* cumulative */
    bool has_avg;
    struct usd filled_avg_price; /* of all fills */
    bool has_limit;
    struct usd limit_price;
    bool has_stop;
    struct usd stop_price; /* of an OCO that is told with its legs: its stop's */
    bool is_oco;   /* its take profit; id, limit and words are that one's, filled is both's */
    bool has_legs; /* of an OCO: the stop was told inside it */
    char leg_id[ORDER_ID_MAX]; /* that stop while it is open; "": it is over */
    bool is_leg_alone;     /* the take profit is over and the stop is not: status is the stop's */
    bool are_legs_unclear; /* told, and not to be read as one stop: then nothing is said of it */
    char replaced_by[ORDER_ID_MAX];
    char replaces[ORDER_ID_MAX];
    struct utc submitted_at; /* {0} when null */
};

/* Folds what was told of an OCO's stop into what was told of its take profit, which says nothing of it so far. */
void broker_order_take_leg(struct broker_order *order, const struct broker_order *leg);

struct broker_activity { /* FILL, CSD, CSW and others */
    char id[96];
    char type[12];
    struct utc at; /* transaction time of a fill; for others 16:00 New York of its date */
    char symbol[SYMBOL_MAX];
    char order_id[ORDER_ID_MAX];
    enum order_side side;
    struct qty qty;
    struct qty cum_qty;
    struct usd price;
    struct usd net_amount; /* non-trade activities */
    bool is_canceled;      /* one of these that was undone */
};

struct broker_quote { /* latest NBBO; a zero price is no quote on that side */
    bool is_known;
    struct utc at;
    struct usd bid;
    struct usd ask;
    struct qty bid_size;
    struct qty ask_size;
};

struct broker_trade {
    bool is_known;
    struct utc at;
    struct usd price;
    struct qty size;
};

struct broker_bar { /* one minute; t is its start */
    struct utc at;
    struct usd open, high, low, close;
    int64_t volume;
};

struct broker_asset { /* what the broker says of a symbol */
    char symbol[SYMBOL_MAX];
    bool is_tradable; /* an active US equity that orders are taken for */
    bool is_otc;      /* listed on no exchange */
    bool is_easy_to_borrow;
};

struct order_request { /* what goes into POST /v2/orders */
    char client_id[CLIENT_ID_MAX];
    char symbol[SYMBOL_MAX];
    enum order_side side;
    enum order_type type;
    enum order_tif tif;
    struct qty qty;
    struct usd limit_price; /* limit, stop_limit */
    struct usd stop_price;  /* stop, stop_limit, oco */
    bool is_oco;     /* type limit: limit_price is the take profit's, stop_price the stop's */
    bool is_closing; /* position_intent *_to_close, else *_to_open */
};

struct order_change { /* what goes into PATCH; zero members are left as they are */
    char client_id[CLIENT_ID_MAX];
    struct qty qty;
    struct usd limit_price;
    struct usd stop_price;
};

struct alpaca_reply {     /* of the last call */
    int status;           /* 0 when no answer came */
    int64_t code;         /* of the error body; 0 when absent */
    char message[160];    /* decides nothing but is_by_user, for which there is no code */
    bool is_duplicate_id; /* 422 and the id was in use: found by asking, not by wording */
    bool is_wash;         /* refused for an order of the account on the other side */
    bool is_by_user;      /* 403: the account's user has suspended trading (lumibot issue 373) */
    bool is_held_back;    /* rate budget or breaker refused: the broker was not asked at all */
    /* minute bars: ERR_PARSE is of single bars; the others, of which there is one, were visited */
    bool is_whole;
    int64_t retry_after_s;    /* as the answer said; -1 when it did not, or none came */
    struct mono last_byte_at; /* when the request had left at the latest */
};

struct alpaca_options {
    struct world *world; /* borrowed */
    const char *key_id;  /* copied, wiped at destroy */
    const char *secret;
    const char *feed;                         /* "sip" or "iex" */
    struct span read_deadline;                /* 3 s */
    struct span submit_deadline;              /* 5 s */
    struct span slow_deadline;                /* 10 s: housekeeping */
    int64_t rate_core, rate_exit, rate_other; /* requests a minute: 140, 40, 20 */
    struct breaker_rules breaker;             /* failures 0: none ever opens */
};

struct alpaca;

enum err_code alpaca_create(const struct alpaca_options *options, struct alpaca **out,
                            struct err *err) MUST_USE;
/* Asks for the account with another key pair and goes on with it if that is account `number` ("": any);
 * else the old pair stays. ERR_USAGE: too long; ERR_REFUSED: another account; else as the read. */
enum err_code alpaca_change_key(struct alpaca *alpaca, const char *key_id, const char *secret,
                                const char *number, struct err *err) MUST_USE;
bool alpaca_has_key(const struct alpaca *alpaca, const char *key_id, const char *secret);
void alpaca_destroy(struct alpaca *alpaca);
/* Since the client was made. */
struct alpaca_counts {
    int64_t held_back;     /* calls that the rate budget refused */
    int64_t barred;        /* calls that a breaker refused */
    int64_t past_deadline; /* calls that ended at their deadline, unanswered */
};
struct alpaca_counts alpaca_counts(const struct alpaca *alpaca);

/* What fails and recovers by itself, each with its breaker. Those from QUOTES on are of the data host. */
#define ALPACA_ENDPOINTS(X)                                                                        \
    X(ENDPOINT_SUBMIT, "submit")                                                                   \
    X(ENDPOINT_REPLACE, "replace")                                                                 \
    X(ENDPOINT_CANCEL, "cancel")                                                                   \
    X(ENDPOINT_ACCOUNT, "account")                                                                 \
    X(ENDPOINT_CLOCK, "clock")                                                                     \
    X(ENDPOINT_CALENDAR, "calendar")                                                               \
    X(ENDPOINT_POSITIONS, "positions")                                                             \
    X(ENDPOINT_ORDERS, "orders")                                                                   \
    X(ENDPOINT_ORDER, "order")                                                                     \
    X(ENDPOINT_ACTIVITIES, "activities")                                                           \
    X(ENDPOINT_CONFIGURATION, "configuration")                                                     \
    X(ENDPOINT_ASSETS, "assets")                                                                   \
    X(ENDPOINT_QUOTES, "quotes")                                                                   \
    X(ENDPOINT_TRADES, "trades")                                                                   \
    X(ENDPOINT_BARS, "bars")                                                                       \
    X(ENDPOINT_CORPORATE_ACTIONS, "corporate_actions")                                             \
    X(ENDPOINT_SNAPSHOTS, "snapshots")

enum alpaca_endpoint {
#define X(endpoint, word) endpoint,
    ALPACA_ENDPOINTS(X)
#undef X
        ENDPOINT_COUNT
};
const char *alpaca_endpoint_word(enum alpaca_endpoint endpoint);

struct alpaca_meter {         /* of an endpoint, since the client was made */
    int64_t requests;         /* handed to the network */
    int64_t failed;           /* of those: no answer, or 5xx */
    int64_t refused;          /* 4xx */
    struct histogram seconds; /* by HISTOGRAM_SECONDS */
};
const struct alpaca_meter *alpaca_meter(const struct alpaca *alpaca, enum alpaca_endpoint endpoint);
/* The lowest of a mask, which is not empty. */
enum alpaca_endpoint alpaca_first_endpoint(unsigned mask);
/* The endpoints whose breaker is open, one bit each; while any is, no entry is sent. Not of them are those that
 * universe_guard reads by symbol: what they did not say holds its own symbol alone; nor snapshots, without which entries
 * go by bars; nor the account's configuration: entries wait for it anyway once it is not known. */
unsigned alpaca_open_breakers(struct alpaca *alpaca);
/* Nor are bars of them while snapshots fill in for them: an entry then asks how old its own score is. */
void alpaca_spare_bars(struct alpaca *alpaca, bool is_spared);
/* Those and the half-open ones. */
unsigned alpaca_tripped_breakers(const struct alpaca *alpaca);
/* Valid until the next call. */
const struct alpaca_reply *alpaca_reply(const struct alpaca *alpaca);

/* The budget lanes: entries and polls spend core, exits and cancels their own first and core's when
 * theirs is empty, housekeeping the rest. Tokens refill on the monotonic clock; a 429 closes the core lane,
 * or that of housekeeping if it was told there, until Retry-After (or 5 s). Set before a call;
 * ALPACA_LANE_CORE is the default. */
enum alpaca_lane { ALPACA_LANE_CORE, ALPACA_LANE_EXIT, ALPACA_LANE_OTHER };
void alpaca_set_lane(struct alpaca *alpaca, enum alpaca_lane lane);

enum err_code alpaca_get_account(struct alpaca *alpaca, struct broker_account *out,
                                 struct err *err) MUST_USE;
/* ERR_PARSE: a member that we read is missing, or says what Alpaca does not document. */
enum err_code alpaca_get_configuration(struct alpaca *alpaca, struct broker_configuration *out,
                                       struct err *err) MUST_USE;
/* Asks for a change. ERR_OK: it was taken; what holds now must be read. ERR_UNKNOWN: it may hold. */
enum err_code alpaca_set_configuration(struct alpaca *alpaca,
                                       const struct configuration_change *change,
                                       struct err *err) MUST_USE;
enum err_code alpaca_get_clock(struct alpaca *alpaca, struct broker_clock *out,
                               struct err *err) MUST_USE;
/* Sessions of the calendar between two dates, both included; at most max. */
enum err_code alpaca_get_calendar(struct alpaca *alpaca, struct date first, struct date last,
                                  struct session *out, size_t max, size_t *count,
                                  struct err *err) MUST_USE;
/* out has room for ALPACA_POSITIONS_MAX. */
enum err_code alpaca_get_positions(struct alpaca *alpaca, struct broker_position *out,
                                   size_t *count, struct err *err) MUST_USE;
/* One of them, by another way than the list. ERR_NOT_FOUND: nothing is held, as it says. */
enum err_code alpaca_get_position(struct alpaca *alpaca, const char *symbol,
                                  struct broker_position *out, struct err *err) MUST_USE;
/* From now on an OCO is told as one order, with its stop inside it; else each of the two by itself. */
void alpaca_nest_legs(struct alpaca *alpaca, bool is_nested);
/* All open orders, paged until done; out has room for ALPACA_ORDERS_MAX; ERR_LIMIT beyond. */
enum err_code alpaca_get_open_orders(struct alpaca *alpaca, struct broker_order *out, size_t *count,
                                     struct err *err) MUST_USE;
/* Walks the orders of any status submitted after an instant, oldest first, page by page, however many
 * they are: a day holds what the rate budget lets out. What was taken before a failure stays taken. */
typedef void alpaca_take_order(void *context, const struct broker_order *order);
enum err_code alpaca_get_orders_since(struct alpaca *alpaca, struct utc after,
                                      alpaca_take_order *take, void *context,
                                      struct err *err) MUST_USE;
enum err_code alpaca_get_order(struct alpaca *alpaca, const char *id, struct broker_order *out,
                               struct err *err) MUST_USE;
enum err_code alpaca_get_order_by_client_id(struct alpaca *alpaca, const char *client_id,
                                            struct broker_order *out, struct err *err) MUST_USE;
/* Sends a new order; no byte leaves at or after expires_at. ERR_REFUSED with
 * reply->is_duplicate_id: an order with that id exists; compare it before believing it. */
enum err_code alpaca_submit(struct alpaca *alpaca, const struct order_request *request,
                            struct mono expires_at, struct broker_order *out,
                            struct err *err) MUST_USE;
enum err_code alpaca_replace(struct alpaca *alpaca, const char *id,
                             const struct order_change *change, struct mono expires_at,
                             struct broker_order *out, struct err *err) MUST_USE;
/* ERR_OK: cancel requested, not yet cancelled. ERR_REFUSED: not cancelable (ask for its state). */
enum err_code alpaca_cancel(struct alpaca *alpaca, const char *id, struct err *err) MUST_USE;
/* Activities after an instant, of one type or of all (""), oldest first, paged; out has room for max;
 * *count <= max. */
enum err_code alpaca_get_activities(struct alpaca *alpaca, struct utc after, const char *type,
                                    struct broker_activity *out, size_t max, size_t *count,
                                    struct err *err) MUST_USE;
/* Latest quotes and trades of n symbols, in the order asked; unknown symbols get is_known false. */
enum err_code alpaca_get_quotes(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                                struct broker_quote *out, struct err *err) MUST_USE;
enum err_code alpaca_get_trades(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                                struct broker_trade *out, struct err *err) MUST_USE;
/* The newest minute bar that a snapshot tells of each; at {0} where it tells none. Daily bars, quote and trade of a
 * snapshot are not read: no score is made of them. */
enum err_code alpaca_get_snapshots(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                   size_t n, struct broker_bar *out, struct err *err) MUST_USE;

/* Called for each bar, grouped by symbol, oldest first. */
typedef void alpaca_bar_visit(void *context, size_t symbol_index, const struct broker_bar *bar);
/* Minute bars with start >= from, of n symbols, in so many pages at most: more is ERR_LIMIT, and those
 * were visited. One that is no bar is left out and told as ERR_PARSE behind the last page: it keeps no
 * other from being read. */
enum err_code alpaca_get_bars(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX], size_t n,
                              struct utc from, int64_t pages, alpaca_bar_visit *visit,
                              void *context, struct err *err) MUST_USE;
/* The same of whole days between two dates, both included; a bar's t is New York's midnight. */
enum err_code alpaca_get_daily_bars(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                    size_t n, struct date first, struct date last,
                                    alpaca_bar_visit *visit, void *context,
                                    struct err *err) MUST_USE;
/* What the broker says of one symbol. ERR_NOT_FOUND: it knows none of that name. */
enum err_code alpaca_get_asset(struct alpaca *alpaca, const char *symbol, struct broker_asset *out,
                               struct err *err) MUST_USE;
struct broker_action {
    /* from which on the stock is another: its ex-date, else its effective or process date */
    struct date day;
    /* forward or reverse, with both of its rates, of the symbol that it is told of */
    bool is_split;
    /* a split: old_rate shares become new_rate; a spin-off: old_rate are given new_rate, 0: absurd or not told */
    struct ratio new_rate, old_rate;
    /* a spin-off, of the symbol whose holders are given shares of another */
    bool is_spin_off;
    char new_symbol[SYMBOL_MAX];
};
/* Called for each action and each of the symbols that it names. */
typedef void alpaca_action_visit(void *context, size_t symbol_index,
                                 const struct broker_action *action);
/* Corporate actions of n symbols that are processed between two dates, both included (a dividend is, weeks
 * behind its ex-date), paged until done. */
enum err_code alpaca_get_corporate_actions(struct alpaca *alpaca, const char (*symbols)[SYMBOL_MAX],
                                           size_t n, struct date first, struct date last,
                                           alpaca_action_visit *visit, void *context,
                                           struct err *err) MUST_USE;

#endif
