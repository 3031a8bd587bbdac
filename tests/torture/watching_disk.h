/* watching_disk.h - a simulated disk that tells before each effect, and can have a known defect.
 *
 * The defects are those of save protocols: the code above is the real one, and the disk does not do,
 * or does too late, what it was asked to. */
#ifndef TESTS_TORTURE_WATCHING_DISK_H
#define TESTS_TORTURE_WATCHING_DISK_H

#include "chaos/machine/sim_disk.h"
#include "core/world/disk.h"

#include <string.h>

enum watching_defect {
    WATCHING_SOUND,
    WATCHING_NO_DIR_SYNC,  /* as if no directory were ever synced */
    WATCHING_NO_SYNC,      /* as if no file were ever synced; folders are */
    WATCHING_RENAME_FIRST, /* a file is synced behind its rename, not before */
};

struct watching_disk {
    struct disk seam;
    struct disk *inner;
    struct sim_disk *sim;
    void (*before_effect)(void *context);
    void *context;
    enum watching_defect defect;
    int lose_at; /* number of the first sync that fails and loses its pages; 0: none */
    int losses;  /* how many do from there on */
    int syncs;
    struct disk_file owed; /* WATCHING_RENAME_FIRST: to be synced and closed; -1: none */
};

static inline struct watching_disk *watching_of(struct disk *disk) {
    return (struct watching_disk *)disk;
}

static inline struct disk *watching_look(struct disk *disk) {
    return watching_of(disk)->inner;
}

static inline struct disk *watching_effect(struct disk *disk) {
    struct watching_disk *watching = watching_of(disk);
    watching->before_effect(watching->context);
    return watching->inner;
}

static inline enum err_code watching_open(struct disk *disk, const char *name, unsigned flags,
                                          struct disk_file *out, struct err *err) {
    struct disk *inner = (flags & DISK_CREATE) != 0 ? watching_effect(disk) : watching_look(disk);
    return disk_open(inner, name, flags, out, err);
}

static inline enum err_code watching_lock(struct disk *disk, const char *name,
                                          struct disk_file *out, struct err *err) {
    return disk_lock(watching_effect(disk), name, out, err);
}

static inline void watching_close(struct disk *disk, struct disk_file file) {
    if (file.handle != watching_of(disk)->owed.handle) {
        disk_close(watching_look(disk), file);
    }
}

static inline enum err_code watching_size(struct disk *disk, struct disk_file file, uint64_t *out,
                                          struct err *err) {
    return disk_size(watching_look(disk), file, out, err);
}

static inline enum err_code watching_read_at(struct disk *disk, struct disk_file file, void *bytes,
                                             size_t n, uint64_t offset, size_t *got,
                                             struct err *err) {
    return disk_read_at(watching_look(disk), file, bytes, n, offset, got, err);
}

static inline enum err_code watching_write_at(struct disk *disk, struct disk_file file,
                                              const void *bytes, size_t n, uint64_t offset,
                                              struct err *err) {
    return disk_write_at(watching_effect(disk), file, bytes, n, offset, err);
}

static inline enum err_code watching_truncate(struct disk *disk, struct disk_file file,
                                              uint64_t size, struct err *err) {
    return disk_truncate(watching_effect(disk), file, size, err);
}

static inline enum err_code watching_sync(struct disk *disk, struct disk_file file,
                                          struct err *err) {
    struct watching_disk *watching = watching_of(disk);
    struct disk *inner = watching_effect(disk);
    watching->syncs++;
    if (watching->lose_at > 0 && watching->syncs >= watching->lose_at &&
        watching->syncs < watching->lose_at + watching->losses) {
        sim_disk_lose(watching->sim, file);
        return err_set(err, ERR_IO, "told to fail");
    }
    if (watching->defect == WATCHING_RENAME_FIRST) {
        watching->owed = file;
        return ERR_OK;
    }
    return watching->defect == WATCHING_NO_SYNC ? ERR_OK : disk_sync(inner, file, err);
}

static inline enum err_code watching_rename(struct disk *disk, const char *from, const char *to,
                                            struct err *err) {
    struct watching_disk *watching = watching_of(disk);
    enum err_code code = disk_rename(watching_effect(disk), from, to, err);
    const bool is_temp = strstr(from, ".tmp") != NULL; /* older generations move first */
    if (code == ERR_OK && is_temp && watching->owed.handle >= 0) {
        code = disk_sync(watching_effect(disk), watching->owed, err);
        disk_close(watching->inner, watching->owed);
        watching->owed.handle = -1;
    }
    return code;
}

static inline enum err_code watching_remove(struct disk *disk, const char *name, struct err *err) {
    return disk_remove(watching_effect(disk), name, err);
}

static inline enum err_code watching_link(struct disk *disk, const char *from, const char *to,
                                          struct err *err) {
    return disk_link(watching_effect(disk), from, to, err);
}

static inline enum err_code watching_sync_dir(struct disk *disk, const char *folder,
                                              struct err *err) {
    struct disk *inner = watching_effect(disk);
    return watching_of(disk)->defect == WATCHING_NO_DIR_SYNC ? ERR_OK
                                                             : disk_sync_dir(inner, folder, err);
}

static inline enum err_code watching_make_dir(struct disk *disk, const char *folder,
                                              struct err *err) {
    return disk_make_dir(watching_effect(disk), folder, err);
}

static inline enum err_code watching_list(struct disk *disk, const char *folder, disk_visit *visit,
                                          void *context, struct err *err) {
    return disk_list(watching_look(disk), folder, visit, context, err);
}

static const struct disk_ops WATCHING_OPS = {
    .open = watching_open,
    .close = watching_close,
    .size = watching_size,
    .read_at = watching_read_at,
    .write_at = watching_write_at,
    .truncate = watching_truncate,
    .sync = watching_sync,
    .rename = watching_rename,
    .remove = watching_remove,
    .link = watching_link,
    .sync_dir = watching_sync_dir,
    .make_dir = watching_make_dir,
    .list = watching_list,
    .lock = watching_lock,
};

static inline void watching_disk_init(struct watching_disk *watching, struct sim_disk *sim,
                                      void (*before_effect)(void *context), void *context) {
    *watching = (struct watching_disk){.seam = {&WATCHING_OPS},
                                       .inner = sim_disk_port(sim, 0),
                                       .sim = sim,
                                       .before_effect = before_effect,
                                       .context = context,
                                       .owed = {-1}};
}

#endif
