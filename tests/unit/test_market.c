/* test_market.c - a minute adds up to its bar, nothing before T knows what comes at T, and a synthetic
 * market looks like one. */
#include "tests/unit/market_fixture.h"

static struct market_bar bars[40000];

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
    struct usd before = {0};
    cr_assert(market_previous_close(market, 0, day("2026-11-30"), &before));
    cr_assert_eq(before.nanos, bars[count - 1].close.nanos);
    market_destroy(market);
}
