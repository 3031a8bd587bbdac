/* splits.c - which split is due, and what it makes of a quantity or a price. */
#include "core/portfolio/splits.h"

#include "core/base/mutant.h"
#include "core/portfolio/book.h"

#include <string.h>

enum { PRICE_PART = 100 }; /* a broker's average may be off by one of so many */

void splits_add(struct splits *splits, const char *symbol, const struct broker_action *action) {
    if (!action->is_split || splits->count == SPLITS_MAX) {
        return;
    }
    struct split *split = &splits->items[splits->count++];
    *split = (struct split){
        .day = action->day, .new_rate = action->new_rate, .old_rate = action->old_rate};
    strncpy(split->symbol, symbol, SYMBOL_MAX - 1);
}

static bool is_due(const struct split *split, const struct holding *holding, struct date today) {
    struct date taken = holding->split_day;
    MUTATE(split_taken_twice, taken = (struct date){0});
    return strcmp(split->symbol, holding->symbol) == 0 && split->day.days <= today.days &&
           today.days - split->day.days <= SPLIT_DUE_DAYS && split->day.days > taken.days &&
           holding->entered_at.ns != 0 && ny_date(holding->entered_at).days < split->day.days;
}

void splits_mark(const struct splits *splits, struct book *book, struct date today) {
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        holding->is_split_due = false;
        MUTATE(untold_split_believed, holding->is_split_due = true; holding->due = (struct split){.day = today, .new_rate = {2 * NANOS}, .old_rate = {NANOS}}; continue);
        for (size_t j = 0; j < splits->count; j++) {
            const struct split *split = &splits->items[j];
            bool is_older = !holding->is_split_due || split->day.days < holding->due.day.days;
            if (is_due(split, holding, today) && is_older) {
                holding->is_split_due = true;
                holding->due = *split;
            }
        }
    }
}

enum err_code split_qty(const struct split *split, struct qty qty, struct qty *out,
                        struct err *err) {
    return decimal_mul_div(qty.nanos, split->new_rate.nanos, split->old_rate.nanos, &out->nanos,
                           err);
}

enum err_code split_price(const struct split *split, struct usd price, struct usd *out,
                          struct err *err) {
    return decimal_mul_div(price.nanos, split->old_rate.nanos, split->new_rate.nanos, &out->nanos,
                           err);
}

bool split_explains(const struct split *split, struct qty was, struct qty is) {
    struct qty exact = {0};
    if (was.nanos <= 0 || is.nanos < 0 || split_qty(split, was, &exact, NULL) != ERR_OK) {
        return false;
    }
    int64_t floor = qty_whole(exact).nanos;
    MUTATE(split_to_a_share, return qty_abs(qty_sub(exact, is)).nanos <= NANOS);
    if (floor == exact.nanos) {
        return is.nanos == exact.nanos;
    }
    return qty_abs(qty_sub(exact, is)).nanos <= 1 || is.nanos == floor || is.nanos == floor + NANOS;
}

static bool is_near(struct usd price, struct usd is) {
    return usd_abs(usd_sub(price, is)).nanos <= price.nanos / PRICE_PART;
}

bool split_moved(const struct split *split, struct usd was, struct usd is) {
    struct usd wanted = {0};
    MUTATE(split_at_the_old_price, return true);
    return was.nanos > 0 && is.nanos > 0 && split_price(split, was, &wanted, NULL) == ERR_OK &&
           is_near(wanted, is);
}

bool split_left_alone(const struct split *split, struct usd was, struct usd is) {
    return split_moved(split, was, is) && !is_near(was, is);
}

bool split_is_slight(const struct split *split, struct ratio part) {
    struct usd price = {0};
    return split_price(split, USD(100), &price, NULL) == ERR_OK &&
           usd_cmp(usd_abs(usd_sub(price, USD(100))), usd_scale(USD(100), part)) < 0;
}
