/* faulty_disk.c - see faulty_disk.h. */
#include "chaos/faults/faulty_disk.h"

#include "chaos/faults/gate.h"
#include "chaos/machine/mortal.h"
#include "core/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 256 /* open files whose names are known, by handle */

struct open_name {
    int handle;
    char name[DISK_NAME_MAX];
};

struct old_version {
    struct disk_image *image; /* NULL until its instant; owned */
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
    struct old_version old[PLAN_FAULTS_MAX]; /* by index in the plan */
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

void faulty_disk_look(struct faulty_disk *faulty) {
    if (faulty->sim == NULL || !chaos_is_armed(faulty->plan) ||
        !plan_uses(faulty->plan, POINT_DISK_OLD_VERSION)) {
        return;
    }
    for (size_t i = 0; i < plan_count(faulty->plan); i++) {
        const struct fault *fault = plan_fault(faulty->plan, i);
        struct old_version *old = &faulty->old[i];
        if (fault->point == POINT_DISK_OLD_VERSION && old->image == NULL && !old->is_done &&
            plan_reached(faulty->plan, fault)) {
            old->image = sim_disk_snapshot(faulty->sim);
        }
    }
}

/* Before every call that changes something: may the process die here, is the disk full. */
static bool meets_full_disk(struct faulty_disk *faulty, const char *verb, const char *name,
                            bool takes_space) {
    struct plan *plan = faulty->plan;
    if (!chaos_is_armed(plan) || (faulty->process != NULL && process_is_dead(faulty->process))) {
        return false;
    }
    faulty_disk_look(faulty);
    char entity[FAULT_TARGET_MAX + 16];
    (void)snprintf(entity, sizeof entity, "%s %s", verb, name);
    if (faulty->process != NULL) {
        if (chaos_ask(plan, POINT_PROCESS_CRASH_BEFORE, entity) != NULL) {
            process_die_next(faulty->process, PROCESS_BEFORE);
            return false;
        }
        if (chaos_ask(plan, POINT_PROCESS_CRASH_AFTER, entity) != NULL) {
            process_die_next(faulty->process, PROCESS_AFTER);
            return false;
        }
    }
    return takes_space && chaos_ask(plan, POINT_DISK_ENOSPC, entity) != NULL;
}

static enum err_code is_full(struct err *err) {
    return err_set(err, ERR_NO_SPACE, "disk: no space left on device");
}

static enum err_code faulty_open(struct disk *seam, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    if ((flags & DISK_CREATE) != 0 && meets_full_disk(faulty, "open", name, true)) {
        return is_full(err);
    }
    const enum err_code code = disk_open(faulty->inner, name, flags, out, err);
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

static enum err_code faulty_read_at(struct disk *seam, struct disk_file file, void *bytes, size_t n,
                                    uint64_t offset, size_t *got, struct err *err) {
    return disk_read_at(self(seam)->inner, file, bytes, n, offset, got, err);
}

static enum err_code faulty_write_at(struct disk *seam, struct disk_file file, const void *bytes,
                                     size_t n, uint64_t offset, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    if (meets_full_disk(faulty, "write", name_of(faulty, file), true)) {
        return is_full(err);
    }
    return disk_write_at(faulty->inner, file, bytes, n, offset, err);
}

static enum err_code faulty_truncate(struct disk *seam, struct disk_file file, uint64_t size,
                                     struct err *err) {
    struct faulty_disk *faulty = self(seam);
    (void)meets_full_disk(faulty, "truncate", name_of(faulty, file), false);
    return disk_truncate(faulty->inner, file, size, err);
}

static enum err_code faulty_sync(struct disk *seam, struct disk_file file, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    (void)meets_full_disk(faulty, "sync", name_of(faulty, file), false);
    return disk_sync(faulty->inner, file, err);
}

static enum err_code faulty_rename(struct disk *seam, const char *from, const char *to,
                                   struct err *err) {
    struct faulty_disk *faulty = self(seam);
    (void)meets_full_disk(faulty, "rename", to, false);
    return disk_rename(faulty->inner, from, to, err);
}

static enum err_code faulty_remove(struct disk *seam, const char *name, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    (void)meets_full_disk(faulty, "remove", name, false);
    return disk_remove(faulty->inner, name, err);
}

static enum err_code faulty_link(struct disk *seam, const char *from, const char *to,
                                 struct err *err) {
    struct faulty_disk *faulty = self(seam);
    if (meets_full_disk(faulty, "link", to, true)) {
        return is_full(err);
    }
    return disk_link(faulty->inner, from, to, err);
}

static enum err_code faulty_sync_dir(struct disk *seam, const char *folder, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    (void)meets_full_disk(faulty, "sync_dir", folder, false);
    return disk_sync_dir(faulty->inner, folder, err);
}

static enum err_code faulty_make_dir(struct disk *seam, const char *folder, struct err *err) {
    struct faulty_disk *faulty = self(seam);
    if (meets_full_disk(faulty, "make_dir", folder, true)) {
        return is_full(err);
    }
    return disk_make_dir(faulty->inner, folder, err);
}

static enum err_code faulty_list(struct disk *seam, const char *folder, disk_visit *visit,
                                 void *context, struct err *err) {
    return disk_list(self(seam)->inner, folder, visit, context, err);
}

static enum err_code faulty_lock(struct disk *seam, const char *name, struct disk_file *out,
                                 struct err *err) {
    struct faulty_disk *faulty = self(seam);
    const enum err_code code = disk_lock(faulty->inner, name, out, err);
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
            disk_image_destroy(faulty->old[i].image);
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
        struct old_version *old = &faulty->old[i];
        if (old->image == NULL) {
            continue;
        }
        const struct fault *fault = plan_fault(faulty->plan, i);
        const struct fault *fires = chaos_ask(faulty->plan, POINT_DISK_OLD_VERSION, fault->target);
        if (fires == fault) {
            changed += sim_disk_restore_matching(faulty->sim, old->image, fault->target);
            disk_image_destroy(old->image);
            *old = (struct old_version){.is_done = true};
        }
    }
    return changed;
}
