/* position_sign.c - short_is_bought_back, the oracle of position_sign: what an answer shows as short fires the kill
 * switch in its tick and is bought back within a minute, to zero and not beyond; and none of it is sold meanwhile.
 *
 * *True* is the ledger's position below zero, however it came about; *known* is the first answer that lists it so. The
 * minute counts session time in which the core was up, not in HALT, and heard its own account. A purchase that
 * was no more than what was short when it came, and leaves more than nothing, turned a position over that somebody else
 * bought back meanwhile: a maybe if he did. What the core says of itself is believed of nothing here but that the
 * cause is set. Behind a fault, or once an exit that does not get on was paged, a minute is no promise: a maybe. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "position_sign";
static const struct span MOST = {INT64_C(60000000000)};

struct side {
    char symbol[TABLE_NAME_MAX];
    bool is_listed_short;
    struct utc true_at; /* short by the ledger since; {0}: not */
    struct utc since;   /* known and due since, by a clock that stands while nothing can be done */
    struct utc foreign_at; /* somebody else bought */
    bool is_late;          /* reported */
};

struct signs {
    struct table sides;
    struct two_clocks clocks;
    struct utc told_at; /* a page of an exit that does not get on */
    bool is_missed;
    bool was_due; /* at the end of the tick before */
};

static void *signs_create(void) {
    struct signs *judge = judge_alloc(sizeof *judge);
    judge->sides = table_of(sizeof(struct side));
    return judge;
}

static void signs_destroy(void *context) {
    struct signs *judge = context;
    table_release(&judge->sides);
    free(judge);
}

static bool is_set(const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, MECHANISM);
    return cause != NULL && cause->mode >= SCENE_REDUCE_ONLY;
}

/* Both clocks of the kill: once for all symbols, because one cause stands for them. */
static void look(struct signs *judge, struct utc at, struct findings *findings) {
    bool is_true = false;
    bool is_known = false;
    for (size_t i = 0; i < judge->sides.count; i++) {
        const struct side *side = table_at(&judge->sides, i);
        is_true |= side->true_at.ns != 0;
        is_known |= side->is_listed_short;
    }
    clocks_true(&judge->clocks, at, is_true, (struct usd){0});
    clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, is_known);
    judge->is_missed &= is_known;
}

static void take_fill(struct signs *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct side *side = table_get(&judge->sides, event->symbol);
    struct qty held = scene_symbol(scene, event->symbol)->qty;
    bool is_buy = is_word(event->subject, "buy");
    bool is_ours = scene_is_ours(scene, event->id);
    const struct scene_order *order = table_find(&scene->orders, event->id);
    bool was_short = side->true_at.ns != 0;
    if (is_buy && is_ours && order != NULL && order->is_cover && held.nanos > 0) {
        char more[DECIMAL_TEXT_MAX];
        decimal_print(held.nanos, more);
        bool is_excused = side->foreign_at.ns != 0;
        (is_excused ? findings_excuse : findings_break)(findings, ORACLE_SIGN, event->at,
                                                        "%s: %s shares more than were short, by %s",
                                                        event->symbol, more, event->id);
    }
    side->foreign_at = is_buy && !is_ours && was_short ? event->at : side->foreign_at;
    side->true_at = held.nanos >= 0 ? (struct utc){0} : was_short ? side->true_at : event->at;
    if (held.nanos >= 0) {
        side->since = (struct utc){0};
        side->is_late = false;
    }
}

static bool has_listed(const cJSON *positions, const char *symbol) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, positions) {
        const char *name = "";
        struct qty qty = {0};
        if (json_string(item, "symbol", &name, NULL) == ERR_OK && is_word(name, symbol) &&
            json_qty(item, "qty", &qty, NULL) == ERR_OK && qty.nanos < 0) {
            return true;
        }
    }
    return false;
}

/* The listing alone: it is what the core goes by. */
static void take_answer(struct signs *judge, const struct event *event, const struct scene *scene) {
    bool is_listing = event->number == 200 && is_word(event->what, "/v2/positions");
    const cJSON *positions = is_listing ? scene_answer(scene, event) : NULL;
    if (positions == NULL) {
        return;
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, positions) {
        const char *name = "";
        if (json_string(item, "symbol", &name, NULL) == ERR_OK) {
            (void)table_get(&judge->sides, name);
        }
    }
    for (size_t i = 0; i < judge->sides.count; i++) {
        struct side *side = table_at(&judge->sides, i);
        side->is_listed_short = has_listed(positions, side->symbol);
    }
}

/* Nothing of what is short is sold: not by what the core was told in this very tick, which it has read. */
static void judge_sale(struct signs *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    const struct side *side = table_find(&judge->sides, sent->symbol);
    bool is_sale = sent->is_new && !sent->is_buy && !sent->is_cover;
    if (is_sale && side != NULL && side->is_listed_short && side->true_at.ns != 0) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_SIGN, event->at, "%s: sold while it is short, %s",
                       sent->symbol, sent->id);
    }
}

/* By the core itself: what a document or a copy of it brings back was a trip of another day. */
static void judge_act(struct signs *judge, const struct event *event, struct findings *findings) {
    static const char own[] = "\"by\":\"core\"";
    bool is_own =
        event->body_len > 0 && memmem(event->body, event->body_len, own, sizeof own - 1) != NULL;
    if (is_own && !clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_SIGN, event->at, "it acted, and nothing is short");
    }
}

/* The kill is due by the end of the tick that read of it; one that ended while an answer came read it in the next. */
static void judge_tick(struct signs *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_due = judge->clocks.known_at.ns != 0 && scene->limits.position_sign != 0 &&
                  scene->is_up && scene->other_account_at.ns == 0 && !is_set(scene);
    if (is_due && judge->was_due && !judge->is_missed) {
        judge->is_missed = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_SIGN, event->at,
                       "a position is listed as short, and no kill fired");
    }
    judge->was_due = is_due;
}

static void judge_cover(struct signs *judge, struct side *side, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_able = scene->is_up && scene_is_open(scene) && scene->mode != SCENE_HALT &&
                   scene->other_account_at.ns == 0 && scene->limits.position_sign != 0;
    if (side->true_at.ns == 0 || side->is_late || (side->since.ns == 0 && !side->is_listed_short)) {
        return;
    }
    if (!is_able || side->since.ns == 0) {
        side->since = event->at;
        return;
    }
    if (utc_sub(event->at, side->since).ns <= MOST.ns) {
        return;
    }
    side->is_late = true;
    bool is_excused = !utc_is_before(scene->fault_at, side->true_at) ||
                      !utc_is_before(judge->told_at, side->true_at);
    (is_excused ? findings_excuse : findings_break)(
        findings, ORACLE_SIGN, event->at, "%s: short for %lld s", side->symbol,
        (long long)(utc_sub(event->at, side->since).ns / NANOS));
}

static void take_alert(struct signs *judge, const struct event *event) {
    static const char *const words[] = {"exit_stuck", "exit_unfilled", "exit_refused",
                                        "exit_without_price"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        judge->told_at = is_word(event->what, words[i]) ? event->at : judge->told_at;
    }
}

static void signs_observe(void *context, const struct event *event, struct findings *findings) {
    struct signs *judge = context;
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, findings);
        look(judge, event->at, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings->scene);
        look(judge, event->at, findings);
    } else if (event->kind == EVENT_SEND) {
        judge_sale(judge, event, findings);
    } else if (event->kind == EVENT_ALERT) {
        take_alert(judge, event);
    } else if (event->kind == EVENT_MECHANISM) {
        if (is_word(event->subject, MECHANISM) && is_word(event->what, "acted")) {
            judge_act(judge, event, findings);
        }
    } else if (event->kind == EVENT_START) {
        judge->was_due = false; /* a new life reads anew */
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    }
    for (size_t i = 0; event->kind == EVENT_LEDGER_EQUITY && i < judge->sides.count; i++) {
        judge_cover(judge, table_at(&judge->sides, i), event, findings);
    }
}

const struct judge_ops position_sign_judge = {
    KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_EQUITY) | KIND(EVENT_HTTP) | KIND(EVENT_SEND) |
        KIND(EVENT_ALERT) | KIND(EVENT_MECHANISM) | KIND(EVENT_START) | KIND(EVENT_TICK),
    signs_create, signs_observe, signs_destroy};
