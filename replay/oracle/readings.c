/* readings.c - the reason of data_guard (reasons.h): an account's equity that its cash and the marks of its positions do not
 * explain.
 *
 * Surely explained it is where cash and positions as they were answered in one tick, each at the middle of a fresh and narrow
 * quote that the broker's own price agrees with, make it to half a step: such a quote is the first that the
 * core believes. The guard acts on what lasted for ten seconds, or on equity of nothing at once; so a tick that was
 * surely explained less than that ago, or this one, leaves no reason; but where money came or went without a trade there is
 * one until a row of the core tells of it, and of a dividend or a fee, of which the weather does not say how many rows it
 * makes, for ten minutes. A price of shares that were split, or may
 * be, marks nothing; nor does one that is aged by a clock which stepped. */
#include "replay/oracle/reasons.h"

#include <stdlib.h>
#include <string.h>

static const struct span LASTS = {INT64_C(10000000000)};
static const struct span FRESH_MOST = {INT64_C(60000000000)};
static const struct span TOLD_WITHIN = {INT64_C(600000000000)};
static const struct ratio SPREAD_MOST = {10000000};

struct marked {
    char symbol[TABLE_NAME_MAX];
    struct qty qty;       /* as listed last */
    struct usd listed_at; /* the broker's price; 0: none */
    struct usd bid, ask;
    struct utc quoted_at;
    bool is_split; /* or may be: an announcement names it, or the ledger split it */
};

struct readings {
    struct table symbols;
    struct usd equity, cash;
    struct utc account_at, listed_at; /* good answers; {0}: none, or the last was none */
    struct utc ticked_at,
        explained_at;    /* the last tick's end; and the last that was surely explained */
    int64_t untold;      /* deposits and withdrawals that no row tells of yet */
    struct utc moved_at; /* last row of one; last dividend or fee; {0}: none */
    bool is_unasked;     /* the last read of announcements failed: any quantity may be a split's */
};

struct readings *readings_create(void) {
    struct readings *readings = judge_alloc(sizeof *readings);
    readings->symbols = table_of(sizeof(struct marked));
    return readings;
}

void readings_destroy(struct readings *readings) {
    table_release(&readings->symbols);
    free(readings);
}

/* --- answers --- */

static void take_account(struct readings *readings, const struct event *event,
                         const struct scene *scene) {
    const cJSON *account = scene_answer(scene, event);
    bool is_read = event->number == 200 && event->id[0] == '\0' &&
                   json_usd(account, "equity", &readings->equity, NULL) == ERR_OK &&
                   json_usd(account, "cash", &readings->cash, NULL) == ERR_OK;
    readings->account_at = is_read ? event->at : (struct utc){0};
}

static void take_position(struct readings *readings, const cJSON *item) {
    const char *symbol = "";
    struct qty qty = {0};
    if (json_string(item, "symbol", &symbol, NULL) == ERR_OK &&
        json_qty(item, "qty", &qty, NULL) == ERR_OK) {
        struct marked *marked = table_get(&readings->symbols, symbol);
        marked->qty = qty;
        marked->listed_at = (struct usd){0};
        (void)!json_usd(item, "current_price", &marked->listed_at, NULL);
    }
}

static void take_listing(struct readings *readings, const struct event *event,
                         const struct scene *scene) {
    const cJSON *positions = scene_answer(scene, event);
    const cJSON *item = NULL;
    bool is_read = event->number == 200 && event->id[0] == '\0' && cJSON_IsArray(positions);
    readings->listed_at = is_read ? event->at : (struct utc){0};
    for (size_t i = 0; is_read && i < readings->symbols.count; i++) {
        ((struct marked *)table_at(&readings->symbols, i))->qty = (struct qty){0};
    }
    positions = is_read ? positions : NULL;
    cJSON_ArrayForEach(item, positions) {
        take_position(readings, item);
    }
}

static void take_quotes(struct readings *readings, const struct event *event,
                        const struct scene *scene) {
    const cJSON *quote = NULL;
    cJSON_ArrayForEach(quote, json_member(scene_answer(scene, event), "quotes")) {
        struct marked *marked = table_get(&readings->symbols, quote->string);
        struct usd bid = {0};
        struct usd ask = {0};
        struct utc quoted_at = {0};
        bool is_read = json_decimal_either(quote, "bp", &bid.nanos, NULL) == ERR_OK &&
                       json_decimal_either(quote, "ap", &ask.nanos, NULL) == ERR_OK &&
                       json_utc(quote, "t", &quoted_at, NULL) == ERR_OK;
        marked->bid = bid;
        marked->ask = ask;
        marked->quoted_at = is_read ? quoted_at : (struct utc){0};
    }
}

static void take_announcements(struct readings *readings, const struct event *event) {
    readings->is_unasked = event->number != 200 || event->id[0] != '\0';
    for (size_t i = 0; i < readings->symbols.count; i++) {
        struct marked *marked = table_at(&readings->symbols, i);
        const char *line = strchr(event->body, '\n'); /* the answer stands behind what was asked */
        marked->is_split |= line != NULL && strstr(line, marked->symbol) != NULL;
    }
}

static void take_answer(struct readings *readings, const struct event *event,
                        const struct scene *scene) {
    if (!is_word(event->subject, "GET")) {
        return;
    }
    if (is_word(event->what, "/v2/account")) {
        take_account(readings, event, scene);
    } else if (is_word(event->what, "/v2/positions")) {
        take_listing(readings, event, scene);
    } else if (begins(event->what, "/v2/stocks/quotes/latest?") && event->number == 200) {
        take_quotes(readings, event, scene);
    } else if (begins(event->what, "/v1/corporate-actions")) {
        take_announcements(readings, event);
    }
}

/* --- the question --- */

static bool is_fresh(const struct marked *marked, struct utc at, struct span most) {
    struct span age = utc_sub(at, marked->quoted_at);
    return marked->quoted_at.ns != 0 && age.ns >= 0 && age.ns <= most.ns && age.ns <= FRESH_MOST.ns;
}

/* False where it is not sure what the core takes for its mark. */
static bool mark_of(const struct marked *marked, struct utc at, const struct scene_limits *limits,
                    struct usd *out) {
    struct usd spread = usd_sub(marked->ask, marked->bid);
    struct usd mid = {marked->bid.nanos + spread.nanos / 2};
    struct usd apart = usd_abs(usd_sub(mid, marked->listed_at));
    struct usd higher = usd_max(mid, marked->listed_at);
    bool is_narrow = marked->bid.nanos > 0 && spread.nanos >= 0 &&
                     usd_cmp(spread, usd_scale(marked->ask, SPREAD_MOST)) <= 0;
    bool is_agreed =
        marked->listed_at.nanos > 0 && usd_cmp(apart, usd_scale(higher, limits->agreement)) <= 0;
    *out = mid;
    return is_narrow && is_agreed && !marked->is_split &&
           is_fresh(marked, at, limits->quote_max_age);
}

static bool is_explained(const struct readings *readings, struct utc at,
                         const struct scene *scene) {
    const struct ratio half = {scene->limits.equity_step.nanos / 2};
    struct usd sum = readings->cash;
    bool is_of_now = utc_is_before(readings->ticked_at, readings->account_at) &&
                     utc_is_before(readings->ticked_at, readings->listed_at);
    if (!is_of_now || readings->is_unasked || scene->is_stepped || readings->equity.nanos <= 0) {
        return false;
    }
    for (size_t i = 0; i < readings->symbols.count; i++) {
        const struct marked *marked = table_at(&readings->symbols, i);
        struct usd mark = {0};
        struct usd value = {0};
        if (marked->qty.nanos == 0) {
            continue;
        }
        if (!mark_of(marked, at, &scene->limits, &mark) ||
            usd_times_qty(mark, marked->qty, &value, NULL) != ERR_OK) {
            return false;
        }
        sum = usd_add(sum, value);
    }
    return usd_cmp(usd_abs(usd_sub(readings->equity, sum)), usd_scale(usd_abs(sum), half)) <= 0;
}

bool readings_may_be_unexplained(const struct readings *readings, struct utc at,
                                 const struct scene *scene) {
    bool was_explained = readings->explained_at.ns != 0 && readings->equity.nanos > 0 &&
                         readings->account_at.ns != 0 &&
                         utc_sub(at, readings->explained_at).ns < LASTS.ns;
    bool has_moved = readings->untold > 0 || (readings->moved_at.ns != 0 &&
                                              utc_sub(at, readings->moved_at).ns < TOLD_WITHIN.ns);
    return has_moved || (!was_explained && !is_explained(readings, at, scene));
}

/* --- the fold --- */

static void take_money(struct readings *readings, const struct event *event) {
    bool is_row = is_word(event->subject, "flow") || is_word(event->subject, "income") ||
                  is_word(event->subject, "cost");
    bool is_weather = begins(event->subject, "asset.") || begins(event->subject, "account.");
    if (event->kind == EVENT_OPERATOR) {
        readings->untold +=
            is_word(event->subject, "deposit") || is_word(event->subject, "withdraw");
    } else if (event->kind == EVENT_FAULT ? is_weather : is_row) {
        readings->untold -= is_row && readings->untold > 0;
        readings->moved_at = event->at;
    }
}

void readings_take(struct readings *readings, const struct event *event,
                   const struct scene *scene) {
    switch ((int)event->kind) {
    case EVENT_HTTP:
        take_answer(readings, event, scene);
        break;
    case EVENT_LEDGER_FILL: {
        struct marked *marked = table_get(&readings->symbols, event->symbol);
        marked->is_split |= scene_is_split(event);
        break;
    }
    case EVENT_ROW:
    case EVENT_FAULT:
    case EVENT_OPERATOR:
        take_money(readings, event);
        break;
    case EVENT_START:
    case EVENT_STOP:
        readings->account_at = readings->listed_at = readings->explained_at = (struct utc){0};
        break;
    case EVENT_TICK:
        if (is_explained(readings, event->at, scene)) {
            readings->explained_at = event->at;
        }
        readings->ticked_at = event->at;
        break;
    default:
        break;
    }
}
