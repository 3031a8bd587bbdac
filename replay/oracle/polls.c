/* polls.c - data_polls_are_spaced, the oracle of smart_poller.
 *
 * Each of quotes, trades, bars and snapshots is folded from sends and answers: a read that got no answer, or none of
 * 2xx, doubles the wait from where it was sent. A request breaks it that leaves too early, or on a spent budget, and
 * names a symbol that is not *touched*: by the ledger it is not held and has no order of ours, and for ten minutes
 * nothing was told of it; behind a journal that went back, ever, until the broker listed what is held. A 2xx in a tick
 * in which an answer was bent may have been unreadable: there the core is believed. A fresh connection to the host may
 * have each asked once in a run of failures. What is held must be asked for within 45 s (bars: and 2 cycles), unless a
 * 429 or as many requests as broker.rate_core in a minute closed the lane of the polls: prices of it are what an exit
 * is decided by; snapshots are of no exit. A new entry breaks it, too, that leaves when no bars of its symbol were
 * answered for as long as a bar is fresh, unless with signals.fill_s a fresh minute of snapshots was (signals.c). The
 * ledger has no word on what fails: both clocks are the answers'. */
#include "replay/oracle/judge.h"

#include "core/base/check.h"
#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "smart_poller";
static const struct span TOUCHED = {INT64_C(600000000000)};
static const struct span LIMITED = {INT64_C(600000000000)}; /* by a 429 */
static const struct span SLACK = {INT64_C(1000000000)}; /* between a decision and its first byte */
static const struct span BAR_FRESH = {INT64_C(150000000000)}; /* from its start */
static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span DAY = {INT64_C(86400000000000)};
static const struct span ASKED_WITHIN = {INT64_C(45000000000)};
static const struct span TICK_SLOW = {INT64_C(20000000000)};
enum {
    QUOTES,
    TRADES,
    BARS,
    SNAPSHOTS,
    LINES,
    SENDS_MAX = 2048,
    NAMES_MAX = 128
}; /* names: of a universe */

static const struct line_name {
    const char *word, *path;
} NAMES[LINES] = {{"quotes", "/v2/stocks/quotes"},
                  {"trades", "/v2/stocks/trades"},
                  {"bars", "/v2/stocks/bars"},
                  {"snapshots", "/v2/stocks/snapshots"}};

struct line {
    int failures; /* reads in a row */
    struct utc asked_at, not_before;
    bool is_answered; /* the read that runs: every page so far */
    bool is_bent;     /* and perhaps not read: garbled, or not to its last page */
    bool has_more;    /* that is why */
    bool is_believed; /* it failed by the core's word alone */
    bool is_due;      /* its first failure was not told yet */
    bool is_hurried;
    bool is_spare; /* the read that runs asks for what is not touched */
    bool
        is_of_some; /* its failures were answers: what is held alone may be answered all the same */
    bool is_released; /* told since the read began */
    struct two_clocks clocks;
};

struct touched { /* a symbol */
    char symbol[TABLE_NAME_MAX];
    struct utc at;
    struct utc held_since;      /* by the ledger; {0}: it is not */
    struct utc asked_at[LINES]; /* {0}: not in this life */
    struct utc bars_at;         /* answered, likewise */
    struct utc minute_at;       /* start of the newest minute of snapshots, ever */
    int64_t bars_read;          /* that asked for it, last */
    bool is_known;              /* of the universe: it was asked for once */
    bool is_silent;             /* told */
    int live;                   /* orders, by the core's word */
};

struct told { /* an order */
    char id[TABLE_NAME_MAX];
    bool is_live; /* by the core's last word */
};

struct polls {
    struct line lines[LINES];
    struct utc all[SENDS_MAX], spare[SENDS_MAX]; /* rings */
    int64_t all_count, spare_count;
    struct utc sends[SENDS_MAX]; /* likewise, of any request but housekeeping */
    int64_t sends_count;
    struct utc spent_at; /* broker.rate_core was, last */
    bool is_spare;       /* the last request, of which pages follow */
    struct utc day_began;
    int64_t day_count;
    int64_t lag_ns; /* of the answer that came latest: only then the core counts a request */
    struct table symbols, orders;
    int64_t bars_reads; /* begun */
    struct utc began_at;
    struct utc limited_at, bent_at, tick_at;
    int64_t last_row;
    bool is_rewound; /* the journal went back, and the broker listed no positions since */
};

static void *polls_create(void) {
    struct polls *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct touched));
    judge->orders = table_of(sizeof(struct told));
    return judge;
}

static void polls_destroy(void *context) {
    struct polls *judge = context;
    table_release(&judge->symbols);
    table_release(&judge->orders);
    free(judge);
}

/* The line of a request; LINES: none, as are the daily bars of universe_guard. */
static int line_of(const struct event *event) {
    for (int i = 0; i < LINES; i++) {
        if (is_word(event->subject, "GET") && begins(event->what, NAMES[i].path) &&
            strstr(event->what, "timeframe=1Day") == NULL) {
            return i;
        }
    }
    return LINES;
}

/* --- symbols --- */

static struct touched *touch(struct polls *judge, const char *symbol, struct utc at) {
    struct touched *touched = table_get(&judge->symbols, symbol);
    touched->at = at;
    return touched;
}

static bool is_touched(const struct polls *judge, const struct scene *scene, const char *name,
                       struct utc at) {
    const struct scene_symbol *symbol = scene_symbol(scene, name);
    const struct touched *touched = table_find(&judge->symbols, name);
    bool is_ours = symbol != NULL &&
                   (symbol->qty.nanos != 0 || symbol->undone.nanos != 0 ||
                    symbol->stopped.nanos != 0 || symbol->live_buys > 0 || symbol->is_exiting);
    return is_ours || (touched != NULL && touched->live > 0) ||
           (touched != NULL && touched->at.ns != 0 &&
            (judge->is_rewound || utc_sub(at, touched->at).ns < TOUCHED.ns));
}

typedef void name_visit(struct polls *judge, const char *name, void *context);

static void each_name(struct polls *judge, const char *what, name_visit *visit, void *context) {
    const char *at = strstr(what, "symbols=");
    at = at == NULL ? "" : at + strlen("symbols=");
    for (int i = 0; *at != '\0' && *at != '&'; i++) {
        CHECK(i < NAMES_MAX);
        char name[TABLE_NAME_MAX];
        size_t length = strcspn(at, ",&");
        size_t kept = length < sizeof name ? length : sizeof name - 1;
        memcpy(name, at, kept);
        name[kept] = '\0';
        visit(judge, name, context);
        at += length + (at[length] == ',');
    }
}

struct asked {
    const struct scene *scene;
    const struct event *event;
    int line;
    char spare[TABLE_NAME_MAX]; /* the first that is not touched; "": none */
};

static void take_name(struct polls *judge, const char *name, void *context) {
    struct asked *asked = context;
    struct touched *touched = table_get(&judge->symbols, name);
    touched->is_known = true;
    if (asked->line == BARS) {
        touched->bars_read = judge->bars_reads;
    }
    touched->asked_at[asked->line] = asked->event->at;
    touched->is_silent = false;
    if (asked->spare[0] == '\0' && !is_touched(judge, asked->scene, name, asked->event->at)) {
        memcpy(asked->spare, name, sizeof asked->spare);
    }
}

/* --- budgets --- */

/* So many requests, the last of them counted, left within a span. */
static bool is_full(const struct utc ring[static SENDS_MAX], int64_t count, int64_t most,
                    struct utc at, struct span span) {
    return most < SENDS_MAX && count >= most &&
           utc_sub(at, ring[(count - most) % SENDS_MAX]).ns < span.ns;
}

/* The budget that is spent at an instant, which is certain within a lesser span than the core's, and possible within a
 * greater; NULL: none. */
static const char *spent(const struct polls *judge, const struct scene_limits *limits,
                         struct utc at, int64_t slack_ns) {
    struct span minute = {MINUTE.ns + slack_ns};
    struct span day = {DAY.ns + slack_ns};
    bool is_half = is_full(judge->spare, judge->spare_count, limits->poller_minute / 2, at, minute);
    if (is_half || is_full(judge->all, judge->all_count, limits->poller_minute, at, minute)) {
        return "minute";
    }
    bool is_day =
        judge->day_count >= limits->poller_day && utc_sub(at, judge->day_began).ns < day.ns;
    return is_day ? "day" : NULL;
}

static void count(struct polls *judge, struct utc at) {
    judge->all[judge->all_count++ % SENDS_MAX] = at;
    if (judge->is_spare) {
        judge->spare[judge->spare_count++ % SENDS_MAX] = at;
    }
    if (judge->day_count == 0 || utc_sub(at, judge->day_began).ns >= DAY.ns) {
        judge->day_began = at;
        judge->day_count = 0;
    }
    judge->day_count++;
}

/* --- lines --- */

/* A read is over once nothing more of it can follow. Of one that may have failed all the same the core tells neither an
 * end nor a beginning while it counts failures. One of what is held alone ends a run of failures that other symbols may
 * have caused if the core says so, and leaves it as it was if not. */
static void settle(struct line *line) {
    bool is_failing = line->failures > 0 || line->is_believed;
    bool goes_on = is_failing && line->is_of_some && !line->is_spare && !line->is_released;
    if (line->is_answered && !goes_on) {
        bool is_unclear = line->is_bent && is_failing;
        *line = (struct line){
            .asked_at = line->asked_at, .is_believed = is_unclear, .is_of_some = is_unclear};
    }
    line->is_answered = false;
}

/* Of housekeeping, whose lane is another than that of the polls. */
static bool is_housekeeping(const struct event *event) {
    static const char *const paths[] = {"/v2/calendar", "/v2/account/", "/v2/assets",
                                        "/v1/corporate-actions", "/v2/stocks/snapshots"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (begins(event->what, paths[i])) {
            return true;
        }
    }
    return strstr(event->what, "timeframe=1Day") != NULL;
}

static void take_send(struct polls *judge, const struct event *event, int64_t rate_core) {
    if (is_housekeeping(event)) {
        return;
    }
    judge->sends[judge->sends_count++ % SENDS_MAX] = event->at;
    if (is_full(judge->sends, judge->sends_count, rate_core, event->at, MINUTE)) {
        judge->spent_at = event->at;
    }
}

/* A new entry is an opinion, and that is of bars. A wall that is behind makes them as much younger. */
static void judge_entry(const struct polls *judge, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct touched *touched = table_find(&judge->symbols, scene->sent.symbol);
    bool is_entry = scene->sent.is_new && scene->sent.is_buy && !scene->sent.is_cover &&
                    scene->sent.of[0] == '\0';
    struct utc since = judge->began_at;
    if (touched != NULL) {
        since = utc_max(since, touched->bars_at);
    }
    int64_t behind_ns = scene->wall.ns < 0 ? scene->wall.ns : 0;
    int64_t age_ns = utc_sub(event->at, since).ns + behind_ns;
    bool is_filled =
        scene->limits.signals_fill.ns > 0 && touched != NULL && touched->minute_at.ns != 0 &&
        utc_sub(event->at, touched->minute_at).ns + behind_ns <= BAR_FRESH.ns + SLACK.ns;
    if (is_entry && !is_filled && since.ns != 0 && age_ns > BAR_FRESH.ns + SLACK.ns) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_POLLS, event->at,
                       "%s: bought on a score, and its bars were answered %lld s ago",
                       scene->sent.symbol, (long long)(age_ns / NANOS));
    }
}

static void judge_send(struct polls *judge, const struct event *event, struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    take_send(judge, event, limits->rate_core);
    judge_entry(judge, event, findings);
    int index = line_of(event);
    if (index == LINES) {
        return;
    }
    if (strstr(event->what, "page_token=") != NULL) {
        count(judge, event->at);
        return;
    }
    struct line *line = &judge->lines[index];
    settle(line);
    judge->bars_reads += index == BARS;
    struct asked asked = {findings->scene, event, index, ""};
    each_name(judge, event->what, take_name, &asked);
    judge->is_spare = asked.spare[0] != '\0';
    const char *budget = spent(judge, limits, event->at, -SLACK.ns);
    if (judge->is_spare && utc_is_before(utc_add(event->at, SLACK), line->not_before)) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_POLLS, event->at, "%s of %s: %d failed, %lld s too early",
                       NAMES[index].word, asked.spare, line->failures,
                       (long long)(utc_sub(line->not_before, event->at).ns / NANOS));
    } else if (judge->is_spare && budget != NULL) {
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_POLLS, event->at, "%s of %s: the budget of the %s is spent",
                       NAMES[index].word, asked.spare, budget);
    }
    line->asked_at = event->at;
    line->is_bent = line->is_released = false;
    line->is_spare = judge->is_spare;
    count(judge, event->at);
}

/* A core that is told to double nothing keeps to its cycle all the same. */
static struct span wait_after(int failures, const struct scene_limits *limits) {
    int64_t times = 1;
    for (int i = 0; i < failures && times < limits->poller_most; i++) {
        times *= 2;
    }
    times = times < limits->poller_most ? times : limits->poller_most;
    return (struct span){times > 1 ? limits->cycle.ns * times / 5 * 4 : 0};
}

/* Bars of whoever the read that runs is of: the newest can be no younger than this. */
static void note_bars(struct polls *judge, struct utc at) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct touched *touched = table_at(&judge->symbols, i);
        if (touched->bars_read == judge->bars_reads) {
            touched->bars_at = at;
        }
    }
}

/* Of pages that end here the core has not read all. */
static bool has_next_page(const struct event *event) {
    return event->body != NULL && strstr(event->body, "\"next_page_token\":\"") != NULL;
}

static void note_minutes(struct polls *judge, const cJSON *tree) {
    for (const cJSON *item = cJSON_IsObject(tree) ? tree->child : NULL; item; item = item->next) {
        struct utc at = {0};
        if (json_utc(json_member(item, "minuteBar"), "t", &at, NULL) == ERR_OK) {
            struct touched *touched = table_get(&judge->symbols, item->string);
            touched->minute_at = utc_max(touched->minute_at, at);
        }
    }
}

/* A journal that went back knows as held, or with an order, what was sold or ended since; nobody can tell the core otherwise
 * but the broker. From then on what vanished is paged. */
static void take_listing(struct polls *judge, const struct event *event) {
    bool is_listing = is_word(event->subject, "GET") && is_word(event->what, "/v2/positions") &&
                      event->id[0] == '\0' && event->number == 200;
    if (!judge->is_rewound || !is_listing) {
        return;
    }
    judge->is_rewound = false;
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct touched *touched = table_at(&judge->symbols, i);
        touched->at = touched->at.ns != 0 ? event->at : touched->at;
    }
}

static void take_answer(struct polls *judge, const struct event *event, struct findings *findings) {
    int index = line_of(event);
    take_listing(judge, event);
    judge->limited_at = event->number == 429 ? event->at : judge->limited_at;
    if (index == LINES) {
        return;
    }
    struct line *line = &judge->lines[index];
    int64_t lag_ns = utc_sub(event->at, line->asked_at).ns;
    judge->lag_ns = lag_ns > judge->lag_ns ? lag_ns : judge->lag_ns;
    line->is_answered = event->id[0] == '\0' && event->number >= 200 && event->number < 300;
    if (line->is_answered && index == BARS) {
        note_bars(judge, event->at);
    }
    if (line->is_answered && index == SNAPSHOTS) {
        note_minutes(judge, scene_answer(findings->scene, event));
    }
    if (line->is_answered) {
        line->is_bent = (line->is_bent && !line->has_more) || has_next_page(event);
        line->has_more = has_next_page(event);
        line->is_bent |= judge->bent_at.ns != 0 && !utc_is_before(judge->bent_at, line->asked_at);
        return;
    }
    bool is_first = line->failures == 0 && !line->is_believed;
    bool is_refused = event->id[0] == '\0' && event->number >= 400 && event->number < 500;
    line->is_of_some = is_refused || (line->is_of_some && !line->is_spare);
    if (is_first) {
        line->is_due = true;
        clocks_true(&line->clocks, event->at, true, (struct usd){0});
        clocks_known(&line->clocks, findings_score(findings, MECHANISM), event->at, true);
    }
    if (is_first || line->is_spare) { /* what is held makes no wait longer */
        line->failures++;
        line->not_before =
            utc_add(line->asked_at, wait_after(line->failures, &findings->scene->limits));
    }
}

/* --- what is told --- */

static void judge_acted(struct line *line, const char *word, const struct event *event,
                        struct findings *findings) {
    struct score *score = findings_score(findings, MECHANISM);
    if (line->is_answered && line->is_bent) {
        line->is_believed = line->is_of_some = true;
        line->is_answered = false;
    } else if (!clocks_act(&line->clocks, score, event->at)) {
        findings_break(findings, ORACLE_POLLS, event->at, "%s is slowed down, and it answers",
                       word);
    }
    line->is_due = false;
}

static void judge_held(const struct polls *judge, const struct line *line, const char *word,
                       const struct event *event, struct findings *findings) {
    const struct scene_limits *limits = &findings->scene->limits;
    bool has_failed = line->is_believed || (line->failures > 0 && !line->is_answered);
    if (!has_failed && spent(judge, limits, event->at, SLACK.ns + judge->lag_ns) == NULL) {
        findings_score(findings, MECHANISM)->unfounded++;
        findings_break(findings, ORACLE_POLLS, event->at, "%s is held back, and it answers", word);
    }
}

static void hurry(struct polls *judge) {
    for (int i = 0; i < LINES; i++) {
        struct line *line = &judge->lines[i];
        if (line->failures > 0 && !line->is_hurried) {
            line->is_hurried = true;
            line->not_before = (struct utc){0};
        }
    }
}

static void judge_mechanism(struct polls *judge, const struct event *event,
                            struct findings *findings) {
    bool is_acted = is_word(event->what, "acted");
    if (is_word(event->subject, "health_supervisor") && is_acted && is_word(event->id, "data")) {
        hurry(judge);
    }
    for (int i = 0; i < LINES && is_word(event->subject, MECHANISM); i++) {
        struct line *line = &judge->lines[i];
        if (!is_word(event->id, NAMES[i].word)) {
            continue;
        }
        if (is_acted) {
            judge_acted(line, NAMES[i].word, event, findings);
        } else if (is_word(event->what, "held")) {
            judge_held(judge, line, NAMES[i].word, event, findings);
        } else if (!line->is_answered) {
            findings_break(findings, ORACLE_POLLS, event->at, "%s is told to answer, and does not",
                           NAMES[i].word);
        } else {
            line->is_bent = false; /* it was read */
            line->is_released = true;
        }
    }
}

/* --- what is held is asked for --- */

static void judge_silence(struct polls *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_slow = utc_sub(event->at, judge->tick_at).ns > TICK_SLOW.ns;
    bool is_limited =
        judge->limited_at.ns != 0 && utc_sub(event->at, judge->limited_at).ns < LIMITED.ns;
    bool is_spent = judge->spent_at.ns != 0 && utc_sub(event->at, judge->spent_at).ns < MINUTE.ns;
    judge->tick_at = event->at;
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct touched *touched = table_at(&judge->symbols, i);
        const struct scene_symbol *symbol = scene_symbol(scene, touched->symbol);
        bool is_held = touched->is_known && symbol != NULL && symbol->qty.nanos > 0 &&
                       scene_is_open(scene) && !is_slow && !is_limited && !is_spent &&
                       !scene_is_doubting(scene);
        if (!is_held) {
            touched->held_since = (struct utc){0};
            continue;
        }
        touched->held_since = touched->held_since.ns == 0 ? event->at : touched->held_since;
        for (int line = 0; line < SNAPSHOTS && !touched->is_silent; line++) {
            struct utc since = utc_max(touched->asked_at[line], touched->held_since);
            /* a wall that is set back begins a cycle anew */
            struct span each = {line == BARS ? 2 * scene->limits.cycle.ns : 0};
            if (utc_sub(event->at, since).ns > each.ns + ASKED_WITHIN.ns) {
                touched->is_silent = true;
                findings_break(findings, ORACLE_POLLS, event->at, "%s of %s: held, not asked for",
                               NAMES[line].word, touched->symbol);
            }
        }
    }
}

static void judge_tick(struct polls *judge, const struct event *event, struct findings *findings) {
    for (int i = 0; i < LINES; i++) {
        struct line *line = &judge->lines[i];
        if (line->is_due) {
            findings_score(findings, MECHANISM)->missed++;
            findings_break(findings, ORACLE_POLLS, event->at, "%s fails, and nobody says so",
                           NAMES[i].word);
        }
        line->is_due = false;
        settle(line);
    }
    judge_silence(judge, event, findings);
}

static void begin_anew(struct polls *judge, struct utc at) {
    struct table symbols = judge->symbols;
    *judge = (struct polls){.symbols = symbols,
                            .orders = judge->orders,
                            .began_at = at,
                            .last_row = judge->last_row,
                            .is_rewound = judge->is_rewound};
    for (size_t i = 0; i < symbols.count; i++) {
        struct touched *touched = table_at(&symbols, i);
        struct touched before = *touched;
        *touched = (struct touched){.at = before.at,
                                    .minute_at = before.minute_at,
                                    .is_known = before.is_known,
                                    .is_silent = before.is_silent};
        memcpy(touched->symbol, before.symbol, sizeof touched->symbol);
        touched->live = before.live;
    }
}

/* What the broker no longer lists stays in the core's book until it is certain, and it pages about it each minute: it
 * asks for it as for what is held. */
static void take_alert(struct polls *judge, const struct event *event) {
    char name[TABLE_NAME_MAX];
    if (!is_word(event->what, "position_vanished") || event->body_len >= sizeof name) {
        return;
    }
    memcpy(name, event->body, event->body_len);
    name[event->body_len] = '\0';
    touch(judge, name, event->at);
}

/* Of what the core cannot hear it asks for as it knew it: an order of unknown fate, one that ended in an outage. */
static void take_order(struct polls *judge, const struct event *event) {
    struct touched *touched = touch(judge, event->symbol, event->at);
    if (event->kind == EVENT_ORDER) {
        struct told *order = table_get(&judge->orders, event->id);
        bool was_live = order->is_live;
        order->is_live = !is_over_word(event->what) && !is_word(event->what, "not_sent") &&
                         !is_word(event->what, "lost");
        touched->live += (int)order->is_live - (int)was_live;
    }
}

static void polls_observe(void *context, const struct event *event, struct findings *findings) {
    struct polls *judge = context;
    if (event->kind == EVENT_START || event->kind == EVENT_STOP) {
        begin_anew(judge, event->at);
    } else if (event->kind == EVENT_ROW) {
        judge->is_rewound |= event->number <= judge->last_row;
        judge->last_row = event->number;
    } else if (findings->scene->limits.poller_most == 0) {
        return;
    } else if (event->kind == EVENT_SEND) {
        judge_send(judge, event, findings);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        judge_mechanism(judge, event, findings);
    } else if (event->kind == EVENT_FAULT) {
        judge->bent_at = event->at;
    } else if (event->kind == EVENT_ALERT) {
        take_alert(judge, event);
    } else {
        take_order(judge, event);
    }
}

const struct judge_ops polls_judge = {
    KIND(EVENT_START) | KIND(EVENT_STOP) | KIND(EVENT_SEND) | KIND(EVENT_HTTP) | KIND(EVENT_TICK) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_FAULT) | KIND(EVENT_ORDER) | KIND(EVENT_EXIT) |
        KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_ALERT) | KIND(EVENT_ROW),
    polls_create, polls_observe, polls_destroy};
