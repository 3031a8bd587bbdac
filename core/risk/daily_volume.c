/* daily_volume.c - counts a day's orders, cancels, dollars and round trips from the journal's rows. */
#include "core/risk/daily_volume.h"

#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/risk/clock_guard.h"

#include <stdio.h>
#include <string.h>

static const char CAUSE[] = "daily_volume";

static const char *const KEYS[] = {"daily_volume_day_80", "daily_volume_hour_80",
                                   "daily_volume_orders_80", "daily_volume_cancels_80",
                                   "daily_volume_trips_80"};
static const char *const WORDS[] = {"USD traded in the day", "USD traded in the hour",
                                    "orders in the day", "cancels in the day",
                                    "round trips in a symbol in the day"};

/* --- limits --- */

/* Holds a count, or an amount in nanos, against its limit; 0: none known. */
static void hold(struct daily_volume *volume, enum volume_measure measure, int64_t is,
                 int64_t limit, uint64_t id) {
    MUTATE(daily_volume_off_by_one, is--);
    if (limit <= 0 || is < limit - limit / 5) {
        return;
    }
    int64_t unit = measure <= VOLUME_HOUR ? NANOS : 1;
    volume->is_near[measure] = true;
    if (is >= limit && !volume->is_due) {
        volume->is_due = true;
        volume->due_id = id;
        snprintf(volume->why, sizeof volume->why, "%lld %s, limit %lld", (long long)(is / unit),
                 WORDS[measure], (long long)(limit / unit));
    }
}

static void hold_dollars(struct daily_volume *volume, const struct config *config, int64_t minute) {
    struct usd hour = {0};
    for (size_t i = 0; i < 60; i++) {
        int64_t ago = minute - volume->minutes[i].minute;
        if (ago < 60 && ago > -60) {
            hour = usd_add(hour, volume->minutes[i].traded);
        }
    }
    struct usd day_limit = usd_scale(volume->equity, config->volume_day_share);
    struct usd hour_limit = usd_scale(volume->equity, config->volume_hour_share);
    hold(volume, VOLUME_DAY, volume->traded.nanos, day_limit.nanos, 0);
    hold(volume, VOLUME_HOUR, hour.nanos, hour_limit.nanos, 0);
}

/* --- the day --- */

static void begin_counts(struct daily_volume *volume) {
    volume->traded = (struct usd){0};
    volume->orders = volume->cancels = 0;
    memset(volume->is_near, 0, sizeof volume->is_near);
    memset(volume->is_told, 0, sizeof volume->is_told);
    size_t kept = 0;
    for (size_t i = 0; i < volume->symbol_count; i++) {
        if (volume->symbols[i].held.nanos > 0) {
            struct volume_symbol *symbol = &volume->symbols[kept++];
            *symbol = volume->symbols[i];
            symbol->trips = 0;
            symbol->ended = (struct utc){0};
            symbol->is_end_doubted = false;
        }
    }
    volume->symbol_count = kept;
}

static void take_day(struct daily_volume *volume, struct utc at) {
    struct date day = ny_date(at);
    if (day.days > volume->day.days) {
        volume->day = day;
        begin_counts(volume);
    }
}

/* An operator has looked: the allowance begins anew. */
static void grant(struct daily_volume *volume) {
    begin_counts(volume);
    memset(volume->minutes, 0, sizeof volume->minutes);
    volume->is_due = false;
}

/* --- rows --- */

static struct volume_symbol *symbol_of(struct daily_volume *volume, const char *name) {
    for (size_t i = 0; i < volume->symbol_count; i++) {
        if (strcmp(volume->symbols[i].symbol, name) == 0) {
            return &volume->symbols[i];
        }
    }
    if (volume->symbol_count == VOLUME_SYMBOLS_MAX) {
        return NULL;
    }
    struct volume_symbol *symbol = &volume->symbols[volume->symbol_count++];
    *symbol = (struct volume_symbol){0};
    (void)!text_copy(symbol->symbol, sizeof symbol->symbol, name, NULL);
    return symbol;
}

static void take_qty(struct daily_volume *volume, const struct config *config, const char *name,
                     bool is_buy, struct qty qty, struct utc at) {
    struct volume_symbol *symbol = symbol_of(volume, name);
    if (symbol == NULL) {
        return;
    }
    bool was_held = symbol->held.nanos > 0;
    symbol->held = is_buy ? qty_add(symbol->held, qty) : qty_sub(symbol->held, qty);
    if (was_held && symbol->held.nanos <= 0) {
        symbol->held = (struct qty){0};
        symbol->trips++;
        symbol->ended = at;
        symbol->is_end_doubted = volume->is_clock_doubted;
        hold(volume, VOLUME_TRIPS, symbol->trips, config->volume_trips, 0);
    }
}

static void take_fill(struct daily_volume *volume, const struct config *config,
                      const struct journal_row *row, const cJSON *body) {
    const char *symbol = "";
    const char *side = "";
    struct qty qty = {0};
    struct usd amount = {0};
    if (json_string(body, "symbol", &symbol, NULL) != ERR_OK ||
        json_string(body, "side", &side, NULL) != ERR_OK ||
        json_qty(body, "qty", &qty, NULL) != ERR_OK ||
        json_usd(body, "amount", &amount, NULL) != ERR_OK) {
        return;
    }
    int64_t minute = row->at.ns / SPAN_MIN(1).ns;
    struct volume_minute *slot = &volume->minutes[(uint64_t)minute % 60];
    if (slot->minute != minute) {
        *slot = (struct volume_minute){.minute = minute};
    }
    slot->traded = usd_add(slot->traded, usd_abs(amount));
    volume->traded = usd_add(volume->traded, usd_abs(amount));
    take_qty(volume, config, symbol, strcmp(side, "buy") == 0, qty, row->at);
    hold_dollars(volume, config, minute);
}

static void take_adoption(struct daily_volume *volume, const struct journal_row *row,
                          const cJSON *body) {
    struct volume_symbol *symbol = symbol_of(volume, row->key);
    struct qty qty = {0};
    if (symbol != NULL && json_qty(body, "qty", &qty, NULL) == ERR_OK) {
        symbol->held = qty;
    }
}

/* A short position was taken over: by how much the quantity moved. */
static void take_short(struct daily_volume *volume, const struct journal_row *row,
                       const cJSON *body) {
    struct volume_symbol *symbol = symbol_of(volume, row->key);
    struct qty by = {0};
    if (symbol != NULL && json_qty(body, "by", &by, NULL) == ERR_OK) {
        symbol->held = qty_add(symbol->held, by);
    }
}

/* What ended in doubt, or beyond the instant in which the wall agrees again, ended then. */
static void take_clock(struct daily_volume *volume, const struct journal_row *row) {
    volume->is_clock_doubted = strcmp(row->key, CLOCK_DOUBTED) == 0;
    for (size_t i = 0; i < volume->symbol_count && !volume->is_clock_doubted; i++) {
        struct volume_symbol *symbol = &volume->symbols[i];
        if (symbol->is_end_doubted || symbol->ended.ns > row->at.ns) {
            symbol->ended = row->at;
            symbol->is_end_doubted = false;
        }
    }
}

static void take_order(struct daily_volume *volume, const struct config *config,
                       const struct journal_row *row, const cJSON *body) {
    const char *state = "";
    const char *replaces = "";
    uint64_t id = hash64(row->key, strlen(row->key), 0);
    (void)!json_string(body, "state", &state, NULL);
    (void)!json_string(body, "replaces", &replaces, NULL);
    if (strcmp(row->kind, "intent") == 0 && replaces[0] == '\0') {
        hold(volume, VOLUME_ORDERS, ++volume->orders, config->volume_orders, id);
        return;
    }
    if (strcmp(state, "not_sent") == 0 && replaces[0] == '\0' && volume->orders > 0) {
        volume->orders--; /* declined between its row and its first byte */
        volume->is_due = volume->is_due && volume->due_id != id;
    }
    if (strcmp(state, "canceled") != 0) {
        return;
    }
    for (size_t i = 0; i < VOLUME_ENDED_MAX; i++) {
        if (volume->ended[i] == id) {
            return; /* its late fill says so again */
        }
    }
    volume->ended[volume->ended_next++ % VOLUME_ENDED_MAX] = id;
    hold(volume, VOLUME_CANCELS, ++volume->cancels, config->volume_orders, 0);
}

static void take_body(struct daily_volume *volume, const struct config *config,
                      const struct journal_row *row, const cJSON *body) {
    if (strcmp(row->kind, "fill") == 0) {
        take_fill(volume, config, row, body);
    } else if (strcmp(row->kind, "adopt") == 0 || strcmp(row->kind, "split") == 0 ||
               strcmp(row->kind, "spin") == 0) {
        take_adoption(volume, row, body);
    } else if (strcmp(row->kind, "short") == 0) {
        take_short(volume, row, body);
    } else if (strcmp(row->kind, "baseline") == 0) {
        (void)!json_usd(body, "usd", &volume->equity, NULL);
    } else {
        take_order(volume, config, row, body);
    }
}

static bool is_counted(const struct journal_row *row) {
    static const char *const kinds[] = {"intent", "fill",  "adopt",   "split",
                                        "spin",   "short", "baseline"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(row->kind, kinds[i]) == 0) {
            return true;
        }
    }
    return strcmp(row->kind, "order") == 0 &&
           (strstr(row->body, "\"canceled\"") != NULL || strstr(row->body, "\"not_sent\"") != NULL);
}

void daily_volume_take(struct daily_volume *volume, const struct config *config,
                       const struct journal_row *row) {
    cJSON *body = NULL;
    take_day(volume, row->at);
    if (strcmp(row->kind, "start") == 0) {
        MUTATE(volume_reset_at_restart, grant(volume));
        volume->is_due = false;
        memcpy(volume->is_told, volume->is_near, sizeof volume->is_told);
    } else if (strcmp(row->kind, "latch_clear") == 0 && strcmp(row->key, CAUSE) == 0) {
        grant(volume);
    } else if (strcmp(row->kind, CLOCK_ROW) == 0) {
        take_clock(volume, row);
    } else if (is_counted(row) && json_parse(row->body, strlen(row->body), &body, NULL) == ERR_OK) {
        take_body(volume, config, row, body);
        cJSON_Delete(body);
    }
}

int64_t daily_volume_trips(const struct daily_volume *volume, const char *symbol, struct utc at,
                           struct utc *ended) {
    if (ended != NULL) {
        *ended = (struct utc){0};
    }
    if (ny_date(at).days > volume->day.days) {
        return 0; /* no row of this day yet */
    }
    for (size_t i = 0; i < volume->symbol_count; i++) {
        if (strcmp(volume->symbols[i].symbol, symbol) == 0) {
            if (ended != NULL) {
                *ended = volume->symbols[i].ended;
            }
            return volume->symbols[i].trips;
        }
    }
    return 0;
}

void daily_volume_step(struct daily_volume *volume, struct causes *causes) {
    MUTATE(daily_volume_ignored, return);
    for (int i = 0; i < VOLUME_MEASURES; i++) {
        if (volume->is_near[i] && !volume->is_told[i]) {
            volume->is_told[i] = true;
            log_alert(causes->log, ALERT_WARN, KEYS[i], WORDS[i]);
        }
    }
    if (volume->is_due) {
        causes_latch(causes, CAUSE, MODE_REDUCE_ONLY, "core", volume->why);
    }
}
