/* flatten.c - flatten_is_obeyed and exits_end_after_healing: what should leave, leaves.
 *
 * A flatten is an operator's word about the positions of that moment. A fault since then, or a page
 * that names the symbol, may be why one stays: a maybe. In HALT nothing is sent, so no exit is due; but
 * whoever asked for a flatten then must have been paged. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span MOST = {INT64_C(600000000000)};

struct leaving {
    char symbol[TABLE_NAME_MAX];
    struct utc named_at; /* by a flatten while held; {0}: not named, or flat since */
    struct utc exit_at;  /* an exit is open since; {0}: none */
    struct utc paged_at; /* a page named the symbol */
    bool is_stuck;       /* after healing; reported */
};

static void *flatten_create(void) {
    struct table *symbols = judge_alloc(sizeof *symbols);
    *symbols = table_of(sizeof(struct leaving));
    return symbols;
}

static void flatten_destroy(void *context) {
    table_release(context);
    free(context);
}

/* The scenario's operator or the core's reading of his command: either way the same positions. */
static void take_operator(struct table *symbols, const struct event *event,
                          const struct scene *scene) {
    for (size_t i = 0; is_word(event->subject, "flatten") && i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        struct leaving *leaving = table_get(symbols, symbol->symbol);
        bool is_named = event->what[0] == '\0' || is_word(event->what, symbol->symbol);
        if (is_named && symbol->qty.nanos > 0 && leaving->named_at.ns == 0) {
            leaving->named_at = event->at;
        }
    }
}

static void take_page(struct table *symbols, const struct event *event) {
    for (size_t i = 0; is_word(event->subject, "page") && i < symbols->count; i++) {
        struct leaving *leaving = table_at(symbols, i);
        if (strstr(event->body, leaving->symbol) != NULL) {
            leaving->paged_at = event->at;
        }
    }
}

static void judge_named(struct leaving *leaving, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (leaving->named_at.ns == 0 ||
        utc_sub(event->at, scene_since(scene, leaving->named_at)).ns <= MOST.ns) {
        return;
    }
    bool is_excused =
        utc_is_before(leaving->named_at, scene->fault_at) ||
        utc_is_before(leaving->named_at, leaving->paged_at) || !scene->is_up ||
        (scene->mode == SCENE_HALT && !utc_is_before(scene->paged_at, leaving->named_at));
    leaving->named_at = (struct utc){0};
    if (is_excused) {
        findings_excuse(findings, ORACLE_FLATTEN, event->at, "%s: held 10 min after a flatten",
                        leaving->symbol);
    } else {
        findings_break(findings, ORACLE_FLATTEN, event->at, "%s: held 10 min after a flatten",
                       leaving->symbol);
    }
}

static void judge_healed(struct leaving *leaving, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = leaving->exit_at;
    since = utc_is_before(since, scene->healed_at) ? scene->healed_at : since;
    since = utc_is_before(since, scene->up_since) ? scene->up_since : since;
    since = scene_since(scene, since);
    bool is_due = scene->healed_at.ns != 0 && scene->is_up && leaving->exit_at.ns != 0 &&
                  scene->mode < SCENE_HALT && utc_sub(event->at, since).ns > MOST.ns;
    if (is_due && leaving->paged_at.ns < since.ns && !leaving->is_stuck) {
        leaving->is_stuck = true;
        findings_break(findings, ORACLE_L_EXITS, event->at, "%s: its exit is still open",
                       leaving->symbol);
    }
}

/* A new life knows of an exit what the journal took; over a position that is gone it has nothing to end. */
static void forget_flat(struct table *symbols, const struct scene *scene) {
    for (size_t i = 0; i < symbols->count; i++) {
        struct leaving *leaving = table_at(symbols, i);
        if (scene_symbol(scene, leaving->symbol)->qty.nanos == 0) {
            leaving->exit_at = (struct utc){0};
        }
    }
}

static void flatten_observe(void *context, const struct event *event, struct findings *findings) {
    struct table *symbols = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_OPERATOR) {
        take_operator(symbols, event, scene);
    } else if (event->kind == EVENT_ALERT) {
        take_page(symbols, event);
    } else if (event->kind == EVENT_START) {
        forget_flat(symbols, scene);
    } else if (event->kind == EVENT_EXIT) {
        struct leaving *leaving = table_get(symbols, event->symbol);
        bool is_over = is_word(event->what, "over");
        leaving->exit_at = is_over                    ? (struct utc){0}
                           : leaving->exit_at.ns == 0 ? event->at
                                                      : leaving->exit_at;
    } else if (event->kind == EVENT_LEDGER_FILL) {
        struct leaving *leaving = table_get(symbols, event->symbol);
        bool is_flat = scene_symbol(scene, event->symbol)->qty.nanos == 0;
        leaving->named_at = is_flat ? (struct utc){0} : leaving->named_at;
    }
    for (size_t i = 0;
         event->kind == EVENT_LEDGER_EQUITY && scene_is_open(scene) && i < symbols->count; i++) {
        judge_named(table_at(symbols, i), event, findings);
        judge_healed(table_at(symbols, i), event, findings);
    }
}

const struct judge_ops flatten_judge = {KIND(EVENT_OPERATOR) | KIND(EVENT_ALERT) |
                                            KIND(EVENT_EXIT) | KIND(EVENT_LEDGER_FILL) |
                                            KIND(EVENT_START) | KIND(EVENT_LEDGER_EQUITY),
                                        flatten_create, flatten_observe, flatten_destroy};
