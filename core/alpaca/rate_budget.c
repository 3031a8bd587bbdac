/* rate_budget.c - a sliding minute over three lanes (rate_budget.h). */
#include "core/alpaca/rate_budget.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>

static const struct span MINUTE = {INT64_C(60000000000)};

enum err_code rate_budget_init(struct rate_budget *budget, const int64_t per_minute[RATE_LANES],
                               struct err *err) {
    for (size_t i = 0; i < RATE_LANES; i++) {
        if (per_minute[i] < 1 || per_minute[i] > RATE_LANE_MAX) {
            return err_set(err, ERR_USAGE, "a lane of %lld requests a minute (1 to %d)",
                           (long long)per_minute[i], RATE_LANE_MAX);
        }
    }
    for (size_t i = 0; i < RATE_LANES; i++) {
        struct rate_lane *lane = &budget->lanes[i];
        lane->size = (size_t)per_minute[i];
        lane->spent = calloc(lane->size, sizeof *lane->spent);
        if (lane->spent == NULL) {
            rate_budget_release(budget);
            return err_set(err, ERR_MEMORY, "no memory for the rate budget");
        }
    }
    return ERR_OK;
}

void rate_budget_release(struct rate_budget *budget) {
    for (size_t i = 0; i < RATE_LANES; i++) {
        free(budget->lanes[i].spent);
    }
    *budget = (struct rate_budget){0};
}

static bool lane_take(struct rate_lane *lane, struct mono now) {
    bool is_full = lane->used == lane->size;
    if (is_full && mono_sub(now, lane->spent[lane->next]).ns < MINUTE.ns) {
        MUTATE(budget_overdrawn, return true);
        return false;
    }
    lane->spent[lane->next] = now;
    lane->next = (lane->next + 1) % lane->size;
    lane->used += !is_full;
    return true;
}

static const char *lane_word(enum alpaca_lane lane) {
    return lane == ALPACA_LANE_CORE ? "core" : lane == ALPACA_LANE_EXIT ? "exit" : "other";
}

enum err_code rate_budget_take(struct rate_budget *budget, enum alpaca_lane lane, struct mono now,
                               struct err *err) {
    struct rate_lane *own = &budget->lanes[lane];
    struct rate_lane *core = &budget->lanes[ALPACA_LANE_CORE];
    bool is_core_open = now.ns >= budget->core_closed_until.ns;
    bool is_own_open = lane != ALPACA_LANE_OTHER || now.ns >= budget->other_closed_until.ns;
    CHECK(own->size > 0);
    if (own != core && is_own_open && lane_take(own, now)) {
        return ERR_OK;
    }
    if (lane != ALPACA_LANE_OTHER && is_core_open && lane_take(core, now)) {
        return ERR_OK;
    }
    bool is_paused = lane == ALPACA_LANE_OTHER ? !is_own_open : !is_core_open;
    struct mono until =
        lane == ALPACA_LANE_OTHER ? budget->other_closed_until : budget->core_closed_until;
    struct span wait =
        is_paused ? mono_sub(until, now) : mono_sub(mono_add(own->spent[own->next], MINUTE), now);
    return err_set(err, ERR_NOT_SENT,
                   "rate budget: lane %s has none of its %zu requests a minute left%s; again in "
                   "%lld ms",
                   lane_word(lane), own->size, is_paused ? " (the broker said 429)" : "",
                   (long long)((wait.ns + 999999) / 1000000));
}

void rate_budget_throttle(struct rate_budget *budget, enum alpaca_lane lane, struct mono now,
                          int64_t retry_after_s) {
    struct span pause = RATE_PAUSE;
    if (retry_after_s >= 0) {
        bool is_absurd = retry_after_s > RATE_PAUSE_MAX.ns / NANOS;
        pause = is_absurd ? RATE_PAUSE_MAX : SPAN_S(retry_after_s);
    }
    struct mono until = mono_add(now, pause);
    struct mono *closed =
        lane == ALPACA_LANE_OTHER ? &budget->other_closed_until : &budget->core_closed_until;
    if (until.ns > closed->ns) {
        *closed = until;
    }
}
