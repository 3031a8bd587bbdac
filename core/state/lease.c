/* lease.c - one trader per state directory: locks for the living, an epoch for the stale.
 *
 * Three files: lease.lock guards every change of the document (and of alive.lock), alive.lock is
 * held as long as the holder lives, lease.json says who holds it since when. A holder that was
 * taken over while it hung still holds its old alive.lock: the successor removes the name and locks
 * a new file, so that the name always stands for the present holder. */
#include "core/state/lease.h"

#include "core/base/mutant.h"
#include "core/state/disk_copy.h"
#include "core/state/journal.h"
#include "core/state/state_document.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "lease.json"
#define GUARD "lease.lock"
#define ALIVE "alive.lock"
#define HOLDER_TEXT_MAX 17
#define MACHINE_BOOT_LEN 36 /* of the kernel's id; a served clock adds to it */
/* A living holder that has not renewed for the term and this long is taken over: the longest a
 * request of its may still arrive at the broker (30 s) and its deadline (5 s). */
#define STALE_AFTER SPAN_S(LEASE_S + 35)
#define STALE_TO_REDUCE SPAN_S(LEASE_S)

struct lease_view { /* what the document says */
    int64_t epoch;
    char holder[HOLDER_TEXT_MAX];
    char boot[CLOCK_BOOT_MAX];
    struct utc renewed_at;
    struct mono renewed_mono;
};

struct lease {
    struct world *world;
    struct lease_view mine; /* as last written */
    struct text written;    /* those bytes */
    struct disk_file alive;
    bool has_alive;
    bool is_lost;    /* another has it, or may: for good */
    bool must_write; /* the document was found unreadable */
};

static bool view_parse(const struct state_file *file, struct lease_view *out) {
    struct lease_view view = {0};
    struct err ignored = {0};
    bool is_good =
        file->tree != NULL && json_int(file->tree, "epoch", &view.epoch, &ignored) == ERR_OK &&
        json_copy(file->tree, "holder", view.holder, sizeof view.holder, &ignored) == ERR_OK &&
        json_copy(file->tree, "boot", view.boot, sizeof view.boot, &ignored) == ERR_OK &&
        json_utc(file->tree, "renewed_at", &view.renewed_at, &ignored) == ERR_OK &&
        json_int(file->tree, "renewed_mono_us", &view.renewed_mono.ns, &ignored) == ERR_OK &&
        view.epoch > 0;
    view.renewed_mono.ns *= 1000; /* microseconds in the file: nanoseconds pass 2^53 in 104 days */
    if (is_good) {
        *out = view;
    }
    return is_good;
}

/* The highest epoch of all readable generations, and the document itself. What is not readable leaves
 * epoch 0. */
static enum err_code view_load(struct world *world, struct lease_view *out,
                               struct lease_view *current, struct err *err) {
    struct lease_view best = {0};
    *current = (struct lease_view){0};
    for (int generation = 0; generation <= STATE_FILE_GENERATIONS; generation++) {
        struct state_file file = {0};
        struct lease_view view = {0};
        enum err_code code = state_file_load(world, DOCUMENT, generation, &file, err);
        if (code != ERR_OK) {
            return code;
        }
        bool is_good = file.condition == STATE_FILE_GOOD && view_parse(&file, &view);
        state_file_release(&file);
        if (is_good && view.epoch > best.epoch) {
            best = view;
        }
        if (generation == 0) {
            *current = view;
        }
    }
    *out = best;
    return ERR_OK;
}

static void print_members(const struct lease_view *view, struct text *out) {
    text_add(out, "\"epoch\":");
    text_add_int(out, view->epoch);
    text_add(out, ",\"holder\":");
    text_add_json_string(out, view->holder);
    text_add(out, ",\"boot\":");
    text_add_json_string(out, view->boot);
    text_add(out, ",\"renewed_at\":\"");
    text_add_utc(out, view->renewed_at);
    text_add(out, "\",\"renewed_mono_us\":");
    text_add_int(out, view->renewed_mono.ns / 1000);
    text_add_format(out, ",\"term_s\":%d", LEASE_S);
}

/* Stamps and saves; mine and written change only when the document did. Under the guard. */
static enum err_code write_lease(struct lease *lease, int64_t epoch, struct err *err) {
    struct lease_view next = lease->mine;
    next.epoch = epoch;
    /* before the write: the term must not count from later than others may read it */
    next.renewed_at = clock_utc(lease->world->clock);
    next.renewed_mono = clock_mono(lease->world->clock);
    struct text members = {0};
    struct text document = {0};
    print_members(&next, &members);
    state_document_print(DOCUMENT, 0, text_get(&members), &document);
    /* A new epoch must survive a power cut, a renewal need not: it speaks to the living, and waits for no
     * sync, so that a slow disk does not take the lease from the only one who wants it. */
    bool is_renewal = epoch == lease->mine.epoch && !lease->must_write;
    enum err_code code =
        is_renewal
            ? state_file_publish(lease->world, DOCUMENT, text_get(&document), document.len, err)
            : state_file_save(lease->world, DOCUMENT, 0, text_get(&members), err);
    if (code == ERR_OK) {
        lease->mine = next;
        lease->must_write = false;
        text_clear(&lease->written);
        text_add_bytes(&lease->written, document.data, document.len);
    }
    text_release(&document);
    text_release(&members);
    return code;
}

/* Same boot: the monotonic clock decides. Another: only the wall is left. The same machine under
 * another clock (one process goes by a served clock) says nothing: not stale. */
static bool is_stale(struct world *world, const struct lease_view *view, struct span bound) {
    MUTATE(lease_always_stale, return true);
    MUTATE(lease_never_stale, return false);
    char boot[CLOCK_BOOT_MAX];
    clock_boot_id(world->clock, boot);
    if (strcmp(boot, view->boot) != 0 && strncmp(boot, view->boot, MACHINE_BOOT_LEN) == 0) {
        return false;
    }
    struct span age = strcmp(boot, view->boot) == 0
                          ? mono_sub(clock_mono(world->clock), view->renewed_mono)
                          : utc_sub(clock_utc(world->clock), view->renewed_at);
    return age.ns >= bound.ns;
}

static enum err_code held(const struct lease_view *view, struct err *err) {
    char at[UTC_TEXT_MAX];
    if (view->epoch == 0) {
        return err_set(
            err, ERR_LOCKED,
            "another process is alive on this state directory and its lease is unreadable");
    }
    utc_print(view->renewed_at, at);
    return err_set(err, ERR_LOCKED, "the state directory is held by %s, epoch %lld, renewed at %s",
                   view->holder, (long long)view->epoch, at);
}

/* The name stands for us from now on, whatever process sleeps on the old file. */
static enum err_code take_alive_by_force(struct lease *lease, struct err *err) {
    state_document_discard(lease->world->disk, ALIVE);
    enum err_code code = disk_lock(lease->world->disk, ALIVE, &lease->alive, err);
    lease->has_alive = code == ERR_OK;
    return code;
}

static enum err_code copy_file(struct disk *disk, const char *name, const char *copy,
                               struct err *err) {
    struct disk_file from = {0};
    struct disk_file to = {0};
    enum err_code code = disk_open(disk, name, DISK_READ, &from, err);
    if (code != ERR_OK) {
        return code;
    }
    state_document_discard(disk, copy); /* of an attempt that died */
    code = disk_open(disk, copy, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &to, err);
    if (code == ERR_OK) {
        uint64_t copied = 0;
        code = disk_copy_bytes(disk, from, to, &copied, err);
        code = code == ERR_OK ? disk_sync(disk, to, err) : code;
        disk_close(disk, to);
    }
    disk_close(disk, from);
    return code;
}

/* Gives the journal's names to copies: should the process that was taken over wake up, then what it
 * holds open are files without a name, and what it writes there hurts nobody. */
static enum err_code fence_journal(struct disk *disk, struct err *err) {
    MUTATE(journal_not_fenced, return ERR_OK);
    static const char *const names[][2] = {{JOURNAL_WAL, JOURNAL_WAL ".fence"},
                                           {JOURNAL_FILE, JOURNAL_FILE ".fence"}};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof names / sizeof names[0]; i++) {
        code = copy_file(disk, names[i][0], names[i][1], err);
        if (code == ERR_OK) {
            code = disk_rename(disk, names[i][1], names[i][0], err);
        }
        code = code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    return code == ERR_OK ? disk_sync_dir(disk, "", err) : code;
}

static enum err_code acquire_guarded(struct lease *lease, struct span bound, struct err *err) {
    struct world *world = lease->world;
    struct lease_view seen = {0};
    struct lease_view current = {0};
    enum err_code code = view_load(world, &seen, &current, err);
    if (code != ERR_OK) {
        return code;
    }
    const bool is_current_good = current.epoch > 0;
    code = disk_lock(world->disk, ALIVE, &lease->alive, err);
    MUTATE(lock_not_taken, code = ERR_OK);
    lease->has_alive = code == ERR_OK;
    MUTATE(dead_lease_waited_for, if (is_current_good && !is_stale(world, &seen, bound)) return held(&seen, err));
    bool is_forced = code == ERR_LOCKED;
    if (is_forced) {
        if (!is_current_good || !is_stale(world, &seen, bound)) {
            return held(&seen, err);
        }
        code = ERR_OK;
    }
    if (code == ERR_OK) {
        code = state_file_sweep(world, "", err);
    }
    if (code == ERR_OK) {
        code = write_lease(lease, seen.epoch + 1, err);
    }
    if (code == ERR_OK && is_forced) {
        /* The liveness lock last: while a failure leaves it with the sleeper, the next attempt is forced
         * too, and fences. */
        code = fence_journal(world->disk, err);
        code = code == ERR_OK ? take_alive_by_force(lease, err) : code;
    }
    return code;
}

static enum err_code name_holder(struct lease *lease, struct err *err) {
    uint64_t nonce = 0;
    enum err_code code = entropy_fill(lease->world->entropy, &nonce, sizeof nonce, err);
    snprintf(lease->mine.holder, sizeof lease->mine.holder, "%016llx", (unsigned long long)nonce);
    clock_boot_id(lease->world->clock, lease->mine.boot);
    return code;
}

static enum err_code acquire(struct world *world, struct span bound, struct lease **out,
                             struct err *err) {
    struct lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL) {
        return err_set(err, ERR_MEMORY, "lease: out of memory");
    }
    lease->world = world;
    struct disk_file guard = {0};
    enum err_code code = name_holder(lease, err);
    if (code == ERR_OK) {
        code = disk_lock(world->disk, GUARD, &guard, err);
        if (code == ERR_OK) {
            code = acquire_guarded(lease, bound, err);
            disk_close(world->disk, guard);
        }
    }
    if (code != ERR_OK) {
        lease_release(lease);
        return code;
    }
    *out = lease;
    return ERR_OK;
}

enum err_code lease_acquire(struct world *world, struct lease **out, struct err *err) {
    return acquire(world, STALE_AFTER, out, err);
}

enum err_code lease_acquire_to_reduce(struct world *world, struct lease **out, struct err *err) {
    return acquire(world, STALE_TO_REDUCE, out, err);
}

/* Before, nobody takes a living holder's lease. */
static bool may_be_taken(const struct lease *lease) {
    struct span age = mono_sub(clock_mono(lease->world->clock), lease->mine.renewed_mono);
    return age.ns < 0 || age.ns >= STALE_TO_REDUCE.ns;
}

/* ERR_LOCKED, for good, if anybody has or had a higher epoch, or ours under another name, or if the
 * document names another at all: whoever found our epoch as a smaller number took over under a smaller
 * one, and trades. Also if it may have been taken and the document, which alone would say so, is damaged. */
static enum err_code look(struct lease *lease, bool *is_current_good, struct err *err) {
    struct lease_view seen = {0};
    struct lease_view current = {0};
    enum err_code code = view_load(lease->world, &seen, &current, err);
    if (code == ERR_OK && current.epoch == 0 && may_be_taken(lease)) {
        code = view_load(lease->world, &seen, &current, err); /* one bad read is not enough */
    }
    if (code != ERR_OK) {
        return code;
    }
    *is_current_good = current.epoch > 0;
    MUTATE(lease_not_reread, return ERR_OK);
    bool is_anothers = *is_current_good && strcmp(current.holder, lease->mine.holder) != 0;
    MUTATE(smaller_epoch_disregarded, is_anothers = false);
    if (seen.epoch > lease->mine.epoch ||
        (seen.epoch == lease->mine.epoch && strcmp(seen.holder, lease->mine.holder) != 0)) {
        lease->is_lost = true;
        return held(&seen, err);
    }
    if (is_anothers) {
        lease->is_lost = true;
        return held(&current, err);
    }
    bool is_unproven = !*is_current_good && may_be_taken(lease);
    MUTATE(unreadable_lease_is_ours, is_unproven = false);
    if (is_unproven) {
        lease->is_lost = true;
        return err_set(err, ERR_LOCKED,
                       "%s is unreadable, and the lease so old that another process may have it",
                       DOCUMENT);
    }
    return ERR_OK;
}

static enum err_code renew_guarded(struct lease *lease, struct err *err) {
    bool is_current_good = false;
    enum err_code code = look(lease, &is_current_good, err);
    if (code != ERR_OK) {
        return code;
    }
    return write_lease(lease, lease->mine.epoch, err);
}

enum err_code lease_renew(struct lease *lease, struct err *err) {
    struct world *world = lease->world;
    if (lease->is_lost) {
        return err_set(err, ERR_LOCKED, "the lease was lost to another process");
    }
    struct span age = mono_sub(clock_mono(world->clock), lease->mine.renewed_mono);
    if (!lease->must_write && age.ns >= 0 && age.ns < SPAN_S(LEASE_S).ns / 3) {
        return ERR_OK;
    }
    struct disk_file guard = {0};
    enum err_code code = disk_lock(world->disk, GUARD, &guard, err);
    if (code != ERR_OK) {
        /* somebody looks or takes over: not lost yet, but not renewed either */
        return code == ERR_LOCKED ? err_set(err, ERR_IO, "%s is held by another process", GUARD)
                                  : code;
    }
    code = renew_guarded(lease, err);
    disk_close(world->disk, guard);
    return code;
}

enum err_code lease_confirm(struct lease *lease, struct err *err) {
    if (lease->is_lost) {
        return err_set(err, ERR_LOCKED, "the lease was lost to another process");
    }
    struct text content = {0};
    enum err_code code = state_file_read(lease->world->disk, DOCUMENT, 4096, &content, err);
    bool is_same = code == ERR_OK && content.len == lease->written.len &&
                   memcmp(text_get(&content), lease->written.data, content.len) == 0;
    text_release(&content);
    if (is_same || code == ERR_IO) {
        return code;
    }
    bool is_current_good = false;
    code = look(lease, &is_current_good, err);
    if (code == ERR_OK && !is_current_good) {
        lease->must_write = true; /* the next lease_renew() heals it */
        code = err_set(err, ERR_IO, "%s is unreadable", DOCUMENT);
    }
    return code;
}

enum err_code lease_check(struct lease *lease, struct err *err) {
    enum err_code code = lease_confirm(lease, err);
    if (code != ERR_OK) {
        return code;
    }
    /* after the read, which takes time */
    struct span age = mono_sub(clock_mono(lease->world->clock), lease->mine.renewed_mono);
    if (age.ns < 0 || age.ns >= SPAN_S(LEASE_S).ns / 2) {
        return err_set(err, ERR_IO, "the lease was not renewed for %lld ms",
                       (long long)(age.ns / 1000000));
    }
    return ERR_OK;
}

bool lease_is_lost(struct lease *lease) {
    if (lease == NULL || lease->is_lost) {
        return lease != NULL;
    }
    if (!may_be_taken(lease)) {
        return false;
    }
    (void)!lease_confirm(lease, NULL);
    return lease->is_lost;
}

int64_t lease_epoch(const struct lease *lease) {
    return lease->mine.epoch;
}

/* The free liveness lock is what tells others; the document keeps the epoch. */
void lease_release(struct lease *lease) {
    if (lease == NULL) {
        return;
    }
    if (lease->has_alive) {
        disk_close(lease->world->disk, lease->alive);
    }
    text_release(&lease->written);
    free(lease);
}

enum err_code lease_is_alive(struct world *world, bool *out, struct err *err) {
    struct disk_file lock = {0};
    enum err_code code = disk_lock(world->disk, ALIVE, &lock, err);
    if (code == ERR_OK) {
        disk_close(world->disk, lock);
        *out = false;
    } else if (code == ERR_LOCKED) {
        *out = true;
        code = ERR_OK;
    }
    return code;
}
