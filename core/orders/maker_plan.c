/* maker_plan.c - rows in, plans out. */
#include "core/orders/maker_plan.h"

#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/portfolio/truth.h"

#include <string.h>

/* What a row's state says of the order that had the state `now`. Not sent is certain only where it was never unknown. */
static enum maker_state state_of(enum maker_state now, const char *word) {
    static const struct {
        const char *word;
        enum maker_state state;
    } words[] = {
        {"working", MAKER_LIVE},      {"unknown", MAKER_UNKNOWN},  {"filled", MAKER_OVER},
        {"canceled", MAKER_OVER},     {"expired", MAKER_OVER},     {"not_sent", MAKER_OVER},
        {"rejected", MAKER_REJECTED}, {"replaced", MAKER_DOUBTED}, {"lost", MAKER_DOUBTED}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) != 0) {
            continue;
        }
        bool is_denied = strcmp(word, "not_sent") == 0 && now == MAKER_UNKNOWN;
        return is_denied ? MAKER_DOUBTED : words[i].state;
    }
    return now;
}

static void take_intent(struct maker_plan *plan, const struct journal_row *row, const cJSON *body) {
    char of[CLIENT_ID_MAX] = "";
    const char *reason = "";
    int64_t attempt = 0;
    int64_t score = 0;
    struct qty ordered = {0};
    struct maker_plan next = {.began_at = row->at};
    if (json_int(body, "attempt", &attempt, NULL) != ERR_OK || attempt < 1 ||
        json_copy(body, "of", of, sizeof of, NULL) != ERR_OK ||
        json_string(body, "reason", &reason, NULL) != ERR_OK ||
        json_decimal_either(body, "score", &score, NULL) != ERR_OK ||
        json_qty(body, "qty", &ordered, NULL) != ERR_OK) {
        return;
    }
    next.wished = ordered;
    next.score.nanos = score;
    if (of[0] == '\0' && text_copy(next.id, sizeof next.id, row->key, NULL) == ERR_OK) {
        *plan = next;
    } else if (plan->id[0] == '\0' || strcmp(plan->id, of) != 0) {
        return; /* of a plan that is over: nothing follows it */
    }
    bool is_cross = strcmp(reason, MAKER_CROSS) == 0;
    MUTATE(maker_tries_uncounted, plan->tries -= !is_cross && of[0] != '\0');
    plan->tries += !is_cross;
    plan->is_crossed = plan->is_crossed || is_cross;
    plan->state = MAKER_LEAVING;
    plan->ordered = ordered;
    (void)!text_copy(plan->last, sizeof plan->last, row->key, NULL);
}

/* What was declined between its row and its first byte is no try; an entry of which nothing ever left is none. */
static void take_unsent(struct maker_plan *plan) {
    bool is_first = strcmp(plan->last, plan->id) == 0;
    MUTATE(maker_goes_on_unsent, is_first = false);
    if (is_first) {
        *plan = (struct maker_plan){0};
        return;
    }
    plan->tries -= !plan->is_crossed;
    plan->is_crossed = false; /* nothing follows one that crosses */
    plan->state = MAKER_OVER;
}

static void take_state(struct maker_plan *plan, const cJSON *body) {
    const char *state = "";
    (void)!json_string(body, "state", &state, NULL);
    if (plan->state == MAKER_LEAVING && strcmp(state, "not_sent") == 0) {
        take_unsent(plan);
    } else {
        plan->state = state_of(plan->state, state);
    }
}

static void take_fill(struct maker_plan *plan, const cJSON *body) {
    const char *side = "";
    struct qty qty = {0};
    if (json_string(body, "side", &side, NULL) == ERR_OK && strcmp(side, "buy") == 0 &&
        json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        plan->filled = qty_add(plan->filled, qty);
    }
}

static void take_body(struct maker_plan *plan, const struct journal_row *row, const cJSON *body) {
    if (strcmp(row->kind, "intent") == 0) {
        take_intent(plan, row, body);
    } else if (plan->id[0] == '\0') {
        return;
    } else if (strcmp(row->kind, "fill") == 0) {
        take_fill(plan, body);
    } else if (strcmp(row->kind, "order") == 0 && strcmp(row->key, plan->last) == 0) {
        take_state(plan, body);
    } else if (strcmp(row->kind, MAKER_ROW) == 0 && strcmp(row->key, plan->id) == 0) {
        *plan = (struct maker_plan){0};
    }
}

/* A new life does not know whether what was journaled last ever left. */
static void begin_life(struct maker_plans *plans) {
    for (size_t i = 0; i < CONFIG_SYMBOLS_MAX; i++) {
        struct maker_plan *plan = &plans->items[i];
        plan->state = plan->state == MAKER_LEAVING ? MAKER_UNKNOWN : plan->state;
    }
}

static bool is_ours(const char *kind) {
    return strcmp(kind, "intent") == 0 || strcmp(kind, "order") == 0 || strcmp(kind, "fill") == 0 ||
           strcmp(kind, MAKER_ROW) == 0;
}

void maker_plans_take(struct maker_plans *plans, const struct config *config,
                      const struct journal_row *row) {
    cJSON *body = NULL;
    const char *symbol = "";
    if (strcmp(row->kind, "start") == 0) {
        begin_life(plans);
    }
    bool is_stop = strcmp(row->kind, "stop") == 0;
    MUTATE(maker_outlives_a_stop, is_stop = false);
    if (is_stop) {
        *plans = (struct maker_plans){0};
    }
    MUTATE(maker_forgotten_at_restart, if (strcmp(row->kind, "start") == 0) *plans = (struct maker_plans){0});
    if (!is_ours(row->kind) || json_parse(row->body, strlen(row->body), &body, NULL) != ERR_OK) {
        return;
    }
    int index =
        json_string(body, "symbol", &symbol, NULL) == ERR_OK ? universe_find(config, symbol) : -1;
    if (index >= 0) {
        take_body(&plans->items[index], row, body);
    }
    cJSON_Delete(body);
}

struct maker_plan *maker_plans_find(struct maker_plans *plans, const struct config *config,
                                    const char *symbol) {
    int index = universe_find(config, symbol);
    bool is_one = index >= 0 && plans->items[index].id[0] != '\0';
    return is_one ? &plans->items[index] : NULL;
}

struct qty maker_plan_left(const struct maker_plan *plan) {
    struct qty left = qty_sub(plan->wished, plan->filled);
    MUTATE(maker_fill_not_subtracted, return plan->wished);
    return left.nanos > 0 ? left : (struct qty){0};
}
