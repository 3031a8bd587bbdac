/* disk.h - the seam to durable bytes.
 *
 * Names are relative to the state directory, at most one folder deep ("inbox/7-a.freeze"), at most
 * DISK_NAME_MAX - 1 bytes. What is written is durable only after disk_sync() of the file, what is
 * linked, renamed or removed only after disk_sync_dir() of its folder ("" is the state directory).
 * Errors everywhere: ERR_IO, ERR_NO_SPACE, ERR_NOT_FOUND, ERR_EXISTS, ERR_LOCKED as said. */
#ifndef CORE_WORLD_DISK_H
#define CORE_WORLD_DISK_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_NAME_MAX 128

enum disk_open_flags {
    DISK_READ = 0,      /* must exist */
    DISK_WRITE = 1,     /* read and write */
    DISK_CREATE = 2,    /* with DISK_WRITE: create if missing */
    DISK_EXCLUSIVE = 4, /* with DISK_CREATE: ERR_EXISTS if there */
    DISK_APPEND =
        8, /* with DISK_WRITE: each write goes to what is the end then, whatever its offset */
};

struct disk_file { /* an open file; the implementation knows what the number means */
    int handle;
};

struct disk;

/* Called for each name of a folder, in byte order, without the folder's own name. */
typedef void disk_visit(void *context, const char *name);

struct disk_ops {
    enum err_code (*open)(struct disk *disk, const char *name, unsigned flags,
                          struct disk_file *out, struct err *err);
    void (*close)(struct disk *disk, struct disk_file file);
    enum err_code (*size)(struct disk *disk, struct disk_file file, uint64_t *out, struct err *err);
    enum err_code (*read_at)(struct disk *disk, struct disk_file file, void *bytes, size_t n,
                             uint64_t offset, size_t *got, struct err *err);
    enum err_code (*write_at)(struct disk *disk, struct disk_file file, const void *bytes, size_t n,
                              uint64_t offset, struct err *err);
    enum err_code (*truncate)(struct disk *disk, struct disk_file file, uint64_t size,
                              struct err *err);
    enum err_code (*sync)(struct disk *disk, struct disk_file file, struct err *err);
    enum err_code (*rename)(struct disk *disk, const char *from, const char *to, struct err *err);
    enum err_code (*remove)(struct disk *disk, const char *name, struct err *err);
    enum err_code (*link)(struct disk *disk, const char *from, const char *to, struct err *err);
    enum err_code (*sync_dir)(struct disk *disk, const char *folder, struct err *err);
    enum err_code (*make_dir)(struct disk *disk, const char *folder, struct err *err);
    enum err_code (*list)(struct disk *disk, const char *folder, disk_visit *visit, void *context,
                          struct err *err);
    enum err_code (*lock)(struct disk *disk, const char *name, struct disk_file *out,
                          struct err *err);
};

struct disk {
    const struct disk_ops *ops;
};

/* Opens a file. ERR_NOT_FOUND, ERR_EXISTS (exclusive). */
static inline enum err_code MUST_USE disk_open(struct disk *disk, const char *name, unsigned flags,
                                               struct disk_file *out, struct err *err) {
    return disk->ops->open(disk, name, flags, out, err);
}
/* Closes a file or a lock. Never fails: what matters was synced before. */
static inline void disk_close(struct disk *disk, struct disk_file file) {
    disk->ops->close(disk, file);
}
static inline enum err_code MUST_USE disk_size(struct disk *disk, struct disk_file file,
                                               uint64_t *out, struct err *err) {
    return disk->ops->size(disk, file, out, err);
}
/* Reads up to n bytes; *got < n only at the end of the file. */
static inline enum err_code MUST_USE disk_read_at(struct disk *disk, struct disk_file file,
                                                  void *bytes, size_t n, uint64_t offset,
                                                  size_t *got, struct err *err) {
    return disk->ops->read_at(disk, file, bytes, n, offset, got, err);
}
/* Writes all n bytes or fails; after a failure any part may be there. A hole reads as zeros. */
static inline enum err_code MUST_USE disk_write_at(struct disk *disk, struct disk_file file,
                                                   const void *bytes, size_t n, uint64_t offset,
                                                   struct err *err) {
    return disk->ops->write_at(disk, file, bytes, n, offset, err);
}
static inline enum err_code MUST_USE disk_truncate(struct disk *disk, struct disk_file file,
                                                   uint64_t size, struct err *err) {
    return disk->ops->truncate(disk, file, size, err);
}
/* Makes the file's content and size durable. After a failure assume the un-synced bytes lost. */
static inline enum err_code MUST_USE disk_sync(struct disk *disk, struct disk_file file,
                                               struct err *err) {
    return disk->ops->sync(disk, file, err);
}
/* Atomically replaces `to`. ERR_NOT_FOUND. */
static inline enum err_code MUST_USE disk_rename(struct disk *disk, const char *from,
                                                 const char *to, struct err *err) {
    return disk->ops->rename(disk, from, to, err);
}
/* ERR_NOT_FOUND. */
static inline enum err_code MUST_USE disk_remove(struct disk *disk, const char *name,
                                                 struct err *err) {
    return disk->ops->remove(disk, name, err);
}
/* A second name for the same file. ERR_NOT_FOUND, ERR_EXISTS. */
static inline enum err_code MUST_USE disk_link(struct disk *disk, const char *from, const char *to,
                                               struct err *err) {
    return disk->ops->link(disk, from, to, err);
}
static inline enum err_code MUST_USE disk_sync_dir(struct disk *disk, const char *folder,
                                                   struct err *err) {
    return disk->ops->sync_dir(disk, folder, err);
}
/* Succeeds if the folder is already there. */
static inline enum err_code MUST_USE disk_make_dir(struct disk *disk, const char *folder,
                                                   struct err *err) {
    return disk->ops->make_dir(disk, folder, err);
}
/* ERR_NOT_FOUND. */
static inline enum err_code MUST_USE disk_list(struct disk *disk, const char *folder,
                                               disk_visit *visit, void *context, struct err *err) {
    return disk->ops->list(disk, folder, visit, context, err);
}
/* Takes an exclusive advisory lock on a file (created if missing) without waiting; held until
 * disk_close() or the end of the process. ERR_LOCKED when another process or file has it. */
static inline enum err_code MUST_USE disk_lock(struct disk *disk, const char *name,
                                               struct disk_file *out, struct err *err) {
    return disk->ops->lock(disk, name, out, err);
}

#endif
