/* book.h - what we hold, by our own booked fills, beside what the broker says we hold.
 *
 * Broker wins on quantity, we win on intent: when we entered, why, how far the price went, which
 * targets are done. The journal is the authority (rows "fill", "adopt", "split", "spin", "note"); the book is
 * a fold over it, position_metadata.json a projection of the book. A holding stays until the broker
 * says flat and no fill is missing.
 *
 * It never opens a short position. One that the broker shows is taken over below zero, and ends by buying. */
#ifndef CORE_PORTFOLIO_BOOK_H
#define CORE_PORTFOLIO_BOOK_H

#include "core/alpaca/alpaca.h"
#include "core/base/json.h"
#include "core/portfolio/spin_offs.h"
#include "core/portfolio/splits.h"
#include "core/state/journal.h"

#define BOOK_MAX 64 /* risk.max_positions is at most this */

struct holding {
    char symbol[SYMBOL_MAX];
    struct qty qty;  /* by booked fills and adoptions; below zero: short */
    struct usd cost; /* what the present quantity cost; of a short one, minus what it brought */
    struct qty initial_qty; /* the most this position ever held: targets are shares of it */
    struct utc entered_at;  /* first fill */
    struct utc filled_at;   /* last fill booked */
    struct utc fill_timed;  /* the fill that quiet_since is of */
    struct mono
        quiet_since;       /* that fill; of one before this process, at most the wait for it ago */
    struct usd high_water; /* highest trusted mark since entry */
    struct usd high_noted; /* the same, as last journaled */
    unsigned targets_hit;  /* bit k: target k+1 was decided */
    struct ratio entry_score; /* zero when unknown: then decay never exits */
    bool is_adopted;          /* the broker showed it, no fill of ours explains it */
    /* no split of this day or before it is due: taken, or taken over behind */
    struct date split_day;
    /* announced, and not in the book yet */
    bool is_split_due;
    struct split due;
    struct date split_told; /* of the newest activity that tells of one */
    /* told by activities, and not in the book yet; or announced, told or not */
    bool is_spin_due, is_spin_announced;
    struct spin_due spin;
    struct qty spin_gain;  /* by which the newest listing is above the book */
    bool is_spin_unlinked; /* taken, and no cost of the source that was announced with it */
    /* the listings differ from the book, for whatever reason; {0}: alike */
    struct mono unlike_since;
    /* it differs, and the day's announcements have not come; {0}: not so */
    struct mono awaited_since;
    bool is_split_awaited; /* that, for as long as it holds up anything */
    /* likewise of a spin-off, which changes no price of what is given: it holds up the explanation alone */
    struct mono spin_awaited_since;
    bool is_spin_awaited;
    /* the trusted price is nearer to that of the shares behind the split that is due */
    bool is_new_price;
    /* in a core session, until a price of the old shares; {0}: not yet */
    struct mono new_price_since;
    bool is_split_overdue; /* for longer than a split holds prices out */
    /* the broker's word, of the last listing */
    bool is_listed;
    bool is_ahead; /* bought since that listing, which therefore may lack it */
    bool is_spent; /* closed by a fill since that listing, which therefore tells of what is gone */
    struct qty broker_qty;
    struct usd avg_entry;
    bool has_broker_price;
    struct usd broker_price;
    /* the broker's word on this symbol alone, asked for before a short position is bought back */
    struct qty reread_qty;
    struct mono reread_at; /* {0}: never */
    bool is_short_told;    /* that it is short, since the listing that began it */
    struct qty unnoted;    /* of a short position that was taken over: what no row says yet */
    /* the trusted mark of this tick */
    bool has_mark;
    struct usd mark;
    /* reconciliation: the quantity differs without an explanation */
    bool differs;
    struct mono differs_since;               /* no wall tells; while differs */
    struct qty differs_book, differs_broker; /* the two quantities then */
    bool is_confirmed;                       /* the last listing confirmed the difference */
    bool is_healed;                          /* and its quantity was taken over */
    bool is_split;                           /* the last listing showed the split that was due */
    bool is_spun;                            /* likewise a spin-off */
    struct qty healed_from;                  /* ours, before either */
    bool is_naked;                           /* neither protected nor flat */
    struct mono naked_since; /* at the earliest; for how long no wall tells; while is_naked */
    struct mono safe_at;     /* of the listing by which it was not naked last; 0: none yet */
};

struct book_gone {
    char symbol[SYMBOL_MAX];
    struct utc filled_at;
};

struct book {
    struct holding items[BOOK_MAX];
    size_t count;
    struct book_gone gone[BOOK_MAX]; /* swept last, a ring: a listing that lags brings them back */
    size_t gone_next;
    struct usd cash_flow; /* sum of all booked fills: sells positive, buys negative */
};

struct holding *book_find(struct book *book, const char *symbol);
/* The same, to look at. */
const struct holding *book_look(const struct book *book, const char *symbol);
/* The holding, made flat if new, with the time of the fill that ended the one before. NULL when the book
 * is full. */
struct holding *book_get(struct book *book, const char *symbol);
/* Shares that may be sold as ours: the smaller of the listing and the book, because the listing may be
 * older than a booked sale and the book younger than a sale it could not journal; the book alone while
 * the listing lacks the symbol, because an empty list is no proof of flat. */
struct qty holding_sellable(const struct holding *holding);
/* True if there may be shares to be priced: by the book, or by a listing since it was closed. */
bool holding_is_held(const struct holding *holding);
/* Shares short, as a number above zero: by the listing and, once it was taken over, no more than the book says
 * is left of it, because the listing may be older than a booked purchase. 0: not listed as short. */
struct qty holding_short(const struct holding *holding);
/* True if the broker was asked for the symbol alone within the last two seconds, and answered. */
bool holding_is_reread(const struct holding *holding, struct mono now);
/* Shares that may be bought back now: no more than that, and than the broker said within the last seconds when
 * asked for this symbol alone. Buying on a word that is wrong would open a position. */
struct qty holding_coverable(const struct holding *holding, struct mono now);
/* Average cost per share; zero when flat. */
struct usd holding_entry_price(const struct holding *holding);

/* Books one execution in memory. amount is price x qty, exact to the broker's averages. */
void book_apply_fill(struct book *book, const char *symbol, enum order_side side, struct qty qty,
                     struct usd amount, struct utc at, struct ratio score);
/* Folds one journal row; rows of other kinds are none of its business. */
enum err_code book_fold(struct book *book, const struct journal_row *row, struct err *err) MUST_USE;

/* Journals (without commit) what fills do not say: high water, targets. */
enum err_code book_note(struct journal *journal, const struct holding *holding,
                        struct err *err) MUST_USE;
/* Takes the broker's quantity over as ours, with its average price: journaled and committed first. */
enum err_code book_adopt(struct book *book, struct journal *journal, struct holding *holding,
                         struct utc now, struct err *err) MUST_USE;
/* Takes the split that is due: the broker's quantity at the cost it had, but for a fraction that was paid out, and
 * all that is remembered of its price in new shares; journaled and committed first. */
enum err_code book_split(struct book *book, struct journal *journal, struct holding *holding,
                         struct utc now, struct err *err) MUST_USE;
/* Takes the spin-off that is due: the shares that were gained, at what they are worth, which their source, where it is
 * linked, then costs less and is remembered at less, for the part of it that is held and never all of its cost;
 * journaled and committed first. ERR_RANGE: nobody tells their worth. */
enum err_code book_spin_off(struct book *book, struct journal *journal, struct holding *holding,
                            struct utc now, struct err *err) MUST_USE;
/* Takes a short position over as the broker shows it, at once: two words of his agree, and what would buy it
 * back must find it in the book. The row tells the change (kind "short"), so that it may come behind the fills
 * that followed, from a journal that was down: book_note_shorts() appends what is owed, without commit. */
void book_take_short(struct holding *holding);
void book_note_shorts(struct book *book, struct journal *journal);
/* Drops flat, unlisted holdings from memory. */
void book_sweep(struct book *book);
/* Members of position_metadata.json. */
void book_print(const struct book *book, struct text *out);

#endif
