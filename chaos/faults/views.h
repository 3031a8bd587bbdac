/* views.h - answers that are not the truth: the view faults of the http seam. */
#ifndef CHAOS_FAULTS_VIEWS_H
#define CHAOS_FAULTS_VIEWS_H

#include "chaos/faults/plan.h"
#include "core/world/http.h"

#define VIEW_MARKS_MAX 512

struct view_mark { /* what positions were truly worth when last listed */
    char symbol[FAULT_SYMBOL_MAX];
    struct usd value;
};

struct views { /* zero-initialise */
    struct view_mark marks[VIEW_MARKS_MAX];
    size_t count;
};

/* Changes the answer of a GET with status 200 as the plan says. entity is "METHOD path". An absurd
 * mark reaches the account's equity once its position was listed at least once. */
void views_distort(struct views *views, struct plan *plan, const char *entity,
                   struct http_response *response);

#endif
