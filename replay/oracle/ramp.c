/* ramp.c - entries_follow_the_ramp, the oracle of capital_ramp: which phase is due, and what a buy may cost in it.
 *
 * Days, streak and phase are counted here anew, from rows that are not the ramp's (fill, latch_set), the calendar
 * and the causes in force; a row of the ramp is held against that count and against nothing that it says of itself.
 * The peak is the row's, as far as two answers about the account show it; a drop is held against it and
 * against the two answers in a row that show the fall, where what looks like a recovery within a lie of the
 * broker's view is none. A drop is known to be due with the second of them, and true while the ledger's equity
 * is as far below. Behind a journal that went back, and rows that nobody told, nothing more is judged; nor,
 * where the disk, a hand or the clock was tampered with, when a drop or a day was due. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "capital_ramp";
static const struct ratio PHASES[] = {
    {NANOS / 100 * 10}, {NANOS / 100 * 25}, {NANOS / 100 * 50}, {NANOS / 100 * 75}, {NANOS}};
enum { LAST_PHASE = sizeof PHASES / sizeof PHASES[0] - 1, TRUSTED_BREACHES = 4 };
static const struct span APART = {INT64_C(5000000000)}; /* two readings that show a fall */
static const struct span DROPS_WITHIN = {INT64_C(75000000000)};
static const struct span LIE_LASTS = {INT64_C(5000000000)};
static const struct span AT_THE_EDGE = {
    INT64_C(900000000000)};                              /* of a day: it must be seen within */
static const struct span SLACK = {INT64_C(30000000000)}; /* a tick takes its time */
static const struct span OWED_AFTER = {INT64_C(1500000000000)}; /* of an edge, in calm water */

struct stand { /* what is known of the ramp */
    int64_t phase, streak;
    bool has_peak;
    struct usd peak;
    struct date day;
};

struct ramp {
    struct stand stand;
    struct utc open, close; /* of the day that was begun last, by the calendar */
    bool is_running, has_fill;
    struct usd flows; /* ever */
    struct usd equity;
    struct utc read_at;
    bool is_pending, is_unranked;
    struct usd highest, next_highest; /* readings since the last drop, flows aside */
    int breaches, undoubted;          /* in a row; of the first, lies count on */
    struct utc since;                 /* of the first undoubted; {0} none */
    struct utc doubted_at, uneasy_at; /* uneasy: a fault, a death, or no entries allowed */
    struct utc told_at;               /* the settings */
    struct two_clocks clocks;
    bool is_missed, is_owed_told;
    int64_t last_row;
    bool is_blind, is_spoiled;
};

static void *ramp_create(void) {
    return judge_alloc(sizeof(struct ramp));
}

static struct usd nav_of(const struct ramp *judge, struct usd equity) {
    return usd_sub(equity, judge->flows);
}

static bool is_fallen(const struct ramp *judge, const struct scene *scene, struct usd equity,
                      struct usd *beyond) {
    struct usd most = usd_scale(judge->stand.peak, scene->limits.ramp_drawdown);
    *beyond = usd_sub(usd_sub(judge->stand.peak, nav_of(judge, equity)), most);
    return judge->stand.has_peak && most.nanos > 0 && beyond->nanos >= 0;
}

/* --- readings --- */

/* With the flows that its own tick has told. */
static void rank(struct ramp *judge) {
    struct usd nav = nav_of(judge, judge->equity);
    if (judge->is_unranked) {
        judge->is_unranked = false;
        judge->next_highest = usd_max(judge->next_highest, usd_min(nav, judge->highest));
        judge->highest = usd_max(judge->highest, nav);
    }
}

static void settle(struct ramp *judge, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd beyond = {0};
    rank(judge);
    if (!judge->is_pending) {
        return;
    }
    judge->is_pending = false;
    bool is_lie = scene->lie_at.ns != 0 && utc_sub(judge->read_at, scene->lie_at).ns < LIE_LASTS.ns;
    bool is_breach = is_fallen(judge, scene, judge->equity, &beyond);
    judge->undoubted = is_breach ? judge->undoubted + 1 : 0;
    judge->breaches = is_breach ? judge->breaches + 1 : is_lie ? judge->breaches : 0;
    judge->since = !is_breach             ? (struct utc){0}
                   : judge->since.ns == 0 ? judge->read_at
                                          : judge->since;
    if (judge->undoubted != 1 && !judge->is_spoiled) {
        bool is_known =
            judge->undoubted > 1 && utc_sub(judge->read_at, judge->since).ns >= APART.ns;
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), judge->read_at, is_known);
    }
}

static void take_answer(struct ramp *judge, const struct event *event, const struct scene *scene) {
    struct usd equity = {0};
    if (event->number != 200 || event->id[0] != '\0' || !is_word(event->what, "/v2/account")) {
        return;
    }
    if (json_usd(scene_answer(scene, event), "equity", &equity, NULL) == ERR_OK) {
        rank(judge);
        judge->equity = equity;
        judge->read_at = event->at;
        judge->is_pending = judge->is_unranked = true;
    }
}

/* --- rows of the ramp --- */

static struct stand read_stand(const cJSON *body) {
    struct stand stand = {.phase = -1, .streak = -1};
    const char *day = "";
    (void)!json_int(body, "phase", &stand.phase, NULL);
    (void)!json_int(body, "streak", &stand.streak, NULL);
    stand.has_peak = json_usd(body, "peak", &stand.peak, NULL) == ERR_OK;
    if (json_string(body, "day", &day, NULL) == ERR_OK) {
        (void)!date_parse(day, &stand.day, NULL);
    }
    return stand;
}

/* Behind a clean day, or a drop, or as it was. */
static struct stand due_stand(const struct ramp *judge, const struct scene *scene,
                              const char *key) {
    struct stand due = judge->stand;
    if (is_word(key, "dropped")) {
        due.phase -= due.phase > 0;
        due.streak = 0;
    } else if (is_word(key, "ended")) {
        bool is_up = due.streak + 1 >= scene->limits.ramp_days && due.phase < LAST_PHASE;
        due.phase += is_up;
        due.streak = is_up ? 0 : due.streak + 1;
    }
    return due;
}

static bool is_near(struct utc at, struct utc edge) {
    struct span since = utc_sub(at, edge);
    return since.ns >= -SLACK.ns && since.ns <= AT_THE_EDGE.ns + SLACK.ns;
}

/* Why no day begins or ends here; NULL: it may. The wall is the core's word for it where that is wrong. */
static const char *day_flaw(const struct ramp *judge, const struct event *event,
                            const struct stand *row, const struct scene *scene) {
    bool is_timed = !scene->is_stepped && scene->wall.ns == 0;
    bool is_begun = is_word(event->id, "begun");
    if (is_begun) {
        return row->day.days <= judge->stand.day.days                 ? "its date was begun before"
               : is_timed && !is_near(event->at, scene->session.open) ? "its open was not seen"
                                                                      : NULL;
    }
    return row->day.days != judge->stand.day.days          ? "another day was begun"
           : !judge->is_running                            ? "a latch was set, or it ended before"
           : !judge->has_fill                              ? "nothing was filled in it"
           : is_timed && !is_near(event->at, judge->close) ? "its close was not seen"
                                                           : NULL;
}

/* What a person or a fault demanded only just now may not have reached the core when it wrote. */
static const char *mode_flaw(const struct scene *scene) {
    return scene->mode >= SCENE_REDUCE_ONLY ? scene_strict_cause(scene) : NULL;
}

static const char *peak_flaw(const struct ramp *judge, const struct event *event,
                             const struct stand *row, const struct scene *scene) {
    struct usd fall = usd_sub(judge->stand.peak, row->peak);
    if (is_word(event->id, "dropped")) {
        bool is_far = usd_cmp(fall, usd_scale(judge->stand.peak, scene->limits.ramp_drawdown)) >= 0;
        return is_far ? NULL : "a drop from no such height";
    }
    if (is_word(event->id, "peak")) {
        return judge->stand.has_peak && fall.nanos > 0       ? "a peak that falls"
               : usd_cmp(row->peak, judge->next_highest) > 0 ? "a peak that no two readings show"
                                                             : NULL;
    }
    return row->has_peak != judge->stand.has_peak || fall.nanos != 0 ? "another peak" : NULL;
}

static void judge_stand(const struct ramp *judge, const struct event *event,
                        const struct stand *row, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct stand due = due_stand(judge, scene, event->id);
    bool is_day = is_word(event->id, "begun") || is_word(event->id, "ended");
    const char *flaw = is_day ? day_flaw(judge, event, row, scene) : NULL;
    flaw = flaw == NULL && is_day ? mode_flaw(scene) : flaw;
    flaw = flaw == NULL && !judge->is_spoiled ? peak_flaw(judge, event, row, scene) : flaw;
    if (flaw != NULL) {
        findings_break(findings, ORACLE_RAMP, event->at, "%s: %s", event->id, flaw);
    } else if (row->phase != due.phase || row->streak != due.streak) {
        findings_break(findings, ORACLE_RAMP, event->at,
                       "%s: phase %lld with %lld clean days, due are %lld and %lld", event->id,
                       (long long)row->phase + 1, (long long)row->streak, (long long)due.phase + 1,
                       (long long)due.streak);
    }
}

static void take_stand(struct ramp *judge, const struct event *event, const struct stand *row,
                       const struct scene *scene) {
    judge->stand = *row;
    judge->stand.phase = row->phase < 0 || row->phase > LAST_PHASE ? 0 : row->phase;
    if (is_word(event->id, "begun")) {
        judge->open = scene->session.open;
        judge->close = scene->session.close;
        judge->is_running = true;
        judge->has_fill = judge->is_owed_told = false;
    } else if (is_word(event->id, "ended")) {
        judge->is_running = false;
    } else if (is_word(event->id, "dropped")) {
        judge->highest = judge->next_highest = (struct usd){0};
        judge->is_unranked = judge->is_pending = judge->is_missed = false;
        judge->breaches = judge->undoubted = 0;
        judge->since = (struct utc){0};
        judge->clocks = (struct two_clocks){0};
    }
}

static void take_row(struct ramp *judge, const struct event *event, struct findings *findings) {
    struct usd amount = {0};
    judge->is_blind |= judge->last_row != 0 && event->number != judge->last_row + 1;
    judge->last_row = event->number;
    if (is_word(event->subject, "fill")) {
        judge->has_fill = true;
    } else if (is_word(event->subject, "latch_set")) {
        judge->stand.streak = 0;
        judge->is_running = false;
    } else if (is_word(event->subject, "flow")) {
        (void)!json_usd(scene_body(findings->scene, event), "usd", &amount, NULL);
        judge->flows = usd_add(judge->flows, amount);
    } else if (is_word(event->subject, "ramp")) {
        struct stand row = read_stand(scene_body(findings->scene, event));
        rank(judge);
        if (!judge->is_blind) {
            judge_stand(judge, event, &row, findings);
        }
        take_stand(judge, event, &row, findings->scene);
    }
}

/* --- what is due --- */

static void judge_word(struct ramp *judge, const struct event *event, struct findings *findings) {
    if (!is_word(event->what, "acted") || judge->is_spoiled) {
        return;
    }
    settle(judge, findings);
    (void)clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at);
    if (judge->breaches < 2) {
        findings_break(findings, ORACLE_RAMP, event->at, "a drop by %d readings", judge->breaches);
    }
}

static void judge_fall(struct ramp *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = utc_max(scene_since(scene, judge->since), judge->doubted_at);
    since = utc_max(utc_max(since, scene->up_since), judge->told_at);
    if (judge->undoubted >= TRUSTED_BREACHES && scene_is_open(scene) && !judge->is_missed &&
        utc_sub(event->at, since).ns > DROPS_WITHIN.ns) {
        judge->is_missed = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_RAMP, event->at, "no drop by %d readings",
                       judge->undoubted);
    }
}

/* In water that was calm since the day's open. */
static bool is_calm(const struct ramp *judge, const struct scene *scene, struct utc open) {
    struct utc uneasy = utc_max(judge->uneasy_at, utc_max(scene->fault_at, scene->up_since));
    return !scene->is_stepped && scene->wall.ns == 0 && utc_is_before(uneasy, open) &&
           utc_is_before(judge->told_at, open);
}

static void judge_days(struct ramp *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_begun = judge->stand.day.days >= scene->session.date.days;
    struct utc open = scene->session.open;
    const char *flaw = NULL;
    if (scene_is_open(scene) && !is_begun && is_calm(judge, scene, open) &&
        utc_sub(event->at, open).ns > OWED_AFTER.ns) {
        flaw = "a calm day was not begun";
    } else if (judge->is_running && judge->has_fill && is_calm(judge, scene, judge->open) &&
               utc_sub(event->at, judge->close).ns > OWED_AFTER.ns) {
        flaw = "a clean day was not counted";
    }
    if (flaw != NULL && !judge->is_owed_told) {
        judge->is_owed_told = true;
        findings_break(findings, ORACLE_RAMP, event->at, "%s", flaw);
    }
}

static void judge_tick(struct ramp *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    settle(judge, findings);
    judge->doubted_at = scene_is_doubting(scene) ? event->at : judge->doubted_at;
    judge->uneasy_at = scene->mode >= SCENE_REDUCE_ONLY ? event->at : judge->uneasy_at;
    if (!judge->is_spoiled) {
        judge_fall(judge, event, findings);
        judge_days(judge, event, findings);
    }
}

static void judge_buy(const struct ramp *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd cost = {0};
    struct usd largest = usd_min(scene_largest_entry(scene), scene->limits.order_cap);
    struct usd most = usd_scale(largest, PHASES[judge->stand.phase]);
    (void)!usd_times_qty(scene->sent.limit, scene->sent.qty, &cost, NULL);
    if (most.nanos > 0 && usd_cmp(cost, most) > 0) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_RAMP, event->at,
                       "%s: a buy of %lld USD in phase %lld, at most %lld", scene->sent.symbol,
                       (long long)(cost.nanos / NANOS), (long long)judge->stand.phase + 1,
                       (long long)(most.nanos / NANOS));
    }
}

static void judge_refusal(const struct ramp *judge, const struct event *event,
                          struct findings *findings) {
    if (is_word(event->subject, "RAMP") &&
        (!is_word(event->what, "entry") || judge->stand.phase == LAST_PHASE)) {
        findings_break(findings, ORACLE_RAMP, event->at,
                       "%s: refused for the ramp: %s in phase %lld", event->symbol, event->what,
                       (long long)judge->stand.phase + 1);
    }
}

static bool spoils(const struct event *event) {
    return strncmp(event->subject, "disk.", 5) == 0 || strncmp(event->subject, "clock.", 6) == 0 ||
           is_word(event->subject, "edit_document");
}

static void judge_it(struct ramp *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd beyond = {0};
    if (event->kind == EVENT_LEDGER_EQUITY) {
        bool is_due = is_fallen(judge, scene, event->amount, &beyond);
        clocks_true(&judge->clocks, event->at, is_due, beyond);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM)) {
        judge_word(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_SEND && scene->sent.is_new && scene->sent.is_buy) {
        judge_buy(judge, event, findings);
    } else if (event->kind == EVENT_REFUSAL) {
        judge_refusal(judge, event, findings);
    }
}

static void ramp_observe(void *context, const struct event *event, struct findings *findings) {
    struct ramp *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_FRAME) {
        judge->told_at = scene->now;
    } else if (event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR) {
        judge->is_spoiled = judge->is_spoiled || spoils(event);
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings->scene);
    } else if (event->kind == EVENT_START) {
        judge->breaches = judge->undoubted = 0;
        judge->since = (struct utc){0};
        judge->is_pending = false;
    } else if (!judge->is_blind && scene->limits.ramp_on != 0) {
        judge_it(judge, event, findings);
    }
}

const struct judge_ops ramp_judge = {KIND(EVENT_FRAME) | KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
                                         KIND(EVENT_ROW) | KIND(EVENT_HTTP) | KIND(EVENT_START) |
                                         KIND(EVENT_LEDGER_EQUITY) | KIND(EVENT_MECHANISM) |
                                         KIND(EVENT_TICK) | KIND(EVENT_SEND) | KIND(EVENT_REFUSAL),
                                     ramp_create, ramp_observe, free};
