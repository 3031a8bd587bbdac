/* stuck_orders.h - an order on which nothing moves is told, asked for, and opens nothing in its symbol.
 *
 * Stuck is one that the broker has not taken (pending_*; in a session, under a quote of the last 60 s,
 * also one that is only accepted, but for a stop), or of which a cancel left, once nothing moved for
 * orders.stuck_s. Told once, and anew once it moved: a warning for an entry, a page for an exit, a stop
 * and any cancel. It is asked for by id at once and every orders.stuck_s, and no entry of its symbol is
 * accepted; exits are never bound. It is over when the broker's word changes. Nothing is sent, sent again
 * or cancelled because of it. What rests, as a stop, or in a closed or halted market, is not stuck; one
 * of unknown fate is order_idempotency's. Source: orders that stay in pending_new and pending_cancel, for
 * hours: https://github.com/alpacahq/Alpaca-API/issues/111. Not journaled: a restart counts anew from its
 * first look, so that each life tells within orders.stuck_s; one that never lives so long is
 * crash_loop_freeze's. */
#ifndef CORE_ORDERS_STUCK_ORDERS_H
#define CORE_ORDERS_STUCK_ORDERS_H

#include "core/orders/gateway.h"

/* Tells, and asks the broker for what is stuck. At each tick's end, before what is over is swept. */
void stuck_orders_step(struct gateway *gateway);
/* How long nothing moved on the order of a symbol that waits for longest; 0: none waits. */
struct span stuck_orders_wait(const struct gateway *gateway, const char *symbol);
/* True if that is orders.stuck_s or more: no entry of the symbol is accepted. */
bool stuck_orders_bind(const struct gateway *gateway, const char *symbol);

#endif
