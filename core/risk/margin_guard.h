/* margin_guard.h - what is borrowed must be ours to pay back: no entry near the broker's maintenance margin, and no
 * more taken over a night than may be held over one. Never does the broker choose what is liquidated.
 *
 * Three things are bad, each on two readings at least 5 s apart:
 *
 *   blocked    the broker blocked the account, or a person suspended its trading (trading_blocked, account_blocked,
 *              trade_suspended_by_user; the gateway refuses entries by the first reading: ACCOUNT_UNREADABLE);
 *   excess     equity less maintenance margin is below margin.excess of equity, or the broker does not say what the
 *              maintenance margin is. A house may raise it in mid-day, for one symbol and to all of its value:
 *              so did brokers on 2021-01-27 for GME, AMC and others. A call comes at zero, and then he sells;
 *   overnight  within margin.no_entry_s of a session's close gross is above margin.overnight of equity: Regulation T
 *              lets two be held over a night where four were lent for the day.
 *
 * Then REDUCE_ONLY is demanded while it lasts, and a person is paged: entries that work are cancelled. Within
 * margin.reduce_s of the close what is too much for the night is sold, by exits like any other: whole positions, the
 * largest first and of equals the first of the alphabet, until gross is within bounds; for the excess one at a time, since the
 * broker alone knows what each frees. One that leaves already counts as gone. Nothing is sold for a block, nor for a maintenance
 * margin that is not known, nor by a reading that equity and marks do not explain: a bad mark liquidates nothing. A
 * half day's close is that session's.
 *
 * It ends once readings have been good for a minute: the excess a quarter above its limit again, gross a twentieth below.
 * Nothing is durable: a start reads the account twice before it may enter, and finds it as it is.
 *
 * An entry itself is held to both, with itself and all that works (the gateway: MARGIN_EXCESS, OVERNIGHT_GROSS), at
 * half of its notional for the excess: what Regulation T asks for at once (12 CFR 220.12), and more than most
 * shares are maintained with later. Exits are asked none of it.
 *
 * Source: FINRA Rule 4210 as of 2026-06-04 (intraday margin instead of day trades), 12 CFR 220. */
#ifndef CORE_RISK_MARGIN_GUARD_H
#define CORE_RISK_MARGIN_GUARD_H

#include "core/alpaca/alpaca.h"
#include "core/risk/account_guards.h"

#define MARGIN_CAUSE "margin_guard"

struct margin_reading { /* of a tick in which account and positions were read */
    struct utc at;
    bool is_trusted; /* equity is explained by cash and marks */
    bool is_blocked;
    struct usd equity;
    bool has_maintenance;
    struct usd maintenance;
    struct usd gross;     /* positions that the broker knows, at marks, whatever their sign */
    bool is_open;         /* the market, by calendar and broker */
    struct span to_close; /* of the session, while is_open */
};

struct margin_guard { /* zero-initialise */
    struct guard_step bad, over;
    bool is_held;
    struct mono good_since; /* while is_held; 0: the last reading was bad */
};

struct margin_wish { /* what must be gone before the close */
    bool is_gross;   /* gross by so much: */
    struct usd over;
    bool is_excess; /* one position more */
};

/* What an entry of `charge` notional, the working ones included, would leave; false: *is below *least. */
bool margin_excess_suffices(const struct config *config, const struct broker_account *account,
                            struct usd charge, struct usd *is, struct usd *least);
/* True within margin.no_entry_s of a close that is so far away. */
bool margin_is_near_close(const struct config *config, struct span to_close);
/* Judges one reading: holds or lets go, pages, and says what is to be sold now. */
struct margin_wish margin_guard_judge(struct margin_guard *guard, struct causes *causes,
                                      const struct config *config,
                                      const struct margin_reading *reading);

#endif
