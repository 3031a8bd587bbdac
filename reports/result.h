/* result.h - the result of a certification as JSON, and the reports made of it: html, junit, json,
 * markdown. Reports read this tree and nothing else; scenarios/ produces it.
 *
 * t is an RFC 3339 instant, date "2026-09-01", amount a decimal in a string or a number, word a
 * string that is not empty, text one that may be; `?` may be null. Every member must be there; more
 * are allowed. A point is [t, amount].
 *
 * {"title": word, "build": word, "config_hash": word, "seed": int,
 *  "voyages": [{                     one per continuous run
 *    "id": word, "title": word, "first": date, "last": date, "sessions": int,
 *    "closed_days": [date], "data_ended": [{"symbol": word, "date": date}],
 *    "equity": [{"t": t, "equity": amount, "cash": amount}],      in time order, thinned out
 *    "limits": {"daily_loss_at": [point], "drawdown_at": [point], "floor": amount?},
 *                                    equity at which each trips; a point holds until the next
 *    "modes": [{"from": t, "to": t, "mode": word, "causes": [text]}],
 *    "latches": [{"cause": word, "set": t, "cleared": t?, "why": text?}],
 *    "trips"?: [{"mechanism": word, "cause": text, "mode": text, "at": t, "until": t?, "due": t?, "late_ms": int,
 *               "why": text, "alert": text, "oracle": word}],      replay/oracle/trips.h
 *    "trips_not_shown"?: int,        and so many more
 *    "positions": [{"symbol": word, "from": t, "to": t?, "qty": amount, "protected_from": t?,
 *                   "naked_s": amount, "exit_reason": text?, "pnl": amount?}],
 *                                    to, exit_reason, pnl null: open at the end
 *    "naked_exits"?: [{"symbol": text, "reason": text, "decided": t, "over": t?, "bare_s": amount,
 *                      "dollar_seconds": amount}],                replay/oracle/oracle.h
 *    "naked_exits_not_shown"?: int, "naked_exits_not_shown_dollar_seconds"?: amount,   and so many more
 *    "orders": {"by_purpose": {word: int}, "by_state": {...}, "by_refusal": {...}},
 *    "exits": {word: int},           hard_stop, resting_stop, trailing, target, time, decay ...
 *    "mechanisms": [{"id": word, "acted": int, "held": int, "released": int, "first": t?,
 *                    "note": text}],
 *    "learning"?: {"trades": int, "steps": int, "kept": int, "reverted": int, "admitted": int, "declined": int,
 *                  "weights": [{"part": word, "before": int, "after": int}]},    thousandths; also of a scenario
 *    "market": [{"symbol": word, "series": [point]}],
 *    "totals": {"ticks": int, "orders": int, "fills": int, "refusals": int, "equity_end": amount,
 *               "sim_seconds": amount, "trace_hash": word},
 *    "required": [{"what": word, "count": int, "at_least": int}]}],   count < at_least fails
 *  "scenarios": [{"id": word, "title": word, "verdict": "pass"|"fail"|..., "broken": [text],
 *                 "mechanisms": [text], "trace_hash": word, "repeat": text, "source": text}],
 *  "pairs"?: [{"mechanism": word, "act": word, "quiet": word, "oracle": word, "met": bool,
 *              "score": {"acted": int, "due": int, "missed": int, "unfounded": int,
 *                        "latency_ms": int}?}],    scenarios/pairs.h
 *  "passed": int, "failed": int} */
#ifndef REPORTS_RESULT_H
#define REPORTS_RESULT_H

#include "core/base/err.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Checks the whole tree against the shape above. ERR_PARSE names the member and where it is
 * ("voyages: [0]: totals: ticks: missing"), or says that nothing was run. */
enum err_code result_check(const cJSON *result, struct err *err) MUST_USE;

struct result_summary {
    bool has_passed; /* no failed scenario, no cell below its number, no pair unmet, failed is 0 */
    int voyages;
    int scenarios;
    int scenarios_failed;
    int cells;        /* rows of all required tables */
    int cells_failed; /* those below their number */
    int pairs_unmet;
    int mechanisms_acted; /* distinct ids that acted, over all voyages and scenarios */
};

/* What happened, in numbers. The tree has passed result_check(). */
struct result_summary result_summarise(const cJSON *result);

/* The reports, appended to out. They check the tree first and leave out unchanged if it is wrong.
 * ERR_PARSE as result_check(), ERR_LIMIT when out is full (and then cut). Same tree, same bytes. */
enum err_code report_html(const cJSON *result, struct text *out, struct err *err) MUST_USE;
enum err_code report_junit(const cJSON *result, struct text *out, struct err *err) MUST_USE;
enum err_code report_markdown(const cJSON *result, struct text *out, struct err *err) MUST_USE;
enum err_code report_json(const cJSON *result, struct text *out, struct err *err) MUST_USE;

#define BAREST_MAX 20

/* The n-th run that learned, voyages first, and its "learning" in *learning; NULL behind the last. */
const cJSON *result_learner(const cJSON *result, size_t n, const cJSON **learning);

struct naked_summary { /* of a voyage's exits */
    int exits;         /* all of them */
    double dollar_seconds;
    const cJSON
        *barest[BAREST_MAX]; /* those of most dollar-seconds, most first; none without any */
    size_t count;
    double rest; /* dollar-seconds of the others */
};

/* For the writers of reports. The tree has passed result_check(), so that nothing is missing. */

/* Appends text for HTML and XML: markup escaped, control characters replaced. NULL is nothing. */
void report_escape(struct text *out, const char *string);
/* A string member, "" when null; it lives as long as the tree. */
const char *result_string(const cJSON *object, const char *key);
/* A numeric member, or a decimal in a string; for drawing only. 0 when null. */
double result_number(const cJSON *object, const char *key);
/* The same of a value itself. */
double result_value(const cJSON *value);
/* The seconds since 1970 of an instant or a date (its midnight UTC). */
double result_seconds(const char *at);
/* An instant to the second, for people: "2022-03-16 18:02:03"; "" when null. */
void result_moment(const cJSON *object, const char *key, char out[static 20]);
/* True if an oracle objects to the trip: it demanded none, or one that did not come. */
bool result_is_trip_wrong(const cJSON *trip);
/* What all exits of a voyage left without a stop; zeros where it does not say. */
struct naked_summary result_naked_exits(const cJSON *voyage);
/* True if a scenario's verdict is "pass". */
bool result_is_pass(const cJSON *scenario);
/* True if this mechanism of this voyage acted, and in no voyage before: names each of them once. */
bool result_acted_first(const cJSON *result, const cJSON *voyage, const cJSON *mechanism);
/* True if a scenario's words ("daily_loss acted 1") are the first, after all voyages and the scenarios
 * before, to say that their mechanism acted; id is its name. */
bool result_scenario_acted_first(const cJSON *result, const cJSON *words, char id[static 48]);
/* True if a required cell has its number. */
bool result_is_met(const cJSON *required);

/* A mechanism's pair of scenarios; false where it does not say. */
bool result_is_pair_met(const cJSON *pair);

#endif
