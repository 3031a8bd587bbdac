/* oracle.h - the judges: what must hold whatever goes wrong, each a fold over the observation stream.
 *
 * The oracle is fed every event of a run in order, live by the stage or from a recording, and gives the
 * same verdict bytes both ways. It believes the ledger (EVENT_LEDGER_*) about the broker and the core's
 * events only about what the core meant. *Broken* is certain. *Maybe* counts what a stated unknown (a
 * late arrival, a lost answer) excuses; it is budgeted by the caller. */
#ifndef REPLAY_ORACLE_ORACLE_H
#define REPLAY_ORACLE_ORACLE_H

#include "core/base/text.h"
#include "core/world/observe.h"

/* The closed vocabulary of invariants: id, meaning */
#define ORACLE_INVARIANTS(X)                                                                       \
    X(ORACLE_ONE_ORDER, "one_order_per_intent",                                                    \
      "one order at the broker per client id, and never two live buys of ours in a symbol")        \
    X(ORACLE_BOOKS, "books_equal_ledger",                                                          \
      "after a clean stop the core's filled quantities are the ledger's")                          \
    X(ORACLE_BOOKED_ONCE, "fill_booked_once", "never more booked of an order than was executed")   \
    X(ORACLE_NEVER_SHORT, "never_short", "the ledger's position in a symbol is never below zero")  \
    X(ORACLE_RESTRICTED, "no_entry_while_restricted",                                              \
      "no buy of ours reaches the broker 5 s into REDUCE_ONLY or HALT")                            \
    X(ORACLE_STOPS, "stop_cancelled_outside_transaction",                                          \
      "a stop over a position ends only inside an exit transaction or by an operator")             \
    X(ORACLE_EXITS, "exits_leave", "a working exit is over, or paged, within 60 s")                \
    X(ORACLE_LATCHES, "latch_never_lost", "the mode never falls below a latch nobody cleared")

enum oracle_invariant {
#define X(invariant, id, meaning) invariant,
    ORACLE_INVARIANTS(X)
#undef X
        ORACLE_INVARIANT_COUNT
};

/* Findings kept; further ones are counted alone. */
#define ORACLE_FINDINGS_MAX 256

struct oracle;

/* Never NULL; owned by the caller. */
struct oracle *oracle_create(void);
void oracle_destroy(struct oracle *oracle);
/* Judges one event. Events come in the order in which they happened; nothing of it is kept. */
void oracle_observe(struct oracle *oracle, const struct event *event);
/* The same as an observer, for a fan-out or a world. Lives as long as the oracle. */
struct observer *oracle_observer(struct oracle *oracle);
/* Appends {"broken":[{"id","at","text"}...],"not_shown":n,"maybe":n,"unprotected_dollar_seconds":"..."}
 * of everything so far; judging may go on. Unprotected dollar-seconds: whole shares of the ledger's
 * position that no live sell stop at the broker covers, times the last execution's price, times
 * seconds; open intervals count up to the last event. */
void oracle_verdict(const struct oracle *oracle, struct text *out);
/* Distinct invariants that broke, in the order of the table above: how many, and up to max of their
 * ids in ids (may be NULL with max 0). Ids are static storage. */
size_t oracle_broken(const struct oracle *oracle, const char *ids[], size_t max);

const char *oracle_invariant_id(enum oracle_invariant invariant);
const char *oracle_invariant_meaning(enum oracle_invariant invariant);
/* False for a word outside the vocabulary; then *out is unchanged. */
bool oracle_invariant_find(const char *id, enum oracle_invariant *out);

#endif
