/* host_file.h - whole files of the real disk: scenarios, results, configurations. */
#ifndef SCENARIOS_HOST_FILE_H
#define SCENARIOS_HOST_FILE_H

#include "core/base/text.h"

/* Appends a whole file. ERR_NOT_FOUND, ERR_IO; ERR_CONFIG: longer than limit bytes; ERR_LIMIT: longer than
 * out may grow. */
enum err_code host_file_read(const char *path, size_t limit, struct text *out,
                             struct err *err) MUST_USE;

#endif
