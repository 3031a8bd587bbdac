/* mutants.c - `make mutants`: who notices which sabotage.
 *
 * For each mutant of core/base/mutant.def: its recorded killer, then every library scenario, then swarm
 * seeds, until a judge objects. A run that already fails without the mutant kills nobody. --check runs
 * the recorded killers alone; --matrix does not stop and says which judge is the only killer of whom.
 * Built only with SEATRIAL_MUTANTS. */
#include "core/base/check.h"
#include "core/base/mutant.h"
#include "scenarios/suite.h"
#include "scenarios/sweep/reach.h"
#include "scenarios/sweep/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_S 60
#define RECORDED "tests/mutants/killers.json"
#define JUDGES_MAX 200

struct hunt { /* what the command line says */
    struct seed_options run;
    struct suite suite;
    uint64_t seeds; /* 1 to this */
    bool is_check, is_matrix;
    int jobs;
    const char *only;
    const char *out;
    cJSON *recorded; /* {"mutant":"killer",...} */
};

struct kill {
    char killer[SUITE_PATH_MAX];
    char judges[JUDGES_MAX];
    int64_t cpu_us;
    int64_t runs, seeds;
};

/* --- one run --- */

/* The ids that open the broken lines of a record, comma separated; "" for none. */
static void judges_of(const struct text *record, char out[static JUDGES_MAX], int64_t *cpu_us) {
    cJSON *tree = NULL;
    const cJSON *line = NULL;
    struct err err = {0};
    size_t len = 0;
    int64_t spent = 0;
    out[0] = '\0';
    CHECK(json_parse(text_get(record), record->len, &tree, &err) == ERR_OK);
    cJSON_ArrayForEach(line, json_member(tree, "broken")) {
        const char *word = line->valuestring;
        size_t n = strcspn(word, " :");
        if (len + n + 2 < JUDGES_MAX) {
            len += (size_t)snprintf(out + len, JUDGES_MAX - len, "%s%.*s", len == 0 ? "" : ",",
                                    (int)n, word);
        }
    }
    *cpu_us += json_int(tree, "cpu_us", &spent, NULL) == ERR_OK ? spent : 0;
    cJSON_Delete(tree);
}

static void run_as(const struct hunt *hunt, enum mutant mutant, const struct text *file,
                   char judges[static JUDGES_MAX], int64_t *cpu_us) {
    struct text record = {0};
    mutant_active = mutant;
    seed_run_apart(&hunt->run, 0, text_get(file), file->len, HANG_S, &record);
    mutant_active = MUTANT_none;
    judges_of(&record, judges, cpu_us);
    text_release(&record);
}

/* True if a run is clean without the mutant and not with it. */
static bool kills(const struct hunt *hunt, enum mutant mutant, const struct text *file,
                  const char *killer, struct kill *kill) {
    char clean[JUDGES_MAX];
    char judges[JUDGES_MAX];
    int64_t unused = 0;
    kill->runs++;
    run_as(hunt, mutant, file, judges, &kill->cpu_us);
    if (judges[0] == '\0') {
        return false;
    }
    run_as(hunt, MUTANT_none, file, clean, &unused);
    if (clean[0] != '\0') {
        return false;
    }
    snprintf(kill->killer, sizeof kill->killer, "%s", killer);
    memcpy(kill->judges, judges, sizeof judges);
    return true;
}

/* --- candidates: a scenario file by its path, or "seed N" --- */

static bool read_killer(const struct hunt *hunt, const char *killer, struct text *file) {
    unsigned long long seed = 0;
    text_clear(file);
    if (sscanf(killer, "seed %llu", &seed) == 1) {
        swarm_draw(hunt->run.mode, seed, hunt->run.days, file);
        return true;
    }
    FILE *stream = fopen(killer, "rb");
    if (stream == NULL) {
        return false;
    }
    char block[4096];
    for (size_t n = fread(block, 1, sizeof block, stream); n > 0;
         n = fread(block, 1, sizeof block, stream)) {
        text_add_bytes(file, block, n);
    }
    fclose(stream);
    return true;
}

static bool try_killer(const struct hunt *hunt, enum mutant mutant, const char *killer,
                       struct kill *kill) {
    struct text file = {0};
    bool is_killed = read_killer(hunt, killer, &file) && kills(hunt, mutant, &file, killer, kill);
    text_release(&file);
    return is_killed;
}

static void tell(const struct hunt *hunt, enum mutant mutant, const struct kill *kill,
                 bool is_killed, FILE *out) {
    fprintf(out,
            "{\"mutant\":\"%s\",\"killed\":%s,\"killer\":\"%s\",\"judges\":\"%s\","
            "\"runs\":%lld,\"cpu_us\":%lld}\n",
            mutant_name(mutant), is_killed ? "true" : "false", is_killed ? kill->killer : "",
            is_killed ? kill->judges : "", (long long)kill->runs, (long long)kill->cpu_us);
    fprintf(stderr, "%-36s %-8s %-40s %s\n", mutant_name(mutant), is_killed ? "killed" : "SURVIVED",
            is_killed ? kill->killer : "", is_killed ? kill->judges : mutant_breaks(mutant));
    fflush(out);
    (void)hunt;
}

/* Stops at the first kill. */
static bool hunt_one(const struct hunt *hunt, enum mutant mutant, FILE *out) {
    struct kill kill = {0};
    const char *recorded = "";
    bool is_killed = json_string(hunt->recorded, mutant_name(mutant), &recorded, NULL) == ERR_OK &&
                     try_killer(hunt, mutant, recorded, &kill);
    for (size_t i = 0; i < hunt->suite.count && !is_killed && !hunt->is_check; i++) {
        is_killed = try_killer(hunt, mutant, hunt->suite.paths[i], &kill);
    }
    for (uint64_t seed = 1; seed <= hunt->seeds && !is_killed && !hunt->is_check; seed++) {
        char killer[32];
        snprintf(killer, sizeof killer, "seed %llu", (unsigned long long)seed);
        is_killed = try_killer(hunt, mutant, killer, &kill);
    }
    tell(hunt, mutant, &kill, is_killed, out);
    return is_killed;
}

/* Every killer of the library and the first seeds, one line each. */
static bool matrix_one(const struct hunt *hunt, enum mutant mutant, FILE *out) {
    bool is_killed = false;
    for (size_t i = 0; i < hunt->suite.count + hunt->seeds; i++) {
        struct kill kill = {0};
        char killer[SUITE_PATH_MAX];
        if (i < hunt->suite.count) {
            snprintf(killer, sizeof killer, "%s", hunt->suite.paths[i]);
        } else {
            snprintf(killer, sizeof killer, "seed %zu", i - hunt->suite.count + 1);
        }
        if (try_killer(hunt, mutant, killer, &kill)) {
            is_killed = true;
            tell(hunt, mutant, &kill, true, out);
        }
    }
    return is_killed;
}

/* --- all of them, by so many workers: worker w takes the mutants with number % jobs == w --- */

static int work(const struct hunt *hunt, int worker) {
    char path[SUITE_PATH_MAX];
    int survivors = 0;
    snprintf(path, sizeof path, "%s.%d", hunt->out, worker);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    for (int i = 1; i < MUTANT_COUNT; i++) {
        enum mutant mutant = (enum mutant)i;
        if (i % hunt->jobs != worker ||
            (hunt->only != NULL && strcmp(hunt->only, mutant_name(mutant)) != 0)) {
            continue;
        }
        bool is_killed =
            hunt->is_matrix ? matrix_one(hunt, mutant, out) : hunt_one(hunt, mutant, out);
        survivors += !is_killed;
    }
    fclose(out);
    return survivors > 250 ? 250 : survivors;
}

static int run_workers(const struct hunt *hunt) {
    int survivors = 0;
    for (int worker = 0; worker < hunt->jobs; worker++) {
        fflush(NULL);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            _exit(work(hunt, worker));
        }
    }
    for (int worker = 0; worker < hunt->jobs; worker++) {
        int status = 0;
        CHECK(wait(&status) > 0);
        survivors += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    return survivors;
}

/* One file of lines, in the order of mutant.def. */
static void gather(const struct hunt *hunt) {
    FILE *out = fopen(hunt->out, "w");
    CHECK(out != NULL);
    for (int worker = 0; worker < hunt->jobs; worker++) {
        char path[SUITE_PATH_MAX];
        char line[8192];
        snprintf(path, sizeof path, "%s.%d", hunt->out, worker);
        FILE *part = fopen(path, "r");
        CHECK(part != NULL);
        while (fgets(line, sizeof line, part) != NULL) {
            fputs(line, out);
        }
        fclose(part);
        remove(path);
    }
    fclose(out);
}

static void read_recorded(struct hunt *hunt) {
    struct text file = {0};
    struct err err = {0};
    if (read_killer(hunt, RECORDED, &file) &&
        json_parse(text_get(&file), file.len, &hunt->recorded, &err) != ERR_OK) {
        fprintf(stderr, RECORDED ": %s\n", err.text);
        exit(3);
    }
    text_release(&file);
}

static void read_words(struct hunt *hunt, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--check") == 0) {
            hunt->is_check = true;
        } else if (strcmp(argv[i], "--matrix") == 0) {
            hunt->is_matrix = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && has_value) {
            hunt->seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--jobs") == 0 && has_value) {
            hunt->jobs = (int)strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--mutant") == 0 && has_value) {
            hunt->only = argv[++i];
        } else if (strcmp(argv[i], "--out") == 0 && has_value) {
            hunt->out = argv[++i];
        } else {
            fprintf(stderr,
                    "usage: %s [--check | --matrix] [--seeds N] [--jobs N] "
                    "[--mutant NAME] [--out FILE]\n",
                    argv[0]);
            exit(2);
        }
    }
}

int main(int argc, char **argv) {
    struct hunt *hunt = calloc(1, sizeof *hunt);
    struct err err = {0};
    CHECK(hunt != NULL);
    hunt->run = (struct seed_options){
        .mode = CHAOS_SWARM, .days = 1, .data_dir = "data", .build = "mutants"};
    hunt->seeds = 1000;
    hunt->jobs = 1;
    hunt->out = "mutants.ndjson";
    read_words(hunt, argc, argv);
    CHECK(hunt->jobs >= 1 && hunt->jobs <= 64);
    if (hunt->is_matrix && hunt->seeds == 1000) {
        hunt->seeds = 20;
    }
    read_recorded(hunt);
    if (suite_add(&hunt->suite, "scenarios/library", &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    int survivors = run_workers(hunt);
    gather(hunt);
    printf("%d of %d mutants survived; %s\n", survivors, MUTANT_COUNT - 1, hunt->out);
    cJSON_Delete(hunt->recorded);
    free(hunt);
    return survivors == 0 ? 0 : 1;
}
