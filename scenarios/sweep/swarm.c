/* swarm.c - drawing: market, limits, faults, people. Each part has its stream, so that a new draw in one
 * part leaves the others as they were. */
#include "scenarios/sweep/swarm.h"

#include "chaos/faults/plan.h"
#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/random.h"

#include <stdio.h>
#include <string.h>

#define PERCENT INT64_C(10000000) /* nanos of one hundredth */
#define SESSION_S 23400
#define RATE_CORE_MAX 140 /* with the other lanes' defaults, the broker's 200 a minute */
/* Of a hundred: the rest sails the ETFs, whose single days bring few entries. */
#define SYNTHETIC_SHARE 70
#define STOCKS_SHARE 27
#define INCIDENT_PERCENT 30 /* of the swarm: a recipe of `directed` lies over what was drawn */

static const char *const mode_words[] = {
#define X(mode, word, meaning) word,
    CHAOS_MODES(X)
#undef X
};

static const char *const mode_meanings[] = {
#define X(mode, word, meaning) meaning,
    CHAOS_MODES(X)
#undef X
};

const char *chaos_mode_word(enum chaos_mode mode) {
    return mode_words[mode];
}

const char *chaos_mode_meaning(enum chaos_mode mode) {
    return mode_meanings[mode];
}

bool chaos_mode_find(const char *word, enum chaos_mode *out) {
    for (int i = 0; i < CHAOS_MODE_COUNT; i++) {
        if (strcmp(word, mode_words[i]) == 0) {
            *out = (enum chaos_mode)i;
            return true;
        }
    }
    return false;
}

/* --- fault classes --- */

static const char *const classes[] = {"http",  "api",     "view",     "order", "market", "disk",
                                      "clock", "process", "operator", "asset", "hand",   "account"};
#define CLASS_COUNT (sizeof classes / sizeof classes[0])
#define CLASS_OPERATOR 8 /* draws no faults */
#define CLASS_HAND 10    /* draw_short() alone draws them */

size_t swarm_class_count(void) {
    return CLASS_COUNT;
}

const char *swarm_class(size_t index) {
    CHECK(index < CLASS_COUNT);
    return classes[index];
}

int swarm_class_of(const char *point_name) {
    size_t length = strcspn(point_name, ".");
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (strlen(classes[i]) == length && strncmp(classes[i], point_name, length) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* What a stream of its own draws, with the settings that make it matter. */
static bool is_drawn_apart(enum fault_point point) {
    return point == POINT_ASSET_HOUSE_MARGIN || point == POINT_VIEW_BLOCKED ||
           point == POINT_MARKET_SPLIT || point == POINT_MARKET_SPLIT_UNTOLD ||
           point == POINT_MARKET_SPIN_OFF || point == POINT_MARKET_SPIN_OFF_UNTOLD ||
           point == POINT_ASSET_DIVIDEND || point == POINT_ACCOUNT_FEE;
}

static int points_of_class(size_t class) {
    int count = 0;
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        count += swarm_class_of(fault_point_name((enum fault_point)point)) == (int)class &&
                 !is_drawn_apart((enum fault_point)point);
    }
    return count;
}

/* --- the file being drawn --- */

struct draw {
    uint64_t seed;
    enum chaos_mode mode;
    int days;
    int64_t
        gross_milli; /* risk.gross_exposure as drawn, in thousandths; 0: the default, all of it */
    cJSON *file;
};

static struct random stream(const struct draw *draw, const char *name, uint64_t key) {
    return random_stream(draw->seed, name, (uint64_t)draw->mode, key, 0);
}

static bool percent(struct random *random, int64_t chance) {
    return random_chance(random, chance * PERCENT);
}

static cJSON *must(cJSON *item) {
    CHECK(item != NULL);
    return item;
}

static cJSON *add_object(cJSON *object, const char *key) {
    return must(cJSON_AddObjectToObject(object, key));
}

static void add_word(cJSON *object, const char *key, const char *value) {
    must(cJSON_AddStringToObject(object, key, value));
}

static void add_number(cJSON *object, const char *key, int64_t value) {
    must(cJSON_AddNumberToObject(object, key, (double)value));
}

/* A ratio or amount from a range of thousandths, as the decimal text that files hold. */
static void add_milli(cJSON *object, const char *key, int64_t thousandths) {
    char text[32];
    snprintf(text, sizeof text, "%lld.%03lld", (long long)(thousandths / 1000),
             (long long)(thousandths % 1000));
    add_word(object, key, text);
}

/* So many seconds after the open of a session of the run. */
static void add_time(cJSON *object, const char *key, int day, int64_t seconds) {
    char text[48];
    int64_t of_day = 9 * 3600 + 30 * 60 + seconds;
    snprintf(text, sizeof text, "day %d %02lld:%02lld:%02lld", day, (long long)(of_day / 3600),
             (long long)(of_day / 60 % 60), (long long)(of_day % 60));
    add_word(object, key, text);
}

/* --- market and limits --- */

static const char *const stock_days[] = {"2022-03-14", "2022-03-15", "2022-03-16", "2022-03-17",
                                         "2022-03-18", "2022-03-21", "2022-03-22", "2022-03-23",
                                         "2022-03-24", "2022-03-25", "2022-03-28", "2022-03-29",
                                         "2022-03-30", "2022-03-31", "2022-04-01", "2022-04-04"};
static const char *const etf_days[] = {"2019-12-02", "2019-12-03", "2019-12-04", "2019-12-05",
                                       "2019-12-06", "2019-12-09", "2019-12-10", "2019-12-11"};

static void draw_market(struct draw *draw) {
    struct random random = stream(draw, "market", 0);
    int64_t kind = random_between(&random, 1, 100);
    bool is_short = draw->days <= 2; /* longer runs begin where the set begins */
    bool is_synthetic = kind <= SYNTHETIC_SHARE;
    bool is_stocks = !is_synthetic && kind <= SYNTHETIC_SHARE + STOCKS_SHARE;
    const char *set = is_synthetic ? "synthetic" : is_stocks ? "stocks-2022-03" : "etfs-2019-12";
    uint64_t stock = random_below(&random, sizeof stock_days / sizeof stock_days[0]);
    uint64_t etf = random_below(&random, sizeof etf_days / sizeof etf_days[0]);
    int64_t symbols = random_between(&random, 3, 7);
    if (!is_synthetic) {
        add_word(draw->file, "start",
                 is_stocks ? stock_days[is_short ? stock : 0] : etf_days[is_short ? etf : 0]);
    }
    add_number(draw->file, "days", draw->days);
    cJSON *market = add_object(draw->file, "market");
    add_word(market, "set", set);
    if (is_synthetic) {
        add_number(market, "symbols", symbols);
    }
    cJSON *account = add_object(draw->file, "account");
    add_word(account, "cash", "100000");
    add_milli(account, "partial_fill_chance", random_between(&random, 0, 600));
    /* a broker that rejects one order in six is no calm one: it fires the kill switch, as it must */
    int64_t rejects = draw->mode == CHAOS_CALM ? 20 : 200;
    if (percent(&random, 30)) {
        add_milli(account, "late_reject_chance", random_between(&random, 1, rejects));
    }
}

/* Sizes large, patience short: one session sees many lives of orders. */
static void draw_trading(struct draw *draw, cJSON *config, int64_t positions) {
    struct random random = stream(draw, "trading", 0);
    int64_t stop = random_between(&random, 4, 25); /* thousandths */
    int64_t base_usd = random_between(&random, 3000, 9500);
    add_number(config, "risk.max_positions", positions);
    add_number(config, "sizing.base_usd", base_usd);
    add_word(config, "sizing.equity_share", "0.12");
    add_word(config, "risk.symbol_limit", "0.12"); /* the amount above is what bounds an entry */
    add_milli(config, "exits.hard_stop", stop);
    add_milli(config, "stops.distance", stop + random_between(&random, 1, 8));
    add_milli(config, "exits.trailing", random_between(&random, 2, 15));
    add_milli(config, "exits.target_1", random_between(&random, 3, 12));
    add_number(config, "exits.time_s", random_between(&random, 60, 5400));
    add_milli(config, "strategy.threshold", random_between(&random, 20, 400));
    add_number(config, "risk.symbol_cooldown_s", random_between(&random, 0, 900));
    add_number(config, "orders.entry_patience_s", random_between(&random, 5, 300));
    add_number(config, "session.no_entry_first_s", random_between(&random, 0, 300));
    add_number(config, "engine.tick_s", percent(&random, 70) ? 5 : random_between(&random, 3, 15));
    add_number(config, "engine.cycle_s", random_between(&random, 5, 12) * 5);
    add_number(config, "volume.day_share", 1000); /* a trader of large sizes and short patience */
    add_number(config, "volume.hour_share", 1000);
    add_number(config, "volume.orders", 100000);
    add_number(config, "volume.round_trips", 10000);
    add_number(config, "performance.trades", 500);
    if (percent(&random, 30)) {
        must(cJSON_AddBoolToObject(config, "stops.follow", false));
    }
    if (draw->mode != CHAOS_CALM && percent(&random, 8)) { /* what rounding to shares leaves */
        add_number(config, "orders.min_notional_usd", base_usd - random_between(&random, 20, 200));
    }
    int64_t growth = random_between(&random, 2, 4);
    add_number(config, "risk.symbol_cooldown_growth", percent(&random, 70) ? 1 : growth);
}

/* What a configuration may not be below: six reads a tick and the bars of each cycle. */
static int64_t polls_a_minute(const cJSON *config) {
    int64_t tick_s = cJSON_GetObjectItemCaseSensitive(config, "engine.tick_s")->valueint;
    int64_t cycle_s = cJSON_GetObjectItemCaseSensitive(config, "engine.cycle_s")->valueint;
    return (360 + tick_s - 1) / tick_s + (60 + cycle_s - 1) / cycle_s;
}

/* One of the day's limits, within reach. */
static void draw_volume(struct random *random, cJSON *config) {
    static const char *const keys[] = {"volume.hour_share", "volume.orders", "volume.round_trips"};
    const char *key = keys[random_below(random, 3)];
    int64_t count = random_between(random, 2, 12);
    int64_t share = random_between(random, 50, 600);
    cJSON_DeleteItemFromObjectCaseSensitive(config, key);
    if (strcmp(key, "volume.hour_share") == 0) {
        add_milli(config, key, share);
    } else {
        add_number(config, key, count);
    }
}

/* The product's own limits, small; each in its own draw, so that most runs keep most of them wide. */
static void draw_limits(struct draw *draw, cJSON *config, int64_t positions) {
    struct random random = stream(draw, "limits", 0);
    int64_t drawdown = random_between(&random, 4, 30); /* thousandths */
    if (percent(&random, 25)) {
        char budget[32];
        int64_t nanos = (drawdown - 1) * 1000000 / positions;
        snprintf(budget, sizeof budget, "0.%09lld", (long long)nanos);
        add_milli(config, "risk.max_drawdown", drawdown);
        add_milli(config, "risk.daily_loss_share", drawdown - 1);
        add_word(config, "sizing.risk_budget", budget);
    } else {
        add_word(config, "sizing.risk_budget", "0.005");
    }
    if (percent(&random, 30)) {
        add_number(config, "risk.daily_loss_usd", random_between(&random, 60, 400));
    }
    add_milli(config, "risk.open_risk_factor", percent(&random, 50) ? 0 : 1500);
    if (percent(&random, 20)) {
        add_number(config, "risk.equity_floor_usd", random_between(&random, 97000, 99950));
    }
    if (percent(&random, 40)) {
        add_number(config, "risk.max_new_per_15min", random_between(&random, 1, 5));
    }
    if (percent(&random, 25)) {
        draw->gross_milli = random_between(&random, 130, 500);
        add_milli(config, "risk.gross_exposure", draw->gross_milli);
    }
    if (percent(&random, 25)) {
        add_milli(config, "orders.buying_power_share", random_between(&random, 20, 200));
    }
    if (percent(&random, 25)) {
        add_number(config, "data.quote_max_age_s", random_between(&random, 1, 3));
    }
    if (percent(&random, 25)) {
        int64_t least = polls_a_minute(config);
        int64_t drawn = random_between(&random, least, least + 20);
        add_number(config, "broker.rate_core", drawn < RATE_CORE_MAX ? drawn : RATE_CORE_MAX);
    }
    if (percent(&random, 25)) {
        add_number(config, "degraded.truth_max_age_s", random_between(&random, 16, 60));
    }
    if (percent(&random, 15)) {
        add_milli(config, "orders.collar", random_between(&random, 1, 4));
    }
    if (percent(&random, 15)) {
        add_number(config, "orders.repeats", random_between(&random, 2, 3));
        add_number(config, "orders.repeat_window_s", random_between(&random, 60, 600));
    }
    if (percent(&random, 15)) {
        draw_volume(&random, config);
    }
    if (percent(&random, 15)) {
        add_number(config, "orders.stuck_s", random_between(&random, 15, 25));
    }
}

/* A kill switch that trips early, and half the time one that ends by itself within the session. */
static void draw_kill(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "kill", 0);
    bool is_rearmed = percent(&random, 50);
    int64_t cooldown = random_between(&random, 60, 1200);
    int64_t incidents = random_between(&random, 1, 3);
    if (is_rearmed) {
        must(cJSON_AddBoolToObject(config, "kill.auto_rearm", true));
        add_number(config, "kill.cooldown_s", cooldown);
        add_number(config, "kill.incidents", incidents);
    }
    if (percent(&random, 30)) {
        add_number(config, "kill.outage_s", random_between(&random, 60, 900));
    }
    if (percent(&random, 30)) {
        add_number(config, "kill.auth_s", random_between(&random, 5, 60));
    }
    if (percent(&random, 50)) { /* else a foreign trade ends the day */
        must(cJSON_AddBoolToObject(config, "kill.divergence", false));
    }
    int64_t rejects = random_between(&random, 4, 14); /* many hold a core that is rejected a lot */
    add_number(config, "kill.rejects", rejects);
}

static void replace_milli(cJSON *config, const char *key, int64_t thousandths) {
    cJSON_DeleteItemFromObjectCaseSensitive(config, key);
    add_milli(config, key, thousandths);
}

/* The walks of a synthetic market know nothing of each other: a low bound makes some of them move together. */
static void draw_cluster(struct random *random, cJSON *config, int64_t symbol, int64_t gross) {
    int64_t cluster = gross < 300 ? gross : 300;
    if (percent(random, 35)) {
        cluster = random_between(random, symbol, cluster);
    }
    if (percent(random, 30)) {
        add_milli(config, "risk.cluster_correlation", random_between(random, 50, 600));
    }
    add_milli(config, "risk.correlation_limit", cluster);
}

/* Limits of groups. A share of equity at its symbol's limit meets it whenever equity rose since the cycle
 * before; each limit is at most that of the larger group, as the configuration demands. */
static void draw_groups(struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "groups", 0);
    int64_t gross = draw->gross_milli == 0 ? 1000 : draw->gross_milli;
    int64_t symbol = 120;
    int64_t sector = gross < 300 ? gross : 300;
    if (percent(&random, 25)) {
        symbol = random_between(&random, 20, 90);
        replace_milli(config, "sizing.equity_share", symbol);
        replace_milli(config, "risk.symbol_limit", symbol);
    }
    if (percent(&random, 35)) {
        sector = random_between(&random, symbol, sector);
    }
    int64_t unknown = sector < 100 ? sector : 100;
    if (percent(&random, 25)) {
        unknown = random_between(&random, 10, unknown);
    }
    add_milli(config, "risk.sector_limit", sector);
    add_milli(config, "risk.sector_unknown", unknown);
    if (percent(&random, 30)) {
        add_number(config, "risk.theme_limit_usd", random_between(&random, 10000, 20000));
    }
    draw_cluster(&random, config, symbol, gross);
}

/* Entries far below the market that nobody cancels: the close ends them. */
static void draw_patience(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "patience", 0);
    if (percent(&random, 8)) {
        cJSON_DeleteItemFromObjectCaseSensitive(config, "orders.entry_patience_s");
        add_number(config, "orders.entry_patience_s", 86400);
        add_milli(config, "orders.entry_offset", random_between(&random, 2, 9));
        add_number(config, "session.no_entry_last_s", random_between(&random, 0, 60));
    }
}

/* Windows of messages that a few entries, or an exit and the stop that it releases, fill. */
static void draw_messages(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "messages", 0);
    if (percent(&random, 20)) {
        int64_t second = random_between(&random, 1, 3);
        add_number(config, "orders.messages_1s", second);
        if (percent(&random, 80)) {
            add_number(config, "orders.messages_60s", random_between(&random, second, 5));
        }
    }
}

/* So few trades that a session closes them, and pauses so short that it sees several. */
static void draw_performance(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "performance", 0);
    int64_t trades = random_between(&random, 2, 8);
    int64_t loss_milli = random_between(&random, 1, 5);
    int64_t pause = random_between(&random, 60, 2400);
    if (percent(&random, 30)) {
        cJSON_DeleteItemFromObjectCaseSensitive(config, "performance.trades");
        add_number(config, "performance.trades", trades);
        add_milli(config, "performance.loss_share", loss_milli);
        add_number(config, "performance.pause_s", pause);
    }
}

/* One clean day leads on, and a fall that a session brings takes it back: a smaller one than any other limit. */
static void draw_ramp(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "ramp", 0);
    int64_t fall = random_between(&random, 1, 14);
    char ratio[32];
    if (percent(&random, 20)) {
        snprintf(ratio, sizeof ratio, "0.%04lld", (long long)fall);
        add_number(config, "ramp.on", 1);
        add_number(config, "ramp.days_per_phase", 1);
        add_word(config, "ramp.drawdown", ratio);
        cJSON_DeleteItemFromObjectCaseSensitive(config, "orders.min_notional_usd");
    }
}

/* So few trades for a step that a session brings several, and a cap that a few of them reach. */
static void draw_learning(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "learning", 0);
    int64_t trades = random_between(&random, 2, 6);
    int64_t step = random_between(&random, 5, 50);
    int64_t cap = random_between(&random, step, 2 * step);
    if (percent(&random, 25)) {
        add_number(config, "learning.on", 1);
        add_number(config, "learning.trades", trades);
        add_number(config, "learning.step", step);
        add_number(config, "learning.day_cap", cap);
    }
}

/* One of the thresholds of what may be bought, where some of a market's symbols lie below it. */
static void draw_universe(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "universe", 0);
    int64_t kind = random_between(&random, 1, 100);
    char ratio[32];
    if (kind <= 5) {
        add_number(config, "universe.min_price_usd", random_between(&random, 20, 300));
    } else if (kind <= 10) {
        int64_t millions = random_between(&random, 10, percent(&random, 50) ? 300 : 5000);
        char usd[32];
        snprintf(usd, sizeof usd, "%lld000000", (long long)millions);
        add_word(config, "universe.min_dollar_volume_usd", usd);
    } else if (kind <= 15) {
        snprintf(ratio, sizeof ratio, "0.%07lld", (long long)random_between(&random, 2, 200));
        add_word(config, "universe.volume_share", ratio);
    } else if (kind <= 20) {
        snprintf(ratio, sizeof ratio, "0.%05lld", (long long)random_between(&random, 15, 120));
        add_word(config, "universe.max_spread", ratio);
    } else if (kind <= 25) {
        cJSON *restricted = must(cJSON_AddArrayToObject(config, "universe.restricted"));
        static const char *const symbols[] = {"SYM000", "SYM001", "AAPL", "SPY"};
        for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
            CHECK(cJSON_AddItemToArray(restricted, must(cJSON_CreateString(symbols[i]))));
        }
    }
}

/* An hour is most of a run: in most seeds the account's configuration is looked at more often, and in some the core finds
 * it as Alpaca opens it. */
static void draw_rails(struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "rails", 0);
    cJSON *account = cJSON_GetObjectItemCaseSensitive(draw->file, "account");
    if (percent(&random, 70)) {
        add_number(config, "rails.interval_s", random_between(&random, 60, 1200));
    }
    bool may_set = percent(&random, 40);
    if (may_set) {
        must(cJSON_AddBoolToObject(config, "rails.write", true));
    }
    if (may_set && percent(&random, 25)) {
        must(cJSON_AddBoolToObject(account, "no_shorting", false));
        add_number(account, "max_margin_multiplier", percent(&random, 50) ? 2 : 4);
    }
}

/* An hour is most of a run: in every third copies come more often, and few stay. */
static void draw_backups(struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "backups", 0);
    if (percent(&random, 33)) {
        add_number(config, "backup.interval_s", random_between(&random, 300, 1200));
        add_number(config, "backup.hourly_keep", random_between(&random, 2, 6));
        add_number(config, "backup.daily_keep", random_between(&random, 1, 2));
    }
}

/* A full book gives way soon, and often enough for its cooldown to be met. */
static void draw_displacement(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "displacement", 0);
    const cJSON *leaves = cJSON_GetObjectItemCaseSensitive(config, "exits.time_s");
    int64_t age = random_between(&random, 60, 600);
    int64_t lead = random_between(&random, 10, 100);
    int64_t cooldown = random_between(&random, 300, 7200);
    if (percent(&random, 25) && leaves != NULL && leaves->valuedouble > (double)age) {
        add_number(config, "displacement.on", 1);
        add_number(config, "displacement.min_age_s", age);
        add_milli(config, "displacement.lead", lead);
        add_milli(config, "displacement.band", 50);
        add_number(config, "displacement.cooldown_s", cooldown);
    }
}

/* Entries that are worked, with patience for one tick or for many. */
static void draw_maker(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "maker", 0);
    int64_t patience = random_between(&random, 10, 120);
    int64_t tries = random_between(&random, 1, 5);
    int64_t tolerance = random_between(&random, 1, 30);
    bool is_cross = percent(&random, 50);
    int64_t partial = random_between(&random, 1, 10);
    char ratio[32];
    if (percent(&random, 30)) {
        snprintf(ratio, sizeof ratio, "0.%04lld", (long long)tolerance);
        add_number(config, "execution.maker", 1);
        add_number(config, "execution.patience_s", patience);
        add_number(config, "execution.tries", tries);
        add_word(config, "execution.tolerance", ratio);
        add_number(config, "execution.cross", is_cross);
        add_number(config, "execution.partial_s", partial);
    }
}

/* Stops that rest as one leg of an OCO; these do not follow. */
static void draw_oco(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "oco", 0);
    int64_t above = random_between(&random, 5, 50);
    if (percent(&random, 15)) {
        cJSON_DeleteItemFromObjectCaseSensitive(config, "stops.follow");
        must(cJSON_AddBoolToObject(config, "stops.follow", false));
        must(cJSON_AddBoolToObject(config, "stops.oco", true));
        add_milli(config, "stops.oco_above", 10 * above);
    }
}

/* Where none is drilled a sabotaged latch is met by what it should have held. */
static void draw_drill(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "drill", 0);
    if (percent(&random, 40)) {
        add_number(config, "drill.on", 0);
    }
}

/* Budgets that what is held spends by itself. A data host fails often enough; the longest wait is drawn beside it. */
static void draw_poller(const struct draw *draw, cJSON *config) {
    struct random random = stream(draw, "poller", 0);
    int64_t cycle_s = cJSON_GetObjectItemCaseSensitive(config, "engine.cycle_s")->valueint;
    int64_t least = 6 * ((60 + cycle_s - 1) / cycle_s + 1);
    int64_t most = random_between(&random, 1, 16);
    int64_t minute = random_between(&random, least, least + 20);
    int64_t day = random_between(&random, 500, 8000);
    if (percent(&random, 20)) {
        add_number(config, "poller.most", most);
    }
    if (percent(&random, 20)) {
        add_number(config, "poller.minute", minute);
    }
    if (percent(&random, 10)) {
        add_number(config, "poller.day", day);
    }
}

static void draw_config(struct draw *draw) {
    struct random random = stream(draw, "positions", 0);
    int64_t positions = random_between(&random, 1, 4);
    cJSON *config = add_object(draw->file, "config");
    draw_trading(draw, config, positions);
    if (draw->mode != CHAOS_CALM) {
        draw_limits(draw, config, positions);
        draw_groups(draw, config);
        draw_patience(draw, config);
        draw_messages(draw, config);
        draw_performance(draw, config);
        draw_universe(draw, config);
        draw_kill(draw, config);
        draw_backups(draw, config);
        draw_drill(draw, config);
        draw_displacement(draw, config);
        draw_maker(draw, config);
        draw_oco(draw, config);
        draw_ramp(draw, config);
        draw_learning(draw, config);
        draw_rails(draw, config);
        draw_poller(draw, config);
    }
}

/* --- faults --- */

/* Seconds of the session inside which faults begin, and by which they are over. */
static int64_t faults_end(const struct draw *draw) {
    return draw->mode == CHAOS_HEAL ? 12600 : SESSION_S;
}

/* Lengths over three decades: most faults are short, some last an hour. */
static int64_t draw_length(struct random *random) {
    static const int64_t up_to[] = {10, 60, 300, 1200, 3600};
    return random_between(random, 1, up_to[random_below(random, sizeof up_to / sizeof up_to[0])]);
}

static const char *draw_target(struct random *random, const char *class) {
    static const char *const requests[] = {
        "",
        "",
        "POST /v2/orders",
        "POST /v2/orders",
        "DELETE",
        "PATCH",
        "GET /v2/orders",
        "GET /v2/positions",
        "GET /v2/account",
        "GET /v2/account/activities",
        "GET /v2/orders:by_client_order_id",
        "GET /v2/clock",
        "GET /v2/stocks/quotes/latest",
        "GET",
    };
    static const char *const effects[] = {
        "",      "POST /v2/orders",  "POST /v2/orders", "DELETE",         "PATCH",
        "write", "sync journal.db*", "rename",          "GET /v2/orders", "sync",
    };
    static const char *const files[] = {"", "journal.db*", "governor_freezes.json*",
                                        "position_metadata.json*"};
    static const char *const orders[] = {"", "", "buy", "sell", "sell stop*", "buy limit*"};
    if (strcmp(class, "order") == 0) {
        return orders[random_below(random, sizeof orders / sizeof orders[0])];
    }
    if (strcmp(class, "process") == 0) {
        return effects[random_below(random, sizeof effects / sizeof effects[0])];
    }
    if (strcmp(class, "disk") == 0) {
        return files[random_below(random, sizeof files / sizeof files[0])];
    }
    return requests[random_below(random, sizeof requests / sizeof requests[0])];
}

/* How a fault meets the run: at one call, now and then, or all through its window. */
static void draw_rate(struct random *random, cJSON *row, const char *class) {
    bool is_death = strcmp(class, "process") == 0;
    bool is_rare = is_death || strcmp(class, "order") == 0; /* never all through its long window */
    int64_t style = random_between(random, 1, is_death ? 60 : is_rare ? 80 : 100);
    if (style <= 40) {
        add_number(row, "nth", random_between(random, 1, 12));
    } else if (style <= 80) {
        add_milli(row, "probability",
                  is_death ? 1 + random_between(random, 0, 3) : random_between(random, 5, 400));
        add_number(row, "count", random_between(random, 1, is_death ? 3 : 40));
    }
}

/* Prices to a half or up to a tenth more, spreads to forty times; other factors stay the point's own. */
static void draw_factor(struct random *random, cJSON *params, enum fault_point point) {
    int64_t milli = random_between(random, 500, 1100);
    if (point == POINT_MARKET_WIDE_SPREAD) {
        add_milli(params, "factor", milli * 40);
    } else if (point == POINT_MARKET_FLASH_CRASH || point == POINT_MARKET_GAP) {
        add_milli(params, "factor", milli);
    }
}

/* Parameters that a point says it reads. */
static void draw_parameters(struct random *random, cJSON *row, enum fault_point point,
                            const char *class) {
    const char *reads = fault_point_parameters(point);
    cJSON *params = must(cJSON_CreateObject());
    const char *target = draw_target(random, class);
    int64_t delay_ms = random_between(random, 100, 30000);
    delay_ms *= strcmp(class, "process") == 0 ? 8 : 1; /* a stop matters beyond a lease's term */
    delay_ms /= strcmp(class, "view") == 0 ? 3 : 1;    /* a lag is of 10 s at most */
    int64_t flight = random_between(random, 0, 3);
    static const char *const flights[] = {"drawn", "lost", "delivered", "late"};
    if (strncmp(reads, "target", strlen("target")) == 0 && target[0] != '\0') {
        add_word(params, "target", target);
    }
    if (strstr(reads, "delay_s") != NULL) {
        add_milli(params, "delay_s", delay_ms);
    }
    if (strstr(reads, "factor") != NULL) {
        draw_factor(random, params, point);
    }
    if (strstr(reads, "offset_s") != NULL) {
        int64_t step = random_between(random, 1, percent(random, 70) ? 120 : 7200);
        add_number(params, "offset_s", percent(random, 50) ? step : -step);
    }
    if (strstr(reads, "bytes") != NULL && percent(random, 50)) {
        add_number(params, "bytes", random_between(random, 0, 4096));
    }
    if (strstr(reads, "status") != NULL) {
        add_number(params, "status", random_between(random, 500, 504));
    }
    if (strstr(reads, "flight") != NULL) {
        add_word(params, "flight", flights[flight]);
    }
    if (params->child == NULL) {
        cJSON_Delete(params);
    } else {
        CHECK(cJSON_AddItemToObject(row, "params", params));
    }
}

static void draw_fault(struct draw *draw, cJSON *faults, enum fault_point point, uint64_t ordinal) {
    const char *name = fault_point_name(point);
    const char *class = classes[swarm_class_of(name)];
    struct random random = stream(draw, name, ordinal);
    int day = (int)random_between(&random, 1, draw->days);
    int64_t end = faults_end(draw);
    int64_t from = random_between(&random, 60, end - 120);
    int64_t until = from + draw_length(&random);
    bool is_at_death = strcmp(name, "disk.old_version") == 0 || strcmp(name, "disk.torn") == 0;
    cJSON *row = must(cJSON_CreateObject());
    add_word(row, "point", name);
    add_time(row, "at", day, from);
    if (is_at_death || strcmp(class, "process") == 0 || strcmp(class, "order") == 0) {
        until = end; /* asked rarely: the window is the rest of the session */
    }
    add_time(row, "until", day, until < end ? until : end);
    if (!is_at_death) {
        draw_rate(&random, row, class);
    }
    draw_parameters(&random, row, point, class);
    CHECK(cJSON_AddItemToArray(faults, row));
}

/* About three of a class's points, one to three rows each. */
static void draw_class(struct draw *draw, cJSON *faults, size_t class) {
    int points = points_of_class(class);
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        enum fault_point point = (enum fault_point)i;
        if (swarm_class_of(fault_point_name(point)) != (int)class || is_drawn_apart(point)) {
            continue;
        }
        struct random random = stream(draw, fault_point_name(point), 1000);
        int64_t chance = points <= 3 ? 60 : 300 / points;
        if (!percent(&random, chance)) {
            continue;
        }
        int64_t rows = random_between(&random, 1, 3);
        for (int64_t row = 0; row < rows; row++) {
            draw_fault(draw, faults, point, (uint64_t)row);
        }
    }
}

static bool has_class(struct draw *draw, size_t class) {
    struct random random = stream(draw, "class", class);
    return draw->mode == CHAOS_STORM || percent(&random, 40);
}

/* The broker forgets what rests there: long enough that it is given up, and behind the last entry, for a
 * live buy that is denied for minutes is beyond what the core can know. Only in seeds without what could
 * leave a buy behind. */
static void draw_forgetting(struct draw *draw, cJSON *faults) {
    static const char *const in_the_way[] = {"http", "api", "view", "order", "process"};
    static const char *const rows[] = {
        "{\"point\":\"view.orders_empty\"}",
        "{\"point\":\"api.error_after\",\"params\":{\"target\":\"GET "
        "/v2/orders/*\",\"status\":404}}",
        "{\"point\":\"api.error_after\",\"params\":{\"target\":\"GET "
        "/v2/orders:by_client_order_id*\",\"status\":404}}"};
    struct random random = stream(draw, "forgetting", 0);
    cJSON *config = cJSON_GetObjectItemCaseSensitive(draw->file, "config");
    bool is_drawn = draw->mode == CHAOS_SWARM && percent(&random, 30) &&
                    cJSON_GetObjectItemCaseSensitive(config, "orders.entry_offset") == NULL;
    for (size_t i = 0; i < sizeof in_the_way / sizeof in_the_way[0]; i++) {
        is_drawn &= !has_class(draw, (size_t)swarm_class_of(in_the_way[i]));
    }
    int64_t from = SESSION_S - random_between(&random, 160, 180);
    if (!is_drawn) {
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(config, "orders.entry_patience_s");
    add_number(config, "orders.entry_patience_s", 30);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *row = must(cJSON_Parse(rows[i]));
        add_time(row, "at", 1, from);
        add_time(row, "until", 1, SESSION_S - 15);
        CHECK(cJSON_AddItemToArray(faults, row));
    }
}

/* The answer to the last entry is lost, and neither way to ask for it works until the close is over: by then
 * it has expired. */
static void draw_unknown_over_the_close(struct draw *draw, cJSON *faults) {
    static const char *const rows[] = {
        "{\"point\":\"http.answer_lost\",\"count\":1,\"params\":{\"target\":\"POST /v2/orders\"}}",
        "{\"point\":\"api.500\",\"params\":{\"target\":\"GET /v2/orders:by_client_order_id*\"}}",
        "{\"point\":\"view.orders_empty\"}"};
    struct random random = stream(draw, "over_the_close", 0);
    bool is_drawn = draw->mode == CHAOS_SWARM && percent(&random, 8) &&
                    !has_class(draw, (size_t)swarm_class_of("process"));
    int64_t from = SESSION_S - random_between(&random, 320, 900);
    for (size_t i = 0; is_drawn && i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *row = must(cJSON_Parse(rows[i]));
        add_time(row, "at", 1, from);
        add_time(row, "until", 1, SESSION_S + 60);
        CHECK(cJSON_AddItemToArray(faults, row));
    }
}

/* An account that may be short, and what leaves it so: somebody who sells ten shares of what is not held, or
 * the bust of a purchase whose shares are sold; and sometimes a sale of exactly all, which leaves nothing. */
static void draw_short(struct draw *draw, cJSON *faults) {
    struct random random = stream(draw, "short", 0);
    cJSON *account = cJSON_GetObjectItemCaseSensitive(draw->file, "account");
    bool is_drawn =
        draw->mode != CHAOS_CALM && draw->mode != CHAOS_DIRECTED && percent(&random, 12);
    int64_t from = random_between(&random, 600, faults_end(draw) - 900);
    int64_t kind = random_between(&random, 1, 100);
    if (!is_drawn) {
        return;
    }
    must(cJSON_AddBoolToObject(account, "shorting", kind <= 80));
    cJSON *row = must(cJSON_CreateObject());
    add_word(row, "point", kind <= 40 ? "order.bust" : "hand.sale");
    add_time(row, "at", draw->days, from);
    add_time(row, "until", draw->days, from + 600);
    add_number(row, "nth", random_between(&random, 1, kind <= 40 ? 3 : 40));
    if (kind <= 40) {
        add_word(add_object(row, "params"), "target", "buy*");
    }
    CHECK(cJSON_AddItemToArray(faults, row));
}

static void add_window(const struct draw *draw, cJSON *faults, const char *json, int day,
                       int64_t from, int64_t length) {
    cJSON *row = must(cJSON_Parse(json));
    int64_t until = from + length < faults_end(draw) ? from + length : faults_end(draw);
    add_time(row, "at", day, from);
    add_time(row, "until", day, until);
    CHECK(cJSON_AddItemToArray(faults, row));
}

/* A house that asks for all of what is held, a broker that blocks; and bounds that what this trader holds may reach. */
static void draw_margin(const struct draw *draw, cJSON *faults) {
    struct random random = stream(draw, "margin", 0);
    cJSON *config = cJSON_GetObjectItemCaseSensitive(draw->file, "config");
    int day = (int)random_between(&random, 1, draw->days);
    int64_t from = random_between(&random, 600, faults_end(draw) - 600);
    int64_t length = random_between(&random, 30, 5400);
    int64_t excess_milli = random_between(&random, 700, 940);
    int64_t night_milli = random_between(&random, 100, 250);
    int64_t kind = draw->mode == CHAOS_SWARM ? random_between(&random, 1, 100) : 100;
    if (kind <= 8) {
        add_milli(config, "margin.excess", excess_milli);
    } else if (kind <= 16) {
        add_milli(config, "margin.overnight", night_milli);
    } else if (kind <= 24) {
        add_milli(config, "margin.excess", excess_milli - 100);
        add_window(draw, faults, "{\"point\":\"asset.house_margin\"}", day, from, length);
    } else if (kind <= 30) {
        add_window(draw, faults, "{\"point\":\"view.blocked\"}", day, from, length);
    }
}

static void replace_number(cJSON *object, const char *key, int64_t value) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    add_number(object, key, value);
}

/* What befalls in a night befalls whoever is held over one. */
static void hold_over_night(struct draw *draw, int64_t patience_s) {
    draw->days = draw->days < 2 ? 2 : draw->days;
    replace_number(draw->file, "days", draw->days);
    cJSON *config = cJSON_GetObjectItemCaseSensitive(draw->file, "config");
    replace_number(config, "exits.time_s", patience_s);
}

/* What is held over a night is split in it, mostly by an announcement. */
static void draw_splits(struct draw *draw, cJSON *faults) {
    static const char *const factors[] = {"2", "3", "1.5", "10", "0.5", "0.2", "0.1"};
    struct random random = stream(draw, "splits", 0);
    bool is_drawn = percent(&random, 6);
    bool is_told = percent(&random, 80);
    const char *factor = factors[random_below(&random, sizeof factors / sizeof factors[0])];
    int64_t patience_s = random_between(&random, 30000, 100000);
    int64_t from = random_between(&random, 600, SESSION_S - 600);
    if (draw->mode != CHAOS_SWARM || !is_drawn) {
        return;
    }
    hold_over_night(draw, patience_s);
    cJSON *row = must(cJSON_CreateObject());
    add_word(row, "point",
             fault_point_name(is_told ? POINT_MARKET_SPLIT : POINT_MARKET_SPLIT_UNTOLD));
    add_time(row, "at", 1, from);
    add_time(row, "until", 1, from + 60);
    add_word(add_object(row, "params"), "factor", factor);
    CHECK(cJSON_AddItemToArray(faults, row));
}

/* What is held over a night gives shares of another in it, told about then, later, or by nobody. */
static void draw_spin_offs(struct draw *draw, cJSON *faults) {
    static const char *const factors[] = {"0.1", "0.25", "0.5", "1"};
    struct random random = stream(draw, "spin_offs", 0);
    bool is_drawn = percent(&random, 4);
    bool is_told = percent(&random, 80);
    const char *factor = factors[random_below(&random, sizeof factors / sizeof factors[0])];
    int64_t patience_s = random_between(&random, 30000, 100000);
    int64_t from = random_between(&random, 600, SESSION_S - 600);
    int64_t offset_s = percent(&random, 50) ? random_between(&random, -3600, 1200) : 0;
    int64_t nth = random_between(&random, 1, 3);
    if (draw->mode != CHAOS_SWARM || !is_drawn) {
        return;
    }
    hold_over_night(draw, patience_s);
    cJSON *row = must(cJSON_CreateObject());
    add_word(row, "point",
             fault_point_name(is_told ? POINT_MARKET_SPIN_OFF : POINT_MARKET_SPIN_OFF_UNTOLD));
    add_time(row, "at", 1, from);
    add_time(row, "until", 1, from + 60);
    add_number(row, "nth", nth);
    cJSON *params = add_object(row, "params");
    add_word(params, "factor", factor);
    if (is_told && offset_s != 0) {
        add_number(params, "offset_s", offset_s);
    }
    CHECK(cJSON_AddItemToArray(faults, row));
}

/* Cash that no trade moves. */
static void draw_cash(const struct draw *draw, cJSON *faults) {
    struct random random = stream(draw, "cash", 0);
    int64_t kind = draw->mode == CHAOS_SWARM ? random_between(&random, 1, 100) : 100;
    int day = (int)random_between(&random, 1, draw->days);
    int64_t from = random_between(&random, 600, faults_end(draw) - 600);
    int64_t per_share = random_between(&random, 100, 20000); /* thousandths of a dollar */
    int64_t fee = random_between(&random, 1000, 200000);
    if (kind > 16) {
        return;
    }
    cJSON *row = must(cJSON_CreateObject());
    add_word(row, "point", fault_point_name(kind <= 8 ? POINT_ASSET_DIVIDEND : POINT_ACCOUNT_FEE));
    add_time(row, "at", day, from);
    add_time(row, "until", day, from + 60);
    add_milli(add_object(row, "params"), "factor", kind <= 8 ? per_share : fee);
    CHECK(cJSON_AddItemToArray(faults, row));
}

static void raise_number(cJSON *config, const char *key, int64_t by, int64_t most) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, key);
    if (item != NULL) { /* else its default is wide enough */
        int64_t raised = item->valueint + by;
        replace_number(config, key, raised < most ? raised : most);
    }
}

/* Gaps of bars, which snapshots may fill, half of the time with what they told a while ago; and signals that outlive a
 * restart. Budgets that are drawn small have room for a fourth line. */
static void draw_signals(const struct draw *draw, cJSON *faults) {
    struct random random = stream(draw, "signals", 0);
    cJSON *config = cJSON_GetObjectItemCaseSensitive(draw->file, "config");
    int64_t cycle_s = cJSON_GetObjectItemCaseSensitive(config, "engine.cycle_s")->valueint;
    int64_t cycles = (60 + cycle_s - 1) / cycle_s;
    int64_t kind = draw->mode == CHAOS_SWARM ? random_between(&random, 1, 100) : 100;
    int day = (int)random_between(&random, 1, draw->days);
    int64_t fill = random_between(&random, 200, 2400);
    int64_t cache = random_between(&random, 5, 300);
    int64_t from = random_between(&random, 2400, faults_end(draw) - 600);
    int64_t length = random_between(&random, 200, 3600);
    bool is_stale = percent(&random, 50);
    if (kind <= 20) {
        add_number(config, "signals.fill_s", fill);
        raise_number(config, "poller.minute", 2 * (cycles + 1), 1000);
        raise_number(config, "broker.rate_core", cycles, RATE_CORE_MAX);
        add_window(draw, faults,
                   "{\"point\":\"api.502\",\"params\":{\"target\":\"GET /v2/stocks/bars\"}}", day,
                   from, length);
    }
    if (kind <= 20 && is_stale) {
        add_window(draw, faults,
                   "{\"point\":\"view.stale\",\"probability\":\"0.5\",\"params\":{\"target\":\"GET "
                   "/v2/stocks/snapshots\"}}",
                   day, from, length);
    }
    if (kind > 10 && kind <= 30) {
        add_number(config, "signals.cache_s", cache);
    }
}

/* A courier beside the core, on its disk and its network. */
static void draw_courier(struct draw *draw) {
    struct random random = stream(draw, "courier", 0);
    if (percent(&random, 25)) {
        must(cJSON_AddBoolToObject(draw->file, "courier", true));
    }
}

static void draw_faults(struct draw *draw) {
    must(cJSON_AddBoolToObject(draw->file, "faults_may_miss", true));
    cJSON *faults = must(cJSON_AddArrayToObject(draw->file, "faults"));
    bool is_none = draw->mode == CHAOS_CALM || draw->mode == CHAOS_DIRECTED;
    for (size_t class = 0; class < CLASS_COUNT && !is_none; class ++) {
        if (class != CLASS_OPERATOR && class != CLASS_HAND && has_class(draw, class)) {
            draw_class(draw, faults, class);
        }
    }
    draw_forgetting(draw, faults);
    draw_unknown_over_the_close(draw, faults);
    draw_short(draw, faults);
    draw_margin(draw, faults);
    draw_splits(draw, faults);
    draw_spin_offs(draw, faults);
    draw_cash(draw, faults);
    draw_signals(draw, faults);
}

/* --- people --- */

static void add_row(cJSON *rows, const char *json) {
    CHECK(cJSON_AddItemToArray(rows, must(cJSON_Parse(json))));
}

struct latch {
    const char *mechanism, *cause;
};

static const struct latch latches[] = {
    {"daily_loss", "daily_loss"},
    {"max_drawdown", "max_drawdown"},
    {"equity_floor", "equity_floor"},
    {"data_guard", "data_guard"},
    {"amnesia", "amnesia"},
    {"state_regression", "state_regression"},
    {"second_writer", "second_writer"},
    {"kill_switch", "kill_switch"},
    {"kill_switch", "kill_rejects"},
    {"kill_switch", "kill_divergence"},
    {"startup_contract", "wrong_account"},
    {"single_instance", "lease_lost"},
    {"atomic_state", "journal_down"},
    {"repeat_throttle", "repeat_throttle"},
    {"daily_volume", "daily_volume"},
    {"crash_loop_freeze", "crash_loop_freeze"},
    {"position_sign", "position_sign"},
};

static void add_answer(cJSON *rows, const char *mechanism, int64_t after_s, const char *deed) {
    char row[320];
    snprintf(row, sizeof row, "{\"on\":\"%s\",\"after\":\"%llds\",%s}", mechanism,
             (long long)after_s, deed);
    add_row(rows, row);
}

/* Somebody lifts a latch a while after it was set, else the rest of the run would be one long hold; and
 * now and then the process dies under it. */
static void draw_answers(struct draw *draw, cJSON *rows) {
    for (size_t i = 0; i < sizeof latches / sizeof latches[0]; i++) {
        struct random random = stream(draw, latches[i].cause, 0);
        bool is_lifted = percent(&random, 50);
        int64_t lifted_after = random_between(&random, 5, 3600);
        int64_t dead_after = random_between(&random, 5, 900);
        if (is_lifted) {
            char deed[192];
            snprintf(deed, sizeof deed,
                     "\"command\":\"resume\",\"cause\":\"%s\",\"by\":\"sweep\","
                     "\"why\":\"the cause is known\"",
                     latches[i].cause);
            add_answer(rows, latches[i].mechanism, lifted_after, deed);
        }
        if (percent(&random, 8)) {
            add_answer(rows, latches[i].mechanism, dead_after, "\"command\":\"kill -9\"");
        }
    }
}

/* What a row does, and what undoes it a while later ("" for nothing to undo). */
struct deed {
    const char *row, *undo;
};

static const struct deed deeds[] = {
    {"{\"command\":\"freeze\",\"cause\":\"operator\"}",
     "{\"command\":\"resume\",\"cause\":\"operator\"}"},
    {"{\"command\":\"freeze\",\"cause\":\"operator\",\"halt\":true}",
     "{\"command\":\"resume\",\"cause\":\"operator\"}"},
    {"{\"command\":\"kill\"}", "{\"command\":\"resume\",\"cause\":\"kill_switch\"}"},
    {"{\"command\":\"flatten\"}", ""},
    {"{\"command\":\"kill -9\"}", ""},
    {"{\"command\":\"kill -9\",\"stay_down\":true}", "{\"command\":\"restart\"}"},
    {"{\"command\":\"sigterm\"}", "{\"command\":\"restart\"}"},
    {"{\"command\":\"deposit\",\"amount\":\"5000\"}", ""},
    {"{\"command\":\"withdraw\",\"amount\":\"5000\"}", ""},
    {"{\"command\":\"edit_document\",\"document\":\"governor_freezes.json\",\"remove\":true}", ""},
    {"{\"command\":\"edit_document\",\"document\":\"governor_freezes.json\",\"keep_bytes\":40}",
     ""},
    {"{\"command\":\"edit_document\",\"document\":\"governor_freezes.json\",\"text\":\"{}\"}", ""},
    {"{\"command\":\"edit_document\",\"document\":\"position_metadata.json\",\"remove\":true}", ""},
    {"{\"command\":\"edit_document\",\"document\":\"position_metadata.json\",\"keep_bytes\":25}",
     ""},
    {"{\"command\":\"reload\",\"content\":{\"risk.symbol_cooldown_s\":900}}",
     "{\"command\":\"reload\"}"},
    {"{\"command\":\"reload\",\"content\":{\"risk.max_positions\":-1}}", ""},
    {"{\"command\":\"reload\",\"text\":\"{not json\"}", ""},
    {"{\"command\":\"reload\",\"wrong_key\":true}", ""},
    {"{\"command\":\"rotate_key\"}", "{\"command\":\"reload\"}"},
    {"{\"command\":\"foreign_order\"}", "{\"command\":\"resume\",\"cause\":\"second_writer\"}"},
};

static void add_deed(cJSON *rows, const char *json, int day, int64_t at) {
    cJSON *row = must(cJSON_Parse(json));
    add_time(row, "at", day, at);
    CHECK(cJSON_AddItemToArray(rows, row));
}

static void draw_deed(struct draw *draw, cJSON *rows, uint64_t ordinal) {
    struct random random = stream(draw, "deed", ordinal);
    const struct deed *deed = &deeds[random_below(&random, sizeof deeds / sizeof deeds[0])];
    int day = (int)random_between(&random, 1, draw->days);
    int64_t end = faults_end(draw);
    int64_t at = random_between(&random, 300, end - 900);
    int64_t undone_at = at + random_between(&random, 5, 800);
    add_deed(rows, deed->row, day, at);
    if (deed->undo[0] != '\0') {
        add_deed(rows, deed->undo, day, undone_at);
    }
}

static void draw_operators(struct draw *draw) {
    cJSON *rows = must(cJSON_AddArrayToObject(draw->file, "operator"));
    struct random random = stream(draw, "deeds", 0);
    int64_t count = random_between(&random, 1, 3);
    if (draw->mode == CHAOS_CALM) {
        return;
    }
    draw_answers(draw, rows);
    if (has_class(draw, CLASS_OPERATOR)) {
        for (int64_t i = 0; i < count; i++) {
            draw_deed(draw, rows, (uint64_t)i);
        }
    }
}

/* --- directed --- */

struct recipe { /* members laid over what was drawn */
    const char *mechanism, *config;
    /* Rows with "in" and "until_in", seconds after an instant that the seed draws. */
    const char *faults, *operators;
};

/* Something is held at all times: entries are easily made, and left alone. */
#define HOLDS                                                                                      \
    "\"strategy.threshold\":\"0.02\",\"risk.symbol_cooldown_s\":0,\"exits.time_s\":5400,"          \
    "\"exits.trailing\":\"0.015\",\"exits.target_1\":\"0.012\",\"risk.open_risk_factor\":\"0\","
/* A seventh of what is held is gone, for half an hour: no stop fills near its price. */
#define PRICES_FALL                                                                                \
    "[{\"point\":\"market.gap\",\"in\":0,\"until_in\":1800,\"params\":{\"factor\":\"0.86\"}}]"
/* Over before the next begins: of rows that overlap the first is asked for each. */
#define LEASE_OF_ANOTHER(in, until)                                                                \
    "{\"point\":\"disk.wrong_number\",\"in\":" in ",\"until_in\":" until                           \
    ",\"params\":{\"target\":\"lease.json\",\"forge\":true}}"
#define LIFT(mechanism, cause, after)                                                              \
    "{\"on\":\"" mechanism "\",\"after\":\"" after "\",\"command\":\"resume\",\"cause\":\"" cause  \
    "\",\"by\":\"sweep\"}"

static const struct recipe recipes[] = {
    {"daily_loss", "{" HOLDS "\"risk.daily_loss_usd\":\"40\"}", PRICES_FALL, "[]"},
    {"max_drawdown",
     "{" HOLDS "\"risk.max_drawdown\":\"0.0015\",\"risk.daily_loss_share\":\"0.0014\","
     "\"sizing.risk_budget\":\"0.0013\",\"risk.max_positions\":1}",
     PRICES_FALL, "[" LIFT("daily_loss", "daily_loss", "60s") "]"},
    {"equity_floor", "{" HOLDS "\"risk.equity_floor_usd\":\"99900\"}", PRICES_FALL, "[]"},
    /* the journal is that of before the freeze, the documents are not */
    {"state_regression", "{}",
     "[{\"point\":\"disk.old_version\",\"in\":0,\"params\":{\"target\":\"journal.db*\"}}]",
     "[{\"command\":\"freeze\",\"cause\":\"review\",\"in\":1500},{\"command\":\"kill "
     "-9\",\"in\":3600},"
     "{\"command\":\"resume\",\"cause\":\"review\",\"in\":4200}]"},
    /* another holder for all we know */
    {"single_instance", "{}",
     "[" LEASE_OF_ANOTHER("0", "100") "," LEASE_OF_ANOTHER("200", "300") "," LEASE_OF_ANOTHER(
         "400", "500") "]",
     "[{\"command\":\"kill -9\",\"in\":600}," LIFT("single_instance", "lease_lost", "900s") "]"},
    /* the journal is gone, the broker's orders are not */
    {"amnesia", "{}", "[]",
     "[{\"command\":\"kill -9\",\"stay_down\":true,\"in\":0},"
     "{\"command\":\"edit_document\",\"document\":\"journal.db\",\"remove\":true,\"in\":2},"
     "{\"command\":\"edit_document\",\"document\":\"journal.db-wal\",\"remove\":true,\"in\":2},"
     "{\"command\":\"restart\",\"in\":10}," LIFT("amnesia", "amnesia", "900s") "]"},
    /* stops that the broker cancels are sent again */
    {"repeat_throttle", "{" HOLDS "\"orders.repeats\":3,\"orders.repeat_window_s\":600}",
     "[{\"point\":\"order.cancel_unasked\",\"in\":0,\"until_in\":3600,"
     "\"params\":{\"target\":\"sell stop*\"}}]",
     "[" LIFT("repeat_throttle", "repeat_throttle", "1200s") "]"},
    /* five deaths, each after it has come back, and one more under the latch */
    {"crash_loop_freeze", "{" HOLDS "\"engine.crash_window_s\":900}", "[]",
     "[{\"command\":\"kill -9\",\"in\":0},{\"command\":\"kill -9\",\"in\":90},"
     "{\"command\":\"kill -9\",\"in\":180},{\"command\":\"kill -9\",\"in\":270},"
     "{\"command\":\"kill -9\",\"in\":360},{\"command\":\"kill -9\",\"in\":700}," LIFT(
         "crash_loop_freeze", "crash_loop_freeze", "1200s") "]"},
    /* a machine whose wall is wrong for half an hour; the core dies meanwhile */
    {"clock_guard", "{" HOLDS "\"clock.step_s\":1}",
     "[{\"point\":\"clock.step\",\"in\":0,\"until_in\":1800,\"params\":{\"offset_s\":3}}]",
     "[{\"command\":\"kill -9\",\"in\":900}]"},
    {"second_writer", "{}", "[]",
     "[{\"command\":\"foreign_order\",\"in\":0}," LIFT("second_writer", "second_writer",
                                                       "600s") "]"},
    /* nothing is taken by the exchange, and cancels do not end, for two minutes */
    {"stuck_orders", "{" HOLDS "\"orders.entry_patience_s\":300}",
     "[{\"point\":\"order.stuck_pending\",\"in\":0,\"until_in\":3600,"
     "\"params\":{\"delay_s\":120}},"
     "{\"point\":\"order.cancel_stuck\",\"in\":3600,\"until_in\":5400,"
     "\"params\":{\"delay_s\":120}}]",
     "[]"},
};

size_t swarm_directed_count(void) {
    return sizeof recipes / sizeof recipes[0];
}

const char *swarm_directed(size_t index) {
    CHECK(index < swarm_directed_count());
    return recipes[index].mechanism;
}

static void lay_members(cJSON *under, const char *json) {
    cJSON *over = must(cJSON_Parse(json));
    while (over->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(over, over->child);
        cJSON_DeleteItemFromObjectCaseSensitive(under, item->string);
        CHECK(cJSON_AddItemToObject(under, item->string, item));
    }
    cJSON_Delete(over);
}

/* "in" and "until_in" become times. */
static void time_row(cJSON *row, int day, int64_t base) {
    static const char *const members[][2] = {{"in", "at"}, {"until_in", "until"}};
    for (size_t i = 0; i < 2; i++) {
        const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(row, members[i][0]);
        if (seconds != NULL) {
            int64_t at = base + (int64_t)seconds->valuedouble;
            cJSON_DeleteItemFromObjectCaseSensitive(row, members[i][0]);
            add_time(row, members[i][1], day, at);
        }
    }
}

static void lay_rows(cJSON *under, const char *json, int day, int64_t base) {
    cJSON *over = must(cJSON_Parse(json));
    while (over->child != NULL) {
        cJSON *row = cJSON_DetachItemViaPointer(over, over->child);
        time_row(row, day, base);
        CHECK(cJSON_AddItemToArray(under, row));
    }
    cJSON_Delete(over);
}

static void lay_recipe(struct draw *draw, const struct recipe *recipe, struct random *random) {
    int day = (int)random_between(random, 1, draw->days);
    int64_t base = random_between(random, 3600, SESSION_S - 9000);
    lay_members(cJSON_GetObjectItemCaseSensitive(draw->file, "config"), recipe->config);
    lay_rows(cJSON_GetObjectItemCaseSensitive(draw->file, "faults"), recipe->faults, day, base);
    lay_rows(cJSON_GetObjectItemCaseSensitive(draw->file, "operator"), recipe->operators, day,
             base);
}

/* Directed: the seed's recipe. Swarm: now and then one of them, for what chance alone rarely brings. */
static void draw_recipe(struct draw *draw) {
    struct random random = stream(draw, "recipe", 0);
    size_t index = (size_t)random_below(&random, swarm_directed_count());
    if (draw->mode == CHAOS_DIRECTED) {
        lay_recipe(draw, &recipes[draw->seed % swarm_directed_count()], &random);
    } else if (draw->mode == CHAOS_SWARM && percent(&random, INCIDENT_PERCENT)) {
        lay_recipe(draw, &recipes[index], &random);
    }
}

void swarm_draw(enum chaos_mode mode, uint64_t seed, int days, struct text *out) {
    struct draw draw = {
        .seed = seed, .mode = mode, .days = days, .file = must(cJSON_CreateObject())};
    char words[96];
    snprintf(words, sizeof words, "%s_%llu", mode_words[mode], (unsigned long long)seed);
    add_word(draw.file, "id", words);
    snprintf(words, sizeof words, "Drawn: %s, seed %llu", mode_words[mode],
             (unsigned long long)seed);
    add_word(draw.file, "title", words);
    snprintf(words, sizeof words, "seatrial chaos --mode %s --seeds %llu --days %d --print",
             mode_words[mode], (unsigned long long)seed, days);
    add_word(draw.file, "source", words);
    add_number(draw.file, "seed", (int64_t)seed);
    draw_market(&draw);
    draw_config(&draw);
    draw_courier(&draw);
    draw_faults(&draw);
    draw_operators(&draw);
    draw_recipe(&draw);
    char *printed = cJSON_Print(draw.file);
    CHECK(printed != NULL);
    text_add(out, printed);
    text_add_char(out, '\n');
    cJSON_free(printed);
    cJSON_Delete(draw.file);
}
