/* test_faults_http.c - each fault of the line and of the API: what the broker got, what came back, when. */
#include "tests/unit/small_sea.h"

struct line_case {
    enum fault_point point;
    int64_t delay_s; /* 0: the default */
    int posts;       /* that the broker saw */
    enum err_code code;
    int status;
    int64_t elapsed_ms;
    int64_t retry_after_s;
    const char *body; /* begins with */
};

static const struct line_case line_cases[] = {
    {POINT_HTTP_DNS, 0, 0, ERR_NOT_SENT, 0, 0, -1, ""},
    {POINT_HTTP_DNS, 3, 0, ERR_NOT_SENT, 0, 3000, -1, ""},
    {POINT_HTTP_DNS, 60, 0, ERR_NOT_SENT, 0, 5000, -1, ""}, /* not past the deadline */
    {POINT_HTTP_REFUSED, 0, 0, ERR_NOT_SENT, 0, 0, -1, ""},
    {POINT_HTTP_TLS, 0, 0, ERR_NOT_SENT, 0, 100, -1, ""},
    {POINT_HTTP_HTML_PAGE, 0, 0, ERR_OK, 200, 40, -1, "<html>"},
    {POINT_HTTP_TRUNCATED, 0, 1, ERR_OK, 200, 40, -1, "{\"id\":\"x\",\"equity\":"},
    {POINT_HTTP_GARBAGE, 0, 1, ERR_OK, 200, 40, -1, NULL},
    {POINT_HTTP_SLOW, 0, 1, ERR_OK, 200, 2040, -1, "{\"id\":\"x\""},
    {POINT_HTTP_SLOW, 6, 1, ERR_UNKNOWN, 0, 5000, -1, ""},
    {POINT_API_429, 0, 0, ERR_OK, 429, 40, -1, "{\"message\": \"too many requests.\"}"},
    {POINT_API_429_RETRY_AFTER, 0, 0, ERR_OK, 429, 40, 30, "{\"message\""},
    {POINT_API_429_RETRY_AFTER, 7, 0, ERR_OK, 429, 40, 7, "{\"message\""},
    {POINT_API_401, 0, 0, ERR_OK, 401, 40, -1, "{\"message\": \"unauthorized.\"}"},
    {POINT_API_403, 0, 0, ERR_OK, 403, 40, -1, "{\"code\":40310000,"},
    {POINT_API_422, 0, 0, ERR_OK, 422, 40, -1, "{\"code\":42210000,"},
    {POINT_API_500, 0, 0, ERR_OK, 500, 40, -1, ""},
    {POINT_API_502, 0, 0, ERR_OK, 502, 40, -1, "<html>"},
    {POINT_API_503, 0, 0, ERR_OK, 503, 40, -1, "{\"code\":50310000,"},
    {POINT_API_ERROR_AFTER, 0, 1, ERR_OK, 500, 40, -1, "{\"code\":50010000,"},
};

Test(faulty_http, each_fault_of_line_and_api_is_what_its_row_says) {
    for (size_t i = 0; i < sizeof line_cases / sizeof line_cases[0]; i++) {
        const struct line_case *c = &line_cases[i];
        const struct fault fault = {
            .point = c->point, .target = "POST /v2/orders", .delay = SPAN_S(c->delay_s)};
        const char *name = fault_point_name(c->point);
        struct sea sea;
        sea_of(&sea, &fault);
        cr_expect_eq(ask(&sea, "POST", "/v2/orders"), c->code, "%s", name);
        cr_expect_eq(sea.broker.posts, c->posts, "%s", name);
        cr_expect_eq(sea.answer.status, c->status, "%s: %d", name, sea.answer.status);
        cr_expect_eq(elapsed_ms(&sea), c->elapsed_ms, "%s: %lld", name,
                     (long long)elapsed_ms(&sea));
        cr_expect_eq(sea.answer.retry_after_s, c->retry_after_s, "%s", name);
        if (c->body != NULL) {
            cr_expect_eq(strncmp(text_get(&sea.answer.body), c->body, strlen(c->body)), 0, "%s: %s",
                         name, text_get(&sea.answer.body));
            cr_expect(c->body[0] != '\0' || sea.answer.body.len == 0, "%s", name);
        }
        cr_expect_eq(plan_point_fired(sea.plan, c->point), 1, "%s", name);
        must(ask(&sea, "GET", "/v2/account")); /* another target meets nothing */
        cr_expect_str_eq(text_get(&sea.answer.body), account, "%s", name);
        sea_end(&sea);
    }
}

Test(faulty_http, truncation_keeps_the_bytes_it_is_told) {
    static const struct {
        bool has_bytes;
        int64_t bytes;
        size_t left;
    } cases[] = {{false, 0, (sizeof account - 1) / 2},
                 {true, 0, 0},
                 {true, 7, 7},
                 {true, 100000, sizeof account - 1}};
    for (size_t i = 0; i < 4; i++) {
        const struct fault fault = {.point = POINT_HTTP_TRUNCATED,
                                    .has_bytes = cases[i].has_bytes,
                                    .bytes = cases[i].bytes};
        struct sea sea;
        sea_of(&sea, &fault);
        must(ask(&sea, "GET", "/v2/account"));
        cr_expect_eq(sea.answer.body.len, cases[i].left, "case %zu", i);
        cr_expect_eq(strlen(text_get(&sea.answer.body)), cases[i].left);
        cr_expect_eq(memcmp(text_get(&sea.answer.body), account, cases[i].left), 0);
        sea_end(&sea);
    }
}

Test(faulty_http, garbage_has_the_length_but_no_byte_of_json) {
    const struct fault fault = {.point = POINT_HTTP_GARBAGE};
    struct sea sea;
    sea_of(&sea, &fault);
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_eq(sea.answer.body.len, sizeof account - 1);
    bool differs = false;
    for (size_t i = 0; i < sea.answer.body.len; i++) {
        cr_expect((unsigned char)sea.answer.body.data[i] >= 0x80);
        differs |= sea.answer.body.data[i] != sea.answer.body.data[0];
    }
    cr_expect(differs);
    sea_end(&sea);
}

Test(faulty_http, an_error_after_takes_the_status_it_is_told) {
    const struct fault fault = {.point = POINT_API_ERROR_AFTER, .status = 503};
    struct sea sea;
    sea_of(&sea, &fault);
    must(ask(&sea, "POST", "/v2/orders"));
    cr_expect_eq(sea.answer.status, 503);
    cr_expect_eq(sea.broker.posts, 1);
    sea_end(&sea);
}

Test(faulty_http, transient_ends_and_persistent_does_not) {
    for (int i = 0; i < 3; i++) {
        struct fault fault = {.point = POINT_API_503};
        fault.count = i == 1 ? 1 : 0;
        fault.has_until = i == 2;
        fault.until = fault_after(SPAN_S(1));
        struct sea sea;
        sea_of(&sea, &fault);
        must(ask(&sea, "GET", "/v2/account"));
        cr_expect_eq(sea.answer.status, 503);
        virtual_clock_advance(sea.clock, SPAN_S(5));
        must(ask(&sea, "GET", "/v2/account"));
        cr_expect_eq(sea.answer.status, i == 0 ? 503 : 200, "case %d", i);
        sea_end(&sea);
    }
}

Test(faulty_http, a_broken_server_answers_the_reads_of_its_connection_until_a_fresh_one) {
    const struct fault fault = {
        .point = POINT_HTTP_BAD_BACKEND, .target = "GET /v2/account", .count = 1};
    struct sea sea;
    sea_of(&sea, &fault);
    must(ask(&sea, "GET", "/v2/positions"));
    cr_expect_eq(sea.answer.status, 200);
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_eq(sea.answer.status, 503);
    must(ask(&sea, "GET", "/v2/positions")); /* of the same host */
    cr_expect_eq(sea.answer.status, 503);
    must(ask(&sea, "POST", "/v2/orders"));
    cr_expect_eq(sea.answer.status, 200);
    cr_expect_eq(sea.broker.posts, 1);
    http_reconnect(faulty_http_seam(sea.http));
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_eq(sea.answer.status, 200);
    cr_expect_eq(plan_point_fired(sea.plan, POINT_HTTP_BAD_BACKEND), 1);
    sea_end(&sea);
}

Test(faulty_http, a_broken_server_is_left_by_who_dies) {
    const struct fault fault = {.point = POINT_HTTP_BAD_BACKEND, .count = 1};
    struct sea sea;
    sea_of(&sea, &fault);
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_eq(sea.answer.status, 503);
    sea.process.life++;
    must(ask(&sea, "GET", "/v2/account"));
    cr_expect_eq(sea.answer.status, 200);
    sea_end(&sea);
}
