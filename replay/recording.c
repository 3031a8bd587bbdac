/* recording.c - events as lines, and lines as events. */
#include "replay/recording.h"

#include "core/base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define HEAD "seatrial recording 1"
#define TAIL "end"
#define LINE_MAX_BYTES ((size_t)256 << 20)

enum { NUMBERS = 5, STRINGS = 5, FIELDS = 1 + NUMBERS + STRINGS };

/* --- writing --- */

static char escaped(char c) {
    switch (c) {
    case '\\':
        return '\\';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\0':
        return '0';
    default:
        return 0;
    }
}

static void add_string(struct text *out, const char *bytes, size_t n) {
    size_t from = 0;
    text_add_char(out, '\t');
    for (size_t i = 0; i < n; i++) {
        char letter = escaped(bytes[i]);
        if (letter != 0) {
            char pair[2] = {'\\', letter};
            text_add_bytes(out, bytes + from, i - from);
            text_add_bytes(out, pair, 2);
            from = i + 1;
        }
    }
    text_add_bytes(out, bytes + from, n - from);
}

void recording_print(const struct event *event, struct text *out) {
    const int64_t numbers[NUMBERS] = {event->at.ns, event->number, event->qty.nanos,
                                      event->price.nanos, event->amount.nanos};
    const char *const strings[STRINGS - 1] = {event->subject, event->what, event->symbol,
                                              event->id};
    text_add(out, event_word(event->kind));
    for (size_t i = 0; i < NUMBERS; i++) {
        text_add_char(out, '\t');
        text_add_int(out, numbers[i]);
    }
    for (size_t i = 0; i < STRINGS - 1; i++) {
        add_string(out, strings[i], strlen(strings[i]));
    }
    add_string(out, event->body, event->body_len);
    text_add_char(out, '\n');
}

static void write_line(struct recorder *recorder) {
    size_t n = recorder->line.len;
    bool is_written = fwrite(text_get(&recorder->line), 1, n, recorder->file) == n;
    recorder->is_bad = recorder->is_bad || !is_written || recorder->line.is_cut;
    text_clear(&recorder->line);
}

static void recorder_observe(struct observer *observer, const struct event *event) {
    struct recorder *recorder = (struct recorder *)observer;
    recorder->events++;
    recording_print(event, &recorder->line);
    write_line(recorder);
}

static const struct observer_ops recorder_ops = {recorder_observe};

void recorder_init(struct recorder *recorder, FILE *file) {
    *recorder = (struct recorder){
        .seam = {&recorder_ops}, .file = file, .line = text_limited(LINE_MAX_BYTES)};
    text_add(&recorder->line, HEAD "\n");
    write_line(recorder);
}

enum err_code recorder_finish(struct recorder *recorder, struct err *err) {
    text_add(&recorder->line, TAIL "\t");
    text_add_int(&recorder->line, recorder->events);
    text_add_char(&recorder->line, '\n');
    write_line(recorder);
    bool is_bad = recorder->is_bad || fflush(recorder->file) != 0;
    text_release(&recorder->line);
    return is_bad ? err_set(err, ERR_IO, "the recording cannot be written: %s", strerror(errno))
                  : ERR_OK;
}

/* --- reading --- */

static bool kind_find(const char *word, enum event_kind *out) {
#define X(kind, name, members)                                                                     \
    if (strcmp(word, name) == 0) {                                                                 \
        *out = kind;                                                                               \
        return true;                                                                               \
    }
    EVENT_KINDS(X)
#undef X
    return false;
}

static bool read_number(const char *text, int64_t *out) {
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool is_number = (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) && *end == '\0';
    *out = value;
    return is_number && errno == 0;
}

/* Undoes the escapes in place; false for one that nobody writes. */
static bool unescape(char *text, size_t *n) {
    static const char letters[] = "\\tnr0";
    static const char bytes[] = "\\\t\n\r";
    size_t to = 0;
    for (size_t i = 0; i < *n; i++) {
        if (text[i] == '\\') {
            const char *letter = i + 1 < *n ? strchr(letters, text[i + 1]) : NULL;
            if (letter == NULL || *letter == '\0') {
                return false;
            }
            text[to++] = bytes[letter - letters]; /* the fifth is the NUL that ends them */
            i++;
        } else {
            text[to++] = text[i];
        }
    }
    text[to] = '\0';
    *n = to;
    return true;
}

/* Cuts a line at its tabs; false if there are not FIELDS of them, or a byte that should be escaped. */
static bool split(char *line, size_t n, char *fields[static FIELDS], size_t lens[static FIELDS]) {
    size_t count = 0;
    size_t from = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && line[i] == '\0') {
            return false;
        }
        if (i == n || line[i] == '\t') {
            if (count == FIELDS) {
                return false;
            }
            line[i] = '\0';
            fields[count] = line + from;
            lens[count++] = i - from;
            from = i + 1;
        }
    }
    return count == FIELDS;
}

enum err_code recording_parse(char *line, size_t n, struct event *out, struct err *err) {
    char *fields[FIELDS];
    size_t lens[FIELDS];
    struct event event = {0};
    int64_t numbers[NUMBERS];
    if (!split(line, n, fields, lens)) {
        return err_set(err, ERR_PARSE, "not %d fields between tabs", FIELDS);
    }
    if (!kind_find(fields[0], &event.kind)) {
        return err_set(err, ERR_PARSE, "no kind of event '%.32s'", fields[0]);
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        if (!read_number(fields[1 + i], &numbers[i])) {
            return err_set(err, ERR_PARSE, "'%.32s' is no whole number", fields[1 + i]);
        }
    }
    for (size_t i = 1 + NUMBERS; i < FIELDS; i++) {
        size_t escaped_len = lens[i];
        bool is_body = i == FIELDS - 1;
        if (!unescape(fields[i], &lens[i]) || (!is_body && strlen(fields[i]) != lens[i])) {
            return err_set(err, ERR_PARSE, "a string of %zu bytes is badly escaped", escaped_len);
        }
    }
    event.at.ns = numbers[0];
    event.number = numbers[1];
    event.qty.nanos = numbers[2];
    event.price.nanos = numbers[3];
    event.amount.nanos = numbers[4];
    event.subject = fields[6];
    event.what = fields[7];
    event.symbol = fields[8];
    event.id = fields[9];
    event.body = fields[10];
    event.body_len = lens[10];
    *out = event;
    return ERR_OK;
}

/* What one line says: an event told, or the end. */
static enum err_code take_line(char *line, size_t n, struct observer *observer, int64_t *events,
                               bool *is_over, struct err *err) {
    static const char tail[] = TAIL "\t";
    struct event event = {0};
    int64_t count = 0;
    if (strncmp(line, tail, sizeof tail - 1) == 0 && read_number(line + sizeof tail - 1, &count)) {
        *is_over = true;
        return count == *events ? ERR_OK
                                : err_set(err, ERR_PARSE, "%lld events of %lld are here",
                                          (long long)*events, (long long)count);
    }
    enum err_code code = recording_parse(line, n, &event, err);
    if (code == ERR_OK) {
        (*events)++;
        observe(observer, &event);
    }
    return code;
}

static enum err_code read_lines(FILE *file, struct observer *observer, int64_t *events, char **line,
                                size_t *cap, struct err *err) {
    bool is_over = false;
    int64_t number = 1;
    ssize_t n = getline(line, cap, file);
    if (n < 0 || strcmp(*line, HEAD "\n") != 0) {
        return err_set(err, ERR_PARSE, "line 1: not '%s'", HEAD);
    }
    for (n = getline(line, cap, file); n > 0; n = getline(line, cap, file)) {
        number++;
        size_t len = (size_t)n;
        bool is_whole = (*line)[len - 1] == '\n';
        (*line)[len - 1] = '\0';
        enum err_code code =
            is_over || !is_whole
                ? err_set(err, ERR_PARSE, is_over ? "more behind the end" : "cut short")
                : take_line(*line, len - 1, observer, events, &is_over, err);
        if (code != ERR_OK) {
            return err_wrap(err, "line %lld", (long long)number);
        }
    }
    if (ferror(file) != 0) {
        return err_set(err, ERR_IO, "line %lld: %s", (long long)number, strerror(errno));
    }
    return is_over ? ERR_OK
                   : err_set(err, ERR_PARSE, "cut short after line %lld", (long long)number);
}

enum err_code recording_read(FILE *file, struct observer *observer, int64_t *events,
                             struct err *err) {
    char *line = NULL;
    size_t cap = 0;
    int64_t count = 0;
    enum err_code code = read_lines(file, observer, &count, &line, &cap, err);
    free(line);
    if (code == ERR_OK && events != NULL) {
        *events = count;
    }
    return code;
}
