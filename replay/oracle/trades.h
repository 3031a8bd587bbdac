/* trades.h - round trips from flat to flat, added up from the core's rows or from what the ledger executed: a trade
 * that no fill began or ended, in whole or in part, is none. For this room only. */
#ifndef REPLAY_ORACLE_TRADES_H
#define REPLAY_ORACLE_TRADES_H

#include "core/base/decimal.h"
#include "core/base/json.h"
#include "core/world/observe.h"
#include "replay/oracle/table.h"

enum { TRADES_KEPT = 500 };

struct trip {
    char symbol[TABLE_NAME_MAX];
    char entry[TABLE_NAME_MAX]; /* the order whose fill began it */
    struct qty held;
    struct usd bought, sold;
    bool is_open, is_unpriced;
};

struct trades {
    struct table trips;
    struct usd profits[TRADES_KEPT]; /* a ring */
    int64_t count;                   /* ever closed */
    struct trip newest;              /* as it closed */
};

struct scene;
struct trades trades_none(void);
void trades_release(struct trades *trades);
void trades_fill(struct trades *trades, const char *symbol, const char *entry, bool is_buy,
                 struct qty qty, struct usd amount);
/* The same trade in other shares; in none, what was paid out has no price. */
void trades_resize(struct trades *trades, const char *symbol, struct qty qty);
/* Shares that were given are no trade; what they are worth was bought with their source, which is a trade without it. */
void trades_spin_off(struct trades *trades, const char *symbol, struct qty qty, const char *source,
                     struct usd moved);
/* Of a row `fill`, `adopt`, `short`, `split` or `spin`; others say nothing of trades. */
void trades_take_row(struct trades *trades, const struct event *event, const struct scene *scene);
/* Of so many of the newest, which are kept. */
struct usd trades_profit(const struct trades *trades, int64_t newest);

#endif
