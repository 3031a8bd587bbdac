/* breaker.c - breaker_stops_calls and breaker_closes, the oracles of circuit_breaker.
 *
 * breaker_closes stays beside the other: one that never closes and refuses by its own word sends nothing that
 * breaks anything, where it was told rightly when it opened.
 *
 * A breaker of its own for each endpoint, folded from sends and answers: of the last ten answers
 * breaker.failures were none or a 5xx. While it is open no buy leaves, and nothing else for that endpoint
 * within 5 s of a call that failed. A change that was never sent may have been too late by the core's
 * own clock, which is no failure: it counts where the core is asked why it acted, and not where it must
 * act. A new process, or a wall clock that was stepped, begins anew. The ledger has no word on it: both clocks
 * are the answers'. */
#include "core/base/bits.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "circuit_breaker";
static const struct span TRY = {INT64_C(5000000000)};
static const struct span ASKED_WITHIN = {INT64_C(45000000000)}; /* the longest backoff is 20 s */
static const struct span LIMITED = {INT64_C(600000000000)};     /* by a 429 */
enum { WINDOW = 10, WINDOW_MASK = (1 << WINDOW) - 1, SUCCESSES = 2 };

static const struct endpoint_name {
    const char *word, *method, *path; /* method "": any */
    bool
        is_guarded; /* what it does not say holds its own symbol alone (universe_guard), or entries anyway */
} ENDPOINTS[] = {
    /* the first that matches */
    {"submit", "POST", "", false},
    {"configuration", "", "/v2/account/configurations", true},
    {"replace", "PATCH", "", false},
    {"cancel", "DELETE", "", false},
    {"activities", "GET", "/v2/account/activities", false},
    {"account", "GET", "/v2/account", false},
    {"clock", "GET", "/v2/clock", false},
    {"calendar", "GET", "/v2/calendar", false},
    {"positions", "GET", "/v2/positions", false},
    {"orders", "GET", "/v2/orders?", false},
    {"order", "GET", "/v2/orders", false},
    {"quotes", "GET", "/v2/stocks/quotes", false},
    {"trades", "GET", "/v2/stocks/trades", false},
    {"bars", "GET", "/v2/stocks/bars", false},
    {"assets", "GET", "/v2/assets", true},
    {"corporate_actions", "GET", "/v1/corporate-actions", true},
    {"snapshots", "GET", "/v2/stocks/snapshots", true},
};
enum { ENDPOINTS_MAX = sizeof ENDPOINTS / sizeof ENDPOINTS[0] };

struct endpoint {
    unsigned sure, possible; /* failures, one bit each */
    struct utc possible_at;  /* the failure with which they may have been enough */
    bool is_open, is_half_open;
    bool is_due; /* opened, and not yet told */
    int successes;
    struct span pause;
    struct utc open_until;
    struct utc asked_at;
    bool has_failed; /* what was asked then */
    bool is_silent;  /* told: open, and not asked */
    struct two_clocks clocks;
};

struct breaker {
    struct endpoint endpoints[ENDPOINTS_MAX];
    struct utc limited_at; /* {0}: no 429 yet */
    bool is_filling;       /* told that snapshots fill gaps of bars */
    struct utc tick_at;
    struct utc opened_at; /* the last of all */
};

static void *breaker_create(void) {
    return judge_alloc(sizeof(struct breaker));
}

static struct endpoint *endpoint_of(struct breaker *judge, const struct event *event) {
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        const struct endpoint_name *name = &ENDPOINTS[i];
        if ((name->method[0] == '\0' || is_word(event->subject, name->method)) &&
            begins(event->what, name->path)) {
            return &judge->endpoints[i];
        }
    }
    return NULL;
}

static void open_for(struct breaker *judge, struct endpoint *endpoint, struct span pause,
                     struct utc at, struct findings *findings) {
    struct span most = findings->scene->limits.breaker_most;
    endpoint->pause = pause.ns > most.ns ? most : pause;
    endpoint->open_until = utc_add(at, endpoint->pause);
    bool is_new = !endpoint->is_half_open;
    /* one that opens again was told of, or will be in this tick */
    endpoint->is_due = endpoint->is_due || is_new;
    endpoint->is_open = true;
    endpoint->is_half_open = false;
    endpoint->sure = 0;
    judge->opened_at = at;
    if (is_new) {
        clocks_true(&endpoint->clocks, at, true, (struct usd){0});
        clocks_known(&endpoint->clocks, findings_score(findings, MECHANISM), at, true);
    }
}

static void close_it(struct endpoint *endpoint) {
    *endpoint =
        (struct endpoint){.asked_at = endpoint->asked_at, .has_failed = endpoint->has_failed};
}

static void pass_time(struct endpoint *endpoint, struct utc at) {
    if (endpoint->is_open && !utc_is_before(at, endpoint->open_until)) {
        endpoint->is_open = false;
        endpoint->is_half_open = true;
        endpoint->successes = 0;
    }
}

static void take_probe(struct breaker *judge, struct endpoint *endpoint, bool is_failure,
                       const struct event *event, struct findings *findings) {
    if (is_failure) {
        open_for(judge, endpoint, (struct span){2 * endpoint->pause.ns}, event->at, findings);
    } else if (++endpoint->successes >= SUCCESSES) {
        close_it(endpoint);
    }
}

static void take_answer(struct breaker *judge, struct endpoint *endpoint, const struct event *event,
                        struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool is_failure = event->number == 0 || event->number >= 500;
    bool is_unclear = is_word(event->id, "not_sent") && !is_word(event->subject, "GET");
    endpoint->has_failed = is_failure;
    if (endpoint->is_open) {
        return; /* asked while it was open: no probe, whenever it is answered */
    }
    if (endpoint->is_half_open && is_unclear) {
        close_it(endpoint);
        endpoint->possible = WINDOW_MASK;
        endpoint->possible_at = event->at;
    } else if (endpoint->is_half_open) {
        take_probe(judge, endpoint, is_failure, event, findings);
    } else {
        endpoint->possible = (endpoint->possible << 1 | is_failure) & WINDOW_MASK;
        bool was_possible = bits_count(endpoint->possible >> 1) >= limits->breaker_failures;
        bool is_possible = bits_count(endpoint->possible) >= limits->breaker_failures;
        endpoint->possible_at = is_possible && !was_possible ? event->at : endpoint->possible_at;
        endpoint->sure = (endpoint->sure << 1 | (is_failure && !is_unclear)) & WINDOW_MASK;
        if (bits_count(endpoint->sure) >= limits->breaker_failures) {
            open_for(judge, endpoint, limits->breaker_pause, event->at, findings);
        }
    }
}

static void judge_send(struct breaker *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    struct endpoint *own = endpoint_of(judge, event);
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        struct endpoint *endpoint = &judge->endpoints[i];
        bool is_filled =
            judge->is_filling && is_word(ENDPOINTS[i].word, "bars"); /* then signals.c judges it */
        pass_time(endpoint, event->at);
        if (endpoint->is_open && !ENDPOINTS[i].is_guarded && !is_filled && sent->is_new &&
            sent->is_buy) {
            findings_score(findings, MECHANISM)->risky++;
            findings_break(findings, ORACLE_BREAKER, event->at, "%s: a buy while %s fails",
                           sent->symbol, ENDPOINTS[i].word);
        }
    }
    if (own == NULL) {
        return;
    }
    struct span since = utc_sub(event->at, own->asked_at);
    if (own->is_open && own->has_failed && since.ns < TRY.ns) {
        findings_break(findings, ORACLE_BREAKER, event->at, "%s %.60s: again after %lld ms",
                       event->subject, event->what, (long long)(since.ns / 1000000));
    }
    own->asked_at = event->at;
}

static void judge_act(struct breaker *judge, const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        struct endpoint *endpoint = &judge->endpoints[i];
        if (!is_word(event->id, ENDPOINTS[i].word)) {
            continue;
        }
        bool is_possible =
            bits_count(endpoint->possible) >= findings->scene->limits.breaker_failures;
        if (!endpoint->is_due && is_possible) {
            open_for(judge, endpoint, findings->scene->limits.breaker_pause, endpoint->possible_at,
                     findings);
        }
        endpoint->is_due = false;
        if (!clocks_act(&endpoint->clocks, score, event->at)) {
            findings_break(findings, ORACLE_BREAKER, event->at, "%s opened, and it answers",
                           ENDPOINTS[i].word);
        }
        clocks_true(&endpoint->clocks, event->at, false, (struct usd){0});
        clocks_known(&endpoint->clocks, score, event->at, false);
    }
}

/* An open breaker is no reason not to ask: account, positions and open orders are what exits need. */
static void judge_silence(struct breaker *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_limited =
        judge->limited_at.ns != 0 && utc_sub(event->at, judge->limited_at).ns < LIMITED.ns;
    bool is_slow = utc_sub(event->at, judge->tick_at).ns > TRY.ns + ASKED_WITHIN.ns / 2;
    judge->tick_at = event->at;
    if (!scene_is_open(scene) || scene->mode == SCENE_HALT || is_limited || is_slow) {
        return;
    }
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        struct endpoint *endpoint = &judge->endpoints[i];
        bool is_truth = is_word(ENDPOINTS[i].word, "account") ||
                        is_word(ENDPOINTS[i].word, "positions") ||
                        is_word(ENDPOINTS[i].word, "orders");
        if (is_truth && endpoint->is_open && !endpoint->is_silent &&
            utc_sub(event->at, endpoint->asked_at).ns > ASKED_WITHIN.ns) {
            endpoint->is_silent = true;
            findings_break(findings, ORACLE_BREAKER, event->at, "%s is open, and nobody asks",
                           ENDPOINTS[i].word);
        }
    }
}

static void judge_tick(struct breaker *judge, const struct event *event,
                       struct findings *findings) {
    judge_silence(judge, event, findings);
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        struct endpoint *endpoint = &judge->endpoints[i];
        pass_time(endpoint, event->at);
        if (endpoint->is_due && endpoint->is_open) {
            findings_score(findings, MECHANISM)->missed++;
            findings_break(findings, ORACLE_BREAKER, event->at, "%s fails, and nobody says so",
                           ENDPOINTS[i].word);
        }
        endpoint->is_due = false;
    }
}

/* After healing nothing fails, so that none is open for longer than the longest pause. */
static void judge_refusal(const struct breaker *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = utc_max(scene->healed_at, judge->opened_at);
    if (is_word(event->subject, "BREAKER_OPEN") && scene->healed_at.ns != 0 &&
        utc_sub(event->at, since).ns > scene->limits.breaker_most.ns) {
        findings_break(findings, ORACLE_L_BREAKER, event->at, "%s: %.40s is open still",
                       event->symbol, event->body);
    }
}

static void breaker_observe(void *context, const struct event *event, struct findings *findings) {
    struct breaker *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        judge->is_filling = false;
    }
    if (event->kind == EVENT_REFUSAL) {
        judge_refusal(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, "signal_cache")) {
        judge->is_filling =
            is_word(event->id, "snapshots") ? is_word(event->what, "acted") : judge->is_filling;
    } else if (scene->limits.breaker_failures == 0 || scene->is_stepped ||
               event->kind == EVENT_START || event->kind == EVENT_STOP) {
        memset(judge->endpoints, 0, sizeof judge->endpoints);
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        judge->limited_at = event->number == 429 ? event->at : judge->limited_at;
        struct endpoint *endpoint = endpoint_of(judge, event);
        if (endpoint != NULL) {
            take_answer(judge, endpoint, event, findings);
        }
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    }
}

const struct judge_ops breaker_judge = {KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_TICK) |
                                            KIND(EVENT_MECHANISM) | KIND(EVENT_REFUSAL) |
                                            KIND(EVENT_START) | KIND(EVENT_STOP),
                                        breaker_create, breaker_observe, free};
