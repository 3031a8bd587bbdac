/* broker_rails.h - the account's own configuration at the broker must bind at least as tightly as our limits do.
 *
 * SEC Rule 15c3-5 (d) wants a firm's risk controls under its direct and exclusive control; a trader at Alpaca gets as
 * near as GET /v2/account/configurations: `no_shorting` makes the account long-only, `max_margin_multiplier` ("1", "2" or "4")
 * bounds what it may borrow, `suspend_trade` takes no new order from anybody. They hold where nothing of ours
 * does: for a second program with the same key, for an order of a hand, for a core with a fault.
 *
 * We hold long positions alone, so `no_shorting` must be true; and the multiplier must be the smallest that
 * risk.gross_exposure needs: 1 up to 1, 2 up to 2, else 4. What is tighter than that is fine.
 * Where the configuration is looser, or trading is suspended, entries are refused (BROKER_RAILS), and the refusal says what
 * to set. So they are while it is not known: not read by this process, before the mode last changed, or
 * longer than two rails.interval_s ago. That holds on paper and in a simulation as it would live: what was
 * tried there must be what runs here, and setting two switches once is no burden.
 * Exits and stops are never asked. (A broker whose trading is suspended refuses them too: engine/rails_reads.c.)
 *
 * It persists nothing: a start reads it again. */
#ifndef CORE_RISK_BROKER_RAILS_H
#define CORE_RISK_BROKER_RAILS_H

#include "core/alpaca/alpaca.h"
#include "core/config/config.h"
#include "core/risk/causes.h"

#define RAILS_WHY_MAX 160 /* as a refusal's words */

struct broker_rails { /* zero-initialise: nothing is known */
    struct broker_configuration told;
    bool is_known;   /* read by this process */
    bool is_doubted; /* the mode, or whether the account is blocked, changed since */
    struct mono read_at;
    bool is_flawed; /* as last told to people */
};

/* The largest max_margin_multiplier that a gross limit allows: 1, 2 or 4. */
int rails_margin(struct ratio gross_exposure);
/* True if the configuration as read is looser than ours: suspended trading is not. */
bool rails_are_loose(const struct broker_configuration *told, const struct config *config);
/* True if it is time to read again. */
bool broker_rails_are_due(const struct broker_rails *rails, const struct config *config,
                          struct mono now);
/* True if nothing may be entered; then `why` says it, and what to set. */
bool broker_rails_refuse(const struct broker_rails *rails, const struct config *config,
                         struct mono now, char why[static RAILS_WHY_MAX]);
/* Takes what was read, and tells people where that does not let us trade, or does again. */
void broker_rails_take(struct broker_rails *rails, const struct config *config, struct log *log,
                       const struct broker_configuration *told, struct mono now);
#endif
