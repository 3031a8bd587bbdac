/* margin_guard.c - what is bad about a reading, how long, and what must be sold for it. */
#include "core/risk/margin_guard.h"

#include "core/base/mutant.h"

#include <stdio.h>

static const struct span APART = {INT64_C(5000000000)};
static const struct span GOOD_FOR = {INT64_C(60000000000)};
/* To end, an excess must be so much above its limit, gross so much below: nothing flaps about one bound. */
static const struct ratio EXCESS_AGAIN = {NANOS / 100 * 125};
static const struct ratio GROSS_AGAIN = {NANOS / 100 * 95};

enum margin_flaw { FLAW_NONE, FLAW_BLOCKED, FLAW_UNKNOWN, FLAW_EXCESS, FLAW_OVERNIGHT };

static struct usd least_excess(const struct config *config, struct usd equity) {
    return usd_scale(equity, config->margin_excess);
}

bool margin_excess_suffices(const struct config *config, const struct broker_account *account,
                            struct usd charge, struct usd *is, struct usd *least) {
    struct usd half = {charge.nanos / 2 + charge.nanos % 2};
    *is = usd_sub(usd_sub(account->equity, account->maintenance_margin), half);
    *least = least_excess(config, account->equity);
    MUTATE(margin_excess_unasked, return true);
    MUTATE(margin_entry_uncharged, is->nanos += half.nanos);
    MUTATE(margin_entry_off_by_one, return usd_cmp(*is, *least) > 0);
    return account->has_maintenance && usd_cmp(*is, *least) >= 0;
}

bool margin_is_near_close(const struct config *config, struct span to_close) {
    MUTATE(margin_close_off_by_one, to_close.ns++);
    return to_close.ns > 0 && to_close.ns <= config->margin_no_entry.ns;
}

/* --- one reading --- */

static bool is_short_of_excess(const struct config *config, const struct margin_reading *reading,
                               struct ratio slack) {
    struct usd excess = usd_sub(reading->equity, reading->maintenance);
    struct usd least = usd_scale(least_excess(config, reading->equity), slack);
    MUTATE(margin_excess_off_by_one, excess.nanos--);
    MUTATE(margin_excess_ignored, return false);
    return usd_cmp(excess, least) < 0;
}

static struct usd most_overnight(const struct config *config,
                                 const struct margin_reading *reading) {
    return usd_scale(reading->equity, config->margin_overnight);
}

static bool is_too_much_overnight(const struct config *config, const struct margin_reading *reading,
                                  struct ratio slack) {
    struct usd most = usd_scale(most_overnight(config, reading), slack);
    struct usd gross = reading->gross;
    MUTATE(margin_overnight_off_by_one, gross.nanos++);
    MUTATE(margin_overnight_ignored, return false);
    MUTATE(margin_overnight_all_day, return usd_cmp(gross, most) > 0);
    return reading->is_open && margin_is_near_close(config, reading->to_close) &&
           usd_cmp(gross, most) > 0;
}

/* The worst that a reading says; by what it takes to begin, or once held, to end. */
static enum margin_flaw flaw_of(const struct margin_guard *guard, const struct config *config,
                                const struct margin_reading *reading) {
    static const struct ratio as_it_is = {NANOS};
    struct ratio excess = guard->is_held ? EXCESS_AGAIN : as_it_is;
    struct ratio gross = guard->is_held ? GROSS_AGAIN : as_it_is;
    MUTATE(margin_flaps, excess = gross = as_it_is);
    MUTATE(margin_block_untold, if (reading->is_blocked) return FLAW_NONE);
    if (reading->is_blocked) {
        return FLAW_BLOCKED;
    }
    if (!reading->has_maintenance || reading->maintenance.nanos < 0) {
        return FLAW_UNKNOWN;
    }
    return is_short_of_excess(config, reading, excess)     ? FLAW_EXCESS
           : is_too_much_overnight(config, reading, gross) ? FLAW_OVERNIGHT
                                                           : FLAW_NONE;
}

/* --- the cause --- */

static void say(const struct config *config, enum margin_flaw flaw,
                const struct margin_reading *reading, char *why, size_t size) {
    char is[DECIMAL_TEXT_MAX];
    char bound[DECIMAL_TEXT_MAX];
    bool is_gross = flaw == FLAW_OVERNIGHT;
    struct usd excess = usd_sub(reading->equity, reading->maintenance);
    decimal_print_places(is_gross ? reading->gross.nanos : excess.nanos, 2, is);
    decimal_print_places(is_gross ? most_overnight(config, reading).nanos
                                  : least_excess(config, reading->equity).nanos,
                         2, bound);
    if (flaw == FLAW_BLOCKED) {
        snprintf(why, size, "the broker says that the account is blocked");
    } else if (flaw == FLAW_UNKNOWN) {
        snprintf(why, size, "the broker does not say what the maintenance margin is");
    } else if (is_gross) {
        snprintf(why, size, "%s USD are held, of which %s may be held overnight", is, bound);
    } else {
        snprintf(why, size, "%s USD above the maintenance margin, least %s", is, bound);
    }
}

static void begin(struct margin_guard *guard, struct causes *causes, const struct config *config,
                  enum margin_flaw flaw, const struct margin_reading *reading) {
    char why[160];
    say(config, flaw, reading, why, sizeof why);
    guard->is_held = true;
    guard->good_since = (struct mono){0};
    MUTATE(margin_guard_ignored, return);
    causes_hold(causes, MARGIN_CAUSE, MODE_REDUCE_ONLY, why);
    MUTATE(margin_unpaged, return);
    log_alert(causes->log, ALERT_PAGE, MARGIN_CAUSE, why);
}

static void go_on(struct margin_guard *guard, struct causes *causes, bool is_bad) {
    struct mono now = clock_mono(causes->world->clock);
    if (is_bad) {
        guard->good_since = (struct mono){0};
        return;
    }
    guard->good_since = guard->good_since.ns == 0 ? now : guard->good_since;
    struct span good = mono_sub(now, guard->good_since);
    MUTATE(margin_ends_off_by_one, good.ns--);
    MUTATE(margin_ends_at_once, good = GOOD_FOR);
    MUTATE(margin_never_ends, return);
    if (good.ns < GOOD_FOR.ns) {
        return;
    }
    guard->is_held = false;
    causes_let_go(causes, MARGIN_CAUSE);
    log_alert_over(causes->log, MARGIN_CAUSE);
}

/* --- what is to be sold --- */

/* Two readings of their own: what is held for a block sells nothing by the first that shows another flaw. */
static struct margin_wish wish_of(struct margin_guard *guard, const struct config *config,
                                  const struct margin_reading *reading) {
    static const struct ratio as_it_is = {NANOS};
    struct span to_close = reading->to_close;
    MUTATE(margin_reduce_off_by_one, to_close.ns++);
    bool is_time = reading->is_open && to_close.ns > 0 && to_close.ns <= config->margin_reduce.ns;
    bool is_known =
        !reading->is_blocked && reading->has_maintenance && reading->maintenance.nanos >= 0;
    struct margin_wish wish = {0};
    if (is_time && is_known) {
        wish.is_gross = is_too_much_overnight(config, reading, as_it_is);
        wish.is_excess = is_short_of_excess(config, reading, as_it_is);
        wish.over = usd_sub(reading->gross, most_overnight(config, reading));
    }
    bool is_over = wish.is_gross || wish.is_excess;
    MUTATE(margin_sells_on_one_reading, guard->over.first_breach.ns = 1);
    bool is_sure = guard_step_confirms(&guard->over, is_over, reading->at, APART);
    MUTATE(margin_sells_nothing, is_sure = false);
    return is_sure ? wish : (struct margin_wish){0};
}

struct margin_wish margin_guard_judge(struct margin_guard *guard, struct causes *causes,
                                      const struct config *config,
                                      const struct margin_reading *reading) {
    bool is_trusted = reading->is_trusted;
    MUTATE(margin_bad_mark_sells, is_trusted = true);
    if (!is_trusted && !reading->is_blocked) {
        return (struct margin_wish){0}; /* neither good nor bad: data_guard holds */
    }
    enum margin_flaw flaw = flaw_of(guard, config, reading);
    MUTATE(margin_on_one_reading, guard->bad.first_breach.ns = 1);
    bool is_sure = guard_step_confirms(&guard->bad, flaw != FLAW_NONE, reading->at, APART);
    if (guard->is_held) {
        go_on(guard, causes, flaw != FLAW_NONE);
    } else if (is_sure) {
        begin(guard, causes, config, flaw, reading);
    }
    return wish_of(guard, config, reading);
}
