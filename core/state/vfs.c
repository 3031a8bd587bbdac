/* vfs.c - SQLite on struct disk. Facts about SQLite 3.40: sqlite.org/c3ref/vfs.html, os_unix.c. */
#include "core/state/vfs.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Julian day of 1970-01-01T00:00:00Z in milliseconds, SQLite's epoch. */
#define JULIAN_UNIX_EPOCH_MS INT64_C(210866760000000)
#define SECTOR_BYTES 4096
/* More VFS than this at once in one process is a leak. */
#define VFS_MAX 1000

struct vfs_file {
    sqlite3_file base; /* first; pMethods stays NULL until xOpen succeeded */
    struct vfs *vfs;
    struct disk_file file;
    bool owes_dir_sync; /* its name may not be durable yet */
    bool is_temporary;  /* deleted on close */
    char name[DISK_NAME_MAX];
};

static struct vfs *of_base(sqlite3_vfs *base) {
    return base->pAppData;
}

static struct vfs_file *of_file(sqlite3_file *file) {
    return (struct vfs_file *)file;
}

/* SQLite knows two ways to fail here: full, and the given kind of error. */
static int failed(struct vfs *vfs, const struct err *err, int otherwise) {
    vfs->last = *err;
    return err->code == ERR_NO_SPACE ? SQLITE_FULL : otherwise;
}

static int file_close(sqlite3_file *base) {
    struct vfs_file *file = of_file(base);
    disk_close(file->vfs->world->disk, file->file);
    if (file->is_temporary) {
        struct err ignored = {0};
        if (disk_remove(file->vfs->world->disk, file->name, &ignored) != ERR_OK) {
            file->vfs->last = ignored;
        }
    }
    file->base.pMethods = NULL;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *bytes, int n, sqlite3_int64 offset) {
    struct vfs_file *file = of_file(base);
    struct err err = {0};
    size_t got = 0;
    if (disk_read_at(file->vfs->world->disk, file->file, bytes, (size_t)n, (uint64_t)offset, &got,
                     &err) != ERR_OK) {
        return failed(file->vfs, &err, SQLITE_IOERR_READ);
    }
    if (got < (size_t)n) {
        memset((char *)bytes + got, 0, (size_t)n - got); /* SQLite demands zeros */
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 offset) {
    struct vfs_file *file = of_file(base);
    struct err err = {0};
    if (disk_write_at(file->vfs->world->disk, file->file, bytes, (size_t)n, (uint64_t)offset,
                      &err) != ERR_OK) {
        return failed(file->vfs, &err, SQLITE_IOERR_WRITE);
    }
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct vfs_file *file = of_file(base);
    struct err err = {0};
    if (disk_truncate(file->vfs->world->disk, file->file, (uint64_t)size, &err) != ERR_OK) {
        return failed(file->vfs, &err, SQLITE_IOERR_TRUNCATE);
    }
    return SQLITE_OK;
}

/* As os_unix: the first sync of a file opened for creation also syncs its directory, even if the
 * file was already there, for the process that created it may have died before it did so. */
static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    struct vfs_file *file = of_file(base);
    struct disk *disk = file->vfs->world->disk;
    struct err err = {0};
    if (disk_sync(disk, file->file, &err) != ERR_OK) {
        MUTATE(journal_sync_error_ignored, return SQLITE_OK);
        return failed(file->vfs, &err, SQLITE_IOERR_FSYNC);
    }
    if (file->owes_dir_sync) {
        if (disk_sync_dir(disk, "", &err) != ERR_OK) {
            return failed(file->vfs, &err, SQLITE_IOERR_DIR_FSYNC);
        }
        file->owes_dir_sync = false;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    struct vfs_file *file = of_file(base);
    struct err err = {0};
    uint64_t bytes = 0;
    if (disk_size(file->vfs->world->disk, file->file, &bytes, &err) != ERR_OK) {
        return failed(file->vfs, &err, SQLITE_IOERR_FSTAT);
    }
    *size = (sqlite3_int64)bytes;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level) {
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_check_reserved_lock(sqlite3_file *base, int *is_reserved) {
    (void)base;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *argument) {
    (void)base;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
    (void)base;
    return SECTOR_BYTES;
}

/* Power-safe overwrite, as os_unix assumes by default: a write cut by power does not damage bytes
 * next to it. Without it each WAL commit is padded by a repeated frame. */
static int file_device(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_device,
};

static unsigned disk_flags(int flags) {
    unsigned wanted = DISK_READ;
    if ((flags & SQLITE_OPEN_READWRITE) != 0) {
        wanted |= DISK_WRITE;
    }
    if ((flags & SQLITE_OPEN_CREATE) != 0) {
        wanted |= DISK_CREATE;
    }
    if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0) {
        wanted |= DISK_EXCLUSIVE;
    }
    return wanted;
}

/* A process that slept before this opening may be superseded: the name is its successor's by then. In
 * this order whatever was opened is either confirmed or, by a later succession, fenced off. */
enum err_code vfs_open_confirmed(struct vfs *vfs, const char *name, unsigned flags,
                                 struct disk_file *out, struct err *err) {
    struct disk *disk = vfs->world->disk;
    enum err_code code = disk_open(disk, name, flags, out, err);
    if (code != ERR_OK || vfs->lease == NULL) {
        return code;
    }
    MUTATE(opening_not_confirmed, return ERR_OK);
    code = lease_confirm(vfs->lease, err);
    if (code != ERR_OK) {
        disk_close(disk, *out);
    }
    return code;
}

/* Nameless temporary files do not exist here: temp_store=MEMORY keeps SQLite from asking. */
static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *out, int flags,
                    int *out_flags) {
    struct vfs *vfs = of_base(base);
    struct vfs_file *file = of_file(out);
    struct err err = {0};
    *file = (struct vfs_file){.vfs = vfs};
    if (name == NULL || text_copy(file->name, sizeof file->name, name, &err) != ERR_OK) {
        return SQLITE_CANTOPEN;
    }
    if (vfs_open_confirmed(vfs, name, disk_flags(flags), &file->file, &err) != ERR_OK) {
        return failed(vfs, &err, SQLITE_CANTOPEN);
    }
    file->owes_dir_sync = (flags & SQLITE_OPEN_CREATE) != 0;
    file->is_temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    file->base.pMethods = &file_methods;
    if (out_flags != NULL) {
        *out_flags = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *name, int must_sync_dir) {
    struct vfs *vfs = of_base(base);
    struct err err = {0};
    enum err_code code = disk_remove(vfs->world->disk, name, &err);
    if (code == ERR_NOT_FOUND) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (code == ERR_OK && must_sync_dir != 0) {
        code = disk_sync_dir(vfs->world->disk, "", &err);
    }
    return code == ERR_OK ? SQLITE_OK : failed(vfs, &err, SQLITE_IOERR_DELETE);
}

/* An empty file counts as absent, as in os_unix: only journals are asked for. */
static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *answer) {
    (void)flags;
    struct vfs *vfs = of_base(base);
    struct disk *disk = vfs->world->disk;
    struct disk_file file = {0};
    struct err err = {0};
    uint64_t size = 0;
    enum err_code code = disk_open(disk, name, DISK_READ, &file, &err);
    if (code == ERR_NOT_FOUND) {
        *answer = 0;
        return SQLITE_OK;
    }
    if (code != ERR_OK) {
        return failed(vfs, &err, SQLITE_IOERR_ACCESS);
    }
    code = disk_size(disk, file, &size, &err);
    disk_close(disk, file);
    if (code != ERR_OK) {
        return failed(vfs, &err, SQLITE_IOERR_ACCESS);
    }
    *answer = size > 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *name, int n, char *out) {
    (void)base;
    int length = snprintf(out, (size_t)n, "%s", name);
    return length < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *base, int n, char *out) {
    struct vfs *vfs = of_base(base);
    struct err err = {0};
    size_t wanted = n > 256 ? 256 : (size_t)n; /* entropy_fill()'s limit; salts need few */
    memset(out, 0, (size_t)n);
    if (entropy_fill(vfs->world->entropy, out, wanted, &err) != ERR_OK) {
        vfs->last = err; /* zeros then: salts need to differ, not to be secret */
    }
    return n;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds) {
    (void)base;
    return microseconds;
}

static int vfs_time_ms(sqlite3_vfs *base, sqlite3_int64 *out) {
    *out = JULIAN_UNIX_EPOCH_MS + clock_utc(of_base(base)->world->clock).ns / 1000000;
    return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *base, double *out) {
    sqlite3_int64 ms = 0;
    (void)vfs_time_ms(base, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int n, char *out) {
    if (n > 0) {
        snprintf(out, (size_t)n, "%s", of_base(base)->last.text);
    }
    return 0;
}

/* SQLite takes pages as it needs them, not twenty at each open: a journal that is read once and then
 * appended to needs a few. Refused, which does no harm, once SQLite has started. */
static bool start_sqlite(void) {
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    return sqlite3_initialize() == SQLITE_OK;
}

enum err_code vfs_register(struct vfs *vfs, struct world *world, struct lease *lease,
                           struct err *err) {
    *vfs = (struct vfs){.world = world, .lease = lease};
    if (!start_sqlite()) {
        return err_set(err, ERR_MEMORY, "SQLite does not start");
    }
    int n = 0;
    do {
        if (n == VFS_MAX) {
            return err_set(err, ERR_LIMIT, "%d journals are open in one process", n);
        }
        snprintf(vfs->name, sizeof vfs->name, "seatrial-%d", n++);
    } while (sqlite3_vfs_find(vfs->name) != NULL);
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct vfs_file),
        .mxPathname = DISK_NAME_MAX - 1,
        .zName = vfs->name,
        .pAppData = vfs,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time_days,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    CHECK(sqlite3_vfs_register(&vfs->base, 0) ==
          SQLITE_OK); /* fails only where SQLite cannot start */
    return ERR_OK;
}

void vfs_unregister(struct vfs *vfs) {
    CHECK(sqlite3_vfs_unregister(&vfs->base) == SQLITE_OK);
}

sqlite3_vfs *vfs_enter(struct vfs *vfs) {
    sqlite3_vfs *previous = sqlite3_vfs_find(NULL);
    if (previous != &vfs->base) {
        CHECK(sqlite3_vfs_register(&vfs->base, 1) == SQLITE_OK);
    }
    sqlite3_randomness(0, NULL);
    return previous;
}

void vfs_leave(struct vfs *vfs, sqlite3_vfs *previous) {
    if (previous != &vfs->base) {
        CHECK(sqlite3_vfs_register(previous, 1) == SQLITE_OK);
    }
    sqlite3_randomness(0, NULL);
}
