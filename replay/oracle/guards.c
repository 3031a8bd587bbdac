/* guards.c - the oracle of daily_loss, equity_floor and max_drawdown: guards_trip_at_their_limit,
 * open_risk_within_the_loss_limit, and of peak_never_falls that the peak rises by two readings. The
 * limits on equity, to the last nano.
 *
 * A reading is an answer about the account as the core saw it; baseline, go-live equity, peak and flows
 * are those of the journal's rows, those of a reading's own tick included; a deposit above data.cash_step counts from when it
 * was made, told or not, once a row ("cash") has said what the core takes for explained. A guard trips by the second
 * breach in a row, and at the latest after 75 s of nothing else, unless the core says meanwhile that it
 * cannot believe its readings; a person's release begins them anew, with the next reading. What looks like
 * a recovery within a lie of the broker's view ends no row of breaches. It is known to be due with the
 * second reading in a row, and true while the ledger's equity is beyond the limit. Where rows may be
 * durable that nobody told, or the disk, a hand or the clock was tampered with, nothing is judged any more.
 * A person ends equity_floor while equity, as last read, is a hundredth above the floor, and daily_loss on another
 * exchange day than that on which it tripped; neither sooner.
 */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span TRIPS_WITHIN = {INT64_C(75000000000)};
static const struct span LIE_LASTS = {INT64_C(5000000000)};
static const struct span FOREIGN_KNOWN = {INT64_C(60000000000)};
static const struct ratio FLOOR_MARGIN = {NANOS / 100};
static const struct ratio HELD_MARGIN = {NANOS / 10 * 9}; /* prices of positions may be old */
enum { TRUSTED_BREACHES = 4, FLOWS_MAX = 64 };

static const char *const CAUSES[] = {"daily_loss", "equity_floor", "max_drawdown"};
enum { LOSS, FLOOR, DRAWDOWN, GUARD_COUNT };

struct guard {
    int breaches;     /* in a row, but for what looked well within a lie of the broker's view */
    int undoubted;    /* in a row */
    struct utc since; /* of the first of those, or behind a release; {0}: none */
    bool is_reported;
    bool is_held;    /* from its act to a person's clear */
    struct date day; /* of the exchange, of its act */
    struct two_clocks clocks;
};

struct flow {
    struct date date;
    struct usd amount;
    bool is_income; /* a dividend counts in its day alone */
    bool is_untold; /* the broker moved it, and no row says so yet */
};

struct guards {
    struct guard items[GUARD_COUNT];
    struct usd equity; /* of the last reading */
    struct utc read_at;
    bool has_reading, is_pending;     /* pending: not yet held against the limits */
    bool is_unranked;                 /* the last reading is not in these two yet */
    struct usd highest, next_highest; /* readings, flows aside */
    struct usd baseline, go_live, peak;
    struct date baseline_day;
    bool has_go_live, has_peak;
    struct flow flows[FLOWS_MAX];
    size_t flow_count;
    bool
        is_cash_known; /* the core holds out what moved and was not told: a row says what cash was */
    int64_t last_row;
    struct utc doubted_at; /* the core last said that it cannot believe what it reads */
    bool is_spoiled;
};

static void *guards_create(void) {
    return judge_alloc(sizeof(struct guards));
}

/* Of the session's day and later, or (day {0}) of ever. */
static struct usd flows_since(const struct guards *judge, struct date day) {
    struct usd sum = {0};
    for (size_t i = 0; i < judge->flow_count; i++) {
        bool is_in =
            judge->flows[i].date.days >= day.days && (day.days != 0 || !judge->flows[i].is_income);
        sum = is_in ? usd_add(sum, judge->flows[i].amount) : sum;
    }
    return sum;
}

static struct usd nav_of(const struct guards *judge, struct usd equity) {
    return usd_sub(equity, flows_since(judge, (struct date){0}));
}

/* --- the limits --- */

static bool day_loss(const struct guards *judge, const struct scene *scene, struct usd equity,
                     struct usd *out) {
    struct usd flows = flows_since(judge, scene->session.date);
    *out = usd_sub(usd_add(judge->baseline, flows), equity);
    return judge->baseline.nanos > 0 && judge->baseline_day.days == scene->session.date.days;
}

static struct usd loss_limit(const struct guards *judge, const struct scene *scene) {
    struct usd share = usd_scale(judge->baseline, scene->limits.daily_loss_share);
    return usd_min(scene->limits.daily_loss_usd, share);
}

/* True at the limit or beyond it; *beyond says by how much. False while the limit is not known. */
static bool is_lost(const struct guards *judge, const struct scene *scene, struct usd equity,
                    struct usd *beyond) {
    struct usd loss = {0};
    struct usd limit = loss_limit(judge, scene);
    bool is_known = day_loss(judge, scene, equity, &loss) && limit.nanos > 0;
    *beyond = usd_sub(loss, limit);
    return is_known && beyond->nanos >= 0;
}

static bool is_below_floor(const struct guards *judge, const struct scene *scene, struct usd equity,
                           struct usd *beyond) {
    struct usd put_in = usd_add(judge->go_live, flows_since(judge, (struct date){0}));
    struct usd share = usd_scale(put_in, scene->limits.equity_floor_share);
    *beyond = usd_sub(usd_max(scene->limits.equity_floor_usd, share), equity);
    return judge->has_go_live && beyond->nanos > 0;
}

static bool is_drawn_down(const struct guards *judge, const struct scene *scene, struct usd equity,
                          struct usd *beyond) {
    struct usd fall = usd_sub(judge->peak, nav_of(judge, equity));
    struct usd limit = usd_scale(judge->peak, scene->limits.max_drawdown);
    *beyond = usd_sub(fall, limit);
    return judge->has_peak && limit.nanos > 0 && beyond->nanos >= 0;
}

static bool is_beyond(const struct guards *judge, const struct scene *scene, int guard,
                      struct usd equity, struct usd *beyond) {
    return guard == LOSS    ? is_lost(judge, scene, equity, beyond)
           : guard == FLOOR ? is_below_floor(judge, scene, equity, beyond)
                            : is_drawn_down(judge, scene, equity, beyond);
}

static void count(struct guard *guard, bool is_breach, bool is_lie, struct utc at) {
    if (is_breach) {
        guard->breaches++;
        guard->undoubted++;
        guard->since = guard->since.ns == 0 ? at : guard->since;
    } else {
        guard->breaches = is_lie ? guard->breaches : 0;
        guard->undoubted = 0;
        guard->since = (struct utc){0};
    }
}

static bool is_latched(const struct scene *scene, int guard) {
    const struct scene_cause *cause = table_find(&scene->causes, CAUSES[guard]);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

/* Counts the last reading for the peak, once: flows aside as far as its own tick has told them. */
static void rank(struct guards *judge) {
    if (!judge->is_unranked) {
        return;
    }
    judge->is_unranked = false;
    struct usd nav = nav_of(judge, judge->equity);
    judge->next_highest = usd_max(judge->next_highest, usd_min(nav, judge->highest));
    judge->highest = usd_max(judge->highest, nav);
}

/* Holds the last reading against the limits, once: with the rows of its own tick. */
static void settle(struct guards *judge, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_lie = scene->lie_at.ns != 0 && utc_sub(judge->read_at, scene->lie_at).ns < LIE_LASTS.ns;
    if (!judge->is_pending) {
        return;
    }
    judge->is_pending = false;
    for (int i = 0; i < GUARD_COUNT; i++) {
        struct guard *guard = &judge->items[i];
        struct usd beyond = {0};
        count(guard, is_beyond(judge, scene, i, judge->equity, &beyond), is_lie, judge->read_at);
        if (guard->undoubted != 1 && !judge->is_spoiled && !guard->is_held) {
            clocks_known(&guard->clocks, findings_score(findings, CAUSES[i]), judge->read_at,
                         guard->undoubted > 1);
        }
    }
}

/* The broker's truth at a tick, against the same limits. */
static void take_truth(struct guards *judge, const struct event *event, const struct scene *scene) {
    for (int i = 0; i < GUARD_COUNT; i++) {
        struct usd beyond = {0};
        bool is_due = is_beyond(judge, scene, i, event->amount, &beyond);
        clocks_true(&judge->items[i].clocks, event->at, is_due, beyond);
    }
}

/* --- what the core saw --- */

static void take_answer(struct guards *judge, const struct event *event) {
    static const char key[] = "\"equity\":\"";
    char number[DECIMAL_TEXT_MAX] = "";
    struct usd equity = {0};
    if (event->number != 200 || event->id[0] != '\0' || !is_word(event->what, "/v2/account")) {
        return;
    }
    const char *answer = memchr(event->body, '\n', event->body_len);
    const char *at = answer == NULL ? NULL : strstr(answer, key);
    if (at == NULL) {
        return;
    }
    size_t n = strcspn(at + sizeof key - 1, "\"");
    memcpy(number, at + sizeof key - 1, n < sizeof number ? n : 0);
    if (decimal_parse(number, &equity.nanos, NULL) == ERR_OK) {
        rank(judge);
        judge->equity = equity;
        judge->read_at = event->at;
        judge->has_reading = judge->is_pending = judge->is_unranked = true;
    }
}

static void take_flow(struct guards *judge, const cJSON *body, struct usd amount, bool is_income) {
    const char *text = "";
    struct flow flow = {.amount = amount, .is_income = is_income};
    if (judge->flow_count == FLOWS_MAX || json_string(body, "date", &text, NULL) != ERR_OK ||
        date_parse(text, &flow.date, NULL) != ERR_OK) {
        judge->is_spoiled = true;
        return;
    }
    for (size_t i = 0; i < judge->flow_count; i++) {
        struct flow *known = &judge->flows[i];
        if (known->is_untold && !is_income && usd_cmp(known->amount, amount) == 0) {
            *known = flow;
            return;
        }
    }
    judge->flows[judge->flow_count++] = flow;
}

/* Of less the core knows nothing before it is told. */
static void take_moved(struct guards *judge, const struct event *event, const struct scene *scene) {
    bool is_out = is_word(event->subject, "withdraw");
    struct usd least = usd_scale(judge->equity, scene->limits.cash_step);
    if ((!is_out && !is_word(event->subject, "deposit")) || !judge->is_cash_known ||
        scene->limits.cash_step.nanos == 0 || usd_cmp(event->amount, least) <= 0 ||
        judge->flow_count == FLOWS_MAX) {
        return;
    }
    judge->flows[judge->flow_count++] =
        (struct flow){.date = ny_date(event->at),
                      .amount = is_out ? usd_neg(event->amount) : event->amount,
                      .is_untold = true};
}

/* Behind these the core takes cash for what it is at the next calm moment. */
static bool is_anothers(const struct event *event) {
    static const char *const causes[] = {"state_regression", "amnesia", "second_writer"};
    bool is_other = is_word(event->subject, "adopt") || is_word(event->subject, "split") ||
                    is_word(event->subject, "spin") || is_word(event->subject, "short");
    for (size_t i = 0; is_word(event->subject, "latch_set") && i < 3; i++) {
        is_other = is_other || is_word(event->id, causes[i]);
    }
    return is_other;
}

static void take_peak(struct guards *judge, const struct event *event, struct usd peak,
                      struct findings *findings) {
    rank(judge);
    if (judge->has_reading && usd_cmp(judge->next_highest, peak) < 0 && !judge->is_spoiled) {
        findings_break(findings, ORACLE_PEAK, event->at, "a peak that no two readings show");
    }
    judge->peak = peak;
    judge->has_peak = true;
}

static void take_amount(struct guards *judge, const struct event *event, const cJSON *body,
                        struct findings *findings) {
    struct usd amount = {0};
    if (json_usd(body, "usd", &amount, NULL) != ERR_OK) {
        return;
    }
    if (is_word(event->subject, "baseline") &&
        date_parse(event->id, &judge->baseline_day, NULL) == ERR_OK) {
        judge->baseline = amount;
        judge->items[LOSS] = (struct guard){.is_reported = judge->items[LOSS].is_reported,
                                            .is_held = judge->items[LOSS].is_held,
                                            .day = judge->items[LOSS].day};
    } else if (is_word(event->subject, "go_live")) {
        judge->go_live = amount;
        judge->has_go_live = true;
    } else if (is_word(event->subject, "peak")) {
        take_peak(judge, event, amount, findings);
    } else if (is_word(event->subject, "flow")) {
        take_flow(judge, body, amount, false);
    } else if (is_word(event->subject, "income")) {
        take_flow(judge, body, amount, true);
    }
}

static void take_row(struct guards *judge, const struct event *event, struct findings *findings) {
    bool is_next = judge->last_row == 0 || event->number == judge->last_row + 1;
    judge->is_spoiled = judge->is_spoiled || !is_next;
    judge->last_row = event->number;
    judge->is_cash_known =
        is_word(event->subject, "cash") || (judge->is_cash_known && !is_anothers(event));
    take_amount(judge, event, scene_body(findings->scene, event), findings);
}

/* --- the verdict --- */

static void judge_trip(struct guards *judge, const struct event *event, struct findings *findings) {
    settle(judge, findings);
    for (int i = 0; i < GUARD_COUNT; i++) {
        struct guard *guard = &judge->items[i];
        bool is_own = is_word(event->subject, CAUSES[i]) &&
                      strstr(event->body, "\"latched\":true") != NULL &&
                      strstr(event->body, "\"by\":\"core\"") != NULL;
        if (!is_own || judge->is_spoiled) {
            continue;
        }
        guard->is_held = true;
        guard->day = findings->scene->session.date;
        (void)clocks_act(&guard->clocks, findings_score(findings, CAUSES[i]), event->at);
        if (guard->breaches < 2) {
            findings_break(findings, ORACLE_GUARDS, event->at, "%s: tripped by %d readings",
                           CAUSES[i], guard->breaches);
        }
    }
}

/* What a person may not end yet, and ended. */
static void judge_release(const struct guards *judge, const struct event *event, int guard,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd beyond = {0};
    if (judge->is_spoiled || !judge->items[guard].is_held) {
        return;
    }
    if (guard == LOSS && scene->session.date.days <= judge->items[guard].day.days) {
        findings_break(findings, ORACLE_GUARDS, event->at, "daily_loss: ended on its own day");
    }
    bool is_lie = scene->lie_at.ns != 0 && utc_sub(judge->read_at, scene->lie_at).ns < LIE_LASTS.ns;
    (void)is_below_floor(judge, scene, judge->equity, &beyond);
    struct usd floor = usd_add(judge->equity, beyond);
    struct usd least = usd_add(floor, usd_scale(floor, FLOOR_MARGIN));
    if (guard == FLOOR && !is_lie && judge->has_reading && usd_cmp(judge->equity, least) < 0) {
        findings_break(findings, ORACLE_GUARDS, event->at,
                       "equity_floor: ended at %lld USD, floor %lld",
                       (long long)(judge->equity.nanos / NANOS), (long long)(floor.nanos / NANOS));
    }
}

/* A person ended the latch: what is still beyond the limit is due anew with the next reading. */
static void take_release(struct guards *judge, const struct event *event,
                         struct findings *findings) {
    for (int i = 0; i < GUARD_COUNT; i++) {
        if (is_word(event->subject, CAUSES[i])) {
            judge_release(judge, event, i, findings);
            judge->items[i].is_held = false;
            judge->items[i].since = (struct utc){0};
            judge->items[i].clocks.known_at = (struct utc){0};
        }
    }
}

static void judge_tick(struct guards *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    rank(judge);
    settle(judge, findings);
    judge->doubted_at = scene_is_doubting(scene) ? event->at : judge->doubted_at;
    for (int i = 0; i < GUARD_COUNT && !judge->is_spoiled; i++) {
        struct guard *guard = &judge->items[i];
        struct utc since = utc_max(scene_since(scene, guard->since), judge->doubted_at);
        since = utc_max(since, scene->up_since);
        bool is_read = guard->since.ns != 0; /* beyond the limit, since the last release */
        if (is_read && guard->undoubted >= TRUSTED_BREACHES && scene_is_open(scene) &&
            !is_latched(scene, i) && !guard->is_reported &&
            utc_sub(event->at, since).ns > TRIPS_WITHIN.ns) {
            guard->is_reported = true;
            findings_score(findings, CAUSES[i])->missed++;
            findings_break(findings, ORACLE_GUARDS, event->at, "%s: not tripped by %d readings",
                           CAUSES[i], guard->undoubted);
        }
    }
}

static void judge_buy(const struct guards *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd loss = {0};
    struct usd cost = {0};
    struct usd open = {0};
    if (!day_loss(judge, scene, judge->equity, &loss) || scene->limits.stop_distance.nanos == 0 ||
        (scene->foreign_at.ns != 0 &&
         utc_sub(event->at, scene->foreign_at).ns <= FOREIGN_KNOWN.ns)) {
        return;
    }
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        struct usd held = {0};
        (void)!usd_times_qty(symbol->price, symbol->qty, &held, NULL);
        open = usd_add(open, usd_add(usd_scale(held, HELD_MARGIN), symbol->live_cost));
    }
    (void)!usd_times_qty(scene->sent.limit, scene->sent.qty, &cost, NULL);
    struct usd at_stops = usd_add(usd_scale(open, scene->limits.stop_distance),
                                  usd_scale(cost, scene->limits.stop_distance));
    struct usd risk = usd_add(usd_scale(at_stops, scene->limits.open_risk_factor), loss);
    if (usd_cmp(risk, loss_limit(judge, scene)) >= 0) {
        findings_break(findings, ORACLE_OPEN_RISK, event->at, "%s: a buy to %lld USD of day loss",
                       scene->sent.symbol, (long long)(risk.nanos / NANOS));
    }
}

/* What adds risk behind a trip; that it may not is for the judges of sends. */
static void count_risk(struct findings *findings) {
    for (int i = 0; i < GUARD_COUNT; i++) {
        if (is_latched(findings->scene, i)) {
            findings_score(findings, CAUSES[i])->risky++;
        }
    }
}

static void forget(struct guards *judge) {
    for (int i = 0; i < GUARD_COUNT; i++) {
        judge->items[i] = (struct guard){.is_reported = judge->items[i].is_reported,
                                         .is_held = judge->items[i].is_held,
                                         .day = judge->items[i].day};
    }
    judge->is_pending = false;
}

static bool spoils(const struct event *event) {
    return strncmp(event->subject, "disk.", 5) == 0 || strncmp(event->subject, "clock.", 6) == 0 ||
           is_word(event->subject, "edit_document");
}

static void guards_observe(void *context, const struct event *event, struct findings *findings) {
    struct guards *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        if (is_word(event->what, "acted")) {
            judge_trip(judge, event, findings);
        } else if (is_word(event->what, "released")) {
            take_release(judge, event, findings);
        }
    } else if (event->kind == EVENT_LEDGER_EQUITY) {
        take_truth(judge, event, findings->scene);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_START) {
        forget(judge);
    } else if (event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR) {
        judge->is_spoiled = judge->is_spoiled || spoils(event);
        take_moved(judge, event, findings->scene);
    } else if (sent->is_new && sent->is_buy && judge->has_reading && !judge->is_spoiled) {
        count_risk(findings);
        judge_buy(judge, event, findings);
    }
}

const struct judge_ops guards_judge = {KIND(EVENT_HTTP) | KIND(EVENT_ROW) | KIND(EVENT_MECHANISM) |
                                           KIND(EVENT_TICK) | KIND(EVENT_START) |
                                           KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
                                           KIND(EVENT_SEND) | KIND(EVENT_LEDGER_EQUITY),
                                       guards_create, guards_observe, free};
