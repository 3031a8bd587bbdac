/* http_curl.c - one libcurl handle, set up anew for each exchange. */
#include "core/live/http_curl.h"

#include "core/base/check.h"
#include "core/live/http_headers.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_URL_MAX 300

struct base {
    char url[BASE_URL_MAX]; /* scheme://host[:port], no slash behind */
    const char *protocols;  /* the one scheme it may use */
    bool is_loopback;
};

struct http_curl {
    struct http seam;
    struct clock *clock;
    struct ratio speed;
    struct base base[3]; /* by enum http_host; that of HTTP_ELSEWHERE is the request's */
    const char *ca_file; /* NULL: the system's authorities */
    CURL *handle;        /* keeps the connections of GETs */
    struct http_served served;
};

/* One exchange, as the callbacks see it. */
struct exchange {
    struct http_curl *curl;
    const struct http_request *request;
    struct http_response *response;
    struct http_headers headers;
    struct curl_slist *lines;
    struct text url;
    bool has_expired;
    bool is_too_long;
    char words[CURL_ERROR_SIZE];
};

/* --- memory: libcurl copies header lines, so what it frees is wiped --- */

static void wiping_free(void *bytes) {
    if (bytes != NULL) {
        explicit_bzero(bytes, malloc_usable_size(bytes));
        free(bytes);
    }
}

static void *wiping_realloc(void *bytes, size_t n) {
    void *grown = malloc(n);
    if (grown == NULL || bytes == NULL) {
        return grown;
    }
    size_t before = malloc_usable_size(bytes);
    memcpy(grown, bytes, before < n ? before : n);
    wiping_free(bytes);
    return grown;
}

/* --- base URLs --- */

static bool is_loopback(const char *host) {
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "[::1]") == 0;
}

/* A part of a parsed URL must be absent. */
static bool lacks(CURLU *url, CURLUPart part) {
    char *value = NULL;
    CURLUcode code = curl_url_get(url, part, &value, 0);
    curl_free(value);
    return code != CURLUE_OK;
}

static enum err_code check_base(CURLU *url, const char *text, const char *scheme, const char *host,
                                const char *path, struct err *err) {
    bool is_https = strcmp(scheme, "https") == 0;
    if (!is_https && strcmp(scheme, "http") != 0) {
        return err_set(err, ERR_CONFIG, "base URL '%.200s': use https://", text);
    }
    if (!is_https && !is_loopback(host)) {
        return err_set(err, ERR_CONFIG,
                       "base URL '%.200s': http is for 127.0.0.1, localhost and [::1]; use https",
                       text);
    }
    if (strcmp(path, "/") != 0 || !lacks(url, CURLUPART_QUERY) || !lacks(url, CURLUPART_FRAGMENT) ||
        !lacks(url, CURLUPART_USER) || !lacks(url, CURLUPART_PASSWORD)) {
        return err_set(err, ERR_CONFIG, "a base URL is scheme, host and port, nothing else");
    }
    return ERR_OK;
}

/* libcurl's own parser decides what the host is, so that no second opinion can be fooled. */
static enum err_code parse_base(const char *text, struct base *out, struct err *err) {
    char *scheme = NULL;
    char *host = NULL;
    char *path = NULL;
    char *port = NULL;
    CURLU *url = curl_url();
    enum err_code code;
    if (url == NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        code = err_set(err, ERR_CONFIG, "a base URL is like https://host or http://127.0.0.1:8080");
        goto out;
    }
    code = check_base(url, text, scheme, host, path, err);
    if (code != ERR_OK) {
        goto out;
    }
    if (strlen(host) > 255) {
        code = err_set(err, ERR_CONFIG, "the host of a base URL has at most 255 bytes");
        goto out;
    }
    (void)snprintf(out->url, sizeof out->url, "%s://%s:%s", scheme, host, port);
    out->is_loopback = is_loopback(host);
    out->protocols = scheme[4] == 's' ? "https" : "http";
out:
    curl_free(port);
    curl_free(path);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
    return code;
}

bool http_curl_is_loopback(const char *url) {
    struct base base = {0};
    return parse_base(url, &base, NULL) == ERR_OK && base.is_loopback;
}

/* --- callbacks --- */

static size_t on_body(char *bytes, size_t one, size_t n, void *context) {
    struct exchange *exchange = context;
    (void)one; /* always 1 */
    text_add_bytes(&exchange->response->body, bytes, n);
    if (exchange->response->body.is_cut) {
        exchange->is_too_long = true;
        return n == 0 ? 1 : 0; /* anything but n ends the transfer */
    }
    return n;
}

static size_t on_header(char *line, size_t one, size_t n, void *context) {
    struct exchange *exchange = context;
    (void)one;
    http_headers_line(&exchange->headers, line, n, clock_utc(exchange->curl->clock));
    return n;
}

static bool is_expired(const struct exchange *exchange) {
    const struct http_request *request = exchange->request;
    return request->has_expiry && clock_mono(exchange->curl->clock).ns >= request->expires_at.ns;
}

/* The connection stands and not a byte of the request is out: the last look at the clock. */
static int on_first_byte(void *context, char *peer, char *self, int peer_port, int self_port) {
    struct exchange *exchange = context;
    (void)peer;
    (void)self;
    (void)peer_port;
    (void)self_port;
    if (is_expired(exchange)) {
        exchange->has_expired = true;
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

/* --- setting up --- */

static bool is_method(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0 ||
           strcmp(method, "PATCH") == 0 || strcmp(method, "DELETE") == 0;
}

static enum err_code check_request(const struct http_request *request, struct err *err) {
    if (!is_method(request->method)) {
        return err_set(err, ERR_NOT_SENT, "method %.20s is not spoken here", request->method);
    }
    if (request->path[0] != '/' || !http_is_target(request->path) ||
        strchr(request->path, '?') != NULL || !http_is_target(request->query)) {
        return err_set(err, ERR_NOT_SENT, "path or query is not percent-encoded");
    }
    if (request->header_count > HTTP_CURL_HEADERS_MAX) {
        return err_set(err, ERR_NOT_SENT, "more than %d headers", HTTP_CURL_HEADERS_MAX);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name[strcspn(header->name, ": \r\n")] != '\0' || header->name[0] == '\0' ||
            header->value[strcspn(header->value, "\r\n")] != '\0') {
            return err_set(err, ERR_NOT_SENT, "header %zu breaks its line", i + 1);
        }
    }
    return ERR_OK;
}

static bool add_line(struct exchange *exchange, const char *line) {
    struct curl_slist *grown = curl_slist_append(exchange->lines, line);
    if (grown != NULL) {
        exchange->lines = grown;
    }
    return grown != NULL;
}

static bool add_header(struct exchange *exchange, const struct http_header *header) {
    char line[1024];
    int n = snprintf(line, sizeof line, "%s: %s", header->name, header->value);
    bool is_added = n > 0 && n < (int)sizeof line && add_line(exchange, line);
    explicit_bzero(line, sizeof line);
    return is_added;
}

static bool add_headers(struct exchange *exchange) {
    const struct http_request *request = exchange->request;
    bool has_type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        has_type = has_type || strcasecmp(request->headers[i].name, "Content-Type") == 0;
        if (!add_header(exchange, &request->headers[i])) {
            return false;
        }
    }
    if (!has_type && !add_line(exchange, request->body_len > 0 ? "Content-Type: application/json"
                                                               : "Content-Type:")) {
        return false;
    }
    /* No "100-continue": it would put a pause between the header and the body of an order. */
    return add_line(exchange, "Expect:");
}

static long timeout_ms(const struct http_curl *curl, struct span asked) {
    int64_t ns = asked.ns;
    if (decimal_mul_div(asked.ns, NANOS, curl->speed.nanos, &ns, NULL) != ERR_OK) {
        ns = asked.ns;
    }
    if (curl->speed.nanos != NANOS && ns < HTTP_CURL_TIMEOUT_MIN.ns) {
        ns = HTTP_CURL_TIMEOUT_MIN.ns;
    }
    int64_t ms = ns / 1000000;
    return ms < 1 ? 1 : ms > 3600000 ? 3600000 : (long)ms;
}

/* Every option of this file goes through here: all are known to this libcurl, so only memory fails. */
#define SET(handle, option, value)                                                                 \
    do {                                                                                           \
        if (curl_easy_setopt((handle), (option), (value)) != CURLE_OK) {                           \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

static bool set_transport(CURL *handle, const struct http_curl *curl, const struct base *base,
                          struct span deadline) {
    long whole = timeout_ms(curl, deadline);
    long connect = timeout_ms(curl, HTTP_CURL_CONNECT_TIMEOUT);
    SET(handle, CURLOPT_PROTOCOLS_STR, base->protocols);
    SET(handle, CURLOPT_NOSIGNAL, 1L);
    SET(handle, CURLOPT_PROXY, ""); /* not even one from the environment */
    SET(handle, CURLOPT_FOLLOWLOCATION, 0L);
    SET(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (curl->ca_file != NULL) {
        SET(handle, CURLOPT_CAINFO, curl->ca_file);
        SET(handle, CURLOPT_CAPATH, NULL);
    }
    SET(handle, CURLOPT_TIMEOUT_MS, whole);
    SET(handle, CURLOPT_CONNECTTIMEOUT_MS, connect < whole ? connect : whole);
    SET(handle, CURLOPT_QUICK_EXIT, 1L); /* never join a resolver that does not answer */
    SET(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(handle, CURLOPT_MAXAGE_CONN, 60L);
    SET(handle, CURLOPT_USERAGENT, "seatrial");
    return true;
}

static bool set_body(CURL *handle, const struct http_request *request) {
    bool is_post = strcmp(request->method, "POST") == 0;
    if (is_post || request->body_len > 0) {
        SET(handle, CURLOPT_POST, 1L);
        SET(handle, CURLOPT_POSTFIELDS, request->body_len > 0 ? request->body : "");
        SET(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    } else {
        SET(handle, CURLOPT_HTTPGET, 1L);
    }
    SET(handle, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->is_change || strcmp(request->method, "GET") != 0) {
        SET(handle, CURLOPT_FRESH_CONNECT, 1L);
        SET(handle, CURLOPT_FORBID_REUSE, 1L);
    }
    return true;
}

static bool set_callbacks(CURL *handle, struct exchange *exchange) {
    SET(handle, CURLOPT_WRITEFUNCTION, on_body);
    SET(handle, CURLOPT_WRITEDATA, exchange);
    SET(handle, CURLOPT_HEADERFUNCTION, on_header);
    SET(handle, CURLOPT_HEADERDATA, exchange);
    SET(handle, CURLOPT_PREREQFUNCTION, on_first_byte);
    SET(handle, CURLOPT_PREREQDATA, exchange);
    SET(handle, CURLOPT_ERRORBUFFER, exchange->words);
    return true;
}

static bool set_target(CURL *handle, struct exchange *exchange, const struct base *base) {
    const struct http_request *request = exchange->request;
    text_add(&exchange->url, base->url);
    text_add(&exchange->url, request->path);
    if (request->query[0] != '\0') {
        text_add_char(&exchange->url, '?');
        text_add(&exchange->url, request->query);
    }
    if (exchange->url.is_cut || !add_headers(exchange)) {
        return false;
    }
    SET(handle, CURLOPT_URL, text_get(&exchange->url));
    SET(handle, CURLOPT_PATH_AS_IS, 1L); /* the path's bytes are the caller's business */
    SET(handle, CURLOPT_HTTPHEADER, exchange->lines);
    return true;
}

/* --- the exchange --- */

static enum err_code judge(struct exchange *exchange, CURLcode result, struct err *err) {
    CURL *handle = exchange->curl->handle;
    const char *words = exchange->words[0] != '\0' ? exchange->words : curl_easy_strerror(result);
    long sent_bytes = 0;
    long status = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent_bytes);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK && sent_bytes == 0) {
        return exchange->has_expired
                   ? err_set(err, ERR_NOT_SENT, "the last look expired before the first byte")
                   : err_set(err, ERR_NOT_SENT, "%s", words);
    }
    if (exchange->is_too_long) {
        return err_set(err, ERR_UNKNOWN, "the answer is longer than %zu bytes", HTTP_BODY_MAX);
    }
    if (result != CURLE_OK) {
        return err_set(err, ERR_UNKNOWN, "%s", words);
    }
    if (status < 200 || status > 599) {
        return err_set(err, ERR_UNKNOWN, "status %ld is no answer", status);
    }
    if (!exchange->headers.has_length && status != 204 && status != 304) {
        return err_set(err, ERR_UNKNOWN, "the answer does not say where it ends");
    }
    exchange->response->status = (int)status;
    return ERR_OK;
}

/* The base of this request's host. None is there, or a test's authorities would be trusted by it: not sent. */
static enum err_code find_base(struct http_curl *curl, const struct http_request *request,
                               struct err *err) {
    struct base *base = &curl->base[request->host];
    if (request->host == HTTP_ELSEWHERE) {
        *base = (struct base){0};
        if (parse_base(request->origin, base, err) != ERR_OK) {
            return err_set(err, ERR_NOT_SENT, "the origin is not https://host[:port]");
        }
    }
    if (base->url[0] == '\0' || (curl->ca_file != NULL && !base->is_loopback)) {
        return err_set(err, ERR_NOT_SENT, "no such host in this process");
    }
    return ERR_OK;
}

static enum err_code run(struct exchange *exchange, struct span deadline, struct err *err) {
    struct http_curl *curl = exchange->curl;
    const struct base *base = &curl->base[exchange->request->host];
    curl_easy_reset(curl->handle); /* options only: connections stay */
    if (!set_transport(curl->handle, curl, base, deadline) ||
        !set_body(curl->handle, exchange->request) || !set_callbacks(curl->handle, exchange) ||
        !set_target(curl->handle, exchange, base)) {
        return err_set(err, ERR_NOT_SENT, "libcurl takes no more options, or a header is too long");
    }
    return judge(exchange, curl_easy_perform(curl->handle), err);
}

static enum err_code curl_perform(struct http *http, const struct http_request *request,
                                  struct span deadline, struct http_response *response,
                                  struct err *err) {
    struct http_curl *curl = (struct http_curl *)http;
    struct exchange exchange = {
        .curl = curl, .request = request, .response = response, .headers.response = response};
    http_response_clear(response);
    enum err_code code = check_request(request, err);
    if (code == ERR_OK && deadline.ns <= 0) {
        code = err_set(err, ERR_NOT_SENT, "the deadline has passed");
    }
    if (code == ERR_OK && is_expired(&exchange)) {
        code = err_set(err, ERR_NOT_SENT, "the last look expired before the first byte");
    }
    if (code == ERR_OK) {
        code = find_base(curl, request, err);
    }
    if (code == ERR_OK) {
        code = run(&exchange, deadline, err);
        /* The handle must not keep pointers, nor copies of header lines, beyond the call. */
        curl_easy_reset(curl->handle);
    }
    if (code != ERR_OK) {
        http_response_clear(response);
        bool is_secret = request->host == HTTP_ELSEWHERE; /* a webhook's path is its password */
        (void)err_wrap(err, "%.10s %s%.200s", request->method, curl->base[request->host].url,
                       is_secret ? "/..." : request->path);
    } else if (exchange.headers.served.is_known) {
        curl->served = exchange.headers.served;
    }
    curl_slist_free_all(exchange.lines);
    text_wipe(&exchange.url);
    return code;
}

/* A handle has its connections and its names with it. Without memory for another the old one stays. */
static void curl_reconnect(struct http *seam) {
    struct http_curl *curl = (struct http_curl *)seam;
    CURL *fresh = curl_easy_init();
    if (fresh != NULL) {
        curl_easy_cleanup(curl->handle);
        curl->handle = fresh;
    }
}

static const struct http_ops curl_ops = {.perform = curl_perform, .reconnect = curl_reconnect};

/* --- life --- */

enum err_code http_curl_create(const struct http_curl_options *options, struct http_curl **out,
                               struct err *err) {
    if (options->speed.nanos < 0) {
        return err_set(err, ERR_RANGE, "speed must be positive");
    }
    /* Counted by libcurl itself; the allocators of the first call stay. */
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup,
                             calloc) != CURLE_OK) {
        return err_set(err, ERR_IO, "libcurl does not start");
    }
    enum err_code code = ERR_OK;
    struct http_curl *curl = calloc(1, sizeof *curl);
    if (curl == NULL) {
        curl_global_cleanup();
        return err_set(err, ERR_MEMORY, "no memory for the HTTP seam");
    }
    curl->seam.ops = &curl_ops;
    curl->clock = options->clock;
    curl->speed = options->speed.nanos == 0 ? (struct ratio){NANOS} : options->speed;
    if (options->trading_url != NULL) {
        code = parse_base(options->trading_url, &curl->base[HTTP_TRADING], err);
    }
    if (code == ERR_OK && options->data_url != NULL) {
        code = parse_base(options->data_url, &curl->base[HTTP_DATA], err);
    }
    curl->ca_file = options->ca_file;
    if (code == ERR_OK && curl->ca_file != NULL && options->trading_url != NULL &&
        !(curl->base[HTTP_TRADING].is_loopback && curl->base[HTTP_DATA].is_loopback)) {
        code = err_set(err, ERR_CONFIG, "authorities of a test are for loopback hosts");
    }
    if (code == ERR_OK) {
        curl->handle = curl_easy_init();
        code = curl->handle == NULL ? err_set(err, ERR_MEMORY, "no memory for libcurl") : ERR_OK;
    }
    if (code != ERR_OK) {
        http_curl_destroy(curl);
        return code;
    }
    *out = curl;
    return ERR_OK;
}

void http_curl_destroy(struct http_curl *curl) {
    if (curl == NULL) {
        return;
    }
    curl_easy_cleanup(curl->handle);
    free(curl);
    curl_global_cleanup();
}

struct http *http_curl_seam(struct http_curl *curl) {
    return &curl->seam;
}

struct http_served http_curl_served(const struct http_curl *curl) {
    return curl->served;
}

void http_curl_use_clock(struct http_curl *curl, struct clock *clock, struct ratio speed) {
    CHECK(speed.nanos > 0);
    curl->clock = clock;
    curl->speed = speed;
}
