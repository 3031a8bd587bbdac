/* vocabulary.h - the closed words of scenario files: mechanisms, their events and operator commands (what
 * must never be is replay/oracle's vocabulary). A word that is not here is an error of the file, never
 * ignored. */
#ifndef SCENARIOS_VOCABULARY_H
#define SCENARIOS_VOCABULARY_H

#include "core/world/observe.h"

#include <stdbool.h>
#include <stddef.h>

/* What the operator, or the world on his behalf, may do in a scenario. word, meaning, parameters */
#define STAGE_COMMANDS(X)                                                                          \
    X(COMMAND_FREEZE, "freeze", "leaves a freeze in the inbox", "cause, by, why, halt")            \
    X(COMMAND_RESUME, "resume", "leaves a resume of one cause in the inbox", "cause, by, why")     \
    X(COMMAND_KILL, "kill", "leaves a kill in the inbox", "by, why")                               \
    X(COMMAND_FLATTEN, "flatten", "leaves a flatten in the inbox", "symbol, by, why")              \
    X(COMMAND_KILL_9, "kill -9", "the process dies at once", "stay_down")                          \
    X(COMMAND_SIGTERM, "sigterm", "the process is asked to stop", "-")                             \
    X(COMMAND_RESTART, "restart", "a stopped process is started again", "-")                       \
    X(COMMAND_DEPOSIT, "deposit", "cash comes in", "amount")                                       \
    X(COMMAND_WITHDRAW, "withdraw", "cash goes out", "amount")                                     \
    X(COMMAND_EDIT_DOCUMENT, "edit_document", "a hand changes a file of the state directory",      \
      "document, and one of text, content, remove, keep_bytes")                                    \
    X(COMMAND_RELOAD, "reload", "the core is told to read settings and key again",                 \
      "settings laid over the scenario's, in content or text; wrong_key")                          \
    X(COMMAND_ROTATE_KEY, "rotate_key",                                                            \
      "the broker takes another key pair from now on, only that", "-")                             \
    X(COMMAND_FOREIGN_ORDER, "foreign_order",                                                      \
      "another program buys with the next id that we would use", "symbol, qty")

enum stage_command {
#define X(command, word, meaning, parameters) command,
    STAGE_COMMANDS(X)
#undef X
        STAGE_COMMAND_COUNT
};

/* The mechanisms are those of core/risk/mechanisms.h: nothing else is known. */
bool mechanism_is_known(const char *id);
size_t mechanism_count(void);
/* Ids in the order of the table; static storage, as all words here. */
const char *mechanism_id(size_t index);

/* "acted", "held", "released", "warned", "refused". */
bool mechanism_event_is_known(const char *word);

/* The mechanism of a refusal's word, "" for none; core/orders/refusal.def. */
const char *refusal_mechanism(const char *word);

/* The mechanism that an event of the core speaks for, and its event word; false if it is none. A refusal
 * counts as its mechanism having held; an operator's own cause is operator_freeze. Static storage. */
bool event_mechanism(const struct event *event, const char **mechanism, const char **word);

bool stage_command_find(const char *word, enum stage_command *out);
const char *stage_command_word(enum stage_command command);

#endif
