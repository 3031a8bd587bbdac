/* rejects.c - rejects_are_spaced: a broker that rejects each attempt is not hammered.
 *
 * Exits must go on trying, at growing pauses: of pauses of 5, 10, 20, 40 and then 60 s, five minutes hold
 * nine. A stop that the broker cancels by itself, by the ledger, is one: it comes behind no pending_cancel. A fill
 * ends a run of rejects, and so does a new life, which knows nothing of the one before. */
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

struct asked { /* somebody asked for the end of a stop */
    char id[TABLE_NAME_MAX];
    bool is_asked;
};

struct rejects {
    struct table sells, stops;
};

static void *rejects_create(void) {
    struct rejects *judge = judge_alloc(sizeof *judge);
    judge->sells = table_of(sizeof(struct rejected));
    judge->stops = table_of(sizeof(struct asked));
    return judge;
}

static void rejects_destroy(void *context) {
    struct rejects *judge = context;
    table_release(&judge->sells);
    table_release(&judge->stops);
    free(judge);
}

static void take_reject(struct rejected *sells, const struct event *event,
                        struct findings *findings) {
    struct utc *oldest = &sells->at[sells->count % MOST];
    bool is_storm = sells->count >= MOST && utc_sub(event->at, *oldest).ns < WINDOW.ns;
    *oldest = event->at;
    sells->count++;
    if (is_storm && !sells->is_told) {
        sells->is_told = true;
        findings_break(findings, ORACLE_REJECTS, event->at,
                       "%s: more than %d rejected or undone in 5 min", sells->key, MOST);
    }
}

static struct rejected *sells_of(struct rejects *judge, const struct event *event, bool is_stop) {
    char key[TABLE_NAME_MAX];
    snprintf(key, sizeof key, "%.40s %s", event->symbol, is_stop ? "stop" : "exit");
    return table_get(&judge->sells, key);
}

static void take_stop(struct rejects *judge, const struct event *event, struct findings *findings) {
    struct asked *stop = table_get(&judge->stops, event->id);
    if (is_word(event->what, "pending_cancel")) {
        stop->is_asked = true;
    } else if (is_word(event->what, "canceled") && !stop->is_asked) {
        take_reject(sells_of(judge, event, true), event, findings);
    }
}

static void rejects_observe(void *context, const struct event *event, struct findings *findings) {
    struct rejects *judge = context;
    if (event->kind == EVENT_START) {
        for (size_t i = 0; i < judge->sells.count; i++) {
            ((struct rejected *)table_at(&judge->sells, i))->count = 0;
        }
        return;
    }
    if (event->kind == EVENT_LEDGER_ORDER) {
        if (is_word(event->subject, "sell") && is_our_id(event->id) &&
            begins(event->body, "stop")) {
            take_stop(judge, event, findings);
        }
        return;
    }
    if (is_word(event->subject, "entry")) {
        return;
    }
    struct rejected *sells = sells_of(judge, event, is_word(event->subject, "stop"));
    if (is_word(event->what, "rejected")) {
        take_reject(sells, event, findings);
    } else if (event->qty.nanos > 0) {
        sells->count = 0;
    }
}

const struct judge_ops rejects_judge = {KIND(EVENT_ORDER) | KIND(EVENT_LEDGER_ORDER) |
                                            KIND(EVENT_START),
                                        rejects_create, rejects_observe, rejects_destroy};
