/* http.h - the seam to the broker, and to where the courier takes alerts: one HTTP exchange.
 *
 * The return code says what is known. ERR_OK: a whole answer arrived, whatever its status.
 * ERR_NOT_SENT: no byte of the request left (or expires_at had passed): nothing happened.
 * ERR_UNKNOWN: bytes left, no whole answer: it may have happened. A request that changes something
 * goes out on a fresh connection, because libcurl re-sends on a dead kept-alive one. */
#ifndef CORE_WORLD_HTTP_H
#define CORE_WORLD_HTTP_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stddef.h>

enum http_host { HTTP_TRADING, HTTP_DATA, HTTP_ELSEWHERE };

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {   /* borrowed for the call */
    const char *method; /* "GET", "POST", "PATCH", "DELETE" */
    enum http_host host;
    const char *origin;                /* of HTTP_ELSEWHERE alone: "https://host[:port]" */
    const char *path;                  /* "/v2/orders", no query */
    const char *query;                 /* "status=open&limit=500", percent-encoded; "" for none */
    const struct http_header *headers; /* may hold credentials: never logged or recorded */
    size_t header_count;
    const char *body; /* "" for none */
    size_t body_len;
    bool is_change;         /* POST, PATCH, DELETE */
    bool has_expiry;        /* else expires_at is ignored */
    struct mono expires_at; /* no first byte at or after this: ERR_NOT_SENT */
};

#define HTTP_BODY_MAX ((size_t)16 << 20)
#define HTTP_REQUEST_ID_MAX 64

struct http_response { /* owned by the caller; reuse it, http_response_release() at the end */
    int status;
    struct text body; /* limit HTTP_BODY_MAX */
    char request_id[HTTP_REQUEST_ID_MAX];
    int64_t retry_after_s;        /* -1 when the header is absent, like the next three */
    int64_t rate_limit;           /* X-RateLimit-Limit, requests a minute */
    int64_t rate_limit_remaining; /* X-RateLimit-Remaining */
    int64_t rate_limit_reset_s;   /* X-RateLimit-Reset, UNIX seconds */
    bool has_date;
    struct utc date; /* the Date header */
};

struct http;

struct http_ops {
    enum err_code (*perform)(struct http *http, const struct http_request *request,
                             struct span deadline, struct http_response *response, struct err *err);
    void (*reconnect)(struct http *http); /* NULL: it keeps no connection */
};

struct http {
    const struct http_ops *ops;
};

/* Drops every connection that is kept for reads and what is known of names: the next exchange begins anew. */
static inline void http_reconnect(struct http *http) {
    if (http->ops->reconnect != NULL) {
        http->ops->reconnect(http);
    }
}

/* Performs one exchange within deadline (name resolution included). On failure response is empty
 * with status 0. Errors: ERR_NOT_SENT, ERR_UNKNOWN. */
static inline enum err_code MUST_USE http_perform(struct http *http,
                                                  const struct http_request *request,
                                                  struct span deadline,
                                                  struct http_response *response, struct err *err) {
    return http->ops->perform(http, request, deadline, response, err);
}

/* True for what may stand in a request's target, or as a header's value: a line break or blank would let it
 * become another header or request line. */
static inline bool http_is_target(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= 0x20 || *text == 0x7f || *text == '#') {
            return false;
        }
    }
    return true;
}

/* Empties a response before it is filled; keeps its memory. */
static inline void http_response_clear(struct http_response *response) {
    struct text body = response->body;
    body.limit = HTTP_BODY_MAX;
    *response = (struct http_response){.body = body,
                                       .retry_after_s = -1,
                                       .rate_limit = -1,
                                       .rate_limit_remaining = -1,
                                       .rate_limit_reset_s = -1};
    text_clear(&response->body);
}
static inline void http_response_release(struct http_response *response) {
    text_release(&response->body);
}

#endif
