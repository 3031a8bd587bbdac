/* rails_reads.c - before entries: the account's configuration at the broker, read and, where that is allowed, set.
 *
 * At a start, each rails.interval_s, whenever the effective mode changed, and when the account says that it is blocked, or no
 * longer is. It spends the lane of what is not urgent, behind all exits, and waits, for a minute at most, while one is at
 * work or a position is bare; what fails is asked again as any read, but once a minute while shares are held.
 *
 * With rails.write the core tightens what is looser than its own limits (broker_rails.h), and nothing else: it
 * loosens nothing and never touches suspend_trade. A row says so before the request leaves, and what
 * counts is only what is read back behind it. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <stdio.h>

static const struct span WAITS_FOR_EXITS = {INT64_C(60000000000)};

/* What was read before the account came to say otherwise of itself is no more than hearsay; as of a change of mode,
 * show_mode() tells. */
static void heed_changes(struct engine *engine) {
    struct rails_reads *reads = &engine->rails_reads;
    bool is_blocked = engine->truth.account.is_blocked;
    if (is_blocked != reads->is_blocked) {
        engine->gateway.rails.is_doubted = true;
        reads->is_blocked = is_blocked;
    }
}

static enum err_code note(struct engine *engine, enum err_code code) {
    note_backoff(engine, &engine->rails_reads.backoff, code);
    return code;
}

static enum err_code read_rails(struct engine *engine) {
    struct broker_configuration told = {0};
    enum err_code code = note(engine, alpaca_get_configuration(engine->alpaca, &told, NULL));
    MUTATE(rails_error_taken_for_fit, if (code != ERR_OK) { told.no_shorting = true; told.max_margin_multiplier = 1; code = ERR_OK; });
    if (code == ERR_OK) {
        broker_rails_take(&engine->gateway.rails, engine->config, &engine->log, &told,
                          clock_mono(engine->world->clock));
    }
    return code;
}

/* Durable before it leaves: who looks for what changed the account finds us. */
static bool note_change(struct engine *engine, const struct configuration_change *change) {
    const struct broker_configuration *told = &engine->gateway.rails.told;
    char body[160];
    snprintf(body, sizeof body,
             "{\"no_shorting\":%s,\"max_margin_multiplier\":%d,\"was_no_shorting\":%s,"
             "\"was_max_margin_multiplier\":%d}",
             change->sets_no_shorting || told->no_shorting ? "true" : "false",
             change->max_margin_multiplier != 0 ? change->max_margin_multiplier
                                                : told->max_margin_multiplier,
             told->no_shorting ? "true" : "false", told->max_margin_multiplier);
    return engine->journal != NULL && !engine->gateway.is_journal_down &&
           journal_append(engine->journal, "rails", "set", body, NULL, NULL) == ERR_OK &&
           journal_commit(engine->journal, NULL) == ERR_OK;
}

static struct configuration_change tightening(const struct engine *engine) {
    const struct broker_configuration *told = &engine->gateway.rails.told;
    int margin = rails_margin(engine->config->gross_exposure);
    return (struct configuration_change){.sets_no_shorting = !told->no_shorting,
                                         .max_margin_multiplier =
                                             told->max_margin_multiplier > margin ? margin : 0};
}

/* In HALT nothing is sent; a lease that went is another's. */
static bool may_set(const struct engine *engine) {
    bool is_allowed = engine->config->rails_write;
    MUTATE(rails_set_unasked, is_allowed = true);
    return is_allowed && rails_are_loose(&engine->gateway.rails.told, engine->config) &&
           causes_mode(&engine->causes) < MODE_HALT && !lease_is_lost(engine->lease);
}

static void set_rails(struct engine *engine) {
    struct configuration_change change = tightening(engine);
    struct broker_rails *rails = &engine->gateway.rails;
    struct err err = {0};
    MUTATE(rails_fence_lifted, change.suspend_trade = rails->told.is_suspended ? CONFIGURATION_OFF : CONFIGURATION_LEAVE);
    bool may_go =
        note_change(engine, &change) && may_set(engine); /* the commit may have taken minutes */
    MUTATE(rails_not_looked_at_again, may_go = true);
    if (!may_go) {
        return;
    }
    rails->is_doubted = true; /* until it is read back */
    if (note(engine, alpaca_set_configuration(engine->alpaca, &change, &err)) != ERR_OK) {
        log_alert(&engine->log, ALERT_WARN, "broker_rails_set", err.text);
        return;
    }
    log_alert(&engine->log, ALERT_INFO, "broker_rails_set",
              "the account's configuration was tightened: rails.write");
    MUTATE(rails_set_counted_unread, rails->told.no_shorting = true; rails->told.max_margin_multiplier = 1; rails->is_doubted = false; return);
    (void)!read_rails(engine);
}

/* Nothing of ours leaves then, an exit neither: a person must know at once, and again. */
static void page_suspended(struct engine *engine) {
    bool is_suspended = engine->truth.has_account && engine->truth.account.is_suspended;
    bool was_told = engine->rails_reads.is_paged;
    MUTATE(rails_suspension_unpaged, is_suspended = false);
    if (is_suspended && is_at_risk(engine)) {
        struct utc now = clock_utc(engine->world->clock);
        engine->rails_reads.is_paged = true;
        if (!was_told || utc_elapsed(&engine->rails_reads.paged_at, now).ns >= SPAN_MIN(5).ns) {
            engine->rails_reads.paged_at = now;
            log_alert(
                &engine->log, ALERT_PAGE, "trading_suspended",
                "suspend_trade is set at Alpaca: exits are refused too; what rests there stays");
        }
    } else if (was_told) {
        engine->rails_reads.is_paged = false;
        log_alert_over(&engine->log, "trading_suspended");
    }
}

/* An exit at work comes first, for a minute: one that never ends would keep every entry out. */
static bool may_interrupt(struct engine *engine) {
    struct mono now = clock_mono(engine->world->clock);
    struct mono *since = &engine->rails_reads.hurried_at;
    if (!is_in_a_hurry(engine)) {
        return true;
    }
    MUTATE(rails_wait_for_every_exit, return false);
    *since = since->ns == 0 ? now : *since;
    return mono_sub(now, *since).ns >= WAITS_FOR_EXITS.ns;
}

void rails_step(struct engine *engine) {
    if (is_elsewhere(engine) || engine->gateway.only_reduces || engine->is_stopping) {
        return;
    }
    page_suspended(engine);
    heed_changes(engine);
    if (!broker_rails_are_due(&engine->gateway.rails, engine->config,
                              clock_mono(engine->world->clock))) {
        engine->rails_reads.hurried_at = (struct mono){0};
        return;
    }
    if (!may_interrupt(engine) ||
        !may_ask_aside(engine, &engine->rails_reads.backoff, "configuration")) {
        return;
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_OTHER);
    if (read_rails(engine) == ERR_OK && may_set(engine)) {
        set_rails(engine);
    }
    alpaca_set_lane(engine->alpaca, ALPACA_LANE_CORE);
}
