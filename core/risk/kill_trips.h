/* kill_trips.h - what fires the kill switch without a person: each latches its cause, once.
 *
 *   kill_rejects  kill.rejects orders rejected by the broker within kill.rejects_window_s. Not counted: what
 *                 the wash table refused for another order of ours, which is a matter of order; a new price
 *                 that came too late; 401 and 429, which are no word about the order. (Only an order of type
 *                 market is rejected for a halt, and none is ever sent.)
 *   kill_auth     401 or 403 on two reads, the first and the last of each kill.auth_s apart with no good
 *                 answer in between, but not within a minute of a change of the key.
 *   kill_outage   no tick in which clock, account, orders and positions all came, for kill.outage_s.
 *                 Another account's answers are no outage (startup_contract).
 *   kill_divergence  a position, or one that vanished, that two listings confirmed and no fill of ours
 *                 explains (reconcile.h), unless kill.divergence is off. Our own view is mended meanwhile
 *                 (divergence_heal); whoever else trades the account, a person must know.
 *
 * All by the monotonic clock of this life. A restart begins to count anew: a core that dies so often that
 * none gets there is crash_loop_freeze's matter. */
#ifndef CORE_RISK_KILL_TRIPS_H
#define CORE_RISK_KILL_TRIPS_H

#include "core/config/config.h"
#include "core/risk/causes.h"

#define KILL_REJECTS_MAX 100 /* the most that kill.rejects may be */
#define KILL_READS_MAX 16

struct kill_rejects { /* zero-initialise */
    struct mono at[KILL_REJECTS_MAX];
    size_t count; /* ever, a ring */
    size_t taken; /* of these, before the cause was last cleared */
};

struct kill_trips {                                                        /* zero-initialise */
    struct mono barred_since[KILL_READS_MAX], barred_last[KILL_READS_MAX]; /* {0}: not so */
    struct mono key_changed_at;
    struct mono unclean_since; /* {0}: not so */
};

void kill_rejects_note(struct kill_rejects *rejects, struct mono at);
/* Behind what may have been rejected: latches what is due. */
void kill_rejects_step(struct kill_rejects *rejects, struct causes *causes,
                       const struct config *config);

/* Reconciliation confirmed a difference. */
void kill_trips_diverged(struct causes *causes, const struct config *config, const char *why);
/* The outcome of a read, status 0 if no answer came. */
void kill_trips_note_read(struct kill_trips *trips, size_t read, int status, struct mono now);
void kill_trips_note_key(struct kill_trips *trips, struct mono now);
/* A tick that asked for all of the broker's truth. */
void kill_trips_step(struct kill_trips *trips, struct causes *causes, const struct config *config,
                     bool is_truth_clean, bool is_elsewhere);

#endif
