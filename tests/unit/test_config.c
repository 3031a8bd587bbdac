/* test_config.c - the table's own consistency, every kind of fault, all of them at once. */
#include "core/config/config.h"

#include <criterion/criterion.h>
#include <string.h>

static enum err_code apply(struct config *config, const char *json, struct text *faults,
                           struct err *err) {
    cJSON *tree = NULL;
    text_clear(faults);
    cr_assert_eq(json_parse(json, strlen(json), &tree, err), ERR_OK, "%s", err->text);
    enum err_code code = config_apply(config, tree, faults, err);
    cJSON_Delete(tree);
    return code;
}

static enum err_code check_with(const char *json, struct text *faults) {
    struct config config = config_defaults();
    struct err err = {0};
    cr_assert_eq(apply(&config, "{\"universe\": [\"AAPL\"]}", faults, &err), ERR_OK);
    cr_assert_eq(apply(&config, json, faults, &err), ERR_OK, "%s", err.text);
    text_clear(faults);
    return config_check(&config, faults, &err);
}

Test(config, defaults_are_the_tables_and_valid_with_a_universe) {
    struct config config = config_defaults();
    struct text faults = {0};
    struct err err = {0};
    cr_assert_eq(config.max_positions, 16);
    cr_assert_eq(config.base_usd.nanos, 500 * NANOS);
    cr_assert_eq(config.collar.nanos, 20000000);
    cr_assert_eq(config.time_exit.ns, 14400 * NANOS);
    cr_assert(config.stops_on);
    cr_assert_str_eq(config.feed, "sip");
    cr_assert_eq(config_check(&config, &faults, &err), ERR_CONFIG, "an empty universe");
    cr_assert_str_eq(text_get(&faults), "universe: 0 symbols; write 1 to 128\n");
    cr_assert_eq(check_with("{}", &faults), ERR_OK, "%s", text_get(&faults));
    text_release(&faults);
}

Test(config, every_default_lies_in_its_range) {
    static const struct {
        const char *key, *fallback, *lowest, *highest;
    } rows[] = {
#define CONFIG_ROW(field, key, fallback, lowest, highest, ...) {key, fallback, lowest, highest},
#define CONFIG_USD CONFIG_ROW
#define CONFIG_RATIO CONFIG_ROW
#define CONFIG_INT CONFIG_ROW
#define CONFIG_SPAN_S CONFIG_ROW
#define CONFIG_BOOL CONFIG_ROW
#include "core/config/config.def"
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        int64_t low = 0;
        int64_t high = 0;
        cr_assert_eq(decimal_parse(rows[i].fallback, &value, NULL), ERR_OK, "%s", rows[i].key);
        cr_assert_eq(decimal_parse(rows[i].lowest, &low, NULL), ERR_OK, "%s", rows[i].key);
        cr_assert_eq(decimal_parse(rows[i].highest, &high, NULL), ERR_OK, "%s", rows[i].key);
        cr_assert(low <= value && value <= high, "%s", rows[i].key);
    }
}

Test(config, the_configuration_of_the_tests_is_valid) {
    struct text faults = {0};
    cr_assert_eq(check_with("{\"sizing.base_usd\": 8000, \"sizing.equity_share\": \"0.08\", "
                            "\"risk.max_positions\": 6, \"exits.time_s\": 5400}",
                            &faults),
                 ERR_OK, "%s", text_get(&faults));
    text_release(&faults);
}

Test(config, every_kind_of_value_is_read_from_number_and_string) {
    struct config config = config_defaults();
    struct text faults = {0};
    struct err err = {0};
    cr_assert_eq(apply(&config,
                       "{\"universe\":[\"AAPL\",\"BRK.B\"],\"data.feed\":\"iex\","
                       "\"sizing.base_usd\":\"750.25\",\"orders.collar\":0.03,"
                       "\"risk.max_positions\":\"4\",\"engine.tick_s\":7,\"stops.on\":false}",
                       &faults, &err),
                 ERR_OK, "%s", err.text);
    cr_assert_eq(config.symbol_count, 2);
    cr_assert_str_eq(config.symbols[1], "BRK.B");
    cr_assert_str_eq(config.feed, "iex");
    cr_assert_eq(config.base_usd.nanos, INT64_C(750250000000));
    cr_assert_eq(config.collar.nanos, 30000000);
    cr_assert_eq(config.max_positions, 4);
    cr_assert_eq(config.tick_open.ns, 7 * NANOS);
    cr_assert_not(config.stops_on);
    text_release(&faults);
}

Test(config, all_faults_are_told_at_once_and_nothing_is_applied) {
    struct config config = config_defaults();
    struct text faults = {0};
    struct err err = {0};
    cr_assert_eq(
        apply(&config,
              "{\"risk.max_positions\": 3, \"sizing.base_usd\": 0, \"risk.max_position\": 6,"
              "\"orders.collar\": \"2%\", \"engine.tick_s\": 1.5, \"data.feed\": \"otc\","
              "\"universe\": [\"AAPL\", \"aapl\", \"AAPL\", 7], \"stops.on\": null,"
              "\"exits.decay\": \"1.1\", \"exits.decay\": \"0.1\"}",
              &faults, &err),
        ERR_CONFIG);
    cr_assert_str_eq(text_get(&faults),
                     "sizing.base_usd: 0 is below 1; write a value from 1 to 100000000\n"
                     "risk.max_position: no such setting; did you mean risk.max_positions?\n"
                     "orders.collar: '2%' is not a decimal; write a value from 0.0001 to 0.5\n"
                     "engine.tick_s: 1.5 is not whole; write a whole number from 1 to 60\n"
                     "data.feed: 'otc' is no feed; write \"sip\" or \"iex\"\n"
                     "universe: 'aapl' is not a symbol; write 1 to 15 of A-Z, 0-9, '.'\n"
                     "universe: 'AAPL' is there twice; remove one\n"
                     "universe: '' is not a symbol; write 1 to 15 of A-Z, 0-9, '.'\n"
                     "stops.on: not a number or a decimal in a string; write a value from 0 to 1\n"
                     "exits.decay: 1.1 is above 1; write a value from -10 to 1\n"
                     "exits.decay: is there twice; remove one\n");
    cr_assert_str_eq(err.text, "11 faults in the configuration, the first: sizing.base_usd: 0 is "
                               "below 1; write a value from 1 to 100000000");
    cr_assert_eq(config.max_positions, 16, "the valid one is not applied either");
    cr_assert_eq(config.symbol_count, 0);
    text_release(&faults);
}

Test(config, each_cross_check_speaks_just_beyond_its_edge_and_not_at_it) {
    static const struct {
        const char *good, *bad, *word;
    } table[] = {
        {"{\"stops.oco\": 1, \"stops.follow\": 0}", "{\"stops.oco\": 1}",
         "stops.oco: 1 is on beside stops.follow"},
        {"{\"orders.cap_usd\": 500}", "{\"orders.cap_usd\": 499}", "orders.cap_usd: 499 is below"},
        {"{\"orders.min_notional_usd\": 500}", "{\"orders.min_notional_usd\": 501}",
         "orders.min_notional_usd: 501 is above"},
        {"{\"sizing.equity_share\": 0.10}", "{\"sizing.equity_share\": 0.101}",
         "sizing.equity_share: 0.101 is above"},
        {"{\"risk.symbol_limit\": 0.30}", "{\"risk.symbol_limit\": 0.301}",
         "risk.symbol_limit: 0.301 is above"},
        {"{\"risk.sector_unknown\": 0.30}", "{\"risk.sector_unknown\": 0.301}",
         "risk.sector_unknown: 0.301 is above"},
        {"{\"risk.sector_limit\": 1}", "{\"risk.sector_limit\": 1.001}",
         "risk.sector_limit: 1.001 is above"},
        {"{\"risk.symbol_limit\": 0.2, \"risk.correlation_limit\": 0.2}",
         "{\"risk.symbol_limit\": 0.201, \"risk.correlation_limit\": 0.2}",
         "risk.symbol_limit: 0.201 is above"},
        {"{\"risk.correlation_limit\": 1}", "{\"risk.correlation_limit\": 1.001}",
         "risk.correlation_limit: 1.001 is above"},
        {"{\"risk.theme_limit_usd\": 10000}", "{\"risk.theme_limit_usd\": 9999}",
         "orders.cap_usd: 10000 is above"},
        {"{\"risk.daily_loss_share\": 0.09}", "{\"risk.daily_loss_share\": 0.1}",
         "risk.daily_loss_share: 0.1 is not below"},
        {"{\"risk.max_positions\": 16}", "{\"risk.max_positions\": 17}",
         "risk.max_positions x sizing.risk_budget: 0.0425 is above"},
        {"{\"stops.distance\": 0.03}", "{\"stops.distance\": 0.029}",
         "stops.distance: 0.029 is below"},
        {"{\"stops.distance\": 0.029, \"stops.on\": 0}", "{\"stops.distance\": 0.029}",
         "stops.distance: 0.029 is below"},
        {"{\"exits.target_1\": 0.049}", "{\"exits.target_1\": 0.05}",
         "exits.target_1: 0.05 is not below"},
        {"{\"exits.target_2\": 0.099}", "{\"exits.target_2\": 0.10}",
         "exits.target_2: 0.1 is not below"},
        {"{\"exits.target_share_1\": 0.7}", "{\"exits.target_share_1\": 0.71}",
         "exits.target_share_1 + exits.target_share_2: 1.01 is above"},
        {"{\"displacement.on\": 1, \"displacement.min_age_s\": 14399}", "{\"displacement.on\": 1}",
         "displacement.min_age_s: 14400 is not below"},
        {"{\"broker.rate_other\": 20}", "{\"broker.rate_other\": 21}",
         "broker.rate_core + rate_exit + rate_other: 201 is above"},
        {"{\"engine.cycle_s\": 5}", "{\"engine.cycle_s\": 5, \"engine.tick_s\": 6}",
         "engine.cycle_s: 5 is below"},
        {"{\"broker.retry_first_s\": 20}", "{\"broker.retry_first_s\": 21}",
         "broker.retry_first_s: 21 is above"},
        {"{\"broker.rate_core\": 73}", "{\"broker.rate_core\": 72}",
         "broker.rate_core: 72 is below"},
        {"{\"engine.tick_s\": 3}", "{\"engine.tick_s\": 2}", "broker.rate_core: 140 is below"},
        {"{\"engine.cycle_s\": 5, \"poller.minute\": 78}",
         "{\"engine.cycle_s\": 5, \"poller.minute\": 77}", "poller.minute: 77 is below"},
        {"{\"engine.cycle_s\": 5, \"poller.minute\": 104, \"signals.fill_s\": 151}",
         "{\"engine.cycle_s\": 5, \"poller.minute\": 103, \"signals.fill_s\": 151}",
         "poller.minute: 103 is below"},
        {"{\"engine.cycle_s\": 5, \"broker.rate_other\": 12, \"signals.fill_s\": 151}",
         "{\"engine.cycle_s\": 5, \"broker.rate_other\": 11, \"signals.fill_s\": 151}",
         "broker.rate_other: 11 is below"},
        {"{\"signals.fill_s\": 151}", "{\"signals.fill_s\": 150}",
         "signals.fill_s: 150 is not above"},
        {"{\"degraded.truth_max_age_s\": 6}", "{\"degraded.truth_max_age_s\": 5}",
         "degraded.truth_max_age_s: 5 is not above"},
        {"{\"engine.crash_window_s\": 25}", "{\"engine.crash_window_s\": 24}",
         "engine.crash_ticks * engine.tick_s: 25 is above"},
        {"{\"orders.stuck_s\": 5}", "{\"orders.stuck_s\": 5, \"engine.tick_s\": 6}",
         "orders.stuck_s: 5 is below"},
        {"{\"engine.crash_ticks\": 100}", "{\"engine.crash_ticks\": 100, \"engine.tick_s\": 7}",
         "engine.crash_ticks * engine.tick_s: 700 is above"},
        {"{\"orders.messages_60s\": 5}", "{\"orders.messages_60s\": 4}",
         "orders.messages_1s: 5 is above orders.messages_60s (4)"},
        {"{\"clock.step_s\": 2}", "{\"clock.step_s\": 3}", "clock.step_s: 3 is above"},
    };
    struct text faults = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        cr_assert_eq(check_with(table[i].good, &faults), ERR_OK, "%s: %s", table[i].good,
                     text_get(&faults));
        cr_assert_eq(check_with(table[i].bad, &faults), ERR_CONFIG, "%s", table[i].bad);
        cr_assert_eq(strncmp(text_get(&faults), table[i].word, strlen(table[i].word)), 0, "%s: %s",
                     table[i].bad, text_get(&faults));
    }
    text_release(&faults);
}

Test(config, a_universe_has_at_most_128_symbols) {
    struct config config = config_defaults();
    struct text json = {0};
    struct text faults = {0};
    struct err err = {0};
    for (int n = 128; n <= 129; n++) {
        text_clear(&json);
        text_add(&json, "{\"universe\":[");
        for (int i = 0; i < n; i++) {
            text_add_format(&json, "%s\"S%d\"", i == 0 ? "" : ",", i);
        }
        text_add(&json, "]}");
        cr_assert_eq(apply(&config, text_get(&json), &faults, &err),
                     n == 128 ? ERR_OK : ERR_CONFIG);
    }
    cr_assert_eq(config.symbol_count, 128);
    cr_assert_str_eq(text_get(&faults), "universe: 'S128' is one too many; at most 128 symbols\n");
    text_release(&json);
    text_release(&faults);
}

Test(config, the_restricted_are_a_list_of_their_own) {
    struct config config = config_defaults();
    struct text faults = {0};
    struct err err = {0};
    char none[17];
    char one[17];
    config_hash(&config, none);
    cr_assert_eq(apply(&config, "{\"universe.restricted\": [\"GME\", \"T\"]}", &faults, &err),
                 ERR_OK);
    cr_expect_eq(config.restricted_count, 2);
    cr_expect_eq(config.symbol_count, 0);
    cr_expect_str_eq(config.restricted[1], "T");
    config_hash(&config, one);
    cr_expect_str_neq(one, none);
    cr_assert_eq(apply(&config, "{\"universe.restricted\": [\"T\", \"t\", \"T\"]}", &faults, &err),
                 ERR_CONFIG);
    cr_expect_str_eq(text_get(&faults),
                     "universe.restricted: 't' is not a symbol; write 1 to 15 of A-Z, 0-9, '.'\n"
                     "universe.restricted: 'T' is there twice; remove one\n");
    cr_expect_eq(config.restricted_count, 2, "unchanged");
    cr_assert_eq(apply(&config, "{\"universe.restricted\": []}", &faults, &err), ERR_OK);
    cr_expect_eq(config.restricted_count, 0);
    text_release(&faults);
}

Test(config, print_is_json_that_tells_each_value) {
    struct config config = config_defaults();
    struct text out = {0};
    struct err err = {0};
    config_print(&config, &out);
    cJSON *tree = NULL;
    cr_assert_eq(json_parse(text_get(&out), out.len, &tree, &err), ERR_OK, "%s", err.text);
    const cJSON *row = json_member(tree, "engine.tick_s");
    const char *value = "";
    const char *unit = "";
    cr_assert_eq(json_string(row, "value", &value, &err), ERR_OK);
    cr_assert_eq(json_string(row, "unit", &unit, &err), ERR_OK);
    cr_assert_str_eq(value, "5");
    cr_assert_str_eq(unit, "s");
    cJSON_Delete(tree);
    text_release(&out);
}

Test(config, explain_tells_a_setting_or_the_nearest) {
    struct config config = config_defaults();
    struct text out = {0};
    struct err err = {0};
    cr_assert_eq(config_explain(&config, "orders.collar", &out, &err), ERR_OK);
    cr_assert_str_eq(text_get(&out),
                     "orders.collar = 0.02 (share): an entry's price may be this far from the "
                     "trusted reference. Default 0.02, from 0.0001 to 0.5; safer: lower.\n");
    cr_assert_eq(config_explain(&config, "order.colar", &out, &err), ERR_NOT_FOUND);
    cr_assert_str_eq(err.text, "'order.colar' is no setting; the nearest is orders.collar");
    text_release(&out);
}

Test(config, hash_changes_with_every_kind_of_value_and_only_then) {
    struct config config = config_defaults();
    char first[17];
    char second[17];
    config_hash(&config, first);
    struct config same = config_defaults();
    config_hash(&same, second);
    cr_assert_str_eq(first, second);
    same.stops_on = false;
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
    same = config_defaults();
    same.rate_core++;
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
    same = config_defaults();
    strcpy(same.groups.rows[0].sector, "Energy");
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
    same = config_defaults();
    strcpy(same.groups.rows[0].issuer, "Apple");
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
    same = config_defaults();
    same.groups.rows[0].funds[0].weight.nanos++;
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
    same = config_defaults();
    strcpy(same.symbols[same.symbol_count++], "A");
    config_hash(&same, second);
    cr_assert_str_neq(first, second);
}

/* --- groups --- */

Test(groups, every_shipped_symbol_has_a_sector_of_its_own_day) {
    static const struct {
        const char *symbol, *sector, *theme;
    } rows[] = {
        {"AAPL", "Information Technology", "faang"},
        {"SNOW", "Information Technology", "cloud"},
        {"FB", "Communication Services", "faang"},
        {"GOOG", "Communication Services", "faang"},
        {"NFLX", "Communication Services", "faang"},
        {"AMC", "Communication Services", "meme"},
        {"GME", "Consumer Discretionary", "meme"},
        {"TSLA", "Consumer Discretionary", "electric cars"},
        {"KRE", "Financials", "regional banks"},
        {"XBI", "Health Care", "biotechnology"},
        {"SPY", "Broad", "broad"},
        {"DIA", "Broad", "broad"},
        {"TLT", "Broad", "bonds"},
        {"IEF", "Broad", "bonds"},
        {"AGG", "Broad", "bonds"},
        {"HYG", "Broad", "bonds"},
        {"LQD", "Broad", "bonds"},
        {"EWZ", "Broad", "brazil"},
        {"ARKK", "Broad", "innovation"},
        {"SYM006", GROUP_UNKNOWN, GROUP_UNKNOWN},
        {"ZZZ", GROUP_UNKNOWN, GROUP_UNKNOWN},
        {"", GROUP_UNKNOWN, GROUP_UNKNOWN},
    };
    struct groups groups = groups_shipped();
    cr_assert_eq(groups.count, 31);
    cr_assert_str_empty(groups.path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_str_eq(groups_sector(&groups, rows[i].symbol), rows[i].sector);
        cr_expect_str_eq(groups_theme(&groups, rows[i].symbol), rows[i].theme);
    }
}

Test(groups, what_two_symbols_have_in_common) {
    static const struct {
        const char *one, *other, *part;
    } rows[] = {
        {"GOOG", "GOOGL", "1"},    {"AAPL", "AAPL", "1"},     {"AAPL", "FB", "0"},
        {"AAPL", "SPY", "0.069"},  {"AAPL", "DIA", "0.03"},   {"GOOG", "SPY", "0.04"},
        {"SPY", "DIA", "0.03"},    {"SPY", "ARKK", "0.018"},  {"SPY", "AGG", "0"},
        {"AGG", "TLT", "0"},       {"SYM000", "SYM001", "1"}, {"SYM010", "SYM002", "0.4"},
        {"SYM010", "SYM005", "0"}, {"AAPL", "ZZZ", "0"},      {"ZZZ", "SYM006", "0"},
        {"SYM010", "SYM010", "1"},
    };
    struct groups groups = groups_shipped();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char part[DECIMAL_TEXT_MAX];
        decimal_print(groups_overlap(&groups, rows[i].one, rows[i].other).nanos, part);
        cr_expect_str_eq(part, rows[i].part, "%s %s", rows[i].one, rows[i].other);
        decimal_print(groups_overlap(&groups, rows[i].other, rows[i].one).nanos, part);
        cr_expect_str_eq(part, rows[i].part, "%s %s", rows[i].other, rows[i].one);
    }
}

#define NAMES "# date 2022-03-14\nsymbol,sector,theme,issuer,funds,as_of\n"
#define ROW "A,Energy,-,-,-,2022-03-14\n"

Test(groups, a_faulty_file_says_where_and_what_to_do) {
    static const struct {
        const char *bytes, *error;
    } rows[] = {
        {NAMES ROW "# end 1\n", ""},
        {NAMES "# end 0\n", ""},
        {NAMES "A,Energy,-,-,-\n", "f.csv:3: not six fields; "},
        {NAMES "A,Energy,-,-,-,2022-03-14,\n", "f.csv:3: not six fields; "},
        {NAMES "A,,-,-,-,2022-03-14\n", "f.csv:3: not six fields; "},
        {NAMES "a,Energy,-,-,-,2022-03-14\n", "f.csv:3: not a symbol; "},
        {NAMES "ABCDEFGHIJKLMNOP,Energy,-,-,-,2022-03-14\n", "f.csv:3: not a symbol; "},
        {NAMES ROW ROW, "f.csv:4: the symbol is there twice; "},
        {NAMES "A,-,-,-,-,2022-03-14\n", "f.csv:3: a row without a sector; "},
        {NAMES "A,unknown,-,-,-,2022-03-14\n", "f.csv:3: a row without a sector; "},
        {NAMES "A,An energy that is far too long for it,-,-,-,2022-03-14\n",
         "f.csv:3: a sector or theme is too long; "},
        {NAMES "A,Energy,-,-,F:0.5 G:1,2022-03-14\n# end 1\n", ""},
        {NAMES "A,Energy,-,An issuer that is called far too much for this table,-,2022-03-14\n",
         "f.csv:3: an issuer is too long; "},
        {NAMES "A,Energy,-,-,F,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,F:0.1  G:0.1,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,F:0,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,F:-0.1,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,F:1.001,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,F:x,2022-03-14\n", "f.csv:3: a fund without its weight; "},
        {NAMES "A,Energy,-,-,f:0.1,2022-03-14\n", "f.csv:3: a fund that is no other symbol; "},
        {NAMES "A,Energy,-,-,A:0.1,2022-03-14\n", "f.csv:3: a fund that is no other symbol; "},
        {NAMES "A,Energy,-,-,F:0.1 F:0.1,2022-03-14\n", "f.csv:3: a fund is there twice; "},
        {NAMES "A,Energy,-,-,B:1 C:1 D:1 E:1 F:1,2022-03-14\n", "f.csv:3: a fund too many; "},
        {NAMES "A,Energy,-,-,F:0.5,2022-03-14\nB,Energy,-,-,F:0.501,2022-03-14\n# end 2\n",
         "f.csv:5: the weights in a fund are above 1; "},
        {NAMES "A,Energy,-,-,-,2022-02-30\n", "f.csv:3: as_of is no date; "},
        {"# date 2022\n", "f.csv:1: no date; "},
        {ROW, "f.csv:1: not the names of the fields; "},
        {NAMES ROW, "f.csv:3: it ends without # end; "},
        {NAMES ROW "# end 2\n", "f.csv:4: not the number of rows above; "},
        {NAMES "# end 0\n" ROW, "f.csv:4: something behind # end; "},
        {NAMES "A,Energy", "f.csv:3: no line of at most 255 letters; "},
        {"symbol,sector,theme,issuer,funds,as_of\n# end 0\n", "f.csv:2: it has no date; "},
        {"", "f.csv:0: it ends without # end; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct groups groups = {.count = 7};
        struct err err = {0};
        enum err_code code =
            groups_read("f.csv", rows[i].bytes, strlen(rows[i].bytes), &groups, &err);
        bool is_good = rows[i].error[0] == '\0';
        cr_expect_eq(code, is_good ? ERR_OK : ERR_CONFIG, "%zu: %s", i, err.text);
        cr_expect_eq(strncmp(err.text, rows[i].error, strlen(rows[i].error)), 0, "%s", err.text);
        cr_expect(is_good || groups.count == 7, "unchanged");
        cr_expect(!is_good || strcmp(groups.path, "f.csv") == 0);
    }
}

Test(groups, a_file_that_was_named_and_not_read_is_a_fault) {
    struct text faults = {0};
    cr_assert_eq(check_with("{\"risk.groups_file\": \"\"}", &faults), ERR_OK);
    cr_assert_eq(check_with("{\"risk.groups_file\": \"f.csv\"}", &faults), ERR_CONFIG);
    cr_assert_str_eq(text_get(&faults), "risk.groups_file: 'f.csv' was not read; name it in a "
                                        "configuration file of the command line\n");
    text_release(&faults);
}

Test(groups, show_and_explain_tell_file_and_date) {
    struct config config = config_defaults();
    struct text out = {0};
    cr_assert_eq(config_explain(&config, "risk.groups_file", &out, NULL), ERR_OK);
    cr_expect_not_null(strstr(text_get(&out), "31 symbols as of 2022-03-14"));
    config_print(&config, &out);
    cr_expect_not_null(strstr(text_get(&out), "\"risk.groups_file\": {\"value\": \"\", \"date\": "
                                              "\"2022-03-14\", \"symbols\": 31}"));
    text_release(&out);
}

/* A filled part is bare until its entry is cut off: no setting makes that longer than ten seconds. */
Test(config, a_part_waits_ten_seconds_at_most) {
    struct text faults = {0};
    struct err err = {0};
    struct config config = config_defaults();
    cr_expect_eq(apply(&config, "{\"execution.partial_s\": 10}", &faults, &err), ERR_OK);
    cr_expect_eq(apply(&config, "{\"execution.partial_s\": 11}", &faults, &err), ERR_CONFIG);
    text_release(&faults);
}
