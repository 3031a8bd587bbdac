/* test_served_faults.c - a scenario's faults as a client of the served broker meets them, through libcurl. */
#include "core/live/clock_system.h"
#include "core/live/disk_posix.h"
#include "core/live/http_curl.h"
#include "scenarios/served.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPEED 10

struct flag_host {
    struct host seam;
    atomic_bool stops;
};
static enum host_wish flag_poll(struct host *host) {
    return atomic_load(&((struct flag_host *)host)->stops) ? HOST_TERMINATE : HOST_NONE;
}
static const struct host_ops flag_ops = {.poll = flag_poll};

struct listener { /* counts the faults it is told */
    struct observer seam;
    atomic_int fired;
};
static void listener_observe(struct observer *observer, const struct event *event) {
    if (event->kind == EVENT_FAULT) {
        atomic_fetch_add(&((struct listener *)observer)->fired, 1);
    }
}
static const struct observer_ops listener_ops = {listener_observe};

struct stand {
    struct scenario *scenario;
    struct served_scenario *served;
    struct listener listener;
    struct flag_host host;
    struct serve *serve;
    pthread_t thread;
    struct clock_system *clock;
    struct http_curl *curl;
    struct http_response response;
    struct err err;
    int64_t took_ms;
};

static enum err_code parse(const char *rest, struct scenario **out) {
    struct text json = {0};
    struct text faults = {0};
    text_add(&json, "{\"id\":\"sea\",\"title\":\"t\",\"source\":\"s\",\"seed\":3,"
                    "\"market\":{\"set\":\"synthetic\",\"symbols\":2},");
    text_add(&json, rest);
    text_add(&json, "}");
    *out = calloc(1, sizeof **out);
    enum err_code code = scenario_parse(text_get(&json), json.len, *out, &faults, NULL);
    cr_assert_eq(code, ERR_OK, "%s", text_get(&faults));
    text_release(&faults);
    text_release(&json);
    return code;
}

static void *run(void *context) {
    struct stand *stand = context;
    cr_assert_eq(serve_run(stand->serve, &stand->host.seam, NULL), ERR_OK);
    return NULL;
}

/* Serves a scenario with these members, an hour and a half into its first session. */
static void begin(struct stand *stand, const char *rest, struct disk *ledger) {
    (void)signal(SIGPIPE, SIG_IGN);
    struct text faults = {0};
    *stand = (struct stand){.host.seam.ops = &flag_ops, .listener.seam.ops = &listener_ops};
    parse(rest, &stand->scenario);
    cr_assert_eq(served_scenario_create(stand->scenario, "data", &stand->served, &faults, NULL),
                 ERR_OK, "%s", text_get(&faults));
    cr_assert_eq(clock_system_create(&stand->clock, NULL), ERR_OK);
    struct serve_options options = {.market = served_scenario_market(stand->served),
                                    .market_name = "scenario:sea",
                                    .broker = served_scenario_account(stand->served),
                                    .speed = {SPEED * NANOS},
                                    .clock = clock_system_seam(stand->clock),
                                    .ledger = ledger};
    options.broker.start = utc_add(options.broker.start, SPAN_MIN(120));
    options.broker.late_reject_chance = (struct ratio){0};
    cr_assert_eq(serve_create(&options, &stand->serve, &stand->err), ERR_OK, "%s", stand->err.text);
    cr_assert_eq(
        served_scenario_arm(stand->served, stand->serve, &stand->listener.seam, &stand->err),
        ERR_OK, "%s", stand->err.text);
    cr_assert_eq(pthread_create(&stand->thread, NULL, run, stand), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", serve_port(stand->serve));
    struct http_curl_options client = {
        .trading_url = url, .data_url = url, .clock = clock_system_seam(stand->clock)};
    cr_assert_eq(http_curl_create(&client, &stand->curl, NULL), ERR_OK);
}

static void end(struct stand *stand) {
    atomic_store(&stand->host.stops, true);
    (void)pthread_join(stand->thread, NULL);
    http_curl_destroy(stand->curl);
    serve_set_door(stand->serve, NULL);
    serve_destroy(stand->serve);
    served_scenario_destroy(stand->served);
    clock_system_destroy(stand->clock);
    http_response_release(&stand->response);
    free(stand->scenario);
}

static enum err_code ask(struct stand *stand, const char *method, const char *path,
                         const char *query, const char *body) {
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
    struct clock *clock = clock_system_seam(stand->clock);
    struct mono from = clock_mono(clock);
    enum err_code code = http_perform(http_curl_seam(stand->curl), &request, SPAN_S(8),
                                      &stand->response, &stand->err);
    stand->took_ms = mono_sub(clock_mono(clock), from).ns / 1000000;
    return code;
}

#define ORDER                                                                                      \
    "{\"symbol\":\"SYM000\",\"qty\":\"3\",\"side\":\"buy\",\"type\":\"limit\",\"limit_price\":"    \
    "\"1\","                                                                                       \
    "\"time_in_force\":\"day\",\"client_order_id\":\"one\"}"

static enum err_code submit(struct stand *stand) {
    return ask(stand, "POST", "/v2/orders", "", ORDER);
}

/* Status of the question after the order; 200 if the broker has it, 404 if not. */
static int look_up(struct stand *stand) {
    cr_assert_eq(ask(stand, "GET", "/v2/orders:by_client_order_id", "client_order_id=one", ""),
                 ERR_OK, "%s", stand->err.text);
    return stand->response.status;
}

static int order_count(struct stand *stand) {
    cr_assert_eq(ask(stand, "GET", "/v2/orders", "status=all", ""), ERR_OK, "%s", stand->err.text);
    int count = 0;
    for (const char *at = text_get(&stand->response.body);
         (at = strstr(at, "\"client_order_id\"")) != NULL; at++) {
        count++;
    }
    return count;
}

#define ONE_FAULT(point, more) "\"faults\":[{\"point\":\"" point "\",\"count\":1" more "}]"
#define AT_SUBMIT ",\"params\":{\"target\":\"POST /v2/orders\"}"

Test(served_faults, an_answer_that_is_lost_leaves_the_order_and_a_silent_connection) {
    struct stand stand;
    begin(&stand, ONE_FAULT("http.answer_lost", AT_SUBMIT), NULL);
    cr_assert_eq(submit(&stand), ERR_UNKNOWN);
    /* 30 s served at 10 times; the loop's turn adds at most a tenth of a second. */
    cr_assert(stand.took_ms >= 2900 && stand.took_ms < 3600, "took %ld ms", (long)stand.took_ms);
    cr_assert_eq(look_up(&stand), 200);
    cr_assert_eq(submit(&stand), ERR_OK, "the fault is spent: %s", stand.err.text);
    cr_assert_eq(stand.response.status, 422, "the id is used");
    cr_assert_eq(order_count(&stand), 1);
    cr_assert_eq(atomic_load(&stand.listener.fired), 1);
    end(&stand);
}

Test(served_faults, a_504_is_a_page_of_a_proxy_and_the_order_stands) {
    struct stand stand;
    begin(&stand, ONE_FAULT("http.answer_504", AT_SUBMIT), NULL);
    cr_assert_eq(submit(&stand), ERR_OK, "%s", stand.err.text);
    cr_assert_eq(stand.response.status, 504);
    cr_assert_not_null(strstr(text_get(&stand.response.body), "<html>"));
    cr_assert_eq(look_up(&stand), 200);
    cr_assert_eq(order_count(&stand), 1);
    end(&stand);
}

Test(served_faults, a_reset_inside_the_answer_is_unknown_at_once_and_the_order_stands) {
    struct stand stand;
    begin(&stand, ONE_FAULT("http.reset_mid_body", AT_SUBMIT), NULL);
    cr_assert_eq(submit(&stand), ERR_UNKNOWN);
    cr_assert(stand.took_ms < 1000, "took %ld ms", (long)stand.took_ms);
    cr_assert_not_null(strstr(stand.err.text, "remaining to read"), "%s", stand.err.text);
    cr_assert_eq(look_up(&stand), 200);
    end(&stand);
}

Test(served_faults, a_slow_answer_is_the_true_one_and_others_do_not_wait_for_it) {
    struct stand stand;
    begin(&stand,
          ONE_FAULT("http.slow", ",\"params\":{\"target\":\"POST /v2/orders\",\"delay_s\":10}"),
          NULL);
    cr_assert_eq(submit(&stand), ERR_OK, "%s", stand.err.text);
    cr_assert(stand.took_ms >= 950 && stand.took_ms < 1600, "took %ld ms", (long)stand.took_ms);
    cr_assert_eq(stand.response.status, 200);
    cr_assert_not_null(strstr(text_get(&stand.response.body), "\"client_order_id\":\"one\""));
    cr_assert_eq(look_up(&stand), 200);
    cr_assert(stand.took_ms < 500, "took %ld ms", (long)stand.took_ms);
    end(&stand);
}

Test(served_faults, a_server_that_reads_and_hangs_up_has_no_order) {
    struct stand stand;
    begin(&stand, ONE_FAULT("http.timeout_before", AT_SUBMIT), NULL);
    cr_assert_eq(submit(&stand), ERR_UNKNOWN);
    cr_assert(stand.took_ms < 1000, "took %ld ms", (long)stand.took_ms);
    cr_assert_eq(look_up(&stand), 404);
    cr_assert_eq(order_count(&stand), 0);
    end(&stand);
}

Test(served_faults, a_late_request_arrives_after_its_sender_gave_up) {
    struct stand stand;
    begin(&stand,
          ONE_FAULT("http.late_arrival", ",\"params\":{\"target\":\"POST /v2/orders\","
                                         "\"delay_s\":45}"),
          NULL);
    cr_assert_eq(submit(&stand), ERR_UNKNOWN);
    cr_assert_eq(look_up(&stand), 404, "30 s later it is on its way");
    usleep(2000000); /* 20 s served */
    cr_assert_eq(look_up(&stand), 200);
    cr_assert_eq(order_count(&stand), 1);
    end(&stand);
}

Test(served_faults, views_lie_in_their_window_and_neither_before_nor_after) {
    struct stand stand;
    int lies = 0;
    int truths_after = 0;
    begin(&stand,
          "\"faults\":[{\"point\":\"view.equity_zero\",\"at\":\"day 1 11:00:10\","
          "\"until\":\"day 1 11:00:25\"}]",
          NULL);
    struct utc start = serve_start(stand.serve);
    for (int i = 0; i < 100 && truths_after == 0; i++) {
        cr_assert_eq(ask(&stand, "GET", "/v2/account", "", ""), ERR_OK, "%s", stand.err.text);
        int64_t ms = utc_sub(http_curl_served(stand.curl).time, start).ns / 1000000;
        bool is_lie = strstr(text_get(&stand.response.body), "\"equity\":\"0\"") != NULL;
        bool is_truth = strstr(text_get(&stand.response.body), "\"equity\":\"100000\"") != NULL;
        cr_assert(is_lie || is_truth, "%s", text_get(&stand.response.body));
        bool is_edge = llabs(ms - 10000) < 500 || llabs(ms - 25000) < 500;
        cr_assert(is_edge || is_lie == (ms >= 10000 && ms < 25000), "at %ld ms", (long)ms);
        lies += is_lie;
        truths_after += is_truth && ms > 25500;
        usleep(50000);
    }
    cr_assert(lies > 0 && truths_after > 0, "%d lies, %d truths after", lies, truths_after);
    end(&stand);
}

Test(served_faults, a_server_can_stop_while_connections_are_silent) {
    struct stand stand;
    begin(&stand, "\"faults\":[{\"point\":\"http.answer_lost\"}]", NULL);
    /* A client that gives up first: the connection stays suspended when the server goes. */
    struct http_request request = {.method = "GET", .path = "/v2/clock", .query = "", .body = ""};
    cr_assert_eq(http_perform(http_curl_seam(stand.curl), &request, SPAN_MS(300), &stand.response,
                              &stand.err),
                 ERR_UNKNOWN);
    end(&stand);
}

Test(served_faults, what_the_ledger_keeps_is_the_truth_behind_the_faults) {
    struct stand stand;
    char folder[] = "/tmp/seatrial-faults-XXXXXX";
    struct disk_posix *disk = NULL;
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(disk_posix_create(folder, &disk, NULL), ERR_OK);
    static const char rest[] = ONE_FAULT("http.answer_504", AT_SUBMIT);
    begin(&stand, rest, disk_posix_seam(disk));
    cr_assert_eq(submit(&stand), ERR_OK);
    cr_assert_eq(stand.response.status, 504);
    end(&stand);
    begin(&stand, rest, disk_posix_seam(disk)); /* the ledger compares every answer */
    cr_assert_eq(look_up(&stand), 200);
    end(&stand);
    static const char *const names[] = {"ledger.json", "requests.log", "ledger.lock"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(disk_remove(disk_posix_seam(disk), names[i], NULL), ERR_OK);
    }
    disk_posix_destroy(disk);
    (void)rmdir(folder);
}

Test(served_faults, what_belongs_to_the_cores_process_is_refused_with_every_reason) {
    struct scenario *scenario = NULL;
    struct served_scenario *served = NULL;
    struct text faults = {0};
    struct err err = {0};
    parse("\"faults\":[{\"point\":\"disk.enospc\"},{\"point\":\"http.answer_lost\"},"
          "{\"point\":\"process.crash_before\"},{\"point\":\"http.refused\"},"
          "{\"point\":\"order.bust\"},{\"point\":\"api.429\"}],"
          "\"operator\":[{\"at\":\"day 1 11:00\",\"command\":\"deposit\",\"amount\":\"5\"}]",
          &scenario);
    cr_assert_eq(served_scenario_create(scenario, "data", &served, &faults, &err), ERR_CONFIG);
    cr_assert_null(served);
    cr_assert_not_null(strstr(text_get(&faults), "faults[0].point: disk.enospc happens in the "
                                                 "core's own process"),
                       "%s", text_get(&faults));
    cr_assert_null(strstr(text_get(&faults), "answer_lost"));
    cr_assert_null(strstr(text_get(&faults), "api.429"));
    cr_assert_not_null(strstr(text_get(&faults), "faults[3].point: http.refused happens before"));
    cr_assert_not_null(strstr(text_get(&faults), "faults[4].point: order.bust changes orders"));
    cr_assert_not_null(strstr(text_get(&faults), "faults[2].point: process.crash_before"));
    cr_assert_not_null(strstr(text_get(&faults), "operator[0]: it moves the account"));
    text_release(&faults);
    free(scenario);
}
