/* rates.c - entries_within_their_rate and cooldown_between_orders: how often the core buys, by what it
 * sends.
 *
 * An entry with all its re-prices is one, and no order of it cools down another; how many there may be
 * is maker.c's. The core counts from its decisions, which leave up to 30 s later, and an order that is
 * sent again under its id was decided once; a wall clock that was tampered with counts another time. A
 * journal that went back, and the emergency rule, which has none, leave a later life nothing to count from. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span WINDOW = {INT64_C(900000000000)};
static const struct span DECIDED_BEFORE = {INT64_C(30000000000)}; /* none older is sent */
enum { BUYS_MAX = 1024 }; /* the highest limit there may be is lower */

struct touched { /* a symbol */
    char symbol[TABLE_NAME_MAX];
    struct utc at; /* its last order but for stops; {0}: none */
    char id[TABLE_NAME_MAX];
    char first[TABLE_NAME_MAX]; /* order of the entry that it belongs to */
};

struct rates {
    struct utc buys[BUYS_MAX]; /* a ring */
    int64_t count;
    struct table symbols;
    int64_t last_row;
};

static void *rates_create(void) {
    struct rates *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct touched));
    return judge;
}

static void rates_destroy(void *context) {
    struct rates *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static bool is_within(struct utc at, struct utc before, struct span span) {
    return before.ns != 0 && utc_sub(at, before).ns < span.ns - DECIDED_BEFORE.ns;
}

static void judge_rate(struct rates *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    int64_t most = scene->limits.entries_in_15min;
    bool is_full = most > 0 && most < BUYS_MAX && judge->count >= most;
    if (is_full && is_within(event->at, judge->buys[(judge->count - most) % BUYS_MAX], WINDOW)) {
        findings_break(findings, ORACLE_RATE, event->at, "%s: more than %lld buys in 15 min",
                       scene->sent.symbol, (long long)most);
    }
    judge->buys[judge->count++ % BUYS_MAX] = event->at;
}

static void judge_cooldown(const struct touched *touched, const struct event *event,
                           struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (is_within(event->at, touched->at, scene->limits.cooldown)) {
        findings_break(findings, ORACLE_COOLDOWN, event->at, "%s: bought %lld s after an order",
                       scene->sent.symbol, (long long)(utc_sub(event->at, touched->at).ns / NANOS));
    }
}

static void take_row(struct rates *judge, const struct event *event) {
    if (event->number <= judge->last_row) {
        table_release(&judge->symbols);
        judge->symbols = table_of(sizeof(struct touched));
        judge->count = 0;
    }
    judge->last_row = event->number;
}

static void rates_observe(void *context, const struct event *event, struct findings *findings) {
    struct rates *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event);
        return;
    }
    if (!sent->is_new || strncmp(sent->type, "stop", 4) == 0 || strstr(sent->id, "-x-") != NULL) {
        return;
    }
    struct touched *touched = table_get(&judge->symbols, sent->symbol);
    if (is_word(touched->id, sent->id)) {
        return;
    }
    const char *first = sent->of[0] != '\0' ? sent->of : sent->id;
    bool is_reprice = sent->of[0] != '\0' && is_word(touched->first, sent->of);
    if (sent->is_buy && !is_reprice && !findings->scene->is_stepped) {
        judge_rate(judge, event, findings);
        judge_cooldown(touched, event, findings);
    }
    touched->at = event->at;
    (void)!text_copy(touched->id, sizeof touched->id, sent->id, NULL);
    (void)!text_copy(touched->first, sizeof touched->first, first, NULL);
}

const struct judge_ops rates_judge = {KIND(EVENT_SEND) | KIND(EVENT_ROW), rates_create,
                                      rates_observe, rates_destroy};
