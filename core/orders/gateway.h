/* gateway.h - the one door out: every order this program ever sends passes gateway_send().
 *
 * Whether an order is an exit is decided by arithmetic, never by a label: with every working,
 * in-flight and unknown order counted it can only bring the position nearer to zero. An intent is
 * durable before its first byte; then the last look; then the bytes. Timeout, reset and 5xx leave the
 * order UNKNOWN until gateway_settle() knows. The client order id is a compare-and-swap on the
 * account: an id in use with another content, or one our journal does not know, is second_writer. */
#ifndef CORE_ORDERS_GATEWAY_H
#define CORE_ORDERS_GATEWAY_H

#include "core/orders/displaced.h"
#include "core/orders/maker_plan.h"
#include "core/orders/message_throttle.h"
#include "core/orders/orders.h"
#include "core/orders/universe_guard.h"
#include "core/portfolio/truth.h"
#include "core/risk/account_guards.h"
#include "core/risk/broker_rails.h"
#include "core/risk/capital_ramp.h"
#include "core/risk/daily_volume.h"
#include "core/risk/performance_breaker.h"
#include "core/risk/repeat_throttle.h"
#include "core/signals/bars.h"
#include "core/state/lease.h"

enum refusal_code {
#define REFUSAL(code, word, mechanism, binds, meaning) REFUSED_##code,
#include "core/orders/refusal.def"
#undef REFUSAL
};
const char *refusal_word(enum refusal_code code);

struct refusal {
    enum refusal_code code;
    char numbers[160]; /* what was compared, in words */
};

enum { GROUP_LIMITS = 3 };      /* symbol, sector, theme: group_limits.h */
#define RECENT_ENTRIES_MAX 1000 /* the most that risk.max_new_per_15min may be */

struct gateway { /* all pointers borrowed */
    struct world *world;
    const struct config *config;
    struct journal *journal;
    struct alpaca *alpaca;
    struct causes *causes;
    struct account_guards *guards;
    struct book *book;
    struct orders *orders;
    struct truth *truth;
    const struct bars *bars; /* of the universe, in its order; NULL where none are read */
    struct log *log;
    struct lease *lease;
    bool only_reduces; /* this process stands in for the core: no entry, whatever it asks */
    struct usd flows_today;
    struct utc touched[CONFIG_SYMBOLS_MAX];    /* last entry or exit sent, per universe symbol */
    bool is_touch_doubted[CONFIG_SYMBOLS_MAX]; /* by a wall that may have been wrong */
    char touched_by[CONFIG_SYMBOLS_MAX]
                   [CLIENT_ID_MAX]; /* the first order of that entry; "": none */
    bool is_clock_doubted;          /* clock_guard */
    struct utc recent_entries[RECENT_ENTRIES_MAX];
    size_t recent_next;
    struct repeat_throttle repeats;
    struct daily_volume volume;
    struct performance_breaker performance;
    struct displaced displaced;
    struct maker_plans maker;
    struct capital_ramp ramp; /* judged by the engine */
    struct message_throttle messages;
    struct universe_guard universe; /* filled by the engine, as is: */
    struct broker_rails rails;
    int64_t sent;
    int64_t refused;
    uint64_t
        groups_told[GROUP_LIMITS]; /* which groups were above their limit when last told; 0 none */
    bool is_journal_down;
    bool
        has_looked; /* the orders of a day were listed: what of ours appears later is no memory lost */
    size_t lost_next; /* of the orders given up, whose turn it is to be asked for */
    struct mono looked_back_at;
    struct date foreign_told; /* day of the last alert about orders that are not ours */
};

/* Checks, journals and sends one intent (id, state and times are filled in). On ERR_REFUSED, refusal
 * says which check. ERR_UNKNOWN: it may exist. ERR_IO, ERR_NOT_SENT. *out (may be NULL) is the order
 * as tracked, valid until orders_sweep(). */
enum err_code gateway_send(struct gateway *gateway, const struct order *intent, struct order **out,
                           struct refusal *refusal, struct err *err) MUST_USE;
/* The journal does not take what it must: no entries until an operator says so, exits by the emergency
 * rule until it takes rows again. */
void gateway_lose_journal(struct gateway *gateway, const char *why);
/* Takes from an intent's row, behind orders_fold(), when something was last sent: cooldowns and the rate of
 * entries do not begin anew with a restart. */
void gateway_fold(struct gateway *gateway, const struct journal_row *row);
/* The wall is in doubt, from here on. Told by the caller; gateway_fold() takes it from the rows. */
void gateway_doubt_clock(struct gateway *gateway);
/* It agrees again, at that instant: cooldowns that began in doubt run again from there. */
void gateway_trust_clock(struct gateway *gateway, struct utc at);
/* Counts a row, as it becomes durable or is folded, for what latches when something happens too often, and for
 * what pauses when it does not pay. */
void gateway_count(struct gateway *gateway, const struct journal_row *row);
/* Latches, or begins and ends, what the counts made due: gateway_send() does it behind its bytes, the caller at each tick's end
 * and before a start is journaled. */
void gateway_latch_due(struct gateway *gateway);
/* Asks for every unknown order that is due, by client id. */
void gateway_settle(struct gateway *gateway);
/* Asks for an order that was given up, one in 15 s: if it is back, what it filled is booked. */
void gateway_look_back(struct gateway *gateway);
/* Asks the broker to cancel; asked again every 3 s until the order is over. The caller answers for
 * the right to: entries always, reducing orders only inside a transaction - and none once the lease
 * is another's, whose order it would be. */
void gateway_cancel(struct gateway *gateway, struct order *order);
/* Asks by id for an order's present state and takes it. One that the broker acknowledged and that is not
 * found three times, 30 s apart and unseen in between, nor under its client id nor in the listing since its
 * decision, is given up: LOST, paged. */
void gateway_ask(struct gateway *gateway, struct order *order);
/* A purchase that ends a short position: with every live one of its symbol it is no more than what is short. Once
 * it is not, it is an entry like any other. */
bool gateway_is_cover(const struct gateway *gateway, const struct order *order);
/* Cancels every live order that could increase a position; true if none is left. */
bool gateway_cancel_entries(struct gateway *gateway);
/* An order at the broker that is not in the table. Not our id: told once a day. Ours and of a number
 * never issued: second_writer; of a journal that never issued any, before the first listing: amnesia. An
 * open one of ours is tracked again, so that its shares and its protection count. */
void gateway_meet(struct gateway *gateway, const struct broker_order *truth);
/* Meets every order of the exchange day. True if the listing came. */
bool gateway_check_ids(struct gateway *gateway);

#endif
