/* reconcile.c - a difference is explained, waited for, or taken over; never guessed at. */
#include "core/portfolio/reconcile.h"

#include "core/base/mutant.h"

#include <string.h>

static const struct span CONFIRM_APART = {INT64_C(15000000000)};
static const struct span CONFIRM_BESIDE_ORDERS = {INT64_C(30000000000)};
static const struct span CONFIRM_AFTER_FILL = {INT64_C(30000000000)};

static void take_listing(struct book *book, const struct broker_position *listing, size_t count) {
    for (size_t i = 0; i < book->count; i++) {
        book->items[i].is_listed = false;
        book->items[i].is_ahead = false;
        book->items[i].is_spent = false;
        book->items[i].is_confirmed = false;
        book->items[i].is_healed = false;
        book->items[i].is_split = false;
        book->items[i].is_spun = false;
        book->items[i].broker_qty = (struct qty){0};
        book->items[i].has_broker_price = false;
    }
    for (size_t i = 0; i < count; i++) {
        struct holding *holding = book_get(book, listing[i].symbol);
        if (holding == NULL) {
            continue;
        }
        holding->is_listed = true;
        holding->broker_qty = listing[i].qty;
        holding->avg_entry = listing[i].avg_entry_price;
        holding->has_broker_price = listing[i].has_price;
        holding->broker_price = listing[i].current_price;
    }
}

/* A sale by hand moves no average price, and is told as a fill. */
static bool is_evident(const struct holding *holding) {
    return holding->split_told.days >= holding->due.day.days ||
           (holding->is_listed &&
            split_moved(&holding->due, holding_entry_price(holding), holding->avg_entry));
}

/* As many shares as before, the fraction paid out: the listed average alone shows that the split is done. */
static bool is_split_unseen(const struct holding *holding) {
    MUTATE(split_of_a_share_unseen, return false);
    return holding->is_split_due && holding->qty.nanos == holding->broker_qty.nanos &&
           split_left_alone(&holding->due, holding_entry_price(holding), holding->avg_entry);
}

/* The split that is due explains the listing. True if it was taken. */
static bool take_split(struct book *book, struct holding *holding, struct journal *journal,
                       struct utc now, struct reconcile_result *result) {
    MUTATE(split_ignored, return false);
    struct qty was = holding->qty;
    if (!holding->is_split_due || journal == NULL || !is_evident(holding) ||
        !split_explains(&holding->due, holding->qty, holding->broker_qty) ||
        book_split(book, journal, holding, now, NULL) != ERR_OK) {
        return false;
    }
    holding->differs = false;
    holding->is_split = true;
    holding->healed_from = was;
    result->splits++;
    return true;
}

/* What was given explains the listing. True if it was taken. */
static bool take_spin_off(struct book *book, struct holding *holding, struct journal *journal,
                          struct utc now, struct reconcile_result *result) {
    MUTATE(spin_ignored, return false);
    struct qty was = holding->qty;
    if (journal == NULL || !holding->is_listed || !spin_explains(holding) ||
        book_spin_off(book, journal, holding, now, NULL) != ERR_OK) {
        return false;
    }
    holding->differs = false;
    holding->is_spun = true;
    holding->healed_from = was;
    result->spin_offs++;
    return true;
}

/* A confirmed difference: shares at the broker are taken over, a vanished position stays. */
static void resolve(struct book *book, struct holding *holding, struct journal *journal,
                    struct utc now, struct reconcile_result *result) {
    MUTATE(unexplained_ignored, return);
    if (take_spin_off(book, holding, journal, now, result) ||
        take_split(book, holding, journal, now, result)) {
        return; /* beside orders that did not make it, or all was paid out: only what stays away is gone */
    }
    result->confirmed++;
    holding->is_confirmed = true;
    if (!holding->is_listed) {
        result->vanished++;
        return;
    }
    struct qty was = holding->qty;
    if (journal != NULL && book_adopt(book, journal, holding, now, NULL) == ERR_OK) {
        holding->differs = false;
        holding->is_healed = true;
        holding->healed_from = was;
    }
}

/* A difference that moves is an order at work; one that stands still is counted from here. */
static void begin_difference(struct holding *holding, struct mono now) {
    holding->differs = true;
    holding->differs_since = now;
    holding->differs_book = holding->qty;
    holding->differs_broker = holding->broker_qty;
}

static bool is_same_difference(const struct holding *holding) {
    MUTATE(moving_difference_believed, return holding->differs && holding->differs_book.nanos == holding->qty.nanos);
    return holding->differs && holding->differs_book.nanos == holding->qty.nanos &&
           holding->differs_broker.nanos == holding->broker_qty.nanos;
}

/* From when on no fill moved it. A wall that was set since tells nothing: one that is before the fill
 * counts from now. */
static void time_fill(struct holding *holding, struct utc at, struct mono now) {
    if (holding->filled_at.ns != 0 && holding->fill_timed.ns == holding->filled_at.ns) {
        return;
    }
    int64_t age = utc_sub(at, holding->filled_at).ns;
    age = age < 0 ? 0 : age > CONFIRM_AFTER_FILL.ns ? CONFIRM_AFTER_FILL.ns : age;
    holding->fill_timed = holding->filled_at;
    holding->quiet_since = mono_add(now, (struct span){-age});
}

/* A fill that a listing lags behind, or runs ahead of, may look like a split: where one can be, it is waited for. */
static bool may_split_at_once(const struct holding *holding, enum in_flight orders,
                              struct mono now) {
    MUTATE(split_beside_a_fill, return holding->is_listed);
    bool may_have_moved = orders != IN_FLIGHT_NOTHING && orders != IN_FLIGHT_BESIDE;
    return holding->is_listed && !may_have_moved &&
           mono_sub(now, holding->quiet_since).ns >= CONFIRM_AFTER_FILL.ns;
}

struct reconcile_result reconcile(struct book *book, const struct broker_position *listing,
                                  size_t count, struct journal *journal, struct clock *clock,
                                  enum in_flight (*in_flight)(void *context, const char *symbol),
                                  void *context) {
    struct reconcile_result result = {0};
    struct utc at = clock_utc(clock);
    struct mono now = clock_mono(clock);
    take_listing(book, listing, count);
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        time_fill(holding, at, now);
        MUTATE(empty_list_believed, holding->qty = count == 0 ? (struct qty){0} : holding->qty);
        MUTATE(lacked_position_is_flat, holding->qty = count > 0 && !holding->is_listed ? (struct qty){0} : holding->qty);
        bool agrees = holding->broker_qty.nanos == holding->qty.nanos && !is_split_unseen(holding);
        enum in_flight orders = agrees ? IN_FLIGHT_NOTHING : in_flight(context, holding->symbol);
        if (agrees || orders == IN_FLIGHT_UNKNOWN) {
            holding->differs = false;
            continue;
        }
        if (may_split_at_once(holding, orders, now) &&
            (take_spin_off(book, holding, journal, at, &result) ||
             take_split(book, holding, journal, at, &result))) {
            continue;
        }
        result.differences++;
        MUTATE(fill_not_waited_for, if (is_same_difference(holding) && mono_sub(now, holding->differs_since).ns >= CONFIRM_APART.ns) { resolve(book, holding, journal, at, &result); continue; });
        struct span most = orders >= IN_FLIGHT_BESIDE ? CONFIRM_BESIDE_ORDERS : CONFIRM_APART;
        if (!is_same_difference(holding)) {
            begin_difference(holding, now);
        } else if (mono_sub(now, holding->differs_since).ns >= most.ns &&
                   mono_sub(now, holding->quiet_since).ns >= CONFIRM_AFTER_FILL.ns) {
            resolve(book, holding, journal, at, &result);
        }
    }
    book_sweep(book);
    return result;
}
