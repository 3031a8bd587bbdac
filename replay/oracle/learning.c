/* learning.c - learning_is_bounded, the oracle of learning_guard: what a step may be made of, how far it may go, and
 * when it is due.
 *
 * Lessons are added up here anew, from the rows of intents, fills and adoptions; a row `learned` is held against them
 * and against the row before it, never against what it says of its own lessons. What a part's weight should be is
 * computed here too, and a thousandth to either side is let pass: the core's sums are in another order. A lesson is
 * taken by the step that says so, and by no other. A death may leave one row that nobody told: where the next row
 * `learned` cannot follow the last one that was told, it was the one between them: a trial's end is judged by the
 * step that its lessons make due, a step behind an untold end is believed once. Any other row that nobody told, or a
 * journal that went back, ends the judgement. A step is missed when it was due through a quarter of an hour of an
 * open market in which no fault fired, no life began, nothing demanded REDUCE_ONLY and no prices failed: those of all
 * symbols may, and not be asked for again on a spent budget, while those of what is held are answered. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"
#include "replay/oracle/trades.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "learning_guard";
static const char *const PRICE_PATHS[] = {"/v2/stocks/quotes", "/v2/stocks/trades",
                                          "/v2/stocks/bars"};
enum { PRICES = sizeof PRICE_PATHS / sizeof PRICE_PATHS[0] };
enum { PARTS_MAX = 8, LESSONS_MAX = 500, NEUTRAL = 1000, LEAST = 250, MOST = 2500 };
enum { TRIAL_DAYS = 14 };
static const double MEAN_OFF = 2.01e-9; /* of two nanos: gains and means are rounded to one */
static const struct span DUE_WITHIN = {INT64_C(900000000000)};

struct entry { /* by symbol: the order that would open a position, or did */
    char symbol[TABLE_NAME_MAX];
    char id[TABLE_NAME_MAX], first[TABLE_NAME_MAX];
    int64_t row; /* of the first one's intent; 0: its parts are not known */
    double parts[PARTS_MAX];
};

struct lesson {
    int64_t row, decided;
    double gain, parts[PARTS_MAX];
};

struct stand { /* what the newest row said, by part */
    int64_t weights[PARTS_MAX], before[PARTS_MAX], moved[PARTS_MAX];
    int64_t taken, trial;
    double mean;
    struct date day;
};

struct learning {
    char parts[PARTS_MAX][TABLE_NAME_MAX];
    size_t part_count;
    struct trades trades;
    struct table decided, filled;
    struct lesson lessons[LESSONS_MAX]; /* that no step took */
    size_t count;
    struct stand stand;
    struct two_clocks clocks;
    struct utc due_at, uneasy_at;
    bool is_missed, is_blind;
    int64_t untold;          /* the one row that nobody told, and which is not known yet; 0: none */
    bool is_failing[PRICES]; /* its last answer was none, or no 200 */
    /* of a read that failed, and none of as many symbols was answered since; 0: none */
    size_t unanswered[PRICES];
    int64_t last_row;
};

static void *learning_create(void) {
    struct learning *judge = judge_alloc(sizeof *judge);
    judge->trades = trades_none();
    judge->decided = table_of(sizeof(struct entry));
    judge->filled = table_of(sizeof(struct entry));
    for (size_t i = 0; i < PARTS_MAX; i++) {
        judge->stand.weights[i] = judge->stand.before[i] = NEUTRAL;
    }
    return judge;
}

static void learning_destroy(void *context) {
    struct learning *judge = context;
    trades_release(&judge->trades);
    table_release(&judge->decided);
    table_release(&judge->filled);
    free(judge);
}

/* --- lessons --- */

/* The parts of the first entry that has any are those of the strategy. */
static void name_parts(struct learning *judge, const cJSON *parts) {
    const cJSON *part = NULL;
    cJSON_ArrayForEach(part, parts) {
        if (judge->part_count < PARTS_MAX) {
            (void)!text_copy(judge->parts[judge->part_count++], TABLE_NAME_MAX, part->string, NULL);
        }
    }
}

static bool read_parts(struct learning *judge, const cJSON *body, double *out) {
    const cJSON *parts = json_member(body, "parts");
    if (judge->part_count == 0) {
        name_parts(judge, parts);
    }
    for (size_t i = 0; i < judge->part_count; i++) {
        int64_t nanos = 0;
        if (json_decimal_either(parts, judge->parts[i], &nanos, NULL) != ERR_OK) {
            return false;
        }
        out[i] = (double)nanos / 1e9;
    }
    return judge->part_count > 0;
}

static void take_intent(struct learning *judge, const struct event *event, const cJSON *body) {
    const char *symbol = "", *purpose = "", *of = "";
    (void)!json_string(body, "symbol", &symbol, NULL);
    (void)!json_string(body, "purpose", &purpose, NULL);
    (void)!json_string(body, "of", &of, NULL);
    if (!is_word(purpose, "entry")) {
        return;
    }
    struct entry *entry = table_get(&judge->decided, symbol);
    if (of[0] == '\0' || !is_word(of, entry->first)) {
        entry->row = read_parts(judge, body, entry->parts) ? event->number : 0;
        (void)!text_copy(entry->first, sizeof entry->first, event->id, NULL);
    }
    (void)!text_copy(entry->id, sizeof entry->id, event->id, NULL);
}

static void take_fill(struct learning *judge, const struct event *event,
                      const struct scene *scene) {
    const cJSON *body = scene_body(scene, event);
    const char *symbol = "";
    int64_t count = judge->trades.count;
    (void)!json_string(body, "symbol", &symbol, NULL);
    const struct entry *decided = table_find(&judge->decided, symbol);
    if (decided != NULL && is_word(decided->id, event->id)) {
        struct entry copy = *decided;
        struct entry *filled = table_get(&judge->filled, symbol);
        *filled = copy;
    }
    trades_take_row(&judge->trades, event, scene);
    const struct entry *filled = table_find(&judge->filled, symbol);
    const struct trip *trip = &judge->trades.newest;
    bool is_lesson = judge->trades.count > count && filled != NULL && filled->row > 0 &&
                     is_word(trip->entry, filled->id) && trip->bought.nanos > 0;
    if (is_lesson) {
        if (judge->count == LESSONS_MAX) { /* the oldest is never learned */
            judge->count--;
            memmove(judge->lessons, judge->lessons + 1, judge->count * sizeof judge->lessons[0]);
        }
        struct lesson *lesson = &judge->lessons[judge->count++];
        *lesson = (struct lesson){.row = event->number, .decided = filled->row};
        lesson->gain = (double)usd_sub(trip->sold, trip->bought).nanos / (double)trip->bought.nanos;
        memcpy(lesson->parts, filled->parts, sizeof lesson->parts);
    }
}

static size_t count_behind(const struct learning *judge, int64_t row) {
    size_t count = 0;
    for (size_t i = 0; i < judge->count; i++) {
        count += judge->lessons[i].decided > row;
    }
    return count;
}

static double mean_behind(const struct learning *judge, int64_t row) {
    double sum = 0;
    for (size_t i = 0; i < judge->count; i++) {
        sum += judge->lessons[i].decided > row ? judge->lessons[i].gain : 0;
    }
    return sum / (double)count_behind(judge, row);
}

/* --- rows --- */

static bool read_by_part(const struct learning *judge, const cJSON *body, const char *key,
                         int64_t *out) {
    const cJSON *object = json_member(body, key);
    for (size_t i = 0; i < judge->part_count; i++) {
        if (json_int(object, judge->parts[i], &out[i], NULL) != ERR_OK) {
            return false;
        }
    }
    return true;
}

static bool read_stand(const struct learning *judge, const cJSON *body, struct stand *out) {
    const char *day = "";
    struct usd mean = {0};
    bool is_whole = json_int(body, "taken", &out->taken, NULL) == ERR_OK &&
                    json_usd(body, "mean", &mean, NULL) == ERR_OK &&
                    json_string(body, "day", &day, NULL) == ERR_OK &&
                    date_parse(day, &out->day, NULL) == ERR_OK &&
                    read_by_part(judge, body, "weights", out->weights) &&
                    read_by_part(judge, body, "before", out->before) &&
                    read_by_part(judge, body, "moved", out->moved);
    out->mean = (double)mean.nanos / 1e9;
    return is_whole;
}

/* Covariance over both spreads, by sums of products. */
static double correlate(const struct learning *judge, size_t part) {
    long double n = (long double)judge->count, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < judge->count; i++) {
        long double a = judge->lessons[i].parts[part], b = judge->lessons[i].gain;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    long double spread = (n * xx - x * x) * (n * yy - y * y);
    return spread > 1e-24L ? (double)((n * xy - x * y) / sqrtl(spread)) : 0;
}

static int64_t within(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

static const char *weight_flaw(const struct learning *judge, const struct stand *row, size_t part,
                               const struct scene_limits *limits) {
    bool is_new_day = row->day.days > judge->stand.day.days;
    int64_t moved = is_new_day ? 0 : judge->stand.moved[part];
    int64_t was = judge->stand.weights[part], by = row->weights[part] - was;
    int64_t length = by < 0 ? -by : by;
    int64_t left = within(limits->learning_day_cap - moved, 0, INT32_MAX);
    int64_t wish = llround((double)limits->learning_step * correlate(judge, part));
    int64_t due = within(was + within(wish, -left, left), LEAST, MOST) - was;
    return length > limits->learning_step                            ? "a step that is too long"
           : row->weights[part] < LEAST || row->weights[part] > MOST ? "a weight out of bounds"
           : length > left                                           ? "more than the day's cap"
           : row->moved[part] != moved + length                      ? "the day's sum is another"
           : row->before[part] != was                                ? "a snapshot of other weights"
           : by < due - 1 || by > due + 1                            ? "not what the lessons say"
                                                                     : NULL;
}

static bool is_timed(const struct scene *scene) {
    return !scene->is_stepped && scene->wall.ns == 0;
}

static const char *step_flaw(const struct learning *judge, const struct stand *row,
                             const struct scene *scene) {
    const char *flaw = NULL;
    if (judge->stand.trial != 0) {
        return "the step before it is on trial";
    }
    if ((int64_t)judge->count < scene->limits.learning_trades) {
        return "from too few closed trades";
    }
    if (row->taken != judge->lessons[judge->count - 1].row) {
        return "not up to the newest closed trade";
    }
    if (is_timed(scene) && row->day.days != scene->session.date.days) {
        return "of another day";
    }
    if (fabs(row->mean - mean_behind(judge, 0)) > MEAN_OFF) {
        return "a mean that its lessons do not have";
    }
    for (size_t i = 0; i < judge->part_count && flaw == NULL; i++) {
        flaw = weight_flaw(judge, row, i, &scene->limits);
    }
    return flaw;
}

static bool is_like(const struct learning *judge, const int64_t *one, const int64_t *other) {
    return memcmp(one, other, judge->part_count * sizeof *one) == 0;
}

static int64_t days_on_trial(const struct learning *judge, const struct scene *scene) {
    return scene->session.date.days - judge->stand.day.days;
}

/* A scene whose wall is wrong does not know the core's day. */
static bool is_overdue(const struct learning *judge, const struct scene *scene) {
    return !is_timed(scene) || days_on_trial(judge, scene) > TRIAL_DAYS;
}

static const char *trial_flaw(const struct learning *judge, const struct stand *row,
                              bool is_reverted, const struct scene *scene) {
    const struct stand *stand = &judge->stand;
    bool is_tried = (int64_t)count_behind(judge, stand->trial) >= scene->limits.learning_trades;
    double better = mean_behind(judge, stand->trial) - stand->mean;
    bool is_close = fabs(better) < 2e-9;
    return stand->trial == 0 ? "nothing is on trial"
           : !is_tried && !(is_reverted && is_overdue(judge, scene))
               ? "a trial of too few closed trades"
           : row->taken != stand->taken ? "a trial's end takes no lesson"
           : !is_like(judge, row->weights, is_reverted ? stand->before : stand->weights)
               ? "weights that are neither kept nor those from before"
           : row->day.days != stand->day.days || !is_like(judge, row->moved, stand->moved) ||
                   !is_like(judge, row->before, stand->before)
               ? "a trial's end is no step, of the day or of its snapshot"
           : is_close || !is_tried      ? NULL
           : is_reverted && better >= 0 ? "taken back, and the trades behind it brought no less"
           : !is_reverted && better < 0 ? "kept, and the trades behind it brought less"
                                        : NULL;
}

static const char *row_flaw(const struct learning *judge, const struct event *event,
                            const struct stand *row, const struct scene *scene) {
    bool is_reverted = is_word(event->id, "reverted");
    return is_word(event->id, "step")                  ? step_flaw(judge, row, scene)
           : is_reverted || is_word(event->id, "kept") ? trial_flaw(judge, row, is_reverted, scene)
                                                       : "no row of such a name is due";
}

/* As it stood behind the step that nobody told, by what its trial's end says of it and by the lessons before it. */
static void suppose_step(struct learning *judge, const struct stand *end) {
    struct stand stand = *end;
    size_t count = 0;
    stand.trial = judge->untold;
    stand.taken = 0;
    stand.mean = 0;
    memcpy(stand.before, judge->stand.weights, sizeof stand.before);
    for (; count < judge->count && judge->lessons[count].row < judge->untold; count++) {
        stand.taken = judge->lessons[count].row;
        stand.mean += judge->lessons[count].gain;
    }
    stand.mean /= count > 0 ? (double)count : 1;
    judge->stand = stand;
    judge->untold = 0;
}

/* What a step took is gone, whatever it should have been. */
static void take_stand(struct learning *judge, const struct event *event, const struct stand *row) {
    size_t left = 0;
    judge->stand = *row;
    judge->stand.trial = is_word(event->id, "step") ? event->number : 0;
    for (size_t i = 0; i < judge->count; i++) {
        if (judge->lessons[i].row > row->taken) {
            judge->lessons[left++] = judge->lessons[i];
        }
    }
    judge->count = left;
    judge->clocks = (struct two_clocks){0};
    judge->due_at = (struct utc){0};
    judge->is_missed = false;
}

/* --- what is due --- */

static void look(struct learning *judge, struct utc at, struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool is_due = (int64_t)count_behind(judge, judge->stand.trial) >= limits->learning_trades ||
                  (judge->stand.trial != 0 && is_timed(findings->scene) &&
                   days_on_trial(judge, findings->scene) > TRIAL_DAYS);
    judge->due_at = !is_due ? (struct utc){0} : judge->due_at.ns == 0 ? at : judge->due_at;
    clocks_true(&judge->clocks, at, is_due, (struct usd){0});
    clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, is_due);
}

/* What a person or a fault demanded only just now may not have reached the core when it wrote. */
static void judge_faults(const struct learning *judge, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (scene->mode >= SCENE_REDUCE_ONLY && scene->strict > 0) {
        findings_break(findings, ORACLE_LEARNING, event->at, "%s: under %s", event->id,
                       scene_strict_cause(scene));
    }
    for (int i = 0; i < PRICES; i++) {
        if (judge->is_failing[i]) {
            findings_break(findings, ORACLE_LEARNING, event->at, "%s: while %s fails", event->id,
                           PRICE_PATHS[i]);
        }
    }
}

static void take_learned(struct learning *judge, const struct event *event, const cJSON *body,
                         struct findings *findings) {
    struct stand row = {0};
    const char *flaw = "a row that does not say what was learned";
    bool is_whole = read_stand(judge, body, &row);
    if (judge->untold != 0) {
        bool is_step = is_word(event->id, "step");
        judge->is_blind = !is_whole || is_step == (judge->stand.trial == 0);
        if (judge->is_blind || is_step) {
            judge->untold = 0;
            take_stand(judge, event, &row);
            return;
        }
        suppose_step(judge, &row);
    }
    if (is_whole) {
        flaw = row_flaw(judge, event, &row, findings->scene);
    } else {
        judge->is_blind = true;
    }
    look(judge, event->at, findings);
    bool is_founded = clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at);
    if (flaw != NULL) {
        findings_score(findings, MECHANISM)->unfounded += is_founded;
        findings_break(findings, ORACLE_LEARNING, event->at, "%s: %s", event->id, flaw);
    }
    judge_faults(judge, event, findings);
    take_stand(judge, event, &row);
}

static void judge_tick(struct learning *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    look(judge, event->at, findings);
    bool is_uneasy = scene->mode >= SCENE_REDUCE_ONLY;
    for (int i = 0; i < PRICES; i++) {
        is_uneasy = is_uneasy || judge->unanswered[i] > 0;
    }
    judge->uneasy_at = is_uneasy ? event->at : judge->uneasy_at;
    struct utc since = utc_max(utc_max(judge->uneasy_at, scene->fault_at), scene->up_since);
    since = scene_since(scene, utc_max(since, judge->due_at));
    if (judge->due_at.ns != 0 && scene_is_open(scene) && !judge->is_missed &&
        utc_sub(event->at, since).ns > DUE_WITHIN.ns) {
        judge->is_missed = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_LEARNING, event->at,
                       "%zu closed trades wait, and nothing is learned", judge->count);
    }
}

static void take_row(struct learning *judge, const struct event *event, struct findings *findings) {
    bool is_intent = is_word(event->subject, "intent"), is_fill = is_word(event->subject, "fill");
    bool is_learned = is_word(event->subject, "learned");
    if (judge->last_row != 0 && event->number != judge->last_row + 1) {
        judge->is_blind |= judge->untold != 0 || event->number != judge->last_row + 2;
        judge->untold = event->number - 1;
    }
    judge->last_row = event->number;
    if (judge->is_blind) {
        return;
    }
    if (!is_intent && !is_fill && !is_learned) {
        trades_take_row(&judge->trades, event, findings->scene);
        return;
    }
    const cJSON *body = scene_body(findings->scene, event);
    if (is_intent) {
        take_intent(judge, event, body);
    } else if (is_fill) {
        take_fill(judge, event, findings->scene);
    } else {
        take_learned(judge, event, body, findings);
    }
}

/* At least 1. */
static size_t count_names(const char *path) {
    size_t count = 1;
    for (const char *at = path; *at != '\0' && *at != '&'; at++) {
        count += *at == ',';
    }
    return count;
}

/* The daily bars of universe_guard are none that a score is made of. */
static void take_answer(struct learning *judge, const struct event *event) {
    for (int i = 0; i < PRICES; i++) {
        if (begins(event->what, PRICE_PATHS[i]) && strstr(event->what, "timeframe=1Day") == NULL) {
            size_t names = count_names(event->what);
            judge->is_failing[i] = event->number != 200;
            if (judge->is_failing[i]) {
                judge->unanswered[i] = names > judge->unanswered[i] ? names : judge->unanswered[i];
            } else if (names >= judge->unanswered[i]) {
                judge->unanswered[i] = 0;
            }
        }
    }
}

static void learning_observe(void *context, const struct event *event, struct findings *findings) {
    struct learning *judge = context;
    if (findings->scene->limits.learning_on == 0) {
        /* what happens meanwhile is not looked at, and so nothing behind it */
        bool is_learned = event->kind == EVENT_ROW && is_word(event->subject, "learned");
        judge->is_blind |= event->kind == EVENT_ROW;
        if (is_learned) {
            findings_break(findings, ORACLE_LEARNING, event->at, "%s: learning is off", event->id);
        }
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_START) {
        memset(judge->is_failing, 0, sizeof judge->is_failing);
        memset(judge->unanswered, 0, sizeof judge->unanswered);
    } else if (!judge->is_blind && judge->untold == 0) {
        judge_tick(judge, event, findings);
    }
}

const struct judge_ops learning_judge = {KIND(EVENT_ROW) | KIND(EVENT_TICK) | KIND(EVENT_HTTP) |
                                             KIND(EVENT_START),
                                         learning_create, learning_observe, learning_destroy};
