/* loudness.c - calls_and_alerts_bounded, calls_calm_after_healing and no_secret_told: how much a core
 * says, and what it must not say.
 *
 * A rate budget that starts full allows twice its minute in the first one. The calm measure is the
 * busiest minute of a session before the first fault; one that began before the open, when hardly anything is asked,
 * is none. A minute in which a cancel does not end is not
 * judged by it: that is asked about each second, by design, and may outlast the fault that stuck it.
 * Nor are two minutes behind the kill switch's firing, which looks each second until nothing is live, as behind
 * a fault: whoever lifts it while its cause holds, or sends an order under an id of ours, fires it without one.
 *
 * Calm compares like with like, so it counts neither trading nor what the day grows by. Each execution of
 * ours has two orders changed for it (a purchase and its stop; a stop's cancel and the sale), each of
 * which is looked at twice: so many such calls are left out for each that the ledger knows, and no more. An order
 * that was accepted and then rejected costs as much; of these no more than four a minute count, for who sends what is
 * rejected without end is what this looks for.
 * Activities are read from yesterday's midnight on, a hundred a page: a page behind the first is left out
 * as far as the ledger's executions since then fill one. */
#include "core/base/mutant.h"
#include "core/base/utc.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span CALM_AFTER = {INT64_C(120000000000)}; /* healing, a start, a firing */
enum { ALERTS_MAX = 60, STUCK_CALLS = 10, CALLS_AN_EXECUTION = 6, PAGE = 100, REJECTS_MAX = 4 };

struct loudness {
    struct utc minute;   /* when the one being counted began; {0} none */
    struct utc fired_at; /* {0}: never */
    int64_t calls, alerts;
    int64_t waiting;              /* of the calls, made while a cancel had not ended */
    int64_t trading;              /* of the calls, changes of orders and looks at one */
    int64_t executions, rejects;  /* of ours, in this minute */
    int64_t looks, pages;         /* of the calls, at activities: first pages and pages behind */
    int64_t today_n, yesterday_n; /* executions of the account, by date in New York */
    struct date today;
    int64_t calm; /* calls of the busiest minute before the first fault, without what is left out */
    bool is_first;                               /* the minute is a life's first */
    bool is_open;                                /* it began in a session */
    bool is_loud, is_shrill, is_stormy, is_told; /* reported */
};

static void *loudness_create(void) {
    return judge_alloc(sizeof(struct loudness));
}

/* With each call and alert: a life may end before its minute does. */
static void judge_bounds(struct loudness *judge, const struct event *event,
                         struct findings *findings) {
    int64_t most = findings->scene->limits.requests_a_minute * (judge->is_first ? 2 : 1);
    if (most > 0 && judge->calls > most && !judge->is_loud) {
        judge->is_loud = true;
        score_passed(findings_score(findings, "rate_budget"), event->at);
        findings_break(findings, ORACLE_BOUNDED, event->at, "%lld requests in a minute, most %lld",
                       (long long)judge->calls, (long long)most);
    }
    if (judge->alerts > ALERTS_MAX && !judge->is_shrill) {
        judge->is_shrill = true;
        findings_score(findings, "alerts")->unfounded++;
        findings_break(findings, ORACLE_BOUNDED, event->at, "%lld alerts in a minute, most %d",
                       (long long)judge->alerts, ALERTS_MAX);
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Calls of the minute without those of its executions and of pages that had to be. */
static int64_t plain_calls(const struct loudness *judge) {
    const int64_t full_pages = (judge->today_n + judge->yesterday_n) / PAGE;
    const int64_t deeds = judge->executions + least(judge->rejects, REJECTS_MAX);
    return judge->calls - least(judge->trading, CALLS_AN_EXECUTION * deeds) -
           least(judge->pages, full_pages * judge->looks);
}

static bool has_just_fired(const struct loudness *judge) {
    return judge->fired_at.ns != 0 && utc_sub(judge->minute, judge->fired_at).ns <= CALM_AFTER.ns;
}

static void judge_minute(struct loudness *judge, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    const int64_t calls = plain_calls(judge);
    bool is_calm =
        scene->healed_at.ns != 0 && utc_sub(judge->minute, scene->healed_at).ns > CALM_AFTER.ns &&
        utc_sub(judge->minute, scene->up_since).ns > CALM_AFTER.ns && !has_just_fired(judge) &&
        scene->fault_at.ns != 0 && judge->is_open && scene_is_open(scene);
    if (is_calm && judge->waiting < STUCK_CALLS && judge->calm > 0 && calls > 2 * judge->calm &&
        !judge->is_stormy) {
        judge->is_stormy = true;
        findings_break(findings, ORACLE_L_CALLS, event->at,
                       "%lld requests in a minute after healing, %lld before the first fault",
                       (long long)calls, (long long)judge->calm);
    }
    if (scene->fault_at.ns == 0 && judge->is_open && scene_is_open(scene) && calls > judge->calm) {
        judge->calm = calls;
    }
}

static void begin_minute(struct loudness *judge, struct utc at, bool is_first,
                         const struct scene *scene) {
    judge->minute = at;
    judge->is_open = scene_is_open(scene);
    judge->calls = 0;
    judge->alerts = 0;
    judge->waiting = 0;
    judge->trading = 0;
    judge->executions = 0;
    judge->rejects = 0;
    judge->looks = 0;
    judge->pages = 0;
    judge->is_first = is_first;
}

static void take_time(struct loudness *judge, const struct event *event,
                      struct findings *findings) {
    if (utc_sub(event->at, judge->minute).ns >= MINUTE.ns) {
        judge_minute(judge, event, findings);
        begin_minute(judge, event->at, false, findings->scene);
    }
}

static void take_date(struct loudness *judge, struct utc at) {
    const struct date date = ny_date(at);
    if (date.days != judge->today.days) {
        judge->yesterday_n = date.days == judge->today.days + 1 ? judge->today_n : 0;
        judge->today_n = 0;
        judge->today = date;
    }
}

static void take_call(struct loudness *judge, const struct event *event,
                      const struct scene *scene) {
    static const char activities[] = "/v2/account/activities?";
    static const char order[] = "/v2/orders/";
    judge->calls++;
    judge->waiting += scene->cancelling > 0;
    judge->trading +=
        !is_word(event->subject, "GET") || strncmp(event->what, order, sizeof order - 1) == 0;
    if (strncmp(event->what, activities, sizeof activities - 1) == 0) {
        const bool is_behind = strstr(event->what, "&page_token=") != NULL;
        judge->pages += is_behind;
        judge->looks += !is_behind;
        take_date(judge, event->at);
    }
}

static void take_execution(struct loudness *judge, const struct event *event,
                           const struct scene *scene) {
    take_date(judge, event->at);
    judge->today_n++;
    judge->executions += scene_is_ours(scene, event->id);
}

static void judge_secret(struct loudness *judge, const struct event *event,
                         struct findings *findings) {
    bool is_secret = strstr(event->body, ORACLE_PLANTED_SECRET) != NULL ||
                     strstr(event->what, ORACLE_PLANTED_SECRET) != NULL;
    MUTATE(judge_secret_blind, is_secret = false);
    if (is_secret && !judge->is_told) {
        judge->is_told = true;
        findings_break(findings, ORACLE_SECRET, event->at, "in a %s of %s", event_word(event->kind),
                       event->subject);
    }
}

static void loudness_observe(void *context, const struct event *event, struct findings *findings) {
    struct loudness *judge = context;
    if (event->kind == EVENT_START) {
        begin_minute(judge, event->at, true, findings->scene);
        return;
    }
    if (event->kind == EVENT_MECHANISM && is_word(event->subject, "kill_switch") &&
        is_word(event->what, "warned") && is_word(event->id, "firing")) {
        judge->fired_at = event->at;
    }
    if (event->kind == EVENT_LEDGER_FILL) {
        take_time(judge, event, findings);
        take_execution(judge, event, findings->scene);
        return;
    }
    if (event->kind == EVENT_LEDGER_ORDER) {
        judge->rejects +=
            is_word(event->what, "rejected") && scene_is_ours(findings->scene, event->id);
        return;
    }
    if (event->kind == EVENT_SEND) {
        take_time(judge, event, findings);
        take_call(judge, event, findings->scene);
        judge_bounds(judge, event, findings);
    } else if (event->kind == EVENT_ALERT) {
        take_time(judge, event, findings);
        judge->alerts++;
        judge_bounds(judge, event, findings);
    }
    judge_secret(judge, event, findings);
}

const struct judge_ops loudness_judge = {KIND(EVENT_SEND) | KIND(EVENT_ALERT) | KIND(EVENT_START) |
                                             KIND(EVENT_ROW) | KIND(EVENT_DOCUMENT) |
                                             KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) |
                                             KIND(EVENT_MECHANISM),
                                         loudness_create, loudness_observe, free};
