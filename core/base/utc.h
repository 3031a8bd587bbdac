/* utc.h - instants, spans, dates, and New York wall time.
 *
 * struct utc counts nanoseconds since 1970-01-01T00:00:00Z without leap seconds; struct mono counts
 * nanoseconds of one boot's monotonic clock; struct span is a difference of either; struct date is a
 * civil day without a zone. New York offsets follow the Energy Policy Act of 2005 from 2007 on, the
 * rule of 1986 before (Uniform Time Act as amended); dates before 1987 use the latter too. */
#ifndef CORE_BASE_UTC_H
#define CORE_BASE_UTC_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct utc {
    int64_t ns;
};
struct mono {
    int64_t ns;
};
struct span {
    int64_t ns;
};
struct date {
    int32_t days; /* since 1970-01-01 */
};

#define SPAN_MS(n) ((struct span){(int64_t)(n)*1000000})
#define SPAN_S(n) ((struct span){(int64_t)(n)*1000000000})
#define SPAN_MIN(n) SPAN_S(60 * (int64_t)(n))
#define SPAN_HOURS(n) SPAN_S(3600 * (int64_t)(n))
#define SPAN_DAYS(n) SPAN_S(86400 * (int64_t)(n))

static inline struct utc utc_add(struct utc at, struct span by) {
    return (struct utc){at.ns + by.ns};
}
static inline struct span utc_sub(struct utc later, struct utc earlier) {
    return (struct span){later.ns - earlier.ns};
}
static inline bool utc_is_before(struct utc a, struct utc b) {
    return a.ns < b.ns;
}
/* How long ago, by a wall that may have been set back since: what lies ahead of now counts as now. For waits
 * that must end, whatever the wall does. */
static inline struct span utc_elapsed(struct utc *since, struct utc now) {
    *since = utc_is_before(now, *since) ? now : *since;
    return utc_sub(now, *since);
}
/* True once `until` has come, or when it is further ahead than the longest wait. */
static inline bool utc_has_come(struct utc until, struct span longest, struct utc now) {
    int64_t wait = utc_sub(until, now).ns;
    return wait <= 0 || wait > longest.ns;
}
static inline struct utc utc_min(struct utc a, struct utc b) {
    return a.ns < b.ns ? a : b;
}
static inline struct utc utc_max(struct utc a, struct utc b) {
    return a.ns > b.ns ? a : b;
}
static inline struct mono mono_add(struct mono at, struct span by) {
    return (struct mono){at.ns + by.ns};
}
static inline struct span mono_sub(struct mono later, struct mono earlier) {
    return (struct span){later.ns - earlier.ns};
}
static inline struct date date_add(struct date date, int days) {
    return (struct date){date.days + days};
}

#define UTC_TEXT_MAX 40
#define DATE_TEXT_MAX 16

struct date date_from_civil(int year, int month, int day);
void date_to_civil(struct date date, int *year, int *month, int *day);
/* 0 is Monday, 6 Sunday. */
int date_weekday(struct date date);
/* "2026-09-01", exactly ten characters. ERR_PARSE for another shape or an impossible day. */
enum err_code date_parse(const char *text, struct date *out, struct err *err) MUST_USE;
int date_print(struct date date, char out[static DATE_TEXT_MAX]);

/* RFC 3339 with 0 to 9 fractional digits and Z or an offset; seconds may be absent ("T16:00Z");
 * a leap second 60 counts as 59. ERR_PARSE else. */
enum err_code utc_parse(const char *text, struct utc *out, struct err *err) MUST_USE;
/* "2026-09-01T13:45:12.345678901Z": as many fractional digits as needed, in groups of three. */
int utc_print(struct utc at, char out[static UTC_TEXT_MAX]);
/* The same instant on New York's clock: "2026-09-01T09:45:12.3-04:00". */
int utc_print_ny(struct utc at, char out[static UTC_TEXT_MAX]);

/* The UTC date of an instant. */
struct date utc_date(struct utc at);

/* New York's offset from UTC at an instant (negative). */
struct span ny_offset(struct utc at);
/* New York's date. */
struct date ny_date(struct utc at);
/* The instant at which New York's wall clock shows hour:minute of a date. An hour that occurs twice
 * means the first; one that does not occur means the instant of the jump's far side. */
struct utc ny_to_utc(struct date date, int hour, int minute);

#endif
