/* test_catalogue.c - the table of mechanisms points at things that are there, and the pages of
 * docs/mechanisms are what it prints. Run in the source tree. */
#include "core/base/json.h"
#include "core/config/config.h"
#include "replay/oracle/oracle.h"
#include "scenarios/catalogue.h"
#include "scenarios/pairs.h"
#include "scenarios/suite.h"

#include "core/base/mutant.def"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The n-th word of a blank-separated column; false behind the last. */
static bool word_at(const char *words, size_t n, char out[64]) {
    while (words != NULL && words[0] != '\0') {
        size_t length = strcspn(words, " ");
        cr_assert_lt(length, 64);
        if (n-- == 0) {
            memcpy(out, words, length);
            out[length] = '\0';
            return true;
        }
        words += length + strspn(words + length, " ");
    }
    return false;
}

static bool is_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        (void)fclose(file);
    }
    return file != NULL;
}

Test(catalogue, every_row_is_complete) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(catalogue_owes(&table[i]), 0, "%s", table[i].id);
        cr_expect_gt(strlen(table[i].rule), 0);
        cr_expect_gt(strlen(table[i].settings), 0);
        cr_expect(is_file(table[i].file), "%s: no file %s", table[i].id, table[i].file);
    }
}

Test(catalogue, settings_judges_and_mutants_exist) {
    static const char *const mutants[] = {
#define X(name, breaks) #name,
        MUTANTS(X)
#undef X
    };
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    struct config *config = malloc(sizeof *config);
    cr_assert_not_null(config);
    *config = config_defaults();
    for (size_t i = 0; i < count; i++) {
        char word[64];
        struct text line = {0};
        for (size_t n = 0; word_at(table[i].settings, n, word); n++) {
            bool is_none = strcmp(word, "none") == 0;
            cr_expect(is_none || config_explain(config, word, &line, NULL) == ERR_OK, "%s", word);
        }
        text_release(&line);
        for (size_t n = 0; word_at(table[i].oracle, n, word); n++) {
            enum oracle_invariant invariant = ORACLE_ONE_ORDER;
            cr_expect(oracle_invariant_find(word, &invariant), "%s: no judge %s", table[i].id,
                      word);
            cr_expect_str_empty(oracle_invariant_waiver(invariant), "%s is waived", word);
        }
        for (size_t n = 0; word_at(table[i].mutants, n, word); n++) {
            bool is_known = false;
            for (size_t m = 0; m < sizeof mutants / sizeof mutants[0]; m++) {
                is_known = is_known || strcmp(mutants[m], word) == 0;
            }
            cr_expect(is_known, "%s: no mutant %s", table[i].id, word);
        }
    }
    free(config);
}

static struct scenario *read(const char *id) {
    char path[256];
    struct text faults = {0};
    struct err err = {0};
    struct scenario *scenario = malloc(sizeof *scenario);
    cr_assert_not_null(scenario);
    snprintf(path, sizeof path, "scenarios/library/%s.json", id);
    cr_assert_eq(suite_read(path, scenario, &faults, &err), ERR_OK, "%s %s", err.text,
                 text_get(&faults));
    text_release(&faults);
    return scenario;
}

/* That they hold is for the run of the library: the act is expected there, the quiet one forbids it. */
Test(catalogue, the_act_scenario_expects_it_and_the_quiet_one_forbids_it) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        bool is_met = table[i].act == NULL;
        bool is_forbidden = table[i].quiet == NULL;
        struct scenario *act = table[i].act == NULL ? NULL : read(table[i].act);
        struct scenario *quiet = table[i].quiet == NULL ? NULL : read(table[i].quiet);
        for (size_t n = 0; act != NULL && n < act->expect_count; n++) {
            is_met = is_met || strcmp(act->expects[n].mechanism, table[i].id) == 0;
        }
        for (size_t n = 0; quiet != NULL && n < quiet->unwanted_count; n++) {
            is_forbidden = is_forbidden || strcmp(quiet->unwanted[n].mechanism, table[i].id) == 0;
        }
        cr_expect(is_met, "%s does not expect %s", table[i].act, table[i].id);
        cr_expect(is_forbidden, "%s does not forbid %s", table[i].quiet, table[i].id);
        free(act);
        free(quiet);
    }
}

static void read_file(const char *path, struct text *out) {
    char bytes[4096];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "no %s: print it with `seatrial mechanism`", path);
    for (size_t n = 0; (n = fread(bytes, 1, sizeof bytes, file)) > 0;) {
        text_add_bytes(out, bytes, n);
    }
    (void)fclose(file);
}

Test(catalogue, the_pages_are_what_the_table_prints) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        struct text page = {0};
        struct text file = {0};
        snprintf(path, sizeof path, "docs/mechanisms/%s.md", table[i].id);
        catalogue_page(&table[i], &page);
        read_file(path, &file);
        cr_expect_str_eq(text_get(&file), text_get(&page),
                         "%s is old: `seatrial mechanism %s > %s`", path, table[i].id, path);
        text_release(&page);
        text_release(&file);
    }
    struct text all = {0};
    struct text file = {0};
    catalogue_table(&all);
    read_file("docs/mechanisms.md", &file);
    cr_expect_not_null(strstr(text_get(&file), text_get(&all)),
                       "the table of docs/mechanisms.md is not that of `seatrial mechanism`");
    text_release(&all);
    text_release(&file);
}

Test(catalogue, only_latches_are_said_to_stand_in_the_freeze_document) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    for (size_t i = 0; i < count; i++) {
        struct text page = {0};
        bool is_latch = table[i].hold == HOLD_LATCHED;
        catalogue_page(&table[i], &page);
        const char *end = strstr(text_get(&page), "## In the log, and how it ends");
        cr_assert_not_null(end, "%s", table[i].id);
        cr_expect_eq(strstr(table[i].documents, "governor_freezes.json") != NULL, is_latch, "%s",
                     table[i].id);
        cr_expect_eq(strstr(end, "stands in `governor_freezes.json`") != NULL, is_latch, "%s",
                     table[i].id);
        cr_expect_eq(strstr(end, "never in `governor_freezes.json`") != NULL,
                     table[i].hold == HOLD_WHILE_TRUE, "%s", table[i].id);
        text_release(&page);
    }
}

Test(pairs, are_of_mechanisms_whose_scenarios_both_ran_and_carry_the_score_of_the_act) {
    static const char results[] =
        "[{\"id\":\"daily_loss_by_open_positions\",\"verdict\":\"fail\",\"oracle\":{\"scores\":["
        "{\"mechanism\":\"equity_floor\",\"due\":2},"
        "{\"mechanism\":\"daily_loss\",\"due\":1,\"acted\":1}]}},"
        "{\"id\":\"daily_loss_just_within\",\"verdict\":\"pass\"},"
        "{\"id\":\"equity_floor_latches\",\"verdict\":\"pass\"},"
        "{\"id\":\"kill_switch_rejects_just_within\",\"verdict\":\"pass\"},"
        "{\"id\":\"kill_switch_rejects_rearm\",\"verdict\":\"pass\"}]";
    struct text out = {0};
    cJSON *list = NULL;
    cr_assert_eq(json_parse(results, strlen(results), &list, NULL), ERR_OK);
    cr_expect_eq(pairs_print(list, &out), 2);
    cr_expect_str_eq(
        text_get(&out),
        "[{\"mechanism\":\"kill_switch\",\"act\":\"kill_switch_rejects_rearm\","
        "\"act_verdict\":\"pass\",\"quiet\":\"kill_switch_rejects_just_within\",\"quiet_verdict\":"
        "\"pass\",\"oracle\":\"unscored\",\"met\":false,"
        "\"score\":null},"
        "{\"mechanism\":\"daily_loss\",\"act\":\"daily_loss_by_open_positions\","
        "\"act_verdict\":\"fail\",\"quiet\":\"daily_loss_just_within\",\"quiet_verdict\":\"pass\","
        "\"oracle\":\"acted\",\"met\":false,"
        "\"score\":{\"acted\":1,\"due\":1,\"mechanism\":\"daily_loss\"}}]");
    cJSON_Delete(list);
    text_release(&out);
}

static void expect_oracle(const char *act, const char *quiet, const char *word) {
    char results[512];
    char want[64];
    struct text out = {0};
    cJSON *list = NULL;
    snprintf(results, sizeof results,
             "[{\"id\":\"daily_loss_by_open_positions\",\"oracle\":{\"scores\":[{\"mechanism\":"
             "\"daily_loss\",%s}]}},{\"id\":\"daily_loss_just_within\",\"oracle\":{\"scores\":[{"
             "\"mechanism\":\"daily_loss\",%s}]}}]",
             act, quiet);
    cr_assert_eq(json_parse(results, strlen(results), &list, NULL), ERR_OK);
    (void)!pairs_print(list, &out);
    snprintf(want, sizeof want, "\"oracle\":\"%s\"", word);
    cr_expect_not_null(strstr(text_get(&out), want), "%s in %s", want, text_get(&out));
    cJSON_Delete(list);
    text_release(&out);
}

Test(pairs, the_worst_that_the_oracle_says_of_either_is_its_verdict) {
    expect_oracle("\"acted\":1,\"missed\":0,\"unfounded\":0", "\"acted\":0", "acted");
    expect_oracle("\"acted\":1,\"missed\":1,\"unfounded\":1", "\"acted\":0", "missed");
    expect_oracle("\"acted\":1,\"missed\":0,\"unfounded\":1", "\"acted\":0", "false");
    expect_oracle("\"acted\":1,\"missed\":0", "\"unfounded\":1", "false");
    expect_oracle("\"acted\":1,\"missed\":0", "\"missed\":1", "missed");
    expect_oracle("\"acted\":0,\"due\":1", "\"acted\":1", "unscored");
}

/* Of both scenarios and the oracle; a list that cannot be read is met by nobody. */
Test(pairs, one_is_met_only_if_both_passed_and_the_oracle_says_acted) {
    for (int wrong = 0; wrong < 5; wrong++) {
        struct text list = {0};
        struct text out = {0};
        text_add_format(
            &list,
            "{\"id\":\"daily_loss_by_open_positions\",\"verdict\":\"%s\",\"oracle\":{"
            "\"scores\":[{\"mechanism\":\"daily_loss\",\"acted\":%d}]}},{\"id\":\"daily_"
            "loss_just_within\",\"verdict\":\"%s\"}%s",
            wrong == 1 ? "fail" : "pass", wrong != 2, wrong == 3 ? "fail" : "pass",
            wrong == 4 ? "," : "");
        cr_expect_eq(pairs_add(&list, &out), wrong != 0, "%d: %s", wrong, text_get(&out));
        cr_expect_eq(strstr(text_get(&out), wrong == 0 ? "\"met\":true" : "\"met\":false") != NULL,
                     wrong != 4, "%d: %s", wrong, text_get(&out));
        text_release(&list);
        text_release(&out);
    }
}
