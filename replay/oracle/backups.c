/* backups.c - backup_is_there and backups_resume, the oracle of state_backup: what lies under backups/, by
 * the truth of the disk (EVENT_COPY), against what the core said was durable (rows, saved documents).
 *
 * A copy is good if its checksum is right and, of a piece of the journal, its rows are all those between the
 * row behind which it says to begin and the one it says to end with. What a fault of the disk or a hand did
 * to a copy that was good, or a power cut behind a sync that failed or lied, is a maybe. Copies are looked
 * at between ticks, so that what a process did in the moment of its death shows at the next start. After a
 * journal that went back nothing is due: what the copies hold may be all that is left of it. That rows of a journal
 * have no copy is a maybe too where the disk changed what it holds and the core then said that it could copy none:
 * what is damaged is no copy of anything. */
#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "state_backup";
static const char *const DOCUMENTS[] = {"governor_freezes.json", "position_metadata.json"};
static const char PIECE[] = "journal-";
static const struct span SPARE = {INT64_C(1200000000000)};
enum { DOCUMENT_COUNT = 2, JOURNAL = DOCUMENT_COUNT, STRANGER, PREFIX = 26, DAY_AT = 9, DAY = 8 };

struct copy {
    char name[TABLE_NAME_MAX];
    uint64_t content;
    int thing;
    bool is_good;
    int64_t after; /* of a piece */
    int64_t last;  /* row of the stamp */
};

struct wanting { /* something durable that no copy has */
    int64_t seq; /* newest row of it, by its stamp */
    /* or since the first row behind it, before which no copy is due; {0}: nothing */
    struct utc since;
    bool has_row; /* one came */
};

struct backups {
    struct copy *items; /* that are there, in the order of their names */
    size_t count, cap;
    struct wanting documents[DOCUMENT_COUNT];
    struct wanting rows;
    int64_t covered; /* rows up to here are in copies */
    bool is_hit;     /* a fault of the disk fired */
    bool is_touched; /* one, or a hand, that may change what lies there */
    bool is_excused; /* of what this start found, one was */
    bool is_rewound; /* the journal went back */
    bool is_damaged; /* the disk changed it, and no copy was made of it since */
    bool is_refused; /* and the core said why it makes none */
};

static void *backups_create(void) {
    return judge_alloc(sizeof(struct backups));
}

static void backups_destroy(void *context) {
    struct backups *judge = context;
    free(judge->items);
    free(judge);
}

/* --- one file --- */

/* As state_file.h says: a first line with name, row and the checksum of both and of the members; those; the
 * end. Each byte has its place. */
static bool is_intact(const char *thing, const struct event *event, int64_t last) {
    static const char tail[] = "\n}\n";
    char hex[17];
    char line[256];
    const char *end = event->body + event->body_len;
    const char *members = memchr(event->body, '\n', event->body_len);
    if (members == NULL) {
        return false;
    }
    members++;
    size_t rest = (size_t)(end - members);
    bool is_empty = rest == sizeof tail - 2;
    size_t n = is_empty || rest < sizeof tail - 1 ? 0 : rest - (sizeof tail - 1);
    uint64_t hash = hash64(thing, strlen(thing), (uint64_t)last);
    hash64_print(hash64(members, n, hash), hex);
    int length = snprintf(line, sizeof line,
                          "{\"_seatrial\":{\"document\":\"%s\",\"schema\":1,\"journal_seq\":%lld,"
                          "\"checksum\":\"%s\"}%s\n",
                          thing, (long long)last, hex, is_empty ? "" : ",");
    const char *wanted_tail = is_empty ? &tail[1] : tail;
    return length == members - event->body && strncmp(line, event->body, (size_t)length) == 0 &&
           rest - n == strlen(wanted_tail) && strncmp(members + n, wanted_tail, rest - n) == 0;
}

/* Rows stand one a line, "[seq,...", and no string holds a line's end. */
static bool has_its_rows(const struct event *event, int64_t after, int64_t last) {
    int64_t seq = after;
    const char *end = event->body + event->body_len;
    for (const char *at = event->body; at < end && (at = memmem(at, (size_t)(end - at), "\n[", 2));
         at += 2) {
        if (strtoll(at + 2, NULL, 10) != ++seq) {
            return false;
        }
    }
    return seq == last;
}

static int thing_of(const char *thing) {
    for (int i = 0; i < DOCUMENT_COUNT; i++) {
        if (is_word(thing, DOCUMENTS[i])) {
            return i;
        }
    }
    return strncmp(thing, PIECE, sizeof PIECE - 1) == 0 ? JOURNAL : STRANGER;
}

static struct copy look_at(const struct event *event) {
    struct copy copy = {.thing = STRANGER, .content = hash64(event->body, event->body_len, 0)};
    (void)!text_copy(copy.name, sizeof copy.name, event->what, NULL);
    if (strlen(copy.name) <= PREFIX) {
        return copy;
    }
    const char *thing = copy.name + PREFIX;
    copy.thing = thing_of(thing);
    copy.last = scene_stamp(event);
    copy.after = copy.thing == JOURNAL ? strtoll(thing + sizeof PIECE - 1, NULL, 10) : 0;
    copy.is_good = is_intact(thing, event, copy.last) &&
                   (copy.thing != JOURNAL || has_its_rows(event, copy.after, copy.last));
    return copy;
}

/* --- all of them --- */

static size_t place_of(const struct backups *judge, const char *name) {
    size_t i = judge->count;
    while (i > 0 && strcmp(judge->items[i - 1].name, name) >= 0) {
        i--;
    }
    return i;
}

static struct copy *find(struct backups *judge, const char *name) {
    size_t i = place_of(judge, name);
    return i < judge->count && is_word(judge->items[i].name, name) ? &judge->items[i] : NULL;
}

static void put(struct backups *judge, const struct copy *copy) {
    if (judge->count == judge->cap) {
        size_t cap = judge->cap == 0 ? 64 : 2 * judge->cap;
        struct copy *items = judge_alloc(cap * sizeof *items);
        if (judge->count > 0) {
            memcpy(items, judge->items, judge->count * sizeof *items);
        }
        free(judge->items);
        judge->items = items;
        judge->cap = cap;
    }
    size_t i = place_of(judge, copy->name);
    memmove(&judge->items[i + 1], &judge->items[i], (judge->count++ - i) * sizeof judge->items[0]);
    judge->items[i] = *copy;
}

/* How far the good pieces reach without a gap. */
static int64_t reach(const struct backups *judge) {
    int64_t covered = 0;
    for (bool is_longer = true; is_longer;) {
        is_longer = false;
        for (size_t i = 0; i < judge->count; i++) {
            const struct copy *copy = &judge->items[i];
            if (copy->thing == JOURNAL && copy->is_good && copy->after <= covered &&
                copy->last > covered) {
                covered = copy->last;
                is_longer = true;
            }
        }
    }
    return covered;
}

/* --- what is due --- */

static void want(struct wanting *wanting, int64_t seq, struct utc at) {
    wanting->seq = seq;
    if (wanting->since.ns == 0) {
        wanting->since = at;
        wanting->has_row = false;
    }
}

static void got(struct wanting *wanting, int64_t seq, struct utc at) {
    wanting->since = seq >= wanting->seq || wanting->since.ns == 0 ? (struct utc){0} : at;
}

/* What a running core did is its own; what a start finds may be what a power cut left of it. */
static void tell(struct backups *judge, struct findings *findings, const struct event *event,
                 const char *what) {
    bool is_up = findings->scene->is_up;
    if (!judge->is_touched && (is_up || !judge->is_hit)) {
        findings_break(findings, ORACLE_BACKUP, event->at, "%s %s", event->what, what);
    } else if (!judge->is_excused) { /* one loss takes many, and is one */
        judge->is_excused = !is_up;
        findings_excuse(findings, ORACLE_BACKUP, event->at, "%s %s", event->what, what);
    }
}

static void take_copy(struct backups *judge, const struct event *event, struct findings *findings) {
    struct utc now = findings->scene->now;
    struct copy copy = look_at(event);
    struct copy *known = find(judge, copy.name);
    if (copy.thing == STRANGER || (known != NULL && known->content == copy.content)) {
        return;
    }
    if (known != NULL) {
        tell(judge, findings, event, "is not what it was");
        *known = copy;
        judge->covered = reach(judge);
        return;
    }
    put(judge, &copy);
    if (!copy.is_good) {
        tell(judge, findings, event, "is no good copy");
    } else if (copy.thing == JOURNAL) {
        findings_score(findings, MECHANISM)->acted++;
        judge->is_damaged = judge->is_refused = false;
        judge->covered = reach(judge); /* pieces of one tick come in the order of their names */
        got(&judge->rows, judge->covered, now);
    } else {
        struct wanting *wanting = &judge->documents[copy.thing];
        got(wanting, copy.last, now);
        wanting->has_row &= judge->rows.seq > wanting->seq; /* of what was saved behind the copy */
    }
}

/* --- what goes --- */

/* Newer copies of the same thing, and in how many days, as one walks back to it. */
static bool may_go(const struct backups *judge, size_t gone, const struct scene *scene) {
    const struct copy *copy = &judge->items[gone];
    const char *day = "";
    int64_t newer = 0;
    int64_t days = 0;
    for (size_t i = judge->count; i-- > gone + 1;) {
        if (judge->items[i].thing == copy->thing) {
            newer++;
            days += strncmp(day, judge->items[i].name + DAY_AT, DAY) != 0;
            day = judge->items[i].name + DAY_AT;
        }
    }
    bool is_last_of_day = strncmp(day, copy->name + DAY_AT, DAY) != 0;
    return newer >= scene->limits.backup_newest &&
           !(is_last_of_day && days < scene->limits.backup_days);
}

static void take_gone(struct backups *judge, const struct event *event, struct findings *findings) {
    struct copy *known = find(judge, event->what);
    if (known == NULL) {
        return;
    }
    size_t i = (size_t)(known - judge->items);
    struct copy copy = *known;
    bool is_missed = copy.thing < DOCUMENT_COUNT && !may_go(judge, i, findings->scene);
    memmove(known, known + 1, (--judge->count - i) * sizeof *known);
    if (copy.thing == JOURNAL && copy.is_good) {
        int64_t covered = reach(judge);
        is_missed = covered < judge->covered;
        judge->covered = covered;
    }
    if (copy.is_good && is_missed) {
        tell(judge, findings, event, "is gone, and nothing has what it had");
    }
}

/* --- time --- */

static bool is_late(const struct wanting *wanting, const struct scene *scene) {
    struct utc since = utc_max(wanting->since, utc_max(scene->healed_at, scene->up_since));
    int64_t intervals = scene->is_stepped ? 3 : 2;
    return wanting->since.ns != 0 && wanting->has_row && scene->healed_at.ns != 0 && scene->is_up &&
           utc_sub(scene->now, since).ns > intervals * scene->limits.backup_interval.ns + SPARE.ns;
}

static void tell_late_rows(struct backups *judge, const struct event *event,
                           struct findings *findings) {
    static const char text[] = "rows behind %lld have no copy, the last is %lld";
    const long long covered = judge->covered;
    const long long last = judge->rows.seq;
    judge->rows.since = (struct utc){0};
    if (judge->is_refused) {
        findings_excuse(findings, ORACLE_L_BACKUPS, event->at, text, covered, last);
        return;
    }
    findings_score(findings, MECHANISM)->missed++;
    findings_break(findings, ORACLE_L_BACKUPS, event->at, text, covered, last);
}

static void judge_tick(struct backups *judge, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (scene->limits.backup_interval.ns == 0 || judge->is_rewound) {
        return;
    }
    if (is_late(&judge->rows, scene)) {
        tell_late_rows(judge, event, findings);
    }
    for (int i = 0; i < DOCUMENT_COUNT; i++) {
        struct wanting *wanting = &judge->documents[i];
        if (is_late(wanting, scene) && !judge->is_hit && !judge->is_touched) {
            findings_break(findings, ORACLE_L_BACKUPS, event->at, "%s as of row %lld has no copy",
                           DOCUMENTS[i], (long long)wanting->seq);
            wanting->since = (struct utc){0};
        }
    }
}

static void take_row(struct backups *judge, const struct event *event,
                     const struct findings *findings) {
    judge->is_rewound |= event->number <= judge->rows.seq;
    want(&judge->rows, event->number, findings->scene->now);
    judge->rows.has_row = true;
    for (int i = 0; i < DOCUMENT_COUNT; i++) {
        struct wanting *wanting = &judge->documents[i];
        if (wanting->since.ns != 0 && !wanting->has_row) {
            wanting->since = findings->scene->now;
        }
        wanting->has_row = true;
    }
}

/* A hand's edit does not say of which file. */
static void take_fault(struct backups *judge, const struct event *event) {
    bool is_kept = is_word(event->subject, "disk.bit_rot") ||
                   is_word(event->subject, "disk.wrong_number") ||
                   is_word(event->subject, "disk.old_version");
    judge->is_hit |= strncmp(event->subject, "disk.", 5) == 0;
    judge->is_damaged |= is_kept && strstr(event->what, "journal.db") != NULL;
    judge->is_touched |= (is_kept && strstr(event->what, "backups") != NULL) ||
                         is_word(event->subject, "edit_document");
}

static void backups_observe(void *context, const struct event *event, struct findings *findings) {
    struct backups *judge = context;
    MUTATE(judge_backups_blind, if (event->kind == EVENT_COPY && is_word(event->subject, "gone")) return);
    judge->is_rewound |= findings->scene->is_journal_back;
    if (event->kind == EVENT_COPY && is_word(event->subject, "there")) {
        take_copy(judge, event, findings);
    } else if (event->kind == EVENT_COPY) {
        take_gone(judge, event, findings);
    } else if (event->kind == EVENT_ROW) {
        take_row(judge, event, findings);
    } else if (event->kind == EVENT_DOCUMENT) {
        int thing = thing_of(event->subject);
        if (thing < DOCUMENT_COUNT) {
            want(&judge->documents[thing], event->number, findings->scene->now);
        }
    } else if (event->kind == EVENT_TICK) {
        judge->is_excused = false;
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        judge->is_refused |= judge->is_damaged && is_word(event->subject, MECHANISM) &&
                             is_word(event->what, "warned");
    } else {
        take_fault(judge, event);
    }
}

const struct judge_ops backups_judge = {KIND(EVENT_COPY) | KIND(EVENT_ROW) | KIND(EVENT_DOCUMENT) |
                                            KIND(EVENT_TICK) | KIND(EVENT_FAULT) |
                                            KIND(EVENT_OPERATOR) | KIND(EVENT_MECHANISM),
                                        backups_create, backups_observe, backups_destroy};
