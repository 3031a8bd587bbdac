/* spin_offs.c - step 3: asks the broker why he holds for us what nobody ordered.
 *
 * Brokers give the shares of a spin-off in the night, and tell of it by an activity that may come later. What a listing
 * shows above the book, with no order of ours in it that may have bought it, is asked about at once, and again each
 * minute while the answers do not explain it. It waits for an answer while the market is closed; for the announcements
 * of the day, which link it, at any time; and, where the feed announced a spin-off of what is held, for the row itself:
 * as long as a split that is awaited. Then it is one that nothing explains. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

static const struct span AGAIN = {INT64_C(60000000000)};

static struct date today(const struct engine *engine) {
    return ny_date(clock_utc(engine->world->clock));
}

/* A resting sale, as each stop that protects is, gives nothing. */
static bool may_order_give(const struct engine *engine, const char *symbol) {
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        bool is_known = order->is_seen && order->state == ORDER_WORKING && !order->is_ended;
        if (!order_is_over(order) && strcmp(order->symbol, symbol) == 0 &&
            (order->side == SIDE_BUY || !is_known)) {
            return true;
        }
    }
    return false;
}

void spin_offs_note(struct engine *engine, const struct broker_position *listing, size_t count) {
    for (size_t i = 0; i < engine->book.count; i++) {
        engine->book.items[i].spin_gain = (struct qty){0};
    }
    for (size_t i = 0; i < count; i++) {
        struct holding *holding = book_get(&engine->book, listing[i].symbol);
        if (holding != NULL && listing[i].qty.nanos > holding->qty.nanos &&
            holding->qty.nanos >= 0 && !may_order_give(engine, holding->symbol)) {
            holding->spin_gain = qty_sub(listing[i].qty, holding->qty);
        }
    }
}

static bool is_gain(const struct holding *holding) {
    return holding->unlike_since.ns != 0 && holding->spin_gain.nanos > 0;
}

/* By both: the activities since it began, and what the feed announces on this day. */
static bool is_answered(const struct engine *engine, const struct holding *holding) {
    return engine->spin_reads.answered_at.ns >= holding->unlike_since.ns &&
           engine->universe_reads.acted_for.days == today(engine).days;
}

bool spin_off_waits(const struct engine *engine, const struct holding *holding) {
    MUTATE(spin_not_awaited, return false);
    if (!is_gain(holding)) {
        return false;
    }
    bool is_late = holding->is_spin_announced && !holding->is_spin_due;
    bool is_unlinked = holding->is_spin_due && holding->spin.source[0] == '\0' &&
                       engine->universe_reads.acted_for.days != today(engine).days;
    return is_late || is_unlinked || (!engine->truth.is_open && !is_answered(engine, holding));
}

static bool is_wanted(const struct engine *engine) {
    const struct spin_reads *reads = &engine->spin_reads;
    bool is_young = reads->asked_at.ns != 0 &&
                    mono_sub(clock_mono(engine->world->clock), reads->asked_at).ns < AGAIN.ns;
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        if (is_gain(holding) && (!is_young || reads->asked_at.ns < holding->unlike_since.ns)) {
            return true;
        }
    }
    return false;
}

static void read_rows(struct engine *engine) {
    struct broker_activity rows[SPIN_ROWS_MAX];
    size_t count = 0;
    struct utc since = ny_to_utc(date_add(today(engine), -SPIN_DUE_DAYS), 0, 0);
    engine->spin_reads.asked_at = clock_mono(engine->world->clock);
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
    enum err_code code =
        alpaca_get_activities(engine->alpaca, since, "SPIN", rows, SPIN_ROWS_MAX, &count, NULL);
    note_backoff(engine, &engine->spin_reads.backoff, code);
    if (code == ERR_OK) {
        engine->spin_reads.answered_at = clock_mono(engine->world->clock);
        for (size_t i = 0; i < count; i++) {
            spin_offs_take(&engine->spin_offs, &rows[i]);
        }
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
}

static void read_announcements(struct engine *engine) {
    struct universe_reads *reads = &engine->universe_reads;
    if (reads->acted_for.days != today(engine).days && engine->truth.session.open.ns != 0 &&
        may_ask_aside(engine, &reads->actions, "actions")) {
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
        (void)read_actions(engine);
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    }
}

void spin_offs_look(struct engine *engine) {
    if (is_wanted(engine)) {
        read_announcements(engine);
        if (may_ask_aside(engine, &engine->spin_reads.backoff, "activities")) {
            read_rows(engine);
        }
    }
    spin_offs_mark(&engine->spin_offs, &engine->book, today(engine));
}

static void tell(struct engine *engine, const struct holding *holding) {
    struct text numbers = {.limit = 256};
    text_member_decimal(&numbers, "was", holding->healed_from.nanos);
    text_member_decimal(&numbers, "is", holding->qty.nanos);
    log_mechanism(&engine->log, "reconciliation", "explained", holding->symbol, "spin_off",
                  text_get(&numbers));
    text_release(&numbers);
    log_alert(&engine->log, ALERT_WARN, "position_spun_off", holding->symbol);
    if (holding->is_spin_unlinked) {
        log_alert(&engine->log, ALERT_WARN, "spin_off_unlinked", holding->symbol);
    }
}

/* A stop that rests in the source stays: it was placed for a share that was worth more, so it is tighter than one that
 * is placed now, and to cancel it would leave the source bare. */
void spin_offs_follow(struct engine *engine) {
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        if (holding->is_spun || holding->is_healed) {
            struct date day = today(engine);
            bool is_later = holding->is_spun && holding->spin.day.days > day.days;
            spin_offs_end(&engine->spin_offs, holding->symbol, is_later ? holding->spin.day : day);
        }
        if (holding->is_spun) {
            tell(engine, holding);
        }
    }
}
