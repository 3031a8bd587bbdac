/* kill_switch.h - after a kill nothing of ours that could add risk is left at the broker, and a person, or time and
 * proof, must pass before anything is opened again.
 *
 * It fires when one of its causes latches (kill_trips.h, an operator, second_writer), all of which demand
 * REDUCE_ONLY at least: the latch is durable first. *Firing*, live entries are cancelled by id
 * (cycle.c), each second, until two listings at least 2 s apart show none; while the broker cannot be asked it
 * goes on, and pages with the orders that may be live. Stops and exits are not touched. Then it is
 *
 *   locked    until an operator resumes each cause, if one of them is for a person alone, or if
 *             kill.auto_rearm is off, as it is unless it was switched on;
 *   cooling   for kill.cooldown_s: by the monotonic clock within a boot; from one boot to another by the
 *             wall or by the broker's clock, whichever says less;
 *   checking  until two clean readings at least 10 s apart: truth came and is reconciled, no order is of
 *             unknown fate, nothing else demands REDUCE_ONLY or is latched, and the state is kept;
 *   armed     again: its causes are cleared by name.
 *
 * From firing to armed is one incident, however many causes join. The kill.incidents-th of an
 * exchange day latches kill_repeated, which is for a person alone. Before some life has verified a cause no
 * operator can resume it.
 *
 * Rows `kill`, key fired (day, and whether within an incident), held (stamp, the broker's clock), armed. A
 * start with a cause set verifies again, and a cooldown that had begun goes on behind it; a cause that no
 * row of an earlier life says is news, and fires. */
#ifndef CORE_RISK_KILL_SWITCH_H
#define CORE_RISK_KILL_SWITCH_H

#include "core/config/config.h"
#include "core/risk/causes.h"
#include "core/state/stamp.h"

#define KILL_OPERATOR "kill_switch"
#define KILL_REPEATED "kill_repeated"
#define KILL_REJECTS "kill_rejects"
#define KILL_AUTH "kill_auth"
#define KILL_OUTAGE "kill_outage"
#define KILL_DIVERGENCE "kill_divergence"

enum kill_phase { KILL_ARMED, KILL_FIRING, KILL_LOCKED, KILL_COOLING, KILL_CHECKING };
const char *kill_phase_word(enum kill_phase phase);

struct kill_look {         /* what a tick saw */
    struct date day;       /* of the exchange */
    bool is_full;          /* the broker was asked for all of its truth */
    bool is_truth_clean;   /* and clock, account, orders and positions came */
    struct mono listed_at; /* when the broker last listed open orders */
    bool is_clear;         /* no live order could add risk */
    bool has_unknown;      /* an order of unknown fate, or a cancel that nobody confirmed */
    bool is_state_kept;    /* journal and documents take what they must */
    struct utc broker;     /* its clock, as last told; {0}: it does not tell */
};

struct kill_switch {      /* zero-initialise */
    bool is_fired;        /* an incident is open */
    bool is_firing;       /* entries are not verified gone */
    bool is_looked_at;    /* this life has begun to verify */
    bool is_repeated;     /* this incident latched kill_repeated */
    unsigned seen;        /* its causes at the last look, a bit each */
    struct mono fired_at; /* last; firing_since may be earlier */
    struct mono firing_since, clear_since, clean_since, paged_at; /* {0}: not so */
    bool is_held;                                                 /* verified; since then: */
    struct stamp held;
    struct utc held_broker;
    bool is_cooled; /* kill.cooldown_s have passed since */
    struct date incident_day;
    int64_t incidents; /* of that day */
};

/* ERR_CONFIG: kill.auto_rearm in live. What stopped real money goes on by a person's word alone. */
enum err_code kill_switch_refuse_live(const struct config *config, bool is_live,
                                      struct err *err) MUST_USE;
/* False while the cause is one of them, and set, and no life has verified that entries are gone. */
bool kill_switch_may_resume(const struct kill_switch *kill, const struct causes *causes,
                            const char *cause);
/* A person ended the cause. */
void kill_switch_resumed(struct kill_switch *kill, const char *cause);
/* Rows of earlier lives. */
void kill_switch_fold(struct kill_switch *kill, const struct journal_row *row);
/* Fires, or begins to verify again; its cause is latched. */
void kill_switch_fire(struct kill_switch *kill, struct causes *causes, struct date day);
/* Behind the steps of a tick that ask and cancel. */
void kill_switch_step(struct kill_switch *kill, struct causes *causes, const struct config *config,
                      const struct kill_look *look);
/* True in the first seconds of firing, when each look is a full one. Later the budget of the polls would be
 * spent by it, and with it all that the core sees. */
bool kill_switch_is_urgent(const struct kill_switch *kill, struct mono now);
/* True in the first minute: then each second has a short tick. */
bool kill_switch_is_young(const struct kill_switch *kill, struct mono now);
/* True when a person must be told, again, what may be live: after a minute of firing, then each five. */
bool kill_switch_page_is_due(struct kill_switch *kill, struct mono now);
enum kill_phase kill_switch_phase(const struct kill_switch *kill, const struct causes *causes,
                                  const struct config *config);

#endif
