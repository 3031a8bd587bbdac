/* maker_execution.h - how an entry is worked: it rests on our side of the market, is re-priced a few times, and then
 * takes what is offered at a price with a bound, or is given up.
 *
 * With execution.maker on the first order of an entry is a limit at the bid, or inside the spread where the bid is
 * further below the middle than execution.tolerance; never at the ask. After its share of execution.patience_s it is
 * cancelled. Only once the broker said that it ended - by the answer to a question, or a listing - and the journal
 * holds that, a full tick prices what is left anew. An order of unknown fate is asked for; one that was given up
 * without that word may turn up, and ends the entry. At most execution.tries such orders leave, all within
 * execution.patience_s; then, with execution.cross, one limit a tolerance above the ask for one more share of the
 * patience, or the entry is given up. No order of an entry is ever without a limit.
 *
 * Each later order passes every check of an entry anew. Only what the entry's own orders began does not count against
 * it: its cooldown, its place among the entries of 15 minutes, the repeats of one intent. A refusal ends the entry,
 * but for an old quote, be it at the last look, one that is crossed or has an empty side, and a full message window,
 * which wait for the next tick within the same patience. Of a first order that never left nothing follows, nor beside
 * what is held by then, nor behind an orderly stop or a reload that turns the setting off.
 *
 * Once a share is filled nothing more is bought: beside a live buy the broker refuses the stop (its wash guard), and
 * beside the stop every buy. So a part that stays one is cut off by protective_stops after execution.partial_s, and
 * is all there is of the entry.
 *
 * Persisted as rows `intent` (attempt, of), `order`, `fill` and `maker` (maker_plan.h): a successor goes on where the
 * patience lasts, behind the broker's word on what its predecessor left. Off by default.
 * Source: the audited bot cancelled without waiting, took a partial fill for the whole, and went to market at last. */
#ifndef CORE_ORDERS_MAKER_EXECUTION_H
#define CORE_ORDERS_MAKER_EXECUTION_H

#include "core/orders/gateway.h"

/* The limit of an order: on our side of the quote, or with is_cross above the ask. Zero, or less, where the quote allows
 * none. */
struct usd maker_price(const struct config *config, const struct broker_quote *quote,
                       bool is_cross);
/* Makes a first order of an intent to buy, if the setting is on. */
void maker_begin(const struct gateway *gateway, struct order *intent,
                 const struct broker_quote *quote);
/* True if the time of an entry's order is over, worked or not. */
bool maker_is_late(struct gateway *gateway, struct order *order);
/* Cancels each entry whose time is over, and asks in the same tick whether it ended. */
void maker_tend(struct gateway *gateway);
/* Prices anew, or ends, each entry whose newest order is over, also in this tick. Once a full tick, behind exits and cancels. may_buy:
 * entries are allowed now; where they are not, what is not live waits within its patience, and ends with a latch. */
void maker_step(struct gateway *gateway, bool may_buy);

#endif
