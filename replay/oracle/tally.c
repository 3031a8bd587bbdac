/* tally.c - folds rows of fills and of what was taken over. */
#include "replay/oracle/tally.h"

void tally_forget_trips(struct table *tallies) {
    for (size_t i = 0; i < tallies->count; i++) {
        struct tally *tally = table_at(tallies, i);
        tally->trips = 0;
        tally->ended = (struct utc){0};
    }
}

static const struct tally *take_fill(struct table *tallies, struct utc at, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    (void)!json_string(body, "symbol", &symbol, NULL);
    (void)!json_string(body, "side", &side, NULL);
    (void)!json_qty(body, "qty", &qty, NULL);
    struct tally *tally = table_get(tallies, symbol);
    bool was_held = tally->held.nanos > 0;
    tally->held = is_word(side, "buy") ? qty_add(tally->held, qty) : qty_sub(tally->held, qty);
    if (!was_held || tally->held.nanos > 0) {
        return NULL;
    }
    tally->held = (struct qty){0};
    tally->trips++;
    tally->ended = at;
    return tally;
}

const struct tally *tally_take(struct table *tallies, const struct event *event,
                               const cJSON *body) {
    if (is_word(event->subject, "fill")) {
        return take_fill(tallies, event->at, body);
    }
    if (is_word(event->subject, "adopt") || is_word(event->subject, "split") ||
        is_word(event->subject, "spin")) {
        struct tally *tally = table_get(tallies, event->id);
        (void)!json_qty(body, "qty", &tally->held, NULL);
    } else if (is_word(event->subject, "short")) {
        struct tally *tally = table_get(tallies, event->id);
        struct qty by = {0};
        (void)!json_qty(body, "by", &by, NULL);
        tally->held = qty_add(tally->held, by);
    }
    return NULL;
}
