/* test_served_account.c - the whole broker behind the server: an account outlives its server. */
#include "broker_sim/serve/serve.h"
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/http_curl.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct flag_host {
    struct host seam;
    atomic_bool stops;
};
static enum host_wish flag_poll(struct host *host) {
    return atomic_load(&((struct flag_host *)host)->stops) ? HOST_TERMINATE : HOST_NONE;
}

struct stand {
    struct flag_host host;
    struct serve *serve;
    pthread_t thread;
    struct clock_system *clock;
    struct market *market;
    struct http_curl *curl;
    struct http_response response;
    struct err err;
};

static void *run(void *context) {
    struct stand *stand = context;
    cr_assert_eq(serve_run(stand->serve, &stand->host.seam, NULL), ERR_OK);
    return NULL;
}

static void start(struct stand *stand, struct disk *ledger) {
    struct utc open = {0};
    cr_assert_eq(utc_parse("2026-09-01T14:00:00Z", &open, NULL), ERR_OK);
    struct date first = {0};
    cr_assert_eq(date_parse("2026-08-31", &first, NULL), ERR_OK);
    cr_assert_eq(market_synthetic(3, 4, first, 5, &stand->market, &stand->err), ERR_OK, "%s",
                 stand->err.text);
    struct serve_options options = {.market = stand->market,
                                    .market_name = "synthetic:4",
                                    .broker = broker_options_paper(3, open),
                                    .speed = {60 * NANOS},
                                    .clock = clock_system_seam(stand->clock),
                                    .ledger = ledger};
    cr_assert_eq(serve_create(&options, &stand->serve, &stand->err), ERR_OK, "%s", stand->err.text);
    atomic_store(&stand->host.stops, false);
    cr_assert_eq(pthread_create(&stand->thread, NULL, run, stand), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", serve_port(stand->serve));
    struct http_curl_options client = {
        .trading_url = url, .data_url = url, .clock = clock_system_seam(stand->clock)};
    cr_assert_eq(http_curl_create(&client, &stand->curl, NULL), ERR_OK);
}

static void stop(struct stand *stand) {
    atomic_store(&stand->host.stops, true);
    (void)pthread_join(stand->thread, NULL);
    http_curl_destroy(stand->curl);
    serve_destroy(stand->serve);
    market_destroy(stand->market);
}

static int ask(struct stand *stand, const char *method, const char *path, const char *query,
               const char *body) {
    static const struct http_header headers[] = {{"APCA-API-KEY-ID", "SIM-KEY"},
                                                 {"APCA-API-SECRET-KEY", "SIM-SECRET"}};
    struct http_request request = {.method = method,
                                   .path = path,
                                   .query = query,
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = body,
                                   .body_len = strlen(body),
                                   .is_change = strcmp(method, "GET") != 0};
    cr_assert_eq(http_perform(http_curl_seam(stand->curl), &request, SPAN_S(10), &stand->response,
                              &stand->err),
                 ERR_OK, "%s", stand->err.text);
    return stand->response.status;
}

Test(served_account, orders_and_positions_survive_their_server) {
    (void)signal(SIGPIPE, SIG_IGN);
    static const struct host_ops ops = {.poll = flag_poll};
    struct stand stand = {.host.seam.ops = &ops};
    char folder[] = "/tmp/seatrial-account-XXXXXX";
    struct disk_posix *disk = NULL;
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(disk_posix_create(folder, &disk, NULL), ERR_OK);
    cr_assert_eq(clock_system_create(&stand.clock, NULL), ERR_OK);
    start(&stand, disk_posix_seam(disk));
    static const char *const bodies[] = {
        "{\"symbol\":\"SYM000\",\"qty\":\"3\",\"side\":\"buy\",\"type\":\"market\","
        "\"time_in_force\":\"day\",\"client_order_id\":\"one\"}",
        "{\"symbol\":\"SYM001\",\"qty\":\"2\",\"side\":\"buy\",\"type\":\"limit\","
        "\"limit_price\":\"1.00\",\"time_in_force\":\"day\",\"client_order_id\":\"two\"}"};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(ask(&stand, "POST", "/v2/orders", "", bodies[i]), 200, "%s",
                     text_get(&stand.response.body));
        usleep(100000); /* six served seconds: the market order fills */
        cr_assert_eq(ask(&stand, "GET", "/v2/account", "", ""), 200);
    }
    cr_assert_eq(ask(&stand, "POST", "/v2/orders", "", bodies[0]), 422, "an id is used once");
    cr_assert_eq(ask(&stand, "GET", "/v2/orders", "status=all", ""), 200);
    char *before = strdup(text_get(&stand.response.body));
    cr_assert_not_null(strstr(before, "\"filled\""), "%s", before);
    stop(&stand);
    start(&stand, disk_posix_seam(disk));
    cr_assert_eq(ask(&stand, "GET", "/v2/orders", "status=all", ""), 200);
    cr_assert_str_eq(text_get(&stand.response.body), before);
    cr_assert_eq(ask(&stand, "POST", "/v2/orders", "", bodies[0]), 422, "the id stays used");
    stop(&stand);
    free(before);
    http_response_release(&stand.response);
    clock_system_destroy(stand.clock);
    static const char *const names[] = {"ledger.json", "requests.log", "ledger.lock"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(disk_remove(disk_posix_seam(disk), names[i], NULL), ERR_OK);
    }
    disk_posix_destroy(disk);
    (void)rmdir(folder);
}
