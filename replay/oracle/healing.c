/* healing.c - degraded_ends, trips_are_paged and kill_takes_effect: what a core must do once faults have
 * stopped. Each clock starts at the latest of what began it, the healing, and the core's start.
 *
 * Degraded mode that began for the fifth time within an hour is held for half an hour on purpose. It may
 * stay, a maybe, where a clock was stepped (it stays wrong), and under a rate budget that cannot carry
 * the polls of every tick (150 requests a minute do). */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span DEGRADED_LASTS = {INT64_C(150000000000)};
static const struct span FLAPPING_LASTS = {INT64_C(1950000000000)};
static const struct span FLAPPING_WITHIN = {INT64_C(3600000000000)};
static const struct span PAGED_WITHIN = {INT64_C(10000000000)};
static const struct span KILLED_WITHIN = {INT64_C(30000000000)};
static const struct span CANCELLED_WITHIN = {INT64_C(60000000000)};
static const char KILL_CAUSE[] = "kill_switch";
enum { FLAPS = 5, TRIPS_MAX = 16, REQUESTS_NEEDED = 150 };

struct paged {
    char cause[TABLE_NAME_MAX];
    bool is_paged;
};

struct healing {
    struct utc degraded_at; /* {0}: not degraded */
    struct utc starts[FLAPS];
    size_t start_count;
    struct {
        char cause[TABLE_NAME_MAX];
        struct utc at;
    } trips[TRIPS_MAX]; /* not yet paged */
    size_t trip_count;
    struct table paged;              /* by cause: since it was last cleared */
    struct utc kill_at;              /* {0}: none, or in effect */
    struct utc killed_at;            /* {0}: none whose entries are not looked for */
    char stop_cause[TABLE_NAME_MAX]; /* of kill_at */
};

static void *healing_create(void) {
    struct healing *judge = judge_alloc(sizeof *judge);
    judge->paged = table_of(sizeof(struct paged));
    return judge;
}

static void healing_destroy(void *context) {
    struct healing *judge = context;
    table_release(&judge->paged);
    free(judge);
}

/* True if `most` is over since `at`, the healing and the core's start. */
static bool is_due(const struct scene *scene, struct utc at, struct span most) {
    struct utc since = utc_max(at, utc_max(scene->healed_at, scene->up_since));
    return at.ns != 0 && scene->healed_at.ns != 0 && scene->is_up &&
           utc_sub(scene->now, since).ns > most.ns;
}

static void take_degraded(struct healing *judge, const struct event *event) {
    if (is_word(event->what, "acted") && judge->degraded_at.ns == 0) {
        judge->degraded_at = event->at;
        judge->starts[judge->start_count++ % FLAPS] = event->at;
    } else if (is_word(event->what, "released")) {
        judge->degraded_at = (struct utc){0};
    }
}

/* An operator ended the latch: what was told before is no longer due. */
static void take_clear(struct healing *judge, const char *cause) {
    if (is_word(cause, judge->stop_cause)) {
        judge->kill_at = (struct utc){0};
    }
    if (is_word(cause, KILL_CAUSE)) {
        judge->killed_at = (struct utc){0};
    }
}

static void take_operator(struct healing *judge, const struct event *event) {
    bool is_kill = is_word(event->subject, "kill");
    if ((is_kill || is_word(event->subject, "freeze")) && judge->kill_at.ns == 0) {
        judge->kill_at = event->at;
        (void)!text_copy(judge->stop_cause, TABLE_NAME_MAX, is_kill ? KILL_CAUSE : event->what,
                         NULL);
    }
    judge->killed_at = is_kill ? event->at : judge->killed_at;
}

/* With the journal down the page comes first, the row when the disk is back. */
static void take_row(struct healing *judge, const struct event *event) {
    struct paged *paged = table_get(&judge->paged, event->id);
    if (is_word(event->subject, "latch_clear")) {
        paged->is_paged = false;
        take_clear(judge, event->id);
    } else if (judge->trip_count < TRIPS_MAX && is_word(event->subject, "latch_set") &&
               !paged->is_paged) {
        size_t i = judge->trip_count++;
        judge->trips[i].at = event->at;
        (void)!text_copy(judge->trips[i].cause, TABLE_NAME_MAX, event->id, NULL);
    }
}

static void drop_trip(struct healing *judge, size_t i) {
    memmove(&judge->trips[i], &judge->trips[i + 1],
            (judge->trip_count - i - 1) * sizeof judge->trips[0]);
    judge->trip_count--;
}

static void take_page(struct healing *judge, const struct event *event) {
    if (!is_word(event->subject, "page")) {
        return;
    }
    struct paged *paged = table_get(&judge->paged, event->what);
    paged->is_paged = true;
    for (size_t i = judge->trip_count; i-- > 0;) {
        if (is_word(judge->trips[i].cause, event->what)) {
            drop_trip(judge, i);
        }
    }
}

static void judge_trips(struct healing *judge, const struct event *event,
                        struct findings *findings) {
    for (size_t i = judge->trip_count; i-- > 0;) {
        if (is_due(findings->scene, judge->trips[i].at, PAGED_WITHIN)) {
            findings_break(findings, ORACLE_L_PAGED, event->at, "%s: latched and not paged",
                           judge->trips[i].cause);
            drop_trip(judge, i);
        }
    }
}

static void judge_degraded(struct healing *judge, const struct event *event,
                           struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc oldest = judge->starts[judge->start_count % FLAPS];
    bool is_flapping =
        judge->start_count >= FLAPS && utc_sub(judge->degraded_at, oldest).ns <= FLAPPING_WITHIN.ns;
    struct utc since = scene_since(scene, judge->degraded_at);
    struct span most = is_flapping ? FLAPPING_LASTS : DEGRADED_LASTS;
    most.ns += scene->limits.degraded_clean.ns;
    if (scene_is_open(scene) && judge->degraded_at.ns != 0 && is_due(scene, since, most)) {
        judge->degraded_at = (struct utc){0};
        int64_t budget = scene->limits.requests_a_minute;
        if (scene->is_stepped || (budget > 0 && budget < REQUESTS_NEEDED)) {
            findings_excuse(findings, ORACLE_L_DEGRADED, event->at, "still degraded");
        } else {
            findings_break(findings, ORACLE_L_DEGRADED, event->at, "still degraded");
        }
    }
}

/* A kill ends entries, not decisions alone. */
static void judge_entries(struct healing *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (!scene_is_open(scene) || !is_due(scene, judge->killed_at, CANCELLED_WITHIN)) {
        return;
    }
    judge->killed_at = (struct utc){0};
    for (size_t i = 0; i < scene->orders.count; i++) {
        const struct scene_order *order = table_at(&scene->orders, i);
        if (order->is_live_buy) {
            findings_break(findings, ORACLE_L_KILL, event->at, "%s: %s is live a minute after it",
                           order->symbol, order->id);
            return;
        }
    }
}

static void judge_kill(struct healing *judge, const struct event *event,
                       struct findings *findings) {
    if (findings->scene->mode >= SCENE_REDUCE_ONLY) {
        judge->kill_at = (struct utc){0};
    } else if (is_due(findings->scene, judge->kill_at, KILLED_WITHIN)) {
        judge->kill_at = (struct utc){0};
        findings_break(findings, ORACLE_L_KILL, event->at, "told to stop, and entries are allowed");
    }
}

static void healing_observe(void *context, const struct event *event, struct findings *findings) {
    struct healing *judge = context;
    if (event->kind == EVENT_MECHANISM && is_word(event->subject, "degraded_mode")) {
        take_degraded(judge, event);
    } else if (event->kind == EVENT_ROW) {
        if (strncmp(event->subject, "latch_", 6) == 0) {
            take_row(judge, event);
        }
    } else if (event->kind == EVENT_ALERT) {
        take_page(judge, event);
    } else if (event->kind == EVENT_OPERATOR) {
        take_operator(judge, event);
    } else if (event->kind == EVENT_STOP) {
        judge->degraded_at = (struct utc){0};
        judge->trip_count = 0; /* what its death kept from saying is no silence */
    } else if (event->kind == EVENT_TICK) {
        judge_trips(judge, event, findings);
        judge_degraded(judge, event, findings);
        judge_kill(judge, event, findings);
        judge_entries(judge, event, findings);
    }
}

const struct judge_ops healing_judge = {KIND(EVENT_MECHANISM) | KIND(EVENT_ROW) |
                                            KIND(EVENT_ALERT) | KIND(EVENT_OPERATOR) |
                                            KIND(EVENT_STOP) | KIND(EVENT_TICK),
                                        healing_create, healing_observe, healing_destroy};
