/* differences.c - the reasons of reconciliation and divergence_heal (reasons.h): what a listing of positions showed, beside
 * what the core's own rows make of them.
 *
 * A difference is acted on once it stood for 15 s, from listing to listing; a row comes a moment after what it
 * tells. Where rows are lost, or were never told, nobody knows the core's count; nor where a split moves the price
 * of as many shares as before. */
#include "replay/oracle/reasons.h"

#include <stdlib.h>
#include <string.h>

static const struct span STOOD = {INT64_C(10000000000)};

struct counted {
    char symbol[TABLE_NAME_MAX];
    struct qty rows, shown; /* by the core's rows, and by the last listing */
    struct utc since;       /* the listing from which on they differ; {0}: they do not */
    bool is_split;          /* by the ledger: its shares may be others, and as many */
};

struct differences {
    struct table symbols;
    int64_t last_row;
    bool is_uncounted; /* rows are lost, or were not told: from here on */
};

struct differences *differences_create(void) {
    struct differences *differences = judge_alloc(sizeof *differences);
    differences->symbols = table_of(sizeof(struct counted));
    return differences;
}

void differences_destroy(struct differences *differences) {
    table_release(&differences->symbols);
    free(differences);
}

static struct counted *counted_of(struct differences *differences, const char *symbol) {
    return table_get(&differences->symbols, symbol);
}

/* --- the core's count --- */

static void take_fill(struct differences *differences, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    if (json_string(body, "symbol", &symbol, NULL) == ERR_OK &&
        json_string(body, "side", &side, NULL) == ERR_OK &&
        json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        struct counted *counted = counted_of(differences, symbol);
        counted->rows =
            is_word(side, "buy") ? qty_add(counted->rows, qty) : qty_sub(counted->rows, qty);
    }
}

static void take_row(struct differences *differences, const struct event *event,
                     const struct scene *scene) {
    bool is_fill = is_word(event->subject, "fill"), is_short = is_word(event->subject, "short");
    bool is_taken = is_word(event->subject, "adopt") || is_word(event->subject, "split") ||
                    is_word(event->subject, "spin");
    const cJSON *body = is_fill || is_short || is_taken ? scene_body(scene, event) : NULL;
    struct qty qty = {0};
    differences->is_uncounted |= event->number <= differences->last_row || scene->is_row_gap;
    differences->last_row = event->number;
    if (is_fill) {
        take_fill(differences, body);
    } else if (is_short && json_qty(body, "by", &qty, NULL) == ERR_OK) {
        struct counted *counted = counted_of(differences, event->id);
        counted->rows = qty_add(counted->rows, qty);
    } else if (is_taken && json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        counted_of(differences, event->id)->rows = qty;
    }
}

/* --- the broker's --- */

static void take_listing(struct differences *differences, const struct event *event,
                         const struct scene *scene) {
    const cJSON *positions = scene_answer(scene, event);
    const cJSON *item = NULL;
    if (!cJSON_IsArray(positions)) {
        return; /* the core has no listing either */
    }
    for (size_t i = 0; i < differences->symbols.count; i++) {
        struct counted *counted = table_at(&differences->symbols, i);
        counted->shown = (struct qty){0};
    }
    cJSON_ArrayForEach(item, positions) {
        const char *symbol = "";
        struct qty qty = {0};
        if (json_string(item, "symbol", &symbol, NULL) == ERR_OK &&
            json_qty(item, "qty", &qty, NULL) == ERR_OK) {
            counted_of(differences, symbol)->shown = qty;
        }
    }
    for (size_t i = 0; i < differences->symbols.count; i++) {
        struct counted *counted = table_at(&differences->symbols, i);
        bool is_apart = qty_cmp(counted->rows, counted->shown) != 0;
        counted->since = !is_apart                ? (struct utc){0}
                         : counted->since.ns == 0 ? event->at
                                                  : counted->since;
    }
}

/* --- the questions --- */

static bool has_stood(const struct counted *counted, struct utc at) {
    return counted->is_split ||
           (counted->since.ns != 0 && utc_sub(at, counted->since).ns >= STOOD.ns);
}

/* Nobody knows what it counts. */
static bool is_in_doubt(const struct differences *differences, const struct scene *scene) {
    const struct scene_cause *cause = table_find(&scene->causes, "journal_down");
    return differences->is_uncounted || (cause != NULL && cause->mode > SCENE_NORMAL);
}

bool differences_may_stand(const struct differences *differences, const char *symbol, struct utc at,
                           const struct scene *scene) {
    bool is_found = is_in_doubt(differences, scene);
    for (size_t i = 0; !is_found && i < differences->symbols.count; i++) {
        const struct counted *counted = table_at(&differences->symbols, i);
        bool is_it = symbol[0] == '\0' || is_word(counted->symbol, symbol);
        is_found = is_it && has_stood(counted, at);
    }
    return is_found;
}

/* --- the fold --- */

void differences_take(struct differences *differences, const struct event *event,
                      const struct scene *scene) {
    switch ((int)event->kind) {
    case EVENT_ROW:
        take_row(differences, event, scene);
        break;
    case EVENT_HTTP:
        if (event->number == 200 && is_word(event->what, "/v2/positions")) {
            take_listing(differences, event, scene);
        }
        break;
    case EVENT_LEDGER_FILL:
        counted_of(differences, event->symbol)->is_split |= scene_is_split(event);
        break;
    case EVENT_FAULT:
        differences->is_uncounted |= begins(event->subject, "disk.");
        break;
    case EVENT_OPERATOR:
        differences->is_uncounted |= is_word(event->subject, "edit_document");
        break;
    default:
        break;
    }
}
