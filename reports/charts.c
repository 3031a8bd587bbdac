/* charts.c - axes, lines and bands as SVG text. */
#include "reports/charts.h"

#include "core/base/utc.h"
#include "reports/result.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 1000.0 /* user units of every wide chart; the page scales them */
#define ROW 22.0     /* height of a band */
#define DAY 86400.0
#define LABELS_MAX 10
#define NAKED_WORTH_A_MARK_S 30.0 /* every entry is bare for the seconds its stop takes */

/* Where time and amount fall in a picture. */
struct frame {
    double left, right, top, bottom; /* of the plot, in user units */
    double t0, t1;                   /* seconds since 1970 */
    double low, high;                /* amounts at the bottom and the top */
};

static double frame_x(const struct frame *frame, double t) {
    double part = (t - frame->t0) / (frame->t1 - frame->t0);
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return frame->left + part * (frame->right - frame->left);
}

static double frame_y(const struct frame *frame, double amount) {
    return frame->bottom -
           (amount - frame->low) / (frame->high - frame->low) * (frame->bottom - frame->top);
}

/* The voyage's days, the last one included. */
static struct frame frame_of(const cJSON *voyage, double left, double top, double bottom) {
    struct frame frame = {.left = left, .right = WIDTH - 8, .top = top, .bottom = bottom};
    frame.t0 = result_seconds(result_string(voyage, "first"));
    frame.t1 = result_seconds(result_string(voyage, "last")) + DAY;
    if (frame.t1 <= frame.t0) {
        frame.t1 = frame.t0 + DAY;
    }
    return frame;
}

static void open_svg(struct text *out, double height, const char *label) {
    text_add_format(out,
                    "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
                    WIDTH, height);
    report_escape(out, label);
    text_add(out, "\">\n");
}

static void add_line(struct text *out, const char *class, double x1, double y1, double x2,
                     double y2) {
    text_add_format(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                    class, x1, y1, x2, y2);
}

static void add_label(struct text *out, const char *anchor, double x, double y, const char *words) {
    text_add_format(out, "<text text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", anchor, x, y);
    report_escape(out, words);
    text_add(out, "</text>\n");
}

/* Dates under the plot and faint lines through it: at most LABELS_MAX, on whole days. */
static void add_days(struct text *out, const struct frame *frame) {
    int days = (int)((frame->t1 - frame->t0) / DAY);
    int step = (days + LABELS_MAX - 1) / LABELS_MAX;
    for (int day = 0; day < days; day += step < 1 ? 1 : step) {
        double t = frame->t0 + DAY * day;
        char date[DATE_TEXT_MAX];
        date_print((struct date){(int32_t)(t / DAY)}, date);
        add_line(out, "grid", frame_x(frame, t), frame->top, frame_x(frame, t), frame->bottom);
        add_label(out, "start", frame_x(frame, t) + 2, frame->bottom + 15, date + 5);
    }
}

/* A step of 1, 2 or 5 times a power of ten that cuts the range in three to seven. */
static double nice_step(double range) {
    double step = 0.01;
    while (step * 10 < range) {
        step *= 10;
    }
    if (range / step > 5) {
        return 2 * step;
    }
    return range / step > 2.5 ? step : range / step > 1.5 ? step / 2 : step / 5;
}

static void add_amounts(struct text *out, const struct frame *frame) {
    double step = nice_step(frame->high - frame->low);
    double first = (double)(int64_t)(frame->low / step) * step;
    for (double amount = first; amount <= frame->high; amount += step) {
        if (amount < frame->low) {
            continue;
        }
        char words[DECIMAL_TEXT_MAX];
        snprintf(words, sizeof words, step < 1 ? "%.2f" : "%.0f", amount);
        add_line(out, "grid", frame->left, frame_y(frame, amount), frame->right,
                 frame_y(frame, amount));
        add_label(out, "end", frame->left - 6, frame_y(frame, amount) + 4, words);
    }
}

static void widen(struct frame *frame, double amount, bool *is_first) {
    if (*is_first || amount < frame->low) {
        frame->low = amount;
    }
    if (*is_first || amount > frame->high) {
        frame->high = amount;
    }
    *is_first = false;
}

static void pad(struct frame *frame) {
    double margin = (frame->high - frame->low) * 0.06;
    if (margin <= 0) {
        margin = frame->high > 0 ? frame->high * 0.01 : 1;
    }
    frame->low -= margin;
    frame->high += margin;
}

static const char *point_time(const cJSON *point) {
    return point->child->valuestring;
}

static double point_amount(const cJSON *point) {
    return result_value(point->child->next);
}

/* A limit as steps: a point holds until the next, the last one to the end. */
static void add_limit(struct text *out, const struct frame *frame, const cJSON *points,
                      const char *class) {
    if (points->child == NULL) {
        return;
    }
    text_add_format(out, "<path class=\"%s\" d=\"", class);
    double y = 0;
    const cJSON *point;
    cJSON_ArrayForEach(point, points) {
        double x = frame_x(frame, result_seconds(point_time(point)));
        if (point == points->child) {
            text_add_format(out, "M%.1f %.1f", x, frame_y(frame, point_amount(point)));
        } else {
            text_add_format(out, "L%.1f %.1fL%.1f %.1f", x, y, x,
                            frame_y(frame, point_amount(point)));
        }
        y = frame_y(frame, point_amount(point));
    }
    text_add_format(out, "L%.1f %.1f\"/>\n", frame->right, y);
}

static void add_equity_curve(struct text *out, const struct frame *frame, const cJSON *equity) {
    const cJSON *at;
    text_add(out, "<polyline class=\"equity\" points=\"");
    cJSON_ArrayForEach(at, equity) {
        text_add_format(out, "%.1f,%.1f ", frame_x(frame, result_seconds(result_string(at, "t"))),
                        frame_y(frame, result_number(at, "equity")));
    }
    text_add(out, "\"/>\n");
}

/* A far floor would flatten everything else: then it is in words alone. */
static bool is_floor_drawn(const struct frame *frame, const cJSON *limits) {
    double floor = result_number(limits, "floor");
    return !json_is_null(limits, "floor") && floor >= frame->low && floor <= frame->high;
}

static void add_equity_key(struct text *out, const struct frame *frame, const cJSON *limits) {
    text_add(out, "<p class=\"key\"><i class=\"k-equity\"></i>equity <i class=\"k-daily\"></i>"
                  "daily loss trips here <i class=\"k-drawdown\"></i>drawdown trips here");
    if (is_floor_drawn(frame, limits)) {
        text_add(out, " <i class=\"k-floor\"></i>floor");
    } else if (!json_is_null(limits, "floor")) {
        text_add_format(out, " <i class=\"k-floor\"></i>floor %.0f, outside the picture",
                        result_number(limits, "floor"));
    }
    text_add(out, "</p>\n");
}

void chart_equity(struct text *out, const cJSON *voyage) {
    const cJSON *limits = json_member(voyage, "limits");
    const cJSON *equity = json_member(voyage, "equity");
    struct frame frame = frame_of(voyage, 76, 8, 252);
    bool is_first = true;
    const cJSON *item;
    cJSON_ArrayForEach(item, equity) {
        widen(&frame, result_number(item, "equity"), &is_first);
    }
    cJSON_ArrayForEach(item, json_member(limits, "daily_loss_at")) {
        widen(&frame, point_amount(item), &is_first);
    }
    cJSON_ArrayForEach(item, json_member(limits, "drawdown_at")) {
        widen(&frame, point_amount(item), &is_first);
    }
    if (is_first) {
        text_add(out, "<p class=\"none\">No equity was recorded.</p>\n");
        return;
    }
    pad(&frame);
    add_equity_key(out, &frame, limits);
    open_svg(out, 272, "Equity against its limits");
    add_days(out, &frame);
    add_amounts(out, &frame);
    add_limit(out, &frame, json_member(limits, "daily_loss_at"), "daily");
    add_limit(out, &frame, json_member(limits, "drawdown_at"), "drawdown");
    if (is_floor_drawn(&frame, limits)) {
        double y = frame_y(&frame, result_number(limits, "floor"));
        add_line(out, "floor", frame.left, y, frame.right, y);
    }
    add_equity_curve(out, &frame, equity);
    text_add(out, "</svg>\n");
}

/* A bar with words that show when the pointer rests on it. */
static void add_bar(struct text *out, const char *class, double x1, double x2, double y,
                    const char *words) {
    double width = x2 - x1 < 2 ? 2 : x2 - x1;
    text_add_format(out,
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                    "rx=\"2\"><title>",
                    class, x1, y + 4, width, ROW - 8);
    report_escape(out, words);
    text_add(out, "</title></rect>\n");
}

static const char *mode_class(const char *mode) {
    return strcmp(mode, "NORMAL") == 0        ? "m-normal"
           : strcmp(mode, "CAUTION") == 0     ? "m-caution"
           : strcmp(mode, "REDUCE_ONLY") == 0 ? "m-reduce"
                                              : "m-halt";
}

static void add_modes(struct text *out, const struct frame *frame, const cJSON *modes) {
    const cJSON *mode;
    cJSON_ArrayForEach(mode, modes) {
        struct text words = {0};
        text_add_format(&words, "%s from %s to %s", result_string(mode, "mode"),
                        result_string(mode, "from"), result_string(mode, "to"));
        const cJSON *cause;
        cJSON_ArrayForEach(cause, json_member(mode, "causes")) {
            text_add_format(&words, " - %s", cause->valuestring);
        }
        add_bar(out, mode_class(result_string(mode, "mode")),
                frame_x(frame, result_seconds(result_string(mode, "from"))),
                frame_x(frame, result_seconds(result_string(mode, "to"))), frame->top,
                text_get(&words));
        text_release(&words);
    }
    add_label(out, "end", frame->left - 8, frame->top + 15, "mode");
}

/* The first item of a list with the same value under a key as this one: an item that is its own
 * leader opens a row. */
static bool opens_row(const cJSON *list, const cJSON *item, const char *key) {
    const cJSON *other;
    cJSON_ArrayForEach(other, list) {
        if (strcmp(result_string(other, key), result_string(item, key)) == 0) {
            return other == item;
        }
    }
    return false;
}

static int count_rows(const cJSON *list, const char *key) {
    int rows = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        rows += opens_row(list, item, key);
    }
    return rows;
}

static void add_latch(struct text *out, const struct frame *frame, const cJSON *latch, double y) {
    bool is_open = json_is_null(latch, "cleared");
    struct text words = {0};
    text_add_format(&words, "%s set %s, %s%s: %s", result_string(latch, "cause"),
                    result_string(latch, "set"), is_open ? "never cleared" : "cleared ",
                    result_string(latch, "cleared"), result_string(latch, "why"));
    add_bar(out, is_open ? "latch open" : "latch",
            frame_x(frame, result_seconds(result_string(latch, "set"))),
            is_open ? frame->right
                    : frame_x(frame, result_seconds(result_string(latch, "cleared"))),
            y, text_get(&words));
    text_release(&words);
}

/* All latches of one cause, in its row. */
static void add_latch_row(struct text *out, const struct frame *frame, const cJSON *latches,
                          const char *cause, double y) {
    const cJSON *latch;
    cJSON_ArrayForEach(latch, latches) {
        if (strcmp(result_string(latch, "cause"), cause) == 0) {
            add_latch(out, frame, latch, y);
        }
    }
    add_label(out, "end", frame->left - 8, y + 15, cause);
}

void chart_modes(struct text *out, const cJSON *voyage) {
    const cJSON *latches = json_member(voyage, "latches");
    int rows = 1 + count_rows(latches, "cause");
    struct frame frame = frame_of(voyage, 190, 4, 4 + ROW * rows);
    text_add(out,
             "<p class=\"key\"><i class=\"m-normal\"></i>normal <i class=\"m-caution\"></i>caution "
             "<i class=\"m-reduce\"></i>reduce only <i class=\"m-halt\"></i>halt "
             "<i class=\"latch\"></i>latch, cleared <i class=\"latch open\"></i>latch, still set"
             "</p>\n");
    open_svg(out, frame.bottom + 20, "Modes and latches over time");
    add_days(out, &frame);
    add_modes(out, &frame, json_member(voyage, "modes"));
    double y = frame.top;
    const cJSON *latch;
    cJSON_ArrayForEach(latch, latches) {
        if (opens_row(latches, latch, "cause")) {
            y += ROW;
            add_latch_row(out, &frame, latches, result_string(latch, "cause"), y);
        }
    }
    text_add(out, "</svg>\n");
}

static void add_position(struct text *out, const struct frame *frame, const cJSON *position,
                         double y) {
    bool is_open = json_is_null(position, "to");
    double x1 = frame_x(frame, result_seconds(result_string(position, "from")));
    double x2 =
        is_open ? frame->right : frame_x(frame, result_seconds(result_string(position, "to")));
    struct text words = {0};
    text_add_format(&words, "%s x %.9g from %s to %s, %s, P&L %.2f, %.0f s without protection",
                    result_string(position, "symbol"), result_number(position, "qty"),
                    result_string(position, "from"),
                    is_open ? "the end" : result_string(position, "to"),
                    is_open ? "open" : result_string(position, "exit_reason"),
                    result_number(position, "pnl"), result_number(position, "naked_s"));
    const char *class = is_open                              ? "p-open"
                        : result_number(position, "pnl") < 0 ? "p-loss"
                                                             : "p-gain";
    add_bar(out, class, x1, x2, y, text_get(&words));
    text_release(&words);
    if (result_number(position, "naked_s") > NAKED_WORTH_A_MARK_S) {
        double safe =
            json_is_null(position, "protected_from")
                ? x2
                : frame_x(frame, result_seconds(result_string(position, "protected_from")));
        text_add_format(
            out, "<rect class=\"naked\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"3\"/>\n", x1,
            y + ROW - 4, safe - x1 < 2 ? 2 : safe - x1);
    }
}

/* Each red mark in words. */
static void add_naked_notes(struct text *out, const cJSON *positions) {
    const cJSON *position;
    int named = 0;
    cJSON_ArrayForEach(position, positions) {
        if (result_number(position, "naked_s") > NAKED_WORTH_A_MARK_S) {
            text_add(out, named++ == 0 ? "<p class=\"key\">Without a resting stop: " : "; ");
            report_escape(out, result_string(position, "symbol"));
            text_add_format(out, ", bought %.10s %.8s UTC, for %.0f s",
                            result_string(position, "from"), result_string(position, "from") + 11,
                            result_number(position, "naked_s"));
        }
    }
    text_add(out, named > 0 ? ". Counted on the clock, closed hours too: a fill in the last "
                              "seconds of a session waits for its stop until after the close. What "
                              "is judged (naked_is_paged) are seconds of sessions.</p>\n"
                            : "");
}

static void add_position_row(struct text *out, const struct frame *frame, const cJSON *positions,
                             const char *symbol, double y) {
    const cJSON *position;
    cJSON_ArrayForEach(position, positions) {
        if (strcmp(result_string(position, "symbol"), symbol) == 0) {
            add_position(out, frame, position, y);
        }
    }
    add_label(out, "end", frame->left - 8, y + 15, symbol);
}

void chart_positions(struct text *out, const cJSON *voyage) {
    const cJSON *positions = json_member(voyage, "positions");
    int rows = count_rows(positions, "symbol");
    if (rows == 0) {
        text_add(out, "<p class=\"none\">No position was held.</p>\n");
        return;
    }
    struct frame frame = frame_of(voyage, 76, 4, 4 + ROW * rows);
    text_add(out,
             "<p class=\"key\"><i class=\"p-gain\"></i>closed with gain <i class=\"p-loss\"></i>"
             "closed with loss <i class=\"p-open\"></i>open at the end <i class=\"naked\"></i>"
             "over 30 s without a resting stop</p>\n");
    open_svg(out, frame.bottom + 20, "Positions and their protection");
    add_days(out, &frame);
    double y = frame.top;
    const cJSON *position;
    cJSON_ArrayForEach(position, positions) {
        if (opens_row(positions, position, "symbol")) {
            add_position_row(out, &frame, positions, result_string(position, "symbol"), y);
            y += ROW;
        }
    }
    text_add(out, "</svg>\n");
    add_naked_notes(out, positions);
}

static void add_small(struct text *out, const cJSON *voyage, const cJSON *item) {
    const cJSON *series = json_member(item, "series");
    struct frame frame = frame_of(voyage, 2, 3, 45);
    frame.right = 178;
    bool is_first = true;
    const cJSON *point;
    cJSON_ArrayForEach(point, series) {
        widen(&frame, point_amount(point), &is_first);
    }
    double last = 0;
    double first = is_first ? 0 : point_amount(series->child);
    pad(&frame);
    struct text line = {0};
    cJSON_ArrayForEach(point, series) {
        last = point_amount(point);
        text_add_format(&line, "%.1f,%.1f ", frame_x(&frame, result_seconds(point_time(point))),
                        frame_y(&frame, last));
    }
    text_add(out, "<figure><figcaption><b>");
    report_escape(out, result_string(item, "symbol"));
    text_add_format(out, "</b> %.2f <span>%+.1f %%</span></figcaption>", last,
                    first > 0 ? (last - first) / first * 100 : 0);
    text_add_format(
        out, "<svg viewBox=\"0 0 180 48\"><polyline class=\"%s\" points=\"%s\"/></svg></figure>\n",
        last < first ? "down" : "up", text_get(&line));
    text_release(&line);
}

void chart_market(struct text *out, const cJSON *voyage) {
    const cJSON *item;
    text_add(out, "<div class=\"smalls\">\n");
    cJSON_ArrayForEach(item, json_member(voyage, "market")) {
        add_small(out, voyage, item);
    }
    text_add(out, "</div>\n");
}

/* A name of the program; it may break behind its dots and bars only. */
static void add_name(struct text *out, const char *name) {
    while (*name != '\0') {
        char part[64];
        size_t n = strcspn(name, "._");
        n += name[n] != '\0';
        snprintf(part, sizeof part, "%.*s", (int)n, name);
        report_escape(out, part);
        name += n < sizeof part - 1 ? n : sizeof part - 1;
        text_add(out, *name != '\0' ? "<wbr>" : "");
    }
}

void chart_counts(struct text *out, const char *title, const cJSON *counts) {
    double most = 1;
    const cJSON *count;
    cJSON_ArrayForEach(count, counts) {
        most = count->valuedouble > most ? count->valuedouble : most;
    }
    text_add(out, "<div class=\"counts\"><h4>");
    report_escape(out, title);
    text_add(out, "</h4>\n");
    if (counts->child == NULL) {
        text_add(out, "<p class=\"none\">None.</p>\n");
    }
    cJSON_ArrayForEach(count, counts) {
        text_add(out, "<div class=\"count\"><span>");
        add_name(out, count->string);
        text_add_format(out, "</span><b style=\"width:%.1f%%\"></b><em>%.0f</em></div>\n",
                        count->valuedouble / most * 38, count->valuedouble);
    }
    text_add(out, "</div>\n");
}
