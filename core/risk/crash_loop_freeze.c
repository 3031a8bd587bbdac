/* crash_loop_freeze.c - counts unclean starts and failed ticks, and shows the flag. */
#include "core/risk/crash_loop_freeze.h"

#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

enum { FLAG_BYTES_MAX = 4096 };

/* --- time --- */

/* Two centuries are as good as ever. */
static void advance(struct crash_loop *loop, const struct stamp *stamp) {
    int64_t elapsed = 0;
    MUTATE(crash_times_by_the_wall, loop->last.boot[0] = '\0');
    if (loop->has_last &&
        !__builtin_add_overflow(loop->elapsed.ns, stamp_between(&loop->last, stamp).ns, &elapsed)) {
        loop->elapsed.ns = elapsed;
    }
    loop->last = *stamp;
    loop->has_last = true;
}

/* --- counting --- */

static void add(struct crash_times *times, struct span at) {
    times->at[times->count++ % CRASH_TIMES_MAX] = at;
}

/* Of the newest that are kept, those less than the window ago. */
static int64_t count_within(const struct crash_times *times, struct span now, struct span window) {
    int64_t count = 0;
    for (size_t i = 0; i < CRASH_TIMES_MAX && i < times->count; i++) {
        count += now.ns - times->at[i].ns < window.ns;
    }
    MUTATE(crash_loop_off_by_one, count--);
    return count;
}

static void make_due(struct crash_loop *loop, int64_t count, const char *what, struct span window) {
    loop->is_due = true;
    snprintf(loop->why, sizeof loop->why, "%lld %s within %lld s", (long long)count, what,
             (long long)(window.ns / NANOS));
}

static void take_start(struct crash_loop *loop, const struct stamp *stamp) {
    advance(loop, stamp);
    if (loop->is_running) {
        add(&loop->starts, loop->elapsed);
    }
    loop->is_running = true;
}

static void take_failed_tick(struct crash_loop *loop, const struct stamp *stamp) {
    advance(loop, stamp);
    add(&loop->ticks, loop->elapsed);
}

static void forget(struct crash_loop *loop) {
    loop->starts = loop->ticks = (struct crash_times){0};
    loop->is_due = false;
}

/* --- rows --- */

static void take_body(struct crash_loop *loop, const struct journal_row *row, bool is_start) {
    struct stamp stamp = {.wall = row->at};
    bool is_due = false;
    cJSON *body = NULL;
    if (json_parse(row->body, strlen(row->body), &body, NULL) == ERR_OK) {
        stamp = stamp_read(body, row->at);
        (void)!json_bool(body, "due", &is_due, NULL);
        cJSON_Delete(body);
    }
    if (is_start) {
        take_start(loop, &stamp);
    } else {
        take_failed_tick(loop, &stamp);
    }
    if (is_due) {
        loop->is_due = true;
        snprintf(loop->why, sizeof loop->why, "unclean starts, the last of which died over it");
    }
}

void crash_loop_take(struct crash_loop *loop, const struct journal_row *row) {
    bool is_ours = strcmp(row->key, CRASH_LOOP_CAUSE) == 0;
    if (strcmp(row->kind, "start") == 0) {
        take_body(loop, row, true);
    } else if (strcmp(row->kind, "tick_failed") == 0) {
        take_body(loop, row, false);
    } else if (strcmp(row->kind, "stop") == 0) {
        MUTATE(clean_stop_is_a_crash, return);
        loop->is_running = false;
    } else if (is_ours && strcmp(row->kind, "latch_set") == 0) {
        loop->is_due = false;
    } else if (is_ours && strcmp(row->kind, "latch_clear") == 0) {
        forget(loop);
    }
}

/* --- acting --- */

static void latch_due(struct crash_loop *loop, struct causes *causes) {
    MUTATE(crash_loop_ignored, return);
    if (loop->is_due) {
        loop->is_due = false;
        causes_latch(causes, CRASH_LOOP_CAUSE, MODE_REDUCE_ONLY, "core", loop->why);
    }
}

/* What is due is in the row: should this life end before the latch is durable, the next one latches. */
enum err_code crash_loop_start(struct crash_loop *loop, const struct config *config,
                               struct causes *causes, const char *build, struct err *err) {
    struct stamp stamp = stamp_now(causes->world);
    MUTATE(crash_starts_lost_at_restart, forget(loop));
    take_start(loop, &stamp);
    int64_t starts = count_within(&loop->starts, loop->elapsed, config->crash_window);
    if (starts >= config->crash_starts) {
        make_due(loop, starts, "unclean starts", config->crash_window);
    }
    struct text body = {.limit = 512};
    text_add_char(&body, '{');
    stamp_print(&stamp, &body);
    text_member_bool(&body, "due", loop->is_due);
    text_add_char(&body, '}');
    enum err_code code =
        journal_append(causes->journal, "start", build, text_get(&body), NULL, err);
    code = code == ERR_OK ? journal_commit(causes->journal, err) : code;
    text_release(&body);
    if (code == ERR_OK) {
        latch_due(loop, causes);
    }
    return code;
}

/* Told in any case; the row is for a later life, and may fail like what failed here. */
static void note_failed_tick(struct causes *causes, const struct stamp *stamp, const char *why) {
    struct text body = {.limit = 512};
    text_member_string(&body, "why", why);
    log_mechanism(causes->log, CRASH_LOOP_CAUSE, "warned", "", "", text_get(&body));
    text_clear(&body);
    text_add_char(&body, '{');
    stamp_print(stamp, &body);
    text_member_string(&body, "why", why);
    text_add_char(&body, '}');
    if (causes->journal != NULL &&
        journal_append(causes->journal, "tick_failed", "", text_get(&body), NULL, NULL) == ERR_OK) {
        (void)!journal_commit(causes->journal, NULL);
    }
    text_release(&body);
}

void crash_loop_tick(struct crash_loop *loop, const struct config *config, struct causes *causes,
                     const char *why) {
    if (why == NULL || causes_has(causes, CRASH_LOOP_CAUSE)) {
        return; /* once it is latched there is nothing to count before a clear */
    }
    struct stamp stamp = stamp_now(causes->world);
    take_failed_tick(loop, &stamp);
    note_failed_tick(causes, &stamp, why);
    MUTATE(failed_ticks_uncounted, return);
    int64_t ticks = count_within(&loop->ticks, loop->elapsed, config->crash_window);
    if (ticks >= config->crash_ticks) {
        make_due(loop, ticks, "failed ticks", config->crash_window);
        latch_due(loop, causes);
    }
}

/* --- the flag --- */

void crash_loop_look(struct crash_loop *loop, struct causes *causes) {
    struct text content = {0};
    struct err err = {0};
    enum err_code code =
        state_file_read(causes->world->disk, CRASH_LOOP_FLAG, FLAG_BYTES_MAX, &content, &err);
    text_release(&content);
    MUTATE(flag_of_a_hand_ignored, return);
    if (code == ERR_NOT_FOUND) {
        return;
    }
    loop->is_flag_shown = code == ERR_OK;
    if (!causes_has(causes, CRASH_LOOP_CAUSE)) {
        char why[sizeof causes->items[0].why];
        snprintf(why, sizeof why, "%s was found at the start%s%.120s", CRASH_LOOP_FLAG,
                 code == ERR_OK ? "" : ": ", err.text);
        causes_latch(causes, CRASH_LOOP_CAUSE, MODE_REDUCE_ONLY, "flag", why);
    }
}

void crash_loop_show(struct crash_loop *loop, struct causes *causes) {
    if (loop->is_flag_shown || !causes_has(causes, CRASH_LOOP_CAUSE) ||
        lease_is_lost(causes->lease)) {
        return;
    }
    struct text members = {.limit = 512};
    text_member_string(&members, "cause", CRASH_LOOP_CAUSE);
    text_member_string(&members, "ends", "seatrial resume " CRASH_LOOP_CAUSE);
    loop->is_flag_shown =
        state_file_save_held(causes->world, causes->lease, CRASH_LOOP_FLAG,
                             journal_last_seq(causes->journal), text_get(&members), NULL) == ERR_OK;
    text_release(&members);
}

enum err_code crash_loop_remove_flag(struct crash_loop *loop, struct causes *causes,
                                     struct err *err) {
    MUTATE(flag_outlives_its_resume, return ERR_OK);
    loop->is_flag_shown = false; /* if the cause stays after all, it is written again */
    enum err_code code = disk_remove(causes->world->disk, CRASH_LOOP_FLAG, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    return disk_sync_dir(causes->world->disk, "", err);
}
