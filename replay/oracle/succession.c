/* succession.c - lease_passes_in_time: a process that stands still is succeeded, and one that lives is not.
 *
 * By true time: the lease may be taken 50 s after its last renewal, which is at most 10 s before the sleep
 * began; a supervisor tries every 10 s or so. What the disk says of the lease may be wrong: behind a fault
 * of the disk, or a hand in the state directory, a maybe. Sleeps of which each begins within 10 s of the
 * waking before it may all lie in one renewal, which is stamped before it is written: it is no older than
 * the first of them and no younger than the last. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span SOONEST = {INT64_C(38000000000)};
static const struct span LATEST = {INT64_C(90000000000)};
static const struct span RENEWED = {INT64_C(10000000000)}; /* awake for so long, it has renewed */

struct succession {
    struct utc asleep_since; /* {0}: the core does not stand still */
    struct utc woken_at;     /* of the last sleep; {0}: none in this life */
    struct utc aged_since;   /* when the sleeps began between which it need not have renewed */
    bool is_told;            /* of this sleep */
    bool is_excused;
};

static void *succession_create(void) {
    return judge_alloc(sizeof(struct succession));
}

static void report(const struct succession *judge, struct findings *findings, struct utc at,
                   const char *text) {
    if (judge->is_excused) {
        findings_excuse(findings, ORACLE_SUCCESSION, at, "%s", text);
    } else {
        findings_break(findings, ORACLE_SUCCESSION, at, "%s", text);
    }
}

static void take_pause(struct succession *judge, const struct event *event) {
    bool is_begin = is_word(event->subject, "begin");
    bool is_renewed =
        judge->woken_at.ns == 0 || utc_sub(event->at, judge->woken_at).ns >= RENEWED.ns;
    if (is_begin && is_renewed) {
        judge->aged_since = event->at;
    }
    judge->asleep_since = is_begin ? event->at : (struct utc){0};
    judge->woken_at = is_begin ? judge->woken_at : event->at;
    judge->is_told = false;
}

static void judge_stop(struct succession *judge, const struct event *event,
                       struct findings *findings) {
    bool is_asleep =
        judge->asleep_since.ns != 0 && utc_sub(event->at, judge->aged_since).ns >= SOONEST.ns;
    if (is_word(event->subject, "succeeded") && !is_asleep) {
        report(judge, findings, event->at, "the lease was taken from a living core");
    }
    judge->asleep_since = (struct utc){0};
    judge->woken_at = (struct utc){0};
}

static void judge_start(struct succession *judge, const struct event *event,
                        struct findings *findings) {
    static const char held[] = "refused the state directory is held by";
    bool is_refused = is_word(event->subject, "start") && is_word(event->id, "here") &&
                      strncmp(event->what, held, sizeof held - 1) == 0;
    if (!is_refused || judge->asleep_since.ns == 0 || judge->is_told ||
        utc_sub(event->at, judge->asleep_since).ns <= LATEST.ns) {
        return;
    }
    judge->is_told = true;
    report(judge, findings, event->at, "90 s of standing still, and nobody was let in");
}

static void succession_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct succession *judge = context;
    if (event->kind == EVENT_PAUSE) {
        take_pause(judge, event);
    } else if (event->kind == EVENT_STOP) {
        judge_stop(judge, event, findings);
    } else if (event->kind == EVENT_START) {
        if (is_word(event->subject, "ready")) { /* where a start slept: somebody was let in */
            judge->asleep_since = (struct utc){0};
            judge->woken_at = (struct utc){0};
        }
    } else if (event->kind == EVENT_OTHER) {
        judge_start(judge, event, findings);
    } else {
        judge->is_excused = judge->is_excused || strncmp(event->subject, "disk.", 5) == 0 ||
                            is_word(event->subject, "edit_document");
    }
}

const struct judge_ops succession_judge = {KIND(EVENT_PAUSE) | KIND(EVENT_STOP) |
                                               KIND(EVENT_START) | KIND(EVENT_OTHER) |
                                               KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR),
                                           succession_create, succession_observe, free};
