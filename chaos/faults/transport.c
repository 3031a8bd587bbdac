/* transport.c - see exchange.h. What goes wrong between core and broker: lines, proxies, answers. */
#include "chaos/faults/exchange.h"
#include "chaos/faults/gate.h"

#include <stdio.h>

#define TLS_TAKES SPAN_MS(100)
#define ROUND_TRIP SPAN_MS(40) /* of an answer that the broker never saw the question of */

static void wait_until(struct exchange *x, struct utc at) {
    const struct utc deadline = utc_add(x->start, x->deadline);
    virtual_clock_advance_to(x->clock, utc_is_before(at, deadline) ? at : deadline);
}

static enum err_code no_answer(struct exchange *x) {
    virtual_clock_advance_to(x->clock, utc_add(x->start, x->deadline));
    return exchange_fail(x, ERR_UNKNOWN, "no answer before the deadline");
}

static void put_page(struct http_response *response, int status, const char *title) {
    http_response_clear(response);
    response->status = status;
    text_add_format(&response->body,
                    "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s"
                    "</h1></center>\r\n</body>\r\n</html>\r\n",
                    status, title, status, title);
}

/* --- the line --- */

static enum err_code answer_lost(struct exchange *x, const struct fault *fault) {
    (void)fault;
    return exchange_pass(x) == ERR_NOT_SENT ? ERR_NOT_SENT : no_answer(x);
}

static enum err_code reset_mid_body(struct exchange *x, const struct fault *fault) {
    (void)fault;
    const enum err_code code = exchange_pass(x);
    return code != ERR_OK ? code
                          : exchange_fail(x, ERR_UNKNOWN, "connection reset inside the answer");
}

static enum err_code timeout_before(struct exchange *x, const struct fault *fault) {
    (void)fault;
    return no_answer(x);
}

static enum err_code late_arrival(struct exchange *x, const struct fault *fault) {
    exchange_send_late(x, fault_delay(fault, SPAN_S(20)));
    return no_answer(x);
}

static enum err_code dns(struct exchange *x, const struct fault *fault) {
    wait_until(x, utc_add(x->start, fault->delay));
    return exchange_fail(x, ERR_NOT_SENT, "the name is not resolved");
}

static enum err_code refused(struct exchange *x, const struct fault *fault) {
    (void)fault;
    return exchange_fail(x, ERR_NOT_SENT, "connection refused");
}

static enum err_code tls(struct exchange *x, const struct fault *fault) {
    (void)fault;
    wait_until(x, utc_add(x->start, TLS_TAKES));
    return exchange_fail(x, ERR_NOT_SENT, "TLS handshake failed");
}

static enum err_code slow(struct exchange *x, const struct fault *fault) {
    const enum err_code code = exchange_pass(x);
    if (code != ERR_OK) {
        return code;
    }
    const struct utc at = utc_add(virtual_clock_now(x->clock), fault_delay(fault, SPAN_S(2)));
    if (utc_is_before(utc_add(x->start, x->deadline), at)) {
        return no_answer(x);
    }
    virtual_clock_advance_to(x->clock, at);
    return ERR_OK;
}

/* --- what arrives --- */

static enum err_code answer_504(struct exchange *x, const struct fault *fault) {
    (void)fault;
    const enum err_code code = exchange_pass(x);
    if (code == ERR_OK) {
        put_page(x->response, 504, "Gateway Time-out");
    }
    return code;
}

static enum err_code html_page(struct exchange *x, const struct fault *fault) {
    (void)fault;
    wait_until(x, utc_add(x->start, ROUND_TRIP));
    put_page(x->response, 200, "Welcome");
    return ERR_OK;
}

static enum err_code truncated(struct exchange *x, const struct fault *fault) {
    const enum err_code code = exchange_pass(x);
    struct text *body = &x->response->body;
    const size_t keep = fault->has_bytes ? (size_t)fault->bytes : body->len / 2;
    if (code == ERR_OK && keep < body->len) {
        body->len = keep;
        body->data[keep] = '\0';
    }
    return code;
}

/* Noise of the same length: no NUL in it, no JSON at its begin. */
static enum err_code garbage(struct exchange *x, const struct fault *fault) {
    (void)fault;
    const enum err_code code = exchange_pass(x);
    struct text *body = &x->response->body;
    for (size_t i = 0; code == ERR_OK && i < body->len; i++) {
        body->data[i] = (char)(0x80 + plan_draw(x->plan, "http.garbage", 0x80));
    }
    return code;
}

/* --- the API says no --- */

static void put_answer(struct http_response *response, int status, const char *body) {
    http_response_clear(response);
    response->status = status;
    text_add(&response->body, body);
}

static enum err_code too_many(struct exchange *x, const struct fault *fault) {
    wait_until(x, utc_add(x->start, ROUND_TRIP));
    put_answer(x->response, 429, "{\"message\": \"too many requests.\"}");
    if (fault->point == POINT_API_429_RETRY_AFTER) {
        x->response->retry_after_s = fault_delay(fault, SPAN_S(30)).ns / NANOS;
    }
    return ERR_OK;
}

static enum err_code refuse(struct exchange *x, const struct fault *fault) {
    wait_until(x, utc_add(x->start, ROUND_TRIP));
    if (fault->point == POINT_API_401) {
        put_answer(x->response, 401, "{\"message\": \"unauthorized.\"}");
    } else if (fault->point == POINT_API_403) {
        put_answer(x->response, 403, "{\"code\":40310000,\"message\":\"forbidden.\"}");
    } else {
        put_answer(x->response, 422, "{\"code\":42210000,\"message\":\"unprocessable.\"}");
    }
    return ERR_OK;
}

static void put_unavailable(struct http_response *response) {
    put_answer(response, 503, "{\"code\":50310000,\"message\":\"service unavailable\"}");
}

enum err_code transport_unavailable(struct exchange *x) {
    wait_until(x, utc_add(x->start, ROUND_TRIP));
    put_unavailable(x->response);
    return ERR_OK;
}

static enum err_code break_down(struct exchange *x, const struct fault *fault) {
    wait_until(x, utc_add(x->start, ROUND_TRIP));
    if (fault->point == POINT_API_500) {
        put_answer(x->response, 500, "");
    } else if (fault->point == POINT_API_502) {
        put_page(x->response, 502, "Bad Gateway");
    } else {
        put_unavailable(x->response);
    }
    return ERR_OK;
}

static enum err_code error_after(struct exchange *x, const struct fault *fault) {
    const enum err_code code = exchange_pass(x);
    const char *body = fault->status == 404
                           ? "{\"code\":40410000,\"message\":\"order not found\"}"
                           : "{\"code\":50010000,\"message\":\"internal server error occurred\"}";
    if (code == ERR_OK) {
        put_answer(x->response, fault->status == 0 ? 500 : (int)fault->status, body);
    }
    return code;
}

struct transport {
    enum fault_point point;
    enum err_code (*perform)(struct exchange *x, const struct fault *fault);
};

static const struct transport transports[] = {
    {POINT_HTTP_ANSWER_LOST, answer_lost},
    {POINT_HTTP_ANSWER_504, answer_504},
    {POINT_HTTP_RESET_MID_BODY, reset_mid_body},
    {POINT_HTTP_TIMEOUT_BEFORE, timeout_before},
    {POINT_HTTP_LATE_ARRIVAL, late_arrival},
    {POINT_HTTP_DNS, dns},
    {POINT_HTTP_REFUSED, refused},
    {POINT_HTTP_TLS, tls},
    {POINT_HTTP_HTML_PAGE, html_page},
    {POINT_HTTP_TRUNCATED, truncated},
    {POINT_HTTP_GARBAGE, garbage},
    {POINT_HTTP_SLOW, slow},
    {POINT_API_429, too_many},
    {POINT_API_429_RETRY_AFTER, too_many},
    {POINT_API_401, refuse},
    {POINT_API_403, refuse},
    {POINT_API_422, refuse},
    {POINT_API_500, break_down},
    {POINT_API_502, break_down},
    {POINT_API_503, break_down},
    {POINT_API_ERROR_AFTER, error_after},
};

enum err_code transport_perform(struct exchange *x) {
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        const struct fault *fault = chaos_ask(x->plan, transports[i].point, x->entity);
        if (fault != NULL) {
            return transports[i].perform(x, fault);
        }
    }
    return exchange_pass(x);
}
