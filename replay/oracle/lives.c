/* lives.c - dead_is_silent, comes_back and recovery_converges: how a core dies, starts and recovers.
 *
 * A life that ends no tick recovered nothing. Three such in a row, with no fault and no hand in
 * between, will go on for ever. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_LIVES_MAX = 3 };

struct lives {
    int idle; /* lives in a row that ended no tick, undisturbed */
    bool has_ticked;
    char why[96]; /* of the last refused start */
};

static void *lives_create(void) {
    return judge_alloc(sizeof(struct lives));
}

static void end_life(struct lives *judge, const struct event *event, struct findings *findings) {
    judge->idle = judge->has_ticked ? 0 : judge->idle + 1;
    judge->has_ticked = false;
    if (judge->idle == IDLE_LIVES_MAX) {
        findings_break(findings, ORACLE_RECOVERY, event->at,
                       "%d lives in a row ended before their first tick: %s", IDLE_LIVES_MAX,
                       judge->why);
    }
}

static void keep_why(struct lives *judge, const struct event *event) {
    size_t n = strnlen(event->what, sizeof judge->why - 1);
    memcpy(judge->why, event->what, n);
    judge->why[n] = '\0';
}

static void take_stop(struct lives *judge, const struct event *event, struct findings *findings) {
    if (is_word(event->what, "does_not_stop")) {
        findings_break(findings, ORACLE_DEAD, event->at, "calls after death");
    }
    if (is_word(event->subject, "dead")) {
        end_life(judge, event, findings);
    }
}

static void lives_observe(void *context, const struct event *event, struct findings *findings) {
    struct lives *judge = context;
    if (event->kind == EVENT_TICK) {
        judge->has_ticked = true;
        judge->idle = 0;
    } else if (event->kind == EVENT_STOP) {
        take_stop(judge, event, findings);
    } else if (event->kind == EVENT_START && is_word(event->subject, "refused")) {
        keep_why(judge, event);
        end_life(judge, event, findings);
    } else if (event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR) {
        judge->idle = 0;
    } else if (event->kind == EVENT_END && is_word(event->subject, "down")) {
        findings_break(findings, ORACLE_COMES_BACK, event->at, "down at the end%s%s",
                       judge->why[0] == '\0' ? "" : ": ", judge->why);
    }
}

const struct judge_ops lives_judge = {KIND(EVENT_TICK) | KIND(EVENT_STOP) | KIND(EVENT_START) |
                                          KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
                                          KIND(EVENT_END),
                                      lives_create, lives_observe, free};
