/* test_reports.c - the reports: a checked result in, html, junit, json and markdown out. */
#include "core/base/json.h"
#include "reports/result.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char sample[] =
    "{\"title\":\"Sea <trial> & \\\"co\\\"\",\"build\":\"b1\",\"config_hash\":\"c1\",\"seed\":7,"
    "\"voyages\":[{\"id\":\"v1\",\"title\":\"Thirty days\",\"first\":\"2026-09-01\",\"last\":"
    "\"2026-09-03\",\"sessions\":3,\"closed_days\":[\"2026-09-07\"],\"data_ended\":[{\"symbol\":"
    "\"OLD\",\"date\":\"2026-09-02\"}],\"equity\":[{\"t\":\"2026-09-01T13:30:00Z\",\"equity\":"
    "\"100000\",\"cash\":100000.5},{\"t\":\"2026-09-03T20:00:00Z\",\"equity\":\"98000.25\","
    "\"cash\":"
    "\"1\"}],\"limits\":{\"daily_loss_at\":[[\"2026-09-01T13:30:00Z\",\"97000\"],"
    "[\"2026-09-02T13:30:00Z\",96000]],\"drawdown_at\":[[\"2026-09-01T13:30:00Z\",\"90000\"]],"
    "\"floor\":\"50000\"},\"modes\":[{\"from\":\"2026-09-01T13:30:00Z\",\"to\":"
    "\"2026-09-03T20:00:00Z\",\"mode\":\"REDUCE_ONLY\",\"causes\":[\"daily_loss\"]}],\"latches\":[{"
    "\"cause\":\"daily_loss\",\"set\":\"2026-09-02T15:00:00Z\",\"cleared\":null,\"why\":null}],"
    "\"positions\":[{\"symbol\":\"AAPL\",\"from\":\"2026-09-01T14:00:00Z\",\"to\":null,\"qty\":"
    "\"10\","
    "\"protected_from\":\"2026-09-01T14:00:05Z\",\"naked_s\":31,\"exit_reason\":null,\"pnl\":null}]"
    ","
    "\"orders\":{\"by_purpose\":{\"entry\":3},\"by_state\":{\"filled\":2},\"by_refusal\":{}},"
    "\"exits\":{\"hard_stop\":1},\"mechanisms\":[{\"id\":\"daily_loss\",\"acted\":1,\"held\":2,"
    "\"released\":0,\"first\":\"2026-09-02T15:00:00Z\",\"note\":\"\"},{\"id\":\"drawdown\","
    "\"acted\":0,"
    "\"held\":0,\"released\":0,\"first\":null,\"note\":\"quiet\"}],\"market\":[{\"symbol\":"
    "\"AAPL\","
    "\"series\":[[\"2026-09-01T20:00:00Z\",231.05],[\"2026-09-02T20:00:00Z\",\"230\"]]}],"
    "\"totals\":{"
    "\"ticks\":10,\"orders\":3,\"fills\":2,\"refusals\":0,\"equity_end\":\"98000.25\",\"sim_"
    "seconds\":"
    "70200,\"trace_hash\":\"aa11\"},\"required\":[{\"what\":\"hard stop exits\",\"count\":1,"
    "\"at_least\":1},{\"what\":\"decay exits\",\"count\":0,\"at_least\":1}]}],"
    "\"scenarios\":[{\"id\":\"lost-ack\",\"title\":\"Lost "
    "<ack>\",\"verdict\":\"pass\",\"broken\":[],"
    "\"mechanisms\":[\"unknown_order acted 1\",\"daily_loss acted "
    "1\"],\"trace_hash\":\"bb22\",\"repeat\":\"seatrial "
    "x\",\"source\":"
    "\"\"},{\"id\":\"gap\",\"title\":\"Gap down\",\"verdict\":\"fail\",\"broken\":[\"S3: <b>&\"],"
    "\"mechanisms\":[\"max_positions held 3\"],\"trace_hash\":\"cc33\",\"repeat\":\"seatrial "
    "y\",\"source\":\"s\"}],"
    "\"passed\":1,\"failed\":1}";

static cJSON *parsed(void) {
    cJSON *tree = NULL;
    struct err err = {0};
    cr_assert_eq(json_parse(sample, sizeof sample - 1, &tree, &err), ERR_OK, "%s", err.text);
    return tree;
}

static struct text written(enum err_code (*report)(const cJSON *, struct text *, struct err *),
                           const cJSON *tree) {
    struct text out = {0};
    struct err err = {0};
    cr_assert_eq(report(tree, &out, &err), ERR_OK, "%s", err.text);
    return out;
}

static bool has(const struct text *text, const char *words) {
    return strstr(text_get(text), words) != NULL;
}

static int count_of(const struct text *text, const char *words) {
    int count = 0;
    for (const char *at = text_get(text); (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Walks the tags: each that opens is closed by its own name, in order; no bare markup in text. */
static void assert_well_formed(const char *bytes) {
    char stack[64][24];
    int depth = 0;
    for (const char *at = bytes; (at = strchr(at, '<')) != NULL;) {
        const char *end = strchr(at, '>');
        cr_assert_not_null(end, "an open tag: %.40s", at);
        char name[24] = {0};
        bool closes = at[1] == '/';
        sscanf(at + 1 + closes, "%23[A-Za-z0-9]", name);
        bool is_void = at[1] == '?' || at[1] == '!' || end[-1] == '/' ||
                       strcmp(name, "meta") == 0 || strcmp(name, "br") == 0 ||
                       strcmp(name, "wbr") == 0;
        if (closes) {
            cr_assert(depth > 0 && strcmp(stack[depth - 1], name) == 0, "</%s> closes <%s>", name,
                      depth > 0 ? stack[depth - 1] : "nothing");
            depth--;
        } else if (!is_void) {
            cr_assert_lt(depth, 64);
            memcpy(stack[depth++], name, sizeof name);
        }
        at = end;
    }
    cr_assert_eq(depth, 0, "<%s> is never closed", depth > 0 ? stack[depth - 1] : "");
}

Test(reports, counts_what_passed_and_what_acted) {
    cJSON *tree = parsed();
    struct result_summary summary = result_summarise(tree);
    cr_assert_not(summary.has_passed);
    cr_assert_eq(summary.voyages, 1);
    cr_assert_eq(summary.scenarios, 2);
    cr_assert_eq(summary.scenarios_failed, 1);
    cr_assert_eq(summary.cells, 2);
    cr_assert_eq(summary.cells_failed, 1);
    cr_assert_eq(summary.mechanisms_acted, 2); /* one of them in a scenario alone */
    cJSON_Delete(tree);
}

/* Repairs the sample one cause at a time: only without any it passes. */
Test(reports, passes_only_without_failed_scenario_empty_cell_failed_count_and_unmet_pair) {
    for (int left_out = 0; left_out < 5; left_out++) {
        cJSON *tree = parsed();
        cJSON *voyage = cJSON_GetObjectItem(tree, "voyages")->child;
        cJSON *scenario = cJSON_GetObjectItem(tree, "scenarios")->child->next;
        if (left_out != 0) {
            cJSON_SetValuestring(cJSON_GetObjectItem(scenario, "verdict"), "pass");
        }
        if (left_out != 1) {
            cJSON_SetNumberValue(
                cJSON_GetObjectItem(cJSON_GetObjectItem(voyage, "required")->child->next, "count"),
                1);
        }
        if (left_out != 2) {
            cJSON_SetNumberValue(cJSON_GetObjectItem(tree, "failed"), 0);
        }
        cJSON_AddItemToObject(
            tree, "pairs", cJSON_Parse(left_out != 4 ? "[{\"met\":true}]" : "[{\"met\":false}]"));
        cr_assert_eq(result_summarise(tree).has_passed, left_out == 3, "case %d", left_out);
        struct text html = written(report_html, tree);
        cr_assert_eq(has(&html, "<strong>Passed</strong>"), left_out == 3);
        cr_assert_eq(has(&html, "<strong>Failed</strong>"), left_out != 3);
        text_release(&html);
        cJSON_Delete(tree);
    }
}

Test(reports, html_is_well_formed_self_contained_and_escaped) {
    cJSON *tree = parsed();
    struct text html = written(report_html, tree);
    assert_well_formed(text_get(&html));
    cr_assert(has(&html, "Sea &lt;trial&gt; &amp; &quot;co&quot;"));
    cr_assert(has(&html, "Lost &lt;ack&gt;"));
    cr_assert(has(&html, "S3: &lt;b&gt;&amp;"));
    cr_assert(has(&html, "decay exits: 0, at least 1 required"));
    cr_assert(
        has(&html, "floor 50000, outside the picture</p>")); /* not over a line of the chart */
    cr_assert(has(&html, "<p><b>Acted:</b> daily_loss, unknown_order</p>"));
    cr_assert(has(&html, "<p><b>Only held something back:</b> max_positions</p>"));
    const char *foreign[] = {"<script", "http:", "https:", "url(", "src=", "<link", "nan", "inf\""};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        cr_assert_not(has(&html, foreign[i]), "%s", foreign[i]);
    }
    /* the failed scenario stands above the passed one */
    cr_assert_lt(strstr(text_get(&html), "<b>Gap down"), strstr(text_get(&html), "<b>Lost "));
    text_release(&html);
    cJSON_Delete(tree);
}

Test(reports, html_draws_a_latch_that_was_never_cleared_to_the_end) {
    cJSON *tree = parsed();
    struct text html = written(report_html, tree);
    cr_assert(has(&html, "<rect class=\"latch open\""));
    cr_assert(has(&html, "never cleared"));
    cr_assert(has(&html, "<rect class=\"m-reduce\""));
    cr_assert(has(&html, "<rect class=\"p-open\""));
    cr_assert(has(&html, "<rect class=\"naked\""));
    text_release(&html);
    cJSON_Delete(tree);
}

Test(reports, junit_counts_cases_and_failures) {
    cJSON *tree = parsed();
    struct text junit = written(report_junit, tree);
    assert_well_formed(text_get(&junit));
    cr_assert(has(&junit, "<testsuites name=\"Sea &lt;trial&gt; &amp; &quot;co&quot;\" tests=\"4\" "
                          "failures=\"2\" errors=\"0\">"));
    cr_assert(
        has(&junit, "<testsuite name=\"Thirty days\" tests=\"2\" failures=\"1\" errors=\"0\">"));
    cr_assert(
        has(&junit, "<testsuite name=\"scenarios\" tests=\"2\" failures=\"1\" errors=\"0\">"));
    cr_assert_eq(count_of(&junit, "<testcase "), 4);
    cr_assert_eq(count_of(&junit, "<failure "), 2);
    cr_assert(has(&junit, "S3: &lt;b&gt;&amp;\nrepeat: seatrial y</failure>"));
    text_release(&junit);
    cJSON_Delete(tree);
}

Test(reports, markdown_says_the_verdict_first_and_keeps_cells_whole) {
    cJSON *tree = parsed();
    cJSON *cell =
        cJSON_GetObjectItem(cJSON_GetObjectItem(tree, "voyages")->child, "required")->child;
    cJSON_SetValuestring(cJSON_GetObjectItem(cell, "what"), "a|b_c\nd");
    struct text out = written(report_markdown, tree);
    cr_assert_eq(strncmp(text_get(&out), "# FAILED: Sea &lt;trial", 23), 0);
    cr_assert(has(&out, "| a\\|b\\_c d | 1 | 1 | met |\n"));
    cr_assert(has(&out, "| decay exits | 0 | 1 | **missing** |\n"));
    cr_assert(has(&out, "| gap | **fail** | S3: &lt;b&gt;&amp; | seatrial y |\n"));
    text_release(&out);
    cJSON_Delete(tree);
}

Test(reports, json_reads_back_as_the_same_result) {
    cJSON *tree = parsed();
    struct text out = written(report_json, tree);
    cJSON *again = NULL;
    struct err err = {0};
    cr_assert_eq(json_parse(text_get(&out), out.len, &again, &err), ERR_OK, "%s", err.text);
    cr_assert(cJSON_Compare(tree, again, true));
    cJSON_Delete(again);
    text_release(&out);
    cJSON_Delete(tree);
}

/* Every member of every object, hidden one by one, is named in the error. */
static void assert_each_is_needed(const cJSON *root, const cJSON *value) {
    const char *name = value->string;
    bool is_counts = name != NULL && (strncmp(name, "by_", 3) == 0 || strcmp(name, "exits") == 0);
    const cJSON *member;
    cJSON_ArrayForEach(member, value) {
        assert_each_is_needed(root, member);
        if (!cJSON_IsObject(value) || is_counts) {
            continue;
        }
        char words[64];
        snprintf(words, sizeof words, "%s: missing", member->string);
        struct err err = {0};
        struct text out = {0};
        char first = member->string[0];
        member->string[0] = '~';
        cr_assert_eq(report_html(root, &out, &err), ERR_PARSE, "%s is not needed", words);
        member->string[0] = first;
        cr_assert_not_null(strstr(err.text, words), "%s: %s", words, err.text);
        cr_assert_eq(out.len, 0);
    }
}

Test(reports, every_missing_member_is_a_named_error) {
    cJSON *tree = parsed();
    assert_each_is_needed(tree, tree);
    struct err err = {0};
    cr_assert_eq(result_check(tree, &err), ERR_OK, "%s", err.text);
    cJSON_Delete(tree);
}

Test(reports, wrong_values_are_named_with_their_place) {
    static const struct {
        const char *from, *to, *error;
    } cases[] = {
        {"\"ticks\":10", "\"ticks\":-1", "voyages: [0]: totals: ticks: is not a whole number"},
        {"\"ticks\":10", "\"ticks\":1.5", "voyages: [0]: totals: ticks: is not a whole number"},
        {"\"build\":\"b1\"", "\"build\":\"\"", "build: is not a string with content"},
        {"\"first\":\"2026-09-01\"", "\"first\":\"2026-02-30\"",
         "voyages: [0]: first: is not a date"},
        {"\"cash\":100000.5", "\"cash\":\"1e5\"",
         "voyages: [0]: equity: [0]: cash: is not a decimal"},
        {"[\"2026-09-02T13:30:00Z\",96000]", "[\"noon\",96000]",
         "voyages: [0]: limits: daily_loss_at: [1]: is not [instant, amount]"},
        {"\"filled\":2", "\"filled\":\"2\"",
         "voyages: [0]: orders: by_state: filled: is not a count"},
        {"[\"daily_loss\"]", "[1]", "voyages: [0]: modes: [0]: causes: [0]: is not a string"},
        {"\"set\":\"2026-09-02T15:00:00Z\"", "\"set\":null",
         "voyages: [0]: latches: [0]: set: is not an RFC 3339 instant"},
        {"\"verdict\":\"fail\"", "\"verdict\":null", "scenarios: [1]: verdict: is not a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(sample, cases[i].from);
        cr_assert_not_null(at, "%s", cases[i].from);
        struct text bad = {0};
        text_add_bytes(&bad, sample, (size_t)(at - sample));
        text_add(&bad, cases[i].to);
        text_add(&bad, at + strlen(cases[i].from));
        cJSON *tree = NULL;
        struct err err = {0};
        cr_assert_eq(json_parse(text_get(&bad), bad.len, &tree, &err), ERR_OK, "%s", err.text);
        cr_assert_eq(result_check(tree, &err), ERR_PARSE, "%s", cases[i].to);
        cr_assert_eq(strncmp(err.text, cases[i].error, strlen(cases[i].error)), 0, "%s", err.text);
        cJSON_Delete(tree);
        text_release(&bad);
    }
}

Test(reports, a_result_without_any_run_is_an_error) {
    static const char empty[] = "{\"title\":\"t\",\"build\":\"b\",\"config_hash\":\"c\",\"seed\":1,"
                                "\"voyages\":[],\"scenarios\":[],\"passed\":0,\"failed\":0}";
    cJSON *tree = NULL;
    struct err err = {0};
    struct text out = {0};
    cr_assert_eq(json_parse(empty, sizeof empty - 1, &tree, &err), ERR_OK);
    cr_assert_eq(report_junit(tree, &out, &err), ERR_PARSE);
    cr_assert_not_null(strstr(err.text, "nothing was run"));
    cr_assert_eq(report_markdown(NULL, &out, &err), ERR_PARSE);
    cr_assert_str_eq(err.text, "the result is not an object");
    cJSON_Delete(tree);
}

Test(reports, a_voyage_in_which_nothing_happened_still_reports) {
    cJSON *tree = parsed();
    cJSON *voyage = cJSON_GetObjectItem(tree, "voyages")->child;
    const char *lists[] = {"equity",     "modes",  "latches", "positions",
                           "mechanisms", "market", "required"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        cJSON_ReplaceItemInObject(voyage, lists[i], cJSON_CreateArray());
    }
    cJSON_ReplaceItemInObject(
        voyage, "limits", cJSON_Parse("{\"daily_loss_at\":[],\"drawdown_at\":[],\"floor\":null}"));
    struct text html = written(report_html, tree);
    assert_well_formed(text_get(&html));
    cr_assert(has(&html, "No equity was recorded."));
    cr_assert(has(&html, "No position was held."));
    cr_assert(has(&html, "No counts are asked of this voyage"));
    cr_assert_not(has(&html, "No scenario was run."));
    text_clear(&html);
    cJSON_ReplaceItemInObject(tree, "scenarios", cJSON_CreateArray());
    struct err err = {0};
    cr_assert_eq(report_html(tree, &html, &err), ERR_OK, "%s", err.text);
    cr_assert(has(&html, "No scenario was run."));
    text_release(&html);
    cJSON_Delete(tree);
}

/* A sweep's result: what acted under which class is a cell, names from outside are escaped. */
Test(reports, a_sweep_shows_each_mechanism_under_each_fault_class) {
    static const char sweep[] =
        "{\"title\":\"Seatrial: "
        "chaos\",\"build\":\"b\",\"config_hash\":\"c\",\"seed\":0,\"voyages\":[],"
        "\"scenarios\":[{\"id\":\"swarm\",\"title\":\"9 seeds\",\"verdict\":\"pass\",\"broken\":[],"
        "\"mechanisms\":[],\"trace_hash\":\"h\",\"repeat\":\"\",\"source\":\"\"}],\"passed\":9,"
        "\"failed\":0,\"totals\":{\"seeds\":9,\"failed\":0,\"sim_seconds\":7200,\"judged\":5,"
        "\"maybes\":1,"
        "\"discovery\":[[9,4]],\"reach\":{\"class disk\":8,\"class http\":7,"
        "\"mechanism kill_switch acted\":6,\"mechanism kill_switch held\":5,"
        "\"cell kill_switch x http\":3,\"mechanism max_positions held\":2,\"point "
        "disk.<eio>\":4}}}";
    cJSON *tree = NULL;
    struct text out = {0};
    cr_assert_eq(json_parse(sweep, sizeof sweep - 1, &tree, NULL), ERR_OK);
    cr_assert_eq(report_html(tree, &out, NULL), ERR_OK);
    const char *page = text_get(&out);
    cr_expect(strstr(page, "9 seeds, 0 failed; 2 hours of sessions, 5 orders judged, 1 findings"));
    cr_expect(strstr(page, "<tr><td>kill_switch</td><td class=\"n\">6</td><td class=\"n\">5</td>"
                           "<td class=\"n\"></td><td class=\"n\"></td><td class=\"n\"></td>"
                           "<td class=\"n\">3</td></tr>"));
    cr_expect(
        strstr(page, "<tr><td>max_positions</td><td class=\"n\"></td><td class=\"n\">2</td>"));
    cr_expect(strstr(page, "disk.<wbr>&lt;eio&gt;"));
    cr_expect(strstr(page, "up to seed: 9: 4"));
    cr_expect(strstr(page, "9 of 9 seeds passed."));
    cr_expect_null(strstr(page, "seed 0"));
    text_release(&out);
    cJSON_Delete(tree);
}

Test(reports, the_pairs_of_a_result_are_its_table_of_mechanisms) {
    static const char pairs[] =
        "[{\"mechanism\":\"stop_it\",\"act\":\"a1\",\"quiet\":\"q1\",\"oracle\":\"acted\","
        "\"met\":true,\"score\":"
        "{\"acted\":3,\"due\":4,\"missed\":5,\"unfounded\":6,\"latency_ms\":7}},"
        "{\"mechanism\":\"fail_it\",\"act\":\"a3\",\"quiet\":\"q3\",\"oracle\":\"acted\","
        "\"met\":false,\"score\":{\"acted\":1}},"
        "{\"mechanism\":\"let_it\",\"act\":\"a2\",\"quiet\":\"q2\",\"oracle\":\"unscored\","
        "\"met\":false,\"score\":null}]";
    cJSON *tree = parsed();
    struct text without = written(report_markdown, tree);
    cr_expect_null(strstr(text_get(&without), "## Mechanisms"));
    cJSON_AddItemToObject(tree, "pairs", cJSON_Parse(pairs));
    struct text markdown = written(report_markdown, tree);
    struct text html = written(report_html, tree);
    cr_expect_not_null(strstr(text_get(&markdown),
                              "| stop\\_it | a1 | q1 | acted | 3 | 4 | 5 | 6 | 7 |\n"
                              "| fail\\_it | a3 | q3 | acted | 1 | 0 | 0 | 0 | 0 |\n"
                              "| let\\_it | a2 | q2 | unscored | - | - | - | - | - |\n"),
                       "%s", text_get(&markdown));
    cr_expect_not_null(strstr(text_get(&html),
                              "<tr><td>stop_it</td><td>a1</td><td>q1</td><td><span "
                              "class=\"chip\">acted</span></td><td class=\"n\">3</td>"),
                       "%s", text_get(&html));
    cr_expect_not_null(strstr(text_get(&html), "<tr class=\"fail\"><td>fail_it</td>"));
    cr_expect_not_null(strstr(text_get(&html), "<li>let_it: its pair of scenarios is not met: "));
    cr_expect_not_null(strstr(text_get(&html), "<tr class=\"fail\"><td>let_it</td>"));
    cr_expect_not_null(strstr(text_get(&html), "unscored</span></td><td class=\"n\">-</td>"));
    text_release(&without);
    text_release(&markdown);
    text_release(&html);
    cJSON_Delete(tree);
}

/* The first voyage of a tree, to be added to. */
static cJSON *voyage_of(cJSON *tree) {
    return cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "voyages"), 0);
}

Test(reports, the_barest_exits_are_a_table_most_first_and_the_others_are_counted) {
    static const char exits[] =
        "[{\"symbol\":\"A<B\",\"reason\":\"trailing\",\"decided\":\"2026-09-02T15:00:07.5Z\","
        "\"over\":null,\"bare_s\":\"2.25\",\"dollar_seconds\":\"1500.5\"},{\"symbol\":\"KO\","
        "\"reason\":\"time\",\"decided\":\"2026-09-02T16:00:00Z\",\"over\":\"2026-09-02T16:00:01Z"
        "\",\"bare_s\":\"0\",\"dollar_seconds\":\"0\"}]";
    cJSON *tree = parsed();
    cJSON *list = NULL;
    struct text without = written(report_html, tree);
    cr_expect_null(strstr(text_get(&without), "without a stop"));
    cr_assert_eq(json_parse(exits, sizeof exits - 1, &list, NULL), ERR_OK);
    cJSON_AddItemToObject(voyage_of(tree), "naked_exits", list);
    cJSON_AddNumberToObject(voyage_of(tree), "naked_exits_not_shown", 3);
    cJSON_AddStringToObject(voyage_of(tree), "naked_exits_not_shown_dollar_seconds", "40");
    struct text html = written(report_html, tree);
    struct text markdown = written(report_markdown, tree);
    cr_expect_not_null(strstr(text_get(&html), "ledger: 5 exits, 1540 dollar-seconds.</p>"), "%s",
                       text_get(&html));
    cr_expect_not_null(strstr(text_get(&html),
                              "<tr><td>A&lt;B</td><td>trailing</td><td>2026-09-02 15:00:07</td>"
                              "<td></td><td class=\"n\">2.250</td><td class=\"n\">1500</td></tr>\n"
                              "</tbody></table>\n<p class=\"soft\">and 4 others, of 40 "
                              "dollar-seconds together</p>"),
                       "%s", text_get(&html));
    cr_expect_not_null(
        strstr(text_get(&markdown), "5 exits left 1540 dollar-seconds without a stop.\n"), "%s",
        text_get(&markdown));
    cr_expect_not_null(strstr(text_get(&markdown),
                              "| A&lt;B | trailing | 2026-09-02 15:00:07 |  | 2.250 | 1500 |\n"),
                       "%s", text_get(&markdown));
    text_release(&without);
    text_release(&html);
    text_release(&markdown);
    cJSON_Delete(tree);
}

Test(reports, one_exit_too_many_for_the_table_is_the_one_that_lay_least_bare) {
    cJSON *voyage = cJSON_CreateObject();
    cJSON *exits = cJSON_AddArrayToObject(voyage, "naked_exits");
    for (int i = 0; i <= BAREST_MAX; i++) { /* 1 to 21, in no order */
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "dollar_seconds", i * 10 % (BAREST_MAX + 1) + 1);
        cJSON_AddItemToArray(exits, item);
    }
    struct naked_summary summary = result_naked_exits(voyage);
    cr_expect_eq(summary.exits, BAREST_MAX + 1);
    cr_expect_eq(summary.count, BAREST_MAX);
    for (int i = 0; i < BAREST_MAX; i++) {
        cr_expect_float_eq(result_number(summary.barest[i], "dollar_seconds"), BAREST_MAX + 1 - i,
                           0.1);
    }
    cr_expect_float_eq(summary.rest, 1, 0.1);
    cJSON_Delete(voyage);
}

Test(reports, what_learning_did_is_a_row_of_each_run_that_learned) {
    static const char learning[] =
        "{\"trades\":43,\"steps\":3,\"kept\":1,\"reverted\":1,\"admitted\":9,\"declined\":2,"
        "\"weights\":[{\"part\":\"a<b\",\"before\":1000,\"after\":1018},{\"part\":\"slow\","
        "\"before\":990,\"after\":250}]}";
    cJSON *tree = parsed();
    cJSON *object = NULL;
    struct text without = written(report_html, tree);
    cr_expect_not(has(&without, "<h2>Learning</h2>"));
    cr_assert_eq(json_parse(learning, sizeof learning - 1, &object, NULL), ERR_OK);
    cJSON *scenario = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "scenarios"), 0);
    cJSON_AddItemToObject(voyage_of(tree), "learning", cJSON_Duplicate(object, true));
    cJSON_AddItemToObject(scenario, "learning", object);
    struct text html = written(report_html, tree);
    struct text markdown = written(report_markdown, tree);
    const char *cells = "</td><td class=\"n\">43</td><td class=\"n\">3</td><td class=\"n\">1</td>"
                        "<td class=\"n\">1</td><td class=\"n\">9</td><td class=\"n\">2</td>"
                        "<td>a&lt;b 1.000 &rarr; 1.018<br>slow 0.990 &rarr; 0.250</td></tr>\n";
    cr_expect_eq(count_of(&html, cells), 2, "%s", text_get(&html));
    cr_expect_eq(
        count_of(&markdown, " | 43 | 3 | 1 | 1 | a&lt;b 1.000 to 1.018, slow 0.990 to 0.250 |\n"),
        2, "%s", text_get(&markdown));
    text_release(&without);
    text_release(&html);
    text_release(&markdown);
    cJSON_Delete(tree);
}

Test(reports, the_trips_of_a_voyage_are_a_table_with_what_an_oracle_objects_to_marked) {
    static const char trips[] =
        "[{\"mechanism\":\"daily_loss\",\"cause\":\"daily_loss\",\"mode\":\"REDUCE_ONLY\",\"at\":"
        "\"2026-09-02T15:00:07.5Z\",\"until\":null,\"due\":\"2026-09-02T15:00:02Z\",\"late_ms\":"
        "5500,"
        "\"why\":\"lost <much>\",\"alert\":\"page\",\"oracle\":\"demanded\"},{\"mechanism\":"
        "\"equity_floor\",\"cause\":\"\",\"mode\":\"\",\"at\":\"2026-09-03T15:00:00Z\",\"until\":"
        "null,"
        "\"due\":null,\"late_ms\":0,\"why\":\"\",\"alert\":\"\",\"oracle\":\"missed\"}]";
    cJSON *tree = parsed();
    cJSON *list = NULL;
    cr_assert_eq(json_parse(trips, sizeof trips - 1, &list, NULL), ERR_OK);
    struct text without = written(report_html, tree);
    cr_expect_null(strstr(text_get(&without), "Trips and their cause"));
    cJSON_AddItemToObject(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "voyages"), 0), "trips",
                          list);
    struct text whole = written(report_html, tree);
    cr_expect_null(strstr(text_get(&whole), "more</p>"));
    text_release(&whole);
    cJSON_AddNumberToObject(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "voyages"), 0),
                            "trips_not_shown", 7);
    struct text html = written(report_html, tree);
    struct text markdown = written(report_markdown, tree);
    cr_expect_not_null(strstr(text_get(&html), "<p class=\"soft\">and 7 more</p>"));
    cr_expect_not_null(strstr(text_get(&markdown), "\nand 7 more\n"));
    static const char row[] =
        "<tr><td>2026-09-02 15:00:07</td><td>daily_loss</td><td>lost &lt;much&gt;</td>"
        "<td>REDUCE_ONLY</td><td>page</td><td></td><td>2026-09-02 15:00:02</td><td class=\"n\">5500"
        "</td><td><span class=\"chip\">demanded</span></td></tr>\n<tr class=\"fail\">"
        "<td>2026-09-03 15:00:00</td><td>equity_floor</td>";
    cr_expect_not_null(strstr(text_get(&html), row), "%s", text_get(&html));
    cr_expect_not_null(strstr(text_get(&html), "<span class=\"chip bad\">missed</span>"));
    cr_expect_not_null(strstr(text_get(&markdown),
                              "| 2026-09-02 15:00:07 | daily\\_loss | lost &lt;much&gt; | "
                              "REDUCE\\_ONLY | page |  | 2026-09-02 15:00:02 | 5500 | demanded |"),
                       "%s", text_get(&markdown));
    text_release(&without);
    text_release(&html);
    text_release(&markdown);
    cJSON_Delete(tree);
}

Test(reports, past_the_limit_of_the_text_is_an_error) {
    cJSON *tree = parsed();
    struct text out = text_limited(1000);
    struct err err = {0};
    cr_assert_eq(report_html(tree, &out, &err), ERR_LIMIT);
    text_release(&out);
    cJSON_Delete(tree);
}
