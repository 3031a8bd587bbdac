/* kills.c - kill_runs_its_course, the oracle of the kill switch's own life, behind its trips: it fires by the tick
 * after its cause, pages what may be live, is verified by two listings at least 2 s apart that show no buy of
 * ours, cools down for kill.cooldown_s, and is armed again by two clean readings at least 10 s apart and
 * nothing else in force; what is for a person alone is ended by one, and not before it was verified; an
 * incident that joins another is none, and the kill.incidents-th of a day latches kill_repeated.
 *
 * Phases are the core's word, what they must rest on are the answers that it got and the stage's own time.
 * What it must have done *by now* is asked of a core that runs undisturbed, and counted in ticks. Rows say
 * what a later life must know; where a journal lost some, incidents are not counted. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "kill_switch";
static const struct span LISTINGS_APART = {INT64_C(2000000000)};
static const struct span READINGS_APART = {INT64_C(10000000000)};
static const struct span PAGED_WITHIN = {INT64_C(90000000000)};
static const struct span PAGES_APART = {INT64_C(360000000000)};
static const struct span GOOD_FOR = {INT64_C(300000000000)};
static const struct span SPARE = {INT64_C(50000000)};
enum { GOOD_TICKS = 12 };

static const struct {
    const char *name;
    bool is_for_a_person;
} CAUSES[] = {{"kill_switch", true},   {"kill_repeated", true},   {"second_writer", true},
              {"position_sign", true}, {"kill_divergence", true}, {"kill_rejects", false},
              {"kill_auth", false},    {"kill_outage", false}};
enum { CAUSES_COUNT = sizeof CAUSES / sizeof CAUSES[0] };

static const char *const TRUTHS[] = {"/v2/clock", "/v2/account", "/v2/orders?status=open",
                                     "/v2/positions"};
enum { LISTING = 2, TRUTH_COUNT = 4 };

struct kills {
    bool is_open, is_firing; /* by its own word, of any life */
    bool is_told;            /* in this life */
    struct utc firing_at, paged_at;
    struct utc first_clear, last_clear; /* listings since then; {0}: none */
    struct utc held_at;                 /* verified, by its word; {0}: not since it fired */
    struct utc held_row_at;             /* and a row says so */
    struct utc spoiled_at;              /* the last read of the truth that failed */
    struct utc good_since; /* nothing but time keeps it from its next phase; {0}: not so */
    int good_ticks, untold_ticks, late_ticks;
    char day[DATE_TEXT_MAX];
    int64_t incidents, durable_incidents; /* of that day */
    int64_t last_row;
    bool is_journal_doubted;
    bool is_repeated; /* this incident latched kill_repeated */
};

static void *kills_create(void) {
    return judge_alloc(sizeof(struct kills));
}

static bool is_kill(const char *cause, bool only_for_a_person) {
    for (int i = 0; i < CAUSES_COUNT; i++) {
        if (is_word(CAUSES[i].name, cause)) {
            return CAUSES[i].is_for_a_person || !only_for_a_person;
        }
    }
    return false;
}

/* A cause that is in force, or may be: every copy of it is gone. A kill's, one for a person alone, or any other. */
enum wanted { WANTED_KILL, WANTED_PERSON, WANTED_OTHER };
static const char *in_force(const struct scene *scene, enum wanted wanted, bool with_gone) {
    for (size_t i = 0; i < scene->causes.count; i++) {
        const struct scene_cause *cause = table_at(&scene->causes, i);
        bool is_meant = wanted == WANTED_OTHER ? !is_kill(cause->cause, false)
                                               : is_kill(cause->cause, wanted == WANTED_PERSON);
        bool is_counted = with_gone || !cause->is_taken_back;
        if (is_meant && is_counted &&
            (cause->mode >= SCENE_REDUCE_ONLY || cause->latched > SCENE_NORMAL)) {
            return cause->cause;
        }
    }
    return NULL;
}

/* --- answers --- */

/* A buy of ours among the listed, which are all open. */
static bool lists_a_buy(const struct event *event, const struct scene *scene) {
    const cJSON *orders = scene_answer(scene, event);
    bool is_any = orders == NULL;
    const cJSON *order = NULL;
    cJSON_ArrayForEach(order, orders) {
        const char *side = "";
        const char *id = "";
        (void)!json_string(order, "side", &side, NULL);
        (void)!json_string(order, "client_order_id", &id, NULL);
        const struct scene_order *row = table_find(&scene->orders, id);
        bool is_cover = row != NULL && row->is_cover; /* it ends what is short */
        is_any |= is_word(side, "buy") && is_our_id(id) && !is_cover;
    }
    return is_any;
}

static void take_answer(struct kills *judge, const struct event *event, const struct scene *scene) {
    for (int i = 0; i < TRUTH_COUNT; i++) {
        size_t n = strlen(TRUTHS[i]);
        char next = strncmp(event->what, TRUTHS[i], n) == 0 ? event->what[n] : '-';
        if (!is_word(event->subject, "GET") || (next != '\0' && next != '?' && next != '&')) {
            continue;
        }
        bool is_good = event->number == 200 && event->id[0] == '\0';
        judge->spoiled_at = is_good ? judge->spoiled_at : event->at;
        if (i != LISTING || !judge->is_firing || !is_good) {
            return;
        }
        if (lists_a_buy(event, scene)) {
            judge->first_clear = judge->last_clear = (struct utc){0};
        } else {
            judge->first_clear = judge->first_clear.ns == 0 ? event->at : judge->first_clear;
            judge->last_clear = event->at;
        }
    }
}

/* --- its word --- */

static bool member_is_true(const struct event *event, const char *key) {
    char text[48];
    snprintf(text, sizeof text, "\"%s\":true", key);
    return event->body_len > 0 && memmem(event->body, event->body_len, text, strlen(text)) != NULL;
}

static void count_incident(struct kills *judge, const struct event *event, int64_t *count) {
    char day[DATE_TEXT_MAX] = "";
    const char *at =
        event->body_len > 0 ? memmem(event->body, event->body_len, "\"day\":\"", 7) : NULL;
    if (at != NULL && (size_t)(event->body + event->body_len - at) > 7 + DATE_TEXT_MAX) {
        memcpy(day, at + 7, DATE_TEXT_MAX - 1);
    }
    if (strcmp(day, judge->day) > 0) { /* one that goes back grants no new count */
        memcpy(judge->day, day, sizeof day);
        judge->incidents = judge->durable_incidents = 0;
    }
    ++*count;
}

static void begin_firing(struct kills *judge, const struct event *event) {
    if (!judge->is_firing) { /* else it is as old as it is */
        judge->firing_at = event->at;
        judge->paged_at = (struct utc){0};
    }
    judge->is_firing = judge->is_told = true;
    judge->first_clear = judge->last_clear = (struct utc){0};
    judge->good_since = (struct utc){0};
}

static void fire(struct kills *judge, const struct event *event) {
    begin_firing(judge, event);
    judge->held_at = judge->held_row_at = (struct utc){0};
    if (!judge->is_open) {
        judge->is_open = true;
        judge->is_repeated = false;
        count_incident(judge, event, &judge->incidents);
    }
}

static void hold(struct kills *judge, const struct event *event, struct findings *findings) {
    struct span apart = utc_sub(judge->last_clear, judge->first_clear);
    if (judge->is_firing && apart.ns < LISTINGS_APART.ns - SPARE.ns) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "verified by listings without a buy of ours over %lld ms",
                       (long long)(apart.ns / 1000000));
    }
    judge->is_firing = false;
    judge->held_at = judge->held_at.ns == 0 ? event->at : judge->held_at;
    judge->good_since = (struct utc){0};
}

static void judge_rearm(struct kills *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct span least = {scene->limits.kill_cooldown.ns + READINGS_APART.ns - SPARE.ns};
    struct span held = utc_sub(event->at, judge->held_at);
    struct span clean = utc_sub(event->at, judge->spoiled_at);
    const char *other = in_force(scene, WANTED_OTHER, false);
    if (judge->held_at.ns == 0 || held.ns < least.ns) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "armed %lld s after it was verified",
                       judge->held_at.ns == 0 ? -1 : (long long)(held.ns / NANOS));
    } else if (clean.ns < READINGS_APART.ns - SPARE.ns) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "armed %lld ms after a reading that was not clean",
                       (long long)(clean.ns / 1000000));
    } else if (other != NULL) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at, "armed while %s holds", other);
    } else if (scene->limits.kill_auto_rearm == 0) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at, "armed itself, which is off");
    }
}

static void take_mechanism(struct kills *judge, const struct event *event,
                           struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (is_word(event->what, "warned") && is_word(event->id, "firing")) {
        fire(judge, event);
    } else if (is_word(event->what, "warned") && is_word(event->id, "verifying")) {
        judge->is_open = true;
        begin_firing(judge, event);
    } else if (is_word(event->what, "held")) {
        hold(judge, event, findings);
    } else if (is_word(event->what, "released") && is_word(event->id, "armed")) {
        if (!member_is_true(event, "resumed")) {
            judge_rearm(judge, event, findings);
        }
        judge->is_open = judge->is_firing = false;
        judge->good_since = (struct utc){0};
    } else if (is_word(event->what, "acted") && is_word(event->id, "kill_repeated")) {
        judge->is_repeated = true;
        if (!judge->is_journal_doubted && judge->incidents < scene->limits.kill_incidents) {
            findings_break(findings, ORACLE_KILL_COURSE, event->at,
                           "kill_repeated at incident %lld", (long long)judge->incidents);
        }
    }
}

static void take_row(struct kills *judge, const struct event *event, struct findings *findings) {
    judge->is_journal_doubted |= event->number <= judge->last_row; /* it went back */
    judge->last_row = event->number;
    if (is_word(event->subject, "latch_clear") && is_kill(event->id, true) &&
        memmem(event->body, event->body_len, "\"by\":\"kill_switch\"", 18) != NULL) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at, "%s ended without a person",
                       event->id);
    } else if (is_word(event->subject, "kill") && is_word(event->id, "held")) {
        judge->held_row_at = judge->held_row_at.ns == 0 ? event->at : judge->held_row_at;
    } else if (is_word(event->subject, "kill") && is_word(event->id, "fired") &&
               !member_is_true(event, "again")) {
        count_incident(judge, event, &judge->durable_incidents);
    }
}

static void take_operator(struct kills *judge, const struct event *event,
                          struct findings *findings) {
    bool is_resumed = is_word(event->subject, "resume") && is_word(event->body, "resumed");
    if (is_resumed && is_kill(event->what, false) && judge->is_open && judge->held_at.ns == 0) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "%s was resumed before entries were verified gone", event->what);
    }
}

/* --- by now --- */

static int64_t live_buys(const struct scene *scene) {
    int64_t live = 0;
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        live += symbol->live_buys;
    }
    return live;
}

/* Nothing but time, of which enough has passed for the next phase. */
static bool is_good(const struct kills *judge, const struct event *event,
                    const struct scene *scene) {
    if (scene->healed_at.ns == 0 || scene->is_stepped || live_buys(scene) > 0) {
        return false;
    }
    if (judge->is_firing) {
        return true;
    }
    bool has_cooled = judge->held_row_at.ns != 0 &&
                      utc_sub(event->at, judge->held_row_at).ns >= scene->limits.kill_cooldown.ns;
    return judge->is_open && has_cooled && scene->limits.kill_auto_rearm != 0 &&
           in_force(scene, WANTED_PERSON, true) == NULL &&
           in_force(scene, WANTED_OTHER, true) == NULL;
}

static void judge_progress(struct kills *judge, const struct event *event,
                           struct findings *findings) {
    if (!is_good(judge, event, findings->scene)) {
        judge->good_since = (struct utc){0};
        return;
    }
    if (judge->good_since.ns == 0) {
        judge->good_since = event->at;
        judge->good_ticks = 0;
        return;
    }
    struct span lasted = utc_sub(event->at, judge->good_since);
    if (++judge->good_ticks >= GOOD_TICKS && lasted.ns >= GOOD_FOR.ns) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at, "%s for %lld s undisturbed",
                       judge->is_firing ? "not verified" : "cooled down and not armed",
                       (long long)(lasted.ns / NANOS));
        judge->good_since = (struct utc){0};
    }
}

/* A process that stood still in a tick pages in the next. */
static void judge_page(struct kills *judge, const struct event *event, struct findings *findings) {
    struct utc last = judge->paged_at.ns == 0 ? judge->firing_at : judge->paged_at;
    struct span most = judge->paged_at.ns == 0 ? PAGED_WITHIN : PAGES_APART;
    bool is_late = judge->is_firing && judge->is_told && utc_sub(event->at, last).ns >= most.ns;
    judge->late_ticks = is_late ? judge->late_ticks + 1 : 0;
    if (judge->late_ticks == 2) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "firing, and nobody was told for %lld s what may be live",
                       (long long)(utc_sub(event->at, last).ns / NANOS));
    }
}

static void end_tick(struct kills *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (scene->limits.kill_rejects == 0) {
        return; /* a stream that was recorded before there was one */
    }
    judge->is_journal_doubted |= scene->is_journal_back || scene->has_journal_lied;
    const char *cause = in_force(scene, WANTED_KILL, false);
    bool is_untold = cause != NULL && !(judge->is_open && judge->is_told);
    judge->untold_ticks = is_untold ? judge->untold_ticks + 1 : 0;
    if (judge->untold_ticks == 2) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at, "%s is latched, and nothing fires",
                       cause);
    }
    if (judge->is_open && judge->durable_incidents >= scene->limits.kill_incidents &&
        scene->limits.kill_auto_rearm != 0 && !judge->is_journal_doubted && cause != NULL &&
        !judge->is_repeated && in_force(scene, WANTED_PERSON, false) == NULL) {
        findings_break(findings, ORACLE_KILL_COURSE, event->at,
                       "incident %lld of the day, and no person is needed",
                       (long long)judge->durable_incidents);
    }
    judge_page(judge, event, findings);
    judge_progress(judge, event, findings);
}

static void kills_observe(void *context, const struct event *event, struct findings *findings) {
    struct kills *judge = context;
    if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings->scene);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM)) {
        take_mechanism(judge, event, findings);
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_ALERT && is_word(event->what, "kill_firing")) {
        judge->paged_at = event->at;
    } else if (event->kind == EVENT_OPERATOR) {
        take_operator(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        end_tick(judge, event, findings);
    } else if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        judge->is_told = judge->is_firing = false;
        judge->good_since = (struct utc){0};
        judge->untold_ticks = 0;
        /* the last cause was cleared and its life died before it could say so: the next kill is another one */
        judge->is_open &=
            event->kind != EVENT_START || in_force(findings->scene, WANTED_KILL, true) != NULL;
    }
}

const struct judge_ops kills_judge = {KIND(EVENT_HTTP) | KIND(EVENT_MECHANISM) | KIND(EVENT_ROW) |
                                          KIND(EVENT_ALERT) | KIND(EVENT_OPERATOR) |
                                          KIND(EVENT_TICK) | KIND(EVENT_START) | KIND(EVENT_STOP),
                                      kills_create, kills_observe, free};
