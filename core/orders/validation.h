/* validation.h - the checks of an intent, pure arithmetic over what is known; nothing is sent here. */
#ifndef CORE_ORDERS_VALIDATION_H
#define CORE_ORDERS_VALIDATION_H

#include "core/orders/gateway.h"

/* The price step of an order: 0.01 USD from 1.00 on, 0.0001 below (Regulation NMS Rule 612). */
struct usd price_tick(struct usd price);
/* True if, with every live order counted (less the one it replaces), it can only bring the position
 * nearer to zero. */
bool intent_is_exit(const struct gateway *gateway, const struct order *intent);
/* The first check that refuses, or REFUSED_NONE. */
enum refusal_code check_intent(const struct gateway *gateway, const struct order *intent,
                               bool is_exit, struct refusal *refusal);
/* The same of an entry, as if the book held one position fewer. */
enum refusal_code check_with_one_fewer(const struct gateway *gateway, const struct order *intent,
                                       struct refusal *refusal);
/* True if the symbol's quote is young enough to buy on; its numbers are check_intent()'s affair. */
bool entry_quote_is_fresh(const struct gateway *gateway, const char *symbol, struct utc now);
/* True if the order is of the entry that last touched its symbol, whose first order was counted then. */
bool entry_goes_on(const struct gateway *gateway, const struct order *order);
/* Whole shares one entry may buy at a price: the smallest of all limits of sizing. */
struct qty entry_size(const struct gateway *gateway, struct usd price);

#endif
