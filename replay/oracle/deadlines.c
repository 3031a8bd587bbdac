/* deadlines.c - call_within_its_deadline, the oracle of request_deadline: from the moment a request is about
 * to leave, its answer, or that none came, is known within the deadline of its kind.
 *
 * Which lane a read went through is the core's to know: reads are held to the slowest. A process that stood
 * still meanwhile, or in whose call another acted (its time is added), or a wall clock that was stepped,
 * proves nothing. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "request_deadline";
static const struct span ON_THE_WAY = {INT64_C(1000000000)}; /* to the seam, and its own disk */

struct deadlines {
    struct utc sent_at; /* {0}: none is out */
    bool is_submit;
};

static void *deadlines_create(void) {
    return judge_alloc(sizeof(struct deadlines));
}

/* What gave it up is its deadline, or the slow one if it took that long. */
static void keep_score(const struct deadlines *judge, const struct event *event, struct span took,
                       struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    struct span most = judge->is_submit                      ? limits->deadline_submit
                       : took.ns >= limits->deadline_slow.ns ? limits->deadline_slow
                                                             : limits->deadline_read;
    if (event->id[0] != '\0' && most.ns > 0 && took.ns >= most.ns) {
        struct two_clocks clocks = {0};
        struct score *score = findings_score(findings, MECHANISM);
        struct utc due_at = utc_add(judge->sent_at, most);
        clocks_true(&clocks, due_at, true, (struct usd){0});
        clocks_known(&clocks, score, due_at, true);
        (void)clocks_act(&clocks, score, event->at);
    }
}

static void judge_answer(struct deadlines *judge, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct span most =
        judge->is_submit ? scene->limits.deadline_submit : scene->limits.deadline_slow;
    struct span took = utc_sub(event->at, judge->sent_at);
    bool is_judged = judge->sent_at.ns != 0 && most.ns > 0 && !scene->is_stepped;
    if (is_judged && took.ns > most.ns + ON_THE_WAY.ns) {
        score_passed(findings_score(findings, MECHANISM), event->at);
        findings_break(findings, ORACLE_DEADLINE, event->at, "%s %.60s: %lld ms", event->subject,
                       event->what, (long long)(took.ns / 1000000));
    } else if (is_judged) {
        keep_score(judge, event, took, findings);
    }
    judge->sent_at = (struct utc){0};
}

static void deadlines_observe(void *context, const struct event *event, struct findings *findings) {
    struct deadlines *judge = context;
    if (event->kind == EVENT_SEND) {
        judge->sent_at = event->at;
        judge->is_submit = is_word(event->subject, "POST") || is_word(event->subject, "PATCH");
    } else if (event->kind == EVENT_HTTP) {
        judge_answer(judge, event, findings);
    } else if (event->kind != EVENT_FAULT || strncmp(event->subject, "process.", 8) == 0) {
        judge->sent_at = (struct utc){0};
    }
}

const struct judge_ops deadlines_judge = {KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_FAULT) |
                                              KIND(EVENT_PAUSE) | KIND(EVENT_STOP) |
                                              KIND(EVENT_START) | KIND(EVENT_OTHER),
                                          deadlines_create, deadlines_observe, free};
