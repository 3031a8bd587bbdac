/* causes.c - which causes hold, and which of them only an operator's clear may end.
 *
 * A latch is known by its journal row ("latch_set", "latch_clear"), by an "acted" whose body names the
 * cause and says latched, or by a list of causes in EVENT_MODE. While-true causes end with the process
 * that held them. A latch that no row holds is in doubt when its process dies: the row may be durable and
 * untold, and if no tick of a successor ends with it, it died with its process, a maybe. One whose end an
 * operator asked for may be over in a journal row that its writer did not live to tell (a gap in the
 * numbers).
 *
 * When the journal goes back at a restart, an old version or rot in its log, to before a latch's row, and
 * the freeze document goes back too or never had it (who lost the lease saves none), no copy of the latch
 * is left: nobody can know its name or its mode. A sign stands for it, and the operator who clears the
 * last sign ends what only it still held. state_regression is one, and what was stricter counts as no
 * more than it; second_writer and amnesia are, at a restart at which the document of positions went back
 * as well: then no document can tell, and the broker's orders or the copies in backups/ alone do. Where no copy
 * knows of a row beyond those which were kept, and all documents went back, or the latch was never in a document of
 * freezes and none was ever saved that is newer than those rows, nothing tells that there were more: no sign is due.
 *
 * A row and a document that were made durable by syncs which were lies, both, may be gone behind the next
 * death; they are if the next life's rows begin at its number or below. Then no copy is left, and no sign
 * is due: the disk said of every one that it was safe. One honest copy, and it must be found. */
#include "core/base/json.h"
#include "replay/oracle/scene.h"

#include <string.h>

static int mode_number(const char *word) {
    static const char *const words[] = {"NORMAL", "CAUTION", "REDUCE_ONLY", "HALT"};
    for (int i = 0; i < 4; i++) {
        if (is_word(words[i], word)) {
            return i;
        }
    }
    return SCENE_NORMAL;
}

static void demand(struct scene *scene, struct scene_cause *cause, int mode) {
    scene->strict += mode >= SCENE_REDUCE_ONLY;
    scene->strict -= cause->mode >= SCENE_REDUCE_ONLY;
    cause->mode = mode;
}

static void set(struct scene *scene, const char *name, int mode, bool is_latched) {
    struct scene_cause *cause = table_get(&scene->causes, name);
    demand(scene, cause, mode > cause->mode ? mode : cause->mode);
    if (is_latched && mode > cause->latched) {
        cause->latched = mode;
    }
    cause->is_taken_back &= !is_latched; /* said again: it has a copy */
    cause->doubted = cause->latched >= cause->doubted ? SCENE_NORMAL : cause->doubted;
}

static void end(struct scene *scene, struct scene_cause *cause) {
    demand(scene, cause, SCENE_NORMAL);
    cause->latched = SCENE_NORMAL;
    cause->doubted = SCENE_NORMAL;
    cause->is_journaled = false;
    cause->is_resume_wished = false;
    cause->is_taken_back = false;
    cause->is_documented = false;
    cause->is_row_a_lie = false;
    cause->is_sign = false;
}

static void end_named(struct scene *scene, const char *name) {
    struct scene_cause *cause = table_find(&scene->causes, name);
    if (cause != NULL) {
        end(scene, cause);
    }
}

static int mode_member(const cJSON *object, int unsaid) {
    const char *word = "";
    return json_string(object, "mode", &word, NULL) == ERR_OK ? mode_number(word) : unsaid;
}

static bool says_latched(const cJSON *object) {
    bool is_latched = false;
    return json_bool(object, "latched", &is_latched, NULL) == ERR_OK && is_latched;
}

/* Rows that were durable and never told: what an operator had asked to end may have ended in them. */
static void take_gap(struct scene *scene) {
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        if (cause->latched > SCENE_NORMAL && cause->is_resume_wished) {
            end(scene, cause);
            scene->excused_latches++;
        }
    }
}

/* No copy is left of what is latched now, unless its row is older: see take_first_row(). */
static void mark_taken_back(struct scene *scene) {
    for (size_t i = 0; scene->is_journal_back && i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        cause->is_taken_back =
            cause->latched > SCENE_NORMAL && (scene->is_freezes_back || !cause->is_documented);
    }
}

static void take_old_version(struct scene *scene, const char *target) {
    scene->is_journal_back |= is_word(target, "journal.db*");
    scene->is_freezes_back |= is_word(target, "governor_freezes.json*");
    scene->is_positions_back |= is_word(target, "position_metadata.json*");
    mark_taken_back(scene);
}

/* A log that a start reads with a rotten frame ends before it. */
static void take_rot(struct scene *scene, const char *what) {
    if (!scene->is_row_told && strncmp(what, "read journal.db", 15) == 0) {
        scene->is_journal_back = true;
        mark_taken_back(scene);
    }
}

/* The rows before the first of a life are those that the journal kept. A stamp that is among them tells of no
 * other. */
static void take_first_row(struct scene *scene, int64_t number) {
    const bool is_all_back = scene->is_freezes_back && scene->is_positions_back;
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        cause->is_taken_back &= cause->row >= number;
        if (cause->is_taken_back && scene->copied < number &&
            (is_all_back || (!cause->is_documented && scene->newest_stamp < number))) {
            end(scene, cause);
            scene->excused_latches++;
        }
    }
}

/* A sync of the journal or of the document of freezes, or of the folder of their names, was a lie. */
static void take_lie(struct scene *scene, const char *what) {
    scene->has_journal_lied |= strncmp(what, "sync journal.db", 15) == 0;
    scene->has_freezes_lied |= strncmp(what, "sync governor_freezes.json", 26) == 0;
}

/* The first row of a life says which rows are gone. */
static void take_lost_rows(struct scene *scene, int64_t number) {
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        if (cause->latched > SCENE_NORMAL && cause->is_row_a_lie && !cause->is_documented &&
            cause->row >= number) {
            end(scene, cause);
            scene->excused_latches++;
        }
    }
}

/* A document that carries a stamp was saved. */
static void take_stamp(struct scene *scene, const struct event *event) {
    bool is_stamped = is_word(event->subject, "governor_freezes.json") ||
                      is_word(event->subject, "position_metadata.json");
    if (is_stamped && event->number > scene->newest_stamp) {
        scene->newest_stamp = event->number;
    }
}

/* A piece of the journal: its header says how far it knows. */
static void take_copy(struct scene *scene, const struct event *event) {
    if (strstr(event->what, "-journal-") != NULL) {
        int64_t row = scene_stamp(event);
        scene->copied = row > scene->copied ? row : scene->copied;
    }
}

/* A document of freezes was saved. */
static void take_freezes(struct scene *scene, const struct event *event) {
    const cJSON *tree = scene_members(scene, event);
    for (const cJSON *member = tree == NULL ? NULL : tree->child; member != NULL;
         member = member->next) {
        struct scene_cause *cause = table_find(&scene->causes, member->string);
        if (cause != NULL && !scene->has_freezes_lied) {
            cause->is_documented = true;
        }
    }
    scene->has_freezes_lied = false;
}

static bool is_sign(const struct scene *scene, const char *name) {
    bool is_of_orders = is_word(name, "second_writer") || is_word(name, "amnesia");
    return is_word(name, "state_regression") ||
           (is_of_orders && scene->is_journal_back && scene->is_positions_back);
}

/* The latches without a copy: a sign demands so much in their place, or none is left (SCENE_NORMAL). */
static void lower_taken_back(struct scene *scene, int mode) {
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        if (!cause->is_taken_back || cause->latched <= mode) {
            continue;
        }
        scene->excused_latches++;
        if (mode == SCENE_NORMAL) {
            end(scene, cause);
        } else {
            demand(scene, cause, mode);
            cause->latched = mode;
        }
    }
}

static void take_clear(struct scene *scene, const char *name) {
    const struct scene_cause *cause = table_find(&scene->causes, name);
    bool was_sign = is_word(name, "state_regression") || (cause != NULL && cause->is_sign);
    end_named(scene, name);
    for (size_t i = 0; was_sign && i < scene->causes.count; i++) {
        cause = table_at(&scene->causes, i);
        was_sign = !cause->is_sign;
    }
    if (was_sign) {
        lower_taken_back(scene, SCENE_NORMAL);
    }
}

static void take_set(struct scene *scene, const struct event *event) {
    const cJSON *body = scene_members(scene, event);
    int mode = mode_member(body, SCENE_REDUCE_ONLY);
    set(scene, event->id, mode, true);
    struct scene_cause *cause = table_get(&scene->causes, event->id);
    cause->is_journaled = true;
    cause->row = event->number;
    cause->is_row_a_lie = scene->has_journal_lied;
    cause->is_sign |= is_sign(scene, event->id);
    if (is_word(event->id, "state_regression")) {
        lower_taken_back(scene, mode);
    }
}

static void take_row(struct scene *scene, const struct event *event) {
    scene->is_row_gap = scene->last_row > 0 && event->number > scene->last_row + 1;
    if (scene->is_row_gap) {
        take_gap(scene);
    }
    if (scene->is_journal_back && !scene->is_row_told) {
        take_first_row(scene, event->number);
    }
    if (!scene->is_row_told) {
        take_lost_rows(scene, event->number);
    }
    scene->is_row_told = true;
    if (is_word(event->subject, "latch_clear")) {
        take_clear(scene, event->id);
    } else if (is_word(event->subject, "latch_set")) {
        take_set(scene, event);
    }
}

/* The event's subject is the mechanism, which may hold several causes; the body names the cause. */
static void take_mechanism(struct scene *scene, const struct event *event) {
    bool is_set = is_word(event->what, "acted");
    if (!is_set && !is_word(event->what, "released")) {
        return;
    }
    const cJSON *body = scene_members(scene, event);
    const char *name = event->subject;
    (void)!json_string(body, "cause", &name, NULL);
    if (!is_set) {
        end_named(scene, name);
    } else if (says_latched(body)) {
        set(scene, name, mode_member(body, SCENE_REDUCE_ONLY), true);
    } else if (mode_member(body, SCENE_NORMAL) > SCENE_NORMAL) {
        set(scene, name, mode_member(body, SCENE_NORMAL), false);
    }
}

static void take_mode(struct scene *scene, const struct event *event) {
    scene->mode = mode_number(event->subject);
    const cJSON *causes = scene_members(scene, event);
    for (const cJSON *cause = causes == NULL ? NULL : causes->child; cause != NULL;
         cause = cause->next) {
        if (says_latched(cause)) {
            set(scene, cause->string, mode_member(cause, SCENE_REDUCE_ONLY), true);
        }
    }
}

static void take_death(struct scene *scene) {
    if (scene->is_row_told) { /* else it read nothing: what went back is there for the next one */
        scene->is_journal_back = false;
        scene->is_freezes_back = false;
        scene->is_positions_back = false;
        scene->is_row_told = false;
        scene->has_journal_lied = false;
        scene->has_freezes_lied = false;
    }
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        if (cause->latched > SCENE_NORMAL && !cause->is_journaled) {
            int doubted = cause->latched;
            end(scene, cause);
            cause->doubted = doubted;
        } else {
            demand(scene, cause, cause->latched);
        }
    }
}

/* What a successor's first tick did not bring back is over. */
static void take_tick(struct scene *scene) {
    for (size_t i = 0; i < scene->causes.count; i++) {
        struct scene_cause *cause = table_at(&scene->causes, i);
        scene->excused_latches += cause->doubted > SCENE_NORMAL;
        cause->doubted = SCENE_NORMAL;
    }
    scene->has_journal_lied = false;
}

void scene_take_causes(struct scene *scene, const struct event *event) {
    if (event->kind == EVENT_ROW) {
        take_row(scene, event);
    } else if (event->kind == EVENT_MECHANISM) {
        take_mechanism(scene, event);
    } else if (event->kind == EVENT_MODE) {
        take_mode(scene, event);
    } else if (event->kind == EVENT_DOCUMENT) {
        take_stamp(scene, event);
        if (is_word(event->subject, "governor_freezes.json")) {
            take_freezes(scene, event);
        }
    } else if (event->kind == EVENT_COPY) {
        take_copy(scene, event);
    } else if (event->kind == EVENT_TICK) {
        take_tick(scene);
    } else if (event->kind == EVENT_STOP ||
               (event->kind == EVENT_START && is_word(event->subject, "refused"))) {
        take_death(scene);
    } else if (event->kind == EVENT_FAULT && is_word(event->subject, "disk.old_version")) {
        take_old_version(scene, event->what);
    } else if (event->kind == EVENT_FAULT && is_word(event->subject, "disk.bit_rot")) {
        take_rot(scene, event->what);
    } else if (event->kind == EVENT_FAULT && is_word(event->subject, "disk.lying_fsync")) {
        take_lie(scene, event->what);
    } else if (event->kind == EVENT_OPERATOR && is_word(event->subject, "resume")) {
        struct scene_cause *cause = table_find(&scene->causes, event->what);
        if (cause != NULL) {
            cause->is_resume_wished = true;
        }
    }
}
