/* cycle.c - the story of one tick and one cycle, from top to bottom.
 *
 * Exits come before entries; what goes wrong in one step is a mode, never an end of the tick. A short
 * tick (each second while an exit, a cancel, an unknown order or a kill is open) does steps 2, 4, 6. */
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/orders/displacement.h"
#include "core/orders/exit_rules.h"
#include "core/orders/group_limits.h"
#include "core/orders/maker_execution.h"
#include "core/orders/position_sign.h"
#include "core/orders/protective_stops.h"
#include "core/orders/stuck_orders.h"
#include "core/orders/validation.h"

#include <stdio.h>
#include <string.h>

static const struct span TICK_SLOW = {INT64_C(20000000000)};
static const struct span TICK_LATE = {
    INT64_C(3000000000)}; /* as a rung of an exit's ladder lasts */

/* A journal that works again ends nothing: its latch is an operator's. One that takes no fill now and did
 * not a tick ago is lost, whether something is to be sent or not. */
static void try_journal(struct engine *engine) {
    book_note_shorts(&engine->book, engine->gateway.is_journal_down ? NULL : engine->journal);
    if (!engine->gateway.is_journal_down) {
        if (orders_are_behind(&engine->orders)) {
            orders_renote(&engine->orders);
        }
        if (orders_are_behind(&engine->orders)) {
            gateway_lose_journal(&engine->gateway, "the journal does not take a fill");
        }
    } else if (journal_append(engine->journal, "probe", "", "{}", NULL, NULL) == ERR_OK &&
               journal_commit(engine->journal, NULL) == ERR_OK) {
        engine->gateway.is_journal_down = false;
        causes_renote(&engine->causes);
        orders_renote(&engine->orders);
    }
}

/* Step 1: documents and journal. */
static void verify_state(struct engine *engine) {
    alpaca_nest_legs(engine->alpaca, engine->config->stops_oco || orders_have_oco(&engine->orders));
    causes_verify(&engine->causes);
    struct err err = {0};
    if (engine->lease != NULL && engine_keep(engine, &err) == ERR_LOCKED) {
        causes_latch(&engine->causes, "lease_lost", MODE_HALT, "core", err.text);
    }
    try_journal(engine);
}

static bool has_failed(enum err_code save) {
    return save != ERR_OK && save != ERR_LOCKED; /* a lock is another's, who hangs or copies */
}

/* Why this tick could not keep what the core must remember; NULL if it could. What a broker, or a symbol,
 * did not say is no such reason; nor is a lease that went to another. */
static const char *tick_failure(struct engine *engine, bool is_committed) {
    MUTATE(outage_fails_ticks, if (engine->degraded.is_on) return "the broker does not answer");
    if (lease_is_lost(engine->lease)) {
        return NULL;
    }
    return engine->gateway.is_journal_down || !is_committed  ? "the journal takes no row"
           : has_failed(engine->causes.saved)                ? "the freezes cannot be saved"
           : has_failed(engine->metadata_save)               ? "the positions cannot be saved"
           : causes_has(&engine->causes, "inbox_unreadable") ? "the inbox cannot be read"
                                                             : NULL;
}

/* A cancel that stays unconfirmed for a minute is looked at by the full ticks alone. */
static bool has_unknown(const struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        if (order->state == ORDER_UNKNOWN ||
            (order->cancel_at.ns != 0 && utc_sub(now, order->cancel_at).ns < SPAN_MIN(1).ns)) {
            return true;
        }
    }
    return false;
}

enum { KILL_NAMES = 6 }; /* of orders in a page */

/* A person must know what may still be bought. */
static void page_kill(struct engine *engine) {
    struct text live = {.limit = 512};
    int count = 0;
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        bool is_live = order->side == SIDE_BUY && !order_is_over(order) &&
                       !gateway_is_cover(&engine->gateway, order);
        if (is_live && count < KILL_NAMES) {
            text_add_format(&live, "%s%s", count > 0 ? " " : "may be live: ", order->client_id);
        }
        count += is_live;
    }
    if (count > KILL_NAMES) {
        text_add_format(&live, " and %d more", count - KILL_NAMES);
    }
    log_alert(&engine->log, ALERT_PAGE, "kill_firing",
              count > 0 ? text_get(&live) : "the broker does not show that nothing is live");
    text_release(&live);
}

/* However long it takes: an order of unknown fate, or a cancel that nobody confirmed. */
static bool has_unsettled(const struct engine *engine) {
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        if (!order_is_over(order) && (order->state == ORDER_UNKNOWN || order->cancel_at.ns != 0)) {
            return true;
        }
    }
    return false;
}

/* Behind what asked and cancelled. */
static void judge_kill(struct engine *engine, bool is_full, bool is_clear) {
    struct kill_look look = {.day = engine_day(engine),
                             .is_full = is_full,
                             .is_truth_clean = engine->is_truth_clean,
                             .listed_at = engine->truth.orders_at,
                             .is_clear = is_clear && engine->listed_buys == 0,
                             .has_unknown = has_unsettled(engine),
                             .is_state_kept =
                                 !engine->gateway.is_journal_down && engine->causes.saved == ERR_OK,
                             .broker = truth_broker_time(&engine->truth)};
    if (is_full) {
        kill_trips_step(&engine->kill_trips, &engine->causes, engine->config,
                        engine->is_truth_clean, is_elsewhere(engine));
    }
    kill_switch_step(&engine->kill, &engine->causes, engine->config, &look);
    if (kill_switch_page_is_due(&engine->kill, clock_mono(engine->world->clock))) {
        page_kill(engine);
    }
}

/* In HALT nothing is sent, so positions are what a person must look after: told again and again. */
static void page_halt(struct engine *engine) {
    const struct holding *held = NULL;
    for (size_t i = 0; held == NULL && i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        held = holding->qty.nanos != 0 || holding->broker_qty.nanos != 0 ? holding : NULL;
    }
    struct utc now = clock_utc(engine->world->clock);
    if (held == NULL || causes_mode(&engine->causes) != MODE_HALT) {
        engine->halt_paged_at = (struct utc){0};
    } else if (utc_elapsed(&engine->halt_paged_at, now).ns >= SPAN_MIN(5).ns) {
        engine->halt_paged_at = now;
        log_alert(&engine->log, ALERT_PAGE, "halted_with_position", held->symbol);
    }
}

/* A disk that takes its time, or a process that stood still: nothing was watched meanwhile. */
static void heed_slow_tick(struct engine *engine, struct mono began) {
    char why[64];
    struct mono now = clock_mono(engine->world->clock);
    struct span took = mono_sub(now, began);
    if (took.ns >= TICK_LATE.ns) {
        engine->is_late = true;
        engine->late_at = now;
    }
    if (took.ns >= TICK_SLOW.ns) {
        snprintf(why, sizeof why, "a tick took %lld s", (long long)(took.ns / NANOS));
        log_alert(&engine->log, ALERT_PAGE, "tick_slow", why);
    }
}

/* Journals a high that rose by a quarter percent since it was last noted. */
static void raise_high(struct engine *engine, struct holding *holding) {
    if (!holding->has_mark || usd_cmp(holding->mark, holding->high_water) <= 0) {
        return;
    }
    holding->high_water = holding->mark;
    struct usd step = {holding->high_noted.nanos + holding->high_noted.nanos / 400};
    if (usd_cmp(holding->high_water, step) >= 0 && engine->journal != NULL &&
        book_note(engine->journal, holding, NULL) == ERR_OK &&
        journal_commit(engine->journal, NULL) == ERR_OK) {
        holding->high_noted = holding->high_water;
    }
}

static void hit_target(struct engine *engine, struct holding *holding, unsigned bits) {
    holding->targets_hit |= bits;
    if (engine->journal != NULL && book_note(engine->journal, holding, NULL) == ERR_OK) {
        (void)!journal_commit(engine->journal, NULL);
    }
}

/* The rules beside the score's decay go on without one. */
static void decide_exit(struct engine *engine, struct holding *holding) {
    int index = universe_find(engine->config, holding->symbol);
    struct score score = {0};
    if (engine->is_cycle && index >= 0) {
        (void)score_by_bars(engine, (size_t)index, &score);
    }
    MUTATE(exit_bound_by_learning, score.value = score.learned);
    struct exit_wish wish = exit_rules(holding, engine->config, clock_utc(engine->world->clock),
                                       score.is_known, score.value);
    if (!wish.is_wished) {
        return;
    }
    if (wish.target != 0) {
        hit_target(engine, holding, wish.target);
    }
    if (wish.is_part && wish.qty.nanos > 0) {
        exits_decide(&engine->exits, holding, PURPOSE_SCALE_OUT, wish.qty, wish.reason);
    } else if (!wish.is_part) {
        exits_decide(&engine->exits, holding, PURPOSE_EXIT, (struct qty){0}, wish.reason);
    }
}

/* Step 6, decisions: only in an open market, on trusted marks but for the time rule. */
static void decide_exits(struct engine *engine) {
    if (!engine->truth.has_clock || !engine->truth.clock.is_open) {
        return;
    }
    for (size_t i = 0; i < engine->book.count; i++) {
        struct holding *holding = &engine->book.items[i];
        raise_high(engine, holding);
        if (holding->qty.nanos > 0 && exits_find(&engine->exits, holding->symbol) == NULL) {
            decide_exit(engine, holding);
        }
    }
}

/* Entries that waited long enough, or that the mode forbids, are cancelled and asked for. */
static bool tend_entries(struct engine *engine) {
    struct gateway *gateway = &engine->gateway;
    if (causes_mode(&engine->causes) >= MODE_REDUCE_ONLY || engine->is_stopping ||
        gateway->only_reduces) {
        return gateway_cancel_entries(gateway);
    }
    maker_tend(gateway);
    return true;
}

struct candidates { /* one for each symbol of the universe */
    struct score scores[CONFIG_SYMBOLS_MAX];
    enum score_ground grounds[CONFIG_SYMBOLS_MAX]; /* what its score rests on */
    bool is_taken[CONFIG_SYMBOLS_MAX];
};

struct order entry_of(const struct engine *engine, size_t index, const struct score *score,
                      enum score_ground ground) {
    static const char *const reasons[] = {"signal", "signal_filled", "signal_kept"};
    struct order intent = {.side = SIDE_BUY,
                           .type = ORDER_LIMIT,
                           .tif = TIF_DAY,
                           .purpose = PURPOSE_ENTRY,
                           .score = ground == GROUND_BARS ? score->value : (struct ratio){0}};
    MUTATE(exit_by_the_cache, intent.score = score->value);
    strcpy(intent.symbol, engine->config->symbols[index]);
    strcpy(intent.reason, reasons[ground]);
    if (engine->config->learning_on) {
        memcpy(intent.parts, score->parts, sizeof intent.parts);
        intent.part_count = score->part_count;
    }
    return intent;
}

/* A position gives way to no score of the cache, and to none that was only learned: that would be an exit. */
static void try_entry(struct engine *engine, size_t index, const struct candidates *candidates) {
    struct gateway *gateway = &engine->gateway;
    const struct broker_quote *quote = &engine->truth.quotes[index];
    if (!quote->is_known || quote->ask.nanos <= 0) {
        return;
    }
    struct usd price = usd_sub(quote->ask, usd_scale(quote->ask, engine->config->entry_offset));
    price = usd_floor(price, price_tick(price));
    enum score_ground ground = candidates->grounds[index];
    struct order intent = entry_of(engine, index, &candidates->scores[index], ground);
    intent.limit_price = price;
    intent.qty = entry_size(gateway, price);
    maker_begin(gateway, &intent, quote);
    struct refusal refusal = {0};
    enum err_code sent = gateway_send(gateway, &intent, NULL, &refusal, NULL);
    if ((sent == ERR_OK || sent == ERR_UNKNOWN) && ground != GROUND_BARS) {
        log_mechanism(&engine->log, "signal_cache", "acted", intent.symbol, intent.reason, "");
    }
    if (sent == ERR_REFUSED) {
        struct entry_outlook *outlook = &engine->outlook;
        outlook->refused[refusal.code]++;
        outlook->last = refusal;
        memcpy(outlook->last_symbol, intent.symbol, sizeof outlook->last_symbol);
        outlook->last_at = clock_utc(engine->world->clock);
    }
    const struct score *score = &candidates->scores[index];
    bool may_displace = score_reaches(engine, score, score->value);
    MUTATE(learning_displaces, may_displace = true);
    if (refusal.code == REFUSED_MAX_POSITIONS && ground == GROUND_BARS && may_displace) {
        (void)displacement_consider(&engine->exits, &intent, candidates->scores);
    }
}

/* That scores are too old is told once until they are young again. */
static void tell_stale(struct engine *engine, size_t stale) {
    char numbers[64];
    snprintf(numbers, sizeof numbers, "\"why\":\"bars\",\"stale\":%zu", stale);
    if (stale > 0 && engine->outlook.stale == 0) {
        log_mechanism(&engine->log, "smart_poller", "held", "", "entries", numbers);
    }
    engine->outlook.stale = stale;
}

/* And for who asks why nothing is bought. */
static void score_all(struct engine *engine, struct candidates *candidates) {
    size_t stale = 0;
    strategy_weigh(engine->strategy, learning_guard_weights(&engine->learning, engine->config));
    engine->outlook.scored = engine->outlook.wanted = 0;
    for (size_t i = 0; i < engine->config->symbol_count; i++) {
        struct score *score = &candidates->scores[i];
        stale += score_for_entry(engine, i, score, &candidates->grounds[i]);
        bool is_wanted = score_suffices(engine, score);
        engine->outlook.scored += score->is_known;
        engine->outlook.wanted += is_wanted;
        learning_guard_count(&engine->learning, &engine->log, engine->config->symbols[i],
                             score_reaches(engine, score, score->value), is_wanted);
    }
    tell_stale(engine, stale);
}

/* What limits on exposure hold the next cycle's equity against: a sum that came in since buys nothing yet. */
static void note_good_equity(struct engine *engine) {
    MUTATE(good_equity_not_kept, return);
    if (engine->truth.has_account && engine->truth.is_equity_explained) {
        engine->truth.good_equity = engine->truth.account.equity;
    }
}

/* An exit at work takes a step each second, and an entry is two rows, each with a sync of its own: where a
 * tick took seconds within the last minute, entries wait until the exit is over. */
static bool is_exit_first(const struct engine *engine) {
    struct span since = mono_sub(clock_mono(engine->world->clock), engine->late_at);
    MUTATE(entry_before_an_exit, return false);
    return engine->is_late && since.ns < SPAN_MIN(1).ns && exits_are_urgent(&engine->exits);
}

/* The best scores first; each entry passes the gateway alone. */
static void enter(struct engine *engine) {
    const struct config *config = engine->config;
    struct candidates candidates = {0};
    const struct score *scores = candidates.scores;
    score_all(engine, &candidates);
    if (is_exit_first(engine)) {
        if (engine->outlook.wanted > 0) {
            log_mechanism(&engine->log, "exit_execution", "held", "", "entries", "");
        }
        return;
    }
    for (;;) {
        size_t best = config->symbol_count;
        for (size_t i = 0; i < config->symbol_count; i++) {
            bool is_wanted = !candidates.is_taken[i] && score_suffices(engine, &scores[i]);
            if (is_wanted &&
                (best == config->symbol_count ||
                 score_of_entry(&scores[i]).nanos > score_of_entry(&scores[best]).nanos)) {
                best = i;
            }
        }
        if (best == config->symbol_count) {
            return;
        }
        candidates.is_taken[best] = true;
        const struct holding *held = book_find(&engine->book, config->symbols[best]);
        bool is_stuck = stuck_orders_bind(&engine->gateway, config->symbols[best]);
        /* whose entry is stuck is asked for all the same: the refusal says why nothing is bought */
        bool is_worked = maker_plans_find(&engine->gateway.maker, config, config->symbols[best]) !=
                         NULL; /* another entry of the symbol */
        if (held == NULL && !is_worked &&
            (is_stuck || !orders_any_live(&engine->orders, config->symbols[best]))) {
            try_entry(engine, best, &candidates);
        }
    }
}

static bool is_drilled(const struct engine *engine) {
    MUTATE(drill_ignored, return true);
    return drill_is_done(engine);
}

static bool may_buy(const struct engine *engine) {
    return !engine->is_stopping && !engine->gateway.only_reduces && engine->truth.is_open &&
           !is_elsewhere(engine) && is_drilled(engine) &&
           causes_mode(&engine->causes) < MODE_REDUCE_ONLY;
}

/* Steps 8 and 9: what is worked already, then what is new. */
static void buy(struct engine *engine, bool is_full) {
    bool is_allowed = may_buy(engine);
    if (is_full) {
        maker_step(&engine->gateway, is_allowed && !is_exit_first(engine));
    }
    /* an answer that does not come is three seconds that an exit, or a bare position, would wait */
    bool is_hurried = is_in_a_hurry(engine);
    MUTATE(exit_behind_snapshots, is_hurried = false);
    signals_step(engine, is_allowed && !is_hurried);
    if (engine->is_cycle && is_allowed) {
        enter(engine);
    }
}

/* The next multiple of step on the absolute grid, later than now. */
static struct utc grid_after(struct utc now, struct span step) {
    return (struct utc){now.ns - now.ns % step.ns + step.ns};
}

struct span step_of(const struct engine *engine) {
    return engine->truth.is_open    ? engine->config->tick_open
           : engine->degraded.is_on ? engine->config->tick_closed
                                    : engine->config->tick_idle;
}

static void schedule(struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    engine->scheduled_at = now;
    MUTATE(set_back_wall_waited_for, engine->scheduled_at = (struct utc){0});
    bool is_urgent = exits_are_urgent(&engine->exits) || has_unknown(engine) ||
                     kill_switch_is_young(&engine->kill, clock_mono(engine->world->clock));
    engine->full_due = grid_after(now, step_of(engine));
    struct utc open = engine->truth.session.open;
    if (!engine->truth.is_open && open.ns > now.ns && open.ns < engine->full_due.ns) {
        engine->full_due = open;
    }
    engine->next_at = engine->full_due;
    MUTATE(real_clock_read, engine->next_at.ns += clock() % 1000);
    MUTATE(held_kill_stays_urgent, if (engine->kill.is_fired) engine->full_due = engine->next_at = grid_after(now, SPAN_S(1)));
    if (is_urgent) {
        struct utc soon = grid_after(now, SPAN_S(1));
        engine->next_at = soon.ns < engine->full_due.ns ? soon : engine->full_due;
    }
}

/* What was due by a wall that was set back since is due by the new one. */
static void heed_wall(struct engine *engine, struct utc now) {
    if (utc_is_before(now, engine->scheduled_at)) {
        engine->full_due = now;
        engine->cycle_due = utc_min(engine->cycle_due, grid_after(now, engine->config->cycle));
    }
}

/* Steps 4, 6 and 7; true if no live order could add risk. */
static bool tend_orders(struct engine *engine, bool is_full) {
    gateway_settle(&engine->gateway); /* 4 */
    gateway_look_back(&engine->gateway);
    if (is_full) {
        decide_exits(engine); /* 6 */
    }
    position_sign_step(&engine->gateway, &engine->exits);
    exits_step(&engine->exits);
    protective_stops_step(&engine->gateway, &engine->exits);
    return tend_entries(engine); /* 7 */
}

/* Behind the tick's commit: the day's fills are in. */
static void step_ramp(struct engine *engine) {
    const struct truth *truth = &engine->truth;
    const struct ramp_look look = {.wall = clock_utc(engine->world->clock),
                                   .broker = truth_broker_time(truth),
                                   .session = &truth->session,
                                   .is_open = truth->is_open && truth->clock.is_open,
                                   .is_truth_clean = engine->is_truth_clean};
    capital_ramp_step(&engine->gateway.ramp, &engine->causes, engine->config, &look);
}

/* What a lesson is made of. Not snapshots: where nothing wants one any more, none is asked for, and the last one that
 * failed would count as failing for as long as the process lives. */
static bool fail_prices(const struct engine *engine) {
    static const enum poll_line lines[] = {POLL_QUOTES, POLL_TRADES, POLL_BARS};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (engine->poller.backoffs[lines[i]].failures > 0) {
            return true;
        }
    }
    return false;
}

/* Why nothing that is known now may teach anything; NULL: it may. */
static const char *learning_fault(const struct engine *engine) {
    bool is_reducing = causes_mode(&engine->causes) >= MODE_REDUCE_ONLY;
    MUTATE(learning_while_latched, is_reducing = false);
    if (is_reducing) {
        return "a cause demands REDUCE_ONLY";
    }
    if (!engine->is_truth_clean) {
        return "the broker's truth did not come";
    }
    if (fail_prices(engine)) {
        return "quotes, trades or bars fail";
    }
    return orders_are_behind(&engine->orders) ? "the journal lacks a fill" : NULL;
}

/* Its row is a sync, which no exit waits for. */
static void step_learning(struct engine *engine) {
    const struct truth *truth = &engine->truth;
    const struct learning_look look = {.day = truth->day, .fault = learning_fault(engine)};
    if (truth->is_open && truth->has_clock && truth->clock.is_open && !is_elsewhere(engine) &&
        !engine->is_stopping && !engine->gateway.only_reduces && !is_exit_first(engine)) {
        learning_guard_step(&engine->learning, &engine->causes, engine->config, &look);
    }
}

/* Behind show_mode(): a mode that changed asks for the rails anew. */
static void prepare(struct engine *engine, bool is_full) {
    if (is_full) {
        rails_step(engine);
    }
}

/* Behind all that asks, decides and sends. */
static void end_full_tick(struct engine *engine, bool is_committed) {
    crash_loop_tick(&engine->crash_loop, engine->config, &engine->causes,
                    tick_failure(engine, is_committed));
    crash_loop_show(&engine->crash_loop, &engine->causes);
    step_ramp(engine);
    step_learning(engine); /* 10 */
    universe_reads_step(engine);
    healing_step(engine);
    backups_step(engine);
    show_state(engine); /* 11 */
}

void cycle_tick(struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    struct mono began = clock_mono(engine->world->clock);
    look_at_wall(engine);
    heed_wall(engine, now);
    bool is_full = now.ns >= engine->full_due.ns || kill_switch_is_urgent(&engine->kill, began);
    engine->tick++;
    engine->is_cycle = is_full && now.ns >= engine->cycle_due.ns;
    if (engine->is_cycle) {
        engine->cycle_due = grid_after(now, engine->config->cycle);
    }
    if (is_full) {
        verify_state(engine); /* 1 */
    }
    obey_inbox(engine); /* 2 */
    if (is_full) {
        poll_truth(engine); /* 3, 5 */
        if (engine->is_cycle && engine->truth.is_open) {
            poll_bars(engine);
        }
    }
    bool is_clear = !is_elsewhere(engine) && tend_orders(engine, is_full);
    gateway_latch_due(&engine->gateway);
    judge_kill(engine, is_full, is_clear);
    page_halt(engine);
    if (is_full) {
        drill_step(engine);
    }
    look_at_wall(engine); /* the steps above took their time */
    show_mode(engine);
    prepare(engine, is_full);
    buy(engine, is_full); /* 8, 9 */
    if (engine->is_cycle) {
        group_limits_report(&engine->gateway);
        note_good_equity(engine);
    }
    if (!is_elsewhere(engine)) {
        stuck_orders_step(&engine->gateway);
    }
    measure_orders(engine);
    orders_sweep(&engine->orders);
    /* what was only appended: an end, a phase */
    bool is_committed = journal_commit(engine->journal, NULL) == ERR_OK;
    gateway_latch_due(&engine->gateway); /* and what that adds up to */
    if (is_full) {
        end_full_tick(engine, is_committed);
    }
    alerts_keep(&engine->log);
    measure_tick(engine, began, is_committed);
    heed_slow_tick(engine, began);
    struct utc full_due = engine->full_due;
    schedule(engine);
    if (!is_full && full_due.ns > clock_utc(engine->world->clock).ns) {
        engine->full_due = full_due; /* a short tick does not move the full one */
        engine->next_at = engine->next_at.ns < full_due.ns ? engine->next_at : full_due;
    }
}
