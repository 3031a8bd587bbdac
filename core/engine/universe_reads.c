/* universe_reads.c - step 10: what the broker and the feed say of the symbols that may be bought.
 *
 * Once for each session, from an hour before its open on, and at a start: the volumes of the last weeks and the
 * corporate actions in one request each, the assets one by one, for the broker's list of all of them is megabytes. They
 * spend the lane of what is not urgent, of which the activities need their part: eight of them in a tick while the
 * market is closed, two while nothing is at risk, one else, and none while an exit is at work or a position bare. What
 * fails is asked again in a later tick, as any read, but once a minute while shares are held; what was told an hour
 * ago is not asked again because an answer failed. */
#include "core/engine/core.h"

#include <string.h>

static const int VOLUME_DAYS = 35; /* hold 20 sessions, holidays included */
/* A dividend is processed when it is paid, weeks behind its ex-date. */
static const int ACTIONS_BACK_DAYS = 14;
static const int ACTIONS_AHEAD_DAYS = 90;
enum { FAILURES_TOLD = 5 };
enum { READS_CLOSED = 8, READS_FLAT = 2, READS_AT_RISK = 1 };

static int reads_a_tick(const struct engine *engine) {
    return is_in_a_hurry(engine)    ? 0
           : !engine->truth.is_open ? READS_CLOSED
           : is_at_risk(engine)     ? READS_AT_RISK
                                    : READS_FLAT;
}

static bool is_due(const struct engine *engine, struct utc at, struct utc now) {
    return !universe_fact_is_fresh(at, &engine->truth.session, now);
}

/* A person is told once what keeps from buying, with the answer. */
static void note(struct engine *engine, struct read_backoff *backoff, enum err_code code,
                 const struct err *err) {
    const int failures = backoff->failures;
    note_backoff(engine, backoff, code);
    if (failures < FAILURES_TOLD && backoff->failures >= FAILURES_TOLD) {
        log_alert(&engine->log, ALERT_WARN, "universe_unread", err->text);
    } else if (code == ERR_OK && failures >= FAILURES_TOLD) {
        log_alert_over(&engine->log, "universe_unread");
    }
}

static void take_day(void *context, size_t index, const struct broker_bar *bar) {
    struct engine *engine = context;
    if (ny_date(bar->at).days < engine->truth.session.date.days) {
        universe_guard_take_day(&engine->gateway.universe.facts[index], bar);
    }
}

static void read_volumes(struct engine *engine) {
    const struct config *config = engine->config;
    struct universe_guard *guard = &engine->gateway.universe;
    struct date day = engine->truth.session.date;
    struct err err = {0};
    universe_guard_forget_volumes(guard);
    enum err_code code = alpaca_get_daily_bars(engine->alpaca, config->symbols,
                                               config->symbol_count, date_add(day, -VOLUME_DAYS),
                                               date_add(day, -1), take_day, engine, &err);
    note(engine, &engine->universe_reads.volumes, code, &err);
    if (code == ERR_OK) {
        guard->volumes_at = clock_utc(engine->world->clock);
    }
}

static void take_action(void *context, size_t index, const struct broker_action *action) {
    struct engine *engine = context;
    universe_guard_take_action(&engine->gateway.universe.facts[index], action->day,
                               engine->truth.session.date);
    splits_add(&engine->universe_reads.told, engine->config->symbols[index], action);
    spin_offs_add(&engine->universe_reads.spun, engine->config->symbols[index], action);
}

bool read_actions(struct engine *engine) {
    const struct config *config = engine->config;
    struct universe_guard *guard = &engine->gateway.universe;
    struct date day = engine->truth.session.date;
    struct err err = {0};
    universe_guard_forget_actions(guard);
    engine->universe_reads.told.count = engine->universe_reads.spun.count = 0;
    enum err_code code = alpaca_get_corporate_actions(
        engine->alpaca, config->symbols, config->symbol_count, date_add(day, -ACTIONS_BACK_DAYS),
        date_add(day, ACTIONS_AHEAD_DAYS), take_action, engine, &err);
    note(engine, &engine->universe_reads.actions, code, &err);
    if (code == ERR_OK) {
        guard->actions_at = clock_utc(engine->world->clock);
        engine->universe_reads.acted_for = ny_date(guard->actions_at);
        engine->universe_reads.answered_at = clock_mono(engine->world->clock);
        engine->splits = engine->universe_reads.told;
        engine->spin_offs.count = engine->universe_reads.spun.count;
        memcpy(engine->spin_offs.told, engine->universe_reads.spun.told,
               sizeof engine->spin_offs.told);
    }
    return code == ERR_OK;
}

/* A symbol that the broker does not know is an answer too: it is not tradable. */
static bool read_asset(struct engine *engine, size_t index) {
    struct broker_asset asset = {0};
    struct err err = {0};
    enum err_code code =
        alpaca_get_asset(engine->alpaca, engine->config->symbols[index], &asset, &err);
    code = code == ERR_NOT_FOUND ? ERR_OK : code;
    note(engine, &engine->universe_reads.assets, code, &err);
    if (code == ERR_OK) {
        universe_guard_take_asset(&engine->gateway.universe, index, &asset,
                                  clock_utc(engine->world->clock));
    }
    return code == ERR_OK;
}

/* Each in its turn, so that one that cannot be read keeps no other from being read. True if none was due. */
static bool read_assets(struct engine *engine, int most, struct utc now) {
    struct universe_reads *reads = &engine->universe_reads;
    size_t count = engine->config->symbol_count;
    size_t due = 0;
    for (size_t i = 0; i < count; i++) {
        size_t index = reads->next % count;
        bool is_stale = is_due(engine, engine->gateway.universe.facts[index].asset_at, now);
        due += is_stale;
        if (is_stale && (most-- <= 0 || !may_ask_aside(engine, &reads->assets, "assets"))) {
            break;
        }
        reads->next = index + 1;
        if (is_stale && !read_asset(engine, index)) {
            break;
        }
    }
    return due == 0;
}

/* Volumes, then actions, then assets. */
static void read_what_is_due(struct engine *engine, int most, struct utc now) {
    struct universe_guard *guard = &engine->gateway.universe;
    struct universe_reads *reads = &engine->universe_reads;
    bool is_done = true;
    if (is_due(engine, guard->volumes_at, now)) {
        is_done = false;
        if (most > 0 && may_ask_aside(engine, &reads->volumes, "volumes")) {
            read_volumes(engine);
            most--;
        }
    }
    if (is_due(engine, guard->actions_at, now)) {
        is_done = false;
        if (most > 0 && may_ask_aside(engine, &reads->actions, "actions")) {
            (void)read_actions(engine);
            most--;
        }
    }
    if (read_assets(engine, most, now) && is_done) {
        reads->done_for = engine->truth.session.date;
        guard->is_doubted = false;
    }
}

void universe_reads_step(struct engine *engine) {
    const struct session *session = &engine->truth.session;
    bool is_done = session->date.days == engine->universe_reads.done_for.days &&
                   !engine->gateway.universe.is_doubted;
    if (is_done || session->open.ns == 0 || is_elsewhere(engine) || engine->gateway.only_reduces ||
        engine->is_stopping) {
        return;
    }
    struct utc now = clock_utc(engine->world->clock);
    int most = utc_is_before(now, universe_guard_opens(session)) ? 0 : reads_a_tick(engine);
    if (most > 0) {
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
        read_what_is_due(engine, most, now);
        alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
    }
}
