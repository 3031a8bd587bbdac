/* backups.c - step 10 of a tick, state_backup: when the copies of core/state/backup.h are made, and who is
 * told if they are not.
 *
 * A round is due backup.interval_s after the last by the wall, once the journal has a row that no copy has:
 * the documents first, then the journal, so that none of a round is ahead of it; one file a tick, while the
 * market is closed, when ticks are five minutes apart, as many as a second allows, and none while an exit or a
 * stop has to hurry, for up to another interval. A wall that was set forward makes one
 * sooner, one set back at the latest an interval later. What fails is told, tried again a minute later, and
 * fails no tick; a round that is BACKUP_LATE behind is an alert. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <stdio.h>

#define BACKUP_RETRY SPAN_MIN(1)
#define BACKUP_LATE SPAN_MIN(10)
#define TOLD_AGAIN SPAN_MIN(60)
#define BACKUP_BURST SPAN_S(1)

static const char MECHANISM[] = "state_backup";
static const char LATE[] = "backup_overdue";

static void tell(struct engine *engine, const char *what, const char *why) {
    struct text members = {.limit = 1024};
    text_member_int(&members, "number", engine->backups.copies.number);
    text_member_int(&members, "journal_seq", engine->backups.copies.copied);
    if (why[0] != '\0') {
        text_member_string(&members, "why", why);
    }
    log_mechanism(&engine->log, MECHANISM, what, "", "", text_get(&members));
    text_release(&members);
}

static void fail(struct backups *backups, struct engine *engine, const struct err *err) {
    backups->retry_at = mono_add(clock_mono(engine->world->clock), BACKUP_RETRY);
    if (err->code != backups->failed_with) { /* the same once, however often it is tried */
        backups->failed_with = err->code;
        tell(engine, "warned", err->text);
    }
}

/* A latch may be among the rows that the journal lost, and where the documents went back with it nothing else says
 * that any were. */
static void page_ahead(struct engine *engine) {
    char why[128];
    snprintf(why, sizeof why,
             BACKUP_FOLDER "/ has journal rows up to %lld, other than the journal's",
             (long long)engine->backups.copies.copied);
    log_alert(&engine->log, ALERT_PAGE, "backup_ahead", why);
    MUTATE(copies_ahead_ignored, return);
    causes_latch(&engine->causes, "state_regression", MODE_REDUCE_ONLY, "core", why);
}

static bool open_copies(struct backups *backups, struct engine *engine) {
    struct err err = {0};
    struct backup *copies = &backups->copies;
    if (backup_open(copies, engine->world, engine->lease, engine->journal, &err) != ERR_OK) {
        fail(backups, engine, &err);
        return false;
    }
    backups->is_open = true;
    backups->is_due = false;
    backups->done_at = copies->made_at;
    backups->done_seq = copies->copied;
    if (copies->is_behind) {
        page_ahead(engine);
    }
    return true;
}

/* Begins a round once it is due. */
static void look_at_time(struct backups *backups, struct engine *engine, struct utc now) {
    int64_t seq = journal_last_seq(engine->journal);
    struct span passed = utc_elapsed(&backups->done_at, now);
    MUTATE(backup_waits_for_the_wall, passed = utc_sub(now, backups->copies.made_at));
    if (!backups->is_due && seq != backups->done_seq &&
        passed.ns >= engine->config->backup_interval.ns) {
        backups->is_due = true;
        backups->due_at = now;
        backups->begun_seq = seq;
        backups->step = 0;
        backup_begin(&backups->copies);
    }
}

static void page_late(struct backups *backups, struct engine *engine, struct utc now) {
    if (backups->is_due && utc_elapsed(&backups->due_at, now).ns >= BACKUP_LATE.ns &&
        (!backups->is_late || utc_elapsed(&backups->told_at, now).ns >= TOLD_AGAIN.ns)) {
        backups->is_late = true;
        backups->told_at = now;
        log_alert(&engine->log, ALERT_WARN, LATE, "no backup was made in its time");
    }
}

static void finish(struct backups *backups, struct engine *engine, struct utc now) {
    backups->is_due = false;
    backups->done_at = now;
    backups->done_seq = backups->begun_seq;
    MUTATE(backup_round_ends_too_new, backups->done_seq = journal_last_seq(engine->journal));
    if (backups->is_late) {
        backups->is_late = false;
        log_alert_over(&engine->log, LATE);
    }
    if (backups->copies.is_behind) { /* of the journal none was made: see open_copies() */
        tell(engine, "held", "the copies of the journal are ahead of it");
    } else {
        tell(engine, "acted", "");
    }
}

/* One file; true if the step is over. */
static bool copy_next(struct backups *backups, struct engine *engine) {
    const struct backup_kept kept = {.newest = engine->config->backup_hourly_keep,
                                     .days = engine->config->backup_daily_keep};
    struct backup *copies = &backups->copies;
    struct err err = {0};
    bool is_over = true;
    enum err_code code = ERR_OK;
    if (backups->step < backup_documents()) {
        code = backup_copy_document(copies, backup_document(backups->step), &kept, &err);
        if (code == ERR_CORRUPT) { /* the journal knows better, and does not wait for it */
            tell(engine, "refused", err.text);
        }
        code = code == ERR_CORRUPT || code == ERR_NOT_FOUND ? ERR_OK : code;
    } else if (!copies->is_behind) {
        code = backup_copy_journal(copies, &is_over, &err);
    }
    if (code != ERR_OK) {
        fail(backups, engine, &err);
        return false;
    }
    backups->failed_with = ERR_OK;
    return is_over;
}

/* Where nothing is known of what is there, a round counts as due. */
static bool is_ready(struct backups *backups, struct engine *engine, struct utc now,
                     bool is_waiting) {
    if (!backups->is_open && (is_waiting || !open_copies(backups, engine))) {
        backups->due_at = backups->is_due ? backups->due_at : now;
        backups->is_due = true;
        return false;
    }
    look_at_time(backups, engine, now);
    return backups->is_due && !is_waiting;
}

/* Is there more of the round, and would the next tick come too late for it? */
static bool has_time(const struct backups *backups, const struct engine *engine,
                     struct mono began) {
    const struct mono now = clock_mono(engine->world->clock);
    MUTATE(backup_a_file_a_tick, return false);
    return backups->is_due && backups->failed_with == ERR_OK && !engine->truth.is_open &&
           mono_sub(now, began).ns < BACKUP_BURST.ns;
}

void backups_step(struct engine *engine) {
    struct backups *backups = &engine->backups;
    struct utc now = clock_utc(engine->world->clock);
    MUTATE(backup_ignored, return);
    if (engine->gateway.only_reduces || engine->is_stopping || lease_is_lost(engine->lease)) {
        return;
    }
    bool is_waiting = clock_mono(engine->world->clock).ns < backups->retry_at.ns;
    bool is_ready_now = is_ready(backups, engine, now, is_waiting);
    page_late(backups, engine, now);
    bool can_wait = utc_elapsed(&backups->due_at, now).ns < engine->config->backup_interval.ns;
    if (!is_ready_now || (can_wait && is_in_a_hurry(engine))) {
        return;
    }
    const struct mono began = clock_mono(engine->world->clock);
    do {
        if (copy_next(backups, engine) && backups->step++ == backup_documents()) {
            finish(backups, engine, now);
        }
    } while (has_time(backups, engine, began));
}
