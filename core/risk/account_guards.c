/* account_guards.c - folds baselines, peak and go-live equity, and compares a reading with them. */
#include "core/risk/account_guards.h"

#include "core/base/mutant.h"
#include "core/risk/amount_row.h"

#include <stdio.h>
#include <string.h>

/* Above the floor by less it would be below it again with the next tick of the market. */
static const struct ratio FLOOR_MARGIN = {NANOS / 100};
static const char *const WARN_KEYS[] = {"daily_loss_50", "daily_loss_80"};

void account_guards_init(struct account_guards *guards, const struct config *config,
                         struct causes *causes) {
    *guards = (struct account_guards){.config = config, .causes = causes};
}

enum err_code account_guards_fold(struct account_guards *guards, const struct journal_row *row,
                                  struct err *err) {
    struct usd *target = NULL;
    if (strcmp(row->kind, "baseline") == 0) {
        target = &guards->baseline;
        if (date_parse(row->key, &guards->baseline_day, err) != ERR_OK) {
            return err_wrap(err, "journal row %lld", (long long)row->seq);
        }
    } else if (strcmp(row->kind, "go_live") == 0) {
        target = &guards->go_live;
        guards->has_go_live = true;
    } else if (strcmp(row->kind, "peak") == 0) {
        target = &guards->peak;
        guards->has_peak = true;
    } else {
        return ERR_OK;
    }
    return amount_row_read(row, target, err);
}

static bool note(struct account_guards *guards, const char *kind, const char *key,
                 struct usd amount) {
    return amount_row_write(guards->causes->journal, kind, key, amount);
}

bool guard_step_confirms(struct guard_step *step, bool is_breach, struct utc at,
                         struct span apart) {
    if (!is_breach) {
        step->first_breach = (struct utc){0};
        return false;
    }
    if (step->first_breach.ns == 0) {
        step->first_breach = at;
        return false;
    }
    return utc_elapsed(&step->first_breach, at).ns >= apart.ns;
}

struct usd daily_loss_limit(const struct account_guards *guards) {
    if (guards->baseline.nanos <= 0) {
        return (struct usd){0};
    }
    return usd_min(guards->config->daily_loss_usd,
                   usd_scale(guards->baseline, guards->config->daily_loss_share));
}

bool daily_change(const struct account_guards *guards, const struct equity_reading *reading,
                  struct usd *out) {
    if (guards->baseline_day.days != reading->exchange_day.days) {
        return false;
    }
    *out = usd_sub(usd_sub(reading->equity, guards->baseline), reading->flows_today);
    return true;
}

/* The baseline of a day is the previous close and never changes within the day. */
static void take_baseline(struct account_guards *guards, const struct equity_reading *reading) {
    MUTATE(baseline_restarts, if (guards->warned_day.days == 0) guards->baseline = reading->equity);
    MUTATE(baseline_every_reading, guards->baseline_day.days = 0);
    if (guards->baseline_day.days == reading->exchange_day.days) {
        return;
    }
    if (!reading->has_previous_close || reading->previous_close.nanos <= 0) {
        causes_hold(guards->causes, "baseline_unknown", MODE_REDUCE_ONLY,
                    "the broker's last_equity is not of the previous session");
        return;
    }
    char day[DATE_TEXT_MAX];
    date_print(reading->exchange_day, day);
    struct usd close = reading->previous_close;
    MUTATE(baseline_of_the_first_reading, close = reading->equity);
    if (note(guards, "baseline", day, close)) {
        guards->baseline = close;
        guards->baseline_day = reading->exchange_day;
        guards->loss = (struct guard_step){0};
        causes_let_go(guards->causes, "baseline_unknown");
    }
}

static void warn_loss(struct account_guards *guards, const struct equity_reading *reading,
                      struct usd loss, struct usd limit) {
    if (guards->warned_day.days != reading->exchange_day.days) {
        guards->warned_day = reading->exchange_day;
        guards->warned_percent = 0;
    }
    for (int step = 0; step < 2; step++) {
        int percent = step == 0 ? 50 : 80;
        if (guards->warned_percent < percent && loss.nanos >= limit.nanos / 100 * percent) {
            guards->warned_percent = percent;
            log_alert(guards->causes->log, ALERT_WARN, WARN_KEYS[step],
                      "the day's loss nears its limit");
        }
    }
}

static void judge_loss(struct account_guards *guards, const struct equity_reading *reading) {
    struct usd change = {0};
    if (!daily_change(guards, reading, &change)) {
        return;
    }
    struct usd limit = daily_loss_limit(guards);
    struct usd loss = usd_neg(change);
    warn_loss(guards, reading, loss, limit);
    MUTATE(daily_loss_ignored, return);
    MUTATE(daily_loss_off_by_one, loss.nanos--);
    struct span apart = reading->is_core_session ? SPAN_S(5) : SPAN_S(60);
    MUTATE(loss_on_one_reading, guards->loss.first_breach.ns = 1);
    if (guard_step_confirms(&guards->loss, usd_cmp(loss, limit) >= 0, reading->at, apart)) {
        char why[160];
        char lost[DECIMAL_TEXT_MAX];
        char most[DECIMAL_TEXT_MAX];
        decimal_print_places(loss.nanos, 2, lost);
        decimal_print_places(limit.nanos, 2, most);
        snprintf(why, sizeof why, "the day lost %s USD, limit %s", lost, most);
        causes_latch(guards->causes, "daily_loss", MODE_REDUCE_ONLY, "core", why);
    }
}

static struct usd equity_floor(const struct account_guards *guards,
                               const struct equity_reading *reading) {
    struct usd put_in = usd_add(guards->go_live, reading->flows_ever);
    struct usd share = usd_scale(put_in, guards->config->equity_floor_share);
    return usd_max(guards->config->equity_floor_usd, guards->has_go_live ? share : (struct usd){0});
}

enum err_code account_guards_end_floor(const struct account_guards *guards,
                                       const struct equity_reading *reading, struct err *err) {
    if (!reading->is_trusted) {
        return err_set(err, ERR_REFUSED,
                       "refused: no equity is known that can be trusted; ask again beside a core "
                       "that reads one");
    }
    struct usd floor = equity_floor(guards, reading);
    struct usd least = usd_add(floor, usd_scale(floor, FLOOR_MARGIN));
    MUTATE(floor_resumed_below, least.nanos = 0);
    MUTATE(floor_resumed_beyond, least.nanos++);
    if (usd_cmp(reading->equity, least) >= 0) {
        return ERR_OK;
    }
    char is[DECIMAL_TEXT_MAX];
    char wanted[DECIMAL_TEXT_MAX];
    decimal_print_places(reading->equity.nanos, 2, is);
    decimal_print_places(least.nanos, 2, wanted);
    return err_set(
        err, ERR_REFUSED,
        "refused: equity is %s USD, and equity_floor ends from %s on, its floor and 1 %%", is,
        wanted);
}

static void judge_floor(struct account_guards *guards, const struct equity_reading *reading) {
    if (!guards->has_go_live) {
        if (note(guards, "go_live", "", reading->equity)) {
            guards->go_live = reading->equity;
            guards->has_go_live = true;
        }
        return;
    }
    struct usd floor = equity_floor(guards, reading);
    MUTATE(floor_ignored, floor.nanos = 0);
    MUTATE(floor_off_by_one, floor.nanos++);
    MUTATE(floor_on_one_reading, guards->floor.first_breach.ns = 1);
    if (guard_step_confirms(&guards->floor, usd_cmp(reading->equity, floor) < 0, reading->at,
                            SPAN_S(5))) {
        causes_latch(guards->causes, "equity_floor", MODE_REDUCE_ONLY, "core",
                     "equity is below its floor");
    }
}

/* The peak rises only by two readings, the lower of which counts. */
static void raise_peak(struct account_guards *guards, struct usd nav) {
    MUTATE(peak_falls, (void)note(guards, "peak", "", nav); guards->peak = nav);
    if (guards->has_peak && usd_cmp(nav, guards->peak) <= 0) {
        guards->candidate_peak = (struct usd){0};
        return;
    }
    struct usd twice = usd_min(guards->candidate_peak, nav);
    MUTATE(peak_on_one_reading, twice = nav);
    guards->candidate_peak = nav;
    bool is_step = !guards->has_peak || usd_cmp(twice, usd_add(guards->peak, USD(1))) >= 0;
    MUTATE(peak_not_persisted, guards->peak = usd_max(guards->peak, twice); guards->has_peak = true; return);
    if (twice.nanos > 0 && is_step && note(guards, "peak", "", twice)) {
        guards->peak = twice;
        guards->has_peak = true;
    }
}

static void judge_drawdown(struct account_guards *guards, const struct equity_reading *reading) {
    struct usd nav = usd_sub(reading->equity, reading->flows_ever);
    raise_peak(guards, nav);
    if (!guards->has_peak || guards->peak.nanos <= 0) {
        return;
    }
    struct usd fall = usd_sub(guards->peak, nav);
    MUTATE(drawdown_off_by_one, fall.nanos--);
    bool is_breach = usd_cmp(fall, usd_scale(guards->peak, guards->config->max_drawdown)) >= 0;
    MUTATE(drawdown_ignored, return);
    MUTATE(drawdown_on_one_reading, guards->drawdown.first_breach.ns = 1);
    if (guard_step_confirms(&guards->drawdown, is_breach, reading->at, SPAN_S(5))) {
        causes_latch(guards->causes, "max_drawdown", MODE_REDUCE_ONLY, "core",
                     "equity fell from its peak by the limit");
    }
}

void account_guards_judge(struct account_guards *guards, const struct equity_reading *reading) {
    if (!reading->is_trusted) {
        return;
    }
    take_baseline(guards, reading);
    judge_loss(guards, reading);
    judge_floor(guards, reading);
    judge_drawdown(guards, reading);
}
