/* groups.h - which sector and theme a symbol belongs to, as of a date: what limits on exposure add up.
 *
 * A table in CSV (data/maps/groups.csv says the shape), read whole or not at all. One is compiled in; a file
 * that risk.groups_file names takes its place. What is not in the table is GROUP_UNKNOWN in both: a group of
 * its own, never "no group". Issuer and funds are checked and not kept: correlation_limit is not built yet. */
#ifndef CORE_CONFIG_GROUPS_H
#define CORE_CONFIG_GROUPS_H

#include "core/base/err.h"
#include "core/base/utc.h"

#define GROUPS_MAX 256
#define GROUP_NAME_MAX 32
#define GROUPS_PATH_MAX 256
#define GROUP_UNKNOWN "unknown"

struct group_row {
    char symbol[16];
    char sector[GROUP_NAME_MAX];
    char theme[GROUP_NAME_MAX]; /* "": of none */
};

struct groups {
    char path[GROUPS_PATH_MAX]; /* "": the one compiled in */
    struct date date;           /* what the table is as of */
    size_t count;
    struct group_row rows[GROUPS_MAX];
};

/* Reads a table of `size` bytes; path is kept and names it in errors. ERR_CONFIG says path, line and
 * remedy. */
enum err_code groups_read(const char *path, const char *bytes, size_t size, struct groups *out,
                          struct err *err) MUST_USE;
/* The table compiled in. */
struct groups groups_shipped(void);
/* Never NULL, never "". */
const char *groups_sector(const struct groups *groups, const char *symbol);
/* Never NULL; "" for a known symbol without a theme. */
const char *groups_theme(const struct groups *groups, const char *symbol);

#endif
