/* sweep.c - a sweep's reach as tables: mechanism by deed, mechanism by fault class, points that fired. */
#include "reports/sweep.h"

#include "reports/charts.h"
#include "reports/result.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 64

/* The middle of a reach word "KIND NAME MORE"; false for another kind, or another end. */
static bool take_name(const char *word, const char *kind, const char *more,
                      char out[static NAME_MAX_LEN]) {
    size_t n = strlen(kind);
    if (strncmp(word, kind, n) != 0 || word[n] != ' ') {
        return false;
    }
    const char *name = word + n + 1;
    const char *end = more[0] == '\0' ? name + strlen(name) : strchr(name, ' ');
    if (end == NULL || (more[0] != '\0' && strcmp(end + 1, more) != 0) ||
        (size_t)(end - name) >= NAME_MAX_LEN) {
        return false;
    }
    memcpy(out, name, (size_t)(end - name));
    out[end - name] = '\0';
    return true;
}

/* Seeds of a word built as printf() would; an empty cell where there are none. */
static void add_cell(struct text *out, const cJSON *reach, const char *format, const char *a,
                     const char *b) {
    char word[3 * NAME_MAX_LEN];
    snprintf(word, sizeof word, format, a, b); /* the formats are this file's own literals */
    const cJSON *seeds = cJSON_GetObjectItemCaseSensitive(reach, word);
    text_add(out, "<td class=\"n\">");
    if (seeds != NULL) {
        text_add_format(out, "%.0f", seeds->valuedouble);
    }
    text_add(out, "</td>");
}

static void add_heads(struct text *out, const char *first, const cJSON *reach) {
    static const char *const deeds[] = {"acted", "held", "released", "died while set"};
    const cJSON *item;
    char name[NAME_MAX_LEN];
    text_add_format(out, "<table class=\"matrix\"><thead><tr><th>%s</th>", first);
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        text_add_format(out, "<th class=\"n\">%s</th>", deeds[i]);
    }
    cJSON_ArrayForEach(item, reach) {
        if (take_name(item->string, "class", "", name)) {
            text_add(out, "<th class=\"n\">");
            report_escape(out, name);
            text_add(out, "</th>");
        }
    }
    text_add(out, "</tr></thead><tbody>\n");
}

static void add_row(struct text *out, const cJSON *reach, const char *mechanism) {
    static const char *const words[] = {"mechanism %s acted%s", "mechanism %s held%s",
                                        "mechanism %s released%s", "crashed %s%s"};
    const cJSON *item;
    char class[NAME_MAX_LEN];
    text_add(out, "<tr><td>");
    report_escape(out, mechanism);
    text_add(out, "</td>");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        add_cell(out, reach, words[i], mechanism, "");
    }
    cJSON_ArrayForEach(item, reach) {
        if (take_name(item->string, "class", "", class)) {
            add_cell(out, reach, "cell %s x %s", mechanism, class);
        }
    }
    text_add(out, "</tr>\n");
}

static void add_matrix(struct text *out, const cJSON *reach) {
    const cJSON *item;
    char name[NAME_MAX_LEN];
    text_add(out, "<h3>Mechanisms, and the fault classes they acted under (seeds)</h3>\n");
    add_heads(out, "mechanism", reach);
    cJSON_ArrayForEach(item, reach) {
        char held[NAME_MAX_LEN + 32];
        bool has_acted = take_name(item->string, "mechanism", "acted", name);
        if (!has_acted && take_name(item->string, "mechanism", "held", name)) {
            snprintf(held, sizeof held, "mechanism %s acted", name);
            has_acted = cJSON_GetObjectItemCaseSensitive(reach, held) == NULL;
        }
        if (has_acted) {
            add_row(out, reach, name);
        }
    }
    text_add(out, "</tbody></table>\n");
}

static void add_counts(struct text *out, const char *title, const cJSON *reach, const char *kind) {
    const cJSON *item;
    char name[NAME_MAX_LEN];
    cJSON *counts = cJSON_CreateObject();
    cJSON_ArrayForEach(item, reach) {
        if (take_name(item->string, kind, "", name)) {
            (void)cJSON_AddNumberToObject(counts, name, item->valuedouble);
        }
    }
    if (counts != NULL && counts->child != NULL) {
        chart_counts(out, title, counts);
    }
    cJSON_Delete(counts);
}

static void add_discovery(struct text *out, const cJSON *totals) {
    const cJSON *step;
    const char *between = "<p class=\"soft\">New moves of orders up to seed: ";
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(totals, "discovery")) {
        const cJSON *seeds = cJSON_GetArrayItem(step, 0);
        const cJSON *moves = cJSON_GetArrayItem(step, 1);
        if (cJSON_IsNumber(seeds) && cJSON_IsNumber(moves)) {
            text_add_format(out, "%s%.0f: %.0f", between, seeds->valuedouble, moves->valuedouble);
            between = ", ";
        }
    }
    text_add(out, between[0] == ',' ? "</p>\n" : "");
}

void sweep_section(struct text *out, const cJSON *totals) {
    const cJSON *reach = cJSON_GetObjectItemCaseSensitive(totals, "reach");
    text_add_format(
        out,
        "<h2>Sweep</h2>\n<p>%.0f seeds, %.0f failed; %.0f hours of sessions, %.0f "
        "orders judged, %.0f findings excused by a stated unknown (an answer that was lost: the "
        "judge cannot say which of two things happened, counts it, and fails a sweep "
        "with too many).</p>\n",
        result_number(totals, "seeds"), result_number(totals, "failed"),
        result_number(totals, "sim_seconds") / 3600, result_number(totals, "judged"),
        result_number(totals, "maybes"));
    add_discovery(out, totals);
    add_matrix(out, reach);
    text_add(out, "<h3>What was met</h3>\n<div class=\"columns\">\n");
    add_counts(out, "Faults that fired (seeds)", reach, "point");
    add_counts(out, "Refusals (seeds)", reach, "refusal");
    add_counts(out, "Order states (seeds)", reach, "state");
    text_add(out, "</div>\n");
}
