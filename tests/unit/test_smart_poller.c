/* test_smart_poller.c - intervals to the nanosecond at which they end, and budgets to the request that spends them. */
#include "core/alpaca/smart_poller.h"

#include <criterion/criterion.h>
#include <string.h>

struct still { /* an entropy of one byte for ever */
    struct entropy seam;
    int byte;
};

static enum err_code still_fill(struct entropy *entropy, void *bytes, size_t n, struct err *err) {
    (void)err;
    memset(bytes, ((struct still *)entropy)->byte, n);
    return ERR_OK;
}

static const struct entropy_ops STILL_OPS = {still_fill};

static const struct alpaca_reply ANSWER = {.status = 502, .retry_after_s = -1};
static const struct alpaca_reply NONE = {.status = 0, .retry_after_s = -1};
static const struct alpaca_reply HELD_BACK = {.is_held_back = true, .retry_after_s = -1};

struct sea {
    struct smart_poller poller;
    struct config config;
    struct still entropy;
};

static struct sea *sea_create(void) {
    struct sea *sea = calloc(1, sizeof *sea);
    cr_assert_not_null(sea);
    sea->config = config_defaults();
    sea->entropy = (struct still){{&STILL_OPS}, 0};
    return sea;
}

static struct mono at(int64_t ns) {
    return (struct mono){NANOS + ns};
}

static enum poll_hold hold(const struct sea *sea, enum poll_line line, int64_t ns) {
    return smart_poller_holds(&sea->poller, line, &sea->config, at(ns));
}

/* One read of so many requests. */
static enum poll_news asked(struct sea *sea, enum poll_line line, int64_t ns, enum err_code code,
                            const struct alpaca_reply *reply, int64_t requests, bool is_spare) {
    const struct poll_outcome outcome = {code, reply, requests, is_spare};
    smart_poller_start(&sea->poller, line, at(ns));
    return smart_poller_note(&sea->poller, line, &sea->config, &outcome, &sea->entropy.seam);
}

static enum poll_news fails(struct sea *sea, enum poll_line line, int64_t ns) {
    return asked(sea, line, ns, ERR_UNKNOWN, &ANSWER, 1, true);
}

static enum poll_news answers(struct sea *sea, enum poll_line line, int64_t ns) {
    return asked(sea, line, ns, ERR_OK, &ANSWER, 1, true);
}

/* Waits of a line that fails again and again, each tried at its last nanosecond and at its end. */
static void expect_waits(struct sea *sea, const int64_t *waits_s, size_t count, int64_t tenths) {
    int64_t now = 0;
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(fails(sea, POLL_BARS, now), i == 0 ? POLL_SLOWED : POLL_SAME, "%zu", i);
        now += waits_s[i] * NANOS / 10 * tenths;
        cr_expect_eq(hold(sea, POLL_BARS, now - 1), POLL_BACKOFF, "wait %zu", i);
        cr_expect_eq(hold(sea, POLL_BARS, now), POLL_FREE, "wait %zu", i);
    }
}

Test(smart_poller, waits_two_four_and_eight_cycles_and_no_longer) {
    static const int64_t waits_s[] = {120, 240, 480, 480, 480};
    struct sea *sea = sea_create();
    cr_expect_eq(hold(sea, POLL_BARS, 0), POLL_FREE, "nothing failed yet");
    expect_waits(sea, waits_s, 5, 10);
    free(sea);
}

Test(smart_poller, a_drawn_part_of_a_fifth_is_taken_off) {
    static const int64_t waits_s[] = {120, 240, 480};
    struct sea *sea = sea_create();
    sea->entropy.byte = 255;
    expect_waits(sea, waits_s, 3, 8);
    free(sea);
}

Test(smart_poller, poller_most_is_the_longest_wait_and_one_is_none) {
    static const int64_t waits_s[] = {120, 180, 180};
    struct sea *sea = sea_create();
    sea->config.poller_most = 3;
    expect_waits(sea, waits_s, 3, 10);
    free(sea);
    sea = sea_create();
    sea->config.poller_most = 1;
    cr_expect_eq(fails(sea, POLL_BARS, 0), POLL_SLOWED);
    cr_expect_eq(hold(sea, POLL_BARS, 0), POLL_FREE);
    free(sea);
}

Test(smart_poller, the_first_success_ends_it_and_the_next_failure_is_a_first_one) {
    struct sea *sea = sea_create();
    for (int i = 0; i < 4; i++) {
        fails(sea, POLL_QUOTES, i * NANOS);
    }
    cr_expect_eq(hold(sea, POLL_QUOTES, 10 * NANOS), POLL_BACKOFF);
    cr_expect_eq(answers(sea, POLL_QUOTES, 10 * NANOS), POLL_BACK, "of what is held, say");
    cr_expect_eq(hold(sea, POLL_QUOTES, 10 * NANOS), POLL_FREE);
    cr_expect_eq(answers(sea, POLL_QUOTES, 11 * NANOS), POLL_SAME);
    cr_expect_eq(fails(sea, POLL_QUOTES, 20 * NANOS), POLL_SLOWED);
    cr_expect_eq(hold(sea, POLL_QUOTES, 140 * NANOS - 1), POLL_BACKOFF);
    cr_expect_eq(hold(sea, POLL_QUOTES, 140 * NANOS), POLL_FREE);
    free(sea);
}

Test(smart_poller, what_is_held_answers_for_the_rest_only_where_the_host_failed) {
    static const struct {
        int status;
        bool is_ended, is_apart;
    } table[] = {{0, true, false},   {500, true, false},  {503, true, false}, {499, false, true},
                 {400, false, true}, {429, false, false}, {200, false, true}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct alpaca_reply reply = {.status = table[i].status, .retry_after_s = -1};
        const struct poll_outcome outcome = {ERR_REFUSED, &reply, 1, true};
        struct sea *sea = sea_create();
        cr_expect_eq(asked(sea, POLL_BARS, 0, ERR_REFUSED, &reply, 1, true), POLL_SLOWED);
        cr_expect_eq(smart_poller_asks_apart(&outcome), table[i].is_apart, "%d", table[i].status);
        cr_expect_eq(asked(sea, POLL_BARS, 5 * NANOS, ERR_OK, &ANSWER, 1, false),
                     table[i].is_ended ? POLL_BACK : POLL_SAME, "%d", table[i].status);
        cr_expect_eq(hold(sea, POLL_BARS, 120 * NANOS - 1),
                     table[i].is_ended ? POLL_FREE : POLL_BACKOFF, "%d", table[i].status);
        if (!table[i].is_ended) {
            cr_expect_eq(answers(sea, POLL_BARS, 120 * NANOS), POLL_BACK);
        }
        free(sea);
    }
}

Test(smart_poller, failures_of_what_is_held_make_no_wait_longer) {
    struct sea *sea = sea_create();
    fails(sea, POLL_BARS, 0);
    for (int64_t second = 5; second < 120; second += 5) {
        asked(sea, POLL_BARS, second * NANOS, ERR_UNKNOWN, &ANSWER, 1, false);
    }
    cr_expect_eq(hold(sea, POLL_BARS, 120 * NANOS - 1), POLL_BACKOFF);
    cr_expect_eq(hold(sea, POLL_BARS, 120 * NANOS), POLL_FREE);
    const struct alpaca_reply later = {
        .status = 429, .retry_after_s = 60, .last_byte_at = at(115 * NANOS)};
    asked(sea, POLL_BARS, 115 * NANOS, ERR_REFUSED, &later, 1, false);
    cr_expect_eq(hold(sea, POLL_BARS, 175 * NANOS - 1), POLL_BACKOFF, "the broker's wish");
    cr_expect_eq(hold(sea, POLL_BARS, 175 * NANOS), POLL_FREE);
    free(sea);
}

Test(smart_poller, each_line_waits_by_itself) {
    struct sea *sea = sea_create();
    fails(sea, POLL_QUOTES, 0);
    cr_expect_eq(hold(sea, POLL_QUOTES, 1), POLL_BACKOFF);
    cr_expect_eq(hold(sea, POLL_TRADES, 1), POLL_FREE);
    cr_expect_eq(hold(sea, POLL_BARS, 1), POLL_FREE);
    free(sea);
}

Test(smart_poller, what_the_rate_budget_kept_back_is_no_failure_and_spends_nothing) {
    struct sea *sea = sea_create();
    cr_expect_eq(asked(sea, POLL_BARS, 0, ERR_NOT_SENT, &HELD_BACK, 0, true), POLL_SAME);
    cr_expect_eq(hold(sea, POLL_BARS, 0), POLL_FREE);
    cr_expect_eq(sea->poller.day_count, 0);
    cr_expect_eq(asked(sea, POLL_BARS, 0, ERR_NOT_SENT, &NONE, 1, true), POLL_SLOWED, "no name");
    free(sea);
}

Test(smart_poller, what_the_broker_asks_for_binds_beyond_the_interval) {
    struct alpaca_reply later = {
        .status = 429, .retry_after_s = 100, .last_byte_at = at(30 * NANOS)};
    struct sea *sea = sea_create();
    asked(sea, POLL_BARS, 0, ERR_REFUSED, &later, 1, true);
    cr_expect_eq(hold(sea, POLL_BARS, 130 * NANOS - 1), POLL_BACKOFF);
    cr_expect_eq(hold(sea, POLL_BARS, 130 * NANOS), POLL_FREE);
    free(sea);
}

Test(smart_poller, a_fresh_connection_is_tried_once_in_a_run_of_failures) {
    struct sea *sea = sea_create();
    fails(sea, POLL_BARS, 0);
    smart_poller_hurry(&sea->poller, at(10));
    cr_expect_eq(hold(sea, POLL_BARS, 10), POLL_FREE);
    fails(sea, POLL_BARS, 10);
    smart_poller_hurry(&sea->poller, at(20));
    cr_expect_eq(hold(sea, POLL_BARS, 20), POLL_BACKOFF, "that one did not help");
    answers(sea, POLL_BARS, 30);
    fails(sea, POLL_BARS, 40);
    smart_poller_hurry(&sea->poller, at(50));
    cr_expect_eq(hold(sea, POLL_BARS, 50), POLL_FREE, "another run");
    free(sea);
}

/* --- budgets --- */

Test(smart_poller, half_a_minute_s_requests_are_kept_for_what_is_held) {
    struct sea *sea = sea_create();
    sea->config.poller_minute = 10;
    for (int i = 0; i < 4; i++) {
        answers(sea, POLL_QUOTES, i * NANOS);
    }
    cr_expect_eq(hold(sea, POLL_BARS, 4 * NANOS), POLL_FREE, "four of five");
    answers(sea, POLL_BARS, 4 * NANOS);
    cr_expect_eq(hold(sea, POLL_TRADES, 5 * NANOS), POLL_MINUTE, "five of five");
    cr_expect_eq(hold(sea, POLL_TRADES, 60 * NANOS - 1), POLL_MINUTE);
    cr_expect_eq(hold(sea, POLL_TRADES, 60 * NANOS), POLL_FREE, "the first is a minute old");
    free(sea);
}

Test(smart_poller, what_is_held_may_take_the_other_half_and_is_counted_beyond) {
    for (int64_t held = 9; held <= 10; held++) {
        struct sea *sea = sea_create();
        sea->config.poller_minute = 10;
        asked(sea, POLL_QUOTES, 0, ERR_OK, &ANSWER, held, false);
        cr_expect_eq(hold(sea, POLL_BARS, 1), held == 9 ? POLL_FREE : POLL_MINUTE);
        asked(sea, POLL_QUOTES, 2, ERR_OK, &ANSWER, 100, false);
        cr_expect_eq(hold(sea, POLL_BARS, 3), POLL_MINUTE);
        cr_expect_eq(hold(sea, POLL_BARS, 60 * NANOS + 1), POLL_MINUTE);
        cr_expect_eq(hold(sea, POLL_BARS, 60 * NANOS + 2), POLL_FREE);
        free(sea);
    }
}

Test(smart_poller, pages_are_requests) {
    struct sea *sea = sea_create();
    sea->config.poller_minute = 10;
    asked(sea, POLL_BARS, 0, ERR_OK, &ANSWER, 5, true);
    cr_expect_eq(hold(sea, POLL_BARS, 1), POLL_MINUTE);
    free(sea);
}

Test(smart_poller, a_day_holds_so_many_from_its_first_request_on) {
    const int64_t day = 86400 * NANOS;
    struct sea *sea = sea_create();
    sea->config.poller_day = 100;
    sea->config.poller_minute = 1000;
    asked(sea, POLL_QUOTES, 0, ERR_OK, &ANSWER, 99, false);
    cr_expect_eq(hold(sea, POLL_BARS, 3600 * NANOS), POLL_FREE, "99 of 100");
    asked(sea, POLL_QUOTES, 3600 * NANOS, ERR_OK, &ANSWER, 1, false);
    cr_expect_eq(hold(sea, POLL_BARS, 7200 * NANOS), POLL_DAY, "100 of 100");
    cr_expect_eq(hold(sea, POLL_BARS, day - 1), POLL_DAY);
    cr_expect_eq(hold(sea, POLL_BARS, day), POLL_FREE);
    answers(sea, POLL_BARS, day);
    cr_expect_eq(sea->poller.day_count, 1);
    free(sea);
}

Test(smart_poller, a_ring_of_the_largest_minute_goes_round) {
    struct sea *sea = sea_create();
    sea->config.poller_minute = POLL_MINUTE_MAX;
    asked(sea, POLL_QUOTES, 0, ERR_OK, &ANSWER, 5 * POLL_MINUTE_MAX / 2, false);
    cr_expect_eq(hold(sea, POLL_BARS, 60 * NANOS - 1), POLL_MINUTE);
    cr_expect_eq(hold(sea, POLL_BARS, 60 * NANOS), POLL_FREE);
    free(sea);
}

Test(smart_poller, words_are_distinct) {
    cr_expect_str_eq(poll_line_word(POLL_QUOTES), "quotes");
    cr_expect_str_eq(poll_line_word(POLL_BARS), "bars");
    cr_expect_str_eq(poll_hold_word(POLL_FREE), "free");
    cr_expect_str_eq(poll_hold_word(POLL_DAY), "day");
}

Test(smart_poller, a_read_takes_what_is_left_of_the_half_and_one_page_at_least) {
    struct sea *sea = sea_create();
    sea->config.poller_minute = 10;
    cr_expect_eq(smart_poller_pages(&sea->poller, &sea->config, at(0)), 5);
    asked(sea, POLL_QUOTES, 0, ERR_OK, &ANSWER, 3, true);
    cr_expect_eq(smart_poller_pages(&sea->poller, &sea->config, at(1)), 2);
    asked(sea, POLL_QUOTES, 2, ERR_OK, &ANSWER, 6, false);
    cr_expect_eq(smart_poller_pages(&sea->poller, &sea->config, at(3)), 1, "of the whole minute");
    asked(sea, POLL_QUOTES, 4, ERR_OK, &ANSWER, 50, false);
    cr_expect_eq(smart_poller_pages(&sea->poller, &sea->config, at(5)), 1);
    cr_expect_eq(smart_poller_pages(&sea->poller, &sea->config, at(60 * NANOS + 4)), 5);
    free(sea);
}

Test(smart_poller, a_page_that_is_held_back_behind_others_is_a_failure) {
    struct sea *sea = sea_create();
    cr_expect_eq(asked(sea, POLL_BARS, 0, ERR_NOT_SENT, &HELD_BACK, 3, true), POLL_SLOWED);
    cr_expect_eq(hold(sea, POLL_BARS, 120 * NANOS - 1), POLL_BACKOFF);
    cr_expect_eq(asked(sea, POLL_BARS, 5, ERR_OK, &ANSWER, 1, false), POLL_SAME,
                 "one page is held's");
    free(sea);
}

Test(smart_poller, a_request_counts_from_its_answer_on) {
    struct sea *sea = sea_create();
    sea->config.poller_minute = 10;
    const struct alpaca_reply late = {
        .status = 200, .retry_after_s = -1, .last_byte_at = at(9 * NANOS)};
    asked(sea, POLL_BARS, 0, ERR_OK, &late, 5, true);
    cr_expect_eq(hold(sea, POLL_BARS, 69 * NANOS - 1), POLL_MINUTE);
    cr_expect_eq(hold(sea, POLL_BARS, 69 * NANOS), POLL_FREE);
    free(sea);
}
