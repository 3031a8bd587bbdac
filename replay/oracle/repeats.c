/* repeats.c - repeats_are_latched, the oracle of repeat_throttle: what is done again and again is latched
 * by the end of its tick, and nothing less is.
 *
 * Counted are intents by their rows, which say when they were decided, for what, and to what exit they
 * belong; one is certain once its request was about to leave, and possible before: a life may have died
 * between the two, and the next one has to count it. Known is what is certain, true what is possible. A
 * journal that went back leaves nothing to count from, a wall that was set counts another time. Rows that
 * nobody told may have held more: for a window behind such a gap an act without a reason is let pass. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "repeat_throttle";
enum { TIMES_MAX = 4096 };
enum kind { NONE, BUY, SALE, STOP, BUY_FILLED, SALE_FILLED };

struct once { /* something was decided, or filled */
    char symbol[16];
    char id[TABLE_NAME_MAX];    /* of its order, or of its entry or exit */
    char order[TABLE_NAME_MAX]; /* the newest of it while none has left */
    enum kind kind;
    struct utc at;
    bool is_sure;
};

struct sale { /* a symbol's exit that is not over */
    char symbol[TABLE_NAME_MAX];
    char id[TABLE_NAME_MAX]; /* "": none */
    struct utc decided_at;
    struct qty most, sold;
};

struct repeats {
    struct once times[TIMES_MAX]; /* a ring */
    size_t next;
    struct table sales;
    struct two_clocks clocks;
    char due[TABLE_NAME_MAX]; /* what made it due last */
    int64_t last_row;
    struct utc gap_at; /* {0}: none */
    bool is_told;
};

static void *repeats_create(void) {
    struct repeats *judge = judge_alloc(sizeof *judge);
    judge->sales = table_of(sizeof(struct sale));
    return judge;
}

static void repeats_destroy(void *context) {
    struct repeats *judge = context;
    table_release(&judge->sales);
    free(judge);
}

static void forget_times(struct repeats *judge) {
    memset(judge->times, 0, sizeof judge->times);
    judge->clocks = (struct two_clocks){0};
    judge->is_told = false;
}

static void forget(struct repeats *judge) {
    forget_times(judge);
    table_release(&judge->sales);
    judge->sales = table_of(sizeof(struct sale));
}

static struct once *find(struct repeats *judge, enum kind kind, const char *id) {
    for (size_t i = 0; i < TIMES_MAX; i++) {
        if (judge->times[i].kind == kind && is_word(judge->times[i].id, id)) {
            return &judge->times[i];
        }
    }
    return NULL;
}

static struct once *find_order(struct repeats *judge, const char *order) {
    for (size_t i = 0; i < TIMES_MAX; i++) {
        if (judge->times[i].kind != NONE && is_word(judge->times[i].order, order)) {
            return &judge->times[i];
        }
    }
    return NULL;
}

static bool is_repeated(const struct repeats *judge, const struct once *newest,
                        const struct scene *scene, bool must_be_sure) {
    int64_t count = 0;
    for (size_t i = 0; i < TIMES_MAX; i++) {
        const struct once *other = &judge->times[i];
        count += other->kind == newest->kind && is_word(other->symbol, newest->symbol) &&
                 llabs(utc_sub(newest->at, other->at).ns) < scene->limits.repeat_window.ns &&
                 (other->is_sure || !must_be_sure);
    }
    return scene->limits.repeats > 0 && count >= scene->limits.repeats;
}

static bool is_held(const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, MECHANISM);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

static void weigh(struct repeats *judge, const struct once *newest, struct utc at,
                  struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (is_held(scene)) {
        return;
    }
    if (is_repeated(judge, newest, scene, false)) {
        clocks_true(&judge->clocks, at, true, (struct usd){0});
        (void)!text_copy(judge->due, sizeof judge->due, newest->id, NULL);
    }
    if (newest->is_sure && is_repeated(judge, newest, scene, true)) {
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, true);
    }
}

static struct once *add(struct repeats *judge, enum kind kind, const char *symbol, const char *id,
                        const char *order, struct utc at) {
    struct once *once = &judge->times[judge->next++ % TIMES_MAX];
    *once = (struct once){.kind = kind, .at = at};
    (void)!text_copy(once->symbol, sizeof once->symbol, symbol, NULL);
    (void)!text_copy(once->id, sizeof once->id, id, NULL);
    (void)!text_copy(once->order, sizeof once->order, order, NULL);
    return once;
}

/* --- rows --- */

static void take_intent(struct repeats *judge, const struct event *event, const cJSON *body,
                        struct findings *findings) {
    const char *symbol = "";
    const char *side = "";
    const char *purpose = "";
    const char *replaces = "";
    const char *of = "";
    (void)!json_string(body, "of", &of, NULL);
    (void)!json_string(body, "symbol", &symbol, NULL);
    (void)!json_string(body, "side", &side, NULL);
    (void)!json_string(body, "purpose", &purpose, NULL);
    (void)!json_string(body, "replaces", &replaces, NULL);
    enum kind kind = is_word(side, "buy") ? BUY : is_word(purpose, "stop") ? STOP : SALE;
    const struct sale *sale = table_find(&judge->sales, symbol);
    bool is_of_exit = kind == SALE && sale != NULL && sale->id[0] != '\0';
    int64_t most = findings->scene->limits.maker_tries;
    int64_t attempt = 0; /* of an entry that is worked, and one may cross */
    bool is_reprice = of[0] != '\0' && json_int(body, "attempt", &attempt, NULL) == ERR_OK &&
                      (most == 0 || attempt <= most + 1);
    const char *id = is_of_exit ? sale->id : is_reprice ? of : event->id;
    struct once *known = find(judge, kind, id);
    struct utc decided_at = event->at; /* which is when it became durable: a disk takes its time */
    (void)!json_utc(body, "decided_at", &decided_at, NULL);
    if (replaces[0] != '\0') {
        return;
    }
    if (known == NULL) {
        weigh(judge, add(judge, kind, symbol, id, event->id, decided_at), event->at, findings);
    } else if (!known->is_sure) {
        (void)!text_copy(known->order, sizeof known->order, event->id, NULL);
    }
}

static void take_fill(struct repeats *judge, const struct event *event, const cJSON *body,
                      struct findings *findings) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    struct utc at = {0};
    (void)!json_string(body, "symbol", &symbol, NULL);
    (void)!json_string(body, "side", &side, NULL);
    (void)!json_qty(body, "qty", &qty, NULL);
    (void)!json_utc(body, "at", &at, NULL);
    bool is_buy = is_word(side, "buy");
    struct sale *sale = table_find(&judge->sales, symbol);
    bool is_exiting = sale != NULL && sale->id[0] != '\0';
    const char *id = is_exiting && !is_buy ? sale->id : event->id;
    enum kind kind = is_buy ? BUY_FILLED : SALE_FILLED;
    if (find(judge, kind, id) == NULL) {
        struct once *once = add(judge, kind, symbol, id, "", at.ns == 0 ? event->at : at);
        once->is_sure = true;
        weigh(judge, once, event->at, findings);
    }
    if (is_exiting && at.ns > sale->decided_at.ns) {
        sale->most = is_buy ? qty_add(sale->most, qty) : sale->most;
        sale->sold = is_buy ? sale->sold : qty_add(sale->sold, qty);
        bool is_oversold = qty_cmp(sale->sold, sale->most) > 0 && !is_held(findings->scene);
        if (is_oversold) {
            clocks_known(&judge->clocks, findings_score(findings, MECHANISM), event->at, true);
        }
    }
}

static void take_exit(struct repeats *judge, const struct event *event, const cJSON *body) {
    const char *phase = "";
    const char *decided = "";
    char id[TABLE_NAME_MAX];
    struct sale *sale = table_get(&judge->sales, event->id);
    (void)!json_string(body, "phase", &phase, NULL);
    (void)!json_string(body, "decided_at", &decided, NULL);
    (void)snprintf(id, sizeof id, "%.15s %.40s", event->id, decided);
    if (is_word(phase, "over")) {
        sale->id[0] = '\0';
    } else if (!is_word(sale->id, id)) {
        sale->sold = (struct qty){0};
        (void)!json_qty(body, "start", &sale->most, NULL);
        (void)!json_utc(body, "decided_at", &sale->decided_at, NULL);
        memcpy(sale->id, id, sizeof id);
    }
}

static void take_adoption(struct repeats *judge, const struct event *event, const cJSON *body) {
    struct sale *sale = table_get(&judge->sales, event->id);
    struct qty qty = {0};
    struct qty was = {0};
    (void)!json_qty(body, "qty", &qty, NULL);
    (void)!json_qty(body, "was", &was, NULL);
    if (qty_cmp(qty, was) > 0) {
        sale->most = qty_add(sale->most, qty_sub(qty, was));
    }
}

/* Declined at the last look, or no byte of it left, or a stop that was rejected: that was none. An exit's
 * next try may be one. */
static void take_back(struct repeats *judge, const char *order) {
    struct once *once = find_order(judge, order);
    if (once == NULL || (once->kind == SALE && !is_word(once->id, order))) {
        return;
    }
    if (is_word(judge->due, once->id)) {
        judge->clocks = (struct two_clocks){0};
    }
    *once = (struct once){0};
}

static void take_body(struct repeats *judge, const struct event *event, const cJSON *body,
                      struct findings *findings) {
    const char *state = "";
    const char *purpose = "";
    if (is_word(event->subject, "intent")) {
        take_intent(judge, event, body, findings);
    } else if (is_word(event->subject, "fill")) {
        take_fill(judge, event, body, findings);
    } else if (is_word(event->subject, "exit")) {
        take_exit(judge, event, body);
    } else if (is_word(event->subject, "adopt") || is_word(event->subject, "split") ||
               is_word(event->subject, "spin")) {
        take_adoption(judge, event, body);
    } else if (is_word(event->subject, "order")) {
        (void)!json_string(body, "state", &state, NULL);
        (void)!json_string(body, "purpose", &purpose, NULL);
        if (is_word(state, "not_sent") ||
            (is_word(state, "rejected") && is_word(purpose, "stop"))) {
            take_back(judge, event->id);
        }
    }
}

static void take_row(struct repeats *judge, const struct event *event, struct findings *findings) {
    bool is_clear = is_word(event->subject, "latch_clear") && is_word(event->id, MECHANISM);
    bool is_next = judge->last_row == 0 || event->number == judge->last_row + 1;
    if (event->number <= judge->last_row) {
        forget(judge);
    } else if (is_clear) {
        forget_times(judge); /* exits go on, what they sold begins anew */
        for (size_t i = 0; i < judge->sales.count; i++) {
            struct sale *sale = table_at(&judge->sales, i);
            sale->sold = (struct qty){0};
        }
    }
    judge->gap_at = is_next ? judge->gap_at : event->at;
    judge->last_row = event->number;
    const cJSON *body = scene_body(findings->scene, event);
    if (body != NULL) {
        take_body(judge, event, body, findings);
    }
}

/* --- the rest --- */

static void judge_act(struct repeats *judge, const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    bool is_own = strstr(event->body, "\"by\":\"core\"") != NULL; /* not a document, nor a person */
    struct span since_gap = utc_sub(event->at, judge->gap_at);
    bool is_unsure =
        findings->scene->is_stepped ||
        (judge->gap_at.ns != 0 && since_gap.ns < findings->scene->limits.repeat_window.ns);
    bool is_due = judge->clocks.true_at.ns != 0 || judge->clocks.known_at.ns != 0;
    if (is_own && (is_due || !is_unsure) && !clocks_act(&judge->clocks, score, event->at)) {
        findings_break(findings, ORACLE_REPEATS, event->at, "latched, and nothing was repeated");
    }
    judge->clocks = (struct two_clocks){0};
}

static void judge_tick(struct repeats *judge, const struct event *event,
                       struct findings *findings) {
    bool is_late = judge->clocks.known_at.ns != 0 && !is_held(findings->scene);
    if (is_late && !judge->is_told && !findings->scene->is_stepped) {
        judge->is_told = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_REPEATS, event->at, "repeated, and not latched: %s",
                       judge->due);
    }
}

static void judge_send(struct repeats *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    struct once *once = sent->is_new ? find_order(judge, sent->id) : NULL;
    if (sent->is_new && sent->is_buy && is_held(findings->scene)) {
        findings_score(findings, MECHANISM)->risky++;
    }
    if (once != NULL && !once->is_sure) {
        once->is_sure = true;
        weigh(judge, once, event->at, findings);
    }
}

static void repeats_observe(void *context, const struct event *event, struct findings *findings) {
    struct repeats *judge = context;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
        judge_act(judge, event, findings);
    }
}

const struct judge_ops repeats_judge = {KIND(EVENT_ROW) | KIND(EVENT_SEND) | KIND(EVENT_TICK) |
                                            KIND(EVENT_MECHANISM),
                                        repeats_create, repeats_observe, repeats_destroy};
