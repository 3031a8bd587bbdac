/* closed_trades.c - adds fills up to round trips. */
#include "core/portfolio/closed_trades.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <string.h>

struct trip_fill {
    const char *symbol;
    bool is_buy;
    struct qty qty;
    struct usd amount;
};

size_t closed_trades_kept(const struct closed_trades *trades) {
    return trades->count < CLOSED_TRADES_MAX ? trades->count : CLOSED_TRADES_MAX;
}

const struct closed_trade *closed_trades_newest(const struct closed_trades *trades, size_t back) {
    CHECK(back < closed_trades_kept(trades));
    return &trades->items[(trades->count - 1 - back) % CLOSED_TRADES_MAX];
}

struct usd closed_trade_profit(const struct closed_trade *trade) {
    return usd_sub(trade->sold, trade->bought);
}

/* --- trips --- */

static struct open_trip *find(struct closed_trades *trades, const char *symbol) {
    for (size_t i = 0; i < trades->open_count; i++) {
        if (strcmp(trades->open[i].symbol, symbol) == 0) {
            return &trades->open[i];
        }
    }
    return NULL;
}

/* NULL when as many are open as a book can hold: that trip is never recorded. */
static struct open_trip *begin(struct closed_trades *trades, const char *symbol) {
    if (trades->open_count == BOOK_MAX || strlen(symbol) >= SYMBOL_MAX) {
        return NULL;
    }
    struct open_trip *trip = &trades->open[trades->open_count++];
    *trip = (struct open_trip){0};
    strcpy(trip->symbol, symbol);
    return trip;
}

static void record(struct closed_trades *trades, const struct open_trip *trip,
                   const struct journal_row *row) {
    struct closed_trade *trade = &trades->items[trades->count++ % CLOSED_TRADES_MAX];
    *trade = (struct closed_trade){
        .seq = row->seq, .at = row->at, .bought = trip->bought, .sold = trip->sold};
    memcpy(trade->symbol, trip->symbol, sizeof trade->symbol);
    memcpy(trade->entry, trip->entry, sizeof trade->entry);
}

/* Flat again: recorded if fills say all of it, and gone. */
static void end(struct closed_trades *trades, struct open_trip *trip,
                const struct journal_row *row) {
    if (!trip->is_unpriced && trip->held.nanos == 0) {
        record(trades, trip, row);
    }
    *trip = trades->open[--trades->open_count];
}

static void add_fill(struct closed_trades *trades, const struct trip_fill *fill,
                     const struct journal_row *row) {
    struct open_trip *trip = find(trades, fill->symbol);
    if (trip == NULL && fill->is_buy) {
        trip = begin(trades, fill->symbol);
        if (trip != NULL) {
            strncpy(trip->entry, row->key, CLIENT_ID_MAX - 1);
        }
    }
    if (trip == NULL) {
        return;
    }
    trip->is_unpriced |= fill->qty.nanos <= 0 || fill->amount.nanos <= 0;
    if (fill->is_buy) {
        trip->held = qty_add(trip->held, fill->qty);
        trip->bought = usd_add(trip->bought, fill->amount);
        if (trip->held.nanos == 0) { /* what was short is bought back: no trade of ours */
            end(trades, trip, row);
        }
        return;
    }
    trip->held = qty_sub(trip->held, fill->qty);
    trip->sold = usd_add(trip->sold, fill->amount);
    MUTATE(open_trades_counted, record(trades, trip, row));
    if (trip->held.nanos <= 0) {
        end(trades, trip, row);
    }
}

/* --- rows --- */

static void take_fill(struct closed_trades *trades, const struct journal_row *row,
                      const cJSON *body) {
    const char *side = "";
    struct trip_fill fill = {0};
    if (json_string(body, "symbol", &fill.symbol, NULL) == ERR_OK &&
        json_string(body, "side", &side, NULL) == ERR_OK &&
        json_qty(body, "qty", &fill.qty, NULL) == ERR_OK &&
        json_usd(body, "amount", &fill.amount, NULL) == ERR_OK) {
        fill.is_buy = strcmp(side, "buy") == 0;
        add_fill(trades, &fill, row);
    }
}

/* The broker's quantity, taken over as ours: at a price of no fill. */
static void take_adoption(struct closed_trades *trades, const struct journal_row *row,
                          const cJSON *body) {
    struct qty qty = {0};
    struct open_trip *trip = find(trades, row->key);
    if (json_qty(body, "qty", &qty, NULL) != ERR_OK) {
        return;
    }
    trip = trip == NULL ? begin(trades, row->key) : trip;
    if (trip == NULL) {
        return;
    }
    trip->held = qty;
    trip->is_unpriced = true;
    MUTATE(adopted_trades_counted, trip->is_unpriced = false);
    if (qty.nanos == 0) { /* below zero it lasts until it is bought back */
        end(trades, trip, row);
    }
}

/* A short position, taken over at a price of no fill. */
static void take_short(struct closed_trades *trades, const struct journal_row *row,
                       const cJSON *body) {
    struct qty by = {0};
    struct open_trip *trip = find(trades, row->key);
    trip = trip == NULL ? begin(trades, row->key) : trip;
    if (trip != NULL && json_qty(body, "by", &by, NULL) == ERR_OK) {
        trip->held = qty_add(trip->held, by);
        trip->is_unpriced = true;
        if (trip->held.nanos == 0) {
            end(trades, trip, row);
        }
    }
}

/* The same trade in other shares; of what was paid out whole no fill says the price. */
static void take_split(struct closed_trades *trades, const struct journal_row *row,
                       const cJSON *body) {
    struct qty qty = {0};
    struct open_trip *trip = find(trades, row->key);
    if (trip != NULL && json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        trip->held = qty;
        if (qty.nanos == 0) {
            trip->is_unpriced = true;
            end(trades, trip, row);
        }
    }
}

/* What was given is no trade of ours, and what it took along of its source's cost no loss of that one. */
static void take_spin_off(struct closed_trades *trades, const struct journal_row *row,
                          const cJSON *body) {
    struct usd moved = {0};
    const char *source = "";
    take_adoption(trades, row, body);
    MUTATE(spin_is_a_loss, return);
    if (json_usd(body, "moved", &moved, NULL) == ERR_OK &&
        json_string(body, "source", &source, NULL) == ERR_OK) {
        struct open_trip *trip = find(trades, source);
        if (trip != NULL) {
            trip->bought = usd_sub(trip->bought, moved);
        }
    }
}

void closed_trades_take(struct closed_trades *trades, const struct journal_row *row) {
    static const struct {
        const char *kind;
        void (*take)(struct closed_trades *trades, const struct journal_row *row,
                     const cJSON *body);
    } takes[] = {{"fill", take_fill},
                 {"adopt", take_adoption},
                 {"short", take_short},
                 {"split", take_split},
                 {"spin", take_spin_off}};
    cJSON *body = NULL;
    size_t i = 0;
    while (i < sizeof takes / sizeof takes[0] && strcmp(row->kind, takes[i].kind) != 0) {
        i++;
    }
    if (i == sizeof takes / sizeof takes[0] || row->seq <= trades->taken) {
        return;
    }
    trades->taken = row->seq;
    if (json_parse(row->body, strlen(row->body), &body, NULL) != ERR_OK) {
        return; /* book_fold() refuses a journal that holds such a row */
    }
    takes[i].take(trades, row, body);
    cJSON_Delete(body);
}
