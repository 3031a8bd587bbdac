/* rejects.c - rejects_are_spaced: a broker that rejects each attempt is not hammered.
 *
 * Exits must go on trying, at growing pauses: of pauses of 5, 10, 20, 40 and then 60 s, five minutes hold
 * nine. A fill ends a run of rejects, and so does a new life, which knows nothing of the one before. */
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>

static const struct span WINDOW = {INT64_C(300000000000)};
enum { MOST = 12 };

struct rejected { /* sells of one symbol and purpose */
    char key[TABLE_NAME_MAX];
    struct utc at[MOST]; /* a ring of the last */
    int count;
    bool is_told;
};

static void *rejects_create(void) {
    struct table *sells = judge_alloc(sizeof *sells);
    *sells = table_of(sizeof(struct rejected));
    return sells;
}

static void rejects_destroy(void *context) {
    table_release(context);
    free(context);
}

static void take_reject(struct rejected *sells, const struct event *event,
                        struct findings *findings) {
    struct utc *oldest = &sells->at[sells->count % MOST];
    bool is_storm = sells->count >= MOST && utc_sub(event->at, *oldest).ns < WINDOW.ns;
    *oldest = event->at;
    sells->count++;
    if (is_storm && !sells->is_told) {
        sells->is_told = true;
        findings_break(findings, ORACLE_REJECTS, event->at, "%s: more than %d rejected in 5 min",
                       sells->key, MOST);
    }
}

static void rejects_observe(void *context, const struct event *event, struct findings *findings) {
    struct table *table = context;
    if (event->kind != EVENT_ORDER) {
        for (size_t i = 0; i < table->count; i++) {
            ((struct rejected *)table_at(table, i))->count = 0;
        }
        return;
    }
    if (is_word(event->subject, "entry")) {
        return;
    }
    char key[TABLE_NAME_MAX];
    const char *purpose = is_word(event->subject, "stop") ? "stop" : "exit";
    snprintf(key, sizeof key, "%.40s %s", event->symbol, purpose);
    struct rejected *sells = table_get(table, key);
    if (is_word(event->what, "rejected")) {
        take_reject(sells, event, findings);
    } else if (event->qty.nanos > 0) {
        sells->count = 0;
    }
}

const struct judge_ops rejects_judge = {KIND(EVENT_ORDER) | KIND(EVENT_START), rejects_create,
                                        rejects_observe, rejects_destroy};
