/* foreign.c - foreign_fill_is_told: what another program executes on the account, the core must say.
 *
 * Said is any alert, or a mechanism that acted or held, after the execution; a core that is down or a
 * closed market stops the clock. */
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const struct span MOST = {INT64_C(180000000000)};

struct foreign {
    struct utc since; /* {0}: nothing untold */
    char id[TABLE_NAME_MAX];
};

static void *foreign_create(void) {
    return judge_alloc(sizeof(struct foreign));
}

static void take_fill(struct foreign *judge, const struct event *event, const struct scene *scene) {
    if (judge->since.ns == 0 && !scene_is_ours(scene, event->id)) {
        judge->since = event->at;
        (void)!text_copy(judge->id, sizeof judge->id, event->id, NULL);
    }
}

static void judge_tick(struct foreign *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = scene_since(
        scene, utc_is_before(judge->since, scene->up_since) ? scene->up_since : judge->since);
    if (judge->since.ns != 0 && scene_is_open(scene) && utc_sub(event->at, since).ns > MOST.ns) {
        findings_break(findings, ORACLE_FOREIGN, event->at, "%s: nobody was told", judge->id);
        judge->since = (struct utc){0};
    }
}

static void foreign_observe(void *context, const struct event *event, struct findings *findings) {
    struct foreign *judge = context;
    bool is_said = event->kind == EVENT_ALERT ||
                   (event->kind == EVENT_MECHANISM &&
                    (is_word(event->what, "acted") || is_word(event->what, "held")));
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, findings->scene);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (is_said) {
        judge->since = (struct utc){0};
    }
}

const struct judge_ops foreign_judge = {KIND(EVENT_LEDGER_FILL) | KIND(EVENT_TICK) |
                                            KIND(EVENT_ALERT) | KIND(EVENT_MECHANISM),
                                        foreign_create, foreign_observe, free};
