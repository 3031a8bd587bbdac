/* sim_group.h - orders of which one ends another: OCO and bracket (alpaca-api.md 4.2, 4.5; Alpaca's page "Orders at
 * Alpaca").
 *
 * An OCO closes a position: its parent is the take profit, a limit order, its one leg the stop. A bracket opens one:
 * its parent is the entry, its legs take profit and stop.
 *   - Legs are `held` until their parent is filled in full; of one that ends with a part filled they end too, and
 *     that part is bare (pains 73). Then the take profit is `new`. The stop stays `held`, that of an OCO from the
 *     start, and is watched all the same: elected it becomes `new`, and the take profit ends at once (forum 3697).
 *   - One that is canceled, expired or rejected takes the rest of its group with it, but no stop that is elected.
 *   - A part filled of the take profit cuts the stop's quantity to what is left; all of it ends the stop.
 *   - The shares of the pair are held once, by the take profit while it is open.
 *   - What replaces one takes its place, held if it was; prices alone may change, and the order of them stays. That a
 *     take profit is replaced leaves the stop watching. UNVERIFIED, so said here: what the broker makes of a
 *     replacement that is rejected later; here the group ends with it.
 * Both exits filled in a fast market (pains 50) are not played. */
#ifndef BROKER_SIM_EXCHANGE_SIM_GROUP_H
#define BROKER_SIM_EXCHANGE_SIM_GROUP_H

#include "broker_sim/exchange/sim_exchange.h"

/* The legs of a parent that was just entered; nothing for a simple one. */
void sim_group_enter(struct sim_exchange *exchange, struct sim_order *parent,
                     const struct sim_intent *intent);
/* An order of a group has moved to the status that it has now, or executed. */
void sim_group_moved(struct sim_exchange *exchange, struct sim_order *order);
/* The exchange has taken an order. */
void sim_group_accepted(struct sim_exchange *exchange, const struct sim_order *order);
/* The order that its client sent it with, or that took that one's place: itself, where it is no leg. */
struct sim_order *sim_group_root(struct sim_order *order);
/* A stop was elected; nothing for one of no group. */
void sim_group_elected(struct sim_exchange *exchange, struct sim_order *order);
/* A leg whose parent is not filled, or not taken yet: it cannot trade. */
bool sim_group_waits(const struct sim_order *order);
/* True if the order holds what it would close; of a pair one does. */
bool sim_order_holds(const struct sim_order *order);

/* Of a replacement: what of the old order's group belongs into its intent, whether its prices may be, and that it
 * takes the old order's place. */
void sim_group_intent(const struct sim_order *old, struct sim_intent *intent);
bool sim_group_may_replace(const struct sim_order *old, const struct sim_intent *intent,
                           struct sim_refusal *refusal);
void sim_group_succeed(struct sim_order *old, struct sim_order *successor);

#endif
