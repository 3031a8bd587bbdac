/* trades.c - adds rows, or executions, up to round trips: the judges' own sum. */
#include "replay/oracle/trades.h"

#include "replay/oracle/scene.h"

#include <string.h>

struct trades trades_none(void) {
    return (struct trades){.trips = table_of(sizeof(struct trip))};
}

void trades_release(struct trades *trades) {
    table_release(&trades->trips);
}

static void forget(struct trip *trip) {
    char symbol[TABLE_NAME_MAX];
    memcpy(symbol, trip->symbol, sizeof symbol);
    *trip = (struct trip){0};
    memcpy(trip->symbol, symbol, sizeof trip->symbol);
}

void trades_fill(struct trades *trades, const char *symbol, const char *entry, bool is_buy,
                 struct qty qty, struct usd amount) {
    struct trip *trip = table_get(&trades->trips, symbol);
    if (!trip->is_open && !is_buy) {
        return;
    }
    if (!trip->is_open) {
        (void)!text_copy(trip->entry, sizeof trip->entry, entry, NULL);
    }
    trip->is_open = true;
    trip->held = is_buy ? qty_add(trip->held, qty) : qty_sub(trip->held, qty);
    struct usd *sum = is_buy ? &trip->bought : &trip->sold;
    *sum = usd_add(*sum, amount);
    if (trip->held.nanos > 0 || (is_buy && trip->held.nanos != 0)) {
        return;
    }
    if (!trip->is_unpriced && trip->held.nanos == 0) {
        trades->profits[trades->count++ % TRADES_KEPT] = usd_sub(trip->sold, trip->bought);
        trades->newest = *trip;
    }
    forget(trip);
}

static void adopt(struct trades *trades, const char *symbol, struct qty qty) {
    struct trip *trip = table_get(&trades->trips, symbol);
    trip->is_open = trip->is_unpriced = qty.nanos != 0; /* below zero until it is bought back */
    trip->held = qty;
    if (!trip->is_open) {
        forget(trip);
    }
}

/* What was short is taken over, and bought back: no trade. */
static void take_short(struct trades *trades, const char *symbol, struct qty by) {
    struct trip *trip = table_get(&trades->trips, symbol);
    adopt(trades, symbol, qty_add(trip->held, by));
}

void trades_resize(struct trades *trades, const char *symbol, struct qty qty) {
    struct trip *trip = table_get(&trades->trips, symbol);
    if (trip->is_open && qty.nanos <= 0) {
        adopt(trades, symbol, (struct qty){0});
    } else if (trip->is_open) {
        trip->held = qty;
    }
}

void trades_spin_off(struct trades *trades, const char *symbol, struct qty qty, const char *source,
                     struct usd moved) {
    struct trip *from = table_find(&trades->trips, source);
    if (from != NULL && from->is_open) {
        from->bought = usd_sub(from->bought, moved);
    }
    adopt(trades, symbol, qty);
}

static void take_spin_off(struct trades *trades, const char *symbol, const cJSON *body) {
    struct qty qty = {0};
    struct usd moved = {0};
    const char *source = "";
    if (json_qty(body, "qty", &qty, NULL) == ERR_OK &&
        json_usd(body, "moved", &moved, NULL) == ERR_OK &&
        json_string(body, "source", &source, NULL) == ERR_OK) {
        trades_spin_off(trades, symbol, qty, source, moved);
    }
}

static void take_fill(struct trades *trades, const char *id, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    struct usd amount = {0};
    if (json_string(body, "symbol", &symbol, NULL) == ERR_OK &&
        json_string(body, "side", &side, NULL) == ERR_OK &&
        json_qty(body, "qty", &qty, NULL) == ERR_OK &&
        json_usd(body, "amount", &amount, NULL) == ERR_OK) {
        trades_fill(trades, symbol, id, is_word(side, "buy"), qty, amount);
    }
}

void trades_take_row(struct trades *trades, const struct event *event, const struct scene *scene) {
    struct qty qty = {0};
    bool is_fill = is_word(event->subject, "fill"), is_short = is_word(event->subject, "short");
    bool is_adopt = is_word(event->subject, "adopt"), is_split = is_word(event->subject, "split");
    bool is_spin = is_word(event->subject, "spin");
    bool is_told = is_fill || is_short || is_adopt || is_split || is_spin;
    const cJSON *body = is_told ? scene_body(scene, event) : NULL;
    if (is_fill) {
        take_fill(trades, event->id, body);
    } else if (is_short && json_qty(body, "by", &qty, NULL) == ERR_OK) {
        take_short(trades, event->id, qty);
    } else if (is_adopt && json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        adopt(trades, event->id, qty);
    } else if (is_split && json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        trades_resize(trades, event->id, qty);
    } else if (is_spin) {
        take_spin_off(trades, event->id, body);
    }
}

struct usd trades_profit(const struct trades *trades, int64_t newest) {
    struct usd sum = {0};
    for (int64_t i = 1; i <= newest; i++) {
        sum = usd_add(sum, trades->profits[(trades->count - i) % TRADES_KEPT]);
    }
    return sum;
}
