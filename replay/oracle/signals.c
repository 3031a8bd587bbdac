/* signals.c - scores_are_fresh and cache_never_goes_back, the oracle of signal_cache; silent where neither
 * signals.fill_s nor signals.cache_s is set.
 *
 * What the core may know of a symbol is the newest minute that the answers told: of bars, and of snapshots where they
 * may fill. A new entry is held against it at the answer before it: the core decided no sooner. A life knows what it
 * was told, and with signals.cache_s what earlier lives were. Snapshots that tell a fresh minute of a symbol
 * whose bars are silent must be told to fill the gap by the end of the tick, and nothing else is; they are asked for
 * where nothing keeps the core from it. A minute of them that was not over when it was told is none. They fill beyond
 * doubt where bars of this life are enough for a score, and no minute behind them is missing.
 *
 * In signal_cache.json no minute is newer than any that its source ever told, none is older than in the document
 * before and none that was there is missing. A document of other settings, one that the core said it discarded, a
 * disk that lies and a wall that is wrong begin that anew. */
#include "replay/oracle/judge.h"

#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "signal_cache";
static const struct span BAR_FRESH = {INT64_C(150000000000)}; /* from its start */
static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span SESSION_GAP = {INT64_C(14400000000000)}; /* between two sessions */
static const struct span SLACK = {INT64_C(1000000000)};
static const struct span CALM = {INT64_C(600000000000)}; /* behind a fault */
static const struct span MARGIN = {
    INT64_C(5000000000)};                            /* between an answer and what is made of it */
enum { BARS, SNAPSHOTS, SOURCES, SCORED_FROM = 31 }; /* bars of a session (weighted.h) */
static const char *const WORDS[SOURCES] = {"bars", "snapshots"};

struct stock {
    char symbol[TABLE_NAME_MAX];
    struct utc life[SOURCES], ever[SOURCES]; /* start of the newest minute told; {0}: none */
    struct utc
        joined; /* the newest of snapshots to which no minute behind bars is missing, beyond doubt */
    int session; /* bars of this life, without a hole of hours */
    struct {
        struct utc bar_at, score_at;
    } saved[SOURCES]; /* in the last document */
};

struct signals {
    struct table stocks;
    struct utc heard_at;  /* the last answer of the data host */
    struct utc bent_at;   /* the last fault, of bars alone aside */
    char settings[32];    /* of the last document */
    bool is_filling;      /* as told */
    bool is_due;          /* in this tick */
    bool is_counted;      /* it was, since the last release */
    struct utc asked_at;  /* the last snapshots */
    struct utc gap_since; /* beyond doubt, and nothing kept the core from asking; {0}: not so */
    bool is_held;         /* snapshots fail or wait, as told */
};

static void *signals_create(void) {
    struct signals *judge = judge_alloc(sizeof *judge);
    judge->stocks = table_of(sizeof(struct stock));
    return judge;
}

static void signals_destroy(void *context) {
    struct signals *judge = context;
    table_release(&judge->stocks);
    free(judge);
}

/* --- what was told --- */

/* Of a minute whose prices are none of a bar nothing is known. */
static bool has_prices(const cJSON *bar) {
    static const char *const keys[] = {"o", "h", "l", "c"};
    int64_t nanos[4] = {0};
    for (int i = 0; i < 4; i++) {
        if (json_decimal_either(bar, keys[i], &nanos[i], NULL) != ERR_OK || nanos[i] <= 0) {
            return false;
        }
    }
    return nanos[1] >= nanos[2];
}

/* {0}: it is none. */
static struct utc minute_of(const cJSON *bar) {
    struct utc at = {0};
    bool is_one = cJSON_IsObject(bar) && has_prices(bar) && json_utc(bar, "t", &at, NULL) == ERR_OK;
    return is_one ? at : (struct utc){0};
}

static void note_minute(struct stock *stock, int source, struct utc at) {
    stock->life[source] = utc_max(stock->life[source], at);
    stock->ever[source] = utc_max(stock->ever[source], at);
}

static void note_bar(struct stock *stock, struct utc at) {
    if (utc_is_before(stock->life[BARS], at)) {
        bool goes_on = utc_sub(at, stock->life[BARS]).ns < SESSION_GAP.ns;
        stock->session = goes_on ? stock->session + 1 : 1;
    }
    note_minute(stock, BARS, at);
}

/* One that may have been over by the core's wall may be known, one that was by any clock joins the others. */
static void note_snapshot(struct stock *stock, struct utc minute, struct utc at, int64_t wall_ns) {
    int64_t age_ns = utc_sub(at, minute).ns;
    if (minute.ns == 0 || age_ns + (wall_ns > 0 ? wall_ns : 0) < MINUTE.ns - MARGIN.ns) {
        return;
    }
    note_minute(stock, SNAPSHOTS, minute);
    struct utc joined = utc_max(stock->joined, stock->life[BARS]);
    if (age_ns >= MINUTE.ns && utc_is_before(joined, minute) &&
        utc_sub(minute, joined).ns <= BAR_FRESH.ns) {
        stock->joined = minute;
    }
}

static void take_bars(struct signals *judge, const cJSON *tree) {
    const cJSON *map = json_member(tree, "bars");
    for (const cJSON *list = cJSON_IsObject(map) ? map->child : NULL; list; list = list->next) {
        struct stock *stock = table_get(&judge->stocks, list->string);
        for (const cJSON *bar = cJSON_IsArray(list) ? list->child : NULL; bar; bar = bar->next) {
            note_bar(stock, minute_of(bar));
        }
    }
}

static int64_t behind_ns(const struct scene *scene) {
    return scene->wall.ns < 0 ? -scene->wall.ns : 0;
}

static bool is_within(struct utc at, struct utc bar, struct span most, int64_t slack_ns) {
    return bar.ns != 0 && utc_sub(at, bar).ns <= most.ns + slack_ns;
}

/* The newest minute of bars that the core may know of. */
static struct utc bars_of(const struct stock *stock, const struct scene *scene) {
    return scene->limits.signals_cache.ns > 0 ? stock->ever[BARS] : stock->life[BARS];
}

/* Beyond doubt: bars are silent, and not for too long. */
static bool has_gap(const struct stock *stock, const struct scene *scene, struct utc at) {
    struct utc bars = stock->life[BARS];
    return bars_of(stock, scene).ns == bars.ns && !is_within(at, bars, BAR_FRESH, MARGIN.ns) &&
           is_within(at, bars, scene->limits.signals_fill, -MARGIN.ns);
}

/* And a score by a minute behind them is fresh. */
static bool is_gap_filled(const struct stock *stock, const struct scene *scene, struct utc at) {
    return has_gap(stock, scene, at) && stock->session >= SCORED_FROM &&
           utc_is_before(stock->life[BARS], stock->joined) &&
           is_within(at, stock->joined, BAR_FRESH, -MARGIN.ns);
}

/* What was told may not have been read. */
static void doubt_joined(struct signals *judge) {
    for (size_t i = 0; i < judge->stocks.count; i++) {
        ((struct stock *)table_at(&judge->stocks, i))->joined = (struct utc){0};
    }
}

static void take_snapshots(struct signals *judge, const struct event *event, const cJSON *tree,
                           const struct scene *scene) {
    judge->asked_at = event->at;
    for (const cJSON *item = cJSON_IsObject(tree) ? tree->child : NULL; item; item = item->next) {
        if (!cJSON_IsObject(item)) {
            continue;
        }
        struct stock *stock = table_get(&judge->stocks, item->string);
        note_snapshot(stock, minute_of(json_member(item, "minuteBar")), event->at, scene->wall.ns);
        judge->is_due |= scene->wall.ns == 0 && is_gap_filled(stock, scene, event->at);
    }
}

static void take_answer(struct signals *judge, const struct event *event,
                        const struct scene *scene) {
    bool is_bars = strncmp(event->what, "/v2/stocks/bars?", 16) == 0 &&
                   strstr(event->what, "timeframe=1Day") == NULL;
    bool is_snapshots = strncmp(event->what, "/v2/stocks/snapshots?", 21) == 0;
    if (strncmp(event->what, "/v2/stocks/", 11) == 0) {
        judge->heard_at = event->at;
    }
    judge->is_held = judge->is_held && !(is_snapshots && event->number == 200);
    bool is_ours = (is_bars || is_snapshots) && event->number == 200 && event->id[0] == '\0';
    const cJSON *tree = is_ours ? scene_answer(scene, event) : NULL;
    if (tree != NULL && is_bars) {
        take_bars(judge, tree);
    } else if (tree != NULL) {
        take_snapshots(judge, event, tree, scene);
    }
}

/* --- entries --- */

static bool may_decide(const struct signals *judge, const struct stock *stock,
                       const struct scene *scene) {
    int64_t slack_ns = SLACK.ns + behind_ns(scene);
    struct utc bars = bars_of(stock, scene);
    return is_within(judge->heard_at, bars, BAR_FRESH, slack_ns) ||
           (scene->limits.signals_fill.ns > 0 &&
            is_within(judge->heard_at,
                      scene->limits.signals_cache.ns > 0 ? stock->ever[SNAPSHOTS]
                                                         : stock->life[SNAPSHOTS],
                      BAR_FRESH, slack_ns) &&
            is_within(judge->heard_at, bars, scene->limits.signals_fill, slack_ns));
}

static void judge_send(struct signals *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (!sent->is_new || !sent->is_buy || sent->is_cover || sent->of[0] != '\0') {
        return;
    }
    struct stock *stock = table_get(&judge->stocks, sent->symbol);
    if (!may_decide(judge, stock, findings->scene)) {
        findings_score(findings, MECHANISM)->risky++;
        findings_break(findings, ORACLE_SIGNALS, event->at,
                       "%s: bought, and its newest minute is %lld s old, of snapshots %lld s",
                       sent->symbol,
                       (long long)(utc_sub(judge->heard_at, stock->ever[BARS]).ns / NANOS),
                       (long long)(utc_sub(judge->heard_at, stock->ever[SNAPSHOTS]).ns / NANOS));
    }
}

/* --- gaps --- */

/* A minute behind those of bars may be fresh. */
static bool may_fill(const struct signals *judge, const struct scene *scene, struct utc at) {
    for (size_t i = 0; i < judge->stocks.count; i++) {
        const struct stock *stock = table_at(&judge->stocks, i);
        if (is_within(at, stock->ever[SNAPSHOTS], BAR_FRESH, MARGIN.ns + behind_ns(scene)) &&
            utc_is_before(stock->life[BARS], stock->ever[SNAPSHOTS])) {
            return true;
        }
    }
    return false;
}

static void judge_mechanism(struct signals *judge, const struct event *event,
                            struct findings *findings) {
    if (!is_word(event->id, WORDS[SNAPSHOTS])) {
        return;
    }
    if (!is_word(event->subject, MECHANISM)) { /* smart_poller's */
        judge->is_held = !is_word(event->what, "released");
        return;
    }
    judge->is_filling = is_word(event->what, "acted");
    if (!judge->is_filling) {
        judge->is_counted = false;
        return;
    }
    struct score *score = findings_score(findings, MECHANISM);
    score->acted++;
    if (!may_fill(judge, findings->scene, event->at)) {
        score->unfounded++;
        findings_break(findings, ORACLE_SIGNALS, event->at,
                       "a gap is told to be filled by nothing");
    }
}

/* Some symbol that may be bought has one. */
static bool is_any_silent(const struct signals *judge, const struct scene *scene, struct utc at) {
    for (size_t i = 0; i < judge->stocks.count; i++) {
        const struct stock *stock = table_at(&judge->stocks, i);
        const struct scene_symbol *symbol = scene_symbol(scene, stock->symbol);
        bool is_free = symbol == NULL || (symbol->qty.nanos == 0 && symbol->undone.nanos == 0 &&
                                          symbol->live_buys == 0 && !symbol->is_exiting);
        if (is_free && has_gap(stock, scene, at)) {
            return true;
        }
    }
    return false;
}

static bool is_any_exiting(const struct scene *scene) {
    for (size_t i = 0; i < scene->symbols.count; i++) {
        if (((const struct scene_symbol *)table_at(&scene->symbols, i))->is_exiting) {
            return true;
        }
    }
    return false;
}

/* Where nothing else happens snapshots of a gap are asked for within three cycles and a minute. */
static void judge_asking(struct signals *judge, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_calm = scene->mode == SCENE_NORMAL && scene->strict == 0 && scene_is_open(scene) &&
                   !scene_is_doubting(scene) && scene->wall.ns == 0 && !scene->is_stepped &&
                   !judge->is_held && !is_any_exiting(scene) &&
                   (judge->bent_at.ns == 0 || utc_sub(event->at, judge->bent_at).ns > CALM.ns);
    if (!is_calm || !is_any_silent(judge, scene, event->at)) {
        judge->gap_since = (struct utc){0};
        return;
    }
    judge->gap_since = judge->gap_since.ns == 0 ? event->at : judge->gap_since;
    struct utc since = utc_max(judge->gap_since, judge->asked_at);
    if (utc_sub(event->at, since).ns > 3 * scene->limits.cycle.ns + 60 * NANOS) {
        judge->gap_since = event->at;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_SIGNALS, event->at,
                       "bars have a gap, and nobody asks for snapshots");
    }
}

static void judge_tick(struct signals *judge, const struct event *event,
                       struct findings *findings) {
    judge_asking(judge, event, findings);
    bool is_bent = judge->bent_at.ns != 0 && !utc_is_before(judge->bent_at, judge->asked_at);
    findings_score(findings, MECHANISM)->due += judge->is_due && !judge->is_counted;
    judge->is_counted |= judge->is_due;
    if (judge->is_due && !judge->is_filling && !is_bent) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_SIGNALS, event->at,
                       "snapshots fill a gap of bars, and nobody takes them");
    }
    judge->is_due = false;
    if (is_bent) {
        doubt_joined(judge);
    }
}

/* --- the document --- */

static void forget_saved(struct signals *judge) {
    for (size_t i = 0; i < judge->stocks.count; i++) {
        struct stock *stock = table_at(&judge->stocks, i);
        memset(stock->saved, 0, sizeof stock->saved);
    }
}

/* One value of a part: true if it may be. It is remembered all the same, and so told once. */
static bool takes(struct utc *saved, const cJSON *part, const char *key, struct utc newest,
                  bool is_wall_right) {
    struct utc at = {0};
    bool is_there = part != NULL && json_utc(part, key, &at, NULL) == ERR_OK;
    bool goes_back = is_wall_right && (is_there ? utc_is_before(at, *saved) : saved->ns != 0);
    bool is_made_up = is_there && utc_is_before(newest, at);
    *saved = at;
    return !goes_back && !is_made_up;
}

static void judge_part(struct stock *stock, int source, const cJSON *part,
                       const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_right = !scene->is_stepped && scene->wall.ns == 0;
    bool is_good =
        takes(&stock->saved[source].bar_at, part, "bar_at", stock->ever[source], is_right);
    if (!takes(&stock->saved[source].score_at, part, "score_at", stock->ever[source], is_right) ||
        !is_good) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_CACHE, event->at,
                       "%s of %s: gone, older than it was, or newer than anything that was told",
                       WORDS[source], stock->symbol);
    }
}

static void judge_document(struct signals *judge, const struct event *event,
                           struct findings *findings) {
    bool is_cache = is_word(event->subject, "signal_cache.json");
    const cJSON *tree = is_cache ? scene_body(findings->scene, event) : NULL;
    const char *settings = "";
    if (tree == NULL) {
        return;
    }
    if (json_string(tree, "settings", &settings, NULL) == ERR_OK &&
        strcmp(settings, judge->settings) != 0) {
        forget_saved(judge);
        (void)!text_copy(judge->settings, sizeof judge->settings, settings, NULL);
    }
    for (size_t i = 0; i < judge->stocks.count; i++) {
        struct stock *stock = table_at(&judge->stocks, i);
        const cJSON *parts = json_member(json_member(tree, "symbols"), stock->symbol);
        for (int source = 0; source < SOURCES; source++) {
            judge_part(stock, source, parts == NULL ? NULL : json_member(parts, WORDS[source]),
                       event, findings);
        }
    }
}

static void begin_anew(struct signals *judge) {
    judge->is_filling = judge->is_due = judge->is_counted = false;
    judge->asked_at = judge->gap_since = (struct utc){0};
    judge->is_held = false;
    for (size_t i = 0; i < judge->stocks.count; i++) {
        struct stock *stock = table_at(&judge->stocks, i);
        memset(stock->life, 0, sizeof stock->life);
        stock->joined = (struct utc){0};
        stock->session = 0;
    }
}

static void signals_observe(void *context, const struct event *event, struct findings *findings) {
    struct signals *judge = context;
    const struct scene_limits *limits = &findings->scene->limits;
    if (limits->signals_fill.ns == 0 && limits->signals_cache.ns == 0) {
        return;
    }
    if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        begin_anew(judge);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings->scene);
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        judge_mechanism(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_DOCUMENT) {
        judge_document(judge, event, findings);
    } else if (event->kind == EVENT_FAULT) {
        if (strstr(event->what, "/v2/stocks/bars") == NULL) {
            judge->bent_at = event->at;
            doubt_joined(judge);
        }
        if (strncmp(event->subject, "disk.", 5) == 0) {
            forget_saved(judge);
        }
    } else if (is_word(event->what, "signal_cache_discarded") ||
               is_word(event->subject, "edit_document")) {
        forget_saved(judge);
    }
}

const struct judge_ops signals_judge = {
    KIND(EVENT_START) | KIND(EVENT_STOP) | KIND(EVENT_HTTP) | KIND(EVENT_SEND) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_TICK) | KIND(EVENT_DOCUMENT) | KIND(EVENT_FAULT) |
        KIND(EVENT_ALERT) | KIND(EVENT_OPERATOR),
    signals_create, signals_observe, signals_destroy};
