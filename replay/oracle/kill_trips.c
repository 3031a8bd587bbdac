/* kill_trips.c - kill_trips_when_due, the oracle of what fires the kill switch by itself: rejects, a barred key, an
 * outage and a divergence latch their cause by the end of the tick that makes them due, and nothing less does.
 *
 * *Known* are the core's own moves of an order to rejected, less those whose answer excuses it, and the
 * answers to its reads; the ledger has no word on them, so that both clocks are the answers'. A core judges
 * once a tick: what is not latched must have been due at the end of the tick before. Each life counts anew.
 * That a position is explained by no fill is reconciliation's word, which foreign.c and adoption.c judge. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "kill_switch";
static const struct span SPARE = {INT64_C(1000000000)};
static const struct span KEY_SETTLES = {INT64_C(60000000000)};
enum { REJECTS = 128, EXCUSED = 64, READS = 8, TRUTHS = 4 };

/* As the core tells its reads apart; the first four are the truth. The last is asked for a single order too,
 * which is no read of a tick: it may be evidence, and need not be. */
static const char *const PATHS[READS] = {"/v2/clock",
                                         "/v2/account",
                                         "/v2/orders?status=open",
                                         "/v2/positions",
                                         "/v2/calendar",
                                         "/v2/stocks/quotes/latest",
                                         "/v2/stocks/trades/latest",
                                         "/v2/orders?status=all"};

struct trip { /* one of the three causes */
    const char *cause;
    struct two_clocks clocks;
    bool was_due; /* at the end of the last tick */
};

struct kill_trips {
    struct trip rejects, auth, outage, divergence;
    bool has_diverged;               /* in this tick, by reconciliation's word */
    struct utc rejected_at[REJECTS]; /* a ring, of this life and since the last trip */
    size_t rejected;
    char excused[EXCUSED][TABLE_NAME_MAX]; /* ids, a ring */
    size_t excused_count;
    struct utc barred_since[READS], barred_last[READS];
    struct utc key_changed_at;
    unsigned answered, spoiled; /* of the truth, in this tick; a bit each */
    struct utc unclean_since;   /* by what is surely no clean tick */
    struct utc clean_at;        /* the last tick that surely was */
    struct utc up_since;
};

static void begin_life(struct kill_trips *judge, struct utc at) {
    *judge = (struct kill_trips){.rejects.cause = "kill_rejects",
                                 .auth.cause = "kill_auth",
                                 .outage.cause = "kill_outage",
                                 .divergence.cause = "kill_divergence",
                                 .up_since = at};
}

static void *kill_trips_create(void) {
    struct kill_trips *judge = judge_alloc(sizeof(struct kill_trips));
    begin_life(judge, (struct utc){0});
    return judge;
}

static bool is_set(const struct scene *scene, const char *name) {
    const struct scene_cause *cause = table_find(&scene->causes, name);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

/* --- rejects --- */

static bool says(const struct event *event, const char *word) {
    return event->body_len > 0 && memmem(event->body, event->body_len, word, strlen(word)) != NULL;
}

/* An order of the other side is in the way, or the account's own user forbade it. */
static bool is_no_reject(const struct event *event) {
    return says(event, "existing_order_id") ||
           (event->number == 403 && says(event, "rejected by user request"));
}

static void excuse(struct kill_trips *judge, const char *id) {
    (void)!text_copy(judge->excused[judge->excused_count++ % EXCUSED], TABLE_NAME_MAX, id, NULL);
}

static void accuse(struct kill_trips *judge, const char *id) {
    for (size_t i = 0; i < EXCUSED; i++) {
        judge->excused[i][0] = is_word(judge->excused[i], id) ? '\0' : judge->excused[i][0];
    }
}

static bool is_excused(const struct kill_trips *judge, const char *id) {
    for (size_t i = 0; i < EXCUSED; i++) {
        if (is_word(judge->excused[i], id)) {
            return true;
        }
    }
    return false;
}

/* The id in what was asked, which stands before the answer. */
static void take_change(struct kill_trips *judge, const struct event *event) {
    char id[TABLE_NAME_MAX] = "";
    cJSON *body = NULL;
    const char *end = memchr(event->body, '\n', event->body_len);
    if (end == NULL ||
        json_parse(event->body, (size_t)(end - event->body), &body, NULL) != ERR_OK) {
        return;
    }
    (void)!json_copy(body, "client_order_id", id, sizeof id, NULL);
    cJSON_Delete(body);
    bool is_late_price = is_word(event->subject, "PATCH") && event->number >= 400;
    if (is_late_price || event->number == 401 || event->number == 429 || is_no_reject(event)) {
        excuse(judge, id);
    } else if (is_word(event->subject, "POST")) {
        accuse(judge, id); /* an id of the emergency rule is sent again once it was rejected */
    }
}

static int64_t rejected_within(const struct kill_trips *judge, struct utc at, struct span window) {
    int64_t count = 0;
    for (size_t i = 0; i < REJECTS && i < judge->rejected; i++) {
        count += utc_sub(at, judge->rejected_at[i]).ns < window.ns;
    }
    return count;
}

static void take_reject(struct kill_trips *judge, const struct event *event,
                        struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    if (!is_word(event->what, "rejected") || is_excused(judge, event->id) ||
        is_set(findings->scene, judge->rejects.cause)) {
        return;
    }
    judge->rejected_at[judge->rejected++ % REJECTS] = event->at;
    excuse(judge, event->id); /* counted once for each time that it was sent */
    struct span most = {limits->kill_rejects_window.ns + SPARE.ns};
    if (limits->kill_rejects > 0 &&
        rejected_within(judge, event->at, most) >= limits->kill_rejects) {
        clocks_true(&judge->rejects.clocks, event->at, true, (struct usd){0});
        clocks_known(&judge->rejects.clocks, findings_score(findings, MECHANISM), event->at, true);
    }
}

/* --- answers --- */

static int read_of(const struct event *event) {
    for (int i = 0; i < READS && is_word(event->subject, "GET"); i++) {
        size_t n = strlen(PATHS[i]);
        char next = strncmp(event->what, PATHS[i], n) == 0 ? event->what[n] : '-';
        if (next == '\0' || next == '?' || next == '&') {
            return i;
        }
    }
    return READS;
}

static void take_answer(struct kill_trips *judge, const struct event *event) {
    int read = read_of(event);
    if (read == READS) {
        return;
    }
    bool is_good = event->number == 200 && event->id[0] == '\0';
    if (event->number >= 200 && event->number < 300) {
        judge->barred_since[read] = (struct utc){0};
    } else if (event->number == 401 || event->number == 403) {
        bool is_first = judge->barred_since[read].ns == 0;
        judge->barred_since[read] = is_first ? event->at : judge->barred_since[read];
        judge->barred_last[read] = event->at;
    }
    if (read < TRUTHS) {
        judge->answered |= is_good ? 1u << read : 0;
        judge->spoiled |= is_good ? 0 : 1u << read;
    }
}

/* Reads whose first and last refusal lie so far apart. */
static int barred_for(const struct kill_trips *judge, int reads, struct span span) {
    int barred = 0;
    for (int i = 0; i < reads; i++) {
        struct utc since = judge->barred_since[i];
        barred += since.ns != 0 && utc_sub(judge->barred_last[i], since).ns >= span.ns;
    }
    return barred;
}

static bool is_settling(const struct kill_trips *judge, struct utc at, struct span spare) {
    return judge->key_changed_at.ns != 0 &&
           utc_sub(at, judge->key_changed_at).ns < KEY_SETTLES.ns + spare.ns;
}

/* --- ticks --- */

/* It was due before this tick began, and it has ended. */
static void demand(struct trip *trip, bool is_due, const struct event *event,
                   struct findings *findings) {
    if (is_set(findings->scene, trip->cause)) {
        trip->was_due = false;
        return;
    }
    if (is_due && trip->was_due && !findings->scene->is_other_account) {
        struct score *score = findings_score(findings, MECHANISM);
        clocks_true(&trip->clocks, event->at, true, (struct usd){0});
        clocks_known(&trip->clocks, score, event->at, true);
        score->missed++;
        findings_break(findings, ORACLE_KILL_TRIPS, event->at, "%s was due and is not latched",
                       trip->cause);
        trip->was_due = false;
        return;
    }
    trip->was_due = is_due;
}

static void note_truth(struct kill_trips *judge, const struct event *event,
                       const struct scene *scene) {
    unsigned all = (1u << TRUTHS) - 1;
    bool is_clean = (judge->answered & all) == all && judge->spoiled == 0;
    bool is_away = scene->other_account_at.ns != 0 || scene->is_other_account;
    if (is_clean && scene->is_healed) {
        judge->clean_at = event->at;
    }
    if ((judge->answered & all) == all || is_away) {
        judge->unclean_since = (struct utc){0};
    } else if (judge->unclean_since.ns == 0) {
        judge->unclean_since = event->at;
    }
    judge->answered = judge->spoiled = 0;
}

static void end_tick(struct kill_trips *judge, const struct event *event,
                     struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    note_truth(judge, event, findings->scene);
    if (is_set(findings->scene, judge->rejects.cause)) {
        judge->rejected = 0; /* whoever ends it begins anew */
    }
    if (limits->kill_rejects == 0) {
        return; /* a stream that was recorded before there were any */
    }
    struct span window = {limits->kill_rejects_window.ns - SPARE.ns};
    struct span most = {limits->kill_rejects_window.ns + SPARE.ns};
    if (rejected_within(judge, event->at, most) < limits->kill_rejects) {
        judge->rejects.clocks = (struct two_clocks){0};
    }
    /* what was rejected in this tick is latched in it */
    judge->rejects.was_due = true;
    demand(&judge->rejects, rejected_within(judge, event->at, window) >= limits->kill_rejects,
           event, findings);
    struct span barred = {limits->kill_auth.ns + SPARE.ns};
    demand(&judge->auth,
           barred_for(judge, READS - 1, barred) >= 2 && !is_settling(judge, event->at, SPARE),
           event, findings);
    bool is_out = judge->unclean_since.ns != 0 &&
                  utc_sub(event->at, judge->unclean_since).ns >= limits->kill_outage.ns + SPARE.ns;
    demand(&judge->outage, is_out, event, findings);
    judge->divergence.was_due = true; /* likewise */
    demand(&judge->divergence, judge->has_diverged && limits->kill_divergence != 0, event,
           findings);
    judge->has_diverged = false;
}

/* --- acts --- */

static bool was_auth_due(const struct kill_trips *judge, const struct event *event,
                         const struct scene *scene) {
    struct span least = {scene->limits.kill_auth.ns - SPARE.ns};
    struct span none = {-SPARE.ns};
    return barred_for(judge, READS, least) >= 2 && !is_settling(judge, event->at, none);
}

static bool was_outage_due(const struct kill_trips *judge, const struct event *event,
                           const struct scene *scene) {
    int64_t least = scene->limits.kill_outage.ns - SPARE.ns;
    return utc_sub(event->at, judge->up_since).ns >= least &&
           (judge->clean_at.ns == 0 || utc_sub(event->at, judge->clean_at).ns >= least);
}

static void judge_act(struct kill_trips *judge, struct trip *trip, bool is_due,
                      const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    if (is_due) {
        clocks_true(&trip->clocks, event->at, true, (struct usd){0});
        clocks_known(&trip->clocks, score, event->at, true);
    }
    if (!clocks_act(&trip->clocks, score, event->at)) {
        findings_break(findings, ORACLE_KILL_TRIPS, event->at, "%s latched, and was not due",
                       trip->cause);
    }
    trip->clocks = (struct two_clocks){0};
    trip->was_due = false;
    if (trip == &judge->rejects) {
        judge->rejected = 0;
    }
}

/* Not taken from a document that outlived its journal. */
static bool is_by_core(const struct event *event) {
    static const char word[] = "\"by\":\"core\"";
    return event->body_len > 0 &&
           memmem(event->body, event->body_len, word, sizeof word - 1) != NULL;
}

static void take_mechanism(struct kill_trips *judge, const struct event *event,
                           struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (is_word(event->subject, "credentials") && is_word(event->what, "acted")) {
        judge->key_changed_at = event->at;
    } else if (is_word(event->what, "acted") && (is_word(event->subject, "reconciliation") ||
                                                 is_word(event->subject, "divergence_heal"))) {
        judge->has_diverged = true;
    } else if (!is_word(event->subject, MECHANISM) || !is_word(event->what, "acted") ||
               scene->limits.kill_rejects == 0 || !is_by_core(event)) {
        return;
    } else if (is_word(event->id, judge->rejects.cause)) {
        judge_act(judge, &judge->rejects, false, event, findings);
    } else if (is_word(event->id, judge->auth.cause)) {
        judge_act(judge, &judge->auth, was_auth_due(judge, event, scene), event, findings);
    } else if (is_word(event->id, judge->outage.cause)) {
        judge_act(judge, &judge->outage, was_outage_due(judge, event, scene), event, findings);
    } else if (is_word(event->id, judge->divergence.cause)) {
        bool is_due = judge->has_diverged || is_set(scene, "reconciliation");
        judge_act(judge, &judge->divergence, is_due && scene->limits.kill_divergence != 0, event,
                  findings);
    }
}

static void kill_trips_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct kill_trips *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        begin_life(judge, event->at);
    } else if (event->kind == EVENT_HTTP) {
        take_change(judge, event);
        take_answer(judge, event);
    } else if (event->kind == EVENT_ORDER) {
        take_reject(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        take_mechanism(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        end_tick(judge, event, findings);
    } else if (sent->is_new && sent->is_buy &&
               (is_set(findings->scene, judge->rejects.cause) ||
                is_set(findings->scene, judge->divergence.cause) ||
                is_set(findings->scene, judge->auth.cause) ||
                is_set(findings->scene, judge->outage.cause))) {
        findings_score(findings, MECHANISM)->risky++;
    }
}

const struct judge_ops kill_trips_judge = {KIND(EVENT_HTTP) | KIND(EVENT_ORDER) | KIND(EVENT_TICK) |
                                               KIND(EVENT_MECHANISM) | KIND(EVENT_START) |
                                               KIND(EVENT_STOP) | KIND(EVENT_SEND),
                                           kill_trips_create, kill_trips_observe, free};
