/* entries.c - no_buy_sent_while_restricted, degraded_opens_nothing, entry_in_session and
 * entry_on_fresh_quotes: what must hold at the moment a buy is about to leave.
 *
 * EVENT_MODE comes at the end of a tick; what binds within it is the causes themselves. A quote's age
 * is judged by the quote's own time in the last answer that brought quotes: not what the core made of
 * it. Its last look lasts a second, and one more is the way to the seam. */
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct span LAST_LOOK = {INT64_C(2000000000)};
static const struct span DECIDED_BEFORE = {INT64_C(30000000000)}; /* none older is sent */

struct entries {
    struct text quotes; /* the last answer with quotes */
};

static void *entries_create(void) {
    return judge_alloc(sizeof(struct entries));
}

static void entries_destroy(void *context) {
    struct entries *judge = context;
    text_release(&judge->quotes);
    free(judge);
}

static void take_quotes(struct text *quotes, const struct event *event) {
    const char *answer = event->body_len == 0 ? NULL : memchr(event->body, '\n', event->body_len);
    if (answer == NULL || event->number != 200 || event->id[0] != '\0' ||
        strstr(event->what, "/quotes/latest") == NULL) {
        return;
    }
    text_clear(quotes);
    text_add_bytes(quotes, answer, event->body_len - (size_t)(answer - event->body));
}

/* The time of a symbol's quote in {"quotes":{"AAPL":{..."t":"2022-..."...}}}. */
static bool quote_time(const struct text *quotes, const char *symbol, struct utc *out) {
    char key[32];
    char time[UTC_TEXT_MAX] = "";
    (void)snprintf(key, sizeof key, "\"%.20s\":{", symbol);
    const char *quote = strstr(text_get(quotes), key);
    const char *end = quote == NULL ? NULL : strchr(quote, '}');
    const char *at = quote == NULL ? NULL : strstr(quote, "\"t\":\"");
    if (at == NULL || end == NULL || at > end) {
        return false;
    }
    size_t n = strcspn(at + 5, "\"");
    memcpy(time, at + 5, n < sizeof time ? n : sizeof time - 1);
    return utc_parse(time, out, NULL) == ERR_OK;
}

/* Its ask, a number in the same object. */
static bool quote_ask(const struct text *quotes, const char *symbol, struct usd *out) {
    char key[32];
    char number[DECIMAL_TEXT_MAX] = "";
    (void)snprintf(key, sizeof key, "\"%.20s\":{", symbol);
    const char *quote = strstr(text_get(quotes), key);
    const char *end = quote == NULL ? NULL : strchr(quote, '}');
    const char *at = quote == NULL ? NULL : strstr(quote, "\"ap\":");
    if (at == NULL || end == NULL || at > end) {
        return false;
    }
    size_t n = strcspn(at + 5, ",}");
    memcpy(number, at + 5, n < sizeof number ? n : sizeof number - 1);
    return usd_parse(number, out, NULL) == ERR_OK && out->nanos > 0;
}

/* A trusted reference lies within its sources' agreement, and the spread's 1 %, of the ask: what is further from the
 * ask than these and the collar passed price_collar. A miss in its score, which fails a run whose scores are kept, and no
 * invariant that breaks: the broker has a collar of its own. */
static void keep_collar(const struct text *quotes, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_limits *limits = &scene->limits;
    struct ratio most = {limits->collar.nanos + limits->agreement.nanos + NANOS / 100};
    struct usd ask = {0};
    struct usd beyond = {0};
    if (limits->collar.nanos == 0 || scene->sent.limit.nanos == 0 ||
        !quote_ask(quotes, scene->sent.symbol, &ask)) {
        return;
    }
    struct usd apart = usd_sub(usd_abs(usd_sub(scene->sent.limit, ask)), usd_scale(ask, most));
    if (apart.nanos > 0) {
        struct score *score = findings_score(findings, "price_collar");
        (void)!usd_times_qty(apart, scene->sent.qty, &beyond, NULL);
        score_passed(score, event->at);
        score_beyond(score, (struct usd){0}, beyond);
        score->risky++;
    }
}

static void judge_quote(const struct text *quotes, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    const char *symbol = scene->sent.symbol;
    struct utc time = {0};
    if (scene->limits.quote_max_age.ns == 0) {
        return;
    }
    if (!quote_time(quotes, symbol, &time)) {
        findings_break(findings, ORACLE_QUOTES, event->at, "%s: bought without a quote", symbol);
        return;
    }
    int64_t age_ns = utc_sub(event->at, time).ns;
    if (age_ns > scene->limits.quote_max_age.ns + LAST_LOOK.ns) {
        findings_break(findings, ORACLE_QUOTES, event->at, "%s: its quote is %lld ms old", symbol,
                       (long long)(age_ns / 1000000));
    }
}

/* Inside a session and, by a core whose clock is right, past its first minutes and before its last. */
static bool is_in_phase(const struct scene *scene, struct utc at) {
    struct span since_open = utc_sub(at, scene->session.open);
    struct span to_close = utc_sub(scene->session.close, at);
    return scene_is_open(scene) &&
           (scene->is_stepped ||
            (since_open.ns >= scene->limits.no_entry_first.ns &&
             to_close.ns + DECIDED_BEFORE.ns > scene->limits.no_entry_last.ns));
}

static void judge_buy(const struct entries *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_cause *degraded = table_find(&scene->causes, "degraded_mode");
    bool is_degraded = degraded != NULL && degraded->mode >= SCENE_REDUCE_ONLY;
    if (is_degraded) {
        findings_break(findings, ORACLE_DEGRADED, event->at, "%s: a buy in degraded mode",
                       scene->sent.symbol);
    }
    if (scene->strict > (size_t)is_degraded) {
        findings_break(findings, ORACLE_SENT_RESTRICTED, event->at, "%s: a buy in spite of %s",
                       scene->sent.symbol, scene_strict_cause(scene));
    }
    if (!is_in_phase(scene, event->at)) {
        findings_break(findings, ORACLE_SESSION, event->at,
                       "%s: a buy outside the hours of entries", scene->sent.symbol);
    }
    judge_quote(&judge->quotes, event, findings);
    keep_collar(&judge->quotes, event, findings);
}

static void entries_observe(void *context, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    struct entries *judge = context;
    if (event->kind == EVENT_HTTP) {
        take_quotes(&judge->quotes, event);
    } else if (sent->is_new && sent->is_buy) {
        judge_buy(judge, event, findings);
    }
}

const struct judge_ops entries_judge = {KIND(EVENT_SEND) | KIND(EVENT_HTTP), entries_create,
                                        entries_observe, entries_destroy};
