/* markdown.c - the result as Markdown for a pull request or a mail: the verdict, what broke, what
 * acted. */
#include "reports/result.h"

/* Text inside a table cell: bars and line ends would end it, markup would be taken for markup. */
static void add_cell(struct text *out, const char *string) {
    text_add(out, " ");
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '|' || *c == '\\' || *c == '`' || *c == '*' || *c == '_' || *c == '[') {
            text_add_char(out, '\\');
        }
        char one[2] = {*c == '\n' || *c == '\r' ? ' ' : *c, '\0'};
        report_escape(out, one);
    }
    text_add(out, " |");
}

static void add_number_cell(struct text *out, const cJSON *object, const char *key) {
    text_add_format(out, " %.0f |", result_number(object, key));
}

static void add_verdict(struct text *out, const cJSON *result) {
    struct result_summary summary = result_summarise(result);
    text_add_format(out, "# %s: ", summary.has_passed ? "PASSED" : "FAILED");
    report_escape(out, result_string(result, "title"));
    text_add_format(out,
                    "\n\n%d of %d scenarios passed, %d of %d required counts met, %d mechanisms "
                    "acted.\n\nBuild `%s`, configuration `%s`, seed %.0f.\n",
                    summary.scenarios - summary.scenarios_failed, summary.scenarios,
                    summary.cells - summary.cells_failed, summary.cells, summary.mechanisms_acted,
                    result_string(result, "build"), result_string(result, "config_hash"),
                    result_number(result, "seed"));
}

static void add_moment_cell(struct text *out, const cJSON *object, const char *key) {
    char moment[20];
    result_moment(object, key, moment);
    add_cell(out, moment);
}

/* What restricted the core, and whether its oracle had demanded it. */
static void add_trips(struct text *out, const cJSON *voyage) {
    static const char *const words[] = {"mechanism", "why", "mode", "alert"};
    const cJSON *trips = json_member(voyage, "trips");
    double more = result_number(voyage, "trips_not_shown");
    const cJSON *item;
    if (trips == NULL || trips->child == NULL) {
        return;
    }
    text_add(out,
             "\n| trip, UTC | mechanism | cause | demands | alert | until | due | ms late | oracle "
             "|\n|---|---|---|---|---|---|---|---:|---|\n");
    cJSON_ArrayForEach(item, trips) {
        text_add(out, "|");
        add_moment_cell(out, item, "at");
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            add_cell(out, result_string(item, words[i]));
        }
        add_moment_cell(out, item, "until");
        add_moment_cell(out, item, "due");
        add_number_cell(out, item, "late_ms");
        add_cell(out, result_string(item, "oracle"));
        text_add(out, "\n");
    }
    if (more > 0) {
        text_add_format(out, "\nand %.0f more\n", more);
    }
}

/* What exits left without a stop: the barest, and all together. */
static void add_naked_exits(struct text *out, const cJSON *voyage) {
    struct naked_summary summary = result_naked_exits(voyage);
    if (summary.exits == 0) {
        return;
    }
    text_add_format(out, "\n%d exits left %.0f dollar-seconds without a stop.\n", summary.exits,
                    summary.dollar_seconds);
    text_add(out, summary.count == 0 ? ""
                                     : "\n| symbol | reason | decided, UTC | over | seconds bare | "
                                       "dollar-seconds |\n|---|---|---|---|---:|---:|\n");
    for (size_t i = 0; i < summary.count; i++) {
        const cJSON *item = summary.barest[i];
        text_add(out, "|");
        add_cell(out, result_string(item, "symbol"));
        add_cell(out, result_string(item, "reason"));
        add_moment_cell(out, item, "decided");
        add_moment_cell(out, item, "over");
        text_add_format(out, " %.3f | %.0f |\n", result_number(item, "bare_s"),
                        result_number(item, "dollar_seconds"));
    }
}

static void add_voyage(struct text *out, const cJSON *voyage) {
    const cJSON *totals = json_member(voyage, "totals");
    text_add(out, "\n## ");
    report_escape(out, result_string(voyage, "title"));
    text_add_format(out,
                    "\n\n%s to %s, %.0f sessions, %.0f orders, %.0f fills, equity at the end %.2f, "
                    "trace `%s`.\n\n| required | count | at least | |\n|---|---:|---:|---|\n",
                    result_string(voyage, "first"), result_string(voyage, "last"),
                    result_number(voyage, "sessions"), result_number(totals, "orders"),
                    result_number(totals, "fills"), result_number(totals, "equity_end"),
                    result_string(totals, "trace_hash"));
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(voyage, "required")) {
        text_add(out, "|");
        add_cell(out, result_string(item, "what"));
        add_number_cell(out, item, "count");
        add_number_cell(out, item, "at_least");
        text_add(out, result_is_met(item) ? " met |\n" : " **missing** |\n");
    }
    add_trips(out, voyage);
    add_naked_exits(out, voyage);
    text_add(out, "\n| mechanism | acted | held | released | note |\n|---|---:|---:|---:|---|\n");
    cJSON_ArrayForEach(item, json_member(voyage, "mechanisms")) {
        text_add(out, "|");
        add_cell(out, result_string(item, "id"));
        add_number_cell(out, item, "acted");
        add_number_cell(out, item, "held");
        add_number_cell(out, item, "released");
        add_cell(out, result_string(item, "note"));
        text_add(out, "\n");
    }
}

static void add_scenario(struct text *out, const cJSON *scenario) {
    text_add(out, "|");
    add_cell(out, result_string(scenario, "id"));
    text_add(out, result_is_pass(scenario) ? " pass |" : " **");
    if (!result_is_pass(scenario)) {
        report_escape(out, result_string(scenario, "verdict"));
        text_add(out, "** |");
    }
    struct text broken = {0};
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(scenario, "broken")) {
        text_add(&broken, broken.len > 0 ? "; " : "");
        text_add(&broken, item->valuestring);
    }
    add_cell(out, text_get(&broken));
    text_release(&broken);
    add_cell(out, result_string(scenario, "repeat"));
    text_add(out, "\n");
}

static void add_pairs(struct text *out, const cJSON *pairs) {
    static const char *const counts[] = {"acted", "due", "missed", "unfounded", "latency_ms"};
    const cJSON *item;
    if (pairs == NULL || pairs->child == NULL) {
        return;
    }
    text_add(
        out,
        "\n## Mechanisms\n\n| mechanism | must act in | must be quiet in | oracle | acted | due | "
        "missed | false | ms late |\n|---|---|---|---|---:|---:|---:|---:|---:|\n");
    cJSON_ArrayForEach(item, pairs) {
        const cJSON *score = json_member(item, "score");
        text_add(out, "|");
        add_cell(out, result_string(item, "mechanism"));
        add_cell(out, result_string(item, "act"));
        add_cell(out, result_string(item, "quiet"));
        add_cell(out, result_string(item, "oracle"));
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            if (cJSON_IsObject(score)) {
                add_number_cell(out, score, counts[i]);
            } else {
                text_add(out, " - |");
            }
        }
        text_add(out, "\n");
    }
}

/* Of each run that learned: from what, and what it did to the weights. */
static void add_learning(struct text *out, const cJSON *result) {
    const cJSON *learning = NULL;
    const cJSON *run = result_learner(result, 0, &learning);
    text_add(out, run == NULL
                      ? ""
                      : "\n## Learning\n\n| run | trades learned | steps | kept | taken back "
                        "| weights, before and after |\n|---|---:|---:|---:|---:|---|\n");
    for (size_t i = 0; run != NULL; run = result_learner(result, ++i, &learning)) {
        const cJSON *weights = json_member(learning, "weights");
        const cJSON *weight;
        text_add(out, "|");
        add_cell(out, result_string(run, "id"));
        add_number_cell(out, learning, "trades");
        add_number_cell(out, learning, "steps");
        add_number_cell(out, learning, "kept");
        add_number_cell(out, learning, "reverted");
        cJSON_ArrayForEach(weight, weights) {
            text_add(out, weight == weights->child ? " " : ", ");
            report_escape(out, result_string(weight, "part"));
            text_add_format(out, " %.3f to %.3f", result_number(weight, "before") / 1000,
                            result_number(weight, "after") / 1000);
        }
        text_add(out, " |\n");
    }
}

enum err_code report_markdown(const cJSON *result, struct text *out, struct err *err) {
    enum err_code code = result_check(result, err);
    if (code != ERR_OK) {
        return code;
    }
    add_verdict(out, result);
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(result, "voyages")) {
        add_voyage(out, item);
    }
    add_learning(out, result);
    add_pairs(out, json_member(result, "pairs"));
    text_add(out,
             "\n## Scenarios\n\n| scenario | verdict | broken | repeat |\n|---|---|---|---|\n");
    cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
        add_scenario(out, item);
    }
    return text_finish(out, err);
}
