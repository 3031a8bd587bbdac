/* position_sign.h - this core never opens a short position, and one that is there all the same is ended.
 *
 * It may come from a sale that was executed twice, the bust of a purchase whose shares are sold, or a sale by
 * somebody else. One listing that says so is enough to fire the kill switch: that costs entries alone. To buy is
 * another matter, for on a word that is wrong it would open a position; and so is to take a stop or a sale away, which
 * an exit does first. So it is decided, in the same tick, once the broker, asked for this symbol alone
 * (GET /v2/positions/SYMBOL), says that it is short: an answer of another way in, seconds old at most. Each order of it
 * leaves behind another such answer that names the same quantity, and is no larger than it. Where the two words differ nothing is
 * bought and nothing is taken away, and the next listing is compared; the kill stands. No order in the symbol is live by then: a sale would be refused beside a purchase
 * (wash table), and a purchase in flight would cover too. The gateway judges it as it judges every exit, by
 * arithmetic: with all live purchases counted it is no more than what is short. */
#ifndef CORE_ORDERS_POSITION_SIGN_H
#define CORE_ORDERS_POSITION_SIGN_H

#include "core/orders/gateway.h"

#define POSITION_SIGN_CAUSE "position_sign"

struct exits;

/* Latches the cause, and tells of each symbol once while it is short. */
void position_sign_latch(struct causes *causes, const char *symbol, struct qty qty);
/* Behind a listing, at each tick: latches, and decides the exit of what is short. */
void position_sign_step(struct gateway *gateway, struct exits *exits);
/* True if the broker, asked for this symbol alone within the last two seconds, says that it is below zero too: before that
 * nothing that protects or sells it is taken away. */
bool position_sign_agrees(struct gateway *gateway, struct holding *holding);
/* Asks the broker for this symbol alone. True if it says what the listing says and nothing explains the difference to the
 * book any more, which takes the position over: from here on the gateway lets as much be bought. */
bool position_sign_confirm(struct gateway *gateway, struct holding *holding);

#endif
