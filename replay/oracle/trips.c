/* trips.c - takes acts as they come, and at each tick's end what the scores say of them. */
#include "replay/oracle/trips.h"

#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct counted { /* of a mechanism, as of the last tick */
    char mechanism[TABLE_NAME_MAX];
    int64_t founded, missed, unfounded;
    struct utc due_at; /* the newest that was shown */
};

struct unkept { /* acts of this tick that found no place, of a mechanism */
    char mechanism[TABLE_NAME_MAX];
    int64_t count;
};

struct told { /* an alert of this tick */
    char key[TABLE_NAME_MAX], severity[8];
};

struct tripping {
    struct table counted, unkept, told;
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
        text_member_utc_or_null(out, "until", trip->ended_at);
        text_member_utc_or_null(out, "due", trip->due_at);
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
    judge->unkept = table_of(sizeof(struct unkept));
    judge->told = table_of(sizeof(struct told));
    judge->is_young = true;
    return judge;
}

static void tripping_destroy(void *context) {
    struct tripping *judge = context;
    table_release(&judge->counted);
    table_release(&judge->unkept);
    table_release(&judge->told);
    free(judge);
}

static void copy(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    n = n < size ? n : size - 1;
    memcpy(out, text, n);
    out[n] = '\0';
}

/* By whom it was set, as the core says: itself, what it found on its disk, or a person. */
static enum trip_word word_of(const struct tripping *judge, const char *by) {
    if (is_word(by, "document") || is_word(by, "flag")) {
        return TRIP_START;
    }
    return !is_word(by, "core") ? TRIP_OPERATOR : judge->is_young ? TRIP_START : TRIP_UNJUDGED;
}

static void take_act(struct tripping *judge, const struct event *event, struct findings *findings) {
    struct trips *trips = &findings->trips;
    const char *mode = "";
    const char *by = "";
    const char *why = "";
    const cJSON *body = scene_members(findings->scene, event);
    bool is_trip = json_string(body, "mode", &mode, NULL) == ERR_OK;
    struct trip_row *trip = is_trip ? trips_add(trips) : NULL;
    (void)!json_string(body, "by", &by, NULL);
    (void)!json_string(body, "why", &why, NULL);
    if (trip != NULL) {
        copy(trip->mechanism, sizeof trip->mechanism, event->subject);
        copy(trip->cause, sizeof trip->cause, event->id);
        copy(trip->mode, sizeof trip->mode, mode);
        copy(trip->why, sizeof trip->why, why);
        trip->at = event->at;
        trip->is_latched = cJSON_IsTrue(json_member(body, "latched"));
        trip->word = word_of(judge, by);
    } else if (is_trip && word_of(judge, by) != TRIP_OPERATOR) {
        struct unkept *unkept = table_get(&judge->unkept, event->subject);
        unkept->count++;
    }
}

static void take_end(const struct event *event, struct trips *trips) {
    for (size_t i = 0; i < trips->count; i++) {
        struct trip_row *trip = &trips->items[i];
        if (trip->ended_at.ns == 0 && is_word(trip->cause, event->id) &&
            is_word(trip->mechanism, event->subject)) {
            trip->ended_at = event->at;
        }
    }
}

/* What was true only while it lasted went with the life; the next says it anew. */
static void end_life(struct utc at, struct trips *trips) {
    for (size_t i = 0; i < trips->count; i++) {
        struct trip_row *trip = &trips->items[i];
        bool is_act = trip->cause[0] != '\0';
        if (is_act && !trip->is_latched && trip->ended_at.ns == 0) {
            trip->ended_at = at;
        }
    }
}

static void take_alert(struct tripping *judge, const struct event *event) {
    struct told *told = table_get(&judge->told, event->what);
    if (told->severity[0] == '\0') {
        copy(told->severity, sizeof told->severity, event->subject);
    }
}

/* --- a tick's end --- */

static void forget(struct table *table) {
    size_t size = table->record_size;
    if (table->count > 0) {
        table_release(table);
        *table = table_of(size);
    }
}

static const char *alert_of(const struct tripping *judge, const char *cause) {
    const struct told *told = table_find(&judge->told, cause);
    return told != NULL ? told->severity : "";
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

/* True where the act that the score counts is one of those without a place. */
static bool is_unkept(struct tripping *judge, const char *mechanism) {
    struct unkept *unkept = table_find(&judge->unkept, mechanism);
    bool is_one = unkept != NULL && unkept->count > 0;
    if (is_one) {
        unkept->count--;
    }
    return is_one;
}

static void put(struct tripping *judge, struct trips *trips, const struct score *score,
                enum trip_word word, struct utc due_at, struct utc at) {
    struct trip_row *trip = word == TRIP_MISSED ? NULL : open_of(judge, trips, score->mechanism);
    if (trip == NULL && word != TRIP_MISSED && is_unkept(judge, score->mechanism)) {
        return;
    }
    if (trip == NULL && word == TRIP_DEMANDED) {
        return; /* an act that restricts nobody */
    }
    if (trip == NULL && (trip = trips_add(trips)) != NULL) {
        copy(trip->mechanism, sizeof trip->mechanism, score->mechanism);
        trip->at = at;
    }
    if (trip != NULL) {
        trip->word = word;
        trip->due_at = due_at.ns <= trip->at.ns ? due_at : (struct utc){0};
    }
}

/* Of a founded act, by its number; {0}: as many came in one tick. */
static struct utc due_of(const struct score *score, int64_t number) {
    return score->founded - number <= SCORE_DUES ? score->dues[number % SCORE_DUES]
                                                 : (struct utc){0};
}

/* What no judge said of the newest act or miss is of an older one. */
static struct utc new_due(const struct counted *before, const struct score *score) {
    return score->due_at.ns != before->due_at.ns ? score->due_at : (struct utc){0};
}

static void judge_score(struct tripping *judge, struct counted *before, const struct score *score,
                        struct trips *trips, struct utc at) {
    const struct utc none = {0};
    for (; before->founded < score->founded; before->founded++) {
        before->due_at = due_of(score, before->founded);
        put(judge, trips, score, TRIP_DEMANDED, before->due_at, at);
    }
    for (; before->unfounded < score->unfounded; before->unfounded++) {
        put(judge, trips, score, TRIP_FALSE, none, at);
    }
    for (; before->missed < score->missed; before->missed++) {
        put(judge, trips, score, TRIP_MISSED, new_due(before, score), at);
        before->due_at = score->due_at;
    }
}

static void judge_scores(struct tripping *judge, struct findings *findings, struct utc at) {
    struct trips *trips = &findings->trips;
    for (size_t i = 0; i < findings->scores.count; i++) {
        const struct score *score = table_at(&findings->scores, i);
        struct counted *before = i < judge->counted.count /* in one order, and none leaves */
                                     ? table_at(&judge->counted, i)
                                     : table_get(&judge->counted, score->mechanism);
        judge_score(judge, before, score, trips, at);
    }
    for (; judge->judged < trips->count; judge->judged++) {
        struct trip_row *trip = &trips->items[judge->judged];
        copy(trip->alert, sizeof trip->alert, alert_of(judge, trip->cause));
    }
    judge->is_young = false;
    forget(&judge->told);
    forget(&judge->unkept);
}

static void tripping_observe(void *context, const struct event *event, struct findings *findings) {
    struct tripping *judge = context;
    if (event->kind == EVENT_ALERT) {
        take_alert(judge, event);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->what, "acted")) {
        take_act(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->what, "released")) {
        take_end(event, &findings->trips);
    } else {
        judge_scores(judge, findings, event->at);
    }
    if (event->kind == EVENT_STOP) {
        judge->is_young = true;
        end_life(event->at, &findings->trips);
    }
}

const struct judge_ops trips_judge = {KIND(EVENT_ALERT) | KIND(EVENT_MECHANISM) | KIND(EVENT_TICK) |
                                          KIND(EVENT_STOP) | KIND(EVENT_END),
                                      tripping_create, tripping_observe, tripping_destroy};
