/* metrics.c - metrics_are_true: what a core tells a scraper of its life, against what that life did.
 *
 * Judged where a core ended as it was told to, of what it did since its last start. A life that another cut
 * off, or whose disk failed, may have left an older text: then nothing is said. Requests are counted where they
 * leave the core; a request barred by its own breaker or budget is none. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "metrics";

struct metrics {
    int64_t requests, ticks; /* of this life; ticks: number of the last full one */
    bool is_read;            /* somebody looks at the disk behind each stop */
    bool is_owed;            /* it stopped, and its text is still to come */
    bool is_known,
        is_whole; /* a start was seen; no disk fault since, and nothing of it was told before */
};

static void *metrics_create(void) {
    return judge_alloc(sizeof(struct metrics));
}

/* The number behind a line's name, or the sum over its labels; -1 if no line begins so. Whole part and
 * decimals as nanos. */
static int64_t sum_of(const char *body, const char *name) {
    size_t n = strlen(name);
    int64_t sum = -1;
    for (const char *line = body; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *value = line + strcspn(line, " \n");
        struct usd number = {0};
        char text[32] = "";
        if (strncmp(line, name, n) == 0 && (line[n] == ' ' || line[n] == '{') && *value == ' ') {
            size_t length = strcspn(value + 1, "\n");
            memcpy(text, value + 1, length < sizeof text ? length : sizeof text - 1);
            if (usd_parse(text, &number, NULL) == ERR_OK) {
                sum = (sum < 0 ? 0 : sum) + number.nanos;
            }
        }
        if (line[strcspn(line, "\n")] == '\0') {
            break;
        }
    }
    return sum;
}

static void judge_count(const struct event *event, const char *name, int64_t want_nanos,
                        struct findings *findings) {
    int64_t is = sum_of(event->body, name);
    if (is != want_nanos) {
        findings_break(findings, ORACLE_METRICS, event->at, "%s: %lld e-9, should be %lld e-9",
                       name, (long long)is, (long long)want_nanos);
    }
}

static void judge_text(struct metrics *judge, const struct event *event,
                       struct findings *findings) {
    const char *end = "# EOF\n";
    bool has_end = event->body_len >= strlen(end) &&
                   strcmp(event->body + event->body_len - strlen(end), end) == 0;
    if (!has_end) {
        findings_break(findings, ORACLE_METRICS, event->at, "the text has no end");
    }
    if (strstr(event->body, "st-2") != NULL) {
        findings_break(findings, ORACLE_METRICS, event->at, "the text names an order");
    }
    judge_count(event, "seatrial_requests_total", judge->requests * NANOS, findings);
    int64_t ticks = sum_of(event->body, "seatrial_ticks_total");
    if (ticks < judge->ticks * NANOS) {
        findings_break(findings, ORACLE_METRICS, event->at, "%lld ticks, should be %lld",
                       (long long)(ticks / NANOS), (long long)judge->ticks);
    }
}

/* A life that stopped as it was told to left no text. */
static void judge_silence(const struct metrics *judge, const struct event *event,
                          struct findings *findings) {
    if (judge->is_owed) {
        score_passed(findings_score(findings, MECHANISM), event->at);
        findings_break(findings, ORACLE_METRICS, event->at, "nothing was told");
    }
}

static void metrics_observe(void *context, const struct event *event, struct findings *findings) {
    struct metrics *judge = context;
    switch ((int)event->kind) {
    case EVENT_START:
    case EVENT_END:
        judge_silence(judge, event, findings);
        *judge = (struct metrics){
            .is_read = judge->is_read, .is_known = event->kind == EVENT_START, .is_whole = true};
        break;
    case EVENT_FRAME:
        judge->is_read |= is_word(event->subject, "metrics");
        break;
    case EVENT_SEND:
        judge->requests++;
        break;
    case EVENT_TICK:
        judge->ticks = event->number;
        break;
    case EVENT_FAULT:
        judge->is_whole &= strncmp(event->subject, "disk.", 5) != 0;
        break;
    case EVENT_STOP: /* succeeded: the events that follow are another's */
        judge->is_known &= is_word(event->subject, "clean");
        judge->is_owed = judge->is_read && judge->is_known && judge->is_whole;
        break;
    default:
        judge->is_owed = false;
        if (judge->is_known && judge->is_whole) {
            int64_t before = findings->breaks[ORACLE_METRICS];
            struct score *score = findings_score(findings, MECHANISM);
            judge_text(judge, event, findings);
            if (findings->breaks[ORACLE_METRICS] == before) {
                score_held(score, event->at);
            } else {
                score_passed(score, event->at);
            }
        }
    }
}

const struct judge_ops metrics_judge = {
    KIND(EVENT_FRAME) | KIND(EVENT_START) | KIND(EVENT_SEND) | KIND(EVENT_TICK) |
        KIND(EVENT_FAULT) | KIND(EVENT_STOP) | KIND(EVENT_METRICS) | KIND(EVENT_END),
    metrics_create, metrics_observe, free};
