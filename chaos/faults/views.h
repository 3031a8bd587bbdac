/* views.h - answers that are not the truth: the view faults of the http seam. */
#ifndef CHAOS_FAULTS_VIEWS_H
#define CHAOS_FAULTS_VIEWS_H

#include "chaos/faults/copies.h"
#include "chaos/faults/exchange.h"

#define VIEW_MARKS_MAX 512

struct view_mark { /* what positions were truly worth when last listed */
    char symbol[FAULT_SYMBOL_MAX];
    struct usd value;
};

struct views { /* zero-initialise; views_release() */
    struct view_mark marks[VIEW_MARKS_MAX];
    size_t count;
    struct copies copies;
};

void views_release(struct views *views);

/* Changes the answer of a GET with status 200 as the plan says: first to one of the past, then in
 * what it says. A lagging view shows the newest answer older than its lag (and at most LAG_SLACK
 * older than that): it lags behind what was asked before, not behind what nobody saw. An absurd mark
 * reaches the account's equity once its position was listed at least once. */
void views_distort(struct views *views, struct exchange *x);

/* --- inside the room: one family each --- */

/* views_past.c: lag and standstill. */
void views_go_back(struct views *views, struct exchange *x);
/* views_shape.c: lists and values that are not as they should be. */
void views_reshape(struct exchange *x);

#endif
