/* unknowns.c - unknown_settled_first: an order whose fate is unknown is asked for before its symbol gets
 * another order.
 *
 * A POST is of unknown fate from its first byte until an answer says otherwise; a lost answer, a 5xx or
 * a death leaves it there. Asked for: a listing of orders or a look by its id was sent since. Known: any
 * later answer names it. "Not found" proves nothing before the late-arrival bound of 30 s. Ids of the
 * emergency rule are made to be sent without memory. */
#include "core/base/err.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "order_idempotency";
static const struct span LATE = {INT64_C(30000000000)};
enum { UNKNOWN_MAX = 64 };

struct unknown {
    char id[TABLE_NAME_MAX];
    char symbol[16];
    struct utc at;
    bool is_asked;
    struct two_clocks clocks; /* due from a lost answer until the fate is known */
};

struct unknowns {
    struct unknown items[UNKNOWN_MAX];
    size_t count;
};

static void *unknowns_create(void) {
    return judge_alloc(sizeof(struct unknowns));
}

static void drop(struct unknowns *judge, size_t i) {
    memmove(&judge->items[i], &judge->items[i + 1],
            (judge->count - i - 1) * sizeof judge->items[0]);
    judge->count--;
}

static void add(struct unknowns *judge, const struct scene_sent *sent, struct utc at) {
    struct two_clocks clocks = {0};
    for (size_t i = judge->count; i-- > 0;) {
        if (is_word(judge->items[i].id, sent->id) || judge->count == UNKNOWN_MAX) {
            clocks = is_word(judge->items[i].id, sent->id) ? judge->items[i].clocks : clocks;
            drop(judge, i);
        }
    }
    struct unknown *unknown = &judge->items[judge->count++];
    *unknown = (struct unknown){.at = at, .clocks = clocks};
    (void)!text_copy(unknown->id, sizeof unknown->id, sent->id, NULL);
    (void)!text_copy(unknown->symbol, sizeof unknown->symbol, sent->symbol, NULL);
}

static void judge_send(const struct unknowns *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    for (size_t i = 0; i < judge->count; i++) {
        const struct unknown *unknown = &judge->items[i];
        bool is_old = utc_sub(event->at, unknown->at).ns >= LATE.ns;
        bool is_free = is_old || (unknown->is_asked && !sent->is_buy);
        if (is_word(unknown->symbol, sent->symbol) && !is_word(unknown->id, sent->id) && !is_free) {
            findings_break(findings, ORACLE_UNKNOWN, event->at, "%s: %s left while %s was unknown",
                           sent->symbol, sent->id, unknown->id);
        }
    }
}

static void take_look(struct unknowns *judge, const struct event *event) {
    for (size_t i = 0; i < judge->count; i++) {
        struct unknown *unknown = &judge->items[i];
        bool is_listing = strncmp(event->what, "/v2/orders?", 11) == 0;
        unknown->is_asked =
            unknown->is_asked || is_listing || strstr(event->what, unknown->id) != NULL;
    }
}

/* A POST that certainly never left, one that is answered (2xx, 4xx), or any good answer that names it; not
 * "not found", which names it too. */
static void take_answer(struct unknowns *judge, const struct event *event,
                        struct findings *findings) {
    bool is_not_found = event->number == 404 && is_word(event->subject, "GET");
    bool is_answered =
        is_word(event->id, "not_sent") ||
        (event->id[0] == '\0' && event->number >= 200 && event->number < 500 && !is_not_found);
    bool is_lost = !is_answered && is_word(event->subject, "POST");
    for (size_t i = judge->count; (is_answered || is_lost) && i-- > 0;) {
        struct unknown *unknown = &judge->items[i];
        if (memmem(event->body, event->body_len, unknown->id, strlen(unknown->id)) == NULL) {
            continue;
        }
        struct score *score = findings_score(findings, MECHANISM);
        if (is_lost) {
            clocks_true(&unknown->clocks, event->at, true, (struct usd){0});
            clocks_known(&unknown->clocks, score, event->at, true);
            continue;
        }
        if (unknown->clocks.known_at.ns != 0) {
            (void)clocks_act(&unknown->clocks, score, event->at);
        }
        drop(judge, i);
    }
}

static void unknowns_observe(void *context, const struct event *event, struct findings *findings) {
    struct unknowns *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings);
    } else if (sent->is_new && strstr(sent->id, "-x-") == NULL) {
        judge_send(judge, event, findings);
        add(judge, sent, event->at);
    } else if (is_word(event->subject, "GET")) {
        take_look(judge, event);
    }
}

const struct judge_ops unknowns_judge = {KIND(EVENT_SEND) | KIND(EVENT_HTTP), unknowns_create,
                                         unknowns_observe, free};
