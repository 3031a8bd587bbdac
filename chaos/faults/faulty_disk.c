/* faulty_disk.c - see faulty_disk.h. */
#include "chaos/faults/faulty_disk.h"

#include "chaos/faults/gate.h"
#include "chaos/faults/plan_internal.h"
#include "chaos/faults/process_faults.h"
#include "chaos/faults/wrong_number.h"
#include "chaos/machine/mortal.h"
#include "core/base/check.h"
#include "core/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 256 /* open files whose names are known, by handle */
#define SLOW_FSYNC SPAN_S(5)

struct open_name {
    int handle;
    char name[DISK_NAME_MAX];
};

struct strike { /* of a fault that strikes once, at its instant or at a restart after it */
    struct disk_image *image; /* old_version: what will come back; NULL until its instant; owned */
    bool is_done;
};

struct faulty_disk {
    struct disk seam;   /* first: the seam's pointer is ours */
    struct disk *inner; /* mortal.seam, or the world's disk for immortals */
    struct mortal_disk mortal;
    struct sim_disk *sim;
    struct plan *plan;
    struct process *process;
    struct open_name names[NAMES];
    struct strike strikes[PLAN_FAULTS_MAX]; /* by index in the plan */
    uint64_t written[PLAN_FAULTS_MAX];      /* since an enospc with bytes began, likewise */
};

static struct faulty_disk *self(struct disk *seam) {
    return (struct faulty_disk *)seam;
}

static const char *name_of(const struct faulty_disk *faulty, struct disk_file file) {
    const struct open_name *open = &faulty->names[(unsigned)file.handle % NAMES];
    return open->handle == file.handle ? open->name : "?";
}

static void know_name(struct faulty_disk *faulty, struct disk_file file, const char *name) {
    struct open_name *open = &faulty->names[(unsigned)file.handle % NAMES];
    open->handle = file.handle;
    (void)snprintf(open->name, sizeof open->name, "%s", name);
}

/* --- damage to what lies there --- */

struct search { /* names that fit a target */
    const char *target;
    struct text names; /* each with its NUL */
};

static void take_if_it_fits(void *context, const char *name) {
    struct search *search = context;
    if (disk_name_matches(name, search->target)) {
        text_add_bytes(&search->names, name, strlen(name) + 1);
    }
}

/* Rows before this one with its point and target: each of them draws its own number. */
static uint64_t rows_alike(const struct faulty_disk *faulty, const struct fault *fault) {
    uint64_t count = 0;
    for (size_t i = 0; plan_fault(faulty->plan, i) != fault; i++) {
        const struct fault *other = plan_fault(faulty->plan, i);
        count += other->point == fault->point && strcmp(other->target, fault->target) == 0;
    }
    return count;
}

/* Changes a number in each document of the target; is_dry: only says whether there is one. Asked at each effect: no
 * database is read for it. */
static bool change_numbers(struct faulty_disk *faulty, const struct fault *fault, bool is_dry) {
    const uint64_t seed = plan_seed(faulty->plan) + rows_alike(faulty, fault);
    struct search search = {.target = fault->target, .names = text_limited(SIM_DISK_FILE_SIZE_MAX)};
    struct text before = text_limited(SIM_DISK_FILE_SIZE_MAX);
    struct text after = text_limited(SIM_DISK_FILE_SIZE_MAX);
    bool is_changed = false;
    sim_disk_visit_all(faulty->sim, take_if_it_fits, &search);
    for (size_t at = 0; at < search.names.len; at += strlen(search.names.data + at) + 1) {
        const char *name = search.names.data + at;
        const uint64_t draw = hash64(name, strlen(name), seed);
        if (sim_disk_first_byte(faulty->sim, name) == '{' &&
            sim_disk_read(faulty->sim, name, &before) &&
            wrong_number(&before, draw, fault->is_forged, &after)) {
            is_changed = true;
            if (!is_dry) {
                sim_disk_write_raw(faulty->sim, name, after.data, after.len);
            }
        }
    }
    text_release(&search.names);
    text_release(&before);
    text_release(&after);
    return is_changed;
}

static void look_at(struct faulty_disk *faulty, size_t index) {
    const struct fault *fault = plan_fault(faulty->plan, index);
    struct strike *strike = &faulty->strikes[index];
    if (strike->is_done || strike->image != NULL || !plan_reached(faulty->plan, fault)) {
        return;
    }
    if (fault->point == POINT_DISK_OLD_VERSION) {
        strike->image = sim_disk_snapshot(faulty->sim);
    } else if (fault->point == POINT_DISK_WRONG_NUMBER && change_numbers(faulty, fault, true)) {
        strike->is_done = true;
        if (chaos_ask(faulty->plan, POINT_DISK_WRONG_NUMBER, fault->target) == fault) {
            (void)change_numbers(faulty, fault, false);
        }
    }
}

void faulty_disk_look(struct faulty_disk *faulty) {
    struct plan *plan = faulty->plan;
    if (faulty->sim == NULL || !chaos_is_armed(plan) ||
        !(plan_uses(plan, POINT_DISK_OLD_VERSION) || plan_uses(plan, POINT_DISK_WRONG_NUMBER))) {
        return;
    }
    for (size_t i = 0; i < plan_count(plan); i++) {
        look_at(faulty, i);
    }
}

/* --- what every call meets --- */

#define ENTITY_MAX (FAULT_TARGET_MAX + 16)

/* True if this call may misbehave: armed, and nobody is dead already. */
static bool is_at_risk(const struct faulty_disk *faulty) {
    return chaos_is_armed(faulty->plan) &&
           (faulty->process == NULL || !process_is_dead(faulty->process));
}

static bool fires(struct faulty_disk *faulty, enum fault_point point, const char *entity) {
    return chaos_ask(faulty->plan, point, entity) != NULL;
}

static bool dies_at(struct faulty_disk *faulty, const char *entity) {
    if (faulty->process == NULL) {
        return false;
    }
    process_faults_meet(faulty->plan, faulty->process, entity);
    if (process_is_dead(faulty->process)) {
        return true;
    }
    const bool is_before = fires(faulty, POINT_PROCESS_CRASH_BEFORE, entity);
    if (is_before || fires(faulty, POINT_PROCESS_CRASH_AFTER, entity)) {
        process_die_next(faulty->process, is_before ? PROCESS_BEFORE : PROCESS_AFTER);
        return true;
    }
    return false;
}

static enum err_code io_error(struct err *err) {
    return err_set(err, ERR_IO, "disk: input/output error");
}

static enum err_code is_full(struct err *err) {
    return err_set(err, ERR_NO_SPACE, "disk: no space left on device");
}

/* A look: it may fail, it is no effect. Entities go to `entity`, "" if nothing can happen. */
static enum err_code meet_look(struct faulty_disk *faulty, const char *verb, const char *name,
                               struct err *err) {
    if (!is_at_risk(faulty) || !plan_uses(faulty->plan, POINT_DISK_EIO)) {
        return ERR_OK;
    }
    char entity[ENTITY_MAX];
    (void)snprintf(entity, sizeof entity, "%s %s", verb, name);
    return fires(faulty, POINT_DISK_EIO, entity) ? io_error(err) : ERR_OK;
}

/* An effect: the process may die at it, and then nothing else goes wrong; entity is "" then, and
 * when nothing can happen. */
static enum err_code meet_effect(struct faulty_disk *faulty, const char *verb, const char *name,
                                 char entity[static ENTITY_MAX], struct err *err) {
    entity[0] = '\0';
    if (!is_at_risk(faulty)) {
        return ERR_OK;
    }
    faulty_disk_look(faulty);
    (void)snprintf(entity, ENTITY_MAX, "%s %s", verb, name);
    if (dies_at(faulty, entity)) {
        entity[0] = '\0';
        return ERR_OK;
    }
    return fires(faulty, POINT_DISK_EIO, entity) ? io_error(err) : ERR_OK;
}

/* How many of n bytes the disk still takes: the least of what any fault leaves. Counts them. */
static size_t room_for(struct faulty_disk *faulty, size_t n) {
    struct plan *plan = faulty->plan;
    const struct utc now = virtual_clock_now(plan_clock(plan));
    size_t room = n;
    for (size_t i = 0; i < plan_count(plan); i++) {
        const struct fault *fault = plan_fault(plan, i);
        if (fault->point != POINT_DISK_ENOSPC || !plan_reached(plan, fault) ||
            now.ns >= plan_until(plan, fault).ns) {
            continue;
        }
        const uint64_t most = fault->has_bytes ? (uint64_t)fault->bytes : 0;
        const uint64_t left = most > faulty->written[i] ? most - faulty->written[i] : 0;
        faulty->written[i] += n;
        room = left < room ? (size_t)left : room;
    }
    return room;
}

/* A new file or name takes space, though hardly any: none of `bytes`. */
static enum err_code meet_new_name(struct faulty_disk *faulty, const char *verb, const char *name,
                                   struct err *err) {
    char entity[ENTITY_MAX];
    enum err_code code = meet_effect(faulty, verb, name, entity, err);
    if (code == ERR_OK && entity[0] != '\0' && plan_uses(faulty->plan, POINT_DISK_ENOSPC) &&
        room_for(faulty, 1) == 0 && fires(faulty, POINT_DISK_ENOSPC, entity)) {
        code = is_full(err);
    }
    return code;
}

static enum err_code meet_change(struct faulty_disk *faulty, const char *verb, const char *name,
                                 struct err *err) {
    char entity[ENTITY_MAX];
    return meet_effect(faulty, verb, name, entity, err);
}

/* --- the seam --- */

static enum err_code faulty_open(struct disk *seam, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const bool may_create = (flags & DISK_CREATE) != 0;
    enum err_code code = may_create ? meet_new_name(faulty, "open", name, err)
                                    : meet_look(faulty, "open", name, err);
    if (code == ERR_OK) {
        code = disk_open(faulty->inner, name, flags, out, err);
    }
    if (code == ERR_OK) {
        know_name(faulty, *out, name);
    }
    return code;
}

static void faulty_close(struct disk *seam, struct disk_file file) {
    disk_close(self(seam)->inner, file);
}

static enum err_code faulty_size(struct disk *seam, struct disk_file file, uint64_t *out,
                                 struct err *err) {
    return disk_size(self(seam)->inner, file, out, err);
}

/* One bit of what was read, flipped where it lies; the answer shows it at once. */
static void rot(struct faulty_disk *faulty, struct disk_file file, uint8_t *bytes, size_t got,
                uint64_t offset) {
    if (got == 0 || faulty->sim == NULL || !is_at_risk(faulty) ||
        !plan_uses(faulty->plan, POINT_DISK_BIT_ROT)) {
        return;
    }
    char entity[ENTITY_MAX];
    (void)snprintf(entity, sizeof entity, "read %s", name_of(faulty, file));
    const struct fault *fault = chaos_ask(faulty->plan, POINT_DISK_BIT_ROT, entity);
    if (fault == NULL) {
        return;
    }
    const uint64_t drawn = plan_draw(faulty->plan, "disk.bit_rot", UINT64_C(1) << 62);
    const uint64_t at = fault->has_bytes ? (uint64_t)fault->bytes : offset + (drawn >> 3) % got;
    const unsigned bit = (unsigned)(drawn & 7);
    if (sim_disk_rot(faulty->sim, file, at, bit) && at >= offset && at < offset + got) {
        bytes[at - offset] ^= (uint8_t)(1U << bit);
    }
}

static enum err_code faulty_read_at(struct disk *seam, struct disk_file file, void *bytes, size_t n,
                                    uint64_t offset, size_t *got, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    enum err_code code = meet_look(faulty, "read", name_of(faulty, file), err);
    if (code == ERR_OK) {
        code = disk_read_at(faulty->inner, file, bytes, n, offset, got, err);
    }
    if (code == ERR_OK) {
        rot(faulty, file, bytes, *got, offset);
    }
    return code;
}

/* What is left of a write that fails in the middle: its first bytes. */
static enum err_code write_part(struct faulty_disk *faulty, struct disk_file file,
                                const void *bytes, size_t n, uint64_t offset, struct err *err) {
    return n == 0 ? ERR_OK : disk_write_at(faulty->inner, file, bytes, n, offset, err);
}

static enum err_code faulty_write_at(struct disk *seam, struct disk_file file, const void *bytes,
                                     size_t n, uint64_t offset, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    char entity[ENTITY_MAX];
    enum err_code code = meet_effect(faulty, "write", name_of(faulty, file), entity, err);
    if (code != ERR_OK || entity[0] == '\0') {
        return code == ERR_OK ? disk_write_at(faulty->inner, file, bytes, n, offset, err) : code;
    }
    const size_t room = plan_uses(faulty->plan, POINT_DISK_ENOSPC) ? room_for(faulty, n) : n;
    if (room < n && fires(faulty, POINT_DISK_ENOSPC, entity)) {
        code = write_part(faulty, file, bytes, room, offset, err);
        return code == ERR_OK ? is_full(err) : code;
    }
    const struct fault *shorter = chaos_ask(faulty->plan, POINT_DISK_SHORT_WRITE, entity);
    if (shorter != NULL) {
        const size_t wanted = shorter->has_bytes ? (size_t)shorter->bytes : n / 2;
        code = write_part(faulty, file, bytes, wanted < n ? wanted : n, offset, err);
        return code == ERR_OK ? io_error(err) : code;
    }
    return disk_write_at(faulty->inner, file, bytes, n, offset, err);
}

static enum err_code faulty_truncate(struct disk *seam, struct disk_file file, uint64_t size,
                                     struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_change(faulty, "truncate", name_of(faulty, file), err);
    return code == ERR_OK ? disk_truncate(faulty->inner, file, size, err) : code;
}

/* A sync of a file or folder that is slow, lies or fails; *is_lie: it is over, and says ok. */
static enum err_code meet_sync(struct faulty_disk *faulty, const char *verb, const char *name,
                               bool *is_lie, bool *is_loss, struct err *err) {
    char entity[ENTITY_MAX];
    const enum err_code code = meet_effect(faulty, verb, name, entity, err);
    if (code != ERR_OK || entity[0] == '\0') {
        return code;
    }
    const struct fault *slow = chaos_ask(faulty->plan, POINT_DISK_SLOW_FSYNC, entity);
    if (slow != NULL && faulty->sim != NULL) {
        sim_disk_stall(faulty->sim, slow->delay.ns == 0 ? SLOW_FSYNC : slow->delay);
    }
    *is_loss = fires(faulty, POINT_DISK_FSYNC_ERROR, entity);
    if (*is_loss) {
        return io_error(err);
    }
    *is_lie = fires(faulty, POINT_DISK_LYING_FSYNC, entity);
    return ERR_OK;
}

static enum err_code faulty_sync(struct disk *seam, struct disk_file file, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    bool is_lie = false;
    bool is_loss = false;
    const enum err_code code =
        meet_sync(faulty, "sync", name_of(faulty, file), &is_lie, &is_loss, err);
    if (is_loss && faulty->sim != NULL) {
        sim_disk_lose(faulty->sim, file);
    }
    if (is_lie && faulty->sim != NULL) {
        sim_disk_lie(faulty->sim, file);
    }
    return code != ERR_OK || is_lie ? code : disk_sync(faulty->inner, file, err);
}

static enum err_code faulty_rename(struct disk *seam, const char *from, const char *to,
                                   struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_change(faulty, "rename", to, err);
    return code == ERR_OK ? disk_rename(faulty->inner, from, to, err) : code;
}

static enum err_code faulty_remove(struct disk *seam, const char *name, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_change(faulty, "remove", name, err);
    return code == ERR_OK ? disk_remove(faulty->inner, name, err) : code;
}

static enum err_code faulty_link(struct disk *seam, const char *from, const char *to,
                                 struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_new_name(faulty, "link", to, err);
    return code == ERR_OK ? disk_link(faulty->inner, from, to, err) : code;
}

/* A folder's sync that fails leaves its names un-synced: their fate is open. */
static enum err_code faulty_sync_dir(struct disk *seam, const char *folder, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    bool is_lie = false;
    bool is_loss = false;
    const enum err_code code = meet_sync(faulty, "sync_dir", folder, &is_lie, &is_loss, err);
    if (is_lie && faulty->sim != NULL) {
        sim_disk_lie_of_folder(faulty->sim, folder);
    }
    return code != ERR_OK || is_lie ? code : disk_sync_dir(faulty->inner, folder, err);
}

static enum err_code faulty_make_dir(struct disk *seam, const char *folder, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_new_name(faulty, "make_dir", folder, err);
    return code == ERR_OK ? disk_make_dir(faulty->inner, folder, err) : code;
}

static enum err_code faulty_list(struct disk *seam, const char *folder, disk_visit *visit,
                                 void *context, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = meet_look(faulty, "list", folder, err);
    return code == ERR_OK ? disk_list(faulty->inner, folder, visit, context, err) : code;
}

static enum err_code faulty_lock(struct disk *seam, const char *name, struct disk_file *out,
                                 struct err *err) {
    struct faulty_disk *faulty = self(seam);
    enum err_code code = meet_look(faulty, "lock", name, err);
    if (code == ERR_OK) {
        code = disk_lock(faulty->inner, name, out, err);
    }
    if (code == ERR_OK) {
        know_name(faulty, *out, name);
    }
    return code;
}

static const struct disk_ops faulty_ops = {.open = faulty_open,
                                           .close = faulty_close,
                                           .size = faulty_size,
                                           .read_at = faulty_read_at,
                                           .write_at = faulty_write_at,
                                           .truncate = faulty_truncate,
                                           .sync = faulty_sync,
                                           .rename = faulty_rename,
                                           .remove = faulty_remove,
                                           .link = faulty_link,
                                           .sync_dir = faulty_sync_dir,
                                           .make_dir = faulty_make_dir,
                                           .list = faulty_list,
                                           .lock = faulty_lock};

struct faulty_disk *faulty_disk_create(struct disk *inner, struct sim_disk *sim, struct plan *plan,
                                       struct process *process) {
    struct faulty_disk *faulty = calloc(1, sizeof *faulty);
    CHECK(faulty != NULL);
    faulty->seam.ops = &faulty_ops;
    faulty->inner = inner;
    faulty->sim = sim;
    faulty->plan = plan;
    faulty->process = process;
    if (process != NULL) {
        mortal_disk_init(&faulty->mortal, inner, process);
        faulty->inner = &faulty->mortal.seam;
    }
    return faulty;
}

void faulty_disk_destroy(struct faulty_disk *faulty) {
    if (faulty != NULL) {
        for (size_t i = 0; i < PLAN_FAULTS_MAX; i++) {
            disk_image_destroy(faulty->strikes[i].image);
        }
        free(faulty);
    }
}

struct disk *faulty_disk_seam(struct faulty_disk *faulty) {
    return &faulty->seam;
}

void faulty_disk_power_cut(struct faulty_disk *faulty, struct crash_source *otherwise) {
    CHECK(faulty->sim != NULL);
    struct crash_uniform torn = crash_uniform(CRASH_TORN);
    const bool is_torn = chaos_ask(faulty->plan, POINT_DISK_TORN, "power cut") != NULL;
    sim_disk_crash(faulty->sim, is_torn ? &torn.source : otherwise);
}

size_t faulty_disk_restart(struct faulty_disk *faulty) {
    faulty_disk_look(faulty);
    size_t changed = 0;
    for (size_t i = 0; i < PLAN_FAULTS_MAX; i++) {
        struct strike *strike = &faulty->strikes[i];
        if (strike->image == NULL) {
            continue;
        }
        const struct fault *fault = plan_fault(faulty->plan, i);
        const struct fault *fired = chaos_ask(faulty->plan, POINT_DISK_OLD_VERSION, fault->target);
        if (fired == fault) {
            changed += sim_disk_restore_matching(faulty->sim, strike->image, fault->target);
            disk_image_destroy(strike->image);
            *strike = (struct strike){.is_done = true};
        }
    }
    return changed;
}
