/* score.h - what a mechanism did, beside what it was due to do, by two clocks. For this room only.
 *
 * *True* is when the ledger made it due, *known* when the answers delivered to the core first implied it.
 * An act is held against both: late and missed count from the known instant, because nobody acts on what
 * he was not told; the dollars beyond the limit are split there into the view's share and the core's own.
 * An act that neither clock made due is unfounded.
 *
 * What only refuses is due at each attempt: it is held, or it goes through and is missed; late is how long
 * after the first that went through one was held again. */
#ifndef REPLAY_ORACLE_SCORE_H
#define REPLAY_ORACLE_SCORE_H

#include "core/base/decimal.h"
#include "core/base/text.h"
#include "core/base/utc.h"
#include "replay/oracle/table.h"

enum { SCORE_DUES = 4 }; /* more acts of one mechanism in a tick have none to show */

struct score {
    char mechanism[TABLE_NAME_MAX];
    int64_t due; /* times that the answers implied it */
    int64_t acted, missed, unfounded;
    int64_t founded;             /* acts that one of two clocks had made due */
    struct utc due_at;           /* what made the newest act, or miss, due: known, else true */
    struct utc dues[SCORE_DUES]; /* the same of the founded acts, a ring by their number from 0 */
    int64_t risky;               /* buys sent while it held */
    struct span latency_most;    /* from known to act */
    struct usd overshoot_view;   /* beyond the limit when it was known, at worst */
    struct usd overshoot_own;    /* further beyond it when the mechanism acted, at worst */
    struct utc passed_at; /* the first attempt that went through since one was held; {0}: none */
};

struct two_clocks {
    struct utc true_at, known_at; /* {0}: not due */
    struct usd beyond;            /* the limit, by the ledger, now; 0 within it */
    struct usd beyond_at_known;
};

/* The ledger's word: due or not, and by how many dollars beyond. */
void clocks_true(struct two_clocks *clocks, struct utc at, bool is_due, struct usd beyond);
/* The answers' word. A new episode begins when they imply it again. */
void clocks_known(struct two_clocks *clocks, struct score *score, struct utc at, bool is_due);
/* It acted. False if neither clock made it due: counted as unfounded. */
bool clocks_act(struct two_clocks *clocks, struct score *score, struct utc at);

/* An attempt at what it forbids was refused. */
void score_held(struct score *score, struct utc at);
/* One went through. */
void score_passed(struct score *score, struct utc at);
/* By so many dollars the ledger lay beyond the limit without what the core sent, and so many with it; the
 * worst is kept. Below zero: within it. */
void score_beyond(struct score *score, struct usd without, struct usd with);

/* Appends [{"mechanism":...}...] of those that were due or acted. */
void scores_print(const struct table *scores, struct text *out);

#endif
