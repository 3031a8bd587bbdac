/* kill_switch.c - the life of an incident: fired, verified, locked or cooled and checked, armed. */
#include "core/risk/kill_switch.h"

#include "core/base/json.h"
#include "core/base/mutant.h"

#include <stdio.h>
#include <string.h>

static const struct span LISTINGS_APART = {INT64_C(2000000000)};
static const struct span READINGS_APART = {INT64_C(10000000000)};
static const struct span URGENT_FOR = {INT64_C(15000000000)};
static const struct span PAGED_AFTER = {INT64_C(60000000000)};
static const struct span PAGES_APART = {INT64_C(300000000000)};

/* --- its causes --- */

static const struct {
    const char *name;
    bool is_for_a_person; /* time and proof do not end it */
} kill_causes[] = {{KILL_OPERATOR, true},   {KILL_REPEATED, true},   {"second_writer", true},
                   {"position_sign", true}, {KILL_DIVERGENCE, true}, {KILL_REJECTS, false},
                   {KILL_AUTH, false},      {KILL_OUTAGE, false}};
enum { KILL_CAUSES = sizeof kill_causes / sizeof kill_causes[0] };

/* The bit of a cause; 0 if it is none of them. */
static unsigned bit_of(const char *cause) {
    for (size_t i = 0; i < KILL_CAUSES; i++) {
        if (strcmp(kill_causes[i].name, cause) == 0) {
            return 1u << i;
        }
    }
    return 0;
}

bool kill_switch_may_resume(const struct kill_switch *kill, const struct causes *causes,
                            const char *cause) {
    MUTATE(kill_resumed_unverified, return true);
    unsigned bit = bit_of(cause);
    bool is_verified = kill->is_held && (kill->seen & bit) != 0;
    return is_verified || bit == 0 || !causes_has(causes, cause);
}

/* Should it be latched again before the next look, that is news. */
void kill_switch_resumed(struct kill_switch *kill, const char *cause) {
    kill->seen &= ~bit_of(cause);
}

static unsigned set_causes(const struct causes *causes) {
    unsigned set = 0;
    for (size_t i = 0; i < KILL_CAUSES; i++) {
        set |= causes_has(causes, kill_causes[i].name) ? 1u << i : 0;
    }
    return set;
}

enum err_code kill_switch_refuse_live(const struct config *config, bool is_live, struct err *err) {
    MUTATE(rearm_in_live, return ERR_OK);
    return is_live && config->kill_auto_rearm
               ? err_set(err, ERR_CONFIG,
                         "kill.auto_rearm: must be 0 in live: a kill ends by a person's resume; "
                         "write \"kill.auto_rearm\": false")
               : ERR_OK;
}

static bool needs_a_person(const struct causes *causes, const struct config *config) {
    bool is_needed = !config->kill_auto_rearm;
    for (size_t i = 0; i < KILL_CAUSES; i++) {
        is_needed |= kill_causes[i].is_for_a_person && causes_has(causes, kill_causes[i].name);
    }
    return is_needed;
}

static bool is_anything_else_wrong(const struct causes *causes) {
    for (size_t i = 0; i < causes->count; i++) {
        const struct cause *cause = &causes->items[i];
        if (bit_of(cause->name) == 0 && (cause->is_latched || cause->mode >= MODE_REDUCE_ONLY)) {
            return true;
        }
    }
    return false;
}

/* --- phases --- */

const char *kill_phase_word(enum kill_phase phase) {
    static const char *const words[] = {"armed", "firing", "locked", "cooling", "checking"};
    return words[phase];
}

enum kill_phase kill_switch_phase(const struct kill_switch *kill, const struct causes *causes,
                                  const struct config *config) {
    return kill->is_firing                  ? KILL_FIRING
           : !kill->is_fired                ? KILL_ARMED
           : needs_a_person(causes, config) ? KILL_LOCKED
           : !kill->is_cooled               ? KILL_COOLING
                                            : KILL_CHECKING;
}

/* --- rows --- */

/* Durable with the tick's commit. A `fired` or `held` that is lost makes the next life fire, or cool down, again;
 * of an `armed` the rows of the causes tell. */
static void append(const struct causes *causes, const char *key, struct text *members) {
    struct text body = {.limit = 512};
    text_add_char(&body, '{');
    text_add(&body, text_get(members));
    text_add_char(&body, '}');
    if (causes->journal != NULL) {
        (void)!journal_append(causes->journal, "kill", key, text_get(&body), NULL, NULL);
    }
    text_release(&body);
}

/* A day that goes back, as one that is not yet known after a restart, grants no new count. */
static void count_incident(struct kill_switch *kill, struct date day) {
    bool is_new_day = day.days > kill->incident_day.days;
    kill->incidents = is_new_day ? 1 : kill->incidents + 1;
    kill->incident_day = is_new_day ? day : kill->incident_day;
    kill->is_repeated = false;
}

static void fold_fired(struct kill_switch *kill, const cJSON *body) {
    const char *text = "";
    bool is_again = false;
    struct date day = {0};
    (void)!json_bool(body, "again", &is_again, NULL);
    kill->is_fired = true;
    kill->is_held = false;
    if (!is_again && json_string(body, "day", &text, NULL) == ERR_OK &&
        date_parse(text, &day, NULL) == ERR_OK) {
        count_incident(kill, day);
    }
}

static void fold_held(struct kill_switch *kill, const cJSON *body, struct utc at) {
    kill->is_held = true;
    kill->held = stamp_read(body, at);
    kill->held_broker = (struct utc){0};
    (void)!json_utc(body, "broker", &kill->held_broker, NULL);
}

/* A life may have died between a cause's row and its own. */
static void fold_latch(struct kill_switch *kill, const struct journal_row *row) {
    unsigned bit = bit_of(row->key);
    if (bit == 0) {
        return;
    }
    if (strcmp(row->kind, "latch_set") == 0) {
        kill->is_held = kill->is_held && (kill->seen & bit) != 0;
        kill->is_repeated |= strcmp(row->key, KILL_REPEATED) == 0;
        kill->seen |= bit;
    } else if (strcmp(row->kind, "latch_clear") == 0) {
        kill->seen &= ~bit;
        kill->is_fired = kill->is_fired && kill->seen != 0;
        kill->is_held = kill->is_held && kill->seen != 0;
    }
}

void kill_switch_fold(struct kill_switch *kill, const struct journal_row *row) {
    cJSON *body = NULL;
    fold_latch(kill, row);
    if (strcmp(row->kind, "kill") != 0) {
        return;
    }
    (void)!json_parse(row->body, strlen(row->body), &body, NULL);
    if (strcmp(row->key, "fired") == 0) {
        fold_fired(kill, body);
    } else if (strcmp(row->key, "held") == 0) {
        MUTATE(cooldown_begins_at_each_start, cJSON_Delete(body); return);
        fold_held(kill, body, row->at);
    } else if (strcmp(row->key, "armed") == 0) {
        kill->is_fired = kill->is_held = false;
    }
    cJSON_Delete(body);
}

/* --- firing --- */

static void note_fired(const struct kill_switch *kill, const struct causes *causes, bool is_again) {
    char day[DATE_TEXT_MAX];
    struct text members = {.limit = 256};
    date_print(kill->incident_day, day);
    text_member_string(&members, "day", day);
    text_member_bool(&members, "again", is_again);
    append(causes, "fired", &members);
    text_member_int(&members, "incidents", kill->incidents);
    log_mechanism(causes->log, "kill_switch", "warned", "", "firing", text_get(&members));
    text_release(&members);
}

/* One that fires again while it fires is verified anew, and is as old as it is. */
static void begin_firing(struct kill_switch *kill, const struct causes *causes) {
    kill->fired_at = clock_mono(causes->world->clock);
    MUTATE(kill_fired_again_is_young, kill->is_firing = false);
    if (!kill->is_firing) {
        kill->firing_since = kill->fired_at;
        kill->paged_at = (struct mono){0};
    }
    kill->is_firing = kill->is_looked_at = true;
    kill->is_cooled = false;
    kill->clear_since = kill->clean_since = (struct mono){0};
    kill->seen = set_causes(causes);
}

void kill_switch_fire(struct kill_switch *kill, struct causes *causes, struct date day) {
    bool is_again = kill->is_fired;
    MUTATE(each_cause_is_an_incident, is_again = false);
    kill->is_fired = true;
    kill->is_held = false;
    if (!is_again) {
        count_incident(kill, day);
    }
    note_fired(kill, causes, is_again);
    begin_firing(kill, causes);
}

/* Once an incident, as soon as nothing else needs a person. */
static void judge_repetition(struct kill_switch *kill, struct causes *causes,
                             const struct config *config) {
    bool is_too_often = kill->incidents >= config->kill_incidents;
    MUTATE(kill_incidents_off_by_one, is_too_often = kill->incidents > config->kill_incidents);
    if (!kill->is_fired || kill->is_repeated || !is_too_often || needs_a_person(causes, config)) {
        return;
    }
    char why[64];
    snprintf(why, sizeof why, "%lld incidents of the kill switch in a day",
             (long long)kill->incidents);
    causes_latch(causes, KILL_REPEATED, MODE_REDUCE_ONLY, "core", why);
    kill->is_repeated = true;
    kill->seen |= bit_of(KILL_REPEATED);
}

static void hold(struct kill_switch *kill, const struct causes *causes,
                 const struct kill_look *look) {
    kill->is_firing = false;
    log_mechanism(causes->log, "kill_switch", "held", "", "verified",
                  "\"verified\":\"no live entry in two listings\"");
    if (kill->is_held) {
        return; /* by an earlier life: its cooldown goes on */
    }
    kill->is_held = true;
    kill->held = stamp_now(causes->world);
    kill->held_broker = look->broker;
    struct text members = {.limit = 256};
    stamp_print(&kill->held, &members);
    text_member_utc(&members, "broker", look->broker);
    append(causes, "held", &members);
    text_release(&members);
}

/* Over when two listings at least 2 s apart show no live order that could add risk, and nothing in between
 * says otherwise. A short tick lists nothing. */
static void verify(struct kill_switch *kill, const struct causes *causes,
                   const struct kill_look *look) {
    MUTATE(kill_never_verified, return);
    MUTATE(kill_verified_at_once, hold(kill, causes, look); return);
    bool is_newer = mono_sub(look->listed_at, kill->fired_at).ns >= 0;
    MUTATE(kill_verified_by_an_old_listing, is_newer = true);
    if (!look->is_clear || (look->is_full && !look->is_truth_clean)) {
        kill->clear_since = (struct mono){0};
    } else if (!look->is_full || !is_newer) {
        return;
    } else if (kill->clear_since.ns == 0) {
        kill->clear_since = look->listed_at;
        MUTATE(kill_verified_by_one_listing, hold(kill, causes, look));
    } else if (mono_sub(look->listed_at, kill->clear_since).ns >= LISTINGS_APART.ns) {
        hold(kill, causes, look);
    }
}

bool kill_switch_is_urgent(const struct kill_switch *kill, struct mono now) {
    return kill->is_firing && mono_sub(now, kill->firing_since).ns < URGENT_FOR.ns;
}

bool kill_switch_is_young(const struct kill_switch *kill, struct mono now) {
    return kill->is_firing && mono_sub(now, kill->firing_since).ns < PAGED_AFTER.ns;
}

bool kill_switch_page_is_due(struct kill_switch *kill, struct mono now) {
    bool is_due = kill->is_firing &&
                  (kill->paged_at.ns == 0 ? mono_sub(now, kill->firing_since).ns >= PAGED_AFTER.ns
                                          : mono_sub(now, kill->paged_at).ns >= PAGES_APART.ns);
    MUTATE(kill_firing_unpaged, return false);
    if (is_due) {
        kill->paged_at = now;
    }
    return is_due;
}

/* --- from held to armed --- */

static struct span time_held(const struct kill_switch *kill, const struct causes *causes,
                             const struct kill_look *look) {
    struct stamp now = stamp_now(causes->world);
    MUTATE(cooldown_by_the_wall, return utc_sub(now.wall, kill->held.wall));
    MUTATE(new_boot_cools_by_the_wall, return stamp_between(&kill->held, &now));
    return stamp_waited(&kill->held, &now, kill->held_broker, look->broker);
}

static void arm(struct kill_switch *kill, const struct causes *causes, bool is_resumed) {
    struct text members = {.limit = 64};
    text_member_bool(&members, "resumed", is_resumed);
    append(causes, "armed", &members);
    log_mechanism(causes->log, "kill_switch", "released", "", "armed", text_get(&members));
    text_release(&members);
    kill->is_fired = kill->is_firing = kill->is_held = kill->is_cooled = false;
    kill->seen = 0;
}

/* A cause that cannot be journaled as cleared stays, and with it the incident. */
static void rearm(struct kill_switch *kill, struct causes *causes) {
    bool is_every = true;
    for (size_t i = 0; i < KILL_CAUSES; i++) {
        if (causes_has(causes, kill_causes[i].name)) {
            is_every &= causes_clear(causes, kill_causes[i].name, "kill_switch",
                                     "cooled down, and two clean readings", NULL) == ERR_OK;
        }
    }
    kill->clean_since = (struct mono){0};
    if (is_every) {
        arm(kill, causes, false);
    }
}

static void check(struct kill_switch *kill, struct causes *causes, const struct kill_look *look) {
    struct mono now = clock_mono(causes->world->clock);
    bool is_clean = look->is_truth_clean && look->is_clear && !look->has_unknown &&
                    look->is_state_kept && !is_anything_else_wrong(causes);
    MUTATE(rearmed_beside_other_latches, is_clean = look->is_truth_clean);
    if (!is_clean) {
        kill->clean_since = (struct mono){0};
    } else if (kill->clean_since.ns == 0) {
        kill->clean_since = now;
        MUTATE(rearmed_by_one_reading, rearm(kill, causes));
    } else if (mono_sub(now, kill->clean_since).ns >= READINGS_APART.ns) {
        rearm(kill, causes);
    }
}

/* What people, documents and other mechanisms latched or cleared since the last look. */
static void heed_causes(struct kill_switch *kill, struct causes *causes,
                        const struct config *config, struct date day) {
    unsigned set = set_causes(causes);
    if ((set & ~kill->seen) != 0 || (set != 0 && !kill->is_fired)) {
        kill_switch_fire(kill, causes, day);
    } else if (set != 0 && !kill->is_looked_at) { /* what an earlier life fired for */
        log_mechanism(causes->log, "kill_switch", "warned", "", "verifying", "");
        begin_firing(kill, causes);
    } else if (set == 0 && kill->is_fired) {
        arm(kill, causes, true);
    }
    kill->seen = set_causes(causes);
    judge_repetition(kill, causes, config);
}

void kill_switch_step(struct kill_switch *kill, struct causes *causes, const struct config *config,
                      const struct kill_look *look) {
    heed_causes(kill, causes, config, look->day);
    if (kill->is_firing) {
        verify(kill, causes, look);
        return;
    }
    if (!kill->is_held || needs_a_person(causes, config)) {
        kill->clean_since = (struct mono){0};
        return;
    }
    kill->is_cooled =
        kill->is_cooled || time_held(kill, causes, look).ns >= config->kill_cooldown.ns;
    if (kill->is_cooled && look->is_full) {
        check(kill, causes, look);
    }
}
