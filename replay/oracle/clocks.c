/* clocks.c - clock_doubt_is_due, the oracle of clock_guard: the wall is in doubt by the end of the tick
 * that gives reason to, for nothing less, and until two readings of /v2/clock agree.
 *
 * *True* is how far the stage says that the wall is from true time, and how that changed within two
 * ticks. *Known* are the readings as the core got them: two behind each other that are beyond
 * clock.agreement_s in one direction, none yet that agrees in this life; the boots of its `start` rows,
 * and its `clock` rows. A step is missed only where the wall stood still a whole tick before and behind
 * it, so that no look of the core fell beside it. A skew is told every few milliseconds: a reading that
 * close to a limit says nothing, and nothing is said before three more. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "clock_guard";
static const struct span NEAR = {INT64_C(10000000)};
static const struct span STILL = {INT64_C(100000000)}; /* of a wall that no step changed */
static const struct span DECIDED_BEFORE = {INT64_C(5000000000)};
enum { TICKS = 4, LONG_AGO = 1000, BLIND = 3, ASTRAY = 2, AGREEING = 2 };
enum { AGREEING_LATE = 6, CALM_READINGS = 24 };
enum says { SAYS_NOTHING, SAYS_AGREED, SAYS_AHEAD, SAYS_BEHIND, SAYS_UNSURE };

struct doubted { /* a symbol */
    char symbol[TABLE_NAME_MAX];
    bool is_touched;  /* something was sent in it in doubt */
    struct utc until; /* no buy before */
};

struct reach {
    struct span least, most;
};

struct clocks {
    struct two_clocks clocks;
    struct table symbols; /* struct doubted */
    /* readings, in this life */
    struct utc asked_at;
    int astray; /* in a row; below zero: behind */
    int agreeing;
    int blind; /* readings until something can be said */
    int calm;  /* readings since the last fault */
    bool is_verified;
    bool lacks_calendar; /* it asked, and cannot compare the sessions */
    /* the wall */
    struct span walls[TICKS]; /* at the ends of ticks, the newest last */
    int wall_count;
    struct reach now, before; /* within this tick, within the last */
    int since_on;             /* ticks since it last was in doubt */
    /* rows */
    int64_t last_row;
    char boot[TABLE_NAME_MAX], boot_before[TABLE_NAME_MAX];
    bool is_doubted, was_doubted; /* now, and when the start began */
    bool has_gap;                 /* rows that were not told here, since the last start */
    /* the core's word */
    bool is_up, is_on, is_told;
};

static void *clocks_create(void) {
    struct clocks *judge = judge_alloc(sizeof(struct clocks));
    judge->symbols = table_of(sizeof(struct doubted));
    judge->since_on = LONG_AGO;
    return judge;
}

static void clocks_destroy(void *context) {
    struct clocks *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static int64_t size_of(int64_t ns) {
    return ns < 0 ? -ns : ns;
}

/* --- readings --- */

static bool take_answer(const struct event *event, const struct scene *scene, struct utc *broker) {
    struct utc other = {0};
    bool is_open = false;
    if (event->number != 200 || event->id[0] != '\0') {
        return false;
    }
    const cJSON *body = scene_answer(scene, event);
    bool is_whole = json_utc(body, "timestamp", broker, NULL) == ERR_OK &&
                    json_bool(body, "is_open", &is_open, NULL) == ERR_OK &&
                    json_utc(body, "next_open", &other, NULL) == ERR_OK &&
                    json_utc(body, "next_close", &other, NULL) == ERR_OK;
    return is_whole && broker->ns > 0;
}

static enum says weigh(const struct clocks *judge, const struct event *event,
                       const struct scene *scene) {
    struct utc broker = {0};
    int64_t most = scene->limits.clock_agreement.ns;
    int64_t trip = utc_sub(event->at, judge->asked_at).ns;
    if (!take_answer(event, scene, &broker) || trip > most) {
        return SAYS_NOTHING;
    }
    int64_t ahead = broker.ns - (event->at.ns + scene->wall.ns - trip / 2);
    int64_t least_off = size_of(ahead) - trip / 2;
    int64_t most_off = size_of(ahead) + trip / 2;
    bool is_near = size_of(least_off - most) < NEAR.ns || size_of(most_off - most) < NEAR.ns;
    if (scene->is_stepped && is_near) {
        return SAYS_UNSURE;
    }
    return most_off <= most    ? SAYS_AGREED
           : least_off <= most ? SAYS_NOTHING
           : ahead > 0         ? SAYS_AHEAD
                               : SAYS_BEHIND;
}

static void take_astray(struct clocks *judge, bool is_ahead, const struct event *event,
                        struct findings *findings) {
    bool is_same_way = is_ahead ? judge->astray > 0 : judge->astray < 0;
    judge->astray = (is_same_way ? judge->astray : 0) + (is_ahead ? 1 : -1);
    judge->agreeing = 0;
    if (size_of(judge->astray) >= ASTRAY && !judge->is_on) {
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), event->at, true);
    }
}

static void take_reading(struct clocks *judge, const struct event *event,
                         struct findings *findings) {
    enum says says = weigh(judge, event, findings->scene);
    judge->blind = says == SAYS_UNSURE ? BLIND : judge->blind > 0 ? judge->blind - 1 : 0;
    judge->calm++;
    if (says == SAYS_UNSURE) {
        judge->astray = judge->agreeing = 0;
        judge->clocks.known_at = (struct utc){0};
    } else if (says == SAYS_AGREED) {
        judge->is_verified = true;
        judge->astray = 0;
        judge->agreeing++;
    } else if (says != SAYS_NOTHING) {
        take_astray(judge, says == SAYS_AHEAD, event, findings);
    }
}

/* --- the wall --- */

static void take_wall(struct clocks *judge, struct span wall) {
    struct reach *now = &judge->now;
    now->least = wall.ns < now->least.ns ? wall : now->least;
    now->most = wall.ns > now->most.ns ? wall : now->most;
}

/* Between the last look of the core and this instant, and somewhat longer. */
static bool has_stepped(const struct clocks *judge, const struct scene *scene) {
    const struct reach *now = &judge->now, *before = &judge->before;
    int64_t most = now->most.ns > before->most.ns ? now->most.ns : before->most.ns;
    int64_t least = now->least.ns < before->least.ns ? now->least.ns : before->least.ns;
    return most - least > scene->limits.clock_step.ns - (scene->is_stepped ? NEAR.ns : 0) &&
           most - least != scene->limits.clock_step.ns;
}

static int64_t change(const struct clocks *judge, int newer) {
    return judge->walls[newer].ns - judge->walls[newer - 1].ns;
}

/* The wall stood still, stepped, and stood still. */
static bool is_step_missed(const struct clocks *judge, struct span step) {
    return judge->wall_count == TICKS && !judge->is_on && judge->since_on > TICKS &&
           size_of(change(judge, 1)) < STILL.ns && size_of(change(judge, 3)) < STILL.ns &&
           size_of(change(judge, 2)) > step.ns + STILL.ns;
}

static void end_tick(struct clocks *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    memmove(&judge->walls[0], &judge->walls[1], (TICKS - 1) * sizeof judge->walls[0]);
    judge->walls[TICKS - 1] = scene->wall;
    judge->wall_count += judge->wall_count < TICKS;
    judge->since_on = judge->is_on ? 0 : judge->since_on + (judge->since_on < LONG_AGO);
    bool is_missed = is_step_missed(judge, scene->limits.clock_step);
    bool is_off = size_of(scene->wall.ns) > scene->limits.clock_agreement.ns;
    clocks_true(&judge->clocks, event->at, !judge->is_on && (is_off || has_stepped(judge, scene)),
                (struct usd){0});
    if (is_missed) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_CLOCK, event->at,
                       "the wall stepped by %lld ms, and no doubt",
                       (long long)(change(judge, 2) / 1000000));
    }
    judge->before = judge->now;
    judge->now = (struct reach){scene->wall, scene->wall};
}

/* --- rows and lives --- */

static void take_boot(struct clocks *judge, const struct event *event, const struct scene *scene) {
    memcpy(judge->boot_before, judge->boot, sizeof judge->boot);
    judge->boot[0] = '\0';
    (void)!json_copy(scene_body(scene, event), "boot", judge->boot, sizeof judge->boot, NULL);
}

static void take_row(struct clocks *judge, const struct event *event, const struct scene *scene) {
    if (event->number != judge->last_row + 1) { /* went back, or another wrote */
        judge->has_gap = true;
        table_release(&judge->symbols);
        judge->symbols = table_of(sizeof(struct doubted));
    }
    judge->last_row = event->number;
    if (is_word(event->subject, "start")) {
        take_boot(judge, event, scene);
    } else if (is_word(event->subject, "clock")) {
        judge->is_doubted = is_word(event->id, "doubted");
    }
}

static void end_life(struct clocks *judge) {
    judge->wall_count = 0;
    judge->clocks = (struct two_clocks){0};
    judge->astray = judge->agreeing = judge->blind = 0;
    judge->is_up = judge->is_on = judge->is_told = judge->is_verified = false;
    judge->lacks_calendar = false;
    judge->was_doubted = judge->is_doubted;
}

static void take_start(struct clocks *judge, const struct event *event, struct findings *findings) {
    bool is_new_boot = judge->boot_before[0] != '\0' && !is_word(judge->boot, judge->boot_before);
    bool is_due = (is_new_boot || judge->was_doubted) && !judge->has_gap;
    struct score *score = findings_score(findings, MECHANISM);
    judge->is_up = true;
    judge->now = judge->before = (struct reach){findings->scene->wall, findings->scene->wall};
    clocks_known(&judge->clocks, score, event->at, is_due);
    if (is_due && !judge->is_on) {
        score->missed++;
        findings_break(findings, ORACLE_CLOCK, event->at, "no doubt at %s",
                       is_new_boot ? "a new boot" : "a start that found it");
    } else if (judge->is_on && !judge->has_gap && !clocks_act(&judge->clocks, score, event->at)) {
        findings_break(findings, ORACLE_CLOCK, event->at,
                       "in doubt from the start on, and nothing was doubted before");
    }
    judge->clocks = (struct two_clocks){0};
    memcpy(judge->boot_before, judge->boot, sizeof judge->boot);
    if (judge->has_gap) { /* what the rows that nobody was told say of doubt, it found */
        judge->is_doubted = judge->is_on;
    }
    judge->has_gap = false;
}

/* --- the core's word --- */

static void take_doubt(struct clocks *judge, const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    judge->is_on = true;
    judge->is_told = false;
    judge->agreeing = 0;
    if (!judge->is_up) {
        return; /* judged once the start is over */
    }
    if (!judge->is_verified) {
        clocks_known(&judge->clocks, score, event->at, true);
    }
    if (has_stepped(judge, findings->scene)) {
        clocks_true(&judge->clocks, event->at, true, (struct usd){0});
    }
    bool is_due = judge->clocks.known_at.ns != 0 || judge->clocks.true_at.ns != 0;
    if (is_due || judge->blind == 0) {
        if (!clocks_act(&judge->clocks, score, event->at)) {
            findings_break(findings, ORACLE_CLOCK, event->at, "in doubt, and the wall is right");
        }
    }
    judge->clocks = (struct two_clocks){0};
}

static void take_end(struct clocks *judge, const struct event *event, struct findings *findings) {
    judge->is_on = false;
    judge->since_on = 0;
    judge->clocks = (struct two_clocks){0};
    if (judge->agreeing < AGREEING && judge->blind == 0) {
        findings_break(findings, ORACLE_CLOCK, event->at,
                       "the doubt ends behind %d readings that agree", judge->agreeing);
    }
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct doubted *doubted = table_at(&judge->symbols, i);
        if (doubted->is_touched) {
            doubted->is_touched = false;
            doubted->until = utc_add(event->at, findings->scene->limits.cooldown);
        }
    }
}

static void judge_tick(struct clocks *judge, const struct event *event, struct findings *findings) {
    bool is_due = judge->clocks.known_at.ns != 0 || !judge->is_verified;
    bool is_late = judge->agreeing >= AGREEING_LATE && judge->calm >= CALM_READINGS &&
                   scene_is_open(findings->scene) && !judge->lacks_calendar;
    if (judge->blind > 0 || judge->is_told) {
        return;
    }
    if (is_due && !judge->is_on) {
        judge->is_told = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_CLOCK, event->at, "no doubt by the end of the tick: %s",
                       judge->is_verified ? "two readings differ" : "none agrees since the start");
    } else if (judge->is_on && is_late) {
        judge->is_told = true;
        findings_break(findings, ORACLE_CLOCK, event->at,
                       "still in doubt behind %d readings that agree", judge->agreeing);
    }
}

static void judge_send(struct clocks *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    bool is_clock = is_word(event->subject, "GET") && is_word(event->what, "/v2/clock");
    judge->asked_at = is_clock ? event->at : judge->asked_at;
    if (!sent->is_new || strncmp(sent->type, "stop", 4) == 0 || strstr(sent->id, "-x-") != NULL) {
        return;
    }
    struct doubted *doubted = table_get(&judge->symbols, sent->symbol);
    doubted->is_touched |= judge->is_on && judge->is_doubted;
    findings_score(findings, MECHANISM)->risky += sent->is_buy && judge->is_on;
    if (sent->is_buy && !judge->is_on &&
        utc_is_before(utc_add(event->at, DECIDED_BEFORE), doubted->until)) {
        findings_break(findings, ORACLE_CLOCK, event->at,
                       "%s: bought %lld s before the cooldown of an order in doubt is over",
                       sent->symbol, (long long)(utc_sub(doubted->until, event->at).ns / NANOS));
    }
}

static void take_life(struct clocks *judge, const struct event *event, struct findings *findings) {
    if (event->kind == EVENT_STOP) {
        end_life(judge);
    } else if (is_word(event->subject, "ready")) {
        take_start(judge, event, findings);
    } else { /* what a start that was refused wrote is there all the same */
        end_life(judge);
        judge->has_gap = true;
    }
}

static void clocks_observe(void *context, const struct event *event, struct findings *findings) {
    struct clocks *judge = context;
    if (findings->scene->limits.clock_agreement.ns == 0) {
        return;
    }
    bool is_ours = event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM);
    take_wall(judge, findings->scene->wall);
    if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_HTTP && is_word(event->what, "/v2/clock")) {
        take_reading(judge, event, findings);
    } else if (event->kind == EVENT_HTTP && strncmp(event->what, "/v2/calendar", 12) == 0) {
        judge->lacks_calendar = event->number != 200 || event->id[0] != '\0';
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings->scene);
    } else if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        take_life(judge, event, findings);
    } else if (is_ours && is_word(event->what, "acted")) {
        take_doubt(judge, event, findings);
    } else if (is_ours && is_word(event->what, "released")) {
        take_end(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
        end_tick(judge, event, findings);
    } else if (event->kind == EVENT_FAULT) {
        judge->calm = 0;
    } else if (event->kind == EVENT_PAUSE) {
        judge->wall_count = 0;
    }
}

const struct judge_ops clocks_judge = {
    KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_ROW) | KIND(EVENT_START) | KIND(EVENT_STOP) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_TICK) | KIND(EVENT_FRAME) | KIND(EVENT_FAULT) |
        KIND(EVENT_PAUSE),
    clocks_create, clocks_observe, clocks_destroy};
