/* sea.h - wires the plan to what neither chaos nor the simulated broker may know of the other: what
 * befalls orders, prices and the wall clock.
 *
 * Faults of the seams "market", "asset", "account" and "clock" hold for their window: each is asked about once, at the
 * window's begin, for every symbol of the market (or for "wall"), and what fired holds until the
 * window's end. Faults of the seam "order" are asked about at the moment in the order's life that
 * they change, or (order.cancel_unasked, order.bust, hand.sale) at each tick. */
#ifndef SCENARIOS_SEA_H
#define SCENARIOS_SEA_H

#include "broker_sim/api/broker.h"
#include "chaos/faults/plan.h"

struct sea;

/* All are borrowed; broker and market get their weather here. Never NULL. */
struct sea *sea_create(struct plan *plan, struct virtual_clock *clock, struct market *market,
                       struct broker *broker);
/* Before broker and market go. */
void sea_destroy(struct sea *sea);

/* When a window begins or ends next that somebody must look at; UTC_NEVER for none. */
struct utc sea_next_at(const struct sea *sea);
/* Asks about the windows that have begun, and sets the wall clock. Called whenever true time has
 * moved, at least at sea_next_at(). */
void sea_look(struct sea *sea);
/* At the begin of a tick, the broker at the present instant. */
void sea_tick(struct sea *sea);

#endif
