/* junit.c - the result as JUnit XML: one case per scenario, one per required cell of a voyage. */
#include "reports/result.h"

static void add_attribute(struct text *out, const char *name, const char *value) {
    text_add_format(out, " %s=\"", name);
    report_escape(out, value);
    text_add_char(out, '"');
}

static void add_scenario(struct text *out, const cJSON *scenario) {
    text_add(out, "    <testcase classname=\"scenario\"");
    add_attribute(out, "name", result_string(scenario, "id"));
    if (result_is_pass(scenario)) {
        text_add(out, "/>\n");
        return;
    }
    text_add(out, ">\n      <failure");
    add_attribute(out, "message", result_string(scenario, "verdict"));
    text_add(out, ">");
    const cJSON *broken;
    cJSON_ArrayForEach(broken, json_member(scenario, "broken")) {
        report_escape(out, broken->valuestring);
        text_add_char(out, '\n');
    }
    text_add(out, "repeat: ");
    report_escape(out, result_string(scenario, "repeat"));
    text_add(out, "</failure>\n    </testcase>\n");
}

static void add_cell(struct text *out, const cJSON *voyage, const cJSON *cell) {
    text_add(out, "    <testcase");
    add_attribute(out, "classname", result_string(voyage, "id"));
    add_attribute(out, "name", result_string(cell, "what"));
    if (result_is_met(cell)) {
        text_add(out, "/>\n");
        return;
    }
    text_add_format(
        out, ">\n      <failure message=\"%.0f, at least %.0f required\"/>\n    </testcase>\n",
        result_number(cell, "count"), result_number(cell, "at_least"));
}

static void add_voyage(struct text *out, const cJSON *voyage) {
    int tests = 0;
    int failures = 0;
    const cJSON *cell;
    cJSON_ArrayForEach(cell, json_member(voyage, "required")) {
        tests++;
        failures += !result_is_met(cell);
    }
    text_add(out, "  <testsuite");
    add_attribute(out, "name", result_string(voyage, "title"));
    text_add_format(out, " tests=\"%d\" failures=\"%d\" errors=\"0\">\n", tests, failures);
    cJSON_ArrayForEach(cell, json_member(voyage, "required")) {
        add_cell(out, voyage, cell);
    }
    text_add(out, "  </testsuite>\n");
}

enum err_code report_junit(const cJSON *result, struct text *out, struct err *err) {
    enum err_code code = result_check(result, err);
    if (code != ERR_OK) {
        return code;
    }
    struct result_summary summary = result_summarise(result);
    text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_attribute(out, "name", result_string(result, "title"));
    text_add_format(out, " tests=\"%d\" failures=\"%d\" errors=\"0\">\n",
                    summary.scenarios + summary.cells,
                    summary.scenarios_failed + summary.cells_failed);
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(result, "voyages")) {
        add_voyage(out, item);
    }
    text_add_format(out,
                    "  <testsuite name=\"scenarios\" tests=\"%d\" failures=\"%d\" errors=\"0\">\n",
                    summary.scenarios, summary.scenarios_failed);
    cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
        add_scenario(out, item);
    }
    text_add(out, "  </testsuite>\n</testsuites>\n");
    return text_finish(out, err);
}
