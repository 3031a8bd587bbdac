/* journal.c - one_baseline_a_session_day, peak_never_falls, document_not_ahead and row_never_lost: what
 * the rows and documents say, in the order in which they became durable.
 *
 * A process may die between a commit and its word: until its successor's first row, rows may be durable
 * that nobody told. A number that comes twice is an acknowledged row that was lost; behind a fault of the disk, or a
 * file that a hand changed, it is a maybe, and so is what follows from it. What the core writes is JSON whatever the
 * disk makes of it. */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct journal {
    int64_t last_row;
    bool is_told; /* a row by this life: none is durable that was not told */
    struct date baseline_day;
    struct usd peak;
    bool is_excused; /* the disk was tampered with or failed */
};

static void *journal_create(void) {
    return judge_alloc(sizeof(struct journal));
}

static void tell(const struct journal *judge, struct findings *findings,
                 enum oracle_invariant invariant, const struct event *event, const char *what) {
    if (judge->is_excused) {
        findings_excuse(findings, invariant, event->at, "%s %s", event->id, what);
    } else {
        findings_break(findings, invariant, event->at, "row %lld (%s %s): %s",
                       (long long)event->number, event->subject, event->id, what);
    }
}

static void take_baseline(struct journal *judge, const struct event *event,
                          struct findings *findings) {
    struct date day = {0};
    struct session session;
    if (date_parse(event->id, &day, NULL) != ERR_OK ||
        !calendar_session(&findings->scene->calendar, day, &session)) {
        tell(judge, findings, ORACLE_BASELINE, event, "not a session's day");
    } else if (day.days <= judge->baseline_day.days) {
        tell(judge, findings, ORACLE_BASELINE, event, "not after the baseline before");
    }
    judge->baseline_day = day.days > judge->baseline_day.days ? day : judge->baseline_day;
}

static void take_peak(struct journal *judge, const struct event *event, struct findings *findings) {
    struct usd peak = {0};
    if (json_usd(scene_body(findings->scene, event), "usd", &peak, NULL) == ERR_OK) {
        if (usd_cmp(peak, judge->peak) < 0) {
            tell(judge, findings, ORACLE_PEAK, event, "below the peak before");
        }
        judge->peak = usd_max(peak, judge->peak);
    }
}

static void take_row(struct journal *judge, const struct event *event, struct findings *findings) {
    MUTATE(judge_rows_blind, judge->last_row = event->number - 1);
    if (event->number <= judge->last_row) {
        tell(judge, findings, ORACLE_ROWS, event, "its number was given before");
        judge->is_excused = true; /* one loss, one finding */
    }
    judge->last_row = event->number;
    judge->is_told = true;
    if (is_word(event->subject, "baseline")) {
        take_baseline(judge, event, findings);
    } else if (is_word(event->subject, "peak")) {
        take_peak(judge, event, findings);
    }
}

static void take_document(const struct journal *judge, const struct event *event,
                          struct findings *findings) {
    static const char key[] = "\"journal_seq\":";
    const char *seq = strstr(event->body, key);
    if (judge->is_told && seq != NULL &&
        strtoll(seq + sizeof key - 1, NULL, 10) > judge->last_row) {
        tell(judge, findings, ORACLE_DOCUMENT, event, "stamped with a row that is not durable");
    }
    if (event->body_len > 0 && scene_body(findings->scene, event) == NULL) {
        findings_break(findings, ORACLE_DOCUMENT, event->at, "%s is no JSON", event->subject);
    }
}

static void journal_observe(void *context, const struct event *event, struct findings *findings) {
    struct journal *judge = context;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_DOCUMENT) {
        take_document(judge, event, findings);
    } else if (event->kind == EVENT_STOP) {
        judge->is_told = false;
    } else if (event->kind == EVENT_FAULT) {
        judge->is_excused = judge->is_excused || strncmp(event->subject, "disk.", 5) == 0;
    } else if (is_word(event->subject, "edit_document")) {
        judge->is_excused = true;
    }
}

const struct judge_ops journal_judge = {KIND(EVENT_ROW) | KIND(EVENT_DOCUMENT) | KIND(EVENT_FAULT) |
                                            KIND(EVENT_STOP) | KIND(EVENT_OPERATOR),
                                        journal_create, journal_observe, free};
