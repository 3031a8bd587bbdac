/* degraded_mode.c - enters on old truth, leaves after clean rounds, holds when it flaps. */
#include "core/risk/degraded_mode.h"

#include "core/base/mutant.h"

enum { FLAPS = 5, CLEAN_COUNT = 3 };

static void turn_on(struct degraded_mode *mode, struct causes *causes, struct mono now,
                    const char *why) {
    mode->is_on = true;
    mode->since = now;
    mode->clean_count = 0;
    mode->is_alerted = false;
    mode->is_paged = false;
    mode->flaps[mode->flap_next++ % FLAPS] = now;
    causes_hold(causes, "degraded_mode", MODE_REDUCE_ONLY, why);
}

void degraded_mode_start(struct degraded_mode *mode, struct causes *causes, struct mono now) {
    *mode = (struct degraded_mode){0};
    turn_on(mode, causes, now, "nothing is known of the broker yet");
    mode->flap_next = 0; /* a start is no flap */
    mode->flaps[0] = (struct mono){0};
}

/* True while the fifth start within an hour holds the mode for half an hour. */
static bool is_flapping(const struct degraded_mode *mode, struct mono now) {
    if (mode->flap_next < FLAPS) {
        MUTATE(one_start_is_flapping, return mode->flap_next > 0 && mono_sub(now, mode->since).ns < SPAN_MIN(30).ns);
        return false;
    }
    struct mono oldest = mode->flaps[mode->flap_next % FLAPS];
    return mono_sub(mode->since, oldest).ns <= SPAN_HOURS(1).ns &&
           mono_sub(now, mode->since).ns < SPAN_MIN(30).ns;
}

static void escalate(struct degraded_mode *mode, struct causes *causes, struct mono now) {
    struct span lasted = mono_sub(now, mode->since);
    if (!mode->is_alerted && lasted.ns >= SPAN_MIN(5).ns) {
        mode->is_alerted = true;
        log_alert(causes->log, ALERT_WARN, "degraded_mode", "degraded for 5 minutes");
    }
    if (!mode->is_paged && lasted.ns >= SPAN_MIN(30).ns) {
        mode->is_paged = true;
        log_alert(causes->log, ALERT_PAGE, "degraded_mode", "degraded for 30 minutes");
    }
}

void degraded_mode_judge(struct degraded_mode *mode, struct causes *causes,
                         const struct config *config, struct span truth_age, bool is_clean,
                         struct mono now) {
    MUTATE(degraded_never_entered, truth_age.ns = 0);
    MUTATE(truth_age_off_by_one, truth_age.ns++);
    if (truth_age.ns > config->truth_max_age.ns && !mode->is_on) {
        turn_on(mode, causes, now, "the broker's truth is old");
    }
    if (!mode->is_on) {
        return;
    }
    escalate(mode, causes, now);
    MUTATE(degraded_never_left, is_clean = false);
    if (!is_clean) {
        mode->clean_count = 0;
        return;
    }
    if (mode->clean_count++ == 0) {
        mode->clean_since = now;
    }
    if (mode->clean_count >= CLEAN_COUNT &&
        mono_sub(now, mode->clean_since).ns >= config->degraded_clean.ns &&
        !is_flapping(mode, now)) {
        mode->is_on = false;
        causes_let_go(causes, "degraded_mode");
    }
}
