/* splits.h - splits as the feed announces them: what a quantity that changed over night is explained by.
 *
 * An announcement is of a day, the first on which the stock trades in new shares, and of two rates. It is due for a
 * position that is older than that day and has taken no split of it: then a listing whose quantity is what the
 * rates make of the book's (fractions are paid out, or rounded up) is explained, if the broker's average price moved
 * by the rates as well, or he told of a split among the activities. A quantity that merely looks like a split, as
 * half of it that somebody sold by hand, is not. */
#ifndef CORE_PORTFOLIO_SPLITS_H
#define CORE_PORTFOLIO_SPLITS_H

#include "core/alpaca/alpaca.h"

#define SPLITS_MAX 64
/* Brokers may be late; what is announced and not done after so many days was called off. */
#define SPLIT_DUE_DAYS 7

struct book;

struct split {
    char symbol[SYMBOL_MAX];
    struct date day;
    struct ratio new_rate, old_rate; /* both above zero */
};

struct splits {
    struct split items[SPLITS_MAX];
    size_t count;
};

/* Keeps one that an answer tells; those beyond SPLITS_MAX explain nothing. */
void splits_add(struct splits *splits, const char *symbol, const struct broker_action *action);
/* Tells each position of the book which is due for it on a day (New York); of two the older first. */
void splits_mark(const struct splits *splits, struct book *book, struct date today);
/* What the rates make of a quantity, fractions included, and of a price. ERR_RANGE. */
enum err_code split_qty(const struct split *split, struct qty qty, struct qty *out,
                        struct err *err) MUST_USE;
enum err_code split_price(const struct split *split, struct usd price, struct usd *out,
                          struct err *err) MUST_USE;
/* True if a long position of `was` shares is `is` shares behind the split: exactly, or, of what is not whole, the
 * whole ones below or above. */
bool split_explains(const struct split *split, struct qty was, struct qty is);
/* The same, and it is not what it was: of a quantity that the split left as it is (one share at 3:2) nothing else
 * tells. */
bool split_left_alone(const struct split *split, struct usd was, struct usd is);
/* True if it moves a price by less than that part: it passes for a price of any day. */
bool split_is_slight(const struct split *split, struct ratio part);
/* True if an average price of `was` is `is` behind the split, to one percent. */
bool split_moved(const struct split *split, struct usd was, struct usd is);

#endif
