/* repeat_throttle.c - counts sends, fills and what exits sold, from the journal's rows. */
#include "core/risk/repeat_throttle.h"

#include "core/base/hash.h"
#include "core/base/mutant.h"

#include <stdio.h>
#include <string.h>

static const char CAUSE[] = "repeat_throttle";

static uint64_t id_of(const char *word, int64_t number) {
    return hash64(word, strlen(word), (uint64_t)number) | 1;
}

static const char *kind_words(enum repeat_kind kind) {
    static const char *const words[] = {"nothing",         "buys were sent", "sales were sent",
                                        "stops were sent", "buys filled",    "sales filled"};
    return words[kind];
}

/* --- counting --- */

static bool is_known(const struct repeat_throttle *throttle, enum repeat_kind kind, uint64_t id) {
    for (size_t i = 0; i < REPEAT_EVENTS_MAX; i++) {
        if (throttle->events[i].kind == kind && throttle->events[i].id == id) {
            return true;
        }
    }
    return false;
}

/* Of its symbol and kind within the window before it, itself included; a wall that was set in between
 * leaves the distance as it shows. */
static int64_t count_like(const struct repeat_throttle *throttle, const struct repeat_event *event,
                          struct span window) {
    int64_t count = 0;
    for (size_t i = 0; i < REPEAT_EVENTS_MAX; i++) {
        const struct repeat_event *other = &throttle->events[i];
        int64_t apart_ns = utc_sub(event->at, other->at).ns;
        count += other->kind == event->kind && apart_ns < window.ns && -apart_ns < window.ns &&
                 strcmp(other->symbol, event->symbol) == 0;
    }
    return count;
}

static void count(struct repeat_throttle *throttle, const struct config *config, const char *symbol,
                  enum repeat_kind kind, uint64_t id, uint64_t by, struct utc at) {
    if (is_known(throttle, kind, id)) {
        return;
    }
    struct repeat_event *event = &throttle->events[throttle->next++ % REPEAT_EVENTS_MAX];
    *event = (struct repeat_event){.kind = kind, .id = id, .by = by, .at = at};
    (void)!text_copy(event->symbol, sizeof event->symbol, symbol, NULL);
    int64_t times = count_like(throttle, event, config->repeat_window);
    MUTATE(repeat_throttle_off_by_one, times--);
    if (times >= config->repeats && !throttle->is_due) {
        throttle->is_due = true;
        throttle->due_id = by;
        snprintf(throttle->why, sizeof throttle->why, "%s: %lld %s within %lld s", event->symbol,
                 (long long)times, kind_words(kind), (long long)(config->repeat_window.ns / NANOS));
    }
}

/* What was declined between its row and its first byte was no send. */
static void take_back(struct repeat_throttle *throttle, uint64_t by) {
    for (size_t i = 0; i < REPEAT_EVENTS_MAX; i++) {
        if (throttle->events[i].by == by) {
            throttle->events[i] = (struct repeat_event){0};
        }
    }
    throttle->is_due = throttle->is_due && throttle->due_id != by;
}

/* --- exits --- */

static struct repeat_exit *find_exit(struct repeat_throttle *throttle, const char *symbol) {
    for (size_t i = 0; i < throttle->exit_count; i++) {
        if (strcmp(throttle->exits[i].symbol, symbol) == 0) {
            return &throttle->exits[i];
        }
    }
    return NULL;
}

static void take_exit(struct repeat_throttle *throttle, const struct journal_row *row,
                      const cJSON *body) {
    const char *phase = "";
    struct repeat_exit next = {0};
    struct repeat_exit *known = find_exit(throttle, row->key);
    if (json_string(body, "phase", &phase, NULL) != ERR_OK ||
        json_qty(body, "start", &next.most, NULL) != ERR_OK ||
        json_utc(body, "decided_at", &next.decided_at, NULL) != ERR_OK ||
        text_copy(next.symbol, sizeof next.symbol, row->key, NULL) != ERR_OK) {
        return;
    }
    next.id = id_of(row->key, next.decided_at.ns);
    if (strcmp(phase, "over") == 0) {
        if (known != NULL) {
            *known = throttle->exits[--throttle->exit_count];
        }
    } else if (known != NULL && known->id != next.id) {
        *known = next;
    } else if (known == NULL && throttle->exit_count < BOOK_MAX) {
        throttle->exits[throttle->exit_count++] = next;
    }
}

/* A fill that the book had before the decision is in what was held then. */
static void take_exit_fill(struct repeat_throttle *throttle, struct repeat_exit *exit, bool is_buy,
                           struct qty qty, struct utc at) {
    if (at.ns <= exit->decided_at.ns) {
        return;
    }
    if (is_buy) {
        exit->most = qty_add(exit->most, qty);
    } else {
        exit->sold = qty_add(exit->sold, qty);
    }
    MUTATE(repeat_oversold_ignored, return);
    if (qty_cmp(exit->sold, exit->most) > 0 && !throttle->is_due) {
        throttle->is_due = true;
        throttle->due_id = 0;
        snprintf(throttle->why, sizeof throttle->why, "%s: an exit sold more than was held",
                 exit->symbol);
    }
}

/* --- rows --- */

static void take_intent(struct repeat_throttle *throttle, const struct config *config,
                        const struct journal_row *row, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    const char *purpose = "";
    const char *replaces = "";
    const char *of = "";
    if (json_string(body, "symbol", &symbol, NULL) != ERR_OK ||
        json_string(body, "side", &side, NULL) != ERR_OK ||
        json_string(body, "purpose", &purpose, NULL) != ERR_OK ||
        json_string(body, "replaces", &replaces, NULL) != ERR_OK) {
        return;
    }
    const struct repeat_exit *exit = find_exit(throttle, symbol);
    int64_t attempt = 0;
    bool is_reprice = json_string(body, "of", &of, NULL) == ERR_OK && of[0] != '\0' &&
                      json_int(body, "attempt", &attempt, NULL) == ERR_OK;
    int64_t most = config->maker_tries + 1; /* and one that crosses */
    MUTATE(repeat_nets_without_bound, most = INT64_MAX);
    is_reprice = is_reprice && attempt <= most;
    MUTATE(repeat_counts_entry_reprices, is_reprice = false);
    uint64_t by = id_of(row->key, 0);
    uint64_t id = is_reprice ? id_of(of, 0) : by;
    enum repeat_kind kind = strcmp(side, "buy") == 0       ? REPEAT_BUY
                            : strcmp(purpose, "stop") == 0 ? REPEAT_STOP
                                                           : REPEAT_SALE;
    MUTATE(repeat_counts_reprices, replaces = ""; exit = NULL);
    if (replaces[0] == '\0') {
        bool is_of_exit = kind == REPEAT_SALE && exit != NULL;
        id = is_of_exit ? exit->id : id;
        count(throttle, config, symbol, kind, id, is_of_exit ? id : by, row->at);
    }
}

static void take_fill(struct repeat_throttle *throttle, const struct config *config,
                      const struct journal_row *row, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    struct utc at = {0};
    if (json_string(body, "symbol", &symbol, NULL) != ERR_OK ||
        json_string(body, "side", &side, NULL) != ERR_OK ||
        json_qty(body, "qty", &qty, NULL) != ERR_OK || json_utc(body, "at", &at, NULL) != ERR_OK) {
        return;
    }
    bool is_buy = strcmp(side, "buy") == 0;
    struct repeat_exit *exit = find_exit(throttle, symbol);
    uint64_t id = is_buy || exit == NULL ? id_of(row->key, 0) : exit->id;
    /* when it was booked: a journal that was down takes the fills of an hour in one row after another */
    struct utc when = utc_min(at, row->at);
    MUTATE(late_rows_are_repeats, when = row->at);
    count(throttle, config, symbol, is_buy ? REPEAT_BUY_FILLED : REPEAT_SALE_FILLED, id, id, when);
    if (exit != NULL) {
        take_exit_fill(throttle, exit, is_buy, qty, at);
    }
}

/* Shares that came in from outside, came back, or became more by a split, may be sold too. */
static void take_adoption(struct repeat_throttle *throttle, const struct journal_row *row,
                          const cJSON *body) {
    struct repeat_exit *exit = find_exit(throttle, row->key);
    struct qty qty = {0};
    struct qty was = {0};
    if (exit != NULL && json_qty(body, "qty", &qty, NULL) == ERR_OK &&
        json_qty(body, "was", &was, NULL) == ERR_OK && qty_cmp(qty, was) > 0) {
        exit->most = qty_add(exit->most, qty_sub(qty, was));
    }
}

static void take_body(struct repeat_throttle *throttle, const struct config *config,
                      const struct journal_row *row, const cJSON *body) {
    if (strcmp(row->kind, "intent") == 0) {
        take_intent(throttle, config, row, body);
    } else if (strcmp(row->kind, "fill") == 0) {
        take_fill(throttle, config, row, body);
    } else if (strcmp(row->kind, "exit") == 0) {
        take_exit(throttle, row, body);
    } else {
        take_adoption(throttle, row, body);
    }
}

/* No send: no byte of it left; or the exchange rejected a stop, which is tried again at growing pauses, one
 * intent however often (retry_backoff, and the position is paged as bare meanwhile). */
static bool is_none(const struct journal_row *row) {
    bool is_rejected = strstr(row->body, "\"state\":\"rejected\"") != NULL;
    bool is_stop = strstr(row->body, "\"purpose\":\"stop\"") != NULL;
    return strstr(row->body, "\"state\":\"not_sent\"") != NULL || (is_rejected && is_stop);
}

/* An operator has looked: what comes from here on counts. */
static void forget(struct repeat_throttle *throttle) {
    memset(throttle->events, 0, sizeof throttle->events);
    throttle->is_due = false;
    for (size_t i = 0; i < throttle->exit_count; i++) {
        throttle->exits[i].sold = (struct qty){0};
    }
}

void repeat_throttle_take(struct repeat_throttle *throttle, const struct config *config,
                          const struct journal_row *row) {
    static const char *const kinds[] = {"intent", "fill", "exit", "adopt", "split", "spin"};
    if (strcmp(row->kind, "start") == 0) {
        throttle->is_due = false;
    } else if (strcmp(row->kind, "latch_clear") == 0 && strcmp(row->key, CAUSE) == 0) {
        forget(throttle);
    } else if (strcmp(row->kind, "order") == 0 && is_none(row)) {
        take_back(throttle, id_of(row->key, 0));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        cJSON *body = NULL;
        if (strcmp(row->kind, kinds[i]) == 0 &&
            json_parse(row->body, strlen(row->body), &body, NULL) == ERR_OK) {
            take_body(throttle, config, row, body);
            cJSON_Delete(body);
        }
    }
}

void repeat_throttle_step(const struct repeat_throttle *throttle, struct causes *causes) {
    MUTATE(repeat_throttle_ignored, return);
    if (throttle->is_due) {
        causes_latch(causes, CAUSE, MODE_REDUCE_ONLY, "core", throttle->why);
    }
}
