/* test_sweep.c - drawing, running, folding and shrinking seeds. */
#include "chaos/faults/plan.h"
#include "scenarios/stage.h"
#include "scenarios/sweep/reach.h"
#include "scenarios/sweep/shrink.h"
#include "scenarios/sweep/sweep.h"
#include "scenarios/sweep/verify.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct seed_options SWARM = {
    .mode = CHAOS_SWARM, .days = 1, .data_dir = "data", .build = "test"};

/* --- drawing --- */

Test(swarm, every_drawn_file_is_a_scenario) {
    struct scenario *scenario = malloc(sizeof *scenario);
    for (int mode = 0; mode < CHAOS_MODE_COUNT; mode++) {
        for (uint64_t seed = 0; seed < 150; seed++) {
            struct text drawn = {0};
            struct text faults = {0};
            struct err err = {0};
            swarm_draw((enum chaos_mode)mode, seed, 1 + (int)(seed % 3), &drawn);
            cr_assert_eq(scenario_parse(text_get(&drawn), drawn.len, scenario, &faults, &err),
                         ERR_OK, "%s %llu: %s%s", chaos_mode_word((enum chaos_mode)mode),
                         (unsigned long long)seed, text_get(&faults), text_get(&drawn));
            if (mode == CHAOS_CALM) {
                cr_assert_eq(scenario->fault_count, 0);
            }
            text_release(&drawn);
            text_release(&faults);
        }
    }
    free(scenario);
}

Test(swarm, a_seed_draws_the_same_file_and_another_seed_another) {
    struct text first = {0};
    struct text again = {0};
    struct text other = {0};
    swarm_draw(CHAOS_SWARM, 7, 1, &first);
    swarm_draw(CHAOS_SWARM, 7, 1, &again);
    swarm_draw(CHAOS_SWARM, 8, 1, &other);
    cr_assert_str_eq(text_get(&first), text_get(&again));
    cr_assert_str_neq(text_get(&first), text_get(&other));
    text_release(&first);
    text_release(&again);
    text_release(&other);
}

Test(swarm, every_fault_point_has_a_class) {
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        const char *name = fault_point_name((enum fault_point)point);
        cr_assert_geq(swarm_class_of(name), 0, "%s", name);
    }
    cr_assert_eq(swarm_class_of("httpx.reset"), -1);
    cr_assert_eq(swarm_class_of("htt.reset"), -1);
}

/* --- totals --- */

static void add(struct totals *totals, const char *line) {
    struct err err = {0};
    cr_assert_eq(totals_add(totals, line, strlen(line), &err), ERR_OK, "%s", err.text);
}

#define RECORD(seed, verdict, broken, hash, reach)                                                 \
    "{\"seed\":" #seed ",\"mode\":\"swarm\",\"verdict\":\"" verdict "\",\"broken\":[" broken       \
    "],\"trace_hash\":\"" hash "\",\"sim_seconds\":10,\"ticks\":2,\"requests\":3,\"cpu_us\":5,"    \
    "\"reach\":{" reach "}}"

static const char *const records[] = {
    RECORD(1, "pass", "", "aa", "\"class http\":2,\"class disk\":1,\"mechanism x acted\":1"),
    RECORD(2, "fail", "\"one_order: twice\"", "bb", "\"class http\":1"),
    RECORD(3, "pass", "", "cc", "\"class disk\":9"),
};

static void judge(struct totals *totals, struct text *json) {
    const struct waivers none = {0};
    (void)totals_judge(totals, &none, OWES_NOTHING, json, NULL);
}

Test(totals, are_the_same_whatever_the_order_of_arrival) {
    static const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};
    struct text json[3] = {{0}, {0}, {0}};
    for (size_t i = 0; i < 3; i++) {
        struct totals *totals = totals_create();
        for (size_t j = 0; j < 3; j++) {
            add(totals, records[orders[i][j]]);
        }
        judge(totals, &json[i]);
        totals_destroy(totals);
    }
    cr_assert_str_eq(text_get(&json[0]), text_get(&json[1]));
    cr_assert_str_eq(text_get(&json[0]), text_get(&json[2]));
    cr_assert(strstr(text_get(&json[0]), "\"seeds\":3,\"failed\":1") != NULL, "%s",
              text_get(&json[0]));
    cr_assert(strstr(text_get(&json[0]), "\"pair http+disk\":1") != NULL);
    cr_assert(strstr(text_get(&json[0]), "\"cell x x disk\":1") != NULL);
    cr_assert(strstr(text_get(&json[0]), "\"class http\":2") != NULL);
    cr_assert(strstr(text_get(&json[0]), "seatrial chaos --mode swarm --seeds 2") != NULL);
    for (size_t i = 0; i < 3; i++) {
        text_release(&json[i]);
    }
}

Test(totals, the_same_seed_twice_is_one_or_an_error) {
    struct totals *totals = totals_create();
    struct err err = {0};
    const char *other = RECORD(1, "pass", "", "zz", "");
    add(totals, records[0]);
    add(totals, records[0]);
    cr_assert_eq(totals_add(totals, other, strlen(other), &err), ERR_CORRUPT);
    cr_assert(totals_has(totals, 1));
    cr_assert_not(totals_has(totals, 2));
    totals_destroy(totals);
}

/* Of n seeds that failed, as a report gets them. */
static cJSON *failures_of(int n, int days, const char *data, struct text *lines) {
    const struct waivers none = {0};
    struct totals *totals = totals_create();
    struct text json = {0};
    struct err err = {0};
    cJSON *tree = NULL;
    totals_repeat_with(totals, days, data);
    for (int seed = 1; seed <= n; seed++) {
        char line[256];
        snprintf(line, sizeof line,
                 "{\"seed\":%d,\"mode\":\"storm\",\"verdict\":\"fail\",\"broken\":[\"a: 1\","
                 "\"b: 2\"],\"trace_hash\":\"aa\",\"reach\":{}}",
                 seed);
        add(totals, line);
    }
    (void)totals_judge(totals, &none, OWES_NOTHING, &json, lines);
    cr_assert_eq(json_parse(text_get(&json), json.len, &tree, &err), ERR_OK, "%s", err.text);
    cJSON *failures = cJSON_DetachItemFromObjectCaseSensitive(tree, "failures");
    cJSON_Delete(tree);
    text_release(&json);
    totals_destroy(totals);
    return failures;
}

Test(totals, name_every_seed_that_failed_and_show_fifty) {
    static const int counts[] = {1, 50, 51, 120};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct text lines = {0};
        cJSON *failures = failures_of(counts[i], 1, NULL, &lines);
        cr_assert_eq(cJSON_GetArraySize(failures), counts[i]);
        for (int at = 0; at < counts[i]; at++) {
            const cJSON *failure = cJSON_GetArrayItem(failures, at);
            char id[32];
            snprintf(id, sizeof id, "storm_%d", at + 1);
            cr_assert_str_eq(json_member(failure, "id")->valuestring, id);
            cr_expect_eq(cJSON_GetArraySize(json_member(failure, "broken")), at < 50 ? 2 : 1);
        }
        cr_expect_eq(strstr(text_get(&lines), "storm seed 50\n") != NULL, counts[i] >= 50);
        cr_expect(strstr(text_get(&lines), "storm seed 51\n") == NULL);
        cr_expect_eq(strstr(text_get(&lines), "and 70 more that failed") != NULL, counts[i] == 120);
        cJSON_Delete(failures);
        text_release(&lines);
    }
}

Test(totals, say_how_a_seed_is_repeated) {
    static const struct {
        int days;
        const char *data, *repeat;
    } cases[] = {
        {1, NULL, "seatrial chaos --mode storm --seeds 1"},
        {3, NULL, "seatrial chaos --mode storm --seeds 1 --days 3"},
        {1, "/srv/data-2", "seatrial chaos --mode storm --seeds 1 --data /srv/data-2"},
        {2, "ann's data", "seatrial chaos --mode storm --seeds 1 --days 2 --data 'ann'\\''s data'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *failures = failures_of(1, cases[i].days, cases[i].data, NULL);
        cr_expect_str_eq(json_member(cJSON_GetArrayItem(failures, 0), "repeat")->valuestring,
                         cases[i].repeat);
        cJSON_Delete(failures);
    }
}

struct asked {
    int64_t count;
    bool has_point, has_move;
};

static void ask(void *context, const char *word, int64_t seeds) {
    struct asked *asked = context;
    cr_assert_gt(seeds, 0, "%s", word);
    asked->count++;
    asked->has_point = asked->has_point || strcmp(word, "point http.answer_lost") == 0;
    asked->has_move = asked->has_move || strcmp(word, "move unknown>working") == 0;
}

Test(totals, a_whole_sweep_owes_every_word_of_the_catalogue) {
    struct asked asked = {0};
    struct totals *totals = totals_create();
    const struct waivers none = {0};
    struct text json = {0};
    reach_due(ask, &asked);
    cr_assert(asked.has_point && asked.has_move);
    for (int seed = 0; seed < 10000; seed++) {
        char line[256];
        snprintf(line, sizeof line,
                 "{\"seed\":%d,\"mode\":\"swarm\",\"verdict\":\"pass\",\"broken\":[],"
                 "\"trace_hash\":\"aa\",\"reach\":{}}",
                 seed);
        add(totals, line);
    }
    struct totals_verdict verdict = totals_judge(totals, &none, OWES_REACH, &json, NULL);
    cr_assert_eq(verdict.missing, asked.count);
    cr_assert_eq(verdict.failed, 0);
    text_release(&json);
    totals_destroy(totals);
}

Test(totals, calm_waters_owe_quiet) {
    static const struct {
        const char *reach;
        int64_t missing;
    } cases[] = {
        {"\"mechanism degraded_mode acted\":1,\"mechanism daily_loss acted\":1", 0},
        {"\"mechanism amnesia acted\":1", 1},
        {"\"state unknown\":2,\"point http.answer_lost\":1", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct totals *totals = totals_create();
        const struct waivers none = {0};
        struct text json = {0};
        char line[256];
        snprintf(line, sizeof line,
                 "{\"seed\":1,\"mode\":\"calm\",\"verdict\":\"pass\",\"broken\":[],"
                 "\"trace_hash\":\"aa\",\"reach\":{%s}}",
                 cases[i].reach);
        add(totals, line);
        cr_assert_eq(totals_judge(totals, &none, OWES_QUIET, &json, NULL).missing, cases[i].missing,
                     "%s", cases[i].reach);
        text_release(&json);
        totals_destroy(totals);
    }
}

Test(totals, excuses_are_budgeted) {
    static const int64_t orders[] = {1100, 1099};
    for (size_t i = 0; i < 2; i++) {
        struct totals *totals = totals_create();
        const struct waivers none = {0};
        struct text json = {0};
        char line[256];
        snprintf(line, sizeof line,
                 "{\"seed\":1,\"mode\":\"storm\",\"verdict\":\"pass\",\"broken\":[],"
                 "\"trace_hash\":\"aa\",\"maybes\":11,\"judged\":%lld,\"reach\":{}}",
                 (long long)orders[i]);
        add(totals, line);
        cr_assert_eq(totals_judge(totals, &none, OWES_NOTHING, &json, NULL).missing, (int64_t)i);
        text_release(&json);
        totals_destroy(totals);
    }
}

/* Of n recipes each has an n-th of the seeds; a small sweep owes a quarter of that, if it is a whole one. */
Test(totals, a_directed_sweep_owes_its_recipes_and_no_budget) {
    const struct waivers none = {0};
    for (int is_met = 0; is_met < 2; is_met++) {
        struct totals *totals = totals_create();
        struct text json = {0};
        for (int seed = 0; seed < 80; seed++) {
            char line[1024];
            struct text reach = {0};
            for (size_t i = 0; i < swarm_directed_count() && is_met; i++) {
                text_add_format(&reach, "%s\"mechanism %s acted\":1", i == 0 ? "" : ",",
                                swarm_directed(i));
            }
            snprintf(line, sizeof line,
                     "{\"seed\":%d,\"mode\":\"directed\",\"verdict\":\"pass\",\"broken\":[],"
                     "\"trace_hash\":\"aa\",\"maybes\":9,\"judged\":9,\"reach\":{%s}}",
                     seed, text_get(&reach));
            add(totals, line);
            text_release(&reach);
        }
        cr_expect_eq(totals_judge(totals, &none, OWES_RECIPES, &json, NULL).missing,
                     is_met ? 0 : (int64_t)swarm_directed_count());
        text_release(&json);
        totals_destroy(totals);
    }
}

static int64_t held_after(const struct event *events, size_t count) {
    struct reach *reach = reach_create();
    for (size_t i = 0; i < count; i++) {
        observe(reach_observer(reach), &events[i]);
    }
    int64_t held = words_get(reach_words(reach), "mechanism second_writer held");
    reach_destroy(reach);
    return held;
}

Test(reach, a_mechanism_holds_through_the_ticks_under_it) {
    const struct event events[] = {
        {.kind = EVENT_TICK},
        {.kind = EVENT_MECHANISM, .subject = "second_writer", .what = "acted"},
        {.kind = EVENT_TICK},
        {.kind = EVENT_TICK},
        {.kind = EVENT_MECHANISM, .subject = "second_writer", .what = "released"},
        {.kind = EVENT_TICK},
    };
    cr_expect_eq(held_after(events, 2), 0);
    cr_expect_eq(held_after(events, 4), 2);
    cr_expect_eq(held_after(events, 6), 2);
}

Test(reach, a_limit_that_refuses_at_exactly_its_number_is_exact) {
    static const struct {
        const char *numbers;
        int64_t exact;
    } cases[] = {
        {"3 against 3", 1},  {"4 against 3", 0},         {"3 against 30", 0},
        {"13 against 3", 0}, {"the journal is down", 0}, {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reach *reach = reach_create();
        observe(reach_observer(reach), &(struct event){.kind = EVENT_REFUSAL,
                                                       .subject = "ENTRY_RATE",
                                                       .body = cases[i].numbers,
                                                       .body_len = strlen(cases[i].numbers)});
        cr_expect_eq(words_get(reach_words(reach), "exact ENTRY_RATE"), cases[i].exact, "%s",
                     cases[i].numbers);
        cr_expect_eq(words_get(reach_words(reach), "refusal ENTRY_RATE"), 1);
        reach_destroy(reach);
    }
}

/* Of the fills of one seed, as the broker's ledger tells them. */
static int64_t met_by(const char *const sides[3], const char *word) {
    struct reach *reach = reach_create();
    for (size_t i = 0; i < 3 && sides[i] != NULL; i++) {
        observe(reach_observer(reach),
                &(struct event){.kind = EVENT_LEDGER_FILL, .subject = sides[i]});
    }
    int64_t met = words_get(reach_words(reach), word);
    reach_destroy(reach);
    return met;
}

Test(reach, an_entry_and_an_exit_of_one_seed_are_one_word) {
    static const struct {
        const char *sides[3];
        int64_t both;
    } cases[] = {{{"buy", "buy", NULL}, 0},
                 {{"sell", NULL, NULL}, 0},
                 {{"buy", "sell", "buy"}, 1},
                 {{"sell", "buy", "sell"}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(met_by(cases[i].sides, "entry and exit filled"), cases[i].both, "%zu", i);
    }
    cr_expect_eq(met_by(cases[2].sides, "entry filled"), 2);
    cr_expect_eq(met_by(cases[2].sides, "exit filled"), 1);
}

struct debt {
    const char *word;
    int64_t seeds;
};

static void find_debt(void *context, const char *word, int64_t seeds) {
    struct debt *debt = context;
    debt->seeds += strcmp(word, debt->word) == 0 ? seeds : 0;
}

Test(reach, of_four_fifths_of_the_seeds_an_entry_and_an_exit_are_due) {
    struct debt both = {.word = "entry and exit filled"};
    reach_due(find_debt, &both);
    cr_expect_eq(both.seeds, 8000);
}

/* Half of the seeds entered, the other half left: of a thousand seeds, which owe half their share, one lacks. */
Test(totals, halves_of_different_seeds_are_no_whole) {
    const struct waivers none = {0};
    for (int met = 399; met <= 400; met++) {
        struct totals *totals = totals_create();
        struct text lines = {0};
        struct text json = {0};
        for (int seed = 0; seed < 1000; seed++) {
            char line[256];
            snprintf(line, sizeof line,
                     "{\"seed\":%d,\"mode\":\"swarm\",\"verdict\":\"pass\",\"broken\":[],"
                     "\"trace_hash\":\"aa\",\"reach\":{\"%s filled\":1}}",
                     seed,
                     seed < met      ? "entry and exit"
                     : seed % 2 == 0 ? "entry"
                                     : "exit");
            add(totals, line);
        }
        (void)totals_judge(totals, &none, OWES_REACH, &json, &lines);
        cr_expect_eq(strstr(text_get(&lines), "MISSING entry and exit filled: 399 of 400 seeds") !=
                         NULL,
                     met == 399, "%s", text_get(&lines));
        text_release(&json);
        text_release(&lines);
        totals_destroy(totals);
    }
}

Test(waivers, are_few_reasoned_and_expire) {
    static const struct {
        const char *json;
        enum err_code code;
    } cases[] = {
        {"{\"waivers\":[]}", ERR_OK},
        {"{\"waivers\":[{\"word\":\"point x\",\"reason\":\"r\",\"owner\":\"o\","
         "\"expires\":\"2026-12-01\"}]}",
         ERR_OK},
        {"{\"waivers\":[{\"word\":\"point x\",\"reason\":\"r\",\"owner\":\"o\","
         "\"expires\":\"2026-11-22\"}]}",
         ERR_CONFIG},
        {"{\"waivers\":[{\"word\":\"point x\",\"reason\":\"r\",\"expires\":\"2026-12-01\"}]}",
         ERR_CONFIG},
        {"{}", ERR_CONFIG},
        {"[", ERR_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct waivers waivers = {0};
        struct err err = {0};
        cr_assert_eq(
            waivers_parse(cases[i].json, strlen(cases[i].json), "2026-11-23", &waivers, &err),
            cases[i].code, "%s: %s", cases[i].json, err.text);
        cr_expect_eq(err.text[0] == '\0', cases[i].code == ERR_OK, "%s",
                     cases[i].json); /* never in silence */
    }
}

/* A word that the catalogue owes, and that 1,000 seeds met or did not. */
Test(waivers, are_told_by_every_sweep_whether_it_needs_them_or_not) {
    static const struct {
        enum totals_debt debt;
        const char *reach, *state, *line;
    } cases[] = {
        {OWES_REACH, "", "\"state\":\"unmet\",\"seeds\":0,\"due\":1,",
         "until 2031-01-02: unmet, 0 of 1 seeds: because\n"},
        {OWES_REACH, "\"state unknown\":1", "\"state\":\"met\",\"seeds\":1000,\"due\":1,",
         "until 2031-01-02: met, 1000 of 1 seeds: because\n"},
        {OWES_QUIET, "\"state unknown\":1", "\"state\":\"unmet\",\"seeds\":1000,\"due\":0,",
         "until 2031-01-02: unmet, 1000 of 0 seeds: because\n"},
        {OWES_RECIPES, "", "\"state\":\"not owed\"", "until 2031-01-02: not owed: because\n"},
        {OWES_NOTHING, "", "\"state\":\"not owed\"", "until 2031-01-02: not owed: because\n"},
    };
    const struct waivers one = {
        .items = {{.word = "state unknown", .reason = "because", .expires = "2031-01-02"}},
        .count = 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct totals *totals = totals_create();
        struct text json = {0};
        struct text lines = {0};
        for (int seed = 0; seed < 1000; seed++) {
            char line[256];
            snprintf(line, sizeof line,
                     "{\"seed\":%d,\"mode\":\"swarm\",\"verdict\":\"pass\",\"broken\":[],"
                     "\"trace_hash\":\"aa\",\"reach\":{%s}}",
                     seed, cases[i].reach);
            add(totals, line);
        }
        (void)totals_judge(totals, &one, cases[i].debt, &json, &lines);
        const char *told = strstr(text_get(&json), "\"waivers\":[");
        cr_assert(told != NULL, "%s", text_get(&json));
        cr_expect(strstr(told, cases[i].state) != NULL, "%zu: %s", i, told);
        cr_expect(strstr(text_get(&lines), cases[i].line) != NULL, "%zu: %s", i, text_get(&lines));
        cr_expect(strstr(text_get(&lines), "MISSING state unknown") == NULL);
        text_release(&json);
        text_release(&lines);
        totals_destroy(totals);
    }
}

/* --- running --- */

static void print_sweep(struct sweep_options options, struct text *json) {
    struct totals *totals = totals_create();
    struct err err = {0};
    bool is_whole = false;
    cr_assert_eq(sweep_run(&options, totals, &is_whole, &err), ERR_OK, "%s", err.text);
    cr_assert(is_whole);
    judge(totals, json);
    totals_destroy(totals);
}

Test(sweep, gives_the_same_totals_with_one_worker_and_with_three) {
    struct text one = {0};
    struct text three = {0};
    struct sweep_options options = {
        .seed = SWARM, .first = 1, .last = 6, .jobs = 1, .shards = 1, .hang_s = 60};
    print_sweep(options, &one);
    options.jobs = 3;
    print_sweep(options, &three);
    cr_assert_str_eq(text_get(&one), text_get(&three));
    text_release(&one);
    text_release(&three);
}

Test(sweep, goes_on_where_a_torn_file_of_records_ends) {
    char path[] = "/tmp/seatrial_sweep_XXXXXX";
    struct text whole = {0};
    struct text resumed = {0};
    int file = mkstemp(path);
    struct sweep_options options = {
        .seed = SWARM, .first = 1, .last = 3, .jobs = 1, .shards = 1, .hang_s = 60};
    print_sweep(options, &whole);
    options.last = 2;
    options.records = path;
    print_sweep(options, &resumed);
    text_clear(&resumed);
    cr_assert_eq(lseek(file, 0, SEEK_END) > 0, true);
    cr_assert_eq(write(file, "{\"seed\":3,\"mo", 13), 13); /* died while writing */
    close(file);
    options.last = 3;
    print_sweep(options, &resumed);
    cr_assert_str_eq(text_get(&whole), text_get(&resumed));
    options.seed.days = 2; /* another sweep: nothing of it is touched */
    struct totals *totals = totals_create();
    struct err err = {0};
    bool is_whole = false;
    cr_assert_eq(sweep_run(&options, totals, &is_whole, &err), ERR_CONFIG);
    totals_destroy(totals);
    unlink(path);
    text_release(&whole);
    text_release(&resumed);
}

/* --- determinism --- */

static void tell(struct verifier *verifier, const char *what, int64_t at_ns) {
    observe(verifier_observer(verifier),
            &(struct event){.kind = EVENT_ROW, .at = {at_ns}, .what = what});
}

Test(verify, names_the_first_event_that_differs) {
    struct verifier *verifier = verifier_create(NULL);
    struct text where = {0};
    tell(verifier, "a", 1);
    tell(verifier, "b", 2);
    verifier_again(verifier);
    tell(verifier, "a", 1);
    cr_assert_not(verifier_agrees(verifier, &where)); /* one event is missing */
    tell(verifier, "b", 2);
    cr_assert(verifier_agrees(verifier, &where));
    tell(verifier, "c", 3);
    text_clear(&where);
    cr_assert_not(verifier_agrees(verifier, &where));
    cr_assert(strstr(text_get(&where), "event 2: ") != NULL, "%s", text_get(&where));
    text_release(&where);
    verifier_destroy(verifier);
    verifier = verifier_create(NULL);
    tell(verifier, "a", 1);
    verifier_again(verifier);
    tell(verifier, "a", 2); /* the clock alone */
    cr_assert_not(verifier_agrees(verifier, &where));
    text_release(&where);
    verifier_destroy(verifier);
}

Test(verify, a_drawn_seed_is_its_own_equal) {
    struct seed_options options = SWARM;
    struct text record = {0};
    options.verify_percent = 100;
    seed_run(&options, 2, &record);
    cr_assert(strstr(text_get(&record), "determinism") == NULL, "%s", text_get(&record));
    cr_assert(strstr(text_get(&record), "\"trace_hash\":\"none\"") == NULL, "%s",
              text_get(&record));
    text_release(&record);
}

/* --- shrinking --- */

static const char failing[] =
    "{\"id\":\"f\",\"title\":\"t\",\"source\":\"s\",\"seed\":3,\"days\":1,"
    "\"market\":{\"set\":\"synthetic\",\"symbols\":4},"
    "\"config\":{\"risk.max_positions\":3,\"exits.time_s\":600,\"risk.symbol_cooldown_s\":60},"
    "\"faults_may_miss\":true,"
    "\"faults\":[{\"point\":\"http.answer_504\",\"at\":\"day 1 10:00\",\"count\":2},"
    "{\"point\":\"view.equity_zero\",\"at\":\"day 1 11:00\",\"until\":\"day 1 11:01\"}],"
    "\"operator\":[{\"at\":\"day 1 12:00\",\"command\":\"freeze\",\"cause\":\"x\"}],"
    "\"expect\":[{\"mechanism\":\"daily_loss\",\"event\":\"acted\"}]}";

Test(shrink, keeps_what_fails_and_drops_the_rest) {
    const struct shrink_options options = {.run = SWARM, .budget = 200};
    struct text small = {0};
    struct shrunk shrunk = {0};
    struct err err = {0};
    cr_assert_eq(shrink(&options, failing, sizeof failing - 1, &small, &shrunk, &err), ERR_OK, "%s",
                 err.text);
    cr_assert_eq(shrunk.rows, 0, "%s", text_get(&small)); /* nothing of it is needed to miss */
    cr_assert_leq(shrunk.candidates, 60);
    cr_assert(strstr(text_get(&small), "\"symbols\":\t1") != NULL, "%s", text_get(&small));
    cr_assert(strstr(text_get(&small), "risk.max_positions") == NULL);
    text_release(&small);
}

/* What breaks is of the third of four days: those behind it go, then those before it, and its row is of the first. */
Test(shrink, drops_days_from_the_end_and_from_the_front) {
    static const char of_the_third_day[] =
        "{\"id\":\"f\",\"title\":\"t\",\"source\":\"s\",\"seed\":3,\"start\":\"2024-01-11\","
        "\"days\":4,"
        "\"market\":{\"set\":\"synthetic\",\"symbols\":1},"
        "\"operator\":[{\"at\":\"day 1 10:00\",\"command\":\"sigterm\"},"
        "{\"at\":\"day 1 10:05\",\"command\":\"restart\"},"
        "{\"at\":\"day 3 12:00\",\"command\":\"freeze\",\"cause\":\"x\"}],"
        "\"never\":[{\"mechanism\":\"operator_freeze\",\"event\":\"acted\"}]}";
    const struct shrink_options options = {.run = SWARM, .budget = 200};
    struct text small = {0};
    struct shrunk shrunk = {0};
    struct err err = {0};
    cr_assert_eq(
        shrink(&options, of_the_third_day, sizeof of_the_third_day - 1, &small, &shrunk, &err),
        ERR_OK, "%s", err.text);
    cr_expect_str_eq(shrunk.signature, "unwanted");
    cr_expect_eq(shrunk.rows, 1, "%s", text_get(&small));
    cr_expect(strstr(text_get(&small), "\"days\":\t1,") != NULL, "%s", text_get(&small));
    cr_expect(strstr(text_get(&small), "\"start\":\t\"2024-01-13\"") != NULL, "%s",
              text_get(&small));
    cr_expect(strstr(text_get(&small), "\"day 1 12:00\"") != NULL, "%s", text_get(&small));
    text_release(&small);
}

Test(shrink, of_what_does_not_fail_is_an_error) {
    static const char passing[] =
        "{\"id\":\"f\",\"title\":\"t\",\"source\":\"s\",\"seed\":3,\"days\":1,"
        "\"market\":{\"set\":\"synthetic\",\"symbols\":1}}";
    const struct shrink_options options = {.run = SWARM, .budget = 200};
    struct text small = {0};
    struct shrunk shrunk = {0};
    struct err err = {0};
    cr_assert_eq(shrink(&options, passing, sizeof passing - 1, &small, &shrunk, &err),
                 ERR_NOT_FOUND);
    cr_assert_eq(shrink(&options, "{}", 2, &small, &shrunk, &err), ERR_CONFIG);
    text_release(&small);
}
