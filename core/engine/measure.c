/* measure.c - what the metrics tell: counted as ticks go by, printed once a cycle and at the end. */
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/health/metrics.h"
#include "core/state/state_file.h"

#include <string.h>

/* --- orders --- */

static struct usd mid_of(const struct broker_quote *quote) {
    bool has_both = quote->is_known && quote->bid.nanos > 0 && quote->ask.nanos > 0;
    return (struct usd){has_both ? quote->bid.nanos / 2 + quote->ask.nanos / 2 : 0};
}

/* Quotes come once a tick: those of the tick in which an order is first seen are those it was decided on. */
static void look_at_quote(struct engine *engine, struct order *order) {
    if (order->purpose == PURPOSE_STOP || order->arrival_mid.nanos != 0) {
        return; /* nothing is asked of it, or all is known */
    }
    int index = universe_find(engine->config, order->symbol);
    if (index < 0) {
        return;
    }
    const struct broker_quote *quote = &engine->truth.quotes[index];
    if (order->quoted_at.ns == 0 && order->state != ORDER_INTENT && order->sent_at.ns == 0) {
        order->quoted_at =
            (struct utc){1}; /* an earlier life decided it: nothing is known of that */
        order->arrival_mid = (struct usd){-1};
    } else if (order->quoted_at.ns == 0) {
        order->quoted_at = quote->at.ns == 0 ? (struct utc){1} : quote->at;
        order->decision_mid = mid_of(quote);
    } else if (order->arrival_mid.nanos == 0 && order->state != ORDER_INTENT &&
               order->quoted_at.ns != quote->at.ns) {
        order->arrival_mid = mid_of(quote);
    }
}

static void note_slippage(struct histogram *histogram, const struct order *order, struct usd mid) {
    int64_t bps = 0;
    if (order_slippage(order, mid, &bps)) {
        histogram_note(histogram, &HISTOGRAM_BPS, bps);
    }
}

/* A resting stop waits for its price: what that was at the decision says nothing of its fill. */
static void note_end(struct engine *engine, struct order *order) {
    struct order_meter *meter = &engine->meters.orders[order->purpose];
    bool is_whole = order->filled.nanos >= order->qty.nanos;
    meter->ended++;
    meter->filled += is_whole;
    meter->ordered_shares += order->qty.nanos;
    meter->filled_shares += order->filled.nanos;
    if (order->filled.nanos > 0 && order->purpose != PURPOSE_STOP) {
        note_slippage(&meter->decision, order, order->decision_mid);
        note_slippage(&meter->arrival, order, order->arrival_mid);
    }
    order->is_measured = true;
}

void measure_orders(struct engine *engine) {
    for (size_t i = 0; i < engine->orders.count; i++) {
        struct order *order = &engine->orders.items[i];
        if (!order->is_measured) {
            look_at_quote(engine, order);
        }
        bool is_given_up = order->state == ORDER_LOST || order->state == ORDER_NOT_SENT;
        if (!order->is_measured && order_is_over(order) && !is_given_up) { /* it may come back */
            note_end(engine, order);
        }
    }
}

/* --- ticks --- */

struct exposure {
    int64_t positions;
    struct usd gross, naked;
};

static struct exposure exposure_of(const struct engine *engine) {
    struct exposure out = {0};
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        struct usd value = {0};
        if (holding->qty.nanos == 0 ||
            usd_times_qty(holding->mark, holding->qty, &value, NULL) != ERR_OK) {
            continue;
        }
        out.positions++;
        value = usd_abs(value); /* a short one is money at risk too, not a credit */
        out.gross = usd_add(out.gross, value);
        out.naked = holding->is_naked ? usd_add(out.naked, value) : out.naked;
    }
    return out;
}

void measure_tick(struct engine *engine, struct mono began, bool is_committed) {
    struct meters *meters = &engine->meters;
    struct mono now = clock_mono(engine->world->clock);
    struct span since = mono_sub(now, meters->at.ns == 0 ? began : meters->at);
    int64_t naked = 0;
    histogram_note(&meters->ticks, &HISTOGRAM_SECONDS, mono_sub(now, began).ns);
    meters->mode_ns[meters->mode] += since.ns;
    if (decimal_mul_div(meters->naked.nanos, since.ns, NANOS, &naked, NULL) == ERR_OK &&
        naked <= INT64_MAX - meters->naked_dollar_seconds) {
        meters->naked_dollar_seconds += naked;
    }
    meters->failed_commits += !is_committed;
    meters->mode = causes_mode(&engine->causes);
    meters->naked = exposure_of(engine).naked;
    meters->at = now;
}

/* --- printing --- */

static void print_times(const struct engine *engine, struct text *out) {
    const struct meters *meters = &engine->meters;
    metrics_single(out, METRIC_TICKS, engine->tick * NANOS);
    metrics_begin(out, METRIC_TICK_SECONDS);
    metrics_histogram(out, METRIC_TICK_SECONDS, "", &meters->ticks, &HISTOGRAM_SECONDS);
    metrics_begin(out, METRIC_MODE);
    for (int i = MODE_NORMAL; i <= MODE_HALT; i++) {
        metrics_sample(out, METRIC_MODE, mode_word((enum mode)i),
                       causes_mode(&engine->causes) == (enum mode)i ? NANOS : 0);
    }
    metrics_begin(out, METRIC_MODE_SECONDS);
    for (int i = MODE_NORMAL; i <= MODE_HALT; i++) {
        metrics_sample(out, METRIC_MODE_SECONDS, mode_word((enum mode)i), meters->mode_ns[i]);
    }
}

static void print_causes(const struct engine *engine, struct text *out) {
    int64_t latched = 0;
    for (size_t i = 0; i < engine->causes.count; i++) {
        latched += engine->causes.items[i].is_latched;
    }
    metrics_begin(out, METRIC_CAUSES);
    metrics_sample(out, METRIC_CAUSES, "latched", latched * NANOS);
    metrics_sample(out, METRIC_CAUSES, "while_true",
                   ((int64_t)engine->causes.count - latched) * NANOS);
    metrics_single(out, METRIC_KILL, engine->kill.is_firing ? NANOS : 0);
}

static void print_endpoints(const struct engine *engine, struct text *out, enum metric metric) {
    unsigned tripped = alpaca_tripped_breakers(engine->alpaca);
    metrics_begin(out, metric);
    for (int i = 0; i < ENDPOINT_COUNT; i++) {
        const struct alpaca_meter *meter = alpaca_meter(engine->alpaca, (enum alpaca_endpoint)i);
        const char *word = alpaca_endpoint_word((enum alpaca_endpoint)i);
        if (i == ENDPOINT_SNAPSHOTS && meter->requests + meter->refused == 0) {
            continue; /* asked for by choice alone */
        }
        if (metric == METRIC_REQUEST_SECONDS) {
            metrics_histogram(out, metric, word, &meter->seconds, &HISTOGRAM_SECONDS);
        } else {
            int64_t value = metric == METRIC_REQUESTS           ? meter->requests
                            : metric == METRIC_REQUESTS_FAILED  ? meter->failed
                            : metric == METRIC_REQUESTS_REFUSED ? meter->refused
                                                                : (int64_t)(tripped >> i & 1);
            metrics_sample(out, metric, word, value * NANOS);
        }
    }
}

static void print_requests(const struct engine *engine, struct text *out) {
    const struct alpaca_counts counts = alpaca_counts(engine->alpaca);
    print_endpoints(engine, out, METRIC_BREAKER);
    print_endpoints(engine, out, METRIC_REQUESTS);
    print_endpoints(engine, out, METRIC_REQUEST_SECONDS);
    print_endpoints(engine, out, METRIC_REQUESTS_FAILED);
    print_endpoints(engine, out, METRIC_REQUESTS_REFUSED);
    metrics_begin(out, METRIC_HELD_BACK);
    metrics_sample(out, METRIC_HELD_BACK, "rate_budget", counts.held_back * NANOS);
    metrics_sample(out, METRIC_HELD_BACK, "circuit_breaker", counts.barred * NANOS);
}

static void print_purposes(const struct engine *engine, struct text *out, enum metric metric) {
    metrics_begin(out, metric);
    for (int i = PURPOSE_ENTRY; i <= PURPOSE_STOP; i++) {
        const struct order_meter *meter = &engine->meters.orders[i];
        const char *word = order_purpose_word((enum order_purpose)i);
        bool is_slippage = metric == METRIC_SLIPPAGE_DECISION || metric == METRIC_SLIPPAGE_ARRIVAL;
        if (is_slippage && i != PURPOSE_STOP) {
            metrics_histogram(out, metric, word,
                              metric == METRIC_SLIPPAGE_DECISION ? &meter->decision
                                                                 : &meter->arrival,
                              &HISTOGRAM_BPS);
        } else if (!is_slippage) {
            int64_t value = metric == METRIC_ORDERS          ? meter->ended * NANOS
                            : metric == METRIC_ORDERS_FILLED ? meter->filled * NANOS
                            : metric == METRIC_ORDERED       ? meter->ordered_shares
                                                             : meter->filled_shares;
            metrics_sample(out, metric, word, value);
        }
    }
}

static void print_orders(const struct engine *engine, struct text *out) {
    struct mono now = clock_mono(engine->world->clock);
    struct utc wall = clock_utc(engine->world->clock);
    int64_t unknown = 0;
    int64_t oldest_ns = 0;
    for (int metric = METRIC_ORDERS; metric <= METRIC_SLIPPAGE_ARRIVAL; metric++) {
        print_purposes(engine, out, (enum metric)metric);
    }
    metrics_begin(out, METRIC_REFUSALS);
    for (int i = 1; i < REFUSAL_CODES; i++) { /* 0 is none */
        metrics_sample(out, METRIC_REFUSALS, refusal_word((enum refusal_code)i),
                       engine->outlook.refused[i] * NANOS);
    }
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        if (order->state == ORDER_UNKNOWN) {
            struct utc asked = order->last_byte_at;
            int64_t age_ns = order->sent_at.ns != 0 ? mono_sub(now, order->sent_at).ns
                                                    : utc_elapsed(&asked, wall).ns;
            oldest_ns = age_ns > oldest_ns ? age_ns : oldest_ns;
            unknown++;
        }
    }
    metrics_single(out, METRIC_UNKNOWN, unknown * NANOS);
    metrics_single(out, METRIC_UNKNOWN_AGE, oldest_ns);
}

static void print_money(const struct engine *engine, struct text *out) {
    struct exposure exposure = exposure_of(engine);
    metrics_single(out, METRIC_POSITIONS, exposure.positions * NANOS);
    metrics_single(out, METRIC_GROSS, exposure.gross.nanos);
    metrics_single(out, METRIC_NAKED, exposure.naked.nanos);
    metrics_single(out, METRIC_NAKED_SECONDS, engine->meters.naked_dollar_seconds);
    metrics_single(out, METRIC_EQUITY, engine->truth.account.equity.nanos);
    metrics_single(out, METRIC_BASELINE, engine->guards.baseline.nanos);
    metrics_single(out, METRIC_PEAK, engine->guards.peak.nanos);
}

static void print_healings(const struct engine *engine, struct text *out, enum metric metric) {
    metrics_begin(out, metric);
    for (int i = 0; i < HEALTH_CHECK_COUNT; i++) {
        const struct health_state *state = &engine->health[i];
        int64_t count = metric == METRIC_HEALED ? state->healed : state->failed;
        metrics_sample(out, metric, health_check_word((enum health_check)i), count * NANOS);
    }
}

static void print_health(const struct engine *engine, struct text *out) {
    const struct alerts *alerts = &engine->log.alerts;
    print_healings(engine, out, METRIC_HEALED);
    print_healings(engine, out, METRIC_HEALING_FAILED);
    metrics_begin(out, METRIC_ALERTS);
    for (int i = ALERT_INFO; i <= ALERT_PAGE; i++) {
        metrics_sample(out, METRIC_ALERTS, alert_severity_word((enum alert_severity)i),
                       alerts->told[i] * NANOS);
    }
    metrics_single(out, METRIC_OUTBOX, alerts->left * NANOS);
    metrics_begin(out, METRIC_ERRORS);
    metrics_sample(out, METRIC_ERRORS, "journal", engine->meters.failed_commits * NANOS);
    metrics_sample(out, METRIC_ERRORS, "documents",
                   (engine->meters.failed_documents + engine->causes.failed_saves) * NANOS);
    metrics_sample(out, METRIC_ERRORS, "log", engine->log.lost_ever * NANOS);
    metrics_sample(out, METRIC_ERRORS, "outbox", alerts->failed * NANOS);
}

/* Never made durable: nobody recovers from it. */
void show_metrics(struct engine *engine) {
    struct text *out = &engine->scratch;
    text_clear(out);
    metrics_begin(out, METRIC_BUILD);
    metrics_sample(out, METRIC_BUILD, engine->build, NANOS);
    print_times(engine, out);
    print_causes(engine, out);
    print_requests(engine, out);
    print_orders(engine, out);
    print_money(engine, out);
    print_health(engine, out);
    MUTATE(order_named_in_metrics, if (engine->orders.count > 0) { text_add(out, engine->orders.items[0].client_id); text_add(out, " 1\n"); });
    metrics_end(out);
    MUTATE(metrics_ignored, return);
    (void)!state_file_publish(engine->world, "metrics.prom", text_get(out), out->len, NULL);
}
