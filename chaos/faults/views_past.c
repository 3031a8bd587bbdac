/* views_past.c - answers of some time ago: lagging replicas, and one that stands still. */
#include "chaos/faults/gate.h"
#include "chaos/faults/json_edit.h"
#include "chaos/faults/views.h"

#include <string.h>

#define LAG_SLACK SPAN_S(5) /* the core asks no more often than every tick */

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static bool lag_point(const char *path, enum fault_point *out) {
    if (strcmp(path, "/v2/account") == 0) {
        *out = POINT_VIEW_LAG_ACCOUNT;
    } else if (begins(path, "/v2/positions")) {
        *out = POINT_VIEW_LAG_POSITIONS;
    } else if (begins(path, "/v2/orders")) {
        *out = POINT_VIEW_LAG_ORDERS;
    } else {
        return false;
    }
    return true;
}

static void show(struct exchange *x, const struct text *body) {
    text_clear(&x->response->body);
    text_add(&x->response->body, text_get(body));
}

/* An order asked for by its id is not there yet if it is younger than the lag. */
static void hide_young(struct exchange *x, struct utc horizon) {
    const struct text *body = &x->response->body;
    char text[UTC_TEXT_MAX];
    struct utc submitted_at;
    if (json_edit_string(body, 0, "submitted_at", text, sizeof text) &&
        utc_parse(text, &submitted_at, NULL) == ERR_OK && submitted_at.ns > horizon.ns) {
        x->response->status = 404;
        text_clear(&x->response->body);
        text_add(&x->response->body, "{\"code\":40410000,\"message\":\"order not found\"}");
    }
}

void views_go_back(struct views *views, struct exchange *x) {
    enum fault_point lag = FAULT_POINT_COUNT;
    const char *path = x->request->path;
    const bool may_lag = lag_point(path, &lag) && plan_uses(x->plan, lag);
    if (!may_lag && !plan_uses(x->plan, POINT_VIEW_STALE)) {
        return;
    }
    const struct utc now = virtual_clock_now(x->clock);
    struct copy_row *row =
        copies_keep(&views->copies, path, x->request->query, now, &x->response->body);
    const struct fault *fault = may_lag ? chaos_ask(x->plan, lag, x->entity) : NULL;
    if (fault != NULL) {
        const struct utc horizon = {now.ns - fault->delay.ns};
        const struct span slack = LAG_SLACK;
        const struct text *past = copies_find(row, (struct utc){horizon.ns - slack.ns}, horizon);
        if (past != NULL) {
            show(x, past);
        } else {
            hide_young(x, horizon);
        }
    }
    fault = chaos_ask(x->plan, POINT_VIEW_STALE, x->entity);
    const struct text *frozen =
        fault == NULL ? NULL : copies_freeze(row, plan_from(x->plan, fault));
    if (frozen != NULL) {
        x->response->status = 200;
        show(x, frozen);
    }
}
