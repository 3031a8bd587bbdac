/* hand.c - see hand.h. */
#include "core/courier/hand.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

#define ALERT_BYTES_MAX 4096
#define LOOK_MAX 32 /* files taken in a look */

static struct mono now_of(const struct hand *hand) {
    return clock_mono(hand->world->clock);
}

/* --- what was told before --- */

static uint64_t hash_of(const struct item *item) {
    return hash64(item->text, strlen(item->text), hash64(item->key, strlen(item->key), 0));
}

static struct span repeat_of(enum alert_severity severity) {
    return severity == ALERT_PAGE   ? COURIER_REPEAT_PAGE
           : severity == ALERT_WARN ? COURIER_REPEAT_WARN
                                    : COURIER_REPEAT_INFO;
}

static struct told *find_told(struct hand *hand, uint64_t hash) {
    for (size_t i = 0; i < hand->told_count; i++) {
        if (hand->told[i].hash == hash) {
            return &hand->told[i];
        }
    }
    return NULL;
}

/* Past the limit the one told longest ago makes room. */
void hand_tell(struct hand *hand, const struct item *item) {
    uint64_t hash = hash_of(item);
    struct told *told = find_told(hand, hash);
    if (told == NULL && hand->told_count < HAND_TOLD_MAX) {
        told = &hand->told[hand->told_count++];
    }
    if (told == NULL) {
        told = &hand->told[0];
        for (size_t i = 1; i < HAND_TOLD_MAX; i++) {
            told = hand->told[i].at.ns < told->at.ns ? &hand->told[i] : told;
        }
    }
    *told = (struct told){hash, now_of(hand)};
}

/* --- in hand and out --- */

static void path_of(const char *file, char out[static DISK_NAME_MAX]) {
    (void)snprintf(out, DISK_NAME_MAX, "outbox/%.120s", file);
}

static void remove_file(struct hand *hand, const char *file) {
    char path[DISK_NAME_MAX];
    if (file[0] != '\0') {
        path_of(file, path);
        (void)!disk_remove(hand->world->disk, path, NULL);
        hand->has_removed = true;
    }
}

/* Not in hand any more, its file stays; what follows moves up. */
static void let_go(struct hand *hand, size_t i) {
    hand->count--;
    memmove(&hand->items[i], &hand->items[i + 1], (hand->count - i) * sizeof hand->items[0]);
}

void hand_drop(struct hand *hand, size_t i) {
    remove_file(hand, hand->items[i].file);
    let_go(hand, i);
}

/* A text that waits already is not told twice: the older stays, with its place and its age, and tells the
 * newer's count. */
static bool merge(struct hand *hand, const struct item *newer) {
    for (size_t i = 0; i < hand->count; i++) {
        struct item *older = &hand->items[i];
        if (older->done == 0 && older->severity == newer->severity &&
            strcmp(older->key, newer->key) == 0 && strcmp(older->text, newer->text) == 0) {
            older->count = newer->count;
            memcpy(older->at, newer->at, sizeof older->at);
            remove_file(hand, newer->file);
            return true;
        }
    }
    return false;
}

static bool is_spare(const struct item *item, bool is_page, bool is_done) {
    return (item->severity == ALERT_PAGE) == is_page && (item->done != 0) == is_done;
}

/* The first of a kind; COURIER_ITEMS_MAX if none is in hand. */
static size_t find_spare(const struct hand *hand, bool is_page, bool is_done) {
    size_t i = 0;
    while (i < hand->count && !is_spare(&hand->items[i], is_page, is_done)) {
        i++;
    }
    return i < hand->count ? i : COURIER_ITEMS_MAX;
}

/* A full hand makes room. For a page goes what nobody has and is none: its file stays. For any, what is no page
 * and some channel has. For a page at last one that some channel has. */
static bool make_room(struct hand *hand, bool is_page) {
    if (hand->count < COURIER_ITEMS_MAX) {
        return true;
    }
    size_t spare = is_page ? find_spare(hand, false, false) : COURIER_ITEMS_MAX;
    if (spare < COURIER_ITEMS_MAX) {
        let_go(hand, spare);
        return true;
    }
    spare = find_spare(hand, false, true);
    spare = spare == COURIER_ITEMS_MAX && is_page ? find_spare(hand, true, true) : spare;
    if (spare < COURIER_ITEMS_MAX) {
        hand_drop(hand, spare);
    }
    return spare < COURIER_ITEMS_MAX;
}

/* False if there is no room: then it stays where it is. */
static bool take(struct hand *hand, struct item *item) {
    const struct told *told = find_told(hand, hash_of(item));
    const struct mono now = now_of(hand);
    item->due_at = told == NULL ? now : mono_add(told->at, repeat_of(item->severity));
    MUTATE(courier_repeats_at_once, item->due_at = now);
    MUTATE(courier_never_repeats, if (told != NULL) item->due_at = (struct mono){INT64_MAX});
    if (item->due_at.ns < now.ns) {
        item->due_at = now;
    }
    if (merge(hand, item)) {
        return true;
    }
    if (!make_room(hand, item->severity == ALERT_PAGE)) {
        return false;
    }
    hand->items[hand->count++] = *item;
    return true;
}

static bool parse_alert(const struct text *bytes, struct item *out) {
    char severity[8] = "";
    cJSON *tree = NULL;
    bool is_whole = json_parse(text_get(bytes), bytes->len, &tree, NULL) == ERR_OK &&
                    json_copy(tree, "severity", severity, sizeof severity, NULL) == ERR_OK &&
                    alert_severity_find(severity, &out->severity) &&
                    json_copy(tree, "key", out->key, sizeof out->key, NULL) == ERR_OK &&
                    json_copy(tree, "text", out->text, sizeof out->text, NULL) == ERR_OK &&
                    json_copy(tree, "at", out->at, sizeof out->at, NULL) == ERR_OK &&
                    json_int(tree, "count", &out->count, NULL) == ERR_OK;
    cJSON_Delete(tree);
    return is_whole;
}

/* An alert of the courier's own; file "" if none is behind it. */
static struct item own_page(struct hand *hand, const char *key, const char *file) {
    struct item item = {.severity = ALERT_PAGE, .count = 1};
    strcpy(item.key, key);
    (void)snprintf(item.file, sizeof item.file, "%.120s", file);
    utc_print(clock_utc(hand->world->clock), item.at);
    return item;
}

/* What cannot be read may have been a page, so it is one. */
static void take_unreadable(struct hand *hand, const char *file) {
    struct item item = own_page(hand, "alert_unreadable", file);
    MUTATE(courier_drops_the_unreadable, remove_file(hand, file); return);
    (void)snprintf(item.text, sizeof item.text, "outbox/%.120s", file);
    hand->has_more |= !take(hand, &item);
}

static struct refused *find_refused(struct hand *hand, const char *file) {
    for (size_t i = 0; i < hand->refused_count; i++) {
        if (strcmp(hand->refused[i].file, file) == 0) {
            return &hand->refused[i];
        }
    }
    return NULL;
}

static void forget_refused(struct hand *hand, struct refused *refused) {
    *refused = hand->refused[--hand->refused_count];
}

/* A disk that refuses may give it back: so long it is tried again. */
static void heed_refusal(struct hand *hand, const char *file) {
    struct mono now = now_of(hand);
    hand->has_more = hand->is_blind = true;
    struct refused *known = find_refused(hand, file);
    if (known != NULL && mono_sub(now, known->since).ns >= COURIER_UNREADABLE.ns) {
        forget_refused(hand, known);
        take_unreadable(hand, file);
        return;
    }
    if (known == NULL && hand->refused_count < HAND_REFUSED_MAX) {
        struct refused *refused = &hand->refused[hand->refused_count++];
        *refused = (struct refused){.since = now};
        (void)snprintf(refused->file, sizeof refused->file, "%.120s", file);
    }
}

static void take_file(struct hand *hand, const char *file) {
    char path[DISK_NAME_MAX];
    struct text bytes = {0};
    struct item item = {.count = 0};
    path_of(file, path);
    enum err_code code = state_file_read(hand->world->disk, path, ALERT_BYTES_MAX, &bytes, NULL);
    bool is_read = code == ERR_OK || code == ERR_LIMIT;
    struct refused *known = find_refused(hand, file);
    if (!is_read && code != ERR_NOT_FOUND) {
        heed_refusal(hand, file);
    } else if (known != NULL) {
        forget_refused(hand, known);
    }
    if (is_read && (code != ERR_OK || !parse_alert(&bytes, &item))) {
        take_unreadable(hand, file);
    } else if (is_read) {
        (void)snprintf(item.file, sizeof item.file, "%.120s", file);
        hand->has_more |= !take(hand, &item);
    }
    text_release(&bytes);
}

struct found { /* names that are not in hand yet */
    const struct hand *hand;
    char names[LOOK_MAX + HAND_REFUSED_MAX]
              [DISK_NAME_MAX]; /* those that the disk refuses starve no other */
    size_t count;
    bool has_more;
};

static void found_visit(void *context, const char *name) {
    struct found *found = context;
    size_t n = strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".json") != 0) {
        return; /* a temporary file of the core */
    }
    bool is_full = found->hand->count == COURIER_ITEMS_MAX;
    if (is_full && strstr(name, "-page-") == NULL) { /* a full hand takes pages alone */
        found->has_more = true;
        return;
    }
    for (size_t i = 0; i < found->hand->count; i++) {
        if (strncmp(found->hand->items[i].file, name, 120) == 0) {
            return;
        }
    }
    if (found->count == LOOK_MAX + found->hand->refused_count) {
        found->has_more = true;
        return;
    }
    (void)!text_copy(found->names[found->count++], DISK_NAME_MAX, name, NULL);
}

/* What the disk refused and somebody else removed since. */
static void forget_old_refusals(struct hand *hand) {
    for (size_t i = hand->refused_count; i-- > 0;) {
        struct span age = mono_sub(now_of(hand), hand->refused[i].since);
        if (age.ns >= 2 * COURIER_UNREADABLE.ns) {
            forget_refused(hand, &hand->refused[i]);
        }
    }
}

void hand_look(struct hand *hand) {
    forget_old_refusals(hand);
    struct found found = {.hand = hand, .count = 0};
    enum err_code code = disk_list(hand->world->disk, "outbox", found_visit, &found, NULL);
    hand->has_more = found.has_more || code != ERR_OK;
    hand->is_blind = code != ERR_OK;
    for (size_t i = 0; i < found.count; i++) {
        take_file(hand, found.names[i]);
    }
}

bool hand_take_own(struct hand *hand, enum alert_severity severity, const char *key,
                   const char *text) {
    struct item item = own_page(hand, key, "");
    item.severity = severity;
    memcpy(item.text, text, text_fit(text, sizeof item.text - 1));
    return take(hand, &item);
}

void hand_settle(struct hand *hand) {
    if (hand->has_removed) {
        hand->has_removed = disk_sync_dir(hand->world->disk, "outbox", NULL) != ERR_OK;
    }
}

void hand_init(struct hand *hand, struct world *world) {
    memset(hand, 0, sizeof *hand); /* a quarter of a megabyte: too much for a stack */
    hand->world = world;
}
