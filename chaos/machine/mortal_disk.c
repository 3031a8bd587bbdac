/* mortal_disk.c - the disk of a process that can die; see mortal.h. */
#include "chaos/machine/mortal.h"

static struct mortal_disk *self(struct disk *seam) {
    return (struct mortal_disk *)seam;
}

static enum err_code dead(struct err *err) {
    return err_set(err, ERR_IO, "disk: input/output error");
}

static bool may_look(const struct mortal_disk *mortal) {
    return process_enter(mortal->process, PROCESS_LOOK) == PROCESS_ALIVE;
}

/* Runs `call` if this effect happens; the code of an effect that nobody lives to see is ERR_IO. */
#define EFFECT(mortal, err, call)                                                                  \
    do {                                                                                           \
        const enum process_verdict verdict = process_enter((mortal)->process, PROCESS_DISK);       \
        if (verdict == PROCESS_ALIVE) {                                                            \
            return (call);                                                                         \
        }                                                                                          \
        if (verdict == PROCESS_CRASH_AFTER || verdict == PROCESS_CRASH_DURING) {                   \
            const enum err_code unseen = (call);                                                   \
            (void)unseen;                                                                          \
        }                                                                                          \
        return dead(err);                                                                          \
    } while (0)

static enum err_code mortal_open(struct disk *seam, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    struct disk_file file = {-1};
    if ((flags & DISK_CREATE) != 0) { /* may make a file */
        const enum process_verdict verdict = process_enter(mortal->process, PROCESS_DISK);
        if (verdict == PROCESS_ALIVE) {
            return disk_open(mortal->inner, name, flags, out, err);
        }
        if ((verdict == PROCESS_CRASH_AFTER || verdict == PROCESS_CRASH_DURING) &&
            disk_open(mortal->inner, name, flags, &file, err) == ERR_OK) {
            disk_close(mortal->inner, file);
        }
        return dead(err);
    }
    return may_look(mortal) ? disk_open(mortal->inner, name, flags, out, err) : dead(err);
}

static void mortal_close(struct disk *seam, struct disk_file file) {
    struct mortal_disk *mortal = self(seam);
    if (may_look(mortal)) {
        disk_close(mortal->inner, file);
    }
}

static enum err_code mortal_size(struct disk *seam, struct disk_file file, uint64_t *out,
                                 struct err *err) {
    struct mortal_disk *mortal = self(seam);
    return may_look(mortal) ? disk_size(mortal->inner, file, out, err) : dead(err);
}

static enum err_code mortal_read_at(struct disk *seam, struct disk_file file, void *bytes, size_t n,
                                    uint64_t offset, size_t *got, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    return may_look(mortal) ? disk_read_at(mortal->inner, file, bytes, n, offset, got, err)
                            : dead(err);
}

static enum err_code mortal_write_at(struct disk *seam, struct disk_file file, const void *bytes,
                                     size_t n, uint64_t offset, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_write_at(mortal->inner, file, bytes, n, offset, err));
}

static enum err_code mortal_truncate(struct disk *seam, struct disk_file file, uint64_t size,
                                     struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_truncate(mortal->inner, file, size, err));
}

static enum err_code mortal_sync(struct disk *seam, struct disk_file file, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_sync(mortal->inner, file, err));
}

static enum err_code mortal_rename(struct disk *seam, const char *from, const char *to,
                                   struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_rename(mortal->inner, from, to, err));
}

static enum err_code mortal_remove(struct disk *seam, const char *name, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_remove(mortal->inner, name, err));
}

static enum err_code mortal_link(struct disk *seam, const char *from, const char *to,
                                 struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_link(mortal->inner, from, to, err));
}

static enum err_code mortal_sync_dir(struct disk *seam, const char *folder, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_sync_dir(mortal->inner, folder, err));
}

static enum err_code mortal_make_dir(struct disk *seam, const char *folder, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    EFFECT(mortal, err, disk_make_dir(mortal->inner, folder, err));
}

static enum err_code mortal_list(struct disk *seam, const char *folder, disk_visit *visit,
                                 void *context, struct err *err) {
    struct mortal_disk *mortal = self(seam);
    return may_look(mortal) ? disk_list(mortal->inner, folder, visit, context, err) : dead(err);
}

/* A lock dies with its process, so that taking one is a look: it needs no crash of its own. */
static enum err_code mortal_lock(struct disk *seam, const char *name, struct disk_file *out,
                                 struct err *err) {
    struct mortal_disk *mortal = self(seam);
    return may_look(mortal) ? disk_lock(mortal->inner, name, out, err) : dead(err);
}

static const struct disk_ops mortal_disk_ops = {.open = mortal_open,
                                                .close = mortal_close,
                                                .size = mortal_size,
                                                .read_at = mortal_read_at,
                                                .write_at = mortal_write_at,
                                                .truncate = mortal_truncate,
                                                .sync = mortal_sync,
                                                .rename = mortal_rename,
                                                .remove = mortal_remove,
                                                .link = mortal_link,
                                                .sync_dir = mortal_sync_dir,
                                                .make_dir = mortal_make_dir,
                                                .list = mortal_list,
                                                .lock = mortal_lock};

void mortal_disk_init(struct mortal_disk *mortal, struct disk *inner, struct process *process) {
    *mortal = (struct mortal_disk){.seam = {&mortal_disk_ops}, .inner = inner, .process = process};
}
