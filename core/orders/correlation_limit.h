/* correlation_limit.h - how much of the account may move together.
 *
 * An entry is refused that would take its cluster above risk.correlation_limit of limit_equity(), counted
 * gross and ahead like a group (group_limits.h). The cluster of a candidate is the candidate itself and
 * - what correlates with it above risk.cluster_correlation (core/signals/correlation.h: minute bars);
 * - where too little is known of that, what is of its sector: early in a session, a thin or halted name, a
 *   symbol outside the universe, all whose sector is unknown. Never nothing: unknown is not uncorrelated;
 * - of everything else the part that both have in common (groups_overlap): all of what is of its issuer,
 *   and of a fund the part that it holds of the candidate's issuer, and the other way round.
 *
 * Only the candidate's cluster is looked at, and no position is ever sold for it. A cluster that grew above
 * its limit, by price or by a correlation that rose, gets no entry and is not told: correlations come and
 * go within minutes. Binds entries alone. */
#ifndef CORE_ORDERS_CORRELATION_LIMIT_H
#define CORE_ORDERS_CORRELATION_LIMIT_H

#include "core/orders/group_limits.h"

/* Whether a buy of `value` in a symbol would take its cluster above the limit. */
struct group_excess correlation_limit_check(const struct gateway *gateway, const char *symbol,
                                            struct usd value, struct utc now);

#endif
