/* group_limits.c - adding up a group, and the three limits in their order. */
#include "core/orders/group_limits.h"

#include "core/base/hash.h"
#include "core/base/mutant.h"

#include <string.h>

enum { BY_SYMBOL, BY_SECTOR, BY_THEME };

static const struct group_limit {
    const char *mechanism;
    enum refusal_code code;
} LIMITS[GROUP_LIMITS] = {
    [BY_SYMBOL] = {"symbol_limit", REFUSED_SYMBOL_LIMIT},
    [BY_SECTOR] = {"sector_limit", REFUSED_SECTOR_LIMIT},
    [BY_THEME] = {"theme_limit", REFUSED_THEME_LIMIT},
};

struct usd limit_equity(const struct gateway *gateway) {
    struct usd now = gateway->truth->account.equity;
    struct usd good = gateway->truth->good_equity;
    return good.nanos > 0 ? usd_min(now, good) : now;
}

/* The symbol's group; "" if it is of none. */
static const char *group_of(const struct gateway *gateway, int by, const char *symbol) {
    const struct groups *groups = &gateway->config->groups;
    return by == BY_SYMBOL   ? symbol
           : by == BY_SECTOR ? groups_sector(groups, symbol)
                             : groups_theme(groups, symbol);
}

static struct usd most_of(const struct gateway *gateway, int by, const char *group) {
    const struct config *config = gateway->config;
    struct usd equity = limit_equity(gateway);
    MUTATE(symbol_limit_ignored, if (by == BY_SYMBOL) return (struct usd){INT64_MAX});
    MUTATE(sector_limit_ignored, if (by == BY_SECTOR) return (struct usd){INT64_MAX});
    MUTATE(theme_limit_ignored, if (by == BY_THEME) return (struct usd){INT64_MAX});
    if (by == BY_SYMBOL) {
        return usd_scale(equity, config->symbol_limit);
    }
    if (by == BY_THEME) {
        return config->theme_limit_usd;
    }
    bool is_unknown = strcmp(group, GROUP_UNKNOWN) == 0;
    MUTATE(sector_unknown_is_known, is_unknown = false);
    return usd_scale(equity, is_unknown ? config->sector_unknown : config->sector_limit);
}

static struct usd part_of(struct usd value, struct ratio part) {
    return part.nanos == NANOS ? value : usd_scale(value, part);
}

static struct usd holding_value(const struct holding *holding) {
    struct usd price = holding->has_mark ? holding->mark : holding_entry_price(holding);
    struct usd book = usd_abs(usd_mul(price, holding->qty));
    struct usd listed = usd_abs(usd_mul(price, holding->broker_qty));
    return holding->is_listed ? usd_max(book, listed) : book;
}

struct usd value_held(const struct gateway *gateway, counted_part *part, const void *context) {
    struct usd sum = {0};
    for (size_t i = 0; i < gateway->book->count; i++) {
        const struct holding *holding = &gateway->book->items[i];
        struct ratio counted = part(context, holding->symbol);
        if (counted.nanos > 0) {
            sum = usd_add(sum, part_of(holding_value(holding), counted));
        }
    }
    return sum;
}

struct usd value_working(const struct gateway *gateway, counted_part *part, const void *context) {
    struct usd sum = {0};
    for (size_t i = 0; i < gateway->orders->count; i++) {
        const struct order *order = &gateway->orders->items[i];
        if (order->side != SIDE_BUY || order_is_over(order)) {
            continue;
        }
        MUTATE(unknown_not_counted, if (order->state == ORDER_UNKNOWN) continue);
        struct ratio counted = part(context, order->symbol);
        if (counted.nanos > 0) {
            struct usd value = usd_mul(order->limit_price, order_open_qty(order));
            sum = usd_add(sum, part_of(value, counted));
        }
    }
    return sum;
}

struct group {
    const struct gateway *gateway;
    int by;
    const char *name;
};

/* All or nothing. */
static struct ratio part_in_group(const void *context, const char *symbol) {
    const struct group *group = context;
    bool is_of_it = strcmp(group_of(group->gateway, group->by, symbol), group->name) == 0;
    MUTATE(theme_counts_all, is_of_it |= group->by == BY_THEME);
    return (struct ratio){is_of_it ? NANOS : 0};
}

static struct usd value_of(const struct gateway *gateway, int by, const char *name) {
    const struct group group = {gateway, by, name};
    struct usd held = value_held(gateway, part_in_group, &group);
    MUTATE(sector_of_held_alone, if (by == BY_SECTOR) return held);
    return usd_add(held, value_working(gateway, part_in_group, &group));
}

struct group_excess group_limits_check(const struct gateway *gateway, const char *symbol,
                                       struct usd value) {
    for (int by = 0; by < GROUP_LIMITS; by++) {
        const char *group = group_of(gateway, by, symbol);
        struct usd most = most_of(gateway, by, group);
        struct usd is = usd_add(value_of(gateway, by, group), value);
        bool is_above = group[0] != '\0' && usd_cmp(is, most) > 0;
        MUTATE(symbol_limit_off_by_one, is_above |= by == BY_SYMBOL && usd_cmp(is, most) == 0);
        MUTATE(sector_limit_off_by_one, is_above |= by == BY_SECTOR && usd_cmp(is, most) == 0);
        MUTATE(theme_limit_off_by_one, is_above |= by == BY_THEME && group[0] != '\0' && usd_cmp(is, most) == 0);
        if (is_above) {
            return (struct group_excess){LIMITS[by].code, is, most};
        }
    }
    return (struct group_excess){.code = REFUSED_NONE};
}

/* The group of a holding is above its limit, and no holding before it is of the same. */
static bool is_above_first(const struct gateway *gateway, int by, size_t index) {
    const struct book *book = gateway->book;
    const char *group = group_of(gateway, by, book->items[index].symbol);
    for (size_t i = 0; i < index; i++) {
        if (strcmp(group_of(gateway, by, book->items[i].symbol), group) == 0) {
            return false;
        }
    }
    return group[0] != '\0' &&
           usd_cmp(value_of(gateway, by, group), most_of(gateway, by, group)) > 0;
}

static void tell(struct gateway *gateway, int by, const char *names) {
    struct text members = {.limit = 1024};
    const char *mechanism = LIMITS[by].mechanism;
    if (names[0] == '\0') {
        log_mechanism(gateway->log, mechanism, "released", "", "", "");
        log_alert_over(gateway->log, mechanism);
        return;
    }
    text_member_string(&members, "above", names);
    log_mechanism(gateway->log, mechanism, "warned", "", "", text_get(&members));
    log_alert(gateway->log, ALERT_WARN, mechanism, names);
    text_release(&members);
}

void group_limits_report(struct gateway *gateway) {
    MUTATE(group_excess_untold, return);
    if (!gateway->truth->has_account || !gateway->truth->is_equity_explained) {
        return; /* nothing to compare with */
    }
    for (int by = 0; by < GROUP_LIMITS; by++) {
        struct text names = {.limit = 512};
        for (size_t i = 0; i < gateway->book->count; i++) {
            if (is_above_first(gateway, by, i)) {
                const char *group = group_of(gateway, by, gateway->book->items[i].symbol);
                text_add_format(&names, "%s%s", names.len == 0 ? "" : ", ", group);
            }
        }
        uint64_t told = names.len == 0 ? 0 : hash64(text_get(&names), names.len, 1);
        if (told != gateway->groups_told[by]) {
            gateway->groups_told[by] = told;
            tell(gateway, by, text_get(&names));
        }
        text_release(&names);
    }
}
