/* alarms.c - alarm_has_a_cause: what the core says was lost, spoiled or another's, somebody did.
 *
 * An alarm about state, account or positions in a run in which nothing of the kind happened is a core that
 * lost or misread something by itself. A word excuses every fault or command that it begins, from when it
 * first happened to the end of the run: when the core notices is for others to judge. */
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 7 };

/* Whoever changes what is on the disk, or lies about it, may cause any alarm. */
static const char *const TAMPERED[WORDS_MAX] = {
    "disk.bit_rot", "disk.lying_fsync", "disk.wrong_number", "disk.old_version", "edit_document"};

/* What else may lie behind an alarm. */
static const struct rule {
    const char *alarm; /* a cause, or the key of a page */
    const char
        *mechanism; /* that raises it for nothing; NULL: atomic_state lost what it should keep */
    const char *words[WORDS_MAX];
} RULES[] = {
    {"freezes_unreadable", NULL, {"disk.eio"}},
    {"freezes_missing", NULL, {"disk.eio"}},
    {"unknown_causes", "operator_freeze", {"disk.eio"}},
    {"state_regression", NULL, {NULL}},
    {"backup_ahead", "state_backup", {NULL}},
    {"equity_step", "data_guard", {"deposit", "withdraw", "asset.", "account.", "view.activity"}},
    {"journal_down", "atomic_state", {"disk."}},
    {"amnesia", "amnesia", {"process.second_elsewhere", "foreign_order"}},
    {"second_writer", "second_writer", {"process.second_elsewhere", "foreign_order"}},
    {"lease_lost", "single_instance", {"process.pause", "process.hang", "process.second"}},
    {"wrong_account", "startup_contract", {"view.other_account"}},
    {"unknown_status", "order_idempotency", {"view.unknown_status"}},
    {"position_unexplained",
     "reconciliation",
     {"foreign_order", "process.second_elsewhere", "order.bust", "hand.sale", "view.",
      "market.split_untold", "market.spin_off"}},
    {"position_vanished",
     "reconciliation",
     {"foreign_order", "process.second_elsewhere", "order.bust", "hand.sale", "view.",
      "market.split_untold", "market.spin_off"}},
};
enum { RULE_COUNT = sizeof RULES / sizeof RULES[0] };

struct alarms {
    bool is_excused[RULE_COUNT];
};

static void *alarms_create(void) {
    return judge_alloc(sizeof(struct alarms));
}

static bool is_one_of(const char *deed, const char *const words[static WORDS_MAX]) {
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        if (begins(deed, words[i])) {
            return true;
        }
    }
    return false;
}

static void take_deed(struct alarms *judge, const char *deed) {
    bool is_tampered = is_one_of(deed, TAMPERED);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        judge->is_excused[i] |= is_tampered || is_one_of(deed, RULES[i].words);
    }
}

/* The cause that a mechanism names, or the key of a page. */
static bool is_about(const struct event *event, const char *alarm) {
    char cause[TABLE_NAME_MAX];
    if (event->kind == EVENT_ALERT) {
        return is_word(event->subject, "page") && is_word(event->what, alarm);
    }
    (void)snprintf(cause, sizeof cause, "\"cause\":\"%.40s\"", alarm);
    return is_word(event->what, "acted") && strstr(event->body, cause) != NULL;
}

static void alarms_observe(void *context, const struct event *event, struct findings *findings) {
    struct alarms *judge = context;
    if (event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR) {
        take_deed(judge, event->subject);
        return;
    }
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (!judge->is_excused[i] && is_about(event, RULES[i].alarm)) {
            judge->is_excused[i] = true; /* told once */
            if (RULES[i].mechanism == NULL) {
                score_passed(findings_score(findings, "atomic_state"), event->at);
            } else {
                findings_score(findings, RULES[i].mechanism)->unfounded++;
            }
            findings_break(findings, ORACLE_ALARM, event->at, "%s, and nobody did it",
                           RULES[i].alarm);
        }
    }
}

const struct judge_ops alarms_judge = {KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
                                           KIND(EVENT_MECHANISM) | KIND(EVENT_ALERT),
                                       alarms_create, alarms_observe, free};
