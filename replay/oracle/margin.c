/* margin.c - margin_is_kept, the oracle of margin_guard: by the account's own answers, what may be bought beside a
 * margin, when nothing may, and what must be sold before a close.
 *
 * Known is what the answers about the account say: equity, maintenance margin, value of what is held, the flags. Two
 * bad ones in a row, at least 5 s apart, must hold; they may from the second on. True is the ledger's equity and cash:
 * of a book without shorts what is held is their difference. What a sale was chosen from is the last answer about
 * positions. Gross is the account's own word here and the core's marks there, so that NEAR of it is neither
 * due nor unfounded; the excess is the same number for both. A wall that is wrong has another close; where it was
 * wrong, and where prices were told wrong, what depends on them is not judged. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "margin_guard";
static const struct span APART = {INT64_C(5000000000)};
static const struct span HOLDS_WITHIN = {INT64_C(75000000000)};
static const struct span GOOD_FOR = {INT64_C(60000000000)};
static const struct span ENDS_WITHIN = {INT64_C(240000000000)};
static const struct span SELLS_WITHIN = {INT64_C(60000000000)};
static const struct span SLACK = {INT64_C(10000000000)}; /* a decision and its send */
/* Of the minute after which an exit is no help any more: one that may just have passed, and one that has. */
static const struct span LEAVES_AT_ONCE = {INT64_C(45000000000)};
static const struct span LEFT_FOR_SURE = {INT64_C(75000000000)};
/* A difference of two listings is not sold before it stood. */
static const struct span STANDS_WITHIN = {INT64_C(60000000000)};
static const struct span SPAN_MAX = {INT64_MAX};
static const struct ratio NEAR = {NANOS / 100 * 2};
static const struct ratio EXCESS_AGAIN = {NANOS / 100 * 125};
static const struct ratio GROSS_AGAIN = {NANOS / 100 * 95};

struct seen { /* an answer about the account */
    struct utc at;
    struct usd equity, maintenance, gross;
    bool is_blocked, has_maintenance;
};

struct worth {
    char symbol[TABLE_NAME_MAX];
    struct usd value;
};

struct sale { /* for the margin; told anew each time that it begins again */
    char symbol[TABLE_NAME_MAX];
    bool is_on;
    struct utc since;         /* an exit of whatever reason was decided; {0}: none is at work */
    struct utc given_back_at; /* by a bust, which nobody told */
};

struct margin {
    struct seen seen;
    struct utc bad_since,
        sure_bad_since;  /* sure: whatever NEAR leaves open; {0}: the last was none */
    int bads, sure_bads; /* in a row */
    struct utc good_since, doubted_at, over_since;
    bool is_held, is_missed, is_late, is_unsold;
    struct table worths, sales;
    struct two_clocks clocks;
    bool is_spoiled; /* the wall or a price was wrong */
};

static void *margin_create(void) {
    struct margin *judge = judge_alloc(sizeof *judge);
    judge->worths = table_of(sizeof(struct worth));
    judge->sales = table_of(sizeof(struct sale));
    return judge;
}

static void margin_destroy(void *context) {
    struct margin *judge = context;
    table_release(&judge->worths);
    table_release(&judge->sales);
    free(judge);
}

/* --- what an answer says --- */

static bool is_in_last(const struct scene *scene, struct utc at, struct span most) {
    struct span to_close = utc_sub(scene->session.close, at);
    return scene_is_open(scene) && to_close.ns > 0 && to_close.ns <= most.ns;
}

static bool is_short(const struct margin *judge, const struct scene *scene, struct ratio slack) {
    const struct seen *seen = &judge->seen;
    struct usd least = usd_scale(usd_scale(seen->equity, scene->limits.margin_excess), slack);
    return usd_cmp(usd_sub(seen->equity, seen->maintenance), least) < 0;
}

static bool is_over(const struct margin *judge, const struct scene *scene, struct ratio slack) {
    const struct seen *seen = &judge->seen;
    struct usd most = usd_scale(usd_scale(seen->equity, scene->limits.margin_overnight), slack);
    return usd_cmp(seen->gross, most) > 0;
}

static bool is_flawed(const struct margin *judge, const struct scene *scene, struct ratio excess,
                      struct ratio gross) {
    const struct seen *seen = &judge->seen;
    return seen->is_blocked || !seen->has_maintenance || is_short(judge, scene, excess) ||
           (is_in_last(scene, seen->at, scene->limits.margin_no_entry) &&
            is_over(judge, scene, gross));
}

static void count(int *bads, struct utc *since, bool is_bad, struct utc at) {
    *since = !is_bad ? (struct utc){0} : *bads == 0 ? at : *since;
    *bads = is_bad ? *bads + 1 : 0;
}

static void take_flags(struct seen *seen, const cJSON *tree) {
    static const char *const keys[] = {"trading_blocked", "account_blocked",
                                       "trade_suspended_by_user"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool is_on = false;
        (void)!json_bool(tree, keys[i], &is_on, NULL);
        seen->is_blocked = seen->is_blocked || is_on;
    }
}

static void take_account(struct margin *judge, struct utc at, const cJSON *tree,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct ratio one = {NANOS}, above = {NANOS + NEAR.nanos}, below = {NANOS - NEAR.nanos};
    struct seen seen = {.at = at};
    struct usd cash = {0};
    if (json_usd(tree, "equity", &seen.equity, NULL) != ERR_OK || seen.equity.nanos <= 0 ||
        json_usd(tree, "cash", &cash, NULL) != ERR_OK) {
        return;
    }
    seen.gross = usd_sub(seen.equity, cash);
    seen.has_maintenance =
        json_usd(tree, "maintenance_margin", &seen.maintenance, NULL) == ERR_OK &&
        seen.maintenance.nanos >= 0;
    take_flags(&seen, tree);
    judge->seen = seen;
    count(&judge->bads, &judge->bad_since, is_flawed(judge, scene, one, below), at);
    count(&judge->sure_bads, &judge->sure_bad_since, is_flawed(judge, scene, one, above), at);
    bool is_good = !is_flawed(judge, scene, EXCESS_AGAIN, GROSS_AGAIN);
    judge->good_since = !is_good                    ? (struct utc){0}
                        : judge->good_since.ns == 0 ? at
                                                    : judge->good_since;
    bool is_known = judge->sure_bads > 1 && utc_sub(at, judge->sure_bad_since).ns >= APART.ns;
    if (!judge->is_held && !judge->is_spoiled) {
        clocks_known(&judge->clocks, findings_score(findings, MECHANISM), at, is_known);
    }
}

static void take_positions(struct margin *judge, const cJSON *tree) {
    table_release(&judge->worths);
    judge->worths = table_of(sizeof(struct worth));
    for (const cJSON *item = cJSON_IsArray(tree) ? tree->child : NULL; item != NULL;
         item = item->next) {
        const char *symbol = "";
        struct usd value = {0};
        if (json_string(item, "symbol", &symbol, NULL) == ERR_OK &&
            json_usd(item, "market_value", &value, NULL) == ERR_OK) {
            struct worth *worth = table_get(&judge->worths, symbol);
            worth->value = usd_abs(value);
        }
    }
}

static void take_answer(struct margin *judge, const struct event *event,
                        struct findings *findings) {
    bool is_account = is_word(event->what, "/v2/account");
    if (event->number != 200 || event->id[0] != '\0' ||
        !(is_account || is_word(event->what, "/v2/positions")) || !is_word(event->subject, "GET")) {
        return;
    }
    const cJSON *tree = scene_answer(findings->scene, event);
    if (tree != NULL && is_account) {
        take_account(judge, event->at, tree, findings);
    } else if (tree != NULL) {
        take_positions(judge, tree);
    }
}

/* --- held --- */

static void judge_word(struct margin *judge, const struct event *event, struct findings *findings) {
    if (is_word(event->what, "released")) {
        bool is_early =
            judge->good_since.ns == 0 || utc_sub(event->at, judge->good_since).ns < GOOD_FOR.ns;
        if (is_early && judge->is_held && !judge->is_spoiled) {
            findings_break(findings, ORACLE_MARGIN, event->at, "released %s",
                           judge->good_since.ns == 0 ? "by a reading that is bad"
                                                     : "before a minute was good");
        }
        judge->is_held = judge->is_late = false;
    } else if (is_word(event->what, "acted")) {
        bool is_sure = judge->bads > 1 && utc_sub(event->at, judge->bad_since).ns >= APART.ns;
        clocks_true(&judge->clocks, event->at, is_sure, (struct usd){0});
        bool is_founded =
            clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at);
        if (!is_founded && !judge->is_spoiled) {
            findings_break(findings, ORACLE_MARGIN, event->at, "held by %d bad readings",
                           judge->bads);
        }
        judge->is_held = true;
        judge->is_missed = false;
        judge->clocks = (struct two_clocks){0};
    }
}

static void judge_hold(struct margin *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = utc_max(utc_max(judge->sure_bad_since, judge->doubted_at), scene->up_since);
    if (!judge->is_held && judge->sure_bads > 2 && !judge->is_missed &&
        utc_sub(event->at, since).ns > HOLDS_WITHIN.ns) {
        judge->is_missed = true;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_MARGIN, event->at, "not held by %d bad readings",
                       judge->sure_bads);
    }
    struct utc good = utc_max(judge->good_since, judge->doubted_at);
    if (judge->is_held && judge->good_since.ns != 0 && scene_is_open(scene) && !judge->is_late &&
        utc_sub(event->at, utc_max(good, scene_since(scene, good))).ns > ENDS_WITHIN.ns) {
        judge->is_late = true;
        findings_break(findings, ORACLE_MARGIN, event->at,
                       "held %lld s beyond the last bad reading",
                       (long long)(utc_sub(event->at, good).ns / NANOS));
    }
}

/* --- sold --- */

static bool is_leaving(const struct scene *scene, const char *symbol) {
    const struct scene_symbol *it = table_find(&scene->symbols, symbol);
    return it != NULL && it->is_exiting;
}

/* An exit that was decided longer ago than this brings nothing down any more: its symbol may be halted. */
static bool leaves_soon(const struct margin *judge, const struct scene *scene, const char *symbol,
                        struct span most) {
    const struct sale *sale = table_find(&judge->sales, symbol);
    bool is_old =
        sale != NULL && sale->since.ns != 0 && utc_sub(scene->now, sale->since).ns >= most.ns;
    return is_leaving(scene, symbol) && !is_old;
}

static struct usd staying(const struct margin *judge, const struct scene *scene, struct span most) {
    struct usd sum = {0};
    for (size_t i = 0; i < judge->worths.count; i++) {
        const struct worth *worth = table_at(&judge->worths, i);
        sum = leaves_soon(judge, scene, worth->symbol, most) ? sum : usd_add(sum, worth->value);
    }
    return sum;
}

static bool has_exits(const struct margin *judge, const struct scene *scene, const char *but,
                      struct span most) {
    for (size_t i = 0; i < judge->worths.count; i++) {
        const struct worth *worth = table_at(&judge->worths, i);
        if (leaves_soon(judge, scene, worth->symbol, most) && !is_word(worth->symbol, but)) {
            return true;
        }
    }
    return false;
}

/* Before a close what is too much must leave: of the excess it is enough that something does. */
static void judge_sale(struct margin *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct seen *seen = &judge->seen;
    struct usd most = usd_scale(usd_scale(seen->equity, scene->limits.margin_overnight),
                                (struct ratio){NANOS + NEAR.nanos});
    bool is_time = is_in_last(scene, event->at, scene->limits.margin_reduce) &&
                   scene->mode < SCENE_HALT && !seen->is_blocked && seen->has_maintenance;
    struct usd stays = staying(judge, scene, LEFT_FOR_SURE);
    bool is_some = staying(judge, scene, SPAN_MAX).nanos > 0; /* that no exit has yet */
    bool is_too_much = usd_cmp(stays, most) > 0 && is_some;
    bool is_near_call = is_short(judge, scene, (struct ratio){NANOS}) &&
                        !has_exits(judge, scene, "", LEFT_FOR_SURE) && is_some;
    if (!is_time || judge->sure_bads < 2 || !(is_too_much || is_near_call)) {
        judge->over_since = (struct utc){0};
        return;
    }
    judge->over_since = judge->over_since.ns == 0 ? event->at : judge->over_since;
    struct utc since = utc_max(utc_max(judge->over_since, judge->doubted_at), scene->up_since);
    since = utc_max(since, scene->fault_at);
    if (!judge->is_unsold && utc_sub(event->at, since).ns > SELLS_WITHIN.ns) {
        judge->is_unsold = true;
        findings_break(findings, ORACLE_MARGIN, event->at, "%lld USD stay, %lld may, near a close",
                       (long long)(stays.nanos / NANOS), (long long)(most.nanos / NANOS));
    }
}

/* What stayed before a sale was decided was too much, or the excess too small with nothing else leaving. */
static bool is_needed(const struct margin *judge, const struct event *event,
                      const struct scene *scene, struct usd own) {
    struct usd most = usd_scale(usd_scale(judge->seen.equity, scene->limits.margin_overnight),
                                (struct ratio){NANOS - NEAR.nanos});
    bool is_too_much = usd_cmp(usd_add(staying(judge, scene, LEAVES_AT_ONCE), own), most) > 0;
    return is_too_much || (is_short(judge, scene, (struct ratio){NANOS}) &&
                           !has_exits(judge, scene, event->symbol, LEAVES_AT_ONCE));
}

static bool is_just_back(const struct margin *judge, const struct scene *scene,
                         const char *symbol) {
    const struct sale *sale = table_find(&judge->sales, symbol);
    return sale != NULL && sale->given_back_at.ns != 0 &&
           utc_sub(scene->now, sale->given_back_at).ns < STANDS_WITHIN.ns;
}

/* One that is decided is due, and none that stays is larger. */
static void judge_choice(struct margin *judge, const struct event *event,
                         struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct span most = {scene->limits.margin_reduce.ns + SLACK.ns};
    struct usd own = {0};
    struct usd largest = {0};
    for (size_t i = 0; i < judge->worths.count; i++) {
        const struct worth *worth = table_at(&judge->worths, i);
        bool is_it = is_word(event->symbol, worth->symbol);
        own = is_it ? worth->value : own;
        bool is_none =
            is_it || is_leaving(scene, worth->symbol) || is_just_back(judge, scene, worth->symbol);
        largest = is_none ? largest : usd_max(largest, worth->value);
    }
    bool is_smaller = usd_cmp(own, usd_scale(largest, (struct ratio){NANOS - NEAR.nanos})) < 0;
    const char *why = !is_in_last(scene, event->at, most)    ? "far from a close"
                      : judge->bads < 2                      ? "without two bad readings"
                      : is_smaller                           ? "before a larger one"
                      : !is_needed(judge, event, scene, own) ? "and enough leaves without it"
                                                             : NULL;
    if (why != NULL) {
        findings_break(findings, ORACLE_MARGIN, event->at, "%s: sold for the margin, %s",
                       event->symbol, why);
    }
}

static void take_exit(struct margin *judge, const struct event *event, struct findings *findings) {
    struct sale *sale = table_get(&judge->sales, event->symbol);
    bool is_ours = is_word(event->subject, "margin") && !is_word(event->what, "over");
    if (is_ours && !sale->is_on && is_word(event->what, "decided") && !judge->is_spoiled) {
        judge_choice(judge, event, findings);
    }
    sale->is_on = is_ours;
    sale->since = is_word(event->what, "over") ? (struct utc){0}
                  : sale->since.ns == 0        ? event->at
                                               : sale->since;
}

/* --- bought --- */

static struct usd working(const struct scene *scene) {
    struct usd sum = {0};
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        sum = usd_add(sum, symbol->live_cost);
    }
    return sum;
}

static void judge_buy(const struct margin *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct seen *seen = &judge->seen;
    struct usd cost = {0};
    (void)!usd_times_qty(scene->sent.limit, scene->sent.qty, &cost, NULL);
    struct usd more = usd_add(cost, working(scene));
    struct usd least = usd_scale(seen->equity, scene->limits.margin_excess);
    struct usd left =
        usd_sub(usd_sub(seen->equity, seen->maintenance), (struct usd){more.nanos / 2});
    struct usd most = usd_scale(usd_scale(seen->equity, scene->limits.margin_overnight),
                                (struct ratio){NANOS + NEAR.nanos});
    bool is_near_close = is_in_last(scene, event->at, scene->limits.margin_no_entry);
    const char *why = seen->is_blocked           ? "the account is blocked"
                      : !seen->has_maintenance   ? "the maintenance margin is not known"
                      : usd_cmp(left, least) < 0 ? "too near the maintenance margin"
                      : is_near_close && usd_cmp(usd_add(seen->gross, more), most) > 0
                          ? "more than may be held overnight"
                          : NULL;
    if (judge->is_held) {
        findings_score(findings, MECHANISM)->risky++;
    }
    if (why != NULL || judge->is_held) {
        findings_break(findings, ORACLE_MARGIN, event->at, "%s: bought, and %s", scene->sent.symbol,
                       why != NULL ? why : "the guard holds");
    }
}

static bool spoils(const struct event *event) {
    return strncmp(event->subject, "clock.", 6) == 0 || is_word(event->subject, "view.mark_absurd");
}

static void judge_tick(struct margin *judge, const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    judge->doubted_at = scene_is_doubting(scene) ? event->at : judge->doubted_at;
    if (judge->seen.at.ns != 0 && !judge->is_spoiled) {
        judge_hold(judge, event, findings);
        judge_sale(judge, event, findings);
    }
}

static void forget(struct margin *judge) {
    judge->bads = judge->sure_bads = 0;
    judge->bad_since = judge->sure_bad_since = judge->good_since = (struct utc){0};
    judge->is_held = judge->is_late = false;
    judge->clocks = (struct two_clocks){0};
}

static void take_bust(struct margin *judge, const struct event *event) {
    if (scene_is_bust(event) && is_word(event->subject, "buy")) {
        struct sale *sale = table_get(&judge->sales, event->symbol);
        sale->given_back_at = event->at;
    }
}

static void margin_observe(void *context, const struct event *event, struct findings *findings) {
    struct margin *judge = context;
    const struct scene *scene = findings->scene;
    bool is_judged = scene->limits.margin_overnight.nanos > 0 && judge->seen.at.ns != 0;
    if (event->kind == EVENT_FAULT) {
        judge->is_spoiled = judge->is_spoiled || spoils(event);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_bust(judge, event);
    } else if (event->kind == EVENT_START) {
        forget(judge);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM && is_word(event->subject, MECHANISM)) {
        judge_word(judge, event, findings);
    } else if (!is_judged) {
        return;
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_EXIT) {
        take_exit(judge, event, findings);
    } else if (event->kind == EVENT_SEND && scene->sent.is_new && scene->sent.is_buy &&
               !judge->is_spoiled) {
        judge_buy(judge, event, findings);
    }
}

const struct judge_ops margin_judge = {
    KIND(EVENT_FAULT) | KIND(EVENT_START) | KIND(EVENT_HTTP) | KIND(EVENT_MECHANISM) |
        KIND(EVENT_TICK) | KIND(EVENT_EXIT) | KIND(EVENT_SEND) | KIND(EVENT_LEDGER_FILL),
    margin_create, margin_observe, margin_destroy};
