/* serve.c - libmicrohttpd in front, the broker behind, the ledger between. */
#include "broker_sim/serve/serve.h"

#include "broker_sim/serve/ledger.h"
#include "core/base/hash.h"
#include "core/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOP_TURN SPAN_MS(100)
#define SPEED_MAX (1000 * NANOS)
#define IDLE_CONNECTION_S 120u

struct pause { /* a connection that waits, for its answer or in vain */
    struct MHD_Connection *connection;
    struct utc until;
};

struct serve {
    struct http seam; /* first: serve_broker()'s pointer is ours */
    struct serve_options options;
    struct serve_door *door;
    struct pause pauses[SERVE_CONNECTIONS_MAX];
    size_t pause_count;
    struct broker *broker;
    struct ledger *ledger;
    struct ledger_anchor anchor;
    size_t dropped_bytes;
    struct MHD_Daemon *daemon;
    int wakeup; /* epoll descriptor of the daemon */
    uint16_t port;
    struct http_response response; /* reused */
    enum err_code code;            /* what ended the service */
    struct err err;
};

/* One request while it arrives; made when its first line is read. */
struct visit {
    char *target; /* path?query as sent, not decoded: the broker sees the client's bytes */
    struct text body;
    bool has_begun;
    bool is_handled;
    struct http_response held; /* what it gets after a pause; status 0: nothing */
};

/* --- time --- */

/* Never back, whatever the wall does. */
static struct utc served_now(const struct serve *serve) {
    struct utc now = broker_now(serve->broker);
    int64_t since = clock_utc(serve->options.clock).ns - serve->anchor.wall.ns;
    int64_t served = 0;
    if (decimal_mul_div(since, serve->anchor.speed.nanos, NANOS, &served, NULL) == ERR_OK &&
        served < INT64_MAX - serve->anchor.served.ns && serve->anchor.served.ns + served > now.ns) {
        now.ns = serve->anchor.served.ns + served;
    }
    return now;
}

struct utc serve_now(const struct serve *serve) {
    return served_now(serve);
}

/* --- answering --- */

/* RFC 9110 section 5.6.7; the names are fixed whatever the locale. */
static void print_http_date(struct utc at, char out[static 40]) {
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int year, month, day;
    struct date date = utc_date(at);
    date_to_civil(date, &year, &month, &day);
    int second = (int)((at.ns / NANOS) % 86400);
    (void)snprintf(out, 40, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[date_weekday(date)], day,
                   months[month - 1], year, second / 3600, second / 60 % 60, second % 60);
}

static void add_header(struct MHD_Response *answer, const char *name, const char *value) {
    (void)MHD_add_response_header(answer, name, value); /* out of memory: an answer without it */
}

static void add_number(struct MHD_Response *answer, const char *name, int64_t value) {
    char digits[24];
    if (value >= 0) {
        (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
        add_header(answer, name, digits);
    }
}

static void add_headers(struct serve *serve, struct MHD_Response *answer,
                        const struct http_response *response) {
    char date[40];
    char time[UTC_TEXT_MAX];
    char speed[DECIMAL_TEXT_MAX];
    struct utc now = broker_now(serve->broker);
    print_http_date(now, date);
    utc_print(now, time);
    decimal_print(serve->anchor.speed.nanos, speed);
    add_header(answer, "Date", date);
    add_header(answer, "X-Seatrial-Time", time);
    add_header(answer, "X-Seatrial-Speed", speed);
    bool is_page = response->body.len > 0 && response->body.data[0] == '<';
    add_header(answer, "Content-Type", is_page ? "text/html" : "application/json");
    if (response->request_id[0] != '\0') {
        add_header(answer, "X-Request-ID", response->request_id);
    }
    add_number(answer, "Retry-After", response->retry_after_s);
    add_number(answer, "X-RateLimit-Limit", response->rate_limit);
    add_number(answer, "X-RateLimit-Remaining", response->rate_limit_remaining);
    add_number(answer, "X-RateLimit-Reset", response->rate_limit_reset_s);
}

static enum MHD_Result send_answer(struct serve *serve, struct MHD_Connection *connection,
                                   const struct http_response *response) {
    struct MHD_Response *answer = MHD_create_response_from_buffer(
        response->body.len, response->body.len > 0 ? response->body.data : "",
        MHD_RESPMEM_MUST_COPY);
    if (answer == NULL) {
        return MHD_NO;
    }
    add_headers(serve, answer, response);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return result;
}

static enum MHD_Result refuse(struct serve *serve, struct MHD_Connection *connection, int status,
                              const char *message) {
    http_response_clear(&serve->response);
    serve->response.status = status;
    text_add(&serve->response.body, "{\"message\":");
    text_add_json_string(&serve->response.body, message);
    text_add_char(&serve->response.body, '}');
    return send_answer(serve, connection, &serve->response);
}

/* --- not answering, or later --- */

/* The first half of a body (the context), then the connection closes. */
static ssize_t read_half(void *context, uint64_t at, char *out, size_t max) {
    const struct text *body = context;
    size_t end = body->len / 2;
    if (at >= end) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t n = end - (size_t)at < max ? end - (size_t)at : max;
    memcpy(out, body->data + at, n);
    return (ssize_t)n;
}

static void release_body(void *context) {
    text_release(context);
    free(context);
}

static enum MHD_Result send_cut(struct serve *serve, struct MHD_Connection *connection) {
    struct http_response *response = &serve->response;
    struct text *body = calloc(1, sizeof *body);
    if (body == NULL || response->body.len < 2) { /* nothing to cut */
        free(body);
        return MHD_NO;
    }
    text_add_bytes(body, response->body.data, response->body.len);
    struct MHD_Response *answer =
        MHD_create_response_from_callback(body->len, 1024, read_half, body, release_body);
    if (answer == NULL) {
        release_body(body);
        return MHD_NO;
    }
    add_headers(serve, answer, response);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return result;
}

static enum MHD_Result make_pause(struct serve *serve, struct MHD_Connection *connection,
                                  struct span length) {
    if (serve->pause_count == SERVE_CONNECTIONS_MAX) {
        return MHD_NO;
    }
    serve->pauses[serve->pause_count++] =
        (struct pause){connection, utc_add(served_now(serve), length)};
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* Lets go of the connections whose pause ends by `now`: libmicrohttpd calls on_request() again. */
static void end_pauses(struct serve *serve, struct utc now) {
    size_t left = 0;
    for (size_t i = 0; i < serve->pause_count; i++) {
        if (utc_is_before(now, serve->pauses[i].until)) {
            serve->pauses[left++] = serve->pauses[i];
        } else {
            MHD_resume_connection(serve->pauses[i].connection);
        }
    }
    serve->pause_count = left;
}

static enum MHD_Result send_later(struct serve *serve, struct MHD_Connection *connection,
                                  struct visit *visit, struct span hold) {
    struct http_response now = serve->response;
    serve->response = visit->held; /* its memory goes over */
    visit->held = now;
    return make_pause(serve, connection, hold);
}

/* --- one request --- */

static void go_on(struct serve *serve) {
    if (serve->door != NULL) {
        serve->door->ops->advance(serve->door, served_now(serve));
    }
    broker_advance_to(serve->broker, served_now(serve));
}

static bool is_change(const char *method) {
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

/* Looks at every byte whatever the first difference: its duration tells nothing of the token. */
static bool is_equal_secret(const char *given, const char *token) {
    size_t n = strlen(token);
    if (given == NULL || strlen(given) != n) {
        return false;
    }
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++) {
        difference |= (unsigned char)given[i] ^ (unsigned char)token[i];
    }
    return difference == 0;
}

static bool is_local_host(const char *host) {
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    if (host == NULL) {
        return true; /* HTTP/1.0, which no browser speaks */
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) == 0 && (host[n] == '\0' || host[n] == ':')) {
            return true;
        }
    }
    return false;
}

struct header_list {
    struct http_header headers[SERVE_HEADERS_MAX];
    size_t count;
};

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    struct header_list *list = context;
    (void)kind;
    if (list->count == SERVE_HEADERS_MAX) {
        return MHD_NO;
    }
    list->headers[list->count++] = (struct http_header){name, value == NULL ? "" : value};
    return MHD_YES;
}

/* Answers 401 and 429 never reached the account; everything else it was asked is kept, refusals too,
 * because they may have used up an id. */
static bool is_kept(const char *method, int status) {
    return is_change(method) && status != 401 && status != 429;
}

static enum err_code keep(struct serve *serve, const struct http_request *request,
                          const struct http_response *response, struct err *err) {
    if (serve->ledger == NULL || !is_kept(request->method, response->status)) {
        return ERR_OK;
    }
    struct ledger_entry entry = {
        .at = broker_now(serve->broker),
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .body = request->body,
        .status = response->status,
        .answer_hash = hash64(text_get(&response->body), response->body.len, 0),
    };
    return ledger_append(serve->ledger, &entry, err);
}

static enum err_code broker_perform(struct http *http, const struct http_request *request,
                                    struct span deadline, struct http_response *response,
                                    struct err *err) {
    struct serve *serve = (struct serve *)http;
    (void)deadline;
    broker_advance_to(serve->broker, served_now(serve));
    http_response_clear(response);
    broker_handle(serve->broker, request, response);
    if (serve->code == ERR_OK) {
        serve->code = keep(serve, request, response, &serve->err);
    }
    return serve->code == ERR_OK ? ERR_OK : err_set(err, serve->code, "%s", serve->err.text);
}

static const struct http_ops broker_ops = {.perform = broker_perform};

static enum serve_manner perform(struct serve *serve, const struct http_request *request,
                                 struct span *hold) {
    if (serve->door != NULL) {
        return serve->door->ops->handle(serve->door, request, &serve->response, hold);
    }
    return http_perform(&serve->seam, request, SPAN_S(0), &serve->response, NULL) == ERR_OK
               ? SERVE_ANSWER
               : SERVE_HANG_UP;
}

static enum MHD_Result give(struct serve *serve, struct MHD_Connection *connection,
                            struct visit *visit, enum serve_manner manner, struct span hold) {
    switch (manner) {
    case SERVE_ANSWER:
        return hold.ns > 0 ? send_later(serve, connection, visit, hold)
                           : send_answer(serve, connection, &serve->response);
    case SERVE_SILENT:
        return make_pause(serve, connection, SERVE_SILENCE);
    case SERVE_CUT:
        return send_cut(serve, connection);
    case SERVE_HANG_UP:
        break;
    }
    return MHD_NO;
}

static enum MHD_Result handle(struct serve *serve, struct MHD_Connection *connection,
                              const char *method, struct visit *visit) {
    struct header_list list = {.count = 0};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &list);
    char *question = strchr(visit->target, '?');
    if (question != NULL) {
        *question = '\0';
    }
    struct http_request request = {
        .method = method,
        .path = visit->target,
        .query = question != NULL ? question + 1 : "",
        .headers = list.headers,
        .header_count = list.count,
        .body = text_get(&visit->body),
        .body_len = visit->body.len,
        .is_change = is_change(method),
    };
    go_on(serve);
    http_response_clear(&serve->response);
    struct span hold = {0};
    enum serve_manner manner = perform(serve, &request, &hold);
    /* What is not durable must not be answered: the client may believe the answer, a restart not. */
    return give(serve, connection, visit, serve->code == ERR_OK ? manner : SERVE_HANG_UP, hold);
}

/* NULL if the request may go to the broker, else why not. */
static const char *objection(struct serve *serve, struct MHD_Connection *connection,
                             const char *method, const struct visit *visit, int *status) {
    const char *token = serve->options.token;
    if (!is_local_host(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"))) {
        *status = 403;
        return "this server answers to loopback names only";
    }
    if (token != NULL && is_change(method) &&
        !is_equal_secret(
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Seatrial-Token"), token)) {
        *status = 403;
        return "changing requests need the server's token (X-Seatrial-Token)";
    }
    if (visit->body.is_cut) {
        *status = 413;
        return "the body is too long";
    }
    if (visit->body.len > 0 && memchr(visit->body.data, '\0', visit->body.len) != NULL) {
        *status = 400;
        return "the body holds a NUL";
    }
    return NULL;
}

static void *on_first_line(void *context, const char *uri, struct MHD_Connection *connection) {
    (void)context;
    (void)connection;
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit != NULL) {
        visit->body = text_limited(SERVE_BODY_MAX);
        visit->target = strdup(uri);
    }
    return visit;
}

static void on_end(void *context, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode how) {
    struct visit *visit = *request;
    (void)context;
    (void)connection;
    (void)how;
    if (visit != NULL) {
        free(visit->target);
        text_release(&visit->body);
        http_response_release(&visit->held);
        free(visit);
    }
    *request = NULL;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **request) {
    struct serve *serve = context;
    struct visit *visit = *request;
    (void)url;
    (void)version;
    if (visit == NULL || visit->target == NULL || serve->code != ERR_OK) {
        return MHD_NO;
    }
    if (!visit->has_begun) { /* the first call never has a body */
        visit->has_begun = true;
        return MHD_YES;
    }
    if (*n > 0) {
        text_add_bytes(&visit->body, bytes, *n);
        *n = 0;
        return MHD_YES;
    }
    if (visit->is_handled) { /* asked again only after a pause */
        return visit->held.status != 0 ? send_answer(serve, connection, &visit->held) : MHD_NO;
    }
    visit->is_handled = true;
    int status = 0;
    const char *why = objection(serve, connection, method, visit, &status);
    return why != NULL ? refuse(serve, connection, status, why)
                       : handle(serve, connection, method, visit);
}

/* --- life --- */

static enum err_code replay_entry(void *context, const struct ledger_entry *entry,
                                  struct err *err) {
    struct serve *serve = context;
    struct http_header headers[] = {
        {"APCA-API-KEY-ID", serve->options.broker.key_id},
        {"APCA-API-SECRET-KEY", serve->options.broker.secret},
        {"Content-Type", "application/json"},
    };
    struct http_request request = {
        .method = entry->method,
        .path = entry->path,
        .query = entry->query,
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = entry->body,
        .body_len = strlen(entry->body),
        .is_change = true,
    };
    if (utc_is_before(entry->at, broker_now(serve->broker))) {
        return err_set(err, ERR_CORRUPT, "its time is before the line above");
    }
    broker_advance_to(serve->broker, entry->at);
    http_response_clear(&serve->response);
    broker_handle(serve->broker, &request, &serve->response);
    const struct text *body = &serve->response.body;
    if (serve->response.status != entry->status ||
        hash64(text_get(body), body->len, 0) != entry->answer_hash) {
        return err_set(err, ERR_CORRUPT,
                       "the broker now answers %d differently (then %d): other market data, "
                       "options or build; start a new ledger",
                       serve->response.status, entry->status);
    }
    return ERR_OK;
}

static enum err_code open_account(struct serve *serve, struct err *err) {
    const struct serve_options *options = &serve->options;
    serve->anchor = (struct ledger_anchor){.served = options->broker.start,
                                           .wall = clock_utc(options->clock),
                                           .speed = options->speed,
                                           .seed = options->broker.seed};
    const char *name = options->market_name == NULL ? "" : options->market_name;
    enum err_code code = text_copy(serve->anchor.market, LEDGER_MARKET_MAX, name, err);
    if (code == ERR_OK) {
        code = broker_create(options->market, &options->broker, &serve->broker, err);
    }
    if (code == ERR_OK && options->ledger != NULL) {
        code = ledger_open(options->ledger, &serve->anchor, replay_entry, serve,
                           &serve->dropped_bytes, &serve->ledger, err);
    }
    if (code == ERR_OK) {
        broker_advance_to(serve->broker, served_now(serve));
    }
    return code;
}

static enum err_code start_daemon(struct serve *serve, struct err *err) {
    struct sockaddr_in self = {.sin_family = AF_INET,
                               .sin_port = htons(serve->options.port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* No Date of libmicrohttpd's: ours is served time. */
    serve->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME,
        serve->options.port, NULL, NULL, on_request, serve, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&self, MHD_OPTION_URI_LOG_CALLBACK, on_first_line, serve,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, serve, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_CONNECTION_S,
        MHD_OPTION_END); /* port sharing stays off: two servers, two ports */
    if (serve->daemon == NULL) {
        return err_set(err, ERR_IO, "cannot serve on 127.0.0.1:%u: %s; choose another port",
                       serve->options.port, strerror(errno));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    const union MHD_DaemonInfo *bound =
        MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (info == NULL || bound == NULL) {
        return err_set(err, ERR_IO, "libmicrohttpd does not tell its descriptor or port");
    }
    serve->wakeup = info->epoll_fd;
    serve->port = bound->port;
    return ERR_OK;
}

enum err_code serve_create(const struct serve_options *options, struct serve **out,
                           struct err *err) {
    if (options->speed.nanos < 0 || options->speed.nanos > SPEED_MAX) {
        return err_set(err, ERR_RANGE, "speed is above 0 and at most 1000");
    }
    struct serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the server");
    }
    serve->options = *options;
    serve->seam.ops = &broker_ops;
    if (options->speed.nanos == 0) {
        serve->options.speed = (struct ratio){NANOS};
    }
    enum err_code code = open_account(serve, err);
    if (code == ERR_OK) {
        code = start_daemon(serve, err);
    }
    if (code != ERR_OK) {
        serve_destroy(serve);
        return code;
    }
    *out = serve;
    return ERR_OK;
}

void serve_destroy(struct serve *serve) {
    if (serve == NULL) {
        return;
    }
    if (serve->daemon != NULL) {
        end_pauses(serve, (struct utc){INT64_MAX}); /* it must not stop with one suspended */
        MHD_stop_daemon(serve->daemon);
    }
    ledger_close(serve->ledger);
    if (serve->broker != NULL) {
        broker_destroy(serve->broker);
    }
    http_response_release(&serve->response);
    free(serve);
}

struct http *serve_broker(struct serve *serve) {
    return &serve->seam;
}

void serve_set_door(struct serve *serve, struct serve_door *door) {
    serve->door = door;
}

struct utc serve_start(const struct serve *serve) {
    return serve->anchor.served;
}

uint16_t serve_port(const struct serve *serve) {
    return serve->port;
}

size_t serve_dropped_bytes(const struct serve *serve) {
    return serve->dropped_bytes;
}

enum err_code serve_step(struct serve *serve, struct span timeout, struct err *err) {
    MHD_UNSIGNED_LONG_LONG wish = 0;
    int ms = (int)(timeout.ns / 1000000);
    if (MHD_get_timeout(serve->daemon, &wish) == MHD_YES && wish < (unsigned)ms) {
        ms = (int)wish;
    }
    struct pollfd ready = {.fd = serve->wakeup, .events = POLLIN};
    if (poll(&ready, 1, ms) < 0 && errno != EINTR) {
        return err_set(err, ERR_IO, "poll: %s", strerror(errno));
    }
    go_on(serve);
    end_pauses(serve, served_now(serve));
    if (MHD_run(serve->daemon) != MHD_YES) {
        return err_set(err, ERR_IO, "libmicrohttpd stopped");
    }
    if (serve->code != ERR_OK) {
        return err_set(err, serve->code, "%s", serve->err.text);
    }
    return ERR_OK;
}

enum err_code serve_run(struct serve *serve, struct host *host, struct err *err) {
    enum err_code code = ERR_OK;
    while (code == ERR_OK && host_poll(host) != HOST_TERMINATE) {
        code = serve_step(serve, LOOP_TURN, err);
    }
    return code;
}
