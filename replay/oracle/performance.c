/* performance.c - performance_pauses_entries, the oracle of performance_breaker: closed trades that
 * lose pause entries by the end of the tick, nothing less does, and a pause lasts as long as it must.
 *
 * Known are the core's own rows, `fill` and `adopt`, added up to round trips here once more; true is what
 * the ledger executed for our orders. Whether a mean is below zero with 95 % confidence is asked of
 * Student's distribution itself (Abramowitz & Stegun 26.7.3 and 26.7.4: a finite sum for whole degrees),
 * where the core compares with a quantile; within 1e-6 of it nothing is said. A pause begins with its row, or
 * with the core's word where the journal took none: that one ends with its life. Behind a journal
 * that went back, and rows that nobody told, nothing more is judged; nor, once a wall was set, is how long a
 * pause of an earlier life lasts. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"
#include "replay/oracle/trades.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "performance_breaker";
static const double CONFIDENCE = 0.95, UNSURE = 1e-6;

enum says { SAYS_NOTHING, SAYS_LOSS, SAYS_UNSURE };

struct performance {
    struct trades known, real;
    struct usd baseline;                              /* as the core journaled it */
    int64_t known_judged, real_judged, judged_before; /* trades, when it last paused */
    struct two_clocks clocks;
    bool is_unsure;
    bool is_paused, is_noted, is_told; /* is_told: by the core, in this life */
    struct utc since;                  /* its row, or word, was told */
    struct utc
        counted; /* it counts from some instant between this and since: a commit may take seconds */
    struct utc word_at; /* the core's last, but for rows: those of one commit are told together */
    int64_t life, since_life;
    int ticks_beyond; /* ended behind the pause, with the core still in it */
    bool is_missed;
    int64_t last_row;
    bool is_blind;
};

static void *performance_create(void) {
    struct performance *judge = judge_alloc(sizeof *judge);
    judge->known = trades_none();
    judge->real = trades_none();
    return judge;
}

static void performance_destroy(void *context) {
    struct performance *judge = context;
    trades_release(&judge->known);
    trades_release(&judge->real);
    free(judge);
}

/* --- what trades say --- */

/* P(T <= t) of Student's T with so many degrees, for t >= 0. */
static double student_below(double t, int64_t degrees) {
    const double angle = atan(t / sqrt((double)degrees));
    const double cosine = cos(angle), square = cosine * cosine;
    bool is_odd = degrees % 2 == 1;
    double term = is_odd ? cosine : 1, sum = 0;
    for (int64_t k = is_odd ? 3 : 2; k <= degrees; k += 2) {
        sum += term;
        term *= square * (double)(k - 1) / (double)k;
    }
    double within = is_odd ? 2 / acos(-1.0) * (angle + sin(angle) * sum) : sin(angle) * sum;
    return (1 + within) / 2;
}

/* Whether the mean is below zero, and certainly enough. */
static enum says say_of_mean(const struct trades *trades) {
    int64_t n = trades->count < TRADES_KEPT ? trades->count : TRADES_KEPT;
    double mean = (double)trades_profit(trades, n).nanos / (double)n, squares = 0;
    for (int64_t i = 1; i <= n; i++) {
        double off = (double)trades->profits[(trades->count - i) % TRADES_KEPT].nanos - mean;
        squares += off * off;
    }
    if (n < 2 || mean >= 0 || squares == 0) { /* equal losses leave no doubt */
        return n >= 2 && mean < 0 ? SAYS_LOSS : SAYS_NOTHING;
    }
    double certain = student_below(-mean / sqrt(squares / (double)(n - 1) / (double)n), n - 1);
    double off = certain - CONFIDENCE;
    return fabs(off) < UNSURE ? SAYS_UNSURE : off > 0 ? SAYS_LOSS : SAYS_NOTHING;
}

static enum says say(const struct trades *trades, int64_t judged, struct usd baseline,
                     const struct scene_limits *limits) {
    if (trades->count <= judged || trades->count < limits->performance_trades) {
        return SAYS_NOTHING;
    }
    struct usd most = usd_scale(baseline, limits->performance_loss);
    struct usd profit = trades_profit(trades, limits->performance_trades);
    bool is_lost = baseline.nanos > 0 && usd_cmp(usd_neg(profit), most) > 0;
    return is_lost ? SAYS_LOSS : say_of_mean(trades);
}

/* --- due --- */

/* Trues and knowns, as they stand: within a pause nothing is due. */
static void look(struct performance *judge, struct utc at, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_over =
        !judge->is_paused || utc_sub(at, judge->counted).ns >= scene->limits.performance_pause.ns;
    enum says known = say(&judge->known, judge->known_judged, judge->baseline, &scene->limits);
    enum says real = say(&judge->real, judge->real_judged, scene->baseline, &scene->limits);
    judge->is_unsure = known == SAYS_UNSURE;
    clocks_true(&judge->clocks, at, is_over && real == SAYS_LOSS, (struct usd){0});
    clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at,
                 is_over && known == SAYS_LOSS);
}

static void begin_pause(struct performance *judge, struct utc at, bool is_noted,
                        struct findings *findings) {
    look(judge, at, findings);
    if (!judge->is_unsure && !clocks_act(&judge->clocks, findings_score(findings, MECHANISM), at)) {
        findings_break(
            findings, ORACLE_PERFORMANCE, at,
            "entries pause, and %lld closed trades are too few, lose too little, or paused before",
            (long long)judge->known.count);
    }
    judge->clocks = (struct two_clocks){0};
    judge->judged_before = judge->known_judged;
    judge->known_judged = judge->known.count;
    judge->real_judged = judge->real.count;
    judge->is_paused = true;
    judge->is_noted = is_noted;
    judge->since = at;
    judge->counted = judge->word_at;
    judge->since_life = judge->life;
    judge->is_missed = false;
    judge->ticks_beyond = 0;
}

/* --- rows --- */

static void take_row(struct performance *judge, const struct event *event,
                     struct findings *findings) {
    judge->is_blind |= judge->last_row != 0 && event->number != judge->last_row + 1;
    judge->last_row = event->number;
    if (is_word(event->subject, "pause") && is_word(event->id, MECHANISM)) {
        if (!judge->is_blind) {
            begin_pause(judge, event->at, true, findings);
        }
        judge->is_told = false;
        return;
    }
    trades_take_row(&judge->known, event, findings->scene);
    if (is_word(event->subject, "baseline")) {
        (void)!json_usd(scene_body(findings->scene, event), "usd", &judge->baseline, NULL);
    }
}

static void take_execution(struct performance *judge, const struct event *event,
                           const struct scene *scene) {
    struct usd amount = {0};
    const struct scene_order *order = table_find(&scene->orders, event->id);
    if (order != NULL && order->is_cover) {
        return; /* what was short is no trade of the core's */
    }
    if (strncmp(event->id, "split:", 6) == 0) {
        trades_resize(&judge->real, event->symbol, scene_symbol(scene, event->symbol)->qty);
    }
    if (strncmp(event->id, "spin:", 5) == 0 &&
        usd_times_qty(event->price, event->qty, &amount, NULL) == ERR_OK) {
        trades_spin_off(&judge->real, event->symbol, scene_symbol(scene, event->symbol)->qty,
                        event->id + 5, amount);
    }
    if (scene_is_ours(scene, event->id) &&
        usd_times_qty(event->price, event->qty, &amount, NULL) == ERR_OK) {
        trades_fill(&judge->real, event->symbol, event->id, is_word(event->subject, "buy"),
                    event->qty, amount);
    }
}

/* --- the pause --- */

/* How long it lasted can be said: in the life that began it always, later while the wall is true. */
static bool is_timed(const struct performance *judge, const struct scene *scene) {
    return judge->is_paused && (judge->life == judge->since_life || !scene->is_stepped);
}

static void judge_word(struct performance *judge, const struct event *event,
                       struct findings *findings) {
    struct span lasted = utc_sub(event->at, judge->counted);
    struct span pause = findings->scene->limits.performance_pause;
    if (is_word(event->what, "released")) {
        if (is_timed(judge, findings->scene) && lasted.ns < pause.ns) {
            findings_break(findings, ORACLE_PERFORMANCE, event->at, "a pause ended after %lld s",
                           (long long)(lasted.ns / NANOS));
        }
        judge->is_paused = judge->is_told = false;
    } else if (is_word(event->what, "acted")) {
        if (!judge->is_paused || judge->is_told) { /* no row told of it */
            begin_pause(judge, event->at, false, findings);
        }
        judge->is_told = true;
    }
}

static void judge_send(struct performance *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    struct span lasted = utc_sub(event->at, judge->counted);
    if (sent->is_new && sent->is_buy && is_timed(judge, findings->scene) &&
        lasted.ns < findings->scene->limits.performance_pause.ns) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_PERFORMANCE, event->at, "%s: bought %lld s into a pause",
                       sent->symbol, (long long)(lasted.ns / NANOS));
    }
}

static void judge_refusal(const struct performance *judge, const struct event *event,
                          struct findings *findings) {
    if (!is_word(event->subject, "PERFORMANCE")) {
        return;
    }
    if (!is_word(event->what, "entry")) {
        findings_break(findings, ORACLE_PERFORMANCE, event->at, "%s: an exit pauses",
                       event->symbol);
    } else if (!judge->is_paused) {
        findings_break(findings, ORACLE_PERFORMANCE, event->at, "%s: refused, and nothing pauses",
                       event->symbol);
    }
}

/* A tick may begin within the pause and end behind it, the next one may not. */
static void judge_tick(struct performance *judge, const struct event *event,
                       struct findings *findings) {
    bool is_past =
        utc_sub(event->at, judge->since).ns >= findings->scene->limits.performance_pause.ns;
    if (is_past && !judge->is_told) { /* a life began behind its end: nobody had to say so */
        judge->is_paused = false;
    }
    look(judge, event->at, findings);
    if (judge->clocks.known_at.ns != 0 && !judge->is_paused && !judge->is_missed) {
        judge->is_missed = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_PERFORMANCE, event->at,
                       "%lld closed trades lose, and nothing pauses",
                       (long long)judge->known.count);
    }
    bool is_beyond = judge->is_told && is_timed(judge, findings->scene) && is_past;
    judge->ticks_beyond += is_beyond;
    if (is_beyond && judge->ticks_beyond == 2) {
        findings_break(findings, ORACLE_PERFORMANCE, event->at, "a pause goes on beyond its time");
    }
}

/* What the journal did not take ends with the life that knew of it. */
static void take_death(struct performance *judge) {
    judge->life++;
    judge->is_told = false;
    if (judge->is_paused && !judge->is_noted) {
        judge->is_paused = false;
        judge->known_judged = judge->real_judged = judge->judged_before;
    }
}

static void performance_observe(void *context, const struct event *event,
                                struct findings *findings) {
    struct performance *judge = context;
    bool is_judged = !judge->is_blind && findings->scene->limits.performance_trades > 0;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_execution(judge, event, findings->scene);
    } else if (event->kind == EVENT_STOP) {
        take_death(judge);
    } else if (!is_judged) {
        return; /* for good */
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_REFUSAL) {
        judge_refusal(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM)) {
        judge_word(judge, event, findings);
    }
    if (event->kind == EVENT_TICK || event->kind == EVENT_SEND || event->kind == EVENT_HTTP ||
        event->kind == EVENT_START || event->kind == EVENT_STOP) {
        judge->word_at = event->at;
    }
}

const struct judge_ops performance_judge = {
    KIND(EVENT_ROW) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_START) | KIND(EVENT_STOP) |
        KIND(EVENT_TICK) | KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_REFUSAL) |
        KIND(EVENT_MECHANISM),
    performance_create, performance_observe, performance_destroy};
