/* healings.c - healings_are_due_and_seen, the oracle of health_supervisor: where reads of a host are unanswered or 5xx for
 * health.reconnect_s, and none is answered, a fresh connection is made by the second full tick that sees one fail then, again each
 * health.again_s likewise; none is made sooner; and none counts as one that helped before a read of that
 * host was answered behind it.
 *
 * Reads are the core's GETs. What was answered at all, 5xx aside, shows that the line stands. The core looks once a
 * full tick: it may know an ailment later than its first failed read, never sooner. A life begins with no
 * connection. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "health_supervisor";
enum { BROKER, DATA, LINES, TICKS_MOST = 2 };
static const char *const WORDS[] = {"broker", "data"};

struct line {
    bool is_failing;
    struct utc since, last; /* the first failed read in a row, and the last */
    struct utc known;     /* end of the first full tick that saw no read answered; {0}: none yet */
    bool is_mixed;        /* the tick that runs saw one answered */
    struct utc healed_at; /* `last` at a fresh connection; {0}: none in this ailment */
    struct utc healed_by; /* when that was told: it was made in between */
    int ticks;            /* full ones that saw a read fail with it overdue, */
    struct utc ticked;    /* the last of them then */
    bool is_answered;     /* since then */
};

struct healings {
    struct line lines[LINES];
};

static void *healings_create(void) {
    return judge_alloc(sizeof(struct healings));
}

static void take_read(struct line *line, struct utc at, bool is_answered) {
    if (is_answered) {
        line->is_failing = false;
        line->is_answered = line->is_mixed = true;
        line->ticks = 0;
        return;
    }
    if (!line->is_failing) {
        line->is_failing = true;
        line->since = at;
        line->healed_at = line->known = (struct utc){0};
        line->ticks = 0;
    }
    line->last = at;
}

static void take_http(struct healings *judge, const struct event *event) {
    if (is_word(event->subject, "GET")) {
        bool is_data = strncmp(event->what, "/v2/stocks", 10) == 0 ||
                       strncmp(event->what, "/v1/corporate-actions", 21) == 0;
        bool is_answered = event->id[0] == '\0' && event->number < 500;
        take_read(&judge->lines[is_data ? DATA : BROKER], event->at, is_answered);
    }
}

/* Was another connection due at that instant, after an ailment that began, or a connection that was made, then? A
 * connection is made between the read that had failed last and its word: a disk may take its time over telling it, and a
 * tick that hung over making it. So it may be due again from the one on, and is from the other on. */
static bool is_due(const struct line *line, const struct scene_limits *limits, struct utc since,
                   struct utc healed, struct utc at) {
    bool is_first = line->healed_at.ns == 0;
    struct span waited = utc_sub(at, is_first ? since : healed);
    struct span least = is_first ? limits->health_reconnect : limits->health_again;
    return line->is_failing && utc_is_before(line->healed_at, line->last) && waited.ns >= least.ns;
}

static void judge_tick(struct healings *judge, const struct event *event,
                       struct findings *findings) {
    for (int i = 0; i < LINES; i++) {
        struct line *line = &judge->lines[i];
        bool has_failed = line->is_failing && utc_is_before(line->ticked, line->last);
        bool is_late =
            has_failed && line->known.ns != 0 &&
            is_due(line, &findings->scene->limits, line->known, line->healed_by, line->last);
        line->known =
            has_failed && line->known.ns == 0 && !line->is_mixed ? event->at : line->known;
        line->is_mixed = false;
        line->ticks += is_late;
        line->ticked = line->last;
        if (is_late && line->ticks == TICKS_MOST) {
            findings_score(findings, MECHANISM)->missed++;
            findings_break(findings, ORACLE_HEALINGS, event->at,
                           "%s: reads fail, and no fresh connection is tried", WORDS[i]);
        }
    }
}

static void judge_act(struct line *line, const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    score->acted++;
    if (is_due(line, &findings->scene->limits, line->since, line->healed_at, event->at)) {
        score->due++;
    } else {
        score->unfounded++;
        findings_break(findings, ORACLE_HEALINGS, event->at,
                       "%s: a fresh connection that was not due", event->id);
    }
    line->healed_at = line->last;
    line->healed_by = event->at;
    line->is_answered = false;
    line->ticks = 0;
}

static void judge_mechanism(struct healings *judge, const struct event *event,
                            struct findings *findings) {
    for (int i = 0; i < LINES && is_word(event->subject, MECHANISM); i++) {
        struct line *line = &judge->lines[i];
        if (!is_word(event->id, WORDS[i])) {
            continue;
        }
        if (is_word(event->what, "acted")) {
            judge_act(line, event, findings);
        } else if (is_word(event->what, "released") && !line->is_answered) {
            findings_break(findings, ORACLE_HEALINGS, event->at,
                           "%s: told as healed, and no read was answered since", event->id);
        }
    }
}

static void healings_observe(void *context, const struct event *event, struct findings *findings) {
    struct healings *judge = context;
    if (event->kind == EVENT_START) {
        *judge = (struct healings){.lines = {{.is_failing = false}}};
    } else if (findings->scene->limits.health_reconnect.ns == 0) {
        return;
    } else if (event->kind == EVENT_HTTP) {
        take_http(judge, event);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else {
        judge_mechanism(judge, event, findings);
    }
}

const struct judge_ops healings_judge = {KIND(EVENT_HTTP) | KIND(EVENT_TICK) |
                                             KIND(EVENT_MECHANISM) | KIND(EVENT_START),
                                         healings_create, healings_observe, free};
