/* protective_stops.h - a GTC stop resting at the broker for every position, verified each tick.
 *
 * Within one tick of being known a position has a stop for all its whole shares, or it is counted
 * naked: an event, unprotected seconds, and a page a minute after the last listing that did not find it
 * so. While an exit transaction holds the
 * symbol, the transaction answers for it. A working buy forbids a stop (the wash guard): a partial
 * entry is cut off after 10 s so that the stop can rest. "Already through" is an exit at once. A stop of before a split
 * is no protection behind it: it is cancelled where the broker did not, and one of the new shares takes its place.
 *
 * With stops.oco the stop is the leg of an OCO, whose limit rests far above: an exit re-prices that limit
 * (exit_execution.h) and the stop goes on watching. Such a leg is `held` at the broker while it watches (forum 3697): it
 * counts once its limit was taken, and not when that limit is over and it is held still. A group whose stop is found
 * dead is cancelled, and another takes its place. Its quantity and its stop are not re-priced: shares that come later
 * get an OCO of their own. */
#ifndef CORE_ORDERS_PROTECTIVE_STOPS_H
#define CORE_ORDERS_PROTECTIVE_STOPS_H

#include "core/orders/exit_execution.h"

/* ERR_CONFIG: stops.oco in live, until the broker's re-price of an OCO is proven. */
enum err_code protective_stops_refuse_live(const struct config *config, bool is_live,
                                           struct err *err) MUST_USE;
void protective_stops_step(struct gateway *gateway, struct exits *exits);

#endif
