/* stopped.c - no_buy_sent_after_a_stop: 2 s after an operator's freeze or kill no buy leaves, whatever the
 * core calls its mode, until an operator ends that cause.
 *
 * The clock begins with the command's own return, so a core that never read it breaks this as surely as
 * one that read it and bought. */
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const struct span AT_ONCE = {INT64_C(2000000000)};

struct stop_told {
    char cause[TABLE_NAME_MAX];
    struct utc at; /* {0}: ended */
};

struct stopped {
    struct table causes;
};

static void *stopped_create(void) {
    struct stopped *judge = judge_alloc(sizeof *judge);
    judge->causes = table_of(sizeof(struct stop_told));
    return judge;
}

static void stopped_destroy(void *context) {
    struct stopped *judge = context;
    table_release(&judge->causes);
    free(judge);
}

static void take_operator(struct stopped *judge, const struct event *event) {
    bool is_kill = is_word(event->subject, "kill");
    bool is_stop = is_kill || is_word(event->subject, "freeze");
    if (is_stop || is_word(event->subject, "resume")) {
        const char *cause = is_kill                  ? "kill_switch"
                            : event->what[0] == '\0' ? "operator_freeze"
                                                     : event->what;
        struct stop_told *told = table_get(&judge->causes, cause);
        told->at = is_stop ? event->at : (struct utc){0};
    }
}

static void judge_buy(const struct stopped *judge, const struct event *event,
                      struct findings *findings) {
    for (size_t i = 0; i < judge->causes.count; i++) {
        const struct stop_told *told = table_at(&judge->causes, i);
        if (told->at.ns != 0 && utc_sub(event->at, told->at).ns > AT_ONCE.ns) {
            if (!is_word(told->cause, "kill_switch")) {
                struct score *score = findings_score(findings, "operator_freeze");
                score_passed(score, event->at);
                score->risky++;
            }
            findings_break(findings, ORACLE_STOPPED, event->at,
                           "%s: a buy %lld s after the stop %s", findings->scene->sent.symbol,
                           (long long)(utc_sub(event->at, told->at).ns / NANOS), told->cause);
        }
    }
}

static void stopped_observe(void *context, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_OPERATOR) {
        take_operator(context, event);
    } else if (sent->is_new && sent->is_buy) {
        judge_buy(context, event, findings);
    }
}

const struct judge_ops stopped_judge = {KIND(EVENT_OPERATOR) | KIND(EVENT_SEND), stopped_create,
                                        stopped_observe, stopped_destroy};
