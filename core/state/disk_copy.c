/* disk_copy.c - see disk_copy.h. */
#include "core/state/disk_copy.h"

#define BLOCK 16384

enum err_code disk_copy_bytes(struct disk *disk, struct disk_file from, struct disk_file to,
                              uint64_t *copied, struct err *err) {
    char block[BLOCK];
    uint64_t at = 0;
    enum err_code code = ERR_OK;
    for (size_t got = 1; code == ERR_OK && got > 0; at += got) {
        code = disk_read_at(disk, from, block, sizeof block, at, &got, err);
        if (code == ERR_OK && got > 0) {
            code = disk_write_at(disk, to, block, got, at, err);
        }
    }
    if (code == ERR_OK) {
        *copied = at;
    }
    return code;
}
