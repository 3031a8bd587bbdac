/* calls.c - the reasons of rate_budget and retry_backoff (reasons.h): how many requests a minute held, and which failed.
 *
 * A lane is spent for a minute from its oldest request on, and a 429 closes one for two minutes at most. Who sends in
 * which lane nobody tells: as many requests as the polls may have spend theirs, and as many housekeeping
 * reads as there may be. The core says so at its tick's end.
 *
 * A read fails by its status, by no answer, or by one that a fault touched on its way. It waits, and is said to,
 * while its last answer was such a one; where several readers share an address, another's good answer ends no
 * waiting, but time does. The second exit or stop of a symbol that the broker rejects waits, and so
 * does a stop that he cancels by himself. */
#include "replay/oracle/reasons.h"

#include <stdlib.h>
#include <string.h>

enum { SENDS_MAX = 2048, WORDS = 11 };
static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span PAUSE_MOST = {INT64_C(120000000000)};
/* broker.retry_most_s at most, and what the broker may ask for on top. */
static const struct span FORGOTTEN = {INT64_C(720000000000)};

/* As the core tells its reads apart; "ids" and "orders" have one address, and another query. */
static const struct read {
    const char *word, *path;
    bool is_shared; /* by readers that back off apart */
} READS[WORDS] = {{"clock", "/v2/clock", false},
                  {"calendar", "/v2/calendar", false},
                  {"account", "/v2/account", false},
                  {"orders", "/v2/orders?status=open", false},
                  {"positions", "/v2/positions", false},
                  {"ids", "/v2/orders?status=all", true},
                  {"configuration", "/v2/account/configurations", false},
                  {"assets", "/v2/assets/", true},
                  {"volumes", "/v2/stocks/bars", true},
                  {"actions", "/v1/corporate-actions", true},
                  {"activities", "/v2/account/activities", true}};

struct minute {                  /* of one kind of requests */
    struct utc sends[SENDS_MAX]; /* a ring */
    int64_t count;
    struct utc full_at; /* it held as many as it may, last; {0}: never in this life */
};

struct refused { /* exits and stops, in this life */
    char symbol[TABLE_NAME_MAX];
    int64_t count;
};

struct calls {
    struct minute all, housekeeping;
    struct utc ticked_at; /* the last tick's end, or the life's begin */
    struct utc throttled_at, sent_at;
    struct utc failed_at[WORDS]; /* {0}: its last answer was good */
    struct table symbols;
    char rejected
        [TABLE_NAME_MAX]; /* the order that the core moved last, if it was refused or undone and is no entry */
};

struct calls *calls_create(void) {
    struct calls *calls = judge_alloc(sizeof *calls);
    calls->symbols = table_of(sizeof(struct refused));
    return calls;
}

void calls_destroy(struct calls *calls) {
    table_release(&calls->symbols);
    free(calls);
}

/* --- how many --- */

/* A limit that was not told, or that nobody can count to, may be reached at any time. */
static void take_one(struct minute *minute, struct utc at, int64_t most) {
    minute->sends[minute->count++ % SENDS_MAX] = at;
    bool is_known = most > 0 && most <= SENDS_MAX;
    bool is_many = is_known && minute->count >= most;
    if (!is_known || (is_many && utc_sub(at, minute->sends[(minute->count - most) % SENDS_MAX]).ns <
                                     MINUTE.ns)) {
        minute->full_at = at;
    }
}

/* What an exit is decided and sent by is none. */
static bool is_housekeeping(const struct event *event) {
    static const char *const words[] = {"/v2/clock", "/v2/positions", "/v2/orders",
                                        "/v2/stocks/quotes/", "/v2/stocks/trades/"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins(event->what, words[i])) {
            return false;
        }
    }
    return is_word(event->subject, "GET") && !is_word(event->what, "/v2/account");
}

static void take_send(struct calls *calls, const struct event *event,
                      const struct scene_limits *limits) {
    calls->sent_at = event->at;
    take_one(&calls->all, event->at, limits->rate_core);
    if (is_housekeeping(event)) {
        take_one(&calls->housekeeping, event->at, limits->rate_other);
    }
}

/* So lately that the tick which ends now may have met it. */
static bool is_within(const struct calls *calls, struct utc at, struct span span) {
    return at.ns != 0 && utc_sub(calls->ticked_at, at).ns < span.ns;
}

bool calls_may_be_spent(const struct calls *calls) {
    return is_within(calls, calls->all.full_at, MINUTE) ||
           is_within(calls, calls->housekeeping.full_at, MINUTE) ||
           is_within(calls, calls->throttled_at, PAUSE_MOST);
}

/* --- which failed --- */

static int read_of(const char *path) {
    int found = -1;
    for (int i = 0; i < WORDS; i++) {
        bool is_exact = is_word(READS[i].word, "account");
        if (is_exact ? is_word(path, READS[i].path) : begins(path, READS[i].path)) {
            found = i;
        }
    }
    return found;
}

static void take_read(struct calls *calls, const struct event *event, const struct scene *scene) {
    const int read = is_word(event->subject, "GET") ? read_of(event->what) : -1;
    bool is_touched = scene->fault_at.ns != 0 && !utc_is_before(scene->fault_at, calls->sent_at);
    bool is_good = event->id[0] == '\0' && event->number >= 200 && event->number <= 299;
    if (read >= 0 && (!is_good || is_touched)) {
        calls->failed_at[read] = event->at;
    } else if (read >= 0 && !READS[read].is_shared &&
               utc_is_before(calls->failed_at[read], calls->ticked_at)) {
        calls->failed_at[read] = (struct utc){0}; /* of pages one may have failed before */
    }
}

static void take_refusal(struct calls *calls, const char *symbol) {
    struct refused *refused = table_get(&calls->symbols, symbol);
    refused->count++;
}

static void take_answer(struct calls *calls, const struct event *event, const struct scene *scene) {
    bool is_refused = event->number >= 400 && event->number <= 499; /* a 429, too, ends the order */
    if (event->number == 429) {
        calls->throttled_at = event->at;
    }
    if (is_refused && is_word(event->subject, "POST") && scene->sent.symbol[0] != '\0') {
        take_refusal(calls, scene->sent.symbol);
    }
    take_read(calls, event, scene);
}

static void take_move(struct calls *calls, const struct event *event) {
    bool is_undone = is_word(event->what, "canceled") && is_word(event->subject, "stop");
    bool is_it =
        is_undone || (is_word(event->what, "rejected") && !is_word(event->subject, "entry"));
    (void)!text_copy(calls->rejected, sizeof calls->rejected, is_it ? event->id : "", NULL);
    if (is_undone) { /* whoever asked for it: by the core's own word, which may come a life later */
        take_refusal(calls, event->symbol);
    }
}

bool calls_may_have_failed(const struct calls *calls, const struct event *act) {
    if (act->symbol[0] != '\0') {
        const struct refused *refused = table_find(&calls->symbols, act->symbol);
        return refused != NULL && refused->count > 1 && is_word(calls->rejected, act->id);
    }
    for (int i = 0; i < WORDS; i++) {
        if (is_word(READS[i].word, act->id)) {
            return is_within(calls, calls->failed_at[i], FORGOTTEN);
        }
    }
    return false;
}

/* --- the fold --- */

static void begin_life(struct calls *calls, struct utc at) {
    table_release(&calls->symbols);
    *calls = (struct calls){.ticked_at = at, .symbols = table_of(sizeof(struct refused))};
}

void calls_take(struct calls *calls, const struct event *event, const struct scene *scene) {
    switch ((int)event->kind) {
    case EVENT_START:
        begin_life(calls, event->at);
        break;
    case EVENT_SEND:
        take_send(calls, event, &scene->limits);
        break;
    case EVENT_HTTP:
        take_answer(calls, event, scene);
        break;
    case EVENT_ORDER:
        take_move(calls, event);
        break;
    case EVENT_LEDGER_ORDER:
        if (is_word(event->what, "rejected") && scene_is_ours(scene, event->id)) {
            take_refusal(calls, event->symbol);
        }
        break;
    case EVENT_TICK:
        calls->ticked_at = event->at;
        break;
    default:
        break;
    }
}
