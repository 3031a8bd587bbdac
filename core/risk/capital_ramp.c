/* capital_ramp.c - days that count, falls that take a phase back, and the rows that remember both. */
#include "core/risk/capital_ramp.h"

#include "core/base/mutant.h"

#include <string.h>

static const char RAMP_ROW[] = "ramp";
static const struct ratio SHARES[RAMP_PHASES] = {
    {NANOS / 10}, {NANOS / 4}, {NANOS / 2}, {NANOS / 4 * 3}, {NANOS}};
static const struct span NEAR_OPEN = {INT64_C(900000000000)};
static const struct span NEAR_CLOSE = {INT64_C(900000000000)};

struct ratio capital_ramp_share(const struct capital_ramp *ramp, const struct config *config) {
    MUTATE(ramp_ignored, return SHARES[RAMP_PHASES - 1]);
    return config->ramp_on ? SHARES[ramp->phase] : SHARES[RAMP_PHASES - 1];
}

/* --- rows --- */

static void print(const struct capital_ramp *ramp, struct text *body) {
    text_add_char(body, '{');
    text_member_int(body, "phase", ramp->phase);
    text_member_int(body, "streak", ramp->streak);
    if (ramp->has_peak) {
        text_member_decimal(body, "peak", ramp->peak.nanos);
    }
    if (ramp->day.days != 0) {
        char day[DATE_TEXT_MAX];
        date_print(ramp->day, day);
        text_member_string(body, "day", day);
        text_member_utc(body, "close", ramp->close);
    }
    text_add_char(body, '}');
}

/* Durable or not at all. Fills that became durable with the row came before it. */
static bool become(struct capital_ramp *ramp, struct capital_ramp next, const struct causes *causes,
                   const char *key) {
    struct text body = {.limit = 512};
    print(&next, &body);
    bool is_noted =
        causes->journal != NULL &&
        journal_append(causes->journal, RAMP_ROW, key, text_get(&body), NULL, NULL) == ERR_OK &&
        journal_commit(causes->journal, NULL) == ERR_OK;
    text_release(&body);
    if (is_noted) {
        next.has_fill = next.day.days == ramp->day.days && ramp->has_fill;
        *ramp = next;
    }
    return is_noted;
}

static void take_state(struct capital_ramp *ramp, const cJSON *body) {
    const char *day = "";
    *ramp = (struct capital_ramp){.candidate_peak = ramp->candidate_peak,
                                  .fall = ramp->fall,
                                  .is_running = ramp->is_running,
                                  .has_fill = ramp->has_fill};
    bool is_whole = json_int(body, "phase", &ramp->phase, NULL) == ERR_OK && ramp->phase >= 0 &&
                    ramp->phase < RAMP_PHASES &&
                    json_int(body, "streak", &ramp->streak, NULL) == ERR_OK && ramp->streak >= 0;
    if (!is_whole) {
        ramp->phase = ramp->streak = 0;
    }
    ramp->has_peak = json_usd(body, "peak", &ramp->peak, NULL) == ERR_OK;
    if (json_string(body, "day", &day, NULL) == ERR_OK) {
        (void)!date_parse(day, &ramp->day, NULL);
        (void)!json_utc(body, "close", &ramp->close, NULL);
    }
}

static void take_ramp(struct capital_ramp *ramp, const struct journal_row *row) {
    cJSON *body = NULL;
    MUTATE(ramp_lost_at_restart, return);
    (void)!json_parse(row->body, strlen(row->body), &body, NULL);
    take_state(ramp, body);
    cJSON_Delete(body);
    if (strcmp(row->key, "begun") == 0) {
        ramp->is_running = true;
        ramp->has_fill = false;
    } else if (strcmp(row->key, "ended") == 0) {
        ramp->is_running = false;
    } else if (strcmp(row->key, "dropped") == 0) {
        ramp->candidate_peak = (struct usd){0};
        ramp->fall = (struct guard_step){0};
    }
}

void capital_ramp_take(struct capital_ramp *ramp, const struct journal_row *row) {
    if (strcmp(row->kind, RAMP_ROW) == 0) {
        take_ramp(ramp, row);
    } else if (strcmp(row->kind, "latch_set") == 0) {
        MUTATE(ramp_days_latched_count, return);
        ramp->streak = 0;
        ramp->is_running = false;
    } else if (strcmp(row->kind, "fill") == 0) {
        ramp->has_fill = true;
    }
}

static void tell(const struct capital_ramp *ramp, const struct causes *causes, const char *what,
                 const char *why) {
    struct text body = {.limit = 512};
    text_member_int(&body, "phase", ramp->phase + 1);
    text_member_decimal(&body, "share", SHARES[ramp->phase].nanos);
    text_member_string(&body, "why", why);
    log_mechanism(causes->log, RAMP_MECHANISM, what, "", "", text_get(&body));
    text_release(&body);
}

/* --- the fall --- */

static void drop(struct capital_ramp *ramp, struct causes *causes, struct usd nav) {
    MUTATE(ramp_drops_to_the_first, ramp->phase = 1);
    ramp->phase -= ramp->phase > 0;
    ramp->streak = 0;
    MUTATE(ramp_peak_survives_a_drop, nav = ramp->peak);
    ramp->peak = nav;
    ramp->candidate_peak = (struct usd){0};
    ramp->fall = (struct guard_step){0};
    ramp->is_unwritten = true;
    tell(ramp, causes, "acted", "equity fell from the ramp's peak");
    log_alert(causes->log, ALERT_WARN, RAMP_MECHANISM,
              "equity fell from the ramp's peak: entries are one phase smaller");
}

/* True once no drop is left that the journal does not know: before that, nothing else is written. */
static bool write_drop(struct capital_ramp *ramp, const struct causes *causes) {
    struct capital_ramp dropped = *ramp;
    dropped.is_unwritten = false;
    return !ramp->is_unwritten || become(ramp, dropped, causes, "dropped");
}

/* As max_drawdown's: two readings in a row, of which the lower counts. */
static void raise_peak(struct capital_ramp *ramp, const struct causes *causes, struct usd nav) {
    if (ramp->has_peak && usd_cmp(nav, ramp->peak) <= 0) {
        ramp->candidate_peak = (struct usd){0};
        return;
    }
    struct usd twice = usd_min(ramp->candidate_peak, nav);
    MUTATE(ramp_peak_on_one_reading, twice = nav);
    ramp->candidate_peak = nav;
    bool is_step = !ramp->has_peak || usd_cmp(twice, usd_add(ramp->peak, USD(1))) >= 0;
    if (twice.nanos <= 0 || !is_step) {
        return;
    }
    struct capital_ramp next = *ramp;
    next.peak = twice;
    next.has_peak = true;
    (void)become(ramp, next, causes, "peak");
}

void capital_ramp_judge(struct capital_ramp *ramp, struct causes *causes,
                        const struct config *config, const struct equity_reading *reading) {
    if (!config->ramp_on || !reading->is_trusted) {
        return;
    }
    struct usd nav = usd_sub(reading->equity, reading->flows_ever);
    MUTATE(ramp_counts_flows, nav = reading->equity);
    if (write_drop(ramp, causes)) {
        raise_peak(ramp, causes, nav);
    }
    if (!ramp->has_peak || ramp->peak.nanos <= 0) {
        return;
    }
    struct usd fall = usd_sub(ramp->peak, nav);
    MUTATE(ramp_drawdown_off_by_one, fall.nanos--);
    MUTATE(ramp_drawdown_ignored, return);
    MUTATE(ramp_drop_on_one_reading, ramp->fall.first_breach.ns = 1);
    bool is_breach = usd_cmp(fall, usd_scale(ramp->peak, config->ramp_drawdown)) >= 0;
    if (guard_step_confirms(&ramp->fall, is_breach, reading->at, SPAN_S(5))) {
        drop(ramp, causes, nav);
        (void)write_drop(ramp, causes);
    }
}

/* --- days --- */

static bool is_within(struct utc at, struct utc since, struct span most) {
    return at.ns >= since.ns && utc_sub(at, since).ns <= most.ns;
}

static void begin_day(struct capital_ramp *ramp, const struct causes *causes,
                      const struct ramp_look *look) {
    bool is_new = look->session->date.days > ramp->day.days;
    bool is_near = is_within(look->broker, look->session->open, NEAR_OPEN) &&
                   is_within(look->wall, look->session->open, NEAR_OPEN);
    MUTATE(ramp_begins_at_any_hour, is_near = true);
    MUTATE(ramp_days_count_twice, is_new = !ramp->is_running);
    if (!look->is_open || !is_new || !is_near) {
        return;
    }
    struct capital_ramp next = *ramp;
    next.day = look->session->date;
    next.close = look->session->close;
    next.is_running = true;
    ramp->has_fill = false;
    (void)become(ramp, next, causes, "begun");
}

static void count_day(struct capital_ramp *ramp, const struct causes *causes,
                      const struct config *config) {
    struct capital_ramp next = *ramp;
    next.is_running = false;
    next.streak++;
    MUTATE(ramp_days_off_by_one, next.streak++);
    bool is_up = next.streak >= config->ramp_days && next.phase + 1 < RAMP_PHASES;
    if (is_up) {
        next.phase++;
        MUTATE(ramp_skips_a_phase, next.phase += next.phase + 1 < RAMP_PHASES);
        next.streak = 0;
        MUTATE(ramp_streak_goes_on, next.streak = config->ramp_days);
    }
    if (become(ramp, next, causes, "ended") && is_up) {
        tell(ramp, causes, "released", "clean days in a row");
    }
}

static void end_day(struct capital_ramp *ramp, const struct causes *causes,
                    const struct config *config, const struct ramp_look *look) {
    bool is_seen = is_within(look->broker, ramp->close, NEAR_CLOSE) &&
                   is_within(look->wall, ramp->close, NEAR_CLOSE);
    bool is_past = utc_sub(look->broker, ramp->close).ns > NEAR_CLOSE.ns ||
                   utc_sub(look->wall, ramp->close).ns > NEAR_CLOSE.ns;
    MUTATE(ramp_ends_at_any_hour, is_seen = is_seen || is_past; is_past = false);
    bool is_clean = ramp->has_fill;
    MUTATE(ramp_idle_days_count, is_clean = true);
    if (is_past || (is_seen && !is_clean)) {
        ramp->is_running = false;
    } else if (is_seen) {
        count_day(ramp, causes, config);
    }
}

void capital_ramp_step(struct capital_ramp *ramp, struct causes *causes,
                       const struct config *config, const struct ramp_look *look) {
    bool is_undisturbed = look->is_truth_clean && causes_mode(causes) < MODE_REDUCE_ONLY;
    MUTATE(ramp_restricted_days_count, is_undisturbed = true);
    if (!config->ramp_on || look->broker.ns == 0 || !is_undisturbed || !write_drop(ramp, causes)) {
        return;
    }
    if (ramp->is_running) {
        end_day(ramp, causes, config, look);
    }
    begin_day(ramp, causes, look);
}
