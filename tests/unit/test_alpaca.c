/* test_alpaca.c - the broker client against a scripted http: wire forms, error classes, paging, budgets,
 * duplicates, and the reuse of an equal answer. Bodies are those of Alpaca's API, values invented. */
#include "core/alpaca/alpaca.h"
#include "core/alpaca/rate_budget.h"
#include "core/alpaca/read_backoff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 64

struct step {           /* one answer */
    enum err_code code; /* of the transport */
    int status;
    const char *body;
    int64_t retry_after_s; /* 0: no header */
};

struct fake {
    struct http http;
    struct clock clock;
    struct mono now;
    struct world world;
    struct step steps[STEPS_MAX];
    size_t step_count, performed;
    bool repeats;               /* the last step for ever */
    char sent[STEPS_MAX][1024]; /* "METHOD path?query body" */
    struct http_request last;
    struct span deadline;
    char key[32], secret[32];
};

static struct utc fake_utc(struct clock *clock) {
    (void)clock;
    return (struct utc){0};
}
static struct mono fake_mono(struct clock *clock) {
    return ((struct fake *)((char *)clock - offsetof(struct fake, clock)))->now;
}
static void fake_boot(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    (void)clock;
    strcpy(out, "boot");
}
static void fake_sleep(struct clock *clock, struct span span) {
    (void)clock;
    (void)span;
}

static enum err_code fake_perform(struct http *http, const struct http_request *request,
                                  struct span deadline, struct http_response *response,
                                  struct err *err) {
    struct fake *fake = (struct fake *)http;
    size_t at = fake->performed < fake->step_count ? fake->performed : fake->step_count - 1;
    cr_assert(fake->repeats || fake->performed < fake->step_count, "one request too many: %s %s?%s",
              request->method, request->path, request->query);
    if (fake->performed < STEPS_MAX) {
        snprintf(fake->sent[fake->performed], sizeof fake->sent[0], "%s %s?%s %.*s",
                 request->method, request->path, request->query, (int)request->body_len,
                 request->body);
    }
    fake->performed++;
    fake->last = *request;
    fake->deadline = deadline;
    snprintf(fake->key, sizeof fake->key, "%s", request->headers[0].value);
    snprintf(fake->secret, sizeof fake->secret, "%s", request->headers[1].value);
    fake->now.ns += 1000;
    const struct step *step = &fake->steps[at];
    if (step->code != ERR_OK) {
        return err_set(err, step->code, "the fake says %s", err_word(step->code));
    }
    response->status = step->status;
    response->retry_after_s = step->retry_after_s > 0 ? step->retry_after_s : -1;
    text_add(&response->body, step->body);
    return ERR_OK;
}

static struct alpaca *setup(struct fake *fake, int64_t core, int64_t exits, int64_t other) {
    static const struct clock_ops clock_ops = {fake_utc, fake_mono, fake_boot, fake_sleep};
    static const struct http_ops http_ops = {.perform = fake_perform};
    *fake = (struct fake){.http = {&http_ops}, .clock = {&clock_ops}, .now = {NANOS}};
    fake->world = (struct world){.clock = &fake->clock, .http = &fake->http};
    struct alpaca_options options = {.world = &fake->world,
                                     .key_id = "KEY",
                                     .secret = "SECRET",
                                     .feed = "iex",
                                     .read_deadline = SPAN_S(3),
                                     .submit_deadline = SPAN_S(5),
                                     .slow_deadline = SPAN_S(10),
                                     .rate_core = core,
                                     .rate_exit = exits,
                                     .rate_other = other,
                                     .breaker = {5, SPAN_S(60), SPAN_S(600)}};
    struct alpaca *alpaca = NULL;
    struct err err = {0};
    cr_assert_eq(alpaca_create(&options, &alpaca, &err), ERR_OK, "%s", err.text);
    return alpaca;
}

static void answer(struct fake *fake, int status, const char *body) {
    fake->steps[fake->step_count++] = (struct step){.status = status, .body = body};
}

#define ACCOUNT                                                                                    \
    "{\"id\":\"7d1c2c52-0c1b-4b57-9f0e-5c9d7e0a1b22\",\"admin_configurations\":{},"                \
    "\"user_configurations\":null,\"account_number\":\"PA3EXAMPLE01\",\"status\":\"ACTIVE\","      \
    "\"buying_power\":\"400000\",\"cash\":\"100000.12\",\"trading_blocked\":false,"                \
    "\"account_blocked\":false,\"trade_suspended_by_user\":false,\"multiplier\":\"4\","            \
    "\"equity\":\"100000.1234567891234\",\"last_equity\":\"99000\",\"long_market_value\":\"0\","   \
    "\"balance_asof\":\"2026-08-28\",\"crypto_tier\":1}"

#define ORDER(id, client, status, more)                                                            \
    "{\"id\":\"" id "\",\"client_order_id\":\"" client                                             \
    "\",\"created_at\":\"2026-09-01T13:45:12.001234567Z\","                                        \
    "\"submitted_at\":\"2026-09-01T13:45:12.000123456Z\",\"filled_at\":null,"                      \
    "\"replaced_by\":null,\"replaces\":null,\"symbol\":\"AAPL\",\"notional\":null,"                \
    "\"order_class\":\"\",\"order_type\":\"stop\",\"type\":\"stop\",\"side\":\"sell\","            \
    "\"time_in_force\":\"gtc\",\"stop_price\":\"225.5\",\"legs\":null,\"hwm\":null,"               \
    "\"status\":\"" status "\"" more "}"
#define PLAIN ",\"qty\":\"2\",\"filled_qty\":\"0\",\"filled_avg_price\":null,\"limit_price\":null"

Test(alpaca, reads_the_account_and_sends_its_keys) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct broker_account account = {0};
    struct err err = {0};
    answer(&fake, 200, ACCOUNT);
    cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_OK, "%s", err.text);
    cr_assert_str_eq(fake.sent[0], "GET /v2/account? ");
    cr_assert_str_eq(fake.key, "KEY");
    cr_assert_str_eq(fake.secret, "SECRET");
    cr_assert_eq(fake.deadline.ns, SPAN_S(3).ns);
    cr_assert_not(fake.last.is_change);
    cr_assert_str_eq(account.number, "PA3EXAMPLE01");
    cr_assert_eq(account.cash.nanos, INT64_C(100000120000000));
    cr_assert_eq(account.equity.nanos, INT64_C(100000123456789), "the tenth decimal is cut");
    cr_assert_eq(account.balance_asof.days, date_from_civil(2026, 8, 28).days);
    cr_assert_not(account.is_blocked);
    alpaca_destroy(alpaca);
}

Test(alpaca, each_of_three_blocks_blocks) {
    static const char *const keys[] = {"trading_blocked", "account_blocked",
                                       "trade_suspended_by_user"};
    for (size_t i = 0; i < 3; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        char body[512];
        snprintf(body, sizeof body,
                 "{\"id\":\"1\",\"status\":\"ACTIVE\",\"cash\":\"1\",\"equity\":\"1\","
                 "\"last_equity\":\"1\",\"buying_power\":\"1\",\"%s\":true}",
                 keys[i]);
        answer(&fake, 200, body);
        struct broker_account account = {0};
        cr_assert_eq(alpaca_get_account(alpaca, &account, NULL), ERR_OK);
        cr_assert(account.is_blocked, "%s", keys[i]);
        cr_assert_eq(account.balance_asof.days, 0);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, a_maintenance_margin_that_is_missing_is_not_zero) {
    static const struct {
        const char *member;
        bool is_told;
    } rows[] = {{"", false},
                {",\"maintenance_margin\":null", false},
                {",\"maintenance_margin\":\"0\"", true},
                {",\"maintenance_margin\":\"30.5\"", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        char body[512];
        snprintf(body, sizeof body,
                 "{\"id\":\"1\",\"status\":\"ACTIVE\",\"cash\":\"1\",\"equity\":\"1\","
                 "\"last_equity\":\"1\",\"buying_power\":\"1\"%s}",
                 rows[i].member);
        answer(&fake, 200, body);
        struct broker_account account = {0};
        cr_assert_eq(alpaca_get_account(alpaca, &account, NULL), ERR_OK);
        cr_expect_eq(account.has_maintenance, rows[i].is_told, "%s", rows[i].member);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, a_bad_account_names_request_and_key_and_changes_nothing) {
    static const struct {
        const char *body, *text;
    } table[] = {
        {"{\"id\":\"1\",\"status\":\"A\",\"cash\":\"1\",\"equity\":null,\"last_equity\":\"1\","
         "\"buying_power\":\"1\"}",
         "GET /v2/account: equity: missing"},
        {"{\"id\":\"1\",\"status\":\"A\",\"cash\":\"1x\"}",
         "GET /v2/account: cash: '1x' is not a decimal"},
        {"{\"id\":\"1\",\"status\":\"A\",\"cash\":true}", "GET /v2/account: cash: not a decimal"},
        {"{\"id\":7}", "GET /v2/account: id: not a string"},
        {"{\"cash\":\"99999999999999999999\"}",
         "GET /v2/account: cash: '99999999999999999999' is too large"},
        {"{\"cash\":1e300}", "GET /v2/account: cash: 1e+300 is not an amount"},
        {"{\"balance_asof\":\"9999-01-01\"}",
         "GET /v2/account: balance_asof: '9999-01-01' is not a time of 1970 to 2199"},
        {"{\"trading_blocked\":\"no\"}", "GET /v2/account: trading_blocked: not true or false"},
        {"[]", "GET /v2/account: not an object"},
        {"", "GET /v2/account: not valid JSON at line 1, column 1"},
        {"<html>", "GET /v2/account: not valid JSON at line 1, column 1"},
        {"{\"id\":\"1\"", "GET /v2/account: not valid JSON at line 1, column 9"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_account account = {.cash = {42}};
        struct err err = {0};
        answer(&fake, 200, table[i].body);
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_PARSE, "%s", table[i].body);
        cr_assert_str_eq(err.text, table[i].text);
        cr_assert_eq(account.cash.nanos, 42);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, a_read_is_judged_by_its_status) {
    static const struct {
        int status;
        enum err_code code;
    } table[] = {{200, ERR_OK},      {401, ERR_REFUSED}, {403, ERR_REFUSED}, {404, ERR_NOT_FOUND},
                 {429, ERR_REFUSED}, {500, ERR_REFUSED}, {503, ERR_REFUSED}, {301, ERR_REFUSED}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_account account = {0};
        answer(&fake, table[i].status, ACCOUNT);
        cr_assert_eq(alpaca_get_account(alpaca, &account, NULL), table[i].code, "%d",
                     table[i].status);
        cr_assert_eq(alpaca_reply(alpaca)->status, table[i].status);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, transport_errors_pass_through_and_last_byte_is_after_the_call) {
    static const enum err_code codes[] = {ERR_NOT_SENT, ERR_UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        fake.steps[fake.step_count++] = (struct step){.code = codes[i]};
        struct broker_account account = {0};
        struct err err = {0};
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), codes[i]);
        cr_assert_eq(err.code, codes[i]);
        cr_assert_eq(alpaca_reply(alpaca)->status, 0);
        cr_assert_eq(alpaca_reply(alpaca)->last_byte_at.ns, NANOS + 1000);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, clock_calendar_and_asset) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct broker_clock clock = {0};
    answer(&fake, 200,
           "{\"timestamp\":\"2026-09-01T09:45:12.345678901-04:00\",\"is_open\":true,"
           "\"next_open\":\"2026-09-02T09:30:00-04:00\",\"next_close\":\"2026-09-01T16:00:00-04:"
           "00\"}");
    cr_assert_eq(alpaca_get_clock(alpaca, &clock, &err), ERR_OK, "%s", err.text);
    cr_assert(clock.is_open);
    cr_assert_eq(clock.next_close.ns, ny_to_utc(date_from_civil(2026, 9, 1), 16, 0).ns);
    cr_assert_eq(clock.timestamp.ns % NANOS, 345678901);

    struct session sessions[2];
    size_t count = 0;
    answer(&fake, 200,
           "[{\"date\":\"2026-11-25\",\"open\":\"09:30\",\"close\":\"16:00\"},"
           "{\"date\":\"2026-11-27\",\"open\":\"09:30\",\"close\":\"13:00\"}]");
    alpaca_set_lane(alpaca, ALPACA_LANE_OTHER);
    struct date first = date_from_civil(2026, 11, 25);
    cr_assert_eq(alpaca_get_calendar(alpaca, first, date_add(first, 3), sessions, 2, &count, &err),
                 ERR_OK, "%s", err.text);
    cr_assert_str_eq(fake.sent[1], "GET /v2/calendar?start=2026-11-25&end=2026-11-28 ");
    cr_assert_eq(fake.deadline.ns, SPAN_S(10).ns, "housekeeping is slow");
    cr_assert_eq(count, 2);
    cr_assert_not(sessions[0].is_half_day);
    cr_assert(sessions[1].is_half_day);
    cr_assert_eq(sessions[1].close.ns, ny_to_utc(date_add(first, 2), 13, 0).ns);
    answer(&fake, 200, "[{\"date\":\"2026-11-25\",\"open\":\"0930\",\"close\":\"16:00\"}]");
    cr_assert_eq(alpaca_get_calendar(alpaca, first, first, sessions, 2, &count, &err), ERR_PARSE);
    cr_assert_str_eq(err.text,
                     "GET /v2/calendar: session 1: open, close: '0930' to '16:00' is no session");
    alpaca_destroy(alpaca);
}

#define ASSET(symbol, status, tradable, more)                                                      \
    "{\"id\":\"x\",\"class\":\"us_equity\",\"exchange\":\"NASDAQ\",\"symbol\":\"" symbol           \
    "\",\"name\":\"n\",\"status\":\"" status "\",\"tradable\":" tradable more "}"

Test(alpaca, an_asset_is_what_orders_are_taken_for_and_another_is_no_answer) {
    static const struct {
        int status;
        const char *body;
        enum err_code code;
        bool is_tradable, is_otc, is_easy;
    } rows[] = {
        {200, ASSET("BRK.B", "active", "true", ",\"borrow_status\":\"easy_to_borrow\""), ERR_OK,
         true, false, true},
        {200, ASSET("BRK.B", "active", "true", ",\"easy_to_borrow\":true"), ERR_OK, true, false,
         true},
        {200,
         ASSET("BRK.B", "active", "false",
               ",\"easy_to_borrow\":true,\"borrow_status\":\"hard_to_borrow\""),
         ERR_OK, false, false, false},
        {200, ASSET("BRK.B", "inactive", "true", ""), ERR_OK, false, false, false},
        {200,
         "{\"class\":\"us_equity\",\"exchange\":\"OTC\",\"symbol\":\"BRK.B\",\"status\":\"active\","
         "\"tradable\":true}",
         ERR_OK, true, true, false},
        {200, ASSET("BRK.A", "active", "true", ""), ERR_PARSE, false, false, false},
        {200, ASSET("BRK.B", "active", "\"yes\"", ""), ERR_PARSE, false, false, false},
        {200, "{\"symbol\":\"BRK.B\"}", ERR_PARSE, false, false, false},
        {404, "{\"code\":40410000,\"message\":\"asset not found for BRK.B\"}", ERR_NOT_FOUND, false,
         false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_asset asset = {0};
        answer(&fake, rows[i].status, rows[i].body);
        cr_expect_eq(alpaca_get_asset(alpaca, "BRK.B", &asset, NULL), rows[i].code, "row %zu", i);
        cr_expect_str_eq(fake.sent[0], "GET /v2/assets/BRK.B? ");
        cr_expect_eq(asset.is_tradable, rows[i].is_tradable, "row %zu", i);
        cr_expect_eq(asset.is_otc, rows[i].is_otc, "row %zu", i);
        cr_expect_eq(asset.is_easy_to_borrow, rows[i].is_easy, "row %zu", i);
        alpaca_destroy(alpaca);
    }
}

struct days { /* what a visitor was told */
    size_t count;
    size_t index[8];
    struct date day[8];
    struct broker_action split[8];
};

static void take_day(struct days *days, size_t index, struct date day) {
    days->index[days->count] = index;
    days->day[days->count++] = day;
}

static void take_action(void *context, size_t index, const struct broker_action *action) {
    struct days *days = context;
    days->split[days->count] = *action;
    take_day(days, index, action->day);
}

static void take_daily(void *context, size_t index, const struct broker_bar *bar) {
    take_day(context, index, ny_date(bar->at));
}

static const char NAMES[2][SYMBOL_MAX] = {"AAPL", "BRK.B"};

Test(alpaca, daily_bars_are_asked_for_by_dates) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct days days = {0};
    struct date first = date_from_civil(2026, 8, 1);
    answer(&fake, 200,
           "{\"bars\":{\"BRK.B\":[{\"t\":\"2026-08-03T04:00:00Z\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,"
           "\"v\":5}],\"AAPL\":null},\"next_page_token\":null}");
    cr_assert_eq(alpaca_get_daily_bars(alpaca, NAMES, 2, first, date_add(first, 30), take_daily,
                                       &days, NULL),
                 ERR_OK);
    cr_expect_str_eq(fake.sent[0],
                     "GET /v2/stocks/bars?symbols=AAPL,BRK.B&feed=iex&timeframe=1Day&limit=10000"
                     "&adjustment=raw&sort=asc&start=2026-08-01&end=2026-08-31 ");
    cr_expect_eq(days.count, 1);
    cr_expect_eq(days.index[0], 1);
    cr_expect_eq(days.day[0].days, date_from_civil(2026, 8, 3).days);
    alpaca_destroy(alpaca);
}

Test(alpaca, corporate_actions_of_any_kind_are_read_by_their_first_day_and_all_their_symbols) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct days days = {0};
    struct date first = date_from_civil(2026, 8, 1);
    answer(&fake, 200,
           "{\"corporate_actions\":{\"cash_dividends\":[{\"symbol\":\"AAPL\",\"ex_date\":"
           "\"2026-08-10\",\"process_date\":\"2026-08-24\",\"rate\":0.1}],\"new_kinds\":[]},"
           "\"next_page_token\":\"p2\"}");
    answer(&fake, 200,
           "{\"corporate_actions\":{\"stock_mergers\":[{\"acquiree_symbol\":\"AAPL\","
           "\"acquirer_symbol\":\"BRK.B\",\"effective_date\":\"2026-08-12\"}],"
           "\"redemptions\":[{\"symbol\":\"T\",\"process_date\":\"2026-08-13\"}]},"
           "\"next_page_token\":null}");
    cr_assert_eq(alpaca_get_corporate_actions(alpaca, NAMES, 2, first, date_add(first, 30),
                                              take_action, &days, NULL),
                 ERR_OK);
    cr_expect_str_eq(fake.sent[0], "GET /v1/corporate-actions?symbols=AAPL,BRK.B&limit=1000"
                                   "&start=2026-08-01&end=2026-08-31 ");
    cr_expect_not_null(strstr(fake.sent[1], "&page_token=p2"));
    cr_expect_eq(days.count, 3);
    cr_expect_eq(days.day[0].days, date_add(first, 9).days, "the ex-date, not when it is paid");
    cr_expect_eq(days.index[1], 0);
    cr_expect_eq(days.index[2], 1);
    cr_expect_eq(days.day[2].days, date_add(first, 11).days);
    alpaca_destroy(alpaca);
}

Test(alpaca, a_split_is_told_with_its_rates_of_the_symbol_that_has_it) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct days days = {0};
    struct date first = date_from_civil(2026, 8, 1);
    answer(&fake, 200,
           "{\"corporate_actions\":{\"forward_splits\":[{\"symbol\":\"AAPL\",\"ex_date\":"
           "\"2026-08-10\",\"new_rate\":1.5,\"old_rate\":1},{\"symbol\":\"AAPL\",\"ex_date\":"
           "\"2026-08-11\",\"new_rate\":2}],\"reverse_splits\":[{\"symbol\":\"AAPL\","
           "\"new_symbol\":\"BRK.B\",\"ex_date\":\"2026-08-12\",\"new_rate\":1,\"old_rate\":50},"
           "{\"symbol\":\"AAPL\",\"ex_date\":\"2026-08-13\",\"new_rate\":0,\"old_rate\":50}],"
           "\"stock_dividends\":[{\"symbol\":\"AAPL\",\"ex_date\":\"2026-08-14\",\"new_rate\":2,"
           "\"old_rate\":1}]},\"next_page_token\":null}");
    cr_assert_eq(alpaca_get_corporate_actions(alpaca, NAMES, 2, first, date_add(first, 30),
                                              take_action, &days, NULL),
                 ERR_OK);
    cr_assert_eq(days.count, 6);
    cr_expect(days.split[0].is_split);
    cr_expect_eq(days.split[0].new_rate.nanos, NANOS * 3 / 2);
    cr_expect_eq(days.split[0].old_rate.nanos, NANOS);
    cr_expect_not(days.split[1].is_split, "a rate is missing");
    cr_expect(days.split[2].is_split);
    cr_expect_eq(days.split[2].old_rate.nanos, 50 * NANOS);
    cr_expect_eq(days.index[3], 1);
    cr_expect_not(days.split[3].is_split, "the name it takes");
    cr_expect_not(days.split[4].is_split, "nothing becomes of it");
    cr_expect_not(days.split[5].is_split, "another kind");
    alpaca_destroy(alpaca);
}

Test(alpaca, a_spin_off_is_told_of_its_source_with_what_it_gives) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct days days = {0};
    struct date first = date_from_civil(2026, 8, 1);
    answer(&fake, 200,
           "{\"corporate_actions\":{\"spin_offs\":[{\"source_symbol\":\"AAPL\",\"new_symbol\":"
           "\"BRK.B\",\"ex_date\":\"2026-08-10\",\"new_rate\":1,\"source_rate\":4},"
           "{\"source_symbol\":\"AAPL\",\"ex_date\":\"2026-08-11\"}],\"stock_mergers\":[{"
           "\"source_symbol\":\"AAPL\",\"new_symbol\":\"X\",\"ex_date\":\"2026-08-12\"}]},"
           "\"next_page_token\":null}");
    cr_assert_eq(alpaca_get_corporate_actions(alpaca, NAMES, 2, first, date_add(first, 30),
                                              take_action, &days, NULL),
                 ERR_OK);
    cr_assert_eq(days.count, 4);
    cr_expect(days.split[0].is_spin_off);
    cr_expect_str_eq(days.split[0].new_symbol, "BRK.B");
    cr_expect_eq(days.split[0].new_rate.nanos, NANOS);
    cr_expect_eq(days.split[0].old_rate.nanos, 4 * NANOS);
    cr_expect_eq(days.index[1], 1);
    cr_expect_not(days.split[1].is_spin_off, "what is given");
    cr_expect_not(days.split[2].is_spin_off, "of what it does not say");
    cr_expect_not(days.split[3].is_spin_off, "another kind");
    alpaca_destroy(alpaca);
}

Test(alpaca, a_corporate_action_without_a_day_is_no_answer) {
    static const char *const bodies[] = {
        "{\"corporate_actions\":{\"x\":[{\"symbol\":\"AAPL\"}]},\"next_page_token\":null}",
        "{\"corporate_actions\":{\"x\":[{\"ex_date\":\"2026-13-01\"}]},\"next_page_token\":null}",
        "{\"corporate_actions\":{\"x\":{}},\"next_page_token\":null}",
        "{\"corporate_actions\":null,\"next_page_token\":null}",
        "{}",
        "[]"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct days days = {0};
        struct date first = date_from_civil(2026, 8, 1);
        answer(&fake, 200, bodies[i]);
        cr_expect_eq(
            alpaca_get_corporate_actions(alpaca, NAMES, 2, first, first, take_action, &days, NULL),
            ERR_PARSE, "%s", bodies[i]);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, an_equal_list_reuses_its_parse_and_a_changed_one_does_not) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    static struct broker_position out[ALPACA_POSITIONS_MAX];
    struct err err = {0};
    const char *one = "[{\"symbol\":\"AAPL\",\"qty\":\"-2\",\"avg_entry_price\":\"231.05\","
                      "\"current_price\":null,\"qty_available\":\"-1\"}]";
    const char *two = "[{\"symbol\":\"AAPL\",\"qty\":\"-3\",\"avg_entry_price\":\"231.05\","
                      "\"current_price\":\"230\",\"qty_available\":\"-1\"}]";
    const char *const bodies[] = {one, one, two, "[{}]", one, "[]"};
    static const struct {
        enum err_code code;
        size_t count;
        int64_t qty;
    } wanted[] = {{ERR_OK, 1, -2},    {ERR_OK, 1, -2}, {ERR_OK, 1, -3},
                  {ERR_PARSE, 1, -3}, {ERR_OK, 1, -2}, {ERR_OK, 0, -2}};
    size_t count = 0;
    for (size_t i = 0; i < 6; i++) {
        answer(&fake, 200, bodies[i]);
        cr_assert_eq(alpaca_get_positions(alpaca, out, &count, &err), wanted[i].code);
        cr_assert_eq(count, wanted[i].count, "%zu", i);
        cr_assert_eq(out[0].qty.nanos, wanted[i].qty * NANOS, "%zu", i);
    }
    cr_assert_str_eq(err.text, "GET /v2/positions: position 1: symbol: missing");
    cr_assert_not(out[0].has_price);
    alpaca_destroy(alpaca);
}

Test(alpaca, open_orders_are_read_field_by_field) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    static struct broker_order out[ALPACA_ORDERS_MAX];
    struct err err = {0};
    size_t count = 0;
    answer(&fake, 200,
           "[" ORDER("o1", "st-2026-09-01-1", "new", PLAIN) "," ORDER(
               "o2", "c2", "pending_review_by_somebody_new",
               ",\"qty\":null,\"filled_qty\":\"1.5\",\"filled_avg_price\":\"231.0512345678901\","
               "\"limit_price\":\"230\"") "]");
    cr_assert_eq(alpaca_get_open_orders(alpaca, out, &count, &err), ERR_OK, "%s", err.text);
    cr_assert_str_eq(fake.sent[0], "GET /v2/orders?status=open&limit=500&nested=false ");
    cr_assert_eq(count, 2);
    cr_assert_str_eq(out[0].client_id, "st-2026-09-01-1");
    cr_assert_eq(out[0].status, STATUS_NEW);
    cr_assert_eq(out[0].side, SIDE_SELL);
    cr_assert_eq(out[0].type, ORDER_STOP);
    cr_assert_eq(out[0].tif, TIF_GTC);
    cr_assert(out[0].has_stop && !out[0].has_limit && !out[0].has_avg);
    cr_assert_eq(out[0].stop_price.nanos, INT64_C(225500000000));
    cr_assert_eq(out[0].submitted_at.ns % NANOS, 123456);
    cr_assert_eq(out[1].status, STATUS_OTHER);
    cr_assert_str_eq(out[1].status_word, "pending_review_by_someb", "cut to what fits");
    cr_assert_eq(out[1].qty.nanos, 0);
    cr_assert_eq(out[1].filled_avg_price.nanos, INT64_C(231051234567));
    cr_assert(out[1].has_avg && out[1].has_limit);
    alpaca_destroy(alpaca);
}

#define LEG(status, filled)                                                                        \
    "{\"id\":\"s1\",\"client_order_id\":\"x\",\"symbol\":\"AAPL\",\"type\":\"stop\",\"side\":"     \
    "\"sell\","                                                                                    \
    "\"time_in_force\":\"gtc\",\"qty\":\"10\",\"filled_qty\":\"" filled                            \
    "\",\"filled_avg_price\":\"90\",\"stop_price\":\"96.5\",\"status\":\"" status                  \
    "\",\"order_class\":\"oco\",\"legs\":null}"
#define REPLACED_LEG                                                                               \
    "{\"id\":\"s0\",\"client_order_id\":\"x\",\"symbol\":\"AAPL\",\"type\":\"stop\","              \
    "\"side\":\"sell\",\"time_in_force\":\"gtc\",\"qty\":\"10\",\"filled_qty\":\"0\","             \
    "\"stop_price\":\"95\",\"status\":\"replaced\",\"replaced_by\":\"s2\","                        \
    "\"order_class\":\"oco\",\"legs\":null}"
#define GROUP(status, filled, legs)                                                                \
    "{\"id\":\"t1\",\"client_order_id\":\"st-2026-09-01-1\",\"symbol\":\"AAPL\",\"type\":"         \
    "\"limit\","                                                                                   \
    "\"side\":\"sell\",\"time_in_force\":\"gtc\",\"qty\":\"10\",\"filled_qty\":\"" filled          \
    "\",\"filled_avg_price\":\"120\",\"limit_price\":\"120\",\"status\":\"" status                 \
    "\",\"order_class\":\"oco\",\"legs\":" legs "}"

Test(alpaca, an_oco_with_its_stop_inside_is_one_order) {
    static const struct {
        const char *body, *leg;
        enum broker_status status;
        int64_t filled, average;
        bool has_legs, is_alone;
    } rows[] = {
        {GROUP("new", "0", "[" LEG("held", "0") "]"), "s1", STATUS_NEW, 0, 0, true, false},
        {GROUP("pending_new", "0", "[" LEG("held", "0") "]"), "s1", STATUS_PENDING_NEW, 0, 0, true,
         false},
        {GROUP("new", "0", "[" LEG("canceled", "0") "]"), "", STATUS_NEW, 0, 0, true, false},
        {GROUP("canceled", "0", "[" LEG("new", "0") "]"), "s1", STATUS_NEW, 0, 0, true, true},
        {GROUP("canceled", "4", "[" LEG("partially_filled", "2") "]"), "s1",
         STATUS_PARTIALLY_FILLED, 6, 110, true, true},
        {GROUP("canceled", "0", "[" LEG("held", "0") "]"), "s1", STATUS_HELD, 0, 0, true, true},
        {GROUP("canceled", "0", "[" LEG("filled", "10") "]"), "", STATUS_FILLED, 10, 90, true,
         false},
        {GROUP("canceled", "0", "[" LEG("canceled", "0") "]"), "", STATUS_CANCELED, 0, 0, true,
         false},
        {GROUP("filled", "10", "[" LEG("held", "0") "]"), "s1", STATUS_FILLED, 10, 120, true,
         false},
        /* one that a person re-priced goes on as its successor, told beside it or not */
        {GROUP("new", "0", "[" REPLACED_LEG "]"), "s2", STATUS_NEW, 0, 0, true, false},
        {GROUP("canceled", "0", "[" REPLACED_LEG "]"), "s2", STATUS_HELD, 0, 0, true, true},
        {GROUP("new", "0", "[" REPLACED_LEG "," LEG("held", "0") "]"), "s1", STATUS_NEW, 0, 0, true,
         false},
        {GROUP("new", "0", "[" LEG("held", "0") "," REPLACED_LEG "]"), "s1", STATUS_NEW, 0, 0, true,
         false},
        {GROUP("canceled", "0", "[" LEG("canceled", "0") "," LEG("filled", "10") "]"), "",
         STATUS_FILLED, 10, 90, true, false},
        {GROUP("replaced", "3", "[" LEG("held", "0") "]"), "", STATUS_REPLACED, 3, 120, false,
         false},
        {GROUP("new", "0", "null"), "", STATUS_NEW, 0, 0, false, false},
        {GROUP("new", "0", "[]"), "", STATUS_NEW, 0, 0, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_order order = {0};
        struct err err = {0};
        alpaca_nest_legs(alpaca, true);
        answer(&fake, 200, rows[i].body);
        cr_assert_eq(alpaca_get_order(alpaca, "t1", &order, &err), ERR_OK, "%zu: %s", i, err.text);
        cr_expect_str_eq(fake.sent[0], "GET /v2/orders/t1?nested=true ");
        cr_expect(order.is_oco);
        cr_expect_eq(order.type, ORDER_LIMIT);
        cr_expect_str_eq(order.id, "t1");
        cr_expect_str_eq(order.leg_id, rows[i].leg, "%zu", i);
        cr_expect_eq(order.status, rows[i].status, "%zu: %s", i, order.status_word);
        cr_expect_eq(order.filled_qty.nanos, QTY(rows[i].filled).nanos, "%zu", i);
        cr_expect(rows[i].filled == 0 || order.filled_avg_price.nanos == USD(rows[i].average).nanos,
                  "%zu", i);
        cr_expect_eq(order.has_legs, rows[i].has_legs, "%zu", i);
        cr_expect_eq(order.is_leg_alone, rows[i].is_alone, "%zu", i);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, legs_that_are_no_one_stop_say_nothing_of_it_and_those_of_others_are_left) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct broker_order order = {0};
    struct err err = {0};
    static const char *const unclear[] = {
        GROUP("new", "0", "[" LEG("held", "0") "," LEG("held", "0") "]"),
        GROUP("new", "0", "[{\"id\":\"s1\"}]"), GROUP("new", "0", "[" LEG("replaced", "0") "]")};
    for (size_t i = 0; i < sizeof unclear / sizeof unclear[0]; i++) {
        answer(&fake, 200, unclear[i]);
        cr_expect_eq(alpaca_get_order(alpaca, "t1", &order, &err), ERR_OK, "%s", err.text);
        cr_expect_str_eq(fake.sent[0], "GET /v2/orders/t1? ");
        cr_expect(order.is_oco);
        cr_expect(order.are_legs_unclear);
        cr_expect_not(order.has_legs);
        cr_expect_eq(order.status, STATUS_NEW);
    }
    answer(&fake, 200, ORDER("o1", "c1", "new", PLAIN));
    cr_expect_eq(alpaca_get_order(alpaca, "o1", &order, &err), ERR_OK);
    cr_expect_not(order.is_oco);
    alpaca_destroy(alpaca);
}

Test(alpaca, an_oco_is_sent_with_both_exits_and_listed_as_one) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    static struct broker_order out[ALPACA_ORDERS_MAX];
    struct broker_order order = {0};
    struct err err = {0};
    size_t count = 0;
    struct order_request request = {.client_id = "st-2026-09-01-1",
                                    .symbol = "AAPL",
                                    .side = SIDE_SELL,
                                    .type = ORDER_LIMIT,
                                    .tif = TIF_GTC,
                                    .qty = QTY(10),
                                    .limit_price = USD(120),
                                    .stop_price = {INT64_C(96500000000)},
                                    .is_oco = true,
                                    .is_closing = true};
    answer(&fake, 200, GROUP("pending_new", "0", "[" LEG("held", "0") "]"));
    cr_assert_eq(alpaca_submit(alpaca, &request, (struct mono){9}, &order, &err), ERR_OK, "%s",
                 err.text);
    cr_expect_str_eq(
        fake.sent[0],
        "POST /v2/orders? {\"symbol\":\"AAPL\",\"qty\":\"10\",\"side\":\"sell\",\"type\":"
        "\"limit\",\"time_in_force\":\"gtc\",\"order_class\":\"oco\",\"take_profit\":"
        "{\"limit_price\":\"120\"},\"stop_loss\":{\"stop_price\":\"96.5\"},"
        "\"client_order_id\":\"st-2026-09-01-1\",\"position_intent\":\"sell_to_close\"}");
    cr_expect_str_eq(order.leg_id, "s1");
    alpaca_nest_legs(alpaca, true);
    answer(&fake, 200, "[" GROUP("new", "0", "[" LEG("held", "0") "]") "]");
    cr_assert_eq(alpaca_get_open_orders(alpaca, out, &count, &err), ERR_OK);
    cr_expect_str_eq(fake.sent[1], "GET /v2/orders?status=open&limit=500&nested=true ");
    cr_expect_eq(count, 1);
    alpaca_destroy(alpaca);
}

Test(alpaca, every_status_word_is_known) {
    static const char *const words[] = {"new",
                                        "partially_filled",
                                        "filled",
                                        "done_for_day",
                                        "canceled",
                                        "expired",
                                        "replaced",
                                        "pending_cancel",
                                        "pending_replace",
                                        "accepted",
                                        "pending_new",
                                        "accepted_for_bidding",
                                        "stopped",
                                        "rejected",
                                        "suspended",
                                        "calculated",
                                        "held"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char body[1024];
        snprintf(body, sizeof body, "%s\"%s\"}",
                 "{\"id\":\"o\",\"client_order_id\":\"c\",\"symbol\":\"A\",\"side\":\"buy\","
                 "\"type\":\"trailing_stop\",\"time_in_force\":\"opg\",\"filled_qty\":\"0\","
                 "\"status\":",
                 words[i]);
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_order order = {0};
        answer(&fake, 200, body);
        cr_assert_eq(alpaca_get_order(alpaca, "o", &order, NULL), ERR_OK);
        cr_assert_str_eq(broker_status_word(order.status), words[i]);
        cr_assert_eq(order.type, ORDER_TYPE_OTHER);
        cr_assert_eq(order.tif, TIF_OTHER);
        bool is_terminal = i == 2 || i == 4 || i == 5 || i == 6 || i == 13;
        cr_assert_eq(broker_status_is_terminal(order.status), is_terminal, "%s", words[i]);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, an_absurd_order_is_refused_by_name_and_place) {
    static const struct {
        const char *body, *text;
    } table[] = {
        {"[" ORDER("o1", "c", "new", PLAIN) ",7]", "order 2: not an object"},
        {"[" ORDER("", "c", "new", PLAIN) "]", "order 1: id: empty"},
        {"[" ORDER("o", "c", "new", ",\"qty\":\"-1\",\"filled_qty\":\"0\"") "]",
         "order 1: qty: below zero"},
        {"[" ORDER("o", "c", "new", ",\"filled_qty\":\"0.0000000001\"") "]",
         "order 1: filled_qty: '0.0000000001' has more than nine decimals"},
        {"[" ORDER("o", "c", "new", "") "]", "order 1: filled_qty: missing"},
        {"[" ORDER("o", "c", "new", ",\"filled_qty\":\"0\",\"side\":\"both\"") "]",
         "order 1: side: 'both' is neither buy nor sell"},
        {"[" ORDER("o", "c", "new", ",\"filled_qty\":\"0\",\"submitted_at\":\"yesterday\"") "]",
         "order 1: submitted_at: 'yesterday' is not a time of 1970 to 2199"},
        {"[" ORDER("o", "c", "new", ",\"filled_qty\":\"0\",\"symbol\":\"AAPL240119C00100000\"") "]",
         "order 1: symbol: 'AAPL240119C00100000' is longer than 15 characters"},
        {"{}", "not an array"},
    };
    static struct broker_order out[ALPACA_ORDERS_MAX];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct err err = {0};
        size_t count = 77;
        char wanted[256];
        snprintf(wanted, sizeof wanted, "GET /v2/orders: %s", table[i].text);
        answer(&fake, 200, table[i].body);
        cr_assert_eq(alpaca_get_open_orders(alpaca, out, &count, &err), ERR_PARSE);
        cr_assert_str_eq(err.text, wanted);
        cr_assert_eq(count, 77);
        alpaca_destroy(alpaca);
    }
}

/* Orders first..first+n-1, one second apart; owned. */
static char *orders_page(int first, int n) {
    struct text text = {0};
    text_add_char(&text, '[');
    for (int i = first; i < first + n; i++) {
        struct utc at = {INT64_C(1788200000000000000) + i * NANOS};
        text_add_format(&text, "%s{\"id\":\"o%d\",\"client_order_id\":\"c%d\",\"submitted_at\":\"",
                        i == first ? "" : ",", i, i);
        text_add_utc(&text, at);
        text_add(&text, "\",\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"limit\","
                        "\"time_in_force\":\"day\",\"filled_qty\":\"0\",\"status\":\"new\"}");
    }
    text_add_char(&text, ']');
    return text.data;
}

Test(alpaca, a_full_page_of_open_orders_is_beyond_the_limit) {
    static struct broker_order out[ALPACA_ORDERS_MAX];
    for (int n = 499; n <= 500; n++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        size_t count = 0;
        char *page = orders_page(0, n);
        answer(&fake, 200, page);
        cr_assert_eq(alpaca_get_open_orders(alpaca, out, &count, NULL),
                     n == 499 ? ERR_OK : ERR_LIMIT);
        cr_assert_eq(count, n == 499 ? 499 : 0);
        free(page);
        alpaca_destroy(alpaca);
    }
}

struct taken { /* by alpaca_get_orders_since(), in its order */
    size_t count;
    bool is_in_order;
};

static void take_numbered(void *context, const struct broker_order *order) {
    struct taken *taken = context;
    char id[ORDER_ID_MAX];
    (void)snprintf(id, sizeof id, "o%zu", taken->count++);
    taken->is_in_order = (taken->count == 1 || taken->is_in_order) && strcmp(order->id, id) == 0;
}

static const struct utc BEFORE_FIRST = {INT64_C(1788200000000000000) - NANOS};

Test(alpaca, orders_since_are_paged_and_each_comes_once) {
    char *full = orders_page(0, 500);
    char *next = orders_page(499, 500);
    char *more = orders_page(998, 3);
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct taken taken = {0};
    answer(&fake, 200, full);
    answer(&fake, 200, next);
    answer(&fake, 200, more);
    cr_assert_eq(alpaca_get_orders_since(alpaca, BEFORE_FIRST, take_numbered, &taken, &err), ERR_OK,
                 "%s", err.text);
    cr_expect_eq(taken.count, 1001);
    cr_expect(taken.is_in_order);
    cr_assert_str_eq(fake.sent[0], "GET /v2/orders?status=all&limit=500&direction=asc&nested=false"
                                   "&after=2026-08-31T18:13:19Z ");
    cr_assert_str_eq(fake.sent[1], "GET /v2/orders?status=all&limit=500&direction=asc&nested=false"
                                   "&after=2026-08-31T18:21:38.999999999Z ");
    free(full);
    free(next);
    free(more);
    alpaca_destroy(alpaca);
}

Test(alpaca, a_server_that_ignores_after_ends_the_walk) {
    char *full = orders_page(0, 500);
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct taken taken = {0};
    answer(&fake, 200, full);
    answer(&fake, 200, full);
    cr_assert_eq(alpaca_get_orders_since(alpaca, BEFORE_FIRST, take_numbered, &taken, &err),
                 ERR_LIMIT);
    cr_assert_str_eq(err.text, "GET /v2/orders: the pages of orders do not end");
    cr_expect_eq(taken.count, 500);
    free(full);
    alpaca_destroy(alpaca);
}

/* Six orders of one instant lie over the edge of a page: the next one has all of them, in another order. */
Test(alpaca, orders_of_one_instant_over_the_edge_of_a_page_come_once) {
    const struct utc last = {INT64_C(1788200000000000000) + 497 * NANOS};
    const int tied[] = {497, 498, 499, 501, 500, 499, 498, 497};
    char *full = orders_page(0, 500);
    struct text next = {0};
    char at[64];
    struct text stamp = {0};
    text_add_utc(&stamp, last);
    (void)snprintf(at, sizeof at, "\"submitted_at\":\"%s", text_get(&stamp));
    for (int i = 498; i < 500; i++) { /* the last two of the page are of the instant of 497 */
        char *order = strstr(full, i == 498 ? "\"o498\"" : "\"o499\"");
        char *time = strstr(order, "\"submitted_at\"");
        memcpy(time, at, strlen(at));
    }
    for (size_t i = 0; i < sizeof tied / sizeof tied[0]; i++) {
        text_add_format(&next, "%s{\"id\":\"o%d\",\"client_order_id\":\"c\",%s\",",
                        i == 0 ? "[" : ",", tied[i], at);
        text_add(&next, "\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"limit\","
                        "\"time_in_force\":\"day\",\"filled_qty\":\"0\",\"status\":\"new\"}");
    }
    text_add_char(&next, ']');
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct taken taken = {0};
    answer(&fake, 200, full);
    answer(&fake, 200, text_get(&next));
    cr_expect_eq(alpaca_get_orders_since(alpaca, BEFORE_FIRST, take_numbered, &taken, NULL),
                 ERR_OK);
    cr_expect_eq(taken.count, 502);
    free(full);
    text_release(&next);
    text_release(&stamp);
    alpaca_destroy(alpaca);
}

static const struct order_request STOP = {.client_id = "st-2026-09-01-1",
                                          .symbol = "AAPL",
                                          .side = SIDE_SELL,
                                          .type = ORDER_STOP_LIMIT,
                                          .tif = TIF_GTC,
                                          .qty = {2 * NANOS},
                                          .limit_price = {INT64_C(224050000000)},
                                          .stop_price = {INT64_C(225500000000)},
                                          .is_closing = true};

Test(alpaca, submit_writes_decimals_as_strings_with_intent_and_expiry) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct broker_order order = {0};
    struct err err = {0};
    answer(&fake, 200, ORDER("o1", "st-2026-09-01-1", "pending_new", PLAIN));
    cr_assert_eq(alpaca_submit(alpaca, &STOP, (struct mono){5}, &order, &err), ERR_OK, "%s",
                 err.text);
    cr_assert_str_eq(
        fake.sent[0],
        "POST /v2/orders? "
        "{\"symbol\":\"AAPL\",\"qty\":\"2\",\"side\":\"sell\",\"type\":\"stop_limit\","
        "\"time_in_force\":\"gtc\",\"limit_price\":\"224.05\",\"stop_price\":\"225.5\","
        "\"client_order_id\":\"st-2026-09-01-1\",\"position_intent\":\"sell_to_close\"}");
    cr_assert(fake.last.is_change && fake.last.has_expiry);
    cr_assert_eq(fake.last.expires_at.ns, 5);
    cr_assert_eq(fake.deadline.ns, SPAN_S(5).ns);
    cr_assert_eq(order.status, STATUS_PENDING_NEW);
    struct order_request buy = STOP;
    buy.side = SIDE_BUY;
    buy.type = ORDER_MARKET;
    buy.tif = TIF_DAY;
    buy.is_closing = false;
    answer(&fake, 200, ORDER("o1", "st-2026-09-01-1", "pending_new", PLAIN));
    cr_assert_eq(alpaca_submit(alpaca, &buy, (struct mono){5}, &order, &err), ERR_OK);
    cr_assert_str_eq(fake.sent[1],
                     "POST /v2/orders? {\"symbol\":\"AAPL\",\"qty\":\"2\",\"side\":\"buy\","
                     "\"type\":\"market\",\"time_in_force\":\"day\",\"client_order_id\":"
                     "\"st-2026-09-01-1\",\"position_intent\":\"buy_to_open\"}");
    alpaca_destroy(alpaca);
}

Test(alpaca, a_submit_is_refused_unknown_or_not_sent_and_never_confused) {
    static const struct {
        struct step step;
        enum err_code code;
    } table[] = {
        {{.status = 403, .body = "{\"code\":40310000,\"message\":\"insufficient buying power\"}"},
         ERR_REFUSED},
        {{.status = 401, .body = "<html>nginx</html>"}, ERR_REFUSED},
        {{.status = 422, .body = "{\"code\":42210000,\"message\":\"sub-penny\"}"}, ERR_REFUSED},
        {{.status = 429, .body = "{\"message\":\"too many requests.\"}"}, ERR_REFUSED},
        {{.status = 408, .body = ""}, ERR_UNKNOWN},
        {{.status = 500, .body = "{}"}, ERR_UNKNOWN},
        {{.status = 504, .body = "<html>"}, ERR_UNKNOWN},
        {{.status = 302, .body = ""}, ERR_UNKNOWN},
        {{.status = 200, .body = ""}, ERR_UNKNOWN},
        {{.status = 200, .body = "{\"id\":\"o1\"}"}, ERR_UNKNOWN},
        {{.status = 200, .body = ORDER("o1", "another-id", "new", PLAIN)}, ERR_UNKNOWN},
        {{.code = ERR_UNKNOWN}, ERR_UNKNOWN},
        {{.code = ERR_NOT_SENT}, ERR_NOT_SENT},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_order order = {.qty = {42}};
        struct err err = {0};
        fake.steps[fake.step_count++] = table[i].step;
        cr_assert_eq(alpaca_submit(alpaca, &STOP, (struct mono){5}, &order, &err), table[i].code,
                     "row %zu: %s", i, err.text);
        cr_assert_eq(err.code, table[i].code, "row %zu", i);
        cr_assert_eq(order.qty.nanos, 42);
        cr_assert_eq(fake.performed, 1, "never again by itself");
        cr_assert_not(alpaca_reply(alpaca)->is_duplicate_id);
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, a_used_id_is_found_by_asking_not_by_wording) {
    static const struct {
        struct step ask;
        enum err_code code;
        bool is_duplicate;
    } table[] = {
        {{.status = 200, .body = ORDER("o1", "st-2026-09-01-1", "new", PLAIN)}, ERR_REFUSED, true},
        {{.status = 404, .body = "{\"code\":40410000}"}, ERR_REFUSED, false},
        {{.status = 500, .body = ""}, ERR_UNKNOWN, false},
        {{.status = 200, .body = "garbage"}, ERR_UNKNOWN, false},
        {{.code = ERR_UNKNOWN}, ERR_UNKNOWN, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 40, 20);
        struct broker_order order = {0};
        struct err err = {0};
        answer(&fake, 422, "{\"code\":40010001,\"message\":\"qty must be > 0\"}");
        fake.steps[fake.step_count++] = table[i].ask;
        cr_assert_eq(alpaca_submit(alpaca, &STOP, (struct mono){5}, &order, &err), table[i].code,
                     "row %zu: %s", i, err.text);
        cr_assert_eq(alpaca_reply(alpaca)->is_duplicate_id, table[i].is_duplicate, "row %zu", i);
        cr_assert_eq(alpaca_reply(alpaca)->status, 422, "the reply is the submit's");
        cr_assert_eq(alpaca_reply(alpaca)->code, 40010001);
        cr_assert_str_eq(fake.sent[1], "GET /v2/orders:by_client_order_id?client_order_id="
                                       "st-2026-09-01-1 ");
        alpaca_destroy(alpaca);
    }
}

Test(alpaca, replace_sends_what_changes_and_cancel_asks_by_id) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct broker_order order = {0};
    struct err err = {0};
    struct order_change change = {.client_id = "n2", .stop_price = {NANOS}};
    answer(&fake, 200, ORDER("o2", "n2", "accepted", PLAIN));
    cr_assert_eq(alpaca_replace(alpaca, "o/1", &change, (struct mono){9}, &order, &err), ERR_OK);
    cr_assert_str_eq(fake.sent[0],
                     "PATCH /v2/orders/o%2F1? {\"stop_price\":\"1\",\"client_order_id\":\"n2\"}");
    cr_assert_str_eq(order.id, "o2");
    answer(&fake, 200, "{}");
    cr_assert_eq(alpaca_replace(alpaca, "o1", &change, (struct mono){9}, &order, &err),
                 ERR_UNKNOWN);
    static const struct {
        int status;
        enum err_code code;
    } table[] = {{204, ERR_OK}, {404, ERR_NOT_FOUND}, {422, ERR_REFUSED}, {500, ERR_UNKNOWN}};
    for (size_t i = 0; i < 4; i++) {
        answer(&fake, table[i].status, "");
        cr_assert_eq(alpaca_cancel(alpaca, "o1", &err), table[i].code);
        cr_assert_str_eq(fake.sent[2 + i], "DELETE /v2/orders/o1? ");
        cr_assert_eq(fake.deadline.ns, SPAN_S(3).ns);
    }
    alpaca_destroy(alpaca);
}

Test(alpaca, the_order_of_an_answer_must_be_the_one_asked_for) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct broker_order order = {0};
    answer(&fake, 200, ORDER("o1", "c1", "new", PLAIN));
    answer(&fake, 200, ORDER("o1", "c1", "new", PLAIN));
    answer(&fake, 200, ORDER("o1", "c1", "new", PLAIN));
    cr_assert_eq(alpaca_get_order(alpaca, "o1", &order, NULL), ERR_OK);
    cr_assert_eq(alpaca_get_order(alpaca, "o2", &order, NULL), ERR_PARSE);
    cr_assert_eq(alpaca_get_order_by_client_id(alpaca, "c2", &order, NULL), ERR_PARSE);
    alpaca_destroy(alpaca);
}

static char *activities_page(int first, int n) {
    struct text text = {0};
    text_add_char(&text, '[');
    for (int i = first; i < first + n; i++) {
        text_add_format(
            &text,
            "%s{\"activity_type\":\"FILL\",\"id\":\"2026::%d\",\"transaction_time\":"
            "\"2026-09-01T13:45:12Z\",\"type\":\"fill\",\"price\":\"231.05\",\"qty\":\"%d\","
            "\"side\":\"sell_short\",\"symbol\":\"A\",\"order_id\":\"o\",\"cum_qty\":\"2\"}",
            i == first ? "" : ",", i, i + 1);
    }
    text_add_char(&text, ']');
    return text.data;
}

Test(alpaca, activities_are_paged_by_the_last_id) {
    static struct broker_activity out[300];
    char *full = activities_page(0, 100);
    char *rest = activities_page(99, 3); /* repeats one */
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    size_t count = 0;
    struct utc after = {INT64_C(1788200000000000000)};
    answer(&fake, 200, full);
    answer(&fake, 200, rest);
    cr_assert_eq(alpaca_get_activities(alpaca, after, "", out, 300, &count, &err), ERR_OK, "%s",
                 err.text);
    cr_assert_eq(count, 102);
    cr_assert_eq(out[101].qty.nanos, 102 * NANOS);
    cr_assert_eq(out[0].side, SIDE_SELL);
    cr_assert_str_eq(fake.sent[1], "GET /v2/account/activities?direction=asc&page_size=100&after="
                                   "2026-08-31T18:13:20Z&page_token=2026%3A%3A99 ");
    answer(&fake, 200, full);
    cr_assert_eq(alpaca_get_activities(alpaca, after, "", out, 100, &count, &err), ERR_OK);
    cr_assert_eq(count, 100, "room for no more: the caller comes back from the last");
    answer(&fake, 200,
           "[{\"activity_type\":\"CSD\",\"id\":\"x\",\"date\":\"2026-09-01\","
           "\"net_amount\":\"-50.5\",\"status\":\"executed\"}]");
    cr_assert_eq(alpaca_get_activities(alpaca, after, "", out, 100, &count, &err), ERR_OK);
    cr_assert_eq(out[0].net_amount.nanos, INT64_C(-50500000000));
    cr_assert_eq(out[0].at.ns, ny_to_utc(date_from_civil(2026, 9, 1), 16, 0).ns);
    answer(&fake, 200, "[{\"activity_type\":\"FILL\",\"id\":\"x\",\"qty\":\"1\"}]");
    cr_assert_eq(alpaca_get_activities(alpaca, after, "", out, 100, &count, &err), ERR_PARSE);
    cr_assert_str_eq(err.text, "GET /v2/account/activities: activity 1: transaction_time: missing");
    answer(&fake, 200, "[]");
    cr_assert_eq(alpaca_get_activities(alpaca, after, "SPIN", out, 100, &count, &err), ERR_OK);
    cr_expect_eq(count, 0);
    free(full);
    free(rest);
    alpaca_destroy(alpaca);
}

static const char UNIVERSE[3][SYMBOL_MAX] = {"MSFT", "BRK.B", "AAPL"};

#define SNAPSHOT_BAR                                                                               \
    "{\"t\":\"2026-09-01T13:30:00Z\",\"o\":230.1,\"h\":231.2,\"l\":229.9,\"c\":231,\"v\":5}"

Test(alpaca, snapshots_are_keyed_by_symbol_alone_and_may_be_null) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct broker_bar bars[3] = {{.volume = 9}};
    answer(&fake, 200,
           "{\"AAPL\":{\"latestTrade\":{},\"minuteBar\":" SNAPSHOT_BAR ",\"dailyBar\":7},"
           "\"BRK.B\":null,\"MSFT\":{\"minuteBar\":null},\"ZZZ\":5}");
    cr_assert_eq(alpaca_get_snapshots(alpaca, UNIVERSE, 3, bars, &err), ERR_OK, "%s", err.text);
    cr_assert_str_eq(fake.sent[0], "GET /v2/stocks/snapshots?symbols=MSFT,BRK.B,AAPL&feed=iex ");
    cr_assert_eq(fake.last.host, HTTP_DATA);
    cr_expect_eq(bars[0].at.ns, 0);
    cr_expect_eq(bars[0].volume, 0, "none is no old one");
    cr_expect_eq(bars[1].at.ns, 0);
    cr_expect_eq(bars[2].close.nanos, INT64_C(231000000000));
    cr_expect_eq(bars[2].volume, 5);
    answer(&fake, 200,
           "{\"MSFT\":{\"minuteBar\":{\"t\":\"2026-09-01T13:30:00Z\",\"o\":1,\"h\":1,\"l\":2,\"c\":"
           "1,\"v\":1}},"
           "\"AAPL\":{\"minuteBar\":" SNAPSHOT_BAR "}}");
    cr_assert_eq(alpaca_get_snapshots(alpaca, UNIVERSE, 3, bars, &err), ERR_OK);
    cr_expect_eq(bars[0].at.ns, 0, "no bar: its low lies above its high");
    cr_expect_eq(bars[2].volume, 5);
    answer(&fake, 200, "{}");
    cr_assert_eq(alpaca_get_snapshots(alpaca, UNIVERSE, 3, bars, &err), ERR_OK);
    cr_expect_eq(bars[2].at.ns, 0);
    answer(&fake, 200,
           "{\"MSFT\":{\"minuteBar\":{\"t\":5}},\"BRK.B\":{\"minuteBar\":7},"
           "\"AAPL\":{\"minuteBar\":" SNAPSHOT_BAR "}}");
    cr_assert_eq(alpaca_get_snapshots(alpaca, UNIVERSE, 3, bars, &err), ERR_OK);
    cr_expect_eq(bars[0].at.ns, 0);
    cr_expect_eq(bars[1].at.ns, 0);
    cr_expect_eq(bars[2].volume, 5, "what nobody can read costs no other symbol its own");
    static const char *const bad[] = {"[]", "null", "{\"AAPL\":{\"minuteBar\":{\"t\":5}}}",
                                      "{\"AAPL\":{\"minuteBar\":5}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bars[2].volume = 77;
        answer(&fake, 200, bad[i]);
        cr_expect_eq(alpaca_get_snapshots(alpaca, UNIVERSE, 3, bars, &err), ERR_PARSE, "%zu", i);
        cr_expect_eq(bars[2].volume, 77, "unchanged");
    }
    alpaca_destroy(alpaca);
}

Test(alpaca, quotes_and_trades_come_in_the_order_asked) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct broker_quote quotes[3];
    answer(
        &fake, 200,
        "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T13:30:00.1234Z\",\"ax\":\"V\",\"ap\":231.06,"
        "\"as\":200,\"bx\":\"V\",\"bp\":231.04,\"bs\":100,\"c\":[\"R\"],\"z\":\"C\"},"
        "\"BRK.B\":null,\"ZZZ\":{},\"MSFT\":{\"t\":\"2026-09-01T13:30:00Z\",\"ap\":0,\"bp\":1}}}");
    cr_assert_eq(alpaca_get_quotes(alpaca, UNIVERSE, 3, quotes, &err), ERR_OK, "%s", err.text);
    cr_assert_str_eq(fake.sent[0],
                     "GET /v2/stocks/quotes/latest?symbols=MSFT,BRK.B,AAPL&feed=iex ");
    cr_assert_eq(fake.last.host, HTTP_DATA);
    cr_assert_eq(quotes[2].ask.nanos, INT64_C(231060000000));
    cr_assert_eq(quotes[2].bid.nanos, INT64_C(231040000000));
    cr_assert_eq(quotes[2].bid_size.nanos, 100 * NANOS);
    cr_assert(quotes[2].is_known && !quotes[1].is_known && quotes[0].is_known);
    cr_assert_eq(quotes[0].ask.nanos, 0);
    answer(&fake, 200,
           "{\"quotes\":{\"AAPL\":{\"t\":\"2026-09-01T13:30:00Z\",\"ap\":1,\"bp\":-1}}}");
    cr_assert_eq(alpaca_get_quotes(alpaca, UNIVERSE, 3, quotes, &err), ERR_PARSE);
    cr_assert_str_eq(err.text, "GET /v2/stocks/quotes/latest: quotes of AAPL: bp: below zero");
    cr_assert_eq(quotes[2].bid.nanos, INT64_C(231040000000), "unchanged");

    struct broker_trade trades[3];
    answer(&fake, 200,
           "{\"trades\":{\"MSFT\":{\"t\":\"2026-09-01T13:30:00.000123456Z\",\"x\":\"V\","
           "\"p\":0.0001,\"s\":7}}}");
    cr_assert_eq(alpaca_get_trades(alpaca, UNIVERSE, 3, trades, &err), ERR_OK);
    cr_assert_eq(trades[0].price.nanos, 100000);
    cr_assert_eq(trades[0].size.nanos, 7 * NANOS);
    cr_assert_not(trades[2].is_known);
    answer(&fake, 200, "{\"trades\":null}");
    cr_assert_eq(alpaca_get_trades(alpaca, UNIVERSE, 3, trades, &err), ERR_OK);
    cr_assert_not(trades[0].is_known, "nothing is known then");
    alpaca_destroy(alpaca);
}

struct seen {
    size_t count;
    size_t index[8];
    struct broker_bar bar[8];
};

static void see_bar(void *context, size_t index, const struct broker_bar *bar) {
    struct seen *seen = context;
    seen->index[seen->count] = index;
    seen->bar[seen->count++] = *bar;
}

#define BAR(minute)                                                                                \
    "{\"t\":\"2026-09-01T13:" minute                                                               \
    ":00Z\",\"o\":230.1,\"h\":231.2,\"l\":229.9,\"c\":231,\"v\":123456,\"n\":1042,\"vw\":230.77}"

Test(alpaca, bars_are_paged_even_inside_a_symbol) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    struct err err = {0};
    struct seen seen = {0};
    struct utc from = {INT64_C(1788269400000000000)};
    answer(&fake, 200, "{\"bars\":{\"AAPL\":[" BAR("30") "]},\"next_page_token\":\"QUF=/+\"}");
    answer(
        &fake, 200,
        "{\"bars\":{\"AAPL\":[" BAR("31") "],\"MSFT\":[" BAR("30") "]},\"next_page_token\":null}");
    cr_assert_eq(alpaca_get_bars(alpaca, UNIVERSE, 3, from, 200, see_bar, &seen, &err), ERR_OK,
                 "%s", err.text);
    cr_assert_str_eq(fake.sent[1],
                     "GET /v2/stocks/bars?symbols=MSFT,BRK.B,AAPL&feed=iex&timeframe=1Min&limit="
                     "10000&adjustment=raw&sort=asc&start=2026-09-01T13:30:00Z&page_token="
                     "QUF%3D%2F%2B ");
    cr_assert_eq(seen.count, 3);
    cr_assert_eq(seen.index[1], 2);
    cr_assert_eq(seen.index[2], 0);
    cr_assert_eq(seen.bar[0].at.ns, from.ns);
    cr_assert_eq(seen.bar[1].close.nanos, 231 * NANOS);
    cr_assert_eq(seen.bar[1].volume, 123456);
    answer(&fake, 200,
           "{\"bars\":{\"AAPL\":[{\"t\":\"2026-09-01T13:30:00Z\",\"o\":1,\"h\":1,"
           "\"l\":2,\"c\":1,\"v\":1}," BAR("31") "],\"MSFT\":[" BAR("31") "]}}");
    cr_assert_eq(alpaca_get_bars(alpaca, UNIVERSE, 3, from, 200, see_bar, &seen, &err), ERR_PARSE);
    cr_assert(alpaca_reply(alpaca)->is_whole);
    cr_assert_eq(seen.count, 5, "the others are read all the same");
    cr_assert_str_eq(err.text, "GET /v2/stocks/bars: bar 1 of AAPL: o, h, l, c: not the prices of "
                               "a bar");
    answer(&fake, 200, "{\"bars\":{\"AAPL\":5}}");
    cr_assert_eq(alpaca_get_bars(alpaca, UNIVERSE, 3, from, 200, see_bar, &seen, &err), ERR_PARSE);
    cr_assert_not(alpaca_reply(alpaca)->is_whole, "an answer that is none");
    answer(&fake, 200, "{\"bars\":{},\"next_page_token\":\"again\"}");
    fake.repeats = true;
    cr_assert_eq(alpaca_get_bars(alpaca, UNIVERSE, 3, from, 200, see_bar, &seen, &err),
                 ERR_NOT_SENT, "a page without end runs into the budget");
    alpaca_destroy(alpaca);
}

/* --- the circuit breaker, as the client asks it --- */

static enum err_code submit(struct alpaca *alpaca, struct fake *fake, enum alpaca_lane lane) {
    const struct order_request request = {
        .client_id = "st-1", .symbol = "AAPL", .type = ORDER_MARKET, .qty = {NANOS}};
    struct broker_order order;
    alpaca_set_lane(alpaca, lane);
    return alpaca_submit(alpaca, &request, mono_add(fake->now, SPAN_S(1)), &order, NULL);
}

static void fail_account(struct alpaca *alpaca, int times) {
    struct broker_account account;
    for (int i = 0; i < times; i++) {
        cr_assert_neq(alpaca_get_account(alpaca, &account, NULL), ERR_OK);
    }
}

Test(circuit_breaker, one_endpoint_that_fails_holds_entries_and_nothing_else) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    answer(&fake, 504, "<html>");
    fake.repeats = true;
    fail_account(alpaca, 4);
    cr_expect_eq(alpaca_open_breakers(alpaca), 0);
    fail_account(alpaca, 1);
    cr_expect_eq(alpaca_open_breakers(alpaca), 1u << ENDPOINT_ACCOUNT);
    cr_expect_eq(submit(alpaca, &fake, ALPACA_LANE_CORE), ERR_NOT_SENT);
    cr_expect(alpaca_reply(alpaca)->is_held_back);
    cr_expect_eq(fake.performed, 5, "no byte of an entry left");
    cr_expect_eq(submit(alpaca, &fake, ALPACA_LANE_EXIT), ERR_UNKNOWN, "an exit did");
    cr_expect_eq(alpaca_cancel(alpaca, "id", NULL), ERR_UNKNOWN, "and a cancel");
    fake.now = mono_add(fake.now, SPAN_S(5));
    fail_account(alpaca, 1);
    fail_account(alpaca, 1);
    cr_expect_eq(fake.performed, 8, "one try in 5 s");
    cr_expect_eq(alpaca_counts(alpaca).barred, 2);
    fake.now = mono_add(fake.now, SPAN_S(60));
    cr_expect_eq(alpaca_open_breakers(alpaca), 0);
    cr_expect_eq(alpaca_tripped_breakers(alpaca), 1u << ENDPOINT_ACCOUNT, "half-open");
    cr_expect_eq(submit(alpaca, &fake, ALPACA_LANE_CORE), ERR_UNKNOWN, "an entry may go");
    alpaca_destroy(alpaca);
}

Test(circuit_breaker, what_is_barred_spends_no_request_and_what_is_held_back_is_no_try) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 6, 40, 20);
    answer(&fake, 504, "<html>");
    fake.repeats = true;
    fail_account(alpaca, 8);
    cr_expect_eq(fake.performed, 5);
    cr_expect_eq(alpaca_counts(alpaca).barred, 3);
    fake.now = mono_add(fake.now, SPAN_S(5));
    fail_account(alpaca, 1);
    cr_expect_eq(fake.performed, 6, "the sixth of six requests was left");
    fake.now = mono_add(fake.now, SPAN_S(5));
    fail_account(alpaca, 1);
    cr_expect_eq(alpaca_counts(alpaca).held_back, 1);
    alpaca_set_lane(alpaca, ALPACA_LANE_OTHER);
    fail_account(alpaca, 1);
    cr_expect_eq(fake.performed, 7, "its five seconds do not begin with what did not leave");
    alpaca_destroy(alpaca);
}

Test(circuit_breaker, a_refusal_is_an_answer_and_what_came_too_late_to_leave_is_none) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    answer(&fake, 403, "{\"code\":40310000,\"message\":\"insufficient buying power\"}");
    fake.repeats = true;
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(submit(alpaca, &fake, ALPACA_LANE_CORE), ERR_REFUSED);
    }
    cr_expect_eq(alpaca_open_breakers(alpaca), 0);
    fake.steps[0] = (struct step){.code = ERR_NOT_SENT};
    const struct order_request request = {
        .client_id = "st-1", .symbol = "AAPL", .type = ORDER_MARKET, .qty = {NANOS}};
    struct broker_order order;
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(alpaca_submit(alpaca, &request, fake.now, &order, NULL), ERR_NOT_SENT);
    }
    cr_expect_eq(alpaca_open_breakers(alpaca), 0, "its time was over: no failure of the broker");
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(submit(alpaca, &fake, ALPACA_LANE_CORE), ERR_NOT_SENT);
    }
    cr_expect_eq(alpaca_open_breakers(alpaca), 1u << ENDPOINT_SUBMIT, "no connection is one");
    alpaca_destroy(alpaca);
}

Test(rate_budget, no_minute_holds_more_than_the_rate) {
    struct rate_budget budget = {0};
    const int64_t rates[RATE_LANES] = {3, 2, 1};
    cr_assert_eq(rate_budget_init(&budget, rates, NULL), ERR_OK);
    struct err err = {0};
    struct mono start = {77};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_CORE, mono_add(start, SPAN_S(i)), &err),
                     ERR_OK);
    }
    struct mono before = {start.ns + SPAN_S(60).ns - 1};
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_CORE, before, &err), ERR_NOT_SENT);
    cr_assert_str_eq(err.text, "rate budget: lane core has none of its 3 requests a minute left; "
                               "again in 1 ms");
    struct mono at = mono_add(start, SPAN_S(60));
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_CORE, at, &err), ERR_OK);
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_CORE, at, &err), ERR_NOT_SENT);
    rate_budget_release(&budget);
}

Test(rate_budget, exits_borrow_from_core_and_nobody_else_borrows) {
    struct rate_budget budget = {0};
    const int64_t rates[RATE_LANES] = {3, 2, 1};
    cr_assert_eq(rate_budget_init(&budget, rates, NULL), ERR_OK);
    struct mono now = {0};
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_OTHER, now, NULL), ERR_OK);
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_OTHER, now, NULL), ERR_NOT_SENT);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_EXIT, now, NULL), ERR_OK, "%d", i);
    }
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_EXIT, now, NULL), ERR_NOT_SENT);
    cr_assert_eq(rate_budget_take(&budget, ALPACA_LANE_CORE, now, NULL), ERR_NOT_SENT);
    rate_budget_release(&budget);
    const int64_t none[RATE_LANES] = {3, 0, 1};
    cr_assert_eq(rate_budget_init(&budget, none, NULL), ERR_USAGE);
}

Test(rate_budget, a_429_closes_core_for_retry_after_but_not_exits) {
    static const struct { int64_t header, pause_s; } table[] = {{0, 5}, {7, 7}, {86400, 120}};
    for (size_t i = 0; i < 3; i++) {
        struct fake fake;
        struct alpaca *alpaca = setup(&fake, 140, 1, 20);
        struct broker_account account = {0};
        struct err err = {0};
        fake.steps[fake.step_count++] =
            (struct step){.status = 429, .body = "{}", .retry_after_s = table[i].header};
        answer(&fake, 200, ACCOUNT);
        answer(&fake, 200, ACCOUNT);
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_REFUSED);
        struct mono closed = fake.now;
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_NOT_SENT);
        cr_assert_eq(fake.performed, 1);
        cr_assert(strstr(err.text, "rate budget") != NULL, "%s", err.text);
        alpaca_set_lane(alpaca, ALPACA_LANE_EXIT);
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_OK, "its own token");
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_NOT_SENT, "core's are shut");
        alpaca_set_lane(alpaca, ALPACA_LANE_CORE);
        fake.now = (struct mono){closed.ns + SPAN_S(table[i].pause_s).ns - 1};
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_NOT_SENT);
        fake.now.ns++;
        cr_assert_eq(alpaca_get_account(alpaca, &account, &err), ERR_OK);
        alpaca_destroy(alpaca);
    }
}

struct dice { /* an entropy that gives one byte for ever, or fails */
    struct entropy seam;
    int byte; /* -1: fails */
};

static enum err_code dice_fill(struct entropy *entropy, void *bytes, size_t n, struct err *err) {
    int byte = ((struct dice *)entropy)->byte;
    if (byte < 0) {
        return err_set(err, ERR_IO, "no entropy");
    }
    memset(bytes, byte, n);
    return ERR_OK;
}

static const struct entropy_ops DICE_OPS = {dice_fill};
static const struct alpaca_reply NO_ANSWER = {.retry_after_s = -1};

/* Fails an attempt begun at a time; how long after it the next is due. */
static struct span fail_at(struct read_backoff *backoff, struct mono at, int byte,
                           const struct alpaca_reply *reply) {
    struct dice dice = {{&DICE_OPS}, byte};
    read_backoff_start(backoff, at);
    read_backoff_note(backoff, ERR_UNKNOWN, reply, SPAN_S(5), SPAN_S(20), &dice.seam);
    return mono_sub(backoff->not_before, at);
}

Test(read_backoff, waits_5_10_20_20_seconds_from_the_attempt_and_starts_anew_after_success) {
    struct read_backoff backoff = {0};
    struct dice dice = {{&DICE_OPS}, 0};
    struct mono now = {1000};
    cr_assert(read_backoff_is_due(&backoff, (struct mono){0}), "nothing failed yet");
    static const int waits_s[] = {5, 10, 20, 20, 20};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
            struct mono due = mono_add(now, SPAN_S(waits_s[i]));
            (void)fail_at(&backoff, now, 0, &NO_ANSWER);
            cr_expect_not(read_backoff_is_due(&backoff, (struct mono){due.ns - 1}), "%zu", i);
            cr_expect(read_backoff_is_due(&backoff, due), "%zu", i);
            now = due;
        }
        read_backoff_note(&backoff, ERR_OK, &NO_ANSWER, SPAN_S(5), SPAN_S(20), &dice.seam);
        cr_expect(read_backoff_is_due(&backoff, now));
    }
}

Test(read_backoff, jitter_takes_off_a_fifth_at_most_and_needs_no_entropy) {
    static const struct {
        int byte;
        int64_t first_ms, second_ms;
    } table[] = {{0, 5000, 10000}, {255, 4000, 8000}, {-1, 5000, 10000}};
    for (size_t i = 0; i < 3; i++) {
        struct read_backoff backoff = {0};
        struct span first = fail_at(&backoff, (struct mono){7}, table[i].byte, &NO_ANSWER);
        struct span second = fail_at(&backoff, (struct mono){7}, table[i].byte, &NO_ANSWER);
        cr_expect_eq(first.ns, table[i].first_ms * 1000000, "%zu", i);
        cr_expect_eq(second.ns, table[i].second_ms * 1000000, "%zu", i);
    }
    struct read_backoff backoff = {0};
    cr_expect_eq(fail_at(&backoff, (struct mono){0}, 0x80, &NO_ANSWER).ns, 4498039216,
                 "0x80808080 of 2^32 - 1 of a second");
}

Test(read_backoff, retry_after_binds_when_it_is_later_and_is_cut_at_two_minutes) {
    static const struct {
        int status;
        int64_t header_s, due_s;
    } table[] = {{429, -1, 5},  {429, 0, 5},     {429, 3, 5},       {429, 4, 6},
                 {503, 30, 32}, {429, 120, 122}, {429, 86400, 122}, {0, 30, 5}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct read_backoff backoff = {0};
        struct alpaca_reply reply = {.status = table[i].status,
                                     .retry_after_s = table[i].header_s,
                                     .last_byte_at = {SPAN_S(2).ns}};
        cr_expect_eq(fail_at(&backoff, (struct mono){0}, 0, &reply).ns, SPAN_S(table[i].due_s).ns,
                     "%zu", i);
    }
}

Test(read_backoff, what_the_budget_held_back_was_no_attempt) {
    struct read_backoff backoff = {0};
    struct alpaca_reply held = {.is_held_back = true, .retry_after_s = -1};
    (void)fail_at(&backoff, (struct mono){0}, 0, &held);
    cr_expect(read_backoff_is_due(&backoff, (struct mono){0}));
    (void)fail_at(&backoff, (struct mono){0}, 0, &NO_ANSWER);
    (void)fail_at(&backoff, (struct mono){0}, 0, &held);
    cr_expect_eq(backoff.failures, 1);
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 1, 1, 1);
    struct broker_account account = {0};
    fake.steps[fake.step_count++] = (struct step){.status = 503, .body = "", .retry_after_s = 9};
    cr_expect_neq(alpaca_get_account(alpaca, &account, NULL), ERR_OK);
    cr_expect_eq(alpaca_reply(alpaca)->retry_after_s, 9);
    cr_expect_not(alpaca_reply(alpaca)->is_held_back);
    cr_expect_eq(alpaca_get_account(alpaca, &account, NULL), ERR_NOT_SENT);
    cr_expect(alpaca_reply(alpaca)->is_held_back);
    cr_expect_eq(alpaca_reply(alpaca)->retry_after_s, -1);
    alpaca_destroy(alpaca);
}

Test(alpaca, create_refuses_what_makes_no_sense) {
    struct fake fake;
    struct alpaca *alpaca = setup(&fake, 140, 40, 20);
    alpaca_destroy(alpaca);
    alpaca = NULL;
    struct alpaca_options options = {.world = &fake.world,
                                     .key_id = "K",
                                     .secret = "S",
                                     .feed = "otc",
                                     .read_deadline = SPAN_S(3),
                                     .submit_deadline = SPAN_S(5),
                                     .slow_deadline = SPAN_S(10),
                                     .rate_core = 1,
                                     .rate_exit = 1,
                                     .rate_other = 1};
    struct err err = {0};
    cr_assert_eq(alpaca_create(&options, &alpaca, &err), ERR_USAGE);
    options.feed = "sip";
    options.rate_exit = 0;
    cr_assert_eq(alpaca_create(&options, &alpaca, &err), ERR_USAGE);
    options.rate_exit = 1;
    options.read_deadline.ns = 0;
    cr_assert_eq(alpaca_create(&options, &alpaca, &err), ERR_USAGE);
    cr_assert_null(alpaca);
}
