/* orders.h - every order this program decided and has not seen end, and the table of legal moves.
 *
 * The journal is the authority: row "intent" before the first byte, row "order" at each move, row
 * "fill" at each growth of the filled quantity. An intent without a later row may have been sent: it
 * is UNKNOWN after a restart. Broker quantities are cumulative; what is booked is their growth. */
#ifndef CORE_ORDERS_ORDERS_H
#define CORE_ORDERS_ORDERS_H

#include "core/health/log.h"
#include "core/orders/send_backoff.h"
#include "core/portfolio/book.h"
#include "core/risk/kill_trips.h"
#include "core/signals/strategy.h"

#define ORDERS_MAX 256
#define ORDER_REASON_MAX 24

enum order_purpose { PURPOSE_ENTRY, PURPOSE_EXIT, PURPOSE_SCALE_OUT, PURPOSE_STOP };

/* state, word, is over */
#define ORDER_STATES(X)                                                                            \
    X(ORDER_INTENT, "intent", false)   /* journaled; no byte sent by this process */               \
    X(ORDER_UNKNOWN, "unknown", false) /* it may exist at the broker */                            \
    X(ORDER_WORKING, "working", false) /* the broker has it */                                     \
    X(ORDER_FILLED, "filled", true)                                                                \
    X(ORDER_CANCELED, "canceled", true)                                                            \
    X(ORDER_EXPIRED, "expired", true)                                                              \
    X(ORDER_REPLACED, "replaced", true)                                                            \
    X(ORDER_REJECTED, "rejected", true) /* by the broker, at once or later */                      \
    X(ORDER_LOST, "lost", true)         /* its broker no longer knows it: given up */              \
    X(ORDER_NOT_SENT, "not_sent", true) /* by us at the last look, or no byte left */

enum order_state {
#define X(state, word, is_over) state,
    ORDER_STATES(X)
#undef X
};

struct standstill {            /* for stuck_orders.c alone */
    enum broker_status status; /* as last looked at, with what was filled */
    struct qty filled;
    bool pends, cancels; /* what it waits for, and since when */
    struct mono pending_since, cancel_since;
    bool is_asked;
    struct mono asked_at;
    int told;
};

struct order {
    char client_id[CLIENT_ID_MAX];
    char broker_id[ORDER_ID_MAX]; /* "" until the broker told it */
    char symbol[SYMBOL_MAX];
    enum order_side side;
    enum order_type type;
    enum order_tif tif;
    enum order_purpose purpose;
    char reason[ORDER_REASON_MAX]; /* why: "signal", "hard_stop", "time", ... */
    struct qty qty;
    struct usd limit_price, stop_price;
    /* An OCO at the broker: this order's limit and a stop, of which one ends the other. It is one order here, for so
     * many shares, filled by either; broker_id is the limit's. */
    bool is_oco;
    char leg_id[ORDER_ID_MAX]; /* the stop, as last told; "": unknown, or over */
    bool is_leg_alone;         /* the limit is over and the stop is not */
    bool has_legs;             /* in this life the broker told it with its stop */
    bool is_leg_due;           /* the limit is over by an answer that is silent of the stop: ask */
    struct mono selling_since; /* its stop is taken to sell, at an exit; {0}: not */
    enum order_state state;
    bool is_journaled;         /* a row of the journal names it */
    enum broker_status status; /* while WORKING */
    bool
        is_ended; /* at the broker, whose answer does not let the fills that it ended with be booked */
    struct qty filled;
    struct usd filled_amount; /* filled x average */
    struct utc filled_at;     /* when the last growth was booked */
    struct qty noted;         /* of both, what the journal has */
    struct usd noted_amount;
    struct ratio score;
    /* of an entry, what made its score: the row of its intent says it, for learning_guard */
    struct score_part parts[SCORE_PARTS_MAX];
    size_t part_count;
    struct utc decided_at;
    /* for the engine's metrics alone */
    struct usd decision_mid; /* of the quote then; 0: none, or not yet seen */
    struct utc quoted_at;    /* of that quote */
    struct usd arrival_mid;  /* of the first other quote with the order at the broker; 0: not yet */
    bool is_measured;        /* its end was */
    char replaces[CLIENT_ID_MAX]; /* of the order this one is a PATCH of */
    int attempt;                  /* of an entry that maker_execution works, from 1 on; else 0 */
    char of[CLIENT_ID_MAX];       /* the first order of that entry; "": this one is the first */
    /* settling an unknown */
    struct utc last_byte_at;
    struct mono sent_at;   /* the same by the clock of this boot; {0}: an earlier life sent it */
    struct utc ask_at;     /* not before */
    int asks;              /* answered "not found" after the late-arrival bound */
    int failed_asks;       /* asks that brought no answer */
    bool is_of_old_shares; /* it was live when the book took a split of its symbol */
    bool is_seen;          /* in the listing now being walked */
    struct utc cancel_at;  /* cancel wished since; {0} = no */
    bool has_cancel_left;  /* a request to cancel left, or may have */
    struct mono cancel_left_at;
    struct utc cancel_ask_at;
    /* giving up what the broker acknowledged and no longer knows */
    int lost_asks;           /* answered "not found", counted 30 s apart; 0 once seen again */
    struct mono lost_ask_at; /* the last that was counted */
    bool is_excused;         /* its reject is no sign of trouble: kill_trips.h */
    struct utc given_up_at;  /* LOST since, or NOT_SENT by the broker's word alone; {0}: neither */
    struct standstill still;
    struct mono looked_at; /* by stuck_orders.c; {0}: not yet */
};

#define ORDERS_ENDED_MAX 512
#define ORDERS_LOST_MAX 32

struct orders {
    struct world *world; /* borrowed, all of these */
    struct journal *journal;
    struct book *book;
    struct log *log;
    struct order items[ORDERS_MAX];
    size_t count;
    struct date numbered_day; /* highest n of that day: intents in the journal or at the broker */
    int64_t highest_number;
    struct utc folded_to;        /* time of the last row folded; {0}: none */
    int64_t fills;               /* growths booked since start */
    int64_t entries_cancelled;   /* buys that the broker said are canceled, since start */
    struct send_backoff backoff; /* of exits and stops that the broker rejected */
    struct kill_rejects rejects;
    /* Ids of those whose end the broker told, a ring: a listing that lags does not bring them back to
     * life. One that was never sent, or refused, may still turn up: it is not in here. */
    char ended[ORDERS_ENDED_MAX][CLIENT_ID_MAX];
    size_t ended_count;
    /* Orders given up, a ring: LOST ones, and those that may have left and never arrived, as the broker
     * said. One that turns up again is what it was, and only what it filled since is booked. */
    struct order lost[ORDERS_LOST_MAX];
    size_t lost_count;
};

const char *order_state_word(enum order_state state);
bool order_is_over(const struct order *order);
const char *order_purpose_word(enum order_purpose purpose);
/* True if the table allows the move; a state may repeat. */
bool order_may_move(enum order_state from, enum order_state to);
/* What a filled share cost beyond a price, in nanos of a basis point of it: bought dearer, or sold cheaper, is
 * more. False if nothing was filled, or the price is none. */
bool order_slippage(const struct order *order, struct usd price, int64_t *bps_nanos);
struct qty order_open_qty(const struct order *order); /* ordered less filled; 0 when over */

/* The day and number in "st-2026-09-01-17"; false for another shape (emergency ids too). */
bool client_id_parse(const char *client_id, struct date *day, int64_t *number);
bool client_id_is_ours(const char *client_id); /* starts with "st-" */
/* "st-2026-09-01-x-AAPL-1": sent under the emergency rule. */
bool client_id_is_emergency(const char *client_id);
/* The 1 in it, behind a prefix that ends in '-', or `highest` if that is higher or the id begins otherwise. */
int client_id_higher(int highest, const char *client_id, const char *prefix);

struct order *orders_find(struct orders *orders, const char *client_id);
/* A new intent, journaled and committed. Gives it the next number of the day. ERR_LIMIT, ERR_IO,
 * ERR_NO_SPACE: then nothing was added. */
enum err_code orders_add(struct orders *orders, struct date day, const struct order *intent,
                         struct order **out, struct err *err) MUST_USE;
/* Adds without the journal: the emergency rule. NULL when full. Its first row is written with its first
 * fill, or by orders_renote(). */
struct order *orders_add_emergency(struct orders *orders, const struct order *intent);
/* One of those given up is in the table again, UNKNOWN, and no longer among them. Its fills that are booked are known,
 * so that only growth is booked. NULL: the table is full. */
struct order *orders_bring_back(struct orders *orders, struct order *lost);
/* Tracks an open order of ours that the table lost; what it is follows from side and type, or, if it was
 * given up, from what it was. One that is known to have ended is none: the end is the end, whatever an old
 * listing shows. */
void orders_adopt(struct orders *orders, const struct broker_order *truth);
/* The order of that id that was given up (LOST or NOT_SENT) and has not turned up since, or NULL. */
struct order *orders_find_lost(struct orders *orders, const char *client_id);
/* The highest number behind the prefix, as in an emergency id, that this process gave or saw end; 0: none.
 * What it gave up counts: a broker that denies an order may have it. */
int orders_number_behind(const struct orders *orders, const char *prefix);
/* An id of ours was used, whoever used it: numbers go on behind it. */
void orders_skip_number(struct orders *orders, const char *client_id);
/* Moves to a state and appends a row (best effort: the broker is asked again after a restart), which is
 * durable with the next commit. */
void orders_move(struct orders *orders, struct order *order, enum order_state state);
/* Takes the broker's word for an order: status, growth of the filled quantity, end. */
void orders_take(struct orders *orders, struct order *order, const struct broker_order *truth);
/* True if the answer says that an OCO's limit is over and is silent of its stop, which is known: no end, until the
 * stop was asked for by its own id. */
bool orders_wait_for_leg(const struct order *order, const struct broker_order *truth);
/* True while the journal lacks a fill that is booked. A death before it is back books the fill again from
 * the broker's word: once either way. */
bool orders_are_behind(const struct orders *orders);
/* Journals the orders and fills that it could not take when they happened. */
void orders_renote(struct orders *orders);
/* True if some row of the journal names the order. Walks the journal: for rare questions. */
enum err_code orders_journal_knows(struct orders *orders, const char *client_id, bool *out,
                                   struct err *err) MUST_USE;
/* Drops what is over and journaled. Pointers into the table end here. */
void orders_sweep(struct orders *orders);
/* The book took a split: what is live in the symbol is of another stock. Also of the row `split` in the fold. */
void orders_split(struct orders *orders, const char *symbol);
enum err_code orders_fold(struct orders *orders, const struct journal_row *row,
                          struct err *err) MUST_USE;
/* After the fold: intents without an outcome are unknown. */
void orders_fold_end(struct orders *orders);

/* Sum of open quantity of live sells (stops included) or buys in a symbol; unknown ones count. */
struct qty orders_open_qty(const struct orders *orders, const char *symbol, enum order_side side);
/* The live order of a purpose in a symbol, or NULL. */
struct order *orders_live(struct orders *orders, const char *symbol, enum order_purpose purpose);
bool orders_any_live(const struct orders *orders, const char *symbol);
/* True while an OCO is in the table. */
bool orders_have_oco(const struct orders *orders);

#endif
