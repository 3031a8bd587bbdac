/* clusters.c - clusters_within_their_cap and cluster_refusal_is_due, the oracle of correlation_limit.
 *
 * What moves together is worked out anew: the bars from the answers that the core got since it started,
 * issuers and funds from the frame, the correlation in floating point. Of another symbol there is a part
 * that surely counts and one that may: they differ where a correlation lies within NEAR of its bound, where
 * a return hardly changes, and where a minute more or less of the window says something else. What is
 * bought is judged by the first, what is refused by the second. Prices, margins and what disturbs are as in
 * groups.c. */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ratio CAP_MARGIN = {NANOS / 10 * 11};
static const struct ratio REFUSAL_MARGIN = {NANOS / 4 * 5};
static const struct span DISTURBED = {INT64_C(60000000000)};
static const struct span MINUTE = {INT64_C(60000000000)};
static const double NEAR = 0.02;
static const double STILL = 5e-7; /* a return that is none */
static const double FLAT = 2e-6;  /* deviation of returns that hardly change */
static const double JUMP = 0.1;
static const char UNKNOWN[] = "unknown";
enum { BARS = 120, FUNDS = 4, SAMPLES = 60, SAMPLES_MIN = 40, WINDOW_MIN = 90 };
enum { UNREAD_MOST = 1 << 16 };

struct minute {
    struct utc at;
    double close;
};

struct fund {
    char symbol[TABLE_NAME_MAX];
    int64_t weight; /* nanos */
};

struct mate { /* what is known of a symbol */
    char symbol[TABLE_NAME_MAX];
    char sector[32], issuer[TABLE_NAME_MAX];
    struct fund funds[FUNDS];
    size_t fund_count, bar_count;
    struct minute bars[BARS]; /* ascending */
};

struct clusters {
    struct table mates;
    /* answers of bars, each behind its size_t of length: read where one is asked for */
    struct text unread;
    bool has_old_bars;   /* of the life before */
    struct usd good;     /* equity as the cycle before ended; 0: none in this life */
    struct utc moved_at; /* an order at the broker, last; {0} never */
};

struct part { /* of another symbol that is in a cluster, in nanos */
    int64_t surely, maybe;
};

static void *clusters_create(void) {
    struct clusters *judge = judge_alloc(sizeof *judge);
    judge->mates = table_of(sizeof(struct mate));
    return judge;
}

static void clusters_destroy(void *context) {
    struct clusters *judge = context;
    table_release(&judge->mates);
    text_release(&judge->unread);
    free(judge);
}

/* --- frames --- */

/* "SPY:0.069 DIA:0.03" */
static void take_funds(struct mate *mate, const char *words) {
    char copy[256] = ""; /* stays so where there is too much */
    char *rest = NULL;
    (void)!text_copy(copy, sizeof copy, words, NULL);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL && mate->fund_count < FUNDS;
         word = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(word, ':');
        struct fund *fund = &mate->funds[mate->fund_count];
        if (colon != NULL && decimal_parse(colon + 1, &fund->weight, NULL) == ERR_OK) {
            *colon = '\0';
            (void)!text_copy(fund->symbol, sizeof fund->symbol, word, NULL);
            mate->fund_count++;
        }
    }
}

static void take_frame(struct clusters *judge, const struct event *event) {
    const char *blank = strchr(event->subject, ' ');
    if (blank == NULL) {
        return;
    }
    if (strncmp(event->subject, "sector ", 7) == 0) {
        struct mate *mate = table_get(&judge->mates, blank + 1);
        (void)!text_copy(mate->sector, sizeof mate->sector, event->what, NULL);
    } else if (strncmp(event->subject, "issuer ", 7) == 0) {
        struct mate *mate = table_get(&judge->mates, blank + 1);
        (void)!text_copy(mate->issuer, sizeof mate->issuer, event->what, NULL);
    } else if (strncmp(event->subject, "funds ", 6) == 0) {
        take_funds(table_get(&judge->mates, blank + 1), event->what);
    }
}

/* --- bars --- */

static void add_bar(struct mate *mate, struct minute bar) {
    size_t at = mate->bar_count;
    while (at > 0 && mate->bars[at - 1].at.ns > bar.at.ns) {
        at--;
    }
    if (at > 0 && mate->bars[at - 1].at.ns == bar.at.ns) {
        mate->bars[at - 1] = bar; /* corrected */
        return;
    }
    if (mate->bar_count == BARS) {
        if (at == 0) {
            return;
        }
        memmove(&mate->bars[0], &mate->bars[1], (BARS - 1) * sizeof bar);
        mate->bar_count--;
        at--;
    }
    memmove(&mate->bars[at + 1], &mate->bars[at], (mate->bar_count - at) * sizeof bar);
    mate->bars[at] = bar;
    mate->bar_count++;
}

/* What the core reads of a bar; it stops at the first that is none. */
static bool read_bar(const cJSON *tree, struct minute *out) {
    static const char *const prices[] = {"o", "h", "l", "c"};
    int64_t nanos[4] = {0};
    int64_t volume = 0;
    for (int i = 0; i < 4; i++) {
        if (json_decimal_either(tree, prices[i], &nanos[i], NULL) != ERR_OK || nanos[i] <= 0) {
            return false;
        }
    }
    out->close = (double)nanos[3] * 1e-9;
    return nanos[1] >= nanos[2] && json_decimal_either(tree, "v", &volume, NULL) == ERR_OK &&
           json_utc(tree, "t", &out->at, NULL) == ERR_OK;
}

static bool take_bars_of(struct mate *mate, const cJSON *list) {
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        struct minute bar = {.close = 0};
        if (!read_bar(item, &bar)) {
            return false;
        }
        add_bar(mate, bar);
    }
    return true;
}

static void read_answer(struct clusters *judge, const char *answer, size_t len) {
    cJSON *tree = NULL;
    if (json_parse(answer, len, &tree, NULL) != ERR_OK) {
        return;
    }
    const cJSON *bars = json_member(tree, "bars");
    const cJSON *list = cJSON_IsObject(bars) ? bars->child : NULL;
    for (; list != NULL; list = list->next) {
        if (cJSON_IsNull(list)) {
            continue;
        }
        if (!cJSON_IsArray(list) || !take_bars_of(table_get(&judge->mates, list->string), list)) {
            break;
        }
    }
    cJSON_Delete(tree);
}

/* A life knows the bars that it read. */
static void forget_bars(struct clusters *judge) {
    for (size_t i = 0; i < judge->mates.count; i++) {
        struct mate *mate = table_at(&judge->mates, i);
        mate->bar_count = 0;
    }
    judge->has_old_bars = false;
}

static void read_answers(struct clusters *judge) {
    if (judge->has_old_bars) {
        forget_bars(judge);
    }
    for (size_t at = 0; at < judge->unread.len;) {
        size_t len = 0;
        memcpy(&len, text_get(&judge->unread) + at, sizeof len);
        at += sizeof len;
        read_answer(judge, text_get(&judge->unread) + at, len);
        at += len;
    }
    text_clear(&judge->unread);
}

static void take_answer(struct clusters *judge, const struct event *event) {
    const char *answer = memchr(event->body, '\n', event->body_len);
    if (answer == NULL || event->number != 200 || event->id[0] != '\0' ||
        strncmp(event->what, "/v2/stocks/bars?", 16) != 0 ||
        strstr(event->what, "timeframe=1Day") != NULL) {
        return;
    }
    answer++;
    size_t len = event->body_len - (size_t)(answer - event->body);
    text_add_bytes(&judge->unread, &len, sizeof len);
    text_add_bytes(&judge->unread, answer, len);
    if (judge->unread.len > UNREAD_MOST) {
        read_answers(judge);
    }
}

/* --- what moves together --- */

/* The return of a bar; false if it is no sample. */
static bool return_of(const struct mate *mate, size_t at, double *out) {
    const struct minute *bar = &mate->bars[at];
    const struct minute *before = &mate->bars[at - 1];
    *out = bar->close / before->close - 1.0;
    return utc_sub(bar->at, before->at).ns == MINUTE.ns && fabs(*out) > STILL &&
           fabs(*out) < JUMP - STILL;
}

/* Pairs of returns, the newest first; how many. */
static size_t samples_of(const struct mate *one, const struct mate *other, struct utc now,
                         int minutes, double x[static SAMPLES], double y[static SAMPLES]) {
    struct utc from = utc_add(now, (struct span){-minutes * MINUTE.ns});
    size_t n = 0;
    for (size_t i = one->bar_count, j = other->bar_count; i > 1 && j > 1 && n < SAMPLES;) {
        struct utc a = one->bars[i - 1].at;
        struct utc b = other->bars[j - 1].at;
        bool is_within = !utc_is_before(a, from) && !utc_is_before(now, a);
        if (a.ns == b.ns && is_within && return_of(one, i - 1, &x[n]) &&
            return_of(other, j - 1, &y[n])) {
            n++;
        }
        i -= a.ns >= b.ns;
        j -= b.ns >= a.ns;
    }
    return n;
}

struct deviations {
    double x, y, both;
};

static struct deviations deviations_of(const double *x, const double *y, size_t n) {
    struct deviations out = {0};
    double mean_x = 0;
    double mean_y = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        out.x += (x[i] - mean_x) * (x[i] - mean_x) / (double)n;
        out.y += (y[i] - mean_y) * (y[i] - mean_y) / (double)n;
        out.both += (x[i] - mean_x) * (y[i] - mean_y) / (double)n;
    }
    return out;
}

/* Widens what may hold of two symbols by what one window says: whether they move together. */
static void judge_window(const struct mate *one, const struct mate *other, struct utc now,
                         int minutes, double bound, bool *surely, bool *maybe) {
    double x[SAMPLES];
    double y[SAMPLES];
    size_t n = samples_of(one, other, now, minutes, x, y);
    bool is_sector = is_word(one->sector, other->sector);
    if (n < SAMPLES_MIN) {
        *surely = *surely && is_sector;
        *maybe = *maybe || is_sector;
        return;
    }
    struct deviations deviations = deviations_of(x, y, n);
    bool is_flat = deviations.x < FLAT * FLAT || deviations.y < FLAT * FLAT;
    double is = is_flat ? 1.0 : deviations.both / sqrt(deviations.x * deviations.y);
    *surely = *surely && is > bound + NEAR && (is_sector || !is_flat);
    *maybe = *maybe || is > bound - NEAR;
}

static int64_t weight_in(const struct mate *row, const struct mate *symbol) {
    if (is_word(row->symbol, symbol->symbol) ||
        (row->issuer[0] != '\0' && is_word(row->issuer, symbol->issuer))) {
        return NANOS;
    }
    for (size_t i = 0; i < row->fund_count; i++) {
        if (is_word(row->funds[i].symbol, symbol->symbol)) {
            return row->funds[i].weight;
        }
    }
    return 0;
}

/* What both have in common, by issuers and by what funds hold. */
static int64_t overlap_of(const struct clusters *judge, const struct mate *one,
                          const struct mate *other) {
    int64_t sum = 0;
    for (size_t i = 0; i < judge->mates.count; i++) {
        const struct mate *row = table_at(&judge->mates, i);
        int64_t a = weight_in(row, one);
        int64_t b = weight_in(row, other);
        sum += a < b ? a : b;
    }
    return sum < NANOS ? sum : NANOS;
}

static struct mate known(const struct clusters *judge, const char *symbol) {
    const struct mate *mate = table_find(&judge->mates, symbol);
    struct mate out = {.fund_count = 0};
    if (mate != NULL) {
        out = *mate;
    } else {
        (void)!text_copy(out.symbol, sizeof out.symbol, symbol, NULL);
    }
    if (out.sector[0] == '\0') {
        strcpy(out.sector, UNKNOWN);
    }
    return out;
}

/* The core reads its own clock, a moment before the event. */
static struct part part_of(const struct clusters *judge, const struct scene *scene,
                           const struct mate *one, const char *symbol) {
    double bound = (double)scene->limits.correlation.nanos * 1e-9;
    struct mate other = known(judge, symbol);
    struct utc now = utc_add(scene->now, scene->wall);
    bool surely = true;
    bool maybe = false;
    if (is_word(one->symbol, symbol)) {
        return (struct part){NANOS, NANOS};
    }
    judge_window(one, &other, now, WINDOW_MIN - 1, bound, &surely, &maybe);
    judge_window(one, &other, now, WINDOW_MIN, bound, &surely, &maybe);
    judge_window(one, &other, now, WINDOW_MIN + 1, bound, &surely, &maybe);
    int64_t overlap = overlap_of(judge, one, &other);
    return (struct part){surely ? NANOS : overlap, maybe ? NANOS : overlap};
}

/* --- judging --- */

struct cluster {
    struct usd surely, maybe;
};

static struct cluster held_with(const struct clusters *judge, const struct scene *scene,
                                const char *candidate) {
    struct cluster sum = {0};
    struct mate one = known(judge, candidate);
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        struct usd held = {0};
        struct usd undone = {0};
        (void)!usd_times_qty(symbol->price, symbol->qty, &held, NULL);
        (void)!usd_times_qty(symbol->price, symbol->undone, &undone, NULL);
        held = usd_add(usd_abs(held), symbol->live_cost);
        if (held.nanos != 0 || undone.nanos != 0) {
            struct part part = part_of(judge, scene, &one, symbol->symbol);
            sum.surely = usd_add(sum.surely, usd_scale(held, (struct ratio){part.surely}));
            sum.maybe =
                usd_add(sum.maybe, usd_scale(usd_add(held, undone), (struct ratio){part.maybe}));
        }
    }
    return sum;
}

/* Zero where the limits were not told. */
static struct usd cap_of(const struct clusters *judge, const struct scene *scene) {
    struct usd equity = judge->good.nanos > 0 ? usd_min(judge->good, scene->equity) : scene->equity;
    bool is_told = equity.nanos > 0 && scene->limits.correlation.nanos > 0;
    return is_told ? usd_scale(equity, scene->limits.cluster) : (struct usd){0};
}

static bool is_recent(struct utc at, struct utc now) {
    return at.ns != 0 && utc_sub(now, at).ns < DISTURBED.ns;
}

static bool is_disturbed(const struct scene *scene, struct utc now) {
    return is_recent(scene->fault_at, now) || is_recent(scene->foreign_at, now);
}

static void judge_buy(const struct clusters *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    struct usd cost = {0};
    struct usd cap = usd_scale(cap_of(judge, scene), CAP_MARGIN);
    (void)!usd_times_qty(sent->limit, sent->qty, &cost, NULL);
    MUTATE(judge_clusters_blind, return);
    if (cap.nanos == 0) {
        return;
    }
    struct usd sum = usd_add(held_with(judge, scene, sent->symbol).surely, cost);
    if (usd_cmp(sum, cap) <= 0) {
        return;
    }
    if (is_disturbed(scene, event->at)) {
        findings_excuse(findings, ORACLE_CLUSTERS, event->at,
                        "%s: a buy to %lld USD that move together", sent->symbol,
                        (long long)(sum.nanos / NANOS));
    } else {
        struct usd limit = cap_of(judge, scene);
        score_beyond(findings_score(findings, "correlation_limit"),
                     usd_sub(usd_sub(sum, cost), limit), usd_sub(sum, limit));
        findings_break(findings, ORACLE_CLUSTERS, event->at,
                       "%s: a buy to %lld USD that move together, most %lld", sent->symbol,
                       (long long)(sum.nanos / NANOS), (long long)(cap.nanos / NANOS));
    }
}

/* Even the largest entry would have stayed below the cap: something else was counted. */
static void judge_refusal(const struct clusters *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_limits *limits = &scene->limits;
    struct usd entry = usd_min(limits->base, limits->order_cap); /* the most of one */
    struct usd cap = cap_of(judge, scene);
    if (cap.nanos == 0 || entry.nanos <= 0 || is_disturbed(scene, event->at) ||
        is_recent(judge->moved_at, event->at)) {
        return;
    }
    struct usd sum = usd_add(held_with(judge, scene, event->symbol).maybe, entry);
    if (usd_cmp(usd_scale(sum, REFUSAL_MARGIN), cap) < 0) {
        findings_break(findings, ORACLE_CLUSTER_REFUSAL, event->at,
                       "%s: CORRELATION_LIMIT, with at most %lld USD that move together",
                       event->symbol, (long long)(sum.nanos / NANOS));
    }
}

static void clusters_observe(void *context, const struct event *event, struct findings *findings) {
    struct clusters *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_FRAME) {
        take_frame(judge, event);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event);
    } else if (event->kind == EVENT_LEDGER_FILL || event->kind == EVENT_LEDGER_ORDER) {
        judge->moved_at = event->at;
    } else if (event->kind == EVENT_START) {
        judge->good = (struct usd){0};
        judge->has_old_bars = true;
        text_clear(&judge->unread);
    } else if (event->kind == EVENT_TICK && is_word(event->subject, "cycle")) {
        judge->good = scene->equity;
    } else if (event->kind == EVENT_REFUSAL && is_word(event->what, "entry") &&
               is_word(event->subject, "CORRELATION_LIMIT")) {
        read_answers(judge);
        judge_refusal(judge, event, findings);
    } else if (event->kind == EVENT_SEND && scene->sent.is_new && scene->sent.is_buy) {
        read_answers(judge);
        judge_buy(judge, event, findings);
    }
}

const struct judge_ops clusters_judge = {
    KIND(EVENT_FRAME) | KIND(EVENT_HTTP) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) |
        KIND(EVENT_START) | KIND(EVENT_TICK) | KIND(EVENT_REFUSAL) | KIND(EVENT_SEND),
    clusters_create, clusters_observe, clusters_destroy};
