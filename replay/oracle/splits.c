/* splits.c - split_is_explained: a split that was announced, or a spin-off that the broker told, is taken as one, and
 * nothing else is.
 *
 * True is the ledger's word (a fill "split:SYMBOL"), known are two answers since: of positions, and, on that New York
 * day, of corporate actions. Then the core journals a row `split` that ends at the ledger's quantity, within two
 * minutes of being up, and neither adopts the symbol nor pages that nothing explains it, or that it vanished. A row
 * without such a split, or with another quantity, took for a split what was none. Where actions were asked for and
 * not answered, another traded in the symbol, or within the hour the broker's view lied or a fault hit the disk, what
 * looks broken is a maybe. A core that was told the positions and asks for no actions never comes to know: that is
 * broken a quarter of an hour later.
 *
 * A spin-off is the ledger's fill "spin:SOURCE" of the new symbol. It is told by an answer to a question for activities
 * that shows it: before, the core cannot know, and may adopt the shares. The row `spin` ends at the ledger's quantity
 * too, and moves what was given, at the ledger's price, from the cost of the source: else a profit or loss would be
 * booked that no trade made. Of a source that was sold in part, by the rates that were answered, it moves the part of
 * what is left; a sale of within two minutes the core may not have known. Unlinked, it moves nothing: broken if the
 * feed announced it in an answer of that day, unless nothing would be left of what the source cost in the ledger. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "reconciliation";
static const struct span WITHIN = {INT64_C(120000000000)};
/* A symbol of which less than a share is left is taken once it stayed away: two ticks of the night more. */
static const struct span GONE_WITHIN = {INT64_C(900000000000)};
static const struct span ASKED_WITHIN = {INT64_C(900000000000)};
static const struct span DOUBT_LASTS = {
    INT64_C(3600000000000)}; /* of a book that a lie or a disk left wrong */

struct parted {
    char symbol[TABLE_NAME_MAX];
    struct utc split_at; /* at the broker, announced; {0}: none that is not taken */
    struct qty after;
    bool is_spin_off;
    char source[TABLE_NAME_MAX]; /* of a spin-off */
    struct usd worth;            /* and what was given */
    struct qty given, entitled;  /* for so many of the source */
    struct usd cost;             /* of what is held, by the ledger and what spin-offs moved */
    struct utc sold_at;          /* last */
    bool is_told;                /* and an answer showed its activity */
    bool is_listed;              /* positions were answered since, first then: */
    struct utc listed_at;
    bool is_late;      /* told */
    bool is_another_s; /* somebody else traded in it, ever: book and ledger may differ for that */
    struct two_clocks clocks;
};

struct parting {
    struct table symbols;
    struct utc actions_at;    /* corporate actions were last answered */
    struct utc asked_at;      /* and, with whatever outcome, asked for */
    struct utc activities_at; /* likewise, activities */
    struct utc lied_at, disk_at;
};

static void *splits_create(void) {
    struct parting *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct parted));
    return judge;
}

static void splits_destroy(void *context) {
    struct parting *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static void take_gift(struct parted *parted, const struct event *event, const struct scene *scene) {
    (void)!text_copy(parted->source, sizeof parted->source, event->id + 5, NULL);
    (void)!usd_times_qty(event->price, event->qty, &parted->worth, NULL);
    parted->given = event->qty;
    parted->entitled = scene_symbol(scene, parted->source)->qty;
    parted->cost = usd_add(parted->cost, parted->worth);
}

static void take_cost(struct parted *parted, const struct event *event, struct qty held) {
    struct usd amount = {0};
    if (is_word(event->subject, "buy")) {
        (void)!usd_times_qty(event->price, event->qty, &amount, NULL);
        parted->cost = usd_add(parted->cost, amount);
        return;
    }
    parted->sold_at = event->at;
    if (held.nanos <= 0 ||
        decimal_mul_div(parted->cost.nanos, held.nanos, qty_add(held, event->qty).nanos,
                        &amount.nanos, NULL) != ERR_OK) {
        amount = USD(0);
    }
    parted->cost = amount;
}

static void take_fill(struct parting *judge, const struct event *event, const struct scene *scene) {
    struct parted *parted = table_get(&judge->symbols, event->symbol);
    struct qty held = scene_symbol(scene, event->symbol)->qty;
    bool is_spin_off = strncmp(event->id, "spin:", 5) == 0;
    bool is_split = strncmp(event->id, "split:", 6) == 0 || is_spin_off;
    parted->is_another_s |= !is_split && !scene_is_ours(scene, event->id);
    if (!is_split) {
        take_cost(parted, event, held);
    }
    if (is_split && held.nanos >= 0) {
        parted->split_at = event->at;
        parted->after = held;
        parted->is_told = false;
        parted->is_spin_off = is_spin_off;
        if (is_spin_off) {
            take_gift(parted, event, scene);
        }
        parted->is_listed = parted->is_late = false;
        parted->clocks = (struct two_clocks){0};
        clocks_true(&parted->clocks, event->at, true, (struct usd){0});
    } else if (parted->split_at.ns != 0) {
        parted->after = held; /* sold before it was taken */
    }
}

/* Actions of the day of the split, or of a later one. */
static bool is_told(const struct parting *judge, const struct parted *parted) {
    if (parted->is_spin_off) {
        return parted->is_told;
    }
    return judge->actions_at.ns != 0 &&
           ny_date(judge->actions_at).days >= ny_date(parted->split_at).days;
}

static bool is_asked(const struct parting *judge, const struct parted *parted) {
    if (parted->is_spin_off) {
        return !utc_is_before(judge->activities_at, parted->split_at);
    }
    return judge->asked_at.ns != 0 &&
           ny_date(judge->asked_at).days >= ny_date(parted->split_at).days;
}

static bool is_recent(struct utc since, struct utc at) {
    return since.ns != 0 && utc_sub(at, since).ns <= DOUBT_LASTS.ns;
}

static bool is_doubtful(const struct parting *judge, const struct parted *parted, struct utc at) {
    bool is_unanswered = !is_told(judge, parted) && is_asked(judge, parted);
    return is_unanswered || parted->is_another_s || is_recent(judge->disk_at, at) ||
           is_recent(judge->lied_at, at);
}

static const char *kind_of(const struct parted *parted) {
    return parted->is_spin_off ? "spin-off was told" : "split was announced";
}

static void object(const struct parting *judge, const struct parted *parted, struct utc at,
                   struct findings *findings, const char *what) {
    if (is_doubtful(judge, parted, at)) {
        findings_excuse(findings, ORACLE_SPLIT, at, "%s: a %s, and %s", parted->symbol,
                        kind_of(parted), what);
    } else {
        findings_break(findings, ORACLE_SPLIT, at, "%s: a %s, and %s", parted->symbol,
                       kind_of(parted), what);
    }
}

/* NULL: of no JSON. */
static cJSON *answered(const struct event *event) {
    cJSON *body = NULL;
    const char *answer = memchr(event->body, '\n', event->body_len); /* behind the request */
    size_t asked = answer == NULL ? 0 : (size_t)(answer + 1 - event->body);
    bool is_read = json_parse(event->body + asked, event->body_len - asked, &body, NULL) == ERR_OK;
    return is_read ? body : NULL;
}

/* {"activity_type":"SPIN", ... "symbol":"SYMBOL"} among what was answered. */
static bool shows_spin_off(const struct event *event, const char *symbol) {
    cJSON *body = answered(event);
    bool is_shown = false;
    if (body != NULL) {
        for (const cJSON *row = body->child; row != NULL; row = row->next) {
            const char *type = "", *of = "";
            is_shown |= json_string(row, "activity_type", &type, NULL) == ERR_OK &&
                        json_string(row, "symbol", &of, NULL) == ERR_OK && is_word(type, "SPIN") &&
                        is_word(of, symbol);
        }
    }
    cJSON_Delete(body);
    return is_shown;
}

static void take_activities(struct parting *judge, const struct event *event) {
    judge->activities_at = event->at;
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct parted *parted = table_at(&judge->symbols, i);
        if (parted->is_spin_off && event->number == 200 && !parted->is_told) {
            parted->is_told = shows_spin_off(event, parted->symbol);
        }
    }
}

/* {"source_symbol":"SYMBOL","new_symbol":"SYMBOL","source_rate":1,"new_rate":0.5}: what was given was for so many. */
static void take_rates(struct parting *judge, const struct event *event) {
    cJSON *body = answered(event);
    const cJSON *kind = json_member(json_member(body, "corporate_actions"), "spin_offs");
    for (const cJSON *row = kind == NULL ? NULL : kind->child; row != NULL; row = row->next) {
        const char *symbol = "", *source = "";
        int64_t given = 0, of = 0;
        bool is_told = json_string(row, "new_symbol", &symbol, NULL) == ERR_OK &&
                       json_string(row, "source_symbol", &source, NULL) == ERR_OK &&
                       json_decimal_either(row, "new_rate", &given, NULL) == ERR_OK &&
                       json_decimal_either(row, "source_rate", &of, NULL) == ERR_OK && given > 0;
        struct parted *parted = is_told ? table_find(&judge->symbols, symbol) : NULL;
        if (parted != NULL && is_word(parted->source, source)) {
            (void)!decimal_mul_div(parted->given.nanos, of, given, &parted->entitled.nanos, NULL);
        }
    }
    cJSON_Delete(body);
}

static void take_answer(struct parting *judge, const struct event *event,
                        struct findings *findings) {
    bool is_actions = strncmp(event->what, "/v1/corporate-actions?", 22) == 0;
    judge->asked_at = is_actions ? event->at : judge->asked_at;
    if (strncmp(event->what, "/v2/account/activities", 22) == 0) {
        take_activities(judge, event);
    }
    if (event->number != 200) {
        return;
    }
    bool is_positions = is_word(event->what, "/v2/positions");
    judge->actions_at = is_actions ? event->at : judge->actions_at;
    if (is_actions) {
        take_rates(judge, event);
    }
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct parted *parted = table_at(&judge->symbols, i);
        if (is_positions && parted->split_at.ns != 0 && !parted->is_listed) {
            parted->is_listed = true;
            parted->listed_at = event->at;
        }
        if (parted->split_at.ns != 0) {
            clocks_known(&parted->clocks, findings_score(findings, MECHANISM), event->at,
                         parted->is_listed && is_told(judge, parted));
        }
    }
}

static struct usd part_of(const struct parted *parted, struct qty held) {
    struct usd part = parted->worth;
    if (held.nanos < parted->entitled.nanos) {
        (void)!decimal_mul_div(parted->worth.nanos, held.nanos, parted->entitled.nanos, &part.nanos,
                               NULL);
    }
    return part;
}

/* The core's book may lack a sale of just now, a trade of another's, or keep what a bust undid. */
static bool is_unsure(const struct parted *source, struct utc at, const struct scene *scene) {
    return source != NULL &&
           (source->is_another_s || scene_symbol(scene, source->symbol)->undone.nanos > 0 ||
            (source->sold_at.ns != 0 && utc_sub(at, source->sold_at).ns <= WITHIN.ns));
}

/* Nobody can link what no answer of the day announced; what was not linked moves nothing. */
static bool is_cost_moved(const struct parting *judge, const struct parted *parted,
                          const cJSON *body, const struct event *event, const struct scene *scene) {
    struct usd moved = {0};
    const char *source = "";
    bool is_announced = judge->actions_at.ns != 0 &&
                        ny_date(judge->actions_at).days >= ny_date(parted->split_at).days;
    if (json_usd(body, "moved", &moved, NULL) != ERR_OK ||
        json_string(body, "source", &source, NULL) != ERR_OK) {
        return false;
    }
    const struct parted *from = table_find(&judge->symbols, parted->source);
    struct usd part = part_of(parted, scene_symbol(scene, parted->source)->qty);
    if (source[0] == '\0') {
        bool is_all = from != NULL && part.nanos >= from->cost.nanos;
        return moved.nanos == 0 && (!is_announced || is_all);
    }
    bool is_between = is_unsure(from, event->at, scene) && moved.nanos >= part.nanos &&
                      moved.nanos <= parted->worth.nanos;
    return is_word(source, parted->source) && (moved.nanos == part.nanos || is_between);
}

static void take_moved(struct parting *judge, const struct parted *parted, const cJSON *body) {
    struct parted *from = table_find(&judge->symbols, parted->source);
    struct usd moved = {0};
    if (from != NULL && json_usd(body, "moved", &moved, NULL) == ERR_OK) {
        from->cost = usd_max(usd_sub(from->cost, moved), USD(0));
    }
}

static void judge_row(struct parting *judge, const struct event *event, struct findings *findings) {
    struct parted *parted = table_get(&judge->symbols, event->id);
    struct qty qty = {0};
    const cJSON *body = scene_body(findings->scene, event);
    (void)!json_qty(body, "qty", &qty, NULL);
    bool is_moved = body == NULL || !parted->is_spin_off ||
                    is_cost_moved(judge, parted, body, event, findings->scene);
    if (body != NULL && is_word(event->subject, "spin")) {
        take_moved(judge, parted, body);
    }
    bool is_split =
        parted->split_at.ns != 0 && parted->is_spin_off == is_word(event->subject, "spin");
    if (!is_split) {
        findings_break(findings, ORACLE_SPLIT, event->at, "%s: took for a %s what was none",
                       event->id, is_word(event->subject, "spin") ? "spin-off" : "split");
    } else if (qty_cmp(qty, parted->after) != 0) {
        object(judge, parted, event->at, findings, "another quantity was taken");
    } else if (!is_moved) {
        object(judge, parted, event->at, findings, "its cost is not its source's");
    }
    (void)clocks_act(&parted->clocks, findings_score(findings, MECHANISM), event->at);
    parted->clocks = (struct two_clocks){0};
    parted->split_at = (struct utc){0};
}

/* What was sold, or is gone for another reason, needs no explanation any more. */
static void judge_adoption(struct parting *judge, const struct event *event, const char *symbol,
                           struct findings *findings, const char *what) {
    struct parted *parted = table_find(&judge->symbols, symbol);
    bool is_unknown = parted != NULL && parted->is_spin_off && !parted->is_told;
    if (is_unknown) {
        parted->split_at = (struct utc){0}; /* the broker told nobody yet */
    } else if (parted != NULL && parted->split_at.ns != 0) {
        object(judge, parted, event->at, findings, what);
        parted->split_at = (struct utc){0};
    }
}

static void judge_page(struct parting *judge, const struct event *event,
                       struct findings *findings) {
    char symbol[TABLE_NAME_MAX];
    bool is_one =
        is_word(event->what, "position_unexplained") || is_word(event->what, "position_vanished");
    if (is_one && is_word(event->subject, "page")) {
        (void)snprintf(symbol, sizeof symbol, "%.*s", (int)event->body_len, event->body);
        judge_adoption(judge, event, symbol, findings, "it was paged as unexplained");
    }
}

static void judge_tick(struct parting *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct parted *parted = table_at(&judge->symbols, i);
        bool is_unasked = parted->is_listed && !is_asked(judge, parted);
        struct utc since = is_unasked ? parted->listed_at : parted->clocks.known_at;
        if (parted->split_at.ns == 0 || since.ns == 0 || parted->is_late || !scene->is_up) {
            continue;
        }
        since = utc_is_before(since, scene->up_since) ? scene->up_since : since;
        since = utc_is_before(since, scene->fault_at) ? scene->fault_at : since;
        struct span most = is_unasked                 ? ASKED_WITHIN
                           : parted->after.nanos == 0 ? GONE_WITHIN
                                                      : WITHIN;
        if (utc_sub(event->at, since).ns > most.ns) {
            parted->is_late = true;
            findings_score(findings, MECHANISM)->missed++;
            object(judge, parted, event->at, findings,
                   is_unasked ? "nobody asked" : "the book does not know of it");
        }
    }
}

static void splits_observe(void *context, const struct event *event, struct findings *findings) {
    struct parting *judge = context;
    if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, findings->scene);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings);
    } else if (event->kind == EVENT_ROW &&
               (is_word(event->subject, "split") || is_word(event->subject, "spin"))) {
        judge_row(judge, event, findings);
    } else if (event->kind == EVENT_ROW && is_word(event->subject, "adopt")) {
        judge_adoption(judge, event, event->id, findings, "its quantity was adopted");
    } else if (event->kind == EVENT_ALERT) {
        judge_page(judge, event, findings);
    } else if (event->kind == EVENT_FAULT) {
        bool is_lie = strncmp(event->subject, "view.", 5) == 0 &&
                      strncmp(event->subject, "view.lag_", 9) != 0;
        judge->lied_at = is_lie ? event->at : judge->lied_at;
        judge->disk_at = strncmp(event->subject, "disk.", 5) == 0 ? event->at : judge->disk_at;
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    }
}

const struct judge_ops splits_judge = {KIND(EVENT_LEDGER_FILL) | KIND(EVENT_HTTP) |
                                           KIND(EVENT_ROW) | KIND(EVENT_ALERT) | KIND(EVENT_FAULT) |
                                           KIND(EVENT_TICK),
                                       splits_create, splits_observe, splits_destroy};
