/* utc.c - civil dates by arithmetic, RFC 3339 both ways, New York's offset by rule. */
#include "core/base/utc.h"

#include <stdio.h>
#include <string.h>

static const int64_t SECOND_NS = INT64_C(1000000000);
static const int64_t DAY_NS = INT64_C(86400000000000);

/* Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years that start on
 * 1 March, so that the leap day is the last of its year. */
struct date date_from_civil(int year, int month, int day) {
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (struct date){era * 146097 + day_of_era - 719468};
}

void date_to_civil(struct date date, int *year, int *month, int *day) {
    int z = date.days + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int day_of_era = z - era * 146097;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month + (shifted_month < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

int date_weekday(struct date date) {
    int weekday = (date.days + 3) % 7; /* 1970-01-01 was a Thursday */
    return weekday < 0 ? weekday + 7 : weekday;
}

/* Reads exactly n digits; -1 when there are fewer. */
static int read_digits(const char *s, int n) {
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

/* Parses the ten characters of a date; false when they are none. */
static bool read_date(const char *s, struct date *out) {
    int year = read_digits(s, 4);
    if (year < 0 || s[4] != '-') {
        return false;
    }
    int month = read_digits(s + 5, 2);
    if (month < 1 || month > 12 || s[7] != '-') {
        return false;
    }
    int day = read_digits(s + 8, 2);
    struct date date = date_from_civil(year, month, day);
    int y = 0;
    int m = 0;
    int d = 0;
    date_to_civil(date, &y, &m, &d);
    if (day < 1 || y != year || m != month || d != day) {
        return false;
    }
    *out = date;
    return true;
}

enum err_code date_parse(const char *text, struct date *out, struct err *err) {
    if (strnlen(text, 11) != 10 || !read_date(text, out)) {
        return err_set(err, ERR_PARSE, "'%.40s' is not a date like 2026-09-01", text);
    }
    return ERR_OK;
}

int date_print(struct date date, char out[static DATE_TEXT_MAX]) {
    int year = 0;
    int month = 0;
    int day = 0;
    date_to_civil(date, &year, &month, &day);
    return snprintf(out, DATE_TEXT_MAX, "%04u-%02u-%02u", (unsigned)year % 10000U,
                    (unsigned)month % 100U, (unsigned)day % 100U);
}

/* Parses ".123" behind the seconds; advances *s. */
static bool read_fraction(const char **s, int64_t *ns) {
    if (**s != '.') {
        return true;
    }
    int64_t unit = SECOND_NS / 10;
    const char *p = *s + 1;
    if (*p < '0' || *p > '9') {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++, unit /= 10) {
        if (unit == 0) {
            return false;
        }
        *ns += (*p - '0') * unit;
    }
    *s = p;
    return true;
}

/* Parses "Z" or "+hh:mm" to the end of the text. */
static bool read_zone(const char *s, int64_t *offset_s) {
    if ((*s == 'Z' || *s == 'z') && s[1] == '\0') {
        *offset_s = 0;
        return true;
    }
    if (*s != '+' && *s != '-') {
        return false;
    }
    int hours = read_digits(s + 1, 2);
    if (hours < 0 || hours > 23 || s[3] != ':') {
        return false;
    }
    int minutes = read_digits(s + 4, 2);
    if (minutes < 0 || minutes > 59 || s[6] != '\0') {
        return false;
    }
    *offset_s = (*s == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_instant(const char *text, struct utc *out) {
    struct date date = {0};
    if (strnlen(text, 17) < 17 || !read_date(text, &date) || (text[10] != 'T' && text[10] != 't')) {
        return false;
    }
    int hour = read_digits(text + 11, 2);
    int minute = read_digits(text + 14, 2);
    if (hour < 0 || hour > 23 || text[13] != ':' || minute < 0 || minute > 59) {
        return false;
    }
    const char *s = text + 16;
    int second = 0;
    int64_t ns = 0;
    if (*s == ':') {
        second = read_digits(s + 1, 2);
        if (second < 0 || second > 60) {
            return false;
        }
        second -= second == 60;
        s += 3;
        if (!read_fraction(&s, &ns)) {
            return false;
        }
    }
    int64_t offset_s = 0;
    if (!read_zone(s, &offset_s)) {
        return false;
    }
    int64_t seconds = hour * 3600 + minute * 60 + second - offset_s;
    out->ns = date.days * DAY_NS + seconds * SECOND_NS + ns;
    return true;
}

enum err_code utc_parse(const char *text, struct utc *out, struct err *err) {
    if (!read_instant(text, out)) {
        return err_set(err, ERR_PARSE, "'%.40s' is not an RFC 3339 time", text);
    }
    return ERR_OK;
}

static void put_digits(char *out, int n, unsigned value) {
    for (int i = n - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Prints local date and time of (at + offset) with the fraction that is needed; no zone. */
static int print_local(struct utc at, struct span offset, char *out) {
    int64_t local = at.ns + offset.ns;
    int64_t days = local / DAY_NS - (local % DAY_NS < 0);
    int64_t rest = local - days * DAY_NS;
    int year = 0;
    int month = 0;
    int day = 0;
    date_to_civil((struct date){(int32_t)days}, &year, &month, &day);
    unsigned second_of_day = (unsigned)(rest / SECOND_NS);
    put_digits(out, 4, (unsigned)year);
    out[4] = '-';
    put_digits(out + 5, 2, (unsigned)month);
    out[7] = '-';
    put_digits(out + 8, 2, (unsigned)day);
    out[10] = 'T';
    put_digits(out + 11, 2, second_of_day / 3600);
    out[13] = ':';
    put_digits(out + 14, 2, second_of_day / 60 % 60);
    out[16] = ':';
    put_digits(out + 17, 2, second_of_day % 60);
    int n = 19;
    unsigned fraction = (unsigned)(rest % SECOND_NS);
    if (fraction > 0) {
        out[n++] = '.';
        int places = fraction % 1000000 == 0 ? 3 : fraction % 1000 == 0 ? 6 : 9;
        unsigned unit = places == 3 ? 1000000 : places == 6 ? 1000 : 1;
        put_digits(out + n, places, fraction / unit);
        n += places;
    }
    return n;
}

int utc_print(struct utc at, char out[static UTC_TEXT_MAX]) {
    int n = print_local(at, (struct span){0}, out);
    out[n++] = 'Z';
    out[n] = '\0';
    return n;
}

int utc_print_ny(struct utc at, char out[static UTC_TEXT_MAX]) {
    struct span offset = ny_offset(at);
    int n = print_local(at, offset, out);
    int64_t minutes = -offset.ns / (60 * SECOND_NS);
    out[n++] = '-';
    put_digits(out + n, 2, (unsigned)(minutes / 60));
    out[n + 2] = ':';
    put_digits(out + n + 3, 2, (unsigned)(minutes % 60));
    n += 5;
    out[n] = '\0';
    return n;
}

struct date utc_date(struct utc at) {
    return (struct date){(int32_t)(at.ns / DAY_NS - (at.ns % DAY_NS < 0))};
}

/* The nth Sunday (1 to 4, or 5 for the last) of a month. */
static struct date nth_sunday(int year, int month, int n) {
    if (n == 5) {
        struct date last = date_add(date_from_civil(year, month + 1, 1), -1);
        return date_add(last, -((date_weekday(last) + 1) % 7));
    }
    struct date first = date_from_civil(year, month, 1);
    return date_add(first, 6 - date_weekday(first) + 7 * (n - 1));
}

struct span ny_offset(struct utc at) {
    int year = 0;
    int month = 0;
    int day = 0;
    date_to_civil(utc_date(at), &year, &month, &day);
    /* 2:00 local: 07:00Z going on, 06:00Z coming off. */
    struct date on = year >= 2007 ? nth_sunday(year, 3, 2) : nth_sunday(year, 4, 1);
    struct date off = year >= 2007 ? nth_sunday(year, 11, 1) : nth_sunday(year, 10, 5);
    int64_t on_ns = on.days * DAY_NS + 7 * 3600 * SECOND_NS;
    int64_t off_ns = off.days * DAY_NS + 6 * 3600 * SECOND_NS;
    bool is_summer = at.ns >= on_ns && at.ns < off_ns;
    return SPAN_HOURS(is_summer ? -4 : -5);
}

struct date ny_date(struct utc at) {
    return utc_date(utc_add(at, ny_offset(at)));
}

struct utc ny_to_utc(struct date date, int hour, int minute) {
    int64_t wall = date.days * DAY_NS + (hour * 60 + minute) * 60 * SECOND_NS;
    struct utc as_summer = {wall + 4 * 3600 * SECOND_NS};
    if (ny_offset(as_summer).ns == SPAN_HOURS(-4).ns) {
        return as_summer;
    }
    struct utc as_winter = {wall + 5 * 3600 * SECOND_NS};
    return as_winter;
}
