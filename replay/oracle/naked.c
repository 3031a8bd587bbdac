/* naked.c - naked_is_paged: a position that no stop protects is paged, or on its way out.
 *
 * By the ledger: whole shares held that no live sell stop covers, while no exit of the core is at work.
 * The clock starts when the core first told an execution of the position: before, it could not know. A
 * dead core protects nothing; its successor's minute begins with its start. Of what becomes bare while
 * another account answers nobody can know (HALT is paged then): that minute begins with an answer of its
 * own. Nor of what another's execution, or a bust, makes bare while each listing that the core asks for
 * fails: that minute begins with one that comes, or once it asks no more. What is short is bare however it
 * came about, and no stop protects it. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "protective_stops";
static const struct span MOST = {INT64_C(70000000000)};

struct naked {
    char symbol[TABLE_NAME_MAX];
    struct utc since; /* {0}: protected, leaving, or flat */
    bool is_known;    /* the core has told an execution of this position */
    bool is_hidden;   /* it became bare while nobody could see it, which still is so */
    bool is_not_due;  /* the core said so */
    bool is_reported;
    bool
        is_missed; /* bare for longer than its minute where stops may be sent, undisturbed, paged or not */
};

struct nakeds {
    struct table symbols;
    struct utc listed_at, failed_at; /* of the listings that tell of an execution */
};

static void *naked_create(void) {
    struct nakeds *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct naked));
    return judge;
}

static void naked_destroy(void *context) {
    struct nakeds *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static void take_answer(struct nakeds *judge, const struct event *event) {
    static const char *const listings[] = {"/v2/positions", "/v2/orders?",
                                           "/v2/account/activities"};
    for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++) {
        if (is_word(event->subject, "GET") && begins(event->what, listings[i])) {
            *(event->number == 200 ? &judge->listed_at : &judge->failed_at) = event->at;
        }
    }
}

/* It asks, and each listing fails. */
static bool is_blind(const struct nakeds *judge, struct utc now) {
    return utc_is_before(judge->listed_at, judge->failed_at) &&
           utc_sub(now, judge->failed_at).ns <= MOST.ns;
}

static bool is_others_deed(const struct event *event, const struct scene *scene) {
    return event->kind == EVENT_LEDGER_FILL && !scene_is_ours(scene, event->id);
}

/* What the core knows of a position begins with it. */
static void take_fill(struct naked *naked, const struct event *event, const struct scene *scene) {
    struct qty held = scene_symbol(scene, event->symbol)->qty;
    if (held.nanos <= 0 || (is_word(event->subject, "buy") && held.nanos == event->qty.nanos)) {
        naked->is_known = false;
    }
}

static void take_word(struct naked *naked, const struct event *event) {
    if (is_word(event->subject, "entry") && event->qty.nanos > 0 && !naked->is_known) {
        naked->is_known = true;
        naked->since = (struct utc){0}; /* its minute begins now */
    }
}

/* A stop covers it that did not. */
static void keep_score(const struct naked *naked, struct utc at, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct score *score = findings_score(findings, MECHANISM);
    struct two_clocks clocks = {0};
    struct utc since = scene_since(scene, utc_max(naked->since, scene->up_since));
    clocks_true(&clocks, since, true, (struct usd){0});
    clocks_known(&clocks, score, since, true);
    (void)clocks_act(&clocks, score, at);
}

static void look(const struct nakeds *judge, struct naked *naked, const struct event *event,
                 struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_symbol *symbol = scene_symbol(scene, event->symbol);
    bool is_naked = qty_cmp(qty_whole(symbol->qty), symbol->stopped) > 0 && symbol->qty.nanos > 0 &&
                    !symbol->is_exiting && !naked->is_not_due && naked->is_known;
    is_naked |= symbol->qty.nanos < 0 && !symbol->is_exiting;
    bool is_covered = symbol->qty.nanos > 0 && !symbol->is_exiting && !naked->is_not_due;
    if (naked->since.ns != 0 && !is_naked && is_covered) {
        keep_score(naked, event->at, findings);
    }
    if (!is_naked) {
        naked->since = (struct utc){0};
        naked->is_hidden = naked->is_missed = false;
    } else if (naked->since.ns == 0) {
        naked->since = event->at;
        naked->is_hidden = scene->other_account_at.ns != 0 ||
                           (is_blind(judge, event->at) && is_others_deed(event, scene));
    }
}

static void judge_tick(struct nakeds *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_judged = scene->is_up && scene_is_open(scene);
    MUTATE(judge_naked_blind, is_judged = false);
    for (size_t i = 0; is_judged && i < judge->symbols.count; i++) {
        struct naked *naked = table_at(&judge->symbols, i);
        naked->is_hidden &= scene->other_account_at.ns != 0 || is_blind(judge, event->at);
        naked->since = naked->is_hidden ? event->at : naked->since;
        bool is_older = utc_is_before(naked->since, scene->up_since);
        struct utc since = scene_since(scene, is_older ? scene->up_since : naked->since);
        bool is_late = naked->since.ns != 0 && utc_sub(event->at, since).ns > MOST.ns;
        if (is_late && !naked->is_missed && scene->mode != SCENE_HALT &&
            utc_is_before(scene->fault_at, since)) {
            naked->is_missed = true;
            score_passed(findings_score(findings, MECHANISM), event->at);
        }
        if (!is_late || naked->is_reported || scene->paged_at.ns >= since.ns) {
            continue;
        }
        naked->is_reported = true;
        findings_break(findings, ORACLE_NAKED, event->at, "%s: unprotected for %lld s, unpaged",
                       naked->symbol, (long long)(utc_sub(event->at, since).ns / NANOS));
    }
}

static void naked_observe(void *context, const struct event *event, struct findings *findings) {
    struct nakeds *judge = context;
    if (event->kind == EVENT_LEDGER_EQUITY) {
        judge_tick(judge, event, findings);
        return;
    }
    if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
        return;
    }
    struct naked *naked = table_get(&judge->symbols, event->symbol);
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(naked, event, findings->scene);
    } else if (event->kind == EVENT_ORDER) {
        take_word(naked, event);
    } else if (event->kind == EVENT_PROTECTION) {
        naked->is_not_due = is_word(event->what, "not_due");
    }
    look(judge, naked, event, findings);
}

const struct judge_ops naked_judge = {
    KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_ORDER) | KIND(EVENT_EXIT) |
        KIND(EVENT_PROTECTION) | KIND(EVENT_LEDGER_EQUITY) | KIND(EVENT_HTTP),
    naked_create, naked_observe, naked_destroy};
