/* bars_csv.c - reads bars from CSV, plain and compact (market.h describes both). */
#include "broker_sim/market/bar_set.h"

#include "broker_sim/market/market_internal.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN_HEADER "t,o,h,l,c,v"
#define COMPACT_HEADER "# compact bars 1"

enum { FIELDS = 6 };

struct csv_reader {
    struct bar_set *set;
    struct bar_series *series;
    char *next; /* the line to be read */
    char *end;
    size_t line; /* number of the line read last */
    int64_t rows;
    /* compact only */
    bool has_date, has_before, is_ended;
    struct date date;
    struct market_bar before; /* the row before, of the same day */
};

/* The next line without its end, NULL after the last. A last line that has no end is a torn one. */
static enum err_code next_line(struct csv_reader *reader, char **out, struct err *err) {
    *out = NULL;
    if (reader->next == reader->end) {
        return ERR_OK;
    }
    reader->line++;
    char *line = reader->next;
    char *stop = memchr(line, '\n', (size_t)(reader->end - line));
    if (stop == NULL) {
        return err_set(err, ERR_PARSE,
                       "the file ends inside this line: it is truncated; fetch it "
                       "again");
    }
    reader->next = stop + 1;
    *stop = '\0';
    if (stop > line && stop[-1] == '\r') {
        stop[-1] = '\0';
    }
    *out = line;
    return ERR_OK;
}

/* Cuts a line at its commas into exactly FIELDS fields. */
static enum err_code split_row(char *line, char *field[FIELDS], struct err *err) {
    int count = 0;
    for (char *s = line; s != NULL; count++) {
        if (count == FIELDS) {
            return err_set(err, ERR_PARSE, "more than %d fields; expected t,o,h,l,c,v", FIELDS);
        }
        field[count] = s;
        s = strchr(s, ',');
        if (s != NULL) {
            *s++ = '\0';
        }
    }
    if (count < FIELDS) {
        return err_set(err, ERR_PARSE,
                       "%d fields instead of %d: the row is torn; fetch the file "
                       "again",
                       count, FIELDS);
    }
    return ERR_OK;
}

static enum err_code parse_volume(const char *text, int64_t *out, struct err *err) {
    int64_t nanos = 0;
    enum err_code code = decimal_parse(text, &nanos, err);
    if (code != ERR_OK) {
        return code;
    }
    if (nanos % NANOS != 0) {
        return err_set(err, ERR_PARSE, "volume '%.40s' is not a whole number of shares", text);
    }
    *out = nanos / NANOS;
    return ERR_OK;
}

/* An empty field keeps what `out` holds. */
static enum err_code parse_price(const char *text, struct usd *out, struct err *err) {
    return *text == '\0' ? ERR_OK : usd_parse(text, out, err);
}

static enum err_code read_plain_row(struct csv_reader *reader, char *line, struct err *err) {
    char *field[FIELDS] = {NULL};
    enum err_code code = split_row(line, field, err);
    if (code != ERR_OK) {
        return code;
    }
    struct market_bar bar = {0};
    if ((code = utc_parse(field[0], &bar.at, err)) != ERR_OK ||
        (code = usd_parse(field[1], &bar.open, err)) != ERR_OK ||
        (code = usd_parse(field[2], &bar.high, err)) != ERR_OK ||
        (code = usd_parse(field[3], &bar.low, err)) != ERR_OK ||
        (code = usd_parse(field[4], &bar.close, err)) != ERR_OK ||
        (code = parse_volume(field[5], &bar.volume, err)) != ERR_OK) {
        return code;
    }
    return bar_set_add(reader->set, reader->series, bar, err);
}

/* "1330", or empty for the minute after the row before. */
static enum err_code parse_minute(const struct csv_reader *reader, const char *text,
                                  struct utc *out, struct err *err) {
    if (*text == '\0' && reader->has_before) {
        *out = utc_add(reader->before.at, SPAN_MIN(1));
        return ERR_OK;
    }
    if (strlen(text) != 4 || strspn(text, "0123456789") != 4) {
        return err_set(err, ERR_PARSE, "'%.40s' is not a minute HHMM", text);
    }
    int hour = (text[0] - '0') * 10 + (text[1] - '0');
    int minute = (text[2] - '0') * 10 + (text[3] - '0');
    if (hour > 23 || minute > 59) {
        return err_set(err, ERR_PARSE, "'%.40s' is not a minute HHMM", text);
    }
    *out = (struct utc){reader->date.days * INT64_C(86400) * SECOND_NS +
                        (hour * 60 + minute) * MINUTE_NS};
    return ERR_OK;
}

static enum err_code read_compact_row(struct csv_reader *reader, char *line, struct err *err) {
    if (!reader->has_date) {
        return err_set(err, ERR_PARSE, "a row before the first '# date'; put the date there");
    }
    char *field[FIELDS] = {NULL};
    enum err_code code = split_row(line, field, err);
    if (code != ERR_OK) {
        return code;
    }
    struct market_bar bar = {.open = reader->before.close};
    if (*field[1] == '\0' && !reader->has_before) {
        return err_set(err, ERR_PARSE, "the first row of a day has no open; fetch the file again");
    }
    if ((code = parse_minute(reader, field[0], &bar.at, err)) != ERR_OK ||
        (code = parse_price(field[1], &bar.open, err)) != ERR_OK) {
        return code;
    }
    bar.close = bar.open;
    if ((code = parse_price(field[4], &bar.close, err)) != ERR_OK) {
        return code;
    }
    bar.high = usd_max(bar.open, bar.close);
    bar.low = usd_min(bar.open, bar.close);
    if ((code = parse_price(field[2], &bar.high, err)) != ERR_OK ||
        (code = parse_price(field[3], &bar.low, err)) != ERR_OK ||
        (code = parse_volume(field[5], &bar.volume, err)) != ERR_OK ||
        (code = bar_set_add(reader->set, reader->series, bar, err)) != ERR_OK) {
        return code;
    }
    reader->before = bar;
    reader->has_before = true;
    reader->rows++;
    return ERR_OK;
}

/* "# date D", "# end N", or a remark. */
static enum err_code read_remark(struct csv_reader *reader, const char *line, struct err *err) {
    if (strncmp(line, "# date ", 7) == 0) {
        reader->has_date = true;
        reader->has_before = false;
        return date_parse(line + 7, &reader->date, err);
    }
    if (strncmp(line, "# end ", 6) == 0) {
        int64_t rows = 0;
        enum err_code code = parse_volume(line + 6, &rows, err);
        if (code == ERR_OK && rows != reader->rows) {
            code = err_set(err, ERR_PARSE,
                           "the file had %lld rows when it was written and has %lld; "
                           "fetch it again",
                           (long long)rows, (long long)reader->rows);
        }
        reader->is_ended = true;
        return code;
    }
    return ERR_OK;
}

static enum err_code read_compact_line(struct csv_reader *reader, char *line, struct err *err) {
    if (reader->is_ended) {
        return err_set(err, ERR_PARSE, "a line after '# end'; fetch the file again");
    }
    return *line == '#' ? read_remark(reader, line, err) : read_compact_row(reader, line, err);
}

static enum err_code read_lines(struct csv_reader *reader, struct err *err) {
    char *line = NULL;
    enum err_code code = next_line(reader, &line, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_compact = line != NULL && strcmp(line, COMPACT_HEADER) == 0;
    if (!is_compact && (line == NULL || strcmp(line, PLAIN_HEADER) != 0)) {
        return err_set(err, ERR_PARSE,
                       "the first line is neither '" PLAIN_HEADER "' nor '" COMPACT_HEADER
                       "'; write one of them there");
    }
    for (;;) {
        code = next_line(reader, &line, err);
        if (code != ERR_OK || line == NULL) {
            break;
        }
        code =
            is_compact ? read_compact_line(reader, line, err) : read_plain_row(reader, line, err);
        if (code != ERR_OK) {
            break;
        }
    }
    if (code == ERR_OK && is_compact && !reader->is_ended) {
        code = err_set(err, ERR_PARSE, "no '# end' follows: the file is truncated; fetch it again");
    }
    return code;
}

enum err_code bars_read_csv(struct bar_set *set, const char *symbol, char *content, size_t n,
                            struct err *err) {
    struct csv_reader reader = {.set = set, .next = content, .end = content + n};
    enum err_code code = bar_set_begin(set, symbol, &reader.series, err);
    if (code != ERR_OK) {
        return code;
    }
    if (memchr(content, '\0', n) != NULL) {
        return err_set(err, ERR_PARSE, "holds a NUL byte: it is no text; fetch it again");
    }
    code = read_lines(&reader, err);
    if (code != ERR_OK) {
        err_wrap(err, "line %zu", reader.line);
    }
    return code;
}
