/* metrics.c - the exposition format, written directly. */
#include "core/health/metrics.h"

#include "core/base/check.h"
#include "core/base/decimal.h"

#include <string.h>

static const struct {
    const char *name, *type, *label, *help;
} TABLE[METRIC_COUNT] = {
#define X(metric, name, type, label, help) {name, type, label, help},
    METRICS(X)
#undef X
};

void metrics_begin(struct text *out, enum metric metric) {
    text_add(out, "# HELP ");
    text_add(out, TABLE[metric].name);
    text_add_char(out, ' ');
    text_add(out, TABLE[metric].help);
    text_add(out, "\n# TYPE ");
    text_add(out, TABLE[metric].name);
    text_add_char(out, ' ');
    text_add(out, TABLE[metric].type);
    text_add_char(out, '\n');
}

/* Words of this program alone are label values: nothing in them needs an escape. */
static void add_label(struct text *out, const char *label, const char *word) {
    CHECK(word[strcspn(word, "\"\\\n")] == '\0');
    text_add(out, label);
    text_add(out, "=\"");
    text_add(out, word);
    text_add_char(out, '"');
}

static void add_line(struct text *out, enum metric metric, const char *suffix, const char *word,
                     const char *bound) {
    const char *label = TABLE[metric].label;
    bool has_word = label[0] != '\0';
    CHECK(has_word == (word[0] != '\0'));
    text_add(out, TABLE[metric].name);
    text_add(out, suffix);
    if (has_word || bound != NULL) {
        text_add_char(out, '{');
        if (has_word) {
            add_label(out, label, word);
        }
        if (bound != NULL) {
            text_add(out, has_word ? "," : "");
            add_label(out, "le", bound);
        }
        text_add_char(out, '}');
    }
    text_add_char(out, ' ');
}

void metrics_sample(struct text *out, enum metric metric, const char *word, int64_t nanos) {
    add_line(out, metric, "", word, NULL);
    text_add_decimal(out, nanos);
    text_add_char(out, '\n');
}

void metrics_histogram(struct text *out, enum metric metric, const char *word,
                       const struct histogram *histogram, const struct histogram_bounds *bounds) {
    int64_t below = 0;
    for (size_t i = 0; i < bounds->count; i++) {
        char bound[DECIMAL_TEXT_MAX];
        decimal_print(bounds->nanos[i], bound);
        below += histogram->counts[i];
        add_line(out, metric, "_bucket", word, bound);
        text_add_int(out, below);
        text_add_char(out, '\n');
    }
    int64_t count = histogram_count(histogram);
    add_line(out, metric, "_bucket", word, "+Inf");
    text_add_int(out, count);
    text_add_char(out, '\n');
    add_line(out, metric, "_sum", word, NULL);
    text_add_decimal(out, histogram->sum_nanos);
    text_add_char(out, '\n');
    add_line(out, metric, "_count", word, NULL);
    text_add_int(out, count);
    text_add_char(out, '\n');
}

void metrics_single(struct text *out, enum metric metric, int64_t nanos) {
    metrics_begin(out, metric);
    metrics_sample(out, metric, "", nanos);
}

void metrics_end(struct text *out) {
    text_add(out, "# EOF\n");
}
