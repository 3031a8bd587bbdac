/* disk_copy.h - the bytes of one open file into another, or over themselves. */
#ifndef CORE_STATE_DISK_COPY_H
#define CORE_STATE_DISK_COPY_H

#include "core/world/disk.h"

/* Copies from the first byte to the end and tells how many there were. Nothing is synced. Of a file into
 * itself (from == to) each byte is written once more where it is. ERR_IO, ERR_NO_SPACE. */
enum err_code disk_copy_bytes(struct disk *disk, struct disk_file from, struct disk_file to,
                              uint64_t *copied, struct err *err) MUST_USE;

#endif
