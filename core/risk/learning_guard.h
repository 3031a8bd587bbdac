/* learning_guard.h - what closed trades teach the strategy, in small steps that are counted, tried and taken back.
 *
 * With learning.on the intent of an entry says the parts of its score. A lesson is such an entry that closed: from
 * flat to flat, priced by the broker's fills alone (closed_trades.h), and so never an open, adopted or assumed one.
 * Once learning.trades lessons wait, one step takes all of them, each lesson once: the weight of each part moves by
 * learning.step thousandths times the correlation between that part at the entry and what a dollar of the entry
 * brought, to the nearest thousandth; where either never changes, by nothing. So a step is never longer than
 * learning.step; what the steps of an exchange day add up to never exceeds learning.day_cap - what is taken back is no
 * step, and neither counts nor is made up for -, and a weight counts LEARNING_LEAST to LEARNING_MOST thousandths of
 * itself.
 *
 * Each step is a trial of the next learning.trades lessons that were decided on behind it: should they bring less of
 * each dollar than those of the step did, the weights from before are back. Such a comparison of a few trades is no
 * proof, and errs to the safe side: what does not show itself to be no worse is undone, and so is what had too few
 * trades in LEARNING_TRIAL_DAYS. No step is taken in a trial.
 *
 * Nothing is learned, and nothing tried, while the core cannot trust what it knows: while anything demands
 * REDUCE_ONLY (each latch, data_guard, degraded_mode, reconciliation, clock_guard), quotes, trades or bars fail, a
 * tick's account, positions or orders did not come, or the journal lacks a fill. Lessons wait meanwhile.
 *
 * What was learned chooses entries (score.learned) and nothing else: which exits, stops, sizes and limits there are,
 * it cannot change. It admits only what the configuration scores above 0, and what it alone admits displaces nothing. With learning.on off the weights are those of the configuration, and what was learned waits.
 *
 * The row `learned` is the step: all that is known with the newest lesson taken, in one row, so that a death leaves
 * it whole or not at all. A row that does not say that, says what cannot be or gives lessons back is believed in
 * nothing: neutral weights, an alert, and what closed before it is not learned any more.
 *
 * Source: the audited bot read all rows of a day anew with each run and counted open ones as losses; its weights
 * fell by three quarters in one night, and nothing took them back. */
#ifndef CORE_RISK_LEARNING_GUARD_H
#define CORE_RISK_LEARNING_GUARD_H

#include "core/portfolio/closed_trades.h"
#include "core/risk/causes.h"
#include "core/signals/strategy.h"

#define LEARNING_MECHANISM "learning_guard"
enum { LEARNING_NEUTRAL = 1000, LEARNING_LEAST = 250, LEARNING_MOST = 2500, LESSONS_KEPT = 500 };
/* Two weeks are ten exchange days: who trades enough to learn closes so many in that time, and weights that admit too
 * few for their own trial must not stay for it. */
enum { LEARNING_TRIAL_DAYS = 14 };

struct learned { /* all that a row says; weights in thousandths, in the order of the parts */
    int64_t weights[SCORE_PARTS_MAX];
    int64_t before[SCORE_PARTS_MAX]; /* what a trial that fails brings back */
    int64_t moved[SCORE_PARTS_MAX];  /* by the steps of `day`, up and down added up */
    struct date day;
    int64_t taken;   /* the newest lesson that a step took, by its trade's row */
    int64_t count;   /* lessons ever taken */
    struct usd mean; /* what each dollar of the last step's lessons brought */
    int64_t trial;   /* the row of the step that is on trial; 0: none is */
};

struct learning_entry { /* an order that would open a position */
    char id[CLIENT_ID_MAX];
    char first[CLIENT_ID_MAX]; /* that of the first order, where maker_execution works it */
    int64_t decided;           /* the row of that one's intent; 0: nothing is known of its parts */
    struct ratio parts[SCORE_PARTS_MAX];
};

struct lesson {
    int64_t seq;     /* the row of the fill that ended the trade */
    int64_t decided; /* and of the intent that began it */
    struct usd gain; /* of each dollar that it cost */
    struct ratio parts[SCORE_PARTS_MAX];
};

struct learning { /* zero-initialise, then learning_guard_init() */
    const struct strategy *strategy;
    struct learned is;
    bool is_refused;            /* a row was not believed, and no row says so yet */
    bool is_waiting;            /* told that a step, or a trial's end, waits for a fault's end */
    bool is_unwritten;          /* told that the journal did not take a row */
    int64_t admitted, declined; /* symbols by cycle, since the weights last changed */
    int64_t seen;               /* the newest row */
    struct learning_entry decided[CONFIG_SYMBOLS_MAX]; /* by symbol: the last intent of an entry */
    struct learning_entry filled[CONFIG_SYMBOLS_MAX];  /* and the last that a fill was told of */
    struct lesson lessons[LESSONS_KEPT];               /* a ring: older ones are never learned */
    size_t lesson_count;                               /* ever */
};

struct learning_look {
    struct date day;   /* of the exchange */
    const char *fault; /* why nothing known can be trusted; NULL: it can */
};

/* ERR_CONFIG: learning.on in live. What trades real money is what was tried. */
enum err_code learning_guard_refuse_live(const struct config *config, bool is_live,
                                         struct err *err) MUST_USE;
/* Borrows the strategy, whose parts have names. */
void learning_guard_init(struct learning *learning, const struct strategy *strategy);
/* Takes a durable row, in order, of this life or an earlier one; trades have taken it already. */
void learning_guard_take(struct learning *learning, const struct config *config,
                         const struct closed_trades *trades, const struct journal_row *row);
/* Takes the step, or ends the trial, that is due: at most one row. In an open market, at a full tick's end. */
void learning_guard_step(struct learning *learning, struct causes *causes,
                         const struct config *config, const struct learning_look *look);
/* Weights as entries are to be chosen by now: neutral ones while learning.on is off. */
const int64_t *learning_guard_weights(const struct learning *learning, const struct config *config);
/* Of a symbol that is scored in this cycle: whether it suffices by the configured weights, and by the learned
 * ones. The first that these decline since they changed is told, and the first that they admit. */
void learning_guard_count(struct learning *learning, struct log *log, const char *symbol,
                          bool is_by_config, bool is_wanted);
/* Members "weights" and the counts, for people. */
void learning_guard_show(const struct learning *learning, const struct config *config,
                         struct text *out);

#endif
