/* seed.c - one seed, from its draw to its record. */
#include "scenarios/sweep/seed.h"

#include "core/base/check.h"
#include "core/base/random.h"
#include "scenarios/stage.h"
#include "scenarios/sweep/reach.h"
#include "scenarios/sweep/verify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void open_record(const struct seed_options *options, uint64_t seed, const char *verdict,
                        struct text *record) {
    text_add_char(record, '{');
    text_member_int(record, "seed", (int64_t)seed);
    text_member_string(record, "mode", chaos_mode_word(options->mode));
    text_member_string(record, "verdict", verdict);
}

void seed_lost(const struct seed_options *options, uint64_t seed, const char *verdict,
               const char *why, struct text *record) {
    open_record(options, seed, verdict, record);
    text_member(record, "broken");
    text_add_char(record, '[');
    text_add_json_string(record, why);
    text_add(record,
             "],\"trace_hash\":\"none\",\"reach\":{}}"); /* a number that is not there is 0 */
}

struct seed_case { /* one run and what is gathered from it */
    const struct seed_options *options;
    struct scenario *scenario;
    struct reach *reach;
    struct stage_result result;
    struct text parted; /* where a second run differed */
    int64_t start_us;
};

static void print_broken(const struct seed_case *run, struct text *record) {
    text_member(record, "broken");
    text_add_char(record, '[');
    text_add(record, text_get(&run->result.broken_json));
    if (run->parted.len > 0) {
        text_add(record, run->result.broken_json.len > 0 ? "," : "");
        text_add_json_string(record, text_get(&run->parted));
    }
    text_add_char(record, ']');
}

static void print_record(const struct seed_case *run, uint64_t seed, struct text *record) {
    bool is_good = run->result.broken == 0 && run->parted.len == 0;
    open_record(run->options, seed, is_good ? "pass" : "fail", record);
    print_broken(run, record);
    text_member_string(record, "trace_hash", run->result.trace_hash);
    text_member_int(record, "sim_seconds", run->result.sim_seconds);
    text_member_int(record, "ticks", run->result.ticks);
    text_member_int(record, "requests", run->result.collect->requests);
    text_member_int(record, "maybes", (int64_t)run->result.maybes);
    text_member_int(record, "judged", (int64_t)run->result.judged);
    text_member_int(record, "cpu_us", cpu_us() - run->start_us);
    text_member(record, "reach");
    words_print(reach_words(run->reach), record);
    text_add_char(record, '}');
}

static enum err_code run_once(const struct seed_case *run, struct observer *observer,
                              struct stage_result *result, struct err *err) {
    const struct stage_options stage = {.scenario = run->scenario,
                                        .data_dir = run->options->data_dir,
                                        .build = run->options->build,
                                        .observer = observer};
    return stage_run(&stage, result, err);
}

static enum err_code run_twice(struct seed_case *run, struct err *err) {
    struct verifier *verifier = verifier_create(reach_observer(run->reach));
    struct stage_result again = {0};
    enum err_code code = run_once(run, verifier_observer(verifier), &run->result, err);
    if (code == ERR_OK) {
        verifier_again(verifier);
        code = run_once(run, verifier_observer(verifier), &again, err);
    }
    if (code == ERR_OK) {
        struct text where = {0};
        if (!verifier_agrees(verifier, &where)) {
            text_add_format(&run->parted, "determinism: %s", text_get(&where));
        }
        text_release(&where);
    }
    stage_result_release(&again);
    verifier_destroy(verifier);
    return code;
}

static bool is_verified(const struct seed_options *options, uint64_t seed) {
    struct random random = random_stream(seed, "verify", 0, 0, 0);
    return (int)random_below(&random, 100) < options->verify_percent;
}

void seed_run_file(const struct seed_options *options, uint64_t seed, const char *text, size_t n,
                   struct text *record) {
    struct seed_case run = {.options = options, .start_us = cpu_us(), .reach = reach_create()};
    struct text faults = {0};
    struct err err = {0};
    run.scenario = malloc(sizeof *run.scenario);
    CHECK(run.scenario != NULL);
    enum err_code code = scenario_parse(text, n, run.scenario, &faults, &err);
    if (code == ERR_OK) {
        code = is_verified(options, seed)
                   ? run_twice(&run, &err)
                   : run_once(&run, reach_observer(run.reach), &run.result, &err);
    }
    if (code == ERR_OK) {
        print_record(&run, seed, record);
    } else {
        seed_lost(options, seed, "harness", faults.len > 0 ? text_get(&faults) : err.text, record);
    }
    reach_destroy(run.reach);
    stage_result_release(&run.result);
    text_release(&run.parted);
    text_release(&faults);
    free(run.scenario);
}

void seed_run(const struct seed_options *options, uint64_t seed, struct text *record) {
    struct text drawn = {0};
    swarm_draw(options->mode, seed, options->days, &drawn);
    seed_run_file(options, seed, text_get(&drawn), drawn.len, record);
    text_release(&drawn);
}

/* --- apart --- */

static void drain(int file, struct text *out) {
    char block[4096];
    for (ssize_t n = read(file, block, sizeof block); n > 0 || (n < 0 && errno == EINTR);
         n = read(file, block, sizeof block)) {
        text_add_bytes(out, block, n > 0 ? (size_t)n : 0);
    }
}

static void pour(int file, const struct text *text) {
    size_t done = 0;
    while (done < text->len) {
        ssize_t n = write(file, text->data + done, text->len - done);
        if (n < 0 && errno != EINTR) {
            _exit(1);
        }
        done += n > 0 ? (size_t)n : 0;
    }
}

void seed_run_apart(const struct seed_options *options, uint64_t seed, const char *text, size_t n,
                    int hang_s, struct text *record) {
    int ends[2];
    int status = 0;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        alarm((unsigned)hang_s);
        seed_run_file(options, seed, text, n, record);
        pour(ends[1], record);
        _exit(0);
    }
    close(ends[1]);
    drain(ends[0], record);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        bool is_hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
        text_clear(record);
        seed_lost(options, seed, is_hung ? "hang" : "crash", is_hung ? "hang" : "crash", record);
    }
}
