/* rates.c - entries_within_their_rate and cooldown_between_orders: how often the core buys, by what it
 * sends.
 *
 * Behind the second round trip of a day in a symbol, by the core's rows, it waits longer, and from where that trip
 * ended: a stop sells without an order. A row that a death left untold may have granted the day anew. An entry with all its re-prices is one, and no order of it cools down another; how many there may be
 * is maker.c's. The core counts from its decisions, which leave up to 30 s later, and an order that is
 * sent again under its id was decided once; a wall clock that was tampered with counts another time. A
 * journal that went back, and the emergency rule, which has none, leave a later life nothing to count from. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"
#include "replay/oracle/tally.h"

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
    struct table symbols, tallies;
    struct date day; /* of the tallies */
    int64_t last_row;
};

static void *rates_create(void) {
    struct rates *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct touched));
    judge->tallies = table_of(sizeof(struct tally));
    return judge;
}

static void rates_destroy(void *context) {
    struct rates *judge = context;
    table_release(&judge->symbols);
    table_release(&judge->tallies);
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

/* How long a symbol waits, a day at most; from *since, or from where its trip ended if that is later. */
static struct span wait_of(const struct rates *judge, const char *symbol,
                           const struct scene_limits *limits, struct utc *since) {
    static const struct span DAY = {INT64_C(86400000000000)};
    const struct tally *tally = table_find(&judge->tallies, symbol);
    struct span wait = limits->cooldown;
    for (int64_t trip = 2; tally != NULL && limits->cooldown_growth > 1 && trip <= tally->trips;
         trip++) {
        *since = utc_max(*since, tally->ended);
        wait.ns = wait.ns < DAY.ns ? wait.ns * limits->cooldown_growth : DAY.ns;
    }
    return wait.ns < DAY.ns ? wait : DAY;
}

static void judge_cooldown(const struct rates *judge, const struct touched *touched,
                           const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = touched->at;
    struct span wait = wait_of(judge, scene->sent.symbol, &scene->limits, &since);
    if (is_within(event->at, since, wait)) {
        findings_break(findings, ORACLE_COOLDOWN, event->at,
                       "%s: bought %lld s after an order or a trip", scene->sent.symbol,
                       (long long)(utc_sub(event->at, since).ns / NANOS));
    }
}

static void take_trips(struct rates *judge, const struct event *event, const struct scene *scene) {
    if (is_word(event->subject, "latch_clear") && is_word(event->id, "daily_volume")) {
        tally_forget_trips(&judge->tallies); /* the day is granted anew */
    } else if (scene_body(scene, event) != NULL) {
        (void)tally_take(&judge->tallies, event, scene_body(scene, event));
    }
}

static void take_row(struct rates *judge, const struct event *event, const struct scene *scene) {
    if (event->number <= judge->last_row) {
        table_release(&judge->symbols);
        table_release(&judge->tallies);
        judge->symbols = table_of(sizeof(struct touched));
        judge->tallies = table_of(sizeof(struct tally));
        judge->count = 0;
    }
    judge->last_row = event->number;
    if (scene->is_row_gap) {
        tally_forget_trips(&judge->tallies); /* what was not told may have granted the day anew */
    }
    take_trips(judge, event, scene);
}

static void take_day(struct rates *judge, struct date day) {
    if (day.days > judge->day.days) {
        judge->day = day;
        tally_forget_trips(&judge->tallies);
    }
}

static void rates_observe(void *context, const struct event *event, struct findings *findings) {
    struct rates *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    take_day(judge, ny_date(event->at));
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings->scene);
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
        judge_cooldown(judge, touched, event, findings);
    }
    touched->at = event->at;
    (void)!text_copy(touched->id, sizeof touched->id, sent->id, NULL);
    (void)!text_copy(touched->first, sizeof touched->first, first, NULL);
}

const struct judge_ops rates_judge = {KIND(EVENT_SEND) | KIND(EVENT_ROW), rates_create,
                                      rates_observe, rates_destroy};
