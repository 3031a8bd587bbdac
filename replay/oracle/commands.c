/* commands.c - command_obeyed_once: what an operator said once is not obeyed again.
 *
 * Counted by verb and cause: how often it was said, and how often a core answered it in a life that went
 * on to the end of that tick. By then the command must be gone from the inbox for good, so that a power
 * cut brings no resume, flatten or kill of the past back. A death between the answer and the end of its
 * tick allows another. Behind a fault of the disk, which may keep a file, it is a maybe. */
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    char words[TABLE_NAME_MAX]; /* verb and cause */
    int64_t said;
    int64_t obeyed;    /* in ticks that ended */
    int64_t answering; /* in the present one */
};

struct commands {
    struct table table;
    bool is_disk_hit;
};

static void *commands_create(void) {
    struct commands *judge = judge_alloc(sizeof *judge);
    judge->table = table_of(sizeof(struct command));
    return judge;
}

static void commands_destroy(void *context) {
    struct commands *judge = context;
    table_release(&judge->table);
    free(judge);
}

static bool is_for_the_inbox(const struct event *event) {
    return is_word(event->subject, "freeze") || is_word(event->subject, "kill") ||
           is_word(event->subject, "resume") || is_word(event->subject, "flatten");
}

/* Said by a person without, answered by the core with an outcome. */
static void take_operator(struct commands *judge, const struct event *event,
                          struct findings *findings) {
    char words[TABLE_NAME_MAX];
    (void)snprintf(words, sizeof words, "%s %s", event->subject, event->what);
    struct command *command = table_get(&judge->table, words);
    if (event->body_len == 0) {
        command->said++;
        return;
    }
    command->answering++;
    if (command->obeyed + command->answering <= command->said) {
        return;
    }
    if (judge->is_disk_hit) {
        findings_excuse(findings, ORACLE_COMMANDS, event->at,
                        "%s: obeyed again behind a fault of the disk", words);
    } else {
        findings_break(findings, ORACLE_COMMANDS, event->at, "%s: said %lld times, obeyed again",
                       words, (long long)command->said);
    }
}

/* The tick is over, or the process that was in it; a start is the end of one that sleeps. */
static void settle(struct commands *judge, bool is_over) {
    for (size_t i = 0; i < judge->table.count; i++) {
        struct command *command = table_at(&judge->table, i);
        command->obeyed += is_over ? command->answering : 0;
        command->answering = 0;
    }
}

static void commands_observe(void *context, const struct event *event, struct findings *findings) {
    struct commands *judge = context;
    if (event->kind == EVENT_FAULT) {
        judge->is_disk_hit = judge->is_disk_hit || strncmp(event->subject, "disk.", 5) == 0;
    } else if (event->kind != EVENT_OPERATOR) {
        settle(judge, event->kind == EVENT_TICK);
    } else if (is_for_the_inbox(event)) {
        take_operator(judge, event, findings);
    }
}

const struct judge_ops commands_judge = {KIND(EVENT_OPERATOR) | KIND(EVENT_FAULT) |
                                             KIND(EVENT_TICK) | KIND(EVENT_START) |
                                             KIND(EVENT_STOP),
                                         commands_create, commands_observe, commands_destroy};
