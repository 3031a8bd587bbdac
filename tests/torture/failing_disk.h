/* failing_disk.h - a disk and an entropy source that say no at the n-th call, once or from then on.
 *
 * SQLite's way to reach every error branch: run the same work with n = 1, 2, ... until no call failed.
 * A refused call does nothing. Closing never fails, and is counted: what was opened must be closed. Before
 * a chosen call something else may happen: time passes, another process acts. */
#ifndef TESTS_TORTURE_FAILING_DISK_H
#define TESTS_TORTURE_FAILING_DISK_H

#include "core/world/disk.h"
#include "core/world/entropy.h"

struct failing_disk {
    struct disk seam;
    struct entropy entropy;
    struct disk *inner; /* borrowed, as the next */
    struct entropy *inner_entropy;
    int fail_at; /* number of the call that fails; 0: none */
    bool is_persistent;
    enum err_code code; /* with which; entropy always fails with ERR_IO */
    int calls;          /* since the last failing_disk_arm() */
    int failures;
    int open_handles;
    int pause_at; /* before this call pause() runs, once; 0: never */
    void (*pause)(void *context);
    void *pause_context;
};

static inline struct failing_disk *failing_of(struct disk *disk) {
    return (struct failing_disk *)disk;
}

static inline bool failing_now(struct failing_disk *disk) {
    disk->calls++;
    if (disk->calls == disk->pause_at) {
        disk->pause_at = 0;
        disk->pause(disk->pause_context);
    }
    bool is_failing = disk->fail_at > 0 && (disk->is_persistent ? disk->calls >= disk->fail_at
                                                                : disk->calls == disk->fail_at);
    disk->failures += is_failing;
    return is_failing;
}

#define FAILING(disk, err)                                                                         \
    if (failing_now(failing_of(disk)))                                                             \
    return err_set(err, failing_of(disk)->code, "told to fail")

static inline enum err_code failing_open(struct disk *disk, const char *name, unsigned flags,
                                         struct disk_file *out, struct err *err) {
    FAILING(disk, err);
    enum err_code code = disk_open(failing_of(disk)->inner, name, flags, out, err);
    failing_of(disk)->open_handles += code == ERR_OK;
    return code;
}

static inline enum err_code failing_lock(struct disk *disk, const char *name, struct disk_file *out,
                                         struct err *err) {
    FAILING(disk, err);
    enum err_code code = disk_lock(failing_of(disk)->inner, name, out, err);
    failing_of(disk)->open_handles += code == ERR_OK;
    return code;
}

static inline void failing_close(struct disk *disk, struct disk_file file) {
    failing_of(disk)->open_handles--;
    disk_close(failing_of(disk)->inner, file);
}

static inline enum err_code failing_size(struct disk *disk, struct disk_file file, uint64_t *out,
                                         struct err *err) {
    FAILING(disk, err);
    return disk_size(failing_of(disk)->inner, file, out, err);
}

static inline enum err_code failing_read_at(struct disk *disk, struct disk_file file, void *bytes,
                                            size_t n, uint64_t offset, size_t *got,
                                            struct err *err) {
    FAILING(disk, err);
    return disk_read_at(failing_of(disk)->inner, file, bytes, n, offset, got, err);
}

static inline enum err_code failing_write_at(struct disk *disk, struct disk_file file,
                                             const void *bytes, size_t n, uint64_t offset,
                                             struct err *err) {
    FAILING(disk, err);
    return disk_write_at(failing_of(disk)->inner, file, bytes, n, offset, err);
}

static inline enum err_code failing_truncate(struct disk *disk, struct disk_file file,
                                             uint64_t size, struct err *err) {
    FAILING(disk, err);
    return disk_truncate(failing_of(disk)->inner, file, size, err);
}

static inline enum err_code failing_sync(struct disk *disk, struct disk_file file,
                                         struct err *err) {
    FAILING(disk, err);
    return disk_sync(failing_of(disk)->inner, file, err);
}

static inline enum err_code failing_rename(struct disk *disk, const char *from, const char *to,
                                           struct err *err) {
    FAILING(disk, err);
    return disk_rename(failing_of(disk)->inner, from, to, err);
}

static inline enum err_code failing_remove(struct disk *disk, const char *name, struct err *err) {
    FAILING(disk, err);
    return disk_remove(failing_of(disk)->inner, name, err);
}

static inline enum err_code failing_link(struct disk *disk, const char *from, const char *to,
                                         struct err *err) {
    FAILING(disk, err);
    return disk_link(failing_of(disk)->inner, from, to, err);
}

static inline enum err_code failing_sync_dir(struct disk *disk, const char *folder,
                                             struct err *err) {
    FAILING(disk, err);
    return disk_sync_dir(failing_of(disk)->inner, folder, err);
}

static inline enum err_code failing_make_dir(struct disk *disk, const char *folder,
                                             struct err *err) {
    FAILING(disk, err);
    return disk_make_dir(failing_of(disk)->inner, folder, err);
}

static inline enum err_code failing_list(struct disk *disk, const char *folder, disk_visit *visit,
                                         void *context, struct err *err) {
    FAILING(disk, err);
    return disk_list(failing_of(disk)->inner, folder, visit, context, err);
}

static const struct disk_ops FAILING_OPS = {
    .open = failing_open,
    .close = failing_close,
    .size = failing_size,
    .read_at = failing_read_at,
    .write_at = failing_write_at,
    .truncate = failing_truncate,
    .sync = failing_sync,
    .rename = failing_rename,
    .remove = failing_remove,
    .link = failing_link,
    .sync_dir = failing_sync_dir,
    .make_dir = failing_make_dir,
    .list = failing_list,
    .lock = failing_lock,
};

static inline enum err_code failing_fill(struct entropy *entropy, void *bytes, size_t n,
                                         struct err *err) {
    struct failing_disk *disk =
        (struct failing_disk *)((char *)entropy - offsetof(struct failing_disk, entropy));
    if (failing_now(disk)) {
        return err_set(err, ERR_IO, "told to fail");
    }
    return entropy_fill(disk->inner_entropy, bytes, n, err);
}

static const struct entropy_ops FAILING_ENTROPY_OPS = {failing_fill};

static inline void failing_disk_init(struct failing_disk *disk, struct disk *inner,
                                     struct entropy *entropy) {
    *disk = (struct failing_disk){.seam = {&FAILING_OPS},
                                  .entropy = {&FAILING_ENTROPY_OPS},
                                  .inner = inner,
                                  .inner_entropy = entropy};
}

/* From now on call number n fails; 0 disarms. */
static inline void failing_disk_arm(struct failing_disk *disk, int n, bool is_persistent,
                                    enum err_code code) {
    disk->fail_at = n;
    disk->is_persistent = is_persistent;
    disk->code = code;
    disk->calls = 0;
    disk->failures = 0;
}

#endif
