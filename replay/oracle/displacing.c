/* displacing.c - displacement_is_earned: who is closed for another was old enough, for one that max_positions alone
 * kept out in this very tick; neither took part in another a moment ago, and what was closed is not bought back.
 *
 * Ages are those of the ledger's executions, the refusal and the act the core's words. Scores are the strategy's affair:
 * that a lead was one is for unit tests. Where a wall was set nothing is said of how long ago something was. What the
 * core knows of an act is its row: one that a journal which went back lost, as a row with its number or a lower one
 * shows, binds nobody any more. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const char MECHANISM[] = "displacement";

struct place {
    char symbol[TABLE_NAME_MAX];
    struct utc entered_at; /* {0}: before the run */
    struct utc last_at;    /* took part in a displacement; {0} never */
    bool is_victim;
    int64_t row;        /* of that displacement */
    int64_t refused_in; /* tick, from 1 on */
};

struct displacing {
    struct table places;
    int64_t tick;
    int64_t row; /* of the last displacement */
    bool is_wall_set;
};

static void *displacing_create(void) {
    struct displacing *judge = judge_alloc(sizeof *judge);
    judge->places = table_of(sizeof(struct place));
    judge->tick = 1;
    return judge;
}

static void displacing_destroy(void *context) {
    struct displacing *judge = context;
    table_release(&judge->places);
    free(judge);
}

static bool is_recent(const struct displacing *judge, struct utc since, struct utc at,
                      struct span most) {
    return !judge->is_wall_set && since.ns != 0 && most.ns > 0 && utc_sub(at, since).ns < most.ns;
}

static const char *flaw(const struct displacing *judge, const struct place *victim,
                        const struct place *candidate, const struct event *event,
                        const struct scene_limits *limits) {
    if (candidate->refused_in != judge->tick) {
        return "is not what max_positions keeps out";
    }
    if (is_recent(judge, victim->entered_at, event->at, limits->displacement_min_age)) {
        return "is worth one that is too young";
    }
    if (is_recent(judge, victim->last_at, event->at, limits->displacement_cooldown)) {
        return "is worth one that took part in another a moment ago";
    }
    return is_recent(judge, candidate->last_at, event->at, limits->displacement_cooldown)
               ? "took part in another a moment ago"
               : NULL;
}

static void take_act(struct displacing *judge, const struct event *event,
                     struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    (void)table_get(&judge->places, event->symbol);
    struct place *candidate = table_get(&judge->places, event->id);
    struct place *victim = table_get(&judge->places, event->symbol);
    const char *why = flaw(judge, victim, candidate, event, &findings->scene->limits);
    score->due += why == NULL;
    score->acted++;
    if (why != NULL) {
        score->unfounded++;
        findings_break(findings, ORACLE_DISPLACEMENT, event->at, "%s is closed: %s %s",
                       event->symbol, event->id, why);
    }
    victim->last_at = candidate->last_at = event->at;
    victim->row = candidate->row = judge->row;
    victim->is_victim = true;
    candidate->is_victim = false;
}

static void take_send(const struct displacing *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    const struct place *place = table_find(&judge->places, sent->symbol);
    if (sent->is_new && sent->is_buy && place != NULL && place->is_victim &&
        is_recent(judge, place->last_at, event->at,
                  findings->scene->limits.displacement_cooldown)) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_DISPLACEMENT, event->at,
                       "%s is bought back %lld s after it was closed for another", sent->symbol,
                       (long long)(utc_sub(event->at, place->last_at).ns / NANOS));
    }
}

/* What it opened is as old as this. */
static void take_fill(struct displacing *judge, const struct event *event,
                      const struct scene *scene) {
    if (is_word(event->subject, "buy") &&
        scene_symbol(scene, event->symbol)->qty.nanos <= event->qty.nanos) {
        struct place *place = table_get(&judge->places, event->symbol);
        place->entered_at = event->at;
    }
}

/* A number that was given before: what had it, and all behind it, is in no journal. */
static void take_row(struct displacing *judge, const struct event *event) {
    for (size_t i = 0; i < judge->places.count; i++) {
        struct place *place = table_at(&judge->places, i);
        if (place->row >= event->number) {
            place->last_at = (struct utc){0};
            place->is_victim = false;
            place->row = 0;
        }
    }
    if (is_word(event->subject, "displaced")) {
        judge->row = event->number;
    }
}

static void displacing_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct displacing *judge = context;
    switch ((int)event->kind) {
    case EVENT_TICK:
        judge->tick++;
        break;
    case EVENT_FRAME:
        judge->is_wall_set |= is_word(event->subject, "wall");
        break;
    case EVENT_LEDGER_FILL:
        take_fill(judge, event, findings->scene);
        break;
    case EVENT_REFUSAL:
        if (is_word(event->subject, "MAX_POSITIONS")) {
            struct place *place = table_get(&judge->places, event->symbol);
            place->refused_in = judge->tick;
        }
        break;
    case EVENT_ROW:
        take_row(judge, event);
        break;
    case EVENT_SEND:
        take_send(judge, event, findings);
        break;
    default:
        if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
            take_act(judge, event, findings);
        }
    }
}

const struct judge_ops displacing_judge = {
    KIND(EVENT_TICK) | KIND(EVENT_FRAME) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_REFUSAL) |
        KIND(EVENT_ROW) | KIND(EVENT_SEND) | KIND(EVENT_MECHANISM),
    displacing_create, displacing_observe, displacing_destroy};
