/* vocabulary.h - the closed words of scenario files: mechanisms, their events, operator commands, and
 * conditions. A word that is not here is an error of the file, never ignored. */
#ifndef SCENARIOS_VOCABULARY_H
#define SCENARIOS_VOCABULARY_H

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
    X(COMMAND_FOREIGN_ORDER, "foreign_order",                                                      \
      "another program buys with the next id that we would use", "symbol, qty")

enum stage_command {
#define X(command, word, meaning, parameters) command,
    STAGE_COMMANDS(X)
#undef X
        STAGE_COMMAND_COUNT
};

/* Conditions that must never be: judged after every event of every run (watch.h). The letters are
 * those of the invariants in docs/invariants.md. id, meaning */
#define STAGE_CONDITIONS(X)                                                                        \
    X(CONDITION_S1, "S1", "two live buy orders of ours in one symbol at the broker")               \
    X(CONDITION_S2, "S2", "a buy order was sent in REDUCE_ONLY or HALT")                           \
    X(CONDITION_S3, "S3", "the mode fell below REDUCE_ONLY while a latch was set and not cleared") \
    X(CONDITION_S7, "S7", "positions and live entries together above max_positions")               \
    X(CONDITION_S10, "S10", "a buy order was sent outside a session")                              \
    X(CONDITION_S12, "S12", "at the end, fills booked by the core differ from the ledger's")       \
    X(CONDITION_S23, "S23", "the core went on calling a dead world")                               \
    X(CONDITION_X1, "X1", "a naked position for more than 60 s of a session, unpaged")             \
    X(CONDITION_X2, "X2", "a stop of ours was cancelled outside an exit transaction")              \
    X(CONDITION_X3, "X3", "one client order id was sent with two contents")                        \
    X(CONDITION_X4, "X4", "a long-only book was short")                                            \
    X(CONDITION_X5, "X5", "a sale was sent while the broker's view was known to lie")              \
    X(CONDITION_X6, "X6", "the core did not start again")                                          \
    X(CONDITION_X7, "X7", "10 min of a session after a flatten its position is still held")

enum stage_condition {
#define X(condition, id, meaning) condition,
    STAGE_CONDITIONS(X)
#undef X
        STAGE_CONDITION_COUNT
};

/* True if a mechanism of docs/mechanisms.md has this id. */
bool mechanism_is_known(const char *id);
size_t mechanism_count(void);
/* Ids in the order of docs/mechanisms.md; static storage, as all words here. */
const char *mechanism_id(size_t index);

/* "acted", "held", "released", "warned", "refused". */
bool mechanism_event_is_known(const char *word);

bool stage_command_find(const char *word, enum stage_command *out);
const char *stage_command_word(enum stage_command command);
bool stage_condition_find(const char *id, enum stage_condition *out);
const char *stage_condition_id(enum stage_condition condition);
const char *stage_condition_meaning(enum stage_condition condition);

#endif
