/* disk_posix.h - a folder of the file system behind the disk seam.
 *
 * Everything is reached from the folder's own descriptor, never through a symbolic link; folders are
 * 0700, files 0600. A new subfolder is durable at once. Names that leave the folder are ERR_IO.
 * Errors name the file, what the system said, and a remedy where one is known. */
#ifndef CORE_LIVE_DISK_POSIX_H
#define CORE_LIVE_DISK_POSIX_H

#include "core/base/err.h"
#include "core/world/disk.h"

#define DISK_POSIX_LIST_MAX 65536 /* names in a folder; ERR_LIMIT beyond */

struct disk_posix;

/* Opens a folder, made with its parents if missing. Owned by the caller. ERR_IO: also when others
 * may write into it (they could plant commands). */
enum err_code disk_posix_create(const char *path, struct disk_posix **out,
                                struct err *err) MUST_USE;
/* Open files and locks must be closed before. */
void disk_posix_destroy(struct disk_posix *disk);
/* Lives as long as disk. */
struct disk *disk_posix_seam(struct disk_posix *disk);

#endif
