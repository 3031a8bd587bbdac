/* kill_trips.c - counts rejects, barred reads and the length of an outage. */
#include "core/risk/kill_trips.h"

#include "core/base/mutant.h"
#include "core/risk/kill_switch.h"

#include <stdio.h>

static const struct span KEY_SETTLES = {INT64_C(60000000000)};
enum { BARRED_READS = 2 };

/* Nothing new if it is set. */
static void trip(struct causes *causes, const char *cause, const char *why) {
    if (!causes_has(causes, cause)) {
        causes_latch(causes, cause, MODE_REDUCE_ONLY, "core", why);
    }
}

/* --- rejects --- */

void kill_rejects_note(struct kill_rejects *rejects, struct mono at) {
    rejects->at[rejects->count++ % KILL_REJECTS_MAX] = at;
}

void kill_rejects_step(struct kill_rejects *rejects, struct causes *causes,
                       const struct config *config) {
    struct mono now = clock_mono(causes->world->clock);
    int64_t count = 0;
    char why[80];
    MUTATE(reject_burst_ignored, return);
    if (causes_has(causes, KILL_REJECTS)) {
        rejects->taken = rejects->count; /* whoever ends it begins anew */
        return;
    }
    size_t oldest = rejects->count < KILL_REJECTS_MAX ? 0 : rejects->count - KILL_REJECTS_MAX;
    for (size_t i = oldest > rejects->taken ? oldest : rejects->taken; i < rejects->count; i++) {
        count +=
            mono_sub(now, rejects->at[i % KILL_REJECTS_MAX]).ns < config->kill_rejects_window.ns;
    }
    MUTATE(reject_burst_off_by_one, count--);
    if (count < config->kill_rejects) {
        return;
    }
    snprintf(why, sizeof why, "%lld orders rejected within %lld s", (long long)count,
             (long long)(config->kill_rejects_window.ns / NANOS));
    trip(causes, KILL_REJECTS, why);
}

/* --- divergence --- */

void kill_trips_diverged(struct causes *causes, const struct config *config, const char *why) {
    MUTATE(divergence_kills_nobody, return);
    if (config->kill_divergence) {
        trip(causes, KILL_DIVERGENCE, why);
    }
}

/* --- keys and outages --- */

void kill_trips_note_read(struct kill_trips *trips, size_t read, int status, struct mono now) {
    struct mono *since = &trips->barred_since[read % KILL_READS_MAX];
    bool is_barred = status == 401 || status == 403;
    if (status >= 200 && status < 300) {
        *since = (struct mono){0};
    } else if (is_barred) {
        *since = since->ns == 0 ? now : *since;
        trips->barred_last[read % KILL_READS_MAX] = now;
    }
}

void kill_trips_note_key(struct kill_trips *trips, struct mono now) {
    trips->key_changed_at = now;
}

static void judge_key(const struct kill_trips *trips, struct causes *causes,
                      const struct config *config, struct mono now) {
    int barred = 0;
    char why[80];
    bool is_settling =
        trips->key_changed_at.ns != 0 && mono_sub(now, trips->key_changed_at).ns < KEY_SETTLES.ns;
    MUTATE(rotation_counts_as_barred, is_settling = false);
    MUTATE(barred_key_ignored, return);
    for (size_t i = 0; i < KILL_READS_MAX; i++) {
        struct mono since = trips->barred_since[i];
        barred +=
            since.ns != 0 && mono_sub(trips->barred_last[i], since).ns >= config->kill_auth.ns;
    }
    MUTATE(one_barred_read_kills, barred *= 2);
    if (barred >= BARRED_READS && !is_settling) {
        snprintf(why, sizeof why, "401 or 403 for %lld s on %d reads",
                 (long long)(config->kill_auth.ns / NANOS), barred);
        trip(causes, KILL_AUTH, why);
    }
}

static void judge_outage(struct kill_trips *trips, struct causes *causes,
                         const struct config *config, bool is_out, struct mono now) {
    char why[80];
    MUTATE(outage_ignored, is_out = false);
    if (!is_out) {
        trips->unclean_since = (struct mono){0};
    } else if (trips->unclean_since.ns == 0) {
        trips->unclean_since = now;
    } else if (mono_sub(now, trips->unclean_since).ns >= config->kill_outage.ns) {
        snprintf(why, sizeof why, "the broker's truth did not come for %lld s",
                 (long long)(config->kill_outage.ns / NANOS));
        trip(causes, KILL_OUTAGE, why);
    }
}

void kill_trips_step(struct kill_trips *trips, struct causes *causes, const struct config *config,
                     bool is_truth_clean, bool is_elsewhere) {
    struct mono now = clock_mono(causes->world->clock);
    judge_key(trips, causes, config, now);
    judge_outage(trips, causes, config, !is_truth_clean && !is_elsewhere, now);
}
