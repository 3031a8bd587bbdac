/* collect.c - folding events into what a report shows. */
#include "scenarios/collect.h"

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "scenarios/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define EQUITY_EVERY SPAN_MIN(5)

static void copy_word(char *field, size_t size, const char *word) {
    size_t n = strlen(word);
    n = n < size ? n : size - 1;
    memcpy(field, word, n);
    field[n] = '\0';
}

/* --- lists --- */

/* Room for one more item, or NULL (counted) at the limit. */
static void *grow(struct collect *collect, void **items, size_t *count, size_t *cap,
                  size_t item_size) {
    if (*count == COLLECT_LIST_MAX) {
        collect->dropped++;
        return NULL;
    }
    if (*count == *cap) {
        *cap = *cap == 0 ? 256 : *cap * 2;
        *items = realloc(*items, *cap * item_size);
        CHECK(*items != NULL);
    }
    return (char *)*items + (*count)++ * item_size;
}

static void add_mark(struct collect *collect, struct mark **marks, size_t *count, size_t *cap,
                     const struct event *event, const char *subject, const char *what) {
    void *items = *marks;
    struct mark *mark = grow(collect, &items, count, cap, sizeof *mark);
    *marks = items;
    if (mark != NULL) {
        *mark = (struct mark){.at = event->at};
        copy_word(mark->subject, sizeof mark->subject, subject);
        copy_word(mark->what, sizeof mark->what, what);
        copy_word(mark->symbol, sizeof mark->symbol, event->symbol);
        copy_word(mark->why, sizeof mark->why, event->kind == EVENT_MODE ? event->body : "");
    }
}

/* --- positions, from the ledger's fills --- */

static struct collect_symbol *symbol_of(struct collect *collect, const char *symbol) {
    for (size_t i = 0; i < collect->symbol_count; i++) {
        if (strcmp(collect->symbols[i].symbol, symbol) == 0) {
            return &collect->symbols[i];
        }
    }
    if (collect->symbol_count == COLLECT_SYMBOLS_MAX) {
        return NULL;
    }
    struct collect_symbol *added = &collect->symbols[collect->symbol_count++];
    copy_word(added->symbol, sizeof added->symbol, symbol);
    return added;
}

/* The open position of a symbol, or NULL. */
static struct episode *open_episode(struct collect *collect, const char *symbol) {
    struct collect_symbol *row = symbol_of(collect, symbol);
    if (row == NULL || row->qty.nanos == 0 || row->episode >= collect->episode_count) {
        return NULL;
    }
    return &collect->episodes[row->episode];
}

static void end_naked(struct episode *episode, struct utc at) {
    if (episode->naked_since.ns != 0) {
        episode->naked.ns += at.ns - episode->naked_since.ns;
        episode->naked_since = (struct utc){0};
    }
}

static void open_position(struct collect *collect, struct collect_symbol *row,
                          const struct event *event) {
    void *items = collect->episodes;
    struct episode *episode =
        grow(collect, &items, &collect->episode_count, &collect->episode_cap, sizeof *episode);
    collect->episodes = items;
    row->episode = episode == NULL ? SIZE_MAX : collect->episode_count - 1;
    if (episode != NULL) {
        *episode = (struct episode){.opened_at = event->at, .naked_since = event->at};
        copy_word(episode->symbol, sizeof episode->symbol, event->symbol);
    }
    row->exit_reason[0] = '\0';
    collect->open_positions++;
    if (collect->open_positions > collect->most_positions) {
        collect->most_positions = collect->open_positions;
    }
}

static void on_ledger_fill(struct collect *collect, const struct event *event) {
    struct collect_symbol *row = symbol_of(collect, event->symbol);
    bool is_buy = strcmp(event->subject, "buy") == 0;
    struct usd amount = {0};
    collect->ledger_fills++;
    if (row == NULL || usd_times_qty(event->price, event->qty, &amount, NULL) != ERR_OK) {
        collect->dropped++;
        return;
    }
    if (row->qty.nanos == 0) {
        open_position(collect, row, event);
    }
    struct qty before = row->qty;
    row->qty = is_buy ? qty_add(before, event->qty) : qty_sub(before, event->qty);
    struct episode *episode =
        row->episode < collect->episode_count ? &collect->episodes[row->episode] : NULL;
    if (row->qty.nanos == 0) {
        collect->open_positions--;
    }
    if (episode == NULL) {
        return;
    }
    struct usd *side = is_buy ? &episode->cost : &episode->proceeds;
    *side = usd_add(*side, amount);
    episode->held = row->qty;
    episode->peak = qty_cmp(row->qty, episode->peak) > 0 ? row->qty : episode->peak;
    if (row->qty.nanos == 0) {
        episode->closed_at = event->at;
        end_naked(episode, event->at);
        copy_word(episode->end, sizeof episode->end,
                  row->exit_reason[0] == '\0' ? "resting_stop" : row->exit_reason);
    }
}

static void on_protection(struct collect *collect, const struct event *event) {
    struct episode *episode = open_episode(collect, event->symbol);
    if (episode == NULL) {
        return;
    }
    if (strcmp(event->what, "protected") == 0) {
        end_naked(episode, event->at);
        episode->stop = event->price;
        if (episode->first_protected_at.ns == 0) {
            episode->first_protected_at = event->at;
        }
    } else if (strcmp(event->what, "naked") == 0 && episode->naked_since.ns == 0) {
        episode->naked_since = event->at;
    }
}

/* --- the rest --- */

static void on_equity(struct collect *collect, const struct event *event) {
    struct session session;
    collect->equity_last = event->amount;
    if (!collect->has_equity) {
        collect->equity_low = collect->equity_high = event->amount;
        collect->has_equity = true;
    }
    collect->equity_low = usd_min(collect->equity_low, event->amount);
    collect->equity_high = usd_max(collect->equity_high, event->amount);
    bool is_first = collect->equity_count == 0;
    bool is_open = collect->calendar != NULL &&
                   calendar_current_or_next(collect->calendar, event->at, &session) &&
                   !utc_is_before(event->at, session.open);
    if (utc_is_before(event->at, collect->equity_next) || (!is_open && !is_first)) {
        return;
    }
    void *items = collect->equity;
    struct equity_point *point =
        grow(collect, &items, &collect->equity_count, &collect->equity_cap, sizeof *point);
    collect->equity = items;
    if (point != NULL) {
        *point = (struct equity_point){event->at, event->amount, event->price};
    }
    collect->equity_next =
        (struct utc){event->at.ns - event->at.ns % EQUITY_EVERY.ns + EQUITY_EVERY.ns};
}

static void on_order(struct collect *collect, const struct event *event) {
    if (strcmp(event->what, "intent") == 0) {
        words_add(&collect->purposes, event->subject, 1);
        return;
    }
    words_add(&collect->states, event->what, 1);
    if (strcmp(event->what, "filled") == 0) {
        collect->filled_entries += strcmp(event->subject, "entry") == 0;
        if (strcmp(event->subject, "stop") == 0) {
            words_add(&collect->exits, "resting_stop", 1);
        }
    }
}

static void on_exit_event(struct collect *collect, const struct event *event) {
    struct collect_symbol *row = symbol_of(collect, event->symbol);
    if (strcmp(event->what, "decided") == 0) {
        words_add(&collect->exits, event->subject, 1);
    }
    if (row != NULL) {
        copy_word(row->exit_reason, sizeof row->exit_reason,
                  strcmp(event->what, "over") == 0 ? "" : event->subject);
    }
}

/* The parts are those of the first row, and so is where their weights began. */
static void name_parts(struct collect_learning *learning, const cJSON *body) {
    const cJSON *before = NULL;
    cJSON_ArrayForEach(before, json_member(body, "before")) {
        if (learning->part_count < COLLECT_PARTS_MAX && cJSON_IsNumber(before)) {
            size_t i = learning->part_count++;
            copy_word(learning->parts[i].name, sizeof learning->parts[i].name, before->string);
            learning->parts[i].before = learning->parts[i].after = (int64_t)before->valuedouble;
        }
    }
}

/* In thousandths of what the configuration says. */
static void on_learned(struct collect_learning *learning, const struct event *event) {
    cJSON *body = NULL;
    learning->steps += strcmp(event->id, "step") == 0;
    learning->kept += strcmp(event->id, "kept") == 0;
    learning->reverted += strcmp(event->id, "reverted") == 0;
    (void)!json_parse(event->body, event->body_len, &body, NULL);
    if (learning->rows++ == 0) {
        name_parts(learning, body);
    }
    for (size_t i = 0; i < learning->part_count; i++) {
        (void)!json_int(json_member(body, "weights"), learning->parts[i].name,
                        &learning->parts[i].after, NULL);
    }
    (void)!json_int(body, "count", &learning->trades, NULL);
    cJSON_Delete(body);
}

/* Behind each change: what the weights before it did. */
static void on_learning(struct collect_learning *learning, const struct event *event) {
    int64_t admitted = 0, declined = 0;
    struct text object = {0};
    cJSON *body = NULL;
    text_add_char(&object, '{');
    text_add_bytes(&object, event->body, event->body_len);
    text_add_char(&object, '}');
    (void)!json_parse(text_get(&object), object.len, &body, NULL);
    (void)!json_int(body, "admitted", &admitted, NULL);
    (void)!json_int(body, "declined", &declined, NULL);
    learning->admitted += admitted;
    learning->declined += declined;
    cJSON_Delete(body);
    text_release(&object);
}

static void on_mechanism(struct collect *collect, const struct event *event) {
    const char *mechanism = NULL;
    const char *word = NULL;
    char both[WORD_TEXT_MAX];
    if (!event_mechanism(event, &mechanism, &word)) {
        return;
    }
    word_join(both, mechanism, word, "");
    words_add(&collect->mechanisms, both, 1);
    for (size_t i = 0; strcmp(word, "acted") == 0 && i < mechanism_count(); i++) {
        if (strcmp(mechanism_id(i), mechanism) == 0 && collect->mechanism_first[i].ns == 0) {
            collect->mechanism_first[i] = event->at;
        }
    }
    if (event->kind == EVENT_MECHANISM) {
        add_mark(collect, &collect->acts, &collect->act_count, &collect->act_cap, event,
                 event->subject, event->what);
    }
    if (event->kind == EVENT_MECHANISM && strcmp(event->subject, "learning_guard") == 0) {
        on_learning(&collect->learning, event);
    }
}

/* The reason in a latch_set row's body. */
static void copy_why(struct mark *mark, const struct event *event) {
    cJSON *body = NULL;
    const char *why = "";
    struct err err = {0};
    if (json_parse(event->body, event->body_len, &body, &err) == ERR_OK &&
        json_string(body, "why", &why, &err) == ERR_OK) {
        copy_word(mark->why, sizeof mark->why, why);
    }
    cJSON_Delete(body);
}

static void on_row(struct collect *collect, const struct event *event) {
    if (strcmp(event->subject, "learned") == 0) {
        on_learned(&collect->learning, event);
    }
    bool is_set = strcmp(event->subject, "latch_set") == 0;
    if (is_set || strcmp(event->subject, "latch_clear") == 0) {
        add_mark(collect, &collect->latches, &collect->latch_count, &collect->latch_cap, event,
                 event->id, is_set ? "set" : "clear");
        if (is_set && collect->latch_count > 0) {
            copy_why(&collect->latches[collect->latch_count - 1], event);
        }
    }
}

static void on_http(struct collect *collect, const struct event *event) {
    const char *end = event->body_len == 0 ? NULL : memchr(event->body, '\n', event->body_len);
    int64_t request = end == NULL ? 0 : end - event->body;
    collect->requests++;
    collect->request_bytes += request;
    collect->answer_bytes += (int64_t)event->body_len - request;
}

static void note(struct collect *collect, const struct event *event, struct words *words) {
    words_add(words, event->subject, 1);
    add_mark(collect, &collect->acts, &collect->act_count, &collect->act_cap, event, event->subject,
             event_word(event->kind));
}

static void collect_observe(struct observer *observer, const struct event *event) {
    struct collect *collect = (struct collect *)observer;
    collect->events++;
    on_mechanism(collect, event);
    switch ((int)event->kind) {
    case EVENT_HTTP:
        on_http(collect, event);
        break;
    case EVENT_ROW:
        on_row(collect, event);
        break;
    case EVENT_MODE:
        add_mark(collect, &collect->modes, &collect->mode_count, &collect->mode_cap, event,
                 event->subject, event->what);
        break;
    case EVENT_REFUSAL:
        collect->refusals++;
        words_add(&collect->refusal_codes, event->subject, 1);
        break;
    case EVENT_ORDER:
        on_order(collect, event);
        break;
    case EVENT_EXIT:
        on_exit_event(collect, event);
        break;
    case EVENT_PROTECTION:
        on_protection(collect, event);
        break;
    case EVENT_TICK:
        collect->ticks++;
        break;
    case EVENT_START:
        collect->starts += strcmp(event->subject, "ready") == 0;
        break;
    case EVENT_STOP:
        collect->deaths += strcmp(event->subject, "dead") == 0;
        break;
    case EVENT_FAULT:
        note(collect, event, &collect->faults);
        break;
    case EVENT_OPERATOR:
        note(collect, event, &collect->operators);
        break;
    case EVENT_ALERT:
        words_add(&collect->alerts, event->subject, 1);
        break;
    case EVENT_LEDGER_FILL:
        on_ledger_fill(collect, event);
        break;
    case EVENT_LEDGER_EQUITY:
        on_equity(collect, event);
        break;
    default: /* the rest is no report's business */
        break;
    }
}

static const struct observer_ops collect_ops = {collect_observe};

void collect_init(struct collect *collect, const struct calendar *calendar) {
    CHECK(mechanism_count() <= MECHANISMS_MAX);
    *collect = (struct collect){.seam = {&collect_ops}, .calendar = calendar};
}

void collect_release(struct collect *collect) {
    words_release(&collect->purposes);
    words_release(&collect->states);
    words_release(&collect->exits);
    words_release(&collect->refusal_codes);
    words_release(&collect->mechanisms);
    words_release(&collect->faults);
    words_release(&collect->alerts);
    words_release(&collect->operators);
    free(collect->equity);
    free(collect->modes);
    free(collect->latches);
    free(collect->acts);
    free(collect->episodes);
    *collect = (struct collect){0};
}
