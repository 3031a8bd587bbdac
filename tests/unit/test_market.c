/* test_market.c - the shipped bars are the sources' bars, damage is named, a minute adds up to its
 * bar, and nothing before T knows what comes at T. */
#include "broker_sim/market/market.h"

#include "core/base/hash.h"
#include "core/base/random.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define FOREVER ((struct utc){INT64_MAX})

static struct market_bar bars[40000];

/* A folder of files that vanishes with the test. */
struct folder {
    char path[64];
};

static struct folder make_folder(void) {
    struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/seatrial-market-XXXXXX");
    cr_assert_not_null(mkdtemp(folder.path));
    return folder;
}

static void put_file(const struct folder *folder, const char *name, const char *content) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(content, 1, strlen(content), file), strlen(content));
    fclose(file);
}

static void remove_folder(const struct folder *folder) {
    DIR *dir = opendir(folder->path);
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(folder->path);
}

static struct market *load(const char *path, uint64_t seed) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_load(path, seed, &market, &err), ERR_OK, "%s", err.text);
    return market;
}

static struct utc at(const char *text) {
    struct utc utc = {0};
    cr_assert_eq(utc_parse(text, &utc, NULL), ERR_OK, "%s", text);
    return utc;
}

static struct date day(const char *text) {
    struct date date = {0};
    cr_assert_eq(date_parse(text, &date, NULL), ERR_OK, "%s", text);
    return date;
}

static int64_t price(const char *text) {
    struct usd usd = {0};
    cr_assert_eq(usd_parse(text, &usd, NULL), ERR_OK, "%s", text);
    return usd.nanos;
}

static struct market *synthetic(uint64_t seed, size_t symbols, int days) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_synthetic(seed, symbols, day("2026-03-02"), days, &market, &err), ERR_OK,
                 "%s", err.text);
    return market;
}

static uint64_t hash_bars(const struct market_bar *bar, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t row[] = {bar[i].at.ns,     bar[i].open.nanos,  bar[i].high.nanos,
                               bar[i].low.nanos, bar[i].close.nanos, bar[i].volume};
        hash = hash64(row, sizeof row, hash);
    }
    return hash;
}

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

#define HEAD "t,o,h,l,c,v\n"
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

/* Walks one minute of a symbol and checks it against its bar. */
static void check_minute(struct market *market, size_t symbol, const struct market_bar *bar) {
    bool has_high = false;
    bool has_low = false;
    int64_t volume = 0;
    for (int s = 0; s < 60; s++) {
        struct utc now = {bar->at.ns + s * SECOND + SECOND / 3};
        struct market_quote quote = {0};
        cr_assert(market_quote_at(market, symbol, now, &quote));
        int64_t tick = quote.bid.nanos < NANOS ? 100000 : 10000000;
        cr_assert(quote.bid.nanos > 0 && quote.bid.nanos < quote.ask.nanos);
        cr_assert_eq(quote.bid.nanos % tick, 0);
        cr_assert_eq(quote.at.ns, bar->at.ns + s * SECOND);
        cr_assert(quote.bid_size >= 100 && quote.ask_size >= 100);
        int64_t in_second = market_volume_in_second(market, symbol, now);
        cr_assert_geq(in_second, 0);
        volume += in_second;
        struct market_trade trade = {0};
        if (in_second == 0) {
            continue;
        }
        cr_assert(market_trade_at(market, symbol, now, &trade));
        cr_assert_eq(trade.at.ns, bar->at.ns + s * SECOND);
        cr_assert_eq(trade.size, in_second);
        cr_assert(quote.bid.nanos <= trade.price.nanos && trade.price.nanos <= quote.ask.nanos);
        cr_assert(bar->low.nanos <= trade.price.nanos && trade.price.nanos <= bar->high.nanos);
        has_high |= trade.price.nanos == bar->high.nanos;
        has_low |= trade.price.nanos == bar->low.nanos;
        cr_assert(s != 0 || trade.price.nanos == bar->open.nanos, "opens at the open");
        cr_assert(s != 59 || trade.price.nanos == bar->close.nanos, "closes at the close");
    }
    cr_assert_eq(volume, bar->volume, "the seconds' volumes sum to the bar's");
    if (bar->volume >= 4) {
        cr_assert(has_high && has_low, "both extremes trade");
    }
}

Test(market_path, every_minute_touches_open_high_low_close_and_sums_to_its_volume) {
    static const char *const folders[] = {"data/stocks-2022-03", "data/etfs-2019-12"};
    for (size_t f = 0; f < 2; f++) {
        struct market *market = load(folders[f], 42);
        for (size_t symbol = 0; symbol < market_symbol_count(market); symbol++) {
            size_t count = market_bars(market, symbol, (struct utc){0}, FOREVER, FOREVER, bars,
                                       sizeof bars / sizeof bars[0]);
            for (size_t i = symbol; i < count; i += 7) {
                check_minute(market, symbol, &bars[i]);
            }
        }
        market_destroy(market);
    }
}

Test(market_path, every_synthetic_minute_does_so_too) {
    struct market *market = synthetic(42, 20, 2);
    for (size_t symbol = 0; symbol < 20; symbol++) {
        size_t count = market_bars(market, symbol, (struct utc){0}, FOREVER,
                                   at("2026-03-04T00:00Z"), bars, sizeof bars / sizeof bars[0]);
        cr_assert(count > 500 && count <= 780);
        for (size_t i = 0; i < count; i++) {
            check_minute(market, symbol, &bars[i]);
        }
    }
    market_destroy(market);
}

Test(market_path, small_volumes_and_narrow_bars_add_up) {
    static const char content[] = HEAD "2022-03-14T13:30Z,10,10,10,10,1\n"
                                       "2022-03-14T13:31Z,10.001,10.002,10.001,10.002,2\n"
                                       "2022-03-14T13:32Z,1.01,1.02,0.98,0.99,3\n"
                                       "2022-03-14T13:33Z,0.0001,0.0002,0.0001,0.0001,4\n"
                                       "2022-03-14T13:34Z,0.0001,9000000,0.0001,5,5\n"
                                       "2022-03-14T13:35Z,50,51,49,50.5,4000000000\n";
    struct folder folder = make_folder();
    put_file(&folder, "A.csv", content);
    struct market *market = load(folder.path, 3);
    remove_folder(&folder);
    size_t count = market_bars(market, 0, (struct utc){0}, FOREVER, FOREVER, bars, 100);
    cr_assert_eq(count, 6);
    for (size_t i = 0; i < count; i++) {
        check_minute(market, 0, &bars[i]);
    }
    market_destroy(market);
}

Test(market_path, a_minute_without_a_bar_has_quotes_and_no_trade) {
    static const char content[] = HEAD "2022-03-14T13:32Z,10,11,9,10.5,100\n"
                                       "2022-03-14T13:33Z,10.5,10.6,10.4,10.6,0\n"
                                       "2022-03-15T13:30Z,12,12,12,12,50\n";
    struct folder folder = make_folder();
    put_file(&folder, "A.csv", content);
    struct market *market = load(folder.path, 9);
    remove_folder(&folder);
    struct market_quote quote = {0};
    struct market_trade trade = {0};
    cr_assert_not(market_quote_at(market, 0, at("2022-03-14T13:31:59Z"), &quote), "no price yet");
    cr_assert_not(market_trade_at(market, 0, at("2022-03-14T13:31:59Z"), &trade), "no price yet");
    cr_assert_not(market_quote_at(market, 0, at("2022-03-13T13:31:59Z"), &quote), "no session yet");
    struct utc last = at("2022-03-14T13:32:59Z");
    bool moved = false;
    struct market_quote before = {0};
    for (struct utc now = at("2022-03-14T13:33Z"); now.ns < at("2022-03-14T20:00Z").ns;
         now.ns += SECOND) {
        cr_assert(market_trade_at(market, 0, now, &trade));
        cr_assert_eq(trade.at.ns, last.ns, "the last trade stays");
        cr_assert_eq(trade.price.nanos, price("10.5"));
        cr_assert_eq(market_volume_in_second(market, 0, now), 0);
        cr_assert(market_quote_at(market, 0, now, &quote));
        if (now.ns < at("2022-03-14T13:34Z").ns) {
            continue;
        }
        cr_assert(quote.bid.nanos <= price("10.61") && quote.ask.nanos >= price("10.59"));
        cr_assert(quote.ask.nanos - quote.bid.nanos < price("0.8"));
        moved |= before.bid.nanos != 0 && before.bid.nanos != quote.bid.nanos;
        before = quote;
    }
    cr_assert(moved, "quotes live on");
    cr_assert(market_quote_at(market, 0, at("2022-03-15T03:00Z"), &quote));
    cr_assert_eq(quote.at.ns, at("2022-03-14T19:59:59Z").ns, "outside sessions: the last before");
    cr_assert_eq(quote.bid.nanos, before.bid.nanos);
    cr_assert_eq(market_volume_in_second(market, 0, at("2022-03-15T20:00Z")), 0);
    cr_assert(market_trade_at(market, 0, at("2022-03-15T13:30Z"), &trade));
    cr_assert_eq(trade.price.nanos, price("12"));
    market_destroy(market);
}

/* Hashes all that a client can learn of the instants before `end`. */
static uint64_t hash_before(struct market *market, struct utc from, struct utc end) {
    uint64_t hash = 0;
    for (size_t symbol = 0; symbol < market_symbol_count(market); symbol++) {
        for (struct utc now = from; now.ns < end.ns; now.ns += SECOND) {
            struct market_quote quote = {0};
            struct market_trade trade = {0};
            bool has_quote = market_quote_at(market, symbol, now, &quote);
            bool has_trade = market_trade_at(market, symbol, now, &trade);
            int64_t volume = market_volume_in_second(market, symbol, now);
            hash = hash64(&quote, sizeof quote, hash + has_quote);
            hash = hash64(&trade, sizeof trade, hash + has_trade);
            hash = hash64(&volume, sizeof volume, hash);
        }
        struct utc now = {end.ns - 1};
        size_t count = market_bars(market, symbol, (struct utc){0}, FOREVER, now, bars, 40000);
        hash = hash64(bars, count * sizeof bars[0], hash);
        struct market_bar daily = {0};
        struct usd close = {0};
        hash += market_daily_bar(market, symbol, ny_date(now), now, &daily);
        hash += market_previous_close(market, symbol, ny_date(now), &close);
        hash = hash64(&daily, sizeof daily, hash64(&close, sizeof close, hash));
    }
    return hash;
}

/* Bars of two symbols from 03-14 13:30 on; those that start at or after T are `factor` times as
 * large, and every `skip`-th of them is missing. */
static void write_bars(const struct folder *folder, struct utc t, int factor, int skip) {
    static char content[200000];
    for (int symbol = 0; symbol < 2; symbol++) {
        size_t n = (size_t)snprintf(content, sizeof content, "%s", HEAD);
        struct random random = random_stream(5, "test", (uint64_t)symbol, 0, 0);
        for (int i = 0; i < 780; i++) {
            struct utc start = {at("2022-03-14T13:30Z").ns + (i % 390) * MINUTE +
                                (i / 390) * 1440 * MINUTE};
            int64_t open = random_between(&random, 900, 1100);
            int64_t width = random_between(&random, 0, 20);
            int64_t volume = random_between(&random, 0, 3000);
            bool is_thin = random_below(&random, 6) == 0 && i > 0;
            bool is_late = start.ns >= t.ns;
            if (is_thin || (is_late && i % skip == 0)) {
                continue;
            }
            int64_t m = is_late ? factor : 1;
            char text[UTC_TEXT_MAX];
            utc_print(start, text);
            n += (size_t)snprintf(content + n, sizeof content - n, "%s,%lld,%lld,%lld,%lld,%lld\n",
                                  text, (long long)(open * m), (long long)((open + width) * m),
                                  (long long)((open - width) * m), (long long)(open * m),
                                  (long long)(volume * m));
        }
        put_file(folder, symbol == 0 ? "A.csv" : "B.csv", content);
    }
}

Test(market_path, altering_bars_from_T_on_changes_nothing_before_T) {
    static const char *const times[] = {"2022-03-14T13:31Z", "2022-03-14T15:00Z",
                                        "2022-03-14T19:59Z", "2022-03-15T13:30Z",
                                        "2022-03-15T16:20Z"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct utc t = at(times[i]);
        struct utc from = {t.ns - 50 * MINUTE};
        struct folder folder = make_folder();
        write_bars(&folder, t, 1, 1000);
        struct market *plain = load(folder.path, 8);
        write_bars(&folder, t, 3, 5);
        struct market *altered = load(folder.path, 8);
        remove_folder(&folder);
        cr_assert_eq(hash_before(plain, from, t), hash_before(altered, from, t), "T = %s",
                     times[i]);
        struct utc later = {t.ns + 5 * MINUTE};
        cr_assert_neq(hash_before(plain, t, later), hash_before(altered, t, later),
                      "the alteration itself is seen, T = %s", times[i]);
        market_destroy(plain);
        market_destroy(altered);
    }
}

Test(market_path, order_of_questions_changes_no_answer) {
    struct market *forward = load("data/stocks-2022-03", 4);
    struct market *scattered = load("data/stocks-2022-03", 4);
    struct random random = random_stream(6, "test", 0, 0, 0);
    for (int i = 0; i < 20000; i++) {
        struct utc now = {at("2022-03-14T13:30Z").ns + i * 97 * SECOND};
        struct utc elsewhere = {at("2022-03-14T13:30Z").ns +
                                random_between(&random, 0, 35 * 86400) * SECOND};
        struct market_quote a = {0};
        struct market_quote b = {0};
        struct market_trade c = {0};
        struct market_trade d = {0};
        market_quote_at(scattered, (size_t)i % 8, elsewhere, &b);
        cr_assert_eq(market_quote_at(forward, (size_t)i % 8, now, &a),
                     market_quote_at(scattered, (size_t)i % 8, now, &b));
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
        market_trade_at(forward, (size_t)i % 8, now, &c);
        market_trade_at(scattered, (size_t)i % 8, now, &d);
        cr_assert_eq(memcmp(&c, &d, sizeof c), 0);
    }
    market_destroy(forward);
    market_destroy(scattered);
}

Test(market_path, another_seed_is_another_path_over_the_same_bars) {
    struct market *a = load("data/stocks-2022-03", 1);
    struct market *b = load("data/stocks-2022-03", 2);
    int differing = 0;
    for (int s = 0; s < 60; s++) {
        struct utc now = {at("2022-03-15T15:00Z").ns + s * SECOND};
        struct market_quote x = {0};
        struct market_quote y = {0};
        cr_assert(market_quote_at(a, 0, now, &x) && market_quote_at(b, 0, now, &y));
        differing += x.bid.nanos != y.bid.nanos;
    }
    cr_assert_gt(differing, 20);
    market_destroy(a);
    market_destroy(b);
}

Test(market_path, spread_is_wider_at_the_open_and_in_a_wild_name) {
    struct market *market = load("data/stocks-2022-03", 1);
    struct market_quote quote = {0};
    int64_t width[3] = {0};
    static const struct {
        const char *symbol, *from;
    } cases[] = {
        {"AAPL", "2022-03-16T16:00Z"}, {"AAPL", "2022-03-16T13:30Z"}, {"GME", "2022-03-23T16:00Z"}};
    for (int k = 0; k < 3; k++) {
        size_t symbol = (size_t)market_find(market, cases[k].symbol);
        for (int s = 0; s < 300; s++) {
            struct utc now = {at(cases[k].from).ns + s * SECOND};
            cr_assert(market_quote_at(market, symbol, now, &quote));
            width[k] += (quote.ask.nanos - quote.bid.nanos) * 1000 / quote.bid.nanos +
                        (quote.ask.nanos - quote.bid.nanos) / 1000;
        }
    }
    cr_assert_gt(width[1], width[0] * 3 / 2, "at the open");
    cr_assert_gt(width[2], width[0] * 3 / 2, "in a squeeze");
    market_destroy(market);
}

Test(market_bars, a_bar_is_told_only_after_its_minute) {
    struct market *market = load("data/stocks-2022-03", 1);
    struct utc start = at("2022-03-14T14:00Z");
    struct market_bar bar = {0};
    cr_assert_not(market_bar_at(market, 0, start, (struct utc){start.ns + MINUTE - 1}, &bar));
    cr_assert(market_bar_at(market, 0, start, (struct utc){start.ns + MINUTE}, &bar));
    cr_assert_eq(bar.at.ns, start.ns);
    cr_assert_not(market_bar_at(market, 0, (struct utc){start.ns + 1}, FOREVER, &bar));
    cr_assert_not(market_bar_at(market, 0, at("2022-03-14T20:00Z"), FOREVER, &bar));
    struct utc open = at("2022-03-14T13:30Z");
    cr_assert_eq(
        market_bars(market, 0, open, FOREVER, (struct utc){start.ns + MINUTE - 1}, bars, 999), 30);
    cr_assert_eq(market_bars(market, 0, open, FOREVER, (struct utc){start.ns + MINUTE}, bars, 999),
                 31);
    cr_assert_eq(market_bars(market, 0, open, start, FOREVER, bars, 999), 31, "`to` is included");
    cr_assert_eq(market_bars(market, 0, (struct utc){open.ns + 1}, start, FOREVER, bars, 999), 30);
    cr_assert_eq(market_bars(market, 0, open, FOREVER, FOREVER, bars, 7), 7, "at most max");
    cr_assert_eq(bars[6].at.ns, open.ns + 6 * MINUTE, "oldest first");
    market_destroy(market);
}

Test(market_bars, daily_bar_sums_the_finished_minutes) {
    struct market *market = load("data/stocks-2022-03", 1);
    struct market_bar daily = {0};
    struct date date = day("2022-03-15");
    struct utc open = at("2022-03-15T13:30Z");
    cr_assert_not(market_daily_bar(market, 0, date, open, &daily), "nothing is over yet");
    for (int minutes = 3; minutes <= 390; minutes += 43) {
        struct utc now = {open.ns + minutes * MINUTE + SECOND};
        size_t count = market_bars(market, 0, open, FOREVER, now, bars, 999);
        struct market_bar sum = bars[0];
        for (size_t i = 1; i < count; i++) {
            sum.high = usd_max(sum.high, bars[i].high);
            sum.low = usd_min(sum.low, bars[i].low);
            sum.close = bars[i].close;
            sum.volume += bars[i].volume;
        }
        cr_assert(market_daily_bar(market, 0, date, now, &daily));
        cr_assert_eq(daily.at.ns, at("2022-03-15T04:00Z").ns);
        cr_assert(daily.open.nanos == sum.open.nanos && daily.high.nanos == sum.high.nanos);
        cr_assert(daily.low.nanos == sum.low.nanos && daily.close.nanos == sum.close.nanos);
        cr_assert_eq(daily.volume, sum.volume);
        cr_assert(daily.vwap.nanos >= daily.low.nanos && daily.vwap.nanos <= daily.high.nanos);
    }
    struct usd close = {0};
    cr_assert(market_previous_close(market, 0, day("2022-03-16"), &close));
    cr_assert_eq(close.nanos, daily.close.nanos);
    cr_assert(market_previous_close(market, 0, day("2022-03-22"), &close), "over the closed 21st");
    struct market_bar friday = {0};
    cr_assert(market_daily_bar(market, 0, day("2022-03-18"), FOREVER, &friday));
    cr_assert_eq(close.nanos, friday.close.nanos);
    cr_assert_not(market_previous_close(market, 0, day("2022-03-14"), &close),
                  "none before the first");
    cr_assert_not(market_daily_bar(market, 0, day("2022-03-21"), FOREVER, &daily), "closed");
    market_destroy(market);
}

Test(market, next_step_is_the_next_second_or_the_next_open) {
    struct market *market = load("data/stocks-2022-03", 1);
    static const struct {
        const char *at, *next;
    } cases[] = {{"2022-03-01T00:00Z", "2022-03-14T13:30Z"},
                 {"2022-03-14T13:29:59.9Z", "2022-03-14T13:30Z"},
                 {"2022-03-14T13:30Z", "2022-03-14T13:30:01Z"},
                 {"2022-03-14T13:30:01.5Z", "2022-03-14T13:30:02Z"},
                 {"2022-03-14T19:59:58Z", "2022-03-14T19:59:59Z"},
                 {"2022-03-14T19:59:59Z", "2022-03-15T13:30Z"},
                 {"2022-03-18T20:00Z", "2022-03-22T13:30Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(market_next_step(market, at(cases[i].at)).ns, at(cases[i].next).ns, "%s",
                     cases[i].at);
    }
    cr_assert_eq(market_next_step(market, at("2022-04-18T20:00Z")).ns, INT64_MAX);
    market_destroy(market);
}

Test(market_synthetic, symbols_days_and_seeds_are_their_own_streams) {
    struct market *two = synthetic(1, 2, 3);
    struct market *many = synthetic(1, 50, 30);
    struct market *other = synthetic(2, 2, 3);
    struct utc end = at("2026-03-03T21:00Z");
    for (size_t symbol = 0; symbol < 2; symbol++) {
        size_t count = market_bars(two, symbol, (struct utc){0}, FOREVER, end, bars, 40000);
        uint64_t hash = hash_bars(bars, count);
        size_t again = market_bars(many, symbol, (struct utc){0}, FOREVER, end, bars, 40000);
        cr_assert_eq(count, again);
        cr_assert_eq(hash_bars(bars, again), hash, "more symbols and days change no bar");
        again = market_bars(other, symbol, (struct utc){0}, FOREVER, end, bars, 40000);
        cr_assert_neq(hash_bars(bars, again), hash, "another seed does");
    }
    cr_assert_str_eq(market_symbol(many, 49), "SYM049");
    cr_assert_eq(market_find(many, "SYM049"), 49);
    market_destroy(two);
    market_destroy(many);
    market_destroy(other);
}

Test(market_synthetic, bars_are_the_same_on_every_machine) {
    struct market *market = synthetic(1, 3, 2);
    size_t count =
        market_bars(market, 1, (struct utc){0}, FOREVER, at("2026-03-03T21:00Z"), bars, 40000);
    cr_assert_eq(hash_bars(bars, count), UINT64_C(0x4d9b090097beaf02), "%zu %016llx", count,
                 (unsigned long long)hash_bars(bars, count));
    cr_assert_eq(
        hash_before(market, at("2026-03-02T14:30Z"), at("2026-03-02T15:30Z")),
        UINT64_C(0xc9416088131daca7), "%016llx",
        (unsigned long long)hash_before(market, at("2026-03-02T14:30Z"), at("2026-03-02T15:30Z")));
    market_destroy(market);
}

Test(market_synthetic, the_session_before_can_still_be_asked_for_and_answers_are_the_same) {
    struct market *steady = synthetic(3, 4, 40);
    struct market *jumping = synthetic(3, 4, 40);
    struct session session = {0};
    struct session before = {0};
    cr_assert(calendar_session(market_calendar(steady), market_first_date(steady), &before));
    for (int i = 1; i < 40; i++) {
        cr_assert(calendar_next(market_calendar(steady), before.open, &session));
        struct market_bar a = {0};
        struct market_bar b = {0};
        struct market_quote x = {0};
        struct market_quote y = {0};
        struct utc noon = {before.open.ns + 100 * MINUTE};
        cr_assert(market_quote_at(steady, 1, noon, &x));
        cr_assert(market_quote_at(jumping, 1, session.open, &y), "one session ahead");
        cr_assert(market_quote_at(jumping, 1, noon, &y), "and back");
        cr_assert_eq(memcmp(&x, &y, sizeof x), 0);
        size_t count = market_bars(steady, 1, (struct utc){0}, FOREVER, noon, bars, 40000);
        uint64_t hash = hash_bars(bars, count);
        cr_assert_eq(count, market_bars(jumping, 1, (struct utc){0}, FOREVER, noon, bars, 40000));
        cr_assert_eq(hash_bars(bars, count), hash);
        for (int back = 0; back < 35; back++) {
            struct date date = date_add(before.date, -back);
            bool is_told = market_daily_bar(steady, 1, date, noon, &a);
            cr_assert_eq(is_told, market_daily_bar(jumping, 1, date, noon, &b));
            cr_assert(!is_told || memcmp(&a, &b, sizeof a) == 0);
        }
        struct usd close = {0};
        cr_assert(market_daily_bar(jumping, 1, before.date, before.close, &a));
        cr_assert(market_previous_close(jumping, 1, session.date, &close));
        cr_assert_eq(close.nanos, a.close.nanos);
        before = session;
    }
    market_destroy(steady);
    market_destroy(jumping);
}

Test(market_synthetic, looks_like_a_market) {
    struct market *market = synthetic(11, 50, 20);
    int64_t edge = 0;
    int64_t noon = 0;
    int64_t edge_range = 0;
    int64_t noon_range = 0;
    int thin = 0;
    struct date date = market_first_date(market);
    for (; date.days <= market_last_date(market).days; date = date_add(date, 1)) {
        struct session session;
        if (!calendar_session(market_calendar(market), date, &session)) {
            continue;
        }
        for (size_t symbol = 0; symbol < 50; symbol++) {
            size_t count =
                market_bars(market, symbol, session.open, FOREVER, session.close, bars, 999);
            thin += count < 350;
            cr_assert_gt(count, 240);
            for (size_t i = 0; i < count; i++) {
                int64_t minute = (bars[i].at.ns - session.open.ns) / MINUTE;
                int64_t range =
                    (bars[i].high.nanos - bars[i].low.nanos) * 100 / (bars[i].low.nanos / 10000);
                bool is_edge = minute < 30 || minute >= 360;
                bool is_noon = minute >= 165 && minute < 225;
                edge += is_edge ? bars[i].volume : 0;
                noon += is_noon ? bars[i].volume : 0;
                edge_range += is_edge ? range : 0;
                noon_range += is_noon ? range : 0;
                cr_assert(bars[i].open.nanos > USD(1).nanos &&
                          bars[i].open.nanos < USD(4000).nanos);
            }
        }
    }
    cr_assert_gt(edge, 2 * noon, "volume is U-shaped");
    cr_assert_gt(edge_range, noon_range * 3 / 2, "volatility is too");
    cr_assert(thin > 0 && thin < 20 * 50 / 3, "%d", thin);
    market_destroy(market);
}

Test(market_synthetic, limits_are_errors) {
    struct market *market = NULL;
    struct err err = {0};
    struct date first = day("2026-03-02");
    cr_assert_eq(market_synthetic(1, 0, first, 1, &market, &err), ERR_LIMIT);
    cr_assert_eq(market_synthetic(1, MARKET_SYMBOLS_MAX + 1, first, 1, &market, &err), ERR_LIMIT);
    cr_assert_eq(market_synthetic(1, 1, first, 0, &market, &err), ERR_LIMIT);
    cr_assert_eq(market_synthetic(1, 1, first, 19999, &market, &err), ERR_RANGE);
    cr_assert_null(market);
    cr_assert_eq(market_synthetic(1, MARKET_SYMBOLS_MAX, first, 1, &market, &err), ERR_OK);
    cr_assert_eq(market_first_date(market).days, first.days);
    cr_assert_eq(market_symbol_last_date(market, 127).days, first.days);
    market_destroy(market);
}

Test(market_synthetic, a_half_day_ends_at_one_o_clock) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_synthetic(1, 2, day("2026-11-27"), 2, &market, &err), ERR_OK, "%s",
                 err.text);
    struct utc close = at("2026-11-27T18:00Z");
    size_t count = market_bars(market, 0, (struct utc){0}, FOREVER, close, bars, 999);
    cr_assert(count > 0 && count <= 210);
    cr_assert(bars[count - 1].at.ns < close.ns);
    struct market_quote quote = {0};
    cr_assert(market_quote_at(market, 0, at("2026-11-27T19:00Z"), &quote));
    cr_assert_eq(quote.at.ns, close.ns - SECOND);
    cr_assert_eq(market_next_step(market, quote.at).ns, at("2026-11-30T14:30Z").ns);
    struct usd before = {0};
    cr_assert(market_previous_close(market, 0, day("2026-11-30"), &before));
    cr_assert_eq(before.nanos, bars[count - 1].close.nanos);
    market_destroy(market);
}
