/* calendar.h - the sessions of the New York stock exchanges, by rule.
 *
 * A session is a weekday that is no holiday; it lasts from 09:30 to 16:00 New York time, on half
 * days to 13:00. Holidays and half days are data (holidays.def, from the NYSE's published calendars).
 * A calendar may close further days: a market data set without bars on a day is closed by its own
 * calendar. Days outside the table's years are unknown: ERR_RANGE. */
#ifndef CORE_BASE_CALENDAR_H
#define CORE_BASE_CALENDAR_H

#include "core/base/err.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stddef.h>

#define CALENDAR_EXTRA_MAX 64

struct calendar { /* zero-initialise for the plain rule */
    struct date extra_closed[CALENDAR_EXTRA_MAX];
    size_t extra_count;
};

struct session {
    struct date date;
    struct utc open;  /* first instant inside */
    struct utc close; /* first instant outside */
    bool is_half_day;
};

/* Closes one more day. ERR_LIMIT beyond CALENDAR_EXTRA_MAX. */
enum err_code calendar_close_day(struct calendar *calendar, struct date date,
                                 struct err *err) MUST_USE;

/* First and last year the table knows. */
int calendar_first_year(void);
int calendar_last_year(void);

/* True and the session's hours if the market opens on a date. Days outside the table are closed. */
bool calendar_session(const struct calendar *calendar, struct date date, struct session *out);

/* The session that contains `at`, else the next one. False when the table ends before. */
bool calendar_current_or_next(const struct calendar *calendar, struct utc at, struct session *out);
/* The first session that opens after `at`. */
bool calendar_next(const struct calendar *calendar, struct utc at, struct session *out);
/* The last session that closed at or before `at`. */
bool calendar_previous(const struct calendar *calendar, struct utc at, struct session *out);

#endif
