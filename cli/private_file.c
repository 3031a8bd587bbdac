/* private_file.c - see private_file.h. */
#include "cli/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err_code check(int file, const char *path, struct err *err) {
    struct stat status;
    if (fstat(file, &status) != 0) {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return err_set(err, ERR_NOT_FOUND, "%s: no such file, it is something else", path);
    }
    return (status.st_mode & 077) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "%s: others may read it; chmod 600 it", path);
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

enum err_code private_file_read(const char *path, char *bytes, size_t size, size_t *n,
                                struct err *err) {
    /* a pipe must not keep us waiting for its other end */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    enum err_code code = check(file, path, err);
    code = code == ERR_OK ? read_all(file, path, bytes, size, n, err) : code;
    close(file);
    return code;
}
