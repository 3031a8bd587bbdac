/* lines.c - log_tells_all: what a core told the world, against the lines that log.jsonl gained.
 *
 * Each change of mode, act of a mechanism, alert and refusal is a line. Of those that are missing at the end
 * of a tick the next line that is there must say how many were lost before it: they may be more, because
 * other lines are lost as well, and never fewer. A line is an object on a line of its own; a piece of one is
 * what a refused write may leave, one for each line that is told as lost. Lines that nothing told are another
 * process's, and no fault. */
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MECHANISM, LINE_MODE, LINE_ALERT, LINE_REFUSAL, LINE_KINDS };

static const char *const COUNTED[LINE_KINDS] = {"mechanism", "mode", "alert", "refusal"};
static const char *const OTHERS[] = {"start", "stop", "broker_refused", "operator"};

struct lines {
    bool is_known;                 /* a start was seen */
    int64_t told[LINE_KINDS];      /* since the last look at the file */
    int64_t found[LINE_KINDS];     /* in this one, as the next three */
    int64_t good, pieces, lost;    /* whole lines, pieces of one, and what lines said was lost */
    int64_t owed_lines, owed_bits; /* missing, and pieces, that no line has told yet */
};

static void *lines_create(void) {
    return judge_alloc(sizeof(struct lines));
}

static int kind_of(const char *word) {
    for (int i = 0; i < LINE_KINDS; i++) {
        if (strcmp(word, COUNTED[i]) == 0) {
            return i;
        }
    }
    return LINE_KINDS;
}

static bool is_other(const char *word) {
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        if (strcmp(word, OTHERS[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int64_t beyond(int64_t a, int64_t b) {
    return a > b ? a - b : 0;
}

/* What earlier looks left owing is due with the first whole line behind it. */
static void collect(struct lines *judge, struct utc at, struct findings *findings) {
    struct score *score = NULL;
    if (judge->owed_lines > 0) {
        score = findings_score(findings, "log");
        score->due++;
        score->acted += judge->lost >= judge->owed_lines;
        score->missed += judge->lost < judge->owed_lines;
    }
    if (judge->lost < judge->owed_lines) {
        findings_break(findings, ORACLE_LOG, at,
                       "%lld lines are not in log.jsonl, and %lld are told as lost",
                       (long long)judge->owed_lines, (long long)judge->lost);
    }
    if (judge->lost < judge->owed_bits) {
        findings_break(findings, ORACLE_LOG, at,
                       "%lld lines of log.jsonl are no JSON, and %lld are told as lost",
                       (long long)judge->owed_bits, (long long)judge->lost);
    }
}

/* The rest of the lost covers what this look misses; beyond that the end may have been lost just now. */
static void carry(struct lines *judge) {
    int64_t missing = 0;
    for (int i = 0; i < LINE_KINDS; i++) {
        missing += beyond(judge->told[i], judge->found[i]);
        judge->told[i] = judge->found[i] = 0;
    }
    judge->owed_lines = beyond(missing, beyond(judge->lost, judge->owed_lines));
    judge->owed_bits = beyond(judge->pieces, beyond(judge->lost, judge->owed_bits));
    judge->good = judge->pieces = judge->lost = 0;
}

static void take_line(struct lines *judge, const char *line, size_t length, struct utc at,
                      struct findings *findings) {
    cJSON *object = NULL;
    if (json_parse(line, length, &object, NULL) != ERR_OK || !cJSON_IsObject(object)) {
        judge->pieces++;
        cJSON_Delete(object);
        return;
    }
    const cJSON *event = json_member(object, "event");
    int64_t lost = 0;
    const char *word = cJSON_IsString(event) ? event->valuestring : "";
    int kind = kind_of(word);
    if (!cJSON_IsString(json_member(object, "at")) || (kind == LINE_KINDS && !is_other(word))) {
        findings_break(findings, ORACLE_LOG, at, "no event of ours: %.80s", line);
    }
    judge->lost += json_int(object, "lines_lost", &lost, NULL) == ERR_OK ? lost : 0;
    if (kind < LINE_KINDS) {
        judge->found[kind]++;
    }
    judge->good++;
    cJSON_Delete(object);
}

static void look(struct lines *judge, const struct event *event, struct findings *findings) {
    const char *line = event->body;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        if (length > 0) {
            take_line(judge, line, length, event->at, findings);
        }
        line += length + (line[length] == '\n');
    }
    if (judge->good == 0) {
        return; /* pieces alone: told and found go on */
    }
    MUTATE(judge_log_blind, judge->owed_lines = judge->owed_bits = 0);
    collect(judge, event->at, findings);
    carry(judge);
}

/* By the courier, which has no log, or by the operator's shell. */
static bool is_told_by_another(const struct event *event) {
    return event->kind == EVENT_MECHANISM
               ? is_word(event->subject, "alerts") || is_word(event->subject, "heartbeat")
               : event->kind == EVENT_ALERT && is_word(event->what, "operator_command_failed");
}

static void lines_observe(void *context, const struct event *event, struct findings *findings) {
    struct lines *judge = context;
    switch ((int)event->kind) {
    case EVENT_START:
        *judge = (struct lines){.is_known = true};
        break;
    case EVENT_STOP:
        if (!is_word(event->subject, "clean")) { /* succeeded: another's lines from here on */
            *judge = (struct lines){.is_known = is_word(event->subject, "succeeded")};
        }
        break;
    case EVENT_FAULT: /* what lies there is another thing now: of this life nothing more is judged */
        judge->is_known &=
            !is_word(event->subject, "disk.bit_rot") || strstr(event->what, "log.jsonl") == NULL;
        break;
    case EVENT_LOG:
        if (judge->is_known) {
            look(judge, event, findings);
        }
        break;
    default:
        if (is_told_by_another(event)) {
            break;
        }
        judge->told[event->kind == EVENT_MECHANISM ? LINE_MECHANISM
                    : event->kind == EVENT_MODE    ? LINE_MODE
                    : event->kind == EVENT_ALERT   ? LINE_ALERT
                                                   : LINE_REFUSAL]++;
    }
}

const struct judge_ops lines_judge = {
    KIND(EVENT_START) | KIND(EVENT_STOP) | KIND(EVENT_LOG) | KIND(EVENT_FAULT) |
        KIND(EVENT_MECHANISM) | KIND(EVENT_MODE) | KIND(EVENT_ALERT) | KIND(EVENT_REFUSAL),
    lines_create, lines_observe, free};
