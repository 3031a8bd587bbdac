/* test_serve.c - the served broker as a client meets it, and its ledger across deaths.
 *
 * The broker here is a counter of ours with the contract of broker.h: what is tested is the server.
 * Wall time stands still unless a test moves it. */
#include "broker_sim/serve/serve.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/http_curl.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_NS (INT64_C(1788269400) * NANOS) /* 2026-09-01T13:30:00Z */

/* --- a broker that counts --- */

struct broker {
    struct utc now;
    int orders;
};

enum err_code broker_create(struct market *market, const struct broker_options *options,
                            struct broker **out, struct err *err) {
    (void)market;
    (void)err;
    *out = calloc(1, sizeof **out);
    (*out)->now = options->start;
    return ERR_OK;
}
void broker_destroy(struct broker *broker) {
    free(broker);
}
struct utc broker_now(const struct broker *broker) {
    return broker->now;
}
void broker_advance_to(struct broker *broker, struct utc at) {
    cr_assert(at.ns >= broker->now.ns, "time never goes back");
    broker->now = at;
}
void broker_handle(struct broker *broker, const struct http_request *request,
                   struct http_response *response) {
    bool has_key = false;
    for (size_t i = 0; i < request->header_count; i++) {
        has_key = has_key || (strcmp(request->headers[i].name, "APCA-API-SECRET-KEY") == 0 &&
                              strcmp(request->headers[i].value, "hidden-word") == 0);
    }
    response->status = !has_key ? 401 : strstr(request->body, "bad") != NULL ? 422 : 200;
    if (request->is_change && response->status == 200) {
        broker->orders++;
    }
    (void)snprintf(response->request_id, sizeof response->request_id, "rid");
    response->rate_limit = 200;
    text_add_format(&response->body, "%s %s?%s orders %d at %lld", request->method, request->path,
                    request->query, broker->orders,
                    request->is_change ? (long long)broker->now.ns : 0);
}

/* --- the stand --- */

struct still_clock {
    struct clock seam;
    _Atomic int64_t ns;
};
static struct utc still_utc(struct clock *clock) {
    return (struct utc){atomic_load(&((struct still_clock *)clock)->ns)};
}
static const struct clock_ops still_ops = {.utc_now = still_utc};

struct flag_host {
    struct host seam;
    atomic_bool stops;
};
static enum host_wish flag_poll(struct host *host) {
    return atomic_load(&((struct flag_host *)host)->stops) ? HOST_TERMINATE : HOST_NONE;
}
static const struct host_ops flag_ops = {.poll = flag_poll};

struct stand {
    char folder[64];
    struct disk_posix *disk;
    struct still_clock wall;
    struct flag_host host;
    struct serve_options options;
    struct serve *serve;
    pthread_t thread;
    enum err_code ended;
    struct clock_system *clock;
    struct http_curl *curl;
    struct http_response response;
    struct err err;
};

static void stand_init(struct stand *stand) {
    (void)signal(SIGPIPE, SIG_IGN);
    *stand = (struct stand){.folder = "/tmp/seatrial-serve-XXXXXX"};
    stand->wall.seam.ops = &still_ops;
    stand->host.seam.ops = &flag_ops;
    atomic_store(&stand->wall.ns, INT64_C(1800000000) * NANOS);
    cr_assert_not_null(mkdtemp(stand->folder));
    cr_assert_eq(disk_posix_create(stand->folder, &stand->disk, NULL), ERR_OK);
    cr_assert_eq(clock_system_create(&stand->clock, NULL), ERR_OK);
    stand->options = (struct serve_options){
        .market_name = "synthetic:1",
        .broker = {.seed = 7, .start = {START_NS}, .key_id = "K", .secret = "hidden-word"},
        .speed = {60 * NANOS},
        .clock = &stand->wall.seam,
        .ledger = disk_posix_seam(stand->disk),
    };
}

static void *run(void *context) {
    struct stand *stand = context;
    stand->ended = serve_run(stand->serve, &stand->host.seam, NULL);
    return NULL;
}

static void start(struct stand *stand) {
    cr_assert_eq(serve_create(&stand->options, &stand->serve, &stand->err), ERR_OK, "%s",
                 stand->err.text);
    atomic_store(&stand->host.stops, false);
    cr_assert_eq(pthread_create(&stand->thread, NULL, run, stand), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", serve_port(stand->serve));
    struct http_curl_options options = {
        .trading_url = url, .data_url = url, .clock = clock_system_seam(stand->clock)};
    cr_assert_eq(http_curl_create(&options, &stand->curl, NULL), ERR_OK);
}

static void stop(struct stand *stand) {
    atomic_store(&stand->host.stops, true);
    (void)pthread_join(stand->thread, NULL);
    http_curl_destroy(stand->curl);
    serve_destroy(stand->serve);
    stand->serve = NULL;
}

static void stand_release(struct stand *stand) {
    static const char *const names[] = {"ledger.json", "requests.log", "ledger.lock"};
    http_response_release(&stand->response);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)!disk_remove(disk_posix_seam(stand->disk), names[i], NULL);
    }
    disk_posix_destroy(stand->disk);
    clock_system_destroy(stand->clock);
    (void)rmdir(stand->folder);
}

static enum err_code ask(struct stand *stand, const char *method, const char *body,
                         const char *token) {
    struct http_header headers[] = {{"APCA-API-SECRET-KEY", "hidden-word"},
                                    {"X-Seatrial-Token", token}};
    struct http_request request = {
        .method = method,
        .path = "/v2/orders/a%20b",
        .query = "q=%2F1",
        .headers = headers,
        .header_count = token != NULL ? 2 : 1,
        .body = body,
        .body_len = strlen(body),
        .is_change = strcmp(method, "GET") != 0,
    };
    return http_perform(http_curl_seam(stand->curl), &request, SPAN_S(5), &stand->response,
                        &stand->err);
}

/* The whole log; the caller frees. */
static char *read_log(const struct stand *stand) {
    char path[128];
    char *text = calloc(1, 65536);
    (void)snprintf(path, sizeof path, "%s/requests.log", stand->folder);
    int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && read(fd, text, 65535) >= 0);
    (void)close(fd);
    return text;
}

static void write_log(const struct stand *stand, const char *text, size_t n) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/requests.log", stand->folder);
    int fd = open(path, O_WRONLY | O_TRUNC);
    cr_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    (void)close(fd);
}

/* --- claims --- */

Test(serve, an_answer_carries_served_time_and_the_target_as_sent) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    atomic_fetch_add(&stand.wall.ns, 2 * NANOS); /* 120 s served */
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.status, 200);
    cr_assert_str_eq(text_get(&stand.response.body), "GET /v2/orders/a%20b?q=%2F1 orders 0 at 0");
    cr_assert(stand.response.has_date);
    cr_assert_eq(stand.response.date.ns, START_NS + 120 * NANOS);
    cr_assert_str_eq(stand.response.request_id, "rid");
    cr_assert_eq(stand.response.rate_limit, 200);
    cr_assert_eq(stand.response.rate_limit_remaining, -1);
    struct http_served served = http_curl_served(stand.curl);
    cr_assert(served.is_known);
    cr_assert_eq(served.speed.nanos, 60 * NANOS);
    cr_assert_eq(served.time.ns, START_NS + 120 * NANOS);
    stop(&stand);
    cr_assert_eq(stand.ended, ERR_OK);
    stand_release(&stand);
}

Test(serve, a_killed_server_comes_back_with_the_account_and_time_ran_on) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    for (int i = 0; i < 3; i++) {
        atomic_fetch_add(&stand.wall.ns, NANOS);
        cr_assert_eq(ask(&stand, "POST", "{\"a\":\"\\n\xc3\xa9\"}", NULL), ERR_OK);
    }
    cr_assert_eq(ask(&stand, "POST", "bad", NULL), ERR_OK);
    cr_assert_eq(stand.response.status, 422);
    stop(&stand);
    char *log = read_log(&stand);
    cr_assert_null(strstr(log, "hidden-word"), "no secret on disk");
    free(log);
    atomic_fetch_add(&stand.wall.ns, 100 * NANOS); /* dead for 100 s */
    start(&stand);
    cr_assert_eq(serve_dropped_bytes(stand.serve), 0);
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK);
    cr_assert_str_eq(text_get(&stand.response.body), "GET /v2/orders/a%20b?q=%2F1 orders 3 at 0");
    cr_assert_eq(stand.response.date.ns, START_NS + 103 * 60 * NANOS);
    stop(&stand);
    stand_release(&stand);
}

Test(serve, served_time_never_goes_back_with_the_wall) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    atomic_fetch_add(&stand.wall.ns, 10 * NANOS);
    cr_assert_eq(ask(&stand, "POST", "x", NULL), ERR_OK);
    atomic_fetch_sub(&stand.wall.ns, 8 * NANOS);
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK);
    cr_assert_eq(stand.response.date.ns, START_NS + 600 * NANOS);
    stop(&stand);
    start(&stand); /* the ledger's last line is ahead of the wall */
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK);
    cr_assert_eq(stand.response.date.ns, START_NS + 600 * NANOS);
    stop(&stand);
    stand_release(&stand);
}

Test(serve, a_torn_last_line_is_dropped_wherever_it_was_cut) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    cr_assert_eq(ask(&stand, "POST", "one", NULL), ERR_OK);
    cr_assert_eq(ask(&stand, "POST", "two", NULL), ERR_OK);
    stop(&stand);
    char *log = read_log(&stand);
    size_t first = (size_t)(strchr(log, '\n') - log) + 1;
    size_t whole = strlen(log);
    for (size_t cut = first; cut < whole; cut++) {
        write_log(&stand, log, cut);
        cr_assert_eq(serve_create(&stand.options, &stand.serve, &stand.err), ERR_OK, "%s",
                     stand.err.text);
        cr_assert_eq(serve_dropped_bytes(stand.serve), cut - first);
        serve_destroy(stand.serve);
    }
    free(log);
    start(&stand);
    cr_assert_eq(ask(&stand, "POST", "three", NULL), ERR_OK);
    cr_assert_not_null(strstr(text_get(&stand.response.body), "orders 2 at"));
    stop(&stand);
    stand_release(&stand);
}

Test(serve, other_damage_is_an_error_that_names_file_and_line) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    cr_assert_eq(ask(&stand, "POST", "one", NULL), ERR_OK);
    cr_assert_eq(ask(&stand, "POST", "two", NULL), ERR_OK);
    cr_assert_eq(ask(&stand, "POST", "three", NULL), ERR_OK);
    stop(&stand);
    char *log = read_log(&stand);
    size_t n = strlen(log);
    *strstr(log, "two") = 'T';
    write_log(&stand, log, n);
    cr_assert_eq(serve_create(&stand.options, &stand.serve, &stand.err), ERR_CORRUPT);
    cr_assert_not_null(strstr(stand.err.text, "requests.log, line 2"), "%s", stand.err.text);
    *strstr(log, "Two") = 't';
    char *second = strchr(log, '\n') + 1; /* a removed line breaks the chain behind it */
    char *third = strchr(second, '\n') + 1;
    size_t rest = strlen(third);
    memmove(second, third, rest + 1);
    write_log(&stand, log, strlen(log));
    cr_assert_eq(serve_create(&stand.options, &stand.serve, &stand.err), ERR_CORRUPT);
    cr_assert_not_null(strstr(stand.err.text, "line 2: the checksum"), "%s", stand.err.text);
    free(log);
    stand_release(&stand);
}

Test(serve, a_ledger_of_another_seed_speed_or_market_is_refused) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    stop(&stand);
    struct serve_options asked = stand.options;
    asked.broker.seed = 8;
    cr_assert_eq(serve_create(&asked, &stand.serve, &stand.err), ERR_CONFIG);
    cr_assert_not_null(strstr(stand.err.text, "seed 7"), "%s", stand.err.text);
    asked = stand.options;
    asked.speed = (struct ratio){NANOS};
    cr_assert_eq(serve_create(&asked, &stand.serve, &stand.err), ERR_CONFIG);
    asked = stand.options;
    asked.market_name = "synthetic:2";
    cr_assert_eq(serve_create(&asked, &stand.serve, &stand.err), ERR_CONFIG);
    start(&stand);
    struct serve *second = NULL;
    cr_assert_eq(serve_create(&stand.options, &second, &stand.err), ERR_LOCKED);
    stop(&stand);
    cr_assert_eq(disk_remove(stand.options.ledger, "ledger.json", NULL), ERR_OK);
    cr_assert_eq(serve_create(&stand.options, &stand.serve, &stand.err), ERR_CORRUPT);
    stand_release(&stand);
}

static enum err_code full(struct disk *disk, struct disk_file file, const void *bytes, size_t n,
                          uint64_t offset, struct err *err) {
    (void)disk;
    (void)file;
    (void)bytes;
    (void)n;
    (void)offset;
    return err_set(err, ERR_NO_SPACE, "the disk is full");
}

Test(serve, what_is_not_durable_is_not_answered) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    cr_assert_eq(ask(&stand, "POST", "one", NULL), ERR_OK);
    const struct disk_ops *good = stand.options.ledger->ops;
    struct disk_ops bad = *good;
    bad.write_at = full;
    stand.options.ledger->ops = &bad;
    cr_assert_eq(ask(&stand, "POST", "two", NULL), ERR_UNKNOWN);
    (void)pthread_join(stand.thread, NULL);
    cr_assert_eq(stand.ended, ERR_NO_SPACE, "the service ends");
    stand.options.ledger->ops = good;
    http_curl_destroy(stand.curl);
    serve_destroy(stand.serve);
    start(&stand);
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK);
    cr_assert_not_null(strstr(text_get(&stand.response.body), "orders 1 at"));
    stop(&stand);
    stand_release(&stand);
}

Test(serve, changes_need_the_token_if_there_is_one) {
    struct stand stand;
    stand_init(&stand);
    stand.options.token = "open-sesame";
    start(&stand);
    cr_assert_eq(ask(&stand, "POST", "x", NULL), ERR_OK);
    cr_assert_eq(stand.response.status, 403);
    cr_assert_eq(ask(&stand, "DELETE", "", "open-sesamE"), ERR_OK);
    cr_assert_eq(stand.response.status, 403);
    cr_assert_eq(ask(&stand, "GET", "", NULL), ERR_OK);
    cr_assert_eq(stand.response.status, 200);
    cr_assert_not_null(strstr(text_get(&stand.response.body), "orders 0 at"));
    cr_assert_eq(ask(&stand, "POST", "x", "open-sesame"), ERR_OK);
    cr_assert_eq(stand.response.status, 200);
    stop(&stand);
    stand_release(&stand);
}

/* Sends raw bytes and reads until the server closes. */
static void raw(const struct stand *stand, const char *request, char *answer, size_t size) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(serve_port(stand->serve)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    cr_assert(send(fd, request, strlen(request), 0) == (ssize_t)strlen(request));
    size_t have = 0;
    for (ssize_t got = 1; got > 0 && have<size - 1; have += got> 0 ? (size_t)got : 0) {
        got = recv(fd, answer + have, size - 1 - have, 0);
    }
    answer[have] = '\0';
    (void)close(fd);
}

Test(serve, a_foreign_host_name_is_refused_and_there_is_one_date) {
    struct stand stand;
    stand_init(&stand);
    start(&stand);
    char answer[4096];
    raw(&stand, "GET / HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n", answer,
        sizeof answer);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 403", 12), 0, "%s", answer);
    raw(&stand, "GET / HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n", answer,
        sizeof answer);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 401", 12), 0, "%s", answer);
    const char *date = strstr(answer, "\r\nDate: ");
    cr_assert_not_null(date);
    cr_assert_eq(strncmp(date + 8, "Tue, 01 Sep 2026 13:30:00 GMT\r\n", 31), 0, "%s", date);
    cr_assert_null(strstr(date + 8, "\r\nDate: "));
    stop(&stand);
    stand_release(&stand);
}
