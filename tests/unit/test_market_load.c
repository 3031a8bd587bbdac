/* test_market_load.c - the shipped bars are the sources' bars, every shape of file gives the same ones, and
 * damage is named. */
#include "tests/unit/market_fixture.h"

static struct market_bar bars[40000];

/* Sums made from the sources' plain files, before they were packed. */
Test(market_data, shipped_bars_are_the_rows_of_their_sources) {
    static const struct {
        const char *folder;
        const char *symbol;
        size_t count;
        uint64_t hash;
    } expected[] = {
        {"data/stocks-2022-03", "AAPL", 8568, UINT64_C(0x92fbf0eef670a4cc)},
        {"data/stocks-2022-03", "AMC", 8573, UINT64_C(0x1af6852179c85332)},
        {"data/stocks-2022-03", "FB", 8571, UINT64_C(0x4910ebabc38d0afd)},
        {"data/stocks-2022-03", "GME", 8536, UINT64_C(0x64a7abebee963c69)},
        {"data/stocks-2022-03", "GOOG", 8058, UINT64_C(0xe6747513158fd2f5)},
        {"data/stocks-2022-03", "NFLX", 8568, UINT64_C(0x74b89335dc898a59)},
        {"data/stocks-2022-03", "SNOW", 8567, UINT64_C(0xb1d80e1ce7dc0e9e)},
        {"data/stocks-2022-03", "TSLA", 8569, UINT64_C(0xb04d86446d75c549)},
        {"data/etfs-2019-12", "AGG", 7049, UINT64_C(0xb80b715cff738758)},
        {"data/etfs-2019-12", "ARKK", 4195, UINT64_C(0x54b994b91b98f25e)},
        {"data/etfs-2019-12", "DIA", 6988, UINT64_C(0xb40ee60ae70496a4)},
        {"data/etfs-2019-12", "EWZ", 6792, UINT64_C(0x9d1073d85fdb2f4c)},
        {"data/etfs-2019-12", "HYG", 6764, UINT64_C(0x492dcff92e2a970c)},
        {"data/etfs-2019-12", "IEF", 6545, UINT64_C(0x6c60912fc2423efc)},
        {"data/etfs-2019-12", "KRE", 6781, UINT64_C(0xcf0da248d3bf773a)},
        {"data/etfs-2019-12", "LQD", 6719, UINT64_C(0x8d3a150455d5519f)},
        {"data/etfs-2019-12", "SPY", 6893, UINT64_C(0x093274c2e59576bb)},
        {"data/etfs-2019-12", "TLT", 6797, UINT64_C(0xcf496f47159c1862)},
        {"data/etfs-2019-12", "XBI", 6787, UINT64_C(0x2e46af86cfd34689)},
    };
    struct market *market = NULL;
    const char *open_folder = "";
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (strcmp(open_folder, expected[i].folder) != 0) {
            market_destroy(market);
            open_folder = expected[i].folder;
            market = load(open_folder, 1);
        }
        int symbol = market_find(market, expected[i].symbol);
        cr_assert_geq(symbol, 0, "%s", expected[i].symbol);
        size_t count = market_bars(market, (size_t)symbol, (struct utc){0}, FOREVER, FOREVER, bars,
                                   sizeof bars / sizeof bars[0]);
        cr_assert_eq(count, expected[i].count, "%s: %zu", expected[i].symbol, count);
        cr_assert_eq(hash_bars(bars, count), expected[i].hash, "%s", expected[i].symbol);
    }
    market_destroy(market);
}

Test(market_data, some_rows_of_march_2022_are_as_printed_in_the_source) {
    static const struct {
        const char *symbol, *at, *open, *high, *low, *close;
        int64_t volume;
    } rows[] = {
        {"AAPL", "2022-03-14T13:30Z", "151.45", "152.00", "151.30", "151.83", 5767560},
        {"GME", "2022-03-24T18:07Z", "137.9778", "137.9778", "137.6401", "137.8451", 5581},
        {"TSLA", "2022-04-18T19:59Z", "1003.19", "1004.70", "1003.01", "1004.70", 156942},
        {"GOOG", "2022-03-31T19:00Z", "2828.6001", "2829.98", "2828.45", "2828.75", 2706},
        {"AMC", "2022-03-23T16:14Z", "20.73", "20.75", "20.61", "20.659", 336743},
    };
    struct market *market = load("data/stocks-2022-03", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct market_bar bar = {0};
        size_t symbol = (size_t)market_find(market, rows[i].symbol);
        cr_assert(market_bar_at(market, symbol, at(rows[i].at), FOREVER, &bar), "row %zu", i);
        cr_assert_eq(bar.open.nanos, price(rows[i].open), "row %zu", i);
        cr_assert_eq(bar.high.nanos, price(rows[i].high), "row %zu", i);
        cr_assert_eq(bar.low.nanos, price(rows[i].low), "row %zu", i);
        cr_assert_eq(bar.close.nanos, price(rows[i].close), "row %zu", i);
        cr_assert_eq(bar.volume, rows[i].volume, "row %zu", i);
    }
    market_destroy(market);
}

Test(market_data, days_without_bars_are_closed_and_bars_outside_hours_counted) {
    struct market *market = load("data/stocks-2022-03", 1);
    struct session session;
    static const char *const closed[] = {"2022-03-21", "2022-03-29", "2022-04-06", "2022-04-15"};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        cr_assert_not(calendar_session(market_calendar(market), day(closed[i]), &session));
    }
    cr_assert(calendar_session(market_calendar(market), day("2022-03-22"), &session));
    cr_assert_eq(market_calendar(market)->extra_count, 3);
    cr_assert_eq(market_first_date(market).days, day("2022-03-14").days);
    cr_assert_eq(market_last_date(market).days, day("2022-04-18").days);
    cr_assert_eq(market_ignored_bars(market), 0);
    cr_assert_eq(market_symbol_count(market), 8);
    cr_assert_str_eq(market_symbol(market, 0), "AAPL");
    cr_assert_eq(market_find(market, "TSLA"), 7);
    cr_assert_eq(market_find(market, "IBM"), -1);
    market_destroy(market);
    market = load("data/etfs-2019-12", 1);
    cr_assert_eq(market_ignored_bars(market), 11, "stamped at the half day's close");
    market_destroy(market);
}

#define ROW "2022-03-14T13:30Z,10,11,9,10.5,100\n"

Test(market_load, damage_is_named_by_file_and_line_with_a_remedy) {
    static const struct {
        const char *name, *content, *where, *what;
    } cases[] = {
        {"A.csv", HEAD ROW "2022-03-14T13:31Z,10,11,9,10.5,1", "A.csv: line 3: ", "truncated"},
        {"A.csv", HEAD ROW "2022-03-14T13:31Z,10,11\n", "A.csv: line 3: ", "3 fields instead of 6"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,9,10.5,1,1\n", "A.csv: line 2: ", "more than 6"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,9,,1\n", "A.csv: line 2: ", "not a decimal"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,9,10,1.5\n", "A.csv: line 2: ", "whole number"},
        {"A.csv", HEAD "2022-03-14T13:30Z,99999999999,11,9,10,1\n", "A.csv: line 2: ", "too large"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,10.2,9,10.5,1\n", "A.csv: line 2: ", "high below"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,10.1,10.5,1\n", "A.csv: line 2: ", "low above"},
        {"A.csv", HEAD "2022-03-14T13:30Z,0,11,0,10.5,1\n", "A.csv: line 2: ", "price outside"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,-9,10.5,1\n", "A.csv: line 2: ", "price outside"},
        {"A.csv", HEAD "2022-03-14T13:30Z,10,11,9,10.5,-1\n", "A.csv: line 2: ", "volume"},
        {"A.csv", HEAD "2022-03-14T13:30:30Z,10,11,9,10.5,1\n", "A.csv: line 2: ", "on a minute"},
        {"A.csv", HEAD ROW ROW, "A.csv: line 3: ", "not later"},
        {"A.csv", HEAD "2022-04-15T13:30Z,10,11,9,10.5,1\n",
         "A.csv: line 2: ", "without a session"},
        {"A.csv", HEAD, "A.csv: ", "no bar"},
        {"A.csv", "", "A.csv: ", "first line"},
        {"A.csv", "time,open\n" ROW, "A.csv: line 1: ", "first line"},
        {"a b.csv", HEAD ROW, "a b.csv: ", "rename"},
        {"A.csv", "# compact bars 1\n1330,1,,,,5\n# end 1\n",
         "A.csv: line 2: ", "before the first"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1330,,,,,5\n# end 1\n",
         "A.csv: line 3: ", "no open"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n,1,,,,5\n# end 1\n",
         "A.csv: line 3: ", "not a minute"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1360,1,,,,5\n# end 1\n",
         "A.csv: line 3: ", "not a minute"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1330,1,,,,5\n",
         "A.csv: line 3: ", "truncated"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1330,1,,,,5\n# end 2\n",
         "A.csv: line 4: ", "had 2 rows"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1330,1,,,,5\n# end 1\n,,,,,5\n",
         "A.csv: line 5: ", "after '# end'"},
        {"A.csv", "# compact bars 1\n# date 2022-03-14\n1330,.5,,,,5\n# end 1\n",
         "A.csv: line 3: ", "not a decimal"},
        {"A.csv", "# compact bars 1\n# date 2022-02-30\n", "A.csv: line 2: ", "2022-02-30"},
        {"b.json", "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T13:30:00Z\",\"o\":1",
         "b.json: ", "truncated"},
        {"b.json", "{\"quotes\":{}}", "b.json: ", "no \"bars\""},
        {"b.json", "{\"bars\":{\"A\":null}}", "b.json: ", "no array"},
        {"b.json", "{\"bars\":{}}", "b.json: ", "no bar"},
        {"b.json", "{\"bars\":[]}", "b.json: ", "symbol"},
        {"b.json",
         "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T13:30:00Z\",\"o\":1,\"h\":2,\"l\":1,\"v\":1}]}}",
         "b.json: bar 0 of A", "c"},
        {"b.json",
         "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T04:00:00Z\",\"o\":1,\"h\":2,\"l\":1,\"c\":1,"
         "\"v\":1}]}}",
         "A has no bar inside regular hours", "1Min"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct folder folder = make_folder();
        put_file(&folder, cases[i].name, cases[i].content);
        struct market *market = NULL;
        struct err err = {0};
        cr_assert_eq(market_load(folder.path, 1, &market, &err), ERR_PARSE, "case %zu: %s", i,
                     err.text);
        cr_assert_eq(err.code, ERR_PARSE, "case %zu", i);
        cr_assert_null(market, "case %zu", i);
        cr_assert_not_null(strstr(err.text, cases[i].where), "case %zu: %s", i, err.text);
        cr_assert_not_null(strstr(err.text, cases[i].what), "case %zu: %s", i, err.text);
        cr_assert_eq(market_load(folder.path, 1, &market, NULL), ERR_PARSE, "case %zu, no err", i);
        remove_folder(&folder);
    }
}

Test(market_load, a_missing_or_empty_folder_is_not_found) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_load("/tmp/seatrial-no-such-folder", 1, &market, &err), ERR_NOT_FOUND);
    struct folder folder = make_folder();
    put_file(&folder, "README.md", "no bars");
    cr_assert_eq(market_load(folder.path, 1, &market, &err), ERR_NOT_FOUND);
    remove_folder(&folder);
}

Test(market_load, plain_compact_and_both_json_shapes_give_the_same_bars) {
    static const struct {
        const char *name, *content;
    } forms[] = {
        {"A.csv",
         HEAD "2022-03-14T13:30Z,10.00,11,9,10.5,100\n2022-03-14T13:31Z,10.5,10.5,10.5,10.5,0\r\n"
              "2022-03-14T13:40Z,0.5,0.5,0.4999,0.4999,7\n"},
        {"A.csv", "# compact bars 1\n# a remark\n# date 2022-03-14\n1330,10,11,9,10.5,100\n,,,,,0\n"
                  "1340,0.5,,,0.4999,7\n# end 3\n"},
        {"x.json",
         "{\"bars\":[{\"t\":\"2022-03-14T13:30:00Z\",\"o\":10,\"h\":11,\"l\":9,\"c\":10.5,"
         "\"v\":100,\"n\":3,\"vw\":10.2},{\"t\":\"2022-03-14T13:31:00Z\",\"o\":10.5,\"h\":10.5,"
         "\"l\":10.5,\"c\":10.5,\"v\":0},{\"t\":\"2022-03-14T13:40:00Z\",\"o\":0.5,\"h\":0.5,"
         "\"l\":0.4999,\"c\":0.4999,\"v\":7}],\"symbol\":\"A\",\"next_page_token\":null}"},
        {"x.json",
         "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T13:30:00Z\",\"o\":10,\"h\":11,\"l\":9,\"c\":10.5,"
         "\"v\":100,\"n\":3,\"vw\":10.2},{\"t\":\"2022-03-14T13:31:00Z\",\"o\":10.5,\"h\":10.5,"
         "\"l\":10.5,\"c\":10.5,\"v\":0},{\"t\":\"2022-03-14T13:40:00Z\",\"o\":0.5,\"h\":0.5,"
         "\"l\":0.4999,\"c\":0.4999,\"v\":7}]},\"next_page_token\":null}"},
    };
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct folder folder = make_folder();
        put_file(&folder, forms[i].name, forms[i].content);
        struct market *market = NULL;
        struct err err = {0};
        enum err_code code = market_load(folder.path, 1, &market, &err);
        remove_folder(&folder);
        cr_assert_eq(code, ERR_OK, "form %zu: %s", i, err.text);
        cr_assert_eq(market_bars(market, 0, (struct utc){0}, FOREVER, FOREVER, bars, 100), 3);
        first = i == 0 ? hash_bars(bars, 3) : first;
        cr_assert_eq(hash_bars(bars, 3), first, "form %zu", i);
        cr_assert_eq(bars[0].vwap.nanos, i < 2 ? INT64_C(10166666666) : price("10.2"), "form %zu",
                     i);
        cr_assert_eq(bars[0].trades, i < 2 ? 1 : 3, "form %zu", i);
        cr_assert_eq(bars[1].volume, 0);
        market_destroy(market);
    }
}

Test(market_load, one_symbol_may_lie_in_several_files_but_no_minute_twice) {
    struct folder folder = make_folder();
    put_file(&folder, "A.csv", HEAD ROW);
    put_file(&folder, "page2.json",
             "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T13:31:00Z\",\"o\":10,\"h\":11,"
             "\"l\":9,\"c\":10.5,\"v\":1}]}}");
    struct market *market = load(folder.path, 1);
    cr_assert_eq(market_symbol_count(market), 1);
    cr_assert_eq(market_bars(market, 0, (struct utc){0}, FOREVER, FOREVER, bars, 100), 2);
    market_destroy(market);
    put_file(&folder, "page3.json",
             "{\"bars\":{\"A\":[{\"t\":\"2022-03-14T13:30:00Z\",\"o\":10,\"h\":11,"
             "\"l\":9,\"c\":10.5,\"v\":1}]}}");
    struct err err = {0};
    cr_assert_eq(market_load(folder.path, 1, &market, &err), ERR_PARSE);
    cr_assert_not_null(strstr(err.text, "two files have a bar of A at 2022-03-14T13:30:00Z"), "%s",
                       err.text);
    remove_folder(&folder);
}
