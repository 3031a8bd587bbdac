/* views_shape.c - lists that are too short or too long, values that are null or unknown. */
#include "chaos/faults/gate.h"
#include "chaos/faults/json_edit.h"
#include "chaos/faults/views.h"

#include <string.h>

#define ACTIVITY_LATE SPAN_S(60)

static bool is_list(const struct text *body) {
    return body->len > 0 && body->data[0] == '[';
}

static bool is_about(const char *path, const char *resource) {
    return strncmp(path, resource, strlen(resource)) == 0;
}

/* --- lists --- */

typedef bool keep_element(const struct text *body, struct slice element, void *context);

/* Rewrites a list: each element that is kept, `times` times. */
static void rewrite(struct text *body, keep_element *keep, void *context, int times) {
    struct text out = {.limit = body->limit};
    struct slice element = {0};
    text_add_char(&out, '[');
    while (json_edit_next(body, 0, &element)) {
        for (int i = 0; keep(body, element, context) && i < times; i++) {
            text_add(&out, out.len == 1 ? "" : ",");
            text_add_bytes(&out, body->data + element.at, element.end - element.at);
        }
    }
    text_add_char(&out, ']');
    text_clear(body);
    text_add(body, text_get(&out));
    text_release(&out);
}

static bool keep_any(const struct text *body, struct slice element, void *context) {
    (void)body;
    (void)element;
    (void)context;
    return true;
}

static bool keep_none(const struct text *body, struct slice element, void *context) {
    return !keep_any(body, element, context);
}

static bool keep_before(const struct text *body, struct slice element, void *context) {
    (void)body;
    return element.at < *(const size_t *)context;
}

/* Where the second half of a list begins; of an odd number the middle one is in it. */
static size_t middle_of(const struct text *body) {
    size_t count = 0;
    struct slice element = {0};
    while (json_edit_next(body, 0, &element)) {
        count++;
    }
    element = (struct slice){0};
    for (size_t i = 0; i <= count / 2 && json_edit_next(body, 0, &element); i++) {
    }
    return count == 0 ? 0 : element.at;
}

static bool keep_older(const struct text *body, struct slice element, void *context) {
    static const char *const keys[] = {"transaction_time", "created_at"};
    const struct utc *horizon = context;
    for (size_t i = 0; i < 2; i++) {
        struct utc at;
        char text[UTC_TEXT_MAX];
        if (json_edit_string(body, element.at, keys[i], text, sizeof text) &&
            utc_parse(text, &at, NULL) == ERR_OK) {
            return at.ns <= horizon->ns;
        }
    }
    return true;
}

/* --- values --- */

static void put_member(struct text *body, size_t object, const char *key, const char *with) {
    struct slice value;
    if (json_edit_find(body, object, key, &value)) {
        json_edit_replace(body, value, with);
    }
}

/* The same in each object of a list, or in the one object there is. */
static void put_members(struct text *body, const char *key, const char *with) {
    if (!is_list(body)) {
        put_member(body, 0, key, with);
        return;
    }
    struct slice element = {0};
    while (json_edit_next(body, 0, &element)) {
        const size_t before = body->len;
        put_member(body, element.at, key, with);
        element.end += body->len - before; /* wraps where it shrank: the sum is right */
    }
}

/* A bar holds no object: it ends with the first brace. */
static void put_no_minutes(struct text *body) {
    static const char key[] = "\"minuteBar\":";
    for (size_t from = 0;;) {
        const char *at = strstr(text_get(body) + from, key);
        if (at == NULL) {
            return;
        }
        from = (size_t)(at - text_get(body)) + sizeof key - 1;
        if (body->data[from] == '{') {
            const size_t end = from + strcspn(body->data + from, "}") + 1;
            json_edit_replace(body, (struct slice){from, end < body->len ? end : body->len},
                              "null");
        }
    }
}

static void put_nulls(struct text *body, const char *path) {
    static const struct {
        const char *resource, *key;
    } rows[] = {
        {"/v2/positions", "current_price"}, {"/v2/positions", "market_value"},
        {"/v2/positions", "unrealized_pl"}, {"/v2/account", "equity"},
        {"/v2/orders", "filled_qty"},       {"/v2/stocks/bars", "bars"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is_about(path, rows[i].resource)) {
            put_members(body, rows[i].key, "null");
        }
    }
    if (is_about(path, "/v2/stocks/snapshots")) {
        put_no_minutes(body);
    }
}

static bool has_nulls(const char *path) {
    return is_about(path, "/v2/positions") || strcmp(path, "/v2/account") == 0 ||
           is_about(path, "/v2/orders") || strcmp(path, "/v2/stocks/bars") == 0 ||
           strcmp(path, "/v2/stocks/snapshots") == 0;
}

static void reshape_activities(struct exchange *x) {
    struct text *body = &x->response->body;
    const struct fault *late = chaos_ask(x->plan, POINT_VIEW_ACTIVITY_LATE, x->entity);
    if (late != NULL) {
        const struct span delay = late->delay.ns == 0 ? ACTIVITY_LATE : late->delay;
        struct utc horizon = {virtual_clock_now(x->clock).ns - delay.ns};
        rewrite(body, keep_older, &horizon, 1);
    }
    if (chaos_ask(x->plan, POINT_VIEW_ACTIVITY_TWICE, x->entity) != NULL) {
        rewrite(body, keep_any, NULL, 2);
    }
}

void views_reshape(struct exchange *x) {
    const char *path = x->request->path;
    struct text *body = &x->response->body;
    if (is_list(body) && is_about(path, "/v2/account/activities")) {
        reshape_activities(x);
    }
    if (is_list(body) && strcmp(path, "/v2/orders") == 0 &&
        chaos_ask(x->plan, POINT_VIEW_ORDERS_EMPTY, x->entity) != NULL) {
        rewrite(body, keep_none, NULL, 1);
    }
    if (is_list(body) && chaos_ask(x->plan, POINT_VIEW_PARTIAL_PAGE, x->entity) != NULL) {
        size_t middle = middle_of(body);
        rewrite(body, keep_before, &middle, 1);
    }
    if (is_about(path, "/v2/orders") &&
        chaos_ask(x->plan, POINT_VIEW_UNKNOWN_STATUS, x->entity) != NULL) {
        put_members(body, "status", "\"under_review\"");
    }
    if (has_nulls(path) && chaos_ask(x->plan, POINT_VIEW_NULLS, x->entity) != NULL) {
        put_nulls(body, path);
    }
}
