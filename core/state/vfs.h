/* vfs.h - SQLite's way to struct disk: one sqlite3_vfs per journal, owned by it.
 *
 * Version 1 file methods, no shared memory: a WAL needs locking_mode=EXCLUSIVE, set before
 * journal_mode. Locks are no-ops, because the journal keeps others out by itself. Time and randomness
 * come from the world, sleep returns at once. SQLite's own random generator is global to the process
 * and seeded from the default VFS, so every use of a journal is bracketed by vfs_enter() and
 * vfs_leave(): within, the generator is fed by this world alone, also when worlds nest. */
#ifndef CORE_STATE_VFS_H
#define CORE_STATE_VFS_H

#include "core/state/lease.h"
#include "core/world/world.h"

#include <sqlite3.h>

#define VFS_NAME_MAX 32

struct vfs {
    sqlite3_vfs base; /* first: SQLite hands back a pointer to it */
    struct world *world;
    struct lease *lease;     /* confirmed behind each opening; NULL: none to confirm */
    char name[VFS_NAME_MAX]; /* unique in this process; never leaves it */
    struct err last;         /* what the disk said when it last failed */
};

/* Fills and registers. lease may be NULL. vfs stays where it is until vfs_unregister(). ERR_MEMORY, ERR_LIMIT. */
enum err_code vfs_register(struct vfs *vfs, struct world *world, struct lease *lease,
                           struct err *err) MUST_USE;
void vfs_unregister(struct vfs *vfs);

/* Opens a file of the journal and confirms the lease behind that; on failure nothing is open.
 * ERR_NOT_FOUND, ERR_LOCKED, ERR_IO, ERR_NO_SPACE. flags: DISK_*. */
enum err_code vfs_open_confirmed(struct vfs *vfs, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) MUST_USE;

/* Makes this VFS the default and forgets the generator's state; returns what vfs_leave() needs. */
sqlite3_vfs *vfs_enter(struct vfs *vfs);
void vfs_leave(struct vfs *vfs, sqlite3_vfs *previous);

#endif
