/* host_file.c - reading a file of the real disk. */
#include "scenarios/host_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum err_code host_file_read(const char *path, size_t limit, struct text *out, struct err *err) {
    char block[8192];
    size_t start = out->len;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    for (size_t n = fread(block, 1, sizeof block, file); n > 0 && out->len - start <= limit;
         n = fread(block, 1, sizeof block, file)) {
        text_add_bytes(out, block, n);
    }
    bool is_bad = ferror(file) != 0;
    fclose(file);
    if (is_bad) {
        return err_set(err, ERR_IO, "%s: cannot be read", path);
    }
    return out->len - start > limit
               ? err_set(err, ERR_CONFIG, "%s: longer than %zu bytes", path, limit)
               : text_finish(out, err);
}
