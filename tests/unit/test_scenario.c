/* test_scenario.c - scenario files: every fault at once with its path, closed vocabularies, times. */
#include "scenarios/result.h"
#include "scenarios/scenario.h"
#include "scenarios/suite.h"
#include "scenarios/watch.h"
#include "scenarios/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good[] =
    "{\"id\":\"a_scenario\",\"title\":\"t\",\"source\":\"s\",\"seed\":7,\"days\":2,"
    "\"start\":\"2022-03-15\",\"calendar\":\"market\",\"market\":{\"set\":\"stocks-2022-03\","
    "\"symbols\":[\"AAPL\",\"GME\"]},\"account\":{\"cash\":\"50000\",\"multiplier\":4},"
    "\"config\":{\"risk.max_positions\":6},\"restart\":{\"after\":\"5s\",\"new_boot\":true},"
    "\"faults\":[{\"point\":\"http.late_arrival\",\"at\":\"day 2 10:31:00\",\"count\":3,"
    "\"probability\":\"0.5\",\"params\":{\"target\":\"POST /v2/orders\",\"delay_s\":20}}],"
    "\"operator\":[{\"at\":\"day 1 "
    "11:00\",\"command\":\"freeze\",\"cause\":\"news\",\"halt\":true},"
    "{\"on\":\"daily_loss\",\"command\":\"resume\",\"cause\":\"daily_loss\","
    "\"at\":\"next session 09:00\"}],"
    "\"expect\":[{\"mechanism\":\"operator_freeze\",\"event\":\"acted\",\"within\":\"10s\"}],"
    "\"never\":[{\"condition\":\"books_equal_ledger\"},"
    "{\"mechanism\":\"daily_loss\"},{\"mechanism\":\"price_collar\",\"event\":\"held\"},"
    "{\"alert\":\"any\",\"from\":\"day 1 10:00\"}]}";

struct reading {
    struct scenario *scenario;
    struct text faults;
    enum err_code code;
};

static struct reading reading_of(const char *json) {
    struct reading reading = {.scenario = malloc(sizeof(struct scenario))};
    struct err err = {0};
    scenario_init(reading.scenario);
    reading.code = scenario_parse(json, strlen(json), reading.scenario, &reading.faults, &err);
    return reading;
}

static void reading_release(struct reading *reading) {
    free(reading->scenario);
    text_release(&reading->faults);
}

Test(scenario, reads_every_member) {
    struct reading reading = reading_of(good);
    const struct scenario *scenario = reading.scenario;
    cr_assert_eq(reading.code, ERR_OK, "%s", text_get(&reading.faults));
    cr_assert_str_eq(scenario->id, "a_scenario");
    cr_assert_eq(scenario->seed, 7);
    cr_assert_eq(scenario->days, 2);
    cr_assert_str_eq(scenario->set, "stocks-2022-03");
    cr_assert_eq(scenario->config.symbol_count, 2);
    cr_assert_str_eq(scenario->config.symbols[1], "GME");
    cr_assert_eq(scenario->cash.nanos, USD(50000).nanos);
    cr_assert_eq(scenario->multiplier, 4);
    cr_assert_eq(scenario->config.max_positions, 6);
    cr_assert_eq(scenario->restart_delay.ns, SPAN_S(5).ns);
    cr_assert(scenario->is_new_boot);
    cr_assert(scenario->is_power_cut);
    cr_assert_eq(scenario->fault_count, 1);
    cr_assert_eq(scenario->faults[0].fault.point, POINT_HTTP_LATE_ARRIVAL);
    cr_assert_eq(scenario->faults[0].from.kind, WHEN_SESSION);
    cr_assert_eq(scenario->faults[0].from.day, 2);
    cr_assert_eq(scenario->faults[0].from.time_of_day.ns, SPAN_S(10 * 3600 + 31 * 60).ns);
    cr_assert_eq(scenario->faults[0].fault.delay.ns, SPAN_S(20).ns);
    cr_assert_eq(scenario->faults[0].fault.probability.nanos, NANOS / 2);
    cr_assert_eq(scenario->operator_count, 2);
    cr_assert(scenario->operators[0].is_halt);
    cr_assert_eq(scenario->operators[1].when.kind, WHEN_NEXT_SESSION);
    cr_assert_str_eq(scenario->operators[1].on, "daily_loss");
    cr_assert_eq(scenario->expects[0].within.ns, SPAN_S(10).ns);
    cr_assert(scenario->is_never[ORACLE_BOOKS]);
    cr_assert_not(scenario->is_never[ORACLE_ONE_ORDER]);
    cr_assert_eq(scenario->unwanted_count, 3);
    cr_assert_str_eq(scenario->unwanted[0].mechanism, "daily_loss");
    cr_assert_str_eq(scenario->unwanted[0].event, "acted");
    cr_assert_str_eq(scenario->unwanted[1].event, "held");
    cr_assert_str_eq(scenario->unwanted[2].mechanism, "");
    cr_assert_str_eq(scenario->unwanted[2].alert, "any");
    reading_release(&reading);
}

Test(scenario, reports_every_fault_at_once_with_its_path) {
    static const char *const lines[] = {
        "id: 'No Good' is not made of a-z, 0-9 and _",
        "seed: must be a whole number",
        "colour: unknown member",
        "market.set: must be stocks-2022-03, etfs-2019-12, synthetic or quiet",
        "config.risk.max_positions",
        "faults[0].point: no fault point 'http.answer_lots'",
        "faults[0].params.weight: unknown member",
        "faults[1]: a fault needs a point",
        "operator[0].command: no operator command 'explode'",
        "operator[1]: needs 'at', 'after' or 'on'",
        "expect[0].mechanism: no mechanism 'luck'",
        "never[0].condition: no invariant 'S99'",
        "never[1].condition: 'audit_chain_unbroken' is not judged: the audit trail",
        "never[2].mechanism: no mechanism 'luck'",
        "never[3]: needs a condition, a mechanism or an alert",
        "never[4]: needs a condition, a mechanism or an alert",
        "never[5]: needs a condition, a mechanism or an alert",
        "title: missing",
        "source: missing",
    };
    struct reading reading = reading_of(
        "{\"id\":\"No Good\",\"seed\":1.5,\"colour\":1,\"market\":{\"set\":\"moon\"},"
        "\"config\":{\"risk.max_positions\":0},"
        "\"faults\":[{\"point\":\"http.answer_lots\",\"params\":{\"weight\":1}},{}],"
        "\"operator\":[{\"at\":\"day 1 10:00\",\"command\":\"explode\"},{\"command\":\"kill\"}],"
        "\"expect\":[{\"mechanism\":\"luck\"}],\"never\":[{\"condition\":\"S99\"},"
        "{\"condition\":\"audit_chain_unbroken\"},{\"mechanism\":\"luck\"},{},"
        "{\"condition\":\"never_short\",\"mechanism\":\"daily_loss\"},"
        "{\"alert\":\"any\",\"mechanism\":\"daily_loss\"}]}");
    cr_assert_eq(reading.code, ERR_CONFIG);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect(strstr(text_get(&reading.faults), lines[i]) != NULL, "missing: %s\nin:\n%s",
                  lines[i], text_get(&reading.faults));
    }
    cr_assert_str_eq(reading.scenario->set, "synthetic", "outputs are unchanged on failure");
    reading_release(&reading);
}

Test(scenario, a_file_that_is_no_json_says_where) {
    struct reading reading = reading_of("{\"id\":");
    cr_assert_eq(reading.code, ERR_CONFIG);
    cr_assert(reading.faults.len > 0);
    reading_release(&reading);
}

Test(scenario, times_have_three_shapes) {
    static const struct {
        const char *text;
        enum when_kind kind;
    } rows[] = {
        {"day 3 09:31:05", WHEN_SESSION},
        {"day 1 16:00", WHEN_SESSION},
        {"2022-03-15T14:00:00Z", WHEN_UTC},
        {"next session 09:00", WHEN_NEXT_SESSION},
    };
    static const char *const bad[] = {
        "",         "day 0 10:00",       "day 1 24:00", "day 1 9", "day 1 10:00:99",
        "tomorrow", "day 1 10:00 sharp", "next session"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct when when = {0};
        struct err err = {0};
        cr_expect_eq(when_parse(rows[i].text, &when, &err), ERR_OK, "%s", rows[i].text);
        cr_expect_eq(when.kind, rows[i].kind, "%s", rows[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct when when = {0};
        struct err err = {0};
        cr_expect_eq(when_parse(bad[i], &when, &err), ERR_PARSE, "%s", bad[i]);
    }
}

Test(scenario, spans_need_a_unit) {
    struct span span = {0};
    struct err err = {0};
    cr_assert_eq(span_parse("90s", &span, &err), ERR_OK);
    cr_assert_eq(span.ns, SPAN_S(90).ns);
    cr_assert_eq(span_parse("2h", &span, &err), ERR_OK);
    cr_assert_eq(span.ns, SPAN_HOURS(2).ns);
    cr_assert_eq(span_parse("90", &span, &err), ERR_PARSE);
    cr_assert_eq(span_parse("8784h", &span, &err), ERR_OK);
    cr_assert_eq(span_parse("8785h", &span, &err), ERR_RANGE);
    cr_assert_eq(span_parse("9999999h", &span, &err), ERR_RANGE);
    cr_assert_eq(span_parse("-5s", &span, &err), ERR_PARSE);
    cr_assert_eq(span_parse("5 s", &span, &err), ERR_PARSE);
}

Test(scenario, fault_parameters_have_bounds) {
    static const struct {
        const char *point, *params;
        bool is_good;
    } rows[] = {
        {"market.gap", "\"factor\":\"0.000001\"", true},
        {"market.gap", "\"factor\":1000", true},
        {"market.gap", "\"factor\":1000.001", false},
        {"market.gap", "\"factor\":9000000000", false},
        {"market.gap", "\"factor\":\"0.0000009\"", false},
        {"clock.step", "\"offset_s\":-86400", true},
        {"clock.step", "\"offset_s\":86401", false},
        {"clock.step", "\"offset_s\":-86401", false},
        {"clock.step", "\"offset_s\":0", false},
        {"http.slow", "\"delay_s\":86400", true},
        {"http.slow", "\"delay_s\":86401", false},
        {"http.slow", "\"delay_s\":9000000000", false},
        {"http.slow", "\"delay_s\":0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[320];
        snprintf(json, sizeof json,
                 "{\"id\":\"x\",\"title\":\"x\",\"source\":\"x\",\"seed\":1,\"days\":1,\"market\":{"
                 "\"set\":\"synthetic\"},\"faults\":[{\"point\":"
                 "\"%s\",\"params\":{%s}}]}",
                 rows[i].point, rows[i].params);
        struct reading reading = reading_of(json);
        cr_expect_eq(reading.code, rows[i].is_good ? ERR_OK : ERR_CONFIG, "%s %s: %s",
                     rows[i].point, rows[i].params, text_get(&reading.faults));
        reading_release(&reading);
    }
}

static const char *const refusal_words[] = {
#define REFUSAL(code, word, mechanism, binds, meaning) word,
#include "core/orders/refusal.def"
#undef REFUSAL
};

Test(vocabulary, every_refusal_is_a_mechanism_that_held) {
    for (size_t i = 1; i < sizeof refusal_words / sizeof refusal_words[0]; i++) {
        const char *mechanism = NULL;
        const char *word = NULL;
        const struct event event = {.kind = EVENT_REFUSAL, .subject = refusal_words[i]};
        cr_assert(event_mechanism(&event, &mechanism, &word), "%s", refusal_words[i]);
        cr_expect(mechanism_is_known(mechanism), "%s: %s", refusal_words[i], mechanism);
        cr_expect_str_eq(word, "held");
    }
    cr_expect_str_eq(refusal_mechanism("LAST_LOOK"), "order_validation");
    cr_expect_str_eq(refusal_mechanism("none"), "");
    cr_expect_str_eq(refusal_mechanism("NO_SUCH_WORD"), "");
}

Test(words, none_is_lost_and_the_first_comes_first) {
    struct words words = {0};
    struct text printed = {0};
    for (int i = 0; i < 500; i++) {
        char word[32];
        snprintf(word, sizeof word, "word %d", i % 250);
        words_add(&words, word, i);
    }
    cr_expect_eq(words.count, 250);
    cr_expect_eq(words_get(&words, "word 0"), 250);
    cr_expect_eq(words_get(&words, "word 249"), 249 + 499);
    cr_expect_eq(words_get(&words, "word 250"), 0);
    words_print(&words, &printed);
    cr_expect(strncmp(text_get(&printed), "{\"word 0\":250,\"word 1\":252,", 27) == 0, "%.40s",
              text_get(&printed));
    text_release(&printed);
    words_release(&words);
}

Test(vocabulary, words_are_closed_and_distinct) {
    enum stage_command command = COMMAND_KILL;
    for (int i = 0; i < STAGE_COMMAND_COUNT; i++) {
        cr_expect(stage_command_find(stage_command_word((enum stage_command)i), &command));
        cr_expect_eq((int)command, i);
    }
    for (size_t i = 0; i < mechanism_count(); i++) {
        cr_expect(mechanism_is_known(mechanism_id(i)));
        for (size_t j = 0; j < i; j++) {
            cr_expect(strcmp(mechanism_id(i), mechanism_id(j)) != 0, "%s twice", mechanism_id(i));
        }
    }
    cr_expect_not(mechanism_is_known("moon_phase"), "there is no such mechanism");
    cr_assert_not(stage_command_find("kill -8", &command));
    cr_assert_not(mechanism_event_is_known("happened"));
}

Test(suite, shares_are_the_whole_library_once) {
    struct suite *suite = calloc(1, sizeof *suite);
    struct suite *share = calloc(1, sizeof *share);
    struct err err = {0};
    size_t met = 0;
    cr_assert_eq(suite_add(suite, "scenarios/library", &err), ERR_OK, "%s", err.text);
    for (int i = 0; i < 4; i++) {
        *share = *suite;
        suite_keep_share(share, i, 4);
        for (size_t k = 0; k < share->count; k++) {
            cr_assert_str_eq(share->paths[k], suite->paths[k * 4 + (size_t)i]);
        }
        met += share->count;
    }
    cr_assert_eq(met, suite->count);
    cr_assert_gt(met, 200);
    free(suite);
    free(share);
}

Test(scenario, what_is_expected_may_have_to_say_something) {
    static const struct {
        const char *body;
        size_t missed;
    } rows[] = {{"", 1}, {"{\"attempt\":2}", 1}, {"{\"attempt\":3}", 0}};
    struct scenario *scenario = calloc(1, sizeof *scenario);
    cr_assert_not_null(scenario);
    scenario->expects[scenario->expect_count++] = (struct scenario_expect){
        .mechanism = "maker_execution", .event = "acted", .says = "\"attempt\":3"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct watch watch;
        struct text out = {0};
        watch_init(&watch, scenario);
        observe(&watch.seam, &(struct event){.kind = EVENT_MECHANISM,
                                             .subject = "maker_execution",
                                             .what = "acted",
                                             .body = rows[i].body,
                                             .body_len = strlen(rows[i].body)});
        cr_expect_eq(watch_missed(&watch, &out), rows[i].missed, "%zu: %s", i, text_get(&out));
        text_release(&out);
    }
    free(scenario);
}

static void tell(struct collect *collect, enum event_kind kind, const char *subject,
                 const char *what, const char *id, const char *body) {
    observe(&collect->seam, &(struct event){.kind = kind,
                                            .subject = subject,
                                            .what = what,
                                            .symbol = "",
                                            .id = id,
                                            .body = body,
                                            .body_len = strlen(body)});
}

Test(result, a_voyage_says_what_learning_came_to) {
    struct collect *collect = calloc(1, sizeof *collect);
    struct scenario *scenario = calloc(1, sizeof *scenario);
    struct text voyage = {0};
    cr_assert(collect != NULL && scenario != NULL);
    collect_init(collect, NULL);
    static const char weights[] = "{\"count\":41,\"weights\":{\"fast\":1018,\"slow\":250}}";
    tell(collect, EVENT_ROW, "learned", "", "step",
         "{\"count\":20,\"before\":{\"fast\":1000,\"slow\":990},\"weights\":{\"fast\":1050,"
         "\"slow\":1}}");
    tell(collect, EVENT_ROW, "learned", "", "kept",
         "{\"before\":{\"fast\":7},\"weights\":{\"fast\":1050,\"slow\":1}}");
    tell(collect, EVENT_MECHANISM, "learning_guard", "acted", "step",
         "\"how\":\"step\",\"admitted\":2,\"declined\":0");
    tell(collect, EVENT_ROW, "learned", "", "reverted", weights);
    tell(collect, EVENT_MECHANISM, "learning_guard", "acted", "reverted",
         "\"how\":\"reverted\",\"admitted\":5,\"declined\":3");
    const struct stage_result result = {.collect = collect};
    result_print_voyage(&result, scenario, "", &voyage);
    cr_expect_not_null(strstr(text_get(&voyage),
                              "\"note\":\"1 steps, 1 taken back; 7 entries admitted, 3 declined; "
                              "thousandths: fast 1018, slow 250\""),
                       "%s", text_get(&voyage));
    cr_expect_not_null(strstr(text_get(&voyage),
                              ",\"learning\":{\"trades\":41,\"steps\":1,\"kept\":1,\"reverted\":1,"
                              "\"admitted\":7,\"declined\":3,\"weights\":[{\"part\":\"fast\","
                              "\"before\":1000,\"after\":1018},{\"part\":\"slow\",\"before\":990,"
                              "\"after\":250}]}"),
                       "%s", text_get(&voyage));
    text_clear(&voyage);
    collect->learning.rows = 0; /* of a run that learned nothing nothing is said */
    result_print_learning(collect, &voyage);
    cr_expect_eq(voyage.len, 0);
    text_release(&voyage);
    collect_release(collect);
    free(collect);
    free(scenario);
}

/* Of the bench: else what faults cost is measured on another load. */
Test(scenario, a_storm_is_the_standard_load_with_faults) {
    static const char *const paths[] = {"tests/bench/standard.json", "tests/bench/stormy.json"};
    struct scenario *loads[2];
    char hashes[2][17];
    for (size_t i = 0; i < 2; i++) {
        struct text faults = {0};
        struct err err = {0};
        loads[i] = malloc(sizeof *loads[i]);
        cr_assert_not_null(loads[i]);
        cr_assert_eq(suite_read(paths[i], loads[i], &faults, &err), ERR_OK, "%s",
                     text_get(&faults));
        config_hash(&loads[i]->config, hashes[i]);
        text_release(&faults);
    }
    cr_expect_str_eq(hashes[1], hashes[0]);
    cr_expect_str_eq(loads[1]->set, loads[0]->set);
    cr_expect_eq(loads[1]->seed, loads[0]->seed);
    cr_expect_eq(loads[1]->days, loads[0]->days);
    cr_expect_eq(loads[1]->synthetic_symbols, loads[0]->synthetic_symbols);
    cr_expect_eq(loads[1]->cash.nanos, loads[0]->cash.nanos);
    cr_expect_eq(loads[1]->multiplier, loads[0]->multiplier);
    cr_expect_eq(loads[0]->fault_count, 0);
    cr_expect_gt(loads[1]->fault_count, 5);
    free(loads[0]);
    free(loads[1]);
}
