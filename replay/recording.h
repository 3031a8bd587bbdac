/* recording.h - the observation stream of a run as a file, and back: exactly the same events.
 *
 * Text, one event a line: kind, time, number, qty, price, amount (whole numbers as they are held: nanos and
 * nanoseconds), subject, what, symbol, id, body, with tabs between. In strings a backslash stands before
 * what would end them: \\ \t \n \r, and \0 for a NUL. The first line names the format, the last one
 * counts the events, so that a file that was cut short is known to be. A recording holds what the core
 * and the broker said to each other; headers, and with them secrets, are never in it. */
#ifndef REPLAY_RECORDING_H
#define REPLAY_RECORDING_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/world/observe.h"

#include <stdio.h>

struct recorder { /* recorder_init() and recorder_finish() */
    struct observer seam;
    FILE *file; /* borrowed */
    struct text line;
    int64_t events;
    bool is_bad; /* a write failed */
};

/* Writes the first line; every event told to the seam becomes one more. */
void recorder_init(struct recorder *recorder, FILE *file);
/* Writes the last line and releases the recorder; the file stays open. ERR_IO if any write failed. */
enum err_code recorder_finish(struct recorder *recorder, struct err *err) MUST_USE;

/* One event as a line with its LF, appended. */
void recording_print(const struct event *event, struct text *out);
/* The event in one line of n bytes without its LF. The line is changed, and the event's strings point into
 * it. ERR_PARSE. */
enum err_code recording_parse(char *line, size_t n, struct event *out, struct err *err) MUST_USE;

/* Reads a whole recording and tells each event to the observer. ERR_PARSE and ERR_LIMIT name the line;
 * ERR_IO. Events before a faulty line were told. */
enum err_code recording_read(FILE *file, struct observer *observer, int64_t *events,
                             struct err *err) MUST_USE;

#endif
