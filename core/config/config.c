/* config.c - reading, checking, explaining and hashing the table of config.def. */
#include "core/config/config.h"

#include "core/base/hash.h"

enum setting_kind { SETTING_USD, SETTING_RATIO, SETTING_INT, SETTING_SPAN_S, SETTING_BOOL };

struct setting {
    const char *key;
    enum setting_kind kind;
    size_t offset;
    const char *fallback, *lowest, *highest;
    const char *safer; /* "DOWN", "UP", "NONE" */
    const char *meaning;
};

#define SETTING(field_, key_, kind_, fallback_, lowest_, highest_, safer_, meaning_)               \
    {.key = key_,                                                                                  \
     .kind = kind_,                                                                                \
     .offset = offsetof(struct config, field_),                                                    \
     .fallback = fallback_,                                                                        \
     .lowest = lowest_,                                                                            \
     .highest = highest_,                                                                          \
     .safer = #safer_,                                                                             \
     .meaning = meaning_},
#define CONFIG_USD(field, key, ...) SETTING(field, key, SETTING_USD, __VA_ARGS__)
#define CONFIG_RATIO(field, key, ...) SETTING(field, key, SETTING_RATIO, __VA_ARGS__)
#define CONFIG_INT(field, key, ...) SETTING(field, key, SETTING_INT, __VA_ARGS__)
#define CONFIG_SPAN_S(field, key, ...) SETTING(field, key, SETTING_SPAN_S, __VA_ARGS__)
#define CONFIG_BOOL(field, key, ...) SETTING(field, key, SETTING_BOOL, __VA_ARGS__)
static const struct setting settings[] = {
#include "core/config/config.def"
};
#undef CONFIG_USD
#undef CONFIG_RATIO
#undef CONFIG_INT
#undef CONFIG_SPAN_S
#undef CONFIG_BOOL

#define SETTING_COUNT (sizeof settings / sizeof settings[0])
#define KEY_UNIVERSE "universe"
#define KEY_FEED "data.feed"
#define KEY_GROUPS "risk.groups_file"
#define KEY_RESTRICTED "universe.restricted"

static const char *const units[] = {[SETTING_USD] = "usd",
                                    [SETTING_RATIO] = "share",
                                    [SETTING_INT] = "count",
                                    [SETTING_SPAN_S] = "s",
                                    [SETTING_BOOL] = "0 or 1"};

/* Every kind is compared as nanos of its unit (usd, 1, count, seconds). */
static int64_t setting_nanos(const struct config *config, const struct setting *setting) {
    const char *at = (const char *)config + setting->offset;
    int64_t value = 0;
    switch (setting->kind) {
    case SETTING_USD:
    case SETTING_RATIO:
    case SETTING_SPAN_S: /* nanoseconds: nanos of a second */
        memcpy(&value, at, sizeof value);
        return value;
    case SETTING_INT:
        memcpy(&value, at, sizeof value);
        return value * NANOS;
    case SETTING_BOOL:
        return *(const bool *)at ? NANOS : 0;
    }
    return 0;
}

static void setting_put(struct config *config, const struct setting *setting, int64_t nanos) {
    char *at = (char *)config + setting->offset;
    if (setting->kind == SETTING_BOOL) {
        *(bool *)at = nanos != 0;
        return;
    }
    int64_t value = setting->kind == SETTING_INT ? nanos / NANOS : nanos;
    memcpy(at, &value, sizeof value);
}

/* A decimal of the table itself. */
static int64_t table_nanos(const char *text) {
    int64_t nanos = 0;
    if (decimal_parse(text, &nanos, NULL) != ERR_OK) {
        return 0; /* a test reads every row */
    }
    return nanos;
}

struct config config_defaults(void) {
    struct config config = {.feed = "sip", .groups = groups_shipped()};
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        setting_put(&config, &settings[i], table_nanos(settings[i].fallback));
    }
    return config;
}

static size_t at_most(size_t a, size_t b) {
    return a < b ? a : b;
}

#define KEY_LENGTH_MAX 48

/* Levenshtein's distance of two keys, the longer cut at KEY_LENGTH_MAX. */
static size_t key_distance(const char *a, const char *b) {
    size_t row[KEY_LENGTH_MAX + 1];
    size_t na = strnlen(a, KEY_LENGTH_MAX);
    size_t nb = strnlen(b, KEY_LENGTH_MAX);
    for (size_t j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = at_most(change, at_most(row[j], row[j - 1]) + 1);
        }
    }
    return row[nb];
}

static const char *nearest_key(const char *key) {
    const char *best = KEY_UNIVERSE;
    size_t best_distance = key_distance(key, best);
    for (size_t i = 0; i <= SETTING_COUNT + 1; i++) {
        const char *candidate = i < SETTING_COUNT    ? settings[i].key
                                : i == SETTING_COUNT ? KEY_FEED
                                                     : KEY_GROUPS;
        size_t distance = key_distance(key, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

static const struct setting *find_setting(const char *key) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].key, key) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

/* The member as nanos: a decimal string or number; true and false count as 1 and 0 for a CONFIG_BOOL. */
static bool read_member(const struct setting *setting, const cJSON *member, int64_t *nanos,
                        struct text *faults) {
    struct err err = {0};
    if (setting->kind == SETTING_BOOL && cJSON_IsBool(member)) {
        *nanos = cJSON_IsTrue(member) ? NANOS : 0;
        return true;
    }
    enum err_code code = ERR_OK;
    if (cJSON_IsNumber(member)) {
        code = decimal_from_double(member->valuedouble, nanos, &err);
    } else if (cJSON_IsString(member)) {
        code = decimal_parse(member->valuestring, nanos, &err);
    } else {
        code = err_set(&err, ERR_PARSE, "not a number or a decimal in a string");
    }
    if (code != ERR_OK) {
        text_add_format(faults, "%s: %s; write a value from %s to %s\n", setting->key, err.text,
                        setting->lowest, setting->highest);
        return false;
    }
    bool is_whole = setting->kind != SETTING_USD && setting->kind != SETTING_RATIO;
    if (is_whole && *nanos % NANOS != 0) {
        text_add_format(faults, "%s: ", setting->key);
        text_add_decimal(faults, *nanos);
        text_add_format(faults, " is not whole; write a whole number from %s to %s\n",
                        setting->lowest, setting->highest);
        return false;
    }
    return true;
}

static void apply_setting(struct config *config, const struct setting *setting, const cJSON *member,
                          struct text *faults) {
    int64_t nanos = 0;
    if (!read_member(setting, member, &nanos, faults)) {
        return;
    }
    bool is_low = nanos < table_nanos(setting->lowest);
    if (is_low || nanos > table_nanos(setting->highest)) {
        text_add_format(faults, "%s: ", setting->key);
        text_add_decimal(faults, nanos);
        text_add_format(faults, " is %s %s; write a value from %s to %s\n",
                        is_low ? "below" : "above", is_low ? setting->lowest : setting->highest,
                        setting->lowest, setting->highest);
        return;
    }
    setting_put(config, setting, nanos);
}

static bool is_symbol(const char *symbol) {
    size_t n = strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");
    return n >= 1 && n < CONFIG_SYMBOL_MAX && symbol[n] == '\0';
}

struct symbol_list { /* a setting that lists symbols */
    const char *key;
    char (*items)[CONFIG_SYMBOL_MAX]; /* CONFIG_SYMBOLS_MAX of them */
    size_t *count;
};

static bool has_symbol(const struct symbol_list *list, const char *symbol) {
    for (size_t i = 0; i < *list->count; i++) {
        if (strcmp(list->items[i], symbol) == 0) {
            return true;
        }
    }
    return false;
}

static void apply_symbol(const struct symbol_list *list, const cJSON *item, struct text *faults) {
    const char *symbol = cJSON_IsString(item) ? item->valuestring : "";
    if (!is_symbol(symbol)) {
        text_add_format(faults, "%s: '%.40s' is not a symbol; write 1 to %d of A-Z, 0-9, '.'\n",
                        list->key, symbol, CONFIG_SYMBOL_MAX - 1);
    } else if (has_symbol(list, symbol)) {
        text_add_format(faults, "%s: '%s' is there twice; remove one\n", list->key, symbol);
    } else if (*list->count == CONFIG_SYMBOLS_MAX) {
        text_add_format(faults, "%s: '%s' is one too many; at most %d symbols\n", list->key, symbol,
                        CONFIG_SYMBOLS_MAX);
    } else {
        strcpy(list->items[(*list->count)++], symbol);
    }
}

/* A later list replaces an earlier one as a whole. */
static void apply_symbols(const struct symbol_list *list, const cJSON *member,
                          struct text *faults) {
    if (!cJSON_IsArray(member)) {
        text_add_format(faults, "%s: not an array; write [\"AAPL\", \"MSFT\"]\n", list->key);
        return;
    }
    memset(list->items, 0, CONFIG_SYMBOLS_MAX * sizeof list->items[0]);
    *list->count = 0;
    for (const cJSON *item = member->child; item != NULL; item = item->next) {
        apply_symbol(list, item, faults);
    }
}

static bool is_feed(const char *feed) {
    return strcmp(feed, "sip") == 0 || strcmp(feed, "iex") == 0;
}

static void apply_feed(struct config *config, const cJSON *member, struct text *faults) {
    const char *feed = cJSON_IsString(member) ? member->valuestring : "";
    if (!is_feed(feed)) {
        text_add_format(faults, "data.feed: '%.20s' is no feed; write \"sip\" or \"iex\"\n", feed);
        return;
    }
    strcpy(config->feed, feed);
}

static void apply_groups_file(struct config *config, const cJSON *member, struct text *faults) {
    if (!cJSON_IsString(member) || text_copy(config->groups_file, sizeof config->groups_file,
                                             member->valuestring, NULL) != ERR_OK) {
        text_add_format(faults,
                        "risk.groups_file: not a path; write one of at most %d bytes, or \"\"\n",
                        GROUPS_PATH_MAX - 1);
    }
}

/* A key that stands twice: which of the two was meant nobody knows. */
static bool is_repeated(const cJSON *object, const cJSON *member) {
    for (const cJSON *other = object->child; other != member; other = other->next) {
        if (strcmp(other->string, member->string) == 0) {
            return true;
        }
    }
    return false;
}

static void apply_member(struct config *config, const cJSON *object, const cJSON *member,
                         struct text *faults) {
    const struct setting *setting = find_setting(member->string);
    if (is_repeated(object, member)) {
        text_add_format(faults, "%.60s: is there twice; remove one\n", member->string);
    } else if (strcmp(member->string, KEY_UNIVERSE) == 0) {
        apply_symbols(&(struct symbol_list){KEY_UNIVERSE, config->symbols, &config->symbol_count},
                      member, faults);
    } else if (strcmp(member->string, KEY_RESTRICTED) == 0) {
        apply_symbols(
            &(struct symbol_list){KEY_RESTRICTED, config->restricted, &config->restricted_count},
            member, faults);
    } else if (strcmp(member->string, KEY_FEED) == 0) {
        apply_feed(config, member, faults);
    } else if (strcmp(member->string, KEY_GROUPS) == 0) {
        apply_groups_file(config, member, faults);
    } else if (setting != NULL) {
        apply_setting(config, setting, member, faults);
    } else if (cJSON_IsObject(member)) {
        text_add_format(faults, "%.60s: settings are not nested: write \"%.60s.%.60s\": ...\n",
                        member->string, member->string,
                        member->child != NULL ? member->child->string : "name");
    } else {
        text_add_format(faults, "%.60s: no such setting; did you mean %s?\n", member->string,
                        nearest_key(member->string));
    }
}

static size_t count_lines(const struct text *text, size_t from) {
    size_t lines = 0;
    for (size_t i = from; i < text->len; i++) {
        lines += text->data[i] == '\n';
    }
    return lines;
}

/* ERR_CONFIG with the number of faults and the first of them, if any were added behind `from`. */
static enum err_code report(const struct text *faults, size_t from, struct err *err) {
    if (faults->len == from && !faults->is_cut) {
        return ERR_OK;
    }
    const char *first = text_get(faults) + at_most(from, faults->len);
    return err_set(err, ERR_CONFIG, "%zu faults in the configuration, the first: %.*s",
                   count_lines(faults, from), (int)strcspn(first, "\n"), first);
}

enum err_code config_apply(struct config *config, const cJSON *object, struct text *faults,
                           struct err *err) {
    struct config copy = *config;
    size_t from = faults->len;
    if (!cJSON_IsObject(object)) {
        text_add(faults, "the configuration is not a JSON object\n");
    } else {
        for (const cJSON *member = object->child; member != NULL; member = member->next) {
            apply_member(&copy, object, member, faults);
        }
    }
    enum err_code code = report(faults, from, err);
    if (code == ERR_OK) {
        *config = copy;
    }
    return code;
}

/* One cross-check: when it does not hold, a line with both keys, both values and the remedy. */
static void require(bool holds, const char *key, int64_t value, const char *relation,
                    const char *other_key, int64_t other, const char *remedy, struct text *faults) {
    if (holds) {
        return;
    }
    text_add_format(faults, "%s: ", key);
    text_add_decimal(faults, value);
    text_add_format(faults, " is %s %s (", relation, other_key);
    text_add_decimal(faults, other);
    text_add_format(faults, "); %s\n", remedy);
}

static void check_universe(const struct config *config, struct text *faults) {
    if (config->symbol_count < 1 || config->symbol_count > CONFIG_SYMBOLS_MAX) {
        text_add_format(faults, "universe: %zu symbols; write 1 to %d\n", config->symbol_count,
                        CONFIG_SYMBOLS_MAX);
    }
    if (!is_feed(config->feed)) {
        text_add_format(faults, "data.feed: '%.7s' is no feed; write \"sip\" or \"iex\"\n",
                        config->feed);
    }
}

/* A table that was named and not read: its limits would add up something else. */
static void check_groups(const struct config *config, struct text *faults) {
    if (strcmp(config->groups_file, config->groups.path) != 0) {
        text_add_format(
            faults,
            "risk.groups_file: '%.60s' was not read; name it in a configuration file of "
            "the command line\n",
            config->groups_file);
    }
}

static void check_ranges(const struct config *config, struct text *faults) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        int64_t nanos = setting_nanos(config, &settings[i]);
        bool is_low = nanos < table_nanos(settings[i].lowest);
        bool is_high = nanos > table_nanos(settings[i].highest);
        require(!is_low, settings[i].key, nanos, "below", "the lowest",
                table_nanos(settings[i].lowest), "raise it", faults);
        require(!is_high, settings[i].key, nanos, "above", "the highest",
                table_nanos(settings[i].highest), "lower it", faults);
    }
}

/* The stop of a group is an order of its own at the broker, which nothing here re-prices. */
static void check_stops(const struct config *c, struct text *faults) {
    require(!c->stops_oco || !c->stops_follow, "stops.oco", c->stops_oco ? NANOS : 0, "on beside",
            "stops.follow", c->stops_follow ? NANOS : 0,
            "write \"stops.follow\": false: the stop of an OCO is not raised", faults);
}

static void check_amounts(const struct config *c, struct text *faults) {
    require(c->order_cap_usd.nanos >= c->base_usd.nanos, "orders.cap_usd", c->order_cap_usd.nanos,
            "below", "sizing.base_usd", c->base_usd.nanos,
            "raise the cap or lower the base: the cap would cut every entry", faults);
    require(c->min_notional_usd.nanos <= c->base_usd.nanos, "orders.min_notional_usd",
            c->min_notional_usd.nanos, "above", "sizing.base_usd", c->base_usd.nanos,
            "lower it: no entry could ever be large enough", faults);
}

/* One entry within its symbol's limit, that within its sector's, that within the limit of all. An amount
 * in USD is compared with amounts alone: what share of equity it is no file knows. */
static void check_exposure(const struct config *c, struct text *faults) {
    require(c->equity_share.nanos <= c->symbol_limit.nanos, "sizing.equity_share",
            c->equity_share.nanos, "above", "risk.symbol_limit", c->symbol_limit.nanos,
            "lower it: one entry would exceed the limit of its symbol", faults);
    require(c->symbol_limit.nanos <= c->sector_limit.nanos, "risk.symbol_limit",
            c->symbol_limit.nanos, "above", "risk.sector_limit", c->sector_limit.nanos,
            "lower it: one symbol would exceed the limit of its sector", faults);
    require(c->sector_unknown.nanos <= c->sector_limit.nanos, "risk.sector_unknown",
            c->sector_unknown.nanos, "above", "risk.sector_limit", c->sector_limit.nanos,
            "lower it: what is unknown gets no more than what is known", faults);
    require(c->sector_limit.nanos <= c->gross_exposure.nanos, "risk.sector_limit",
            c->sector_limit.nanos, "above", "risk.gross_exposure", c->gross_exposure.nanos,
            "lower it: one sector would exceed the exposure of all", faults);
    require(c->symbol_limit.nanos <= c->correlation_limit.nanos, "risk.symbol_limit",
            c->symbol_limit.nanos, "above", "risk.correlation_limit", c->correlation_limit.nanos,
            "lower it: one symbol would exceed the limit of what moves with it", faults);
    require(c->correlation_limit.nanos <= c->gross_exposure.nanos, "risk.correlation_limit",
            c->correlation_limit.nanos, "above", "risk.gross_exposure", c->gross_exposure.nanos,
            "lower it: what moves together would exceed the exposure of all", faults);
    require(c->order_cap_usd.nanos <= c->theme_limit_usd.nanos, "orders.cap_usd",
            c->order_cap_usd.nanos, "above", "risk.theme_limit_usd", c->theme_limit_usd.nanos,
            "lower it: one order would exceed the limit of its theme", faults);
}

static void check_losses(const struct config *c, struct text *faults) {
    require(c->daily_loss_share.nanos < c->max_drawdown.nanos, "risk.daily_loss_share",
            c->daily_loss_share.nanos, "not below", "risk.max_drawdown", c->max_drawdown.nanos,
            "lower it: one day would use up the whole drawdown", faults);
    /* Both below 1e11 nanos x 64: no overflow. */
    int64_t all_stops = c->max_positions * c->risk_budget.nanos;
    require(all_stops <= c->daily_loss_share.nanos, "risk.max_positions x sizing.risk_budget",
            all_stops, "above", "risk.daily_loss_share", c->daily_loss_share.nanos,
            "lower either: all stops of one day would break the daily loss", faults);
    require(!c->stops_on || c->stop_distance.nanos >= c->hard_stop.nanos, "stops.distance",
            c->stop_distance.nanos, "below", "exits.hard_stop", c->hard_stop.nanos,
            "raise it: the resting stop stands at or beyond the core's own", faults);
}

/* A first phase in which nothing can be bought has no clean day, and so no end. */
static void check_ramp(const struct config *c, struct text *faults) {
    require(!c->ramp_on || c->min_notional_usd.nanos <= c->base_usd.nanos / 10,
            "orders.min_notional_usd", c->min_notional_usd.nanos, "above",
            "a tenth of sizing.base_usd", c->base_usd.nanos / 10,
            "lower it: with ramp.on no entry of the first phase could ever be large enough",
            faults);
    require(!c->ramp_on || c->ramp_drawdown.nanos < c->max_drawdown.nanos, "ramp.drawdown",
            c->ramp_drawdown.nanos, "not below", "risk.max_drawdown", c->max_drawdown.nanos,
            "lower it: the ramp would never step back before all entries end", faults);
}

static void check_learning(const struct config *c, struct text *faults) {
    require(c->learning_step <= c->learning_day_cap, "learning.step", c->learning_step * NANOS,
            "above", "learning.day_cap", c->learning_day_cap * NANOS,
            "lower it: no step could ever be as long", faults);
}

static void check_margin(const struct config *c, struct text *faults) {
    require(c->margin_reduce.ns <= c->margin_no_entry.ns, "margin.reduce_s", c->margin_reduce.ns,
            "above", "margin.no_entry_s", c->margin_no_entry.ns,
            "lower it: what is sold could be bought again", faults);
}

/* The table's own numbers stand: an entry of the largest size and its exit fit into a day. */
static void check_volume(const struct config *c, struct text *faults) {
    require(c->volume_hour_share.nanos <= c->volume_day_share.nanos, "volume.hour_share",
            c->volume_hour_share.nanos, "above", "volume.day_share", c->volume_day_share.nanos,
            "lower it: the day would end first", faults);
    require(2 * c->equity_share.nanos <= c->volume_day_share.nanos, "sizing.equity_share x 2",
            2 * c->equity_share.nanos, "above", "volume.day_share", c->volume_day_share.nanos,
            "lower it: one entry and its exit would use up the day", faults);
}

static void check_targets(const struct config *c, struct text *faults) {
    require(c->target_1.nanos < c->target_2.nanos, "exits.target_1", c->target_1.nanos, "not below",
            "exits.target_2", c->target_2.nanos, "write ascending targets", faults);
    require(c->target_2.nanos < c->target_3.nanos, "exits.target_2", c->target_2.nanos, "not below",
            "exits.target_3", c->target_3.nanos, "write ascending targets", faults);
    int64_t shares = c->target_share_1.nanos + c->target_share_2.nanos;
    require(shares <= NANOS, "exits.target_share_1 + exits.target_share_2", shares, "above",
            "the whole", NANOS, "lower either", faults);
    int64_t weights = c->weight_momentum.nanos + c->weight_reversion.nanos +
                      c->weight_breakout.nanos + c->weight_volume.nanos;
    require(weights > 0, "strategy.weight_*", weights, "not above", "zero", 0,
            "raise at least one weight", faults);
}

/* Both at 4 h by default: what is old enough has left by then. */
static void check_displacement(const struct config *c, struct text *faults) {
    require(!c->displacement_on || c->displacement_min_age.ns < c->time_exit.ns,
            "displacement.min_age_s", c->displacement_min_age.ns, "not below", "exits.time_s",
            c->time_exit.ns, "raise exits.time_s: no position ever gets old enough to give way",
            faults);
}

#define BROKER_RATE 200 /* requests a minute and account (alpaca-api.md, section 1) */

static int64_t cycles_a_minute(const struct config *c) {
    return (SPAN_MIN(1).ns + c->cycle.ns - 1) / c->cycle.ns;
}

/* What the polls alone take: clock, account, orders, positions, quotes and trades each tick, bars each cycle. With
 * less the truth grows old by the core's own doing, and degraded mode never ends. */
static int64_t polls_a_minute(const struct config *c) {
    return (6 * SPAN_MIN(1).ns + c->tick_open.ns - 1) / c->tick_open.ns + cycles_a_minute(c);
}

static void check_engine(const struct config *c, struct text *faults) {
    require(c->rate_core >= polls_a_minute(c), "broker.rate_core", c->rate_core * NANOS, "below",
            "what engine.tick_s and engine.cycle_s ask in a minute", polls_a_minute(c) * NANOS,
            "raise it or the tick", faults);
    require(c->signals_fill.ns == 0 || c->rate_other >= cycles_a_minute(c), "broker.rate_other",
            c->rate_other * NANOS, "below", "the snapshots that engine.cycle_s asks in a minute",
            cycles_a_minute(c) * NANOS, "raise it or the cycle", faults);
    /* and one cycle more: two that are a minute apart may begin a little less than that apart */
    int64_t lines = c->signals_fill.ns > 0 ? 4 : 3;
    int64_t spare = lines * ((SPAN_MIN(1).ns + c->cycle.ns - 1) / c->cycle.ns + 1);
    require(c->poller_minute / 2 >= spare, "poller.minute", c->poller_minute * NANOS, "below",
            "twice the quotes, trades, bars and snapshots that engine.cycle_s asks in a minute",
            2 * spare * NANOS, "raise it or the cycle", faults);
    require(c->signals_fill.ns == 0 || c->signals_fill.ns > BAR_FRESH.ns, "signals.fill_s",
            c->signals_fill.ns, "not above", "how long a bar tells of its minute", BAR_FRESH.ns,
            "raise it or say 0: it fills nothing", faults);
    int64_t rates = c->rate_core + c->rate_exit + c->rate_other;
    require(rates <= BROKER_RATE, "broker.rate_core + rate_exit + rate_other", rates * NANOS,
            "above", "the broker's limit a minute", BROKER_RATE * NANOS, "lower one", faults);
    require(c->cycle.ns >= c->tick_open.ns, "engine.cycle_s", c->cycle.ns, "below", "engine.tick_s",
            c->tick_open.ns, "a cycle is at least one tick", faults);
    require(c->truth_max_age.ns > c->tick_open.ns, "degraded.truth_max_age_s", c->truth_max_age.ns,
            "not above", "engine.tick_s", c->tick_open.ns,
            "raise it: truth would be too old before the next tick", faults);
    require(c->stuck.ns >= c->tick_open.ns, "orders.stuck_s", c->stuck.ns, "below", "engine.tick_s",
            c->tick_open.ns, "raise it: an order is looked at once a tick", faults);
    struct span failing = {c->crash_ticks * c->tick_open.ns};
    require(failing.ns <= c->crash_window.ns, "engine.crash_ticks * engine.tick_s", failing.ns,
            "above", "engine.crash_window_s", c->crash_window.ns,
            "so many ticks would never fail within it", faults);
    require(c->backup_interval.ns >= c->tick_idle.ns, "backup.interval_s", c->backup_interval.ns,
            "below", "engine.tick_idle_s", c->tick_idle.ns, "raise it: a copy is made in a tick",
            faults);
    require(c->breaker_open.ns <= c->breaker_open_most.ns, "breaker.open_s", c->breaker_open.ns,
            "above", "breaker.open_most_s", c->breaker_open_most.ns, "the pause only grows",
            faults);
    require(c->retry_first.ns <= c->retry_most.ns, "broker.retry_first_s", c->retry_first.ns,
            "above", "broker.retry_most_s", c->retry_most.ns, "the wait only grows", faults);
    require(c->clock_step.ns <= c->clock_agreement.ns, "clock.step_s", c->clock_step.ns, "above",
            "clock.agreement_s", c->clock_agreement.ns,
            "a step is seen at once, and is judged no more kindly than a difference", faults);
}

static void check_messages(const struct config *c, struct text *faults) {
    require(c->messages_1s <= c->messages_60s, "orders.messages_1s", c->messages_1s * NANOS,
            "above", "orders.messages_60s", c->messages_60s * NANOS,
            "lower it: the minute would be full first", faults);
}

enum err_code config_check(const struct config *config, struct text *faults, struct err *err) {
    size_t from = faults->len;
    check_universe(config, faults);
    check_groups(config, faults);
    check_ranges(config, faults);
    if (faults->len == from) { /* the cross-checks add and multiply: only values in range */
        check_amounts(config, faults);
        check_stops(config, faults);
        check_exposure(config, faults);
        check_volume(config, faults);
        check_losses(config, faults);
        check_ramp(config, faults);
        check_learning(config, faults);
        check_margin(config, faults);
        check_targets(config, faults);
        check_displacement(config, faults);
        check_engine(config, faults);
        check_messages(config, faults);
    }
    return report(faults, from, err);
}

static void print_value(int64_t nanos, struct text *out) {
    text_add_char(out, '"');
    text_add_decimal(out, nanos);
    text_add_char(out, '"');
}

static void print_setting(const struct config *config, const struct setting *setting,
                          struct text *out) {
    text_add(out, ",\n  ");
    text_add_json_string(out, setting->key);
    text_add(out, ": {\"value\": ");
    print_value(setting_nanos(config, setting), out);
    text_add_format(out, ", \"default\": \"%s\", \"unit\": \"%s\", \"lowest\": \"%s\", ",
                    setting->fallback, units[setting->kind], setting->lowest);
    text_add_format(out, "\"highest\": \"%s\", \"safer\": \"%s\", \"meaning\": ", setting->highest,
                    setting->safer);
    text_add_json_string(out, setting->meaning);
    text_add_char(out, '}');
}

/* Where the groups are from, their date and how many symbols have one. */
static void print_groups(const struct config *config, struct text *out) {
    char date[DATE_TEXT_MAX];
    date_print(config->groups.date, date);
    text_add(out, "{\"value\": ");
    text_add_json_string(out, config->groups_file);
    text_add_format(out, ", \"date\": \"%s\", \"symbols\": %zu}", date, config->groups.count);
}

static void print_symbols(const char (*items)[CONFIG_SYMBOL_MAX], size_t count, struct text *out) {
    for (size_t i = 0; i < count; i++) {
        text_add(out, i == 0 ? "[" : ", ");
        text_add_json_string(out, items[i]);
    }
    text_add(out, count == 0 ? "[]" : "]");
}

void config_print(const struct config *config, struct text *out) {
    text_add(out, "{\n  \"universe\": ");
    print_symbols(config->symbols, config->symbol_count, out);
    text_add(out, ",\n  \"" KEY_RESTRICTED "\": ");
    print_symbols(config->restricted, config->restricted_count, out);
    text_add(out, ",\n  \"data.feed\": ");
    text_add_json_string(out, config->feed);
    text_add(out, ",\n  \"" KEY_GROUPS "\": ");
    print_groups(config, out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        print_setting(config, &settings[i], out);
    }
    text_add(out, "\n}\n");
}

static void explain_groups(const struct config *config, struct text *out) {
    char date[DATE_TEXT_MAX];
    date_print(config->groups.date, date);
    text_add_format(
        out,
        KEY_GROUPS " = \"%s\": the file that says of a symbol its sector, theme, issuer and funds; "
                   "without one, the table compiled in (data/maps/groups.csv). In use: "
                   "%zu symbols as of %s.\n",
        config->groups_file, config->groups.count, date);
}

enum err_code config_explain(const struct config *config, const char *key, struct text *out,
                             struct err *err) {
    const struct setting *setting = find_setting(key);
    if (strcmp(key, KEY_UNIVERSE) == 0) {
        text_add_format(out, "universe: %zu symbols that may be bought, 1 to %d\n",
                        config->symbol_count, CONFIG_SYMBOLS_MAX);
    } else if (strcmp(key, KEY_RESTRICTED) == 0) {
        text_add_format(out, KEY_RESTRICTED ": %zu symbols that are never bought, 0 to %d\n",
                        config->restricted_count, CONFIG_SYMBOLS_MAX);
    } else if (strcmp(key, KEY_FEED) == 0) {
        text_add_format(out,
                        "data.feed = %s: where quotes, trades and bars come from, sip or iex\n",
                        config->feed);
    } else if (strcmp(key, KEY_GROUPS) == 0) {
        explain_groups(config, out);
    } else if (setting == NULL) {
        return err_set(err, ERR_NOT_FOUND, "'%.60s' is no setting; the nearest is %s", key,
                       nearest_key(key));
    } else {
        text_add_format(out, "%s = ", key);
        text_add_decimal(out, setting_nanos(config, setting));
        text_add_format(out, " (%s): %s. Default %s, from %s to %s; safer: %s.\n",
                        units[setting->kind], setting->meaning, setting->fallback, setting->lowest,
                        setting->highest,
                        setting->safer[0] == 'D'   ? "lower"
                        : setting->safer[0] == 'U' ? "higher"
                                                   : "neither");
    }
    return ERR_OK;
}

/* The table as read, not its path: a row changed in place is another limit. */
static uint64_t hash_groups(const struct groups *groups, uint64_t hash) {
    for (size_t i = 0; i < groups->count; i++) {
        const struct group_row *row = &groups->rows[i];
        hash = hash64(row->symbol, strlen(row->symbol) + 1, hash);
        hash = hash64(row->sector, strlen(row->sector) + 1, hash);
        hash = hash64(row->theme, strlen(row->theme) + 1, hash);
        hash = hash64(row->issuer, strlen(row->issuer) + 1, hash);
        for (size_t k = 0; k < row->fund_count; k++) {
            const struct group_fund *fund = &row->funds[k];
            hash = hash64(fund->symbol, strlen(fund->symbol) + 1, hash);
            hash = hash64(&fund->weight.nanos, sizeof fund->weight.nanos, hash);
        }
    }
    return hash;
}

/* Over values alone, never over the struct's bytes: padding has none. */
void config_hash(const struct config *config, char out[static 17]) {
    uint64_t hash = 0;
    for (size_t i = 0; i < config->symbol_count; i++) {
        hash = hash64(config->symbols[i], strlen(config->symbols[i]) + 1, hash);
    }
    hash = hash64(&config->restricted_count, sizeof config->restricted_count, hash);
    for (size_t i = 0; i < config->restricted_count; i++) {
        hash = hash64(config->restricted[i], strlen(config->restricted[i]) + 1, hash);
    }
    hash = hash64(config->feed, strlen(config->feed) + 1, hash);
    hash = hash_groups(&config->groups, hash);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        int64_t nanos = setting_nanos(config, &settings[i]);
        hash = hash64(settings[i].key, strlen(settings[i].key) + 1, hash);
        hash = hash64(&nanos, sizeof nanos, hash);
    }
    hash64_print(hash, out);
}
