/* drills.c - latches_are_drilled, the oracle of drill: no buy leaves on an exchange day, with a build and a configuration,
 * before a durable row says that every latch was tried with them and held; a row that says one did not is none,
 * and what is told of a drill is told once. That one failed is told behind a row that says so, or that a journal which
 * is lost did not take; else it is unfounded.
 *
 * What the shadow did nobody can see from outside; that it did something is in the row: each latch by name, with
 * what was refused. The names are this judge's own. Behind a journal that went back a second
 * drill is right, and none too. A buy that leaves unjournaled does so in no core: journal_before_bytes judges that. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "drill";

static const char *const LATCHES[] = {
    "operator_freeze", "crash_loop_freeze", "kill_switch",     "kill_repeated",
    "kill_rejects",    "kill_auth",         "kill_outage",     "kill_divergence",
    "daily_loss",      "equity_floor",      "max_drawdown",    "daily_volume",
    "amnesia",         "state_regression",  "second_writer",   "repeat_throttle",
    "journal_down",    "wrong_account",     "lease_lost",      "freezes_unreadable",
    "freezes_missing", "unknown_causes",    "too_many_causes", "drill",
    "position_sign",
};

struct drills {
    char day[DATE_TEXT_MAX]; /* of the last that held: "" none */
    char build[48], config[24];
    char life[48];   /* build of the life that is up */
    char wanted[24]; /* configuration that it runs with, once a reload or a drill has told it */
    int64_t row;     /* of the last that held */
    bool has_failed; /* the last row, and nobody was told yet */
    bool may_repeat; /* the journal went back behind it: a life that folds it knows of none */
    char unseen[DATE_TEXT_MAX]; /* day on which a death left durable rows that nobody was told of */
};

static void *drills_create(void) {
    return judge_alloc(sizeof(struct drills));
}

static const char *member(const cJSON *body, const char *name) {
    const char *value = "";
    (void)!json_string(body, name, &value, NULL);
    return value;
}

/* Names a latch that the row does not; NULL: it has them all. */
static const char *left_out(const cJSON *body) {
    const cJSON *refused = json_member(body, "refused");
    for (size_t i = 0; i < sizeof LATCHES / sizeof LATCHES[0]; i++) {
        if (strstr(member(refused, LATCHES[i]), "mode ") == NULL) {
            return LATCHES[i];
        }
    }
    return NULL;
}

static void take_passed(struct drills *judge, const struct event *event, const cJSON *body,
                        struct findings *findings) {
    const char *missing = left_out(body);
    bool is_again = is_word(event->id, judge->day) &&
                    is_word(member(body, "build"), judge->build) &&
                    is_word(member(body, "config"), judge->config);
    if (missing != NULL) {
        findings_break(findings, ORACLE_DRILLED, event->at, "%s: no word of %s", event->id,
                       missing);
    }
    if (is_again && !judge->may_repeat) {
        findings_score(findings, MECHANISM)->unfounded++;
        findings_break(findings, ORACLE_DRILLED, event->at, "%s: drilled twice", event->id);
    }
    snprintf(judge->day, sizeof judge->day, "%s", missing == NULL ? event->id : "");
    snprintf(judge->build, sizeof judge->build, "%s", member(body, "build"));
    snprintf(judge->config, sizeof judge->config, "%s", member(body, "config"));
    snprintf(judge->wanted, sizeof judge->wanted, "%s", judge->config);
    judge->row = event->number;
    judge->may_repeat = false;
    judge->unseen[0] = '\0';
}

static void take_drill(struct drills *judge, const struct event *event, struct findings *findings) {
    const cJSON *body = scene_body(findings->scene, event);
    struct score *score = findings_score(findings, MECHANISM);
    score->due++;
    score->acted++;
    judge->has_failed = member(body, "failed")[0] != '\0';
    if (!judge->has_failed) {
        take_passed(judge, event, body, findings);
    } else {
        judge->day[0] = '\0';
    }
}

static void take_row(struct drills *judge, const struct event *event, struct findings *findings) {
    judge->may_repeat |= event->number <= judge->row;
    if (findings->scene->is_row_gap) {
        date_print(ny_date(event->at), judge->unseen);
    }
    if (is_word(event->subject, "start")) {
        snprintf(judge->life, sizeof judge->life, "%s", event->id);
    } else if (is_word(event->subject, "drill")) {
        take_drill(judge, event, findings);
    }
}

/* Why what was drilled does not count for a buy now; NULL: it does. */
static const char *unfit(const struct drills *judge, const char *today) {
    return !is_word(judge->day, today)              ? "the day is not drilled"
           : !is_word(judge->build, judge->life)    ? "another build was drilled"
           : !is_word(judge->config, judge->wanted) ? "other limits were drilled"
                                                    : NULL;
}

static void judge_send(struct drills *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    char today[DATE_TEXT_MAX];
    if (!scene->sent.is_new || !scene->sent.is_buy || scene->limits.drill_on == 0 ||
        scene->is_stepped) {
        return; /* with another wall the core's day is another */
    }
    date_print(ny_date(event->at), today);
    const char *why = unfit(judge, today);
    if (why != NULL && is_word(judge->unseen, today)) { /* a drill's may be among them */
        findings_excuse(findings, ORACLE_DRILLED, event->at, "%s: a buy leaves, and %s",
                        scene->sent.symbol, why);
    } else if (why != NULL) {
        struct score *score = findings_score(findings, MECHANISM);
        score->missed++;
        score->risky++;
        findings_break(findings, ORACLE_DRILLED, event->at, "%s: a buy leaves, and %s",
                       scene->sent.symbol, why);
    }
}

/* By the core itself: what it found in a document was told before. */
static void judge_act(struct drills *judge, const struct event *event, struct findings *findings) {
    const struct scene_cause *down = table_find(&findings->scene->causes, "journal_down");
    bool is_lost = down != NULL && down->mode > SCENE_NORMAL;
    bool is_own = is_word(member(scene_members(findings->scene, event), "by"), "core");
    if (is_own && !judge->has_failed && !is_lost) {
        findings_score(findings, MECHANISM)->unfounded++;
    }
    judge->has_failed = false;
}

static void drills_observe(void *context, const struct event *event, struct findings *findings) {
    struct drills *judge = context;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (is_word(event->subject, "config_validation") && is_word(event->what, "acted")) {
        snprintf(judge->wanted, sizeof judge->wanted, "%s", event->id);
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    }
}

const struct judge_ops drills_judge = {KIND(EVENT_ROW) | KIND(EVENT_SEND) | KIND(EVENT_MECHANISM),
                                       drills_create, drills_observe, free};
