/* volume.c - volume_is_latched, the oracle of daily_volume: a day or an hour that reached a limit is
 * latched by the end of the tick, and nothing less is.
 *
 * Known is what the core's own rows add up to: what it booked, sent and saw cancelled. True, for dollars,
 * is what the ledger says was executed for our orders. The day is New York's; an hour is this minute and
 * the 59 before it. Behind a journal that went back, and rows that nobody told, the rest of the day is not
 * judged, nor is anything once a wall was set: that counts another day. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"
#include "replay/oracle/tally.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "daily_volume";
enum { MINUTES = 60 };

struct traded { /* dollars, of a day */
    struct usd day;
    struct usd minutes[MINUTES];
    int64_t minute_of[MINUTES];
};

struct seen_order {
    char id[TABLE_NAME_MAX];
    bool is_cancelled;
};

struct volume {
    struct date day;
    struct usd equity;
    struct traded booked, executed;
    int64_t orders, cancels;
    struct table tallies, seen;
    struct two_clocks clocks;
    char due[TABLE_NAME_MAX]; /* the order that made it due last, or "" */
    int64_t last_row;
    struct date doubted; /* a day whose counts may be others */
    bool is_told;
};

static void *volume_create(void) {
    struct volume *judge = judge_alloc(sizeof *judge);
    judge->tallies = table_of(sizeof(struct tally));
    judge->seen = table_of(sizeof(struct seen_order));
    return judge;
}

static void volume_destroy(void *context) {
    struct volume *judge = context;
    table_release(&judge->tallies);
    table_release(&judge->seen);
    free(judge);
}

static void begin_day(struct volume *judge) {
    judge->booked.day = judge->executed.day = (struct usd){0};
    judge->orders = judge->cancels = 0;
    judge->is_told = false;
    tally_forget_trips(&judge->tallies);
}

static void forget(struct volume *judge) {
    begin_day(judge);
    judge->booked = judge->executed = (struct traded){0};
    judge->clocks = (struct two_clocks){0};
}

static void add(struct traded *traded, struct usd amount, struct utc at) {
    int64_t minute = at.ns / SPAN_MIN(1).ns;
    size_t slot = (size_t)(minute % MINUTES);
    traded->minutes[slot] =
        traded->minute_of[slot] == minute ? usd_add(traded->minutes[slot], amount) : amount;
    traded->minute_of[slot] = minute;
    traded->day = usd_add(traded->day, amount);
}

/* Beyond the day's or the hour's dollars, by how much of the day's. */
static bool is_much(const struct volume *judge, const struct traded *traded,
                    const struct scene *scene, struct utc at, struct usd *beyond) {
    struct usd hour = {0};
    int64_t minute = at.ns / SPAN_MIN(1).ns;
    for (size_t i = 0; i < MINUTES; i++) {
        hour = minute - traded->minute_of[i] < MINUTES ? usd_add(hour, traded->minutes[i]) : hour;
    }
    struct usd of_day = usd_scale(judge->equity, scene->limits.volume_day);
    struct usd of_hour = usd_scale(judge->equity, scene->limits.volume_hour);
    *beyond = usd_max(usd_sub(traded->day, of_day), usd_sub(hour, of_hour));
    return (of_day.nanos > 0 && usd_cmp(traded->day, of_day) >= 0) ||
           (of_hour.nanos > 0 && usd_cmp(hour, of_hour) >= 0);
}

static bool is_held(const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, MECHANISM);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

static void know(struct volume *judge, bool is_due, const char *order, struct utc at,
                 struct findings *findings) {
    if (is_due && !is_held(findings->scene)) {
        (void)!text_copy(judge->due, sizeof judge->due, order, NULL);
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, true);
    }
}

static bool has_reached(int64_t count, int64_t limit) {
    return limit > 0 && count >= limit;
}

/* --- rows --- */

static void take_fill(struct volume *judge, const struct event *event, const cJSON *body,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd amount = {0};
    struct usd beyond = {0};
    (void)!json_usd(body, "amount", &amount, NULL);
    add(&judge->booked, usd_abs(amount), event->at);
    know(judge, is_much(judge, &judge->booked, scene, event->at, &beyond), "", event->at, findings);
}

static void take_intent(struct volume *judge, const struct event *event, const cJSON *body,
                        struct findings *findings) {
    const char *replaces = "";
    if (json_string(body, "replaces", &replaces, NULL) != ERR_OK || replaces[0] == '\0') {
        judge->orders++;
        know(judge, has_reached(judge->orders, findings->scene->limits.volume_orders), event->id,
             event->at, findings);
    }
}

static void take_order(struct volume *judge, const struct event *event, const cJSON *body,
                       struct findings *findings) {
    const char *state = "";
    const char *replaces = "";
    (void)!json_string(body, "state", &state, NULL);
    (void)!json_string(body, "replaces", &replaces, NULL);
    if (is_word(state, "not_sent") && replaces[0] == '\0' && judge->orders > 0) {
        judge->orders--;
        if (is_word(judge->due, event->id)) {
            judge->clocks.known_at = (struct utc){0};
        }
    } else if (is_word(state, "canceled")) {
        struct seen_order *order = table_get(&judge->seen, event->id);
        judge->cancels += !order->is_cancelled;
        order->is_cancelled = true;
        know(judge, has_reached(judge->cancels, findings->scene->limits.volume_orders), "",
             event->at, findings);
    }
}

static void take_body(struct volume *judge, const struct event *event, const cJSON *body,
                      struct findings *findings) {
    const struct tally *ended = tally_take(&judge->tallies, event, body);
    int64_t most = findings->scene->limits.volume_trips;
    know(judge, ended != NULL && has_reached(ended->trips, most), "", event->at, findings);
    if (is_word(event->subject, "fill")) {
        take_fill(judge, event, body, findings);
    } else if (is_word(event->subject, "intent")) {
        take_intent(judge, event, body, findings);
    } else if (is_word(event->subject, "order")) {
        take_order(judge, event, body, findings);
    } else if (is_word(event->subject, "baseline")) {
        (void)!json_usd(body, "usd", &judge->equity, NULL);
    }
}

static void take_row(struct volume *judge, const struct event *event, struct findings *findings) {
    bool is_next = judge->last_row == 0 || event->number == judge->last_row + 1;
    judge->doubted = is_next ? judge->doubted : ny_date(event->at);
    judge->last_row = event->number;
    const cJSON *body = scene_body(findings->scene, event);
    if (is_word(event->subject, "latch_clear") && is_word(event->id, MECHANISM)) {
        forget(judge);
    } else if (body != NULL) {
        take_body(judge, event, body, findings);
    }
}

/* --- the rest --- */

static bool is_judged(const struct volume *judge, const struct scene *scene) {
    return !scene->is_stepped && judge->doubted.days != judge->day.days;
}

static void take_execution(struct volume *judge, const struct event *event,
                           const struct scene *scene) {
    struct usd amount = {0};
    struct usd beyond = {0};
    if (scene_is_ours(scene, event->id) &&
        usd_times_qty(event->price, event->qty, &amount, NULL) == ERR_OK) {
        add(&judge->executed, amount, event->at);
        bool is_due = is_much(judge, &judge->executed, scene, event->at, &beyond);
        clocks_true(&judge->clocks, event->at, is_due, beyond);
    }
}

static void judge_act(struct volume *judge, const struct event *event, struct findings *findings) {
    bool is_own = strstr(event->body, "\"by\":\"core\"") != NULL; /* not a document, nor a person */
    if (is_own && is_judged(judge, findings->scene) &&
        !clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_VOLUME, event->at, "latched, and within every limit");
    }
    judge->clocks = (struct two_clocks){0};
}

static void judge_tick(struct volume *judge, const struct event *event, struct findings *findings) {
    bool is_late = judge->clocks.known_at.ns != 0 && !is_held(findings->scene);
    if (is_late && !judge->is_told && is_judged(judge, findings->scene)) {
        judge->is_told = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_VOLUME, event->at, "a limit reached, and not latched");
    }
}

static void volume_observe(void *context, const struct event *event, struct findings *findings) {
    struct volume *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    struct date day = ny_date(event->at);
    if (day.days > judge->day.days) {
        judge->day = day;
        begin_day(judge);
    }
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_execution(judge, event, findings->scene);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_SEND) {
        bool is_risky = sent->is_new && sent->is_buy && is_held(findings->scene);
        if (is_risky) {
            findings_score(findings, MECHANISM)->risky++;
        }
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    }
}

const struct judge_ops volume_judge = {KIND(EVENT_ROW) | KIND(EVENT_LEDGER_FILL) |
                                           KIND(EVENT_TICK) | KIND(EVENT_SEND) |
                                           KIND(EVENT_MECHANISM),
                                       volume_create, volume_observe, volume_destroy};
