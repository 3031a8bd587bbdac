/* learning_guard.c - lessons from rows, steps from lessons, and the trial that each step must pass. */
#include "core/risk/learning_guard.h"

#include "core/base/check.h"
#include "core/base/mutant.h"
#include "core/portfolio/truth.h"
#include "core/signals/expectancy.h"

#include <stdlib.h>
#include <string.h>

static const char LEARNED_ROW[] = "learned";
static const char STEP[] = "step", KEPT[] = "kept", REVERTED[] = "reverted", NEUTRAL[] = "neutral";
static const int64_t NEUTRAL_WEIGHTS[SCORE_PARTS_MAX] = {
    LEARNING_NEUTRAL, LEARNING_NEUTRAL, LEARNING_NEUTRAL, LEARNING_NEUTRAL,
    LEARNING_NEUTRAL, LEARNING_NEUTRAL, LEARNING_NEUTRAL, LEARNING_NEUTRAL};

/* A dollar that brought more is a row that is wrong; the lowest is -1. Sums of all that are kept fit. */
static const int64_t GAIN_MOST = INT64_C(1000) * NANOS;

static size_t part_count(const struct learning *learning) {
    return learning->strategy->part_count;
}

static void make_neutral(struct learned *is) {
    memcpy(is->weights, NEUTRAL_WEIGHTS, sizeof is->weights);
    memcpy(is->before, NEUTRAL_WEIGHTS, sizeof is->before);
    is->trial = 0;
}

void learning_guard_init(struct learning *learning, const struct strategy *strategy) {
    CHECK(strategy->part_count <= SCORE_PARTS_MAX);
    learning->strategy = strategy;
    make_neutral(&learning->is);
}

enum err_code learning_guard_refuse_live(const struct config *config, bool is_live,
                                         struct err *err) {
    MUTATE(learning_in_live, return ERR_OK);
    return is_live && config->learning_on
               ? err_set(err, ERR_CONFIG,
                         "learning.on: must be 0 in live: what trades real money is what was tried")
               : ERR_OK;
}

const int64_t *learning_guard_weights(const struct learning *learning,
                                      const struct config *config) {
    return config->learning_on ? learning->is.weights : NEUTRAL_WEIGHTS;
}

/* --- lessons --- */

/* The ring's, 0 being the newest. */
static const struct lesson *lesson_at(const struct learning *learning, size_t back) {
    return &learning->lessons[(learning->lesson_count - 1 - back) % LESSONS_KEPT];
}

/* Lessons that no step has taken: so many of the newest. */
static size_t waiting(const struct learning *learning) {
    size_t kept = learning->lesson_count < LESSONS_KEPT ? learning->lesson_count : LESSONS_KEPT;
    size_t count = 0;
    while (count < kept && lesson_at(learning, count)->seq > learning->is.taken) {
        count++;
    }
    return count;
}

/* What each dollar of those brought that were decided on behind a row; of how many. */
static struct expectancy expectancy_behind(const struct learning *learning, int64_t row) {
    struct usd gains[LESSONS_KEPT];
    size_t count = 0, kept = waiting(learning);
    for (size_t i = 0; i < kept; i++) {
        if (lesson_at(learning, i)->decided > row) {
            gains[count++] = lesson_at(learning, i)->gain;
        }
    }
    return expectancy_of(gains, count);
}

static void add_lesson(struct learning *learning, const struct learning_entry *entry, int64_t seq,
                       struct usd gain) {
    struct lesson *lesson = &learning->lessons[learning->lesson_count++ % LESSONS_KEPT];
    *lesson = (struct lesson){.seq = seq, .decided = entry->decided, .gain = gain};
    memcpy(lesson->parts, entry->parts, sizeof lesson->parts);
}

/* True if all parts are there, each from -1 to 1: those of this strategy. */
static bool read_parts(const struct strategy *strategy, const cJSON *body,
                       struct ratio parts[SCORE_PARTS_MAX]) {
    const cJSON *object = json_member(body, "parts");
    for (size_t i = 0; i < strategy->part_count; i++) {
        int64_t nanos = 0;
        if (json_decimal_either(object, strategy->parts[i], &nanos, NULL) != ERR_OK ||
            nanos < -NANOS || nanos > NANOS) {
            return false;
        }
        parts[i] = (struct ratio){nanos};
    }
    return strategy->part_count > 0;
}

static void take_intent(struct learning *learning, const struct config *config,
                        const struct journal_row *row, const cJSON *body) {
    const char *symbol = "", *purpose = "", *of = "";
    (void)!json_string(body, "symbol", &symbol, NULL);
    (void)!json_string(body, "purpose", &purpose, NULL);
    (void)!json_string(body, "of", &of, NULL);
    int index = universe_find(config, symbol);
    if (index < 0 || strcmp(purpose, "entry") != 0) {
        return;
    }
    struct learning_entry *entry = &learning->decided[index];
    bool goes_on = of[0] != '\0' && strcmp(of, entry->first) == 0;
    if (!goes_on) {
        *entry = (struct learning_entry){0};
        strncpy(entry->first, row->key, CLIENT_ID_MAX - 1);
        entry->decided = read_parts(learning->strategy, body, entry->parts) ? row->seq : 0;
    }
    memset(entry->id, 0, sizeof entry->id);
    strncpy(entry->id, row->key, CLIENT_ID_MAX - 1);
}

static void take_fill(struct learning *learning, const struct config *config,
                      const struct closed_trades *trades, const struct journal_row *row,
                      const cJSON *body) {
    const char *symbol = "";
    (void)!json_string(body, "symbol", &symbol, NULL);
    int index = universe_find(config, symbol);
    if (index < 0) {
        return;
    }
    struct learning_entry *filled = &learning->filled[index];
    if (strcmp(learning->decided[index].id, row->key) == 0) {
        *filled = learning->decided[index];
    }
    if (closed_trades_kept(trades) == 0) {
        return;
    }
    const struct closed_trade *trade = closed_trades_newest(trades, 0);
    struct ratio gain = {0};
    if (trade->seq == row->seq && filled->decided > 0 && strcmp(trade->entry, filled->id) == 0 &&
        usd_over_usd(closed_trade_profit(trade), trade->bought, &gain, NULL) == ERR_OK &&
        gain.nanos <= GAIN_MOST) {
        add_lesson(learning, filled, row->seq, (struct usd){gain.nanos});
    }
}

/* --- rows --- */

static void print_by_part(const struct strategy *strategy, const char *key, const int64_t *numbers,
                          struct text *out) {
    text_member(out, key);
    text_add_char(out, '{');
    for (size_t i = 0; i < strategy->part_count; i++) {
        text_member_int(out, strategy->parts[i], numbers[i]);
    }
    text_add_char(out, '}');
}

static void print(const struct strategy *strategy, const struct learned *is, struct text *out) {
    char day[DATE_TEXT_MAX];
    date_print(is->day, day);
    text_add_char(out, '{');
    text_member_int(out, "taken", is->taken);
    text_member_int(out, "count", is->count);
    text_member_decimal(out, "mean", is->mean.nanos);
    text_member_string(out, "day", day);
    print_by_part(strategy, "weights", is->weights, out);
    print_by_part(strategy, "before", is->before, out);
    print_by_part(strategy, "moved", is->moved, out);
    text_add_char(out, '}');
}

static bool read_by_part(const struct strategy *strategy, const cJSON *body, const char *key,
                         int64_t least, int64_t most, int64_t *numbers) {
    const cJSON *object = json_member(body, key);
    for (size_t i = 0; i < strategy->part_count; i++) {
        if (json_int(object, strategy->parts[i], &numbers[i], NULL) != ERR_OK ||
            numbers[i] < least || numbers[i] > most) {
            return false;
        }
    }
    return true;
}

static bool read_learned(const struct strategy *strategy, const cJSON *body, struct learned *out) {
    const char *day = "";
    return json_int(body, "taken", &out->taken, NULL) == ERR_OK && out->taken >= 0 &&
           json_int(body, "count", &out->count, NULL) == ERR_OK && out->count >= 0 &&
           json_usd(body, "mean", &out->mean, NULL) == ERR_OK &&
           json_string(body, "day", &day, NULL) == ERR_OK &&
           date_parse(day, &out->day, NULL) == ERR_OK &&
           read_by_part(strategy, body, "weights", LEARNING_LEAST, LEARNING_MOST, out->weights) &&
           read_by_part(strategy, body, "before", LEARNING_LEAST, LEARNING_MOST, out->before) &&
           read_by_part(strategy, body, "moved", 0, INT32_MAX, out->moved);
}

static bool is_known(const char *key) {
    return strcmp(key, STEP) == 0 || strcmp(key, KEPT) == 0 || strcmp(key, REVERTED) == 0 ||
           strcmp(key, NEUTRAL) == 0;
}

/* No row gives lessons back: they would be learned again. */
static void take_learned(struct learning *learning, const struct journal_row *row,
                         const cJSON *body) {
    const struct learned *is = &learning->is;
    struct learned next = {0};
    make_neutral(&next);
    bool is_sound = is_known(row->key) && read_learned(learning->strategy, body, &next) &&
                    next.taken >= is->taken && next.taken <= row->seq && next.count >= is->count;
    MUTATE(learning_bad_row_believed, is_sound = true);
    learning->is_refused = !is_sound;
    if (!is_sound) {
        next = learning->is;
        make_neutral(&next);
        next.taken = row->seq;
    }
    next.trial = is_sound && strcmp(row->key, STEP) == 0 ? row->seq : 0;
    learning->is = next;
}

void learning_guard_take(struct learning *learning, const struct config *config,
                         const struct closed_trades *trades, const struct journal_row *row) {
    bool is_intent = strcmp(row->kind, "intent") == 0, is_fill = strcmp(row->kind, "fill") == 0;
    bool is_learned = strcmp(row->kind, LEARNED_ROW) == 0;
    MUTATE(learning_from_adopted, if (row->kind[0] == 'a') add_lesson(learning, learning->filled, row->seq, (struct usd){0}));
    if ((!is_intent && !is_fill && !is_learned) || row->seq <= learning->seen) {
        return;
    }
    cJSON *body = NULL;
    learning->seen = row->seq;
    (void)!json_parse(row->body, strlen(row->body), &body, NULL);
    if (is_intent) {
        take_intent(learning, config, row, body);
    } else if (is_fill) {
        take_fill(learning, config, trades, row, body);
    } else {
        take_learned(learning, row, body);
    }
    cJSON_Delete(body);
}

/* --- steps --- */

/* How far a weight is to move by what the lessons say of its part, and by nothing else. */
static int64_t lessons_say(const struct learning *learning, size_t part, int64_t step) {
    struct ratio parts[LESSONS_KEPT];
    struct usd gains[LESSONS_KEPT];
    size_t count = waiting(learning);
    for (size_t i = 0; i < count; i++) {
        parts[i] = lesson_at(learning, i)->parts[part];
        gains[i] = lesson_at(learning, i)->gain;
    }
    return expectancy_follows(parts, gains, count, step);
}

static int64_t clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* By how much a weight moves: within the step, what is left of the day, and the bounds. */
static int64_t shift(const struct learned *is, size_t part, int64_t wish,
                     const struct config *config) {
    int64_t step = config->learning_step;
    int64_t left = config->learning_day_cap - is->moved[part];
    int64_t by = clamp(wish, -step, step);
    MUTATE(learning_unbounded, by *= 4);
    MUTATE(learning_cap_ignored, left = INT32_MAX);
    left = left < 0 ? 0 : left;
    by = clamp(by, -left, left);
    int64_t weight = clamp(is->weights[part] + by, LEARNING_LEAST, LEARNING_MOST);
    MUTATE(learning_bounds_ignored, weight = is->weights[part] + by);
    return weight - is->weights[part];
}

static struct learned next_step(const struct learning *learning, const struct config *config,
                                struct date day) {
    struct learned next = learning->is;
    bool is_later = day.days > next.day.days; /* a wall that went back begins no day */
    MUTATE(learning_day_set_back, is_later = day.days != next.day.days);
    if (is_later) {
        next.day = day;
        memset(next.moved, 0, sizeof next.moved);
    }
    memcpy(next.before, next.weights, sizeof next.before);
    for (size_t i = 0; i < part_count(learning); i++) {
        int64_t wish = lessons_say(learning, i, config->learning_step);
        int64_t by = shift(&next, i, wish, config);
        next.weights[i] += by;
        next.moved[i] += by < 0 ? -by : by;
    }
    next.mean = expectancy_behind(learning, 0).mean;
    next.taken = lesson_at(learning, 0)->seq;
    MUTATE(learning_twice, next.taken = 0);
    next.count += (int64_t)waiting(learning);
    return next;
}

/* With what the weights before it did. */
static void tell(struct learning *learning, struct causes *causes, const char *what,
                 const char *how, int64_t lessons, struct usd mean) {
    struct text body = {.limit = 1024};
    text_member_string(&body, "how", how);
    text_member_int(&body, "lessons", lessons);
    text_member_decimal(&body, "mean", mean.nanos);
    text_member_int(&body, "admitted", learning->admitted);
    text_member_int(&body, "declined", learning->declined);
    print_by_part(learning->strategy, "weights", learning->is.weights, &body);
    log_mechanism(causes->log, LEARNING_MECHANISM, what, "", how, text_get(&body));
    text_release(&body);
    learning->admitted = learning->declined = 0;
}

/* Durable or not at all: what this life then knows it hears of the journal, as the next one will. */
static bool write_row(struct learning *learning, struct causes *causes, const char *key,
                      const struct learned *next) {
    struct text body = {.limit = 2048};
    print(learning->strategy, next, &body);
    bool is_noted =
        causes->journal != NULL &&
        journal_append(causes->journal, LEARNED_ROW, key, text_get(&body), NULL, NULL) == ERR_OK &&
        journal_commit(causes->journal, NULL) == ERR_OK;
    text_release(&body);
    if (!is_noted && !learning->is_unwritten) {
        log_mechanism(causes->log, LEARNING_MECHANISM, "held", "", "journal", "");
    }
    learning->is_unwritten = !is_noted;
    return is_noted;
}

static void take_step(struct learning *learning, struct causes *causes, const struct config *config,
                      struct date day) {
    struct learned next = next_step(learning, config, day);
    int64_t lessons = (int64_t)waiting(learning);
    if (write_row(learning, causes, STEP, &next)) {
        tell(learning, causes, "acted", STEP, lessons, next.mean);
    }
}

/* No worse is what a step must be; one that was not tried in time has not shown it. */
static void end_trial(struct learning *learning, struct causes *causes,
                      const struct expectancy *trial, bool is_tried) {
    struct learned next = learning->is;
    bool is_worse = !is_tried || usd_cmp(trial->mean, next.mean) < 0;
    MUTATE(learning_no_revert, is_worse = false);
    MUTATE(learning_revert_off_by_one, is_worse = usd_cmp(trial->mean, next.mean) <= 0);
    if (is_worse) {
        memcpy(next.weights, next.before, sizeof next.weights);
    }
    MUTATE(learning_cap_forgotten_at_trial, memset(next.moved, 0, sizeof next.moved));
    next.trial = 0;
    if (!write_row(learning, causes, is_worse ? REVERTED : KEPT, &next)) {
        return;
    }
    tell(learning, causes, is_worse ? "acted" : "released", is_worse ? REVERTED : KEPT,
         (int64_t)trial->count, trial->mean);
    if (is_worse) {
        log_alert(causes->log, ALERT_WARN, LEARNING_MECHANISM,
                  is_tried ? "trades behind a step of learning brought less: the weights before it "
                             "are back"
                           : "too few trades behind a step of learning in two weeks: the weights "
                             "before it are back");
    }
}

static void tell_waiting(struct learning *learning, struct causes *causes, const char *fault) {
    struct text body = {.limit = 256};
    text_member_string(&body, "why", fault);
    if (!learning->is_waiting) {
        log_mechanism(causes->log, LEARNING_MECHANISM, "held", "", "waits", text_get(&body));
    }
    learning->is_waiting = true;
    text_release(&body);
}

/* The row that was not believed is followed by one that is. */
static void begin_anew(struct learning *learning, struct causes *causes) {
    if (write_row(learning, causes, NEUTRAL, &learning->is)) {
        log_alert(causes->log, ALERT_WARN, LEARNING_MECHANISM,
                  "what was learned is out of bounds or unreadable: neutral weights again");
    }
}

static bool is_overdue(const struct learned *is, struct date day) {
    int64_t most = LEARNING_TRIAL_DAYS;
    MUTATE(learning_trial_for_ever, most = INT32_MAX);
    return is->trial != 0 && day.days - is->day.days > most;
}

void learning_guard_step(struct learning *learning, struct causes *causes,
                         const struct config *config, const struct learning_look *look) {
    const char *fault = look->fault;
    size_t least = (size_t)config->learning_trades;
    MUTATE(learning_ignored, return);
    MUTATE(learning_while_fault, fault = NULL);
    bool is_off = !config->learning_on;
    MUTATE(learning_before_enough_trades, least--);
    MUTATE(learning_while_off, is_off = false);
    if (is_off) {
        return;
    }
    struct expectancy trial = expectancy_behind(learning, learning->is.trial);
    bool is_tried = trial.count >= least; /* without a trial: of all that wait */
    bool is_due = is_tried || learning->is_refused || is_overdue(&learning->is, look->day);
    learning->is_waiting = learning->is_waiting && fault != NULL;
    if (is_due && fault != NULL) {
        tell_waiting(learning, causes, fault);
    } else if (learning->is_refused) {
        begin_anew(learning, causes);
    } else if (is_due && learning->is.trial != 0) {
        end_trial(learning, causes, &trial, is_tried);
    } else if (is_due) {
        take_step(learning, causes, config, look->day);
    }
}

/* --- what it does --- */

void learning_guard_count(struct learning *learning, struct log *log, const char *symbol,
                          bool is_by_config, bool is_wanted) {
    if (is_by_config && !is_wanted && learning->declined++ == 0) {
        log_mechanism(log, LEARNING_MECHANISM, "refused", symbol, "entry", "");
    }
    if (is_wanted && !is_by_config && learning->admitted++ == 0) {
        log_mechanism(log, LEARNING_MECHANISM, "acted", symbol, "entry", "\"how\":\"admitted\"");
    }
}

void learning_guard_show(const struct learning *learning, const struct config *config,
                         struct text *out) {
    print_by_part(learning->strategy, "weights", learning_guard_weights(learning, config), out);
    text_member_int(out, "lessons", learning->is.count);
    text_member_int(out, "lessons_waiting", (int64_t)waiting(learning));
    text_member_bool(out, "on_trial", learning->is.trial != 0);
    text_member_int(out, "admitted", learning->admitted);
    text_member_int(out, "declined", learning->declined);
}
