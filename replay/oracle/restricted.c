/* restricted.c - no_entry_while_restricted: 5 s into REDUCE_ONLY or HALT no buy of ours reaches the
 * broker.
 *
 * A request that http.late_arrival holds back may arrive up to 30 s late: a maybe. So is the one request that
 * a dead core had sent and not heard of, up to 30 s behind that death, whatever the death came of; no other
 * buy. The core tells its mode at the end of a tick, so a buy in the very tick that released a cause waits
 * for what that tick says of the mode. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span SETTLED = {INT64_C(5000000000)};
static const struct span LATE = {INT64_C(30000000000)};
enum { WAITING_MAX = 16 };

struct waiting {
    char id[TABLE_NAME_MAX];
    struct utc at;
};

struct restricted {
    struct table seen; /* client ids, the name alone */
    bool is_on;
    struct utc since;
    struct utc late_at;          /* a late arrival fired; {0} never */
    char flying[TABLE_NAME_MAX]; /* a buy on the wire, "" for none; behind a death: then */
    struct utc died_at;          /* with it on the wire; {0}: not */
    bool is_released;            /* a cause ended since the last tick */
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
};

static void *restricted_create(void) {
    struct restricted *judge = judge_alloc(sizeof *judge);
    judge->seen = table_of(TABLE_NAME_MAX);
    return judge;
}

static void restricted_destroy(void *context) {
    struct restricted *judge = context;
    table_release(&judge->seen);
    free(judge);
}

static void tell(struct findings *findings, const char *id, struct utc at) {
    findings_break(findings, ORACLE_RESTRICTED, at, "%s: a buy reached the broker", id);
}

static void take_mode(struct restricted *judge, const struct event *event) {
    bool is_on = strcmp(event->subject, "REDUCE_ONLY") == 0 || strcmp(event->subject, "HALT") == 0;
    if (is_on && !judge->is_on) {
        judge->since = event->at;
    }
    judge->is_on = is_on;
    if (!is_on) {
        judge->waiting_count = 0; /* the tick had ended the restriction before it bought */
    }
}

static void take_tick(struct restricted *judge, struct findings *findings) {
    for (size_t i = 0; i < judge->waiting_count; i++) {
        tell(findings, judge->waiting[i].id, judge->waiting[i].at);
    }
    judge->waiting_count = 0;
    judge->is_released = false;
}

/* A core waits for each answer: one buy at most is on its way. */
static void take_request(struct restricted *judge, const struct event *event,
                         const struct scene_sent *sent) {
    if (event->kind == EVENT_SEND && sent->is_new && sent->is_buy) {
        (void)!text_copy(judge->flying, sizeof judge->flying, sent->id, NULL);
        judge->died_at = (struct utc){0};
    } else if (event->kind == EVENT_HTTP && is_word(event->subject, "POST") &&
               judge->died_at.ns == 0) {
        judge->flying[0] = '\0';
    } else if (event->kind == EVENT_STOP && is_word(event->subject, "dead") &&
               judge->died_at.ns == 0) {
        judge->died_at = event->at;
    }
}

static bool is_late(const struct restricted *judge, const struct event *event) {
    bool is_held_back = judge->late_at.ns != 0 &&
                        utc_sub(event->at, judge->late_at).ns <= LATE.ns &&
                        utc_sub(event->at, judge->since).ns <= LATE.ns;
    bool was_flying = judge->died_at.ns != 0 && is_word(judge->flying, event->id) &&
                      utc_sub(event->at, judge->died_at).ns <= LATE.ns;
    return is_held_back || was_flying;
}

static void take_buy(struct restricted *judge, const struct event *event,
                     struct findings *findings) {
    const struct scene_order *order = table_find(&findings->scene->orders, event->id);
    bool is_new = table_find(&judge->seen, event->id) == NULL;
    if (order != NULL && order->is_cover) {
        return; /* it ends what is short */
    }
    (void)table_get(&judge->seen, event->id);
    bool is_accepted = strcmp(event->what, "pending_new") == 0 ||
                       strcmp(event->what, "accepted") == 0 || strcmp(event->what, "new") == 0;
    if (!is_new || !is_accepted || !judge->is_on ||
        utc_sub(event->at, judge->since).ns <= SETTLED.ns) {
        return;
    }
    if (is_late(judge, event)) {
        findings_excuse(findings, ORACLE_RESTRICTED, event->at,
                        "%s: a buy arrived late at the broker", event->id);
    } else if (judge->is_released && judge->waiting_count < WAITING_MAX) {
        struct waiting *waiting = &judge->waiting[judge->waiting_count++];
        *waiting = (struct waiting){.at = event->at};
        (void)!text_copy(waiting->id, sizeof waiting->id, event->id, NULL);
    } else {
        tell(findings, event->id, event->at);
    }
}

static void restricted_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct restricted *judge = context;
    take_request(judge, event, &findings->scene->sent);
    if (event->kind == EVENT_MODE) {
        take_mode(judge, event);
    } else if (event->kind == EVENT_TICK) {
        take_tick(judge, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        judge->is_released = judge->is_released || strcmp(event->what, "released") == 0;
    } else if (event->kind == EVENT_START) {
        judge->is_on = false; /* a new core tells its mode when it differs from NORMAL */
        judge->waiting_count = 0;
        judge->is_released = false;
    } else if (event->kind == EVENT_FAULT) {
        bool holds_back = strcmp(event->subject, "http.late_arrival") == 0 ||
                          strncmp(event->subject, "process.", 8) == 0; /* a request in flight */
        judge->late_at = holds_back ? event->at : judge->late_at;
    } else if (event->kind == EVENT_LEDGER_ORDER && strcmp(event->subject, "buy") == 0 &&
               scene_is_ours(findings->scene, event->id)) {
        take_buy(judge, event, findings);
    }
}

const struct judge_ops restricted_judge = {
    KIND(EVENT_MODE) | KIND(EVENT_TICK) | KIND(EVENT_MECHANISM) | KIND(EVENT_START) |
        KIND(EVENT_FAULT) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_SEND) | KIND(EVENT_HTTP) |
        KIND(EVENT_STOP),
    restricted_create, restricted_observe, restricted_destroy};
