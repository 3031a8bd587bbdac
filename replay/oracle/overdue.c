/* overdue.c - old_positions_leave: a position older than exits.time_s leaves, or an exit of it is at work.
 *
 * Judged while the market trades, of a core that has been up and undisturbed for two minutes: what a
 * fault, a wrong wall clock or HALT may hold in is not judged here. A position counts from its first
 * share, seen by a core, or from the row that adopted it; one that another program traded in is not the
 * core's alone. A core that stood still, or that the broker answered nothing, cannot see a share: then it
 * counts from the row of that fill, and without such a row from the share. */
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const struct span PATIENCE = {INT64_C(120000000000)};

struct held {
    char symbol[TABLE_NAME_MAX];
    char first
        [TABLE_NAME_MAX]; /* the order that bought its first share; "" once a row has the fill */
    struct qty qty;
    struct utc since;
    struct utc exit_at; /* an exit was last at work; {0} never */
    bool is_foreign, is_told;
    bool is_unseen; /* bought while no core was up: it counts from the next tick */
};

struct overdue {
    struct table symbols;
    struct utc bound_at; /* last tick in which the core could not have sold */
};

static void *overdue_create(void) {
    struct overdue *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct held));
    return judge;
}

static void overdue_destroy(void *context) {
    struct overdue *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static void take_fill(struct overdue *judge, const struct event *event, const struct scene *scene) {
    struct held *held = table_get(&judge->symbols, event->symbol);
    bool is_sale = is_word(event->subject, "sell");
    if (held->qty.nanos == 0) {
        held->since = event->at;
        held->is_foreign = held->is_told = false;
        held->is_unseen = !scene->is_up;
        (void)!text_copy(held->first, sizeof held->first, event->id, NULL);
    }
    held->qty = is_sale ? qty_sub(held->qty, event->qty) : qty_add(held->qty, event->qty);
    held->is_foreign = held->is_foreign || !scene_is_ours(scene, event->id);
}

static bool has_passed(struct utc since, struct utc now) {
    return since.ns == 0 || utc_sub(now, since).ns > PATIENCE.ns;
}

static void take_row_of_fill(struct overdue *judge, const struct event *event,
                             const struct scene *scene) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct held *held = table_at(&judge->symbols, i);
        if (!is_word(held->first, event->id)) {
            continue;
        }
        held->first[0] = '\0';
        bool was_blind = !has_passed(scene->fault_at, held->since);
        held->since = was_blind ? event->at : held->since;
    }
}

static bool is_bound(const struct scene *scene) {
    return !scene_is_open(scene) || !scene->is_up || scene->mode == SCENE_HALT ||
           scene->is_stepped || scene->is_locked_out;
}

/* The core could have sold by now, if it had wanted to. */
static bool is_free(const struct overdue *judge, const struct scene *scene) {
    return has_passed(judge->bound_at, scene->now) && has_passed(scene->session.open, scene->now) &&
           has_passed(scene->up_since, scene->now) && has_passed(scene->fault_at, scene->now);
}

static void judge_ages(struct overdue *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct held *held = table_at(&judge->symbols, i);
        held->since = held->is_unseen ? event->at : held->since;
        held->is_unseen = false;
        struct span age = utc_sub(event->at, held->since);
        if (scene_symbol(scene, held->symbol)->is_exiting) {
            held->exit_at = event->at;
        } else if (held->qty.nanos > 0 && !held->is_foreign && !held->is_told &&
                   age.ns > scene->limits.time_exit.ns + PATIENCE.ns &&
                   has_passed(held->exit_at, event->at) && is_free(judge, scene)) {
            held->is_told = true;
            findings_break(findings, ORACLE_OVERDUE, event->at,
                           "%s: held for %lld s and no exit at work", held->symbol,
                           (long long)(age.ns / NANOS));
        }
    }
}

static void overdue_observe(void *context, const struct event *event, struct findings *findings) {
    struct overdue *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, scene);
    } else if (event->kind == EVENT_ROW &&
               (is_word(event->subject, "adopt") || is_word(event->subject, "spin"))) {
        struct held *held = table_get(&judge->symbols, event->id);
        held->since = event->at;
    } else if (event->kind == EVENT_ROW && is_word(event->subject, "fill")) {
        take_row_of_fill(judge, event, scene);
    } else if (event->kind == EVENT_TICK && scene->limits.time_exit.ns > 0) {
        judge->bound_at = is_bound(scene) ? event->at : judge->bound_at;
        judge_ages(judge, event, findings);
    }
}

const struct judge_ops overdue_judge = {KIND(EVENT_LEDGER_FILL) | KIND(EVENT_ROW) |
                                            KIND(EVENT_TICK),
                                        overdue_create, overdue_observe, overdue_destroy};
