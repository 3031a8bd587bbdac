/* bars.h - the last minutes of every symbol of the universe, oldest first.
 *
 * At most BARS_KEPT bars a symbol, strictly ascending in time. Adding merges: the same bar twice changes
 * nothing, a corrected one (same minute) takes the place of the old, a late one goes where it belongs,
 * one older than everything kept is forgotten. An empty answer adds nothing and removes nothing. */
#ifndef CORE_SIGNALS_BARS_H
#define CORE_SIGNALS_BARS_H

#include "core/alpaca/alpaca.h"
#include "core/config/config.h"

#define BARS_KEPT 120

struct bars;

/* For `count` symbols; never NULL (out of memory aborts). Owned by the caller. */
struct bars *bars_create(size_t count);
void bars_destroy(struct bars *bars);

/* Merges one bar of the symbol with this index; the bar is copied. */
void bars_add(struct bars *bars, size_t index, const struct broker_bar *bar);

/* Forgets the bars of a symbol. */
void bars_clear(struct bars *bars, size_t index);

/* How many bars are kept, and one of them: 0 is the oldest. Valid until the next change. */
size_t bars_count(const struct bars *bars, size_t index);
const struct broker_bar *bars_at(const struct bars *bars, size_t index, size_t position);

/* How many of the newest bars follow each other with no hole of BARS_SESSION_GAP or more: the bars of
 * one session, through halts but not through the night. */
#define BARS_SESSION_GAP SPAN_HOURS(4)
size_t bars_in_session(const struct bars *bars, size_t index);

/* A bar that began then is no older than BAR_FRESH, and not of a time to come. */
bool bar_is_fresh(struct utc at, struct utc now);
/* The newest bar of a symbol is. Without one: false. */
bool bars_are_fresh(const struct bars *bars, size_t index, struct utc now);

#endif
