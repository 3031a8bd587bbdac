/* capital_ramp.h - a strategy earns its size: entries are a share of what sizing allows, 10, 25, 50, 75 and then
 * 100 %, one phase further behind each ramp.days_per_phase clean days in a row, one back for each drawdown.
 *
 * A clean day is an exchange day on which the core traded and nothing had to stop it:
 *
 *   watched      begun within 15 minutes of the session's open, and seen to its end within 15 minutes of the
 *                close, by the wall and by the broker's clock, at both with account, orders and positions read and
 *                nothing that demands REDUCE_ONLY (reconciliation, degraded_mode and clock_guard do); what came and
 *                went in between, an outage say, leaves the day one unless it latched;
 *   traded       a fill was booked in it: a day on which nothing was traded shows nothing;
 *   undisturbed  no latch was set in it, whoever set it, and so no incident of the kill switch.
 *
 * A latch, at any time, begins the streak anew. A day that was not watched or not traded adds nothing and ends
 * nothing: that of a holiday, an outage or a long restart is simply not counted. Each date counts once, and takes
 * the ramp one phase further at the most, whatever the gap, the restart or the clock.
 *
 * A drawdown is a fall of ramp.drawdown or more from the ramp's own peak, on two trusted readings at least
 * 5 s apart, of equity less deposits and plus withdrawals. It takes the ramp one phase back, begins the streak anew and
 * takes what is left as the new peak: the next phase back is another such fall away. In the first phase it does
 * the same but for the phase.
 *
 * It multiplies the size of entries and knows of nothing else: exits and stops have no size of its making. An
 * entry that is smaller than one share, or than orders.min_notional_usd, for its sake is refused (RAMP).
 *
 * Source: the audit's capital ramp, which its code applied by calendar weeks, and skipped weeks in which the bot was
 * down. Durable are rows `ramp`: begun, ended, peak, dropped, each with all that is known. A phase forward holds once
 * its row is durable; one back holds at once and is journaled as soon as the journal takes it. Damage to a row is the
 * first phase. */
#ifndef CORE_RISK_CAPITAL_RAMP_H
#define CORE_RISK_CAPITAL_RAMP_H

#include "core/base/calendar.h"
#include "core/risk/account_guards.h"

#define RAMP_MECHANISM "capital_ramp"
enum { RAMP_PHASES = 5 };

struct capital_ramp { /* zero-initialise: the first phase */
    int64_t phase;    /* 0 to RAMP_PHASES - 1 */
    int64_t streak;   /* clean days in it */
    bool has_peak;
    struct usd peak; /* of equity less flows, since the last drop */
    struct usd candidate_peak;
    struct guard_step fall;
    struct date day; /* the newest that was begun; {0} none */
    struct utc close;
    bool is_running; /* that day may still become clean */
    bool has_fill;
    bool is_unwritten; /* a drop that no row holds yet */
};

struct ramp_look { /* at a full tick's end */
    struct utc wall;
    struct utc broker; /* {0}: it did not tell */
    const struct session *session;
    bool is_open;        /* by session and broker */
    bool is_truth_clean; /* account, orders and positions were read in this tick */
};

/* Takes a durable row, in order, of this life or an earlier one. */
void capital_ramp_take(struct capital_ramp *ramp, const struct journal_row *row);
/* Holds a reading against the peak; nothing while ramp.on is off, or it is not trusted. */
void capital_ramp_judge(struct capital_ramp *ramp, struct causes *causes,
                        const struct config *config, const struct equity_reading *reading);
/* Begins and ends days. */
void capital_ramp_step(struct capital_ramp *ramp, struct causes *causes,
                       const struct config *config, const struct ramp_look *look);
/* What share of its size an entry has: 1 while ramp.on is off. */
struct ratio capital_ramp_share(const struct capital_ramp *ramp, const struct config *config);

#endif
