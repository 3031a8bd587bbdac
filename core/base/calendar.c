/* calendar.c - sessions by rule; holidays.def, sorted by date, knows what differs. */
#include "core/base/calendar.h"

struct special_day {
    int year;
    int month;
    int day;
    bool is_holiday; /* else a half day */
    const char *name;
};

static const struct special_day special_days[] = {
#define HOLIDAY(year, month, day, name) {year, month, day, true, name},
#define HALF_DAY(year, month, day, name) {year, month, day, false, name},
#include "core/base/holidays.def"
#undef HOLIDAY
#undef HALF_DAY
};

static const size_t special_day_count = sizeof special_days / sizeof special_days[0];

int calendar_first_year(void) {
    return special_days[0].year;
}

int calendar_last_year(void) {
    return special_days[special_day_count - 1].year;
}

static const struct special_day *find_special(struct date date) {
    size_t low = 0;
    size_t high = special_day_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct special_day *day = &special_days[middle];
        struct date there = date_from_civil(day->year, day->month, day->day);
        if (there.days == date.days) {
            return day;
        }
        if (there.days < date.days) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

enum err_code calendar_close_day(struct calendar *calendar, struct date date, struct err *err) {
    if (calendar->extra_count == CALENDAR_EXTRA_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d extra closed days", CALENDAR_EXTRA_MAX);
    }
    calendar->extra_closed[calendar->extra_count++] = date;
    return ERR_OK;
}

bool calendar_session(const struct calendar *calendar, struct date date, struct session *out) {
    int year = 0;
    int month = 0;
    int day = 0;
    date_to_civil(date, &year, &month, &day);
    if (year < calendar_first_year() || year > calendar_last_year() || date_weekday(date) >= 5) {
        return false;
    }
    for (size_t i = 0; i < calendar->extra_count; i++) {
        if (calendar->extra_closed[i].days == date.days) {
            return false;
        }
    }
    const struct special_day *special = find_special(date);
    if (special != NULL && special->is_holiday) {
        return false;
    }
    *out = (struct session){.date = date,
                            .open = ny_to_utc(date, 9, 30),
                            .close = ny_to_utc(date, special != NULL ? 13 : 16, 0),
                            .is_half_day = special != NULL};
    return true;
}

/* The longest gap between sessions, extra closed days included, is far below this. */
enum { SEARCH_DAYS = 120 };

bool calendar_current_or_next(const struct calendar *calendar, struct utc at, struct session *out) {
    struct date date = ny_date(at);
    for (int i = 0; i < SEARCH_DAYS; i++, date = date_add(date, 1)) {
        struct session session;
        if (calendar_session(calendar, date, &session) && at.ns < session.close.ns) {
            *out = session;
            return true;
        }
    }
    return false;
}

bool calendar_next(const struct calendar *calendar, struct utc at, struct session *out) {
    struct date date = ny_date(at);
    for (int i = 0; i < SEARCH_DAYS; i++, date = date_add(date, 1)) {
        struct session session;
        if (calendar_session(calendar, date, &session) && at.ns < session.open.ns) {
            *out = session;
            return true;
        }
    }
    return false;
}

bool calendar_previous(const struct calendar *calendar, struct utc at, struct session *out) {
    struct date date = ny_date(at);
    for (int i = 0; i < SEARCH_DAYS; i++, date = date_add(date, -1)) {
        struct session session;
        if (calendar_session(calendar, date, &session) && at.ns >= session.close.ns) {
            *out = session;
            return true;
        }
    }
    return false;
}
