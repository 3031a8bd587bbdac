/* operator.c - step 2 of a tick: commands that people left in the inbox. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <stdio.h>
#include <string.h>

static void tell(struct engine *engine, const struct inbox_command *command, const char *outcome) {
    struct text body = {.limit = 2048};
    text_member_string(&body, "verb", inbox_verb_word(command->verb));
    text_member_string(&body, "cause", command->cause);
    text_member_string(&body, "by", command->by);
    text_member_string(&body, "why", command->why);
    text_member_string(&body, "outcome", outcome);
    log_line(&engine->log, "operator", text_get(&body));
    observe(engine->world->observer, &(struct event){.kind = EVENT_OPERATOR,
                                                     .at = clock_utc(engine->world->clock),
                                                     .subject = inbox_verb_word(command->verb),
                                                     .what = command->cause,
                                                     .id = command->by,
                                                     .body = outcome,
                                                     .body_len = strlen(outcome)});
    text_release(&body);
    struct operator_answer *answer = &engine->answers[engine->answer_count++ % ANSWERS_KEPT];
    snprintf(answer->file, sizeof answer->file, "%s", command->file);
    snprintf(answer->outcome, sizeof answer->outcome, "%s", outcome);
}

static void freeze(struct engine *engine, const struct inbox_command *command) {
    const char *cause = command->cause[0] == '\0' ? "operator_freeze" : command->cause;
    causes_latch(&engine->causes, cause, command->is_halt ? MODE_HALT : MODE_REDUCE_ONLY,
                 command->by, command->is_readable ? command->why : "unreadable freeze command");
    tell(engine, command, "frozen");
}

static void kill(struct engine *engine, const struct inbox_command *command) {
    MUTATE(kill_ignored, return);
    causes_latch(&engine->causes, KILL_OPERATOR, MODE_REDUCE_ONLY, command->by,
                 command->is_readable ? command->why : "unreadable kill command");
    kill_switch_fire(&engine->kill, &engine->causes, engine_day(engine));
    tell(engine, command, "firing");
}

/* daily_loss ends with the next exchange day and an operator, not with an operator alone: what was lost behind a
 * close is of the day that follows. */
static bool is_too_early(const struct engine *engine, const char *cause) {
    MUTATE(loss_resumed_on_its_day, return false);
    for (size_t i = 0; i < engine->causes.count; i++) {
        const struct cause *set = &engine->causes.items[i];
        if (strcmp(set->name, cause) == 0 && strcmp(cause, "daily_loss") == 0) {
            return engine->truth.day.days <= engine_day_of(engine, set->since).days;
        }
    }
    return false;
}

/* Below the floor, or barely above, it would latch again at once, each time with a page. */
static enum err_code may_end(const struct engine *engine, const char *cause, struct err *err) {
    const struct equity_reading reading = reading_now(engine);
    bool is_floor = strcmp(cause, "equity_floor") == 0 && causes_has(&engine->causes, cause);
    return is_floor ? account_guards_end_floor(&engine->guards, &reading, err) : ERR_OK;
}

static void resume(struct engine *engine, const struct inbox_command *command) {
    struct err err = {0};
    if (!command->is_readable || command->by[0] == '\0' || command->why[0] == '\0') {
        tell(engine, command, "refused: a resume needs cause, name and reason");
    } else if (!kill_switch_may_resume(&engine->kill, &engine->causes, command->cause)) {
        tell(engine, command, "refused: it is firing, entries are not verified gone");
    } else if (is_too_early(engine, command->cause)) {
        tell(engine, command, "refused: daily_loss holds for the rest of its exchange day");
    } else if (strcmp(command->cause, "data_guard") == 0 && flows_take_step(engine)) {
        tell(engine, command, "resumed: what was unexplained counts as money from outside");
    } else if (may_end(engine, command->cause, &err) != ERR_OK) {
        tell(engine, command, err.text);
    } else if (strcmp(command->cause, CRASH_LOOP_CAUSE) == 0 &&
               crash_loop_remove_flag(&engine->crash_loop, &engine->causes, &err) != ERR_OK) {
        tell(engine, command, err.text);
    } else if (causes_clear(&engine->causes, command->cause, command->by, command->why, &err) !=
               ERR_OK) {
        tell(engine, command, err.text);
    } else {
        kill_switch_resumed(&engine->kill, command->cause);
        MUTATE(resume_untold, engine->shown_mode = causes_mode(&engine->causes));
        tell(engine, command, "resumed");
    }
}

static void flatten(struct engine *engine, const struct inbox_command *command) {
    if (!command->is_readable) { /* it may have named one symbol: absent is not "all" */
        tell(engine, command, "refused: unreadable flatten command");
        return;
    }
    bool is_found = command->cause[0] == '\0';
    bool is_any = false;
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        bool is_meant = command->cause[0] == '\0' || strcmp(command->cause, holding->symbol) == 0;
        if (is_meant && (holding->qty.nanos != 0 || holding->broker_qty.nanos != 0)) {
            exits_decide(&engine->exits, holding, PURPOSE_EXIT, (struct qty){0}, "operator");
            is_found = is_any = true;
        }
    }
    if (!is_found) {
        char outcome[80];
        snprintf(outcome, sizeof outcome, "refused: no position in %s", command->cause);
        tell(engine, command, outcome);
        return;
    }
    bool is_halted = causes_mode(&engine->causes) == MODE_HALT;
    tell(engine, command,
         !is_any     ? "flattening: nothing is held"
         : is_halted ? "waits: in HALT nothing is sent"
                     : "flattening");
}

void obey_inbox(struct engine *engine) {
    MUTATE(inbox_unread, return);
    struct inbox_command commands[INBOX_MAX];
    size_t count = 0;
    struct err err = {0};
    if (lease_is_lost(engine->lease)) {
        return; /* it is for who has the lease now, and must still find it */
    }
    if (inbox_read(engine->world, commands, &count, &err) != ERR_OK) {
        causes_hold(&engine->causes, "inbox_unreadable", MODE_REDUCE_ONLY, err.text);
        return;
    }
    causes_let_go(&engine->causes, "inbox_unreadable");
    for (size_t i = 0; i < count; i++) {
        switch (commands[i].verb) {
        case INBOX_FREEZE:
            freeze(engine, &commands[i]);
            break;
        case INBOX_KILL:
            kill(engine, &commands[i]);
            break;
        case INBOX_RESUME:
            resume(engine, &commands[i]);
            break;
        case INBOX_FLATTEN:
            flatten(engine, &commands[i]);
            break;
        }
        MUTATE(command_before_its_copy, (void)!inbox_remove(engine->world, commands[i].file, NULL));
        if (commands[i].verb == INBOX_FREEZE || commands[i].verb == INBOX_KILL) {
            show_copy(engine); /* until every copy has the latch, the command itself is one */
        }
        (void)!inbox_remove(engine->world, commands[i].file, NULL);
    }
    if (count > 0) {
        show_view(engine);
    }
}
