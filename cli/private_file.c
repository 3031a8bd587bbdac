/* private_file.c - see private_file.h. */
#include "cli/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum err_code check_access(const struct stat *status, const char *path, struct err *err);

static enum err_code check_own(const struct stat *status, const char *path, struct err *err) {
    return (status->st_mode & 077) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "%s: others may read it; chmod 600 it", path);
}

/* systemd gives 0400 or 0440 of root (the group's bit is the mask of an access list that names the unit's user
 * alone), or 0400 of that user; hands make 0600. */
static enum err_code check_handed(const struct stat *status, const char *path, struct err *err) {
    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        return err_set(err, ERR_CONFIG, "%s: belongs neither to root nor to this user", path);
    }
    return (status->st_mode & 0137) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "%s: mode %04o, but a credential is 0400, 0440 or 0600",
                         path, (unsigned)status->st_mode & 07777);
}

static enum err_code check(int file, const char *path, check_access *access, struct err *err) {
    struct stat status;
    if (fstat(file, &status) != 0) {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return err_set(err, ERR_NOT_FOUND, "%s: no such file, it is something else", path);
    }
    return access(&status, path, err);
}

static enum err_code read_all(int file, const char *path, char *bytes, size_t size, size_t *n,
                              struct err *err) {
    for (*n = 0; *n < size;) {
        ssize_t got = read(file, bytes + *n, size - *n);
        if (got == 0) {
            return ERR_OK;
        }
        if (got < 0 && errno != EINTR) {
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    return err_set(err, ERR_CONFIG, "%s: longer than %zu bytes", path, size - 1);
}

static enum err_code read_checked(const char *path, check_access *access, char *bytes, size_t size,
                                  size_t *n, struct err *err) {
    /* a pipe must not keep us waiting for its other end */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    enum err_code code = check(file, path, access, err);
    code = code == ERR_OK ? read_all(file, path, bytes, size, n, err) : code;
    close(file);
    return code;
}

enum err_code private_file_read(const char *path, char *bytes, size_t size, size_t *n,
                                struct err *err) {
    return read_checked(path, check_own, bytes, size, n, err);
}

enum err_code private_file_read_handed(const char *path, char *bytes, size_t size, size_t *n,
                                       struct err *err) {
    return read_checked(path, check_handed, bytes, size, n, err);
}
