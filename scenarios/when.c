/* when.c - the times and spans of scenario files, as text. */
#include "scenarios/scenario.h"

#include <stdio.h>
#include <string.h>

static bool is_clock_time(int hour, int minute, int second) {
    return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

static bool session_parse(const char *text, struct when *out) {
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int used = 0;
    if (sscanf(text, "day %4d %2d:%2d%n:%2d%n", &day, &hour, &minute, &used, &second, &used) < 3 ||
        text[used] != '\0' || day < 1 || !is_clock_time(hour, minute, second)) {
        return false;
    }
    *out = (struct when){.kind = WHEN_SESSION,
                         .day = day,
                         .time_of_day = SPAN_S(hour * 3600 + minute * 60 + second)};
    return true;
}

static bool next_session_parse(const char *text, struct when *out) {
    int hour = 0;
    int minute = 0;
    int used = 0;
    if (sscanf(text, "next session %2d:%2d%n", &hour, &minute, &used) != 2 || text[used] != '\0' ||
        !is_clock_time(hour, minute, 0)) {
        return false;
    }
    *out =
        (struct when){.kind = WHEN_NEXT_SESSION, .time_of_day = SPAN_S(hour * 3600 + minute * 60)};
    return true;
}

enum err_code when_parse(const char *text, struct when *out, struct err *err) {
    struct utc at = {0};
    if (session_parse(text, out) || next_session_parse(text, out)) {
        return ERR_OK;
    }
    if (utc_parse(text, &at, err) == ERR_OK) {
        *out = (struct when){.kind = WHEN_UTC, .at = at};
        return ERR_OK;
    }
    return err_set(err, ERR_PARSE,
                   "'%s' is no time: RFC 3339, \"day 2 10:31:00\" or \"next session 09:00\"", text);
}

enum err_code span_parse(const char *text, struct span *out, struct err *err) {
    int64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    int64_t unit = strcmp(text + digits, "s") == 0   ? 1
                   : strcmp(text + digits, "m") == 0 ? 60
                   : strcmp(text + digits, "h") == 0 ? 3600
                                                     : 0;
    if (digits == 0 || digits > 7 || unit == 0) {
        return err_set(err, ERR_PARSE, "'%s' is no span: \"90s\", \"15m\" or \"2h\"", text);
    }
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (text[i] - '0');
    }
    if (value * unit > SCENARIO_SPAN_MAX_S) {
        return err_set(err, ERR_RANGE, "'%s' is longer than a year", text);
    }
    *out = SPAN_S(value * unit);
    return ERR_OK;
}
