/* universe_guard.c - see universe_guard.h. */
#include "core/orders/universe_guard.h"

#include "core/base/mutant.h"

#include <stdlib.h>

static const struct span BEFORE_OPEN = {INT64_C(3600000000000)};
/* Of a mean, whole: what struct usd holds, and more than any limit asks. */
static const int64_t DOLLARS_MAX = INT64_C(9000000000);
enum { GAP_MAX = 7 }; /* days between two sessions: a stock that skips a week does not trade */

struct utc universe_guard_opens(const struct session *session) {
    return utc_add(session->open, (struct span){-BEFORE_OPEN.ns});
}

bool universe_fact_is_fresh(struct utc at, const struct session *session, struct utc now) {
    struct utc opens = universe_guard_opens(session);
    MUTATE(universe_stale_believed, return at.ns != 0 && at.ns <= now.ns);
    MUTATE(universe_age_off_by_one, opens.ns++);
    return at.ns != 0 && at.ns >= opens.ns && at.ns <= now.ns;
}

/* Mondays to Fridays since some Monday; Saturday and Sunday are their Friday. */
static int trading_day(struct date date) {
    int since_monday = date_weekday(date);
    int in_week = since_monday < 5 ? since_monday : 4;
    return (date.days - since_monday) / 7 * 5 + in_week;
}

int universe_days_apart(struct date one, struct date other) {
    return abs(trading_day(one) - trading_day(other));
}

void universe_guard_take_asset(struct universe_guard *guard, size_t index,
                               const struct broker_asset *asset, struct utc at) {
    struct universe_facts *facts = &guard->facts[index];
    facts->asset_at = at;
    facts->is_tradable = asset->is_tradable;
    facts->is_otc = asset->is_otc;
    facts->is_easy_to_borrow = asset->is_easy_to_borrow;
}

void universe_guard_doubt(struct universe_guard *guard, size_t index) {
    MUTATE(universe_reject_unheeded, return);
    guard->facts[index].asset_at = (struct utc){0};
    guard->is_doubted = true;
}

void universe_guard_forget_volumes(struct universe_guard *guard) {
    for (size_t i = 0; i < CONFIG_SYMBOLS_MAX; i++) {
        guard->facts[i].sessions = 0;
    }
    guard->volumes_at = (struct utc){0};
}

/* What no int64_t holds is absurd and counts as nothing. */
void universe_guard_take_day(struct universe_facts *facts, const struct broker_bar *bar) {
    int64_t dollars = 0;
    if (decimal_mul_div(bar->close.nanos, bar->volume, NANOS, &dollars, NULL) != ERR_OK) {
        dollars = 0;
    }
    facts->dollars[facts->sessions++ % UNIVERSE_SESSIONS] = dollars;
    facts->last_session = ny_date(bar->at);
}

bool universe_dollar_volume(const struct universe_facts *facts, struct date day, struct usd *out) {
    size_t count = facts->sessions < UNIVERSE_SESSIONS ? facts->sessions : UNIVERSE_SESSIONS;
    int gap = day.days - facts->last_session.days;
    if (count == 0 || gap < 1 || gap > GAP_MAX) {
        return false;
    }
    int64_t mean = 0;
    for (size_t i = 0; i < count; i++) { /* each part alone: the sum may not fit */
        mean += facts->dollars[i] / UNIVERSE_SESSIONS;
    }
    out->nanos = (mean < DOLLARS_MAX ? mean : DOLLARS_MAX) * NANOS;
    return true;
}

void universe_guard_forget_actions(struct universe_guard *guard) {
    for (size_t i = 0; i < CONFIG_SYMBOLS_MAX; i++) {
        guard->facts[i].has_action = false;
    }
    guard->actions_at = (struct utc){0};
}

void universe_guard_take_action(struct universe_facts *facts, struct date action, struct date day) {
    bool is_nearer = !facts->has_action ||
                     universe_days_apart(action, day) < universe_days_apart(facts->action, day);
    if (is_nearer) {
        facts->has_action = true;
        facts->action = action;
    }
}

static bool is_restricted(const struct config *config, const char *symbol) {
    MUTATE(universe_restricted_bought, return false);
    for (size_t i = 0; i < config->restricted_count; i++) {
        if (strcmp(config->restricted[i], symbol) == 0) {
            return true;
        }
    }
    return false;
}

/* What was not read for this session; NULL: nothing. */
static const char *unread(const struct universe_guard *guard, const struct session *session,
                          struct utc now, size_t index) {
    struct usd volume = {0};
    MUTATE(universe_unknown_bought, return NULL);
    const struct universe_facts *facts = &guard->facts[index];
    bool has_volume = universe_fact_is_fresh(guard->volumes_at, session, now) &&
                      universe_dollar_volume(facts, session->date, &volume);
    return !universe_fact_is_fresh(facts->asset_at, session, now)     ? "asset not read today"
           : !has_volume                                              ? "no volume known of late"
           : !universe_fact_is_fresh(guard->actions_at, session, now) ? "actions not read today"
                                                                      : NULL;
}

/* Why the symbol may not be traded, whatever the price; NULL: it may. */
static const char *barred(const struct universe_facts *facts, const struct config *config,
                          const struct session *session, bool is_short) {
    int apart = universe_days_apart(facts->action, session->date);
    bool is_tradable = facts->is_tradable;
    bool is_otc = facts->is_otc;
    bool is_near = facts->has_action && apart <= config->universe_action_days;
    MUTATE(universe_untradable_bought, is_tradable = true);
    MUTATE(universe_otc_bought, is_otc = false);
    MUTATE(universe_action_ignored, is_near = false);
    MUTATE(universe_action_off_by_one, is_near = facts->has_action && apart < config->universe_action_days);
    return !is_tradable                            ? "not tradable"
           : is_otc                                ? "traded over the counter"
           : is_short && !facts->is_easy_to_borrow ? "hard to borrow"
           : is_near                               ? "a corporate action is near"
                                                   : NULL;
}

static struct universe_verdict beyond(enum universe_flaw flaw, struct usd is, struct usd bound) {
    return (struct universe_verdict){.flaw = flaw, .is = is, .bound = bound};
}

/* By price, volume and spread. */
static struct universe_verdict measure(const struct config *config, struct usd volume,
                                       const struct universe_candidate *candidate) {
    const struct broker_quote *quote = candidate->quote;
    struct usd spread = usd_sub(quote->ask, quote->bid);
    struct usd middle = {quote->bid.nanos + spread.nanos / 2};
    struct usd widest = usd_scale(middle, config->universe_max_spread);
    struct usd largest = usd_scale(volume, config->universe_volume_share);
    struct usd cheapest = config->universe_min_price_usd;
    MUTATE(universe_price_off_by_one, cheapest.nanos++);
    MUTATE(universe_volume_off_by_one, volume.nanos--);
    MUTATE(universe_share_off_by_one, largest.nanos--);
    MUTATE(universe_spread_off_by_one, widest.nanos--);
    if (usd_cmp(candidate->limit, cheapest) < 0) {
        return beyond(UNIVERSE_CHEAP, candidate->limit, config->universe_min_price_usd);
    }
    if (usd_cmp(volume, config->universe_min_dollar_volume_usd) < 0) {
        return beyond(UNIVERSE_ILLIQUID, volume, config->universe_min_dollar_volume_usd);
    }
    if (usd_cmp(candidate->notional, largest) > 0) {
        return beyond(UNIVERSE_TOO_LARGE, candidate->notional, largest);
    }
    return usd_cmp(spread, widest) > 0 ? beyond(UNIVERSE_WIDE_SPREAD, spread, widest)
                                       : (struct universe_verdict){.flaw = UNIVERSE_GOOD};
}

struct universe_verdict universe_guard_check(const struct universe_guard *guard,
                                             const struct config *config,
                                             const struct session *session, struct utc now,
                                             const struct universe_candidate *candidate) {
    const struct universe_facts *facts = &guard->facts[candidate->index];
    struct usd volume = {0};
    MUTATE(universe_guard_ignored, return (struct universe_verdict){.flaw = UNIVERSE_GOOD});
    if (is_restricted(config, candidate->symbol)) {
        return (struct universe_verdict){.flaw = UNIVERSE_BARRED, .why = "on the restricted list"};
    }
    const char *why = unread(guard, session, now, candidate->index);
    if (why != NULL) {
        return (struct universe_verdict){.flaw = UNIVERSE_UNKNOWN, .why = why};
    }
    why = barred(facts, config, session, candidate->is_short);
    if (why != NULL) {
        return (struct universe_verdict){.flaw = UNIVERSE_BARRED, .why = why};
    }
    (void)universe_dollar_volume(facts, session->date, &volume);
    return measure(config, volume, candidate);
}
