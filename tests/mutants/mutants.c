/* mutants.c - `make mutants`: who notices which sabotage.
 *
 * For each mutant of core/base/mutant.def: its recorded killer, then every library scenario, then swarm
 * seeds, until a judge or an expectation objects. A run that already fails without the mutant kills nobody.
 * --mutant A,B tries these alone, --check the recorded killers alone, each of which may take --cpu-ms (5000) of CPU; --matrix tries recorded killer, library
 * and seeds and does not stop before two judges objected. Before a matrix each of the last two runs once
 * without a mutant and notes which sites it passes: where a mutant has no site on the way its run would be
 * that run, and is left out. A mutant that weakens the harness is killed too when it lets somebody get away: a canary (a scenario
 * that must fail), or another mutant.
 *
 * A killer is one of
 *   scenarios/...json | seed N        run with the mutant, fails
 *   verify KILLER                     run twice, the two runs differ
 *   exhaust scenarios/...json         death at the effects of its window
 *   test NAME [SUITE/TEST]            a Criterion binary of this build
 *   canary scenarios/canary/...json   must fail, and does not
 *   beside OTHER KILLER               kills OTHER, but not with the mutant beside it
 * Built only with SEATRIAL_MUTANTS. */
#include "core/base/check.h"
#include "core/base/mutant.h"
#include "scenarios/suite.h"
#include "tests/mutants/killer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDED "tests/mutants/killers.json"
#define LINE_BYTES_MAX 4096
#define KILLER_CPU_MS 5000 /* a recorded killer's; hundreds of them are run at every change */
#define QUEUE_MAX 8192     /* numbers that a pipe holds unread: half of its 64 KiB */

struct scout { /* of one killer of the library, or seed, run without a mutant */
    bool is_clean;
    bool passed[MUTANT_COUNT];
};

struct hunt { /* what the command line says */
    struct suite suite, canaries;
    uint64_t seeds; /* 1 to this */
    bool is_check, is_matrix;
    int64_t cpu_ms; /* that a recorded killer may take */
    int jobs;
    const char *only, *killer; /* only: names, by commas */
    const char *out;
    cJSON *recorded;      /* {"mutant":"killer",...} */
    struct scout *scouts; /* of a matrix: library, then seeds; memory that all workers share */
};

struct kill {
    char killer[KILLER_MAX];
    char judges[JUDGES_MAX];
    int64_t cpu_us, runs;
};

static bool try_killer(enum mutant mutant, const char *killer, struct kill *kill) {
    struct attempt attempt = {.cpu_us = 0};
    kill->runs++;
    bool is_killed = killer_try(mutant, killer, &attempt);
    kill->cpu_us += attempt.cpu_us;
    if (is_killed) {
        snprintf(kill->killer, sizeof kill->killer, "%s", killer);
        memcpy(kill->judges, attempt.judges, sizeof kill->judges);
    }
    return is_killed;
}

static void tell(enum mutant mutant, const struct kill *kill, bool is_killed, FILE *out) {
    fprintf(out,
            "{\"mutant\":\"%s\",\"killed\":%s,\"judges\":\"%s\",\"killer\":\"%s\",\"runs\":%lld,"
            "\"cpu_us\":%lld,\"breaks\":\"%s\"}\n",
            mutant_name(mutant), is_killed ? "true" : "false", is_killed ? kill->judges : "",
            is_killed ? kill->killer : "", (long long)kill->runs, (long long)kill->cpu_us,
            mutant_breaks(mutant));
    fprintf(stderr, "%-32s %-8s %5lld runs %6.2f s  %s: %s\n", mutant_name(mutant),
            is_killed ? "killed" : "SURVIVED", (long long)kill->runs, (double)kill->cpu_us / 1e6,
            is_killed ? kill->judges : mutant_breaks(mutant), is_killed ? kill->killer : "-");
    fflush(out);
}

static size_t library_count(const struct hunt *hunt) {
    return hunt->suite.count + hunt->seeds;
}

static void library_killer(const struct hunt *hunt, size_t i, char out[static KILLER_MAX]) {
    if (i < hunt->suite.count) {
        snprintf(out, KILLER_MAX, "%s", hunt->suite.paths[i]);
    } else {
        snprintf(out, KILLER_MAX, "seed %zu", i - hunt->suite.count + 1);
    }
}

static bool hunt_canaries(const struct hunt *hunt, enum mutant mutant, struct kill *kill) {
    bool is_killed = false;
    for (size_t i = 0; i < hunt->canaries.count && !is_killed; i++) {
        char killer[KILLER_MAX];
        snprintf(killer, sizeof killer, "canary %.400s", hunt->canaries.paths[i]);
        is_killed = try_killer(mutant, killer, kill);
    }
    return is_killed;
}

/* A check's alone: a hunt has many runs behind it. */
static bool is_too_slow(const struct hunt *hunt, enum mutant mutant, const struct kill *kill) {
    bool is_slow = hunt->is_check && kill->cpu_us > hunt->cpu_ms * 1000;
    if (is_slow) {
        fprintf(
            stderr,
            "%s: its recorded killer takes %.2f s of CPU, and may take %.2f: record a cheaper one "
            "(" RECORDED ")\n",
            mutant_name(mutant), (double)kill->cpu_us / 1e6, (double)hunt->cpu_ms / 1e3);
    }
    return is_slow;
}

/* Stops at the first kill. */
static bool hunt_one(const struct hunt *hunt, enum mutant mutant, FILE *out) {
    struct kill kill = {.runs = 0};
    const char *recorded = hunt->killer;
    bool is_one = hunt->is_check || hunt->killer != NULL;
    if (recorded == NULL) {
        (void)!json_string(hunt->recorded, mutant_name(mutant), &recorded, NULL);
    }
    bool is_killed = recorded != NULL && try_killer(mutant, recorded, &kill);
    is_killed = is_killed || (!is_one && hunt_canaries(hunt, mutant, &kill));
    for (size_t i = 0; i < library_count(hunt) && !is_killed && !is_one; i++) {
        char killer[KILLER_MAX];
        library_killer(hunt, i, killer);
        is_killed = try_killer(mutant, killer, &kill);
    }
    tell(mutant, &kill, is_killed, out);
    return !is_too_slow(hunt, mutant, &kill) && is_killed;
}

/* What a scenario file expects is no judge. */
static bool is_judge(const char *word, size_t n) {
    static const char *const others[] = {"expected", "unwanted", "faults", "scored"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strncmp(word, others[i], strlen(others[i])) == 0) {
            return false;
        }
    }
    return n > 0;
}

/* Notes the first judge that objected; true once there was a second one. */
static bool is_second(const char *judges, char first[static JUDGES_MAX]) {
    for (const char *word = judges; *word != '\0'; word += word[strcspn(word, ",")] == ',') {
        size_t n = strcspn(word, ",");
        if (is_judge(word, n) && first[0] == '\0') {
            snprintf(first, JUDGES_MAX, "%.*s", (int)n, word);
        } else if (is_judge(word, n) && (strlen(first) != n || strncmp(first, word, n) != 0)) {
            return true;
        }
        word += n;
    }
    return false;
}

struct row {                /* of the matrix: what is known of one mutant */
    char first[JUDGES_MAX]; /* who objected first */
    bool is_killed, is_settled;
};

static void try_row(struct row *row, enum mutant mutant, const char *killer, FILE *out) {
    struct kill kill = {.runs = 0};
    if (!row->is_settled && try_killer(mutant, killer, &kill)) {
        row->is_killed = true;
        row->is_settled = is_second(kill.judges, row->first);
        tell(mutant, &kill, true, out);
    }
}

/* The recorded killer, if that is a run, every scenario of the library and the first seeds, one line each,
 * until it is settled that no judge is alone in noticing this one: a second has objected. */
static bool matrix_one(const struct hunt *hunt, enum mutant mutant, FILE *out) {
    struct row row = {.is_killed = false};
    const char *recorded = "";
    if (json_string(hunt->recorded, mutant_name(mutant), &recorded, NULL) == ERR_OK &&
        (strncmp(recorded, "scenarios/", 10) == 0 || strncmp(recorded, "seed ", 5) == 0)) {
        try_row(&row, mutant, recorded, out);
    }
    for (size_t i = 0; i < library_count(hunt); i++) {
        char killer[KILLER_MAX];
        library_killer(hunt, i, killer);
        if (hunt->scouts[i].is_clean && hunt->scouts[i].passed[mutant] &&
            strcmp(killer, recorded) != 0) {
            try_row(&row, mutant, killer, out);
        }
    }
    return row.is_killed;
}

/* --- all of them, by so many workers, who take the next number from a pipe --- */

static void part_name(const struct hunt *hunt, int mutant, char out[static SUITE_PATH_MAX]) {
    snprintf(out, SUITE_PATH_MAX, "%s.%d", hunt->out, mutant);
}

/* What a worker does with a number; false counts. */
typedef bool task(const struct hunt *hunt, int number);

static bool hunt_mutant(const struct hunt *hunt, int number) {
    char path[SUITE_PATH_MAX];
    enum mutant mutant = (enum mutant)number;
    part_name(hunt, number, path);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    bool is_killed = hunt->is_matrix ? matrix_one(hunt, mutant, out) : hunt_one(hunt, mutant, out);
    fclose(out);
    return is_killed;
}

static bool scout_killer(const struct hunt *hunt, int number) {
    struct attempt attempt = {.cpu_us = 0};
    struct scout *scout = &hunt->scouts[number];
    char killer[KILLER_MAX];
    library_killer(hunt, (size_t)number, killer);
    mutant_passed = scout->passed;
    scout->is_clean = !killer_try(MUTANT_none, killer, &attempt);
    return scout->is_clean;
}

static int work(const struct hunt *hunt, int queue, task *perform) {
    int next = 0;
    int failures = 0;
    while (read(queue, &next, sizeof next) == (ssize_t)sizeof next) {
        failures += !perform(hunt, next);
    }
    return failures > 250 ? 250 : failures;
}

static int run_workers(const struct hunt *hunt, int queue, task *perform) {
    int failures = 0;
    for (int worker = 0; worker < hunt->jobs; worker++) {
        fflush(NULL);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            _exit(work(hunt, queue, perform));
        }
    }
    for (int worker = 0; worker < hunt->jobs; worker++) {
        int status = 0;
        CHECK(wait(&status) > 0);
        failures += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    close(queue);
    return failures;
}

/* True if the name is one of the list's, which commas part. */
static bool is_listed(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

static int hunt_all(const struct hunt *hunt, int *count) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    *count = 0;
    for (int i = 1; i < MUTANT_COUNT; i++) {
        if (hunt->only == NULL || is_listed(hunt->only, mutant_name((enum mutant)i))) {
            CHECK(write(ends[1], &i, sizeof i) == (ssize_t)sizeof i);
            ++*count;
        }
    }
    close(ends[1]);
    return run_workers(hunt, ends[0], hunt_mutant);
}

/* Once without a mutant, all that a matrix tries. */
static void scout_all(struct hunt *hunt) {
    int ends[2];
    size_t count = library_count(hunt);
    CHECK(count <= QUEUE_MAX && pipe(ends) == 0);
    hunt->scouts = mmap(NULL, count * sizeof *hunt->scouts, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(hunt->scouts != MAP_FAILED);
    for (int i = 0; i < (int)count; i++) {
        CHECK(write(ends[1], &i, sizeof i) == (ssize_t)sizeof i);
    }
    close(ends[1]);
    int dirty = run_workers(hunt, ends[0], scout_killer);
    fprintf(stderr, "%zu killers looked at, %d fail without a mutant and are left out\n", count,
            dirty);
    for (size_t i = 0; i < count; i++) {
        char killer[KILLER_MAX];
        library_killer(hunt, i, killer);
        killer_remember(killer, hunt->scouts[i].is_clean);
    }
}

/* One file of lines, in the order of mutant.def. */
static void gather(const struct hunt *hunt) {
    FILE *out = fopen(hunt->out, "w");
    CHECK(out != NULL);
    for (int mutant = 1; mutant < MUTANT_COUNT; mutant++) {
        char path[SUITE_PATH_MAX];
        char line[LINE_BYTES_MAX];
        part_name(hunt, mutant, path);
        FILE *part = fopen(path, "r");
        while (part != NULL && fgets(line, sizeof line, part) != NULL) {
            fputs(line, out);
        }
        if (part != NULL) {
            fclose(part);
            remove(path);
        }
    }
    fclose(out);
}

/* --- the command line --- */

static void read_recorded(struct hunt *hunt) {
    struct text file = {0};
    struct err err = {0};
    if (killer_read_file(RECORDED, &file) &&
        json_parse(text_get(&file), file.len, &hunt->recorded, &err) != ERR_OK) {
        fprintf(stderr, RECORDED ": %s\n", err.text);
        exit(3);
    }
    text_release(&file);
}

static const char **value_of(struct hunt *hunt, const char *word) {
    return strcmp(word, "--mutant") == 0   ? &hunt->only
           : strcmp(word, "--killer") == 0 ? &hunt->killer
           : strcmp(word, "--out") == 0    ? &hunt->out
                                           : NULL;
}

static void read_words(struct hunt *hunt, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        const char **value = value_of(hunt, argv[i]);
        if (strcmp(argv[i], "--check") == 0) {
            hunt->is_check = true;
        } else if (strcmp(argv[i], "--matrix") == 0) {
            hunt->is_matrix = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && has_value) {
            hunt->seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--cpu-ms") == 0 && has_value) {
            hunt->cpu_ms = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--jobs") == 0 && has_value) {
            hunt->jobs = (int)strtol(argv[++i], NULL, 10);
        } else if (value != NULL && has_value) {
            *value = argv[++i];
        } else {
            fprintf(stderr,
                    "usage: %s [--check [--cpu-ms N] | --matrix] [--seeds N] [--jobs N] "
                    "[--mutant NAME,... [--killer KILLER]] [--out FILE]\n",
                    argv[0]);
            exit(2);
        }
    }
}

/* Every canary sings: a scenario that must fail does. */
static int test_canaries(const struct hunt *hunt) {
    int mute = 0;
    for (size_t i = 0; i < hunt->canaries.count; i++) {
        struct attempt attempt = {.cpu_us = 0};
        if (!killer_try(MUTANT_none, hunt->canaries.paths[i], &attempt)) {
            fprintf(stderr, "%s: must fail and does not\n", hunt->canaries.paths[i]);
            mute++;
        }
    }
    return mute;
}

int main(int argc, char **argv) {
    struct hunt *hunt = calloc(1, sizeof *hunt);
    struct err err = {0};
    int count = 0;
    CHECK(hunt != NULL);
    hunt->seeds = 1000;
    hunt->jobs = 1;
    hunt->cpu_ms = KILLER_CPU_MS;
    hunt->out = "mutants.ndjson";
    read_words(hunt, argc, argv);
    CHECK(hunt->jobs >= 1 && hunt->jobs <= 64);
    if (hunt->is_matrix && hunt->seeds == 1000) {
        hunt->seeds = 20;
    }
    read_recorded(hunt);
    if (suite_add(&hunt->suite, "scenarios/library", &err) != ERR_OK ||
        suite_add(&hunt->canaries, "scenarios/canary", &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    killer_open(argv[0]);
    if (hunt->is_matrix) {
        scout_all(hunt);
    }
    int survivors = hunt_all(hunt, &count);
    gather(hunt);
    int mute = hunt->only == NULL ? test_canaries(hunt) : 0;
    printf("%d of %d mutants survived%s; %s\n", survivors, count,
           hunt->is_matrix  ? " library and seeds"
           : hunt->is_check ? " or took their killer too long"
                            : "",
           hunt->out);
    bool is_good = mute == 0 && (survivors == 0 || hunt->is_matrix);
    cJSON_Delete(hunt->recorded);
    free(hunt);
    return is_good ? 0 : 1;
}
