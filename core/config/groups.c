/* groups.c - one line of the table after the other; the first fault ends it. */
#include "core/config/groups.h"

#include "core/base/check.h"
#include "core/base/mutant.h"
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

static struct ratio part_in_fund(const struct group_row *row, const char *fund) {
    for (size_t i = 0; i < row->fund_count; i++) {
        if (strcmp(row->funds[i].symbol, fund) == 0) {
            return row->funds[i].weight;
        }
    }
    return (struct ratio){0};
}

static bool is_symbol(const char *symbol) {
    size_t n = strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");
    return n >= 1 && n < GROUP_SYMBOL_MAX && symbol[n] == '\0';
}

/* "SPY:0.069" */
static enum err_code take_fund(const struct reader *reader, struct group_row *row, char *part,
                               struct err *err) {
    struct ratio weight = {0};
    char *colon = strchr(part, ':');
    if (colon == NULL || ratio_parse(colon + 1, &weight, NULL) != ERR_OK || weight.nanos <= 0 ||
        weight.nanos > NANOS) {
        return fault(reader, err, "a fund without its weight", "write it like SPY:0.069");
    }
    *colon = '\0';
    if (!is_symbol(part) || strcmp(part, row->symbol) == 0) {
        return fault(reader, err, "a fund that is no other symbol", "write it like SPY:0.069");
    }
    for (size_t i = 0; i < row->fund_count; i++) {
        if (strcmp(row->funds[i].symbol, part) == 0) {
            return fault(reader, err, "a fund is there twice", "remove one of them");
        }
    }
    if (row->fund_count == GROUP_FUNDS_MAX) {
        return fault(reader, err, "a fund too many", "keep the four with the largest weights");
    }
    struct group_fund *fund = &row->funds[row->fund_count++];
    strcpy(fund->symbol, part);
    fund->weight = weight;
    return ERR_OK;
}

static enum err_code take_funds(const struct reader *reader, struct group_row *row, char *field,
                                struct err *err) {
    if (strcmp(field, "-") == 0) {
        return ERR_OK;
    }
    for (char *part = field; part != NULL;) {
        char *blank = strchr(part, ' ');
        if (blank != NULL) {
            *blank = '\0';
        }
        enum err_code code = take_fund(reader, row, part, err);
        if (code != ERR_OK) {
            return code;
        }
        part = blank == NULL ? NULL : blank + 1;
    }
    return ERR_OK;
}

/* "-" is none. */
static enum err_code take_names(const struct reader *reader, struct group_row *row, char **fields,
                                struct err *err) {
    const char *theme = strcmp(fields[2], "-") == 0 ? "" : fields[2];
    const char *issuer = strcmp(fields[3], "-") == 0 ? "" : fields[3];
    if (text_copy(row->sector, sizeof row->sector, fields[1], NULL) != ERR_OK ||
        text_copy(row->theme, sizeof row->theme, theme, NULL) != ERR_OK) {
        return fault(reader, err, "a sector or theme is too long", "write at most 31 letters");
    }
    if (text_copy(row->issuer, sizeof row->issuer, issuer, NULL) != ERR_OK) {
        return fault(reader, err, "an issuer is too long", "write at most 47 letters");
    }
    return ERR_OK;
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
    enum err_code code = take_names(reader, &row, fields, err);
    code = code == ERR_OK ? take_funds(reader, &row, fields[4], err) : code;
    if (code == ERR_OK && date_parse(fields[5], &as_of, NULL) != ERR_OK) {
        code = fault(reader, err, "as_of is no date", "write it like 2022-03-14");
    }
    if (code == ERR_OK) {
        groups->rows[groups->count++] = row;
    }
    return code;
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

/* What all rows together say of one fund. */
static int64_t weight_of(const struct groups *groups, const char *fund) {
    int64_t sum = 0;
    for (size_t i = 0; i < groups->count; i++) {
        sum += part_in_fund(&groups->rows[i], fund).nanos;
    }
    return sum;
}

static bool is_fund_overfull(const struct groups *groups) {
    for (size_t i = 0; i < groups->count; i++) {
        const struct group_row *row = &groups->rows[i];
        for (size_t k = 0; k < row->fund_count; k++) {
            if (weight_of(groups, row->funds[k].symbol) > NANOS) {
                return true;
            }
        }
    }
    return false;
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
    if (code == ERR_OK && is_fund_overfull(&reader->groups)) {
        code = fault(reader, err, "the weights in a fund are above 1", "write shares of the fund");
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

/* How much of a symbol is the row's: itself and its issuer's other shares whole, of a fund what it holds. */
static int64_t part_in(const struct group_row *row, const char *symbol, const char *issuer) {
    bool is_its_own = strcmp(row->symbol, symbol) == 0;
    bool is_its_issuer = issuer[0] != '\0' && strcmp(row->issuer, issuer) == 0;
    MUTATE(cluster_issuer_ignored, is_its_issuer = false);
    MUTATE(cluster_funds_ignored, return is_its_own || is_its_issuer ? NANOS : 0);
    return is_its_own || is_its_issuer ? NANOS : part_in_fund(row, symbol).nanos;
}

struct ratio groups_overlap(const struct groups *groups, const char *one, const char *other) {
    const struct group_row *mine = find(groups, one);
    const struct group_row *theirs = find(groups, other);
    const char *my_issuer = mine == NULL ? "" : mine->issuer;
    const char *their_issuer = theirs == NULL ? "" : theirs->issuer;
    int64_t sum = 0;
    for (size_t i = 0; i < groups->count; i++) {
        int64_t a = part_in(&groups->rows[i], one, my_issuer);
        int64_t b = a == 0 ? 0 : part_in(&groups->rows[i], other, their_issuer);
        sum += a < b ? a : b;
    }
    return (struct ratio){sum < NANOS ? sum : NANOS};
}
