/* groups.c - one line of the table after the other; the first fault ends it. */
#include "core/config/groups.h"

#include "core/base/check.h"
#include "core/base/text.h"
#include "groups_shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 6
#define LINE_MAX 256
static const char HEADER[] = "symbol,sector,theme,issuer,funds,as_of";

struct reader {
    struct groups groups;
    int line;
    bool has_header, is_over; /* the line of names; "# end" */
};

static enum err_code fault(const struct reader *reader, struct err *err, const char *what,
                           const char *remedy) {
    const char *path = reader->groups.path[0] == '\0' ? "groups.csv" : reader->groups.path;
    return err_set(err, ERR_CONFIG, "%s:%d: %s; %s", path, reader->line, what, remedy);
}

/* Cuts a row at its commas; false if there are not FIELDS of them, or one is empty. */
static bool cut(char *line, char *fields[FIELDS]) {
    size_t count = 0;
    for (char *at = line; at != NULL && count <= FIELDS; count++) {
        char *comma = strchr(at, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        if (count == FIELDS || at[0] == '\0') {
            return false;
        }
        fields[count] = at;
        at = comma == NULL ? NULL : comma + 1;
    }
    return count == FIELDS;
}

static const struct group_row *find(const struct groups *groups, const char *symbol) {
    for (size_t i = 0; i < groups->count; i++) {
        if (strcmp(groups->rows[i].symbol, symbol) == 0) {
            return &groups->rows[i];
        }
    }
    return NULL;
}

static bool is_symbol(const char *symbol) {
    size_t n = strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");
    return n >= 1 && n < sizeof((struct group_row *)0)->symbol && symbol[n] == '\0';
}

static enum err_code take_row(struct reader *reader, char *line, struct err *err) {
    char *fields[FIELDS] = {NULL};
    struct date as_of = {0};
    struct groups *groups = &reader->groups;
    struct group_row row = {.symbol = ""};
    if (!cut(line, fields)) {
        return fault(reader, err, "not six fields", "write symbol,sector,theme,issuer,funds,as_of");
    }
    if (!is_symbol(fields[0])) {
        return fault(reader, err, "not a symbol", "write 1 to 15 of A-Z, 0-9, '.'");
    }
    if (find(groups, fields[0]) != NULL) {
        return fault(reader, err, "the symbol is there twice", "remove one of its rows");
    }
    if (groups->count == GROUPS_MAX) {
        return fault(reader, err, "one symbol too many", "keep at most 256");
    }
    strcpy(row.symbol, fields[0]);
    if (strcmp(fields[1], "-") == 0 || strcmp(fields[1], GROUP_UNKNOWN) == 0) {
        return fault(reader, err, "a row without a sector", "remove it: what is absent is unknown");
    }
    const char *theme = strcmp(fields[2], "-") == 0 ? "" : fields[2];
    if (text_copy(row.sector, sizeof row.sector, fields[1], NULL) != ERR_OK ||
        text_copy(row.theme, sizeof row.theme, theme, NULL) != ERR_OK) {
        return fault(reader, err, "a sector or theme is too long", "write at most 31 letters");
    }
    if (date_parse(fields[5], &as_of, NULL) != ERR_OK) {
        return fault(reader, err, "as_of is no date", "write it like 2022-03-14");
    }
    groups->rows[groups->count++] = row;
    return ERR_OK;
}

/* "# date D" and "# end N" are read, all else behind a # is a remark. */
static enum err_code take_remark(struct reader *reader, const char *line, struct err *err) {
    char count[32];
    if (strncmp(line, "# date ", 7) == 0 &&
        date_parse(line + 7, &reader->groups.date, NULL) != ERR_OK) {
        return fault(reader, err, "no date", "write it like # date 2022-03-14");
    }
    if (strncmp(line, "# end ", 6) == 0) {
        snprintf(count, sizeof count, "%zu", reader->groups.count);
        if (strcmp(line + 6, count) != 0) {
            return fault(reader, err, "not the number of rows above", "count them, or find them");
        }
        reader->is_over = true;
    }
    return ERR_OK;
}

static enum err_code take_line(struct reader *reader, char *line, struct err *err) {
    if (line[0] == '#') {
        return take_remark(reader, line, err);
    }
    if (reader->is_over) {
        return fault(reader, err, "something behind # end", "remove it");
    }
    if (!reader->has_header) {
        reader->has_header = strcmp(line, HEADER) == 0;
        return reader->has_header ? ERR_OK
                                  : fault(reader, err, "not the names of the fields",
                                          "begin with symbol,sector,theme,issuer,funds,as_of");
    }
    return take_row(reader, line, err);
}

static enum err_code take_all(struct reader *reader, const char *bytes, size_t size,
                              struct err *err) {
    enum err_code code = ERR_OK;
    for (size_t at = 0; at < size && code == ERR_OK;) {
        char line[LINE_MAX];
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t n = end == NULL ? size - at : (size_t)(end - (bytes + at));
        reader->line++;
        if (end == NULL || n >= sizeof line || memchr(bytes + at, '\0', n) != NULL) {
            return fault(reader, err, "no line of at most 255 letters", "end each with a newline");
        }
        memcpy(line, bytes + at, n);
        line[n] = '\0';
        code = take_line(reader, line, err);
        at += n + 1;
    }
    if (code == ERR_OK && !reader->is_over) {
        code = fault(reader, err, "it ends without # end", "add # end and the number of rows");
    }
    if (code == ERR_OK && reader->groups.date.days == 0) {
        code = fault(reader, err, "it has no date", "add a line like # date 2022-03-14");
    }
    return code;
}

enum err_code groups_read(const char *path, const char *bytes, size_t size, struct groups *out,
                          struct err *err) {
    struct reader reader = {.line = 0};
    enum err_code code = text_copy(reader.groups.path, sizeof reader.groups.path, path, err);
    code = code == ERR_OK ? take_all(&reader, bytes, size, err) : code;
    if (code == ERR_OK) {
        *out = reader.groups;
    }
    return code;
}

struct groups groups_shipped(void) {
    struct groups groups = {.count = 0};
    CHECK(groups_read("", GROUPS_SHIPPED, sizeof GROUPS_SHIPPED, &groups, NULL) == ERR_OK);
    return groups;
}

const char *groups_sector(const struct groups *groups, const char *symbol) {
    const struct group_row *row = find(groups, symbol);
    return row == NULL ? GROUP_UNKNOWN : row->sector;
}

const char *groups_theme(const struct groups *groups, const char *symbol) {
    const struct group_row *row = find(groups, symbol);
    return row == NULL ? GROUP_UNKNOWN : row->theme;
}
