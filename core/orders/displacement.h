/* displacement.h - a full book gives way: one position at a time is closed so that a much better entry fits.
 *
 * Two independent intents, and nothing between them but time. When max_positions is all that refuses an entry - each
 * other check passes now, with one position fewer - the weakest holding is closed, by exit_execution like any
 * other, if it
 *
 *   is as old as displacement.min_age_s, by its first fill;
 *   gained or lost at most displacement.band of its entry price, at the trusted mark: what runs or falls has rules of
 *     its own;
 *   scores displacement.lead less than the candidate, now and when it was entered; one of the two unknown, and it stays
 *     (metadata that was lost made everything displaceable once);
 *   took no part in a displacement for displacement.cooldown_s, and neither did the candidate.
 *
 * No other exit may be at work then. The decision is a journal row, durable before the exit is decided, and the memory of
 * both cooldowns. Nothing is reserved and nothing is bought here: once the position is confirmed gone the
 * candidate passes all checks again in a later cycle, or is refused, which is a normal end. What was displaced is
 * not bought back before its cooldown is over (DISPLACED).
 *
 * Off by default: it sells what no exit rule would.
 * Source: the audit's displacement, whose code closed its victim before it had checked the entry. */
#ifndef CORE_ORDERS_DISPLACEMENT_H
#define CORE_ORDERS_DISPLACEMENT_H

#include "core/orders/exit_execution.h"
#include "core/signals/strategy.h"

/* An entry was refused for MAX_POSITIONS: closes the weakest position if that may be. scores: one for each symbol of
 * the configuration. True if an exit was decided. */
bool displacement_consider(struct exits *exits, const struct order *intent,
                           const struct score *scores);

#endif
