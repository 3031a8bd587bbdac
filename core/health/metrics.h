/* metrics.h - one registry: every number that this program tells a scraper, its type, its help and its label.
 *
 * Text of the Prometheus exposition format 0.0.4, in which HELP and TYPE name a counter with its `_total`, and
 * with the `# EOF` of OpenMetrics behind it: a reader of either sees whether the file is whole. One label at
 * the most, from a closed vocabulary of this program: never a symbol, an order or a text. Counters are since
 * the core's start. */
#ifndef CORE_HEALTH_METRICS_H
#define CORE_HEALTH_METRICS_H

#include "core/base/histogram.h"
#include "core/base/text.h"

/* metric, name, type, label or "", help */
#define METRICS(X)                                                                                 \
    X(METRIC_BUILD, "seatrial_build_info", "gauge", "build", "1, with the hash of the source")     \
    X(METRIC_TICKS, "seatrial_ticks_total", "counter", "", "ticks since the start")                \
    X(METRIC_TICK_SECONDS, "seatrial_tick_seconds", "histogram", "", "how long a tick took")       \
    X(METRIC_MODE, "seatrial_mode", "gauge", "mode", "1 for the effective mode, else 0")           \
    X(METRIC_MODE_SECONDS, "seatrial_mode_seconds_total", "counter", "mode",                       \
      "seconds in each mode since the start")                                                      \
    X(METRIC_CAUSES, "seatrial_causes", "gauge", "hold", "causes in force, latched or not")        \
    X(METRIC_KILL, "seatrial_kill_firing", "gauge", "", "1 while the kill switch is FIRING")       \
    X(METRIC_BREAKER, "seatrial_breaker_open", "gauge", "endpoint",                                \
      "1 while the endpoint's breaker is open or half open")                                       \
    X(METRIC_REQUESTS, "seatrial_requests_total", "counter", "endpoint",                           \
      "requests handed to the network")                                                            \
    X(METRIC_REQUEST_SECONDS, "seatrial_request_seconds", "histogram", "endpoint",                 \
      "from there to the answer, or to knowing that none comes")                                   \
    X(METRIC_REQUESTS_FAILED, "seatrial_requests_failed_total", "counter", "endpoint",             \
      "of those, without an answer or answered 5xx")                                               \
    X(METRIC_REQUESTS_REFUSED, "seatrial_requests_refused_total", "counter", "endpoint",           \
      "of those, answered 4xx")                                                                    \
    X(METRIC_HELD_BACK, "seatrial_requests_held_back_total", "counter", "by",                      \
      "requests that never left, for the rate budget or a breaker")                                \
    X(METRIC_ORDERS, "seatrial_orders_ended_total", "counter", "purpose",                          \
      "orders that the broker ended")                                                              \
    X(METRIC_ORDERS_FILLED, "seatrial_orders_filled_total", "counter", "purpose",                  \
      "of those, filled in whole")                                                                 \
    X(METRIC_ORDERED, "seatrial_ordered_shares_total", "counter", "purpose",                       \
      "shares that they asked for")                                                                \
    X(METRIC_FILLED, "seatrial_filled_shares_total", "counter", "purpose",                         \
      "shares that they got: over the one above, the fill rate")                                   \
    X(METRIC_SLIPPAGE_DECISION, "seatrial_slippage_decision_bps", "histogram", "purpose",          \
      "what a fill cost beyond the middle of the quote at the decision, in basis points")          \
    X(METRIC_SLIPPAGE_ARRIVAL, "seatrial_slippage_arrival_bps", "histogram", "purpose",            \
      "the same beyond the first quote that was seen with the order at the broker")                \
    X(METRIC_REFUSALS, "seatrial_refusals_total", "counter", "code",                               \
      "entries that a rule of ours refused")                                                       \
    X(METRIC_UNKNOWN, "seatrial_unknown_orders", "gauge", "", "orders of unknown fate")            \
    X(METRIC_UNKNOWN_AGE, "seatrial_unknown_order_age_seconds", "gauge", "",                       \
      "age of the oldest of them")                                                                 \
    X(METRIC_POSITIONS, "seatrial_positions", "gauge", "", "positions held")                       \
    X(METRIC_GROSS, "seatrial_gross_dollars", "gauge", "", "their value at the trusted marks")     \
    X(METRIC_NAKED, "seatrial_naked_dollars", "gauge", "", "of that, without a live stop")         \
    X(METRIC_NAKED_SECONDS, "seatrial_naked_dollar_seconds_total", "counter", "",                  \
      "the same, times the seconds it stood so")                                                   \
    X(METRIC_EQUITY, "seatrial_equity_dollars", "gauge", "", "as the broker last said")            \
    X(METRIC_BASELINE, "seatrial_baseline_dollars", "gauge", "", "equity at the day's baseline")   \
    X(METRIC_PEAK, "seatrial_peak_dollars", "gauge", "", "highest equity")                         \
    X(METRIC_HEALED, "seatrial_healings_helped_total", "counter", "check",                         \
      "healings behind which the check was well")                                                  \
    X(METRIC_HEALING_FAILED, "seatrial_healings_failed_total", "counter", "check",                 \
      "healings behind which it was not")                                                          \
    X(METRIC_ALERTS, "seatrial_alerts_total", "counter", "severity", "alerts that were told")      \
    X(METRIC_OUTBOX, "seatrial_outbox_files_left_total", "counter", "",                            \
      "alerts left in the outbox for a courier")                                                   \
    X(METRIC_ERRORS, "seatrial_errors_total", "counter", "component",                              \
      "saves, commits and log lines that failed")

enum metric {
#define X(metric, name, type, label, help) metric,
    METRICS(X)
#undef X
        METRIC_COUNT
};

/* Begins a metric: HELP and TYPE. Each at most once in a text. */
void metrics_begin(struct text *out, enum metric metric);
/* A sample; word is the label's value, "" for a metric without one. Values are nanos of the unit. */
void metrics_sample(struct text *out, enum metric metric, const char *word, int64_t nanos);
/* The samples of a histogram. */
void metrics_histogram(struct text *out, enum metric metric, const char *word,
                       const struct histogram *histogram, const struct histogram_bounds *bounds);
/* begin, and the one sample of a metric without a label. */
void metrics_single(struct text *out, enum metric metric, int64_t nanos);
void metrics_end(struct text *out);

#endif
