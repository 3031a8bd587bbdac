/* html.c - the result as one self-contained page: no script, no resource from elsewhere. It
 * answers, from the top: did it pass, what broke, what acted; then the voyages, then every
 * scenario. */
#include "core/base/utc.h"
#include "reports/charts.h"
#include "reports/result.h"
#include "reports/sweep.h"

#include <stdio.h>
#include <string.h>

static const char style[] =
    ":root{--bg:#fbfbfa;--card:#fff;--ink:#1d2329;--soft:#6a737d;--line:#e2e5e8;--good:#18794e;"
    "--bad:#c62a2f;--warn:#b7791f;--blue:#2563a8;--violet:#7048a8;--goodbg:#e3f4ea;--badbg:#fdeaea}"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#14181c;--card:#1b2127;--ink:#e4e8ec;"
    "--soft:#98a2ad;--line:#303840;--good:#4cc38a;--bad:#f2696c;--warn:#e0ab4f;--blue:#6fb0f2;"
    "--violet:#b794f0;--goodbg:#16301f;--badbg:#3a1b1d}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:28px 24px 60px;background:"
    "var(--bg);color:var(--ink);font:15px/1.5 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    "h1{font-size:22px;margin:0 0 4px}h2{font-size:19px;margin:40px 0 2px}h3{font-size:15px;margin:"
    "26px 0 6px}h4{font-size:13px;margin:0 0 6px;color:var(--soft);font-weight:600}p{margin:4px 0}"
    ".soft,.none{color:var(--soft)}code{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;"
    "overflow-wrap:anywhere}"
    ".verdict{border-radius:10px;padding:18px 22px;margin:16px 0;border-left:8px solid var(--good);"
    "background:var(--goodbg)}.verdict.bad{border-color:var(--bad);background:var(--badbg)}"
    ".verdict strong{font-size:32px;line-height:1.1;display:block;color:var(--good)}.verdict.bad "
    "strong{color:var(--bad)}.verdict ul{margin:2px 0 8px;padding-left:20px}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;margin:"
    "12px"
    " 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px "
    "12px}"
    ".tile b{display:block;font-size:19px;font-variant-numeric:tabular-nums}.tile span{color:"
    "var(--soft);font-size:12.5px}"
    "table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}"
    "th,td{text-align:left;vertical-align:top;padding:5px 10px;border-top:1px solid var(--line)}th{"
    "font-size:12.5px;color:var(--soft);font-weight:600;border-top:0}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums}tr.idle td{color:var(--soft)}tr.fail "
    "td{background:var(--badbg)}"
    ".chip{display:inline-block;border-radius:4px;padding:0 "
    "7px;font-size:12.5px;font-weight:600;color:"
    "var(--good);background:var(--goodbg);white-space:nowrap}.chip.bad{color:var(--bad);background:"
    "var(--badbg)}ul.broken{margin:2px 0;padding-left:16px;color:var(--bad)}"
    "svg.chart{width:100%;height:auto;display:block;background:var(--card);border:1px solid "
    "var(--line);border-radius:6px}svg "
    "text{font-size:11px;fill:var(--soft)}.grid{stroke:var(--line)}"
    "polyline,path{fill:none}.equity{stroke:var(--blue);stroke-width:2}.daily{stroke:var(--warn);"
    "stroke-width:1.5}.drawdown{stroke:var(--bad);stroke-width:1.5}.floor{stroke:var(--violet);"
    "stroke-width:2;stroke-dasharray:6 "
    "4}.up{stroke:var(--good);stroke-width:1.3}.down{stroke:var(--bad);"
    "stroke-width:1.3}"
    ".m-normal{fill:#7fbf9a;background:#7fbf9a}.m-caution{fill:#e6b84f;background:#e6b84f}.m-"
    "reduce{"
    "fill:#e07b39;background:#e07b39}.m-halt{fill:#c62a2f;background:#c62a2f}.latch{fill:#8a7fc0;"
    "background:#8a7fc0}.latch.open{fill:#5b3fa0;background:#5b3fa0}.p-gain{fill:#5ba37f;"
    "background:"
    "#5ba37f}.p-loss{fill:#d07a6c;background:#d07a6c}.p-open{fill:#6f9bcb;background:#6f9bcb}."
    "naked{"
    "fill:#c4002b;background:#c4002b}"
    ".key{font-size:12.5px;color:var(--soft)}.key i{display:inline-block;width:14px;height:10px;"
    "border-radius:2px;margin:0 5px 0 12px}.key i:first-child{margin-left:0}.k-equity{background:"
    "var(--blue)}.k-daily{background:var(--warn)}.k-drawdown{background:var(--bad)}.k-floor{"
    "background:"
    "var(--violet)}"
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:20px 28px}"
    ".count{display:flex;align-items:center;gap:8px;font-size:13px;margin:2px 0}.count "
    "span{flex:0 0 50%;overflow-wrap:break-word;min-width:0}.count "
    "b{height:11px;background:var(--blue);border-radius:2px;min-width:1px;flex:none}"
    ".count em{font-style:normal;color:var(--soft);font-variant-numeric:tabular-nums}"
    ".smalls{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px}"
    "figure{"
    "margin:0;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:6px "
    "8px}"
    "figcaption{font-size:12.5px;white-space:nowrap}figcaption span{color:var(--soft)}figure svg{"
    "width:100%;height:auto;display:block}"
    ".scenarios th:nth-child(3){width:34%}.scenarios td:nth-child(4) code{white-space:nowrap}"
    "@media screen and (max-width:640px){table{display:block;overflow-x:auto}th,td{padding:4px "
    "6px}}"
    "@media "
    "print{@page{size:A4;margin:14mm}body{max-width:none;padding:0;font-size:10.5pt;background:"
    "#fff}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}h2~h2{break-before:page}h3,"
    "h4{"
    "break-after:avoid}svg.chart,figure,tr,.counts,.verdict{break-inside:avoid}thead{display:"
    "table-header-group}}";

static void add_tile(struct text *out, const char *name, const char *format, double value) {
    text_add(out, "<div class=\"tile\"><b>");
    /* The formats are this file's own literals: "%.0f" or "%.2f". */
    text_add_format(out, format[2] == '2' ? "%.2f" : "%.0f", value);
    text_add_format(out, "</b><span>%s</span></div>\n", name);
}

static void add_code(struct text *out, const char *words) {
    text_add(out, "<code>");
    report_escape(out, words);
    text_add(out, "</code>");
}

/* The lines under a failed verdict: each broken scenario, each required cell that is missing. */
static void add_breakages(struct text *out, const cJSON *result) {
    const cJSON *item;
    const cJSON *voyage;
    text_add(out, "<p><b>Broke:</b></p>\n<ul>\n");
    cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
        if (!result_is_pass(item)) {
            const cJSON *broken = json_member(item, "broken")->child;
            text_add(out, "<li>");
            report_escape(out, result_string(item, "title"));
            text_add(out, ": ");
            report_escape(out,
                          broken != NULL ? broken->valuestring : result_string(item, "verdict"));
            text_add(out, "</li>\n");
        }
    }
    cJSON_ArrayForEach(voyage, json_member(result, "voyages")) {
        cJSON_ArrayForEach(item, json_member(voyage, "required")) {
            if (!result_is_met(item)) {
                text_add(out, "<li>");
                report_escape(out, result_string(voyage, "title"));
                text_add(out, ": ");
                report_escape(out, result_string(item, "what"));
                text_add_format(out, ": %.0f, at least %.0f required</li>\n",
                                result_number(item, "count"), result_number(item, "at_least"));
            }
        }
    }
    cJSON_ArrayForEach(item, json_member(result, "pairs")) {
        if (!result_is_pair_met(item)) {
            text_add(out, "<li>");
            report_escape(out, result_string(item, "mechanism"));
            text_add(out, ": its pair of scenarios is not met: ");
            report_escape(out, result_string(item, "oracle"));
            text_add(out, "</li>\n");
        }
    }
    text_add(out, "</ul>\n");
}

/* The names of the mechanisms that acted in any voyage or scenario. */
static void add_acted(struct text *out, const cJSON *result) {
    const cJSON *voyage;
    const cJSON *mechanism;
    int named = 0;
    cJSON_ArrayForEach(voyage, json_member(result, "voyages")) {
        cJSON_ArrayForEach(mechanism, json_member(voyage, "mechanisms")) {
            if (result_acted_first(result, voyage, mechanism)) {
                text_add(out, named++ == 0 ? "<p><b>Acted:</b> " : ", ");
                report_escape(out, result_string(mechanism, "id"));
            }
        }
    }
    const cJSON *scenario;
    cJSON_ArrayForEach(scenario, json_member(result, "scenarios")) {
        cJSON_ArrayForEach(mechanism, json_member(scenario, "mechanisms")) {
            char id[48];
            if (result_scenario_acted_first(result, mechanism, id)) {
                text_add(out, named++ == 0 ? "<p><b>Acted:</b> " : ", ");
                report_escape(out, id);
            }
        }
    }
    text_add(out, named > 0 ? "</p>\n" : "<p><b>No mechanism acted.</b></p>\n");
}

#define HELD_MAX 64

/* Mechanisms that did something anywhere, and which of them ever acted. */
struct deeds {
    char ids[HELD_MAX][48];
    bool has_acted[HELD_MAX];
    size_t count;
};

static void note_deed(struct deeds *deeds, const char *id, bool is_act) {
    size_t place = 0;
    while (place < deeds->count && strcmp(deeds->ids[place], id) != 0) {
        place++;
    }
    if (place == HELD_MAX) {
        return;
    }
    if (place == deeds->count) {
        snprintf(deeds->ids[place], sizeof deeds->ids[place], "%s", id);
        deeds->count++;
    }
    deeds->has_acted[place] |= is_act;
}

static void gather_deeds(const cJSON *result, struct deeds *deeds) {
    const cJSON *list;
    const cJSON *item;
    cJSON_ArrayForEach(list, json_member(result, "voyages")) {
        cJSON_ArrayForEach(item, json_member(list, "mechanisms")) {
            bool is_act = result_number(item, "acted") > 0;
            if (is_act || result_number(item, "held") > 0) {
                note_deed(deeds, result_string(item, "id"), is_act);
            }
        }
    }
    cJSON_ArrayForEach(list, json_member(result, "scenarios")) {
        cJSON_ArrayForEach(item, json_member(list, "mechanisms")) {
            char id[48] = "";
            char what[16] = "";
            bool is_read = sscanf(item->valuestring, "%47s %15s", id, what) == 2;
            if (is_read && (strcmp(what, "acted") == 0 || strcmp(what, "held") == 0)) {
                note_deed(deeds, id, what[0] == 'a');
            }
        }
    }
}

/* Those whose work is to hold back: they never act, and are seen to work all the same. */
static void add_held_only(struct text *out, const cJSON *result) {
    struct deeds deeds = {0};
    int named = 0;
    gather_deeds(result, &deeds);
    for (size_t i = 0; i < deeds.count; i++) {
        if (!deeds.has_acted[i]) {
            text_add(out, named++ == 0 ? "<p><b>Only held something back:</b> " : ", ");
            report_escape(out, deeds.ids[i]);
        }
    }
    text_add(out, named > 0 ? "</p>\n" : "");
}

/* What a sweep adds to its result; NULL for another. */
static const cJSON *sweep_of(const cJSON *result) {
    const cJSON *totals = cJSON_GetObjectItemCaseSensitive(result, "totals");
    return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(totals, "reach")) ? totals : NULL;
}

static void add_verdict(struct text *out, const cJSON *result) {
    struct result_summary summary = result_summarise(result);
    text_add(out, "<h1>");
    report_escape(out, result_string(result, "title"));
    text_add(out, "</h1>\n<p class=\"soft\">build ");
    add_code(out, result_string(result, "build"));
    text_add(out, " &middot; configuration ");
    add_code(out, result_string(result, "config_hash"));
    if (sweep_of(result) == NULL) {
        text_add_format(out, " &middot; seed %.0f", result_number(result, "seed"));
    }
    text_add(out, "</p>\n");
    text_add_format(out, "<section class=\"verdict%s\"><strong>%s</strong>\n<p>",
                    summary.has_passed ? "" : " bad", summary.has_passed ? "Passed" : "Failed");
    if (sweep_of(result) != NULL) {
        const cJSON *totals = sweep_of(result);
        double seeds = result_number(totals, "seeds");
        text_add_format(out, "%.0f of %.0f seeds passed. ", seeds - result_number(totals, "failed"),
                        seeds);
    } else if (summary.scenarios > 0) {
        text_add_format(out, "%d of %d scenarios passed. ",
                        summary.scenarios - summary.scenarios_failed, summary.scenarios);
    } else {
        text_add(out, "No scenario was run. ");
    }
    if (sweep_of(result) == NULL) {
        text_add_format(out, "%d of %d required counts were met. %d mechanisms acted.",
                        summary.cells - summary.cells_failed, summary.cells,
                        summary.mechanisms_acted);
    }
    text_add(out, "</p>\n");
    if (!summary.has_passed) {
        add_breakages(out, result);
    }
    if (sweep_of(result) == NULL) {
        add_acted(out, result);
        add_held_only(out, result);
    }
    if (json_member(result, "voyages")->child != NULL) {
        text_add(out, "<p class=\"soft\">Amounts are in USD. The same program and data give the "
                      "same page; when and where it ran is in run.json beside it.</p>\n");
    }
    text_add(out, "</section>\n");
}

static void add_required(struct text *out, const cJSON *voyage) {
    const cJSON *item;
    if (json_member(voyage, "required")->child == NULL) {
        text_add(out, "<p class=\"none\">No counts are asked of this voyage: it shows the core in "
                      "a calm month.</p>\n");
        return;
    }
    text_add(out,
             "<h3>What must have occurred</h3>\n<p class=\"soft\">A count below its number "
             "fails: what was never seen to happen does not exist.</p>\n<table><thead><tr><th>"
             "required</th><th class=\"n\">seen</th><th class=\"n\">at least</th><th></th></tr>"
             "</thead><tbody>\n");
    cJSON_ArrayForEach(item, json_member(voyage, "required")) {
        bool is_met = result_is_met(item);
        text_add_format(out, "<tr%s><td>", is_met ? "" : " class=\"fail\"");
        report_escape(out, result_string(item, "what"));
        text_add_format(
            out, "</td><td class=\"n\">%.0f</td><td class=\"n\">%.0f</td><td>%s</td></tr>\n",
            result_number(item, "count"), result_number(item, "at_least"),
            is_met ? "<span class=\"chip\">met</span>" : "<span class=\"chip bad\">missing</span>");
    }
    text_add(out, "</tbody></table>\n");
}

/* "2026-09-01 13:30" and the zone; nothing when it never happened. */
static void add_minute(struct text *out, const char *at) {
    struct utc utc;
    char words[UTC_TEXT_MAX];
    if (utc_parse(at, &utc, NULL) == ERR_OK) {
        utc_print(utc, words);
        text_add_format(out, "%.10s %.5s UTC", words, words + 11);
    }
}

static void add_mechanism(struct text *out, const cJSON *mechanism) {
    bool is_idle = result_number(mechanism, "acted") <= 0 && result_number(mechanism, "held") <= 0;
    text_add_format(out, "<tr%s><td>", is_idle ? " class=\"idle\"" : "");
    report_escape(out, result_string(mechanism, "id"));
    text_add_format(
        out, "</td><td class=\"n\">%.0f</td><td class=\"n\">%.0f</td><td class=\"n\">%.0f</td><td>",
        result_number(mechanism, "acted"), result_number(mechanism, "held"),
        result_number(mechanism, "released"));
    add_minute(out, result_string(mechanism, "first"));
    text_add(out, "</td><td>");
    report_escape(out, result_string(mechanism, "note"));
    text_add(out, "</td></tr>\n");
}

/* Those that acted first; of the others, those that held nothing back are greyed. */
static void add_mechanisms(struct text *out, const cJSON *voyage) {
    text_add(
        out,
        "<h3>Mechanisms</h3>\n<p class=\"key\">acted: it changed what the core did; held: it kept "
        "an order or a request back; released: it let go of what it had "
        "set</p>\n<table><thead><tr><th>mechanism</th><th class=\"n\">acted</th>"
        "<th class=\"n\">held</th><th class=\"n\">released</th><th>first</th><th></th></tr>"
        "</thead><tbody>\n");
    for (int pass = 0; pass < 2; pass++) {
        const cJSON *item;
        cJSON_ArrayForEach(item, json_member(voyage, "mechanisms")) {
            if ((result_number(item, "acted") > 0) == (pass == 0)) {
                add_mechanism(out, item);
            }
        }
    }
    text_add(out, "</tbody></table>\n");
}

static void add_days_note(struct text *out, const cJSON *voyage) {
    const cJSON *item;
    const cJSON *closed = json_member(voyage, "closed_days");
    text_add_format(out, "<p class=\"soft\">%s to %s, %.0f sessions",
                    result_string(voyage, "first"), result_string(voyage, "last"),
                    result_number(voyage, "sessions"));
    text_add(out, closed->child != NULL ? "; closed on" : "");
    cJSON_ArrayForEach(item, closed) {
        text_add_format(out, "%s %s", item == closed->child ? "" : ",", item->valuestring);
    }
    cJSON_ArrayForEach(item, json_member(voyage, "data_ended")) {
        text_add(out, "; the data of ");
        report_escape(out, result_string(item, "symbol"));
        text_add_format(out, " end on %s", result_string(item, "date"));
    }
    text_add(out, ". Trace ");
    add_code(out, result_string(json_member(voyage, "totals"), "trace_hash"));
    text_add(out, "</p>\n");
}

static void add_moment(struct text *out, const cJSON *object, const char *key) {
    char moment[20];
    result_moment(object, key, moment);
    text_add(out, "<td>");
    report_escape(out, moment);
    text_add(out, "</td>");
}

static void add_trip(struct text *out, const cJSON *trip) {
    static const char *const words[] = {"mechanism", "why", "mode", "alert"};
    bool is_wrong = result_is_trip_wrong(trip);
    text_add_format(out, "<tr%s>", is_wrong ? " class=\"fail\"" : "");
    add_moment(out, trip, "at");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        text_add(out, "<td>");
        report_escape(out, result_string(trip, words[i]));
        text_add(out, "</td>");
    }
    add_moment(out, trip, "until");
    add_moment(out, trip, "due");
    text_add_format(out, "<td class=\"n\">%.0f</td><td><span class=\"chip%s\">",
                    result_number(trip, "late_ms"), is_wrong ? " bad" : "");
    report_escape(out, result_string(trip, "oracle"));
    text_add(out, "</span></td></tr>\n");
}

static void add_trips(struct text *out, const cJSON *voyage) {
    const cJSON *trips = json_member(voyage, "trips");
    double more = result_number(voyage, "trips_not_shown");
    const cJSON *item;
    if (trips == NULL || trips->child == NULL) {
        return;
    }
    text_add(out, "<h3>Trips and their cause</h3>\n<p class=\"soft\">Each time that a mechanism "
                  "restricted the core: when the answers first made it due, and what its oracle "
                  "says.</p>\n<table><thead><tr><th>trip, UTC</th><th>mechanism</th><th>cause</th>"
                  "<th>demands</th><th>alert</th><th>until</th><th>due</th><th class=\"n\">ms "
                  "late</th><th>oracle</th></tr></thead><tbody>\n");
    cJSON_ArrayForEach(item, trips) {
        add_trip(out, item);
    }
    text_add(out, "</tbody></table>\n");
    if (more > 0) {
        text_add_format(out, "<p class=\"soft\">and %.0f more</p>\n", more);
    }
}

static void add_naked_exit(struct text *out, const cJSON *exit) {
    text_add(out, "<tr><td>");
    report_escape(out, result_string(exit, "symbol"));
    text_add(out, "</td><td>");
    report_escape(out, result_string(exit, "reason"));
    text_add(out, "</td>");
    add_moment(out, exit, "decided");
    add_moment(out, exit, "over");
    text_add_format(out, "<td class=\"n\">%.3f</td><td class=\"n\">%.0f</td></tr>\n",
                    result_number(exit, "bare_s"), result_number(exit, "dollar_seconds"));
}

/* The barest, each with its row; the others together. */
static void add_naked_exits(struct text *out, const cJSON *voyage) {
    struct naked_summary summary = result_naked_exits(voyage);
    if (summary.exits == 0) {
        return;
    }
    text_add_format(out,
                    "<h4>What exits left without a stop</h4>\n<p class=\"soft\">From the decision "
                    "to the end, by the broker's ledger: %d exits, %.0f dollar-seconds.</p>\n",
                    summary.exits, summary.dollar_seconds);
    if (summary.count > 0) {
        text_add(out, "<table><thead><tr><th>symbol</th><th>reason</th><th>decided, UTC</th><th>"
                      "over</th><th class=\"n\">seconds bare</th><th class=\"n\">dollar-seconds"
                      "</th></tr></thead><tbody>\n");
        for (size_t i = 0; i < summary.count; i++) {
            add_naked_exit(out, summary.barest[i]);
        }
        text_add(out, "</tbody></table>\n");
    }
    if (summary.exits > (int)summary.count) {
        text_add_format(out,
                        "<p class=\"soft\">and %d others, of %.0f dollar-seconds together</p>\n",
                        summary.exits - (int)summary.count, summary.rest);
    }
}

static void add_voyage(struct text *out, const cJSON *voyage) {
    const cJSON *totals = json_member(voyage, "totals");
    const cJSON *orders = json_member(voyage, "orders");
    text_add(out, "<h2>");
    report_escape(out, result_string(voyage, "title"));
    text_add(out, "</h2>\n");
    add_days_note(out, voyage);
    text_add(out, "<div class=\"tiles\">\n");
    add_tile(out, "end equity, USD", "%.2f", result_number(totals, "equity_end"));
    add_tile(out, "orders", "%.0f", result_number(totals, "orders"));
    add_tile(out, "fills", "%.0f", result_number(totals, "fills"));
    add_tile(out, "refusals", "%.0f", result_number(totals, "refusals"));
    add_tile(out, "ticks", "%.0f", result_number(totals, "ticks"));
    add_tile(out, "session hours", "%.0f", result_number(totals, "sim_seconds") / 3600);
    text_add(out, "</div>\n");
    add_required(out, voyage);
    text_add(out, "<h3>Equity against its limits</h3>\n");
    chart_equity(out, voyage);
    text_add(out, "<h3>Modes and latches</h3>\n");
    chart_modes(out, voyage);
    add_trips(out, voyage);
    text_add(out, "<h3>Positions and their protection</h3>\n");
    chart_positions(out, voyage);
    add_naked_exits(out, voyage);
    add_mechanisms(out, voyage);
    text_add(out, "<h3>Orders and exits</h3>\n<div class=\"columns\">\n");
    chart_counts(out, "Orders by purpose", json_member(orders, "by_purpose"));
    chart_counts(out, "Orders by state", json_member(orders, "by_state"));
    chart_counts(out, "Refusals by reason", json_member(orders, "by_refusal"));
    chart_counts(out, "Exits by reason", json_member(voyage, "exits"));
    text_add(out, "</div>\n<h3>The market</h3>\n");
    chart_market(out, voyage);
}

/* True if a calm voyage shows it as often, so that it says nothing of the scenario. */
static bool is_calm(const cJSON *result, const char *words) {
    const cJSON *voyage;
    const cJSON *mechanism;
    char id[48];
    char what[16];
    int count = 0;
    if (sscanf(words, "%47s %15s %9d", id, what, &count) != 3) {
        return false;
    }
    cJSON_ArrayForEach(voyage, json_member(result, "voyages")) {
        cJSON_ArrayForEach(mechanism, json_member(voyage, "mechanisms")) {
            if (strcmp(result_string(mechanism, "id"), id) == 0 &&
                result_number(mechanism, what) >= count) {
                return true;
            }
        }
    }
    return false;
}

static void add_own(struct text *out, const cJSON *result, const cJSON *texts) {
    const cJSON *item;
    int count = 0;
    cJSON_ArrayForEach(item, texts) {
        if (!is_calm(result, item->valuestring)) {
            text_add(out, count++ == 0 ? "" : ", ");
            report_escape(out, item->valuestring);
        }
    }
    text_add(out, count == 0 ? "<span class=\"soft\">as in calm</span>" : "");
}

static void add_broken(struct text *out, const cJSON *broken) {
    const cJSON *item;
    if (broken->child == NULL) {
        return;
    }
    text_add(out, "<ul class=\"broken\">");
    cJSON_ArrayForEach(item, broken) {
        text_add(out, "<li>");
        report_escape(out, item->valuestring);
        text_add(out, "</li>");
    }
    text_add(out, "</ul>");
}

static void add_scenario(struct text *out, const cJSON *result, const cJSON *scenario) {
    bool is_pass = result_is_pass(scenario);
    text_add_format(out, "<tr%s><td><span class=\"chip%s\">", is_pass ? "" : " class=\"fail\"",
                    is_pass ? "" : " bad");
    report_escape(out, result_string(scenario, "verdict"));
    text_add(out, "</span></td><td><b>");
    report_escape(out, result_string(scenario, "title"));
    text_add(out, "</b><br><span class=\"soft\">");
    report_escape(out, result_string(scenario, "id"));
    if (result_string(scenario, "source")[0] != '\0') {
        text_add(out, " &middot; ");
        report_escape(out, result_string(scenario, "source"));
    }
    text_add(out, "</span>");
    add_broken(out, json_member(scenario, "broken"));
    if (!is_pass) {
        add_code(out, result_string(scenario, "repeat"));
    }
    text_add(out, "</td><td>");
    add_own(out, result, json_member(scenario, "mechanisms"));
    text_add(out, "</td><td>");
    text_add(out, "<code>");
    char hash[13] = {0};
    for (int i = 0; i < 12 && result_string(scenario, "trace_hash")[i] != '\0'; i++) {
        hash[i] = result_string(scenario, "trace_hash")[i];
    }
    report_escape(out, hash);
    text_add(out, "</code></td></tr>\n");
}

/* The broken ones first. */
static void add_scenarios(struct text *out, const cJSON *result) {
    text_add(out, "<h2>Scenarios</h2>\n<table "
                  "class=\"scenarios\"><thead><tr><th>verdict</th><th>scenario</th><th>mechanisms "
                  "beyond calm</th><th>trace</th></tr></thead><tbody>\n");
    for (int pass = 0; pass < 2; pass++) {
        const cJSON *item;
        cJSON_ArrayForEach(item, json_member(result, "scenarios")) {
            if (result_is_pass(item) == (pass == 1)) {
                add_scenario(out, result, item);
            }
        }
    }
    text_add(out, "</tbody></table>\n");
}

static void add_pair(struct text *out, const cJSON *pair) {
    const cJSON *score = json_member(pair, "score");
    static const char *const words[] = {"mechanism", "act", "quiet"};
    static const char *const counts[] = {"acted", "due", "missed", "unfounded", "latency_ms"};
    bool is_met = result_is_pair_met(pair);
    text_add_format(out, "<tr%s>", is_met ? "" : " class=\"fail\"");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        text_add(out, "<td>");
        report_escape(out, result_string(pair, words[i]));
        text_add(out, "</td>");
    }
    text_add_format(out, "<td><span class=\"chip%s\">", is_met ? "" : " bad");
    report_escape(out, result_string(pair, "oracle"));
    text_add(out, "</span></td>");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (cJSON_IsObject(score)) {
            text_add_format(out, "<td class=\"n\">%.0f</td>", result_number(score, counts[i]));
        } else {
            text_add(out, "<td class=\"n\">-</td>");
        }
    }
    text_add(out, "</tr>\n");
}

static void add_pairs(struct text *out, const cJSON *pairs) {
    const cJSON *item;
    if (pairs == NULL || pairs->child == NULL) {
        return;
    }
    text_add(
        out,
        "<h2>Mechanisms</h2>\n<p class=\"soft\">Each in the scenario where it must act: of how "
        "many times that it was due it acted, missed, or acted for nothing, and how late at "
        "worst.</p>\n<table><thead><tr><th>mechanism</th><th>must act in</th><th>must be quiet "
        "in</th><th>oracle</th><th class=\"n\">acted</th><th class=\"n\">due</th><th "
        "class=\"n\">missed</th><th class=\"n\">false</th><th class=\"n\">ms late</th></tr>"
        "</thead><tbody>\n");
    cJSON_ArrayForEach(item, pairs) {
        add_pair(out, item);
    }
    text_add(out, "</tbody></table>\n");
}

static void add_learner(struct text *out, const cJSON *run, const cJSON *learning) {
    static const char *const counts[] = {"trades",   "steps",    "kept",
                                         "reverted", "admitted", "declined"};
    const cJSON *weights = json_member(learning, "weights");
    const cJSON *weight;
    text_add(out, "<tr><td>");
    report_escape(out, result_string(run, "id"));
    text_add(out, "</td>");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        text_add_format(out, "<td class=\"n\">%.0f</td>", result_number(learning, counts[i]));
    }
    text_add(out, "<td>");
    cJSON_ArrayForEach(weight, weights) {
        text_add(out, weight == weights->child ? "" : "<br>");
        report_escape(out, result_string(weight, "part"));
        text_add_format(out, " %.3f &rarr; %.3f", result_number(weight, "before") / 1000,
                        result_number(weight, "after") / 1000);
    }
    text_add(out, "</td></tr>\n");
}

/* Of each run that learned: from what, and what it did. */
static void add_learning(struct text *out, const cJSON *result) {
    const cJSON *learning = NULL;
    const cJSON *run = result_learner(result, 0, &learning);
    if (run == NULL) {
        return;
    }
    text_add(out,
             "<h2>Learning</h2>\n<p class=\"soft\">Each step is tried on the next trades: it "
             "is kept, or taken back; one may still be on trial at the end. Weights are shares "
             "of what the configuration says.</p>\n<table><thead><tr><th>run</th><th "
             "class=\"n\">trades learned</th><th class=\"n\">steps</th><th class=\"n\">kept"
             "</th><th class=\"n\">taken back</th><th class=\"n\">admitted</th><th class=\"n\">"
             "declined</th><th>weights, before and after</th></tr></thead><tbody>\n");
    for (size_t i = 0; run != NULL; run = result_learner(result, ++i, &learning)) {
        add_learner(out, run, learning);
    }
    text_add(out, "</tbody></table>\n");
}

enum err_code report_html(const cJSON *result, struct text *out, struct err *err) {
    enum err_code code = result_check(result, err);
    if (code != ERR_OK) {
        return code;
    }
    text_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
                  "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
                  "name=\"color-scheme\" content=\"light dark\">\n<title>");
    report_escape(out, result_string(result, "title"));
    text_add(out, "</title>\n<style>");
    text_add(out, style);
    text_add(out, "</style>\n</head>\n<body>\n");
    add_verdict(out, result);
    if (sweep_of(result) != NULL) {
        sweep_section(out, sweep_of(result));
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(result, "voyages")) {
        add_voyage(out, item);
    }
    add_learning(out, result);
    add_pairs(out, json_member(result, "pairs"));
    if (json_member(result, "scenarios")->child != NULL) {
        add_scenarios(out, result);
    }
    text_add(out, "</body>\n</html>\n");
    return text_finish(out, err);
}
