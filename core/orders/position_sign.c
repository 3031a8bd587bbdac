/* position_sign.c - a position below zero fires the kill switch and is bought back. */
#include "core/orders/position_sign.h"

#include "core/base/mutant.h"
#include "core/orders/exit_execution.h"

#include <stdio.h>
#include <string.h>

/* A listing may lag behind a fill of ours for this long: what differs from the book then is no surprise yet. */
static const struct span LISTING_LAGS = {INT64_C(15000000000)};

void position_sign_latch(struct causes *causes, const char *symbol, struct qty qty) {
    char is[DECIMAL_TEXT_MAX];
    char why[96];
    MUTATE(wrong_side_ignored, return);
    decimal_print(qty.nanos, is);
    (void)snprintf(why, sizeof why, "%s: %s shares in a long-only book", symbol, is);
    if (!causes_has(causes, POSITION_SIGN_CAUSE)) {
        causes_latch(causes, POSITION_SIGN_CAUSE, MODE_REDUCE_ONLY, "core", why);
    }
    log_alert(causes->log, ALERT_PAGE, "position_short", symbol);
}

static void reread(struct gateway *gateway, struct holding *holding) {
    struct broker_position position = {0};
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_EXIT);
    enum err_code code = alpaca_get_position(gateway->alpaca, holding->symbol, &position, NULL);
    alpaca_set_lane(gateway->alpaca, ALPACA_LANE_CORE);
    holding->reread_at = (struct mono){0};
    if (code == ERR_OK || code == ERR_NOT_FOUND) {
        holding->reread_at = clock_mono(gateway->world->clock);
        holding->reread_qty = position.qty;
    }
}

bool position_sign_agrees(struct gateway *gateway, struct holding *holding) {
    MUTATE(short_believed_on_one_listing, return true);
    if (!holding_is_reread(holding, clock_mono(gateway->world->clock))) {
        reread(gateway, holding);
    }
    return holding->reread_at.ns != 0 && holding->reread_qty.nanos < 0;
}

void position_sign_step(struct gateway *gateway, struct exits *exits) {
    if (!gateway->config->position_sign) {
        return;
    }
    for (size_t i = 0; i < gateway->book->count; i++) {
        struct holding *holding = &gateway->book->items[i];
        MUTATE(wrong_side_off_by_one, if (holding->broker_qty.nanos >= -NANOS) continue);
        if (!holding->is_listed || holding->broker_qty.nanos >= 0) {
            holding->is_short_told = false;
            continue;
        }
        if (!holding->is_short_told || !causes_has(gateway->causes, POSITION_SIGN_CAUSE)) {
            holding->is_short_told = true;
            position_sign_latch(gateway->causes, holding->symbol, holding->broker_qty);
        }
        MUTATE(short_left_open, continue);
        /* what was bought since that listing may have ended it */
        if (!holding->is_ahead &&
            (exits_is_cover(exits, holding->symbol) || position_sign_agrees(gateway, holding))) {
            exits_decide(exits, holding, PURPOSE_EXIT, (struct qty){0}, POSITION_SIGN_CAUSE);
        }
    }
}

/* Not the fills of ours that a listing lacks, nor an order that may fill meanwhile. */
static bool may_take_over(const struct gateway *gateway, const struct holding *holding) {
    struct mono now = clock_mono(gateway->world->clock);
    bool is_timed = holding->filled_at.ns == 0 || holding->fill_timed.ns == holding->filled_at.ns;
    return is_timed && mono_sub(now, holding->quiet_since).ns >= LISTING_LAGS.ns &&
           !orders_any_live(gateway->orders, holding->symbol);
}

bool position_sign_confirm(struct gateway *gateway, struct holding *holding) {
    reread(gateway, holding);
    if (holding->reread_at.ns == 0 || holding->reread_qty.nanos >= 0) {
        return false;
    }
    bool is_equal = holding->reread_qty.nanos == holding->broker_qty.nanos;
    MUTATE(short_taken_on_one_word, is_equal = true);
    if (holding->qty.nanos != holding->broker_qty.nanos && is_equal &&
        may_take_over(gateway, holding)) {
        book_take_short(holding);
        book_note_shorts(gateway->book, gateway->journal);
    }
    return holding_coverable(holding, clock_mono(gateway->world->clock)).nanos > 0;
}
