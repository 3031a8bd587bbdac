/* trips.c - takes acts as they come, and at each tick's end what the scores say of them. */
#include "replay/oracle/trips.h"

#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { ALERTS_MAX = 8 };

struct counted { /* of a mechanism, as of the last tick */
    char mechanism[TABLE_NAME_MAX];
    int64_t founded, missed, unfounded;
};

struct told { /* an alert of this tick */
    char key[TABLE_NAME_MAX], severity[8];
};

struct tripping {
    struct table counted;
    struct told told[ALERTS_MAX];
    size_t told_count;
    size_t judged; /* trips before this one were held against the scores */
    bool is_young; /* no tick of this life yet */
};

/* --- the list --- */

struct trip_row *trips_add(struct trips *trips) {
    if (trips->count == TRIPS_KEPT) {
        trips->not_shown++;
        return NULL;
    }
    if (trips->items == NULL) {
        trips->items = judge_alloc(TRIPS_KEPT * sizeof *trips->items);
    }
    return &trips->items[trips->count++];
}

void trips_release(struct trips *trips) {
    free(trips->items);
    *trips = (struct trips){0};
}

static void add_time(struct text *out, const char *key, struct utc at) {
    text_member(out, key);
    if (at.ns == 0) {
        text_add(out, "null");
        return;
    }
    text_add_char(out, '"');
    text_add_utc(out, at);
    text_add_char(out, '"');
}

void trips_print(const struct trips *trips, struct text *out) {
    static const char *const words[] = {"unjudged", "demanded", "false",
                                        "missed",   "operator", "start"};
    text_add_char(out, '[');
    for (size_t i = 0; i < trips->count; i++) {
        const struct trip_row *trip = &trips->items[i];
        struct span late =
            trip->due_at.ns == 0 ? (struct span){0} : utc_sub(trip->at, trip->due_at);
        text_add(out, i == 0 ? "{" : ",{");
        text_member_string(out, "mechanism", trip->mechanism);
        text_member_string(out, "cause", trip->cause);
        text_member_string(out, "mode", trip->mode);
        text_member_utc(out, "at", trip->at);
        add_time(out, "until", trip->ended_at);
        add_time(out, "due", trip->due_at);
        text_member_int(out, "late_ms", late.ns / 1000000);
        text_member_string(out, "why", trip->why);
        text_member_string(out, "alert", trip->alert);
        text_member_string(out, "oracle", words[trip->word]);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

/* --- acts --- */

static void *tripping_create(void) {
    struct tripping *judge = judge_alloc(sizeof *judge);
    judge->counted = table_of(sizeof(struct counted));
    judge->is_young = true;
    return judge;
}

static void tripping_destroy(void *context) {
    struct tripping *judge = context;
    table_release(&judge->counted);
    free(judge);
}

static void copy(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    n = n < size ? n : size - 1;
    memcpy(out, text, n);
    out[n] = '\0';
}

static void take_act(const struct tripping *judge, const struct event *event,
                     struct findings *findings) {
    struct trips *trips = &findings->trips;
    const char *mode = "";
    const char *by = "";
    const char *why = "";
    const cJSON *body = scene_members(findings->scene, event);
    bool is_trip = json_string(body, "mode", &mode, NULL) == ERR_OK;
    struct trip_row *trip = is_trip ? trips_add(trips) : NULL;
    if (trip != NULL) {
        (void)!json_string(body, "by", &by, NULL);
        (void)!json_string(body, "why", &why, NULL);
        copy(trip->mechanism, sizeof trip->mechanism, event->subject);
        copy(trip->cause, sizeof trip->cause, event->id);
        copy(trip->mode, sizeof trip->mode, mode);
        copy(trip->why, sizeof trip->why, why);
        trip->at = event->at;
        trip->word = !is_word(by, "core") ? TRIP_OPERATOR
                     : judge->is_young    ? TRIP_START
                                          : TRIP_UNJUDGED;
    }
}

static void take_end(const struct event *event, struct trips *trips) {
    for (size_t i = trips->count; i-- > 0;) {
        struct trip_row *trip = &trips->items[i];
        if (is_word(trip->cause, event->id) && is_word(trip->mechanism, event->subject)) {
            trip->ended_at = trip->ended_at.ns == 0 ? event->at : trip->ended_at;
            return;
        }
    }
}

static void take_alert(struct tripping *judge, const struct event *event) {
    if (judge->told_count < ALERTS_MAX) {
        struct told *told = &judge->told[judge->told_count++];
        copy(told->key, sizeof told->key, event->what);
        copy(told->severity, sizeof told->severity, event->subject);
    }
}

/* --- a tick's end --- */

static const char *alert_of(const struct tripping *judge, const char *cause) {
    for (size_t i = 0; i < judge->told_count; i++) {
        if (is_word(judge->told[i].key, cause)) {
            return judge->told[i].severity;
        }
    }
    return "";
}

/* The first trip of this tick that nobody judged yet. */
static struct trip_row *open_of(const struct tripping *judge, const struct trips *trips,
                                const char *mechanism) {
    for (size_t i = judge->judged; i < trips->count; i++) {
        struct trip_row *trip = &trips->items[i];
        bool is_open = trip->word == TRIP_UNJUDGED || trip->word == TRIP_START;
        if (is_open && is_word(trip->mechanism, mechanism)) {
            return trip;
        }
    }
    return NULL;
}

static void put(const struct tripping *judge, struct trips *trips, const struct score *score,
                enum trip_word word, struct utc at) {
    struct trip_row *trip = word == TRIP_MISSED ? NULL : open_of(judge, trips, score->mechanism);
    if (trip == NULL && word == TRIP_DEMANDED) {
        return; /* an act that restricts nobody */
    }
    if (trip == NULL && (trip = trips_add(trips)) != NULL) {
        copy(trip->mechanism, sizeof trip->mechanism, score->mechanism);
        trip->at = at;
    }
    if (trip != NULL) {
        trip->word = word;
        trip->due_at = word == TRIP_FALSE ? (struct utc){0} : score->due_at;
    }
}

static void judge_scores(struct tripping *judge, struct findings *findings, struct utc at) {
    struct trips *trips = &findings->trips;
    for (size_t i = 0; i < findings->scores.count; i++) {
        const struct score *score = table_at(&findings->scores, i);
        struct counted *before = i < judge->counted.count /* in one order, and none leaves */
                                     ? table_at(&judge->counted, i)
                                     : table_get(&judge->counted, score->mechanism);
        for (; before->founded < score->founded; before->founded++) {
            put(judge, trips, score, TRIP_DEMANDED, at);
        }
        for (; before->unfounded < score->unfounded; before->unfounded++) {
            put(judge, trips, score, TRIP_FALSE, at);
        }
        for (; before->missed < score->missed; before->missed++) {
            put(judge, trips, score, TRIP_MISSED, at);
        }
    }
    for (; judge->judged < trips->count; judge->judged++) {
        struct trip_row *trip = &trips->items[judge->judged];
        copy(trip->alert, sizeof trip->alert, alert_of(judge, trip->cause));
    }
    judge->told_count = 0;
    judge->is_young = false;
}

static void tripping_observe(void *context, const struct event *event, struct findings *findings) {
    struct tripping *judge = context;
    if (event->kind == EVENT_ALERT) {
        take_alert(judge, event);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->what, "acted")) {
        take_act(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->what, "released")) {
        take_end(event, &findings->trips);
    } else if (event->kind == EVENT_TICK || event->kind == EVENT_STOP) {
        judge_scores(judge, findings, event->at);
        judge->is_young = event->kind == EVENT_STOP;
    }
}

const struct judge_ops trips_judge = {KIND(EVENT_ALERT) | KIND(EVENT_MECHANISM) | KIND(EVENT_TICK) |
                                          KIND(EVENT_STOP),
                                      tripping_create, tripping_observe, tripping_destroy};
