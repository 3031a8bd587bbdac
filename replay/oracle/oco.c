/* oco.c - oco_exit_keeps_its_stop: an exit of all that one OCO guards re-prices its limit, and the stop is not
 * cancelled for it.
 *
 * By the ledger: the limit of an OCO of ours, which was `new` for half a minute when the exit began to work, or took
 * such a one's place, and is for all that is held, is not asked to be cancelled while it works. A change of the symbol
 * that the broker did not answer with a yes since the exit was decided gives it up, as do a value above an order's cap
 * and a limit that was sent right above the stop, below which none may be; so may a view that lies, or stood
 * still: behind a fault of the last minute it is a maybe. What the broker or an instance elsewhere cancels is not the core's act. Our rule;
 * its source is forum 11938. */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span KNOWN_AFTER = {INT64_C(30000000000)}; /* a tick lasts 15 s at most */
static const struct span FAULT_LASTS = {INT64_C(60000000000)};

struct exiting {
    char symbol[TABLE_NAME_MAX];
    bool is_planned, is_whole; /* an exit is decided; it works, of all that is held */
    struct utc began_at;       /* the plan, with all its rounds */
    struct utc since;          /* this round at work */
    struct utc refused_at;     /* a change, or its answer never came; {0} never */
};

struct group { /* by the client id of its limit */
    char id[TABLE_NAME_MAX];
    char symbol[TABLE_NAME_MAX];
    bool is_oco, is_judged;
    bool is_successor;      /* what it replaced was known as one */
    struct utc new_at;      /* {0}: not yet, or no longer */
    struct usd limit, stop; /* as sent; 0: unknown */
};

struct leg { /* a stop, by its own id */
    char id[TABLE_NAME_MAX];
    char owner[TABLE_NAME_MAX];
};

struct ocos {
    struct table symbols, groups, legs;
    char changing[TABLE_NAME_MAX]; /* symbol of the change that was sent last; "": unknown */
    struct utc refused_at;         /* likewise, of a symbol that is not known */
    bool is_other_asking;
};

static void *oco_create(void) {
    struct ocos *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct exiting));
    judge->groups = table_of(sizeof(struct group));
    judge->legs = table_of(sizeof(struct leg));
    return judge;
}

static void oco_destroy(void *context) {
    struct ocos *judge = context;
    table_release(&judge->symbols);
    table_release(&judge->groups);
    table_release(&judge->legs);
    free(judge);
}

static void take_exit(struct ocos *judge, const struct event *event) {
    struct exiting *exiting = table_get(&judge->symbols, event->symbol);
    bool is_working = is_word(event->what, "releasing") || is_word(event->what, "working");
    bool is_over = is_word(event->what, "over");
    if (!is_over && !exiting->is_planned) {
        exiting->began_at = event->at;
    }
    exiting->is_planned = !is_over;
    bool is_all = event->body != NULL && strstr(event->body, "\"purpose\":\"exit\"") != NULL;
    if (is_working && !exiting->is_whole) {
        exiting->since = event->at;
    }
    exiting->is_whole = is_working && is_all;
}

static void judge_cancel(struct ocos *judge, const struct group *group, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct exiting *exiting = table_get(&judge->symbols, event->symbol);
    const struct scene_symbol *symbol = scene_symbol(scene, event->symbol);
    struct qty open = {event->number - event->qty.nanos};
    struct usd value = {0};
    bool is_all = open.nanos > 0 && open.nanos == symbol->qty.nanos;
    bool is_capped =
        usd_times_qty(symbol->price, open, &value, NULL) != ERR_OK ||
        usd_cmp(usd_add(value, usd_scale(value, (struct ratio){NANOS / 2})),
                scene->limits.order_cap) > 0; /* it may have risen since it was bought */
    bool was_new =
        group->new_at.ns != 0 && utc_sub(exiting->since, group->new_at).ns >= KNOWN_AFTER.ns;
    bool is_given_up = !utc_is_before(judge->refused_at, exiting->began_at) ||
                       !utc_is_before(exiting->refused_at, exiting->began_at);
    bool is_spent = group->limit.nanos != 0 && group->stop.nanos != 0 &&
                    group->limit.nanos <= group->stop.nanos + NANOS / 100;
    was_new = was_new || group->is_successor;
    MUTATE(judge_oco_blind, return);
    if (!exiting->is_whole || !is_all || is_capped || !was_new || is_given_up || is_spent ||
        judge->is_other_asking) {
        return;
    }
    if (scene->fault_at.ns != 0 && utc_sub(event->at, scene->fault_at).ns <= FAULT_LASTS.ns) {
        findings_excuse(findings, ORACLE_OCO, event->at,
                        "%s: behind a fault the stop of %s was given up", event->symbol, event->id);
        return;
    }
    findings_break(findings, ORACLE_OCO, event->at,
                   "%s: the stop of %s was given up for an exit that its limit could have been",
                   event->symbol, event->id);
}

/* The stop of a successor was its predecessor's. */
static void take_leg(struct ocos *judge, const char *id, const char *owner) {
    struct leg *leg = table_get(&judge->legs, id);
    bool is_another = leg->owner[0] != '\0' && !is_word(leg->owner, owner);
    struct usd stop = {0};
    if (is_another) {
        stop = ((struct group *)table_get(&judge->groups, leg->owner))->stop;
    }
    struct group *group = table_get(&judge->groups, owner);
    group->is_oco = true;
    group->is_successor = group->is_successor || is_another;
    group->stop = is_another ? stop : group->stop;
    (void)!text_copy(leg->owner, sizeof leg->owner, owner, NULL);
}

/* What leaves: the prices of a group, and whose change is on its way. */
static void take_send(struct ocos *judge, const struct event *event, const struct scene *scene) {
    const struct scene_sent *sent = &scene->sent;
    if ((!sent->is_new && !sent->is_change) || sent->id[0] == '\0') {
        return;
    }
    struct group *group = table_get(&judge->groups, sent->id);
    const cJSON *loss = json_member(scene_body(scene, event), "stop_loss");
    group->limit = sent->limit;
    if (loss != NULL) {
        (void)!json_usd(loss, "stop_price", &group->stop, NULL);
    }
    if (sent->is_change) {
        memcpy(judge->changing, group->symbol, sizeof judge->changing);
    }
}

static void take_answer(struct ocos *judge, const struct event *event) {
    static const char told[] = "\"replaces\""; /* a page under 200 is no order */
    if (!is_word(event->subject, "PATCH")) {
        return;
    }
    bool is_yes =
        event->number == 200 && memmem(event->body, event->body_len, told, sizeof told - 1) != NULL;
    if (!is_yes && judge->changing[0] != '\0') {
        ((struct exiting *)table_get(&judge->symbols, judge->changing))->refused_at = event->at;
    } else if (!is_yes) {
        judge->refused_at = event->at;
    }
    judge->changing[0] = '\0';
}

static void take_order(struct ocos *judge, const struct event *event, struct findings *findings) {
    const char *owner = owner_of(event);
    if (owner != NULL) {
        take_leg(judge, event->id, owner);
        return;
    }
    if (!is_our_id(event->id) || !is_word(event->subject, "sell")) {
        return;
    }
    struct group *group = table_get(&judge->groups, event->id);
    if (is_word(event->what, "pending_cancel") && group->is_oco && !group->is_judged) {
        group->is_judged = true;
        judge_cancel(judge, group, event, findings);
    }
    if (is_word(event->what, "new")) {
        group->new_at = event->at;
    } else if (!is_word(event->what, "partially_filled")) {
        group->new_at = (struct utc){0};
    }
}

static bool is_change(const char *what) {
    return strncmp(what, "DELETE", 6) == 0 || strncmp(what, "PATCH", 5) == 0;
}

static void oco_observe(void *context, const struct event *event, struct findings *findings) {
    struct ocos *judge = context;
    if (event->kind == EVENT_LEDGER_ORDER) {
        take_order(judge, event, findings);
    } else if (event->kind == EVENT_EXIT) {
        take_exit(judge, event);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_SEND) {
        take_send(judge, event, findings->scene);
    } else if (event->kind == EVENT_ORDER) {
        struct group *group = table_get(&judge->groups, event->id);
        (void)!text_copy(group->symbol, sizeof group->symbol, event->symbol, NULL);
    } else if (is_word(event->id, "elsewhere")) {
        judge->is_other_asking = is_word(event->subject, "send") && is_change(event->what);
    }
}

const struct judge_ops oco_judge = {KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_EXIT) | KIND(EVENT_HTTP) |
                                        KIND(EVENT_OTHER) | KIND(EVENT_SEND) | KIND(EVENT_ORDER),
                                    oco_create, oco_observe, oco_destroy};
