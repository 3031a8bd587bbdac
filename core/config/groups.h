/* groups.h - which sector and theme a symbol belongs to, who issued it and which funds hold it, as of a date:
 * what limits on exposure add up.
 *
 * A table in CSV (data/maps/groups.csv says the shape), read whole or not at all. One is compiled in; a file
 * that risk.groups_file names takes its place. What is not in the table is of GROUP_UNKNOWN as sector and
 * theme: a group of its own, never "no group". */
#ifndef CORE_CONFIG_GROUPS_H
#define CORE_CONFIG_GROUPS_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/utc.h"

#define GROUPS_MAX 256
#define GROUP_NAME_MAX 32
#define GROUP_ISSUER_MAX 48
#define GROUP_SYMBOL_MAX 16
#define GROUP_FUNDS_MAX 4
#define GROUPS_PATH_MAX 256
#define GROUP_UNKNOWN "unknown"

struct group_fund {
    char symbol[GROUP_SYMBOL_MAX];
    struct ratio weight; /* the part of the fund that the row's symbol is; above 0, at most 1 */
};

struct group_row {
    char symbol[GROUP_SYMBOL_MAX];
    char sector[GROUP_NAME_MAX];
    char theme[GROUP_NAME_MAX];    /* "": of none */
    char issuer[GROUP_ISSUER_MAX]; /* "": not told, equal to no other */
    size_t fund_count;
    struct group_fund funds[GROUP_FUNDS_MAX];
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
/* What two symbols have in common by what they are: all (1) of one issuer; of a fund what it holds of the
 * other's issuer; of two funds the smaller part of each share that both hold; else 0. At most 1. */
struct ratio groups_overlap(const struct groups *groups, const char *one, const char *other);

#endif
