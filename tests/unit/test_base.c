/* test_base.c - decimals against 128-bit arithmetic, New York time, the exchange calendar, JSON. */
#include "core/base/calendar.h"
#include "core/base/decimal.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/utc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(decimal, print_then_parse_gives_every_value_back) {
    struct random random = random_stream(1, "decimal", 0, 0, 0);
    for (int i = 0; i < 200000; i++) {
        int64_t value = (int64_t)random_next(&random) >> random_below(&random, 60);
        char text[DECIMAL_TEXT_MAX];
        decimal_print(value, text);
        int64_t back = 0;
        if (value == INT64_MIN) {
            continue;
        }
        cr_assert_eq(decimal_parse(text, &back, NULL), ERR_OK, "%s", text);
        cr_assert_eq(back, value, "%s", text);
    }
}

Test(decimal, parse_refuses_what_is_no_decimal) {
    static const char *const bad[] = {"",    "-",   ".5",  "5.",           "1e3",
                                      "+1",  " 1",  "1 ",  "1.2.3",        "0x10",
                                      "nan", "inf", "1,0", "1.0000000001", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t value = 42;
        cr_assert_eq(decimal_parse(bad[i], &value, NULL), ERR_PARSE, "'%s'", bad[i]);
        cr_assert_eq(value, 42, "output changed on failure");
    }
    int64_t value = 42;
    cr_assert_eq(decimal_parse("9300000000", &value, NULL), ERR_RANGE);
    cr_assert_eq(decimal_parse("99999999999999999999999", &value, NULL), ERR_RANGE);
    cr_assert_eq(decimal_parse("1.0000000000", &value, NULL), ERR_OK, "zeros behind the ninth");
}

Test(decimal, products_round_half_to_even_as_exact_arithmetic_does) {
    struct random random = random_stream(2, "product", 0, 0, 0);
    for (int i = 0; i < 200000; i++) {
        int64_t a = (int64_t)random_next(&random) >> (20 + random_below(&random, 40));
        int64_t b = (int64_t)random_next(&random) >> (20 + random_below(&random, 40));
        int64_t c = ((int64_t)random_next(&random) >> (1 + random_below(&random, 60))) | 1;
        int64_t out = 0;
        if (decimal_mul_div(a, b, c, &out, NULL) != ERR_OK) {
            continue;
        }
        __int128 error = (__int128)a * b - (__int128)out * c; /* |error| <= |c| / 2 */
        __int128 twice = 2 * (error < 0 ? -error : error);
        __int128 magnitude = c < 0 ? -(__int128)c : c;
        cr_assert(twice <= magnitude);
        cr_assert(twice < magnitude || out % 2 == 0, "a tie goes to the even neighbour");
    }
    int64_t out = 0;
    cr_assert_eq(decimal_mul_div(5, 1, 2, &out, NULL), ERR_OK);
    cr_assert_eq(out, 2);
    cr_assert_eq(decimal_mul_div(-7, 1, 2, &out, NULL), ERR_OK);
    cr_assert_eq(out, -4);
    cr_assert_eq(decimal_mul_div(INT64_MAX, INT64_MAX, 1, &out, NULL), ERR_RANGE);
}

Test(decimal, numbers_of_market_data_are_exact_to_six_decimals) {
    struct random random = random_stream(3, "double", 0, 0, 0);
    for (int i = 0; i < 200000; i++) {
        int64_t micros = random_between(&random, 0, INT64_C(999999999999999));
        char text[40];
        snprintf(text, sizeof text, "%lld.%06lld", (long long)(micros / 1000000),
                 (long long)(micros % 1000000));
        int64_t nanos = 0;
        cr_assert_eq(decimal_from_double(strtod(text, NULL), &nanos, NULL), ERR_OK);
        cr_assert_eq(nanos, micros * 1000, "%s", text);
    }
    int64_t nanos = 7;
    cr_assert_eq(decimal_from_double(0.0 / 0.0, &nanos, NULL), ERR_RANGE);
    cr_assert_eq(decimal_from_double(1e300, &nanos, NULL), ERR_RANGE);
    cr_assert_eq(nanos, 7);
}

Test(decimal, ticks_and_places) {
    cr_assert_eq(usd_floor((struct usd){1234567}, (struct usd){1000000}).nanos, 1000000);
    cr_assert_eq(usd_floor((struct usd){-1}, (struct usd){10}).nanos, -10);
    char text[DECIMAL_TEXT_MAX];
    decimal_print_places(2345000000, 2, text);
    cr_assert_str_eq(text, "2.34");
    decimal_print_places(-2355000000, 2, text);
    cr_assert_str_eq(text, "-2.36");
    decimal_print_places(999999999999, 0, text);
    cr_assert_str_eq(text, "1000");
    struct qty shares = {0};
    cr_assert_eq(qty_affordable(USD(500), (struct usd){166670000000}, &shares, NULL), ERR_OK);
    cr_assert_eq(shares.nanos, 2 * NANOS);
    cr_assert_eq(qty_affordable(USD(500), USD(0), &shares, NULL), ERR_RANGE);
}

Test(utc, parses_what_the_wire_sends) {
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-09-01T13:45:12.345678901Z", INT64_C(1788270312345678901)},
        {"2026-09-01T09:45:12.345678901-04:00", INT64_C(1788270312345678901)},
        {"2022-03-14T13:30Z", INT64_C(1647264600000000000)},
        {"2026-09-01T13:45:12.5Z", INT64_C(1788270312500000000)},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct utc at = {0};
        cr_assert_eq(utc_parse(good[i].text, &at, NULL), ERR_OK, "%s", good[i].text);
        cr_assert_eq(at.ns, good[i].ns, "%s", good[i].text);
    }
    static const char *const bad[] = {"",
                                      "2026-09-01",
                                      "2026-02-30T00:00:00Z",
                                      "2026-09-01T25:00:00Z",
                                      "2026-09-01T13:45:12",
                                      "2026-09-01T13:45:12.Z",
                                      "2026-09-01T13:45:12.1234567890Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct utc at = {9};
        cr_assert_eq(utc_parse(bad[i], &at, NULL), ERR_PARSE, "%s", bad[i]);
        cr_assert_eq(at.ns, 9);
    }
}

Test(utc, waits_end_whatever_the_wall_does) {
    const struct utc now = {INT64_C(1000) * NANOS};
    struct utc since = {now.ns - 5};
    cr_expect_eq(utc_elapsed(&since, now).ns, 5);
    cr_expect_eq(since.ns, now.ns - 5);
    since.ns = now.ns + 1; /* the wall was set back */
    cr_expect_eq(utc_elapsed(&since, now).ns, 0);
    cr_expect_eq(utc_elapsed(&since, (struct utc){now.ns + 7}).ns, 7);
    const struct span longest = SPAN_S(5);
    cr_expect(utc_has_come(now, longest, now));
    cr_expect(utc_has_come((struct utc){now.ns - 1}, longest, now));
    cr_expect_not(utc_has_come((struct utc){now.ns + 1}, longest, now));
    cr_expect_not(utc_has_come((struct utc){now.ns + longest.ns}, longest, now));
    cr_expect(utc_has_come((struct utc){now.ns + longest.ns + 1}, longest, now));
}

Test(utc, prints_what_it_parses) {
    struct random random = random_stream(4, "utc", 0, 0, 0);
    for (int i = 0; i < 100000; i++) {
        struct utc at = {random_between(&random, 0, INT64_C(4000000000)) * NANOS +
                         random_between(&random, 0, NANOS - 1)};
        char text[UTC_TEXT_MAX];
        struct utc back = {0};
        utc_print(at, text);
        cr_assert_eq(utc_parse(text, &back, NULL), ERR_OK);
        cr_assert_eq(back.ns, at.ns);
        utc_print_ny(at, text);
        cr_assert_eq(utc_parse(text, &back, NULL), ERR_OK);
        cr_assert_eq(back.ns, at.ns, "%s", text);
    }
}

Test(utc, new_york_changes_its_offset_at_two_in_the_morning) {
    struct utc spring = {0};
    cr_assert_eq(utc_parse("2022-03-13T06:59:59Z", &spring, NULL), ERR_OK);
    cr_assert_eq(ny_offset(spring).ns, SPAN_HOURS(-5).ns);
    cr_assert_eq(ny_offset(utc_add(spring, SPAN_S(1))).ns, SPAN_HOURS(-4).ns);
    struct utc autumn = {0};
    cr_assert_eq(utc_parse("2022-11-06T05:59:59Z", &autumn, NULL), ERR_OK);
    cr_assert_eq(ny_offset(autumn).ns, SPAN_HOURS(-4).ns);
    cr_assert_eq(ny_offset(utc_add(autumn, SPAN_S(1))).ns, SPAN_HOURS(-5).ns);
    cr_assert_eq(ny_to_utc(date_from_civil(2022, 3, 14), 9, 30).ns, INT64_C(1647264600000000000));
}

Test(calendar, knows_the_sessions_of_both_shipped_months) {
    struct calendar calendar = {0};
    struct session session;
    cr_assert(!calendar_session(&calendar, date_from_civil(2022, 4, 15), &session), "Good Friday");
    cr_assert(!calendar_session(&calendar, date_from_civil(2019, 12, 25), &session));
    cr_assert(!calendar_session(&calendar, date_from_civil(2022, 3, 19), &session), "Saturday");
    cr_assert(calendar_session(&calendar, date_from_civil(2019, 12, 24), &session));
    cr_assert(session.is_half_day);
    cr_assert_eq(utc_sub(session.close, session.open).ns, SPAN_MIN(210).ns);
    int sessions = 0;
    for (int day = 0; day < 36; day++) {
        sessions +=
            calendar_session(&calendar, date_add(date_from_civil(2022, 3, 14), day), &session);
    }
    cr_assert_eq(sessions, 25, "22 with bars and three without");
}

Test(calendar, walks_from_session_to_session) {
    struct calendar calendar = {0};
    cr_assert_eq(calendar_close_day(&calendar, date_from_civil(2022, 3, 21), NULL), ERR_OK);
    struct utc friday_evening = ny_to_utc(date_from_civil(2022, 3, 18), 17, 0);
    struct session session;
    cr_assert(calendar_next(&calendar, friday_evening, &session));
    cr_assert_eq(session.date.days, date_from_civil(2022, 3, 22).days,
                 "Monday is closed by the set");
    cr_assert(calendar_previous(&calendar, friday_evening, &session));
    cr_assert_eq(session.date.days, date_from_civil(2022, 3, 18).days);
    cr_assert(calendar_current_or_next(&calendar, session.open, &session));
    cr_assert_eq(session.date.days, date_from_civil(2022, 3, 18).days);
    cr_assert(!calendar_next(&calendar, ny_to_utc(date_from_civil(2030, 1, 2), 0, 0), &session));
}

Test(json, errors_name_key_and_place) {
    cJSON *tree = NULL;
    struct err err = {0};
    cr_assert_eq(json_parse("{\"a\": 1,\n \"b\": }", 16, &tree, &err), ERR_PARSE);
    cr_assert(strstr(err.text, "line 2") != NULL, "%s", err.text);
    const char *text = "{\"qty\":\"1x\",\"price\":231.05,\"n\":1.5}";
    cr_assert_eq(json_parse(text, strlen(text), &tree, &err), ERR_OK);
    struct qty qty = {3};
    cr_assert_eq(json_qty(tree, "qty", &qty, &err), ERR_PARSE);
    cr_assert(strstr(err.text, "qty: '1x'") != NULL, "%s", err.text);
    cr_assert_eq(qty.nanos, 3);
    int64_t nanos = 0;
    cr_assert_eq(json_decimal_either(tree, "price", &nanos, &err), ERR_OK);
    cr_assert_eq(nanos, INT64_C(231050000000));
    cr_assert_eq(json_int(tree, "n", &nanos, &err), ERR_PARSE);
    cr_assert_eq(json_int(tree, "missing", &nanos, &err), ERR_PARSE);
    struct text sorted = {0};
    json_print_sorted(tree, &sorted);
    cr_assert_str_eq(text_get(&sorted), "{\"n\":1.5,\"price\":231.05000000000001,\"qty\":\"1x\"}");
    text_release(&sorted);
    cJSON_Delete(tree);
    cr_assert_eq(json_parse("{} x", 4, &tree, &err), ERR_PARSE, "trailing garbage");
}

Test(text, is_cut_at_its_limit_and_says_so) {
    struct text text = text_limited(10);
    text_add(&text, "12345");
    text_add(&text, "678901");
    cr_assert_eq(text_finish(&text, NULL), ERR_LIMIT);
    cr_assert_str_eq(text_get(&text), "12345");
    text_clear(&text);
    text_add_json_string(&text, "a\"\n");
    cr_assert_str_eq(text_get(&text), "\"a\\\"\\n\"");
    text_release(&text);
}

Test(random, streams_of_different_keys_differ_and_repeat) {
    struct random a = random_stream(1, "x", 0, 0, 0);
    struct random b = random_stream(1, "y", 0, 0, 0);
    struct random c = random_stream(1, "x", 0, 0, 0);
    uint64_t first = random_next(&a);
    cr_assert_neq(first, random_next(&b));
    cr_assert_eq(first, random_next(&c));
}

Test(hash, same_bytes_same_hash_whatever_the_pieces) {
    struct hasher *whole = hasher_create();
    struct hasher *pieces = hasher_create();
    hasher_add(whole, "abcdef", 6);
    hasher_add(pieces, "abc", 3);
    hasher_add(pieces, "def", 3);
    char a[HASH_TEXT_MAX];
    char b[HASH_TEXT_MAX];
    hasher_print(whole, a);
    hasher_print(pieces, b);
    cr_assert_str_eq(a, b);
    hasher_destroy(whole);
    hasher_destroy(pieces);
}

Test(err, a_wrapped_failure_stays_a_failure) {
    struct err err = {0};
    cr_assert_eq(err_set(&err, ERR_IO, "%s", "inner"), ERR_IO);
    cr_assert_eq(err_wrap(&err, "outer %d", 1), ERR_IO);
    cr_assert_str_eq(err.text, "outer 1: inner");
    cr_assert_eq(err_wrap(NULL, "outer"), ERR_FAILED, "never ERR_OK");
    char longest[ERR_TEXT_MAX + 10];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    err_set(&err, ERR_IO, "%s", longest);
    err_wrap(&err, "place");
    cr_assert_eq(strlen(err.text), ERR_TEXT_MAX - 1);
    cr_assert_eq(strncmp(err.text, "place: xxx", 10), 0);
}

Test(text, fits_to_the_end_of_a_character) {
    cr_expect_eq(text_fit("abc", 3), 3);
    cr_expect_eq(text_fit("abcd", 3), 3);
    cr_expect_eq(text_fit("", 3), 0);
    cr_expect_eq(text_fit("ab\xc3\xa9", 3), 2, "not half of it");
    cr_expect_eq(text_fit("ab\xc3\xa9", 4), 4);
    cr_expect_eq(text_fit("\xf0\x9f\x9a\xa8", 3), 0);
}
