/* private_file.h - a file that holds secrets, and that nobody but its owner may read. */
#ifndef CLI_PRIVATE_FILE_H
#define CLI_PRIVATE_FILE_H

#include "core/base/err.h"

#include <stddef.h>

/* All of a file shorter than size, into the caller's bytes, who wipes them, and into no other buffer: what stdio
 * copies, nobody wipes. ERR_NOT_FOUND: no such file, or no regular one; ERR_CONFIG: others may read it, or it is too
 * long; ERR_IO. */
enum err_code private_file_read(const char *path, char *bytes, size_t size, size_t *n,
                                struct err *err) MUST_USE;
/* The same of a file that systemd handed to this unit: root's or ours, with no bit but read and write of its owner and
 * read of its group. */
enum err_code private_file_read_handed(const char *path, char *bytes, size_t size, size_t *n,
                                       struct err *err) MUST_USE;

#endif
