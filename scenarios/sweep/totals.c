/* totals.c - folding records in the order of their seeds. */
#include "scenarios/sweep/totals.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "replay/oracle/oracle.h"
#include "scenarios/sweep/reach.h"
#include "scenarios/sweep/swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_FAILURES 50 /* with all that broke; of more, the first line that did */
#define CURVE_STEP 1000

struct record {
    uint64_t seed;
    char *line; /* owned */
};

struct totals {
    struct record *records; /* ascending by seed */
    size_t count, cap;
    int days;         /* of each seed */
    const char *data; /* borrowed; NULL: the default */
    /* of the fold */
    struct words seeds; /* per reach word: seeds in which it was met */
    struct text failures, failure_lines, curve;
    int64_t failed, sim_seconds, ticks, requests, cpu_us;
    int64_t maybes, judged; /* excused, of so many orders */
    int64_t moves_known;    /* distinct moves before this step of the curve */
    struct hasher *hasher;
};

struct totals *totals_create(void) {
    struct totals *totals = calloc(1, sizeof *totals);
    CHECK(totals != NULL);
    totals->hasher = hasher_create();
    totals->days = TOTALS_DAYS;
    return totals;
}

void totals_destroy(struct totals *totals) {
    for (size_t i = 0; i < totals->count; i++) {
        free(totals->records[i].line);
    }
    free(totals->records);
    words_release(&totals->seeds);
    text_release(&totals->failures);
    text_release(&totals->failure_lines);
    text_release(&totals->curve);
    hasher_destroy(totals->hasher);
    free(totals);
}

void totals_repeat_with(struct totals *totals, int days, const char *data) {
    totals->days = days;
    totals->data = data;
}

/* Index of a seed, or of where it belongs. */
static size_t place_of(const struct totals *totals, uint64_t seed) {
    size_t low = 0;
    size_t high = totals->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (totals->records[middle].seed < seed) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool totals_has(const struct totals *totals, uint64_t seed) {
    size_t place = place_of(totals, seed);
    return place < totals->count && totals->records[place].seed == seed;
}

int64_t totals_count(const struct totals *totals) {
    return (int64_t)totals->count;
}

/* --- adding --- */

static enum err_code read_record(const char *line, size_t n, cJSON **tree, uint64_t *seed,
                                 struct err *err) {
    int64_t number = 0;
    enum err_code code = json_parse(line, n, tree, err);
    if (code == ERR_OK) {
        code = json_int(*tree, "seed", &number, err);
    }
    if (code == ERR_OK && number < 0) {
        code = err_set(err, ERR_PARSE, "seed: %lld is below 0", (long long)number);
    }
    *seed = (uint64_t)number;
    return code;
}

static const char *hash_of(const cJSON *tree) {
    const char *hash = "";
    return json_string(tree, "trace_hash", &hash, NULL) == ERR_OK ? hash : "";
}

static enum err_code compare_with(const struct totals *totals, size_t place, const cJSON *tree,
                                  struct err *err) {
    cJSON *known = NULL;
    uint64_t seed = 0;
    const char *line = totals->records[place].line;
    enum err_code code = read_record(line, strlen(line), &known, &seed, err);
    if (code == ERR_OK && strcmp(hash_of(known), hash_of(tree)) != 0) {
        code = err_set(err, ERR_CORRUPT, "seed %llu is there twice, with different trace hashes",
                       (unsigned long long)seed);
    }
    cJSON_Delete(known);
    return code;
}

static void insert(struct totals *totals, size_t place, uint64_t seed, const char *line, size_t n) {
    if (totals->count == totals->cap) {
        totals->cap = totals->cap == 0 ? 256 : totals->cap * 2;
        totals->records = realloc(totals->records, totals->cap * sizeof totals->records[0]);
        CHECK(totals->records != NULL);
    }
    memmove(&totals->records[place + 1], &totals->records[place],
            (totals->count - place) * sizeof totals->records[0]);
    char *copy = strndup(line, n);
    CHECK(copy != NULL);
    totals->records[place] = (struct record){seed, copy};
    totals->count++;
}

enum err_code totals_add(struct totals *totals, const char *line, size_t n, struct err *err) {
    cJSON *tree = NULL;
    uint64_t seed = 0;
    enum err_code code = read_record(line, n, &tree, &seed, err);
    if (code == ERR_OK) {
        size_t place = place_of(totals, seed);
        if (place < totals->count && totals->records[place].seed == seed) {
            code = compare_with(totals, place, tree, err);
        } else {
            insert(totals, place, seed, line, n);
        }
    }
    cJSON_Delete(tree);
    return code;
}

/* --- the fold --- */

static int64_t number_of(const cJSON *tree, const char *key) {
    int64_t value = 0;
    return json_int(tree, key, &value, NULL) == ERR_OK ? value : 0;
}

static void add_pairs(struct totals *totals, const cJSON *reach) {
    bool is_met[32] = {false};
    CHECK(swarm_class_count() <= sizeof is_met / sizeof is_met[0]);
    for (size_t i = 0; i < swarm_class_count(); i++) {
        char word[WORD_TEXT_MAX];
        word_join(word, "class", swarm_class(i), "");
        is_met[i] = json_member(reach, word) != NULL;
        for (size_t j = 0; j < i; j++) {
            if (is_met[i] && is_met[j]) {
                snprintf(word, sizeof word, "pair %s+%s", swarm_class(j), swarm_class(i));
                words_add(&totals->seeds, word, 1);
            }
        }
    }
}

/* Mechanism by fault class: the mechanism acted in a seed in which the class fired. */
static void add_cells(struct totals *totals, const cJSON *reach, const char *word) {
    char mechanism[WORD_TEXT_MAX];
    if (sscanf(word, "mechanism %90s acted", mechanism) != 1 || strstr(word, " acted") == NULL) {
        return;
    }
    for (size_t i = 0; i < swarm_class_count(); i++) {
        char class[WORD_TEXT_MAX];
        word_join(class, "class", swarm_class(i), "");
        if (json_member(reach, class) != NULL) {
            struct text cell = {0};
            text_add_format(&cell, "cell %s x %s", mechanism, swarm_class(i));
            words_add(&totals->seeds, text_get(&cell), 1);
            text_release(&cell);
        }
    }
}

static void fold_reach(struct totals *totals, const cJSON *reach) {
    for (const cJSON *item = reach == NULL ? NULL : reach->child; item != NULL; item = item->next) {
        if (strncmp(item->string, "move ", 5) == 0 &&
            words_get(&totals->seeds, item->string) == 0) {
            totals->moves_known++;
        }
        words_add(&totals->seeds, item->string, 1);
        add_cells(totals, reach, item->string);
    }
    add_pairs(totals, reach);
}

/* One word of a shell's command line, whatever is in it. */
static void add_shell_word(struct text *out, const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        text_add(out, word);
        return;
    }
    text_add_char(out, '\'');
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '\'') {
            text_add(out, "'\\''");
        } else {
            text_add_char(out, *at);
        }
    }
    text_add_char(out, '\'');
}

void totals_print_repeat(const struct totals *totals, const char *mode, const char *seeds,
                         struct text *out) {
    text_add_format(out, "seatrial chaos --mode %s --seeds %s", mode, seeds);
    if (totals->days != TOTALS_DAYS) {
        text_add_format(out, " --days %d", totals->days);
    }
    if (totals->data != NULL) {
        text_add(out, " --data ");
        add_shell_word(out, totals->data);
    }
}

static void print_repeat(const struct totals *totals, const char *mode, int64_t seed,
                         struct text *out) {
    char seeds[32];
    struct text command = {0};
    snprintf(seeds, sizeof seeds, "%lld", (long long)seed);
    totals_print_repeat(totals, mode, seeds, &command);
    text_member_string(out, "repeat", text_get(&command));
    text_release(&command);
}

static void print_broken(const cJSON *tree, bool is_whole, struct text *out) {
    const cJSON *lines = json_member(tree, "broken");
    const cJSON *first = cJSON_GetArrayItem(lines, 0);
    char *broken = cJSON_PrintUnformatted(is_whole || first == NULL ? lines : first);
    bool is_bare = broken != NULL && broken[0] != '[';
    text_add_format(out, is_bare ? "[%s]" : "%s", broken == NULL ? "[]" : broken);
    cJSON_free(broken);
}

static void print_failure(struct totals *totals, const cJSON *tree, const char *mode, int64_t seed,
                          const char *verdict) {
    struct text *out = &totals->failures;
    char words[160];
    text_add(out, out->len == 0 ? "{" : ",{");
    snprintf(words, sizeof words, "%s_%lld", mode, (long long)seed);
    text_member_string(out, "id", words);
    snprintf(words, sizeof words, "%s, seed %lld", mode, (long long)seed);
    text_member_string(out, "title", words);
    text_member_string(out, "verdict", verdict);
    text_member(out, "broken");
    print_broken(tree, totals->failed <= SHOWN_FAILURES, out);
    text_add(out, ",\"mechanisms\":[]");
    text_member_string(out, "source", "");
    text_member_string(out, "trace_hash", hash_of(tree));
    print_repeat(totals, mode, seed, out);
    text_add_char(out, '}');
}

/* All are named in JSON, so that a report lacks none; a person is shown the first. */
static void fold_failure(struct totals *totals, const cJSON *tree, const char *verdict) {
    const cJSON *line = NULL;
    const char *mode = "";
    int64_t seed = number_of(tree, "seed");
    (void)!json_string(tree, "mode", &mode, NULL);
    totals->failed++;
    print_failure(totals, tree, mode, seed, verdict);
    if (totals->failed > SHOWN_FAILURES) {
        return;
    }
    text_add_format(&totals->failure_lines, "%s %s seed %lld\n", verdict, mode, (long long)seed);
    cJSON_ArrayForEach(line, json_member(tree, "broken")) {
        text_add_format(&totals->failure_lines, "     %s\n",
                        cJSON_IsString(line) ? line->valuestring : "");
    }
}

static void fold_record(struct totals *totals, const struct record *record) {
    cJSON *tree = NULL;
    struct err err = {0};
    const char *verdict = "";
    CHECK(json_parse(record->line, strlen(record->line), &tree, &err) == ERR_OK);
    (void)!json_string(tree, "verdict", &verdict, NULL);
    hasher_add_int(totals->hasher, (int64_t)record->seed);
    hasher_add(totals->hasher, hash_of(tree), strlen(hash_of(tree)));
    totals->sim_seconds += number_of(tree, "sim_seconds");
    totals->ticks += number_of(tree, "ticks");
    totals->requests += number_of(tree, "requests");
    totals->maybes += number_of(tree, "maybes");
    totals->judged += number_of(tree, "judged");
    totals->cpu_us += number_of(tree, "cpu_us");
    fold_reach(totals, json_member(tree, "reach"));
    if (strcmp(verdict, "pass") != 0) {
        fold_failure(totals, tree, verdict);
    }
    cJSON_Delete(tree);
}

static void fold(struct totals *totals) {
    int64_t known = 0;
    words_release(&totals->seeds);
    text_clear(&totals->failures);
    text_clear(&totals->failure_lines);
    text_clear(&totals->curve);
    hasher_reset(totals->hasher);
    totals->failed = totals->sim_seconds = totals->ticks = totals->requests = 0;
    totals->cpu_us = totals->moves_known = totals->maybes = totals->judged = 0;
    for (size_t i = 0; i < totals->count; i++) {
        fold_record(totals, &totals->records[i]);
        if ((i + 1) % CURVE_STEP == 0 || i + 1 == totals->count) {
            text_add_format(&totals->curve, "%s[%zu,%lld]", known == 0 ? "" : ",", i + 1,
                            (long long)(totals->moves_known - known));
            known = totals->moves_known;
        }
    }
}

/* --- the verdict --- */

struct judging {
    struct totals *totals;
    const struct waivers *waivers;
    struct text *json, *lines;
    int64_t missing;
    struct excuse { /* of each waiver */
        bool is_owed, is_needed;
        int64_t met, due;
    } excuses[WAIVERS_MAX];
};

/* The index of a word's waiver; the count of them for none. */
static size_t waiver_of(const struct waivers *waivers, const char *word) {
    size_t i = 0;
    while (i < waivers->count && strcmp(waivers->items[i].word, word) != 0) {
        i++;
    }
    return i;
}

/* A word of the catalogue was weighed: what became of its waiver, if it has one. */
static void note_excuse(struct judging *judging, const char *word, int64_t met, int64_t due,
                        bool is_needed) {
    size_t waiver = waiver_of(judging->waivers, word);
    if (waiver < judging->waivers->count) {
        judging->excuses[waiver] = (struct excuse){true, is_needed, met, due};
    }
}

/* A whole sweep owes the whole number; a smaller one half of its share, for chance is lumpy. */
static int64_t share_of(int64_t seeds, size_t count) {
    return count >= 10000 ? seeds : seeds * (int64_t)count / 20000;
}

static void tell_debt(struct judging *judging, const char *word, const char *trouble, int64_t met,
                      int64_t due) {
    size_t waiver = waiver_of(judging->waivers, word);
    bool is_waived = waiver < judging->waivers->count;
    text_add(judging->json, judging->json->data[judging->json->len - 1] == '[' ? "{" : ",{");
    text_member_string(judging->json, "word", word);
    text_member_int(judging->json, "seeds", met);
    text_member_int(judging->json, "due", due);
    text_member_string(judging->json, "waiver",
                       is_waived ? judging->waivers->items[waiver].reason : "");
    text_add_char(judging->json, '}');
    judging->missing += !is_waived;
    note_excuse(judging, word, met, due, true);
    if (judging->lines != NULL && !is_waived) {
        text_add_format(judging->lines, "%s %s: %lld of %lld seeds\n", trouble, word,
                        (long long)met, (long long)due);
    }
}

static void judge_word(void *context, const char *word, int64_t seeds) {
    struct judging *judging = context;
    int64_t met = words_get(&judging->totals->seeds, word);
    int64_t due = share_of(seeds, judging->totals->count);
    note_excuse(judging, word, met, due, false);
    if (met < due) {
        tell_debt(judging, word, "MISSING", met, due);
    }
}

static void judge_quiet(void *context, const char *word, int64_t seeds) {
    struct judging *judging = context;
    int64_t met = words_get(&judging->totals->seeds, word);
    note_excuse(judging, word, met, seeds, false);
    if (met > seeds) {
        tell_debt(judging, word, "NOT QUIET", met, seeds);
    }
}

/* All of them, whether this sweep needed them or not: an excuse that nobody reads is kept for ever. */
static void print_waivers(const struct judging *judging) {
    text_member(judging->json, "waivers");
    text_add_char(judging->json, '[');
    for (size_t i = 0; i < judging->waivers->count; i++) {
        const struct waiver *waiver = &judging->waivers->items[i];
        const struct excuse *excuse = &judging->excuses[i];
        const char *state = !excuse->is_owed ? "not owed" : excuse->is_needed ? "unmet" : "met";
        text_add(judging->json, i == 0 ? "{" : ",{");
        text_member_string(judging->json, "word", waiver->word);
        text_member_string(judging->json, "state", state);
        text_member_int(judging->json, "seeds", excuse->met);
        text_member_int(judging->json, "due", excuse->due);
        text_member_string(judging->json, "expires", waiver->expires);
        text_member_string(judging->json, "reason", waiver->reason);
        text_add_char(judging->json, '}');
        if (judging->lines != NULL) {
            text_add_format(judging->lines, "waiver of %s until %s: %s", waiver->word,
                            waiver->expires, state);
            text_add_format(judging->lines, excuse->is_owed ? ", %lld of %lld seeds: " : ": ",
                            (long long)excuse->met, (long long)excuse->due);
            text_add_format(judging->lines, "%s\n", waiver->reason);
        }
    }
    text_add_char(judging->json, ']');
}

static void print_head(const struct totals *totals, struct text *json) {
    char hash[HASH_TEXT_MAX];
    hasher_print(totals->hasher, hash);
    text_add_char(json, '{');
    text_member_int(json, "seeds", (int64_t)totals->count);
    text_member_int(json, "failed", totals->failed);
    text_member_string(json, "trace_hash", hash);
    text_member_int(json, "sim_seconds", totals->sim_seconds);
    text_member_int(json, "ticks", totals->ticks);
    text_member_int(json, "requests", totals->requests);
    text_member_int(json, "maybes", totals->maybes);
    text_member_int(json, "judged", totals->judged);
    text_member(json, "failures");
    text_add_format(json, "[%s]", text_get(&totals->failures));
    text_member(json, "discovery");
    text_add_format(json, "[%s]", text_get(&totals->curve));
    text_member(json, "reach");
    words_print(&totals->seeds, json);
}

static void print_lines(const struct totals *totals, struct text *lines) {
    char hash[HASH_TEXT_MAX];
    hasher_print(totals->hasher, hash);
    text_add(lines, text_get(&totals->failure_lines));
    if (totals->failed > SHOWN_FAILURES) {
        text_add_format(lines, "and %lld more that failed, which --out and --junit name\n",
                        (long long)(totals->failed - SHOWN_FAILURES));
    }
    text_add_format(lines,
                    "%zu seeds, %lld failed; %lld session seconds, %lld ticks, %lld requests\n"
                    "%lld findings excused by a stated unknown, of %lld orders\n",
                    totals->count, (long long)totals->failed, (long long)totals->sim_seconds,
                    (long long)totals->ticks, (long long)totals->requests,
                    (long long)totals->maybes, (long long)totals->judged);
    text_add_format(lines,
                    "moves met for the first time, as [seeds so far, new among the last %d]: %s\n"
                    "trace_hash %s\n",
                    CURVE_STEP, text_get(&totals->curve), hash);
}

struct totals_verdict totals_judge(struct totals *totals, const struct waivers *waivers,
                                   enum totals_debt debt, struct text *json, struct text *lines) {
    struct judging judging = {.totals = totals, .waivers = waivers, .json = json, .lines = lines};
    fold(totals);
    print_head(totals, json);
    text_member(json, "missing");
    text_add_char(json, '[');
    if (debt == OWES_REACH) {
        reach_due(judge_word, &judging);
    } else if (debt == OWES_QUIET) {
        reach_quiet(judge_quiet, &judging);
    } else if (debt == OWES_RECIPES) {
        reach_recipes(judge_word, &judging);
    }
    if (debt != OWES_RECIPES && oracle_is_over_budget(totals->maybes, totals->judged)) {
        tell_debt(&judging, "maybes", "TOO MANY", totals->maybes,
                  totals->judged * ORACLE_MAYBE_PERMILLE / 1000);
    }
    text_add_char(json, ']');
    print_waivers(&judging);
    text_add(json, "}\n");
    if (lines != NULL) {
        print_lines(totals, lines);
    }
    return (struct totals_verdict){(int64_t)totals->count, totals->failed, judging.missing};
}

int64_t totals_cpu_us(const struct totals *totals) {
    return totals->cpu_us;
}
