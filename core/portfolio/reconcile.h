/* reconcile.h - holds the book against the broker's listing of positions.
 *
 * Broker wins on quantity, we win on intent; explainers come first: a live order in the symbol, a fill
 * not yet booked. What two listings at least 15 s apart show and nothing explains is adopted, and
 * paged by the caller, if the broker shows shares; a position that merely vanished is never dropped: an empty list
 * is no proof of flat. "Query failed" is not a listing and never comes here. */
#ifndef CORE_PORTFOLIO_RECONCILE_H
#define CORE_PORTFOLIO_RECONCILE_H

#include "core/portfolio/book.h"

struct reconcile_result {
    int differences;         /* holdings that differ and nothing explains it yet */
    int confirmed;           /* of these, seen twice 15 s apart */
    bool is_vanished;        /* a confirmed one is a position that vanished */
    char symbol[SYMBOL_MAX]; /* of a confirmed one, for the page */
};

/* is_busy(context, symbol): a live order may explain a difference. */
struct reconcile_result reconcile(struct book *book, const struct broker_position *listing,
                                  size_t count, struct journal *journal, struct utc now,
                                  bool (*is_busy)(void *context, const char *symbol),
                                  void *context);

#endif
