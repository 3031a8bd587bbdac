/* message_throttle.h - how many messages that change the market leave in a second and in a minute: RTS 6
 * article 15(1)(d), maximum message limits, for what Knight's and Everbright's programs poured out.
 *
 * Counted is what left, or may have: each submit, replace and cancel, an entry's and an exit's alike. When
 * either window is full an entry waits and asks again in the next cycle; exits, stops and cancels never
 * wait, but they count, so that entries queue behind them. Within one tick they are sent first anyway
 * (cycle.c: steps 4, 6 and 7, then entries). It demands no mode and latches nothing: time ends it.
 *
 * Time is monotonic: a wall that is set moves no window. It persists nothing of its own. A start folds the
 * journal's last minute by wall stamps: each intent is one message, whether it left or not, and each order
 * that ended cancelled stands for its cancel; one stamped in the future counts as of now. What a life sent
 * without a row, cancels still under way and orders of the emergency rule, its successor cannot know. */
#ifndef CORE_ORDERS_MESSAGE_THROTTLE_H
#define CORE_ORDERS_MESSAGE_THROTTLE_H

#include "core/config/config.h"
#include "core/state/journal.h"
#include "core/world/world.h"

#define MESSAGES_MAX 1000 /* the most that orders.messages_60s may be */

struct message_throttle {           /* zero-initialise */
    struct mono sent[MESSAGES_MAX]; /* a ring */
    size_t count;                   /* messages ever counted */
    bool is_holding;                /* an entry waits, and that was told */
};

struct message_window { /* how it stands with one of the windows */
    struct span span;
    int64_t count, most; /* messages younger than span; full at `most` */
};

/* A message left, or may have, at this instant. */
void message_throttle_take(struct message_throttle *throttle, struct mono at);
/* Takes a row of earlier lives, read at this instant of both clocks. */
void message_throttle_fold(struct message_throttle *throttle, const struct journal_row *row,
                           struct utc now, struct mono now_mono);
/* The window that is full, the second before the minute, or the minute if neither is. */
struct message_window message_throttle_look(const struct message_throttle *throttle,
                                            const struct config *config, struct mono now);
bool message_window_is_full(const struct message_window *window);

#endif
