/* frame.c - what the judges must know of a run: the limits it is bound by, its calendar, what it is about,
 * and when its faults are over. */
#include "core/portfolio/truth.h"
#include "scenarios/stage_internal.h"

#include <stdio.h>

void tell_frame(struct observer *observer, const char *key, const char *value) {
    observe(observer, &(struct event){.kind = EVENT_FRAME, .subject = key, .what = value});
}

static void tell_nanos(struct stage *stage, const char *key, int64_t nanos) {
    char value[DECIMAL_TEXT_MAX];
    decimal_print(nanos, value);
    tell_frame(&stage->fanout.seam, key, value);
}

/* What an entry is held to. */
static void tell_entries(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "risk.max_positions", config->max_positions * NANOS);
    tell_nanos(stage, "orders.cap_usd", config->order_cap_usd.nanos);
    tell_nanos(stage, "sizing.base_usd", config->base_usd.nanos);
    tell_nanos(stage, "sizing.equity_share", config->equity_share.nanos);
    tell_nanos(stage, "sizing.risk_budget", config->risk_budget.nanos);
    tell_nanos(stage, "risk.gross_exposure", config->gross_exposure.nanos);
    tell_nanos(stage, "risk.symbol_limit", config->symbol_limit.nanos);
    tell_nanos(stage, "risk.sector_limit", config->sector_limit.nanos);
    tell_nanos(stage, "risk.sector_unknown", config->sector_unknown.nanos);
    tell_nanos(stage, "risk.theme_limit_usd", config->theme_limit_usd.nanos);
    tell_nanos(stage, "risk.correlation_limit", config->correlation_limit.nanos);
    tell_nanos(stage, "risk.cluster_correlation", config->cluster_correlation.nanos);
    tell_nanos(stage, "risk.daily_loss_usd", config->daily_loss_usd.nanos);
    tell_nanos(stage, "risk.daily_loss_share", config->daily_loss_share.nanos);
    tell_nanos(stage, "risk.equity_floor_usd", config->equity_floor_usd.nanos);
    tell_nanos(stage, "risk.equity_floor_share", config->equity_floor_share.nanos);
    tell_nanos(stage, "risk.max_drawdown", config->max_drawdown.nanos);
    tell_nanos(stage, "risk.open_risk_factor", config->open_risk_factor.nanos);
    tell_nanos(stage, "exits.time_s", config->time_exit.ns);
    tell_nanos(stage, "exits.hard_stop", config->hard_stop.nanos);
    tell_nanos(stage, "risk.symbol_cooldown_s", config->symbol_cooldown.ns);
    tell_nanos(stage, "risk.symbol_cooldown_growth", config->cooldown_growth * NANOS);
    tell_nanos(stage, "risk.max_new_per_15min", config->max_new_per_15min * NANOS);
}

/* What may be bought at all. */
static void tell_universe(struct stage *stage, const struct config *config) {
    char key[CONFIG_SYMBOL_MAX + 16];
    tell_nanos(stage, "universe.min_price_usd", config->universe_min_price_usd.nanos);
    tell_nanos(stage, "universe.min_dollar_volume_usd",
               config->universe_min_dollar_volume_usd.nanos);
    tell_nanos(stage, "universe.volume_share", config->universe_volume_share.nanos);
    tell_nanos(stage, "universe.max_spread", config->universe_max_spread.nanos);
    tell_nanos(stage, "universe.action_days", config->universe_action_days * NANOS);
    tell_frame(&stage->fanout.seam, "restricted", "none"); /* but those that follow */
    for (size_t i = 0; i < config->restricted_count; i++) {
        snprintf(key, sizeof key, "restricted %s", config->restricted[i]);
        tell_frame(&stage->fanout.seam, key, "on");
    }
}

/* How an entry is worked. */
static void tell_execution(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "execution.tries", config->maker_tries * NANOS);
    tell_nanos(stage, "execution.cross", config->maker_cross ? NANOS : 0);
    tell_nanos(stage, "execution.patience_s", config->maker_patience.ns);
    tell_nanos(stage, "execution.partial_s", config->partial.ns);
}

/* What the core is held to, whatever it does. */
static void tell_conduct(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "orders.repeats", config->repeats * NANOS);
    tell_nanos(stage, "orders.repeat_window_s", config->repeat_window.ns);
    tell_nanos(stage, "volume.day_share", config->volume_day_share.nanos);
    tell_nanos(stage, "volume.hour_share", config->volume_hour_share.nanos);
    tell_nanos(stage, "volume.orders", config->volume_orders * NANOS);
    tell_nanos(stage, "volume.round_trips", config->volume_trips * NANOS);
    tell_nanos(stage, "displacement.min_age_s", config->displacement_min_age.ns);
    tell_nanos(stage, "displacement.cooldown_s", config->displacement_cooldown.ns);
    tell_nanos(stage, "performance.trades", config->performance_trades * NANOS);
    tell_nanos(stage, "performance.loss_share", config->performance_loss_share.nanos);
    tell_nanos(stage, "performance.pause_s", config->performance_pause.ns);
    tell_nanos(stage, "margin.excess", config->margin_excess.nanos);
    tell_nanos(stage, "margin.overnight", config->margin_overnight.nanos);
    tell_nanos(stage, "margin.no_entry_s", config->margin_no_entry.ns);
    tell_nanos(stage, "margin.reduce_s", config->margin_reduce.ns);
    tell_nanos(stage, "ramp.on", config->ramp_on * NANOS);
    tell_nanos(stage, "ramp.days_per_phase", config->ramp_days * NANOS);
    tell_nanos(stage, "ramp.drawdown", config->ramp_drawdown.nanos);
    tell_nanos(stage, "kill.rejects", config->kill_rejects * NANOS);
    tell_nanos(stage, "kill.rejects_window_s", config->kill_rejects_window.ns);
    tell_nanos(stage, "kill.auth_s", config->kill_auth.ns);
    tell_nanos(stage, "kill.outage_s", config->kill_outage.ns);
    tell_nanos(stage, "risk.position_sign", config->position_sign * NANOS);
    tell_nanos(stage, "kill.divergence", config->kill_divergence * NANOS);
    tell_nanos(stage, "kill.auto_rearm", config->kill_auto_rearm * NANOS);
    tell_nanos(stage, "kill.cooldown_s", config->kill_cooldown.ns);
    tell_nanos(stage, "kill.incidents", config->kill_incidents * NANOS);
    tell_nanos(stage, "engine.crash_starts", config->crash_starts * NANOS);
    tell_nanos(stage, "engine.crash_ticks", config->crash_ticks * NANOS);
    tell_nanos(stage, "engine.crash_window_s", config->crash_window.ns);
    tell_nanos(stage, "backup.interval_s", config->backup_interval.ns);
    tell_nanos(stage, "backup.hourly_keep", config->backup_hourly_keep * NANOS);
    tell_nanos(stage, "backup.daily_keep", config->backup_daily_keep * NANOS);
    tell_nanos(stage, "orders.stuck_s", config->stuck.ns);
    tell_nanos(stage, "clock.agreement_s", config->clock_agreement.ns);
    tell_nanos(stage, "clock.step_s", config->clock_step.ns);
    tell_nanos(stage, "stops.distance", config->stop_distance.nanos);
    tell_nanos(stage, "data.quote_max_age_s", config->quote_max_age.ns);
    tell_nanos(stage, "session.no_entry_first_s", config->no_entry_first.ns);
    tell_nanos(stage, "session.no_entry_last_s", config->no_entry_last.ns);
    tell_nanos(stage, "degraded.truth_max_age_s", config->truth_max_age.ns);
    tell_nanos(stage, "degraded.clean_s", config->degraded_clean.ns);
    tell_nanos(stage, "broker.deadline_submit_s", config->deadline_submit.ns);
    tell_nanos(stage, "broker.deadline_slow_s", config->deadline_slow.ns);
    tell_nanos(stage, "breaker.failures", config->breaker_failures * NANOS);
    tell_nanos(stage, "breaker.open_s", config->breaker_open.ns);
    tell_nanos(stage, "breaker.open_most_s", config->breaker_open_most.ns);
    tell_nanos(stage, "broker.requests_a_minute",
               (config->rate_core + config->rate_exit + config->rate_other) * NANOS);
    tell_nanos(stage, "orders.messages_1s", config->messages_1s * NANOS);
    tell_nanos(stage, "orders.messages_60s", config->messages_60s * NANOS);
    tell_nanos(stage, "health.reconnect_s", config->health_reconnect.ns);
    tell_nanos(stage, "health.again_s", config->health_again.ns);
    tell_nanos(stage, "rails.interval_s", config->rails_interval.ns);
    tell_nanos(stage, "rails.write", config->rails_write * NANOS);
    tell_nanos(stage, "drill.on", config->drill_on * NANOS);
}

/* What the scores of the data's and the deadline's guards go by. */
static void tell_bounds(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "data.reference_agreement", config->reference_agreement.nanos);
    tell_nanos(stage, "data.equity_step", config->equity_step.nanos);
    tell_nanos(stage, "data.cash_step", config->cash_step.nanos);
    tell_nanos(stage, "orders.collar", config->collar.nanos);
    tell_nanos(stage, "broker.deadline_read_s", config->deadline_read.ns);
}

static void tell_learning(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "learning.on", config->learning_on * NANOS);
    tell_nanos(stage, "learning.trades", config->learning_trades * NANOS);
    tell_nanos(stage, "learning.step", config->learning_step * NANOS);
    tell_nanos(stage, "learning.day_cap", config->learning_day_cap * NANOS);
}

static void tell_polls(struct stage *stage, const struct config *config) {
    tell_nanos(stage, "engine.cycle_s", config->cycle.ns);
    tell_nanos(stage, "broker.rate_core", config->rate_core * NANOS);
    tell_nanos(stage, "broker.rate_other", config->rate_other * NANOS);
    tell_nanos(stage, "poller.most", config->poller_most * NANOS);
    tell_nanos(stage, "poller.minute", config->poller_minute * NANOS);
    tell_nanos(stage, "poller.day", config->poller_day * NANOS);
    tell_nanos(stage, "signals.fill_s", config->signals_fill.ns);
    tell_nanos(stage, "signals.cache_s", config->signals_cache.ns);
}

void frame_tell_limits(struct stage *stage) {
    tell_entries(stage, &stage->config);
    tell_universe(stage, &stage->config);
    tell_conduct(stage, &stage->config);
    tell_bounds(stage, &stage->config);
    tell_polls(stage, &stage->config);
    tell_execution(stage, &stage->config);
    tell_learning(stage, &stage->config);
}

static void tell_group(struct stage *stage, const char *symbol) {
    const struct groups *groups = &stage->config.groups;
    char key[CONFIG_SYMBOL_MAX + 8];
    snprintf(key, sizeof key, "sector %s", symbol);
    tell_frame(&stage->fanout.seam, key, groups_sector(groups, symbol));
    snprintf(key, sizeof key, "theme %s", symbol);
    tell_frame(&stage->fanout.seam, key, groups_theme(groups, symbol));
}

/* What the symbols that may be bought belong to, and those of the table that may not: somebody else may buy
 * them. Of any other the judges know nothing, like the core. */
static void tell_groups(struct stage *stage) {
    const struct config *config = &stage->config;
    for (size_t i = 0; i < config->symbol_count; i++) {
        tell_group(stage, config->symbols[i]);
    }
    for (size_t i = 0; i < config->groups.count; i++) {
        const char *symbol = config->groups.rows[i].symbol;
        if (universe_find(config, symbol) < 0) {
            tell_group(stage, symbol);
        }
    }
}

/* Of every row: two symbols may have a third in common. */
static void tell_overlaps(struct stage *stage) {
    const struct groups *groups = &stage->config.groups;
    char key[GROUP_SYMBOL_MAX + 8];
    for (size_t i = 0; i < groups->count; i++) {
        const struct group_row *row = &groups->rows[i];
        struct text funds = {0};
        for (size_t k = 0; k < row->fund_count; k++) {
            char weight[DECIMAL_TEXT_MAX];
            decimal_print(row->funds[k].weight.nanos, weight);
            text_add_format(&funds, "%s%s:%s", k == 0 ? "" : " ", row->funds[k].symbol, weight);
        }
        if (row->issuer[0] != '\0') {
            snprintf(key, sizeof key, "issuer %s", row->symbol);
            tell_frame(&stage->fanout.seam, key, row->issuer);
        }
        if (funds.len > 0) {
            snprintf(key, sizeof key, "funds %s", row->symbol);
            tell_frame(&stage->fanout.seam, key, text_get(&funds));
        }
        text_release(&funds);
    }
}

void frame_tell(struct stage *stage) {
    const struct calendar *calendar = market_calendar(stage->market);
    char date[DATE_TEXT_MAX];
    for (size_t i = 0; i < calendar->extra_count; i++) {
        date_print(calendar->extra_closed[i], date);
        tell_frame(&stage->fanout.seam, "closed", date);
    }
    if (stage->scenario->has_courier) {
        tell_frame(&stage->fanout.seam, "courier", "on");
    }
    tell_frame(&stage->fanout.seam, "metrics", "read");
    frame_tell_limits(stage);
    tell_groups(stage);
    tell_overlaps(stage);
    for (int i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        if (stage->scenario->is_never[i]) {
            tell_frame(&stage->fanout.seam, "never", oracle_invariant_id((enum oracle_invariant)i));
        }
    }
    stage->heals_at = stage->start; /* the last instant at which a fault may fire */
    for (size_t i = 0; i < plan_count(stage->plan); i++) {
        struct utc until = plan_until(stage->plan, plan_fault(stage->plan, i));
        stage->heals_at = utc_is_before(stage->heals_at, until) ? until : stage->heals_at;
    }
}

/* A step at once, a skew every five milliseconds. */
void frame_tell_wall(struct stage *stage) {
    int64_t offset_ns = virtual_clock_offset(stage->clock).ns;
    int64_t moved_ns = offset_ns - stage->wall_told.ns;
    bool is_right = offset_ns == 0 && moved_ns != 0;
    if (is_right || moved_ns >= SPAN_MS(5).ns || moved_ns <= -SPAN_MS(5).ns) {
        stage->wall_told.ns = offset_ns;
        tell_nanos(stage, "wall", offset_ns);
    }
}

void frame_heal(struct stage *stage) {
    struct utc now = virtual_clock_now(stage->clock);
    if (!utc_is_before(now, stage->heals_at)) {
        stage->heals_at = UTC_NEVER;
        observe(&stage->fanout.seam, &(struct event){.kind = EVENT_HEALED, .at = now});
    }
}
