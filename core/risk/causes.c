/* causes.c - the set of causes, its rows in the journal and its document. */
#include "core/risk/causes.h"

#include "core/base/mutant.h"
#include "core/risk/mechanisms.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

static const char HAND[] = "a hand";
enum { HAND_NAMES_MAX = 4 };

const char *mode_word(enum mode mode) {
    static const char *const words[] = {"NORMAL", "CAUTION", "REDUCE_ONLY", "HALT"};
    return words[mode];
}

void causes_init(struct causes *causes, struct world *world, struct log *log) {
    /* not 25 KB of zeros: there is no item, and a clear without a name is none */
    causes->world = world;
    causes->journal = NULL;
    causes->lease = NULL;
    causes->log = log;
    causes->count = 0;
    causes->cleared_next = 0;
    causes->was_documented = false;
    causes->is_dirty = false;
    causes->is_loading = false;
    causes->saved = ERR_OK;
    causes->failed_saves = 0;
    causes->shown = (struct text){0};
    memset(causes->cleared, 0, sizeof causes->cleared);
}

void causes_release(struct causes *causes) {
    text_release(&causes->shown);
}

static struct cause *find(const struct causes *causes, const char *name) {
    for (size_t i = 0; i < causes->count; i++) {
        if (strcmp(causes->items[i].name, name) == 0) {
            return (struct cause *)&causes->items[i];
        }
    }
    return NULL;
}

bool causes_has(const struct causes *causes, const char *name) {
    return find(causes, name) != NULL;
}

enum mode causes_mode(const struct causes *causes) {
    enum mode mode = MODE_NORMAL;
    for (size_t i = 0; i < causes->count; i++) {
        MUTATE(degraded_binds_nobody, if (strcmp(causes->items[i].name, "degraded_mode") == 0) continue);
        mode = causes->items[i].mode > mode ? causes->items[i].mode : mode;
    }
    return mode;
}

int64_t causes_newest_row(const struct causes *causes) {
    int64_t seq = 0;
    for (size_t i = 0; i < causes->count; i++) {
        seq = causes->items[i].seq > seq ? causes->items[i].seq : seq;
    }
    return seq;
}

static void copy_cut(char *field, size_t size, const char *string) {
    size_t n = strnlen(string, size - 1);
    memcpy(field, string, n);
    field[n] = '\0';
}

/* Adds or raises; the set never overflows silently: past the limit everything is HALT. */
static struct cause *put(struct causes *causes, const char *name, enum mode mode, const char *by,
                         const char *why) {
    struct cause *cause = find(causes, name);
    if (cause != NULL) {
        cause->mode = mode > cause->mode ? mode : cause->mode;
        return cause;
    }
    if (causes->count == CAUSES_MAX - 1) { /* the last place: no cause is lost in silence */
        name = "too_many_causes";
        mode = MODE_HALT;
    }
    if (causes->count == CAUSES_MAX) {
        return &causes->items[CAUSES_MAX - 1];
    }
    cause = &causes->items[causes->count++];
    *cause = (struct cause){.mode = mode, .since = clock_utc(causes->world->clock)};
    copy_cut(cause->name, sizeof cause->name, name);
    copy_cut(cause->by, sizeof cause->by, by);
    copy_cut(cause->why, sizeof cause->why, why);
    return cause;
}

static void drop(struct causes *causes, const struct cause *cause) {
    size_t i = (size_t)(cause - causes->items);
    memmove(&causes->items[i], &causes->items[i + 1],
            (causes->count - i - 1) * sizeof causes->items[0]);
    causes->count--;
}

const char *cause_mechanism(const char *cause) {
    static const char *const rows[][2] = {
        {"second_writer", "second_writer"},    {"journal_down", "atomic_state"},
        {"lease_lost", "single_instance"},     {"baseline_unknown", "daily_loss"},
        {"wrong_account", "startup_contract"}, {"kill_repeated", "kill_switch"},
        {"kill_rejects", "kill_switch"},       {"kill_auth", "kill_switch"},
        {"kill_outage", "kill_switch"},        {"kill_divergence", "kill_switch"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i][0], cause) == 0) {
            return rows[i][1];
        }
    }
    size_t count = 0;
    const struct mechanism *all = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].id, cause) == 0) {
            return all[i].id;
        }
    }
    return "operator_freeze";
}

static void tell(const struct causes *causes, const struct cause *cause, const char *what) {
    struct text body = {.limit = 2048};
    text_member_string(&body, "cause", cause->name);
    text_member_string(&body, "mode", mode_word(cause->mode));
    text_member_bool(&body, "latched", cause->is_latched);
    text_member_string(&body, "by", cause->by);
    text_member_string(&body, "why", cause->why);
    log_mechanism(causes->log, cause_mechanism(cause->name), what, "", cause->name,
                  text_get(&body));
    text_release(&body);
}

static enum mode mode_of_word(const char *word) {
    return strcmp(word, "HALT") == 0      ? MODE_HALT
           : strcmp(word, "CAUTION") == 0 ? MODE_CAUTION
                                          : MODE_REDUCE_ONLY;
}

static void fold_set(struct causes *causes, const struct journal_row *row, const cJSON *body) {
    const char *mode = "REDUCE_ONLY";
    const char *by = "?";
    const char *why = "?";
    (void)!json_string(body, "mode", &mode, NULL);
    (void)!json_string(body, "by", &by, NULL);
    (void)!json_string(body, "why", &why, NULL);
    struct cause *cause = put(causes, row->key, mode_of_word(mode), by, why);
    cause->is_latched = true;
    cause->seq = row->seq;
    cause->since = row->at;
}

static void remember_clear(struct causes *causes, const char *name, int64_t seq) {
    struct cleared *cleared = &causes->cleared[causes->cleared_next++ % CAUSES_MAX];
    copy_cut(cleared->name, sizeof cleared->name, name);
    cleared->seq = seq;
}

/* The newest clear of a cause; 0 if there is none. */
static int64_t cleared_at(const struct causes *causes, const char *name) {
    int64_t seq = 0;
    for (size_t i = 0; i < CAUSES_MAX; i++) {
        const struct cleared *cleared = &causes->cleared[i];
        seq = strcmp(cleared->name, name) == 0 && cleared->seq > seq ? cleared->seq : seq;
    }
    return seq;
}

enum err_code causes_fold(struct causes *causes, const struct journal_row *row, struct err *err) {
    if (strcmp(row->kind, "latch_set") == 0) {
        cJSON *body = NULL;
        if (json_parse(row->body, strlen(row->body), &body, err) != ERR_OK) {
            return err_wrap(err, "journal row %lld", (long long)row->seq);
        }
        fold_set(causes, row, body);
        cJSON_Delete(body);
    } else if (strcmp(row->kind, "latch_clear") == 0) {
        const struct cause *cause = find(causes, row->key);
        if (cause != NULL) {
            drop(causes, cause);
        }
        remember_clear(causes, row->key, row->seq);
    } else if (strcmp(row->kind, "document") == 0) {
        causes->was_documented = true;
    }
    return ERR_OK;
}

/* Not by who lost the lease: the row would be in a successor's journal, and hold it for what was ours. */
static void journal_set(struct causes *causes, struct cause *cause) {
    bool is_lost = lease_is_lost(causes->lease);
    MUTATE(lost_lease_journals, is_lost = false);
    if (is_lost) {
        return;
    }
    struct text body = {.limit = 2048};
    text_add_char(&body, '{');
    text_member_string(&body, "mode", mode_word(cause->mode));
    text_member_string(&body, "by", cause->by);
    text_member_string(&body, "why", cause->why);
    text_add_char(&body, '}');
    int64_t seq = 0;
    if (causes->journal != NULL &&
        journal_append(causes->journal, "latch_set", cause->name, text_get(&body), &seq, NULL) ==
            ERR_OK &&
        journal_commit(causes->journal, NULL) == ERR_OK) {
        cause->seq = seq;
    }
    text_release(&body);
}

/* Read at night, on a phone: what it does, whose doing it is, and why. */
static void page(struct causes *causes, const struct cause *cause) {
    char text[sizeof cause->by + sizeof cause->why + 40];
    (void)snprintf(text, sizeof text, "%s set by %s: %s", mode_word(cause->mode), cause->by,
                   cause->why);
    log_alert(causes->log, ALERT_PAGE, cause->name, text);
}

void causes_latch(struct causes *causes, const char *name, enum mode mode, const char *by,
                  const char *why) {
    const struct cause *known = find(causes, name);
    if (known != NULL && known->is_latched && known->mode >= mode) {
        return;
    }
    struct cause *cause = put(causes, name, mode, by, why);
    cause->is_latched = true;
    MUTATE(latch_not_persisted, tell(causes, cause, "acted"); return);
    journal_set(causes, cause);
    causes->is_dirty = true;
    tell(causes, cause, "acted");
    MUTATE(latch_untold, causes_save(causes); return);
    page(causes, cause);
    causes_save(causes);
}

void causes_renote(struct causes *causes) {
    for (size_t i = 0; i < causes->count; i++) {
        if (causes->items[i].is_latched && causes->items[i].seq == 0) {
            journal_set(causes, &causes->items[i]);
            causes->is_dirty = true;
        }
    }
}

enum err_code causes_clear(struct causes *causes, const char *name, const char *by, const char *why,
                           struct err *err) {
    const struct cause *cause = find(causes, name);
    if (cause == NULL || !cause->is_latched) {
        return err_set(err, ERR_NOT_FOUND, "no latched cause '%s'", name);
    }
    if (causes->journal == NULL) {
        return err_set(err, ERR_IO, "the journal is not open; '%s' stays", name);
    }
    struct text body = {.limit = 2048};
    text_add_char(&body, '{');
    text_member_string(&body, "by", by);
    text_member_string(&body, "why", why);
    text_add_char(&body, '}');
    int64_t seq = 0;
    enum err_code code =
        journal_append(causes->journal, "latch_clear", name, text_get(&body), &seq, err);
    text_release(&body);
    if (code != ERR_OK || (code = journal_commit(causes->journal, err)) != ERR_OK) {
        return err_wrap(err, "clear of '%s'", name);
    }
    tell(causes, cause, "released");
    log_alert_over(causes->log, name);
    drop(causes, cause);
    remember_clear(causes, name, seq);
    causes->is_dirty = true;
    causes_save(causes);
    return ERR_OK;
}

void causes_hold(struct causes *causes, const char *name, enum mode mode, const char *why) {
    const struct cause *known = find(causes, name);
    if (known != NULL && known->mode >= mode) {
        return;
    }
    tell(causes, put(causes, name, mode, "core", why), "acted");
}

void causes_let_go(struct causes *causes, const char *name) {
    const struct cause *cause = find(causes, name);
    if (cause != NULL && !cause->is_latched) {
        tell(causes, cause, "released");
        drop(causes, cause);
    }
}

void causes_print(const struct causes *causes, struct text *out) {
    bool is_first = true;
    for (size_t i = 0; i < causes->count; i++) {
        const struct cause *cause = &causes->items[i];
        text_add(out, is_first ? "" : ",\n");
        is_first = false;
        text_add_json_string(out, cause->name);
        text_add(out, ":{\"active\":true");
        text_member_string(out, "mode", mode_word(cause->mode));
        text_member_bool(out, "latched", cause->is_latched);
        text_member_utc(out, "since", cause->since);
        text_member_int(out, "seq", cause->seq);
        text_member_string(out, "by", cause->by);
        text_member_string(out, "why", cause->why);
        text_add_char(out, '}');
    }
}

/* The latched causes alone: a while-true cause must not come back from a document. */
static void print_latched(const struct causes *causes, struct text *out) {
    struct causes latched = {0};
    for (size_t i = 0; i < causes->count; i++) {
        if (causes->items[i].is_latched) {
            latched.items[latched.count++] = causes->items[i];
        }
    }
    causes_print(&latched, out);
}

static void remember_shown(struct causes *causes) {
    text_clear(&causes->shown);
    (void)!state_file_read(causes->world->disk, FREEZES_DOCUMENT, 1 << 20, &causes->shown, NULL);
}

void causes_save(struct causes *causes) {
    if (!causes->is_dirty || causes->is_loading || causes->journal == NULL ||
        lease_is_lost(causes->lease)) {
        return;
    }
    struct text members = {0};
    print_latched(causes, &members);
    struct err err = {0};
    const bool was_failing = causes->saved != ERR_OK;
    causes->saved =
        state_file_save_held(causes->world, causes->lease, FREEZES_DOCUMENT,
                             journal_last_seq(causes->journal), text_get(&members), &err);
    causes->failed_saves += causes->saved != ERR_OK;
    if (causes->saved == ERR_OK) {
        causes->is_dirty = false;
        remember_shown(causes);
        if (!causes->was_documented && journal_append(causes->journal, "document", FREEZES_DOCUMENT,
                                                      "{}", NULL, NULL) == ERR_OK) {
            causes->was_documented = journal_commit(causes->journal, NULL) == ERR_OK;
        }
    } else if (!was_failing) {
        log_alert(causes->log, ALERT_PAGE, "freezes_not_saved", err.text);
    }
    text_release(&members);
}

/* A member says "set" unless it is false, null, or an object with active false. */
static bool says_set(const cJSON *member) {
    if (cJSON_IsObject(member)) {
        const cJSON *active = json_member(member, "active");
        return active == NULL || !cJSON_IsFalse(active);
    }
    return !cJSON_IsFalse(member) && !cJSON_IsNull(member);
}

/* Names that the core gives its causes; others are people's, or what damage made of a name. */
static bool is_core_name(const char *name) {
    static const char *const others[] = {"operator_freeze", "freezes_unreadable", "freezes_missing",
                                         "unknown_causes", "too_many_causes"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i], name) == 0) {
            return true;
        }
    }
    return strcmp(cause_mechanism(name), "operator_freeze") != 0;
}

/* True for one more name that a hand would bring in, beyond those that are given a cause of their own. */
static bool is_beyond_hands(const struct causes *causes, const char *name) {
    if (find(causes, name) != NULL || cleared_at(causes, name) > 0 || is_core_name(name)) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < causes->count; i++) {
        const struct cause *cause = &causes->items[i];
        count += strcmp(cause->by, HAND) == 0 && !is_core_name(cause->name);
    }
    MUTATE(each_name_a_cause, count = 0);
    return count >= HAND_NAMES_MAX;
}

struct strangers { /* names of one document that share a cause */
    const char *first;
    size_t count;
    enum mode mode;
};

/* They hold like any other, and a person is told of them once. */
static void latch_strangers(struct causes *causes, const struct strangers *strangers) {
    char why[sizeof causes->items[0].why];
    (void)snprintf(why, sizeof why,
                   "the edited document has %zu more names nobody knows, first '%.48s'",
                   strangers->count, strangers->first);
    causes_latch(causes, "unknown_causes", strangers->mode, HAND, why);
}

/* Latches what a document demands and the journal has not cleared since. */
static void take_document(struct causes *causes, const struct state_file *file) {
    bool is_edited = file->condition == STATE_FILE_EDITED;
    struct strangers strangers = {.mode = MODE_NORMAL};
    for (const cJSON *member = file->tree->child; member != NULL; member = member->next) {
        if (strcmp(member->string, "_seatrial") == 0 || !says_set(member)) {
            continue;
        }
        bool is_cleared = !is_edited && file->journal_seq < cleared_at(causes, member->string);
        if (is_cleared) {
            continue; /* what is set already can still be raised */
        }
        const char *word = "REDUCE_ONLY";
        (void)!json_string(member, "mode", &word, NULL);
        enum mode mode = mode_of_word(word);
        if (is_edited && is_beyond_hands(causes, member->string)) {
            strangers.first = strangers.count++ == 0 ? member->string : strangers.first;
            strangers.mode = mode > strangers.mode ? mode : strangers.mode;
            continue;
        }
        causes_latch(causes, member->string, mode, is_edited ? HAND : "document",
                     is_edited ? "set by an edit of the document" : "set in a generation");
    }
    if (strangers.count > 0) {
        latch_strangers(causes, &strangers);
    }
}

static void take_generation(struct causes *causes, int generation) {
    struct state_file file = {0};
    struct err err = {0};
    if (state_file_load(causes->world, FREEZES_DOCUMENT, generation, &file, &err) != ERR_OK) {
        causes_latch(causes, "freezes_unreadable", MODE_REDUCE_ONLY, "core", err.text);
        return;
    }
    MUTATE(corruption_clears, if (file.condition == STATE_FILE_DAMAGED) { causes->count = 0; return; });
    MUTATE(hand_edit_clears, if (file.condition == STATE_FILE_EDITED) causes->count = 0);
    MUTATE(document_wins, if (file.condition == STATE_FILE_GOOD && generation == 0) causes->count = 0);
    MUTATE(state_regression_ignored, if (file.condition == STATE_FILE_GOOD) file.journal_seq = 0);
    if (file.condition == STATE_FILE_DAMAGED) {
        causes_latch(causes, "freezes_unreadable", MODE_REDUCE_ONLY, "core",
                     "the freeze document is not a JSON object");
    } else if (file.condition == STATE_FILE_MISSING && generation == 0 && causes->was_documented) {
        causes_latch(causes, "freezes_missing", MODE_REDUCE_ONLY, "core",
                     "the freeze document existed and is gone");
    } else if (file.condition == STATE_FILE_GOOD && causes->journal != NULL &&
               file.journal_seq > journal_last_seq(causes->journal)) {
        causes_latch(causes, "state_regression", MODE_REDUCE_ONLY, "core",
                     "the freeze document is newer than the journal");
        take_document(causes, &file);
    } else if (file.tree != NULL && cJSON_IsObject(file.tree)) {
        take_document(causes, &file);
    }
    state_file_release(&file);
}

/* Saved once, behind the last: each save makes a generation of the one before it, so that the oldest would be
 * gone before it is read, and one who dies between two would leave less than there was. */
void causes_load(struct causes *causes) {
    causes->is_loading = true;
    MUTATE(saved_amid_generations, causes->is_loading = false);
    for (int generation = 0; generation <= STATE_FILE_GENERATIONS; generation++) {
        MUTATE(oldest_generation_restored, if (generation < STATE_FILE_GENERATIONS) continue);
        take_generation(causes, generation);
    }
    causes->is_loading = false;
    causes->is_dirty = true; /* rebuilt from the journal: what a hand cleared comes back */
    causes_save(causes);
}

void causes_verify(struct causes *causes) {
    if (!causes->was_documented) {
        return;
    }
    struct text bytes = {0};
    enum err_code code =
        state_file_read(causes->world->disk, FREEZES_DOCUMENT, 1 << 20, &bytes, NULL);
    bool is_ours = code == ERR_OK && bytes.len == causes->shown.len && bytes.len > 0 &&
                   memcmp(bytes.data, causes->shown.data, bytes.len) == 0;
    text_release(&bytes);
    if (is_ours || code == ERR_IO) {
        return; /* a disk that cannot be read is the journal's latch, not this one's */
    }
    take_generation(causes, 0);
    causes->is_dirty = true;
    causes_save(causes);
}
