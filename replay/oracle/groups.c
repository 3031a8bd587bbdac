/* groups.c - groups_within_their_caps and group_refusal_is_due, the oracle of symbol_limit, sector_limit and
 * theme_limit.
 *
 * Positions are priced at the symbol's last execution, which may be old: a tenth above a cap is allowed
 * for, and a quarter where a refusal is judged. Behind a fault, or another's execution, of the last
 * minute a buy is a maybe and a refusal is not judged, nor is one behind any order that moved then: the
 * core may count it for a while yet. A cap that is a share of equity is of the lower of the ledger's now and at the
 * end of the cycle before, the first of a life excepted. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct ratio CAP_MARGIN = {NANOS / 10 * 11};
static const struct ratio REFUSAL_MARGIN = {NANOS / 4 * 5};
static const struct span DISTURBED = {INT64_C(60000000000)};
static const char UNKNOWN[] = "unknown";

enum { BY_SYMBOL, BY_SECTOR, BY_THEME, BY_COUNT };

static const char *const NAMES[BY_COUNT] = {"symbol", "sector", "theme"};
static const char *const MECHANISMS[BY_COUNT] = {"symbol_limit", "sector_limit", "theme_limit"};
static const char *const CODES[BY_COUNT] = {"SYMBOL_LIMIT", "SECTOR_LIMIT", "THEME_LIMIT"};

struct member { /* what the frame says of a symbol */
    char symbol[TABLE_NAME_MAX];
    char sector[32], theme[32];
};

struct groups {
    struct table members;
    struct usd good;     /* equity as the cycle before ended; 0: none in this life */
    struct utc moved_at; /* an order at the broker, last; {0} never */
};

static void *groups_create(void) {
    struct groups *judge = judge_alloc(sizeof *judge);
    judge->members = table_of(sizeof(struct member));
    return judge;
}

static void groups_destroy(void *context) {
    struct groups *judge = context;
    table_release(&judge->members);
    free(judge);
}

/* "sector AAPL", "Information Technology" */
static void take_frame(struct groups *judge, const struct event *event) {
    bool is_sector = strncmp(event->subject, "sector ", 7) == 0;
    bool is_theme = strncmp(event->subject, "theme ", 6) == 0;
    if (is_sector || is_theme) {
        struct member *member = table_get(&judge->members, event->subject + (is_sector ? 7 : 6));
        char *field = is_sector ? member->sector : member->theme;
        (void)!text_copy(field, sizeof member->sector, event->what, NULL);
    }
}

static const char *group_of(const struct groups *judge, int by, const char *symbol) {
    const struct member *member = table_find(&judge->members, symbol);
    if (by == BY_SYMBOL) {
        return symbol;
    }
    return member == NULL ? UNKNOWN : by == BY_SECTOR ? member->sector : member->theme;
}

/* Zero where the limit was not told, and for no theme. */
static struct usd cap_of(const struct groups *judge, const struct scene *scene, int by,
                         const char *group) {
    const struct scene_limits *limits = &scene->limits;
    struct usd equity = judge->good.nanos > 0 ? usd_min(judge->good, scene->equity) : scene->equity;
    if (group[0] == '\0' || equity.nanos <= 0) {
        return (struct usd){0};
    }
    if (by == BY_THEME) {
        return limits->theme;
    }
    return usd_scale(equity, by == BY_SYMBOL           ? limits->symbol
                             : is_word(group, UNKNOWN) ? limits->sector_unknown
                                                       : limits->sector);
}

/* By the ledger; is_most: and what the core may go on to count although a bust undid it. */
static struct usd held_in(const struct groups *judge, const struct scene *scene, int by,
                          const char *group, bool is_most) {
    struct usd sum = {0};
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        struct usd held = {0};
        if (is_word(group_of(judge, by, symbol->symbol), group)) {
            (void)!usd_times_qty(symbol->price, symbol->qty, &held, NULL);
            sum = usd_add(sum, usd_add(usd_abs(held), symbol->live_cost));
            (void)!usd_times_qty(symbol->price, symbol->undone, &held, NULL);
            sum = is_most ? usd_add(sum, held) : sum;
        }
    }
    return sum;
}

static bool is_recent(struct utc at, struct utc now) {
    return at.ns != 0 && utc_sub(now, at).ns < DISTURBED.ns;
}

static bool is_disturbed(const struct scene *scene, struct utc now) {
    return is_recent(scene->fault_at, now) || is_recent(scene->foreign_at, now);
}

static void judge_buy(const struct groups *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    struct usd cost = {0};
    (void)!usd_times_qty(sent->limit, sent->qty, &cost, NULL);
    for (int by = 0; by < BY_COUNT; by++) {
        const char *group = group_of(judge, by, sent->symbol);
        struct usd cap = usd_scale(cap_of(judge, scene, by, group), CAP_MARGIN);
        struct usd sum = usd_add(held_in(judge, scene, by, group, false), cost);
        MUTATE(judge_groups_blind, continue);
        if (cap.nanos == 0 || usd_cmp(sum, cap) <= 0) {
            continue;
        }
        if (is_disturbed(scene, event->at)) {
            findings_excuse(findings, ORACLE_GROUPS, event->at, "%s: a buy to %lld USD in %s %.24s",
                            sent->symbol, (long long)(sum.nanos / NANOS), NAMES[by], group);
        } else {
            struct score *score = findings_score(findings, MECHANISMS[by]);
            struct usd limit = cap_of(judge, scene, by, group);
            score_passed(score, event->at);
            score_beyond(score, usd_sub(usd_sub(sum, cost), limit), usd_sub(sum, limit));
            score->risky++;
            findings_break(findings, ORACLE_GROUPS, event->at,
                           "%s: a buy to %lld USD in %s %.24s, most %lld", sent->symbol,
                           (long long)(sum.nanos / NANOS), NAMES[by], group,
                           (long long)(cap.nanos / NANOS));
        }
    }
}

/* The most that one entry may be by amount; the share of equity and the stop only lower it. */
static struct usd largest_entry(const struct scene_limits *limits) {
    return limits->base.nanos > 0 && limits->order_cap.nanos > 0
               ? usd_min(limits->base, limits->order_cap)
               : (struct usd){0};
}

/* Even the largest entry would have stayed below the cap: something else was counted. */
static void judge_refusal(const struct groups *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct usd entry = largest_entry(&scene->limits);
    if (is_disturbed(scene, event->at) || is_recent(judge->moved_at, event->at)) {
        return;
    }
    for (int by = 0; by < BY_COUNT; by++) {
        const char *group = group_of(judge, by, event->symbol);
        struct usd cap = cap_of(judge, scene, by, group);
        struct usd sum = usd_add(held_in(judge, scene, by, group, true), entry);
        if (is_word(event->subject, CODES[by]) && cap.nanos > 0 && entry.nanos > 0 &&
            usd_cmp(usd_scale(sum, REFUSAL_MARGIN), cap) < 0) {
            findings_break(findings, ORACLE_GROUP_REFUSAL, event->at,
                           "%s: %s, with at most %lld USD in %s %.24s", event->symbol, CODES[by],
                           (long long)(sum.nanos / NANOS), NAMES[by], group);
        }
    }
}

static void groups_observe(void *context, const struct event *event, struct findings *findings) {
    struct groups *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_FRAME) {
        take_frame(judge, event);
    } else if (event->kind == EVENT_LEDGER_FILL || event->kind == EVENT_LEDGER_ORDER) {
        judge->moved_at = event->at;
    } else if (event->kind == EVENT_START) {
        judge->good = (struct usd){0};
    } else if (event->kind == EVENT_TICK && is_word(event->subject, "cycle")) {
        judge->good = scene->equity;
    } else if (event->kind == EVENT_REFUSAL && is_word(event->what, "entry")) {
        judge_refusal(judge, event, findings);
    } else if (event->kind == EVENT_SEND && scene->sent.is_new && scene->sent.is_buy) {
        judge_buy(judge, event, findings);
    }
}

const struct judge_ops groups_judge = {
    KIND(EVENT_FRAME) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_START) |
        KIND(EVENT_TICK) | KIND(EVENT_REFUSAL) | KIND(EVENT_SEND),
    groups_create, groups_observe, groups_destroy};
