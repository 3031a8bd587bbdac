/* test_metrics.c - the text that a scraper reads, and histograms at their bounds. */
#include "core/base/decimal.h"
#include "core/health/metrics.h"

#include <criterion/criterion.h>
#include <string.h>

Test(metrics, a_text_is_help_type_samples_and_an_end) {
    struct text out = {0};
    metrics_single(&out, METRIC_TICKS, 12 * NANOS);
    metrics_begin(&out, METRIC_MODE);
    metrics_sample(&out, METRIC_MODE, "HALT", NANOS / 4);
    metrics_end(&out);
    cr_expect_str_eq(text_get(&out), "# HELP seatrial_ticks_total ticks since the start\n"
                                     "# TYPE seatrial_ticks_total counter\n"
                                     "seatrial_ticks_total 12\n"
                                     "# HELP seatrial_mode 1 for the effective mode, else 0\n"
                                     "# TYPE seatrial_mode gauge\n"
                                     "seatrial_mode{mode=\"HALT\"} 0.25\n"
                                     "# EOF\n");
    text_release(&out);
}

Test(metrics, a_histogram_counts_up_to_and_with_each_bound) {
    struct histogram histogram = {0};
    struct text out = {0};
    histogram_note(&histogram, &HISTOGRAM_SECONDS, 10000000);
    histogram_note(&histogram, &HISTOGRAM_SECONDS, 10000001);
    histogram_note(&histogram, &HISTOGRAM_SECONDS, 10 * NANOS);
    histogram_note(&histogram, &HISTOGRAM_SECONDS, 10 * NANOS + 1);
    cr_expect_eq(histogram_count(&histogram), 4);
    metrics_histogram(&out, METRIC_REQUEST_SECONDS, "bars", &histogram, &HISTOGRAM_SECONDS);
    const char *text = text_get(&out);
    cr_expect(strstr(text, "seatrial_request_seconds_bucket{endpoint=\"bars\",le=\"0.01\"} 1\n"));
    cr_expect(strstr(text, "seatrial_request_seconds_bucket{endpoint=\"bars\",le=\"0.025\"} 2\n"));
    cr_expect(strstr(text, "seatrial_request_seconds_bucket{endpoint=\"bars\",le=\"10\"} 3\n"));
    cr_expect(strstr(text, "seatrial_request_seconds_bucket{endpoint=\"bars\",le=\"+Inf\"} 4\n"));
    cr_expect(strstr(text, "seatrial_request_seconds_sum{endpoint=\"bars\"} 20.020000002\n"));
    cr_expect(strstr(text, "seatrial_request_seconds_count{endpoint=\"bars\"} 4\n"));
    text_release(&out);
}

Test(metrics, a_loss_and_a_gain_fall_to_either_side_of_zero) {
    struct histogram histogram = {0};
    histogram_note(&histogram, &HISTOGRAM_BPS, -60 * NANOS);
    histogram_note(&histogram, &HISTOGRAM_BPS, 0);
    histogram_note(&histogram, &HISTOGRAM_BPS, 1);
    histogram_note(&histogram, &HISTOGRAM_BPS, 101 * NANOS);
    cr_expect_eq(histogram.counts[0], 1);
    cr_expect_eq(histogram.counts[5], 1, "up to zero");
    cr_expect_eq(histogram.counts[6], 1);
    cr_expect_eq(histogram.counts[HISTOGRAM_BUCKETS], 1);
}
