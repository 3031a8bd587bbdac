/* exit_execution.h - how a position leaves: one journaled transaction per symbol.
 *
 * DECIDED -> RELEASING (the stop is cancelled and terminal) -> WORKING (a ladder of limits, re-anchored
 * at the bid each rung) -> over: flat, or the part sold. A cancel not confirmed leaves the stop where
 * it is and asks again. The last rung unfilled goes back to DECIDED, which re-protects first, and
 * pages. One failing symbol never stops the next. Decisions of a closed market wait for the open, with
 * the stop resting.
 *
 * A stop that is the leg of an OCO (stops.oco) is not cancelled for an exit of all its shares: RELEASING re-prices the
 * OCO's limit, which is then the ladder's order, and the stop watches until that has sold, between two rungs and behind
 * the last one too, from which it rests into the next round. Source: Alpaca's staff, forum 11938: the way out of a
 * position under a group is its limit at a marketable price. A re-price that is refused is tried once in a plan: then,
 * and for a part, the OCO is cancelled like any stop. UNVERIFIED at the broker, so off by default.
 *
 * Of what is short (position_sign.h) the ladder goes up from the ask, and RELEASING waits for every order of the
 * symbol: none may be live when shares are bought back. */
#ifndef CORE_ORDERS_EXIT_EXECUTION_H
#define CORE_ORDERS_EXIT_EXECUTION_H

#include "core/orders/gateway.h"

enum exit_phase { EXIT_NONE, EXIT_DECIDED, EXIT_RELEASING, EXIT_WORKING };

struct exit_plan {
    char symbol[SYMBOL_MAX];
    char reason[ORDER_REASON_MAX];
    enum order_purpose purpose; /* EXIT: until flat; SCALE_OUT: until qty is sold */
    enum exit_phase phase;
    struct qty qty; /* to sell; all of it for an exit; below zero: a short position, to buy back */
    struct qty
        start; /* booked quantity when decided; 0 of a short position, of which nothing is sold */
    struct utc decided_at;
    struct utc rung_at; /* when the present rung began */
    int rung;
    bool is_spent;        /* the last rung was given its time and cancelled */
    int rounds;           /* orders placed since DECIDED: an end for a ladder that never climbs */
    struct mono began_at; /* when it left DECIDED */
    struct mono held_at;  /* of the last step, if it could not begin in it; else {0} */
    struct mono asked_at; /* of a short position: for the broker's second word */
    struct span ask_wait; /* until he is asked again, while he does not know it; 0 none */
    bool is_told;         /* a person was paged that it does not get on */
    bool is_taken_over;   /* of a short position: two words of the broker agreed on it */
    /* the stop's OCO was to go on as the sale, and did not, as far as is known */
    bool is_handed;
};

struct exits {
    struct gateway *gateway; /* borrowed */
    struct exit_plan plans[BOOK_MAX];
    size_t count;
};

struct exit_plan *exits_find(struct exits *exits, const char *symbol);
/* Decides an exit (qty zero) or a scale-out. A plan that is already there is kept; an exit takes over
 * a scale-out, also one whose sale is at work, and goes on with that; of a position that is short, it takes over
 * any plan to sell. */
void exits_decide(struct exits *exits, const struct holding *holding, enum order_purpose purpose,
                  struct qty qty, const char *reason);
/* True if a plan buys back what is short in the symbol. */
bool exits_is_cover(struct exits *exits, const char *symbol);
/* Behind a split of `was` shares into `is`: what is left of a plan to sell, in new shares, whole ones. Also of the
 * row `split` in the fold. */
void exits_split(struct exits *exits, const char *symbol, struct qty was, struct qty is);
/* Tells the observer of each plan that a start found in the journal: the word of a death's last moment went with it. */
void exits_tell_resumed(const struct exits *exits);
/* Moves every plan one step. */
void exits_step(struct exits *exits);
/* True while a plan wants the short tick. */
bool exits_are_urgent(const struct exits *exits);
enum err_code exits_fold(struct exits *exits, const struct journal_row *row,
                         struct err *err) MUST_USE;

#endif
