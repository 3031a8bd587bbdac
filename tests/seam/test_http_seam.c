/* test_http_seam.c - what http_curl says is known, against a server of ours that misbehaves on purpose.
 *
 * The server is a thread with one listening socket on 127.0.0.1; it counts connections and whole
 * requests. The resolver that never answers is this program's own getaddrinfo(), which the linker
 * puts before the C library's. */
#include "core/live/clock_system.h"
#include "core/live/http_curl.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int resolver_calls;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out) {
    if (node != NULL && strcmp(node, "never.invalid") == 0) {
        atomic_fetch_add(&resolver_calls, 1);
        sleep(20);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, out);
}

enum behaviour {
    ANSWER,   /* 200 with a small body, connection kept */
    HANG_UP,  /* reads the request, closes without a byte */
    SILENT,   /* reads the request, never answers */
    TRUNCATE, /* promises 100 bytes, sends 10, closes */
    TRUNCATE_CHUNKED,
    ENDLESS_LENGTH, /* a body that ends with the connection */
    REDIRECT,
    HUGE, /* one byte more than the seam takes */
    GARBAGE,
    LATE, /* answers after 400 ms */
};

struct server {
    int listener;
    uint16_t port;
    enum behaviour behaviour;
    const char *headers; /* more of them, each with its CR LF */
    atomic_int connections, requests;
    atomic_bool stops;
    pthread_t thread;
    char last[4096]; /* the last whole request; read it after the exchange */
};

static void say(int fd, const char *text) {
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_huge(int fd) {
    char head[128];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                   HTTP_BODY_MAX + 1);
    say(fd, head);
    static const char block[65536] = {0};
    for (size_t sent = 0; sent < HTTP_BODY_MAX + 1; sent += sizeof block) {
        if (send(fd, block, sizeof block, MSG_NOSIGNAL) <= 0) {
            return;
        }
    }
}

static void wait_for_stop(struct server *server) {
    while (!atomic_load(&server->stops)) {
        usleep(5000);
    }
}

/* True if the connection goes on. */
static bool answer(struct server *server, int fd) {
    char text[1024];
    switch (server->behaviour) {
    case LATE:
        usleep(400000);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        return true;
    case ANSWER:
        (void)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: 5\r\n\r\nhello",
                       server->headers);
        say(fd, text);
        return true;
    case SILENT:
        wait_for_stop(server);
        return false;
    case TRUNCATE:
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
        return false;
    case TRUNCATE_CHUNKED:
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        return false;
    case ENDLESS_LENGTH:
        say(fd, "HTTP/1.1 200 OK\r\n\r\nhello");
        return false;
    case REDIRECT:
        (void)snprintf(text, sizeof text,
                       "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/elsewhere\r\n"
                       "Content-Length: 0\r\n\r\n",
                       server->port);
        say(fd, text);
        return true;
    case HUGE:
        say_huge(fd);
        return false;
    case GARBAGE:
        say(fd, "?!\r\nthis is no HTTP\r\n\r\n");
        return false;
    case HANG_UP:
    default:
        return false;
    }
}

/* Length of the first whole request in buffer, or 0. */
static size_t whole_request(const char *buffer) {
    const char *end = strstr(buffer, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *length = strcasestr(buffer, "\r\ncontent-length:");
    size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    size_t whole = (size_t)(end - buffer) + 4 + body;
    return strlen(buffer) >= whole ? whole : 0;
}

static void serve_connection(struct server *server, int fd) {
    char buffer[sizeof server->last] = {0};
    size_t have = 0;
    while (!atomic_load(&server->stops)) {
        struct pollfd ready[2] = {{.fd = fd, .events = POLLIN},
                                  {.fd = server->listener, .events = POLLIN}};
        (void)poll(ready, 2, 20);
        if (ready[1].revents != 0 && ready[0].revents == 0) {
            break; /* an idle kept-alive client opens a second connection: serve that one */
        }
        if (ready[0].revents == 0) {
            continue;
        }
        ssize_t got = recv(fd, buffer + have, sizeof buffer - 1 - have, 0);
        if (got <= 0) {
            break;
        }
        have += (size_t)got;
        if (whole_request(buffer) == 0) {
            continue;
        }
        memcpy(server->last, buffer, sizeof buffer);
        memset(buffer, 0, sizeof buffer);
        have = 0;
        atomic_fetch_add(&server->requests, 1);
        if (!answer(server, fd)) {
            break;
        }
    }
    (void)close(fd);
}

static void *serve_all(void *context) {
    struct server *server = context;
    while (!atomic_load(&server->stops)) {
        struct pollfd ready = {.fd = server->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0) {
            continue;
        }
        int fd = accept(server->listener, NULL, NULL);
        if (fd >= 0) {
            atomic_fetch_add(&server->connections, 1);
            serve_connection(server, fd);
        }
    }
    return NULL;
}

static int listen_on_loopback(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof self;
    cr_assert(bind(fd, (struct sockaddr *)&self, n) == 0 && listen(fd, 16) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&self, &n) == 0);
    *port = ntohs(self.sin_port);
    return fd;
}

/* One server, one client, one request; release with end(). */
struct stand {
    struct server server;
    struct clock_system *clock;
    struct http_curl *curl;
    struct http_response response;
    struct err err;
    int64_t took_ms;
};

static void begin_at(struct stand *stand, const char *url, int64_t speed) {
    (void)signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(clock_system_create(&stand->clock, NULL), ERR_OK);
    struct http_curl_options options = {.trading_url = url,
                                        .data_url = url,
                                        .clock = clock_system_seam(stand->clock),
                                        .speed = {speed * NANOS}};
    cr_assert_eq(http_curl_create(&options, &stand->curl, &stand->err), ERR_OK, "%s",
                 stand->err.text);
}

static void begin(struct stand *stand, enum behaviour behaviour, const char *headers) {
    *stand = (struct stand){.server = {.behaviour = behaviour, .headers = headers}};
    stand->server.listener = listen_on_loopback(&stand->server.port);
    cr_assert(pthread_create(&stand->server.thread, NULL, serve_all, &stand->server) == 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", stand->server.port);
    begin_at(stand, url, 1);
}

static void end_client(struct stand *stand) {
    http_response_release(&stand->response);
    http_curl_destroy(stand->curl);
    clock_system_destroy(stand->clock);
}

static void end(struct stand *stand) {
    atomic_store(&stand->server.stops, true);
    (void)pthread_join(stand->server.thread, NULL);
    (void)close(stand->server.listener);
    end_client(stand);
}

static struct http_request get(void) {
    return (struct http_request){.method = "GET", .path = "/v2/clock", .query = "", .body = ""};
}

static struct http_request submit(void) {
    static const struct http_header secret = {"APCA-API-SECRET-KEY", "planted-secret"};
    return (struct http_request){.method = "POST",
                                 .path = "/v2/orders",
                                 .query = "",
                                 .headers = &secret,
                                 .header_count = 1,
                                 .body = "{\"symbol\":\"AAPL\"}",
                                 .body_len = 17,
                                 .is_change = true};
}

static enum err_code perform(struct stand *stand, struct http_request request, int64_t ms) {
    struct clock *clock = clock_system_seam(stand->clock);
    struct mono from = clock_mono(clock);
    enum err_code code = http_perform(http_curl_seam(stand->curl), &request, SPAN_MS(ms),
                                      &stand->response, &stand->err);
    stand->took_ms = mono_sub(clock_mono(clock), from).ns / 1000000;
    return code;
}

static void assert_empty(const struct stand *stand) {
    cr_assert_eq(stand->response.status, 0);
    cr_assert_eq(stand->response.body.len, 0);
    cr_assert_eq(stand->response.retry_after_s, -1);
}

Test(http, an_answer_arrives_with_its_headers_whatever_their_case) {
    struct stand stand;
    begin(&stand, ANSWER,
          "x-request-id: abc123\r\nRETRY-AFTER: 7\r\nX-Ratelimit-Limit: 200\r\n"
          "x-ratelimit-remaining: 199\r\nX-RateLimit-Reset: 1788271512\r\n"
          "Date: Tue, 01 Sep 2026 13:45:12 GMT\r\nX-Seatrial-Speed: 60\r\n"
          "X-Seatrial-Time: 2026-09-01T13:45:12.5Z\r\n");
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.status, 200);
    cr_assert_str_eq(text_get(&stand.response.body), "hello");
    cr_assert_str_eq(stand.response.request_id, "abc123");
    cr_assert_eq(stand.response.retry_after_s, 7);
    cr_assert_eq(stand.response.rate_limit, 200);
    cr_assert_eq(stand.response.rate_limit_remaining, 199);
    cr_assert_eq(stand.response.rate_limit_reset_s, 1788271512);
    cr_assert(stand.response.has_date);
    struct utc date = {0};
    cr_assert_eq(utc_parse("2026-09-01T13:45:12Z", &date, NULL), ERR_OK);
    cr_assert_eq(stand.response.date.ns, date.ns);
    struct http_served served = http_curl_served(stand.curl);
    cr_assert(served.is_known);
    cr_assert_eq(served.speed.nanos, 60 * NANOS);
    cr_assert_eq(served.time.ns, date.ns + 500000000);
    end(&stand);
}

Test(http, a_retry_after_date_counts_as_absent) {
    struct stand stand;
    begin(&stand, ANSWER,
          "Retry-After: Tue, 01 Sep 2026 13:45:12 GMT\r\nX-RateLimit-Limit: -3\r\n");
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.retry_after_s, -1);
    cr_assert_eq(stand.response.rate_limit, -1);
    cr_assert_not(stand.response.has_date);
    cr_assert_not(http_curl_served(stand.curl).is_known);
    end(&stand);
}

Test(http, a_submit_goes_out_whole_and_its_secret_is_in_no_message) {
    struct stand stand;
    begin(&stand, HANG_UP, "");
    cr_assert_eq(perform(&stand, submit(), 2000), ERR_UNKNOWN);
    cr_assert_not_null(strstr(stand.server.last, "POST /v2/orders HTTP/1.1\r\n"));
    cr_assert_not_null(strstr(stand.server.last, "APCA-API-SECRET-KEY: planted-secret\r\n"));
    cr_assert_not_null(strstr(stand.server.last, "Content-Type: application/json\r\n"));
    cr_assert_not_null(strstr(stand.server.last, "\r\n\r\n{\"symbol\":\"AAPL\"}"));
    cr_assert_null(strstr(stand.server.last, "Expect:"));
    cr_assert_null(strstr(stand.err.text, "planted-secret"));
    end(&stand);
}

Test(http, a_server_that_reads_and_hangs_up_sees_a_submit_exactly_once) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    /* Two GETs first, so that there is a kept-alive connection libcurl could re-send on. */
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK);
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK);
    stand.server.behaviour = HANG_UP;
    cr_assert_eq(perform(&stand, submit(), 2000), ERR_UNKNOWN);
    usleep(100000); /* a second sending would arrive now */
    cr_assert_eq(atomic_load(&stand.server.requests), 3);
    assert_empty(&stand);
    struct http_request cancel = submit();
    cancel.method = "DELETE";
    cancel.body = "";
    cancel.body_len = 0;
    cr_assert_eq(perform(&stand, cancel, 2000), ERR_UNKNOWN);
    usleep(100000);
    cr_assert_eq(atomic_load(&stand.server.requests), 4);
    end(&stand);
}

Test(http, gets_share_a_connection_and_changes_never_do) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(perform(&stand, get(), 2000), ERR_OK);
    }
    cr_assert_eq(atomic_load(&stand.server.connections), 1);
    cr_assert_eq(perform(&stand, submit(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(perform(&stand, submit(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(atomic_load(&stand.server.connections), 3);
    cr_assert_eq(atomic_load(&stand.server.requests), 5);
    end(&stand);
}

Test(http, a_reconnect_leaves_the_kept_connection_and_keeps_the_next) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK);
    http_reconnect(http_curl_seam(stand.curl));
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK);
    cr_assert_eq(atomic_load(&stand.server.connections), 2);
    cr_assert_eq(atomic_load(&stand.server.requests), 3);
    end(&stand);
}

Test(http, a_silent_server_is_unknown_within_the_deadline) {
    struct stand stand;
    begin(&stand, SILENT, "");
    cr_assert_eq(perform(&stand, submit(), 300), ERR_UNKNOWN);
    cr_assert_eq(atomic_load(&stand.server.requests), 1);
    cr_assert(stand.took_ms >= 290 && stand.took_ms < 1500, "took %ld ms", (long)stand.took_ms);
    assert_empty(&stand);
    end(&stand);
}

Test(http, a_broken_or_unbounded_answer_is_unknown) {
    static const enum behaviour broken[] = {TRUNCATE, TRUNCATE_CHUNKED, ENDLESS_LENGTH, HUGE,
                                            GARBAGE};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct stand stand;
        begin(&stand, broken[i], "");
        cr_assert_eq(perform(&stand, submit(), 5000), ERR_UNKNOWN, "behaviour %d", (int)broken[i]);
        cr_assert_eq(atomic_load(&stand.server.requests), 1);
        assert_empty(&stand);
        end(&stand);
    }
}

Test(http, a_refused_connection_was_not_sent) {
    uint16_t port = 0;
    int fd = listen_on_loopback(&port);
    (void)close(fd);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    struct stand stand = {0};
    begin_at(&stand, url, 1);
    cr_assert_eq(perform(&stand, submit(), 2000), ERR_NOT_SENT);
    assert_empty(&stand);
    end_client(&stand);
}

Test(http, a_tls_server_that_is_none_was_not_sent_to) {
    struct stand stand;
    begin(&stand, GARBAGE, "");
    http_curl_destroy(stand.curl);
    clock_system_destroy(stand.clock);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", stand.server.port);
    begin_at(&stand, url, 1);
    cr_assert_eq(perform(&stand, submit(), 400), ERR_NOT_SENT);
    end(&stand);
}

Test(http, a_resolver_that_never_answers_does_not_outlive_the_deadline) {
    struct stand stand = {0};
    begin_at(&stand, "https://never.invalid", 1);
    cr_assert_eq(perform(&stand, submit(), 400), ERR_NOT_SENT);
    cr_assert_eq(atomic_load(&resolver_calls), 1, "the stand-in was asked");
    cr_assert(stand.took_ms < 1500, "took %ld ms", (long)stand.took_ms);
    struct clock *clock = clock_system_seam(stand.clock);
    struct mono from = clock_mono(clock);
    http_curl_destroy(stand.curl); /* nor does its thread hold up the end */
    cr_assert(mono_sub(clock_mono(clock), from).ns < SPAN_MS(1000).ns);
    clock_system_destroy(stand.clock);
    _exit(0); /* the stand-in still sleeps; what it holds is no leak of ours */
}

Test(http, an_expired_last_look_reaches_no_server) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    struct http_request request = submit();
    request.has_expiry = true;
    request.expires_at = clock_mono(clock_system_seam(stand.clock));
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    cr_assert_eq(atomic_load(&stand.server.connections), 0);
    request.expires_at = mono_add(request.expires_at, SPAN_S(60));
    cr_assert_eq(perform(&stand, request, 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(atomic_load(&stand.server.requests), 1);
    end(&stand);
}

/* A clock whose monotonic time jumps a minute on its second reading. */
struct jumping_clock {
    struct clock seam;
    int readings;
};
static struct utc jumping_utc(struct clock *clock) {
    (void)clock;
    return (struct utc){0};
}
static struct mono jumping_mono(struct clock *clock) {
    struct jumping_clock *self = (struct jumping_clock *)clock;
    return (struct mono){SPAN_S(self->readings++ == 0 ? 0 : 60).ns};
}

Test(http, a_last_look_that_expires_while_connecting_sends_no_byte) {
    static const struct clock_ops ops = {.utc_now = jumping_utc, .mono_now = jumping_mono};
    struct stand stand;
    begin(&stand, ANSWER, "");
    struct jumping_clock jumping = {.seam = {&ops}};
    http_curl_use_clock(stand.curl, &jumping.seam, (struct ratio){NANOS});
    struct http_request request = submit();
    request.has_expiry = true;
    request.expires_at = (struct mono){SPAN_S(1).ns};
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    cr_assert_eq(jumping.readings, 2);
    usleep(50000);
    cr_assert_eq(atomic_load(&stand.server.requests), 0);
    end(&stand);
}

Test(http, redirects_are_answers_and_not_followed) {
    struct stand stand;
    begin(&stand, REDIRECT, "");
    cr_assert_eq(perform(&stand, get(), 2000), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.status, 302);
    cr_assert_eq(atomic_load(&stand.server.requests), 1);
    end(&stand);
}

Test(http, timeouts_run_at_the_served_speed_with_a_floor) {
    struct stand stand;
    begin(&stand, LATE, "");
    struct clock *clock = clock_system_seam(stand.clock);
    cr_assert_eq(perform(&stand, get(), 5000), ERR_OK, "%s", stand.err.text);
    http_curl_use_clock(stand.curl, clock, (struct ratio){60 * NANOS});
    cr_assert_eq(perform(&stand, get(), 5000), ERR_UNKNOWN, "5 s at 60 times are 83 ms");
    cr_assert(stand.took_ms >= 75 && stand.took_ms < 380, "took %ld ms", (long)stand.took_ms);
    http_curl_use_clock(stand.curl, clock, (struct ratio){1000 * NANOS});
    cr_assert_neq(perform(&stand, get(), 5000), ERR_OK, "5 ms, raised to the floor of 50");
    cr_assert(stand.took_ms >= 45 && stand.took_ms < 380, "took %ld ms", (long)stand.took_ms);
    end(&stand);
}

Test(http, base_urls_are_https_or_loopback_and_nothing_else) {
    static const char *const bad[] = {"http://api.alpaca.markets",
                                      "http://paper-api.alpaca.markets",
                                      "http://data.alpaca.markets:443",
                                      "http://127.0.0.1.example.com",
                                      "http://127.0.0.1@example.com",
                                      "http://192.168.0.1",
                                      "http://0.0.0.0:80",
                                      "ftp://127.0.0.1",
                                      "file:///etc/passwd",
                                      "https://user:word@api.alpaca.markets",
                                      "https://api.alpaca.markets/v2",
                                      "https://api.alpaca.markets?x=1",
                                      "api.alpaca.markets",
                                      ""};
    static const char *const good[] = {"https://paper-api.alpaca.markets", "http://127.0.0.1:8080",
                                       "http://localhost:1/", "http://[::1]:9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] + sizeof good / sizeof good[0]; i++) {
        bool is_good = i >= sizeof bad / sizeof bad[0];
        const char *url = is_good ? good[i - sizeof bad / sizeof bad[0]] : bad[i];
        struct http_curl_options options = {.trading_url = good[0], .data_url = url};
        struct http_curl *curl = NULL;
        cr_assert_eq(http_curl_create(&options, &curl, NULL), is_good ? ERR_OK : ERR_CONFIG, "%s",
                     url);
        http_curl_destroy(curl);
    }
}

Test(http, a_request_that_would_break_its_lines_is_not_sent) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    struct http_request request = get();
    request.path = "/v2/clock HTTP/1.1\r\nX: y";
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    request = get();
    request.query = "a=b c";
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    struct http_header header = {"X-A", "b\r\nX-C: d"};
    request = get();
    request.headers = &header;
    request.header_count = 1;
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    request = get();
    request.method = "TRACE";
    cr_assert_eq(perform(&stand, request, 2000), ERR_NOT_SENT);
    cr_assert_eq(atomic_load(&stand.server.connections), 0);
    end(&stand);
}

/* Occurrences of a word in this process's main heap. */
static int count_in_heap(const char *word, size_t n) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;
    cr_assert_not_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0;
        unsigned long to = 0;
        if (strstr(line, "[heap]") == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2) {
            continue;
        }
        const char *at = (const char *)from;
        const char *end = (const char *)to;
        while ((at = memmem(at, (size_t)(end - at), word, n)) != NULL) {
            found++;
            at++;
        }
    }
    (void)fclose(maps);
    return found;
}

Test(http, no_copy_of_a_secret_stays_in_the_heap) {
    struct stand stand;
    begin(&stand, ANSWER, "");
    char secret[24] = "s"; /* made here, so that its only home is this stack */
    for (size_t i = 1; i < sizeof secret - 1; i++) {
        secret[i] = (char)('a' + (i * 7) % 26);
    }
    struct http_header header = {"APCA-API-SECRET-KEY", secret};
    struct http_request request = get();
    request.headers = &header;
    request.header_count = 1;
    cr_assert_eq(perform(&stand, request, 2000), ERR_OK);
    request = submit();
    request.headers = &header;
    cr_assert_eq(perform(&stand, request, 2000), ERR_OK);
    cr_assert_not_null(strstr(stand.server.last, secret));
    end(&stand);
    cr_assert_eq(count_in_heap(secret, sizeof secret - 1), 0);
}
