/* performance_breaker.c - two rules over closed trades, and the pause that they begin. */
#include "core/risk/performance_breaker.h"

#include "core/base/mutant.h"
#include "core/signals/expectancy.h"

#include <stdio.h>
#include <string.h>

static const char PAUSE_ROW[] = "pause";

/* --- what the trades say --- */

static struct usd sum_of(const struct usd *profits, size_t count) {
    struct usd sum = {0};
    for (size_t i = 0; i < count; i++) {
        sum = usd_add(sum, profits[i]);
    }
    return sum;
}

static bool is_too_much_lost(struct usd profit, struct usd baseline, struct ratio share) {
    struct usd most = usd_scale(baseline, share);
    struct usd loss = usd_neg(profit);
    MUTATE(performance_loss_off_by_one, loss.nanos++);
    MUTATE(performance_loss_ignored, return false);
    return baseline.nanos > 0 && usd_cmp(loss, most) > 0;
}

static void say_losing(const struct expectancy *expectancy, char *why, size_t size) {
    char mean[DECIMAL_TEXT_MAX], upper[DECIMAL_TEXT_MAX];
    decimal_print_places(expectancy->mean.nanos, 2, mean);
    decimal_print_places(expectancy->upper.nanos, 2, upper);
    snprintf(why, size, "%zu closed trades brought %s USD each, with 95 %% confidence below %s",
             expectancy->count, mean, upper);
}

static void say_too_much_lost(size_t count, struct usd profit, char *why, size_t size) {
    char brought[DECIMAL_TEXT_MAX];
    decimal_print_places(profit.nanos, 2, brought);
    snprintf(why, size, "the last %zu closed trades brought %s USD", count, brought);
}

/* Says why in words for people, if there is a reason to pause. */
static bool is_poor(struct performance_breaker *breaker, const struct config *config,
                    struct usd baseline) {
    struct usd profits[CLOSED_TRADES_MAX]; /* the newest first */
    size_t kept = closed_trades_kept(&breaker->trades);
    size_t last = (size_t)config->performance_trades;
    MUTATE(performance_trades_off_by_one, last++);
    if (kept < last) {
        return false;
    }
    for (size_t i = 0; i < kept; i++) {
        profits[i] = closed_trade_profit(closed_trades_newest(&breaker->trades, i));
    }
    struct expectancy expectancy = expectancy_of(profits, kept);
    struct usd lately = sum_of(profits, last);
    if (expectancy.is_losing) {
        say_losing(&expectancy, breaker->why, sizeof breaker->why);
        return true;
    }
    if (is_too_much_lost(lately, baseline, config->performance_loss_share)) {
        say_too_much_lost(last, lately, breaker->why, sizeof breaker->why);
        return true;
    }
    return false;
}

/* --- the pause --- */

/* Durable first; in memory it holds either way. */
static void note(const struct performance_breaker *breaker, const struct causes *causes) {
    struct text body = {.limit = 1024};
    text_add_char(&body, '{');
    stamp_print(&breaker->since, &body);
    text_member_utc(&body, "broker", breaker->since_broker);
    text_member_int(&body, "judged_to", breaker->judged_to);
    text_member_string(&body, "why", breaker->why);
    text_add_char(&body, '}');
    if (causes->journal != NULL && journal_append(causes->journal, PAUSE_ROW, PERFORMANCE_CAUSE,
                                                  text_get(&body), NULL, NULL) == ERR_OK) {
        (void)!journal_commit(causes->journal, NULL);
    }
    text_release(&body);
}

static void tell(struct performance_breaker *breaker, struct causes *causes) {
    breaker->is_told = true;
    causes_hold(causes, PERFORMANCE_CAUSE, MODE_CAUTION, breaker->why);
    log_alert(causes->log, ALERT_WARN, PERFORMANCE_CAUSE, breaker->why);
}

static void trip(struct performance_breaker *breaker, struct causes *causes, struct utc broker) {
    breaker->is_on = true;
    breaker->since = stamp_now(causes->world);
    breaker->since_broker = broker;
    breaker->waited = (struct span){0};
    breaker->judged_to = closed_trades_newest(&breaker->trades, 0)->seq;
    note(breaker, causes);
    tell(breaker, causes);
}

/* From one boot to another nothing is known of its time before the broker has told his. */
static bool is_time_known(const struct performance_breaker *breaker, const struct causes *causes,
                          struct utc broker) {
    struct stamp now = stamp_now(causes->world);
    return broker.ns != 0 || stamp_is_same_boot(&breaker->since, &now);
}

/* One that an earlier boot began before the broker had told his clock: no clock says when. */
static void begin_anew(struct performance_breaker *breaker, const struct causes *causes,
                       struct utc broker) {
    struct stamp now = stamp_now(causes->world);
    if (breaker->since_broker.ns == 0 && !stamp_is_same_boot(&breaker->since, &now)) {
        breaker->since = now;
        breaker->since_broker = broker;
    }
}

static void go_on(struct performance_breaker *breaker, struct causes *causes,
                  const struct config *config, struct utc broker) {
    begin_anew(breaker, causes, broker);
    struct stamp now = stamp_now(causes->world);
    breaker->waited = stamp_waited(&breaker->since, &now, breaker->since_broker, broker);
    MUTATE(performance_pause_off_by_one, breaker->waited.ns--);
    MUTATE(performance_pause_never_ends, breaker->waited.ns = 0);
    if (breaker->waited.ns < config->performance_pause.ns) {
        if (!breaker->is_told) {
            tell(breaker, causes);
        }
        return;
    }
    if (breaker->is_told) {
        causes_let_go(causes, PERFORMANCE_CAUSE);
        log_alert_over(causes->log, PERFORMANCE_CAUSE);
    }
    breaker->is_on = breaker->is_told = false;
}

void performance_breaker_step(struct performance_breaker *breaker, struct causes *causes,
                              const struct config *config, struct usd baseline, struct utc broker) {
    MUTATE(performance_breaker_ignored, return);
    if (breaker->is_on && is_time_known(breaker, causes, broker)) {
        go_on(breaker, causes, config, broker);
    }
    if (breaker->is_on || closed_trades_kept(&breaker->trades) == 0) {
        return;
    }
    bool is_news = closed_trades_newest(&breaker->trades, 0)->seq > breaker->judged_to;
    MUTATE(performance_judged_twice, is_news = true);
    if (is_news && is_poor(breaker, config, baseline)) {
        trip(breaker, causes, broker);
    }
}

/* --- rows --- */

/* What this life journaled says what it knows. */
static void take_pause(struct performance_breaker *breaker, const struct journal_row *row) {
    cJSON *body = NULL;
    MUTATE(performance_lost_at_restart, return);
    breaker->is_on = true;
    breaker->since_broker = (struct utc){0};
    (void)!json_parse(row->body, strlen(row->body), &body, NULL);
    breaker->since = stamp_read(body, row->at);
    (void)!json_utc(body, "broker", &breaker->since_broker, NULL);
    (void)!json_int(body, "judged_to", &breaker->judged_to, NULL);
    if (json_copy(body, "why", breaker->why, sizeof breaker->why, NULL) != ERR_OK) {
        strcpy(breaker->why, "an earlier life paused, and its row does not say why");
    }
    cJSON_Delete(body);
}

void performance_breaker_take(struct performance_breaker *breaker, const struct journal_row *row) {
    closed_trades_take(&breaker->trades, row);
    if (strcmp(row->kind, PAUSE_ROW) == 0 && strcmp(row->key, PERFORMANCE_CAUSE) == 0) {
        take_pause(breaker, row);
    }
}
