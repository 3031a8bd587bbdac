/* bench.c - `make bench`: what the standard load costs, as one JSON object on stdout.
 *
 * seatrial_bench [--load FILE]            everything
 * seatrial_bench [--load FILE] --ticks N  the first N ticks without judges, and out: for profilers;
 *                                         --judged N: the same with judges
 *
 * Times are CPU seconds of this process, so that a busy machine disturbs them little. Exit 1 when
 * a load, that with faults too, is too light to mean anything (fewer than REQUESTS_MIN requests or BYTES_MIN
 * bytes a tick, or than POSITIONS_MIN positions). */
#include "broker_sim/serve/serve.h"
#include "core/base/check.h"
#include "core/live/clock_system.h"
#include "core/live/host_posix.h"
#include "core/live/http_curl.h"
#include "scenarios/exhaust.h"
#include "scenarios/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS 5
#define STORMY "tests/bench/stormy.json"
#define EXHAUSTED "tests/bench/exhausted.json"
#define REQUESTS_MIN 5.0 /* a tick */
#define BYTES_MIN 25000.0
#define POSITIONS_MIN 20
#define MONTH 21 /* sessions */
#define QUARTER 63
#define BROKER_CALLS 200000
#define BROKER_SYMBOLS 50
#define BROKER_POSITIONS 20
#define BROKER_STEP SPAN_MS(300) /* BROKER_CALLS / 3 of them end before the session does */
#define SERVED_FOR SPAN_S(3)
/* Two lengths of run: their difference leaves out what it costs to build the world. */
#define TICKS_SHORT 780
#define TICKS_HALF 2340

static const struct http_header credentials[] = {{"APCA-API-KEY-ID", "SIM-KEY"},
                                                 {"APCA-API-SECRET-KEY", "SIM-SECRET"}};

/* --- the load --- */

static void say(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
}

static int fail(const struct err *err) {
    fprintf(stderr, "bench: %s\n", err->text);
    return 1;
}

static double clock_s(clockid_t id) {
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum err_code load_read(const char *path, struct scenario **out, struct err *err) {
    struct scenario *scenario = malloc(sizeof *scenario);
    struct text faults = {0};
    CHECK(scenario != NULL);
    enum err_code code = suite_read(path, scenario, &faults, err);
    fputs(text_get(&faults), stderr);
    text_release(&faults);
    if (code == ERR_OK) {
        *out = scenario;
    } else {
        free(scenario);
    }
    return code;
}

static enum err_code run_load(const struct scenario *scenario, bool without_judges,
                              struct observer *observer, struct stage_result *result,
                              struct err *err) {
    struct stage_options options = {.scenario = scenario,
                                    .data_dir = "data",
                                    .build = "bench",
                                    .observer = observer,
                                    .without_judges = without_judges};
    return stage_run(&options, result, err);
}

/* --- what a tick carries: a run of its own, which no time is taken of --- */

struct counts {
    struct observer seam;
    int64_t requests, bytes, rows, faults;
};

static void counts_observe(struct observer *observer, const struct event *event) {
    struct counts *counts = (struct counts *)observer;
    if (event->kind == EVENT_HTTP) {
        counts->requests++;
        counts->bytes += (int64_t)event->body_len - 1; /* the LF between request and answer */
    } else if (event->kind == EVENT_ROW) {
        counts->rows++;
    } else if (event->kind == EVENT_FAULT) {
        counts->faults++;
    }
}

static const struct observer_ops counts_ops = {counts_observe};

struct carried {            /* by a load */
    double requests, bytes; /* a tick */
    int64_t positions;      /* at most */
};

/* Else it measures nothing. */
static bool is_load(const struct carried *carried) {
    return carried->requests >= REQUESTS_MIN && carried->bytes >= BYTES_MIN &&
           carried->positions >= POSITIONS_MIN;
}

static void print_carried(const struct carried *carried, struct text *out) {
    text_member_int(out, "most_positions", carried->positions);
    text_member(out, "requests_per_tick");
    text_add_format(out, "%.2f", carried->requests);
    text_member(out, "bytes_per_tick");
    text_add_format(out, "%.0f", carried->bytes);
}

/* With judges; what breaks is told. The result and the counts are of that run. */
static enum err_code count_load(const struct scenario *scenario, struct counts *counts,
                                struct stage_result *result, struct carried *carried,
                                struct err *err) {
    *counts = (struct counts){.seam = {&counts_ops}};
    say("counting requests, bytes and rows");
    enum err_code code = run_load(scenario, false, &counts->seam, result, err);
    if (code == ERR_OK) {
        const double ticks = (double)result->ticks;
        *carried = (struct carried){(double)counts->requests / ticks, (double)counts->bytes / ticks,
                                    (int64_t)result->collect->most_positions};
        fputs(text_get(&result->broken_lines), stderr);
    }
    return code;
}

static enum err_code bench_counts(const struct scenario *scenario, struct text *out, bool *is_heavy,
                                  struct err *err) {
    struct counts counts;
    struct stage_result result = {0};
    struct carried carried = {0};
    enum err_code code = count_load(scenario, &counts, &result, &carried, err);
    if (code != ERR_OK) {
        return code;
    }
    text_member_int(out, "sessions", result.days);
    text_member_int(out, "ticks", result.ticks);
    text_member_int(out, "orders", result.orders);
    text_member_int(out, "fills", result.fills);
    print_carried(&carried, out);
    text_member_int(out, "broken", (int64_t)result.broken);
    text_member(out, "journal_rows_per_session");
    text_add_format(out, "%.0f", (double)counts.rows / result.days);
    *is_heavy = is_load(&carried);
    stage_result_release(&result);
    return ERR_OK;
}

/* --- time --- */

struct times { /* CPU seconds, ascending */
    double cpu_s[RUNS];
    size_t count;
    int64_t ticks, sim_seconds;
    char trace_hash[HASH_TEXT_MAX];
};

static void times_add(struct times *times, double cpu_s) {
    size_t at = times->count++;
    for (; at > 0 && times->cpu_s[at - 1] > cpu_s; at--) {
        times->cpu_s[at] = times->cpu_s[at - 1];
    }
    times->cpu_s[at] = cpu_s;
}

static enum err_code run_once(const struct scenario *scenario, bool without_judges,
                              struct times *times, struct err *err) {
    struct stage_result result = {0};
    double from = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    enum err_code code = run_load(scenario, without_judges, NULL, &result, err);
    if (code == ERR_OK) {
        times_add(times, clock_s(CLOCK_PROCESS_CPUTIME_ID) - from);
        times->ticks = result.ticks;
        times->sim_seconds = result.sim_seconds;
        memcpy(times->trace_hash, result.trace_hash, sizeof times->trace_hash);
        stage_result_release(&result);
    }
    return code;
}

static void print_times(const struct times *times, const char *name, struct text *out) {
    double best = times->cpu_s[0];
    double median = times->cpu_s[RUNS / 2];
    text_member(out, name);
    text_add_format(out,
                    "{\"runs\":%d,\"session_ratio\":{\"best\":%.0f,\"median\":%.0f},"
                    "\"microseconds_per_tick\":{\"best\":%.1f,\"median\":%.1f}}",
                    RUNS, (double)times->sim_seconds / best, (double)times->sim_seconds / median,
                    best * 1e6 / (double)times->ticks, median * 1e6 / (double)times->ticks);
}

/* In turn, so that what else the machine does falls on both alike. */
static enum err_code bench_times(const struct scenario *scenario, struct text *out,
                                 struct err *err) {
    struct times judged = {0};
    struct times bare = {0};
    for (int i = 0; i < RUNS; i++) {
        fprintf(stderr, "bench: timing, run %d of %d\n", i + 1, RUNS);
        enum err_code code = run_once(scenario, true, &bare, err);
        if (code == ERR_OK) {
            code = run_once(scenario, false, &judged, err);
        }
        if (code != ERR_OK) {
            return code;
        }
    }
    if (strcmp(judged.trace_hash, bare.trace_hash) != 0) {
        return err_set(err, ERR_FAILED, "judges changed the run: trace %s with, %s without",
                       judged.trace_hash, bare.trace_hash);
    }
    print_times(&bare, "without_judges", out);
    print_times(&judged, "with_judges", out);
    return ERR_OK;
}

/* The load with faults all day, judged: as heavy as the one without. */
static enum err_code count_storm(const struct scenario *scenario, struct text *out, bool *is_heavy,
                                 struct err *err) {
    struct counts counts;
    struct stage_result result = {0};
    struct carried carried = {0};
    enum err_code code = count_load(scenario, &counts, &result, &carried, err);
    if (code == ERR_OK) {
        text_member(out, "stormy_load");
        text_add(out, "{");
        print_carried(&carried, out);
        text_member_int(out, "faults", counts.faults);
        text_member_int(out, "broken", (int64_t)result.broken);
        text_add(out, "}");
        *is_heavy = *is_heavy && is_load(&carried);
    }
    stage_result_release(&result);
    return code;
}

static enum err_code bench_storm(struct text *out, bool *is_heavy, struct err *err) {
    struct times times = {0};
    struct scenario *scenario = NULL;
    enum err_code code = load_read(STORMY, &scenario, err);
    if (code == ERR_OK) {
        code = count_storm(scenario, out, is_heavy, err);
    }
    for (int i = 0; i < RUNS && code == ERR_OK; i++) {
        say("timing with faults");
        code = run_once(scenario, false, &times, err);
    }
    if (code == ERR_OK) {
        print_times(&times, "with_faults_and_judges", out);
    }
    free(scenario);
    return code;
}

/* --- exhaust: runs per CPU second, those of all copies counted. While this process is small, as `seatrial exhaust`
 * is: what a life wrote to is looked for in all that the process has --- */

static double children_s(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static enum err_code time_exhaust(bool to_first_tick, const char *name, struct text *out,
                                  struct err *err) {
    const struct exhaust_options options = {
        .jobs = 1, .to_first_tick = to_first_tick, .depth = 1, .shares = 1};
    struct exhaust *exhaust = exhaust_create(&options);
    struct scenario *scenario = NULL;
    struct stage_result result = {0};
    double from = clock_s(CLOCK_PROCESS_CPUTIME_ID) + children_s();
    enum err_code code = load_read(EXHAUSTED, &scenario, err);
    if (code == ERR_OK) {
        const struct stage_options stage = {
            .scenario = scenario, .data_dir = "data", .build = "bench", .exhaust = exhaust};
        code = stage_run(&stage, &result, err);
    }
    if (code == ERR_OK) {
        const struct exhaust_report *report = exhaust_report(exhaust);
        double spent = clock_s(CLOCK_PROCESS_CPUTIME_ID) + children_s() - from;
        text_member(out, name);
        text_add_format(out,
                        "{\"effects\":%lld,\"runs\":%lld,\"equal\":%lld,\"runs_per_cpu_s\":%.0f}",
                        (long long)report->effects, (long long)report->runs,
                        (long long)report->equal, (double)report->runs / spent);
    }
    stage_result_release(&result);
    exhaust_destroy(exhaust);
    free(scenario);
    return code;
}

static enum err_code bench_exhaust(struct text *out, struct err *err) {
    say("deaths at every effect of a minute");
    enum err_code code = time_exhaust(true, "exhaust_to_first_tick", out, err);
    return code == ERR_OK ? time_exhaust(false, "exhaust_settled", out, err) : code;
}

/* --- memory: each run in a child of its own, forked while this process is small --- */

struct memory {
    int sessions;
    pid_t child;
    double peak_mb;
};

static enum err_code memory_start(const struct scenario *scenario, struct memory *memory,
                                  struct err *err) {
    memory->child = fork();
    if (memory->child < 0) {
        return err_set(err, ERR_FAILED, "fork failed");
    }
    if (memory->child == 0) {
        struct stage_result result = {0};
        struct scenario *load = malloc(sizeof *load);
        CHECK(load != NULL);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        *load = *scenario;
        load->days = memory->sessions;
        enum err_code code = run_load(load, false, NULL, &result, err);
        _exit(code == ERR_OK && result.days == memory->sessions ? 0 : fail(err));
    }
    return ERR_OK;
}

static enum err_code memory_end(struct memory *memory, struct err *err) {
    struct rusage usage;
    int status = 0;
    if (memory->child <= 0 || wait4(memory->child, &status, 0, &usage) != memory->child ||
        status != 0) {
        return err_set(err, ERR_FAILED, "the run of %d sessions failed", memory->sessions);
    }
    memory->peak_mb = (double)usage.ru_maxrss / 1024; /* ru_maxrss is in KiB */
    return ERR_OK;
}

static enum err_code bench_memory(const struct scenario *scenario, struct text *out,
                                  struct err *err) {
    struct memory month = {.sessions = MONTH};
    struct memory quarter = {.sessions = QUARTER};
    say("peak memory of 21 and of 63 sessions");
    enum err_code code = memory_start(scenario, &month, err);
    if (code == ERR_OK) {
        code = memory_start(scenario, &quarter, err);
    }
    if (month.child > 0) {
        enum err_code ended = memory_end(&month, err);
        code = code == ERR_OK ? ended : code;
    }
    if (quarter.child > 0) {
        enum err_code ended = memory_end(&quarter, err);
        code = code == ERR_OK ? ended : code;
    }
    if (code == ERR_OK) {
        text_member(out, "peak_memory_mib");
        text_add_format(out, "{\"symbols\":%lld,\"sessions_%d\":%.1f,\"sessions_%d\":%.1f}",
                        (long long)scenario->synthetic_symbols, MONTH, month.peak_mb, QUARTER,
                        quarter.peak_mb);
    }
    return code;
}

/* --- the simulated Alpaca, without a network --- */

static struct utc first_morning(const struct market *market) {
    struct session session;
    CHECK(calendar_current_or_next(market_calendar(market),
                                   ny_to_utc(market_first_date(market), 0, 0), &session));
    return utc_add(session.open, SPAN_MIN(30));
}

static struct broker_options unlimited(struct utc start) {
    struct broker_options options = broker_options_paper(1, start);
    options.rate_limit_per_min = 0;
    options.late_reject_chance = (struct ratio){0};
    return options;
}

static struct http_request request_of(const char *method, const char *path, const char *query,
                                      const char *body) {
    return (struct http_request){.method = method,
                                 .path = path,
                                 .query = query,
                                 .headers = credentials,
                                 .header_count = 2,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .is_change = strcmp(method, "GET") != 0};
}

static enum err_code post_order(struct broker *broker, const struct market *market, size_t symbol,
                                const char *rest, struct http_response *response, struct err *err) {
    struct text body = {0};
    text_add(&body, "{");
    text_member_string(&body, "symbol", market_symbol(market, symbol));
    text_add_format(&body, ",\"qty\":\"5\",%s}", rest);
    struct http_request request = request_of("POST", "/v2/orders", "", text_get(&body));
    http_response_clear(response);
    broker_handle(broker, &request, response);
    text_release(&body);
    return response->status == 200 ? ERR_OK
                                   : err_set(err, ERR_FAILED, "POST /v2/orders: %d %s",
                                             response->status, text_get(&response->body));
}

/* 20 positions, each with a resting stop far below. */
static enum err_code fill_account(struct broker *broker, const struct market *market,
                                  struct http_response *response, struct err *err) {
    static const char buy[] = "\"side\":\"buy\",\"type\":\"market\",\"time_in_force\":\"day\"";
    static const char stop[] = "\"side\":\"sell\",\"type\":\"stop\",\"stop_price\":\"1\","
                               "\"time_in_force\":\"gtc\"";
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < BROKER_POSITIONS; i++) {
        code = post_order(broker, market, i, buy, response, err);
    }
    broker_advance_to(broker, utc_add(broker_now(broker), SPAN_MIN(10)));
    for (size_t i = 0; code == ERR_OK && i < BROKER_POSITIONS; i++) {
        code = post_order(broker, market, i, stop, response, err);
    }
    broker_advance_to(broker, utc_add(broker_now(broker), SPAN_S(10)));
    return code;
}

/* Account, positions and orders in turn; between the rounds time moves by step, quotes with it. */
static enum err_code time_reads(struct broker *broker, struct span step, const char *name,
                                struct http_response *response, struct text *out, struct err *err) {
    const struct http_request reads[] = {
        request_of("GET", "/v2/account", "", ""),
        request_of("GET", "/v2/positions", "", ""),
        request_of("GET", "/v2/orders", "status=open&limit=500", ""),
    };
    int64_t bytes = 0;
    double from = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < BROKER_CALLS; i++) {
        if (i % 3 == 0 && step.ns > 0) {
            broker_advance_to(broker, utc_add(broker_now(broker), step));
        }
        http_response_clear(response);
        broker_handle(broker, &reads[i % 3], response);
        if (response->status != 200) {
            return err_set(err, ERR_FAILED, "GET %s: %d", reads[i % 3].path, response->status);
        }
        bytes += (int64_t)response->body.len;
    }
    double cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - from;
    text_member(out, name);
    text_add_format(out, "{\"requests\":%d,\"requests_per_second\":%.0f,\"bytes_per_answer\":%.0f}",
                    BROKER_CALLS, BROKER_CALLS / cpu_s, (double)bytes / BROKER_CALLS);
    return ERR_OK;
}

static enum err_code bench_broker(struct text *out, struct err *err) {
    struct market *market = NULL;
    struct broker *broker = NULL;
    struct http_response response = {0};
    say("the broker, in process");
    enum err_code code =
        market_synthetic(1, BROKER_SYMBOLS, date_from_civil(2024, 3, 4), 1, &market, err);
    if (code == ERR_OK) {
        struct broker_options options = unlimited(first_morning(market));
        code = broker_create(market, &options, &broker, err);
    }
    if (code == ERR_OK) {
        code = fill_account(broker, market, &response, err);
    }
    if (code == ERR_OK) {
        code = time_reads(broker, (struct span){0}, "broker_time_stands", &response, out, err);
    }
    if (code == ERR_OK) {
        code = time_reads(broker, BROKER_STEP, "broker_time_moves", &response, out, err);
    }
    http_response_release(&response);
    if (broker != NULL) {
        broker_destroy(broker);
    }
    if (market != NULL) {
        market_destroy(market);
    }
    return code;
}

/* --- the same behind loopback --- */

/* The child: serves until SIGTERM, after it has told its port. Memory is the kernel's to take back.
 */
static int serve_child(int port_pipe) {
    struct market *market = NULL;
    struct clock_system *clock = NULL;
    struct host_posix *host = NULL;
    struct serve *serve = NULL;
    struct err err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    enum err_code code =
        market_synthetic(1, BROKER_SYMBOLS, date_from_civil(2024, 3, 4), 1, &market, &err);
    if (code == ERR_OK) {
        code = clock_system_create(&clock, &err);
    }
    if (code == ERR_OK) {
        code = host_posix_create(&host, &err);
    }
    if (code == ERR_OK) {
        struct serve_options options = {.market = market,
                                        .market_name = "synthetic",
                                        .broker = unlimited(first_morning(market)),
                                        .clock = clock_system_seam(clock)};
        code = serve_create(&options, &serve, &err);
    }
    if (code == ERR_OK) {
        uint16_t port = serve_port(serve);
        CHECK(write(port_pipe, &port, sizeof port) == (ssize_t)sizeof port);
        code = serve_run(serve, host_posix_seam(host), &err);
    }
    return code == ERR_OK ? 0 : fail(&err);
}

static enum err_code time_served(struct http *http, struct clock *clock, struct text *out,
                                 struct err *err) {
    const struct http_request request = request_of("GET", "/v2/account", "", "");
    struct http_response response = {0};
    struct mono from = clock_mono(clock);
    struct span spent = {0};
    int64_t count = 0;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && spent.ns < SERVED_FOR.ns) {
        code = http_perform(http, &request, SPAN_S(5), &response, err);
        if (code == ERR_OK && response.status != 200) {
            code = err_set(err, ERR_FAILED, "served GET /v2/account: %d", response.status);
        }
        count++;
        spent = mono_sub(clock_mono(clock), from);
    }
    http_response_release(&response);
    if (code == ERR_OK) {
        text_member(out, "broker_served");
        text_add_format(out, "{\"requests\":%lld,\"requests_per_second\":%.0f}", (long long)count,
                        (double)count / ((double)spent.ns / 1e9));
    }
    return code;
}

static enum err_code ask_served(uint16_t port, struct text *out, struct err *err) {
    char url[64];
    struct clock_system *clock = NULL;
    struct http_curl *curl = NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    enum err_code code = clock_system_create(&clock, err);
    if (code == ERR_OK) {
        struct http_curl_options options = {
            .trading_url = url, .data_url = url, .clock = clock_system_seam(clock)};
        code = http_curl_create(&options, &curl, err);
    }
    if (code == ERR_OK) {
        code = time_served(http_curl_seam(curl), clock_system_seam(clock), out, err);
    }
    if (curl != NULL) {
        http_curl_destroy(curl);
    }
    if (clock != NULL) {
        clock_system_destroy(clock);
    }
    return code;
}

static enum err_code bench_served(struct text *out, struct err *err) {
    int port_pipe[2];
    uint16_t port = 0;
    say("the broker, served through loopback for 3 s");
    if (pipe2(port_pipe, O_CLOEXEC) != 0) {
        return err_set(err, ERR_FAILED, "no pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(port_pipe[0]);
        _exit(serve_child(port_pipe[1]));
    }
    (void)close(port_pipe[1]);
    enum err_code code = ERR_OK;
    if (child < 0 || read(port_pipe[0], &port, sizeof port) != (ssize_t)sizeof port) {
        code = err_set(err, ERR_FAILED, "the server did not start");
    }
    (void)close(port_pipe[0]);
    if (code == ERR_OK) {
        code = ask_served(port, out, err);
    }
    if (child > 0) {
        (void)kill(child, SIGTERM);
        (void)waitpid(child, NULL, 0);
    }
    return code;
}

/* --- instructions, if valgrind is there --- */

struct stopper { /* ends the process after so many ticks */
    struct observer seam;
    int64_t ticks_left;
};

static void stopper_observe(struct observer *observer, const struct event *event) {
    struct stopper *stopper = (struct stopper *)observer;
    if (event->kind == EVENT_TICK && --stopper->ticks_left == 0) {
        _exit(0);
    }
}

static const struct observer_ops stopper_ops = {stopper_observe};

static int run_ticks(const struct scenario *scenario, int64_t ticks, bool without_judges) {
    struct stopper stopper = {.seam = {&stopper_ops}, .ticks_left = ticks};
    struct stage_result result = {0};
    struct err err = {0};
    if (run_load(scenario, without_judges, &stopper.seam, &result, &err) == ERR_OK) {
        (void)err_set(&err, ERR_RANGE, "the load has only %lld ticks", (long long)result.ticks);
        stage_result_release(&result);
    }
    return fail(&err);
}

static bool callgrind_total(const char *path, int64_t *out) {
    FILE *file = fopen(path, "r");
    char line[4096];
    long long total = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "totals: %lld", &total) == 1 ||
            (total == 0 && sscanf(line, "summary: %lld", &total) == 1)) {
            *out = total;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return total > 0;
}

/* Instructions of a whole process that does so many ticks. False: no valgrind, or it failed. */
static bool count_instructions(const char *load, int ticks, int64_t *out) {
    char path[] = "/tmp/seatrial-bench-XXXXXX";
    char out_option[64];
    char ticks_text[16];
    char self[4096] = "";
    int file = mkstemp(path);
    if (file < 0 || readlink("/proc/self/exe", self, sizeof self - 1) <= 0) {
        return false;
    }
    (void)close(file);
    snprintf(out_option, sizeof out_option, "--callgrind-out-file=%s", path);
    snprintf(ticks_text, sizeof ticks_text, "%d", ticks);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)execlp("valgrind", "valgrind", "--tool=callgrind", "-q", out_option, self, "--load",
                     load, "--ticks", ticks_text, (char *)NULL);
        _exit(127);
    }
    int status = 1;
    bool is_done = child > 0 && waitpid(child, &status, 0) == child && status == 0 &&
                   callgrind_total(path, out);
    (void)unlink(path);
    return is_done;
}

static void bench_instructions(const char *load, struct text *out) {
    int64_t few = 0;
    int64_t many = 0;
    say("instructions, under valgrind");
    if (!count_instructions(load, TICKS_SHORT, &few) ||
        !count_instructions(load, TICKS_HALF, &many)) {
        say("no instructions_per_tick: valgrind is missing, or failed");
        return;
    }
    text_member_int(out, "instructions_per_tick", (many - few) / (TICKS_HALF - TICKS_SHORT));
}

/* --- all of it --- */

static int bench_all(const struct scenario *scenario, const char *load) {
    struct text out = {0};
    struct err err = {0};
    bool is_heavy = false;
    text_add(&out, "{");
    text_member_string(&out, "load", load);
    enum err_code code = bench_memory(scenario, &out, &err);
    if (code == ERR_OK) {
        code = bench_exhaust(&out, &err);
    }
    if (code == ERR_OK) {
        code = bench_counts(scenario, &out, &is_heavy, &err);
    }
    if (code == ERR_OK) {
        code = bench_times(scenario, &out, &err);
    }
    if (code == ERR_OK) {
        code = bench_storm(&out, &is_heavy, &err);
    }
    if (code == ERR_OK) {
        code = bench_broker(&out, &err);
    }
    if (code == ERR_OK) {
        code = bench_served(&out, &err);
    }
    if (code == ERR_OK) {
        bench_instructions(load, &out);
        text_add(&out, "}\n");
        fputs(text_get(&out), stdout);
    } else {
        (void)fail(&err);
    }
    text_release(&out);
    if (code == ERR_OK && !is_heavy) {
        say("a load has fewer than 5 requests or 25,000 bytes a tick, or than 20 positions");
    }
    return code == ERR_OK && is_heavy ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *load = "tests/bench/standard.json";
    int64_t ticks = 0;
    bool is_judged = false;
    struct scenario *scenario = NULL;
    struct err err = {0};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--load") == 0) {
            load = argv[i + 1];
        } else if (i + 1 < argc && atoll(argv[i + 1]) > 0 &&
                   (strcmp(argv[i], "--ticks") == 0 || strcmp(argv[i], "--judged") == 0)) {
            ticks = atoll(argv[i + 1]);
            is_judged = strcmp(argv[i], "--judged") == 0;
        } else {
            fputs("usage: seatrial_bench [--load FILE] [--ticks N | --judged N]\n", stderr);
            return 2;
        }
    }
    if (load_read(load, &scenario, &err) != ERR_OK) {
        return fail(&err);
    }
    int status = ticks > 0 ? run_ticks(scenario, ticks, !is_judged) : bench_all(scenario, load);
    free(scenario);
    return status;
}
