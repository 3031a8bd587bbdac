/* http_curl.h - libcurl behind the HTTP seam.
 *
 * GETs go out on a kept-alive connection; whatever changes something on a fresh one that is closed
 * behind it, because libcurl re-sends a request whose kept-alive connection dies. HTTP/1.1 only, no
 * redirects, no proxy, TLS 1.2 or later with the peer verified. Nothing that went through a header is
 * ever logged, and all memory that libcurl frees is wiped first (TLS buffers are OpenSSL's own).
 *
 * What is known decides the error: no byte of the request left -> ERR_NOT_SENT; any byte left and no
 * whole answer -> ERR_UNKNOWN. An answer that ends with the connection, with neither Content-Length nor
 * chunks, cannot be told from a truncated one and is ERR_UNKNOWN. SIGPIPE must be ignored (host_posix). */
#ifndef CORE_LIVE_HTTP_CURL_H
#define CORE_LIVE_HTTP_CURL_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/world/clock.h"
#include "core/world/http.h"

#define HTTP_CURL_CONNECT_TIMEOUT SPAN_MS(2000)
#define HTTP_CURL_TIMEOUT_MIN SPAN_MS(50) /* after the division by speed */
#define HTTP_CURL_HEADERS_MAX 32

struct http_curl;

struct http_curl_options {
    /* "https://host[:port]"; http:// only for 127.0.0.1, localhost, [::1]. NULL: a process that has no such
     * host, whose requests to it are not sent. */
    const char *trading_url;
    const char *data_url;
    struct clock *clock; /* borrowed; expires_at is a reading of its monotonic clock */
    struct ratio speed;  /* real timeouts are the asked ones divided by this; zero means 1 */
    /* For tests: the only authorities to trust, as a PEM file (borrowed); NULL: the system's. Both hosts
     * must then be loopback, so that nobody can be made to trust another Alpaca. */
    const char *ca_file;
};

/* True for a base URL that http_curl_create() takes and whose host is 127.0.0.1, localhost or [::1]. */
bool http_curl_is_loopback(const char *url);

/* Owned by the caller. One thread at a time. ERR_CONFIG for a bad URL (also one with a path, user or
 * query) and for a ca_file with a host that is not loopback, ERR_RANGE for a negative speed, ERR_IO if libcurl does not start. */
enum err_code http_curl_create(const struct http_curl_options *options, struct http_curl **out,
                               struct err *err) MUST_USE;
void http_curl_destroy(struct http_curl *curl);
/* Lives as long as curl. */
struct http *http_curl_seam(struct http_curl *curl);

/* What a simulated Alpaca said of its time in the last answer that did (X-Seatrial-Speed, -Time). */
struct http_served {
    bool is_known;
    struct ratio speed;
    struct utc time; /* the server's clock, then */
    struct utc wall; /* ours, when the header arrived */
};
struct http_served http_curl_served(const struct http_curl *curl);
/* From now on goes by another clock at another speed (> 0): `--clock served`, once http_curl_served()
 * knows. clock is borrowed. */
void http_curl_use_clock(struct http_curl *curl, struct clock *clock, struct ratio speed);

#endif
