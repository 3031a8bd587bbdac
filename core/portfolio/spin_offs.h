/* spin_offs.h - spin-offs: what a position that nobody ordered is explained by.
 *
 * Who holds one stock is given shares of another. The broker tells of it by an activity of type SPIN, of the new
 * symbol, with the quantity; when it shows, before the position or behind it, he does not document. A row explains a
 * gain of its quantity, its fraction paid in cash or not, once. What the feed announced links it to the stock that it
 * came from, whose cost it then takes along: "cost basis may be adjusted" (Alpaca, mandatory corporate actions), but
 * what left one position is no loss of its trade. Without a row nothing is explained, whatever was announced. */
#ifndef CORE_PORTFOLIO_SPIN_OFFS_H
#define CORE_PORTFOLIO_SPIN_OFFS_H

#include "core/alpaca/alpaca.h"
#include "core/state/journal.h"

#define SPIN_OFFS_MAX 32
#define SPIN_ROWS_MAX 64
#define SPINS_TAKEN_MAX 64
/* Of one row, so that no sum of them overflows. */
#define SPIN_ROW_QTY_MAX (INT64_MAX / SPIN_ROWS_MAX)
/* A row explains for so many days, and belongs to an announcement no further away. */
#define SPIN_DUE_DAYS 7

struct book;
struct holding;

struct spin_off { /* announced */
    char source[SYMBOL_MAX], symbol[SYMBOL_MAX];
    struct date day;
    struct ratio new_rate, source_rate; /* source_rate shares are given new_rate; 0: not told */
};

struct spin_row { /* told by the broker, of this account */
    char id[96];
    char symbol[SYMBOL_MAX];
    struct date day;
    struct qty qty;
};

struct spin_taken { /* rows of this day or before it explain nothing more */
    char symbol[SYMBOL_MAX];
    struct date day;
};

struct spin_due { /* of a holding */
    struct qty qty;
    struct date day;         /* of the newest of its rows */
    char source[SYMBOL_MAX]; /* "": nobody told, or it is not held */
    struct ratio new_rate, source_rate;
};

struct spin_offs {
    struct spin_off told[SPIN_OFFS_MAX];
    size_t count;
    struct spin_row rows[SPIN_ROWS_MAX];
    size_t row_count;
    struct spin_taken taken[SPINS_TAKEN_MAX]; /* a ring */
    size_t taken_next;
};

/* Keeps one that an answer announces of a source; those beyond SPIN_OFFS_MAX link nothing. */
void spin_offs_add(struct spin_offs *spins, const char *source, const struct broker_action *action);
/* Keeps the row of an activity, or forgets one that was undone; of others, or beyond SPIN_ROW_QTY_MAX, nothing. In a
 * full list the oldest goes. */
void spin_offs_take(struct spin_offs *spins, const struct broker_activity *activity);
/* Rows of a symbol of that day or before it were taken, or its quantity was taken over behind them. */
void spin_offs_end(struct spin_offs *spins, const char *symbol, struct date day);
/* Folds one journal row: "spin" and "adopt" end what rows explain, to the day of the newest that was taken. */
void spin_offs_fold(struct spin_offs *spins, const struct journal_row *row);
/* Tells each position of the book what is due for it on a day (New York), and whether one was announced. */
void spin_offs_mark(const struct spin_offs *spins, struct book *book, struct date today);
/* True if what is listed is the book's quantity and what is due, or its whole shares. */
bool spin_explains(const struct holding *holding);
/* What a share that is given is worth: of a position that is new the listed average, else the listed price. 0: not
 * told. */
struct usd spin_price(const struct holding *holding);

#endif
