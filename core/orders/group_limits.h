/* group_limits.h - symbol_limit, sector_limit, theme_limit: how much of the account one group may be.
 *
 * An entry is refused that would take its symbol, its sector or its theme above the limit, counted gross
 * and ahead: positions, every live, in-flight and unknown buy, and the candidate itself. Only its own
 * groups are looked at. Shares are of the lower of equity now and as last explained a cycle ago, so that
 * neither a loss nor a sum that just came in loosens them. A group that grew above its limit by price
 * alone gets no entry and is told once; nothing is ever sold for it. Which group a symbol is of:
 * core/config/groups.h. */
#ifndef CORE_ORDERS_GROUP_LIMITS_H
#define CORE_ORDERS_GROUP_LIMITS_H

#include "core/orders/gateway.h"

struct group_excess {
    enum refusal_code code; /* REFUSED_NONE: every group stays within its limit */
    struct usd is, most;
};

/* What shares of equity in limits on exposure are of. */
struct usd limit_equity(const struct gateway *gateway);

/* Which part of what is held or bought in a symbol counts, from 0 to 1. */
typedef struct ratio counted_part(const void *context, const char *symbol);
/* What is held: the larger of listing and book, since either may lag the other by a fill. */
struct usd value_held(const struct gateway *gateway, counted_part *part, const void *context);
/* What live, in-flight and unknown entries may still take, at their limits. */
struct usd value_working(const struct gateway *gateway, counted_part *part, const void *context);
/* The first group that a buy of `value` in a symbol would take above its limit. */
struct group_excess group_limits_check(const struct gateway *gateway, const char *symbol,
                                       struct usd value);
/* Tells which groups are above their limit without a candidate, when that changed. */
void group_limits_report(struct gateway *gateway);

#endif
