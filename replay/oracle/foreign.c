/* foreign.c - foreign_fill_is_told: what another program executes on the account, the core must say.
 *
 * Said is any alert, or a mechanism that acted, held or explained, or a difference said to be over, after the execution,
 * or HALT for a second writer that nobody ended; a core that is down or a closed market stops the clock, and
 * while faults fire, or the broker knows another key than the core, it begins with the first answer about
 * positions. A maybe: executions that undo each other before the position could be seen to differ in two
 * listings (two busts in one second, or any of a time in which faults kept every listing from the core; an alert
 * between them, of whatever kind, undoes nothing: what was executed stands until the core adopts it), and one
 * under an id for which the core meant the equal order (two cores alike are told apart by their next difference). */
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const struct span MOST = {INT64_C(180000000000)};
static const struct span SEEN_AFTER = {INT64_C(60000000000)}; /* two listings 15 s apart, amply */

struct foreign {
    char symbol[TABLE_NAME_MAX];
    struct utc since;       /* {0}: nothing untold */
    struct utc known_at;    /* positions were answered after it; {0}: not yet */
    struct utc blind_until; /* known_at, if faults had hidden them until then */
    struct qty net;         /* bought less sold and not adopted */
    struct utc apart_at;    /* since when net is not 0 */
    bool was_locked_out;    /* since then */
    bool was_apart;         /* long enough to be seen */
    bool is_taken; /* the core counts it as its own: it meant the equal order under the same id */
    char id[TABLE_NAME_MAX]; /* of the first execution since, and what was bought under it */
    struct qty executed;
};

static void *foreign_create(void) {
    struct table *symbols = judge_alloc(sizeof *symbols);
    *symbols = table_of(sizeof(struct foreign));
    return symbols;
}

static void foreign_destroy(void *context) {
    table_release(context);
    free(context);
}

/* Something keeps the positions from the core, and none were answered since the execution. */
static bool is_hidden(const struct foreign *foreign, const struct scene *scene) {
    return foreign->known_at.ns == 0 &&
           (foreign->was_locked_out || !utc_is_before(scene->fault_at, foreign->since));
}

/* Untold, and apart for as long as it takes to be seen, by somebody who may look. */
static bool is_apart_to_see(const struct foreign *foreign, const struct scene *scene,
                            struct utc at) {
    return foreign->since.ns != 0 && !is_hidden(foreign, scene) &&
           utc_sub(at, utc_max(foreign->apart_at, foreign->blind_until)).ns > SEEN_AFTER.ns;
}

static void take_fill(struct table *symbols, const struct event *event, const struct scene *scene) {
    if (scene_is_ours(scene, event->id)) {
        return;
    }
    struct foreign *foreign = table_get(symbols, event->symbol);
    struct qty before = foreign->net;
    struct qty bought = event->qty;
    bought.nanos = is_word(event->subject, "sell") ? -bought.nanos : bought.nanos;
    foreign->net = qty_add(before, bought);
    if (before.nanos == 0) {
        foreign->apart_at = event->at;
    } else if (is_apart_to_see(foreign, scene, event->at)) {
        foreign->was_apart = true; /* what undoes a difference that was told leaves none */
    }
    if (foreign->since.ns == 0) {
        foreign->since = event->at;
        foreign->known_at = foreign->blind_until = (struct utc){0};
        foreign->was_locked_out = false;
        (void)!text_copy(foreign->id, sizeof foreign->id, event->id, NULL);
        foreign->executed = (struct qty){0};
    }
    if (is_word(event->id, foreign->id)) {
        foreign->executed = qty_add(foreign->executed, bought);
    }
}

/* The core meant the equal order and booked what was executed: it differs from the broker in nothing. */
static void take_over(struct foreign *foreign, const struct event *event) {
    if (event->qty.nanos > 0 && is_word(event->id, foreign->id)) {
        foreign->is_taken = true;
        foreign->net = qty_sub(foreign->net, foreign->executed);
        foreign->executed = (struct qty){0};
    }
}

static void forget(struct foreign *foreign) {
    foreign->since = (struct utc){0};
    foreign->was_locked_out = foreign->was_apart = false;
    foreign->is_taken = false;
}

/* The other was told of, and what it does until an operator's word is no news. */
static bool is_standing(const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, "second_writer");
    return cause != NULL && cause->latched > SCENE_NORMAL && scene->mode == SCENE_HALT;
}

static void judge_tick(struct foreign *foreign, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    foreign->was_locked_out |= scene->is_locked_out;
    struct utc since = foreign->known_at.ns == 0 ? foreign->since : foreign->known_at;
    since = scene_since(scene, utc_is_before(since, scene->up_since) ? scene->up_since : since);
    if (is_standing(scene)) {
        forget(foreign);
        return;
    }
    if (foreign->since.ns == 0 || is_hidden(foreign, scene) || !scene_is_open(scene) ||
        utc_sub(event->at, since).ns <= MOST.ns) {
        return;
    }
    bool has_undone_itself = foreign->net.nanos == 0 && !foreign->was_apart;
    if (has_undone_itself || foreign->is_taken) {
        findings_excuse(findings, ORACLE_FOREIGN, event->at, "%s: nobody was told", foreign->id);
    } else {
        findings_break(findings, ORACLE_FOREIGN, event->at, "%s: nobody was told", foreign->id);
    }
    forget(foreign);
}

static void take_answer(struct foreign *foreign, const struct event *event,
                        const struct scene *scene) {
    if (is_word(event->what, "/v2/positions") && event->number == 200 &&
        foreign->known_at.ns == 0) {
        foreign->blind_until = is_hidden(foreign, scene) ? event->at : foreign->blind_until;
        foreign->known_at = event->at;
    }
}

static void foreign_observe(void *context, const struct event *event, struct findings *findings) {
    struct table *symbols = context;
    bool is_over = is_word(event->subject, "reconciliation") && is_word(event->what, "released");
    bool is_said = event->kind == EVENT_ALERT ||
                   (event->kind == EVENT_MECHANISM &&
                    (is_over || is_word(event->what, "acted") || is_word(event->what, "held") ||
                     is_word(event->what, "explained")));
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(symbols, event, findings->scene);
    } else if (event->kind == EVENT_ROW &&
               (is_word(event->subject, "adopt") || is_word(event->subject, "short") ||
                is_word(event->subject, "split") || is_word(event->subject, "spin"))) {
        ((struct foreign *)table_get(symbols, event->id))->net = (struct qty){0};
    }
    for (size_t i = 0; i < symbols->count; i++) {
        if (is_said) {
            forget(table_at(symbols, i));
        } else if (event->kind == EVENT_HTTP) {
            take_answer(table_at(symbols, i), event, findings->scene);
        } else if (event->kind == EVENT_ORDER) {
            take_over(table_at(symbols, i), event);
        } else if (event->kind == EVENT_TICK) {
            judge_tick(table_at(symbols, i), event, findings);
        }
    }
}

const struct judge_ops foreign_judge = {
    KIND(EVENT_LEDGER_FILL) | KIND(EVENT_TICK) | KIND(EVENT_HTTP) | KIND(EVENT_ALERT) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_ORDER) | KIND(EVENT_ROW),
    foreign_create, foreign_observe, foreign_destroy};
