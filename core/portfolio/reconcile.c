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

/* A confirmed difference: shares at the broker are taken over, a vanished position stays. */
static void resolve(struct book *book, struct holding *holding, struct journal *journal,
                    struct utc now, struct reconcile_result *result) {
    MUTATE(unexplained_ignored, return);
    result->confirmed++;
    memcpy(result->symbol, holding->symbol, sizeof result->symbol);
    if (!holding->is_listed) {
        result->is_vanished = true;
        return;
    }
    if (journal != NULL && book_adopt(book, journal, holding, now, NULL) == ERR_OK) {
        holding->differs_since = (struct utc){0};
    }
}

/* A difference that moves is an order at work; one that stands still is counted from here. */
static void begin_difference(struct holding *holding, struct utc now) {
    holding->differs_since = now;
    holding->differs_book = holding->qty;
    holding->differs_broker = holding->broker_qty;
}

static bool is_same_difference(const struct holding *holding) {
    MUTATE(moving_difference_believed, return holding->differs_since.ns != 0 && holding->differs_book.nanos == holding->qty.nanos);
    return holding->differs_since.ns != 0 && holding->differs_book.nanos == holding->qty.nanos &&
           holding->differs_broker.nanos == holding->broker_qty.nanos;
}

struct reconcile_result reconcile(struct book *book, const struct broker_position *listing,
                                  size_t count, struct journal *journal, struct utc now,
                                  enum in_flight (*in_flight)(void *context, const char *symbol),
                                  void *context) {
    struct reconcile_result result = {0};
    take_listing(book, listing, count);
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        MUTATE(empty_list_believed, holding->qty = count == 0 ? (struct qty){0} : holding->qty);
        bool agrees = holding->broker_qty.nanos == holding->qty.nanos;
        enum in_flight orders = agrees ? IN_FLIGHT_NOTHING : in_flight(context, holding->symbol);
        if (agrees || orders == IN_FLIGHT_UNKNOWN) {
            holding->differs_since = (struct utc){0};
            continue;
        }
        result.differences++;
        MUTATE(fill_not_waited_for, if (is_same_difference(holding) && utc_sub(now, holding->differs_since).ns >= CONFIRM_APART.ns) { resolve(book, holding, journal, now, &result); continue; });
        struct span most = orders == IN_FLIGHT_LISTED ? CONFIRM_BESIDE_ORDERS : CONFIRM_APART;
        if (!is_same_difference(holding)) {
            begin_difference(holding, now);
        } else if (utc_sub(now, holding->differs_since).ns >= most.ns &&
                   utc_sub(now, holding->filled_at).ns >= CONFIRM_AFTER_FILL.ns) {
            resolve(book, holding, journal, now, &result);
        }
    }
    book_sweep(book);
    return result;
}
