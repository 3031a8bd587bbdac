/* latches.c - latch_never_lost: the mode a tick ends with is never below what a latch demands that
 * nobody cleared. What is latched is the scene's to know (causes.c). */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>

struct lost {
    char cause[TABLE_NAME_MAX];
    bool is_reported; /* and still lost */
};

/* Of causes under a name of their own; another name that no mechanism has is a person's. */
static const char *mechanism_of(const char *cause) {
    static const char *const rows[][2] = {
        {"crash_loop_freeze", "crash_loop_freeze"},
        {"kill_switch", "kill_switch"},
        {"kill_repeated", "kill_switch"},
        {"kill_rejects", "kill_switch"},
        {"kill_auth", "kill_switch"},
        {"kill_outage", "kill_switch"},
        {"kill_divergence", "kill_switch"},
        {"daily_loss", "daily_loss"},
        {"equity_floor", "equity_floor"},
        {"max_drawdown", "max_drawdown"},
        {"daily_volume", "daily_volume"},
        {"position_sign", "position_sign"},
        {"repeat_throttle", "repeat_throttle"},
        {"amnesia", "amnesia"},
        {"state_regression", "state_regression"},
        {"second_writer", "second_writer"},
        {"journal_down", "atomic_state"},
        {"wrong_account", "startup_contract"},
        {"lease_lost", "single_instance"},
        {"drill", "drill"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is_word(cause, rows[i][0])) {
            return rows[i][1];
        }
    }
    return "operator_freeze";
}

static void *latches_create(void) {
    struct table *lost = judge_alloc(sizeof *lost);
    *lost = table_of(sizeof(struct lost));
    return lost;
}

static void latches_destroy(void *context) {
    table_release(context);
    free(context);
}

static void judge_tick(struct table *losses, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    for (size_t i = 0; i < scene->causes.count; i++) {
        const struct scene_cause *cause = table_at(&scene->causes, i);
        bool is_lost = cause->latched > scene->mode;
        MUTATE(judge_latches_blind, is_lost = false);
        struct lost *lost = is_lost ? table_get(losses, cause->cause) : NULL;
        if (is_lost && !lost->is_reported) {
            lost->is_reported = true;
            score_passed(findings_score(findings, mechanism_of(cause->cause)), event->at);
            findings_break(findings, ORACLE_LATCHES, event->at,
                           "%s is latched, nobody cleared it, and the mode is below it",
                           cause->cause);
        }
    }
}

static void latches_observe(void *context, const struct event *event, struct findings *findings) {
    for (size_t i = 0; i < findings->scene->excused_latches; i++) {
        findings_excuse(findings, ORACLE_LATCHES, event->at, "a latch ended with its process");
    }
    if (event->kind == EVENT_TICK) {
        judge_tick(context, event, findings);
    }
}

const struct judge_ops latches_judge = {KIND(EVENT_ROW) | KIND(EVENT_STOP) | KIND(EVENT_START) |
                                            KIND(EVENT_TICK),
                                        latches_create, latches_observe, latches_destroy};
