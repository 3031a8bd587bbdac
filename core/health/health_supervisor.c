/* health_supervisor.c - the table, and the one way up its ladders. */
#include "core/health/health_supervisor.h"

#include "core/base/mutant.h"

const char *health_check_word(enum health_check check) {
    static const char *const words[] = {
#define X(check, word) word,
        HEALTH_CHECKS(X)
#undef X
    };
    return words[check];
}

const char *health_step_word(enum health_step step) {
    static const char *const words[] = {"nothing", "retry",  "reconnect",
                                        "degrade", "freeze", "alert"};
    return words[step];
}

static const struct health_row TABLE[HEALTH_CHECK_COUNT] = {
    {HEALTH_BROKER,
     {0},
     4,
     {{HEALTH_RETRY, "retry_backoff", {0}, {0}},
      {HEALTH_RECONNECT, NULL, {0}, {0}}, /* from the settings */
      {HEALTH_DEGRADE, "degraded_mode", {0}, {0}},
      {HEALTH_ALERT, "degraded_mode", {0}, {0}}}},
    {HEALTH_DATA,
     {0},
     3,
     {{HEALTH_RETRY, "retry_backoff", {0}, {0}},
      {HEALTH_RECONNECT, NULL, {0}, {0}}, /* from the settings */
      {HEALTH_DEGRADE, "data_guard", {0}, {0}}}},
    {HEALTH_LOG,
     {INT64_C(60000000000)},
     2,
     {{HEALTH_RECONNECT, NULL, {0}, {INT64_C(60000000000)}},
      {HEALTH_ALERT, NULL, {INT64_C(600000000000)}, {0}}}},
    {HEALTH_JOURNAL,
     {0},
     3,
     {{HEALTH_RETRY, "atomic_state", {0}, {0}},
      {HEALTH_FREEZE, "atomic_state", {0}, {0}},
      {HEALTH_ALERT, "atomic_state", {0}, {0}}}},
};

struct health_row health_row_of(enum health_check check, const struct config *config) {
    struct health_row row = TABLE[check];
    bool is_line = check == HEALTH_BROKER || check == HEALTH_DATA;
    for (size_t i = 0; i < row.rung_count && is_line; i++) {
        if (row.rungs[i].step == HEALTH_RECONNECT) {
            row.rungs[i].after = config->health_reconnect;
            row.rungs[i].again = config->health_again;
        }
    }
    return row;
}

bool health_is_due(const struct health_state *state, const struct health_row *row,
                   struct mono now) {
    return !state->is_checked || mono_sub(now, state->checked_at).ns >= row->every.ns;
}

static enum health_outcome settle(struct health_state *state, bool is_well) {
    bool was_tried = state->is_tried;
    state->is_tried = false;
    state->healed += was_tried && is_well;
    state->failed += was_tried && !is_well;
    return !was_tried ? HEALING_NONE : is_well ? HEALING_HELPED : HEALING_FAILED;
}

enum health_outcome health_note(struct health_state *state, enum health_news news,
                                struct mono now) {
    MUTATE(healing_not_rechecked, if (state->is_tried) news = HEALTH_WELL);
    if (news == HEALTH_NO_NEWS) {
        return HEALING_NONE;
    }
    bool is_well = news == HEALTH_WELL;
    state->is_checked = true;
    state->checked_at = now;
    if (is_well) {
        state->is_ailing = false;
    } else if (!state->is_ailing) {
        state->is_ailing = true;
        state->since = now;
        for (size_t i = 0; i < HEALTH_RUNGS_MAX; i++) {
            state->tried_at[i] = (struct mono){0};
        }
    }
    return settle(state, is_well);
}

static bool rung_is_due(const struct health_state *state, const struct health_rung *rung,
                        struct mono tried_at, struct mono now) {
    struct span lasts = mono_sub(now, state->since);
    MUTATE(healing_off_by_one, lasts.ns--);
    if (tried_at.ns == 0) {
        return lasts.ns >= rung->after.ns;
    }
    MUTATE(healed_once_and_never_again, return false);
    return rung->again.ns > 0 && mono_sub(now, tried_at).ns >= rung->again.ns;
}

enum health_step health_next(struct health_state *state, const struct health_row *row,
                             struct mono now) {
    MUTATE(health_supervisor_ignored, return HEALTH_NOTHING);
    for (size_t i = 0; i < row->rung_count && state->is_ailing; i++) {
        const struct health_rung *rung = &row->rungs[i];
        if (rung->owner == NULL && rung_is_due(state, rung, state->tried_at[i], now)) {
            state->tried_at[i] = now;
            state->is_tried |= rung->step == HEALTH_RECONNECT;
            return rung->step;
        }
    }
    return HEALTH_NOTHING;
}
