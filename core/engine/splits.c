/* splits.c - step 3: asks for corporate actions where a position of another day is at stake.
 *
 * Brokers split a position in the night. The announcements are read once on each New York day on which such a position
 * is held, before a listing of it is believed, and again each minute while its quantity differs. Until they have come
 * since it began a difference waits, two minutes at most, or a quarter of an hour while the market is closed and ticks
 * are five minutes apart: then it is one that nothing explains. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

static const struct span AGAIN = {INT64_C(60000000000)};
static const struct span AWAITED = {INT64_C(120000000000)};
static const struct span AWAITED_CLOSED = {INT64_C(900000000000)};
static const struct span HELD_OUT = {INT64_C(600000000000)};

static struct date today(const struct engine *engine) {
    return ny_date(clock_utc(engine->world->clock));
}

static bool is_of_another_day(const struct engine *engine, const struct holding *holding) {
    return holding->qty.nanos > 0 && holding->entered_at.ns != 0 &&
           ny_date(holding->entered_at).days < today(engine).days;
}

static struct qty listed_qty(const struct broker_position *listing, size_t count,
                             const char *symbol) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(listing[i].symbol, symbol) == 0) {
            return listing[i].qty;
        }
    }
    return (struct qty){0};
}

/* A difference begins with the first listing that shows one. */
static void time_differences(struct engine *engine, const struct broker_position *listing,
                             size_t count) {
    for (size_t i = 0; i < engine->book.count; i++) {
        struct holding *holding = &engine->book.items[i];
        bool differs = listed_qty(listing, count, holding->symbol).nanos != holding->qty.nanos;
        if (!differs) {
            holding->unlike_since = (struct mono){0};
        } else if (holding->unlike_since.ns == 0) {
            holding->unlike_since = clock_mono(engine->world->clock);
        }
    }
}

static bool is_wanted(const struct engine *engine) {
    const struct universe_reads *reads = &engine->universe_reads;
    struct mono now = clock_mono(engine->world->clock);
    bool is_read = reads->acted_for.days == today(engine).days;
    bool is_young = reads->acted_at.ns != 0 && mono_sub(now, reads->acted_at).ns < AGAIN.ns;
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        bool is_news = holding->unlike_since.ns != 0 &&
                       (!is_young || reads->acted_at.ns < holding->unlike_since.ns);
        if (is_of_another_day(engine, holding) && (!is_read || is_news)) {
            return true;
        }
    }
    return false;
}

static struct mono since_when(const struct engine *engine, bool waits, struct mono since) {
    since = since.ns == 0 ? clock_mono(engine->world->clock) : since;
    return waits ? since : (struct mono){0};
}

/* An answer of before the difference says nothing of it, though it is of the same day. */
static void await(struct engine *engine) {
    const struct universe_reads *reads = &engine->universe_reads;
    bool is_read = reads->acted_for.days == today(engine).days;
    for (size_t i = 0; i < engine->book.count; i++) {
        struct holding *holding = &engine->book.items[i];
        bool is_answered = is_read && reads->answered_at.ns >= holding->unlike_since.ns;
        bool waits =
            holding->unlike_since.ns != 0 && is_of_another_day(engine, holding) && !is_answered;
        holding->awaited_since = since_when(engine, waits, holding->awaited_since);
        holding->spin_awaited_since =
            since_when(engine, spin_off_waits(engine, holding), holding->spin_awaited_since);
    }
}

void splits_look(struct engine *engine, const struct broker_position *listing, size_t count) {
    struct universe_reads *reads = &engine->universe_reads;
    struct mono now = clock_mono(engine->world->clock);
    spin_offs_note(engine, listing, count);
    time_differences(engine, listing, count);
    if (engine->truth.session.open.ns != 0 && is_wanted(engine) &&
        may_ask_aside(engine, &reads->actions, "actions")) {
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
        reads->acted_at = now;
        (void)read_actions(engine);
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    }
    spin_offs_look(engine);
    await(engine);
    splits_mark(&engine->splits, &engine->book, today(engine));
    splits_time(engine);
}

/* A split that is due holds prices of new shares out until the book takes it, but no longer: the broker may be days
 * late, and meanwhile something has to look at the price. */
static void time_new_price(struct engine *engine, struct holding *holding, struct mono now) {
    bool is_old_price = holding->has_mark && !holding->is_new_price && !holding->is_split_overdue;
    if (!holding->is_split_due || is_old_price) {
        holding->new_price_since = (struct mono){0};
        holding->is_split_overdue = false;
        return;
    }
    if (holding->new_price_since.ns == 0 && holding->is_new_price && engine->truth.is_open) {
        holding->new_price_since = now;
    }
    bool is_over = holding->new_price_since.ns != 0 &&
                   mono_sub(now, holding->new_price_since).ns >= HELD_OUT.ns;
    if (is_over && !holding->is_split_overdue) {
        log_alert(&engine->log, ALERT_PAGE, "split_overdue", holding->symbol);
    }
    holding->is_split_overdue = is_over;
}

void splits_time(struct engine *engine) {
    struct mono now = clock_mono(engine->world->clock);
    struct span most = engine->truth.is_open ? AWAITED : AWAITED_CLOSED;
    for (size_t i = 0; i < engine->book.count; i++) {
        struct holding *holding = &engine->book.items[i];
        holding->is_split_awaited =
            holding->awaited_since.ns != 0 && mono_sub(now, holding->awaited_since).ns < most.ns;
        MUTATE(split_not_awaited, holding->is_split_awaited = false);
        holding->is_spin_awaited = holding->spin_awaited_since.ns != 0 &&
                                   mono_sub(now, holding->spin_awaited_since).ns < most.ns;
        time_new_price(engine, holding, now);
    }
}

static void tell(struct engine *engine, const struct holding *holding) {
    struct text numbers = {.limit = 256};
    text_member_decimal(&numbers, "was", holding->healed_from.nanos);
    text_member_decimal(&numbers, "is", holding->qty.nanos);
    log_mechanism(&engine->log, "reconciliation", "explained", holding->symbol, "split",
                  text_get(&numbers));
    text_release(&numbers);
    log_alert(&engine->log, ALERT_WARN, "position_split", holding->symbol);
}

void splits_follow(struct engine *engine) {
    for (size_t i = 0; i < engine->book.count; i++) {
        if (engine->book.items[i].is_split) {
            const struct holding *holding = &engine->book.items[i];
            exits_split(&engine->exits, holding->symbol, holding->healed_from, holding->qty);
            orders_split(&engine->orders, holding->symbol);
            tell(engine, holding);
        }
    }
}
