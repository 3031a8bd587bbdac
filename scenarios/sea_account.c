/* sea_account.c - somebody changes the account's configuration at the broker, and changes it back. */
#include "scenarios/sea_internal.h"

static const enum fault_point POINTS[ACCOUNT_POINTS] = {POINT_ACCOUNT_DRIFT,
                                                        POINT_ACCOUNT_SUSPENDED};

static bool is_on(const struct sea *sea, enum fault_point point) {
    const struct utc now = virtual_clock_now(sea->clock);
    for (size_t i = 0; i < sea->count; i++) {
        const struct swell *swell = &sea->swells[i];
        if (swell->fault->point == point && now.ns >= swell->from.ns && now.ns < swell->until.ns) {
            return true;
        }
    }
    return false;
}

/* A point's own members alone, from one configuration into another. */
static void copy_members(enum fault_point point, const struct sim_configuration *from,
                         struct sim_configuration *to) {
    if (point == POINT_ACCOUNT_SUSPENDED) {
        to->suspend_trade = from->suspend_trade;
    } else {
        to->no_shorting = from->no_shorting;
        to->max_margin_multiplier = from->max_margin_multiplier;
    }
}

/* What others set meanwhile is lost at the end, as it would be: who comes back sets what he had. */
void sea_set_account(struct sea *sea) {
    static const struct sim_configuration swayed = {.suspend_trade = true,
                                                    .max_margin_multiplier = 4};
    struct sim_configuration now = broker_configuration(sea->broker);
    for (size_t i = 0; i < ACCOUNT_POINTS; i++) {
        struct swayed *state = &sea->account[i];
        const bool was_on = state->is_on;
        state->is_on = is_on(sea, POINTS[i]);
        if (state->is_on && !was_on) {
            state->before = now;
            copy_members(POINTS[i], &swayed, &now);
        } else if (was_on && !state->is_on) {
            copy_members(POINTS[i], &state->before, &now);
        }
    }
    broker_configure(sea->broker, &now);
}
