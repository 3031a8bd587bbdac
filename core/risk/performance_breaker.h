/* performance_breaker.h - a strategy that loses is paused for an hour: nothing is bought while the trades that
 * closed show that it loses.
 *
 * Judged are closed trades alone (closed_trades.h), from performance.trades of them on, by two rules:
 *
 *   losing         the upper bound of their expectancy is below zero (core/signals/expectancy.h: one-sided,
 *                  95 %, Student's): the trades show so certainly that the strategy loses. All that are kept
 *                  count, at most 500, because a small loss shows in many trades and not in fifty;
 *   too much lost  the last performance.trades of them lost more than performance.loss_share of equity
 *                  at the previous close (the day's baseline; without one this rule says nothing, and the
 *                  gateway refuses entries for that): good years do not pay for what is lost now.
 *
 * The rule that this mechanism was asked for names the lower bound, and ours differs on purpose. A lower bound
 * below zero says only that nothing proves a profit yet, which is so of nearly every honest strategy for its
 * first hundreds of trades: it would pause after each trade that closes, and a brake that everybody has to
 * switch off is none. The upper bound asks the trades to prove the loss, and the second rule is for what
 * cannot wait for a proof.
 *
 * Either demands CAUTION for performance.pause_s, and meanwhile the gateway refuses entries (PERFORMANCE).
 * Exits and stops know nothing of it. An entry that works at the broker already stays, until its own
 * patience ends it: CAUTION cancels nothing. The pause ends by time: by the monotonic clock within a boot,
 * from one boot to another by the wall or by the broker's clock, whichever says less; one of an earlier boot
 * goes on until the broker has told his.
 *
 * Behind it entries may go again, whatever the same trades say: the next pause needs another trade that
 * closed, in the pause or later. So a strategy that loses goes on with a few trades an hour, and is
 * believed again by what they bring, not by waiting.
 *
 * The row `pause` is committed before the pause is told; should the journal not take it, it holds all the same,
 * and the next life, which knows of none, judges the same trades again and pauses anew. */
#ifndef CORE_RISK_PERFORMANCE_BREAKER_H
#define CORE_RISK_PERFORMANCE_BREAKER_H

#include "core/config/config.h"
#include "core/portfolio/closed_trades.h"
#include "core/risk/causes.h"
#include "core/state/stamp.h"

#define PERFORMANCE_CAUSE "performance_breaker"

struct performance_breaker { /* zero-initialise */
    struct closed_trades trades;
    int64_t judged_to; /* the newest trade when it last tripped, by its row; 0 never */
    bool is_on, is_told;
    struct stamp since; /* while is_on */
    struct utc since_broker;
    struct span waited; /* since then, as the last step saw it */
    char why[160];      /* in words for people */
};

/* Takes a durable row, in order, of this life or an earlier one. */
void performance_breaker_take(struct performance_breaker *breaker, const struct journal_row *row);
/* Ends a pause that is over, then judges: behind each send and at each tick's end, before entries. baseline:
 * equity at the previous close, 0 unknown; broker: its clock as last told, {0} it was not yet. */
void performance_breaker_step(struct performance_breaker *breaker, struct causes *causes,
                              const struct config *config, struct usd baseline, struct utc broker);
#endif
