/* lives.c - dead_is_silent, comes_back and recovery_converges: how a core dies, starts and recovers.
 *
 * A life that ends no tick recovered nothing. Three such in a row, with no fault and no hand in
 * between, will go on for ever; one that waits for the lease of a process that stands still, no longer than
 * that takes, is none. Faults that go on to the end may keep a core down: where the disk failed its last
 * start, or it died within the last minute, that is a maybe; faults or not, where a hand killed it in that
 * minute. So is a core that refuses a journal which the disk has spoiled: rot, or syncs that were lies, no
 * program survives, and to refuse is the right answer. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_LIVES_MAX = 3 };
static const struct span HELD_LASTS = {INT64_C(60000000000)}; /* a lease and 35 s, and a start */
static const struct span DEAD_LASTS = {INT64_C(60000000000)};

struct lives {
    int idle; /* lives in a row that ended no tick, undisturbed */
    bool has_ticked;
    bool is_disk_hit;   /* a fault of the disk fired since the last start or stop */
    bool is_disk_dead;  /* ... and that start was refused */
    bool is_killed;     /* by hand, since the last start */
    bool has_betrayed;  /* the disk spoiled what it had said was safe */
    struct utc held_at; /* the first start in a row that found the lease held; {0}: none */
    struct utc died_at; /* {0}: not dead */
    char why[96];       /* of the last refused start */
};

static void *lives_create(void) {
    return judge_alloc(sizeof(struct lives));
}

static bool is_journal_spoiled(const struct lives *judge) {
    static const char journal[] = "journal.db: ";
    return judge->has_betrayed && strncmp(judge->why, journal, sizeof journal - 1) == 0;
}

static void end_life(struct lives *judge, const struct event *event, struct findings *findings) {
    judge->idle = judge->has_ticked ? 0 : judge->idle + 1;
    judge->has_ticked = false;
    if (judge->idle == IDLE_LIVES_MAX && is_journal_spoiled(judge)) {
        findings_excuse(findings, ORACLE_RECOVERY, event->at, "%s", judge->why);
    } else if (judge->idle == IDLE_LIVES_MAX) {
        findings_break(findings, ORACLE_RECOVERY, event->at,
                       "%d lives in a row ended before their first tick: %s", IDLE_LIVES_MAX,
                       judge->why);
    }
}

static void keep_why(struct lives *judge, const struct event *event) {
    size_t n = strnlen(event->what, sizeof judge->why - 1);
    memcpy(judge->why, event->what, n);
    judge->why[n] = '\0';
}

static void take_stop(struct lives *judge, const struct event *event, struct findings *findings) {
    if (is_word(event->what, "does_not_stop")) {
        findings_break(findings, ORACLE_DEAD, event->at, "calls after death");
    }
    judge->is_disk_hit = false;
    if (is_word(event->subject, "dead")) {
        judge->died_at = event->at;
        end_life(judge, event, findings);
    }
}

/* True while a start that was refused may have to wait for another's lease. */
static bool is_waiting(struct lives *judge, const struct event *event) {
    static const char held[] = "the state directory is held";
    if (strncmp(event->what, held, sizeof held - 1) != 0) {
        judge->held_at = (struct utc){0};
        return false;
    }
    judge->held_at = judge->held_at.ns == 0 ? event->at : judge->held_at;
    return utc_sub(event->at, judge->held_at).ns <= HELD_LASTS.ns;
}

static void take_start(struct lives *judge, const struct event *event, struct findings *findings) {
    bool is_refused = is_word(event->subject, "refused");
    judge->is_disk_dead = is_refused && judge->is_disk_hit;
    judge->is_disk_hit = judge->is_killed = false;
    judge->died_at = (struct utc){0};
    if (!is_refused) {
        judge->held_at = (struct utc){0};
        return;
    }
    keep_why(judge, event);
    if (!is_waiting(judge, event)) {
        end_life(judge, event, findings);
    }
}

static void judge_end(const struct lives *judge, const struct event *event,
                      struct findings *findings) {
    bool has_just_died =
        judge->died_at.ns != 0 && utc_sub(event->at, judge->died_at).ns <= DEAD_LASTS.ns;
    const char *colon = judge->why[0] == '\0' ? "" : ": ";
    bool is_hit = judge->is_disk_dead || has_just_died;
    bool is_excused = is_journal_spoiled(judge) || (has_just_died && judge->is_killed) ||
                      (findings->scene->healed_at.ns == 0 && is_hit);
    if (is_excused) {
        findings_excuse(findings, ORACLE_COMES_BACK, event->at, "down at the end%s%s", colon,
                        judge->why);
    } else {
        findings_break(findings, ORACLE_COMES_BACK, event->at, "down at the end%s%s", colon,
                       judge->why);
    }
}

static void lives_observe(void *context, const struct event *event, struct findings *findings) {
    struct lives *judge = context;
    if (event->kind == EVENT_TICK) {
        judge->has_ticked = true;
        judge->idle = 0;
    } else if (event->kind == EVENT_STOP) {
        take_stop(judge, event, findings);
    } else if (event->kind == EVENT_START) {
        take_start(judge, event, findings);
    } else if (event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR) {
        judge->idle = 0;
        judge->is_killed = judge->is_killed || is_word(event->subject, "kill -9");
        judge->is_disk_hit = judge->is_disk_hit || strncmp(event->subject, "disk.", 5) == 0;
        judge->has_betrayed = judge->has_betrayed || is_word(event->subject, "disk.bit_rot") ||
                              is_word(event->subject, "disk.lying_fsync");
    } else if (event->kind == EVENT_END && is_word(event->subject, "down")) {
        judge_end(judge, event, findings);
    }
}

const struct judge_ops lives_judge = {KIND(EVENT_TICK) | KIND(EVENT_STOP) | KIND(EVENT_START) |
                                          KIND(EVENT_FAULT) | KIND(EVENT_OPERATOR) |
                                          KIND(EVENT_END),
                                      lives_create, lives_observe, free};
