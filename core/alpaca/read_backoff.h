/* read_backoff.h - when a read that failed may be asked again.
 *
 * Measured from the start of an attempt: `first` after the first failure in a row, then twice as long
 * each time, up to `most`; a drawn part of a fifth is taken off, so that programs which failed together
 * do not come back together. A longer Retry-After binds, within RATE_PAUSE_MAX. What the rate budget
 * held back was no attempt and counts for nothing. Nothing waits here: the caller comes in a later tick. */
#ifndef CORE_ALPACA_READ_BACKOFF_H
#define CORE_ALPACA_READ_BACKOFF_H

#include "core/alpaca/alpaca.h"

struct read_backoff { /* zero-initialise: due at once */
    int failures;     /* in a row */
    struct mono started_at;
    struct mono not_before;
    struct mono asked_until; /* what the broker's Retry-After alone asks for */
    bool is_told;            /* the caller's: it has said that this read waits. A success ends it */
};

/* True if the read may be asked now. */
bool read_backoff_is_due(const struct read_backoff *backoff, struct mono now);
/* An attempt begins; its outcome follows with read_backoff_note(). */
void read_backoff_start(struct read_backoff *backoff, struct mono now);
/* Files the outcome: code and the client's reply. */
void read_backoff_note(struct read_backoff *backoff, enum err_code code,
                       const struct alpaca_reply *reply, struct span first, struct span most,
                       struct entropy *entropy);

/* A failure that is no other in a row: only what the broker itself asks for binds. */
void read_backoff_heed(struct read_backoff *backoff, const struct alpaca_reply *reply);

/* Asked again as soon as the broker's own wish allows: what it failed by has changed. */
void read_backoff_hurry(struct read_backoff *backoff, struct mono now);

#endif
