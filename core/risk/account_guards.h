/* account_guards.h - the three account limits: daily_loss, equity_floor, max_drawdown.
 *
 * Each is fed one trusted equity reading a tick and latches REDUCE_ONLY through causes.h. Baselines
 * and the peak come from the journal (rows "baseline", "go_live", "peak"), never from a current
 * reading after a restart. A dividend is no profit of the day that pays it, so that it hides no loss; it lifts peak and
 * drawdown as any gain does. A fee is a loss. An untrusted reading is neither a pass nor a loss: data_guard holds. */
#ifndef CORE_RISK_ACCOUNT_GUARDS_H
#define CORE_RISK_ACCOUNT_GUARDS_H

#include "core/config/config.h"
#include "core/risk/causes.h"

struct equity_reading {
    struct utc at;
    struct date exchange_day; /* New York date of the session, or of the next one */
    bool is_core_session;
    bool is_trusted; /* explained by cash and marks; only then is it judged */
    struct usd equity;
    bool has_previous_close;
    struct usd previous_close; /* equity at the previous session's close, of that session */
    struct usd flows_today;    /* deposits less withdrawals, and dividends, since that close */
    struct usd flows_ever;     /* since go-live; a dividend is earned, for the price fell by it */
};

struct guard_step {          /* two readings, a stated time apart, before a latch */
    struct utc first_breach; /* {0} when the last reading was no breach */
};

struct account_guards {
    const struct config *config; /* borrowed, as the next */
    struct causes *causes;
    struct guard_step loss, floor, drawdown;
    struct date baseline_day; /* day of the journaled baseline */
    struct usd baseline;
    bool has_go_live;
    struct usd go_live; /* equity at the first trusted reading ever */
    bool has_peak;
    struct usd peak;           /* of equity less flows_ever */
    struct usd candidate_peak; /* seen once */
    struct date warned_day;
    int warned_percent;
};

void account_guards_init(struct account_guards *guards, const struct config *config,
                         struct causes *causes);
enum err_code account_guards_fold(struct account_guards *guards, const struct journal_row *row,
                                  struct err *err) MUST_USE;
/* Judges one reading; journals baseline, go-live and peak as they come. */
void account_guards_judge(struct account_guards *guards, const struct equity_reading *reading);
/* ERR_REFUSED, with an answer for who asked, while equity_floor may not end: equity is not known, not explained, or not a
 * hundredth above the floor. At exactly that it may. */
enum err_code account_guards_end_floor(const struct account_guards *guards,
                                       const struct equity_reading *reading,
                                       struct err *err) MUST_USE;
/* True at the second breach in a row at least `apart` after the first; a reading that is none begins anew. */
bool guard_step_confirms(struct guard_step *step, bool is_breach, struct utc at, struct span apart);
/* The day's loss limit in dollars: the stricter of amount and share. Zero while unknown. */
struct usd daily_loss_limit(const struct account_guards *guards);
/* Equity less baseline and flows: negative is a loss. False while no baseline is known. */
bool daily_change(const struct account_guards *guards, const struct equity_reading *reading,
                  struct usd *out);

#endif
