/* reach.c - folding a run's events into reach words, and the catalogue of those that are due. */
#include "scenarios/sweep/reach.h"

#include "chaos/faults/plan.h"
#include "core/base/check.h"
#include "core/orders/gateway.h"
#include "core/risk/mechanisms.h"
#include "scenarios/sweep/swarm.h"
#include "scenarios/vocabulary.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_MAX 64

struct life { /* one order, as the core sees it */
    char id[64];
    char state[24];
};

struct reach {
    struct observer seam;
    struct words words;
    char set[SET_MAX][WORD_TEXT_MAX]; /* mechanisms that demand a mode now */
    size_t set_count;
    bool has_entered, has_left; /* an entry was filled, an exit */
    struct life *lives;
    size_t life_count, life_cap;
};

static void add(struct reach *reach, const char *kind, const char *name, const char *more) {
    char word[WORD_TEXT_MAX];
    word_join(word, kind, name, more);
    words_add(&reach->words, word, 1);
}

/* --- mechanisms --- */

static bool demands_mode(const char *mechanism) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].id, mechanism) == 0) {
            return table[i].mode != MODE_NORMAL;
        }
    }
    return false;
}

static void set(struct reach *reach, const char *mechanism) {
    for (size_t i = 0; i < reach->set_count; i++) {
        if (strcmp(reach->set[i], mechanism) == 0) {
            return;
        }
    }
    CHECK(reach->set_count < SET_MAX);
    snprintf(reach->set[reach->set_count++], WORD_TEXT_MAX, "%s", mechanism);
}

static void clear(struct reach *reach, const char *mechanism) {
    for (size_t i = 0; i < reach->set_count; i++) {
        if (strcmp(reach->set[i], mechanism) == 0) {
            memcpy(reach->set[i], reach->set[--reach->set_count], WORD_TEXT_MAX);
            return;
        }
    }
}

static void on_mechanism(struct reach *reach, const char *mechanism, const char *word) {
    add(reach, "mechanism", mechanism, word);
    if (demands_mode(mechanism) && strcmp(word, "acted") == 0) {
        set(reach, mechanism);
    } else if (strcmp(word, "released") == 0) {
        clear(reach, mechanism);
    }
}

/* What demands a mode has held once a tick ended under it: no entry was decided in that one. */
static void on_tick(struct reach *reach) {
    for (size_t i = 0; i < reach->set_count; i++) {
        add(reach, "mechanism", reach->set[i], "held");
    }
}

/* --- orders --- */

static struct life *life_of(struct reach *reach, const char *id) {
    for (size_t i = reach->life_count; i-- > 0;) {
        if (strcmp(reach->lives[i].id, id) == 0) {
            return &reach->lives[i];
        }
    }
    if (reach->life_count == reach->life_cap) {
        reach->life_cap = reach->life_cap == 0 ? 256 : reach->life_cap * 2;
        reach->lives = realloc(reach->lives, reach->life_cap * sizeof reach->lives[0]);
        CHECK(reach->lives != NULL);
    }
    struct life *life = &reach->lives[reach->life_count++];
    *life = (struct life){.state = "none"};
    snprintf(life->id, sizeof life->id, "%s", id);
    return life;
}

/* While an order works its status at the broker is told instead. */
static const char *state_of(const char *told) {
    static const char *const states[] = {
#define X(state, word, is_over) word,
        ORDER_STATES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], told) == 0) {
            return states[i];
        }
    }
    return strcmp(told, "none") == 0 ? told : order_state_word(ORDER_WORKING);
}

/* A submit whose first answer says that it is over, and neither filled nor rejected, is of an id that was used
 * before; which end the earlier order came to is one move. True for it. */
static bool join_move(char out[static WORD_TEXT_MAX], const char *from, const char *to) {
    bool is_used = strcmp(from, order_state_word(ORDER_INTENT)) == 0 &&
                   (strcmp(to, order_state_word(ORDER_CANCELED)) == 0 ||
                    strcmp(to, order_state_word(ORDER_EXPIRED)) == 0 ||
                    strcmp(to, order_state_word(ORDER_REPLACED)) == 0);
    snprintf(out, WORD_TEXT_MAX, "%s>%s", from, is_used ? "ended_before" : to);
    return is_used;
}

static void add_move(struct reach *reach, const char *from, const char *to) {
    char move[WORD_TEXT_MAX];
    (void)join_move(move, from, to);
    add(reach, "move", move, "");
}

static void on_order(struct reach *reach, const struct event *event) {
    struct life *life = life_of(reach, event->id);
    const char *from = state_of(life->state);
    const char *to = state_of(event->what);
    add(reach, "state", to, "");
    add_move(reach, life->state, event->what);
    if (strcmp(from, to) != 0) {
        add_move(reach, from, to);
    }
    snprintf(life->state, sizeof life->state, "%s", event->what);
}

static void on_death(struct reach *reach) {
    add(reach, "process", "died", "");
    for (size_t i = 0; i < reach->set_count; i++) {
        add(reach, "crashed", reach->set[i], "");
    }
    for (size_t i = 0; i < reach->life_count; i++) {
        if (strcmp(reach->lives[i].state, "unknown") == 0) {
            add(reach, "crashed", "order_unknown", "");
        }
    }
}

static void on_fault(struct reach *reach, const struct event *event) {
    int class = swarm_class_of(event->subject);
    add(reach, "point", event->subject, "");
    if (class >= 0) {
        add(reach, "class", swarm_class((size_t) class), "");
    }
}

static void on_fill(struct reach *reach, const struct event *event) {
    bool is_entry = strcmp(event->subject, "buy") == 0;
    add(reach, is_entry ? "entry" : "exit", "filled", "");
    bool is_news = !(reach->has_entered && reach->has_left);
    reach->has_entered |= is_entry;
    reach->has_left |= !is_entry;
    if (is_news && reach->has_entered && reach->has_left) {
        add(reach, "entry and exit", "filled", ""); /* one word, so that both are of one seed */
    }
}

/* What was compared stands in the body, "3 against 3": a limit that refused at exactly its number, and not one
 * step behind it. */
static void on_refusal(struct reach *reach, const struct event *event) {
    static const char between[] = " against ";
    const char *limit = strstr(event->body, between);
    add(reach, "refusal", event->subject, "");
    if (limit == NULL) {
        return;
    }
    size_t n = (size_t)(limit - event->body);
    limit += sizeof between - 1;
    if (strlen(limit) == n && strncmp(event->body, limit, n) == 0) {
        add(reach, "exact", event->subject, "");
    }
}

static void reach_observe(struct observer *observer, const struct event *event) {
    struct reach *reach = (struct reach *)((char *)observer - offsetof(struct reach, seam));
    const char *mechanism = NULL;
    const char *word = NULL;
    if (event_mechanism(event, &mechanism, &word) && event->kind != EVENT_PROTECTION) {
        on_mechanism(reach, mechanism, word);
    }
    if (event->kind == EVENT_REFUSAL) {
        on_refusal(reach, event);
    } else if (event->kind == EVENT_ORDER) {
        on_order(reach, event);
    } else if (event->kind == EVENT_FAULT) {
        on_fault(reach, event);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        on_fill(reach, event);
    } else if (event->kind == EVENT_OPERATOR) {
        add(reach, "operator", event->subject, "");
        add(reach, "class", "operator", "");
    } else if (event->kind == EVENT_TICK) {
        on_tick(reach);
    } else if (event->kind == EVENT_STOP && strcmp(event->subject, "dead") == 0) {
        on_death(reach);
    }
}

static const struct observer_ops reach_ops = {reach_observe};

struct reach *reach_create(void) {
    struct reach *reach = calloc(1, sizeof *reach);
    CHECK(reach != NULL);
    reach->seam.ops = &reach_ops;
    return reach;
}

void reach_destroy(struct reach *reach) {
    words_release(&reach->words);
    free(reach->lives);
    free(reach);
}

struct observer *reach_observer(struct reach *reach) {
    return &reach->seam;
}

const struct words *reach_words(const struct reach *reach) {
    return &reach->words;
}

/* --- what is due --- */

typedef void reach_visit(void *context, const char *word, int64_t seeds);

static void due(reach_visit *visit, void *context, int64_t seeds, const char *kind,
                const char *name, const char *more) {
    char word[WORD_TEXT_MAX];
    word_join(word, kind, name, more);
    visit(context, word, seeds);
}

static void due_mechanisms(reach_visit *visit, void *context) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].mode == MODE_NORMAL || strcmp(table[i].id, "drill") == 0) {
            continue; /* one that refuses is met by its refusal codes, the drill by what it releases */
        }
        due(visit, context, 100, "mechanism", table[i].id, "acted");
        due(visit, context, 50, "mechanism", table[i].id, "held");
        if (table[i].hold != HOLD_WITH_PROCESS) {
            due(visit, context, 20, "mechanism", table[i].id, "released");
        }
        due(visit, context, 10, "crashed", table[i].id, "");
    }
}

static void due_pairs(reach_visit *visit, void *context) {
    for (size_t a = 0; a < swarm_class_count(); a++) {
        for (size_t b = a + 1; b < swarm_class_count(); b++) {
            char pair[WORD_TEXT_MAX];
            snprintf(pair, sizeof pair, "%s+%s", swarm_class(a), swarm_class(b));
            due(visit, context, 20, "pair", pair, "");
        }
    }
}

static void due_moves(reach_visit *visit, void *context) {
    static const char *const states[] = {
#define X(state, word, is_over) word,
        ORDER_STATES(X)
#undef X
    };
    int count = (int)(sizeof states / sizeof states[0]);
    for (int from = 0; from < count; from++) {
        due(visit, context, 20, "state", states[from], "");
        for (int to = 0; to < count; to++) {
            char move[WORD_TEXT_MAX];
            if (from == to || !order_may_move((enum order_state)from, (enum order_state)to)) {
                continue;
            }
            if (join_move(move, states[from], states[to]) && to != ORDER_CANCELED) {
                continue; /* due once */
            }
            due(visit, context, 1, "move", move, "");
        }
    }
}

void reach_due(reach_visit *visit, void *context) {
    static const char *const refusals[] = {
#define REFUSAL(code, word, mechanism, binds, meaning) word,
#include "core/orders/refusal.def"
#undef REFUSAL
    };
    due(visit, context, 8000, "entry and exit", "filled", "");
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        due(visit, context, 64, "point", fault_point_name((enum fault_point)point), "");
    }
    due(visit, context, 8000, "mechanism", "state_backup", "acted");
    due(visit, context, 20, "mechanism", "state_backup", "warned");
    due(visit, context, 500, "mechanism", "alerts", "acted");
    due(visit, context, 100, "mechanism", "alerts", "held");
    due(visit, context, 20, "mechanism", "heartbeat", "acted");
    due(visit, context, 5000, "mechanism", "drill",
        "released"); /* tests/mutants/drilled.sh: acted */
    due(visit, context, 100, "mechanism", "health_supervisor", "acted");
    due(visit, context, 50, "mechanism", "health_supervisor", "released");
    due(visit, context, 200, "mechanism", "capital_ramp", "acted");
    due(visit, context, 50, "mechanism", "capital_ramp", "released");
    due(visit, context, 200, "mechanism", "learning_guard", "acted");
    due(visit, context, 50, "mechanism", "learning_guard", "held");
    due(visit, context, 50, "mechanism", "learning_guard", "refused");
    due(visit, context, 500, "mechanism", "smart_poller", "acted");
    due(visit, context, 500, "mechanism", "smart_poller", "held");
    due(visit, context, 100, "mechanism", "signal_cache", "acted");
    due(visit, context, 50, "mechanism", "signal_cache", "released");
    due_pairs(visit, context);
    due_mechanisms(visit, context);
    for (size_t i = 1; i < sizeof refusals / sizeof refusals[0]; i++) {
        due(visit, context, 10, "refusal", refusals[i], "");
    }
    due_moves(visit, context);
    due(visit, context, 10, "crashed", "order_unknown", "");
    due(visit, context, 500, "exact", "MAX_POSITIONS", ""); /* what is counted meets its limit */
    due(visit, context, 200, "exact", "ENTRY_RATE", "");
    due(visit, context, 50, "exact", "MESSAGE_RATE", "");
}

void reach_recipes(reach_visit *visit, void *context) {
    int64_t count = (int64_t)swarm_directed_count();
    for (size_t i = 0; i < swarm_directed_count(); i++) {
        due(visit, context, 10000 / count / 2, "mechanism", swarm_directed(i), "acted");
    }
}

/* Losses happen in calm waters too, and a start knows nothing of the broker yet. */
static bool may_act_in_calm(const char *mechanism) {
    static const char *const words[] = {"daily_loss", "equity_floor", "max_drawdown",
                                        "degraded_mode"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], mechanism) == 0) {
            return true;
        }
    }
    return false;
}

void reach_quiet(reach_visit *visit, void *context) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].mode != MODE_NORMAL && !may_act_in_calm(table[i].id)) {
            due(visit, context, 0, "mechanism", table[i].id, "acted");
        }
    }
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        due(visit, context, 0, "point", fault_point_name((enum fault_point)point), "");
    }
    due(visit, context, 0, "state", "unknown", "");
    due(visit, context, 0, "process", "died", "");
}
