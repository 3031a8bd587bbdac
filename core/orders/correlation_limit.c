/* correlation_limit.c - which part of another symbol moves with the candidate, and the sum over all. */
#include "core/orders/correlation_limit.h"

#include "core/base/mutant.h"
#include "core/signals/correlation.h"

#include <string.h>

struct cluster {
    const struct gateway *gateway;
    const char *symbol; /* the candidate */
    struct utc now;
};

static enum correlation correlation_with(const struct cluster *cluster, const char *symbol) {
    const struct gateway *gateway = cluster->gateway;
    int one = universe_find(gateway->config, cluster->symbol);
    int other = universe_find(gateway->config, symbol);
    MUTATE(cluster_bars_ignored, return CORRELATION_WITHIN);
    if (gateway->bars == NULL || one < 0 || other < 0) {
        return CORRELATION_UNKNOWN;
    }
    return correlation_against(gateway->bars, (size_t)one, (size_t)other, cluster->now,
                               gateway->config->cluster_correlation);
}

static bool is_of_its_sector(const struct cluster *cluster, const char *symbol) {
    const struct groups *groups = &cluster->gateway->config->groups;
    MUTATE(cluster_few_are_apart, return false);
    return strcmp(groups_sector(groups, cluster->symbol), groups_sector(groups, symbol)) == 0;
}

static struct ratio part_in_cluster(const void *context, const char *symbol) {
    static const struct ratio all = {NANOS};
    const struct cluster *cluster = context;
    if (strcmp(cluster->symbol, symbol) == 0) {
        return all;
    }
    MUTATE(cluster_counts_all, return all);
    enum correlation correlation = correlation_with(cluster, symbol);
    if (correlation == CORRELATION_ABOVE ||
        (correlation == CORRELATION_UNKNOWN && is_of_its_sector(cluster, symbol))) {
        return all;
    }
    return groups_overlap(&cluster->gateway->config->groups, cluster->symbol, symbol);
}

static struct usd value_of(const struct cluster *cluster) {
    struct usd held = value_held(cluster->gateway, part_in_cluster, cluster);
    MUTATE(cluster_of_held_alone, return held);
    return usd_add(held, value_working(cluster->gateway, part_in_cluster, cluster));
}

struct group_excess correlation_limit_check(const struct gateway *gateway, const char *symbol,
                                            struct usd value, struct utc now) {
    const struct cluster cluster = {gateway, symbol, now};
    struct usd most = usd_scale(limit_equity(gateway), gateway->config->correlation_limit);
    struct usd is = usd_add(value_of(&cluster), value);
    bool is_above = usd_cmp(is, most) > 0;
    MUTATE(correlation_limit_ignored, is_above = false);
    MUTATE(correlation_limit_off_by_one, is_above |= usd_cmp(is, most) == 0);
    return is_above ? (struct group_excess){REFUSED_CORRELATION_LIMIT, is, most}
                    : (struct group_excess){.code = REFUSED_NONE};
}
