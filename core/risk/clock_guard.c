/* clock_guard.c - compares three clocks: the wall, the monotonic one, the broker's. */
#include "core/risk/clock_guard.h"

#include "core/base/json.h"
#include "core/base/mutant.h"

#include <stdio.h>
#include <string.h>

enum { ASTRAY = 2, AGREEING = 2 };
enum verdict { SAYS_NOTHING, SAYS_AGREED, SAYS_AHEAD, SAYS_BEHIND };

static void note(struct causes *causes, const char *key, const char *why) {
    struct text body = {.limit = 512};
    text_add_char(&body, '{');
    text_member_string(&body, "why", why);
    text_add_char(&body, '}');
    if (causes->journal != NULL &&
        journal_append(causes->journal, CLOCK_ROW, key, text_get(&body), NULL, NULL) == ERR_OK) {
        (void)!journal_commit(causes->journal, NULL);
    }
    text_release(&body);
}

static void doubt(struct clock_guard *guard, struct causes *causes, const char *why) {
    MUTATE(clock_guard_ignored, return);
    guard->agreeing = 0;
    if (guard->is_on) {
        return;
    }
    guard->is_on = true;
    causes_hold(causes, CLOCK_GUARD_CAUSE, MODE_REDUCE_ONLY, why);
    log_alert(causes->log, ALERT_WARN, CLOCK_GUARD_CAUSE, why);
    note(causes, CLOCK_DOUBTED, why);
}

static void trust(struct clock_guard *guard, struct causes *causes) {
    guard->is_on = false;
    causes_let_go(causes, CLOCK_GUARD_CAUSE);
    log_alert_over(causes->log, CLOCK_GUARD_CAUSE);
    note(causes, CLOCK_AGREES, "two readings of the broker's clock agree with the wall");
}

void clock_guard_fold(struct clock_guard *guard, const struct journal_row *row) {
    cJSON *body = NULL;
    if (strcmp(row->kind, CLOCK_ROW) == 0) {
        guard->was_doubted = strcmp(row->key, CLOCK_DOUBTED) == 0;
    } else if (strcmp(row->kind, "start") == 0 &&
               json_parse(row->body, strlen(row->body), &body, NULL) == ERR_OK) {
        if (json_copy(body, "boot", guard->boot, sizeof guard->boot, NULL) != ERR_OK) {
            guard->boot[0] = '\0'; /* rows of older builds do not say */
        }
        cJSON_Delete(body);
    }
}

void clock_guard_start(struct clock_guard *guard, struct causes *causes) {
    char boot[CLOCK_BOOT_MAX] = "";
    clock_boot_id(causes->world->clock, boot);
    bool is_new_boot = guard->boot[0] != '\0' && strcmp(guard->boot, boot) != 0;
    MUTATE(new_boot_is_trusted, is_new_boot = false);
    MUTATE(clock_doubt_lost_at_restart, guard->was_doubted = false);
    if (is_new_boot) {
        doubt(guard, causes, "a new boot: its wall clock was not yet compared with the broker's");
    } else if (guard->was_doubted) {
        doubt(guard, causes, "the clocks did not agree when the last life ended");
    }
}

/* --- the wall against the monotonic clock --- */

static void print_ms(struct span span, char *out, size_t size) {
    snprintf(out, size, "%lld ms", (long long)(span.ns / 1000000));
}

void clock_guard_look(struct clock_guard *guard, struct causes *causes,
                      const struct config *config) {
    struct mono before = clock_mono(causes->world->clock);
    struct utc wall = clock_utc(causes->world->clock);
    struct span lead = {wall.ns - before.ns};
    if (mono_sub(clock_mono(causes->world->clock), before).ns > config->clock_step.ns / 4) {
        return; /* it stood still between the two: the next look is against the last all the same */
    }
    int64_t step_ns = guard->has_look ? lead.ns - guard->lead.ns : 0;
    int64_t size_ns = step_ns < 0 ? -step_ns : step_ns;
    guard->has_look = true;
    guard->lead = lead;
    MUTATE(clock_doubt_times_out, for (size_t i = 0; guard->is_on && i < causes->count; i++) if (strcmp(causes->items[i].name, CLOCK_GUARD_CAUSE) == 0 && wall.ns - causes->items[i].since.ns > SPAN_MIN(10).ns) trust(guard, causes));
    MUTATE(clock_step_off_by_one, size_ns++);
    MUTATE(clock_step_unseen, return);
    if (size_ns > config->clock_step.ns) {
        char why[160], step[32], now[UTC_TEXT_MAX];
        print_ms((struct span){step_ns}, step, sizeof step);
        utc_print(wall, now);
        snprintf(why, sizeof why, "the wall, now %s, stepped by %s against the monotonic clock",
                 now, step);
        doubt(guard, causes, why);
    }
}

/* --- the wall against the broker's clock --- */

/* How far the broker is ahead of the wall in the middle of the round trip. */
static int64_t ahead_ns(const struct clock_reading *reading) {
    return reading->broker.ns - (reading->wall.ns - reading->round_trip.ns / 2);
}

static enum verdict weigh(const struct clock_reading *reading, struct span agreement) {
    MUTATE(slow_clock_answers_count, if (reading->is_answered) return ahead_ns(reading) > agreement.ns ? SAYS_AHEAD : ahead_ns(reading) < -agreement.ns ? SAYS_BEHIND : SAYS_AGREED);
    if (!reading->is_answered || reading->broker.ns <= 0 || reading->round_trip.ns < 0 ||
        reading->round_trip.ns > agreement.ns) {
        return SAYS_NOTHING;
    }
    int64_t ahead = ahead_ns(reading);
    int64_t size = ahead < 0 ? -ahead : ahead;
    int64_t error = reading->round_trip.ns / 2;
    MUTATE(clock_agreement_off_by_one, size++);
    if (size + error <= agreement.ns) {
        return SAYS_AGREED;
    }
    return size - error <= agreement.ns ? SAYS_NOTHING : ahead > 0 ? SAYS_AHEAD : SAYS_BEHIND;
}

/* With both values; first is what they mean. */
static void doubt_reading(struct clock_guard *guard, struct causes *causes, const char *first,
                          const struct clock_reading *reading) {
    char why[200], wall[UTC_TEXT_MAX], broker[UTC_TEXT_MAX], trip[32];
    utc_print(reading->wall, wall);
    utc_print(reading->broker, broker);
    print_ms(reading->round_trip, trip, sizeof trip);
    snprintf(why, sizeof why, "%s: it says %s, the wall %s, with a round trip of %s", first, broker,
             wall, trip);
    doubt(guard, causes, why);
}

static void doubt_unverified(struct clock_guard *guard, struct causes *causes,
                             const struct clock_reading *reading) {
    if (reading->is_answered) {
        doubt_reading(guard, causes, "the broker's clock was not found to agree since the start",
                      reading);
    } else {
        doubt(guard, causes, "the broker has not told its clock since the start");
    }
}

static void take_astray(struct clock_guard *guard, struct causes *causes, bool is_ahead,
                        const struct clock_reading *reading) {
    bool is_same_way = is_ahead ? guard->astray > 0 : guard->astray < 0;
    int count = !is_same_way ? 1 : guard->astray < 0 ? 1 - guard->astray : 1 + guard->astray;
    count = count > ASTRAY ? ASTRAY : count;
    MUTATE(one_reading_is_doubt, count = ASTRAY);
    guard->astray = is_ahead ? count : -count;
    guard->agreeing = 0;
    if (count >= ASTRAY) {
        doubt_reading(guard, causes,
                      is_ahead ? "the broker's clock is ahead" : "the broker's clock is behind",
                      reading);
    }
}

static void take_agreed(struct clock_guard *guard, struct causes *causes, bool is_same_day) {
    guard->is_verified = true;
    guard->astray = 0;
    guard->agreeing = guard->agreeing < AGREEING ? guard->agreeing + 1 : AGREEING;
    MUTATE(clock_doubt_never_ends, return);
    MUTATE(one_reading_ends_doubt, guard->agreeing = AGREEING);
    MUTATE(day_not_checked_again, is_same_day = true);
    if (guard->is_on && guard->agreeing >= AGREEING && is_same_day) {
        trust(guard, causes);
    }
}

void clock_guard_judge(struct clock_guard *guard, struct causes *causes,
                       const struct config *config, const struct clock_reading *reading,
                       bool is_same_day) {
    enum verdict verdict = weigh(reading, config->clock_agreement);
    if (verdict == SAYS_AGREED) {
        take_agreed(guard, causes, is_same_day);
        return;
    }
    if (verdict != SAYS_NOTHING) {
        take_astray(guard, causes, verdict == SAYS_AHEAD, reading);
    }
    MUTATE(unverified_start_is_trusted, guard->is_verified = true);
    if (!guard->is_verified && !guard->is_on) {
        doubt_unverified(guard, causes, reading);
    }
}
