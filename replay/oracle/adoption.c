/* adoption.c - no_true_book_is_replaced: the broker's quantity is taken over only where the core's own
 * was wrong. An adoption rewrites entry price and quantity, and pages.
 *
 * adopted_quantity_stood: and only once it stood still. What is taken over and is the ledger's quantity
 * now has been that for 15 s: a position that moves is an order at work, whose fills would be booked
 * again on top. What moved and came back between two answers about positions stood, as far as anybody
 * could see.
 *
 * adoption_is_told: each by its symbol, in the log and to a person, in its own tick; who dies before its
 * end told nobody. The same page within a minute is told once.
 *
 * An endpoint that lags shows what was true 10 s ago: the core waits for a difference of 15 s, so that is
 * no excuse. A view that is wrong for longer is, and so is an execution of another within the minute,
 * that may have ended the difference. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct span FOREIGN_LASTS = {INT64_C(60000000000)};
static const struct span STOOD = {INT64_C(15000000000)};
static const struct span PAGED_ONCE_WITHIN = {INT64_C(60000000000)};

struct moved {
    char symbol[TABLE_NAME_MAX];
    struct utc at;            /* the ledger's last execution */
    struct qty shown;         /* at the last answer about positions */
    struct utc since;         /* the execution that made it so */
    struct utc untold_since;  /* adopted, and not in the log; {0}: not so */
    struct utc unpaged_since; /* likewise, and nobody paged */
    struct utc paged_at;      /* {0}: never */
};

struct adoption {
    struct table symbols;
    bool is_lied_to; /* by a view that does not only lag */
};

static void *adoption_create(void) {
    struct adoption *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct moved));
    return judge;
}

static void adoption_destroy(void *context) {
    struct adoption *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static void judge_standing(struct adoption *judge, const struct event *event, struct qty taken,
                           struct qty held, struct findings *findings) {
    const struct moved *moved = table_get(&judge->symbols, event->id);
    struct utc since = qty_cmp(moved->shown, held) == 0 ? moved->since : moved->at;
    if (qty_cmp(taken, held) != 0 || utc_sub(event->at, since).ns >= STOOD.ns) {
        return;
    }
    if (judge->is_lied_to || findings->scene->is_stepped) {
        findings_excuse(findings, ORACLE_STOOD, event->at, "%s: adopted too soon", event->id);
    } else {
        findings_break(findings, ORACLE_STOOD, event->at, "%s: adopted %lld s after it moved",
                       event->id, (long long)(utc_sub(event->at, since).ns / NANOS));
    }
}

static void judge_adoption(struct adoption *judge, const struct event *event,
                           struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_symbol *symbol = scene_symbol(scene, event->id);
    struct qty held = symbol == NULL ? (struct qty){0} : symbol->qty;
    struct qty was = {0};
    struct qty taken = {0};
    const cJSON *body = scene_body(scene, event);
    bool is_known = json_qty(body, "was", &was, NULL) == ERR_OK &&
                    json_qty(body, "qty", &taken, NULL) == ERR_OK;
    if (!is_known) {
        return;
    }
    judge_standing(judge, event, taken, held, findings);
    if (qty_cmp(was, held) != 0) {
        return;
    }
    bool is_fresh =
        scene->foreign_at.ns != 0 && utc_sub(event->at, scene->foreign_at).ns <= FOREIGN_LASTS.ns;
    if (judge->is_lied_to || is_fresh) {
        findings_excuse(findings, ORACLE_ADOPTION, event->at, "%s: the book was right", event->id);
    } else {
        findings_break(findings, ORACLE_ADOPTION, event->at, "%s: the book was right", event->id);
    }
}

static void take_page(struct adoption *judge, const struct event *event) {
    char symbol[TABLE_NAME_MAX];
    if (is_word(event->subject, "page") && is_word(event->what, "position_unexplained")) {
        (void)snprintf(symbol, sizeof symbol, "%.*s", (int)event->body_len, event->body);
        struct moved *moved = table_get(&judge->symbols, symbol);
        moved->unpaged_since = (struct utc){0};
        moved->paged_at = event->at;
    }
}

static void judge_silence(struct adoption *judge, const struct event *event,
                          struct findings *findings) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct moved *moved = table_at(&judge->symbols, i);
        bool is_untold = moved->untold_since.ns != 0;
        bool is_unpaged =
            moved->unpaged_since.ns != 0 &&
            (moved->paged_at.ns == 0 ||
             utc_sub(moved->unpaged_since, moved->paged_at).ns > PAGED_ONCE_WITHIN.ns);
        if (is_untold || is_unpaged) {
            findings_break(findings, ORACLE_HEALED, event->at, "%s: adopted %s", moved->symbol,
                           is_untold ? "in silence" : "and nobody was paged");
        }
        moved->untold_since = moved->unpaged_since = (struct utc){0};
    }
}

static void forget_silence(struct adoption *judge) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct moved *moved = table_at(&judge->symbols, i);
        moved->untold_since = moved->unpaged_since = (struct utc){0};
        moved->paged_at = (struct utc){0}; /* the next life does not know of it */
    }
}

static void take_listing(struct adoption *judge, const struct scene *scene) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct moved *moved = table_at(&judge->symbols, i);
        const struct scene_symbol *symbol = scene_symbol(scene, moved->symbol);
        struct qty held = symbol == NULL ? (struct qty){0} : symbol->qty;
        if (qty_cmp(held, moved->shown) != 0) {
            moved->shown = held;
            moved->since = moved->at;
        }
    }
}

static void adoption_observe(void *context, const struct event *event, struct findings *findings) {
    struct adoption *judge = context;
    if (event->kind == EVENT_ROW && is_word(event->subject, "adopt")) {
        judge_adoption(judge, event, findings);
        struct moved *moved = table_get(&judge->symbols, event->id);
        moved->untold_since = moved->unpaged_since = event->at;
    } else if (event->kind == EVENT_MECHANISM) {
        if (is_word(event->subject, "divergence_heal") && is_word(event->what, "acted")) {
            struct moved *moved = table_get(&judge->symbols, event->symbol);
            moved->untold_since = (struct utc){0};
        }
    } else if (event->kind == EVENT_ALERT) {
        take_page(judge, event);
    } else if (event->kind == EVENT_TICK) {
        judge_silence(judge, event, findings);
    } else if (event->kind == EVENT_STOP) {
        forget_silence(judge);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        struct moved *moved = table_get(&judge->symbols, event->symbol);
        moved->at = event->at;
    } else if (event->kind == EVENT_HTTP) {
        if (event->number == 200 && is_word(event->what, "/v2/positions")) {
            take_listing(judge, findings->scene);
        }
    } else if (event->kind == EVENT_FAULT) {
        bool is_view = strncmp(event->subject, "view.", 5) == 0;
        bool is_lag = strncmp(event->subject, "view.lag_", 9) == 0;
        judge->is_lied_to = judge->is_lied_to || (is_view && !is_lag);
    }
}

const struct judge_ops adoption_judge = {
    KIND(EVENT_ROW) | KIND(EVENT_FAULT) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_HTTP) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_ALERT) | KIND(EVENT_TICK) | KIND(EVENT_STOP),
    adoption_create, adoption_observe, adoption_destroy};
