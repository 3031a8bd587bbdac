/* limits.c - positions_within_the_cap, order_within_the_cap, entry_within_its_size, gross_within_the_cap
 * and no_entry_beyond_the_loss_limit: the product's own limits, by the ledger.
 *
 * Gross notional is priced at the symbol's last execution, which may be old: a tenth above the cap is
 * allowed for. The day's loss is against the equity as the session before ended, cash movements taken
 * out; the core may learn of it late, so it counts when it stood for a minute, and behind a fault of
 * that minute a buy is a maybe. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>

static const struct span KNOWN_AFTER = {INT64_C(60000000000)};
static const struct ratio GROSS_MARGIN = {NANOS / 10 * 11};

struct limits {
    struct utc lost_since; /* {0}: below the limit */
    bool is_above;         /* positions; reported */
};

static void *limits_create(void) {
    return judge_alloc(sizeof(struct limits));
}

static void take_loss(struct limits *judge, const struct scene *scene) {
    struct usd share = {0};
    struct usd loss = usd_sub(usd_add(scene->baseline, scene->flows), scene->equity);
    (void)!usd_times_ratio(scene->baseline, scene->limits.daily_loss_share, &share, NULL);
    struct usd limit = usd_min(scene->limits.daily_loss_usd, share);
    bool is_lost = limit.nanos > 0 && usd_cmp(loss, limit) >= 0;
    if (!is_lost) {
        judge->lost_since = (struct utc){0};
    } else if (judge->lost_since.ns == 0) {
        judge->lost_since = scene->now;
    }
}

/* As a buy of ours arrives: what another program, or a bust, adds is not the core's doing, and takes it
 * a minute to learn. */
static void judge_positions(struct limits *judge, const struct event *event,
                            struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_order *order = table_find(&scene->orders, event->id);
    bool is_above = scene->limits.max_positions > 0 && scene->held > scene->limits.max_positions;
    MUTATE(judge_limits_blind, is_above = false);
    bool is_ours = order != NULL && order->is_live_buy;
    bool is_told =
        scene->foreign_at.ns == 0 || utc_sub(event->at, scene->foreign_at).ns > KNOWN_AFTER.ns;
    if (is_above && !judge->is_above && is_ours && !is_told) {
        findings_excuse(findings, ORACLE_POSITIONS, event->at,
                        "%lld positions and live entries, one of them another's",
                        (long long)scene->held);
    } else if (is_above && !judge->is_above && is_ours) {
        findings_break(findings, ORACLE_POSITIONS, event->at,
                       "%lld positions and live entries, at most %lld", (long long)scene->held,
                       (long long)scene->limits.max_positions);
    }
    judge->is_above = is_above && (is_ours || judge->is_above);
}

static struct usd gross_of(const struct scene *scene) {
    struct usd sum = {0};
    for (size_t i = 0; i < scene->symbols.count; i++) {
        const struct scene_symbol *symbol = table_at(&scene->symbols, i);
        struct usd held = {0};
        (void)!usd_times_qty(symbol->price, symbol->qty, &held, NULL);
        sum = usd_add(sum, usd_add(usd_abs(held), symbol->live_cost));
    }
    return sum;
}

static void judge_size(const struct event *event, struct usd cost, struct findings *findings) {
    struct usd most = scene_largest_entry(findings->scene);
    if (most.nanos > 0 && usd_cmp(cost, most) > 0) {
        score_beyond(findings_score(findings, "position_sizing"), (struct usd){0},
                     usd_sub(cost, most));
        findings_break(findings, ORACLE_SIZE, event->at, "%s: a buy of %lld USD, at most %lld",
                       findings->scene->sent.symbol, (long long)(cost.nanos / NANOS),
                       (long long)(most.nanos / NANOS));
    }
}

static void judge_order(const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    struct usd cost = {0};
    struct usd most = {0};
    (void)!usd_times_qty(sent->limit, sent->qty, &cost, NULL);
    judge_size(event, cost, findings);
    if (scene->limits.order_cap.nanos > 0 && usd_cmp(cost, scene->limits.order_cap) > 0) {
        score_beyond(findings_score(findings, "order_validation"), (struct usd){0},
                     usd_sub(cost, scene->limits.order_cap));
        findings_break(findings, ORACLE_ORDER_CAP, event->at, "%s: a buy of %lld USD", sent->symbol,
                       (long long)(cost.nanos / NANOS));
    }
    bool is_known = scene->limits.gross.nanos > 0 && scene->equity.nanos > 0 &&
                    usd_times_ratio(scene->equity, scene->limits.gross, &most, NULL) == ERR_OK &&
                    usd_times_ratio(most, GROSS_MARGIN, &most, NULL) == ERR_OK;
    struct usd gross = usd_add(gross_of(scene), cost);
    if (is_known && usd_cmp(gross, most) > 0) {
        struct usd limit = usd_scale(scene->equity, scene->limits.gross);
        score_beyond(findings_score(findings, "gross_exposure"),
                     usd_sub(usd_sub(gross, cost), limit), usd_sub(gross, limit));
        findings_break(findings, ORACLE_GROSS, event->at, "%s: a buy to %lld USD gross, most %lld",
                       sent->symbol, (long long)(gross.nanos / NANOS),
                       (long long)(most.nanos / NANOS));
    }
}

static void judge_loss(const struct limits *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (judge->lost_since.ns == 0 || utc_sub(event->at, judge->lost_since).ns <= KNOWN_AFTER.ns) {
        return;
    }
    bool is_faulty = scene->fault_at.ns != 0 && scene->fault_at.ns >= judge->lost_since.ns;
    if (is_faulty) {
        findings_excuse(findings, ORACLE_LOSS, event->at, "%s: a buy beyond the day's loss",
                        scene->sent.symbol);
    } else {
        findings_break(findings, ORACLE_LOSS, event->at, "%s: a buy beyond the day's loss",
                       scene->sent.symbol);
    }
}

static void limits_observe(void *context, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (event->kind == EVENT_LEDGER_EQUITY) {
        take_loss(context, findings->scene);
    } else if (event->kind == EVENT_LEDGER_ORDER) {
        judge_positions(context, event, findings);
    } else if (sent->is_new && sent->is_buy) {
        judge_order(event, findings);
        judge_loss(context, event, findings);
    }
}

const struct judge_ops limits_judge = {KIND(EVENT_SEND) | KIND(EVENT_LEDGER_EQUITY) |
                                           KIND(EVENT_LEDGER_ORDER),
                                       limits_create, limits_observe, free};
