/* degraded.c - degraded_is_entered, the oracle of degraded_mode: it is entered when account, positions or
 * orders were not answered for longer than degraded.truth_max_age_s, and not while all of them were.
 *
 * An answer is one with status 200 about the whole; what the core makes of its body is the core's to say, so
 * silence alone makes it due, and without a fault of the last two minutes or a start nothing but silence may.
 * In HALT not everything is asked (another account answers; a kill takes the budget): then it is not due, but
 * where there was silence it is no mistake. The ledger has no word on it: both clocks are the answers'. */
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const char MECHANISM[] = "degraded_mode";
static const char *const READS[] = {"/v2/account", "/v2/positions", "/v2/orders?status=open"};
enum { READ_COUNT = sizeof READS / sizeof READS[0] };

static const struct span ENTERED_WITHIN = {INT64_C(15000000000)};
enum { TICKS_WITHIN = 3 };
static const struct span DISTURBED = {INT64_C(120000000000)};

struct degraded {
    struct utc answered_at[READ_COUNT]; /* {0}: not since the start */
    struct two_clocks clocks;
    struct utc tick_at; /* end of the last */
    int ticks_due;      /* in a row */
    bool is_on, is_told;
};

static void *degraded_create(void) {
    return judge_alloc(sizeof(struct degraded));
}

static void take_answer(struct degraded *judge, const struct event *event) {
    for (int i = 0; i < READ_COUNT; i++) {
        bool is_whole = i < 2 ? is_word(event->what, READS[i]) : begins(event->what, READS[i]);
        if (is_whole && event->number == 200 && event->id[0] == '\0') {
            judge->answered_at[i] = event->at;
        }
    }
}

/* The oldest of the three; a start counts as an answer: before it nothing could be known. */
static struct span silence(const struct degraded *judge, const struct scene *scene,
                           struct utc now) {
    struct span most = {0};
    for (int i = 0; i < READ_COUNT; i++) {
        struct utc last = utc_max(judge->answered_at[i], scene->up_since);
        struct span since = utc_sub(now, last);
        if (utc_is_before(judge->tick_at, last)) {
            continue; /* answered in this very tick, however long that takes */
        }
        most = since.ns > most.ns ? since : most;
    }
    return most;
}

static bool is_disturbed(const struct scene *scene, struct utc now) {
    return !scene->is_up || scene->is_stepped || scene->is_locked_out ||
           utc_sub(now, scene->up_since).ns < DISTURBED.ns ||
           (scene->fault_at.ns != 0 && utc_sub(now, scene->fault_at).ns < DISTURBED.ns);
}

/* It may be entered, whatever the mode. */
static bool is_silent(const struct degraded *judge, const struct scene *scene, struct utc now) {
    struct span most = scene->limits.truth_max_age;
    return most.ns > 0 && scene->is_up && scene_is_open(scene) && !scene->is_stepped &&
           silence(judge, scene, now).ns > most.ns;
}

/* What the answers so far say of this instant. */
static bool weigh(struct degraded *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_due = scene->mode != SCENE_HALT && is_silent(judge, scene, event->at);
    clocks_true(&judge->clocks, event->at, is_due, (struct usd){0});
    if (!judge->is_on) {
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), event->at, is_due);
    }
    return is_due;
}

static void judge_act(struct degraded *judge, const struct event *event,
                      struct findings *findings) {
    bool is_due = weigh(judge, event, findings);
    judge->is_on = true;
    judge->is_told = false;
    if (!is_due && (is_disturbed(findings->scene, event->at) ||
                    is_silent(judge, findings->scene, event->at))) {
        return; /* another reason may be behind it: an answer that was none, the start, HALT */
    }
    if (!clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_DEGRADED_ENTERED, event->at,
                       "entered, and account, positions and orders were answered");
    }
}

static void judge_tick(struct degraded *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_due = weigh(judge, event, findings);
    struct span silent = silence(judge, scene, event->at);
    judge->ticks_due = is_due ? judge->ticks_due + 1 : 0;
    judge->tick_at = event->at;
    if (judge->ticks_due > TICKS_WITHIN && !judge->is_on && !judge->is_told &&
        silent.ns > scene->limits.truth_max_age.ns + ENTERED_WITHIN.ns) {
        judge->is_told = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_DEGRADED_ENTERED, event->at,
                       "%lld s without an answer, and not degraded",
                       (long long)(silent.ns / NANOS));
    }
}

static void degraded_observe(void *context, const struct event *event, struct findings *findings) {
    struct degraded *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_STOP) { /* a start enters it before it is ready */
        *judge = (struct degraded){0};
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM)) {
        if (is_word(event->what, "acted")) {
            judge_act(judge, event, findings);
        } else if (is_word(event->what, "released")) {
            judge->is_on = false;
            judge->clocks.known_at = (struct utc){0};
        }
    } else if (event->kind == EVENT_SEND && sent->is_new && sent->is_buy && judge->is_on) {
        findings_score(findings, MECHANISM)->risky++;
    }
}

const struct judge_ops degraded_judge = {KIND(EVENT_HTTP) | KIND(EVENT_TICK) | KIND(EVENT_STOP) |
                                             KIND(EVENT_MECHANISM) | KIND(EVENT_SEND),
                                         degraded_create, degraded_observe, free};
