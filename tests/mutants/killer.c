/* killer.c - runs a killer in a process of its own, with a mutant awake, and names who objected. */
#include "tests/mutants/killer.h"

#include "core/base/check.h"
#include "core/base/json.h"
#include "scenarios/exhaust.h"
#include "scenarios/host_file.h"
#include "scenarios/stage.h"
#include "scenarios/sweep/seed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_S 60
#define FILE_BYTES_MAX ((size_t)4 << 20)
#define CLEAN_MAX 1024
#define FOLDER_MAX 400

/* Killers whose run without any mutant was looked at, in this process. */
struct clean {
    char killer[KILLER_MAX];
    bool is_clean;
};

static struct {
    char folder[FOLDER_MAX];
    struct clean clean[CLEAN_MAX];
    size_t clean_count;
} self;

void killer_open(const char *argv0) {
    const char *slash = strrchr(argv0, '/');
    snprintf(self.folder, sizeof self.folder, "%.*s", slash == NULL ? 1 : (int)(slash - argv0),
             slash == NULL ? "." : argv0);
}

bool killer_read_file(const char *path, struct text *out) {
    text_clear(out);
    return host_file_read(path, FILE_BYTES_MAX, out, NULL) == ERR_OK;
}

/* The ids that open the broken lines, each once, comma separated; "" for none. */
static void name_judges(const cJSON *broken, char out[static JUDGES_MAX]) {
    const cJSON *line = NULL;
    cJSON_ArrayForEach(line, broken) {
        char word[80];
        size_t n = strcspn(line->valuestring, " :");
        size_t len = strlen(out);
        snprintf(word, sizeof word, "%.*s", n > 70 ? 70 : (int)n, line->valuestring);
        if (n == 0) { /* a file that cannot be read, told in lines of its own */
            strcpy(word, "harness");
        }
        if (strstr(out, word) == NULL && len + sizeof "harness" + n + 2 < JUDGES_MAX) {
            snprintf(out + len, JUDGES_MAX - len, "%s%s", len == 0 ? "" : ",", word);
        }
    }
}

/* --- the runs; each leaves the judges of its failure in attempt, "" for none --- */

static void run_text(const struct text *file, bool is_twice, struct attempt *attempt) {
    const struct seed_options options = {.mode = CHAOS_SWARM,
                                         .days = 1,
                                         .data_dir = "data",
                                         .build = "mutants",
                                         .verify_percent = is_twice ? 100 : 0};
    struct text record = {0};
    cJSON *tree = NULL;
    int64_t spent = 0;
    seed_run_apart(&options, 1, text_get(file), file->len, HANG_S, &record);
    CHECK(json_parse(text_get(&record), record.len, &tree, NULL) == ERR_OK);
    name_judges(json_member(tree, "broken"), attempt->judges);
    attempt->cpu_us += json_int(tree, "cpu_us", &spent, NULL) == ERR_OK ? spent : 0;
    cJSON_Delete(tree);
    text_release(&record);
}

static void exhaust_file(const struct text *file, struct text *record) {
    const struct exhaust_options options = {.jobs = 1, .depth = 1, .shares = 1};
    struct scenario *scenario = malloc(sizeof *scenario);
    struct stage_result result = {0};
    struct text faults = {0};
    struct err err = {0};
    CHECK(scenario != NULL);
    CHECK(scenario_parse(text_get(file), file->len, scenario, &faults, &err) == ERR_OK);
    CHECK(scenario->window_length.ns > 0);
    struct exhaust *exhaust = exhaust_create(&options);
    const struct stage_options stage = {
        .scenario = scenario, .data_dir = "data", .build = "mutants", .exhaust = exhaust};
    enum err_code code = stage_run(&stage, &result, &err);
    text_add(record, code == ERR_OK ? "[" : "[{\"broken\":[\"harness\"]}");
    text_add(record, text_get(&exhaust_report(exhaust)->findings));
    text_add(record,
             exhaust_report(exhaust)->crashed > 0 && exhaust_report(exhaust)->findings.len == 0
                 ? "{\"broken\":[\"crash\"]}]"
                 : "]");
    exhaust_destroy(exhaust);
    stage_result_release(&result);
    text_release(&faults);
    free(scenario);
}

static int64_t sum_us(const struct rusage *used) {
    return ((int64_t)used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000 +
           used->ru_utime.tv_usec + used->ru_stime.tv_usec;
}

/* Of this process and of those that it waited for: an exhaustion is the work of its copies. */
static int64_t cpu_us(void) {
    struct rusage own = {0};
    struct rusage theirs = {0};
    CHECK(getrusage(RUSAGE_SELF, &own) == 0 && getrusage(RUSAGE_CHILDREN, &theirs) == 0);
    return sum_us(&own) + sum_us(&theirs);
}

static void run_exhaust(const struct text *file, struct attempt *attempt) {
    struct text record = {0};
    cJSON *tree = NULL;
    const cJSON *finding = NULL;
    int64_t before = cpu_us();
    exhaust_file(file, &record);
    attempt->cpu_us += cpu_us() - before;
    CHECK(json_parse(text_get(&record), record.len, &tree, NULL) == ERR_OK);
    cJSON_ArrayForEach(finding, tree) {
        name_judges(json_member(finding, "broken"), attempt->judges);
    }
    cJSON_Delete(tree);
    text_release(&record);
}

/* The mutant is chosen by the environment (chosen.c). */
static void run_test(const char *words, struct attempt *attempt) {
    char path[FOLDER_MAX + KILLER_MAX];
    char name[80];
    int status = 0;
    size_t n = strcspn(words, " ");
    const char *filter = words[n] == '\0' ? "*" : words + n + 1;
    snprintf(name, sizeof name, "%.*s", (int)n, words);
    snprintf(path, sizeof path, "%s/mutants_%s", self.folder, name);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0);
        setenv("SEATRIAL_MUTANT", mutant_name(mutant_active), 1);
        CHECK(freopen("/dev/null", "w", stdout) != NULL &&
              freopen("/dev/null", "w", stderr) != NULL);
        execl(path, path, "-j1", "--timeout", "60", "--filter", filter, (char *)NULL);
        _exit(127);
    }
    struct rusage used = {0};
    CHECK(wait4(pid, &status, 0, &used) == pid);
    (void)kill(-pid, SIGKILL); /* a worker that a sabotage made endless outlives its runner */
    attempt->cpu_us += sum_us(&used);
    bool is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 127);
    snprintf(attempt->judges, sizeof attempt->judges, "%s", is_good ? "" : name);
}

static bool opens_with(const char **killer, const char *word) {
    size_t n = strlen(word);
    bool is_it = strncmp(*killer, word, n) == 0;
    *killer += is_it ? n : 0;
    return is_it;
}

/* Runs what is to be run with the mutants that are awake. */
static void run(const char *killer, struct attempt *attempt) {
    struct text file = {0};
    unsigned long long seed = 0;
    attempt->judges[0] = '\0';
    if (opens_with(&killer, "test ")) {
        run_test(killer, attempt);
        return;
    }
    bool is_twice = opens_with(&killer, "verify ");
    bool is_exhaust = opens_with(&killer, "exhaust ");
    if (sscanf(killer, "seed %llu", &seed) == 1) {
        swarm_draw(CHAOS_SWARM, seed, 1, &file);
    } else if (!killer_read_file(killer, &file)) {
        fprintf(stderr, "no killer: %s\n", killer);
        return;
    }
    if (is_exhaust) {
        run_exhaust(&file, attempt);
    } else {
        run_text(&file, is_twice, attempt);
    }
    text_release(&file);
}

/* --- attempts --- */

void killer_remember(const char *killer, bool is_clean) {
    if (self.clean_count < CLEAN_MAX) {
        struct clean *clean = &self.clean[self.clean_count++];
        snprintf(clean->killer, sizeof clean->killer, "%s", killer);
        clean->is_clean = is_clean;
    }
}

static bool is_clean(const char *killer) {
    for (size_t i = 0; i < self.clean_count; i++) {
        if (strcmp(self.clean[i].killer, killer) == 0) {
            return self.clean[i].is_clean;
        }
    }
    struct attempt without = {.cpu_us = 0};
    run(killer, &without);
    bool is_it = without.judges[0] == '\0';
    killer_remember(killer, is_it);
    return is_it;
}

/* With the mutant, what must fail does not. */
static bool lets_pass(enum mutant mutant, enum mutant beside, const char *killer,
                      struct attempt *attempt) {
    struct attempt without = {.cpu_us = 0};
    mutant_active = beside;
    run(killer, &without);
    if (without.judges[0] == '\0') {
        mutant_active = MUTANT_none;
        return false;
    }
    mutant_beside = mutant;
    run(killer, attempt);
    mutant_active = MUTANT_none;
    mutant_beside = MUTANT_none;
    bool is_passed = attempt->judges[0] == '\0';
    memcpy(attempt->judges, without.judges, sizeof attempt->judges);
    return is_passed;
}

static bool fails(enum mutant mutant, const char *killer, struct attempt *attempt) {
    mutant_active = mutant;
    run(killer, attempt);
    mutant_active = MUTANT_none;
    return attempt->judges[0] != '\0' && (mutant == MUTANT_none || is_clean(killer));
}

bool killer_try(enum mutant mutant, const char *killer, struct attempt *attempt) {
    if (opens_with(&killer, "canary ")) {
        return lets_pass(mutant, MUTANT_none, killer, attempt);
    }
    if (opens_with(&killer, "beside ")) {
        char name[80];
        enum mutant other = MUTANT_none;
        size_t n = strcspn(killer, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, killer);
        CHECK(mutant_find(name, &other) && killer[n] == ' ');
        return lets_pass(mutant, other, killer + n + 1, attempt);
    }
    return fails(mutant, killer, attempt);
}
