/* send_backoff.h - when an exit or a stop that the broker rejected may be sent anew.
 *
 * A rejected order is over; what it was for is not. A stop that the broker cancels by itself is as good as
 * rejected. The next attempt has a new id and goes at once, because most rejects are of a moment; from the second in a row on, it waits `first`, then twice as long each time, up to `most`:
 * an exit is never held in by a rule of ours, and a broker that rejects each attempt is not hammered. Exits and stops
 * of a symbol count apart, so that neither waits for the other. A fill ends the row, and so does a reject that comes
 * RUN_LASTS after the one before, not counting what an exit could not be sent in: a night says nothing of whether the
 * broker takes it now. Not journaled: after a restart the first attempt goes at once again. */
#ifndef CORE_ORDERS_SEND_BACKOFF_H
#define CORE_ORDERS_SEND_BACKOFF_H

#include "core/alpaca/alpaca.h"
#include "core/portfolio/book.h"

#define SEND_BACKOFF_MAX (2 * BOOK_MAX)

struct send_failures { /* of one symbol's exits, or of its stops */
    char symbol[SYMBOL_MAX];
    bool is_stop;
    int failures; /* in a row */
    struct mono last_at;
    struct span held; /* since then, in which nothing could be sent */
};

struct send_backoff { /* zero-initialise */
    struct send_failures items[SEND_BACKOFF_MAX];
    size_t count;
};

/* Files a reject and returns how many there are in a row now. */
int send_backoff_fail(struct send_backoff *backoff, const char *symbol, bool is_stop,
                      struct mono now);
/* For so long nothing could be sent: the row lasts as much longer. */
void send_backoff_hold(struct send_backoff *backoff, const char *symbol, bool is_stop,
                       struct span held);
/* A fill: the next reject is the first again. */
void send_backoff_end(struct send_backoff *backoff, const char *symbol, bool is_stop);
/* True if another attempt may go now. */
bool send_backoff_is_due(const struct send_backoff *backoff, const char *symbol, bool is_stop,
                         struct mono now, struct span first, struct span most);

#endif
