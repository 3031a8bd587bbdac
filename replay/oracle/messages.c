/* messages.c - messages_within_their_rate, the oracle of message_throttle: no buy leaves behind a full
 * second or a full minute of messages, none is refused for one that was not full, and no exit is.
 *
 * Counted are sends that change the market, by the time at which they were sent; one that was answered
 * with not_sent did not leave. A life knows its own sends, and of its predecessors the rows that they
 * left: intents, and orders that ended cancelled. In a life's first minute it is not asked why it held an
 * entry back: a row may tell of what never left. A journal that went back leaves nothing to count from.
 * The core counts its own by the monotonic clock, which no wall moves, and the rows of earlier lives by
 * what the wall was then: behind a wall that was set nothing is judged of a life's first minute. The
 * ledger has no word on it: both clocks are the sends'. The core looked between its last word and the one
 * that it was held back, and may have stood still behind its look: what was full at either was full. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "message_throttle";
static const struct span SECOND = {INT64_C(1000000000)};
static const struct span MINUTE = {INT64_C(60000000000)};
enum { STAMPS_MAX = 1024 }; /* the highest limit there may be is lower */

struct stamps { /* a ring */
    struct utc at[STAMPS_MAX];
    int64_t count;
};

struct messages {
    struct stamps sends; /* of this life */
    struct stamps rows;  /* of those before it, and meanwhile its own */
    int64_t rows_before; /* of rows, those that it found */
    bool is_alive;       /* rows are its own, which it knows as sends */
    int64_t last_row;
    struct utc word_at; /* the core's last word before it told that an entry waits */
    struct two_clocks clocks;
};

static void *messages_create(void) {
    return judge_alloc(sizeof(struct messages));
}

static void add(struct stamps *stamps, struct utc at) {
    stamps->at[stamps->count++ % STAMPS_MAX] = at;
}

/* Of the first `kept` ever added, those younger than the span. */
static int64_t count_within(const struct stamps *stamps, int64_t kept, struct span span,
                            struct utc now) {
    int64_t count = 0;
    int64_t oldest = stamps->count > STAMPS_MAX ? stamps->count - STAMPS_MAX : 0;
    for (int64_t i = oldest; i < kept; i++) {
        count += utc_sub(now, stamps->at[i % STAMPS_MAX]).ns < span.ns;
    }
    return count;
}

static int64_t count_all(const struct messages *judge, struct span span, struct utc now) {
    return count_within(&judge->sends, judge->sends.count, span, now) +
           count_within(&judge->rows, judge->rows_before, span, now);
}

static bool is_full(const struct messages *judge, const struct scene_limits *limits,
                    struct utc now) {
    return count_all(judge, SECOND, now) >= limits->messages_1s ||
           count_all(judge, MINUTE, now) >= limits->messages_60s;
}

/* The latest instant at which it may have looked and found it full; now if there is none. */
static struct utc looked_at(const struct messages *judge, struct utc now,
                            const struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool was_full = judge->word_at.ns != 0 && is_full(judge, limits, judge->word_at);
    return !is_full(judge, limits, now) && was_full ? judge->word_at : now;
}

/* Both clocks, as it stands at this instant. */
static bool look(struct messages *judge, struct utc now, struct findings *findings) {
    bool is_due = is_full(judge, &findings->scene->limits, now);
    clocks_true(&judge->clocks, now, is_due, (struct usd){0});
    clocks_known(&judge->clocks, findings_score(findings, MECHANISM), now, is_due);
    return is_due;
}

static bool is_young(const struct scene *scene, struct utc now) {
    return utc_sub(now, scene->up_since).ns < MINUTE.ns;
}

static bool is_message(const struct event *event) {
    return !is_word(event->subject, "GET") && strncmp(event->what, "/v2/orders", 10) == 0;
}

static void judge_send(struct messages *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (!is_message(event)) {
        return;
    }
    bool is_buy = sent->is_new && sent->is_buy;
    bool is_sure = !findings->scene->is_stepped || !is_young(findings->scene, event->at);
    if (is_buy && is_sure && look(judge, event->at, findings)) {
        struct score *score = findings_score(findings, MECHANISM);
        score->missed++;
        score->risky++;
        findings_break(findings, ORACLE_MESSAGES, event->at,
                       "%s: a buy behind %lld messages of a second, %lld of a minute", sent->symbol,
                       (long long)count_all(judge, SECOND, event->at),
                       (long long)count_all(judge, MINUTE, event->at));
    }
    add(&judge->sends, event->at);
}

/* The answer to the last send: the core asks one thing at a time. */
static void take_answer(struct messages *judge, const struct event *event) {
    if (is_message(event) && is_word(event->id, "not_sent") && judge->sends.count > 0) {
        judge->sends.count--;
    }
}

static void judge_refusal(struct messages *judge, const struct event *event,
                          struct findings *findings) {
    if (!is_word(event->subject, "MESSAGE_RATE")) {
        return;
    }
    if (!is_word(event->what, "entry")) {
        findings_break(findings, ORACLE_MESSAGES, event->at, "%s: an exit waits for messages",
                       event->symbol);
    } else if (!look(judge, looked_at(judge, event->at, findings), findings) &&
               !is_young(findings->scene, event->at)) {
        findings_break(findings, ORACLE_MESSAGES, event->at,
                       "%s: held back behind %lld messages of a second, %lld of a minute",
                       event->symbol, (long long)count_all(judge, SECOND, event->at),
                       (long long)count_all(judge, MINUTE, event->at));
    }
}

/* It tells once that entries wait, before the first refusal. */
static void judge_act(struct messages *judge, const struct event *event,
                      struct findings *findings) {
    bool is_due = look(judge, looked_at(judge, event->at, findings), findings);
    bool is_asked = is_due || !is_young(findings->scene, event->at);
    if (is_asked && !clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_MESSAGES, event->at, "told that entries wait, for nothing");
    }
}

static void take_row(struct messages *judge, const struct event *event) {
    bool is_end = is_word(event->subject, "order") && event->body_len > 0 &&
                  strstr(event->body, "\"state\":\"canceled\"") != NULL;
    if (event->number <= judge->last_row) {
        judge->rows.count = judge->rows_before = 0;
    }
    judge->last_row = event->number;
    if (judge->is_alive && (is_end || is_word(event->subject, "intent"))) {
        add(&judge->rows, event->at);
    }
}

/* The next life knows the rows of all before it, and none of its own as such. */
static void take_life(struct messages *judge, bool is_start) {
    judge->rows_before = judge->rows.count;
    judge->sends.count = 0;
    judge->is_alive = is_start;
    judge->clocks = (struct two_clocks){0};
}

static void messages_observe(void *context, const struct event *event, struct findings *findings) {
    struct messages *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        take_life(judge, event->kind == EVENT_START);
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event);
    } else if (scene->limits.messages_1s == 0) {
        judge->sends.count = judge->rows_before = 0;
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_REFUSAL) {
        judge_refusal(judge, event, findings);
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    }
    judge->word_at = event->kind == EVENT_MECHANISM ? judge->word_at : event->at;
}

const struct judge_ops messages_judge = {KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_ROW) |
                                             KIND(EVENT_REFUSAL) | KIND(EVENT_MECHANISM) |
                                             KIND(EVENT_START) | KIND(EVENT_STOP),
                                         messages_create, messages_observe, free};
