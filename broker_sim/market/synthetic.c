/* synthetic.c - bars nobody ever traded: a seeded walk, a session at a time.
 *
 * Every minute has its own stream (seed, symbol, day, minute). Motion and volume are large at the
 * open and the close and small at noon; nights gap; once in some 20 sessions of a symbol a minute
 * jumps. One symbol in eight is thin: a quarter of its minutes have no bar. Only + - * / and sqrt.
 */
#include "broker_sim/market/market_internal.h"

#include "core/base/check.h"
#include "core/base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SYNTHETIC_DAYS_MAX = 20000 };
static const double TREND = 8.0; /* of a quiet day's motion, at most 0.7 of it up and 0.3 down */
static const double QUIET_PART = 0.2; /* 0.2 to 0.7 % a day: a fund of bonds */

/* A price in dollars on its tick, kept between a cent and a million dollars. */
static int64_t on_tick(double dollars) {
    if (dollars < 0.01) {
        dollars = 0.01;
    }
    if (dollars > 1e6) {
        dollars = 1e6;
    }
    if (dollars < 1.0) {
        return (int64_t)(dollars * 10000.0 + 0.5) * SUBPENNY_NANOS;
    }
    return (int64_t)(dollars * 100.0 + 0.5) * CENT_NANOS;
}

static double positive(double x) {
    return x < 0.0 ? -x : x;
}

/* 1 at the open and the close, 0 at noon. */
static double edge_of_day(int32_t minute) {
    double x = 2.0 * (double)minute / (double)(SESSION_MINUTES - 1) - 1.0;
    return x * x;
}

static double jump(struct random *random) {
    if (!random_chance(random, 130000)) { /* 390 minutes x 20 sessions */
        return 0.0;
    }
    double size = 0.01 + 0.04 * random_unit(random);
    return random_below(random, 2) == 0 ? -size : size;
}

/* The bar that follows a close. */
static struct slot draw_bar(const struct synthetic_symbol *symbol, const double *trend,
                            struct random *random, int32_t minute) {
    double edge = edge_of_day(minute);
    double motion = symbol->day_motion / sqrt((double)SESSION_MINUTES) * (0.7 + 0.9 * edge);
    double before = (double)symbol->close * 1e-9;
    double night = minute == 0 ? symbol->day_motion * 0.5 : motion * 0.1;
    double open = before * (1.0 + night * random_normal(random));
    double moved = motion * random_normal(random);
    double jumped = jump(random);
    double close = open * (1.0 + moved + (trend != NULL ? *trend : jumped));
    double high =
        (open > close ? open : close) * (1.0 + motion * 0.4 * positive(random_normal(random)));
    double low =
        (open < close ? open : close) * (1.0 - motion * 0.4 * positive(random_normal(random)));
    double volume = symbol->minute_volume * (0.5 + 1.5 * edge) * (0.3 + 1.4 * random_unit(random));
    struct slot bar = {
        .open = on_tick(open), .high = on_tick(high), .low = on_tick(low), .close = on_tick(close)};
    bar.volume = (uint32_t)volume + 4;
    bar.trades = estimated_trades(bar.volume);
    bar.vwap = (bar.high + bar.low + bar.close) / 3;
    return bar;
}

/* Of a minute: a quiet day goes one way, rather up than down. */
static double draw_trend(const struct market *market, size_t symbol, struct date day) {
    struct random random = random_stream(market->seed, "trend", symbol, (uint64_t)day.days, 0);
    double motion = market->synthetic[symbol].day_motion;
    return motion * TREND * (random_unit(&random) - 0.3) / (double)SESSION_MINUTES;
}

/* The minute's bar, or none in a thin symbol; the first minute always has one. */
static struct slot draw_minute(const struct market *market, size_t symbol,
                               const struct session *hours, int32_t minute) {
    struct random random =
        random_stream(market->seed, "bars", symbol, (uint64_t)hours->date.days, (uint64_t)minute);
    const struct synthetic_symbol *self = &market->synthetic[symbol];
    bool is_skipped = random_chance(&random, 250000000);
    if (self->is_thin && is_skipped && minute > 0) {
        return (struct slot){0};
    }
    double trend = market->is_quiet ? draw_trend(market, symbol, hours->date) : 0.0;
    return draw_bar(self, market->is_quiet ? &trend : NULL, &random, minute);
}

static void generate_symbol(struct market *market, size_t symbol, int32_t session) {
    struct synthetic_symbol *self = &market->synthetic[symbol];
    const struct session *hours = &market->sessions[session];
    int32_t minutes = session_minutes(hours);
    for (int32_t minute = 0; minute < SESSION_MINUTES; minute++) {
        struct slot *slot = market_slot(market, symbol, slot_number(session, minute));
        *slot = minute < minutes ? draw_minute(market, symbol, hours, minute) : (struct slot){0};
        self->close = slot->open > 0 ? slot->close : self->close;
    }
    int32_t before = -1; /* the first minute has a bar: nothing looks over the night */
    int32_t traded = -1;
    market_link(market, symbol, session, &before, &traded);
    CHECK(market_sum_session(market, symbol, session, hours->close,
                             &self->daily[session % DAILY_KEPT]));
}

void synthetic_generate(struct market *market) {
    CHECK(market->generated < market->session_count);
    for (size_t symbol = 0; symbol < market->symbol_count; symbol++) {
        generate_symbol(market, symbol, market->generated);
    }
    market->generated++;
}

static void draw_symbol(struct market *market, size_t symbol) {
    char name[MARKET_SYMBOL_MAX];
    snprintf(name, sizeof name, "SYM%03u", (unsigned)(symbol % 1000));
    market_name_symbol(&market->symbols[symbol], name);
    market->symbols[symbol].last_session = market->session_count - 1;
    struct random random = random_stream(market->seed, "symbol", symbol, 0, 0);
    struct synthetic_symbol *self = &market->synthetic[symbol];
    self->close = self->first_close = on_tick(10.0 + 390.0 * random_unit(&random));
    self->day_motion = 0.008 + 0.027 * random_unit(&random);
    double size = random_unit(&random);
    self->is_thin = random_below(&random, 8) == 0;
    self->minute_volume = self->is_thin ? 300.0 : 2000.0 + 150000.0 * size * size;
}

static enum err_code find_sessions(struct market *market, struct date first, int days,
                                   struct err *err) {
    struct date date = first;
    while (market->session_count < days) {
        int year = 0;
        int month = 0;
        int day = 0;
        date_to_civil(date, &year, &month, &day);
        if (year < calendar_first_year() || year > calendar_last_year()) {
            return err_set(err, ERR_RANGE,
                           "%d sessions from the first date on leave the calendar's "
                           "years %d to %d; ask for fewer, or start earlier",
                           days, calendar_first_year(), calendar_last_year());
        }
        struct session *session = &market->sessions[market->session_count];
        market->session_count += calendar_session(&market->calendar, date, session);
        date = date_add(date, 1);
    }
    return ERR_OK;
}

void market_quieten(struct market *market) {
    CHECK(market->synthetic != NULL && market->generated == 0);
    market->is_quiet = true;
    for (size_t i = 0; i < market->symbol_count; i++) {
        struct synthetic_symbol *symbol = &market->synthetic[i];
        symbol->day_motion *= QUIET_PART;
        symbol->minute_volume = symbol->is_thin ? 30000.0 : symbol->minute_volume;
        symbol->is_thin = false;
    }
}

enum err_code market_synthetic(uint64_t seed, size_t symbol_count, struct date first, int days,
                               struct market **out, struct err *err) {
    if (symbol_count < 1 || symbol_count > MARKET_SYMBOLS_MAX || days < 1 ||
        days > SYNTHETIC_DAYS_MAX) {
        return err_set(err, ERR_LIMIT, "a synthetic market has 1 to %d symbols and 1 to %d days",
                       MARKET_SYMBOLS_MAX, SYNTHETIC_DAYS_MAX);
    }
    enum err_code code = ERR_OK;
    struct market *market = calloc(1, sizeof *market);
    if (market == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for a market");
    }
    market->seed = seed;
    market->symbol_count = symbol_count;
    market->sessions = calloc((size_t)days, sizeof *market->sessions);
    market->symbols = calloc(symbol_count, sizeof *market->symbols);
    market->synthetic = calloc(symbol_count, sizeof *market->synthetic);
    market->slots = calloc(BLOCKS_KEPT * symbol_count * SESSION_MINUTES, sizeof *market->slots);
    if (market->sessions == NULL || market->symbols == NULL || market->synthetic == NULL ||
        market->slots == NULL) {
        code = err_set(err, ERR_MEMORY, "no memory for %zu symbols", symbol_count);
        goto out;
    }
    code = find_sessions(market, first, days, err);
    if (code != ERR_OK) {
        goto out;
    }
    for (size_t symbol = 0; symbol < symbol_count; symbol++) {
        draw_symbol(market, symbol);
    }
    *out = market;
    market = NULL;
out:
    market_destroy(market);
    return code;
}
