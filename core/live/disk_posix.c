/* disk_posix.c - the *at() calls, each with its EINTR loop and its words when it fails. */
#include "core/live/disk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk_posix {
    struct disk seam;
    int root;            /* descriptor of the folder */
    char path[PATH_MAX]; /* for messages only */
};

/* A name taken apart: the descriptor of its folder and the name in there. */
struct place {
    int folder;
    bool is_owned; /* folder is not the root and must be closed */
    const char *name;
};

static struct disk_posix *posix_of(struct disk *disk) {
    return (struct disk_posix *)disk;
}

static const char *remedy(int number) {
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return "; free some space";
    case EACCES:
    case EPERM:
        return "; check owner and mode";
    case EROFS:
        return "; mount it writable";
    case ELOOP:
        return "; symbolic links are not followed here, put a real file there";
    case EMFILE:
    case ENFILE:
        return "; raise the limit of open files";
    case EIO:
        return "; check the device (dmesg)";
    default:
        return "";
    }
}

static enum err_code code_of(int number) {
    switch (number) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    default:
        return ERR_IO;
    }
}

/* Reports errno about a name. */
static enum err_code failed(struct disk_posix *disk, const char *verb, const char *name,
                            struct err *err) {
    int number = errno;
    return err_set(err, code_of(number), "%s %s/%s: %s%s", verb, disk->path, name, strerror(number),
                   remedy(number));
}

/* An open file has forgotten its name; the kernel has not. */
static enum err_code file_failed(struct disk_posix *disk, const char *verb, struct disk_file file,
                                 struct err *err) {
    int number = errno;
    char link[64];
    char name[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file.handle);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n < 0) {
        n = snprintf(name, sizeof name, "%s/?", disk->path);
        n = n < (ssize_t)sizeof name ? n : (ssize_t)sizeof name - 1;
    }
    name[n] = '\0';
    return err_set(err, code_of(number), "%s %s: %s%s", verb, name, strerror(number),
                   remedy(number));
}

static bool part_is_plain(const char *part, size_t n) {
    return n > 0 && !(n == 1 && part[0] == '.') && !(n == 2 && part[0] == '.' && part[1] == '.');
}

static bool name_is_plain(const char *name) {
    size_t n = strlen(name);
    const char *slash = strchr(name, '/');
    if (n >= DISK_NAME_MAX) {
        return false;
    }
    if (slash == NULL) {
        return part_is_plain(name, n);
    }
    return part_is_plain(name, (size_t)(slash - name)) && strchr(slash + 1, '/') == NULL &&
           part_is_plain(slash + 1, strlen(slash + 1));
}

static enum err_code bad_name(const char *name, struct err *err) {
    return err_set(err, ERR_IO, "'%.140s' is no name inside the state directory", name);
}

static int open_folder(int at, const char *name) {
    int fd;
    do {
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static void place_release(struct place *place) {
    if (place->is_owned) {
        (void)close(place->folder);
    }
    place->is_owned = false;
}

static enum err_code place_find(struct disk_posix *disk, const char *name, struct place *out,
                                struct err *err) {
    if (!name_is_plain(name)) {
        return bad_name(name, err);
    }
    const char *slash = strchr(name, '/');
    if (slash == NULL) {
        *out = (struct place){.folder = disk->root, .name = name};
        return ERR_OK;
    }
    char folder[DISK_NAME_MAX];
    memcpy(folder, name, (size_t)(slash - name));
    folder[slash - name] = '\0';
    int fd = open_folder(disk->root, folder);
    if (fd < 0) {
        return failed(disk, "open folder", folder, err);
    }
    *out = (struct place){.folder = fd, .is_owned = true, .name = slash + 1};
    return ERR_OK;
}

/* Opens a regular file and nothing else: a directory cannot be read, a FIFO would block. */
static enum err_code open_regular(struct disk_posix *disk, const char *name, int flags, int *out,
                                  struct err *err) {
    struct place place = {0};
    enum err_code code = place_find(disk, name, &place, err);
    if (code != ERR_OK) {
        return code;
    }
    int fd;
    do {
        fd = openat(place.folder, place.name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    } while (fd < 0 && errno == EINTR);
    struct stat stat;
    if (fd < 0) {
        code = failed(disk, "open", name, err);
    } else if (fstat(fd, &stat) != 0) {
        code = failed(disk, "look at", name, err);
    } else if (!S_ISREG(stat.st_mode)) {
        code = err_set(err, ERR_IO, "open %s/%s: not a regular file", disk->path, name);
    } else {
        *out = fd;
    }
    if (code != ERR_OK && fd >= 0) {
        (void)close(fd);
    }
    place_release(&place);
    return code;
}

static enum err_code posix_open(struct disk *disk, const char *name, unsigned flags,
                                struct disk_file *out, struct err *err) {
    int how = flags & DISK_WRITE ? O_RDWR : O_RDONLY;
    if (flags & DISK_CREATE) {
        how |= O_CREAT;
    }
    if (flags & DISK_EXCLUSIVE) {
        how |= O_EXCL;
    }
    if (flags & DISK_APPEND) {
        how |= O_APPEND; /* of which Linux has pwrite() ignore its offset */
    }
    return open_regular(posix_of(disk), name, how, &out->handle, err);
}

static void posix_close(struct disk *disk, struct disk_file file) {
    (void)disk;
    (void)close(file.handle); /* never again on EINTR: Linux has freed the descriptor */
}

static enum err_code posix_size(struct disk *disk, struct disk_file file, uint64_t *out,
                                struct err *err) {
    struct stat stat;
    if (fstat(file.handle, &stat) != 0) {
        return file_failed(posix_of(disk), "look at", file, err);
    }
    *out = (uint64_t)stat.st_size;
    return ERR_OK;
}

static enum err_code posix_read_at(struct disk *disk, struct disk_file file, void *bytes, size_t n,
                                   uint64_t offset, size_t *got, struct err *err) {
    size_t done = 0;
    while (done < n) {
        ssize_t step = pread(file.handle, (char *)bytes + done, n - done, (off_t)(offset + done));
        if (step < 0 && errno == EINTR) {
            continue;
        }
        if (step < 0) {
            return file_failed(posix_of(disk), "read", file, err);
        }
        if (step == 0) {
            break;
        }
        done += (size_t)step;
    }
    *got = done;
    return ERR_OK;
}

static enum err_code posix_write_at(struct disk *disk, struct disk_file file, const void *bytes,
                                    size_t n, uint64_t offset, struct err *err) {
    size_t done = 0;
    while (done < n) {
        ssize_t step =
            pwrite(file.handle, (const char *)bytes + done, n - done, (off_t)(offset + done));
        if (step < 0 && errno == EINTR) {
            continue;
        }
        if (step <= 0) {
            errno = step == 0 ? ENOSPC : errno;
            return file_failed(posix_of(disk), "write", file, err);
        }
        done += (size_t)step;
    }
    return ERR_OK;
}

static enum err_code posix_truncate(struct disk *disk, struct disk_file file, uint64_t size,
                                    struct err *err) {
    int rc;
    do {
        rc = ftruncate(file.handle, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? ERR_OK : file_failed(posix_of(disk), "truncate", file, err);
}

/* Only EINTR is tried again: after another failure the kernel may drop the pages and report success
 * to the next fsync ("fsyncgate", PostgreSQL 2018). */
static int sync_fd(int fd) {
    int rc;
    do {
        rc = fsync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

static enum err_code posix_sync(struct disk *disk, struct disk_file file, struct err *err) {
    return sync_fd(file.handle) == 0 ? ERR_OK : file_failed(posix_of(disk), "sync", file, err);
}

/* Rename and link share their two places. */
static enum err_code two_places(struct disk_posix *disk, const char *from, const char *to,
                                bool is_link, struct err *err) {
    struct place source = {0};
    struct place target = {0};
    enum err_code code = place_find(disk, from, &source, err);
    if (code == ERR_OK) {
        code = place_find(disk, to, &target, err);
    }
    if (code == ERR_OK) {
        int rc = is_link ? linkat(source.folder, source.name, target.folder, target.name, 0)
                         : renameat(source.folder, source.name, target.folder, target.name);
        if (rc != 0) {
            const char *about = errno == ENOENT ? from : to;
            code = failed(disk, is_link ? "link to" : "rename to", about, err);
        }
    }
    place_release(&target);
    place_release(&source);
    return code;
}

static enum err_code posix_rename(struct disk *disk, const char *from, const char *to,
                                  struct err *err) {
    return two_places(posix_of(disk), from, to, false, err);
}

static enum err_code posix_link(struct disk *disk, const char *from, const char *to,
                                struct err *err) {
    return two_places(posix_of(disk), from, to, true, err);
}

static enum err_code posix_remove(struct disk *disk, const char *name, struct err *err) {
    struct place place = {0};
    enum err_code code = place_find(posix_of(disk), name, &place, err);
    if (code != ERR_OK) {
        return code;
    }
    if (unlinkat(place.folder, place.name, 0) != 0) {
        code = failed(posix_of(disk), "remove", name, err);
    }
    place_release(&place);
    return code;
}

/* A descriptor of its own of the root ("") or of one of its folders. */
static enum err_code folder_find(struct disk_posix *disk, const char *folder, int *out,
                                 struct err *err) {
    bool is_root = folder[0] == '\0';
    if (!is_root && (!name_is_plain(folder) || strchr(folder, '/') != NULL)) {
        return bad_name(folder, err);
    }
    int fd = open_folder(disk->root, is_root ? "." : folder);
    if (fd < 0) {
        return failed(disk, "open folder", folder, err);
    }
    *out = fd;
    return ERR_OK;
}

static enum err_code posix_sync_dir(struct disk *disk, const char *folder, struct err *err) {
    int fd = -1;
    enum err_code code = folder_find(posix_of(disk), folder, &fd, err);
    if (code != ERR_OK) {
        return code;
    }
    if (sync_fd(fd) != 0) {
        code = failed(posix_of(disk), "sync folder", folder, err);
    }
    (void)close(fd);
    return code;
}

static enum err_code posix_make_dir(struct disk *disk, const char *folder, struct err *err) {
    struct disk_posix *self = posix_of(disk);
    if (!name_is_plain(folder) || strchr(folder, '/') != NULL) {
        return bad_name(folder, err);
    }
    if (mkdirat(self->root, folder, 0700) == 0) {
        return sync_fd(self->root) == 0 ? ERR_OK : failed(self, "sync folder of", folder, err);
    }
    if (errno != EEXIST) {
        return failed(self, "make folder", folder, err);
    }
    int fd = -1; /* there: it must be a folder, and no link to one */
    enum err_code code = folder_find(self, folder, &fd, err);
    if (code == ERR_OK) {
        (void)close(fd);
    }
    return code;
}

struct names {
    char (*name)[DISK_NAME_MAX];
    size_t count, cap;
};

/* n < DISK_NAME_MAX. */
static bool names_add(struct names *names, const char *name, size_t n) {
    if (names->count == names->cap) {
        size_t cap = names->cap == 0 ? 64 : names->cap * 2;
        void *grown = realloc(names->name, cap * sizeof *names->name);
        if (grown == NULL) {
            return false;
        }
        names->name = grown;
        names->cap = cap;
    }
    memcpy(names->name[names->count++], name, n + 1);
    return true;
}

/* Insertion: stable, needs no more memory, and folders of a state directory are small. */
static void names_sort(struct names *names) {
    for (size_t i = 1; i < names->count; i++) {
        char name[DISK_NAME_MAX];
        memcpy(name, names->name[i], sizeof name);
        size_t to = i;
        for (; to > 0 && strcmp(names->name[to - 1], name) > 0; to--) {
            memcpy(names->name[to], names->name[to - 1], sizeof name);
        }
        memcpy(names->name[to], name, sizeof name);
    }
}

static bool is_file(int folder, const struct dirent *entry) {
    struct stat stat;
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_REG;
    }
    return fstatat(folder, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode);
}

/* Names too long for the seam are skipped: nobody could open them. */
static enum err_code read_names(struct disk_posix *disk, const char *folder, DIR *dir,
                                struct names *names, struct err *err) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? ERR_OK : failed(disk, "list", folder, err);
        }
        size_t n = strlen(entry->d_name);
        size_t in_front = folder[0] == '\0' ? 0 : strlen(folder) + 1;
        if (in_front + n >= DISK_NAME_MAX || !is_file(dirfd(dir), entry)) {
            continue;
        }
        if (names->count == DISK_POSIX_LIST_MAX) {
            return err_set(err, ERR_LIMIT, "list %s/%s: more than %d files; remove some",
                           disk->path, folder, DISK_POSIX_LIST_MAX);
        }
        if (!names_add(names, entry->d_name, n)) {
            return err_set(err, ERR_MEMORY, "no memory to list %s/%s", disk->path, folder);
        }
    }
}

static enum err_code posix_list(struct disk *disk, const char *folder, disk_visit *visit,
                                void *context, struct err *err) {
    struct names names = {0};
    int fd = -1;
    enum err_code code = folder_find(posix_of(disk), folder, &fd, err);
    if (code != ERR_OK) {
        return code;
    }
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        code = failed(posix_of(disk), "list", folder, err);
        (void)close(fd);
        return code;
    }
    code = read_names(posix_of(disk), folder, dir, &names, err);
    (void)closedir(dir);
    if (code == ERR_OK && names.count > 0) {
        names_sort(&names);
        for (size_t i = 0; i < names.count; i++) {
            visit(context, names.name[i]);
        }
    }
    free(names.name);
    return code;
}

/* flock(), not fcntl(): the lock belongs to this open file, so a second one in the same process
 * is refused too, and closing some other descriptor of the file does not drop it. */
static enum err_code posix_lock(struct disk *disk, const char *name, struct disk_file *out,
                                struct err *err) {
    int fd = -1;
    enum err_code code = open_regular(posix_of(disk), name, O_RDWR | O_CREAT, &fd, err);
    if (code != ERR_OK) {
        return code;
    }
    int rc;
    do {
        rc = flock(fd, LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        out->handle = fd;
        return ERR_OK;
    }
    if (errno == EWOULDBLOCK) {
        code = err_set(err, ERR_LOCKED, "%s/%s is locked by another process", posix_of(disk)->path,
                       name);
    } else {
        code = failed(posix_of(disk), "lock", name, err);
    }
    (void)close(fd);
    return code;
}

static const struct disk_ops posix_ops = {
    .open = posix_open,
    .close = posix_close,
    .size = posix_size,
    .read_at = posix_read_at,
    .write_at = posix_write_at,
    .truncate = posix_truncate,
    .sync = posix_sync,
    .rename = posix_rename,
    .remove = posix_remove,
    .link = posix_link,
    .sync_dir = posix_sync_dir,
    .make_dir = posix_make_dir,
    .list = posix_list,
    .lock = posix_lock,
};

/* Makes one folder of a path, durably. */
static enum err_code make_one(const char *path, struct err *err) {
    if (mkdir(path, 0700) != 0) {
        if (errno == EEXIST) {
            return ERR_OK;
        }
        return err_set(err, code_of(errno) == ERR_NO_SPACE ? ERR_NO_SPACE : ERR_IO,
                       "make folder %s: %s%s", path, strerror(errno), remedy(errno));
    }
    char parent[PATH_MAX];
    (void)snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        (void)snprintf(parent, sizeof parent, ".");
    } else {
        slash[slash == parent ? 1 : 0] = '\0';
    }
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : sync_fd(fd);
    int number = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return rc == 0 ? ERR_OK
                   : err_set(err, ERR_IO, "sync folder %s: %s%s", parent, strerror(number),
                             remedy(number));
}

static enum err_code make_path(char *path, struct err *err) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum err_code code = make_one(path, err);
        *slash = '/';
        if (code != ERR_OK) {
            return code;
        }
    }
    return make_one(path, err);
}

static enum err_code open_root(struct disk_posix *disk, struct err *err) {
    /* The folder itself may be reached through a link: whoever starts us chose the path. */
    disk->root = open(disk->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat stat;
    if (disk->root < 0 || fstat(disk->root, &stat) != 0) {
        return err_set(err, ERR_IO, "open folder %s: %s%s", disk->path, strerror(errno),
                       remedy(errno));
    }
    if ((stat.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return err_set(err, ERR_IO, "%s can be written by others; chmod go-w it", disk->path);
    }
    return ERR_OK;
}

enum err_code disk_posix_create(const char *path, struct disk_posix **out, struct err *err) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    if (n == 0 || n >= PATH_MAX) {
        return err_set(err, ERR_USAGE, "a folder's path has 1 to %d bytes", PATH_MAX - 1);
    }
    struct disk_posix *disk = calloc(1, sizeof *disk);
    if (disk == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the disk seam");
    }
    disk->seam.ops = &posix_ops;
    disk->root = -1;
    memcpy(disk->path, path, n);
    enum err_code code = make_path(disk->path, err);
    if (code == ERR_OK) {
        code = open_root(disk, err);
    }
    if (code != ERR_OK) {
        disk_posix_destroy(disk);
        return code;
    }
    *out = disk;
    return ERR_OK;
}

void disk_posix_destroy(struct disk_posix *disk) {
    if (disk == NULL) {
        return;
    }
    if (disk->root >= 0) {
        (void)close(disk->root);
    }
    free(disk);
}

struct disk *disk_posix_seam(struct disk_posix *disk) {
    return &disk->seam;
}
