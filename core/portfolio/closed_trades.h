/* closed_trades.h - what was bought and sold again: the record of round trips, for what judges how we trade.
 *
 * A closed trade is a round trip of a symbol from flat to flat, however many orders and parts it took. What
 * it cost and what it brought are the sums of the amounts that the broker's fills had, by the average price that
 * he told of each order: no mark and no quote. What is still open has no profit and is none; fees that
 * the broker books elsewhere are in neither sum, and a sale that he undoes later keeps the profit that it had.
 *
 * All of it is a fold of the journal's rows, `fill` and `adopt`, live and behind a restart the same one: a
 * fill is journaled once, and a row that was taken is not taken again. A trip that an adoption touched
 * was not priced by fills alone, one that sold more than it bought was priced in part: neither is
 * recorded, nor is what fills say of a symbol whose beginning they do not say. */
#ifndef CORE_PORTFOLIO_CLOSED_TRADES_H
#define CORE_PORTFOLIO_CLOSED_TRADES_H

#include "core/portfolio/book.h"

#define CLOSED_TRADES_MAX 500 /* the newest that are kept */

struct closed_trade {
    int64_t seq;   /* the journal's row of the fill that ended it: newer is higher */
    struct utc at; /* of that row */
    char symbol[SYMBOL_MAX];
    char entry[CLIENT_ID_MAX]; /* the order whose fill began it */
    struct usd bought, sold;   /* all that it cost, all that it brought */
};

struct open_trip {
    char symbol[SYMBOL_MAX];
    char entry[CLIENT_ID_MAX]; /* the order of its first fill; "": no fill began it */
    struct qty held;
    struct usd bought, sold;
    bool is_unpriced; /* fills alone do not say what it cost or brought */
};

struct closed_trades {                            /* zero-initialise */
    struct closed_trade items[CLOSED_TRADES_MAX]; /* a ring */
    size_t count;                                 /* ever closed */
    struct open_trip open[BOOK_MAX];
    size_t open_count;
    int64_t taken; /* the newest row; 0 none */
};

/* Takes a durable row, in order; rows of other kinds are none of its business. */
void closed_trades_take(struct closed_trades *trades, const struct journal_row *row);
/* How many are kept. */
size_t closed_trades_kept(const struct closed_trades *trades);
/* One of those kept, 0 being the newest; until the next row is taken. */
const struct closed_trade *closed_trades_newest(const struct closed_trades *trades, size_t back);
/* What it brought beyond what it cost; a loss is below zero. */
struct usd closed_trade_profit(const struct closed_trade *trade);

#endif
