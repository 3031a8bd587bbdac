/* reconcile.h - holds the book against the broker's listing of positions.
 *
 * Broker wins on quantity, we win on intent; explainers come first: an order whose fate or fills are not
 * known yet, a split that is announced and due (splits.h), and a spin-off that the broker told (spin_offs.h). These are
 * taken at the first listing that shows them,
 * unless a live order's fill, a stop's too, or one of the last 30 s looks the same: then once the difference is
 * confirmed. What two listings at least 15 s apart show alike and nothing explains is adopted, and paged by the
 * caller, if the broker shows shares; while an order that may fill rests in the symbol, and behind a fill of
 * ours in it, 30 s: either listing may be old by itself. A position that merely vanished is
 * never dropped: an empty list is no proof of flat. "Query failed" is not a listing and never comes here. */
#ifndef CORE_PORTFOLIO_RECONCILE_H
#define CORE_PORTFOLIO_RECONCILE_H

#include "core/portfolio/book.h"

enum in_flight {
    IN_FLIGHT_NOTHING, /* no live order in the symbol, or resting protection that was listed */
    IN_FLIGHT_STOP,    /* that, of the side to which the listing differs: its fill would look so */
    IN_FLIGHT_BESIDE,  /* as the next, but none whose fill would look so */
    IN_FLIGHT_LISTED,  /* every live order was listed in this tick, or since it differs: booked */
    IN_FLIGHT_UNKNOWN, /* an order may have filled, and nobody told us yet */
};

/* Which holdings they are, these say themselves (is_confirmed, is_healed, is_split, is_spun). */
struct reconcile_result {
    int differences; /* holdings that differ and nothing explains it yet */
    int confirmed;   /* of these, seen for long enough */
    int vanished;    /* of the confirmed, positions that the listing lacks */
    int splits;      /* taken: differences no more */
    int spin_offs;   /* likewise */
};

/* in_flight(context, symbol): what of our orders may explain a difference. How long one stood, and how long
 * ago a fill was, goes by the monotonic clock: a wall that is set back holds up nothing. */
struct reconcile_result reconcile(struct book *book, const struct broker_position *listing,
                                  size_t count, struct journal *journal, struct clock *clock,
                                  enum in_flight (*in_flight)(void *context, const char *symbol),
                                  void *context);

#endif
