/* crashes.c - crash_loops_are_latched, the oracle of crash_loop_freeze: a core that starts again and again
 * with no clean stop before, or whose ticks fail again and again, is latched by the end of the tick, and
 * nothing less is.
 *
 * *Known* are the core's own rows: a `start` that follows a `start`, no `stop` between them. *True* is what
 * the stage saw end: a life that died, was succeeded, was refused, or whose stop no row says; a row that
 * nobody was told of may have counted any of them. Failed ticks are the core's word, and without a fault of the disk
 * or a hand no tick fails. Times are the wall's as the rows show it; where a clock fault set it, the stage's
 * own, with a minute to spare, and nothing at all is said of lives of several boots then. A journal that went
 * back leaves nothing to count from. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "crash_loop_freeze";
enum { TIMES_MAX = 512 };
static const struct span SPARE = {INT64_C(1000000000)}; /* between a row and what its body says */
static const struct span SPARE_STEPPED = {INT64_C(60000000000)};

struct when_failed {
    struct utc at;      /* by the row, or by what was told */
    struct utc true_at; /* by what the stage told last */
    bool is_sure;
    bool is_durable; /* a row says so: it counts in later lives too */
};

struct failures { /* of one kind; a ring */
    struct when_failed items[TIMES_MAX];
    size_t count;
};

struct crashes {
    struct failures starts, ticks;
    struct two_clocks clocks;
    struct utc stage_now;    /* the newest instant that the stage told, not the core */
    int64_t last_row;        /* 0: none was told yet */
    int64_t ends;            /* since the last start row: lives that may have journaled a start */
    struct utc unsure_since; /* rows were lost, or not told; {0}: no */
    char boot[TABLE_NAME_MAX];
    bool is_running; /* by the rows */
    bool has_boots;  /* more than one */
    bool is_disk_hit, has_hand;
    bool is_told;
};

static void *crashes_create(void) {
    return judge_alloc(sizeof(struct crashes));
}

static void forget(struct crashes *judge) {
    judge->starts.count = judge->ticks.count = 0;
    judge->clocks = (struct two_clocks){0};
    judge->ends = 0;
    judge->is_told = false;
}

static struct when_failed *add(struct crashes *judge, struct failures *failures, struct utc at,
                               bool is_sure) {
    struct when_failed *failed = &failures->items[failures->count++ % TIMES_MAX];
    *failed = (struct when_failed){.at = at, .true_at = judge->stage_now, .is_sure = is_sure};
    return failed;
}

static int64_t count_within(const struct failures *failures, const struct when_failed *newest,
                            const struct scene *scene, bool must_be_sure) {
    int64_t count = 0;
    struct span spare = scene->is_stepped ? SPARE_STEPPED : SPARE;
    int64_t window_ns = scene->limits.crash_window.ns + (must_be_sure ? -spare.ns : spare.ns);
    for (size_t i = 0; i < TIMES_MAX && i < failures->count; i++) {
        const struct when_failed *other = &failures->items[i];
        struct span apart = scene->is_stepped ? utc_sub(newest->true_at, other->true_at)
                                              : utc_sub(newest->at, other->at);
        count += apart.ns < window_ns && (other->is_sure || !must_be_sure);
    }
    return count;
}

static bool is_held(const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, MECHANISM);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

static void weigh(struct crashes *judge, const struct failures *failures, int64_t limit,
                  struct utc at, struct findings *findings) {
    const struct when_failed *newest = &failures->items[(failures->count - 1) % TIMES_MAX];
    if (limit == 0 || is_held(findings->scene)) {
        return;
    }
    if (count_within(failures, newest, findings->scene, false) >= limit) {
        clocks_true(&judge->clocks, at, true, (struct usd){0});
    }
    if (newest->is_sure && count_within(failures, newest, findings->scene, true) >= limit) {
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, true);
    }
}

/* --- rows --- */

static void take_boot(struct crashes *judge, const struct event *event, const struct scene *scene) {
    char boot[TABLE_NAME_MAX] = "";
    (void)!json_copy(scene_body(scene, event), "boot", boot, sizeof boot, NULL);
    judge->has_boots |= judge->boot[0] != '\0' && !is_word(judge->boot, boot);
    memcpy(judge->boot, boot, sizeof boot);
}

/* What its life told and no row says is gone with it; what that added up to is weighed anew. */
static void lose_ticks(struct crashes *judge) {
    judge->clocks = (struct two_clocks){0};
    for (size_t i = 0; i < TIMES_MAX && i < judge->ticks.count; i++) {
        struct when_failed *tick = &judge->ticks.items[i];
        tick->is_sure = tick->is_sure && tick->is_durable;
    }
}

/* Of the lives that ended since the last one that was told, each may have been counted by one of those
 * that followed it, told or not. */
static void take_start(struct crashes *judge, const struct event *event, bool is_next,
                       struct findings *findings) {
    take_boot(judge, event, findings->scene);
    lose_ticks(judge);
    bool is_sure = judge->is_running && is_next;
    for (int64_t i = is_sure ? 1 : 0; i < judge->ends; i++) {
        add(judge, &judge->starts, event->at, false);
    }
    if (is_sure) {
        add(judge, &judge->starts, event->at, true)->is_durable = true;
    }
    if (is_sure || judge->ends > 0) {
        weigh(judge, &judge->starts, findings->scene->limits.crash_starts, event->at, findings);
    }
    judge->is_running = true;
    judge->ends = 0;
}

static void take_row(struct crashes *judge, const struct event *event, struct findings *findings) {
    bool is_back = event->number <= judge->last_row;
    bool is_next = judge->last_row == 0 || event->number == judge->last_row + 1;
    bool is_clear = is_word(event->subject, "latch_clear") && is_word(event->id, MECHANISM);
    if (is_back || is_clear) {
        forget(judge);
    }
    judge->unsure_since = is_next ? judge->unsure_since : judge->stage_now;
    judge->last_row = event->number;
    if (is_word(event->subject, "start")) {
        take_start(judge, event, is_next, findings);
    } else if (is_word(event->subject, "stop")) {
        judge->is_running = false;
        judge->ends = 0;
    } else if (is_word(event->subject, "tick_failed") && judge->ticks.count > 0) {
        judge->ticks.items[(judge->ticks.count - 1) % TIMES_MAX].is_durable = true;
    }
}

/* --- the rest --- */

static void judge_act(struct crashes *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct span unsure = utc_sub(judge->stage_now, judge->unsure_since);
    bool is_own = strstr(event->body, "\"by\":\"core\"") != NULL; /* not a document, nor a person */
    bool is_flag = strstr(event->body, "\"by\":\"flag\"") != NULL;
    bool is_due = judge->clocks.true_at.ns != 0 || judge->clocks.known_at.ns != 0;
    bool is_unsure =
        (scene->is_stepped && judge->has_boots) ||
        (judge->unsure_since.ns != 0 && unsure.ns < scene->limits.crash_window.ns + SPARE.ns);
    if (is_own && (is_due || !is_unsure) &&
        !clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_CRASHES, event->at, "latched, and nothing had crashed");
    }
    if (is_flag && !judge->is_disk_hit && !judge->has_hand) {
        findings_score(findings, MECHANISM)->unfounded++;
        findings_break(findings, ORACLE_CRASHES, event->at,
                       "a flag was found that nobody put there");
    }
    judge->clocks = (struct two_clocks){0};
}

static void take_failed_tick(struct crashes *judge, const struct event *event,
                             struct findings *findings) {
    if (!judge->is_disk_hit && !judge->has_hand) {
        findings_score(findings, MECHANISM)->unfounded++;
        findings_break(findings, ORACLE_CRASHES, event->at,
                       "a tick is said to have failed, and nothing was wrong with the disk");
    }
    add(judge, &judge->ticks, event->at, true);
    weigh(judge, &judge->ticks, findings->scene->limits.crash_ticks, event->at, findings);
}

static void judge_tick(struct crashes *judge, const struct event *event,
                       struct findings *findings) {
    bool is_unsure = findings->scene->is_stepped && judge->has_boots;
    bool is_late = judge->clocks.known_at.ns != 0 && !is_held(findings->scene) && !is_unsure;
    if (is_late && !judge->is_told) {
        judge->is_told = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_CRASHES, event->at,
                       "a crash loop is not latched by the end of the tick");
    }
}

/* A start that finds the directory held has written nothing. */
static void take_end(struct crashes *judge, const struct event *event) {
    static const char held[] = "the state directory is held";
    bool is_start = event->kind == EVENT_START;
    bool is_refused = is_start && is_word(event->subject, "refused") &&
                      strncmp(event->what, held, sizeof held - 1) != 0;
    bool is_clean = is_word(event->subject, "clean") && !judge->is_running;
    judge->ends += is_start ? is_refused : !is_clean;
}

static void take_stage_time(struct crashes *judge, const struct event *event) {
    if (event->kind == EVENT_STOP ? !is_word(event->subject, "clean")
                                  : event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR ||
                                        event->kind == EVENT_LEDGER_EQUITY) {
        judge->stage_now = utc_max(judge->stage_now, event->at);
    }
}

static void take_mechanism(struct crashes *judge, const struct event *event,
                           struct findings *findings) {
    if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "warned")) {
        take_failed_tick(judge, event, findings);
    }
}

static void crashes_observe(void *context, const struct event *event, struct findings *findings) {
    struct crashes *judge = context;
    take_stage_time(judge, event);
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_STOP || event->kind == EVENT_START) {
        take_end(judge, event);
    } else if (event->kind == EVENT_OTHER) { /* another process on our directory may count too */
        judge->ends += is_word(event->subject, "start") && is_word(event->id, "here");
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_SEND) {
        const struct scene_sent *sent = &findings->scene->sent;
        findings_score(findings, MECHANISM)->risky +=
            sent->is_new && sent->is_buy && is_held(findings->scene);
    } else if (event->kind == EVENT_MECHANISM) {
        take_mechanism(judge, event, findings);
    } else {
        judge->is_disk_hit |= strncmp(event->subject, "disk.", 5) == 0;
        judge->has_hand |= is_word(event->subject, "edit_document");
    }
}

const struct judge_ops crashes_judge = {
    KIND(EVENT_ROW) | KIND(EVENT_STOP) | KIND(EVENT_START) | KIND(EVENT_OTHER) | KIND(EVENT_TICK) |
        KIND(EVENT_SEND) | KIND(EVENT_MECHANISM) | KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
        KIND(EVENT_LEDGER_EQUITY),
    crashes_create, crashes_observe, free};
