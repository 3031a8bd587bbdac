/* sim_order.h - one order at the simulated exchange, and the words of its life.
 *
 * pending_new or accepted -> new -> partially_filled -> filled, with pending_cancel -> canceled,
 * replaced, expired and rejected beside. A leg of a group is `held` first (sim_group.h). An order is open until its
 * status is terminal. What is due to happen to it is a set of instants (NEVER when nothing is). */
#ifndef BROKER_SIM_EXCHANGE_SIM_ORDER_H
#define BROKER_SIM_EXCHANGE_SIM_ORDER_H

#include "broker_sim/account/sim_account.h"
#include "core/base/text.h"

#define SIM_CLIENT_ID_MAX 129 /* Alpaca: at most 128 characters */
#define SIM_NEVER INT64_MAX

enum sim_side { SIM_BUY, SIM_SELL };
enum sim_type { SIM_MARKET, SIM_LIMIT, SIM_STOP, SIM_STOP_LIMIT };
enum sim_tif { SIM_DAY, SIM_GTC, SIM_IOC };
enum sim_class { SIM_SIMPLE, SIM_BRACKET, SIM_OCO };
#define SIM_LEGS_MAX 2

/* status, word, is terminal */
#define SIM_STATUSES(X)                                                                            \
    X(SIM_PENDING_NEW, "pending_new", false)                                                       \
    X(SIM_ACCEPTED, "accepted", false)                                                             \
    X(SIM_NEW, "new", false)                                                                       \
    X(SIM_PARTIALLY_FILLED, "partially_filled", false)                                             \
    X(SIM_PENDING_CANCEL, "pending_cancel", false)                                                 \
    X(SIM_HELD, "held", false)                                                                     \
    X(SIM_FILLED, "filled", true)                                                                  \
    X(SIM_CANCELED, "canceled", true)                                                              \
    X(SIM_EXPIRED, "expired", true)                                                                \
    X(SIM_REPLACED, "replaced", true)                                                              \
    X(SIM_REJECTED, "rejected", true)

enum sim_status {
#define X(status, word, is_terminal) status,
    SIM_STATUSES(X)
#undef X
};

struct sim_order {
    uint64_t number; /* 0, 1, ... in the order of submission */
    char id[SIM_UUID_MAX];
    char client_id[SIM_CLIENT_ID_MAX];
    size_t symbol;
    enum sim_side side;
    enum sim_type type;
    enum sim_tif tif;
    enum sim_status status;
    bool is_extended; /* as asked; nothing trades outside sessions here */
    bool has_limit, has_stop;
    bool is_opening; /* of a position, as it was when the order came; else it closes one */
    struct qty qty, filled_qty;
    struct usd filled_value; /* sum of price x quantity of its executions */
    struct qty last_qty;     /* of its last execution; zero once that was undone */
    struct usd last_price;
    struct usd limit, stop;
    struct usd collar;        /* of a buy stop: its limit once elected (alpaca-api.md 4.5) */
    struct usd reserve_price; /* what opens holds this x what is left of buying power */
    const struct sim_order *replaces, *replaced_by;
    enum sim_class class;     /* of a leg too */
    struct sim_order *parent; /* of a leg: what it was sent with; NULL: it is none */
    struct sim_order
        *legs[SIM_LEGS_MAX]; /* of a bracket take profit and stop; of an OCO its stop */
    size_t leg_count;

    bool is_working;   /* the exchange has it: it may fill, also in pending_cancel */
    bool is_elected;   /* of a stop */
    int64_t looked_ns; /* when it was matched last: once an instant, whatever else is going on */
    uint64_t executions;
    bool is_silent;          /* half of its first execution, then none before silent_until_ns */
    int64_t silent_until_ns; /* not matched before; SIM_NEVER: never again */
    int64_t silence_ns;      /* how long, from its first execution on; SIM_NEVER: for good */
    bool fills_first;        /* what is left is executed when its cancel is due */
    int64_t accept_ns, reject_ns, cancel_ns, fill_ns; /* due, else SIM_NEVER; fill_ns: not before */

    struct utc submitted_at, updated_at, expires_at;                       /* always set */
    struct utc filled_at, expired_at, canceled_at, failed_at, replaced_at; /* {0}: null */

    struct text json; /* rendered by the API while the order is open; owned */
    bool is_json_old;
};

const char *sim_side_word(enum sim_side side);
const char *sim_type_word(enum sim_type type);
const char *sim_tif_word(enum sim_tif tif);
const char *sim_class_word(enum sim_class class); /* of a simple one: "" */
const char *sim_status_word(enum sim_status status);
bool sim_status_is_terminal(enum sim_status status);

static inline struct qty sim_order_left(const struct sim_order *order) {
    return qty_sub(order->qty, order->filled_qty);
}
/* {0} before the first execution. */
struct usd sim_order_average(const struct sim_order *order);
/* The earliest of its due instants, or SIM_NEVER. */
int64_t sim_order_due(const struct sim_order *order);

#endif
